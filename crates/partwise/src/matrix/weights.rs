//! How far the entries of X can be trusted: weights, and entries that are missing.

use super::csr::arrays;
use super::{Csr, Dense, Halt, Input, Order, Side, floor_log2, visit_all};
use crate::error::{Error, Result};
use crate::memory;
use crate::scalar::Scalar;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// X with the weights of its entries. Anything that is an [`Input`] is X with none.
#[derive(Clone, Debug)]
pub struct Data<'a, T: Scalar> {
    /// X.
    pub x: Input<'a, T>,
    /// What its entries weigh.
    pub weights: Weights<'a, T>,
}

/// Weights of the entries of X: d(x_ij, q_ij) counts p_ij times, and an entry of weight 0 is missing.
/// By default every entry weighs 1 and none is missing. What is given here multiplies.
#[derive(Clone, Debug)]
pub struct Weights<'a, T: Scalar> {
    /// A weight for each entry, of the shape of X. Of a sparse matrix, entries that it does not store
    /// weigh 0: they are missing.
    pub entries: Option<Input<'a, T>>,
    /// Entries that are missing: those that this matrix stores, whatever their value.
    pub hidden: Option<Csr<'a, T>>,
    /// A weight for each row.
    pub rows: Option<Vec<T>>,
    /// A weight for each column.
    pub columns: Option<Vec<T>>,
    /// Whether NaN in X stands for a missing entry; otherwise it is refused.
    pub nan_missing: bool,
    /// Whether entries that a sparse X does not store are missing; otherwise they are zeros.
    pub absent_missing: bool,
}

impl<T: Scalar> Default for Weights<'_, T> {
    fn default() -> Self {
        Self {
            entries: None,
            hidden: None,
            rows: None,
            columns: None,
            nan_missing: false,
            absent_missing: false,
        }
    }
}

impl<'a, T: Scalar, X: Into<Input<'a, T>>> From<X> for Data<'a, T> {
    fn from(x: X) -> Self {
        Self { x: x.into(), weights: Weights::default() }
    }
}

impl<T: Scalar> Data<'_, T> {
    /// The same data until `stop` is true; see [`Input::until`].
    #[must_use]
    pub fn until(self, stop: Arc<AtomicBool>) -> Self {
        Self { x: self.x.until(stop), ..self }
    }

    /// The same data until a halt is due.
    pub(crate) fn halting(mut self, halt: &Arc<Halt>) -> Self {
        self.weights.entries = self.weights.entries.map(|entries| entries.halting(halt));
        Self { x: self.x.halting(halt), ..self }
    }

    /// The same data until `deadline`; see [`Input::before`].
    #[must_use]
    pub fn before(self, deadline: Instant) -> Self {
        Self { x: self.x.before(deadline), ..self }
    }

    /// The same data, borrowed.
    #[must_use]
    pub fn borrowed(&self) -> Data<'_, T> {
        let weights = &self.weights;
        Data {
            x: self.x.borrowed(),
            weights: Weights {
                entries: weights.entries.as_ref().map(Input::borrowed),
                hidden: weights.hidden.as_ref().map(Csr::borrowed),
                rows: weights.rows.clone(),
                columns: weights.columns.clone(),
                ..*weights
            },
        }
    }

    /// Whether no entry is missing, or weighs other than its row and column do.
    pub(crate) fn has_every_entry(&self) -> bool {
        let Weights { entries, hidden, nan_missing, absent_missing, .. } = &self.weights;
        let absent = *absent_missing && self.x.is_sparse();
        entries.is_none() && hidden.is_none() && !nan_missing && !absent
    }

    /// Whether some entry weighs other than 1, or is missing.
    pub(crate) fn is_weighted(&self) -> bool {
        !self.has_every_entry() || self.weights.rows.is_some() || self.weights.columns.is_some()
    }

    /// Drops weights that weigh every entry 1: they say nothing, and must change nothing. Dense weights
    /// of 0 and 1 become a list of what is hidden, so that there is one form of a mask. Drops what is
    /// stored and need not be. Returns how many entries are hidden or NaN that stands for it.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub(crate) fn simplify(&mut self) -> Result<usize> {
        let (rows, cols) = self.x.shape();
        let weights = &mut self.weights;
        if !weights.absent_missing {
            self.x.drop_zeros()?;
        }
        weights.entries.iter_mut().try_for_each(Input::drop_zeros)?;
        let ones = |given: &Option<Vec<T>>| given.iter().flatten().all(|&v| v == T::ONE);
        if ones(&weights.rows) {
            weights.rows = None;
        }
        if ones(&weights.columns) {
            weights.columns = None;
        }
        if weights.hidden.as_ref().is_some_and(|hidden| hidden.stored() == 0) {
            weights.hidden = None;
        }
        let every = rows as u128 * cols as u128;
        let is_one = |x: &Input<'_, T>| x.stored() as u128 == every && all(x, |v| v == T::ONE);
        if weights.entries.as_ref().is_some_and(is_one) {
            weights.entries = None;
        }
        if let Some(hidden) = weights.as_mask()? {
            (weights.entries, weights.hidden) = (None, Some(hidden));
        }
        let mut missing = 0;
        if weights.nan_missing {
            let count = |v: T| {
                missing += usize::from(v.to_f64().is_nan());
                true
            };
            // What cannot be read may hold some.
            weights.nan_missing = !all(&self.x, count) || missing > 0;
        }
        Ok(missing + weights.hidden.as_ref().map_or(0, Csr::stored))
    }
}

