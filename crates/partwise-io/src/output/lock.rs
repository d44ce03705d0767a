//! A lock on a folder, held while files in it get their names.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::open;

/// The file that is locked; it is there only while someone holds or wants the lock.
const NAME: &str = ".partwise.lock";

/// The lock; released and its file removed on drop.
#[derive(Debug)]
pub(super) struct FolderLock {
    path: PathBuf,
    _file: File,
}

impl FolderLock {
    /// Waits for the lock. None where the file system has no locks.
    pub(super) fn take(folder: &Path) -> Option<Self> {
        let path = folder.join(NAME);
        loop {
            let file = create(&path)?;
            if file.lock().is_err() {
                let _ = fs::remove_file(&path);
                return None;
            }
            // Whoever held it before has removed the file, and others lock a new one now.
            if is_at(&file, &path) {
                let _ = open::remember(&path);
                return Some(Self { path, _file: file });
            }
        }
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
        open::forget(&self.path);
    }
}

fn create(path: &Path) -> Option<File> {
    match OpenOptions::new().write(true).create(true).truncate(false).open(path) {
        // The file of another user can be locked all the same.
        Err(e) if e.kind() == ErrorKind::PermissionDenied => File::open(path).ok(),
        opened => opened.ok(),
    }
}

/// Whether the open file is still the one of that name.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}
