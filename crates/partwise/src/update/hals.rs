//! HALS: hierarchical alternating least squares, also known as cyclic coordinate descent.
//!
//! * Objective: ½‖X − WHᵀ‖²_F, and elastic-net penalties, over W, H ≥ 0.
//! * Update, for each row f and t = 1..k in turn, `sweeps` times:
//!   `f_t ← max(0, f_t + (b_t − λ₁ − f·G_t) / G_tt)`.
//! * Cost: 2k² per row and sweep, beside the 2k per entry of X that gives b.
//! * Guarantee: no step raises the objective; limit points are stationary as long as no component
//!   dies (Gillis & Glineur 2012, <https://doi.org/10.1162/NECO_a_00256>).
//! * Use it: by default. Sweeps are cheap beside the product with X, so several are made for each
//!   product, and the iterates are extrapolated with restart (Ang & Gillis 2019,
//!   <https://doi.org/10.1162/neco_a_01157>), which needs at least three sweeps to pay.

use super::{Gram, Improve, Momentum, Update};
use crate::factor::{View, ViewMut};
use crate::kernel::hals::sweep;
use crate::scalar::Scalar;

/// Hierarchical alternating least squares.
#[derive(Debug, Clone, Copy)]
pub struct Hals {
    /// Sweeps over the components for each product with X.
    pub sweeps: usize,
    /// Whether to do as most programs: no extrapolation, and what belongs to a component that is zero
    /// in the other factor stays as it is, though it be charged, so that the component may come back.
    pub plain: bool,
}

impl<T: Scalar> Update<T> for Hals {
    fn prepare<'a>(&'a self, gram: &'a Gram<T>, charge: T) -> Box<dyn Improve<T> + 'a> {
        let k = gram.k();
        let inverse = (0..k).map(|t| match gram.narrow()[t * k + t] {
            curvature if curvature > T::ZERO => T::ONE / curvature,
            // Nothing but the charge is left, and the least is zero.
            _ if charge > T::ZERO && !self.plain => T::ONE / T::TINY,
            _ => T::ZERO,
        });
        Box::new(Prepared { gram, inverse: inverse.collect(), charge, sweeps: self.sweeps })
    }

    fn momentum(&self) -> Option<Momentum> {
        (!self.plain).then(Momentum::gentle)
    }
}

struct Prepared<'a, T> {
    gram: &'a Gram<T>,
    inverse: Vec<T>,
    charge: T,
    sweeps: usize,
}

impl<T: Scalar> Improve<T> for Prepared<'_, T> {
    fn improve(&self, f: &mut ViewMut<'_, T>, b: View<'_, T>) {
        sweep(f, b, (self.gram.narrow(), &self.inverse, self.charge), self.sweeps);
    }
}
