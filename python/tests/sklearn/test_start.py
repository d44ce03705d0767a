"""Our starts against scikit-learn's, for the same `init` and `random_state`."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal
from sklearn.decomposition._nmf import _initialize_nmf

from partwise._start import initialize

INITS = [None, "random", "nndsvd", "nndsvda", "nndsvdar"]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", [(30, 12), (12, 30)])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("init", INITS)
def test_same_bits(init, sparse, shape, dtype):
    X = np.random.RandomState(1).random_sample(shape).astype(dtype)
    X[X < 0.4] = 0
    X = sp.csr_array(X) if sparse else X
    for seed in (0, 7):
        for ours, theirs in zip(
            initialize(X, 6, init, seed), _initialize_nmf(X, 6, init, random_state=seed)
        ):
            assert_array_equal(ours, theirs)


def test_more_components_than_features_start_at_random():
    X = np.random.RandomState(1).random_sample((9, 4))
    for ours, theirs in zip(initialize(X, 7, None, 3), _initialize_nmf(X, 7, random_state=3)):
        assert_array_equal(ours, theirs)


def test_a_random_state_goes_on():
    X = np.ones((4, 3))
    rng, theirs = np.random.RandomState(5), np.random.RandomState(5)
    initialize(X, 2, "random", rng)
    _initialize_nmf(X, 2, "random", random_state=theirs)
    assert rng.randint(1000) == theirs.randint(1000)


@pytest.mark.parametrize("init", ["nndsvd", "nndsvda", "nndsvdar"])
def test_rank_below_n_components_gives_no_nan(init):
    X = np.outer(np.arange(1.0, 7), np.arange(1.0, 6))
    for factor in initialize(X, 5, init, 0):
        assert np.isfinite(factor).all()
        assert (factor >= 0).all()
    for factor in initialize(np.zeros((6, 5)), 5, init, 0):
        assert np.isfinite(factor).all()
