//! Every row of `bad_input.tsv` against the program.

#[path = "generate/mod.rs"]
mod generate;

use regex_lite::Regex;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const TIMEOUT: Duration = Duration::from_secs(60);

/// What ends up as text of a crash.
const CRASH: &str = r"panicked|RUST_BACKTRACE|thread '|stack overflow|SIG[A-Z]+|core dumped";

struct Row<'a> {
    id: &'a str,
    files: &'a str,
    arguments: &'a str,
    exit: i32,
    says: &'a str,
}

struct Outcome {
    exit: Option<i32>,
    out: String,
    err: String,
}

#[test]
fn every_row_ends_as_it_should() {
    let table = include_str!("bad_input.tsv");
    let rows: Vec<Row<'_>> = table.lines().filter_map(row).collect();
    assert!(rows.len() > 100, "{} rows", rows.len());
    let failures: Vec<String> = rows
        .iter()
        .filter_map(|row| check(row).err().map(|e| format!("{}: {e}", row.id)))
        .collect();
    assert!(failures.is_empty(), "{} rows:\n\n{}", failures.len(), failures.join("\n\n"));
}

fn row(line: &str) -> Option<Row<'_>> {
    if line.starts_with('#') || line.trim().is_empty() {
        return None;
    }
    let fields: Vec<&str> = line.split('\t').collect();
    let [id, files, arguments, exit, says] = fields[..] else { panic!("five fields: {line}") };
    Some(Row { id, files, arguments, exit: exit.parse().expect("exit"), says })
}

fn check(row: &Row<'_>) -> Result<(), String> {
    let folder = tempfile::tempdir().expect("a folder");
    for file in row.files.split(" ;; ").filter(|file| *file != "-") {
        let (name, spec) = file.split_once('=').expect("NAME=SPEC");
        generate::put(&folder.path().join(name), spec);
    }
    let commands: Vec<&str> = row.arguments.split(" && ").collect();
    let (last, before) = commands.split_last().expect("a command");
    for command in before {
        let outcome = run(folder.path(), command);
        if outcome.exit != Some(0) {
            return Err(format!("{command}\n{}{}", outcome.out, outcome.err));
        }
    }
    let present = names(folder.path());
    let outcome = run(folder.path(), last);
    let Outcome { exit, out, err } = &outcome;
    let all = format!("{out}{err}");
    let wrong = |what: &str| Err(format!("{what}\n  {last}\n  exit {exit:?}\n{all}"));
    if *exit != Some(row.exit) {
        return wrong(&format!("expected exit {}", row.exit));
    }
    if Regex::new(CRASH).expect("regex").is_match(&all) {
        return wrong("text of a crash");
    }
    if !Regex::new(row.says).map_err(|e| format!("{e}: {}", row.says))?.is_match(&all) {
        return wrong(&format!("does not say {}", row.says));
    }
    let now = names(folder.path());
    if now.iter().any(|name| name.ends_with(".tmp")) {
        return wrong("left a temporary file");
    }
    let refused = !matches!(row.exit, 0 | 6 | 7 | 130);
    if refused && now != present {
        return wrong(&format!("left {:?}", now.difference(&present)));
    }
    if refused && !Regex::new(r"(?m)^error\[E-[A-Z]+\]: \S").expect("regex").is_match(err) {
        return wrong("no error line with a code");
    }
    Ok(())
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).expect("folder");
    entries.map(|e| e.expect("entry").file_name().to_string_lossy().into_owned()).collect()
}

/// Runs one command line; `env:NAME=VALUE` sets a variable and `<NAME` gives standard input.
///
/// A fit that names no output gets one, so that every row also shows what a failure leaves.
fn run(folder: &Path, command: &str) -> Outcome {
    let words: Vec<&str> = command.split(' ').filter(|word| !word.is_empty()).collect();
    let mut process = limited();
    process.current_dir(folder).stdin(Stdio::null());
    process.stdout(Stdio::piped()).stderr(Stdio::piped());
    for word in &words {
        if let Some((name, value)) = word.strip_prefix("env:").and_then(|w| w.split_once('=')) {
            process.env(name, value);
        } else if let Some(name) = word.strip_prefix('<') {
            process.stdin(File::open(folder.join(name)).expect("standard input"));
        } else {
            process.arg(word);
        }
    }
    let has_output = words.iter().any(|w| w.contains("-out") || *w == "--model" || *w == "--help");
    if words.first() == Some(&"fit") && !has_output {
        process.args(["--out", "run"]);
    }
    finish(process.spawn().expect("spawn"), command)
}

/// The program with little address space, so that a claimed size is not allocated unnoticed.
fn limited() -> Command {
    let program = env!("CARGO_BIN_EXE_partwise");
    if cfg!(target_os = "linux") {
        let mut shell = Command::new("sh");
        shell.args(["-c", "ulimit -v 3000000; exec \"$0\" \"$@\"", program]);
        shell
    } else {
        Command::new(program)
    }
}

fn finish(mut child: Child, command: &str) -> Outcome {
    let out = reader(child.stdout.take().expect("piped"));
    let err = reader(child.stderr.take().expect("piped"));
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("wait") {
            break status;
        }
        if began.elapsed() > TIMEOUT {
            child.kill().expect("kill");
            panic!("still running after {TIMEOUT:?}: {command}");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let text = |reader: std::thread::JoinHandle<Vec<u8>>| {
        String::from_utf8_lossy(&reader.join().expect("reader")).into_owned()
    };
    Outcome { exit: status.code(), out: text(out), err: text(err) }
}

fn reader(mut pipe: impl Read + Send + 'static) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    })
}
