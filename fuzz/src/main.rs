//! Runs the targets: `partwise-fuzz SECONDS FOLDER SEED [TARGET ...]`. Each target gets an equal share of
//! the time, in processes of at most a minute. What brought one down is left in FOLDER.
//!
//! `partwise-fuzz one TARGET SEED FIRST SECONDS NOTES` is such a process, and
//! `partwise-fuzz replay TARGET SEED INPUT` reads one input again.

mod alone;

use partwise_fuzz::{TARGETS, Target};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// Longest life of a process, so that what leaks shows as little as what does not.
const LIFE: u64 = 60;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args[..] {
        ["one", target, seed, first, seconds, notes] => {
            alone::run(target, seed, first, seconds, Path::new(notes))
        }
        ["replay", target, seed, input] => alone::replay(target, seed, input),
        [seconds, folder, seed, ref targets @ ..] => all(seconds, folder, seed, targets),
        _ => None,
    };
    done.unwrap_or_else(|| {
        eprintln!("partwise-fuzz SECONDS FOLDER SEED [TARGET ...]");
        ExitCode::from(2)
    })
}

/// `None` for arguments that make no sense.
fn all(seconds: &str, folder: &str, seed: &str, names: &[&str]) -> Option<ExitCode> {
    let (seconds, seed): (u64, u64) = (seconds.parse().ok()?, seed.parse().ok()?);
    let wanted = |target: &&Target| names.is_empty() || names.contains(&target.name);
    let targets: Vec<&Target> = TARGETS.iter().filter(wanted).collect();
    if targets.is_empty() || targets.len() < names.len() {
        return None;
    }
    let folder = Path::new(folder);
    std::fs::create_dir_all(folder).ok()?;
    println!("| target | seconds | inputs | read | refused | found |");
    println!("|---|---|---|---|---|---|");
    let mut found = 0;
    let share = Duration::from_secs(seconds) / u32::try_from(targets.len()).ok()?;
    // Round by round, so that the figures of a run that is cut short are those of all targets.
    for target in targets {
        let mut campaign = Campaign { target, folder, seed, totals: Totals::default() };
        campaign.run(share);
        campaign.print(share);
        found += campaign.totals.found;
    }
    Some(if found == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What the inputs of a target came to.
#[derive(Default)]
struct Totals {
    inputs: u64,
    read: u64,
    refused: u64,
    found: u64,
}

struct Campaign<'a> {
    target: &'a Target,
    folder: &'a Path,
    seed: u64,
    totals: Totals,
}

impl Campaign<'_> {
    fn run(&mut self, share: Duration) {
        let end = Instant::now() + share;
        let mut first = 0;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            let life = left.as_secs_f64().min(LIFE as f64);
            let notes = self.folder.join(format!("{}.notes", self.target.name));
            let status = self.process(first, life, &notes);
            let Some(noted) = alone::Noted::read(&notes) else {
                eprintln!("{}: the process left no notes: {status}", self.target.name);
                self.totals.found += 1;
                return;
            };
            let Totals { inputs, read, refused, .. } = &mut self.totals;
            *inputs += noted.input + 1 - first;
            (*read, *refused) = (*read + noted.read, *refused + noted.refused);
            first = noted.input + 1;
            if status != "exit status: 0" {
                self.keep(noted.input, &status);
            }
        }
    }

    /// How a process ended.
    fn process(&self, first: u64, life: f64, notes: &Path) -> String {
        // Notes of another process would be taken for its own.
        let _ = std::fs::remove_file(notes);
        let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("partwise-fuzz"));
        let mut command = Command::new(program);
        let (seed, first, life) = (self.seed.to_string(), first.to_string(), life.to_string());
        command.args(["one", self.target.name, &seed, &first, &life]).arg(notes);
        match command.stdin(Stdio::null()).output() {
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr);
                eprint!("{}", said.chars().take(2000).collect::<String>());
                output.status.to_string()
            }
            Err(error) => error.to_string(),
        }
    }

    /// Leaves the input that ended a process, and says how to read it again.
    fn keep(&mut self, input: u64, status: &str) {
        self.totals.found += 1;
        let (name, seed) = (self.target.name, self.seed);
        let file = self.folder.join(format!("{name}-{seed}-{input}"));
        let bytes = self.target.input(&self.target.corpus(), seed, input);
        let kept = std::fs::write(&file, bytes)
            .map_or_else(|e| e.to_string(), |()| file.display().to_string());
        eprintln!("{name}: {status}: {kept}; partwise-fuzz replay {name} {seed} {input}");
    }

    fn print(&self, share: Duration) {
        let Totals { inputs, read, refused, found } = self.totals;
        let (name, seconds) = (self.target.name, share.as_secs());
        println!("| {name} | {seconds} | {inputs} | {read} | {refused} | {found} |");
    }
}
