"""Whatever holds the same numbers gives the same factors, and nothing is written or made dense."""

import numpy as np
import pytest
import scipy.sparse as sp

import partwise
from partwise._input import as_native

RNG = np.random.default_rng(5)
COUNTS = RNG.poisson(1.0, (30, 24))
BASE = COUNTS.astype(np.float64)


def fitted(X, **options):
    return partwise.fit(X, 3, max_iter=20, tol=0, **options)


def same(X, **options):
    expected, found = fitted(BASE.astype(options.get("dtype", np.float64))), fitted(X, **options)
    return np.array_equal(expected.w, found.w) and np.array_equal(expected.h, found.h)


def wide():
    held = np.zeros((60, 48))
    held[::2, ::2] = BASE
    return held


def unaligned(dtype=np.float64):
    buffer = bytearray(BASE.size * np.dtype(dtype).itemsize + 1)
    X = np.frombuffer(buffer, dtype, offset=1).reshape(BASE.shape)
    X[:] = BASE
    return X


def packed():
    X = np.zeros(BASE.shape, np.dtype([("flag", "i1"), ("value", "f8")]))
    X["value"] = BASE
    return X["value"]


@pytest.mark.parametrize(
    "X",
    [
        pytest.param(lambda: np.asfortranarray(BASE), id="fortran"),
        pytest.param(lambda: wide()[::2, ::2], id="strided"),
        pytest.param(lambda: BASE[::-1].copy()[::-1], id="negative-rows"),
        pytest.param(lambda: BASE[:, ::-1].copy()[:, ::-1], id="negative-columns"),
        pytest.param(lambda: BASE[::-1, ::-1].copy()[::-1, ::-1], id="negative-both"),
        pytest.param(lambda: BASE.T.copy()[::-1].copy()[::-1].T, id="transposed-negative"),
        pytest.param(lambda: BASE.astype(">f8"), id="big-endian"),
        pytest.param(lambda: BASE.astype(np.longdouble), id="longdouble"),
        pytest.param(lambda: unaligned(), id="unaligned"),
        pytest.param(lambda: packed(), id="field-of-packed-records"),
        pytest.param(lambda: np.asmatrix(BASE), id="matrix"),
        pytest.param(lambda: BASE.tolist(), id="list-of-lists"),
        pytest.param(lambda: tuple(map(tuple, COUNTS.tolist())), id="tuple-of-tuples-of-ints"),
        *[
            pytest.param(lambda t=t: COUNTS.astype(t), id=t)
            for t in "int8 uint8 int16 uint16 int32 uint32 int64 uint64".split()
        ],
    ],
)
def test_same_bits_however_it_is_held(X):
    assert same(X())


def test_booleans_and_half_precision():
    truth = BASE > 0
    assert np.array_equal(fitted(truth).w, fitted(truth.astype(float)).w)
    half = fitted(BASE.astype(np.float16))
    assert half.w.dtype == np.float32
    assert np.array_equal(half.w, fitted(BASE.astype(np.float32)).w)


def test_dtype_is_a_choice():
    assert fitted(BASE, dtype="float32").w.dtype == np.float32
    assert same(BASE, dtype=np.float32)
    assert fitted(BASE.astype(np.float32), dtype="float64").w.dtype == np.float64
    assert fitted(COUNTS, dtype="float32").w.dtype == np.float32
    with pytest.raises(ValueError, match="dtype = 'int8' is not one of 'float32', 'float64'"):
        fitted(BASE, dtype="int8")


def test_read_only_and_broadcast_and_memmap(tmp_path):
    frozen = BASE.copy()
    frozen.flags.writeable = False
    assert same(frozen)
    row = np.broadcast_to(BASE[0], BASE.shape)
    assert row.strides[0] == 0
    assert np.array_equal(fitted(row).w, fitted(np.array(row)).w)
    np.save(tmp_path / "x.npy", BASE)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert same(mapped)
    assert np.array_equal(np.load(tmp_path / "x.npy"), BASE)


def test_dense_is_borrowed():
    for X in (BASE, np.asfortranarray(BASE), wide()[::2, ::2], BASE.astype(np.float32)):
        assert np.shares_memory(as_native(X).x, X)


FORMATS = ["csr", "csc", "coo", "bsr", "dia", "lil", "dok"]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("kind", [sp.csr_matrix, sp.csr_array])
def test_every_sparse_format(format, kind):
    X = kind(BASE).asformat(format)
    assert np.array_equal(fitted(X).w, fitted(kind(BASE)).w)
    assert np.allclose(fitted(X).w, fitted(BASE).w)


