"""Our objective against scikit-learn's, from the same start and after as many iterations."""

import gzip
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn import decomposition
from sklearn.datasets import load_digits, load_iris, load_wine

from partwise import NMF
from partwise._nmf import _PLAIN

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "data"


def _descriptions():
    with gzip.open(EXAMPLES / "descriptions.csv.gz", "rt", encoding="utf-8") as lines:
        return sp.csr_array(np.loadtxt(lines, delimiter=",", skiprows=1, usecols=range(1, 250)))


def _low_rank():
    rng = np.random.RandomState(0)
    noise = 0.1 * rng.random_sample((80, 50))
    return rng.random_sample((80, 4)) @ rng.random_sample((4, 50)) + noise


DATA = {
    "digits": lambda: load_digits().data,
    "iris": lambda: load_iris().data,
    "wine": lambda: load_wine().data,
    "descriptions": _descriptions,
    "low rank": _low_rank,
}


def _ratio(X, **options):
    """Return our squared error over scikit-learn's."""
    options = {"n_components": 4, "tol": 0, **options}
    ours, theirs = NMF(**options).fit(X), decomposition.NMF(**options).fit(X)
    return (ours.reconstruction_err_ / theirs.reconstruction_err_) ** 2


@pytest.mark.parametrize("iterations", [1, 5, 20, 100])
@pytest.mark.parametrize("solver", ["cd", "mu"])
@pytest.mark.parametrize("name", DATA)
def test_never_worse_from_the_default_start(name, solver, iterations):
    assert _ratio(DATA[name](), solver=solver, random_state=0, max_iter=iterations) <= 1.001


@pytest.mark.parametrize("iterations", [1, 5, 20, 100, 200])
@pytest.mark.parametrize("solver", ["cd", "mu"])
@pytest.mark.parametrize("name", DATA)
def test_not_worse_from_random_starts(name, solver, iterations):
    X = DATA[name]()
    options = {"solver": solver, "init": "random", "max_iter": iterations}
    ratios = [_ratio(X, random_state=seed, **options) for seed in range(5)]
    assert max(ratios) <= 1.001


def test_a_component_that_dies_late_does_not_spoil_the_fit():
    # A component was started again in the middle of a fit, from an iterate extrapolated too far.
    options = {"init": "random", "random_state": 2, "tol": 0, "max_iter": 200}
    model = NMF(4, **options).fit(DATA["wine"]())
    history = np.asarray(model.objective_history_)
    assert model.status_ == "max_iter"
    assert np.all(history[1:] <= history[:-1] * (1 + 1e-9))


@pytest.mark.parametrize("solver, iterations", [("cd", 1), ("cd", _PLAIN), ("mu", 1), ("mu", 100)])
def test_begins_as_scikit_learn_goes(solver, iterations):
    X = DATA["digits"]()
    options = {"n_components": 6, "solver": solver, "init": "random", "random_state": 0}
    options |= {"tol": 0, "max_iter": iterations}
    ours, theirs = NMF(**options), decomposition.NMF(**options)
    np.testing.assert_allclose(ours.fit_transform(X), theirs.fit_transform(X), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(ours.components_, theirs.components_, rtol=1e-6, atol=1e-9)
    # Where X is wider than tall, W gets one half step more.
    options = {"solver": solver, "init": "random", "random_state": 0, "max_iter": iterations}
    assert _ratio(X.T, **options) <= 1 + 1e-9


@pytest.mark.parametrize("beta", [1, 0, 0.5, 1.5, 3])
@pytest.mark.parametrize("iterations", [1, 20])
def test_never_worse_for_other_losses(beta, iterations):
    X = DATA["low rank"]()
    options = {"solver": "mu", "beta_loss": beta, "random_state": 0, "max_iter": iterations}
    assert _ratio(X, **options) <= 1.001


@pytest.mark.parametrize("solver", ["cd", "mu"])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
def test_never_worse_with_penalties(solver, l1_ratio):
    X = DATA["low rank"]()
    options = {"n_components": 4, "solver": solver, "random_state": 0, "tol": 0, "max_iter": 30}
    options |= {"alpha_W": 0.002, "alpha_H": 0.001, "l1_ratio": l1_ratio}

    def objective(model):
        W, H = model.fit_transform(X), model.components_
        m, n = X.shape
        value = model.reconstruction_err_**2 / 2
        for factor, weight in ((W, n * 0.002), (H, m * 0.001)):
            value += weight * l1_ratio * factor.sum()
            value += weight * (1 - l1_ratio) / 2 * (factor**2).sum()
        return value

    model = NMF(**options)
    ours = objective(model)
    assert ours <= objective(decomposition.NMF(**options)) * 1.001
    np.testing.assert_allclose(model.objective_history_[-1], ours, rtol=1e-6)


@pytest.mark.parametrize("solver", ["cd", "mu", "auto"])
@pytest.mark.parametrize("max_iter", [20, 200])
@pytest.mark.parametrize("alpha_W, alpha_H", [(10, "same"), (10, 0.001), (0.001, 10), (10, 0)])
def test_a_penalty_too_large_is_no_worse_than_scikit_learn_and_than_nothing(
    solver, max_iter, alpha_W, alpha_H
):
    X = np.random.RandomState(0).random_sample((30, 20))
    options = {"init": "random", "random_state": 0, "alpha_W": alpha_W, "alpha_H": alpha_H}
    options.update(l1_ratio=1, max_iter=max_iter)
    ours = NMF(3, solver=solver, **options)
    theirs = decomposition.NMF(3, solver="cd" if solver == "auto" else solver, **options)
    alpha = alpha_W if alpha_H == "same" else alpha_H

    def objective(model):
        W, H = model.fit_transform(X), model.components_
        return 0.5 * np.linalg.norm(X - W @ H) ** 2 + 20 * alpha_W * W.sum() + 30 * alpha * H.sum()

    found, nothing = objective(ours), 0.5 * np.linalg.norm(X) ** 2
    assert found <= objective(theirs) * (1 + 1e-6)
    if solver != "mu":
        assert found <= nothing * (1 + 1e-9)
