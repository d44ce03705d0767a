"""When a fit ends, with which status, and what is warned of."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn import decomposition
from sklearn.datasets import load_digits, load_wine
from sklearn.exceptions import ConvergenceWarning

import partwise
from partwise import NMF

RNG = np.random.RandomState(0)
COUNTS = RNG.poisson(2 * RNG.random_sample((90, 5)) @ RNG.random_sample((5, 40))).astype(float)
DATA = {
    "digits": load_digits().data[:300],
    "wine": load_wine().data,
    "wide": COUNTS.T + 0.1,
    "tall": COUNTS + 0.1,
    "sparse": sp.csr_array(COUNTS),
}


def fitted(Estimator, X, **options):
    """A fitted model, and the categories of what it warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = Estimator(4, random_state=0, **options)
        model.W = model.fit_transform(X)
    return model, [warning.category for warning in caught]


@pytest.mark.parametrize("tol", [1e-2, 1e-3, 1e-4])
@pytest.mark.parametrize("beta_loss", [2, 1, 0.5, 1.5, 3])
@pytest.mark.parametrize("init", ["random", "nndsvda"])
@pytest.mark.parametrize("name", DATA)
def test_mu_ends_where_scikit_learn_does(name, init, beta_loss, tol):
    if name == "sparse" and beta_loss not in (1, 2):
        pytest.skip("slow in scikit-learn")
    options = {"solver": "mu", "init": init, "beta_loss": beta_loss, "tol": tol}
    X = DATA[name]
    ours, warned = fitted(NMF, X, **options)
    theirs, _ = fitted(decomposition.NMF, X, **options)
    # At the last iteration that is allowed there is no telling from n_iter_ alone.
    assert ours.n_iter_ == theirs.n_iter_
    if ours.status_ == "max_iter":
        assert theirs.n_iter_ == 200
    else:
        assert ours.status_ in ("settled", "converged")
        assert warned == []
        # scikit-learn's denominators are kept from zero by 1e-7 or so.
        for found, wanted in ((ours.W, theirs.W), (ours.components_, theirs.components_)):
            np.testing.assert_allclose(found, wanted, atol=1e-3 * wanted.max())
        assert ours.reconstruction_err_ == pytest.approx(theirs.reconstruction_err_, rel=1e-4)
    assert ours.converged_ == (ours.status_ == "converged")
    assert ours.converged_ <= (ours.kkt_residual_ <= tol)


def test_settled_is_not_converged():
    model, warned = fitted(NMF, DATA["tall"], solver="mu", beta_loss=1)
    assert (model.status_, model.converged_, warned) == ("settled", False, [])
    assert model.kkt_residual_ > model.tol
    assert len(model.objective_history_) == model.n_iter_
    error = partwise.fit(
        DATA["tall"], 4, loss="kl", w=model.W, h=model.components_, max_iter=0
    ).divergence
    assert model.objective_history_[-1] == pytest.approx(error, rel=1e-9)


def test_a_tol_of_0_takes_every_iteration_without_a_warning():
    model, warned = fitted(NMF, DATA["tall"], solver="mu", tol=0, max_iter=40)
    assert (model.status_, model.n_iter_, warned) == ("max_iter", 40, [])


def test_no_start_of_several_warns_if_the_best_has_settled():
    model, warned = fitted(
        NMF, DATA["tall"], solver="mu", beta_loss=1, n_init=4, init="random", tol=1e-3
    )
    assert model.status_ in ("settled", "converged") and warned == []


@pytest.mark.parametrize("solver", ["cd", "auto"])
def test_what_has_converged_never_warns(solver):
    X = DATA["digits"]
    model, _ = fitted(NMF, X, solver=solver, max_iter=2000)
    assert model.converged_
    last = model.n_iter_
    model, warned = fitted(NMF, X, solver=solver, max_iter=last)
    assert model.n_iter_ == last
    assert warned == ([] if model.converged_ else [ConvergenceWarning])


def test_the_warning_tells_which_half_of_the_rule_was_not_met():
    # Columns that differ a thousandfold: the residual is small long before the small ones are fitted.
    X = RNG.random_sample((60, 3)) @ RNG.random_sample((3, 12)) + 0.05 * RNG.random_sample((60, 12))
    X = X * np.logspace(0, 3, 12)
    for max_iter in range(10, 400, 10):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = NMF(4, random_state=0, max_iter=max_iter).fit(X)
        if model.status_ == "max_iter" and model.kkt_residual_ <= model.tol:
            break
    else:
        pytest.fail("no fit has a small residual and has not ended")
    (text,) = [str(w.message) for w in caught]
    assert "but the last step still lowered the objective by more than tol of it" in text


@pytest.mark.parametrize("rule", ["hals", "sn", "mue"])
def test_only_mu_ends_when_it_has_settled(rule):
    loss = "frobenius" if rule == "hals" else "kl"
    with pytest.raises(ValueError, match=f"until settled .* rule {rule}"):
        partwise.fit(DATA["tall"], 3, loss=loss, rule=rule, until="settled")


def test_fit_can_end_so_too():
    result = partwise.fit(DATA["tall"], 3, rule="mu", until="settled", max_iter=1000)
    assert result.status in ("settled", "converged")
    assert result.iterations % 10 == 0
    assert result.converged == (result.kkt_residual <= 1e-4)
