//! Some rows of X as a rule by entries reads them.
//!
//! There are two layouts. A dense block holds every entry of its rows, with weights beside them if
//! there are any. A listed block holds entries by row and column; the others are zeros (and then a
//! few hidden ones may be listed apart) or missing.

use super::observed::Observed;
use super::residual::{Residual, none};
use super::{Matrix, Panel};
use crate::factor::{Factor, View, ViewMut};
use crate::kernel::dense::{Accum, Strided, product};
use crate::kernel::sparse::{Rows, gather, scatter};
use crate::scalar::Scalar;
use std::ops::Range;

/// How the entries of a block are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// All of them.
    Dense,
    /// A list; what is not listed is zero if `zeros`, else missing.
    Listed { zeros: bool },
}

/// Some rows of X.
pub(crate) struct Observations<T> {
    pub(crate) layout: Layout,
    pub(crate) rows: Range<usize>,
    pub(crate) cols: usize,
    /// Dense: the entries, and their weights unless all are 1. Missing entries are 0 with weight 0.
    pub(crate) dense: Factor<T>,
    pub(crate) dense_weights: Option<Factor<T>>,
    /// Listed: offsets into `indices`, `values` and, unless all are 1, `weights`.
    pub(crate) indptr: Vec<usize>,
    pub(crate) indices: Vec<u32>,
    pub(crate) values: Vec<T>,
    pub(crate) weights: Option<Vec<T>>,
    /// Listed with zeros: hidden entries (their column weights), and the weight of each row.
    pub(crate) hidden: Hidden<T>,
    pub(crate) row_weights: Option<Vec<T>>,
    /// Whether no weight can be other than 0 and 1.
    pub(crate) is_zero_or_one: bool,
}

/// Entries that are missing though what is not listed is zero.
pub(crate) struct Hidden<T> {
    pub(crate) indptr: Vec<usize>,
    pub(crate) indices: Vec<u32>,
    pub(crate) weights: Vec<T>,
}

impl<T: Scalar> Observations<T> {
    pub(super) fn new(of: &Observed<'_, T>) -> Self {
        let cols = of.shape().1;
        let dense = of.layout() == Layout::Dense;
        let weighted = of.has_weights();
        Self {
            layout: of.layout(),
            rows: 0..0,
            cols,
            dense: Factor::zeros(0, cols),
            dense_weights: (dense && weighted).then(|| Factor::zeros(0, cols)),
            indptr: vec![0],
            indices: Vec::new(),
            values: Vec::new(),
            weights: (!dense && weighted).then(Vec::new),
            hidden: Hidden { indptr: vec![0], indices: Vec::new(), weights: Vec::new() },
            row_weights: of.has_row_weights().then(Vec::new),
            is_zero_or_one: of.is_zero_or_one(),
        }
    }

    /// Empties the block and makes room for these rows.
    pub(super) fn begin(&mut self, rows: Range<usize>) {
        if self.layout == Layout::Dense && self.dense.rows() != rows.len() {
            self.dense.reshape(rows.len(), self.cols);
            let cols = self.cols;
            self.dense_weights.iter_mut().for_each(|w| w.reshape(rows.len(), cols));
        }
        self.rows = rows;
        for offsets in [&mut self.indptr, &mut self.hidden.indptr] {
            offsets.clear();
            offsets.push(0);
        }
        self.indices.clear();
        self.values.clear();
        self.hidden.indices.clear();
        self.hidden.weights.clear();
        self.weights.iter_mut().for_each(Vec::clear);
        self.row_weights.iter_mut().for_each(Vec::clear);
    }

    pub(super) fn push(&mut self, j: u32, value: T, weight: T) {
        self.indices.push(j);
        self.values.push(value);
        if let Some(weights) = &mut self.weights {
            weights.push(weight);
        }
    }

    pub(super) fn hide(&mut self, j: u32, across: Option<&[T]>) {
        self.hidden.indices.push(j);
        self.hidden.weights.push(across.map_or(T::ONE, |w| w[j as usize]));
    }

    pub(super) fn multiply_weights(&mut self, row: usize, by: &[T]) {
        let at = row - self.rows.start;
        let span = self.indptr[at]..self.indptr[at + 1];
        if let Some(weights) = &mut self.weights {
            for (w, &j) in weights[span.clone()].iter_mut().zip(&self.indices[span]) {
                *w *= by[j as usize];
            }
        }
    }

