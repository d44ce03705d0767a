//! The digest of X: the same for the same entries, and another for others.

use crate::common::*;
use partwise::matrix::Digest;
use partwise::{Csr, Dense, Input, Order, Scalar};

fn digest<T: Scalar>(x: impl Into<Input<'static, T>>) -> Digest {
    Digest::of(&x.into()).unwrap()
}

/// Whole numbers, which both precisions hold, and zeros.
fn matrix(rows: usize, cols: usize, seed: u64) -> Mat {
    Mat::sparse(rows, cols, 0.6, seed).map(|v| (v * 1000.0).ceil())
}

#[test]
fn the_same_entries_have_one_digest_however_they_are_stored() {
    for (rows, cols) in [(1, 1), (37, 19), (19, 37), (700, 300)] {
        let x = matrix(rows, cols, 3);
        let one = digest::<f64>(x.dense());
        assert_eq!(one.nonzero, x.values.iter().filter(|v| **v != 0.0).count());
        for kind in Kind::ALL {
            assert_eq!(digest(x.input::<f64>(kind)), one, "{kind:?}");
            assert_eq!(digest(x.input::<f32>(kind)), one, "{kind:?}");
        }
        // With every zero stored, and −0 for some of them.
        let signed = |v: &f64| if *v == 0.0 { -0.0 } else { *v };
        let values: Vec<f64> = x.values.iter().map(signed).collect();
        let indptr: Vec<usize> = (0..=rows).map(|i| i * cols).collect();
        let indices = (0..rows).flat_map(|_| 0..u32::try_from(cols).unwrap()).collect::<Vec<_>>();
        assert_eq!(digest(Csr::new((rows, cols), &indptr, indices, values).unwrap()), one);
        let turned = x.transposed();
        let by_columns = Dense::new(rows, cols, Order::ColumnMajor, turned.values.to_vec());
        assert_eq!(digest(by_columns.unwrap()), one);
    }
}

#[test]
fn every_change_of_an_entry_and_every_exchange_of_two_shows() {
    let x = matrix(30, 20, 5);
    let one = digest::<f64>(x.dense());
    let mut seen = std::collections::BTreeSet::from([one.mix]);
    let mut fresh = |values: Vec<f64>, what: &str| {
        let found = digest(Dense::new(30, 20, Order::RowMajor, values).unwrap());
        assert!(seen.insert(found.mix), "{what}");
        found
    };
    for at in 0..600 {
        let mut values = x.values.to_vec();
        values[at] = f64::from_bits(values[at].to_bits() + 1);
        fresh(values, "one step");
        let mut values = x.values.to_vec();
        values[at] = f64::NAN;
        assert_eq!(fresh(values, "missing").nan, 1);
    }
    for at in 0..600 {
        for to in 0..at {
            let mut values = x.values.to_vec();
            if values[at] != values[to] {
                values.swap(at, to);
                fresh(values, "exchanged");
            }
        }
    }
    assert_ne!(digest::<f64>(x.transposed().dense()).mix, one.mix);
    assert!(seen.len() > 100_000, "{}", seen.len());
}
