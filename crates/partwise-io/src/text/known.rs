//! A first line that holds names that the columns are known to have.

use std::collections::HashSet;

use super::header::FirstLine;
use super::record::Record;

const KNOWN: &str = "it holds the column names of what the file goes with";

/// What the first line is, if the names that its columns may have tell.
///
/// They do where it holds all of them, or nothing but some of them, each once, and at most one field
/// beside for the row names. Numbers that only count may be data all the same: they must all be there,
/// and are most likely names.
pub(super) fn first_line(first: &Record, known: &[String]) -> Option<FirstLine> {
    let names: HashSet<&[u8]> = known.iter().map(|name| name.as_bytes()).collect();
    let fields: Vec<&[u8]> = first.fields().collect();
    let found = |fields: &[&[u8]]| {
        let distinct: HashSet<&[u8]> =
            fields.iter().copied().filter(|field| names.contains(field)).collect();
        (distinct.len() == fields.len(), distinct.len() == names.len(), distinct.len())
    };
    let without_corner = fields.get(1..).unwrap_or_default();
    let holds = [fields.as_slice(), without_corner].into_iter().any(|fields| {
        let (only, all, count) = found(fields);
        let some = only && count >= 2 && 2 * count >= names.len();
        if counts(known) { only && all && count > 2 } else { some || (all && count > 0) }
    });
    let verdict = if counts(known) { FirstLine::Likely(KNOWN) } else { FirstLine::Header(KNOWN) };
    holds.then_some(verdict)
}

/// Whether names are 0, 1, 2, … or 1, 2, 3, …
fn counts(known: &[String]) -> bool {
    [0, 1]
        .iter()
        .any(|from| known.iter().enumerate().all(|(at, name)| name.parse() == Ok(at + from)))
}
