//! A line of units between header and data.

use super::record::Record;
use super::style::Style;
use super::words::{is_date, is_label, means_id};

/// Whether the first of these lines holds units: text where the next one holds numbers, beside a
/// corner that is no row name.
pub(super) fn are_first(data: &[Record], style: &Style) -> bool {
    let [units, next, ..] = data else { return false };
    if units.len() == next.len() && is_blank(units, style) {
        let word = !is_label(units.first(), style) || is_row_word(units.first());
        let numbers = |record: &Record| record.fields().skip(1).any(|f| style.is_number(f));
        return word && (numbers(next) || style.is_number(next.first()));
    }
    let beyond = |record: &Record| record.len().min(1)..record.len();
    let text = beyond(units).all(|at| !style.is_number(units.field(at)));
    let over = |at: usize| is_label(units.field(at), style) && style.is_number(next.field(at));
    let against = |at: usize| is_label(next.field(at), style) && at > 0;
    if units.len() != next.len() || !text || !beyond(units).any(over) || beyond(next).any(against) {
        return false;
    }
    let corner = units.first();
    let other = style.is_number(next.first()) || is_date(next.first());
    style.is_missing(corner)
        || is_word(corner)
        || (other && !style.is_number(corner) && !is_date(corner))
}

/// Whether a field says that units stand beside it.
pub(super) fn is_word(corner: &[u8]) -> bool {
    let word = String::from_utf8_lossy(corner).to_lowercase();
    matches!(word.trim_matches(['(', ')', '[', ']', ':']), "unit" | "units")
}

/// Whether a line has no value beside its first field, not even a word for one that is missing: dashes
/// or nothing.
pub(super) fn is_blank(record: &Record, style: &Style) -> bool {
    let none = |field: &[u8]| !field.iter().any(u8::is_ascii_alphanumeric);
    record.len() > 1
        && !style.is_number(record.first())
        && (none(record.first()) || is_row_word(record.first()))
        && record.fields().skip(1).all(|field| none(field) && style.is_missing(field))
}

/// What pandas writes over row names in a line of its own, below the name of the columns.
fn is_row_word(field: &[u8]) -> bool {
    means_id(field) || field.eq_ignore_ascii_case(b"rows")
}
