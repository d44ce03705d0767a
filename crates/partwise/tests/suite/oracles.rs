//! Exact identities and closed forms: what the right answer is, known without running the engine.

use crate::common::*;
use nalgebra::DMatrix;
use partwise::verify::{Objective, verify};
use partwise::{Fit, Options, Rule, Start, Status, fit};

/// Rules whose limit points are stationary, run to the end.
const EXACT: [Rule; 3] = [Rule::Hals, Rule::Bpp, Rule::Pgd];

fn to_the_end(rank: usize, rule: Rule) -> Options<f64> {
    Options { tol: 1e-10, max_iter: 20_000, ..options(rank, rule) }
}

fn svd(x: &Mat) -> nalgebra::SVD<f64, nalgebra::Dyn, nalgebra::Dyn> {
    DMatrix::from_row_slice(x.rows, x.cols, &x.values).svd(true, true)
}

fn run(x: &Mat, options: &Options<f64>) -> Fit<f64> {
    fit(x.dense::<f64>(), options).unwrap()
}

#[test]
fn o01_at_a_stationary_point_x_and_wh_have_the_same_product_with_each_row_of_wh() {
    let x = Mat::random(17, 12, 1);
    for rule in EXACT {
        let found = run(&x, &to_the_end(4, rule));
        let fitted = wide(&found.w).times_transposed(&wide(&found.h));
        let (mut across, mut own) = (0.0, 0.0);
        for i in 0..x.rows {
            let of = |a: &[f64]| a.iter().zip(fitted.row(i)).map(|(p, q)| p * q).sum::<f64>();
            across += (of(x.row(i)) - of(fitted.row(i))).abs();
            own += of(fitted.row(i));
        }
        // Σ |⟨x_i − p_i, p_i⟩| ≤ Σ w·|gradient| = ρ_W · ‖WH‖².
        assert!(across <= found.kkt.w * own * 1.01 + 1e-13 * own, "{rule}: {across:e}");
    }
}

#[test]
fn o03_the_error_of_a_stationary_point_is_the_difference_of_the_norms() {
    for (seed, &rule) in EXACT.iter().enumerate() {
        let x = Mat::random(23, 16, seed as u64);
        let found = run(&x, &to_the_end(5, rule));
        let fitted = wide(&found.w).times_transposed(&wide(&found.h));
        let apart = (2.0 * found.objective - (x.norm_sq() - fitted.norm_sq())).abs();
        let allowed = (10.0 * found.kkt.residual() + 30.0 * f64::EPSILON) * x.norm_sq();
        assert!(apart <= allowed, "{rule}: {apart:e} {allowed:e}");
    }
}

#[test]
fn o04_rank_one_is_the_leading_singular_pair() {
    for rule in rules() {
        for (rows, cols) in [(14, 9), (9, 14)] {
            let x = Mat::random(rows, cols, 3);
            let svd = svd(&x);
            let (s, u, v) = (svd.singular_values[0], svd.u.unwrap(), svd.v_t.unwrap());
            let best = Mat::from_fn(rows, cols, |i, j| s * u[(i, 0)] * v[(0, j)]);
            let found = run(&x, &Options { tol: 1e-14, ..to_the_end(1, rule) });
            let fitted = wide(&found.w).times_transposed(&wide(&found.h));
            // ALS keeps the iterate of least objective, which cannot tell factors apart that differ
            // by less than the root of roundoff.
            let allowed = if rule == Rule::Als { 2e-8 } else { 1e-10 };
            assert!(distance(&best, &fitted) < allowed, "{rule}: {:e}", distance(&best, &fitted));
        }
    }
}

#[test]
fn o06_no_fit_is_better_than_the_singular_value_decomposition() {
    for seed in 0..4 {
        let x = Mat::random(18, 13, seed);
        let s = svd(&x).singular_values;
        for rule in rules() {
            for &init in Start::ALL {
                for k in [1, 2, 5, 12] {
                    let bound = 0.5 * s.iter().skip(k).map(|s| s * s).sum::<f64>();
                    let options = Options { init, max_iter: 60, ..options(k, rule) };
                    let found = run(&x, &options);
                    let allowed = 1e-12 * x.norm_sq();
                    assert!(found.objective >= bound - allowed, "{rule} {init} {k}");
                }
            }
        }
    }
}

#[test]
fn o06_leading_components_of_nndsvd_start_from_the_singular_pair() {
    let x = Mat::random(18, 13, 3);
    let options = Options { init: Start::Nndsvd, max_iter: 0, ..options(1, Rule::Hals) };
    let s = svd(&x).singular_values;
    let bound = 0.5 * s.iter().skip(1).map(|s| s * s).sum::<f64>();
    let found = run(&x, &options);
    assert!((found.objective / bound - 1.0).abs() < 1e-10, "{} {bound}", found.objective);
}

