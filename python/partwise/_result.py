"""What a fit returns."""

from dataclasses import dataclass, field, fields
from html import escape
from typing import Any

import numpy as np

from partwise import _native
from partwise._caller import warn, warn_of_unfinished
from partwise._input import Native, as_native
from partwise._names import Match, Matching, is_anndata, repeated
from partwise._version import marked, unmarked
from partwise._weights import UNSAID, as_like, as_missing, as_vector, no_effect, parted


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """The factors of X ≈ W·H, how the fit ended, and figures about it. It can be pickled."""

    w: np.ndarray
    """W, m × k, in the precision of X."""
    h: np.ndarray
    """H, k × n, in the precision of X."""
    status: str
    """How it ended: converged, settled, max_iter, time_limit, stalled, interrupted, numerical_trouble."""
    iterations: int
    """Iterations of the best restart."""
    seconds: float
    """Wall time of the whole fit."""
    objective: float
    """What was minimised: the divergence and the penalties. Like all figures of the fit nan if it was not
    measured: a fit that was stopped has 0.15 s to measure what it returns."""
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
    """How far from stationary; free of every scale. What ``tol`` is compared with. nan if not measured."""
    w_sparsity: float
    """Hoyer sparsity of W: 0 if all entries are equal and not zero, 1 if at most one is not zero."""
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
    """The loss and the penalties, as they were in the fit."""
    weighted: bool = False
    """Whether entries of X had weights or were missing."""
    column_weights: np.ndarray | None = None
    """Weights of the columns of X, if any were given: length n."""
    missing: str | None = None
    """Which entries of X were missing, if a word said so."""
    component_names: np.ndarray | None = None
    """Names of the components, if ``w`` or ``h`` of the fit had some: length k."""
    layer: str | None = None
    """Which layer of an AnnData was X, if one was named."""
    of_entries: tuple[str, ...] = ()
    """What was said of single rows and entries of X: any of weights, missing (a mask), row_weights."""

    every: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    """W and H of every restart, in the order of ``restarts``, if ``keep_all`` asked for them."""
    ridge: float | None = None
    """``w_l2`` and ``h_l2``, if they were chosen since entries are missing and no penalty was given."""
    hidden: dict[str, Any] | None = None
    """How well the entries of a mask are predicted, where X holds them: ``count``; ``error``, the root of
    the mean squared error under the Frobenius loss, else the mean divergence; ``row_means``, the same of
    predicting the mean of what is observed of each row; ``measure``, which of the two."""

    @classmethod
    def _of(
        cls,
        fit: _native.Fit,
        data: Native,
        loss: str | float,
        remarks: list[str],
        **own: Any,
    ) -> "Result":
        figures = {f.name: getattr(fit, f.name) for f in fields(cls) if hasattr(fit, f.name)}
        rows, columns = data.labels
        doubled = [*repeated("row names", rows), *repeated("column names", columns)]
        figures["warnings"] = [*figures["warnings"], *remarks, *doubled]
        prices = {name: getattr(fit, name) for name in ("w_l1", "w_l2", "h_l1", "h_l2")}
        model = {"loss": loss, **prices}
        return cls(**figures, row_names=rows, column_names=columns, model=model, **own)

    def __getstate__(self) -> dict[str, Any]:
        return marked(self.__dict__)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({"every": [], **unmarked(state, "Result")})

    @property
    def rank(self) -> int:
        """Number of components k."""
        return self.h.shape[0]

    @property
    def converged(self) -> bool:
        """Whether the fit ended since its KKT residual is at most ``tol`` and the objective no longer fell."""
        return self.status == "converged"

    def transform(
        self,
        X: Any,
        *,
        weights: Any = UNSAID,
        missing: Any = UNSAID,
        threads: int = 0,
        layer: str | None = None,
        match: Match = "names",
    ) -> np.ndarray:
        """W (m' × k) for new rows X (m' × n), with H as it is: each row by itself.

        Columns are those of the fit by their names, if both have some: another order is put right,
        with a ``UserWarning``; ``match="position"`` looks at no names. Column weights, the layer of an
        AnnData, and ``missing`` if it was "nan" or "absent", are those of the fit. ``weights`` and a
        mask as ``missing`` are those of the new rows, as in ``fit``: a ``UserWarning`` asks for them if
        the fit had some; None says that there are none. Exact under the Frobenius loss.

        Raises ValueError if X has not n columns or other names, and for what ``fit`` refuses of X.
        """
        data, hidden = self._read(X, missing, layer)
        fit, matching = Matching(data.labels, match), Matching(data.labels, match)
        columns = fit.order("X", "columns", data.labels.columns, ("the fit", self.column_names))
        asked = {"weights": weights, "missing": UNSAID if hidden is UNSAID else None}
        for name in self.of_entries:
            if asked.get(name) is UNSAID:
                fit.remarks.append(
                    f"the fit had {name} for the entries of its X, and these rows have none: pass "
                    f"{name}= for them, or {name}=None if there are none"
                )
        of_w = {name: self.model[name] for name in ("loss", "w_l1", "w_l2") if name in self.model}
        options = {
            "weights": as_like("weights", _said(weights), data, matching),
            "column_weights": _back(self.column_weights, columns),
            "missing": self._missing(hidden, data, matching, fit),
        }
        _warn(fit, matching)
        w, unfinished = _native.transform(
            data.x, _back(self.h, columns, 1), threads=threads, **options, **of_w
        )
        warn_of_unfinished(unfinished, len(w))
        return w

    def verify(
        self,
        X: Any,
        *,
        weights: Any = UNSAID,
        row_weights: Any = UNSAID,
        missing: Any = UNSAID,
        layer: str | None = None,
        match: Match = "names",
    ) -> dict[str, Any]:
        """The figures recomputed from X, W and H in float64 by other code than that of the fit.

        Rows and columns are those of the fit by their names, as for ``transform``. Weights of entries
        and of rows and a mask as ``missing`` are to be given as they were to the fit, or as None to
        leave them out; weights of columns, the layer and a word as ``missing`` are those of the fit. A
        dict with objective, divergence, objective_bound, relative_error, explained_variance, observed,
        kkt and kkt_residual.

        Raises ValueError for what ``fit`` refuses of X and its weights, for other names, and if
        something is to be given and is not.
        """
        data, hidden = self._read(X, missing, layer)
        fit, matching = Matching(data.labels, match), Matching(data.labels, match)
        rows = fit.order("X", "rows", data.labels.rows, ("the fit", self.row_names))
        columns = fit.order("X", "columns", data.labels.columns, ("the fit", self.column_names))
        asked = {"weights": weights, "row_weights": row_weights, "missing": hidden}
        wanted = [f"{name}=" for name in self.of_entries if asked[name] is UNSAID]
        if wanted:
            raise ValueError(
                f"the fit had {', '.join(wanted)}: give the same to verify, or None to leave it out"
            )
        options = {
            "weights": as_like("weights", _said(weights), data, matching),
            "row_weights": as_vector("row_weights", _said(row_weights), data, matching),
            "column_weights": _back(self.column_weights, columns),
            "missing": self._missing(hidden, data, matching, fit),
        }
        _warn(fit, matching)
        return _native.verify(
            data.x, _back(self.w, rows), _back(self.h, columns, 1), **options, **self.model
        )

    def _read(self, X: Any, missing: Any, layer: str | None) -> tuple[Native, Any]:
        """X in the precision of the fit, and what is missing with it: UNSAID if nobody said."""
        if layer is None and self.layer is not None and is_anndata(X):
            layer = self.layer
        word = self.missing if missing is UNSAID or missing is None else missing
        X, hidden = parted(X, word)
        hidden = missing if hidden is None else hidden
        return as_native(X, self.h.dtype, layer), hidden

    def _missing(self, hidden: Any, data: Native, matching: Matching, fit: Matching) -> Any:
        fit.remarks += no_effect(hidden, data)
        return as_missing(_said(hidden), data, matching)

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
            ("relative error", _measured(self.relative_error, ".6g")),
            ("explained variance", _measured(self.explained_variance, ".6g")),
            ("objective", _measured(self.objective, ".10g")),
            ("KKT residual", _measured(self.kkt_residual, ".2e")),
            *self._on_hidden(),
            ("sparsity", f"W {self.w_sparsity:.3f}, H {self.h_sparsity:.3f}"),
            *(("warning", warning) for warning in self.warnings),
        ]

    def _on_hidden(self) -> list[tuple[str, str]]:
        lines = []
        if self.ridge is not None:
            lines.append(("ridge", f"{self.ridge:.4g} on both factors, since entries are missing"))
        if self.hidden is not None:
            measure = self.hidden["measure"].replace("_", " ")
            text = f"{self.hidden['count']} predicted with {measure} {self.hidden['error']:.4g}"
            lines.append(("hidden entries", f"{text}; row means {self.hidden['row_means']:.4g}"))
        return lines

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


def _measured(figure: float, form: str) -> str:
    return "not measured" if np.isnan(figure) else format(figure, form)


def _said(given: Any) -> Any:
    return None if given is UNSAID else given


def _back(of_fit: Any, take: np.ndarray | None, axis: int = 0) -> Any:
    """What is in the order of the fit, in the order of X: ``take`` is where the fit's are in X."""
    if of_fit is None or take is None:
        return of_fit
    return np.take(of_fit, np.argsort(take), axis=axis)


def _warn(*matchings: Matching) -> None:
    for matching in matchings:
        for remark in matching.remarks:
            warn(remark)
