//! From the restarts that ended to the result.

use super::task::Task;
use super::{Ended, Fit, Member, Options, Record, Restart, Status, explained, relative_error};
use crate::error::{Error, Result};
use crate::factor::Factor;
use crate::init::{Pair, random_pair};
use crate::matrix::{Matrix, Plan, Side};
use crate::metric::{Kkt, Sparsity};
use crate::scalar::Scalar;
use crate::threads;
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
    let random = random_pair((rows, cols), options.rank, options.seed, 0);
    let (w, h) = random.into_factors(Side::Rows);
    let w = options.w.clone().unwrap_or(w);
    let h = options.h.clone().unwrap_or(h);
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
        warnings: vec![Warning::NotBegun],
    }
}

impl<T: Scalar> Task<'_, T> {
    /// X is zero throughout, and so are W and H.
    pub(super) fn nothing_to_fit(&self, warnings: Vec<Warning>) -> Fit<T> {
        let (rows, cols) = self.data.x.shape();
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
            w_penalty: self.charges.w,
            h_penalty: self.charges.h,
            ridge: self.charges.ridge,
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

    /// The result of the best of the restarts.
    pub(super) fn outcome(
        &self,
        matrix: &dyn Matrix<T>,
        ended: Vec<Ended<T>>,
        null: f64,
        mut warnings: Vec<Warning>,
    ) -> Result<Fit<T>> {
        let restarts: Vec<Restart> = ended.iter().map(|(m, _)| self.restart(m)).collect();
        let order = |m: &Member<T>| (m.status == Some(Status::NumericalTrouble), m.objective);
        let best = ended.into_iter().min_by(|(a, _), (b, _)| {
            let ((fa, ea), (fb, eb)) = (order(a), order(b));
            fa.cmp(&fb).then(ea.total_cmp(&eb))
        });
        let Some((member, pair)) = best else { return Ok(self.nothing_to_fit(warnings)) };
        let (divergence, bound) = self.divergence(matrix, &member, &pair, null)?;
        self.remark_on(&member, &restarts, &pair, &mut warnings);
        match self.remark_on_missing(&pair, &mut warnings) {
            Err(Error::Halted) => {}
            done => done?,
        }
        let (mut w, mut h) = pair.into_factors(self.streamed.side);
        w.scale_by_power(self.half);
        h.scale_by_power(self.half);
        let charges = self.charges;
        let history = member.history.iter().map(|r| Record {
            objective: self.unscale(r.objective),
            kkt: self.turn(r.kkt),
            ..*r
        });
        let unscaled = self.unscale(divergence);
        Ok(Fit {
            status: member.status.unwrap_or(Status::MaxIter),
            iterations: member.history.last().map_or(0, |r| r.iteration),
            seconds: self.began.elapsed().as_secs_f64(),
            objective: unscaled + charges.w.of(&w) + charges.h.of(&h),
            divergence: unscaled,
            objective_bound: self.unscale(bound),
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
            warnings,
            w,
            h,
        })
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
        null: f64,
    ) -> Result<(f64, f64)> {
        if self.by_entries() && member.divergence.is_infinite() {
            return Ok((f64::NAN, f64::NAN));
        }
        if self.by_entries() {
            // Each fitted value is a sum of k products in T; the rest is in f64.
            let k = self.options.rank as f64;
            let bound = 2.0 * (k + 4.0) * T::ROUNDOFF * self.magnitude(null);
            return Ok((member.divergence, bound));
        }
        let norm_sq = self.scan.norm_sq;
        let error = match residual_sq(matrix, pair) {
            Err(Error::Halted) if member.divergence.is_infinite() => {
                return Ok((f64::NAN, f64::NAN));
            }
            Err(Error::Halted) => {
                // What the loop had: an expansion in T.
                return Ok((member.divergence, 8.0 * T::ROUNDOFF * norm_sq));
            }
            error => error? - 2.0 * self.at_missing(pair),
        };
        let spread = 2.0 * (self.options.rank as f64).sqrt() * T::ROUNDOFF * norm_sq.sqrt();
        // The residual of sparse rows is an expansion in f64.
        let sparse = self.data.x.is_sparse();
        let expansion = if sparse { 8.0 * f64::ROUNDOFF * norm_sq } else { 0.0 };
        // Roundings of a sum of this many terms, which mostly cancel.
        let (rows, cols) = matrix.shape();
        let adding = (rows as f64 * cols as f64).sqrt() * f64::ROUNDOFF * error;
        Ok((0.5 * error, error.sqrt() * spread + 0.5 * spread * spread + expansion + adding))
    }

    /// From units of the scaled X to those of X.
    fn unscale(&self, divergence: f64) -> f64 {
        self.options.loss.unscale(divergence, self.half)
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
        if member.rose > 0 && !self.by_entries() && !rule.update::<T>(1).is_monotone() {
            warnings.push(Warning::Rose { times: member.rose, rule: rule.name() });
        }
        let dead = |f: &Factor<T>, t: usize| (0..f.rows()).all(|i| f.get(i, t) == T::ZERO);
        let is_dead = |&t: &usize| dead(&pair.streamed, t) || dead(&pair.other, t);
        let count = (0..self.options.rank).filter(is_dead).count();
        if count > 0 {
            warnings.push(Warning::DeadComponents { count, of: self.options.rank });
        }
    }
}

/// Rows of a factor between two looks at the clock.
const LOOK: usize = 256;

/// ‖X − ABᵀ‖² from differences.
pub(super) fn residual_sq<T: Scalar>(x: &dyn Matrix<T>, pair: &Pair<T>) -> Result<f64> {
    let k = pair.other.cols();
    let mut gram = vec![0.0; k * k];
    for j in 0..pair.other.rows() {
        if j % LOOK == 0 {
            x.go_on()?;
        }
        let row: Vec<f64> = pair.other.row(j).iter().map(|v| v.to_f64()).collect();
        for (sum, &s) in gram.chunks_exact_mut(k).zip(&row) {
            sum.iter_mut().zip(&row).for_each(|(to, t)| *to += s * t);
        }
    }
    let plan = Plan::new(x, k);
    let residual = |blocks: &Vec<Range<usize>>| -> Result<f64> {
        let mut sum = 0.0;
        for block in blocks {
            x.visit(block.clone(), &mut |rows, panel| {
                let rows = pair.streamed.view().slice(rows);
                sum += panel.residual_sq(rows, pair.other.view(), &gram, 1.0);
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
