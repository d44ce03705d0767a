//! The extrapolated, projected point between two iterates.

use super::simd::{self, Job, Simd};
use crate::factor::{View, ViewMut};
use crate::scalar::Scalar;

/// `out = max(0, now + beta · (now − before))`.
pub(crate) fn extrapolate<T: Scalar>(
    out: &mut ViewMut<'_, T>,
    now: View<'_, T>,
    before: View<'_, T>,
    beta: T,
) {
    if beta == T::ZERO {
        out.copy_from(now);
    } else {
        simd::run(Extrapolate { out: out.reborrow(), now, before, beta });
    }
}

struct Extrapolate<'a, T> {
    out: ViewMut<'a, T>,
    now: View<'a, T>,
    before: View<'a, T>,
    beta: T,
}

impl<T: Scalar> Job<T> for Extrapolate<'_, T> {
    type Out = ();

    // Plain loops: compiled for the instruction set of S, they vectorise by themselves.
    #[inline(always)]
    unsafe fn run<S: Simd<T>>(mut self) {
        for i in 0..self.out.rows() {
            let terms = self.now.row(i).iter().zip(self.before.row(i));
            for (out, (&now, &before)) in self.out.row_mut(i).iter_mut().zip(terms) {
                let far = now + self.beta * (now - before);
                *out = if far > T::ZERO { far } else { T::ZERO };
            }
        }
    }
}
