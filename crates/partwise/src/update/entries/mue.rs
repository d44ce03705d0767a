//! MUe: multiplicative updates from an extrapolated point, by entries.
//!
//! * Objective: that of MU (`mu.rs`).
//! * Update: that of MU, made at F + β max(F − F_before, 0) instead of F, for both factors.
//! * Cost: that of MU; the factors are read and written once more.
//! * Guarantee: the objective of accepted iterates does not rise: a step that raised it is taken back,
//!   and the next one starts from F itself. Hien, Leplat & Gillis 2024
//!   (<https://arxiv.org/abs/2401.06646>) prove that limit points are stationary for β-divergences from
//!   1 to 2 and a given sequence of β; here β is that of Ang & Gillis (`update/momentum.rs`).
//! * Use it: for losses that have no rule of their own.

use super::{EntryRule, Held, Momentum, Ratio, Terms};
use crate::factor::ViewMut;
use crate::matrix::Observations;
use crate::penalty::Penalty;
use crate::scalar::Scalar;

/// Multiplicative updates, extrapolated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extrapolated(pub(crate) Ratio);

impl<T: Scalar> EntryRule<T> for Extrapolated {
    fn improve(
        &self,
        block: &Observations<T>,
        held: &Held<'_, T>,
        penalty: Penalty,
        f: &mut ViewMut<'_, T>,
        terms: &mut Terms<T>,
    ) {
        self.0.improve(block, held, penalty, f, terms);
    }

    fn follows(&self) -> bool {
        true
    }

    fn momentum(&self) -> Option<Momentum> {
        Some(Momentum::upward())
    }
}
