//! `cargo xtask bench`: time until scikit-learn's objective is reached, and kernel rates.
//!
//! For each data set and precision, from several random starts that both sides share: scikit-learn
//! runs 200 iterations of its coordinate descent (or as many as fit into a minute), then partwise
//! runs until its objective, recomputed in float64, is at most that one. Both use two threads; the
//! two take turns; medians are shown.

use crate::{Failed, cargo, root, run};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Name, file in the data folder (`product` is made), rank, starts.
const SETS: [(&str, &str, u32, usize); 5] = [
    ("digits", "digits.npy", 16, 5),
    ("indian_pines", "indian_pines.npy", 16, 3),
    ("product", "", 32, 3),
    ("reuters_r8", "reuters_r8_tfidf.npz", 16, 5),
    ("debian_descriptions", "debian_descriptions_tfidf.npz", 32, 2),
];
const THREADS: &str = "2";

pub(crate) fn run_all(names: &[String]) -> Result<(), Failed> {
    let bench = root().join("bench");
    let out = bench.join("out");
    std::fs::create_dir_all(&out)
        .map_err(|e| eprintln!("{}: {e}", out.display()))
        .map_err(|()| Failed)?;
    let python = environment(&bench)?;
    cargo(&["build", "--locked", "--release", "-p", "partwise-bench"])?;
    let data = std::env::var_os("PARTWISE_BENCH_DATA")
        .map_or_else(|| root().join("examples/data"), PathBuf::from);
    println!("time to scikit-learn's objective, {THREADS} threads, medians over shared starts\n");
    println!("| data | k | dtype | scikit-learn | partwise | ratio | least | reached |");
    println!("|---|---|---|---|---|---|---|---|");
    for (name, file, rank, starts) in SETS {
        if !names.is_empty() && !names.iter().any(|n| n == name) {
            continue;
        }
        let file = if file.is_empty() { product(&python, &out)? } else { data.join(file) };
        if !file.exists() {
            eprintln!("{name}: no {}; set PARTWISE_BENCH_DATA", file.display());
            continue;
        }
        for dtype in ["float64", "float32"] {
            let contest = Contest { name, file: &file, rank, dtype, python: &python, out: &out };
            contest.hold(starts)?;
        }
    }
    println!();
    run(&mut Command::new(root().join("target/release/kernels")))
}

/// A private virtual environment with the pinned packages.
fn environment(bench: &Path) -> Result<PathBuf, Failed> {
    let venv = bench.join("venv");
    let python = venv.join("bin/python");
    if !python.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    }
    let requirements = bench.join("requirements.txt");
    run(Command::new(&python).args(["-m", "pip", "install", "-q", "-r"]).arg(requirements))?;
    Ok(python)
}

/// A 4000 × 2500 product of rank 32 with noise, in float32.
fn product(python: &Path, out: &Path) -> Result<PathBuf, Failed> {
    let file = out.join("product.npy");
    if !file.exists() {
        run(baseline(python).args(["product", "-", "32", "float32"]).arg(&file))?;
    }
    Ok(file)
}

fn baseline(python: &Path) -> Command {
    let mut command = Command::new(python);
    command.arg(root().join("bench/baseline.py"));
    // Debian's and others' settings for old libraries slow current ones down.
    command.env_remove("OPENBLAS_CORETYPE").env_remove("OPENBLAS_L2_SIZE");
    command.env("OMP_NUM_THREADS", THREADS).env("OPENBLAS_NUM_THREADS", THREADS);
    command
}

struct Contest<'a> {
    name: &'a str,
    file: &'a Path,
    rank: u32,
    dtype: &'a str,
    python: &'a Path,
    out: &'a Path,
}

impl Contest<'_> {
    fn hold(&self, starts: usize) -> Result<(), Failed> {
        let (mut pairs, mut speeds) = (Vec::new(), Vec::new());
        let (mut theirs, mut ours, mut counts) = (Vec::new(), Vec::new(), (0, 0));
        for start in 0..starts {
            let (them, us) = self.round(start)?;
            let number = |v: &Value, key: &str| v[key].as_f64().unwrap_or(f64::NAN);
            theirs.push(number(&them, "seconds"));
            counts.0 = them["iterations"].as_u64().unwrap_or(0);
            let (goal, got) = (number(&them, "objective"), number(&us, "objective"));
            if got <= goal * (1.0 + 1e-6) {
                ours.push(number(&us, "seconds"));
                speeds.push(number(&us, "iterations") / number(&us, "seconds"));
                counts.1 = us["iterations"].as_u64().unwrap_or(0);
                pairs.push(number(&them, "seconds") / number(&us, "seconds"));
            } else {
                let above = 100.0 * (got / goal - 1.0);
                let status = us["status"].as_str().unwrap_or("?");
                eprintln!(
                    "{} {}: start {start} ended {above:.3} % above ({status})",
                    self.name, self.dtype
                );
            }
        }
        let reached = pairs.len();
        let least = pairs.iter().copied().fold(f64::INFINITY, f64::min);
        println!(
            "| {} | {} | {} | {:.2} s ({} it.) | {:.3} s ({} it., {:.0}/s) | {:.1}× | {least:.1}× | {reached} of {starts} |",
            self.name,
            self.rank,
            self.dtype,
            median(&mut theirs),
            counts.0,
            median(&mut ours),
            counts.1,
            median(&mut speeds),
            median(&mut pairs)
        );
        Ok(())
    }

    fn round(&self, start: usize) -> Result<(Value, Value), Failed> {
        let (rank, seed) = (self.rank.to_string(), start.to_string());
        let of = |what: &str| {
            let mut command = baseline(self.python);
            command.arg(what).arg(self.file).args([&rank, self.dtype]).arg(self.out);
            command
        };
        run_quietly(of("start").arg(&seed))?;
        let them = run_quietly(of("run").arg("0"))?;
        let goal = them["objective"].to_string();
        let precision = if self.dtype == "float32" { "f32" } else { "f64" };
        let us = run_quietly(
            Command::new(root().join("target/release/partwise-bench"))
                .arg(self.file)
                .args([&rank, precision, THREADS, &goal])
                .args([self.out.join("w0.npy"), self.out.join("h0.npy")]),
        )?;
        Ok((them, us))
    }
}

/// Runs a command that prints one JSON line, or nothing.
fn run_quietly(command: &mut Command) -> Result<Value, Failed> {
    let output = command.output().map_err(|e| {
        eprintln!("cannot start {command:?}: {e}");
        Failed
    })?;
    if !output.status.success() {
        eprintln!("{command:?} failed:\n{}", String::from_utf8_lossy(&output.stderr));
        return Err(Failed);
    }
    Ok(serde_json::from_slice(&output.stdout).unwrap_or(Value::Null))
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
