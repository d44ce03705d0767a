//! The loop.
//!
//! Every rule, start and kind of X goes through [`iterate`]: a read of X improves one factor and
//! gathers what the other needs, the iterate is judged, and the other factor follows. How a half
//! step is made is the [`course`]'s; when to stop is decided here.

mod begin;
mod bytes;
mod course;
mod determined;
mod entries;
mod measure;
mod member;
mod normal;
mod observe;
mod online;
mod options;
mod outcome;
mod remarks;
mod result;
mod ridge;
mod run;
mod svd_start;
mod task;
mod transform;
mod until;
mod way;

pub use measure::{Measured, measure};
pub use observe::{Observer, Progress, Silent};
pub use online::{Online, OnlineOptions, Statistics, Step};
pub use options::Options;
pub use outcome::{Fit, Record, Restart, Status};
use run::run_in_pool;
pub use run::{fit, fit_observed};
pub use svd_start::{SvdStart, svd_start};
pub use transform::{Transform, Transformed, transform, transform_told};
pub use until::Until;

use crate::error::{Error, Result};
use crate::init::Pair;
use crate::matrix::Halt;
use crate::scalar::Scalar;
use begin::raise;
use course::Course;
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
    tol: f64,
    max_iter: usize,
    until: Until,
    /// The divergence of the model that knows nothing: what the fit is compared with.
    null: f64,
    /// The size of the terms that the divergence is a difference of: what rounding is a share of.
    magnitude: f64,
    began: Instant,
    halt: &'a Halt,
    observer: &'a mut dyn Observer,
    ended: usize,
    /// The least objective so far, and its divergence.
    least: (f64, f64),
}

/// Runs the members of `course` until each has ended, or until it is time to leave.
fn iterate<T: Scalar>(
    course: &mut dyn Course<T>,
    watch: &mut Watch<'_, T>,
) -> Result<Vec<Ended<T>>> {
    let mut ended = Vec::new();
    match run_to_the_end(course, watch, &mut ended) {
        Err(Error::Halted) => {
            watch.halt.finish();
            course.abandon();
            if course.members().iter().all(|member| member.is_unjudged()) {
                match course.sweep_streamed(false).and_then(|()| course.judge(true)) {
                    Err(Error::Halted) => {}
                    judged => judged?,
                }
            }
            let status = if watch.halt.asked() { Status::Interrupted } else { Status::TimeLimit };
            for member in course.members() {
                member.status.get_or_insert(status);
            }
            watch.take(course, &mut ended)?;
        }
        done => done?,
    }
    Ok(ended)
}

/// The loop. An iteration improves both factors, so after the last one a look tells what the second
/// half has brought.
fn run_to_the_end<T: Scalar>(
    course: &mut dyn Course<T>,
    watch: &mut Watch<'_, T>,
    ended: &mut Vec<Ended<T>>,
) -> Result<()> {
    let max_iter = watch.max_iter;
    let other_first = course.opening().other_first && max_iter > 0;
    let looks_first = other_first || (watch.by_errors() && max_iter > 0);
    if looks_first {
        course.sweep_streamed(false)?;
        course.judge(true)?;
        watch.begin_errors(course);
    }
    if other_first {
        course.sweep_other()?;
    }
    for iteration in 1..=max_iter {
        course.sweep_streamed(true)?;
        course.judge(iteration == 1 && !looks_first)?;
        course.keep_best();
        watch.stop(course, iteration);
        watch.take(course, ended)?;
        if course.members().is_empty() {
            return Ok(());
        }
        course.sweep_other()?;
        watch.look(course, iteration)?;
        watch.take(course, ended)?;
        if course.members().is_empty() {
            return Ok(());
        }
        if iteration < max_iter {
            course.revive()?;
        } else {
            course.drop_charged();
        }
    }
    course.sweep_streamed(false)?;
    course.judge(max_iter == 0)?;
    course.keep_best();
    watch.conclude(course, max_iter);
    watch.take(course, ended)
}