#[test]
fn o07_x_times_identity_is_a_fixed_point_of_every_rule() {
    let x = Mat::random(12, 7, 5);
    let one = Mat::from_fn(7, 7, |i, j| f64::from(i == j));
    for rule in rules() {
        let (w, h) = (Some(x.factor()), Some(one.factor()));
        let found = run(&x, &Options { w, h, ..options(7, rule) });
        assert_eq!(found.status, Status::Converged, "{rule}");
        assert!(found.iterations <= 2, "{rule}: {}", found.iterations);
        assert!(found.relative_error < 1e-15, "{rule}: {:e}", found.relative_error);
        assert!(distance(&wide(&found.w), &x) < 1e-15, "{rule}");
    }
}

#[test]
fn o08_rank_two_is_non_negative_rank_two() {
    let mut tried = 0;
    for seed in 0..40 {
        // A product of rank 2 with negative parts, lifted until it is non-negative.
        let (a, b) = (Mat::random(11, 2, seed), Mat::random(9, 2, seed + 50));
        let b = Mat::from_fn(9, 2, |j, t| b.get(j, t) - 0.3 * t as f64);
        let x = a.times_transposed(&b).map(|v| v.max(0.0));
        let least = a.times_transposed(&b).values.iter().fold(f64::INFINITY, |m, &v| m.min(v));
        if least < 0.0 {
            continue;
        }
        tried += 1;
        for rule in EXACT {
            let options = Options { n_init: 5, max_iter: 5_000, tol: 1e-13, ..options(2, rule) };
            let found = run(&x, &options);
            assert!(found.relative_error < 1e-10, "{rule} {seed}: {:e}", found.relative_error);
        }
    }
    assert!(tried >= 4, "{tried}");
}

#[test]
fn o09_thomas_matrix_has_rank_three_and_non_negative_rank_four() {
    let x = Mat::new(4, 4, vec![1., 1., 0., 0., 1., 0., 1., 0., 0., 1., 0., 1., 0., 0., 1., 1.]);
    let least = 2.0 - 2f64.sqrt();
    for rule in EXACT {
        let base = Options { n_init: 30, ..to_the_end(3, rule) };
        let found = run(&x, &base);
        for restart in &found.restarts {
            assert!(2.0 * restart.objective >= least - 1e-9, "{rule}: {}", restart.objective);
        }
        assert!(2.0 * found.objective <= least + 1e-8, "{rule}: {}", 2.0 * found.objective);
        let four = run(&x, &Options { rank: 4, tol: 1e-13, ..base });
        assert!(four.relative_error < 1e-10, "{rule}: {:e}", four.relative_error);
    }
}

#[test]
fn o10_the_unique_factorisation_of_laurberg_is_recovered_from_every_seed() {
    for alpha in [0.1, 0.3] {
        let a = alpha;
        let rows = [[a, 1., 1., a, 0., 0.], [1., a, 0., 0., a, 1.], [0., 0., a, 1., 1., a]];
        let h = Mat::from_fn(6, 3, |j, t| rows[t][j]);
        let x = h.times_transposed(&h);
        for rule in EXACT {
            for seed in 0..20 {
                let base = options(3, rule);
                let options = Options { seed, tol: 1e-14, max_iter: 5_000, ..base };
                let found = run(&x, &options);
                let (cosine_w, cosine_h) =
                    (least_cosine(&h, &wide(&found.w)), least_cosine(&h, &wide(&found.h)));
                // A cosine of 1 − δ is an angle of √2δ: 1e-10 in H is out of its sight, so the
                // columns are compared too, scaled to the same norm.
                assert!(
                    cosine_w.min(cosine_h) > 1.0 - 1e-14,
                    "{rule} {alpha} {seed}: {cosine_w} {cosine_h} {}",
                    found.status
                );
                let apart = worst_column(&h, &wide(&found.h));
                assert!(
                    apart < 1e-10,
                    "{rule} {alpha} {seed}: {apart:e} {} {} {:e}",
                    found.status,
                    found.iterations,
                    found.kkt.residual()
                );
            }
        }
    }
}

/// Columns of both scaled to norm 1 and matched: the largest difference of entries.
fn worst_column(planted: &Mat, found: &Mat) -> f64 {
    let unit = |m: &Mat| {
        let m = m.transposed();
        let norm = |t| m.row(t).iter().map(|v: &f64| v * v).sum::<f64>().sqrt();
        Mat::from_fn(m.rows, m.cols, |t, j| m.get(t, j) / norm(t))
    };
    let (planted, found) = (unit(planted), unit(found));
    let apart =
        |a: &[f64], b: &[f64]| a.iter().zip(b).fold(0.0f64, |m, (p, q)| m.max((p - q).abs()));
    let nearest = |t: usize| (0..found.rows).map(move |s| (t, s));
    (0..planted.rows)
        .map(|t| nearest(t).map(|(t, s)| apart(planted.row(t), found.row(s))).fold(9.0, f64::min))
        .fold(0.0, f64::max)
}

