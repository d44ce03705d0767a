//! What the current fit puts at missing entries: `m_i += Σ_j q_ij h_j` and `c_j += Σ_i q_ij f_i` over
//! the missing (i, j), with q_ij = f_i · h_j.
//!
//! One visit of each missing entry: a dot product, then one or two multiply-adds of whole factor rows
//! while they are in the first-level cache.

use super::simd::{self, Job, Simd};
use crate::factor::{View, ViewMut};
use crate::scalar::Scalar;
use std::ops::Range;

/// Rows with the columns that are missing in each.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    /// Ascends from 0 to the number of indices.
    indptr: Vec<usize>,
    /// Below `cols`.
    indices: Vec<u32>,
    cols: usize,
}

impl Pattern {
    /// # Panics
    /// If `indptr` does not ascend from 0 to the number of indices, or one of these is not below `cols`.
    pub(crate) fn new(indptr: Vec<usize>, indices: Vec<u32>, cols: usize) -> Self {
        assert!(indptr.first() == Some(&0) && indptr.last() == Some(&indices.len()));
        assert!(indptr.is_sorted() && indices.iter().all(|&j| (j as usize) < cols));
        Self { indptr, indices, cols }
    }

    /// How many are missing.
    pub(crate) fn len(&self) -> usize {
        self.indices.len()
    }

    /// Those of some rows.
    pub(crate) fn rows(&self, rows: Range<usize>) -> Places<'_> {
        Places { indptr: &self.indptr[rows.start..=rows.end], of: self }
    }
}

/// Some rows of a pattern.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places<'a> {
    indptr: &'a [usize],
    of: &'a Pattern,
}

impl<'a> Places<'a> {
    /// The columns of row `i` of these.
    pub(crate) fn columns(&self, i: usize) -> &'a [u32] {
        &self.of.indices[self.indptr[i]..self.indptr[i + 1]]
    }
}

/// What becomes of q·h in m.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    /// It is added.
    Plus,
    /// It is taken away, down to 0: from a positive part of a gradient what is not there.
    Minus,
}

/// Changes `m`, a row for each row of `f`, and adds to `c`, a row for each row of `h`; returns Σ q².
pub(crate) fn impute<T: Scalar>(
    places: Places<'_>,
    (f, h): (View<'_, T>, View<'_, T>),
    (sign, m): (Sign, &mut ViewMut<'_, T>),
    c: Option<&mut ViewMut<'_, T>>,
) -> f64 {
    let rows = places.indptr.len() - 1;
    assert!(rows == f.rows() && rows == m.rows() && h.rows() >= places.of.cols);
    assert!(f.cols() == h.cols() && f.cols() == m.cols());
    if let Some(c) = &c {
        assert!(c.rows() == h.rows() && c.cols() == h.cols());
    }
    let (m, c) = (m.reborrow(), c.map(ViewMut::reborrow));
    match sign {
        Sign::Plus => simd::run(Impute::<T, false> { places, f, h, m, c }),
        Sign::Minus => simd::run(Impute::<T, true> { places, f, h, m, c }),
    }
}

/// With the sign minus if `TAKE`.
struct Impute<'a, T, const TAKE: bool> {
    places: Places<'a>,
    f: View<'a, T>,
    h: View<'a, T>,
    m: ViewMut<'a, T>,
    c: Option<ViewMut<'a, T>>,
}

impl<T: Scalar, const TAKE: bool> Job<T> for Impute<'_, T, TAKE> {
    type Out = f64;

    #[inline(always)]
    unsafe fn run<S: Simd<T>>(mut self) -> f64 {
        // SAFETY: `impute` checked the shapes, by which every j of a pattern is a row of h and c; rows
        // have k values, which are that many vectors, and the caller enabled S.
        unsafe {
            let (k, lanes) = (self.h.cols(), S::LANES);
            match (k.div_ceil(lanes), k.is_multiple_of(lanes)) {
                (1, true) => self.in_registers::<S, 1, true>(),
                (1, false) => self.in_registers::<S, 1, false>(),
                (2, true) => self.in_registers::<S, 2, true>(),
                (2, false) => self.in_registers::<S, 2, false>(),
                (3, true) => self.in_registers::<S, 3, true>(),
                (3, false) => self.in_registers::<S, 3, false>(),
                (4, true) => self.in_registers::<S, 4, true>(),
                (4, false) => self.in_registers::<S, 4, false>(),
                _ => self.in_memory::<S>(),
            }
        }
    }
}

