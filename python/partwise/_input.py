"""What is accepted as X, and what it becomes: an array or sparse arrays that are borrowed."""

import sys
from typing import Any, NamedTuple

import numpy as np

from partwise._indices import check_parts, compressed
from partwise._names import Labels, is_anndata, is_of, labels_of
from partwise._text import cut


class Native(NamedTuple):
    """X as :mod:`partwise._native` takes it, and the names it came with."""

    x: Any
    """A 2-D array, or ``(format, shape, indptr, indices, data)``."""
    shape: tuple[int, int]
    dtype: np.dtype
    labels: Labels = Labels()


def as_native(X: Any, dtype: Any = None, layer: str | None = None) -> Native:
    """X in the form that the engine borrows; copied only where its type demands it.

    Parameters
    ----------
    X : array of shape (m, n)
        A NumPy array of any order, strides and real dtype; a SciPy sparse matrix or array of any
        format; a pandas or polars DataFrame; an AnnData; a list of lists; anything with
        ``__array__`` or ``__dlpack__``. Sparse X is never made dense.
    dtype : "float32", "float64" or None
        What to compute in. None keeps float32 and float64, takes float32 for float16, and
        float64 for booleans, integers and long doubles.
    layer : str or None
        Which layer of an AnnData to take instead of its ``X``.

    Raises
    ------
    TypeError
        If X is of a type or dtype that no numbers can be read from.
    ValueError
        If X has not two dimensions, or is a masked array.
    """
    target = _target(dtype)
    labels = labels_of(X)
    if is_anndata(X):
        X = _of_anndata(X, layer)
    elif layer is not None:
        raise TypeError(f"layer = {cut(repr(layer), 60)} is for AnnData, and X is {_type(X)}")
    if is_of(X, "pandas", "DataFrame"):
        X = _of_pandas(X)
    elif is_of(X, "polars", "DataFrame"):
        X = _of_polars(X)
    if is_sparse(X):
        found = _of_sparse(X, target)
    else:
        found = _of_array(_array(X), target)
    return found._replace(labels=labels)


