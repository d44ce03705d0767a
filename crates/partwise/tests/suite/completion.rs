//! Completion: four fifths of a table are hidden at random, and predicted from the rest.

use crate::common::*;
use crate::reference::*;
use partwise::matrix::Weights;
use partwise::verify::{HeldOut, held_out};
use partwise::{Fit, Loss, Options, Penalty, Rule, Warning, fit};

const RANK: usize = 3;

/// Ratings of a few tastes with noise, and what is hidden of them.
fn ratings() -> (Mat, Mat) {
    let (rows, cols) = (150, 100);
    let (taste, noise) = (Mat::planted(rows, cols, RANK, 5), Mat::random(rows, cols, 6));
    let x = Mat::from_fn(rows, cols, |i, j| taste.get(i, j) + 0.1 * noise.get(i, j));
    (x, Mat::random(rows, cols, 7).map(|v| f64::from(v < 0.8)))
}

/// The root of the mean squared error of what is hidden.
fn error(x: &Mat, hidden: &Mat, predicted: &Mat) -> f64 {
    let all = x.values.iter().zip(&predicted.values).zip(&hidden.values);
    let sum: f64 = all.map(|((x, q), hidden)| hidden * (x - q) * (x - q)).sum();
    (sum / hidden.values.iter().sum::<f64>()).sqrt()
}

fn column_means(x: &Mat, hidden: &Mat) -> Mat {
    let mean = |j: usize| {
        let seen = (0..x.rows).filter(|&i| hidden.get(i, j) == 0.0);
        seen.clone().map(|i| x.get(i, j)).sum::<f64>() / seen.count() as f64
    };
    let means: Vec<f64> = (0..x.cols).map(mean).collect();
    Mat::from_fn(x.rows, x.cols, |_, j| means[j])
}

/// The leading singular triplets of X with what they predict for hidden entries, until that stays.
fn iterated_svd(x: &Mat, hidden: &Mat) -> Mat {
    let mut filled = column_means(x, hidden);
    for _ in 0..300 {
        let whole = |i, j| if hidden.get(i, j) > 0.0 { filled.get(i, j) } else { x.get(i, j) };
        let whole = nalgebra::DMatrix::from_fn(x.rows, x.cols, whole);
        let svd = whole.svd(true, true);
        let (u, v) = (svd.u.as_ref().unwrap(), svd.v_t.as_ref().unwrap());
        filled = Mat::from_fn(x.rows, x.cols, |i, j| {
            (0..RANK).map(|t| u[(i, t)] * svd.singular_values[t] * v[(t, j)]).sum()
        });
    }
    filled
}

fn predicted(fit: &Fit<f64>) -> Mat {
    wide(&fit.w).times_transposed(&wide(&fit.h))
}

#[test]
fn what_is_hidden_is_predicted_better_than_by_means_zeros_and_singular_vectors() {
    let (x, hidden) = ratings();
    let of = |q: &Mat| error(&x, &hidden, q);
    let (means, svd) = (of(&column_means(&x, &hidden)), of(&iterated_svd(&x, &hidden)));
    let seen = Mat::from_fn(x.rows, x.cols, |i, j| (1.0 - hidden.get(i, j)) * x.get(i, j));
    for (loss, rule) in [(Loss::FROBENIUS, Rule::Hals), (Loss::KL, Rule::Sn)] {
        let asked = Options { loss, n_init: 5, max_iter: 2000, ..options(RANK, rule) };
        let zeros = of(&predicted(&fit(seen.dense(), &asked).unwrap()));
        let mask = Weights { hidden: Some(hidden.csr()), ..Weights::default() };
        let absent = Weights { absent_missing: true, ..Weights::default() };
        for (kind, x, weights) in [(Kind::RowMajor, &x, mask), (Kind::Csr, &seen, absent)] {
            let ours = of(&predicted(&fit(data(x, kind, weights), &asked).unwrap()));
            let what = format!("{loss} {kind:?}: {ours}, means {means}, zeros {zeros}, SVD {svd}");
            assert!(ours < 0.5 * means && ours < 0.5 * zeros, "{what}");
            // The noise is as large in every entry, which is what both squares and the SVD take it for.
            assert!(ours <= svd || loss == Loss::KL, "{what}");
        }
    }
}

