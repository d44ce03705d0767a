"""Every row of bad_input.tsv, in a process of its own so that a crash would be seen."""

import copy
import json
import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest

TABLE = Path(__file__).with_name("bad_input.tsv")


def rows():
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            fields = line.split("\t")
            assert len(fields) == 4, line
            yield fields


ALL = list(rows())
ROWS = [row for row in ALL if row[2] != "TEST"]
ELSEWHERE = sorted({row[1] for row in ALL if row[2] == "TEST"})


def names():
    import numpy as np
    import pandas as pd
    import polars as pl
    import scipy.sparse as sp

    import partwise

    class Big:
        def __repr__(self):
            return "x" * 10**6

    def compressed(kind):
        def make(indptr, indices, data, shape, dtype=np.int32):
            # Assigned afterwards, because SciPy checks what its constructor is given.
            X = kind(shape, dtype=float)
            given = lambda array: array if isinstance(array, np.ndarray) else np.array(array, dtype)
            X.indptr, X.indices, X.data = given(indptr), given(indices), np.array(data, float)
            return X

        return make

    return {
        "pickle": pickle, "copy": copy, "np": np, "pd": pd, "pl": pl, "sp": sp, "partwise": partwise, "fit": partwise.fit,
        "native": partwise._native, "X": np.arange(1.0, 21.0).reshape(5, 4), "big": Big(),
        "csr": compressed(sp.csr_array), "csc": compressed(sp.csc_array),
    }  # fmt: skip


def outcome(expression, known):
    """The type and the text of what an expression raises or gives."""
    import partwise

    try:
        result = eval(expression, dict(known))
    except Exception as error:
        kinds = [kind.__name__ for kind in type(error).__mro__]
        internal = isinstance(error, partwise.InternalError)
        return {"kinds": kinds, "text": str(error), "internal": internal}
    return {"kinds": ["OK"], "text": repr(result), "internal": False}


def main():
    known = names()
    for at, (_, expression, _, _) in enumerate(ROWS):
        print(json.dumps({"at": at, **outcome(expression, known)}), flush=True)


@pytest.fixture(scope="module")
def outcomes():
    done = subprocess.run([sys.executable, __file__], capture_output=True, text=True, timeout=300)
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"at"')]
    if done.returncode != 0 or len(found) < len(ROWS):
        row = ROWS[min(len(found), len(ROWS) - 1)]
        pytest.fail(f"died with {done.returncode} at {row}\n{done.stderr[-2000:]}")
    return found


IDS = [f"{row[0]}-{at}" for at, row in enumerate(ROWS)]


@pytest.mark.parametrize("at", range(len(ROWS)), ids=IDS)
def test_row(outcomes, at):
    _, expression, kind, says = ROWS[at]
    found = outcomes[at]
    shown = f"{expression}\n{found['kinds'][0]}: {found['text'][:600]}"
    assert any(re.fullmatch(kind, name) for name in found["kinds"]), shown
    assert not found["internal"], shown
    assert re.search(says, found["text"], re.DOTALL), shown
    assert kind == "OK" or len(found["text"]) <= 500, shown


def test_every_case_of_the_bindings_has_a_row():
    assert {f"P{number:02}" for number in range(1, 24)} <= {row[0] for row in ALL}


@pytest.fixture(scope="module")
def collected():
    """Return the tests that pytest finds in the files that rows name."""
    # From the folder of the settings, so that names are those of a plain `pytest`.
    folder = TABLE.parents[1]
    files = sorted({f"tests/{name.split('::')[0]}" for name in ELSEWHERE})
    asked = [sys.executable, "-P", "-m", "pytest", "--collect-only", "-q", *files]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=300, cwd=folder)
    names = (line.split("[")[0] for line in done.stdout.splitlines() if "::" in line)
    return {name.removeprefix("tests/") for name in names}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_the_test_that_a_row_names_exists(collected, name):
    assert name in collected


if __name__ == "__main__":
    main()
