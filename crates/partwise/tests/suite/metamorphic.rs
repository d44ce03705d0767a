//! What must happen to the factors when X, its storage or the start is changed in a known way.

use crate::common::*;
use partwise::{Factor, Fit, Options, Rule, Scalar, Side, Start, fit, transform};

/// A fit from a given start, for a given number of iterations.
fn from_start<T: Scalar>(x: &Mat, w: &Mat, h: &Mat, rule: Rule, max_iter: usize) -> Fit<T> {
    let (start_w, start_h) = (Some(w.factor()), Some(h.factor()));
    let base = options(w.cols, rule);
    let options = Options { w: start_w, h: start_h, sweeps: Some(3), max_iter, tol: 0.0, ..base };
    fit(x.dense::<T>(), &options).unwrap()
}

/// Tall and wide, without zeros.
fn problems() -> [(Mat, Mat, Mat); 2] {
    let of = |m, n, seed| {
        (Mat::random(m, n, seed), Mat::random(m, 3, seed + 1), Mat::random(n, 3, seed + 2))
    };
    [of(45, 14, 1), of(13, 40, 4)]
}

fn scales_exactly<T: Scalar>(exponents: &[i32]) {
    for (x, w, h) in problems() {
        // Rounded to T first: a power of two changes no bit of what is left.
        let round = |m: &Mat| m.map(|v| T::from_f64(v).to_f64());
        let (x, w, h) = (round(&x), round(&w), round(&h));
        for rule in rules() {
            let base = from_start::<T>(&x, &w, &h, rule, 25);
            for &j in exponents {
                let (square, root) = (4f64.powi(j), 2f64.powi(j));
                let times = |m: &Mat, s: f64| m.map(|v| v * s);
                let found = from_start::<T>(
                    &times(&x, square),
                    &times(&w, root),
                    &times(&h, root),
                    rule,
                    25,
                );
                for (a, b) in [(&found.w, &base.w), (&found.h, &base.h)] {
                    assert_eq!(wide(a), times(&wide(b), root), "{rule} {} 4^{j}", T::NAME);
                }
                // Beyond 2^20 the residual is summed by another loop.
                let error = found.relative_error / base.relative_error - 1.0;
                assert!(error.abs() < 4.0 * T::ROUNDOFF, "{rule} 4^{j}: {error:e}");
                assert_eq!(found.kkt, base.kkt, "{rule} 4^{j}");
                assert_eq!(found.status, base.status, "{rule} 4^{j}");
            }
        }
    }
}

#[test]
fn o15_scaling_by_powers_of_four_scales_factors_bit_for_bit() {
    scales_exactly::<f64>(&[-100, -99, -37, -10, -1, 1, 9, 10, 11, 64, 100]);
    // 4^±55 = 2^±110 leaves room for the values themselves within 2^±126.
    scales_exactly::<f32>(&[-55, -37, -10, -1, 1, 9, 10, 11, 55]);
}

/// Fits from a start with this many iterations of `x` by 4^j and of both factors by 2^j.
fn scales_from<T: Scalar>(
    x: &Mat,
    start: (&Mat, &Mat),
    (kind, rule, max_iter): (Kind, Rule, usize),
    exponents: &[i32],
) {
    let round = |m: &Mat| m.map(|v| T::from_f64(v).to_f64());
    let (x, w, h) = (round(x), round(start.0), round(start.1));
    let of = |j: i32| {
        let (square, root) = (4f64.powi(j), 2f64.powi(j));
        let times = |f: &Mat| Some(f.map(|v| v * root).factor());
        let base = options::<T>(w.cols, rule);
        let options = Options { w: times(&w), h: times(&h), max_iter, tol: 0.0, ..base };
        let found = fit(x.map(|v| v * square).input::<T>(kind), &options).unwrap();
        let back = |f: &Factor<T>| wide(f).map(|v| v / root);
        (back(&found.w), back(&found.h), found.warnings)
    };
    let base = of(0);
    for &j in exponents {
        assert_eq!(of(j), base, "{rule} {} {kind:?} 4^{j}", T::NAME);
    }
}

#[test]
fn o15_sparse_matrices_scale_bit_for_bit() {
    for (m, n) in [(90, 33), (33, 90)] {
        let x = Mat::sparse(m, n, 0.2, 1);
        let (w, h) = (Mat::random(m, 3, 2), Mat::random(n, 3, 3));
        for rule in rules() {
            for kind in [Kind::Csr, Kind::Csc] {
                scales_from::<f64>(&x, (&w, &h), (kind, rule, 12), &[-90, -11, -1, 2, 11, 90]);
                scales_from::<f32>(&x, (&w, &h), (kind, rule, 12), &[-50, -11, 3, 11, 50]);
            }
        }
    }
}

