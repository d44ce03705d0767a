//! Entries of any size: what is tiny beside the others is as good as a zero, and costs no fit its end.

use crate::common::*;
use crate::reference::*;
use partwise::matrix::Weights;
use partwise::verify::{Objective, verify};
use partwise::{
    Error, Loss, Options, Penalty, Rule, Scalar, Status, Transform, Warning, fit, transform_told,
};

/// Uniform entries, of which this share is `tiny`.
fn with_tiny(rows: usize, cols: usize, tiny: f64, seed: u64) -> Mat {
    let mut rng = Lcg::new(seed);
    let mut entry = || {
        let value = rng.uniform();
        if rng.uniform() < 0.3 { tiny } else { value }
    };
    Mat::new(rows, cols, (0..rows * cols).map(|_| entry()).collect())
}

/// Rows of e^(σz) that sum to 1.
fn softmax(rows: usize, cols: usize, sigma: f64, seed: u64) -> Mat {
    let mut rng = Lcg::new(seed);
    let mut normal = || {
        let (u, v) = (1.0 - rng.uniform(), rng.uniform());
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    };
    let logits = Mat::new(rows, cols, (0..rows * cols).map(|_| sigma * normal()).collect());
    let most: Vec<f64> =
        (0..rows).map(|i| logits.row(i).iter().copied().fold(f64::MIN, f64::max)).collect();
    let e = Mat::from_fn(rows, cols, |i, j| (logits.get(i, j) - most[i]).exp());
    Mat::from_fn(rows, cols, |i, j| e.get(i, j) / e.row(i).iter().sum::<f64>())
}

/// Fits by the default rule; the fit converges, takes nothing back, and its figures hold.
#[track_caller]
fn converges<T: Scalar>(x: &Mat, kind: Kind, loss: Loss, rank: usize, what: &str) -> f64 {
    let options = Options::<T> { rank, loss, max_iter: 2000, ..Options::default() };
    let found = fit(data(x, kind, Weights::default()), &options).unwrap();
    assert_sound(&found, what);
    assert_eq!(found.status, Status::Converged, "{what}");
    let back = found.warnings.iter().any(|w| matches!(w, Warning::StepTakenBack { .. }));
    assert!(!back, "{what}: {:?}", found.warnings);
    let objective = Objective { loss, ..Objective::default() };
    let check = verify(x.input::<T>(kind), &found.w, &found.h, &objective).unwrap();
    let slack = 100.0 * T::ROUNDOFF;
    assert!(check.kkt.residual() <= options.tol * 1.01 + slack, "{what}: {:?}", check.kkt);
    let apart = (found.objective - check.objective).abs();
    assert!(apart <= found.objective_bound + check.objective_bound, "{what}: off by {apart}");
    found.objective
}

fn tiny_as_zero<T: Scalar>(tiny: &[f64]) {
    for (rows, cols) in [(30, 20), (20, 90), (150, 40)] {
        for seed in 0..3 {
            let zero = with_tiny(rows, cols, 0.0, seed);
            for kind in [Kind::RowMajor, Kind::Csr] {
                let least = converges::<T>(&zero, kind, Loss::KL, 4, "zeros");
                for &tiny in tiny {
                    let what = format!("{} {rows}×{cols} {seed} {kind:?} {tiny:e}", T::NAME);
                    let x = with_tiny(rows, cols, tiny, seed);
                    let found = converges::<T>(&x, kind, Loss::KL, 4, &what);
                    // Another minimum may be found.
                    assert!((found / least - 1.0).abs() < 0.05, "{what}: {found} {least}");
                }
            }
        }
    }
}

#[test]
fn tiny_entries_beside_ordinary_ones_are_as_good_as_zeros_under_kl() {
    tiny_as_zero::<f32>(&[1e-10, 1e-12, 1e-15, 1e-25, 1e-37, 1e-42]);
    tiny_as_zero::<f64>(&[1e-20, 1e-30, 1e-100, 1e-250, 1e-307, 5e-324]);
}

