//! Lines of a text file, one at a time, without holding the file.

use std::io::Read;

use crate::error::{Error, Place};
use crate::memory::reserve;

const STEP: usize = 256 << 10;

/// Longest line of a format that has such a limit.
pub(crate) const MAX_FIXED: u64 = 1 << 20;

/// A reader of lines that end in LF, CRLF, or CR alone if the beginning of the file has no LF.
pub(crate) struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
    start: usize,
    done: bool,
    end: u8,
    line: u64,
    longest: u64,
}

impl<R: Read> Lines<R> {
    /// Lines of up to `longest` bytes, without the byte-order mark.
    pub(crate) fn new(reader: R, longest: u64) -> Result<Self, Error> {
        let buffer = Vec::new();
        let mut lines =
            Self { reader, buffer, start: 0, done: false, end: b'\n', line: 0, longest };
        lines.fill()?;
        if lines.buffer.starts_with(b"\xef\xbb\xbf") {
            lines.start = 3;
        }
        if lines.buffer.contains(&b'\r') && !lines.buffer.contains(&b'\n') {
            lines.end = b'\r';
        }
        Ok(lines)
    }

    /// Number of the last line, from 1.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// Longest line accepted.
    pub(crate) fn longest(&self) -> u64 {
        self.longest
    }

    /// The next line without its end.
    pub(crate) fn next(&mut self) -> Result<Option<&[u8]>, Error> {
        let Some(end) = self.find_end()? else {
            return Ok(None);
        };
        let start = self.start;
        self.step_over(end);
        Ok(Some(self.text(start, end)))
    }

    /// The next line that is not to be skipped, with its number.
    pub(crate) fn next_but(
        &mut self,
        skip: impl Fn(&[u8]) -> bool,
    ) -> Result<Option<(u64, &[u8])>, Error> {
        loop {
            let Some(end) = self.find_end()? else { return Ok(None) };
            let start = self.start;
            self.step_over(end);
            if !skip(self.text(start, end)) {
                return Ok(Some((self.line, self.text(start, end))));
            }
        }
    }

    /// Skips the next line if it is to be skipped; says whether it was.
    pub(crate) fn skip_if(&mut self, skip: impl FnOnce(&[u8]) -> bool) -> Result<bool, Error> {
        let Some(end) = self.find_end()? else {
            return Ok(false);
        };
        let found = skip(self.text(self.start, end));
        if found {
            self.step_over(end);
        }
        Ok(found)
    }

    fn text(&self, start: usize, end: usize) -> &[u8] {
        let line = self.buffer.get(start..end).unwrap_or_default();
        line.strip_suffix(b"\r").unwrap_or(line)
    }

    fn step_over(&mut self, end: usize) {
        self.line += 1;
        self.start = (end + 1).min(self.buffer.len());
    }

    /// Where the next line ends in the buffer.
    fn find_end(&mut self) -> Result<Option<usize>, Error> {
        let mut searched = self.start;
        loop {
            let fresh = self.buffer.get(searched..).unwrap_or_default();
            if let Some(at) = memchr::memchr(self.end, fresh) {
                return Ok(Some(searched + at));
            }
            if self.done {
                let end = self.buffer.len();
                return Ok((self.start < end).then_some(end));
            }
            searched = self.buffer.len() - self.start;
            if searched as u64 > self.longest {
                return Err(self.too_long());
            }
            self.fill()?;
        }
    }

    /// Drops what was handed out and reads on.
    fn fill(&mut self) -> Result<(), Error> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let old = self.buffer.len();
        let step = STEP.max(old);
        reserve(&mut self.buffer, step, "a line")?;
        self.reader.by_ref().take(step as u64).read_to_end(&mut self.buffer).map_err(reading)?;
        self.done = self.buffer.len() < old + step;
        Ok(())
    }

    fn too_long(&self) -> Error {
        if self.longest > MAX_FIXED {
            let what = format!("line {}", self.line + 1);
            let needed = u128::from(self.longest) + 1;
            return Error::Resource { what, needed, limit: self.longest };
        }
        let expected = format!("at most {} bytes", self.longest);
        Error::format(Place::Line(self.line + 1), "a longer line", expected)
    }
}

/// An error of the layer below, which may carry one of ours.
pub(crate) fn reading(cause: std::io::Error) -> Error {
    match cause.downcast::<Error>() {
        Ok(error) => error,
        Err(cause) => Error::Io { action: "read", cause },
    }
}
