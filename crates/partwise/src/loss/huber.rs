//! Huber's loss: d(x, q) = ½r² for |r| ≤ δ and δ|r| − ½δ² beyond, with r = x − q.
//!
//! With ω = min(1, δ/|r|) its derivative in q is ωq − ωx, that of ½ωr² with ω held. As d is concave
//! in r², d(r) ≤ d(r₀) + ½ω₀(r² − r₀²): what lowers the squares that are weighed by ω₀ lowers d, and
//! multiplicative updates with exponent 1 do (half-quadratic minimisation: Du, Li & Shen 2012,
//! <https://doi.org/10.1109/ICDM.2012.39>; the updates: Lee & Seung 2001).

use super::Divergence;
use crate::scalar::Scalar;

/// With its δ, in units of X.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Huber {
    pub(crate) delta: f64,
}

impl Huber {
    /// ω·value.
    #[inline(always)]
    fn weighed<T: Scalar>(self, x: T, q: T, value: T) -> T {
        let (off, delta) = ((x - q).abs(), T::from_f64(self.delta));
        if off <= delta { value } else { value * (delta / off) }
    }
}

impl Divergence for Huber {
    #[inline(always)]
    fn value(self, x: f64, q: f64) -> f64 {
        let (off, delta) = ((x - q).abs(), self.delta);
        if off <= delta { 0.5 * off * off } else { delta * (off - 0.5 * delta) }
    }
    #[inline(always)]
    fn ratio<T: Scalar>(self, x: T, q: T) -> T {
        self.weighed(x, q, x)
    }
    #[inline(always)]
    fn weight<T: Scalar>(self, x: T, q: T) -> T {
        self.weighed(x, q, q)
    }
}
