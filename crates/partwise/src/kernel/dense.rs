//! The dense product behind X·H, Xᵀ·W and every Gram matrix: `out (+)= x · f` with `f` and `out`
//! tall and row-major, and `x` at any two strides.
//!
//! A register tile of R rows × V vectors runs down the inner dimension: R broadcasts of `x` meet V
//! loads of `f`. Each element of `out` is one chain of fused multiply-adds in index order, whatever
//! the tile, so a row has the same bits alone or among others.

use super::panel::{padded, whole_panel};
use super::simd::{self, Job, Simd};
use crate::factor::{View, ViewMut};
use crate::scalar::Scalar;

/// What becomes of the previous content of the output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Accum {
    /// It is overwritten.
    Replace,
    /// It is added to.
    Add,
}

/// A borrowed matrix at any strides, in elements; strides may be negative or zero.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Strided<'a, T> {
    start: *const T,
    rows: usize,
    cols: usize,
    row_stride: isize,
    col_stride: isize,
    data: std::marker::PhantomData<&'a [T]>,
}

// SAFETY: a `Strided` is a shared borrow of plain numbers.
unsafe impl<T: Sync> Send for Strided<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Strided<'_, T> {}

impl<'a, T: Scalar> Strided<'a, T> {
    /// Entry (0, 0) is `data[offset]`; entry (i, j) lies `i · row_stride + j · col_stride` further.
    /// `None` if an entry would lie outside `data`.
    pub(crate) fn new(
        data: &'a [T],
        offset: usize,
        (rows, cols): (usize, usize),
        (row_stride, col_stride): (isize, isize),
    ) -> Option<Self> {
        if rows > 0 && cols > 0 {
            let reach = |n: usize, s: isize| isize::try_from(n - 1).ok()?.checked_mul(s);
            let (down, right) = (reach(rows, row_stride)?, reach(cols, col_stride)?);
            let offset = isize::try_from(offset).ok()?;
            let low = offset.checked_add(down.min(0))?.checked_add(right.min(0))?;
            let high = offset.checked_add(down.max(0))?.checked_add(right.max(0))?;
            if low < 0 || usize::try_from(high).ok()? >= data.len() {
                return None;
            }
        }
        let start = data.as_ptr().wrapping_add(offset);
        Some(Self { start, rows, cols, row_stride, col_stride, data: std::marker::PhantomData })
    }

    pub(crate) fn of(view: View<'a, T>) -> Self {
        Self {
            start: view.as_ptr(),
            rows: view.rows(),
            cols: view.cols(),
            row_stride: view.stride().cast_signed(),
            col_stride: 1,
            data: std::marker::PhantomData,
        }
    }

    pub(crate) fn shape(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }

    pub(crate) fn transposed(self) -> Self {
        Self {
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
            ..self
        }
    }

    pub(crate) fn rows(self, range: std::ops::Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= self.rows);
        let start = self.start.wrapping_offset(range.start.cast_signed() * self.row_stride);
        Self { start, rows: range.len(), ..self }
    }

    fn columns(self, range: std::ops::Range<usize>) -> Self {
        self.transposed().rows(range).transposed()
    }

    #[inline]
    pub(crate) fn get(&self, i: usize, j: usize) -> T {
        assert!(i < self.rows && j < self.cols);
        // SAFETY: as asserted.
        unsafe { self.get_unchecked(i, j) }
    }

    /// # Safety
    /// i < rows and j < cols.
    #[inline]
    unsafe fn get_unchecked(&self, i: usize, j: usize) -> T {
        let at = i.cast_signed() * self.row_stride + j.cast_signed() * self.col_stride;
        // SAFETY: the constructor checked that every (i, j) of the shape lies inside the borrow.
        unsafe { *self.start.offset(at) }
    }

    /// Copies row i.
    ///
    /// # Panics
    /// If there is no row i, or `out` is not as long as a row.
    pub(crate) fn copy_row(&self, i: usize, out: &mut [T]) {
        assert!(i < self.rows && out.len() == self.cols);
        // SAFETY: as in `get`; the values of a row lie next to each other if the stride is 1.
        unsafe {
            let row = self.start.offset(i.cast_signed() * self.row_stride);
            if self.col_stride == 1 {
                out.copy_from_slice(std::slice::from_raw_parts(row, self.cols));
            } else {
                for (j, out) in out.iter_mut().enumerate() {
                    *out = *row.offset(j.cast_signed() * self.col_stride);
                }
            }
        }
    }
}

