//! One row of the least squares subproblem, by coordinate descent on its residual.
//!
//! Minimises over f ≥ 0, with p_e = Σ_t f_t v_te, v a panel of the other factor and r = x − p,
//!
//! ½ Σ_e q_e r_e² + l1 Σ_t f_t + ½ l2 Σ_t f_t²
//!
//! Where each row has its own entries or weights, it would also have its own Gram matrix, which
//! costs k/2 times as much as a sweep. Keeping r instead makes a sweep linear in the entries: the
//! rank-one step of Cichocki and Phan on the entries that count. One pass takes the last step out
//! of r and collects the slope of the next component; after a component that did not move, the
//! first half falls away.

use super::panel::{dot, padded};
use super::simd::{self, Job, Simd};
use crate::scalar::Scalar;

/// A row of X with what it meets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LsRow<'a, T> {
    /// Line t holds v_te for the entries e, zeros from `len` to `padded(len)`.
    pub(crate) panel: &'a [T],
    /// Elements between the starts of two lines.
    pub(crate) stride: usize,
    /// Entries.
    pub(crate) len: usize,
    /// x_e, zeros from `len` to `padded(len)`.
    pub(crate) x: &'a [T],
    /// q_e ≥ 0, finite from `len` to `padded(len)`; all 1 if none.
    pub(crate) q: Option<&'a [T]>,
    /// The linear cost of all components.
    pub(crate) l1: T,
    /// The quadratic cost of all components.
    pub(crate) l2: T,
}

/// What [`improve`] leaves of a row; only written to.
#[derive(Debug)]
pub(crate) struct LsWork<'a, T> {
    /// x − p, `padded(len)` of them.
    pub(crate) r: &'a mut [T],
    /// 1 / (Σ q v² + l2) for each component, 0 for those without curvature.
    pub(crate) inverse: &'a mut [T],
    /// Σ q v x for each component.
    pub(crate) num: &'a mut [T],
    /// Σ q v p for each component.
    pub(crate) den: &'a mut [T],
}

/// Improves `f` by `sweeps` over its components, `f_t ← max(0, f_t + (Σ q v r − l1 − l2 f_t) /
/// (Σ q v² + l2))`, and evaluates it; no sweeps evaluate f as it is.
pub(crate) fn improve<T: Scalar>(
    row: &LsRow<'_, T>,
    f: &mut [T],
    work: &mut LsWork<'_, T>,
    sweeps: usize,
) {
    let (k, width) = (f.len(), padded(row.len));
    assert!(work.inverse.len() == k && work.num.len() == k && work.den.len() == k);
    assert!(row.stride.min(row.x.len()).min(work.r.len()) >= width);
    assert!(row.q.is_none_or(|q| q.len() >= width) && row.panel.len() >= k * row.stride);
    simd::run(Improve { row, f, work, sweeps });
}

struct Improve<'a, 'w, T> {
    row: &'a LsRow<'a, T>,
    f: &'a mut [T],
    work: &'a mut LsWork<'w, T>,
    sweeps: usize,
}

impl<T: Scalar> Job<T> for Improve<'_, '_, T> {
    type Out = ();

    #[inline(always)]
    unsafe fn run<S: Simd<T>>(self) {
        // SAFETY: `improve` compared the lengths.
        unsafe { if self.row.q.is_some() { self.all::<S, true>() } else { self.all::<S, false>() } }
    }
}

