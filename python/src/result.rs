//! A fit as Python reads it.

use crate::data::Real;
use crate::memory::vector;
use numpy::{PyArray1, PyArray2, PyArrayMethods};
use partwise::metric::{Kkt, Sparsity};
use partwise::verify::HeldOut;
use partwise::{Factor, Loss, Record, Restart};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

/// What a fit returns; arrays have the dtype of X.
#[pyclass(frozen, get_all, module = "partwise._native")]
pub(crate) struct Fit {
    /// m × k.
    w: Py<PyAny>,
    /// k × n.
    h: Py<PyAny>,
    /// How the best restart ended: a name.
    status: &'static str,
    /// Iterations of the best restart.
    iterations: usize,
    /// Wall time of the whole fit.
    seconds: f64,
    /// What was minimised: the divergence and the penalties.
    objective: f64,
    /// D(X, WH) alone.
    divergence: f64,
    /// How far rounding may have moved `divergence`.
    objective_bound: f64,
    /// ‖X − WH‖ / ‖X‖.
    relative_error: f64,
    /// 1 − ‖X − WH‖² / ‖X‖².
    explained_variance: f64,
    /// The parts of the KKT residual.
    kkt: Py<PyDict>,
    /// The one number that `tol` is compared with.
    kkt_residual: f64,
    /// Hoyer sparsity of W, in [0, 1].
    w_sparsity: f64,
    /// Hoyer sparsity of H, in [0, 1].
    h_sparsity: f64,
    /// Hoyer sparsity of each column of W.
    w_component_sparsity: Py<PyArray1<f64>>,
    /// Hoyer sparsity of each row of H.
    h_component_sparsity: Py<PyArray1<f64>>,
    /// What W and H were charged: λ₁ and λ₂ of each.
    w_l1: f64,
    w_l2: f64,
    h_l1: f64,
    h_l2: f64,
    /// λ₂ of both, if it was chosen since entries are missing.
    ridge: Option<f64>,
    /// How well entries of a mask are predicted that X holds: count, measure, error, row_means.
    hidden: Option<Py<PyDict>>,
    /// Arrays `iteration`, `seconds`, `objective`, `kkt_residual` of equal length.
    history: Py<PyDict>,
    /// A dict for each restart.
    restarts: Py<PyList>,
    /// A pair W, H for each restart, if all were to be kept.
    every: Py<PyList>,
    /// What else there is to know.
    warnings: Vec<String>,
    /// Those of them that change what the factors mean.
    notable: Vec<String>,
}

#[pymethods]
impl Fit {
    fn __repr__(&self) -> String {
        format!(
            "<partwise._native.Fit {} after {} iterations, relative error {:.4e}>",
            self.status, self.iterations, self.relative_error
        )
    }
}

impl Fit {
    pub(crate) fn of<T: Real>(
        py: Python<'_>,
        fit: &partwise::Fit<T>,
        hidden: Option<(HeldOut, Loss)>,
    ) -> PyResult<Self> {
        let of_the_result = fit.warnings.iter().filter(|warning| warning.is_of_the_result());
        let components = |s: &Sparsity| vector(py, s.components.iter().copied()).map(Bound::unbind);
        Ok(Self {
            w: rows(py, &fit.w)?,
            h: transposed(py, &fit.h)?,
            status: fit.status.name(),
            iterations: fit.iterations,
            seconds: fit.seconds,
            objective: fit.objective,
            divergence: fit.divergence,
            objective_bound: fit.objective_bound,
            relative_error: fit.relative_error,
            explained_variance: fit.explained_variance,
            kkt: kkt(py, &fit.kkt)?.unbind(),
            kkt_residual: fit.kkt.residual(),
            w_sparsity: fit.w_sparsity.whole,
            h_sparsity: fit.h_sparsity.whole,
            w_component_sparsity: components(&fit.w_sparsity)?,
            h_component_sparsity: components(&fit.h_sparsity)?,
            w_l1: fit.w_penalty.l1,
            w_l2: fit.w_penalty.l2,
            h_l1: fit.h_penalty.l1,
            h_l2: fit.h_penalty.l2,
            ridge: fit.ridge,
            hidden: hidden.map(|(hidden, loss)| of_hidden(py, hidden, loss)).transpose()?,
            history: history(py, &fit.history)?.unbind(),
            restarts: restarts(py, &fit.restarts)?.unbind(),
            every: every(py, &fit.every)?.unbind(),
            warnings: fit.warnings.iter().map(ToString::to_string).collect(),
            notable: of_the_result.map(ToString::to_string).collect(),
        })
    }
}

