//! X as a fit sees it: what is observed of it, how much it weighs, in which unit.

use crate::error::Result;
use crate::loss::Loss;
use crate::matrix::{Data, Matrix, Need, Observed, Scan, Side, half_exponent};
use crate::scalar::Scalar;

impl Need {
    /// What a loss by entries needs: KL takes its zeros from the sums of the factors.
    pub(super) fn of(loss: Loss) -> Self {
        if loss == Loss::KL { Self::Stored } else { Self::Every }
    }
}

/// X by one of its sides with the weights turned the same way.
pub(super) fn observed<'a, T: Scalar>(
    data: &'a Data<'a, T>,
    matrix: &'a dyn Matrix<T>,
    side: Side,
    need: Need,
) -> Observed<'a, T> {
    Observed::new(matrix, (side, data.x.is_sparse()), &data.weights, need)
}

/// One look at the entries of X that are observed, times their weights.
pub(super) fn scan<T: Scalar>(
    data: &Data<'_, T>,
    matrix: &dyn Matrix<T>,
    side: Side,
    need: Need,
) -> Result<Scan> {
    if data.is_weighted() {
        Scan::of(&observed(data, matrix, side, need))
    } else {
        Scan::of(matrix)
    }
}

/// Half the exponent of the unit of X, which is that of its entries, whatever they weigh.
pub(super) fn half_unit<T: Scalar>(
    data: &Data<'_, T>,
    matrix: &dyn Matrix<T>,
    side: Side,
    (need, scan): (Need, &Scan),
) -> Result<i32> {
    let weighted = data.is_weighted();
    let largest = if weighted { observed(data, matrix, side, need).largest()? } else { scan.max };
    Ok(half_exponent(largest))
}
