//! Around the loop: checks before it, the start, and the result after it.

use super::course::Course;
use super::normal::{Batch, Problem};
use super::observe::{Observer, Silent};
use super::{Ended, Fit, Member, Options, Restart, Status, Watch, iterate, relative_error};
use crate::error::{Error, Result};
use crate::factor::Factor;
use crate::init::Pair;
use crate::matrix::{Input, Matrix, Plan, Scaled, Scan, Side, Streamed, half_exponent, power};
use crate::metric::{Kkt, Sparsity};
use crate::penalty::Penalty;
use crate::project::{columns_given, rows_given};
use crate::scalar::Scalar;
use crate::update::Update;
use crate::warning::Warning;
use rayon::prelude::*;
use std::time::Instant;

/// Factorises X ≈ W·H with W, H ≥ 0: minimises ½‖X − WH‖²_F.
///
/// # Errors
/// What is wrong with X or the options, with its place; see [`Error`]. How a fit ended is its
/// [`Status`], not an error.
pub fn fit<'a, T: Scalar>(x: impl Into<Input<'a, T>>, options: &Options<T>) -> Result<Fit<T>> {
    fit_observed(x, options, &mut Silent)
}

/// As [`fit`], telling `observer` of every iteration.
///
/// # Errors
/// As [`fit`].
pub fn fit_observed<'a, T: Scalar>(
    x: impl Into<Input<'a, T>>,
    options: &Options<T>,
    observer: &mut (dyn Observer + Send),
) -> Result<Fit<T>> {
    let began = Instant::now();
    let input = x.into();
    options.validate(input.shape())?;
    run_in_pool(options.threads, || Task::new(&input, options, began)?.run(observer))
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
struct Task<'a, T: Scalar> {
    input: &'a Input<'a, T>,
    options: &'a Options<T>,
    streamed: Streamed<'a, T>,
    /// Of the streamed matrix times 2^(−2·half).
    scan: Scan,
    half: i32,
    warnings: Vec<Warning>,
    began: Instant,
}

impl<'a, T: Scalar> Task<'a, T> {
    fn new(input: &'a Input<'a, T>, options: &'a Options<T>, began: Instant) -> Result<Self> {
        let streamed = input.streamed();
        let scan = Scan::of(&*streamed.matrix)?;
        let as_given = |scan: &Scan| match streamed.side {
            Side::Rows => scan.check(),
            Side::Columns => scan.clone().transposed().check(),
        };
        as_given(&scan)?;
        let half = half_exponent(scan.max);
        let warnings = remarks(input, options, &scan, streamed.side);
        let mut task = Self { input, options, streamed, scan, half, warnings, began };
        if half != 0 {
            let before = task.scan.positive;
            task.scan = Scan::of(&Scaled::new(&*task.streamed.matrix, half))?;
            let count = before - task.scan.positive;
            if count > 0 {
                let largest = task.scan.max * power(half) * power(half);
                task.warnings.push(Warning::Underflow { count, largest });
            }
        }
        Ok(task)
    }

    fn run(mut self, observer: &mut dyn Observer) -> Result<Fit<T>> {
        let mut warnings = std::mem::take(&mut self.warnings);
        let scaled = Scaled::new(&*self.streamed.matrix, self.half);
        let matrix: &dyn Matrix<T> = &scaled;
        if self.scan.positive == 0 {
            return Ok(self.nothing_to_fit(warnings));
        }
        let options = self.options;
        let rule = options.rule().update::<T>(options.sweeps.unwrap_or(SWEEPS));
        let mut watch = Watch {
            options,
            null: self.null(),
            began: self.began,
            observer,
            ended: 0,
            least: (f64::INFINITY, f64::INFINITY),
        };
        let mut ended: Vec<Ended<T>> = Vec::new();
        let restarts: Vec<usize> = (0..options.n_init).collect();
        for group in restarts.chunks(options.batch()) {
            let mut locked = 0;
            let mut starts = Vec::with_capacity(group.len());
            for &restart in group {
                let pair = self.start(matrix, restart)?;
                locked += zeros_in(&pair, &self.scan);
                starts.push((restart, pair));
            }
            if rule.locks_zeros() && locked > 0 {
                let rule = options.rule().name();
                warnings.push(Warning::LockedZeros { count: locked, rule });
            }
            let mut course = self.by_normal_equations(matrix, &*rule, starts)?;
            ended.extend(iterate(&mut *course, &mut watch)?);
            let last = ended.last().and_then(|(member, _)| member.status);
            if matches!(last, Some(Status::Interrupted | Status::TimeLimit)) {
                break;
            }
        }
        ended.sort_by_key(|(member, _)| member.restart);
        self.outcome(matrix, ended, &*rule, warnings)
    }

