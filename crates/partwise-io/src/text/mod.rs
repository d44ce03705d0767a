//! Delimited text: CSV, TSV, semicolons or spaces, with or without header and row names.
//!
//! Rules, the same for every file: spaces around a field are dropped; blank lines are skipped;
//! quotes enclose delimiters, quotes (doubled) and line ends; every line has as many fields as the
//! first; a delimiter at the end of a line counts only if the first lines have it too, and is then
//! dropped everywhere.

mod layout;
mod record;

use std::collections::HashSet;
use std::io::Read;

use crate::error::{Error, Place, quoted};
use crate::lines::{Lines, MAX_FIXED};
use crate::memory::{Budget, reserve};
use crate::notice::Notice;
use crate::numbers::Numbers;
use crate::parse;
use crate::read::ReadOptions;
use crate::table::{Order, Table, Values};

use layout::Layout;
use record::{Record, Records};

/// Reads a dense matrix of doubles.
pub(crate) fn read_table<R: Read>(
    reader: R,
    options: &ReadOptions,
    budget: Budget,
) -> Result<Table, Error> {
    // A line is held as it is, and cut: together about four times its length.
    let longest = (budget.limit() / 4).clamp(MAX_FIXED + 1, u64::from(u32::MAX));
    let lines = Lines::new(reader, longest)?;
    let mut records = Records::new(lines, options.delimiter)?;
    let (mut first, mut second) = (Record::default(), Record::default());
    if !records.read(&mut first)? {
        return Err(Error::Empty { rows: 0, cols: 0 });
    }
    let more = records.read(&mut second)?;
    let layout = Layout::find(&first, more.then_some(&second), options, records.by_space());
    let mut body = Body::new(&layout, options.missing_as_nan, budget);
    if !layout.header {
        body.push(&first)?;
    }
    if more {
        body.push(&second)?;
        while records.read(&mut second)? {
            body.push(&second)?;
        }
    }
    body.finish(&first)
}

/// What has been read below the header.
struct Body<'a> {
    layout: &'a Layout,
    budget: Budget,
    rows: usize,
    values: Vec<f64>,
    names: Vec<String>,
    underflow: Option<Notice>,
    missing_as_nan: bool,
    /// Missing values that were refused: the first, and how many.
    missing: Option<(Place, String, u64)>,
}

impl<'a> Body<'a> {
    fn new(layout: &'a Layout, missing_as_nan: bool, budget: Budget) -> Self {
        let (values, names) = (Vec::new(), Vec::new());
        let (rows, underflow, missing) = (0, None, None);
        Self { layout, budget, rows, values, names, underflow, missing_as_nan, missing }
    }

    /// Adds a line of data.
    fn push(&mut self, record: &Record) -> Result<(), Error> {
        let layout = self.layout;
        layout.check_width(record)?;
        if self.values.capacity() - self.values.len() < layout.cols {
            let needed = (self.values.len() as u128 + layout.cols as u128) * 8;
            self.budget.check(|| "the matrix".into(), needed)?;
            let more = layout.cols.max(self.values.len());
            reserve(&mut self.values, more, "the matrix")?;
        }
        let fields = record.fields().enumerate().take(layout.width);
        for (index, field) in fields {
            if index == 0 && layout.row_names {
                self.names.push(name(field, record.line, 0)?);
            } else {
                let value = self.value(field, record.line, index)?;
                self.values.push(value);
            }
        }
        self.rows += 1;
        Ok(())
    }

    fn value(&mut self, field: &[u8], line: u64, index: usize) -> Result<f64, Error> {
        let at = index as u64 + 1;
        match parse::number(field) {
            Ok(value) => {
                if value == 0.0 && parse::underflows(field) {
                    Notice::count_underflow(&mut self.underflow, line, at);
                }
                Ok(value)
            }
            Err(_) if parse::is_missing(field) && self.missing_as_nan => Ok(f64::NAN),
            Err(_) if parse::is_missing(field) => {
                let place = Place::Field { line, field: at };
                self.missing.get_or_insert_with(|| (place, quoted(field), 0)).2 += 1;
                Ok(0.0)
            }
            Err(expected) => {
                let found = quoted(field);
                Err(Error::Data { place: Place::Field { line, field: at }, found, expected })
            }
        }
    }

    fn finish(self, first: &Record) -> Result<Table, Error> {
        let layout = self.layout;
        if let Some((place, found, count)) = self.missing {
            return Err(Error::Missing { place, found, count });
        }
        if self.rows == 0 || layout.cols == 0 {
            return Err(Error::Empty { rows: self.rows as u64, cols: layout.cols as u64 });
        }
        let (numbers, order) = (Numbers::F64(self.values), Order::RowMajor);
        let mut table = Table::new(self.rows, layout.cols, Values::Dense { numbers, order });
        table.notices.clone_from(&layout.notices);
        if layout.header {
            let fields: Vec<&[u8]> = first.fields().take(layout.header_width).collect();
            let skip = fields.len().saturating_sub(layout.cols);
            let names = fields.into_iter().enumerate().skip(skip);
            let names: Result<Vec<_>, _> =
                names.map(|(index, field)| name(field, first.line, index)).collect();
            table.col_names = Some(names?);
        }
        table.row_names = layout.row_names.then_some(self.names);
        let axes = [("row", &table.row_names), ("column", &table.col_names)];
        let repeated = axes.map(|(axis, names)| repeated(axis, names.as_deref()));
        table.notices.extend(repeated.into_iter().flatten());
        if looks_like_triplets(table.col_names.as_deref()) {
            table.notices.push(Notice::LooksLikeTriplets);
        }
        table.notices.extend(self.underflow);
        Ok(table)
    }
}

fn name(field: &[u8], line: u64, index: usize) -> Result<String, Error> {
    match std::str::from_utf8(field) {
        Ok(text) if !text.contains('\0') => Ok(text.to_string()),
        _ => {
            let place = Place::Field { line, field: index as u64 + 1 };
            let expected = "a name in UTF-8; save the file in that encoding";
            Err(Error::format(place, quoted(field), expected))
        }
    }
}

fn repeated(axis: &'static str, names: Option<&[String]>) -> Option<Notice> {
    let mut seen = HashSet::new();
    let mut again = names?.iter().filter(|name| !seen.insert(name.as_str()));
    let first = again.next()?.clone();
    Some(Notice::DuplicateNames { axis, count: 1 + again.count() as u64, first })
}

fn looks_like_triplets(names: Option<&[String]>) -> bool {
    let Some([row, col, value]) = names else {
        return false;
    };
    let is = |name: &str, choices: &[&str]| choices.contains(&name.to_ascii_lowercase().as_str());
    is(row, &["i", "row", "rows"])
        && is(col, &["j", "col", "cols", "column"])
        && is(value, &["v", "x", "val", "value", "count", "data"])
}
