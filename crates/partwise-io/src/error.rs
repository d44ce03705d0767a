//! What is wrong with a file: where, what was found, what was expected.

use std::fmt;
use std::io;

/// Where in a file something was found. Lines and fields count from 1, bytes and elements from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// The file as a whole.
    File,
    /// A byte offset.
    Byte(u64),
    /// A line of a text file.
    Line(u64),
    /// A field of a line.
    Field {
        /// Line, from 1.
        line: u64,
        /// Field, from 1.
        field: u64,
    },
    /// A named part of the file, such as an entry of an archive.
    Entry(String),
    /// One element of a named array.
    Element {
        /// Name of the array.
        name: String,
        /// Position in it, from 0.
        index: u64,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => Ok(()),
            Self::Byte(at) => write!(f, "byte {at}: "),
            Self::Line(line) => write!(f, "line {line}: "),
            Self::Field { line, field } => write!(f, "line {line}, field {field}: "),
            Self::Entry(name) => write!(f, "{name}: "),
            Self::Element { name, index } => write!(f, "{name}[{index}]: "),
        }
    }
}

/// What is wrong with the structure of a sparse matrix. "Row" stands for column in a CSC matrix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SparseFault {
    /// A column index outside the matrix.
    #[error("row {row}: column index {index} out of range (n = {limit}), entry {entry}")]
    Index {
        /// Row that holds the entry.
        row: u64,
        /// Position in `indices`.
        entry: u64,
        /// The index found.
        index: i128,
        /// Number of columns.
        limit: u64,
    },
    /// A row index outside the matrix (coordinate form).
    #[error("row index {index} out of range (m = {limit}), entry {entry}")]
    RowIndex {
        /// Position in `row`.
        entry: u64,
        /// The index found.
        index: i128,
        /// Number of rows.
        limit: u64,
    },
    /// `indptr` goes down.
    #[error("indptr[{position}] = {after} is less than indptr[{}] = {before}", position - 1)]
    Decreasing {
        /// Position of the smaller value.
        position: u64,
        /// The value before it.
        before: i128,
        /// The smaller value.
        after: i128,
    },
    /// `indptr` does not start at 0.
    #[error("indptr[0] = {found}, expected 0")]
    Start {
        /// The value found.
        found: i128,
    },
    /// `indptr` does not end at the number of entries.
    #[error("indptr[{position}] = {found}, expected {expected}, the number of stored entries")]
    End {
        /// Position of the last value.
        position: u64,
        /// The last value.
        found: i128,
        /// Number of stored entries.
        expected: u64,
    },
    /// Two arrays that belong together differ in length.
    #[error("{name} has {found} elements, expected {expected}{}", if *.name == "indptr" { " (rows + 1)" } else { " as in indices" })]
    Length {
        /// Name of the array.
        name: &'static str,
        /// Its length.
        found: u64,
        /// The length needed.
        expected: u64,
    },
    /// A part that the format needs is missing.
    #[error("{name} is missing; a SciPy sparse .npz holds {needed}")]
    Missing {
        /// Name of the part.
        name: String,
        /// The parts needed.
        needed: &'static str,
    },
    /// A sparse format that is not read.
    #[error("sparse format {found} is not read; supported are csr, csc, coo: save matrix.tocsr()")]
    Format {
        /// The format found.
        found: String,
    },
    /// `indices`, `indptr` or `shape` is no array of integers of the right rank.
    #[error("{name} is {found}, expected {expected}")]
    Array {
        /// Name of the array.
        name: &'static str,
        /// What it is.
        found: String,
        /// What it should be.
        expected: &'static str,
    },
}