/// Counts of `rank` parts, and the tenth that is hidden.
fn counts(rows: usize, cols: usize, seed: u64) -> (Mat, Mat) {
    let mut rng = Lcg::new(seed);
    // The exponential distribution, for weights and for the gaps of a Poisson process.
    let some = |rng: &mut Lcg| -(1.0 - rng.uniform()).ln();
    let mut factor = |n: usize| Mat::new(n, 4, (0..4 * n).map(|_| some(&mut rng)).collect());
    let mean = factor(rows).times_transposed(&factor(cols));
    let mut rng = Lcg::new(seed + 1000);
    let count = |mean: f64| {
        let (mut time, mut count) = (some(&mut rng), 0.0);
        while time < mean {
            (time, count) = (time + some(&mut rng), count + 1.0);
        }
        count
    };
    let x = Mat { values: mean.values.iter().copied().map(count).collect(), ..mean };
    (x, Mat::random(rows, cols, seed + 2000).map(|v| f64::from(v < 0.1)))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn masked(hidden: &Mat) -> Weights<'static, f64> {
    Weights { hidden: Some(hidden.csr()), ..Weights::default() }
}

fn row_means(x: &Mat, hidden: &Mat) -> Mat {
    column_means(&x.transposed(), &hidden.transposed()).transposed()
}

/// One sweep over each factor in turn, component by component, over the entries that are seen.
fn textbook(x: &Mat, hidden: &Mat, k: usize, seed: u64) -> Mat {
    let mut f = [Mat::random(x.rows, k, seed), Mat::random(x.cols, k, seed + 1)];
    let seen = hidden.map(|v| 1.0 - v);
    for _ in 0..300 {
        for side in [0, 1] {
            let (x, seen) = if side == 0 {
                (x.clone(), seen.clone())
            } else {
                (x.transposed(), seen.transposed())
            };
            let h = f[1 - side].clone();
            for i in 0..x.rows {
                for t in 0..k {
                    let (mut slope, mut curvature) = (0.0, 0.0);
                    for j in (0..x.cols).filter(|&j| seen.get(i, j) > 0.0) {
                        let q: f64 = f[side].row(i).iter().zip(h.row(j)).map(|(a, b)| a * b).sum();
                        slope += (x.get(i, j) - q) * h.get(j, t);
                        curvature += h.get(j, t) * h.get(j, t);
                    }
                    if curvature > 0.0 {
                        let at = &mut f[side].values[i * k + t];
                        *at = (*at + slope / curvature).max(0.0);
                    }
                }
            }
        }
    }
    f[0].times_transposed(&f[1])
}

/// A fit of what is seen; with `plain` iterations of one sweep without extrapolation first.
fn fit_seen(
    (x, hidden): &(Mat, Mat),
    (k, seed): (usize, u64),
    (plain, rule): (usize, Rule),
    penalty: Option<Penalty>,
) -> Fit<f64> {
    let base = Options { rank: k, seed, max_iter: 300, rule: Some(rule), ..Options::default() };
    let options = Options { plain, w_penalty: penalty, h_penalty: penalty, ..base };
    fit(data::<f64>(x, Kind::RowMajor, masked(hidden)), &options).unwrap()
}

#[test]
fn hidden_counts_are_predicted_no_worse_than_by_others() {
    let none = Some(Penalty::NONE);
    for (k, seeds) in [(4, 5), (8, 7)] {
        let mut tests = vec![Vec::new(); 5];
        for seed in 0..seeds {
            let made = counts(60, 40, 3 * seed);
            let run = |way, penalty| predicted(&fit_seen(&made, (k, seed), way, penalty));
            let of = |q: &Mat| error(&made.0, &made.1, q);
            let errors = [
                of(&run((0, Rule::Hals), None)),
                of(&textbook(&made.0, &made.1, k, seed)),
                of(&run((300, Rule::Hals), none)),
                1.2 * of(&run((0, Rule::Mu), none)),
                of(&row_means(&made.0, &made.1)),
            ];
            tests.iter_mut().zip(errors).for_each(|(all, error)| all.push(error));
        }
        let tests: Vec<f64> = tests.into_iter().map(median).collect();
        assert!(tests[1..].iter().all(|&other| tests[0] <= other), "{k}: {tests:?}");
    }
}

