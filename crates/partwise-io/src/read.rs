//! The one door for matrices: find out the kind, hand over to its reader.

use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::columns::Columns;
use crate::error::{Error, Place};
use crate::format::{self, Format};
use crate::memory::Budget;
use crate::table::Table;
use crate::{apply, gz, kinds, lines, mtx, npy, npz, text};

/// Yes, no, or by the rule that the [`Notice`](crate::Notice) names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Switch {
    /// By the rule.
    #[default]
    Auto,
    /// Always.
    Yes,
    /// Never.
    No,
}

/// How to read a file; the default suits most.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// Whether the first line of a text file holds column names.
    ///
    /// Auto: it does if none of its fields is a number, or if its first field is empty and others
    /// are not; and if its numbers are quoted, count, or are an axis such as years or wavelengths over
    /// numbers of another kind. The [`Notice`](crate::Notice) says by which rule.
    pub header: Switch,
    /// Names that the columns may have, such as those of a matrix that the file goes with: a first line of
    /// these is the header, in whatever order and whatever they look like.
    pub known_columns: Option<Vec<String>>,
    /// Whether the first column of a text file holds row names.
    ///
    /// Auto: it does if the header begins with an empty field or is one field short, if it holds text
    /// or dates, or whole numbers that do not repeat under a heading that means an id.
    pub row_names: Switch,
    /// The delimiter of a text file; a space stands for any run of spaces and tabs, a colon for two of
    /// them as well. By default the first of tab, semicolon, comma, space, bar, `::` that occurs in
    /// the first line.
    pub delimiter: Option<u8>,
    /// Lines of a text file to pass over at its beginning.
    pub skip_lines: u64,
    /// What begins lines of a text file that are passed over; `#` before the table, if not given.
    pub comment: Option<u8>,
    /// The decimal sign of a text file. With a comma, points may stand between groups of three digits,
    /// with a point commas may; without it what the file shows beyond doubt.
    pub decimal: Option<u8>,
    /// Marks of missing values beside the usual ones; one that is a number stands for its value, in
    /// every kind of file.
    pub na: Vec<String>,
    /// Columns to read or to leave out, as they stand in the file.
    pub columns: Columns,
    /// Whether the lines of a text file are a row, a column and a value each.
    pub triples: bool,
    /// The array of an `.npz` file to read.
    pub entry: Option<String>,
    /// Whether rows and columns are exchanged after reading.
    pub transpose: bool,
    /// A file with a name for each row of the matrix as it is handed out.
    pub row_names_from: Option<PathBuf>,
    /// A file with a name for each column of the matrix as it is handed out.
    pub column_names_from: Option<PathBuf>,
    /// Whether a large table of text becomes sparse if at most a tenth of it is not zero.
    pub sparse: bool,
    /// Whether a field of a text file that is empty or a mark such as `NA`, or a value of a Matrix Market
    /// file that is such a mark, is read as NaN; otherwise it is refused.
    pub missing_as_nan: bool,
    /// Most bytes that the matrix may take. By default 250 times the length of the file but at
    /// least 256 MiB, and at most three quarters of the free memory.
    pub memory_limit: Option<u64>,
}

/// Reads a matrix from a file.
///
/// # Errors
///
/// Any [`Error`] but those on models and outputs, with the name of the file.
pub fn read(path: &Path, options: &ReadOptions) -> Result<Table, Error> {
    let name = path.to_string_lossy();
    open(path, &name, options).map_err(|error| error.at(&name))
}

/// Reads a matrix from bytes in memory, such as standard input; `name` stands in for the file name.
///
/// # Errors
///
/// As [`read`].
pub fn read_from(bytes: Vec<u8>, name: &str, options: &ReadOptions) -> Result<Table, Error> {
    let length = bytes.len() as u64;
    dispatch(Cursor::new(bytes), length, name, options).map_err(|error| error.at(name))
}

fn open(path: &Path, name: &str, options: &ReadOptions) -> Result<Table, Error> {
    let mut file = File::open(path).map_err(Error::io("open"))?;
    let about = file.metadata().map_err(Error::io("inspect"))?;
    if about.is_dir() {
        return Err(kinds::folder(path));
    }
    if about.is_file() {
        return dispatch(file, about.len(), name, options);
    }
    // Pipes have no length and cannot be rewound.
    let budget = Budget::new(options.memory_limit, u64::MAX);
    let mut bytes = Vec::new();
    let most = budget.limit().saturating_add(1);
    file.by_ref().take(most).read_to_end(&mut bytes).map_err(Error::io("read"))?;
    budget.check(|| "the input".into(), bytes.len() as u128)?;
    let length = bytes.len() as u64;
    dispatch(Cursor::new(bytes), length, name, options)
}

fn dispatch<R: Read + Seek>(
    mut reader: R,
    length: u64,
    name: &str,
    options: &ReadOptions,
) -> Result<Table, Error> {
    let budget = Budget::new(options.memory_limit, length);
    let mut head = Vec::new();
    reader.by_ref().take(format::HEAD as u64).read_to_end(&mut head).map_err(Error::io("read"))?;
    reader.seek(SeekFrom::Start(0)).map_err(Error::io("rewind"))?;
    let outer = format::detect(&head, name, options.comment)?;
    let (inner, mut table) = match outer {
        Format::Npy => (outer, npy::read_table(reader, length, budget)?),
        Format::Npz => (outer, npz::read_table(reader, options.entry.as_deref(), budget)?),
        Format::Gzip => gzipped(reader, name, options, budget)?,
        text => (text, read_text(text, reader, options, budget)?),
    };
    table.notices.extend(format::extension_notice(outer, inner, name));
    apply::apply(table, inner == Format::Text, options, budget)
}

fn gzipped<R: Read>(
    reader: R,
    name: &str,
    options: &ReadOptions,
    budget: Budget,
) -> Result<(Format, Table), Error> {
    let mut reader = gz::decode(reader, budget);
    let mut head = Vec::new();
    reader.by_ref().take(format::HEAD as u64).read_to_end(&mut head).map_err(lines::reading)?;
    let format = format::detect(&head, name, options.comment)?;
    if matches!(format, Format::Npy | Format::Npz | Format::Gzip) {
        let found = format!("{format} inside gzip");
        return Err(Error::format(Place::File, found, "gzipped text; decompress it first"));
    }
    let table = read_text(format, Cursor::new(head).chain(reader), options, budget)?;
    Ok((format, table))
}

fn read_text<R: Read>(
    format: Format,
    reader: R,
    options: &ReadOptions,
    budget: Budget,
) -> Result<Table, Error> {
    if format == Format::MatrixMarket {
        return mtx::read_table(reader, options.missing_as_nan, budget);
    }
    text::read_table(reader, options, budget)
}
