//! The entry `fit`.

use crate::data::{Held, HeldAs, Real};
use crate::error::exception;
use crate::factors::{columns_of, rows_of};
use crate::guard::guarded;
use crate::memory::check;
use crate::options::{penalty_of_any, real, seconds, side, whole};
use crate::pool;
use crate::result::Fit;
use crate::run::{attach_partial, interruptible, run};
use crate::weights::{Given, HeldWeights};
use partwise::verify::held_out;
use partwise::{Options, Rule, Start, Until};
use pyo3::prelude::*;
use std::str::FromStr;

/// Factorises X (m × n) into W (m × k) and H (k × n), all entries ≥ 0.
///
/// `x` is a 2-D float32 or float64 array of any strides, which is borrowed, or a tuple
/// `("csr" | "csc", (m, n), indptr, indices, data)`. `weights` is a matrix as `x`, `row_weights` and
/// `column_weights` are 1-D, `missing` is "nan", "absent" or a CSR tuple, all of the dtype of `x`.
/// `callback` is called with a dict after every
/// iteration, on the thread that called `fit`; it ends the fit by returning True.
///
/// Raises ValueError for what is wrong with X or an option, MemoryError if the factors cannot fit,
/// KeyboardInterrupt with the attribute `partial`, and InternalError for a bug.
#[pyfunction]
#[pyo3(signature = (
    x, rank, *, loss = None, rule = None, init = "random", n_init = None, keep_all = false, seed = None, tol = None,
    until = None, max_iter = None, time_limit = None, threads = None, sweeps = None, plain = None, w = None,
    h = None, fixed = None, w_l1 = None, w_l2 = None, h_l1 = None, h_l2 = None, weights = None,
    row_weights = None, column_weights = None, missing = None, callback = None
))]
#[expect(clippy::too_many_arguments, reason = "keywords of a Python function")]
pub(crate) fn fit(
    py: Python<'_>,
    x: &Bound<'_, PyAny>,
    rank: &Bound<'_, PyAny>,
    loss: Option<&Bound<'_, PyAny>>,
    rule: Option<&str>,
    init: &str,
    n_init: Option<&Bound<'_, PyAny>>,
    keep_all: bool,
    seed: Option<&Bound<'_, PyAny>>,
    tol: Option<&Bound<'_, PyAny>>,
    until: Option<&str>,
    max_iter: Option<&Bound<'_, PyAny>>,
    time_limit: Option<&Bound<'_, PyAny>>,
    threads: Option<&Bound<'_, PyAny>>,
    sweeps: Option<&Bound<'_, PyAny>>,
    plain: Option<&Bound<'_, PyAny>>,
    w: Option<&Bound<'_, PyAny>>,
    h: Option<&Bound<'_, PyAny>>,
    fixed: Option<&str>,
    w_l1: Option<&Bound<'_, PyAny>>,
    w_l2: Option<&Bound<'_, PyAny>>,
    h_l1: Option<&Bound<'_, PyAny>>,
    h_l2: Option<&Bound<'_, PyAny>>,
    weights: Option<&Bound<'_, PyAny>>,
    row_weights: Option<&Bound<'_, PyAny>>,
    column_weights: Option<&Bound<'_, PyAny>>,
    missing: Option<&Bound<'_, PyAny>>,
    callback: Option<Py<PyAny>>,
) -> PyResult<Py<Fit>> {
    let number = |name, given: Option<&Bound<'_, PyAny>>, default| {
        given.map_or(Ok(default), |given| whole(name, given))
    };
    let named = |e| exception(py, &e);
    let any = [w_l1, w_l2, h_l1, h_l2].iter().any(Option::is_some);
    let asked = Options::<f64> {
        rank: whole("rank", rank)?,
        loss: crate::options::loss(loss)?,
        rule: rule.map(Rule::from_str).transpose().map_err(named)?,
        init: Start::from_str(init).map_err(named)?,
        n_init: number("n_init", n_init, 1)?,
        keep_all,
        seed: seed.map_or(Ok(0), crate::options::seed)?,
        tol: tol.map_or(Ok(1e-4), |tol| real("tol", tol))?,
        until: until.map_or(Ok(Until::Stationary), Until::from_str).map_err(named)?,
        max_iter: number("max_iter", max_iter, 500)?,
        time_limit: time_limit.map(seconds).transpose()?.flatten(),
        threads: pool::threads(number("threads", threads, 0)?),
        sweeps: sweeps.map(|n| whole("sweeps", n)).transpose()?,
        plain: number("plain", plain, 0)?,
        w_penalty: penalty_of_any(any, ["w_l1", "w_l2"], [w_l1, w_l2])?,
        h_penalty: penalty_of_any(any, ["h_l1", "h_l2"], [h_l1, h_l2])?,
        fixed: fixed.map(side).transpose()?,
        ..Options::default()
    };
    let callback = callback.as_ref();
    let given = Given { weights, rows: row_weights, columns: column_weights, missing };
    guarded(|| match Held::of(x)? {
        Held::F32(x) => fit_as(py, (&x, &given), with_start(&asked, w, h)?, callback),
        Held::F64(x) => fit_as(py, (&x, &given), with_start(&asked, w, h)?, callback),
    })
}

fn fit_as<T: Real>(
    py: Python<'_>,
    (x, given): (&HeldAs<'_, T>, &Given<'_, '_>),
    options: Options<T>,
    callback: Option<&Py<PyAny>>,
) -> PyResult<Py<Fit>> {
    let weights = HeldWeights::of(given)?;
    let data = weights.of_x(py, x.input(py)?)?;
    let loss = options.loss;
    check("weights of rows and columns", weights.bytes_of_vectors())?;
    let ended = run(py, data.borrowed(), options, callback)?;
    let found = &ended.fit;
    let hidden = if weights.has_mask() && ended.raised.is_none() {
        let (factors, by_weights) = ((&found.w, &found.h), !weights.has_entries());
        let work = |stop| held_out(&data.until(stop), by_weights, factors, loss);
        interruptible(py, work)?
    } else {
        None
    };
    let fit = Py::new(py, Fit::of(py, found, hidden.map(|hidden| (hidden, loss)))?)?;
    match ended.raised {
        None => Ok(fit),
        Some(error) => {
            attach_partial(py, &error, fit);
            Err(error)
        }
    }
}

/// The same options in the precision of X, with the start that was given.
fn with_start<T: Real>(
    asked: &Options<f64>,
    w: Option<&Bound<'_, PyAny>>,
    h: Option<&Bound<'_, PyAny>>,
) -> PyResult<Options<T>> {
    Ok(Options {
        rank: asked.rank,
        loss: asked.loss,
        rule: asked.rule,
        init: asked.init,
        n_init: asked.n_init,
        keep_all: asked.keep_all,
        seed: asked.seed,
        tol: asked.tol,
        until: asked.until,
        max_iter: asked.max_iter,
        time_limit: asked.time_limit,
        stop: None,
        threads: asked.threads,
        sweeps: asked.sweeps,
        plain: asked.plain,
        w: w.map(|w| rows_of("w", w)).transpose()?,
        h: h.map(|h| columns_of("h", h)).transpose()?,
        w_penalty: asked.w_penalty,
        h_penalty: asked.h_penalty,
        fixed: asked.fixed,
        memory_limit: asked.memory_limit,
    })
}
