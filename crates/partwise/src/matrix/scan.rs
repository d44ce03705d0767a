//! One look at every entry of X before anything is computed from it.

use super::{Matrix, Plan};
use crate::error::{Error, Result};
use crate::factor::Factor;
use crate::kernel::look::look;
use crate::scalar::Scalar;
use crate::threads;
use std::ops::Range;

/// What one look at X finds: range, norm, zero rows and columns, and entries that NMF cannot have.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scan {
    /// Largest entry.
    pub max: f64,
    /// Smallest positive entry; 0 if there is none.
    pub min_positive: f64,
    /// Entries above zero.
    pub positive: usize,
    /// Σ x.
    pub sum: f64,
    /// Σ x².
    pub norm_sq: f64,
    /// Σ x² of each row.
    pub row_norm_sq: Vec<f64>,
    /// Whether each row has an entry other than zero.
    pub row_nonzero: Vec<bool>,
    /// Whether each column has an entry other than zero.
    pub col_nonzero: Vec<bool>,
    /// Entries below zero: how many, the first and the most negative with row and column.
    pub negative: Option<(usize, Entry, Entry)>,
    /// Entries that are NaN or infinite: how many, and the first.
    pub not_finite: Option<(usize, Entry)>,
}

/// Dense rows are copied before they are looked at: as many as stay in a first-level cache, but enough
/// for a copy by squares.
const COPIED: usize = 1 << 12;
const AT_LEAST: usize = 16;

/// Row, column, value.
pub type Entry = (usize, usize, f64);

impl Scan {
    /// Looks at every entry of `x`.
    ///
    /// # Errors
    /// What the source of X reports.
    pub fn of<T: Scalar>(x: &dyn Matrix<T>) -> Result<Self> {
        let plan = Plan::new(x, 1);
        let (rows, cols) = x.shape();
        let look = |blocks: &Vec<Range<usize>>| -> Result<Self> {
            let mut part = Self { col_nonzero: vec![false; cols], ..Self::default() };
            let few = AT_LEAST.max(COPIED.div_ceil(cols.max(1)));
            // Of a row of sparse X there may be no room for what it does not store.
            let mut copy: Option<Factor<T>> = None;
            for block in blocks {
                x.visit(block.clone(), &mut |range, panel| {
                    for (i, row) in range.clone().enumerate() {
                        part.begin_row();
                        let seen = panel.is_dense() && {
                            let copy = copy.get_or_insert_with(|| Factor::zeros(few, cols));
                            if i % few == 0 {
                                let there = few.min(range.len() - i);
                                panel.copy_rows(i, &mut copy.view_mut().slice(0..there));
                            }
                            part.glance(copy.row(i % few))
                        };
                        if !seen {
                            panel.for_each(i, &mut |col, x| part.entry(row, col, x.to_f64()));
                        }
                        part.end_row();
                    }
                })?;
            }
            Ok(part)
        };
        let mut scan = Self { col_nonzero: vec![false; cols], ..Self::default() };
        scan.row_norm_sq.reserve(rows);
        for part in threads::map(plan.bins().iter(), plan.is_serial(), look) {
            scan.merge(part?);
        }
        Ok(scan)
    }

    /// Whether NMF can take X as it is.
    ///
    /// # Errors
    /// [`Error::NotFinite`] or [`Error::Negative`] with the first place and how many.
    pub fn check(&self) -> Result<()> {
        if let Some((count, (row, col, value))) = self.not_finite {
            return Err(Error::NotFinite { row, col, value, count });
        }
        if let Some((count, (row, col, value), (most_row, most_col, most))) = self.negative {
            return Err(Error::Negative { row, col, value, count, most, most_row, most_col });
        }
        Ok(())
    }

    /// Swaps the meaning of row and column.
    #[must_use]
    pub fn transposed(mut self) -> Self {
        let swap = |(i, j, v): Entry| (j, i, v);
        self.negative = self.negative.map(|(n, first, most)| (n, swap(first), swap(most)));
        self.not_finite = self.not_finite.map(|(n, first)| (n, swap(first)));
        std::mem::swap(&mut self.row_nonzero, &mut self.col_nonzero);
        self
    }

    fn begin_row(&mut self) {
        self.row_norm_sq.push(0.0);
        self.row_nonzero.push(false);
    }

    /// Takes a row as a whole, unless it has what needs its place.
    fn glance<T: Scalar>(&mut self, values: &[T]) -> bool {
        let Some(seen) = look(values, &mut self.col_nonzero) else { return false };
        self.max = self.max.max(seen.max);
        if seen.positive > 0 {
            self.extend_min(seen.min_positive);
        }
        self.positive += seen.positive;
        self.sum += seen.sum;
        if let Some(norm) = self.row_norm_sq.last_mut() {
            *norm = seen.norm_sq;
        }
        if let Some(nonzero) = self.row_nonzero.last_mut() {
            *nonzero = seen.positive > 0;
        }
        true
    }

    /// Another positive entry that may be the smallest.
    fn extend_min(&mut self, value: f64) {
        if self.min_positive == 0.0 || value < self.min_positive {
            self.min_positive = value;
        }
    }

    #[inline]
    fn entry(&mut self, row: usize, col: usize, value: f64) {
        if value > 0.0 && value < f64::INFINITY {
            self.max = self.max.max(value);
            self.extend_min(value);
            self.positive += 1;
            self.sum += value;
            if let Some(norm) = self.row_norm_sq.last_mut() {
                *norm += value * value;
            }
            if let Some(nonzero) = self.row_nonzero.last_mut() {
                *nonzero = true;
            }
            self.col_nonzero[col] = true;
        } else if value != 0.0 {
            self.refused((row, col, value));
        }
    }

    fn refused(&mut self, entry: Entry) {
        if entry.2.is_finite() {
            let (count, first, most) = self.negative.unwrap_or((0, entry, entry));
            let most = if entry.2 < most.2 { entry } else { most };
            self.negative = Some((count + 1, first, most));
        } else {
            let (count, first) = self.not_finite.unwrap_or((0, entry));
            self.not_finite = Some((count + 1, first));
        }
    }

    fn end_row(&mut self) {
        self.norm_sq += self.row_norm_sq.last().copied().unwrap_or(0.0);
    }

    /// Adds what was found in the rows that follow.
    fn merge(&mut self, next: Self) {
        self.max = self.max.max(next.max);
        if next.min_positive > 0.0 {
            self.extend_min(next.min_positive);
        }
        self.positive += next.positive;
        self.sum += next.sum;
        self.norm_sq += next.norm_sq;
        self.row_norm_sq.extend(next.row_norm_sq);
        self.row_nonzero.extend(next.row_nonzero);
        for (to, from) in self.col_nonzero.iter_mut().zip(next.col_nonzero) {
            *to |= from;
        }
        self.negative = match (self.negative, next.negative) {
            (Some((n, first, most)), Some((p, _, other))) => {
                Some((n + p, first, if other.2 < most.2 { other } else { most }))
            }
            (found, None) => found,
            (None, found) => found,
        };
        self.not_finite = match (self.not_finite, next.not_finite) {
            (Some((n, first)), Some((p, _))) => Some((n + p, first)),
            (found, None) => found,
            (None, found) => found,
        };
    }
}
