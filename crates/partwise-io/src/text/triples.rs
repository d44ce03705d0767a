//! Files of `row, column, value` lines, such as ratings: read as a sparse matrix when asked, and
//! suspected where they are not.

use std::collections::{HashMap, HashSet};
use std::io::Read;

use crate::error::{Error, Place, quoted};
use crate::memory::{Budget, reserve};
use crate::notice::Notice;
use crate::numbers::Numbers;
use crate::parse;
use crate::read::{ReadOptions, Switch};
use crate::sparse::{self, Compressed};
use crate::table::{Layout, Table, Values};

use super::record::{Record, Records};
use super::style::Style;
use super::words::means_id;

/// Bytes that an entry and a name take at least, for the memory limit.
const ENTRY_BYTES: u128 = 16;
const NAME_BYTES: u128 = 64;

/// Reads lines of two ids and a value, or of two ids alone, whose value is 1. Fields after the third
/// are left out. Rows and columns are named by their ids.
pub(super) fn read_table<R: Read>(
    sample: Vec<Record>,
    mut records: Records<R>,
    options: &ReadOptions,
    budget: Budget,
) -> Result<Table, Error> {
    if !options.columns.is_all() {
        let found = "and --triples".into();
        let expected = "one of them: the first three columns are read".into();
        return Err(Error::Option { option: "--columns", found, expected });
    }
    let style = Style::find(&sample, 0, options);
    let width = sample.first().map_or(0, Record::len);
    let header = match (options.header, sample.first()) {
        (Switch::Yes, _) => true,
        (Switch::Auto, Some(first)) if width > 2 => {
            !style.is_number(first.field(2)) && !style.is_missing(first.field(2))
        }
        (Switch::Auto, Some(first)) => means_id(first.field(0)) || means_id(first.field(1)),
        _ => false,
    };
    let mut found = Triples { style, width, budget, options, ..Triples::new(options, budget) };
    for record in sample.iter().skip(usize::from(header)) {
        found.push(record)?;
    }
    let line = sample.first().filter(|_| header && options.header == Switch::Auto).map(|r| r.line);
    drop(sample);
    let mut record = Record::default();
    while records.read(&mut record)? {
        found.push(&record)?;
    }
    let mut table = found.into_table()?;
    if let Some(line) = line {
        let header = Some((line, "its third field is no number"));
        table.notices.insert(0, Notice::Taken { header, row_names: None, likely: false });
    }
    Ok(table)
}

struct Triples<'a> {
    options: &'a ReadOptions,
    budget: Budget,
    style: Style,
    width: usize,
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
        if record.len() != self.width || self.width < 2 {
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
        let value = if self.width > 2 { self.value(record)? } else { 1.0 };
        self.row_of.push(self.rows.place(record, 0)?);
        self.col_of.push(self.cols.place(record, 1)?);
        self.values.push(value);
        Ok(())
    }

    fn value(&mut self, record: &Record) -> Result<f64, Error> {
        let field = record.field(2);
        let place = Place::Field { line: record.line, field: 3 };
        match self.style.number(field) {
            Ok(value) if !self.style.is_code(value) => {
                if value == 0.0 && parse::underflows(field) {
                    Notice::count_underflow(&mut self.underflow, record.line, 3);
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
        if self.width > 3 {
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

/// Rows that are looked at to tell triples.
const LOOKED_AT: usize = 100_000;
/// Values of the third column of ratings, at most.
const LEVELS: usize = 20;

/// A notice if a dense table looks like triples of ids.
pub(super) fn suspect(table: &Table) -> Option<Notice> {
    let Values::Dense { numbers: Numbers::F64(values), .. } = &table.values else { return None };
    let rows = || values.chunks(table.cols.max(1)).take(LOOKED_AT);
    let is_id = |value: &f64| value.fract() == 0.0 && (0.0..9e15).contains(value);
    let ids = |at: usize| rows().all(|row| row.get(at).is_some_and(is_id));
    if let Some(names) = &table.row_names {
        // Text in the first column was taken as names, which then repeat.
        let distinct: HashSet<&String> = names.iter().collect();
        let few = distinct.len() * 2 <= names.len() && names.len() > 3;
        return (matches!(table.cols, 2 | 3) && few && ids(0)).then_some(Notice::LooksLikeTriplets);
    }
    if !matches!(table.cols, 3 | 4) || !ids(0) || !ids(1) {
        return None;
    }
    let timed = table.cols == 4 && ids(3) && rows().all(|row| (1e8..1e13).contains(&row[3]));
    let found = match &table.col_names {
        Some(names) => named(names) || timed,
        None => timed || (table.cols == 3 && by_values(rows)),
    };
    found.then_some(Notice::LooksLikeTriplets)
}

/// Whether the first two headings mean ids, or a row and a column.
pub(super) fn named(names: &[String]) -> bool {
    let [row, col, ..] = names else { return false };
    let is = |name: &str, choices: &[&str]| choices.contains(&name.to_ascii_lowercase().as_str());
    let plain = is(row, &["i", "row", "rows", "source", "from", "r", "u"])
        && is(col, &["j", "col", "cols", "column", "columns", "target", "to", "c", "v"]);
    let second = means_id(col.as_bytes())
        || is(col, &["book", "isbn", "song", "artist", "track", "word", "wordid", "term", "joke"]);
    plain || (means_id(row.as_bytes()) && second)
}

/// Whether numbers without headings behave as ids do: they repeat, no pair does, and either one
/// column is in order or the third has few values.
fn by_values<'a, I: Iterator<Item = &'a [f64]>>(rows: impl Fn() -> I) -> bool {
    const FEWEST: usize = 10;
    let bits = |at: usize| rows().map(move |row| row[at].to_bits());
    let count = rows().count();
    let distinct = |at: usize| bits(at).collect::<HashSet<u64>>().len();
    let pairs = bits(0).zip(bits(1)).collect::<HashSet<_>>().len();
    let ordered = |at: usize| rows().map(|row| row[at]).is_sorted();
    let (first, second) = (distinct(0), distinct(1));
    let repeat = first < count && second < count && pairs == count;
    count >= FEWEST
        && repeat
        && (ordered(0) || ordered(1) || (distinct(2) <= LEVELS && distinct(2) < first.min(second)))
}
