//! Bases of the columns of a tall factor: what is summed over its rows, and products with small
//! matrices, is in `f64` whatever the factor is in, by all threads and in an order of its own.

use crate::error::Result;
use crate::factor::{Factor, View, ViewMut};
use crate::kernel::cholesky::{PIVOT, factorise_independent, inverse_transposed};
use crate::kernel::dense::{Accum, Strided, gram as add_gram, product};
use crate::matrix::{Matrix, is_serial};
use crate::scalar::Scalar;
use crate::threads;
use std::ops::Range;

/// Rows that are copied to `f64` at once: with 32 columns they fill an eighth of a second-level cache. Also the rows
/// between two looks at the clock.
pub(super) const CHUNK: usize = 256;
/// Parts that threads share, at most: as many as the bins of a pass.
const PARTS: usize = 64;
/// Rows of a part for each column: its k×k sums then take at most a quarter of what its rows do.
const ROWS_PER_COLUMN: usize = 4;

/// The rows of the parts of a factor, by its shape alone.
pub(super) fn parts<T: Scalar>(f: &Factor<T>) -> Vec<Range<usize>> {
    let least = (ROWS_PER_COLUMN * f.cols()).max(f.rows().div_ceil(PARTS));
    let step = least.next_multiple_of(CHUNK);
    (0..f.rows()).step_by(step).map(|from| from..f.rows().min(from + step)).collect()
}

/// What `work` makes of each part of a factor, in their order.
pub(super) fn of_parts<T: Scalar, R: Send>(
    f: &Factor<T>,
    work: impl Fn(Range<usize>) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let serial = is_serial(f.rows() * f.cols(), f.cols());
    threads::map(parts(f).into_iter(), serial, work).into_iter().collect()
}

/// `work(place of a part, its rows)` for each part of a factor that is written to.
pub(super) fn write_parts<T: Scalar>(
    f: &mut Factor<T>,
    work: impl Fn(usize, ViewMut<'_, T>) -> Result<()> + Sync,
) -> Result<()> {
    let (serial, parts) = (is_serial(f.rows() * f.cols(), f.cols()), parts(f));
    let ends: Vec<usize> = parts.iter().map(|part| part.end).collect();
    let rows = parts.iter().map(|part| part.start).zip(f.view_mut().split_rows(&ends));
    let rows: Vec<_> = rows.collect();
    threads::map(rows.into_iter(), serial, |(from, rows)| work(from, rows)).into_iter().collect()
}

/// FᵀF, k×k, while there is time to read `x`.
pub(super) fn gram<T: Scalar>(x: &dyn Matrix<T>, f: &Factor<T>) -> Result<Factor<f64>> {
    let k = f.cols();
    let sums = of_parts(f, |rows| {
        let mut sum = Factor::<f64>::zeros(k, k);
        in_chunks(x, f.view().slice(rows), |_, chunk| {
            add_gram(chunk, &mut sum.view_mut(), Accum::Add);
        })?;
        Ok(sum)
    })?;
    let mut total = Factor::zeros(k, k);
    sums.iter().for_each(|sum| total.add(sum));
    Ok(total)
}

/// F·Z for a small Z.
pub(super) fn times<T: Scalar>(
    x: &dyn Matrix<T>,
    f: &Factor<T>,
    z: &Factor<f64>,
) -> Result<Factor<T>> {
    let mut out = Factor::zeros(f.rows(), z.cols());
    write_parts(&mut out, |from, mut out| {
        let mut wide = Factor::<f64>::zeros(CHUNK.min(out.rows()), z.cols());
        in_chunks(x, f.view().slice(from..from + out.rows()), |at, chunk| {
            let mut wide = wide.view_mut();
            let mut wide = wide.slice(0..chunk.rows());
            product(Strided::of(chunk), z.view(), &mut wide, Accum::Replace);
            for i in 0..chunk.rows() {
                let row = out.row_mut(at + i).iter_mut().zip(wide.row(i));
                row.for_each(|(to, &v)| *to = T::from_f64(v));
            }
        })
    })?;
    Ok(out)
}

/// Calls `work(first row, rows)` with copies of a few rows at a time.
fn in_chunks<T: Scalar>(
    x: &dyn Matrix<T>,
    f: View<'_, T>,
    mut work: impl FnMut(usize, View<'_, f64>),
) -> Result<()> {
    let mut copy = Factor::<f64>::zeros(CHUNK.min(f.rows()), f.cols());
    for at in (0..f.rows()).step_by(CHUNK) {
        x.go_on()?;
        let rows = CHUNK.min(f.rows() - at);
        for i in 0..rows {
            let row = copy.row_mut(i).iter_mut().zip(f.row(at + i));
            row.for_each(|(to, v)| *to = v.to_f64());
        }
        work(at, copy.view().slice(0..rows));
    }
    Ok(())
}

/// Z, upper triangular, for which the columns of F·Z are orthonormal, from the Gram matrix of F: each is
/// what of a column of F is not along those before it. Zero for columns that depend on those.
///
/// Beside it the least share of its squared length that a column keeps.
pub(super) fn independent(gram: &Factor<f64>) -> (Factor<f64>, f64) {
    let k = gram.cols();
    // To columns of length 1, so that no column counts as dependent for being short.
    let length = |t: usize| gram.get(t, t).sqrt();
    let scale: Vec<f64> =
        (0..k).map(length).map(|length| if length > 0.0 { length.recip() } else { 0.0 }).collect();
    let entry = |(s, t): (usize, usize)| gram.get(s, t) * scale[s] * scale[t];
    let mut l: Vec<f64> = (0..k * k).map(|at| entry((at / k, at % k))).collect();
    let least = factorise_independent(&mut l, k);
    let mut inverse = inverse_transposed(&l, k);
    for (row, scale) in inverse.chunks_exact_mut(k.max(1)).zip(&scale) {
        row.iter_mut().for_each(|v| *v *= scale);
    }
    (Factor::from_rows(k, k, &inverse), least)
}

/// The share that a column keeps at least where rounding takes no more than 1e-4 of it.
pub(super) fn steep<T: Scalar>() -> f64 {
    (10.0 * PIVOT).max((1e4 * T::ROUNDOFF).powi(2))
}