def _type(X: Any) -> str:
    kind = type(X)
    return cut(f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins."), 80)


# As the command and Rust write them.
_SPELLINGS = {"f32": "float32", "fp32": "float32", "f64": "float64", "fp64": "float64"}


def _target(dtype: Any) -> np.dtype | None:
    if dtype is None:
        return None
    try:
        target = np.dtype(_SPELLINGS.get(dtype, dtype) if isinstance(dtype, str) else dtype)
    except TypeError:
        target = None
    if target not in (np.float32, np.float64):
        raise ValueError(cut(f"dtype = {cut(repr(dtype), 60)} is not one of 'float32', 'float64'"))
    return target


def _float(dtype: np.dtype, target: np.dtype | None) -> np.dtype:
    """What values of ``dtype`` are computed in."""
    if dtype.kind == "c":
        raise TypeError(f"X has dtype {dtype}: complex values have no order, so none is >= 0")
    if dtype.kind not in "fiub":
        raise TypeError(cut(f"X has dtype {cut(str(dtype), 200)}; expected real numbers"))
    if target is not None:
        return target
    return np.dtype(np.float32 if dtype.kind == "f" and dtype.itemsize <= 4 else np.float64)


def _of_array(X: np.ndarray, target: np.dtype | None) -> Native:
    if X.ndim != 2:
        raise ValueError(f"expected 2-D, got {_dimensions(X.shape)}")
    X = _converted(X, target)
    return Native(X, X.shape, X.dtype)


def _converted(X: np.ndarray, target: np.dtype | None) -> np.ndarray:
    """X in a float dtype of this machine, aligned; the same array if it is so already."""
    wanted = _float(X.dtype, target)
    if X.dtype != wanted:
        return X.astype(wanted)
    aligned = X.flags.aligned and all(step % X.itemsize == 0 for step in X.strides)
    return X if aligned else X.copy()


def _dimensions(shape: tuple[int, ...]) -> str:
    if len(shape) == 1:
        return f"1-D of length {shape[0]}; reshape(-1, 1) or (1, -1)"
    if not shape:
        return "0-D: a single value"
    return cut(f"{len(shape)}-D of shape {shape}; flatten all but one axis", 200)


def _array(X: Any) -> np.ndarray:
    if isinstance(X, np.ma.MaskedArray):
        raise ValueError(
            "X is a masked array, and its mask would be lost: pass X.data with missing=X.mask, "
            "or fill it with numpy.ma.filled"
        )
    if isinstance(X, np.ndarray):
        return X.view(np.ndarray)
    if isinstance(X, (str, bytes, dict, set)) or X is None:
        raise TypeError(f"X is {_type(X)}; expected an array of shape (m, n)")
    if not hasattr(X, "__array__") and hasattr(X, "__dlpack__"):
        return _from(np.from_dlpack, X)
    if isinstance(X, (list, tuple)) and X and all(isinstance(row, (int, float)) for row in X):
        raise ValueError(f"expected 2-D, got {_dimensions((len(X),))}")
    return _from(np.asarray, X)


def _from(read: Any, X: Any) -> np.ndarray:
    try:
        array = read(X)
    except Exception as error:
        text = cut(str(error), 200)
        raise TypeError(cut(f"X is {_type(X)}, which gives no array: {text}")) from error
    if array.ndim == 0 and array.dtype == object:
        raise TypeError(f"X is {_type(X)}; expected an array of shape (m, n)")
    return array


def is_sparse(X: Any) -> bool:
    """Whether X is a sparse matrix or array of SciPy."""
    # Whoever has made a sparse X has loaded SciPy; it is not loaded for others.
    scipy = sys.modules.get("scipy.sparse")
    return scipy is not None and scipy.issparse(X)


def _of_sparse(X: Any, target: np.dtype | None) -> Native:
    if X.ndim != 2:
        raise ValueError(f"expected 2-D, got {_dimensions(X.shape)}")
    check_parts(X)
    wanted = _float(X.dtype, target)
    if X.format not in ("csr", "csc"):
        X = compressed(X)
    values = X.data if X.data.dtype == wanted else X.data.astype(wanted)
    arrays = (_index(X.indptr), _index(X.indices), _aligned(values))
    return Native((X.format, tuple(map(int, X.shape)), *arrays), X.shape, wanted)


def _index(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind in "iu" and array.dtype not in (np.int32, np.int64):
        narrow = array.dtype.itemsize < 4 or array.dtype.newbyteorder("=") == np.int32
        array = array.astype(np.int32 if narrow else np.int64)
    return _aligned(array)


def _aligned(array: np.ndarray) -> np.ndarray:
    return array if array.flags.aligned else array.copy()


def _of_pandas(X: Any) -> Any:
    pandas = sys.modules["pandas"]
    for name, kind in X.dtypes.items():
        if not (pandas.api.types.is_numeric_dtype(kind) or pandas.api.types.is_bool_dtype(kind)):
            raise TypeError(_no_numbers(name, kind))
    sparse = [isinstance(kind, pandas.SparseDtype) for kind in X.dtypes]
    if any(sparse):
        found = _of_sparse_columns(X, sparse)
        if found is not None:
            return found
    if any(pandas.api.types.is_extension_array_dtype(kind) for kind in X.dtypes):
        return X.to_numpy(dtype=np.float64, na_value=np.nan)
    array = X.to_numpy()
    # Integers beside booleans have no common dtype.
    return array.astype(np.float64) if array.dtype == object else array


def _no_numbers(name: Any, kind: Any) -> str:
    """What to do about a column of a frame of pandas, by what it seems to be."""
    text = f"X: column {cut(repr(name), 60)} has dtype {kind}; expected real numbers: "
    if str(kind) != "object" and not str(kind).startswith(("string", "str", "category", "date")):
        return cut(text.removesuffix(": "))
    shown = cut(repr(name), 60)
    return cut(
        f"{text}X.astype(float) reads numbers in it, X.set_index({shown}) makes it names of rows, and "
        f"X.drop(columns={shown}) leaves it out"
    )


def _of_sparse_columns(X: Any, sparse: list[bool]) -> Any:
    """A frame with sparse columns as a CSC matrix, in which dense columns store all they hold.

    None if some are dense and an array is smaller.
    """
    for at in np.flatnonzero(sparse).tolist():
        if X.dtypes.iloc[at].fill_value != 0:
            name = cut(repr(X.columns[at]), 60)
            fill = X.dtypes.iloc[at].fill_value
            raise ValueError(
                "a sparse DataFrame needs fill value 0 in every column: "
                f"column {name} has {fill}; astype(pandas.SparseDtype(float, 0)) gives it"
            )
    if all(sparse):
        return X.sparse.to_coo().tocsc()
    m, n = X.shape
    held = [X.iloc[:, at].array.npoints if is_it else m for at, is_it in enumerate(sparse)]
    if 2 * sum(held) > m * n:
        return None
    import scipy.sparse

    indptr = np.concatenate([[0], np.cumsum(held)])
    narrow = max(m, int(indptr[-1])) < 2**31
    indices = np.empty(indptr[-1], np.int32 if narrow else np.int64)
    values = np.empty(indptr[-1])
    for at, is_sparse_column in enumerate(sparse):
        column, own = X.iloc[:, at].array, slice(indptr[at], indptr[at + 1])
        if is_sparse_column:
            indices[own] = column.sp_index.to_int_index().indices
            values[own] = column.sp_values
        else:
            indices[own] = np.arange(m)
            values[own] = column.to_numpy(np.float64, na_value=np.nan)
    return scipy.sparse.csc_array((values, indices, indptr), shape=(m, n))


def _of_polars(X: Any) -> Any:
    for name, kind in zip(X.columns, X.dtypes, strict=True):
        if not (kind.is_numeric() or str(kind) == "Boolean"):
            raise TypeError(cut(f"X: column {name!r} has dtype {kind}; expected real numbers"))
    return X.to_numpy()


def _of_anndata(X: Any, layer: str | None) -> Any:
    if layer is not None:
        if layer not in X.layers:
            known = cut(", ".join(map(str, X.layers)) or "none", 300)
            raise ValueError(
                f"layer = {cut(repr(layer), 60)} is not in the AnnData; known: {known}"
            )
        return _in_memory(X.layers[layer])
    if X.X is None:
        raise ValueError("the AnnData has no X; name one of its layers with layer=")
    return _in_memory(X.X)


def _in_memory(X: Any) -> Any:
    """X read from the file that backs it, sparse if it is sparse there."""
    return X.to_memory() if hasattr(X, "to_memory") else X
