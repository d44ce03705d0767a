"""Our starts against scikit-learn's, for the same `init` and `random_state`."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.decomposition._nmf import _initialize_nmf

from partwise._start import initialize


def _data(shape, sparse):
    X = np.random.RandomState(1).random_sample(shape)
    X[X < 0.4] = 0
    return sp.csr_array(X) if sparse else X


INITS = [None, "random", "nndsvd", "nndsvda", "nndsvdar"]


@pytest.mark.parametrize("shape", [(30, 12), (12, 30)])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("init", INITS)
def test_same_bits(init, sparse, shape):
    X = _data(shape, sparse)
    for seed in (0, 7):
        for ours, theirs in zip(
            initialize(X, 6, init, seed), _initialize_nmf(X, 6, init, random_state=seed)
        ):
            assert_array_equal(ours, theirs)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("init", INITS)
def test_same_values_in_single_precision(init, sparse):
    X = _data((30, 12), sparse)
    narrow = X.astype(np.float32)
    for ours, theirs, wide in zip(
        initialize(narrow, 6, init, 0),
        _initialize_nmf(narrow, 6, init, random_state=0),
        initialize(X, 6, init, 0),
    ):
        assert ours.dtype == np.float32
        assert_allclose(ours, theirs, atol=1e-4)
        assert_allclose(ours, wide, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("init", INITS)
def test_a_large_x_of_single_precision_is_not_copied(init):
    X = _data((1100, 1000), False).astype(np.float32)
    for ours, theirs in zip(initialize(X, 3, init, 0), _initialize_nmf(X, 3, init, random_state=0)):
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