impl<T: Scalar> Watch<'_, T> {
    /// Takes the members that have ended out of the course.
    fn take(&mut self, course: &mut dyn Course<T>, ended: &mut Vec<Ended<T>>) -> Result<()> {
        let before = ended.len();
        ended.extend(course.retire()?);
        self.ended += ended.len() - before;
        for (member, _) in &mut ended[before..] {
            // Its certificate was measured afresh: that of one factor may have been an old one.
            let stalled = member.status == Some(Status::Stalled);
            if stalled && member.has_converged(self.tol, self.null) {
                member.status = Some(Status::Converged);
            }
        }
        Ok(())
    }

    fn seconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    fn record(&self, member: &mut Member<T>, iteration: usize) {
        let (seconds, (objective, kkt)) = (self.seconds(), member.standing());
        member.history.push(Record { iteration, seconds, objective, kkt });
        member.path.push(member.objective);
    }

    /// Puts what a look has found in the place of what the step before it saw.
    fn record_again(&self, member: &mut Member<T>, iteration: usize) {
        if member.history.pop_if(|last| last.iteration == iteration).is_some() {
            member.path.pop();
        }
        self.record(member, iteration);
    }

    /// Gives members that have ended their status, and reports.
    fn stop(&mut self, course: &mut dyn Course<T>, iteration: usize) {
        // Plain iterations leave charged components where they are; those that follow do not.
        let since = iteration.saturating_sub(STALL_WINDOW);
        let (w, h) = self.options.penalties();
        let waits = w.l1.max(h.l1) > 0.0 && course.opening().covers(since);
        let other_first = course.opening().other_first;
        let unfinished: Vec<bool> =
            (0..course.members().len()).map(|at| course.is_unfinished(at)).collect();
        let mut members = course.members();
        for (member, unfinished) in members.iter_mut().zip(unfinished) {
            self.record(member, iteration);
            if self.by_errors() {
                if other_first {
                    self.settle(member, iteration);
                }
            } else if member.status.is_none() && !unfinished {
                if member.has_converged(self.tol, self.null) {
                    member.status = Some(Status::Converged);
                } else if !waits && self.stalled(member) {
                    member.status = Some(Status::Stalled);
                }
            }
        }
        let late = self.options.time_limit.is_some_and(|limit| self.began.elapsed() >= limit);
        // After the last iteration there is a look to come, which reports.
        let last = iteration == self.max_iter && members.iter().any(|m| m.status.is_none());
        let broke = !last && self.report(&members, iteration).is_break();
        let leave = broke || self.halt.asked();
        if leave || late {
            self.halt.finish();
        }
        for member in members {
            if leave {
                member.status.get_or_insert(Status::Interrupted);
            } else if late {
                member.status.get_or_insert(Status::TimeLimit);
            }
        }
    }

    /// After the last iteration: the second half of it counts too.
    fn conclude(&mut self, course: &mut dyn Course<T>, iteration: usize) {
        let unfinished: Vec<bool> =
            (0..course.members().len()).map(|at| course.is_unfinished(at)).collect();
        let other_first = course.opening().other_first;
        for (member, unfinished) in course.members().into_iter().zip(unfinished) {
            self.record_again(member, iteration);
            if !other_first {
                self.settle(member, iteration);
            }
            let stationary = member.has_converged(self.tol, self.null);
            let converged = iteration > 0 && !unfinished && stationary;
            let status = if converged { Status::Converged } else { Status::MaxIter };
            member.status.get_or_insert(status);
        }
        if iteration > 0 {
            // There is nothing left to end.
            let _ = self.report(&course.members(), iteration);
        }
    }

    fn stalled(&self, member: &Member<T>) -> bool {
        let path = &member.path[member.since..];
        let Some(before) = path.len().checked_sub(STALL_WINDOW + 1) else { return false };
        let fall = path[before] - member.objective;
        fall <= T::ROUNDOFF * self.magnitude
            && member.objective > 0.0
            && fall <= 1e-3 * path[before]
    }

    fn report(&mut self, members: &[&mut Member<T>], iteration: usize) -> ControlFlow<()> {
        let Some(best) = members.iter().min_by(|a, b| a.objective.total_cmp(&b.objective)) else {
            return ControlFlow::Continue(());
        };
        if best.objective < self.least.0 {
            self.least = (best.objective, best.divergence);
        }
        let running = members.iter().filter(|m| m.status.is_none()).count();
        let (objective, divergence) = self.least;
        self.observer.iteration(&Progress {
            iteration,
            max_iter: self.options.max_iter,
            seconds: self.seconds(),
            ended: self.ended + members.len() - running,
            n_init: self.options.n_init,
            objective,
            relative_error: relative_error(divergence, self.null),
            kkt: best.kkt,
            tol: self.tol,
        })
    }
}

/// 1 − D / D₀, and 1 where there is nothing to explain.
fn explained(divergence: f64, null: f64) -> f64 {
    if null > 0.0 { 1.0 - divergence / null } else { 1.0 }
}

/// √(D / D₀), and 0 where there is nothing to explain and nothing is left.
fn relative_error(divergence: f64, null: f64) -> f64 {
    if null > 0.0 { (divergence / null).sqrt() } else { divergence.sqrt() }
}
