//! What every rule owes under every loss, on every kind of X in both precisions. A loss gets all of
//! it by its β or δ in `reference`, a rule by being in `Rule::ALL`.

use crate::common::*;
use crate::reference::*;
use partwise::matrix::Weights;
use partwise::{Fit, Loss, Options, Rule, Scalar, Status, fit};

/// Tall and wide, longer than a block of rows (32), odd; with zeros where the loss allows them.
fn problems(loss: Loss) -> [Mat; 2] {
    let of = |rows, cols, seed| {
        let (planted, noise) = (Mat::planted(rows, cols, 3, seed), Mat::random(rows, cols, seed));
        Mat::from_fn(rows, cols, |i, j| match planted.get(i, j) {
            0.0 if !loss.forbids_zeros() => 0.0,
            value => value + 0.1 * noise.get(i, j) + 0.02,
        })
    };
    [of(43, 17, 1), of(15, 45, 2)]
}

const TOL: f64 = 1e-2;

fn grid<T: Scalar>(check: impl Fn(&str, (Loss, Rule), &Mat, &Fit<T>)) {
    for (loss, rule) in losses() {
        for x in problems(loss) {
            for (kind, plain) in Kind::ALL.into_iter().flat_map(|kind| [0, 4].map(|n| (kind, n))) {
                let base = options::<T>(4, rule);
                let options = Options { loss, max_iter: 60, tol: TOL, seed: 7, plain, ..base };
                let found = fit(data(&x, kind, Weights::default()), &options).unwrap();
                let shape = format!("{}×{}", x.rows, x.cols);
                let what = format!("{loss} {rule} {kind:?} {shape} {} plain {plain}", T::NAME);
                check(&what, (loss, rule), &x, &found);
            }
        }
    }
}

fn reports<T: Scalar>() {
    let converged = std::cell::Cell::new(0);
    grid::<T>(|what, (loss, _), x, found| {
        assert_sound(found, what);
        converged.set(converged.get() + usize::from(found.status == Status::Converged));
        Problem::new(x, loss).rounded::<T>().assert_reported(found, TOL, what);
        let explained = 1.0 - found.relative_error * found.relative_error;
        assert!((found.explained_variance - explained).abs() < 1e-12, "{what}");
        assert!(found.explained_variance > 0.3, "{what}: {}", found.explained_variance);
    });
    assert!(converged.get() > 10, "only {} converged", converged.get());
}

#[test]
fn divergence_objective_and_certificate_are_those_of_the_factors() {
    reports::<f64>();
    reports::<f32>();
}

fn descends<T: Scalar>() {
    grid::<T>(|what, (loss, rule), x, found| {
        let (w, h) = (wide(&found.w), wide(&found.h));
        // Under Frobenius the record is an expansion, good to 8 units of ‖X‖².
        let noise = if loss == Loss::FROBENIUS {
            8.0 * T::ROUNDOFF * x.norm_sq()
        } else {
            2.0 * Problem::new(x, loss).rounded::<T>().rounding::<T>(&w, &h)
        };
        let last = found.history.last().unwrap().objective;
        assert!((last - found.objective).abs() <= noise, "{what}: {last} {}", found.objective);
        for pair in found.history.windows(2).filter(|_| is_monotone(loss, rule)) {
            let (before, after) = (pair[0].objective, pair[1].objective);
            assert!(after <= before + noise, "{what}: {before} → {after}, noise {noise:e}");
        }
        let first = found.history[0].objective;
        assert!(found.objective < 0.99 * first, "{what}: {first} → {}", found.objective);
    });
}

#[test]
fn o12_no_rule_raises_its_loss() {
    descends::<f64>();
    descends::<f32>();
}

