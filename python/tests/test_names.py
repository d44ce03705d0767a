"""Names decide and positions do not: what stands beside X, and new data, in another order."""

import warnings

import numpy as np
import pytest

import partwise

pd = pytest.importorskip("pandas")

RNG = np.random.default_rng(0)
M, N, K = 20, 6, 2
ROWS, COLUMNS = [f"r{i}" for i in range(M)], list("abcdef")
X = pd.DataFrame(RNG.random((M, N)) + 0.1, ROWS, COLUMNS)
# Other orders: rows turned round, columns rotated.
BACK, ROUND = ROWS[::-1], [*COLUMNS[2:], *COLUMNS[:2]]


def fit(data=X, **options):
    return partwise.fit(data, K, max_iter=60, **options)


def silent(work):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return work()


def beside():
    """Everything that can stand beside X, with names in the order of X."""
    rng = np.random.default_rng(1)
    table = lambda values: pd.DataFrame(values, ROWS, COLUMNS)
    return {
        "weights": table(rng.random((M, N)) + 0.1),
        "missing": table(rng.random((M, N)) < 0.2),
        "row_weights": pd.Series(rng.random(M) + 0.1, ROWS),
        "column_weights": pd.Series(rng.random(N) + 0.1, COLUMNS),
        "w": pd.DataFrame(rng.random((M, K)) + 0.1, ROWS, ["s", "t"]),
        "h": pd.DataFrame(rng.random((K, N)) + 0.1, ["s", "t"], COLUMNS),
    }


def turned(given):
    """The same under the same names, in another order."""
    if isinstance(given, pd.Series):
        return given.iloc[::-1]
    return given.iloc[::-1, ::-1]


@pytest.mark.parametrize("name", beside())
def test_another_order_is_put_right_and_said(name):
    given = beside()[name]
    fixed = {"fixed": name} if name in "wh" else {}
    right = fit(**{name: given}, **fixed)
    plain = fit(**{name: given.to_numpy()}, **fixed)
    other = fit(**{name: turned(given)}, **fixed)
    assert np.array_equal(right.w, plain.w) and np.array_equal(right.h, plain.h)
    assert not any("another order" in text for text in right.warnings)
    assert any(f"{name}: " in text and "another order" in text for text in other.warnings)
    if name not in "wh":
        assert np.array_equal(other.w, right.w) and np.array_equal(other.h, right.h)
    else:
        # The components came in another order too.
        assert list(other.component_names) == ["t", "s"]
        assert other.objective == pytest.approx(right.objective, rel=1e-9)
        assert np.allclose(other.w[:, ::-1], right.w) and np.allclose(other.h[::-1], right.h)


@pytest.mark.parametrize("name", beside())
def test_positions_count_where_they_are_asked_for(name):
    given = turned(beside()[name])
    by_position = fit(**{name: given}, match="position")
    assert np.array_equal(by_position.w, fit(**{name: given.to_numpy()}).w)
    assert not any("another order" in text for text in by_position.warnings)


@pytest.mark.parametrize("name", beside())
def test_a_missing_an_extra_and_a_double_name_are_refused(name):
    given = beside()[name]
    axis = 0 if name in ("row_weights", "column_weights", "w") else 1
    labels = list(given.axes[axis])
    known = "match='position'"
    for change, text in (
        ([*labels[:-1], "new"], rf"1 of {name} not in X \(first: 'new'\), 1 of X not in {name} "),
        (labels[:-1], rf"1 of X not in {name} \(first: '{labels[-1]}'\)"),
        (
            [labels[1], labels[0], *labels[2:-1], labels[0]],
            rf"1 of {name} \(first: '{labels[0]}'\)",
        ),
    ):
        wrong = given.iloc[: len(change)] if axis == 0 else given.iloc[:, : len(change)]
        wrong = wrong.set_axis(change, axis=axis)
        with pytest.raises(ValueError, match=text) as raised:
            fit(**{name: wrong})
        assert known in str(raised.value)