/// Beside coordinate descent in sweeps of its own, with the ridge and without a penalty.
#[test]
fn hidden_counts_are_trained_no_worse_than_by_plain_descent() {
    for k in [4, 6, 8] {
        for penalty in [None, Some(Penalty::NONE)] {
            let ratio = |seed: u64| {
                let made = counts(60, 40, 3 * seed);
                let run = |plain| fit_seen(&made, (k, seed), (plain, Rule::Hals), penalty);
                let (ours, plain) = (run(0), run(300));
                assert_eq!(ours.ridge, plain.ridge);
                ours.objective / plain.objective
            };
            let ratio = median((0..31).map(ratio).collect());
            // Below that both have ended at the same minimum, each within its tolerance.
            assert!(ratio <= 1.0001, "{k} {penalty:?}: {ratio}");
        }
    }
}

/// Row 0 shows columns in which two parts go up and down together, so that their shares are open however
/// many there are; in row 1 one column tells them apart.
#[test]
fn a_row_that_cannot_tell_parts_apart_is_counted() {
    let h = Mat::from_fn(12, 3, |j, t| match t {
        0 => 1.0 + j as f64,
        1 => (1.0 + j as f64) * if j < 8 { 0.5 } else { 2.0 },
        _ => 1.0 + ((j * 5) % 7) as f64,
    });
    let w = positive(9, 3, 4);
    let x = w.times_transposed(&h);
    let hidden = Mat::from_fn(9, 12, |i, j| f64::from((i == 0 && j >= 8) || (i == 1 && j > 8)));
    for kind in [Kind::RowMajor, Kind::Csr, Kind::Csc] {
        let base = options(3, Rule::Hals);
        let (w, h) = (Some(w.factor()), Some(h.factor()));
        let start = Options { w, h, max_iter: 0, ..base };
        let found = fit(data::<f64>(&x, kind, masked(&hidden)), &start).unwrap();
        let rows = found.warnings.iter().filter_map(|w| match w {
            Warning::UndeterminedRows { count, few, of, first, .. } => {
                Some((*count, *few, *of, first.clone()))
            }
            _ => None,
        });
        assert_eq!(
            rows.collect::<Vec<_>>(),
            [(1, 0, 9, vec![0])],
            "{kind:?}: {:?}",
            found.warnings
        );
    }
}

