//! The SVD start of scikit-learn's interface.

use crate::data::{Held, HeldAs, Real};
use crate::factors::rows_of;
use crate::guard::guarded;
use crate::options::{real, seconds, whole};
use crate::pool;
use crate::result::{rows, transposed};
use crate::run::interruptible;
use partwise::{Error, SvdStart};
use pyo3::prelude::*;
use std::time::{Duration, Instant};

/// W (m × k) and H (k × n) by NNDSVD from `steps` of subspace iteration, or None if `time_limit` seconds
/// do not suffice.
///
/// `test` has the vectors that the iteration begins with as columns, a row for each entry of the shorter
/// side of X. Entries below `floor` count as zero, and `fill` stands in for zeros. Raises ValueError for
/// what is wrong with X or `test`, MemoryError and KeyboardInterrupt.
#[pyfunction]
#[pyo3(signature = (
    x, rank, test, steps, *, floor = None, fill = None, time_limit = None, threads = None
))]
#[expect(clippy::too_many_arguments, reason = "keywords of a Python function")]
pub(crate) fn svd_start(
    py: Python<'_>,
    x: &Bound<'_, PyAny>,
    rank: &Bound<'_, PyAny>,
    test: &Bound<'_, PyAny>,
    steps: &Bound<'_, PyAny>,
    floor: Option<&Bound<'_, PyAny>>,
    fill: Option<&Bound<'_, PyAny>>,
    time_limit: Option<&Bound<'_, PyAny>>,
    threads: Option<&Bound<'_, PyAny>>,
) -> PyResult<Option<(Py<PyAny>, Py<PyAny>)>> {
    let began = Instant::now();
    let limit = time_limit.map(seconds).transpose()?.flatten();
    let deadline = limit.and_then(|limit: Duration| began.checked_add(limit));
    let asked = Asked {
        rank: whole("rank", rank)?,
        steps: whole("steps", steps)?,
        floor: floor.map_or(Ok(0.0), |floor| real("floor", floor))?,
        fill: fill.map_or(Ok(0.0), |fill| real("fill", fill))?,
        threads: pool::threads(threads.map_or(Ok(0), |n| whole("threads", n))?),
        deadline,
    };
    guarded(|| match Held::of(x)? {
        Held::F32(x) => start_as(py, &x, test, &asked),
        Held::F64(x) => start_as(py, &x, test, &asked),
    })
}

/// The keywords in either precision.
struct Asked {
    rank: usize,
    steps: usize,
    floor: f64,
    fill: f64,
    threads: usize,
    deadline: Option<Instant>,
}

fn start_as<T: Real>(
    py: Python<'_>,
    x: &HeldAs<'_, T>,
    test: &Bound<'_, PyAny>,
    asked: &Asked,
) -> PyResult<Option<(Py<PyAny>, Py<PyAny>)>> {
    let &Asked { rank, steps, floor, fill, threads, deadline } = asked;
    let test = rows_of::<T>("test", test)?;
    let options = SvdStart { rank, test, steps, floor, fill, threads };
    let x = x.input(py)?;
    let found = interruptible(py, |stop| {
        let x = x.borrowed().until(stop);
        let x = if let Some(deadline) = deadline { x.before(deadline) } else { x };
        match partwise::svd_start(x, &options) {
            // Where a signal has said stop, its exception is raised instead.
            Err(Error::Halted) => Ok(None),
            found => found.map(Some),
        }
    })?;
    found.map(|(w, h)| Ok((rows(py, &w)?, transposed(py, &h)?))).transpose()
}
