//! How numbers are written in a text file: decimal point or comma, groups of three, percent signs.

use crate::parse;
use crate::read::ReadOptions;

use super::record::Record;

/// So many fields that can be nothing but numbers with a decimal comma make it certain.
const SURE: usize = 5;

/// The same of a first line of numbers between semicolons.
const AXIS: usize = 2;

/// How numbers are written.
#[derive(Debug, Clone)]
pub(super) struct Style {
    decimal: u8,
    /// What may stand between groups of three digits.
    group: Option<u8>,
    /// Whether that was told by the file and not by an option.
    pub(super) told: bool,
    /// Marks of missing values beside the usual ones, as text and as numbers.
    marks: Vec<Vec<u8>>,
    codes: Vec<f64>,
}

impl Style {
    /// As the options say, or else as the fields show beyond doubt.
    pub(super) fn find(sample: &[Record], delimiter: u8, options: &ReadOptions) -> Self {
        let (decimal, group) = match options.decimal {
            Some(b',') => (b',', Some(b'.')),
            Some(b'.') => (b'.', Some(b',')),
            Some(other) => (other, None),
            None => (b'.', None),
        };
        let (marks, codes) = (Vec::new(), Vec::new());
        let mut style = Self { decimal, group, told: false, marks, codes };
        if options.decimal.is_none() {
            style.tell(sample, delimiter);
        }
        for mark in &options.na {
            match style.number(mark.as_bytes()) {
                Ok(code) => style.codes.push(code),
                Err(_) => style.marks.push(mark.as_bytes().to_vec()),
            }
        }
        style
    }

    /// Looks for commas in numbers that can mean only one thing.
    fn tell(&mut self, sample: &[Record], delimiter: u8) {
        let sure = if delimiter == b';' && is_axis(sample) { AXIS } else { SURE };
        let (mut decimals, mut groups, mut points, mut both) = (0, 0, 0, 0);
        for field in sample.iter().flat_map(Record::fields) {
            let field = without_percent(field.trim_ascii());
            if !field.iter().all(|b| b.is_ascii_digit() || b"+-,.".contains(b)) {
                continue;
            }
            let commas = field.iter().filter(|b| **b == b',').count();
            let point = field.contains(&b'.');
            // 1.234,56 has a comma for a point, and 1.234 then is no fraction.
            let turned = is_grouped(field, b'.', b',');
            both += usize::from(turned && commas == 1);
            points += usize::from(point && commas == 0 && !turned);
            let grouped = is_grouped(field, b',', b'.');
            groups += usize::from(grouped && (commas > 1 || point));
            decimals += usize::from(commas == 1 && !point && !grouped && is_decimal(field));
        }
        if groups > 0 && decimals == 0 {
            (self.group, self.told) = (Some(b','), true);
        } else if decimals + both >= sure && groups == 0 && points == 0 {
            let group = (both > 0).then_some(b'.');
            (self.decimal, self.group, self.told) = (b',', group, true);
        }
    }

    /// Whether the decimal sign is a point.
    pub(super) fn is_plain(&self) -> bool {
        self.decimal == b'.'
    }

    /// What the file told, in words.
    pub(super) fn shown(&self) -> Option<&'static str> {
        match (self.told, self.decimal) {
            (false, _) => None,
            (true, b',') => Some("numbers have a decimal comma"),
            (true, _) => Some("numbers have commas between groups of three digits"),
        }
    }

    /// Reads a finite number; the error says what was expected instead.
    pub(super) fn number(&self, field: &[u8]) -> Result<f64, &'static str> {
        if self.decimal == b'.'
            && let Ok(value) = parse::number(field)
        {
            return Ok(value);
        }
        self.careful_number(field)
    }

    /// A number that is padded, grouped, or has another decimal sign than a point.
    #[cold]
    fn careful_number(&self, field: &[u8]) -> Result<f64, &'static str> {
        let field = field.trim_ascii();
        let mut copy = field.to_vec();
        if let Some(group) = self.group
            && is_grouped(field, group, self.decimal)
        {
            copy.retain(|b| *b != group);
        }
        if self.decimal != b'.' {
            if copy.contains(&b'.') {
                return Err(
                    "a number with the decimal sign of --decimal, or groups of three digits",
                );
            }
            if let Some(byte) = copy.iter_mut().find(|b| **b == self.decimal) {
                *byte = b'.';
            }
        }
        parse::number(&copy)
    }

    /// Whether a field marks a missing value, beside one that is read as a number.
    pub(super) fn is_missing(&self, field: &[u8]) -> bool {
        let field = field.trim_ascii();
        parse::is_missing(field) || self.marks.iter().any(|mark| mark == field)
    }

    /// Whether a number stands for a missing value.
    pub(super) fn is_code(&self, value: f64) -> bool {
        self.codes.contains(&value)
    }

    /// Whether a field is a number.
    pub(super) fn is_number(&self, field: &[u8]) -> bool {
        self.number(field).is_ok()
    }

    /// Whether a field tries to be a number, though it may not be a good one.
    pub(super) fn is_attempt(&self, field: &[u8]) -> bool {
        let refused = [parse::NOT_FINITE, parse::NOT_DECIMAL, parse::TOO_LARGE];
        self.number(field).map_or_else(|complaint| refused.contains(&complaint), |_| true)
            || is_digits(without_percent(field))
    }
}

