//! Whether the first column of a text file holds row names.

use crate::parse;

use super::record::Record;
use super::style::Style;
use super::words::{
    is_boolean, is_date, is_label, is_made_up, means_axis, means_class, means_date, means_id,
    means_only_id,
};
use std::collections::HashSet;

const HEADER_CORNER: &str = "the header begins with an empty field";
pub(super) const SHORT_HEADER: &str = "the header is one field short";
const LABEL: &str = "its first field is no number";
const TEXT: &str = "it holds text";
const DATES: &str = "it holds dates";
pub(super) const ID: &str = "its heading means an id, and no value repeats";
const AXIS: &str = "its heading means an axis, and its values are in order";
const NUMERIC_DATES: &str = "its heading means a date, and no value repeats";
const MADE_UP: &str = "its heading is the one that a program gives to row names";
const ZEROS: &str = "its numbers begin with zeros, as codes do";
const QUOTED: &str = "it alone stands in quotes";

/// What the first column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FirstColumn {
    /// Row names, by this rule.
    Names(&'static str),
    /// Numbers under a heading that means an id, which repeat.
    Repeats,
    /// Numbers that behave as ids or an axis do, under no heading that means one.
    Counts,
    /// Data.
    Data,
}

/// Columns that are compared with the first.
const OTHERS: usize = 100;
/// Rows that are in order by chance in one of sixty tables at most.
const IN_ORDER: usize = 5;

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
    if is_class(heading, data, at) {
        return FirstColumn::Data;
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
    if numbers.len() < data.len() || numbers.is_empty() {
        // `=1`, `(1)`, `$1`, or what is called NA or None, under a heading that means an id.
        let text = means_id && !data.is_empty() && fields().all(|field| !field.is_empty());
        return if text { FirstColumn::Names(TEXT) } else { FirstColumn::Data };
    }
    let column = Column { heading, data, at, style, numbers: &numbers };
    match column.verdict() {
        FirstColumn::Data if at == 0 && column.behaves_as_ids() => FirstColumn::Counts,
        FirstColumn::Counts if at > 0 => FirstColumn::Data,
        verdict => verdict,
    }
}

/// Whether text is that of classes and not of names: truth values that repeat, or a few labels that do.
fn is_class(heading: Option<&[u8]>, data: &[Record], at: usize) -> bool {
    let distinct: HashSet<&[u8]> = data.iter().map(|record| record.field(at)).collect();
    let repeats = distinct.len() < data.len();
    let few = data.len() >= 4 && distinct.len() * 2 <= data.len();
    let letters = |field: &&[u8]| field.iter().any(|b| b.is_ascii_alphabetic());
    let words = data.iter().all(|record| letters(&record.field(at)));
    let other = heading
        .map_or_else(|| !are_pairs(data), |heading| !means_id(heading) || means_class(heading));
    (repeats && distinct.iter().all(|field| is_boolean(field))) || (few && words && other)
}

/// Whether lines without a heading may be a name, an id and a value each.
fn are_pairs(data: &[Record]) -> bool {
    let id = |record: &Record| parse::unsigned(record.field(1)).is_some();
    data.iter().all(|record| matches!(record.len(), 3 | 4) && id(record))
}

/// A column of numbers only.
struct Column<'a> {
    heading: Option<&'a [u8]>,
    data: &'a [Record],
    at: usize,
    style: &'a Style,
    numbers: &'a [f64],
}