impl<T: Scalar> Weights<'_, T> {
    /// Divides weights of which products would leave the range of T by powers of two, and tells the
    /// exponent of all of them together. What is then too small for a product of three is raised to what
    /// is not: it weighs nothing beside the others, but is not missing.
    ///
    /// # Errors
    /// [`Error::Memory`], and what the source of the weights reports.
    pub(crate) fn bring_near(&mut self) -> Result<i32> {
        let mut unit = 0;
        for given in [&mut self.rows, &mut self.columns].into_iter().flatten() {
            let mut extent = Extent::NONE;
            given.iter().for_each(|v| extent.add(v.to_f64()));
            if let Some((exponent, near)) = extent.nearer() {
                given.iter_mut().for_each(|v| *v = near(*v));
                unit += exponent;
            }
        }
        let Some(entries) = &self.entries else { return Ok(unit) };
        let mut extent = Extent::NONE;
        visit_all(&*entries.by(Side::Rows), &mut |range, panel| {
            for (at, _) in range.enumerate() {
                panel.for_each(at, &mut |_, v| extent.add(v.to_f64()));
            }
        })?;
        let Some((exponent, near)) = extent.nearer() else { return Ok(unit) };
        self.entries = Some(mapped(entries, near)?);
        Ok(unit + exponent)
    }

    /// The entries of weight 0 and those hidden before, if `entries` is dense and a mask.
    ///
    /// # Errors
    /// [`Error::Memory`].
    fn as_mask(&self) -> Result<Option<Csr<'static, T>>> {
        let Some(entries) = self.entries.as_ref().filter(|entries| !entries.is_sparse()) else {
            return Ok(None);
        };
        let (rows, cols) = entries.shape();
        let Ok(last) = u32::try_from(cols) else { return Ok(None) };
        let mut zeros = 0;
        let count = |v: T| {
            zeros += usize::from(v == T::ZERO);
            v == T::ZERO || v == T::ONE
        };
        if !all(entries, count) {
            return Ok(None);
        }
        let most = zeros + self.hidden.as_ref().map_or(0, Csr::stored);
        let (mut indptr, mut indices, mut ones) = arrays(rows, most)?;
        let mut weights = memory::filled("a row of weights", cols, T::ZERO)?;
        visit_all(&*entries.by(Side::Rows), &mut |range, panel| {
            for (at, row) in range.enumerate() {
                panel.copy_dense(at, &mut weights);
                let hidden = self.hidden.as_ref().map_or(&[][..], |hidden| hidden.row(row).0);
                hidden.iter().for_each(|&j| weights[j as usize] = T::ZERO);
                indices.extend((0..last).filter(|&j| weights[j as usize] == T::ZERO));
                indptr.push(indices.len());
            }
        })?;
        ones.resize(indices.len(), T::ONE);
        Csr::new((rows, cols), &indptr, indices, ones).map(Some)
    }

    /// Checks shapes and values against an X of this shape.
    ///
    /// # Errors
    /// [`Error::Shape`], or [`Error::Weight`] with the place of a weight that is negative, NaN or
    /// infinite.
    pub(crate) fn check(&self, (rows, cols): (usize, usize)) -> Result<()> {
        let shape = |what, found: (usize, usize), expected: (usize, usize)| {
            let ((found_rows, found_cols), (rows, cols)) = (found, expected);
            if found == expected {
                return Ok(());
            }
            Err(Error::Shape { what, found_rows, found_cols, rows, cols })
        };
        if let Some(entries) = &self.entries {
            shape("weights", entries.shape(), (rows, cols))?;
            let by_rows = entries.by(Side::Rows);
            let mut bad = None;
            visit_all(&*by_rows, &mut |range, panel| {
                for (at, row) in range.enumerate() {
                    panel.for_each(at, &mut |col, value| {
                        if is_bad(value) {
                            bad.get_or_insert((row, col, value.to_f64()));
                        }
                    });
                }
            })?;
            if let Some((row, col, value)) = bad {
                return Err(Error::Weight { what: format!("weights[{row}, {col}]"), value });
            }
        }
        if let Some(hidden) = &self.hidden {
            shape("the mask", hidden.shape(), (rows, cols))?;
        }
        for (what, given, n) in
            [("row weights", &self.rows, rows), ("column weights", &self.columns, cols)]
        {
            let Some(given) = given else { continue };
            shape(what, (given.len(), 1), (n, 1))?;
            if let Some(at) = given.iter().position(|v| is_bad(*v)) {
                let value = given[at].to_f64();
                return Err(Error::Weight { what: format!("{what}[{at}]"), value });
            }
        }
        Ok(())
    }
}

