//! What does not belong to a table: a title above it, delimiters at the end of its lines.

use super::record::Record;
use super::style::Style;
use super::units;
use super::words::is_label;

/// Whether the first line is a title: text beside empty fields, or mixed with numbers, over a line of
/// names; or text beside empty fields only, over a line of numbers.
pub(super) fn is_title(sample: &[Record], style: &Style, delimiter: u8) -> bool {
    let Some((title, [names, data @ ..])) = sample.split_first() else { return false };
    let Some(first) = data.first() else { return false };
    let text = |field: &[u8]| is_label(field, style);
    let count = |what: &dyn Fn(&[u8]) -> bool| title.fields().skip(1).filter(|f| what(f)).count();
    let (empty, numbers) = (count(&<[u8]>::is_empty), count(&|field| style.is_number(field)));
    let odd = empty > 0 || (numbers > 0 && numbers + 1 < title.len());
    let as_long = title.len() == names.len() && names.len() == first.len();
    if delimiter == b' ' || title.len() < 2 || !as_long || !text(title.first()) || !odd {
        return false;
    }
    let mut seen = std::collections::HashSet::new();
    let named = names.fields().all(|field| text(field) && seen.insert(field))
        && !units::is_word(names.first())
        && first.fields().skip(1).all(|field| style.is_number(field) || style.is_missing(field));
    let numeric = |record: &Record| record.fields().all(|field| style.is_number(field));
    named || (empty + 1 == title.len() && numeric(names) && numeric(first))
}

/// Empty fields at the end of a line, but for its first field.
pub(super) fn empty_at_end(record: &Record) -> usize {
    record.fields().skip(1).collect::<Vec<_>>().iter().rev().take_while(|f| f.is_empty()).count()
}

/// Empty fields with which the first line ends and every other one that is as long.
pub(super) fn trails(data: &[Record]) -> usize {
    let Some(first) = data.first() else { return 0 };
    let as_long = data.iter().filter(|record| record.len() >= first.len());
    as_long.map(empty_at_end).min().unwrap_or(0)
}

/// Empty fields to drop from the header and from the lines of data, of so many and with so many
/// empty ones at the end: what both have, or what one has more than the other.
pub(super) fn ends(named: usize, above: usize, first: usize, below: usize) -> (usize, usize) {
    let both = above.min(below);
    if first == 0 {
        (above, 0)
    } else if both > 0 {
        (both, both)
    } else if above > 0 {
        (if named == first + above { above } else { 0 }, 0)
    } else {
        (0, if first == named + below { below } else { 0 })
    }
}
