//! What a loss cannot have, by its place.

use super::Entries;
use crate::error::{Error, Result};
use crate::loss::Loss;
use crate::matrix::{Layout, Matrix, Observations, Observed, Plan, Side};
use crate::scalar::Scalar;

/// Calls `each(row, column, value)` for the observed entries of a block.
fn for_each_observed<T: Scalar>(block: &Observations<T>, mut each: impl FnMut(usize, usize, T)) {
    for (at, row) in block.rows.clone().enumerate() {
        block.for_each_weighed(at, |col, x, _| each(row, col, x));
    }
}

/// The place as the caller counts: X may be read by its columns.
fn placed(side: Side, row: usize, col: usize) -> (usize, usize) {
    if side == Side::Rows { (row, col) } else { (col, row) }
}

/// Refuses an X with an observed zero.
///
/// # Errors
/// [`Error::ZeroEntry`] with the first place.
pub(in crate::fit) fn refuse_zeros<T: Scalar>(
    x: &Observed<'_, T>,
    side: Side,
    loss: Loss,
) -> Result<()> {
    let (mut first, mut count) = (None, 0);
    let mut block = x.block();
    for range in Plan::new(x, 1).bins().iter().flatten() {
        x.read(range.clone(), &mut block)?;
        for_each_observed(&block, |row, col, value| {
            if value == T::ZERO {
                first.get_or_insert((row, col));
                count += 1;
            }
        });
    }
    let Some((row, col)) = first else { return Ok(()) };
    let (row, col) = placed(side, row, col);
    Err(Error::ZeroEntry { row, col, count, loss: loss.to_string() })
}

/// Refuses an X of which nothing is observed.
///
/// # Errors
/// [`Error::AllMissing`].
pub(in crate::fit) fn refuse_nothing<T: Scalar>(x: &Observed<'_, T>) -> Result<()> {
    let zeros = x.layout() == Layout::Listed { zeros: true };
    let heavy = |j: usize| x.across().is_none_or(|w| w[j] > T::ZERO);
    let all = (0..x.shape().1).filter(|&j| heavy(j)).count();
    let mut block = x.block();
    for range in Plan::new(x, 1).bins().iter().flatten() {
        x.read(range.clone(), &mut block)?;
        let mut any = false;
        for_each_observed(&block, |_, _, _| any = true);
        for at in 0..if zeros { range.len() } else { 0 } {
            let hidden = block.hidden_in(at).filter(|&(j, _)| heavy(j)).count();
            let counts = block.row_weights.as_ref().is_none_or(|w| w[at] > T::ZERO);
            any |= counts && hidden < all;
        }
        if any {
            return Ok(());
        }
    }
    Err(Error::AllMissing)
}

/// As many of the largest slope can be added up.
const SLOPES: f64 = 4096.0;

impl<T: Scalar> Entries<'_, T> {
    /// Refuses a start under which the loss is infinite, after a look at it.
    ///
    /// # Errors
    /// [`Error::Unreached`] or [`Error::Beyond`] with the first place.
    pub(in crate::fit) fn refuse_unreached(&self, side: Side) -> Result<()> {
        let loss = self.problem.loss;
        // Where β < 0 the fit may come down to an entry, and the slope there be beyond T: x^(β−1).
        let slope = loss.beta().filter(|&beta| beta < 0.0).map(|beta| beta - 1.0);
        let most = T::FAR.to_f64() * (T::FAR.to_f64() / SLOPES);
        let is_steep = |x: f64| slope.is_some_and(|power| x.powf(power) > most);
        if self.sums.divergence.is_finite() && slope.is_none() {
            return Ok(());
        }
        let (a, b) = (&self.a[self.current], &self.b[super::USED]);
        let (mut first, mut count) = (None, 0);
        let mut block = self.problem.streamed.block();
        for range in self.plans.0.bins().iter().flatten() {
            self.problem.streamed.read(range.clone(), &mut block)?;
            for_each_observed(&block, |row, col, value| {
                let terms = a.row(row).iter().zip(b.row(col));
                let q: f64 = terms.map(|(a, b)| a.to_f64() * b.to_f64()).sum();
                if !loss.value(value.to_f64(), q).is_finite() || is_steep(value.to_f64()) {
                    first.get_or_insert((row, col, value.to_f64(), q));
                    count += 1;
                }
            });
        }
        let Some((row, col, value, fitted)) = first else { return Ok(()) };
        let (row, col) = placed(side, row, col);
        if fitted > 0.0 {
            let loss = loss.to_string();
            return Err(Error::Beyond { row, col, value, fitted, count, loss });
        }
        Err(Error::Unreached { row, col, value, count })
    }
}
