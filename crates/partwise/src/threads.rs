//! Work shared by the threads of the rayon pool around it.
//!
//! Passes of a small fit follow each other within fractions of a millisecond, and a thread that has
//! gone to sleep comes back too late for the next one, or on the processor that is busy already. So
//! after work that every thread could have had a share of, they look for more for a while.

use rayon::Yield;
use rayon::prelude::*;
use std::cell::Cell;
use std::time::{Duration, Instant};

/// How long a thread without work looks for more: several times what lies between two passes.
const PATIENCE: Duration = Duration::from_micros(500);

/// What `work` makes of each item, in their order. Items are begun in order, too; by one thread if
/// they are not worth more (`serial`).
pub(crate) fn map<I: Send, R: Send>(
    items: impl ExactSizeIterator<Item = I> + Send,
    serial: bool,
    work: impl Fn(I) -> R + Sync,
) -> Vec<R> {
    let shares = items.len();
    if serial || shares < 2 {
        return items.map(work).collect();
    }
    let work = |(at, item)| (at, work(item));
    let mut done: Vec<(usize, R)> = items.enumerate().par_bridge().map(work).collect();
    done.sort_unstable_by_key(|(at, _)| *at);
    if (2..=shares).contains(&rayon::current_num_threads()) {
        stay_awake();
    }
    done.into_iter().map(|(_, result)| result).collect()
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
    while UNTIL.get().is_some_and(|until| Instant::now() < until) {
        if rayon::yield_now() != Some(Yield::Executed) {
            std::thread::yield_now();
        }
    }
    UNTIL.set(None);
}
