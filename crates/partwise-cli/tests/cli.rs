//! What a table of commands cannot say: files compared with files, signals, closed pipes.

mod common;

use common::{bytes, folder, numbers, partwise, run};
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

#[test]
fn fit_prints_the_figures_and_saves_the_factors() {
    let folder = folder();
    let (out, err) = run(&folder, "fit digits.npy --rank 10 --n-init 3 --out d");
    for part in [
        "1797 × 64, dense",
        "uint8 taken as float32",
        "rank 10, hals, start random (best of 3), seed 0",
        "converged after",
        "relative to ‖X‖",
        "% of ‖X‖² explained",
        "≤ tol 1e-4",
        "sparsity",
        "3 of 3 converged",
        "d.W.npy, d.H.npy, d.partwise",
    ] {
        assert!(out.contains(part), "{part}\n{out}");
    }
    assert!(err.contains("3 of 64 columns of X are all zero"), "{err}");
    assert_eq!(numbers(&bytes(&folder, "d.W.npy")).len(), 1797 * 10);
    assert_eq!(numbers(&bytes(&folder, "d.H.npy")).len(), 10 * 64);
    assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
}

#[test]
fn quiet_keeps_warnings_and_twice_quiet_keeps_none() {
    let folder = folder();
    let (out, err) = run(&folder, "fit digits.npy -k 5 -qq --out d");
    assert_eq!((out.as_str(), err.as_str()), ("", ""));
    let (out, err) = run(&folder, "fit digits.npy -k 5 --quiet --out e");
    assert_eq!(out, "");
    assert_eq!(err.lines().count(), 1, "{err}");
    assert!(err.starts_with("warning: 3 of 64 columns of X are all zero"), "{err}");
}

#[test]
fn named_columns_name_the_parts() {
    let folder = folder();
    let (out, _) = run(&folder, "fit words.csv.gz -k 5 --w-out w.csv --h-out h.csv");
    assert!(out.contains("part 5"), "{out}");
    assert!(out.contains("font"), "{out}");
    let w = String::from_utf8(bytes(&folder, "w.csv")).expect("UTF-8");
    assert!(w.starts_with(",component_1,component_2,"), "{}", &w[..80]);
    assert!(w.lines().nth(1).is_some_and(|line| line.starts_with("games-0,")));
    let h = String::from_utf8(bytes(&folder, "h.csv")).expect("UTF-8");
    assert!(h.starts_with(",access,"), "{}", &h[..80]);
    // What was written is read again as what it was.
    let (out, _) = run(&folder, "fit words.csv.gz -k 5 --w w.csv --h h.csv --json");
    let answer: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert!(answer["iterations"].as_u64().expect("a count") <= 2, "{out}");
}

#[test]
fn json_is_one_object_with_the_figures() {
    let folder = folder();
    let (out, err) = run(&folder, "fit digits.npy -k 4 --n-init 2 --json");
    assert_eq!(err, "");
    assert_eq!(out.lines().count(), 1);
    let answer: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(answer["x"]["rows"], 1797);
    assert_eq!(answer["status"], "converged");
    assert_eq!(answer["exit_code"], 0);
    assert_eq!(answer["restarts"].as_array().map(Vec::len), Some(2));
    for figure in ["relative_error", "explained_variance", "objective", "seconds"] {
        assert!(answer[figure].is_f64(), "{figure}: {out}");
    }
    assert!(answer["kkt"]["residual"].as_f64().is_some_and(|kkt| kkt <= 1e-4));
    let (out, _) = run(&folder, "inspect digits.npy --rank 4 --json");
    let answer: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((&answer["max"], &answer["accepted"]), (&16.0.into(), &true.into()));
    assert!(answer["fit_bytes"].as_u64().is_some_and(|bytes| bytes > 0));
}

