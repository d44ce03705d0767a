"""What is missing: masked arrays, words that hide nothing, frames that are sparse in part, triples."""

import numpy as np
import pytest
import scipy.sparse as sp

import partwise
from partwise._input import as_native

RNG = np.random.default_rng(3)
X = RNG.random((30, 8)) + 0.1
HIDDEN = RNG.random((30, 8)) < 0.2
MASKED = np.ma.masked_array(np.where(HIDDEN, 1e6, X), mask=HIDDEN)


def fit(data, **options):
    return partwise.fit(data, 2, max_iter=50, **options)


@pytest.mark.parametrize("loss", ["frobenius", "kl"])
def test_the_mask_of_a_masked_array_is_what_is_missing(loss):
    want = fit(X, loss=loss, missing=HIDDEN)
    found = fit(MASKED, loss=loss)
    assert np.array_equal(found.w, want.w) and np.array_equal(found.h, want.h)
    assert found.weighted and found.h.max() < 100
    assert found.transform(MASKED) == pytest.approx(want.transform(X, missing=HIDDEN))
    assert found.verify(MASKED)["objective"] == pytest.approx(found.objective, rel=1e-6)
    also = np.zeros_like(HIDDEN)
    also[:, 0] = True
    both = fit(X, loss=loss, missing=HIDDEN | also)
    assert np.array_equal(fit(MASKED, loss=loss, missing=also).w, both.w)
    assert np.array_equal(fit(MASKED, loss=loss, missing=sp.csr_array(also)).w, both.w)
    holes = np.ma.masked_array(np.where(also, np.nan, MASKED.data), mask=HIDDEN)
    assert np.array_equal(fit(holes, loss=loss, missing="nan").w, both.w)


def test_a_mask_without_a_true_entry_hides_nothing():
    assert np.array_equal(fit(np.ma.masked_array(X)).w, fit(X).w)


def test_absent_entries_of_dense_x_are_said_to_be_none():
    remark = "missing='absent' has no effect: X is dense"
    assert any(remark in text for text in fit(X, missing="absent").warnings)
    r = fit(sp.csr_array(np.where(HIDDEN, 0, X)), missing="absent")
    assert not any("no effect" in text for text in r.warnings)
    # Zeros of a dense X would count, where the fit took what was not stored for missing.
    with pytest.warns(UserWarning, match=remark):
        r.transform(X)


def test_frames_that_are_sparse_in_part_stay_small():
    pd = pytest.importorskip("pandas")
    dense = np.zeros((50, 6))
    dense[::7, :5] = 1.5
    dense[:, 5] = np.arange(50) % 3
    frame = pd.DataFrame(dense, columns=list("abcdef")).astype(
        dict.fromkeys("abcde", pd.SparseDtype("float64", 0.0))
    )
    kind, shape, indptr, indices, values = as_native(frame).x
    assert kind == "csc" and shape == (50, 6)
    assert np.array_equal(sp.csc_array((values, indices, indptr), shape=shape).toarray(), dense)
    # The dense column stores its zeros, the others do not.
    assert np.diff(indptr).tolist() == [8, 8, 8, 8, 8, 50]
    assert np.allclose(fit(frame).w, fit(dense).w)
    assert np.array_equal(as_native(frame[["f", "a"]]).x, dense[:, [5, 0]])
    with pytest.raises(ValueError, match="fill value 0 in every column: column 'a' has nan"):
        fit(frame.assign(a=pd.arrays.SparseArray(dense[:, 0], fill_value=np.nan)))


