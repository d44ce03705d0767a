//! Project automation: `cargo xtask test`, `cargo xtask fuzz`, `cargo xtask bench`.

mod bench;
mod fuzz;
mod python;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const USAGE: &str = "\
cargo xtask test             formatting, lints, every test, documentation; the Python package and its tests
cargo xtask python           the Python package and its tests alone (needs python3 >= 3.11 and PyPI)
cargo xtask fuzz --seconds N [--seed N] [TARGET ...]
                             inputs that nobody would make, for every reader and the boundary to Python
                             (text, npy, npz, mtx, model, python; the package as \"cargo xtask python\" left it)
cargo xtask bench [NAME ...] time to scikit-learn's objective and kernel rates (needs python3 and PyPI)";

/// Why a task failed; already told.
#[derive(Debug)]
struct Failed;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args.first().map(String::as_str) {
        Some("test") => test(),
        Some("python") => python::test(),
        Some("fuzz") => fuzz::run_all(&args[1..]),
        Some("bench") => bench::run_all(&args[1..]),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What decides whether a change is good.
fn test() -> Result<(), Failed> {
    cargo(&["fmt", "--all", "--check"])?;
    cargo(&["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
    cargo(&["test", "--locked", "--workspace"])?;
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let mut doc = Command::new(cargo);
    run(doc.args(["doc", "--locked", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))?;
    python::test()
}

fn cargo(args: &[&str]) -> Result<(), Failed> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    run(Command::new(cargo).args(args))
}

/// Runs a command, in the root of the workspace unless it has a folder, showing it first.
fn run(command: &mut Command) -> Result<(), Failed> {
    eprintln!("$ {command:?}");
    let folder = command.get_current_dir().map_or_else(root, Path::to_path_buf);
    match command.current_dir(folder).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            eprintln!("failed: {status}");
            Err(Failed)
        }
        Err(error) => {
            eprintln!("cannot start: {error}");
            Err(Failed)
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_path_buf)
}