/// Whether the first line holds numbers with one comma each, beside a corner of text or over lines
/// without commas.
fn is_axis(sample: &[Record]) -> bool {
    let Some((first, below)) = sample.split_first() else { return false };
    let corner = first.first().iter().any(u8::is_ascii_alphabetic);
    if below.is_empty()
        || (!corner && below.iter().flat_map(Record::fields).any(|f| f.contains(&b',')))
    {
        return false;
    }
    let comma = |field: &&[u8]| is_decimal(field) && !is_grouped(field, b',', b'.');
    let plain = |field: &[u8]| field.iter().all(u8::is_ascii_digit);
    first.fields().filter(comma).count() >= AXIS
        && first.fields().skip(1).all(|field| comma(&field) || plain(field))
}

/// A field without the percent sign at its end.
pub(super) fn without_percent(field: &[u8]) -> &[u8] {
    field.strip_suffix(b"%").map_or(field, <[u8]>::trim_ascii_end)
}

/// A sign, digits, commas and at most one point.
fn is_digits(field: &[u8]) -> bool {
    let digits = field.strip_prefix(b"-").or(field.strip_prefix(b"+")).unwrap_or(field);
    digits.iter().all(|b| b.is_ascii_digit() || b",.".contains(b))
        && digits.iter().filter(|b| **b == b'.').count() < 2
}

/// Digits, one comma, digits: a number only if the comma is a decimal one.
fn is_decimal(field: &[u8]) -> bool {
    let digits = field.strip_prefix(b"-").or(field.strip_prefix(b"+")).unwrap_or(field);
    let mut parts = digits.split(|b| *b == b',');
    let is = |part: Option<&[u8]>| {
        part.is_some_and(|p| !p.is_empty() && p.iter().all(u8::is_ascii_digit))
    };
    is(parts.next()) && is(parts.next())
}

/// One to three digits, then groups of three, then perhaps a fraction.
fn is_grouped(field: &[u8], group: u8, decimal: u8) -> bool {
    let digits = field.strip_prefix(b"-").or(field.strip_prefix(b"+")).unwrap_or(field);
    let whole = digits.split(|b| *b == decimal).next().unwrap_or_default();
    let fraction = digits.get(whole.len() + 1..).unwrap_or_default();
    let mut groups = whole.split(|b| *b == group);
    let first = groups.next().unwrap_or_default();
    let numeric = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    let mut rest = 0;
    let threes = groups.all(|part| {
        rest += 1;
        part.len() == 3 && numeric(part)
    });
    threes
        && rest > 0
        && (1..=3).contains(&first.len())
        && numeric(first)
        && first != b"0"
        && numeric(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_of_three_digits() {
        for text in ["1,234", "-12,345", "123,456,789", "1,234.5", "+1,234,567.25"] {
            assert!(is_grouped(text.as_bytes(), b',', b'.'), "{text}");
        }
        for text in ["1,5", "1234", "1234,567", "0,123", ",123", "1,23,456", "1,2345", "1,234.5.6"]
        {
            assert!(!is_grouped(text.as_bytes(), b',', b'.'), "{text}");
        }
        assert!(
            is_decimal(b"1,5") && is_decimal(b"-0,25") && !is_decimal(b"1,") && !is_decimal(b",5")
        );
    }
}
