//! Inputs that nobody would make, for the readers of files and for the boundary to Python.

use crate::{Failed, cargo, python, root, run};
use std::process::Command;

/// The target that is a program of Python.
const PYTHON: &str = "python";

const USAGE: &str =
    "cargo xtask fuzz --seconds N [--seed N] [text | npy | npz | mtx | model | python ...]";

/// What is asked for.
struct Asked {
    seconds: u64,
    seed: u64,
    targets: Vec<String>,
}

/// Runs the targets for an equal share of some seconds each; what they find is left in `target/fuzz/found`.
pub(crate) fn run_all(args: &[String]) -> Result<(), Failed> {
    let Some(asked) = parsed(args) else {
        eprintln!("{USAGE}");
        return Err(Failed);
    };
    let found = root().join("target/fuzz/found");
    let every = asked.targets.is_empty();
    let readers: Vec<&String> = asked.targets.iter().filter(|name| *name != PYTHON).collect();
    let of_python = every || asked.targets.len() > readers.len();
    let of_readers = every || !readers.is_empty();
    // There are five readers, and the boundary to Python takes as long as one of them.
    let count = if every { 6 } else { asked.targets.len() as u64 };
    let share = asked.seconds / count.max(1);
    let seed = asked.seed.to_string();
    let mut failed = false;
    if of_readers {
        cargo(&["build", "--locked", "--package", "partwise-fuzz"])?;
        let mut command = Command::new(root().join("target/debug/partwise-fuzz"));
        let seconds = share * (count - u64::from(of_python));
        command.arg(seconds.to_string()).arg(&found).arg(&seed).args(&readers);
        failed |= run(&mut command).is_err();
    }
    if of_python {
        let folder = root().join("python");
        let program = python::environment(&folder)?.join("python");
        let mut command = Command::new(program);
        command.arg("tests/fuzz.py").args(["--seconds", &share.to_string(), "--seed", &seed]);
        failed |= run(command.arg("--folder").arg(&found).current_dir(&folder)).is_err();
    }
    if failed { Err(Failed) } else { Ok(()) }
}

fn parsed(args: &[String]) -> Option<Asked> {
    let mut asked = Asked { seconds: 0, seed: 1, targets: Vec::new() };
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "--seconds" => asked.seconds = rest.next()?.parse().ok()?,
            "--seed" => asked.seed = rest.next()?.parse().ok()?,
            name if name.starts_with('-') => return None,
            name => asked.targets.push(name.to_owned()),
        }
    }
    (asked.seconds > 0).then_some(asked)
}
