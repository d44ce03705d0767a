//! Learning by batches: against the loop, against itself in pieces, and on planted models.

use crate::common::*;
use partwise::matrix::{Data, Weights};
use partwise::{
    Error, Factor, Input, Loss, Online, OnlineOptions, Options, Penalty, Rule, Scalar, Step, fit,
};

const BETAS: [f64; 9] = [-1.0, 0.0, 0.5, 1.0, 1.3, 1.5, 2.0, 2.5, 3.0];

fn learner(beta: f64) -> OnlineOptions {
    OnlineOptions { loss: Loss::new(beta).unwrap(), ..OnlineOptions::default() }
}

fn huber(delta: f64) -> OnlineOptions {
    OnlineOptions { loss: Loss::huber(delta).unwrap(), ..OnlineOptions::default() }
}

/// Every loss: Huber's with a δ that many residuals of entries up to 1 exceed.
fn learners() -> impl Iterator<Item = OnlineOptions> {
    BETAS.into_iter().map(learner).chain([huber(0.1)])
}

fn once(rho: f64) -> Step {
    Step { rho, w_iterations: 1, w_tol: 0.0, improve_h: true }
}

/// Rows of a matrix.
fn rows(x: &Mat, range: std::ops::Range<usize>) -> Mat {
    let values = x.values[range.start * x.cols..range.end * x.cols].to_vec();
    Mat::new(range.len(), x.cols, values)
}

/// A pass over X by batches of `size` rows.
fn pass<T: Scalar>(online: &mut Online<T>, x: &Mat, size: usize, step: &Step, kind: Kind) {
    for from in (0..x.rows).step_by(size) {
        let batch = rows(x, from..x.rows.min(from + size));
        online.step(batch.input::<T>(kind), None, step).unwrap();
    }
}

#[test]
fn whole_batches_without_memory_are_iterations_of_mu() {
    let x = Mat::random(60, 23, 1).map(|v| v + 0.05);
    let (w0, h0) = (Mat::random(60, 4, 2), Mat::random(23, 4, 3));
    let nets = [(0.0, 0.0), (0.3, 0.0), (0.0, 0.2), (0.1, 0.1)];
    for (options, (l1, l2)) in learners().flat_map(|options| nets.map(|net| (options, net))) {
        let (loss, penalty) = (options.loss, Penalty { l1, l2 });
        let options = OnlineOptions { w_penalty: penalty, h_penalty: penalty, ..options };
        let mut online = Online::<f64>::new(h0.factor(), &options).unwrap();
        let mut w = w0.factor();
        let mut costs = Vec::new();
        for _ in 0..7 {
            let (next, cost) = online.step(x.dense::<f64>(), Some(w), &once(0.0)).unwrap();
            w = next;
            costs.push(cost);
        }
        let found = fit(
            x.dense::<f64>(),
            &Options {
                rank: 4,
                loss: options.loss,
                rule: Some(Rule::Mu),
                max_iter: 7,
                tol: 0.0,
                w: Some(w0.factor()),
                h: Some(h0.factor()),
                w_penalty: Some(penalty),
                h_penalty: Some(penalty),
                ..Options::default()
            },
        )
        .unwrap();
        let apart = |a: &Factor<f64>, b: &Factor<f64>| distance(&wide(a), &wide(b));
        assert!(apart(&w, &found.w) <= 1e-12, "{loss} {penalty:?}: W");
        assert!(apart(online.h(), &found.h) <= 1e-12, "{loss} {penalty:?}: H");
        // The record of the last iteration is that after H moved.
        for (cost, record) in costs.iter().zip(&found.history).take(6) {
            let slack = 1e-12 * (record.objective.abs() + x.norm_sq());
            assert!((cost - record.objective).abs() <= slack, "{loss} {penalty:?}: {cost}");
        }
        let fell = costs.windows(2).all(|pair| pair[1] <= pair[0] * (1.0 + 1e-12));
        assert!(fell, "{loss} {penalty:?}: {costs:?}");
    }
}

