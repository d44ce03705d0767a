//! Tables that look like lines of a row, a column and a value.

use std::collections::HashSet;

use crate::notice::Notice;
use crate::numbers::Numbers;
use crate::table::{Table, Values};

use super::triples::Role;
use super::words::means_id;

/// Rows that are looked at to tell triples.
const LOOKED_AT: usize = 100_000;
/// Values of the third column of ratings, at most.
const LEVELS: usize = 20;

/// A notice if a dense table looks like triples of ids.
pub(super) fn suspect(table: &Table) -> Option<Notice> {
    let Values::Dense { numbers: Numbers::F64(values), .. } = &table.values else { return None };
    let rows = || values.chunks(table.cols.max(1)).take(LOOKED_AT);
    let is_id = |value: &f64| value.fract() == 0.0 && (0.0..9e15).contains(value);
    let ids = |at: usize| rows().all(|row| row.get(at).is_some_and(is_id));
    if let Some(names) = &table.row_names {
        return (matches!(table.cols, 2..=4)
            && (beside_names(table, names, values) || indexed(table)))
        .then_some(Notice::LooksLikeTriplets);
    }
    if !matches!(table.cols, 3 | 4) || !ids(0) || !ids(1) {
        return None;
    }
    let timed = table.cols == 4 && ids(3) && rows().all(|row| (1e8..1e13).contains(&row[3]));
    let found = match &table.col_names {
        Some(names) => named(names) || timed,
        None => timed || (table.cols == 3 && by_values(rows)),
    };
    found.then_some(Notice::LooksLikeTriplets)
}

/// Whether row names that repeat stand beside ids that do, and no pair does.
fn beside_names(table: &Table, names: &[String], values: &[f64]) -> bool {
    let ids = || values.chunks(table.cols.max(1)).take(LOOKED_AT).filter_map(|row| row.first());
    let whole = ids().all(|value| value.fract() == 0.0 && (0.0..9e15).contains(value));
    let second: HashSet<u64> = ids().map(|value| value.to_bits()).collect();
    let pairs: HashSet<(&String, u64)> = names.iter().zip(ids().map(|v| v.to_bits())).collect();
    let distinct: HashSet<&String> = names.iter().collect();
    let count = ids().count();
    let heading = table.col_names.as_ref().and_then(|all| all.first());
    let is_id = |heading: &String| {
        means_id(heading.as_bytes()) || Role::Column.is_named(heading.as_bytes())
    };
    count > 3
        && whole
        && table.cols < 4
        && distinct.len() * 2 <= names.len()
        && pairs.len() == count
        && second.len() < count
        && heading.is_none_or(is_id)
}

/// Whether the columns beside row names are headed as a row, a column and a value.
fn indexed(table: &Table) -> bool {
    let Some([row, col, value, ..]) = table.col_names.as_deref() else { return false };
    Role::Row.is_named(row.as_bytes())
        && Role::Column.is_named(col.as_bytes())
        && (Role::Value.is_named(value.as_bytes()) || table.cols == 3)
}

/// Whether the first two headings mean ids, or a row and a column.
pub(super) fn named(names: &[String]) -> bool {
    let [row, col, ..] = names else { return false };
    let is = |name: &str, choices: &[&str]| choices.contains(&name.to_ascii_lowercase().as_str());
    let plain = is(row, &["i", "row", "rows", "source", "from", "r", "u"])
        && is(col, &["j", "col", "cols", "column", "columns", "target", "to", "c", "v"]);
    let second = means_id(col.as_bytes())
        || is(col, &["book", "isbn", "song", "artist", "track", "word", "wordid", "term", "joke"]);
    plain || (means_id(row.as_bytes()) && second)
}

/// Whether numbers without headings behave as ids do: they repeat, no pair does, and either one
/// column is in order or the third has few values.
fn by_values<'a, I: Iterator<Item = &'a [f64]>>(rows: impl Fn() -> I) -> bool {
    const FEWEST: usize = 10;
    let bits = |at: usize| rows().map(move |row| row[at].to_bits());
    let count = rows().count();
    let distinct = |at: usize| bits(at).collect::<HashSet<u64>>().len();
    let pairs = bits(0).zip(bits(1)).collect::<HashSet<_>>().len();
    let ordered = |at: usize| rows().map(|row| row[at]).is_sorted();
    let (first, second) = (distinct(0), distinct(1));
    let repeat = first < count && second < count && pairs == count;
    count >= FEWEST
        && repeat
        && (ordered(0) || ordered(1) || (distinct(2) <= LEVELS && distinct(2) < first.min(second)))
}
