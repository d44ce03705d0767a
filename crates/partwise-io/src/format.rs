//! What kind of file it is, told by its first bytes.

use std::fmt;

use crate::error::{Error, Place, quoted};
use crate::notice::Notice;

/// A kind of file that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// NumPy array.
    Npy,
    /// SciPy sparse matrix, or an archive of one NumPy array.
    Npz,
    /// Matrix Market.
    MatrixMarket,
    /// Delimited text.
    Text,
    /// Gzip around Matrix Market or delimited text.
    Gzip,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Npy => "npy",
            Self::Npz => "npz",
            Self::MatrixMarket => "Matrix Market",
            Self::Text => "delimited text",
            Self::Gzip => "gzip",
        })
    }
}

/// Number of bytes that [`detect`] looks at.
pub(crate) const HEAD: usize = 1024;

const SUPPORTED: &str =
    "supported are npy, npz, Matrix Market, CSV/TSV and the two text kinds gzipped";

/// First bytes of well-known files that are refused by name.
const REFUSED: [(&[u8], &str); 9] = [
    (b"partwise", "a partwise model (a matrix is needed here)"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow file"),
    (b"MATLAB 5.0", "a MATLAB file"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ\0", "an xz file"),
    (b"\x28\xb5\x2f\xfd", "a zstd file"),
    (b"\x93NUMP", "a damaged npy file"),
];

/// Whether bytes start as a Python pickle does (protocols 2 to 5).
pub(crate) fn is_pickle(head: &[u8]) -> bool {
    matches!(head, [0x80, 2..=5, ..])
}

/// The kind of a file, by its first bytes; the name only decides what the refusal says.
pub(crate) fn detect(head: &[u8], name: &str) -> Result<Format, Error> {
    if head.starts_with(b"\x93NUMPY") {
        return Ok(Format::Npy);
    }
    if [&b"PK\x03\x04"[..], b"PK\x05\x06", b"PK\x07\x08"].iter().any(|m| head.starts_with(m)) {
        return Ok(Format::Npz);
    }
    if head.starts_with(b"\x1f\x8b") {
        return Ok(Format::Gzip);
    }
    refuse_binary(head, name)?;
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let banner = text.first() == Some(&b'%');
    if banner || extension(name) == "mtx" {
        return Ok(Format::MatrixMarket);
    }
    Ok(Format::Text)
}

fn refuse_binary(head: &[u8], name: &str) -> Result<(), Error> {
    if is_pickle(head) {
        return Err(refusal("a Python pickle (pickle files are never opened)"));
    }
    if let Some((_, what)) = REFUSED.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Err(refusal(what));
    }
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return Err(refusal("text in UTF-16 (save it as UTF-8)"));
    }
    let extension = extension(name);
    if extension == "npy" || extension == "npz" {
        let found = format!("first bytes {}", quoted(head.get(..8).unwrap_or(head)));
        return Err(Error::format(Place::File, found, format!("an {extension} file")));
    }
    if let Some(at) = memchr::memchr(0, head) {
        let found = format!("a NUL byte, first bytes {}", quoted(head.get(..8).unwrap_or(head)));
        return Err(Error::format(Place::Byte(at as u64), found, format!("text; {SUPPORTED}")));
    }
    Ok(())
}

fn refusal(what: &str) -> Error {
    Error::format(Place::File, what, format!("a matrix; {SUPPORTED}"))
}

/// The extension of a name in lower case, without a final `.gz`.
fn extension(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    match name.rsplit_once('.') {
        Some((_, extension)) if !extension.contains(['/', '\\']) => extension.to_string(),
        _ => String::new(),
    }
}

/// A notice if the name promises another kind than the content is.
pub(crate) fn extension_notice(outer: Format, inner: Format, name: &str) -> Option<Notice> {
    let named_gz = name.to_ascii_lowercase().ends_with(".gz");
    let extension = extension(name);
    if named_gz != (outer == Format::Gzip) {
        let extension = if named_gz { "gz".into() } else { extension };
        return (named_gz || !extension.is_empty())
            .then_some(Notice::OtherExtension { format: outer, extension });
    }
    let promised = match extension.as_str() {
        "npy" => Format::Npy,
        "npz" => Format::Npz,
        "mtx" => Format::MatrixMarket,
        "csv" | "tsv" | "tab" => Format::Text,
        _ => return None,
    };
    (promised != inner).then_some(Notice::OtherExtension { format: inner, extension })
}
