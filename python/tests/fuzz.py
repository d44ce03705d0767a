"""Calls that nobody would make, on the boundary between Python and the engine.

``python fuzz.py --seconds 60 --seed 1 --folder found`` makes them in processes of their own, in which a
crash, a hang or an abort is seen. The same seed makes the same calls. What is wrong has to be refused
with ValueError, TypeError or MemoryError.

``--replay SEED CALL`` makes one again. A process has had calls before, which leave it less room: what was
left is told with each call that brought one down, and ``--left BYTES`` leaves as much.
"""

import argparse
import os
import resource
import subprocess
import sys
import time
import warnings
from pathlib import Path

#: Address space of a process beyond what it has after the imports.
MEMORY = 3 << 30

#: Seconds after which a call counts as hanging.
PATIENCE = 300

#: Seconds after which a process is begun anew.
LIFE = 120

FORMATS = ["csr", "csc", "coo", "bsr", "lil", "dok", "dia"]
EDGES = [-1, -(2**31), 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**62, 2_000_000_000, -50_000, 10**9]


class Calls:
    """Makes call number ``at`` of a seed."""

    def __init__(self, seed, at):
        import numpy as np

        self.rng = np.random.default_rng([seed, at])

    def chance(self, share):
        return self.rng.random() < share

    def pick(self, among):
        return among[int(self.rng.integers(len(among)))]

    def size(self):
        """Mostly small; now and then one that does not fit."""
        if self.chance(0.1):
            return abs(self.pick([10**5, 10**6, 10**7, 10**8, 10**9, 2**31, 2**40, 2**62, 0]))
        return int(self.rng.integers(1, 9))

    def dense(self, shape):
        import numpy as np

        X = self.rng.random(shape)
        for _ in range(int(self.rng.integers(3)) if self.chance(0.3) else 0):
            X[tuple(self.rng.integers(n) for n in shape)] = self.pick(
                [np.nan, np.inf, -1.0, 0.0, 1e300, 1e-300, 5e-324]
            )
        X = X.astype(self.pick(["f8", "f8", "f4", "f2", "i8", "u1", "?", "c16", "O", ">f8"]))
        if self.chance(0.2):
            X = self.pick([X.T, X[::-1], X[:, ::2], X[:0], X[None], X[0], np.asfortranarray(X)])
        if self.chance(0.05):
            X = np.lib.stride_tricks.as_strided(X, (3, 3), (0, X.itemsize)) if X.size > 3 else X
        if self.chance(0.05):
            X = np.ma.masked_array(X, self.rng.random(X.shape) < 0.2)
        return X

    def sparse(self, shape, kind=float):
        """A matrix of any format, of which parts may be anything."""
        import scipy.sparse as sp

        form = self.pick(FORMATS)
        container = self.pick(["array", "matrix"])
        X = self.rng.random(shape) * (self.rng.random(shape) < 0.4)
        X = getattr(sp, f"{form}_{container}")(X.astype(kind))
        for _ in range(int(self.rng.integers(3))):
            self.tamper(X)
        return X

    def tamper(self, X):
        import numpy as np

        value = self.pick(EDGES)
        parts = {
            "csr": ["indptr", "indices", "data"],
            "csc": ["indptr", "indices", "data"],
            "bsr": ["indptr", "indices", "data"],
            "coo": ["row", "col", "data"],
            "dia": ["offsets", "data"],
            "lil": ["rows", "data"],
            "dok": [],
        }[X.format]
        if X.format == "dok":
            keys = [(value, 0), (0, value), (1.5, 0), (0,), "x"]
            X._dict[self.pick(keys)] = 1.0
            return
        if self.chance(0.1):
            X._shape = (self.size(), self.size())
            return
        part = self.pick(parts)
        array = getattr(X, part)
        if not len(array):
            return
        at = int(self.rng.integers(len(array)))
        if X.format == "lil":
            row = array[at]
            change = self.pick(["longer", "value", "other"])
            if change == "longer":
                row.append(value)
            elif change == "value" and row:
                row[0] = value
            else:
                array[at] = self.pick([None, (1, 2), "x", [float("nan")]])
            return
        change = self.pick(["value", "value", "shorter", "longer", "dtype", "ndim", "other"])
        if change == "value" and array.dtype.kind in "iu":
            limits = np.iinfo(array.dtype)
            array[at] = min(max(value, limits.min), limits.max)
            return
        changed = {
            "shorter": array[:-1],
            "longer": np.concatenate([array, array]),
            "dtype": array.astype(self.pick(["i8", "f8", "u2", "?", ">i4"])),
            "ndim": array[None],
            "other": self.pick([None, [0, 1], "x", array[::-1]]),
        }.get(change, array)
        name = {"row": "coords", "col": "coords"}.get(part, part)
        if name == "coords":
            changed = (changed, X.col) if part == "row" else (X.row, changed)
        setattr(X, name, changed)

    def matrix(self, shape, kind=float):
        return self.sparse(shape, kind) if self.chance(0.6) else self.dense(shape)

    def options(self):
        """Keywords of ``partwise.fit``."""
        all_options = {
            "loss": [
                "frobenius",
                "kl",
                "is",
                1.5,
                3,
                -1.0,
                "huber:0.5",
                "x",
                float("nan"),
                10**400,
            ],
            "rule": ["hals", "mu", "bpp", "sn", "pgd", "als", "mue", "jmm", "x", None],
            "init": ["random", "nndsvd", "nndsvda", "spa", "x"],
            "n_init": [1, 2, 0, -1, 10**12, 2**63, 1.5],
            "seed": [0, 2**64 - 1, -1, 2**64],
            "tol": [0.0, 1e-4, float("nan"), -1.0, 1e400],
            "sweeps": [1, 3, 0],
            "plain": [0, 1, 10**9, -1],
            "threads": [0, 1, 2, -1],
            "w_l1": [0.0, 1.0, 1e300, -1.0, float("inf")],
            "h_l2": [0.0, 1.0, 1e300, 5e-324],
            "fixed": ["w", "h", "x"],
            "missing": ["nan", "absent", "x"],
            "dtype": ["float32", "float64", "int8"],
        }
        chosen = [name for name in all_options if self.chance(0.12)]
        return {name: self.pick(all_options[name]) for name in chosen}

    def make(self):
        """One call; whatever it returns is looked at."""
        import partwise

        kind = self.pick(
            ["fit", "fit", "fit", "beside", "result", "class", "batches", "native", "wide"]
        )
        return getattr(self, kind)(partwise)

    def fit(self, partwise):
        shape = int(self.rng.integers(1, 30)), int(self.rng.integers(1, 20))
        rank = self.size() if self.chance(0.5) else 2
        partwise.fit(self.matrix(shape), rank, max_iter=5, time_limit=20, **self.options())

    def beside(self, partwise):
        shape = int(self.rng.integers(2, 30)), int(self.rng.integers(2, 20))
        X = self.matrix(shape) if self.chance(0.5) else self.rng.random(shape)
        beside = {
            "weights": self.matrix(shape),
            "missing": self.sparse(shape, bool),
            "w": self.dense((shape[0], 2)),
            "h": self.sparse((2, shape[1])),
            "row_weights": self.dense((1, shape[0]))[0],
            "column_weights": self.dense((1, shape[1])),
        }
        names = [name for name in beside if self.chance(0.35)]
        options = {**self.options(), **{name: beside[name] for name in names}}
        partwise.fit(X, 2, max_iter=5, time_limit=20, **options)

    def result(self, partwise):
        shape = 12, 9
        found = partwise.fit(self.rng.random(shape), 2, max_iter=2)
        X = self.matrix(self.pick([shape, shape, (3, 9), (12, 8), (1, 1)]))
        given = {}
        if self.chance(0.4):
            given["missing"] = self.sparse(X.shape[:2] if X.ndim == 2 else shape, bool)
        if self.chance(0.3):
            given["weights"] = self.matrix(shape)
        self.pick([found.transform, found.verify])(X, **given)

    def estimator(self, partwise):
        make = self.pick([partwise.NMF, partwise.MiniBatchNMF])
        options = {
            "init": self.pick([None, "random", "nndsvd"]),
            "beta_loss": "frobenius",
            "max_iter": 3,
            "time_limit": 20,
            "alpha_W": self.pick([0.0, 0.0, 1.0, 1e300]),
        }
        if make is partwise.NMF and self.chance(0.4):
            options.update(
                solver=self.pick(["mu", "auto"]), beta_loss=self.pick(["kullback-leibler", 1.5])
            )
        return make(self.pick([self.size(), 2, "auto", None]), **options)

    def __getattr__(self, name):
        if name == "class":
            return self.of_class
        raise AttributeError(name)

    def of_class(self, partwise):
        shape = int(self.rng.integers(2, 30)), int(self.rng.integers(2, 20))
        model = self.estimator(partwise)
        if self.chance(0.5):
            model.set_params(n_components=2).fit(self.rng.random(shape))
            call = self.pick([model.transform, model.score, model.inverse_transform])
            call(self.matrix(shape if self.chance(0.7) else (4, 2)))
        else:
            model.fit_transform(self.matrix(shape))

    def batches(self, partwise):
        shape = int(self.rng.integers(2, 30)), int(self.rng.integers(2, 20))
        model = partwise.MiniBatchNMF(self.size(), init="random")
        for _ in range(3):
            model.partial_fit(self.matrix(shape))

    def native(self, partwise):
        """The tuple that the engine takes, as nobody should hand it over."""
        import numpy as np

        from partwise import _native

        m, n = int(self.rng.integers(1, 9)), int(self.rng.integers(1, 9))
        indptr = np.sort(self.rng.integers(0, 12, m + 1)).astype(self.pick(["i4", "i8"]))
        indptr[0] = 0
        indices = self.rng.integers(0, n, int(indptr[-1])).astype(self.pick(["i4", "i8"]))
        values = self.rng.random(len(indices)).astype(self.pick(["f4", "f8"]))
        if len(indices) and self.chance(0.5):
            array = self.pick([indptr, indices])
            array[int(self.rng.integers(len(array)))] = self.pick([-1, 2**31 - 1, 10**9, 13])
        if self.chance(0.1):
            m = self.size()
        if self.chance(0.3):
            n = self.size()
        x = self.pick(["csr", "csc", "coo"]), (m, n), indptr, indices, values
        k = 2
        h = np.ones((k, min(n, 10**6)), values.dtype)
        call = self.pick(["fit", "transform", "verify", "online"])
        if call == "fit":
            _native.fit(x, self.size(), max_iter=2)
        elif call == "transform":
            _native.transform(x, h)
        elif call == "verify":
            _native.verify(x, np.ones((min(m, 10**6), k), values.dtype), h)
        else:
            _native.Online(h).step(x)

    def wide(self, partwise):
        """Sparse shapes that no dense array could have."""
        import numpy as np
        import scipy.sparse as sp

        m, n = self.pick([(1, self.size()), (self.size(), 3), (3, 2**31), (2, 2**32 - 1)])
        m, n = max(m, 1), max(n, 1)
        dtype = self.pick(["f4", "f8"])
        form = self.pick([sp.coo_array, sp.csr_array, sp.csc_array, sp.dok_array])
        if form is not sp.coo_array and max(m, n) > 10**8:
            # SciPy itself could not hold it.
            form = sp.csr_array if m < 10**6 else sp.coo_array
        X = sp.coo_array((np.ones(1, dtype), ([0], [n - 1])), shape=(m, n))
        X = X if form is sp.coo_array else form(X)
        call = self.pick(["fit", "kl", "class", "batches"])
        if call in ("fit", "kl"):
            loss = "frobenius" if call == "fit" else "kl"
            partwise.fit(X, self.pick([1, 3]), loss=loss, max_iter=2, time_limit=20)
        elif call == "class":
            partwise.NMF(1, init="random", max_iter=2).fit(X)
        else:
            partwise.MiniBatchNMF(1, init="random", max_iter=1).fit(X)


