//! Signals, and what is on the disk after them: all files of a run or none, and no litter.
#![cfg(unix)]

mod common;

use common::{bytes, folder, numbers, partwise, run};
use partwise_io::{FactorValues, Model};
use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Signals with the exit code of a program that they end.
const SIGNALS: [(&str, i32); 4] = [("TERM", 143), ("HUP", 129), ("QUIT", 131), ("INT", 130)];

/// A fit that does not end by itself.
const ENDLESS: &str = "fit digits.npy -k 16 --rule mu --dtype f64 --tol 0 --max-iter 100000000";

fn spawn(folder: &TempDir, arguments: &str) -> Child {
    spawned(partwise(folder.path(), arguments).stdin(Stdio::piped()))
}

fn spawned(command: &mut Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("spawn")
}

/// Whether these tests were started with SIGHUP ignored, as by `nohup`: so do their children, then.
fn hangups_are_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).is_some_and(|set| set & 1 == 1)
}

/// The signals that end a program here, with its exit code.
fn signals() -> impl Iterator<Item = (&'static str, i32)> {
    let ignored = hangups_are_ignored();
    SIGNALS.into_iter().filter(move |(signal, _)| *signal != "HUP" || !ignored)
}

fn send(child: &Child, signal: &str) {
    let sent = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status();
    assert!(sent.expect("kill").success());
}

/// Exit code, standard output and standard error.
fn ended(child: Child) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = child.wait_with_output().expect("wait");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (status.code(), text(stdout), text(stderr))
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).expect("folder");
    entries.map(|e| e.expect("entry").file_name().to_string_lossy().into_owned()).collect()
}

/// What is neither an input nor a result.
fn litter(folder: &TempDir) -> Vec<String> {
    names(folder.path()).into_iter().filter(|name| name.starts_with('.')).collect()
}

