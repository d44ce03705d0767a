"""What stands beside X, as the engine takes it: weights, what is missing, where W and H start.

Each is brought into the order of X by its names first; see :mod:`partwise._names`.
"""

from typing import Any

import numpy as np

from partwise._indices import compressed
from partwise._input import Native, as_native, is_sparse
from partwise._names import Matching, labels_of, named
from partwise._text import cut

#: Stands for a keyword that was not given, where None says something.
UNSAID: Any = type("Unsaid", (), {"__repr__": lambda self: "as in the fit"})()


def as_like(name: str, given: Any, data: Native, matching: Matching) -> Any:
    """A matrix in the precision of X, by the rules for X; None stays None."""
    if given is None:
        return None
    found = _read(name, given, data)
    return _taken(found.x, *matching.both(name, found.labels))


def as_starts(
    w: Any, h: Any, data: Native, rank: Any, matching: Matching
) -> tuple[Any, Any, np.ndarray | None]:
    """W and H to start from, and the names of their components: those of W, else those of H."""
    m, n = data.shape
    of_w, of_h = labels_of(w), labels_of(h)
    names, others = named(of_w.columns), named(of_h.rows)
    rows, columns = matching.rows("w", of_w.rows), matching.columns("h", of_h.columns)
    components = matching.order("h", "components", others, ("w", names))
    w = _start("w", w, (m, rank), "rows of X × rank", data)
    h = _start("h", h, (rank, n), "rank × columns of X", data)
    return _taken(w, rows), _taken(h, components, columns), others if names is None else names


def _start(name: str, given: Any, shape: tuple[Any, Any], of: str, data: Native) -> Any:
    if given is None:
        return None
    refuse_masked(name, given)
    found = _read(name, np.asarray(given), data)
    if isinstance(shape[0], int) and isinstance(shape[1], int) and found.shape != shape:
        rows, columns = found.shape
        expected = f"{shape[0]} × {shape[1]} ({of})"
        raise ValueError(f"{name.upper()} is {rows} × {columns}, expected {expected}")
    return found.x


def _read(name: str, given: Any, data: Native) -> Native:
    try:
        return as_native(given, data.dtype)
    except (TypeError, ValueError) as error:
        # The texts speak of X.
        raise type(error)(f"{name}: {error}".replace(": X ", ": it ")) from None


def as_vector(name: str, given: Any, data: Native, matching: Matching) -> np.ndarray | None:
    """A weight for each row or column, in the precision of X; None stays None."""
    if given is None:
        return None
    refuse_masked(name, given)
    vector = np.asarray(given)
    if vector.dtype.kind not in "fiub":
        raise TypeError(cut(f"{name} has dtype {vector.dtype}; expected real numbers"))
    if vector.ndim != 1:
        raise ValueError(f"{name}: expected 1-D, got {vector.ndim}-D")
    match = matching.rows if name == "row_weights" else matching.columns
    take = match(name, labels_of(given).rows)
    return np.ascontiguousarray(vector if take is None else vector[take], data.dtype)


def as_missing(given: Any, data: Native, matching: Matching) -> Any:
    """What says which entries of X are missing, as the engine takes it.

    "nan" and "absent" stay as they are, and a boolean array whose True entries are missing. Of a
    sparse mask come the arrays of a CSR matrix of its True entries.
    """
    if given is None or isinstance(given, str):
        return given
    if not is_sparse(given):
        refuse_masked("missing", given)
        mask = np.asarray(given)
        if mask.dtype != bool or mask.ndim != 2:
            expected = "expected 'nan', 'absent' or a 2-D mask"
            raise TypeError(cut(f"missing is {mask.ndim}-D {mask.dtype}; {expected}"))
        return _taken(mask, *matching.both("missing", labels_of(given)))
    mask = compressed(given, "missing").tocsr().astype(bool)
    mask.sum_duplicates()
    mask.eliminate_zeros()
    small = np.int32 if max(mask.nnz, *mask.shape) < 2**31 else np.int64
    arrays = mask.indptr.astype(small), mask.indices.astype(small), np.ones(mask.nnz, data.dtype)
    return ("csr", tuple(map(int, mask.shape)), *arrays)


def parted(X: Any, missing: Any) -> tuple[Any, Any]:
    """X without its mask, if it is a masked array, and what is missing with it."""
    if not isinstance(X, np.ma.MaskedArray):
        return X, missing
    mask, X = np.ma.getmaskarray(X), X.data
    if is_sparse(missing):
        if missing.shape != X.shape:
            raise ValueError(
                f"missing has shape {missing.shape}; beside the mask of X it needs {X.shape}"
            )
        missing = compressed(missing, "missing").toarray() != 0
    if isinstance(missing, str):
        return X, mask | np.isnan(X) if missing == "nan" and X.dtype.kind == "f" else mask
    if missing is None:
        return X, mask
    also = np.asarray(missing)
    if also.shape != mask.shape or also.dtype != bool:
        raise ValueError(
            f"missing is {also.dtype} of shape {also.shape}; beside the mask of X it has to be a "
            f"mask of its shape {mask.shape}, or None"
        )
    return X, mask | also


def no_effect(missing: Any, data: Native) -> list[str]:
    """A remark on a word that hides nothing, if it is one."""
    if not (isinstance(missing, str) and missing == "absent") or isinstance(data.x, tuple):
        return []
    return [
        "missing='absent' has no effect: X is dense and stores every entry, zeros too; pass a sparse "
        "X, or a mask such as missing=(X == 0)"
    ]


def refuse_masked(name: str, given: Any) -> None:
    """Raises ValueError for a masked array, whose mask would be lost."""
    if isinstance(given, np.ma.MaskedArray):
        raise ValueError(f"{name} is a masked array, and its mask would be lost: numpy.ma.filled")


def _taken(x: Any, rows: np.ndarray | None = None, columns: np.ndarray | None = None) -> Any:
    """A matrix with its rows and columns in another order; the same where there is none."""
    if rows is None and columns is None:
        return x
    if isinstance(x, tuple):
        return _taken_sparse(x, rows, columns)
    x = x if rows is None else x[rows]
    return x if columns is None else x[:, columns]


def _taken_sparse(x: Any, rows: np.ndarray | None, columns: np.ndarray | None) -> Any:
    # Whoever has made a sparse matrix has SciPy.
    import scipy.sparse

    kind, shape, indptr, indices, values = x
    make = scipy.sparse.csr_array if kind == "csr" else scipy.sparse.csc_array
    matrix = make((values, indices, indptr), shape=shape)
    matrix.check_format(full_check=True)
    matrix = matrix if rows is None else matrix[rows]
    matrix = matrix if columns is None else matrix[:, columns]
    return kind, shape, matrix.indptr, matrix.indices, matrix.data
