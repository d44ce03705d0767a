//! The two courses that a fit can take, and what stands around them.

use super::begin::zeros_in;
use super::course::Course;
use super::entries::{self, Entries};
use super::normal::{self, Batch};
use super::observe::{Observer, Silent};
use super::result::not_begun;
use super::ridge::Charges;
use super::task::{Task, room};
use super::way::{Way, observed};
use super::{Ended, Fit, Options, Status, Watch, iterate};
use crate::error::{Error, Result};
use crate::init::Pair;
use crate::matrix::{Data, Halt, Halting, Incomplete, Matrix, Missing, Need, Scaled, is_serial};
use crate::scalar::Scalar;
use crate::threads;
use crate::update::Wanted;
use crate::warning::Warning;
use std::sync::Arc;
use std::time::Instant;

/// Factorises X ≈ W·H with W, H ≥ 0: minimises the loss of X against WH and the
/// penalties.
///
/// # Errors
/// What is wrong with X or the options, with its place; see [`Error`]. How a fit ended is its
/// [`Status`], not an error.
pub fn fit<'a, T: Scalar>(x: impl Into<Data<'a, T>>, options: &Options<T>) -> Result<Fit<T>> {
    fit_observed(x, options, &mut Silent)
}

/// As [`fit`], telling `observer` of every iteration.
///
/// # Errors
/// As [`fit`].
pub fn fit_observed<'a, T: Scalar>(
    x: impl Into<Data<'a, T>>,
    options: &Options<T>,
    observer: &mut (dyn Observer + Send),
) -> Result<Fit<T>> {
    let began = Instant::now();
    let data = x.into();
    let shape = data.x.shape();
    options.validate(shape)?;
    options.check_memory(&data, 0)?;
    let deadline = options.time_limit.and_then(|limit| began.checked_add(limit));
    let halt = Arc::new(Halt::new(options.stop.clone(), deadline));
    let mut data = data.halting(&halt);
    let found = data.weights.check(shape).and_then(|()| {
        let missing = data.simplify()?;
        data.list_few();
        if data.is_weighted() {
            options.check_memory(&data, missing)?;
        }
        let unit = data.weights.bring_near()?;
        let serial = is_serial(data.x.stored(), options.rank * options.batch());
        let watch = (began, Arc::clone(&halt), unit);
        run_in_pool(options.threads, serial, || Task::new(&data, options, watch)?.run(observer))
    });
    match found {
        // Whoever has set a limit counts on a result.
        Err(Error::Halted) if !halt.asked() => Ok(not_begun(shape, options, began)),
        found => found,
    }
}

/// Runs `work` with `threads` threads. With 0, in the pool of the process, unless it is too small for
/// threads (`serial`).
pub(super) fn run_in_pool<R: Send>(
    threads: usize,
    serial: bool,
    work: impl FnOnce() -> Result<R> + Send,
) -> Result<R> {
    if threads == 0 {
        return if serial { work() } else { threads::run_within(work) };
    }
    threads::pool(threads)?.install(work)
}

/// Inner sweeps for each product. Chosen on real data, dense and sparse: fewer take up to three times
/// as many products, more bring nothing.
const SWEEPS: usize = 8;

/// A restart with its start.
type Begun<T> = (usize, Pair<T>);

