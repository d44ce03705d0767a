//! An SVD start by itself, from random numbers of the caller's: for whoever begins where another program
//! does.

use super::bytes::of_svd;
use super::options::at_least_one;
use super::run_in_pool;
use crate::error::{Error, Result};
use crate::factor::Factor;
use crate::init::{Begin, halves};
use crate::matrix::{Input, Scaled, Scan, Side, Streamed, half_exponent, is_serial, power};
use crate::memory;
use crate::scalar::Scalar;

/// How [`svd_start`] makes a start.
#[derive(Debug, Clone)]
pub struct SvdStart<T: Scalar> {
    /// Components.
    pub rank: usize,
    /// The vectors that the subspace iteration begins with, as columns: a row for each entry of the shorter
    /// side of X, which are its columns if it is square. Some more than there are components.
    pub test: Factor<T>,
    /// Steps of the iteration.
    pub steps: usize,
    /// Entries of W and H below it count as zero.
    pub floor: f64,
    /// What stands in for zeros.
    pub fill: f64,
    /// As in [`Options`](crate::Options).
    pub threads: usize,
}

/// W (m×k) and H (stored tall, n×k) of NNDSVD (Boutsidis & Gallopoulos 2008): the non-negative halves of
/// the leading singular vectors of X.
///
/// The same bits for any number of threads. Singular values below about 3e-7 of the largest in `f64`, 1e-6
/// in `f32`, count as zero.
///
/// # Errors
/// [`Error::Shape`] if there is no row of `test` for each entry of the shorter side, and what
/// [`fit`](crate::fit()) refuses of X. [`Error::Halted`] where X is left
/// ([`Input::until`](crate::Input::until), [`Input::before`](crate::Input::before)).
pub fn svd_start<'a, T: Scalar>(
    x: impl Into<Input<'a, T>>,
    options: &SvdStart<T>,
) -> Result<(Factor<T>, Factor<T>)> {
    let mut x = x.into();
    let (rows, cols) = x.shape();
    if rows == 0 || cols == 0 {
        return Err(Error::Empty { rows, cols });
    }
    at_least_one("rank", options.rank)?;
    options.check_test(if rows >= cols || x.hands_out_rows() { cols } else { rows })?;
    let width = options.test.cols().max(options.rank);
    memory::check("an SVD start", of_svd(&x, width), None, || {
        format!("{rows} × {cols} with {width} vectors, {}", T::NAME)
    })?;
    x.drop_zeros()?;
    let serial = is_serial(x.stored(), width);
    run_in_pool(options.threads, serial, || made(&x, options))
}

fn made<T: Scalar>(x: &Input<'_, T>, options: &SvdStart<T>) -> Result<(Factor<T>, Factor<T>)> {
    let Streamed { matrix, side } = x.streamed(usize::MAX);
    let scan = Scan::of(&*matrix)?;
    let scan = if side == Side::Rows { scan } else { scan.transposed() };
    scan.check()?;
    let half = half_exponent(scan.max);
    let scaled = Scaled::new(&*matrix, half);
    let unit = power(half);
    let begin = Begin { test: options.test.clone(), steps: options.steps };
    let values = (options.floor / unit, options.fill / unit);
    let mut pair = halves(&scaled, options.rank, begin, values)?;
    pair.streamed.scale_by_power(half);
    pair.other.scale_by_power(half);
    Ok(pair.into_factors(side))
}

impl<T: Scalar> SvdStart<T> {
    /// Whether there is a row for each of so many entries of the other side.
    fn check_test(&self, rows: usize) -> Result<()> {
        let (found_rows, found_cols) = (self.test.rows(), self.test.cols());
        let cols = found_cols.max(1);
        if (found_rows, found_cols) != (rows, cols) {
            let what = "the test matrix";
            return Err(Error::Shape { what, found_rows, found_cols, rows, cols });
        }
        if self.test.is_finite() {
            return Ok(());
        }
        let value = "values that are not".into();
        Err(Error::Option { option: "test", value, needed: "finite numbers" })
    }
}
