//! What every rule owes on every kind of X in both precisions, alone and among restarts. A rule
//! gets all of it by being in `Rule::ALL`.

use crate::common::*;
use partwise::verify::{Objective, verify};
use partwise::{Fit, Options, Rule, Scalar, Status, Warning, fit};

/// Sparse enough for CSR to matter, taller and wider than the row blocks of a pass (32), odd.
fn problems() -> [Mat; 2] {
    let noisy = |rows, cols, seed| {
        let (planted, noise) = (Mat::planted(rows, cols, 4, seed), Mat::random(rows, cols, seed));
        Mat::from_fn(rows, cols, |i, j| match planted.get(i, j) {
            0.0 => 0.0,
            value => value + 0.1 * noise.get(i, j),
        })
    };
    [noisy(71, 37, 1), noisy(19, 83, 2)]
}

fn grid<T: Scalar>(check: impl Fn(Rule, Kind, usize, &Mat, &Fit<T>, &Options<T>)) {
    for x in problems() {
        for rule in rules() {
            for kind in Kind::ALL {
                for n_init in [1, 3] {
                    let base = options::<T>(5, rule);
                    let options = Options { n_init, max_iter: 120, tol: 1e-3, seed: 7, ..base };
                    let found = fit(x.input::<T>(kind), &options).unwrap();
                    check(rule, kind, n_init, &x, &found, &options);
                }
            }
        }
    }
}

fn sound<T: Scalar>() {
    grid::<T>(|rule, kind, n_init, _, found, _| {
        assert_sound(found, &format!("{rule} {kind:?} {n_init}"));
        assert_eq!(found.restarts.len(), n_init);
        let least = found.restarts.iter().map(|r| r.objective).fold(f64::INFINITY, f64::min);
        let winner = found.restarts.iter().find(|r| r.objective == least).unwrap();
        assert_eq!(winner.status, found.status);
        assert_eq!(winner.iterations, found.iterations);
        let numbers: Vec<usize> = found.history.iter().map(|r| r.iteration).collect();
        assert_eq!(numbers, (1..=found.iterations).collect::<Vec<_>>());
    });
}

#[test]
fn factors_are_finite_and_non_negative_and_the_record_is_whole() {
    sound::<f64>();
    sound::<f32>();
}

fn descends<T: Scalar>() {
    grid::<T>(|rule, kind, n_init, x, found, _| {
        if !rule.update::<T>(3).is_monotone() {
            return;
        }
        // The record is ½(‖X‖² − 2⟨X, WH⟩ + ‖WH‖²): each term is good to a few units of roundoff
        // of ‖X‖², whatever is left of their difference.
        let noise = 8.0 * T::ROUNDOFF * x.norm_sq();
        for pair in found.history.windows(2) {
            let (before, after) = (pair[0].objective, pair[1].objective);
            assert!(after <= before + noise, "{rule} {kind:?} {n_init}: {before} → {after}");
        }
    });
}

#[test]
fn o12_monotone_rules_never_raise_the_objective() {
    descends::<f64>();
    descends::<f32>();
}

fn agrees_with_verify<T: Scalar>() {
    // f64: the order of sums only. f32: b = X·H carries about √n units of roundoff, and ρ is a mean
    // of |1 − b/p|, so it moves by as much as that.
    let slack = if T::NAME == "f64" { 1e-12 } else { 64.0 * T::ROUNDOFF };
    grid::<T>(|rule, kind, n_init, x, found, options| {
        let what = format!("{rule} {kind:?} {n_init} {}", T::NAME);
        let check = verify(x.input::<T>(kind), &found.w, &found.h, &Objective::default()).unwrap();
        for (name, ours, theirs) in
            [("W", found.kkt.w, check.kkt.w), ("H", found.kkt.h, check.kkt.h)]
        {
            assert!(
                (ours - theirs).abs() <= 1e-6 * theirs + slack,
                "{what} {name}: {ours} {theirs}"
            );
        }
        if found.status == Status::Converged {
            let residual = check.kkt.residual();
            assert!(residual <= options.tol * 1.001 + slack, "{what}: {residual}");
        }
        let apart = (found.objective - check.objective).abs();
        let bound = found.objective_bound + check.objective_bound;
        assert!(apart <= bound, "{what}: {apart:e} > {bound:e}");
        assert!((found.relative_error - check.relative_error).abs() < 64.0 * T::ROUNDOFF, "{what}");
        let explained = (found.explained_variance - check.explained_variance).abs();
        assert!(explained < 64.0 * T::ROUNDOFF, "{what}");
    });
}

#[test]
fn r10_the_certificate_and_the_objective_agree_with_verify() {
    agrees_with_verify::<f64>();
    agrees_with_verify::<f32>();
}