impl<T: Scalar> Task<'_, T> {
    pub(super) fn run(mut self, observer: &mut dyn Observer) -> Result<Fit<T>> {
        let warnings = std::mem::take(&mut self.warnings);
        if self.scan.positive == 0 {
            return Ok(self.nothing_to_fit(warnings));
        }
        let fit = self.run_all(warnings.clone(), observer)?;
        let is_empty = [&fit.w, &fit.h].iter().any(|f| f.as_slice().iter().all(|&v| v == T::ZERO));
        if is_empty && self.charges.ridge.is_some() && !self.halt.is_called() {
            // A ridge that nobody asked for must not leave nothing.
            self.charges = Charges::cautious(self.options);
            self.halt.resume();
            return self.run_all(warnings, observer);
        }
        Ok(fit)
    }

    fn run_all(&self, warnings: Vec<Warning>, observer: &mut dyn Observer) -> Result<Fit<T>> {
        let scaled = Scaled::new(&*self.streamed.matrix, self.half);
        match &self.way {
            Way::Entries => self.run_by_entries(&scaled, warnings, observer),
            Way::Normal(None) => self.run_by_normal_equations(&scaled, None, warnings, observer),
            Way::Normal(Some(missing)) => {
                // A copy without what is missing, so that no pass has to look for it.
                let seen = observed(self.data, &scaled, self.streamed.side, Need::Stored);
                let seen = Halting::new(seen.copied()?, &self.halt);
                let seen = Incomplete::new(Box::new(seen), missing);
                self.run_by_normal_equations(&seen, Some(missing), warnings, observer)
            }
        }
    }

    /// Runs all restarts, those of a batch side by side.
    fn restarts<'c>(
        &self,
        matrix: &dyn Matrix<T>,
        batch: usize,
        watch: &mut Watch<'_, T>,
        mut course: impl FnMut(Vec<Begun<T>>) -> Result<Box<dyn Course<T> + 'c>>,
    ) -> Result<Vec<Ended<T>>> {
        let mut ended: Vec<Ended<T>> = Vec::new();
        let count = self.options.n_init;
        for first in (0..count).step_by(batch) {
            let start = |restart: usize| Ok((restart, self.start(matrix, restart)?));
            let group = first..count.min(first.saturating_add(batch));
            let starts = group.map(start).collect::<Result<_>>();
            let mut course = match starts.and_then(&mut course) {
                // What has ended is there to be returned.
                Err(Error::Halted) if !ended.is_empty() => break,
                course => course?,
            };
            ended.extend(iterate(&mut *course, watch)?);
            let last = ended.last().and_then(|(member, _)| member.status);
            if matches!(last, Some(Status::Interrupted | Status::TimeLimit)) {
                break;
            }
        }
        ended.sort_by_key(|(member, _)| member.restart);
        Ok(ended)
    }

    fn run_by_normal_equations(
        &self,
        matrix: &dyn Matrix<T>,
        missing: Option<&Missing>,
        mut warnings: Vec<Warning>,
        observer: &mut dyn Observer,
    ) -> Result<Fit<T>> {
        let options = self.options;
        let rule = self.rule.update::<T>(options.sweeps.unwrap_or(SWEEPS));
        let plain = self.rule.plain::<T>();
        let null = 0.5 * self.scan.norm_sq;
        let problem = normal::Problem {
            x: matrix,
            is_sparse: self.data.x.is_sparse(),
            norm_sq: self.scan.norm_sq,
            row_norm_sq: &self.scan.row_norm_sq,
            rule: &*rule,
            plain: &*plain,
            opening: self.opening(),
            fixed: self.fixed(),
            penalties: self.penalties(),
            missing,
        };
        let mut watch = self.watch(null, observer);
        let ended = self.restarts(matrix, options.batch(), &mut watch, |starts| {
            let locked = starts.iter().map(|(_, pair)| zeros_in(pair, &self.scan)).sum();
            self.remark_on_locked(rule.locks_zeros(), locked, &mut warnings);
            let mut batch = Batch::new(problem, options.rank, starts);
            if self.is_made() {
                batch.sweep_streamed(false)?;
                let scales: Vec<f64> = batch.scales().iter().map(|s| s.sqrt()).collect();
                batch.rescale(&scales);
            }
            Ok(Box::new(batch))
        })?;
        self.halt.finish();
        self.outcome(matrix, ended, null, warnings)
    }

    fn run_by_entries(
        &self,
        matrix: &dyn Matrix<T>,
        mut warnings: Vec<Warning>,
        observer: &mut dyn Observer,
    ) -> Result<Fit<T>> {
        let (options, loss, side) = (self.options, self.loss, self.streamed.side);
        let rule = self.rule.by_entries::<T>(loss, options.sweeps);
        let plain = self.rule.by_entries::<T>(loss, Some(1));
        let safer = self.rule.safer().map(|rule| rule.by_entries::<T>(loss, None));
        // Not every rule reads X by its other side.
        let room = room(self.data, options);
        let turned = (!rule.follows()).then(|| self.data.x.by_other_side(side.opposite(), room));
        let turned = turned.as_ref().map(|x| Scaled::new(&**x, self.half));
        let need = self.need();
        let streamed = observed(self.data, matrix, side, need);
        let other = turned.as_ref().map(|x| observed(self.data, x, side.opposite(), need));
        let rooms: [_; 2] = Default::default();
        let null = entries::null_divergence(&streamed, loss, self.mean(), &rooms[0])?;
        let problem = entries::Problem {
            streamed: &streamed,
            other: other.as_ref(),
            rooms: &rooms,
            loss,
            rule: &*rule,
            plain: &*plain,
            safer: safer.as_deref(),
            opening: self.opening(),
            fixed: self.fixed(),
            penalties: self.penalties(),
            magnitude: self.magnitude(null),
            tol: options.tol,
        };
        let mut watch = self.watch(null, observer);
        let mut ended = self.restarts(&streamed, 1, &mut watch, |starts| {
            let start = starts.into_iter().next().expect("a batch by entries is one restart");
            let course = self.begin_by_entries(problem, start, &mut warnings)?;
            Ok(Box::new(course) as Box<dyn Course<T> + '_>)
        })?;
        entries::polish(problem, &mut watch, &mut ended)?;
        self.halt.finish();
        for (member, pair) in &mut ended {
            if member.status == Some(Status::NumericalTrouble) && member.divergence.is_infinite() {
                // The start, from which no step was made.
                member.divergence = entries::divergence_of(&streamed, pair, loss)?;
                member.bound = f64::INFINITY;
            }
        }
        self.outcome(&streamed, ended, null, warnings)
    }

    /// One restart by entries, looked at and brought to the size of X.
    fn begin_by_entries<'c>(
        &self,
        problem: entries::Problem<'c, T>,
        (restart, mut pair): Begun<T>,
        warnings: &mut Vec<Warning>,
    ) -> Result<Entries<'c, T>> {
        let raised = self.raise_zeros(&mut pair);
        if raised > 0 {
            warnings.push(Warning::RaisedZeros { count: raised });
        }
        let locks = problem.rule.follows() && self.fixed() == (false, false);
        self.remark_on_locked(locks, zeros_in(&pair, &self.scan), warnings);
        if self.is_made() && self.loss.delta().is_some() {
            // A start too large or too small by far sees every entry beyond δ.
            entries::bring_to_size(problem.streamed, &mut pair)?;
        }
        let mut course = Entries::new(problem, restart, pair);
        // Without the gradient a start cannot be scaled.
        course.pass(false, if self.is_made() { Wanted::BOTH } else { Wanted::DIVERGENCE })?;
        course.refuse_unreached(self.streamed.side)?;
        if self.is_made() {
            course.rescale(course.scale().sqrt());
        }
        Ok(course)
    }
}
