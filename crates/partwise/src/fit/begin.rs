//! Where a restart begins.

use super::Options;
use super::task::Task;
use crate::error::Result;
use crate::factor::Factor;
use crate::init::Pair;
use crate::kernel::sums::column_sums;
use crate::matrix::{Matrix, Scan, Side, floor_log2};
use crate::penalty::Penalty;
use crate::project::{columns_given, rows_given};
use crate::scalar::Scalar;

impl<T: Scalar> Task<'_, T> {
    /// The start of one restart; rows of a factor whose rows of X are zero begin, and stay, zero.
    pub(super) fn start(&self, matrix: &dyn Matrix<T>, restart: usize) -> Result<Pair<T>> {
        let options = self.options;
        let side = self.streamed.side;
        let made = |seed| {
            let problem = (&self.data.x, side, self.half);
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
        let (a, b) = self.start_units;
        pair.streamed.scale_by_power(a);
        pair.other.scale_by_power(b);
        // A factor that is held fixed stays as it was given, and H until a plain iteration improves it;
        // both, if they are only to be measured.
        let plain = options.plain > 0 && options.max_iter > 0;
        let given = options.w.is_some() && options.h.is_some() && options.max_iter == 0;
        let stays = |of: Side| given || options.fixed == Some(of) || (plain && of == Side::Columns);
        if !stays(side) {
            clear(&mut pair.streamed, &self.scan.row_nonzero);
        }
        if !stays(side.opposite()) {
            clear(&mut pair.other, &self.scan.col_nonzero);
        }
        Ok(pair)
    }
}

/// Exponents by which the streamed and the other factor of a start that was given are brought to the size
/// of the root of X, whose unit is 2^(2·half): 0 unless one of them is so far from it that products of
/// their products leave the range of T. What is held stays; the other one makes up for it.
pub(super) fn start_units<T: Scalar>(options: &Options<T>, side: Side, half: i32) -> (i32, i32) {
    let (Some(w), Some(h)) = (&options.w, &options.h) else { return (0, 0) };
    let size = |f: &Factor<T>| f.as_slice().iter().fold(0.0, |a: f64, v| a.max(v.to_f64()));
    let (w, h) = (size(w), size(h));
    if !(w > 0.0 && h > 0.0) {
        return (0, 0);
    }
    let off = [floor_log2(w) - half, floor_log2(h) - half];
    let far = floor_log2(T::FAR.to_f64()) / 4;
    if off.iter().all(|off| off.abs() <= far) {
        return (0, 0);
    }
    let [w, h] = match options.fixed {
        None => [-off[0], -off[1]],
        Some(Side::Rows) => [0, -off[0] - off[1]],
        Some(Side::Columns) => [-off[0] - off[1], 0],
    };
    if side == Side::Rows { (w, h) } else { (h, w) }
}

fn clear<T: Scalar>(f: &mut Factor<T>, nonzero: &[bool]) {
    for (i, _) in nonzero.iter().enumerate().filter(|(_, n)| !**n) {
        f.row_mut(i).fill(T::ZERO);
    }
}

/// Zeros of a start in rows where X is not zero throughout.
pub(super) fn zeros_in<T: Scalar>(pair: &Pair<T>, scan: &Scan) -> usize {
    let count = |f: &Factor<T>, nonzero: &[bool]| -> usize {
        let rows = nonzero.iter().enumerate().filter(|(_, n)| **n);
        rows.map(|(i, _)| f.row(i).iter().filter(|v| **v == T::ZERO).count()).sum()
    };
    count(&pair.streamed, &scan.row_nonzero) + count(&pair.other, &scan.col_nonzero)
}

/// Raises zeros of a factor in rows where X is not zero throughout to a roundoff of the largest entry
/// of their row, and rows of zeros to the mean: how many there were.
pub(super) fn raise_all<T: Scalar>(f: &mut Factor<T>, nonzero: &[bool]) -> usize {
    let sum: f64 = column_sums(f.view(), None).iter().sum();
    let mean = T::from_f64(sum / (f.rows() * f.cols()) as f64);
    let mut count = raise(f);
    for (i, _) in nonzero.iter().enumerate().filter(|(_, n)| **n) {
        let row = f.row_mut(i);
        if row.iter().all(|v| *v == T::ZERO) {
            row.fill(mean);
            count += row.len();
        }
    }
    count
}

/// Raises zeros of a factor to a roundoff of the largest entry of their row, which counts as zero but lets
/// a multiplicative rule leave it: how many there were in rows that are not zero throughout.
pub(super) fn raise<T: Scalar>(f: &mut Factor<T>) -> usize {
    let mut count = 0;
    for i in 0..f.rows() {
        let row = f.row_mut(i);
        let largest = row.iter().fold(T::ZERO, |a, &b| Scalar::max(a, b));
        if largest == T::ZERO {
            continue;
        }
        for value in row.iter_mut().filter(|v| **v == T::ZERO) {
            *value = T::from_f64(f64::ROUNDOFF) * largest;
            count += 1;
        }
    }
    count
}
