//! Panels: the rows of a factor that one sparse row meets, gathered and laid along the lanes.
//!
//! A row of X with z stored entries meets z rows of the other factor. Coordinate descent visits the
//! components in order and needs, for each, its value at all z entries: so the panel is k-major,
//! `panel[t · stride + e]`, and every pass over entries is a run of whole vectors. Entries are
//! padded with zeros to [`padded`] of them, so that no loop over entries has a partial vector.

use super::hals::transpose;
use super::simd::{self, Job, Simd};
use crate::factor::View;
use crate::scalar::Scalar;

/// Lanes of the widest vector.
const WIDEST: usize = 16;

/// The length that arrays over `len` entries have: a whole number of the widest vectors.
pub(crate) const fn padded(len: usize) -> usize {
    len.next_multiple_of(WIDEST)
}

/// `panel[t · stride + e] = h[indices[e], t]`, and 0 for e from `indices.len()` to its padding.
pub(crate) fn gather_panel<T: Scalar>(
    h: View<'_, T>,
    indices: &[u32],
    panel: &mut [T],
    stride: usize,
) {
    assert!(padded(indices.len()) <= stride && h.cols() * stride <= panel.len());
    let top = indices.iter().fold(0, |top, &j| top.max(j));
    assert!(indices.is_empty() || (top as usize) < h.rows());
    simd::run(Gather { h, len: indices.len(), place: |e| indices[e] as usize, panel, stride });
}

/// `panel[t · stride + e] = h[e, t]`, and 0 for e from the rows of `h` to their padding.
pub(crate) fn whole_panel<T: Scalar>(h: View<'_, T>, panel: &mut [T], stride: usize) {
    let (width, k) = (padded(h.rows()), h.cols());
    assert!(width <= stride && (k == 0 || (k - 1) * stride + width <= panel.len()));
    simd::run(Gather { h, len: h.rows(), place: |e| e, panel, stride });
}

/// `p_e = Σ_t f_t panel[t, e]` for the entries and their padding.
#[cfg(test)]
pub(crate) fn dot_panel<T: Scalar>(f: &[T], panel: &[T], stride: usize, len: usize, p: &mut [T]) {
    assert!(padded(len) <= stride.min(p.len()) && f.len() * stride <= panel.len());
    simd::run(Dot { f, panel, stride, len, p });
}

/// `out_t = Σ_e panel[t, e] r_e`, with `r` padded by zeros.
pub(crate) fn times_panel<T: Scalar>(panel: &[T], stride: usize, r: &[T], out: &mut [T]) {
    assert!(r.len() == padded(r.len()) && r.len() <= stride && out.len() * stride <= panel.len());
    simd::run(Times { panel, stride, r, out });
}

struct Times<'a, T> {
    panel: &'a [T],
    stride: usize,
    r: &'a [T],
    out: &'a mut [T],
}

impl<T: Scalar> Job<T> for Times<'_, T> {
    type Out = ();

    #[inline(always)]
    unsafe fn run<S: Simd<T>>(self) {
        let Self { panel, stride, r, out } = self;
        // SAFETY: `times_panel` compared the lengths.
        unsafe { times::<T, S>(panel.as_ptr(), stride, r.len(), r.as_ptr(), out) }
    }
}

/// As [`whole_panel`], in the middle of a kernel, for lines of a whole number of registers.
///
/// # Safety
/// S is enabled, `stride` is a multiple of LANES, no less than the rows of `h`, and `panel` has
/// columns · stride values.
#[inline(always)]
pub(super) unsafe fn lay_panel<T: Scalar, S: Simd<T>>(
    h: View<'_, T>,
    panel: &mut [T],
    stride: usize,
) {
    // SAFETY: the caller's.
    unsafe { Gather { h, len: h.rows(), place: |e| e, panel, stride }.run::<S>() }
}

struct Gather<'a, T, P> {
    h: View<'a, T>,
    /// Entries, and the row of `h` that each meets: one that exists.
    len: usize,
    place: P,
    panel: &'a mut [T],
    stride: usize,
}

impl<T: Scalar, P: Fn(usize) -> usize> Job<T> for Gather<'_, T, P> {
    type Out = ();

    #[inline(always)]
    unsafe fn run<S: Simd<T>>(mut self) {
        let (k, len) = (self.h.cols(), self.len);
        let whole = |n: usize| n / S::LANES * S::LANES;
        // SAFETY: tiles begin below the padded length, or the end of a line, and below k.
        unsafe {
            for e in (0..whole(len)).step_by(S::LANES) {
                for t in (0..whole(k)).step_by(S::LANES) {
                    self.tile::<S, true>(e, t);
                }
                if whole(k) < k {
                    self.tile::<S, false>(e, whole(k));
                }
            }
            for e in (whole(len)..padded(len).min(self.stride)).step_by(S::LANES) {
                for t in (0..k).step_by(S::LANES) {
                    self.tile::<S, false>(e, t);
                }
            }
        }
    }
}

