//! β-divergences against integrals and plain powers.

use super::everywhere;
use crate::kernel::beta_divergence::{slopes, total};
use crate::scalar::Scalar;

/// ∫ (t^(β−1) − x t^(β−2)) dt from x to q: Gauss's rule of 5 points on pieces of the logarithm of t.
fn integral(beta: f64, x: f64, q: f64) -> f64 {
    const POINTS: [(f64, f64); 5] = [
        (0.0, 0.568_888_888_888_888_9),
        (0.538_469_310_105_683, 0.478_628_670_499_366_47),
        (-0.538_469_310_105_683, 0.478_628_670_499_366_47),
        (0.906_179_845_938_664, 0.236_926_885_056_189_08),
        (-0.906_179_845_938_664, 0.236_926_885_056_189_08),
    ];
    let (from, to, pieces) = (0.0, (q / x).ln(), 400);
    let half = 0.5 * (to - from) / f64::from(pieces);
    let mut sum = 0.0;
    for piece in 0..pieces {
        let middle = from + half * (2.0 * f64::from(piece) + 1.0);
        for (at, weight) in POINTS {
            let log = middle + half * at;
            // With t = x e^l: x^β e^((β−1)l) (e^l − 1) dl.
            sum += weight * half * ((beta - 1.0) * log).exp() * log.exp_m1();
        }
    }
    sum * x.powf(beta)
}

const BETAS: [f64; 11] = [-1.3, -1.0, -0.5, 0.0, 0.3, 0.5, 1.5, 1.7, 2.5, 3.0, 4.0];

#[test]
fn the_sum_is_the_integral_of_the_slope() {
    everywhere(|| {
        for beta in BETAS {
            for (x, factor) in [
                (0.7, 1.0 + 1e-7),
                (3.0, 0.997),
                (2.0, 1.02),
                (0.1, 0.4),
                (1e-3, 900.0),
                (5.0, 1e-3),
            ] {
                let q = x * factor;
                // Seventy entries: a whole chunk and a part.
                let (xs, qs) = (vec![x; 70], vec![q; 70]);
                let found = total(beta, (&xs, &qs, None), |_, _| f64::NAN) / 70.0;
                let want = integral(beta, x, q);
                assert!((found / want - 1.0).abs() < 1e-8, "{beta} {x} {q}: {found:e} {want:e}");
                let p: Vec<f64> = (0..70).map(|at| f64::from(at % 3)).collect();
                let weighed = total(beta, (&xs, &qs, Some(&p)), |_, _| f64::NAN);
                let sum: f64 = p.iter().sum();
                assert!((weighed / want / sum - 1.0).abs() < 1e-8, "{beta} {x} {q}");
            }
            assert_eq!(total(beta, (&[0.3], &[0.3], None), |_, _| f64::NAN), 0.0, "{beta}");
        }
    });
}

#[test]
fn slopes_are_those_of_powers() {
    fn check<T: Scalar>() {
        for beta in BETAS {
            let x: Vec<T> = (0..70).map(|at| T::from_f64(f64::from(at % 7) * 0.3)).collect();
            let fitted: Vec<T> = (0..70).map(|at| T::from_f64(f64::from(at % 11) * 0.2)).collect();
            let (mut ratio, mut weight) = (fitted.clone(), vec![T::ZERO; 70]);
            slopes(beta, &x, &mut ratio, &mut weight);
            for at in 0..70 {
                let [x, q, ratio, weight] =
                    [x[at], fitted[at], ratio[at], weight[at]].map(Scalar::to_f64);
                let (mut of_ratio, mut of_weight) = (x * q.powf(beta - 2.0), q.powf(beta - 1.0));
                if x == 0.0 || (q == 0.0 && beta > 1.0) {
                    of_ratio = 0.0;
                }
                if q == 0.0 {
                    of_weight = 0.0;
                }
                for (found, want) in [(ratio, of_ratio), (weight, of_weight)] {
                    let most = (2.0 * beta.abs() + 10.0) * T::ROUNDOFF * want;
                    assert!(
                        found == want || (found - want).abs() <= most,
                        "{beta} {x} {q}: {found} {want}"
                    );
                }
            }
        }
    }
    everywhere(|| {
        check::<f32>();
        check::<f64>();
    });
}

#[test]
fn slopes_are_in_range_where_they_can_be() {
    for (beta, x, q, want) in [
        (1.5, 1.0, 1e-310, 1e155),
        (3.0, 1.0, 1e-200, 1e-200),
        (0.0, 1e-200, 1e-200, 1e200),
        (0.5, 1e-250, 1e-250, 1e125),
    ] {
        let (mut ratio, mut weight) = ([q], [0.0]);
        slopes(beta, &[x], &mut ratio, &mut weight);
        let apart: f64 = ratio[0] / want - 1.0;
        assert!(apart.abs() < 1e-12, "{beta} {x:e} {q:e}: {:e}", ratio[0]);
    }
}

#[test]
fn what_is_not_a_number_stays_so() {
    everywhere(|| {
        for beta in BETAS {
            for (x, q) in [(f64::NAN, 1.0), (1.0, f64::NAN)] {
                let (mut ratio, mut weight) = ([q], [0.0]);
                slopes(beta, &[x], &mut ratio, &mut weight);
                assert!(ratio[0].is_nan(), "{beta} {x} {q}");
                let found = total(beta, (&[x], &[q], None), |_, _| f64::NAN);
                assert!(found.is_nan(), "{beta} {x} {q}: {found}");
            }
        }
    });
}

#[test]
fn what_is_out_of_range_is_left_to_the_exact_term() {
    let exact = |x: f64, q: f64| if q == 0.0 { f64::INFINITY } else { 7.0 * x };
    let found = total(0.0, (&[1e-300, 1.0], &[1e10, 1.0], None), exact);
    assert_eq!(found, 7e-300);
    assert_eq!(total(-1.0, (&[1.0], &[0.0], None), exact), f64::INFINITY);
    assert_eq!(total(-1.0, (&[1.0, 1.0], &[0.0, 1.0], Some(&[0.0, 1.0])), exact), 0.0);
}