#[test]
fn rows_of_a_softmax_are_fitted_however_peaked_they_are() {
    for sigma in [5.0, 10.0, 15.0, 25.0, 60.0] {
        for seed in 0..3 {
            let x = softmax(100, 50, sigma, seed);
            let what = format!("{sigma} {seed}");
            let least = converges::<f64>(&x, Kind::RowMajor, Loss::KL, 8, &what);
            let found = converges::<f32>(&x, Kind::RowMajor, Loss::KL, 8, &what);
            assert!(found <= 1.1 * least, "{what}: {found} {least}");
        }
    }
}

/// Entries 10^u with u uniform down to −`digits`.
fn of_range(rows: usize, cols: usize, digits: f64, seed: u64) -> Mat {
    Mat::random(rows, cols, seed).map(|u| 10f64.powf(-digits * u))
}

fn margins<T: Scalar>(digits: &[f64]) {
    for &digits in digits {
        for (rows, cols) in [(12, 9), (40, 7), (7, 90)] {
            // Whole rows and columns as small as single entries.
            let sizes = of_range(rows.max(cols), 2, digits / 3.0, 3);
            let x = of_range(rows, cols, digits / 3.0, 1);
            let x =
                Mat::from_fn(rows, cols, |i, j| x.get(i, j) * sizes.get(i, 0) * sizes.get(j, 1));
            let x = x.map(|v| T::from_f64(v).to_f64());
            let (down, across) = (x.transposed(), &x);
            let sum = |m: &Mat, at: usize| m.row(at).iter().sum::<f64>();
            let all: f64 = x.values.iter().sum();
            let fitted = Mat::from_fn(rows, cols, |i, j| sum(across, i) * sum(&down, j) / all);
            let terms = x.values.iter().zip(&fitted.values);
            let least: f64 = terms.map(|(x, q)| x * (x / q).ln()).sum();
            for kind in [Kind::RowMajor, Kind::Csr] {
                let what = format!("{} {digits} {rows}×{cols} {kind:?}", T::NAME);
                let found = converges::<T>(&x, kind, Loss::KL, 1, &what);
                let allowed = 1e-5 * least + 200.0 * T::ROUNDOFF * all;
                assert!((found - least).abs() <= allowed, "{what}: {found} {least}");
            }
        }
    }
}

#[test]
fn kl_of_rank_one_is_the_product_of_the_margins_whatever_the_range() {
    margins::<f32>(&[6.0, 20.0, 34.0]);
    margins::<f64>(&[12.0, 100.0, 290.0]);
}

/// x/q − ln(x/q) − 1 where x/q may be less than a roundoff.
fn itakura_saito(x: f64, q: f64) -> f64 {
    let log = x.ln() - q.ln();
    if log.abs() < 0.1 { log.exp_m1() - log } else { log.exp() - log - 1.0 }
}

fn far_below<T: Scalar>(tiny: &[f64]) {
    for &tiny in tiny {
        for rule in [Rule::Mu, Rule::Mue, Rule::Jmm] {
            let mut x = positive(10, 8, 1);
            (x.values[27], x.values[61]) = (tiny, tiny);
            let what = format!("{} {rule} {tiny:e}", T::NAME);
            let options =
                Options::<T> { loss: Loss::IS, max_iter: 200, tol: 1e-3, ..options(2, rule) };
            let found = fit(x.dense::<T>(), &options).unwrap();
            assert_sound(&found, &what);
            assert_ne!(found.status, Status::NumericalTrouble, "{what}");
            let q = wide(&found.w).times_transposed(&wide(&found.h));
            let x = x.map(|v| T::from_f64(v).to_f64());
            let terms = x.values.iter().zip(&q.values);
            let exact: f64 = terms.map(|(&x, &q)| itakura_saito(x, q)).sum();
            let apart = (found.objective / exact - 1.0).abs();
            assert!(apart < 1e4 * T::ROUNDOFF, "{what}: {} {exact}", found.objective);
            let start = fit(x.dense::<T>(), &Options { max_iter: 0, ..options }).unwrap().objective;
            assert!(exact < start && exact < 2.5 * -tiny.ln(), "{what}: {start} → {exact}");
        }
    }
}

