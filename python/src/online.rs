//! The class `Online`: H learnt from batches of rows.

use crate::data::{Held, HeldAs, Real};
use crate::error::exception;
use crate::factors::{columns_of, rows_of};
use crate::guard::guarded;
use crate::options::{penalty, real, whole};
use crate::pool;
use crate::result::{rows, transposed};
use crate::run::interruptible;
use numpy::PyArray2;
use partwise::{Factor, Online as Engine, OnlineOptions, Rule, Statistics, Step};
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard};

/// H, learnt from batches of rows with forgetting.
///
/// `h0` is k × n in the dtype of the batches. `rule` is "mu", for any loss, or "hals", for exact
/// sums under the Frobenius loss. All state is in `h`, `numerator`, `denominator` and `exponent`:
/// setting the last three on a new object goes on to the bit.
///
/// Raises ValueError for what is wrong with H or an option.
#[pyclass(frozen, module = "partwise._native")]
pub(crate) struct Online {
    rule: Rule,
    // Two threads may hold the object, and a step lets others run.
    engine: Mutex<AnyEngine>,
}

enum AnyEngine {
    F32(Engine<f32>),
    F64(Engine<f64>),
}

/// Does `$work` with the engine of either precision.
macro_rules! with_engine {
    ($engine:expr, $name:ident => $work:expr) => {
        match $engine {
            AnyEngine::F32($name) => $work,
            AnyEngine::F64($name) => $work,
        }
    };
}

