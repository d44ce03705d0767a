"""What a fit returns."""

from collections import Counter
from dataclasses import dataclass, field, fields
from html import escape
from typing import Any

import numpy as np

from partwise import _native
from partwise._input import Native, as_native, cut
from partwise._version import marked, unmarked
from partwise._weights import as_like, as_missing, as_vector


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """The factors of X ≈ W·H, how the fit ended, and figures about it. It can be pickled."""

    w: np.ndarray
    """W, m × k, in the precision of X."""
    h: np.ndarray
    """H, k × n, in the precision of X."""
    status: str
    """How it ended: converged, max_iter, time_limit, stalled, interrupted, numerical_trouble."""
    iterations: int
    """Iterations of the best restart."""
    seconds: float
    """Wall time of the whole fit."""
    objective: float
    """What was minimised: the divergence and the penalties."""
    divergence: float
    """D(X, WH) alone: ½‖X − WH‖² under the Frobenius loss."""
    objective_bound: float
    """How far rounding may have moved ``divergence``."""
    relative_error: float
    """√(D(X, WH) / D₀), D₀ that of a model that knows nothing: ‖X − WH‖ / ‖X‖ under Frobenius."""
    explained_variance: float
    """1 − D(X, WH) / D₀."""
    kkt: dict[str, float]
    """The parts of the KKT residual: w, w_zeros, h, h_zeros."""
    kkt_residual: float
    """How far from stationary; free of every scale. What ``tol`` is compared with."""
    w_sparsity: float
    """Hoyer sparsity of W: 0 if all entries are equal, 1 if one is not zero."""
    h_sparsity: float
    """Hoyer sparsity of H."""
    w_component_sparsity: np.ndarray
    """Hoyer sparsity of each column of W."""
    h_component_sparsity: np.ndarray
    """Hoyer sparsity of each row of H."""
    history: dict[str, np.ndarray]
    """Arrays iteration, seconds, objective, kkt_residual of equal length: the best restart."""
    restarts: list[dict[str, Any]]
    """How each restart ended."""
    warnings: list[str]
    """What else there is to know."""
    row_names: np.ndarray | None = None
    """Names of the rows of X, if it had any: length m."""
    column_names: np.ndarray | None = None
    """Names of the columns of X, if it had any: length n."""
    model: dict[str, Any] = field(default_factory=dict)
    """The loss and the penalties."""
    weighted: bool = False
    """Whether entries of X had weights or were missing."""
    column_weights: np.ndarray | None = None
    """Weights of the columns of X, if any were given: length n."""
    missing: str | None = None
    """Which entries of X were missing, if a word said so."""

    @classmethod
    def _of(cls, fit: _native.Fit, data: Native, **own: Any) -> "Result":
        figures = {f.name: getattr(fit, f.name) for f in fields(cls) if hasattr(fit, f.name)}
        names: dict[str, Any] = {"row_names": data.row_names, "column_names": data.column_names}
        figures["warnings"] = [*figures["warnings"], *_repeated(names)]
        return cls(**figures, **names, **own)

    def __getstate__(self) -> dict[str, Any]:
        return marked(self.__dict__)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(unmarked(state, "Result"))

    @property
    def rank(self) -> int:
        """Number of components k."""
        return self.h.shape[0]

    @property
    def converged(self) -> bool:
        """Whether the KKT residual is at most ``tol``."""
        return self.status == "converged"

    def transform(
        self,
        X: Any,
        *,
        weights: Any = None,
        missing: Any = None,
        threads: int = 0,
        layer: str | None = None,
    ) -> np.ndarray:
        """W (m' × k) for new rows X (m' × n), with H as it is: each row by itself.

        ``weights`` and ``missing`` are those of the new rows, as in ``fit``. Column weights, and
        ``missing`` if it was "nan" or "absent", are those of the fit. Exact under the Frobenius loss.

        Raises ValueError if X has not n columns, and for what ``fit`` refuses of X.
        """
        data = as_native(X, self.h.dtype, layer)
        of_w = {name: self.model[name] for name in ("loss", "w_l1", "w_l2") if name in self.model}
        return _native.transform(
            data.x,
            self.h,
            weights=as_like("weights", weights, data),
            column_weights=self.column_weights,
            missing=as_missing(self.missing if missing is None else missing, data),
            threads=threads,
            **of_w,
        )

    def verify(
        self,
        X: Any,
        *,
        weights: Any = None,
        row_weights: Any = None,
        missing: Any = None,
        layer: str | None = None,
    ) -> dict[str, Any]:
        """The figures recomputed from X, W and H in float64 by other code than that of the fit.

        Weights of entries and of rows are to be given as they were to the fit; weights of columns
        and what is missing are those of the fit unless given anew. A dict with objective,
        divergence, objective_bound, relative_error, explained_variance, observed, kkt and
        kkt_residual. Raises ValueError for what ``fit`` refuses of X and its weights.
        """
        data = as_native(X, self.h.dtype, layer)
        return _native.verify(
            data.x,
            self.w,
            self.h,
            weights=as_like("weights", weights, data),
            row_weights=as_vector("row_weights", row_weights, data),
            column_weights=self.column_weights,
            missing=as_missing(self.missing if missing is None else missing, data),
            **self.model,
        )

    def to_dict(self) -> dict[str, Any]:
        """Every field by its name; arrays are not copied."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def _lines(self) -> list[tuple[str, str]]:
        m, k, n = self.w.shape[0], self.rank, self.h.shape[1]
        took = f"{self.iterations} iterations, {self.seconds:.3g} s"
        if len(self.restarts) > 1:
            took += f", best of {len(self.restarts)} restarts"
        return [
            ("shape", f"X {m} × {n} ≈ W {m} × {k} · H {k} × {n}, {self.w.dtype}"),
            ("status", f"{self.status} ({took})"),
            ("relative error", f"{self.relative_error:.6g}"),
            ("explained variance", f"{self.explained_variance:.6g}"),
            ("objective", f"{self.objective:.10g}"),
            ("KKT residual", f"{self.kkt_residual:.2e}"),
            ("sparsity", f"W {self.w_sparsity:.3f}, H {self.h_sparsity:.3f}"),
            *(("warning", warning) for warning in self.warnings),
        ]

    def __repr__(self) -> str:
        lines = (f"  {name:<18}  {value}" for name, value in self._lines())
        return "\n".join(["partwise.Result", *lines])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{escape(name)}</th>"
            f"<td style='text-align:left'>{escape(value)}</td></tr>"
            for name, value in self._lines()
        )
        return f"<table><caption>partwise.Result</caption><tbody>{rows}</tbody></table>"


def _repeated(names: dict[str, np.ndarray | None]) -> list[str]:
    """Remarks on names that do not tell rows or columns apart."""
    remarks = []
    for which, given in names.items():
        counts = Counter([] if given is None else given.tolist())
        repeated = [name for name, count in counts.items() if count > 1]
        if repeated:
            text = f"{which.replace('_', ' ')} of X that occur more than once: {len(repeated)}"
            remarks.append(f"{text} (first: {cut(repr(repeated[0]), 60)})")
    return remarks
