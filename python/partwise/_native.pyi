"""The engine. Arrays are borrowed for the length of a call."""

from collections.abc import Callable
from typing import Any, Literal, Self, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

_Sparse: TypeAlias = tuple[str, tuple[int, int], NDArray[Any], NDArray[Any], NDArray[Any]]
_Matrix: TypeAlias = NDArray[np.float32] | NDArray[np.float64] | _Sparse
_Factor: TypeAlias = NDArray[np.float32] | NDArray[np.float64]

__all__ = [
    "LOSSES",
    "RULES",
    "STARTS",
    "Fit",
    "InternalError",
    "Online",
    "__version__",
    "_panic_for_test",
    "check_memory",
    "fit",
    "supports",
    "svd_start",
    "transform",
    "verify",
]

__version__: str
RULES: dict[str, str]
LOSSES: dict[str, str]
STARTS: dict[str, str]

class InternalError(RuntimeError): ...

@final
class Fit:
    w: Any
    """m × k, in the dtype of X."""
    h: Any
    """k × n, in the dtype of X."""
    status: str
    iterations: int
    seconds: float
    objective: float
    divergence: float
    objective_bound: float
    relative_error: float
    explained_variance: float
    kkt: dict[str, float]
    kkt_residual: float
    w_sparsity: float
    h_sparsity: float
    w_component_sparsity: NDArray[np.float64]
    h_component_sparsity: NDArray[np.float64]
    w_l1: float
    w_l2: float
    h_l1: float
    h_l2: float
    ridge: float | None
    hidden: dict[str, Any] | None
    history: dict[str, NDArray[Any]]
    restarts: list[dict[str, Any]]
    every: list[tuple[Any, Any]]
    warnings: list[str]
    notable: list[str]

@final
class Online:
    h: Any
    """k × n, in the dtype of ``h0``. Not to be set."""
    numerator: Any
    """k × n."""
    denominator: Any
    """k × n under "mu", k × k under "hals"."""
    exponent: int

    def __new__(
        cls,
        h0: _Factor,
        *,
        loss: str | float | None = None,
        rule: Literal["mu", "hals"] | None = None,
        sweeps: int | None = None,
        w_l1: float | None = None,
        w_l2: float | None = None,
        h_l1: float | None = None,
        h_l2: float | None = None,
        threads: int | None = None,
    ) -> Self: ...
    def step(
        self,
        x: _Matrix,
        w: _Factor | None = None,
        *,
        rho: float | None = None,
        w_iterations: int | None = None,
        w_tol: float | None = None,
        improve_h: bool = True,
    ) -> tuple[Any, float]: ...

def fit(
    x: _Matrix,
    rank: int,
    *,
    loss: str | float | None = None,
    rule: str | None = None,
    init: str = "random",
    n_init: int | None = None,
    keep_all: bool = False,
    seed: int | None = None,
    tol: float | None = None,
    until: str | None = None,
    max_iter: int | None = None,
    time_limit: float | None = None,
    threads: int | None = None,
    sweeps: int | None = None,
    plain: int | None = None,
    w: _Factor | None = None,
    h: _Factor | None = None,
    fixed: Literal["w", "h"] | None = None,
    w_l1: float | None = None,
    w_l2: float | None = None,
    h_l1: float | None = None,
    h_l2: float | None = None,
    weights: _Matrix | None = None,
    row_weights: NDArray[Any] | None = None,
    column_weights: NDArray[Any] | None = None,
    missing: str | NDArray[np.bool_] | _Sparse | None = None,
    callback: Callable[[dict[str, Any]], Any] | None = None,
) -> Fit: ...
def svd_start(
    x: _Matrix,
    rank: int,
    test: _Factor,
    steps: int,
    *,
    floor: float | None = None,
    fill: float | None = None,
    time_limit: float | None = None,
    threads: int | None = None,
) -> tuple[Any, Any] | None: ...
def transform(
    x: _Matrix,
    h: _Factor,
    *,
    loss: str | float | None = None,
    w_l1: float | None = None,
    w_l2: float | None = None,
    weights: _Matrix | None = None,
    column_weights: NDArray[Any] | None = None,
    missing: str | NDArray[np.bool_] | _Sparse | None = None,
    tol: float | None = None,
    max_iter: int | None = None,
    threads: int | None = None,
) -> tuple[Any, list[int]]: ...
def verify(
    x: _Matrix,
    w: _Factor,
    h: _Factor,
    *,
    loss: str | float | None = None,
    w_l1: float | None = None,
    w_l2: float | None = None,
    h_l1: float | None = None,
    h_l2: float | None = None,
    weights: _Matrix | None = None,
    row_weights: NDArray[Any] | None = None,
    column_weights: NDArray[Any] | None = None,
    missing: str | NDArray[np.bool_] | _Sparse | None = None,
) -> dict[str, Any]: ...
def check_memory(what: str, needed: int) -> None: ...
def supports(rule: str, loss: str | float | None = None) -> bool: ...
def _panic_for_test(place: str = "call") -> None: ...
