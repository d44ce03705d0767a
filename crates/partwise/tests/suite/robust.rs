//! Huber's loss: what it is at either end of δ, and that wild entries do not turn the fit. What it
//! owes as any loss does is in the suites that go through `reference::losses`.

use crate::common::*;
use crate::reference::*;
use partwise::matrix::Weights;
use partwise::{Error, Fit, Loss, Options, Penalty, Rule, Scalar, Side, Transform, fit, transform};

fn huber(delta: f64) -> Loss {
    Loss::huber(delta).unwrap()
}

/// A planted model with a little noise; and the same with a twentieth of the entries replaced by
/// values up to `wild` times the largest.
fn spoiled(rows: usize, cols: usize, density: f64, wild: f64) -> (Mat, Mat) {
    let factor = |n, seed| Mat::sparse(n, 3, density, seed);
    let planted = factor(rows, 1).times_transposed(&factor(cols, 2));
    let largest = planted.values.iter().fold(0.0f64, |m, &v| m.max(v));
    let (noise, mut rng) = (Mat::random(rows, cols, 3), Lcg::new(4));
    let mut x = Mat::from_fn(rows, cols, |i, j| match planted.get(i, j) {
        0.0 => 0.0,
        value => (value + 0.02 * (noise.get(i, j) - 0.5)).max(0.0),
    });
    for _ in 0..rows * cols / 20 {
        x.values[rng.below(rows * cols)] = wild * largest * (0.2 + 0.8 * rng.uniform());
    }
    (planted, x)
}

fn fitted<T: Scalar>(x: &Mat, kind: Kind, loss: Loss) -> Fit<T> {
    let base = options::<T>(3, Rule::Mu);
    let options = Options { loss, n_init: 4, max_iter: 3000, tol: 1e-4, ..base };
    fit(data(x, kind, Weights::default()), &options).unwrap()
}

fn product<T: Scalar>(found: &Fit<T>) -> Mat {
    wide(&found.w).times_transposed(&wide(&found.h))
}

fn recovers<T: Scalar>() {
    for (rows, cols) in [(60, 40), (35, 70)] {
        for (density, kind) in [(1.0, Kind::RowMajor), (0.7, Kind::RowMajor), (0.7, Kind::Csr)] {
            let (planted, x) = spoiled(rows, cols, density, 10.0);
            let off = |loss| distance(&product(&fitted::<T>(&x, kind, loss)), &planted);
            let (squares, robust) = (off(Loss::FROBENIUS), off(huber(0.02)));
            let what = format!("{rows}×{cols} {density} {kind:?} {}", T::NAME);
            assert!(robust < 0.05, "{what}: off by {robust:.3}");
            assert!(10.0 * robust < squares, "{what}: {robust:.3} against {squares:.3}");
        }
    }
}

#[test]
fn wild_entries_do_not_turn_the_fit() {
    recovers::<f64>();
    recovers::<f32>();
}

#[test]
fn the_components_come_back_from_under_wild_entries() {
    let h = Mat::sparse(40, 3, 0.7, 2);
    let (_, x) = spoiled(60, 40, 0.7, 10.0);
    let cosine = |loss| least_cosine(&h, &wide(&fitted::<f64>(&x, Kind::RowMajor, loss).h));
    let (squares, robust) = (cosine(Loss::FROBENIUS), cosine(huber(0.02)));
    assert!(robust > 0.99 && squares < 0.9, "{robust} against {squares}");
}

#[test]
fn a_huge_delta_is_frobenius_bit_for_bit() {
    let x = Mat::planted(43, 17, 3, 1);
    let (w, h) = (positive(43, 3, 2), positive(17, 3, 3));
    // Weights, without which Frobenius has a Gram matrix and other roundings.
    let rows = || Some((0..43).map(|i| 1.0 + f64::from(i % 3)).collect());
    let of = |loss, kind, penalty| {
        let options = from_start::<f64>((loss, Rule::Mu), (&w, &h), 30);
        let options = Options { w_penalty: Some(penalty), ..options };
        fit(data(&x, kind, Weights { rows: rows(), ..Weights::default() }), &options).unwrap()
    };
    for kind in Kind::ALL {
        for penalty in [Penalty::NONE, Penalty { l1: 0.1, l2: 0.2 }] {
            let (plain, robust) =
                (of(Loss::FROBENIUS, kind, penalty), of(huber(1e300), kind, penalty));
            assert_eq!(bits(&plain), bits(&robust), "{kind:?} {penalty:?}");
            assert_eq!(plain.objective.to_bits(), robust.objective.to_bits(), "{kind:?}");
            assert_eq!(plain.kkt, robust.kkt, "{kind:?}");
        }
    }
}