    /// The divergence of the model that knows nothing.
    fn null(&self) -> f64 {
        0.5 * self.scan.norm_sq
    }

    /// Penalties of the streamed and of the other factor, in units of the scaled X.
    fn penalties(&self) -> (Penalty, Penalty) {
        let scales = (2 * self.half, self.half);
        let in_units = |p: Penalty| p.in_scales(scales, self.options.loss.beta());
        let (w, h) = (in_units(self.options.w_penalty), in_units(self.options.h_penalty));
        if self.streamed.side == Side::Rows { (w, h) } else { (h, w) }
    }

    fn by_normal_equations<'b>(
        &'b self,
        matrix: &'b dyn Matrix<T>,
        rule: &'b dyn Update<T>,
        starts: Vec<(usize, Pair<T>)>,
    ) -> Result<Box<dyn Course<T> + 'b>> {
        let side = self.streamed.side;
        let is_fixed = |of: Side| self.options.fixed == Some(of);
        let problem = Problem {
            x: matrix,
            norm_sq: self.scan.norm_sq,
            row_norm_sq: &self.scan.row_norm_sq,
            rule,
            fixed: (is_fixed(side), is_fixed(side.opposite())),
            penalties: self.penalties(),
        };
        let mut batch = Batch::new(problem, self.options.rank, starts);
        if self.options.w.is_none() && self.options.h.is_none() {
            batch.sweep_streamed(false)?;
            let scales: Vec<f64> = batch.scales().iter().map(|s| s.sqrt()).collect();
            batch.rescale(&scales);
        }
        Ok(Box::new(batch))
    }

    /// The start of one restart; rows of a factor whose rows of X are zero begin, and stay, zero.
    fn start(&self, matrix: &dyn Matrix<T>, restart: usize) -> Result<Pair<T>> {
        let options = self.options;
        let side = self.streamed.side;
        let made = |seed| {
            let problem = (self.input, side, self.half);
            options.init.pair(problem, matrix, &self.scan, options.rank, seed)
        };
        let scaled = |f: &Factor<T>| {
            let mut f = f.clone();
            f.scale_by_power(-self.half);
            f
        };
        let mut pair = match (&options.w, &options.h) {
            (Some(w), Some(h)) => Pair::from_factors(scaled(w), scaled(h), side),
            (None, None) => made((options.seed, restart))?,
            (Some(f), None) | (None, Some(f)) => {
                let f = scaled(f);
                if options.w.is_some() == (side == Side::Rows) {
                    Pair { other: columns_given(matrix, &f)?, streamed: f }
                } else {
                    Pair { streamed: rows_given(matrix, &f, Penalty::NONE)?, other: f }
                }
            }
        };
        // A factor that is held fixed stays as it was given.
        let fixed = |of: Side| options.fixed == Some(of);
        let (own, opposite) = (side, side.opposite());
        if !fixed(own) {
            clear(&mut pair.streamed, &self.scan.row_nonzero);
        }
        if !fixed(opposite) {
            clear(&mut pair.other, &self.scan.col_nonzero);
        }
        Ok(pair)
    }

    fn nothing_to_fit(&self, warnings: Vec<Warning>) -> Fit<T> {
        let (rows, cols) = self.input.shape();
        let k = self.options.rank;
        let mut fit = Fit {
            w: Factor::zeros(rows, k),
            h: Factor::zeros(cols, k),
            status: Status::Converged,
            iterations: 0,
            seconds: self.began.elapsed().as_secs_f64(),
            objective: 0.0,
            divergence: 0.0,
            objective_bound: 0.0,
            relative_error: 0.0,
            explained_variance: 1.0,
            kkt: Kkt::ZERO,
            w_sparsity: Sparsity { whole: 1.0, components: vec![1.0; k] },
            h_sparsity: Sparsity { whole: 1.0, components: vec![1.0; k] },
            history: Vec::new(),
            restarts: Vec::new(),
            warnings,
        };
        if let (Some(Side::Rows), Some(w)) = (self.options.fixed, &self.options.w) {
            fit.w = w.clone();
        }
        if let (Some(Side::Columns), Some(h)) = (self.options.fixed, &self.options.h) {
            fit.h = h.clone();
        }
        fit
    }

    fn outcome(
        &self,
        matrix: &dyn Matrix<T>,
        ended: Vec<Ended<T>>,
        rule: &dyn Update<T>,
        mut warnings: Vec<Warning>,
    ) -> Result<Fit<T>> {
        // By steps, so that 0 stays 0 and only what is too large for f64 becomes infinite.
        let step = power(self.half);
        let unscale = |error: f64| error * step * step * step * step;
        let restarts = ended.iter().map(|(m, _)| Restart {
            restart: m.restart,
            status: m.status.unwrap_or(Status::MaxIter),
            iterations: m.history.last().map_or(0, |r| r.iteration),
            objective: unscale(m.objective),
            kkt: m.kkt,
        });
        let restarts: Vec<Restart> = restarts.collect();
        let failed = |m: &Member<T>| m.status == Some(Status::NumericalTrouble);
        let order = |m: &Member<T>| (failed(m), m.objective);
        let best = ended.into_iter().min_by(|(a, _), (b, _)| {
            let ((fa, ea), (fb, eb)) = (order(a), order(b));
            fa.cmp(&fb).then(ea.total_cmp(&eb))
        });
        let Some((member, pair)) = best else { return Ok(self.nothing_to_fit(warnings)) };
        let error = residual_sq(matrix, &pair)?;
        let norm_sq = self.scan.norm_sq;
        self.remark_on(&member, &restarts, &pair, rule, &mut warnings);
        let (mut w, mut h) = pair.into_factors(self.streamed.side);
        w.scale_by_power(self.half);
        h.scale_by_power(self.half);
        let (options, divergence) = (self.options, unscale(0.5 * error));
        let spread = 2.0 * (self.options.rank as f64).sqrt() * T::ROUNDOFF * norm_sq.sqrt();
        // The residual of sparse rows is an expansion in f64.
        let expansion = if self.input.is_sparse() { 8.0 * f64::ROUNDOFF * norm_sq } else { 0.0 };
        let bound = error.sqrt() * spread + 0.5 * spread * spread + expansion;
        let turn = |kkt: Kkt| match self.streamed.side {
            Side::Rows => kkt,
            Side::Columns => Kkt { w: kkt.h, w_zeros: kkt.h_zeros, h: kkt.w, h_zeros: kkt.w_zeros },
        };
        let history = member.history.iter().map(|r| super::Record {
            objective: unscale(r.objective),
            kkt: turn(r.kkt),
            ..*r
        });
        Ok(Fit {
            status: member.status.unwrap_or(Status::MaxIter),
            iterations: member.history.last().map_or(0, |r| r.iteration),
            seconds: self.began.elapsed().as_secs_f64(),
            objective: divergence + charged(options.w_penalty, &w) + charged(options.h_penalty, &h),
            divergence,
            objective_bound: unscale(bound),
            relative_error: relative_error(0.5 * error, self.null()),
            explained_variance: 1.0 - 0.5 * error / self.null(),
            kkt: turn(member.kkt),
            w_sparsity: Sparsity::of(&w),
            h_sparsity: Sparsity::of(&h),
            history: history.collect(),
            restarts: restarts.into_iter().map(|r| Restart { kkt: turn(r.kkt), ..r }).collect(),
            warnings,
            w,
            h,
        })
    }

    fn remark_on(
        &self,
        member: &Member<T>,
        restarts: &[Restart],
        pair: &Pair<T>,
        rule: &dyn Update<T>,
        warnings: &mut Vec<Warning>,
    ) {
        for restart in restarts.iter().filter(|r| r.status == Status::NumericalTrouble) {
            warnings.push(Warning::FailedRestart { restart: restart.restart });
        }
        if member.reseeded > 0 {
            warnings.push(Warning::Reseeded { count: member.reseeded });
        }
        if member.rose > 0 && !rule.is_monotone() {
            let rule = self.options.rule().name();
            warnings.push(Warning::Rose { times: member.rose, rule });
        }
        let dead = |f: &Factor<T>, t: usize| (0..f.rows()).all(|i| f.get(i, t) == T::ZERO);
        let is_dead = |&t: &usize| dead(&pair.streamed, t) || dead(&pair.other, t);
        let count = (0..self.options.rank).filter(is_dead).count();
        if count > 0 {
            warnings.push(Warning::DeadComponents { count, of: self.options.rank });
        }
    }
}

