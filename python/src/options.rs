//! The values of keywords, each refused by its name.

use crate::error::shown;
use partwise::Side;
use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use std::time::Duration;

/// A whole number ≥ 0.
pub(crate) fn whole(name: &str, value: &Bound<'_, PyAny>) -> PyResult<usize> {
    value.extract().map_err(|e: PyErr| refused(value.py(), &e, name, value, "a whole number >= 0"))
}

pub(crate) fn seed(value: &Bound<'_, PyAny>) -> PyResult<u64> {
    let needed = "a whole number from 0 to 2^64 - 1";
    value.extract().map_err(|e: PyErr| refused(value.py(), &e, "seed", value, needed))
}

fn refused(
    py: Python<'_>,
    error: &PyErr,
    name: &str,
    value: &Bound<'_, PyAny>,
    needed: &str,
) -> PyErr {
    let value = shown(value);
    if error.is_instance_of::<PyOverflowError>(py) {
        PyValueError::new_err(format!("{name} = {value} is out of range: {needed}"))
    } else {
        PyTypeError::new_err(format!("{name} = {value}: expected {needed}"))
    }
}

/// A floating-point number.
pub(crate) fn real(name: &str, value: &Bound<'_, PyAny>) -> PyResult<f64> {
    value.extract().map_err(|e: PyErr| refused(value.py(), &e, name, value, "a number"))
}

/// No limit for infinity.
pub(crate) fn seconds(limit: &Bound<'_, PyAny>) -> PyResult<Option<Duration>> {
    let limit = real("time_limit", limit)?;
    if limit == f64::INFINITY {
        return Ok(None);
    }
    Duration::try_from_secs_f64(limit).map(Some).map_err(|_| {
        PyValueError::new_err(format!("time_limit = {limit} is out of range: seconds >= 0"))
    })
}

pub(crate) fn side(name: &str) -> PyResult<Side> {
    match name {
        "w" => Ok(Side::Rows),
        "h" => Ok(Side::Columns),
        _ => Err(PyValueError::new_err(format!("fixed = {name:?} is unknown; known: 'w', 'h'"))),
    }
}

/// The loss: the engine has one so far.
pub(crate) fn loss(given: &Bound<'_, PyAny>) -> PyResult<()> {
    let known = given.extract::<&str>().is_ok_and(|name| name == "frobenius")
        || given.extract::<f64>().is_ok_and(|beta| beta == 2.0);
    if known {
        return Ok(());
    }
    let text = format!("loss = {} is not there yet; known: 'frobenius' (2)", shown(given));
    Err(PyValueError::new_err(text))
}

/// Refuses penalties, which the engine does not have yet.
pub(crate) fn no_penalties(given: &[(&str, Option<&Bound<'_, PyAny>>)]) -> PyResult<()> {
    for (name, weight) in given {
        let weight = weight.map_or(Ok(0.0), |weight| real(name, weight))?;
        if weight != 0.0 {
            return Err(PyValueError::new_err(format!(
                "{name} = {weight} is out of range: penalties are not there yet, so 0"
            )));
        }
    }
    Ok(())
}
