//! JMM: joint majorisation-minimisation under any β-divergence and Huber's loss, by entries.
//!
//! * Objective: that of MU (`mu.rs`).
//! * Update: both factors from the same fitted values q = W₀H₀ᵀ, with P = p x q^(β−2) and Q = p q^(β−1).
//!   W as MU has it; with r = W ⊘ W₀ and sums over the rows, H ← H₀ ∘ (Σ w₀ r^a P ⊘ Σ w₀ r^b Q)^γ.
//! * Derivation: with λ_t = w₀h₀/q, Jensen's inequality for the convex part of d and the tangent of the
//!   concave one give a majorant in products r s, s = h ⊘ h₀. For 1 ≤ β ≤ 2 all of d is convex: its terms
//!   are q^β (rs)^β / β and −x q^(β−1) (rs)^(β−1) / (β−1). For β < 1 the first is linear in rs instead, for
//!   β > 2 the second. Minimised over r at s = 1, then over s at that r, it gives MU and the update of H:
//!   (a, b, γ) = (β−1, 1, 1/(2−β)) for β < 1, (β−1, β, 1) for 1 ≤ β ≤ 2, (1, β, 1/(β−1)) for β > 2.
//!   Huber's loss is majorised by squares weighed as its residuals are: as β = 2.
//! * Cost: that of MU less one product for q: 6k per entry and iteration instead of 8k. The objective
//!   of an iterate is known when the next step is made. The certificate of H takes a read of its own.
//! * Guarantee: the majorant touches the objective at (W₀, H₀), so no iteration raises it (Marmin,
//!   Goulart & Févotte 2021, <https://arxiv.org/abs/2106.15214>).
//! * Use it: in place of MU where powers of the fitted values are most of the cost, as β is none of 0, 1, 2;
//!   `mue` needs so many fewer iterations that it is ahead of both.

use super::{EntryRule, Held, Ratio, Terms, evaluate};
use crate::factor::{Factor, ViewMut};
use crate::matrix::Observations;
use crate::penalty::Penalty;
use crate::scalar::Scalar;

/// Joint majorisation-minimisation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Joint(pub(crate) Ratio);

/// What a joint step leaves beside the improved rows, a row for each.
pub(crate) struct Stale<T> {
    /// The rows before the step, which all terms are of.
    pub(crate) before: Factor<T>,
    /// The rows with which the other factor's num and den are formed.
    pub(crate) for_num: Factor<T>,
    pub(crate) for_den: Factor<T>,
}

impl<T: Scalar> Stale<T> {
    fn fit(&mut self, rows: usize, k: usize) {
        [&mut self.before, &mut self.for_num, &mut self.for_den]
            .into_iter()
            .for_each(|f| f.reshape(rows, k));
    }
}

impl<T: Scalar> EntryRule<T> for Joint {
    fn improve(
        &self,
        block: &Observations<T>,
        held: &Held<'_, T>,
        penalty: Penalty,
        f: &mut ViewMut<'_, T>,
        terms: &mut Terms<T>,
    ) {
        let (rows, k) = (f.rows(), f.cols());
        evaluate(self.0.loss, block, held, f.as_view(), terms);
        let none = || Factor::zeros(0, k);
        let empty = || Stale { before: none(), for_num: none(), for_den: none() };
        let stale = terms.stale.get_or_insert_with(empty);
        stale.fit(rows, k);
        let (a, b) = self.0.loss.joint_exponents();
        // A shorter step lies between the minimum of the majorant and 1; so the powers of r are between
        // a roundoff and its inverse.
        let least = T::from_f64(T::ROUNDOFF.powf(1.0 / a.abs().max(b)));
        let most = T::ONE / least;
        for i in 0..rows {
            stale.before.row_mut(i).copy_from_slice(f.row(i));
            self.0.multiply(f.row_mut(i), terms.num.row(i), terms.den.row(i), penalty);
            let others = stale.for_num.row_mut(i).iter_mut().zip(stale.for_den.row_mut(i));
            let all = f.row_mut(i).iter_mut().zip(stale.before.row(i)).zip(others);
            for ((f, &before), (for_num, for_den)) in all {
                let moved = before > T::ZERO;
                let r = if moved { within(*f / before, (least, most)) } else { T::ONE };
                *f = if moved { before * r } else { *f };
                (*for_num, *for_den) = (before * power(r, a), before * power(r, b));
            }
        }
    }

    fn follows(&self) -> bool {
        true
    }

    fn is_joint(&self) -> bool {
        true
    }
}

fn power<T: Scalar>(r: T, exponent: f64) -> T {
    match exponent {
        0.0 => T::ONE,
        1.0 => r,
        2.0 => r * r,
        _ => r.powf(exponent),
    }
}

fn within<T: Scalar>(r: T, (least, most): (T, T)) -> T {
    if r > most { most } else { Scalar::max(r, least) }
}
