//! The Python package: built as a wheel into a virtual environment of its own, and tested there.

use crate::{Failed, root, run};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Lints, types and tests of the package in `python/`.
pub(crate) fn test() -> Result<(), Failed> {
    let folder = root().join("python");
    let programs = environment(&folder)?;
    let program = |name: &str| {
        let mut command = Command::new(programs.join(name));
        command.current_dir(&folder);
        command
    };
    run(program("ruff").args(["check", "."]))?;
    run(program("ruff").args(["format", "--check", "."]))?;
    install(&folder, &programs)?;
    run(program("mypy").arg("--no-incremental"))?;
    run(program("stubtest").args(["--mypy-config-file", "pyproject.toml", "partwise._native"]))?;
    // A plain `pytest` keeps the sources out of the search path, so the wheel is what is tested; the
    // setting does so for the interpreters that tests start.
    run(program("pytest").args(["-q"]).env("PYTHONSAFEPATH", "1"))
}

/// The folder of programs of the virtual environment, with the pinned packages in it.
pub(crate) fn environment(folder: &Path) -> Result<PathBuf, Failed> {
    let venv = folder.join(".venv");
    let programs = venv.join("bin");
    if !programs.join("python").exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    }
    let wanted = folder.join("requirements-test.txt");
    let installed = venv.join("requirements-test.txt");
    let text = |path: &Path| std::fs::read_to_string(path).ok();
    if text(&installed).is_none_or(|done| Some(done) != text(&wanted)) {
        let mut pip = Command::new(programs.join("python"));
        run(pip.args(["-m", "pip", "install", "-q", "-r"]).arg(&wanted))?;
        // Without the note they are only installed once more.
        let _ = std::fs::copy(&wanted, &installed);
    }
    Ok(programs)
}

/// Builds the wheel in release and installs it.
fn install(folder: &Path, programs: &Path) -> Result<(), Failed> {
    let wheels = folder.join(".venv/wheels");
    // Only the wheel that is built now may be there.
    let _ = std::fs::remove_dir_all(&wheels);
    let mut maturin = Command::new(programs.join("maturin"));
    maturin.args(["build", "--release", "--locked", "--interpreter"]).arg(programs.join("python"));
    run(maturin.arg("--out").arg(&wheels).current_dir(folder))?;
    let mut pip = Command::new(programs.join("python"));
    pip.args(["-m", "pip", "install", "-q", "--no-deps", "--no-index", "--force-reinstall"]);
    run(pip.arg("--find-links").arg(&wheels).arg("partwise"))
}
