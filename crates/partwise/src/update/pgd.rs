//! PGD: projected gradient descent with a line search.
//!
//! * Objective: ½‖X − WHᵀ‖²_F over W, H ≥ 0.
//! * Update, for each row f with gradient g = fG + λ₁ − b, `steps` times:
//!   `d = max(0, f − λg) − f`, `f ← f + αd`, where α = min(1, −g·d / dGd) is the exact minimiser on
//!   the feasible segment and λ the Barzilai–Borwein step d·d / dGd of the step before.
//! * Cost: 2k² per row and step.
//! * Guarantee: no step raises the objective, since α is exact; limit points of alternating such
//!   steps are stationary (Lin 2007, <https://doi.org/10.1162/neco.2007.19.10.2756>; the step
//!   length is that of Birgin, Martínez & Raydan 2000).
//! * Use it: where a gradient method is asked for. HALS is faster.

use super::{Gram, Improve, Update};
use crate::factor::{View, ViewMut};
use crate::scalar::Scalar;

/// Projected gradient descent with an exact line search.
#[derive(Debug, Clone, Copy)]
pub struct Pgd {
    /// Gradient steps for each product with X.
    pub steps: usize,
}

impl<T: Scalar> Update<T> for Pgd {
    fn prepare<'a>(&'a self, gram: &'a Gram<T>, charge: T) -> Box<dyn Improve<T> + 'a> {
        let k = gram.k();
        let row_sum =
            |s: usize| gram.wide()[s * k..(s + 1) * k].iter().map(|v| v.abs()).sum::<f64>();
        // The largest row sum bounds the largest eigenvalue, so 1/bound is a safe first step.
        let bound = (0..k).map(row_sum).fold(0.0, f64::max);
        // Without curvature a step may be of any length: the charge alone pulls, to zero.
        let first = if bound > 0.0 { 1.0 / bound } else { f64::MAX };
        Box::new(Prepared { gram, charge: charge.to_f64(), first, steps: self.steps })
    }
}

struct Prepared<'a, T> {
    gram: &'a Gram<T>,
    charge: f64,
    first: f64,
    steps: usize,
}

impl<T: Scalar> Improve<T> for Prepared<'_, T> {
    fn improve(&self, f: &mut ViewMut<'_, T>, b: View<'_, T>) {
        let k = f.cols();
        let mut row = Row { x: vec![0.0; k], g: vec![0.0; k], d: vec![0.0; k], gd: vec![0.0; k] };
        for i in 0..f.rows() {
            row.start(f.row(i), b.row(i), self);
            let mut step = self.first;
            for _ in 0..self.steps {
                match row.descend(step, self.gram.wide()) {
                    Some(next) => step = next,
                    None => break,
                }
            }
            for (value, &x) in f.row_mut(i).iter_mut().zip(&row.x) {
                *value = T::from_f64(x);
            }
        }
    }
}

/// One row: the point, its gradient, the direction, and G times the direction.
struct Row {
    x: Vec<f64>,
    g: Vec<f64>,
    d: Vec<f64>,
    gd: Vec<f64>,
}

impl Row {
    fn start<T: Scalar>(&mut self, f: &[T], b: &[T], under: &Prepared<'_, T>) {
        for (x, v) in self.x.iter_mut().zip(f) {
            *x = v.to_f64();
        }
        times(under.gram.wide(), &self.x, &mut self.g);
        for (g, v) in self.g.iter_mut().zip(b) {
            *g -= v.to_f64() - under.charge;
        }
    }

    /// One step; `None` when there is nowhere to go, else the step length for the next.
    fn descend(&mut self, step: f64, gram: &[f64]) -> Option<f64> {
        for ((d, &x), &g) in self.d.iter_mut().zip(&self.x).zip(&self.g) {
            let target = x - step * g;
            *d = if target < 0.0 { -x } else { target - x };
        }
        times(gram, &self.d, &mut self.gd);
        let slope = dot(&self.g, &self.d);
        let curvature = dot(&self.d, &self.gd);
        if slope >= 0.0 || curvature.is_nan() {
            return None;
        }
        let length = if curvature > 0.0 { (-slope / curvature).min(1.0) } else { 1.0 };
        for (((x, g), &d), &gd) in self.x.iter_mut().zip(&mut self.g).zip(&self.d).zip(&self.gd) {
            // x + d ≥ 0 by construction, so only rounding can leave the orthant.
            *x = (*x + length * d).max(0.0);
            *g += length * gd;
        }
        (curvature > 0.0).then(|| dot(&self.d, &self.d) / curvature)
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// `out = a · x` for a symmetric k×k `a`.
fn times(a: &[f64], x: &[f64], out: &mut [f64]) {
    let k = x.len();
    out.fill(0.0);
    for (&value, row) in x.iter().zip(a.chunks_exact(k)) {
        if value != 0.0 {
            out.iter_mut().zip(row).for_each(|(o, &entry)| *o += value * entry);
        }
    }
}