#[test]
fn stopping_and_going_on_changes_no_bit() {
    fn check<T: Scalar>(x: &Mat, options: &OnlineOptions) {
        let start = || Online::<T>::new(Mat::random(x.cols, 3, 5).factor(), options).unwrap();
        let step = Step { rho: 0.8, w_iterations: 5, w_tol: 1e-2, improve_h: true };
        let mut through = start();
        pass(&mut through, x, 10, &step, Kind::RowMajor);
        let mut halted = start();
        pass(&mut halted, &rows(x, 0..30), 10, &step, Kind::RowMajor);
        let mut resumed = Online::new(halted.h().clone(), options).unwrap();
        resumed.set_statistics(halted.statistics().clone()).unwrap();
        pass(&mut resumed, &rows(x, 30..x.rows), 10, &step, Kind::RowMajor);
        assert_eq!(factor_bits(through.h()), factor_bits(resumed.h()));
        assert_eq!(through.statistics(), resumed.statistics());
    }
    let x = Mat::random(75, 19, 4).map(|v| v + 0.1);
    for x in [x.clone(), x.map(|v| v * 1e12)] {
        for options in learners().chain([huber(1e11)]) {
            check::<f64>(&x, &options);
            check::<f32>(&x, &options);
        }
        check::<f64>(&x, &OnlineOptions { rule: Rule::Hals, ..learner(2.0) });
        check::<f32>(&x, &OnlineOptions { rule: Rule::Hals, ..learner(2.0) });
    }
}

#[test]
fn dense_and_sparse_batches_give_the_same() {
    let x = Mat::sparse(80, 41, 0.2, 6);
    let mut learners: Vec<OnlineOptions> =
        learners().filter(|options| !options.loss.forbids_zeros()).collect();
    learners.push(OnlineOptions { rule: Rule::Hals, ..learner(2.0) });
    let step = Step { rho: 0.9, w_iterations: 4, w_tol: 0.0, improve_h: true };
    for options in learners {
        let after = |kind| {
            let mut online = Online::<f64>::new(Mat::random(41, 3, 7).factor(), &options).unwrap();
            (0..3).for_each(|_| pass(&mut online, &x, 16, &step, kind));
            wide(online.h())
        };
        let dense = after(Kind::RowMajor);
        for kind in Kind::ALL {
            assert!(distance(&dense, &after(kind)) <= 1e-11, "{options:?} {kind:?}");
        }
    }
}

#[test]
fn the_bits_do_not_depend_on_the_threads() {
    let x = Mat::sparse(700, 300, 0.3, 8).map(|v| v + 0.01);
    for kind in [Kind::RowMajor, Kind::Csr] {
        let hals = OnlineOptions { rule: Rule::Hals, ..learner(2.0) };
        for of in [learner(2.0), hals, learner(1.0), learner(0.5), huber(0.1)] {
            let with = |threads| {
                let options = OnlineOptions { threads, ..of };
                let start = Mat::random(300, 6, 9).factor();
                let mut online = Online::<f32>::new(start, &options).unwrap();
                let step = Step { w_iterations: 3, ..Step::default() };
                let (w, cost) = online.step(x.input::<f32>(kind), None, &step).unwrap();
                (factor_bits(&w), factor_bits(online.h()), cost.to_bits())
            };
            let one = with(1);
            assert!(one == with(2) && one == with(5), "{kind:?} {of:?}");
        }
    }
}

