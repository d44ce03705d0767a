//! Delimited text: CSV, TSV, semicolons or spaces, with or without header and row names.
//!
//! Rules, the same for every file: spaces around a field are dropped; blank lines are skipped, and so
//! are lines before the table that begin with `#`; quotes enclose delimiters, quotes (doubled) and line
//! ends; every line has as many fields as the first; a delimiter at the end of every line of data is
//! dropped; what header and first column are is decided from the first lines.

mod axis;
mod body;
mod doubts;
mod edges;
mod gather;
mod header;
mod known;
mod layout;
mod names;
mod preamble;
mod record;
mod style;
mod suspect;
mod triples;
mod units;
mod width;
mod words;

use std::io::Read;

use crate::error::{Error, Place, quoted};
use crate::lines::{Lines, MAX_FIXED};
use crate::memory::Budget;
use crate::notice::Notice;
use crate::read::ReadOptions;
use crate::table::Table;

use body::Body;
use layout::{Evidence, Layout};
use preamble::Preamble;
use record::{Record, Records};
pub(crate) use words::means_id;

/// Lines that the layout is decided from …
const SAMPLE: usize = 300;
/// … or as many as have this many bytes, but three at least.
const SAMPLE_BYTES: usize = 1 << 20;

/// Reads a matrix of doubles.
pub(crate) fn read_table<R: Read>(
    reader: R,
    options: &ReadOptions,
    budget: Budget,
) -> Result<Table, Error> {
    // A line is held as it is, and cut: together about four times its length.
    let longest = (budget.limit() / 4).clamp(MAX_FIXED + 1, u64::from(u32::MAX));
    let mut lines = Lines::new(reader, longest)?;
    let preamble = Preamble::read(&mut lines, options)?;
    let delimiter = preamble.delimiter;
    let mut records = Records::new(lines, delimiter, options.comment);
    let mut sample = sample(&mut records)?;
    let mut after = 0;
    if let Some(end) = sample.pop_if(|record| is_end_mark(record)) {
        after = end.bytes() as u64;
    }
    check_decimal(&sample, delimiter, options)?;
    if sample.is_empty() && preamble.comments > 0 {
        let found = "only lines that begin with a comment mark";
        return Err(Error::format(Place::File, found, "a table; --comment names another mark"));
    }
    if options.triples {
        return triples::read_table(sample, records, options, budget);
    }
    let heading = preamble.heading.map(|(line, text)| Record::of(line, &text, delimiter));
    let layout = Layout::find(&mut sample, Evidence { options, delimiter, heading })?;
    let doubt = doubts::grouped(&sample, &layout, options);
    let mut body = Body::new(&layout, options, budget);
    for record in sample.drain(..) {
        body.push(&record)?;
    }
    let mut record = Record::default();
    while records.read(&mut record)? {
        if is_end_mark(&record) {
            after += record.bytes() as u64;
        } else if after > 0 {
            let expected = "the end of the file after a mark of it (Ctrl-Z or NUL)";
            return Err(Error::format(Place::Line(record.line), quoted(record.first()), expected));
        } else {
            body.push(&record)?;
        }
    }
    let mut table = body.finish()?;
    table.notices.extend(doubt);
    if after > 0 {
        table.notices.push(Notice::TrailingBytes { count: after });
    }
    // One may be the header.
    let header = |notice: &Notice| {
        matches!(notice, Notice::Taken { header: Some((_, layout::COMMENT)), .. })
    };
    let count = preamble.comments - u64::from(table.notices.iter().any(header));
    if count > 0 {
        table.notices.insert(0, Notice::Comments { count });
    }
    Ok(table)
}

/// Whether a line holds only what old programs put behind the text: Ctrl-Z or NUL.
fn is_end_mark(record: &Record) -> bool {
    record.len() == 1
        && matches!(record.first(), [0x1a | 0, rest @ ..] if rest.iter().all(|b| matches!(b, 0x1a | 0)))
}

/// Refuses a decimal sign that parts the fields too, unless numbers stand in quotes.
fn check_decimal(sample: &[Record], delimiter: u8, options: &ReadOptions) -> Result<(), Error> {
    let quoted = |record: &Record| {
        let fields = record.fields().enumerate();
        fields.into_iter().any(|(at, field)| record.is_quoted(at) && field.contains(&delimiter))
    };
    if options.decimal != Some(delimiter) || sample.iter().any(quoted) {
        return Ok(());
    }
    let found = format!("'{}' parts the fields of a line too", char::from(delimiter));
    let expected = "another --delimiter, or numbers in quotes".into();
    Err(Error::Option { option: "--decimal", found, expected })
}

/// The first records.
fn sample<R: Read>(records: &mut Records<R>) -> Result<Vec<Record>, Error> {
    let (mut sample, mut bytes) = (Vec::new(), 0);
    while sample.len() < SAMPLE && (bytes < SAMPLE_BYTES || sample.len() < 3) {
        let mut record = Record::default();
        if !records.read(&mut record)? {
            break;
        }
        bytes += record.bytes();
        sample.push(record);
    }
    Ok(sample)
}

/// A field as a name.
fn name(field: &[u8], line: u64, index: usize) -> Result<String, Error> {
    match std::str::from_utf8(field) {
        Ok(text) if !text.contains('\0') => Ok(text.to_string()),
        _ => {
            let place = Place::Field { line, field: index as u64 + 1 };
            let expected = "a name in UTF-8; save the file in that encoding, or convert it: \
                            iconv -f latin1 -t utf-8 FILE";
            Err(Error::format(place, quoted(field), expected))
        }
    }
}
