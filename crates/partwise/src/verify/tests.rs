//! Figures against formulas written out, and every way to say the same against one.

use super::*;
use crate::matrix::{Csc, Csr, Dense, Input, Order, Weights};

const BETAS: [f64; 7] = [-1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0];

/// 3 × 4 with zeros only where `zeros`.
fn values(zeros: bool) -> Vec<f64> {
    let base = [0.5, 0.0, 2.0, 1.0, 0.0, 3.0, 0.25, 0.0, 1.5, 0.0, 0.0, 4.0];
    base.iter().map(|&v| if v == 0.0 && !zeros { 0.75 } else { v }).collect()
}

fn factors() -> (Factor<f64>, Factor<f64>) {
    let w = Factor::from_rows(3, 2, &[1.0, 0.5, 0.25, 2.0, 0.0, 1.0]);
    let h = Factor::from_rows(4, 2, &[0.5, 0.25, 1.0, 0.5, 0.25, 1.0, 2.0, 0.75]);
    (w, h)
}

fn dense(values: &[f64]) -> Input<'static, f64> {
    Dense::new(3, 4, Order::RowMajor, values.to_vec()).expect("valid").into()
}

fn csr(values: &[f64], keep: impl Fn(f64) -> bool) -> Csr<'static, f64> {
    let (mut indptr, mut indices, mut data) = (vec![0usize], Vec::new(), Vec::new());
    for row in values.chunks(4) {
        for (j, &v) in row.iter().enumerate().filter(|(_, v)| keep(**v)) {
            indices.push(j);
            data.push(v);
        }
        indptr.push(indices.len());
    }
    let indices: Vec<u32> = indices.iter().map(|&j| u32::try_from(j).expect("valid")).collect();
    Csr::new((3, 4), &indptr, indices, data).expect("valid")
}

fn of(loss: Loss) -> Objective {
    Objective { loss, ..Objective::default() }
}

/// Every β and a δ that some residuals exceed.
fn losses() -> impl Iterator<Item = Loss> {
    BETAS.map(Loss::new).into_iter().chain([Loss::huber(0.6)]).map(|loss| loss.expect("valid"))
}

fn close(a: f64, b: f64) -> bool {
    a == b || (a - b).abs() <= 1e-12 * a.abs().max(b.abs()).max(1e-3)
}

fn same(a: &Verified, b: &Verified) -> bool {
    let figures = |v: &Verified| {
        let Kkt { w, w_zeros, h, h_zeros } = v.kkt;
        [v.objective, v.divergence, v.relative_error, v.explained_variance, w, w_zeros, h, h_zeros]
    };
    a.observed == b.observed && figures(a).into_iter().zip(figures(b)).all(|(a, b)| close(a, b))
}

#[test]
fn figures_of_a_case_worked_out_by_hand() {
    // q = [1 2; 1 2].
    let x = || Dense::new(2, 2, Order::RowMajor, vec![1.0, 2.0, 0.0, 3.0]).expect("valid");
    let (w, h) = (Factor::from_rows(2, 1, &[1.0, 1.0]), Factor::from_rows(2, 1, &[1.0, 2.0]));
    let found = verify(x(), &w, &h, &of(Loss::FROBENIUS)).expect("valid");
    assert!(close(found.divergence, 1.0) && close(found.relative_error.powi(2), 1.0 / 7.0));
    // Row 0: 5 against 5; row 1: 6 against 5. Column 0: 1 against 2; column 1: 5 against 4.
    assert!(close(found.kkt.w, 1.0 / 10.0) && close(found.kkt.h, 3.0 / 10.0));
    let found = verify(x(), &w, &h, &of(Loss::KL)).expect("valid");
    let (divergence, null) =
        (3.0 * 1.5f64.ln(), 2.0 * (2.0f64 / 1.5).ln() - 1.5f64.ln() + 3.0 * 2f64.ln());
    assert!(close(found.divergence, divergence), "{}", found.divergence);
    assert!(close(found.explained_variance, 1.0 - divergence / null));
    // Row 1: 0 + 3/2·2 against 3. Column 0: 1 against 2; column 1: 1 + 3/2 against 2.
    assert!(close(found.kkt.w, 0.0) && close(found.kkt.h, (1.0 + 1.0) / (2.0 + 4.0)));
}

#[test]
fn penalties_join_the_objective_and_the_gradient() {
    let (w, h) = factors();
    for loss in losses() {
        let plain = verify(dense(&values(false)), &w, &h, &of(loss)).expect("valid");
        let (w_penalty, h_penalty) = (Penalty { l1: 0.5, l2: 0.0 }, Penalty { l1: 0.25, l2: 2.0 });
        let objective = Objective { w_penalty, h_penalty, ..of(loss) };
        let found = verify(dense(&values(false)), &w, &h, &objective).expect("valid");
        let (sum, squares) = (6.25, 0.3125 + 1.25 + 1.0625 + 4.5625);
        assert!(close(found.divergence, plain.divergence));
        assert!(close(found.objective, plain.divergence + 0.5 * 4.75 + 0.25 * sum + squares));
        assert!(found.kkt.w != plain.kkt.w && found.kkt.h != plain.kkt.h);
        // A price that makes any zero stationary.
        let steep = Penalty { l1: 1e9, l2: 0.0 };
        let objective = Objective { w_penalty: steep, ..of(loss) };
        assert_eq!(
            verify(dense(&values(false)), &w, &h, &objective).expect("valid").kkt.w_zeros,
            0.0
        );
    }
}

