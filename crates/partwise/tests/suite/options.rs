//! Rows of the torture list about shapes, ranks, starts and stopping.

use crate::common::*;
use partwise::{Dense, Error, Loss, Options, Order, Rule, Side, Start, Status, Warning, fit};

fn refused(options: &Options<f64>) -> Error {
    fit(Mat::random(6, 5, 1).dense::<f64>(), options).unwrap_err()
}

#[test]
fn l21_l38_options_out_of_range_are_named_with_their_value() {
    let base = options(2, Rule::Hals);
    let cases: [(Options<f64>, &str); 7] = [
        (Options { rank: 0, ..base.clone() }, "rank = 0"),
        (Options { n_init: 0, ..base.clone() }, "n_init = 0"),
        (Options { sweeps: Some(0), ..base.clone() }, "sweeps = 0"),
        (Options { tol: -1e-9, ..base.clone() }, "tol = -0.000000001"),
        (Options { tol: f64::NAN, ..base.clone() }, "tol = NaN"),
        (Options { tol: f64::INFINITY, ..base.clone() }, "tol = inf"),
        (Options { tol: f64::NEG_INFINITY, ..base }, "tol = -inf"),
    ];
    for (options, words) in cases {
        let error = refused(&options);
        assert!(matches!(error, Error::Option { .. }), "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
    for name in ["", "nope"] {
        let error = name.parse::<Rule>().unwrap_err().to_string();
        assert!(error.contains(&format!("'{name}'")) && error.contains("hals, mu, bpp"), "{error}");
    }
    assert_eq!("HALS".parse::<Rule>(), Ok(Rule::Hals));
    assert!(Rule::ALL.iter().all(|r| r.name().parse::<Rule>() == Ok(*r)));
    assert!(Start::ALL.iter().all(|s| s.name().parse::<Start>() == Ok(*s)));
}

#[test]
fn l22_rank_one_runs_for_every_rule_and_start() {
    let x = Mat::random(7, 5, 2);
    for rule in rules() {
        for &init in Start::ALL {
            let found = fit(x.dense::<f64>(), &Options { init, ..options(1, rule) }).unwrap();
            assert_eq!((found.w.cols(), found.h.cols()), (1, 1));
            assert_eq!(found.status, Status::Converged, "{rule} {init}");
        }
    }
}

#[test]
fn l23_as_many_components_as_rows_and_more_fit_closely_with_a_remark() {
    let x = Mat::random(20, 15, 3);
    for (k, max_iter) in [(15, 50), (16, 50), (20, 50), (40, 600), (301, 20)] {
        for &init in Start::ALL {
            let base = options(k, Rule::Hals);
            let options = Options { init, max_iter, tol: 0.0, ..base };
            let found = fit(x.dense::<f64>(), &options).unwrap();
            assert_sound(&found, init.name());
            let remark = Warning::RankAboveShape { rank: k, rows: 20, cols: 15 };
            assert_eq!(found.warnings.contains(&remark), k > 15, "{k}");
            // At k = 15 … 20 an exact fit exists too, but descent may end in another minimum.
            if k == 40 {
                assert!(found.relative_error < 1e-6, "{k} {init}: {:e}", found.relative_error);
            }
        }
    }
}

#[test]
fn l24_a_rank_beyond_the_limit_is_refused_with_figures_before_it_is_allocated() {
    let x = Mat::random(100, 50, 1);
    let options = Options { memory_limit: Some(8 << 30), ..options(1_000_000_000, Rule::Hals) };
    let error = fit(x.dense::<f64>(), &options).unwrap_err();
    let Error::Memory { needed, limit, .. } = &error else { panic!("{error}") };
    assert!(*needed >= 100 * 1_000_000_000 * 8 && *limit == 8 << 30);
    assert!(error.to_string().contains("8589934592"), "{error}");
}

#[test]
fn l25_empty_shapes_are_named() {
    for (rows, cols) in [(0, 5), (5, 0), (0, 0)] {
        let x = Dense::<f64>::new(rows, cols, Order::RowMajor, vec![]).unwrap();
        let error = fit(x, &options(2, Rule::Hals)).unwrap_err();
        assert_eq!(error, Error::Empty { rows, cols });
        assert!(error.to_string().contains(&format!("{rows} × {cols}")), "{error}");
    }
}

#[test]
fn strides_outside_the_values_are_refused_with_all_figures() {
    let values = [1.0; 12];
    let of = |shape, strides, offset| Dense::with_strides(shape, strides, offset, &values[..]);
    assert!(of((3, 4), (4, 1), 0).is_ok() && of((3, 4), (-4, -1), 11).is_ok());
    assert!(of((1000, 1000), (0, 0), 11).is_ok(), "one value everywhere");
    for (shape, strides, offset) in [
        ((3, 5), (4, 1), 0),
        ((3, 4), (4, 1), 1),
        ((3, 4), (-4, 1), 7),
        ((3, 4), (isize::MAX, 1), 0),
        ((3, 4), (isize::MIN, isize::MIN), 11),
        ((usize::MAX, 2), (1, 1), 0),
        ((1, 1), (0, 0), 12),
        ((1, 1), (0, 0), usize::MAX),
    ] {
        let error = of(shape, strides, offset).unwrap_err();
        assert!(matches!(error, Error::Strides { len: 12, .. }), "{shape:?} {strides:?}");
        assert!(error.to_string().contains("12 values"), "{error}");
    }
    assert!(Dense::new(3, 5, Order::ColumnMajor, &values[..]).is_err());
}

#[test]
fn l26_l27_l29_l31_small_and_special_matrices_are_matched_exactly() {
    let identity = Mat::from_fn(6, 6, |i, j| f64::from(i == j));
    let diagonal = Mat::from_fn(5, 5, |i, j| if i == j { 1.0 + i as f64 } else { 0.0 });
    let cases = [
        ("1 × 1", Mat::new(1, 1, vec![3.0]), 1),
        ("1 × n", Mat::random(1, 9, 1), 1),
        ("m × 1", Mat::random(9, 1, 2), 1),
        ("1 × n, k = 2", Mat::random(1, 9, 3), 2),
        ("constant", Mat::new(4, 7, vec![2.5; 28]), 1),
        ("identical rows", Mat::from_fn(5, 4, |_, j| 1.0 + j as f64), 1),
        ("identity", identity.clone(), 6),
        ("permutation", identity.permuted(&[3, 1, 5, 0, 2, 4], &[0, 1, 2, 3, 4, 5]), 6),
        ("diagonal", diagonal, 5),
    ];
    for (name, x, k) in cases {
        for rule in [Rule::Hals, Rule::Bpp, Rule::Pgd] {
            for kind in Kind::ALL {
                let base = options(k, rule);
                let n_init = if k > 2 { 20 } else { 1 };
                let options = Options { tol: 1e-10, max_iter: 3000, n_init, ..base };
                let found = fit(x.input::<f64>(kind), &options).unwrap();
                assert_sound(&found, name);
                let error = (2.0 * objective(&x, &found) / x.norm_sq()).sqrt();
                assert!(error < 1e-7, "{name} {rule} {kind:?}: {error:e}");
            }
        }
    }
}

#[test]
fn l28_l30_components_that_x_does_not_need_are_harmless() {
    let single = Mat::from_fn(6, 5, |i, j| if (i, j) == (2, 3) { 7.0 } else { 0.0 });
    let repeated = Mat::from_fn(8, 6, |i, j| (1.0 + i as f64) * (1.0 + (j / 2) as f64));
    for x in [single, repeated] {
        for rule in rules() {
            let found = fit(x.dense::<f64>(), &options(4, rule)).unwrap();
            assert_sound(&found, rule.name());
            let error = (2.0 * objective(&x, &found) / x.norm_sq()).sqrt();
            // MU and ALS approach a boundary slowly and stop at a KKT residual of 1e-4 on the way.
            let allowed = if matches!(rule, Rule::Mu | Rule::Als) { 1e-2 } else { 1e-3 };
            assert!(error < allowed, "{rule}: {error:e}");
        }
    }
}

#[test]
fn l35_a_bad_start_is_named_with_factor_place_and_expected_shape() {
    let (w, h) = (Mat::random(6, 2, 1), Mat::random(5, 2, 2));
    let base = options(2, Rule::Hals);
    for (value, shown) in [(f64::NAN, "NaN"), (-0.5, "-0.5"), (f64::INFINITY, "inf")] {
        let mut bad = h.clone();
        bad.values[3 * 2 + 1] = value;
        let error = refused(&Options { h: Some(bad.factor()), ..base.clone() });
        assert!(matches!(error, Error::Start { what: "H", row: 3, col: 1, .. }), "{error}");
        assert!(error.to_string().contains(&format!("H[3, 1] = {shown}")), "{error}");
    }
    let turned = refused(&Options { w: Some(w.transposed().factor()), ..base.clone() });
    let expected = Error::Shape { what: "W", found_rows: 2, found_cols: 6, rows: 6, cols: 2 };
    assert_eq!(turned, expected);
    assert!(turned.to_string().contains("W is 2 × 6, expected 6 × 2"), "{turned}");
    let zero = Mat::new(6, 2, vec![0.0; 12]);
    let error = refused(&Options { w: Some(zero.factor()), ..base.clone() });
    assert_eq!(error, Error::ZeroStart { what: "W" });
    for (fixed, what) in [(Side::Rows, "W"), (Side::Columns, "H")] {
        let error = refused(&Options { fixed: Some(fixed), ..base.clone() });
        assert!(matches!(error, Error::MissingFactor { what: w, .. } if w == what), "{error}");
    }
    let many = Options { n_init: 3, w: Some(w.factor()), ..base.clone() };
    assert!(matches!(refused(&many), Error::Conflict { .. }));
    let same = Options { n_init: 3, init: Start::Nndsvd, ..base };
    assert!(refused(&same).to_string().contains("n_init = 3"));
}

#[test]
fn l37_zeros_of_a_start_are_locked_under_mu_and_nowhere_else() {
    let x = Mat::random(6, 5, 4);
    let mut w = Mat::random(6, 2, 1);
    w.values[3] = 0.0;
    w.values[8] = 0.0;
    for rule in rules() {
        let (w, h) = (Some(w.factor()), Some(Mat::random(5, 2, 2).factor()));
        let found = fit(x.dense::<f64>(), &Options { w, h, ..options(2, rule) }).unwrap();
        let locked = found.warnings.contains(&Warning::LockedZeros { count: 2, rule: "mu" });
        assert_eq!(locked, rule == Rule::Mu, "{rule}: {:?}", found.warnings);
        if locked {
            assert_eq!((found.w.get(1, 1), found.w.get(4, 0)), (0.0, 0.0));
        }
        let random = fit(x.dense::<f64>(), &options(2, rule)).unwrap();
        let any = random.warnings.iter().any(|w| matches!(w, Warning::LockedZeros { .. }));
        assert!(!any, "random starts have no zeros");
    }
}

#[test]
fn l38_a_tolerance_of_zero_runs_to_the_last_iteration() {
    let x = Mat::random(12, 9, 1);
    for rule in rules() {
        let found = fit(x.dense::<f64>(), &Options { tol: 0.0, max_iter: 17, ..options(3, rule) });
        let found = found.unwrap();
        assert_eq!((found.status, found.iterations), (Status::MaxIter, 17), "{rule}");
    }
}

#[test]
fn l39_no_iterations_return_the_start_with_its_true_objective() {
    let (x, w, h) = (Mat::random(9, 6, 1), Mat::random(9, 3, 2), Mat::random(6, 3, 3));
    for rule in rules() {
        let (start_w, start_h) = (Some(w.factor()), Some(h.factor()));
        let options = Options { w: start_w, h: start_h, max_iter: 0, ..options(3, rule) };
        let found = fit(x.dense::<f64>(), &options).unwrap();
        assert_eq!((found.status, found.iterations), (Status::MaxIter, 0), "{rule}");
        assert_eq!((wide(&found.w), wide(&found.h)), (w.clone(), h.clone()), "{rule}");
        let truth = objective(&x, &found);
        assert!((found.objective / truth - 1.0).abs() < 1e-13, "{rule}");
        assert!((found.history[0].objective / truth - 1.0).abs() < 1e-12, "{rule}");
        assert!(found.kkt.residual().is_finite(), "{rule}");
    }
}

#[test]
fn l40_a_start_at_a_solution_stops_at_once() {
    let x = Mat::random(25, 18, 5);
    for rule in monotone_rules() {
        // A half step later the residual is another number of the same size: leave a factor of 2.
        let base = Options { tol: 1e-5, max_iter: 100_000, ..options(4, rule) };
        let first = fit(x.dense::<f64>(), &Options { tol: 5e-6, ..base.clone() }).unwrap();
        assert_eq!(first.status, Status::Converged, "{rule}");
        let again = Options { w: Some(first.w.clone()), h: Some(first.h.clone()), ..base };
        let second = fit(x.dense::<f64>(), &again).unwrap();
        assert_eq!(second.status, Status::Converged, "{rule}");
        assert!(second.iterations <= 2, "{rule}: {} iterations", second.iterations);
        assert!(second.objective <= first.objective * (1.0 + 1e-12), "{rule}");
    }
}

#[test]
fn l41_a_badly_scaled_start_ends_like_a_good_one() {
    let (x, w, h) = (Mat::random(25, 18, 5), Mat::random(25, 4, 6), Mat::random(18, 4, 7));
    for rule in [Rule::Hals, Rule::Bpp, Rule::Mu] {
        let of = |scale_w: f64, scale_h: f64| {
            let w = Some(w.map(|v| v * scale_w).factor());
            let h = Some(h.map(|v| v * scale_h).factor());
            let options = Options { w, h, max_iter: 20_000, ..options(4, rule) };
            fit(x.dense::<f64>(), &options).unwrap()
        };
        let base = of(1.0, 1.0);
        for (sw, sh) in [(1e8, 1e8), (1e-8, 1e-8), (1e8, 1e-8), (1.0, 1e8), (1e-8, 1.0)] {
            let found = of(sw, sh);
            assert_eq!(found.status, base.status, "{rule} {sw:e} {sh:e}");
            let ratio = found.objective / base.objective;
            assert!((ratio - 1.0).abs() < 0.01, "{rule} {sw:e} {sh:e}: {ratio}");
        }
    }
}

#[test]
fn l56_no_seed_is_special() {
    let x = Mat::random(12, 9, 1);
    let of = |seed| {
        let options = Options { seed, max_iter: 30, ..options(3, Rule::Hals) };
        let found = fit(x.dense::<f64>(), &options).unwrap();
        assert_sound(&found, "seed");
        bits(&found)
    };
    let seeds = [0, 1, 2, 1 << 32, u64::MAX, u64::MAX - 1];
    let all: std::collections::BTreeSet<_> = seeds.iter().map(|&s| of(s)).collect();
    assert_eq!(all.len(), seeds.len());
}

#[test]
fn every_restart_is_returned_if_all_are_kept() {
    for (x, loss) in [(Mat::random(30, 12, 4), Loss::FROBENIUS), (Mat::random(9, 20, 4), Loss::KL)]
    {
        let options =
            Options::<f64> { rank: 3, n_init: 4, loss, max_iter: 20, ..Options::default() };
        let best = fit(x.dense::<f64>(), &options).unwrap();
        let all = fit(x.dense::<f64>(), &Options { keep_all: true, ..options.clone() }).unwrap();
        assert!(best.every.is_empty());
        assert_eq!(factor_bits(&all.w), factor_bits(&best.w));
        assert_eq!((all.every.len(), all.restarts.len()), (4, 4));
        for ((w, h), restart) in all.every.iter().zip(&all.restarts) {
            let start = Options {
                n_init: 1,
                max_iter: 0,
                w: Some(w.clone()),
                h: Some(h.clone()),
                ..options.clone()
            };
            let found = fit(x.dense::<f64>(), &start).unwrap();
            let away = (found.objective - restart.objective).abs();
            assert!(away <= 1e-9 * restart.objective, "{away}");
        }
        assert!(all.every.iter().any(|(w, _)| factor_bits(w) == factor_bits(&all.w)));
    }
}
