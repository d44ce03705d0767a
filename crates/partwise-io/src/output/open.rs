//! What this process has begun and not finished: files under temporary names, folders made for
//! them. Whoever ends the process at once removes it all.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::Error;

static OPEN: Mutex<Open> =
    Mutex::new(Open { files: Vec::new(), folders: Vec::new(), seen: Vec::new(), ending: false });

/// The list; as long as it is held, no file gets its final name elsewhere and nothing is abandoned.
#[derive(Debug)]
pub(super) struct Open {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
    /// Folders in which outputs have been opened.
    seen: Vec<PathBuf>,
    ending: bool,
}

impl Open {
    pub(super) fn forget(&mut self, file: &Path) {
        self.files.retain(|open| open != file);
    }
}

/// Removes every output of this process that does not have its final name yet, and empty folders
/// made for them; afterwards none can be opened or committed.
///
/// For a thread that is about to end the process. Waits up to two seconds for a commit under way,
/// which usually takes less than a millisecond.
pub fn abandon_outputs() {
    const PATIENCE: Duration = Duration::from_secs(2);
    let began = Instant::now();
    let mut open = loop {
        match OPEN.try_lock() {
            Ok(open) => break open,
            Err(std::sync::TryLockError::Poisoned(poisoned)) => break poisoned.into_inner(),
            Err(_) if began.elapsed() > PATIENCE => return,
            Err(_) => std::thread::sleep(Duration::from_millis(1)),
        }
    };
    open.ending = true;
    open.files.drain(..).for_each(|file| drop(std::fs::remove_file(file)));
    open.folders.drain(..).for_each(|folder| drop(std::fs::remove_dir(folder)));
}

/// Holds the list while files get their names.
pub(super) fn hold() -> Result<MutexGuard<'static, Open>, Error> {
    let open = list();
    if open.ending { Err(ending()) } else { Ok(open) }
}

pub(super) fn remember(file: &Path) -> Result<(), Error> {
    hold()?.files.push(file.to_path_buf());
    Ok(())
}

pub(super) fn forget(file: &Path) {
    list().forget(file);
}

/// Whether this is the first output of the process in a folder.
pub(super) fn first_in(folder: &Path) -> bool {
    let mut open = list();
    let first = !open.seen.iter().any(|seen| seen == folder);
    if first {
        open.seen.push(folder.to_path_buf());
    }
    first
}

fn list() -> MutexGuard<'static, Open> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn ending() -> Error {
    let cause = std::io::Error::new(std::io::ErrorKind::Interrupted, "the program is ending");
    Error::Io { action: "create the output", cause }
}

/// A folder made for outputs; it goes again if it stays empty.
#[derive(Debug)]
pub struct OutputFolder(PathBuf);

impl OutputFolder {
    /// Makes the folder.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], with its name.
    pub fn make(path: &Path) -> Result<Self, Error> {
        let mut open = hold()?;
        std::fs::create_dir(path)
            .map_err(|e| Error::io("make the folder")(e).at(&path.to_string_lossy()))?;
        open.folders.push(path.to_path_buf());
        Ok(Self(path.to_path_buf()))
    }
}

impl Drop for OutputFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.0);
        list().folders.retain(|folder| *folder != self.0);
    }
}