def addresses():
    """Bytes of addresses that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def work(seed, first, seconds, notes, only=False, left=MEMORY):
    """Make calls until the time is over, noting each before it is made."""
    import numpy
    import scipy.sparse  # noqa: F401

    import partwise
    from partwise import NMF  # noqa: F401

    warnings.simplefilter("ignore")
    numpy.seterr(all="ignore")
    most = addresses() + left
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    expected = (ValueError, TypeError, MemoryError)
    at, end, done, refused = first, time.monotonic() + seconds, 0, 0

    def note(at, left):
        os.pwrite(notes, "".join(f"{n:>20} " for n in (at, done, refused, left)).encode(), 0)

    while only or time.monotonic() < end:
        note(at, most - addresses())
        calls = Calls(seed, at)
        try:
            calls.make()
            done += 1
        except partwise.InternalError:
            raise
        except expected as error:
            refused += 1
            if only:
                print(type(error).__name__, error)
        except Exception as error:
            # SciPy and scikit-learn may stumble over what is no matrix before anything is ours.
            frames = []
            step = error.__traceback__
            while step is not None:
                frames.append(step.tb_frame.f_code.co_filename)
                step = step.tb_next
            if "partwise" in frames[-1] or any("_native" in name for name in frames):
                raise
            refused += 1
            if only:
                print(type(error).__name__, error)
        at += 1
        if only:
            return
    note(at - 1, 0)


def run(seconds, seed, folder):
    """Run processes until the time is over; return how many calls brought one down."""
    folder.mkdir(parents=True, exist_ok=True)
    notes = folder / "python.notes"
    end, first, found = time.monotonic() + seconds, 0, 0
    totals = [0, 0]
    told = time.monotonic()
    while (left := end - time.monotonic()) > 0:
        notes.write_text("")
        share = min(left, LIFE)
        own = [str(seed), str(first), str(share), str(notes)]
        command = [sys.executable, __file__, "--work", *own]
        with (folder / "python.stderr").open("w+b") as said:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said)
            status = _wait(process, notes, share)
            said.seek(0)
            text = said.read().decode(errors="replace")[-1500:]
        numbers = [int(word) for word in notes.read_text().split()]
        if len(numbers) < 4:
            print(f"a process left no notes: {status}\n{text}", file=sys.stderr)
            return found + 1
        totals = [totals[0] + numbers[1], totals[1] + numbers[2]]
        first = numbers[0] + 1
        if status != 0:
            found += 1
            again = f"fuzz.py --replay {seed} {numbers[0]} --left {numbers[3]}"
            line = f"python: {status}: {again}\n{text}\n"
            print(line, file=sys.stderr, flush=True)
            (folder / f"python-{seed}-{numbers[0]}").write_text(line)
        if time.monotonic() - told > 300:
            told = time.monotonic()
            print(f"so far: {first} calls, {found} found", flush=True)
    print("| target | seconds | calls | done | refused | found |")
    print("|---|---|---|---|---|---|")
    print(f"| python | {seconds:g} | {first} | {totals[0]} | {totals[1]} | {found} |", flush=True)
    return found


def _wait(process, notes, share):
    """How a process ended: its code, or "hang"."""
    last, since = "", time.monotonic()
    while True:
        try:
            return process.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            now = notes.read_text()
            if now != last:
                last, since = now, time.monotonic()
            elif time.monotonic() - since > PATIENCE:
                process.kill()
                process.wait()
                return "hang"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path("found"))
    parser.add_argument("--work", nargs=4, help=argparse.SUPPRESS)
    parser.add_argument("--replay", nargs=2, type=int, metavar=("SEED", "CALL"))
    parser.add_argument("--left", type=int, default=MEMORY, metavar="BYTES")
    args = parser.parse_args()
    if args.work:
        seed, first, seconds, notes = args.work
        work(int(seed), int(first), float(seconds), os.open(notes, os.O_WRONLY))
    elif args.replay:
        notes = os.open(os.devnull, os.O_WRONLY)
        work(*args.replay, 0, notes, only=True, left=args.left)
    else:
        sys.exit(min(run(args.seconds, args.seed, args.folder), 1))


if __name__ == "__main__":
    main()
