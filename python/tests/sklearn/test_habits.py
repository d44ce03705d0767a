"""Habits of scikit-learn's users: every result, frames back, sparse W, lines of a fit, links."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.utils import estimator_html_repr

import partwise
from partwise import NMF, MiniBatchNMF

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.RandomState(2)
X = RNG.random_sample((40, 4)) @ RNG.random_sample((4, 15)) + 0.1 * RNG.random_sample((40, 15))
NAMES = [f"gene {j}" for j in range(15)]
ROWS = [f"cell {i}" for i in range(40)]


@pytest.mark.parametrize("solver", ["cd", "mu"])
def test_every_start_is_kept_on_request(solver):
    options = {"n_init": 5, "init": "random", "random_state": 0, "solver": solver}
    model = NMF(3, keep_all=True, **options)
    W = model.fit_transform(X)
    assert model.all_components_.shape == (5, 3, 15)
    assert model.all_weights_.shape == (5, 40, 3)
    assert_array_equal(model.components_, NMF(3, **options).fit(X).components_)
    best = model.all_objectives_.argmin()
    assert_array_equal(model.all_components_[best], model.components_)
    assert_array_equal(model.all_weights_[best], W)
    for w, h, objective in zip(
        model.all_weights_, model.all_components_, model.all_objectives_, strict=True
    ):
        assert objective == pytest.approx(0.5 * np.linalg.norm(X - w @ h) ** 2)
    one = NMF(3, keep_all=True, random_state=0).fit(X)
    assert_array_equal(one.all_components_, one.components_[None])
    assert not hasattr(NMF(3, **options).fit(X), "all_components_")


def test_fit_keeps_every_restart_too():
    result = partwise.fit(X, 3, n_init=4, keep_all=True)
    assert len(result.every) == len(result.restarts) == 4
    assert any(np.array_equal(h, result.h) for _, h in result.every)
    assert partwise.fit(X, 3, n_init=4).every == []
    assert len(pickle.loads(pickle.dumps(result)).every) == 4


@pytest.mark.parametrize("Estimator", [NMF, MiniBatchNMF])
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_inverse_transform_gives_frames_back(Estimator, library):
    pytest.importorskip(library)
    frame = pd.DataFrame(X, columns=NAMES, index=ROWS)
    model = Estimator(3, random_state=0).set_output(transform=library)
    W = model.fit_transform(frame)
    back = model.inverse_transform(W)
    assert list(back.columns) == NAMES
    assert type(back) is type(W)
    if library == "pandas":
        assert list(back.index) == ROWS
    assert_allclose(back.to_numpy(), W.to_numpy() @ model.components_)
    plain = model.set_output(transform="default").inverse_transform(W)
    assert isinstance(plain, np.ndarray)
    assert_allclose(plain, back.to_numpy())


def test_inverse_transform_of_a_model_without_names():
    model = NMF(3, random_state=0).set_output(transform="pandas").fit(X)
    back = model.inverse_transform(model.transform(X))
    assert list(back.columns) == [f"x{j}" for j in range(15)]


def test_sparse_w():
    dense, sparse = NMF(3, random_state=0), NMF(3, random_state=0, sparse_output=True)
    wanted = dense.fit_transform(X)
    for found in (sparse.fit_transform(X), sparse.transform(X)):
        assert sp.issparse(found) and found.format == "csr"
        assert found.nnz == np.count_nonzero(found.toarray())
    assert_array_equal(sparse.fit_transform(X).toarray(), wanted)
    assert_array_equal(sparse.transform(X).toarray(), dense.transform(X))
    assert_allclose(
        sparse.inverse_transform(sparse.transform(X)), dense.inverse_transform(dense.transform(X))
    )
    assert sparse.score(X) == dense.score(X)


@pytest.mark.parametrize("Estimator", [NMF, MiniBatchNMF])
def test_transform_can_be_cut_short(Estimator):
    options = {"beta_loss": "kullback-leibler", "random_state": 0}
    options.update({"solver": "mu"} if Estimator is NMF else {})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = Estimator(4, **options).fit(X)
    whole = model.transform(X)
    model.set_params(transform_max_iter=1)
    with pytest.warns(UserWarning, match="rows of W .* were not stationary"):
        few = model.transform(X)
    assert not np.allclose(few, whole, rtol=1e-6)
    assert_array_equal(model.set_params(transform_max_iter=100000).transform(X), whole)


def test_verbose_prints_lines_on_standard_output(capsys):
    NMF(3, verbose=1, tol=0, max_iter=25).fit(X)
    out, err = capsys.readouterr()
    assert [line.split(":")[0] for line in out.splitlines()] == [
        f"Iteration {at} of 25" for at in (1, 10, 20, 25)
    ]
    assert "KKT" in out and err == ""
    NMF(3, verbose=2, tol=0, max_iter=7).fit(X)
    assert len(capsys.readouterr().out.splitlines()) == 7
    NMF(3, tol=0, max_iter=7).fit(X)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("Estimator", [NMF, MiniBatchNMF])
def test_the_box_of_a_notebook_links_to_the_documentation(Estimator):
    html = estimator_html_repr(Estimator(3))
    assert "https://github.com/partwise/partwise/blob/main/docs/python.md" in html


@pytest.mark.parametrize("solver", ["cd", "mu"])
def test_components_may_be_set_by_hand_as_a_frame(solver):
    model = NMF(3, random_state=0, solver=solver).fit(X)
    W, score = model.transform(X), model.score(X)
    model.components_ = pd.DataFrame(model.components_, columns=NAMES)
    assert_array_equal(model.transform(X), W)
    assert model.score(X) == score
    assert_allclose(model.inverse_transform(W), W @ model.components_.to_numpy())
