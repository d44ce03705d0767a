//! What a step is made of beside products: sweeps, KKT sums, small systems, extrapolation.

use super::{Lcg, everywhere};
use crate::factor::Factor;
use crate::kernel::cholesky;
use crate::kernel::extrapolate::{extrapolate, go_beyond};
use crate::kernel::hals::sweep;
use crate::kernel::kkt::{KktSums, add_rows};
use crate::kernel::sums::column_sums;
use crate::scalar::Scalar;

fn sweeps<T: Scalar>() {
    let mut rng = Lcg(5);
    for k in (1..=40).chain([64, 65]) {
        for rows in [0, 1, 7, 8, 9, 31, 32, 33, 63, 64, 65, 70] {
            let g = rng.factor::<T>(k + 9, k);
            let mut gram = vec![T::ZERO; k * k];
            for s in 0..k {
                for t in 0..k {
                    let terms = (0..k + 9).map(|i| g.get(i, s).to_f64() * g.get(i, t).to_f64());
                    gram[s * k + t] = T::from_f64(terms.sum());
                }
            }
            // One component is dead: it must be left alone.
            let dead = (k > 3).then_some(k / 2);
            if let Some(d) = dead {
                for s in 0..k {
                    gram[s * k + d] = T::ZERO;
                    gram[d * k + s] = T::ZERO;
                }
            }
            let inverse: Vec<T> = (0..k)
                .map(|t| gram[t * k + t])
                .map(|own| if own > T::ZERO { T::ONE / own } else { T::ZERO })
                .collect();
            let start = rng.factor::<T>(rows, k);
            let b = {
                let mut b = rng.factor::<T>(rows, k);
                let by = T::from_f64(0.3 * k as f64);
                b.as_mut_slice().iter_mut().for_each(|v| *v *= by);
                b
            };
            let mut got = start.clone();
            sweep(&mut got.view_mut(), b.view(), (&gram, &inverse, T::ZERO), 1);
            let scale = gram.iter().fold(0.0f64, |m, v| m.max(v.to_f64()));
            for i in 0..rows {
                let mut want: Vec<f64> = start.row(i).iter().map(|v| v.to_f64()).collect();
                for t in 0..k {
                    let own = gram[t * k + t].to_f64();
                    if own > 0.0 {
                        let along: f64 = (0..k).map(|s| gram[t * k + s].to_f64() * want[s]).sum();
                        want[t] = (want[t] + (b.get(i, t).to_f64() - along) / own).max(0.0);
                    }
                    let apart = (got.get(i, t).to_f64() - want[t]).abs();
                    // Each step divides sums of k terms by G_tt, and errors feed the next steps.
                    let least = (0..k)
                        .map(|s| gram[s * k + s].to_f64())
                        .filter(|g| *g > 0.0)
                        .fold(f64::INFINITY, f64::min);
                    let allowed =
                        100.0 * (k * k) as f64 * T::ROUNDOFF * (1.0 + scale / least) * 2.0;
                    assert!(apart <= allowed, "{rows} {k} ({i}, {t}): {apart:e} {allowed:e}");
                    assert!(got.get(i, t) >= T::ZERO);
                }
                if let Some(d) = dead {
                    assert_eq!(got.get(i, d), start.get(i, d), "the dead component moved");
                }
            }
            // A row alone has the bits it has in a panel.
            if rows > 2 {
                let at = rows / 2;
                let mut one = Factor::from_rows(1, k, start.row(at));
                sweep(
                    &mut one.view_mut(),
                    b.view().slice(at..at + 1),
                    (&gram, &inverse, T::ZERO),
                    1,
                );
                assert_eq!(one.row(0), got.row(at), "{rows} {k}");
            }
        }
    }
}

#[test]
fn a_sweep_equals_the_naive_loop_and_leaves_dead_components_alone() {
    everywhere(sweeps::<f32>);
    everywhere(sweeps::<f64>);
}

fn kkt<T: Scalar>() {
    let mut rng = Lcg(6);
    for k in 1..=40 {
        for rows in [0, 1, 3, 16, 17, 70] {
            let mut f = rng.factor::<T>(rows, k);
            let (p, b) = (rng.factor::<T>(rows, k), rng.factor::<T>(rows, k));
            for i in 0..rows {
                for t in 0..k {
                    if (i + t) % 3 == 0 {
                        f.row_mut(i)[t] = T::ZERO;
                    }
                }
            }
            let mut sums = KktSums::default();
            add_rows(&mut sums, f.view(), (p.view(), T::ZERO), b.view());
            let (mut slack, mut scale, mut cross, mut zeros) = (0.0, 0.0, 0.0, 0.0f64);
            for i in 0..rows {
                for t in 0..k {
                    let [f, p, b] = [&f, &p, &b].map(|m| m.get(i, t).to_f64());
                    slack += f * (p - b).abs();
                    scale += f * p;
                    cross += f * b;
                    if f == 0.0 && b > p {
                        zeros = zeros.max(b / p - 1.0);
                    }
                }
            }
            // Sums over eight rows stay in T.
            let near =
                |a: f64, b: f64| (a - b).abs() <= 32.0 * k as f64 * T::ROUNDOFF * (b + 1e-30);
            assert!(near(sums.slack, slack) && near(sums.scale, scale), "{rows} {k}");
            assert!(near(sums.cross, cross), "{rows} {k}");
            assert!((sums.zeros - zeros).abs() <= 8.0 * T::ROUNDOFF * (1.0 + zeros), "{rows} {k}");
        }
    }
}

