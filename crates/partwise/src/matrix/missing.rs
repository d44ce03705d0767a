//! The places of entries that are missing where all others weigh 1.

use super::{Layout, Matrix, Observations, Observed};
use crate::error::Result;
use crate::kernel::impute::{Pattern, Places};
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

/// Where each row begins in the columns of its missing entries, and these columns, in order.
pub(super) fn missing_lists<T: Scalar>(x: &Observed<'_, T>) -> Result<(Vec<usize>, Vec<u32>)> {
    let Some(mask) = x.mask_alone() else { return x.lists(add_missing) };
    let (mut indptr, mut indices) = (vec![0], Vec::with_capacity(mask.stored()));
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
