//! Completions, manual pages, versions.

mod common;

use common::{partwise, run};
use std::process::{Command, Stdio};

const COMMANDS: [&str; 5] = ["fit", "transform", "inspect", "verify", "export"];

#[test]
fn completions_are_there_for_every_shell() {
    let folder = tempfile::tempdir().expect("a folder");
    run(&folder, "completions --dir made/here");
    let files = [
        ("bash", "partwise.bash"),
        ("zsh", "_partwise"),
        ("fish", "partwise.fish"),
        ("powershell", "_partwise.ps1"),
        ("elvish", "partwise.elv"),
    ];
    for (shell, file) in files {
        let (text, _) = run(&folder, &format!("completions {shell}"));
        for command in COMMANDS {
            assert!(text.contains(command), "{shell}: {command}");
        }
        assert!(text.contains("spreadsheet-safe"), "{shell}");
        let saved = std::fs::read_to_string(folder.path().join("made/here").join(file));
        assert_eq!(saved.expect(file), text);
    }
    // Twice is no error, and one shell gives one file.
    run(&folder, "completions --dir made/here");
    run(&folder, "completions fish --dir one");
    assert_eq!(std::fs::read_dir(folder.path().join("one")).expect("folder").count(), 1);
    for wrong in ["completions", "completions tcsh"] {
        let status = partwise(folder.path(), wrong).stderr(Stdio::null()).status();
        assert_eq!(status.expect("spawn").code(), Some(2), "{wrong}");
    }
}

#[cfg(unix)]
#[test]
fn bash_completes_with_them() {
    let folder = tempfile::tempdir().expect("a folder");
    run(&folder, "completions bash --dir .");
    let complete = |words: &str, count: u32| {
        let script = format!(
            "source ./partwise.bash; COMP_WORDS=({words}); COMP_CWORD={count}; \
             _partwise partwise \"${{COMP_WORDS[COMP_CWORD]}}\" \"\"; echo \"${{COMPREPLY[@]}}\""
        );
        let output = Command::new("bash").args(["-c", &script]).current_dir(folder.path()).output();
        output.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned())
    };
    // Where there is no bash there is nothing to try.
    let Ok(found) = complete("partwise tra", 1) else { return };
    assert_eq!(found, "transform");
    assert_eq!(complete("partwise fit --max", 2).expect("bash"), "--max-iter");
}

#[test]
fn every_command_has_a_page() {
    let folder = tempfile::tempdir().expect("a folder");
    run(&folder, "man --dir man");
    for command in COMMANDS {
        let (page, _) = run(&folder, &format!("man {command}"));
        assert!(page.contains(&format!(".TH partwise-{command} 1")), "{page}");
        let file = folder.path().join(format!("man/partwise-{command}.1"));
        assert_eq!(std::fs::read_to_string(file).expect(command), page);
    }
    let (page, _) = run(&folder, "man");
    assert!(page.contains(".TH partwise 1") && page.contains("partwise\\-fit(1)"), "{page}");
    assert_eq!(std::fs::read_to_string(folder.path().join("man/partwise.1")).expect("it"), page);
    let output = partwise(folder.path(), "man ft").output().expect("spawn");
    assert_eq!(output.status.code(), Some(2));
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(err.contains("there is no command 'ft'") && err.contains("fit, "), "{err}");
}

#[test]
fn the_version_is_that_of_partwise_and_verbose_tells_the_build() {
    let folder = tempfile::tempdir().expect("a folder");
    let short = format!("partwise {}\n", env!("CARGO_PKG_VERSION"));
    for line in ["-V", "--version", "fit -V", "fit --version", "man -V"] {
        assert_eq!(run(&folder, line).0, short, "{line}");
    }
    let (long, _) = run(&folder, "--version --verbose");
    for line in ["-V --verbose", "--verbose -V", "fit --version --verbose", "--verbose fit -V"] {
        assert_eq!(run(&folder, line).0, long, "{line}");
    }
    let lines: Vec<&str> = long.lines().collect();
    assert_eq!(lines[0], short.trim());
    let commit = lines[1].strip_prefix("commit: ").expect("a commit");
    let hex = commit.len() >= 40 && commit.bytes().all(|b| b.is_ascii_hexdigit());
    assert!(hex || commit == "unknown", "{commit}");
    assert!(lines[2].starts_with("target: ") && lines[2].contains(std::env::consts::ARCH));
    assert_eq!(lines[3], format!("instruction set: {}", partwise::instruction_set()));
    let output = partwise(folder.path(), "--verbose inspect x.csv").output().expect("spawn");
    assert_eq!(output.status.code(), Some(2));
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(err.contains("--verbose goes with --version"), "{err}");
}
