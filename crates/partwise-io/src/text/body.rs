//! The lines of data.

use crate::error::{Error, Place, quoted};
use crate::memory::Budget;
use crate::names;
use crate::notice::Notice;
use crate::parse;
use crate::read::ReadOptions;
use crate::table::Table;

use super::gather::Gather;
use super::layout::Layout;
use super::record::Record;
use super::style::without_percent;
use super::suspect;
use super::words::{is_date, is_label};

/// What has been read below the header.
pub(super) struct Body<'a> {
    layout: &'a Layout,
    gather: Gather,
    names: Vec<String>,
    underflow: Option<Notice>,
    missing_as_nan: bool,
    /// Whether numbers are written plainly and none stands for a missing value.
    plain: bool,
    /// Missing values that were refused: the first, and how many.
    missing: Option<(Place, String, u64)>,
}

impl<'a> Body<'a> {
    pub(super) fn new(layout: &'a Layout, options: &ReadOptions, budget: Budget) -> Self {
        Self {
            layout,
            gather: Gather::new(layout.cols, options.sparse, budget),
            names: Vec::new(),
            underflow: None,
            missing_as_nan: options.missing_as_nan,
            plain: layout.style.is_plain() && options.na.is_empty(),
            missing: None,
        }
    }

    /// Adds a line of data.
    pub(super) fn push(&mut self, record: &Record) -> Result<(), Error> {
        let layout = self.layout;
        layout.check_width(record)?;
        self.gather.begin()?;
        if let Some(at) = layout.names_at {
            self.names.push(super::name(record.field(at), record.line, at)?);
        }
        if layout.picked.is_none() && layout.names_at.is_none_or(|at| at == 0) {
            let skip = usize::from(layout.names_at.is_some());
            for (index, field) in record.between(skip, layout.width) {
                // Most fields are numbers other than 0 and need no more looks.
                let value = match parse::number(field) {
                    Ok(value) if value != 0.0 && self.plain => value,
                    _ => self.value(field, record.line, index)?,
                };
                self.gather.push(value);
            }
        } else {
            for index in (0..layout.width).filter(|at| Some(*at) != layout.names_at) {
                if layout.picked.as_ref().is_none_or(|picked| picked.binary_search(&index).is_ok())
                {
                    let value = self.value(record.field(index), record.line, index)?;
                    self.gather.push(value);
                }
            }
        }
        self.gather.end()
    }

    #[inline(never)]
    fn value(&mut self, field: &[u8], line: u64, index: usize) -> Result<f64, Error> {
        let at = index as u64 + 1;
        match self.layout.style.number(field) {
            Ok(value) if self.layout.style.is_code(value) => Ok(self.missing(field, line, at)),
            Ok(value) => {
                if value == 0.0 && parse::underflows(field) {
                    Notice::count_underflow(&mut self.underflow, line, at);
                }
                Ok(value)
            }
            Err(_) if self.layout.style.is_missing(field) => Ok(self.missing(field, line, at)),
            Err(complaint) => self.odd_value(field, line, index, complaint),
        }
    }

    fn missing(&mut self, field: &[u8], line: u64, at: u64) -> f64 {
        if self.missing_as_nan {
            return f64::NAN;
        }
        let place = Place::Field { line, field: at };
        self.missing.get_or_insert_with(|| (place, quoted(field), 0)).2 += 1;
        0.0
    }

    /// A field in percent, or the error that says why it is no number and what to do.
    #[cold]
    fn odd_value(
        &self,
        field: &[u8],
        line: u64,
        index: usize,
        complaint: &'static str,
    ) -> Result<f64, Error> {
        let layout = self.layout;
        if field.ends_with(b"%")
            && layout.is_percent(index)
            && let Ok(value) = layout.style.number(without_percent(field))
        {
            return Ok(value);
        }
        let heading = layout.heading(index).unwrap_or_default();
        let mut found = quoted(field);
        if !heading.is_empty() {
            found = format!("{found} in column {}", quoted(heading.as_bytes()));
        }
        let opens = layout.header.is_none() && line == layout.opening;
        let general = [parse::PLAIN, parse::SPACES, parse::ASCII].contains(&complaint);
        let expected = if opens && field.iter().any(u8::is_ascii_alphabetic) && index > 0 {
            "a number; --header yes takes the line as column names, --drop-columns leaves columns of \
             text out"
        } else {
            let cured = marked(field).or_else(|| general.then(|| cure(field, index, layout)));
            cured.unwrap_or(complaint)
        };
        Err(Error::Data { place: Place::Field { line, field: index as u64 + 1 }, found, expected })
    }

    pub(super) fn finish(self) -> Result<Table, Error> {
        let layout = self.layout;
        let in_first = |line: &u64| layout.header.is_none() && *line == layout.opening;
        if let Some((place, found, _)) = self.missing.as_ref().filter(|(place, ..)| {
            let maybe =
                |n: &Notice| matches!(n, Notice::MaybeHeader { .. } | Notice::MaybeFrame { .. });
            matches!(place, Place::Field { line, .. } if in_first(line))
                && layout.notices.iter().any(maybe)
        }) {
            let expected = "a number; --header yes takes the line as column names, with \
                            --row-names yes where column 1 holds names";
            return Err(Error::Data { place: place.clone(), found: found.clone(), expected });
        }
        if let Some((place, found, count)) = self.missing {
            return Err(Error::Missing { place, found, count });
        }
        if self.gather.rows() == 0 || layout.cols == 0 {
            let (rows, cols) = (self.gather.rows() as u64, layout.cols as u64);
            return Err(Error::Empty { rows, cols });
        }
        let mut table = self.gather.into_table()?;
        let news = std::mem::take(&mut table.notices);
        table.notices.clone_from(&layout.notices);
        if layout.header.is_some() {
            let fields = (0..layout.width).filter(|at| Some(*at) != layout.names_at);
            let read = |at: &usize| {
                layout.picked.as_ref().is_none_or(|picked| picked.binary_search(at).is_ok())
            };
            let headings: Result<Vec<_>, _> =
                fields.filter(read).map(|at| layout.heading(at)).collect();
            table.col_names = Some(headings?);
        }
        table.row_names = layout.names_at.is_some().then_some(self.names);
        if layout.ids
            && let Some((count, first)) = names::repeated(table.row_names.as_deref())
        {
            table.notices.push(Notice::IdsRepeat { count, first });
        }
        if let Some(notice) = suspect::suspect(&table) {
            table
                .notices
                .retain(|other| !matches!(other, Notice::MaybeNames { .. } | Notice::MaybeIds));
            table.notices.push(notice);
        }
        table.notices.extend(news);
        table.notices.extend(self.underflow);
        Ok(table)
    }
}

