"""Pickles: what is in them, and which of them are read."""

import io
import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest

import partwise

STORED = Path(__file__).with_name("stored")
X = np.random.default_rng(5).random((12, 7)) + 0.1


def fitted():
    pytest.importorskip("sklearn")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        classes = [partwise.NMF, partwise.MiniBatchNMF]
        models = [kind(3, init="random", random_state=0, max_iter=20).fit(X) for kind in classes]
    return [*models, partwise.fit(X, 3, max_iter=20)]


class Listing(pickle.Unpickler):
    """Notes what a pickle asks to be imported."""

    def __init__(self, data):
        super().__init__(io.BytesIO(data))
        self.asked = set()

    def find_class(self, module, name):
        self.asked.add((module.split(".")[0], name))
        return super().find_class(module, name)


@pytest.mark.parametrize("at", range(3))
def test_a_pickle_imports_our_class_and_what_makes_arrays(at):
    model = fitted()[at]
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        listing = Listing(pickle.dumps(model, protocol=protocol))
        copy = listing.load()
        assert np.array_equal(copy.transform(X), model.transform(X))
        allowed = {
            ("partwise", type(model).__name__),
            ("builtins", "bytearray"),
            ("_codecs", "encode"),
        }
        allowed |= {
            ("copyreg", "__newobj__"),
            ("copyreg", "_reconstructor"),
            ("builtins", "object"),
        }
        arrays = {"_reconstruct", "ndarray", "dtype", "scalar", "_frombuffer"}
        rest = {(module, name) for module, name in listing.asked - allowed}
        assert rest <= {("numpy", name) for name in arrays}, rest


def test_the_version_is_recorded_and_a_newer_one_refused_with_both():
    for model in fitted():
        state = model.__getstate__()
        assert state["_partwise_version"] == partwise.__version__
        assert "_partwise_version" not in vars(pickle.loads(pickle.dumps(model)))
        state["_partwise_version"] = "999.1.0"
        blank = type(model).__new__(type(model))
        name = type(model).__name__
        with pytest.raises(ValueError, match=rf"this {name} .*999\.1\.0.*{partwise.__version__}"):
            blank.__setstate__(state)


@pytest.mark.parametrize("path", sorted(STORED.glob("*.pickle")), ids=lambda path: path.stem)
def test_files_of_every_release_are_read(path):
    pytest.importorskip("sklearn")
    with path.open("rb") as file:
        models, W = pickle.load(file)
    assert len(models) == len(W) == 3
    for model, w in zip(models, W):
        assert np.allclose(model.transform(X), w, rtol=1e-9, atol=1e-12)


def test_this_release_has_a_file():
    minor = ".".join(partwise.__version__.split(".")[:2])
    assert (STORED / f"{minor}.pickle").exists(), "run this file to write it"


if __name__ == "__main__":
    models = fitted()
    minor = ".".join(partwise.__version__.split(".")[:2])
    STORED.mkdir(exist_ok=True)
    with (STORED / f"{minor}.pickle").open("wb") as file:
        pickle.dump((models, [model.transform(X) for model in models]), file, protocol=4)
