//! What the batches so far say of H.

use super::OnlineOptions;
use crate::error::{Error, Result};
use crate::factor::Factor;
use crate::penalty::Penalty;
use crate::scalar::Scalar;
use crate::update::{Gram, Ratio, Rule};

/// Sums over the batches so far, in which older ones weigh less and less.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics<T: Scalar> {
    /// A, n×k: Σ H^(1/γ) ∘ num under rule `mu`, Σ XᵀW less the charge under `hals`.
    pub numerator: Factor<T>,
    /// B: Σ den, n×k, under rule `mu`; Σ WᵀW, k×k, under `hals`.
    pub denominator: Factor<T>,
    /// The sums are those of X·4^(−exponent), H·2^(−exponent): not 0 only if X is far from 1.
    pub exponent: i32,
}

/// What one batch adds.
pub(super) struct Found<T> {
    pub(super) divergence: f64,
    /// Negative and positive part of the gradient of H, or XᵀW and WᵀW.
    pub(super) num: Factor<T>,
    pub(super) den: Factor<T>,
}

impl<T: Scalar> Found<T> {
    /// In other units.
    pub(super) fn times(mut self, weight: f64) -> Self {
        if weight != 1.0 {
            for f in [&mut self.num, &mut self.den] {
                let values = f.as_mut_slice().iter_mut();
                values.for_each(|v| *v = T::from_f64(v.to_f64() * weight));
            }
        }
        self
    }
}

impl<T: Scalar> Statistics<T> {
    /// A copy, if there is room for it.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn try_clone(&self) -> Result<Self> {
        let (numerator, denominator) = (self.numerator.try_clone()?, self.denominator.try_clone()?);
        Ok(Self { numerator, denominator, exponent: self.exponent })
    }

    /// Of no batch.
    pub(super) fn none(rule: Rule, h: &Factor<T>) -> Self {
        let (rows, cols) = shape(rule, h);
        Self {
            numerator: Factor::zeros(h.rows(), h.cols()),
            denominator: Factor::zeros(rows, cols),
            exponent: 0,
        }
    }

    pub(super) fn is_none(&self) -> bool {
        self.denominator.as_slice().iter().all(|v| *v == T::ZERO)
    }

    pub(super) fn is_finite(&self) -> bool {
        self.numerator.is_finite() && self.denominator.is_finite()
    }

    pub(super) fn check(&self, rule: Rule, h: &Factor<T>) -> Result<()> {
        let whole = (h.rows(), h.cols());
        for (what, f, (rows, cols)) in [
            ("the numerator", &self.numerator, whole),
            ("the denominator", &self.denominator, shape(rule, h)),
        ] {
            let (found_rows, found_cols) = (f.rows(), f.cols());
            if (found_rows, found_cols) != (rows, cols) {
                return Err(Error::Shape { what, found_rows, found_cols, rows, cols });
            }
            for row in 0..rows {
                for (col, &v) in f.row(row).iter().enumerate() {
                    // The charge of the penalties may outweigh XᵀW.
                    if !(v.is_finite() && (v >= T::ZERO || rule == Rule::Hals)) {
                        return Err(Error::Start { what, row, col, value: v.to_f64() });
                    }
                }
            }
        }
        Ok(())
    }

    /// The same in other units.
    pub(super) fn in_units(&self, exponent: i32, options: &OnlineOptions) -> Self {
        let mut all = self.clone();
        let up = f64::from(self.exponent - exponent);
        if up != 0.0 {
            let (degree, gamma) = (options.loss.degree(), options.loss.exponent());
            let (num, den) = match options.rule {
                Rule::Hals => (3.0, 2.0),
                _ => (2.0 * degree - 1.0 + 1.0 / gamma, 2.0 * degree - 1.0),
            };
            for (f, degree) in [(&mut all.numerator, num), (&mut all.denominator, den)] {
                let by = (up * degree).exp2();
                // What is zero stays so, though `by` may be beyond the range of f64.
                let values = f.as_mut_slice().iter_mut().filter(|v| **v != T::ZERO);
                values.for_each(|v| *v = T::from_f64(v.to_f64() * by));
            }
        }
        all.exponent = exponent;
        all
    }

    /// Adds a batch and moves `h` to what all say.
    pub(super) fn add(
        &mut self,
        h: &mut Factor<T>,
        found: &Found<T>,
        rho: f64,
        options: &OnlineOptions,
    ) {
        let scales = (2 * self.exponent, self.exponent);
        let penalty = options.h_penalty.in_scales(scales, options.loss.degree());
        let rho = T::from_f64(rho);
        let fade = |f: &mut Factor<T>| f.as_mut_slice().iter_mut().for_each(|v| *v *= rho);
        fade(&mut self.numerator);
        fade(&mut self.denominator);
        match options.rule {
            Rule::Hals => self.add_normal(h, found, options.sweeps, penalty),
            _ => self.add_parts(h, found, Ratio { loss: options.loss }, penalty),
        }
    }

    fn add_parts(&mut self, h: &mut Factor<T>, found: &Found<T>, rule: Ratio, penalty: Penalty) {
        let gamma = rule.loss.exponent();
        let (l1, l2) = (T::from_f64(penalty.l1), T::from_f64(penalty.l2));
        let power = |v: T, by: f64| if by == 1.0 { v } else { v.powf(by) };
        for j in 0..h.rows() {
            let sums = self.numerator.row_mut(j).iter_mut().zip(self.denominator.row_mut(j));
            let parts = found.num.row(j).iter().zip(found.den.row(j));
            for ((h, (a, b)), (&num, &den)) in h.row_mut(j).iter_mut().zip(sums).zip(parts) {
                *a += power(*h, 1.0 / gamma) * num;
                *b += den + l1 + l2 * *h;
                if *b > T::ZERO {
                    let (sum, own) = (*a / power(*h, 1.0 / gamma), l2 * *h);
                    *h = match rule.shrunk(sum.to_f64(), (*b - own).to_f64(), own.to_f64()) {
                        Some(ratio) if *h > T::ZERO => T::from_f64(h.to_f64() * ratio),
                        _ => power(*a / *b, gamma),
                    };
                }
            }
            rule.keep_above_zero(h.row_mut(j));
        }
    }

    fn add_normal(&mut self, h: &mut Factor<T>, found: &Found<T>, sweeps: usize, penalty: Penalty) {
        let k = h.cols();
        let (l1, l2) = (T::from_f64(penalty.l1), T::from_f64(penalty.l2));
        for j in 0..h.rows() {
            let sums = self.numerator.row_mut(j).iter_mut().zip(found.num.row(j));
            sums.for_each(|(a, &num)| *a += num - l1);
        }
        for t in 0..k {
            let sums = self.denominator.row_mut(t).iter_mut().zip(found.den.row(t));
            sums.for_each(|(b, &den)| *b += den);
            self.denominator.row_mut(t)[t] += l2;
        }
        let wide = self.denominator.to_vec().iter().map(|v| v.to_f64()).collect();
        let (gram, rule) = (Gram::new(k, wide), Rule::Hals.update::<T>(sweeps));
        let mut all = h.view_mut();
        rule.prepare(&gram, T::ZERO).improve(&mut all, self.numerator.view());
    }
}

/// The shape of the denominator.
fn shape<T: Scalar>(rule: Rule, h: &Factor<T>) -> (usize, usize) {
    match rule {
        Rule::Hals => (h.cols(), h.cols()),
        _ => (h.rows(), h.cols()),
    }
}
