//! Rows of numbers as they come: dense, or sparse while most of them are zero.

use crate::error::Error;
use crate::memory::{Budget, reserve};
use crate::notice::Notice;
use crate::numbers::Numbers;
use crate::table::{Layout, Order, Table, Values};

/// A table is kept sparse where at most one entry in so many is not zero: below a tenth, a fit of
/// sparse X is the faster one, and it takes a fifth of the memory …
const SPARSE: u64 = 10;
/// … and where it has at least so many entries. Smaller ones fit into the cache either way.
const LARGE: u64 = 1 << 16;
/// What is sparse so far becomes dense again beyond twice that share.
const DENSE: u64 = 5;

/// What is known about the rows read so far.
pub(super) struct Gather {
    cols: usize,
    rows: usize,
    nonzero: u64,
    may_be_sparse: bool,
    budget: Budget,
    store: Store,
}

enum Store {
    Dense(Vec<f64>),
    Sparse { indptr: Vec<u64>, indices: Vec<u32>, values: Vec<f64>, col: u32 },
}

impl Gather {
    pub(super) fn new(cols: usize, may_be_sparse: bool, budget: Budget) -> Self {
        let may_be_sparse = may_be_sparse && u32::try_from(cols).is_ok();
        Self { cols, rows: 0, nonzero: 0, may_be_sparse, budget, store: Store::Dense(Vec::new()) }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    fn entries(&self) -> u64 {
        self.rows as u64 * self.cols as u64
    }

    /// Whether the rows so far should be kept sparse, one entry in `share` not being zero.
    fn is_sparse(&self, share: u64) -> bool {
        self.may_be_sparse && self.entries() >= LARGE && self.nonzero <= self.entries() / share
    }

    /// Makes room for a row.
    pub(super) fn begin(&mut self) -> Result<(), Error> {
        let full = match &self.store {
            Store::Dense(values) => values.capacity() - values.len() < self.cols,
            Store::Sparse { .. } => false,
        };
        if full && self.is_sparse(SPARSE) {
            self.store = self.sparse()?;
        }
        let (cols, budget) = (self.cols, self.budget);
        match &mut self.store {
            Store::Dense(values) if full => {
                let needed = (values.len() as u128 + cols as u128) * 8;
                budget.check(|| "the matrix".into(), needed)?;
                let more = cols.max(values.len());
                reserve(values, more, "the matrix")
            }
            Store::Dense(_) => Ok(()),
            Store::Sparse { indptr, indices, values, col } => {
                *col = 0;
                if values.capacity() - values.len() < cols {
                    let needed = (values.len() as u128 + cols as u128) * 12;
                    let needed = needed + indptr.len() as u128 * 8;
                    budget.check(|| "the matrix".into(), needed)?;
                    let more = cols.max(values.len() / 2);
                    reserve(indices, more, "the matrix")?;
                    reserve(values, more, "the matrix")?;
                }
                reserve(indptr, 1, "the matrix")
            }
        }
    }

    /// Adds a value to the row.
    #[inline]
    pub(super) fn push(&mut self, value: f64) {
        match &mut self.store {
            Store::Dense(values) => values.push(value),
            Store::Sparse { indices, values, col, .. } => {
                if value != 0.0 {
                    indices.push(*col);
                    values.push(value);
                }
                *col += 1;
            }
        }
    }

    /// Ends the row.
    pub(super) fn end(&mut self) -> Result<(), Error> {
        self.rows += 1;
        match &mut self.store {
            Store::Dense(_) if !self.may_be_sparse => Ok(()),
            Store::Dense(values) => {
                let start = values.len().saturating_sub(self.cols);
                let row = values.get(start..).unwrap_or_default();
                self.nonzero += row.iter().filter(|v| **v != 0.0).count() as u64;
                Ok(())
            }
            Store::Sparse { indptr, values, .. } => {
                self.nonzero = values.len() as u64;
                indptr.push(self.nonzero);
                if self.is_sparse(DENSE) {
                    return Ok(());
                }
                self.store = self.dense()?;
                Ok(())
            }
        }
    }

    /// The rows so far as sparse ones.
    fn sparse(&self) -> Result<Store, Error> {
        let (mut indptr, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
        let Store::Dense(all) = &self.store else {
            return Ok(Store::Sparse { indptr, indices, values, col: 0 });
        };
        let stored = usize::try_from(self.nonzero).unwrap_or(usize::MAX);
        reserve(&mut indptr, self.rows, "the matrix")?;
        reserve(&mut indices, stored, "the matrix")?;
        reserve(&mut values, stored, "the matrix")?;
        for row in all.chunks(self.cols.max(1)) {
            for (col, value) in (0u32..).zip(row).filter(|(_, value)| **value != 0.0) {
                indices.push(col);
                values.push(*value);
            }
            indptr.push(values.len() as u64);
        }
        Ok(Store::Sparse { indptr, indices, values, col: 0 })
    }

    /// The rows so far as dense ones.
    fn dense(&self) -> Result<Store, Error> {
        let mut all = Vec::new();
        let Store::Sparse { indptr, indices, values, .. } = &self.store else {
            return Ok(Store::Dense(all));
        };
        self.budget.check(|| "the matrix".into(), u128::from(self.entries()) * 8)?;
        let entries = usize::try_from(self.entries()).unwrap_or(usize::MAX);
        reserve(&mut all, entries, "the matrix")?;
        all.resize(entries, 0.0);
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        for (row, ends) in all.chunks_mut(self.cols.max(1)).zip(indptr.windows(2)) {
            let (start, end) = (place(ends[0]), place(ends[1]));
            let stored = indices.get(start..end).unwrap_or_default();
            for (col, value) in stored.iter().zip(values.get(start..end).unwrap_or_default()) {
                if let Some(cell) = row.get_mut(*col as usize) {
                    *cell = *value;
                }
            }
        }
        Ok(Store::Dense(all))
    }

    /// The table: sparse if that pays for all of it, whatever was so on the way.
    pub(super) fn into_table(mut self) -> Result<Table, Error> {
        let sparse = self.is_sparse(SPARSE);
        match (&self.store, sparse) {
            (Store::Dense(_), true) => self.store = self.sparse()?,
            (Store::Sparse { .. }, false) => self.store = self.dense()?,
            _ => {}
        }
        let (rows, cols) = (self.rows, self.cols);
        let values = match self.store {
            Store::Dense(values) => {
                Values::Dense { numbers: Numbers::F64(values), order: Order::RowMajor }
            }
            Store::Sparse { indptr, indices, values, .. } => {
                let numbers = Numbers::F64(values);
                Values::Sparse { layout: Layout::Csr, indptr, indices, numbers }
            }
        };
        let mut table = Table::new(rows, cols, values);
        if sparse {
            let share = self.nonzero as f64 / (rows as f64 * cols as f64);
            table.notices.push(Notice::BecameSparse { share });
        }
        Ok(table)
    }
}
