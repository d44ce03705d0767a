"""Threads, forks, signals, callbacks and bugs: the process lives and the next fit is the same."""

import asyncio
import gc
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
import warnings
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import partwise
from partwise import _native

X = np.random.default_rng(2).random((120, 80))
LARGE = np.random.default_rng(3).random((1500, 1000))
ENDLESS = {"tol": 0.0, "max_iter": 10**9}
NO_FORK = not hasattr(os, "fork")


def fitted(threads=0):
    return partwise.fit(X, 5, max_iter=30, tol=0, threads=threads)


@pytest.fixture(scope="module")
def expected():
    return fitted().w


def python(code, *arguments, timeout=60):
    """Runs code in another interpreter, so that a crash of it is seen and survived."""
    command = [sys.executable, "-c", textwrap.dedent(code), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout)


def test_eight_threads_at_once(expected):
    with ThreadPoolExecutor(8) as pool:
        for result in pool.map(lambda n: fitted(n % 3), range(16)):
            assert np.array_equal(result.w, expected)


def test_other_threads_run_during_a_fit():
    ticks = []
    stop = threading.Event()

    def tick():
        while not stop.is_set():
            ticks.append(time.monotonic())
            time.sleep(0.01)

    ticker = threading.Thread(target=tick)
    ticker.start()
    try:
        partwise.fit(LARGE, 20, tol=0, max_iter=10**9, time_limit=1.0)
    finally:
        stop.set()
        ticker.join()
    assert len(ticks) > 20


def test_asyncio(expected):
    async def several():
        return await asyncio.gather(*(asyncio.to_thread(fitted) for _ in range(4)))

    for result in asyncio.run(several()):
        assert np.array_equal(result.w, expected)


@pytest.mark.skipif(NO_FORK, reason="needs fork")
@pytest.mark.parametrize("threads", [0, 2])
def test_forked_child(expected, threads):
    fitted()  # The pool of this process is alive when it is copied.
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(write, b"+" if np.array_equal(fitted(threads).w, expected) else b"-")
        finally:
            os._exit(0)
    os.close(write)
    try:
        assert _within(10, child), "the child hangs"
        assert os.read(read, 1) == b"+"
    finally:
        os.close(read)


def _within(seconds, child):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if os.waitpid(child, os.WNOHANG)[0]:
            return True
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


@pytest.mark.skipif(NO_FORK, reason="needs fork")
def test_multiprocessing_fork(expected):
    fitted()
    with multiprocessing.get_context("fork").Pool(2) as pool:
        for result in pool.map_async(fitted, [0, 0, 1]).get(timeout=30):
            assert np.array_equal(result.w, expected)


def test_multiprocessing_spawn(tmp_path):
    program = tmp_path / "spawn.py"
    program.write_text(
        textwrap.dedent(
            """
            import multiprocessing, numpy, partwise
            X = numpy.random.default_rng(2).random((120, 80))
            def fitted(seed):
                return partwise.fit(X, 5, max_iter=30, tol=0, seed=seed)
            if __name__ == "__main__":
                here = fitted(0)
                with multiprocessing.get_context("spawn").Pool(1) as pool:
                    there = pool.map_async(fitted, [0]).get(timeout=50)[0]
                assert numpy.array_equal(here.w, there.w)
                print("same")
            """
        )
    )
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "same", done.stderr


def test_joblib_processes(expected):
    joblib = pytest.importorskip("joblib")
    job = joblib.delayed(partwise.fit)(X, 5, max_iter=30, tol=0)
    for result in joblib.Parallel(2, timeout=60)([job, job]):
        assert np.array_equal(result.w, expected)


