//! Kullback–Leibler: d(x, q) = x ln(x/q) − x + q, and q where x = 0.

use super::Divergence;
use crate::kernel::kl_divergence::{kl_divergence, nothing};
use crate::scalar::Scalar;

/// β = 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KullbackLeibler;

/// q/x − 1 above which the logarithms of q and of x are taken apart: nothing cancels there.
const FAR_ABOVE: f64 = 1e3;

impl Divergence for KullbackLeibler {
    const CONSTANT_WEIGHT: bool = true;

    // x·(ρ − 1 − ln ρ) with ρ = q/x: the difference that is small near x = q is formed exactly.
    #[inline(always)]
    fn value(self, x: f64, q: f64) -> f64 {
        if x < nothing() {
            return q;
        }
        let off = (q - x) / x;
        if off > FAR_ABOVE {
            // q/x may be beyond the range.
            return q - x - x * (q.ln() - x.ln());
        }
        (x * (off - off.ln_1p())).max(0.0)
    }
    fn total<T: Scalar>(self, x: &[T], q: &[T], p: Option<&[T]>) -> f64 {
        kl_divergence(x, q, p)
    }
    #[inline(always)]
    fn ratio<T: Scalar>(self, x: T, q: T) -> T {
        // What counts as 0 does so here as it does in the divergence.
        if x < nothing() { T::ZERO } else { x / q }
    }
    #[inline(always)]
    fn weight<T: Scalar>(self, _: T, _: T) -> T {
        T::ONE
    }
}
