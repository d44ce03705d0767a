//! One row of the Kullback–Leibler subproblem, by coordinate descent.
//!
//! Minimises over f ≥ 0, with p_e = Σ_t f_t v_te and v a panel of the other factor,
//!
//! φ(f) = Σ_t (u_t f_t + ½ quad f_t²) − Σ_e c_e ln p_e
//!
//! Along one component, with y_e = v_te / p_e, the sums g1 = Σ c y, g2 = Σ c y² and the largest y
//! are all that [`step`] needs for a step at least as long as that of Hsieh and Dhillon (2011)
//! damped by Hien and Gillis (2021), and as safe. The pass that collects them also brings p up to
//! date with the step before it, so that each entry is met once per component. A component that
//! did not move (most zeros stay zero) leaves 1/p as it is, and the next pass divides nothing.
//!
//! Entries with c = 0 and padding have p = FAR while the sweeps run: they drop out of all sums, c·y
//! being 0, and do not bound a step, without a branch. So do entries that no component reaches, y being 0.

mod lanes;
mod reach;
mod step;

pub(crate) use lanes::{KlRows, Slopes, improve_rows};

use super::kl_divergence::nothing;
use super::panel::{dot, padded, times};
use super::simd::{self, Job, Simd};
use crate::scalar::Scalar;
use reach::{least_of, reach};
use step::{SHALLOW, step};

/// A row of X with what it meets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KlRow<'a, T> {
    /// Line t holds v_te for the entries e, zeros from `len` to `padded(len)`.
    pub(crate) panel: &'a [T],
    /// Elements between the starts of two lines.
    pub(crate) stride: usize,
    /// Entries.
    pub(crate) len: usize,
    /// c_e ≥ 0, zeros from `len` to `padded(len)`.
    pub(crate) c: &'a [T],
    /// The linear cost of each component; positive where the component reaches any entry.
    pub(crate) u: &'a [T],
    /// The quadratic cost of all components.
    pub(crate) quad: T,
}

/// Improves `f` by `sweeps` over its components; φ never rises beyond rounding.
///
/// On return, if `num` is given, `p` holds the fitted values, `num[t] = Σ_e v_te c_e / p_e`, and
/// `ratio` c_e / p_e (0 where p_e = 0); all three are only written to. An entry that `f` does not reach, which makes φ
/// infinite, is given to the component that reaches it at the least cost.
pub(crate) fn improve<T: Scalar>(
    row: &KlRow<'_, T>,
    f: &mut [T],
    p: &mut [T],
    ratio: &mut [T],
    num: Option<&mut [T]>,
    sweeps: usize,
) {
    check(row, f, p, ratio);
    assert!(num.as_ref().is_none_or(|num| num.len() == f.len()));
    simd::run(Improve { row, f, p, ratio, num, sweeps });
}

/// `p`, `ratio` and `num` of [`improve`] for `f` as it is.
#[cfg(test)]
pub(crate) fn evaluate<T: Scalar>(
    row: &KlRow<'_, T>,
    f: &[T],
    p: &mut [T],
    ratio: &mut [T],
    num: &mut [T],
) {
    check(row, f, p, ratio);
    assert_eq!(num.len(), f.len());
    simd::run(Evaluate { row, f, p, ratio, num });
}

fn check<T>(row: &KlRow<'_, T>, f: &[T], p: &[T], ratio: &[T]) {
    let (k, width) = (row.u.len(), padded(row.len));
    assert!(f.len() == k && row.panel.len() >= k * row.stride);
    assert!(row.stride.min(row.c.len()).min(p.len()).min(ratio.len()) >= width);
}

#[cfg(test)]
struct Evaluate<'a, T> {
    row: &'a KlRow<'a, T>,
    f: &'a [T],
    p: &'a mut [T],
    ratio: &'a mut [T],
    num: &'a mut [T],
}

#[cfg(test)]
impl<T: Scalar> Job<T> for Evaluate<'_, T> {
    type Out = ();

    #[inline(always)]
    unsafe fn run<S: Simd<T>>(self) {
        // SAFETY: `check` compared the lengths.
        unsafe { finish::<T, S>(self.row, self.f, self.p, self.ratio, self.num) }
    }
}

/// # Safety
/// The lengths agree as in [`check`], and S is enabled.
#[inline(always)]
unsafe fn finish<T: Scalar, S: Simd<T>>(
    row: &KlRow<'_, T>,
    f: &[T],
    p: &mut [T],
    ratio: &mut [T],
    num: &mut [T],
) {
    // SAFETY: the caller's; vectors from below `len` on end within the padding.
    unsafe {
        let panel = row.panel.as_ptr();
        dot::<T, S>(f, panel, row.stride, row.len, p);
        let (zero, least) = (S::splat(T::ZERO), S::splat(T::TINY));
        for e in (0..row.len).step_by(S::LANES) {
            let p = S::load(p.as_ptr().add(e));
            let quotient = S::div(S::load(row.c.as_ptr().add(e)), S::max(p, least));
            S::store(ratio.as_mut_ptr().add(e), S::where_least(p, least, quotient, zero));
        }
        times::<T, S>(panel, row.stride, row.len, ratio.as_ptr(), num);
    }
}

