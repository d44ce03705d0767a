//! The extrapolated point between two iterates.

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

/// `before ← now + beta · (now − before)`, no less than a share of `now`: what is positive stays so.
pub(crate) fn go_beyond<T: Scalar>(before: &mut [T], now: &[T], (beta, least): (T, T)) {
    simd::run(GoBeyond { before, now, beta, least });
}

struct GoBeyond<'a, T> {
    before: &'a mut [T],
    now: &'a [T],
    beta: T,
    least: T,
}

impl<T: Scalar> Job<T> for GoBeyond<'_, T> {
    type Out = ();

    #[inline(always)]
    unsafe fn run<S: Simd<T>>(self) {
        for (before, &now) in self.before.iter_mut().zip(self.now) {
            *before = beyond(now, *before, (self.beta, self.least));
        }
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
                *out = beyond(now, before, (self.beta, T::ZERO));
            }
        }
    }
}

/// The point on the line, no less than `least` times `now`.
#[inline(always)]
fn beyond<T: Scalar>(now: T, before: T, (beta, least): (T, T)) -> T {
    let (far, least) = (now + beta * (now - before), least * now);
    if far > least { far } else { least }
}