/// Outputs are opened early: their temporary files tell that the program is under way.
fn wait_for_temporaries(folder: &TempDir, child: &mut Child, count: usize) {
    let began = Instant::now();
    let id = format!("-{}-", child.id());
    let ours = || litter(folder).iter().filter(|n| n.contains(&id)).count();
    while ours() < count {
        assert!(child.try_wait().expect("wait").is_none(), "ended early");
        assert!(began.elapsed() < Duration::from_secs(60), "no output was opened");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn wait_until_fitting(folder: &TempDir, child: &mut Child, count: usize) {
    wait_for_temporaries(folder, child, count);
    std::thread::sleep(Duration::from_millis(2000));
}

/// Whether W, H and the model called `name` are those of one run.
fn are_of_one_run(folder: &TempDir, name: &str) -> bool {
    let model = Model::read(&folder.path().join(format!("{name}.partwise"))).expect("a model");
    let same = |values: &FactorValues, file: &str| {
        let file = numbers(&bytes(folder, &format!("{name}.{file}.npy")));
        match values {
            FactorValues::F32(v) => v.iter().map(|&v| f64::from(v)).eq(file),
            FactorValues::F64(v) => v.iter().copied().eq(file),
        }
    };
    same(&model.w.expect("W").values, "W") && same(&model.h.values, "H")
}

#[test]
fn every_signal_ends_a_fit_with_its_best_factors() {
    let folder = folder();
    for (signal, code) in signals() {
        let mut child = spawn(&folder, &format!("{ENDLESS} --out {signal} --json"));
        wait_until_fitting(&folder, &mut child, 3);
        send(&child, signal);
        let (exit, out, err) = ended(child);
        assert_eq!(exit, Some(code), "{signal}: {out}{err}");
        let text = match signal {
            "INT" => "interrupted; the best factors so far were kept (SIGINT)".into(),
            _ => format!("ended by SIG{signal}; the best factors so far were kept"),
        };
        assert!(err.contains(&format!("error[E-INTERRUPT]: {text}")), "{err}");
        let answer: serde_json::Value = serde_json::from_str(&out).expect("one object");
        assert_eq!(answer["error"]["text"], text, "{out}");
        assert_eq!(answer["error"]["signal"], format!("SIG{signal}"), "{out}");
        assert_eq!(
            (&answer["exit_code"], &answer["status"]),
            (&code.into(), &"interrupted".into())
        );
        assert_eq!(answer["files"]["w"], format!("{signal}.W.npy"), "{out}");
        assert!(are_of_one_run(&folder, signal));
        run(&folder, &format!("verify {signal}.partwise digits.npy"));
        assert_eq!(litter(&folder), [""; 0]);
    }
}

#[test]
fn other_commands_end_at_once_and_leave_nothing() {
    let folder = folder();
    run(&folder, "fit digits.npy -k 2 --max-iter 3 --model m.partwise");
    let before = names(folder.path());
    let commands = [
        ("inspect -", 0),
        ("verify m.partwise -", 0),
        ("transform m.partwise - --out w.npy", 1),
        ("fit - -k 1 --out d", 3),
    ];
    for (command, outputs) in commands {
        for (signal, code) in signals() {
            let mut child = spawn(&folder, &format!("{command} --json"));
            child.stdin.as_mut().expect("piped").write_all(b"1,2\n").expect("write");
            wait_for_temporaries(&folder, &mut child, outputs);
            std::thread::sleep(Duration::from_millis(200));
            send(&child, signal);
            let stdin = child.stdin.take();
            let (exit, out, err) = ended(child);
            drop(stdin);
            assert_eq!(exit, Some(code), "{command}, {signal}: {out}{err}");
            let text = if signal == "INT" { "interrupted (SIGINT)" } else { "ended by SIG" };
            assert!(err.contains(&format!("error[E-INTERRUPT]: {text}")), "{command}: {err}");
            let answer: serde_json::Value = serde_json::from_str(&out).expect("one object");
            assert_eq!(answer["error"]["signal"], format!("SIG{signal}"), "{out}");
            assert_eq!(answer["exit_code"], code);
            assert_eq!(names(folder.path()), before, "{command}, {signal}");
        }
    }
}

#[test]
fn a_folder_made_for_outputs_goes_again() {
    let folder = folder();
    let before = names(folder.path());
    let mut child = spawn(&folder, "fit - -k 1 --out new/");
    let made = folder.path().join("new");
    while !(made.exists() && names(&made).len() == 3) {
        assert!(child.try_wait().expect("wait").is_none(), "ended early");
        std::thread::sleep(Duration::from_millis(10));
    }
    send(&child, "TERM");
    let stdin = child.stdin.take();
    assert_eq!(child.wait().expect("wait").code(), Some(143));
    drop(stdin);
    assert_eq!(names(folder.path()), before);
}

#[test]
fn a_second_signal_does_not_wait_for_the_results_to_be_saved() {
    let folder = folder();
    let pipe = folder.path().join("w.npy");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let child = spawn(&folder, "fit digits.npy -k 16 --max-iter 1 --w-out w.npy --h-out h.npy");
    // Nobody reads, and W is more than a pipe holds.
    let reader = std::fs::File::open(&pipe).expect("the other end");
    let began = Instant::now();
    while !litter(&folder).iter().any(|name| name.contains("h.npy")) {
        assert!(began.elapsed() < Duration::from_secs(60), "no output was opened");
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(1500));
    send(&child, if hangups_are_ignored() { "INT" } else { "HUP" });
    std::thread::sleep(Duration::from_millis(500));
    let mut child = child;
    assert!(child.try_wait().expect("wait").is_none(), "the first signal ended it at once");
    send(&child, "TERM");
    let (exit, out, err) = ended(child);
    drop(reader);
    assert_eq!(exit, Some(143), "{out}{err}");
    assert!(err.contains("ended by SIGTERM"), "{err}");
    assert!(!folder.path().join("h.npy").exists());
    assert_eq!(litter(&folder), [""; 0]);
}

#[test]
fn under_nohup_a_hangup_stays_ignored() {
    let folder = folder();
    let program = env!("CARGO_BIN_EXE_partwise");
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("trap '' HUP; exec {program} {ENDLESS} --out d")]);
    let mut child = spawned(shell.current_dir(folder.path()));
    wait_until_fitting(&folder, &mut child, 3);
    send(&child, "HUP");
    std::thread::sleep(Duration::from_millis(700));
    assert!(child.try_wait().expect("wait").is_none(), "the hangup ended it");
    send(&child, "TERM");
    let (exit, out, err) = ended(child);
    assert_eq!(exit, Some(143), "{out}{err}");
    assert!(are_of_one_run(&folder, "d"));
}

