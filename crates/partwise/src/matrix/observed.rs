//! X by one of its sides, with what its entries weigh: where blocks of observations come from.

use super::{Csr, Input, Layout, Matrix, Observations, Plan, Side, Visitor, Weights};
use crate::error::{Error, Result};
use crate::factor::Factor;
use crate::scalar::Scalar;
use crate::spare::Spare;
use crate::threads;
use std::ops::Range;
use std::sync::OnceLock;

/// Which zeros of X are needed as entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// All of them.
    Every,
    /// Those that X stores.
    Stored,
    /// None, also where X is dense.
    Positive,
}

/// X by one of its sides, with the weights turned the same way.
pub(crate) struct Observed<'a, T: Scalar> {
    x: &'a dyn Matrix<T>,
    layout: Layout,
    /// Whether the entries listed are those of `entries` rather than those of X.
    by_weights: bool,
    entries: Option<Box<dyn Matrix<T> + 'a>>,
    hidden: Option<Csr<'a, T>>,
    /// Why nothing can be read: there was no room to turn what is hidden.
    refused: Option<Error>,
    along: Option<&'a [T]>,
    across: Option<&'a [T]>,
    nan_missing: bool,
    absent_missing: bool,
    /// Blocks that no one reads into.
    blocks: Spare<Observations<T>>,
    mostly_hidden: OnceLock<Vec<bool>>,
}

impl<'a, T: Scalar> Observed<'a, T> {
    /// `x` is the `side` of an X that is sparse or not.
    pub(crate) fn new(
        x: &'a dyn Matrix<T>,
        (side, sparse): (Side, bool),
        weights: &'a Weights<'a, T>,
        need: Need,
    ) -> Self {
        let listed_weights = weights.entries.as_ref().is_some_and(Input::is_sparse);
        let all_weighed = weights.entries.is_some();
        let layout = if listed_weights || (sparse && weights.absent_missing) {
            Layout::Listed { zeros: false }
        } else if (sparse || need == Need::Positive) && !all_weighed && need != Need::Every {
            Layout::Listed { zeros: true }
        } else {
            Layout::Dense
        };
        let turned = |mask: &'a Csr<'a, T>| match side {
            Side::Rows => Ok(mask.borrowed()),
            Side::Columns => mask.transposed_while(&|| x.go_on()),
        };
        let hidden = weights.hidden.as_ref().map(turned).transpose();
        let (along, across) = match side {
            Side::Rows => (&weights.rows, &weights.columns),
            Side::Columns => (&weights.columns, &weights.rows),
        };
        Self {
            x,
            layout,
            by_weights: listed_weights,
            entries: weights.entries.as_ref().map(|w| w.by(side)),
            refused: hidden.as_ref().err().cloned(),
            hidden: hidden.unwrap_or_default(),
            along: along.as_deref(),
            across: across.as_deref(),
            nan_missing: weights.nan_missing,
            absent_missing: weights.absent_missing && sparse,
            blocks: Spare::default(),
            mostly_hidden: OnceLock::new(),
        }
    }

    pub(crate) fn layout(&self) -> Layout {
        self.layout
    }

    /// The largest observed entry, whatever it weighs.
    ///
    /// # Errors
    /// What the source of X reports.
    pub(crate) fn largest(&self) -> Result<f64> {
        let parts = self.in_parts(|largest: &mut f64, block| {
            for at in 0..block.rows.len() {
                block.for_each_weighed(at, |_, x, _| *largest = largest.max(x.to_f64()));
            }
        })?;
        Ok(parts.into_iter().fold(0.0, f64::max))
    }

    /// One read of all rows by several threads: what `add` makes of the blocks of each part, in order.
    ///
    /// # Errors
    /// What the source of X reports.
    pub(super) fn in_parts<R: Default + Send>(
        &self,
        add: impl Fn(&mut R, &mut Observations<T>) + Sync,
    ) -> Result<Vec<R>> {
        let part = |blocks: &Vec<Range<usize>>| {
            let (mut part, mut block) = (R::default(), self.spare_block());
            for range in blocks {
                self.read(range.clone(), &mut block)?;
                add(&mut part, &mut block);
            }
            self.blocks.put(block);
            Ok(part)
        };
        let plan = Plan::new(self, 1);
        threads::map(plan.bins().iter(), plan.is_serial(), part).into_iter().collect()
    }