#[test]
fn o15_components_that_are_started_again_scale_bit_for_bit() {
    // Dead from the start, and more of them than X has rows.
    let x = Mat::random(12, 4, 1);
    let (w, h) = (Mat::random(12, 6, 2), Mat::random(4, 6, 3));
    let dead = Mat::from_fn(12, 6, |i, t| if t < 2 { 0.0 } else { w.get(i, t) });
    for rule in rules() {
        for w in [&w, &dead] {
            for kind in [Kind::RowMajor, Kind::Csr] {
                scales_from::<f64>(&x, (w, &h), (kind, rule, 40), &[-30, -2, 5, 30]);
                scales_from::<f32>(&x, (w, &h), (kind, rule, 40), &[-30, -2, 5, 30]);
            }
        }
    }
}

#[test]
fn o15_random_and_nndsvd_starts_scale_with_x_bit_for_bit() {
    for (x, ..) in problems() {
        for rule in rules() {
            for init in [Start::Random, Start::Nndsvd, Start::Nndsvda, Start::Nndsvdar] {
                let of = |x: Mat| {
                    let options = Options { init, max_iter: 10, tol: 0.0, ..options(3, rule) };
                    fit(x.dense::<f64>(), &options).unwrap()
                };
                let base = of(x.clone());
                for j in [-70, -3, 3, 70] {
                    let found = of(x.map(|v| v * 4f64.powi(j)));
                    let want = wide(&base.w).map(|v| v * 2f64.powi(j));
                    assert_eq!(wide(&found.w), want, "{rule} {init} 4^{j}");
                }
            }
        }
    }
}

#[test]
fn o15_scaling_a_component_of_the_start_scales_that_component() {
    // W·D and H·D⁻¹ are the same model; every rule but PGD, whose step is not free of scale, must
    // take the same path.
    let (x, w, h) = &problems()[0];
    for rule in [Rule::Hals, Rule::Mu, Rule::Bpp, Rule::Als] {
        let d = [1.0 / 64.0, 1.0, 1024.0];
        let base = from_start::<f64>(x, w, h, rule, 10);
        let turned = from_start::<f64>(
            x,
            &Mat::from_fn(w.rows, 3, |i, t| w.get(i, t) * d[t]),
            &Mat::from_fn(h.rows, 3, |j, t| h.get(j, t) / d[t]),
            rule,
            10,
        );
        let apart = product_distance(&base, &turned);
        assert!(apart < 1e-11, "{rule}: {apart:e}");
    }
}

#[test]
fn o16_permuting_rows_and_columns_permutes_the_factors() {
    for (x, w, h) in problems() {
        let mut rng = Lcg::new(9);
        let (rows, cols) = (rng.shuffled(x.rows), rng.shuffled(x.cols));
        let all = [0, 1, 2];
        for rule in rules() {
            let base = from_start::<f64>(&x, &w, &h, rule, 10);
            let (pw, ph) = (w.permuted(&rows, &all), h.permuted(&cols, &all));
            let found = from_start::<f64>(&x.permuted(&rows, &cols), &pw, &ph, rule, 10);
            let apart = distance(&wide(&found.w), &wide(&base.w).permuted(&rows, &all))
                .max(distance(&wide(&found.h), &wide(&base.h).permuted(&cols, &all)));
            // Sums in another order; ten iterations amplify that by a little each.
            assert!(apart < 1e-10, "{rule}: {apart:e}");
        }
    }
}

#[test]
fn o16_permuting_the_components_of_the_start_permutes_those_of_the_result() {
    let (x, w, h) = &problems()[0];
    let order = [2, 0, 1];
    let (rows, cols): (Vec<usize>, Vec<usize>) = ((0..x.rows).collect(), (0..x.cols).collect());
    // Coordinate descent visits components in order, so HALS takes another path.
    for rule in [Rule::Mu, Rule::Bpp, Rule::Als, Rule::Pgd] {
        let base = from_start::<f64>(x, w, h, rule, 10);
        let (pw, ph) = (w.permuted(&rows, &order), h.permuted(&cols, &order));
        let found = from_start::<f64>(x, &pw, &ph, rule, 10);
        let apart = distance(&wide(&found.w), &wide(&base.w).permuted(&rows, &order));
        assert!(apart < 1e-10, "{rule}: {apart:e}");
    }
}

#[test]
fn o17_the_transpose_has_the_factors_exchanged_bit_for_bit() {
    for (x, w, h) in problems() {
        for rule in rules() {
            let base = from_start::<f64>(&x, &w, &h, rule, 25);
            let turned = from_start::<f64>(&x.transposed(), &h, &w, rule, 25);
            assert_eq!(factor_bits(&base.w), factor_bits(&turned.h), "{rule}");
            assert_eq!(factor_bits(&base.h), factor_bits(&turned.w), "{rule}");
            let same = base.history.iter().zip(&turned.history);
            assert!(same.into_iter().all(|(a, b)| a.objective == b.objective), "{rule}");
            assert_eq!((base.kkt.w, base.kkt.h_zeros), (turned.kkt.h, turned.kkt.w_zeros));
        }
    }
}

