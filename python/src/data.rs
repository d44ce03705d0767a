//! X as Python holds it, borrowed without a copy.
//!
//! NumPy arrays are counted references, so their memory stays where it is while a fit runs. Python
//! can still write to it: a fit then works on a mixture of the old and the new values.

use crate::error::{shown, sparse_exception};
use numpy::ndarray::Dimension;
use numpy::{
    Element, PyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray, PyReadonlyArray1,
    PyReadonlyArray2, PyUntypedArray, PyUntypedArrayMethods,
};
use partwise::matrix::IndexLike;
use partwise::{Csc, Csr, Dense, Error, Input, Scalar, SparseError};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use std::borrow::Cow;

/// The numbers that both the engine and NumPy know.
pub(crate) trait Real: Scalar + Element {}
impl Real for f32 {}
impl Real for f64 {}

/// How a sparse X is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Csr,
    Csc,
}

/// X in either precision.
pub(crate) enum Held<'py> {
    F32(HeldAs<'py, f32>),
    F64(HeldAs<'py, f64>),
}

/// X with its references.
pub(crate) enum HeldAs<'py, T: Real> {
    Dense(PyReadonlyArray2<'py, T>),
    Sparse(Compressed<'py, T>),
}

/// The three arrays of a sparse X.
pub(crate) struct Compressed<'py, T: Real> {
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

impl<'py> Held<'py> {
    /// From a 2-D array, or from `(format, shape, indptr, indices, data)`.
    pub(crate) fn of(x: &Bound<'py, PyAny>) -> PyResult<Self> {
        if let Ok(array) = x.cast::<PyArray2<f64>>() {
            return Ok(Self::F64(HeldAs::Dense(reading(array)?)));
        }
        if let Ok(array) = x.cast::<PyArray2<f32>>() {
            return Ok(Self::F32(HeldAs::Dense(reading(array)?)));
        }
        if let Ok(array) = x.cast::<PyUntypedArray>() {
            return Err(PyTypeError::new_err(format!(
                "X has dtype {} and {} dimensions; expected 2-D float32 or float64",
                array.dtype(),
                array.ndim()
            )));
        }
        let parts: Parts<'py> = x.extract().map_err(|_| {
            PyTypeError::new_err(format!(
                "X is {}; expected a 2-D array or (format, shape, indptr, indices, data)",
                shown(x.get_type().as_any())
            ))
        })?;
        if let Ok(values) = parts.4.cast::<PyArray1<f64>>() {
            return Ok(Self::F64(HeldAs::Sparse(Compressed::of(&parts, reading(values)?)?)));
        }
        match parts.4.cast::<PyArray1<f32>>() {
            Ok(values) => Ok(Self::F32(HeldAs::Sparse(Compressed::of(&parts, reading(values)?)?))),
            Err(_) => {
                Err(PyTypeError::new_err("data of sparse X: expected 1-D float32 or float64"))
            }
        }
    }
}

impl<T: Real> HeldAs<'_, T> {
    /// The engine's view of the same memory; checks the structure of sparse X.
    pub(crate) fn input(&self, py: Python<'_>) -> PyResult<Input<'_, T>> {
        match self {
            Self::Dense(array) => Ok(dense(array)?.into()),
            Self::Sparse(x) => {
                let csr = x.compressed().map_err(|e| sparse_exception(py, x.format, &e))?;
                Ok(match x.format {
                    Format::Csr => csr.into(),
                    Format::Csc => Csc::from_transposed(csr).into(),
                })
            }
        }
    }
}

/// A claim to read, which other extensions written in Rust respect.
pub(crate) fn reading<'py, E: Element, D: Dimension>(
    array: &Bound<'py, PyArray<E, D>>,
) -> PyResult<PyReadonlyArray<'py, E, D>> {
    array
        .try_readonly()
        .map_err(|_| PyValueError::new_err("another extension is writing to an array"))
}

