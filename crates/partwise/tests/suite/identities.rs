//! Exact identities under every loss: what the right answer is, or what must happen to it when X is
//! changed in a known way.

use crate::common::*;
use crate::reference::*;
use partwise::matrix::Weights;
use partwise::{Loss, Options, Rule, Scalar, Side, Status, Warning, fit};

/// A product of positive factors with a little noise, so that solutions lie inside, and a start.
fn problem(rows: usize, cols: usize, k: usize, seed: u64) -> (Mat, Mat, Mat) {
    let some = |n, seed| Mat::random(n, k, seed).map(|v| v + 0.2);
    let (product, noise) =
        (some(rows, seed).times_transposed(&some(cols, seed + 1)), Mat::random(rows, cols, seed));
    let x = Mat::from_fn(rows, cols, |i, j| product.get(i, j) + 0.05 * noise.get(i, j));
    (x, some(rows, seed + 2), some(cols, seed + 3))
}

fn problems() -> [(Mat, Mat, Mat); 2] {
    [problem(41, 13, 3, 1), problem(12, 38, 3, 5)]
}

#[test]
fn o01_at_a_stationary_point_rows_and_columns_of_every_loss_balance() {
    let mut tried = 0;
    for (loss, rule) in losses().filter(|(_, rule)| *rule != Rule::Als) {
        for (rows, cols) in [(9, 7), (6, 10)] {
            let (x, w, h) = problem(rows, cols, 2, 11);
            let end = Options { tol: 1e-8, ..from_start::<f64>((loss, rule), (&w, &h), 200_000) };
            let found = fit(data(&x, Kind::RowMajor, Weights::default()), &end).unwrap();
            let what = format!("{loss} {rule} {rows}×{cols}");
            assert_eq!(found.status, Status::Converged, "{what} {}", found.kkt.residual());
            tried += 1;
            let (w, h) = (wide(&found.w), wide(&found.h));
            Problem::new(&x, loss).assert_reported(&found, 1e-8, &what);
            let q = w.times_transposed(&h);
            let turned = (x.transposed(), q.transposed());
            for ((x, q), rho) in [((x, q), found.kkt.w), (turned, found.kkt.h)] {
                let (mut off, mut all) = (0.0, 0.0);
                for i in 0..x.rows {
                    let entries = || x.row(i).iter().zip(q.row(i));
                    let part = |x: f64, q: f64| match loss.delta() {
                        Some(delta) => (delta / (x - q).abs()).min(1.0),
                        None => q.powf(loss.degree() - 2.0),
                    };
                    let own: f64 = entries().map(|(x, q)| q * q * part(*x, *q)).sum();
                    let given: f64 = entries().map(|(x, q)| x * q * part(*x, *q)).sum();
                    off += (own - given).abs();
                    all += own;
                }
                // Σ_i |Σ_t w(den − num)| ≤ ρ Σ w·den = ρ Σ q·weight(q).
                assert!(off <= 1.01 * rho * all + 1e-12 * all, "{what}: {off:e} {all:e} {rho:e}");
            }
        }
    }
    assert!(tried >= 20, "{tried}");
}

fn sums(x: &Mat) -> Vec<f64> {
    (0..x.rows).map(|i| x.row(i).iter().sum()).collect()
}

#[track_caller]
fn assert_same_sums(x: &Mat, q: &Mat, allowed: f64, what: &str) {
    for (i, (x, q)) in sums(x).into_iter().zip(sums(q)).enumerate() {
        assert!((x - q).abs() <= allowed * x, "{what}, row {i}: {x} {q}");
    }
}

fn keeps_sums<T: Scalar>() {
    let by = (Loss::KL, Rule::Mu);
    for x in [Mat::sparse(37, 12, 0.5, 3), Mat::sparse(11, 40, 0.5, 4)] {
        let x = x.map(|v| T::from_f64(v).to_f64());
        let (w, h) = (Mat::random(x.rows, 4, 5), Mat::random(x.cols, 4, 6));
        for kind in Kind::ALL {
            // The longer side is streamed and improved first, so the shorter one is improved last.
            for max_iter in [1, 2, 5] {
                let options = from_start::<T>(by, (&w, &h), max_iter);
                let found = fit(data(&x, kind, Weights::default()), &options).unwrap();
                let q = wide(&found.w).times_transposed(&wide(&found.h));
                let (x, q) =
                    if x.rows > x.cols { (x.transposed(), q.transposed()) } else { (x.clone(), q) };
                let what = format!("{kind:?} {max_iter} {}", T::NAME);
                assert_same_sums(&x, &q, 30.0 * 2.0 * T::ROUNDOFF, &what);
            }
            for fixed in [Side::Rows, Side::Columns] {
                let options = from_start::<T>(by, (&w, &h), 2);
                let options = Options { fixed: Some(fixed), ..options };
                let found = fit(data(&x, kind, Weights::default()), &options).unwrap();
                let q = wide(&found.w).times_transposed(&wide(&found.h));
                let turned = fixed == Side::Rows;
                let (x, q) = if turned { (x.transposed(), q.transposed()) } else { (x.clone(), q) };
                let what = format!("{kind:?} {fixed:?} held {}", T::NAME);
                assert_same_sums(&x, &q, 30.0 * 2.0 * T::ROUNDOFF, &what);
            }
        }
    }
}