/// Why a file could not be read or written.
///
/// The text is one line and names the place and the value; [`Error::code`] and
/// [`Error::exit_code`] are stable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An error with the name of its file.
    #[error("{file}: {error}")]
    At {
        /// Name of the file as given by the user.
        file: String,
        /// What is wrong in it.
        error: Box<Error>,
    },
    /// The operating system refused.
    #[error("cannot {action}: {cause}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// Its answer.
        cause: io::Error,
    },
    /// The bytes are not what the format asks for.
    #[error("{place}found {found}, expected {expected}")]
    Format {
        /// Where.
        place: Place,
        /// What stands there.
        found: String,
        /// What should, and what to do.
        expected: String,
    },
    /// Fewer bytes, entries or values than promised.
    #[error("{place}{what} needs {expected} {unit}, found {found}")]
    Length {
        /// Where the file ends, or where the claim stands.
        place: Place,
        /// What makes the claim.
        what: String,
        /// How many it needs.
        expected: u64,
        /// How many are there.
        found: u64,
        /// What is counted.
        unit: &'static str,
    },
    /// A kind of file or element that is not read.
    #[error("{place}{found} is not read; {supported}")]
    Type {
        /// Where.
        place: Place,
        /// The kind found.
        found: String,
        /// The kinds that are, and what to do.
        supported: &'static str,
    },
    /// Not a matrix, or a shape out of range.
    #[error("{place}found shape {found}, expected {expected}")]
    Shape {
        /// Where.
        place: Place,
        /// The shape found.
        found: String,
        /// The shape needed, and what to do.
        expected: &'static str,
    },
    /// No rows or no columns.
    #[error("the matrix is empty: {rows} rows, {cols} columns")]
    Empty {
        /// Number of rows.
        rows: u64,
        /// Number of columns.
        cols: u64,
    },
    /// A value that is no finite number.
    #[error("{place}found {found}, expected {expected}")]
    Data {
        /// Where.
        place: Place,
        /// The text or byte found.
        found: String,
        /// What should stand there, and what to do.
        expected: &'static str,
    },
    /// Missing values in a text file that was not to have any.
    #[error("{place}missing value {found}, the first of {count}; fill or remove them")]
    Missing {
        /// Where the first one stands.
        place: Place,
        /// The mark found there.
        found: String,
        /// How many there are in the file.
        count: u64,
    },
    /// A sparse matrix whose structure is wrong.
    #[error(transparent)]
    Sparse(SparseFault),
    /// More memory than allowed.
    #[error(
        "{what} needs {needed} bytes, the limit is {limit}; raise the memory limit if the file is right"
    )]
    Resource {
        /// What needs it.
        what: String,
        /// Bytes needed (a lower bound where the rest was not read).
        needed: u128,
        /// Bytes allowed.
        limit: u64,
    },
    /// A model file that is damaged, hostile, or not a model.
    #[error("{place}found {found}, expected {expected}")]
    Model {
        /// Where.
        place: Place,
        /// What stands there.
        found: String,
        /// What should.
        expected: String,
    },
    /// A reading option that does not fit the file.
    #[error("{option} {found}: expected {expected}")]
    Option {
        /// The option as it is typed.
        option: &'static str,
        /// What was given.
        found: String,
        /// What the file has.
        expected: String,
    },
    /// A file of names that does not fit the matrix.
    #[error("found {found} names, expected {expected}, one for each {axis} of the matrix")]
    Names {
        /// `"row"` or `"column"`.
        axis: &'static str,
        /// How many names there are.
        found: u64,
        /// How many are needed.
        expected: u64,
    },
    /// An output file that exists already.
    #[error("the file exists; give another name, or allow overwriting")]
    Exists,
    /// An output file that has appeared since it was seen that there is none.
    #[error("a file of that name has appeared meanwhile and was not overwritten")]
    Appeared,
    /// Outputs that could not get their names, and got others.
    #[error("{cause}; the results were kept as {}", other_names(kept))]
    Kept {
        /// What was in the way.
        cause: Box<Error>,
        /// Each name with the one that the file got.
        kept: Vec<(String, String)>,
    },
    /// An output file that is one of the inputs.
    #[error("the output is the same file as the input {input}; give another name")]
    SameAsInput {
        /// The input as given.
        input: String,
    },
}

impl Error {
    /// The stable code, such as `E-FILE`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::At { error, .. } => error.code(),
            Self::Io { .. }
            | Self::Format { .. }
            | Self::Length { .. }
            | Self::Exists
            | Self::Appeared
            | Self::Kept { .. }
            | Self::SameAsInput { .. } => "E-FILE",
            Self::Type { .. } => "E-TYPE",
            Self::Shape { .. } | Self::Names { .. } => "E-SHAPE",
            Self::Empty { .. } => "E-EMPTY",
            Self::Data { .. } | Self::Missing { .. } => "E-DATA",
            Self::Sparse(_) => "E-SPARSE",
            Self::Resource { .. } => "E-RESOURCE",
            Self::Option { .. } => "E-USAGE",
            Self::Model { .. } => "E-MODEL",
        }
    }

    /// The exit code of a program that stops on this error: 2 options, 3 bad data, 4 file, 5 resource limit,
    /// 8 model.
    #[must_use]
    pub fn exit_code(&self) -> i32 {
        match self.code() {
            "E-USAGE" => 2,
            "E-FILE" => 4,
            "E-RESOURCE" => 5,
            "E-MODEL" => 8,
            _ => 3,
        }
    }

    /// Adds the name of the file, once.
    pub(crate) fn at(self, file: &str) -> Self {
        match self {
            Self::At { .. } | Self::Kept { .. } => self,
            error => Self::At { file: shown(file.as_bytes()), error: Box::new(error) },
        }
    }

    pub(crate) fn io(action: &'static str) -> impl Fn(io::Error) -> Self {
        move |cause| Self::Io { action, cause }
    }

    pub(crate) fn format(
        place: Place,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        Self::Format { place, found: found.into(), expected: expected.into() }
    }

    pub(crate) fn out_of_memory(what: &str, needed: u64) -> Self {
        Self::Resource { what: what.into(), needed: needed.into(), limit: 0 }
    }
}

impl From<SparseFault> for Error {
    fn from(fault: SparseFault) -> Self {
        Self::Sparse(fault)
    }
}

/// The names that outputs got.
fn other_names(kept: &[(String, String)]) -> String {
    let names: Vec<String> = kept.iter().map(|(_, other)| shown(other.as_bytes())).collect();
    names.join(", ")
}

/// File bytes as quoted text: short, and with nothing that a terminal would obey.
pub(crate) fn quoted(bytes: &[u8]) -> String {
    const SHOWN: usize = 40;
    let more = if bytes.len() > SHOWN { "…" } else { "" };
    let head = bytes.get(..SHOWN).unwrap_or(bytes);
    format!("'{}{more}'", shown(head))
}

/// Text with control characters escaped.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_bidi(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

fn is_bidi(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