INTERRUPTED = """
    import signal, sys, threading, time
    import numpy, partwise
    X = numpy.random.default_rng(3).random((1500, 1000))
    threads, with_callback = int(sys.argv[1]), sys.argv[2] == "callback"
    asked = []
    def ask():
        asked.append(time.monotonic())
        signal.raise_signal(signal.SIGINT)
    threading.Timer(0.5, ask).start()
    options = {"callback": lambda p: None} if with_callback else {}
    try:
        partwise.fit(X, 20, tol=0, max_iter=10**9, threads=threads, **options)
    except KeyboardInterrupt as error:
        took = time.monotonic() - asked[0]
        partial = error.partial
        assert isinstance(partial, partwise.Result), partial
        assert partial.status == "interrupted" and partial.iterations > 0
        assert partial.relative_error < 0.6, partial
        again = partwise.fit(X, 3, max_iter=2, threads=threads)
        print("interrupted" if took < 1 else f"took {took} s", again.status)
"""


@pytest.mark.parametrize("threads", ["0", "2"])
@pytest.mark.parametrize("callback", ["callback", "silent"])
def test_ctrl_c_ends_a_fit_with_its_best_iterate(threads, callback):
    done = python(INTERRUPTED, threads, callback)
    assert done.stdout.strip() == "interrupted max_iter", done.stdout + done.stderr


INTERRUPTED_CALL = """
    import signal, sys, threading, time, warnings
    import numpy, partwise
    from partwise import NMF, MiniBatchNMF, non_negative_factorization
    warnings.simplefilter("ignore")
    X = numpy.random.default_rng(3).random((1500, 1000))
    endless = {"init": "random", "tol": 0.0, "max_iter": 10**9, "random_state": 0}
    kl = {"init": "random", "beta_loss": "kullback-leibler", "random_state": 0}
    fitted = NMF(80, solver="mu", max_iter=1, **kl).fit(X)
    small = X[:5]
    before = fitted.transform(small)
    batches = MiniBatchNMF(60, fresh_restarts_max_iter=10**3, tol=0.0, **kl).partial_fit(X[:50])
    learnt = batches.components_

    def start(name):
        if name == "verify":
            wide = numpy.random.default_rng(4).random((4000, 3000))
            result = partwise.fit(wide, 400, max_iter=0)
            return lambda: result.verify(wide)
        if name == "look":
            # Eight thousand million entries that take no memory.
            return lambda: partwise.fit(numpy.broadcast_to(1.0, (2**21, 2**12)), 1)
        return {
            "transform": lambda: fitted.transform(X),
            "score": lambda: fitted.score(X),
            "fit_transform": lambda: NMF(20, **endless).fit_transform(X),
            "function": lambda: non_negative_factorization(X, n_components=20, **endless),
            "minibatch": lambda: MiniBatchNMF(20, **endless).fit_transform(X),
            "partial_fit": lambda: batches.partial_fit(X),
        }[name]

    call = start(sys.argv[1])
    asked = []
    def ask():
        asked.append(time.monotonic())
        signal.raise_signal(signal.SIGINT)
    threading.Timer(0.5, ask).start()
    try:
        call()
    except KeyboardInterrupt:
        took = time.monotonic() - asked[0]
        same = numpy.array_equal(fitted.transform(small), before)
        same = same and numpy.array_equal(batches.components_, learnt)
        print("interrupted" if took < 1 else f"took {took} s", same)
    else:
        print("not interrupted")
"""


@pytest.mark.parametrize(
    "call",
    [
        "transform",
        "score",
        "fit_transform",
        "function",
        "minibatch",
        "partial_fit",
        "verify",
        "look",
    ],
)
def test_ctrl_c_ends_every_long_call(call):
    pytest.importorskip("sklearn")
    done = python(INTERRUPTED_CALL, call)
    assert done.stdout.strip() == "interrupted True", done.stdout + done.stderr


def test_handler_of_another_signal_ends_a_fit():
    class Alarm(Exception):
        pass

    def ring(*_):
        raise Alarm

    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(Alarm):
            partwise.fit(LARGE, 10, **ENDLESS)
    finally:
        signal.signal(signal.SIGALRM, before)


