//! One restart of a batch: its scalars, what a pass added up for it, and the judgement of an iterate.

use super::outcome::{Record, Status};
use crate::init::Pair;
use crate::kernel::kkt::KktSums;
use crate::matrix::Matrix;
use crate::metric::Kkt;
use crate::scalar::Scalar;
use crate::update::{Gram, Momentum, Update};
use std::ops::Range;

/// The usual expansion of the objective is good to this many units of roundoff of ‖X‖².
const EXPANSION_NOISE: f64 = 8.0;
/// Below this many times its noise the expansion gives way to the residual itself.
const DIRECT_BELOW: f64 = 20.0;
/// A component may be started again this often.
const RESEEDS: usize = 3;

/// One restart.
pub(crate) struct Member<T> {
    pub(crate) restart: usize,
    pub(super) columns: Range<usize>,
    /// Which of the two `a` factors holds the accepted iterate; the other one holds that before it.
    pub(super) current: usize,
    /// ‖X − ABᵀ‖² of the accepted iterate, and the least so far.
    pub(crate) error: f64,
    pub(super) least: f64,
    pub(super) least_is_direct: bool,
    pub(crate) kkt: Kkt,
    pub(super) momentum: Option<Momentum>,
    pub(super) accepted: bool,
    /// Accepted iterates since the start, or since a component was started again.
    pub(super) run: usize,
    pub(super) direct: bool,
    /// Gram of the accepted `a`, of `b` as the next pass will use it.
    pub(super) gram_a: Vec<f64>,
    pub(super) gram_b: Gram<T>,
    pub(super) sums: Sums,
    pub(super) reseeds: Vec<usize>,
    pub(crate) reseeded: usize,
    pub(crate) rose: usize,
    pub(crate) status: Option<Status>,
    pub(crate) history: Vec<Record>,
    /// The best iterate of a rule that can lose it.
    pub(super) kept: Option<(Pair<T>, f64, Kkt)>,
}

/// What a pass adds up for one member.
#[derive(Clone, Default)]
pub(super) struct Sums {
    pub(super) kkt: KktSums,
    /// aᵀa of the new rows, and aᵀ(rows before).
    pub(super) gram: Vec<f64>,
    pub(super) cross: Vec<f64>,
    pub(super) residual: f64,
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
    }
}

/// What the loop knows about X.
#[derive(Clone, Copy)]
pub(crate) struct Problem<'a, T: Scalar> {
    pub(crate) x: &'a dyn Matrix<T>,
    pub(crate) norm_sq: f64,
    pub(crate) row_norm_sq: &'a [f64],
    pub(crate) rule: &'a dyn Update<T>,
    /// Whether `a`, `b` are held as they are.
    pub(crate) fixed: (bool, bool),
}

impl<T: Scalar> Problem<'_, T> {
    /// How wrong the expansion of the objective may be.
    pub(crate) fn noise(&self) -> f64 {
        EXPANSION_NOISE * T::ROUNDOFF * self.norm_sq
    }
}

/// What the second half of an iteration does for one member.
pub(super) struct OtherStep<T> {
    /// `c = last + beta · (last − accepted)` if the iterate was accepted, else `c = accepted`.
    pub(super) accepted: bool,
    pub(super) beta: T,
    pub(super) gram: Gram<T>,
}

impl<T: Scalar> Member<T> {
    pub(super) fn new(
        restart: usize,
        columns: Range<usize>,
        momentum: Option<Momentum>,
        gram_b: Vec<f64>,
    ) -> Self {
        let k = columns.len();
        Self {
            restart,
            columns,
            current: 0,
            error: f64::INFINITY,
            least: f64::INFINITY,
            least_is_direct: false,
            kkt: Kkt::UNKNOWN,
            momentum,
            accepted: false,
            run: 0,
            direct: false,
            gram_a: vec![0.0; k * k],
            gram_b: Gram::new(k, gram_b),
            sums: Sums::zeros(k),
            reseeds: vec![0; k],
            reseeded: 0,
            rose: 0,
            status: None,
            history: Vec::new(),
            kept: None,
        }
    }

    /// β of the next half step: none where there is no step before it, or it was taken back.
    pub(super) fn beta(&self) -> f64 {
        match self.momentum {
            Some(momentum) if self.accepted && self.run > 1 => momentum.beta(),
            _ => 0.0,
        }
    }

    pub(super) fn judge(&mut self, problem: &Problem<'_, T>, other: KktSums, first: bool) {
        let noise = problem.noise();
        let own = Gram::<T>::new(self.gram_b.k(), self.sums.gram.clone()).dot(&self.gram_b);
        let expanded = problem.norm_sq - 2.0 * self.sums.kkt.cross + own;
        let error = if self.direct { self.sums.residual } else { expanded };
        if !error.is_finite() {
            self.status = Some(Status::NumericalTrouble);
            self.accepted = false;
            return;
        }
        // The expansion cannot tell values below its noise apart; the residual itself can.
        let error = if self.direct { error } else { error.max(noise) };
        let margin = if self.direct { 1e-6 * self.least } else { noise };
        let comparable = self.direct == self.least_is_direct;
        let rose = comparable && error > self.least + margin;
        self.accepted = first || !rose || self.momentum.is_none();
        if rose && self.momentum.is_none() {
            self.rose += 1;
        }
        if let (Some(momentum), false) = (self.momentum.as_mut(), first) {
            if self.accepted { momentum.accept() } else { momentum.reject() }
        }
        if self.accepted {
            self.error = error;
            self.least = if comparable { self.least.min(error) } else { error };
            self.least_is_direct = self.direct;
            let fixed = problem.fixed;
            let (w, w_zeros) = if fixed.0 { (0.0, 0.0) } else { self.sums.kkt.residual() };
            let (h, h_zeros) = if fixed.1 { (0.0, 0.0) } else { other.residual() };
            self.kkt = Kkt { w, w_zeros, h, h_zeros };
            self.current = 1 - self.current;
            self.run += 1;
        }
        self.direct = self.error < DIRECT_BELOW * noise;
    }

    /// A component that is zero on one side, though X could use it and it has not been tried often.
    pub(crate) fn dead(&self, problem: &Problem<'_, T>) -> Option<usize> {
        if problem.fixed != (false, false) || self.error <= DIRECT_BELOW * problem.noise() {
            return None;
        }
        let k = self.gram_b.k();
        let zero =
            |t: usize| self.gram_b.is_dead(t) || T::from_f64(self.sums.gram[t * k + t]) <= T::ZERO;
        (0..k).find(|&t| zero(t) && self.reseeds[t] < RESEEDS)
    }

    /// Prepares the second half of the iteration.
    pub(super) fn step(&mut self) -> OtherStep<T> {
        let k = self.gram_b.k();
        if !self.accepted {
            return OtherStep {
                accepted: false,
                beta: T::ZERO,
                gram: Gram::new(k, self.gram_a.clone()),
            };
        }
        let beta = self.beta();
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
        self.accepted = false;
        self.run = 0;
        self.error = f64::INFINITY;
        self.least = f64::INFINITY;
        self.reseeded += 1;
    }

    /// The best of `pair` and the iterate kept.
    pub(super) fn best(&mut self, pair: Pair<T>) -> Pair<T> {
        match self.kept.take() {
            Some((kept, error, kkt)) if error < self.error => {
                self.error = error;
                self.kkt = kkt;
                kept
            }
            _ => pair,
        }
    }
}

pub(super) fn add_to(sum: &mut [f64], add: &[f64]) {
    sum.iter_mut().zip(add).for_each(|(to, from)| *to += from);
}
