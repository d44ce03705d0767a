"""Types, warnings and pickles as a caller meets them."""

import pickle
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline

from partwise import NMF, MiniBatchNMF, non_negative_factorization

X = np.random.default_rng(0).random((12, 8))

TYPED = """\
import numpy as np
from partwise import NMF, MiniBatchNMF, fit

model = NMF(3, solver="auto", n_init=4).fit(np.ones((4, 4)))
W = model.transform(np.ones((4, 4)))
shape: tuple[int, ...] = model.components_.shape
share: float = model.reconstruction_err_
steps: int = MiniBatchNMF(2, batch_size=4).fit(np.ones((4, 4))).n_steps_
residual: float = fit(np.ones((4, 4)), 2).kkt_residual
NMF(3, n_inits=4)
NMF(3, solver="hals")
"""


@pytest.mark.parametrize("checker", [["mypy", "--strict"], ["basedpyright", "--level", "error"]])
def test_type_checkers_know_the_classes(tmp_path, checker):
    program = shutil.which(checker[0], path=str(Path(sys.executable).parent))
    assert program, f"{checker[0]} is not installed"
    python = "--python-executable" if checker[0] == "mypy" else "--pythonpath"
    (tmp_path / "typed.py").write_text(TYPED)
    (tmp_path / "pyrightconfig.json").write_text('{"typeCheckingMode": "standard"}')
    run = subprocess.run(
        [program, *checker[1:], python, sys.executable, "typed.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    lines = [line for line in run.stdout.splitlines() if "typed.py:" in line and "error" in line]
    places = {int(line.partition("typed.py:")[2].partition(":")[0]) for line in lines}
    assert places == {10, 11}, run.stdout + run.stderr


def warned(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return caught


@pytest.mark.parametrize(
    "call",
    [
        lambda: NMF(3, max_iter=1).fit(X),
        lambda: NMF(3, max_iter=1).fit_transform(X),
        lambda: NMF(3, solver="mu", max_iter=2).fit(X),
        lambda: make_pipeline(NMF(3, max_iter=1)).fit(X),
        lambda: MiniBatchNMF(3, max_iter=1).fit(X),
        lambda: non_negative_factorization(X, n_components=3, max_iter=1),
        lambda: non_negative_factorization(X, X[:, :3], X[:3], update_H=False),
        lambda: NMF(3).fit_transform(X, W=X[:, :3], H=X[:3]),
    ],
)
def test_a_warning_points_at_the_line_of_the_caller(call):
    caught = warned(call)
    assert caught
    assert {warning.filename for warning in caught} == {__file__}
    assert {warning.lineno for warning in caught} == {call.__code__.co_firstlineno}


def test_the_warning_of_too_few_iterations_tells_what_was_reached():
    model = NMF(3, max_iter=2, tol=1e-7)
    (caught,) = warned(lambda: model.fit(X))
    assert caught.category is ConvergenceWarning
    reached = f"The KKT residual is {model.kkt_residual_:.2g}, tol is 1e-07."
    assert str(caught.message).endswith(reached)


def test_a_fitted_model_with_callbacks_can_be_pickled():
    model = NMF(3, callbacks=lambda progress: None).fit(X)
    again = pickle.loads(pickle.dumps(model))
    assert again.callbacks is None
    assert np.array_equal(again.transform(X), model.transform(X))
    assert model.callbacks is not None
