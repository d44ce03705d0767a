//! How a problem is solved, and how X is read for it.

use super::Options;
use crate::error::{Error, Result};
use crate::loss::Loss;
use crate::matrix::{
    Data, Input, Layout, Matrix, Missing, Need, Observed, Scan, Side, Streamed, half_exponent,
};
use crate::scalar::Scalar;
use crate::update::Rule;

/// How a problem is solved.
pub(super) enum Way {
    /// By normal equations that all rows share, with the places of entries that are missing.
    Normal(Option<Missing>),
    /// By the entries of every row.
    Entries,
}

/// The largest share of entries that may be missing for [`Way::Normal`]: filling them in costs about
/// 5k for each, and the more there are, the less a step sees of X.
const MISSING_SHARE: f64 = 0.25;

impl Way {
    pub(super) fn of<T: Scalar>(
        data: &Data<'_, T>,
        loss: Loss,
        streamed: &Streamed<'_, T>,
    ) -> Result<Self> {
        if !data.x.hands_out_rows()
            && data.weights.entries.as_ref().is_some_and(Input::hands_out_rows)
        {
            return Err(Error::Conflict {
                first: "weights from a source that only hands out rows".into(),
                second: "X in memory".into(),
                reason: "X may be read by its columns, and its weights with it; give them in memory",
            });
        }
        if loss != Loss::FROBENIUS {
            return Ok(Self::Entries);
        }
        if !data.is_weighted() {
            return Ok(Self::Normal(None));
        }
        let seen = observed(data, &*streamed.matrix, streamed.side, Need::Stored);
        if seen.layout() == (Layout::Listed { zeros: false }) || !seen.is_zero_or_one() {
            return Ok(Self::Entries);
        }
        let missing = Missing::of(&seen)?;
        let (rows, cols) = data.x.shape();
        let few = missing.len() as f64 <= MISSING_SHARE * rows as f64 * cols as f64;
        Ok(if few { Self::Normal(Some(missing)) } else { Self::Entries })
    }

    /// The rule as given, or the fastest that can do with what X hands out: a rule that reads X by both of
    /// its sides has only one of a source of rows.
    pub(super) fn rule<T: Scalar>(&self, data: &Data<'_, T>, options: &Options<T>) -> Result<Rule> {
        let (rule, loss) = (options.rule(), options.loss);
        let one_read = |rule: Rule| rule.by_entries::<T>(loss, None).follows();
        if matches!(self, Self::Normal(_)) || !data.x.hands_out_rows() || one_read(rule) {
            return Ok(rule);
        }
        if options.rule.is_none() {
            return Ok(if Rule::Mue.supports(loss) { Rule::Mue } else { Rule::Mu });
        }
        Err(Error::Conflict {
            first: format!("rule {rule}"),
            second: "a source that only hands out rows".into(),
            reason: "it reads X by columns too; mu and, save under the Frobenius loss, mue do without",
        })
    }

    /// Which zeros are needed as entries.
    pub(super) fn need(&self, loss: Loss) -> Need {
        if matches!(self, Self::Entries) { Need::of(loss) } else { Need::Stored }
    }
}

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
    let seen = observed(data, matrix, side, need);
    let largest = if seen.is_zero_or_one() { scan.max } else { seen.largest()? };
    Ok(half_exponent(largest))
}
