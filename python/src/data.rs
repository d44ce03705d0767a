//! X as Python holds it, borrowed without a copy.
//!
//! NumPy arrays are counted references, so their memory stays where it is while a fit runs. Python
//! can still write to it: a fit then works on a mixture of the old and the new values.

use crate::error::shown;
use crate::sparse::Compressed;
use numpy::ndarray::Dimension;
use numpy::{
    Element, PyArray, PyArray2, PyArrayMethods, PyReadonlyArray, PyReadonlyArray2, PyUntypedArray,
    PyUntypedArrayMethods,
};
use partwise::{Dense, Input, Scalar};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// The numbers that both the engine and NumPy know.
pub(crate) trait Real: Scalar + Element {}
impl Real for f32 {}
impl Real for f64 {}

/// X in either precision.
pub(crate) enum Held<'py> {
    F32(HeldAs<'py, f32>),
    F64(HeldAs<'py, f64>),
}

/// X with its references.
pub(crate) enum HeldAs<'py, T: Real> {
    Dense(&'static str, PyReadonlyArray2<'py, T>),
    Sparse(Compressed<'py, T>),
}

impl<'py> Held<'py> {
    /// From a 2-D array, or from `(format, shape, indptr, indices, data)`.
    pub(crate) fn of(x: &Bound<'py, PyAny>) -> PyResult<Self> {
        if let Some(x) = HeldAs::read("X", x)? {
            return Ok(Self::F64(x));
        }
        HeldAs::read("X", x)?.map(Self::F32).ok_or_else(|| unreadable("X", x, "float32 or float64"))
    }
}

impl<'py, T: Real> HeldAs<'py, T> {
    /// `None` if `x` holds other numbers, or is something else.
    fn read(name: &'static str, x: &Bound<'py, PyAny>) -> PyResult<Option<Self>> {
        if let Ok(array) = x.cast::<PyArray2<T>>() {
            return Ok(Some(Self::Dense(name, reading(array)?)));
        }
        Ok(Compressed::read(name, x)?.map(Self::Sparse))
    }

    /// From a matrix that must hold the numbers that X holds.
    pub(crate) fn like_x(name: &'static str, x: &Bound<'py, PyAny>) -> PyResult<Self> {
        Self::read(name, x)?.ok_or_else(|| unreadable(name, x, &format!("{}, as in X", T::NAME)))
    }

    /// The engine's view of the same memory; checks the structure of a sparse matrix.
    pub(crate) fn input(&self, py: Python<'_>) -> PyResult<Input<'_, T>> {
        match self {
            Self::Dense(name, array) => Ok(dense(name, array)?.into()),
            Self::Sparse(x) => x.input(py),
        }
    }
}

fn unreadable(name: &str, x: &Bound<'_, PyAny>, needed: &str) -> PyErr {
    if let Ok(array) = x.cast::<PyUntypedArray>() {
        return PyTypeError::new_err(format!(
            "{name} has dtype {} and {} dimensions; expected 2-D {needed}",
            array.dtype(),
            array.ndim()
        ));
    }
    if x.is_instance_of::<PyTuple>() {
        return PyTypeError::new_err(format!(
            "{name}: expected (format, (rows, columns), indptr, indices, data) with data 1-D {needed}"
        ));
    }
    PyTypeError::new_err(format!(
        "{name} is {}; expected a 2-D array or (format, shape, indptr, indices, data)",
        shown(x.get_type().as_any())
    ))
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
fn dense<'a, T: Real>(name: &str, array: &'a PyReadonlyArray2<'_, T>) -> PyResult<Dense<'a, T>> {
    let size = size_of::<T>().cast_signed();
    let (shape, steps) = (array.shape(), array.strides());
    let strided = |axis: usize| if shape[axis] > 1 { steps[axis] } else { 0 };
    if !array.is_aligned() || strided(0) % size != 0 || strided(1) % size != 0 {
        return Err(PyValueError::new_err(format!(
            "{name} is not aligned to its dtype: pass numpy.ascontiguousarray of it"
        )));
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
