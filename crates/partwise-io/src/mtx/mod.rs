//! Matrix Market files: coordinate and array, real, integer and pattern, general and symmetric.

mod banner;
mod entries;

use std::io::Read;

use crate::error::{Error, Place, quoted};
use crate::lines::{Lines, MAX_FIXED};
use crate::memory::{Budget, reserve};
use crate::notice::Notice;
use crate::numbers::Numbers;
use crate::parse;
use crate::sparse::{self, Compressed};
use crate::table::{Layout, Order, Table, Values};

use banner::{Banner, Field, Symmetry};
use entries::Entries;

/// Without a banner, fewer entries than these are no evidence of what the file is.
const CERTAIN: u64 = 2;

/// Reads a Matrix Market file; marks of missing values become NaN if they may.
pub(crate) fn read_table<R: Read>(
    reader: R,
    missing_as_nan: bool,
    budget: Budget,
) -> Result<Table, Error> {
    let mut lines = Lines::new(reader, MAX_FIXED)?;
    let (mut banner, notice) = first_line(&mut lines)?;
    if missing_as_nan && banner.field != Field::Pattern {
        banner.field = Field::Gapped;
    }
    let mut table = if banner.coordinate {
        coordinate(lines, banner, notice.is_some(), budget)?
    } else {
        array(lines, banner, budget)?
    };
    table.notices.extend(notice);
    Ok(table)
}

/// The banner. Some programs write it with one `%`, or not at all: coordinates follow then.
fn first_line<R: Read>(lines: &mut Lines<R>) -> Result<(Banner, Option<Notice>), Error> {
    let mut first = Vec::new();
    lines.skip_if(|line| {
        first.extend_from_slice(line);
        false
    })?;
    let single = first.get(..13).is_some_and(|head| head.eq_ignore_ascii_case(b"%MatrixMarket"));
    if single {
        lines.next()?;
        first.insert(0, b'%');
        let taken = "what it says with a second %";
        return Ok((Banner::parse(&first)?, Some(Notice::NoBanner { taken })));
    }
    // Comments in place of a banner, as some programs write them.
    if first.starts_with(b"%") && !claims_banner(&first) {
        let banner = first.clone();
        while lines.skip_if(|line| matches!(line.trim_ascii_start().first(), None | Some(b'%')))? {}
        first.clear();
        lines.skip_if(|line| {
            first.extend_from_slice(line);
            false
        })?;
        if first.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).count() != 3 {
            first = banner;
        }
    }
    let words = || first.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    if words().count() == 3 && words().all(|word| parse::unsigned(word).is_some()) {
        let (field, symmetry) = (Field::Real, Symmetry::General);
        let banner = Banner { coordinate: true, field, symmetry };
        return Ok((banner, Some(Notice::NoBanner { taken: "coordinate real general" })));
    }
    lines.next()?;
    Ok((Banner::parse(&first)?, None))
}

/// Whether a line is meant as a banner, though perhaps misspelled.
fn claims_banner(line: &[u8]) -> bool {
    let lower = line.to_ascii_lowercase();
    let has = |part: &[u8]| lower.windows(part.len()).any(|window| window == part);
    has(b"matrixmarket") || has(b"coordinate") || has(b"matrix market") || has(b"symmetric")
}

fn coordinate<R: Read>(
    mut lines: Lines<R>,
    banner: Banner,
    guessed: bool,
    budget: Budget,
) -> Result<Table, Error> {
    let [rows, cols, count] = sizes(&mut lines, "rows, columns and entries")?;
    if guessed && count < CERTAIN {
        let found = quoted(format!("{rows} {cols} {count}").as_bytes());
        return Err(Error::format(Place::Line(1), found, "%%MatrixMarket"));
    }
    let (m, n) = sparse::dimensions(rows, cols, budget)?;
    banner.check_square(rows, cols, lines.line())?;
    let size_line = lines.line();
    let mut entries = Entries::new(banner, rows, cols, budget);
    let mut read = 0;
    while let Some((number, line)) = next_data(&mut lines)? {
        if read == count {
            let found = count + 1 + count_rest(&mut lines)?;
            let expected = format!("{count} as line {size_line} says");
            return Err(Error::format(Place::Line(lines.line()), counted(found), expected));
        }
        entries.push(line, number)?;
        read += 1;
    }
    complete(read, count, lines.line(), "entries")?;
    let Entries { rows, cols, numbers, underflow, .. } = entries;
    let mut table =
        Compressed::from_coordinates(m, &rows, cols, numbers)?.into_table(Layout::Csr, m, n)?;
    table.notices.extend(underflow);
    Ok(table)
}

