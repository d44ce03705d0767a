//! Output files that appear whole or not at all, together or not at all.
//!
//! A file is written beside its name, as `.NAME.PLACE-PID-N.tmp`: PLACE tells the machine or
//! container, PID the process, N counts. [`commit_all`] gives files their names.

mod commit;
mod leftovers;
mod lock;
mod open;
mod owner;

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Place};

pub use commit::commit_all;
pub use open::{OutputFolder, abandon_outputs};

/// A file that is written under a temporary name in its folder and takes its own name on
/// [`commit`](Self::commit). Dropped before that, it leaves no trace, and a file that had the name
/// stays as it was.
///
/// Create it before a long run, so that an unwritable folder fails first. Devices and pipes, such
/// as `/dev/null`, are written directly. What processes that were killed left behind in the folder
/// is removed on the way.
#[derive(Debug)]
pub struct OutputFile {
    name: String,
    target: PathBuf,
    temporary: Option<PathBuf>,
    force: bool,
    writer: BufWriter<File>,
}

impl OutputFile {
    /// Opens an output. Without `force`, a file that exists is refused; one of the `inputs` always
    /// is.
    ///
    /// # Errors
    ///
    /// [`Error::Exists`], [`Error::SameAsInput`], [`Error::Io`], all with the name of the file.
    pub fn create(path: &Path, force: bool, inputs: &[PathBuf]) -> Result<Self, Error> {
        let name = path.to_string_lossy();
        Self::open(path, force, inputs).map_err(|error| error.at(&name))
    }

    fn open(path: &Path, force: bool, inputs: &[PathBuf]) -> Result<Self, Error> {
        let name = path.to_string_lossy().into_owned();
        let target = behind_links(path);
        check_inputs(&target, inputs)?;
        if let Ok(about) = fs::metadata(&target) {
            if about.is_dir() {
                return Err(Error::format(Place::File, "a directory", "a file"));
            }
            if !about.is_file() {
                let file = OpenOptions::new().write(true).open(&target);
                let writer = BufWriter::new(file.map_err(Error::io("open for writing"))?);
                return Ok(Self { name, target, temporary: None, force, writer });
            }
        }
        if open::first_in(folder(&target)) {
            leftovers::sweep(folder(&target));
        }
        if !force && target.exists() {
            return Err(Error::Exists);
        }
        let (temporary, file) = create_beside(&target)?;
        let writer = BufWriter::new(file);
        Ok(Self { name, target, temporary: Some(temporary), force, writer })
    }

    /// Flushes everything to the disk and gives the file its name: [`commit_all`] for one file.
    ///
    /// # Errors
    ///
    /// As [`commit_all`].
    pub fn commit(self) -> Result<(), Error> {
        commit_all(vec![self])
    }
}

impl Write for OutputFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.writer.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            let _ = fs::remove_file(temporary);
            open::forget(temporary);
        }
    }
}

/// The file that is meant: links keep pointing to theirs, also to one that is still to be made.
fn behind_links(path: &Path) -> PathBuf {
    /// Links that Linux follows, too.
    const MOST: usize = 40;
    if let Ok(target) = fs::canonicalize(path) {
        return target;
    }
    let mut target = path.to_path_buf();
    // What exists and has no canonical name is a pipe or the like.
    if target.exists() {
        return target;
    }
    for _ in 0..MOST {
        let Ok(next) = fs::read_link(&target) else { break };
        target = folder(&target).join(next);
    }
    target
}

fn check_inputs(target: &Path, inputs: &[PathBuf]) -> Result<(), Error> {
    for input in inputs {
        if fs::canonicalize(input).is_ok_and(|input| input == target) {
            return Err(Error::SameAsInput { input: input.to_string_lossy().into_owned() });
        }
    }
    Ok(())
}

/// The folder that a file is in.
fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Creates a file of a new name in the folder of the target, locked as long as it is open.
fn create_beside(target: &Path) -> Result<(PathBuf, File), Error> {
    loop {
        let temporary = owner::beside(target, owner::TEMPORARY)?;
        match OpenOptions::new().write(true).create_new(true).open(&temporary) {
            Ok(file) => {
                open::remember(&temporary).inspect_err(|_| drop(fs::remove_file(&temporary)))?;
                // Where it cannot be locked, the process number tells whether it is in use.
                let unlocked = matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock));
                // Another process may have taken it for a leftover before it was locked.
                if !unlocked && temporary.exists() {
                    return Ok((temporary, file));
                }
                open::forget(&temporary);
            }
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(Error::io("create the output")(e)),
        }
    }
}
