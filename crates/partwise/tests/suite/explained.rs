//! What share of X a fit leaves: one definition for every loss, weight and mask, and the same figures from
//! the fit, from [`measure`] and from `verify`.

use crate::common::*;
use crate::reference::*;
use partwise::matrix::Weights;
use partwise::verify::{Objective, verify};
use partwise::{Loss, Options, Scalar, fit, measure};

/// Ways to weigh entries, each with the weight of every entry that it comes to.
fn weighings<T: Scalar>(rows: usize, cols: usize) -> Vec<(&'static str, Weights<'static, T>, Mat)> {
    let p = Mat::random(rows, cols, 41).map(|v| (4.0 * v).exp2() / 4.0);
    let hides = |i: usize, j: usize| (3 * i + 7 * j + i * j).is_multiple_of(5);
    let hidden = Mat::from_fn(rows, cols, |i, j| f64::from(hides(i, j)));
    let shown = hidden.map(|v| 1.0 - v);
    let of_rows: Vec<f64> = (0..rows).map(|i| 0.25 * (1 + i % 5) as f64).collect();
    let of_cols: Vec<f64> = (0..cols).map(|j| 0.5 * (1 + j % 3) as f64).collect();
    let in_t = |v: &[f64]| Some(v.iter().map(|&v| T::from_f64(v)).collect());
    let none = Weights::default;
    vec![
        ("none", none(), p.map(|_| 1.0)),
        ("mask", Weights { hidden: Some(hidden.csr()), ..none() }, shown.clone()),
        (
            "0 and 1",
            Weights { entries: Some(shown.input(Kind::RowMajor)), ..none() },
            shown.clone(),
        ),
        ("listed", Weights { entries: Some(shown.input(Kind::Csr)), ..none() }, shown.clone()),
        ("entries", Weights { entries: Some(p.input(Kind::RowMajor)), ..none() }, p.clone()),
        (
            "rows, columns and a mask",
            Weights {
                hidden: Some(hidden.csr()),
                rows: in_t(&of_rows),
                columns: in_t(&of_cols),
                ..none()
            },
            Mat::from_fn(rows, cols, |i, j| shown.get(i, j) * of_rows[i] * of_cols[j]),
        ),
    ]
}

/// D₀ by the definition: WH = 0 under Frobenius, the weighted mean under any other loss.
fn null(problem: &Problem) -> f64 {
    let (x, p) = (&problem.x, &problem.p);
    let weight: f64 = p.values.iter().sum();
    let weighed: f64 = p.values.iter().zip(&x.values).map(|(p, x)| p * x).sum();
    let level = if problem.loss == Loss::FROBENIUS { 0.0 } else { weighed / weight };
    let ones = |n: usize| Mat::from_fn(n, 1, |_, _| 1.0);
    problem.divergence(&ones(x.rows).map(|v| v * level), &ones(x.cols))
}

#[track_caller]
fn shares_agree<T: Scalar>(x: &Mat, by_rows: bool) {
    let x = if by_rows { x.clone() } else { x.transposed() };
    let mut wrong = Vec::new();
    for (loss, rule) in weighted_losses() {
        for (name, weights, p) in weighings::<T>(x.rows, x.cols) {
            for kind in [Kind::RowMajor, Kind::ColumnMajor, Kind::Csr] {
                let base: Options<T> = options(2, rule);
                let found =
                    fit(data(&x, kind, weights.clone()), &Options { loss, max_iter: 7, ..base })
                        .unwrap();
                let problem = Problem::new(&x, loss).weighing(&p).rounded::<T>();
                let (w, h) = (wide(&found.w), wide(&found.h));
                let share = problem.divergence(&w, &h) / null(&problem);
                let checked = verify(
                    data(&x, kind, weights.clone()),
                    &found.w,
                    &found.h,
                    &Objective { loss, ..Objective::default() },
                )
                .unwrap();
                let measured =
                    measure(data(&x, kind, weights.clone()), &found.w, &found.h, loss, 1).unwrap();
                let slack = problem.rounding::<T>(&w, &h) / null(&problem) + 1e-9;
                let figures = [
                    ("fit", found.relative_error, found.explained_variance),
                    ("verify", checked.relative_error, checked.explained_variance),
                    ("measure", measured.relative_error, measured.explained_variance),
                ];
                for (who, error, explained) in figures {
                    if (error * error - share).abs() > slack
                        || (1.0 - explained - share).abs() > slack
                    {
                        wrong.push(format!(
                            "{loss} {rule} {name} {kind:?} {who}: {} and {}, not {share}",
                            error * error,
                            1.0 - explained
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} {}:\n{}", wrong.len(), T::NAME, wrong.join("\n"));
}

#[test]
fn the_share_left_is_one_definition_for_every_loss_and_weight() {
    let x = positive(23, 11, 7);
    shares_agree::<f64>(&x, true);
    shares_agree::<f64>(&x, false);
    shares_agree::<f32>(&x, true);
}

/// Values of 10 to 11: their spread about the mean is 1/1300 of their square, which is no norm of X.
#[test]
fn the_share_left_of_a_table_far_from_zero_is_beside_its_norm() {
    let x = Mat::random(40, 12, 3).map(|v| 10.0 + v);
    for scale in [1.0, 2f64.powi(60), 2f64.powi(-60)] {
        shares_agree::<f64>(&x.map(|v| v * scale), true);
    }
    let hidden = Mat::from_fn(40, 12, |i, j| f64::from((i + j).is_multiple_of(3)));
    let weights = Weights { hidden: Some(hidden.csr()), ..Weights::default() };
    let of_mask = fit(
        data::<f64>(&x, Kind::RowMajor, weights),
        &Options::<f64> { rank: 2, ..Options::default() },
    )
    .unwrap();
    assert!(of_mask.relative_error < 0.03, "{}", of_mask.relative_error);
}
