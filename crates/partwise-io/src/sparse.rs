//! Sparse structure: checked in full, then sorted, then duplicates added up.

use crate::error::{Error, Place, SparseFault};
use crate::memory::{Budget, reserve};
use crate::notice::Notice;
use crate::numbers::{Numbers, each, map_each};
use crate::table::{Layout, Table, Values};

const WHAT: &str = "the sparse matrix";

/// The two dimensions of a sparse matrix, not 0 and small enough for 32-bit indices.
pub(crate) fn dimensions(rows: u64, cols: u64, budget: Budget) -> Result<(usize, usize), Error> {
    if rows == 0 || cols == 0 {
        return Err(Error::Empty { rows, cols });
    }
    budget.check(|| format!("{rows} rows: {WHAT}"), 8 * (u128::from(rows) + 1))?;
    let limit = u64::from(u32::MAX);
    let sizes = (usize::try_from(rows), usize::try_from(cols));
    match sizes {
        (Ok(m), Ok(n)) if rows <= limit && cols <= limit => {
            // Two flags for each column as soon as anything looks at it.
            budget.check(|| format!("{cols} columns: {WHAT}"), 2 * u128::from(cols))?;
            Ok((m, n))
        }
        _ => Err(Error::Shape {
            place: Place::File,
            found: format!("({rows}, {cols})"),
            expected: "at most 2^32 - 1 rows and columns in a sparse matrix",
        }),
    }
}

/// Compressed rows or columns as read from a file, checked but perhaps neither sorted nor unique.
///
/// It is only made by [`check`](Self::check) and [`from_coordinates`](Self::from_coordinates), after
/// which `indptr` is never empty, never decreases and ends at the length of the two other arrays:
/// that is why the code below may index.
#[derive(Debug)]
pub(crate) struct Compressed {
    pub(crate) indptr: Vec<u64>,
    pub(crate) indices: Vec<u32>,
    pub(crate) numbers: Numbers,
}

impl Compressed {
    /// Checks the arrays of a CSR matrix with `major` rows and `minor` columns (or a CSC matrix,
    /// exchanged).
    pub(crate) fn check(
        major: usize,
        minor: usize,
        indptr: &Numbers,
        indices: &Numbers,
        numbers: Numbers,
    ) -> Result<Self, Error> {
        let entries = indices.len() as u64;
        same_length("data", numbers.len() as u64, entries)?;
        same_length("indptr", indptr.len() as u64, major as u64 + 1)?;
        let indptr = pointers(indptr, entries)?;
        let limit = minor as u64;
        let indices = integers(indices, "indices", |entry, index| {
            in_range(index, limit).ok_or_else(|| {
                let entry = entry as u64;
                let row = indptr.partition_point(|&start| start <= entry).saturating_sub(1);
                SparseFault::Index { row: row as u64, entry, index, limit }
            })
        })?;
        Ok(Self { indptr, indices, numbers })
    }

    /// Groups coordinates by row, keeping their order within a row. The rows must be less than
    /// `major`, and the three arrays equally long.
    pub(crate) fn from_coordinates(
        major: usize,
        rows: &[u32],
        cols: Vec<u32>,
        numbers: Numbers,
    ) -> Result<Self, Error> {
        let mut indptr: Vec<u64> = Vec::new();
        reserve(&mut indptr, major + 1, WHAT)?;
        indptr.resize(major + 1, 0);
        for &row in rows {
            indptr[row as usize + 1] += 1;
        }
        let mut total = 0;
        for start in &mut indptr {
            total += *start;
            *start = total;
        }
        if rows.is_sorted() {
            return Ok(Self { indptr, indices: cols, numbers });
        }
        let mut next = indptr.clone();
        let mut order: Vec<usize> = Vec::new();
        reserve(&mut order, rows.len(), WHAT)?;
        order.resize(rows.len(), 0);
        for (entry, &row) in rows.iter().enumerate() {
            let slot = &mut next[row as usize];
            order[usize::try_from(*slot).unwrap_or(usize::MAX)] = entry;
            *slot += 1;
        }
        let unsorted = Self { indptr, indices: cols, numbers };
        Ok(unsorted.reordered(&order))
    }

    /// The matrix with sorted indices and without duplicates, and what was done to it.
    pub(crate) fn into_table(
        mut self,
        layout: Layout,
        rows: usize,
        cols: usize,
    ) -> Result<Table, Error> {
        let mut notices = Vec::new();
        if !self.is_canonical() {
            self = self.sorted()?;
            notices = self.sum_duplicates();
        }
        let Self { indptr, indices, numbers } = self;
        let mut table = Table::new(rows, cols, Values::Sparse { layout, indptr, indices, numbers });
        table.notices = notices;
        Ok(table)
    }

    fn row(&self, row: usize) -> std::ops::Range<usize> {
        let bound = |i: usize| usize::try_from(self.indptr[i]).unwrap_or(usize::MAX);
        bound(row)..bound(row + 1)
    }

    fn rows(&self) -> usize {
        self.indptr.len().saturating_sub(1)
    }

    fn is_canonical(&self) -> bool {
        (0..self.rows()).all(|row| self.indices[self.row(row)].is_sorted_by(|a, b| a < b))
    }

