//! The elastic net on either factor under every loss.

use crate::common::*;
use crate::reference::*;
use partwise::matrix::Weights;
use partwise::{Error, Fit, Loss, Options, Penalty, Rule, Scalar, Side, Status, fit};

fn problem(loss: Loss) -> (Mat, Mat, Mat) {
    let lift = if loss.forbids_zeros() { 0.05 } else { 0.0 };
    let x = Mat::sparse(37, 14, 0.6, 1).map(|v| v + lift);
    (x, positive(37, 3, 2), positive(14, 3, 3))
}

fn charged<T: Scalar>(options: Options<T>, w: Penalty, h: Penalty) -> Options<T> {
    Options { w_penalty: Some(w), h_penalty: Some(h), ..options }
}

/// The slopes of Huber's loss are up to δ times those of squares, and so are prices that it can pay.
fn fair(loss: Loss, p: Penalty) -> Penalty {
    let unit = loss.delta().unwrap_or(1.0);
    Penalty { l1: unit * p.l1, l2: unit * p.l2 }
}

fn of(x: &Mat, options: &Options<f64>) -> Fit<f64> {
    fit(data(x, Kind::RowMajor, Weights::default()), options).unwrap()
}

const L1: Penalty = Penalty { l1: 0.3, l2: 0.0 };
const L2: Penalty = Penalty { l1: 0.0, l2: 0.4 };
const BOTH: Penalty = Penalty { l1: 0.2, l2: 0.1 };

#[test]
fn o20_a_penalty_of_nothing_changes_no_bit() {
    for by in losses() {
        let (x, w, h) = problem(by.0);
        let options = from_start::<f64>(by, (&w, &h), 10);
        let nothing = Penalty { l1: 0.0, l2: -0.0 };
        let free = charged(options.clone(), nothing, nothing);
        assert_eq!(bits(&of(&x, &options)), bits(&of(&x, &free)), "{} {}", by.0, by.1);
        let some = charged(options.clone(), L1, Penalty::NONE);
        assert_ne!(bits(&of(&x, &options)), bits(&of(&x, &some)), "{} {}", by.0, by.1);
    }
}

fn reports<T: Scalar>() {
    for by in losses() {
        for turned in [false, true] {
            let (x, ..) = problem(by.0);
            let x = if turned { x.transposed() } else { x };
            for kind in [Kind::RowMajor, Kind::Csr] {
                for (w, h) in [(L1, L1), (L2, Penalty::NONE), (BOTH, L2)] {
                    let (w, h) = (fair(by.0, w), fair(by.0, h));
                    let tol = 1e-2;
                    let base = Options { loss: by.0, max_iter: 40, tol, ..options(3, by.1) };
                    let options = charged::<T>(base, w, h);
                    let found = fit(data(&x, kind, Weights::default()), &options).unwrap();
                    let what =
                        format!("{} {} {kind:?} {turned} {w:?} {h:?} {}", by.0, by.1, T::NAME);
                    assert_sound(&found, &what);
                    let mut problem = Problem::new(&x, by.0).rounded::<T>();
                    problem.penalties = [w, h];
                    problem.assert_reported(&found, tol, &what);
                    assert!(found.objective > found.divergence, "{what}");
                    let (w, h) = (wide(&found.w), wide(&found.h));
                    let noise = 2.0 * problem.rounding::<T>(&w, &h)
                        + 8.0 * T::ROUNDOFF * (found.objective - found.divergence + x.norm_sq());
                    for pair in found.history.windows(2).filter(|_| is_monotone(by.0, by.1)) {
                        let (before, after) = (pair[0].objective, pair[1].objective);
                        assert!(after <= before + noise, "{what}: {before} → {after}");
                    }
                }
            }
        }
    }
}

#[test]
fn objective_certificate_and_descent_include_the_penalties() {
    reports::<f64>();
    reports::<f32>();
}