#[test]
fn the_kkt_residual_is_the_gradient_by_differences() {
    for loss in losses() {
        let (w, h) = factors();
        let divergence = |w: &Factor<f64>| {
            verify(dense(&values(false)), w, &h, &of(loss)).expect("valid").divergence
        };
        // With one column of W alone, slack is the gradient times the entry.
        let step = 1e-5;
        let slack: f64 = (0..3)
            .flat_map(|i| (0..2).map(move |t| (i, t)))
            .map(|(i, t)| {
                let moved = |by: f64| {
                    let mut moved = w.clone();
                    moved.row_mut(i)[t] += by;
                    divergence(&moved)
                };
                let gradient = if w.get(i, t) > step {
                    (moved(step) - moved(-step)) / (2.0 * step)
                } else {
                    0.0
                };
                (w.get(i, t) * gradient).abs()
            })
            .sum();
        let mut scale = 0.0;
        for i in 0..3 {
            for j in 0..4 {
                let q: f64 = w.row(i).iter().zip(h.row(j)).map(|(w, h)| w * h).sum();
                scale += q * super::definitions::slopes(loss, values(false)[4 * i + j], q).1;
            }
        }
        let found = verify(dense(&values(false)), &w, &h, &of(loss)).expect("valid").kkt.w;
        assert!(
            (found - slack / scale).abs() < 1e-6 * (1.0 + found),
            "{loss}: {found} {}",
            slack / scale
        );
    }
}

#[test]
fn every_storage_and_every_way_of_weighing_gives_the_same_figures() {
    let (w, h) = factors();
    let by_entry: Vec<f64> = vec![1.0, 0.0, 2.0, 1.0, 0.5, 1.0, 0.0, 1.0, 3.0, 1.0, 0.0, 1.0];
    let (rows, columns) = (vec![1.0, 2.0, 0.5], vec![1.0, 0.5, 0.0, 4.0]);
    let all: Vec<f64> = (0..12).map(|at| by_entry[at] * rows[at / 4] * columns[at % 4]).collect();
    let hidden: Vec<f64> = all.iter().map(|&p| f64::from(u8::from(p == 0.0))).collect();
    for loss in losses().filter(|loss| !loss.forbids_zeros()) {
        let x = values(true);
        let weights = Weights { entries: Some(dense(&all)), ..Weights::default() };
        let reference = verify(Data { x: dense(&x), weights }, &w, &h, &of(loss)).expect("valid");
        assert_eq!(reference.observed, all.iter().filter(|p| **p > 0.0).count());
        let turned = Csc::from_transposed(csr(&x, |v| v != 0.0).transposed());
        for x in [dense(&x), csr(&x, |v| v != 0.0).into(), Input::from(turned)] {
            for entries in [dense(&by_entry), csr(&by_entry, |v| v != 0.0).into()] {
                let (rows, columns) = (Some(rows.clone()), Some(columns.clone()));
                let hidden = Some(csr(&hidden, |v| v != 0.0));
                let weights =
                    Weights { entries: Some(entries), rows, columns, hidden, ..Weights::default() };
                let data = Data { x: x.clone(), weights };
                let found = verify(data, &w, &h, &of(loss)).expect("valid");
                assert!(same(&found, &reference), "{loss} {x:?}\n{found:?}\n{reference:?}");
            }
            // Without weights by entry the zeros of a sparse X are counted by sums.
            let by_axis = |x: Input<'static, f64>| {
                let (rows, columns) = (Some(rows.clone()), Some(columns.clone()));
                let hidden = Some(csr(&by_entry, |v| v == 0.0));
                Data { x, weights: Weights { rows, columns, hidden, ..Weights::default() } }
            };
            let reference =
                verify(by_axis(dense(&values(true))), &w, &h, &of(loss)).expect("valid");
            let found = verify(by_axis(x.clone()), &w, &h, &of(loss)).expect("valid");
            assert!(same(&found, &reference), "{loss} {x:?}\n{found:?}\n{reference:?}");
            assert_eq!(observed(by_axis(x)).expect("valid"), reference.observed);
        }
    }
}

