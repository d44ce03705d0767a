//! X that is taken away while it is read: everything that reads it ends at the next block of rows.

use crate::common::*;
use partwise::matrix::{Matrix, Visitor};
use partwise::verify::{Objective, verify};
use partwise::{Dense, Error, Factor, Input, Loss, Online, OnlineOptions, Options, Rule, Status};
use partwise::{Step, SvdStart, Transform, fit, svd_start, transform};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// A matrix that says stop when it is read for the time `at`.
struct Stopping {
    x: Dense<'static, f64>,
    reads: AtomicUsize,
    at: usize,
    stop: Arc<AtomicBool>,
}

impl Stopping {
    fn new(at: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(at == 0));
        Self { x: x().dense(), reads: AtomicUsize::new(0), at, stop }
    }
    fn input(&self) -> Input<'_, f64> {
        Input::Rows(self).until(Arc::clone(&self.stop))
    }
    fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }
}

impl Matrix<f64> for Stopping {
    fn shape(&self) -> (usize, usize) {
        self.x.shape()
    }
    fn stored_before(&self, row: usize) -> usize {
        self.x.stored_before(row)
    }
    fn visit(&self, rows: Range<usize>, work: &mut Visitor<'_, f64>) -> partwise::Result<()> {
        if self.reads.fetch_add(1, Ordering::SeqCst) + 1 == self.at {
            self.stop.store(true, Ordering::SeqCst);
        }
        self.x.visit(rows, work)
    }
}

fn x() -> Mat {
    Mat::random(3000, 40, 1).map(|v| v + 0.1)
}

fn factors() -> (Factor<f64>, Factor<f64>) {
    (Mat::random(3000, 3, 2).factor(), Mat::random(40, 3, 3).factor())
}

fn on_one_thread<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(work)
}

/// Stops `work` at every read it makes, as far as the first hundred: none comes after.
fn every_read_is_the_last<R: Send>(work: impl Fn(Input<'_, f64>) -> partwise::Result<R> + Sync) {
    let whole = Stopping::new(usize::MAX);
    assert!(on_one_thread(|| work(whole.input())).is_ok());
    let reads = whole.reads();
    assert!(reads >= 4, "{reads} reads show little");
    for at in (0..reads).take(100) {
        let x = Stopping::new(at);
        let found = on_one_thread(|| work(x.input()));
        assert!(matches!(found, Err(Error::Halted)), "{at} of {reads}");
        assert_eq!(x.reads(), at, "of {reads}");
    }
}

#[test]
fn what_reads_x_ends_when_its_caller_says_stop() {
    let (w, h) = factors();
    for loss in [Loss::FROBENIUS, Loss::KL] {
        every_read_is_the_last(|x| transform(x, &h, &Transform { loss, ..on_threads(0) }));
        every_read_is_the_last(|x| verify(x, &w, &h, &Objective { loss, ..Objective::default() }));
        every_read_is_the_last(|x| {
            let test = Mat::random(40, 13, 4).factor();
            let options = SvdStart { rank: 3, test, steps: 4, floor: 0.0, fill: 0.0, threads: 0 };
            svd_start(x, &options)
        });
        every_read_is_the_last(|x| {
            let options = OnlineOptions { loss, threads: 0, ..OnlineOptions::default() };
            let mut online = Online::new(h.clone(), &options)?;
            let before = online.statistics().clone();
            let found = online.step(x, None, &Step::default());
            if found.is_err() {
                assert_eq!(factor_bits(online.h()), factor_bits(&h));
                assert_eq!(online.statistics(), &before);
            }
            found
        });
    }
}

/// Sets the flag of X a little later, from another thread.
fn stopped_soon<R>(work: impl FnOnce(Input<'static, f64>) -> R) -> R {
    let stop = Arc::new(AtomicBool::new(false));
    let input = Input::from(Mat::random(3, 400, 5).map(|v| v + 0.1).dense());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(100));
            stop.store(true, Ordering::SeqCst);
        });
        work(input.until(Arc::clone(&stop)))
    })
}

#[test]
fn long_work_on_a_few_rows_ends_between_two_improvements() {
    let h: Factor<f64> = Mat::random(400, 9, 6).factor();
    let loss = Loss::KL;
    let endless = Transform { loss, tol: 0.0, max_iter: usize::MAX, ..on_threads(1) };
    let found = stopped_soon(|x| transform(x, &h, &endless));
    assert!(matches!(found, Err(Error::Halted)));
    let step = Step { w_iterations: usize::MAX, w_tol: 0.0, ..Step::default() };
    for loss in [Loss::FROBENIUS, Loss::KL] {
        let options = OnlineOptions { loss, threads: 1, ..OnlineOptions::default() };
        let mut online = Online::new(h.clone(), &options).unwrap();
        let found = stopped_soon(|x| online.step(x, None, &step));
        assert!(matches!(found, Err(Error::Halted)), "{loss}");
        assert_eq!(factor_bits(online.h()), factor_bits(&h));
    }
}

#[test]
fn a_fit_is_stopped_while_it_looks_at_x_and_returns_its_iterate_afterwards() {
    let stopped_at = |at: usize| {
        let x = Stopping::new(at);
        let stop = Some(Arc::clone(&x.stop));
        let options = Options { stop, max_iter: 3, tol: 0.0, threads: 1, ..options(2, Rule::Hals) };
        (fit(Input::Rows(&x), &options), x.reads())
    };
    let (_, reads) = stopped_at(usize::MAX);
    let mut halted = 0;
    for at in 0..reads {
        match stopped_at(at) {
            (Err(Error::Halted), reads) => {
                assert_eq!(reads, at);
                halted = at;
            }
            (found, _) => {
                let found = found.unwrap();
                let status = found.status;
                assert!(matches!(status, Status::Interrupted | Status::MaxIter), "{at} {status:?}");
                // A slow machine has no time to measure it.
                if !found.objective.is_nan() {
                    assert_sound(&found, "stopped");
                }
            }
        }
    }
    assert!(halted > 0 && halted < reads / 2, "{halted} of {reads}");
}

#[test]
fn a_stop_that_never_comes_changes_no_bit() {
    for (m, n) in [(70, 19), (19, 70)] {
        let x = Mat::sparse(m, n, 0.3, 4);
        let until = |kind| x.input::<f64>(kind).until(Arc::new(AtomicBool::new(false)));
        for kind in Kind::ALL {
            let (plain, other) = (x.input::<f64>(kind), until(kind));
            assert_eq!(other.shape(), plain.shape());
            let (kinds, stored) = ((other.kind(), plain.kind()), (other.stored(), plain.stored()));
            assert!(
                kinds.0 == kinds.1
                    && stored.0 == stored.1
                    && other.is_sparse() == plain.is_sparse()
            );
            let options = Options { max_iter: 5, ..options(3, Rule::Hals) };
            assert_eq!(bits(&fit(plain, &options).unwrap()), bits(&fit(other, &options).unwrap()));
        }
    }
}
