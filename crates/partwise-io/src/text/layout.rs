//! Which line is the header, which column the row names, which columns are read, how wide a line
//! must be.

use crate::error::{Error, Place, quoted};
use crate::notice::Notice;
use crate::read::{ReadOptions, Switch};

use super::axis::is_ordered;
use super::edges::{empty_at_end, ends, is_title, trails};
use super::header::{ENDS, FirstLine, Head};
use super::names::{self, FirstColumn};
use super::record::Record;
use super::style::{Style, without_percent};
use super::words::means_id;
use super::{known, suspect, units};

const FRAME: &str = "it is an axis below text, beside an axis of numbers";
pub(super) const COMMENT: &str = "a comment as wide as the data";

/// Lines among which there may be some that do not belong to the table.
pub(super) const TOP: u64 = 30;

/// The layout of a text file.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) header: Option<Record>,
    /// Fields that the header is short of.
    offset: usize,
    /// The column of row names.
    pub(super) names_at: Option<usize>,
    /// Whether the row names are whole numbers under a heading that means an id.
    pub(super) ids: bool,
    /// Fields in a line of data, with the row name and without the dropped last one.
    pub(super) width: usize,
    /// The columns to read, where they are not all beside the row names.
    pub(super) picked: Option<Vec<usize>>,
    /// Columns of the matrix.
    pub(super) cols: usize,
    /// Empty fields that are dropped at the end of each line.
    pub(super) trailing: usize,
    /// The first line of the table.
    pub(super) opening: u64,
    /// First bytes of the lines of the table.
    pub(super) begins: Vec<u8>,
    pub(super) delimiter: u8,
    pub(super) hint: &'static str,
    pub(super) style: Style,
    /// Columns in percent; empty if there are none.
    percent: Vec<bool>,
    pub(super) notices: Vec<Notice>,
}

/// What there is to decide from.
pub(super) struct Evidence<'a> {
    pub(super) options: &'a ReadOptions,
    pub(super) delimiter: u8,
    /// The last comment line before the table.
    pub(super) heading: Option<Record>,
}

impl Layout {
    /// Decides from the first lines, and leaves those of data in `sample`.
    pub(super) fn find(sample: &mut Vec<Record>, evidence: Evidence<'_>) -> Result<Self, Error> {
        let Evidence { options, delimiter, heading } = evidence;
        let style = Style::find(sample, delimiter, options);
        let mut notices = Vec::new();
        if options.header == Switch::Auto
            && options.known_columns.is_none()
            && is_title(sample, &style, delimiter)
        {
            notices.push(Notice::Title { line: sample.remove(0).line });
        }
        let opening = sample.first().map_or(1, |record| record.line);
        let begins = sample.iter().filter_map(|r| r.first().first().copied()).collect();
        let mut taken = None;
        let mut likely = false;
        let header = match heading.filter(|h| fits(h, sample, &style, options)) {
            Some(heading) => {
                taken = Some((heading.line, COMMENT));
                Some(heading)
            }
            None => {
                let by_names = sample.first().zip(options.known_columns.as_deref());
                let verdict = by_names
                    .and_then(|(first, names)| known::first_line(first, names))
                    .unwrap_or_else(|| first_line(sample, &style, delimiter));
                match (options.header, verdict) {
                    (Switch::No, _) | (Switch::Auto, FirstLine::Data) => None,
                    (Switch::Auto, FirstLine::Doubtful) => {
                        let line = sample.first().map_or(1, |record| record.line);
                        notices.push(Notice::MaybeHeader { line });
                        None
                    }
                    (Switch::Auto, FirstLine::Frame) => {
                        let line = sample.first().map_or(1, |record| record.line);
                        notices.push(Notice::MaybeFrame { line });
                        None
                    }
                    (Switch::Auto, FirstLine::Header(rule)) => {
                        taken = sample.first().map(|record| (record.line, rule));
                        Some(sample.remove(0))
                    }
                    (Switch::Auto, FirstLine::Likely(rule)) => {
                        likely = true;
                        taken = sample.first().map(|record| (record.line, rule));
                        Some(sample.remove(0))
                    }
                    (Switch::Yes, _) => (!sample.is_empty()).then(|| sample.remove(0)),
                }
            }
        };
        let mut layout = Self::of(header, style, sample, delimiter);
        (layout.opening, layout.begins) = (opening, begins);
        layout.notices.append(&mut notices);
        if layout.header.is_some() {
            layout.leave_out_units(sample)?;
        }
        let rule = layout.find_names(sample, delimiter, options)?;
        likely |= rule == Some(FRAME);
        layout.doubt_first_row(sample, options);
        if taken.is_some() || rule.is_some() {
            let row_names = rule.zip(layout.names_at).map(|(rule, at)| (at as u64 + 1, rule));
            layout.notices.push(Notice::Taken { header: taken, row_names, likely });
        }
        layout.pick(options)?;
        layout.find_percent(sample);
        layout.notices.extend(layout.style.shown().map(|what| Notice::NumberStyle { what }));
        Ok(layout)
    }

