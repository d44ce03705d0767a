//! Sources that only hand out rows: the same answer as X in memory.

use crate::common::*;
use crate::reference::{data, positive};
use partwise::matrix::{Data, Input, Matrix, Weights};
use partwise::verify::{Objective, verify};
use partwise::{Error, Fit, Loss, Options, Rule, fit};

const SHAPES: [(usize, usize); 3] = [(30, 12), (12, 30), (20, 20)];

fn losses() -> [Loss; 5] {
    let huber = Loss::huber(0.5).unwrap();
    [Loss::FROBENIUS, Loss::KL, Loss::new(1.5).unwrap(), Loss::new(0.0).unwrap(), huber]
}

/// No weights, weights of rows, and 10, 40 and 80 % hidden.
fn weightings((m, n): (usize, usize)) -> Vec<(&'static str, Weights<'static, f64>)> {
    let rows = Some((0..m).map(|i| 1.0 + (i % 3) as f64).collect());
    let hidden = |share| {
        let hidden = Mat::random(m, n, 77).map(|v| f64::from(v < share)).csr();
        Weights { hidden: Some(hidden), ..Weights::default() }
    };
    vec![
        ("none", Weights::default()),
        ("rows", Weights { rows, ..Weights::default() }),
        ("a tenth hidden", hidden(0.1)),
        ("two fifths hidden", hidden(0.4)),
        ("four fifths hidden", hidden(0.8)),
    ]
}

fn data_of(x: &Mat, weights: Weights<'static, f64>) -> Data<'static, f64> {
    data::<f64>(x, Kind::RowMajor, weights)
}

fn in_memory(x: &Mat, weights: Weights<'static, f64>, options: &Options<f64>) -> Fit<f64> {
    fit(data_of(x, weights), options).unwrap()
}

/// Every loss and weighting by each rule that reads X once. X in memory takes the same steps from the same
/// start if it is streamed by rows too; a wide X in memory is not, so there the figures are judged.
#[test]
fn a_source_of_rows_is_fitted_as_x_in_memory_is() {
    for (m, n) in SHAPES {
        let x = Mat::random(m, n, 3).map(|v| v + 0.05);
        let (dense, sparse) = (x.dense::<f64>(), x.csr::<f64>());
        let sources: [&dyn Matrix<f64>; 2] = [&dense, &sparse];
        let (w, h) = (Some(positive(m, 3, 1).factor()), Some(positive(n, 3, 2).factor()));
        for loss in losses() {
            for rule in [Rule::Mu, Rule::Mue].into_iter().filter(|rule| rule.supports(loss)) {
                for (what, weights) in weightings((m, n)) {
                    let base = Options { loss, w: w.clone(), h: h.clone(), ..options(3, rule) };
                    let asked = Options { max_iter: if m < n { 2000 } else { 20 }, ..base };
                    let want = in_memory(&x, weights.clone(), &asked);
                    for (at, &rows) in sources.iter().enumerate() {
                        let what = format!("{m} × {n} {loss} {rule} {what} {at}");
                        let data = Data { x: Input::Rows(rows), weights: weights.clone() };
                        let ours = fit(data, &asked).unwrap();
                        let in_memory = data_of(&x, weights.clone());
                        let objective = Objective { loss, ..Objective::default() };
                        let found = verify(in_memory, &ours.w, &ours.h, &objective).unwrap();
                        let apart = (ours.objective - found.objective).abs();
                        let most = 1e-9 * found.objective + ours.objective_bound;
                        assert!(apart <= most, "{what}: {} {}", ours.objective, found.objective);
                        let (kkt, true_kkt) = (ours.kkt.residual(), found.kkt.residual());
                        let apart = (kkt - true_kkt).abs();
                        assert!(apart <= 1e-6 * true_kkt + 1e-12, "{what}: {kkt:e} {true_kkt:e}");
                        if m >= n {
                            let apart = product_distance(&ours, &want);
                            assert!(apart <= 1e-9, "{what}: {apart}");
                        } else {
                            let (ours, want) = (ours.objective, want.objective);
                            assert!(ours < 1.1 * want, "{what}: {ours} {want}");
                        }
                    }
                }
            }
        }
    }
}

/// Rules that read X by columns too are not what a fit takes by itself, and refused where they are asked for.
#[test]
fn a_rule_that_needs_columns_is_replaced_or_refused() {
    for (m, n) in SHAPES {
        let x = Mat::random(m, n, 4).map(|v| v + 0.05);
        let dense = x.dense::<f64>();
        for loss in losses() {
            for (what, weights) in weightings((m, n)) {
                let what = format!("{m} × {n} {loss} {what}");
                let run = |rule| {
                    let asked =
                        Options { rule, loss, max_iter: 3000, tol: 1e-5, ..options(3, Rule::Mu) };
                    fit(Data { x: Input::Rows(&dense), weights: weights.clone() }, &asked)
                };
                let ours = run(None).unwrap();
                let asked = Options { loss, max_iter: 3000, tol: 1e-5, ..options(3, Rule::Mu) };
                let mu = in_memory(&x, weights.clone(), &asked);
                assert!(
                    ours.objective <= mu.objective * 1.05,
                    "{what}: {} {}",
                    ours.objective,
                    mu.objective
                );
                let by_entries =
                    loss != Loss::FROBENIUS || what.ends_with("rows") || what.contains("fifths");
                for rule in [Rule::Sn, Rule::Hals, Rule::Bpp] {
                    if !rule.supports(loss) {
                        continue;
                    }
                    match run(Some(rule)) {
                        Ok(_) => assert!(!by_entries, "{what} {rule}"),
                        Err(Error::Conflict { first, .. }) => {
                            assert!(
                                by_entries && first.contains(rule.name()),
                                "{what} {rule}: {first}"
                            );
                        }
                        Err(e) => panic!("{what} {rule}: {e}"),
                    }
                }
            }
        }
    }
}

#[test]
fn weights_of_a_source_of_rows_go_with_x_of_one() {
    let (x, weights) = (Mat::random(12, 30, 5), Mat::random(12, 30, 6).map(|v| v + 0.5));
    let (dense, by_rows) = (x.dense::<f64>(), weights.dense::<f64>());
    let asked = Options { max_iter: 2000, tol: 1e-6, ..options(3, Rule::Mu) };
    let run = |x: Input<'_, f64>, entries: Input<'_, f64>| {
        fit(Data { x, weights: Weights { entries: Some(entries), ..Weights::default() } }, &asked)
    };
    let want = run(dense.clone().into(), by_rows.clone().into()).unwrap();
    let ours = run(Input::Rows(&dense), Input::Rows(&by_rows)).unwrap();
    assert!((ours.objective / want.objective - 1.0).abs() < 0.02, "{}", ours.objective);
    let refused = run(dense.clone().into(), Input::Rows(&by_rows));
    assert!(matches!(refused, Err(Error::Conflict { .. })), "{refused:?}");
}
