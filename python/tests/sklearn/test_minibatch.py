"""`MiniBatchNMF` against itself and against scikit-learn's."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose
from sklearn import decomposition
from sklearn.exceptions import ConvergenceWarning

from partwise import NMF, MiniBatchNMF, _native

RNG = np.random.RandomState(0)
X = np.abs(RNG.randn(100, 7))
LOSSES = [2, 1, 0, 0.5, 1.5, 3]

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_partial_fit_on_the_batches_of_fit_gives_the_same():
    W, H = np.abs(RNG.randn(100, 4)), np.abs(RNG.randn(4, 7))
    options = {"init": "custom", "batch_size": 10, "fresh_restarts": True, "tol": 0}
    whole = MiniBatchNMF(4, max_iter=2, max_no_improvement=None, **options)
    whole.fit(X, W=W, H=H)
    parts = MiniBatchNMF(4, forget_factor=0.7**0.1, **options)
    for _ in range(2):
        for first in range(0, 100, 10):
            parts.partial_fit(X[first : first + 10], W=W[:10], H=H)
    assert whole.n_steps_ == parts.n_steps_ == 20
    assert_allclose(whole.components_, parts.components_, rtol=1e-4)


@pytest.mark.parametrize("beta", LOSSES)
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("options", [{}, {"alpha_W": 0.01, "l1_ratio": 0.5}])
def test_same_steps_as_scikit_learn(beta, sparse, options):
    if beta < 2 and "alpha_W" in options:
        # A ridge is part of the majorant here, so that no step raises the cost of its batch; where
        # scikit-learn adds it to the denominator, that is so under the Frobenius loss alone.
        options = {**options, "l1_ratio": 1.0}
    data = X + 0.01
    data = sp.csr_array(data) if sparse else data
    options = {"beta_loss": beta, "batch_size": 32, "max_iter": 5, "tol": 0, **options}
    options |= {"n_components": 4, "random_state": 0, "max_no_improvement": None}
    ours, theirs = MiniBatchNMF(**options), decomposition.MiniBatchNMF(**options)
    W, V = ours.fit_transform(data), theirs.fit_transform(data)
    assert_allclose(ours.components_, theirs.components_, rtol=1e-6, atol=1e-12)
    assert_allclose(W, V, rtol=1e-6, atol=1e-12)
    assert_allclose(ours.reconstruction_err_, theirs.reconstruction_err_, rtol=1e-6)
    assert (ours.n_iter_, ours.n_steps_) == (theirs.n_iter_, theirs.n_steps_)


def test_same_end_as_scikit_learn():
    options = {"n_components": 4, "random_state": 0, "batch_size": 25, "tol": 1e-2}
    ours, theirs = MiniBatchNMF(**options).fit(X), decomposition.MiniBatchNMF(**options).fit(X)
    assert ours.n_steps_ == theirs.n_steps_
    assert ours.status_ == "converged"


def test_verbose_prints_a_line_for_each_step(capsys):
    MiniBatchNMF(3, max_iter=2, batch_size=50, tol=0, verbose=1).fit(X)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == [f"Minibatch step {i}/4" for i in (1, 2, 3, 4)]


def test_no_warning_if_the_last_pass_converged():
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        MiniBatchNMF(3, max_iter=1, batch_size=2, max_no_improvement=1).fit(X)


def test_csc_and_time_limit():
    model = MiniBatchNMF(3, tol=0, max_no_improvement=None, max_iter=10**6, time_limit=0.2)
    assert model.fit(sp.csc_array(X)).status_ == "time_limit"
    assert model.n_steps_ == len(model.objective_history_)


@pytest.mark.parametrize("beta", [2, 1])
def test_batches_of_zeros_do_not_end_a_fit(beta):
    data = np.zeros((15, 10))
    data[:5] = np.abs(RNG.randn(5, 10))
    options = {"batch_size": 3, "beta_loss": beta, "max_iter": 1000, "random_state": 0}
    model = MiniBatchNMF(5, **options).fit(data)
    assert model.n_steps_ > 10
    assert model.reconstruction_err_ < 0.1


@pytest.mark.parametrize("beta_loss", ["frobenius", "kullback-leibler", 1.5])
def test_the_figures_are_those_of_the_factors_with_a_column_of_zeros(beta_loss):
    X = np.random.RandomState(0).random_sample((50, 12))
    X[:, 3] = 0
    X[7] = 0
    for make in (MiniBatchNMF, NMF):
        solver = {"solver": "mu"} if make is NMF else {"batch_size": 10}
        model = make(4, init="random", random_state=0, max_iter=3, beta_loss=beta_loss, **solver)
        W, H = model.fit_transform(X), model.components_
        loss = {"frobenius": "frobenius", "kullback-leibler": "kl"}.get(beta_loss, beta_loss)
        found = _native.verify(X, W, H, loss=loss)
        assert model.reconstruction_err_ == pytest.approx(
            np.sqrt(2 * found["divergence"]), rel=1e-9
        )
        if beta_loss == "frobenius":
            assert model.reconstruction_err_ == pytest.approx(np.linalg.norm(X - W @ H), rel=1e-9)
        assert model.explained_variance_total_ == pytest.approx(
            found["explained_variance"], rel=1e-9
        )
        assert model.kkt_residual_ == pytest.approx(found["kkt_residual"], rel=1e-6)


@pytest.mark.parametrize("first, second", [("f8", "f4"), ("f4", "f8"), ("f4", "i8")])
def test_partial_fit_takes_a_later_batch_of_another_precision(first, second):
    X = np.random.RandomState(0).random_sample((30, 12)) * 9
    sparse = sp.csr_array(X)
    for given in (X, sparse):
        mixed, same = (MiniBatchNMF(3, init="random", random_state=0) for _ in range(2))
        mixed.partial_fit(given.astype(first)).partial_fit(given.astype(second))
        same.partial_fit(given.astype(first)).partial_fit(given.astype(second).astype(first))
        assert mixed.components_.dtype == first
        np.testing.assert_array_equal(mixed.components_, same.components_)
        assert mixed.n_steps_ == 2
