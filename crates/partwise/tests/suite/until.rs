//! Fits that end when their error has settled: where a loop ends as scikit-learn writes it.

use crate::common::*;
use crate::reference::*;
use partwise::{Error, Loss, Options, Rule, Status, Until, fit};

/// One multiplicative step of F for fixed G, under a β-divergence from 1 to 2.
fn step(x: &Mat, f: &Mat, g: &Mat, beta: f64) -> Mat {
    let fitted = Mat::from_fn(x.rows, x.cols, |i, j| {
        (0..f.cols).map(|t| f.get(i, t) * g.get(j, t)).sum::<f64>()
    });
    Mat::from_fn(f.rows, f.cols, |i, t| {
        let sum = |of: &dyn Fn(usize) -> f64| (0..x.cols).map(|j| of(j) * g.get(j, t)).sum::<f64>();
        let up = sum(&|j| x.get(i, j) * fitted.get(i, j).powf(beta - 2.0));
        f.get(i, t) * up / sum(&|j| fitted.get(i, j).powf(beta - 1.0))
    })
}

/// √(2D) of one of the two losses.
fn error(x: &Mat, f: &Mat, g: &Mat, beta: f64) -> f64 {
    let mut sum = 0.0;
    for i in 0..x.rows {
        for j in 0..x.cols {
            let (v, y) = (x.get(i, j), (0..f.cols).map(|t| f.get(i, t) * g.get(j, t)).sum::<f64>());
            sum += if beta == 2.0 { (v - y) * (v - y) } else { 2.0 * (v * (v / y).ln() - v + y) };
        }
    }
    sum.sqrt()
}

/// Iterations, W and H of scikit-learn's loop.
fn textbook(x: &Mat, start: (&Mat, &Mat), beta: f64, tol: f64, most: usize) -> (usize, Mat, Mat) {
    let (mut w, mut h, across) = (start.0.clone(), start.1.clone(), x.transposed());
    let first = error(x, &w, &h, beta);
    let mut before = first;
    for iteration in 1..=most {
        w = step(x, &w, &h, beta);
        h = step(&across, &h, &w, beta);
        if iteration % 10 == 0 {
            let now = error(x, &w, &h, beta);
            if (before - now) / first < tol {
                return (iteration, w, h);
            }
            before = now;
        }
    }
    (most, w, h)
}

#[test]
fn a_fit_settles_where_the_textbook_does() {
    for (rows, cols) in [(40, 17), (15, 45), (20, 20)] {
        let x = Mat::from_fn(rows, cols, |i, j| Mat::random(rows, cols, 3).get(i, j) + 0.1);
        let (w, h) = (positive(rows, 3, 5), positive(cols, 3, 6));
        for (loss, beta) in [(Loss::FROBENIUS, 2.0), (Loss::KL, 1.0)] {
            for (tol, most) in [(1e-2, 500), (1e-3, 500), (1e-4, 500), (1e-4, 33), (1e-12, 40)] {
                let (made, wanted_w, wanted_h) = textbook(&x, (&w, &h), beta, tol, most);
                let options = Options {
                    loss,
                    tol,
                    max_iter: most,
                    until: Until::Settled,
                    plain: most,
                    w: Some(w.factor()),
                    h: Some(h.factor()),
                    ..options(3, Rule::Mu)
                };
                let found = fit(x.dense::<f64>(), &options).unwrap();
                let what = format!("{rows} × {cols}, {loss}, tol {tol}, at most {most}");
                assert_eq!(found.iterations, made, "{what}");
                assert_eq!(found.history.len(), made, "{what}");
                let within = found.kkt.residual() <= tol;
                let status = match made {
                    made if made == most => Status::MaxIter,
                    _ if within => Status::Converged,
                    _ => Status::Settled,
                };
                assert_eq!(found.status, status, "{what}");
                // Where X is wider than tall, W gets half a step more if the iterations run out.
                if status != Status::MaxIter || rows >= cols {
                    for (found, wanted) in [(&found.w, &wanted_w), (&found.h, &wanted_h)] {
                        let pairs = found.to_vec().into_iter().zip(&wanted.values);
                        assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-8), "{what}");
                    }
                }
            }
        }
    }
}

#[test]
fn only_mu_settles() {
    for &rule in Rule::ALL.iter().filter(|&&rule| rule != Rule::Mu) {
        let loss = if rule.supports(Loss::FROBENIUS) { Loss::FROBENIUS } else { Loss::KL };
        let options = Options { loss, until: Until::Settled, ..options(2, rule) };
        let error = fit(Mat::random(6, 5, 1).dense::<f64>(), &options).unwrap_err();
        assert!(matches!(error, Error::Conflict { .. }), "{rule}: {error}");
        assert!(error.to_string().contains(&format!("rule {rule}")), "{error}");
    }
}

#[test]
fn a_start_at_a_solution_ends_at_the_first_look() {
    let (w, h) = (positive(9, 2, 1), positive(7, 2, 2));
    let x = Mat::from_fn(9, 7, |i, j| (0..2).map(|t| w.get(i, t) * h.get(j, t)).sum());
    let (w, h) = (Some(w.factor()), Some(h.factor()));
    let options = Options { until: Until::Settled, w, h, ..options(2, Rule::Mu) };
    let found = fit(x.dense::<f64>(), &options).unwrap();
    assert_eq!((found.status, found.iterations), (Status::Converged, 10));
}
