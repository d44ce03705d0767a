//! Which kind of file a name asks for.

use super::{Element, Named, TextStyle, write_npy, write_npz, write_text};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::{self, Write};
use std::path::Path;

/// A kind of file that a matrix is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputFormat {
    /// One NumPy array, without names.
    Npy,
    /// NumPy arrays `data`, `index` and `columns`.
    Npz,
    /// Delimited text.
    Text {
        /// What stands between fields.
        delimiter: u8,
        /// Whether it is compressed.
        gzip: bool,
    },
}

impl OutputFormat {
    /// From the ending of a name: `.npy`, `.npz`, `.csv`, `.tsv`, the last two also with `.gz`.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        let (name, gzip) = match name.strip_suffix(".gz") {
            Some(name) => (name, true),
            None => (name.as_str(), false),
        };
        match name.rsplit_once('.')?.1 {
            "npy" if !gzip => Some(Self::Npy),
            "npz" if !gzip => Some(Self::Npz),
            "csv" => Some(Self::Text { delimiter: b',', gzip }),
            "tsv" => Some(Self::Text { delimiter: b'\t', gzip }),
            _ => None,
        }
    }

    /// Whether the names of rows and columns are written too.
    #[must_use]
    pub fn has_names(self) -> bool {
        self != Self::Npy
    }

    /// Writes a matrix; `spreadsheet_safe` as in [`TextStyle`].
    ///
    /// # Errors
    ///
    /// Those of [`write_npy`], [`write_npz`] and [`write_text`].
    pub fn write<T: Element>(
        self,
        mut out: impl Write,
        matrix: &Named<'_, T>,
        spreadsheet_safe: bool,
    ) -> io::Result<()> {
        match self {
            Self::Npy => write_npy(out, matrix.rows, matrix.cols, matrix.values),
            Self::Npz => write_npz(out, matrix),
            Self::Text { delimiter, gzip: false } => {
                write_text(out, matrix, TextStyle { delimiter, spreadsheet_safe })
            }
            Self::Text { delimiter, gzip: true } => {
                // Without a time, so that the same matrix gives the same bytes.
                let mut encoder = GzEncoder::new(&mut out, Compression::default());
                write_text(&mut encoder, matrix, TextStyle { delimiter, spreadsheet_safe })?;
                encoder.finish()?;
                out.flush()
            }
        }
    }
}
