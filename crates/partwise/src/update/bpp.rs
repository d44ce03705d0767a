//! BPP: exact alternating non-negative least squares by block principal pivoting.
//!
//! * Objective: ½‖X − WHᵀ‖²_F over W, H ≥ 0.
//! * Update: each row is the exact minimiser. A set F of free components is guessed, `G_FF f_F = b_F`
//!   solved, and components with f < 0 in F or gradient fG − b < 0 outside exchanged: all at once
//!   while their number falls, else only the last one, which cannot cycle (Murty).
//! * Cost: k³/3 per distinct F, k² per row and exchange. Rows with the same F share its Cholesky
//!   factorisation.
//! * Guarantee: exact two-block coordinate descent, every limit point is stationary (Kim & Park
//!   2011, <https://doi.org/10.1137/110821172>). Dependent components are left at zero.
//! * Use it: for k up to about 50 when exact half steps matter, as in `transform`.

use super::{Gram, Improve, Momentum, Update};
use crate::factor::{View, ViewMut};
use crate::kernel::cholesky;
use crate::scalar::Scalar;
use std::collections::HashMap;
use std::rc::Rc;

/// Exact non-negative least squares by block principal pivoting.
#[derive(Debug, Clone, Copy)]
pub struct Bpp;

/// Full exchanges without progress before the one-at-a-time rule takes over.
const PATIENCE: usize = 3;
/// A gradient this small beside the terms it is the difference of counts as zero.
const FLAT: f64 = 1e-12;
/// Factorisations kept for reuse, in values.
const KEPT_VALUES: usize = 1 << 21;

impl<T: Scalar> Update<T> for Bpp {
    fn prepare<'a>(&'a self, gram: &'a Gram<T>, charge: T) -> Box<dyn Improve<T> + 'a> {
        Box::new(Prepared { gram, charge: charge.to_f64() })
    }

    fn momentum(&self) -> Option<Momentum> {
        Some(Momentum::bold())
    }
}

struct Prepared<'a, T> {
    gram: &'a Gram<T>,
    charge: f64,
}

impl<T: Scalar> Improve<T> for Prepared<'_, T> {
    fn improve(&self, f: &mut ViewMut<'_, T>, b: View<'_, T>) {
        let mut solver = Solver::new(self.gram.wide(), self.gram.k());
        for i in 0..f.rows() {
            for (wide, v) in solver.b.iter_mut().zip(b.row(i)) {
                *wide = v.to_f64() - self.charge;
            }
            for (free, &v) in solver.free.iter_mut().zip(f.row(i)) {
                *free = v > T::ZERO;
            }
            solver.solve();
            for (value, &x) in f.row_mut(i).iter_mut().zip(&solver.x) {
                *value = T::from_f64(x);
            }
        }
    }
}

/// min ½ x G xᵀ − b xᵀ over x ≥ 0, one right-hand side after another. The result depends on G, b
/// and the first guess alone, not on what was solved before.
struct Solver<'a> {
    gram: &'a [f64],
    k: usize,
    b: Vec<f64>,
    x: Vec<f64>,
    free: Vec<bool>,
    kept: HashMap<Vec<bool>, Rc<Cholesky>>,
    kept_values: usize,
}

impl<'a> Solver<'a> {
    fn new(gram: &'a [f64], k: usize) -> Self {
        let (b, x, free) = (vec![0.0; k], vec![0.0; k], vec![false; k]);
        Self { gram, k, b, x, free, kept: HashMap::new(), kept_values: 0 }
    }

    fn solve(&mut self) {
        let mut fewest = self.k + 1;
        let mut patience = PATIENCE;
        for _ in 0..20 * (self.k + 5) {
            self.factorisation().solve(&self.b, &mut self.x);
            let wrong = self.infeasible();
            if wrong.is_empty() {
                return;
            }
            if wrong.len() < fewest {
                fewest = wrong.len();
                patience = PATIENCE;
            } else if patience > 0 {
                patience -= 1;
            } else {
                let last = wrong[wrong.len() - 1];
                self.free[last] = !self.free[last];
                continue;
            }
            for t in wrong {
                self.free[t] = !self.free[t];
            }
        }
        self.descend();
    }

    /// Components that violate their condition: x ≥ 0 if free, gradient ≥ 0 if not.
    fn infeasible(&self) -> Vec<usize> {
        let wrong = |&t: &usize| {
            if self.free[t] {
                return self.x[t] < 0.0;
            }
            let row = &self.gram[t * self.k..(t + 1) * self.k];
            let (mut along, mut size) = (0.0, self.b[t].abs());
            for (g, x) in row.iter().zip(&self.x) {
                along += g * x;
                size += (g * x).abs();
            }
            along - self.b[t] < -FLAT * size
        };
        (0..self.k).filter(wrong).collect()
    }