#[test]
fn o02_a_multiplicative_half_step_of_kl_reproduces_the_sums_of_x() {
    keeps_sums::<f64>();
    keeps_sums::<f32>();
}

#[test]
fn o05_rank_one_of_kl_is_the_product_of_the_sums_from_any_start() {
    for rule in [Rule::Mu, Rule::Sn] {
        for (rows, cols) in [(14, 9), (9, 14)] {
            for seed in 0..3 {
                let x = Mat::sparse(rows, cols, 0.5, seed);
                let (r, c) = (sums(&x), sums(&x.transposed()));
                let total: f64 = r.iter().sum();
                let best = Mat::from_fn(rows, cols, |i, j| r[i] * c[j] / total);
                for kind in Kind::ALL {
                    let base = options::<f64>(1, rule);
                    let options = Options { loss: Loss::KL, seed, tol: 1e-14, ..base };
                    let found = fit(data(&x, kind, Weights::default()), &options).unwrap();
                    let q = wide(&found.w).times_transposed(&wide(&found.h));
                    let apart = distance(&best, &q);
                    assert!(apart < 1e-12, "{rule} {kind:?} {seed}: {apart:e} {}", found.status);
                    assert!(found.iterations < 20, "{rule}: {}", found.iterations);
                }
            }
        }
    }
}

fn scales_exactly<T: Scalar>(exponents: &[i32]) {
    let exact = |(loss, _): &(Loss, Rule)| [0.0, 1.0, 2.0].contains(&loss.degree());
    for (x, w, h) in problems() {
        let round = |m: &Mat| m.map(|v| T::from_f64(v).to_f64());
        let (x, w, h) = (round(&x), round(&w), round(&h));
        for by in losses().filter(exact) {
            let base = run::<T>(&x, by, (&w, &h), 12);
            for &j in exponents {
                let (square, root) = (4f64.powi(j), 2f64.powi(j));
                let times = |m: &Mat, s: f64| m.map(|v| v * s);
                let start = (&times(&w, root), &times(&h, root));
                let there = (crate::reference::times(by.0, square), by.1);
                let found = run::<T>(&times(&x, square), there, start, 12);
                let what = format!("{} {} {} 4^{j}", by.0, by.1, T::NAME);
                for (a, b) in [(&found.w, &base.w), (&found.h, &base.h)] {
                    assert_eq!(wide(a), times(&wide(b), root), "{what}");
                }
                assert_eq!(found.kkt, base.kkt, "{what}");
                let unit = square.powf(by.0.degree());
                let apart = (found.divergence / unit / base.divergence - 1.0).abs();
                assert!(apart < 1e-5 && apart < 4e3 * T::ROUNDOFF, "{what}: {apart:e}");
            }
        }
    }
}

#[test]
fn o15_scaling_by_powers_of_four_scales_factors_bit_for_bit_where_powers_are_exact() {
    scales_exactly::<f64>(&[-100, -37, -10, -1, 1, 9, 11, 100]);
    scales_exactly::<f32>(&[-50, -10, -1, 1, 9, 11, 50]);
}

#[test]
fn o15_l18_tiny_and_huge_x_is_fitted_like_x_under_every_loss() {
    // Other scales than powers of two round X afresh, which projected gradients amplify; those of
    // Frobenius are in `metamorphic`.
    for by in losses().filter(|(loss, _)| *loss != Loss::FROBENIUS) {
        let (loss, rule) = by;
        for (x, ..) in problems() {
            let of = |c: f64| {
                let (loss, base) = (times(loss, c), options::<f64>(3, rule));
                let options = Options { loss, max_iter: 10, tol: 0.0, ..base };
                fit(data(&x.map(|v| v * c), Kind::RowMajor, Weights::default()), &options).unwrap()
            };
            let base = of(1.0);
            for c in [1e-8, 1e-12, 1e-100, 1e9, 1e60] {
                let found = of(c);
                let what = format!("{loss} {rule} {c:e}");
                let apart =
                    (found.divergence / c.powf(loss.degree()) / base.divergence - 1.0).abs();
                // β = 3 at 1e-100 is 1e-300, at the end of what f64 holds.
                assert!(apart < 1e-9, "{what}: {} {}", found.divergence, base.divergence);
                let (q, p) = (
                    wide(&found.w).times_transposed(&wide(&found.h)).map(|v| v / c),
                    wide(&base.w).times_transposed(&wide(&base.h)),
                );
                assert!(distance(&q, &p) < 1e-9, "{what}: {:e}", distance(&q, &p));
            }
        }
    }
}

