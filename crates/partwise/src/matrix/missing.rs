//! The places of entries that are missing where all others weigh 1.

use super::{Layout, Observed, Plan};
use crate::error::Result;
use crate::kernel::impute::Places;
use crate::scalar::Scalar;
use std::ops::Range;

/// Missing entries by rows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Missing {
    indptr: Vec<usize>,
    indices: Vec<u32>,
}

impl Missing {
    /// Of an X whose entries weigh 0 or 1, in which what is not listed is zero.
    ///
    /// # Errors
    /// What the source of X reports.
    pub(crate) fn of<T: Scalar>(x: &Observed<'_, T>) -> Result<Self> {
        let mut missing = Self { indptr: vec![0], indices: Vec::new() };
        let mut block = x.block();
        for range in Plan::new(x, 1).bins().iter().flatten() {
            x.read(range.clone(), &mut block)?;
            for at in 0..range.len() {
                match block.layout {
                    Layout::Dense => {
                        let weights = block.dense_weights.as_ref().map_or(&[][..], |w| w.row(at));
                        let is_missing = |(j, w): (u32, &T)| (*w == T::ZERO).then_some(j);
                        missing.indices.extend((0u32..).zip(weights).filter_map(is_missing));
                    }
                    Layout::Listed { .. } => {
                        let Range { start, end } =
                            block.hidden.indptr[at]..block.hidden.indptr[at + 1];
                        missing.indices.extend_from_slice(&block.hidden.indices[start..end]);
                    }
                }
                missing.indptr.push(missing.indices.len());
            }
        }
        Ok(missing)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.indices.len()
    }

    /// Those of some rows.
    pub(crate) fn rows(&self, rows: Range<usize>) -> Places<'_> {
        Places { indptr: &self.indptr[rows.start..=rows.end], indices: &self.indices }
    }
}