#[test]
fn zeros_by_sums_are_zeros_one_by_one_under_frobenius_too() {
    let (w, h) = factors();
    let hidden = csr(&[0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], |v| v != 0.0);
    let weights =
        Weights { hidden: Some(hidden), rows: Some(vec![1.0, 2.0, 3.0]), ..Weights::default() };
    let data = Data { x: csr(&values(true), |v| v != 0.0).into(), weights };
    let (wide_w, wide_h) = (wide(&w, 1.0), wide(&h, 1.0));
    let sums = |by_sums: bool| {
        let entries = Entries::new(&data, by_sums);
        let weight = look(&entries, 4).expect("valid").weight;
        let (w, h) = (&wide_w, &wide_h);
        let problem = Problem {
            entries: &entries,
            loss: Loss::FROBENIUS,
            step: 1.0,
            w,
            h,
            level: 0.0,
            weight,
        };
        problem.sums().expect("valid")
    };
    let (one_by_one, by_sums) = (sums(false), sums(true));
    assert!(
        close(one_by_one.divergence.value(), by_sums.divergence.value())
            && close(one_by_one.null.value(), by_sums.null.value())
    );
    let flat = |s: &Sums| [&s.pull.0, &s.pull.1, &s.push.0, &s.push.1].map(|r| r.concat()).concat();
    assert!(flat(&one_by_one).into_iter().zip(flat(&by_sums)).all(|(a, b)| close(a, b)));
}

#[test]
fn missing_entries_are_those_that_are_said_to_be() {
    let (w, h) = factors();
    let (x, nan) = (values(true), |v: f64| if v == 0.0 { f64::NAN } else { v });
    let with_nan: Vec<f64> = x.iter().map(|&v| nan(v)).collect();
    let data = |x, nan_missing, absent_missing| Data {
        x,
        weights: Weights { nan_missing, absent_missing, ..Weights::default() },
    };
    let sparse: Input<'_, f64> = csr(&x, |v| v != 0.0).into();
    let sparse_nan: Input<'_, f64> = csr(&with_nan, |_| true).into();
    for loss in losses() {
        let reference =
            verify(data(dense(&with_nan), true, false), &w, &h, &of(loss)).expect("valid");
        assert_eq!(reference.observed, 7);
        for data in [data(sparse.clone(), false, true), data(sparse_nan.clone(), true, false)] {
            let found = verify(data, &w, &h, &of(loss)).expect("valid");
            assert!(same(&found, &reference), "{loss}\n{found:?}\n{reference:?}");
        }
    }
    let refused = verify(dense(&with_nan), &w, &h, &of(Loss::KL));
    assert!(
        matches!(refused, Err(Error::NotFinite { row: 0, col: 1, count: 5, .. })),
        "{refused:?}"
    );
}

#[test]
fn values_near_the_ends_of_the_range_give_the_same_shares() {
    let (mut w, mut h) = factors();
    let x = values(false);
    for loss in losses() {
        let (w_penalty, h_penalty) = (Penalty { l1: 0.5, l2: 0.25 }, Penalty { l1: 2.0, l2: 0.0 });
        let plain = verify(dense(&x), &w, &h, &Objective { w_penalty, h_penalty, ..of(loss) })
            .expect("valid");
        for half in [-490, 490] {
            let scaled: Vec<f64> = x.iter().map(|v| v * 4f64.powi(half)).collect();
            w.scale_by_power(half);
            h.scale_by_power(half);
            // Prices in the new units, where f64 has them.
            let price = |p: Penalty| p.in_scales((-2 * half, -half), loss.degree());
            let (w_penalty, h_penalty) = (price(w_penalty), price(h_penalty));
            let moved = |delta| Loss::huber(delta * 4f64.powi(half)).expect("valid");
            let there = loss.delta().map_or(loss, moved);
            let objective = Objective { w_penalty, h_penalty, ..of(there) };
            let found = verify(dense(&scaled), &w, &h, &objective).expect("valid");
            assert!(close(found.relative_error, plain.relative_error), "{loss} {half}");
            if w_penalty.l1 > 0.0 && w_penalty.l2 > 0.0 && w_penalty.l1.is_finite() {
                assert!(close(found.kkt.w, plain.kkt.w), "{loss} {half}: {found:?}");
            }
            w.scale_by_power(-half);
            h.scale_by_power(-half);
        }
    }
}

#[test]
fn a_zero_of_wh_below_a_positive_entry_is_infinite_and_never_nan() {
    let w = Factor::from_rows(3, 1, &[0.0, 1.0, 1.0]);
    let h = Factor::from_rows(4, 1, &[1.0, 1.0, 0.0, 1.0]);
    for loss in losses() {
        let found = verify(dense(&values(false)), &w, &h, &of(loss)).expect("valid");
        assert_eq!(found.divergence.is_infinite(), loss.degree() <= 1.0, "{loss}");
        // Beyond β = 2 nothing pulls at a zero of W·H.
        assert!(
            !found.kkt.residual().is_nan() && (loss.degree() > 2.0 || found.kkt.w_zeros > 0.0),
            "{loss} {found:?}"
        );
    }
}
