//! Itakura–Saito: d(x, q) = x/q − ln(x/q) − 1; infinite where x = 0.

use super::Divergence;
use crate::kernel::beta_divergence;
use crate::scalar::Scalar;

/// β = 0.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ItakuraSaito;

/// x/q − 1 below which the logarithms of x and of q are taken apart: ln x − ln q loses nothing there.
const FAR_BELOW: f64 = -0.9;

impl Divergence for ItakuraSaito {
    #[inline(always)]
    fn value(self, x: f64, q: f64) -> f64 {
        if q == 0.0 {
            return f64::INFINITY;
        }
        let off = (x - q) / q;
        if off < FAR_BELOW {
            // x/q may be a roundoff or less, and must not be lost beside the 1.
            return x / q - 1.0 + (q.ln() - x.ln());
        }
        (off - off.ln_1p()).max(0.0)
    }
    fn total<T: Scalar>(self, x: &[T], q: &[T], p: Option<&[T]>) -> f64 {
        beta_divergence::total(0.0, (x, q, p), |x, q| self.value(x, q))
    }
    fn slopes<T: Scalar>(self, x: &[T], q: &mut [T], weight: Option<&mut [T]>) {
        match weight {
            Some(weight) => beta_divergence::slopes(0.0, x, q, weight),
            None => q.iter_mut().zip(x).for_each(|(q, &x)| *q = self.ratio(x, *q)),
        }
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