#[test]
fn a_small_delta_is_the_sum_of_errors_and_lowers_it() {
    let (_, x) = spoiled(50, 30, 1.0, 5.0);
    let errors = |found: &Fit<f64>| -> f64 {
        let q = product(found);
        x.values.iter().zip(&q.values).map(|(x, q)| (x - q).abs()).sum()
    };
    let least = errors(&fitted(&x, Kind::RowMajor, Loss::FROBENIUS));
    for delta in [1e-3, 1e-5] {
        let found = fitted::<f64>(&x, Kind::RowMajor, huber(delta));
        let (sum, entries) = (errors(&found), x.values.len() as f64);
        let share = found.divergence / delta;
        // δ|r| − ½δ² ≤ d ≤ δ|r|.
        assert!(share <= sum * (1.0 + 1e-9), "{delta}: {share} {sum}");
        assert!(share >= sum - 0.5 * delta * entries - 1e-9 * sum, "{delta}: {share} {sum}");
        assert!(sum < 0.8 * least, "{delta}: {sum} against {least}");
    }
}

#[test]
fn a_row_with_a_wild_entry_is_transformed_as_without() {
    // Nothing of H reaches the last column.
    let h = positive(25, 3, 1);
    let h = Mat::from_fn(26, 3, |j, t| if j < 25 { h.get(j, t) } else { 0.0 });
    let w = positive(9, 3, 2);
    let clean = w.times_transposed(&h);
    let mut x = clean.clone();
    (0..9).for_each(|i| x.values[26 * i + 2 * i] += 50.0);
    (0..9).for_each(|i| x.values[26 * i + 25] = 3.0);
    for (kind, weights) in [(Kind::RowMajor, false), (Kind::Csr, false), (Kind::Csr, true)] {
        let ones = weights.then(|| vec![2.0; 26]);
        let off = |loss| {
            let options = Transform { loss, tol: 1e-8, max_iter: 50_000, ..Transform::default() };
            let weights = Weights { columns: ones.clone(), ..Weights::default() };
            let found = transform(data(&x, kind, weights), &h.factor::<f64>(), &options).unwrap();
            distance(&wide(&found), &w)
        };
        let (squares, robust) = (off(Loss::FROBENIUS), off(huber(1e-3)));
        assert!(robust < 0.01 && squares > 0.3, "{kind:?}: {robust} against {squares}");
        // In other units of X and H than theirs.
        let loss = huber(1e-3 * 1e-12);
        let options = Transform { loss, tol: 1e-8, max_iter: 50_000, ..Transform::default() };
        let tiny = data(&x.map(|v| v * 1e-12), kind, Weights::default());
        let found = transform(tiny, &h.map(|v| v * 1e30).factor::<f64>(), &options).unwrap();
        assert!(distance(&wide(&found).map(|v| v * 1e42), &w) < 0.01, "{kind:?}");
    }
}

#[test]
fn what_huber_cannot_have_is_refused_by_name() {
    let x = positive(6, 5, 1);
    let of = |loss, rule| {
        let options = Options { loss, rule, ..options::<f32>(2, Rule::Mu) };
        fit(data(&x, Kind::RowMajor, Weights::default()), &options)
    };
    for rule in [Rule::Hals, Rule::Bpp, Rule::Pgd, Rule::Als, Rule::Sn] {
        let refused = of(huber(0.5), Some(rule)).unwrap_err();
        assert!(matches!(&refused, Error::Conflict { .. }), "{refused}");
        let text = refused.to_string();
        assert!(text.contains(rule.name()) && text.contains("huber:0.5"), "{text}");
    }
    assert!(of(huber(0.5), None).is_ok());
    let refused = of(huber(1e-30), None).unwrap_err();
    assert!(refused.to_string().contains("loss = huber:1e-30"), "{refused}");
    for delta in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let refused = Loss::huber(delta).unwrap_err().to_string();
        assert!(refused.contains(&delta.to_string()), "{refused}");
    }
}

#[test]
fn a_held_factor_is_held_and_the_other_one_is_robust() {
    let (_, x) = spoiled(60, 40, 0.7, 10.0);
    let h = Mat::sparse(40, 3, 0.7, 2);
    let off = |loss| {
        let options = from_start::<f64>((loss, Rule::Mu), (&positive(60, 3, 5), &h), 2000);
        let options = Options { fixed: Some(Side::Columns), ..options };
        let found = fit(data(&x, Kind::Csr, Weights::default()), &options).unwrap();
        assert_eq!(wide(&found.h), h);
        distance(&wide(&found.w), &Mat::sparse(60, 3, 0.7, 1))
    };
    let (squares, robust) = (off(Loss::FROBENIUS), off(huber(0.02)));
    assert!(10.0 * robust < squares, "{robust} against {squares}");
}

#[test]
fn errors_far_below_the_entries_are_reported_within_the_stated_bound() {
    let noise = Mat::random(40, 30, 7);
    let x = noise.map(|v| 1000.0 + v).map(|v| f64::from(v as f32));
    let found = fitted::<f32>(&x, Kind::RowMajor, huber(0.5));
    let exact = Problem::new(&x, huber(0.5)).divergence(&wide(&found.w), &wide(&found.h));
    let (apart, bound) = ((found.divergence - exact).abs(), found.objective_bound);
    assert!(apart > 0.0 && apart <= bound, "off by {apart:e}, stated bound {bound:e}");
}
