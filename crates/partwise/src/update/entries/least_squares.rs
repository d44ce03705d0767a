//! Least squares by rows, for the Frobenius loss under weights and with missing entries.
//!
//! * Objective: ½ Σ p (x − q)² over W, H ≥ 0 with q = WHᵀ, and elastic-net penalties.
//! * Update, for each row f: with its own normal equations G = Σ p h hᵀ + λ₂I and b = Σ p x h − λ₁,
//!   `sweeps` sweeps of coordinate descent, as HALS makes them; or the exact minimum. The same steps
//!   can keep the residuals of the entries instead of G.
//! * Cost: b is one product for all rows. G is k² for each observed entry of a row; where entries are
//!   there or missing and less than half are missing, it is the common Gram matrix less k² for each
//!   missing one. A sweep is k² with G, and 2k for each entry with residuals: these are kept where
//!   k exceeds [`EQUATIONS_BELOW`] times the sweeps, at which a product makes up for its k.
//! * Guarantee: no step raises the objective.
//! * Use it: the default under weights and with missing entries.

use super::row::Row;
use super::terms::evaluate_divergence;
use super::{EntryRule, Held, Momentum, Terms, Wanted};
use crate::factor::{Factor, View, ViewMut};
use crate::kernel::dense::{Accum, Strided, product};
use crate::kernel::residual::{LsRow, LsWork, improve};
use crate::kernel::sparse::gather;
use crate::loss::Loss;
use crate::matrix::{Layout, Observations};
use crate::penalty::Penalty;
use crate::scalar::Scalar;
use crate::update::{Bpp, Gram, Update};

/// Least squares by the normal equations of each row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LeastSquares {
    /// Sweeps in each half step; `None` for the exact minimum.
    pub(crate) sweeps: Option<usize>,
}

impl LeastSquares {
    /// Sweeps unless told otherwise.
    pub(crate) const SWEEPS: usize = 8;
}

/// Components for each sweep up to which equations are formed.
const EQUATIONS_BELOW: usize = 6;

impl<T: Scalar> EntryRule<T> for LeastSquares {
    fn improve(
        &self,
        block: &Observations<T>,
        held: &Held<'_, T>,
        penalty: Penalty,
        f: &mut ViewMut<'_, T>,
        terms: &mut Terms<T>,
    ) {
        let k = f.cols();
        terms.fit(block, k);
        if let Some(sweeps) = self.sweeps.filter(|&sweeps| k > EQUATIONS_BELOW * sweeps) {
            return by_residuals(block, held, penalty, f, terms, sweeps);
        }
        right_hand_sides(block, held, terms);
        let mut row = Equations::new(k);
        for i in 0..f.rows() {
            row.form_gram(block, i, held);
            let (own, b) = (f.row_mut(i), terms.num.row(i));
            match self.sweeps {
                Some(sweeps) => row.sweep(own, b, penalty, sweeps),
                None => row.solve(own, b, penalty),
            }
            if terms.wanted != Wanted::NOTHING {
                row.times_gram(own, terms.den.row_mut(i));
            }
        }
        if terms.wanted.divergence {
            evaluate_divergence(Loss::FROBENIUS, block, held, f.as_view(), terms);
        }
    }

    fn follows(&self) -> bool {
        false
    }

    fn momentum(&self) -> Option<Momentum> {
        Some(if self.sweeps.is_some() { Momentum::gentle() } else { Momentum::bold() })
    }
}

/// num = Σ p x h of every row.
fn right_hand_sides<T: Scalar>(block: &Observations<T>, held: &Held<'_, T>, terms: &mut Terms<T>) {
    let mut num = terms.num.view_mut();
    match block.layout {
        Layout::Dense => {
            let mut x = block.dense.clone();
            if let Some(weights) = &block.dense_weights {
                let both = x.as_mut_slice().iter_mut().zip(weights.as_slice());
                both.for_each(|(x, &w)| *x *= w);
            }
            product(Strided::of(x.view()), held.f, &mut num, Accum::Replace);
        }
        Layout::Listed { .. } => {
            let mut x = block.values.clone();
            if let Some(weights) = &block.weights {
                x.iter_mut().zip(weights).for_each(|(x, &w)| *x *= w);
            }
            gather(block.listed(&x), held.f, &mut num);
        }
    }
}

