"""What code written for scikit-learn's classes relies on."""

import inspect
import pickle
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context, decomposition
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import partwise
from partwise import NMF, MiniBatchNMF

BOTH = pytest.mark.parametrize("Estimator", [NMF, MiniBatchNMF])
RNG = np.random.RandomState(0)
X = RNG.random_sample((40, 8)) @ RNG.random_sample((8, 12))


@pytest.mark.parametrize("name", ["NMF", "MiniBatchNMF", "non_negative_factorization"])
def test_signature_begins_with_scikit_learns(name):
    theirs = inspect.signature(getattr(decomposition, name)).parameters.values()
    ours = list(inspect.signature(getattr(partwise, name)).parameters.values())
    assert [(p.name, p.default, p.kind) for p in theirs] == [
        (p.name, p.default, p.kind) for p in ours[: len(theirs)]
    ]
    assert all(p.kind is p.KEYWORD_ONLY for p in ours[len(theirs) :])


@BOTH
def test_methods_and_attributes_include_scikit_learns(Estimator):
    theirs = getattr(decomposition, Estimator.__name__)
    public = {name for name in dir(theirs) if not name.startswith("_")}
    assert public <= set(dir(Estimator))
    for name in public:
        if name in ("set_output", "get_metadata_routing") or not inspect.isfunction(
            getattr(theirs, name)
        ):
            continue
        want = list(inspect.signature(getattr(theirs, name)).parameters)
        # Deprecated in scikit-learn 1.5, gone in 1.7.
        want = [name for name in want if name != "Xt"]
        ours = list(inspect.signature(getattr(Estimator, name)).parameters.values())
        assert [p.name for p in ours[: len(want)]] == want
        assert {p.name for p in ours[len(want) :]} <= {"sample_weight", "weights"}
        assert all(p.kind is p.KEYWORD_ONLY for p in ours[len(want) :])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted, ours = theirs(3).fit(X), Estimator(3).fit(X)
    assert {a for a in vars(fitted) if a.endswith("_")} <= set(vars(ours))


@BOTH
def test_set_output_and_feature_names(Estimator):
    frame = pd.DataFrame(X, columns=[f"gène {i}" for i in range(X.shape[1])])
    model = Estimator(3, tol=1e-2).set_output(transform="pandas")
    W = model.fit_transform(frame)
    prefix = Estimator.__name__.lower()
    assert list(W.columns) == [f"{prefix}{i}" for i in range(3)]
    assert list(model.feature_names_in_) == list(frame.columns)
    polars = model.set_output(transform="polars").transform(frame)
    assert polars.columns == list(W.columns)
    with pytest.raises(ValueError, match="feature names should match"):
        model.transform(frame[frame.columns[::-1]])


@BOTH
def test_polars_and_lists_in(Estimator):
    polars = pytest.importorskip("polars")
    model = Estimator(2, init="random", tol=1e-2, random_state=0)
    W = model.fit_transform(X)
    assert_array_equal(model.fit_transform(X.tolist()), W)
    # A data frame is stored by columns, and the mean of X, which scales the start, is summed so.
    assert_allclose(model.fit_transform(polars.DataFrame(X)), W)


def test_grid_search_and_pipeline():
    y = X[:, 0] > np.median(X[:, 0])
    search = GridSearchCV(NMF(random_state=0, max_iter=500), {"n_components": [1, 4]}, cv=3)
    assert search.fit(X).best_params_ == {"n_components": 4}
    pipe = make_pipeline(NMF(4, random_state=0), LogisticRegression())
    grid = GridSearchCV(pipe, {"nmf__n_components": [2, 4]}, cv=2, n_jobs=2)
    assert grid.fit(X, y).best_score_ > 0.6


@BOTH
def test_clone_keeps_every_parameter(Estimator):
    model = Estimator(n_components=4, n_jobs=2, time_limit=9.0, dtype="float32")
    assert clone(model).get_params() == model.get_params()


@BOTH
def test_pickle_and_joblib(Estimator, tmp_path):
    model = Estimator(3, tol=1e-2).fit(X)
    want = model.transform(X)
    joblib.dump(model, tmp_path / "model.joblib")
    for copy in (
        pickle.loads(pickle.dumps(model)),
        joblib.load(tmp_path / "model.joblib"),
    ):
        assert_array_equal(copy.transform(X), want)
        assert vars(copy).keys() == vars(model).keys()


@BOTH
def test_metadata_routing(Estimator):
    ours = Estimator().get_metadata_routing()
    try:
        theirs = getattr(decomposition, Estimator.__name__)().get_metadata_routing()
    except ValueError as error:
        pytest.skip(f"scikit-learn {sklearn.__version__} itself: {error}")
    for method in ("fit", "partial_fit", "transform", "inverse_transform"):
        requests = dict(getattr(ours, method).requests)
        # Of our own, and asked for by nobody unless it is said.
        assert not any(requests.pop(name, None) for name in ("sample_weight", "weights"))
        assert requests == getattr(theirs, method).requests
    if Estimator is MiniBatchNMF:
        with config_context(enable_metadata_routing=True):
            Estimator().set_partial_fit_request(H=True)


@BOTH
def test_arguments_and_the_global_random_state_stay(Estimator):
    before = np.random.get_state()[1].copy()
    for kind in (np.array, sp.csr_array, sp.csc_array, sp.coo_array):
        data = kind(X)
        W, H = RNG.random_sample((40, 3)), RNG.random_sample((3, 12))
        copies = data.copy(), W.copy(), H.copy()
        Estimator(init="custom", tol=1e-2).fit(data, W=W, H=H)
        Estimator(3, init="random", random_state=0, tol=1e-2).fit(data)
        assert abs(data - copies[0]).sum() == 0
        assert_array_equal(W, copies[1])
        assert_array_equal(H, copies[2])
    assert_array_equal(np.random.get_state()[1], before)


@BOTH
def test_not_fitted(Estimator):
    with pytest.raises(NotFittedError):
        Estimator().transform(X)
    with pytest.raises(NotFittedError):
        Estimator().score(X)


@BOTH
@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0])
def test_values_that_are_refused(Estimator, value):
    bad = X.copy()
    bad[3, 2] = value
    match = {"nan": "contains NaN", "inf": "infinity", "-1.0": "Negative values in data passed"}
    for data in (bad, sp.csr_array(bad)):
        with pytest.raises(ValueError, match=match[str(value)]):
            Estimator().fit(data)
        with pytest.raises(ValueError, match=match[str(value)]):
            Estimator().fit(X).transform(data)


@BOTH
def test_transform_is_a_function_of_the_row(Estimator):
    model = Estimator(4, random_state=0).fit(X)
    W = model.transform(X)
    assert_array_equal(model.transform(X[::-1])[::-1], W)
    assert_array_equal(np.vstack([model.transform(row[None]) for row in X]), W)


def test_inverse_transform_of_sparse_w():
    model = NMF(3).fit(X)
    W = model.transform(X)
    assert_allclose(model.inverse_transform(sp.csr_array(W)), W @ model.components_)
