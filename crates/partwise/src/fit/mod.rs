//! The loop.
//!
//! Every rule, start and kind of X goes through [`iterate`]: a read of X improves one factor and
//! gathers what the other needs, the iterate is judged, and the other factor follows.

mod batch;
mod member;
mod observe;
mod options;
mod other;
mod outcome;
mod revive;
mod run;
mod streamed;
mod transform;

pub use observe::{Observer, Progress, Silent};
pub use options::Options;
pub use outcome::{Fit, Record, Restart, Status};
use run::run_in_pool;
pub use run::{fit, fit_observed};
pub use transform::transform;

use crate::error::Result;
use crate::init::Pair;
use crate::scalar::Scalar;
use batch::Batch;
use member::Member;
use std::ops::ControlFlow;
use std::time::Instant;

/// Iterations without a fall of the objective beyond rounding after which a member has stalled.
const STALL_WINDOW: usize = 50;

/// A restart that ended, with its best iterate.
type Ended<T> = (Member<T>, Pair<T>);

/// When to stop, and whom to tell.
struct Watch<'a, T: Scalar> {
    options: &'a Options<T>,
    norm_sq: f64,
    began: Instant,
    observer: &'a mut dyn Observer,
    ended: usize,
    least: f64,
}

/// Runs the members of `batch` until each has ended.
fn iterate<T: Scalar>(batch: &mut Batch<'_, T>, watch: &mut Watch<'_, T>) -> Result<Vec<Ended<T>>> {
    let mut ended = Vec::new();
    for iteration in 1..=watch.options.max_iter {
        batch.sweep_streamed(true)?;
        batch.judge(iteration == 1);
        batch.keep_best();
        watch.stop(batch, iteration);
        ended.extend(batch.retire());
        if batch.members.is_empty() {
            break;
        }
        batch.sweep_other();
        batch.revive()?;
    }
    watch.ended += ended.len();
    Ok(ended)
}

/// The start itself, judged.
fn look_at_start<T: Scalar>(
    batch: &mut Batch<'_, T>,
    watch: &Watch<'_, T>,
) -> Result<Vec<Ended<T>>> {
    batch.sweep_streamed(false)?;
    batch.judge(true);
    for member in &mut batch.members {
        watch.record(member, 0);
        member.status.get_or_insert(Status::MaxIter);
    }
    Ok(batch.retire())
}

impl<T: Scalar> Watch<'_, T> {
    fn seconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    fn record(&self, member: &mut Member<T>, iteration: usize) {
        let (seconds, objective, kkt) = (self.seconds(), 0.5 * member.error, member.kkt);
        member.history.push(Record { iteration, seconds, objective, kkt });
    }

    /// Gives members that have ended their status, and reports.
    fn stop(&mut self, batch: &mut Batch<'_, T>, iteration: usize) {
        let options = self.options;
        for at in 0..batch.members.len() {
            let unfinished = batch.has_dead_component(at);
            let member = &mut batch.members[at];
            self.record(member, iteration);
            if member.status.is_none() && !unfinished {
                if member.kkt.residual() <= options.tol {
                    member.status = Some(Status::Converged);
                } else if self.stalled(member) {
                    member.status = Some(Status::Stalled);
                }
            }
            if iteration == options.max_iter {
                member.status.get_or_insert(Status::MaxIter);
            }
        }
        let late = options.time_limit.is_some_and(|limit| self.began.elapsed() >= limit);
        let broke = self.report(&batch.members, iteration).is_break();
        for member in &mut batch.members {
            if broke {
                member.status.get_or_insert(Status::Interrupted);
            } else if late {
                member.status.get_or_insert(Status::TimeLimit);
            }
        }
    }

    fn stalled(&self, member: &Member<T>) -> bool {
        let history = &member.history;
        let Some(before) = history.len().checked_sub(STALL_WINDOW + 1) else { return false };
        let fall = history[before].objective - 0.5 * member.error;
        fall <= 0.5 * T::ROUNDOFF * self.norm_sq
            && member.error > 0.0
            && fall <= 1e-3 * history[before].objective
    }

    fn report(&mut self, members: &[Member<T>], iteration: usize) -> ControlFlow<()> {
        let Some(best) = members.iter().min_by(|a, b| a.error.total_cmp(&b.error)) else {
            return ControlFlow::Continue(());
        };
        self.least = self.least.min(best.error);
        let running = members.iter().filter(|m| m.status.is_none()).count();
        let relative = if self.norm_sq > 0.0 { (self.least / self.norm_sq).sqrt() } else { 0.0 };
        self.observer.iteration(&Progress {
            iteration,
            max_iter: self.options.max_iter,
            seconds: self.seconds(),
            ended: self.ended + members.len() - running,
            n_init: self.options.n_init,
            objective: 0.5 * self.least,
            relative_error: relative,
            kkt: best.kkt,
            tol: self.options.tol,
        })
    }
}