impl<T: Scalar> Improve<'_, '_, T> {
    /// # Safety
    /// The lengths agree as in [`improve`], and S is enabled.
    #[inline(always)]
    unsafe fn all<S: Simd<T>, const WEIGHTED: bool>(self) {
        let Self { row, f, work, sweeps } = self;
        let row = Entries::<T> { row, weights: row.q.map_or(row.x.as_ptr(), <[T]>::as_ptr) };
        // SAFETY: the caller's.
        unsafe {
            row.with_lines::<S, WEIGHTED>(row.row.x.as_ptr(), work.inverse, work.num);
            for h in work.inverse.iter_mut() {
                *h += row.row.l2;
                *h = if *h > T::ZERO { T::ONE / *h } else { T::ZERO };
            }
            if sweeps > 0 {
                row.residual::<S>(f, work.r);
                row.sweep::<S, WEIGHTED>(f, work.r.as_mut_ptr(), work.inverse, sweeps);
            }
            let (panel, stride, len) = (row.row.panel.as_ptr(), row.row.stride, row.row.len);
            dot::<T, S>(f, panel, stride, len, work.r);
            row.with_p::<S, WEIGHTED>(work.r.as_ptr(), work.den);
            row.subtract::<S>(work.r);
        }
    }
}

/// The entries of a row and their weights, which are readable but without meaning if there are none.
struct Entries<'a, T> {
    row: &'a LsRow<'a, T>,
    weights: *const T,
}

/// Runs `$body` for the vectors of a row, alternating between two sets of sums.
macro_rules! vectors {
    ($len:expr, $lanes:expr, $body:ident) => {{
        let (mut e, end) = (0, $len.next_multiple_of($lanes));
        while end - e >= 2 * $lanes {
            $body!(0, e);
            $body!(1, e + $lanes);
            e += 2 * $lanes;
        }
        if e < end {
            $body!(0, e);
        }
    }};
}