/// What predictions become where a path runs off: an item with one rating, and few ratings of each.
#[test]
fn nothing_is_predicted_far_outside_without_a_word() {
    let (taste, chance) = (Mat::planted(80, 60, 3, 1), Mat::random(80, 60, 2));
    let noise = Mat::random(80, 60, 3);
    let x =
        Mat::from_fn(80, 60, |i, j| 1.0 + (4.0 * taste.get(i, j) / 3.0 + noise.get(i, j)).min(4.0));
    // Column 59 has one entry, row 3 has two.
    let seen = Mat::from_fn(80, 60, |i, j| {
        let some = chance.get(i, j) < 0.35;
        f64::from(if j == 59 {
            i == 0
        } else if i == 3 {
            j < 2
        } else {
            some
        })
    });
    let weights = || Weights { entries: Some(seen.csr().into()), ..Weights::default() };
    let run = |penalty: Option<Penalty>| {
        let base = Options { rank: 8, max_iter: 500, ..Options::default() };
        let options = Options { w_penalty: penalty, h_penalty: penalty, ..base };
        fit(data::<f64>(&x, Kind::RowMajor, weights()), &options).unwrap()
    };
    let largest = |fit: &Fit<f64>| predicted(fit).values.iter().fold(0.0f64, |a, &b| a.max(b));
    let (ours, free) = (run(None), run(Some(Penalty::NONE)));
    assert!(ours.ridge.is_some() && free.ridge.is_none());
    assert!(largest(&ours) < 10.0, "{}", largest(&ours));
    assert!(largest(&free) < 1e4, "{}", largest(&free));
    for found in [&ours, &free] {
        let rows = |w: &Warning| matches!(w, Warning::UndeterminedRows { few, first, .. } if *few == 1 && first.contains(&3));
        let columns = |w: &Warning| matches!(w, Warning::UndeterminedColumns { few, first, .. } if *few == 1 && first.contains(&59));
        assert!(found.warnings.iter().any(rows), "{:?}", found.warnings);
        assert!(found.warnings.iter().any(columns), "{:?}", found.warnings);
    }
    let q = predicted(&free);
    let most = x.values.iter().zip(&seen.values).map(|(x, s)| x * s).fold(0.0, f64::max);
    let far = q.values.iter().zip(&seen.values).filter(|(q, s)| **s == 0.0 && **q > 2.0 * most);
    let far = far.count();
    let told = free.warnings.iter().find_map(|w| match w {
        Warning::FarPredictions { count, of, largest, .. } => Some((*count, *of, *largest)),
        _ => None,
    });
    let missing = seen.values.iter().filter(|s| **s == 0.0).count();
    assert_eq!(told, (far > 0).then_some((far, missing, most)), "{:?}", free.warnings);
}

/// A start is told about, too: only the entry at its corner is hidden.
#[test]
fn predictions_far_outside_are_counted() {
    let x = positive(4, 3, 2);
    let hidden = Mat::from_fn(4, 3, |i, j| f64::from(i + j == 0));
    let (w, h) = (Mat::new(4, 1, vec![5.0, 1.0, 1.0, 1.0]), Mat::new(3, 1, vec![5.0, 1.0, 1.0]));
    let base = options(1, Rule::Hals);
    let (w, h) = (Some(w.factor()), Some(h.factor()));
    let start = Options { w, h, max_iter: 0, ..base };
    let found = fit(data::<f64>(&x, Kind::RowMajor, masked(&hidden)), &start).unwrap();
    let seen = x.values[1..].iter().fold(0.0f64, |a, &b| a.max(b));
    let told = |w: &Warning| matches!(w, Warning::FarPredictions { count: 1, of: 1, most, largest } if *most == 25.0 && *largest == seen);
    assert!(found.warnings.iter().any(told), "{:?}", found.warnings);
}

#[test]
fn a_healthy_fit_with_hidden_entries_has_no_warning() {
    let (x, hidden) = counts(60, 40, 9);
    for loss in [Loss::FROBENIUS, Loss::KL] {
        let options = Options { rank: 4, loss, max_iter: 2000, ..Options::default() };
        let found = fit(data::<f64>(&x, Kind::RowMajor, masked(&hidden)), &options).unwrap();
        assert_eq!(found.warnings, [], "{loss}");
    }
}

