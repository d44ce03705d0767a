//! From the restarts that ended to the result.

use super::task::Task;
use super::{Ended, Fit, Member, Options, Record, Restart, Status, explained, relative_error};
use crate::error::{Error, Result};
use crate::factor::{Factor, View};
use crate::init::{Pair, hasty};
use crate::matrix::{Matrix, Plan, Side};
use crate::metric::{Kkt, Sparsity};
use crate::penalty::Penalty;
use crate::scalar::Scalar;
use crate::threads;
use crate::update::{Gram, gram_wide};
use crate::warning::Warning;
use std::ops::Range;
use std::time::Instant;

/// What a fit returns whose time was up before there was a start: the factors given, and random ones in
/// the place of those that were not. Nothing about them was measured.
pub(super) fn not_begun<T: Scalar>(
    (rows, cols): (usize, usize),
    options: &Options<T>,
    began: Instant,
) -> Fit<T> {
    let random = |rows, seed| hasty(rows, options.rank, seed);
    let w = options.w.clone().unwrap_or_else(|| random(rows, options.seed));
    let h = options.h.clone().unwrap_or_else(|| random(cols, !options.seed));
    let (w_penalty, h_penalty) = options.penalties();
    Fit {
        w_sparsity: Sparsity::of(&w),
        h_sparsity: Sparsity::of(&h),
        w,
        h,
        status: Status::TimeLimit,
        iterations: 0,
        seconds: began.elapsed().as_secs_f64(),
        objective: f64::NAN,
        divergence: f64::NAN,
        objective_bound: f64::NAN,
        relative_error: f64::NAN,
        explained_variance: f64::NAN,
        kkt: Kkt::NOT_MEASURED,
        w_penalty,
        h_penalty,
        ridge: None,
        history: Vec::new(),
        restarts: Vec::new(),
        every: Vec::new(),
        warnings: vec![Warning::NotBegun],
    }
}