#[test]
fn o17_random_starts_and_those_from_the_singular_vectors_are_exchanged_too() {
    for (x, ..) in problems() {
        for rule in rules() {
            for init in [Start::Random, Start::Nndsvd, Start::Nndsvda, Start::Nndsvdar] {
                let options = Options { init, max_iter: 8, tol: 0.0, ..options(3, rule) };
                let plain = fit(x.dense::<f64>(), &options).unwrap();
                let turned = fit(x.transposed().dense::<f64>(), &options).unwrap();
                assert_eq!(factor_bits(&plain.w), factor_bits(&turned.h), "{rule} {init}");
            }
        }
    }
}

#[test]
fn o18_appended_zero_rows_and_columns_append_zeros() {
    for (x, w, h) in problems() {
        let (m, n) = (x.rows, x.cols);
        let or_zero = |f: &Mat, i: usize, j: usize| {
            if i < f.rows && j < f.cols { f.get(i, j) } else { 0.0 }
        };
        let larger = Mat::from_fn(m + 2, n + 3, |i, j| or_zero(&x, i, j));
        let taller = |f: &Mat, by: usize| {
            Mat::from_fn(f.rows + by, 3, |i, t| if i < f.rows { f.get(i, t) } else { 0.7 })
        };
        for rule in rules() {
            let base = from_start::<f64>(&x, &w, &h, rule, 10);
            let found = from_start::<f64>(&larger, &taller(&w, 2), &taller(&h, 3), rule, 10);
            for (f, base) in [(&found.w, &base.w), (&found.h, &base.h)] {
                let (f, base) = (wide(f), wide(base));
                let head = Mat::from_fn(base.rows, 3, |i, t| f.get(i, t));
                // Rows are cut elsewhere, so sums are in another order.
                assert!(distance(&head, &base) < 1e-11, "{rule}");
                assert!(f.values[base.rows * 3..].iter().all(|&v| v == 0.0), "{rule}");
            }
        }
    }
}

#[test]
fn o18_a_row_given_twice_counts_twice() {
    let (x, w, h) = &problems()[0];
    // W fixed: H for X with every row twice is H for X.
    let double = |m: &Mat| Mat::from_fn(2 * m.rows, m.cols, |i, j| m.get(i / 2, j));
    for rule in [Rule::Hals, Rule::Bpp, Rule::Pgd] {
        let of = |x: &Mat, w: &Mat| {
            let (w, h) = (Some(w.factor()), Some(h.factor()));
            let fixed = Some(Side::Rows);
            let base = options(3, rule);
            let options = Options { w, h, fixed, tol: 1e-13, max_iter: 20_000, ..base };
            wide(&fit(x.dense::<f64>(), &options).unwrap().h)
        };
        let apart = distance(&of(x, w), &of(&double(x), &double(w)));
        assert!(apart < 1e-8, "{rule}: {apart:e}");
    }
}

#[test]
fn o14_a_fit_with_one_factor_fixed_is_the_exact_least_squares_fit() {
    for (x, w, h) in problems() {
        let exact = transform(x.dense::<f64>(), &h.factor(), &on_threads(1)).unwrap();
        for rule in [Rule::Hals, Rule::Bpp, Rule::Pgd, Rule::Mu] {
            let base = Options { tol: 1e-12, max_iter: 50_000, ..options(3, rule) };
            let held = Options { h: Some(h.factor()), fixed: Some(Side::Columns), ..base };
            for w in [Some(w.factor()), None] {
                let given = w.is_some();
                let found = fit(x.dense::<f64>(), &Options { w, ..held.clone() }).unwrap();
                assert_eq!(wide(&found.h), h, "{rule}: H was to be kept");
                // MU approaches a zero like 1/iterations, so entries at zero are short of it.
                let allowed = if rule == Rule::Mu && given { 1e-5 } else { 1e-9 };
                let apart = distance(&wide(&found.w), &wide(&exact));
                assert!(apart < allowed, "{rule} {given}: {apart:e}");
            }
        }
    }
}

#[test]
fn a_fixed_factor_is_kept_to_the_bit_on_either_side() {
    for (x, w, h) in problems() {
        for rule in rules() {
            for (fixed, kept) in [(Side::Rows, &w), (Side::Columns, &h)] {
                let given: Option<Factor<f64>> = Some(kept.factor());
                let base = Options { fixed: Some(fixed), max_iter: 20, ..options(3, rule) };
                let options = match fixed {
                    Side::Rows => Options { w: given, ..base },
                    Side::Columns => Options { h: given, ..base },
                };
                let found = fit(x.map(|v| v * 3e200).dense::<f64>(), &options).unwrap();
                let back = if fixed == Side::Rows { &found.w } else { &found.h };
                assert_eq!(&wide(back), kept, "{rule}");
                assert_sound(&found, rule.name());
            }
        }
    }
}
