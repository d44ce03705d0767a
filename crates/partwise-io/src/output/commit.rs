//! Giving files their names, all or none.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::lock::FolderLock;
use super::{OutputFile, folder, open, owner};
use crate::error::{Error, Place};

/// Flushes files to the disk and gives all of them their names, or none.
///
/// Everything is on the disk before the first file gets its name. From then on:
///
/// - If one of them cannot get its name, those that have it give it back, and what they replaced
///   is there again. The files are then kept beside their names, as `NAME-2.npy` or the next number
///   that is free for all of them, and the error says so.
/// - A file that has appeared since [`OutputFile::create`] is not replaced, unless that was called
///   with `force`.
/// - A process that commits files in the same folders at the same time waits for this one, so that
///   the files of two runs do not mix. This needs a file system with locks.
/// - A process that is killed, or a machine that loses power, between the first name and the last
///   leaves some files of this commit and some of what was there before. That is a few renames one
///   after another. What was there before is never lost: it is kept as `.NAME.….old` until all
///   files have their names. Each single file is whole at any time.
///
/// A file that is replaced keeps its permissions, and its owner where that is allowed; a new one
/// gets what the process gives to new files.
///
/// # Errors
///
/// [`Error::Io`], with the name of the file; [`Error::Kept`] if the files got other names.
pub fn commit_all(mut files: Vec<OutputFile>) -> Result<(), Error> {
    for file in &mut files {
        file.finish().map_err(|error| error.at(&file.name))?;
    }
    files.retain(|file| file.temporary.is_some());
    let mut folders: Vec<PathBuf> = files.iter().map(|f| canonical(folder(&f.target))).collect();
    folders.sort();
    folders.dedup();
    let locks: Vec<_> = folders.iter().map(|folder| FolderLock::take(folder)).collect();
    let mut open = open::hold()?;
    let steps = files.iter().map(|file| Step::new(file, file.target.clone())).collect();
    let result = match place(steps) {
        Err((cause, at)) => Err(keep(&files, cause.at(&files[at].name))),
        Ok(()) => Ok(()),
    };
    if let Ok(()) | Err(Error::Kept { .. }) = &result {
        for file in &mut files {
            file.temporary.take().iter().for_each(|temporary| open.forget(temporary));
        }
    }
    drop((open, locks));
    // The names are in place; that they also survive a power cut is best effort.
    folders.iter().for_each(|folder| drop(File::open(folder).and_then(|f| f.sync_all())));
    result
}

fn canonical(folder: &Path) -> PathBuf {
    fs::canonicalize(folder).unwrap_or_else(|_| folder.to_path_buf())
}

impl OutputFile {
    /// Makes the temporary file what the final one shall be.
    fn finish(&mut self) -> Result<(), Error> {
        self.writer.flush().map_err(Error::io("write"))?;
        if self.temporary.is_none() {
            return Ok(());
        }
        let file = self.writer.get_ref();
        if self.force
            && let Ok(about) = fs::metadata(&self.target)
        {
            inherit(file, &about).map_err(Error::io("set the permissions"))?;
        }
        file.sync_all().map_err(Error::io("write to the disk"))
    }
}

/// Takes over permissions, and the owner where that is allowed.
fn inherit(file: &File, about: &fs::Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        // Only a privileged process may give a file away; the group is often allowed.
        let _ = fchown(file, Some(about.uid()), None);
        let _ = fchown(file, None, Some(about.gid()));
    }
    file.set_permissions(about.permissions())
}

/// A file on its way to its name.
struct Step<'a> {
    from: &'a Path,
    to: PathBuf,
    /// Whether it may replace a file.
    force: bool,
    backup: Option<Backup>,
    done: bool,
}

/// What is to be replaced, under another name: a link to it, or, where there are no links, the place
/// to which it is moved.
enum Backup {
    Linked(PathBuf),
    Moved(PathBuf),
}

/// Takes all steps, or none: the error comes with the position of the step that failed.
fn place(mut steps: Vec<Step<'_>>) -> Result<(), (Error, usize)> {
    for at in 0..steps.len() {
        steps[at].prepare().map_err(|error| (error, at)).inspect_err(|_| undo(&mut steps))?;
    }
    // First those that replace something: whether that has begun tells what a killed process left.
    let mut order: Vec<usize> = (0..steps.len()).collect();
    order.sort_by_key(|&at| steps[at].backup.is_none());
    for at in order {
        steps[at].take().map_err(|error| (error, at)).inspect_err(|_| undo(&mut steps))?;
    }
    for step in &steps {
        if let Some(Backup::Linked(old) | Backup::Moved(old)) = &step.backup {
            let _ = fs::remove_file(old);
        }
    }
    Ok(())
}

