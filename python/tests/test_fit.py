"""The functional entry: options, results, and what a result says of itself."""

import copy
import io
import pickle
import subprocess
import sys

import numpy as np
import pytest

import partwise
from partwise import _native
from partwise._progress import Bar, _Lines


@pytest.fixture(scope="module")
def X():
    rng = np.random.default_rng(1)
    return rng.random((60, 4)) @ rng.random((4, 40)) + 0.1 * rng.random((60, 40))


def test_result_has_factors_and_a_certificate(X):
    r = partwise.fit(X, 4, n_init=3)
    assert r.w.shape == (60, 4) and r.h.shape == (4, 40)
    assert r.w.flags.c_contiguous and r.h.flags.c_contiguous and r.h.flags.owndata
    assert (r.w >= 0).all() and (r.h >= 0).all()
    assert r.converged and r.status == "converged" and r.kkt_residual <= 1e-4
    error = 0.5 * np.sum((X - r.w @ r.h) ** 2)
    assert r.objective == pytest.approx(error, rel=1e-10)
    assert r.relative_error == pytest.approx(np.sqrt(2 * error) / np.linalg.norm(X), rel=1e-10)
    assert r.explained_variance == pytest.approx(1 - 2 * error / np.sum(X**2), rel=1e-10)
    assert r.kkt_residual == max(
        r.kkt["w"], r.kkt["h"], r.kkt["w_zeros"] / 10, r.kkt["h_zeros"] / 10
    )
    assert len(r.restarts) == 3 and r.w_component_sparsity.shape == (4,)
    assert min(x["objective"] for x in r.restarts) == pytest.approx(r.objective)


def test_history_is_arrays_of_equal_length(X):
    r = partwise.fit(X, 4)
    assert set(r.history) == {"iteration", "seconds", "objective", "kkt_residual"}
    assert {len(a) for a in r.history.values()} == {r.iterations}
    assert list(r.history["iteration"]) == list(range(1, r.iterations + 1))
    assert (np.diff(r.history["objective"]) <= 1e-9 * r.history["objective"][0]).all()


@pytest.mark.parametrize("rule", sorted(partwise.rules()))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_rule_in_both_precisions(X, rule, dtype):
    r = partwise.fit(X.astype(dtype), 4, rule=rule, max_iter=200)
    assert r.w.dtype == r.h.dtype == dtype
    assert r.relative_error < 0.05


@pytest.mark.parametrize("init", sorted(partwise.starts()))
def test_every_start(X, init):
    assert partwise.fit(X, 4, init=init).relative_error < 0.05


def test_same_bits_for_any_number_of_threads(X):
    fits = [partwise.fit(X, 4, threads=threads, seed=7) for threads in (0, 1, 2, 3)]
    for other in fits[1:]:
        assert np.array_equal(fits[0].w, other.w) and np.array_equal(fits[0].h, other.h)


def test_seed_decides(X):
    one, two = (partwise.fit(X, 4, seed=seed, max_iter=3) for seed in (0, 2**64 - 1))
    assert not np.array_equal(one.w, two.w)


def test_start_and_fixed_factor(X):
    base = partwise.fit(X, 4, tol=1e-7, max_iter=5000)
    again = partwise.fit(X, 4, w=base.w, h=base.h)
    assert again.iterations <= 2 and again.converged
    held = partwise.fit(X, 4, h=base.h, fixed="h")
    assert np.array_equal(held.h, base.h)
    # Starts of another precision are converted, and lists are read.
    single = partwise.fit(X.astype(np.float32), 4, w=base.w.tolist(), h=base.h)
    assert single.w.dtype == np.float32


def test_penalties_are_in_the_objective_and_not_in_the_divergence(X):
    plain = partwise.fit(X, 4)
    assert plain.divergence == plain.objective
    r = partwise.fit(X, 4, w_l1=0.5, w_l2=0.25, h_l1=0.125, h_l2=2.0)
    price = 0.5 * r.w.sum() + 0.125 * np.sum(r.w**2) + 0.125 * r.h.sum() + np.sum(r.h**2)
    assert r.divergence == pytest.approx(0.5 * np.sum((X - r.w @ r.h) ** 2))
    assert r.objective == pytest.approx(r.divergence + price)
    assert r.transform(X) == pytest.approx(r.w, rel=1e-2, abs=1e-3)


def test_no_iterations_gives_the_start(X):
    r = partwise.fit(X, 4, max_iter=0)
    assert r.status == "max_iter" and r.iterations == 0 and np.isfinite(r.objective)


