//! W for given H: the exact non-negative least squares fit, row by row.

use super::options::check_factor;
use super::run_in_pool;
use crate::error::{Error, Result};
use crate::factor::Factor;
use crate::matrix::{Input, Scaled, Scan, Side, half_exponent};
use crate::project::rows_given;
use crate::scalar::Scalar;

/// W ≥ 0 that minimises ‖X − WHᵀ‖ for H as a fit returned it (stored tall, n×k).
///
/// Exact, and a function of the row alone: a row of X gives the same bits by itself, in a batch,
/// and in any order. `threads` as in [`Options`](crate::Options).
///
/// # Errors
/// [`Error::Shape`] if X has not as many columns as H has rows, and what [`fit`](crate::fit())
/// refuses of X.
pub fn transform<'a, T: Scalar>(
    x: impl Into<Input<'a, T>>,
    h: &Factor<T>,
    threads: usize,
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
    run_in_pool(threads, || {
        let by_rows = input.by(Side::Rows);
        let scan = Scan::of(&*by_rows)?;
        scan.check()?;
        let largest = h.as_slice().iter().fold(0.0f64, |a, v| a.max(v.to_f64()));
        let (x_half, h_half) = (half_exponent(scan.max), half_exponent(largest));
        let mut h = h.clone();
        h.scale_by_power(-2 * h_half);
        let mut w = rows_given(&Scaled::new(&*by_rows, x_half), &h)?;
        // X·2^(−2·x_half) was fitted by H·2^(−2·h_half).
        w.scale_by_power(2 * (x_half - h_half));
        Ok(w)
    })
}