fn same_bits_however_stored<T: Scalar>() {
    for x in problems() {
        for rule in rules() {
            for n_init in [1, 3] {
                let options = Options { n_init, max_iter: 40, tol: 0.0, ..options::<T>(5, rule) };
                let all = Kind::ALL.map(|kind| fit(x.input::<T>(kind), &options).unwrap());
                let what = format!("{rule} {n_init} {}", T::NAME);
                assert_eq!(bits(&all[0]), bits(&all[1]), "{what}: column-major");
                assert_eq!(bits(&all[0]), bits(&all[2]), "{what}: strided");
                assert_eq!(bits(&all[3]), bits(&all[4]), "{what}: CSR and CSC");
            }
        }
    }
}

#[test]
fn o19_the_same_values_have_the_same_bits_however_they_are_stored() {
    same_bits_however_stored::<f64>();
    same_bits_however_stored::<f32>();
}

#[test]
fn o19_dense_and_sparse_agree() {
    for x in problems() {
        for rule in rules() {
            let options = Options { max_iter: 10, tol: 0.0, sweeps: Some(3), ..options(5, rule) };
            let [dense, sparse] = [Kind::RowMajor, Kind::Csr]
                .map(|kind| fit(x.input::<f64>(kind), &options).unwrap());
            // Sums in another order, for ten iterations, each of which may amplify by a few.
            let apart = product_distance(&dense, &sparse);
            assert!(apart < 1e-9, "{rule}: {apart:e}");
        }
    }
}

#[test]
fn r6_any_number_of_threads_gives_the_same_bits() {
    // Large enough that a pass is cut into several bins and is not run serially.
    let x = Mat::sparse(700, 90, 0.3, 5);
    for rule in rules() {
        for kind in [Kind::RowMajor, Kind::Csr] {
            let of = |threads| {
                let base = options::<f32>(6, rule);
                let options = Options { threads, n_init: 2, max_iter: 8, tol: 0.0, ..base };
                let found = fit(x.input(kind), &options).unwrap();
                (bits(&found), found.objective.to_bits())
            };
            let one = of(1);
            for threads in [2, 3, 7] {
                assert_eq!(of(threads), one, "{rule} {kind:?} {threads} threads");
            }
        }
    }
}

#[test]
fn restarts_are_the_same_in_a_small_batch_and_a_large_one() {
    let base = |rule, n_init| Options { n_init, max_iter: 60, tol: 1e-3, ..options(5, rule) };
    for x in problems() {
        for rule in rules() {
            // 128 / 5 = 25 restarts run side by side, so 28 make a full batch and a rest.
            let few = fit(x.dense::<f64>(), &base(rule, 3)).unwrap();
            let many = fit(x.dense::<f64>(), &base(rule, 28)).unwrap();
            let alone = fit(x.dense::<f64>(), &base(rule, 1)).unwrap();
            assert_eq!(few.restarts[0], alone.restarts[0], "{rule}");
            assert_eq!(few.restarts[..], many.restarts[..3], "{rule}");
            let distinct: std::collections::BTreeSet<u64> =
                many.restarts.iter().map(|r| r.objective.to_bits()).collect();
            assert!(distinct.len() > 1, "{rule}: every restart ended alike");
        }
    }
}

#[test]
fn restarts_of_sparse_matrices_agree_but_for_the_cut_of_the_rows() {
    // Where sparse rows are cut depends on the width of the batch, and with it the order of sums.
    let x = &problems()[0];
    for rule in rules() {
        let base = |n_init| Options { n_init, max_iter: 10, tol: 0.0, ..options(5, rule) };
        let few = fit(x.csr::<f64>(), &base(1)).unwrap();
        let many = fit(x.csr::<f64>(), &base(9)).unwrap();
        let ratio = few.restarts[0].objective / many.restarts[0].objective;
        assert!((ratio - 1.0).abs() < 1e-9, "{rule}: {ratio}");
    }
}

#[test]
fn the_same_fit_twice_has_the_same_bits_and_another_seed_has_not() {
    let x = &problems()[0];
    for rule in rules() {
        let of =
            |seed| bits(&fit(x.dense::<f64>(), &Options { seed, ..options(4, rule) }).unwrap());
        assert_eq!(of(3), of(3), "{rule}");
        assert_ne!(of(3), of(4), "{rule}");
    }
}

#[test]
fn o13_the_checker_sees_that_als_rises() {
    let mut rises = 0;
    for seed in 0..20 {
        let x = Mat::random(20, 15, 100 + seed);
        let options = Options { seed, tol: 0.0, max_iter: 100, ..options(5, Rule::Als) };
        let found = fit(x.dense::<f64>(), &options).unwrap();
        let times = |w: &Warning| if let Warning::Rose { times, .. } = w { *times } else { 0 };
        rises += found.warnings.iter().map(times).sum::<usize>();
        // What is recorded is the best iterate so far.
        let rounding = 1e-14 * x.norm_sq();
        assert!(found.history.is_sorted_by(|a, b| b.objective <= a.objective + rounding));
        let least = found.history.iter().map(|r| r.objective).fold(f64::INFINITY, f64::min);
        // The best iterate is kept; the record is the expansion, good to 8 units of ‖X‖².
        assert!(
            (found.objective - least).abs() < 1e-14 * x.norm_sq(),
            "{} {least}",
            found.objective
        );
    }
    assert!(rises > 50, "{rises}");
}
