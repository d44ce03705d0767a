//! MU under any β-divergence and Huber's loss, by entries.
//!
//! * Objective: Σ p d(x, q) over W, H ≥ 0 with q = (WHᵀ), and elastic-net penalties.
//! * Update, for each row f: `f ← f ∘ (num ⊘ (den + λ₁ + λ₂f))^γ` with num = Σ p x q^(β−2) h,
//!   den = Σ p q^(β−1) h, and γ = 1/(2−β) for β < 1, 1 for 1 ≤ β ≤ 2, 1/(β−1) for β > 2.
//!   Huber: num = Σ p ω x h, den = Σ p ω q h with ω = min(1, δ/|x − q|), and γ = 1.
//!   With λ₂ > 0 and β < 2, where ½λ₂f² is not majorised by that of the loss: f ← f r with r the root of
//!   (den + λ₁) r^(1/γ) + λ₂f r^(3−β) = num.
//! * Cost: 4k per entry and half step, and two powers for β other than 0, 1, 2. The other factor
//!   follows from sums over the same read of X. For KL on sparse X only stored entries are touched.
//! * Guarantee: no step raises the objective (Févotte & Idier 2011,
//!   <https://doi.org/10.1162/NECO_a_00168>; for Huber see `loss/huber.rs`). Entries are kept above a roundoff of the largest of
//!   their row, which counts as zero and leaves a way back.
//! * Use it: for every loss but Frobenius and KL, where faster rules exist.

use super::{EntryRule, Held, Terms, evaluate, evaluate_gradient};
use crate::factor::ViewMut;
use crate::loss::Loss;
use crate::matrix::Observations;
use crate::penalty::Penalty;
use crate::scalar::Scalar;

/// Multiplicative updates on the ratio X ⊘ WH.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ratio {
    pub(crate) loss: Loss,
}

/// Newton's steps to a root that the first point is at most twice of: they double the digits.
const STEPS: usize = 8;

/// The root z ≥ 0 of den·z + bend·z^power = num, power ≥ 1.
fn root((num, den, bend): (f64, f64, f64), power: f64) -> f64 {
    if num <= 0.0 {
        return 0.0;
    }
    if power == 2.0 {
        return 2.0 * num / (den + (den * den + 4.0 * bend * num).sqrt());
    }
    let most = (num / bend).powf(1.0 / power);
    let mut z = if den > 0.0 { most.min(num / den) } else { most };
    for _ in 0..STEPS {
        let pull = bend * z.powf(power - 1.0);
        let next = z - (z * (den + pull) - num) / (den + power * pull);
        if next >= z {
            break;
        }
        z = next;
    }
    z
}

impl<T: Scalar> EntryRule<T> for Ratio {
    fn improve(
        &self,
        block: &Observations<T>,
        held: &Held<'_, T>,
        penalty: Penalty,
        f: &mut ViewMut<'_, T>,
        terms: &mut Terms<T>,
    ) {
        evaluate_gradient(self.loss, block, held, f.as_view(), terms);
        for i in 0..f.rows() {
            self.multiply(f.row_mut(i), terms.num.row(i), terms.den.row(i), penalty);
        }
        evaluate(self.loss, block, held, f.as_view(), terms);
    }

    fn follows(&self) -> bool {
        true
    }
}

impl Ratio {
    /// One update of one row.
    pub(crate) fn multiply<T: Scalar>(&self, f: &mut [T], num: &[T], den: &[T], penalty: Penalty) {
        let exponent = self.loss.exponent();
        let (l1, l2) = (T::from_f64(penalty.l1), T::from_f64(penalty.l2));
        if penalty.l2 > 0.0 && self.bends_less() {
            for ((f, num), den) in f.iter_mut().zip(num).zip(den) {
                let before = f.to_f64();
                let (den, bend) = (den.to_f64() + penalty.l1, penalty.l2 * before);
                if let Some(ratio) = self.shrunk(num.to_f64(), den, bend) {
                    *f = T::from_f64(before * ratio);
                }
            }
            return self.keep_above_zero(f);
        }
        for ((f, &num), &den) in f.iter_mut().zip(num).zip(den) {
            let den = den + l1 + l2 * *f;
            if *f > T::ZERO && den > T::ZERO {
                let ratio = num / den;
                *f *= if exponent == 1.0 { ratio } else { ratio.powf(exponent) };
            }
        }
        self.keep_above_zero(f);
    }

    /// Whether ½λ₂f² bends more than the majorant of the loss.
    fn bends_less(&self) -> bool {
        self.loss.joint_exponents().1 < 2.0
    }

    /// The ratio r of an update under an L2 penalty of which the slope is `bend`, where that is no part of
    /// the usual one: the root of den r^(1/γ) + bend r^(3−β) = num.
    pub(crate) fn shrunk(&self, num: f64, den: f64, bend: f64) -> Option<f64> {
        if bend <= 0.0 || !self.bends_less() {
            return None;
        }
        let (a, b) = self.loss.joint_exponents();
        let (own, ridge) = (b - a, 2.0 - a);
        // With z = r^(1/γ) the equation is convex in z.
        let z = root((num, den, bend), ridge / own);
        Some(if own == 1.0 { z } else { z.powf(1.0 / own) })
    }

    /// Keeps the positive entries of a row above what counts as zero.
    pub(crate) fn keep_above_zero<T: Scalar>(&self, f: &mut [T]) {
        let largest = f.iter().fold(T::ZERO, |a, &b| Scalar::max(a, b));
        let floor = T::from_f64(0.25 * f64::ROUNDOFF) * largest;
        f.iter_mut().filter(|f| **f > T::ZERO).for_each(|f| *f = Scalar::max(*f, floor));
    }
}
