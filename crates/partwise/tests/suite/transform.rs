//! W for given H: exact, and a function of the row alone.

use crate::common::*;
use nalgebra::{DMatrix, DVector};
use partwise::matrix::{Data, Weights};
use partwise::{Error, Factor, Loss, Options, Scalar, Transform, fit, transform};

/// The minimum over all 2^k supports, each by least squares.
fn exhaustive(x: &[f64], h: &Mat) -> Vec<f64> {
    let x = DVector::from_column_slice(x);
    let mut best = (f64::INFINITY, vec![0.0; h.cols]);
    for mask in 0..1usize << h.cols {
        let members: Vec<usize> = (0..h.cols).filter(|t| mask >> t & 1 == 1).collect();
        let part = DMatrix::from_fn(h.rows, members.len(), |j, s| h.get(j, members[s]));
        let solved = if members.is_empty() {
            DVector::zeros(0)
        } else {
            part.clone().svd(true, true).solve(&x, 1e-14).unwrap()
        };
        if solved.iter().any(|&v| v < 0.0) {
            continue;
        }
        let error = (&part * &solved - &x).norm_squared();
        if error < best.0 {
            best = (error, vec![0.0; h.cols]);
            members.iter().zip(solved.iter()).for_each(|(&t, &v)| best.1[t] = v);
        }
    }
    best.1
}

#[test]
fn o14_each_row_is_the_best_over_all_supports() {
    for (k, seed) in [(1, 1), (3, 2), (5, 3), (6, 4)] {
        let (x, h) = (Mat::random(40, 9, seed), Mat::sparse(9, k, 0.7, seed + 10));
        for kind in Kind::ALL {
            let found =
                wide(&transform(x.input::<f64>(kind), &h.factor(), &on_threads(1)).unwrap());
            for i in 0..x.rows {
                let want = Mat::new(1, k, exhaustive(x.row(i), &h));
                let got = Mat::new(1, k, found.row(i).to_vec());
                // Normal equations of a condition number of some hundreds.
                assert!(distance(&got, &want) < 1e-11, "{k} {kind:?} {i}: {got:?} {want:?}");
            }
        }
    }
}

#[test]
fn o27_a_row_of_h_has_the_unit_vector_as_its_weights() {
    let h = Mat::random(15, 5, 1);
    let one = Mat::from_fn(5, 5, |i, j| f64::from(i == j));
    for kind in Kind::ALL {
        let found =
            transform(h.transposed().input::<f64>(kind), &h.factor(), &on_threads(1)).unwrap();
        assert!(distance(&wide(&found), &one) < 1e-8, "{kind:?}");
    }
}

fn row_by_row<T: Scalar>() {
    // More rows than a block, more columns than a register tile, and rows of very unlike size: one
    // of them takes the batch, but not each row alone, out of the range that is left unscaled.
    let h: Factor<T> = Mat::sparse(67, 7, 0.8, 1).factor();
    for largest in [1.0, 1e9, 1e-9] {
        let base = Mat::sparse(75, 67, 0.4, 2);
        let x = Mat::from_fn(75, 67, |i, j| {
            let scale = if i % 5 == 0 { largest } else { 1.0 };
            if i == 11 { 0.0 } else { base.get(i, j) * scale }
        });
        let mut rng = Lcg::new(3);
        let order = rng.shuffled(75);
        let all: Vec<usize> = (0..67).collect();
        for kind in Kind::ALL {
            let of = |x: &Mat| transform(x.input::<T>(kind), &h, &on_threads(1)).unwrap();
            let batch = of(&x);
            let shuffled = of(&x.permuted(&order, &all));
            for i in 0..75 {
                let alone = of(&x.permuted(&[i], &all));
                assert_eq!(alone.row(0), batch.row(i), "{kind:?} {largest:e} row {i}");
                let at = order.iter().position(|&o| o == i).unwrap();
                assert_eq!(shuffled.row(at), batch.row(i), "{kind:?} {largest:e} row {i}");
            }
            assert!(batch.row(11).iter().all(|&v| v == T::ZERO), "a row of zeros");
            for threads in [2, 3, 7] {
                assert_eq!(transform(x.input::<T>(kind), &h, &on_threads(threads)).unwrap(), batch);
            }
        }
    }
}