    /// The widths of header and data.
    fn of(header: Option<Record>, style: Style, data: &[Record], delimiter: u8) -> Self {
        let by_space = delimiter == b' ';
        let first = data.first().map_or(0, Record::len);
        let below = if by_space { 0 } else { trails(data) };
        let above = header.as_ref().filter(|_| !by_space).map_or(0, empty_at_end);
        let named = header.as_ref().map(Record::len);
        let (dropped, trailing) = match named {
            None => (0, below),
            Some(named) => ends(named, above, first, below),
        };
        let width = first - trailing;
        let header_width = named.map(|named| named - dropped);
        let notices =
            if trailing + dropped > 0 { vec![Notice::TrailingDelimiter] } else { Vec::new() };
        Self {
            header,
            offset: usize::from(header_width.is_some_and(|named| named + 1 == width)),
            names_at: None,
            ids: false,
            width: if data.is_empty() { header_width.unwrap_or(0) } else { width },
            picked: None,
            cols: header_width.unwrap_or(width),
            trailing,
            opening: 1,
            begins: Vec::new(),
            delimiter,
            hint: "",
            style,
            percent: Vec::new(),
            notices,
        }
    }

    /// Decides on row names; says by which rule.
    fn find_names(
        &mut self,
        data: &[Record],
        delimiter: u8,
        options: &ReadOptions,
    ) -> Result<Option<&'static str>, Error> {
        // A header that is not one field short names all fields, and so sets the width itself.
        let header_width = if self.header.is_some() { self.cols } else { self.width };
        let short = self.offset > 0;
        if short && options.row_names == Switch::Auto && !self.may_be_short(data, delimiter) {
            self.hint = "; with decimal commas, save it with another delimiter and give \
                         --decimal ,; --row-names yes takes column 1 as names without a heading";
        } else if short && options.row_names != Switch::No {
            self.names_at = Some(0);
            self.cols = header_width;
            let auto = options.row_names == Switch::Auto;
            return Ok(auto.then_some(names::SHORT_HEADER));
        }
        (self.width, self.offset) = (header_width, 0);
        if options.row_names == Switch::No || header_width < 2 || data.is_empty() {
            if options.row_names == Switch::Yes && header_width > 0 {
                self.names_at = Some(0);
            }
            return Ok(None);
        }
        let candidates = self.candidates(options)?;
        if options.row_names == Switch::Yes {
            self.names_at = candidates.first().copied();
            return Ok(None);
        }
        for at in candidates {
            let heading = self.header.as_ref().map(|header| header.field(at));
            match names::verdict(heading, data, at, &self.style) {
                // Ids of a line of triples are not those of a row.
                FirstColumn::Names(names::ID) if self.names_triples()? => {}
                FirstColumn::Names(rule) => {
                    (self.names_at, self.ids) = (Some(at), rule == names::ID);
                    return Ok(Some(rule));
                }
                FirstColumn::Counts | FirstColumn::Data if self.is_framed(data, at) => {
                    self.names_at = Some(at);
                    return Ok(Some(FRAME));
                }
                FirstColumn::Repeats => {
                    let name = String::from_utf8_lossy(heading.unwrap_or_default()).into_owned();
                    self.notices.push(Notice::MaybeNames { column: at as u64 + 1, name });
                }
                FirstColumn::Counts => self.notices.push(Notice::MaybeIds),
                FirstColumn::Data => {}
            }
        }
        Ok(None)
    }

    /// Whether the header is an axis of numbers, and the first column below its text another.
    fn is_framed(&self, data: &[Record], at: usize) -> bool {
        let Some(header) = self.header.as_ref().filter(|_| at == 0 && data.len() > 2) else {
            return false;
        };
        let number = |field: &[u8]| self.style.number(field).unwrap_or(f64::NAN);
        let top: Vec<f64> = header.fields().take(self.width).skip(1).map(number).collect();
        let left: Vec<f64> = data.iter().map(|record| number(record.first())).collect();
        let ordered = |line: &[f64]| line.len() > 1 && is_ordered(line, |a, b| a < b);
        !self.style.is_number(header.first()) && ordered(&top) && ordered(&left)
    }

    /// Says what is odd about the first line below the header, where it may be a second header, or
    /// where its last field may be a value that is missing.
    fn doubt_first_row(&mut self, data: &[Record], options: &ReadOptions) {
        let Some((header, first)) = self.header.as_ref().zip(data.first()) else { return };
        let others_named = data.iter().skip(1).any(|record| !record.first().is_empty());
        if self.names_at == Some(0) && first.first().is_empty() && others_named {
            self.notices.push(Notice::EmptyName { line: first.line });
        }
        let corner = header.first();
        let shifted = self.trailing == 1 && header.len() + 1 == first.len();
        let heads = corner.is_empty() || means_id(corner) || options.row_names != Switch::Auto;
        if self.names_at == Some(0) && shifted && !heads {
            let name = String::from_utf8_lossy(corner).into_owned();
            self.notices.push(Notice::MaybeShifted { line: header.line, name });
        }
    }

    /// Whether a header that is one field short may stand over a column of names, and the line below
    /// is not rather one field long.
    fn may_be_short(&self, data: &[Record], delimiter: u8) -> bool {
        let Some(header) = &self.header else { return true };
        let quoted = header.is_quoted(0) || data.iter().all(|record| record.is_quoted(0));
        let labels = data.iter().all(|record| !self.style.is_number(record.first()));
        let numbers = header.fields().all(|field| self.style.is_number(field));
        !means_id(header.first()) && (labels || quoted || numbers || delimiter != b',')
    }

    /// Columns that may hold the row names: the first that is not left out, the first that is read.
    fn candidates(&self, options: &ReadOptions) -> Result<Vec<usize>, Error> {
        if options.columns.is_all() {
            return Ok(vec![0]);
        }
        let headings = self.headings()?;
        let all = crate::Columns { keep: Vec::new(), drop: options.columns.drop.clone() };
        let left = all.select(self.width, headings.as_deref())?;
        let read = options.columns.select(self.width, headings.as_deref())?;
        let first = |kept: &[bool]| kept.iter().position(|kept| *kept);
        let mut candidates: Vec<usize> =
            [first(&left), first(&read)].into_iter().flatten().collect();
        candidates.dedup();
        Ok(candidates)
    }

    /// The headings of all fields of a line.
    fn headings(&self) -> Result<Option<Vec<String>>, Error> {
        let fields = (0..self.width).map(|at| self.heading(at));
        if self.header.is_none() { Ok(None) } else { fields.collect::<Result<_, _>>().map(Some) }
    }

    /// Whether the headings are those of a row, a column and a value.
    fn names_triples(&self) -> Result<bool, Error> {
        let headings = self.headings()?.unwrap_or_default();
        Ok(matches!(self.width, 3 | 4) && suspect::named(&headings))
    }

    /// The heading of a field.
    pub(super) fn heading(&self, at: usize) -> Result<String, Error> {
        let Some((header, index)) = self.header.as_ref().zip(at.checked_sub(self.offset)) else {
            return Ok(String::new());
        };
        super::name(header.field(index), header.line, index)
    }

    /// Takes the columns that the options ask for.
    fn pick(&mut self, options: &ReadOptions) -> Result<(), Error> {
        let names = usize::from(self.names_at.is_some());
        if options.columns.is_all() {
            self.cols = self.width.saturating_sub(names);
            return Ok(());
        }
        let kept = options.columns.select(self.width, self.headings()?.as_deref())?;
        let fields =
            kept.iter().enumerate().filter(|(at, kept)| **kept && Some(*at) != self.names_at);
        let fields: Vec<usize> = fields.map(|(at, _)| at).collect();
        self.cols = fields.len();
        self.picked = Some(fields);
        Ok(())
    }

    /// Leaves out a line of units under the header.
    fn leave_out_units(&mut self, data: &mut Vec<Record>) -> Result<(), Error> {
        if !units::are_first(data, &self.style) {
            return Ok(());
        }
        let record = data.remove(0);
        let line = record.line;
        let mut seen = std::collections::HashSet::new();
        let header = self.header.as_ref();
        let blank = units::is_blank(&record, &self.style);
        let header = header.filter(|_| !blank);
        let twice = header.and_then(|h| h.fields().find(|f| !f.is_empty() && !seen.insert(*f)));
        if let Some(name) = twice {
            let found =
                format!("a second line of text below a header that repeats {}", quoted(name));
            let expected = "one header; --skip-lines 1 leaves the first line out";
            return Err(Error::format(Place::Line(line), found, expected));
        }
        self.notices.push(Notice::Units { line });
        Ok(())
    }

    /// Finds the columns of which every field has a percent sign.
    fn find_percent(&mut self, data: &[Record]) {
        let signed = |field: &[u8]| field.trim_ascii().last() == Some(&b'%');
        if !data.iter().flat_map(Record::fields).any(signed) {
            return;
        }
        let in_percent = |at: usize| {
            let fields = || data.iter().map(|r| r.field(at)).filter(|f| !self.style.is_missing(f));
            let number = |field: &[u8]| self.style.is_number(without_percent(field.trim_ascii()));
            fields().next().is_some() && fields().all(|f| signed(f) && number(f))
        };
        let percent: Vec<bool> = (0..self.width).map(in_percent).collect();
        let count = percent.iter().filter(|p| **p).count() as u64;
        if let Some(first) = percent.iter().position(|p| *p) {
            let first = first as u64 + 1;
            self.notices.push(Notice::Percent { count, first });
            self.percent = percent;
        }
    }

    /// Whether a column is in percent.
    pub(super) fn is_percent(&self, at: usize) -> bool {
        self.percent.get(at).copied().unwrap_or(false)
    }
}

