//! Errors of the engine as exceptions of Python.

use partwise::Error;
use pyo3::exceptions::{PyMemoryError, PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;

pyo3::create_exception!(
    partwise,
    InternalError,
    PyRuntimeError,
    "A bug in partwise. The interpreter and other fits are unaffected."
);

/// Longest text of an exception, in characters.
const LONGEST: usize = 500;

/// The exception for an error of the engine. Where an entry of X is at fault, the exception has
/// the attributes `row`, `col`, `value` and `count`.
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    let mut text = error.to_string();
    if matches!(error, Error::NotFinite { value, .. } if value.is_nan()) {
        text.push_str("; partwise.fit leaves them out with missing='nan'");
    }
    let text = cut(&text, LONGEST);
    match error {
        Error::Memory { .. } => PyMemoryError::new_err(text),
        Error::Source { .. } | Error::Threads { .. } => PyOSError::new_err(text),
        Error::Negative { row, col, value, count, .. }
        | Error::NotFinite { row, col, value, count } => {
            let exception = PyValueError::new_err(text);
            // An exception without the attributes is still the right one.
            let _ = place(exception.value(py), (*row, *col), *value, *count);
            exception
        }
        _ => PyValueError::new_err(text),
    }
}

fn place(
    exception: &Bound<'_, PyAny>,
    (row, col): (usize, usize),
    value: f64,
    count: usize,
) -> PyResult<()> {
    exception.setattr("row", row)?;
    exception.setattr("col", col)?;
    exception.setattr("value", value)?;
    exception.setattr("count", count)
}

/// `text`, or its beginning in at most `longest` characters.
pub(crate) fn cut(text: &str, longest: usize) -> String {
    if text.chars().nth(longest).is_none() {
        return text.to_owned();
    }
    text.chars().take(longest - 1).chain(['…']).collect()
}

/// What an exception shows of a value that was given.
pub(crate) fn shown(value: &Bound<'_, PyAny>) -> String {
    let text = value.repr().map(|text| text.to_string());
    cut(&text.unwrap_or_else(|_| "?".into()), 60)
}
