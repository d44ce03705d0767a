//! A matrix beside X: weights or a mask.

use crate::number::Number;
use partwise::{Csr, Dense, Error, Input, Order};

/// A matrix by rows; of a sparse one, what is not stored is 0.
#[derive(Debug)]
pub(super) enum Grid<T: Number> {
    Dense(Dense<'static, T>),
    Sparse(Csr<'static, T>),
}

/// Columns of each row.
#[derive(Debug, Default)]
pub(super) struct List {
    indptr: Vec<usize>,
    indices: Vec<u32>,
}

impl<T: Number> Grid<T> {
    pub(super) fn shape(&self) -> (usize, usize) {
        match self {
            Self::Dense(x) => x.shape(),
            Self::Sparse(x) => x.shape(),
        }
    }

    pub(super) fn get(&self, row: usize, col: usize) -> T {
        match self {
            Self::Dense(x) => x.get(row, col),
            Self::Sparse(x) => {
                let (columns, values) = x.row(row);
                let found =
                    u32::try_from(col).ok().and_then(|col| columns.binary_search(&col).ok());
                found.map_or(T::ZERO, |at| values[at])
            }
        }
    }

    /// Calls `each(row, column, value)` for every entry that is stored.
    fn for_each(&self, mut each: impl FnMut(usize, usize, T)) {
        let (rows, cols) = self.shape();
        for row in 0..rows {
            match self {
                Self::Dense(x) => (0..cols).for_each(|col| each(row, col, x.get(row, col))),
                Self::Sparse(x) => {
                    let (columns, values) = x.row(row);
                    columns.iter().zip(values).for_each(|(&col, &v)| each(row, col as usize, v));
                }
            }
        }
    }

    /// The same entries, each changed.
    pub(super) fn map(self, change: impl Fn(T) -> T) -> Result<Self, Error> {
        let shape @ (rows, cols) = self.shape();
        let mut values = Vec::new();
        self.for_each(|_, _, value| values.push(change(value)));
        Ok(match self {
            Self::Dense(_) => Self::Dense(Dense::new(rows, cols, Order::RowMajor, values)?),
            Self::Sparse(x) => {
                let (mut indptr, mut indices) = (vec![0], Vec::with_capacity(values.len()));
                for row in 0..rows {
                    indices.extend_from_slice(x.row(row).0);
                    indptr.push(indices.len());
                }
                Self::Sparse(Csr::new(shape, &indptr, indices, values)?)
            }
        })
    }

    /// The first entry stored that is of this kind.
    pub(super) fn first(
        &self,
        wanted: impl Fn(usize, usize, T) -> bool,
    ) -> Option<(usize, usize, f64)> {
        let mut first = None;
        self.for_each(|row, col, value| {
            if wanted(row, col, value) {
                first.get_or_insert((row, col, value.to_f64()));
            }
        });
        first
    }

    /// Refuses what is no weight.
    pub(super) fn check(&self, what: &str) -> Result<(), Error> {
        match self.first(|_, _, v| !(v.is_finite() && v >= T::ZERO)) {
            Some((row, col, value)) => {
                Err(Error::Weight { what: format!("{what}[{row}, {col}]"), value })
            }
            None => Ok(()),
        }
    }

    /// How many entries are 1.
    pub(super) fn ones(&self) -> f64 {
        let mut count = 0.0;
        self.for_each(|_, _, v| count += if v == T::ONE { 1.0 } else { 0.0 });
        count
    }

    pub(super) fn is_one_throughout(&self) -> bool {
        let (rows, cols) = self.shape();
        self.ones() >= rows as f64 * cols as f64
    }

    /// The entries of this kind, stored or not.
    pub(super) fn list(&self, wanted: impl Fn(T) -> bool) -> List {
        let (rows, cols) = self.shape();
        let zeros = wanted(T::ZERO);
        let mut list = List { indptr: vec![0], indices: Vec::new() };
        for row in 0..rows {
            match self {
                Self::Sparse(x) if !zeros => {
                    let (columns, values) = x.row(row);
                    let kept = columns.iter().zip(values).filter(|(_, v)| wanted(**v));
                    list.indices.extend(kept.map(|(col, _)| *col));
                }
                _ => {
                    let kept = (0..cols).filter(|&col| wanted(self.get(row, col)));
                    list.indices.extend(kept.filter_map(|col| u32::try_from(col).ok()));
                }
            }
            list.indptr.push(list.indices.len());
        }
        list
    }

    /// The entries that are stored here and not 1 in the mask.
    pub(super) fn hidden_by(&self, mask: &Self) -> List {
        let mut list = List { indptr: vec![0], indices: Vec::new() };
        self.for_each(|row, col, _| {
            list.indptr.resize(row + 1, list.indices.len());
            if mask.get(row, col) != T::ONE {
                list.indices.extend(u32::try_from(col).ok());
            }
        });
        list.indptr.resize(self.shape().0 + 1, list.indices.len());
        list
    }

    pub(super) fn into_input(self) -> Input<'static, T> {
        match self {
            Self::Dense(x) => x.into(),
            Self::Sparse(x) => x.into(),
        }
    }
}

impl List {
    fn rows(&self) -> impl Iterator<Item = &[u32]> {
        self.indptr.windows(2).map(|w| &self.indices[w[0]..w[1]])
    }

