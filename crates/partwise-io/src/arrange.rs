//! Tables with their rows and columns in another order.

use crate::error::Error;
use crate::memory::reserve;
use crate::numbers::{Numbers, map_each};
use crate::table::{Layout, Order, Table, Values};

/// How one side of a table moves: by places and back.
struct Moved<'a> {
    /// Where each new place is taken from.
    from: &'a [usize],
    /// Where each old place goes.
    to: Vec<usize>,
}

impl Table {
    /// The same table with the rows `rows[0]`, `rows[1]`, … and the columns `cols[0]`, `cols[1]`, … in this
    /// order, names with them; `None` leaves a side as it is.
    ///
    /// # Errors
    /// [`Error::Resource`] if there is no memory for the copy, [`Error::Shape`] if an order is not one of
    /// all rows or columns, each once.
    pub fn arranged(self, rows: Option<&[usize]>, cols: Option<&[usize]>) -> Result<Self, Error> {
        let by_rows = rows.map(|from| Moved::new(from, self.rows)).transpose()?;
        let by_cols = cols.map(|from| Moved::new(from, self.cols)).transpose()?;
        if by_rows.is_none() && by_cols.is_none() {
            return Ok(self);
        }
        let Self { rows, cols, values, row_names, col_names, notices } = self;
        let values = match values {
            Values::Dense { numbers, order } => {
                let numbers = match order {
                    Order::RowMajor => dense(numbers, (rows, cols), (&by_rows, &by_cols))?,
                    Order::ColumnMajor => dense(numbers, (cols, rows), (&by_cols, &by_rows))?,
                };
                Values::Dense { numbers, order }
            }
            Values::Sparse { layout, indptr, indices, numbers } => {
                let moved = match layout {
                    Layout::Csr => (&by_rows, &by_cols),
                    Layout::Csc => (&by_cols, &by_rows),
                };
                sparse(layout, (&indptr, &indices, numbers), moved)?
            }
        };
        let row_names = named(row_names, by_rows.as_ref());
        let col_names = named(col_names, by_cols.as_ref());
        Ok(Self { rows, cols, values, row_names, col_names, notices })
    }
}

impl<'a> Moved<'a> {
    fn new(from: &'a [usize], length: usize) -> Result<Self, Error> {
        let mut to = Vec::new();
        reserve(&mut to, length, "an order of rows or columns")?;
        to.resize(length, usize::MAX);
        for (new, &old) in from.iter().enumerate() {
            if let Some(place) = to.get_mut(old).filter(|place| **place == usize::MAX) {
                *place = new;
            }
        }
        if from.len() != length || to.contains(&usize::MAX) {
            let (place, found) = (crate::error::Place::File, format!("an order of {}", from.len()));
            return Err(Error::Shape { place, found, expected: "every place once" });
        }
        Ok(Self { from, to })
    }
}

/// Where place `at` is taken from.
fn from(moved: Option<&Moved<'_>>, at: usize) -> usize {
    moved.and_then(|moved| moved.from.get(at).copied()).unwrap_or(at)
}

/// Elements at these places.
fn gathered(numbers: &Numbers, places: &[usize]) -> Result<Numbers, Error> {
    fn of<T: Copy>(values: &[T], places: &[usize]) -> Result<Vec<T>, Error> {
        let mut out = Vec::new();
        reserve(&mut out, places.len(), "the matrix in another order")?;
        out.extend(places.iter().filter_map(|&at| values.get(at).copied()));
        Ok(out)
    }
    Ok(map_each!(numbers, values => of(values, places)?))
}

/// A dense matrix of `lines` runs of `length` elements.
fn dense(
    numbers: Numbers,
    (lines, length): (usize, usize),
    (by_lines, within): (&Option<Moved<'_>>, &Option<Moved<'_>>),
) -> Result<Numbers, Error> {
    let mut places = Vec::new();
    reserve(&mut places, numbers.len(), "the matrix in another order")?;
    for line in 0..lines {
        let start = from(by_lines.as_ref(), line) * length;
        places.extend((0..length).map(|at| start + from(within.as_ref(), at)));
    }
    gathered(&numbers, &places)
}