/// Rows that are copied side by side where those of the source are not contiguous.
const COPIED_ROWS: usize = 16;

impl<T: Scalar> Strided<'_, T> {
    /// Copies the rows to those of `out`.
    ///
    /// # Panics
    /// If `out` has another shape.
    pub(crate) fn copy_to(&self, out: &mut ViewMut<'_, T>) {
        assert!((out.rows(), out.cols()) == self.shape());
        if self.col_stride == 1 {
            return (0..self.rows).for_each(|i| self.copy_row(i, out.row_mut(i)));
        }
        let whole = self.copy_squares(out);
        let (to, stride) = (out.as_mut_ptr(), out.stride());
        for from in (0..self.rows).step_by(COPIED_ROWS) {
            for j in whole..self.cols {
                for i in from..self.rows.min(from + COPIED_ROWS) {
                    // SAFETY: (i, j) lies within both shapes, which agree.
                    unsafe { *to.add(i * stride + j) = self.get_unchecked(i, j) };
                }
            }
        }
    }

    /// Copies those columns that make whole registers, if columns are contiguous; says how many.
    fn copy_squares(&self, out: &mut ViewMut<'_, T>) -> usize {
        let apart = usize::try_from(self.col_stride).unwrap_or(0);
        let whole = self.cols - self.cols % padded(1);
        if self.row_stride != 1 || apart < self.rows || whole == 0 || self.rows == 0 {
            return 0;
        }
        let len = (whole - 1) * apart + self.rows;
        // SAFETY: from the first entry of the first column to the last one of the last column that is
        // copied; both lie inside the borrow.
        let data = unsafe { std::slice::from_raw_parts(self.start, len) };
        let stride = out.stride();
        whole_panel(View::new(data, whole, self.rows, apart), out.as_mut_slice(), stride);
        whole
    }
}

/// Bytes of `f` that one block of the inner dimension may take: half of a small second-level cache.
const INNER_BYTES: usize = 256 << 10;

/// `out = x · f` or `out += x · f`.
pub(crate) fn product<T: Scalar>(
    x: Strided<'_, T>,
    f: View<'_, T>,
    out: &mut ViewMut<'_, T>,
    accum: Accum,
) {
    assert!(x.cols == f.rows() && x.rows == out.rows() && f.cols() == out.cols());
    let inner = (INNER_BYTES / (size_of::<T>() * f.stride().max(1))).max(64);
    let mut from = 0;
    let mut accum = accum;
    loop {
        let to = x.cols.min(from + inner);
        simd::run(Product {
            x: x.columns(from..to),
            f: f.slice(from..to),
            out: out.reborrow(),
            accum,
        });
        from = to;
        accum = Accum::Add;
        if from >= x.cols {
            break;
        }
    }
}

/// `out += fᵀ f`, k×k, for a panel `f` of rows.
pub(crate) fn gram<T: Scalar>(f: View<'_, T>, out: &mut ViewMut<'_, T>, accum: Accum) {
    product(Strided::of(f).transposed(), f, out, accum);
}

struct Product<'a, T> {
    x: Strided<'a, T>,
    f: View<'a, T>,
    out: ViewMut<'a, T>,
    accum: Accum,
}

