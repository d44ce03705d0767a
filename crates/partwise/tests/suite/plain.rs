//! Iterations that are plain at the beginning: those of a loop as anyone would write it.

use crate::common::*;
use crate::reference::*;
use partwise::matrix::Weights;
use partwise::{Fit, Loss, Options, Penalty, Rule, fit};

/// One sweep over W in place, with every unit of every entry charged.
fn sweep(x: &Mat, w: &mut Mat, h: &Mat, charge: f64) {
    for i in 0..w.rows {
        for t in 0..w.cols {
            let curvature: f64 = (0..x.cols).map(|j| h.get(j, t) * h.get(j, t)).sum();
            if curvature == 0.0 {
                continue;
            }
            let slope: f64 = (0..x.cols)
                .map(|j| {
                    let fitted: f64 = (0..w.cols).map(|s| w.get(i, s) * h.get(j, s)).sum();
                    (fitted - x.get(i, j)) * h.get(j, t)
                })
                .sum();
            let value = (w.get(i, t) - (slope + charge) / curvature).max(0.0);
            w.values[i * w.cols + t] = value;
        }
    }
}

fn textbook(x: &Mat, (w, h): (&Mat, &Mat), charge: f64, iterations: usize) -> (Mat, Mat) {
    let (mut w, mut h, across) = (w.clone(), h.clone(), x.transposed());
    for _ in 0..iterations {
        sweep(x, &mut w, &h, charge);
        sweep(&across, &mut h, &w, charge);
    }
    (w, h)
}

/// Makes components zero that are zero in one factor: what the other is charged for them buys nothing.
fn drop_lone(w: &mut Mat, h: &mut Mat) {
    let none = |f: &Mat, t: usize| (0..f.rows).all(|i| f.get(i, t) == 0.0);
    for t in 0..w.cols {
        if none(w, t) || none(h, t) {
            for f in [&mut *w, &mut *h] {
                (0..f.rows).for_each(|i| f.values[i * f.cols + t] = 0.0);
            }
        }
    }
}

/// Tall, wide and square, each with a row and a column of zeros.
fn problems() -> impl Iterator<Item = Mat> {
    [(43, 17), (15, 45), (20, 20)].into_iter().map(|(rows, cols)| {
        let x = Mat::random(rows, cols, 3);
        Mat::from_fn(rows, cols, |i, j| if i == 2 || j == 4 { 0.0 } else { x.get(i, j) })
    })
}

/// Positive but for a component that is zero in W.
fn start(x: &Mat, k: usize, dead: bool) -> (Mat, Mat) {
    let (w, h) = (positive(x.rows, k, 5), positive(x.cols, k, 6));
    let zero = |t: usize| dead && t == 1;
    (Mat::from_fn(x.rows, k, |i, t| if zero(t) { 0.0 } else { w.get(i, t) }), h)
}

fn plain(x: &Mat, kind: Kind, options: &Options<f64>) -> Fit<f64> {
    fit(data(x, kind, Weights::default()), options).unwrap()
}

#[test]
fn plain_hals_is_the_textbook_loop() {
    for x in problems() {
        for (kind, iterations) in Kind::ALL.into_iter().flat_map(|kind| [1, 4].map(|n| (kind, n))) {
            for (dead, charge) in [(false, 0.0), (true, 0.0), (false, 0.3), (true, 0.3)] {
                let (w, h) = start(&x, 4, dead);
                let penalty = Penalty { l1: charge, l2: 0.0 };
                let base = from_start((Loss::FROBENIUS, Rule::Hals), (&w, &h), iterations);
                let options = Options {
                    plain: 100,
                    w_penalty: Some(penalty),
                    h_penalty: Some(penalty),
                    ..base
                };
                let found = plain(&x, kind, &options);
                let (mut want_w, mut want_h) = textbook(&x, (&w, &h), charge, iterations);
                if x.cols > x.rows {
                    // W is the factor that the loop ends with: it gets half an iteration more.
                    sweep(&x, &mut want_w, &want_h, charge);
                }
                if charge > 0.0 {
                    drop_lone(&mut want_w, &mut want_h);
                }
                let apart =
                    [distance(&wide(&found.w), &want_w), distance(&wide(&found.h), &want_h)];
                let what = format!("{}×{} {kind:?} {iterations} {dead} {charge}", x.rows, x.cols);
                assert!(apart.iter().all(|a| *a < 1e-11), "{what}: {apart:?}");
            }
        }
    }
}

#[test]
fn the_rule_goes_on_from_where_plain_iterations_end() {
    for x in problems() {
        let (w, h) = start(&x, 4, false);
        let base = from_start((Loss::FROBENIUS, Rule::Hals), (&w, &h), 40);
        let led = plain(&x, Kind::RowMajor, &Options { plain: 5, ..base.clone() });
        let all = plain(&x, Kind::RowMajor, &Options { plain: 40, ..base });
        let same = led.history.iter().zip(&all.history).take(5);
        same.for_each(|(a, b)| assert_eq!(a.objective, b.objective, "iteration {}", a.iteration));
        assert_eq!(led.history.len(), 40);
        let (led, all) = (led.history[15].objective, all.history[15].objective);
        assert!(led < all, "{}×{}: {led} {all}", x.rows, x.cols);
    }
}

#[test]
fn plain_iterations_count_from_the_start_of_every_restart() {
    let x = &problems().next().unwrap();
    let base = Options { max_iter: 12, tol: 0.0, plain: 3, ..options(4, Rule::Hals) };
    let many = plain(x, Kind::RowMajor, &Options { n_init: 3, ..base.clone() });
    let alone = plain(x, Kind::RowMajor, &base).objective;
    // Beside others its columns are summed in another order.
    assert!((many.restarts[0].objective / alone - 1.0).abs() < 1e-12);
}
