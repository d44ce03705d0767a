//! Sums over the entries that count: divergence and gradients of both factors.

use super::definitions::{divergence, slopes};
use super::entries::{Cell, Entries, Row};
use crate::error::{Error, Result};
use crate::kernel::kl_divergence::nothing;
use crate::loss::Loss;
use crate::matrix::Entry;
use crate::scalar::Scalar;

/// A factor as rows.
pub(super) type Rows = Vec<Vec<f64>>;

/// What one look at X finds.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Look {
    pub(super) largest: f64,
    /// Σ p, Σ p x, and the entries that count.
    pub(super) weight: f64,
    pub(super) weighed: f64,
    pub(super) count: usize,
}

/// Looks at the entries that count.
///
/// # Errors
/// [`Error::NotFinite`] or [`Error::Negative`] with the first place and how many.
pub(super) fn look<T: Scalar>(entries: &Entries<'_, T>, cols: usize) -> Result<Look> {
    let mut look = Look::default();
    let mut not_finite: Option<(usize, Entry)> = None;
    let mut negative: Option<(usize, Entry, Entry)> = None;
    let heavy = (0..cols).filter(|&j| entries.col_weight(j) > 0.0);
    let (heavy, all) = (heavy.clone().count(), heavy.map(|j| entries.col_weight(j)).sum::<f64>());
    entries.for_each(|i, row| {
        for &Cell { col, x, p } in &row.cells {
            let entry = (i, col, x);
            if !x.is_finite() {
                not_finite.get_or_insert((0, entry)).0 += 1;
            } else if x < 0.0 {
                let (count, _, most) = negative.get_or_insert((0, entry, entry));
                *count += 1;
                *most = if x < most.2 { entry } else { *most };
            }
            look.largest = look.largest.max(x);
            look.weighed += p * x;
        }
        let r = entries.row_weight(i);
        if entries.implied() {
            let gone: f64 = row.gone.iter().map(|&j| entries.col_weight(j)).sum();
            let gone_count = row.gone.iter().filter(|&&j| entries.col_weight(j) > 0.0).count();
            look.weight += r * (all - gone);
            look.count += if r > 0.0 { heavy - gone_count } else { 0 };
        } else {
            look.weight += row.cells.iter().map(|c| c.p).sum::<f64>();
            look.count += row.cells.len();
        }
    })?;
    if let Some((count, (row, col, value))) = not_finite {
        return Err(Error::NotFinite { row, col, value, count });
    }
    if let Some((count, (row, col, value), (most_row, most_col, most))) = negative {
        return Err(Error::Negative { row, col, value, count, most, most_row, most_col });
    }
    Ok(look)
}

/// A pair of factors against X, in units in which nothing leaves the range of `f64`.
pub(super) struct Problem<'a, T: Scalar> {
    pub(super) entries: &'a Entries<'a, T>,
    /// In these units.
    pub(super) loss: Loss,
    /// X is multiplied by the square of this power of two, the factors by itself.
    pub(super) step: f64,
    pub(super) w: &'a Rows,
    pub(super) h: &'a Rows,
    /// The constant model that the fit is compared with.
    pub(super) level: f64,
    /// Σ p over the entries that count.
    pub(super) weight: f64,
}

/// A sum that is good to a roundoff of what it adds, however many there are (Neumaier 1974).
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Sum {
    total: f64,
    lost: f64,
}

impl Sum {
    pub(super) fn add(&mut self, value: f64) {
        let total = self.total + value;
        let (large, small) =
            if self.total.abs() >= value.abs() { (self.total, value) } else { (value, self.total) };
        self.lost += (large - total) + small;
        self.total = total;
    }

    /// An infinite sum has lost nothing.
    pub(super) fn value(self) -> f64 {
        if self.total.is_finite() { self.total + self.lost } else { self.total }
    }
}

/// What the entries add up to.
#[derive(Debug)]
pub(super) struct Sums {
    /// Σ p d(x, q).
    pub(super) divergence: Sum,
    /// Σ p d(x, level).
    pub(super) null: Sum,
    /// Sum of the sizes of what `divergence` adds.
    pub(super) size: f64,
    /// The two parts of the slope in q, Σ p · part · h for W, and the same with w for H.
    pub(super) pull: (Rows, Rows),
    pub(super) push: (Rows, Rows),
}

