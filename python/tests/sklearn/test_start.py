"""Our starts against scikit-learn's, for the same `init` and `random_state`."""

import os
import subprocess
import sys
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.decomposition._nmf import _initialize_nmf

from partwise import NMF, MiniBatchNMF, _nmf
from partwise._start import initialize


def _data(shape, sparse):
    X = np.random.RandomState(1).random_sample(shape)
    X[X < 0.4] = 0
    return sp.csr_array(X) if sparse else X


INITS = [None, "random", "nndsvd", "nndsvda", "nndsvdar"]
SVD = INITS[2:]


def _apart(ours, theirs):
    """The largest difference in W and H, each in shares of its largest entry."""
    return max(np.abs(a - b).max() / b.max() for a, b in zip(ours, theirs))


@pytest.mark.parametrize("shape", [(30, 12), (12, 30)])
@pytest.mark.parametrize("sparse", [False, True])
def test_random_starts_have_the_same_bits(sparse, shape):
    X = _data(shape, sparse)
    for seed in (0, 7):
        for ours, theirs in zip(
            initialize(X, 6, "random", seed), _initialize_nmf(X, 6, "random", random_state=seed)
        ):
            assert_array_equal(ours, theirs)


@pytest.mark.parametrize("shape", [(30, 12), (12, 30), (20, 20), (400, 90), (90, 700)])
@pytest.mark.parametrize("kind", ["dense", "fortran", "csr", "csc"])
@pytest.mark.parametrize("init", [None, *SVD])
def test_svd_starts_are_the_same_but_for_rounding(init, kind, shape):
    X = _data(shape, False)
    X = {"dense": X, "fortran": np.asfortranarray(X)}.get(kind, X)
    X = sp.csr_array(X).asformat(kind) if kind in ("csr", "csc") else X
    # With few components scikit-learn takes more steps.
    for n_components in (6, 2):
        for seed in (0, 7):
            theirs = _initialize_nmf(X, n_components, init, random_state=seed)
            ours = initialize(X, n_components, init, seed)
            assert _apart(ours, theirs) < 1e-9
            for a, b in zip(ours, theirs):
                assert_array_equal(a == 0, b == 0)


@pytest.mark.parametrize("init", SVD)
def test_a_random_state_goes_on_after_an_svd_start(init):
    X = _data((30, 12), False)
    rng, theirs = np.random.RandomState(5), np.random.RandomState(5)
    assert (
        _apart(initialize(X, 4, init, rng), _initialize_nmf(X, 4, init, random_state=theirs)) < 1e-9
    )
    assert rng.randint(1000) == theirs.randint(1000)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("transpose", [False, True])
def test_components_that_x_has_are_the_same_where_its_rank_is_less(transpose, dtype):
    rng = np.random.RandomState(3)
    X = (rng.random_sample((60, 3)) @ rng.random_sample((3, 25))).astype(dtype)
    X = X.T if transpose else X
    (W, H), theirs = initialize(X, 6, "nndsvd", 0), _initialize_nmf(X, 6, "nndsvd", random_state=0)
    allowed = 1e-9 if dtype == "float64" else 1e-4
    assert _apart((W[:, :3], H[:3]), (theirs[0][:, :3], theirs[1][:3])) < allowed
    assert np.abs(W[:, 3:]).max() < 1e-3 and np.abs(H[3:]).max() < 1e-3


def test_steep_singular_values_are_the_same():
    rng = np.random.RandomState(3)
    X = (rng.random_sample((400, 12)) * 10.0 ** -np.arange(0, 6, 0.5)) @ rng.random_sample(
        (12, 300)
    )
    assert (
        _apart(initialize(X, 9, "nndsvd", 0), _initialize_nmf(X, 9, "nndsvd", random_state=0))
        < 1e-9
    )


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
    tracemalloc.start()
    ours = initialize(X, 3, init, 0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < X.nbytes / 2
    assert all(factor.dtype == np.float32 for factor in ours)
    assert _apart(ours, _initialize_nmf(X, 3, init, random_state=0)) < 1e-3


PROGRAM = """
import hashlib
import numpy as np
import scipy.sparse as sp
from partwise import NMF
from partwise._start import initialize
X = np.random.RandomState(1).random_sample((600, 400))
X[X < 0.7] = 0
found = []
for x in (X, sp.csr_array(X), sp.csc_array(X), X.astype(np.float32)):
    for threads in (0, 1, 2):
        found += [f.tobytes() for f in initialize(x, 7, "nndsvda", 0, None, threads)]
    found.append(NMF(7, random_state=0, max_iter=5, tol=0).fit(x).components_.tobytes())
assert all(found[at + t] == found[at + t % 2] for at in (0, 7, 14, 21) for t in range(6))
print(hashlib.sha256(b"".join(found)).hexdigest())
"""


def test_no_number_of_threads_changes_a_bit():
    seen = set()
    for threads in ("1", "2", "3"):
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        environment = os.environ | dict.fromkeys(names, threads)
        command = [sys.executable, "-c", PROGRAM]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        seen.add(done.stdout)
    assert len(seen) == 1


@pytest.mark.parametrize("init", SVD)
def test_no_time_for_a_start(init):
    X = _data((300, 200), True)
    assert initialize(X, 5, init, 0, time_limit=0) == (None, None)
    model = NMF(5, init=init, random_state=0, time_limit=1e-9)
    W = model.fit_transform(X)
    assert model.status_ == "time_limit" and model.n_iter_ == 1
    assert any("before the fit began" in text for text in model.warnings_)
    assert np.isfinite(W).all() and (W > 0).all() and (model.components_ > 0).all()
    batches = MiniBatchNMF(5, init=init, random_state=0, time_limit=1e-9)
    W = batches.fit_transform(X)
    assert batches.status_ == "time_limit" and len(batches.objective_history_) == 1
    assert np.isfinite(W).all() and np.isfinite(batches.components_).all()


def test_the_time_of_a_start_is_that_of_the_fit(monkeypatch):
    # A clock on which the start takes three seconds: there are two of five left for the fit.
    clock, told = iter([10.0, 13.0, 13.5]), []
    monkeypatch.setattr(_nmf, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    monkeypatch.setattr(NMF, "_call_engine", _telling(NMF._call_engine, told))
    NMF(3, random_state=0, time_limit=5.0, max_iter=2, tol=0).fit(_data((30, 12), False))
    assert told == [2.0]


def _telling(call, told):
    def telling(self, *args, time_limit, **options):
        told.append(time_limit)
        return call(self, *args, time_limit=time_limit, **options)

    return telling


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