#[allow(unsafe_code)]
fn dense<'a, T: Real>(array: &'a PyReadonlyArray2<'_, T>) -> PyResult<Dense<'a, T>> {
    let size = size_of::<T>().cast_signed();
    let (shape, steps) = (array.shape(), array.strides());
    let strided = |axis: usize| if shape[axis] > 1 { steps[axis] } else { 0 };
    if !array.is_aligned() || strided(0) % size != 0 || strided(1) % size != 0 {
        return Err(PyValueError::new_err(
            "X is not aligned to its dtype: pass numpy.ascontiguousarray(X)",
        ));
    }
    let strides = (strided(0) / size, strided(1) / size);
    let reach = |n: usize, stride: isize| n.saturating_sub(1).cast_signed() * stride;
    let (down, right) = (reach(shape[0], strides.0), reach(shape[1], strides.1));
    let low = down.min(0) + right.min(0);
    let values: &[T] = if array.is_empty() {
        &[]
    } else {
        let len = (down.max(0) + right.max(0) - low).cast_unsigned() + 1;
        // SAFETY: NumPy keeps every entry of the array, from the lowest address to the highest,
        // inside one buffer, which the borrowed reference keeps alive; entries are aligned (checked)
        // and any bytes are a float. Nobody writes in Rust while a read-only borrow is held.
        unsafe { std::slice::from_raw_parts(array.data().cast_const().offset(low), len) }
    };
    let offset = low.unsigned_abs();
    Dense::with_strides((shape[0], shape[1]), strides, offset, values)
        .map_err(|e| PyValueError::new_err(e.to_string()))
}

impl<'py, T: Real> Compressed<'py, T> {
    fn of(parts: &Parts<'py>, values: PyReadonlyArray1<'py, T>) -> PyResult<Self> {
        let format = match parts.0.as_str() {
            "csr" => Format::Csr,
            "csc" => Format::Csc,
            other => {
                return Err(PyValueError::new_err(format!(
                    "unknown sparse format '{other}'; known: csr, csc"
                )));
            }
        };
        let aligned = |name: &str, array: &Bound<'_, PyUntypedArray>| {
            if array.is_aligned() {
                return Ok(());
            }
            Err(PyValueError::new_err(format!("{name} of sparse X is not aligned to its dtype")))
        };
        for (name, array) in [("indptr", &parts.2), ("indices", &parts.3), ("data", &parts.4)] {
            if let Ok(array) = array.cast::<PyUntypedArray>() {
                aligned(name, array)?;
            }
        }
        let indptr = Indices::of("indptr", &parts.2)?;
        let indices = Indices::of("indices", &parts.3)?;
        Ok(Self { format, shape: parts.1, indptr, indices, values })
    }

    /// The rows of X, or of its transpose if X is compressed by columns.
    fn compressed(&self) -> partwise::Result<Csr<'_, T>> {
        let shape = match self.format {
            Format::Csr => self.shape,
            Format::Csc => (self.shape.1, self.shape.0),
        };
        match &self.indptr {
            Indices::I32(indptr) => self.rows(shape, &contiguous(indptr)),
            Indices::I64(indptr) => self.rows(shape, &contiguous(indptr)),
        }
    }

    fn rows<I: IndexLike>(
        &self,
        shape: (usize, usize),
        indptr: &[I],
    ) -> partwise::Result<Csr<'_, T>> {
        let values = contiguous(&self.values);
        match &self.indices {
            // A negative index read as unsigned is 2³¹ or more, so the check refuses it.
            Indices::I32(indices) if i32::try_from(shape.1).is_ok() => {
                Csr::new(shape, indptr, unsigned(contiguous(indices)), values).map_err(as_signed)
            }
            Indices::I32(indices) => Csr::from_indices(shape, indptr, &contiguous(indices), values),
            Indices::I64(indices) => Csr::from_indices(shape, indptr, &contiguous(indices), values),
        }
    }
}

impl<'py> Indices<'py> {
    fn of(name: &str, array: &Bound<'py, PyAny>) -> PyResult<Self> {
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
            "{name} of sparse X is {found}; expected 1-D int32 or int64"
        )))
    }
}

/// The values of an array whose alignment was checked; copied only if they are not side by side.
fn contiguous<'a, E: Element + Copy>(array: &'a PyReadonlyArray1<'_, E>) -> Cow<'a, [E]> {
    match array.as_slice() {
        Ok(values) => Cow::Borrowed(values),
        Err(_) => Cow::Owned(array.as_array().to_vec()),
    }
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
