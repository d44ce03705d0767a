"""Non-negative matrix factorization: X ≈ W·H with every entry ≥ 0.

``partwise.fit(X, rank)`` gives a :class:`Result` with the factors, how the fit ended, and a
certificate of how far it is from a stationary point. ``partwise.NMF`` has the interface of
scikit-learn's class of that name and needs scikit-learn to be installed.
"""

from typing import TYPE_CHECKING, Any

from partwise._absent import loaded
from partwise._batches import Online
from partwise._caller import FitWarning
from partwise._fit import Result, fit, losses, rules, starts
from partwise._native import InternalError, __version__

if TYPE_CHECKING:
    from partwise._functional import non_negative_factorization
    from partwise._minibatch import MiniBatchNMF
    from partwise._nmf import NMF

__all__ = [
    "NMF",
    "FitWarning",
    "InternalError",
    "MiniBatchNMF",
    "Online",
    "Result",
    "__version__",
    "fit",
    "losses",
    "non_negative_factorization",
    "rules",
    "starts",
]

# What needs scikit-learn is loaded when it is first asked for.
_LATER = {
    "NMF": "partwise._nmf",
    "non_negative_factorization": "partwise._functional",
    "MiniBatchNMF": "partwise._minibatch",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'partwise' has no attribute {name!r}")
    value = globals()[name] = loaded(name, _LATER[name])
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
