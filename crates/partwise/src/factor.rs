//! A factor: a tall matrix, row-major, its columns contiguous, no row across more cache lines than it needs.
//!
//! Both factors are kept tall: W is m×k and H is n×k (its transpose is what the papers call H). A
//! batch of restarts is one wide factor whose column blocks are the restarts.

use crate::scalar::Scalar;

/// Bytes of a cache line.
const LINE: usize = 64;

#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Line([u8; LINE]);

/// A tall row-major matrix whose rows are padded with zeros to whole cache lines, or to a power of two
/// of values where several share a line.
#[derive(Clone)]
pub struct Factor<T> {
    lines: Vec<Line>,
    rows: usize,
    cols: usize,
    stride: usize,
    scalar: std::marker::PhantomData<T>,
}

impl<T: Scalar> Factor<T> {
    /// All zeros.
    pub fn zeros(rows: usize, cols: usize) -> Self {
        let stride = Self::padded(cols);
        let lines = vec![Line([0; LINE]); Self::lines(rows, stride)];
        Self { lines, rows, cols, stride, scalar: std::marker::PhantomData }
    }

    /// The same in room that `reserve` makes for so many lines, or refuses to make.
    pub(crate) fn zeros_in<E>(
        rows: usize,
        cols: usize,
        reserve: impl FnOnce(&mut Vec<Line>, usize) -> Result<(), E>,
    ) -> Result<Self, E> {
        let stride = Self::padded(cols);
        let (mut lines, count) = (Vec::new(), Self::lines(rows, stride));
        reserve(&mut lines, count)?;
        lines.resize(count, Line([0; LINE]));
        Ok(Self { lines, rows, cols, stride, scalar: std::marker::PhantomData })
    }

    fn lines(rows: usize, stride: usize) -> usize {
        (rows * stride).div_ceil(LINE / size_of::<T>())
    }

    /// Values that a row of `cols` is padded to.
    pub(crate) fn padded(cols: usize) -> usize {
        let per_line = LINE / size_of::<T>();
        match cols.max(1) {
            narrow if narrow <= per_line => narrow.next_power_of_two(),
            wide => wide.next_multiple_of(per_line),
        }
    }

    /// Becomes a factor of this shape in the room it has. The values are what happens to be there,
    /// but the padding is zero if the number of columns stays.
    pub(crate) fn reshape(&mut self, rows: usize, cols: usize) {
        if cols != self.cols {
            *self = Self::zeros(rows, cols);
            return;
        }
        let bytes = rows * self.stride * size_of::<T>();
        self.lines.resize(bytes.div_ceil(LINE), Line([0; LINE]));
        self.rows = rows;
    }

    /// From `values` in row-major order, `rows * cols` of them.
    ///
    /// # Panics
    /// If `values` has another length.
    pub fn from_rows(rows: usize, cols: usize, values: &[T]) -> Self {
        assert_eq!(values.len(), rows * cols, "a {rows} × {cols} factor needs rows · cols values");
        let mut f = Self::zeros(rows, cols);
        for i in 0..rows {
            f.row_mut(i).copy_from_slice(&values[i * cols..(i + 1) * cols]);
        }
        f
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }
    /// Number of columns, without the padding.
    pub fn cols(&self) -> usize {
        self.cols
    }
    /// Elements from the start of one row to the start of the next.
    pub fn stride(&self) -> usize {
        self.stride
    }
    /// Row `i`.
    pub fn row(&self, i: usize) -> &[T] {
        &self.as_slice()[i * self.stride..][..self.cols]
    }
    /// Row `i`.
    pub fn row_mut(&mut self, i: usize) -> &mut [T] {
        let (stride, cols) = (self.stride, self.cols);
        &mut self.as_mut_slice()[i * stride..][..cols]
    }
    /// Entry in row `i`, column `j`.
    pub fn get(&self, i: usize, j: usize) -> T {
        self.row(i)[j]
    }
    /// All values with the padding, which is zero.
    #[allow(unsafe_code)]
    pub fn as_slice(&self) -> &[T] {
        // SAFETY: the lines are initialised, aligned to 64 bytes, hold rows · stride values of T
        // (f32 or f64: any bytes are valid), and are borrowed for as long as the slice.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.rows * self.stride) }
    }
    /// All values with the padding, which callers leave zero.
    #[allow(unsafe_code)]
    pub(crate) fn as_mut_slice(&mut self) -> &mut [T] {
        let len = self.rows * self.stride;
        // SAFETY: as `as_slice`, and the borrow is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), len) }
    }

