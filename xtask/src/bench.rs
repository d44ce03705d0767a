//! `cargo xtask bench`: time until scikit-learn's objective is reached, what hidden entries cost, and
//! kernel rates.
//!
//! For each data set and precision, from several random starts that both sides share: scikit-learn
//! runs 200 iterations (or as many as fit into a minute) of its coordinate descent, or under
//! Kullback–Leibler of its multiplicative updates; then partwise runs until its objective, recomputed
//! in float64, is at most that one. Both use two threads; the two take turns; medians are shown.
//!
//! Then partwise with a tenth of the entries hidden and with none: seconds for each iteration.

use crate::{Failed, cargo, root, run};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Data that both sides factorise.
struct Set {
    name: &'static str,
    /// In the data folder; empty for the product, which is made.
    file: &'static str,
    rank: u32,
    loss: &'static str,
    starts: usize,
}

const fn set(
    name: &'static str,
    file: &'static str,
    rank: u32,
    loss: &'static str,
    starts: usize,
) -> Set {
    Set { name, file, rank, loss, starts }
}

const SETS: [Set; 9] = [
    set("digits", "digits.npy", 16, "frobenius", 5),
    set("indian_pines", "indian_pines.npy", 16, "frobenius", 3),
    set("product", "", 32, "frobenius", 3),
    set("reuters_r8", "reuters_r8_tfidf.npz", 16, "frobenius", 5),
    set("debian_descriptions", "debian_descriptions_tfidf.npz", 32, "frobenius", 2),
    set("digits-kl", "digits.npy", 16, "kl", 5),
    set("golub-kl", "golub_all_aml.npy", 3, "kl", 5),
    set("reuters_r8-kl", "reuters_r8_counts.npz", 16, "kl", 3),
    set("debian_descriptions-kl", "debian_descriptions_tfidf.npz", 32, "kl", 2),
];
/// Names of those that are fitted with hidden entries too, and the iterations.
const HIDDEN: [(&str, &str); 4] =
    [("digits", "200"), ("indian_pines", "180"), ("digits-kl", "60"), ("golub-kl", "60")];
