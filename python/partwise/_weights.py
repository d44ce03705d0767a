"""Weights of the entries of X, and which of them are missing, as the engine takes them."""

from typing import Any

import numpy as np

from partwise._input import Native, as_native, cut, is_sparse


def as_like(name: str, given: Any, data: Native) -> Any:
    """A matrix in the precision of X, by the rules for X; None stays None."""
    if given is None:
        return None
    try:
        return as_native(given, data.dtype).x
    except (TypeError, ValueError) as error:
        # The texts speak of X.
        raise type(error)(f"{name}: {error}".replace(": X ", ": it ")) from None


def as_vector(name: str, given: Any, data: Native) -> np.ndarray | None:
    """A weight for each row or column, in the precision of X; None stays None."""
    if given is None:
        return None
    vector = np.asarray(given)
    if vector.dtype.kind not in "fiub":
        raise TypeError(cut(f"{name} has dtype {vector.dtype}; expected real numbers"))
    if vector.ndim != 1:
        raise ValueError(f"{name}: expected 1-D, got {vector.ndim}-D")
    return np.ascontiguousarray(vector, data.dtype)


def as_missing(given: Any, data: Native) -> Any:
    """What says which entries of X are missing, as the engine takes it.

    "nan" and "absent" stay as they are. A mask of the shape of X, dense or sparse, whose True
    entries are missing, becomes the arrays of a CSR matrix of them.
    """
    if given is None or isinstance(given, str):
        return given
    if is_sparse(given):
        mask = given.tocsr().astype(bool)
        mask.sum_duplicates()
        mask.eliminate_zeros()
        shape, indptr, indices = mask.shape, mask.indptr, mask.indices
    else:
        mask = np.asarray(given)
        if mask.dtype != bool or mask.ndim != 2:
            raise TypeError(
                cut(
                    f"missing is {mask.ndim}-D {mask.dtype}; expected 'nan', 'absent' or a 2-D mask"
                )
            )
        rows, indices = np.nonzero(mask)
        shape = mask.shape
        indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=shape[0]))])
    small = np.int32 if max(len(indices), *shape) < 2**31 else np.int64
    arrays = indptr.astype(small), indices.astype(small), np.ones(len(indices), data.dtype)
    return ("csr", tuple(map(int, shape)), *arrays)
