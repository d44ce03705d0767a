"""What `NMF` and `MiniBatchNMF` share."""

from abc import ABC
from collections.abc import Callable
from inspect import signature
from numbers import Integral, Real
from typing import Any, Literal, Self, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.validation import check_is_fitted, check_non_negative, validate_data

from . import _native
from ._beside import NOTHING, beside, filled, without_mask
from ._caller import warn, warn_of_unfinished
from ._frames import in_container
from ._indices import compressed
from ._shares import explained_by_component
from ._start import initialize
from ._validation import (
    beta_of,
    check_dtype,
    check_factor,
    engine_matrix,
    float_types,
    loss_of,
    penalties,
    refuse_masked,
    thread_count,
)
from ._version import marked, unmarked

Array: TypeAlias = npt.NDArray[Any]
Init: TypeAlias = Literal["random", "nndsvd", "nndsvda", "nndsvdar", "custom"] | None
Callback: TypeAlias = Callable[[dict[str, Any]], Any]

_AT_LEAST_0 = Interval(Real, 0, None, closed="left")
_AT_LEAST_1 = Interval(Integral, 1, None, closed="left")


class _Divergences(StrOptions):
    """scikit-learn's names, those of ``partwise.fit``, and Huber's loss."""

    def is_satisfied_by(self, val):
        """Tell whether ``val`` is one of the names, or like ``'huber:0.5'``."""
        own = isinstance(val, str) and (val.lower() in ("kl", "is") or val[:5] == "huber")
        return own or super().is_satisfied_by(val)


CONSTRAINTS = {
    "n_components": [_AT_LEAST_1, None, StrOptions({"auto"})],
    "init": [StrOptions({"random", "nndsvd", "nndsvda", "nndsvdar", "custom"}), None],
    "beta_loss": [_Divergences({"frobenius", "kullback-leibler", "itakura-saito"}), Real],
    "tol": [_AT_LEAST_0],
    "max_iter": [_AT_LEAST_1],
    "random_state": ["random_state"],
    "alpha_W": [_AT_LEAST_0],
    "alpha_H": [_AT_LEAST_0, StrOptions({"same"})],
    "l1_ratio": [Interval(Real, 0, 1, closed="both")],
    "verbose": ["verbose"],
    "time_limit": [Interval(Real, 0, None, closed="neither"), None],
    "n_jobs": [Integral, None],
    "dtype": [StrOptions({"float32", "float64"}), Options(type, {np.float32, np.float64}),
              np.dtype, None],
}  # fmt: skip


