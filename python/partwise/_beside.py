"""What stands beside the X of an estimator: which entries are missing, and what weighs how much."""

from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.utils.validation import _check_sample_weight

from ._caller import warn
from ._input import Native
from ._names import Matching, labels_of
from ._validation import engine_matrix
from ._weights import as_like, no_effect, parted


class Beside(NamedTuple):
    """What the engine takes beside a checked X."""

    weights: Any = None
    """Of entries: an array or sparse arrays of the shape of X."""
    missing: Any = None
    """'nan', 'absent', or a mask."""
    row_weights: np.ndarray | None = None

    def of_rows(self) -> dict[str, Any]:
        """What `transform` takes: a row by itself does not weigh."""
        return {"weights": self.weights, "missing": self.missing}

    def of_fit(self) -> dict[str, Any]:
        """What `fit` and `verify` take; nothing where there is nothing."""
        given = {**self.of_rows(), "row_weights": self.row_weights}
        return {name: value for name, value in given.items() if value is not None}


#: Nothing missing, and every entry as good as another.
NOTHING = Beside()


def without_mask(X: Any, missing: str | None) -> tuple[Any, Any]:
    """X without its mask, if it is a masked array, and what is missing with it.

    What a mask hides is filled with zeros, whatever it is: nobody looks at it.
    """
    X, hidden = parted(X, missing)
    if isinstance(hidden, np.ndarray):
        X = np.where(hidden, np.zeros((), X.dtype), X)
    return X, hidden


def beside(given: Any, X: Any, hidden: Any, weights: Any, sample_weight: Any) -> Beside:
    """Check what was given with X.

    Parameters
    ----------
    given : object
        X as the caller gave it, with its names.
    X : {ndarray, sparse matrix} of shape (n_samples, n_features)
        The same, checked.
    hidden : str, ndarray of bool or None
        What is missing.
    weights : array-like or sparse matrix of shape (n_samples, n_features), or None
        Of entries, matched by names if both have some.
    sample_weight : array-like of shape (n_samples,), or None

    Raises
    ------
    ValueError
        If a weight is negative or not finite, or a shape or a name does not fit X.
    """
    rows = None
    if sample_weight is not None:
        rows = _check_sample_weight(sample_weight, X, dtype=X.dtype)
        if (rows < 0).any():
            first = int(np.flatnonzero(rows < 0)[0])
            raise ValueError(f"sample_weight[{first}] = {rows[first]} is below 0")
    if weights is not None:
        data = Native(engine_matrix(X), X.shape, X.dtype, labels_of(given))
        matching = Matching(data.labels, "names")
        weights = as_like("weights", weights, data, matching)
        for remark in matching.remarks:
            warn(remark)
    return Beside(weights, hidden, rows)


def remarks_on_words(X: Any, hidden: Any) -> list[str]:
    """A remark on a word that hides nothing, if it is one."""
    return no_effect(hidden, Native(engine_matrix(X), X.shape, X.dtype))


def filled(X: Any, beside: Beside) -> Any:
    """X with something in the place of what is missing, for a start to be made from.

    That is the mean of what is seen of the column, and of all of X in a column of which nothing is.
    What a sparse X does not store stays zero, and what is NaN in it becomes zero.
    """
    if sp.issparse(X):
        values = np.nan_to_num(X.data, nan=0.0) if np.isnan(X.data).any() else X.data
        return type(X)((values, X.indices, X.indptr), shape=X.shape)
    hidden = np.isnan(X) if isinstance(beside.missing, str) else beside.missing
    if hidden is None or not hidden.any():
        return X
    seen = ~hidden
    counts = seen.sum(axis=0)
    sums = np.where(seen, X, 0).sum(axis=0, dtype=np.float64)
    of_all = sums.sum() / max(1, counts.sum())
    means = np.where(counts > 0, sums / np.maximum(counts, 1), of_all)
    return np.where(seen, X, means.astype(X.dtype))
