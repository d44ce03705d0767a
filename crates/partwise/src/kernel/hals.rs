//! Sweeps of HALS over a panel of rows.
//!
//! Given the Gram matrix, rows are independent and only the components within a row are visited in
//! order. So a panel of rows lies transposed, rows along the lanes, and one component of all of
//! them is improved at once, with everything in the first-level cache for all sweeps.

use super::simd::{self, Job, Simd};
use crate::factor::{View, ViewMut};
use crate::scalar::Scalar;

/// Vectors along the rows of a panel.
const VECTORS: usize = 4;
/// Rows in the widest panel: 4 vectors of 16 lanes.
const MAX_PANEL: usize = 64;

/// For each row w of `f`, `sweeps` times for t = 0..k:
/// `w_t ← max(0, w_t + (b_t − charge − w·G_t) / G_tt)`.
///
/// `gram` is k×k, symmetric, row-major without padding; `inverse` has 1/G_tt, or what stands for it.
pub(crate) fn sweep<T: Scalar>(
    f: &mut ViewMut<'_, T>,
    b: View<'_, T>,
    (gram, inverse, charge): (&[T], &[T], T),
    sweeps: usize,
) {
    let k = f.cols();
    assert!(b.cols() == k && b.rows() == f.rows() && gram.len() == k * k && inverse.len() == k);
    let mut scratch = vec![T::ZERO; 2 * k * MAX_PANEL];
    let (f, scratch) = (f.reborrow(), &mut scratch);
    simd::run(Sweep { f, b, gram, charge, inverse, scratch, sweeps });
}

struct Sweep<'a, T> {
    f: ViewMut<'a, T>,
    b: View<'a, T>,
    gram: &'a [T],
    charge: T,
    inverse: &'a [T],
    scratch: &'a mut [T],
    sweeps: usize,
}

impl<T: Scalar> Job<T> for Sweep<'_, T> {
    type Out = ();

    #[inline(always)]
    unsafe fn run<S: Simd<T>>(mut self) {
        let panel = VECTORS * S::LANES;
        let k = self.f.cols();
        let mut row = 0;
        while row < self.f.rows() {
            let rows = panel.min(self.f.rows() - row);
            let (w, b) = self.scratch.split_at_mut(k * MAX_PANEL);
            // SAFETY: w and b hold k · panel values, gram k · k; `rows` rows from `row` on exist.
            unsafe {
                across::<T, S>(self.f.as_view().slice(row..row + rows), w.as_mut_ptr());
                across::<T, S>(self.b.slice(row..row + rows), b.as_mut_ptr());
                for _ in 0..self.sweeps {
                    let (w, b, charge) = (w.as_mut_ptr(), b.as_ptr(), self.charge);
                    improve::<T, S>(w, b, charge, self.gram, self.inverse);
                }
                back::<T, S>(w.as_ptr(), &mut self.f.slice(row..row + rows));
            }
            row += rows;
        }
    }
}

/// LANES vectors as the rows of a square, transposed.
#[inline(always)]
pub(super) unsafe fn transpose<T: Scalar, S: Simd<T>>(v: &mut [S::V; 16]) {
    // SAFETY: the caller enabled S.
    unsafe {
        macro_rules! stage {
            ($bit:literal) => {
                if S::LANES > $bit {
                    for i in (0..S::LANES).filter(|i| i & $bit == 0) {
                        (v[i], v[i + $bit]) = S::exchange::<$bit>(v[i], v[i + $bit]);
                    }
                }
            };
        }
        stage!(1);
        stage!(2);
        stage!(4);
        stage!(8);
    }
}

/// Rows to a panel with rows along the lanes: `to[t · panel + r] = from[r, t]`, 0 for rows missing.
#[inline(always)]
unsafe fn across<T: Scalar, S: Simd<T>>(from: View<'_, T>, to: *mut T) {
    let (k, panel) = (from.cols(), VECTORS * S::LANES);
    for group in (0..panel).step_by(S::LANES) {
        for t in (0..k).step_by(S::LANES) {
            let n = (k - t).min(S::LANES);
            // SAFETY: reads n values of rows that exist, writes n vectors inside k · panel.
            unsafe {
                let mut v = [S::splat(T::ZERO); 16];
                let rows = from.rows().saturating_sub(group).min(S::LANES);
                for (r, v) in v.iter_mut().enumerate().take(rows) {
                    let at = from.as_ptr().add((group + r) * from.stride() + t);
                    *v = if n == S::LANES { S::load(at) } else { S::load_part(at, n) };
                }
                transpose::<T, S>(&mut v);
                for (c, v) in v.iter().enumerate().take(n) {
                    S::store(to.add((t + c) * panel + group), *v);
                }
            }
        }
    }
}

/// A panel to rows, those that exist.
#[inline(always)]
unsafe fn back<T: Scalar, S: Simd<T>>(from: *const T, to: &mut ViewMut<'_, T>) {
    let (k, panel) = (to.cols(), VECTORS * S::LANES);
    for group in (0..to.rows()).step_by(S::LANES) {
        for t in (0..k).step_by(S::LANES) {
            let n = (k - t).min(S::LANES);
            // SAFETY: as `across`, the other way.
            unsafe {
                let mut v = [S::splat(T::ZERO); 16];
                for (c, v) in v.iter_mut().enumerate().take(n) {
                    *v = S::load(from.add((t + c) * panel + group));
                }
                transpose::<T, S>(&mut v);
                for (r, v) in v.iter().enumerate().take((to.rows() - group).min(S::LANES)) {
                    let at = to.as_mut_ptr().add((group + r) * to.stride() + t);
                    if n == S::LANES { S::store(at, *v) } else { S::store_part(at, n, *v) }
                }
            }
        }
    }
}

/// One sweep over a transposed panel.
#[inline(always)]
unsafe fn improve<T: Scalar, S: Simd<T>>(
    w: *mut T,
    b: *const T,
    charge: T,
    gram: &[T],
    inverse: &[T],
) {
    let k = inverse.len();
    let panel = VECTORS * S::LANES;
    // SAFETY: the caller passes w and b of k · panel values; t, r < k.
    unsafe {
        let zero = S::splat(T::ZERO);
        let (one, charge) = (S::splat(T::ONE), S::splat(charge));
        for (t, &step) in inverse.iter().enumerate() {
            let g = gram.as_ptr().add(t * k);
            // Even and odd components add up apart: twice as many independent chains.
            let mut even = [zero; VECTORS];
            let mut odd = [zero; VECTORS];
            for (v, sum) in even.iter_mut().enumerate() {
                let b = S::load(b.add(t * panel + v * S::LANES));
                *sum = S::fnma(charge, one, b);
            }
            let mut r = 0;
            while r + 1 < k {
                let (g0, g1) = (S::splat(*g.add(r)), S::splat(*g.add(r + 1)));
                for v in 0..VECTORS {
                    even[v] = S::fnma(g0, S::load(w.add(r * panel + v * S::LANES)), even[v]);
                    odd[v] = S::fnma(g1, S::load(w.add((r + 1) * panel + v * S::LANES)), odd[v]);
                }
                r += 2;
            }
            if r < k {
                let g0 = S::splat(*g.add(r));
                for (v, sum) in even.iter_mut().enumerate() {
                    *sum = S::fnma(g0, S::load(w.add(r * panel + v * S::LANES)), *sum);
                }
            }
            let step = S::splat(step);
            for v in 0..VECTORS {
                let at = w.add(t * panel + v * S::LANES);
                let slope = S::add(even[v], odd[v]);
                S::store(at, S::max(S::fma(slope, step, S::load(at)), zero));
            }
        }
    }
}
