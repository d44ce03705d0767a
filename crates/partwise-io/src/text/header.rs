//! Whether the first line of a text file holds column names.

use super::record::Record;
use super::style::Style;
use super::words::{is_label, means_axis, means_id};

const NO_NUMBER: &str = "none of its fields is a number";
const EMPTY_CORNER: &str = "its first field is empty";
const FEW_NUMBERS: &str = "its fields of text stand over numbers";
const QUOTED: &str = "only it is quoted";
const CORNER: &str = "its first field is text over numbers";
const ID_CORNER: &str = "its first field announces names";
const SHORT: &str = "it is one field short over a column of labels";
const COUNTS: &str = "it counts, over numbers that do not";
const COUNTS_LABELS: &str = "it counts, beside labels";
const AXIS: &str = "it is an axis over numbers of another kind";

/// Fewest columns over which numbers without labels beside them can be taken as an axis.
const AXIS_COLUMNS: usize = 3;
/// The same where the axis has no equal steps: five numbers are in order by chance once in 60.
const UNEVEN_COLUMNS: usize = 5;

/// What the first line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FirstLine {
    /// Column names, by this rule.
    Header(&'static str),
    /// Column names most likely, by this rule.
    Likely(&'static str),
    /// Numbers that might be column names.
    Doubtful,
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
        if self.width > 1 && corner.is_empty() && filled > 0 {
            return FirstLine::Header(EMPTY_CORNER);
        }
        let labels = beyond.iter().filter(|field| is_label(field, self.style)).count();
        let numbers = beyond.iter().filter(|field| self.style.is_number(field)).count();
        let is_mark = |field: &&&[u8]| !field.is_empty() && self.style.is_missing(field);
        let blank = beyond.iter().filter(is_mark).count();
        let corner_is_number = self.style.is_number(corner);
        match (labels, numbers) {
            (1.., 0) if !corner_is_number => FirstLine::Header(NO_NUMBER),
            (2.., 0) if self.numbers_below(&beyond) => FirstLine::Header(NO_NUMBER),
            (1.., 1..) if !corner_is_number => self.mixed(&beyond, labels),
            (0, 1..) if numbers + blank == filled && !self.data.is_empty() => {
                self.numeric(&beyond, corner_is_number)
            }
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
        let labels = self.data.iter().all(|r| is_label(r.first(), self.style));
        if self.short {
            return if labels { FirstLine::Header(SHORT) } else { FirstLine::Data };
        }
        if corner_is_number && !(labels && self.data.len() > 1) {
            return self.unlabelled();
        }
        self.labelled(&names, labels)
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
            return FirstLine::Data;
        }
        let counts = names.len() > 2 && (counts_from(names, 0.0) || counts_from(names, 1.0));
        let rows = self.rows();
        // The first of g1, g2, g3 is a label like the others.
        if self.data.iter().any(|record| are_alike(corner, record.first())) {
            let apart = names.len() > 2 && Contrast::of(names, &rows).disjoint;
            return if counts || apart { FirstLine::Doubtful } else { FirstLine::Data };
        }
        if counts && !rows.iter().any(|row| counts_on(names, row)) {
            return FirstLine::Header(COUNTS_LABELS);
        }
        let kind = Contrast::of(names, &rows);
        match names.len() {
            _ if kind.years => FirstLine::Header(AXIS),
            AXIS_COLUMNS.. if kind.is_axis(names.len()) => FirstLine::Likely(AXIS),
            AXIS_COLUMNS.. if counts || (kind.monotone && kind.disjoint) => FirstLine::Doubtful,
            _ => FirstLine::Data,
        }
    }

    /// Numbers everywhere.
    fn unlabelled(&self) -> FirstLine {
        let whole = |r: &Record| -> Vec<f64> {
            r.fields().take(self.width).map(|f| self.style.number(f).unwrap_or(f64::NAN)).collect()
        };
        let names = whole(self.first);
        let rows: Vec<Vec<f64>> = self.data.iter().map(whole).collect();
        if names.len() < AXIS_COLUMNS {
            return Self::pair(&names, &rows);
        }
        if counts_from(&names, 0.0) && !goes_on(&names, &rows) {
            return FirstLine::Likely(COUNTS);
        }
        let kind = Contrast::of(&names, &rows);
        if rows.len() > 1 && kind.is_axis(names.len()) {
            return FirstLine::Likely(AXIS);
        }
        let counts = names.len() > 3 && counts_from(&names, 1.0) && !goes_on(&names, &rows);
        let apart = kind.monotone && kind.disjoint && !kind.like_rows;
        if counts || apart { FirstLine::Doubtful } else { FirstLine::Data }
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

/// Whether two labels differ in their digits only, or are single characters.
fn are_alike(one: &[u8], other: &[u8]) -> bool {
    let letters = |label: &[u8]| -> Vec<u8> {
        label.iter().copied().filter(|b| !b.is_ascii_digit()).collect()
    };
    let (short, letters) = (one.len() == 1 && other.len() == 1, (letters(one), letters(other)));
    short
        || (letters.0 == letters.1 && letters.0.len() < one.len() && letters.1.len() < other.len())
}

/// Whether numbers count up by one from `first`.
fn counts_from(names: &[f64], first: f64) -> bool {
    names.iter().zip(0u32..).all(|(name, at)| *name == first + f64::from(at))
}

/// Whether a row counts as the first line does, or on from it.
fn counts_on(names: &[f64], row: &[f64]) -> bool {
    row.first().is_some_and(|first| row.len() == names.len() && counts_from(row, *first))
}

/// Whether the data go on as the first line counts: by rows, as multiples or sums do, or down the
/// first column, as in a table of distances.
fn goes_on(names: &[f64], rows: &[Vec<f64>]) -> bool {
    let even = |row: &Vec<f64>| steps(row).is_some_and(|step| step != 0.0);
    let by_rows = rows.iter().filter(|row| even(row)).count();
    let first = names.first().copied().unwrap_or_default();
    let down =
        rows.iter().zip(1u32..).all(|(row, at)| row.first() == Some(&(first + f64::from(at))));
    (names.len() > 2 && by_rows * 2 > rows.len()) || (down && rows.len() > 1)
}

/// The step of a sequence with equal ones: exactly where all are whole, else to a sixth of it, for
/// 9.99, 9.95, 9.90 are rounded.
fn steps(row: &[f64]) -> Option<f64> {
    let (first, last) = (row.first()?, row.last()?);
    let count = u32::try_from(row.len().checked_sub(1)?).ok()?;
    let step = (last - first) / f64::from(count.max(1));
    let loose = if row.iter().all(|v| v.fract() == 0.0) { 0.0 } else { step.abs() / 6.0 };
    let near = |pair: &[f64]| ((pair[1] - pair[0]) - step).abs() <= loose;
    (count > 0 && step.is_finite() && row.windows(2).all(near)).then_some(step)
}

/// What the numbers of a first line are beside those below it.
struct Contrast {
    monotone: bool,
    /// Whether its steps are equal.
    even: bool,
    /// Whether it holds whole numbers and the data mostly do not, or the other way round.
    whole: bool,
    /// Whether all of it is above or below all the data.
    disjoint: bool,
    /// Whether most rows of the data are as ordered as it is.
    like_rows: bool,
    years: bool,
}

impl Contrast {
    fn of(names: &[f64], rows: &[Vec<f64>]) -> Self {
        let values = || rows.iter().flatten().copied().filter(|v| v.is_finite());
        let least = |all: &mut dyn Iterator<Item = f64>| all.fold(f64::INFINITY, f64::min);
        let most = |all: &mut dyn Iterator<Item = f64>| all.fold(f64::NEG_INFINITY, f64::max);
        let (low, high) = (least(&mut names.iter().copied()), most(&mut names.iter().copied()));
        let disjoint = low > most(&mut values()) || high < least(&mut values());
        let is_whole = |v: f64| v.fract() == 0.0;
        let whole_values = values().filter(|v| is_whole(*v)).count();
        let count = values().count();
        let whole = if names.iter().all(|v| is_whole(*v)) {
            whole_values * 2 < count
        } else {
            count > 0 && whole_values == count
        };
        let ordered = rows.iter().filter(|row| is_ordered(row, |a, b| a <= b)).count();
        let monotone = names.len() > 1 && is_ordered(names, |a, b| a < b);
        let in_years = names.iter().all(|v| is_whole(*v) && (1500.0..=2200.0).contains(v));
        Self {
            monotone,
            even: steps(names).is_some_and(|step| step != 0.0),
            whole,
            disjoint: disjoint && count > 0,
            like_rows: ordered * 2 > rows.len(),
            years: monotone && in_years && disjoint && count > 0,
        }
    }

    /// Whether the first line is an axis and the data are of another kind.
    fn is_axis(&self, columns: usize) -> bool {
        let enough = self.even || columns >= UNEVEN_COLUMNS || (self.whole && self.disjoint);
        self.monotone && !self.like_rows && enough && (self.whole || self.disjoint)
    }
}

/// Whether each number is before the next, all upwards or all downwards.
fn is_ordered(row: &[f64], before: impl Fn(f64, f64) -> bool) -> bool {
    row.windows(2).all(|pair| before(pair[0], pair[1]))
        || row.windows(2).all(|pair| before(pair[1], pair[0]))
}
