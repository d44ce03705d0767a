//! Whether the first line of a text file holds column names.

use super::axis::{Contrast, counts_from, counts_on, goes_on, is_ordered};
use super::record::Record;
use super::style::Style;
use super::words::{is_date, is_label, means_axis, means_id};

const NO_NUMBER: &str = "none of its fields is a number";
const EMPTY_CORNER: &str = "its first field is empty";
const FEW_NUMBERS: &str = "its fields of text stand over numbers";
const QUOTED: &str = "only it is quoted";
const LABEL_CORNER: &str = "its first field is unlike the labels below it";
const CORNER: &str = "its first field is text over numbers";
const ID_CORNER: &str = "its first field announces names";
const SHORT: &str = "it is one field short over a column of labels";
const COUNTS: &str = "it counts, over numbers that do not";
const COUNTS_LABELS: &str = "it counts, beside labels";
const AXIS: &str = "it is an axis over numbers of another kind";
const SHORT_NUMBERS: &str = "it is one field short over a column of numbers that never repeat";
pub(super) const ENDS: &str = "its end is another than that of the lines below it";
const MARKS: &str = "its fields are words over numbers";

/// Fewest columns over which numbers without labels beside them can be taken as an axis.
pub(super) const AXIS_COLUMNS: usize = 3;

/// What the first line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FirstLine {
    /// Column names, by this rule.
    Header(&'static str),
    /// Column names most likely, by this rule.
    Likely(&'static str),
    /// Numbers that might be column names.
    Doubtful,
    /// Numbers that might be column names, over a first column that might be row names.
    Frame,
    /// Data.
    Data,
}

/// The first lines of a file: the one that may be a header, and those below it.
pub(super) struct Head<'a> {
    pub(super) first: &'a Record,
    /// Fields of the first line that count.
    pub(super) width: usize,
    pub(super) data: &'a [Record],
    /// Whether the lines of data have one field more.
    pub(super) short: bool,
    pub(super) style: &'a Style,
}

