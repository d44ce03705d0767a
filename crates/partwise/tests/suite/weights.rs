//! Weights of entries, rows and columns, and entries that are hidden, under every loss whose rules
//! can have them.

use crate::common::*;
use crate::reference::*;
use partwise::matrix::Weights;
use partwise::{Csr, Error, Fit, Loss, Options, Rule, Scalar, Side, fit};

/// A mask of the entries that `hides` says are missing.
fn mask<T: Scalar>(
    rows: usize,
    cols: usize,
    hides: impl Fn(usize, usize) -> bool,
) -> Csr<'static, T> {
    Mat::from_fn(rows, cols, |i, j| f64::from(hides(i, j))).csr()
}

fn row_of<T: Scalar>(values: &[f64]) -> Option<Vec<T>> {
    Some(values.iter().map(|&v| T::from_f64(v)).collect())
}

/// Every way to say that every entry weighs 1 and none is missing.
fn ones<T: Scalar>(x: &Mat) -> Vec<(&'static str, Weights<'static, T>)> {
    let one = x.map(|_| 1.0);
    let none = Weights::default;
    vec![
        ("dense weights", Weights { entries: Some(one.input(Kind::RowMajor)), ..none() }),
        ("weights by columns", Weights { entries: Some(one.input(Kind::ColumnMajor)), ..none() }),
        ("sparse weights", Weights { entries: Some(one.input(Kind::Csr)), ..none() }),
        ("row weights", Weights { rows: row_of(&vec![1.0; x.rows]), ..none() }),
        ("column weights", Weights { columns: row_of(&vec![1.0; x.cols]), ..none() }),
        ("mask", Weights { hidden: Some(mask(x.rows, x.cols, |_, _| false)), ..none() }),
        ("nan_missing", Weights { nan_missing: true, ..none() }),
    ]
}

fn problem(loss: Loss, turned: bool) -> (Mat, Mat, Mat) {
    let lift = if loss.forbids_zeros() { 0.05 } else { 0.0 };
    let x = Mat::sparse(37, 14, 0.6, 1).map(|v| v + lift);
    let (w, h) = (positive(37, 3, 2), positive(14, 3, 3));
    if turned { (x.transposed(), h, w) } else { (x, w, h) }
}

