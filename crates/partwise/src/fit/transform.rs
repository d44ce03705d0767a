//! W for given H: every row's own minimum, to the end.

use super::options::check_factor;
use super::run_in_pool;
use crate::error::{Error, Result};
use crate::factor::Factor;
use crate::loss::Loss;
use crate::matrix::{Input, Scaled, Scan, Side, half_exponent};
use crate::penalty::Penalty;
use crate::project::rows_given;
use crate::scalar::Scalar;

/// How [`transform`] fits rows to a given H.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transform {
    /// What is minimised.
    pub loss: Loss,
    /// What the entries of W are charged.
    pub penalty: Penalty,
    /// As in [`Options`](crate::Options).
    pub threads: usize,
}

impl Default for Transform {
    fn default() -> Self {
        Self { loss: Loss::FROBENIUS, penalty: Penalty::NONE, threads: 0 }
    }
}

/// W ≥ 0 that minimises the loss of X against WHᵀ, and the penalty, for H as a fit returned it
/// (stored tall, n×k).
///
/// A function of the row alone: a row of X gives the same bits by itself, in a batch, and in any
/// order. Exact under the Frobenius loss.
///
/// # Errors
/// [`Error::Shape`] if X has not as many columns as H has rows, and what [`fit`](crate::fit())
/// refuses of X.
pub fn transform<'a, T: Scalar>(
    x: impl Into<Input<'a, T>>,
    h: &Factor<T>,
    options: &Transform,
) -> Result<Factor<T>> {
    let input = x.into();
    let (rows, cols) = input.shape();
    if rows == 0 || cols == 0 {
        return Err(Error::Empty { rows, cols });
    }
    if cols != h.rows() {
        let (what, found_rows, found_cols) = ("X", rows, cols);
        return Err(Error::Shape { what, found_rows, found_cols, rows, cols: h.rows() });
    }
    check_factor("H", Some(h), cols, h.cols())?;
    options.penalty.check(["w_l1", "w_l2"])?;
    run_in_pool(options.threads, || {
        let by_rows = input.by(Side::Rows);
        let scan = Scan::of(&*by_rows)?;
        scan.check()?;
        let largest = h.as_slice().iter().fold(0.0f64, |a, v| a.max(v.to_f64()));
        let (x_half, h_half) = (half_exponent(scan.max), half_exponent(largest));
        let mut h = h.clone();
        h.scale_by_power(-2 * h_half);
        let penalty = options.penalty.in_scales((2 * x_half, 2 * (x_half - h_half)), 2.0);
        let mut w = rows_given(&Scaled::new(&*by_rows, x_half), &h, penalty)?;
        // X·2^(−2·x_half) was fitted by H·2^(−2·h_half).
        w.scale_by_power(2 * (x_half - h_half));
        Ok(w)
    })
}
