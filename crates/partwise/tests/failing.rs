//! Tests that show engine bugs; each is to be moved into its file when fixed.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::*;
use partwise::matrix::Matrix;
use partwise::verify::verify;
use partwise::{Error, Factor, Input, Options, Rule, Side, Start, fit, transform};

#[test]
fn b01_a_fixed_factor_comes_back_as_given_even_where_x_is_zero() {
    let mut x = Mat::random(9, 6, 1);
    x.values[2 * 6..3 * 6].fill(0.0);
    let w = Mat::random(9, 3, 2);
    let options =
        Options { w: Some(w.factor()), fixed: Some(Side::Rows), ..options(3, Rule::Hals) };
    let found = fit(x.dense::<f64>(), &options).unwrap();
    assert_eq!(wide(&found.w), w);
}

#[test]
fn b02_spa_of_a_wide_matrix_at_an_extreme_scale() {
    let (w, v) = (Mat::random(5, 3, 1), Mat::random(12, 3, 2));
    let x = w.times_transposed(&v);
    let of = |scale: f64| {
        let options = Options { init: Start::Spa, max_iter: 0, ..options(3, Rule::Hals) };
        fit(x.map(|v| v * scale).dense::<f64>(), &options).unwrap().relative_error
    };
    for scale in [2f64.powi(-60), 2f64.powi(600), 2f64.powi(-600), 1e300] {
        let (base, tiny) = (of(1.0), of(scale));
        assert!((base - tiny).abs() < 1e-12, "{scale:e}: {base} {tiny}");
    }
}

#[test]
fn b03_rows_with_w_given_and_h_not() {
    let x = Mat::random(8, 5, 1).dense::<f64>();
    let rows: &dyn Matrix<f64> = &x;
    let w = Some(Mat::random(8, 2, 3).factor());
    let o = Options { w, ..options(2, Rule::Hals) };
    let streamed = fit(Input::Rows(rows), &o).unwrap();
    let plain = fit(x.clone(), &o).unwrap();
    assert_eq!(bits(&streamed), bits(&plain));
}

#[test]
fn b04_rank_that_overflows_the_estimate() {
    for rank in [usize::MAX, usize::MAX / 2, 1 << 60] {
        let o = Options { memory_limit: Some(1 << 30), ..options(rank, Rule::Hals) };
        let found = fit(Mat::random(3, 2, 1).dense::<f64>(), &o);
        assert!(matches!(found, Err(Error::Memory { .. })), "{found:?}");
    }
}

#[test]
fn b05_transform_of_large_f32_is_as_exact_as_of_ordinary() {
    let x = Mat::random(400, 300, 5);
    let of = |scale: f64| {
        let x = x.map(|v| v * scale);
        let found = fit(x.dense::<f32>(), &options(3, Rule::Hals)).unwrap();
        let w = transform(x.dense::<f32>(), &found.h, 1).unwrap();
        verify(x.dense::<f32>(), &w, &found.h).unwrap().relative_error
    };
    let base = of(1.0);
    for scale in [1e-37, 1e-30, 1e30, 3e37] {
        assert!((of(scale) / base - 1.0).abs() < 1e-3, "{scale:e}: {} {base}", of(scale));
    }
}

#[test]
fn b06_transform_refuses_a_broken_h() {
    let x = Mat::random(4, 5, 5);
    for bad in [f64::NAN, f64::INFINITY, -1.0] {
        let mut h = Mat::random(5, 2, 1);
        h.values[3] = bad;
        let found = transform(x.dense::<f64>(), &h.factor(), 1);
        assert!(matches!(found, Err(Error::Start { row: 1, col: 1, .. })), "{bad}: {found:?}");
    }
}

#[test]
fn b07_the_objective_of_a_large_exact_fit_is_a_number() {
    for scale in [1e155, 1e160, 1e200, 1e300] {
        let x = Mat::from_fn(4, 4, |_, _| scale);
        let found = fit(x.dense::<f64>(), &options(1, Rule::Hals)).unwrap();
        assert!(
            !found.objective.is_nan() && found.history.iter().all(|r| !r.objective.is_nan()),
            "{scale:e}: {}",
            found.objective
        );
    }
}

#[test]
fn b08_an_objective_that_can_be_represented_is() {
    let x = Mat::planted(12, 9, 3, 1).map(|v| v * 2f64.powi(530));
    let o = Options { tol: 1e-12, max_iter: 5000, ..options(3, Rule::Hals) };
    let found = fit(x.dense::<f64>(), &o).unwrap();
    let truth = objective(&x, &found);
    eprintln!("{} {truth} {}", found.objective, found.relative_error);
    assert!(truth.is_infinite() || found.objective.is_finite());
}

#[test]
fn b09_verify_of_large_values() {
    let x = Mat::random(6, 5, 1).map(|v| v * 1e200);
    let found = fit(x.dense::<f64>(), &options(2, Rule::Hals)).unwrap();
    let check = verify(x.dense::<f64>(), &found.w, &found.h).unwrap();
    assert!((check.relative_error - found.relative_error).abs() < 1e-9, "{check:?}");
}