const PRECISIONS: [&str; 2] = ["float64", "float32"];
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
    let contest = |set| Contest { set, data: &data, python: &python, out: &out };
    let wanted = |name: &str| names.is_empty() || names.iter().any(|n| n == name);
    println!("time to scikit-learn's objective, {THREADS} threads, medians over shared starts\n");
    println!("| data | k | dtype | scikit-learn | partwise | ratio | least | reached |");
    println!("|---|---|---|---|---|---|---|---|");
    for set in SETS.iter().filter(|set| wanted(set.name)) {
        contest(set).hold()?;
    }
    println!("\na tenth of the entries hidden, {THREADS} threads, medians of five\n");
    println!("| data | k | dtype | none hidden, an iteration | a tenth hidden | ratio |");
    println!("|---|---|---|---|---|---|");
    for (name, iterations) in HIDDEN.iter().filter(|(name, _)| wanted(name)) {
        for set in SETS.iter().filter(|set| set.name == *name) {
            contest(set).hide(iterations)?;
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
    set: &'a Set,
    data: &'a Path,
    python: &'a Path,
    out: &'a Path,
}

impl Contest<'_> {
    fn file(&self) -> Result<Option<PathBuf>, Failed> {
        if self.set.file.is_empty() {
            return product(self.python, self.out).map(Some);
        }
        let file = self.data.join(self.set.file);
        if !file.exists() {
            eprintln!("{}: no {}; set PARTWISE_BENCH_DATA", self.set.name, file.display());
        }
        Ok(file.exists().then_some(file))
    }

    /// Both sides to scikit-learn's objective.
    fn hold(&self) -> Result<(), Failed> {
        let Some(file) = self.file()? else { return Ok(()) };
        for dtype in PRECISIONS {
            let mut score = Score::default();
            for start in 0..self.set.starts {
                self.start(&file, dtype, start)?;
                let them = run_quietly(self.baseline("run", &file, dtype).arg("0"))?;
                if !number(&them, "objective").is_finite() {
                    let name = self.set.name;
                    eprintln!(
                        "{name}, {dtype}: the objective of scikit-learn's factors is not finite"
                    );
                    continue;
                }
                let us = run_quietly(&mut self.partwise(&file, dtype, &them["objective"]))?;
                score.note(&them, &us);
            }
            if !score.theirs.is_empty() {
                score.print(self.set, dtype);
            }
        }
        Ok(())
    }

    /// A tenth of the entries hidden beside none.
    fn hide(&self, iterations: &str) -> Result<(), Failed> {
        let Some(file) = self.file()? else { return Ok(()) };
        for dtype in PRECISIONS {
            self.start(&file, dtype, 0)?;
            let (mut plain, mut hidden) = (Vec::new(), Vec::new());
            for _ in 0..5 {
                for (share, times) in [(None, &mut plain), (Some("0.1"), &mut hidden)] {
                    let mut command = self.partwise(&file, dtype, &Value::from(0.0));
                    command.env("ITERATIONS", iterations).envs(share.map(|s| ("HIDE", s)));
                    let us = run_quietly(&mut command)?;
                    times.push(number(&us, "seconds") / number(&us, "iterations"));
                }
            }
            let (plain, hidden) = (median(&mut plain), median(&mut hidden));
            let Set { name, rank, .. } = self.set;
            let (ratio, plain, hidden) = (hidden / plain, 1e3 * plain, 1e3 * hidden);
            println!(
                "| {name} | {rank} | {dtype} | {plain:.2} ms | {hidden:.2} ms | {ratio:.2}× |"
            );
        }
        Ok(())
    }

    fn start(&self, file: &Path, dtype: &str, seed: usize) -> Result<(), Failed> {
        run_quietly(self.baseline("start", file, dtype).arg(seed.to_string())).map(|_| ())
    }

    fn baseline(&self, what: &str, file: &Path, dtype: &str) -> Command {
        let mut command = baseline(self.python);
        command.env("LOSS", self.set.loss);
        command.arg(what).arg(file).args([&self.set.rank.to_string(), dtype]).arg(self.out);
        command
    }

    fn partwise(&self, file: &Path, dtype: &str, goal: &Value) -> Command {
        let precision = if dtype == "float32" { "f32" } else { "f64" };
        let mut command = Command::new(root().join("target/release/partwise-bench"));
        command.env("LOSS", self.set.loss).arg(file);
        command.args([&self.set.rank.to_string(), precision, THREADS, &goal.to_string()]);
        command.args([self.out.join("w0.npy"), self.out.join("h0.npy")]);
        command
    }
}

fn number(v: &Value, key: &str) -> f64 {
    v[key].as_f64().unwrap_or(f64::NAN)
}

/// What the rounds of a contest gave.
#[derive(Default)]
struct Score {
    ratios: Vec<f64>,
    speeds: Vec<f64>,
    theirs: Vec<f64>,
    ours: Vec<f64>,
    /// Iterations in the last round.
    counts: (u64, u64),
}

impl Score {
    fn note(&mut self, them: &Value, us: &Value) {
        self.theirs.push(number(them, "seconds"));
        self.counts.0 = them["iterations"].as_u64().unwrap_or(0);
        let (goal, got) = (number(them, "objective"), number(us, "objective"));
        if got <= goal * (1.0 + 1e-6) {
            self.ours.push(number(us, "seconds"));
            self.speeds.push(number(us, "iterations") / number(us, "seconds"));
            self.counts.1 = us["iterations"].as_u64().unwrap_or(0);
            self.ratios.push(number(them, "seconds") / number(us, "seconds"));
        } else {
            let above = 100.0 * (got / goal - 1.0);
            let status = us["status"].as_str().unwrap_or("?");
            eprintln!("a start ended {above:.3} % above ({status})");
        }
    }

    fn print(&mut self, Set { name, rank, starts, .. }: &Set, dtype: &str) {
        let reached = self.ratios.len();
        let least = self.ratios.iter().copied().fold(f64::INFINITY, f64::min);
        println!(
            "| {name} | {rank} | {dtype} | {:.2} s ({} it.) | {:.3} s ({} it., {:.0}/s) | {:.1}× | {least:.1}× | {reached} of {starts} |",
            median(&mut self.theirs),
            self.counts.0,
            median(&mut self.ours),
            self.counts.1,
            median(&mut self.speeds),
            median(&mut self.ratios)
        );
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
