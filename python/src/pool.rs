//! How many threads, also in a forked child.

use std::sync::OnceLock;

/// The process that loaded this module.
static LOADED_IN: OnceLock<u32> = OnceLock::new();

/// Called once, when the module is loaded.
pub(crate) fn remember_process() {
    LOADED_IN.get_or_init(std::process::id);
}

/// The number to give the engine for `asked` threads, where 0 asks for what the environment allows.
///
/// The engine runs 0 threads in the pool of the process. Threads do not survive a fork, so in a
/// forked child that pool would wait for ever; a number gets a pool of its own.
pub(crate) fn threads(asked: usize) -> usize {
    let forked = LOADED_IN.get().is_some_and(|&id| id != std::process::id());
    match (asked, allowed()) {
        (0, None) if forked => std::thread::available_parallelism().map_or(1, usize::from),
        (0, Some(allowed)) => allowed,
        _ => asked,
    }
}

/// The number of threads that variables of the environment allow, in the order of who is meant:
/// this library's pool, or every numerical library. Process pools such as joblib's set the latter in
/// their workers, which would otherwise start as many threads each as there are cores.
fn allowed() -> Option<usize> {
    let number = |name: &str| {
        let text = std::env::var(name).ok()?;
        // OpenMP takes a list with a number for each level of nesting.
        let first = text.split(',').next()?.trim().parse().ok()?;
        Some(first).filter(|&n| n > 0)
    };
    number("RAYON_NUM_THREADS").or_else(|| number("OMP_NUM_THREADS"))
}