#[test]
fn what_killed_runs_left_goes_and_what_others_use_stays() {
    let folder = folder();
    let mut killed = spawn(&folder, &format!("{ENDLESS} --out a"));
    wait_for_temporaries(&folder, &mut killed, 3);
    send(&killed, "KILL");
    killed.wait().expect("wait");
    assert_eq!(litter(&folder).len(), 3);
    let mut alive = spawn(&folder, &format!("{ENDLESS} --out b"));
    wait_for_temporaries(&folder, &mut alive, 3);
    // Of another machine; of version 0.1, by a process that is gone; of nobody.
    let foreign = ".c.npy.00000000-999999-0.tmp";
    for name in [foreign, ".c.npy.4194999-0.tmp", ".c.npy.tmp"] {
        std::fs::write(folder.path().join(name), "").expect("write");
    }
    run(&folder, "fit digits.npy -k 2 --max-iter 3 --w-out c.csv");
    let left = litter(&folder);
    let of =
        |child: &Child| left.iter().filter(|n| n.contains(&format!("-{}-", child.id()))).count();
    assert_eq!((of(&killed), of(&alive), left.len()), (0, 3, 5), "{left:?}");
    send(&alive, "TERM");
    let (exit, out, err) = ended(alive);
    assert_eq!(exit, Some(143), "{out}{err}");
    assert!(are_of_one_run(&folder, "b"));
    assert_eq!(litter(&folder), [foreign, ".c.npy.tmp"]);
}

#[test]
fn the_files_of_a_run_stay_together_whenever_it_is_ended() {
    let folder = folder();
    std::fs::write(folder.path().join("x.csv"), "1,2,0\n3,4,1\n5,7,9\n2,2,8\n").expect("write");
    run(&folder, "fit x.csv -k 1 --out d");
    let usual = {
        let began = Instant::now();
        run(&folder, "fit x.csv -k 1 --out d --force");
        began.elapsed()
    };
    let mut kept = 0;
    for round in 0..40u32 {
        let command = format!("fit x.csv -k {} --seed {round} --out d --force", 1 + round % 3);
        let child = spawn(&folder, &command);
        std::thread::sleep(usual * (round * 7 % 40) / 30);
        let signal = ["KILL", "TERM", "INT", "QUIT", "HUP"][round as usize % 5];
        // It may have ended.
        let _ = Command::new("kill")
            .args([&format!("-{signal}"), &child.id().to_string()])
            .stderr(Stdio::null())
            .status();
        let _ = ended(child);
        let whole = are_of_one_run(&folder, "d");
        // A kill between two renames is what nothing helps against; nothing may be lost then.
        let torn = signal == "KILL" && litter(&folder).iter().any(|name| name.ends_with(".old"));
        assert!(whole || torn, "round {round}, {signal}: {:?}", litter(&folder));
        if whole {
            run(&folder, "verify d.partwise x.csv");
            kept += 1;
        }
    }
    assert!(kept > 35, "{kept}");
    run(&folder, "fit x.csv -k 2 --out d --force");
    assert_eq!(litter(&folder), [""; 0]);
}

#[test]
fn runs_with_the_same_names_do_not_mix() {
    let folder = folder();
    std::fs::write(folder.path().join("x.csv"), "1,2,0\n3,4,1\n5,7,9\n2,2,8\n").expect("write");
    for round in 0..10u32 {
        let command =
            |seed: u32| format!("fit x.csv -k 2 --max-iter 2 --seed {seed} --out d --force");
        let children: Vec<Child> =
            (0..4).map(|run| spawn(&folder, &command(4 * round + run))).collect();
        for child in children {
            let (exit, out, err) = ended(child);
            assert_eq!(exit, Some(0), "{out}{err}");
        }
        assert!(are_of_one_run(&folder, "d"), "round {round}");
        assert_eq!(litter(&folder), [""; 0]);
    }
    // Without --force, the first one to end has the names, and the others say where theirs are.
    let command = |run: u32| format!("fit x.csv -k 2 --time-limit 1s --tol 0 --seed {run} --out e");
    let children: Vec<Child> = (0..3).map(|run| spawn(&folder, &command(run))).collect();
    let mut codes: Vec<Option<i32>> = children.into_iter().map(|child| ended(child).0).collect();
    codes.sort_unstable();
    assert!(codes[0] == Some(0) && codes[2] != Some(1), "{codes:?}");
    assert!(are_of_one_run(&folder, "e"));
}