#[test]
fn l54_transform_of_the_training_data_is_its_w_and_each_row_its_own() {
    let folder = folder();
    run(&folder, "fit digits.npy -k 8 --dtype f64 --tol 1e-9 --max-iter 20000 --out d");
    run(&folder, "transform d.partwise digits.npy --out again.npy");
    let (fitted, again) =
        (numbers(&bytes(&folder, "d.W.npy")), numbers(&bytes(&folder, "again.npy")));
    let largest = fitted.iter().fold(0.0f64, |a, &b| a.max(b));
    let apart = fitted.iter().zip(&again).fold(0.0f64, |a, (x, y)| a.max((x - y).abs()));
    assert!(apart <= 1e-6 * largest, "{apart:e} of {largest:e}");
    // The first two rows by themselves.
    let digits = bytes(&folder, "digits.npy");
    let pixels = &digits[digits.len() - 1797 * 64..][..128];
    let row = |row: &[u8]| row.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
    let csv = format!("{}\n{}\n", row(&pixels[64..]), row(&pixels[..64]));
    std::fs::write(folder.path().join("two.csv"), csv).expect("write");
    run(&folder, "transform d.partwise two.csv --out two.npy");
    let two = numbers(&bytes(&folder, "two.npy"));
    assert_eq!((&two[8..], &two[..8]), (&again[..8], &again[8..16]));
}

#[test]
fn c14_the_same_command_gives_the_same_bytes_with_any_number_of_threads() {
    let folder = folder();
    for (name, threads) in [("a", 1), ("b", 1), ("c", 2)] {
        let command = "fit digits.npy -k 6 --n-init 2 --seed 7";
        run(&folder, &format!("{command} --threads {threads} --out {name}"));
    }
    for suffix in ["W.npy", "H.npy", "partwise"] {
        let [a, b, c] = ["a", "b", "c"].map(|name| bytes(&folder, &format!("{name}.{suffix}")));
        assert!(a == b, "{suffix}: twice");
        assert!(a == c, "{suffix}: threads");
    }
}

#[test]
fn verify_agrees_with_every_type_start_and_rule() {
    let folder = folder();
    let fits = [
        "-k 10",
        "-k 10 --dtype f64",
        "-k 5 --rule mu --max-iter 50",
        "-k 5 --rule bpp --init nndsvda",
        "-k 5 --rule pgd --init spa",
        "-k 5 --rule als --init nndsvd",
        "-k 3 --max-iter 0",
    ];
    for fit in fits {
        run(&folder, &format!("fit digits.npy {fit} --out v --force"));
        let (out, _) = run(&folder, "verify v.partwise digits.npy");
        assert!(out.contains("they agree"), "{fit}\n{out}");
    }
}

#[test]
fn verify_refuses_a_model_that_claims_what_is_not_so() {
    let folder = folder();
    run(&folder, "fit digits.npy -k 4 --model m.partwise");
    let honest = partwise_io::Model::read(&folder.path().join("m.partwise")).expect("a model");
    let mut lies = [honest.clone(), honest.clone()];
    lies[0].origin.objective = honest.origin.objective.map(|objective| objective * 1.001);
    lies[1].origin.kkt = honest.origin.kkt.map(|kkt| kkt * 0.5);
    for (lie, claim) in lies.iter().zip(["the objective", "the KKT residual"]) {
        let file = std::fs::File::create(folder.path().join("lie.partwise")).expect("create");
        lie.write(file).expect("write");
        let output =
            partwise(folder.path(), "verify lie.partwise digits.npy").output().expect("spawn");
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(8), "{err}");
        assert!(err.contains(&format!("error[E-MODEL]: the model claims {claim}")), "{err}");
    }
}

#[test]
fn a_scale_beyond_squares_can_be_saved_and_verified() {
    let folder = folder();
    let large = "1e300,2e300\n0,1e300\n3e300,0\n";
    std::fs::write(folder.path().join("large.csv"), large).expect("write");
    run(&folder, "fit large.csv -k 1 --out l");
    let (out, _) = run(&folder, "verify l.partwise large.csv");
    assert!(out.contains("they agree"), "{out}");
}

