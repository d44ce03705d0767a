//! W for given H: the exact non-negative least squares fit, row by row.

use super::batch::gram_wide;
use super::options::check_factor;
use super::run_in_pool;
use crate::error::{Error, Result};
use crate::factor::Factor;
use crate::matrix::{Input, Matrix, Plan, Scaled, Scan, Side, Workspace, half_exponent, pass};
use crate::scalar::Scalar;
use crate::update::{Bpp, Gram, Update};

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

/// The exact W of X and H, both checked by the caller.
pub(crate) fn rows_given<T: Scalar>(x: &dyn Matrix<T>, h: &Factor<T>) -> Result<Factor<T>> {
    let (rows, cols) = x.shape();
    let k = h.cols();
    let plan = Plan::new(x, k);
    let mut workspace = Workspace::new(&plan, cols, k);
    let gram = Gram::new(k, gram_wide(h.view()));
    let solver = Bpp.prepare(&gram);
    let mut w = Factor::zeros(rows, k);
    let ends = plan.ends();
    let starts = std::iter::once(0).chain(ends.iter().copied());
    let mut bins: Vec<_> = w.view_mut().split_rows(&ends).into_iter().zip(starts).collect();
    pass(x, &plan, &mut workspace, h.view(), None, &mut bins, &|(bin, start), block| {
        let at = block.rows.start - *start;
        solver.improve(&mut bin.slice(at..at + block.rows.len()), block.b);
    })?;
    drop(bins);
    Ok(w)
}

/// The exact H of X and W, both checked by the caller: one read of X for C = XᵀW.
pub(crate) fn columns_given<T: Scalar>(x: &dyn Matrix<T>, w: &Factor<T>) -> Result<Factor<T>> {
    let (_, cols) = x.shape();
    let k = w.cols();
    let plan = Plan::new(x, k);
    let mut workspace = Workspace::new(&plan, cols, k);
    let mut h = Factor::zeros(cols, k);
    let mut c = Factor::zeros(cols, k);
    let mut bins = vec![(); plan.bins().len()];
    pass(x, &plan, &mut workspace, h.view(), Some(&mut c), &mut bins, &|(), mut block| {
        block.out.copy_from(w.view().slice(block.rows));
    })?;
    let gram = Gram::new(k, gram_wide(w.view()));
    Bpp.prepare(&gram).improve(&mut h.view_mut(), c.view());
    Ok(h)
}
