//! Around the loop: checks before it, and the course that a problem takes.

use super::begin::{raise, zeros_in};
use super::course::Course;
use super::entries::{self, Entries};
use super::normal::{self, Batch};
use super::observe::{Observer, Silent};
use super::remarks::remarks;
use super::seen::{half_unit, observed, scan};
use super::{Ended, Fit, Options, Status, Watch, iterate};
use crate::error::{Error, Result};
use crate::factor::Factor;
use crate::init::Pair;
use crate::kernel::impute::impute;
use crate::loss::Loss;
use crate::matrix::{
    Data, Halt, Halting, Layout, Matrix, Missing, Need, Scaled, Scan, Side, Streamed, power,
};
use crate::penalty::Penalty;
use crate::scalar::Scalar;
use crate::update::Rule;
use crate::warning::Warning;
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
    let mut data = x.into();
    options.validate(data.x.shape())?;
    data.weights.check(data.x.shape())?;
    data.simplify();
    run_in_pool(options.threads, || Task::new(&data, options, began)?.run(observer))
}

/// Runs `work` with `threads` threads, or with those there are.
pub(super) fn run_in_pool<R: Send>(
    threads: usize,
    work: impl FnOnce() -> Result<R> + Send,
) -> Result<R> {
    if threads == 0 {
        return work();
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map_err(|e| Error::Threads { threads, reason: e.to_string() })?.install(work)
}

/// Inner sweeps for each product. Chosen on real data, dense and sparse: fewer take up to three times
/// as many products, more bring nothing.
const SWEEPS: usize = 8;

/// A fit under way.
pub(super) struct Task<'a, T: Scalar> {
    pub(super) data: &'a Data<'a, T>,
    pub(super) options: &'a Options<T>,
    way: Way,
    pub(super) streamed: Streamed<'a, T>,
    /// Of the streamed matrix times 2^(−2·half), weighed.
    pub(super) scan: Scan,
    pub(super) half: i32,
    /// The loss, as the matrix times 2^(−2·half) has it.
    loss: Loss,
    pub(super) began: Instant,
    halt: Halt,
    warnings: Vec<Warning>,
}

/// A restart with its start.
type Begun<T> = (usize, Pair<T>);

impl<'a, T: Scalar> Task<'a, T> {
    fn new(data: &'a Data<'a, T>, options: &'a Options<T>, began: Instant) -> Result<Self> {
        let streamed = data.x.streamed();
        let side = streamed.side;
        let way = Way::of(data, options.loss, &streamed)?;
        let every = way.need(options.loss);
        let scan = scan(data, &*streamed.matrix, side, every)?;
        let turned = |scan: &Scan| match side {
            Side::Rows => scan.clone(),
            Side::Columns => scan.clone().transposed(),
        };
        turned(&scan).check()?;
        let half = half_unit(data, &*streamed.matrix, side, (every, &scan))?;
        let loss = options.loss.in_units::<T>(half)?;
        let warnings = remarks(&data.x, options, &scan, side);
        let deadline = options.time_limit.and_then(|limit| began.checked_add(limit));
        let halt = Halt::new(options.stop.clone(), deadline);
        let mut task =
            Self { data, options, way, streamed, scan, half, loss, warnings, began, halt };
        if task.by_entries() {
            task.check_by_entries()?;
        }
        if half != 0 {
            let before = task.scan.positive;
            let scaled = Scaled::new(&*task.streamed.matrix, half);
            task.scan = super::seen::scan(data, &scaled, side, every)?;
            let count = before - task.scan.positive;
            if count > 0 {
                let largest = task.scan.max * power(half) * power(half);
                task.warnings.push(Warning::Underflow { count, largest });
            }
        }
        Ok(task)
    }

    /// Whether every row needs an equation of its own.
    pub(super) fn by_entries(&self) -> bool {
        matches!(self.way, Way::Entries)
    }

    /// What a rule or a loss by entries cannot have.
    fn check_by_entries(&self) -> Result<()> {
        let (rule, loss) = (self.options.rule(), self.options.loss);
        if !rule.works_by_entries() {
            return Err(Error::Conflict {
                first: format!("rule {rule}"),
                second: "weights, or so many missing entries".into(),
                reason: "it needs one Gram matrix for all rows; hals, bpp and mu do without",
            });
        }
        let side = self.streamed.side;
        let x = observed(self.data, &*self.streamed.matrix, side, Need::of(loss));
        if self.scan.positive == 0 {
            entries::refuse_nothing(&x)?;
        }
        if loss.forbids_zeros() {
            entries::refuse_zeros(&x, side, loss)?;
        }
        Ok(())
    }

