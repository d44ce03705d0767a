//! Archives of NumPy arrays (`.npz`): a SciPy sparse matrix, or one dense array.
//!
//! Nothing is extracted: entries are read by exact name into memory, and never more than they
//! declare, which is compared with the limit first.

mod entries;

use std::io::{Read, Seek};

use zip::ZipArchive;
use zip::read::{ArchiveOffset, Config};
use zip::result::ZipError;

use crate::error::{Error, Place, SparseFault, quoted};
use crate::kinds;
use crate::memory::Budget;
use crate::notice::Notice;
use crate::npy::{self, Array, Header};
use crate::numbers::Numbers;
use crate::sparse::{self, Compressed};
use crate::table::{Layout, Table};

use entries::{check_count, declared_entries, entry_names, refuse_others};

/// Deflate cannot expand more than this.
const MAX_EXPANSION: u64 = 1032;

/// Reads the matrix of an archive, or the array `entry` of it.
pub(crate) fn read_table<R: Read + Seek>(
    reader: R,
    entry: Option<&str>,
    budget: Budget,
) -> Result<Table, Error> {
    let mut npz = Npz::open(reader, budget)?;
    if let Some(entry) = entry {
        return npz.named(entry);
    }
    if ["format.npy", "indptr.npy", "indices.npy"].into_iter().any(|name| npz.has(name)) {
        npz.sparse()
    } else if npz.is_frame() {
        npz.matrix("data.npy")
    } else {
        npz.dense()
    }
}

struct Npz<R> {
    archive: ZipArchive<R>,
    names: Vec<String>,
    budget: Budget,
    trailing: u64,
}

