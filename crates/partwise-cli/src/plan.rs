//! What will be done: outputs are opened and everything that can be refused is refused before a
//! matrix is read.

use crate::about::About;
use crate::args::{self, Writing};
use crate::failure::Failure;
use crate::json::Files;
use crate::number::Number;
use crate::text;
use partwise_io::{Error, Named, OutputFile, OutputFolder, OutputFormat};
use std::io;
use std::path::{Path, PathBuf};

/// An output that is open and waits for its content.
pub(crate) struct Output {
    path: PathBuf,
    format: OutputFormat,
    writing: Writing,
    file: OutputFile,
}

/// The outputs of a fit.
#[derive(Default)]
pub(crate) struct Outputs {
    pub(crate) w: Option<Output>,
    pub(crate) h: Option<Output>,
    pub(crate) model: Option<Output>,
    /// Goes again if nothing is written into it.
    _folder: Option<OutputFolder>,
}

impl Output {
    /// Opens an output; its extension decides what is written.
    pub(crate) fn matrix(
        path: &Path,
        writing: Writing,
        inputs: &[PathBuf],
    ) -> Result<Self, Failure> {
        let format = match OutputFormat::of(path) {
            Some(format) => format,
            // A device has no extension to go by.
            None if path.extension().is_none()
                && path.exists()
                && !path.is_file()
                && !path.is_dir() =>
            {
                OutputFormat::Npy
            }
            None => {
                let name = text::path(path);
                let wanted = "a matrix is written as .npy or .csv, or as .npz, .tsv, .csv.gz or \
                              .tsv.gz: give a name that ends in one";
                return Err(Failure::Usage(format!("{name}: {wanted}")));
            }
        };
        Self::open(path, format, writing, inputs)
    }

    fn open(
        path: &Path,
        format: OutputFormat,
        writing: Writing,
        inputs: &[PathBuf],
    ) -> Result<Self, Failure> {
        let file = OutputFile::create(path, writing.force, inputs)?;
        Ok(Self { path: path.to_path_buf(), format, writing, file })
    }

    /// The file as the user knows it.
    pub(crate) fn name(&self) -> String {
        text::path(&self.path)
    }

    /// Writes a matrix.
    pub(crate) fn write<T: Number>(&mut self, content: &Named<'_, T>) -> Result<(), Failure> {
        let safe = self.writing.spreadsheet_safe;
        let result = self.format.write(&mut self.file, content, safe);
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

    /// What to say if it cannot hold the names there are.
    pub(crate) fn nameless(&self, what: &str, names: Option<&[String]>) -> Option<String> {
        let lost = names.is_some() && !self.format.has_names();
        lost.then(|| format!("{} holds no {what} names", self.name()))
    }

    fn failed(&self, cause: io::Error) -> Failure {
        let error = Box::new(Error::Io { action: "write", cause });
        Failure::Io(Error::At { file: self.name(), error })
    }
}

impl Outputs {
    /// Opens what a fit was asked to save.
    pub(crate) fn open(args: &args::Fit) -> Result<Self, Failure> {
        let starts = [&args.w, &args.h].into_iter().flatten();
        let inputs = args.input.files().chain(starts).chain(args.weighing.files());
        let inputs: Vec<PathBuf> = inputs.cloned().collect();
        let saving = &args.saving;
        let given = [saving.w_out.clone(), saving.h_out.clone(), saving.model.clone()];
        let (paths, folder) = match &saving.out {
            // A name of its own takes the place of the one after OUT.
            Some(out) => {
                let (names, folder) = named_after(out)?;
                let mut names = names.into_iter();
                (given.map(|given| given.or(names.next())), folder)
            }
            None => (given, None),
        };
        check_distinct(paths.each_ref())?;
        let [w, h, model] = paths;
        let matrix = |path: PathBuf| Output::matrix(&path, saving.writing, &inputs);
        let open = |path: PathBuf| Output::open(&path, OutputFormat::Npy, saving.writing, &inputs);
        Ok(Self {
            w: w.map(matrix).transpose()?,
            h: h.map(matrix).transpose()?,
            model: model.map(open).transpose()?,
            _folder: folder,
        })
    }

