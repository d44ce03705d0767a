//! A panic becomes an exception: the interpreter lives, and nothing is printed.

use crate::error::InternalError;
use pyo3::prelude::*;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

/// What the last panic said and where: its payload alone has no place.
static LAST: Mutex<Option<String>> = Mutex::new(None);

/// Keeps the report of a panic for the exception instead of printing it.
///
/// The hook is that of this library's own copy of `std`: panics of other extensions are theirs.
pub(crate) fn install() {
    std::panic::set_hook(Box::new(|info| {
        if let Ok(mut last) = LAST.lock() {
            *last = Some(info.to_string().replace('\n', " "));
        }
    }));
}

/// Runs `work`; a panic in it becomes [`InternalError`].
pub(crate) fn guarded<R>(work: impl FnOnce() -> PyResult<R>) -> PyResult<R> {
    // Unwind safety: after a panic nothing that `work` changed is used again; arrays are only read.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| Err(internal(&*payload)))
}

/// The exception for what a panic carried.
pub(crate) fn internal(payload: &(dyn Any + Send)) -> PyErr {
    let said = payload.downcast_ref::<String>().map(String::as_str);
    let said = said.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("panic");
    let last = LAST.lock().ok().and_then(|mut last| last.take());
    let report = last.filter(|report| report.contains(said)).unwrap_or_else(|| said.to_owned());
    InternalError::new_err(format!(
        "{report}; this is a bug in partwise {}: please report it with this text",
        env!("CARGO_PKG_VERSION")
    ))
}

/// Panics, so that a test can see what becomes of it: `where` is "call" or "thread".
#[pyfunction]
#[pyo3(signature = (place = "call"))]
pub(crate) fn _panic_for_test(py: Python<'_>, place: &str) -> PyResult<()> {
    let inside = place == "thread";
    guarded(|| {
        py.detach(|| -> PyResult<()> {
            if inside {
                // As the engine does it: a panic of a worker goes on in whoever waits for it.
                let worker = std::thread::spawn(|| panic!("asked for by a test, on a thread"));
                worker.join().unwrap_or_else(|payload| std::panic::resume_unwind(payload));
            }
            panic!("asked for by a test");
        })
    })
}
