"""The index arrays of a sparse matrix: SciPy follows them without a look, out of its memory if need be."""

from itertools import chain
from typing import Any

import numpy as np

from partwise import _native

_COMPRESSED = ("csr", "csc")


def compressed(X: Any, whom: str = "X") -> Any:
    """A sparse matrix by rows or by columns: the same one if it is so already.

    Raises
    ------
    ValueError
        As `check_indices`.
    MemoryError
        If there is no room for the copy.
    """
    check_indices(X, whom)
    if X.format in _COMPRESSED:
        return X
    stored, rows = X.nnz, X.shape[0]
    _native.check_memory(f"{whom} by rows", stored * 4 * (X.dtype.itemsize + 8) + rows * 16)
    if X.format in ("dok", "dia"):
        X = X.tocoo()
        check_indices(X, whom)
    return X.tocsr()


def check_indices(X: Any, whom: str = "X") -> None:
    """Refuse a sparse matrix whose parts contradict each other or its shape.

    Parameters
    ----------
    X : sparse matrix or array
    whom : str
        What it is called in errors.

    Raises
    ------
    ValueError
        Naming the entry and its value.
    """
    check_parts(X, whom)
    checks = {
        "csr": _check_compressed,
        "csc": _check_compressed,
        "bsr": _check_compressed,
        "coo": _check_coordinates,
        "lil": _check_lists,
        "dia": _check_diagonals,
    }
    check = checks.get(X.format)
    if check is not None and X.ndim == 2:
        check(X, whom)


def check_parts(X: Any, whom: str = "X") -> None:
    """Refuse a sparse matrix of which a part is no array.

    Raises
    ------
    ValueError
        Naming the part.
    """
    for name in () if X.format == "lil" else ("data", "indptr", "indices"):
        part = getattr(X, name, np.empty(0))
        if not isinstance(part, np.ndarray) or part.ndim == 0:
            raise ValueError(f"{whom}.{name} is {type(part)}, and must be an array")


def _check_compressed(X: Any, whom: str) -> None:
    """Check that indptr begins at 0, never falls, and ends within the other arrays."""
    block = (1, 1)
    if X.format == "bsr":
        if X.data.ndim != 3 or 0 in X.data.shape[1:]:
            raise ValueError(f"{whom}.data has shape {X.data.shape}, but blocks need 3 dimensions")
        block = X.data.shape[1:]
        if X.shape[0] % block[0] or X.shape[1] % block[1]:
            raise ValueError(f"blocks of {block} do not divide {whom} of shape {X.shape}")
    rows, cols = (n // size for n, size in zip(X.shape, block, strict=True))
    across, along = (cols, rows) if X.format == "csc" else (rows, cols)
    indptr = _integers(X.indptr, f"{whom}.indptr")
    if len(indptr) != across + 1:
        raise ValueError(
            f"{whom}.indptr has shape {indptr.shape}, but {whom} of shape {X.shape} as {X.format} "
            f"needs ({across + 1},)"
        )
    if indptr[0] != 0:
        raise ValueError(f"{whom}.indptr[0] = {indptr[0]}, but it must be 0")
    falls = np.flatnonzero(indptr[1:] < indptr[:-1])
    if len(falls):
        i = falls[0]
        raise ValueError(
            f"{whom}.indptr[{i + 1}] = {indptr[i + 1]} is below {whom}.indptr[{i}] = {indptr[i]}"
        )
    indices = _integers(X.indices, f"{whom}.indices")
    for name, array in (("indices", indices), ("data", X.data)):
        if len(array) < indptr[-1]:
            raise ValueError(
                f"{whom}.{name} has {len(array)} entries, but {whom}.indptr[{across}] = {indptr[-1]}"
            )
    _check_range(f"{whom}.indices", indices[: indptr[-1]], along)


def _check_coordinates(X: Any, whom: str) -> None:
    row, col = _integers(X.row, f"{whom}.row"), _integers(X.col, f"{whom}.col")
    lengths = [len(row), len(col), len(X.data)]
    if len(set(lengths)) > 1:
        raise ValueError(f"row, col and data of {whom} have {lengths} entries, which must be equal")
    _check_range(f"{whom}.row", row, X.shape[0])
    _check_range(f"{whom}.col", col, X.shape[1])


def _check_lists(X: Any, whom: str) -> None:
    for name in ("rows", "data"):
        lists = getattr(X, name)
        one_each = isinstance(lists, np.ndarray) and lists.shape == X.shape[:1]
        if not one_each or any(not isinstance(row, list) for row in lists):
            raise ValueError(f"{whom}.{name} is not one list for each of {X.shape[0]} rows")
    for i, (indices, values) in enumerate(zip(X.rows, X.data, strict=True)):
        if len(indices) != len(values):
            raise ValueError(
                f"row {i} of {whom} has {len(indices)} indices and {len(values)} values"
            )
    try:
        indices = np.fromiter(chain.from_iterable(X.rows), np.int64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{whom}.rows holds what is no index: {error}") from None
    _check_range(f"{whom}.rows", indices, X.shape[1])


def _check_diagonals(X: Any, whom: str) -> None:
    offsets = _integers(X.offsets, f"{whom}.offsets")
    if X.data.ndim != 2 or len(offsets) != len(X.data):
        raise ValueError(
            f"{whom}.data has shape {X.data.shape}, but there are {len(offsets)} offsets"
        )


def _integers(array: Any, name: str) -> np.ndarray:
    if not isinstance(array, np.ndarray) or array.ndim != 1 or array.dtype.kind not in "iu":
        found = f"{array.ndim}-D {array.dtype}" if isinstance(array, np.ndarray) else type(array)
        raise ValueError(f"{name} is {found}, and must be 1-D integers")
    return array


def _check_range(name: str, indices: np.ndarray, length: int) -> None:
    """Check that all indices are from 0 to below length."""
    if not len(indices) or (indices.min() >= 0 and indices.max() < length):
        return
    i = np.flatnonzero((indices < 0) | (indices >= length))[0]
    raise ValueError(f"{name}[{i}] = {indices[i]} is out of range: 0 to {length - 1}")