#[test]
fn what_is_forgotten_leaves_no_trace_and_what_is_kept_does() {
    let (old, new) = (Mat::planted(50, 20, 3, 10), Mat::planted(50, 20, 3, 20));
    let all = |v: &Mat| v.map(|v| v + 0.01);
    let (old, new) = (all(&old), all(&new));
    for options in [
        learner(2.0),
        learner(1.0),
        learner(0.0),
        huber(0.05),
        OnlineOptions { rule: Rule::Hals, ..learner(2.0) },
    ] {
        let start = Mat::random(20, 3, 11);
        let step = |rho| Step { rho, w_iterations: 20, w_tol: 0.0, improve_h: true };
        let mut online = Online::<f64>::new(start.factor(), &options).unwrap();
        (0..30).for_each(|_| pass(&mut online, &old, 10, &step(1.0), Kind::RowMajor));
        let mut fresh = Online::new(online.h().clone(), &options).unwrap();
        let mut kept = online.clone();
        online.step(new.dense::<f64>(), None, &step(0.0)).unwrap();
        fresh.step(new.dense::<f64>(), None, &step(0.0)).unwrap();
        kept.step(new.dense::<f64>(), None, &step(1.0)).unwrap();
        assert_eq!(online.statistics(), fresh.statistics());
        assert_eq!(factor_bits(online.h()), factor_bits(fresh.h()));
        let moved = |after: &Online<f64>| distance(&wide(after.h()), &wide(fresh.h()));
        assert!(moved(&kept) > 1e-3, "{options:?}");
    }
}

#[test]
fn a_planted_model_is_learnt_from_a_stream() {
    let h = Mat::sparse(30, 3, 0.4, 12).map(|v| v + 0.001);
    let (cases, step) = (
        [(Rule::Hals, 2.0), (Rule::Mu, 2.0), (Rule::Mu, 1.0)],
        Step { rho: 0.98, w_iterations: 100, w_tol: 1e-4, improve_h: true },
    );
    for (rule, beta) in cases {
        let options = OnlineOptions { rule, ..learner(beta) };
        let start = Mat::random(30, 3, 13).map(|v| v + 0.1);
        let mut online = Online::<f64>::new(start.factor(), &options).unwrap();
        for batch in 0..600 {
            let x = Mat::sparse(40, 3, 0.5, 100 + batch).times_transposed(&h);
            online.step(x.dense::<f64>(), None, &step).unwrap();
        }
        let cosine = least_cosine(&h, &wide(online.h()));
        // Multiplicative updates are slow to find W.
        let least = if rule == Rule::Hals { 0.98 } else { 0.95 };
        assert!(cosine > least, "{rule} {beta}: {cosine}");
    }
}

#[test]
fn scale_changes_nothing_but_the_scale() {
    let x = Mat::random(40, 15, 14).map(|v| v + 0.1);
    let check = |options: OnlineOptions, power: i32| {
        let after = |half: i32| {
            let unit = 2f64.powi(half);
            let (x, h) = (x.map(|v| v * unit * unit), Mat::random(15, 3, 15));
            let loss = crate::reference::times(options.loss, unit * unit);
            let h = h.map(|v| v * unit).factor();
            let mut online = Online::<f64>::new(h, &OnlineOptions { loss, ..options }).unwrap();
            pass(&mut online, &x, 10, &Step::default(), Kind::RowMajor);
            wide(online.h()).map(|v| v / unit)
        };
        let apart = distance(&after(0), &after(power));
        assert!(apart <= 1e-10, "{options:?} 2^{power}: {apart}");
    };
    check(learner(0.5), -80);
    for power in [-80, -400, 400] {
        check(learner(1.0), power);
        check(learner(2.0), power);
        check(huber(0.1), power);
        check(OnlineOptions { rule: Rule::Hals, ..learner(2.0) }, power);
    }
}

