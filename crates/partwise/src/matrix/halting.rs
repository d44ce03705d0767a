//! X until a caller says stop or the time is up: also a single pass over a large X can be left.

use super::{Matrix, Visitor};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// When to leave a pass.
#[derive(Debug)]
pub(crate) struct Halt {
    stop: Option<Arc<AtomicBool>>,
    deadline: Option<Instant>,
    /// The deadline counts once there is an iterate to return.
    begun: AtomicBool,
    /// What remains to be read after a halt, for the result, is not halted again.
    over: AtomicBool,
}

impl Halt {
    pub(crate) fn new(stop: Option<Arc<AtomicBool>>, deadline: Option<Instant>) -> Self {
        Self { stop, deadline, begun: AtomicBool::new(false), over: AtomicBool::new(false) }
    }

    /// Whether a caller has said stop.
    pub(crate) fn asked(&self) -> bool {
        self.stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    /// There is an iterate to return.
    pub(crate) fn begin(&self) {
        self.begun.store(true, Ordering::Relaxed);
    }

    /// Lets all passes to come go on to their ends.
    pub(crate) fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    fn is_due(&self) -> bool {
        let begun = self.begun.load(Ordering::Relaxed);
        let late = || begun && self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        !self.over.load(Ordering::Relaxed) && (self.asked() || late())
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
        if self.halt.is_due() { Err(Error::Halted) } else { Ok(()) }
    }
}
