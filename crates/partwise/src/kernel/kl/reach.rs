//! Entries of a Kullback–Leibler row that its components reach no more, or hardly.
//!
//! A fitted value of 0 below a positive entry makes the objective infinite, however small the entry is,
//! and a sweep does not see what is below 1/FAR. Such an entry is given to one component.

use super::super::kl_divergence::nothing;
use super::KlRow;
use super::step::LEAST;
use crate::scalar::Scalar;

/// [`LEAST`] of the largest of some components.
pub(super) fn least_of<T: Scalar>(f: &[T]) -> T {
    let largest = f.iter().fold(T::ZERO, |a, &b| if b > a { b } else { a });
    T::from_f64(LEAST) * largest
}

/// Gives each entry of which p is too small to the component with the largest v/u, as if there were no
/// other entry, which adds c to u·f, but no less than [`LEAST`]. Says whether anything changed.
#[cold]
pub(super) fn reach<T: Scalar>(row: &KlRow<'_, T>, f: &mut [T], p: &[T]) -> bool {
    let (mut changed, least) = (false, least_of(f));
    for (e, (&c, &p)) in row.c.iter().zip(p).enumerate().take(row.len) {
        let line = |t: usize| row.panel[t * row.stride + e];
        if let Some((t, more)) = lacking((c, p), row.u, line, least) {
            f[t] += more;
            changed = true;
        }
    }
    changed
}

/// The component that reaches an entry at the least cost, and what it should have more, if p is so small
/// that the sweeps do not see it and less than the entry by itself would make it.
pub(super) fn lacking<T: Scalar>(
    (c, p): (T, T),
    u: &[T],
    v: impl Fn(usize) -> T,
    least: T,
) -> Option<(usize, T)> {
    if c < nothing() || p >= T::ONE / T::FAR {
        return None;
    }
    let t = nearest(u, &v)?;
    let (alone, line) = (c / u[t], v(t));
    (p < T::TINY || p < alone * line).then(|| (t, enough(alone.max(least), line)))
}

/// What a component must have at least for f·v to be a normal number.
fn enough<T: Scalar>(f: T, v: T) -> T {
    let least = (T::TINY + T::TINY) / v;
    if least.is_finite() { f.max(least) } else { f }
}

/// The component with the largest positive v/u.
fn nearest<T: Scalar>(u: &[T], v: impl Fn(usize) -> T) -> Option<usize> {
    let mut best = (T::ZERO, None);
    for (t, &u) in u.iter().enumerate() {
        let value = v(t) / u;
        if u > T::ZERO && value > best.0 {
            best = (value, Some(t));
        }
    }
    best.1
}
