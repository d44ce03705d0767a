//! Output files that appear whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::{Error, Place};

/// A file that is written under a temporary name in its folder and takes its own name on
/// [`commit`](Self::commit). Dropped before that, it leaves no trace, and a file that had the name
/// stays as it was.
///
/// Create it before a long run, so that an unwritable folder fails first. Devices and pipes, such
/// as `/dev/null`, are written directly.
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
        // A link keeps pointing to its file, so it is the file that is replaced.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
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
            if !force {
                return Err(Error::Exists);
            }
        }
        let (temporary, file) = create_beside(&target)?;
        let writer = BufWriter::new(file);
        Ok(Self { name, target, temporary: Some(temporary), force, writer })
    }

    /// Flushes everything to the disk and gives the file its name.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], and [`Error::Exists`] if the name was taken in the meantime.
    pub fn commit(mut self) -> Result<(), Error> {
        let result = self.finish();
        result.map_err(|error| error.at(&self.name))
    }

    fn finish(&mut self) -> Result<(), Error> {
        self.writer.flush().map_err(Error::io("write"))?;
        let Some(temporary) = &self.temporary else {
            return Ok(());
        };
        self.writer.get_ref().sync_all().map_err(Error::io("write to the disk"))?;
        if !self.force && self.target.exists() {
            return Err(Error::Exists);
        }
        fs::rename(temporary, &self.target)
            .map_err(Error::io("give the finished file its name"))?;
        self.temporary = None;
        // The name is in place; that it also survives a power cut is best effort.
        if let Some(folder) = self.target.parent()
            && let Ok(folder) = File::open(folder)
        {
            let _ = folder.sync_all();
        }
        Ok(())
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
        }
    }
}

fn check_inputs(target: &Path, inputs: &[PathBuf]) -> Result<(), Error> {
    for input in inputs {
        if fs::canonicalize(input).is_ok_and(|input| input == target) {
            return Err(Error::SameAsInput { input: input.to_string_lossy().into_owned() });
        }
    }
    Ok(())
}

/// Creates a file of a new name in the folder of the target.
fn create_beside(target: &Path) -> Result<(PathBuf, File), Error> {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let Some(name) = target.file_name() else {
        return Err(Error::format(Place::File, "no file name", "one"));
    };
    loop {
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        hidden.push(format!(".{}-{number}.tmp", std::process::id()));
        let temporary = target.with_file_name(hidden);
        match OpenOptions::new().write(true).create_new(true).open(&temporary) {
            Ok(file) => return Ok((temporary, file)),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(Error::io("create the output")(e)),
        }
    }
}