#[test]
fn b10_every_start_scales_with_x() {
    for &init in Start::ALL {
        for x in [Mat::random(9, 6, 3), Mat::random(6, 9, 3)] {
            for j in [-40, -5, -1, 1, 5, 40] {
                let of = |x: Mat| {
                    let o = Options { init, max_iter: 0, ..options(3, Rule::Hals) };
                    fit(x.dense::<f64>(), &o).unwrap()
                };
                let base = of(x.clone());
                let scaled = of(x.map(|v| v * 4f64.powi(j)));
                let want = wide(&base.w).map(|v| v * 2f64.powi(j));
                if wide(&scaled.w) != want {
                    eprintln!(
                        "{init} {}x{} 4^{j}: start W differs by {}",
                        x.rows,
                        x.cols,
                        distance(&wide(&scaled.w), &want)
                    );
                }
            }
        }
    }
}

#[test]
fn b11_square_transpose() {
    let x = Mat::random(7, 7, 3);
    let (w, h) = (Mat::random(7, 2, 4), Mat::random(7, 2, 5));
    let o = |w: &Mat, h: &Mat| Options {
        w: Some(w.factor()),
        h: Some(h.factor()),
        max_iter: 5,
        tol: 0.0,
        ..options::<f64>(2, Rule::Hals)
    };
    let a = fit(x.dense::<f64>(), &o(&w, &h)).unwrap();
    let b = fit(x.transposed().dense::<f64>(), &o(&h, &w)).unwrap();
    eprintln!("square transpose equal: {}", factor_bits(&a.w) == factor_bits(&b.h));
}

#[test]
fn b12_memory_limit_bounds_what_is_allocated_for_rank_1() {
    let o = Options { memory_limit: Some(100_000), ..options(1, Rule::Hals) };
    let found = fit(Mat::random(1000, 500, 1).dense::<f32>(), &o);
    eprintln!(
        "rank 1, 1000×500 f32 under 100 kB: {:?}; one W alone takes {} B",
        found.err(),
        Factor::<f32>::zeros(1000, 1).as_slice().len() * 4
    );
}

#[test]
fn b13_max_iter_zero_with_given_start_keeps_it() {
    let mut x = Mat::random(9, 6, 1);
    x.values[2 * 6..3 * 6].fill(0.0);
    let (w, h) = (Mat::random(9, 3, 2), Mat::random(6, 3, 3));
    let o =
        Options { w: Some(w.factor()), h: Some(h.factor()), max_iter: 0, ..options(3, Rule::Hals) };
    let found = fit(x.dense::<f64>(), &o).unwrap();
    eprintln!("start kept: {}", wide(&found.w) == w);
}

#[test]
fn o17_random_starts_of_the_transpose_are_exchanged() {
    let x = Mat::random(13, 40, 4);
    for init in [Start::Random, Start::Nndsvdar] {
        let o = Options { init, max_iter: 8, tol: 0.0, seed: 5, ..options::<f64>(3, Rule::Hals) };
        let plain = fit(x.dense::<f64>(), &o).unwrap();
        let turned = fit(x.transposed().dense::<f64>(), &o).unwrap();
        assert_eq!(factor_bits(&plain.w), factor_bits(&turned.h), "{init}");
    }
}

#[test]
fn o15_near_an_exact_fit_too() {
    for kind in [Kind::RowMajor, Kind::Csr] {
        for &rule in Rule::ALL {
            let x = Mat::planted(25, 14, 3, 2);
            let of = |x: Mat| {
                let o = Options { max_iter: 200, tol: 0.0, ..options::<f64>(3, rule) };
                fit(x.input::<f64>(kind), &o).unwrap()
            };
            let base = of(x.clone());
            for j in [5, 30] {
                let found = of(x.map(|v| v * 4f64.powi(j)));
                let want = wide(&base.w).map(|v| v * 2f64.powi(j));
                if wide(&found.w) != want {
                    eprintln!(
                        "{kind:?} {rule} 4^{j}: apart {:e} ({} {})",
                        distance(&wide(&found.w), &want),
                        base.relative_error,
                        found.relative_error
                    );
                }
            }
        }
    }
}

#[test]
fn r10_f32_converged_is_confirmed_by_verify() {
    for tol in [1e-4, 1e-5, 1e-6, 1e-7] {
        let mut worst = 0.0f64;
        let (mut converged, mut wrong) = (0, 0);
        for seed in 0..20 {
            let x = Mat::random(300, 200, seed);
            let o = Options { max_iter: 2000, tol, seed, ..options::<f32>(5, Rule::Hals) };
            let f = fit(x.dense::<f32>(), &o).unwrap();
            let v = verify(x.dense::<f32>(), &f.w, &f.h).unwrap();
            if f.status == partwise::Status::Converged {
                converged += 1;
                worst = worst.max(v.kkt.residual() / tol);
                wrong += usize::from(v.kkt.residual() > 1.01 * tol);
            }
        }
        eprintln!(
            "f32 tol {tol:e}: {converged} of 20 converged, {wrong} refuted, worst residual / tol = {worst}"
        );
    }
}