#[test]
fn batches_of_very_different_size_are_added_up() {
    let x = Mat::random(20, 9, 16).map(|v| v + 0.1);
    let hals = OnlineOptions { rule: Rule::Hals, ..learner(2.0) };
    for options in [learner(2.0), hals, learner(1.0), learner(0.5), huber(1.0)] {
        let mut online = Online::<f32>::new(Mat::random(9, 2, 17).factor(), &options).unwrap();
        for unit in [1.0, 1e-12, 1e12, 0.0, 1.0, 1e-30] {
            let (w, cost) =
                online.step(x.map(|v| v * unit).dense::<f32>(), None, &Step::default()).unwrap();
            let finite = cost.is_finite() && w.is_finite() && online.h().is_finite();
            assert!(finite, "{options:?} {unit}: {cost}, W {:?}", w.row(0));
        }
    }
}

#[test]
fn rows_and_columns_of_zeros_do_no_harm() {
    let mut x = Mat::sparse(30, 12, 0.4, 18);
    for i in 0..30 {
        x.values[i * 12 + 5] = 0.0;
    }
    x.values[24..48].fill(0.0);
    let mut later = x.clone();
    (0..30).for_each(|i| later.values[i * 12 + 5] = 2.0);
    for (rule, beta) in
        [(Rule::Mu, 2.0), (Rule::Hals, 2.0), (Rule::Mu, 1.0), (Rule::Mu, 0.5), (Rule::Mu, 1.5)]
    {
        for kind in [Kind::RowMajor, Kind::Csr] {
            let options = OnlineOptions { rule, ..learner(beta) };
            let mut online = Online::<f64>::new(Mat::random(12, 3, 19).factor(), &options).unwrap();
            let forget = Step { rho: 0.0, ..Step::default() };
            for _ in 0..3 {
                let (w, cost) = online.step(x.input::<f64>(kind), None, &forget).unwrap();
                assert!(cost.is_finite(), "{rule} {beta} {kind:?}");
                assert_eq!(w.row(2), [0.0; 3]);
                assert!(online.h().row(5).iter().all(|v| *v == 0.0), "{rule} {beta} {kind:?}");
            }
            // A column that was always zero comes to life.
            (0..30).for_each(|_| {
                let (_, cost) = online.step(later.input::<f64>(kind), None, &forget).unwrap();
                assert!(cost.is_finite(), "{rule} {beta} {kind:?}");
            });
            assert!(online.h().row(5).iter().any(|v| *v > 1e-3), "{rule} {beta} {kind:?}");
        }
    }
}

#[test]
fn weights_of_one_change_little_and_missing_entries_nothing() {
    let x = Mat::random(40, 11, 21).map(|v| v + 0.1);
    let mut holed = x.clone();
    let mut mask = Mat::from_fn(40, 11, |_, _| 1.0);
    for at in (0..440).step_by(7) {
        (holed.values[at], mask.values[at]) = (f64::NAN, 0.0);
    }
    for beta in [2.0, 1.0, 0.5] {
        let after = |x: &Mat, weights: Weights<'static, f64>| {
            let mut online =
                Online::<f64>::new(Mat::random(11, 3, 22).factor(), &learner(beta)).unwrap();
            let x = Input::from(x.dense::<f64>());
            online.step(Data { x, weights }, None, &Step { w_tol: 0.0, ..once(1.0) }).unwrap();
            wide(online.h())
        };
        let ones = Weights { rows: Some(vec![1.0; 40]), ..Weights::default() };
        assert!(distance(&after(&x, Weights::default()), &after(&x, ones)) <= 0.3);
        let by_nan = Weights { nan_missing: true, ..Weights::default() };
        let by_mask = Weights { entries: Some(mask.dense().into()), ..Weights::default() };
        assert_eq!(after(&holed, by_nan), after(&x, by_mask), "{beta}");
    }
}

