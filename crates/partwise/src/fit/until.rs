//! What ends a fit before its limits do.

use super::Watch;
use super::course::Course;
use super::member::Member;
use super::outcome::Status;
use crate::error::Result;
use crate::names::names;
use crate::scalar::Scalar;

names! {
    /// What ends a fit before its limits do.
    pub enum Until("until") {
        /// Stationary: the KKT residual is at most `tol`, and the last step lowered the objective by no
        /// more than that share of it.
        Stationary = "stationary",
        /// As scikit-learn ends its multiplicative updates: ten iterations lowered the error, the root
        /// of twice the divergence, by less than `tol` times that of the start. For the rule `mu`.
        Settled = "settled",
    }
}

/// Iterations between two looks at the error, as in scikit-learn.
const EVERY: usize = 10;

/// The errors that a fall is measured by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Errors {
    start: f64,
    before: f64,
}

/// √(2D), which is ‖X − WH‖ under the Frobenius loss.
fn error<T>(member: &Member<T>) -> f64 {
    (2.0 * member.divergence.max(0.0)).sqrt()
}

impl<T: Scalar> Watch<'_, T> {
    /// Whether this ends by errors: never with a `tol` of 0.
    pub(super) fn by_errors(&self) -> bool {
        self.until == Until::Settled && self.tol > 0.0
    }

    /// Keeps the errors of the start.
    pub(super) fn begin_errors(&self, course: &mut dyn Course<T>) {
        if self.by_errors() {
            for member in course.members() {
                let start = error(member);
                member.errors = Some(Errors { start, before: start });
            }
        }
    }

    /// Looks at the whole iteration that was made, if its error is asked for and not the last one's.
    ///
    /// # Errors
    /// What the source of X reports.
    pub(super) fn look(&self, course: &mut dyn Course<T>, iteration: usize) -> Result<()> {
        let known = course.opening().other_first || iteration == self.max_iter;
        if !self.by_errors() || !iteration.is_multiple_of(EVERY) || known {
            return Ok(());
        }
        course.sweep_streamed(false)?;
        course.judge(false)?;
        for member in course.members() {
            self.record_again(member, iteration);
            self.settle(member, iteration);
        }
        Ok(())
    }

    /// Gives a member that has settled its status: one iterate of ten is compared with that before it.
    pub(super) fn settle(&self, member: &mut Member<T>, iteration: usize) {
        let Some(Errors { start, before }) = member.errors else { return };
        if !iteration.is_multiple_of(EVERY) || member.status.is_some() {
            return;
        }
        let now = error(member);
        // A start at a solution has no error to fall.
        if start == 0.0 || (before - now) / start < self.tol {
            let stationary = member.standing().1.residual() <= self.tol;
            member.status = Some(if stationary { Status::Converged } else { Status::Settled });
        }
        member.errors = Some(Errors { start, before: now });
    }
}