    /// Whether a column is zero.
    pub(crate) fn is_zero_column(&self, column: usize) -> bool {
        (0..self.rows).all(|i| self.row(i)[column] == T::ZERO)
    }

    /// Makes a column zero.
    pub(crate) fn clear_column(&mut self, column: usize) {
        (0..self.rows).for_each(|i| self.row_mut(i)[column] = T::ZERO);
    }

    /// The values without padding, row after row.
    pub fn to_vec(&self) -> Vec<T> {
        (0..self.rows).flat_map(|i| self.row(i).iter().copied()).collect()
    }
    /// The values of the transpose without padding, row after row: k×n from a stored n×k.
    pub fn to_transposed_vec(&self) -> Vec<T> {
        (0..self.cols).flat_map(|j| (0..self.rows).map(move |i| self.get(i, j))).collect()
    }
    /// The whole factor as a view.
    pub fn view(&self) -> View<'_, T> {
        View { data: self.as_slice(), rows: self.rows, cols: self.cols, stride: self.stride }
    }
    /// The whole factor as an exclusive view.
    pub fn view_mut(&mut self) -> ViewMut<'_, T> {
        let (rows, cols, stride) = (self.rows, self.cols, self.stride);
        ViewMut { data: self.as_mut_slice(), rows, cols, stride }
    }
    /// Adds a factor of the same shape.
    pub(crate) fn add(&mut self, other: &Self) {
        self.as_mut_slice().iter_mut().zip(other.as_slice()).for_each(|(to, &v)| *to += v);
    }

    /// Multiplies every value by 2^exponent, by steps that T can hold.
    pub(crate) fn scale_by_power(&mut self, exponent: i32) {
        const STEP: i32 = 64;
        let mut left = exponent;
        while left != 0 {
            let step = left.clamp(-STEP, STEP);
            let by = T::from_f64(2f64.powi(step));
            self.as_mut_slice().iter_mut().for_each(|v| *v *= by);
            left -= step;
        }
    }
    /// Whether every value is finite.
    pub fn is_finite(&self) -> bool {
        self.as_slice().iter().all(|v| v.is_finite())
    }
}

impl<T: Scalar> std::fmt::Debug for Factor<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Factor<{}>({} × {})", T::NAME, self.rows, self.cols)
    }
}

impl<T: Scalar> PartialEq for Factor<T> {
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows && self.cols == other.cols && self.as_slice() == other.as_slice()
    }
}

/// Some rows and columns of a factor.
#[derive(Clone, Copy, Debug)]
pub struct View<'a, T> {
    data: &'a [T],
    rows: usize,
    cols: usize,
    stride: usize,
}

/// Some rows and columns of a factor, to write to.
#[derive(Debug)]
pub struct ViewMut<'a, T> {
    data: &'a mut [T],
    rows: usize,
    cols: usize,
    stride: usize,
}

impl<'a, T: Scalar> View<'a, T> {
    /// Views `rows` rows of `cols` values, `stride` apart.
    ///
    /// # Panics
    /// If `data` is too short.
    pub fn new(data: &'a [T], rows: usize, cols: usize, stride: usize) -> Self {
        assert!(rows == 0 || (rows - 1) * stride + cols <= data.len() && cols <= stride);
        Self { data, rows, cols, stride }
    }
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }
    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }
    /// Elements between the starts of two rows.
    pub fn stride(&self) -> usize {
        self.stride
    }
    /// Row `i`.
    pub fn row(&self, i: usize) -> &'a [T] {
        &self.data[i * self.stride..][..self.cols]
    }
    /// Rows `range`.
    pub fn slice(&self, range: std::ops::Range<usize>) -> View<'a, T> {
        assert!(range.end <= self.rows);
        View { data: &self.data[range.start * self.stride..], rows: range.len(), ..*self }
    }
    /// Columns `range`.
    pub fn columns(&self, range: std::ops::Range<usize>) -> View<'a, T> {
        assert!(range.end <= self.cols);
        let from = range.start.min(self.data.len());
        View { data: &self.data[from..], cols: range.len(), ..*self }
    }
    /// A copy as a factor of its own.
    pub(crate) fn to_factor(self) -> Factor<T> {
        let mut f = Factor::zeros(self.rows, self.cols);
        f.view_mut().copy_from(self);
        f
    }
    /// First element.
    pub(crate) fn as_ptr(&self) -> *const T {
        self.data.as_ptr()
    }
}