/// A factor as an array of its own.
pub(crate) fn rows<T: Real>(py: Python<'_>, f: &Factor<T>) -> PyResult<Py<PyAny>> {
    array(py, (f.rows(), f.cols()), |i, row| row.copy_from_slice(f.row(i)))
}

/// The transpose of a factor as an array of its own: k×n from a stored n×k.
pub(crate) fn transposed<T: Real>(py: Python<'_>, f: &Factor<T>) -> PyResult<Py<PyAny>> {
    array(py, (f.cols(), f.rows()), |t, row| {
        row.iter_mut().enumerate().for_each(|(j, v)| *v = f.get(j, t));
    })
}

/// A new array, filled row by row; MemoryError if there is no room for it.
#[allow(unsafe_code)]
fn array<T: Real>(
    py: Python<'_>,
    (rows, cols): (usize, usize),
    fill: impl Fn(usize, &mut [T]),
) -> PyResult<Py<PyAny>> {
    let shape = ((rows, cols), numpy::dtype::<T>(py));
    let array = py.import("numpy")?.call_method1("zeros", shape)?.cast_into::<PyArray2<T>>()?;
    // SAFETY: nobody else has this array yet. A borrow is not asked for: a child forked during a
    // fit keeps the borrows of threads that it does not have, at addresses that are free again.
    if let Ok(values) = unsafe { array.as_slice_mut() } {
        let rows = values.chunks_exact_mut(cols.max(1)).enumerate();
        rows.for_each(|(i, row)| fill(i, row));
    }
    Ok(array.into_any().unbind())
}

fn of_hidden(py: Python<'_>, hidden: HeldOut, loss: Loss) -> PyResult<Py<PyDict>> {
    let squares = loss == Loss::FROBENIUS;
    let dict = PyDict::new(py);
    dict.set_item("count", hidden.count)?;
    dict.set_item("measure", if squares { "root_mean_squared_error" } else { "mean_divergence" })?;
    dict.set_item("error", hidden.error)?;
    dict.set_item("row_means", hidden.row_means)?;
    Ok(dict.unbind())
}

/// The parts of a KKT residual.
pub(crate) fn kkt<'py>(py: Python<'py>, kkt: &Kkt) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("w", kkt.w)?;
    dict.set_item("w_zeros", kkt.w_zeros)?;
    dict.set_item("h", kkt.h)?;
    dict.set_item("h_zeros", kkt.h_zeros)?;
    Ok(dict)
}

fn history<'py>(py: Python<'py>, records: &[Record]) -> PyResult<Bound<'py, PyDict>> {
    let floats = |of: fn(&Record) -> f64| vector(py, records.iter().map(of));
    let iteration = records.iter().map(|r| r.iteration as i64);
    let dict = PyDict::new(py);
    dict.set_item("iteration", vector(py, iteration)?)?;
    dict.set_item("seconds", floats(|r| r.seconds)?)?;
    dict.set_item("objective", floats(|r| r.objective)?)?;
    dict.set_item("kkt_residual", floats(|r| r.kkt.residual())?)?;
    Ok(dict)
}

fn every<'py, T: Real>(
    py: Python<'py>,
    all: &[(Factor<T>, Factor<T>)],
) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for (w, h) in all {
        list.append((rows(py, w)?, transposed(py, h)?))?;
    }
    Ok(list)
}

fn restarts<'py>(py: Python<'py>, all: &[Restart]) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for r in all {
        let dict = PyDict::new(py);
        dict.set_item("restart", r.restart)?;
        dict.set_item("status", r.status.name())?;
        dict.set_item("iterations", r.iterations)?;
        dict.set_item("objective", r.objective)?;
        dict.set_item("kkt_residual", r.kkt.residual())?;
        list.append(dict)?;
    }
    Ok(list)
}
