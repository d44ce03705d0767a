//! X times an exact power of two, without touching X.
//!
//! Entries far from 1 would overflow or underflow in products of products. A power of two changes
//! no bit of a mantissa, so the fit of the scaled X is the fit of X. Half of the exponent goes on
//! the factor before the product and half on the result after it: neither leaves the range of T.

use super::{Matrix, Panel, Visitor};
use crate::error::Result;
use crate::factor::{Factor, View, ViewMut};
use crate::scalar::Scalar;
use std::ops::Range;

/// Exponents of the largest entry up to this are left alone: products stay in range by themselves.
const ORDINARY: i32 = 20;

/// X · 2^(−2·half).
pub(crate) struct Scaled<'a, T: Scalar> {
    inner: &'a dyn Matrix<T>,
    half: i32,
}

impl<'a, T: Scalar> Scaled<'a, T> {
    pub(crate) fn new(inner: &'a dyn Matrix<T>, half: i32) -> Self {
        Self { inner, half }
    }
}

/// Half the even exponent e for which max · 2^−e lies in [1, 4), or 0 where it is ordinary.
pub(crate) fn half_exponent(max: f64) -> i32 {
    if max <= 0.0 {
        return 0;
    }
    let exponent = floor_log2(max);
    if exponent.abs() <= ORDINARY { 0 } else { exponent.div_euclid(2) }
}

/// ⌊log₂ x⌋ of a positive finite number, subnormal ones included.
pub(crate) fn floor_log2(x: f64) -> i32 {
    let biased = |x: f64| i32::try_from((x.to_bits() >> 52) & 0x7ff).unwrap_or(0);
    match biased(x) {
        0 => biased(x * 2f64.powi(64)) - 1023 - 64,
        exponent => exponent - 1023,
    }
}

/// 2^exponent, exact for every exponent that a `half` can take.
pub(crate) fn power(exponent: i32) -> f64 {
    2f64.powi(exponent)
}

impl<T: Scalar> Matrix<T> for Scaled<'_, T> {
    fn shape(&self) -> (usize, usize) {
        self.inner.shape()
    }
    fn stored_before(&self, row: usize) -> usize {
        self.inner.stored_before(row)
    }
    fn visit(&self, rows: Range<usize>, work: &mut Visitor<'_, T>) -> Result<()> {
        if self.half == 0 {
            return self.inner.visit(rows, work);
        }
        let factor = power(-self.half);
        self.inner.visit(rows, &mut |range, panel| work(range, &ScaledPanel { panel, factor }))
    }
    fn go_on(&self) -> Result<()> {
        self.inner.go_on()
    }
}

/// Rows times `factor`².
struct ScaledPanel<'a, T: Scalar> {
    panel: &'a dyn Panel<T>,
    factor: f64,
}

impl<T: Scalar> ScaledPanel<'_, T> {
    fn scaled(&self, f: View<'_, T>) -> Factor<T> {
        let mut copy = f.to_factor();
        scale(&mut copy.view_mut(), self.factor);
        copy
    }

    /// `x · factor²`, where factor² itself may be out of the range of T.
    fn entry(&self) -> impl Fn(T) -> T + use<T> {
        let factor = T::from_f64(self.factor);
        move |x| x * factor * factor
    }
}

fn scale<T: Scalar>(f: &mut ViewMut<'_, T>, factor: f64) {
    let factor = T::from_f64(factor);
    for i in 0..f.rows() {
        f.row_mut(i).iter_mut().for_each(|v| *v *= factor);
    }
}

impl<T: Scalar> Panel<T> for ScaledPanel<'_, T> {
    fn product(&self, f: View<'_, T>, out: &mut ViewMut<'_, T>) {
        self.panel.product(self.scaled(f).view(), out);
        scale(out, self.factor);
    }

    fn add_transposed(&self, f: View<'_, T>, c: &mut ViewMut<'_, T>) {
        // Sums are added to in their units before the second half, so that they round as they would.
        scale(c, 1.0 / self.factor);
        self.panel.add_transposed(self.scaled(f).view(), c);
        scale(c, self.factor);
    }

    fn residual_sq(&self, w: View<'_, T>, h: View<'_, T>, h_gram: &[f64], unit: f64) -> f64 {
        self.panel.residual_sq(w, h, h_gram, unit * self.factor)
    }

    fn copy_dense(&self, row: usize, out: &mut [T]) {
        let scaled = self.entry();
        self.panel.copy_dense(row, out);
        out.iter_mut().for_each(|x| *x = scaled(*x));
    }

    fn copy_rows(&self, from: usize, out: &mut ViewMut<'_, T>) {
        let scaled = self.entry();
        self.panel.copy_rows(from, out);
        for i in 0..out.rows() {
            out.row_mut(i).iter_mut().for_each(|x| *x = scaled(*x));
        }
    }

    fn is_dense(&self) -> bool {
        self.panel.is_dense()
    }

    fn copy_listed(&self, row: usize, columns: &mut Vec<u32>, values: &mut Vec<T>) {
        let (scaled, from) = (self.entry(), values.len());
        self.panel.copy_listed(row, columns, values);
        values[from..].iter_mut().for_each(|x| *x = scaled(*x));
    }

    fn for_each(&self, row: usize, entry: &mut dyn FnMut(usize, T)) {
        let scaled = self.entry();
        self.panel.for_each(row, &mut |j, x| entry(j, scaled(x)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::{Csr, Dense, Order};

    #[test]
    fn exponents_of_powers_and_subnormals() {
        for (x, e) in [(1.0, 0), (3.9, 1), (0.5, -1), (2f64.powi(900), 900), (5e-324, -1074)] {
            assert_eq!(floor_log2(x), e, "{x:e}");
        }
    }

    #[test]
    fn rows_of_subnormal_entries_are_scaled_alike_however_they_are_read() {
        let tiny = |n: u32| f32::from_bits(n);
        let x = [tiny(3), 0.0, tiny(5), tiny(9)];
        let half = half_exponent(f64::from(tiny(9)));
        let inner = Dense::new(2, 2, Order::RowMajor, x.to_vec()).expect("values");
        let csr = Csr::new((2, 2), &[0, 1, 3], vec![0, 0, 1], vec![x[0], x[2], x[3]]);
        let csr = csr.expect("sorted");
        for inner in [&inner as &dyn Matrix<f32>, &csr] {
            let read = |_: Range<usize>, panel: &dyn Panel<f32>| {
                let (mut rows, mut list) = (Factor::zeros(2, 2), (Vec::new(), Vec::new()));
                panel.copy_rows(0, &mut rows.view_mut());
                let mut row = [0.0; 2];
                panel.copy_dense(1, &mut row);
                panel.copy_listed(1, &mut list.0, &mut list.1);
                assert_eq!(rows.to_vec(), [0.375, 0.0, 0.625, 1.125]);
                assert_eq!((row, list.1), ([0.625, 1.125], vec![0.625, 1.125]));
            };
            let scaled = Scaled::new(inner, half);
            scaled.visit(0..2, &mut |range, panel| read(range, panel)).expect("in memory");
        }
    }

    #[test]
    fn the_scaled_maximum_lies_between_one_and_four() {
        for x in [1e300, 3e37, 1e-300, 5e-324, 1e18, 1e-8] {
            let half = half_exponent(x);
            let scaled = x * power(-half) * power(-half);
            assert!((1.0..4.0).contains(&scaled), "{x:e} → {scaled}");
        }
    }
}