/// What there is to say before the first iteration.
fn remarks<T: Scalar>(
    input: &Input<'_, T>,
    options: &Options<T>,
    scan: &Scan,
    side: Side,
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let (rows, cols) = input.shape();
    let zeros = |nonzero: &[bool]| -> (usize, usize, Vec<usize>) {
        let zero = nonzero.iter().enumerate().filter(|(_, n)| !**n).map(|(i, _)| i);
        (zero.clone().count(), nonzero.len(), zero.take(3).collect())
    };
    let (of_rows, of_cols) = match side {
        Side::Rows => (&scan.row_nonzero, &scan.col_nonzero),
        Side::Columns => (&scan.col_nonzero, &scan.row_nonzero),
    };
    let (count, of, first) = zeros(of_rows);
    if count > 0 {
        warnings.push(Warning::ZeroRows { count, of, first });
    }
    let (count, of, first) = zeros(of_cols);
    if count > 0 {
        warnings.push(Warning::ZeroColumns { count, of, first });
    }
    if options.rank > rows.min(cols) {
        warnings.push(Warning::RankAboveShape { rank: options.rank, rows, cols });
    }
    if input.duplicates() > 0 {
        warnings.push(Warning::DuplicatesSummed { count: input.duplicates() });
    }
    let density = input.stored() as f64 / (rows as f64 * cols as f64);
    if input.is_sparse() && density > 0.5 {
        warnings.push(Warning::DenseInSparse { density });
    }
    warnings
}

