//! Entries that are missing: rows without any, the ways to say so, and what is found for them.

use crate::common::*;
use crate::reference::*;
use partwise::matrix::Weights;
use partwise::{Error, Fit, Loss, Options, Rule, Status, Warning, fit};

type W = Weights<'static, f64>;

fn none() -> W {
    Weights::default()
}

/// Every way to hide the entries that `seen` gives as 0, with X as it must be stored for it.
fn ways(x: &Mat, seen: &Mat) -> Vec<(String, Mat, Kind, W)> {
    let hidden = || Some(seen.map(|s| 1.0 - s).csr::<f64>());
    let shown = Mat::from_fn(x.rows, x.cols, |i, j| x.get(i, j) * seen.get(i, j));
    let nan =
        Mat::from_fn(
            x.rows,
            x.cols,
            |i, j| if seen.get(i, j) > 0.0 { x.get(i, j) } else { f64::NAN },
        );
    let mut all =
        vec![("absent".to_owned(), shown, Kind::Csr, W { absent_missing: true, ..none() })];
    for kind in [Kind::RowMajor, Kind::Strided, Kind::Csr, Kind::Csc] {
        let of = |name| format!("{name} {kind:?}");
        all.extend([
            (of("mask"), x.clone(), kind, W { hidden: hidden(), ..none() }),
            (of("NaN"), nan.clone(), kind, W { nan_missing: true, ..none() }),
            (of("weights"), x.clone(), kind, W { entries: Some(seen.dense().into()), ..none() }),
            (of("listed"), x.clone(), kind, W { entries: Some(seen.csr().into()), ..none() }),
        ]);
    }
    all
}

#[test]
fn l45_a_mask_that_hides_everything_is_an_error() {
    for by in weighted_losses() {
        let (x, seen) = (positive(8, 5, 1), Mat::new(8, 5, vec![0.0; 40]));
        let mut ways = ways(&x, &seen);
        let lines =
            [W { rows: Some(vec![0.0; 8]), ..none() }, W { columns: Some(vec![0.0; 5]), ..none() }];
        ways.extend(lines.map(|weights| ("line".into(), x.clone(), Kind::RowMajor, weights)));
        for (name, x, kind, weights) in ways {
            let options = Options { loss: by.0, ..options(2, by.1) };
            match fit(data(&x, kind, weights), &options) {
                Err(Error::AllMissing) => {}
                other => panic!("{} {} {name}: {:?}", by.0, by.1, other.map(|f| f.status)),
            }
        }
    }
}

#[test]
fn what_is_observed_may_be_zero_throughout() {
    // Nothing but zeros is observed: that is a fit, not an error.
    let x = positive(8, 5, 1);
    let x = Mat::from_fn(8, 5, |i, j| if j == 0 { 0.0 } else { x.get(i, j) });
    let seen = Mat::from_fn(8, 5, |_, j| f64::from(j == 0));
    for by in weighted_losses().filter(|(loss, _)| !loss.forbids_zeros()) {
        for (name, x, kind, weights) in ways(&x, &seen).into_iter().filter(|w| w.0 != "absent") {
            let options = Options { loss: by.0, ..options(2, by.1) };
            let found = fit(data(&x, kind, weights), &options).unwrap();
            assert_eq!(found.status, Status::Converged, "{name}");
            assert_eq!(found.objective, 0.0, "{name}");
            assert!(wide(&found.w).values.iter().all(|&v| v == 0.0), "{name}");
        }
    }
}

