//! What tells the entries of X from those of any other matrix.

use super::{Input, Matrix, Panel, Plan, Side};
use crate::error::Result;
use crate::factor::Factor;
use crate::rng::scrambled;
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
        let across: Vec<u64> = (0..matrix.shape().1).map(|j| key(side.opposite(), j)).collect();
        let plan = Plan::by_rows(matrix, 1);
        let part = |blocks: &Vec<Range<usize>>| -> Result<Self> {
            let mut part = Self::default();
            let mut room = Room { rows: Factor::zeros(0, across.len()), list: Default::default() };
            for block in blocks {
                let mut add = |range: Range<usize>, panel: &dyn Panel<T>| {
                    part.add_rows((range, panel), (side, &across), &mut room);
                };
                matrix.visit(block.clone(), &mut add)?;
            }
            Ok(part)
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

    /// Adds some rows of the `side` of X; `across` are the keys of the other one.
    fn add_rows<T: Scalar>(
        &mut self,
        (range, panel): (Range<usize>, &dyn Panel<T>),
        (side, across): (Side, &[u64]),
        room: &mut Room<T>,
    ) {
        let (height, first) = (range.len(), range.start);
        for at in 0..height {
            let along = key(side, first + at);
            let place = |across| match side {
                Side::Rows => (along, across),
                Side::Columns => (across, along),
            };
            if panel.is_dense() {
                if at % COPIED == 0 {
                    let there = COPIED.min(height - at);
                    room.rows.reshape(COPIED, across.len());
                    panel.copy_rows(at, &mut room.rows.view_mut().slice(0..there));
                }
                let entries = room.rows.row(at % COPIED).iter().zip(across);
                entries.for_each(|(&v, &key)| self.add(v, place(key)));
            } else {
                let (columns, values) = &mut room.list;
                columns.clear();
                values.clear();
                panel.copy_listed(at, columns, values);
                let entries = values.iter().zip(&*columns);
                entries.for_each(|(&v, &j)| self.add(v, place(across[j as usize])));
            }
        }
    }

    #[inline]
    fn add<T: Scalar>(&mut self, value: T, (row, col): (u64, u64)) {
        let value = value.to_f64();
        if value == 0.0 {
            return;
        }
        let is_nan = value.is_nan();
        let bits = if is_nan { f64::NAN.to_bits() } else { value.to_bits() };
        self.mix = self.mix.wrapping_add(folded(folded(bits ^ row, col), SALT));
        self.nan += usize::from(is_nan);
        self.nonzero += usize::from(!is_nan);
    }
}

/// What rows are copied to.
struct Room<T> {
    rows: Factor<T>,
    list: (Vec<u32>, Vec<T>),
}

/// What stands for a row or a column.
fn key(side: Side, at: usize) -> u64 {
    let stream = if side == Side::Rows { ROWS } else { COLUMNS };
    scrambled((at as u64 ^ stream).wrapping_add(SALT))
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