/// A sparse matrix, indices increasing within each line.
fn sparse(
    layout: Layout,
    (indptr, indices, numbers): (&[u64], &[u32], Numbers),
    (by_lines, within): (&Option<Moved<'_>>, &Option<Moved<'_>>),
) -> Result<Values, Error> {
    let lines = indptr.len().saturating_sub(1);
    let (mut starts, mut places) = (Vec::new(), Vec::new());
    reserve(&mut starts, indptr.len(), "the matrix in another order")?;
    reserve(&mut places, indices.len(), "the matrix in another order")?;
    let to = |at: usize| {
        let old = indices.get(at).map_or(0, |&index| index as usize);
        within.as_ref().and_then(|moved| moved.to.get(old).copied()).unwrap_or(old)
    };
    starts.push(0);
    for line in 0..lines {
        let old = from(by_lines.as_ref(), line);
        let bound = |at: usize| indptr.get(at).map_or(0, |&start| start as usize);
        let first = places.len();
        places.extend(bound(old)..bound(old + 1));
        if let Some(line) = places.get_mut(first..) {
            line.sort_unstable_by_key(|&at| to(at));
        }
        starts.push(places.len() as u64);
    }
    let mut moved = Vec::new();
    reserve(&mut moved, places.len(), "the matrix in another order")?;
    moved.extend(places.iter().map(|&at| u32::try_from(to(at)).unwrap_or(u32::MAX)));
    let numbers = gathered(&numbers, &places)?;
    Ok(Values::Sparse { layout, indptr: starts, indices: moved, numbers })
}

fn named(names: Option<Vec<String>>, moved: Option<&Moved<'_>>) -> Option<Vec<String>> {
    match moved {
        Some(moved) => {
            let names = names?;
            Some(moved.from.iter().filter_map(|&at| names.get(at).cloned()).collect())
        }
        None => names,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(values: Values) -> Table {
        let names = |given: &[&str]| Some(given.iter().map(ToString::to_string).collect());
        let mut table = Table::new(2, 3, values);
        (table.row_names, table.col_names) = (names(&["x", "y"]), names(&["a", "b", "c"]));
        table
    }

    fn u8s(values: &[u8]) -> Numbers {
        Numbers::U8(values.to_vec())
    }

    fn sparse(layout: Layout, indptr: &[u64], indices: &[u32], values: &[u8]) -> Values {
        let (indptr, indices) = (indptr.to_vec(), indices.to_vec());
        Values::Sparse { layout, indptr, indices, numbers: u8s(values) }
    }

    /// `[1 0 2; 0 3 4]` in every form.
    fn forms() -> Vec<Values> {
        vec![
            Values::Dense { numbers: u8s(&[1, 0, 2, 0, 3, 4]), order: Order::RowMajor },
            Values::Dense { numbers: u8s(&[1, 0, 0, 3, 2, 4]), order: Order::ColumnMajor },
            sparse(Layout::Csr, &[0, 2, 4], &[0, 2, 1, 2], &[1, 2, 3, 4]),
            sparse(Layout::Csc, &[0, 1, 2, 4], &[0, 1, 0, 1], &[1, 3, 2, 4]),
        ]
    }

    /// `[4 0 3; 2 1 0]`: rows turned, columns c, a, b.
    fn turned() -> Vec<Values> {
        vec![
            Values::Dense { numbers: u8s(&[4, 0, 3, 2, 1, 0]), order: Order::RowMajor },
            Values::Dense { numbers: u8s(&[4, 2, 0, 1, 3, 0]), order: Order::ColumnMajor },
            sparse(Layout::Csr, &[0, 2, 4], &[0, 2, 0, 1], &[4, 3, 2, 1]),
            sparse(Layout::Csc, &[0, 2, 3, 4], &[0, 1, 1, 0], &[4, 2, 1, 3]),
        ]
    }

    #[test]
    fn every_form_moves_with_its_names() {
        for (values, expected) in forms().into_iter().zip(turned()) {
            let found = table(values.clone()).arranged(Some(&[1, 0]), Some(&[2, 0, 1]));
            let found = found.expect("an order");
            assert_eq!(found.values, expected);
            assert_eq!(found.row_names.as_deref(), Some(&["y".to_string(), "x".into()][..]));
            let names = ["c".to_string(), "a".into(), "b".into()];
            assert_eq!(found.col_names.as_deref(), Some(&names[..]));
            assert_eq!(table(values.clone()).arranged(None, None).expect("as is"), table(values));
        }
    }

    #[test]
    fn an_order_names_every_place_once() {
        for wrong in [&[0, 0][..], &[0], &[0, 2], &[0, 1, 1]] {
            let values = forms().remove(0);
            assert!(table(values).arranged(Some(wrong), None).is_err(), "{wrong:?}");
        }
    }
}
