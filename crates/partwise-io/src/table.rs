//! The result of a reader: a matrix in the element type of its file.

use crate::notice::Notice;
use crate::numbers::Numbers;

/// A matrix as read from a file.
///
/// The structure has been checked in full; the values have not: negative, NaN and infinite values
/// of binary files pass through for the engine to judge.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Number of rows, at least 1.
    pub rows: usize,
    /// Number of columns, at least 1.
    pub cols: usize,
    /// The elements.
    pub values: Values,
    /// Names of the rows, where the file has them.
    pub row_names: Option<Vec<String>>,
    /// Names of the columns, where the file has them.
    pub col_names: Option<Vec<String>>,
    /// What was accepted but should be told.
    pub notices: Vec<Notice>,
}

/// Elements, dense or sparse.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// All `rows * cols` elements.
    Dense {
        /// The elements in `order`.
        numbers: Numbers,
        /// Which index runs fastest.
        order: Order,
    },
    /// The stored elements; the others are 0.
    ///
    /// `indptr` starts at 0, never decreases and ends at the number of entries; `indices` are
    /// strictly increasing within a row and less than the number of columns (rows and columns
    /// exchanged for [`Layout::Csc`]).
    Sparse {
        /// Whether rows or columns are compressed.
        layout: Layout,
        /// Start of each row, and the end of the last.
        indptr: Vec<u64>,
        /// Column of each entry.
        indices: Vec<u32>,
        /// Value of each entry.
        numbers: Numbers,
    },
}

/// Order of the elements of a dense matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Row after row (C).
    RowMajor,
    /// Column after column (Fortran).
    ColumnMajor,
}

/// Which dimension of a sparse matrix is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Compressed rows.
    Csr,
    /// Compressed columns.
    Csc,
}

impl Table {
    pub(crate) fn new(rows: usize, cols: usize, values: Values) -> Self {
        Self { rows, cols, values, row_names: None, col_names: None, notices: Vec::new() }
    }

    /// The stored elements.
    #[must_use]
    pub fn numbers(&self) -> &Numbers {
        match &self.values {
            Values::Dense { numbers, .. } | Values::Sparse { numbers, .. } => numbers,
        }
    }

    /// The stored elements, to be changed in place.
    pub(crate) fn numbers_mut(&mut self) -> &mut Numbers {
        match &mut self.values {
            Values::Dense { numbers, .. } | Values::Sparse { numbers, .. } => numbers,
        }
    }

    /// Number of stored elements.
    #[must_use]
    pub fn stored(&self) -> usize {
        self.numbers().len()
    }
}