/// The same by residuals.
fn by_residuals<T: Scalar>(
    block: &Observations<T>,
    held: &Held<'_, T>,
    penalty: Penalty,
    f: &mut ViewMut<'_, T>,
    terms: &mut Terms<T>,
    sweeps: usize,
) {
    let mut row = Row::default();
    let mut inverse = vec![T::ZERO; f.cols()];
    let (l1, l2) = (T::from_f64(penalty.l1), T::from_f64(penalty.l2));
    terms.divergence = 0.0;
    for i in 0..f.rows() {
        row.load(block, i, held);
        let (mut r, spare) = row.take_work();
        let (panel, stride) = row.panel(held);
        let q = row.p.as_deref();
        let given = LsRow { panel, stride, len: row.len, x: &row.x, q, l1, l2 };
        let (num, den) = (terms.num.row_mut(i), terms.den.row_mut(i));
        let mut work = LsWork { r: &mut r, inverse: &mut inverse, num, den };
        improve(&given, f.row_mut(i), &mut work, sweeps);
        let squares = r[..row.len].iter().map(|r| r.to_f64() * r.to_f64());
        terms.divergence += 0.5
            * match q {
                None => squares.sum::<f64>(),
                Some(q) => squares.zip(q).map(|(r, q)| r * q.to_f64()).sum(),
            };
        row.give_back(r, spare);
    }
}

/// Scratch for the equations of one row.
struct Equations<T> {
    gram: Factor<T>,
    rows: Factor<T>,
    weighed: Factor<T>,
    slope: Vec<T>,
}

impl<T: Scalar> Equations<T> {
    fn new(k: usize) -> Self {
        let none = || Factor::zeros(0, k);
        Self { gram: Factor::zeros(k, k), rows: none(), weighed: none(), slope: vec![T::ZERO; k] }
    }

    /// G of row `i`, from the observed entries or from the missing ones.
    fn form_gram(&mut self, block: &Observations<T>, i: usize, held: &Held<'_, T>) {
        let k = held.f.cols();
        let (mut seen, mut missing) = (Vec::new(), Vec::new());
        let mut plain = block.layout == Layout::Dense && block.is_zero_or_one;
        block.for_each_weighed(i, |j, _, p| seen.push((j, p)));
        plain &= 2 * seen.len() > block.cols;
        if plain {
            let mut next = 0;
            for j in 0..block.cols {
                if next < seen.len() && seen[next].0 == j {
                    next += 1;
                } else {
                    missing.push((j, T::ONE));
                }
            }
        }
        let listed = if plain { &missing } else { &seen };
        if self.rows.rows() < listed.len() {
            self.rows = Factor::zeros(listed.len(), k);
            self.weighed = Factor::zeros(listed.len(), k);
        }
        for (at, &(j, p)) in listed.iter().enumerate() {
            let h = held.f.row(j);
            self.rows.row_mut(at).copy_from_slice(h);
            self.weighed.row_mut(at).iter_mut().zip(h).for_each(|(to, &h)| *to = p * h);
        }
        let rows = self.rows.view().slice(0..listed.len());
        let weighed = self.weighed.view().slice(0..listed.len());
        let across = Strided::of(rows).transposed();
        product(across, weighed, &mut self.gram.view_mut(), Accum::Replace);
        if plain {
            let lost = self.gram.as_mut_slice().iter_mut().zip(held.gram().as_slice());
            lost.for_each(|(lost, &all)| *lost = all - *lost);
        }
    }

