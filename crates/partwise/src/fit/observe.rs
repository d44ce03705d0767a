//! The one hook into a running fit: progress, checkpoints, Ctrl-C and callbacks are observers.

use crate::metric::Kkt;
use std::ops::ControlFlow;

/// Where a running fit stands after an iteration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// From 1.
    pub iteration: usize,
    /// Most that there will be.
    pub max_iter: usize,
    /// Since the fit began.
    pub seconds: f64,
    /// Restarts that have ended.
    pub ended: usize,
    /// Restarts that there are.
    pub n_init: usize,
    /// ½‖X − WH‖² of the best restart so far.
    pub objective: f64,
    /// ‖X − WH‖ / ‖X‖ of the best restart so far.
    pub relative_error: f64,
    /// KKT residual of that restart.
    pub kkt: Kkt,
    /// The KKT residual at which a restart has converged.
    pub tol: f64,
}

/// Is told of every iteration and may end the fit, which then returns its best iterate.
pub trait Observer {
    /// After an iteration; `Break` ends the fit with [`Status::Interrupted`](crate::Status).
    fn iteration(&mut self, progress: &Progress) -> ControlFlow<()>;
}

/// Watches nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn iteration(&mut self, _: &Progress) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

impl<F: FnMut(&Progress) -> ControlFlow<()>> Observer for F {
    fn iteration(&mut self, progress: &Progress) -> ControlFlow<()> {
        self(progress)
    }
}
