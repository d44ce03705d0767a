//! The places of entries that are missing where all others weigh 1.

use super::residual::Residual;
use super::{Layout, Matrix, Observations, Observed, Panel, Visitor};
use crate::error::Result;
use crate::factor::{View, ViewMut};
use crate::kernel::impute::{Pattern, Places};
use crate::memory;
use crate::scalar::Scalar;
use std::ops::Range;

/// Missing entries by rows.
#[derive(Debug, Clone)]
pub(crate) struct Missing(Pattern);

impl Missing {
    /// Of an X whose entries weigh 0 or 1, in which what is not listed is zero.
    ///
    /// # Errors
    /// What the source of X reports.
    pub(crate) fn of<T: Scalar>(x: &Observed<'_, T>) -> Result<Self> {
        let (indptr, indices) = missing_lists(x)?;
        Ok(Self(Pattern::new(indptr, indices, x.shape().1)))
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Those of some rows.
    pub(crate) fn rows(&self, rows: Range<usize>) -> Places<'_> {
        self.0.rows(rows)
    }
}

/// X whose missing entries are 0: products take them for that, residuals leave them out.
pub(crate) struct Incomplete<'a, T: Scalar> {
    x: Box<dyn Matrix<T> + 'a>,
    missing: &'a Missing,
}

impl<'a, T: Scalar> Incomplete<'a, T> {
    pub(crate) fn new(x: Box<dyn Matrix<T> + 'a>, missing: &'a Missing) -> Self {
        Self { x, missing }
    }
}

impl<T: Scalar> Matrix<T> for Incomplete<'_, T> {
    fn shape(&self) -> (usize, usize) {
        self.x.shape()
    }
    fn stored_before(&self, row: usize) -> usize {
        self.x.stored_before(row)
    }
    fn visit(&self, rows: Range<usize>, work: &mut Visitor<'_, T>) -> Result<()> {
        self.x.visit(rows, &mut |range, panel| {
            let places = self.missing.rows(range.clone());
            work(range, &IncompletePanel { panel, places });
        })
    }
    fn go_on(&self) -> Result<()> {
        self.x.go_on()
    }
}

/// Some of its rows.
struct IncompletePanel<'a, T: Scalar> {
    panel: &'a dyn Panel<T>,
    places: Places<'a>,
}

impl<T: Scalar> Panel<T> for IncompletePanel<'_, T> {
    fn product(&self, f: View<'_, T>, out: &mut ViewMut<'_, T>) {
        self.panel.product(f, out);
    }

    fn add_transposed(&self, f: View<'_, T>, c: &mut ViewMut<'_, T>) {
        self.panel.add_transposed(f, c);
    }

    fn residual_sq(&self, w: View<'_, T>, h: View<'_, T>, h_gram: &[f64], unit: f64) -> f64 {
        let residual = Residual { w, h, unit, missing: &|i| self.places.columns(i) };
        if self.is_dense() {
            residual.by_products(self.panel)
        } else {
            residual.by_sums(self.panel, h_gram)
        }
    }

    fn for_each(&self, row: usize, entry: &mut dyn FnMut(usize, T)) {
        self.panel.for_each(row, entry);
    }

    fn copy_rows(&self, from: usize, out: &mut ViewMut<'_, T>) {
        self.panel.copy_rows(from, out);
    }

    fn is_dense(&self) -> bool {
        self.panel.is_dense()
    }
}

/// Where each row begins in the columns of its missing entries, and these columns, in order.
pub(super) fn missing_lists<T: Scalar>(x: &Observed<'_, T>) -> Result<(Vec<usize>, Vec<u32>)> {
    let Some(mask) = x.mask_alone() else { return x.lists(add_missing) };
    let mut indptr = memory::room("lists of entries", mask.shape().0 + 1)?;
    let mut indices = memory::room("lists of entries", mask.stored())?;
    indptr.push(0);
    for i in 0..mask.shape().0 {
        indices.extend_from_slice(mask.row(i).0);
        indptr.push(indices.len());
    }
    Ok((indptr, indices))
}

/// Appends the columns that are missing in a row of a block.
fn add_missing<T: Scalar>(block: &Observations<T>, row: usize, columns: &mut Vec<u32>) {
    match block.layout {
        Layout::Dense => {
            let weights = block.dense_weights.as_ref().map_or(&[][..], |w| w.row(row));
            let is_missing = |(j, w): (u32, &T)| (*w == T::ZERO).then_some(j);
            columns.extend((0u32..).zip(weights).filter_map(is_missing));
        }
        Layout::Listed { .. } => {
            let Range { start, end } = block.hidden.indptr[row]..block.hidden.indptr[row + 1];
            columns.extend_from_slice(&block.hidden.indices[start..end]);
        }
    }
}
