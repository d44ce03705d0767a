//! The two sparse products, one nonzero at a time as one multiply-add of a whole factor row:
//! gather `out_i = Σ_j x_ij f_j` and scatter `c_j += x_ij f_i`.
//!
//! Indices were checked, but a borrowed array may belong to a program that changes it meanwhile: each
//! is held below the number of columns as it is used, which costs a few percent.

use super::simd::{self, Job, Simd};
use crate::factor::{View, ViewMut};
use crate::scalar::Scalar;

/// Some rows of a compressed sparse row matrix whose structure has been checked:
/// `indptr` ascends within `indices`, and every index is below `cols`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows<'a, T> {
    /// rows + 1 offsets into `indices` and `values`.
    pub(crate) indptr: &'a [usize],
    pub(crate) indices: &'a [u32],
    pub(crate) values: &'a [T],
    pub(crate) cols: usize,
}

impl<T> Rows<'_, T> {
    pub(crate) fn len(&self) -> usize {
        self.indptr.len() - 1
    }
}

/// `out = x · f`.
pub(crate) fn gather<T: Scalar>(x: Rows<'_, T>, f: View<'_, T>, out: &mut ViewMut<'_, T>) {
    assert!(x.cols == f.rows() && x.len() == out.rows() && f.cols() == out.cols());
    simd::run(Gather { x, f, out: out.reborrow() });
}

/// `c += xᵀ · f`.
pub(crate) fn scatter<T: Scalar>(x: Rows<'_, T>, f: View<'_, T>, c: &mut ViewMut<'_, T>) {
    assert!(x.cols == c.rows() && x.len() == f.rows() && f.cols() == c.cols());
    simd::run(Scatter { x, f, c: c.reborrow() });
}

/// Runs `$body::<S, V, PART>(col)` over column chunks of 8, 4, 2, 1 vectors and a partial one.
macro_rules! in_chunks {
    ($self:ident, $width:expr, $body:ident) => {{
        let (width, mut col) = ($width, 0);
        if S::REGISTERS >= 32 {
            while width - col >= 8 * S::LANES {
                $self.$body::<S, 8, false>(col);
                col += 8 * S::LANES;
            }
        }
        while width - col >= 4 * S::LANES {
            $self.$body::<S, 4, false>(col);
            col += 4 * S::LANES;
        }
        while width - col >= 2 * S::LANES {
            $self.$body::<S, 2, false>(col);
            col += 2 * S::LANES;
        }
        while width - col >= S::LANES {
            $self.$body::<S, 1, false>(col);
            col += S::LANES;
        }
        if col < width {
            $self.$body::<S, 1, true>(col);
        }
    }};
}

struct Gather<'a, T> {
    x: Rows<'a, T>,
    f: View<'a, T>,
    out: ViewMut<'a, T>,
}

impl<T: Scalar> Job<T> for Gather<'_, T> {
    type Out = ();

    #[inline(always)]
    unsafe fn run<S: Simd<T>>(mut self) {
        // SAFETY: `gather` checked the shapes.
        unsafe { in_chunks!(self, self.f.cols(), columns) }
    }
}

impl<T: Scalar> Gather<'_, T> {
    #[inline(always)]
    unsafe fn columns<S: Simd<T>, const V: usize, const PART: bool>(&mut self, col: usize) {
        let part = self.f.cols() - col;
        let f = self.f.as_ptr().wrapping_add(col);
        let (stride, last) = (self.f.stride(), self.x.cols.saturating_sub(1));
        for i in 0..self.x.len() {
            let (from, to) = (self.x.indptr[i], self.x.indptr[i + 1]);
            let (indices, values) = (&self.x.indices[from..to], &self.x.values[from..to]);
            // SAFETY: indices are below cols = f.rows() by the invariant of `Rows`; the columns
            // touched are within f and out.
            unsafe {
                let mut acc = [S::splat(T::ZERO); V];
                for (&j, &x) in indices.iter().zip(values) {
                    let row = f.add((j as usize).min(last) * stride);
                    let xv = S::splat(x);
                    for (v, sum) in acc.iter_mut().enumerate() {
                        let fv = if PART {
                            S::load_part(row, part)
                        } else {
                            S::load(row.add(v * S::LANES))
                        };
                        *sum = S::fma(xv, fv, *sum);
                    }
                }
                let out = self.out.as_mut_ptr().add(i * self.out.stride() + col);
                for (v, &sum) in acc.iter().enumerate() {
                    if PART {
                        S::store_part(out, part, sum);
                    } else {
                        S::store(out.add(v * S::LANES), sum);
                    }
                }
            }
        }
    }
}

struct Scatter<'a, T> {
    x: Rows<'a, T>,
    f: View<'a, T>,
    c: ViewMut<'a, T>,
}

impl<T: Scalar> Job<T> for Scatter<'_, T> {
    type Out = ();

    #[inline(always)]
    unsafe fn run<S: Simd<T>>(mut self) {
        // SAFETY: `scatter` checked the shapes.
        unsafe { in_chunks!(self, self.f.cols(), columns) }
    }
}

impl<T: Scalar> Scatter<'_, T> {
    #[inline(always)]
    unsafe fn columns<S: Simd<T>, const V: usize, const PART: bool>(&mut self, col: usize) {
        let part = self.f.cols() - col;
        let (stride, last) = (self.c.stride(), self.x.cols.saturating_sub(1));
        let c = self.c.as_mut_ptr().wrapping_add(col);
        for i in 0..self.x.len() {
            let (from, to) = (self.x.indptr[i], self.x.indptr[i + 1]);
            let (indices, values) = (&self.x.indices[from..to], &self.x.values[from..to]);
            // SAFETY: indices are below cols = c.rows() by the invariant of `Rows`; the columns
            // touched are within f and c.
            unsafe {
                let f = self.f.as_ptr().add(i * self.f.stride() + col);
                let mut fv = [S::splat(T::ZERO); V];
                for (v, lane) in fv.iter_mut().enumerate() {
                    *lane = if PART { S::load_part(f, part) } else { S::load(f.add(v * S::LANES)) };
                }
                for (&j, &x) in indices.iter().zip(values) {
                    let row = c.add((j as usize).min(last) * stride);
                    let xv = S::splat(x);
                    for (v, &lane) in fv.iter().enumerate() {
                        if PART {
                            S::store_part(row, part, S::fma(xv, lane, S::load_part(row, part)));
                        } else {
                            let at = row.add(v * S::LANES);
                            S::store(at, S::fma(xv, lane, S::load(at)));
                        }
                    }
                }
            }
        }
    }
}
