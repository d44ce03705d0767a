//! Dense X in memory, at any strides.

use super::pass::FEW;
use super::residual::{Residual, none};
use super::{Matrix, Panel, Visitor};
use crate::error::{Error, Result};
use crate::factor::{View, ViewMut};
use crate::kernel::dense::{Accum, Strided, product};
use crate::scalar::Scalar;
use std::borrow::Cow;
use std::ops::Range;

/// Which index runs fastest in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Rows are contiguous (C).
    RowMajor,
    /// Columns are contiguous (Fortran).
    ColumnMajor,
}

/// A dense matrix in memory, owned or borrowed, at any strides (also negative ones).
#[derive(Debug, Clone)]
pub struct Dense<'a, T: Scalar> {
    data: Cow<'a, [T]>,
    offset: usize,
    shape: (usize, usize),
    strides: (isize, isize),
}

impl<'a, T: Scalar> Dense<'a, T> {
    /// `rows` × `cols` values in the given order, owned or borrowed.
    ///
    /// # Errors
    /// [`Error::Strides`] if there are fewer than rows · cols values.
    pub fn new(
        rows: usize,
        cols: usize,
        order: Order,
        data: impl Into<Cow<'a, [T]>>,
    ) -> Result<Self> {
        let strides = match order {
            Order::RowMajor => (cols.cast_signed(), 1),
            Order::ColumnMajor => (1, rows.cast_signed()),
        };
        Self::with_strides((rows, cols), strides, 0, data)
    }

    /// Entry (i, j) is `data[offset + i · strides.0 + j · strides.1]`, without a copy.
    ///
    /// # Errors
    /// [`Error::Strides`] if an entry would lie outside `data`.
    pub fn with_strides(
        shape: (usize, usize),
        strides: (isize, isize),
        offset: usize,
        data: impl Into<Cow<'a, [T]>>,
    ) -> Result<Self> {
        let data = data.into();
        if Strided::new(&data, offset, shape, strides).is_none() {
            return Err(Error::Strides {
                rows: shape.0,
                cols: shape.1,
                row_stride: strides.0,
                col_stride: strides.1,
                offset,
                len: data.len(),
            });
        }
        Ok(Self { data, offset, shape, strides })
    }

    /// Rows and columns.
    pub fn shape(&self) -> (usize, usize) {
        self.shape
    }

    /// The transpose, borrowing the same values.
    pub fn transposed(&self) -> Dense<'_, T> {
        Dense {
            data: Cow::Borrowed(&self.data),
            offset: self.offset,
            shape: (self.shape.1, self.shape.0),
            strides: (self.strides.1, self.strides.0),
        }
    }

    /// The same values, borrowed.
    pub(super) fn borrowed(&self) -> Dense<'_, T> {
        Dense { data: Cow::Borrowed(&self.data), ..*self }
    }

    /// The same values with each row in one piece, copied if they are few.
    pub(super) fn in_lines(self) -> Self {
        let (rows, cols) = self.shape;
        if self.strides.1 == 1 || rows.checked_mul(cols).is_none_or(|n| n > FEW) {
            return self;
        }
        let mut data = vec![T::ZERO; rows * cols];
        self.strided().copy_to(&mut ViewMut::new(&mut data, rows, cols, cols));
        Self { data: Cow::Owned(data), offset: 0, strides: (cols.cast_signed(), 1), ..self }
    }

    /// Entry (i, j).
    ///
    /// # Panics
    /// If i or j is out of range.
    pub fn get(&self, i: usize, j: usize) -> T {
        self.strided().get(i, j)
    }

    fn strided(&self) -> Strided<'_, T> {
        Strided::new(&self.data, self.offset, self.shape, self.strides)
            .expect("the constructor checked the strides")
    }
}

impl<T: Scalar> Matrix<T> for Dense<'_, T> {
    fn shape(&self) -> (usize, usize) {
        self.shape
    }

    fn stored_before(&self, row: usize) -> usize {
        row * self.shape.1
    }

    fn visit(&self, rows: Range<usize>, work: &mut Visitor<'_, T>) -> Result<()> {
        work(rows.clone(), &DensePanel(self.strided().rows(rows)));
        Ok(())
    }
}

/// Rows of a dense matrix.
struct DensePanel<'a, T>(Strided<'a, T>);

impl<T: Scalar> Panel<T> for DensePanel<'_, T> {
    fn product(&self, f: View<'_, T>, out: &mut ViewMut<'_, T>) {
        product(self.0, f, out, Accum::Replace);
    }

    fn add_transposed(&self, f: View<'_, T>, c: &mut ViewMut<'_, T>) {
        product(self.0.transposed(), f, c, Accum::Add);
    }

    fn residual_sq(&self, w: View<'_, T>, h: View<'_, T>, _h_gram: &[f64], unit: f64) -> f64 {
        Residual { w, h, unit, missing: &none }.by_products(self)
    }

    fn copy_listed(&self, row: usize, columns: &mut Vec<u32>, values: &mut Vec<T>) {
        let x = &self.0;
        for j in 0..self.0.shape().1 {
            let value = x.get(row, j);
            if value != T::ZERO {
                columns.push(u32::try_from(j).expect("lists are made of 2³² columns at most"));
                values.push(value);
            }
        }
    }

    fn copy_dense(&self, row: usize, out: &mut [T]) {
        self.0.copy_row(row, out);
    }

    fn copy_rows(&self, from: usize, out: &mut ViewMut<'_, T>) {
        self.0.rows(from..from + out.rows()).copy_to(out);
    }

    fn is_dense(&self) -> bool {
        true
    }

    fn for_each(&self, row: usize, entry: &mut dyn FnMut(usize, T)) {
        let x = &self.0;
        for j in 0..self.0.shape().1 {
            entry(j, x.get(row, j));
        }
    }
}
