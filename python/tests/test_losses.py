"""Losses, weights and missing entries through the functional entry."""

import numpy as np
import pytest
import scipy.sparse as sp

import partwise

RNG = np.random.default_rng(11)
X = RNG.gamma(2.0, 1.0, (40, 3)) @ RNG.gamma(2.0, 1.0, (3, 30))
COUNTS = RNG.poisson(X / 4).astype(float)
TIGHT = {"tol": 1e-8, "max_iter": 5000}


def divergence(x, q, beta):
    """The sum over entries, from the definition."""
    if beta == 1:
        full = x > 0
        return np.sum(x[full] * np.log(x[full] / q[full])) - np.sum(x) + np.sum(q)
    if beta == 0:
        return np.sum(x / q - np.log(x / q) - 1)
    terms = x**beta + (beta - 1) * q**beta - beta * x * q ** (beta - 1)
    return np.sum(terms) / (beta * (beta - 1))


@pytest.mark.parametrize("loss", ["kl", "is", 0.5, 1.5, 3.0, -0.5, 2, "frobenius", "1.25"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_objective_is_the_divergence(loss, dtype):
    given = (X + 0.1 * RNG.random(X.shape)).astype(dtype)
    r = partwise.fit(given, 3, loss=loss, max_iter=100)
    beta = {"frobenius": 2.0, "kl": 1.0, "is": 0.0}.get(loss, loss)
    expected = divergence(given.astype(float), r.w.astype(float) @ r.h.astype(float), float(beta))
    assert r.divergence == pytest.approx(expected, rel=1e-3 if dtype == np.float32 else 1e-8)
    rounding = 1e-5 if dtype == np.float32 else 1e-9
    assert (np.diff(r.history["objective"]) <= rounding * r.history["objective"][0]).all()


@pytest.mark.parametrize("rule", sorted(partwise.rules("kl")))
def test_every_rule_of_kl_on_sparse_counts(rule):
    dense = partwise.fit(COUNTS, 3, loss="kl", rule=rule)
    sparse = partwise.fit(sp.csr_array(COUNTS), 3, loss="kl", rule=rule)
    assert sparse.divergence == pytest.approx(dense.divergence, rel=1e-6)
    expected = divergence(COUNTS, dense.w @ dense.h, 1)
    assert dense.divergence == pytest.approx(expected, rel=1e-8)


def test_row_weights_are_repeated_rows():
    times = RNG.integers(1, 4, 40)
    weighted = partwise.fit(X, 2, row_weights=times, init="nndsvda", **TIGHT)
    repeated = partwise.fit(np.repeat(X, times, axis=0), 2, init="nndsvda", **TIGHT)
    assert weighted.divergence == pytest.approx(repeated.divergence, rel=1e-4)


def test_weights_multiply():
    rows, columns = RNG.random(40) + 0.5, RNG.random(30) + 0.5
    apart = partwise.fit(X, 2, row_weights=rows, column_weights=columns)
    whole = partwise.fit(X, 2, weights=np.outer(rows, columns))
    assert apart.divergence == pytest.approx(whole.divergence, rel=1e-3)
    expected = 0.5 * np.sum(np.outer(rows, columns) * (X - whole.w @ whole.h) ** 2)
    assert whole.divergence == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("loss", ["frobenius", "kl"])
def test_four_ways_to_say_that_entries_are_missing(loss):
    mask = RNG.random(X.shape) < 0.2
    holes = np.where(mask, np.nan, X)
    options = {"loss": loss, "max_iter": 200}
    by_nan = partwise.fit(holes, 3, missing="nan", **options)
    others = [
        partwise.fit(X, 3, missing=mask, **options),
        partwise.fit(X, 3, missing=sp.csc_matrix(mask), **options),
        partwise.fit(X, 3, weights=(~mask).astype(np.float32), **options),
    ]
    for other in others:
        assert other.w == pytest.approx(by_nan.w, rel=1e-9)
        assert other.h == pytest.approx(by_nan.h, rel=1e-9)
    assert by_nan.relative_error < 0.05
    # What was hidden is found again: X has rank 3.
    found = by_nan.w @ by_nan.h
    assert np.abs(found - X)[mask].mean() < 0.1 * X.mean()


def test_entries_that_are_not_stored_may_be_missing():
    mask = RNG.random(X.shape) < 0.2
    stored = sp.csr_array(np.where(mask, 0, X))
    absent = partwise.fit(stored, 3, missing="absent", max_iter=200)
    hidden = partwise.fit(X, 3, missing=mask, max_iter=200)
    for r in (absent, hidden):
        assert r.relative_error < 0.01
        assert np.abs(r.w @ r.h - X)[mask].mean() < 0.1 * X.mean()


def test_masked_array_by_its_parts():
    mask = RNG.random(X.shape) < 0.2
    masked = np.ma.array(X, mask=mask)
    r = partwise.fit(masked.data, 3, missing=masked.mask)
    assert r.w.shape == (40, 3)


def spoiled():
    """Return an exact product, and the same with a twentieth of the entries wild."""
    rng = np.random.default_rng(5)
    clean = (rng.random((60, 3)) + 0.05) @ (rng.random((3, 40)) + 0.05)
    wild = rng.random(clean.shape) < 0.05
    return clean, np.where(wild, 20 * rng.random(clean.shape), clean)


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
@pytest.mark.parametrize("unit", [1.0, 1e-8])
def test_huber_looks_past_wild_entries(form, unit):
    clean, x = spoiled()
    options = {"n_init": 3, "max_iter": 2000}
    squares = partwise.fit(form(unit * x), 3, **options)
    robust = partwise.fit(form(unit * x), 3, loss=f"huber:{0.02 * unit}", **options)
    off = [np.linalg.norm(r.w @ r.h / unit - clean) for r in (squares, robust)]
    assert 20 * off[1] < off[0]
    r = np.abs(unit * x - robust.w @ robust.h) / unit
    expected = np.where(r < 0.02, r**2 / 2, 0.02 * r - 0.02**2 / 2).sum() * unit**2
    assert robust.divergence == pytest.approx(expected, rel=1e-9)
    assert robust.verify(form(unit * x))["objective"] == pytest.approx(robust.objective, rel=1e-9)
    again = robust.transform(form(unit * x)) @ robust.h / unit
    assert 10 * np.linalg.norm(again - clean) < off[0]


def test_huber_is_minimised_by_multiplicative_rules():
    assert set(partwise.rules("huber:0.5")) == {"jmm", "mu", "mue"}


def test_losses_have_a_line_each():
    assert set(partwise.losses()) == {"frobenius", "kl", "is"} and all(partwise.losses().values())


@pytest.mark.parametrize("loss", ["frobenius", "kl", "is", 1.5])
def test_transform_finds_the_rows_of_the_fit(loss):
    r = partwise.fit(X, 3, loss=loss, **TIGHT)
    w = r.transform(X)
    assert w @ r.h == pytest.approx(r.w @ r.h, rel=1e-2)
    assert np.array_equal(r.transform(X[7:9]), w[7:9])
    beta = {"frobenius": 2.0, "kl": 1.0, "is": 0.0}.get(loss, loss)
    # X is an exact product, and the fit all but exact; a row ends at its tolerance, under
    # Itakura-Saito at relative errors below a thousandth.
    slack = 4e-4 if beta == 0 else 1e-4
    assert divergence(X, w @ r.h, beta) <= 1.02 * divergence(X, r.w @ r.h, beta) + slack


def test_transform_keeps_to_what_was_missing():
    holes = np.where(RNG.random(X.shape) < 0.2, np.nan, X)
    r = partwise.fit(holes, 3, missing="nan", column_weights=RNG.random(30) + 0.5, **TIGHT)
    assert r.transform(holes) == pytest.approx(r.w, rel=0.05, abs=0.05 * r.w.max())
    assert r.transform(X, missing=np.isnan(holes)) == pytest.approx(r.transform(holes))
    found = r.verify(holes)
    assert found["objective"] == pytest.approx(r.objective, rel=1e-9)
    assert found["kkt_residual"] == pytest.approx(r.kkt_residual, rel=1e-3, abs=1e-9)


def test_names_in_the_spelling_of_others():
    ours = partwise.fit(COUNTS, 3, loss="kl", rule="mu", dtype="float32", max_iter=20)
    for loss in ("Kullback-Leibler", "kullback_leibler", "poisson", "KLD"):
        rule = "multiplicative-update"
        theirs = partwise.fit(COUNTS, 3, loss=loss, rule=rule, dtype="f32", max_iter=20)
        assert theirs.w.dtype == np.float32
        assert np.array_equal(ours.w, theirs.w)
    with pytest.raises(ValueError, match=r"did you mean frobenius\? known: frobenius, kl"):
        partwise.fit(X, 3, loss="frobenious")
    with pytest.raises(ValueError, match=r"did you mean hals\? known: hals, mu"):
        partwise.fit(X, 3, rule="hasl")
