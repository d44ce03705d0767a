//! What a loss cannot have: zeros of X, starts that do not reach X.

use crate::common::*;
use crate::reference::*;
use partwise::matrix::{Data, Weights};
use partwise::{Error, Loss, Options, Rule, Side, Status, Warning, fit};

fn with_zeros(at: &[(usize, usize)]) -> Mat {
    let mut x = positive(9, 5, 1);
    at.iter().for_each(|&(i, j)| x.values[i * 5 + j] = 0.0);
    x
}

fn loss(beta: f64) -> Loss {
    Loss::new(beta).unwrap()
}

#[test]
fn l05_l06_an_observed_zero_is_refused_with_place_and_count_where_it_is_infinitely_bad() {
    for beta in [0.0, -0.5, -1.2] {
        for kind in Kind::ALL {
            for turned in [false, true] {
                let x = with_zeros(&[(3, 2), (6, 1)]);
                let (x, place) = if turned { (x.transposed(), (1, 6)) } else { (x, (3, 2)) };
                let options = Options { loss: loss(beta), ..options::<f64>(2, Rule::Mu) };
                let error = fit(data(&x, kind, Weights::default()), &options).unwrap_err();
                let Error::ZeroEntry { row, col, count, loss } = &error else { panic!("{error}") };
                // The first in the order in which X is read: by the longer side.
                let first = if turned { [(2, 3), (1, 6)] } else { [(3, 2), (3, 2)] };
                assert!(first.contains(&(*row, *col)) && *count == 2, "{kind:?} {turned}: {error}");
                let _ = place;
                assert_eq!(loss.parse::<Loss>().unwrap().beta(), Some(beta));
                let text = error.to_string();
                for part in [format!("X[{row}, {col}]"), "2".into(), "kl".into()] {
                    assert!(text.contains(&part), "{text}");
                }
            }
        }
    }
}

#[test]
fn l05_a_zero_that_is_missing_is_no_zero() {
    let x = with_zeros(&[(3, 2), (6, 1)]);
    for beta in [0.0, -1.2] {
        let options = Options { loss: loss(beta), max_iter: 50, ..options::<f64>(2, Rule::Mu) };
        let seen = x.map(|v| f64::from(v > 0.0));
        let none = Weights::default;
        for (kind, weights) in [
            (Kind::RowMajor, Weights { entries: Some(seen.dense().into()), ..none() }),
            (Kind::RowMajor, Weights { hidden: Some(seen.map(|s| 1.0 - s).csr()), ..none() }),
            (Kind::Csr, Weights { absent_missing: true, ..none() }),
            (Kind::Csr, Weights { entries: Some(seen.csr().into()), ..none() }),
            (Kind::Csr, Weights { hidden: Some(seen.map(|s| 1.0 - s).csr()), ..none() }),
        ] {
            let found = fit(data(&x, kind, weights), &options);
            let found = found.unwrap_or_else(|e| panic!("{beta} {kind:?}: {e}"));
            assert_sound(&found, "masked zeros");
            let problem = Problem::new(&x, loss(beta)).weighing(&seen);
            problem.assert_reported(&found, options.tol, &format!("{beta} {kind:?}"));
        }
    }
}

/// Zero where X is observed positive.
fn zero_row(f: &Mat, row: usize) -> Mat {
    Mat::from_fn(f.rows, f.cols, |i, t| if i == row { 0.0 } else { f.get(i, t) })
}

#[test]
fn l07_a_held_factor_that_leaves_x_out_of_reach_is_refused_with_place_and_count() {
    let (w, h) = (zero_row(&positive(9, 2, 2), 4), positive(5, 2, 3));
    for (loss, rule) in losses().filter(|(loss, _)| loss.degree() <= 1.0) {
        for kind in Kind::ALL {
            for turned in [false, true] {
                let x = positive(9, 5, 1);
                let start = if turned { (&h, &w) } else { (&w, &h) };
                let x = if turned { x.transposed() } else { x };
                let fixed = Some(if turned { Side::Columns } else { Side::Rows });
                let options = Options { fixed, ..from_start::<f64>((loss, rule), start, 20) };
                let error = fit(data(&x, kind, Weights::default()), &options).unwrap_err();
                let Error::Unreached { row, col, value, count } = error else { panic!("{error}") };
                let place = if turned { (0, 4) } else { (4, 0) };
                assert_eq!((row, col, count), (place.0, place.1, 5), "{loss} {rule} {kind:?}");
                assert_eq!(value, x.get(row, col));
            }
        }
    }
}