    /// Coordinate descent to the end, for ties that rounding keeps exchanging.
    fn descend(&mut self) {
        self.x.iter_mut().for_each(|x| *x = x.max(0.0));
        for _ in 0..200 * self.k {
            let mut moved = 0.0f64;
            for t in 0..self.k {
                let row = &self.gram[t * self.k..(t + 1) * self.k];
                if row[t] > 0.0 {
                    let along: f64 = row.iter().zip(&self.x).map(|(g, x)| g * x).sum();
                    let next = (self.x[t] + (self.b[t] - along) / row[t]).max(0.0);
                    moved = moved
                        .max((next - self.x[t]).abs() / (next + self.x[t] + f64::MIN_POSITIVE));
                    self.x[t] = next;
                }
            }
            if moved < 1e-14 {
                break;
            }
        }
    }

    fn factorisation(&mut self) -> Rc<Cholesky> {
        if let Some(kept) = self.kept.get(&self.free) {
            return Rc::clone(kept);
        }
        let members: Vec<usize> = (0..self.k).filter(|&t| self.free[t]).collect();
        let made = Rc::new(Cholesky::of(self.gram, self.k, &members));
        if self.kept_values > KEPT_VALUES {
            self.kept.clear();
            self.kept_values = 0;
        }
        self.kept_values += made.lower.len() + self.k;
        self.kept.insert(self.free.clone(), Rc::clone(&made));
        made
    }
}

/// The factorised Gram matrix of some components, without those that depend on others.
pub(super) struct Cholesky {
    members: Vec<usize>,
    lower: Vec<f64>,
}

impl Cholesky {
    pub(super) fn of(gram: &[f64], k: usize, members: &[usize]) -> Self {
        let mut members = members.to_vec();
        loop {
            let n = members.len();
            let mut lower = vec![0.0; n * n];
            for (row, &s) in lower.chunks_exact_mut(n.max(1)).zip(&members) {
                for (to, &t) in row.iter_mut().zip(&members) {
                    *to = gram[s * k + t];
                }
            }
            match cholesky::factorise(&mut lower, n) {
                Ok(()) => return Self { members, lower },
                Err(dependent) => {
                    members.remove(dependent);
                }
            }
        }
    }

    /// `x_F = G_FF⁻¹ b_F`, zero elsewhere.
    pub(super) fn solve(&self, b: &[f64], x: &mut [f64]) {
        let mut part: Vec<f64> = self.members.iter().map(|&t| b[t]).collect();
        cholesky::solve(&self.lower, part.len(), &mut part);
        x.fill(0.0);
        for (&t, value) in self.members.iter().zip(part) {
            x[t] = value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// O14: the minimum over all 2^k supports.
    fn exhaustive(gram: &[f64], b: &[f64]) -> Vec<f64> {
        let k = b.len();
        let mut best = (f64::INFINITY, vec![0.0; k]);
        for mask in 0..1usize << k {
            let members: Vec<usize> = (0..k).filter(|t| mask >> t & 1 == 1).collect();
            let mut x = vec![0.0; k];
            Cholesky::of(gram, k, &members).solve(b, &mut x);
            if x.iter().all(|&v| v >= 0.0) {
                let mut value = 0.0;
                for s in 0..k {
                    value -= b[s] * x[s];
                    for t in 0..k {
                        value += 0.5 * x[s] * gram[s * k + t] * x[t];
                    }
                }
                if value < best.0 {
                    best = (value, x);
                }
            }
        }
        best.1
    }

    #[test]
    fn o14_equals_the_best_of_all_supports() {
        let k = 5;
        let mut state = 7u64;
        let mut next = move || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 40) as f64 / (1 << 24) as f64 - 0.4
        };
        for _ in 0..200 {
            let f: Vec<f64> = (0..9 * k).map(|_| next()).collect();
            let mut gram = vec![0.0; k * k];
            for row in f.chunks(k) {
                for s in 0..k {
                    for t in 0..k {
                        gram[s * k + t] += row[s] * row[t];
                    }
                }
            }
            let mut solver = Solver::new(&gram, k);
            solver.b = (0..k).map(|_| next()).collect();
            solver.solve();
            for (got, want) in solver.x.iter().zip(exhaustive(&gram, &solver.b)) {
                assert!((got - want).abs() <= 1e-12, "{got} {want}");
            }
        }
    }

    #[test]
    fn l50_equal_components_do_not_fail() {
        let gram = [2.0, 2.0, 1.0, 2.0, 2.0, 1.0, 1.0, 1.0, 3.0];
        let mut solver = Solver::new(&gram, 3);
        solver.b = vec![4.0, 4.0, 5.0];
        solver.solve();
        let fitted = |t: usize| (0..3).map(|s| gram[t * 3 + s] * solver.x[s]).sum::<f64>();
        assert!((fitted(0) - 4.0).abs() < 1e-12 && (fitted(2) - 5.0).abs() < 1e-12);
    }
}
