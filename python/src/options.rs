//! The values of keywords, each refused by its name.

use crate::error::{exception, shown};
use partwise::{Loss, Penalty, Rule, Side};
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

/// The loss by its name or its β.
pub(crate) fn loss(given: Option<&Bound<'_, PyAny>>) -> PyResult<Loss> {
    let Some(given) = given else { return Ok(Loss::FROBENIUS) };
    let named = |e: partwise::Error| exception(given.py(), &e);
    if let Ok(name) = given.extract::<&str>() {
        return name.parse().map_err(named);
    }
    Loss::new(real("loss", given)?).map_err(named)
}

/// What the entries of a factor are charged, if a price of either factor is given.
pub(crate) fn penalty_of_any(
    any: bool,
    names: [&str; 2],
    given: [Option<&Bound<'_, PyAny>>; 2],
) -> PyResult<Option<Penalty>> {
    any.then(|| penalty(names, given)).transpose()
}

/// What the entries of a factor are charged; nothing unless given.
pub(crate) fn penalty(
    names: [&str; 2],
    given: [Option<&Bound<'_, PyAny>>; 2],
) -> PyResult<Penalty> {
    let price = |at: usize| given[at].map_or(Ok(0.0), |price| real(names[at], price));
    Ok(Penalty { l1: price(0)?, l2: price(1)? })
}

/// Whether a rule minimises a loss.
#[pyfunction]
#[pyo3(signature = (rule, loss = None))]
pub(crate) fn supports(
    py: Python<'_>,
    rule: &str,
    loss: Option<&Bound<'_, PyAny>>,
) -> PyResult<bool> {
    let rule: Rule = rule.parse().map_err(|e| exception(py, &e))?;
    Ok(rule.supports(self::loss(loss)?))
}
