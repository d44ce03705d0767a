//! Bugs that were: one test each.

use crate::common::*;
use partwise::matrix::{Data, Matrix, Weights};
use partwise::verify::{Objective, verify};
use partwise::{
    Error, Factor, Input, Loss, Online, OnlineOptions, Options, Rule, Side, Start, Status, Step,
    Transform, fit, transform,
};

#[test]
fn a_fixed_factor_comes_back_as_given_even_where_x_is_zero() {
    let mut x = Mat::random(9, 6, 1);
    x.values[2 * 6..3 * 6].fill(0.0);
    for (x, fixed) in [(x.clone(), Side::Rows), (x.transposed(), Side::Columns)] {
        let given = Mat::random(9, 3, 2);
        let base = Options { fixed: Some(fixed), ..options(3, Rule::Hals) };
        let options = match fixed {
            Side::Rows => Options { w: Some(given.factor()), ..base },
            Side::Columns => Options { h: Some(given.factor()), ..base },
        };
        let found = fit(x.dense::<f64>(), &options).unwrap();
        assert_eq!(wide(if fixed == Side::Rows { &found.w } else { &found.h }), given);
        // The row that X has as zero still pulls the other factor down.
        let truth = objective(&x, &found);
        assert!((found.objective / truth - 1.0).abs() < 1e-12);
    }
}

#[test]
fn the_separable_start_knows_the_scale_of_wide_matrices() {
    let x = Mat::random(5, 3, 1).times_transposed(&Mat::random(12, 3, 2));
    let of = |scale: f64| {
        let options = Options { init: Start::Spa, max_iter: 0, ..options(3, Rule::Hals) };
        fit(x.map(|v| v * scale).dense::<f64>(), &options).unwrap().relative_error
    };
    let base = of(1.0);
    for scale in [2f64.powi(-60), 2f64.powi(600), 2f64.powi(-600), 1e300] {
        assert!((base - of(scale)).abs() < 1e-12, "{scale:e}: {base} {}", of(scale));
    }
}

#[test]
fn rows_handed_out_can_start_from_w_alone() {
    for (m, n) in [(8, 5), (5, 8)] {
        let x = Mat::random(m, n, 1).dense::<f64>();
        let rows: &dyn Matrix<f64> = &x;
        let w = Some(Mat::random(m, 2, 3).factor());
        let options = Options { w, max_iter: 0, ..options(2, Rule::Hals) };
        let streamed = fit(Input::Rows(rows), &options).unwrap();
        let plain = fit(x.clone(), &options).unwrap();
        assert!(product_distance(&streamed, &plain) < 1e-12, "{m} × {n}");
    }
}

#[test]
fn l24_a_rank_whose_square_overflows_is_refused() {
    for rank in [usize::MAX, usize::MAX / 2, 1 << 60] {
        let base = options(rank, Rule::Hals);
        for memory_limit in [Some(1 << 30), None] {
            let options = Options { memory_limit, ..base.clone() };
            let found = fit(Mat::random(3, 2, 1).dense::<f64>(), &options);
            assert!(matches!(found, Err(Error::Memory { .. })), "{rank}: {found:?}");
        }
    }
}

#[test]
fn r27_the_estimate_of_memory_counts_the_padding_of_rows() {
    let w = Factor::<f32>::zeros(1000, 1).as_slice().len() * 4;
    let options = Options { memory_limit: Some(w as u64), ..options(1, Rule::Hals) };
    let found = fit(Mat::random(1000, 500, 1).dense::<f32>(), &options);
    assert!(matches!(found, Err(Error::Memory { .. })), "one W alone takes the limit: {found:?}");
}

#[test]
fn l15_transform_of_large_f32_is_as_exact_as_of_ordinary() {
    let x = Mat::random(400, 300, 5);
    let of = |scale: f64| {
        let x = x.map(|v| v * scale);
        let found = fit(x.dense::<f32>(), &options(3, Rule::Hals)).unwrap();
        let w = transform(x.dense::<f32>(), &found.h, &on_threads(1)).unwrap();
        verify(x.dense::<f32>(), &w, &found.h, &Objective::default()).unwrap().relative_error
    };
    let base = of(1.0);
    for scale in [1e-37, 1e-30, 1e30, 3e37] {
        assert!((of(scale) / base - 1.0).abs() < 1e-3, "{scale:e}: {} {base}", of(scale));
    }
}