impl<T: Scalar> Task<'_, T> {
    /// X is zero throughout, and so is a factor that is not held.
    pub(super) fn nothing_to_fit(&self, warnings: Vec<Warning>) -> Fit<T> {
        let (rows, cols) = self.data.x.shape();
        let k = self.options.rank;
        let (fixed, charges) = (self.options.fixed, self.charges);
        let kept = |side, f: &Option<Factor<T>>, rows| {
            let given = f.clone().filter(|_| fixed == Some(side));
            given.unwrap_or_else(|| Factor::zeros(rows, k))
        };
        let w = kept(Side::Rows, &self.options.w, rows);
        let h = kept(Side::Columns, &self.options.h, cols);
        let (objective, objective_bound) = self.penalty(&w, &h);
        let (status, kkt) = (Status::Converged, Kkt::ZERO);
        let every = if self.options.keep_all { self.options.n_init } else { 0 };
        let ended = |restart| Restart { restart, status, iterations: 0, objective, kkt };
        Fit {
            w_sparsity: Sparsity::of(&w),
            h_sparsity: Sparsity::of(&h),
            every: vec![(w.clone(), h.clone()); every],
            w,
            h,
            status,
            iterations: 0,
            seconds: self.began.elapsed().as_secs_f64(),
            objective,
            divergence: 0.0,
            objective_bound,
            relative_error: 0.0,
            explained_variance: 1.0,
            kkt,
            w_penalty: charges.w,
            h_penalty: charges.h,
            ridge: charges.ridge,
            history: Vec::new(),
            restarts: (0..self.options.n_init).map(ended).collect(),
            warnings,
        }
    }

    /// The result of the best of the restarts.
    pub(super) fn outcome(
        &self,
        matrix: &dyn Matrix<T>,
        ended: Vec<Ended<T>>,
        null: f64,
        mut warnings: Vec<Warning>,
    ) -> Result<Fit<T>> {
        let restarts: Vec<Restart> = ended.iter().map(|(m, _)| self.restart(m)).collect();
        let kept = if self.options.keep_all { &ended[..] } else { &[] };
        let every = kept.iter().map(|(_, pair)| {
            let mut pair = pair.clone();
            self.clear_dust(&mut pair);
            self.factors(pair)
        });
        let every = every.collect();
        let order = |m: &Member<T>| (m.status == Some(Status::NumericalTrouble), m.objective);
        let best = ended.into_iter().min_by(|(a, _), (b, _)| {
            let ((fa, ea), (fb, eb)) = (order(a), order(b));
            fa.cmp(&fb).then(ea.total_cmp(&eb))
        });
        let Some((member, pair)) = best else { return Ok(self.nothing_to_fit(warnings)) };
        let mut pair = pair;
        self.clear_dust(&mut pair);
        let (divergence, bound) = self.divergence(matrix, &member, &pair)?;
        self.remark_on(&member, &restarts, &pair, &mut warnings);
        match self.remark_on_missing(&pair, &mut warnings) {
            Err(Error::Halted) => {}
            done => done?,
        }
        let (w, h) = self.factors(pair);
        let charges = self.charges;
        let history = member.history.iter().map(|r| Record {
            objective: self.unscale(r.objective),
            kkt: self.turn(r.kkt),
            ..*r
        });
        let unscaled = self.unscale(divergence);
        let (penalty, of_penalty) = self.penalty(&w, &h);
        Ok(Fit {
            status: member.status.unwrap_or(Status::MaxIter),
            iterations: member.history.last().map_or(0, |r| r.iteration),
            seconds: self.began.elapsed().as_secs_f64(),
            objective: unscaled + penalty,
            divergence: unscaled,
            objective_bound: self.unscale(bound) + of_penalty,
            relative_error: relative_error(divergence, null),
            explained_variance: explained(divergence, null),
            kkt: self.turn(member.kkt),
            w_sparsity: Sparsity::of(&w),
            h_sparsity: Sparsity::of(&h),
            w_penalty: charges.w,
            h_penalty: charges.h,
            ridge: charges.ridge,
            history: history.collect(),
            restarts,
            every,
            warnings,
            w,
            h,
        })
    }

    /// Makes zero what is left of a component that the other factor does not have, if what it is charged
    /// is below the least number: it is in no figure, and W·H does not change.
    fn clear_dust(&self, pair: &mut Pair<T>) {
        let ((a, b), (of_a, of_b)) = (self.fixed(), self.penalties());
        clear_dust(&mut pair.streamed, &pair.other, if a { Penalty::NONE } else { of_a });
        clear_dust(&mut pair.other, &pair.streamed, if b { Penalty::NONE } else { of_b });
    }

    /// W and H of a pair, in units of X.
    fn factors(&self, pair: Pair<T>) -> (Factor<T>, Factor<T>) {
        let (mut w, mut h) = pair.into_factors(self.streamed.side);
        w.scale_by_power(self.half);
        h.scale_by_power(self.half);
        (w, h)
    }

    /// What W and H are charged, and how far rounding may have moved that: by the roundings of a sum,
    /// which mostly cancel.
    fn penalty(&self, w: &Factor<T>, h: &Factor<T>) -> (f64, f64) {
        let penalty = self.charges.w.of(w) + self.charges.h.of(h);
        let terms = w.as_slice().len().max(h.as_slice().len());
        (penalty, (4.0 + (terms as f64).sqrt()) * f64::ROUNDOFF * penalty)
    }

    fn restart(&self, member: &Member<T>) -> Restart {
        Restart {
            restart: member.restart,
            status: member.status.unwrap_or(Status::MaxIter),
            iterations: member.history.last().map_or(0, |r| r.iteration),
            objective: self.unscale(if member.objective < f64::INFINITY {
                member.objective
            } else {
                f64::NAN
            }),
            kkt: self.turn(member.kkt),
        }
    }

    /// The divergence of a pair and how far rounding may have moved it, in units of the scaled X.
    fn divergence(
        &self,
        matrix: &dyn Matrix<T>,
        member: &Member<T>,
        pair: &Pair<T>,
    ) -> Result<(f64, f64)> {
        if self.by_entries() && member.divergence.is_infinite() {
            return Ok((f64::NAN, f64::NAN));
        }
        if self.by_entries() {
            return Ok((member.divergence, member.bound));
        }
        let norm_sq = self.scan.norm_sq;
        let error = match residual_sq(matrix, pair.streamed.view(), pair.other.view()) {
            Err(Error::Halted) if member.divergence.is_infinite() => {
                return Ok((f64::NAN, f64::NAN));
            }
            Err(Error::Halted) => {
                // What the loop had: an expansion in T.
                return Ok((member.divergence, 8.0 * T::ROUNDOFF * norm_sq));
            }
            error => error?,
        };
        let k = self.options.rank;
        let gram = |f: &Factor<T>| Gram::<T>::new(k, gram_wide(f.view()));
        let fitted_sq = gram(&pair.streamed).dot(&gram(&pair.other));
        let sums = self.data.x.is_sparse().then_some(norm_sq + fitted_sq);
        Ok((0.5 * error, residual_bound::<T>((matrix.shape(), k), fitted_sq, sums, error)))
    }

    /// From units of the scaled X to those of X.
    fn unscale(&self, divergence: f64) -> f64 {
        let half = self.weight_unit / 2;
        let by = [half, self.weight_unit - half].map(|e| 2f64.powi(e));
        self.options.loss.unscale(divergence, self.half) * by[0] * by[1]
    }

    /// The certificate of the streamed and the other factor as that of W and H.
    fn turn(&self, kkt: Kkt) -> Kkt {
        match self.streamed.side {
            Side::Rows => kkt,
            Side::Columns => Kkt { w: kkt.h, w_zeros: kkt.h_zeros, h: kkt.w, h_zeros: kkt.w_zeros },
        }
    }

    fn remark_on(
        &self,
        member: &Member<T>,
        restarts: &[Restart],
        pair: &Pair<T>,
        warnings: &mut Vec<Warning>,
    ) {
        for restart in restarts.iter().filter(|r| r.status == Status::NumericalTrouble) {
            warnings.push(Warning::FailedRestart { restart: restart.restart });
        }
        if member.reseeded > 0 {
            warnings.push(Warning::Reseeded { count: member.reseeded });
        }
        let rule = self.rule;
        if let Some(safer) = rule.safer().filter(|_| member.fell_back) {
            warnings.push(Warning::StepTakenBack { rule: rule.name(), safer: safer.name() });
        }
        if member.rose > 0 && !self.by_entries() && !rule.update::<T>(1).is_monotone() {
            warnings.push(Warning::Rose { times: member.rose, rule: rule.name() });
        }
        let is_dead = |&t: &usize| pair.streamed.is_zero_column(t) || pair.other.is_zero_column(t);
        let count = (0..self.options.rank).filter(is_dead).count();
        if count > 0 {
            let (of, charges) = (self.options.rank, self.charges);
            let uncharged = charges.w.is_none() && charges.h.is_none();
            warnings.push(if uncharged || charges.ridge.is_some() {
                Warning::DeadComponents { count, of }
            } else {
                Warning::EmptiedComponents { count, of }
            });
        }
    }
}