    /// The entries that a row of the block holds, and their weights unless all are 1.
    pub(crate) fn entries(&self, row: usize) -> (&[T], Option<&[T]>) {
        match self.layout {
            Layout::Dense => (self.dense.row(row), self.dense_weights.as_ref().map(|w| w.row(row))),
            Layout::Listed { .. } => {
                let span = self.indptr[row]..self.indptr[row + 1];
                (&self.values[span.clone()], self.weights.as_ref().map(|w| &w[span]))
            }
        }
    }

    /// Calls `each(column, value, weight)` for the observed entries that a row of the block holds.
    pub(crate) fn for_each_weighed(&self, row: usize, mut each: impl FnMut(usize, T, T)) {
        let (values, weights) = self.entries(row);
        let listed = self.layout != Layout::Dense;
        let from = if listed { self.indptr[row] } else { 0 };
        for (at, &x) in values.iter().enumerate() {
            let p = weights.map_or(T::ONE, |w| w[at]);
            if p > T::ZERO {
                let col = if listed { self.indices[from + at] as usize } else { at };
                each(col, x, p);
            }
        }
    }

    /// The listed entries with other values.
    pub(crate) fn listed<'b>(&'b self, values: &'b [T]) -> Rows<'b, T> {
        Rows { indptr: &self.indptr, indices: &self.indices, values, cols: self.cols }
    }

    /// The hidden entries with their weights.
    pub(crate) fn hidden(&self) -> Rows<'_, T> {
        let Hidden { indptr, indices, weights } = &self.hidden;
        Rows { indptr, indices, values: weights, cols: self.cols }
    }

    /// Columns of the entries of row `i` of the block that are hidden, and what they would weigh.
    pub(crate) fn hidden_in(&self, i: usize) -> impl Iterator<Item = (usize, T)> {
        let Hidden { indptr, indices, weights } = &self.hidden;
        // A dense block has its missing entries in its weights.
        let span = if indices.is_empty() { 0..0 } else { indptr[i]..indptr[i + 1] };
        let weights = weights[span.clone()].iter().copied();
        indices[span].iter().map(|&j| j as usize).zip(weights)
    }

    /// Weight times value of every entry.
    pub(super) fn weigh(&mut self) {
        if let Some(weights) = &self.dense_weights {
            for i in 0..self.dense.rows() {
                let row = self.dense.row_mut(i).iter_mut().zip(weights.row(i));
                row.for_each(|(x, &w)| *x *= w);
            }
        }
        if let Some(weights) = &self.weights {
            self.values.iter_mut().zip(weights).for_each(|(x, &w)| *x *= w);
        }
    }
}

impl<T: Scalar> Panel<T> for Observations<T> {
    fn product(&self, f: View<'_, T>, out: &mut ViewMut<'_, T>) {
        match self.layout {
            Layout::Dense => product(Strided::of(self.dense.view()), f, out, Accum::Replace),
            Layout::Listed { .. } => gather(self.listed(&self.values), f, out),
        }
    }

    fn add_transposed(&self, f: View<'_, T>, c: &mut ViewMut<'_, T>) {
        match self.layout {
            Layout::Dense => {
                product(Strided::of(self.dense.view()).transposed(), f, c, Accum::Add);
            }
            Layout::Listed { .. } => scatter(self.listed(&self.values), f, c),
        }
    }

    fn residual_sq(&self, w: View<'_, T>, h: View<'_, T>, _: &[f64], unit: f64) -> f64 {
        Residual { w, h, unit, missing: &none }.by_differences(self)
    }

    fn copy_dense(&self, row: usize, out: &mut [T]) {
        if self.layout == Layout::Dense {
            return out.copy_from_slice(self.dense.row(row));
        }
        out.fill(T::ZERO);
        self.for_each(row, &mut |j, x| out[j] = x);
    }

    fn is_dense(&self) -> bool {
        self.layout == Layout::Dense
    }

    fn for_each(&self, row: usize, entry: &mut dyn FnMut(usize, T)) {
        match self.layout {
            Layout::Dense => {
                self.dense.row(row).iter().enumerate().for_each(|(j, &x)| entry(j, x));
            }
            Layout::Listed { .. } => {
                let span = self.indptr[row]..self.indptr[row + 1];
                let list = self.indices[span.clone()].iter().zip(&self.values[span]);
                list.for_each(|(&j, &x)| entry(j as usize, x));
            }
        }
    }
}
