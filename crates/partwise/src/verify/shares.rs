//! How much of W·H is of each component.

use super::entries::{Entries, Row};
use super::{Rows, check, check_memory, wide};
use crate::error::Result;
use crate::factor::Factor;
use crate::matrix::Data;
use crate::scalar::Scalar;

/// The share of each component in the sum of W·H over the entries that count, each times its weight:
/// Σ p_ij w_it h_tj / Σ p_ij (WH)_ij. The shares add up to 1; all are 0 if nothing is fitted.
///
/// Under the Kullback–Leibler divergence a stationary W·H has the sum of X, so these are shares of X.
/// O((m + n)k) where every entry counts, else O(k) for each entry that counts or, if they are fewer,
/// that does not.
///
/// # Errors
/// Those of [`verify`](super::verify) for W (m×k), H (stored tall, n×k) and the weights.
pub fn shares<T: Scalar>(data: &Data<'_, T>, w: &Factor<T>, h: &Factor<T>) -> Result<Vec<f64>> {
    let (rows, cols) = data.x.shape();
    check_memory(&data.x, w.cols())?;
    for (what, f, expected) in [("W", w, rows), ("H", h, cols)] {
        check(what, f, expected, w.cols())?;
    }
    data.weights.check((rows, cols))?;
    let (w, h) = (in_range(w), in_range(h));
    let entries = Entries::new(data, true);
    let mut whole = vec![0.0; w.first().map_or(0, Vec::len)];
    for (j, h) in h.iter().enumerate() {
        add(&mut whole, h, entries.col_weight(j));
    }
    let mut mass = vec![0.0; whole.len()];
    if data.has_every_entry() {
        for (i, w) in w.iter().enumerate() {
            multiply(&mut mass, w, &whole, entries.row_weight(i));
        }
        return Ok(shared(mass));
    }
    let mut seen = vec![false; cols];
    let by_complement = data.weights.entries.is_none();
    entries.for_each(|i, row| {
        let Row { cells, gone } = row;
        let mut of_row = whole.clone();
        let mut weight = entries.row_weight(i);
        if entries.implied() {
            gone.iter().for_each(|&j| add(&mut of_row, &h[j], -entries.col_weight(j)));
        } else if by_complement && 2 * cells.len() > cols {
            cells.iter().for_each(|cell| seen[cell.col] = true);
            for (j, seen) in seen.iter_mut().enumerate() {
                if !std::mem::take(seen) {
                    add(&mut of_row, &h[j], -entries.col_weight(j));
                }
            }
        } else {
            // The weight of a cell is that of its row, too.
            (of_row, weight) = (vec![0.0; whole.len()], 1.0);
            cells.iter().for_each(|cell| add(&mut of_row, &h[cell.col], cell.p));
        }
        multiply(&mut mass, &w[i], &of_row, weight);
    })?;
    Ok(shared(mass))
}

/// The values over the largest of them: sums of products stay in the range of a double.
fn in_range<T: Scalar>(f: &Factor<T>) -> Rows {
    let mut rows = wide(f, 1.0);
    let largest = rows.iter().flatten().fold(0.0f64, |most, &v| most.max(v));
    if largest > 0.0 {
        rows.iter_mut().flatten().for_each(|v| *v /= largest);
    }
    rows
}

fn add(sums: &mut [f64], values: &[f64], times: f64) {
    sums.iter_mut().zip(values).for_each(|(sum, v)| *sum += times * v);
}

/// Adds `times` w∘h; what rounding has left below nothing is nothing.
fn multiply(mass: &mut [f64], w: &[f64], h: &[f64], times: f64) {
    mass.iter_mut().zip(w.iter().zip(h)).for_each(|(sum, (w, h))| *sum += times * w * h.max(0.0));
}

