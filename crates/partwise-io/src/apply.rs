//! What is done to a matrix after it has been read, whatever its file: codes of missing values, names,
//! columns, turning.

use crate::error::{Error, Place};
use crate::memory::Budget;
use crate::names;
use crate::notice::Notice;
use crate::numbers::{Numbers, map_each};
use crate::parse;
use crate::read::ReadOptions;
use crate::sentinel;
use crate::table::{Layout, Order, Table, Values};

/// Applies the options that do not belong to one kind of file. A table of `text` has its columns and
/// missing values already.
pub(crate) fn apply(
    mut table: Table,
    text: bool,
    options: &ReadOptions,
    budget: Budget,
) -> Result<Table, Error> {
    if !text {
        blank_codes(&mut table, options)?;
    }
    // Names are those of the matrix as it is handed out.
    let of_rows = (&options.row_names_from, "row");
    let of_cols = (&options.column_names_from, "column");
    let (first, second) = if options.transpose { (of_cols, of_rows) } else { (of_rows, of_cols) };
    for ((file, axis), by_rows) in [(first, true), (second, false)] {
        let Some(file) = file else { continue };
        let count = if by_rows { table.rows } else { table.cols };
        let (found, notice) = names::read(file, axis, count, budget)?;
        table.notices.extend(notice);
        *(if by_rows { &mut table.row_names } else { &mut table.col_names }) = Some(found);
    }
    if !text && !options.columns.is_all() {
        // For each column a flag and its new place.
        budget.check(|| "a choice of columns".into(), 5 * table.cols as u128)?;
        let kept = options.columns.select(table.cols, table.col_names.as_deref())?;
        table = select(table, &kept)?;
    }
    if options.transpose {
        table = transposed(table);
    }
    table.notices.extend(sentinel::suspect(table.numbers()));
    let axes = [("row", &table.row_names), ("column", &table.col_names)];
    let repeated = axes.map(|(axis, all)| {
        let (count, first) = names::repeated(all.as_deref())?;
        Some(Notice::DuplicateNames { axis, count, first })
    });
    let ids = table.notices.iter().any(|notice| matches!(notice, Notice::IdsRepeat { .. }));
    table.notices.extend(repeated.into_iter().skip(usize::from(ids)).flatten());
    Ok(table)
}

/// Makes numbers that stand for missing values NaN, or refuses them.
fn blank_codes(table: &mut Table, options: &ReadOptions) -> Result<(), Error> {
    let codes: Vec<f64> =
        options.na.iter().filter_map(|mark| parse::number(mark.as_bytes()).ok()).collect();
    if codes.is_empty() {
        return Ok(());
    }
    let is_code = |value: f64| codes.contains(&value);
    let (mut first, mut count) = (None, 0u64);
    table.numbers().each_f64(|at, value| {
        if is_code(value) {
            first.get_or_insert((at, value));
            count += 1;
        }
    });
    let Some((at, value)) = first else { return Ok(()) };
    if !options.missing_as_nan {
        let place = Place::Element { name: "data".into(), index: at as u64 };
        return Err(Error::Missing { place, found: format!("'{value}'"), count });
    }
    let numbers = table.numbers_mut();
    let taken = std::mem::replace(numbers, Numbers::F64(Vec::new()));
    *numbers = match taken {
        Numbers::F32(mut values) => {
            let coded = values.iter_mut().filter(|value| is_code(f64::from(**value)));
            coded.for_each(|value| *value = f32::NAN);
            Numbers::F32(values)
        }
        other => {
            let mut values = other.into_f64().0;
            let coded = values.iter_mut().filter(|value| is_code(**value));
            coded.for_each(|value| *value = f64::NAN);
            Numbers::F64(values)
        }
    };
    Ok(())
}

/// The columns that are kept.
fn select(mut table: Table, kept: &[bool]) -> Result<Table, Error> {
    let cols = kept.iter().filter(|kept| **kept).count();
    if cols == 0 {
        return Err(Error::Empty { rows: table.rows as u64, cols: 0 });
    }
    let (rows, width) = (table.rows, table.cols);
    let is_kept = |col: usize| kept.get(col).copied().unwrap_or(false);
    let values = match table.values {
        Values::Dense { numbers, order } => {
            let col = |at: usize| if order == Order::RowMajor { at % width } else { at / rows };
            let numbers = filter(numbers, |at| is_kept(col(at)));
            Values::Dense { numbers, order }
        }
        Values::Sparse { layout, indptr, indices, numbers } => {
            let mut place = Vec::with_capacity(indices.len());
            for (major, ends) in indptr.windows(2).enumerate() {
                let (start, end) = (usize_of(ends[0]), usize_of(ends[1]));
                let inner = indices.get(start..end).unwrap_or_default();
                place.extend(inner.iter().map(|index| {
                    is_kept(if layout == Layout::Csr { *index as usize } else { major })
                }));
            }
            let stays = |at: usize| place.get(at).copied().unwrap_or(false);
            let mut starts = vec![0];
            for (major, ends) in indptr.windows(2).enumerate() {
                let stored = (usize_of(ends[0])..usize_of(ends[1])).filter(|at| stays(*at)).count();
                if layout == Layout::Csr || is_kept(major) {
                    starts.push(starts.last().copied().unwrap_or(0) + stored as u64);
                }
            }
            let new: Vec<u32> = kept
                .iter()
                .scan(0u32, |next, kept| {
                    let place = *next;
                    *next += u32::from(*kept);
                    Some(place)
                })
                .collect();
            let renumber = |index: u32| match layout {
                Layout::Csr => new.get(index as usize).copied().unwrap_or_default(),
                Layout::Csc => index,
            };
            let left = indices.iter().enumerate().filter(|(at, _)| stays(*at));
            let indices = left.map(|(_, index)| renumber(*index)).collect();
            Values::Sparse { layout, indptr: starts, indices, numbers: filter(numbers, stays) }
        }
    };
    let names = table.col_names.take().map(|names| {
        let named = names.into_iter().enumerate().filter(|(at, _)| is_kept(*at));
        named.map(|(_, name)| name).collect()
    });
    Ok(Table { cols, values, col_names: names, ..Table { values: EMPTY, ..table } })
}

const EMPTY: Values = Values::Dense { numbers: Numbers::F64(Vec::new()), order: Order::RowMajor };

fn usize_of(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

/// The elements at the places that stay.
fn filter(numbers: Numbers, stays: impl Fn(usize) -> bool) -> Numbers {
    map_each!(numbers, v => {
        v.into_iter().enumerate().filter(|(at, _)| stays(*at)).map(|(_, x)| x).collect()
    })
}

/// Rows for columns; nothing is copied.
fn transposed(table: Table) -> Table {
    let values = match table.values {
        Values::Dense { numbers, order } => {
            let turned =
                if order == Order::RowMajor { Order::ColumnMajor } else { Order::RowMajor };
            Values::Dense { numbers, order: turned }
        }
        Values::Sparse { layout, indptr, indices, numbers } => {
            let turned = if layout == Layout::Csr { Layout::Csc } else { Layout::Csr };
            Values::Sparse { layout: turned, indptr, indices, numbers }
        }
    };
    Table {
        rows: table.cols,
        cols: table.rows,
        values,
        row_names: table.col_names,
        col_names: table.row_names,
        notices: table.notices,
    }
}
