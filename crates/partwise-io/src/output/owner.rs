//! Names of files that are not finished: of which file, whose, on which machine.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::{Error, Place};

/// The ending of what is still being written.
pub(super) const TEMPORARY: &str = ".tmp";
/// The ending of what is being replaced.
pub(super) const REPLACED: &str = ".old";

/// Longest name that is repeated in a temporary one: file systems allow 255 bytes for all of it.
const LONGEST: usize = 200;

/// Who wrote a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Owner {
    /// The machine or container; none in names of version 0.1.
    pub(super) place: Option<u32>,
    /// The process.
    pub(super) pid: u32,
}

impl Owner {
    /// From a name such as `.w.npy.0123abcd-17-0.tmp`, with the name that the file is for.
    pub(super) fn of<'a>(name: &'a str, ending: &str) -> Option<(&'a str, Self)> {
        let (target, id) = name.strip_prefix('.')?.strip_suffix(ending)?.rsplit_once('.')?;
        let parts: Vec<&str> = id.split('-').collect();
        let (place, pid, count) = match parts[..] {
            [place, pid, count] if place.len() == 8 => {
                (Some(u32::from_str_radix(place, 16).ok()?), pid, count)
            }
            [pid, count] => (None, pid, count),
            _ => return None,
        };
        count.parse::<u32>().ok()?;
        Some((target, Self { place, pid: pid.parse().ok()? }))
    }

    /// Whether a name that a file is for is all of it.
    pub(super) fn is_whole(target: &str) -> bool {
        target.len() < LONGEST / 4
    }

    /// Whether it is a process of this machine or container.
    pub(super) fn is_of_here(self) -> bool {
        self.place.is_none_or(|place| place == *HERE)
    }

    /// Whether it is known to be a process that has ended.
    pub(super) fn is_gone(self) -> bool {
        self.is_of_here() && !is_alive(self.pid)
    }
}

/// A new name in the folder of a file.
pub(super) fn beside(target: &Path, ending: &str) -> Result<PathBuf, Error> {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let Some(name) = target.file_name() else {
        return Err(Error::format(Place::File, "no file name", "one"));
    };
    let mut hidden = OsString::from(".");
    if name.len() <= LONGEST {
        hidden.push(name);
    } else {
        // A character has at most four bytes.
        hidden.push(name.to_string_lossy().chars().take(LONGEST / 4).collect::<String>());
    }
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    hidden.push(format!(".{:08x}-{}-{count}{ending}", *HERE, std::process::id()));
    Ok(target.with_file_name(hidden))
}

/// A number for this machine and, on Linux, the namespace of its process numbers.
static HERE: LazyLock<u32> = LazyLock::new(|| {
    let namespace = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let text = [host_name().as_slice(), namespace.as_os_str().as_encoded_bytes()].concat();
    crc32fast::hash(&text)
});

#[cfg(unix)]
fn host_name() -> Vec<u8> {
    rustix::system::uname().nodename().to_bytes().to_vec()
}

#[cfg(not(unix))]
fn host_name() -> Vec<u8> {
    std::env::var_os("COMPUTERNAME").unwrap_or_default().into_encoded_bytes()
}

#[cfg(unix)]
fn is_alive(pid: u32) -> bool {
    use rustix::process::{Pid, test_kill_process};
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return false };
    test_kill_process(pid) != Err(rustix::io::Errno::SRCH)
}

#[cfg(not(unix))]
fn is_alive(_: u32) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_their_owner() {
        let name = beside(Path::new("a/w.npy"), TEMPORARY).map(|p| p.display().to_string());
        let name = name.unwrap_or_default();
        let own = Owner { place: Some(*HERE), pid: std::process::id() };
        let found = name.strip_prefix("a/").and_then(|n| Owner::of(n, TEMPORARY));
        assert_eq!(found, Some(("w.npy", own)));
        assert!(own.is_of_here() && !own.is_gone());
        let before = Owner { place: None, pid: 17 };
        assert_eq!(Owner::of(".w.npy.17-0.tmp", TEMPORARY), Some(("w.npy", before)));
        for other in ["w.17-0.tmp", ".w.tmp", ".w.x-0.tmp", ".w.17-0.old", ".w.17-0-0.tmp"] {
            assert_eq!(Owner::of(other, TEMPORARY), None, "{other}");
        }
    }
}
