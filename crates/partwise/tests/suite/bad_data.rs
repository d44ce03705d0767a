//! Rows of the torture list about the values of X: what is refused, and that what is odd but
//! allowed gives a sound result.

use crate::common::*;
use partwise::{Dense, fit};
use partwise::{Error, Fit, Input, Options, Order, Rule, Scalar, Start, Status, Warning};

fn error<T: Scalar>(x: impl Into<Input<'static, T>>) -> Error {
    fit(x, &options(2, Rule::Hals)).unwrap_err()
}

fn with(mut x: Mat, i: usize, j: usize, value: f64) -> Mat {
    x.values[i * x.cols + j] = value;
    x
}

/// Both orientations, so that both sides are streamed once.
fn both(x: &Mat) -> [(Mat, bool); 2] {
    [(x.clone(), false), (x.transposed(), true)]
}

#[test]
fn l08_nan_is_named_with_place_and_count() {
    let x = with(with(Mat::random(9, 5, 1), 3, 2, f64::NAN), 7, 4, f64::NAN);
    for (x, turned) in both(&x) {
        for kind in Kind::ALL {
            let place = if turned { (2, 3) } else { (3, 2) };
            match error(x.input::<f64>(kind)) {
                Error::NotFinite { row, col, value, count } => {
                    assert_eq!(((row, col), count), (place, 2), "{kind:?}");
                    assert!(value.is_nan());
                }
                other => panic!("{kind:?}: {other}"),
            }
        }
    }
    let text = error(x.dense::<f64>()).to_string();
    for part in ["X[3, 2]", "NaN", "such entries: 2", "remove or impute"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn l09_infinities_are_named_with_their_sign() {
    for value in [f64::INFINITY, f64::NEG_INFINITY] {
        for kind in Kind::ALL {
            let text =
                error(with(Mat::random(4, 6, 2), 0, 0, value).input::<f32>(kind)).to_string();
            assert!(text.contains("X[0, 0]") && text.contains(&value.to_string()), "{text}");
        }
    }
}

#[test]
fn l10_negative_entries_are_named_with_the_first_and_the_worst() {
    let x = with(with(Mat::random(9, 5, 1), 3, 2, -1e-9), 8, 0, -4.0);
    for kind in Kind::ALL {
        let found = error(x.input::<f64>(kind));
        let Error::Negative { row, col, value, count, most, most_row, most_col } = found else {
            panic!("{found}");
        };
        assert_eq!((row, col, value, count), (3, 2, -1e-9, 2), "{kind:?}");
        assert_eq!((most, most_row, most_col), (-4.0, 8, 0), "{kind:?}");
    }
    let text = error(x.dense::<f64>()).to_string();
    for part in ["X[3, 2]", "-0.000000001", "negative entries: 2", "-4", "[8, 0]"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn l11_negative_zero_is_zero() {
    let plus = with(Mat::random(8, 6, 3), 2, 2, 0.0);
    let minus = with(plus.clone(), 2, 2, -0.0);
    for rule in rules() {
        let of = |x: &Mat| bits(&fit(x.dense::<f64>(), &options(3, rule)).unwrap());
        assert_eq!(of(&plus), of(&minus), "{rule}");
    }
}

#[test]
fn l01_a_zero_matrix_is_fitted_at_once() {
    for rule in rules() {
        for &init in Start::ALL {
            for kind in Kind::ALL {
                let options = Options { init, ..options(2, rule) };
                let found =
                    fit(Mat::new(4, 3, vec![0.0; 12]).input::<f32>(kind), &options).unwrap();
                assert_eq!((found.status, found.iterations), (Status::Converged, 0));
                assert!(found.w.to_vec().iter().chain(&found.h.to_vec()).all(|&v| v == 0.0));
                assert_eq!((found.objective, found.relative_error), (0.0, 0.0));
                assert!(found.warnings.iter().any(|w| matches!(w, Warning::ZeroRows { .. })));
            }
        }
    }
}

/// X with row `at` (or column) of zeros inserted.
fn with_zero_row(x: &Mat, at: usize) -> Mat {
    Mat::from_fn(x.rows + 1, x.cols, |i, j| match i.cmp(&at) {
        std::cmp::Ordering::Less => x.get(i, j),
        std::cmp::Ordering::Equal => 0.0,
        std::cmp::Ordering::Greater => x.get(i - 1, j),
    })
}

fn from_start(x: Mat, w: &Mat, h: &Mat, rule: Rule) -> Fit<f64> {
    let (w, h) = (Some(w.factor()), Some(h.factor()));
    let options = Options { w, h, sweeps: Some(3), max_iter: 30, tol: 0.0, ..options(3, rule) };
    fit(x.dense::<f64>(), &options).unwrap()
}

#[test]
fn l02_l03_a_zero_row_or_column_is_zero_and_the_rest_as_without_it() {
    let (x, w, h) = (Mat::random(20, 12, 4), Mat::random(20, 3, 5), Mat::random(12, 3, 6));
    for rule in rules() {
        let plain = from_start(x.clone(), &w, &h, rule);
        let wide_x = with_zero_row(&x, 7);
        // The start is positive in the zero row: the fit must clear it.
        let wide_w = Mat::from_fn(21, 3, |i, t| w.get(if i > 7 { i - 1 } else { i }, t));
        let row = from_start(wide_x.clone(), &wide_w, &h, rule);
        let column = from_start(wide_x.transposed(), &h, &wide_w, rule);
        for (found, of) in [(&row.w, &row), (&column.h, &column)] {
            assert!(found.row(7).iter().all(|&v| v == 0.0), "{rule}");
            // Other cuts of the rows sum in another order; 30 iterations amplify that.
            assert!((of.objective / plain.objective - 1.0).abs() < 1e-9, "{rule}");
        }
        let warned =
            |f: &Fit<f64>, w: Warning| assert!(f.warnings.contains(&w), "{:?}", f.warnings);
        warned(&row, Warning::ZeroRows { count: 1, of: 21, first: vec![7], weighed: false });
        warned(&column, Warning::ZeroColumns { count: 1, of: 21, first: vec![7], weighed: false });
    }
}

#[test]
fn l04_many_zero_rows_are_counted() {
    let x = Mat::from_fn(10_000, 4, |i, j| if i % 1000 == 5 { (i + j) as f64 } else { 0.0 });
    for kind in [Kind::RowMajor, Kind::Csr] {
        let found = fit(x.input::<f64>(kind), &options(2, Rule::Hals)).unwrap();
        let text: Vec<String> = found.warnings.iter().map(ToString::to_string).collect();
        assert!(
            text[0].starts_with("9990 of 10000 rows of X are all zero (first: 0, 1, 2)"),
            "{text:?}"
        );
        assert!((0..10_000).all(|i| i % 1000 == 5 || found.w.row(i) == [0.0, 0.0]));
    }
}

#[test]
fn l12_one_subnormal_entry_is_harmless() {
    for rule in rules() {
        let x = with(Mat::random(8, 6, 8), 1, 1, 0.0);
        let zero = fit(x.dense::<f64>(), &options(3, rule)).unwrap();
        let tiny = fit(with(x, 1, 1, 5e-324).dense::<f64>(), &options(3, rule)).unwrap();
        assert_sound(&tiny, rule.name());
        assert!((tiny.objective / zero.objective - 1.0).abs() < 1e-12, "{rule}");
    }
}

/// Relative errors of a fit of `x · scale` for `T`.
fn relative<T: Scalar>(x: &Mat, scale: f64, rule: Rule, what: &str) -> f64 {
    // 1e-300 and 1e300 are no powers of two: entries are rounded once, so paths part slightly.
    let found = fit(x.map(|v| v * scale).dense::<T>(), &options(3, rule)).unwrap();
    assert_sound(&found, what);
    found.relative_error
}

#[test]
fn l14_l15_extreme_scales_fit_as_well_as_ordinary_ones() {
    let x = Mat::random(12, 9, 9);
    for rule in rules() {
        let base = relative::<f64>(&x, 1.0, rule, "base");
        for scale in [1e-300, 1e-160, 1e-12, 1e12, 1e160, 1e300] {
            let found = relative::<f64>(&x, scale, rule, &format!("f64 {rule} {scale:e}"));
            // Runs part by rounding and end where the residual first falls below tol = 1e-4.
            assert!((found / base - 1.0).abs() < 1e-3, "{rule} {scale:e}: {found} {base}");
        }
        let base = relative::<f32>(&x, 1.0, rule, "base");
        for scale in [1e-30, 1e30, 3e37] {
            let found = relative::<f32>(&x, scale, rule, &format!("f32 {rule} {scale:e}"));
            assert!((found / base - 1.0).abs() < 1e-3, "{rule} {scale:e}: {found} {base}");
        }
    }
}

#[test]
fn l14_all_subnormal_matrices_are_fitted() {
    // Multiples of the smallest subnormal: exact rank 1, small integers.
    let x = Mat::from_fn(4, 3, |i, j| ((i + 1) * (j + 1)) as f64);
    let tiny = fit(x.map(|v| v * 5e-324).dense::<f64>(), &options(1, Rule::Hals)).unwrap();
    assert_sound(&tiny, "f64");
    assert!(tiny.relative_error < 1e-7, "{}", tiny.relative_error);
    let tiny = fit(x.map(|v| v * 1.4e-45).dense::<f32>(), &options(1, Rule::Hals)).unwrap();
    assert_sound(&tiny, "f32");
    assert!(tiny.relative_error < 1e-3, "{}", tiny.relative_error);
}

#[test]
fn l16_entries_from_1e_minus_300_to_1e300_are_finite_and_the_lost_ones_counted() {
    let x = Mat::from_fn(6, 5, |i, j| 10f64.powi(20 * (i as i32 * 5 + j as i32 + 1) - 310));
    for rule in rules() {
        for (x, _) in both(&x) {
            let found = fit(x.dense::<f64>(), &options(2, rule)).unwrap();
            assert_sound(&found, rule.name());
            let lost = found.warnings.iter().find_map(|w| match w {
                Warning::Underflow { count, largest } => Some((*count, *largest)),
                _ => None,
            });
            let (count, largest) = lost.expect("a notice");
            assert!((largest / 1e290 - 1.0).abs() < 1e-12, "{largest:e}");
            assert!(count > 0, "{count}");
        }
    }
}

#[test]
fn l17_one_huge_entry_is_fitted() {
    let x = with(Mat::random(10, 8, 10), 4, 4, 1e18);
    for rule in [Rule::Hals, Rule::Bpp, Rule::Pgd] {
        let found = fit(x.dense::<f32>(), &options(2, rule)).unwrap();
        assert_sound(&found, rule.name());
        let fitted: f32 = found.w.row(4).iter().zip(found.h.row(4)).map(|(a, b)| a * b).sum();
        assert!((fitted / 1e18 - 1.0).abs() < 1e-5, "{rule}: {fitted:e}");
        assert!(found.objective_bound.is_finite() && found.objective_bound > 0.0);
    }
}

#[test]
fn l19_a_large_offset_does_not_stop_a_fit_early() {
    let x = Mat::planted(30, 20, 4, 11).map(|v| v + 1000.0);
    for rule in [Rule::Hals, Rule::Bpp] {
        let at = |tol, n_init| Options { tol, n_init, max_iter: 20_000, ..options(5, rule) };
        let one = fit(x.dense::<f64>(), &at(1e-8, 1)).unwrap();
        let check = partwise::verify::verify(
            x.dense::<f64>(),
            &one.w,
            &one.h,
            &partwise::verify::Objective::default(),
        )
        .unwrap();
        match one.status {
            Status::Converged => assert!(check.kkt.residual() <= 1.01e-8, "{rule} {check:?}"),
            Status::MaxIter | Status::Stalled => {}
            other => panic!("{rule}: {other}"),
        }
        let mean = x.values.iter().sum::<f64>() / x.values.len() as f64;
        let constant: f64 = x.values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 2.0;
        assert!(one.objective < 0.5 * constant, "{rule}: {} {constant}", one.objective);
    }
}

#[test]
fn l20_exact_rank_gives_an_objective_within_its_bound_and_never_below_zero() {
    for seed in 0..6 {
        let x = Mat::planted(25, 14, 3, seed);
        for kind in Kind::ALL {
            let base = options(3, Rule::Hals);
            let options = Options { tol: 0.0, n_init: 3, max_iter: 400, seed, ..base };
            let found = fit(x.input::<f64>(kind), &options).unwrap();
            assert_sound(&found, "exact");
            assert!(found.history.iter().all(|r| r.objective >= 0.0));
            let apart = (found.objective - objective(&x, &found)).abs();
            assert!(apart <= found.objective_bound, "{kind:?}: {apart:e}");
        }
    }
}

#[test]
fn l36_borrowed_values_are_left_alone() {
    let values: Vec<f64> = Mat::random(6, 4, 1).values;
    let copy = values.clone();
    let x = Dense::new(6, 4, Order::RowMajor, &values[..]).unwrap();
    fit(x, &options(2, Rule::Hals)).unwrap();
    assert_eq!(values, copy);
}