fn clear_dust<T: Scalar>(f: &mut Factor<T>, other: &Factor<T>, penalty: Penalty) {
    if penalty.is_none() {
        return;
    }
    for t in (0..f.cols()).filter(|&t| other.is_zero_column(t)) {
        let sums = (0..f.rows()).map(|i| f.get(i, t).to_f64()).fold((0.0, 0.0), add_with_square);
        if penalty.value(sums.0, sums.1) < T::TINY.to_f64() {
            f.clear_column(t);
        }
    }
}

fn add_with_square((sum, squares): (f64, f64), v: f64) -> (f64, f64) {
    (sum + v, squares + v * v)
}

/// Rows of a factor between two looks at the clock.
const LOOK: usize = 256;

/// How far rounding may have moved ½‖X − ABᵀ‖² if it was found by [`residual_sq`], for X with rows and
/// columns and factors with k columns. `fitted_sq` is ‖ABᵀ‖². The residual of sparse rows is a difference
/// of `sums` that add up to this.
pub(super) fn residual_bound<T: Scalar>(
    ((rows, cols), k): ((usize, usize), usize),
    fitted_sq: f64,
    sums: Option<f64>,
    residual: f64,
) -> f64 {
    let k = k as f64;
    // An entry of ABᵀ is off by 2√k roundoffs of it.
    let spread = 2.0 * k.sqrt() * T::ROUNDOFF * fitted_sq.max(0.0).sqrt();
    let of_sums = (4.0 + k + (cols as f64).sqrt()) * f64::ROUNDOFF * sums.unwrap_or(0.0);
    // Roundings of a sum of this many terms, which mostly cancel.
    let adding = (4.0 + (rows as f64 * cols as f64).sqrt()) * f64::ROUNDOFF * residual;
    residual.sqrt() * spread + 0.5 * spread * spread + of_sums + adding
}

/// ‖X − ABᵀ‖² from differences.
pub(super) fn residual_sq<T: Scalar>(
    x: &dyn Matrix<T>,
    a: View<'_, T>,
    b: View<'_, T>,
) -> Result<f64> {
    let k = b.cols();
    let mut gram = vec![0.0; k * k];
    for j in 0..b.rows() {
        if j % LOOK == 0 {
            x.go_on()?;
        }
        let row: Vec<f64> = b.row(j).iter().map(|v| v.to_f64()).collect();
        for (sum, &s) in gram.chunks_exact_mut(k).zip(&row) {
            sum.iter_mut().zip(&row).for_each(|(to, t)| *to += s * t);
        }
    }
    let plan = Plan::new(x, k);
    let residual = |blocks: &Vec<Range<usize>>| -> Result<f64> {
        let mut sum = 0.0;
        for block in blocks {
            x.visit(block.clone(), &mut |rows, panel| {
                sum += panel.residual_sq(a.slice(rows), b, &gram, 1.0);
            })?;
        }
        Ok(sum)
    };
    let mut total = 0.0;
    for part in threads::map(plan.bins().iter(), plan.is_serial(), residual) {
        total += part?;
    }
    Ok(total.max(0.0))
}
