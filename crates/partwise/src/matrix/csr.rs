//! Sparse X in memory: compressed sparse rows.

use super::residual::{Residual, none};
use super::{Matrix, Panel, Visitor};
use crate::error::{Error, Result, SparseError};
use crate::factor::{View, ViewMut};
use crate::kernel::sparse::{Rows, gather, scatter};
use crate::memory;
use crate::scalar::Scalar;
use std::borrow::Cow;
use std::ops::Range;

/// Integer types that index arrays of sparse matrices come in.
pub trait IndexLike: Copy {
    /// The value, whatever it is.
    fn wide(self) -> i128;
}
macro_rules! index_like {
    ($($t:ident)*) => {$(
        impl IndexLike for $t {
            fn wide(self) -> i128 {
                self as i128
            }
        }
    )*};
}
index_like!(i32 u32 i64 u64 usize);

/// Rows that are turned between two looks at the clock.
const LOOK: usize = 256;

/// A sparse matrix by rows, whose structure has been checked: only [`Csr::new`] makes one.
///
/// Rows are sorted by column and free of duplicates; if the arrays given were not, this is a
/// private copy of them in which duplicates are summed, as SciPy reads them.
#[derive(Debug, Clone)]
pub struct Csr<'a, T: Scalar> {
    shape: (usize, usize),
    indptr: Cow<'a, [usize]>,
    indices: Cow<'a, [u32]>,
    values: Cow<'a, [T]>,
    duplicates: usize,
}

impl<'a, T: Scalar> Csr<'a, T> {
    /// Row i has the columns `indices[indptr[i]..indptr[i + 1]]` and the values beside them.
    /// `indices` and `values` are borrowed if they can be used as they are. O(nnz).
    ///
    /// # Errors
    /// [`Error::Sparse`] naming the first entry that contradicts the others.
    pub fn new<I: IndexLike>(
        (rows, cols): (usize, usize),
        indptr: &[I],
        indices: impl Into<Cow<'a, [u32]>>,
        values: impl Into<Cow<'a, [T]>>,
    ) -> Result<Self> {
        let (indices, values) = (indices.into(), values.into());
        if u32::try_from(cols).is_err() {
            return Err(SparseError::TooWide { cols }.into());
        }
        if indices.len() != values.len() {
            let (values, indices) = (values.len(), indices.len());
            return Err(SparseError::Lengths { values, indices }.into());
        }
        let indptr = checked_indptr(indptr, rows, indices.len())?;
        let mut sorted = true;
        for row in 0..rows {
            let range = indptr[row]..indptr[row + 1];
            let mut previous = None;
            for (at, &index) in indices[range.clone()].iter().enumerate() {
                if index as usize >= cols {
                    let (entry, found) = (range.start + at, i128::from(index));
                    return Err(SparseError::Index { row, entry, found, cols }.into());
                }
                sorted &= previous.is_none_or(|p| p < index);
                previous = Some(index);
            }
        }
        let indptr = indptr.into();
        let matrix = Self { shape: (rows, cols), indptr, indices, values, duplicates: 0 };
        if sorted { Ok(matrix) } else { matrix.canonical() }
    }

    /// As [`Csr::new`] with indices of another integer type, which are copied.
    ///
    /// # Errors
    /// As [`Csr::new`].
    pub fn from_indices<I: IndexLike, J: IndexLike>(
        shape: (usize, usize),
        indptr: &[I],
        indices: &[J],
        values: impl Into<Cow<'a, [T]>>,
    ) -> Result<Self> {
        let mut narrow = memory::room("the indices of a sparse matrix", indices.len())?;
        for (entry, &index) in indices.iter().enumerate() {
            let found = index.wide();
            match u32::try_from(found) {
                Ok(index) => narrow.push(index),
                Err(_) => {
                    let at = i128::try_from(entry).unwrap_or(i128::MAX);
                    let row = indptr.iter().take_while(|p| p.wide() <= at).count().max(1) - 1;
                    return Err(SparseError::Index { row, entry, found, cols: shape.1 }.into());
                }
            }
        }
        Self::new(shape, indptr, narrow, values)
    }

    /// Rows and columns.
    pub fn shape(&self) -> (usize, usize) {
        self.shape
    }
    /// Stored entries.
    pub fn stored(&self) -> usize {
        self.values.len()
    }
    /// Entries that repeated a (row, column) and were summed.
    pub fn duplicates(&self) -> usize {
        self.duplicates
    }
    /// Columns and values of row `i`, by ascending column.
    pub fn row(&self, i: usize) -> (&[u32], &[T]) {
        let range = self.indptr[i]..self.indptr[i + 1];
        (&self.indices[range.clone()], &self.values[range])
    }

