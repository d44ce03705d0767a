//! One restart in a batch: its columns of the wide factors, its Gram matrices, and what a pass added
//! up for it.

use crate::fit::course::Opening;
use crate::fit::member::{Found, Member};
use crate::fit::result::residual_bound;
use crate::kernel::kkt::KktSums;
use crate::matrix::{Matrix, Missing};
use crate::metric::Kkt;
use crate::penalty::Penalty;
use crate::scalar::Scalar;
use crate::update::{Gram, Update};
use std::ops::Range;

/// The usual expansion of the objective is good to this many units of roundoff of ½‖X‖².
const EXPANSION_NOISE: f64 = 8.0;
/// Below this many times its noise the expansion gives way to the residual itself.
const DIRECT_BELOW: f64 = 20.0;
/// A component may be started again this often.
const RESEEDS: usize = 3;

/// One restart.
pub(super) struct Strand<T> {
    pub(super) member: Member<T>,
    pub(super) columns: Range<usize>,
    /// Which of the two `a` factors holds the accepted iterate; the other one holds that before it.
    pub(super) current: usize,
    /// Whether the next pass is to sum the residual itself.
    pub(super) direct: bool,
    /// Gram of the accepted `a`, of `b` as the next pass will use it.
    pub(super) gram_a: Vec<f64>,
    pub(super) gram_b: Gram<T>,
    pub(super) sums: Sums,
    /// Components that the accepted iterate does not have: zero on one side.
    zero: Vec<bool>,
    pub(super) reseeds: Vec<usize>,
}

/// What a pass adds up for one restart.
#[derive(Clone, Default)]
pub(super) struct Sums {
    pub(super) kkt: KktSums,
    /// aᵀa of the new rows, and aᵀ(rows before).
    pub(super) gram: Vec<f64>,
    pub(super) cross: Vec<f64>,
    pub(super) residual: f64,
    /// Σ q² over missing entries: what the sums above count though it is not there.
    pub(super) imputed: f64,
}

impl Sums {
    pub(super) fn zeros(k: usize) -> Self {
        Self { gram: vec![0.0; k * k], cross: vec![0.0; k * k], ..Self::default() }
    }

    pub(super) fn add(&mut self, next: &Self) {
        self.kkt.add(&next.kkt);
        add_to(&mut self.gram, &next.gram);
        add_to(&mut self.cross, &next.cross);
        self.residual += next.residual;
        self.imputed += next.imputed;
    }
}

/// What a course by normal equations knows about X.
#[derive(Clone, Copy)]
pub(crate) struct Problem<'a, T: Scalar> {
    pub(crate) x: &'a dyn Matrix<T>,
    /// Whether X is stored sparse, so that residuals are sums over what is stored.
    pub(crate) is_sparse: bool,
    pub(crate) norm_sq: f64,
    pub(crate) row_norm_sq: &'a [f64],
    pub(crate) rule: &'a dyn Update<T>,
    /// The rule of plain iterations, and how it begins.
    pub(crate) plain: &'a dyn Update<T>,
    pub(crate) opening: Opening,
    /// Whether `a`, `b` are held as they are, and what they are charged.
    pub(crate) fixed: (bool, bool),
    pub(crate) penalties: (Penalty, Penalty),
    /// Entries that are missing. X is zero there, and every step takes them for what the fit before
    /// it puts there, which cannot raise the objective of the others (EM).
    pub(crate) missing: Option<&'a Missing>,
}

impl<T: Scalar> Problem<'_, T> {
    /// How wrong the expansion of the objective may be, if it has such squares at missing entries.
    fn noise(&self, imputed: f64) -> f64 {
        0.5 * EXPANSION_NOISE * T::ROUNDOFF * (self.norm_sq + imputed)
    }
}

/// A divergence, and how far rounding may have moved it.
#[derive(Clone, Copy)]
pub(super) struct Estimate {
    divergence: f64,
    bound: f64,
}

/// What the second half of an iteration does for one restart.
pub(super) struct OtherStep<T> {
    /// `c = last + beta · (last − accepted)` if the iterate was accepted, else `c = accepted`.
    pub(super) accepted: bool,
    pub(super) beta: T,
    pub(super) gram: Gram<T>,
}

impl<T: Scalar> Strand<T> {
    pub(super) fn new(member: Member<T>, columns: Range<usize>, gram_b: Vec<f64>) -> Self {
        let k = columns.len();
        Self {
            member,
            columns,
            current: 0,
            direct: false,
            gram_a: vec![0.0; k * k],
            gram_b: Gram::new(k, gram_b),
            sums: Sums::zeros(k),
            zero: vec![false; k],
            reseeds: vec![0; k],
        }
    }

