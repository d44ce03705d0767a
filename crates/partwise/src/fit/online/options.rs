//! What is asked of learning by batches.

use crate::error::{Error, Result};
use crate::fit::options::at_least_one;
use crate::loss::Loss;
use crate::penalty::Penalty;
use crate::update::Rule;

/// How [`Online`](super::Online) learns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OnlineOptions {
    /// What is minimised.
    pub loss: Loss,
    /// [`Rule::Mu`] for any loss, or [`Rule::Hals`] for exact sums under the Frobenius loss.
    pub rule: Rule,
    /// Sweeps over H for each batch under [`Rule::Hals`].
    pub sweeps: usize,
    /// What the entries of W are charged.
    pub w_penalty: Penalty,
    /// What the entries of H are charged, once for each batch.
    pub h_penalty: Penalty,
    /// Threads; 0 takes those of the rayon pool that the caller runs in. The result has the same
    /// bits for any number.
    pub threads: usize,
}

impl Default for OnlineOptions {
    fn default() -> Self {
        Self {
            loss: Loss::FROBENIUS,
            rule: Rule::Mu,
            sweeps: 8,
            w_penalty: Penalty::NONE,
            h_penalty: Penalty::NONE,
            threads: 0,
        }
    }
}

impl OnlineOptions {
    pub(super) fn validate(&self) -> Result<()> {
        let conflict = |second: String, reason| {
            Err(Error::Conflict { first: format!("rule {}", self.rule), second, reason })
        };
        at_least_one("sweeps", self.sweeps)?;
        self.w_penalty.check(["w_l1", "w_l2"])?;
        self.h_penalty.check(["h_l1", "h_l2"])?;
        if !matches!(self.rule, Rule::Mu | Rule::Hals) {
            return conflict("learning by batches".into(), "it has no sums over batches");
        }
        if !self.rule.supports(self.loss) {
            return conflict(format!("loss {}", self.loss), "this rule does not minimise it");
        }
        Ok(())
    }
}

/// What is done with one batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// What is left of the sums over former batches: 1 keeps all, 0 forgets all.
    pub rho: f64,
    /// Most updates of W.
    pub w_iterations: usize,
    /// Updates of W end where its KKT residual is at most this, for each block of rows; 0 makes all.
    pub w_tol: f64,
    /// Whether H moves.
    pub improve_h: bool,
}

impl Default for Step {
    fn default() -> Self {
        Self { rho: 1.0, w_iterations: 100, w_tol: 1e-3, improve_h: true }
    }
}

impl Step {
    pub(super) fn validate(&self) -> Result<()> {
        at_least_one("w_iterations", self.w_iterations)?;
        if !(0.0..=1.0).contains(&self.rho) {
            let value = self.rho.to_string();
            return Err(Error::Option { option: "rho", value, needed: "a number from 0 to 1" });
        }
        if !(self.w_tol >= 0.0 && self.w_tol.is_finite()) {
            let value = self.w_tol.to_string();
            return Err(Error::Option { option: "w_tol", value, needed: "a finite number >= 0" });
        }
        Ok(())
    }
}