    /// What is in either.
    pub(super) fn union(self, other: Option<Self>) -> Self {
        let Some(other) = other else { return self };
        let mut both = Self { indptr: vec![0], indices: Vec::new() };
        for (ours, theirs) in self.rows().zip(other.rows()) {
            let mut row = [ours, theirs].concat();
            row.sort_unstable();
            row.dedup();
            both.indices.extend(row);
            both.indptr.push(both.indices.len());
        }
        both
    }

    /// A sparse matrix of ones.
    pub(super) fn into_csr<T: Number>(
        self,
        shape: (usize, usize),
    ) -> Result<Csr<'static, T>, Error> {
        let values = vec![T::ONE; self.indices.len()];
        Csr::new(shape, &self.indptr, self.indices, values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dense(values: [f64; 6]) -> Grid<f64> {
        Grid::Dense(Dense::new(2, 3, Order::RowMajor, values.to_vec()).expect("2 × 3"))
    }

    #[test]
    fn a_list_holds_what_is_wanted_however_it_is_stored() {
        let mask = dense([1.0, 0.0, 1.0, 0.0, 0.0, 1.0]);
        let sparse = Grid::Sparse(mask.list(|v| v == 1.0).into_csr((2, 3)).expect("2 × 3"));
        for grid in [&mask, &sparse] {
            assert_eq!((grid.ones(), grid.is_one_throughout()), (3.0, false));
            let (ones, others) = (grid.list(|v| v == 1.0), grid.list(|v| v != 1.0));
            assert_eq!((ones.indptr, ones.indices), (vec![0, 2, 3], vec![0, 2, 2]));
            assert_eq!((others.indptr, others.indices), (vec![0, 1, 3], vec![1, 0, 1]));
        }
        let both = mask.list(|v| v == 1.0).union(Some(sparse.list(|v| v != 1.0)));
        assert_eq!((both.indptr, both.indices), (vec![0, 3, 6], vec![0, 1, 2, 0, 1, 2]));
    }

    #[test]
    fn a_mask_hides_what_is_stored() {
        let stored = dense([0.0, 2.0, 3.0, 0.0, 5.0, 0.0]);
        let weights =
            Grid::<f64>::Sparse(stored.list(|v| v > 0.0).into_csr((2, 3)).expect("2 × 3"));
        let mask = dense([1.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
        let hidden = weights.hidden_by(&mask);
        assert_eq!((hidden.indptr, hidden.indices), (vec![0, 1, 2], vec![1, 1]));
    }
}
