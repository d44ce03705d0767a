//! Files to begin with.

use std::path::{Path, PathBuf};

/// The files of a target: those written by other programs, which the tests of the readers have, and those
/// that were once found; in the order of their names.
#[must_use]
pub fn corpus(target: &str) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let of_tests = root.join("../crates/partwise-io/tests/data");
    let mut files = Vec::new();
    for (folder, extension) in [(of_tests, Some(target)), (root.join("corpus").join(target), None)]
    {
        let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
            .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
            .unwrap_or_default();
        found.retain(|path| extension.is_none_or(|e| path.extension().is_some_and(|x| x == e)));
        found.sort();
        files.extend(found.iter().filter_map(|path| std::fs::read(path).ok()));
    }
    files
}
