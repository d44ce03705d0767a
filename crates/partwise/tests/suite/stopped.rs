//! Fits that were stopped, by time or by their caller, and figures at the edge: the factors are returned,
//! and their figures are their own or none.

use crate::common::*;
use partwise::matrix::{Data, Weights};
use partwise::verify::{Objective, verify};
use partwise::{Error, Fit, Loss, Options, Penalty, Rule, Side, Status, Warning, fit};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Whether the figures were measured; those that were are what `verify` finds for these factors.
fn has_figures_of_its_own(x: &Data<'_, f64>, fit: &Fit<f64>, loss: Loss, what: &str) -> bool {
    for f in [&fit.w, &fit.h] {
        assert!(f.to_vec().iter().all(|v| v.is_finite() && *v >= 0.0), "{what}");
    }
    let objective = Objective { loss, w_penalty: fit.w_penalty, h_penalty: fit.h_penalty };
    let found = verify(x.borrowed(), &fit.w, &fit.h, &objective).unwrap();
    if !fit.objective.is_nan() {
        let apart = (fit.objective - found.objective).abs();
        let allowed = 1e-9 * found.objective + fit.objective_bound;
        assert!(apart <= allowed, "{what}: {:e}, not {:e}", fit.objective, found.objective);
    }
    if fit.kkt.is_measured() {
        let (said, found) = (fit.kkt.residual(), found.kkt.residual());
        assert!(
            said.is_finite() && (said - found).abs() <= 0.01 * found + 1e-9,
            "{what}: {said:e}"
        );
    } else {
        assert!(fit.kkt.residual().is_nan(), "{what}");
    }
    !fit.objective.is_nan() && fit.kkt.is_measured()
}

/// Losses and rules on every way through the engine, with and without hidden entries.
fn cases() -> Vec<(Loss, Rule, f64)> {
    let mut cases = Vec::new();
    for (loss, rules) in [
        (Loss::KL, vec![Rule::Sn, Rule::Mu, Rule::Mue, Rule::Jmm]),
        (Loss::FROBENIUS, vec![Rule::Hals, Rule::Bpp, Rule::Mu, Rule::Als]),
        ("itakura-saito".parse().unwrap(), vec![Rule::Mue, Rule::Jmm]),
    ] {
        for rule in rules {
            for hidden in [0.0, 0.4] {
                if hidden == 0.0 || rule.works_by_entries() {
                    cases.push((loss, rule, hidden));
                }
            }
        }
    }
    cases
}

fn data(hidden: f64) -> Data<'static, f64> {
    let (rows, cols) = (400, 150);
    let x = Mat::random(rows, cols, 7).map(|v| v + 0.05);
    let mut weights = Weights::default();
    if hidden > 0.0 {
        let mask = Mat::random(rows, cols, 8);
        weights.hide((rows, cols), |i, j| mask.get(i, j) < hidden).unwrap();
    }
    Data { x: x.dense::<f64>().into(), weights }
}

#[test]
fn a_time_limit_that_falls_anywhere_loses_nothing_and_tells_the_truth() {
    for (loss, rule, hidden) in cases() {
        let x = data(hidden);
        // As long as it takes on a slow machine to have figures.
        let mut limits = (0..).map(|at| if at < 6 { at * at } else { 1 << at });
        let mut measured = 0;
        while measured < 2 {
            let millis = limits.next().unwrap();
            let options = Options {
                loss,
                tol: 0.0,
                max_iter: usize::MAX,
                time_limit: Some(Duration::from_millis(millis)),
                threads: 1,
                ..options(8, rule)
            };
            let what = format!("{loss} {rule}, {hidden} hidden, {millis} ms");
            let found = fit(x.borrowed(), &options).unwrap();
            assert_eq!(found.status, Status::TimeLimit, "{what}");
            measured += usize::from(has_figures_of_its_own(&x, &found, loss, &what));
        }
    }
}

#[test]
fn a_caller_that_says_stop_gets_the_best_factors_whatever_the_rule() {
    for (loss, rule, hidden) in cases() {
        let x = data(hidden);
        let stop = Arc::new(AtomicBool::new(false));
        let (tol, max_iter, stopped) = (0.0, usize::MAX, Some(Arc::clone(&stop)));
        let options =
            Options { loss, tol, max_iter, stop: stopped, threads: 1, ..options(8, rule) };
        let found = std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(60));
                stop.store(true, Ordering::SeqCst);
            });
            fit(x.borrowed(), &options)
        });
        let what = format!("{loss} {rule}, {hidden} hidden");
        match found {
            // A slow machine may not even have a start by then.
            Err(error) => assert!(matches!(error, Error::Halted), "{what}: {error}"),
            Ok(found) => {
                assert_eq!(found.status, Status::Interrupted, "{what}");
                has_figures_of_its_own(&x, &found, loss, &what);
            }
        }
    }
}