struct Improve<'a, T> {
    row: &'a KlRow<'a, T>,
    f: &'a mut [T],
    p: &'a mut [T],
    ratio: &'a mut [T],
    num: Option<&'a mut [T]>,
    sweeps: usize,
}

impl<T: Scalar> Job<T> for Improve<'_, T> {
    type Out = ();

    #[inline(always)]
    unsafe fn run<S: Simd<T>>(self) {
        let Self { row, f, p, ratio, num, sweeps } = self;
        // SAFETY: `check` compared the lengths.
        unsafe {
            if let Some(Begun { least, mut lost }) = start::<T, S>(row, f, p, ratio) {
                let mut walk = Walk::<T> {
                    row,
                    f,
                    p: p.as_mut_ptr(),
                    inverse: ratio.as_mut_ptr(),
                    before: row.panel.as_ptr(),
                    moved: T::ZERO,
                    deep: false,
                    least,
                };
                for _ in 0..sweeps {
                    for t in 0..row.u.len() {
                        walk.visit::<S>(t);
                        lost |= walk.deep;
                    }
                }
                if lost {
                    // What p was brought up to by then may hide that an entry is reached no more.
                    dot::<T, S>(f, row.panel.as_ptr(), row.stride, row.len, p);
                    if mass::<T, S>(row, p).1 {
                        reach(row, f, p);
                    }
                }
            } else {
                f.fill(T::ZERO);
            }
            if let Some(num) = num {
                finish::<T, S>(row, f, p, ratio, num);
            }
        }
    }
}

/// What a row begins its sweeps with.
struct Begun<T> {
    /// `LEAST` of its largest component.
    least: T,
    /// Whether p is not what f makes of it: below an entry it is at least 1/FAR.
    lost: bool,
}

/// Brings p and 1/p to what the sweeps keep, and f to the best point of its ray. None if no entry
/// is reached, so that f = 0 is best.
///
/// # Safety
/// The lengths agree as in [`check`], and S is enabled.
#[inline(always)]
unsafe fn start<T: Scalar, S: Simd<T>>(
    row: &KlRow<'_, T>,
    f: &mut [T],
    p: &mut [T],
    inverse: &mut [T],
) -> Option<Begun<T>> {
    // SAFETY: the caller's; vectors from below `len` on end within the padding.
    unsafe {
        dot::<T, S>(f, row.panel.as_ptr(), row.stride, row.len, p);
        let (mut reached, missed) = mass::<T, S>(row, p);
        if missed && reach(row, f, p) {
            dot::<T, S>(f, row.panel.as_ptr(), row.stride, row.len, p);
            reached = mass::<T, S>(row, p).0;
        }
        if reached == T::ZERO {
            return None;
        }
        let cost = row.u.iter().zip(f.iter()).fold(T::ZERO, |sum, (&u, &f)| sum + u * f);
        let ray = reached / cost;
        let ray = if row.quad == T::ZERO && ray.is_finite() { ray } else { T::ONE };
        f.iter_mut().for_each(|f| *f *= ray);
        let (ray, some, one) = (S::splat(ray), S::splat(nothing()), S::splat(T::ONE));
        let (never, near) = (S::splat(T::FAR), S::splat(T::ONE / T::FAR));
        let mut raised = S::splat(T::ZERO);
        for e in (0..row.len).step_by(S::LANES) {
            let at = p.as_mut_ptr().add(e);
            let value = S::mul(S::load(at), ray);
            let value = S::where_least(S::load(row.c.as_ptr().add(e)), some, value, never);
            raised = S::max(raised, S::where_least(value, near, S::splat(T::ZERO), one));
            let value = S::max(value, near);
            S::store(at, value);
            S::store(inverse.as_mut_ptr().add(e), S::div(one, value));
        }
        Some(Begun { least: least_of(f), lost: S::peak(raised) > T::ZERO })
    }
}

