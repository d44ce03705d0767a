"""scikit-learn's starts: the same W and H for the same ``init`` and ``random_state``.

Random starts have the same bits. SVD starts begin with the same random numbers and take the same steps, but
in the engine: they differ by rounding.
"""

import numpy as np
import scipy.sparse as sp
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_non_negative

from . import _native
from ._validation import engine_matrix

# What `randomized_svd` has beyond n_components, and its steps: the more if n_components is less than this
# share of rows and columns.
_OVERSAMPLES = 10
_STEPS, _STEPS_OF_FEW, _FEW = 4, 7, 0.1

# Smaller entries of an SVD start count as zero, as in scikit-learn.
_EPS = 1e-6

# Largest entries of X between which a start is scikit-learn's in the unit that X is given in: from
# shares to counts of a million. Its SVD starts are no multiples of each other in other units: they
# drop what is below 1e-6 and fill in the mean of X, where entries of W and H have the size of its
# root. Beyond a largest entry of about 1e-12 or 1e24 all components would start alike.
_ORDINARY = (2.0**-10, 2.0**20)

# Entries of an X of which a copy in double precision is no burden.
_SMALL = 1 << 20


def unit_of(X):
    """Return the unit in which a start for X is made: 1, or the largest entry of X.

    Parameters
    ----------
    X : {ndarray, sparse matrix} of shape (n_samples, n_features)

    Returns
    -------
    unit : float
        1 if the largest entry is of an ordinary size, or 0.
    """
    values = X.data if sp.issparse(X) else X
    largest = float(values.max(initial=0.0))
    lowest, highest = _ORDINARY
    return 1.0 if largest == 0 or lowest <= largest <= highest else largest


def mean_of(X):
    """Return the mean of X, where its sum may be beyond the range of floats too."""
    with np.errstate(over="ignore"):
        mean = X.mean()
    if np.isfinite(mean):
        return mean
    largest = (X.data if sp.issparse(X) else X).max()
    return (X / largest).mean() * largest


def initialize(X, n_components, init=None, random_state=None, time_limit=None, threads=0):
    """Return W and H to start from.

    Parameters
    ----------
    X : {ndarray, CSR, CSC} of shape (n_samples, n_features)
    n_components : int
    init : {'random', 'nndsvd', 'nndsvda', 'nndsvdar'}, default=None
        None is 'nndsvda' if X has that many rows and columns, else 'random'.
    random_state : int, RandomState instance or None, default=None
    time_limit : float, default=None
        Seconds that an SVD start may take.
    threads : int, default=0
        For SVD starts, as the engine counts them. W and H have the same bits for any number.

    Returns
    -------
    W : ndarray of shape (n_samples, n_components)
    H : ndarray of shape (n_components, n_features)
        Both are None if the time was up.

    Raises
    ------
    ValueError
        If X has a negative entry, an SVD start is asked for more components than X has
        rows or columns, or 'custom' is asked for.

    References
    ----------
    Boutsidis and Gallopoulos, "SVD based initialization: a head start for nonnegative
    matrix factorization", Pattern Recognition 41 (2008).
    """
    check_non_negative(X, "NMF initialization")
    fits = n_components <= min(X.shape)
    if init not in (None, "random") and not fits:
        raise ValueError(
            f"init = '{init}' can only be used when n_components <= min(n_samples, n_features)"
        )
    if init is None:
        init = "nndsvda" if fits else "random"
    if init == "random":
        return _random(X, n_components, random_state)
    if init not in ("nndsvd", "nndsvda", "nndsvdar"):
        raise ValueError(
            f"Invalid init parameter: got {init!r} instead of one of "
            "(None, 'random', 'nndsvd', 'nndsvda', 'nndsvdar')"
        )
    # W and H go with the root of X: in its unit what is small and the mean are divided by it.
    root = np.sqrt(unit_of(X))
    mean = 0.0 if init == "nndsvd" else mean_of(X) / root
    W, H = _nndsvd(
        X,
        n_components,
        random_state,
        floor=_EPS * root,
        fill=mean if init == "nndsvda" else 0.0,
        time_limit=time_limit,
        threads=threads,
    )
    if init == "nndsvdar" and W is not None:
        _fill_at_random((W, H), mean, random_state)
    return W, H


def hasty(X, n_components):
    """Return W and H for a fit that had no time for a start."""
    scale = np.sqrt(mean_of(X) / n_components)
    rng = np.random.default_rng(0)

    def draw(shape):
        return scale * (1 - rng.random(shape, dtype=X.dtype.type))

    return draw((X.shape[0], n_components)), draw((n_components, X.shape[1]))


def _random(X, n_components, random_state):
    """Draw |N(0, 1)| scaled to the mean of X: first H, then W, as scikit-learn does."""
    scale = np.sqrt(mean_of(X) / n_components)
    rng = check_random_state(random_state)

    def draw(shape):
        return np.abs(scale * rng.standard_normal(size=shape).astype(X.dtype, copy=False))

    H = draw((n_components, X.shape[1]))
    W = draw((X.shape[0], n_components))
    return W, H


def _nndsvd(X, n_components, random_state, **options):
    """Split every leading pair of singular vectors by sign and keep the heavier half."""
    shorter = min(X.shape)
    steps = _STEPS_OF_FEW if n_components < _FEW * shorter else _STEPS
    rng = check_random_state(random_state)
    test = rng.normal(size=(shorter, n_components + _OVERSAMPLES))
    dtype = X.dtype
    if dtype == np.float32 and X.shape[0] * X.shape[1] <= _SMALL:
        # Singular vectors in single precision are off by 1e-5, and a fit can make more of it.
        X = X.astype(np.float64)
    start = _native.svd_start(engine_matrix(X), n_components, test, steps, **options)
    if start is None:
        return None, None
    W, H = start
    return W.astype(dtype, copy=False), H.astype(dtype, copy=False)


def _fill_at_random(factors, mean, random_state):
    """Put small noise in the place of zeros."""
    rng = check_random_state(random_state)
    for factor in factors:
        zero = factor == 0
        factor[zero] = abs(mean * rng.standard_normal(size=zero.sum()) / 100)