#[test]
fn kkt_sums_equal_the_naive_loop() {
    everywhere(kkt::<f32>);
    everywhere(kkt::<f64>);
}

#[test]
fn a_zero_with_nothing_to_divide_by_is_as_wrong_as_can_be() {
    let f = Factor::<f64>::from_rows(1, 2, &[0.0, 1.0]);
    let p = Factor::from_rows(1, 2, &[0.0, 1.0]);
    let b = Factor::from_rows(1, 2, &[1.0, 1.0]);
    let mut sums = KktSums::default();
    add_rows(&mut sums, f.view(), (p.view(), 0.0), b.view());
    assert_eq!(sums.residual(), (0.0, 2f64.powi(52)));
}

#[test]
fn factors_of_every_size_solve_their_system() {
    let mut rng = Lcg(7);
    for n in 1..=40 {
        let f = rng.factor::<f64>(2 * n + 3, n);
        let entry =
            |s: usize, t: usize| (0..2 * n + 3).map(|i| f.get(i, s) * f.get(i, t)).sum::<f64>();
        let a: Vec<f64> = (0..n * n).map(|at| entry(at / n, at % n)).collect();
        let x: Vec<f64> = (0..n).map(|_| rng.uniform() - 0.5).collect();
        let mut b: Vec<f64> =
            a.chunks(n).map(|row| row.iter().zip(&x).map(|(p, q)| p * q).sum()).collect();
        let mut lower = a;
        cholesky::factorise(&mut lower, n).expect("positive definite");
        cholesky::solve(&lower, n, &mut b);
        // Condition numbers here are below 1e5.
        assert!(b.iter().zip(&x).all(|(p, q)| (p - q).abs() < 1e-9), "{n}");
    }
}

#[test]
fn an_extrapolated_point_is_projected() {
    let mut rng = Lcg(9);
    for k in 1..=40 {
        let (now, before) = (rng.factor::<f64>(5, k), rng.factor::<f64>(5, k));
        for beta in [0.0, 0.5, 0.99] {
            let mut out = rng.factor::<f64>(5, k);
            extrapolate(&mut out.view_mut(), now.view(), before.view(), beta);
            for i in 0..5 {
                for t in 0..k {
                    let (a, b) = (now.get(i, t), before.get(i, t));
                    let want = (a + beta * (a - b)).max(0.0);
                    // Fused or not: one rounding more or less of numbers below 2.
                    assert!((out.get(i, t) - want).abs() <= 4.0 * f64::EPSILON);
                }
            }
        }
    }
}

#[test]
fn a_point_beyond_keeps_a_share_of_the_last_one() {
    let mut rng = Lcg(10);
    let (now, before) = (rng.factor::<f64>(7, 5), rng.factor::<f64>(7, 5));
    for (beta, least) in [(0.0, 0.25), (0.9, 0.25), (0.9, 1.0)] {
        let mut out = before.clone();
        go_beyond(out.as_mut_slice(), now.as_slice(), (beta, least));
        for ((out, a), b) in out.as_slice().iter().zip(now.as_slice()).zip(before.as_slice()) {
            let want = (a + beta * (a - b)).max(least * a);
            assert!((out - want).abs() <= 4.0 * f64::EPSILON);
        }
    }
}

fn sums<T: Scalar>() {
    let mut rng = Lcg(11);
    for (rows, k) in [(0, 3), (1, 1), (33, 16), (50, 21)] {
        let (f, p) = (rng.factor::<T>(rows, k), rng.factor::<T>(1, rows.max(1)));
        for p in [None, Some(&p.row(0)[..rows])] {
            let weight = |j: usize| p.map_or(1.0, |p| p[j].to_f64());
            let of = |t| (0..rows).map(|j| weight(j) * f.get(j, t).to_f64()).sum::<f64>();
            let want: Vec<f64> = (0..k).map(of).collect();
            assert_eq!(column_sums(f.view(), p), want, "{rows} × {k}");
        }
    }
}

#[test]
fn column_sums_are_sums_in_order_of_rows() {
    everywhere(sums::<f32>);
    everywhere(sums::<f64>);
}
