//! Sparse matrices as three arrays, checked before the engine sees them.

use crate::data::{Real, reading};
use crate::error::{cut, exception, shown};
use crate::memory::room;
use numpy::{
    Element, PyArray1, PyArrayMethods, PyReadonlyArray1, PyUntypedArray, PyUntypedArrayMethods,
};
use partwise::matrix::IndexLike;
use partwise::{Csc, Csr, Error, Input, SparseError};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use std::borrow::Cow;

/// How a sparse X is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csr,
    Csc,
}

/// The three arrays of a sparse X.
pub(crate) struct Compressed<'py, T: Real> {
    name: &'static str,
    format: Format,
    shape: (usize, usize),
    indptr: Indices<'py>,
    indices: Indices<'py>,
    values: PyReadonlyArray1<'py, T>,
}

enum Indices<'py> {
    I32(PyReadonlyArray1<'py, i32>),
    I64(PyReadonlyArray1<'py, i64>),
}

type Parts<'py> = (String, (usize, usize), Bound<'py, PyAny>, Bound<'py, PyAny>, Bound<'py, PyAny>);

impl<'py, T: Real> Compressed<'py, T> {
    /// `None` if `x` is no tuple of that kind, or holds other numbers.
    pub(crate) fn read(name: &'static str, x: &Bound<'py, PyAny>) -> PyResult<Option<Self>> {
        let Ok((format, shape, indptr, indices, values)) = x.extract::<Parts<'py>>() else {
            return Ok(None);
        };
        let Ok(values) = values.cast::<PyArray1<T>>() else { return Ok(None) };
        let format = match format.as_str() {
            "csr" => Format::Csr,
            "csc" => Format::Csc,
            _ => {
                return Err(PyValueError::new_err(format!(
                    "{name}: unknown sparse format '{}'; known: csr, csc",
                    cut(&format, 60)
                )));
            }
        };
        let (indptr, indices) =
            (Indices::of(name, "indptr", &indptr)?, Indices::of(name, "indices", &indices)?);
        aligned(name, "data", values.as_untyped())?;
        Ok(Some(Self { name, format, shape, indptr, indices, values: reading(values)? }))
    }

    /// The engine's view of the same memory, checked.
    pub(crate) fn input(&self, py: Python<'_>) -> PyResult<Input<'_, T>> {
        let csr = self.compressed(py)?;
        Ok(match self.format {
            Format::Csr => csr.into(),
            Format::Csc => Csc::from_transposed(csr).into(),
        })
    }

    /// The same by rows; only for what is compressed by rows.
    pub(crate) fn csr(&self, py: Python<'_>) -> PyResult<Csr<'_, T>> {
        if self.format != Format::Csr {
            return Err(PyValueError::new_err(format!("{}: expected the format csr", self.name)));
        }
        self.compressed(py)
    }

    /// What is wrong with the arrays, in the words of their format.
    fn exception(&self, py: Python<'_>, error: &Error) -> PyErr {
        let name = self.name;
        let text = match (self.format, error) {
            (Format::Csc, Error::Sparse(SparseError::Index { row, entry, found, cols })) => {
                format!(
                    "sparse {name}: column {row}: row index {found} out of range (m = {cols}), entry {entry}"
                )
            }
            (Format::Csc, Error::Sparse(SparseError::TooWide { cols })) => format!(
                "sparse {name}: {cols} rows do not fit 32-bit indices; the limit is 4294967295"
            ),
            (_, Error::Sparse(error)) => format!("sparse {name}: {error}"),
            _ => return exception(py, error),
        };
        PyValueError::new_err(text)
    }

    /// The rows of X, or of its transpose if X is compressed by columns.
    fn compressed(&self, py: Python<'_>) -> PyResult<Csr<'_, T>> {
        let shape = match self.format {
            Format::Csr => self.shape,
            Format::Csc => (self.shape.1, self.shape.0),
        };
        match &self.indptr {
            Indices::I32(indptr) => self.rows(py, shape, &contiguous(indptr)?),
            Indices::I64(indptr) => self.rows(py, shape, &contiguous(indptr)?),
        }
    }

    fn rows<I: IndexLike>(
        &self,
        py: Python<'_>,
        shape: (usize, usize),
        indptr: &[I],
    ) -> PyResult<Csr<'_, T>> {
        let values = contiguous(&self.values)?;
        let csr = match &self.indices {
            // A negative index read as unsigned is 2³¹ or more, so the check refuses it.
            Indices::I32(indices) if i32::try_from(shape.1).is_ok() => {
                Csr::new(shape, indptr, unsigned(contiguous(indices)?), values).map_err(as_signed)
            }
            Indices::I32(indices) => {
                Csr::from_indices(shape, indptr, &contiguous(indices)?, values)
            }
            Indices::I64(indices) => {
                Csr::from_indices(shape, indptr, &contiguous(indices)?, values)
            }
        };
        csr.map_err(|e| self.exception(py, &e))
    }
}

impl<'py> Indices<'py> {
    fn of(name: &str, which: &str, array: &Bound<'py, PyAny>) -> PyResult<Self> {
        if let Ok(array) = array.cast::<PyUntypedArray>() {
            aligned(name, which, array)?;
        }
        if let Ok(array) = array.cast::<PyArray1<i32>>() {
            return Ok(Self::I32(reading(array)?));
        }
        if let Ok(array) = array.cast::<PyArray1<i64>>() {
            return Ok(Self::I64(reading(array)?));
        }
        let found = match array.cast::<PyUntypedArray>() {
            Ok(array) => format!("{}-D {}", array.ndim(), array.dtype()),
            Err(_) => shown(array.get_type().as_any()),
        };
        Err(PyTypeError::new_err(format!(
            "{which} of sparse {name} is {found}; expected 1-D int32 or int64"
        )))
    }
}

fn aligned(name: &str, which: &str, array: &Bound<'_, PyUntypedArray>) -> PyResult<()> {
    if array.is_aligned() {
        return Ok(());
    }
    Err(PyValueError::new_err(format!("{which} of sparse {name} is not aligned to its dtype")))
}

/// The values of an array whose alignment was checked; copied only if they are not side by side.
fn contiguous<'a, E: Element + Copy>(array: &'a PyReadonlyArray1<'_, E>) -> PyResult<Cow<'a, [E]>> {
    if let Ok(values) = array.as_slice() {
        return Ok(Cow::Borrowed(values));
    }
    let mut copy = room("a copy of a sparse matrix", array.len())?;
    copy.extend(array.as_array());
    Ok(Cow::Owned(copy))
}

#[allow(unsafe_code)]
fn unsigned(indices: Cow<'_, [i32]>) -> Cow<'_, [u32]> {
    match indices {
        // SAFETY: i32 and u32 have the same size and alignment, and any bytes are a u32.
        Cow::Borrowed(s) => {
            Cow::Borrowed(unsafe { std::slice::from_raw_parts(s.as_ptr().cast::<u32>(), s.len()) })
        }
        Cow::Owned(v) => Cow::Owned(v.into_iter().map(i32::cast_unsigned).collect()),
    }
}

/// An index as it was given, before it was read as unsigned.
fn as_signed(error: Error) -> Error {
    match error {
        Error::Sparse(SparseError::Index { row, entry, found, cols }) => {
            let given = u32::try_from(found).map_or(found, |found| found.cast_signed().into());
            SparseError::Index { row, entry, found: given, cols }.into()
        }
        other => other,
    }
}