    /// Coordinate descent with the slope b − λ₁ − (G + λ₂I)f kept along.
    fn sweep(&mut self, f: &mut [T], b: &[T], penalty: Penalty, sweeps: usize) {
        let (l1, l2) = (T::from_f64(penalty.l1), T::from_f64(penalty.l2));
        let mut along = std::mem::take(&mut self.slope);
        self.times_gram(f, &mut along);
        for ((slope, &b), &f) in along.iter_mut().zip(b).zip(f.iter()) {
            *slope = b - l1 - *slope - l2 * f;
        }
        for _ in 0..sweeps {
            for t in 0..f.len() {
                let line = self.gram.row(t);
                let curvature = line[t] + l2;
                if curvature <= T::ZERO {
                    continue;
                }
                let next = Scalar::max(f[t] + along[t] / curvature, T::ZERO);
                let step = next - f[t];
                if step != T::ZERO {
                    f[t] = next;
                    along.iter_mut().zip(line).for_each(|(slope, &g)| *slope += -(step * g));
                    along[t] += -(step * l2);
                }
            }
        }
        self.slope = along;
    }

    /// The exact minimum, by block principal pivoting.
    fn solve(&mut self, f: &mut [T], b: &[T], penalty: Penalty) {
        let k = f.len();
        let wide = (0..k).flat_map(|t| self.gram.row(t).iter().map(|v| v.to_f64())).collect();
        let gram = Gram::new(k, wide).ridged(penalty.l2);
        let solver = Bpp.prepare(&gram, T::from_f64(penalty.l1));
        solver.improve(&mut ViewMut::new(f, 1, k, k), View::new(b, 1, k, k));
    }

    /// `out = f·G`.
    fn times_gram(&self, f: &[T], out: &mut [T]) {
        out.fill(T::ZERO);
        for (t, &f) in f.iter().enumerate().filter(|(_, f)| **f != T::ZERO) {
            out.iter_mut().zip(self.gram.row(t)).for_each(|(out, &g)| *out += f * g);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::{Dense, Need, Observed, Order, Side, Weights};

    /// Both ways make the same steps.
    #[test]
    fn equations_and_residuals_agree() {
        let (rows, cols, k) = (9, 23, 7);
        let value = |e: usize| (e * 37 % 11) as f64 / 4.0;
        let x: Vec<f64> = (0..rows * cols).map(value).collect();
        let x = Dense::new(rows, cols, Order::RowMajor, x).expect("values");
        let p: Vec<f64> = (0..rows * cols).map(|e| (e * 13 % 4) as f64 / 2.0).collect();
        let p = Dense::new(rows, cols, Order::RowMajor, p).expect("values");
        let weights = Weights { entries: Some(p.into()), ..Weights::default() };
        let seen = Observed::new(&x, (Side::Rows, false), &weights, Need::Every);
        let mut block = seen.block();
        seen.read(0..rows, &mut block).expect("in memory");
        let h: Vec<f64> = (0..cols * k).map(|e| (e * 17 % 7) as f64 / 5.0).collect();
        let h = Factor::from_rows(cols, k, &h);
        let held = Held::new(h.view(), block.layout, None);
        let penalty = Penalty { l1: 0.3, l2: 0.2 };
        // One sweep of seven components keeps residuals; the same step by step keeps equations.
        let run = |rule: LeastSquares, times: usize| {
            let mut f = Factor::from_rows(rows, k, &vec![0.5; rows * k]);
            let mut terms = Terms::new(Wanted::BOTH);
            for _ in 0..times {
                rule.improve(&block, &held, penalty, &mut f.view_mut(), &mut terms);
            }
            (f.to_vec(), terms.num.to_vec(), terms.den.to_vec(), terms.divergence)
        };
        let residuals = run(LeastSquares { sweeps: Some(1) }, 4);
        let equations = run(LeastSquares { sweeps: Some(2) }, 2);
        let near = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-10);
        assert!(near(&residuals.0, &equations.0) && near(&residuals.1, &equations.1));
        assert!(near(&residuals.2, &equations.2));
        assert!((residuals.3 - equations.3).abs() < 1e-9 * equations.3);
    }
}