fn clear<T: Scalar>(f: &mut Factor<T>, nonzero: &[bool]) {
    for (i, _) in nonzero.iter().enumerate().filter(|(_, n)| !**n) {
        f.row_mut(i).fill(T::ZERO);
    }
}

/// Zeros of a start in rows where X is not zero throughout.
fn zeros_in<T: Scalar>(pair: &Pair<T>, scan: &Scan) -> usize {
    let count = |f: &Factor<T>, nonzero: &[bool]| -> usize {
        let rows = nonzero.iter().enumerate().filter(|(_, n)| **n);
        rows.map(|(i, _)| f.row(i).iter().filter(|v| **v == T::ZERO).count()).sum()
    };
    count(&pair.streamed, &scan.row_nonzero) + count(&pair.other, &scan.col_nonzero)
}

/// What a penalty charges for a factor.
fn charged<T: Scalar>(penalty: Penalty, f: &Factor<T>) -> f64 {
    if penalty.is_none() {
        return 0.0;
    }
    let values = f.as_slice().iter().map(|v| v.to_f64());
    penalty.value(values.clone().sum(), values.map(|v| v * v).sum())
}

/// ‖X − ABᵀ‖² from differences.
fn residual_sq<T: Scalar>(x: &dyn Matrix<T>, pair: &Pair<T>) -> Result<f64> {
    let k = pair.other.cols();
    let mut gram = vec![0.0; k * k];
    for j in 0..pair.other.rows() {
        let row: Vec<f64> = pair.other.row(j).iter().map(|v| v.to_f64()).collect();
        for (sum, &s) in gram.chunks_exact_mut(k).zip(&row) {
            sum.iter_mut().zip(&row).for_each(|(to, t)| *to += s * t);
        }
    }
    let plan = Plan::new(x, k);
    let parts: Vec<Result<f64>> = plan
        .bins()
        .par_iter()
        .map(|blocks| {
            let mut sum = 0.0;
            for block in blocks {
                x.visit(block.clone(), &mut |rows, panel| {
                    sum += panel.residual_sq(
                        pair.streamed.view().slice(rows),
                        pair.other.view(),
                        &gram,
                        1.0,
                    );
                })?;
            }
            Ok(sum)
        })
        .collect();
    let mut total = 0.0;
    for part in parts {
        total += part?;
    }
    Ok(total.max(0.0))
}
