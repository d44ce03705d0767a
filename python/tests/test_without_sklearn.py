"""The package where scikit-learn is not installed."""

import subprocess
import sys

import pytest

HIDDEN = """
import sys
sys.modules.update(dict.fromkeys(["sklearn", "joblib", "sklearn.base"]))
import inspect, pydoc, partwise
"""


def run(program):
    return subprocess.run(
        [sys.executable, "-c", HIDDEN + program], capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    "program",
    [
        "from partwise import *",
        "from partwise import NMF, MiniBatchNMF, non_negative_factorization",
        "assert hasattr(partwise, 'NMF')",
        "pydoc.render_doc(partwise)",
        "assert 'NMF' in dict(inspect.getmembers(partwise))",
        "assert partwise.fit([[1.0, 2.0], [2.0, 4.0]], 1).relative_error < 1e-6",
        "assert not isinstance(3, partwise.NMF)",
    ],
)
def test_nothing_breaks_that_does_not_need_it(program):
    found = run(program)
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize(
    "program", ["partwise.NMF(3)", "partwise.MiniBatchNMF(n_components=2)",
                "partwise.non_negative_factorization([[1.0]])"]
)  # fmt: skip
def test_what_needs_it_says_what_to_install(program):
    found = run(program)
    name = program.partition("(")[0]
    text = found.stderr.splitlines()[-1]
    assert text.startswith(f"ImportError: {name} needs scikit-learn"), found.stderr
    assert "pip install 'partwise[sklearn]'" in text


def test_another_fault_of_an_import_is_not_hidden():
    found = run("import partwise._absent as a; a.loaded('NMF', 'partwise._not_there')")
    assert "ModuleNotFoundError: No module named 'partwise._not_there'" in found.stderr
