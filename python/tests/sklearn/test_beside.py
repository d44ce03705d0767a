"""Missing entries and weights in the classes: as `partwise.fit` has them, in a pipeline too."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

import partwise
from partwise import NMF, MiniBatchNMF, non_negative_factorization
from partwise._nmf import _PLAIN

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::partwise.FitWarning"),
]

RNG = np.random.default_rng(7)
X = RNG.random((50, 3)) @ RNG.random((3, 12)) + 0.1
HIDDEN = RNG.random(X.shape) < 0.15
HOLED = np.where(HIDDEN, np.nan, X)
W0, H0 = RNG.random((50, 3)) + 0.1, RNG.random((3, 12)) + 0.1
SEEN = {
    "nan": (HOLED, {"missing": "nan"}, {}),
    "masked": (np.ma.masked_array(np.where(HIDDEN, -7.0, X), HIDDEN), {}, {}),
    "masked nan": (np.ma.masked_array(HOLED, HIDDEN), {}, {}),
    "frame": (pd.DataFrame(HOLED), {"missing": "nan"}, {}),
    "absent": (sp.csr_array(np.where(HIDDEN, 0, X)), {"missing": "absent"}, {}),
    "weights": (X, {}, {"weights": (~HIDDEN).astype(float)}),
    "sparse weights": (X, {}, {"weights": sp.csr_array(~HIDDEN)}),
}
LOSSES = {"cd": "frobenius", "mu": "kl", "auto": "kl"}


def custom(solver, **options):
    options = {"tol": 0, "max_iter": 30, **options}
    return NMF(3, init="custom", solver=solver, beta_loss=LOSSES[solver], **options)


@pytest.mark.parametrize("solver", LOSSES)
@pytest.mark.parametrize("way", SEEN)
def test_a_fit_is_that_of_partwise_fit(way, solver):
    data, options, given = SEEN[way]
    model = custom(solver, **options)
    W = model.fit_transform(data, W=W0, H=H0, **given)
    rule = {"cd": "hals", "mu": "mu", "auto": None}[solver]
    plain = {"cd": _PLAIN, "mu": 30, "auto": 0}[solver]
    wanted = partwise.fit(
        data,
        3,
        loss=LOSSES[solver],
        w=W0,
        h=H0,
        rule=rule,
        plain=plain,
        tol=0,
        max_iter=30,
        **options,
        **given,
    )
    assert_allclose(W @ model.components_, wanted.w @ wanted.h, rtol=1e-7)
    assert model.ridge_ == pytest.approx(wanted.ridge)
    assert model.reconstruction_err_ == pytest.approx(np.sqrt(2 * wanted.divergence))
    assert_allclose(model.transform(data, **given), wanted.transform(X, missing=HIDDEN), rtol=1e-6)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.transform(data, **given), model.transform(data, **given))


@pytest.mark.parametrize("init", [None, "random", "nndsvda", "nndsvdar"])
def test_what_is_hidden_has_no_part_in_a_fit_from_any_start(init):
    wild = np.where(HIDDEN, 1e6, X)
    options = {"init": init, "random_state": 0, "max_iter": 500}
    found = [
        NMF(3, **options).fit(np.ma.masked_array(data, HIDDEN)).components_ for data in (X, wild)
    ]
    assert_array_equal(*found)
    model = NMF(3, missing="nan", **options)
    W = model.fit_transform(HOLED)
    assert_allclose(model.components_, found[0], rtol=1e-9)
    predicted = (W @ model.components_)[HIDDEN]
    means = np.nanmean(HOLED, axis=0)[np.nonzero(HIDDEN)[1]]
    assert np.abs(predicted - X[HIDDEN]).mean() < 0.3 * np.abs(means - X[HIDDEN]).mean()


def test_a_column_of_which_nothing_is_seen():
    data = HOLED.copy()
    data[:, 4] = np.nan
    model = NMF(3, missing="nan", random_state=0).fit(data)
    assert np.isfinite(model.components_).all()
    assert np.isfinite(model.transform(data)).all()


def test_a_word_that_hides_nothing_is_told():
    model = NMF(3, missing="absent").fit(X)
    assert any("missing='absent' has no effect" in text for text in model.warnings_)


def test_sample_weight_is_a_count_of_rows():
    counts = RNG.integers(1, 4, len(X))
    repeated = np.repeat(np.arange(len(X)), counts)
    for solver in LOSSES:
        # Once it goes its own way, "cd" may take other steps for weights than for rows.
        options = {"max_iter": _PLAIN} if solver == "cd" else {}
        one = custom(solver, **options).fit(X, W=W0, H=H0, sample_weight=counts)
        many = custom(solver, **options).fit(X[repeated], W=W0[repeated], H=H0)
        assert_allclose(one.components_, many.components_, rtol=1e-6)
        assert one.reconstruction_err_ == pytest.approx(many.reconstruction_err_)
        assert one.score(X, sample_weight=counts) == pytest.approx(one.score(X[repeated]))
    assert one.score(X, sample_weight=counts) != pytest.approx(one.score(X), rel=1e-9)


def test_score_counts_what_is_seen():
    model = NMF(3, missing="nan", random_state=0).fit(HOLED)
    W = model.transform(HOLED)
    left = np.where(HIDDEN, 0, X - W @ model.components_)
    wanted = 1 - (left**2).sum() / (X[~HIDDEN] ** 2).sum()
    assert model.score(HOLED) == pytest.approx(wanted)
    assert NMF(3, random_state=0).fit(X).score(np.ma.masked_array(X, HIDDEN)) > 0.99


def test_a_pipeline_passes_nan_on():
    y = X[:, 0] > np.median(X[:, 0])
    pipe = make_pipeline(NMF(3, missing="nan", random_state=0), LogisticRegression(C=100))
    assert pipe.fit(HOLED, y).score(HOLED, y) > 0.8
    assert cross_val_score(pipe, HOLED, y, cv=3).mean() > 0.6
    grid = GridSearchCV(NMF(missing="nan", random_state=0), {"n_components": [1, 3]}, cv=3)
    assert grid.fit(HOLED).best_params_ == {"n_components": 3}
    assert NMF(missing="nan").__sklearn_tags__().input_tags.allow_nan
    assert not NMF().__sklearn_tags__().input_tags.allow_nan


def test_weights_are_routed():
    y = X[:, 0] > np.median(X[:, 0])
    counts = np.arange(1.0, len(X) + 1)
    weights = RNG.random(X.shape)
    direct = NMF(3, random_state=0).fit(X, sample_weight=counts, weights=weights)
    with config_context(enable_metadata_routing=True):
        step = NMF(3, random_state=0).set_fit_request(sample_weight=True, weights=True)
        step.set_transform_request(weights=True).set_score_request(sample_weight=True)
        classifier = LogisticRegression().set_fit_request(sample_weight=False)
        pipe = make_pipeline(step, classifier)
        pipe.fit(X, y, sample_weight=counts, weights=weights)
        assert_array_equal(pipe[0].components_, direct.components_)
        W = pipe[:-1].transform(X, weights=weights)
        assert_array_equal(W, direct.transform(X, weights=weights))
        step = NMF(3, random_state=0).set_fit_request(sample_weight=True, weights=False)
        step.set_score_request(sample_weight=True, weights=False)
        grid = GridSearchCV(step, {"n_components": [1, 3]}, cv=3)
        assert grid.fit(X, sample_weight=counts).best_params_ == {"n_components": 3}


def test_weights_with_names_are_matched():
    frame = pd.DataFrame(X, columns=list("abcdefghijkl"))
    weights = pd.DataFrame(RNG.random(X.shape), columns=frame.columns)
    turned = weights[frame.columns[::-1]]
    want = NMF(3, random_state=0).fit(frame, weights=weights).components_
    with pytest.warns(UserWarning, match="weights: columns stand in another order"):
        found = NMF(3, random_state=0).fit(frame, weights=turned).components_
    assert_array_equal(found, want)
    with pytest.raises(ValueError, match="weights: columns do not have the names"):
        NMF(3).fit(frame, weights=weights.rename(columns={"a": "z"}))


@pytest.mark.parametrize(("given", "match"), [
    ({"sample_weight": -np.ones(50)}, r"sample_weight\[0\] = -1.0 is below 0"),
    ({"sample_weight": np.ones(3)}, "sample_weight.shape"),
    ({"sample_weight": np.full(50, np.nan)}, "NaN"),
    ({"weights": np.ones((3, 12))}, "weights"),
    ({"weights": -np.ones((50, 12))}, "weight"),
])  # fmt: skip
def test_weights_that_are_none_are_refused(given, match):
    with pytest.raises(ValueError, match=match):
        NMF(3).fit(X, **given)


def test_nan_is_refused_unless_it_is_said_to_be_missing():
    for call in (NMF(3).fit, NMF(3).fit(X).transform, NMF(3).fit(X).score):
        with pytest.raises(ValueError, match="contains NaN"):
            call(HOLED)
        with pytest.raises(ValueError, match="contains NaN"):
            call(np.ma.masked_array(HOLED, np.zeros_like(HIDDEN)))
    with pytest.raises(ValueError, match="infinity"):
        NMF(3, missing="nan").fit(np.where(HIDDEN, np.inf, X))
    with pytest.raises(ValueError, match="The 'missing' parameter of NMF must be"):
        NMF(3, missing="zero").fit(X)


def test_who_cannot_leave_entries_out_refuses_a_mask():
    masked = np.ma.masked_array(X, HIDDEN)
    for call in (MiniBatchNMF(2).fit, MiniBatchNMF(2).partial_fit, non_negative_factorization):
        with pytest.raises(ValueError, match=r"hides .* partwise.NMF\(k\).fit\(X\)"):
            call(masked)


@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_checks_with_nan():
    results = check_estimator(NMF(2, missing="nan"), on_fail=None, on_skip=None)
    assert not {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"}


def test_what_is_given_stays():
    copies = HOLED.copy(), HIDDEN.copy()
    masked = np.ma.masked_array(np.where(HIDDEN, 5.0, X), HIDDEN)
    NMF(3).fit(masked)
    NMF(3, missing="nan").fit(HOLED)
    assert_array_equal(HOLED, copies[0])
    assert_array_equal(masked.mask, copies[1])
    assert (masked.data[HIDDEN] == 5.0).all()
    assert clone(NMF(missing="nan")).missing == "nan"


def test_nothing_missing_has_no_ridge():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = NMF(3, missing="nan", random_state=0, max_iter=2000).fit(X)
    assert model.ridge_ is None
    assert_array_equal(model.components_, NMF(3, random_state=0, max_iter=2000).fit(X).components_)
