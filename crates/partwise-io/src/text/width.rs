//! Lines of another width than the table, and what to do about them.

use super::edges::empty_at_end;
use super::layout::{Layout, TOP};
use super::record::Record;
use crate::error::{Error, Place};

impl Layout {
    /// Checks the number of fields of a line.
    pub(super) fn check_width(&self, record: &Record) -> Result<(), Error> {
        let expected = self.width + self.trailing;
        if record.len() == expected && (self.trailing == 0 || empty_at_end(record) >= self.trailing)
        {
            return Ok(());
        }
        let place = Place::Line(record.line);
        let plural = if record.len() == 1 { "" } else { "s" };
        let found = format!("{} field{plural}", record.len());
        let end = match self.trailing {
            0 => "",
            1 => ", the last empty",
            _ => ", the last ones empty",
        };
        let hint = self.width_hint(record, expected);
        let expected = format!("{expected}{end}; check delimiter and quotes{hint}");
        Err(Error::format(place, found, expected))
    }

    /// What to do about a line of another width.
    fn width_hint(&self, record: &Record, expected: usize) -> String {
        let above = record.line.saturating_sub(1);
        let times = |byte: u8| self.begins.iter().filter(|b| **b == byte).count();
        let mark = |byte: u8| byte.is_ascii_punctuation() && !b"\"'-+.,;".contains(&byte);
        match (record.first(), self.begins.first()) {
            ([b'#', ..], _) => "; --comment '#' skips lines that begin so".into(),
            _ if !self.hint.is_empty() => self.hint.into(),
            (_, Some(first)) if above == self.opening && mark(*first) && times(*first) == 1 => {
                let first = char::from(*first);
                format!("; --comment '{first}' skips lines that begin so, as line {above} does")
            }
            _ if above == self.opening => {
                format!("; --skip-lines {above} passes over the lines before this one")
            }
            _ if record.line <= TOP && record.len() > expected => {
                "; --skip-lines passes over lines before the table".into()
            }
            ([byte, ..], _)
                if record.len() < expected && byte.is_ascii_graphic() && times(*byte) < 2 =>
            {
                let byte = char::from(*byte);
                format!(
                    "; if it is no line of the table, --comment '{byte}' skips lines that begin so"
                )
            }
            _ => String::new(),
        }
    }
}