fn shared(mass: Vec<f64>) -> Vec<f64> {
    let whole: f64 = mass.iter().sum();
    if whole > 0.0 { mass.iter().map(|m| m / whole).collect() } else { vec![0.0; mass.len()] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::{Csr, Dense, Input, Order, Weights};

    const SHAPE: (usize, usize) = (3, 4);
    const X: [f64; 12] = [0.5, 0.0, 2.0, 1.0, 0.0, 3.0, 0.25, 0.0, 1.5, 0.0, 0.0, 4.0];

    fn factors() -> (Factor<f64>, Factor<f64>) {
        let w = Factor::from_rows(3, 2, &[1.0, 0.5, 0.25, 2.0, 0.0, 1.0]);
        let h = Factor::from_rows(4, 2, &[0.5, 0.25, 1.0, 0.5, 0.25, 1.0, 2.0, 0.75]);
        (w, h)
    }

    fn dense(values: &[f64; 12]) -> Input<'static, f64> {
        Dense::new(3, 4, Order::RowMajor, values.to_vec()).expect("valid").into()
    }

    /// What `keep` says of X, by rows.
    fn csr(keep: impl Fn(usize) -> bool) -> Csr<'static, f64> {
        let kept: Vec<usize> = (0..12).filter(|&at| keep(at)).collect();
        let indptr = [0, 4, 8, 12].map(|end| kept.iter().filter(|&&at| at < end).count());
        let indices: Vec<u32> = kept.iter().map(|&at| [0u32, 1, 2, 3][at % 4]).collect();
        let values: Vec<f64> = kept.iter().map(|&at| X[at]).collect();
        Csr::new(SHAPE, &indptr, indices, values).expect("valid")
    }

    #[track_caller]
    fn check(x: Input<'static, f64>, weights: Weights<'static, f64>, p: impl Fn(usize) -> f64) {
        let (w, h) = factors();
        let mass = |t: usize| -> f64 {
            (0..12).map(|at| p(at) * w.get(at / 4, t) * h.get(at % 4, t)).sum()
        };
        let found = shares(&Data { x, weights }, &w, &h).expect("valid");
        let whole = mass(0) + mass(1);
        for (t, share) in found.iter().enumerate() {
            assert!((share - mass(t) / whole).abs() < 1e-14, "{found:?}, {}", mass(t) / whole);
        }
    }

    #[test]
    fn shares_are_those_of_the_definition_however_entries_count() {
        let (rows, columns) = (vec![2.0, 0.0, 0.5], vec![1.0, 3.0, 0.25, 0.0]);
        let sides = Weights {
            rows: Some(rows.clone()),
            columns: Some(columns.clone()),
            ..Weights::default()
        };
        let side = |at: usize| rows[at / 4] * columns[at % 4];
        for x in [dense(&X), csr(|at| X[at] > 0.0).into()] {
            check(x.clone(), Weights::default(), |_| 1.0);
            check(x.clone(), sides.clone(), side);
            // Few hidden, and most.
            for hide in [&[1usize, 4, 11][..], &[0, 1, 2, 4, 5, 6, 8, 9, 11]] {
                let hidden = Some(csr(|at| hide.contains(&at)));
                let p = |at| if hide.contains(&at) { 0.0 } else { side(at) };
                check(x.clone(), Weights { hidden, ..sides.clone() }, p);
            }
            check(x.clone(), Weights { entries: Some(dense(&X)), ..sides.clone() }, |at| {
                X[at] * side(at)
            });
            let listed = Some(csr(|at| X[at] > 0.5).into());
            let p = |at: usize| if X[at] > 0.5 { X[at] } else { 0.0 };
            check(x, Weights { entries: listed, ..Weights::default() }, p);
        }
    }

    #[test]
    fn what_is_missing_has_no_share() {
        let mut holes = X;
        holes[2] = f64::NAN;
        holes[9] = f64::NAN;
        let weights = Weights { nan_missing: true, ..Weights::default() };
        check(dense(&holes), weights, |at| if holes[at].is_nan() { 0.0 } else { 1.0 });
        let weights = Weights { absent_missing: true, ..Weights::default() };
        check(csr(|at| X[at] > 0.0).into(), weights, |at| if X[at] > 0.0 { 1.0 } else { 0.0 });
    }

    #[test]
    fn shares_do_not_depend_on_the_unit_and_nothing_has_no_share() {
        let (w, h) = factors();
        let times = |f: &Factor<f64>, c: f64| {
            let values: Vec<f64> = f.to_vec().iter().map(|v| v * c).collect();
            Factor::from_rows(f.rows(), f.cols(), &values)
        };
        let data = Data::from(dense(&X));
        let plain = shares(&data, &w, &h).expect("valid");
        for c in [2f64.powi(900), 2f64.powi(-900)] {
            assert_eq!(shares(&data, &times(&w, c), &times(&h, c)).expect("valid"), plain);
        }
        assert_eq!(shares(&data, &times(&w, 0.0), &h).expect("valid"), [0.0, 0.0]);
    }
}