/// The ridge is in the unit of X, and of its weights, and the same however X is given.
#[test]
fn the_ridge_follows_the_scale_of_x_and_of_its_weights() {
    let (x, hidden) = counts(50, 30, 4);
    let x = x.map(|v| v + 0.5);
    for loss in [Loss::FROBENIUS, Loss::KL, Loss::new(1.5).unwrap(), Loss::huber(1.0).unwrap()] {
        let run = |x: &Mat, kind: Kind, weights: Weights<'static, f64>, loss: Loss| {
            let options = Options { rank: 4, loss, max_iter: 30, ..Options::default() };
            fit(data::<f64>(x, kind, weights), &options).unwrap()
        };
        let ours = run(&x, Kind::RowMajor, masked(&hidden), loss);
        let ridge = ours.ridge.unwrap();
        assert_eq!((ours.w_penalty.l2, ours.h_penalty.l2), (ridge, ridge));
        for kind in [Kind::ColumnMajor, Kind::Csr, Kind::Csc] {
            let other = run(&x, kind, masked(&hidden), loss).ridge.unwrap();
            assert!((other / ridge - 1.0).abs() < 1e-9, "{loss} {kind:?}: {other} {ridge}");
        }
        for power in [-30, 2, 30] {
            let scale = 4f64.powi(power);
            let of = if loss.delta().is_some() { Loss::huber(scale).unwrap() } else { loss };
            let other = run(&x.map(|v| v * scale), Kind::RowMajor, masked(&hidden), of);
            let want = ridge * scale.powf(loss.beta().unwrap_or(2.0) - 1.0);
            assert!((other.ridge.unwrap() / want - 1.0).abs() < 1e-9, "{loss} {power}");
            if loss == Loss::FROBENIUS {
                let back = Mat { values: wide(&other.w).values, ..wide(&ours.w) };
                assert_eq!(back.map(|v| v / 2f64.powi(power)), wide(&ours.w), "{power}");
            }
        }
        let weights = || hidden.map(|v| 3.0 * (1.0 - v));
        let heavy = Weights { entries: Some(weights().dense().into()), ..Weights::default() };
        let heavy = run(&x, Kind::RowMajor, heavy, loss).ridge.unwrap();
        // Rounded to four binary digits.
        assert!((heavy / (3.0 * ridge) - 1.0).abs() < 0.13, "{loss}: {heavy} {ridge}");
    }
}

/// Above β = 2 the ridge holds a zero model in place, and entries over many decades start far above most.
#[test]
fn a_ridge_that_nobody_asked_for_leaves_something_of_x() {
    for (beta, seed) in [2.5, 3.0, 4.0].into_iter().flat_map(|beta| (0..6).map(move |s| (beta, s)))
    {
        let u = Mat::random(32, 8, seed);
        let x = Mat::random(32, 8, seed + 50).map(|v| (20.0 * v).exp());
        let weights = Mat::from_fn(32, 8, |i, j| (u.get(i, j) - 0.1).max(0.0));
        let loss = Loss::new(beta).unwrap();
        for rule in [Rule::Mu, Rule::Mue, Rule::Jmm] {
            let options = Options { rank: 1, loss, rule: Some(rule), ..Options::default() };
            let given = Weights { entries: Some(weights.dense().into()), ..Weights::default() };
            let found = fit(data::<f64>(&x, Kind::RowMajor, given), &options).unwrap();
            let what = format!("{beta} {seed} {}", rule.name());
            assert!(found.relative_error < 0.999, "{what}: {}", found.relative_error);
            assert!(wide(&found.w).values.iter().any(|&v| v > 0.0), "{what}");
            assert!(wide(&found.h).values.iter().any(|&v| v > 0.0), "{what}");
        }
    }
}

/// No entry is missing where rows and columns have others: no ridge, and the bits of a fit without.
#[test]
fn there_is_no_ridge_where_nothing_is_missing_or_a_price_is_given() {
    let x = positive(20, 12, 3);
    let run = |weights: Weights<'static, f64>, asked: Options<f64>| {
        fit(data::<f64>(&x, Kind::RowMajor, weights), &asked).unwrap()
    };
    let base = || Options { rank: 3, max_iter: 20, ..Options::default() };
    let whole = run(Weights::default(), base());
    let ones = Mat::new(20, 12, vec![1.0; 240]);
    for weights in [
        Weights { entries: Some(ones.dense().into()), ..Weights::default() },
        Weights { hidden: Some(ones.map(|_| 0.0).csr()), ..Weights::default() },
    ] {
        let found = run(weights, base());
        assert_eq!((found.ridge, bits(&found)), (None, bits(&whole)));
    }
    let mut rows = vec![1.0; 20];
    rows[4] = 0.0;
    assert_eq!(run(Weights { rows: Some(rows), ..Weights::default() }, base()).ridge, None);
    let hidden = Mat::from_fn(20, 12, |i, j| f64::from((i + j) % 5 == 0));
    let price = Some(Penalty { l1: 0.25, l2: 0.0 });
    let given = run(masked(&hidden), Options { h_penalty: price, ..base() });
    assert_eq!((given.ridge, given.w_penalty, Some(given.h_penalty)), (None, Penalty::NONE, price));
    assert!(run(masked(&hidden), base()).ridge.is_some());
    let h = Some(whole.h.clone());
    let held = Options { h, fixed: Some(partwise::Side::Columns), ..base() };
    assert_eq!(run(masked(&hidden), held).ridge, None);
}

