//! A process that reads inputs until it is told to stop, or until one brings it down.

use partwise_fuzz::{Outcome, TARGETS, Target};
use std::fs::File;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Memory of a process. Readers are allowed 64 MiB; what they convert and check takes some of the rest.
const MEMORY: u64 = 1 << 30;

/// An input that takes longer than this is a hang: they are a few kilobytes.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a process leaves behind, however it ends.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Noted {
    /// The input it was at.
    pub(crate) input: u64,
    pub(crate) read: u64,
    pub(crate) refused: u64,
}

impl Noted {
    pub(crate) fn read(notes: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(notes).ok()?;
        let mut numbers = text.split_whitespace().map(|word| word.parse().ok());
        let mut next = || numbers.next().flatten();
        Some(Self { input: next()?, read: next()?, refused: next()? })
    }

    fn write(&self, notes: &File) {
        let Self { input, read, refused } = self;
        let line = format!("{input:>20} {read:>20} {refused:>20}\n");
        // Without its notes a process counts as brought down.
        let _ = write_at(notes, line.as_bytes());
    }
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8]) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, 0)
}

#[cfg(not(unix))]
fn write_at(mut file: &File, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::{Seek, SeekFrom, Write};
    file.seek(SeekFrom::Start(0))?;
    file.write_all(bytes)
}

fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// Reads inputs for some seconds; `None` for arguments that make no sense.
pub(crate) fn run(
    name: &str,
    seed: &str,
    first: &str,
    seconds: &str,
    notes: &Path,
) -> Option<ExitCode> {
    let target = target(name)?;
    let (seed, first, seconds) = (seed.parse().ok()?, first.parse().ok()?, seconds.parse().ok()?);
    limit_memory();
    let notes = File::create(notes).ok()?;
    let corpus = target.corpus();
    let end = Instant::now() + Duration::try_from_secs_f64(seconds).ok()?;
    let mut noted = Noted { input: first, ..Noted::default() };
    let at = watch(first);
    loop {
        noted.write(&notes);
        match target.read(target.input(&corpus, seed, noted.input), seed, noted.input) {
            Outcome::Read => noted.read += 1,
            Outcome::Refused => noted.refused += 1,
        }
        at.store(noted.input + 1, Ordering::Relaxed);
        if Instant::now() >= end {
            noted.write(&notes);
            return Some(ExitCode::SUCCESS);
        }
        noted.input += 1;
    }
}

/// Reads one input as a run would.
pub(crate) fn replay(name: &str, seed: &str, input: &str) -> Option<ExitCode> {
    let target = target(name)?;
    let (seed, input) = (seed.parse().ok()?, input.parse().ok()?);
    limit_memory();
    let _ = watch(input);
    let file = target.input(&target.corpus(), seed, input);
    println!("{:?}", target.read(file, seed, input));
    Some(ExitCode::SUCCESS)
}

/// Ends the process if the number that is returned stays the same for too long.
fn watch(first: u64) -> Arc<AtomicU64> {
    let at = Arc::new(AtomicU64::new(first));
    let watched = Arc::clone(&at);
    std::thread::spawn(move || {
        let (mut last, mut since) = (first, Instant::now());
        loop {
            std::thread::sleep(PATIENCE / 20);
            let now = watched.load(Ordering::Relaxed);
            if now != last {
                (last, since) = (now, Instant::now());
            } else if since.elapsed() > PATIENCE {
                eprintln!("input {now} takes more than {PATIENCE:?}");
                std::process::abort();
            }
        }
    });
    at
}

/// Memory that an input asks for beyond the limit ends the process.
fn limit_memory() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let limit = Rlimit { current: Some(MEMORY), maximum: Some(MEMORY) };
        // Without a limit less is found.
        let _ = setrlimit(Resource::As, limit);
    }
}
