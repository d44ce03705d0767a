//! Matrices that misbehave while they are read: what fails, what is kept, what is said.

use crate::common::*;
use crate::reference::*;
use partwise::matrix::{Matrix, Panel, Visitor};
use partwise::{Dense, Error, Input, Options, Order, Rule, Status, View, ViewMut, Warning};
use partwise::{fit, transform};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Rows of a matrix, handed out a few at a time. A broken source stays broken from the given read
/// on; a value that is not finite comes up in that read alone.
struct Faulty {
    x: Mat,
    rows_at_a_time: usize,
    reads: AtomicUsize,
    fails_at: usize,
    fault: Fault,
}

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    Error,
    NotANumber,
    Infinite,
}

impl Faulty {
    fn new(x: Mat, rows_at_a_time: usize, fails_at: usize, fault: Fault) -> Self {
        Self { x, rows_at_a_time, reads: AtomicUsize::new(0), fails_at, fault }
    }
    fn sound(x: Mat, rows_at_a_time: usize) -> Self {
        Self::new(x, rows_at_a_time, usize::MAX, Fault::Error)
    }
}

impl Matrix<f64> for Faulty {
    fn shape(&self) -> (usize, usize) {
        (self.x.rows, self.x.cols)
    }
    fn stored_before(&self, row: usize) -> usize {
        row * self.x.cols
    }
    fn visit(&self, rows: Range<usize>, work: &mut Visitor<'_, f64>) -> partwise::Result<()> {
        let read = self.reads.fetch_add(1, Ordering::SeqCst);
        let broken = read == self.fails_at;
        if read >= self.fails_at && self.fault == Fault::Error {
            return Err(Error::Source { reason: "the disk is on fire".into() });
        }
        let bad = match self.fault {
            _ if !broken => None,
            Fault::Infinite => Some(f64::INFINITY),
            _ => Some(f64::NAN),
        };
        for from in rows.clone().step_by(self.rows_at_a_time) {
            let part = from..rows.end.min(from + self.rows_at_a_time);
            work(part.clone(), &Rows { x: &self.x, rows: part, bad });
        }
        Ok(())
    }
}

struct Rows<'a> {
    x: &'a Mat,
    rows: Range<usize>,
    bad: Option<f64>,
}

impl Panel<f64> for Rows<'_> {
    fn product(&self, f: View<'_, f64>, out: &mut ViewMut<'_, f64>) {
        for (at, i) in self.rows.clone().enumerate() {
            let sum = |t| self.x.row(i).iter().enumerate().map(|(j, x)| x * f.row(j)[t]).sum();
            (0..f.cols()).for_each(|t| out.row_mut(at)[t] = sum(t));
        }
        if let Some(bad) = self.bad {
            out.row_mut(0)[0] = bad;
        }
    }
    fn add_transposed(&self, f: View<'_, f64>, c: &mut ViewMut<'_, f64>) {
        for (at, i) in self.rows.clone().enumerate() {
            for (j, x) in self.x.row(i).iter().enumerate() {
                (0..f.cols()).for_each(|t| c.row_mut(j)[t] += x * f.row(at)[t]);
            }
        }
    }
    fn residual_sq(&self, w: View<'_, f64>, h: View<'_, f64>, _: &[f64], _: f64) -> f64 {
        let fitted = |at: usize, j: usize| -> f64 {
            w.row(at).iter().zip(h.row(j)).map(|(a, b)| a * b).sum()
        };
        let rows = self.rows.clone().enumerate();
        rows.flat_map(|(at, i)| (0..self.x.cols).map(move |j| (at, i, j)))
            .map(|(at, i, j)| (self.x.get(i, j) - fitted(at, j)).powi(2))
            .sum()
    }
    fn for_each(&self, row: usize, entry: &mut dyn FnMut(usize, f64)) {
        let row = self.x.row(self.rows.start + row).iter();
        row.enumerate().for_each(|(j, &x)| match self.bad {
            Some(bad) if j == 0 => entry(j, bad),
            _ => entry(j, x),
        });
    }
}

fn rows(x: &Faulty) -> Input<'_, f64> {
    Input::Rows(x)
}

#[test]
fn o19_rows_handed_out_in_any_panels_fit_as_dense() {
    for (m, n) in [(70, 9), (9, 70)] {
        let x = Mat::random(m, n, 1);
        for rule in rules() {
            let options = Options { max_iter: 10, tol: 0.0, sweeps: Some(3), ..options(3, rule) };
            let of = |at: usize| fit(rows(&Faulty::sound(x.clone(), at)), &options).unwrap();
            let whole = of(1 << 20);
            for at in [1, 7, 64] {
                // C adds up panel by panel, so its sums are in another order.
                assert!(product_distance(&of(at), &whole) < 1e-10, "{rule} {at}");
            }
            if m > n {
                let dense = fit(x.dense::<f64>(), &options).unwrap();
                assert!(product_distance(&dense, &whole) < 1e-10, "{rule}");
            }
        }
    }
}

