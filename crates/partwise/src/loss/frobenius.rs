//! Frobenius: d(x, q) = ½(x − q)².

use super::Divergence;
use crate::scalar::Scalar;

/// β = 2.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frobenius;

impl Divergence for Frobenius {
    #[inline(always)]
    fn value(self, x: f64, q: f64) -> f64 {
        0.5 * (x - q) * (x - q)
    }
    #[inline(always)]
    fn ratio<T: Scalar>(self, x: T, _: T) -> T {
        x
    }
    #[inline(always)]
    fn weight<T: Scalar>(self, _: T, q: T) -> T {
        q
    }
}
