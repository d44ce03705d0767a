//! X, seen only through what a factorisation needs of it: rows handed out in panels.
//!
//! A kind of input is an implementation of [`Matrix`] (where the rows are) and of [`Panel`] (how a
//! few of them multiply a factor). No rule, loss or start knows which kinds there are.

mod copied;
mod coverage;
mod csc;
mod csr;
mod dense;
mod digest;
mod few;
mod halting;
mod input;
mod missing;
mod observations;
mod observed;
mod pass;
mod residual;
mod scaled;
mod scan;
mod turned;
mod weights;

pub(crate) use coverage::Coverage;
pub use csc::Csc;
pub use csr::{Csr, IndexLike};
pub use dense::{Dense, Order};
pub use digest::Digest;
pub(crate) use halting::{Halt, Halting};
pub(crate) use input::Streamed;
pub use input::{Deadline, Input, Side};
pub(crate) use missing::{Incomplete, Missing};
pub(crate) use observations::{Layout, Observations};
pub(crate) use observed::{Need, Observed};
pub(crate) use pass::{
    Block, Plan, SHORT, Workspace, add_up, is_serial, most_bins, most_block, pass,
};
pub(crate) use scaled::{Scaled, floor_log2, half_exponent, power};
pub use scan::{Entry, Scan};
use turned::Turned;
pub use weights::{Data, Weights};

use crate::error::Result;
use crate::factor::{View, ViewMut};
use crate::scalar::Scalar;
use std::ops::Range;

/// What is called with each panel and the rows it holds.
pub type Visitor<'a, T> = dyn FnMut(Range<usize>, &dyn Panel<T>) + 'a;

/// A matrix that can hand out its rows, any number of times and from several threads.
pub trait Matrix<T: Scalar>: Sync {
    /// Rows and columns.
    fn shape(&self) -> (usize, usize);

    /// Entries stored in the rows before `row`: what a pass over them reads. Ascends from 0 to the
    /// number of stored entries.
    fn stored_before(&self, row: usize) -> usize;

    /// Hands the rows `rows` to `work`, in one or more consecutive panels, each with its range.
    ///
    /// # Errors
    /// What the source of the rows reports; matrices in memory never fail.
    fn visit(&self, rows: Range<usize>, work: &mut Visitor<'_, T>) -> Result<()>;

    /// Whether the rows are still wanted: asked in the middle of long work on a few of them.
    ///
    /// # Errors
    /// [`Error::Halted`](crate::Error::Halted) if they are not.
    fn go_on(&self) -> Result<()> {
        Ok(())
    }

    /// Entries stored in all rows.
    fn stored(&self) -> usize {
        self.stored_before(self.shape().0)
    }
}

/// One read of all rows by this thread, some at a time.
///
/// # Errors
/// What the source of X reports.
pub(crate) fn visit_all<T: Scalar>(x: &dyn Matrix<T>, work: &mut Visitor<'_, T>) -> Result<()> {
    const ROWS: usize = 256;
    let rows = x.shape().0;
    (0..rows).step_by(ROWS).try_for_each(|at| x.visit(at..rows.min(at + ROWS), work))
}

/// A few consecutive rows of X.
pub trait Panel<T: Scalar> {
    /// `out = X_p · f` for `f` with as many rows as X has columns.
    fn product(&self, f: View<'_, T>, out: &mut ViewMut<'_, T>);

    /// `c += X_pᵀ · f` for `f` with as many rows as the panel, `c` with as many as X has columns.
    fn add_transposed(&self, f: View<'_, T>, c: &mut ViewMut<'_, T>);

    /// `‖unit² · X_p − W_p Hᵀ‖²` from differences, in `f64`, free of the cancellation of the usual
    /// expansion as far as the kind of panel can. `unit` is a power of two, `h_gram` is HᵀH in
    /// `f64`, k×k.
    fn residual_sq(&self, w: View<'_, T>, h: View<'_, T>, h_gram: &[f64], unit: f64) -> f64;

    /// Calls `entry(column, value)` for the stored entries of the panel's row `row`, in order of
    /// column. What is not called is zero.
    fn for_each(&self, row: usize, entry: &mut dyn FnMut(usize, T));

    /// Writes the panel's row `row` with its zeros to `out`, as long as X has columns.
    fn copy_dense(&self, row: usize, out: &mut [T]) {
        out.fill(T::ZERO);
        self.for_each(row, &mut |j, x| out[j] = x);
    }

    /// [`copy_dense`](Self::copy_dense) of the rows from `from` on, as many as `out` has.
    fn copy_rows(&self, from: usize, out: &mut ViewMut<'_, T>) {
        (0..out.rows()).for_each(|i| self.copy_dense(from + i, out.row_mut(i)));
    }

    /// Whether all entries are stored, so that rows are best copied whole.
    fn is_dense(&self) -> bool {
        false
    }

    /// Appends columns and values of the stored entries of the panel's row `row`, in order of column;
    /// zeros may be left out.
    ///
    /// # Panics
    /// If X has more than 2³² columns.
    fn copy_listed(&self, row: usize, columns: &mut Vec<u32>, values: &mut Vec<T>) {
        self.for_each(row, &mut |j, x| {
            columns
                .push(u32::try_from(j).expect("lists are made of matrices of 2³² columns at most"));
            values.push(x);
        });
    }
}
