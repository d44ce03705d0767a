//! Files of `row, column, value` lines, such as ratings: read as a sparse matrix when asked, and
//! suspected where they are not.

use std::collections::HashMap;
use std::io::Read;

use crate::error::{Error, Place, quoted};
use crate::memory::{Budget, reserve};
use crate::notice::Notice;
use crate::numbers::Numbers;
use crate::parse;
use crate::read::{ReadOptions, Switch};
use crate::sparse::{self, Compressed};
use crate::table::{Layout, Table};

use super::record::{Record, Records};
use super::style::Style;
use super::words::{means_axis, means_id};

/// Bytes that an entry and a name take at least, for the memory limit.
const ENTRY_BYTES: u128 = 16;
const NAME_BYTES: u128 = 64;

/// Reads lines of two ids and a value, or of two ids alone, whose value is 1. Other fields are left
/// out. Rows and columns are named by their ids.
pub(super) fn read_table<R: Read>(
    sample: Vec<Record>,
    mut records: Records<R>,
    options: &ReadOptions,
    budget: Budget,
) -> Result<Table, Error> {
    let style = Style::find(&sample, 0, options);
    let width = sample.first().map_or(0, Record::len);
    let by_header = options.header == Switch::Auto && has_header(&sample, &style, width);
    let header = options.header == Switch::Yes || by_header;
    let short = header && sample.get(1).is_some_and(|second| second.len() == width + 1);
    let width = width + usize::from(short);
    let headings = headings(sample.first().filter(|_| header), short)?;
    let fields = Fields::find(options, &headings, &sample, header, width)?;
    let named = !headings.is_empty() || !options.columns.is_all();
    let shown = named.then(|| fields.shown(&headings));
    let mut found = Triples { style, width, fields, ..Triples::new(options, budget) };
    for record in sample.iter().skip(usize::from(header)) {
        found.push(record)?;
    }
    let line = sample.first().filter(|_| by_header).map(|r| r.line);
    drop(sample);
    let mut record = Record::default();
    while records.read(&mut record)? {
        found.push(&record)?;
    }
    let mut table = found.into_table()?;
    if let Some(fields) = shown {
        table.notices.insert(0, Notice::Triples { fields });
    }
    if let Some(line) = line {
        let header = Some((line, "it is the heading of rows, columns and values"));
        table.notices.insert(0, Notice::Taken { header, row_names: None, likely: false });
    }
    Ok(table)
}

/// Whether the first line is a header: no value stands where the next lines have one.
fn has_header(sample: &[Record], style: &Style, width: usize) -> bool {
    let Some(first) = sample.first() else { return false };
    if width < 3 {
        return means_id(first.field(0)) || means_id(first.field(1));
    }
    let role = |field| Role::ALL.iter().any(|role| role.is_named(field));
    let text = |field: &[u8]| !style.is_number(field) && !style.is_missing(field);
    let above = |(at, field): (usize, &[u8])| {
        text(field) && sample.get(1).is_some_and(|next| style.is_number(next.field(at)))
    };
    let known = first.fields().filter(|field| role(field)).count();
    let numbers = first.fields().any(|field| style.is_number(field));
    !numbers && (text(first.field(2)) || known > 1 || first.fields().enumerate().any(above))
}

/// The headings, with an empty one for an index that has none.
fn headings(header: Option<&Record>, short: bool) -> Result<Vec<String>, Error> {
    let Some(header) = header else { return Ok(Vec::new()) };
    let names = header.fields().enumerate().map(|(at, field)| super::name(field, header.line, at));
    short.then(|| Ok(String::new())).into_iter().chain(names).collect()
}

/// What a field of a line stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Row,
    Column,
    Value,
}

impl Role {
    const ALL: [Self; 3] = [Self::Row, Self::Column, Self::Value];

    /// Headings by which it goes, in lower case and without marks between words.
    const fn words(self) -> &'static str {
        match self {
            Self::Row => {
                "user userid users row rows rowid i r u cell cellid cells barcode barcodes sample \
                 sampleid samples customer customerid doc docid document documentid reviewer \
                 reviewerid person personid patient patientid reader readerid source from site \
                 plot subject account accountid"
            }
            Self::Column => {
                "item itemid items col cols column columns colid j c v gene geneid genes feature \
                 featureid features movie movieid product productid word wordid term termid book \
                 bookid isbn song songid artist artistid track trackid joke jokeid asin target to \
                 species taxon taxonid otu asv protein"
            }
            Self::Value => {
                "rating ratings value values val count counts score scores x n weight weights \
                 stars rate abundance expression umi reads freq frequency amount quantity qty plays \
                 tf tfidf data"
            }
        }
    }

    pub(super) fn is_named(self, heading: &[u8]) -> bool {
        let word: Vec<u8> = heading
            .iter()
            .filter(|b| b.is_ascii_alphanumeric())
            .map(u8::to_ascii_lowercase)
            .collect();
        !word.is_empty() && self.words().split_whitespace().any(|known| known.as_bytes() == word)
    }
}

