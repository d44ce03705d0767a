//! Weights of the entries of X, and which of them are missing.

use crate::data::{HeldAs, Real, reading};
use crate::error::shown;
use crate::sparse::Compressed;
use numpy::PyArray1;
use partwise::matrix::Weights;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

/// The keywords as they were given.
pub(crate) struct Given<'a, 'py> {
    /// A matrix as X.
    pub(crate) weights: Option<&'a Bound<'py, PyAny>>,
    /// 1-D of length m.
    pub(crate) rows: Option<&'a Bound<'py, PyAny>>,
    /// 1-D of length n.
    pub(crate) columns: Option<&'a Bound<'py, PyAny>>,
    /// "nan", "absent", or a sparse matrix whose stored entries are missing.
    pub(crate) missing: Option<&'a Bound<'py, PyAny>>,
}

/// The same with its references, in the precision of X.
pub(crate) struct HeldWeights<'py, T: Real> {
    entries: Option<HeldAs<'py, T>>,
    hidden: Option<Compressed<'py, T>>,
    rows: Option<Vec<T>>,
    columns: Option<Vec<T>>,
    nan_missing: bool,
    absent_missing: bool,
}

impl<'py, T: Real> HeldWeights<'py, T> {
    pub(crate) fn of(given: &Given<'_, 'py>) -> PyResult<Self> {
        let word = given.missing.and_then(|missing| missing.extract::<String>().ok());
        let hidden = match (&word, given.missing) {
            (None, Some(missing)) => Some(mask(missing)?),
            _ => None,
        };
        if let Some(word) = word.as_deref()
            && !matches!(word, "nan" | "absent")
        {
            let text = format!("missing = {word:?} is unknown; known: 'nan', 'absent', or a mask");
            return Err(PyValueError::new_err(text));
        }
        Ok(Self {
            entries: given.weights.map(|w| HeldAs::like_x("weights", w)).transpose()?,
            hidden,
            rows: given.rows.map(|w| values("row_weights", w)).transpose()?,
            columns: given.columns.map(|w| values("column_weights", w)).transpose()?,
            nan_missing: word.as_deref() == Some("nan"),
            absent_missing: word.as_deref() == Some("absent"),
        })
    }

    /// The engine's view of the same memory.
    pub(crate) fn weights(&self, py: Python<'_>) -> PyResult<Weights<'_, T>> {
        Ok(Weights {
            entries: self.entries.as_ref().map(|entries| entries.input(py)).transpose()?,
            hidden: self.hidden.as_ref().map(|hidden| hidden.csr(py)).transpose()?,
            rows: self.rows.clone(),
            columns: self.columns.clone(),
            nan_missing: self.nan_missing,
            absent_missing: self.absent_missing,
        })
    }
}

fn mask<'py, T: Real>(missing: &Bound<'py, PyAny>) -> PyResult<Compressed<'py, T>> {
    Compressed::read("missing", missing)?.ok_or_else(|| {
        PyTypeError::new_err(format!(
            "missing is {}; expected 'nan', 'absent' or ('csr', shape, indptr, indices, data) with \
             data of the dtype of X",
            shown(missing.get_type().as_any())
        ))
    })
}

fn values<T: Real>(name: &str, given: &Bound<'_, PyAny>) -> PyResult<Vec<T>> {
    if let Ok(array) = given.cast::<PyArray1<T>>() {
        let not_contiguous = |_| PyValueError::new_err(format!("{name} is not contiguous"));
        return Ok(reading(array)?.as_slice().map_err(not_contiguous)?.to_vec());
    }
    Err(PyTypeError::new_err(format!(
        "{name} is {}; expected 1-D {}, as in X",
        shown(given.get_type().as_any()),
        T::NAME
    )))
}
