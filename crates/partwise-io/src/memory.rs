//! How much memory a reader may use.

use crate::error::Error;

/// Without an explicit limit, a file may need this many times its own length …
const FACTOR: u64 = 250;
/// … or this much, whichever is more …
const FLOOR: u64 = 256 << 20;

/// Upper bound on the memory that one matrix may take while it is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    limit: u64,
}

impl Budget {
    /// The given limit; without one, 250 times the length of the file but at least 256 MiB, and
    /// never more than three quarters of the memory that is free.
    pub(crate) fn new(limit: Option<u64>, length: u64) -> Self {
        let limit = limit.unwrap_or_else(|| {
            let wanted = length.saturating_mul(FACTOR).max(FLOOR);
            partwise_memory::modest().map_or(wanted, |modest| wanted.min(modest))
        });
        Self { limit }
    }

    pub(crate) fn limit(self) -> u64 {
        self.limit
    }

    /// An error if `what` needs more than the limit.
    pub(crate) fn check(self, what: impl FnOnce() -> String, needed: u128) -> Result<(), Error> {
        if needed > u128::from(self.limit) {
            return Err(Error::Resource { what: what(), needed, limit: self.limit });
        }
        Ok(())
    }
}

/// Makes room for `more` elements, or says that there is none.
pub(crate) fn reserve<T>(vector: &mut Vec<T>, more: usize, what: &str) -> Result<(), Error> {
    vector.try_reserve(more).map_err(|_| {
        let needed = vector.len().saturating_add(more).saturating_mul(size_of::<T>());
        Error::out_of_memory(what, needed as u64)
    })
}
