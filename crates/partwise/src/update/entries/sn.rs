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

use super::terms::{unlisted, weigh_rows};
use super::{EntryRule, Held, Momentum, Terms};
use crate::factor::ViewMut;
use crate::kernel::kl::{KlRow, improve};
use crate::kernel::panel::{gather_panel, padded};
use crate::loss::{Divergence, KullbackLeibler};
use crate::matrix::{Layout, Observations};
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
        weigh_rows(block, held, &mut terms.den);
        let mut row = Row::default();
        let mut divergence = 0.0;
        for i in 0..f.rows() {
            let (l1, quad) = (T::from_f64(penalty.l1), T::from_f64(penalty.l2));
            row.u.clear();
            row.u.extend(terms.den.row(i).iter().map(|&u| u + l1));
            let (x, weights) = row.load(block, i, held);
            let (panel, stride) = match block.layout {
                Layout::Dense => (held.across.as_slice(), held.across.stride()),
                Layout::Listed { .. } => (&row.panel[..], padded(row.len)),
            };
            let (len, u) = (row.len, &row.u[..]);
            let given = KlRow { panel, stride, len, c: &row.c, u, quad };
            let num = terms.num.row_mut(i);
            improve(&given, f.row_mut(i), &mut row.q, &mut row.ratio, num, self.sweeps);
            let q = &row.q[..len];
            if terms.valued {
                divergence += KullbackLeibler.total(x, q, weights);
            }
            if let Layout::Listed { .. } = block.layout {
                let from = block.indptr[i];
                terms.q.listed[from..from + len].copy_from_slice(q);
            }
        }
        terms.divergence = divergence;
        if block.layout == (Layout::Listed { zeros: true }) && terms.valued {
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

/// Scratch for one row, as long as its entries padded.
#[derive(Default)]
struct Row<T> {
    len: usize,
    panel: Vec<T>,
    c: Vec<T>,
    u: Vec<T>,
    q: Vec<T>,
    ratio: Vec<T>,
}

impl<T: Scalar> Row<T> {
    /// Row `i` of a block: its entries and weights; c = p·x and the panel are made ready.
    fn load<'b>(
        &mut self,
        block: &'b Observations<T>,
        i: usize,
        held: &Held<'_, T>,
    ) -> (&'b [T], Option<&'b [T]>) {
        let (x, weights) = match block.layout {
            Layout::Dense => (block.dense.row(i), block.dense_weights.as_ref().map(|w| w.row(i))),
            Layout::Listed { .. } => {
                let span = block.indptr[i]..block.indptr[i + 1];
                let indices = &block.indices[span.clone()];
                let stride = padded(indices.len());
                self.panel.resize(held.f.cols() * stride, T::ZERO);
                gather_panel(held.f, indices, &mut self.panel, stride);
                (&block.values[span.clone()], block.weights.as_ref().map(|w| &w[span]))
            }
        };
        self.len = x.len();
        let width = padded(self.len);
        self.q.resize(width, T::ZERO);
        self.ratio.resize(width, T::ZERO);
        self.c.clear();
        self.c.extend_from_slice(x);
        if let Some(weights) = weights {
            self.c.iter_mut().zip(weights).for_each(|(c, &w)| *c = *c * w);
        }
        self.c.resize(width, T::ZERO);
        (x, weights)
    }
}
