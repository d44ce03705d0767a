//! Factors given as arrays; they are copied, because the engine pads their rows.

use crate::data::{Real, reading};
use crate::error::{exception, shown};
use numpy::{PyArray2, PyReadonlyArray2, PyUntypedArrayMethods};
use partwise::Factor;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

/// A factor from its rows: W from m × k.
pub(crate) fn rows_of<T: Real>(name: &str, array: &Bound<'_, PyAny>) -> PyResult<Factor<T>> {
    filled(name, array, |rows, cols| (rows, cols), |i, j| (i, j))
}

/// A factor from its columns: H, stored tall, from k × n.
pub(crate) fn columns_of<T: Real>(name: &str, array: &Bound<'_, PyAny>) -> PyResult<Factor<T>> {
    filled(name, array, |rows, cols| (cols, rows), |i, j| (j, i))
}

fn filled<T: Real>(
    name: &str,
    array: &Bound<'_, PyAny>,
    shape: fn(usize, usize) -> (usize, usize),
    at: fn(usize, usize) -> (usize, usize),
) -> PyResult<Factor<T>> {
    if let Ok(array) = array.cast::<PyArray2<f64>>() {
        return copied(name, &reading(array)?, shape, at);
    }
    match array.cast::<PyArray2<f32>>() {
        Ok(array) => copied(name, &reading(array)?, shape, at),
        Err(_) => Err(PyTypeError::new_err(format!(
            "{name} is {}; expected a 2-D float32 or float64 array",
            shown(array.get_type().as_any())
        ))),
    }
}

fn copied<T: Real, G: Real>(
    name: &str,
    array: &PyReadonlyArray2<'_, G>,
    shape: fn(usize, usize) -> (usize, usize),
    at: fn(usize, usize) -> (usize, usize),
) -> PyResult<Factor<T>> {
    if !array.is_aligned() {
        return Err(PyValueError::new_err(format!("{name} is not aligned to its dtype")));
    }
    let py = array.py();
    let array = array.as_array();
    let (rows, cols) = shape(array.nrows(), array.ncols());
    let mut f = Factor::try_zeros(rows, cols).map_err(|e| exception(py, &e))?;
    for ((i, j), v) in array.indexed_iter() {
        let (row, col) = at(i, j);
        f.row_mut(row)[col] = T::from_f64(v.to_f64());
    }
    Ok(f)
}
