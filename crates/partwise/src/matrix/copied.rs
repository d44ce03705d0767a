//! A copy of X times its weights, for passes that read it many times.

use super::csr::arrays;
use super::{Csr, Dense, Layout, Matrix, Observed, Order, Plan};
use crate::error::Result;
use crate::factor::ViewMut;
use crate::memory;
use crate::scalar::Scalar;
use crate::threads;
use std::ops::Range;

impl<T: Scalar> Observed<'_, T> {
    /// A copy of the weighed entries.
    ///
    /// # Errors
    /// What the source of X reports.
    pub(crate) fn copied(&self) -> Result<Box<dyn Matrix<T>>> {
        Ok(match self.layout() {
            Layout::Dense => Box::new(self.copied_dense()?),
            Layout::Listed { .. } => Box::new(self.copied_listed()?),
        })
    }

    fn copied_dense(&self) -> Result<Dense<'static, T>> {
        let (rows, cols) = self.shape();
        let plan = Plan::new(self, 1);
        let mut values = memory::filled("a copy of X", rows * cols, T::ZERO)?;
        let bins = ViewMut::new(&mut values, rows, cols, cols).split_rows(&plan.ends());
        let fill = |(blocks, mut out): (&Vec<Range<usize>>, ViewMut<'_, T>)| -> Result<()> {
            let start = blocks.first().map_or(0, |rows| rows.start);
            blocks.iter().try_for_each(|rows| {
                self.visit(rows.clone(), &mut |rows, panel| {
                    let here = rows.start - start..rows.end - start;
                    panel.copy_rows(0, &mut out.slice(here));
                })
            })
        };
        let parts = plan.bins().iter().zip(bins);
        threads::map(parts, plan.is_serial(), fill).into_iter().collect::<Result<()>>()?;
        Dense::new(rows, cols, Order::RowMajor, values)
    }

    fn copied_listed(&self) -> Result<Csr<'static, T>> {
        let parts = self.in_parts(|part: &mut Rows<T>, block| {
            block.weigh();
            for at in 0..block.rows.len() {
                let values = block.entries(at).0;
                part.lengths.push(values.len());
                part.values.extend_from_slice(values);
            }
            part.indices.extend_from_slice(&block.indices);
        })?;
        let stored = parts.iter().map(|part| part.values.len()).sum();
        let (mut indptr, mut indices, mut values) = arrays(self.shape().0, stored)?;
        for part in parts {
            let mut end = values.len();
            indptr.extend(part.lengths.iter().map(|length| {
                end += length;
                end
            }));
            indices.extend_from_slice(&part.indices);
            values.extend_from_slice(&part.values);
        }
        Csr::new(self.shape(), &indptr, indices, values)
    }
}

/// Some rows, one after the other.
#[derive(Default)]
struct Rows<T> {
    lengths: Vec<usize>,
    indices: Vec<u32>,
    values: Vec<T>,
}