impl<T: Scalar, const TAKE: bool> Impute<'_, T, TAKE> {
    /// Rows of V vectors, the last of which is short unless they are `WHOLE`: those of f and m stay in registers.
    ///
    /// # Safety
    /// Shapes and indices as `run` has them, and S is enabled.
    #[inline(always)]
    unsafe fn in_registers<S: Simd<T>, const V: usize, const WHOLE: bool>(&mut self) -> f64 {
        let short = V * S::LANES - self.h.cols();
        let mut total = 0.0;
        for i in 0..self.f.rows() {
            let span = self.places.indptr[i]..self.places.indptr[i + 1];
            let (groups, last) = self.places.of.indices[span].as_chunks::<GROUP>();
            // SAFETY: the caller's.
            unsafe {
                let f = load::<T, S, V, WHOLE>(self.f.row(i).as_ptr(), short);
                let m = load::<T, S, V, WHOLE>(self.m.row(i).as_ptr(), short);
                let odd = [S::splat(T::ZERO); V];
                let mut row = Row::<S::V, V> { f, m, odd, squares: S::splat(T::ZERO), short };
                for group in groups {
                    self.add_group::<S, V, WHOLE, GROUP>(&mut row, group);
                }
                for &j in last {
                    self.add_group::<S, V, WHOLE, 1>(&mut row, &[j]);
                }
                row.m.iter_mut().zip(row.odd).for_each(|(m, odd)| *m = S::add(*m, odd));
                if TAKE {
                    row.m.iter_mut().for_each(|m| *m = S::max(*m, S::splat(T::ZERO)));
                }
                store::<T, S, V, WHOLE>(self.m.row_mut(i).as_mut_ptr(), row.m, short);
                total += S::sum(row.squares).to_f64() / S::LANES as f64;
            }
        }
        total
    }

    /// Entries of one row, whose fitted values are summed side by side.
    ///
    /// # Safety
    /// As [`in_registers`](Self::in_registers); N is 1 or `GROUP`.
    #[inline(always)]
    unsafe fn add_group<S: Simd<T>, const V: usize, const WHOLE: bool, const N: usize>(
        &mut self,
        row: &mut Row<S::V, V>,
        columns: &[u32; N],
    ) {
        // SAFETY: the caller's.
        unsafe {
            let h = self.h;
            let line = |e: usize| {
                let from = h.as_ptr().add(columns[e] as usize * h.stride());
                load::<T, S, V, WHOLE>(from, row.short)
            };
            let fitted: [S::V; N] = std::array::from_fn(|e| {
                let pairs = row.f.iter().zip(line(e));
                pairs.fold(S::splat(T::ZERO), |sum, (&f, h)| S::fma(f, h, sum))
            });
            let (q, squares) = sums_of::<T, S, N>(fitted);
            row.squares = S::add(row.squares, squares);
            for e in 0..N {
                let (q, h) = (S::splat(q[e]), line(e));
                let add = |m, h| if TAKE { S::fnma(q, h, m) } else { S::fma(q, h, m) };
                let m = if e % 2 == 0 { &mut row.m } else { &mut row.odd };
                m.iter_mut().zip(h).for_each(|(m, h)| *m = add(*m, h));
                if let Some(c) = &mut self.c {
                    let c = c.as_mut_ptr().add(columns[e] as usize * c.stride());
                    let mut sums = load::<T, S, V, WHOLE>(c, row.short);
                    sums.iter_mut().zip(row.f).for_each(|(sum, f)| *sum = S::fma(q, f, *sum));
                    store::<T, S, V, WHOLE>(c, sums, row.short);
                }
            }
        }
    }

    /// Rows of any length.
    ///
    /// # Safety
    /// As [`in_registers`](Self::in_registers).
    #[inline(always)]
    unsafe fn in_memory<S: Simd<T>>(&mut self) -> f64 {
        let mut total = 0.0;
        let k = self.h.cols();
        for i in 0..self.f.rows() {
            let span = self.places.indptr[i]..self.places.indptr[i + 1];
            let f = self.f.row(i).as_ptr();
            let m = self.m.row_mut(i).as_mut_ptr();
            for &j in &self.places.of.indices[span] {
                let j = j as usize;
                // SAFETY: the caller's.
                unsafe {
                    let h = self.h.as_ptr().add(j * self.h.stride());
                    let q = dot::<T, S>(f, h, k);
                    total += q.to_f64() * q.to_f64();
                    add::<T, S>(m, if TAKE { -q } else { q }, h, k);
                    if let Some(c) = &mut self.c {
                        let at = j * c.stride();
                        add::<T, S>(c.as_mut_ptr().add(at), q, f, k);
                    }
                }
            }
            if TAKE {
                self.m.row_mut(i).iter_mut().for_each(|m| *m = Scalar::max(*m, T::ZERO));
            }
        }
        total
    }
}

/// Entries of a row whose sums are formed together.
const GROUP: usize = 4;

/// What of one row is in registers.
struct Row<R, const V: usize> {
    f: [R; V],
    m: [R; V],
    /// What every second entry adds to m, that the sums of both can be formed side by side.
    odd: [R; V],
    /// Lanes whose mean is Σ q².
    squares: R,
    /// Elements that the last vector lacks.
    short: usize,
}

