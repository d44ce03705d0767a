"""Hidden entries: the ridge that is taken, what is said of it, and how well they are predicted."""

import numpy as np
import pytest

import partwise


def table():
    rng = np.random.default_rng(0)
    X = rng.poisson(rng.gamma(1, 2, (50, 3)) @ rng.gamma(1, 2, (3, 30))).astype(float)
    return X, rng.random(X.shape) < 0.1


def test_the_ridge_is_stated_kept_and_switched_off():
    X, hidden = table()
    r = partwise.fit(X, 3, missing=hidden)
    assert r.ridge > 0
    assert r.model == {"loss": "frobenius", "w_l1": 0, "w_l2": r.ridge, "h_l1": 0, "h_l2": r.ridge}
    assert f"{r.ridge:.4g} on both factors" in repr(r)
    charged = 0.5 * r.ridge * ((r.w**2).sum() + (r.h**2).sum())
    assert r.objective == pytest.approx(r.divergence + charged, rel=1e-12)
    found = r.verify(X, missing=hidden)
    assert found["objective"] == pytest.approx(r.objective, rel=1e-10)
    for asked in ({"w_l2": 0}, {"h_l2": 0.0}, {"w_l1": 0}):
        free = partwise.fit(X, 3, missing=hidden, **asked)
        assert free.ridge is None and free.objective == free.divergence
    assert partwise.fit(X, 3).ridge is None


@pytest.mark.parametrize("share", [0.1, 0.7])
def test_the_error_of_a_mask_is_reported_beside_that_of_row_means(share):
    X, _ = table()
    hidden = np.random.default_rng(1).random(X.shape) < share
    r = partwise.fit(X, 3, missing=hidden)
    means = np.where(hidden, 0, X).sum(1) / (~hidden).sum(1)
    rms = lambda q: np.sqrt(np.mean((X - q)[hidden] ** 2))
    assert r.hidden["count"] == hidden.sum() and r.hidden["measure"] == "root_mean_squared_error"
    assert r.hidden["error"] == pytest.approx(rms(r.w @ r.h), rel=1e-10)
    means = np.broadcast_to(means[:, None], X.shape)
    assert r.hidden["row_means"] == pytest.approx(rms(means), rel=1e-10)
    assert f"{hidden.sum()} predicted with root mean squared error" in repr(r)


def test_nothing_is_reported_where_nothing_is_known():
    X, hidden = table()
    unknown = np.where(hidden, np.nan, X)
    assert partwise.fit(unknown, 3, missing="nan").hidden is None
    assert partwise.fit(unknown, 3, missing=hidden).hidden is None
    assert partwise.fit(X, 3).hidden is None
