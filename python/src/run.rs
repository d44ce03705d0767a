//! The engine on a thread of its own, while the caller's thread waits for it.
//!
//! Python looks for signals on the main thread only, and a callback expects the thread, the context
//! variables and the exceptions of whoever called. So the engine gets the other thread: the caller
//! waits without the interpreter lock, and takes it 20 times a second for signals and whenever there
//! is progress to tell.

use crate::data::Real;
use crate::error::exception;
use crate::guard::internal;
use crate::memory::no_thread;
use partwise::matrix::Data;
use partwise::{Fit, Observer, Options, Progress, fit_observed};
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// Time between two looks for signals.
const LOOK: Duration = Duration::from_millis(50);

/// A fit, and the exception that ended it early.
pub(crate) struct Ended<T: Real> {
    pub(crate) fit: Fit<T>,
    pub(crate) raised: Option<PyErr>,
}

/// Tells the caller's thread of each iteration and waits for what it says.
struct Reporter {
    stop: Arc<AtomicBool>,
    /// Closes when the fit ends, which wakes the caller.
    tell: Sender<Progress>,
    /// What to wait for after telling; `None` if nobody wants to know.
    heard: Option<Receiver<()>>,
}

impl Observer for Reporter {
    fn iteration(&mut self, progress: &Progress) -> ControlFlow<()> {
        if let Some(heard) = &self.heard
            && self.tell.send(*progress).is_ok()
        {
            // An error means that the caller is gone, and `stop` is set.
            let _ = heard.recv();
        }
        if self.stop.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

/// Fits `data`, calling `callback` with the progress after every iteration.
///
/// # Errors
/// What the engine refuses; [`InternalError`](crate::error::InternalError) for a panic. An exception
/// in the callback or of a signal is in [`Ended::raised`], with the fit as far as it came.
pub(crate) fn run<T: Real>(
    py: Python<'_>,
    data: Data<'_, T>,
    options: Options<T>,
    callback: Option<&Py<PyAny>>,
) -> PyResult<Ended<T>> {
    let stop = Arc::new(AtomicBool::new(false));
    let options = Options { stop: Some(Arc::clone(&stop)), ..options };
    let (tell, told) = channel();
    let (answer, heard) = channel();
    let mut reporter = Reporter { stop: Arc::clone(&stop), tell, heard: callback.map(|_| heard) };
    let waiting = Waiting { stop: &stop, told, answer, callback };
    let (fit, raised) =
        on_a_thread(py, waiting, move || fit_observed(data, &options, &mut reporter))?;
    match (fit, raised) {
        // Stopped before there was anything to return.
        (Err(partwise::Error::Halted), Some(raised)) => Err(raised),
        (fit, raised) => Ok(Ended { fit: fit.map_err(|e| exception(py, &e))?, raised }),
    }
}

/// Does `work`, which gives X up when the flag that it is called with becomes true.
///
/// # Errors
/// The exception of a signal, what the engine refuses, [`InternalError`](crate::error::InternalError)
/// for a panic.
pub(crate) fn interruptible<R: Send>(
    py: Python<'_>,
    work: impl FnOnce(Arc<AtomicBool>) -> partwise::Result<R> + Send,
) -> PyResult<R> {
    let stop = Arc::new(AtomicBool::new(false));
    let (tell, told) = channel();
    let (answer, _) = channel();
    let waiting = Waiting { stop: &stop, told, answer, callback: None };
    let given = Arc::clone(&stop);
    let (found, raised) = on_a_thread(py, waiting, move || {
        let found = work(given);
        drop(tell);
        found
    })?;
    match raised {
        Some(raised) => Err(raised),
        None => found.map_err(|e| exception(py, &e)),
    }
}

/// Does `work` on another thread while this one waits for the end of what it tells.
fn on_a_thread<R: Send>(
    py: Python<'_>,
    waiting: Waiting<'_>,
    work: impl FnOnce() -> R + Send,
) -> PyResult<(R, Option<PyErr>)> {
    let (outcome, raised) = py.detach(move || {
        // What the work holds is still there if no thread can be started, and why is asked.
        let mut work = Some(work);
        std::thread::scope(|scope| {
            let worker = std::thread::Builder::new().name("partwise".into());
            match worker.spawn_scoped(scope, || work.take().map(|work| work())) {
                Ok(worker) => {
                    let raised = waiting.wait();
                    (Ok(worker.join()), raised)
                }
                Err(error) => (Err(no_thread(&error)), None),
            }
        })
    });
    let found = outcome?.map_err(|payload| internal(&*payload))?;
    Ok((found.ok_or_else(|| internal(&"work is done once"))?, raised))
}

/// The caller's end.
struct Waiting<'a> {
    stop: &'a AtomicBool,
    told: Receiver<Progress>,
    answer: Sender<()>,
    callback: Option<&'a Py<PyAny>>,
}

impl Waiting<'_> {
    /// Returns when the work has ended, with the first exception.
    fn wait(self) -> Option<PyErr> {
        let mut raised = None;
        let mut looked = Instant::now();
        loop {
            let told = match self.told.recv_timeout(LOOK.saturating_sub(looked.elapsed())) {
                Ok(progress) => Some(progress),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return raised,
            };
            let stopping = self.stop.load(Ordering::Relaxed);
            let look = looked.elapsed() >= LOOK;
            if !stopping && (look || told.is_some()) {
                match self.ask(told.as_ref(), look) {
                    Ok(stop) => self.stop.store(stop, Ordering::Relaxed),
                    Err(error) => {
                        self.stop.store(true, Ordering::Relaxed);
                        raised = Some(error);
                    }
                }
            }
            if look {
                looked = Instant::now();
            }
            if told.is_some() {
                // An error means that the fit is gone, which the next wait sees.
                let _ = self.answer.send(());
            }
        }
    }

    /// Whether to stop. If the interpreter is shutting down there is nobody left to fit for.
    fn ask(&self, told: Option<&Progress>, look: bool) -> PyResult<bool> {
        let asked = Python::try_attach(|py| {
            let mut stop = false;
            if let (Some(progress), Some(callback)) = (told, self.callback) {
                let said = callback.bind(py).call1((as_dict(py, progress)?,))?;
                stop = said.is_truthy()?;
            }
            if look {
                py.check_signals()?;
            }
            Ok(stop)
        });
        asked.unwrap_or(Ok(true))
    }
}

fn as_dict<'py>(py: Python<'py>, p: &Progress) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("iteration", p.iteration)?;
    dict.set_item("max_iter", p.max_iter)?;
    dict.set_item("seconds", p.seconds)?;
    dict.set_item("ended", p.ended)?;
    dict.set_item("n_init", p.n_init)?;
    dict.set_item("objective", p.objective)?;
    dict.set_item("relative_error", p.relative_error)?;
    dict.set_item("kkt_residual", p.kkt.residual())?;
    dict.set_item("tol", p.tol)?;
    Ok(dict)
}

/// Gives an exception the fit as far as it came, as its attribute `partial`. An exception that a
/// callback raised itself stays as it is.
pub(crate) fn attach_partial(py: Python<'_>, error: &PyErr, fit: Py<crate::result::Fit>) {
    if error.is_instance_of::<PyKeyboardInterrupt>(py) {
        // An exception that takes no attributes is raised without.
        let _ = error.value(py).setattr("partial", fit);
    }
}