fn agrees_however_stored<T: Scalar>(allowed: f64) {
    for (loss, rule) in losses() {
        for x in problems(loss) {
            let options = Options { loss, max_iter: 10, tol: 0.0, ..options::<T>(4, rule) };
            let all =
                Kind::ALL.map(|kind| fit(data(&x, kind, Weights::default()), &options).unwrap());
            let what = format!("{loss} {rule} {}", T::NAME);
            assert_eq!(bits(&all[0]), bits(&all[1]), "{what}: column-major");
            assert_eq!(bits(&all[0]), bits(&all[2]), "{what}: strided");
            assert_eq!(bits(&all[3]), bits(&all[4]), "{what}: CSR and CSC");
            if loss == Loss::FROBENIUS {
                continue; // In `conformance`: projected gradients amplify more.
            }
            // Sums in another order, for ten iterations, each of which may amplify by a few.
            let apart = product_distance(&all[0], &all[3]);
            assert!(apart < allowed, "{what}: dense and sparse differ by {apart:e}");
        }
    }
}

#[test]
fn o19_storage_changes_no_bit_among_dense_or_sparse_and_rounding_between_them() {
    agrees_however_stored::<f64>(1e-10);
    agrees_however_stored::<f32>(1e-3);
}

#[test]
fn r6_any_number_of_threads_gives_the_same_bits_under_every_loss() {
    // Large enough that a pass is cut into several bins and is not run serially.
    let sparse = Mat::sparse(700, 90, 0.3, 5);
    let full = positive(700, 90, 6);
    for (loss, rule) in losses() {
        let x = if loss.forbids_zeros() { &full } else { &sparse };
        for kind in [Kind::RowMajor, Kind::Csr] {
            let of = |threads| {
                let base = options::<f32>(5, rule);
                let options = Options { loss, threads, max_iter: 3, tol: 0.0, ..base };
                let found = fit(data(x, kind, Weights::default()), &options).unwrap();
                (bits(&found), found.objective.to_bits(), found.kkt)
            };
            let one = of(1);
            for threads in [2, 3, 7] {
                assert_eq!(of(threads), one, "{loss} {rule} {kind:?} {threads} threads");
            }
        }
    }
}

#[test]
fn restarts_under_every_loss_are_those_of_fewer_restarts_and_the_best_is_kept() {
    for (loss, rule) in losses().filter(|(_, rule)| rule.works_by_entries()) {
        let x = &problems(loss)[0];
        let of = |n_init| {
            let options =
                Options { loss, n_init, max_iter: 15, tol: 0.0, ..options::<f64>(3, rule) };
            fit(data(x, Kind::RowMajor, Weights::default()), &options).unwrap()
        };
        let (few, many) = (of(2), of(5));
        assert_eq!(few.restarts[..], many.restarts[..2], "{loss} {rule}");
        let least = many.restarts.iter().map(|r| r.objective).fold(f64::INFINITY, f64::min);
        let apart = (many.objective / least - 1.0).abs();
        assert!(apart < 1e-12, "{loss} {rule}: {} {least}", many.objective);
        let distinct: std::collections::BTreeSet<u64> =
            many.restarts.iter().map(|r| r.objective.to_bits()).collect();
        assert!(distinct.len() > 1, "{loss} {rule}: every restart ended alike");
    }
}

/// A start of the scale of X.
fn start(x: &Mat, k: usize) -> (Mat, Mat) {
    (Mat::random(x.rows, k, 91).map(|v| v + 0.1), Mat::random(x.cols, k, 92).map(|v| v + 0.1))
}

#[test]
fn extrapolated_multiplicative_steps_are_ahead_of_plain_ones() {
    for (loss, _) in losses().filter(|(_, rule)| *rule == Rule::Mue) {
        for x in problems(loss) {
            let (w, h) = start(&x, 3);
            let after = |rule| run::<f64>(&x, (loss, rule), (&w, &h), 20).divergence;
            let (plain, extrapolated) = (after(Rule::Mu), after(Rule::Mue));
            assert!(extrapolated < plain, "{loss}: {extrapolated} after {plain}");
        }
    }
}

/// γ of a multiplicative step.
fn exponent(loss: Loss) -> f64 {
    match loss.degree() {
        b if b < 1.0 => 1.0 / (2.0 - b),
        b if b > 2.0 => 1.0 / (b - 1.0),
        _ => 1.0,
    }
}