def test_the_first_differences_are_named_and_all_are_counted():
    strange = X.set_axis([f"g{j}" for j in range(N)], axis=1)
    with pytest.raises(ValueError) as raised:
        fit(weights=strange)
    text = str(raised.value)
    assert "6 of weights not in X (first: 'g0', 'g1', 'g2')" in text
    assert "6 of X not in weights (first: 'a', 'b', 'c')" in text


def test_components_of_w_and_h_are_matched_by_name():
    given = beside()
    w, h = given["w"], given["h"]
    right = fit(w=w, h=h)
    other = fit(w=w, h=h.iloc[::-1])
    assert np.array_equal(other.w, right.w) and list(other.component_names) == ["s", "t"]
    assert any("h: components stand in another order than those of w" in t for t in other.warnings)
    with pytest.raises(ValueError, match=r"h: components .* 1 of h not in w \(first: 'u'\)"):
        fit(w=w, h=h.set_axis(["s", "u"], axis=0))
    assert list(fit(h=h).component_names) == ["s", "t"]
    assert fit().component_names is None
    assert fit(h=h.reset_index(drop=True)).component_names is None


@pytest.mark.parametrize("loss", ["frobenius", "kl"])
def test_transform_and_verify_follow_the_names(loss):
    r = fit(loss=loss, column_weights=beside()["column_weights"])
    w, figures = silent(lambda: r.transform(X)), silent(lambda: r.verify(X))
    assert figures["objective"] == pytest.approx(r.objective, rel=1e-9)
    other = X.loc[BACK, ROUND]
    with pytest.warns(UserWarning, match="X: columns stand in another order than those of the fit"):
        found = r.transform(other)
    assert np.allclose(found, w[::-1], rtol=1e-6, atol=1e-9)
    with pytest.warns(UserWarning, match="X: rows stand in another order than those of the fit"):
        found = r.verify(other)
    assert found["objective"] == pytest.approx(figures["objective"], rel=1e-9)
    by_position = silent(lambda: r.transform(other, match="position"))
    assert np.array_equal(by_position, r.transform(other.to_numpy()))
    assert not np.allclose(by_position, w[::-1], rtol=1e-2)


def test_new_rows_may_have_any_names_but_columns_may_not():
    r = fit()
    new = X.iloc[:4].set_axis(list("wxyz"), axis=0)
    assert np.array_equal(silent(lambda: r.transform(new)), r.transform(X)[:4])
    with pytest.raises(ValueError, match="X: columns do not have the names of those of the fit"):
        r.transform(X.rename(columns={"a": "q"}))
    with pytest.raises(ValueError, match=r"1 of the fit not in X \(first: 'f'\)"):
        r.transform(X[list("abcde")])
    with pytest.raises(ValueError, match="X: rows do not have the names of those of the fit"):
        r.verify(X.rename(index={"r0": "q"}))
    with pytest.raises(ValueError, match=r"match = 'name' is not one of 'names', 'position'"):
        r.transform(X, match="name")


def test_weights_of_new_rows_follow_the_names_of_the_new_rows():
    weights = beside()["weights"]
    r = fit(weights=weights)
    w = silent(lambda: r.transform(X, weights=weights))
    with pytest.warns(UserWarning, match="weights: rows stand in another order than those of X"):
        assert np.array_equal(r.transform(X, weights=turned(weights)), w)
    with pytest.warns(UserWarning):
        found = r.transform(X.loc[BACK, ROUND], weights=weights)
    assert np.allclose(found, w[::-1], rtol=1e-6, atol=1e-9)
    figures = r.verify(X, weights=weights)
    assert figures["objective"] == pytest.approx(r.objective, rel=1e-9)
    with pytest.warns(UserWarning):
        other = r.verify(X.loc[BACK, ROUND], weights=weights)
    assert other["objective"] == pytest.approx(r.objective, rel=1e-9)


