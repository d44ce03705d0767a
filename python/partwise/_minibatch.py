"""`MiniBatchNMF`: scikit-learn's class on the engine of partwise."""

import math
import time
from numbers import Real
from typing import Any, Literal, Self

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils import gen_batches
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_non_negative

from ._base import CONSTRAINTS, Array, BaseNMF, Init, root_of_divergence, warn_of_max_iter
from ._online import BatchSteps, StopRule
from ._start import hasty, unit_of
from ._validation import check_zeros_for_beta

_AT_LEAST_1 = CONSTRAINTS["max_iter"][0]


class MiniBatchNMF(BaseNMF):
    """Non-negative matrix factorization by batches of rows, a drop-in for scikit-learn's class.

    Minimises the objective of `NMF`. Each step improves W for a batch by multiplicative updates
    and then H from sums over the batches, in which older ones are forgotten little by little.

    Parameters
    ----------
    n_components : int, 'auto' or None, default='auto'
        As for `NMF`.
    init : {'random', 'nndsvd', 'nndsvda', 'nndsvdar', 'custom'}, default=None
        As for `NMF`.
    batch_size : int, default=1024
        Number of rows in a batch.
    beta_loss : float or {'frobenius', 'kullback-leibler', 'itakura-saito'}, \
            default='frobenius'
        As for `NMF`.
    tol : float, default=1e-4
        The fit ends when a step changes H by at most this share of its norm. 0 never does.
    max_no_improvement : int, default=10
        The fit ends when this many steps in a row bring no new minimum of the moving average of
        the cost. None never does.
    max_iter : int, default=200
        Most passes over all rows.
    alpha_W : float, default=0.0
        As for `NMF`.
    alpha_H : float or 'same', default='same'
        As for `NMF`.
    l1_ratio : float, default=0.0
        As for `NMF`.
    forget_factor : float, default=0.7
        What is left of the sums after a pass over all rows: 1 keeps all, 0 keeps the last batch.
    fresh_restarts : bool, default=False
        Whether each step solves W for its batch from the beginning, and the end for all rows.
    fresh_restarts_max_iter : int, default=30
        Most updates of W in such a step.
    transform_max_iter : int, default=None
        As for `NMF`.
    random_state : int, RandomState instance or None, default=None
        For random starts and the randomized SVD.
    verbose : int, default=0
        Whether to print the cost of each step.
    time_limit : float, default=None
        Most wall time of `fit` in seconds, its start included.
    n_jobs : int, default=None
        Number of threads. None and -1 are all of them, or what ``OMP_NUM_THREADS`` says, as it does
        in the workers of joblib. The result does not depend on it.
    dtype : {'float32', 'float64'}, default=None
        As for `NMF`.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        H.
    n_components_ : int
        Number of components.
    n_steps_ : int
        Number of batches so far.
    n_iter_ : int
        Number of passes over all rows that were begun. Not set by `partial_fit`, as all below.
    reconstruction_err_ : float
        The root of 2 D(X, WH), without penalties.
    n_features_in_ : int
        Number of features of X. Set by `partial_fit` too.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, if X had names that are all strings. Set by `partial_fit` too.
    status_ : str
        How the fit ended: 'converged', 'max_iter' or 'time_limit'.
    converged_ : bool
        Whether ``status_`` is 'converged': one of the two rules above ended the fit.
    kkt_residual_ : float
        How far the result is from stationary without penalties.
    objective_history_ : ndarray of shape (n_steps_,)
        The cost per row of each batch, before H changed.
    explained_variance_ratio_ : ndarray of shape (n_components,)
        As for `NMF`, as the total below.
    explained_variance_total_ : float

    References
    ----------
    Lefèvre, Bach and Févotte, "Online algorithms for nonnegative matrix factorization with the
    Itakura-Saito divergence", WASPAA (2011).

    Examples
    --------
    >>> import numpy as np
    >>> from partwise import MiniBatchNMF
    >>> X = np.array([[1, 1], [2, 1], [3, 1.2], [4, 1], [5, 0.8], [6, 1]])
    >>> model = MiniBatchNMF(n_components=2, init="random", random_state=0)
    >>> W = model.fit_transform(X)
    >>> H = model.components_
    """

    # Batches are rows.
    _formats = ("csr",)

    n_steps_: int

    _parameter_constraints: dict[str, Any] = {
        **CONSTRAINTS,
        "max_no_improvement": [_AT_LEAST_1, None],
        "batch_size": [_AT_LEAST_1],
        "forget_factor": [Interval(Real, 0, 1, closed="both")],
        "fresh_restarts": ["boolean"],
        "fresh_restarts_max_iter": [_AT_LEAST_1],
        "transform_max_iter": [_AT_LEAST_1, None],
    }

    def __init__(
        self,
        n_components: int | Literal["auto"] | None = "auto",
        *,
        init: Init = None,
        batch_size: int = 1024,
        beta_loss: float | str = "frobenius",
        tol: float = 1e-4,
        max_no_improvement: int | None = 10,
        max_iter: int = 200,
        alpha_W: float = 0.0,
        alpha_H: float | Literal["same"] = "same",
        l1_ratio: float = 0.0,
        forget_factor: float = 0.7,
        fresh_restarts: bool = False,
        fresh_restarts_max_iter: int = 30,
        transform_max_iter: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int | bool = 0,
        time_limit: float | None = None,
        n_jobs: int | None = None,
        dtype: Any = None,
    ) -> None:
        self.n_components = n_components
        self.init = init
        self.batch_size = batch_size
        self.beta_loss = beta_loss
        self.tol = tol
        self.max_no_improvement = max_no_improvement
        self.max_iter = max_iter
        self.alpha_W = alpha_W
        self.alpha_H = alpha_H
        self.l1_ratio = l1_ratio
        self.forget_factor = forget_factor
        self.fresh_restarts = fresh_restarts
        self.fresh_restarts_max_iter = fresh_restarts_max_iter
        self.transform_max_iter = transform_max_iter
        self.random_state = random_state
        self.verbose = verbose
        self.time_limit = time_limit
        self.n_jobs = n_jobs
        self.dtype = dtype

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X: Any, y: Any = None, W: Any = None, H: Any = None) -> Array:
        """Fit the model to X and return W.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Non-negative and finite. Sparse X is never made dense.
        y : Ignored
        W : array-like of shape (n_samples, n_components), default=None
            Where W starts if ``init='custom'``. It is not written to.
        H : array-like of shape (n_components, n_features), default=None
            Where H starts if ``init='custom'``. It is not written to.

        Returns
        -------
        W : ndarray of shape (n_samples, n_components)

        Raises
        ------
        ValueError
            If X has an entry that is negative, infinite or NaN, or a parameter does not fit X.
        TypeError
            If W or H is of another dtype than X.
        """
        X = self._checked(X)
        started = time.monotonic()
        check_non_negative(X, "MiniBatchNMF (input X)")
        self._check_params(X)
        check_zeros_for_beta(X, self._beta_loss)
        W, H = self._check_start(X, W, H, time_limit=self.time_limit)
        if W is None:
            W, H = hasty(X, self._n_components)
        steps = BatchSteps(self, H, unit_of(X))
        W = self._run(X, W.copy(), steps, started)
        self._keep(steps)
        if self.fresh_restarts:
            W = self._rows_given(X, self.components_)
        self._measure(X, W)
        return W

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any = None, W: Any = None, H: Any = None) -> Self:
        """Go on from the components so far with X as one more batch.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Non-negative and finite.
        y : Ignored
        W : array-like of shape (n_samples, n_components), default=None
            Checked by the first call if ``init='custom'``; W is solved for in any case.
        H : array-like of shape (n_components, n_features), default=None
            Where H starts if ``init='custom'``, in the first call.

        Returns
        -------
        self : object
        """
        first = not hasattr(self, "components_")
        # Sums over batches are in the precision of the first one.
        X = self._checked(X, dtype=None if first else self.components_.dtype.type, reset=first)
        check_non_negative(X, "MiniBatchNMF (input X)")
        if first:
            self._check_params(X)
            _, H = self._check_start(X, W, H)
            steps = BatchSteps(self, H, unit_of(X))
            self.n_steps_ = 0
        else:
            steps = BatchSteps.resumed(self)
        check_zeros_for_beta(X, self._beta_loss)
        steps.step(X, None)
        steps.count += self.n_steps_
        self._keep(steps)
        return self

    def _check_params(self, X):
        super()._check_params(X)
        self._batch_size = min(self.batch_size, X.shape[0])
        self._rho = self.forget_factor ** (self._batch_size / X.shape[0])

    def _run(self, X, W, steps, started):
        """Take steps until a rule ends the fit; set its status and history; return W."""
        n_samples = X.shape[0]
        batches = list(gen_batches(n_samples, self._batch_size))
        total = self.max_iter * len(batches)
        rule = StopRule(self, n_samples, total)
        costs, self.status_ = [], "max_iter"
        for index in range(total):
            rows = batches[index % len(batches)]
            before = steps.H
            batch = X[rows]
            W[rows], cost = steps.step(batch, W[rows])
            costs.append(cost)
            if rule.ends(index + 1, len(W[rows]), cost, before, steps.H, batch.sum() > 0):
                self.status_ = "converged"
                break
            if self.time_limit is not None and time.monotonic() - started > self.time_limit:
                self.status_ = "time_limit"
                break
        self.objective_history_ = np.array(costs)
        self.n_iter_ = math.ceil(len(costs) / len(batches))
        if self.status_ == "max_iter" and self.tol > 0:
            warn_of_max_iter(self.max_iter)
        return W

    def _keep(self, steps):
        numerator, denominator, exponent = steps.sums()
        self._components_numerator, self._components_denominator = numerator, denominator
        self._components_exponent = exponent
        self.components_ = steps.H
        self.n_components_ = steps.H.shape[0]
        self.n_steps_ = steps.count

    def _measure(self, X, W):
        """Set what is measured on all rows at the end."""
        self.converged_ = self.status_ == "converged"
        divergence, explained, kkt_residual = self._quality(X, W, self.components_)
        self.reconstruction_err_ = root_of_divergence(divergence)
        self._keep_explained(W, explained)
        self.kkt_residual_ = kkt_residual
