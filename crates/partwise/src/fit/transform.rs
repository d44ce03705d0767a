//! W for given H: every row's own minimum, to the end.
//!
//! Under the Frobenius loss the minimum is exact, by block principal pivoting: with one Gram matrix
//! for all rows, or one for each row where weights or missing entries ask for it. Under any other
//! loss each row is improved until it is stationary, and it is told which were not in the end.

use super::entries::{flat_rows, kkt_of, refuse_zeros};
use super::options::check_entries;
use super::run_in_pool;
use super::way::{half_unit, observed, scan};
use crate::error::{Error, Result};
use crate::factor::{Factor, ViewMut};
use crate::loss::Loss;
use crate::matrix::{
    Data, Layout, Matrix, Need, Observations, Observed, Plan, Scaled, Scan, Side, half_exponent,
    is_serial,
};
use crate::memory;
use crate::penalty::Penalty;
use crate::project::rows_given;
use crate::scalar::Scalar;
use crate::threads;
use crate::update::{EntryRule, Held, Rule, Terms, Wanted};

/// How [`transform`] fits rows to a given H.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transform {
    /// What is minimised.
    pub loss: Loss,
    /// What the entries of W are charged.
    pub penalty: Penalty,
    /// The KKT residual of a row at which it is done, where the loss is not minimised exactly.
    pub tol: f64,
    /// Most improvements of a row, there.
    pub max_iter: usize,
    /// As in [`Options`](crate::Options).
    pub threads: usize,
}

impl Default for Transform {
    fn default() -> Self {
        let (loss, penalty) = (Loss::FROBENIUS, Penalty::NONE);
        Self { loss, penalty, tol: 1e-6, max_iter: 10_000, threads: 0 }
    }
}

/// W ≥ 0 that minimises the loss of X against WHᵀ, and the penalty, for H as a fit returned it
/// (stored tall, n×k).
///
/// A function of the row alone: a row of X gives the same bits by itself, in a batch, and in any
/// order. Exact under the Frobenius loss. W is zero where nothing of X is above zero and observed, and
/// everywhere if H is zero.
///
/// # Errors
/// [`Error::Shape`] if X has not as many columns as H has rows, and what [`fit`](crate::fit())
/// refuses of X.
pub fn transform<'a, T: Scalar>(
    x: impl Into<Data<'a, T>>,
    h: &Factor<T>,
    options: &Transform,
) -> Result<Factor<T>> {
    Ok(transform_told(x, h, options)?.w)
}

/// What [`transform_told`] finds.
#[derive(Debug, Clone)]
pub struct Transformed<T: Scalar> {
    /// W, a row for each row of X.
    pub w: Factor<T>,
    /// The rows, from 0, that were not stationary to the tolerance after the last improvement.
    pub unfinished: Vec<usize>,
}

/// As [`transform`], and which rows did not come to their end.
///
/// # Errors
/// As [`transform`].
pub fn transform_told<'a, T: Scalar>(
    x: impl Into<Data<'a, T>>,
    h: &Factor<T>,
    options: &Transform,
) -> Result<Transformed<T>> {
    let mut data = x.into();
    let (rows, cols) = data.x.shape();
    if rows == 0 || cols == 0 {
        return Err(Error::Empty { rows, cols });
    }
    if cols != h.rows() {
        let (what, found_rows, found_cols) = ("X", rows, cols);
        return Err(Error::Shape { what, found_rows, found_cols, rows, cols: h.rows() });
    }
    memory::check("W", options.bytes(&data, h.cols()), None, || {
        format!("{rows} × {} and the workspace, {}", h.cols(), T::NAME)
    })?;
    let zero = check_entries("H", h, cols, h.cols())?;
    options.penalty.check(["w_l1", "w_l2"])?;
    data.weights.check((rows, cols))?;
    data.simplify()?;
    let unit = data.weights.bring_near()?;
    let penalty = options.penalty.in_units_of_weights(unit);
    let options = &Transform { penalty, ..*options };
    let serial = is_serial(data.x.stored(), h.cols());
    if zero {
        // Whatever W is, W·H is 0.
        return run_in_pool(options.threads, serial, || {
            scan(&data, &*data.x.by(Side::Rows), Side::Rows, Need::of(options.loss))?.check()?;
            Ok(Transformed { w: Factor::zeros(rows, h.cols()), unfinished: Vec::new() })
        });
    }
    run_in_pool(options.threads, serial, || weights_of(&data, h, options))
}

fn weights_of<T: Scalar>(
    data: &Data<'_, T>,
    h: &Factor<T>,
    options: &Transform,
) -> Result<Transformed<T>> {
    let loss = options.loss;
    let by_rows = data.x.by(Side::Rows);
    let every = Need::of(loss);
    let by_entries = data.is_weighted() || loss != Loss::FROBENIUS;
    let scan = scan(data, &*by_rows, Side::Rows, every)?;
    scan.check()?;
    if loss.forbids_zeros() {
        refuse_zeros(&observed(data, &*by_rows, Side::Rows, every), Side::Rows, loss)?;
    }
    let largest = h.as_slice().iter().fold(0.0f64, |a, v| a.max(v.to_f64()));
    let (x_half, h_half) =
        (half_unit(data, &*by_rows, Side::Rows, (every, &scan))?, half_exponent(largest));
    let mut h = h.clone();
    h.scale_by_power(-2 * h_half);
    let units = (2 * x_half, 2 * (x_half - h_half));
    let penalty = options.penalty.in_scales(units, loss.degree());
    let options = &Transform { loss: loss.in_units::<T>(x_half)?, ..*options };
    let scaled = Scaled::new(&*by_rows, x_half);
    let mut found = if by_entries {
        let seen = observed(data, &scaled, Side::Rows, every);
        row_by_row(&seen, &scan, &h, penalty, options)?
    } else {
        Transformed { w: rows_given(&scaled, &h, penalty)?, unfinished: Vec::new() }
    };
    // X·2^(−2·x_half) was fitted by H·2^(−2·h_half).
    found.w.scale_by_power(2 * (x_half - h_half));
    Ok(found)
}