    /// Opens what is to be taken out of a model.
    pub(crate) fn of_model(args: &args::Export, inputs: &[PathBuf]) -> Result<Self, Failure> {
        check_distinct([&args.w_out, &args.h_out, &None])?;
        let matrix = |path: &PathBuf| Output::matrix(path, args.writing, inputs);
        Ok(Self {
            w: args.w_out.as_ref().map(matrix).transpose()?,
            h: args.h_out.as_ref().map(matrix).transpose()?,
            ..Self::default()
        })
    }

    /// Their names.
    pub(crate) fn files(&self) -> Files {
        let name = |output: &Option<Output>| output.as_ref().map(Output::name);
        Files { w: name(&self.w), h: name(&self.h), model: name(&self.model) }
    }

    /// A note if names of X end up nowhere.
    pub(crate) fn nameless(&self, about: &About) -> Option<String> {
        if self.model.is_some() {
            return None;
        }
        let w = self.w.as_ref().and_then(|w| w.nameless("row", about.row_names.as_deref()));
        let h = self.h.as_ref().and_then(|h| h.nameless("column", about.col_names.as_deref()));
        let lost: Vec<String> = [w, h].into_iter().flatten().collect();
        let text = "; .csv, .tsv and .npz do, and so does a model (--model)";
        (!lost.is_empty()).then(|| lost.join(", ") + text)
    }

    /// Gives all files their names, once all are complete.
    ///
    /// Files that could not have them have others: `files` is put right, and the failure returned
    /// that tells so.
    pub(crate) fn commit(self, files: &mut Files) -> Result<Option<Failure>, Failure> {
        let outputs = [self.w, self.h, self.model].into_iter().flatten();
        let failure = match partwise_io::commit_all(outputs.map(|output| output.file).collect()) {
            Ok(()) => return Ok(None),
            Err(error) => Failure::Io(error),
        };
        let (code, exit, text) = (failure.code(), failure.exit(), failure.text());
        let Failure::Io(Error::Kept { kept, .. }) = &failure else { return Err(failure) };
        for file in [&mut files.w, &mut files.h, &mut files.model].into_iter().flatten() {
            let other = kept.iter().find(|(name, _)| text::escaped(name) == *file);
            if let Some((_, other)) = other {
                *file = text::escaped(other);
            }
        }
        Ok(Some(Failure::Outcome { code, exit, text }))
    }
}

/// The three files that `--out` stands for, and the folder if it had to be made.
fn named_after(out: &Path) -> Result<([PathBuf; 3], Option<OutputFolder>), Failure> {
    let ends_in_slash = out.to_string_lossy().ends_with(['/', std::path::MAIN_SEPARATOR]);
    if !(ends_in_slash || out.is_dir()) {
        let with = |suffix: &str| {
            let mut name = out.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        };
        return Ok(([with(".W.npy"), with(".H.npy"), with(".partwise")], None));
    }
    let folder = if out.exists() { None } else { Some(OutputFolder::make(out)?) };
    Ok((["W.npy", "H.npy", "model.partwise"].map(|name| out.join(name)), folder))
}

fn check_distinct(paths: [&Option<PathBuf>; 3]) -> Result<(), Failure> {
    let mut seen: Vec<PathBuf> = Vec::new();
    // Devices such as /dev/null take any number of outputs.
    for path in paths.into_iter().flatten().filter(|path| !path.exists() || path.is_file()) {
        let file = resolved(path);
        if seen.contains(&file) {
            let name = text::path(path);
            return Err(Failure::Usage(format!(
                "{name} is named for two outputs; give each its own"
            )));
        }
        seen.push(file);
    }
    Ok(())
}

/// The same for every way to name a file.
fn resolved(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new(".")).canonicalize();
        match (folder, path.file_name()) {
            (Ok(folder), Some(name)) => folder.join(name),
            _ => path.to_path_buf(),
        }
    })
}

/// Threads to use: as asked, one for each core for 0, and never more than there are cores.
pub(crate) fn threads(asked: Option<usize>, notices: &mut Vec<String>) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let asked = asked.unwrap_or(0);
    if asked > cores {
        notices
            .push(format!("{asked} threads were lowered to {cores}, one for each core there is"));
    }
    if asked == 0 { cores } else { asked.min(cores) }
}