fn array<R: Read>(mut lines: Lines<R>, banner: Banner, budget: Budget) -> Result<Table, Error> {
    let [rows, cols] = sizes(&mut lines, "rows and columns")?;
    if rows == 0 || cols == 0 {
        return Err(Error::Empty { rows, cols });
    }
    let needed = (u128::from(rows) * u128::from(cols)).saturating_mul(8);
    budget.check(|| format!("a matrix of {rows} x {cols}"), needed)?;
    banner.check_square(rows, cols, lines.line())?;
    let (Ok(m), Ok(n), Some(total)) =
        (usize::try_from(rows), usize::try_from(cols), rows.checked_mul(cols))
    else {
        return Err(Error::out_of_memory("the matrix", u64::MAX));
    };
    let count = match banner.symmetry {
        Symmetry::General => total,
        Symmetry::Symmetric => (total - rows) / 2 + rows,
        Symmetry::Skew => (total - rows) / 2,
    };
    let mut values = Column::new(banner);
    while let Some((number, line)) = next_data(&mut lines)? {
        if values.numbers.len() as u64 == count {
            let found = count + 1 + count_rest(&mut lines)?;
            let expected = format!("{count} values");
            return Err(Error::format(Place::Line(lines.line()), counted(found), expected));
        }
        values.push(line, number)?;
    }
    complete(values.numbers.len() as u64, count, lines.line(), "values")?;
    let numbers = banner.symmetry.unfold(values.numbers, m);
    let mut table = Table::new(m, n, Values::Dense { numbers, order: Order::ColumnMajor });
    table.notices.extend(values.underflow);
    Ok(table)
}

/// Values that stand one on a line.
struct Column {
    field: Field,
    numbers: Numbers,
    underflow: Option<Notice>,
}

impl Column {
    fn new(banner: Banner) -> Self {
        Self { field: banner.field, numbers: banner.field.no_numbers(), underflow: None }
    }

    fn push(&mut self, line: &[u8], number: u64) -> Result<(), Error> {
        let mut rest = line;
        let token = token(&mut rest);
        if !rest.is_empty() {
            let expected =
                "one value on a line; an array stands column after column, a value on each line";
            return Err(Error::format(Place::Line(number), quoted(line), expected));
        }
        self.field.push(
            &mut self.numbers,
            token,
            Spot { line: number, field: 1 },
            &mut self.underflow,
        )
    }
}

/// A place in the file, kept small because it is made for every value.
#[derive(Clone, Copy)]
struct Spot {
    line: u64,
    field: u64,
}

impl Spot {
    fn place(self) -> Place {
        Place::Field { line: self.line, field: self.field }
    }
}

/// The next line that is neither blank nor a comment, with its number, without leading spaces.
fn next_data<R: Read>(lines: &mut Lines<R>) -> Result<Option<(u64, &[u8])>, Error> {
    let line = lines.next_but(|line| match line.first() {
        Some(b'0'..=b'9') => false,
        _ => matches!(line.trim_ascii_start().first(), None | Some(b'%')),
    })?;
    Ok(line.map(|(number, line)| (number, line.trim_ascii_start())))
}

fn count_rest<R: Read>(lines: &mut Lines<R>) -> Result<u64, Error> {
    let mut count = 0;
    while next_data(lines)?.is_some() {
        count += 1;
    }
    Ok(count)
}

fn counted(count: u64) -> String {
    format!("{count} entries")
}

fn complete(found: u64, expected: u64, line: u64, unit: &'static str) -> Result<(), Error> {
    if found == expected {
        return Ok(());
    }
    let what = "the file ends too early: it".into();
    Err(Error::Length { place: Place::Line(line), what, expected, found, unit })
}

/// The size line.
fn sizes<const N: usize, R: Read>(lines: &mut Lines<R>, what: &str) -> Result<[u64; N], Error> {
    let Some((number, line)) = next_data(lines)? else {
        return Err(Error::format(Place::File, "no size line", what));
    };
    let mut rest = line;
    let mut sizes = [0; N];
    for size in &mut sizes {
        let token = token(&mut rest);
        *size = parse::unsigned(token).ok_or_else(|| {
            let expected = format!("{what}, whole numbers below 2^64");
            Error::format(Place::Line(number), quoted(token), expected)
        })?;
    }
    end(rest, number)?;
    Ok(sizes)
}

/// Splits off the next token and the space after it.
fn token<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let space = |b: &u8| matches!(b, b' ' | b'\t');
    let length = rest.iter().position(space).unwrap_or(rest.len());
    let (token, tail) = rest.split_at(length);
    let skip = tail.iter().position(|b| !space(b)).unwrap_or(tail.len());
    *rest = tail.split_at(skip).1;
    token
}

fn end(rest: &[u8], line: u64) -> Result<(), Error> {
    if rest.is_empty() {
        return Ok(());
    }
    Err(Error::format(Place::Line(line), quoted(rest), "the end of the line"))
}

/// Adds one element, growing in steps that can fail.
fn push<T>(vector: &mut Vec<T>, value: T) -> Result<(), Error> {
    if vector.len() == vector.capacity() {
        reserve(vector, (1 << 14).max(vector.len()), "the matrix")?;
    }
    vector.push(value);
    Ok(())
}