/// What to do about fields that common programs write beside numbers.
fn marked(field: &[u8]) -> Option<&'static str> {
    const MARKS: [&str; 18] = [
        "--",
        "---",
        "*",
        "**",
        "***",
        "-nan",
        "+nan",
        "-nan(ind)",
        "1.#qnan",
        "#div/0!",
        "#value!",
        "#ref!",
        "bdl",
        "bql",
        "nd",
        "n.d.",
        "lod",
        "missing",
    ];
    let text = String::from_utf8_lossy(field.trim_ascii()).to_lowercase();
    let spaces = [' ', '\u{a0}', '\u{202f}', '\u{2009}'];
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let grouped = |parts: &[&str]| {
        parts.len() > 1
            && parts.first().is_some_and(|first| first.len() < 4 && digits(first))
            && parts.iter().skip(1).all(|part| {
                let whole = part.split(['.', ',']).next().unwrap_or_default();
                whole.len() == 3 && digits(whole)
            })
    };
    let parts = |marks: &[char]| text.split(marks).collect::<Vec<_>>();
    let begins = text.starts_with(|c: char| "<>≤≥~".contains(c));
    let money = |c: char| "$€£¥".contains(c);
    let bare = text.trim_matches(money).trim_matches(&spaces[..]);
    let numeric = |text: &str| {
        text.contains(|c: char| c.is_ascii_digit())
            && text.bytes().all(|b| b.is_ascii_digit() || b".,+-".contains(&b))
    };
    let points = text.matches('.').count();
    match text.as_str() {
        _ if MARKS.contains(&text.as_str()) => Some(
            "a number; --na names such marks of missing values, and --missing nan takes them as \
             missing",
        ),
        _ if begins && numeric(text.trim_start_matches(|c: char| "<>≤≥~= ".contains(c))) => {
            Some(
                "a number, not a limit: put in what should stand for it, such as half of the limit; or \
             --na names the mark and --missing nan takes it as missing",
            )
        }
        _ if text.contains(money) && numeric(bare) => {
            Some("a number without a sign of a currency; remove the sign")
        }
        _ if grouped(&parts(&spaces)) || grouped(&parts(&['\'', '’'])) => Some(
            "a number without spaces or apostrophes between groups of three digits; remove them",
        ),
        _ if points > 1 && grouped(&parts(&['.'])) => Some(
            "a number with one decimal point; --decimal , reads points between groups of three digits",
        ),
        _ => None,
    }
}

/// What should stand in place of a field that is no number, and what to do.
fn cure(field: &[u8], index: usize, layout: &Layout) -> &'static str {
    let style = &layout.style;
    let text = field.trim_ascii();
    let commas = layout.delimiter == b',' || text.contains(&b',');
    match text {
        [b'#', ..] if index == 0 => "a number; --comment '#' skips lines that begin so",
        _ if style.is_number(without_percent(text)) => {
            "a number without percent sign; a column is read in percent where every field has the \
             sign, and --drop-columns leaves it out"
        }
        _ if is_date(text) => {
            "a number; a first column of dates becomes row names (--row-names yes), \
             --drop-columns leaves one out"
        }
        _ if commas
            && text.contains(&b' ')
            && text.iter().all(|b| b.is_ascii_digit() || b" ,.-+".contains(b)) =>
        {
            "one number without spaces inside; --delimiter space --decimal , reads decimal commas \
             between spaces"
        }
        _ if text.contains(&b' ') && !is_label(text, style) => parse::SPACES,
        _ if is_pair(text) => {
            "a number; pairs INDEX:VALUE (LIBSVM, SVMlight) are not read: save Matrix Market or .npz"
        }
        _ if index == 0 => {
            "a number; --row-names yes takes column 1 as names, --drop-columns 1 leaves it out"
        }
        _ if is_label(text, style) && is_second(index, layout) => {
            "a number; --triples reads lines of a row, a column and a value, --drop-columns leaves \
             columns of text out"
        }
        _ if is_label(text, style) => {
            "a number; --drop-columns leaves columns of text out, --columns names those to read, \
             --na names marks of missing values"
        }
        _ => parse::PLAIN,
    }
}

/// Whether a field stands beside row names where triples have the name of a column.
fn is_second(index: usize, layout: &Layout) -> bool {
    index == 1 && layout.names_at == Some(0) && matches!(layout.width, 3 | 4)
}

/// Digits, a colon, a number.
fn is_pair(text: &[u8]) -> bool {
    let mut parts = text.splitn(2, |b| *b == b':');
    let (index, value) = (parts.next().unwrap_or_default(), parts.next());
    parse::unsigned(index).is_some() && value.is_some_and(|value| parse::number(value).is_ok())
}
