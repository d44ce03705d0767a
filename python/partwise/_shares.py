"""How much of X each component explains."""

import numpy as np

# Rows of a factor at a time: their products are summed in double precision, in blocks that need no
# memory to speak of.
_ROWS = 4096


def explained_by_component(W, H, total, squared):
    """Divide what W and H explain of X among the components.

    Under the Frobenius loss (``squared``) by their shares of ||WH||²: component t has
    sum(w_t h_t * WH). At a stationary point this is what it takes off ||X||², since there the product
    of w_t h_t with X is that with WH. Under another loss by their shares of the sum of WH, which under
    the Kullback-Leibler divergence are those of the sum of X.

    Parameters
    ----------
    W : ndarray of shape (n_samples, n_components)
    H : ndarray of shape (n_components, n_features)
    total : float
        What all of them explain.
    squared : bool

    Returns
    -------
    explained : ndarray of shape (n_components,)
        They add up to ``total``.
    """
    # In units of the largest entry, so that no square leaves the range of floats.
    W_unit, H_unit = (float(factor.max(initial=0.0)) or 1.0 for factor in (W, H))
    if squared:
        parts = (_gram(W, W_unit) * _gram(H.T, H_unit)).sum(axis=1)
    else:
        parts = _sums(W, W_unit) * _sums(H.T, H_unit)
    whole = parts.sum()
    return total * (parts / whole if whole > 0 else np.full(len(H), 1 / len(H)))


def _blocks(factor, unit):
    for first in range(0, len(factor), _ROWS):
        yield factor[first : first + _ROWS].astype(np.float64) / unit


def _gram(factor, unit):
    return sum(block.T @ block for block in _blocks(factor, unit))


def _sums(factor, unit):
    return sum(block.sum(axis=0) for block in _blocks(factor, unit))
