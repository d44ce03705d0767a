"""The keywords of `fit` in scikit-learn's spelling."""

import os
from typing import Any, TypedDict

import numpy as np

#: What scikit-learn calls them, and what they are called here.
_SAME = {
    "n_components": "rank",
    "beta_loss": "loss",
    "solver": "rule",
    "random_state": "seed",
    "n_jobs": "threads",
    "callbacks": "callback",
    "W": "w",
    "H": "h",
    "sample_weight": "row_weights",
}

#: A seed that is drawn is below this.
_SEEDS = 2**63 - 1


class Spelled(TypedDict, total=False):
    """The keywords of `fit` as scikit-learn spells them."""

    n_components: int
    beta_loss: str | float
    solver: str | None
    random_state: Any
    n_jobs: int | None
    callbacks: Any
    W: Any
    H: Any
    sample_weight: Any


def respelled(given: dict[str, Any], spelled: dict[str, Any]) -> dict[str, Any]:
    """What was given under either name, by the names used here.

    Parameters
    ----------
    given : dict
        Keywords by the names used here, with None for those that were not given.
    spelled : dict
        Keywords by scikit-learn's names.

    Raises
    ------
    TypeError
        For a keyword that there is not, or one that is given under both names.
    """
    found = dict(given)
    for name, value in spelled.items():
        ours = _SAME.get(name)
        if ours is None:
            raise TypeError(f"fit() got an unexpected keyword argument {name!r}")
        if found[ours] is not None:
            raise TypeError(f"fit() got both {ours} and {name}, which are the same")
        found[ours] = _READ.get(name, _as_it_is)(value)
    found["loss"] = "frobenius" if found["loss"] is None else found["loss"]
    found["seed"] = 0 if found["seed"] is None else found["seed"]
    found["threads"] = 0 if found["threads"] is None else found["threads"]
    return found


def rank_of(w: Any, h: Any) -> int:
    """The number of components of factors that were given.

    Raises
    ------
    TypeError
        If none was.
    """
    for factor, axis in ((w, 1), (h, 0)):
        shape = np.shape(factor)
        if factor is not None and len(shape) == 2:
            return int(shape[axis])
    text = (
        "rank = None: expected a whole number, as rank or n_components, or w or h to take it from"
    )
    raise TypeError(text)


def _as_it_is(given: Any) -> Any:
    return given


def _seed(given: Any) -> Any:
    """The seed that stands for a random state: a Generator or RandomState draws one."""
    if isinstance(given, np.random.Generator):
        return int(given.integers(_SEEDS))
    if isinstance(given, np.random.RandomState):
        return int(given.randint(_SEEDS, dtype=np.int64))
    return given


def _rule(given: Any) -> Any:
    return None if given == "auto" else given


def _threads(given: Any) -> Any:
    """How many threads: 0 for -1, and for -2 one less than there are."""
    if not isinstance(given, int) or given >= 0:
        return given
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    return 0 if given == -1 else max(1, cores + 1 + given)


def _callback(given: Any) -> Any:
    """One function that calls all of them, each time each; it returns True if one did."""
    if given is None or callable(given):
        return given
    functions = list(given)
    return lambda progress: any([function(progress) for function in functions])


#: What scikit-learn takes under some names beyond what is taken here.
_READ = {"random_state": _seed, "solver": _rule, "n_jobs": _threads, "callbacks": _callback}