#[test]
fn itakura_saito_takes_entries_far_below_their_fit() {
    far_below::<f32>(&[1e-12, 1e-18, 1e-25, 1e-36, 1e-44]);
    far_below::<f64>(&[1e-14, 1e-20, 1e-100, 1e-300, 5e-324]);
}

fn far_starts<T: Scalar>(powers: &[i32]) {
    let x = positive(10, 8, 1);
    for by in losses() {
        let start =
            |size: f64| (positive(10, 3, 2).map(|v| v * size), positive(8, 3, 3).map(|v| v / 3.0));
        let near = start(1.0);
        let settings =
            |(w, h): (&Mat, &Mat)| Options { tol: 1e-3, ..from_start::<T>(by, (w, h), 2000) };
        let least = fit(x.dense::<T>(), &settings((&near.0, &near.1))).unwrap().objective;
        for &power in powers {
            let (w, h) = start(10f64.powi(power));
            for (w, h) in [(&w, &h), (&w, &h.map(|v| v * 10f64.powi(power)))] {
                let what = format!("{} {} {} 1e{power}", by.0, by.1, T::NAME);
                let found = fit(x.dense::<T>(), &settings((w, h))).unwrap();
                assert_sound(&found, &what);
                assert_eq!(found.status, Status::Converged, "{what}");
                let said = |w: &Warning| matches!(w, Warning::StartScaled { .. });
                assert!(found.warnings.iter().any(said), "{what}");
                assert!(found.objective <= 1.3 * least, "{what}: {} {least}", found.objective);
                Problem::new(&x, by.0).rounded::<T>().assert_reported(&found, 1e-3, &what);
            }
        }
    }
}

#[test]
fn a_given_start_of_any_size_is_brought_to_that_of_x_and_it_is_said() {
    far_starts::<f64>(&[-150, -100, 100, 150]);
    far_starts::<f32>(&[-18, 18]);
}

#[test]
fn a_loss_beyond_the_range_of_numbers_is_refused_with_place_and_fitted_value() {
    let mut x = positive(10, 8, 1);
    x.values[27] = 1e-300;
    let options = Options { loss: Loss::new(-2.0).unwrap(), ..options::<f64>(2, Rule::Mue) };
    let error = fit(x.dense::<f64>(), &options).unwrap_err();
    let text = error.to_string();
    let Error::Beyond { row, col, value, fitted, count, .. } = error else { panic!("{text}") };
    assert_eq!((row, col, value, count), (3, 3, 1e-300, 1));
    assert!(fitted > 1e-3 && text.contains("1e-300") && !text.contains("held"), "{text}");
}

/// Weights of two sizes, mixed, give the fit that the larger ones give alone.
fn mixed_weights<T: Scalar>(sizes: &[(f64, f64)]) {
    let x = positive(12, 9, 1);
    for by in weighted_losses() {
        for &(small, large) in sizes {
            let weigh = |small: f64, large: f64, kind: Kind| {
                let p = Mat::random(12, 9, 5).map(|u| if u < 0.3 { small } else { large });
                let weights = Weights { entries: Some(p.input(kind)), ..Weights::default() };
                let charge = Some(Penalty { l1: 0.01 * large, l2: 0.01 * large });
                let base = Options { loss: by.0, max_iter: 20, tol: 0.0, ..options::<T>(2, by.1) };
                let options = Options { w_penalty: charge, h_penalty: charge, ..base };
                fit(data(&x, Kind::RowMajor, weights), &options).unwrap()
            };
            for kind in [Kind::RowMajor, Kind::Csr] {
                // What weighs 1e-12 of the others is nothing beside them in either precision.
                let (found, alone) = (weigh(small, large, kind), weigh(1e-12, 1.0, kind));
                let what = format!("{} {} {small:e} {large:e} {kind:?} {}", by.0, by.1, T::NAME);
                assert_sound(&found, &what);
                assert_ne!(found.status, Status::NumericalTrouble, "{what}");
                let back = |w: &Warning| matches!(w, Warning::StepTakenBack { .. });
                assert!(!found.warnings.iter().any(back), "{what}: {:?}", found.warnings);
                // Damped steps look at every entry, however little it weighs, and so take other ways.
                let ratio = found.objective / large / alone.objective - 1.0;
                assert!(ratio.abs() < 1e-2, "{what}: off by {ratio:e}");
            }
        }
    }
}