    fn sorted(self) -> Result<Self, Error> {
        let mut order: Vec<usize> = Vec::new();
        reserve(&mut order, self.indices.len(), WHAT)?;
        order.extend(0..self.indices.len());
        for row in 0..self.rows() {
            let range = self.row(row);
            if !self.indices[range.clone()].is_sorted() {
                order[range].sort_unstable_by_key(|&entry| (self.indices[entry], entry));
            }
        }
        Ok(self.reordered(&order))
    }

    fn reordered(self, order: &[usize]) -> Self {
        let Self { indptr, indices, numbers } = self;
        let indices = order.iter().map(|&i| indices[i]).collect();
        let numbers = map_each!(numbers, v => order.iter().map(|&i| v[i]).collect());
        Self { indptr, indices, numbers }
    }

    /// Adds up entries at the same position, in double precision; integers become doubles so that
    /// no sum can wrap.
    fn sum_duplicates(&mut self) -> Vec<Notice> {
        let count: usize = (0..self.rows())
            .map(|row| self.indices[self.row(row)].windows(2).filter(|w| w[0] == w[1]).count())
            .sum();
        if count == 0 {
            return Vec::new();
        }
        let from = self.numbers.dtype();
        let single = matches!(self.numbers, Numbers::F32(_));
        let numbers = std::mem::replace(&mut self.numbers, Numbers::F64(Vec::new()));
        let summed = Numbers::F64(self.merge(numbers.into_f64().0));
        self.numbers = if single { Numbers::F32(summed.into_f32().0) } else { summed };
        let mut notices = vec![Notice::DuplicatesSummed { count: count as u64 }];
        let to = self.numbers.dtype();
        if from != to {
            notices.push(Notice::Widened { from, to });
        }
        notices
    }

    /// Merges equal neighbours in place; returns the values that remain.
    fn merge(&mut self, mut values: Vec<f64>) -> Vec<f64> {
        let mut kept = 0;
        for row in 0..self.rows() {
            let range = self.row(row);
            let first = kept;
            self.indptr[row] = first as u64;
            for entry in range {
                if kept > first && self.indices[kept - 1] == self.indices[entry] {
                    values[kept - 1] += values[entry];
                } else {
                    self.indices[kept] = self.indices[entry];
                    values[kept] = values[entry];
                    kept += 1;
                }
            }
        }
        if let Some(last) = self.indptr.last_mut() {
            *last = kept as u64;
        }
        self.indices.truncate(kept);
        values.truncate(kept);
        values
    }
}

/// Checks that an array is as long as it must be.
pub(crate) fn same_length(name: &'static str, found: u64, expected: u64) -> Result<(), Error> {
    if found == expected {
        return Ok(());
    }
    Err(SparseFault::Length { name, found, expected }.into())
}

/// Checks the row indices of a coordinate matrix.
pub(crate) fn row_indices(rows: &Numbers, limit: u64) -> Result<Vec<u32>, Error> {
    integers(rows, "row", |entry, index| {
        in_range(index, limit).ok_or(SparseFault::RowIndex { entry: entry as u64, index, limit })
    })
}

/// Checks the column indices of a coordinate matrix.
pub(crate) fn col_indices(cols: &Numbers, rows: &[u32], limit: u64) -> Result<Vec<u32>, Error> {
    integers(cols, "col", |entry, index| {
        in_range(index, limit).ok_or_else(|| {
            let row = rows.get(entry).copied().unwrap_or_default().into();
            SparseFault::Index { row, entry: entry as u64, index, limit }
        })
    })
}

fn in_range(index: i128, limit: u64) -> Option<u32> {
    u32::try_from(index).ok().filter(|&i| u64::from(i) < limit)
}

fn pointers(indptr: &Numbers, entries: u64) -> Result<Vec<u64>, Error> {
    let last = indptr.len().saturating_sub(1);
    let mut before = 0;
    integers(indptr, "indptr", |position, found| {
        let at = position as u64;
        if position == 0 && found != 0 {
            return Err(SparseFault::Start { found });
        }
        if found < before {
            return Err(SparseFault::Decreasing { position: at, before, after: found });
        }
        if position == last && found != i128::from(entries) {
            return Err(SparseFault::End { position: at, found, expected: entries });
        }
        before = found;
        u64::try_from(found).map_err(|_| SparseFault::Start { found })
    })
}

/// Converts an array of integers, checking each.
pub(crate) fn integers<T>(
    numbers: &Numbers,
    name: &'static str,
    mut check: impl FnMut(usize, i128) -> Result<T, SparseFault>,
) -> Result<Vec<T>, Error> {
    macro_rules! convert {
        ($vector:expr) => {{
            let mut out = Vec::new();
            reserve(&mut out, $vector.len(), WHAT)?;
            for (i, &x) in $vector.iter().enumerate() {
                out.push(check(i, i128::from(x))?);
            }
            Ok(out)
        }};
    }
    match numbers {
        Numbers::U8(v) => convert!(v),
        Numbers::I8(v) => convert!(v),
        Numbers::U16(v) => convert!(v),
        Numbers::I16(v) => convert!(v),
        Numbers::U32(v) => convert!(v),
        Numbers::I32(v) => convert!(v),
        Numbers::U64(v) => convert!(v),
        Numbers::I64(v) => convert!(v),
        Numbers::Bool(_) | Numbers::F32(_) | Numbers::F64(_) => {
            let found = format!("an array of {}", each!(numbers, _v => numbers.dtype()));
            let expected = "an array of integers";
            Err(SparseFault::Array { name, found, expected }.into())
        }
    }
}
