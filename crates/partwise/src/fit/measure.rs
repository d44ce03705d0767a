//! How well a pair of factors fits X, by the kernels of the fit.
//!
//! One read of X at the cost of half an iteration, where [`verify`](crate::verify::verify) finds the same figures
//! and the KKT residual by plain loops, many times slower.

use super::bytes::of_measure;
use super::entries::{divergence_of, null_divergence};
use super::options::check_entries;
use super::result::residual_sq;
use super::way::{half_unit, observed, scan};
use super::{explained, relative_error, run_in_pool};
use crate::error::{Error, Result};
use crate::factor::Factor;
use crate::init::Pair;
use crate::loss::Loss;
use crate::matrix::{Data, Need, Scaled, Side, is_serial};
use crate::memory;
use crate::scalar::Scalar;
use crate::spare::Spare;

/// What [`measure`] finds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// D(X, WH), each entry times its weight: ½‖X − WH‖² under the Frobenius loss.
    pub divergence: f64,
    /// √(D(X, WH) / D₀), as in [`Fit`](crate::Fit).
    pub relative_error: f64,
    /// 1 − D(X, WH) / D₀.
    pub explained_variance: f64,
}

/// The divergence of W (m×k) times H (stored tall, n×k) from X, and what share of X that leaves.
/// `threads` as in [`Options`](crate::Options).
///
/// # Errors
/// [`Error::Shape`] if the shapes disagree; [`Error::Start`] if a factor has an entry that is negative
/// or not finite; what [`fit`](crate::fit()) refuses of X.
pub fn measure<'a, T: Scalar>(
    x: impl Into<Data<'a, T>>,
    w: &Factor<T>,
    h: &Factor<T>,
    loss: Loss,
    threads: usize,
) -> Result<Measured> {
    let mut data = x.into();
    let (rows, cols) = data.x.shape();
    if rows == 0 || cols == 0 {
        return Err(Error::Empty { rows, cols });
    }
    memory::check("a measurement", of_measure(&data, h.cols(), loss), None, || {
        format!("of {rows} × {cols} by {} components, {}", h.cols(), T::NAME)
    })?;
    check_entries("W", w, rows, h.cols())?;
    check_entries("H", h, cols, h.cols())?;
    data.weights.check((rows, cols))?;
    data.simplify()?;
    let serial = is_serial(data.x.stored(), h.cols());
    run_in_pool(threads, serial, || figures(&data, w, h, loss))
}

fn figures<T: Scalar>(
    data: &Data<'_, T>,
    w: &Factor<T>,
    h: &Factor<T>,
    loss: Loss,
) -> Result<Measured> {
    let by_rows = data.x.by(Side::Rows);
    let every = Need::of(loss);
    let seen = scan(data, &*by_rows, Side::Rows, every)?;
    seen.check()?;
    let half = half_unit(data, &*by_rows, Side::Rows, (every, &seen))?;
    let scaled = Scaled::new(&*by_rows, half);
    let mut pair = Pair { streamed: w.clone(), other: h.clone() };
    pair.streamed.scale_by_power(-half);
    pair.other.scale_by_power(-half);
    let in_units = loss.in_units::<T>(half)?;
    let (divergence, null) = if loss == Loss::FROBENIUS && !data.is_weighted() {
        let norm_sq = scan(data, &scaled, Side::Rows, every)?.norm_sq;
        (0.5 * residual_sq(&scaled, pair.streamed.view(), pair.other.view())?, 0.5 * norm_sq)
    } else {
        let x = observed(data, &scaled, Side::Rows, every);
        let null = null_divergence(&x, in_units, None, &Spare::default())?;
        (divergence_of(&x, &pair, in_units)?, null)
    };
    Ok(Measured {
        divergence: loss.unscale(divergence, half),
        relative_error: relative_error(divergence, null),
        explained_variance: explained(divergence, null),
    })
}
