"""`NMF`: scikit-learn's class on the engine of partwise."""

import time
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import StrOptions

from . import _native
from ._base import CONSTRAINTS, Array, BaseNMF, Callback, Init, root_of_divergence, warn_of_max_iter
from ._beside import NOTHING, remarks_on_words
from ._caller import warn, warn_of_fit
from ._ids import remarks_on_ids
from ._validation import check_zeros_for_beta, engine_matrix, loss_of, penalties, thread_count
from ._watch import watching

_RULES = {"cd": "hals", "mu": "mu", "auto": None}
# Iterations of scikit-learn's way with which solver="cd" begins: they mostly decide at which stationary point
# a fit ends. Of 400 random starts on ten data sets 224 ended more than 0.1 % below scikit-learn's end and 8
# above, with 100 in place of 10 iterations 206 and 26, with none 267 and 35 (`bench/basin.py`).
_PLAIN = 10


class NMF(BaseNMF):
    """Non-negative matrix factorization, a drop-in for scikit-learn's class.

    Finds W >= 0 and H >= 0 that minimise::

        D(X, WH) + n_features * alpha_W * (l1_ratio * sum(W) + (1 - l1_ratio) / 2 * ||W||²)
                 + n_samples  * alpha_H * (l1_ratio * sum(H) + (1 - l1_ratio) / 2 * ||H||²)

    with D = ||X - WH||² / 2 for the Frobenius loss, else the beta-divergence or Huber's loss.

    Parameters
    ----------
    n_components : int, 'auto' or None, default='auto'
        Number of components. 'auto' takes that of W and H if they are given; otherwise 'auto'
        and None are the number of features.
    init : {'random', 'nndsvd', 'nndsvda', 'nndsvdar', 'custom'}, default=None
        Where W and H start: where scikit-learn does for the same ``random_state``, but for the
        rounding of an SVD; where entries are missing, for X with the means of its columns in
        their places. None is 'nndsvda' if ``n_components <= min(n_samples, n_features)``,
        else 'random'. 'custom' takes W and H from the call of `fit_transform`.
    solver : {'cd', 'mu', 'auto'}, default='cd'
        'cd' is coordinate descent (HALS) with extrapolation, for the Frobenius loss. 'mu' is the
        multiplicative update, for any loss. 'auto' is the engine's choice for the loss.
    beta_loss : float or {'frobenius', 'kullback-leibler', 'itakura-saito'}, \
            default='frobenius'
        The divergence; the names are 2, 1 and 0. X must have no zeros if it is 0 or less.
        ``'huber:0.5'`` is Huber's loss with delta = 0.5, in the units of X: an error r beyond it
        counts by its size instead of its square, so that a few wild entries do not turn the fit.
        Take about the size of a typical error.
    tol : float, default=1e-4
        The fit has converged when its KKT residual is at most this and its last step lowered the
        objective by no more than this share of it. The residual measures how far W and H are from
        a stationary point and has no unit; scikit-learn compares ``tol`` with the size of steps.
        With ``solver='mu'`` the fit ends as scikit-learn's does: when ten iterations lowered the
        error by less than ``tol`` times that of the start. It has then settled, or converged if
        its residual is at most ``tol`` too.
    max_iter : int, default=200
        Most iterations. One updates both factors.
    random_state : int, RandomState instance or None, default=None
        For random starts and the randomized SVD.
    alpha_W : float, default=0.0
        Strength of the penalty of W.
    alpha_H : float or 'same', default='same'
        Strength of the penalty of H; 'same' is that of W.
    l1_ratio : float, default=0.0
        Share of the L1 penalty, from 0 to 1. The rest is L2.
    verbose : int, default=0
        1 prints a line on standard output for every tenth iteration, 2 for every one.
    shuffle : bool, default=False
        Accepted for scikit-learn's sake. It has no effect: the engine visits the components in
        order.
    n_init : int, default=1
        Number of starts; the best result is kept. The first is the one that ``init`` names, the
        others are random.
    keep_all : bool, default=False
        Whether all of the ``n_init`` results are kept: ``all_components_``, ``all_weights_`` and
        ``all_objectives_``, for instance to see how stable the components are.
    time_limit : float, default=None
        Most wall time of the fit in seconds, its start included; the best factors so far are
        kept.
    warm_start : bool, default=False
        Whether a fit goes on from the factors of the one before. W is then kept beside the
        model; for another number of samples it is solved for the components first.
    callbacks : callable or list of callables, default=None
        Each is called after every iteration with the progress of the fit, see `partwise.fit`. A
        fitted model is pickled without them.
    progress : bool, default=None
        Whether to show a progress bar.
    n_jobs : int, default=None
        Number of threads. None and -1 are all of them, or what ``OMP_NUM_THREADS`` says, as it does
        in the workers of joblib. The result does not depend on it.
    dtype : {'float32', 'float64'}, default=None
        What to compute in. None keeps float32 and float64 X as they are and makes the rest
        float64.
    transform_max_iter : int, default=None
        Most improvements of a row in `transform`, for losses under which a row is improved step by
        step; None goes on until it is solved. Rows that were not are warned of.
    sparse_output : bool, default=False
        Whether `fit_transform` and `transform` return W as a CSR array.
    missing : {'nan', 'absent'}, default=None
        Which entries of X are missing, in every method: 'nan' those that are NaN, 'absent' those
        that a sparse X does not store. None takes what is not stored for zero and refuses NaN.
        What the mask of a masked array hides is missing in any case. Where entries are missing
        and neither factor has a penalty, both get a small L2 penalty of the size of the noise,
        ``ridge_``, without which what is predicted for them may be anything.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        H.
    n_components_ : int
        Number of components.
    n_iter_ : int
        Number of iterations of the best start.
    reconstruction_err_ : float
        The root of 2 D(X, WH), without penalties: ||X - WH|| for the Frobenius loss.
    n_features_in_ : int
        Number of features of X.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, if X had names that are all strings.
    status_ : str
        How the fit ended: 'converged', 'settled', 'max_iter', 'time_limit', 'stalled',
        'interrupted' or 'numerical_trouble'. Only 'max_iter' is warned of.
    converged_ : bool
        Whether ``status_`` is 'converged': the residual below is at most ``tol``.
    kkt_residual_ : float
        How far the result is from stationary, to be compared with ``tol``.
    objective_history_ : ndarray of shape (n_records,)
        The objective with penalties, the best so far, as each iteration saw it: between its two
        halves, and after the last one at the end.
    explained_variance_ratio_ : ndarray of shape (n_components,)
        How much of X each component explains: ``explained_variance_total_``, divided among the
        components by their shares of the sum of WH. They add up to the total.
    explained_variance_total_ : float
        1 - ||X - WH||² / ||X||² for the Frobenius loss; for another one 1 - D(X, WH) / D(X, mean),
        where the mean is that of all of X.
    all_components_ : ndarray of shape (n_results, n_components, n_features)
        H of every start, that of ``init`` first, if ``keep_all``. Fewer than ``n_init`` if the time
        ran out.
    all_weights_ : ndarray of shape (n_results, n_samples, n_components)
        W of every start.
    all_objectives_ : ndarray of shape (n_results,)
        What each came to, penalties included.
    ridge_ : float or None
        The L2 penalty of both factors that was chosen since entries are missing.
    warnings_ : list of str
        What the engine noticed about X or the fit. What changes the meaning of the factors is
        raised as `partwise.FitWarning` too.
    partial_ : tuple of (W, H)
        Set if Ctrl-C ended the fit: the best factors until then. `KeyboardInterrupt` is raised
        all the same, and the model can be used as if it had been fitted.

    References
    ----------
    Cichocki and Phan, "Fast local algorithms for large scale nonnegative matrix and tensor
    factorizations", IEICE Transactions E92-A (2009). Ang and Gillis, "Accelerating nonnegative
    matrix factorization algorithms using extrapolation", Neural Computation 31 (2019). Févotte
    and Idier, "Algorithms for nonnegative matrix factorization with the beta-divergence",
    Neural Computation 23 (2011).

    Examples
    --------
    >>> import numpy as np
    >>> from partwise import NMF
    >>> X = np.array([[1, 1], [2, 1], [3, 1.2], [4, 1], [5, 0.8], [6, 1]])
    >>> model = NMF(n_components=2, init="random", random_state=0)
    >>> W = model.fit_transform(X)
    >>> H = model.components_
    """

    _formats = ("csr", "csc")

    warnings_: list[str]
    ridge_: float | None
    all_components_: Array
    all_weights_: Array
    all_objectives_: Array
    partial_: tuple[Array, Array]

    _parameter_constraints: dict[str, Any] = {
        **CONSTRAINTS,
        "solver": [StrOptions(set(_RULES))],
        "shuffle": ["boolean"],
        "n_init": [CONSTRAINTS["max_iter"][0]],
        "keep_all": ["boolean"],
        "transform_max_iter": [CONSTRAINTS["max_iter"][0], None],
        "sparse_output": ["boolean"],
        "warm_start": ["boolean"],
        "callbacks": [callable, list, tuple, None],
        "progress": ["boolean", None],
        "missing": [StrOptions({"nan", "absent"}), None],
    }

    # Not in the signature of `fit`, for which scikit-learn's check of estimators would ask that a weight
    # of 2 give what the row given twice gives: it does not, since the start is another one.
    __metadata_request__fit = {"sample_weight": None, "weights": None}

    def __init__(
        self,
        n_components: int | Literal["auto"] | None = "auto",
        *,
        init: Init = None,
        solver: Literal["cd", "mu", "auto"] = "cd",
        beta_loss: float | str = "frobenius",
        tol: float = 1e-4,
        max_iter: int = 200,
        random_state: int | np.random.RandomState | None = None,
        alpha_W: float = 0.0,
        alpha_H: float | Literal["same"] = "same",
        l1_ratio: float = 0.0,
        verbose: int | bool = 0,
        shuffle: bool = False,
        n_init: int = 1,
        time_limit: float | None = None,
        warm_start: bool = False,
        callbacks: Callback | Sequence[Callback] | None = None,
        progress: bool | None = None,
        n_jobs: int | None = None,
        dtype: Any = None,
        missing: Literal["nan", "absent"] | None = None,
        keep_all: bool = False,
        transform_max_iter: int | None = None,
        sparse_output: bool = False,
    ) -> None:
        self.n_components = n_components
        self.init = init
        self.solver = solver
        self.beta_loss = beta_loss
        self.tol = tol
        self.max_iter = max_iter
        self.random_state = random_state
        self.alpha_W = alpha_W
        self.alpha_H = alpha_H
        self.l1_ratio = l1_ratio
        self.verbose = verbose
        self.shuffle = shuffle
        self.n_init = n_init
        self.time_limit = time_limit
        self.warm_start = warm_start
        self.callbacks = callbacks
        self.progress = progress
        self.n_jobs = n_jobs
        self.dtype = dtype
        self.missing = missing
        self.keep_all = keep_all
        self.transform_max_iter = transform_max_iter
        self.sparse_output = sparse_output

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_transform(
        self,
        X: Any,
        y: Any = None,
        W: Any = None,
        H: Any = None,
        *,
        sample_weight: Any = None,
        weights: Any = None,
    ) -> Array:
        """Fit the model to X and return W.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Non-negative and finite, but for what is ``missing``. Sparse X is never made dense.
        y : Ignored
        W : array-like of shape (n_samples, n_components), default=None
            Where W starts if ``init='custom'``. It is not written to.
        H : array-like of shape (n_components, n_features), default=None
            Where H starts if ``init='custom'``. It is not written to.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row of X counts.
        weights : array-like or sparse matrix of shape (n_samples, n_features), default=None
            How much each entry of X counts, 0 for one that is missing. A frame is matched to an X
            with names by its names. `transform` and `score` take weights of their own.

        Returns
        -------
        W : {ndarray, CSR array} of shape (n_samples, n_components)

        Raises
        ------
        ValueError
            If X has an entry that is negative, infinite or, unless ``missing='nan'``, NaN, a
            weight is negative or not finite, or a parameter does not fit another one or X.
        TypeError
            If W or H is of another dtype than X.
        """
        X, beside = self._read(X, weights, sample_weight)
        fit = self._fit(X, W, H, beside)
        self._keep(fit)
        warn_of_fit(fit.notable)
        names = getattr(self, "feature_names_in_", None)
        self.warnings_ += remarks_on_words(X, beside.missing)
        self.warnings_ += remarks_on_ids(engine_matrix(X), names)
        return self._given_out(fit.w)

    def _fit(self, X, W=None, H=None, beside=NOTHING):
        """Run the engine on a checked X."""
        started = time.monotonic()
        self._check_params(X)
        if beside.missing is None:
            check_zeros_for_beta(X, self._beta_loss)
        warm = self._warm_factors(X, beside)
        W, H = warm or self._check_start(X, W, H, beside, self.time_limit)
        plain = 0 if warm else self._plain_iterations()
        fit = self._best_of_starts(X, W, H, plain, started, **beside.of_fit())
        # What one iteration is worth it cannot show: scikit-learn warns of it always, and tests that.
        if (fit.status == "max_iter" or self.max_iter == 1) and self.tol > 0:
            warn_of_max_iter(self.max_iter, fit.kkt_residual, self.tol)
        return fit

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.missing == "nan"
        return tags

    def _check_params(self, X):
        super()._check_params(X)
        if self.solver == "cd" and self._beta_loss != 2:
            raise ValueError(
                f"Invalid beta_loss parameter: solver {self.solver!r} does not handle "
                f"beta_loss = {self.beta_loss!r}"
            )
        if self.solver == "mu" and self.init == "nndsvd":
            warn(
                "The multiplicative update ('mu') solver cannot update zeros present in the "
                "initialization, and so leads to poorer results when used jointly with "
                "init='nndsvd'. You may try init='nndsvda' or init='nndsvdar' instead.",
                UserWarning,
            )

    def _warm_factors(self, X, beside):
        """Return the factors of the fit before, if there are any to go on from."""
        H = getattr(self, "components_", None)
        if not self.warm_start or H is None or not H.any():
            return None
        wanted = H.shape[0] if self._n_components == "auto" else self._n_components
        if H.shape != (wanted, X.shape[1]):
            return None
        self._n_components = wanted
        W = getattr(self, "_warm_w", None)
        if W is None or W.shape[0] != X.shape[0]:
            W = self._rows_given(X, H, beside)
        return (W.astype(X.dtype, copy=False), H.astype(X.dtype, copy=False)) if W.any() else None

    def _plain_iterations(self):
        """Return for how many iterations the fit goes scikit-learn's way from the same start."""
        return {"cd": _PLAIN, "mu": self.max_iter}.get(self.solver, 0)

    def _best_of_starts(self, X, W, H, plain, started, **beside):
        """Fit from W and H and from ``n_init - 1`` random starts, and take the best."""
        k = self._n_components
        options = {"plain": plain, "time_limit": self._time_left(started)}
        fit = self._call_engine(X, k, w=W, h=H, **options, **beside)
        self._keep_every([(fit.w, fit.h)], [fit.objective])
        left = self._time_left(started)
        if self.n_init == 1 or fit.status == "interrupted" or left == 0:
            return fit
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        options = {"n_init": self.n_init - 1, "seed": seed, "time_limit": left}
        options["keep_all"] = self.keep_all
        others = self._call_engine(X, k, best=fit, **options, **beside)
        pairs = [(fit.w, fit.h), *others.every]
        self._keep_every(pairs, [fit.objective, *(r["objective"] for r in others.restarts)])
        return others if others.objective < fit.objective else fit

    def _time_left(self, started):
        """Return the seconds that are left of ``time_limit``, or None if there is no limit."""
        if self.time_limit is None:
            return None
        return max(0.0, self.time_limit - (time.monotonic() - started))

    def _keep_every(self, pairs, objectives):
        """Set what `keep_all` asks for."""
        if self.keep_all:
            self.all_weights_ = np.stack([w for w, _ in pairs])
            self.all_components_ = np.stack([h for _, h in pairs])
            self.all_objectives_ = np.array(objectives)

    def _call_engine(self, X, n_components, best=None, **options):
        """Run the engine; after Ctrl-C the best factors so far are kept before it is raised."""
        w_penalties, h_penalties = penalties(self, X.shape)
        charged = {**w_penalties, **h_penalties}
        if any(charged.values()):
            # Without any the engine chooses some where entries are missing.
            options |= charged
        try:
            with watching(self.callbacks, self.progress, self.verbose) as callback:
                return _native.fit(
                    engine_matrix(X),
                    n_components,
                    loss=loss_of(self._beta_loss),
                    rule=_RULES[self.solver],
                    tol=self.tol,
                    until="settled" if self.solver == "mu" else None,
                    max_iter=self.max_iter,
                    threads=thread_count(self.n_jobs),
                    callback=callback,
                    **options,
                )
        except KeyboardInterrupt as stop:
            partial = getattr(stop, "partial", None) or best
            if partial is not None:
                if best is not None and best.objective < partial.objective:
                    partial = best
                self._keep(partial)
                self.status_, self.converged_ = "interrupted", False
                self.partial_ = partial.w, partial.h
            raise

    def _keep(self, fit):
        """Set what a fit leaves behind."""
        self.components_ = fit.h
        self.n_components_ = fit.h.shape[0]
        # A fit that starts at its solution takes no iteration; scikit-learn counts from 1.
        self.n_iter_ = max(1, fit.iterations)
        self.reconstruction_err_ = root_of_divergence(fit.divergence)
        self.status_ = fit.status
        self.converged_ = fit.status == "converged"
        self.kkt_residual_ = fit.kkt_residual
        self.ridge_ = fit.ridge
        self.objective_history_ = fit.history["objective"]
        self._keep_explained(fit.w, fit.explained_variance)
        self.warnings_ = list(fit.warnings)
        if self.warm_start:
            self._warm_w = fit.w