def test_callback_sees_every_iteration_on_the_callers_thread():
    seen = []
    r = partwise.fit(X, 5, callback=lambda p: seen.append((threading.get_ident(), p)), n_init=2)
    assert {thread for thread, _ in seen} == {threading.get_ident()}
    iterations = [p["iteration"] for _, p in seen]
    assert iterations == list(range(1, len(iterations) + 1)) and len(seen) >= r.iterations
    last = seen[-1][1]
    assert set(last) == {
        "iteration", "max_iter", "seconds", "ended", "n_init", "objective", "relative_error",
        "kkt_residual", "tol",
    }  # fmt: skip
    assert 1 <= last["ended"] <= last["n_init"] == 2
    assert last["objective"] == pytest.approx(r.objective)


@pytest.mark.parametrize("threads", [0, 1, 2])
def test_callback_may_stop(threads):
    r = partwise.fit(X, 5, callback=lambda p: p["iteration"] == 4, threads=threads, **ENDLESS)
    assert r.status == "interrupted" and r.iterations == 4


@pytest.mark.parametrize("kind", [RuntimeError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_exception_in_a_callback_is_raised_unchanged(expected, kind):
    thrown = kind("mine")

    def fail(progress):
        if progress["iteration"] == 3:
            raise thrown

    with pytest.raises(kind) as caught:
        partwise.fit(X, 5, callback=fail, **ENDLESS)
    assert caught.value is thrown
    assert np.array_equal(fitted().w, expected)


def test_callback_that_cannot_be_called():
    with pytest.raises(TypeError, match="not callable"):
        partwise.fit(X, 5, callback=3)


def test_callback_may_fit(expected):
    inner = []
    partwise.fit(X, 4, max_iter=3, tol=0, callback=lambda p: inner.append(fitted(p["iteration"])))
    assert len(inner) == 3
    for result in inner:
        assert np.array_equal(result.w, expected)


def test_array_is_kept_alive():
    held = [np.random.default_rng(2).random((120, 80))]

    def drop(_):
        held.clear()

    r = partwise.fit(held[0], 5, max_iter=30, tol=0, callback=drop)
    assert np.array_equal(r.w, fitted().w)


@pytest.mark.parametrize("place", ["call", "thread"])
def test_panic_becomes_an_exception(expected, place, capfd):
    with pytest.raises(partwise.InternalError, match=r"asked for by a test.*bug in partwise") as e:
        _native._panic_for_test(place)
    assert isinstance(e.value, RuntimeError) and "guard.rs" in str(e.value)
    assert capfd.readouterr().err == ""
    assert np.array_equal(fitted().w, expected)


def test_results_travel_between_processes():
    done = python(
        """
        import pickle, sys, numpy, partwise
        X = numpy.random.default_rng(2).random((120, 80))
        sys.stdout.write(pickle.dumps(partwise.fit(X, 5, max_iter=30, tol=0)).hex())
        """
    )
    result = pickle.loads(bytes.fromhex(done.stdout))
    assert np.array_equal(result.w, fitted().w) and result.status == "max_iter"


def test_exit_during_a_fit():
    done = python(
        """
        import threading, time, numpy, partwise
        X = numpy.random.default_rng(3).random((500, 400))
        fit = lambda: partwise.fit(X, 10, tol=0, max_iter=10**9)
        threading.Thread(target=fit, daemon=True).start()
        time.sleep(0.5)
        print("leaving")
        """
    )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "leaving", "")


def test_many_fits_leak_no_threads():
    def threads():
        return len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 0

    fitted(0)
    time.sleep(0.5)
    before = threads()
    for _ in range(20):
        fitted(2)
    # Threads of a pool end soon after it is dropped, not before.
    end = time.monotonic() + 10
    while threads() > before and time.monotonic() < end:
        time.sleep(0.05)
    assert threads() <= before


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="needs Linux")
@pytest.mark.parametrize("asked, started", [("1", 1), ("3", 3), ("2,1", 2)])
def test_threads_that_the_environment_allows(monkeypatch, asked, started):
    monkeypatch.delenv("RAYON_NUM_THREADS", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", asked)
    done = python(
        """
        import os, numpy, partwise
        count = lambda: len(os.listdir("/proc/self/task"))
        before, during = count(), []
        partwise.fit(numpy.ones((50, 40)), 2, max_iter=2, callback=lambda p: during.append(count()))
        print(max(during) - before)
        """
    )
    # One more waits for the pool.
    assert done.stdout.strip() == str(started + 1), done.stderr


def test_array_written_to_during_a_fit():
    # The result is that of a mixture, which nobody should want; what matters is that nothing breaks.
    changing = X.copy()

    def scramble(progress):
        changing[:] = np.random.default_rng(progress["iteration"]).random(X.shape)

    r = partwise.fit(changing, 5, max_iter=30, tol=0, callback=scramble)
    assert np.isfinite(r.w).all() and np.isfinite(r.h).all() and (r.w >= 0).all()


def test_arrays_written_to_by_another_thread():
    done = python(
        """
        import threading, numpy, scipy.sparse, partwise
        dense = numpy.random.default_rng(3).random((300, 200))
        sparse = scipy.sparse.random_array((300, 200), density=0.2, rng=0).tocsr()
        over = threading.Event()

        def scramble():
            # Bits of any kind, and indices far outside: what could reach beyond the arrays.
            rng = numpy.random.default_rng(4)
            while not over.is_set():
                for array in (dense, sparse.data, sparse.indices):
                    kept = array.copy()
                    array.view(numpy.uint8)[:] = rng.integers(0, 256, array.view(numpy.uint8).shape)
                    over.wait(0.001)
                    array[:] = kept

        writer = threading.Thread(target=scramble)
        writer.start()
        ends = set()
        for X in (dense, sparse, sparse.tocsc(copy=False), sparse.T):
            for loss in ("frobenius", "kl"):
                for seed in range(10):
                    try:
                        ends.add(partwise.fit(X, 5, loss=loss, max_iter=10, tol=0, seed=seed).status)
                    except (ValueError, partwise.InternalError) as error:
                        ends.add(type(error).__name__)
        over.set()
        writer.join()
        print("alive", partwise.fit(dense, 2, max_iter=2).status)
        """
    )
    assert (done.returncode, done.stdout) == (0, "alive max_iter\n"), done.stderr


def test_model_deleted_during_its_fit():
    NMF = pytest.importorskip("sklearn") and partwise.NMF
    models, seen = [], []
    model = NMF(3, tol=0, max_iter=10, callbacks=lambda p: models.clear() or seen.append(1))
    watch = weakref.ref(model)
    models.append(model)
    del model
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        w = models[0].fit_transform(X)
    assert w.shape == (120, 3) and len(seen) == 10
    gc.collect()
    assert watch() is None


def test_a_subinterpreter_fits_or_refuses_the_import():
    pytest.importorskip("_xxsubinterpreters")
    done = python(
        """
        import warnings
        warnings.simplefilter("ignore")
        import _xxsubinterpreters as interpreters
        child = interpreters.create()
        code = '''
        import warnings
        warnings.simplefilter("ignore")
        import numpy
        try:
            import partwise
        except ImportError:
            print("refused")
        else:
            print(partwise.fit(numpy.ones((4, 3)), 1).status)
        '''
        import textwrap
        interpreters.run_string(child, textwrap.dedent(code))
        """
    )
    assert done.returncode == 0 and done.stdout.strip() in ("converged", "refused"), done.stderr


@pytest.mark.skipif(os.environ.get("PARTWISE_LARGE") != "1", reason="takes a minute")
def test_more_entries_than_32_bits_can_count():
    """One number seen through strides of zero stands for 2^31 and more."""
    rows, cols = 2**16, 2**15 + 1
    r = partwise.fit(np.broadcast_to(np.float32(1.0), (rows, cols)), 1, max_iter=2)
    assert (r.w.shape, r.h.shape) == ((rows, 1), (1, cols))
    assert r.relative_error < 1e-4