impl<'a, T: Scalar> ViewMut<'a, T> {
    /// Views `rows` rows of `cols` values, `stride` apart.
    ///
    /// # Panics
    /// If `data` is too short.
    pub fn new(data: &'a mut [T], rows: usize, cols: usize, stride: usize) -> Self {
        assert!(rows == 0 || (rows - 1) * stride + cols <= data.len() && cols <= stride);
        Self { data, rows, cols, stride }
    }
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }
    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }
    /// Elements between the starts of two rows.
    pub fn stride(&self) -> usize {
        self.stride
    }
    /// Row `i`.
    pub fn row(&self, i: usize) -> &[T] {
        &self.data[i * self.stride..][..self.cols]
    }
    /// Row `i`.
    pub fn row_mut(&mut self, i: usize) -> &mut [T] {
        &mut self.data[i * self.stride..][..self.cols]
    }
    /// The same rows and columns, read-only.
    pub fn as_view(&self) -> View<'_, T> {
        View { data: self.data, rows: self.rows, cols: self.cols, stride: self.stride }
    }
    /// The same view for a shorter time.
    pub fn reborrow(&mut self) -> ViewMut<'_, T> {
        ViewMut { data: self.data, rows: self.rows, cols: self.cols, stride: self.stride }
    }
    /// Rows `range`.
    pub fn slice(&mut self, range: std::ops::Range<usize>) -> ViewMut<'_, T> {
        assert!(range.end <= self.rows);
        let data = &mut self.data[range.start * self.stride..];
        ViewMut { data, rows: range.len(), cols: self.cols, stride: self.stride }
    }
    /// Columns `range`.
    pub fn columns(&mut self, range: std::ops::Range<usize>) -> ViewMut<'_, T> {
        assert!(range.end <= self.cols);
        let from = range.start.min(self.data.len());
        ViewMut {
            data: &mut self.data[from..],
            rows: self.rows,
            cols: range.len(),
            stride: self.stride,
        }
    }
    /// Cuts before row `at`.
    pub fn split_at(self, at: usize) -> (ViewMut<'a, T>, ViewMut<'a, T>) {
        assert!(at <= self.rows);
        let (head, tail) = self.data.split_at_mut(at * self.stride);
        let (cols, stride) = (self.cols, self.stride);
        (
            ViewMut { data: head, rows: at, cols, stride },
            ViewMut { data: tail, rows: self.rows - at, cols, stride },
        )
    }
    /// Cuts into the consecutive row ranges that end at `ends`.
    pub fn split_rows(self, ends: &[usize]) -> Vec<ViewMut<'a, T>> {
        let mut rest = self;
        let mut done = 0;
        let mut parts = Vec::with_capacity(ends.len());
        for &end in ends {
            let (part, tail) = rest.split_at(end - done);
            parts.push(part);
            rest = tail;
            done = end;
        }
        parts
    }
    /// Sets every value to `value`.
    pub fn fill(&mut self, value: T) {
        for i in 0..self.rows {
            self.row_mut(i).fill(value);
        }
    }
    /// Copies from a view of the same shape.
    pub fn copy_from(&mut self, other: View<'_, T>) {
        for i in 0..self.rows {
            self.row_mut(i).copy_from_slice(other.row(i));
        }
    }
    /// All values, from the first one of the first row to the last one of the last, with what lies
    /// between and behind the rows.
    pub(crate) fn as_mut_slice(&mut self) -> &mut [T] {
        self.data
    }
    /// First element.
    pub(crate) fn as_mut_ptr(&mut self) -> *mut T {
        self.data.as_mut_ptr()
    }
}