#[test]
fn transform_refuses_a_broken_h() {
    let x = Mat::random(4, 5, 5);
    for bad in [f64::NAN, f64::INFINITY, -1.0] {
        let mut h = Mat::random(5, 2, 1);
        h.values[3] = bad;
        let found = transform(x.dense::<f64>(), &h.factor(), &on_threads(1));
        assert!(matches!(found, Err(Error::Start { row: 1, col: 1, .. })), "{bad}: {found:?}");
    }
}

#[test]
fn l14_the_objective_of_a_large_exact_fit_is_a_number() {
    for scale in [1e155, 1e160, 1e200, 1e300] {
        let x = Mat::from_fn(4, 4, |_, _| scale);
        let found = fit(x.dense::<f64>(), &options(1, Rule::Hals)).unwrap();
        assert!(!found.objective.is_nan() && !found.objective_bound.is_nan(), "{scale:e}");
        assert!(found.history.iter().all(|r| !r.objective.is_nan()), "{scale:e}");
        assert!(found.restarts.iter().all(|r| !r.objective.is_nan()), "{scale:e}");
    }
}

#[test]
fn l14_an_objective_that_can_be_represented_is() {
    let x = Mat::planted(12, 9, 3, 1).map(|v| v * 2f64.powi(530));
    let options = Options { tol: 1e-9, max_iter: 5000, ..options(3, Rule::Hals) };
    let found = fit(x.dense::<f64>(), &options).unwrap();
    // ‖X‖² is beyond 2^1024, ‖X − WH‖² is not.
    let truth = objective(&x, &found);
    assert!(truth.is_finite() && truth > 0.0, "{truth:e}");
    assert!((found.objective / truth - 1.0).abs() < 1e-6, "{:e} {truth:e}", found.objective);
}

#[test]
fn l14_verify_judges_large_and_small_values() {
    for scale in [1e200, 1e-200, 1e300, 1e-300] {
        let x = Mat::random(6, 5, 1).map(|v| v * scale);
        let found = fit(x.dense::<f64>(), &options(2, Rule::Hals)).unwrap();
        let check = verify(x.dense::<f64>(), &found.w, &found.h, &Objective::default()).unwrap();
        let apart = (check.relative_error - found.relative_error).abs();
        assert!(apart < 1e-12, "{scale:e}: {check:?}");
        assert!((check.kkt.residual() - found.kkt.residual()).abs() < 1e-12, "{check:?}");
    }
}

#[test]
fn o15_holds_near_an_exact_fit_dense_and_sparse() {
    for kind in [Kind::RowMajor, Kind::Csr] {
        for rule in rules() {
            let x = Mat::planted(25, 14, 3, 2);
            let of = |x: Mat| {
                let options = Options { max_iter: 200, tol: 0.0, ..options::<f64>(3, rule) };
                fit(x.input::<f64>(kind), &options).unwrap()
            };
            let base = of(x.clone());
            for j in [-40, -5, 5, 30] {
                let found = of(x.map(|v| v * 4f64.powi(j)));
                let want = wide(&base.w).map(|v| v * 2f64.powi(j));
                assert_eq!(wide(&found.w), want, "{kind:?} {rule} 4^{j}");
            }
        }
    }
}

#[test]
fn r10_single_precision_that_converged_is_confirmed_by_verify() {
    let mut converged = 0;
    for (tol, seed) in [(1e-4, 0), (1e-4, 1), (1e-5, 2), (1e-5, 3), (1e-6, 4), (1e-7, 5)] {
        let x = Mat::random(200, 130, seed);
        let options = Options { max_iter: 1000, tol, seed, ..options(5, Rule::Hals) };
        let found = fit(x.dense::<f32>(), &options).unwrap();
        if found.status == Status::Converged {
            converged += 1;
            let check =
                verify(x.dense::<f32>(), &found.w, &found.h, &Objective::default()).unwrap();
            // b = X·H carries a few units of roundoff of f32, 6e-8 each.
            let allowed = 1.01 * tol + 5e-7;
            assert!(check.kkt.residual() <= allowed, "{tol:e}: {:e}", check.kkt.residual());
        }
    }
    assert!(converged >= 4, "{converged}");
}