#[test]
fn l46_rows_and_columns_without_entries_are_zero_and_leave_the_rest_alone() {
    let (row, col) = (4, 7);
    // The rules for Frobenius take another path where entries are missing; see below.
    for by in weighted_losses().filter(|(loss, _)| *loss != Loss::FROBENIUS) {
        for (m, n) in [(19, 11), (10, 21)] {
            let x = positive(m, n, 3);
            let seen = Mat::from_fn(m, n, |i, j| f64::from(i != row && j != col));
            let (rows, cols): (Vec<_>, Vec<_>) =
                ((0..m).filter(|i| *i != row).collect(), (0..n).filter(|j| *j != col).collect());
            let (w, h, parts) = (positive(m, 2, 4), positive(n, 2, 5), [0, 1]);
            let (sw, sh) = (w.permuted(&rows, &parts), h.permuted(&cols, &parts));
            let small = run::<f64>(&x.permuted(&rows, &cols), by, (&sw, &sh), 8);
            for (name, x, kind, weights) in ways(&x, &seen) {
                let options = from_start(by, (&w, &h), 8);
                let found: Fit<f64> = fit(data(&x, kind, weights), &options).unwrap();
                let what = format!("{} {} {m}×{n} {name}", by.0, by.1);
                assert_sound(&found, &what);
                let (fw, fh) = (wide(&found.w), wide(&found.h));
                assert!(fw.row(row).iter().chain(fh.row(col)).all(|&v| v == 0.0), "{what}");
                let apart = distance(&fw.permuted(&rows, &parts), &wide(&small.w))
                    .max(distance(&fh.permuted(&cols, &parts), &wide(&small.h)));
                assert!(apart < 1e-10, "{what}: {apart:e}");
                let says = |w: &Warning| matches!(w, Warning::ZeroRows { count: 1, first, weighed: true, .. } if first[..] == [row]);
                assert!(found.warnings.iter().any(says), "{what}: {:?}", found.warnings);
            }
        }
    }
}

#[test]
fn all_ways_to_say_that_entries_are_missing_find_the_same_factors() {
    let x = positive(31, 18, 6);
    let seen = Mat::random(31, 18, 7).map(|v| f64::from(v > 0.4));
    let (w, h) = (positive(31, 3, 8), positive(18, 3, 9));
    for by in weighted_losses().filter(|(loss, _)| *loss != Loss::FROBENIUS) {
        let mut first: Option<Fit<f64>> = None;
        for (name, x, kind, weights) in ways(&x, &seen) {
            let options = from_start(by, (&w, &h), 8);
            let found = fit(data(&x, kind, weights), &options).unwrap();
            let first = first.get_or_insert_with(|| found.clone());
            let what = format!("{} {} {name}", by.0, by.1);
            let apart = product_distance(first, &found);
            assert!(apart < 1e-11, "{what}: {apart:e}");
            let ratio = found.divergence / first.divergence - 1.0;
            assert!(ratio.abs() < 1e-11, "{what}: divergence off by {ratio:e}");
            assert!((found.relative_error - first.relative_error).abs() < 1e-11, "{what}");
        }
    }
}

#[test]
fn all_ways_find_the_least_squares_of_what_is_seen_where_one_factor_is_held() {
    // Convex: one least objective, whatever path the engine takes. A row and a column see nothing.
    let (x, h) = (positive(31, 18, 6), positive(18, 3, 9));
    let chance = Mat::random(31, 18, 7);
    let seen = Mat::from_fn(31, 18, |i, j| f64::from(chance.get(i, j) > 0.4 && i != 4 && j != 7));
    for (loss, rule) in weighted_losses().filter(|(loss, _)| *loss == Loss::FROBENIUS) {
        for share in [0.05, 0.4] {
            let mut first: Option<Fit<f64>> = None;
            for (name, x, kind, weights) in ways(&x, &seen) {
                // MU approaches a zero like 1/iterations: its objective is closer than its factors.
                let mu = rule == Rule::Mu;
                let (tol, max_iter) = if mu { (1e-8, 2000) } else { (1e-13, 20_000) };
                let base = from_start::<f64>((loss, rule), (&positive(31, 3, 8), &h), max_iter);
                let base = Options { fixed: Some(partwise::Side::Columns), tol, ..base };
                let found = fit(data(&x, kind, weights), &base).unwrap();
                let what = format!("{rule} {name} {share}");
                assert_sound(&found, &what);
                let first = first.get_or_insert_with(|| found.clone());
                let ratio = found.divergence / first.divergence - 1.0;
                assert!(ratio.abs() < if mu { 1e-6 } else { 1e-10 }, "{what}: {ratio:e}");
                let apart = distance(&wide(&first.w), &wide(&found.w));
                assert!(mu || apart < 1e-8, "{what}: {apart:e} {}", found.status);
                if share > 0.1 {
                    assert!(found.w.row(4).iter().all(|&v| v == 0.0), "{what}");
                }
            }
        }
    }
}

