//! Running the program in a folder of its own.
#![allow(dead_code, reason = "each test file takes what it needs")]

use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

pub(crate) fn partwise(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_partwise"));
    command.current_dir(folder).args(arguments.split(' ')).stdin(Stdio::null());
    command
}

/// Runs a command that must succeed, in a folder where `digits.npy` and `words.csv.gz` lie.
pub(crate) fn run(folder: &TempDir, arguments: &str) -> (String, String) {
    let Output { status, stdout, stderr } =
        partwise(folder.path(), arguments).output().expect("spawn");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let (out, err) = (text(stdout), text(stderr));
    assert!(status.success(), "{arguments}\n{out}{err}");
    (out, err)
}

pub(crate) fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/data");
    let copies = [("digits.npy", "digits.npy"), ("descriptions.csv.gz", "words.csv.gz")];
    for (from, to) in copies {
        std::fs::copy(data.join(from), folder.path().join(to)).expect("example data");
    }
    folder
}

pub(crate) fn bytes(folder: &TempDir, name: &str) -> Vec<u8> {
    std::fs::read(folder.path().join(name)).expect("an output")
}

/// The numbers of an npy file of doubles or singles.
pub(crate) fn numbers(npy: &[u8]) -> Vec<f64> {
    let header = usize::from(u16::from_le_bytes([npy[8], npy[9]]));
    let (head, data) = npy.split_at(10 + header);
    if head.windows(3).any(|w| w == b"<f8") {
        data.chunks(8).map(|c| f64::from_le_bytes(c.try_into().expect("8"))).collect()
    } else {
        data.chunks(4).map(|c| f32::from_le_bytes(c.try_into().expect("4")).into()).collect()
    }
}
