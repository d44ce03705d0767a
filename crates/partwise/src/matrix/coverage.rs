//! Which entries of X are observed, line by line.

use super::missing::missing_lists;
use super::{Layout, Matrix, Observations, Observed};
use crate::error::Result;
use crate::memory;
use crate::scalar::Scalar;

/// For every row of X, the columns of its observed entries or of the others, in order.
#[derive(Debug, Clone)]
pub(crate) struct Coverage {
    indptr: Vec<usize>,
    indices: Vec<u32>,
    /// Whether what is listed is missing, and the rest observed.
    lists_missing: bool,
    /// Rows and columns whose own weight is not 0.
    open: (Vec<bool>, Vec<bool>),
}

impl Coverage {
    /// Of the entries of `x` that weigh more than 0.
    ///
    /// # Errors
    /// What the source of X reports.
    pub(crate) fn of<T: Scalar>(x: &Observed<'_, T>) -> Result<Self> {
        let lists_missing = x.layout() != Layout::Listed { zeros: false };
        let (indptr, mut indices) = if lists_missing {
            missing_lists(x)?
        } else {
            x.lists(|block, at, columns| {
                block.for_each_weighed(at, |j, _, _| columns.push(j as u32));
            })?
        };
        for row in 0..indptr.len() - 1 {
            indices[indptr[row]..indptr[row + 1]].sort_unstable();
        }
        let (rows, cols) = x.shape();
        let open = |weights: Option<&[T]>, n: usize| -> Result<Vec<bool>> {
            let mut open = memory::filled("lists of entries", n, true)?;
            let is_open = open.iter_mut().zip(weights.into_iter().flatten());
            is_open.for_each(|(open, &p)| *open = p > T::ZERO);
            Ok(open)
        };
        let open = (open(x.along(), rows)?, open(x.across(), cols)?);
        Ok(Self { indptr, indices, lists_missing, open })
    }

    /// The same by columns.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory).
    pub(crate) fn transposed(&self) -> Result<Self> {
        let what = "lists of entries";
        let mut indptr = memory::filled(what, self.open.1.len() + 1, 0)?;
        self.indices.iter().for_each(|&j| indptr[j as usize + 1] += 1);
        for j in 1..indptr.len() {
            indptr[j] += indptr[j - 1];
        }
        let mut next = memory::copy(what, &indptr)?;
        let mut indices = memory::filled(what, self.indices.len(), 0)?;
        for row in 0..self.open.0.len() {
            for &j in self.list(row) {
                indices[next[j as usize]] = row as u32;
                next[j as usize] += 1;
            }
        }
        let open = (memory::copy(what, &self.open.1)?, memory::copy(what, &self.open.0)?);
        Ok(Self { indptr, indices, lists_missing: self.lists_missing, open })
    }

    fn list(&self, row: usize) -> &[u32] {
        &self.indices[self.indptr[row]..self.indptr[row + 1]]
    }

    /// What is listed of a row, where its own weight is not 0.
    fn listed(&self, row: usize) -> impl Iterator<Item = usize> {
        let list = if self.open.0[row] { self.list(row) } else { &[] };
        list.iter().map(|&j| j as usize).filter(|&j| self.open.1[j])
    }

    /// Whether an entry is observed.
    pub(crate) fn is_observed(&self, row: usize, col: usize) -> bool {
        let is_listed =
            || u32::try_from(col).is_ok_and(|col| self.list(row).binary_search(&col).is_ok());
        self.open.0[row] && self.open.1[col] && is_listed() != self.lists_missing
    }

    fn rows(&self) -> usize {
        self.open.0.len()
    }

    /// Observed entries of every row.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory).
    pub(crate) fn counts(&self) -> Result<Vec<usize>> {
        let all = self.open.1.iter().filter(|open| **open).count();
        let count = |row| match (self.open.0[row], self.lists_missing) {
            (false, _) => 0,
            (true, false) => self.listed(row).count(),
            (true, true) => all - self.listed(row).count(),
        };
        let mut counts = memory::room("counts of entries", self.rows())?;
        counts.extend((0..self.rows()).map(count));
        Ok(counts)
    }

    /// Calls `each(column)` for the entries of a row that are observed, or for those that are not;
    /// columns and rows of weight 0 have none.
    pub(crate) fn for_each(&self, row: usize, observed: bool, mut each: impl FnMut(usize)) {
        if observed != self.lists_missing {
            return self.listed(row).for_each(each);
        }
        let list = self.list(row);
        let mut next = 0;
        for (j, &open) in self.open.1.iter().enumerate() {
            let is_listed = next < list.len() && list[next] as usize == j;
            next += usize::from(is_listed);
            if !is_listed && open && self.open.0[row] {
                each(j);
            }
        }
    }
}

impl<T: Scalar> Observed<'_, T> {
    /// Where each row begins in the columns that `add` lists for it, and these columns.
    ///
    /// # Errors
    /// What the source of X reports.
    pub(super) fn lists(
        &self,
        add: impl Fn(&Observations<T>, usize, &mut Vec<u32>) + Sync,
    ) -> Result<(Vec<usize>, Vec<u32>)> {
        let parts = self.in_parts(|(ends, indices): &mut (Vec<usize>, Vec<u32>), block| {
            for at in 0..block.rows.len() {
                add(block, at, indices);
                ends.push(indices.len());
            }
        })?;
        let listed = parts.iter().map(|(_, columns)| columns.len()).sum();
        let mut indptr = memory::room("lists of entries", self.shape().0 + 1)?;
        let mut indices = memory::room("lists of entries", listed)?;
        indptr.push(0);
        for (ends, columns) in parts {
            let before = indices.len();
            indptr.extend(ends.iter().map(|end| before + end));
            indices.extend_from_slice(&columns);
        }
        Ok((indptr, indices))
    }

    /// Σ p², Σ p² x, Σ p² (x − level)² and Σ p over all entries x of weight p.
    ///
    /// # Errors
    /// What the source of X reports.
    pub(crate) fn moments(&self, level: f64) -> Result<[f64; 4]> {
        let zeros = self.layout() == Layout::Listed { zeros: true };
        let all = self.shape().1 as f64;
        // Sums of the weights of the columns and of their squares.
        let total = |power: i32| {
            self.across().map_or(all, |w| w.iter().map(|p| p.to_f64().powi(power)).sum())
        };
        let across = [total(1), total(2)];
        let parts = self.in_parts(|sums: &mut [f64; 4], block| {
            for (at, row) in block.rows.clone().enumerate() {
                let mut listed = [0.0; 2];
                block.for_each_weighed(at, |_, x, p| {
                    let (x, p) = (x.to_f64(), p.to_f64());
                    listed = [listed[0] + p, listed[1] + p * p];
                    sums[1] += p * p * x;
                    sums[2] += p * p * (x - level) * (x - level);
                });
                let mut weights = listed;
                if zeros {
                    let own = self.along().map_or(1.0, |w| w[row].to_f64());
                    for (power, weight) in (1..).zip(&mut weights) {
                        let hidden = block.hidden_in(at).map(|(_, p)| p.to_f64().powi(power));
                        let hidden: f64 = hidden.sum();
                        *weight = own.powi(power) * (across[power as usize - 1] - hidden);
                    }
                    sums[2] += (weights[1] - listed[1]).max(0.0) * level * level;
                }
                sums[0] += weights[1];
                sums[3] += weights[0];
            }
        })?;
        let add = |a: [f64; 4], b: [f64; 4]| std::array::from_fn(|at| a[at] + b[at]);
        Ok(parts.into_iter().fold([0.0; 4], add))
    }
}