    /// The transpose as a matrix of its own, by counting: O(nnz + rows + cols).
    ///
    /// # Panics
    /// If there is no room for it.
    pub fn transposed(&self) -> Csr<'static, T> {
        self.transposed_while(&|| Ok(())).expect("room for a copy of a sparse matrix")
    }

    /// The same, as long as there is time to `go_on`.
    pub(super) fn transposed_while(
        &self,
        go_on: &dyn Fn() -> Result<()>,
    ) -> Result<Csr<'static, T>> {
        let nothing = (Vec::new(), Vec::new());
        self.turned(0..self.shape.1, &self.column_starts()?, nothing, go_on)
    }

    /// Entries stored before each column, and in all of them.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub(super) fn column_starts(&self) -> Result<Vec<usize>> {
        let cols = self.shape.1;
        let mut starts = memory::filled(COPY, cols + 1, 0usize)?;
        for &j in self.indices.iter() {
            starts[j as usize + 1] += 1;
        }
        for j in 0..cols {
            starts[j + 1] += starts[j];
        }
        Ok(starts)
    }

    /// These columns as the rows of a matrix of their own, made of the arrays of an old one. `starts`
    /// are those of all columns. As long as there is time to `go_on`.
    ///
    /// # Errors
    /// [`Error::Memory`], and those of `go_on`.
    pub(super) fn turned(
        &self,
        columns: Range<usize>,
        starts: &[usize],
        (mut indices, mut values): (Vec<u32>, Vec<T>),
        go_on: &dyn Fn() -> Result<()>,
    ) -> Result<Csr<'static, T>> {
        let starts = &starts[columns.start..=columns.end];
        let (mut indptr, mut next) =
            (memory::room(COPY, starts.len())?, memory::room(COPY, starts.len())?);
        indptr.extend(starts.iter().map(|s| s - starts[0]));
        next.extend_from_slice(&indptr);
        let stored = indptr[columns.len()];
        // What is there is overwritten; `resize` alone would double an array that is a little short.
        memory::grow(COPY, &mut indices, stored)?;
        memory::grow(COPY, &mut values, stored)?;
        indices.resize(stored, 0);
        values.resize(stored, T::ZERO);
        for i in 0..self.shape.0 {
            if i % LOOK == 0 {
                go_on()?;
            }
            let (own, entries) = self.row(i);
            let from = own.partition_point(|&j| (j as usize) < columns.start);
            let row = u32::try_from(i).expect("callers check that the rows fit u32");
            for (&j, &x) in own[from..].iter().zip(&entries[from..]) {
                if j as usize >= columns.end {
                    break;
                }
                let next = &mut next[j as usize - columns.start];
                indices[*next] = row;
                values[*next] = x;
                *next += 1;
            }
        }
        Ok(Csr {
            shape: (columns.len(), self.shape.0),
            indptr: indptr.into(),
            indices: indices.into(),
            values: values.into(),
            duplicates: self.duplicates,
        })
    }

    /// The same without the zeros among what it stores, if there are any.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub(super) fn without_zeros(&self) -> Result<Option<Csr<'static, T>>> {
        if !self.values.contains(&T::ZERO) {
            return Ok(None);
        }
        let kept = self.values.iter().filter(|x| **x != T::ZERO).count();
        let (mut indptr, mut indices, mut values) = arrays(self.shape.0, kept)?;
        for i in 0..self.shape.0 {
            let (columns, entries) = self.row(i);
            for (&j, &x) in columns.iter().zip(entries).filter(|(_, x)| **x != T::ZERO) {
                indices.push(j);
                values.push(x);
            }
            indptr.push(indices.len());
        }
        let (indptr, indices, values) = (indptr.into(), indices.into(), values.into());
        Ok(Some(Csr { shape: self.shape, indptr, indices, values, duplicates: self.duplicates }))
    }

    /// The arrays of a matrix that is no longer needed.
    pub(super) fn into_arrays(self) -> (Vec<u32>, Vec<T>) {
        (self.indices.into_owned(), self.values.into_owned())
    }

    /// The same, made of entries of which so many were duplicates.
    pub(super) fn with_duplicates(self, duplicates: usize) -> Self {
        Self { duplicates, ..self }
    }

    pub(super) fn borrowed(&self) -> Csr<'_, T> {
        Csr {
            shape: self.shape,
            indptr: Cow::Borrowed(&self.indptr),
            indices: Cow::Borrowed(&self.indices),
            values: Cow::Borrowed(&self.values),
            duplicates: self.duplicates,
        }
    }

    /// A private copy with sorted rows and duplicates summed in the order they were stored.
    ///
    /// # Errors
    /// [`Error::Memory`].
    fn canonical(&self) -> Result<Self> {
        let (mut indptr, mut indices, mut values) = arrays::<T>(self.shape.0, self.values.len())?;
        let mut order: Vec<usize> = Vec::new();
        for i in 0..self.shape.0 {
            let (columns, entries) = self.row(i);
            order.clear();
            order.extend(0..columns.len());
            order.sort_by_key(|&at| columns[at]);
            let start = indices.len();
            for &at in &order {
                match values.last_mut() {
                    Some(sum) if indices.len() > start && indices.last() == Some(&columns[at]) => {
                        *sum += entries[at];
                    }
                    _ => {
                        indices.push(columns[at]);
                        values.push(entries[at]);
                    }
                }
            }
            indptr.push(indices.len());
        }
        let duplicates = self.values.len() - values.len();
        Ok(Self {
            shape: self.shape,
            indptr: indptr.into(),
            indices: indices.into(),
            values: values.into(),
            duplicates,
        })
    }
}

