//! Lines cut into fields.

use std::io::Read;

use crate::error::{Error, Place, quoted};
use crate::lines::Lines;

/// The fields of a line, without quotes and surrounding spaces.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// Line on which it begins, from 1.
    pub(super) line: u64,
    text: Vec<u8>,
    spans: Vec<(u32, u32)>,
    /// Which fields were quoted; empty in a line without quotes.
    quoted: Vec<bool>,
}

impl Record {
    pub(super) fn len(&self) -> usize {
        self.spans.len()
    }

    /// Bytes of its text.
    pub(super) fn bytes(&self) -> usize {
        self.text.len()
    }

    pub(super) fn fields(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.spans.iter().map(|&(a, b)| self.text.get(a as usize..b as usize).unwrap_or_default())
    }

    /// The fields from one place to before another, with their places.
    pub(super) fn between(&self, from: usize, to: usize) -> impl Iterator<Item = (usize, &[u8])> {
        let spans = self.spans.get(from..to).unwrap_or_default();
        let text = |&(a, b): &(u32, u32)| self.text.get(a as usize..b as usize).unwrap_or_default();
        (from..to).zip(spans.iter().map(text))
    }

    /// One field, empty beyond the last.
    pub(super) fn field(&self, index: usize) -> &[u8] {
        let Some(&(a, b)) = self.spans.get(index) else { return &[] };
        self.text.get(a as usize..b as usize).unwrap_or_default()
    }

    pub(super) fn first(&self) -> &[u8] {
        self.field(0)
    }

    /// Whether a field stood in quotes.
    pub(super) fn is_quoted(&self, index: usize) -> bool {
        self.quoted.get(index).copied().unwrap_or(false)
    }

    fn clear(&mut self) {
        self.text.clear();
        self.spans.clear();
        self.quoted.clear();
    }

    /// Marks the text between two positions as a field, but for the spaces around it.
    fn mark(&mut self, start: usize, end: usize) {
        let field = self.text.get(start..end).unwrap_or_default();
        let start = start + (field.len() - field.trim_ascii_start().len());
        let end = start + field.trim_ascii().len();
        // Lines are shorter than 4 GiB.
        let narrow = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        self.spans.push((narrow(start), narrow(end)));
    }

    /// A line without quotes as a record.
    pub(super) fn of(line: u64, text: &[u8], delimiter: u8) -> Self {
        let mut record = Self { line, ..Self::default() };
        record.cut_at(text, delimiter);
        record
    }

    fn cut_at(&mut self, line: &[u8], delimiter: u8) {
        match delimiter {
            b' ' => self.cut_by_space(line),
            b':' => self.cut_by_colons(line),
            _ => self.cut(line, delimiter),
        }
    }

    /// Cuts a line without quotes.
    fn cut(&mut self, line: &[u8], delimiter: u8) {
        self.text.extend_from_slice(line);
        let mut start = 0;
        for end in memchr::memchr_iter(delimiter, line) {
            self.mark(start, end);
            start = end + 1;
        }
        self.mark(start, line.len());
    }

    /// Cuts a line without quotes at `:` or `::`.
    fn cut_by_colons(&mut self, line: &[u8]) {
        self.text.extend_from_slice(line);
        let mut start = 0;
        for end in memchr::memchr_iter(b':', line) {
            if end == start && start > 0 {
                start = end + 1;
                continue;
            }
            self.mark(start, end);
            start = end + 1;
        }
        self.mark(start, line.len());
    }

    /// Cuts a line without quotes at runs of spaces and tabs.
    fn cut_by_space(&mut self, line: &[u8]) {
        self.text.extend_from_slice(line);
        let mut start = 0;
        for (at, byte) in line.iter().enumerate() {
            if matches!(byte, b' ' | b'\t') {
                if start < at {
                    self.mark(start, at);
                }
                start = at + 1;
            }
        }
        if start < line.len() {
            self.mark(start, line.len());
        }
    }
}

/// A reader of records.
pub(super) struct Records<R> {
    lines: Lines<R>,
    delimiter: u8,
    comment: Option<u8>,
}

impl<R: Read> Records<R> {
    /// Records of lines that do not begin with `comment`.
    pub(super) fn new(lines: Lines<R>, delimiter: u8, comment: Option<u8>) -> Self {
        Self { lines, delimiter, comment }
    }

    pub(super) fn by_space(&self) -> bool {
        self.delimiter == b' '
    }