/// The largest and the least of some weights above 0.
struct Extent {
    largest: f64,
    least: f64,
}

impl Extent {
    const NONE: Self = Self { largest: 0.0, least: f64::INFINITY };

    fn add(&mut self, value: f64) {
        if value > 0.0 {
            (self.largest, self.least) = (self.largest.max(value), self.least.min(value));
        }
    }

    /// The exponent by which the weights are to be brought nearer to 1, and how, if they are to be.
    fn nearer<T: Scalar>(&self) -> Option<(i32, impl Fn(T) -> T + use<T>)> {
        let third = floor_log2(T::FAR.to_f64()) / 3;
        if self.largest == 0.0 || !self.largest.is_finite() {
            return None;
        }
        let exponent = floor_log2(self.largest);
        let ordinary = exponent.abs() <= third && floor_log2(self.least) >= -2 * third;
        let half = exponent / 2;
        let by = [half, exponent - half].map(|e| 2f64.powi(-e));
        let bottom = 2f64.powi(-2 * third);
        let near = move |v: T| {
            let value = v.to_f64() * by[0] * by[1];
            if v > T::ZERO { T::from_f64(value.max(bottom)) } else { v }
        };
        (!ordinary).then_some((exponent, near))
    }
}

/// A copy with other values where some are stored.
///
/// # Errors
/// [`Error::Memory`], and what the source of `x` reports.
fn mapped<T: Scalar>(x: &Input<'_, T>, map: impl Fn(T) -> T) -> Result<Input<'static, T>> {
    let (rows, cols) = x.shape();
    let by_rows = x.by(Side::Rows);
    if !x.is_sparse() {
        let mut values = memory::filled("a copy of the weights", rows * cols, T::ZERO)?;
        by_rows.visit(0..rows, &mut |range, panel| {
            for (at, row) in range.enumerate() {
                panel.copy_dense(at, &mut values[row * cols..(row + 1) * cols]);
            }
        })?;
        values.iter_mut().for_each(|v| *v = map(*v));
        return Ok(Dense::new(rows, cols, Order::RowMajor, values)?.into());
    }
    let (mut indptr, mut indices, mut values) = arrays(rows, x.stored())?;
    by_rows.visit(0..rows, &mut |range, panel| {
        for (at, _) in range.enumerate() {
            panel.copy_listed(at, &mut indices, &mut values);
            indptr.push(indices.len());
        }
    })?;
    values.iter_mut().for_each(|v| *v = map(*v));
    Ok(Csr::new((rows, cols), &indptr, indices, values)?.into())
}

/// Whether something holds for every stored entry.
fn all<T: Scalar>(x: &Input<'_, T>, mut holds: impl FnMut(T) -> bool) -> bool {
    let mut all = true;
    let seen = visit_all(&*x.by(Side::Rows), &mut |range, panel| {
        range.enumerate().for_each(|(at, _)| panel.for_each(at, &mut |_, v| all &= holds(v)));
    });
    seen.is_ok() && all
}

fn is_bad<T: Scalar>(weight: T) -> bool {
    !(weight.is_finite() && weight >= T::ZERO)
}