#[test]
fn a_step_that_comes_to_nothing_is_taken_back_and_a_safer_rule_goes_on() {
    let x = Mat::random(20, 8, 2).map(|v| v + 0.05);
    // A source of rows is not read by rules that need its columns.
    for (loss, rule) in losses().filter(|(_, rule)| *rule == Rule::Mue) {
        let of = |fault, fails_at| {
            let source = Faulty::new(x.clone(), 64, fails_at, fault);
            let options = Options { loss, max_iter: 3000, tol: 1e-3, ..options(3, rule) };
            fit(rows(&source), &options).unwrap()
        };
        let clean = of(Fault::Error, usize::MAX);
        let said = Warning::StepTakenBack { rule: rule.name(), safer: Rule::Mu.name() };
        assert!(!clean.warnings.contains(&said), "{loss} {rule}");
        let mut times = 0;
        for (fault, fails_at) in [Fault::NotANumber, Fault::Infinite]
            .into_iter()
            .flat_map(|f| (8..14).map(move |at| (f, at)))
        {
            let what = format!("{loss} {rule} {fails_at}");
            let found = of(fault, fails_at);
            assert_sound(&found, &what);
            assert_eq!(found.status, Status::Converged, "{what}");
            times += usize::from(found.warnings.contains(&said));
            assert!(found.objective <= 1.2 * clean.objective, "{what}: {}", found.objective);
            for pair in found.history.windows(2) {
                let most = pair[0].objective + found.objective_bound;
                assert!(pair[1].objective <= most, "{what}: {pair:?} {}", found.objective_bound);
            }
        }
        assert!(times > 0, "{loss} {rule}: no step was taken back");
    }
}

#[test]
fn a_source_that_fails_ends_the_fit_with_its_own_words_at_any_read() {
    let x = Mat::random(20, 8, 2);
    for fails_at in 0..40 {
        let source = Faulty::new(x.clone(), 6, fails_at, Fault::Error);
        let options = Options { max_iter: 50, tol: 0.0, ..options(3, Rule::Hals) };
        let error = fit(rows(&source), &options).unwrap_err();
        assert_eq!(error, Error::Source { reason: "the disk is on fire".into() }, "{fails_at}");
        assert_eq!(error.to_string(), "reading X failed: the disk is on fire");
    }
    let source = Faulty::new(x, 6, 1, Fault::Error);
    let h = Mat::random(8, 3, 3).factor();
    assert!(matches!(transform(rows(&source), &h, &on_threads(1)), Err(Error::Source { .. })));
}

#[test]
fn l48_trouble_on_the_way_is_a_status_and_the_last_finite_iterate_is_kept() {
    let x = Mat::random(20, 8, 2);
    for fault in [Fault::NotANumber, Fault::Infinite] {
        for rule in rules() {
            let source = Faulty::new(x.clone(), 64, 12, fault);
            let options = Options { max_iter: 50, tol: 0.0, ..options(3, rule) };
            let found = fit(rows(&source), &options).unwrap();
            assert_sound(&found, rule.name());
            assert_eq!(found.status, Status::NumericalTrouble, "{rule}");
            assert!(found.iterations < 50, "{rule}: {}", found.iterations);
            let truth = objective(&x, &found);
            assert!((found.objective / truth - 1.0).abs() < 1e-12, "{rule}");
            let failed = Warning::FailedRestart { restart: 0 };
            assert!(found.warnings.contains(&failed), "{rule}: {:?}", found.warnings);
        }
    }
}

#[test]
fn l57_a_restart_in_trouble_is_left_out_and_named() {
    // Three restarts of rank 50 run two by two (2 · 50 ≤ 128); the fault spoils the first column of
    // the first pair, which is restart 0.
    let x = Mat::random(60, 55, 4);
    let options = Options { n_init: 3, max_iter: 5, tol: 0.0, ..options(50, Rule::Hals) };
    let clean = fit(rows(&Faulty::sound(x.clone(), 64)), &options).unwrap();
    let source = Faulty::new(x, 64, 9, Fault::NotANumber);
    let found = fit(rows(&source), &options).unwrap();
    let status: Vec<Status> = found.restarts.iter().map(|r| r.status).collect();
    assert_eq!(status[0], Status::NumericalTrouble, "{status:?}");
    assert_eq!(status[1..], [Status::MaxIter; 2], "{status:?}");
    assert_eq!(found.restarts[1..], clean.restarts[1..], "the others are as without the fault");
    assert!(found.warnings.contains(&Warning::FailedRestart { restart: 0 }));
    assert_sound(&found, "the restart that is left");
}

#[test]
fn a_borrowed_matrix_and_an_owned_one_are_the_same() {
    let x = Mat::random(9, 6, 1);
    let owned = fit(x.dense::<f64>(), &options(2, Rule::Hals)).unwrap();
    let borrowed = Dense::new(9, 6, Order::RowMajor, &x.values[..]).unwrap();
    assert_eq!(bits(&fit(borrowed, &options(2, Rule::Hals)).unwrap()), bits(&owned));
}
