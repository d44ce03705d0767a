//! The product W·Hᵀ at the stored entries of a sparse X: what residuals and quotients start from.
//!
//! Four entries of a row share the loads of its factor row, and their sums are independent, so that
//! the latency of the multiply-adds does not show even for one vector per row.

use super::simd::{self, Job, Simd};
use super::sparse::Rows;
use crate::factor::View;
use crate::scalar::Scalar;

/// Entries at once.
const GROUP: usize = 4;

/// `q[e] = w_i · h_j` for the entries (i, j) of `x` in order.
pub(crate) fn sddmm<T: Scalar>(x: Rows<'_, T>, w: View<'_, T>, h: View<'_, T>, q: &mut [T]) {
    assert!(x.len() == w.rows() && x.cols == h.rows() && w.cols() == h.cols());
    assert_eq!(q.len(), x.indptr[x.len()] - x.indptr[0]);
    simd::run(Sampled { x, w, h, q });
}

struct Sampled<'a, T> {
    x: Rows<'a, T>,
    w: View<'a, T>,
    h: View<'a, T>,
    q: &'a mut [T],
}

impl<T: Scalar> Job<T> for Sampled<'_, T> {
    type Out = ();

    #[inline(always)]
    unsafe fn run<S: Simd<T>>(self) {
        let mut rest = self.q;
        for i in 0..self.x.len() {
            let indices = &self.x.indices[self.x.indptr[i]..self.x.indptr[i + 1]];
            let q;
            (q, rest) = rest.split_at_mut(indices.len());
            let w = self.w.row(i);
            let (groups, last) = indices.as_chunks::<GROUP>();
            let (q, q_last) = q.as_chunks_mut::<GROUP>();
            // SAFETY: indices are below cols = h.rows() by the invariant of `Rows`.
            unsafe {
                for (group, q) in groups.iter().zip(q) {
                    *q = dots::<T, S, GROUP>(w, self.h, group);
                }
                for (&j, q) in last.iter().zip(q_last) {
                    [*q] = dots::<T, S, 1>(w, self.h, &[j]);
                }
            }
        }
    }
}

/// # Safety
/// The indices are below `h.rows()`, w has a value for each column of h, and S is enabled.
#[inline(always)]
unsafe fn dots<T: Scalar, S: Simd<T>, const N: usize>(
    w: &[T],
    h: View<'_, T>,
    indices: &[u32; N],
) -> [T; N] {
    let k = w.len();
    // SAFETY: the caller's; loads stay below k.
    unsafe {
        let rows = indices.map(|j| h.as_ptr().add(j as usize * h.stride()));
        let mut sums = [S::splat(T::ZERO); N];
        let mut t = 0;
        while k - t >= S::LANES {
            let x = S::load(w.as_ptr().add(t));
            for (sum, row) in sums.iter_mut().zip(rows) {
                *sum = S::fma(x, S::load(row.add(t)), *sum);
            }
            t += S::LANES;
        }
        if t < k {
            let x = S::load_part(w.as_ptr().add(t), k - t);
            for (sum, row) in sums.iter_mut().zip(rows) {
                *sum = S::fma(x, S::load_part(row.add(t), k - t), *sum);
            }
        }
        sums.map(|sum| S::sum(sum))
    }
}
