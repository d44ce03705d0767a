"""scikit-learn's checks of estimators: every one passes, none is expected to fail."""

import inspect

import numpy as np
import pytest
from sklearn.utils.estimator_checks import check_estimator, check_param_validation

from partwise import NMF, MiniBatchNMF, non_negative_factorization

# As scikit-learn makes its own classes for these checks.
ESTIMATORS = [NMF(max_iter=500), MiniBatchNMF(batch_size=10, max_iter=20, fresh_restarts=True)]
# As anybody else would.
DEFAULTS = [
    NMF(),
    NMF(n_components=2, n_init=3),
    # One of these checks compares what fit_transform gives with transform, and a fit by "mu" that has
    # settled is not stationary: with the default tol it fails for scikit-learn's class too.
    NMF(2, solver="mu", max_iter=2000, tol=1e-5),
    MiniBatchNMF(2, fresh_restarts=True),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("estimator", ESTIMATORS + DEFAULTS, ids=repr)
def test_check_estimator(estimator):
    results = check_estimator(estimator, on_fail=None, on_skip=None)
    failed = {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"}
    assert not failed
    assert {r["status"] for r in results} <= {"passed", "skipped"}
    assert not any(r["expected_to_fail"] for r in results)
    assert sum(r["status"] == "passed" for r in results) >= 44


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_every_parameter_is_validated(estimator):
    check_param_validation(type(estimator).__name__, estimator)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_invalid_values_are_refused_with_scikit_learns_text(estimator):
    for name, constraints in type(estimator)._parameter_constraints.items():
        if constraints == ["random_state"]:
            continue
        bad = type(name, (), {})()
        match = f"The '{name}' parameter of {type(estimator).__name__} must be"
        with pytest.raises(ValueError, match=match):
            type(estimator)(**{name: bad}).fit(np.ones((3, 2)))


def test_the_function_validates_as_the_class():
    """scikit-learn's `test_class_wrapper_param_validation`."""
    theirs = pytest.importorskip("sklearn.tests.test_public_functions")
    names = list(inspect.signature(non_negative_factorization).parameters)
    constraints = {
        **NMF._parameter_constraints,
        **non_negative_factorization._skl_parameter_constraints,
    }
    theirs._check_function_param_validation(
        non_negative_factorization,
        "non_negative_factorization",
        names,
        ["X"],
        {name: rule for name, rule in constraints.items() if name in names},
    )