    /// Which columns have more than half of their rows hidden, by the mask or by NaN. What the source of
    /// X reports comes up again when it is read for more.
    pub(crate) fn mostly_hidden(&self) -> &[bool] {
        let (rows, cols) = self.shape();
        self.mostly_hidden.get_or_init(|| {
            let parts = self.in_parts(|counts: &mut Vec<usize>, block| {
                counts.resize(cols, 0);
                block.hidden.indices.iter().for_each(|&j| counts[j as usize] += 1);
            });
            let mut counts = vec![0; cols];
            for part in parts.unwrap_or_default() {
                counts.iter_mut().zip(part).for_each(|(to, count)| *to += count);
            }
            counts.into_iter().map(|count| 2 * count > rows).collect()
        })
    }

    /// Whether no weight is other than 0 and 1, once the weights were simplified.
    pub(crate) fn is_zero_or_one(&self) -> bool {
        self.entries.is_none() && self.along.is_none() && self.across.is_none()
    }

    /// The entries that are hidden, if nothing else weighs or is missing.
    pub(super) fn mask_alone(&self) -> Option<&Csr<'a, T>> {
        let alone = self.is_zero_or_one() && !self.nan_missing && !self.absent_missing;
        self.hidden.as_ref().filter(|_| alone)
    }

    /// Whether the sum of the weights of a row may differ from that of another one.
    pub(crate) fn rows_weigh_apart(&self) -> bool {
        self.has_weights() || self.layout == (Layout::Listed { zeros: false })
    }

    /// Whether blocks keep the weights of their rows apart from those of their entries.
    pub(super) fn has_row_weights(&self) -> bool {
        self.layout == (Layout::Listed { zeros: true }) && self.along.is_some()
    }

    /// Weights of the rows.
    pub(crate) fn along(&self) -> Option<&'a [T]> {
        self.along
    }

    /// Weights of the columns.
    pub(crate) fn across(&self) -> Option<&'a [T]> {
        self.across
    }

    /// Whether weights stand beside the entries of a block.
    pub(super) fn has_weights(&self) -> bool {
        !self.is_zero_or_one() || self.hidden.is_some() || self.nan_missing
    }

    /// The entries of some rows.
    ///
    /// # Errors
    /// What the source of X reports.
    pub(crate) fn read(&self, rows: Range<usize>, block: &mut Observations<T>) -> Result<()> {
        if let Some(why) = &self.refused {
            return Err(why.clone());
        }
        block.begin(rows.clone());
        let mut lists = Lists::default();
        self.x.visit(rows.clone(), &mut |range, panel| {
            if self.layout == Layout::Dense {
                let here = range.start - rows.start..range.end - rows.start;
                return panel.copy_rows(0, &mut block.dense.view_mut().slice(here));
            }
            for (at, row) in range.enumerate() {
                lists.x.clear();
                panel.copy_listed(at, &mut lists.x.0, &mut lists.x.1);
                lists.row_of_x(self, row, block);
            }
        })?;
        if self.layout == Layout::Dense {
            self.weigh(block)?;
        } else if self.by_weights {
            self.list_by_weights(block)?;
        } else if let Some(entries) = &self.entries {
            let mut dense = Factor::zeros(1, block.cols);
            entries.visit(rows, &mut |range, panel| {
                for (at, row) in range.enumerate() {
                    panel.copy_dense(at, dense.row_mut(0));
                    block.multiply_weights(row, dense.row(0));
                }
            })?;
        }
        Ok(())
    }

    /// A block to read into, again and again.
    pub(crate) fn block(&self) -> Observations<T> {
        Observations::new(self)
    }

    /// One for this read, to be put back.
    fn spare_block(&self) -> Observations<T> {
        self.blocks.take(|_| true).unwrap_or_else(|| self.block())
    }

    /// Dense: the weights of every entry.
    fn weigh(&self, block: &mut Observations<T>) -> Result<()> {
        let Some(mut weights) = block.dense_weights.take() else { return Ok(()) };
        let start = block.rows.start;
        if let Some(entries) = &self.entries {
            entries.visit(block.rows.clone(), &mut |range, panel| {
                let here = range.start - start..range.end - start;
                panel.copy_rows(0, &mut weights.view_mut().slice(here));
            })?;
        } else {
            weights.view_mut().fill(T::ONE);
        }
        for row in block.rows.clone() {
            let w = weights.row_mut(row - start);
            let x = block.dense.row_mut(row - start);
            if let Some(hidden) = &self.hidden {
                for &j in hidden.row(row).0 {
                    (w[j as usize], x[j as usize]) = (T::ZERO, T::ZERO);
                }
            }
            if self.is_zero_or_one() && !self.nan_missing {
                continue;
            }
            if let Some(across) = self.across {
                w.iter_mut().zip(across).for_each(|(w, &s)| *w *= s);
            }
            if let Some(along) = self.along {
                w.iter_mut().for_each(|w| *w *= along[row]);
            }
            for (x, w) in x.iter_mut().zip(w) {
                if self.nan_missing && x.to_f64().is_nan() {
                    *w = T::ZERO;
                }
                if *w == T::ZERO {
                    *x = T::ZERO;
                }
            }
        }
        block.dense_weights = Some(weights);
        Ok(())
    }

    /// Listed by the weights: X where a weight is stored.
    fn list_by_weights(&self, block: &mut Observations<T>) -> Result<()> {
        let Some(entries) = &self.entries else { return Ok(()) };
        let mut fresh = self.block();
        fresh.begin(block.rows.clone());
        let x = std::mem::replace(block, fresh);
        let mut list = (Vec::new(), Vec::new());
        let start = block.rows.start;
        entries.visit(block.rows.clone(), &mut |range, panel| {
            for (at, row) in range.enumerate() {
                list.0.clear();
                list.1.clear();
                panel.copy_listed(at, &mut list.0, &mut list.1);
                let span = x.indptr[row - start]..x.indptr[row - start + 1];
                let (columns, values) = (&x.indices[span.clone()], &x.values[span]);
                let hidden = self.hidden.as_ref().map_or(&[][..], |h| h.row(row).0);
                let mut next = 0;
                for (&j, &w) in list.0.iter().zip(&list.1) {
                    while next < columns.len() && columns[next] < j {
                        next += 1;
                    }
                    let stored = next < columns.len() && columns[next] == j;
                    let value = if stored { values[next] } else { T::ZERO };
                    let absent = self.absent_missing && !stored;
                    let missing = absent || hidden.binary_search(&j).is_ok() || w == T::ZERO;
                    let nan = self.nan_missing && value.to_f64().is_nan();
                    if !(missing || nan) {
                        block.push(j, value, w * self.weight_of(row, j as usize));
                    }
                }
                block.indptr.push(block.indices.len());
            }
        })
    }

    fn weight_of(&self, row: usize, col: usize) -> T {
        self.along.map_or(T::ONE, |w| w[row]) * self.across.map_or(T::ONE, |w| w[col])
    }
}

