//! A line of units between header and data.

use super::record::Record;
use super::style::Style;
use super::words::{is_date, is_label};

/// Whether the first of these lines holds units: text where the next one holds numbers, beside a
/// corner that is no row name.
pub(super) fn are_first(data: &[Record], style: &Style) -> bool {
    let [units, next, ..] = data else { return false };
    let beyond = |record: &Record| record.len().min(1)..record.len();
    let text = beyond(units).all(|at| !style.is_number(units.field(at)));
    let over = |at: usize| is_label(units.field(at), style) && style.is_number(next.field(at));
    let against = |at: usize| is_label(next.field(at), style) && at > 0;
    if units.len() != next.len() || !text || !beyond(units).any(over) || beyond(next).any(against) {
        return false;
    }
    let corner = units.first();
    let word = String::from_utf8_lossy(corner).to_lowercase();
    let other = style.is_number(next.first()) || is_date(next.first());
    style.is_missing(corner)
        || matches!(word.trim_matches(['(', ')', '[', ']', ':']), "unit" | "units")
        || (other && !style.is_number(corner) && !is_date(corner))
}
