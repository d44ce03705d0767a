//! Things that are made once and lent to whoever works on something for a while: as many as ever were
//! needed at the same time, which is one for each thread.

use std::sync::{Mutex, PoisonError};

/// What is not lent at the moment.
pub(crate) struct Spare<S>(Mutex<Vec<S>>);

impl<S> Default for Spare<S> {
    fn default() -> Self {
        Self(Mutex::new(Vec::new()))
    }
}

impl<S> Spare<S> {
    /// The first preferred, else any; `None` if all are lent.
    pub(crate) fn take(&self, prefer: impl Fn(&S) -> bool) -> Option<S> {
        let mut spare = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = spare.iter().position(prefer);
        found.map(|at| spare.swap_remove(at)).or_else(|| spare.pop())
    }

    /// Puts one back.
    pub(crate) fn put(&self, one: S) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(one);
    }
}