impl<R: Read + Seek> Npz<R> {
    fn open(mut reader: R, budget: Budget) -> Result<Self, Error> {
        check_count(declared_entries(&mut reader)?.unwrap_or(0))?;
        let config = Config { archive_offset: ArchiveOffset::Known(0) };
        let mut archive = ZipArchive::with_config(config, reader).map_err(|e| refused("", e))?;
        check_count(archive.len() as u64)?;
        archive.validate_header_consistency().map_err(|e| refused("", e))?;
        refuse_others(&mut archive)?;
        let names = entry_names(&mut archive)?;
        Ok(Self { archive, names, budget, trailing: 0 })
    }

    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|n| n == name)
    }

    /// Whether these are the arrays of a data frame: its values, and names of one side or both.
    fn is_frame(&self) -> bool {
        const PARTS: [&str; 3] = ["data.npy", "index.npy", "columns.npy"];
        self.has(PARTS[0])
            && self.names.len() > 1
            && self.names.iter().all(|name| PARTS.contains(&name.as_str()))
    }

    fn dense(&mut self) -> Result<Table, Error> {
        let [name] = self.names.as_slice() else {
            let found = format!("{} entries: {}", self.names.len(), self.names.join(", "));
            let first = self.names.first().map_or("X", |name| name.trim_end_matches(".npy"));
            let expected = format!(
                "a SciPy sparse matrix or exactly one array; --entry {first} reads one of them"
            );
            return Err(Error::format(Place::File, found, expected));
        };
        let name = name.clone();
        if !name.ends_with(".npy") {
            return Err(kinds::zip(&self.names));
        }
        self.matrix(&name)
    }

    /// The array that was asked for.
    fn named(&mut self, entry: &str) -> Result<Table, Error> {
        let name = [entry.to_owned(), format!("{entry}.npy")].into_iter().find(|n| self.has(n));
        let Some(name) = name else {
            let expected = format!("one of {}", self.names.join(", "));
            let found = quoted(entry.as_bytes());
            return Err(Error::Option { option: "--entry", found, expected });
        };
        self.matrix(&name)
    }

    /// A dense matrix, with its names where it is that of a data frame.
    fn matrix(&mut self, name: &str) -> Result<Table, Error> {
        let array = self.array(name)?;
        let (rows, cols) = npy::matrix_shape(&array.shape).map_err(|e| within(name, e))?;
        let mut table = npy::into_table(array, rows, cols)?;
        if name == "data.npy" && self.is_frame() {
            table.row_names = self.axis("index.npy", rows, &mut table.notices)?;
            table.col_names = self.axis("columns.npy", cols, &mut table.notices)?;
        }
        Ok(table)
    }

    /// The names of an axis of a data frame, if it has any. Python objects are a pickle and stay closed.
    fn axis(
        &mut self,
        name: &str,
        count: usize,
        notices: &mut Vec<Notice>,
    ) -> Result<Option<Vec<String>>, Error> {
        if !self.has(name) {
            return Ok(None);
        }
        let names = self.entry(name, |reader, length, budget| {
            let header = Header::read(reader)?;
            npy::read_names(reader, header, length, budget)
        });
        match names {
            Ok(names) if names.len() == count => Ok(Some(names)),
            Ok(names) => {
                let reason = format!("{name} holds {} names for {count}", names.len());
                notices.push(Notice::NoNames { reason });
                Ok(None)
            }
            Err(Error::Type { .. }) => {
                let axis = if name == "index.npy" { "row" } else { "column" };
                let reason = format!(
                    "{name} holds Python objects, a pickle that is never opened; \
                     --{axis}-names FILE takes them from a text file"
                );
                notices.push(Notice::NoNames { reason });
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn sparse(&mut self) -> Result<Table, Error> {
        let format = self.format()?;
        let (rows, cols) = self.shape()?;
        let mut table = match format.as_str() {
            "csr" => self.compressed(rows, cols, Layout::Csr)?,
            "csc" => self.compressed(rows, cols, Layout::Csc)?,
            "coo" => self.coordinates(rows, cols)?,
            _ => {
                let found = quoted(format.as_bytes());
                return Err(SparseFault::Format { found }.into());
            }
        };
        if self.trailing > 0 {
            table.notices.push(Notice::TrailingBytes { count: self.trailing });
        }
        Ok(table)
    }

    fn compressed(&mut self, rows: u64, cols: u64, layout: Layout) -> Result<Table, Error> {
        const NEEDED: &str = "indices, indptr, data, shape, format";
        let swap = layout == Layout::Csc;
        let (major, minor) = if swap { (cols, rows) } else { (rows, cols) };
        let (major, minor) = sparse::dimensions(major, minor, self.budget)?;
        let indptr = self.vector("indptr", NEEDED)?;
        let indices = self.vector("indices", NEEDED)?;
        let data = self.vector("data", NEEDED)?;
        let matrix = Compressed::check(major, minor, &indptr, &indices, data)?;
        let (rows, cols) = if swap { (minor, major) } else { (major, minor) };
        matrix.into_table(layout, rows, cols)
    }

    fn coordinates(&mut self, rows: u64, cols: u64) -> Result<Table, Error> {
        const NEEDED: &str = "row, col, data, shape, format";
        let (m, n) = sparse::dimensions(rows, cols, self.budget)?;
        let row = self.vector("row", NEEDED)?;
        let col = self.vector("col", NEEDED)?;
        let data = self.vector("data", NEEDED)?;
        sparse::same_length("col", col.len() as u64, row.len() as u64)?;
        sparse::same_length("data", data.len() as u64, row.len() as u64)?;
        let row = sparse::row_indices(&row, rows)?;
        let col = sparse::col_indices(&col, &row, cols)?;
        Compressed::from_coordinates(m, &row, col, data)?.into_table(Layout::Csr, m, n)
    }

    /// A one-dimensional array.
    fn vector(&mut self, name: &'static str, needed: &'static str) -> Result<Numbers, Error> {
        let entry = format!("{name}.npy");
        if !self.has(&entry) {
            return Err(SparseFault::Missing { name: entry, needed }.into());
        }
        let array = self.array(&entry)?;
        self.trailing += array.trailing;
        if array.shape.len() != 1 {
            let found = format!("an array of shape {}", npy::shown_shape(&array.shape));
            let expected = "an array of one dimension";
            return Err(SparseFault::Array { name, found, expected }.into());
        }
        Ok(array.numbers)
    }

    fn shape(&mut self) -> Result<(u64, u64), Error> {
        let numbers = self.vector("shape", "shape")?;
        let sizes = sparse::integers(&numbers, "shape", |_, size| {
            u64::try_from(size).map_err(|_| SparseFault::Array {
                name: "shape",
                found: format!("{size}"),
                expected: "two sizes",
            })
        })?;
        match sizes[..] {
            [rows, cols] => Ok((rows, cols)),
            _ => Err(Error::Shape {
                place: Place::Entry("shape.npy".into()),
                found: npy::shown_shape(&sizes),
                expected: "two dimensions",
            }),
        }
    }

    /// The name of the sparse format, stored as a text of no dimensions.
    fn format(&mut self) -> Result<String, Error> {
        let name = "format.npy";
        if !self.has(name) {
            let needed = "indices, indptr, data, shape, format";
            return Err(SparseFault::Missing { name: name.into(), needed }.into());
        }
        self.entry(name, |reader, length, _| {
            let header = Header::read(reader)?;
            let size = header.descr.get(2..).and_then(|size| size.parse::<u8>().ok());
            let width = match header.descr.as_bytes() {
                [_, b'S', ..] => 1,
                [_, b'U', ..] => 4,
                _ => 0,
            };
            let bytes = u64::from(size.unwrap_or(0)) * width;
            let rest = length.saturating_sub(header.data_offset);
            if bytes == 0 || bytes > rest || !header.shape.is_empty() {
                let found = format!("an array of '{}' of shape", header.descr);
                let found = format!("{found} {}", npy::shown_shape(&header.shape));
                return Err(Error::format(Place::File, found, "the name of a sparse format"));
            }
            let mut text = Vec::new();
            reader.take(bytes).read_to_end(&mut text).map_err(read_error)?;
            text.retain(|&b| b != 0);
            Ok(String::from_utf8_lossy(&text).into_owned())
        })
    }

    fn array(&mut self, name: &str) -> Result<Array, Error> {
        self.entry(name, |reader, length, budget| {
            let header = Header::read(reader)?;
            npy::read_array(reader, header, length, budget)
        })
    }

    /// Opens an entry, hands it over with its declared length, and checks that it is exactly as
    /// long as declared and that its checksum is right.
    fn entry<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut dyn Read, u64, Budget) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let budget = self.budget;
        let entry = self.archive.by_name(name).map_err(|e| refused(name, e))?;
        let (declared, packed) = (entry.size(), entry.compressed_size());
        let factor = declared / packed.max(1);
        budget.check(|| format!("{name} (expands {factor} times)"), declared.into())?;
        if declared > packed.saturating_mul(MAX_EXPANSION).saturating_add(64) {
            let found = format!("{packed} bytes that declare to expand to {declared}");
            return Err(Error::format(Place::Entry(name.into()), found, "a true size"));
        }
        let mut reader = Counted { inner: entry.take(declared.saturating_add(1)), count: 0 };
        let result = read(&mut reader, declared, budget).map_err(|e| within(name, e))?;
        std::io::copy(&mut reader, &mut std::io::sink())
            .map_err(|e| within(name, read_error(e)))?;
        if reader.count != declared {
            let more = if reader.count > declared { "more than " } else { "" };
            let found = format!("{more}{} bytes", reader.count.min(declared));
            let expected = format!("{declared} as the archive declares");
            return Err(Error::format(Place::Entry(name.into()), found, expected));
        }
        Ok(result)
    }
}

