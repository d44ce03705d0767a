//! X until a caller says stop or the time is up: also a single pass over a large X can be left.

use super::{Matrix, Visitor};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use std::ops::Range;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long X may still be read for the figures of the result once a halt is due. Bounds with the block of
/// rows that is under way how late a fit returns: users who press Ctrl-C take 0.3 s for at once.
const GRACE: Duration = Duration::from_millis(150);

/// When to leave a pass.
#[derive(Debug)]
pub(crate) struct Halt {
    stop: Option<Arc<AtomicBool>>,
    deadline: Option<Instant>,
    /// Whether what is read now is for the result.
    finishing: AtomicBool,
    /// The end of the grace that the result has.
    end: OnceLock<Instant>,
}

impl Halt {
    pub(crate) fn new(stop: Option<Arc<AtomicBool>>, deadline: Option<Instant>) -> Self {
        Self { stop, deadline, finishing: AtomicBool::new(false), end: OnceLock::new() }
    }

    /// Whether a caller has said stop.
    pub(crate) fn asked(&self) -> bool {
        self.stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    /// Whether a caller has said stop, or the time is up.
    pub(crate) fn is_called(&self) -> bool {
        self.asked() || self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// From here on X is read for the result, which has a short grace.
    pub(crate) fn finish(&self) {
        self.finishing.store(true, Ordering::Relaxed);
    }

    /// There is a fit to come after all.
    pub(crate) fn resume(&self) {
        self.finishing.store(false, Ordering::Relaxed);
    }

    fn is_due(&self) -> bool {
        if !self.is_called() {
            return false;
        }
        let now = Instant::now();
        !self.finishing.load(Ordering::Relaxed) || now >= *self.end.get_or_init(|| now + GRACE)
    }

    /// Whether there is time to go on.
    ///
    /// # Errors
    /// [`Error::Halted`] if not.
    pub(crate) fn go_on(&self) -> Result<()> {
        if self.is_due() { Err(Error::Halted) } else { Ok(()) }
    }
}

/// A matrix whose rows are handed out until a halt is due.
pub(crate) struct Halting<'a, T: Scalar> {
    inner: Box<dyn Matrix<T> + 'a>,
    halt: Arc<Halt>,
}

impl<'a, T: Scalar> Halting<'a, T> {
    pub(crate) fn new(inner: Box<dyn Matrix<T> + 'a>, halt: &Arc<Halt>) -> Self {
        Self { inner, halt: Arc::clone(halt) }
    }
}

impl<T: Scalar> Matrix<T> for Halting<'_, T> {
    fn shape(&self) -> (usize, usize) {
        self.inner.shape()
    }
    fn stored_before(&self, row: usize) -> usize {
        self.inner.stored_before(row)
    }
    fn visit(&self, rows: Range<usize>, work: &mut Visitor<'_, T>) -> Result<()> {
        self.go_on()?;
        self.inner.visit(rows, work)
    }
    fn go_on(&self) -> Result<()> {
        self.halt.go_on()
    }
}

/// A matrix that there was no time to make, or no room.
pub(crate) struct Unmade {
    pub(crate) shape: (usize, usize),
    pub(crate) why: Error,
}

impl<T: Scalar> Matrix<T> for Unmade {
    fn shape(&self) -> (usize, usize) {
        self.shape
    }
    fn stored_before(&self, _: usize) -> usize {
        0
    }
    fn visit(&self, _: Range<usize>, _: &mut Visitor<'_, T>) -> Result<()> {
        Err(self.why.clone())
    }
    fn go_on(&self) -> Result<()> {
        Err(self.why.clone())
    }
}
