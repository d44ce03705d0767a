//! From a file to the engine's input: read, convert, and say what was converted.

use crate::about::About;
use crate::args;
use crate::failure::Failure;
use crate::number::Number;
use crate::text;
use partwise::{Csc, Csr, Dense, Input, Order};
use partwise_io::{DType, Layout, Numbers, Table, Values, read, read_from};
use std::io::Read;
use std::path::Path;

/// What standard input is called.
const STDIN: &str = "standard input";

/// A matrix as the engine takes it, and what there is to know about it.
pub(crate) struct Loaded<T: Number> {
    pub(crate) x: Input<'static, T>,
    pub(crate) about: About,
}

/// How a file is called in messages.
pub(crate) fn name(path: &Path) -> String {
    if is_stdin(path) { STDIN.into() } else { text::path(path) }
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Reads the matrix a command was given; if so asked, missing fields of a text file become NaN. Its columns
/// are `known` if it goes with a model that has names.
pub(crate) fn table(
    input: &args::Input,
    missing: args::Missing,
    known: Option<&[String]>,
    memory: args::Memory,
) -> Result<Table, Failure> {
    let mut options = input.reading.options(missing.nan, memory);
    options.known_columns = known.filter(|_| !options.transpose).map(<[String]>::to_vec);
    // Where what is not stored is missing, a zero that stands in a file must stay stored.
    options.sparse = !missing.absent;
    if !is_stdin(&input.file) {
        return Ok(read(&input.file, &options)?);
    }
    let most = options.memory_limit.or_else(partwise_memory::modest).unwrap_or(u64::MAX - 1);
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(most + 1).read_to_end(&mut bytes);
    read.map_err(|cause| partwise_io::Error::Io { action: "read standard input", cause })?;
    if bytes.len() as u64 > most {
        let needed = u128::from(most) + 1;
        let what = STDIN.to_owned();
        return Err(partwise_io::Error::Resource { what, needed, limit: most }.into());
    }
    Ok(read_from(bytes, STDIN, &options)?)
}

/// Whether an entry of X is NaN.
pub(crate) fn is_nan_at<T: Number>(x: &Input<'static, T>, row: usize, col: usize) -> bool {
    let stored = |line: (&[u32], &[T]), at: usize| {
        let found = line.0.iter().position(|&index| index as usize == at);
        found.is_some_and(|found| line.1[found].to_f64().is_nan())
    };
    match x {
        Input::Dense(x) => x.get(row, col).to_f64().is_nan(),
        Input::Csr(x) => stored(x.row(row), col),
        Input::Csc(x) => stored(x.column(col), row),
        _ => false,
    }
}

/// Converts a table to the engine's input of type `T`.
pub(crate) fn matrix<T: Number>(table: Table, name: String) -> Result<Loaded<T>, Failure> {
    convert_table(table, name, false, false)
}

/// As [`matrix`], but a matrix stored by columns is handed out as the rows of its transpose; with
/// `blank`, NaN is counted and becomes 0.
pub(crate) fn matrix_by_storage<T: Number>(
    table: Table,
    name: String,
    blank: bool,
) -> Result<Loaded<T>, Failure> {
    convert_table(table, name, true, blank)
}

fn convert_table<T: Number>(
    table: Table,
    name: String,
    by_storage: bool,
    blank: bool,
) -> Result<Loaded<T>, Failure> {
    let shape @ (rows, cols) = (table.rows, table.cols);
    let mut about = About::of(&table, name, T::DTYPE);
    about.blank = blank;
    let x = match table.values {
        Values::Dense { numbers, order } => {
            let (order, place): (_, &dyn Fn(usize) -> _) = match order {
                partwise_io::Order::RowMajor => (Order::RowMajor, &|at| (at / cols, at % cols)),
                partwise_io::Order::ColumnMajor => {
                    (Order::ColumnMajor, &|at| (at % rows, at / rows))
                }
            };
            let values = convert::<T>(numbers, &mut about, place)?;
            Dense::new(rows, cols, order, values).map(Input::from)
        }
        Values::Sparse { layout, indptr, indices, numbers } => {
            let place = |at: usize| {
                let major = indptr.partition_point(|&start| start <= at as u64) - 1;
                let minor = indices.get(at).map_or(0, |&i| i as usize);
                if layout == Layout::Csr { (major, minor) } else { (minor, major) }
            };
            let values = convert::<T>(numbers, &mut about, &place)?;
            match layout {
                Layout::Csr => Csr::new(shape, &indptr, indices, values).map(Input::from),
                Layout::Csc if by_storage => {
                    Csr::new((cols, rows), &indptr, indices, values).map(Input::from)
                }
                Layout::Csc => Csc::new(shape, &indptr, indices, values).map(Input::from),
            }
        }
    };
    let x = x.map_err(|error| about.blame(error))?;
    Ok(Loaded { x, about })
}

/// The numbers as `T`; refuses what `T` cannot hold, and notes what was rounded.
fn convert<T: Number>(
    numbers: Numbers,
    about: &mut About,
    place: &dyn Fn(usize) -> (usize, usize),
) -> Result<Vec<T>, Failure> {
    if T::DTYPE == DType::F32
        && let Numbers::F64(values) = &numbers
    {
        check_range(values, about, place)?;
    }
    check_room::<T>(&numbers, about)?;
    let (mut values, rounding) = T::take(numbers);
    if let Some(r) = rounding {
        let (row, col) = place(usize::try_from(r.first_index).unwrap_or(0));
        let wider = if T::DTYPE == DType::F32 { "; --dtype f64 is exact up to 2^53" } else { "" };
        about.notices.push(format!(
            "{} no exact {} and {} rounded, the first is X[{row}, {col}] = {}{wider}",
            text::either(r.count, "integer has", "integers have"),
            T::DTYPE,
            if r.count == 1 { "was" } else { "were" },
            r.value
        ));
    }
    for value in &mut values {
        let wide = value.to_f64();
        if wide.is_nan() {
            about.nan += 1;
            *value = if about.blank { T::ZERO } else { *value };
        } else {
            about.nonzero += usize::from(wide != 0.0);
            about.sum += wide;
        }
    }
    Ok(values)
}

/// Refuses numbers of another type for which there is no room in `T`.
fn check_room<T: Number>(numbers: &Numbers, about: &About) -> Result<(), Failure> {
    let needed = numbers.len() as u128 * size_of::<T>() as u128;
    match partwise_memory::most() {
        Some(limit) if numbers.dtype() != T::DTYPE && needed > u128::from(limit) => {
            let what = format!("{}: a copy in {}", about.name, T::DTYPE);
            Err(partwise_io::Error::Resource { what, needed, limit }.into())
        }
        _ => Ok(()),
    }
}

/// Refuses doubles beyond single precision, and notes those that vanish in it.
fn check_range(
    values: &[f64],
    about: &mut About,
    place: &dyn Fn(usize) -> (usize, usize),
) -> Result<(), Failure> {
    let (mut beyond, mut vanished) = ((0, None), (0, None));
    #[expect(
        clippy::cast_possible_truncation,
        reason = "what it does to the value is the question"
    )]
    for (index, &value) in values.iter().enumerate() {
        let single = value as f32;
        let to = if value.is_finite() && !single.is_finite() {
            &mut beyond
        } else if value != 0.0 && single == 0.0 {
            &mut vanished
        } else {
            continue;
        };
        to.0 += 1;
        to.1.get_or_insert((index, value));
    }
    if let (count, Some((index, value))) = beyond {
        let (row, col) = place(index);
        let text = format!(
            "{}: X[{row}, {col}] = {value:e} is beyond float32 ({count} such entries); use --dtype f64",
            about.name
        );
        return Err(Failure::Data { code: "E-DATA", text, at: Some((row, col)) });
    }
    if let (count, Some((index, value))) = vanished {
        let (row, col) = place(index);
        about.notices.push(format!(
            "{} too small for float32 and became 0, the first is X[{row}, {col}] = {value:e}; \
             --dtype f64 keeps them",
            text::either(count, "entry is", "entries are")
        ));
    }
    Ok(())
}