#[test]
fn the_error_of_what_was_hidden_is_that_of_plain_loops() {
    // Row 2 shows nothing, and takes the mean of all; a hidden entry is below zero, another NaN.
    let mut x = positive(6, 5, 8);
    let hidden = Mat::from_fn(6, 5, |i, j| f64::from(i == 2 || (i * 5 + j) % 7 == 1));
    (x.values[1], x.values[8]) = (-0.5, f64::NAN);
    assert_eq!((hidden.values[1], hidden.values[8]), (1.0, 1.0));
    let (w, h) = (positive(6, 2, 1), positive(5, 2, 2));
    let q = w.times_transposed(&h);
    let shown = |at: &usize| hidden.values[*at] == 0.0;
    let mean = |cells: Vec<usize>| {
        let of: Vec<f64> = cells.iter().filter(|at| shown(at)).map(|&at| x.values[at]).collect();
        (!of.is_empty()).then(|| of.iter().sum::<f64>() / of.len() as f64)
    };
    let all = mean((0..30).collect()).unwrap();
    let means: Vec<f64> =
        (0..6).map(|i| mean((5 * i..5 * i + 5).collect()).unwrap_or(all)).collect();
    for (loss, least) in [(Loss::FROBENIUS, f64::NEG_INFINITY), (Loss::KL, 0.0)] {
        let known: Vec<usize> = (0..30).filter(|at| !shown(at) && x.values[*at] >= least).collect();
        let miss = |x: f64, q: f64| {
            if loss == Loss::KL { x * (x / q).ln() - x + q } else { (x - q) * (x - q) }
        };
        let of = |q: &dyn Fn(usize) -> f64| {
            let sum: f64 = known.iter().map(|&at| miss(x.values[at], q(at))).sum();
            let mean = sum / known.len() as f64;
            if loss == Loss::KL { mean } else { mean.sqrt() }
        };
        let (error, row_means) = (of(&|at| q.values[at]), of(&|at| means[at / 5]));
        for scale in [1.0, 2f64.powi(400)] {
            let (big, root) = (x.map(|v| v * scale), scale.sqrt());
            let factors = (w.map(|v| v * root).factor(), h.map(|v| v * root).factor());
            let data = data::<f64>(&big, Kind::RowMajor, masked(&hidden));
            let found = held_out(&data, false, (&factors.0, &factors.1), loss).unwrap().unwrap();
            let HeldOut { count, error: ours, row_means: theirs } = found;
            assert_eq!(count, known.len(), "{loss}");
            assert!((ours / scale / error - 1.0).abs() < 1e-12, "{loss} {scale:e}");
            assert!((theirs / scale / row_means - 1.0).abs() < 1e-12, "{loss} {scale:e}");
        }
    }
    // What a sparse X does not store is zero, or not known.
    let sparse = Mat::sparse(6, 5, 0.4, 3);
    let stored = (0..30).filter(|at| !shown(at) && sparse.values[*at] > 0.0).count();
    let count = |absent_missing: bool| {
        let weights = Weights { absent_missing, ..masked(&hidden) };
        let data = data::<f64>(&sparse, Kind::Csr, weights);
        held_out(&data, false, (&w.factor(), &h.factor()), Loss::FROBENIUS).unwrap().unwrap().count
    };
    assert_eq!((count(true), count(false)), (stored, (0..30).filter(|at| !shown(at)).count()));
}
