//! How far to move one component of a Kullback–Leibler row.
//!
//! Along the component, with y_e = v_e / p_e at the present point and d the step, the slope is
//! u + quad·(f + d) − Σ c_e y_e / (1 + d y_e). The sum is a function whose reciprocal is concave
//! and increasing in d, so the line that touches the reciprocal at d = 0 lies above it: the root of
//! the slope that this line gives is never to the right of the true one, and nearer to it than
//! Newton's from both sides. To the right, therefore, the step needs no safeguard.
//!
//! To the left it may pass the minimum. There, with Y = max y_e,
//! −Σ c ln(1 + d y) ≤ (g2/Y − g1) d − (g2/Y²) ln(1 + d Y), because −ln(1 − s)/s has no negative
//! derivative and its mean under fixed Σ c y and Σ c y² is largest when all weight sits at 0 and Y.
//! The right side proves descent for the whole step if |d| Y ≤ κ, with κ the root of
//! −ln(1 − κ) = κ + κ², and always for its own minimiser g / (g2 + quad + g Y). This is the damping
//! of Hien and Gillis with max y in the place of √g2 · max c^(−½), which is never smaller.
//!
//! Where a fitted value is so far below its entry that g2 is beyond the range, the step is that of a
//! multiplicative update, f ← f · g1 / cost.

use crate::scalar::Scalar;

/// Rounded down, so that a step of exactly this length is still safe.
pub(super) const KAPPA: f64 = 0.683_802;

/// Of a step d with −d Y up to this, no fitted value loses more than three of its digits: each is
/// 1 + d y of what it was. Beyond, cancellation could take one to 0 or below.
pub(super) const SHALLOW: f64 = 0.999;

/// A component of which f Y is this near to 1 may be all there is of a fitted value: f v is p but for
/// the digits that p may have lost ([`SHALLOW`]). It stays above [`LEAST`], so that no fitted value
/// falls to 0 below a positive entry, however small that is.
pub(super) fn alone<T: Scalar>() -> T {
    T::from_f64(1.0 - 4096.0 * T::ROUNDOFF)
}

/// A share of the largest component of a row that counts as zero wherever zeros are asked for, but is a
/// way back. An entry so small that it would pull a component no further is met well enough by it.
pub(super) const LEAST: f64 = 0.25 * f64::ROUNDOFF;

/// The step d ≥ −f, from `[g1, g2, top] = [Σ c y, Σ c y², max y]`; a component that may carry an entry by
/// itself stays above `least`.
#[inline(always)]
pub(super) fn step<T: Scalar>((f, least): (T, T), [g1, g2, top]: [T; 3], (u, quad): (T, T)) -> T {
    let cost = u + quad * f;
    if g2 == T::ZERO {
        return if cost > T::ZERO { -f } else { T::ZERO };
    }
    let g = cost - g1;
    let d = if quad > T::ZERO || u == T::ZERO {
        quadratic(g, g1 / g2, g1, cost, quad)
    } else {
        (-g / g2) * (g1 / u)
    };
    let safe = (T::from_f64(KAPPA) / top).max(g / (g2 + quad + g * top));
    let kept = if f * top >= alone() { if f < least { f } else { least } } else { T::ZERO };
    let next = if g2.is_finite() { (f + d.max(-safe)).max(kept) } else { f * (g1 / cost) };
    if next.is_finite() { next - f } else { T::ZERO }
}

/// The root d of `cost + quad d = g1 m / (m + d)`, which is the slope with the line in place of the
/// reciprocal; m = g1/g2. Newton's step if nothing bounds it.
#[inline(never)]
fn quadratic<T: Scalar>(g: T, m: T, g1: T, cost: T, quad: T) -> T {
    if cost == T::ZERO && quad == T::ZERO {
        return m;
    }
    let [g, m, g1, cost, quad] = [g, m, g1, cost, quad].map(T::to_f64);
    let apart = cost - quad * m;
    let root = (apart * apart + 4.0 * quad * g1 * m).sqrt();
    T::from_f64(-2.0 * g * m / (cost + quad * m + root))
}
