//! Ctrl-C: the first one ends a running fit with its best factors, any other ends the program.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

static FITTING: AtomicBool = AtomicBool::new(false);
static ASKED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);
static OUTPUTS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// The exit code of a program ended by Ctrl-C.
pub(crate) const EXIT: u8 = 130;

/// Takes over Ctrl-C. Where that is impossible the system's own handling stays.
pub(crate) fn install() {
    let _ = ctrlc::set_handler(|| {
        let first = !ASKED.swap(true, Ordering::SeqCst);
        if !(first && FITTING.load(Ordering::SeqCst)) {
            leave();
        }
    });
}

/// Whether Ctrl-C was pressed.
pub(crate) fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}

/// From here on the first Ctrl-C only asks; what it sets.
pub(crate) fn fitting() -> Arc<AtomicBool> {
    FITTING.store(true, Ordering::SeqCst);
    Arc::clone(&ASKED)
}

/// Notes an output whose temporary file must not outlive the program.
pub(crate) fn remember(output: &Path) {
    if let Ok(mut outputs) = OUTPUTS.lock() {
        outputs.push(output.to_path_buf());
    }
}

#[expect(clippy::exit, reason = "whoever presses twice wants out now")]
fn leave() -> ! {
    if let Ok(outputs) = OUTPUTS.try_lock() {
        outputs.iter().for_each(|output| remove_temporary(output));
    }
    std::process::exit(i32::from(EXIT));
}

/// Removes what an output of this process left beside its name.
fn remove_temporary(output: &Path) {
    let (Some(folder), Some(name)) = (output.parent(), output.file_name()) else { return };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let prefix = format!(".{}.{}-", name.to_string_lossy(), std::process::id());
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(&prefix) && name.ends_with(".tmp") {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
