//! What tells the entries of X from those of any other matrix.

use super::{Input, Matrix, Plan, Side};
use crate::error::Result;
use crate::factor::Factor;
use crate::scalar::Scalar;
use crate::threads;
use std::ops::Range;

/// A digest of the entries of X. It is the same however X is stored, with stored zeros or without, in
/// either precision that holds the values. Another X has another digest but by a chance of 2⁻⁶⁴; it is no
/// protection against whoever makes an X for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Digest {
    /// Σ over all entries that are not zero of a mix of row, column and value, modulo 2⁶⁴.
    pub mix: u64,
    /// Entries that are numbers other than zero.
    pub nonzero: usize,
    /// Entries that are NaN.
    pub nan: usize,
}

/// Dense rows that are copied at a time.
const COPIED: usize = 16;

impl Digest {
    /// Reads every entry of X once: about 1 ns for each that is not zero, with one thread.
    ///
    /// # Errors
    /// What the source of X reports.
    pub fn of<T: Scalar>(x: &Input<'_, T>) -> Result<Self> {
        // A sparse X as it lies, without a copy.
        let side = if x.kind() == "csc" { Side::Columns } else { Side::Rows };
        let by_side = x.by(side);
        let matrix: &dyn Matrix<T> = &*by_side;
        let dense = !x.is_sparse();
        let keys = |side: Side| {
            let stream = if side == Side::Rows { ROWS } else { COLUMNS };
            move |at: usize| scrambled(at as u64 ^ stream)
        };
        let along = keys(side);
        let (_, cols) = matrix.shape();
        let across: Vec<u64> = (0..cols).map(keys(side.opposite())).collect();
        let plan = Plan::by_rows(matrix, 1);
        let part = |blocks: &Vec<Range<usize>>| -> Result<Self> {
            let mut digest = Self::default();
            let mut copy = Factor::<T>::zeros(if dense { COPIED } else { 0 }, cols);
            let mut list = (Vec::new(), Vec::new());
            for block in blocks {
                matrix.visit(block.clone(), &mut |range, panel| {
                    for (at, row) in range.clone().enumerate() {
                        let key = along(row);
                        if dense && panel.is_dense() {
                            if at % COPIED == 0 {
                                let there = COPIED.min(range.len() - at);
                                panel.copy_rows(at, &mut copy.view_mut().slice(0..there));
                            }
                            let values = copy.row(at % COPIED);
                            values.iter().zip(&across).for_each(|(&v, &k)| digest.add(v, key, k));
                        } else {
                            list.0.clear();
                            list.1.clear();
                            panel.for_each(at, &mut |j, v| {
                                list.0.push(j);
                                list.1.push(v);
                            });
                            let entries = list.0.iter().zip(&list.1);
                            entries
                                .for_each(|(&j, &v): (&usize, &T)| digest.add(v, key, across[j]));
                        }
                    }
                })?;
            }
            Ok(digest)
        };
        let mut digest = Self::default();
        for part in threads::map(plan.bins().iter(), plan.is_serial(), part) {
            let Self { mix, nonzero, nan } = part?;
            digest.mix = digest.mix.wrapping_add(mix);
            digest.nonzero += nonzero;
            digest.nan += nan;
        }
        Ok(digest)
    }

    #[inline]
    fn add<T: Scalar>(&mut self, value: T, along: u64, across: u64) {
        let value = value.to_f64();
        if value == 0.0 {
            return;
        }
        // Rows and columns come in either order.
        let place = along.wrapping_add(across);
        let place = folded(place ^ SALT, along.wrapping_mul(across) | 1);
        let is_nan = value.is_nan();
        let bits = if is_nan { f64::NAN.to_bits() } else { value.to_bits() };
        self.mix = self.mix.wrapping_add(folded(bits ^ place, SALT));
        self.nan += usize::from(is_nan);
        self.nonzero += usize::from(!is_nan);
    }
}

/// Digits of π: constants that nobody chose.
const SALT: u64 = 0x243f_6a88_85a3_08d3;
const ROWS: u64 = 0x1319_8a2e_0370_7344;
const COLUMNS: u64 = 0xa409_3822_299f_31d0;

/// Both halves of the product.
#[inline]
fn folded(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ (product >> 64) as u64
}

/// SplitMix64 (Steele, Lea & Flood 2014, <https://doi.org/10.1145/2714064.2660195>).
fn scrambled(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
