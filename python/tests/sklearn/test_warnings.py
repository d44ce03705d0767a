"""What a fit says of its result reaches Python's warnings, once, and nothing else does."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

import partwise
from partwise import NMF, FitWarning, non_negative_factorization

DIGITS = load_digits().data[:200]
RNG = np.random.RandomState(0)
X = RNG.random_sample((30, 12))


def warned(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", ConvergenceWarning)
        result = call()
    return result, [(w.category, str(w.message), w.filename) for w in caught]


def emptied(alpha, **options):
    return NMF(3, alpha_W=alpha, l1_ratio=1.0, init="random", random_state=0, **options).fit(X)


@pytest.mark.parametrize("solver", ["cd", "auto"])
def test_what_a_penalty_emptied_is_not_blamed_on_the_rank(solver):
    model, caught = warned(lambda: emptied(10.0, solver=solver))
    assert not model.components_.any()
    text = (
        "3 of 3 components are zero: the penalties charge more than they explain; smaller penalties"
    )
    assert [(c, t[: len(text)], f) for c, t, f in caught] == [(FitWarning, text, __file__)]
    assert not any("smaller rank" in remark for remark in model.warnings_)


def test_a_component_that_nothing_charged_is_blamed_on_the_rank():
    flat = np.outer(np.arange(1.0, 9), np.arange(1.0, 7))
    _, caught = warned(lambda: partwise.fit(flat, 4, rule="als", init="nndsvd", max_iter=30))
    assert [text for _, text, _ in caught] == [
        "3 of 4 components are zero: X does not need them; try a smaller rank"
    ]


@pytest.mark.parametrize(("options", "charged", "free"), [
    ({"alpha_W": 0.5, "alpha_H": 0.0}, "W", "H"),
    ({"alpha_W": 0.0, "alpha_H": 0.5}, "H", "W"),
])  # fmt: skip
@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
def test_a_penalty_of_one_factor_alone_is_told(options, charged, free, l1_ratio):
    _, caught = warned(lambda: NMF(3, l1_ratio=l1_ratio, random_state=0, **options).fit(X))
    texts = [text for category, text, _ in caught if category is FitWarning]
    assert sum(text.startswith(f"{charged} is charged and {free} is not:") for text in texts) == 1


def test_a_factor_that_is_held_needs_no_penalty():
    H = RNG.random_sample((3, 12))
    _, caught = warned(lambda: partwise.fit(X, 3, h=H, fixed="h", w_l1=0.1))
    assert caught == []


def test_every_door_warns_once_at_the_line_of_the_caller():
    options = {"alpha_W": 0.1, "alpha_H": 0.0, "random_state": 0}
    for call in (
        lambda: NMF(3, **options).fit(X),
        lambda: NMF(3, **options).fit_transform(X),
        lambda: NMF(3, n_init=3, **options).fit(X),
        lambda: non_negative_factorization(X, n_components=3, **options),
        lambda: partwise.fit(X, 3, w_l2=0.1),
    ):
        _, caught = warned(call)
        assert [(c, f) for c, _, f in caught] == [(FitWarning, __file__)]


def test_a_filter_silences_them():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", FitWarning)
        emptied(10.0)


@pytest.mark.parametrize("data", [DIGITS, sp.csr_array(DIGITS), DIGITS + 1.0])
def test_remarks_on_x_alone_are_not_raised(data):
    model, caught = warned(lambda: NMF(6, random_state=0).fit(data))
    assert caught == []
    assert bool(model.warnings_) == (sp.issparse(data) or not (data > 0).all())


def test_what_each_component_explains_adds_up():
    for options in ({}, {"solver": "mu", "beta_loss": 1}, {"alpha_W": 10.0, "l1_ratio": 1.0}):
        model = NMF(4, random_state=0, max_iter=1000, **options)
        warned(lambda model=model: model.fit(X))
        assert model.explained_variance_ratio_.shape == (4,)
        assert model.explained_variance_ratio_.sum() == pytest.approx(
            model.explained_variance_total_
        )
        assert (model.explained_variance_ratio_ >= 0).all()


def test_what_each_component_explains_is_what_it_takes_off_the_squares():
    model = NMF(4, random_state=0, tol=1e-8, max_iter=20000)
    W = model.fit_transform(X)
    H = model.components_
    found = [2 * W[:, t] @ X @ H[t] - W[:, t] @ (W @ H) @ H[t] for t in range(4)]
    np.testing.assert_allclose(model.explained_variance_ratio_, found / (X**2).sum(), rtol=1e-5)
    for unit in (1e-200, 1e200):
        again = NMF(4, random_state=0, tol=1e-8, max_iter=20000).fit(X * unit)
        assert again.explained_variance_ratio_.sum() == pytest.approx(
            again.explained_variance_total_
        )
