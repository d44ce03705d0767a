//! A second opinion: objective and KKT residual in `f64`, with none of the kernels of the engine.
//!
//! Plain loops over the entries that count, from the definitions. O(m·n·k), and O(nnz·k) where only
//! what is stored counts. The zeros of a sparse X need no visit under the Kullback–Leibler divergence,
//! and none under the Frobenius loss if the visit would take long: there the sums of W and H do,
//! which costs digits; `objective_bound` says how many.

mod definitions;
mod entries;
mod held_out;
mod shares;
mod sums;

use crate::error::{Error, Result};
use crate::factor::Factor;
use crate::loss::Loss;
use crate::matrix::{Data, Input, half_exponent};
use crate::memory;
use crate::metric::Kkt;
use crate::penalty::Penalty;
use crate::scalar::Scalar;
use entries::Entries;
pub use held_out::{HeldOut, held_out};
pub use shares::shares;
use sums::{Problem, Rows, Sum, Sums, look};

/// Multiply-adds up to which a sparse X is verified entry by entry, zeros included.
const AFFORDABLE: f64 = 4e9;

/// What a result is said to minimise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Objective {
    /// The divergence.
    pub loss: Loss,
    /// What the entries of W are charged.
    pub w_penalty: Penalty,
    /// What the entries of H are charged.
    pub h_penalty: Penalty,
}

impl Default for Objective {
    fn default() -> Self {
        let (w_penalty, h_penalty) = (Penalty::NONE, Penalty::NONE);
        Self { loss: Loss::FROBENIUS, w_penalty, h_penalty }
    }
}

/// What [`verify`] finds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verified {
    /// The divergence and the penalties.
    pub objective: f64,
    /// D(X, WH), each entry times its weight: ½‖X − WH‖² under the Frobenius loss.
    pub divergence: f64,
    /// How far rounding may have moved both.
    pub objective_bound: f64,
    /// √(D(X, WH) / D₀), where D₀ is the divergence of WH = 0 under the Frobenius loss, so that this
    /// is ‖X − WH‖ / ‖X‖, and of the mean of the entries under any other; both over the entries that
    /// count, times their weights. 0 for X = 0 = WH.
    pub relative_error: f64,
    /// 1 − D(X, WH) / D₀.
    pub explained_variance: f64,
    /// How far from stationary.
    pub kkt: Kkt,
    /// Entries that count: neither missing nor of weight 0.
    pub observed: usize,
}

/// Recomputes the figures of a result from X, W (m×k) and H (stored tall, n×k).
///
/// # Errors
/// [`Error::Shape`] if the shapes disagree; [`Error::Start`] if a factor has an entry that is
/// negative or not finite; [`Error::Negative`] or [`Error::NotFinite`] if an entry of X that counts
/// is; [`Error::Weight`] if a weight is.
pub fn verify<'a, T: Scalar>(
    x: impl Into<Data<'a, T>>,
    w: &Factor<T>,
    h: &Factor<T>,
    objective: &Objective,
) -> Result<Verified> {
    let data = x.into();
    let (rows, cols) = data.x.shape();
    check_memory(&data.x, w.cols())?;
    for (what, f, expected) in [("W", w, rows), ("H", h, cols)] {
        check(what, f, expected, w.cols())?;
    }
    data.weights.check((rows, cols))?;
    let every = rows as f64 * cols as f64 * w.cols() as f64;
    // Under KL sums take no digits from anything unless a mask takes some of what they are of.
    let of_all = data.weights.hidden.is_none() && !data.weights.nan_missing;
    let by_sums = match objective.loss {
        Loss::KL => of_all || every > AFFORDABLE,
        Loss::FROBENIUS => every > AFFORDABLE,
        _ => false,
    };
    let entries = Entries::new(&data, by_sums);
    let found = look(&entries, cols)?;
    let half = half_exponent(found.largest);
    let step = 2f64.powi(-half);
    let mean = if found.weight > 0.0 { found.weighed / found.weight } else { 0.0 };
    let level = objective.loss.null_level(mean * step * step);
    let (w, h) = (&wide(w, step), &wide(h, step));
    let (loss, weight) = (objective.loss.in_units::<f64>(half)?, found.weight);
    let sums = Problem { entries: &entries, loss, step, w, h, level, weight }.sums()?;
    Ok(figures(&sums, (w, h), objective, half, found.count))
}

/// Whether there is room for `k` components in `f64`.
///
/// # Errors
/// [`Error::Memory`].
fn check_memory<T: Scalar>(x: &Input<'_, T>, k: usize) -> Result<()> {
    let (rows, cols) = x.shape();
    memory::check("a second opinion", bytes(x, k), None, || {
        format!("of {rows} × {cols} by {k} components, in f64")
    })
}

/// What [`verify`] allocates, at most: the factors and both parts of their slopes row by row, the weights
/// of rows and columns, and one row of X.
fn bytes<T: Scalar>(x: &Input<'_, T>, k: usize) -> u128 {
    const ROW: usize = 56;
    const CELL: usize = 128;
    let (rows, cols) = x.shape();
    let row = k.saturating_mul(size_of::<f64>()).saturating_add(ROW);
    3 * (memory::times([rows, row]) + memory::times([cols, row])) + memory::times([cols, CELL])
}