impl<T: Scalar> Problem<'_, T> {
    pub(super) fn sums(&self) -> Result<Sums> {
        let k = self.h.first().map_or(0, Vec::len);
        let zeros = || (vec![vec![0.0; k]; self.w.len()], vec![vec![0.0; k]; self.h.len()]);
        let (pull, push) = (zeros(), zeros());
        let mut sums =
            Sums { divergence: Sum::default(), null: Sum::default(), size: 0.0, pull, push };
        let mut seen = 0.0;
        self.entries.for_each(|i, row| {
            for &cell in &row.cells {
                self.add(i, cell, &mut sums);
                seen += cell.p;
            }
            if self.entries.implied() {
                self.leave_out(i, row, &mut sums);
            }
        })?;
        if self.entries.implied() {
            self.add_zeros(&mut sums);
            let left = (self.weight - seen).max(0.0);
            sums.null.add(if left > 0.0 { left * self.nothing(self.level) } else { 0.0 });
        }
        Ok(sums)
    }

    fn nothing(&self, q: f64) -> f64 {
        divergence(self.loss, 0.0, q).0
    }

    /// Adds an entry. Where zeros are counted by sums, its own d(0, q) and slope are among them.
    fn add(&self, i: usize, cell: Cell, sums: &mut Sums) {
        let (x, p, j) = (cell.x * self.step * self.step, cell.p, cell.col);
        // As a fit in this precision counts it.
        let x = if self.loss == Loss::KL && x < nothing::<T>().to_f64() { 0.0 } else { x };
        let (w, h) = (&self.w[i], &self.h[j]);
        let q = dot(w, h);
        let (mut value, size) = divergence(self.loss, x, q);
        let (pull, mut push) = slopes(self.loss, x, q);
        if self.entries.implied() {
            value -= self.nothing(q);
            push = 0.0;
        }
        sums.divergence.add(p * value);
        sums.size += p * size;
        sums.null.add(p * divergence(self.loss, x, self.level).0);
        let slopes = [(p * pull, &mut sums.pull), (p * push, &mut sums.push)];
        for (slope, (of_w, of_h)) in slopes {
            add_times(slope, h, &mut of_w[i]);
            add_times(slope, w, &mut of_h[j]);
        }
    }

    /// Takes out of the sums over all zeros what is missing.
    fn leave_out(&self, i: usize, row: &Row, sums: &mut Sums) {
        for &j in &row.gone {
            let p = self.entries.row_weight(i) * self.entries.col_weight(j);
            let (w, h) = (&self.w[i], &self.h[j]);
            let q = dot(w, h);
            let push = slopes(self.loss, 0.0, q).1;
            sums.divergence.add(-p * self.nothing(q));
            for t in 0..w.len() {
                sums.push.0[i][t] -= p * push * h[t];
                sums.push.1[j][t] -= p * push * w[t];
            }
        }
    }

    /// Adds d(0, q) and its slope over all entries, under KL, where both are linear in q, and under
    /// Frobenius, where they follow from the Gram matrices.
    fn add_zeros(&self, sums: &mut Sums) {
        let weights_of_w: Vec<f64> =
            (0..self.w.len()).map(|i| self.entries.row_weight(i)).collect();
        let weights_of_h: Vec<f64> =
            (0..self.h.len()).map(|j| self.entries.col_weight(j)).collect();
        let mut total = 0.0;
        for (f, own, push, other, weights) in [
            (self.w, &weights_of_w, &mut sums.push.0, self.h, &weights_of_h),
            (self.h, &weights_of_h, &mut sums.push.1, self.w, &weights_of_w),
        ] {
            let held = if self.loss == Loss::KL {
                vec![totals(other, weights)]
            } else {
                gram(other, weights)
            };
            total = 0.0;
            for ((f, &own), push) in f.iter().zip(own).zip(push) {
                let mut slope = held[0].clone();
                if self.loss != Loss::KL {
                    slope = held.iter().map(|g| dot(f, g)).collect();
                }
                let degree = if self.loss == Loss::KL { 1.0 } else { 0.5 };
                total += degree * own * dot(f, &slope);
                push.iter_mut().zip(&slope).for_each(|(to, s)| *to += own * s);
            }
        }
        sums.divergence.add(total);
        sums.size += total;
    }
}

/// `to += slope · f`; an infinite slope times a zero moves nothing.
fn add_times(slope: f64, f: &[f64], to: &mut [f64]) {
    if slope.is_finite() {
        to.iter_mut().zip(f).for_each(|(to, f)| *to += slope * f);
    } else {
        to.iter_mut().zip(f).filter(|(_, f)| **f > 0.0).for_each(|(to, _)| *to += slope);
    }
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// Σ p f over rows.
fn totals(rows: &Rows, weights: &[f64]) -> Vec<f64> {
    let mut totals = vec![0.0; rows.first().map_or(0, Vec::len)];
    for (row, p) in rows.iter().zip(weights) {
        totals.iter_mut().zip(row).for_each(|(to, f)| *to += p * f);
    }
    totals
}

/// Σ p fᵀf over rows.
fn gram(rows: &Rows, weights: &[f64]) -> Rows {
    let k = rows.first().map_or(0, Vec::len);
    let mut gram = vec![vec![0.0; k]; k];
    for (row, p) in rows.iter().zip(weights) {
        for (sum, s) in gram.iter_mut().zip(row) {
            sum.iter_mut().zip(row).for_each(|(to, t)| *to += p * s * t);
        }
    }
    gram
}