impl<T: Scalar, P: Fn(usize) -> usize> Gather<'_, T, P> {
    /// Entries from e on and components from t on, a square of lanes; all of it is there if `FULL`.
    /// The loops have LANES turns also where it is not, or the square would leave the registers.
    ///
    /// # Safety
    /// e is below the padded length, t below k, and S is enabled.
    #[inline(always)]
    unsafe fn tile<S: Simd<T>, const FULL: bool>(&mut self, e: usize, t: usize) {
        let (k, len) = (self.h.cols(), self.len);
        let n = if FULL { S::LANES } else { (k - t).min(S::LANES) };
        let there = if FULL { S::LANES } else { len.saturating_sub(e).min(S::LANES) };
        // SAFETY: every place is that of a row; n columns from t on exist; the panel holds k lines,
        // each no shorter than the padded length, or a whole number of registers.
        unsafe {
            let mut v = [S::splat(T::ZERO); WIDEST];
            for (i, v) in v.iter_mut().enumerate().take(S::LANES) {
                if i < there {
                    let at = self.h.as_ptr().add((self.place)(e + i) * self.h.stride() + t);
                    *v = if n == S::LANES { S::load(at) } else { S::load_part(at, n) };
                }
            }
            transpose::<T, S>(&mut v);
            let to = self.panel.as_mut_ptr().add(t * self.stride + e);
            for (c, v) in v.iter().enumerate().take(S::LANES) {
                if c < n {
                    S::store(to.add(c * self.stride), *v);
                }
            }
        }
    }
}

#[cfg(test)]
struct Dot<'a, T> {
    f: &'a [T],
    panel: &'a [T],
    stride: usize,
    len: usize,
    p: &'a mut [T],
}

#[cfg(test)]
impl<T: Scalar> Job<T> for Dot<'_, T> {
    type Out = ();

    #[inline(always)]
    unsafe fn run<S: Simd<T>>(self) {
        // SAFETY: `dot_panel` checked the lengths.
        unsafe { dot::<T, S>(self.f, self.panel.as_ptr(), self.stride, self.len, self.p) }
    }
}

/// The body of [`dot_panel`]: blocks of entries stay in registers while the components pass.
///
/// # Safety
/// The panel holds `f.len()` lines, and these and `p` hold `padded(len)` values.
#[inline(always)]
pub(super) unsafe fn dot<T: Scalar, S: Simd<T>>(
    f: &[T],
    panel: *const T,
    stride: usize,
    len: usize,
    p: &mut [T],
) {
    // Vectors of 16 lanes or fewer: rounding up to one of them stays within the padding.
    let (mut e, end) = (0, len.next_multiple_of(S::LANES));
    // SAFETY: each block lies below `end`.
    unsafe {
        macro_rules! blocks {
            ($n:literal) => {
                while end - e >= $n * S::LANES {
                    let p = p.as_mut_ptr().add(e);
                    dot_block::<T, S, $n>(f, panel.add(e), stride, p);
                    e += $n * S::LANES;
                }
            };
        }
        blocks!(8);
        blocks!(4);
        blocks!(2);
        blocks!(1);
    }
    p[end..padded(len)].fill(T::ZERO);
}

/// # Safety
/// N vectors lie at `panel`, at each further line of it, and at `p`.
#[inline(always)]
unsafe fn dot_block<T: Scalar, S: Simd<T>, const N: usize>(
    f: &[T],
    panel: *const T,
    stride: usize,
    p: *mut T,
) {
    // SAFETY: the caller's.
    unsafe {
        let mut sums = [S::splat(T::ZERO); N];
        for (t, &x) in f.iter().enumerate() {
            let (x, line) = (S::splat(x), panel.add(t * stride));
            for (v, sum) in sums.iter_mut().enumerate() {
                *sum = S::fma(x, S::load(line.add(v * S::LANES)), *sum);
            }
        }
        for (v, &sum) in sums.iter().enumerate() {
            S::store(p.add(v * S::LANES), sum);
        }
    }
}

/// `out_t = Σ_e panel[t, e] r_e`, four components at a time to load r once for all of them.
///
/// # Safety
/// The panel holds `out.len()` lines; these and `r` hold `padded(len)` values, and their product
/// is 0 from `len` on.
#[inline(always)]
pub(super) unsafe fn times<T: Scalar, S: Simd<T>>(
    panel: *const T,
    stride: usize,
    len: usize,
    r: *const T,
    out: &mut [T],
) {
    let k = out.len();
    // SAFETY: lines below k.
    unsafe {
        let mut t = 0;
        while k - t >= 4 {
            times_lines::<T, S, 4>(panel.add(t * stride), stride, len, r, &mut out[t..]);
            t += 4;
        }
        while t < k {
            times_lines::<T, S, 1>(panel.add(t * stride), stride, len, r, &mut out[t..]);
            t += 1;
        }
    }
}

/// # Safety
/// As [`times`], for N lines.
#[inline(always)]
unsafe fn times_lines<T: Scalar, S: Simd<T>, const N: usize>(
    panel: *const T,
    stride: usize,
    len: usize,
    r: *const T,
    out: &mut [T],
) {
    // SAFETY: the caller's.
    unsafe {
        let mut sums = [[S::splat(T::ZERO); 2]; N];
        let (mut e, end) = (0, len.next_multiple_of(S::LANES));
        macro_rules! vector {
            ($half:literal, $e:expr) => {
                let x = S::load(r.add($e));
                for (line, sum) in sums.iter_mut().enumerate() {
                    sum[$half] = S::fma(S::load(panel.add(line * stride + $e)), x, sum[$half]);
                }
            };
        }
        while end - e >= 2 * S::LANES {
            vector!(0, e);
            vector!(1, e + S::LANES);
            e += 2 * S::LANES;
        }
        if e < end {
            vector!(0, e);
        }
        for (sum, out) in sums.iter().zip(out) {
            *out = S::sum(S::add(sum[0], sum[1]));
        }
    }
}
