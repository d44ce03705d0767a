//! SN: coordinate descent for KL by scalar Newton steps.
//!
//! * Objective: Σ p (q − x ln q) over W, H ≥ 0 with q = WHᵀ, and elastic-net penalties.
//! * Update, for each row f, `sweeps` times for t = 1..k in turn: with y = h_t / q along the entries,
//!   `f_t ← max(0, f_t − (u_t + λ₁ + λ₂f_t − Σ c y) / (Σ c y² + λ₂))`, damped where the curvature may
//!   grow on the way, with c = p·x and u = Σ p h. Before the sweeps the row is moved to the best
//!   point of its ray, after which its sum is that of X.
//! * Cost: about 4k per stored entry and sweep, and one division. Zeros of X are never touched: their
//!   share is u. Each factor reads X by its own side.
//! * Guarantee: no step raises the objective (Hsieh & Dhillon 2011,
//!   <https://doi.org/10.1145/2020408.2020577>; damping by self-concordance: Hien & Gillis 2021,
//!   <https://doi.org/10.1007/s10915-021-01504-0>). Extrapolated with restart (Ang & Gillis 2019).
//! * Use it: for KL, always.

use super::row::Row;
use super::terms::{unlisted, weigh_rows};
use super::units::{Units, are_ordinary};
use super::{EntryRule, Held, Momentum, Terms, Wanted};
use crate::factor::{Factor, ViewMut};
use crate::kernel::kl::{KlRow, KlRows, Slopes, improve, improve_rows};
use crate::kernel::kl_divergence::clear_nothings;
use crate::kernel::panel::times_panel;
use crate::loss::{Divergence, KullbackLeibler};
use crate::matrix::{Layout, Observations, SHORT};
use crate::penalty::Penalty;
use crate::scalar::Scalar;

/// Scalar Newton steps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ScalarNewton {
    /// Sweeps over the components in each half step.
    pub(crate) sweeps: usize,
}

impl ScalarNewton {
    /// Sweeps unless told otherwise.
    pub(crate) const SWEEPS: usize = 2;

    /// Short rows, side by side.
    fn improve_short<T: Scalar>(
        &self,
        block: &Observations<T>,
        held: &Held<'_, T>,
        penalty: Penalty,
        f: &mut ViewMut<'_, T>,
        terms: &mut Terms<T>,
    ) {
        let u: Vec<T> = held.sums.iter().map(|&sum| T::from_f64(sum)).collect();
        let rows = KlRows {
            panel: held.across.as_slice(),
            stride: held.across.stride(),
            x: block.dense.view(),
            weights: block.dense_weights.as_ref().map(Factor::view),
            zero_or_one: block.is_zero_or_one,
            u: &u,
            l1: T::from_f64(penalty.l1),
            quad: T::from_f64(penalty.l2),
        };
        let (told, valued) = (terms.wanted != Wanted::NOTHING, terms.wanted.divergence);
        let Terms { num, den, .. } = terms;
        let slopes = told.then(|| Slopes { num: num.view_mut(), den: den.view_mut() });
        terms.divergence = improve_rows(&rows, f, slopes, self.sweeps, valued);
    }
}

impl<T: Scalar> EntryRule<T> for ScalarNewton {
    fn improve(
        &self,
        block: &Observations<T>,
        held: &Held<'_, T>,
        penalty: Penalty,
        f: &mut ViewMut<'_, T>,
        terms: &mut Terms<T>,
    ) {
        terms.fit(block, f.cols());
        let weighed = block.dense_weights.is_some();
        if !weighed {
            weigh_rows(block, held, &mut terms.den);
        }
        let short = block.layout == Layout::Dense && block.cols <= SHORT && f.rows() > 1;
        let costs = if weighed { None } else { Some(terms.den.view()) };
        if short && are_ordinary(block, costs) {
            self.improve_short(block, held, penalty, f, terms);
            return;
        }
        let mut row = Row::default();
        let mut costs = Vec::with_capacity(f.cols());
        let (l1, quad) = (T::from_f64(penalty.l1), T::from_f64(penalty.l2));
        let mut divergence = 0.0;
        for i in 0..f.rows() {
            row.load(block, i, held);
            clear_nothings(&mut row.x);
            row.weigh();
            let len = row.len;
            let (mut q, mut ratio) = row.take_work();
            if let Some(p) = row.p.as_ref().filter(|_| weighed) {
                let (panel, stride) = row.panel(held);
                times_panel(panel, stride, p, terms.den.row_mut(i));
            }
            costs.clear();
            costs.extend(terms.den.row(i).iter().map(|&u| u + l1));
            let units = Units::of(&row.x, &costs);
            let mut c = std::mem::take(&mut row.x);
            let quad = units.bring(&mut c, &mut costs, f.row_mut(i), quad);
            let (panel, stride) = row.panel(held);
            let given = KlRow { panel, stride, len, c: &c, u: &costs, quad };
            let mut num = (terms.wanted != Wanted::NOTHING).then_some(terms.num.row_mut(i));
            improve(&given, f.row_mut(i), &mut q, &mut ratio, num.as_deref_mut(), self.sweeps);
            units.take_back(f.row_mut(i), &mut q, num);
            row.x = c;
            if terms.wanted.divergence {
                let (x, p) = block.entries(i);
                divergence += KullbackLeibler.total(x, &q[..len], p);
            }
            if terms.wanted.divergence && block.layout != Layout::Dense {
                let from = block.indptr[i];
                terms.q[from..from + len].copy_from_slice(&q[..len]);
            }
            row.give_back(q, ratio);
        }
        terms.divergence = divergence;
        if block.layout == (Layout::Listed { zeros: true }) && terms.wanted.divergence {
            terms.divergence += unlisted(block, f.as_view(), terms);
        }
    }

    fn follows(&self) -> bool {
        false
    }

    fn momentum(&self) -> Option<Momentum> {
        Some(Momentum::bold())
    }
}