/// What the first line is, by the rules.
fn first_line(sample: &[Record], style: &Style, delimiter: u8) -> FirstLine {
    let Some((first, data)) = sample.split_first() else { return FirstLine::Data };
    // Units would hide the numbers below the header.
    let data = if units::are_first(data, style) { data.get(1..).unwrap_or_default() } else { data };
    let by_space = delimiter == b' ';
    let below = data.first().map_or(first.len(), Record::len);
    let above_trails = if by_space { 0 } else { empty_at_end(first) };
    let below_trails = if by_space { 0 } else { trails(data) };
    let below = if data.is_empty() { 0 } else { below };
    let (drop, cut) = ends(first.len(), above_trails, below, below_trails);
    let width = first.len() - drop;
    let short = !data.is_empty() && width + 1 == below - cut;
    match (Head { first, width, data, short, style }).verdict() {
        // Lines of data would all end alike.
        FirstLine::Doubtful if !data.is_empty() && drop != cut => FirstLine::Likely(ENDS),
        verdict => verdict,
    }
}

/// Whether a comment before the table names its columns.
fn fits(heading: &Record, sample: &[Record], style: &Style, options: &ReadOptions) -> bool {
    let Some(first) = sample.first() else { return false };
    let width = first.len() - trails(sample);
    let labels = sample.iter().all(|record| !style.is_number(record.first()));
    let short = heading.len() + 1 == width && labels;
    if options.header == Switch::No || (heading.len() != width && !short) {
        return false;
    }
    if options.header == Switch::Yes {
        return true;
    }
    let taken = |verdict| matches!(verdict, FirstLine::Header(_) | FirstLine::Likely(_));
    let head = Head { first: heading, width: heading.len(), data: sample, short, style };
    taken(head.verdict()) && !matches!(first_line(sample, style, 0), FirstLine::Header(_))
}
