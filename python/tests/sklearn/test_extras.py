"""What our classes have beyond scikit-learn's."""

import time
import warnings

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from partwise import NMF, MiniBatchNMF
from partwise._validation import thread_count

RNG = np.random.RandomState(0)
X = RNG.random_sample((60, 5)) @ RNG.random_sample((5, 20)) + 0.1 * RNG.random_sample((60, 20))


def test_attributes_of_a_fit():
    model = NMF(5, max_iter=2000, random_state=0)
    W = model.fit_transform(X)
    error = np.linalg.norm(X - W @ model.components_)
    assert model.converged_ is True
    assert model.status_ == "converged"
    assert 0 <= model.kkt_residual_ <= model.tol
    assert_allclose(model.reconstruction_err_, error)
    assert_allclose(model.explained_variance_total_, 1 - error**2 / (X**2).sum())
    assert_allclose(model.objective_history_.min(), error**2 / 2)
    assert all(isinstance(text, str) for text in model.warnings_)
    assert_allclose(model.score(X), model.explained_variance_total_, atol=1e-3)


def test_more_starts_are_never_worse_and_the_same_seed_gives_the_same():
    one = NMF(5, init="random", random_state=3).fit(X)
    many = NMF(5, init="random", random_state=3, n_init=6).fit(X)
    again = NMF(5, init="random", random_state=3, n_init=6).fit(X)
    assert many.reconstruction_err_ <= one.reconstruction_err_
    assert_array_equal(many.components_, again.components_)


def test_time_limit():
    big = RNG.random_sample((1500, 400))
    began = time.monotonic()
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        model = NMF(30, tol=0, max_iter=10**6, time_limit=0.3, init="random").fit(big)
    assert model.status_ == "time_limit"
    assert time.monotonic() - began < 10


def test_warm_start_goes_on():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = NMF(5, max_iter=5, warm_start=True, random_state=0)
        errors = [model.fit(X).reconstruction_err_ for _ in range(4)]
        assert all(b <= a * (1 + 1e-12) for a, b in zip(errors, errors[1:]))
        assert errors[-1] < errors[0]
        cold = NMF(5, max_iter=5, random_state=0)
        assert cold.fit(X).reconstruction_err_ == cold.fit(X).reconstruction_err_
        # Other rows: W is solved for the components first.
        model.fit(X[:50])
        # Another rank begins anew.
        assert model.set_params(n_components=3).fit(X).components_.shape == (3, 20)


def test_callbacks_are_told_and_may_stop():
    seen = []

    def stop(state):
        seen.append(state["iteration"])
        return state["iteration"] == 3

    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        model = NMF(4, tol=0, callbacks=[stop, lambda state: None]).fit(X)
    assert seen == [1, 2, 3]
    assert model.status_ == "interrupted"
    assert model.transform(X).shape == (60, 4)


def test_an_exception_of_a_callback_comes_through():
    def fail(state):
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        NMF(4, callbacks=fail).fit(X)


def test_ctrl_c_leaves_the_best_so_far():
    def interrupt(state):
        if state["iteration"] == 4:
            raise KeyboardInterrupt

    model = NMF(4, tol=0, callbacks=interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X)
    W, H = model.partial_
    assert_array_equal(H, model.components_)
    assert W.shape == (60, 4)
    assert model.status_ == "interrupted"


@pytest.mark.parametrize("Estimator", [NMF, MiniBatchNMF])
@pytest.mark.parametrize("dtype", ["float32", np.float32, np.dtype("float32")])
def test_dtype(Estimator, dtype):
    model = Estimator(3, dtype=dtype, tol=1e-2)
    assert model.fit_transform(X).dtype == np.float32
    assert model.transform(X).dtype == np.float32
    with pytest.raises(ValueError, match="dtype"):
        Estimator(3, dtype=np.dtype("int32")).fit(X)


@pytest.mark.parametrize("Estimator", [NMF, MiniBatchNMF])
def test_threads_do_not_change_the_result(Estimator):
    one = Estimator(3, n_jobs=1, random_state=0, tol=1e-3).fit(X)
    all_ = Estimator(3, n_jobs=-1, random_state=0, tol=1e-3).fit(X)
    assert_array_equal(one.components_, all_.components_)


def test_auto_solver_takes_any_loss_it_is_asked_for():
    assert NMF(3, solver="auto").fit(X).status_ in ("converged", "max_iter")
    with pytest.raises(ValueError, match="solver 'cd' does not handle beta_loss = 1"):
        NMF(3, beta_loss=1).fit(X)


@pytest.mark.parametrize("Estimator", [NMF, MiniBatchNMF])
def test_huber_by_its_delta(Estimator):
    rng = np.random.default_rng(5)
    clean = (rng.random((60, 3)) + 0.05) @ (rng.random((3, 40)) + 0.05)
    wild = np.where(rng.random(clean.shape) < 0.05, 20 * rng.random(clean.shape), clean)
    options = {"max_iter": 1000, "random_state": 0, "init": "random"}
    options.update({"solver": "mu"} if Estimator is NMF else {"batch_size": 30, "tol": 0})
    off = {}
    for beta_loss in ("frobenius", "huber:0.05"):
        model = clone(Estimator(3, beta_loss=beta_loss, **options)).fit(wild)
        off[beta_loss] = np.linalg.norm(model.transform(wild) @ model.components_ - clean)
        assert model.score(wild) <= 1
    assert 5 * off["huber:0.05"] < off["frobenius"]


@pytest.mark.parametrize("Estimator", [NMF, MiniBatchNMF])
def test_what_is_no_loss_is_refused(Estimator):
    options = {"solver": "mu"} if Estimator is NMF else {}
    with pytest.raises(ValueError, match="loss 'huber' needs a number: write huber:0"):
        Estimator(3, beta_loss="huber", **options).fit(X)
    with pytest.raises(ValueError, match="huber:δ needs a finite δ > 0"):
        Estimator(3, beta_loss="huber:0", **options).fit(X)
    theirs = r"must be a str among .* Got 'hinge' instead"
    with pytest.raises(ValueError, match=theirs):
        Estimator(3, beta_loss="hinge", **options).fit(X)
    with pytest.raises(ValueError, match="solver 'cd' does not handle beta_loss = 'huber:1'"):
        NMF(3, beta_loss="huber:1").fit(X)


@pytest.mark.parametrize("Estimator", [NMF, MiniBatchNMF])
def test_all_zero_x(Estimator):
    model = Estimator(2).fit(np.zeros((5, 4)))
    assert model.reconstruction_err_ == 0
    assert model.n_iter_ >= 1
    assert not model.transform(np.zeros((3, 4))).any()
    assert np.isfinite(model.transform(X[:, :4])).all()


def test_number_of_threads():
    assert [thread_count(n) for n in (None, -1, 3)] == [0, 0, 3]
    assert thread_count(-2) == max(1, joblib.cpu_count() - 1)


@pytest.mark.parametrize(("ours", "theirs"), [
    ("kl", "kullback-leibler"), ("is", "itakura-saito"), ("KL", "kullback-leibler"),
])  # fmt: skip
def test_losses_by_the_names_of_fit(ours, theirs):
    def fitted(beta_loss):
        options = {"solver": "mu", "init": "random", "random_state": 0, "max_iter": 20, "tol": 0}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return NMF(3, beta_loss=beta_loss, **options).fit(X)

    assert_array_equal(fitted(ours).components_, fitted(theirs).components_)
    assert fitted(ours).get_params()["beta_loss"] == ours
