//! Signals that ask the program to end: the first one ends a running fit with its best factors, any
//! other ends the program. So does a time limit that passes before the fit has begun.

use crate::failure::Failure;
use serde::Serialize;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, OnceLock, mpsc};
use std::time::{Duration, Instant};

static FITTING: AtomicBool = AtomicBool::new(false);
static STOP: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);
static FIRST: OnceLock<Signal> = OnceLock::new();

/// What asked the program to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum Signal {
    /// Ctrl-C.
    #[serde(rename = "SIGINT")]
    Interrupt,
    /// `kill`, and schedulers when time is up.
    #[serde(rename = "SIGTERM")]
    Terminate,
    /// The terminal was closed.
    #[serde(rename = "SIGHUP")]
    HangUp,
    /// Ctrl-\.
    #[serde(rename = "SIGQUIT")]
    Quit,
}

impl Signal {
    /// The exit code of a program that it ended, as shells have it: 128 and its number.
    pub(crate) fn exit(self) -> u8 {
        match self {
            Self::HangUp => 129,
            Self::Interrupt => 130,
            Self::Quit => 131,
            Self::Terminate => 143,
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
            Self::HangUp => "SIGHUP",
            Self::Quit => "SIGQUIT",
        })
    }
}

/// The signal that ended a fit, if one did.
pub(crate) fn asked() -> Option<Signal> {
    FIRST.get().copied()
}

/// From here on the first signal only asks; what it sets.
pub(crate) fn fitting() -> Arc<AtomicBool> {
    FITTING.store(true, Ordering::SeqCst);
    Arc::clone(&STOP)
}

fn handle(signal: Signal, json: bool) {
    let first = FIRST.set(signal).is_ok();
    STOP.store(true, Ordering::SeqCst);
    if !(first && FITTING.load(Ordering::SeqCst)) {
        leave(Failure::Ended { signal, kept: None }, json);
    }
}

/// Ends the program with what `late` says if no fit has begun at the `deadline`.
pub(crate) fn unless_fitting_by(
    deadline: Instant,
    json: bool,
    late: impl FnOnce() -> Failure + Send + 'static,
) {
    std::thread::spawn(move || {
        std::thread::sleep(deadline.saturating_duration_since(Instant::now()));
        if !FITTING.load(Ordering::SeqCst) {
            leave(late(), json);
        }
    });
}

#[expect(clippy::exit, reason = "the program shall end now, whatever it is at")]
fn leave(failure: Failure, json: bool) -> ! {
    partwise_io::abandon_outputs();
    let code = i32::from(failure.exit());
    // The program may be stuck in writing to where this is written, too.
    let (done, told) = mpsc::channel();
    std::thread::spawn(move || {
        failure.tell(json);
        let _ = done.send(());
    });
    let _ = told.recv_timeout(Duration::from_millis(500));
    std::process::exit(code);
}

/// Takes over the signals. Where that is impossible the system's own handling stays.
#[cfg(unix)]
pub(crate) fn install(json: bool) {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    use signal_hook::iterator::Signals;
    let mut wanted = vec![SIGINT, SIGTERM, SIGQUIT];
    // Under `nohup` the program shall outlive its terminal. SIGINT and SIGQUIT are ignored in jobs
    // that a script puts into the background; whoever sends one of them to such a job means it.
    if !is_ignored(SIGHUP) {
        wanted.push(SIGHUP);
    }
    let Ok(mut signals) = Signals::new(wanted) else { return };
    std::thread::spawn(move || {
        for signal in signals.forever() {
            let signal = match signal {
                SIGTERM => Signal::Terminate,
                SIGHUP => Signal::HangUp,
                SIGQUIT => Signal::Quit,
                _ => Signal::Interrupt,
            };
            handle(signal, json);
        }
    });
}

/// Takes over Ctrl-C.
#[cfg(not(unix))]
pub(crate) fn install(json: bool) {
    let _ = ctrlc::set_handler(move || handle(Signal::Interrupt, json));
}

/// Whether the program was started with a signal ignored.
#[cfg(unix)]
#[expect(unsafe_code, reason = "no safe function asks the system for this")]
fn is_ignored(signal: i32) -> bool {
    let mut now = std::mem::MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: without a new action `sigaction` changes nothing, and writes a whole structure to the
    // pointer if it succeeds, which is when the structure is read.
    unsafe {
        libc::sigaction(signal, std::ptr::null(), now.as_mut_ptr()) == 0
            && now.assume_init().sa_sigaction == libc::SIG_IGN
    }
}
