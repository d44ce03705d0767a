//! How well entries are predicted that a fit did not see although X holds them.

use super::definitions::divergence;
use super::entries::{Cell, Entries, Line, Row};
use super::sums::look;
use super::{check, check_memory, wide};
use crate::error::Result;
use crate::factor::Factor;
use crate::loss::Loss;
use crate::matrix::{Data, Input, Side, half_exponent};
use crate::scalar::Scalar;

/// What [`held_out`] finds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeldOut {
    /// Hidden entries whose value is known, and can be one of the loss.
    pub count: usize,
    /// What W·H misses them by: under the Frobenius loss the root of the mean squared error, else the mean
    /// of d(x, q).
    pub error: f64,
    /// What the mean of the observed entries of each row misses them by. A row without any takes the
    /// mean of all.
    pub row_means: f64,
}

/// The error of W (m×k) times H (stored tall, n×k) in the entries of X that were hidden: those of
/// `weights.hidden` and, with `by_weights`, those whose weight in `weights.entries` is 0. None if X holds no
/// value in any of them: NaN and, where absent entries are missing, what is not stored are not known.
/// Below zero, and where the loss forbids zeros at zero, nothing but the Frobenius loss has a value.
///
/// # Errors
/// Those of [`verify`](super::verify).
pub fn held_out<T: Scalar>(
    data: &Data<'_, T>,
    by_weights: bool,
    (w, h): (&Factor<T>, &Factor<T>),
    loss: Loss,
) -> Result<Option<HeldOut>> {
    let (rows, cols) = data.x.shape();
    check_memory(&data.x, w.cols())?;
    for (what, f, expected) in [("W", w, rows), ("H", h, cols)] {
        check(what, f, expected, w.cols())?;
    }
    data.weights.check((rows, cols))?;
    let entries = Entries::new(data, true);
    let found = look(&entries, cols)?;
    let half = half_exponent(found.largest);
    let step = 2f64.powi(-half);
    let means = row_means(&entries, cols, step * step)?;
    let (w, h, in_units) = (wide(w, step), wide(h, step), loss.in_units::<f64>(half)?);
    let squares = loss == Loss::FROBENIUS;
    let mut sums = (0usize, 0.0, 0.0);
    let hidden = HiddenEntries::new(data, by_weights);
    hidden.for_each(|i, j, x| {
        let x = x * step * step;
        if !squares && (x < 0.0 || (x == 0.0 && loss.forbids_zeros())) {
            return;
        }
        let q: f64 = w[i].iter().zip(&h[j]).map(|(w, h)| w * h).sum();
        let miss = |q: f64| if squares { (x - q).powi(2) } else { divergence(in_units, x, q).0 };
        sums = (sums.0 + 1, sums.1 + miss(q), sums.2 + miss(means[i]));
    })?;
    let (count, ours, theirs) = sums;
    let mean = |sum: f64| {
        let mean = sum / count as f64;
        if squares { mean.sqrt() / (step * step) } else { loss.unscale(mean, half) }
    };
    Ok((count > 0).then(|| HeldOut { count, error: mean(ours), row_means: mean(theirs) }))
}

/// The weighed mean of what is observed of each row, times `unit`.
fn row_means<T: Scalar>(entries: &Entries<'_, T>, cols: usize, unit: f64) -> Result<Vec<f64>> {
    let all: f64 = (0..cols).map(|j| entries.col_weight(j)).sum();
    let mut sums: Vec<(f64, f64)> = Vec::new();
    entries.for_each(|i, Row { cells, gone }| {
        let sum = cells.iter().map(|Cell { x, p, .. }| p * x * unit).sum::<f64>();
        let weight = if entries.implied() {
            let gone: f64 = gone.iter().map(|&j| entries.col_weight(j)).sum();
            entries.row_weight(i) * (all - gone)
        } else {
            cells.iter().map(|cell| cell.p).sum()
        };
        sums.push((sum, weight));
    })?;
    let total = sums.iter().fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
    let mean = |(sum, weight): (f64, f64)| if weight > 0.0 { sum / weight } else { 0.0 };
    let of_row = |&row: &(f64, f64)| if row.1 > 0.0 { mean(row) } else { mean(total) };
    Ok(sums.iter().map(of_row).collect())
}

/// The entries that were hidden.
struct HiddenEntries<'a, T: Scalar> {
    data: &'a Data<'a, T>,
    shown: Option<&'a Input<'a, T>>,
}

impl<'a, T: Scalar> HiddenEntries<'a, T> {
    fn new(data: &'a Data<'a, T>, by_weights: bool) -> Self {
        let weights = data.weights.entries.as_ref();
        Self { data, shown: weights.filter(|_| by_weights) }
    }

    /// Calls `each(row, column, value)` for those whose value is known.
    fn for_each(&self, mut each: impl FnMut(usize, usize, f64)) -> Result<()> {
        let (rows, cols) = self.data.x.shape();
        let x = self.data.x.by(Side::Rows);
        let shown = self.shown.map(|w| w.by(Side::Rows));
        let (mut values, mut weights) = (Line::new(cols), Line::new(cols));
        let mask = self.data.weights.hidden.as_ref();
        let only_stored = self.data.weights.absent_missing && self.data.x.is_sparse();
        let mut hidden: Vec<u32> = Vec::new();
        for i in 0..rows {
            hidden.clear();
            hidden.extend_from_slice(mask.map_or(&[][..], |mask| mask.row(i).0));
            if let Some(shown) = &shown {
                weights.read(&**shown, i)?;
                hidden.extend((0u32..).take(cols).filter(|&j| weights.value(j as usize) == 0.0));
                hidden.sort_unstable();
                hidden.dedup();
            }
            if hidden.is_empty() {
                continue;
            }
            values.read(&*x, i)?;
            for &j in &hidden {
                let (j, stored) = (j as usize, values.is_stored(j as usize));
                let value = values.value(j);
                if value.is_finite() && (stored || !only_stored) {
                    each(i, j, value);
                }
            }
        }
        Ok(())
    }
}
