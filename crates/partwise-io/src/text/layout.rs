//! Which line is the header, which column the row names, how wide a line must be.

use crate::error::{Error, Place};
use crate::notice::Notice;
use crate::parse;
use crate::read::{ReadOptions, Switch};

use super::record::Record;

const NO_NUMBER: &str = "none of its fields is a number";
const EMPTY_CORNER: &str = "its first field is empty";
const HEADER_CORNER: &str = "the header begins with an empty field";
const SHORT_HEADER: &str = "the header is one field short";
const LABEL: &str = "its first field is no number";

/// The layout of a text file.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) header: bool,
    pub(super) row_names: bool,
    /// Fields in a line of data, with the row name and without the dropped last one.
    pub(super) width: usize,
    /// Fields in the header.
    pub(super) header_width: usize,
    /// Columns of the matrix.
    pub(super) cols: usize,
    trailing: bool,
    pub(super) notices: Vec<Notice>,
}

impl Layout {
    /// Decides from the first two lines.
    pub(super) fn find(
        first: &Record,
        second: Option<&Record>,
        options: &ReadOptions,
        by_space: bool,
    ) -> Self {
        let ends_empty = |record: &Record| record.len() > 1 && record.last().is_empty();
        let trailing = !by_space && ends_empty(first) && second.is_none_or(ends_empty);
        let drop = usize::from(trailing);
        let mut notices = Vec::new();
        if trailing {
            notices.push(Notice::TrailingDelimiter);
        }
        let header_rule = header_rule(first, drop);
        let header = match options.header {
            Switch::Yes => true,
            Switch::No => false,
            Switch::Auto => {
                let line = first.line;
                notices.extend(header_rule.map(|rule| Notice::Header { line, rule }));
                header_rule.is_some()
            }
        };
        let data = if header { second } else { Some(first) };
        let width = data.map_or(first.len(), Record::len) - drop;
        let header_width = first.len() - drop;
        let short = header && header_width + 1 == width;
        let row_names = match options.row_names {
            Switch::Yes => true,
            Switch::No => false,
            Switch::Auto => {
                let rule = row_names_rule(first, header, short, data, width);
                notices.extend(rule.map(|rule| Notice::RowNames { rule }));
                rule.is_some()
            }
        };
        // A header that is not one field short names all fields, and so sets the width itself.
        let width = if header && !(short && row_names) { header_width } else { width };
        let cols = width - usize::from(row_names);
        Self { header, row_names, width, header_width, cols, trailing, notices }
    }

    /// Checks the number of fields of a line.
    pub(super) fn check_width(&self, record: &Record) -> Result<(), Error> {
        let expected = self.width + usize::from(self.trailing);
        if record.len() == expected && (!self.trailing || record.last().is_empty()) {
            return Ok(());
        }
        let place = Place::Line(record.line);
        let found = format!("{} fields", record.len());
        let end = if self.trailing { ", the last empty" } else { "" };
        Err(Error::format(place, found, format!("{expected}{end}; check delimiter and quotes")))
    }
}

/// Why the first line is a header, if it is.
fn header_rule(first: &Record, drop: usize) -> Option<&'static str> {
    let width = first.len() - drop;
    let skip = usize::from(width > 1);
    let beyond = || first.fields().take(width).skip(skip).filter(|field| !field.is_empty());
    if width > 1 && first.first().is_empty() && beyond().next().is_some() {
        return Some(EMPTY_CORNER);
    }
    let named = beyond().next().is_some() && beyond().all(is_label);
    (named && parse::number(first.first()).is_err()).then_some(NO_NUMBER)
}

/// Why the first column holds row names, if it does.
fn row_names_rule(
    first: &Record,
    header: bool,
    short: bool,
    data: Option<&Record>,
    width: usize,
) -> Option<&'static str> {
    if width < 2 {
        return None;
    }
    if short {
        return Some(SHORT_HEADER);
    }
    if header && first.first().is_empty() {
        return Some(HEADER_CORNER);
    }
    data.is_some_and(|record| is_label(record.first())).then_some(LABEL)
}

/// Whether a field is a name: it has a letter, and is not a failed attempt at a number.
fn is_label(field: &[u8]) -> bool {
    let text = String::from_utf8_lossy(field);
    let attempt = matches!(
        parse::number(field),
        Ok(_) | Err(parse::NOT_FINITE | parse::NOT_DECIMAL | parse::TOO_LARGE)
    );
    !attempt && !parse::is_missing(field) && text.chars().any(|c| c.is_alphabetic() || c == '_')
}
