//! Products of the rows of one register with the panel.

use super::group::Group;
use crate::kernel::simd::Simd;
use crate::scalar::Scalar;

impl<T: Scalar> Group<'_, T> {
    /// p = Σ_t f_t v_te.
    ///
    /// # Safety
    /// As [`improve`](Group::improve).
    #[inline(always)]
    pub(super) unsafe fn dot<S: Simd<T>>(&mut self) {
        let (mut e, len) = (0, self.c.len() / S::LANES);
        // SAFETY: blocks lie below len.
        unsafe {
            while len - e >= 8 {
                self.dot_block::<S, 8>(e);
                e += 8;
            }
            while e < len {
                self.dot_block::<S, 1>(e);
                e += 1;
            }
        }
    }

    /// # Safety
    /// Entries e..e + N exist; else as [`improve`](Group::improve).
    #[inline(always)]
    unsafe fn dot_block<S: Simd<T>, const N: usize>(&mut self, e: usize) {
        // SAFETY: the caller's.
        unsafe {
            let mut sums = [S::splat(T::ZERO); N];
            for t in 0..self.f.len() / S::LANES {
                let f = S::load(self.f.as_ptr().add(t * S::LANES));
                let line = self.panel.as_ptr().add(t * self.stride + e);
                for (at, sum) in sums.iter_mut().enumerate() {
                    *sum = S::fma(f, S::splat(*line.add(at)), *sum);
                }
            }
            for (at, &sum) in sums.iter().enumerate() {
                S::store(self.p.as_mut_ptr().add((e + at) * S::LANES), sum);
            }
        }
    }

    /// The linear costs of rows with these weights: Σ_e v_te w_e.
    ///
    /// # Safety
    /// `weights` holds LANES values for each entry; else as [`improve`](Group::improve).
    #[inline(always)]
    pub(super) unsafe fn weigh<S: Simd<T>>(&mut self, weights: &[T]) {
        self.pairs.clear();
        self.pairs.extend(0..self.c.len() / S::LANES / 2);
        let out = self.u.as_mut_ptr();
        // SAFETY: the caller's.
        unsafe { self.times::<S>(weights.as_ptr(), out) }
    }

    /// Σ_e v_te r_e of every component, r being 0 in what is not in pairs.
    ///
    /// # Safety
    /// `r` has LANES values for each entry, `out` for each component; else as
    /// [`improve`](Group::improve).
    #[inline(always)]
    pub(super) unsafe fn times<S: Simd<T>>(&self, r: *const T, out: *mut T) {
        let (mut t, k) = (0, self.f.len() / S::LANES);
        // SAFETY: components below k.
        unsafe {
            while k - t >= 4 {
                self.times_lines::<S, 4>(t, r, out);
                t += 4;
            }
            while t < k {
                self.times_lines::<S, 1>(t, r, out);
                t += 1;
            }
        }
    }

    /// Of N components from t on.
    ///
    /// # Safety
    /// t + N ≤ k; else as [`times`](Self::times).
    #[inline(always)]
    unsafe fn times_lines<S: Simd<T>, const N: usize>(&self, t: usize, r: *const T, out: *mut T) {
        // SAFETY: the caller's.
        unsafe {
            let lines = self.panel.as_ptr().add(t * self.stride);
            let len = self.c.len() / S::LANES;
            let add = |sums: &mut [S::V; N], e: usize| {
                let r = S::load(r.add(e * S::LANES));
                for (at, sum) in sums.iter_mut().enumerate() {
                    *sum = S::fma(r, S::splat(*lines.add(at * self.stride + e)), *sum);
                }
            };
            let mut sums = [[S::splat(T::ZERO); N]; 2];
            for &e in &self.pairs {
                add(&mut sums[0], e);
                add(&mut sums[1], e + len / 2);
            }
            if len % 2 == 1 {
                add(&mut sums[0], len - 1);
            }
            for (at, (&a, &b)) in sums[0].iter().zip(&sums[1]).enumerate() {
                S::store(out.add((t + at) * S::LANES), S::add(a, b));
            }
        }
    }
}
