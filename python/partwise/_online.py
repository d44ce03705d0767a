"""The steps of `MiniBatchNMF`, and the rule that ends them."""

import math

import numpy as np

from . import _native
from ._start import mean_of
from ._validation import engine_matrix, loss_of, penalties, thread_count


class BatchSteps:
    """H and its sums as batches go by.

    Parameters
    ----------
    estimator : MiniBatchNMF
        With ``_beta_loss``, ``_rho`` and its parameters.
    H : ndarray of shape (n_components, n_features)
        Where H starts. It is not written to.
    unit : float, default=1
        In which scikit-learn's sums begin: H, and ones below it.

    Attributes
    ----------
    H : ndarray of shape (n_components, n_features)
        As the last step left it.
    count : int
        Steps taken.
    """

    def __init__(self, estimator, H, unit=1.0):
        self._estimator = estimator
        self._online = None
        self._penalties = None
        # X is 4^exponent in units of about its own, and H is 2^exponent.
        exponent = math.frexp(unit)[1] // 2
        self._sums = (np.ldexp(H, -exponent), np.ones_like(H), exponent)
        self.H = H
        self.count = 0

    @classmethod
    def resumed(cls, estimator):
        """Go on from a fitted estimator."""
        steps = cls(estimator, estimator.components_)
        steps._sums = (
            estimator._components_numerator,
            estimator._components_denominator,
            estimator._components_exponent,
        )
        return steps

    def step(self, X, W):
        """Improve W for a batch, then H.

        Parameters
        ----------
        X : {ndarray, CSR matrix} of shape (n_rows, n_features)
        W : ndarray of shape (n_rows, n_components) or None
            None solves W from the beginning, as ``fresh_restarts`` does.

        Returns
        -------
        W : ndarray of shape (n_rows, n_components)
        cost : float
            Objective per row, with H as it was.
        """
        estimator, iterations, tol = self._estimator, 1, 0.0
        if W is None or estimator.fresh_restarts:
            W = self._flat_start(X)
            iterations, tol = estimator.fresh_restarts_max_iter, estimator.tol
        online = self._engine(X.shape)
        W, cost = online.step(
            engine_matrix(X), W, rho=estimator._rho, w_iterations=iterations, w_tol=tol
        )
        self.H = online.h
        self.count += 1
        return W, cost

    def sums(self):
        """Return the numerator and the denominator of H, and the exponent of their units."""
        if self._online is not None:
            online = self._online
            self._sums = (online.numerator, online.denominator, online.exponent)
        return self._sums

    def _engine(self, shape):
        """Return the engine's side for batches of this shape.

        The penalty of H grows with the number of rows, so the last batch of a pass may need
        another one.
        """
        w_penalties, h_penalties = penalties(self._estimator, shape)
        wanted = {**w_penalties, **h_penalties}
        if wanted != self._penalties:
            numerator, denominator, exponent = self.sums()
            self._online = _native.Online(
                self.H,
                loss=loss_of(self._estimator._beta_loss),
                threads=thread_count(self._estimator.n_jobs),
                **wanted,
            )
            self._online.numerator, self._online.denominator = numerator, denominator
            self._online.exponent = exponent
            self._penalties = wanted
        return self._online

    def _flat_start(self, X):
        """Return a W of one value, with a product of the size of X."""
        k = self.H.shape[0]
        level = np.sqrt(mean_of(X) / k) or 1.0
        return np.full((X.shape[0], k), level, dtype=X.dtype)


class StopRule:
    """scikit-learn's early stopping: a small change of H, or no progress of the mean cost.

    Parameters
    ----------
    estimator : MiniBatchNMF
    n_samples : int
        Rows of X.
    total : int
        Most steps, for the report.
    """

    def __init__(self, estimator, n_samples, total):
        self._estimator = estimator
        self._n_samples = n_samples
        self._total = total
        self._mean = None
        self._lowest = np.inf
        self._idle = 0

    def ends(self, step, n_rows, cost, before, after, learnt=True):
        """Tell whether this step is the last one.

        Parameters
        ----------
        step : int
            From 1.
        n_rows : int
            Rows of its batch.
        cost : float
            Of the batch, per row.
        before, after : ndarray of shape (n_components, n_features)
            H.
        learnt : bool, default=True
            Whether the batch says anything of H: one of zeros leaves H as it is.

        Returns
        -------
        ends : bool
        """
        if step == 1:
            # H was the start's when this cost was taken.
            self._report(step, f"mean batch cost: {cost}")
            return False
        share = min(n_rows / (self._n_samples + 1), 1)
        self._mean = cost if self._mean is None else self._mean * (1 - share) + cost * share
        self._report(step, f"mean batch cost: {cost}, ewa cost: {self._mean}")
        if learnt and self._small_change(before, after):
            self._report(step, "converged (small H change)")
            return True
        if self._no_progress():
            self._report(step, "converged (lack of improvement in objective function)")
            return True
        return False

    def _small_change(self, before, after):
        tol = self._estimator.tol
        return tol > 0 and np.linalg.norm(after - before) <= tol * np.linalg.norm(after)

    def _no_progress(self):
        if self._mean < self._lowest:
            self._lowest, self._idle = self._mean, 0
        else:
            self._idle += 1
        limit = self._estimator.max_no_improvement
        return limit is not None and self._idle >= limit

    def _report(self, step, text):
        if self._estimator.verbose:
            print(f"Minibatch step {step}/{self._total}: {text}")