#[test]
fn a_file_that_appears_meanwhile_is_kept_and_so_are_the_results() {
    let folder = folder();
    let command = ENDLESS.replace("fit ", "fit --time-limit 2s --out d --json ");
    let mut child = spawn(&folder, &command);
    wait_for_temporaries(&folder, &mut child, 3);
    std::fs::write(folder.path().join("d.H.npy"), "mine").expect("write");
    // Also a name that the results could have had.
    std::fs::write(folder.path().join("d.W-2.npy"), "mine, too").expect("write");
    let (exit, out, err) = ended(child);
    assert_eq!(exit, Some(4), "{out}{err}");
    let text = "d.H.npy: a file of that name has appeared meanwhile and was not overwritten; the \
                results were kept as d.W-3.npy, d.H-3.npy, d-3.partwise";
    assert!(err.contains(&format!("error[E-FILE]: {text}")), "{err}");
    let answer: serde_json::Value = serde_json::from_str(&out).expect("one object");
    assert_eq!((&answer["error"]["text"], &answer["exit_code"]), (&text.into(), &4.into()));
    assert_eq!(answer["files"]["model"], "d-3.partwise");
    assert_eq!(bytes(&folder, "d.H.npy"), b"mine");
    assert_eq!(bytes(&folder, "d.W-2.npy"), b"mine, too");
    run(&folder, "verify d-3.partwise digits.npy");
    assert!(!folder.path().join("d.W.npy").exists());
    assert_eq!(litter(&folder), [""; 0]);
}

#[test]
fn if_one_name_cannot_be_had_none_is_taken() {
    let folder = folder();
    run(&folder, "fit digits.npy -k 2 --max-iter 3 --out d");
    let before = ["W.npy", "H.npy"].map(|name| bytes(&folder, &format!("d.{name}")));
    let command = ENDLESS.replace("fit ", "fit --time-limit 2s --out d --force ");
    let mut child = spawn(&folder, &command);
    wait_for_temporaries(&folder, &mut child, 3);
    // The last one to be renamed.
    std::fs::remove_file(folder.path().join("d.partwise")).expect("remove");
    std::fs::create_dir(folder.path().join("d.partwise")).expect("a folder");
    let (exit, out, err) = ended(child);
    assert_eq!(exit, Some(4), "{out}{err}");
    assert!(err.contains("d.partwise: found a directory"), "{err}");
    let now = ["W.npy", "H.npy"].map(|name| bytes(&folder, &format!("d.{name}")));
    assert!(before == now, "what was there has been replaced");
    run(&folder, "verify d-2.partwise digits.npy");
    assert_eq!(litter(&folder), [""; 0]);
}

#[test]
fn permissions_of_a_file_outlive_its_replacement() {
    let folder = folder();
    let mode = |name: &str| {
        let about = std::fs::metadata(folder.path().join(name)).expect("a file");
        about.permissions().mode() & 0o7777
    };
    let program = env!("CARGO_BIN_EXE_partwise");
    let mut shell = Command::new("sh");
    let command = "fit digits.npy -k 2 --max-iter 2 --out d";
    shell.args(["-c", &format!("umask 027; exec {program} {command}")]);
    assert_eq!(ended(spawned(shell.current_dir(folder.path()))).0, Some(0));
    let files = ["d.W.npy", "d.H.npy", "d.partwise"];
    assert_eq!(files.map(mode), [0o640; 3]);
    for (file, mode) in files.into_iter().zip([0o600, 0o664, 0o444]) {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(folder.path().join(file), permissions).expect("chmod");
    }
    run(&folder, &format!("{command} --force"));
    assert_eq!(files.map(mode), [0o600, 0o664, 0o444]);
}

/// The reader waits for more of a pipe that nobody closes.
#[test]
fn a_time_limit_ends_the_reading_too() {
    let folder = folder();
    for json in ["", " --json"] {
        let command = format!("fit - -k 2 --time-limit 0.3s --out t{json}");
        let mut child = spawn(&folder, &command);
        let mut input = child.stdin.take().expect("a pipe");
        input.write_all(b"1,2,3\n4,5,6\n").expect("write");
        let (exit, out, err) = ended(child);
        drop(input);
        assert_eq!(exit, Some(5), "{out}{err}");
        assert!(err.contains("error[E-TIME]") && err.contains("raise --time-limit"), "{err}");
        assert_eq!(litter(&folder), [""; 0]);
        assert!(!folder.path().join("t.W.npy").exists());
    }
}