#[test]
fn weights_of_any_size_are_weights_also_where_they_are_mixed() {
    mixed_weights::<f32>(&[(1e26, 1e38), (1e-38, 1e38), (1e-38, 1e-26), (1e-38, 1.0)]);
    mixed_weights::<f64>(&[(1e-150, 1e150), (1e-38, 1e38), (1e-300, 1e-250), (1.0, 1e300)]);
}

#[test]
fn new_rows_are_stationary_under_every_loss_or_it_is_told_which_are_not() {
    let (x, h) = (positive(60, 30, 1), positive(30, 5, 2));
    for loss in losses().map(|(loss, _)| loss).filter(|loss| *loss != Loss::FROBENIUS) {
        let options = Transform { loss, ..Transform::default() };
        let all = transform_told(x.dense::<f64>(), &h.factor(), &options).unwrap();
        assert!(all.unfinished.is_empty(), "{loss}: {:?}", all.unfinished);
        let objective = Objective { loss, ..Objective::default() };
        let short = Transform { max_iter: 3, ..options };
        let cut = transform_told(x.dense::<f64>(), &h.factor(), &short).unwrap();
        for (what, found) in [("all", &all), ("cut", &cut)] {
            let mut unfinished = Vec::new();
            for row in 0..x.rows {
                let own = Mat::new(1, x.cols, x.row(row).to_vec());
                let w = partwise::Factor::from_rows(1, 5, found.w.row(row));
                let kkt = verify(own.dense::<f64>(), &w, &h.factor(), &objective).unwrap().kkt;
                if kkt.w.max(kkt.w_zeros / 10.0) > 1.001e-6 {
                    unfinished.push(row);
                }
            }
            assert_eq!(found.unfinished, unfinished, "{loss} {what}");
        }
        assert!(loss == Loss::KL || !cut.unfinished.is_empty(), "{loss}");
    }
}

/// Where β < 0, W·H may come down to an entry: its slope there has to be a number.
#[test]
fn entries_whose_slope_is_beyond_the_range_are_refused_with_what_to_do() {
    fn check<T: Scalar>(cases: &[(f64, f64, bool)]) {
        for &(beta, tiny, fits) in cases {
            let mut x = positive(30, 20, 5);
            (x.values[45], x.values[333]) = (tiny, tiny);
            let loss = Loss::new(beta).unwrap();
            let options = Options::<T> { rank: 3, loss, max_iter: 300, ..Options::default() };
            let what = format!("{} {beta} {tiny:e}", T::NAME);
            match fit(x.dense::<T>(), &options) {
                Ok(found) => {
                    assert_sound(&found, &what);
                    assert!(fits && found.status != Status::NumericalTrouble, "{what}");
                }
                Err(Error::Beyond { row: 2, col: 5, count: 2, .. }) => assert!(!fits, "{what}"),
                Err(e) => panic!("{what}: {e}"),
            }
        }
    }
    check::<f32>(&[
        (-0.5, 1e-15, true),
        (-1.0, 1e-10, true),
        (-1.0, 1e-20, false),
        (-2.0, 1e-15, false),
    ]);
    check::<f64>(&[
        (-0.5, 1e-100, true),
        (-1.0, 1e-100, true),
        (-1.0, 1e-200, false),
        (-2.0, 1e-150, false),
    ]);
}