impl Column<'_> {
    /// By its heading, or by how its numbers are written.
    fn verdict(&self) -> FirstColumn {
        let is = |meaning: fn(&[u8]) -> bool| self.heading.is_some_and(meaning);
        let (distinct, whole) = (self.is_distinct(), self.is_whole());
        if is(means_axis) && self.numbers.len() > 1 {
            return match (in_order(self.numbers), is(means_date) && whole && distinct) {
                (true, _) => FirstColumn::Names(AXIS),
                (_, true) => FirstColumn::Names(NUMERIC_DATES),
                _ => FirstColumn::Counts,
            };
        }
        if is(is_made_up) && whole && distinct && self.counts() {
            return FirstColumn::Names(MADE_UP);
        }
        if self.has_zeros() {
            return if distinct { FirstColumn::Names(ZEROS) } else { FirstColumn::Counts };
        }
        if distinct && self.is_quoted_alone() {
            return FirstColumn::Names(QUOTED);
        }
        match is(means_id) {
            true if !whole && !is(means_only_id) => FirstColumn::Counts,
            true if !distinct => FirstColumn::Repeats,
            true => FirstColumn::Names(ID),
            false => FirstColumn::Data,
        }
    }

    /// Whether no field repeats, as text: long ids differ where their numbers do not.
    fn is_distinct(&self) -> bool {
        let mut seen = HashSet::new();
        self.data.iter().all(|record| seen.insert(record.field(self.at)))
    }

    fn is_whole(&self) -> bool {
        self.numbers.iter().all(|value| value.fract() == 0.0)
    }

    /// Whether the numbers are 0, 1, 2 … or 1, 2, 3 ….
    fn counts(&self) -> bool {
        by_one(self.numbers) && self.numbers.first().is_some_and(|first| (0.0..2.0).contains(first))
    }

    /// Whether numbers begin with zeros, and no other column has such.
    fn has_zeros(&self) -> bool {
        let padded = |field: &[u8]| {
            field.len() > 1 && field.first() == Some(&b'0') && field.iter().all(u8::is_ascii_digit)
        };
        let mut all = self.data.iter().flat_map(|r| r.fields().enumerate());
        let digits = |record: &Record| record.field(self.at).iter().all(u8::is_ascii_digit);
        self.data.iter().any(|record| padded(record.field(self.at)))
            && self.data.iter().all(digits)
            && !all.any(|(at, field)| at != self.at && padded(field))
    }

    /// Whether all of this column and nothing else stands in quotes.
    fn is_quoted_alone(&self) -> bool {
        self.data.iter().all(|record| {
            let others = (0..record.len()).filter(|at| *at != self.at);
            record.len() > 1
                && record.is_quoted(self.at)
                && !others.into_iter().any(|at| record.is_quoted(at))
        })
    }

    /// The other columns, with NaN for what is no number.
    fn others(&self) -> Vec<Vec<f64>> {
        let width = self.data.first().map_or(0, Record::len);
        let number = |record: &Record, at| self.style.number(record.field(at)).unwrap_or(f64::NAN);
        let column = |at| self.data.iter().map(|record| number(record, at)).collect();
        (0..width.min(OTHERS)).filter(|at| *at != self.at).map(column).collect()
    }

    /// Whether the numbers behave as ids or an axis do: they never repeat, and count up by one, are in
    /// order, as no other column is, or are whole and of another order of size than all others.
    fn behaves_as_ids(&self) -> bool {
        let (numbers, others) = (self.numbers, self.others());
        if others.is_empty() || numbers.len() < 3 || !self.is_distinct() {
            return false;
        }
        let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
        let most = others.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
        // A table of distances counts up in its first column too.
        let enough =
            self.heading.is_some() || numbers.len() >= IN_ORDER || (least > 1.0 && least > most);
        if enough && self.is_whole() && by_one(numbers) && !others.iter().any(|other| by_one(other))
        {
            return true;
        }
        let ordered = numbers.len() >= IN_ORDER && in_order(numbers);
        let larger = self.is_whole()
            && least >= 100.0
            && least > most
            && median(numbers) >= 10.0 * others.iter().map(|v| median(v)).fold(0.0, f64::max);
        larger || (ordered && !others.iter().any(|other| in_order(other)))
    }
}

fn by_one(numbers: &[f64]) -> bool {
    numbers.windows(2).all(|pair| pair[1] == pair[0] + 1.0)
}

/// Whether numbers rise or fall throughout.
fn in_order(numbers: &[f64]) -> bool {
    numbers.windows(2).all(|pair| pair[0] < pair[1])
        || numbers.windows(2).all(|pair| pair[0] > pair[1])
}

/// The middle one of the numbers that are known, or 0.
fn median(numbers: &[f64]) -> f64 {
    let mut known: Vec<f64> = numbers.iter().copied().filter(|value| !value.is_nan()).collect();
    known.sort_by(f64::total_cmp);
    known.get(known.len() / 2).copied().unwrap_or(0.0)
}