/// X = Π [I; V] Hᵀ: three anchor rows, the others convex combinations of them.
fn separable(rows: usize, cols: usize, noise: f64) -> (Mat, Mat, Vec<usize>) {
    let h = Mat::random(cols, 4, 20);
    let mut rng = Lcg::new(21);
    let order = rng.shuffled(rows);
    let anchors: Vec<usize> = (0..4).map(|t| order.iter().position(|&o| o == t).unwrap()).collect();
    let weights: Vec<Vec<f64>> = (0..rows)
        .map(|at| {
            let raw: Vec<f64> = (0..4).map(|_| rng.uniform()).collect();
            let sum: f64 = raw.iter().sum();
            (0..4).map(|t| if at < 4 { f64::from(at == t) } else { 0.98 * raw[t] / sum }).collect()
        })
        .collect();
    let w = Mat::from_fn(rows, 4, |i, t| weights[order[i]][t]);
    let (x, e) = (w.times_transposed(&h), Mat::random(rows, cols, 22));
    (Mat::from_fn(rows, cols, |i, j| x.get(i, j) + noise * e.get(i, j)), h, anchors)
}

#[test]
fn o11_successive_projection_finds_the_anchors_of_separable_matrices() {
    for (rows, cols) in [(30, 12), (40, 60)] {
        for noise in [0.0, 1e-4] {
            let (x, _, anchors) = separable(rows, cols, noise);
            for kind in Kind::ALL {
                let options = Options { init: Start::Spa, max_iter: 0, ..options(4, Rule::Hals) };
                let found = fit(x.input::<f64>(kind), &options).unwrap();
                // The loop scales both factors, so the rows of H are the anchors up to a scale.
                let rows_of_x = Mat::from_fn(cols, 4, |j, t| x.get(anchors[t], j));
                let apart = worst_column(&rows_of_x, &wide(&found.h));
                assert!(apart < 1e-14, "{rows} {kind:?} {noise}: {apart:e}");
                if noise == 0.0 {
                    let error = (2.0 * objective(&x, &found) / x.norm_sq()).sqrt();
                    assert!(error < 1e-14, "{kind:?}: {error:e}");
                }
            }
        }
    }
}

#[test]
fn o24_more_components_never_fit_worse_when_they_start_from_fewer() {
    let x = Mat::random(20, 14, 30);
    for rule in [Rule::Hals, Rule::Bpp, Rule::Pgd] {
        let mut last = run(&x, &options(2, rule));
        for k in 3..7 {
            let pad =
                |m: Mat| Mat::from_fn(m.rows, k, |i, t| if t + 1 < k { m.get(i, t) } else { 0.0 });
            let (w, h) = (Some(pad(wide(&last.w)).factor()), Some(pad(wide(&last.h)).factor()));
            let next = run(&x, &Options { w, h, ..options(k, rule) });
            let allowed = 8.0 * f64::EPSILON * x.norm_sq();
            assert!(next.objective <= last.objective + allowed, "{rule} {k}");
            assert!(next.objective < 0.99 * last.objective, "{rule} {k}: the new one is not used");
            last = next;
        }
    }
}

#[test]
fn o25_the_objective_equals_exact_integer_arithmetic() {
    let mut rng = Lcg::new(40);
    for _ in 0..50 {
        let (m, n, k) = (1 + rng.below(8), 1 + rng.below(8), 1 + rng.below(4));
        let mut integers = |rows, cols| {
            Mat::new(rows, cols, (0..rows * cols).map(|_| rng.below(21) as f64).collect())
        };
        let (mut x, mut w, mut h) = (integers(m, n), integers(m, k), integers(n, k));
        // Rows of X and factors that are zero throughout would be cleared or refused.
        for f in [&mut x, &mut w, &mut h] {
            f.values.iter_mut().for_each(|v| *v += 1.0);
        }
        let mut twice = 0i64;
        for i in 0..m {
            for j in 0..n {
                let fitted: i64 = (0..k).map(|t| (w.get(i, t) * h.get(j, t)) as i64).sum();
                twice += (x.get(i, j) as i64 - fitted).pow(2);
            }
        }
        let exact = twice as f64 / 2.0;
        for kind in Kind::ALL {
            let (w, h) = (Some(w.factor()), Some(h.factor()));
            let options = Options { w, h, max_iter: 0, ..options(k, Rule::Hals) };
            let found = fit(x.input::<f64>(kind), &options).unwrap();
            let check =
                verify(x.input::<f64>(kind), &found.w, &found.h, &Objective::default()).unwrap();
            assert!((found.objective - exact).abs() <= found.objective_bound, "{kind:?}");
            assert_eq!(check.objective, exact, "{kind:?}");
        }
    }
}