#[test]
fn o26_l1_on_both_factors_balances_every_component_at_a_stationary_point() {
    // JMM comes so near under β = −1 too, after 400,000 iterations.
    let ends = |(loss, rule): &(Loss, Rule)| match rule {
        Rule::Als => false,
        Rule::Jmm => loss.degree() >= 0.0,
        _ => true,
    };
    for by in losses().filter(ends) {
        let (x, w, h) = problem(by.0);
        let (of_w, of_h) = (Penalty { l1: 0.02, l2: 0.0 }, Penalty { l1: 0.05, l2: 0.0 });
        let base = Options { tol: 1e-7, ..from_start::<f64>(by, (&w, &h), 100_000) };
        let found = of(&x, &charged(base, of_w, of_h));
        let what = format!("{} {} {} {:e}", by.0, by.1, found.status, found.kkt.residual());
        // A zero that MU must raise from its floor moves nothing for a while: it may stall.
        let ended = [Status::Converged, Status::Stalled].contains(&found.status);
        assert!(ended && found.kkt.w.max(found.kkt.h) < 1e-3, "{what}");
        let (w, h) = (wide(&found.w), wide(&found.h));
        let problem = Problem { penalties: [of_w, of_h], ..Problem::new(&x, by.0) };
        let [of_w_all, of_h_all] = problem.scales(&w, &h);
        let allowed = 1.01 * (found.kkt.w * of_w_all + found.kkt.h * of_h_all) + 1e-12;
        let (w, h) = (w.transposed(), h.transposed());
        let prices: Vec<[f64; 2]> = (0..3)
            .map(|t| {
                let sum = |f: &Mat| f.row(t).iter().sum::<f64>();
                [of_w.l1 * sum(&w), of_h.l1 * sum(&h)]
            })
            .collect();
        // |Σ_i w_it(den − num)| is at most ρ_W Σ w·den, and likewise for H.
        for [w, h] in prices {
            assert!((w - h).abs() <= allowed, "{what}: {w} {h} {allowed:e}");
            assert!(w > 0.0 && (w / h - 1.0).abs() < 1e-3, "{what}: {w} {h}");
        }
    }
}