#[test]
fn weights_of_rows_of_dense_x_are_read_by_multiplicative_rules() {
    // Twice a row is the row with weight 2.
    let x = Mat::random(12, 7, 41).map(|v| v + 0.1);
    let twice = Mat::from_fn(13, 7, |i, j| x.get(i.min(11), j));
    for beta in [0.5, 1.0, 2.0] {
        let fit_of = |x: &Mat, weights: Vec<f64>| {
            let (w, h) = (Mat::from_fn(x.rows, 2, |i, t| 1.0 + ((i.min(11) + t) % 3) as f64), 42);
            let options = Options {
                rule: Some(Rule::Mu),
                loss: Loss::new(beta).unwrap(),
                w: Some(w.factor::<f64>()),
                h: Some(Mat::random(7, 2, h).factor()),
                max_iter: 20,
                tol: 0.0,
                ..options(2, Rule::Mu)
            };
            let weights = Weights { rows: Some(weights), ..Weights::default() };
            wide(&fit(Data { x: x.dense::<f64>().into(), weights }, &options).unwrap().h)
        };
        let mut weights = vec![1.0; 12];
        weights[11] = 2.0;
        assert!(distance(&fit_of(&x, weights), &fit_of(&twice, vec![1.0; 13])) <= 1e-12, "{beta}");
    }
}

/// A sparse X that stores what was seen says the same as a dense X with the rest hidden.
#[test]
fn absent_entries_are_missing_for_new_rows_and_for_batches_too() {
    let x = Mat::random(17, 11, 5).map(|v| v + 0.1);
    let seen = |i: usize, j: usize| !(3 * i + 5 * j).is_multiple_of(4);
    let stored = Mat::from_fn(17, 11, |i, j| if seen(i, j) { x.get(i, j) } else { 0.0 });
    let hidden = Mat::from_fn(17, 11, |i, j| if seen(i, j) { 0.0 } else { 1.0 });
    let absent = || {
        let weights = Weights { absent_missing: true, ..Weights::default() };
        Data { x: Input::from(stored.csr::<f64>()), weights }
    };
    let masked = || {
        let weights = Weights { hidden: Some(hidden.csr()), ..Weights::default() };
        Data { x: Input::from(x.dense::<f64>()), weights }
    };
    let h = Mat::random(11, 3, 7).factor::<f64>();
    for loss in [Loss::FROBENIUS, Loss::KL, Loss::new(1.5).unwrap()] {
        let options = Transform { loss, ..on_threads(1) };
        let of = |data| wide(&transform(data, &h, &options).unwrap());
        assert!(distance(&of(absent()), &of(masked())) < 1e-9, "transform, {loss}");
        let learnt = |data| {
            let mut online =
                Online::new(h.clone(), &OnlineOptions { loss, ..OnlineOptions::default() })
                    .unwrap();
            let step = Step { w_iterations: 3, w_tol: 0.0, ..Step::default() };
            online.step(data, None, &step).unwrap();
            wide(online.h())
        };
        assert!(distance(&learnt(absent()), &learnt(masked())) < 1e-9, "online, {loss}");
    }
}

/// The unit of X is that of its entries, whatever they weigh.
#[test]
fn tiny_weights_are_weights_for_new_rows_and_for_batches_too() {
    let x = Mat::random(9, 7, 3).map(|v| v + 0.1);
    let h = Mat::random(7, 2, 4).map(|v| v + 0.1).factor::<f64>();
    let loss = Loss::new(3.0).unwrap();
    let data = |weight: f64| {
        let weights = Weights { columns: Some(vec![weight; 7]), ..Weights::default() };
        Data { x: Input::from(x.dense::<f64>()), weights }
    };
    let options = Transform { loss, ..on_threads(1) };
    let of = |weight| wide(&transform(data(weight), &h, &options).unwrap());
    assert!(distance(&of(1e-150), &of(1.0)) < 1e-9);
    let learnt = |weight| {
        let mut online =
            Online::new(h.clone(), &OnlineOptions { loss, ..OnlineOptions::default() }).unwrap();
        let w = Some(Mat::random(9, 2, 8).factor());
        let step = Step { w_iterations: 3, w_tol: 0.0, rho: 0.0, ..Step::default() };
        wide(&online.step(data(weight), w, &step).unwrap().0)
    };
    assert!(distance(&learnt(1e-150), &learnt(1.0)) < 1e-9);
}

#[test]
fn a_fit_is_not_converged_while_its_objective_falls() {
    // One column a thousand times as large as the others: W·H soon accounts for nearly all of X.
    let mut x = Mat::random(60, 8, 3);
    x.values.iter_mut().step_by(8).for_each(|v| *v = 1000.0 * (0.5 + *v));
    for rule in [Rule::Mu, Rule::Hals] {
        let options = Options { max_iter: 3000, ..options(3, rule) };
        let found = fit(x.dense::<f64>(), &options).unwrap();
        let [.., before, last] = &found.history[..] else { panic!("{rule}: one iteration") };
        let fall = before.objective - last.objective;
        let settled = fall <= options.tol * last.objective;
        assert!(settled || found.status != Status::Converged, "{rule}: {fall:e}");
    }
}