#[test]
fn a_held_factor_that_leaves_x_out_of_reach_is_a_finite_loss_beyond_kl() {
    let (w, h) = (zero_row(&positive(9, 2, 2), 4), positive(5, 2, 3));
    for (loss, rule) in losses().filter(|(loss, _)| loss.degree() > 1.0) {
        for kind in [Kind::RowMajor, Kind::Csr] {
            let x = positive(9, 5, 1);
            let options = from_start::<f64>((loss, rule), (&w, &h), 20);
            let options = Options { fixed: Some(Side::Rows), ..options };
            let found = fit(data(&x, kind, Weights::default()), &options).unwrap();
            let what = format!("{loss} {rule} {kind:?}");
            assert_sound(&found, &what);
            assert_ne!(found.status, Status::NumericalTrouble, "{what}");
            let (fw, fh) = (wide(&found.w), wide(&found.h));
            let exact = Problem::new(&x, loss).divergence(&fw, &fh);
            assert!((found.divergence / exact - 1.0).abs() < 1e-12, "{what}");
            let start = Problem::new(&x, loss).divergence(&w, &h);
            assert!(found.divergence < start, "{what}: {start} → {}", found.divergence);
        }
    }
}

#[test]
fn l07_zeros_of_a_start_that_is_not_held_are_raised_with_a_remark() {
    let (w, h) = (zero_row(&positive(9, 2, 2), 4), zero_row(&positive(5, 2, 3), 1));
    for (loss, rule) in losses().filter(|(loss, _)| *loss != Loss::FROBENIUS) {
        for kind in [Kind::RowMajor, Kind::Csr] {
            let x = positive(9, 5, 1);
            let options = from_start::<f64>((loss, rule), (&w, &h), 400);
            let found = fit(data(&x, kind, Weights::default()), &options).unwrap();
            let what = format!("{loss} {rule} {kind:?}");
            assert_sound(&found, &what);
            // Beyond KL a zero may stay, which is worth a remark too.
            let says = |w: &Warning| match w {
                Warning::RaisedZeros { count } => *count == 4,
                Warning::LockedZeros { count, .. } => *count == 4 && loss.degree() > 1.0,
                _ => false,
            };
            assert!(found.warnings.iter().any(says), "{what}: {:?}", found.warnings);
            let exact = Problem::new(&x, loss).divergence(&wide(&found.w), &wide(&found.h));
            assert!((found.divergence / exact - 1.0).abs() < 1e-12, "{what}");
            if loss.degree() > 1.0 {
                continue;
            }
            let free =
                from_start::<f64>((loss, rule), (&positive(9, 2, 2), &positive(5, 2, 3)), 400);
            let free = fit(data(&x, kind, Weights::default()), &free).unwrap();
            let worse = found.divergence / free.divergence;
            assert!(worse < 1.5, "{what}: {worse}");
        }
    }
}

