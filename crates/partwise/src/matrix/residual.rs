//! `‖unit² · X_p − W_p Hᵀ‖²` of a few rows of X over the entries that count.

use super::Panel;
use crate::factor::{Factor, View};
use crate::kernel::dense::{Accum, Strided, product};
use crate::kernel::panel::{padded, whole_panel};
use crate::scalar::Scalar;

/// Rows of W·H formed at a time.
const PRODUCT_ROWS: usize = 32;
/// Columns times components up to which the residual of a row may be summed over all entries.
const DIFFERENCES_BELOW: usize = 1 << 16;
/// The share of its terms that a sum must leave to have kept twelve digits.
const CANCELLED: f64 = 1e-4;

/// What a panel is compared with.
pub(super) struct Residual<'a, T> {
    pub(super) w: View<'a, T>,
    pub(super) h: View<'a, T>,
    pub(super) unit: f64,
    /// The columns of a row of the panel that do not count, in order. X is zero there.
    pub(super) missing: &'a dyn Fn(usize) -> &'a [u32],
}

/// No column is missing.
pub(super) fn none<'a>(_: usize) -> &'a [u32] {
    &[]
}

impl<T: Scalar> Residual<'_, T> {
    /// From differences, each row of W·H formed in T by the kernel of dense products: O(rows · n · k).
    pub(super) fn by_products(&self, panel: &dyn Panel<T>) -> f64 {
        let (rows, cols) = (self.w.rows(), self.h.rows());
        let mut across = Factor::zeros(self.h.cols(), padded(cols));
        let stride = across.stride();
        whole_panel(self.h, across.as_mut_slice(), stride);
        let across = across.view().columns(0..cols);
        let height = rows.min(PRODUCT_ROWS);
        let (mut fitted, mut x) = (Factor::zeros(height, cols), Factor::zeros(height, cols));
        let unit = self.unit;
        let mut total = 0.0;
        for from in (0..rows).step_by(PRODUCT_ROWS) {
            let height = PRODUCT_ROWS.min(rows - from);
            let w = Strided::of(self.w.slice(from..from + height));
            product(w, across, &mut fitted.view_mut().slice(0..height), Accum::Replace);
            panel.copy_rows(from, &mut x.view_mut().slice(0..height));
            for i in 0..height {
                for &j in (self.missing)(from + i) {
                    fitted.row_mut(i)[j as usize] = T::ZERO;
                }
                let square = |(&x, &p): (&T, &T)| {
                    let difference = x.to_f64() * unit * unit - p.to_f64();
                    difference * difference
                };
                total += x.row(i).iter().zip(fitted.row(i)).map(square).sum::<f64>();
            }
        }
        total
    }

    /// Σ (x − p)² = Σ_stored ((x − p)² − p²) + Σ_all p², the last sum from the Gram matrix of H:
    /// O(nnz · k), with the cancellation of `f64` whatever T is. Where that leaves few digits,
    /// differences, if all entries of the row cost little.
    pub(super) fn by_sums(&self, panel: &dyn Panel<T>, h_gram: &[f64]) -> f64 {
        let k = self.w.cols();
        let is_short = self.h.rows() * k <= DIFFERENCES_BELOW;
        let mut total = 0.0;
        for i in 0..self.w.rows() {
            let w = wide(self.w.row(i));
            let mut sum = 0.0;
            for (s, ws) in w.iter().enumerate() {
                let along: f64 = w.iter().zip(&h_gram[s * k..]).map(|(w, g)| w * g).sum();
                sum += ws * along;
            }
            let mut size = sum;
            for &j in (self.missing)(i) {
                sum -= self.fitted(&w, j as usize).powi(2);
            }
            panel.for_each(i, &mut |j, x| {
                let x = x.to_f64() * self.unit * self.unit;
                sum += x * (x - 2.0 * self.fitted(&w, j));
                size += x * x;
            });
            let exact = is_short && sum < CANCELLED * size;
            total += if exact { self.of_row(panel, i, &w) } else { sum };
        }
        total
    }

    /// From differences of all entries in `f64`, zeros included: O(rows · n · k).
    pub(super) fn by_differences(&self, panel: &dyn Panel<T>) -> f64 {
        (0..self.w.rows()).map(|i| self.of_row(panel, i, &wide(self.w.row(i)))).sum()
    }

    fn of_row(&self, panel: &dyn Panel<T>, i: usize, w: &[f64]) -> f64 {
        let mut difference: Vec<f64> = (0..self.h.rows()).map(|j| self.fitted(w, j)).collect();
        for &j in (self.missing)(i) {
            difference[j as usize] = 0.0;
        }
        let unit = self.unit;
        panel.for_each(i, &mut |j, x| difference[j] -= x.to_f64() * unit * unit);
        difference.iter().map(|d| d * d).sum()
    }

    fn fitted(&self, w: &[f64], j: usize) -> f64 {
        w.iter().zip(self.h.row(j)).map(|(w, h)| w * h.to_f64()).sum()
    }
}

fn wide<T: Scalar>(row: &[T]) -> Vec<f64> {
    row.iter().map(|v| v.to_f64()).collect()
}