#[pymethods]
impl Online {
    #[new]
    #[pyo3(signature = (
        h0, *, loss = None, rule = None, sweeps = None, w_l1 = None, w_l2 = None, h_l1 = None,
        h_l2 = None, threads = None
    ))]
    #[expect(clippy::too_many_arguments, reason = "keywords of a Python class")]
    fn new(
        py: Python<'_>,
        h0: &Bound<'_, PyAny>,
        loss: Option<&Bound<'_, PyAny>>,
        rule: Option<&str>,
        sweeps: Option<&Bound<'_, PyAny>>,
        w_l1: Option<&Bound<'_, PyAny>>,
        w_l2: Option<&Bound<'_, PyAny>>,
        h_l1: Option<&Bound<'_, PyAny>>,
        h_l2: Option<&Bound<'_, PyAny>>,
        threads: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let named = |e| exception(py, &e);
        let default = OnlineOptions::default();
        let options = OnlineOptions {
            loss: crate::options::loss(loss)?,
            rule: rule.map_or(Ok(default.rule), Rule::from_str).map_err(named)?,
            sweeps: sweeps.map_or(Ok(default.sweeps), |n| whole("sweeps", n))?,
            w_penalty: penalty(["w_l1", "w_l2"], [w_l1, w_l2])?,
            h_penalty: penalty(["h_l1", "h_l2"], [h_l1, h_l2])?,
            threads: pool::threads(threads.map_or(Ok(0), |n| whole("threads", n))?),
        };
        guarded(|| {
            let engine = if h0.cast::<PyArray2<f32>>().is_ok() {
                Engine::new(columns_of("h0", h0)?, &options).map(AnyEngine::F32)
            } else {
                Engine::new(columns_of("h0", h0)?, &options).map(AnyEngine::F64)
            };
            Ok(Self { rule: options.rule, engine: Mutex::new(engine.map_err(named)?) })
        })
    }

    /// Improves W for the rows of a batch, then H: W (m × k) and the objective per row before H
    /// moved.
    ///
    /// `x` is a matrix as `fit` takes it, m × n. `w` is where W starts; without it each row starts
    /// from equal entries. `rho` is what is left of the sums of former batches. W is updated
    /// `w_iterations` times, or until its KKT residual is at most `w_tol`.
    ///
    /// Raises ValueError for what is wrong with X or an option, TypeError for another dtype than
    /// that of H.
    #[pyo3(signature = (x, w = None, *, rho = None, w_iterations = None, w_tol = None, improve_h = true))]
    #[expect(clippy::too_many_arguments, reason = "keywords of a Python method")]
    fn step(
        &self,
        py: Python<'_>,
        x: &Bound<'_, PyAny>,
        w: Option<&Bound<'_, PyAny>>,
        rho: Option<&Bound<'_, PyAny>>,
        w_iterations: Option<&Bound<'_, PyAny>>,
        w_tol: Option<&Bound<'_, PyAny>>,
        improve_h: bool,
    ) -> PyResult<(Py<PyAny>, f64)> {
        let default = Step::default();
        let step = Step {
            rho: rho.map_or(Ok(default.rho), |v| real("rho", v))?,
            w_iterations: w_iterations
                .map_or(Ok(default.w_iterations), |n| whole("w_iterations", n))?,
            w_tol: w_tol.map_or(Ok(default.w_tol), |v| real("w_tol", v))?,
            improve_h,
        };
        guarded(|| {
            let x = Held::of(x)?;
            match (&mut *self.engine(py)?, &x) {
                (AnyEngine::F32(engine), Held::F32(x)) => step_as(py, engine, x, w, &step),
                (AnyEngine::F64(engine), Held::F64(x)) => step_as(py, engine, x, w, &step),
                _ => Err(PyTypeError::new_err("X is not of the dtype of h0")),
            }
        })
    }

    /// k × n.
    #[getter]
    fn h(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        with_engine!(&*self.engine(py)?, e => transposed(py, e.h()))
    }

    /// k × n.
    #[getter]
    fn numerator(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        with_engine!(&*self.engine(py)?, e => transposed(py, &e.statistics().numerator))
    }

    #[setter]
    fn set_numerator(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = value.py();
        with_engine!(&mut *self.engine(py)?, e => {
            let numerator = columns_of("numerator", value)?;
            set(py, e, |statistics| statistics.numerator = numerator)
        })
    }

    /// k × n under "mu", k × k under "hals".
    #[getter]
    fn denominator(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        with_engine!(&*self.engine(py)?, e => transposed(py, &e.statistics().denominator))
    }

    #[setter]
    fn set_denominator(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = value.py();
        with_engine!(&mut *self.engine(py)?, e => {
            let denominator = columns_of("denominator", value)?;
            set(py, e, |statistics| statistics.denominator = denominator)
        })
    }

    /// The sums are those of X·4^(−exponent) and H·2^(−exponent): 0 unless X is far from 1.
    #[getter]
    fn exponent(&self, py: Python<'_>) -> PyResult<i32> {
        Ok(with_engine!(&*self.engine(py)?, e => e.statistics().exponent))
    }

    #[setter]
    fn set_exponent(&self, py: Python<'_>, value: i32) -> PyResult<()> {
        with_engine!(&mut *self.engine(py)?, e => set(py, e, |s| s.exponent = value))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (n, k) = with_engine!(&*self.engine(py)?, e => (e.h().rows(), e.h().cols()));
        Ok(format!("<partwise._native.Online {} of {k} × {n}>", self.rule))
    }
}

impl Online {
    fn engine(&self, py: Python<'_>) -> PyResult<MutexGuard<'_, AnyEngine>> {
        use pyo3::sync::MutexExt;
        self.engine.lock_py_attached(py).map_err(|_| {
            PyRuntimeError::new_err("a step ended in an error of the library: start anew")
        })
    }
}

fn set<T: Real>(
    py: Python<'_>,
    engine: &mut Engine<T>,
    change: impl FnOnce(&mut Statistics<T>),
) -> PyResult<()> {
    let mut statistics = engine.statistics().try_clone().map_err(|e| exception(py, &e))?;
    change(&mut statistics);
    engine.set_statistics(statistics).map_err(|e| exception(py, &e))
}

fn step_as<T: Real>(
    py: Python<'_>,
    engine: &mut Engine<T>,
    x: &HeldAs<'_, T>,
    w: Option<&Bound<'_, PyAny>>,
    step: &Step,
) -> PyResult<(Py<PyAny>, f64)> {
    let w: Option<Factor<T>> = w.map(|w| rows_of("w", w)).transpose()?;
    let input = x.input(py)?;
    let count = input.shape().0;
    let (w, objective) = interruptible(py, |stop| engine.step(input.until(stop), w, step))?;
    Ok((rows(py, &w)?, objective / count as f64))
}