def ratings(users=40, items=30, count=300):
    rng = np.random.default_rng(0)
    at = rng.permutation(users * items)[:count]
    return np.stack([at // items, at % items, rng.integers(1, 6, count)], axis=1).astype(float)


def test_triples_are_told_from_a_matrix():
    pd = pytest.importorskip("pandas")
    triples = ratings()
    times = np.column_stack([triples, 1e9 + np.arange(len(triples))])
    remark = "looks like a list of (row, column, value)"
    named = pd.DataFrame(triples[:6].astype(int), columns=["userId", "movieId", "rating"])
    for data in (triples, times, named, pd.DataFrame(triples, columns=["user", "item", "n"])):
        (found,) = [text for text in fit(data).warnings if remark in text]
        assert "scipy.sparse.coo_array((value, (row, column)))" in found
        assert "missing='absent'" in found
    model = partwise.NMF(2).fit(named)
    assert any(remark in text for text in model.warnings_)
    counts = np.random.default_rng(0).poisson(4, (200, 4)).astype(float)
    plain = pd.DataFrame(triples, columns=["height", "width", "n"])
    for data in (counts, X[:, :3], plain, triples[:, [2, 0, 1]], np.full((30, 3), np.e)):
        assert not any(remark in text for text in fit(data).warnings)


WAYS = ("mask", "sparse mask", "NaN", "weights", "sparse weights", "absent")


@pytest.mark.parametrize("loss", ["frobenius", "kl", 1.5])
def test_few_entries_give_the_same_however_the_others_are_hidden(loss):
    rng = np.random.default_rng(5)
    data = rng.random((80, 40)) + 0.1
    hidden = rng.random(data.shape) < 0.85
    shown = np.where(hidden, 0, data)
    start = {"w": rng.random((80, 3)) + 0.1, "h": rng.random((3, 40)) + 0.1}

    def found(way, dtype="float64"):
        options = {
            "mask": {"missing": hidden},
            "sparse mask": {"missing": sp.csc_array(hidden)},
            "NaN": {"missing": "nan"},
            "weights": {"weights": (~hidden).astype(dtype)},
            "sparse weights": {"weights": sp.csr_array(~hidden)},
            "absent": {"missing": "absent"},
        }[way]
        X = {"NaN": np.where(hidden, np.nan, data), "absent": sp.csr_array(shown)}.get(way, data)
        held = {"mask": np.asfortranarray, "weights": sp.csr_array}.get(way, lambda X: X)
        return partwise.fit(held(X), 3, loss=loss, max_iter=8, dtype=dtype, **start, **options)

    want = found("absent")
    for way in WAYS:
        r = found(way)
        assert np.allclose(r.w @ r.h, want.w @ want.h, rtol=1e-9), way
        assert r.objective == pytest.approx(want.objective, rel=1e-10)
        assert found(way, "float32").objective == pytest.approx(want.objective, rel=1e-4)


def test_zeros_that_are_observed_count():
    data, hidden = np.zeros((12, 10)), np.ones((12, 10), bool)
    data[:, 0] = 1.0
    hidden[:, :2] = False
    r = fit(data, missing=hidden)
    assert (r.w @ r.h)[:, 1] == pytest.approx(np.zeros(12), abs=1e-6)
    assert (r.w @ r.h)[:, 0] == pytest.approx(np.ones(12), rel=1e-6)


def test_a_first_column_of_ids_is_told():
    pd = pytest.importorskip("pandas")
    remark = "looks like ids, and is fitted as values: X.set_index('{0}')"
    for name in ("id", "sample_id", "PatientID", "sampleId", "Sample ID"):
        frame = pd.DataFrame({name: 1000 + np.arange(30), **{f"x{j}": X[:, j] for j in range(8)}})
        assert any(remark.format(name) in text for text in fit(frame).warnings), name
        assert any(remark.format(name) in text for text in partwise.NMF(2).fit(frame).warnings_)
        assert not any("looks like" in text for text in fit(frame.set_index(name)).warnings)
    for name in ("grid", "acid", "width", "fluid", "x"):
        frame = pd.DataFrame({name: 1000 + np.arange(30), **{f"x{j}": X[:, j] for j in range(8)}})
        assert not any("looks like" in text for text in fit(frame).warnings), name
    counts = pd.DataFrame(np.arange(60).reshape(30, 2) % 7, columns=["id", "n"])
    assert not any("looks like" in text for text in fit(counts).warnings)