#[track_caller]
fn same_bits_as_unweighted<T: Scalar>(which: impl Fn(Loss) -> bool) {
    let mut wrong = Vec::new();
    for by in weighted_losses().filter(|(loss, _)| which(*loss)) {
        for turned in [false, true] {
            let (x, w, h) = problem(by.0, turned);
            for kind in [Kind::RowMajor, Kind::Csr, Kind::Csc] {
                let options = from_start::<T>(by, (&w, &h), 10);
                let plain = fit(data(&x, kind, Weights::default()), &options).unwrap();
                for (name, weights) in ones(&x) {
                    let found = fit(data(&x, kind, weights), &options).unwrap();
                    let apart = product_distance(&plain, &found);
                    if bits(&plain) != bits(&found) || plain.kkt != found.kkt {
                        wrong.push(format!(
                            "{} {} {kind:?} {turned} {name}: {apart:.1e}",
                            by.0, by.1
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} {}:\n{}", wrong.len(), T::NAME, wrong.join("\n"));
}

#[test]
fn o20_weight_one_everywhere_has_the_same_bits_as_no_weights() {
    same_bits_as_unweighted::<f64>(|loss| loss != Loss::FROBENIUS);
    same_bits_as_unweighted::<f32>(|loss| loss != Loss::FROBENIUS);
}

#[test]
fn o20_weight_one_everywhere_has_the_same_bits_as_no_weights_under_frobenius() {
    same_bits_as_unweighted::<f64>(|loss| loss == Loss::FROBENIUS);
    same_bits_as_unweighted::<f32>(|loss| loss == Loss::FROBENIUS);
}

/// One entry in four or so, never a whole row or column.
fn hides(i: usize, j: usize) -> bool {
    (7 * i + 5 * j + i * j) % 4 == 1 && i != j
}

/// X stored in full with hidden values all over, so that `kind` has one structure for all of them.
fn with_hidden(x: &Mat, value: impl Fn(usize) -> f64) -> Mat {
    let at = |i: usize, j: usize| i * x.cols + j;
    Mat::from_fn(x.rows, x.cols, |i, j| if hides(i, j) { value(at(i, j)) } else { x.get(i, j) })
}

#[test]
fn what_is_hidden_changes_no_bit_whatever_its_value() {
    for by in weighted_losses() {
        for turned in [false, true] {
            let (x, w, h) = problem(by.0, turned);
            let (m, n) = (x.rows, x.cols);
            let observed = Mat::from_fn(m, n, |i, j| f64::from(!hides(i, j)));
            let none = Weights::default;
            let ways: [(&str, Weights<'static, f64>); 3] = [
                ("mask", Weights { hidden: Some(mask(m, n, hides)), ..none() }),
                ("weight 0", Weights { entries: Some(observed.input(Kind::RowMajor)), ..none() }),
                ("sparse weights", Weights { entries: Some(observed.input(Kind::Csr)), ..none() }),
            ];
            for (name, weights) in &ways {
                for kind in [Kind::RowMajor, Kind::Csr] {
                    let of = |value: &dyn Fn(usize) -> f64, nan_missing| {
                        let mut options = from_start(by, (&w, &h), 10);
                        options.w = None;
                        options.h = None;
                        let weights = Weights { nan_missing, ..weights.clone() };
                        let found = fit(data(&with_hidden(&x, value), kind, weights), &options);
                        let found = found.unwrap_or_else(|e| panic!("{name} {kind:?}: {e}"));
                        let words = (found.objective.to_bits(), found.kkt, found.relative_error);
                        (bits(&found), words)
                    };
                    let base = of(&|_| 1.0, false);
                    for value in [0.5, 1e30, 1e-30, f64::NAN, f64::INFINITY, -3.0] {
                        let what = format!("{} {} {name} {kind:?} {turned} {value:e}", by.0, by.1);
                        assert_eq!(of(&|_| value, false), base, "{what}");
                        assert_eq!(of(&|at| value * (at % 3 + 1) as f64, false), base, "{what}");
                    }
                    assert_eq!(of(&|_| f64::NAN, true), of(&|_| 2.0, true), "{name} {kind:?}");
                }
            }
        }
    }
}

#[test]
fn nan_that_is_missing_is_as_the_same_entries_hidden() {
    for by in weighted_losses() {
        for kind in [Kind::RowMajor, Kind::Csr] {
            let (x, w, h) = problem(by.0, false);
            let options = from_start::<f64>(by, (&w, &h), 10);
            let nan = with_hidden(&x, |_| f64::NAN);
            let found = fit(
                data(&nan, kind, Weights { nan_missing: true, ..Weights::default() }),
                &options,
            );
            let hidden = Some(mask(x.rows, x.cols, hides));
            let masked =
                data(&with_hidden(&x, |_| 1.0), kind, Weights { hidden, ..Weights::default() });
            let apart = product_distance(&found.unwrap(), &fit(masked, &options).unwrap());
            assert!(apart < 1e-11, "{} {} {kind:?}: {apart:e}", by.0, by.1);
        }
    }
}

/// Weights of every sort at once, and what each entry weighs by them.
fn mixed<T: Scalar>(x: &Mat, sparse: bool) -> (Weights<'static, T>, Mat) {
    let (rows, cols) = (Mat::random(x.rows, 1, 7), Mat::random(x.cols, 1, 8));
    let entries = Mat::random(x.rows, x.cols, 9).map(|v| if v < 0.2 { 0.0 } else { 2.0 * v });
    let round = |v: f64| T::from_f64(v).to_f64();
    let [rows, cols] = [rows, cols].map(|m| m.map(|v| round(v + 0.5)));
    let entries = entries.map(round);
    let kind = if sparse { Kind::Csr } else { Kind::RowMajor };
    let p = Mat::from_fn(x.rows, x.cols, |i, j| {
        let seen = f64::from(!hides(i, j));
        seen * entries.get(i, j) * rows.values[i] * cols.values[j]
    });
    let weights = Weights {
        entries: Some(entries.input(kind)),
        hidden: Some(mask(x.rows, x.cols, hides)),
        rows: row_of(&rows.values),
        columns: row_of(&cols.values),
        ..Weights::default()
    };
    (weights, p)
}

fn reports<T: Scalar>() {
    for by in weighted_losses() {
        for turned in [false, true] {
            let (x, ..) = problem(by.0, turned);
            for kind in Kind::ALL {
                let tol = 2e-2;
                let base = Options { loss: by.0, max_iter: 40, tol, ..options::<T>(3, by.1) };
                let (all, p) = mixed::<T>(&x, false);
                let (listed, _) = mixed::<T>(&x, true);
                let lines = Weights { entries: None, ..all.clone() };
                let (Some(rows), Some(cols)) = (&all.rows, &all.columns) else { unreachable!() };
                let of_lines = Mat::from_fn(x.rows, x.cols, |i, j| {
                    f64::from(!hides(i, j)) * rows[i].to_f64() * cols[j].to_f64()
                });
                let absent = Weights { absent_missing: true, ..Weights::default() };
                let is_sparse = matches!(kind, Kind::Csr | Kind::Csc);
                let stored = x.map(|v| f64::from(v > 0.0 || !is_sparse));
                let ways = [
                    ("all", all, &p),
                    ("listed", listed, &p),
                    ("lines", lines, &of_lines),
                    ("absent", absent, &stored),
                ];
                for (name, weights, p) in ways {
                    let found: Fit<T> = fit(data(&x, kind, weights), &base).unwrap();
                    let what = format!("{} {} {kind:?} {turned} {name} {}", by.0, by.1, T::NAME);
                    assert_sound(&found, &what);
                    let problem = Problem::new(&x, by.0).weighing(p).rounded::<T>();
                    problem.assert_reported(&found, tol, &what);
                    let (w, h) = (wide(&found.w), wide(&found.h));
                    let noise = 2.0 * problem.rounding::<T>(&w, &h);
                    for pair in found.history.windows(2) {
                        let (before, after) = (pair[0].objective, pair[1].objective);
                        assert!(after <= before + noise, "{what}: {before} → {after}");
                    }
                }
            }
        }
    }
}

#[test]
fn divergence_certificate_and_descent_hold_with_weights_of_every_sort() {
    reports::<f64>();
    reports::<f32>();
}

/// A fit whose row weights are multiplied by `scale`.
fn with_weights_times(by: (Loss, Rule), kind: Kind, scale: f64) -> Result<Fit<f64>, Error> {
    let (x, w, h) = problem(by.0, false);
    let (mut weights, _) = mixed::<f64>(&x, false);
    weights.rows = weights.rows.map(|r| r.iter().map(|v| v * scale).collect());
    fit(data(&x, kind, weights), &from_start(by, (&w, &h), 10))
}

#[test]
fn weights_twice_as_large_everywhere_change_no_bit_of_the_factors() {
    for by in weighted_losses() {
        // Powers of q are exact in scale for these; roots are not, in the factorisation of a Gram matrix.
        let exact = [0.0, 1.0, 2.0].contains(&by.0.degree()) && by.1 != Rule::Bpp;
        for kind in [Kind::RowMajor, Kind::Csr] {
            let base = with_weights_times(by, kind, 1.0).unwrap();
            for power in [1, -60, 90] {
                let found = with_weights_times(by, kind, 2f64.powi(power)).unwrap();
                let what = format!("{} {} {kind:?} 2^{power}", by.0, by.1);
                let apart = product_distance(&found, &base);
                assert!(apart < 1e-12, "{what}: {apart:e}");
                assert!(!exact || bits(&found) == bits(&base), "{what}: {apart:e}");
            }
        }
    }
}

#[test]
fn tiny_and_huge_weights_are_weights() {
    let mut wrong = Vec::new();
    for by in weighted_losses() {
        for kind in [Kind::RowMajor, Kind::Csr] {
            let base = with_weights_times(by, kind, 1.0).unwrap();
            for scale in [1e-30, 1e-150, 1e30, 1e150] {
                let what = format!("{} {} {kind:?} {scale:e}", by.0, by.1);
                let found = match with_weights_times(by, kind, scale) {
                    Ok(found) => found,
                    Err(error) => {
                        wrong.push(format!("{what}: {error}"));
                        continue;
                    }
                };
                let apart = product_distance(&found, &base);
                let ratio = found.divergence / scale / base.divergence - 1.0;
                let sound = [&found.w, &found.h].into_iter().all(|f| f.is_finite());
                if !sound || apart.is_nan() || apart.max(ratio.abs()) >= 1e-9 {
                    let off = format!("factors off by {apart:.1e}, divergence by {ratio:.1e}");
                    wrong.push(format!("{what}: {}, {off}", found.status));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn o18_a_row_given_several_times_is_a_row_that_weighs_as_much() {
    // Under Frobenius hals and bpp take another path where rows weigh; see below.
    let same_path = |(loss, rule): &(Loss, Rule)| *loss != Loss::FROBENIUS || *rule == Rule::Mu;
    for by in weighted_losses().filter(same_path) {
        for (kind, turned) in [(Kind::RowMajor, false), (Kind::RowMajor, true), (Kind::Csr, false)]
        {
            let (x, w, h) = problem(by.0, turned);
            let times = |i: usize| i % 3 + 1;
            let order: Vec<usize> = (0..x.rows).flat_map(|i| vec![i; times(i)]).collect();
            let (cols, parts): (Vec<_>, Vec<_>) = ((0..x.cols).collect(), (0..3).collect());
            let many = (x.permuted(&order, &cols), w.permuted(&order, &parts));
            // Iterations enough to see a difference and too few to amplify rounding.
            let counts: Vec<f64> = (0..x.rows).map(|i| times(i) as f64).collect();
            let weights = Weights { rows: row_of(&counts), ..Weights::default() };
            let weighed =
                fit(data(&x, kind, weights), &from_start::<f64>(by, (&w, &h), 6)).unwrap();
            let options = from_start::<f64>(by, (&many.1, &h), 6);
            let repeated = fit(data(&many.0, kind, Weights::default()), &options).unwrap();
            let apart = distance(&wide(&weighed.h), &wide(&repeated.h))
                .max(distance(&wide(&weighed.w).permuted(&order, &parts), &wide(&repeated.w)));
            assert!(apart < 1e-10, "{} {} {kind:?} {turned}: {apart:e}", by.0, by.1);
            let ratio = weighed.divergence / repeated.divergence - 1.0;
            assert!(ratio.abs() < 1e-9, "{} {}: {ratio:e}", by.0, by.1);
        }
    }
}

#[test]
fn o18_least_squares_of_repeated_rows_is_that_of_rows_that_weigh() {
    for by in weighted_losses().filter(|(loss, _)| *loss == Loss::FROBENIUS) {
        let (x, w, h) = problem(by.0, false);
        let counts: Vec<f64> = (0..x.rows).map(|i| (i % 3 + 1) as f64).collect();
        let order: Vec<usize> = (0..x.rows).flat_map(|i| vec![i; i % 3 + 1]).collect();
        let (cols, parts): (Vec<_>, Vec<_>) = ((0..x.cols).collect(), (0..3).collect());
        let of = |x: &Mat, w: &Mat, weights| {
            let base = Options { tol: 1e-13, ..from_start::<f64>(by, (w, &h), 50_000) };
            let options = Options { fixed: Some(Side::Rows), ..base };
            wide(&fit(data(x, Kind::RowMajor, weights), &options).unwrap().h)
        };
        let weighed = of(&x, &w, Weights { rows: row_of(&counts), ..Weights::default() });
        let many = (x.permuted(&order, &cols), w.permuted(&order, &parts));
        let apart = distance(&weighed, &of(&many.0, &many.1, Weights::default()));
        // MU approaches a zero like 1/iterations.
        let allowed = if by.1 == Rule::Mu { 1e-4 } else { 1e-9 };
        assert!(apart < allowed, "{}: {apart:e}", by.1);
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits_with_weights() {
    let x = Mat::sparse(700, 60, 0.3, 5).map(|v| v + 0.01);
    let (weights, _) = mixed::<f32>(&x, false);
    let lines = Weights { entries: None, ..weights.clone() };
    for by in weighted_losses().filter(|(loss, _)| loss.degree() >= 1.0) {
        for (kind, weights) in [(Kind::RowMajor, &weights), (Kind::Csr, &lines)] {
            let of = |threads| {
                let base = options::<f32>(4, by.1);
                let options = Options { loss: by.0, threads, max_iter: 3, tol: 0.0, ..base };
                let found = fit(data(&x, kind, weights.clone()), &options).unwrap();
                (bits(&found), found.objective.to_bits())
            };
            let one = of(1);
            for threads in [2, 3, 7] {
                assert_eq!(of(threads), one, "{} {} {kind:?} {threads}", by.0, by.1);
            }
        }
    }
}
