//! Rows of KL far from 1: the same row in units in which its sums are about 1.
//!
//! φ(f) = Σ u f + ½ quad Σ f² − Σ c ln p keeps its minimum if c, u and quad are multiplied by a number,
//! and if f, u and quad change their unit. A row of entries of 1e-30 is then fitted as one of ordinary
//! entries is, also where the squares of its inverses are beyond the range. The units are powers of two.

use crate::factor::View;
use crate::matrix::{Observations, floor_log2};
use crate::scalar::Scalar;

/// The exponents of Σ c and of the largest u.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Units {
    c: i32,
    u: i32,
}

/// Exponents up to this, a quarter of those of T, leave room for squares: 31 in `f32`, 255 in `f64`.
fn ordinary<T: Scalar>() -> i32 {
    floor_log2(T::FAR.to_f64()) / 2
}

fn is_ordinary<T: Scalar>(value: f64) -> bool {
    !(value > 0.0 && value.is_finite()) || floor_log2(value).abs() <= ordinary::<T>()
}

/// Kept apart, so that the loops vectorise.
const LANES: usize = 16;

fn largest<T: Scalar>(values: &[T]) -> f64 {
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut lanes = [T::ZERO; LANES];
    for chunk in chunks {
        for (most, &value) in lanes.iter_mut().zip(chunk) {
            *most = if value > *most { value } else { *most };
        }
    }
    lanes.iter().chain(rest).fold(T::ZERO, |a, &b| Scalar::max(a, b)).to_f64()
}

fn total<T: Scalar>(values: &[T]) -> f64 {
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for chunk in chunks {
        lanes.iter_mut().zip(chunk).for_each(|(sum, value)| *sum += value.to_f64());
    }
    lanes.iter().sum::<f64>() + rest.iter().map(|value| value.to_f64()).sum::<f64>()
}

/// Whether every row of a dense block, under these costs if they are known, is in such units.
pub(super) fn are_ordinary<T: Scalar>(block: &Observations<T>, costs: Option<View<'_, T>>) -> bool {
    (0..block.rows.len()).all(|i| {
        let (x, p) = block.entries(i);
        let weight = p.map_or(1.0, largest);
        let most = largest(x) * weight;
        let cost = costs.as_ref().map_or(weight, |u| largest(u.row(i)));
        is_ordinary::<T>(most) && is_ordinary::<T>(cost)
    })
}

impl Units {
    /// Those of a row.
    pub(super) fn of<T: Scalar>(c: &[T], u: &[T]) -> Self {
        let exponent = |value: f64| if value > 0.0 { floor_log2(value) } else { 0 };
        let (sum, cost) = (total(c), largest(u));
        if is_ordinary::<T>(sum) && is_ordinary::<T>(cost) {
            return Self { c: 0, u: 0 };
        }
        // A large sum stays: its small entries must not come to count as zeros.
        Self { c: exponent(sum).min(0), u: exponent(cost) }
    }

    fn are_one(self) -> bool {
        (self.c, self.u) == (0, 0)
    }

    /// Brings a row to these units, and tells its quadratic cost in them.
    pub(super) fn bring<T: Scalar>(self, c: &mut [T], u: &mut [T], f: &mut [T], quad: T) -> T {
        if self.are_one() {
            return quad;
        }
        times(c, -self.c);
        times(u, -self.u);
        times(f, self.u - self.c);
        let mut quad = [quad];
        times(&mut quad, self.c - 2 * self.u);
        quad[0]
    }

    /// Takes what was found back to the units of X.
    pub(super) fn take_back<T: Scalar>(self, f: &mut [T], p: &mut [T], num: Option<&mut [T]>) {
        if self.are_one() {
            return;
        }
        times(f, self.c - self.u);
        times(p, self.c - self.u);
        if let Some(num) = num {
            times(num, self.u);
        }
    }
}

/// Multiplies by 2^exponent, by halves, of which neither leaves the range.
fn times<T: Scalar>(values: &mut [T], exponent: i32) {
    let half = exponent / 2;
    let by = [half, exponent - half].map(|e| 2f64.powi(e));
    values.iter_mut().for_each(|v| *v = T::from_f64(v.to_f64() * by[0] * by[1]));
}
