//! What stands before the table: lines to skip, Excel's `sep=;`, comments; and the delimiter.

use std::io::Read;

use crate::error::Error;
use crate::lines::Lines;
use crate::read::ReadOptions;

use super::record::{begins, is_blank};

/// Lines that begin so are comments where they stand before the table.
const COMMENT: u8 = b'#';

/// What was found before the table.
#[derive(Debug, Default)]
pub(super) struct Preamble {
    pub(super) delimiter: u8,
    /// Comment lines that were passed over.
    pub(super) comments: u64,
    /// The last comment line and its number, without the mark: it may name the columns.
    pub(super) heading: Option<(u64, Vec<u8>)>,
}

impl Preamble {
    /// Reads up to the first line of the table, which stays unread.
    pub(super) fn read<R: Read>(
        lines: &mut Lines<R>,
        options: &ReadOptions,
    ) -> Result<Self, Error> {
        for _ in 0..options.skip_lines {
            if lines.next()?.is_none() {
                break;
            }
        }
        let mark = options.comment.unwrap_or(COMMENT);
        let mut found = Self::default();
        let mut separator = None;
        loop {
            while lines.skip_if(is_blank)? {}
            let number = lines.line() + 1;
            let mut seen = None;
            let passed = lines.skip_if(|line| {
                seen = separator_line(line).map(Seen::Separator);
                if seen.is_none() && begins(line, mark) && !is_code(line) {
                    seen = Some(Seen::Comment(without_mark(line, mark)));
                }
                seen.is_some()
            })?;
            match seen.filter(|_| passed) {
                None => break,
                Some(Seen::Separator(byte)) => separator = Some(byte),
                Some(Seen::Comment(text)) => {
                    found.comments += 1;
                    found.heading = Some((number, text));
                }
            }
        }
        let mut guessed = b',';
        lines.skip_if(|line| {
            guessed = find_delimiter(line, options.decimal);
            false
        })?;
        found.delimiter = options.delimiter.or(separator).unwrap_or(guessed);
        Ok(found)
    }
}

enum Seen {
    Separator(u8),
    Comment(Vec<u8>),
}

/// The delimiter of a line `sep=;`, which Excel writes and reads.
fn separator_line(line: &[u8]) -> Option<u8> {
    let text = line.trim_ascii_start();
    let text = text.strip_prefix(b"\"").unwrap_or(text);
    let (head, tail) = text.split_at_checked(4)?;
    match tail {
        [byte] | [byte, b'"' | b' ' | b'\r'] if head.eq_ignore_ascii_case(b"sep=") => Some(*byte),
        _ => None,
    }
}

/// Whether a line begins with a spreadsheet's mark of a missing value rather than with a comment.
fn is_code(line: &[u8]) -> bool {
    let text = line.trim_ascii_start();
    text.get(..4).is_some_and(|head| head.eq_ignore_ascii_case(b"#n/a"))
}

fn without_mark(line: &[u8], mark: u8) -> Vec<u8> {
    let text = line.trim_ascii_start();
    text.strip_prefix(&[mark]).unwrap_or(text).to_vec()
}

/// The first of tab, semicolon, comma, space, bar, `::` that stands outside quotes.
fn find_delimiter(line: &[u8], decimal: Option<u8>) -> u8 {
    const CHOICES: [u8; 6] = [b'\t', b';', b',', b' ', b'|', b':'];
    let mut quoted = false;
    let mut found = [false; CHOICES.len()];
    let mut before = 0;
    for byte in line.trim_ascii_end() {
        quoted ^= *byte == b'"';
        if !quoted && Some(*byte) != decimal && (*byte != b':' || before == b':') {
            for (found, choice) in found.iter_mut().zip(CHOICES) {
                *found |= *byte == choice;
            }
        }
        before = *byte;
    }
    // A title may end in tabs only.
    if decimal != Some(b'\t') && line.ends_with(b"\t\t") {
        return b'\t';
    }
    let alone = line.iter().all(|b| b.is_ascii_digit() || b"+-, ".contains(b));
    let rest = if decimal == Some(b',') && alone { b'\t' } else { b',' };
    found.iter().zip(CHOICES).find(|(found, _)| **found).map_or(rest, |(_, choice)| choice)
}