def test_labels_that_only_count_are_no_names():
    weights = beside()["weights"]
    bare = pd.DataFrame(weights.to_numpy())
    text = bare.set_axis([str(j) for j in range(N)], axis=1)
    want = fit(weights=weights.to_numpy())
    for given in (bare, text):
        assert np.array_equal(fit(weights=given).w, want.w)
    filtered = X.set_axis(range(100, 100 + M), axis=0)
    assert np.array_equal(fit(filtered, weights=bare).w, want.w)
    assert np.array_equal(fit(pd.DataFrame(X.to_numpy()), weights=weights).w, want.w)


def test_numbers_that_do_not_count_are_names():
    years = [1990 + 3 * j for j in range(N)]
    dated = X.set_axis(years, axis=1)
    weights = beside()["weights"].set_axis(years, axis=1)
    want = fit(weights=beside()["weights"])
    found = fit(dated, weights=weights[years[::-1]])
    assert np.array_equal(found.w, want.w)
    # Text of the same numbers, as a file has them.
    found = fit(dated, weights=weights.set_axis(map(str, years), axis=1).iloc[:, ::-1])
    assert np.array_equal(found.w, want.w)
    # A count in another order comes from a frame that was shuffled.
    bare = pd.DataFrame(X.to_numpy())
    shuffled = bare.sample(frac=1.0, random_state=0, axis=1)
    with pytest.warns(UserWarning, match="columns stand in another order"):
        assert np.allclose(fit(bare).transform(shuffled), fit(bare).transform(bare))


def test_dates_and_multi_indices_are_names():
    days = pd.date_range("2020-01-01", periods=M)
    pairs = pd.MultiIndex.from_tuples([("p", j) for j in range(N)])
    dated = X.set_axis(days, axis=0).set_axis(pairs, axis=1)
    weights = beside()["weights"].set_axis(days, axis=0).set_axis(pairs, axis=1)
    want = fit(weights=beside()["weights"])
    assert np.array_equal(fit(dated, weights=turned(weights)).w, want.w)
    late = weights.set_axis(days + pd.Timedelta(days=1), axis=0)
    with pytest.raises(ValueError, match=r"1 of weights not in X \(first: '2020-01-21"):
        fit(dated, weights=late)


def test_polars_and_anndata():
    pl, ad = pytest.importorskip("polars"), pytest.importorskip("anndata")
    weights = beside()["weights"]
    want = fit(weights=weights)
    columns = pl.DataFrame(weights.to_numpy(), schema=COLUMNS)
    assert np.array_equal(fit(weights=columns.select(ROUND)).w, want.w)
    assert np.array_equal(fit(weights=pl.DataFrame(weights.to_numpy())).w, want.w)
    cells = ad.AnnData(X.to_numpy(), X[[]], pd.DataFrame(index=COLUMNS))
    assert np.array_equal(fit(cells, weights=turned(weights)).w, want.w)
    r = fit(cells)
    with pytest.warns(UserWarning, match="columns stand in another order"):
        assert np.allclose(r.transform(cells[:, ROUND].copy()), r.transform(cells))


def test_sparse_weights_are_put_in_order():
    pytest.importorskip("scipy")
    weights = beside()["weights"].where(beside()["weights"] > 0.5, 0.0)
    sparse = weights.astype(pd.SparseDtype("float64", 0.0))
    assert np.array_equal(fit(weights=turned(sparse)).w, fit(weights=sparse).w)


def test_rows_that_occur_more_than_once_stand_as_they_are():
    doubled = X.set_axis(["r"] * M, axis=0)
    weights = beside()["weights"].set_axis(["r"] * M, axis=0)
    assert np.array_equal(fit(doubled, weights=weights).w, fit(weights=beside()["weights"]).w)


def test_a_million_rows_are_matched_without_comparing_all_pairs():
    from partwise._names import Labels, Matching

    names = np.array([f"row {i}" for i in range(10**6)], dtype=object)
    take = Matching(Labels(names), "names").rows("weights", names[::-1])
    assert np.array_equal(names[::-1][take], names)
