//! Which entries of X count, and how much, one row after another.

use crate::error::Result;
use crate::matrix::{Data, Matrix, Side};
use crate::scalar::Scalar;

/// An entry that counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cell {
    pub(super) col: usize,
    pub(super) x: f64,
    /// Its weight, above 0.
    pub(super) p: f64,
}

/// The entries of a row that count.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) cells: Vec<Cell>,
    /// If zeros that are not stored are counted by sums: columns that these must leave out, though
    /// no cell. Sorted.
    pub(super) gone: Vec<usize>,
}

/// X and its weights, row by row.
pub(super) struct Entries<'a, T: Scalar> {
    data: &'a Data<'a, T>,
    x: Box<dyn Matrix<T> + 'a>,
    weights: Option<Box<dyn Matrix<T> + 'a>>,
    rows: Option<Vec<f64>>,
    cols: Option<Vec<f64>>,
    /// Whether zeros that X does not store are counted by sums, rather than as cells.
    implied: bool,
}

/// One row of a matrix: values and whether they are stored, cleared at the price of what was.
pub(super) struct Line {
    values: Vec<f64>,
    stored: Vec<bool>,
    list: Vec<usize>,
}

impl Line {
    pub(super) fn new(cols: usize) -> Self {
        Self { values: vec![0.0; cols], stored: vec![false; cols], list: Vec::new() }
    }

    pub(super) fn value(&self, col: usize) -> f64 {
        self.values[col]
    }

    pub(super) fn is_stored(&self, col: usize) -> bool {
        self.stored[col]
    }

    pub(super) fn read<T: Scalar>(&mut self, matrix: &dyn Matrix<T>, row: usize) -> Result<()> {
        for &col in &self.list {
            self.values[col] = 0.0;
            self.stored[col] = false;
        }
        self.list.clear();
        matrix.visit(row..row + 1, &mut |_, panel| {
            panel.for_each(0, &mut |col, value| {
                self.values[col] = value.to_f64();
                self.stored[col] = true;
                self.list.push(col);
            });
        })
    }
}

impl<'a, T: Scalar> Entries<'a, T> {
    /// With `sums`, zeros that a sparse X does not store become no cells where that is possible.
    pub(super) fn new(data: &'a Data<'a, T>, sums: bool) -> Self {
        let weights = &data.weights;
        let wide = |v: &Vec<T>| v.iter().map(|v| v.to_f64()).collect();
        let zeros_count = data.x.is_sparse() && !weights.absent_missing;
        Self {
            data,
            x: data.x.by(Side::Rows),
            weights: weights.entries.as_ref().map(|w| w.by(Side::Rows)),
            rows: weights.rows.as_ref().map(wide),
            cols: weights.columns.as_ref().map(wide),
            implied: sums && zeros_count && weights.entries.is_none(),
        }
    }

    pub(super) fn implied(&self) -> bool {
        self.implied
    }

    /// The weight of a row.
    pub(super) fn row_weight(&self, row: usize) -> f64 {
        self.rows.as_ref().map_or(1.0, |w| w[row])
    }

    /// The weight of a column.
    pub(super) fn col_weight(&self, col: usize) -> f64 {
        self.cols.as_ref().map_or(1.0, |w| w[col])
    }

    /// Calls `each(row, its entries)` for every row.
    pub(super) fn for_each(&self, mut each: impl FnMut(usize, &Row)) -> Result<()> {
        let (rows, cols) = self.x.shape();
        let (mut x, mut weight) = (Line::new(cols), Line::new(cols));
        let mut hidden = vec![false; cols];
        let mut row = Row::default();
        for i in 0..rows {
            x.read(&*self.x, i)?;
            if let Some(weights) = &self.weights {
                weight.read(&**weights, i)?;
            }
            let list = self.data.weights.hidden.as_ref().map_or(&[][..], |h| h.row(i).0);
            list.iter().for_each(|&j| hidden[j as usize] = true);
            self.collect(i, &x, &weight, &hidden, &mut row);
            if self.implied {
                let fresh = list.iter().map(|&j| j as usize).filter(|&j| !x.stored[j]);
                row.gone.extend(fresh);
                row.gone.sort_unstable();
            }
            list.iter().for_each(|&j| hidden[j as usize] = false);
            each(i, &row);
        }
        Ok(())
    }

    fn collect(&self, i: usize, x: &Line, weight: &Line, hidden: &[bool], row: &mut Row) {
        row.cells.clear();
        row.gone.clear();
        let mut add = |j: usize| {
            let given = if self.weights.is_some() { weight.values[j] } else { 1.0 };
            let p = given * self.row_weight(i) * self.col_weight(j);
            let absent = self.data.weights.absent_missing && self.data.x.is_sparse();
            let missing = hidden[j]
                || (absent && !x.stored[j])
                || (self.data.weights.nan_missing && x.values[j].is_nan());
            if !missing && p > 0.0 {
                row.cells.push(Cell { col: j, x: x.values[j], p });
            } else if self.implied && missing {
                row.gone.push(j);
            }
        };
        let stored_only =
            self.implied || (self.data.x.is_sparse() && self.data.weights.absent_missing);
        let listed =
            self.data.weights.entries.as_ref().is_some_and(crate::matrix::Input::is_sparse);
        if stored_only {
            x.list.iter().for_each(|&j| add(j));
        } else if listed {
            weight.list.iter().for_each(|&j| add(j));
        } else {
            (0..x.values.len()).for_each(add);
        }
    }
}
