//! What processes that were killed have left in a folder.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::owner::{Owner, REPLACED, TEMPORARY};

/// Age at which a file of another machine or container is taken for a leftover: longer than a fit.
const OLD: Duration = Duration::from_secs(30 * 24 * 3600);

/// Removes temporary files whose process is gone.
///
/// A process holds a lock on each of its temporary files, so one that can be locked has been left.
/// That is trusted for files of this machine or container; those of another one, whose locks may
/// not be seen here, must also be old. Where nothing can be locked, the process number decides, as
/// it does for the files of version 0.1, which did not lock them.
///
/// A file that was being replaced goes as well, unless its process was killed in the middle of
/// that: then all its files stay, for somebody to look at.
pub(super) fn sweep(folder: &Path) {
    let names: Vec<String> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with('.'))
        .collect();
    let owners = |ending| names.iter().filter_map(move |name| Owner::of(name, ending));
    let replaced: HashSet<Owner> = owners(REPLACED).collect();
    let written: HashSet<Owner> = owners(TEMPORARY).collect();
    for name in &names {
        let path = folder.join(name);
        if let Some(owner) = Owner::of(name, TEMPORARY) {
            if !(replaced.contains(&owner) && owner.is_gone()) {
                remove_if_left(&path, owner);
            }
        } else if let Some(owner) = Owner::of(name, REPLACED)
            && !written.contains(&owner)
            && owner.is_gone()
        {
            let _ = fs::remove_file(path);
        }
    }
}

fn remove_if_left(path: &Path, owner: Owner) {
    // A pipe would wait for its other end.
    if !fs::symlink_metadata(path).is_ok_and(|about| about.is_file()) {
        return;
    }
    let Ok(file) = OpenOptions::new().write(true).open(path).or_else(|_| File::open(path)) else {
        return;
    };
    let left = match file.try_lock() {
        Ok(()) if owner.place.is_none() => owner.is_gone(),
        Ok(()) => owner.is_of_here() || is_old(&file),
        Err(TryLockError::WouldBlock) => false,
        Err(TryLockError::Error(_)) => owner.is_gone(),
    };
    // Still locked, so that its owner cannot begin to use it meanwhile.
    if left {
        let _ = fs::remove_file(path);
    }
}

fn is_old(file: &File) -> bool {
    let changed = file.metadata().and_then(|about| about.modified());
    changed.is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age > OLD))
}
