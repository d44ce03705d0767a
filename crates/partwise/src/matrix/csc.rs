//! Sparse X in memory by columns.

use super::{Csr, IndexLike};
use crate::error::Result;
use crate::scalar::Scalar;
use std::borrow::Cow;

/// A sparse matrix by columns: the rows of its transpose.
#[derive(Debug, Clone)]
pub struct Csc<'a, T: Scalar>(pub(super) Csr<'a, T>);

impl<'a, T: Scalar> Csc<'a, T> {
    /// Column j has the rows `indices[indptr[j]..indptr[j + 1]]` and the values beside them.
    ///
    /// # Errors
    /// As [`Csr::new`], where "row" in the text means the compressed axis.
    pub fn new<I: IndexLike>(
        (rows, cols): (usize, usize),
        indptr: &[I],
        indices: impl Into<Cow<'a, [u32]>>,
        values: impl Into<Cow<'a, [T]>>,
    ) -> Result<Self> {
        Ok(Self(Csr::new((cols, rows), indptr, indices, values)?))
    }

    /// The rows and values of column `j`.
    pub fn column(&self, j: usize) -> (&[u32], &[T]) {
        self.0.row(j)
    }

    /// From the rows of the transpose.
    pub fn from_transposed(transposed: Csr<'a, T>) -> Self {
        Self(transposed)
    }

    /// Rows and columns.
    pub fn shape(&self) -> (usize, usize) {
        let (cols, rows) = self.0.shape();
        (rows, cols)
    }
}
