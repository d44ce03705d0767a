//! What is done with the factors of a fit.

use crate::data::{Held, HeldAs, Real};
use crate::factors::{columns_of, rows_of};
use crate::guard::guarded;
use crate::memory::check;
use crate::options::{penalty, real, whole};
use crate::pool;
use crate::result::{kkt, rows};
use crate::run::interruptible;
use crate::weights::{Given, HeldWeights};
use partwise::verify::Objective;
use partwise::{Transform, Transformed, transform_told};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// W ≥ 0 (m × k) that fits X (m × n) best for given H (k × n), each row by itself: exact for the
/// Frobenius loss, until the KKT residual of the row is at most `tol` for others. Beside W a list of the
/// rows that did not come so far within `max_iter` steps.
///
/// `weights`, `column_weights` and `missing` as in `fit`. Raises ValueError for what `fit` refuses
/// of X and H.
#[pyfunction]
#[pyo3(signature = (
    x, h, *, loss = None, w_l1 = None, w_l2 = None, weights = None, column_weights = None,
    missing = None, tol = None, max_iter = None, threads = None
))]
#[expect(clippy::too_many_arguments, reason = "keywords of a Python function")]
pub(crate) fn transform(
    py: Python<'_>,
    x: &Bound<'_, PyAny>,
    h: &Bound<'_, PyAny>,
    loss: Option<&Bound<'_, PyAny>>,
    w_l1: Option<&Bound<'_, PyAny>>,
    w_l2: Option<&Bound<'_, PyAny>>,
    weights: Option<&Bound<'_, PyAny>>,
    column_weights: Option<&Bound<'_, PyAny>>,
    missing: Option<&Bound<'_, PyAny>>,
    tol: Option<&Bound<'_, PyAny>>,
    max_iter: Option<&Bound<'_, PyAny>>,
    threads: Option<&Bound<'_, PyAny>>,
) -> PyResult<Py<PyAny>> {
    let usual = Transform::default();
    let options = Transform {
        loss: crate::options::loss(loss)?,
        penalty: penalty(["w_l1", "w_l2"], [w_l1, w_l2])?,
        tol: tol.map_or(Ok(usual.tol), |tol| real("tol", tol))?,
        max_iter: max_iter.map_or(Ok(usual.max_iter), |n| whole("max_iter", n))?,
        threads: pool::threads(threads.map_or(Ok(0), |n| whole("threads", n))?),
    };
    let given = Given { weights, rows: None, columns: column_weights, missing };
    guarded(|| match Held::of(x)? {
        Held::F32(x) => transform_as(py, (&x, &given), h, &options),
        Held::F64(x) => transform_as(py, (&x, &given), h, &options),
    })
}

fn transform_as<T: Real>(
    py: Python<'_>,
    (x, given): (&HeldAs<'_, T>, &Given<'_, '_>),
    h: &Bound<'_, PyAny>,
    options: &Transform,
) -> PyResult<Py<PyAny>> {
    let h = columns_of::<T>("h", h)?;
    let weights = HeldWeights::of(given)?;
    let data = weights.of_x(py, x.input(py)?)?;
    let Transformed { w, unfinished } =
        interruptible(py, |stop| transform_told(data.until(stop), &h, options))?;
    // A list holds a pointer to each number, and a number takes up to 32 bytes.
    let listed = unfinished.len() as u128 * 40;
    check("the list of rows that did not come to their end", listed)?;
    Ok((rows(py, &w)?, unfinished).into_pyobject(py)?.into_any().unbind())
}

/// Recomputes the figures of a result in float64 with plain loops: a dict with `objective`,
/// `divergence`, `objective_bound`, `relative_error`, `explained_variance`, `observed`, `kkt` and
/// `kkt_residual`.
///
/// Loss, penalties, weights and `missing` as in `fit`. Raises ValueError if the shapes of X (m × n),
/// W (m × k) and H (k × n) disagree or a factor has an entry that is negative or not finite.
#[pyfunction]
#[pyo3(signature = (
    x, w, h, *, loss = None, w_l1 = None, w_l2 = None, h_l1 = None, h_l2 = None, weights = None,
    row_weights = None, column_weights = None, missing = None
))]
#[expect(clippy::too_many_arguments, reason = "keywords of a Python function")]
pub(crate) fn verify<'py>(
    py: Python<'py>,
    x: &Bound<'py, PyAny>,
    w: &Bound<'py, PyAny>,
    h: &Bound<'py, PyAny>,
    loss: Option<&Bound<'py, PyAny>>,
    w_l1: Option<&Bound<'_, PyAny>>,
    w_l2: Option<&Bound<'_, PyAny>>,
    h_l1: Option<&Bound<'_, PyAny>>,
    h_l2: Option<&Bound<'_, PyAny>>,
    weights: Option<&Bound<'_, PyAny>>,
    row_weights: Option<&Bound<'_, PyAny>>,
    column_weights: Option<&Bound<'_, PyAny>>,
    missing: Option<&Bound<'_, PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let objective = Objective {
        loss: crate::options::loss(loss)?,
        w_penalty: penalty(["w_l1", "w_l2"], [w_l1, w_l2])?,
        h_penalty: penalty(["h_l1", "h_l2"], [h_l1, h_l2])?,
    };
    let given = Given { weights, rows: row_weights, columns: column_weights, missing };
    guarded(|| match Held::of(x)? {
        Held::F32(x) => verify_as(py, (&x, &given), (w, h), &objective),
        Held::F64(x) => verify_as(py, (&x, &given), (w, h), &objective),
    })
}

fn verify_as<'py, T: Real>(
    py: Python<'py>,
    (x, given): (&HeldAs<'py, T>, &Given<'_, '_>),
    (w, h): (&Bound<'py, PyAny>, &Bound<'py, PyAny>),
    objective: &Objective,
) -> PyResult<Bound<'py, PyDict>> {
    let (w, h) = (rows_of::<T>("w", w)?, columns_of::<T>("h", h)?);
    let weights = HeldWeights::of(given)?;
    let data = weights.of_x(py, x.input(py)?)?;
    let work = |stop| partwise::verify::verify(data.until(stop), &w, &h, objective);
    let found = interruptible(py, work)?;
    let dict = PyDict::new(py);
    dict.set_item("objective", found.objective)?;
    dict.set_item("divergence", found.divergence)?;
    dict.set_item("objective_bound", found.objective_bound)?;
    dict.set_item("relative_error", found.relative_error)?;
    dict.set_item("explained_variance", found.explained_variance)?;
    dict.set_item("observed", found.observed)?;
    dict.set_item("kkt", kkt(py, &found.kkt)?)?;
    dict.set_item("kkt_residual", found.kkt.residual())?;
    Ok(dict)
}