/// Which fields of a line are row, column and value.
#[derive(Debug, Clone, Copy)]
struct Fields {
    row: usize,
    col: usize,
    value: Option<usize>,
}

impl Fields {
    /// As the options say, else as the header does, else by place, behind an index.
    fn find(
        options: &ReadOptions,
        headings: &[String],
        sample: &[Record],
        header: bool,
        width: usize,
    ) -> Result<Self, Error> {
        if let Some(found) = Self::picked(options, headings, width)? {
            return Ok(found);
        }
        let one = |role: Role| {
            let mut named =
                headings.iter().enumerate().filter(|(_, h)| role.is_named(h.as_bytes()));
            let first = named.next().map(|(at, _)| at);
            first.filter(|_| named.next().is_none())
        };
        let [row, col, value] = Role::ALL.map(one);
        let index = usize::from(header && width > 2 && is_index(headings, sample));
        let rest = |taken: &[Option<usize>]| (index..width).find(|at| !taken.contains(&Some(*at)));
        if let (Some(row), Some(col)) = (row, col) {
            let time = |at: &usize| headings.get(*at).is_some_and(|h| means_axis(h.as_bytes()));
            let free = (index..width).find(|at| *at != row && *at != col && !time(at));
            return Ok(Self { row, col, value: value.or(free) });
        }
        if let (Some(value), true) = (value, row.is_some() || col.is_some()) {
            let row = row.or_else(|| rest(&[col, Some(value)]));
            let col = col.or_else(|| rest(&[row, Some(value)]));
            if let (Some(row), Some(col)) = (row, col) {
                return Ok(Self { row, col, value: Some(value) });
            }
        }
        let value = (width > index + 2).then_some(index + 2);
        Ok(Self { row: index, col: index + 1, value })
    }

    /// The columns that were asked for, in that order.
    fn picked(
        options: &ReadOptions,
        headings: &[String],
        width: usize,
    ) -> Result<Option<Self>, Error> {
        if options.columns.is_all() {
            return Ok(None);
        }
        let names = (!headings.is_empty()).then_some(headings);
        let mut asked = Vec::new();
        let only = |entry: &str| crate::Columns {
            keep: vec![entry.to_owned()],
            drop: options.columns.drop.clone(),
        };
        let exact = |entry: &str| headings.iter().any(|heading| heading == entry);
        for entry in &options.columns.keep {
            let pieces =
                if exact(entry) { vec![entry.as_str()] } else { entry.split(',').collect() };
            for piece in pieces {
                let kept = only(piece.trim()).select(width, names)?;
                asked.extend((0..width).filter(|at| kept.get(*at) == Some(&true)));
            }
        }
        if options.columns.keep.is_empty() {
            let kept = options.columns.select(width, names)?;
            asked.extend((0..width).filter(|at| kept.get(*at) == Some(&true)));
        }
        match asked.as_slice() {
            [row, col, rest @ ..]
                if row != col && (rest.len() < 2 || options.columns.keep.is_empty()) =>
            {
                Ok(Some(Self { row: *row, col: *col, value: rest.first().copied() }))
            }
            _ => {
                let found = format!("with --triples: {} columns", asked.len());
                let expected = "a row, a column and a value, in this order".into();
                Err(Error::Option { option: "--columns", found, expected })
            }
        }
    }

    /// Places from 1, and headings.
    fn shown(self, headings: &[String]) -> Vec<(u64, String)> {
        let name = |at: usize| (at as u64 + 1, headings.get(at).cloned().unwrap_or_default());
        [Some(self.row), Some(self.col), self.value].into_iter().flatten().map(name).collect()
    }

    fn last(self) -> usize {
        self.row.max(self.col).max(self.value.unwrap_or(0))
    }
}

/// Whether the first column is an index as pandas and R write it: without a heading of its own.
fn is_index(headings: &[String], sample: &[Record]) -> bool {
    let unnamed = |heading: &String| heading.is_empty() || heading.starts_with("Unnamed");
    let number = |record: &Record| parse::unsigned(record.first()).is_some();
    headings.len() > 3 && headings.first().is_some_and(unnamed) && sample.iter().skip(1).all(number)
}

struct Triples<'a> {
    options: &'a ReadOptions,
    budget: Budget,
    style: Style,
    width: usize,
    fields: Fields,
    rows: Ids,
    cols: Ids,
    row_of: Vec<u32>,
    col_of: Vec<u32>,
    values: Vec<f64>,
    underflow: Option<Notice>,
    missing: Option<(Place, String, u64)>,
}