/// The sums of the lanes of one vector, or of four, and lanes whose mean is the sum of their squares.
///
/// # Safety
/// S is enabled.
#[inline(always)]
unsafe fn sums_of<T: Scalar, S: Simd<T>, const N: usize>(v: [S::V; N]) -> ([T; N], S::V) {
    // SAFETY: the caller's; `sums` has room for the widest vector.
    unsafe {
        if N != GROUP || S::LANES < GROUP {
            let sums = v.map(|v| S::sum(v));
            let square = |sum, &q: &T| S::fma(S::splat(q), S::splat(q), sum);
            return (sums, sums.iter().fold(S::splat(T::ZERO), square));
        }
        let add = |(a, b)| S::add(a, b);
        let (first, last) = (add(S::exchange::<1>(v[0], v[1])), add(S::exchange::<1>(v[2], v[3])));
        let mut all = add(S::exchange::<2>(first, last));
        if S::LANES > 4 {
            all = add(S::exchange::<4>(all, all));
        }
        if S::LANES > 8 {
            all = add(S::exchange::<8>(all, all));
        }
        let mut sums = [T::ZERO; 16];
        S::store(sums.as_mut_ptr(), all);
        // Each sum stands in a quarter of the lanes.
        let squares = S::mul(S::mul(all, all), S::splat(T::from_f64(GROUP as f64)));
        (std::array::from_fn(|e| sums[e]), squares)
    }
}

/// V vectors of which the last lacks `short` elements unless they are `WHOLE`.
///
/// # Safety
/// That many elements are there, and S is enabled.
#[inline(always)]
unsafe fn load<T: Scalar, S: Simd<T>, const V: usize, const WHOLE: bool>(
    from: *const T,
    short: usize,
) -> [S::V; V] {
    // SAFETY: the caller's.
    unsafe {
        std::array::from_fn(|v| {
            let from = from.add(v * S::LANES);
            let whole = WHOLE || v + 1 < V;
            if whole { S::load(from) } else { S::load_part(from, S::LANES - short) }
        })
    }
}

/// The other way round.
///
/// # Safety
/// As [`load`].
#[inline(always)]
unsafe fn store<T: Scalar, S: Simd<T>, const V: usize, const WHOLE: bool>(
    to: *mut T,
    from: [S::V; V],
    short: usize,
) {
    for (v, from) in from.into_iter().enumerate() {
        // SAFETY: the caller's.
        unsafe {
            let to = to.add(v * S::LANES);
            let whole = WHOLE || v + 1 < V;
            if whole { S::store(to, from) } else { S::store_part(to, S::LANES - short, from) }
        }
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
        for k in [1, 3, 4, 7, 8, 13, 17, 31, 32, 37, 70] {
            let value = |i: usize, t: usize| ((i * 7 + t * 3) % 5) as f64 + 0.5;
            let fill = |rows: usize| {
                let values: Vec<f64> = (0..rows * k).map(|e| value(e / k, e % k)).collect();
                Factor::from_rows(rows, k, &values)
            };
            let (f, h) = (fill(2), fill(4));
            let pattern = Pattern::new(vec![0, 2, 3], vec![1, 3, 0], 4);
            let places = pattern.rows(0..2);
            let (mut m, mut c) = (Factor::zeros(2, k), Factor::zeros(4, k));
            let (mut m_mut, mut c_mut) = (m.view_mut(), c.view_mut());
            let both = (f.view(), h.view());
            let total = impute(places, both, (Sign::Plus, &mut m_mut), Some(&mut c_mut));
            let (mut want, mut want_m) = (0.0, vec![0.0; 2 * k]);
            for (i, j) in [(0, 1), (0, 3), (1, 0)] {
                let q: f64 = (0..k).map(|t| f.get(i, t) * h.get(j, t)).sum();
                want += q * q;
                (0..k).for_each(|t| want_m[i * k + t] += q * h.get(j, t));
            }
            assert!((total - want).abs() < 1e-9 * want);
            assert!(m.to_vec().iter().zip(&want_m).all(|(a, b)| (a - b).abs() < 1e-9 * b));
            // More than there is of the first component is not taken away.
            let mut left = m.clone();
            left.row_mut(0)[0] = 0.5;
            let same = impute(places, both, (Sign::Minus, &mut left.view_mut()), None);
            assert_eq!((same, left.get(0, 0)), (total, 0.0));
            assert!(left.to_vec().iter().zip(&want_m).all(|(a, b)| *a >= 0.0 && *a < 1e-9 * b));
            let q: f64 = (0..k).map(|t| f.get(1, t) * h.get(0, t)).sum();
            assert!((0..k).all(|t| (c.get(0, t) - q * f.get(1, t)).abs() < 1e-9 * q * q));
            assert!((0..k).all(|t| c.get(2, t) == 0.0));
        }
    }
}
