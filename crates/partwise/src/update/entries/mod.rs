//! Rules that work on the entries of X themselves: what a loss without a Gram matrix needs, and
//! weights, under which every row has an equation of its own.
//!
//! For a row f of the free factor, q = f·Hᵀ is formed where X is observed. With p the weights, the
//! gradient of a β-divergence is `den − num`, where num = Σ p x q^(β−2) h and den = Σ p q^(β−1) h, and
//! that of Huber's loss the same with num = Σ p ω x h and den = Σ p ω q h, ω = min(1, δ/|x − q|).

mod jmm;
mod least_squares;
mod mu;
mod mue;
mod row;
mod sn;
mod terms;
mod units;

use jmm::Joint;
pub(crate) use jmm::Stale;
pub(crate) use least_squares::LeastSquares;
pub(crate) use mu::Ratio;
use mue::Extrapolated;
pub(crate) use sn::ScalarNewton;
pub(crate) use terms::{Held, Terms, Wanted, evaluate, evaluate_gradient};

use super::{Momentum, Rule};
use crate::factor::ViewMut;
use crate::loss::Loss;
use crate::matrix::Observations;
use crate::penalty::Penalty;
use crate::scalar::Scalar;

/// A rule by entries.
pub(crate) trait EntryRule<T: Scalar>: Send + Sync {
    /// Improves the rows `f` of a block under a penalty, and leaves in `terms` what [`evaluate`]
    /// finds for the new rows, as far as it is wanted.
    fn improve(
        &self,
        block: &Observations<T>,
        held: &Held<'_, T>,
        penalty: Penalty,
        f: &mut ViewMut<'_, T>,
        terms: &mut Terms<T>,
    );

    /// Whether the other factor follows from sums over the same read of X.
    fn follows(&self) -> bool;

    /// Whether both factors step from the same point: `improve` then leaves the terms of the rows as
    /// they were, and in them what the other factor follows from (`Stale`).
    fn is_joint(&self) -> bool {
        false
    }

    /// How to extrapolate between steps, where that is known to help.
    fn momentum(&self) -> Option<Momentum> {
        None
    }
}

impl Rule {
    /// The rule itself where it works by entries.
    pub(crate) fn by_entries<T: Scalar>(
        self,
        loss: Loss,
        sweeps: Option<usize>,
    ) -> Box<dyn EntryRule<T>> {
        match self {
            Self::Hals => {
                let sweeps = sweeps.unwrap_or(LeastSquares::SWEEPS);
                Box::new(LeastSquares { sweeps: Some(sweeps) })
            }
            Self::Bpp => Box::new(LeastSquares { sweeps: None }),
            Self::Sn => Box::new(ScalarNewton { sweeps: sweeps.unwrap_or(ScalarNewton::SWEEPS) }),
            Self::Jmm => Box::new(Joint(Ratio { loss })),
            Self::Mue => Box::new(Extrapolated(Ratio { loss })),
            _ => Box::new(Ratio { loss }),
        }
    }
}
