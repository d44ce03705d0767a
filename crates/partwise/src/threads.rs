//! Work shared by the threads of the rayon pool around it.
//!
//! Passes of a small fit follow each other within fractions of a millisecond, and a thread that has
//! gone to sleep comes back too late for the next one, or on the processor that is busy already. So
//! whoever waits for the last shares of some work stays awake meanwhile, and after work that every
//! thread could have had a share of, all look for more for a while.

use crate::error::{Error, Result};
use rayon::Yield;
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a thread without work looks for more: several times what lies between two passes.
const PATIENCE: Duration = Duration::from_micros(500);

/// Most threads of a pool of our own: a pass has no more than 64 shares that are worth one, and a million
/// threads would take minutes to begin.
const MOST: usize = 256;

/// Bytes of the stack of a thread, as the standard library makes it, and as much for what it begins with.
const STACK: u128 = 4 << 20;

/// A pool of so many threads, or as many as are of use.
///
/// # Errors
/// [`Error::Threads`], or [`Error::Memory`] if there is no room for their stacks.
pub(crate) fn pool(threads: usize) -> Result<rayon::ThreadPool> {
    let count = threads.min(MOST);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(count).build();
    pool.map_err(|e| no_room(count).unwrap_or(Error::Threads { threads, reason: e.to_string() }))
}

/// The error for so many threads that could not be started, if it is for want of memory.
fn no_room(threads: usize) -> Option<Error> {
    let limit = u128::from(partwise_memory::most()?);
    let needed = threads as u128 * STACK;
    let how = format!("{threads} of {STACK} B each");
    (needed > limit).then_some(Error::Memory { what: "threads", how, needed, limit })
}

/// What `work` makes of each item, in their order. Items are begun in order, too; by one thread if
/// they are not worth more (`serial`).
pub(crate) fn map<I: Send, R: Send>(
    items: impl ExactSizeIterator<Item = I> + Send,
    serial: bool,
    work: impl Fn(I) -> R + Sync,
) -> Vec<R> {
    let (shares, threads) = (items.len(), rayon::current_num_threads());
    if serial || shares < 2 || threads < 2 {
        return items.map(work).collect();
    }
    let queue = Mutex::new(items.enumerate());
    let done = Mutex::new(Vec::with_capacity(shares));
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let drain = || {
        while let Some((at, item)) = next() {
            let result = work(item);
            done.lock().unwrap_or_else(PoisonError::into_inner).push((at, result));
        }
    };
    rayon::scope(|scope| {
        (1..threads.min(shares)).for_each(|_| scope.spawn(|_| drain()));
        drain();
        let left = || done.lock().unwrap_or_else(PoisonError::into_inner).len() < shares;
        let until = Instant::now() + PATIENCE;
        look_while(|| left() && Instant::now() < until);
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(at, _)| *at);
    if threads <= shares {
        stay_awake();
    }
    done.into_iter().map(|(_, result)| result).collect()
}

/// Whether someone's work runs within the pool of the process, rather than beside it.
static WITHIN: AtomicBool = AtomicBool::new(false);

/// Runs `work` within the pool of the process, so that its passes need not be handed over to another
/// thread. Only one at a time, and others beside the pool: whoever waits there for its shares may have
/// to do those of all others, but not all that they do.
pub(crate) fn run_within<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    if rayon::current_thread_index().is_some() || WITHIN.swap(true, Ordering::Acquire) {
        return work();
    }
    let _leaving = Leaving;
    rayon::scope(|_| work())
}

/// Lets another one in, however the work ends.
struct Leaving;

impl Drop for Leaving {
    fn drop(&mut self) {
        WITHIN.store(false, Ordering::Release);
    }
}

thread_local! {
    /// Until when this thread looks for work, if it does.
    static UNTIL: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Lets all threads but this one look for work.
fn stay_awake() {
    let here = rayon::current_thread_index();
    rayon::spawn_broadcast(move |there| {
        if here != Some(there.index()) {
            look_for_work();
        }
    });
}

fn look_for_work() {
    // One that looks already, and found this, goes on for longer.
    if UNTIL.replace(Some(Instant::now() + PATIENCE)).is_some() {
        return;
    }
    look_while(|| UNTIL.get().is_some_and(|until| Instant::now() < until));
    UNTIL.set(None);
}

/// Does what other work there is.
fn look_while(more: impl Fn() -> bool) {
    while more() {
        if rayon::yield_now() != Some(Yield::Executed) {
            std::thread::yield_now();
        }
    }
}