class BaseNMF(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator, ABC):
    """Checks, starts, `transform`, `score` and pickling of both classes."""

    _parameter_constraints: dict[str, Any] = CONSTRAINTS

    # Where the "?" of the box in a notebook leads.
    _doc_link_module = "partwise"
    _doc_link_template = "https://github.com/partwise/partwise/blob/main/docs/python.md"

    components_: Array
    n_components_: int
    n_iter_: int
    reconstruction_err_: float
    n_features_in_: int
    feature_names_in_: Array
    status_: str
    converged_: bool
    kkt_residual_: float
    objective_history_: Array
    explained_variance_ratio_: Array
    explained_variance_total_: float

    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Fit the model to X.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Non-negative and finite. Sparse X is never made dense.
        y : Ignored
        **params : dict
            What else `fit_transform` takes: ``W`` and ``H``, and for `NMF` weights.

        Returns
        -------
        self : object
        """
        self.fit_transform(X, **params)
        return self

    def transform(self, X: Any, *, weights: Any = None) -> Array:
        """Return the W that fits X best with the components as they are.

        The solution is exact and a function of each row alone: a row gives the same bits by
        itself, in a batch, and in any order.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Non-negative and finite. What a masked array hides is missing.
        weights : array-like of shape (n_samples, n_features), default=None
            How much each entry of X counts.

        Returns
        -------
        W : ndarray of shape (n_samples, n_components)

        Raises
        ------
        ValueError
            If X has another number of features than the one that was fitted, or an entry
            that is negative, infinite or, unless ``missing='nan'``, NaN.
        """
        check_is_fitted(self)
        X, beside = self._read(X, weights, reset=False, ensure_non_negative=True)
        return self._given_out(self._rows_given(X, self.components_, beside))

    def inverse_transform(self, X: Any) -> Any:
        """Return the product of X and the components.

        It is a frame of pandas or polars if `set_output` asks for one, with the names of the features
        and the index of X.

        Parameters
        ----------
        X : {ndarray, sparse matrix} of shape (n_samples, n_components)
            W, as `transform` returns it.

        Returns
        -------
        X_original : {ndarray, DataFrame} of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        W = compressed(X) if sp.issparse(X) else np.asarray(X)
        return in_container(self, W @ np.asarray(self.components_), X)

    def score(
        self, X: Any, y: Any = None, *, sample_weight: Any = None, weights: Any = None
    ) -> float:
        """Return how much of X the components explain.

        This is ``explained_variance_total_`` of X and ``transform(X)``: 1 - ||X - WH||² / ||X||²
        for the Frobenius loss, where 1 is perfect and 0 is no better than W = 0. It is the share
        of a sum of squares about zero, not about the mean. For another loss, 0 is no better than
        the mean of X in every place.

        More components always explain more, also of rows that were not fitted, because W is
        solved for them: the score compares starts, penalties and solvers, and does not by
        itself choose ``n_components``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : Ignored
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row of X counts.
        weights : array-like of shape (n_samples, n_features), default=None
            How much each entry of X counts.

        Returns
        -------
        score : float
        """
        check_is_fitted(self)
        X, beside = self._read(X, weights, sample_weight, reset=False, ensure_non_negative=True)
        W = self._rows_given(X, self.components_, beside)
        _, explained, _ = self._quality(X, W, self.components_, beside)
        return float(explained)

    def _given_out(self, W):
        """Return W as it was asked for."""
        return sp.csr_array(W) if getattr(self, "sparse_output", False) else W

    @property
    def _n_features_out(self):
        return self.components_.shape[0]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def __getstate__(self):
        state = super().__getstate__()
        if "components_" in state and state.get("callbacks") is not None:
            # They belong to the fit that they watched, and often cannot be pickled.
            state = {**state, "callbacks": None}
        return marked(state)

    def __setstate__(self, state):
        state = unmarked(state, type(self).__name__)
        # Parameters that came after the release that saved it have their defaults.
        own = signature(type(self)).parameters.values()
        super().__setstate__({**{p.name: p.default for p in own}, **state})

    def _read(self, X, weights=None, sample_weight=None, **options):
        """Return X checked, and what stands beside it."""
        given = X
        X, hidden = without_mask(X, getattr(self, "missing", None))
        if isinstance(hidden, str) and hidden == "nan":
            options["ensure_all_finite"] = "allow-nan"
        X = self._checked(X, **options)
        return X, beside(given, X, hidden, weights, sample_weight)

    def _checked(self, X, dtype=None, **options):
        refuse_masked(X)
        X = validate_data(
            self,
            compressed(X) if sp.issparse(X) else X,
            accept_sparse=self._formats,
            dtype=float_types(self.dtype) if dtype is None else dtype,
            **options,
        )
        return X

    def _check_params(self, X):
        self._n_components = X.shape[1] if self.n_components is None else self.n_components
        self._beta_loss = beta_of(self.beta_loss)

    def _check_start(self, X, W, H, beside=NOTHING, time_limit=None):
        """Return the W and H to start from: those given if ``init='custom'``, else new ones.

        Both are None if ``time_limit`` seconds did not suffice.
        """
        if self.init == "custom":
            return self._custom_start(X, W, H)
        if W is not None or H is not None:
            warn(
                "When init!='custom', provided W or H are ignored. Set "
                " init='custom' to use them as initialization.",
                RuntimeWarning,
            )
        if self._n_components == "auto":
            self._n_components = X.shape[1]
        # Twice what is drawn in double precision, and Gram matrices of the engine, before it is drawn.
        k = self._n_components
        values = 2 * (X.shape[0] + X.shape[1]) * k + (10 * k * k if self._beta_loss == 2 else 0)
        _native.check_memory(f"a start of {k} components", 8 * values)
        threads = thread_count(self.n_jobs)
        X = filled(X, beside)
        W, H = initialize(X, k, self.init, self.random_state, time_limit, threads)
        if W is None:
            return None, None
        if not (W.any() and H.any()):
            # X is zero. Any start will do but zero, from which nothing moves.
            W, H = np.ones_like(W), np.ones_like(H)
        return W.astype(X.dtype, copy=False), H.astype(X.dtype, copy=False)

    def _custom_start(self, X, W, H):
        check_non_negative(X, "NMF initialization")
        H = check_factor(H, (self._n_components, X.shape[1]), "NMF (input H)")
        W = check_factor(W, (X.shape[0], self._n_components), "NMF (input W)")
        check_dtype(X, H=H, W=W)
        if self._n_components == "auto":
            self._n_components = H.shape[0]
        return W, H

    def _rows_given(self, X, H, beside=NOTHING):
        """Solve for W exactly, with H as it is, whoever has set it and as what."""
        H = np.asarray(H)
        if not H.any():
            return np.zeros((X.shape[0], H.shape[0]), dtype=X.dtype)
        w_penalties, _ = penalties(self, X.shape)
        most = getattr(self, "transform_max_iter", None)
        limit = {} if most is None else {"max_iter": most}
        ridge = getattr(self, "ridge_", None)
        if ridge is not None:
            w_penalties["w_l2"] = ridge
        W, unfinished = _native.transform(
            engine_matrix(X),
            H.astype(X.dtype, copy=False),
            loss=loss_of(beta_of(self.beta_loss)),
            threads=thread_count(self.n_jobs),
            **w_penalties,
            **beside.of_rows(),
            **limit,
        )
        warn_of_unfinished(unfinished, X.shape[0])
        return W

    def _keep_explained(self, W, total):
        """Set what is explained, and by which component."""
        squared = beta_of(self.beta_loss) == 2
        self.explained_variance_total_ = float(total)
        self.explained_variance_ratio_ = explained_by_component(W, self.components_, total, squared)

    def _quality(self, X, W, H, beside=NOTHING):
        """Measure W and H on X, without penalties.

        Returns
        -------
        divergence, explained, kkt_residual : float
        """
        x, loss = engine_matrix(X), loss_of(beta_of(self.beta_loss))
        H = np.asarray(H).astype(X.dtype, copy=False)
        if not (W.any() and H.any()):
            # The engine does not start a fit from a factor of zeros.
            found = _native.verify(x, W, H, loss=loss, **beside.of_fit())
            return found["objective"], found["explained_variance"], found["kkt_residual"]
        options = {"threads": thread_count(self.n_jobs), "max_iter": 0, "w_l2": 0.0}
        fit = _native.fit(x, H.shape[0], loss=loss, w=W, h=H, **options, **beside.of_fit())
        return fit.divergence, fit.explained_variance, fit.kkt_residual


def warn_of_max_iter(max_iter, residual=None, tol=None):
    """Warn that the iterations ran out, with what was reached and what to do."""
    # Programs filter by scikit-learn's words.
    text = f"Maximum number of iterations {max_iter} reached. Increase it to improve convergence."
    if residual is not None:
        text += f" The KKT residual is {residual:.2g}, tol is {tol:g}"
        # What has a small residual goes on while it still falls.
        falls = ", but the last step still lowered the objective by more than tol of it"
        text += f"{falls if residual <= tol else ''}."
    warn(text, ConvergenceWarning)


def root_of_divergence(divergence):
    """Return ``reconstruction_err_``: the root of twice the divergence, without penalties."""
    return float(np.sqrt(2.0 * max(divergence, 0.0)))