    /// The divergence of the iterate of the last pass, if its sums tell: the expansion cannot tell
    /// values about its noise apart.
    pub(super) fn measured(&self, problem: &Problem<'_, T>) -> Option<Estimate> {
        if self.direct {
            return Some(self.of_residual(problem, self.sums.residual));
        }
        let own = Gram::<T>::new(self.gram_b.k(), self.sums.gram.clone());
        let error = problem.norm_sq - 2.0 * self.sums.kkt.cross + own.dot(&self.gram_b);
        let divergence = 0.5 * (error - self.sums.imputed);
        let bound = problem.noise(self.sums.imputed);
        // What is not finite stays so.
        let told = divergence >= DIRECT_BELOW * bound || !divergence.is_finite();
        told.then_some(Estimate { divergence, bound })
    }

    /// The same from its residual.
    pub(super) fn of_residual(&self, problem: &Problem<'_, T>, residual: f64) -> Estimate {
        let (shape, k) = (problem.x.shape(), self.gram_b.k());
        let fitted_sq = Gram::<T>::new(k, self.sums.gram.clone()).dot(&self.gram_b);
        let sums = problem.is_sparse.then_some(problem.norm_sq + fitted_sq);
        let bound = residual_bound::<T>((shape, k), fitted_sq, sums, residual);
        Estimate { divergence: 0.5 * residual, bound }
    }

    /// Judges the iterate of the last pass; `other` is what `b` adds to its KKT residual.
    pub(super) fn judge(
        &mut self,
        problem: &Problem<'_, T>,
        Estimate { divergence, bound }: Estimate,
        other: KktSums,
        first: bool,
    ) {
        let own = Gram::<T>::new(self.gram_b.k(), self.sums.gram.clone());
        let (pen_a, pen_b) = problem.penalties;
        let penalty = pen_a.value(self.sums.kkt.mass, own.trace())
            + pen_b.value(other.mass, self.gram_b.trace());
        let margin = bound + EXPANSION_NOISE * T::ROUNDOFF * penalty;
        let (w, w_zeros) = if problem.fixed.0 { (0.0, 0.0) } else { self.sums.kkt.residual() };
        let (h, h_zeros) = if problem.fixed.1 { (0.0, 0.0) } else { other.residual() };
        let kkt = Kkt { w, w_zeros, h, h_zeros };
        self.member.judge(Found { divergence, penalty, bound, margin, kkt }, first);
        if self.member.accepted {
            self.current = 1 - self.current;
            let none =
                |t| self.gram_b.is_dead(t) || T::from_f64(own.wide()[t * own.k() + t]) <= T::ZERO;
            self.zero = (0..own.k()).map(none).collect();
        }
        let noise = problem.noise(self.sums.imputed);
        self.direct = self.member.divergence < DIRECT_BELOW * noise;
    }

    /// A component that the accepted iterate does not have, though X could use it and it has not been
    /// tried often. Under a penalty, a component may be zero by right.
    pub(super) fn dead(&self, problem: &Problem<'_, T>) -> Option<usize> {
        let charged = !(problem.penalties.0.is_none() && problem.penalties.1.is_none());
        let fitted = self.member.divergence <= DIRECT_BELOW * problem.noise(0.0);
        if problem.fixed != (false, false) || charged || fitted {
            return None;
        }
        (0..self.zero.len()).find(|&t| self.zero[t] && self.reseeds[t] < RESEEDS)
    }

    /// Prepares the second half of the iteration.
    pub(super) fn step(&mut self) -> OtherStep<T> {
        let k = self.gram_b.k();
        if !self.member.accepted {
            return OtherStep {
                accepted: false,
                beta: T::ZERO,
                gram: Gram::new(k, self.gram_a.clone()),
            };
        }
        let beta = self.member.beta();
        let (new, cross) = (&self.sums.gram, &self.sums.cross);
        // With y = a + β(a − a₀): yᵀy = (1+β)² aᵀa − β(1+β)(aᵀa₀ + a₀ᵀa) + β² a₀ᵀa₀.
        let mut gram = new.clone();
        if beta > 0.0 {
            for s in 0..k {
                for t in 0..k {
                    let mixed = cross[s * k + t] + cross[t * k + s];
                    gram[s * k + t] = (1.0 + beta) * (1.0 + beta) * new[s * k + t]
                        - beta * (1.0 + beta) * mixed
                        + beta * beta * self.gram_a[s * k + t];
                }
            }
        }
        self.gram_a.clone_from(new);
        OtherStep { accepted: true, beta: T::from_f64(beta), gram: Gram::new(k, gram) }
    }

    /// The iterate was changed from outside: nothing before it counts.
    pub(super) fn restart_from_here(&mut self, gram_b: Vec<f64>) {
        self.gram_b = Gram::new(self.gram_b.k(), gram_b);
        self.member.restart_from_here();
    }
}

pub(super) fn add_to(sum: &mut [f64], add: &[f64]) {
    sum.iter_mut().zip(add).for_each(|(to, from)| *to += from);
}