/// Σ c over entries with p > 0, and whether some entry has p = 0 < c, however small. Here 0 is what is too
/// small for the sweeps: c below `nothing`, p below 1/FAR.
///
/// # Safety
/// `p` and the row have `padded(len)` values, and S is enabled.
#[inline(always)]
unsafe fn mass<T: Scalar, S: Simd<T>>(row: &KlRow<'_, T>, p: &[T]) -> (T, bool) {
    // SAFETY: the caller's.
    unsafe {
        let (zero, some) = (S::splat(T::ZERO), S::splat(nothing()));
        let near = S::splat(T::ONE / T::FAR);
        let (mut reached, mut missed) = (zero, zero);
        for e in (0..row.len).step_by(S::LANES) {
            let c = S::load(row.c.as_ptr().add(e));
            let c = S::where_least(c, some, c, zero);
            let p = S::load(p.as_ptr().add(e));
            reached = S::add(reached, S::where_least(p, near, c, zero));
            missed = S::max(missed, S::where_least(p, near, zero, c));
        }
        (S::sum(reached), S::peak(missed) > T::ZERO)
    }
}

/// A row in the middle of a sweep.
struct Walk<'a, T> {
    row: &'a KlRow<'a, T>,
    f: &'a mut [T],
    /// Fitted values before the last step is applied.
    p: *mut T,
    /// 1/p.
    inverse: *mut T,
    /// The line of the component visited last.
    before: *const T,
    /// How far that component moved.
    moved: T,
    /// Whether it took more than [`SHALLOW`] of a fitted value.
    deep: bool,
    least: T,
}

impl<T: Scalar> Walk<'_, T> {
    /// Applies the last step to p, and steps along component t.
    ///
    /// # Safety
    /// t < k; the arrays hold `padded(len)` values; S is enabled.
    #[inline(always)]
    unsafe fn visit<S: Simd<T>>(&mut self, t: usize) {
        // SAFETY: the caller's.
        unsafe {
            let line = self.row.panel.as_ptr().add(t * self.row.stride);
            let [g1, g2, top] = match (self.moved == T::ZERO, self.deep) {
                (true, _) => self.sums::<S, false, false>(line),
                (_, false) => self.sums::<S, true, false>(line),
                (_, true) => self.sums::<S, true, true>(line),
            };
            let (u, quad) = (self.row.u[t], self.row.quad);
            let d = step((self.f[t], self.least), [g1, g2, top], (u, quad));
            self.f[t] += d;
            (self.before, self.moved) = (line, d);
            let shallow = -d * top <= T::from_f64(SHALLOW);
            self.deep = !shallow;
        }
    }

    /// Σ c y, Σ c y² and the largest y along a line.
    ///
    /// # Safety
    /// As [`visit`](Self::visit).
    #[inline(always)]
    unsafe fn sums<S: Simd<T>, const MOVED: bool, const DEEP: bool>(
        &mut self,
        line: *const T,
    ) -> [T; 3] {
        let (c, before) = (self.row.c.as_ptr(), self.before);
        let (p, inverse) = (self.p, self.inverse);
        // SAFETY: vectors from below `len` on end within the padding.
        unsafe {
            let (one, d) = (S::splat(T::ONE), S::splat(self.moved));
            // Cancellation must not take p to 0 or below, nor where its inverse has no square.
            let (floor, near) = (S::splat(T::from_f64(T::ROUNDOFF)), S::splat(T::ONE / T::FAR));
            let mut sums = [[S::splat(T::ZERO); 3]; 2];
            let moved = |e: usize| {
                let old = S::load(p.add(e));
                let new = S::fma(d, S::load(before.add(e)), old);
                let new = if DEEP { S::max(new, S::max(S::mul(floor, old), near)) } else { new };
                S::store(p.add(e), new);
                new
            };
            let add = |sums: [S::V; 3], e: usize, i: S::V| {
                let y = S::mul(S::load(line.add(e)), i);
                let cy = S::mul(S::load(c.add(e)), y);
                [S::add(sums[0], cy), S::fma(cy, y, sums[1]), S::max(sums[2], y)]
            };
            let (mut e, end) = (0, self.row.len.next_multiple_of(S::LANES));
            while end - e >= 2 * S::LANES {
                let next = e + S::LANES;
                let (i, j) = if MOVED {
                    let (i, j) = S::inverses(moved(e), moved(next));
                    S::store(inverse.add(e), i);
                    S::store(inverse.add(next), j);
                    (i, j)
                } else {
                    (S::load(inverse.add(e)), S::load(inverse.add(next)))
                };
                sums = [add(sums[0], e, i), add(sums[1], next, j)];
                e = next + S::LANES;
            }
            if e < end {
                let i = if MOVED {
                    let i = S::div(one, moved(e));
                    S::store(inverse.add(e), i);
                    i
                } else {
                    S::load(inverse.add(e))
                };
                sums[0] = add(sums[0], e, i);
            }
            let [a, b] = sums;
            [S::sum(S::add(a[0], b[0])), S::sum(S::add(a[1], b[1])), S::peak(S::max(a[2], b[2]))]
        }
    }
}
