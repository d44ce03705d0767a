//! What kind of file it is, told by its first bytes.

use std::fmt;

use crate::error::Error;
use crate::kinds;
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

/// Whether bytes start as a Python pickle does (protocols 2 to 5).
pub(crate) fn is_pickle(head: &[u8]) -> bool {
    matches!(head, [0x80, 2..=5, ..])
}

/// The kind of a file, by its first bytes; the name only decides what the refusal says.
///
/// A `%` begins Matrix Market, unless it was said to begin comments.
pub(crate) fn detect(head: &[u8], name: &str, comment: Option<u8>) -> Result<Format, Error> {
    if head.starts_with(b"\x93NUMPY") {
        return Ok(Format::Npy);
    }
    if [&b"PK\x03\x04"[..], b"PK\x05\x06", b"PK\x07\x08"].iter().any(|m| head.starts_with(m)) {
        return Ok(Format::Npz);
    }
    if head.starts_with(b"\x1f\x8b") {
        return Ok(Format::Gzip);
    }
    kinds::refuse(head, name)?;
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let comment = comment == Some(b'%') && !text.starts_with(b"%%MatrixMarket");
    let banner = text.first() == Some(&b'%');
    if !comment && (banner || extension(name) == "mtx") {
        return Ok(Format::MatrixMarket);
    }
    Ok(Format::Text)
}

/// The extension of a name in lower case, without a final `.gz`.
pub(crate) fn extension(name: &str) -> String {
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
