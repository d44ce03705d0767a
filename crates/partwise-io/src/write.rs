//! Matrices out: npy and CSV.

use std::fmt::{Display, LowerExp};
use std::io::{self, Write};

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
    let descr = T::DESCR;
    let mut header =
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({rows}, {cols}), }}");
    // NumPy aligns the data to 64 bytes; 10 bytes precede the header.
    while (header.len() + 11) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    out.write_all(b"\x93NUMPY\x01\x00")?;
    // At most 128 bytes: two numbers of 64 bits.
    out.write_all(&u16::try_from(header.len()).unwrap_or_default().to_le_bytes())?;
    out.write_all(header.as_bytes())?;
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

/// Writes a row-major matrix as CSV, numbers in the shortest form that reads back to the same bits.
///
/// Names that a spreadsheet would take for a formula (`=`, `+`, `-`, `@` first) get a `'` in front.
/// With names of both kinds, the first field of the header is empty.
///
/// # Errors
///
/// Those of the writer, and `InvalidInput` if a length does not fit the shape.
pub fn write_csv<T: Element>(
    mut out: impl Write,
    rows: usize,
    cols: usize,
    values: &[T],
    row_names: Option<&[String]>,
    col_names: Option<&[String]>,
) -> io::Result<()> {
    check_len(rows, cols, values.len())?;
    check_len(rows, 1, row_names.map_or(rows, <[_]>::len))?;
    check_len(cols, 1, col_names.map_or(cols, <[_]>::len))?;
    if let Some(names) = col_names {
        let corner = row_names.map(|_| String::new());
        let fields: Vec<String> =
            corner.into_iter().chain(names.iter().map(|n| label(n))).collect();
        writeln!(out, "{}", fields.join(","))?;
    }
    for (index, row) in values.chunks(cols.max(1)).enumerate() {
        let mut between = "";
        if let Some(name) = row_names.and_then(|names| names.get(index)) {
            write!(out, "{}", label(name))?;
            between = ",";
        }
        for value in row {
            write!(out, "{between}{}", shortest(*value))?;
            between = ",";
        }
        writeln!(out)?;
    }
    out.flush()
}

/// The shorter of plain and scientific notation; both read back to the same bits.
fn shortest<T: Element>(value: T) -> String {
    let (plain, scientific) = (format!("{value}"), format!("{value:e}"));
    if plain.len() <= scientific.len() { plain } else { scientific }
}

/// A name as a CSV field, quoted where needed, harmless to a spreadsheet.
#[must_use]
pub fn label(name: &str) -> String {
    let formula =
        name.trim_start().starts_with(['=', '+', '-', '@']) || name.starts_with(['\t', '\r']);
    let safe = if formula { format!("'{name}") } else { name.to_string() };
    if safe.contains([',', '"', '\n', '\r', ';', '\t']) || safe.trim() != safe {
        format!("\"{}\"", safe.replace('"', "\"\""))
    } else {
        safe
    }
}

fn check_len(rows: usize, cols: usize, found: usize) -> io::Result<()> {
    if rows.checked_mul(cols) == Some(found) {
        return Ok(());
    }
    let text = format!("{found} elements for a shape of {rows} x {cols}");
    Err(io::Error::new(io::ErrorKind::InvalidInput, text))
}