/// The figures in the units of X, from sums in those of X·2^(−2·half).
fn figures(
    sums: &Sums,
    (w, h): (&Rows, &Rows),
    objective: &Objective,
    half: i32,
    observed: usize,
) -> Verified {
    let in_units = |value: f64| objective.loss.unscale(value, half);
    let (divergence, null) = (sums.divergence.value().max(0.0), sums.null.value());
    let charge = |penalty: Penalty, f: &Rows| charged(penalty, f, 2f64.powi(-half));
    let penalties = charge(objective.w_penalty, w) + charge(objective.h_penalty, h);
    let k = h.first().map_or(0, Vec::len);
    let roundoffs = (k as f64 + 8.0) * f64::EPSILON;
    Verified {
        objective: in_units(divergence) + penalties,
        divergence: in_units(divergence),
        objective_bound: in_units(roundoffs * sums.size) + roundoffs * penalties,
        relative_error: share(divergence, null).sqrt(),
        explained_variance: if null > 0.0 { 1.0 - divergence / null } else { 1.0 },
        kkt: kkt(sums, (w, h), objective, half),
        observed,
    }
}

/// How many entries of X count: those that are neither missing nor of weight 0.
///
/// # Errors
/// What is wrong with the weights, and with the entries of X that count.
pub fn observed<'a, T: Scalar>(x: impl Into<Data<'a, T>>) -> Result<usize> {
    let data = x.into();
    check_memory(&data.x, 0)?;
    data.weights.check(data.x.shape())?;
    Ok(look(&Entries::new(&data, true), data.x.shape().1)?.count)
}

/// D / D₀; D itself where there is nothing to explain.
fn share(divergence: f64, null: f64) -> f64 {
    if null > 0.0 { divergence / null } else { divergence }
}

fn check<T: Scalar>(what: &'static str, f: &Factor<T>, rows: usize, cols: usize) -> Result<()> {
    if (f.rows(), f.cols()) != (rows, cols) {
        let (found_rows, found_cols) = (f.rows(), f.cols());
        return Err(Error::Shape { what, found_rows, found_cols, rows, cols });
    }
    for row in 0..rows {
        for (col, v) in f.row(row).iter().map(|v| v.to_f64()).enumerate() {
            if !(v.is_finite() && v >= 0.0) {
                return Err(Error::Start { what, row, col, value: v });
            }
        }
    }
    Ok(())
}

fn wide<T: Scalar>(f: &Factor<T>, step: f64) -> Rows {
    (0..f.rows()).map(|i| f.row(i).iter().map(|v| v.to_f64() * step).collect()).collect()
}

/// λ₁ Σf + ½ λ₂ Σf² of a factor that was multiplied by `step`.
fn charged(penalty: Penalty, f: &Rows, step: f64) -> f64 {
    let (mut sum, mut squares) = (Sum::default(), Sum::default());
    for value in f.iter().flatten() {
        sum.add(*value);
        squares.add(value * value);
    }
    let charge = |price: f64, size: f64| if price == 0.0 { 0.0 } else { price * size };
    charge(penalty.l1, sum.value() / step) + charge(0.5 * penalty.l2, squares.value() / step / step)
}

fn kkt(sums: &Sums, (w, h): (&Rows, &Rows), objective: &Objective, half: i32) -> Kkt {
    // In the units of a factor X is of degree 2, so a gradient is of twice the loss's less one.
    let power = |degree: f64| (-f64::from(half) * degree).exp2();
    let degree = 2.0 * objective.loss.degree() - 1.0;
    let scaled = |penalty: Penalty| {
        let price = |price: f64, degree| if price == 0.0 { 0.0 } else { price * power(degree) };
        (price(penalty.l1, degree), price(penalty.l2, degree - 1.0))
    };
    let side = |f, pull, push, penalty| residual(f, pull, push, scaled(penalty));
    let (rho_of_w, eta_of_w) = side(w, &sums.pull.0, &sums.push.0, objective.w_penalty);
    let (rho_of_h, eta_of_h) = side(h, &sums.pull.1, &sums.push.1, objective.h_penalty);
    Kkt { w: rho_of_w, w_zeros: eta_of_w, h: rho_of_h, h_zeros: eta_of_h }
}

/// ρ = Σ F∘Den∘|1 − Num/Den| / Σ F∘Den and η = max over zeros of (Num/Den − 1)₊, for Num = `pull` and
/// Den = `push` + λ₁ + λ₂F.
fn residual(f: &Rows, pull: &Rows, push: &Rows, (l1, l2): (f64, f64)) -> (f64, f64) {
    let (mut slack, mut scale, mut zeros) = (0.0, 0.0, 0.0f64);
    for ((f, pull), push) in f.iter().zip(pull).zip(push) {
        let zero = f64::ROUNDOFF * f.iter().fold(0.0, |a: f64, &b| a.max(b));
        for ((&value, &num), &push) in f.iter().zip(pull).zip(push) {
            let den = push + l1 + l2 * value;
            if value > 0.0 {
                slack += value * (num - den).abs();
                scale += value * den;
            }
            // Where W·H is zero below a positive entry both may be infinite: `num` the sooner.
            if value <= zero && (num > den || num.is_infinite()) {
                zeros = zeros.max(if den > 0.0 && num.is_finite() {
                    num / den - 1.0
                } else {
                    f64::INFINITY
                });
            }
        }
    }
    let rho = if slack == 0.0 { 0.0 } else { slack / scale };
    let bounded = |part: f64| if part > Kkt::MOST { Kkt::MOST } else { part };
    (bounded(rho), bounded(zeros))
}

#[cfg(test)]
mod tests;
