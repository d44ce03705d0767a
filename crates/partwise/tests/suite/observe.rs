//! A fit that is watched, stopped or out of time.

use crate::common::*;
use partwise::{Options, Progress, Rule, Status, fit, fit_observed};
use std::ops::ControlFlow;
use std::time::Duration;

#[test]
fn a_time_limit_and_an_observer_end_a_fit_with_its_best_iterate() {
    let x = Mat::random(40, 30, 1);
    let base = Options { tol: 0.0, max_iter: 1_000_000, n_init: 4, ..options(5, Rule::Hals) };
    let limited = Options { time_limit: Some(Duration::ZERO), ..base.clone() };
    let late = fit(x.dense::<f64>(), &limited).unwrap();
    assert_eq!((late.status, late.iterations), (Status::TimeLimit, 0));
    let mut seen = Vec::new();
    let mut stop = |p: &Progress| {
        seen.push((p.iteration, p.objective));
        if p.iteration == 7 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let ended = fit_observed(x.dense::<f64>(), &base, &mut stop).unwrap();
    assert_eq!((ended.status, ended.iterations), (Status::Interrupted, 7));
    assert_eq!(seen.len(), 7);
    assert!(seen.windows(2).all(|p| p[1].1 <= p[0].1), "the best so far never rises");
    assert_sound(&ended, "interrupted");
    assert!((ended.objective / seen[6].1 - 1.0).abs() < 1e-9);
}

#[test]
fn an_observer_that_only_looks_changes_nothing() {
    let x = Mat::random(30, 20, 2);
    for rule in rules() {
        let options = Options { n_init: 3, max_iter: 40, ..options(4, rule) };
        let mut least = f64::INFINITY;
        let mut watch = |p: &Progress| {
            assert!(p.n_init == 3 && p.max_iter == 40 && p.tol == 1e-4 && p.ended <= 3);
            assert!(p.objective <= least && p.relative_error.is_finite() && p.seconds >= 0.0);
            least = p.objective;
            ControlFlow::Continue(())
        };
        let watched = fit_observed(x.dense::<f64>(), &options, &mut watch).unwrap();
        assert_eq!(bits(&watched), bits(&fit(x.dense::<f64>(), &options).unwrap()), "{rule}");
        // The expansion of the objective in the loop, differences in the result.
        assert!((least / watched.objective - 1.0).abs() < 1e-10, "{rule}");
    }
}
