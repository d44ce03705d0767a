//! What a fit returns.

use crate::factor::Factor;
use crate::metric::{Kkt, Sparsity};
use crate::names::names;
use crate::penalty::Penalty;
use crate::scalar::Scalar;
use crate::warning::Warning;

names! {
    /// How a fit ended. Every one of them comes with the best factors found.
    pub enum Status("status") {
        /// Stationary: the KKT residual of X as given is at most `tol`, and the objective has settled.
        Converged = "converged",
        /// The error has settled, as [`Until::Settled`](crate::Until) asks, though the KKT residual exceeds
        /// `tol`.
        Settled = "settled",
        /// The iterations ran out first.
        MaxIter = "max_iter",
        /// The time ran out first.
        TimeLimit = "time_limit",
        /// The objective no longer falls by more than rounding, though the KKT residual exceeds `tol`.
        Stalled = "stalled",
        /// The observer asked to stop.
        Interrupted = "interrupted",
        /// A value that is not finite came up; the factors are the last finite ones.
        NumericalTrouble = "numerical_trouble",
    }
}

/// One iteration of one restart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Record {
    /// From 1; 0 is the start.
    pub iteration: usize,
    /// Since the fit began.
    pub seconds: f64,
    /// The objective, penalties included, of the best iterate so far.
    pub objective: f64,
    /// KKT residual of that iterate.
    pub kkt: Kkt,
}

/// How one restart ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Restart {
    /// Which one, from 0.
    pub restart: usize,
    /// How it ended.
    pub status: Status,
    /// Iterations it took.
    pub iterations: usize,
    /// The objective, penalties included, of its best iterate.
    pub objective: f64,
    /// KKT residual of that iterate.
    pub kkt: Kkt,
}

/// The result of a fit: the best restart, and what became of the others.
#[derive(Debug, Clone)]
pub struct Fit<T: Scalar> {
    /// W, m×k.
    pub w: Factor<T>,
    /// H stored tall, n×k; [`Factor::to_transposed_vec`] gives it k×n.
    pub h: Factor<T>,
    /// How the best restart ended.
    pub status: Status,
    /// Iterations of the best restart; each reads X once.
    pub iterations: usize,
    /// Wall time of the whole fit.
    pub seconds: f64,
    /// What was minimised: the divergence and the penalties. It and the figures below are of these very
    /// factors, and NaN if they were not measured: a fit that was stopped has 0.15 s to do so.
    pub objective: f64,
    /// D(X, WH) alone: ½‖X − WH‖² under the Frobenius loss.
    pub divergence: f64,
    /// The error bound of `divergence` by rounding.
    pub objective_bound: f64,
    /// √(D(X, WH) / D₀), where D₀ is the divergence of a model that knows nothing: zero under the
    /// Frobenius loss, so that this is ‖X − WH‖ / ‖X‖, and the mean of X under any other. Norms, sums and
    /// means are over the entries that count, times their weights. 0 for X = 0.
    pub relative_error: f64,
    /// 1 − D(X, WH) / D₀.
    pub explained_variance: f64,
    /// The certificate: how far from stationary, for X as given. Like the objective it may not have been
    /// measured: see [`Kkt::is_measured`].
    pub kkt: Kkt,
    /// Hoyer sparsity of W.
    pub w_sparsity: Sparsity,
    /// Hoyer sparsity of H.
    pub h_sparsity: Sparsity,
    /// What the entries of W were charged.
    pub w_penalty: Penalty,
    /// What the entries of H were charged.
    pub h_penalty: Penalty,
    /// λ₂ of the ridge on both factors that was taken since entries are missing and
    /// [`Options`](crate::Options) did not say what is charged; it is part of both penalties.
    pub ridge: Option<f64>,
    /// The best restart, iteration by iteration.
    pub history: Vec<Record>,
    /// Every restart.
    pub restarts: Vec<Restart>,
    /// W and H of every restart, in the order of `restarts`, if [`Options::keep_all`](crate::Options) asked
    /// for them.
    pub every: Vec<(Factor<T>, Factor<T>)>,
    /// What else there is to know.
    pub warnings: Vec<Warning>,
}
