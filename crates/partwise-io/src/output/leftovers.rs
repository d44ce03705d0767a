//! What processes that were killed have left in a folder.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::lock::FolderLock;
use super::owner::{Owner, REPLACED, TEMPORARY};

/// Age at which a file of another machine or container is taken for a leftover: longer than a fit.
const OLD: Duration = Duration::from_secs(30 * 24 * 3600);

/// A file that is not finished.
struct Unfinished {
    path: PathBuf,
    owner: Owner,
    /// The file that it is for, if its name is known.
    target: Option<PathBuf>,
    /// Whether it is what was to be replaced, and not what replaces it.
    replaced: bool,
}

impl Unfinished {
    fn of(folder: &Path, name: &str) -> Option<Self> {
        let (found, replaced) = match Owner::of(name, TEMPORARY) {
            Some(found) => (found, false),
            None => (Owner::of(name, REPLACED)?, true),
        };
        let (target, owner) = found;
        let target = Owner::is_whole(target).then(|| folder.join(target));
        Some(Self { path: folder.join(name), owner, target, replaced })
    }
}

/// Removes the temporary files of processes that are gone.
///
/// A process holds a lock on each of its temporary files, so one that can be locked has been left.
/// That is trusted for files of this machine or container; those of another one, whose locks may
/// not be seen here, must also be old. Where nothing can be locked, the process number decides, as
/// it does for the files of version 0.1, which did not lock them.
///
/// What a process left that was killed while its files got their names is put in order first.
pub(super) fn sweep(folder: &Path) {
    let (replaced, written): (Vec<_>, Vec<_>) = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Unfinished::of(folder, &entry.file_name().into_string().ok()?))
        .partition(|file| file.replaced);
    let torn: HashSet<Owner> = replaced.iter().map(|f| f.owner).filter(|o| o.is_gone()).collect();
    for owner in torn {
        let of = |files: &'_ [Unfinished]| -> Vec<usize> {
            (0..files.len()).filter(|&at| files[at].owner == owner).collect()
        };
        let replaced: Vec<_> = of(&replaced).into_iter().map(|at| &replaced[at]).collect();
        let written: Vec<_> = of(&written).into_iter().map(|at| &written[at]).collect();
        finish(folder, &replaced, &written);
    }
    for file in &written {
        let torn = replaced.iter().any(|other| other.owner == file.owner && other.path.exists());
        if !torn {
            remove_if_left(&file.path, file.owner);
        }
    }
}

/// Ends what a process had begun that was killed while its files got their names.
///
/// Files that replace something come first. If none of them had its name, nothing has happened and
/// all goes. Otherwise the others, which are complete, get their names too. If somebody has changed
/// one of those files meanwhile, everything stays as it is, for somebody to look at, until all of
/// them have been replaced.
fn finish(folder: &Path, replaced: &[&Unfinished], written: &[&Unfinished]) {
    let _lock = FolderLock::take(folder);
    let untouched =
        |file: &Unfinished| file.target.as_ref().is_some_and(|to| is_same(&file.path, to));
    let follows = |file: &&Unfinished| match &file.target {
        None => false,
        Some(to) => match replaced.iter().find(|old| old.target.as_ref() == Some(to)) {
            Some(old) => untouched(old),
            None => !to.exists(),
        },
    };
    let exists = |file: &&Unfinished| file.target.as_ref().is_some_and(|to| to.exists());
    let begun = !replaced.iter().all(|old| untouched(old));
    let ends = begun && written.iter().all(follows);
    let outlived = !replaced.iter().any(|old| untouched(old)) && written.iter().all(exists);
    if begun && !ends && !outlived {
        return;
    }
    for file in written {
        let done = match &file.target {
            Some(to) if ends => fs::rename(&file.path, to),
            _ => fs::remove_file(&file.path),
        };
        if done.is_err() {
            return;
        }
    }
    replaced.iter().for_each(|old| drop(fs::remove_file(&old.path)));
}

#[cfg(unix)]
fn is_same(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (fs::symlink_metadata(a), fs::symlink_metadata(b)) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => false,
    }
}

/// Not known: what a killed process left in the middle stays.
#[cfg(not(unix))]
fn is_same(_: &Path, _: &Path) -> bool {
    false
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::output::owner;
    use std::collections::BTreeMap;

    /// A process number that no system gives.
    const GONE: &str = "-4194999-";

    /// A folder as a process would leave it that was killed after so many of its renames: `w` and `h`
    /// are replaced, `model` is new.
    fn killed_after(renames: usize, test: &str) -> PathBuf {
        let name = format!("partwise-{test}-{renames}.{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        let left = |name: &str, ending: &str| {
            let path = owner::beside(&folder.join(name), ending).expect("a name");
            let own = format!("-{}-", std::process::id());
            PathBuf::from(path.to_string_lossy().replace(&own, GONE))
        };
        for (at, name) in ["w", "h", "model"].into_iter().enumerate() {
            let (path, written) = (folder.join(name), left(name, TEMPORARY));
            fs::write(&written, format!("new {name}")).expect("write");
            if name != "model" {
                fs::write(&path, format!("old {name}")).expect("write");
                fs::hard_link(&path, left(name, REPLACED)).expect("a link");
            }
            if at < renames {
                fs::rename(written, path).expect("rename");
            }
        }
        folder
    }

    fn content(folder: &Path) -> BTreeMap<String, String> {
        let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("entry"));
        entries
            .map(|entry| {
                let name = entry.file_name().to_string_lossy().into_owned();
                (name, fs::read_to_string(entry.path()).expect("text"))
            })
            .collect()
    }

    #[test]
    fn a_killed_commit_is_ended_or_undone() {
        let of = |names: &[&str], age: &str| -> BTreeMap<String, String> {
            names.iter().map(|name| ((*name).to_owned(), format!("{age} {name}"))).collect()
        };
        for renames in 0..=3 {
            let folder = killed_after(renames, "ended");
            sweep(&folder);
            let expected = match renames {
                0 => of(&["w", "h"], "old"),
                _ => of(&["w", "h", "model"], "new"),
            };
            assert_eq!(content(&folder), expected, "killed after {renames} renames");
            fs::remove_dir_all(folder).expect("remove");
        }
    }

    #[test]
    fn what_somebody_has_changed_since_stays() {
        let folder = killed_after(1, "changed");
        fs::remove_file(folder.join("h")).expect("remove");
        fs::write(folder.join("h"), "mine").expect("write");
        let before = content(&folder);
        sweep(&folder);
        assert_eq!(content(&folder), before);
        assert_eq!(before.len(), 6);
        // Another run has replaced them all.
        fs::write(folder.join("model"), "theirs").expect("write");
        sweep(&folder);
        let now: Vec<(String, String)> = content(&folder).into_iter().collect();
        let expected = [("h", "mine"), ("model", "theirs"), ("w", "new w")];
        assert_eq!(now, expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
        fs::remove_dir_all(folder).expect("remove");
    }
}
