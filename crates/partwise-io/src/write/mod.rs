//! Matrices out: npy, npz and delimited text.

mod format;
mod npz;
mod text;

use std::fmt::{Display, LowerExp};
use std::io::{self, Write};

pub use format::OutputFormat;
pub use npz::write_npz;
pub use text::{TextStyle, label, write_text};

/// A row-major matrix to write, with the names of its rows and columns.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a, T> {
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub cols: usize,
    /// Its elements, row by row.
    pub values: &'a [T],
    /// A name for each row.
    pub row_names: Option<&'a [String]>,
    /// A name for each column.
    pub col_names: Option<&'a [String]>,
}

impl<T> Named<'_, T> {
    fn check(&self) -> io::Result<()> {
        let Self { rows, cols, values, row_names, col_names } = *self;
        check_len(rows, cols, values.len())?;
        check_len(rows, 1, row_names.map_or(rows, <[_]>::len))?;
        check_len(cols, 1, col_names.map_or(cols, <[_]>::len))
    }
}

/// An element that can be written: `f32` or `f64`.
pub trait Element: Copy + Display + LowerExp + sealed::Sealed {
    /// Its NumPy type in little-endian order.
    const DESCR: &'static str;
    #[doc(hidden)]
    fn write_to(self, out: &mut dyn Write) -> io::Result<()>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

impl Element for f32 {
    const DESCR: &'static str = "<f4";
    fn write_to(self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(&self.to_le_bytes())
    }
}

impl Element for f64 {
    const DESCR: &'static str = "<f8";
    fn write_to(self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(&self.to_le_bytes())
    }
}

/// Writes a row-major matrix as an npy file in C order, little-endian.
///
/// # Errors
///
/// Those of the writer, and `InvalidInput` if `values` does not hold `rows * cols` elements.
pub fn write_npy<T: Element>(
    mut out: impl Write,
    rows: usize,
    cols: usize,
    values: &[T],
) -> io::Result<()> {
    check_len(rows, cols, values.len())?;
    out.write_all(&npy_header(T::DESCR, &format!("({rows}, {cols})")))?;
    let mut buffer = Vec::with_capacity(64 << 10);
    for chunk in values.chunks(8 << 10) {
        buffer.clear();
        for value in chunk {
            value.write_to(&mut buffer)?;
        }
        out.write_all(&buffer)?;
    }
    out.flush()
}

/// What stands before the data of an npy file.
fn npy_header(descr: &str, shape: &str) -> Vec<u8> {
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    // NumPy aligns the data to 64 bytes; 10 bytes precede the header.
    while (text.len() + 11) % 64 != 0 {
        text.push(' ');
    }
    text.push('\n');
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    // At most 128 bytes: two numbers of 64 bits.
    header.extend(u16::try_from(text.len()).unwrap_or_default().to_le_bytes());
    header.extend(text.bytes());
    header
}

fn check_len(rows: usize, cols: usize, found: usize) -> io::Result<()> {
    if rows.checked_mul(cols) == Some(found) {
        return Ok(());
    }
    let text = format!("{found} elements for a shape of {rows} x {cols}");
    Err(io::Error::new(io::ErrorKind::InvalidInput, text))
}
