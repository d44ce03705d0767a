//! Tells the program of which commit it is and for which target.
//!
//! The commit is read from the repository's own files, without `git`. A published package has it in
//! `.cargo_vcs_info.json`, and whoever builds from elsewhere can give it in `PARTWISE_COMMIT`. The
//! program is built again only when the commit changes.

use std::env::var;
use std::fs::read_to_string;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=PARTWISE_COMMIT");
    let folder = PathBuf::from(var("CARGO_MANIFEST_DIR").unwrap_or_default());
    let given = var("PARTWISE_COMMIT").ok().filter(|commit| !commit.is_empty());
    let commit = given
        .or_else(|| of_package(&folder))
        // The package may lie in the repository of something else, but not at this depth.
        .or_else(|| of_repository(&folder.join("../../.git")))
        .filter(|commit| commit.bytes().all(|b| b.is_ascii_alphanumeric()));
    println!("cargo::rustc-env=PARTWISE_COMMIT={}", commit.as_deref().unwrap_or("unknown"));
    println!("cargo::rustc-env=PARTWISE_TARGET={}", var("TARGET").unwrap_or_default());
}

/// From what `cargo package` notes.
fn of_package(folder: &Path) -> Option<String> {
    let text = read_to_string(folder.join(".cargo_vcs_info.json")).ok()?;
    let (_, rest) = text.split_once("\"sha1\"")?;
    rest.split('"').nth(1).map(str::to_owned)
}

/// From the files of a repository. Their changes are watched as far as they exist, for cargo takes a
/// missing file for one that has changed.
fn of_repository(git: &Path) -> Option<String> {
    // In a second working tree it is a file that names the folder.
    let git = match read_to_string(git) {
        Ok(text) => git.parent()?.join(text.strip_prefix("gitdir:")?.trim()),
        Err(_) => git.to_path_buf(),
    };
    let head = watched(&git.join("HEAD"))?;
    let Some(branch) = head.strip_prefix("ref:").map(str::trim) else {
        return Some(head.trim().to_owned());
    };
    let common = read_to_string(git.join("commondir")).map(|text| git.join(text.trim()));
    let common = common.unwrap_or(git);
    if let Some(commit) = watched(&common.join(branch)) {
        return Some(commit.trim().to_owned());
    }
    // A branch without a file of its own: it gets one with its next commit.
    if let Some(folder) = common.join(branch).parent().filter(|folder| folder.exists()) {
        println!("cargo::rerun-if-changed={}", folder.display());
    }
    let packed = watched(&common.join("packed-refs"))?;
    let line = packed.lines().find(|line| line.split(' ').nth(1) == Some(branch))?;
    line.split(' ').next().map(str::to_owned)
}

/// The text of a file, which is watched from now on.
fn watched(path: &Path) -> Option<String> {
    let text = read_to_string(path).ok()?;
    println!("cargo::rerun-if-changed={}", path.display());
    Some(text)
}
