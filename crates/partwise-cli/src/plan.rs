//! What will be done: outputs are opened and everything that can be refused is refused before a
//! matrix is read.

use crate::args;
use crate::failure::Failure;
use crate::interrupt;
use crate::number::Number;
use crate::text;
use partwise_io::{Error, OutputFile, write_csv, write_npy};
use std::io;
use std::path::{Path, PathBuf};

/// An output that is open and waits for its content.
pub(crate) struct Output {
    path: PathBuf,
    csv: bool,
    file: OutputFile,
}

/// The outputs of a fit.
#[derive(Default)]
pub(crate) struct Outputs {
    pub(crate) w: Option<Output>,
    pub(crate) h: Option<Output>,
    pub(crate) model: Option<Output>,
    folder: MadeFolder,
}

/// A folder made for outputs; it goes again if it stays empty.
#[derive(Default)]
struct MadeFolder(Option<PathBuf>);

impl Drop for MadeFolder {
    fn drop(&mut self) {
        if let Some(folder) = &self.0 {
            let _ = std::fs::remove_dir(folder);
        }
    }
}

/// A matrix to write, row-major, with the names of its rows and columns.
pub(crate) struct Content<'a, T> {
    pub(crate) shape: (usize, usize),
    pub(crate) values: &'a [T],
    pub(crate) row_names: Option<&'a [String]>,
    pub(crate) col_names: Option<&'a [String]>,
}

impl Output {
    /// Opens an output; its extension decides between npy and CSV.
    pub(crate) fn matrix(path: &Path, force: bool, inputs: &[PathBuf]) -> Result<Self, Failure> {
        let extension = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
        let csv = match extension.as_deref() {
            Some("csv") => true,
            Some("npy") => false,
            // A device has no extension to go by.
            None if path.exists() && !path.is_file() && !path.is_dir() => false,
            _ => {
                let name = text::path(path);
                let wanted = "a matrix is written as .npy or .csv: give a name that ends in one";
                return Err(Failure::Usage(format!("{name}: {wanted}")));
            }
        };
        Self::open(path, csv, force, inputs)
    }

    fn open(path: &Path, csv: bool, force: bool, inputs: &[PathBuf]) -> Result<Self, Failure> {
        interrupt::remember(path);
        let file = OutputFile::create(path, force, inputs)?;
        Ok(Self { path: path.to_path_buf(), csv, file })
    }

    /// The file as the user knows it.
    pub(crate) fn name(&self) -> String {
        text::path(&self.path)
    }

    /// Writes a matrix.
    pub(crate) fn write<T: Number>(&mut self, content: &Content<'_, T>) -> Result<(), Failure> {
        let Content { shape: (rows, cols), values, row_names, col_names } = *content;
        let result = if self.csv {
            write_csv(&mut self.file, rows, cols, values, row_names, col_names)
        } else {
            write_npy(&mut self.file, rows, cols, values)
        };
        result.map_err(|cause| self.failed(cause))
    }

    /// Writes a model.
    pub(crate) fn write_model(&mut self, model: &partwise_io::Model) -> Result<(), Failure> {
        model.write(&mut self.file).map_err(|error| match error {
            Error::Io { cause, .. } => self.failed(cause),
            other => Failure::Internal(format!("{}: {other}", self.name())),
        })
    }

    /// Gives the finished file its name.
    pub(crate) fn commit(self) -> Result<String, Failure> {
        let name = self.name();
        self.file.commit()?;
        Ok(name)
    }

    fn failed(&self, cause: io::Error) -> Failure {
        let error = Box::new(Error::Io { action: "write", cause });
        Failure::Io(Error::At { file: self.name(), error })
    }
}

impl Outputs {
    /// Opens what a fit was asked to save.
    pub(crate) fn open(args: &args::Fit) -> Result<Self, Failure> {
        let inputs: Vec<PathBuf> = [Some(&args.input.file), args.w.as_ref(), args.h.as_ref()]
            .into_iter()
            .flatten()
            .chain(args.weighing.files())
            .cloned()
            .collect();
        let mut outputs = Self::default();
        let [w, h, model] = match &args.out {
            Some(out) => {
                let (paths, folder) = named_after(out)?;
                outputs.folder = folder;
                paths.map(Some)
            }
            None => [args.w_out.clone(), args.h_out.clone(), args.model.clone()],
        };
        check_distinct([&w, &h, &model])?;
        let matrix = |path: PathBuf| Output::matrix(&path, args.force, &inputs);
        outputs.w = w.map(matrix).transpose()?;
        outputs.h = h.map(matrix).transpose()?;
        let open = |path: PathBuf| Output::open(&path, false, args.force, &inputs);
        outputs.model = model.map(open).transpose()?;
        Ok(outputs)
    }

    /// Gives all files their names, once all are complete.
    pub(crate) fn commit(self) -> Result<(), Failure> {
        for output in [self.w, self.h, self.model].into_iter().flatten() {
            output.commit()?;
        }
        Ok(())
    }
}

/// The three files that `--out` stands for, and the folder if it had to be made.
fn named_after(out: &Path) -> Result<([PathBuf; 3], MadeFolder), Failure> {
    let ends_in_slash = out.to_string_lossy().ends_with(['/', std::path::MAIN_SEPARATOR]);
    if !(ends_in_slash || out.is_dir()) {
        let with = |suffix: &str| {
            let mut name = out.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        };
        return Ok(([with(".W.npy"), with(".H.npy"), with(".partwise")], MadeFolder(None)));
    }
    let mut made = MadeFolder(None);
    if !out.exists() {
        std::fs::create_dir(out).map_err(|cause| {
            let error = Box::new(Error::Io { action: "make the folder", cause });
            Failure::Io(Error::At { file: text::path(out), error })
        })?;
        made.0 = Some(out.to_path_buf());
    }
    Ok((["W.npy", "H.npy", "model.partwise"].map(|name| out.join(name)), made))
}

fn check_distinct(paths: [&Option<PathBuf>; 3]) -> Result<(), Failure> {
    for (at, path) in paths.iter().enumerate() {
        let others = paths.iter().skip(at + 1);
        // Devices such as /dev/null take any number of outputs.
        if let Some(path) = path
            && others.into_iter().any(|other| other.as_ref() == Some(path))
            && (!path.exists() || path.is_file())
        {
            let name = text::path(path);
            return Err(Failure::Usage(format!(
                "{name} is named for two outputs; give each its own"
            )));
        }
    }
    Ok(())
}

/// Threads to use: as asked, one for each core for 0, and never more than there are cores.
pub(crate) fn threads(asked: usize, notices: &mut Vec<String>) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    if asked > cores {
        notices.push(format!("--threads {asked} was lowered to {cores}, the cores there are"));
    }
    if asked == 0 { cores } else { asked.min(cores) }
}