#[test]
fn a_list_of_hidden_entries_of_sparse_x_is_a_mask() {
    // Hidden entries may be stored or not; under KL zeros stay unlisted.
    let x = Mat::sparse(60, 25, 0.3, 10);
    let seen = Mat::random(60, 25, 11).map(|v| f64::from(v > 0.2));
    let (w, h) = (positive(60, 3, 12), positive(25, 3, 13));
    for by in weighted_losses().filter(|(loss, _)| !loss.forbids_zeros()) {
        for (x, w, h, seen) in [(&x, &w, &h, &seen), (&x.transposed(), &h, &w, &seen.transposed())]
        {
            let of =
                |kind, weights| fit(data(x, kind, weights), &from_start(by, (w, h), 8)).unwrap();
            let hidden = Some(seen.map(|s| 1.0 - s).csr());
            let listed: Fit<f64> = of(Kind::Csr, W { hidden, ..none() });
            let masked = of(Kind::RowMajor, W { entries: Some(seen.dense().into()), ..none() });
            let apart = product_distance(&listed, &masked);
            assert!(apart < 1e-11, "{} {}: {apart:e}", by.0, by.1);
            let problem = Problem::new(x, by.0).weighing(seen);
            problem.assert_reported(&listed, 0.0, &format!("{} {}", by.0, by.1));
        }
    }
}

/// Largest error of the entries that were not seen, in units of the largest entry.
fn error_on_hidden(x: &Mat, seen: &Mat, found: &Fit<f64>) -> f64 {
    let q = wide(&found.w).times_transposed(&wide(&found.h));
    let largest = x.values.iter().fold(0.0f64, |m, &v| m.max(v));
    let entries = x.values.iter().zip(&q.values).zip(&seen.values);
    let off = entries.filter(|(_, seen)| **seen == 0.0).map(|((x, q), _)| (x - q).abs());
    off.fold(0.0, f64::max) / largest
}

#[test]
fn planted_matrices_are_recovered_where_they_are_hidden() {
    for share in [0.4, 0.5, 0.6] {
        // Positive throughout, so that KL of every entry is well posed.
        let some = |n, seed| Mat::random(n, 3, seed).map(|v| v + 0.05);
        let x = some(60, 21).times_transposed(&some(45, 22));
        let seen = Mat::random(60, 45, 23).map(|v| f64::from(v >= share));
        for (loss, rule) in
            [(Loss::FROBENIUS, Rule::fastest(Loss::FROBENIUS)), (Loss::KL, Rule::fastest(Loss::KL))]
        {
            for (name, x, kind, weights) in ways(&x, &seen).into_iter().take(2) {
                let base = options::<f64>(3, rule);
                let options = Options { loss, n_init: 2, tol: 1e-7, max_iter: 4000, ..base };
                let found = fit(data(&x, kind, weights), &options).unwrap();
                let whole = some(60, 21).times_transposed(&some(45, 22));
                let error = error_on_hidden(&whole, &seen, &found);
                assert!(
                    error < 1e-3,
                    "{loss} {rule} {share} {name}: {error:e} after {} ({}), KKT {:e}",
                    found.iterations,
                    found.status,
                    found.kkt.residual()
                );
            }
        }
    }
}

#[test]
fn rules_that_need_one_gram_matrix_refuse_weights_by_name() {
    for &rule in Rule::ALL.iter().filter(|rule| !rule.works_by_entries()) {
        let weights = W { rows: Some(vec![1.5; 8]), ..none() };
        let error = fit(data(&positive(8, 5, 1), Kind::RowMajor, weights), &options(2, rule));
        let error = error.unwrap_err();
        assert!(matches!(error, Error::Conflict { .. }), "{rule}: {error}");
        assert!(error.to_string().contains(rule.name()), "{error}");
    }
}