#[test]
fn l08_nan_is_refused_under_every_loss_unless_it_means_missing() {
    let mut x = positive(9, 5, 1);
    x.values[3 * 5 + 2] = f64::NAN;
    for by in weighted_losses() {
        for kind in Kind::ALL {
            for turned in [false, true] {
                let (x, place) =
                    if turned { (x.transposed(), (2, 3)) } else { (x.clone(), (3, 2)) };
                let options = Options { loss: by.0, max_iter: 30, ..options::<f64>(2, by.1) };
                let error = fit(data(&x, kind, Weights::default()), &options).unwrap_err();
                let Error::NotFinite { row, col, value, count } = error else { panic!("{error}") };
                assert_eq!(((row, col), count, value.is_nan()), (place, 1, true), "{kind:?}");
                let missing = Weights { nan_missing: true, ..Weights::default() };
                let found = fit(data(&x, kind, missing), &options).unwrap();
                assert_sound(&found, &format!("{} {} {kind:?}", by.0, by.1));
                // Infinity and negative entries stay refused.
                for bad in [f64::INFINITY, -2.0] {
                    let x = x.map(|v| if v.is_nan() { bad } else { v });
                    let missing = Weights { nan_missing: true, ..Weights::default() };
                    let error = fit(data(&x, kind, missing), &options).unwrap_err();
                    let named = matches!(
                        error,
                        Error::NotFinite { row, col, .. } | Error::Negative { row, col, .. }
                            if (row, col) == place
                    );
                    assert!(named, "{error}");
                }
            }
        }
    }
}

#[test]
fn l01_zeros_throughout_are_fitted_at_once_under_every_loss_that_has_them() {
    for (loss, rule) in losses().filter(|(loss, _)| !loss.forbids_zeros()) {
        for kind in Kind::ALL {
            let options = Options { loss, ..options::<f32>(2, rule) };
            let x = Mat::new(4, 3, vec![0.0; 12]);
            let found = fit(data(&x, kind, Weights::default()), &options).unwrap();
            assert_eq!((found.status, found.iterations), (Status::Converged, 0), "{loss} {rule}");
            assert_eq!((found.objective, found.relative_error), (0.0, 0.0));
        }
    }
    for beta in [0.0, -1.0] {
        let options = Options { loss: loss(beta), ..options::<f64>(2, Rule::Mu) };
        let x = Mat::new(4, 3, vec![0.0; 12]);
        for kind in Kind::ALL {
            let error = fit(data(&x, kind, Weights::default()), &options).unwrap_err();
            assert!(
                matches!(error, Error::ZeroEntry { count: 12, .. }),
                "{beta} {kind:?}: {error}"
            );
        }
    }
}

fn refused(weights: Weights<'static, f64>) -> Error {
    let x: Data<'static, f64> = data(&positive(9, 5, 1), Kind::RowMajor, weights);
    fit(x, &Options { loss: Loss::KL, ..options(2, Rule::Mu) }).unwrap_err()
}

#[test]
fn l47_negative_and_infinite_weights_are_refused_with_their_place() {
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        let mut entries = Mat::new(9, 5, vec![1.0; 45]);
        entries.values[3 * 5 + 2] = bad;
        let line = |n: usize| Some((0..n).map(|i| if i == 3 { bad } else { 1.0 }).collect());
        let none = Weights::default;
        let ways = Kind::ALL
            .map(|kind| (Weights { entries: Some(entries.input(kind)), ..none() }, "[3, 2]"))
            .into_iter()
            .chain([
                (Weights { rows: line(9), ..none() }, "row weights[3]"),
                (Weights { columns: line(5), ..none() }, "column weights[3]"),
            ]);
        for (weights, place) in ways {
            let error = refused(weights);
            assert!(matches!(error, Error::Weight { .. }), "{error}");
            let text = error.to_string();
            assert!(text.contains(place) && text.contains(&bad.to_string()), "{text}");
        }
    }
}

#[test]
fn p20_weights_and_masks_of_another_shape_are_refused() {
    let none = Weights::default;
    for (weights, what, found) in [
        (Weights { entries: Some(positive(9, 4, 1).dense().into()), ..none() }, "weights", (9, 4)),
        (Weights { hidden: Some(positive(5, 9, 1).csr()), ..none() }, "mask", (5, 9)),
        (Weights { rows: Some(vec![1.0; 5]), ..none() }, "row weights", (5, 1)),
        (Weights { columns: Some(vec![1.0; 9]), ..none() }, "column weights", (9, 1)),
    ] {
        match refused(weights) {
            Error::Shape { what: named, found_rows, found_cols, .. } => {
                assert!(named.contains(what), "{named}");
                assert_eq!((found_rows, found_cols), found, "{what}");
            }
            other => panic!("{what}: {other}"),
        }
    }
}
