//! Weights of the entries of X, and which of them are missing.

use crate::data::{HeldAs, Real, reading};
use crate::error::{exception, shown};
use crate::memory::room;
use crate::sparse::Compressed;
use numpy::{PyArray1, PyArray2, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use partwise::matrix::{Data, Weights};
use partwise::{Error, Input};
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
    /// "nan", "absent", a boolean array whose true entries are missing, or a sparse matrix whose stored
    /// entries are.
    pub(crate) missing: Option<&'a Bound<'py, PyAny>>,
}

/// The same with its references, in the precision of X.
pub(crate) struct HeldWeights<'py, T: Real> {
    entries: Option<HeldAs<'py, T>>,
    hidden: Option<Mask<'py, T>>,
    rows: Option<PyReadonlyArray1<'py, T>>,
    columns: Option<PyReadonlyArray1<'py, T>>,
    nan_missing: bool,
    absent_missing: bool,
}

/// What says where entries are missing.
enum Mask<'py, T: Real> {
    Dense(PyReadonlyArray2<'py, bool>),
    Sparse(Compressed<'py, T>),
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

    /// Whether a mask says what is missing.
    pub(crate) fn has_mask(&self) -> bool {
        self.hidden.is_some()
    }

    /// Whether entries have weights of their own.
    pub(crate) fn has_entries(&self) -> bool {
        self.entries.is_some()
    }

    /// Bytes of a copy of the weights of rows and columns.
    pub(crate) fn bytes_of_vectors(&self) -> u128 {
        let values = [&self.rows, &self.columns].into_iter().flatten();
        values.map(|w| (w.len() * size_of::<T>()) as u128).sum()
    }

    /// X beside the engine's view of the same memory.
    pub(crate) fn of_x<'a>(&'a self, py: Python<'_>, x: Input<'a, T>) -> PyResult<Data<'a, T>> {
        let mut weights = Weights {
            entries: self.entries.as_ref().map(|entries| entries.input(py)).transpose()?,
            hidden: None,
            rows: self.rows.as_ref().map(|w| copied("row_weights", w)).transpose()?,
            columns: self.columns.as_ref().map(|w| copied("column_weights", w)).transpose()?,
            nan_missing: self.nan_missing,
            absent_missing: self.absent_missing,
        };
        match &self.hidden {
            None => {}
            Some(Mask::Sparse(mask)) => weights.hidden = Some(mask.csr(py)?),
            Some(Mask::Dense(mask)) => {
                let (mask, (rows, cols)) = (mask.as_array(), x.shape());
                if mask.dim() != x.shape() {
                    let (found_rows, found_cols) = mask.dim();
                    let what = "the mask";
                    let error = Error::Shape { what, found_rows, found_cols, rows, cols };
                    return Err(exception(py, &error));
                }
                let hidden = weights.hide(x.shape(), |i, j| mask[[i, j]]);
                hidden.map_err(|e| exception(py, &e))?;
            }
        }
        Ok(Data { x, weights })
    }
}

fn mask<'py, T: Real>(missing: &Bound<'py, PyAny>) -> PyResult<Mask<'py, T>> {
    if let Ok(array) = missing.cast::<PyArray2<bool>>() {
        return Ok(Mask::Dense(reading(array)?));
    }
    Compressed::read("missing", missing)?.map(Mask::Sparse).ok_or_else(|| {
        PyTypeError::new_err(format!(
            "missing is {}; expected 'nan', 'absent', a 2-D boolean array or ('csr', shape, indptr, \
             indices, data) with data of the dtype of X",
            shown(missing.get_type().as_any())
        ))
    })
}

fn values<'py, T: Real>(
    name: &str,
    given: &Bound<'py, PyAny>,
) -> PyResult<PyReadonlyArray1<'py, T>> {
    if let Ok(array) = given.cast::<PyArray1<T>>() {
        return reading(array);
    }
    Err(PyTypeError::new_err(format!(
        "{name} is {}; expected 1-D {}, as in X",
        shown(given.get_type().as_any()),
        T::NAME
    )))
}

fn copied<T: Real>(name: &str, given: &PyReadonlyArray1<'_, T>) -> PyResult<Vec<T>> {
    let not_contiguous = |_| PyValueError::new_err(format!("{name} is not contiguous"));
    let values = given.as_slice().map_err(not_contiguous)?;
    let mut copy = room(name, values.len())?;
    copy.extend_from_slice(values);
    Ok(copy)
}