#[test]
fn a_step_that_leaves_h_alone_leaves_everything_alone() {
    let x = Mat::random(20, 8, 23);
    let mut online = Online::<f64>::new(Mat::random(8, 3, 24).factor(), &learner(2.0)).unwrap();
    pass(&mut online, &x, 10, &Step::default(), Kind::RowMajor);
    let before = (online.h().clone(), online.statistics().clone());
    let look = Step { improve_h: false, ..Step::default() };
    let (w, cost) = online.step(x.dense::<f64>(), None, &look).unwrap();
    assert_eq!(before, (online.h().clone(), online.statistics().clone()));
    let fitted = wide(&w).times_transposed(&wide(online.h()));
    let error: f64 = x.values.iter().zip(&fitted.values).map(|(a, b)| (a - b) * (a - b)).sum();
    assert!((cost - 0.5 * error).abs() <= 1e-12 * error);
}

#[test]
fn bad_input_is_refused_and_nothing_moves() {
    let h = || Mat::random(8, 3, 25).factor::<f64>();
    let new = |h, options: OnlineOptions| Online::<f64>::new(h, &options).map(drop);
    let is = |found: Result<(), Error>, text: &str| {
        let found = found.unwrap_err().to_string();
        assert!(found.contains(text), "{found}");
    };
    let mut nan = h();
    nan.row_mut(2)[1] = f64::NAN;
    is(new(nan, learner(2.0)), "H[2, 1] = NaN");
    is(new(Factor::zeros(8, 3), learner(2.0)), "H is zero throughout");
    is(new(h(), OnlineOptions { rule: Rule::Bpp, ..learner(2.0) }), "rule bpp");
    is(new(h(), OnlineOptions { rule: Rule::Hals, ..learner(1.0) }), "loss kl");
    is(new(h(), OnlineOptions { sweeps: 0, ..learner(2.0) }), "sweeps = 0");
    let penalty = Penalty { l1: -1.0, l2: 0.0 };
    is(new(h(), OnlineOptions { w_penalty: penalty, ..learner(2.0) }), "w_l1");

    let mut online = Online::<f64>::new(h(), &learner(0.0)).unwrap();
    let before = (online.h().clone(), online.statistics().clone());
    let x = Mat::random(6, 8, 26).map(|v| v + 0.1);
    let mut step = |x: &Mat, w: Option<Factor<f64>>, step: Step| {
        online.step(x.dense::<f64>(), w, &step).map(drop)
    };
    let plain = Step::default();
    is(step(&x, None, Step { rho: 1.5, ..plain }), "rho = 1.5");
    is(step(&x, None, Step { rho: f64::NAN, ..plain }), "rho = NaN");
    is(step(&x, None, Step { w_iterations: 0, ..plain }), "w_iterations = 0");
    is(step(&x, None, Step { w_tol: -1.0, ..plain }), "w_tol = -1");
    is(step(&x, Some(Factor::zeros(5, 3)), plain), "W is 5 × 3, expected 6 × 3");
    is(step(&Mat::random(6, 7, 1), None, plain), "X is 6 × 7, expected 6 × 8");
    let mut bad = x.clone();
    bad.values[9] = 0.0;
    is(step(&bad, None, plain), "X[1, 1] is zero");
    bad.values[9] = -1.0;
    is(step(&bad, None, plain), "X[1, 1] = -1 is negative");
    bad.values[9] = f64::INFINITY;
    is(step(&bad, None, plain), "X[1, 1] is inf");
    assert_eq!(before, (online.h().clone(), online.statistics().clone()));

    let mut statistics = before.1.clone();
    statistics.denominator = Factor::zeros(3, 3);
    is(online.set_statistics(statistics), "the denominator is 3 × 3, expected 8 × 3");
    let mut statistics = before.1;
    statistics.numerator.row_mut(1)[2] = -1.0;
    is(online.set_statistics(statistics), "the numerator[1, 2] = -1");
    let mut exact =
        Online::<f64>::new(h(), &OnlineOptions { rule: Rule::Hals, ..learner(2.0) }).unwrap();
    let weights = Weights { rows: Some(vec![2.0; 6]), ..Weights::default() };
    let data = Data { x: x.dense::<f64>().into(), weights };
    is(exact.step(data, None, &plain).map(drop), "rule hals cannot be combined with weights");
}
