//! A second opinion: objective and KKT residual in `f64`, with none of the kernels of the engine.
//!
//! Plain loops over the entries of X. O(m·n·k) for dense X; O(nnz·k + (m + n)·k²) for sparse X
//! unless the dense cost is affordable, which avoids the cancellation of the expansion.

use crate::error::{Error, Result};
use crate::factor::Factor;
use crate::matrix::{Input, Matrix, Side, half_exponent};
use crate::metric::Kkt;
use crate::scalar::Scalar;

/// Multiply-adds up to which a sparse X is verified entry by entry, zeros included.
const AFFORDABLE: f64 = 4e9;

/// What [`verify`] finds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verified {
    /// ½‖X − WH‖².
    pub objective: f64,
    /// How far rounding may have moved it.
    pub objective_bound: f64,
    /// ‖X − WH‖ / ‖X‖; 0 for X = 0 = WH.
    pub relative_error: f64,
    /// 1 − ‖X − WH‖² / ‖X‖².
    pub explained_variance: f64,
    /// How far from stationary.
    pub kkt: Kkt,
}

/// Recomputes the figures of a result from X, W (m×k) and H (stored tall, n×k).
///
/// # Errors
/// [`Error::Shape`] if the shapes disagree; [`Error::Start`] if a factor has an entry that is
/// negative or not finite.
pub fn verify<'a, T: Scalar>(
    x: impl Into<Input<'a, T>>,
    w: &Factor<T>,
    h: &Factor<T>,
) -> Result<Verified> {
    let input = x.into();
    let (rows, cols) = input.shape();
    for (what, f, expected) in [("W", w, rows), ("H", h, cols)] {
        check(what, f, expected, w.cols())?;
    }
    let by_rows = input.by(Side::Rows);
    let step = 2f64.powi(-half_exponent(largest(&*by_rows)?));
    let sides = Sides { x: &*by_rows, step, w: wide(w, step), h: wide(h, step), k: w.cols() };
    let dense_cost = rows as f64 * cols as f64 * w.cols() as f64;
    let (error, norm_sq) = sides.error(!input.is_sparse() || dense_cost <= AFFORDABLE)?;
    let (w_sums, h_sums) = sides.kkt()?;
    let unscale = |error: f64| error / step / step / step / step;
    Ok(Verified {
        objective: unscale(0.5 * error),
        objective_bound: unscale(32.0 * f64::EPSILON * norm_sq),
        relative_error: if norm_sq > 0.0 { (error / norm_sq).sqrt() } else { error.sqrt() },
        explained_variance: if norm_sq > 0.0 { 1.0 - error / norm_sq } else { 1.0 },
        kkt: Kkt { w: w_sums.0, w_zeros: w_sums.1, h: h_sums.0, h_zeros: h_sums.1 },
    })
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

fn wide<T: Scalar>(f: &Factor<T>, step: f64) -> Vec<Vec<f64>> {
    (0..f.rows()).map(|i| f.row(i).iter().map(|v| v.to_f64() * step).collect()).collect()
}

fn largest<T: Scalar>(x: &dyn Matrix<T>) -> Result<f64> {
    let mut largest = 0.0f64;
    x.visit(0..x.shape().0, &mut |range, panel| {
        for at in 0..range.len() {
            panel.for_each(at, &mut |_, v| largest = largest.max(v.to_f64()));
        }
    })?;
    Ok(largest)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn gram(rows: &[Vec<f64>], k: usize) -> Vec<Vec<f64>> {
    let mut gram = vec![vec![0.0; k]; k];
    for row in rows {
        for (sum, s) in gram.iter_mut().zip(row) {
            sum.iter_mut().zip(row).for_each(|(to, t)| *to += s * t);
        }
    }
    gram
}

struct Sides<'a, T: Scalar> {
    x: &'a dyn Matrix<T>,
    /// Factors are multiplied by this power of two and X by its square, to stay in range.
    step: f64,
    w: Vec<Vec<f64>>,
    h: Vec<Vec<f64>>,
    k: usize,
}

impl<T: Scalar> Sides<'_, T> {
    fn entries(&self, mut each: impl FnMut(usize, &[(usize, f64)])) -> Result<()> {
        let rows = self.x.shape().0;
        let mut row_entries = Vec::new();
        self.x.visit(0..rows, &mut |range, panel| {
            for (at, i) in range.enumerate() {
                row_entries.clear();
                panel.for_each(at, &mut |j, v| {
                    row_entries.push((j, v.to_f64() * self.step * self.step));
                });
                each(i, &row_entries);
            }
        })
    }

    /// (‖X − WH‖², ‖X‖²).
    fn error(&self, every_entry: bool) -> Result<(f64, f64)> {
        let gram = gram(&self.h, self.k);
        let (mut error, mut norm_sq) = (0.0, 0.0);
        let mut fitted = vec![0.0; if every_entry { self.h.len() } else { 0 }];
        self.entries(|i, entries| {
            let w = &self.w[i];
            let mut row = 0.0;
            if every_entry {
                fitted.iter_mut().zip(&self.h).for_each(|(p, h)| *p = dot(w, h));
                for &(j, x) in entries {
                    fitted[j] -= x;
                }
                row += dot(&fitted, &fitted);
            } else {
                row += w.iter().zip(&gram).map(|(w_s, g)| w_s * dot(w, g)).sum::<f64>();
                row +=
                    entries.iter().map(|&(j, x)| x * (x - 2.0 * dot(w, &self.h[j]))).sum::<f64>();
            }
            error += row;
            norm_sq += entries.iter().map(|&(_, x)| x * x).sum::<f64>();
        })?;
        Ok((error.max(0.0), norm_sq))
    }

    /// (ρ, η) of W and of H.
    fn kkt(&self) -> Result<((f64, f64), (f64, f64))> {
        let mut num_w = vec![vec![0.0; self.k]; self.w.len()];
        let mut num_h = vec![vec![0.0; self.k]; self.h.len()];
        self.entries(|i, entries| {
            for &(j, x) in entries {
                for t in 0..self.k {
                    num_w[i][t] += x * self.h[j][t];
                    num_h[j][t] += x * self.w[i][t];
                }
            }
        })?;
        let of_w = residual(&self.w, &num_w, &gram(&self.h, self.k), f64::ROUNDOFF);
        let of_h = residual(&self.h, &num_h, &gram(&self.w, self.k), f64::ROUNDOFF);
        Ok((of_w, of_h))
    }
}

/// ρ = Σ F∘Den∘|1 − Num/Den| / Σ F∘Den and η = max over zeros of (Num/Den − 1)₊, Den = F·G.
fn residual(f: &[Vec<f64>], num: &[Vec<f64>], gram: &[Vec<f64>], roundoff: f64) -> (f64, f64) {
    let (mut slack, mut scale, mut zeros) = (0.0, 0.0, 0.0f64);
    for (f, num) in f.iter().zip(num) {
        let zero = roundoff * f.iter().fold(0.0, |a: f64, &b| a.max(b));
        for (t, (&value, &num)) in f.iter().zip(num).enumerate() {
            let den = dot(f, &gram[t]);
            slack += value * (num - den).abs();
            scale += value * den;
            if value <= zero && num > den {
                zeros = zeros.max(if den > 0.0 { num / den - 1.0 } else { f64::INFINITY });
            }
        }
    }
    (if slack == 0.0 { 0.0 } else { slack / scale }, zeros)
}