struct Counted<R> {
    inner: R,
    count: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.count += n as u64;
        Ok(n)
    }
}

/// Adds the name of the entry to errors that speak of the file.
fn within(name: &str, error: Error) -> Error {
    let entry = |place: Place| match place {
        Place::File => Place::Entry(name.into()),
        Place::Byte(at) => Place::Entry(format!("{name} byte {at}")),
        Place::Element { index, .. } => Place::Element { name: name.into(), index },
        other => other,
    };
    match error {
        Error::Format { place, found, expected } => {
            Error::Format { place: entry(place), found, expected }
        }
        Error::Length { place, what, expected, found, unit } => {
            Error::Length { place: entry(place), what, expected, found, unit }
        }
        Error::Type { place, found, supported } => {
            Error::Type { place: entry(place), found, supported }
        }
        Error::Data { place, found, expected } => {
            Error::Data { place: entry(place), found, expected }
        }
        Error::Shape { place, found, expected } => {
            Error::Shape { place: entry(place), found, expected }
        }
        Error::Io { cause, .. } => read_error(cause),
        other => other,
    }
}

/// An error while reading an entry: damage shows as an I/O error of the decoder.
fn read_error(cause: std::io::Error) -> Error {
    Error::Io { action: "read an entry of the archive", cause }
}

fn refused(name: &str, error: ZipError) -> Error {
    let place = if name.is_empty() { Place::File } else { Place::Entry(name.into()) };
    match error {
        ZipError::Io(cause) => Error::Io { action: "read the archive", cause },
        other => Error::format(place, format!("a damaged archive ({other})"), "a zip archive"),
    }
}
