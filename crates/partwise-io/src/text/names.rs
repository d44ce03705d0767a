//! Whether the first column of a text file holds row names.

use super::record::Record;
use super::style::Style;
use super::words::{is_date, is_label, means_axis, means_id};

const HEADER_CORNER: &str = "the header begins with an empty field";
pub(super) const SHORT_HEADER: &str = "the header is one field short";
const LABEL: &str = "its first field is no number";
const TEXT: &str = "it holds text";
const DATES: &str = "it holds dates";
pub(super) const ID: &str = "its heading means an id, and no value repeats";
const AXIS: &str = "its heading means an axis, and its values are in order";

/// What the first column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FirstColumn {
    /// Row names, by this rule.
    Names(&'static str),
    /// Numbers under a heading that means an id, which repeat.
    Repeats,
    /// Numbers that count, under no heading that means an id.
    Counts,
    /// Data.
    Data,
}

/// Columns that are compared with one that counts.
const OTHERS: usize = 100;

/// Decides by the heading of the column `at`, if there is one, and its first fields.
pub(super) fn verdict(
    heading: Option<&[u8]>,
    data: &[Record],
    at: usize,
    style: &Style,
) -> FirstColumn {
    if heading.is_some_and(<[u8]>::is_empty) {
        return FirstColumn::Names(HEADER_CORNER);
    }
    let fields = || data.iter().map(|record| record.field(at));
    let dates = fields().filter(|field| is_date(field)).count();
    if dates > 0 && dates == data.len() {
        return FirstColumn::Names(DATES);
    }
    if fields().next().is_some_and(|field| is_label(field, style)) {
        return FirstColumn::Names(LABEL);
    }
    let numbers: Vec<f64> = fields().filter_map(|field| style.number(field).ok()).collect();
    let labels = fields().filter(|field| is_label(field, style)).count();
    let means_id = heading.is_some_and(means_id);
    if labels > 0 && (numbers.is_empty() || labels * 2 >= data.len() || means_id) {
        return FirstColumn::Names(TEXT);
    }
    // What is called NA, None or nan throughout, under a heading that means an id.
    if means_id && numbers.is_empty() && fields().all(|field| !field.is_empty()) {
        return FirstColumn::Names(TEXT);
    }
    if numbers.len() < data.len() || numbers.is_empty() {
        return FirstColumn::Data;
    }
    match numeric(heading, means_id, &numbers) {
        FirstColumn::Data if at == 0 && counts(&numbers, data, style) => FirstColumn::Counts,
        verdict => verdict,
    }
}

/// Whether a column behaves as ids do: it counts up by one, as no other one does, over five rows from 0
/// or 1 or three from a number beyond all others; or it has whole numbers that never repeat and are
/// ten times beyond all others.
fn counts(numbers: &[f64], data: &[Record], style: &Style) -> bool {
    let by_one = |column: &[f64]| column.windows(2).all(|pair| pair[1] == pair[0] + 1.0);
    let width = data.first().map_or(0, Record::len);
    let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    if width < 2 || numbers.len() < 3 || numbers.iter().any(|value| value.fract() != 0.0) {
        return false;
    }
    let column = |at: usize| -> Vec<f64> {
        data.iter().map(|r| style.number(r.field(at)).unwrap_or(f64::NAN)).collect()
    };
    let others: Vec<Vec<f64>> = (1..width.min(OTHERS)).map(column).collect();
    let beyond = |times: f64| others.iter().flatten().all(|v| v.is_nan() || v * times < least);
    let enough = if least > 1.0 { beyond(1.0) } else { numbers.len() > 4 };
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let distinct = sorted.windows(2).all(|pair| pair[0] < pair[1]);
    (enough && by_one(numbers) && !others.iter().any(|other| by_one(other)))
        || (distinct && least > 100.0 && beyond(10.0))
}

/// A column of numbers.
fn numeric(heading: Option<&[u8]>, means_id: bool, numbers: &[f64]) -> FirstColumn {
    let upwards = numbers.windows(2).all(|pair| pair[0] < pair[1]);
    let downwards = numbers.windows(2).all(|pair| pair[0] > pair[1]);
    if heading.is_some_and(means_axis) && numbers.len() > 1 && (upwards || downwards) {
        return FirstColumn::Names(AXIS);
    }
    if !means_id || numbers.iter().any(|value| value.fract() != 0.0) {
        return FirstColumn::Data;
    }
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        return FirstColumn::Repeats;
    }
    FirstColumn::Names(ID)
}