/// Every row by its entries, each until it is done.
fn row_by_row<T: Scalar>(
    x: &Observed<'_, T>,
    scan: &Scan,
    h: &Factor<T>,
    penalty: Penalty,
    options: &Transform,
) -> Result<Transformed<T>> {
    let (rows, k) = (x.shape().0, h.cols());
    let layouts = [x.layout(), Layout::Listed { zeros: false }];
    let [held, few_held] = layouts.map(|layout| Held::new(h.view(), layout, x.across()));
    let exact = options.loss == Loss::FROBENIUS;
    let rule = if exact { Rule::Bpp } else { Rule::fastest(options.loss) };
    let rule = rule.by_entries::<T>(options.loss, None);
    // Only steps that may be taken back ask for the divergence.
    let wanted = if rule.follows() { Wanted::BOTH } else { Wanted::GRADIENT };
    let mut w = Factor::zeros(rows, k);
    let plan = Plan::by_rows(x, k);
    let ends = plan.ends();
    let starts = std::iter::once(0).chain(ends.iter().copied());
    let bins: Vec<_> = w.view_mut().split_rows(&ends).into_iter().zip(starts).collect();
    let bin = |(mut w, start): (ViewMut<'_, T>, usize)| -> Result<Vec<usize>> {
        let mut block = x.block();
        let mut terms = Terms::new(wanted);
        let mut unfinished = Vec::new();
        for at in 0..w.rows() {
            if scan.row_nonzero[start + at] {
                x.read(start + at..start + at + 1, &mut block)?;
                let mut f = w.slice(at..at + 1);
                let row = Row { x, rule: &*rule, held: &held, penalty, options };
                // Asked of each row by itself, so that its bits depend on no other.
                let done = match block.few() {
                    Some(few) => {
                        Row { held: &few_held, ..row }.improve(&few, &mut f, &mut terms)?
                    }
                    None => row.improve(&block, &mut f, &mut terms)?,
                };
                if !done {
                    unfinished.push(start + at);
                }
            }
        }
        Ok(unfinished)
    };
    let parts = threads::map(bins.into_iter(), plan.is_serial(), bin);
    let unfinished: Vec<Vec<usize>> = parts.into_iter().collect::<Result<_>>()?;
    Ok(Transformed { w, unfinished: unfinished.concat() })
}

/// What every row is improved with.
#[derive(Clone, Copy)]
struct Row<'a, 'h, T: Scalar> {
    x: &'a dyn Matrix<T>,
    rule: &'a dyn EntryRule<T>,
    held: &'a Held<'h, T>,
    penalty: Penalty,
    options: &'a Transform,
}

/// Roundoffs below which the KKT residual of a row need not fall, whatever the tolerance but 0: its sums
/// are no better than that.
const ROUNDOFFS: f64 = 64.0;

impl<T: Scalar> Row<'_, '_, T> {
    /// Improves a row until it is stationary; whether it is. A multiplicative rule starts each step
    /// beyond the last one; a step that raised the objective is taken back.
    ///
    /// # Errors
    /// What the source of X reports.
    fn improve(
        &self,
        block: &Observations<T>,
        f: &mut ViewMut<'_, T>,
        terms: &mut Terms<T>,
    ) -> Result<bool> {
        // The size of a start is that of the row, whatever unit the other rows have led to. Under Huber's
        // loss it decides what a start is told, so it is that of least squares.
        let loss = self.options.loss;
        let loss = if loss.delta().is_some() { Loss::FROBENIUS } else { loss };
        flat_rows(loss, block, self.held, f, terms);
        if !(f.row(0)[0].is_finite() && f.row(0)[0] > T::ZERO) {
            f.fill(T::ONE);
        }
        let bottom = if self.options.tol > 0.0 { ROUNDOFFS * T::ROUNDOFF } else { 0.0 };
        let tol = self.options.tol.max(bottom);
        let mut momentum = self.rule.momentum().filter(|_| self.rule.follows());
        let (mut best, mut least) = (f.row(0).to_vec(), f64::INFINITY);
        for step in 0..self.options.max_iter {
            self.x.go_on()?;
            self.rule.improve(block, self.held, self.penalty, f, terms);
            let residual = kkt_of(f.as_view(), terms, self.penalty);
            let objective = terms.divergence + self.charge(f.row(0));
            let fell = objective <= least * (1.0 + 8.0 * T::ROUNDOFF);
            if residual <= tol && (fell || momentum.is_none()) {
                return Ok(true);
            }
            let Some(momentum) = &mut momentum else { continue };
            let now = f.row_mut(0);
            if !fell {
                momentum.reject();
                now.copy_from_slice(&best);
                continue;
            }
            momentum.accept();
            least = objective;
            let beta = T::from_f64(if step > 0 { momentum.beta() } else { 0.0 });
            for (now, best) in now.iter_mut().zip(&mut best) {
                let moved = Scalar::max(*now - *best, T::ZERO);
                *best = *now;
                *now += beta * moved;
            }
        }
        if momentum.is_some() {
            f.row_mut(0).copy_from_slice(&best);
        }
        Ok(false)
    }

    /// What the entries of a row are charged.
    fn charge(&self, f: &[T]) -> f64 {
        let values = f.iter().map(|v| v.to_f64());
        self.penalty.value(values.clone().sum(), values.map(|v| v * v).sum())
    }
}