def test_time_limit():
    X = np.random.default_rng(0).random((800, 600))
    r = partwise.fit(X, 30, tol=0, max_iter=10**6, time_limit=0.2)
    assert r.status == "time_limit" and r.seconds < 5


def test_a_fit_without_time_says_what_was_not_measured(X):
    r = partwise.fit(X, 4, time_limit=1e-9)
    assert r.status == "time_limit" and r.iterations == 0 and len(r.warnings) == 1
    assert np.isnan([r.objective, r.kkt_residual, r.kkt["w"], r.relative_error]).all()
    assert str(r).count("not measured") == 4
    assert np.isfinite(r.verify(X)["kkt_residual"])


def test_transform_is_exact_and_row_by_row(X):
    r = partwise.fit(X, 4)
    w = r.transform(X)
    assert np.linalg.norm(X - w @ r.h) <= np.linalg.norm(X - r.w @ r.h) * (1 + 1e-12)
    assert np.array_equal(r.transform(X[5:6]), w[5:6])
    assert r.transform(X.astype(np.float32)).dtype == np.float64
    with pytest.raises(ValueError, match=r"X is 60 × 39, expected 60 × 40"):
        r.transform(X[:, :39])


def test_verify_agrees(X):
    r = partwise.fit(X, 4)
    found = r.verify(X)
    assert found["objective"] == pytest.approx(r.objective, abs=r.objective_bound + 1e-12)
    assert found["kkt_residual"] == pytest.approx(r.kkt_residual, rel=1e-2)


def test_warnings_are_text():
    X = np.ones((6, 5))
    X[2] = 0
    r = partwise.fit(X, 2)
    assert any("1 of 6 rows of X is all zero (first: 2)" in text for text in r.warnings)
    assert (r.w[2] == 0).all()


def test_zero_matrix():
    r = partwise.fit(np.zeros((4, 3)), 2)
    assert r.converged and r.objective == 0 and len(r.restarts) == 1 and not r.w.any()


def test_repr_and_html(X):
    r = partwise.fit(X, 4, n_init=2)
    assert "X 60 × 40 ≈ W 60 × 4 · H 4 × 40, float64" in repr(r)
    assert "converged" in repr(r) and "best of 2 restarts" in repr(r)
    odd = copy.copy(r)
    object.__setattr__(odd, "warnings", ["<script>alert(1)</script>"])
    assert "<script>" not in odd._repr_html_() and "&lt;script&gt;" in odd._repr_html_()


def test_to_dict_pickle_and_copy(X):
    r = partwise.fit(X, 4)
    for other in (pickle.loads(pickle.dumps(r)), copy.deepcopy(r)):
        assert np.array_equal(other.w, r.w) and other.status == r.status
        assert np.array_equal(other.transform(X), r.transform(X))
    assert r.to_dict()["w"] is r.w and r.to_dict()["status"] == r.status


def test_rules_and_starts_have_a_line_each():
    assert {"hals", "mu", "bpp"} <= set(partwise.rules())
    assert all(partwise.rules().values()) and all(partwise.starts().values())
    assert partwise.rules() is not _native.RULES
    assert set(partwise.rules("kl")) == {"jmm", "mu", "mue", "sn"} and "sn" not in partwise.rules()
    assert {"frobenius", "kl", "is"} <= set(partwise.losses())


def test_numpy_random_state_is_untouched(X):
    np.random.seed(3)
    before = np.random.get_state()
    partwise.fit(X, 4, n_init=2, init="random")
    after = np.random.get_state()
    assert before[0] == after[0] and np.array_equal(before[1], after[1]) and before[2:] == after[2:]


def test_nothing_is_shown_unless_asked(X, capfd):
    partwise.fit(X, 4)
    shown = capfd.readouterr()
    assert shown.out == "" and shown.err == ""


def test_progress_bar_and_callback_together(X, capfd):
    seen = []
    partwise.fit(X, 4, progress=True, callback=seen.append)
    assert len(seen) > 1 and capfd.readouterr().out == ""


def test_plain_progress(X, monkeypatch):
    monkeypatch.setattr(_Lines, "_EVERY", 0.0)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with Bar() as bar:
        partwise.fit(X, 4, max_iter=10, tol=0, n_init=2, callback=bar)
    assert "partwise: iteration 10/10, error 0." in stream.getvalue()
    assert "0/2 done" in stream.getvalue()


def test_import_needs_only_numpy():
    code = (
        "import sys\n"
        "for name in ('scipy', 'sklearn', 'pandas', 'tqdm', 'polars'): sys.modules[name] = None\n"
        "import numpy, partwise\n"
        "print(partwise.fit(numpy.ones((3, 4)), 1).status)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "converged", done.stderr
