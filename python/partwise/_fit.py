"""The functional entry: X and options in, a result out."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, Literal, Unpack

from partwise import _native
from partwise._caller import warn_of_fit
from partwise._ids import remarks_on_ids
from partwise._input import as_native
from partwise._names import Match, Matching
from partwise._progress import Bar, interactive
from partwise._result import Result
from partwise._spelling import Spelled, rank_of, respelled
from partwise._weights import as_like, as_missing, as_starts, as_vector, no_effect, parted

__all__ = ["Result", "fit", "losses", "rules", "starts"]


def losses() -> dict[str, str]:
    """The losses that have a name, each with one line on what it is for."""
    return dict(_native.LOSSES)


def rules(loss: str | float = "frobenius") -> dict[str, str]:
    """The rules that minimise ``loss``, each with one line on what it is."""
    return {rule: about for rule, about in _native.RULES.items() if _native.supports(rule, loss)}


def starts() -> dict[str, str]:
    """The starts that can be chosen, each with one line on what it is."""
    return dict(_native.STARTS)


def fit(
    X: Any,
    rank: int | None = None,
    *,
    loss: str | float | None = None,
    rule: str | None = None,
    init: str = "random",
    n_init: int = 1,
    keep_all: bool = False,
    seed: int | None = None,
    tol: float = 1e-4,
    until: Literal["stationary", "settled"] = "stationary",
    max_iter: int = 500,
    time_limit: float | None = None,
    threads: int | None = None,
    sweeps: int | None = None,
    plain: int = 0,
    w: Any = None,
    h: Any = None,
    fixed: Literal["w", "h"] | None = None,
    w_l1: float | None = None,
    w_l2: float | None = None,
    h_l1: float | None = None,
    h_l2: float | None = None,
    weights: Any = None,
    row_weights: Any = None,
    column_weights: Any = None,
    missing: Any = None,
    progress: bool | None = None,
    callback: Callable[[dict[str, Any]], Any] | None = None,
    layer: str | None = None,
    dtype: Any = None,
    match: Match = "names",
    **spelled: Unpack[Spelled],
) -> Result:
    """Factorise X (m × n) into W (m × k) and H (k × n) with every entry ≥ 0.

    NumPy arrays of float32 or float64 of any order and strides, and SciPy's CSR and CSC, are
    borrowed and not copied. Do not write to them while the fit runs: it would work on a mixture of
    old and new values. The interpreter lock is released.

    Parameters
    ----------
    X : array of shape (m, n)
        Values ≥ 0: a NumPy array of any order, strides and real dtype; a SciPy sparse matrix or array of
        any format; a pandas or polars DataFrame; an AnnData; a list of lists; anything with
        ``__array__`` or ``__dlpack__``. Sparse X is never made dense. What the mask of a masked array
        hides is missing.
    rank : int or None
        Number of components k. None takes that of ``w`` or ``h``.
    loss : str or float or None
        What is minimised, None for the Frobenius loss: one of ``partwise.losses()``, by these names or scikit-learn's, the β of a
        β-divergence, or ``"huber:0.5"`` for Huber's loss with δ = 0.5, in the units of X: an error
        beyond δ counts by its size instead of its square, so that a few wild entries do not turn the
        fit. Take about the size of a typical error. Where most of X is zero, a δ far below the other entries may
        leave nothing but W·H = 0.
    rule : str or None
        How a factor is improved, one of ``partwise.rules(loss)``; None for the fastest.
    init : str
        Where W and H start unless they are given, one of ``partwise.starts()``.
    n_init : int
        Restarts, run side by side; the best is kept.
    keep_all : bool
        Whether ``Result.every`` has the factors of every restart.
    seed : int or None
        From 0 to 2⁶⁴ − 1. The same seed gives the same result for any number of threads, None is 0; NumPy's
        global random state is neither read nor changed.
    tol : float
        The fit has converged when its KKT residual, which has no unit, is at most this, and the last step
        lowered the objective by no more than this share of it.
    until : "stationary" or "settled"
        What ends the fit: "stationary" when it has converged; "settled", for the rule "mu", when ten
        iterations lowered the error, the root of twice the divergence, by less than ``tol`` times that
        of the start, as scikit-learn ends its multiplicative updates.
    max_iter : int
        Most iterations; 0 returns the start.
    time_limit : float or None
        Most seconds; the best iterate so far is returned. If there is none yet, what is returned are the
        factors given, or random ones, with a warning.
    threads : int or None
        Threads; 0 or None for as many as RAYON_NUM_THREADS or OMP_NUM_THREADS say, or all.
    sweeps : int or None
        Inner sweeps for each product with X.
    plain : int
        Iterations at the beginning that are plain: one sweep over W, then one over H, and no
        extrapolation. Most programs go on like that to the end, so a fit that begins so ends at
        the same stationary point as theirs more often; without them it is faster.
    w, h : arrays of shape (m, k) and (k, n), or None
        Where W and H start; they are copied. The rows of a frame ``h`` and the columns of a frame
        ``w`` are the names of components.
    fixed : "w", "h" or None
        A factor to keep as it was given.
    w_l1, w_l2, h_l1, h_l2 : float or None
        Penalties l1·‖F‖₁ + ½·l2·‖F‖² on W and on H. None charges nothing, unless entries are missing
        (``missing``, weights of 0), none of the four is given and no factor is held: then both
        factors get a small l2 of the size of the noise, in the units of X. ``Result.ridge`` and
        ``Result.model`` say which; ``w_l2=0`` goes without.
    weights : array of shape (m, n) or None
        How much each entry counts, ≥ 0, of any type that X may have; 0 makes an entry missing. Of a
        sparse matrix, entries that it does not store weigh 0.
    row_weights, column_weights : arrays of length m and n, or None
        How much each row and each column counts, ≥ 0. All weights that are given multiply.
    missing : "nan", "absent", mask or None
        Which entries are missing: "nan" those that are NaN; "absent" those that a sparse X does not
        store; a boolean array or sparse matrix of the shape of X those where it is True. None takes
        entries that are not stored as zeros, and refuses NaN. ``Result.hidden`` says how well the
        entries of a mask are predicted, where X holds them.
    progress : bool or None
        Whether to show a progress bar on standard error. None shows one in an interactive session.
    callback : callable or None
        Called with a dict after every iteration, on the thread that called ``fit``; it ends the fit
        by returning True. An exception in it ends the fit and is raised unchanged.
    layer : str or None
        Which layer of an AnnData to take.
    dtype : "float32", "float64" or None
        What to compute in; None keeps the precision of X.
    match : "names" or "position"
        How frames, Series and AnnData beside an X with names are laid on it. By "names" another order
        is put right, which ``Result.warnings`` tells, and other names are refused. Labels that only
        count from 0 are no names, except beside the same numbers in another order.
    n_components, beta_loss, solver, random_state, n_jobs, callbacks, W, H, sample_weight
        What scikit-learn calls rank, loss, rule, seed, threads, callback, w, h and row_weights, with
        what its classes take for them: ``solver="auto"``, ``n_jobs=-1``, a list of callbacks, a
        ``RandomState`` or a ``Generator``, of which one number is drawn.

    Returns
    -------
    Result
        The factors, how the fit ended, and figures about it.

    Raises
    ------
    ValueError
        If an entry of X is negative or not finite, if sparse arrays contradict each other, if names
        do not match, or if an option is out of range. The text names the place and the value.
    TypeError
        If X or an option is of a type that is not accepted.
    MemoryError
        If the factors cannot fit into memory.
    KeyboardInterrupt
        On Ctrl-C; its attribute ``partial`` is the :class:`Result` as far as the fit came.
    InternalError
        For a bug in this package.

    Examples
    --------
    >>> import numpy as np, partwise
    >>> X = np.outer([1.0, 2.0, 3.0], [1.0, 0.0, 2.0])
    >>> partwise.fit(X, 1).relative_error < 1e-6
    True
    """
    named: dict[str, Any] = {
        "rank": rank,
        "loss": loss,
        "rule": rule,
        "seed": seed,
        "threads": threads,
    }
    named |= {"callback": callback, "w": w, "h": h, "row_weights": row_weights}
    named = respelled(named, dict(spelled))
    rank, w, h, row_weights = (named.pop(name) for name in ("rank", "w", "h", "row_weights"))
    callback, loss = named.pop("callback"), named["loss"]
    rank = rank_of(w, h) if rank is None else rank
    X, hidden = parted(X, missing)
    data = as_native(X, dtype, layer)
    matching = Matching(data.labels, match)
    w, h, component_names = as_starts(w, h, data, rank, matching)
    options: dict[str, Any] = {
        **named,
        "w_l1": w_l1,
        "w_l2": w_l2,
        "h_l1": h_l1,
        "h_l2": h_l2,
        "init": init,
        "n_init": n_init,
        "keep_all": keep_all,
        "tol": tol,
        "until": until,
        "max_iter": max_iter,
        "time_limit": time_limit,
        "sweeps": sweeps,
        "plain": plain,
        "w": w,
        "h": h,
        "fixed": fixed,
        "weights": as_like("weights", weights, data, matching),
        "row_weights": as_vector("row_weights", row_weights, data, matching),
        "column_weights": as_vector("column_weights", column_weights, data, matching),
        "missing": as_missing(hidden, data, matching),
    }
    own = {
        "loss": loss,
        "weighted": any(w is not None for w in (weights, row_weights, column_weights, hidden)),
        "column_weights": options["column_weights"],
        "missing": missing if isinstance(missing, str) else None,
        "component_names": component_names,
        "layer": layer,
        "of_entries": tuple(
            name
            for name, given in (
                ("weights", weights),
                ("missing", hidden),
                ("row_weights", row_weights),
            )
            if not (given is None or isinstance(given, str))
        ),
        "remarks": [
            *matching.remarks,
            *no_effect(missing, data),
            *remarks_on_ids(data.x, data.labels.columns),
        ],
    }
    show = interactive() if progress is None else progress
    bar = Bar(callback) if show else nullcontext(callback)
    try:
        with bar as listener:
            done = _native.fit(data.x, rank, callback=listener, **options)
    except KeyboardInterrupt as error:
        if isinstance(getattr(error, "partial", None), _native.Fit):
            error.partial = Result._of(error.partial, data, **own)  # type: ignore[attr-defined]
        raise
    warn_of_fit(done.notable)
    return Result._of(done, data, **own)