fn undo(steps: &mut [Step<'_>]) {
    steps.iter_mut().rev().for_each(Step::undo);
}

impl<'a> Step<'a> {
    fn new(file: &'a OutputFile, to: PathBuf) -> Self {
        // The caller has dropped files without a temporary one.
        let from = file.temporary.as_deref().unwrap_or(Path::new(""));
        Self { from, to, force: file.force, backup: None, done: false }
    }

    /// Whatever can be done before the first file gets its name, for that must be quick.
    fn prepare(&mut self) -> Result<(), Error> {
        let Ok(about) = fs::symlink_metadata(&self.to) else { return Ok(()) };
        if !self.force {
            return Err(Error::Appeared);
        }
        if about.is_dir() {
            return Err(Error::format(Place::File, "a directory", "a file"));
        }
        let old = owner::beside(&self.to, owner::REPLACED)?;
        self.backup = match fs::hard_link(&self.to, &old) {
            Ok(()) => Some(Backup::Linked(old)),
            Err(e) if e.kind() == ErrorKind::NotFound => None,
            Err(_) => Some(Backup::Moved(old)),
        };
        Ok(())
    }

    fn take(&mut self) -> Result<(), Error> {
        let named = Error::io("give the finished file its name");
        match &self.backup {
            Some(Backup::Moved(old)) => {
                fs::rename(&self.to, old).map_err(&named)?;
                self.done = true;
                fs::rename(self.from, &self.to).map_err(&named)?;
            }
            Some(Backup::Linked(_)) => fs::rename(self.from, &self.to).map_err(&named)?,
            None if self.force => fs::rename(self.from, &self.to).map_err(&named)?,
            None => rename_new(self.from, &self.to).map_err(|e| match e.kind() {
                ErrorKind::AlreadyExists => Error::Appeared,
                _ => named(e),
            })?,
        }
        self.done = true;
        Ok(())
    }

    /// Back to how it was. What cannot be put back stays under the name of the backup.
    fn undo(&mut self) {
        match self.backup.take() {
            Some(Backup::Linked(old)) if self.done => {
                let kept = fs::hard_link(&self.to, self.from);
                let _ = kept.and_then(|()| fs::rename(old, &self.to));
            }
            Some(Backup::Linked(old)) => drop(fs::remove_file(old)),
            Some(Backup::Moved(old)) if self.done => {
                // It may have got no further than to move the old file.
                if self.to.exists() {
                    let _ = fs::rename(&self.to, self.from);
                }
                let _ = fs::rename(old, &self.to);
            }
            Some(Backup::Moved(_)) => {}
            None if self.done => drop(fs::rename(&self.to, self.from)),
            None => {}
        }
        self.done = false;
    }
}

/// Gives a file a name that no other one has.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Err(e),
        Err(_) => {
            // Without links: an empty file takes the name first, and is replaced.
            OpenOptions::new().write(true).create_new(true).open(to)?;
            fs::rename(from, to).inspect_err(|_| drop(fs::remove_file(to)))
        }
    }
}

/// Keeps finished files under other names, the same number for all.
fn keep(files: &[OutputFile], cause: Error) -> Error {
    /// Numbers that are tried.
    const MOST: u32 = 1000;
    for number in 2..MOST {
        let names = files.iter().map(|file| numbered(&file.target, number));
        let step = |(file, to)| Step { force: false, ..Step::new(file, to) };
        match place(files.iter().zip(names).map(step).collect()) {
            Ok(()) => {
                let kept =
                    files.iter().map(|file| (file.name.clone(), shown(file, number))).collect();
                return Error::Kept { cause: Box::new(cause), kept };
            }
            Err((Error::Appeared, _)) => {}
            Err(_) => break,
        }
    }
    cause
}

/// The other name as the user would write it.
fn shown(file: &OutputFile, number: u32) -> String {
    let path = numbered(Path::new(&file.name), number);
    // Behind a link it is in another folder.
    let path = if path.exists() { path } else { numbered(&file.target, number) };
    path.to_string_lossy().into_owned()
}

/// `w.npy` as `w-2.npy`, `w.csv.gz` as `w-2.csv.gz`.
fn numbered(path: &Path, number: u32) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_os_string();
    let text = name.to_string_lossy();
    let whole = text.strip_suffix(".gz").unwrap_or(&text);
    let stem = whole.rsplit_once('.').map_or(whole, |(stem, _)| stem);
    let stem = if stem.is_empty() { whole } else { stem };
    // A name that is no text keeps all its bytes, the number behind them.
    let mut other = std::ffi::OsString::new();
    if let (true, Some(ending)) = (name.to_str().is_some(), text.get(stem.len()..)) {
        other.push(format!("{stem}-{number}{ending}"));
    } else {
        other.push(&name);
        other.push(format!("-{number}"));
    }
    path.with_file_name(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_replaced_is_there_until_all_have_their_names() {
        let folder = std::env::temp_dir().join(format!("partwise-commit-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let files = ["w", "h"].map(|name| {
            let path = folder.join(name);
            fs::write(&path, format!("old {name}")).expect("write");
            let mut file = OutputFile::create(&path, true, &[]).expect("an output");
            file.write_all(format!("new {name}").as_bytes()).expect("write");
            file.finish().expect("finish");
            file
        });
        let mut steps: Vec<Step<'_>> =
            files.iter().map(|file| Step::new(file, file.target.clone())).collect();
        steps.iter_mut().for_each(|step| step.prepare().expect("prepare"));
        steps[0].take().expect("take");
        // As a process that is killed here would leave it.
        let read = |path: &Path| fs::read_to_string(path).expect("a file");
        assert_eq!(["w", "h"].map(|name| read(&folder.join(name))), ["new w", "old h"]);
        let old = steps.iter().map(|step| match &step.backup {
            Some(Backup::Linked(old) | Backup::Moved(old)) => read(old),
            None => String::new(),
        });
        assert_eq!(old.collect::<Vec<_>>(), ["old w", "old h"]);
        super::super::leftovers::sweep(&folder);
        assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 5);
        // A step that fails takes the others back.
        undo(&mut steps);
        assert_eq!(["w", "h"].map(|name| read(&folder.join(name))), ["old w", "old h"]);
        assert_eq!(read(steps[0].from), "new w");
        drop(steps);
        drop(files);
        assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 2);
        fs::remove_dir_all(folder).expect("remove");
    }

    #[test]
    fn other_names_keep_the_ending() {
        let pairs = [
            ("a/w.npy", "a/w-2.npy"),
            ("run.W.npy", "run.W-2.npy"),
            ("w.csv.gz", "w-2.csv.gz"),
            ("w", "w-2"),
            (".w", ".w-2"),
        ];
        for (name, other) in pairs {
            let found = numbered(Path::new(name), 2);
            assert_eq!(found, Path::new(other));
        }
    }
}
