"""scikit-learn's starts: the same W and H for the same ``init`` and ``random_state``."""

import math

import numpy as np
import scipy.sparse as sp
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_non_negative

try:
    from sklearn.utils.extmath import _randomized_svd as randomized_svd
except ImportError:  # before scikit-learn 1.8
    from sklearn.utils.extmath import randomized_svd

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


def initialize(X, n_components, init=None, random_state=None):
    """Return W and H to start from.

    Parameters
    ----------
    X : {ndarray, sparse matrix} of shape (n_samples, n_features)
    n_components : int
    init : {'random', 'nndsvd', 'nndsvda', 'nndsvdar'}, default=None
        None is 'nndsvda' if X has that many rows and columns, else 'random'.
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    W : ndarray of shape (n_samples, n_components)
    H : ndarray of shape (n_components, n_features)

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
    unit = unit_of(X)
    W, H = _nndsvd(X, n_components, random_state, unit)
    _fill(W, H, mean_of(X) / unit, init, random_state)
    if unit != 1:
        for factor in (W, H):
            factor *= np.sqrt(unit)
    return W, H


def _random(X, n_components, random_state):
    """Draw |N(0, 1)| scaled to the mean of X: first H, then W, as scikit-learn does."""
    scale = np.sqrt(mean_of(X) / n_components)
    rng = check_random_state(random_state)

    def draw(shape):
        return np.abs(scale * rng.standard_normal(size=shape).astype(X.dtype, copy=False))

    H = draw((n_components, X.shape[1]))
    W = draw((X.shape[0], n_components))
    return W, H


def _nndsvd(X, n_components, random_state, unit):
    """Split every pair of singular vectors by sign and keep the heavier half: for X / unit."""
    if X.dtype == np.float32 and X.shape[0] * X.shape[1] <= _SMALL:
        # Singular vectors in single precision are off by 1e-5, and a fit can make more of it.
        W, H = _nndsvd(X.astype(np.float64), n_components, random_state, unit)
        return W.astype(np.float32), H.astype(np.float32)
    U, S, V = randomized_svd(X, n_components, random_state=random_state)
    W, H = np.zeros_like(U), np.zeros_like(V)
    for j in range(n_components):
        u, v = np.abs(U[:, j]), np.abs(V[j])
        weight = 1.0
        if j > 0:
            u, v, weight = _heavier_half(U[:, j], V[j])
        root = np.sqrt(S[j] / unit * weight)
        W[:, j], H[j] = root * u, root * v
    W[W < _EPS] = 0
    H[H < _EPS] = 0
    return W, H


def _heavier_half(x, y):
    """Return the unit vectors of the positive or the negative halves and their weight."""
    halves = []
    for sign in (1, -1):
        u, v = np.maximum(sign * x, 0), np.maximum(sign * y, 0)
        u_norm, v_norm = math.sqrt(u @ u), math.sqrt(v @ v)
        halves.append((u, v, u_norm, v_norm, u_norm * v_norm))
    plus, minus = halves
    u, v, u_norm, v_norm, weight = plus if plus[4] > minus[4] else minus
    if weight == 0:
        return u, v, weight
    return u / u_norm, v / v_norm, weight


def _fill(W, H, mean, init, random_state):
    """Fill the zeros of an SVD start: not at all, by the mean of X, or by small noise."""
    if init == "nndsvd":
        return
    rng = check_random_state(random_state)
    for factor in (W, H):
        zero = factor == 0
        if init == "nndsvda":
            factor[zero] = mean
        elif init == "nndsvdar":
            factor[zero] = abs(mean * rng.standard_normal(size=zero.sum()) / 100)
        else:
            raise ValueError(
                f"Invalid init parameter: got {init!r} instead of one of "
                "(None, 'random', 'nndsvd', 'nndsvda', 'nndsvdar')"
            )