#[test]
fn l54_r19_a_row_has_the_same_bits_alone_in_a_batch_and_in_any_order() {
    row_by_row::<f64>();
    row_by_row::<f32>();
}

#[test]
fn l55_a_wrong_number_of_columns_is_named() {
    let h: Factor<f64> = Mat::random(20, 3, 1).factor();
    for kind in Kind::ALL {
        let found =
            transform(Mat::random(4, 19, 2).input::<f64>(kind), &h, &on_threads(1)).unwrap_err();
        let Error::Shape { found_cols: 19, cols: 20, .. } = found else { panic!("{found}") };
        let text = found.to_string();
        assert!(text.contains("19") && text.contains("20"), "{text}");
    }
}

#[test]
fn l08_l10_transform_refuses_what_fit_refuses() {
    let h: Factor<f64> = Mat::random(6, 2, 1).factor();
    for (value, what) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (-2.0, "negative")] {
        let mut x = Mat::random(3, 6, 2);
        x.values[6 + 4] = value;
        for kind in Kind::ALL {
            let text = transform(x.input::<f64>(kind), &h, &on_threads(1)).unwrap_err().to_string();
            assert!(text.contains("X[1, 4]") && text.contains(what), "{text}");
        }
    }
    let none = transform(Mat::new(0, 6, vec![]).dense::<f64>(), &h, &on_threads(1)).unwrap_err();
    assert_eq!(none, Error::Empty { rows: 0, cols: 6 });
}

#[test]
fn l49_l50_collinear_and_equal_components_do_not_fail() {
    let base = Mat::random(12, 3, 7);
    // The second is the first again, the fourth a multiple of the third, the last one zero.
    let columns = [(0, 1.0), (0, 1.0), (1, 1.0), (1, 1.0 + 1e-15), (2, 1.0), (2, 0.0)];
    let h = Mat::from_fn(12, 6, |j, t| base.get(j, columns[t].0) * columns[t].1);
    let x = Mat::random(30, 12, 8);
    let (found, plain) = (
        transform(x.dense::<f64>(), &h.factor(), &on_threads(1)).unwrap(),
        transform(x.dense::<f64>(), &base.factor(), &on_threads(1)).unwrap(),
    );
    let fitted = |w: &Factor<f64>, h: &Mat| wide(w).times_transposed(h);
    assert!(distance(&fitted(&found, &h), &fitted(&plain, &base)) < 1e-10);
    assert!(found.to_vec().iter().all(|v| v.is_finite() && *v >= 0.0));
    assert!((0..30).all(|i| found.row(i)[5] == 0.0), "a component of zeros has no weight");
}

#[test]
fn l49_nearly_collinear_components_are_solved_to_the_kkt_conditions() {
    let base = Mat::random(20, 4, 3);
    for tilt in [1e-2, 1e-4, 1e-6] {
        let h = Mat::from_fn(20, 4, |j, t| base.get(j, 0) + tilt * base.get(j, t));
        let x = Mat::random(25, 20, 4);
        let w = transform(x.dense::<f64>(), &h.factor(), &on_threads(1)).unwrap();
        let check = partwise::verify::verify(
            x.dense::<f64>(),
            &w,
            &h.factor(),
            &partwise::verify::Objective::default(),
        )
        .unwrap();
        // ρ is weighted by what a component contributes; ill-conditioning costs digits of w, not
        // of the gradient.
        assert!(check.kkt.w < 1e-8, "{tilt:e}: {:?}", check.kkt);
        assert!(check.kkt.w_zeros < 1e-6, "{tilt:e}: {:?}", check.kkt);
    }
}