/// W ∘ (num/den)^γ with num = (x q^(β−2)) f and den = q^(β−1) g, where q = W·Hᵀ.
fn multiplied(loss: Loss, x: &Mat, (w, h): (&Mat, &Mat), (f, g): (&Mat, &Mat)) -> Mat {
    let q = w.times_transposed(h);
    // Huber's squares are weighed by ω.
    let part = |i: usize, j: usize| match loss.delta() {
        Some(delta) => (delta / (x.get(i, j) - q.get(i, j)).abs()).min(1.0),
        None => q.get(i, j).powf(loss.degree() - 2.0),
    };
    let sum = |i: usize, by: &dyn Fn(usize) -> f64, f: &dyn Fn(usize) -> f64| -> f64 {
        // A row that is zero takes no part, though powers of its fit may be infinite.
        let seen = (0..x.cols).filter(|&j| f(j) > 0.0);
        seen.map(|j| by(j) * part(i, j) * f(j)).sum()
    };
    Mat::from_fn(w.rows, w.cols, |i, t| {
        let num = sum(i, &|j| x.get(i, j), &|j| f.get(j, t));
        let den = sum(i, &|j| q.get(i, j), &|j| g.get(j, t));
        w.get(i, t) * (num / den).powf(exponent(loss))
    })
}

#[test]
fn the_first_multiplicative_step_is_that_of_the_formula() {
    // W ← W ∘ (num/den)^γ, then H likewise from the new W, whatever the loss.
    for (loss, rule) in losses().filter(|(_, rule)| *rule == Rule::Mu) {
        for x in &problems(loss) {
            let (w, h) = start(x, 3);
            let asked = Options { plain: 1, ..from_start::<f64>((loss, rule), (&w, &h), 1) };
            let found = fit(data(x, Kind::RowMajor, Weights::default()), &asked).unwrap();
            let mut new_w = multiplied(loss, x, (&w, &h), (&h, &h));
            let new_h = multiplied(loss, &x.transposed(), (&h, &new_w), (&new_w, &new_w));
            if x.cols > x.rows {
                // W is the factor that the loop ends with.
                new_w = multiplied(loss, x, (&new_w, &new_h), (&new_h, &new_h));
            }
            let apart = [distance(&wide(&found.w), &new_w), distance(&wide(&found.h), &new_h)];
            assert!(apart.iter().all(|a| *a < 1e-13), "{loss}: {apart:?}");
        }
    }
}

#[test]
fn the_first_joint_step_is_that_of_the_formula() {
    // H from the fit that W was improved in: what W grew by enters as r^a in num and r^b in den.
    for (loss, rule) in losses().filter(|(_, rule)| *rule == Rule::Jmm) {
        let x = &problems(loss)[0];
        let (w, h) = start(x, 3);
        let found = run::<f64>(x, (loss, rule), (&w, &h), 1);
        let new_w = multiplied(loss, x, (&w, &h), (&h, &h));
        let (a, b) = match loss.degree() {
            b if b < 1.0 => (b - 1.0, 1.0),
            b if b > 2.0 => (1.0, b),
            b => (b - 1.0, b),
        };
        let grown = |power: f64| {
            let r = |i: usize, t: usize| new_w.get(i, t) / w.get(i, t);
            // What a row of zeros leaves is zero, whatever its power.
            let share = |i, t| if r(i, t) > 0.0 { w.get(i, t) * r(i, t).powf(power) } else { 0.0 };
            Mat::from_fn(w.rows, w.cols, share)
        };
        let new_h = multiplied(loss, &x.transposed(), (&h, &w), (&grown(a), &grown(b)));
        let apart = [distance(&wide(&found.w), &new_w), distance(&wide(&found.h), &new_h)];
        assert!(apart.iter().all(|a| *a < 1e-13), "{loss}: {apart:?}");
    }
}