#[test]
fn z05_no_damaged_model_is_used() {
    let folder = folder();
    std::fs::write(folder.path().join("x.csv"), "1,2\n3,4\n5,7\n").expect("write");
    run(&folder, "fit x.csv -k 1 --model m.partwise");
    let model = bytes(&folder, "m.partwise");
    let damaged = folder.path().join("damaged.partwise");
    let refused = |bytes: &[u8], what: &str| {
        std::fs::write(&damaged, bytes).expect("write");
        let command = "transform damaged.partwise x.csv --out w.npy";
        let output = partwise(folder.path(), command).output().expect("spawn");
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(8), "{what}: {err}");
        assert!(err.starts_with("error[E-MODEL]: damaged.partwise: "), "{what}: {err}");
        assert!(!folder.path().join("w.npy").exists(), "{what}");
    };
    for length in (0..model.len()).step_by(model.len() / 20) {
        refused(&model[..length], &format!("first {length} bytes"));
    }
    for at in (0..model.len()).step_by(model.len() / 20) {
        let mut bytes = model.clone();
        bytes[at] ^= 4;
        refused(&bytes, &format!("bit flipped in byte {at}"));
    }
}

#[test]
fn help_names_every_rule_and_start_within_80_columns() {
    let folder = tempfile::tempdir().expect("a folder");
    let (fit, _) = run(&folder, "fit --help");
    for rule in partwise::Rule::ALL {
        assert!(fit.contains(&format!("- {}:", rule.name())), "{rule}");
    }
    for (loss, about) in partwise::Loss::named() {
        let line = format!("- {loss}:");
        assert!(fit.contains(&line) && fit.contains(&about[..20]), "{loss}");
    }
    assert!(fit.contains("[any loss]"), "which losses a rule serves");
    for start in partwise::Start::ALL {
        assert!(fit.contains(&format!("- {}:", start.name())), "{start}");
    }
    let others = ["export --help", "completions --help", "man --help"];
    let usual = ["--help", "fit --help", "transform --help", "inspect --help", "verify --help"];
    for command in usual.into_iter().chain(others) {
        let (help, _) = run(&folder, command);
        assert!(help.contains("Example"), "{command} shows no example");
        for line in help.lines() {
            assert!(line.chars().count() <= 80, "{command}: {line}");
        }
    }
}

#[test]
fn the_examples_of_the_help_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let words = "descriptions.csv.gz";
    for (from, to) in [("digits.npy", "images.npy"), (words, "counts.csv"), (words, "new.csv")] {
        std::fs::copy(root.join("examples/data").join(from), folder.path().join(to)).expect("copy");
    }
    let mut helps = vec!["--help", "fit --help", "transform --help", "inspect --help"];
    helps.extend(["verify --help", "export --help"]);
    for help in helps {
        let (text, _) = run(&folder, help);
        let examples = &text[text.rfind("Example").expect("examples")..].replace("\\\n", "");
        for line in examples.lines().filter_map(|line| line.trim().strip_prefix("partwise ")) {
            let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
            let force = if line.contains("out") { " --force" } else { "" };
            run(&folder, &format!("{line}{force}"));
        }
    }
}

