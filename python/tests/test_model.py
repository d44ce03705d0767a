"""What a result knows of its fit: what `transform` and `verify` apply, ask for, or refuse to forget."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp

import partwise

RNG = np.random.default_rng(4)
X = RNG.random((25, 7)) + 0.1
WEIGHTS = RNG.random(X.shape) + 0.1
HIDDEN = RNG.random(X.shape) < 0.3


def fit(data=X, **options):
    return partwise.fit(data, 2, tol=1e-7, max_iter=5000, **options)


def silent(work):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return work()


@pytest.mark.parametrize("loss", ["frobenius", "kl"])
def test_weights_of_entries_are_asked_for(loss):
    r = fit(loss=loss, weights=WEIGHTS, w_l2=0.1)
    assert silent(lambda: r.transform(X, weights=WEIGHTS)) == pytest.approx(r.w, rel=1e-3, abs=1e-4)
    with pytest.warns(
        UserWarning, match="the fit had weights for .* pass weights= .* weights=None"
    ):
        plain = r.transform(X)
    assert np.array_equal(silent(lambda: r.transform(X, weights=None)), plain)
    with pytest.raises(ValueError, match="the fit had weights=: give the same to verify, or None"):
        r.verify(X)
    found = silent(lambda: r.verify(X, weights=WEIGHTS))
    assert found["objective"] == pytest.approx(r.objective, rel=1e-9)
    assert silent(lambda: r.verify(X, weights=None))["objective"] != pytest.approx(r.objective)


@pytest.mark.parametrize("loss", ["frobenius", "kl"])
def test_a_mask_is_asked_for(loss):
    r = fit(loss=loss, missing=HIDDEN)
    w = silent(lambda: r.transform(X, missing=HIDDEN))
    assert w @ r.h == pytest.approx(r.w @ r.h, rel=1e-2, abs=1e-2)
    with pytest.warns(UserWarning, match="the fit had missing for .* pass missing= "):
        plain = r.transform(X)
    assert np.array_equal(silent(lambda: r.transform(X, missing=None)), plain)
    holes = np.where(HIDDEN, np.nan, X)
    assert silent(lambda: r.transform(holes, missing="nan")) == pytest.approx(w)
    with pytest.raises(ValueError, match="the fit had missing=: give the same"):
        r.verify(X)
    found = silent(lambda: r.verify(X, missing=HIDDEN))
    assert found["objective"] == pytest.approx(r.objective, rel=1e-9)


def test_weights_of_rows_are_those_of_the_fit_only():
    rows = RNG.random(len(X)) + 0.1
    r = fit(row_weights=rows)
    # Each row has the same W whatever it weighs.
    assert silent(lambda: r.transform(X)) == pytest.approx(r.w, rel=1e-3, abs=1e-4)
    with pytest.raises(ValueError, match="the fit had row_weights=: give the same"):
        r.verify(X)
    found = silent(lambda: r.verify(X, row_weights=rows))
    assert found["objective"] == pytest.approx(r.objective, rel=1e-9)


@pytest.mark.parametrize("loss", ["frobenius", "kl"])
@pytest.mark.parametrize("word", ["nan", "absent"])
def test_words_and_weights_of_columns_are_applied(loss, word):
    columns = RNG.random(X.shape[1]) + 0.1
    data = np.where(HIDDEN, np.nan, X)
    if word == "absent":
        data = sp.csr_array(np.where(HIDDEN, 0, X))
    r = fit(data, loss=loss, missing=word, column_weights=columns)
    w = silent(lambda: r.transform(data))
    assert w @ r.h == pytest.approx(r.w @ r.h, rel=1e-2, abs=1e-2)
    assert silent(lambda: r.verify(data))["objective"] == pytest.approx(r.objective, rel=1e-9)


def test_penalties_and_precision_are_those_of_the_fit():
    r = fit(w_l1=0.3, h_l2=0.2, dtype="float32")
    w = r.transform(X)
    assert w.dtype == np.float32
    assert w == pytest.approx(r.w, rel=1e-2, abs=1e-3)
    assert r.verify(X)["objective"] == pytest.approx(r.objective, rel=1e-5)


def test_the_layer_of_an_anndata_is_that_of_the_fit():
    ad = pytest.importorskip("anndata")
    cells = ad.AnnData(X, layers={"counts": 3 * X})
    r = fit(cells, layer="counts")
    assert np.array_equal(r.transform(cells), r.transform(3 * X))
    assert r.verify(cells)["objective"] == pytest.approx(r.objective, rel=1e-9)
    with pytest.raises(ValueError, match="layer = 'counts' is not in the AnnData"):
        r.transform(ad.AnnData(X))


def test_shapes_of_starts_are_named_as_they_are_given():
    with pytest.raises(ValueError, match=r"H is 3 × 7, expected 2 × 7 \(rank × columns of X\)"):
        partwise.fit(X, 2, h=np.ones((3, 7)))
    with pytest.raises(ValueError, match=r"W is 25 × 3, expected 25 × 2 \(rows of X × rank\)"):
        partwise.fit(X, 2, w=np.ones((25, 3)))


def test_nan_is_answered_with_the_word_that_leaves_it_out():
    with pytest.raises(ValueError, match=r"X\[2, 3\] is NaN .*missing='nan'"):
        partwise.fit(np.where(np.arange(175).reshape(25, 7) == 17, np.nan, X), 2)