impl<T: Scalar> Job<T> for Product<'_, T> {
    type Out = ();

    #[inline(always)]
    unsafe fn run<S: Simd<T>>(mut self) {
        let width = self.f.cols();
        let mut col = 0;
        // SAFETY: the caller enabled S, `product` checked the shapes, and each chunk lies within
        // the width.
        unsafe {
            if S::REGISTERS >= 32 {
                while width - col >= 4 * S::LANES {
                    self.columns::<S, 6, 4, false>(col);
                    col += 4 * S::LANES;
                }
            }
            while col + S::LANES < width {
                let (wide, part) = (S::REGISTERS >= 32, width - col < 2 * S::LANES);
                match (wide, part) {
                    (true, false) => self.columns::<S, 12, 2, false>(col),
                    (true, true) => self.columns::<S, 12, 2, true>(col),
                    (false, false) => self.columns::<S, 6, 2, false>(col),
                    (false, true) => self.columns::<S, 6, 2, true>(col),
                }
                col += 2 * S::LANES;
            }
            if col < width {
                match (S::REGISTERS >= 32, width - col < S::LANES) {
                    (true, false) => self.columns::<S, 12, 1, false>(col),
                    (true, true) => self.columns::<S, 12, 1, true>(col),
                    (false, false) => self.columns::<S, 9, 1, false>(col),
                    (false, true) => self.columns::<S, 9, 1, true>(col),
                }
            }
        }
    }
}

impl<T: Scalar> Product<'_, T> {
    /// One column chunk of V vectors (the last one partial if `PART`), all rows.
    #[inline(always)]
    unsafe fn columns<S: Simd<T>, const R: usize, const V: usize, const PART: bool>(
        &mut self,
        col: usize,
    ) {
        let rows = self.x.rows;
        let mut row = 0;
        // SAFETY: row + the tile's height stays within the rows, col within the columns.
        unsafe {
            while rows - row >= R {
                self.tile::<S, R, V, PART>(row, col);
                row += R;
            }
            while rows - row >= 3 {
                self.tile::<S, 3, V, PART>(row, col);
                row += 3;
            }
            while row < rows {
                self.tile::<S, 1, V, PART>(row, col);
                row += 1;
            }
        }
    }

    #[inline(always)]
    unsafe fn tile<S: Simd<T>, const R: usize, const V: usize, const PART: bool>(
        &mut self,
        row: usize,
        col: usize,
    ) {
        let last = V - 1;
        let part = self.f.cols() - col - if PART { last * S::LANES } else { 0 };
        let (rs, cs) = (self.x.row_stride, self.x.col_stride);
        let f_stride = self.f.stride();
        // SAFETY: `product` checked that x is rows×inner, f inner×cols and out rows×cols; row + R
        // and col + V · LANES (or `part`) are within them. Addresses are formed by wrapping
        // arithmetic because x may run backwards, and only those inside x are read.
        unsafe {
            let mut acc = [[S::splat(T::ZERO); V]; R];
            // A base for every third row: base, base + rs and base + 2·rs are addresses that the
            // processor forms by itself.
            let start = self.x.start.wrapping_offset(row.cast_signed() * rs);
            let mut x: [*const T; 4] =
                std::array::from_fn(|q| start.wrapping_offset(3 * q.cast_signed() * rs));
            let mut f = self.f.as_ptr().wrapping_add(col);
            for _ in 0..self.x.cols {
                let mut fv = [S::splat(T::ZERO); V];
                for (v, lane) in fv.iter_mut().enumerate() {
                    let f = f.wrapping_add(v * S::LANES);
                    *lane = if PART && v == last { S::load_part(f, part) } else { S::load(f) };
                }
                for (r, line) in acc.iter_mut().enumerate() {
                    let at = x[r / 3].wrapping_offset((r % 3).cast_signed() * rs);
                    let xv = S::splat(*at);
                    for v in 0..V {
                        line[v] = S::fma(xv, fv[v], line[v]);
                    }
                }
                for base in &mut x {
                    *base = base.wrapping_offset(cs);
                }
                f = f.wrapping_add(f_stride);
            }
            for (r, line) in acc.iter().enumerate() {
                let out = self.out.as_mut_ptr().add((row + r) * self.out.stride() + col);
                for (v, &sum) in line.iter().enumerate() {
                    let out = out.add(v * S::LANES);
                    let partial = PART && v == last;
                    let mut new = sum;
                    if self.accum == Accum::Add {
                        let old = if partial { S::load_part(out, part) } else { S::load(out) };
                        new = S::add(old, sum);
                    }
                    if partial { S::store_part(out, part, new) } else { S::store(out, new) }
                }
            }
        }
    }
}
