//! Itakura–Saito: d(x, q) = x/q − ln(x/q) − 1; infinite where x = 0.

use super::Divergence;
use crate::scalar::Scalar;

/// β = 0.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ItakuraSaito;

impl Divergence for ItakuraSaito {
    #[inline(always)]
    fn value(self, x: f64, q: f64) -> f64 {
        if q == 0.0 {
            return f64::INFINITY;
        }
        let off = (x - q) / q;
        (off - off.ln_1p()).max(0.0)
    }
    #[inline(always)]
    fn ratio<T: Scalar>(self, x: T, q: T) -> T {
        x / q / q
    }
    #[inline(always)]
    fn weight<T: Scalar>(self, _: T, q: T) -> T {
        T::ONE / q
    }
}
