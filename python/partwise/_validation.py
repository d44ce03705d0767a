"""Checks and translations between scikit-learn's arguments and the engine's."""

import numpy as np
import scipy.sparse as sp
from joblib import cpu_count
from sklearn.utils import check_array
from sklearn.utils.validation import check_non_negative

FLOATS = [np.float64, np.float32]

_BETA_OF_NAME = {"frobenius": 2, "kullback-leibler": 1, "itakura-saito": 0, "kl": 1, "is": 0}
_LOSS_OF_BETA = {2: "frobenius", 1: "kl", 0: "is"}


def beta_of(beta_loss):
    """Return the number that a ``beta_loss`` stands for.

    Parameters
    ----------
    beta_loss : float or str
        ``'frobenius'``, ``'kullback-leibler'`` or ``'kl'``, ``'itakura-saito'`` or ``'is'``, or
        ``'huber:0.5'``.

    Returns
    -------
    beta : float or str
        Huber's loss is no beta-divergence and stays as it is written.
    """
    if not isinstance(beta_loss, str):
        return beta_loss
    return _BETA_OF_NAME.get(beta_loss.lower(), beta_loss)


def loss_of(beta):
    """Return the engine's name of a loss: a word for 2, 1 and 0, else what was given."""
    return beta if isinstance(beta, str) else _LOSS_OF_BETA.get(beta, float(beta))


def refuse_masked(X, whom="X"):
    """Refuse a masked array: its mask would be lost, and what it hides taken for data.

    Raises
    ------
    ValueError
        If X hides an entry.
    """
    if isinstance(X, np.ma.MaskedArray) and np.ma.getmaskarray(X).any():
        count = int(np.ma.getmaskarray(X).sum())
        raise ValueError(
            f"{whom} is a masked array that hides {count} of {X.size} entries, which cannot be left "
            "out here: partwise.NMF(k).fit(X) and partwise.fit(X, k) do, and "
            "numpy.ma.filled(X, value) puts values there"
        )


def engine_matrix(X):
    """Hand a checked X to the engine without copying its values.

    Parameters
    ----------
    X : ndarray, CSR or CSC of shape (n_samples, n_features)

    Returns
    -------
    x : ndarray or tuple
        The array itself, or ``(format, shape, indptr, indices, data)``.
    """
    if sp.issparse(X):
        return X.format, X.shape, X.indptr, X.indices, X.data
    return X


def has_zeros(X):
    """Tell whether any entry of X is zero, stored or not.

    ``X.min()`` of SciPy would sort the indices of the caller's matrix.
    """
    if not sp.issparse(X):
        return bool(np.min(X) == 0)
    if X.nnz < X.shape[0] * X.shape[1]:
        return True
    return bool(X.data.min(initial=np.inf) == 0)


def check_zeros_for_beta(X, beta):
    """Refuse zeros in X where the divergence of a zero is not finite.

    Raises
    ------
    ValueError
        If ``beta <= 0`` and X contains a zero.
    """
    if not isinstance(beta, str) and beta <= 0 and has_zeros(X):
        raise ValueError(
            "When beta_loss <= 0 and X contains zeros, the solver may diverge. "
            "Please add small values to X, or use a positive beta_loss."
        )


def check_factor(factor, shape, whom, zero=False):
    """Check a W or H that was given.

    Parameters
    ----------
    factor : array-like
    shape : tuple of (int or 'auto')
        'auto' matches any length.
    whom : str
        Named in the errors, for example ``'NMF (input H)'``.
    zero : bool, default=False
        Whether it may be zero throughout; nothing can start there.

    Returns
    -------
    factor : ndarray

    Raises
    ------
    ValueError
        If it has another shape, a negative entry or, unless allowed, only zeros.
    """
    refuse_masked(factor, f"the array passed to {whom}")
    factor = check_array(factor)
    for axis, place in enumerate(("first", "second")):
        if shape[axis] not in ("auto", factor.shape[axis]):
            raise ValueError(
                f"Array with wrong {place} dimension passed to {whom}. "
                f"Expected {shape[axis]}, but got {factor.shape[axis]}."
            )
    check_non_negative(factor, whom)
    if not (zero or factor.any()):
        raise ValueError(f"Array passed to {whom} is full of zeros.")
    return factor


def check_dtype(X, **factors):
    """Refuse factors of another dtype than X's.

    Raises
    ------
    TypeError
        Naming every factor with its dtype.
    """
    if any(factor.dtype != X.dtype for factor in factors.values()):
        found = " and ".join(f"{name}.dtype = {f.dtype}" for name, f in factors.items())
        raise TypeError(f"{' and '.join(factors)} should have the same dtype as X. Got {found}.")


def thread_count(n_jobs):
    """Translate ``n_jobs`` into the engine's number of threads.

    None and -1 are 0, for which the engine takes all, or what ``OMP_NUM_THREADS`` says: joblib sets
    it in its worker processes to their share of the machine.
    """
    if n_jobs is None or n_jobs == -1:
        return 0
    return int(n_jobs) if n_jobs >= 0 else max(1, cpu_count() + 1 + int(n_jobs))


def float_types(dtype):
    """Return what ``validate_data`` may turn X into: both precisions, or the one asked for."""
    if dtype is None:
        return FLOATS
    wanted = np.dtype(dtype)
    if wanted not in (np.float64, np.float32):
        raise ValueError(f"dtype must be float64, float32 or None. Got {dtype!r} instead.")
    return wanted.type


def penalties(estimator, shape):
    """Return the engine's penalties of an estimator for X of a shape.

    scikit-learn multiplies the penalty of W by the number of features and that of H by the
    number of samples, so that their weight against the divergence depends on neither.

    Parameters
    ----------
    estimator : NMF or MiniBatchNMF
    shape : tuple of (n_samples, n_features)

    Returns
    -------
    w, h : dict
        ``w_l1`` and ``w_l2``, ``h_l1`` and ``h_l2``.
    """
    n_samples, n_features = shape
    l1, l2 = estimator.l1_ratio, 1.0 - estimator.l1_ratio
    w = n_features * estimator.alpha_W
    h = n_samples * (estimator.alpha_W if estimator.alpha_H == "same" else estimator.alpha_H)
    return {"w_l1": w * l1, "w_l2": w * l2}, {"h_l1": h * l1, "h_l2": h * l2}