    fn run(mut self, observer: &mut dyn Observer) -> Result<Fit<T>> {
        let warnings = std::mem::take(&mut self.warnings);
        let halting = Halting { inner: &*self.streamed.matrix, halt: &self.halt };
        let scaled = Scaled::new(&halting, self.half);
        if self.scan.positive == 0 {
            return Ok(self.nothing_to_fit(warnings));
        }
        match &self.way {
            Way::Entries => self.run_by_entries(&scaled, warnings, observer),
            Way::Normal(None) => self.run_by_normal_equations(&scaled, None, warnings, observer),
            Way::Normal(missing) => {
                // A copy without what is missing, so that no pass has to look for it.
                let seen = observed(self.data, &scaled, self.streamed.side, Need::Stored);
                let seen = seen.copied()?;
                let seen = Halting { inner: &*seen, halt: &self.halt };
                self.run_by_normal_equations(&seen, missing.as_ref(), warnings, observer)
            }
        }
    }

    fn watch<'o>(&'o self, null: f64, observer: &'o mut dyn Observer) -> Watch<'o, T> {
        Watch {
            options: self.options,
            tol: self.options.tol,
            max_iter: self.options.max_iter,
            null,
            began: self.began,
            halt: &self.halt,
            observer,
            ended: 0,
            least: (f64::INFINITY, f64::INFINITY),
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
        let restarts: Vec<usize> = (0..self.options.n_init).collect();
        for group in restarts.chunks(batch) {
            let start = |&restart: &usize| Ok((restart, self.start(matrix, restart)?));
            let mut course = course(group.iter().map(start).collect::<Result<_>>()?)?;
            ended.extend(iterate(&mut *course, watch)?);
            let last = ended.last().and_then(|(member, _)| member.status);
            if matches!(last, Some(Status::Interrupted | Status::TimeLimit)) {
                break;
            }
        }
        self.halt.end();
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
        let rule = options.rule().update::<T>(options.sweeps.unwrap_or(SWEEPS));
        let null = 0.5 * self.scan.norm_sq;
        let problem = normal::Problem {
            x: matrix,
            norm_sq: self.scan.norm_sq,
            row_norm_sq: &self.scan.row_norm_sq,
            rule: &*rule,
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
        self.outcome(matrix, ended, null, warnings)
    }

    fn run_by_entries(
        &self,
        matrix: &dyn Matrix<T>,
        mut warnings: Vec<Warning>,
        observer: &mut dyn Observer,
    ) -> Result<Fit<T>> {
        let (options, loss, side) = (self.options, self.loss, self.streamed.side);
        let rule = options.rule().by_entries::<T>(loss, options.sweeps);
        // Sparse X by its other side is a copy, which not every rule needs.
        let turned = (!rule.follows()).then(|| self.data.x.by(side.opposite()));
        let turned = turned.as_ref().map(|x| Halting { inner: &**x, halt: &self.halt });
        let turned = turned.as_ref().map(|x| Scaled::new(x, self.half));
        let need = self.need();
        let streamed = observed(self.data, matrix, side, need);
        let other = turned.as_ref().map(|x| observed(self.data, x, side.opposite(), need));
        let null = entries::divergence_of_mean(&streamed, loss)?;
        let problem = entries::Problem {
            streamed: &streamed,
            other: other.as_ref(),
            loss,
            rule: &*rule,
            fixed: self.fixed(),
            penalties: self.penalties(),
            noise: 8.0 * T::ROUNDOFF * self.magnitude(null),
            tol: options.tol,
        };
        let mut watch = self.watch(null, observer);
        let mut ended = self.restarts(&streamed, 1, &mut watch, |starts| {
            let start = starts.into_iter().next().expect("a batch by entries is one restart");
            let course = self.begin_by_entries(problem, start, &mut warnings)?;
            Ok(Box::new(course) as Box<dyn Course<T> + '_>)
        })?;
        entries::polish(problem, &mut watch, &mut ended)?;
        for (member, pair) in &mut ended {
            if member.divergence.is_infinite() {
                // The start, of a fit that was stopped in its first iteration.
                member.divergence = entries::divergence_of(&streamed, pair, loss)?;
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
        course.sweep_streamed(false)?;
        course.refuse_unreached(self.streamed.side)?;
        if self.is_made() {
            course.rescale(course.scale().sqrt());
        }
        Ok(course)
    }

    fn remark_on_locked(&self, locks: bool, count: usize, warnings: &mut Vec<Warning>) {
        if locks && count > 0 {
            warnings.push(Warning::LockedZeros { count, rule: self.options.rule().name() });
        }
    }

    /// Which zeros the steps by entries need: under KL none, and a dense X with many is better listed.
    fn need(&self) -> Need {
        let (rows, cols) = self.data.x.shape();
        let share = self.scan.positive as f64 / (rows as f64 * cols as f64);
        let weighted = self.data.is_weighted();
        let short = u32::try_from(rows.max(cols)).is_ok();
        let list = self.options.rule() == Rule::Sn && !weighted && short && share <= LISTED_BELOW;
        if list { Need::Positive } else { self.way.need(self.options.loss) }
    }

    /// Raises the zeros of a start that is not held, under a loss where they could be infinite.
    fn raise_zeros(&self, pair: &mut Pair<T>) -> usize {
        // Where neither divergence nor gradient becomes infinite, a zero may be meant.
        if self.loss.is_tame_at_zero() {
            return 0;
        }
        let (fixed, scan) = (self.fixed(), &self.scan);
        let own = if fixed.0 { 0 } else { raise(&mut pair.streamed, &scan.row_nonzero) };
        own + if fixed.1 { 0 } else { raise(&mut pair.other, &scan.col_nonzero) }
    }

    /// ½ Σ q² over missing entries, which residuals count since X is zero there.
    pub(super) fn at_missing(&self, pair: &Pair<T>) -> f64 {
        let Way::Normal(Some(missing)) = &self.way else { return 0.0 };
        let (f, h) = (pair.streamed.view(), pair.other.view());
        let mut nothing = Factor::zeros(f.rows(), f.cols());
        0.5 * impute(missing.rows(0..f.rows()), f, h, &mut nothing.view_mut(), None)
    }

    /// Whether the start is made rather than given.
    fn is_made(&self) -> bool {
        self.options.w.is_none() && self.options.h.is_none()
    }

    /// Whether the streamed and the other factor are held.
    fn fixed(&self) -> (bool, bool) {
        let is_fixed = |of: Side| self.options.fixed == Some(of);
        (is_fixed(self.streamed.side), is_fixed(self.streamed.side.opposite()))
    }

    /// Penalties of the streamed and of the other factor, in units of the scaled X.
    fn penalties(&self) -> (Penalty, Penalty) {
        let scales = (2 * self.half, self.half);
        let in_units = |p: Penalty| p.in_scales(scales, self.loss.degree());
        let (w, h) = (in_units(self.options.w_penalty), in_units(self.options.h_penalty));
        if self.streamed.side == Side::Rows { (w, h) } else { (h, w) }
    }

    /// The size of the terms that the divergence is a difference of.
    pub(super) fn magnitude(&self, null: f64) -> f64 {
        let Scan { sum, norm_sq, .. } = self.scan;
        match (self.loss, self.loss.delta()) {
            (Loss::KL, _) => null.max(sum),
            // Twice Huber's loss is less than 2δ|r| and r².
            (_, Some(delta)) => null.max(norm_sq.min(delta * sum)),
            _ => null,
        }
    }
}

/// How a problem is solved.
enum Way {
    /// By normal equations that all rows share, with the places of entries that are missing.
    Normal(Option<Missing>),
    /// By the entries of every row.
    Entries,
}

/// The largest share of entries that may be missing for [`Way::Normal`]: filling them in costs about
/// 5k for each, and the more there are, the less a step sees of X.
const MISSING_SHARE: f64 = 0.25;

/// Share of positive entries up to which a dense X is listed: gathering what a row meets of the other
/// factor costs about a third of the sweeps over it.
const LISTED_BELOW: f64 = 0.25;

impl Way {
    fn of<T: Scalar>(data: &Data<'_, T>, loss: Loss, streamed: &Streamed<'_, T>) -> Result<Self> {
        if loss != Loss::FROBENIUS {
            return Ok(Self::Entries);
        }
        if !data.is_weighted() {
            return Ok(Self::Normal(None));
        }
        let seen = observed(data, &*streamed.matrix, streamed.side, Need::Stored);
        if seen.layout() == (Layout::Listed { zeros: false }) || !seen.is_zero_or_one() {
            return Ok(Self::Entries);
        }
        let missing = Missing::of(&seen)?;
        let (rows, cols) = data.x.shape();
        let few = missing.len() as f64 <= MISSING_SHARE * rows as f64 * cols as f64;
        Ok(if few { Self::Normal(Some(missing)) } else { Self::Entries })
    }

    /// Which zeros are needed as entries.
    fn need(&self, loss: Loss) -> Need {
        if matches!(self, Self::Entries) { Need::of(loss) } else { Need::Stored }
    }
}
