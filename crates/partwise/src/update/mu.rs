//! MU: multiplicative updates.
//!
//! * Objective: ½‖X − WHᵀ‖²_F over W, H ≥ 0.
//! * Update, for each row f: `f_t ← f_t · b_t / ((f G)_t + λ₁)`.
//! * Cost: 2k² per row and sweep, beside the 2k per entry of X that gives b.
//! * Guarantee: no step raises the objective (Lee & Seung 2001). An entry that is zero stays zero,
//!   so a limit point need not be stationary: the KKT residual tells.
//! * Use it: to compare with the literature. HALS reaches the same objective many times sooner.

use super::{Gram, Improve, Update};
use crate::factor::{Factor, View, ViewMut};
use crate::kernel::dense::{Accum, Strided, product};
use crate::scalar::Scalar;

/// Multiplicative updates.
#[derive(Debug, Clone, Copy)]
pub struct Mu {
    /// Updates for each product with X.
    pub sweeps: usize,
}

/// A positive entry is never let fall below this many of the smallest normal numbers: products of
/// smaller ones would be subnormal, which is slow, and zero would be for ever.
const FLOOR: f64 = (1u64 << 24) as f64;

impl<T: Scalar> Update<T> for Mu {
    fn prepare<'a>(&'a self, gram: &'a Gram<T>, charge: T) -> Box<dyn Improve<T> + 'a> {
        let gram = Factor::from_rows(gram.k(), gram.k(), gram.narrow());
        Box::new(Prepared { gram, charge, sweeps: self.sweeps })
    }

    fn locks_zeros(&self) -> bool {
        true
    }
}

struct Prepared<T> {
    gram: Factor<T>,
    charge: T,
    sweeps: usize,
}

impl<T: Scalar> Improve<T> for Prepared<T> {
    fn improve(&self, f: &mut ViewMut<'_, T>, b: View<'_, T>) {
        let floor = T::TINY * T::from_f64(FLOOR);
        let mut along = Factor::zeros(f.rows(), f.cols());
        for _ in 0..self.sweeps {
            let gram = self.gram.view();
            product(Strided::of(f.as_view()), gram, &mut along.view_mut(), Accum::Replace);
            for i in 0..f.rows() {
                let terms = b.row(i).iter().zip(along.row(i));
                for (value, (&b, &p)) in f.row_mut(i).iter_mut().zip(terms) {
                    let p = p + self.charge;
                    if *value > T::ZERO && p > T::ZERO {
                        *value = Scalar::max(*value * (b / p), floor);
                    }
                }
            }
        }
    }
}
