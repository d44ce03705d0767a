//! ALS: alternating least squares, clipped.
//!
//! * Objective: ½‖X − WHᵀ‖²_F over W, H ≥ 0.
//! * Update, for each row f: `f ← max(0, (b − λ₁) G⁻¹)`.
//! * Cost: 2k² per row and k³/3 for the factorisation of G.
//! * Guarantee: none. Clipping a least-squares solution is a heuristic, the objective rises on the
//!   way (in more than a quarter of the steps on random data); the loop keeps the best iterate.
//! * Use it: for a quick first look, or because a paper did (Berry et al. 2007,
//!   <https://doi.org/10.1016/j.csda.2006.11.006>). Not for results: [`Bpp`](super::Bpp) solves the
//!   same least squares with the constraint.

use super::bpp::Cholesky;
use super::{Gram, Improve, Update};
use crate::factor::{View, ViewMut};
use crate::scalar::Scalar;

/// Alternating least squares, clipped.
#[derive(Debug, Clone, Copy)]
pub struct Als;

impl<T: Scalar> Update<T> for Als {
    fn prepare<'a>(&'a self, gram: &'a Gram<T>, charge: T) -> Box<dyn Improve<T> + 'a> {
        let all: Vec<usize> = (0..gram.k()).collect();
        let factorised = Cholesky::of(gram.wide(), gram.k(), &all);
        Box::new(Prepared { factorised, charge: charge.to_f64() })
    }

    fn is_monotone(&self) -> bool {
        false
    }
}

struct Prepared {
    factorised: Cholesky,
    charge: f64,
}

impl<T: Scalar> Improve<T> for Prepared {
    fn improve(&self, f: &mut ViewMut<'_, T>, b: View<'_, T>) {
        let mut solution = vec![0.0; f.cols()];
        for i in 0..f.rows() {
            let b: Vec<f64> = b.row(i).iter().map(|v| v.to_f64() - self.charge).collect();
            self.factorised.solve(&b, &mut solution);
            let row = f.row_mut(i);
            for (value, &solved) in row.iter_mut().zip(&solution) {
                *value = T::from_f64(if solved < 0.0 { 0.0 } else { solved });
            }
            // Beside a penalty, what is left after clipping may have no square in T; a row of 0 is better.
            if !row.iter().all(|&v| v < T::FAR) {
                row.fill(T::ZERO);
            }
        }
    }
}