#[test]
fn few_entries_give_the_same_however_the_others_are_hidden() {
    // Most entries are missing: the engine lists the others, whatever X is stored as.
    let x = positive(41, 28, 6);
    let seen = Mat::random(41, 28, 7).map(|v| f64::from(v > 0.85));
    let (w, h) = (positive(41, 3, 8), positive(28, 3, 9));
    for by in weighted_losses() {
        let mut first: Option<Fit<f64>> = None;
        for (name, x, kind, weights) in ways(&x, &seen) {
            let options = from_start(by, (&w, &h), 6);
            let found = fit(data(&x, kind, weights), &options).unwrap();
            let first = first.get_or_insert_with(|| found.clone());
            let what = format!("{} {} {name}", by.0, by.1);
            let apart = product_distance(first, &found);
            assert!(apart < 1e-10, "{what}: {apart:e}");
            let ratio = found.divergence / first.divergence - 1.0;
            assert!(ratio.abs() < 1e-10, "{what}: divergence off by {ratio:e}");
        }
    }
}

#[test]
fn few_entries_keep_their_weights() {
    // Weights by entry, by row and by column beside a mask are those of the list, and multiply.
    let x = positive(41, 28, 6);
    let seen = Mat::random(41, 28, 7).map(|v| f64::from(v > 0.7));
    let some = Mat::random(41, 28, 8).map(|v| 0.5 + v);
    let (rows, columns): (Vec<f64>, Vec<f64>) =
        ((0..41).map(|i| 0.5 + f64::from(i % 3)).collect(), (0..28).map(f64::from).collect());
    let all = Mat::from_fn(41, 28, |i, j| seen.get(i, j) * some.get(i, j) * rows[i] * columns[j]);
    let (w, h) = (positive(41, 3, 8), positive(28, 3, 9));
    for by in weighted_losses() {
        let options = from_start(by, (&w, &h), 6);
        let want = W { entries: Some(all.csr().into()), ..none() };
        let want = fit(data(&x, Kind::RowMajor, want), &options).unwrap();
        for kind in [Kind::RowMajor, Kind::Strided, Kind::Csr, Kind::Csc] {
            let weights = W {
                entries: Some(some.dense().into()),
                hidden: Some(seen.map(|s| 1.0 - s).csr()),
                rows: Some(rows.clone()),
                columns: Some(columns.clone()),
                ..none()
            };
            let found = fit(data(&x, kind, weights), &options).unwrap();
            let what = format!("{} {} {kind:?}", by.0, by.1);
            let apart = product_distance(&want, &found);
            assert!(apart < 1e-10, "{what}: {apart:e}");
            let ratio = found.divergence / want.divergence - 1.0;
            assert!(ratio.abs() < 1e-10, "{what}: divergence off by {ratio:e}");
        }
    }
}

#[test]
fn the_shorter_list_of_a_mask_hides_the_same() {
    let x = positive(17, 9, 1);
    for share in [0.2, 0.5, 0.9] {
        let chance = Mat::random(17, 9, 2);
        let hidden = |i: usize, j: usize| chance.get(i, j) < share;
        let before = Mat::from_fn(17, 9, |i, j| f64::from(i == 3 && j < 5));
        for former in [None, Some(before.csr::<f64>())] {
            let mut weights = W { hidden: former.clone(), ..none() };
            weights.hide((17, 9), hidden).unwrap();
            let seen = partwise::verify::observed(data(&x, Kind::RowMajor, weights)).unwrap();
            let also = |i: usize, j: usize| former.is_some() && before.get(i, j) > 0.0;
            let every = (0..17).flat_map(|i| (0..9).map(move |j| (i, j)));
            let want = every.filter(|&(i, j)| !hidden(i, j) && !also(i, j)).count();
            assert_eq!(seen, want, "{share} {}", former.is_some());
        }
    }
    let mut weights = W { hidden: Some(Mat::new(2, 2, vec![1.0; 4]).csr()), ..none() };
    assert!(matches!(weights.hide((17, 9), |_, _| true), Err(Error::Shape { .. })));
}