@pytest.mark.parametrize("format", ["csr", "csc"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_compressed_is_borrowed(format, dtype):
    X = sp.csr_array(BASE.astype(dtype)).asformat(format)
    found = as_native(X).x
    assert found[0] == format
    assert found[2] is X.indptr and found[3] is X.indices and found[4] is X.data


def test_index_types_agree():
    X = sp.csr_array(BASE)
    for indptr in (np.int32, np.int64):
        for indices in (np.int32, np.int64):
            Y = sp.csr_array(BASE)
            Y.indptr, Y.indices = X.indptr.astype(indptr), X.indices.astype(indices)
            assert np.array_equal(fitted(Y).w, fitted(X).w)


def test_odd_index_arrays():
    X = sp.csr_array(BASE)
    doubled = np.repeat(X.indices, 2)
    for indices in (doubled[::2], X.indices.astype(">i4"), X.indices.astype(np.uint16)):
        Y = sp.csr_array(BASE)
        Y.indices = indices
        assert np.array_equal(fitted(Y).w, fitted(X).w)


def test_unsorted_and_duplicate_entries_leave_the_arrays_alone():
    X = sp.csr_array(BASE)
    order = np.concatenate(
        [np.arange(a, b)[::-1] for a, b in zip(X.indptr[:-1], X.indptr[1:], strict=True)]
    )
    data, indices, indptr = X.data[order], X.indices[order], X.indptr
    # Every entry as two halves.
    data, indices, indptr = np.repeat(data, 2) / 2, np.repeat(indices, 2), 2 * indptr
    before = data.copy(), indices.copy(), indptr.copy()
    Y = sp.csr_array((data, indices, indptr), shape=BASE.shape, copy=False)
    r = fitted(Y)
    assert np.array_equal(r.w, fitted(X).w)
    assert any("duplicate entries of X were summed" in text for text in r.warnings)
    for array, kept in zip((Y.data, Y.indices, Y.indptr), before, strict=True):
        assert np.array_equal(array, kept)


def test_sparse_integers_booleans_and_half():
    X = sp.csr_array(COUNTS)
    assert np.array_equal(fitted(X).w, fitted(sp.csr_array(BASE)).w)
    assert fitted(X.astype(bool)).w.dtype == np.float64
    assert fitted(X, dtype="float32").w.dtype == np.float32


def test_wide_sparse_is_never_dense():
    X = sp.csr_array(([1.0, 2.0, 3.0], ([0, 1, 2], [5, 10**6, 9])), shape=(3, 2 * 10**6))
    r = partwise.fit(X.T, 1, max_iter=2)
    assert r.w.shape == (2 * 10**6, 1)


def test_pandas():
    pd = pytest.importorskip("pandas")
    names = [f"gene {j}" for j in range(24)]
    frame = pd.DataFrame(COUNTS, index=[f"cell {i}" for i in range(30)], columns=names)
    r = fitted(frame)
    assert same(frame)
    assert list(r.column_names) == names and r.row_names[0] == "cell 0"
    assert same(frame.astype("Int64"))
    sparse = frame.astype(pd.SparseDtype("float64", 0.0))
    assert np.array_equal(fitted(sparse).w, fitted(sp.csc_array(BASE)).w)
    assert as_native(sparse).x[0] == "csc"
    mixed = pd.DataFrame({"a": [1, 2], "b": [True, False], "c": [0.5, 1.5]})
    assert np.array_equal(as_native(mixed).x, [[1, 1, 0.5], [2, 0, 1.5]])
    frame["name"] = "a"
    with pytest.raises(TypeError, match="column 'name' has dtype"):
        fitted(frame)
    with pytest.raises(ValueError, match=r"X\[0, 0\] is NaN"):
        fitted(pd.DataFrame({"a": pd.array([None, 1], dtype="Int64"), "b": [1, 2]}))


def test_polars():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame(COUNTS, schema=[f"g{j}" for j in range(24)])
    assert same(frame)
    assert list(fitted(frame).column_names)[:2] == ["g0", "g1"]
    mixed = pl.DataFrame({"a": [1, 2], "b": [True, False], "c": [0.5, 1.5]})
    assert np.array_equal(as_native(mixed).x, [[1, 1, 0.5], [2, 0, 1.5]])
    with pytest.raises(TypeError, match="column 's' has dtype String"):
        fitted(pl.DataFrame({"s": ["a"]}))


def test_anndata(tmp_path):
    ad = pytest.importorskip("anndata")
    import pandas as pd

    data = ad.AnnData(
        sp.csr_matrix(BASE),
        obs=pd.DataFrame(index=[f"c{i}" for i in range(30)]),
        var=pd.DataFrame(index=[f"g{j}" for j in range(24)]),
        layers={"raw": BASE},
    )
    r = fitted(data)
    assert np.array_equal(r.w, fitted(sp.csr_array(BASE)).w)
    assert r.row_names[1] == "c1" and r.column_names[2] == "g2"
    assert same(data, layer="raw")
    data.write_h5ad(tmp_path / "data.h5ad")
    backed = ad.read_h5ad(tmp_path / "data.h5ad", backed="r")
    assert np.array_equal(fitted(backed).w, r.w)
    assert np.array_equal(fitted(data[:, :5]).w, fitted(sp.csr_array(BASE[:, :5])).w)
    with pytest.raises(ValueError, match="layer = 'log' is not in the AnnData; known: raw"):
        fitted(data, layer="log")
    with pytest.raises(TypeError, match="layer = 'raw' is for AnnData"):
        fitted(BASE, layer="raw")


class Wrapped:
    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.values, dtype=dtype)


class Exported:
    """An array of another library that speaks DLPack only."""

    def __init__(self, values):
        self.values = values

    def __dlpack__(self, **options):
        return self.values.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.values.__dlpack_device__()


def test_array_protocols():
    assert same(Wrapped(BASE))
    assert same(Exported(BASE.copy()))
    assert same(memoryview(BASE))


def test_names_of_any_kind_are_kept():
    pd = pytest.importorskip("pandas")
    names = ["Größe", "面", 3, "3", "twice", "twice"]
    frame = pd.DataFrame(np.ones((4, 6)), columns=names)
    r = fitted(frame)
    assert list(r.column_names) == names
    assert "column names of X that occur more than once: 1 (first: 'twice')" in r.warnings
