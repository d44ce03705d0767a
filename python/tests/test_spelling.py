"""The keywords of `fit` in scikit-learn's spelling."""

import numpy as np
import pytest

import partwise

X = np.random.default_rng(0).random((12, 8)) + 0.1
OPTIONS = {"max_iter": 20}


def same(one, other):
    return np.array_equal(one.w, other.w) and np.array_equal(one.h, other.h)


@pytest.mark.parametrize(("theirs", "ours"), [
    ({"n_components": 3}, {"rank": 3}),
    ({"n_components": 3, "random_state": 7}, {"rank": 3, "seed": 7}),
    ({"n_components": 3, "random_state": None}, {"rank": 3}),
    ({"rank": 3, "beta_loss": "kullback-leibler"}, {"rank": 3, "loss": "kl"}),
    ({"rank": 3, "beta_loss": 0.5, "solver": "mu"}, {"rank": 3, "loss": 0.5, "rule": "mu"}),
    ({"rank": 3, "solver": "cd"}, {"rank": 3, "rule": "hals"}),
    ({"rank": 3, "beta_loss": "kl", "solver": "auto"}, {"rank": 3, "loss": "kl"}),
    ({"rank": 3, "n_jobs": -1}, {"rank": 3}),
    ({"rank": 3, "n_jobs": -2}, {"rank": 3, "threads": 1}),
    ({"rank": 3, "n_jobs": None}, {"rank": 3}),
    ({"rank": 3, "W": X[:, :3], "H": X[:3]}, {"rank": 3, "w": X[:, :3], "h": X[:3]}),
    ({"H": X[:3], "fixed": "h"}, {"rank": 3, "h": X[:3], "fixed": "h"}),
    ({"w": X[:, :2]}, {"rank": 2, "w": X[:, :2]}),
    ({"rank": 3, "sample_weight": np.arange(12.0)}, {"rank": 3, "row_weights": np.arange(12.0)}),
])  # fmt: skip
def test_both_spellings_give_the_same(theirs, ours):
    assert same(partwise.fit(X, **theirs, **OPTIONS), partwise.fit(X, **ours, **OPTIONS))


@pytest.mark.parametrize("make", [np.random.RandomState, np.random.default_rng])
def test_a_random_state_draws_one_number(make):
    one, other = make(3), make(3)
    first = partwise.fit(X, 3, random_state=one, **OPTIONS)
    assert same(first, partwise.fit(X, 3, random_state=other, **OPTIONS))
    again = partwise.fit(X, 3, random_state=one, **OPTIONS)
    assert not same(first, again)
    assert same(again, partwise.fit(X, 3, random_state=other, **OPTIONS))


def test_every_callback_of_a_list_is_called():
    seen = []
    functions = [lambda p: seen.append(p["iteration"]), lambda p: p["iteration"] == 2, seen.append]
    result = partwise.fit(X, 3, callbacks=functions, tol=0)
    assert result.status == "interrupted" and len(seen) == 4


@pytest.mark.parametrize(("options", "says"), [
    ({"rank": 3, "n_components": 3}, "both rank and n_components"),
    ({"rank": 3, "seed": 0, "random_state": 0}, "both seed and random_state"),
    ({"rank": 3, "loss": "kl", "beta_loss": "kl"}, "both loss and beta_loss"),
    ({"rank": 3, "n_inits": 4}, "unexpected keyword argument 'n_inits'"),
    ({}, "rank = None: expected a whole number, as rank or n_components, or w or h"),
])  # fmt: skip
def test_what_is_said_twice_or_not_at_all_is_refused(options, says):
    with pytest.raises(TypeError, match=says):
        partwise.fit(X, **options)
