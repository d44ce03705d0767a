"""scikit-learn's own tests of NMF, run against partwise.

The file ``sklearn/decomposition/tests/test_nmf.py`` of the installed scikit-learn is loaded with
its three public names replaced by ours. What it takes from private functions stays
scikit-learn's. ``exceptions.tsv`` names the tests that then test scikit-learn alone, and those
that cannot pass, with the reason.
"""

import importlib.util
from pathlib import Path

import pytest

import partwise

OURS = ("NMF", "MiniBatchNMF", "non_negative_factorization")
TABLE = Path(__file__).with_name("exceptions.tsv")


def _exceptions():
    """Return {name of test: (kind, reason)}."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()[1:]
    return {name: (kind, why) for name, kind, why in (line.split("\t") for line in lines)}


def _load():
    """Return scikit-learn's test module, with our names where its tests look for them."""
    package = importlib.util.find_spec("sklearn.decomposition")
    folder = Path(next(iter(package.submodule_search_locations)))
    path = folder / "tests" / "test_nmf.py"
    spec = importlib.util.spec_from_file_location("sklearn_test_nmf", path)
    module = importlib.util.module_from_spec(spec)
    decomposition = importlib.import_module("sklearn.decomposition")
    # The marks of the tests hold the classes too, so they are replaced before the file is read.
    with pytest.MonkeyPatch.context() as patch:
        for name in OURS:
            patch.setattr(decomposition, name, getattr(partwise, name))
        spec.loader.exec_module(module)
    return module


THEIRS = _load()
EXCEPTIONS = _exceptions()


def _marked(name, test):
    kind, why = EXCEPTIONS.get(name, ("", ""))
    if kind == "cannot pass":
        return pytest.mark.xfail(reason=why, strict=True)(test)
    return test


globals().update(
    {name: _marked(name, test) for name, test in vars(THEIRS).items() if name.startswith("test_")}
)


def test_the_file_uses_our_classes():
    assert THEIRS.NMF is partwise.NMF
    assert THEIRS.MiniBatchNMF is partwise.MiniBatchNMF
    assert THEIRS.non_negative_factorization is partwise.non_negative_factorization


def test_exceptions_name_tests_that_exist():
    assert set(EXCEPTIONS) <= set(vars(THEIRS))
    assert {kind for kind, _ in EXCEPTIONS.values()} <= {"private only", "cannot pass"}