    /// Reads the next line that is neither blank nor a comment; says whether there was one.
    pub(super) fn read(&mut self, record: &mut Record) -> Result<bool, Error> {
        record.clear();
        let comment = self.comment;
        let next = match comment {
            None => self.lines.next_but(is_blank)?,
            Some(mark) => self.lines.next_but(|line| is_blank(line) || begins(line, mark))?,
        };
        let Some((number, line)) = next else { return Ok(false) };
        record.line = number;
        if memchr::memchr(b'"', line).is_some() {
            let line = line.to_vec();
            self.read_quoted(record, line)?;
        } else {
            record.cut_at(line, self.delimiter);
        }
        Ok(true)
    }

    /// Cuts a line with quotes, which may continue on the next lines.
    fn read_quoted(&mut self, record: &mut Record, mut line: Vec<u8>) -> Result<(), Error> {
        let by_space = self.by_space();
        let mut at = 0;
        loop {
            while line.get(at).is_some_and(|b| *b == b' ' || (by_space && *b == b'\t')) {
                at += 1;
            }
            if by_space && at >= line.len() {
                return Ok(());
            }
            let start = record.text.len();
            let in_quotes = line.get(at) == Some(&b'"');
            record.quoted.push(in_quotes);
            if in_quotes {
                at = self.unquote(record, &mut line, at + 1)?;
                let (narrow_start, end) = (u32::try_from(start), u32::try_from(record.text.len()));
                record.spans.push((narrow_start.unwrap_or(u32::MAX), end.unwrap_or(u32::MAX)));
            } else {
                let rest = line.get(at..).unwrap_or_default();
                let length = rest.iter().position(|b| self.splits(*b)).unwrap_or(rest.len());
                record.text.extend_from_slice(rest.get(..length).unwrap_or_default());
                record.mark(start, start + length);
                at += length;
            }
            let rest = line.get(at..).unwrap_or_default();
            let rest = if by_space { rest } else { self.trim_start(rest) };
            match rest {
                [] => return Ok(()),
                [b':', b':', ..] if self.delimiter == b':' => at = line.len() - rest.len() + 2,
                [b, ..] if self.splits(*b) => at = line.len() - rest.len() + 1,
                _ => {
                    let field = record.spans.len() as u64;
                    let place = Place::Field { line: record.line, field };
                    let expected = "a delimiter after the closing quote";
                    return Err(Error::format(place, quoted(rest), expected));
                }
            }
        }
    }

    /// Without the spaces in front, of which a tab between fields is none.
    fn trim_start<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        let space = |b: &u8| b.is_ascii_whitespace() && *b != self.delimiter;
        text.get(text.iter().take_while(|b| space(b)).count()..).unwrap_or_default()
    }

    fn splits(&self, byte: u8) -> bool {
        byte == self.delimiter || (self.by_space() && byte == b'\t')
    }

    /// Copies the inside of quotes; returns the position behind them.
    fn unquote(
        &mut self,
        record: &mut Record,
        line: &mut Vec<u8>,
        mut at: usize,
    ) -> Result<usize, Error> {
        loop {
            let rest = line.get(at..).unwrap_or_default();
            let Some(length) = memchr::memchr(b'"', rest) else {
                record.text.extend_from_slice(rest);
                record.text.push(b'\n');
                self.continue_quoted(record, line)?;
                at = 0;
                continue;
            };
            let (inside, _) = rest.split_at(length);
            record.text.extend_from_slice(inside);
            at += length + 1;
            if line.get(at) != Some(&b'"') {
                return Ok(at);
            }
            record.text.push(b'"');
            at += 1;
        }
    }

    fn continue_quoted(&mut self, record: &Record, line: &mut Vec<u8>) -> Result<(), Error> {
        let place = Place::Field { line: record.line, field: record.spans.len() as u64 + 1 };
        if record.text.len() as u64 > self.lines.longest() {
            return Err(Error::format(place, "a quoted field that fills the memory", "an end"));
        }
        line.clear();
        match self.lines.next()? {
            Some(next) => line.extend_from_slice(next),
            None => return Err(Error::format(place, "an opening quote", "a closing one")),
        }
        Ok(())
    }
}

pub(super) fn is_blank(line: &[u8]) -> bool {
    line.trim_ascii_start().is_empty()
}

/// Whether the first byte of a line that is no space is this mark.
pub(super) fn begins(line: &[u8], mark: u8) -> bool {
    line.trim_ascii_start().first() == Some(&mark)
}
