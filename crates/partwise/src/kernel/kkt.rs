//! What a panel of rows adds to the KKT residual.

use super::simd::{self, Job, Simd};
use crate::factor::View;
use crate::scalar::Scalar;

/// What a part of the residual counts as at most, whatever the type.
pub(crate) const MOST: f64 = 1.0 / f64::EPSILON;

/// Sums over rows; see [`crate::metric::Kkt`] for what becomes of them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct KktSums {
    /// Σ f · |p − b| over entries, p and b the positive and negative part of the gradient.
    pub(crate) slack: f64,
    /// Σ f · p over entries.
    pub(crate) scale: f64,
    /// Largest b / p − 1 over entries that are zero.
    pub(crate) zeros: f64,
    /// Σ f · b over entries.
    pub(crate) cross: f64,
    /// Σ f over entries.
    pub(crate) mass: f64,
}

impl KktSums {
    pub(crate) fn add(&mut self, next: &Self) {
        self.slack += next.slack;
        self.scale += next.scale;
        self.zeros = self.zeros.max(next.zeros);
        self.cross += next.cross;
        self.mass += next.mass;
    }

    /// (ρ, η): the slack in relation to its scale, and the worst zero.
    pub(crate) fn residual(&self) -> (f64, f64) {
        let rho = if self.slack == 0.0 { 0.0 } else { self.slack / self.scale };
        // What is not a number stays so.
        let bounded = |part: f64| if part > MOST { MOST } else { part };
        (bounded(rho), bounded(self.zeros))
    }
}

/// Rows whose sums stay in registers before they are added in `f64`.
const GROUP: usize = 8;

/// Adds the rows of `f`, with `p + charge` the positive and `b` the negative part of the gradient.
pub(crate) fn add_rows<T: Scalar>(
    sums: &mut KktSums,
    f: View<'_, T>,
    (p, charge): (View<'_, T>, T),
    b: View<'_, T>,
) {
    assert!(f.cols() == p.cols() && f.cols() == b.cols() && f.rows() <= p.rows().min(b.rows()));
    simd::run(Rows { sums, f, p, charge, b });
}

struct Rows<'a, T> {
    sums: &'a mut KktSums,
    f: View<'a, T>,
    p: View<'a, T>,
    charge: T,
    b: View<'a, T>,
}

impl<T: Scalar> Job<T> for Rows<'_, T> {
    type Out = ();

    #[inline(always)]
    unsafe fn run<S: Simd<T>>(self) {
        for from in (0..self.f.rows()).step_by(GROUP) {
            let rows = from..self.f.rows().min(from + GROUP);
            let (f, p, b) =
                (self.f.slice(rows.clone()), self.p.slice(rows.clone()), self.b.slice(rows));
            // SAFETY: the three have one shape, and the caller enabled S.
            unsafe { add_group::<T, S>(self.sums, f, (p, self.charge), b) };
        }
    }
}

/// # Safety
/// `f`, `p` and `b` have one shape, and S is enabled.
#[inline(always)]
unsafe fn add_group<T: Scalar, S: Simd<T>>(
    sums: &mut KktSums,
    f: View<'_, T>,
    (p, charge): (View<'_, T>, T),
    b: View<'_, T>,
) {
    let k = f.cols();
    // SAFETY: loads stay below k in rows that exist.
    unsafe {
        let none = S::splat(T::ZERO);
        let (one, extra) = (S::splat(T::ONE), S::splat(charge));
        let load = |x: View<'_, T>, i: usize, at: usize| {
            vector::<T, S>(x.as_ptr().add(i * x.stride()), k, at)
        };
        let (mut slack, mut scale, mut cross, mut largest) = (none, none, none, none);
        let mut mass = none;
        for i in 0..f.rows() {
            for at in (0..k).step_by(S::LANES) {
                let (fv, bv) = (load(f, i, at), load(b, i, at));
                let pv = S::add(load(p, i, at), extra);
                let size = S::max(S::fnma(one, pv, bv), S::fnma(one, bv, pv));
                slack = S::fma(fv, size, slack);
                scale = S::fma(fv, pv, scale);
                cross = S::fma(fv, bv, cross);
                mass = S::add(fv, mass);
                largest = S::max(largest, fv);
            }
        }
        let sum = |v: S::V| lanes::<T, S>(v).iter().map(|x| x.to_f64()).sum::<f64>();
        sums.slack += sum(slack);
        sums.scale += sum(scale);
        sums.cross += sum(cross);
        sums.mass += sum(mass);
        // A first sieve: positive only if some f that is small beside the largest of the group,
        // hence perhaps beside that of its row, meets b > p.
        let bound = lanes::<T, S>(largest).iter().fold(T::ZERO, |a, &b| a.max(b));
        let inverse = T::ONE / (T::from_f64(f64::ROUNDOFF) * bound);
        let mut open = none;
        for i in 0..f.rows() {
            for at in (0..k).step_by(S::LANES) {
                let small = S::max(S::fnma(load(f, i, at), S::splat(inverse), one), none);
                let positive = S::add(load(p, i, at), extra);
                let over = S::max(S::fnma(one, positive, load(b, i, at)), none);
                open = S::fma(small, over, open);
            }
        }
        if !inverse.is_finite() || sum(open) > 0.0 {
            for i in 0..f.rows() {
                let worst = worst_zero::<T, S>(f.row(i), (p.row(i), charge), b.row(i));
                sums.zeros = sums.zeros.max(worst);
            }
        }
    }
}

/// Entries this small beside the largest of their row count as zero: they add nothing to W·H. The
/// measure is that of `f64` for both types, so that both see the same zeros.
///
/// # Safety
/// The three have one length, and S is enabled.
#[inline(always)]
unsafe fn worst_zero<T: Scalar, S: Simd<T>>(f: &[T], (p, charge): (&[T], T), b: &[T]) -> f64 {
    let k = f.len();
    // SAFETY: loads stay below k.
    unsafe {
        let none = S::splat(T::ZERO);
        let load = |x: &[T], at: usize| vector::<T, S>(x.as_ptr(), k, at);
        let tops = (0..k).step_by(S::LANES).fold(none, |top, at| S::max(top, load(f, at)));
        let zero = S::splat(T::from_f64(f64::ROUNDOFF) * S::peak(tops));
        let (one, extra) = (S::splat(T::ONE), S::splat(charge));
        let mut worst = none;
        for at in (0..k).step_by(S::LANES) {
            let (b, p) = (load(b, at), S::add(load(p, at), extra));
            // Where b ≤ p, 0/0 included, there is nothing.
            let over = S::where_least(p, b, none, S::div(S::fnma(one, p, b), p));
            worst = S::max(worst, S::where_least(zero, load(f, at), over, none));
        }
        S::peak(worst).to_f64()
    }
}

/// As much of a row of k values as a register holds from `at` on.
///
/// # Safety
/// The row has k values, `at` lies below k, and S is enabled.
#[inline(always)]
unsafe fn vector<T: Scalar, S: Simd<T>>(row: *const T, k: usize, at: usize) -> S::V {
    // SAFETY: the caller's.
    unsafe {
        let (from, left) = (row.add(at), k - at);
        if left >= S::LANES { S::load(from) } else { S::load_part(from, left) }
    }
}

/// The lanes of a register, the rest zero.
///
/// # Safety
/// S is enabled.
#[inline(always)]
unsafe fn lanes<T: Scalar, S: Simd<T>>(v: S::V) -> [T; 16] {
    let mut lanes = [T::ZERO; 16];
    // SAFETY: no register has more than 16 lanes.
    unsafe { S::store(lanes.as_mut_ptr(), v) };
    lanes
}
