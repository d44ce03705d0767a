//! How many threads, also in a forked child.

use std::sync::OnceLock;

/// The process that loaded this module.
static LOADED_IN: OnceLock<u32> = OnceLock::new();

/// Called once, when the module is loaded.
pub(crate) fn remember_process() {
    LOADED_IN.get_or_init(std::process::id);
}

/// The number to give the engine for `asked` threads, where 0 asks for all.
///
/// The engine runs 0 threads in the pool of the process. Threads do not survive a fork, so in a
/// forked child that pool would wait for ever; a number gets a pool of its own.
pub(crate) fn threads(asked: usize) -> usize {
    let forked = LOADED_IN.get().is_some_and(|&id| id != std::process::id());
    if asked == 0 && forked { available() } else { asked }
}

fn available() -> usize {
    let set = std::env::var("RAYON_NUM_THREADS").ok().and_then(|n| n.parse().ok());
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    set.filter(|&n| n > 0).unwrap_or_else(cores)
}