#[test]
fn c05_a_reader_that_leaves_is_no_error() {
    let folder = folder();
    for command in ["fit digits.npy -k 3", "fit --help", "inspect digits.npy --json", "--version"] {
        let mut child = partwise(folder.path(), command)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("spawn");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("wait");
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{command}: {err}");
        assert!(!err.contains("panicked") && !err.contains("error"), "{command}: {err}");
    }
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::ffi::OsStr;
    use std::io::Write;
    use std::os::unix::ffi::OsStrExt;
    use std::process::Child;
    use std::time::{Duration, Instant};

    #[test]
    fn c08_any_file_name_is_read_written_and_shown_on_one_line() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in [&b"new\nline\x1b[31m.csv"[..], b"\xff\xfe.csv", &[b'n'; 200]] {
            let path = folder.path().join(OsStr::from_bytes(name));
            std::fs::write(&path, "1,2\n3,x\n").expect("write");
            let mut command = partwise(folder.path(), "inspect");
            let output = command.arg(&path).output().expect("spawn");
            let err = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(3), "{err}");
            assert_eq!(err.lines().count(), 1, "{err}");
            assert!(!err.contains('\x1b'), "{err}");
            std::fs::write(&path, "1,2\n3,4\n5,7\n").expect("write");
            let mut command = partwise(folder.path(), "fit -k 1 --force --w-out");
            let mut out = path.clone().into_os_string();
            out.push(".npy");
            let output = command.arg(&out).arg(&path).output().expect("spawn");
            assert_eq!(output.status.code(), Some(0), "{output:?}");
            assert!(Path::new(&out).exists());
        }
    }

    #[test]
    fn c02_a_pipe_is_read_like_a_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let pipe = folder.path().join("pipe.csv");
        let made = Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
        assert!(made.success());
        let child = partwise(folder.path(), "inspect pipe.csv")
            .stdout(Stdio::piped())
            .spawn()
            .expect("spawn");
        std::fs::write(&pipe, "1,2\n3,4\n5,7\n").expect("write");
        let out = child.wait_with_output().expect("wait").stdout;
        assert!(String::from_utf8_lossy(&out).contains("3 × 2"));
    }

    #[test]
    fn ctrl_c_saves_the_best_factors_so_far() {
        let folder = folder();
        let mut child = partwise(
            folder.path(),
            "fit digits.npy -k 16 --rule mu --dtype f64 --tol 0 --max-iter 100000000 --out d",
        )
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("spawn");
        wait_for_temporary(&folder, &mut child);
        std::thread::sleep(Duration::from_millis(1500));
        interrupt(&child);
        let output = child.wait_with_output().expect("wait");
        let (out, err) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(130), "{out}{err}");
        assert!(out.contains("interrupted: these are the best factors so far"), "{out}");
        assert!(err.contains("error[E-INTERRUPT]: interrupted"), "{err}");
        run(&folder, "verify d.partwise digits.npy");
    }

    #[test]
    fn ctrl_c_does_not_wait_for_the_end_of_an_iteration() {
        let folder = folder();
        // One iteration takes ten seconds: whoever waited for its end would have made one.
        let (rows, cols) = (6000usize, 2000usize);
        let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
        let header =
            format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {cols}), }}");
        bytes.extend(format!("{header:<117}\n").bytes());
        let value = |i: usize| 1.0f32 + (i.wrapping_mul(2_654_435_761) % 1000) as f32;
        bytes.extend((0..rows * cols).flat_map(|i| value(i).to_le_bytes()));
        std::fs::write(folder.path().join("x.npy"), bytes).expect("write");
        let mut child = partwise(folder.path(), "fit x.npy -k 1000 --loss 1.5 --tol 0 --out d")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("spawn");
        wait_for_temporary(&folder, &mut child);
        std::thread::sleep(Duration::from_millis(2000));
        interrupt(&child);
        let output = child.wait_with_output().expect("wait");
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "{err}");
        let out = String::from_utf8_lossy(&output.stdout);
        // The start, or what there was before it was scaled.
        let start = err.contains("interrupted; the best") && out.contains("after 0 iterations");
        assert!(start || err.contains("interrupted before there were any"), "{err}{out}");
        let left = std::fs::read_dir(folder.path()).expect("folder").flatten();
        let left: Vec<_> = left.map(|e| e.file_name()).collect();
        assert!(left.iter().all(|f| !f.to_string_lossy().contains(".tmp")), "{left:?}");
    }

    #[test]
    fn ctrl_c_before_the_fit_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut child = partwise(folder.path(), "fit - -k 1 --out d")
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("spawn");
        child.stdin.as_mut().expect("piped").write_all(b"1,2\n").expect("write");
        wait_for_temporary(&folder, &mut child);
        std::thread::sleep(Duration::from_millis(300));
        interrupt(&child);
        let stdin = child.stdin.take();
        assert_eq!(child.wait().expect("wait").code(), Some(130));
        drop(stdin);
        assert_eq!(std::fs::read_dir(folder.path()).expect("folder").count(), 0);
    }

    fn interrupt(child: &Child) {
        let id = child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &id]).status().expect("kill");
        assert!(sent.success());
    }

    /// Outputs are opened early: their temporary files tell that the program is under way.
    fn wait_for_temporary(folder: &TempDir, child: &mut Child) {
        let began = Instant::now();
        let there = || {
            let entries = std::fs::read_dir(folder.path()).expect("folder").flatten();
            entries.filter(|e| e.file_name().to_string_lossy().ends_with(".tmp")).count() == 3
        };
        while !there() {
            assert!(child.try_wait().expect("wait").is_none(), "ended early");
            assert!(began.elapsed() < Duration::from_secs(30), "no output was opened");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
