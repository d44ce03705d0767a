//! What the loop asks of one way to run an iteration.
//!
//! There are two: by normal equations ([`super::normal`]: everything a half step needs of X is a
//! product and a Gram matrix, shared by all rows), and by entries ([`super::entries`]: losses, masks
//! and weights under which every row has an equation of its own).

use super::{Ended, Member};
use crate::error::Result;
use crate::scalar::Scalar;

/// How a fit begins: see [`Options::plain`](super::Options).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Opening {
    /// Iterations of one sweep that are not extrapolated.
    pub(super) plain: usize,
    /// Whether the other factor is improved before the streamed one, since it is W.
    pub(super) other_first: bool,
    /// Whether no step is extrapolated, plain or not.
    pub(super) cautious: bool,
}

impl Opening {
    /// Judgements after which no step is extrapolated: up to the last one of a plain iteration, and that
    /// after it.
    pub(super) fn judgements(self) -> usize {
        if self.cautious {
            return usize::MAX;
        }
        if self.plain > 0 { self.plain + 1 + usize::from(self.other_first) } else { 0 }
    }

    /// Whether this is a plain iteration.
    pub(super) fn covers(self, iteration: usize) -> bool {
        self.plain > 0 && iteration <= self.plain
    }
}

/// Restarts that run side by side, and how their factors are improved.
pub(super) trait Course<T: Scalar> {
    /// How the iterations begin.
    fn opening(&self) -> Opening;

    /// The restarts that have not ended.
    fn members(&mut self) -> Vec<&mut Member<T>>;

    /// The first half of an iteration: improves the streamed factor, or only looks at the iterate.
    fn sweep_streamed(&mut self, improve: bool) -> Result<()>;

    /// The objective and the KKT residual of the iterate, and whether to keep it.
    fn judge(&mut self, first: bool) -> Result<()>;

    /// Keeps a copy of each iterate that is the best of a rule that can lose it.
    fn keep_best(&mut self);

    /// Whether a member must go on even if its KKT residual is small.
    fn is_unfinished(&self, member: usize) -> bool;

    /// Goes back to the last iterate that was accepted, after a step that was not finished.
    fn abandon(&mut self);

    /// Takes out the members that have ended, each with its best iterate.
    ///
    /// # Errors
    /// What the source of X reports.
    fn retire(&mut self) -> Result<Vec<Ended<T>>>;

    /// The second half of an iteration: improves the other factor.
    fn sweep_other(&mut self) -> Result<()>;

    /// Starts components that died again.
    fn revive(&mut self) -> Result<()>;

    /// Before the last look: what a factor is charged for a component that the other one does not have is
    /// charged for nothing.
    fn drop_charged(&mut self) {}
}
