"""What no memory can hold and what contradicts itself is refused, in processes in which a crash is seen."""

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

import partwise

SHAPE = (30, 20)
DENSE = np.random.default_rng(0).random(SHAPE) * (np.random.default_rng(1).random(SHAPE) < 0.4)


def tampered(form, container="array", kind=float, **changes):
    """A matrix of a format, of which some parts are something else."""
    X = getattr(sp, f"{form}_{container}")(DENSE.astype(kind))
    for name, change in changes.items():
        array = getattr(X, name).copy()
        changed = change(array)
        array = array if changed is None else changed
        if name in ("row", "col"):
            name, array = "coords", (array, X.col) if name == "row" else (X.row, array)
        setattr(X, name, array)
    return X


def put(at, value):
    return lambda array: array.__setitem__(at, value)


def longer(array):
    array[2] = [*array[2], 7]


CORRUPT = {
    "coo row beyond": (("coo", {"row": put(3, 2_000_000_000)}), r"row\[3\] = 2000000000"),
    "coo row negative": (("coo", {"row": put(3, -50_000)}), r"row\[3\] = -50000"),
    "coo row just beyond": (("coo", {"row": put(3, 5000)}), r"row\[3\] = 5000 .* 0 to 29"),
    "coo column beyond": (("coo", {"col": put(0, 20)}), r"col\[0\] = 20"),
    "coo short": (("coo", {"data": lambda a: a[:-1]}), "entries, which must be equal"),
    "csr pointer": (("csr", {"indptr": put(5, 10**9)}), "indptr"),
    "csc index": (("csc", {"indices": put(1, 10**9)}), "1000000000"),
    "bsr index": (("bsr", {"indices": put(1, -1)}), r"indices\[1\] = -1"),
    "bsr blocks": (("bsr", {"data": lambda a: a.reshape(-1)}), "3 dimensions"),
    "lil index": (("lil", {"rows": put(2, [10**9])}), "."),
    "lil negative": (("lil", {"rows": lambda a: a[0].__setitem__(0, -5)}), r"rows\[0\] = -5"),
    "lil longer": (("lil", {"data": longer}), "row 2 of .* indices and"),
    "lil no list": (("lil", {"rows": put(0, None)}), "one list for each"),
    "dia offsets": (("dia", {"offsets": lambda a: a[:-1]}), "offsets"),
    "dia data": (("dia", {"data": lambda a: a[:3]}), "offsets"),
}


@pytest.mark.parametrize("name", CORRUPT)
@pytest.mark.parametrize("container", ["array", "matrix"])
def test_corrupt_sparse_matrices_are_refused_wherever_they_are_taken(name, container):
    (form, changes), match = CORRUPT[name]
    X, mask = (tampered(form, container, kind, **changes) for kind in (float, bool))
    result = partwise.fit(DENSE, 2, max_iter=3)
    for call in (
        lambda: partwise.fit(X, 2),
        lambda: partwise.fit(DENSE, 2, missing=mask),
        lambda: partwise.fit(DENSE, 2, weights=X),
        lambda: partwise.fit(np.ma.masked_array(DENSE, DENSE > 0.9), 2, missing=mask),
        lambda: result.transform(X),
        lambda: result.verify(X),
        lambda: result.transform(DENSE, missing=mask),
        lambda: result.verify(DENSE, weights=X),
    ):
        with pytest.raises(ValueError, match=match):
            call()


@pytest.mark.parametrize("key", [(10**9, 0), (0, -7), (5000, 3)])
def test_keys_of_a_dictionary_are_looked_at(key):
    X = sp.dok_array(DENSE)
    X._dict[key] = 1.0
    with pytest.raises(ValueError, match=r"out of range|exceeds|negative"):
        partwise.fit(X, 2)


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "bsr", "lil", "dok", "dia"])
def test_every_format_gives_the_same_fit(form):
    X = tampered(form)
    mask = getattr(sp, f"{form}_array")(DENSE > 0.9)
    found = partwise.fit(X, 2, missing=mask, max_iter=20)
    expected = partwise.fit(sp.csr_array(DENSE), 2, missing=sp.csr_array(DENSE > 0.9), max_iter=20)
    assert np.array_equal(found.w, expected.w)


def test_a_diagonal_outside_the_matrix_says_nothing():
    X = sp.dia_array((np.ones((2, 4)), [0, 9]), shape=(4, 4))
    assert partwise.fit(X, 1, max_iter=3).w.shape == (4, 1)


