//! The β-divergence for β other than 0, 1 and 2:
//! d(x, q) = (x^β + (β − 1) q^β − β x q^(β−1)) / (β (β − 1)).

use super::Divergence;
use crate::kernel::beta_divergence;
use crate::scalar::Scalar;

/// Any β but 0, 1 and 2.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Beta {
    pub(crate) beta: f64,
}

/// |ln(q/x)| below which the closed form loses more digits than the series does terms.
const NEAR: f64 = 1e-3;

impl Divergence for Beta {
    // With ρ = ln(q/x): x^β (1 + (β−1) e^(βρ) − β e^((β−1)ρ)) / (β(β−1)), whose terms cancel near
    // ρ = 0: there it is x^β ρ² (½ + (2β−1)ρ/6 + (3β²−3β+1)ρ²/24 + …).
    #[inline(always)]
    fn value(self, x: f64, q: f64) -> f64 {
        let b = self.beta;
        if x == 0.0 {
            return q.powf(b) / b;
        }
        if q == 0.0 && b < 0.0 {
            return f64::INFINITY;
        }
        let log = q.ln() - x.ln();
        if log.abs() < NEAR {
            // Of the difference, which is exact, rather than of two logarithms.
            let log = ((q - x) / x).ln_1p();
            let series = 0.5
                + (2.0 * b - 1.0) * log / 6.0
                + (3.0 * b * b - 3.0 * b + 1.0) * log * log / 24.0;
            return (x.powf(b) * log * log * series).max(0.0);
        }
        let sum = x.powf(b) + (b - 1.0) * q.powf(b) - b * x * q.powf(b - 1.0);
        // A difference of infinite terms is beyond the range, too.
        if sum.is_nan() { f64::INFINITY } else { (sum / (b * (b - 1.0))).max(0.0) }
    }
    fn total<T: Scalar>(self, x: &[T], q: &[T], p: Option<&[T]>) -> f64 {
        beta_divergence::total(self.beta, (x, q, p), |x, q| self.value(x, q))
    }
    fn slopes<T: Scalar>(self, x: &[T], q: &mut [T], weight: Option<&mut [T]>) {
        match weight {
            Some(weight) => beta_divergence::slopes(self.beta, x, q, weight),
            None => q.iter_mut().zip(x).for_each(|(q, &x)| *q = self.ratio(x, *q)),
        }
    }
    #[inline(always)]
    fn ratio<T: Scalar>(self, x: T, q: T) -> T {
        // Where q is zero, so are the factors that the ratio would be multiplied by.
        let unmet = x == T::ZERO || (q == T::ZERO && self.beta > 1.0);
        if unmet { T::ZERO } else { x * q.powf(self.beta - 2.0) }
    }
    #[inline(always)]
    fn weight<T: Scalar>(self, _: T, q: T) -> T {
        // q is zero where X is zero throughout a row or column; nothing is to be pushed down there.
        if q == T::ZERO { T::ZERO } else { q.powf(self.beta - 1.0) }
    }
}