#[test]
fn without_time_for_a_start_the_factors_given_come_back_with_a_warning() {
    let x = Mat::random(40, 30, 1);
    let (w, h) = (Mat::random(40, 3, 2).factor::<f64>(), Mat::random(30, 3, 3).factor::<f64>());
    let options =
        Options { time_limit: Some(Duration::ZERO), w: Some(w.clone()), ..options(3, Rule::Hals) };
    let found = fit(x.dense::<f64>(), &options).unwrap();
    assert_eq!((found.status, found.iterations), (Status::TimeLimit, 0));
    assert_eq!(factor_bits(&found.w), factor_bits(&w));
    assert!(found.objective.is_nan() && !found.kkt.is_measured());
    assert_eq!(found.warnings, [Warning::NotBegun]);
    let options = Options { w: Some(w), h: Some(h.clone()), ..options };
    assert_eq!(factor_bits(&fit(x.dense::<f64>(), &options).unwrap().h), factor_bits(&h));
}

#[test]
fn every_start_ends_in_time_and_none_is_an_error() {
    for init in partwise::Start::ALL {
        for millis in [0, 1, 3, 8] {
            let time_limit = Some(Duration::from_millis(millis));
            let options = Options { init: *init, time_limit, tol: 0.0, ..options(20, Rule::Hals) };
            let options = Options { max_iter: usize::MAX, ..options };
            let x = data(0.0);
            let found = fit(x.borrowed(), &options).unwrap();
            assert_eq!(found.status, Status::TimeLimit, "{init} {millis}");
            has_figures_of_its_own(&x, &found, Loss::FROBENIUS, &format!("{init} {millis}"));
        }
    }
}

#[test]
fn a_column_that_the_start_leaves_out_has_a_finite_residual() {
    let x = Mat::random(9, 6, 4).map(|v| v + 0.1);
    let data = Data::from(x.dense::<f64>());
    let w = Mat::random(9, 2, 5).factor::<f64>();
    let mut h = Mat::random(6, 2, 6).factor::<f64>();
    h.row_mut(3).fill(0.0);
    for loss in ["frobenius", "kl", "itakura-saito", "beta:1.5", "beta:3", "huber:0.2"] {
        let loss: Loss = loss.parse().unwrap();
        for fixed in [None, Some(Side::Rows)] {
            let (w, h) = (Some(w.clone()), Some(h.clone()));
            let options =
                Options { loss, rule: None, max_iter: 0, w, h, fixed, ..options(2, Rule::Mu) };
            let found = fit(data.borrowed(), &options).unwrap();
            let kkt = found.kkt;
            assert!(kkt.is_measured() && kkt.residual().is_finite(), "{loss}: {kkt:?}");
            assert!(kkt.residual() > 0.0, "{loss}: not stationary");
            if fixed.is_none() {
                assert!(has_figures_of_its_own(&data, &found, loss, &loss.to_string()));
            }
        }
    }
}

#[test]
fn the_least_numbers_there_are_leave_no_residual_unknown_to_verify() {
    let x = Mat::new(3, 3, vec![1.0, 2.0, 3.0, 4.0, 5.0, 5e-324, 7.0, 8.0, 0.0]);
    let data = Data::from(x.dense::<f64>());
    for rule in [Rule::Sn, Rule::Mu, Rule::Mue, Rule::Jmm] {
        for max_iter in [0, 1, 50] {
            let options = Options { loss: Loss::KL, max_iter, ..options(2, rule) };
            let found = fit(data.borrowed(), &options).unwrap();
            let what = format!("{rule} {max_iter}");
            let measured = has_figures_of_its_own(&data, &found, Loss::KL, &what);
            assert!(measured || found.status == Status::NumericalTrouble, "{what}");
        }
    }
}

#[test]
fn a_penalty_counts_in_what_a_stopped_fit_says() {
    let penalty = Some(Penalty { l1: 0.3, l2: 0.1 });
    for (loss, rule, hidden) in cases() {
        let time_limit = Some(Duration::from_millis(5));
        let options = Options { loss, time_limit, tol: 0.0, threads: 1, ..options(8, rule) };
        let options = Options { w_penalty: penalty, h_penalty: penalty, ..options };
        let x = data(hidden);
        let found = fit(x.borrowed(), &Options { max_iter: usize::MAX, ..options }).unwrap();
        has_figures_of_its_own(&x, &found, loss, &format!("{loss} {rule} {hidden}"));
    }
}
