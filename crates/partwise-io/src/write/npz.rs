//! A matrix and its names as an archive of NumPy arrays.

use super::{Element, Named, npy_header, write_npy};
use std::io::{self, Write};
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

/// Most bytes that the names of one side may take: NumPy gives every name the length of the longest.
const MOST_NAMES: u64 = 4 << 30;

/// Writes a matrix as an npz archive of the arrays `data`, `index` and `columns`, the latter two only
/// if there are names: `pandas.DataFrame(**numpy.load(FILE))` has the matrix with its names.
///
/// Names are arrays of text, which NumPy reads without unpickling anything.
///
/// # Errors
///
/// Those of the writer, and `InvalidInput` if a length does not fit the shape or names are too long.
pub fn write_npz<T: Element>(out: impl Write, matrix: &Named<'_, T>) -> io::Result<()> {
    matrix.check()?;
    let names = [("index", matrix.row_names), ("columns", matrix.col_names)];
    let names = names.map(|(name, names)| names.map(|n| Ok((name, Names::new(n)?))));
    let names: Vec<_> = names.into_iter().flatten().collect::<io::Result<_>>()?;
    let mut zip = ZipWriter::new_stream(out);
    let bytes = matrix.values.len() as u64 * size_of::<T>() as u64;
    // Numbers of factors hardly get shorter; names, filled up to one length, do.
    start(&mut zip, "data", bytes, CompressionMethod::Stored)?;
    write_npy(&mut zip, matrix.rows, matrix.cols, matrix.values)?;
    for (name, names) in names {
        start(&mut zip, name, names.bytes(), CompressionMethod::Deflated)?;
        names.write(&mut zip)?;
    }
    zip.finish()?.into_inner().flush()
}

fn start<W: Write>(
    zip: &mut ZipWriter<StreamWriter<W>>,
    name: &str,
    bytes: u64,
    method: CompressionMethod,
) -> io::Result<()> {
    // Beyond 4 GiB the archive needs longer fields; the header of an array is short.
    let large = bytes > u64::from(u32::MAX) - 1024;
    let options = SimpleFileOptions::default().compression_method(method).large_file(large);
    Ok(zip.start_file(format!("{name}.npy"), options)?)
}

/// Names as NumPy holds text: all of one length, four bytes for a character.
struct Names<'a> {
    names: &'a [String],
    length: usize,
}

impl<'a> Names<'a> {
    fn new(names: &'a [String]) -> io::Result<Self> {
        let length = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(1);
        let new = Self { names, length };
        if new.bytes() > MOST_NAMES {
            let text = format!("the longest name has {length} characters; .csv takes such names");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        Ok(new)
    }

    fn bytes(&self) -> u64 {
        (self.names.len() as u64).saturating_mul(4 * self.length as u64)
    }

    fn write(&self, mut out: impl Write) -> io::Result<()> {
        let (count, length) = (self.names.len(), self.length);
        out.write_all(&npy_header(&format!("<U{length}"), &format!("({count},)")))?;
        let mut buffer = Vec::new();
        for name in self.names {
            buffer.clear();
            buffer.extend(name.chars().flat_map(|c| u32::from(c).to_le_bytes()));
            buffer.resize(4 * length, 0);
            out.write_all(&buffer)?;
        }
        Ok(())
    }
}
