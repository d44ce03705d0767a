"""X in other units: the same parts, of another size."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from partwise import NMF, MiniBatchNMF, non_negative_factorization

RNG = np.random.default_rng(0)
X = RNG.random((40, 4)) @ RNG.random((4, 25))
UNITS = (1e-30, 1e-13, 1e-6, 1e-3, 1e7, 1e13, 1e30)
INITS = ("random", "nndsvd", "nndsvda", "nndsvdar", None)
LOSSES = ("frobenius", "kullback-leibler", "itakura-saito")


def shapes(model, X):
    """The components without their size, and how much of X they explain."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", UserWarning)
        H = model.fit(X).components_.astype(float)
    return H / np.linalg.norm(H, axis=1, keepdims=True), model.explained_variance_total_


def models(loss, init):
    options = {"beta_loss": loss, "init": init, "random_state": 0, "max_iter": 60, "tol": 1e-9}
    yield NMF(4, solver="mu", **options)
    yield NMF(4, solver="auto", **options)
    if loss == "frobenius":
        yield NMF(4, solver="cd", **options)
    yield MiniBatchNMF(4, batch_size=16, **options)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("loss", LOSSES)
def test_no_unit_changes_the_parts(loss, init, dtype):
    for model in models(loss, init):
        _, explained = shapes(model, X.astype(dtype))
        former = None
        for unit in UNITS:
            H, found = shapes(model, (X * unit).astype(dtype))
            what = f"{type(model).__name__} {getattr(model, 'solver', '')} {unit}"
            # In ordinary units the start is scikit-learn's, which is not the same in all of them.
            assert abs(found - explained) < 0.02, what
            assert not np.allclose(H, H[0], rtol=0.1), what
            if not 1e-3 <= unit <= 1e6:
                former = H if former is None else former
                assert np.allclose(H, former, atol=0.02), what


@pytest.mark.parametrize("unit", UNITS)
def test_the_function_has_no_unit_either(unit):
    W, H, _ = non_negative_factorization(X * unit, n_components=4, random_state=0, max_iter=500)
    assert np.linalg.norm(X - W @ H / unit) < 0.01 * np.linalg.norm(X)


def test_partial_fit_has_no_unit():
    for unit in UNITS:
        model = MiniBatchNMF(4, random_state=0)
        for _ in range(60):
            model.partial_fit(X * unit)
        assert model.score(X * unit) > 0.99


@pytest.mark.parametrize("unit", [1e-30, 1e-13, 1e13, 1e30])
def test_one_large_entry_makes_no_other_start(unit):
    Y = X.copy()
    Y[3, 4] = 1e3 * Y.max()
    for solver in ("cd", "auto"):
        _, want = shapes(NMF(4, solver=solver, random_state=0, max_iter=500), Y)
        _, found = shapes(NMF(4, solver=solver, random_state=0, max_iter=500), Y * unit)
        assert found == pytest.approx(want, abs=1e-4)
