//! What the current fit puts at missing entries: `m_i += Σ_j q_ij h_j` and `c_j += Σ_i q_ij f_i` over
//! the missing (i, j), with q_ij = f_i · h_j.
//!
//! One visit of each missing entry: a dot product, then one or two multiply-adds of whole factor rows
//! while they are in the first-level cache.

use super::simd::{self, Job, Simd};
use crate::factor::{View, ViewMut};
use crate::scalar::Scalar;

/// Rows with the columns that are missing in each: `indptr` ascends within `indices`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places<'a> {
    pub(crate) indptr: &'a [usize],
    pub(crate) indices: &'a [u32],
}

/// Adds to `m`, a row for each row of `f`, and to `c`, a row for each row of `h`; returns Σ q².
pub(crate) fn impute<T: Scalar>(
    places: Places<'_>,
    f: View<'_, T>,
    h: View<'_, T>,
    m: &mut ViewMut<'_, T>,
    c: Option<&mut ViewMut<'_, T>>,
) -> f64 {
    let rows = places.indptr.len() - 1;
    assert!(rows == f.rows() && rows == m.rows() && f.cols() == h.cols() && f.cols() == m.cols());
    if let Some(c) = &c {
        assert!(c.rows() == h.rows() && c.cols() == h.cols());
    }
    let (from, to) = (places.indptr[0], places.indptr[rows]);
    assert!(places.indices[from..to].iter().all(|&j| (j as usize) < h.rows()));
    simd::run(Impute { places, f, h, m: m.reborrow(), c: c.map(ViewMut::reborrow) })
}

struct Impute<'a, T> {
    places: Places<'a>,
    f: View<'a, T>,
    h: View<'a, T>,
    m: ViewMut<'a, T>,
    c: Option<ViewMut<'a, T>>,
}

impl<T: Scalar> Job<T> for Impute<'_, T> {
    type Out = f64;

    #[inline(always)]
    unsafe fn run<S: Simd<T>>(mut self) -> f64 {
        let mut total = 0.0;
        for i in 0..self.f.rows() {
            let span = self.places.indptr[i]..self.places.indptr[i + 1];
            let f = self.f.row(i).as_ptr();
            let m = self.m.row_mut(i).as_mut_ptr();
            for &j in &self.places.indices[span] {
                let j = j as usize;
                let k = self.h.cols();
                // SAFETY: `impute` checked the shapes and that j is a row of h and c; rows have k
                // values, and the caller enabled S.
                unsafe {
                    let h = self.h.as_ptr().add(j * self.h.stride());
                    let q = dot::<T, S>(f, h, k);
                    total += q.to_f64() * q.to_f64();
                    add::<T, S>(m, q, h, k);
                    if let Some(c) = &mut self.c {
                        let at = j * c.stride();
                        add::<T, S>(c.as_mut_ptr().add(at), q, f, k);
                    }
                }
            }
        }
        total
    }
}

/// # Safety
/// Both have k values, and S is enabled.
#[inline(always)]
unsafe fn dot<T: Scalar, S: Simd<T>>(a: *const T, b: *const T, k: usize) -> T {
    // SAFETY: the caller's.
    unsafe {
        let mut sum = S::splat(T::ZERO);
        let mut t = 0;
        while k - t >= S::LANES {
            sum = S::fma(S::load(a.add(t)), S::load(b.add(t)), sum);
            t += S::LANES;
        }
        if t < k {
            sum = S::fma(S::load_part(a.add(t), k - t), S::load_part(b.add(t), k - t), sum);
        }
        S::sum(sum)
    }
}

/// `to += q · from`.
///
/// # Safety
/// Both have k values and do not overlap, and S is enabled.
#[inline(always)]
unsafe fn add<T: Scalar, S: Simd<T>>(to: *mut T, q: T, from: *const T, k: usize) {
    // SAFETY: the caller's.
    unsafe {
        let q = S::splat(q);
        let mut t = 0;
        while k - t >= S::LANES {
            S::store(to.add(t), S::fma(q, S::load(from.add(t)), S::load(to.add(t))));
            t += S::LANES;
        }
        if t < k {
            let n = k - t;
            let sum = S::fma(q, S::load_part(from.add(t), n), S::load_part(to.add(t), n));
            S::store_part(to.add(t), n, sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::factor::Factor;

    #[test]
    fn equals_plain_loops_at_every_width() {
        for k in [1, 3, 4, 7, 8, 13, 17] {
            let value = |i: usize, t: usize| ((i * 7 + t * 3) % 5) as f64 + 0.5;
            let fill = |rows: usize| {
                let values: Vec<f64> = (0..rows * k).map(|e| value(e / k, e % k)).collect();
                Factor::from_rows(rows, k, &values)
            };
            let (f, h) = (fill(2), fill(4));
            let places = Places { indptr: &[0, 2, 3], indices: &[1, 3, 0] };
            let (mut m, mut c) = (Factor::zeros(2, k), Factor::zeros(4, k));
            let (mut m_mut, mut c_mut) = (m.view_mut(), c.view_mut());
            let total = impute(places, f.view(), h.view(), &mut m_mut, Some(&mut c_mut));
            let (mut want, mut want_m) = (0.0, vec![0.0; 2 * k]);
            for (i, j) in [(0, 1), (0, 3), (1, 0)] {
                let q: f64 = (0..k).map(|t| f.get(i, t) * h.get(j, t)).sum();
                want += q * q;
                (0..k).for_each(|t| want_m[i * k + t] += q * h.get(j, t));
            }
            assert!((total - want).abs() < 1e-9 * want);
            assert!(m.to_vec().iter().zip(&want_m).all(|(a, b)| (a - b).abs() < 1e-9 * b));
            let q: f64 = (0..k).map(|t| f.get(1, t) * h.get(0, t)).sum();
            assert!((0..k).all(|t| (c.get(0, t) - q * f.get(1, t)).abs() < 1e-9 * q * q));
            assert!((0..k).all(|t| c.get(2, t) == 0.0));
        }
    }
}