// Every method: vectors that begin below `len` end within the padding.
impl<T: Scalar> Entries<'_, T> {
    /// q v, or v.
    ///
    /// # Safety
    /// S is enabled, e is below `len`, and `line` is a line of the panel.
    #[inline(always)]
    unsafe fn weighted<S: Simd<T>, const WEIGHTED: bool>(&self, v: S::V, e: usize) -> S::V {
        // SAFETY: the caller's.
        unsafe { if WEIGHTED { S::mul(v, S::load(self.weights.add(e))) } else { v } }
    }

    /// `own[t] = Σ q v²` and `with[t] = Σ q v x`.
    ///
    /// # Safety
    /// `own` and `with` have one value for each line, `x` `padded(len)`; S is enabled.
    #[inline(always)]
    unsafe fn with_lines<S: Simd<T>, const WEIGHTED: bool>(
        &self,
        x: *const T,
        own: &mut [T],
        with: &mut [T],
    ) {
        for (t, (own, with)) in own.iter_mut().zip(with).enumerate() {
            // SAFETY: the caller's.
            unsafe {
                let line = self.row.panel.as_ptr().add(t * self.row.stride);
                let mut sums = [[S::splat(T::ZERO); 2]; 2];
                macro_rules! vector {
                    ($half:literal, $e:expr) => {
                        let v = S::load(line.add($e));
                        let qv = self.weighted::<S, WEIGHTED>(v, $e);
                        let [a, b] = sums[$half];
                        sums[$half] = [S::fma(qv, v, a), S::fma(qv, S::load(x.add($e)), b)];
                    };
                }
                vectors!(self.row.len, S::LANES, vector);
                *own = S::sum(S::add(sums[0][0], sums[1][0]));
                *with = S::sum(S::add(sums[0][1], sums[1][1]));
            }
        }
    }

    /// `with[t] = Σ q v p`.
    ///
    /// # Safety
    /// As [`with_lines`](Self::with_lines).
    #[inline(always)]
    unsafe fn with_p<S: Simd<T>, const WEIGHTED: bool>(&self, p: *const T, with: &mut [T]) {
        for (t, with) in with.iter_mut().enumerate() {
            // SAFETY: the caller's.
            unsafe {
                let line = self.row.panel.as_ptr().add(t * self.row.stride);
                let mut sums = [S::splat(T::ZERO); 2];
                macro_rules! vector {
                    ($half:literal, $e:expr) => {
                        let qv = self.weighted::<S, WEIGHTED>(S::load(line.add($e)), $e);
                        sums[$half] = S::fma(qv, S::load(p.add($e)), sums[$half]);
                    };
                }
                vectors!(self.row.len, S::LANES, vector);
                *with = S::sum(S::add(sums[0], sums[1]));
            }
        }
    }

    /// `r = x − Σ_t f_t v_t`.
    ///
    /// # Safety
    /// `f` has one value for each line, `r` `padded(len)`; S is enabled.
    #[inline(always)]
    unsafe fn residual<S: Simd<T>>(&self, f: &[T], r: &mut [T]) {
        // SAFETY: the caller's.
        unsafe {
            dot::<T, S>(f, self.row.panel.as_ptr(), self.row.stride, self.row.len, r);
            self.subtract::<S>(r);
        }
    }

    /// `r = x − r`.
    ///
    /// # Safety
    /// `r` has `padded(len)` values; S is enabled.
    #[inline(always)]
    unsafe fn subtract<S: Simd<T>>(&self, r: &mut [T]) {
        // SAFETY: the caller's.
        unsafe {
            let one = S::splat(T::ONE);
            for e in (0..self.row.len).step_by(S::LANES) {
                let (x, at) = (S::load(self.row.x.as_ptr().add(e)), r.as_mut_ptr().add(e));
                S::store(at, S::fnma(one, S::load(at), x));
            }
        }
    }

    /// # Safety
    /// `f` and `inverse` have one value for each line, `r` has `padded(len)`; S is enabled.
    #[inline(always)]
    unsafe fn sweep<S: Simd<T>, const WEIGHTED: bool>(
        &self,
        f: &mut [T],
        r: *mut T,
        inverse: &[T],
        sweeps: usize,
    ) {
        let (l1, l2) = (self.row.l1, self.row.l2);
        let (mut before, mut moved) = (self.row.panel.as_ptr(), T::ZERO);
        for _ in 0..sweeps {
            for (t, (f, &inverse)) in f.iter_mut().zip(inverse).enumerate() {
                // SAFETY: the caller's.
                let slope = unsafe {
                    let line = self.row.panel.as_ptr().add(t * self.row.stride);
                    let last = std::mem::replace(&mut before, line);
                    if moved == T::ZERO {
                        self.slope::<S, WEIGHTED, false>(line, r, last, moved)
                    } else {
                        self.slope::<S, WEIGHTED, true>(line, r, last, moved)
                    }
                };
                let next = if inverse > T::ZERO {
                    (*f + (slope - l1 - l2 * *f) * inverse).max(T::ZERO)
                } else if l1 > T::ZERO {
                    T::ZERO
                } else {
                    *f
                };
                moved = next - *f;
                *f = next;
            }
        }
    }

    /// Takes `moved` times the line `before` out of r, and returns Σ q v r along `line`.
    ///
    /// # Safety
    /// Both lines and `r` have `padded(len)` values; S is enabled.
    #[inline(always)]
    unsafe fn slope<S: Simd<T>, const WEIGHTED: bool, const MOVED: bool>(
        &self,
        line: *const T,
        r: *mut T,
        before: *const T,
        moved: T,
    ) -> T {
        // SAFETY: the caller's.
        unsafe {
            let d = S::splat(moved);
            let mut sums = [S::splat(T::ZERO); 2];
            macro_rules! vector {
                ($half:literal, $e:expr) => {
                    let e = $e;
                    let mut residual = S::load(r.add(e));
                    if MOVED {
                        residual = S::fnma(d, S::load(before.add(e)), residual);
                        S::store(r.add(e), residual);
                    }
                    let qv = self.weighted::<S, WEIGHTED>(S::load(line.add(e)), e);
                    sums[$half] = S::fma(qv, residual, sums[$half]);
                };
            }
            vectors!(self.row.len, S::LANES, vector);
            S::sum(S::add(sums[0], sums[1]))
        }
    }
}
