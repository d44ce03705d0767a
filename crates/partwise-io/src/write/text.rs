//! Delimited text out.

use super::{Element, Named};
use std::io::{self, Write};

/// How delimited text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextStyle {
    /// What stands between fields: a comma for CSV, a tab for TSV.
    pub delimiter: u8,
    /// Puts a `'` before names that a spreadsheet would take for a formula: those that begin with
    /// `=`, `+`, `-` or `@`. Otherwise names are written as they are.
    pub spreadsheet_safe: bool,
}

impl Default for TextStyle {
    fn default() -> Self {
        Self { delimiter: b',', spreadsheet_safe: false }
    }
}

/// Writes a matrix as delimited text, numbers in the shortest form that reads back to the same bits.
///
/// With names of both kinds, the first field of the header is empty. [`read`](crate::read) gives
/// back what was written, names included.
///
/// # Errors
///
/// Those of the writer, and `InvalidInput` if a length does not fit the shape.
pub fn write_text<T: Element>(
    mut out: impl Write,
    matrix: &Named<'_, T>,
    style: TextStyle,
) -> io::Result<()> {
    matrix.check()?;
    let Named { cols, values, row_names, col_names, .. } = *matrix;
    let delimiter = char::from(style.delimiter);
    if let Some(names) = col_names {
        let corner = row_names.map(|_| String::new());
        // Without a corner, only quotes tell a header of numbers from numbers.
        let quote = row_names.is_none() && names.iter().any(|name| looks_like_data(name));
        let names = names.iter().map(|name| field(name, style, quote));
        let fields: Vec<String> = corner.into_iter().chain(names).collect();
        writeln!(out, "{}", fields.join(&delimiter.to_string()))?;
    }
    for (index, row) in values.chunks(cols.max(1)).enumerate() {
        if let Some(name) = row_names.and_then(|names| names.get(index)) {
            let quote = col_names.is_none() && looks_like_data(name);
            write!(out, "{}{delimiter}", field(name, style, quote))?;
        }
        for (at, value) in row.iter().enumerate() {
            if at > 0 {
                write!(out, "{delimiter}")?;
            }
            write!(out, "{}", shortest(*value))?;
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

/// A name as a field of delimited text, quoted where needed.
#[must_use]
pub fn label(name: &str, style: TextStyle) -> String {
    field(name, style, false)
}

fn field(name: &str, style: TextStyle, quote: bool) -> String {
    let formula =
        name.trim_start().starts_with(['=', '+', '-', '@']) || name.starts_with(['\t', '\r']);
    let name = match formula && style.spreadsheet_safe {
        true => format!("'{name}"),
        false => name.to_owned(),
    };
    if quote || needs_quotes(&name) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name }
}

/// Whether a reader would take a name for something else than one whole field.
fn needs_quotes(name: &str) -> bool {
    // A delimiter of some reader, a comment, Matrix Market, a mark of the byte order, Excel's first line.
    name.contains([',', '"', '\n', '\r', ';', '\t', '|'])
        || name.starts_with(['#', '%', '\u{feff}'])
        || name.starts_with("sep=")
        || name.is_empty()
        || name.trim() != name
}

/// Whether a name looks like what stands in a matrix.
fn looks_like_data(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_alphabetic() || c == '_') || name.len() < 5
}
