//! Kullback–Leibler: d(x, q) = x ln(x/q) − x + q, and q where x = 0.

use super::Divergence;
use crate::kernel::kl_divergence::kl_divergence;
use crate::scalar::Scalar;

/// β = 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KullbackLeibler;

impl Divergence for KullbackLeibler {
    const CONSTANT_WEIGHT: bool = true;

    // x·(ρ − 1 − ln ρ) with ρ = q/x: the difference that is small near x = q is formed exactly.
    #[inline(always)]
    fn value(self, x: f64, q: f64) -> f64 {
        if x == 0.0 {
            return q;
        }
        let off = (q - x) / x;
        (x * (off - off.ln_1p())).max(0.0)
    }
    fn total<T: Scalar>(self, x: &[T], q: &[T], p: Option<&[T]>) -> f64 {
        kl_divergence(x, q, p)
    }
    #[inline(always)]
    fn ratio<T: Scalar>(self, x: T, q: T) -> T {
        if x == T::ZERO { T::ZERO } else { x / q }
    }
    #[inline(always)]
    fn weight<T: Scalar>(self, _: T, _: T) -> T {
        T::ONE
    }
}