def limited(code, address_space=None):
    """What code prints in an interpreter of its own with so many bytes of addresses beyond those it has."""
    limit = f"""
        import resource
        from pathlib import Path
        has = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (has + {address_space}, has + {address_space}))
    """
    script = f"""
        import numpy as np, scipy.sparse as sp, partwise
        from partwise import NMF, MiniBatchNMF, _native
        {textwrap.indent(textwrap.dedent(limit), "        ").strip() if address_space else ""}
        def refused(work):
            try:
                work()
            except MemoryError as error:
                print("MemoryError", str(error)[:60])
            else:
                print("done")
        {textwrap.indent(textwrap.dedent(code), "        ").strip()}
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, (done.returncode, done.stderr[-2000:])
    return done.stdout.splitlines()


LINUX = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="asks Linux for memory")


@LINUX
@pytest.mark.parametrize("address_space", [None, 6 << 30])
def test_a_rank_that_does_not_fit_is_a_memory_error(address_space):
    lines = limited(
        """
        for n in (10, 1000):
            for rank in (10**6, 10**9, 2**63):
                refused(lambda: partwise.fit(np.ones((n, n)), rank))
                refused(lambda: NMF(rank, init="random").fit(np.ones((n, n))))
                refused(lambda: MiniBatchNMF(rank, init="random").fit(np.ones((n, n))))
        """,
        address_space,
    )
    assert len(lines) == 18
    assert all(line.startswith("MemoryError") for line in lines), lines


@LINUX
def test_a_shape_that_does_not_fit_is_a_memory_error():
    lines = limited(
        """
        def wide(n, dtype, m=1):
            return sp.coo_array((np.ones(1, dtype), ([0], [n - 1])), shape=(m, n)).tocsr()
        def native(x):
            return x.format, x.shape, x.indptr, x.indices, x.data
        for loss in ("frobenius", "kl", 1.5):
            refused(lambda: partwise.fit(wide(2**31, "f4", 3), 1, loss=loss))
            refused(lambda: partwise.fit(wide(2 * 10**8, "f4"), 1, loss=loss))
        X, h = wide(10**8, "f4"), np.ones((1, 10**8), "f4")
        refused(lambda: _native.transform(native(X), h))
        refused(lambda: _native.verify(native(X), np.ones((1, 1), "f4"), h))
        refused(lambda: _native.Online(h).step(native(X)))
        refused(lambda: partwise.fit(sp.coo_array(([1.0], ([0], [0])), shape=(2**40, 3)), 1))
        refused(lambda: MiniBatchNMF(1, init="random").fit(wide(2 * 10**9, "f4")))
        """,
        4 << 30,
    )
    assert len(lines) == 11
    assert all(line.startswith("MemoryError") for line in lines), lines


@LINUX
def test_what_fits_is_not_refused():
    lines = limited(
        """
        refused(lambda: partwise.fit(np.random.default_rng(0).random((2000, 2000)), 100, max_iter=1))
        X = sp.random_array((200_000, 1000), density=0.005, rng=0, format="csr")
        refused(lambda: partwise.fit(X, 20, max_iter=1))
        refused(lambda: partwise.fit(X, 20, max_iter=1, loss="kl"))
        """,
        2 << 30,
    )
    assert lines == ["done"] * 3


def swept(call, setup, step):
    """What becomes of an expression with ever more addresses: "M" for MemoryError, until it is done twice."""
    (ends,) = limited(
        f"""
        import resource
        from pathlib import Path
        def left(mebibytes):
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            limit = pages * resource.getpagesize() + (mebibytes << 20)
            resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
        def native(x):
            return x.format, x.shape, x.indptr, x.indices, x.data
        {textwrap.indent(textwrap.dedent(setup), "        ").strip()}
        ends = ""
        for mebibytes in range(40, 2000, {step}):
            left(mebibytes)
            try:
                {call}
                ends += "."
            except MemoryError:
                ends += "M"
            if ends.endswith(".."):
                break
        print(ends)
        """
    )
    return ends


# Factors of 36 MB each: what is smaller is made without a question.
FACTORS = """
    n, k = 1_100_000, 4
    X = sp.csr_array((np.ones(n, "f4"), (np.arange(n) % 3, np.arange(n))), shape=(3, n)).tocsr()
    w, h, v = np.ones((3, k)), np.ones((k, n)), np.ones(n)
    X = X.astype("f8")
    learnt = _native.Online(h)
"""


@LINUX
@pytest.mark.parametrize(
    "call",
    [
        "_native.fit(native(X), k, w=w, h=h, max_iter=1, threads=1)",
        "_native.fit(native(X.T.tocsr()), k, w=h.T, h=w.T, loss='kl', max_iter=1, threads=1)",
        "_native.fit(native(X), k, column_weights=v, missing=native(X), max_iter=1, threads=1)",
        "_native.fit(native(X), k, weights=native(X.tocsc()), rule='mu', max_iter=1, threads=1)",
        "_native.transform(native(X.tocsc()), h, column_weights=v, threads=1)",
        "_native.verify(native(X), w, h, weights=native(X.tocsc()), column_weights=v)",
        "setattr(learnt, 'numerator', h)",
    ],
)
def test_however_little_is_left_a_call_ends_or_is_refused(call):
    ends = swept(call, FACTORS, 29)
    assert ends.startswith("M"), ends
    assert ends.endswith(".."), ends


@LINUX
def test_calls_that_nobody_would_make(tmp_path):
    script = Path(__file__).with_name("fuzz.py")
    command = [sys.executable, script, "--seconds", "10", "--folder", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