#[test]
fn transform_of_the_training_rows_fits_no_worse_than_the_fit() {
    let x = Mat::random(33, 21, 5);
    for rule in rules() {
        let found = fit(x.dense::<f64>(), &Options { max_iter: 30, ..options(4, rule) }).unwrap();
        let w = transform(x.dense::<f64>(), &found.h, &on_threads(0)).unwrap();
        let check = partwise::verify::verify(
            x.dense::<f64>(),
            &w,
            &found.h,
            &partwise::verify::Objective::default(),
        )
        .unwrap();
        let allowed = found.objective_bound + check.objective_bound;
        assert!(check.objective <= found.objective + allowed, "{rule}");
    }
}

#[test]
fn a_zero_h_gives_a_zero_w_and_still_a_look_at_x() {
    let mut x = Mat::random(7, 5, 1);
    let h = Factor::zeros(5, 3);
    for loss in [Loss::FROBENIUS, Loss::KL] {
        let options = Transform { loss, ..Transform::default() };
        let w = transform(x.dense::<f64>(), &h, &options).unwrap();
        assert_eq!((w.rows(), w.cols()), (7, 3));
        assert!(w.to_vec().iter().all(|&w| w == 0.0), "{loss}");
    }
    x.values[8] = f64::NAN;
    let found = transform(x.dense::<f64>(), &h, &Transform::default());
    assert!(matches!(found, Err(Error::NotFinite { row: 1, col: 3, .. })), "{found:?}");
}

#[test]
fn rows_without_an_observed_entry_are_zero() {
    let x = Mat::random(6, 5, 2);
    let h = Mat::random(5, 2, 3).factor::<f64>();
    let seen = Mat::from_fn(6, 5, |i, _| f64::from(i != 4));
    for loss in [Loss::FROBENIUS, Loss::KL] {
        let options = Transform { loss, ..Transform::default() };
        let weights = Weights { entries: Some(seen.dense().into()), ..Weights::default() };
        let w = transform(Data { x: x.dense::<f64>().into(), weights }, &h, &options).unwrap();
        for i in 0..6 {
            assert_eq!(w.row(i).iter().all(|&w| w == 0.0), i == 4, "{loss} {i}");
        }
    }
}

#[test]
fn a_row_with_missing_entries_has_the_same_bits_alone_and_in_a_batch() {
    // From rows that miss nothing to rows of which few entries are observed, which are listed.
    let (x, h) = (Mat::random(12, 30, 4), Mat::random(30, 3, 5).factor::<f64>());
    let chance = Mat::random(12, 30, 6);
    let holes = |i: usize, j: usize| chance.get(i, j) < i as f64 / 12.0;
    let nan = Mat::from_fn(12, 30, |i, j| if holes(i, j) { f64::NAN } else { x.get(i, j) });
    let seen = Mat::from_fn(12, 30, |i, j| f64::from(!holes(i, j)));
    let zeros = Mat::from_fn(12, 30, |i, j| x.get(i, j) * seen.get(i, j));
    let all: Vec<usize> = (0..30).collect();
    for loss in [Loss::FROBENIUS, Loss::KL, Loss::new(1.5).unwrap()] {
        let options = Transform { loss, ..Transform::default() };
        let of = |x: &Mat| {
            let weights = Weights { nan_missing: true, ..Weights::default() };
            transform(Data { x: x.dense::<f64>().into(), weights }, &h, &options).unwrap()
        };
        let batch = of(&nan);
        let weights = Weights { entries: Some(seen.csr().into()), ..Weights::default() };
        let listed = Data { x: zeros.dense::<f64>().into(), weights };
        let listed = transform(listed, &h, &options).unwrap();
        for i in 1..12 {
            let alone = of(&nan.permuted(&[i], &all));
            let missing = (0..30).any(|j| holes(i, j));
            assert!(!missing || alone.row(0) == batch.row(i), "{loss} row {i}");
            for (a, b) in listed.row(i).iter().zip(batch.row(i)) {
                assert!((a - b).abs() < 1e-6 * (1.0 + b), "{loss} row {i}: {a} {b}");
            }
        }
    }
}