#[test]
fn l18_single_precision_fits_tiny_x_like_x_under_kl_is_and_huber() {
    let in_single = |loss: Loss| loss == Loss::KL || loss == Loss::IS || loss.delta().is_some();
    for by in losses().filter(|by| in_single(by.0)) {
        let (x, ..) = &problems()[0];
        let of = |c: f64| {
            let options =
                Options { loss: times(by.0, c), max_iter: 300, ..options::<f32>(3, by.1) };
            fit(data(&x.map(|v| v * c), Kind::RowMajor, Weights::default()), &options).unwrap()
        };
        let base = of(1.0);
        for c in [1e-8, 1e-12, 1e-30] {
            let found = of(c);
            let apart = (found.divergence / c.powf(by.0.degree()) / base.divergence - 1.0).abs();
            assert!(apart < 1e-3, "{} {} {c:e}: {apart:e}", by.0, by.1);
        }
    }
}

#[test]
fn o16_permuting_rows_columns_and_components_permutes_the_factors() {
    for (x, w, h) in problems() {
        let mut rng = Lcg::new(9);
        let (rows, cols) = (rng.shuffled(x.rows), rng.shuffled(x.cols));
        // Those of Frobenius are in `metamorphic`.
        for by in losses().filter(|(loss, _)| *loss != Loss::FROBENIUS) {
            // Coordinate descent visits components in order, so it takes another path.
            let in_order = by.1 == Rule::Sn;
            let parts = if in_order { [0, 1, 2] } else { [2, 0, 1] };
            let base = run::<f64>(&x, by, (&w, &h), 8);
            let (pw, ph) = (w.permuted(&rows, &parts), h.permuted(&cols, &parts));
            let found = run::<f64>(&x.permuted(&rows, &cols), by, (&pw, &ph), 8);
            let apart = distance(&wide(&found.w), &wide(&base.w).permuted(&rows, &parts))
                .max(distance(&wide(&found.h), &wide(&base.h).permuted(&cols, &parts)));
            assert!(apart < 1e-10, "{} {}: {apart:e}", by.0, by.1);
        }
    }
}

#[test]
fn o17_the_transpose_has_the_factors_exchanged_bit_for_bit_under_every_loss() {
    for (x, w, h) in problems() {
        for by in losses() {
            let base = run::<f64>(&x, by, (&w, &h), 12);
            let turned = run::<f64>(&x.transposed(), by, (&h, &w), 12);
            let what = format!("{} {}", by.0, by.1);
            assert_eq!(factor_bits(&base.w), factor_bits(&turned.h), "{what}");
            assert_eq!(factor_bits(&base.h), factor_bits(&turned.w), "{what}");
            assert_eq!((base.kkt.w, base.kkt.h_zeros), (turned.kkt.h, turned.kkt.w_zeros));
            assert_eq!(base.divergence.to_bits(), turned.divergence.to_bits(), "{what}");
        }
    }
}

#[test]
fn o18_l02_l03_appended_zero_rows_and_columns_append_zeros_under_every_loss() {
    for (x, w, h) in problems() {
        let inside = |f: &Mat, i: usize, j: usize, or: f64| {
            if i < f.rows && j < f.cols { f.get(i, j) } else { or }
        };
        let larger = Mat::from_fn(x.rows + 2, x.cols + 1, |i, j| inside(&x, i, j, 0.0));
        let (lw, lh) = (
            Mat::from_fn(x.rows + 2, 3, |i, t| inside(&w, i, t, 0.7)),
            Mat::from_fn(x.cols + 1, 3, |i, t| inside(&h, i, t, 0.7)),
        );
        for by in losses().filter(|(loss, _)| !loss.forbids_zeros() && *loss != Loss::FROBENIUS) {
            let base = run::<f64>(&x, by, (&w, &h), 8);
            for kind in [Kind::RowMajor, Kind::Csr] {
                let options = from_start::<f64>(by, (&lw, &lh), 8);
                let found = fit(data(&larger, kind, Weights::default()), &options).unwrap();
                let what = format!("{} {} {kind:?}", by.0, by.1);
                assert_sound(&found, &what);
                for (f, base) in [(&found.w, &base.w), (&found.h, &base.h)] {
                    let (f, base) = (wide(f), wide(base));
                    let head = Mat::from_fn(base.rows, 3, |i, t| f.get(i, t));
                    let apart = distance(&head, &base);
                    assert!(apart < 1e-10, "{what}: {apart:e}");
                    assert!(f.values[base.rows * 3..].iter().all(|&v| v == 0.0), "{what}");
                }
                let has = |f: fn(&Warning) -> bool| found.warnings.iter().any(f);
                assert!(has(|w| matches!(w, Warning::ZeroRows { count: 2, .. })), "{what}");
                assert!(has(|w| matches!(w, Warning::ZeroColumns { count: 1, .. })), "{what}");
            }
        }
    }
}
