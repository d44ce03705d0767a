//! What there is to say before the first iteration.

use super::Options;
use crate::matrix::{Data, Scan, Side};
use crate::scalar::Scalar;
use crate::warning::Warning;

/// Remarks on X, found by `scan` by its `side`, and on what is asked of it.
pub(super) fn remarks<T: Scalar>(
    data: &Data<'_, T>,
    options: &Options<T>,
    scan: &Scan,
    side: Side,
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let (input, weighed) = (&data.x, data.is_weighted());
    let (rows, cols) = input.shape();
    let zeros = |nonzero: &[bool]| -> (usize, usize, Vec<usize>) {
        let zero = nonzero.iter().enumerate().filter(|(_, n)| !**n).map(|(i, _)| i);
        (zero.clone().count(), nonzero.len(), zero.take(3).collect())
    };
    let (of_rows, of_cols) = match side {
        Side::Rows => (&scan.row_nonzero, &scan.col_nonzero),
        Side::Columns => (&scan.col_nonzero, &scan.row_nonzero),
    };
    let (count, of, first) = zeros(of_rows);
    if count > 0 {
        warnings.push(Warning::ZeroRows { count, of, first, weighed });
    }
    let (count, of, first) = zeros(of_cols);
    if count > 0 {
        warnings.push(Warning::ZeroColumns { count, of, first, weighed });
    }
    if options.rank > rows.min(cols) {
        warnings.push(Warning::RankAboveShape { rank: options.rank, rows, cols });
    }
    warnings.extend(one_sided(options));
    if input.duplicates() > 0 {
        warnings.push(Warning::DuplicatesSummed { count: input.duplicates() });
    }
    let density = input.stored() as f64 / (rows as f64 * cols as f64);
    if input.is_sparse() && density > 0.5 {
        warnings.push(Warning::DenseInSparse { density });
    }
    warnings
}

/// A penalty of one factor beside another one that is free.
fn one_sided<T: Scalar>(options: &Options<T>) -> Option<Warning> {
    let (w, h) = options.penalties();
    match (w.is_none(), h.is_none(), options.fixed) {
        (false, true, None) => Some(Warning::OneSidedPenalty { charged: "W", free: "H" }),
        (true, false, None) => Some(Warning::OneSidedPenalty { charged: "H", free: "W" }),
        _ => None,
    }
}