/// Scratch for the lists of one row.
#[derive(Default)]
struct Lists<T> {
    x: List<T>,
}

#[derive(Default)]
struct List<T>(Vec<u32>, Vec<T>);

impl<T> List<T> {
    fn clear(&mut self) {
        self.0.clear();
        self.1.clear();
    }
}

impl<T: Scalar> Lists<T> {
    /// Listed by X: what X stores in a row, without what is hidden.
    fn row_of_x(&self, of: &Observed<'_, T>, row: usize, block: &mut Observations<T>) {
        let hidden = match &of.hidden {
            Some(hidden) if !of.by_weights => hidden.row(row).0,
            _ => &[],
        };
        let zeros = of.layout == Layout::Listed { zeros: true };
        if zeros {
            hidden.iter().for_each(|&j| block.hide(j, of.across));
        }
        for (&j, &value) in self.x.0.iter().zip(&self.x.1) {
            if hidden.binary_search(&j).is_ok() {
                continue;
            }
            if of.nan_missing && !of.by_weights && value.to_f64().is_nan() {
                if zeros {
                    block.hide(j, of.across);
                }
                continue;
            }
            block.push(j, value, of.weight_of(row, j as usize));
        }
        block.indptr.push(block.indices.len());
        block.hidden.indptr.push(block.hidden.indices.len());
        if let Some(weights) = &mut block.row_weights {
            weights.push(of.along.map_or(T::ONE, |w| w[row]));
        }
    }
}

/// X with each entry times its weight and missing ones zero: what starts and checks look at.
impl<T: Scalar> Matrix<T> for Observed<'_, T> {
    fn shape(&self) -> (usize, usize) {
        self.x.shape()
    }

    fn stored_before(&self, row: usize) -> usize {
        match (self.layout, &self.entries) {
            (Layout::Dense, _) => row * self.x.shape().1,
            (_, Some(entries)) if self.by_weights => entries.stored_before(row),
            _ => self.x.stored_before(row),
        }
    }

    fn visit(&self, rows: Range<usize>, work: &mut Visitor<'_, T>) -> Result<()> {
        let mut block = self.spare_block();
        self.read(rows.clone(), &mut block)?;
        block.weigh();
        work(rows, &block);
        self.blocks.put(block);
        Ok(())
    }

    fn go_on(&self) -> Result<()> {
        self.x.go_on()
    }
}