/// What there may be no room for.
const COPY: &str = "a copy of a sparse matrix";

/// Room for the arrays of so many rows and entries; the first row begins at 0.
///
/// # Errors
/// [`Error::Memory`].
pub(super) fn arrays<T>(rows: usize, stored: usize) -> Result<(Vec<usize>, Vec<u32>, Vec<T>)> {
    let mut indptr = memory::room(COPY, rows.saturating_add(1))?;
    indptr.push(0);
    Ok((indptr, memory::room(COPY, stored)?, memory::room(COPY, stored)?))
}

fn checked_indptr<I: IndexLike>(indptr: &[I], rows: usize, stored: usize) -> Result<Vec<usize>> {
    let expected = rows.saturating_add(1);
    if indptr.len() != expected {
        return Err(SparseError::IndptrLength { found: indptr.len(), expected }.into());
    }
    if indptr[0].wide() != 0 {
        return Err(SparseError::IndptrStart { found: indptr[0].wide() }.into());
    }
    let mut checked = memory::room("the rows of a sparse matrix", expected)?;
    let mut previous = 0;
    for (at, entry) in indptr.iter().enumerate() {
        let found = entry.wide();
        if found < previous {
            return Err(SparseError::IndptrDecreases { at, previous, found }.into());
        }
        let end = usize::try_from(found).ok().filter(|&end| end <= stored);
        checked.push(end.ok_or(Error::Sparse(SparseError::IndptrEnd { found, stored }))?);
        previous = found;
    }
    if checked[rows] != stored {
        return Err(SparseError::IndptrEnd { found: previous, stored }.into());
    }
    Ok(checked)
}

impl<T: Scalar> Matrix<T> for Csr<'_, T> {
    fn shape(&self) -> (usize, usize) {
        self.shape
    }

    fn stored_before(&self, row: usize) -> usize {
        self.indptr[row]
    }

    fn visit(&self, rows: Range<usize>, work: &mut Visitor<'_, T>) -> Result<()> {
        let panel = CsrPanel(Rows {
            indptr: &self.indptr[rows.start..=rows.end],
            indices: &self.indices,
            values: &self.values,
            cols: self.shape.1,
        });
        work(rows, &panel);
        Ok(())
    }
}

/// Rows of a sparse matrix.
struct CsrPanel<'a, T>(Rows<'a, T>);

impl<T: Scalar> Panel<T> for CsrPanel<'_, T> {
    fn product(&self, f: View<'_, T>, out: &mut ViewMut<'_, T>) {
        gather(self.0, f, out);
    }

    fn add_transposed(&self, f: View<'_, T>, c: &mut ViewMut<'_, T>) {
        scatter(self.0, f, c);
    }

    fn residual_sq(&self, w: View<'_, T>, h: View<'_, T>, h_gram: &[f64], unit: f64) -> f64 {
        Residual { w, h, unit, missing: &none }.by_sums(self, h_gram)
    }

    fn copy_listed(&self, row: usize, columns: &mut Vec<u32>, values: &mut Vec<T>) {
        let range = self.0.indptr[row]..self.0.indptr[row + 1];
        // The copy is held to what was checked, whatever the owner of the array does meanwhile.
        let last = u32::try_from(self.0.cols.saturating_sub(1)).unwrap_or(u32::MAX);
        columns.extend(self.0.indices[range.clone()].iter().map(|&j| j.min(last)));
        values.extend_from_slice(&self.0.values[range]);
    }

    fn for_each(&self, row: usize, entry: &mut dyn FnMut(usize, T)) {
        let range = self.0.indptr[row]..self.0.indptr[row + 1];
        // As `copy_listed`.
        let last = self.0.cols.saturating_sub(1);
        for (&j, &x) in self.0.indices[range.clone()].iter().zip(&self.0.values[range]) {
            entry((j as usize).min(last), x);
        }
    }
}
