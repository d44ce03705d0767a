//! Names of rows and columns: from a file of their own, and whether they repeat.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use crate::error::{Error, Place, quoted};
use crate::lines::{Lines, MAX_FIXED};
use crate::memory::Budget;
use crate::notice::Notice;
use crate::{format, gz, kinds, npy, text};

/// How many names repeat an earlier one, and the first that does.
pub(crate) fn repeated(names: Option<&[String]>) -> Option<(u64, String)> {
    let mut seen = HashSet::new();
    let mut again = names?.iter().filter(|name| !seen.insert(name.as_str()));
    let first = again.next()?.clone();
    Some((1 + again.count() as u64, first))
}

/// Reads `count` names, one a line; of several columns the first counts. The file may be gzipped, or
/// an npy file of text. One line more than names is a heading if it means an id.
pub(crate) fn read(
    path: &Path,
    axis: &'static str,
    count: usize,
    budget: Budget,
) -> Result<(Vec<String>, Option<Notice>), Error> {
    let file = path.to_string_lossy();
    let mut names = all(path, budget).map_err(|error| error.at(&file))?;
    let heading = names.len() == count + 1 && names.first().is_some_and(|name| is_heading(name));
    let notice = heading.then(|| Notice::NamesHeading { axis, heading: names.remove(0) });
    if names.len() == count {
        return Ok((names, notice));
    }
    let error = Error::Names { axis, found: names.len() as u64, expected: count as u64 };
    Err(error.at(&file))
}

/// Whether a line stands over names rather than among them; 0 and x are what pandas and R put there.
fn is_heading(name: &str) -> bool {
    matches!(name, "" | "0" | "x") || text::means_id(name.as_bytes())
}

fn all(path: &Path, budget: Budget) -> Result<Vec<String>, Error> {
    let mut file = File::open(path).map_err(Error::io("open"))?;
    let about = file.metadata().map_err(Error::io("inspect"))?;
    let name = path.to_string_lossy().to_lowercase();
    let by_comma = name.trim_end_matches(".gz").ends_with(".csv");
    let mut head = Vec::new();
    file.by_ref().take(format::HEAD as u64).read_to_end(&mut head).map_err(Error::io("read"))?;
    if head.starts_with(b"\x93NUMPY") {
        let mut reader = Cursor::new(head).chain(file);
        let header = npy::Header::read(&mut reader)?;
        return npy::read_names(&mut reader, header, about.len(), budget);
    }
    if head.starts_with(b"\x1f\x8b") {
        return lines(gz::decode(Cursor::new(head).chain(file), budget), by_comma, budget);
    }
    kinds::refuse(&head, &name)?;
    lines(Cursor::new(head).chain(file), by_comma, budget)
}

fn lines(reader: impl Read, by_comma: bool, budget: Budget) -> Result<Vec<String>, Error> {
    let mut lines = Lines::new(reader, MAX_FIXED)?;
    let (mut names, mut bytes) = (Vec::new(), 0u128);
    loop {
        let line = lines.line() + 1;
        let Some(text) = lines.next()? else { break };
        let name = first_field(text, by_comma);
        let Ok(name) = std::str::from_utf8(name) else {
            let expected = "a name in UTF-8: iconv -f latin1 -t utf-8 FILE";
            return Err(Error::format(Place::Line(line), quoted(name), expected));
        };
        bytes += name.len() as u128 + 24;
        budget.check(|| "the names".into(), bytes)?;
        names.push(name.to_owned());
    }
    // A file may end in blank lines.
    while names.last().is_some_and(String::is_empty) {
        names.pop();
    }
    Ok(names)
}

/// The first column of a line: up to a tab, or in a CSV up to a comma; or the inside of quotes.
fn first_field(line: &[u8], by_comma: bool) -> &[u8] {
    let line = line.split(|b| *b == b'\t').next().unwrap_or_default().trim_ascii();
    if let Some(rest) = line.strip_prefix(b"\"") {
        return rest.split(|b| *b == b'"').next().unwrap_or_default();
    }
    line.split(|b| by_comma && *b == b',').next().unwrap_or_default().trim_ascii()
}