impl Head<'_> {
    /// Decides by the rules that the constants above put in words.
    pub(super) fn verdict(&self) -> FirstLine {
        let beyond: Vec<&[u8]> = self.beyond(self.first).collect();
        let filled = beyond.iter().filter(|field| !field.is_empty()).count();
        let corner = self.first.first();
        let indented = !self.data.is_empty() && self.data.iter().all(|r| r.first().is_empty());
        let labels = beyond.iter().filter(|field| is_label(field, self.style)).count();
        let numbers = beyond.iter().filter(|field| self.style.is_number(field)).count();
        let is_mark = |field: &&&[u8]| !field.is_empty() && self.style.is_missing(field);
        let blank = beyond.iter().filter(is_mark).count();
        let corner_is_number = self.style.is_number(corner);
        if self.width > 1 && corner.is_empty() && filled > 0 {
            // Where every line begins with a delimiter, the first is like the others.
            return match labels {
                0 if indented => self.indented(&beyond),
                _ => FirstLine::Header(EMPTY_CORNER),
            };
        }
        match (labels, numbers) {
            (1.., 0) if !corner_is_number => FirstLine::Header(NO_NUMBER),
            (2.., 0) if self.numbers_below(&beyond) => FirstLine::Header(NO_NUMBER),
            (1.., 1..) if !corner_is_number => self.mixed(&beyond, labels),
            (0, 1..) if numbers + blank == filled && !self.data.is_empty() => {
                self.numeric(&beyond, corner_is_number)
            }
            (0, 0) if self.are_marks() => FirstLine::Likely(MARKS),
            _ => FirstLine::Data,
        }
    }

    /// The fields beside the first column, or the only one.
    fn beyond<'r>(&self, record: &'r Record) -> impl Iterator<Item = &'r [u8]> {
        let skip = usize::from(self.width > 1 && !self.short);
        record.fields().take(self.width).skip(skip)
    }

    /// The fields of the data that stand below those of [`beyond`](Self::beyond).
    fn below<'r>(&self, record: &'r Record) -> impl Iterator<Item = &'r [u8]> {
        record.fields().take(self.width + usize::from(self.short)).skip(usize::from(self.width > 1))
    }

    /// Whether below each label stand numbers only.
    fn numbers_below(&self, beyond: &[&[u8]]) -> bool {
        !self.data.is_empty()
            && self.data.iter().all(|record| {
                beyond.iter().zip(self.below(record)).all(|(above, field)| {
                    !is_label(above, self.style)
                        || self.style.is_number(field)
                        || self.style.is_missing(field)
                })
            })
    }

    /// Numbers beside an empty first field, as in all lines.
    fn indented(&self, beyond: &[&[u8]]) -> FirstLine {
        let names: Vec<f64> = beyond.iter().filter_map(|f| self.style.number(f).ok()).collect();
        let kind = Contrast::of(&names, &self.rows());
        match names.len() {
            AXIS_COLUMNS.. if kind.monotone && !kind.like_rows => FirstLine::Doubtful,
            _ => FirstLine::Data,
        }
    }

    /// Whether the line holds different marks of missing values over numbers without any.
    fn are_marks(&self) -> bool {
        let marks: Vec<&[u8]> = self.first.fields().take(self.width).collect();
        let mut seen = std::collections::HashSet::new();
        let is_word =
            |mark: &&[u8]| mark.iter().any(u8::is_ascii_alphabetic) && self.style.is_missing(mark);
        let below = |r: &Record| r.fields().all(|field| self.style.is_number(field));
        marks.len() > 1
            && marks.iter().all(|mark| is_word(mark) && seen.insert(mark.to_ascii_lowercase()))
            && !self.data.is_empty()
            && self.data.iter().all(below)
    }

    /// Whether a line and a column of numbers in order stand around numbers of another kind, with a
    /// corner of 0, empty or missing.
    fn is_frame(&self) -> bool {
        let corner = self.first.first();
        let number = |field: &[u8]| self.style.number(field).unwrap_or(f64::NAN);
        if self.short || !(self.style.is_missing(corner) || number(corner) == 0.0) {
            return false;
        }
        let top: Vec<f64> = self.first.fields().take(self.width).skip(1).map(number).collect();
        let left: Vec<f64> = self.data.iter().map(|r| number(r.first())).collect();
        let ordered = |line: &[f64]| line.len() > 1 && is_ordered(line, |a, b| a < b);
        // Distances are the same in both.
        if !ordered(&top) || !ordered(&left) || top == left {
            return false;
        }
        let rows = self.rows();
        let kind = Contrast::of(&top, &rows);
        let enough = top.len() >= AXIS_COLUMNS && left.len() >= AXIS_COLUMNS;
        if !enough || kind.far {
            return kind.far && left.len() > 1;
        }
        (kind.disjoint || kind.whole) && !kind.like_rows && !goes_on(&top, &rows)
    }

    /// Names and numbers in one line: a header, or data with a slip?
    fn mixed(&self, beyond: &[&[u8]], labels: usize) -> FirstLine {
        let many = labels * 2 >= beyond.len() || means_id(self.first.first());
        if many && self.numbers_below(beyond) {
            FirstLine::Header(FEW_NUMBERS)
        } else {
            FirstLine::Data
        }
    }

    /// Numbers only, but for the corner.
    fn numeric(&self, beyond: &[&[u8]], corner_is_number: bool) -> FirstLine {
        let skip = usize::from(self.width > 1);
        let filled = |index: &usize| !self.first.field(*index).is_empty();
        let quoted = (skip..self.width).filter(filled).all(|i| self.first.is_quoted(i));
        let below = self.data.iter().any(|r| (skip..r.len()).any(|index| r.is_quoted(index)));
        if quoted && !below {
            return FirstLine::Header(QUOTED);
        }
        let names: Vec<f64> = beyond.iter().filter_map(|f| self.style.number(f).ok()).collect();
        let labels = self.data.iter().filter(|r| is_label(r.first(), self.style)).count();
        let labels = labels > 0 && labels * 2 >= self.data.len();
        if self.short {
            return self.short_of_one(&names, labels);
        }
        if corner_is_number && !(labels && self.data.len() > 1) {
            return self.unlabelled();
        }
        self.labelled(&names, labels)
    }

    /// Numbers in a line that is one field short: R writes no heading over row names.
    fn short_of_one(&self, names: &[f64], labels: bool) -> FirstLine {
        if labels {
            return FirstLine::Header(SHORT);
        }
        let number = |r: &Record| self.style.number(r.first()).unwrap_or(f64::NAN);
        let left: Vec<f64> = self.data.iter().map(number).collect();
        let whole = left.iter().all(|v| v.fract() == 0.0);
        let ordered = |line: &[f64]| is_ordered(line, |a, b| a < b);
        let as_long = self.data.iter().all(|r| Some(r.len()) == self.data.first().map(Record::len));
        if left.len() > 1 && whole && as_long && ordered(&left) && ordered(names) {
            return FirstLine::Header(SHORT_NUMBERS);
        }
        FirstLine::Data
    }

    /// Numbers beside a corner of text, or over a column of labels.
    fn labelled(&self, names: &[f64], labels: bool) -> FirstLine {
        let corner = self.first.first();
        let numbers = self.data.iter().all(|r| self.style.is_number(r.first()));
        if numbers && is_label(corner, self.style) {
            return FirstLine::Header(CORNER);
        }
        if means_id(corner) || means_axis(corner) {
            return FirstLine::Header(ID_CORNER);
        }
        if !labels {
            return if self.is_frame() { FirstLine::Frame } else { FirstLine::Data };
        }
        let counts = names.len() > 2 && (counts_from(names, 0.0) || counts_from(names, 1.0));
        let rows = self.rows();
        // The first of g1, g2, g3 is a label like the others, and a heading is none of its names.
        match self.kinship(corner) {
            Kinship::Same => return FirstLine::Data,
            Kinship::Alike => return FirstLine::Doubtful,
            Kinship::Other => {}
        }
        if counts && !rows.iter().any(|row| counts_on(names, row)) {
            return FirstLine::Header(COUNTS_LABELS);
        }
        let kind = Contrast::of(names, &rows);
        match names.len() {
            _ if kind.years => FirstLine::Header(AXIS),
            AXIS_COLUMNS.. if kind.is_axis(names.len()) => FirstLine::Likely(AXIS),
            _ if is_label(corner, self.style) => FirstLine::Likely(LABEL_CORNER),
            AXIS_COLUMNS.. if counts || kind.monotone => FirstLine::Doubtful,
            _ => FirstLine::Data,
        }
    }

    /// How alike the corner is to the labels below it.
    fn kinship(&self, corner: &[u8]) -> Kinship {
        let dated = is_date(corner) && self.data.iter().all(|record| is_date(record.first()));
        if dated || self.data.iter().any(|record| corner == record.first()) {
            return Kinship::Same;
        }
        // Headings have digits less often than TP53, BRCA1, MYC have.
        let digit = |label: &[u8]| label.iter().any(u8::is_ascii_digit);
        let formed =
            |r: &&Record| form(corner) == form(r.first()) || (digit(corner) && digit(r.first()));
        if self.data.iter().filter(formed).count() * 2 >= self.data.len()
            || self.data.iter().any(|record| are_alike(corner, record.first()))
        {
            return Kinship::Alike;
        }
        Kinship::Other
    }

    /// Numbers everywhere.
    fn unlabelled(&self) -> FirstLine {
        let whole = |r: &Record| -> Vec<f64> {
            r.fields().take(self.width).map(|f| self.style.number(f).unwrap_or(f64::NAN)).collect()
        };
        let all = whole(self.first);
        let names: Vec<f64> = all.iter().copied().filter(|v| !v.is_nan()).collect();
        let rows: Vec<Vec<f64>> = self.data.iter().map(whole).collect();
        // The only line that lacks a number may be one of names.
        let lacks = names.len() < all.len() && !rows.iter().flatten().any(|v| v.is_nan());
        let otherwise = if lacks { FirstLine::Doubtful } else { FirstLine::Data };
        if all.len() < AXIS_COLUMNS {
            return if lacks { otherwise } else { Self::pair(&names, &rows) };
        }
        if counts_from(&names, 0.0) && names.len() > 1 && !goes_on(&names, &rows) {
            return FirstLine::Likely(COUNTS);
        }
        if self.is_frame() {
            return FirstLine::Frame;
        }
        let kind = Contrast::of(&names, &rows);
        if rows.len() > 1 && (kind.is_axis(names.len()) || kind.consecutive_years) {
            return FirstLine::Likely(AXIS);
        }
        if kind.may_be_axis(&names, &rows) { FirstLine::Doubtful } else { otherwise }
    }

    /// Two numbers over two columns: 0 and 1 may be those that pandas counts.
    fn pair(names: &[f64], rows: &[Vec<f64>]) -> FirstLine {
        if names != [0.0, 1.0] || rows.len() < 2 || goes_on(names, rows) {
            return FirstLine::Data;
        }
        let binary = rows.iter().flatten().all(|v| *v == 0.0 || *v == 1.0);
        match Contrast::of(names, rows).whole {
            true => FirstLine::Likely(COUNTS),
            false if binary => FirstLine::Data,
            false => FirstLine::Doubtful,
        }
    }

    /// The numbers beside the first column.
    fn rows(&self) -> Vec<Vec<f64>> {
        let number = |field| self.style.number(field).unwrap_or(f64::NAN);
        self.data.iter().map(|r| self.below(r).map(number).collect()).collect()
    }
}

/// How alike the first label of a column is to the others.
enum Kinship {
    Same,
    Alike,
    Other,
}

/// The form of a label: a digit for digits, letters by their case.
fn form(label: &[u8]) -> Vec<u8> {
    let class = |b: &u8| match b {
        b'0'..=b'9' => b'0',
        b'a'..=b'z' => b'a',
        b'A'..=b'Z' => b'A',
        other => *other,
    };
    label.iter().map(class).collect()
}

/// Whether two labels differ in their digits only, or are single characters.
fn are_alike(one: &[u8], other: &[u8]) -> bool {
    let letters = |label: &[u8]| -> Vec<u8> {
        label.iter().copied().filter(|b| !b.is_ascii_digit()).collect()
    };
    let (short, letters) = (one.len() == 1 && other.len() == 1, (letters(one), letters(other)));
    short
        || (letters.0 == letters.1 && letters.0.len() < one.len() && letters.1.len() < other.len())
}