#[test]
fn l42_a_penalty_beyond_what_x_is_worth_makes_everything_zero() {
    let mut wrong = Vec::new();
    // With β > 1 the loss of W·H = 0 is finite and the pull of X on a small entry is bounded.
    for by in losses().filter(|(loss, _)| loss.degree() >= 2.0) {
        let (x, ..) = problem(by.0);
        let all = Problem::new(&x, by.0);
        let (none_w, none_h) = (Mat::new(37, 3, vec![0.0; 111]), Mat::new(14, 3, vec![0.0; 42]));
        let worth = all.divergence(&none_w, &none_h);
        for huge in [1e3, 1e6, 1e12] {
            for penalty in [
                Penalty { l1: huge, l2: 0.0 },
                Penalty { l1: huge, l2: huge },
                Penalty { l1: 0.0, l2: huge },
            ] {
                let base = Options { loss: by.0, tol: 1e-6, ..options(3, by.1) };
                let found = of(&x, &charged(base, penalty, penalty));
                let what = format!("{} {} {penalty:?} {}", by.0, by.1, found.status);
                assert_sound(&found, &what);
                let entries = [wide(&found.w).values, wide(&found.h).values].concat();
                // MU and JMM approach zero and do not reach it, and a ridge has no kink that others would.
                let approaches = matches!(by.1, Rule::Mu | Rule::Jmm) || penalty.l1 == 0.0;
                let zero = approaches || entries.iter().all(|&v| v == 0.0);
                if !zero || (found.objective / worth - 1.0).abs() >= 1e-9 {
                    wrong.push(format!("{what}: {} instead of {worth}", found.objective));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_penalty_too_large_leaves_no_start_in_place_after_plain_iterations() {
    let mut wrong = Vec::new();
    for by in losses().filter(|(loss, _)| loss.degree() >= 2.0) {
        for turned in [false, true] {
            let (x, w, h) = problem(by.0);
            let (x, w, h) = if turned { (x.transposed(), h, w) } else { (x, w, h) };
            let all = Problem::new(&x, by.0);
            let zero = |of: &Mat| of.map(|_| 0.0);
            let worth = all.divergence(&zero(&w), &zero(&h));
            let (large, small) = (Penalty { l1: 1e3, l2: 0.0 }, Penalty { l1: 0.03, l2: 0.0 });
            for (of_w, of_h) in [(large, small), (small, large), (large, large)] {
                for (plain, max_iter) in [(0, 500), (100, 500), (100, 60), (100, 3)] {
                    let base = Options { plain, ..from_start::<f64>(by, (&w, &h), max_iter) };
                    let found = of(&x, &charged(base, of_w, of_h));
                    let what = format!(
                        "{} {} {turned} {of_w:?} {of_h:?} {plain} {max_iter} {}",
                        by.0, by.1, found.status
                    );
                    assert_sound(&found, &what);
                    // Multiplicative rules come near to zero at their own pace.
                    let paced = matches!(by.1, Rule::Mu | Rule::Mue | Rule::Jmm);
                    let margin = if paced { 1e-6 } else { 1e-9 };
                    let early = paced && max_iter < 500;
                    if !early && found.objective > worth * (1.0 + margin) {
                        wrong.push(format!("{what}: {} instead of {worth}", found.objective));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

/// A least squares step between two factors that are charged in different ways is soon beyond f32; and
/// what the other factor no longer has is gone, not almost.
#[test]
fn a_large_ridge_beside_a_large_l1_leaves_nothing_and_is_no_trouble() {
    for by in losses().filter(|(loss, _)| loss.degree() >= 1.0) {
        let (x, ..) = problem(by.0);
        for huge in [1e10f32, 1e13, 1e17] {
            let ridge = Penalty { l1: 0.0, l2: f64::from(huge) };
            let l1 = Penalty { l1: f64::from(huge), l2: 0.0 };
            for (w, h) in [(ridge, l1), (l1, ridge), (l1, l1)] {
                let base =
                    Options::<f32> { loss: by.0, rule: Some(by.1), rank: 3, ..Options::default() };
                let asked = Options { w_penalty: Some(w), h_penalty: Some(h), ..base };
                let found = fit(x.dense::<f32>(), &asked).unwrap();
                let what = format!("{} {} {huge:e} {}", by.0, by.1, found.status);
                assert_sound(&found, &what);
                assert_ne!(found.status, Status::NumericalTrouble, "{what}");
                let none = |f: &partwise::Factor<f32>| f.as_slice().iter().all(|&v| v == 0.0);
                assert!(none(&found.w) == none(&found.h) || !none(&found.w), "{what}");
            }
        }
    }
}

#[test]
fn l42_a_huge_penalty_never_makes_nan_under_any_loss() {
    for by in losses() {
        let (x, ..) = problem(by.0);
        for huge in [1e3, 1e6, 1e30] {
            for (w, h) in [(huge, huge), (huge, 0.0), (0.0, huge)] {
                let of_both = |v| Penalty { l1: v, l2: v };
                let base = Options { loss: by.0, max_iter: 60, ..options(3, by.1) };
                let found = of(&x, &charged(base, of_both(w), of_both(h)));
                let what = format!("{} {} {w:e} {h:e}: {}", by.0, by.1, found.status);
                assert_sound(&found, &what);
                assert_ne!(found.status, Status::NumericalTrouble, "{what}");
            }
        }
    }
}

#[test]
fn l44_penalties_that_are_negative_or_not_finite_are_refused_by_name() {
    let (x, ..) = problem(Loss::KL);
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        let (l1, l2) = (Penalty { l1: bad, l2: 0.0 }, Penalty { l1: 0.0, l2: bad });
        let none = Penalty::NONE;
        for (w, h, name) in
            [(l1, none, "w_l1"), (l2, none, "w_l2"), (none, l1, "h_l1"), (none, l2, "h_l2")]
        {
            for loss in [Loss::KL, Loss::FROBENIUS] {
                let asked = charged(Options { loss, ..Options::default() }, w, h);
                let error = fit(x.dense::<f64>(), &asked).unwrap_err();
                assert!(matches!(error, Error::Option { option, .. } if option == name), "{error}");
                assert!(error.to_string().contains(&bad.to_string()), "{error}");
            }
        }
    }
}

#[test]
fn l1_makes_more_zeros_and_l2_smaller_norms() {
    // For 1 ≤ β ≤ 2 this is a convex problem with one factor held.
    let convex =
        |(loss, rule): &(Loss, Rule)| (1.0..=2.0).contains(&loss.degree()) && *rule != Rule::Als;
    for by in losses().filter(convex) {
        let (x, w, h) = problem(by.0);
        let base = Options { fixed: Some(Side::Columns), ..from_start::<f64>(by, (&w, &h), 3000) };
        let base = Options { tol: 1e-8, ..base };
        let found = |p: Penalty| wide(&of(&x, &charged(base.clone(), p, Penalty::NONE)).w);
        let zeros = |f: &Mat| {
            // MU approaches a zero and does not reach it.
            let largest = f.values.iter().fold(0.0f64, |m, &v| m.max(v));
            f.values.iter().filter(|&&v| v < 1e-6 * largest).count()
        };
        let at = |l1, l2| found(Penalty { l1, l2 });
        let free = at(0.0, 0.0);
        let what = format!("{} {}", by.0, by.1);
        let sparse = [free.clone(), at(1.0, 0.0), at(4.0, 0.0)];
        let counts = sparse.each_ref().map(zeros);
        assert!(counts[0] < counts[2], "{what}: zeros {counts:?}");
        let norms = [free, at(0.0, 0.5), at(0.0, 5.0)].map(|f| f.norm_sq());
        assert!(norms[0] > norms[1] && norms[1] > norms[2], "{what}: norms {norms:?}");
        let sums = sparse.map(|f| f.values.iter().sum::<f64>());
        assert!(sums[0] > sums[1] && sums[1] > sums[2], "{what}: sums {sums:?}");
    }
}

#[test]
fn rules_agree_on_the_optimum_of_a_convex_problem_with_penalties() {
    // One factor held, 1 ≤ β ≤ 2: convex, so there is one least objective.
    for held in [Side::Rows, Side::Columns] {
        for loss in [Loss::FROBENIUS, Loss::KL] {
            for (p, kind) in
                [(L1, Kind::RowMajor), (L2, Kind::Csr), (BOTH, Kind::RowMajor), (BOTH, Kind::Csr)]
            {
                let (x, w, h) = problem(loss);
                let mut least: Option<(f64, Rule)> = None;
                let rules = losses().filter(|(l, r)| *l == loss && *r != Rule::Als);
                for (_, rule) in rules {
                    let base = from_start::<f64>((loss, rule), (&w, &h), 40_000);
                    let base = Options { fixed: Some(held), tol: 1e-9, ..base };
                    let charges =
                        if held == Side::Rows { (Penalty::NONE, p) } else { (p, Penalty::NONE) };
                    let options = charged(base, charges.0, charges.1);
                    let found = fit(data(&x, kind, Weights::default()), &options).unwrap();
                    let (known, by) = *least.get_or_insert((found.objective, rule));
                    let apart = (found.objective / known - 1.0).abs();
                    assert!(apart < 1e-8, "{loss} {held:?} {p:?} {kind:?}: {rule} {by} {apart:e}");
                }
            }
        }
    }
}

#[test]
fn o15_penalties_in_units_of_x_scale_with_it_bit_for_bit() {
    for by in losses().filter(|(loss, _)| [0.0, 1.0, 2.0].contains(&loss.degree())) {
        let (x, w, h) = problem(by.0);
        let of = |j: i32| {
            let (square, root) = (4f64.powi(j), 2f64.powi(j));
            // D grows with square^β, λ₁‖F‖ with λ₁·root, λ₂‖F‖² with λ₂·square.
            let unit = square.powf(by.0.degree());
            let priced = |p: Penalty| Penalty { l1: p.l1 * unit / root, l2: p.l2 * unit / square };
            let times = |m: &Mat, s: f64| m.map(|v| v * s);
            let by = (crate::reference::times(by.0, square), by.1);
            let options = from_start(by, (&times(&w, root), &times(&h, root)), 10);
            let found = of(&times(&x, square), &charged(options, priced(BOTH), priced(L1)));
            (times(&wide(&found.w), 1.0 / root), times(&wide(&found.h), 1.0 / root))
        };
        for j in [-40, -3, 3, 11, 40] {
            assert_eq!(of(j), of(0), "{} {} 4^{j}", by.0, by.1);
        }
    }
}

#[test]
fn l43_a_penalty_is_charged_once_whatever_the_number_of_rows() {
    // Every row twice is twice the loss, so H of twice the price is H.
    for by in
        losses().filter(|(loss, rule)| (1.0..=2.0).contains(&loss.degree()) && *rule != Rule::Als)
    {
        let (x, w, h) = problem(by.0);
        let double = |m: &Mat| Mat::from_fn(2 * m.rows, m.cols, |i, j| m.get(i / 2, j));
        let of = |x: &Mat, w: &Mat, price: f64| {
            let base = Options { tol: 1e-10, ..from_start(by, (w, &h), 100_000) };
            let base = Options { fixed: Some(Side::Rows), ..base };
            let p = Penalty { l1: price * BOTH.l1, l2: price * BOTH.l2 };
            wide(&of(x, &charged(base, Penalty::NONE, p)).h)
        };
        let apart = distance(&of(&x, &w, 1.0), &of(&double(&x), &double(&w), 2.0));
        assert!(apart < 1e-6, "{} {}: {apart:e}", by.0, by.1);
    }
}

fn never_rises<T: Scalar>(by: (Loss, Rule), x: &Mat, kind: Kind, weights: &Weights<'static, T>) {
    let scale = x.values.iter().copied().fold(0.0, f64::max);
    for times in [1e-3, 1e-1, 1.0, 10.0, 1e3, 1e6] {
        let ridge = Penalty { l1: 0.0, l2: times * scale };
        let net = Penalty { l1: 0.1 * times, l2: times * scale };
        for (w, h) in [(ridge, ridge), (ridge, Penalty::NONE), (Penalty::NONE, net)] {
            let base = Options { loss: by.0, max_iter: 30, tol: 0.0, ..options(2, by.1) };
            let options = charged::<T>(base, w, h);
            let found = fit(data(x, kind, weights.clone()), &options).unwrap();
            let what = format!("{} {} {kind:?} {times:e} {}", by.0, by.1, T::NAME);
            assert_sound(&found, &what);
            let start = fit(data(x, kind, weights.clone()), &Options { max_iter: 0, ..options });
            let mut before = start.unwrap().objective;
            let noise = 2.0 * found.objective_bound;
            for record in &found.history {
                let allowed = before * (1.0 + 64.0 * T::ROUNDOFF) + noise;
                assert!(record.objective <= allowed, "{what}: {before} → {}", record.objective);
                before = record.objective;
            }
        }
    }
}

#[test]
fn no_multiplicative_step_raises_a_penalised_objective_however_large_the_penalty() {
    let multiplies = |(_, rule): &(Loss, Rule)| matches!(rule, Rule::Mu | Rule::Mue | Rule::Jmm);
    for by in losses().filter(multiplies) {
        let x = Mat::new(2, 2, vec![100.0, 50.0, 20.0, 80.0]);
        never_rises::<f64>(by, &x, Kind::RowMajor, &Weights::default());
        let (x, ..) = problem(by.0);
        let hidden = Some(Mat::random(37, 14, 9).map(|u| f64::from(u < 0.2)).csr::<f32>());
        let masked = Weights { hidden, ..Weights::default() };
        never_rises::<f32>(by, &x, Kind::RowMajor, &Weights::default());
        never_rises::<f32>(by, &x, Kind::Csr, &masked);
    }
}

#[test]
fn a_ridge_under_multiplicative_rules_ends_at_the_root_of_its_equation() {
    // X = [[x]], k = 1, both factors charged λ: w = h by symmetry, and f (q^(β−1) − x q^(β−2)) + λf = 0
    // with q = f²: q^(β−1) + λ = x q^(β−2).
    for (loss, rule) in losses().filter(|(loss, _)| loss.beta().is_some_and(|beta| beta < 2.0)) {
        for ridge in [0.01, 1.0, 30.0] {
            let beta = loss.degree();
            let slope = |q: f64| q.powf(beta - 1.0) + ridge - 7.0 * q.powf(beta - 2.0);
            let (mut low, mut high) = (1e-6, 7.0);
            for _ in 0..200 {
                let middle = 0.5 * (low + high);
                if slope(middle) < 0.0 { low = middle } else { high = middle }
            }
            let p = Penalty { l1: 0.0, l2: ridge };
            let base = Options { loss, tol: 1e-10, max_iter: 20_000, ..options(1, rule) };
            let found = of(&Mat::new(1, 1, vec![7.0]), &charged(base, p, p));
            let q = found.w.get(0, 0) * found.h.get(0, 0);
            assert!(
                (q / low - 1.0).abs() < 1e-6,
                "{loss} {rule} {ridge}: {q} {low} {}",
                found.status
            );
        }
    }
}
