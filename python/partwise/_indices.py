"""The index arrays of sparse X: SciPy follows them without a look, out of its memory if need be."""

import numpy as np
import scipy.sparse as sp


def check_indices(X):
    """Refuse sparse X whose index arrays contradict each other or its shape.

    Parameters
    ----------
    X : object
        Anything; what is not sparse passes.

    Raises
    ------
    ValueError
        Naming the entry and its value.
    """
    if not sp.issparse(X):
        return
    if X.format in ("csr", "csc", "bsr"):
        rows, cols = (n // size for n, size in zip(X.shape, getattr(X, "blocksize", (1, 1))))
        across, along = (rows, cols) if X.format != "csc" else (cols, rows)
        _check_pointers(X, across)
        _check_range("indices", X.indices[: X.indptr[-1]], along)
    elif X.format == "coo":
        _check_lengths(X, X.row, X.col, X.data)
        _check_range("row", X.row, X.shape[0])
        _check_range("col", X.col, X.shape[1])


def _check_pointers(X, across):
    """Check that indptr begins at 0, never falls, and ends within the other arrays."""
    indptr = X.indptr
    if indptr.ndim != 1 or len(indptr) != across + 1:
        raise ValueError(
            f"X.indptr has shape {indptr.shape}, but X of shape {X.shape} as {X.format} "
            f"needs ({across + 1},)"
        )
    if indptr[0] != 0:
        raise ValueError(f"X.indptr[0] = {indptr[0]}, but it must be 0")
    falls = np.flatnonzero(indptr[1:] < indptr[:-1])
    if len(falls):
        i = falls[0]
        raise ValueError(
            f"X.indptr[{i + 1}] = {indptr[i + 1]} is below X.indptr[{i}] = {indptr[i]}"
        )
    for name, array in (("indices", X.indices), ("data", X.data)):
        if len(array) < indptr[-1]:
            raise ValueError(
                f"X.{name} has {len(array)} entries, but X.indptr[{across}] = {indptr[-1]}"
            )


def _check_lengths(X, *arrays):
    lengths = [len(array) for array in arrays]
    if len(set(lengths)) > 1:
        raise ValueError(f"row, col and data of X have {lengths} entries, which must be equal")


def _check_range(name, indices, length):
    """Check that all indices are from 0 to below length."""
    if not len(indices) or (indices.min() >= 0 and indices.max() < length):
        return
    i = np.flatnonzero((indices < 0) | (indices >= length))[0]
    raise ValueError(f"X.{name}[{i}] = {indices[i]} is out of range: 0 to {length - 1}")