impl<'a> Triples<'a> {
    fn new(options: &'a ReadOptions, budget: Budget) -> Self {
        let (rows, cols) = (Ids::default(), Ids::default());
        Self {
            options,
            budget,
            style: Style::find(&[], 0, options),
            width: 0,
            fields: Fields { row: 0, col: 1, value: None },
            rows,
            cols,
            row_of: Vec::new(),
            col_of: Vec::new(),
            values: Vec::new(),
            underflow: None,
            missing: None,
        }
    }

    fn push(&mut self, record: &Record) -> Result<(), Error> {
        if record.len() != self.width || self.width < 2 || self.fields.last() >= self.width {
            let found = format!("{} fields", record.len());
            let expected = format!("{}: a row, a column and a value", self.width.max(3));
            return Err(Error::format(Place::Line(record.line), found, expected));
        }
        if self.row_of.len() == self.row_of.capacity() {
            let names = (self.rows.names.len() + self.cols.names.len()) as u128;
            let needed = self.row_of.len() as u128 * 2 * ENTRY_BYTES + names * NAME_BYTES;
            self.budget.check(|| "the matrix".into(), needed)?;
            let more = self.row_of.len().max(1 << 12);
            reserve(&mut self.row_of, more, "the matrix")?;
            reserve(&mut self.col_of, more, "the matrix")?;
            reserve(&mut self.values, more, "the matrix")?;
        }
        let value = self.fields.value.map_or(Ok(1.0), |at| self.value(record, at))?;
        self.row_of.push(self.rows.place(record, self.fields.row)?);
        self.col_of.push(self.cols.place(record, self.fields.col)?);
        self.values.push(value);
        Ok(())
    }

    fn value(&mut self, record: &Record, at: usize) -> Result<f64, Error> {
        let field = record.field(at);
        let at = at as u64 + 1;
        let place = Place::Field { line: record.line, field: at };
        match self.style.number(field) {
            Ok(value) if !self.style.is_code(value) => {
                if value == 0.0 && parse::underflows(field) {
                    Notice::count_underflow(&mut self.underflow, record.line, at);
                }
                Ok(value)
            }
            Err(expected) if !self.style.is_missing(field) => {
                Err(Error::Data { place, found: quoted(field), expected })
            }
            _ if self.options.missing_as_nan => Ok(f64::NAN),
            _ => {
                self.missing.get_or_insert_with(|| (place, quoted(field), 0)).2 += 1;
                Ok(0.0)
            }
        }
    }

    fn into_table(self) -> Result<Table, Error> {
        if let Some((place, found, count)) = self.missing {
            return Err(Error::Missing { place, found, count });
        }
        let (rows, row_names) = self.rows.sorted(self.row_of);
        let (cols, col_names) = self.cols.sorted(self.col_of);
        let (m, n) =
            sparse::dimensions(row_names.len() as u64, col_names.len() as u64, self.budget)?;
        let matrix = Compressed::from_coordinates(m, &rows, cols, Numbers::F64(self.values))?;
        let mut table = matrix.into_table(Layout::Csr, m, n)?;
        table.notices.extend(self.underflow);
        if self.width > 3 && self.fields.last() == 2 {
            table.notices.push(Notice::LeftOut { from: 4, to: self.width as u64 });
        }
        (table.row_names, table.col_names) = (Some(row_names), Some(col_names));
        Ok(table)
    }
}

/// The ids of one axis.
#[derive(Default)]
struct Ids {
    places: HashMap<String, u32>,
    names: Vec<String>,
}

impl Ids {
    /// The place of an id, a new one at the end.
    fn place(&mut self, record: &Record, at: usize) -> Result<u32, Error> {
        let field = record.field(at);
        if let Some(place) = std::str::from_utf8(field).ok().and_then(|id| self.places.get(id)) {
            return Ok(*place);
        }
        let id = super::name(field, record.line, at)?;
        let place = u32::try_from(self.names.len())
            .map_err(|_| Error::out_of_memory("the names", u64::MAX))?;
        self.names.push(id.clone());
        self.places.insert(id, place);
        Ok(place)
    }

    /// Places and names, in the order of the ids if all are whole numbers, else as they came.
    fn sorted(self, mut places: Vec<u32>) -> (Vec<u32>, Vec<String>) {
        let Self { names, .. } = self;
        let numbers: Option<Vec<i64>> =
            names.iter().map(|name| parse::signed(name.as_bytes())).collect();
        let Some(numbers) = numbers else { return (places, names) };
        let mut order: Vec<usize> = (0..names.len()).collect();
        order.sort_by_key(|at| numbers.get(*at));
        let mut rank = vec![0u32; names.len()];
        for (new, old) in (0u32..).zip(&order) {
            if let Some(rank) = rank.get_mut(*old) {
                *rank = new;
            }
        }
        for place in &mut places {
            *place = rank.get(*place as usize).copied().unwrap_or_default();
        }
        let names = order.iter().filter_map(|at| names.get(*at).cloned()).collect();
        (places, names)
    }
}
