//! The Kullback–Leibler row against naive loops, its promise of descent, and its minimum.

use super::{Lcg, everywhere};
use crate::kernel::kl::{KlRow, evaluate, improve};
use crate::kernel::panel::padded;
use crate::scalar::Scalar;

/// A row with what it owns.
struct Case<T> {
    panel: Vec<T>,
    c: Vec<T>,
    u: Vec<T>,
    quad: T,
    len: usize,
    f: Vec<T>,
}

impl<T: Scalar> Case<T> {
    /// Entries of a panel with zeros; `spread` is the number of decades that c covers.
    fn new(rng: &mut Lcg, k: usize, len: usize, spread: f64) -> Self {
        let stride = padded(len);
        let mut case = Self {
            panel: vec![T::ZERO; k * stride],
            c: vec![T::ZERO; stride],
            u: vec![T::ZERO; k],
            quad: T::ZERO,
            len,
            f: (0..k).map(|_| T::from_f64(rng.uniform())).collect(),
        };
        for e in 0..len {
            case.c[e] = T::from_f64(10f64.powf(spread * (rng.uniform() - 0.5)));
            for t in 0..k {
                let value = if rng.uniform() < 0.4 { 0.0 } else { rng.uniform().powi(3) };
                case.panel[t * stride + e] = T::from_f64(value);
            }
        }
        for t in 0..k {
            // Entries with x = 0 add to the linear cost only.
            let sum: f64 = (0..len).map(|e| case.v(t, e)).sum();
            case.u[t] = T::from_f64(sum * (1.0 + 3.0 * rng.uniform()));
        }
        case
    }
    fn v(&self, t: usize, e: usize) -> f64 {
        self.panel[t * padded(self.len) + e].to_f64()
    }
    /// Entries that no component reaches make φ infinite at every f.
    fn forget_unreachable(&mut self) {
        for e in 0..self.len {
            if (0..self.f.len()).all(|t| self.v(t, e) == 0.0) {
                self.c[e] = T::ZERO;
            }
        }
    }
    fn row(&self) -> KlRow<'_, T> {
        let Self { panel, c, u, quad, len, .. } = self;
        KlRow { panel, stride: padded(*len), len: *len, c, u, quad: *quad }
    }
    /// f, p and num after `sweeps`, or as they are.
    fn after(&self, sweeps: Option<usize>) -> [Vec<T>; 3] {
        // Whatever the arrays held before must not matter.
        let before = T::from_f64(f64::NAN);
        let (mut p, mut ratio) = (vec![before; padded(self.len)], vec![before; padded(self.len)]);
        let (mut f, mut num) = (self.f.clone(), vec![before; self.f.len()]);
        match sweeps {
            Some(n) => improve(&self.row(), &mut f, &mut p, &mut ratio, Some(&mut num), n),
            None => evaluate(&self.row(), &f, &mut p, &mut ratio, &mut num),
        }
        [f, p, num]
    }
    fn fitted(&self, f: &[f64], e: usize) -> f64 {
        f.iter().enumerate().map(|(t, f)| f * self.v(t, e)).sum()
    }
    /// φ, and a bound on what sums of its terms lose in T.
    fn objective(&self, f: &[T]) -> (f64, f64) {
        let f: Vec<f64> = f.iter().map(|f| f.to_f64()).collect();
        let (mut value, mut size) = (0.0, 0.0);
        for (&u, f) in self.u.iter().zip(&f) {
            let term = u.to_f64() * f + 0.5 * self.quad.to_f64() * f * f;
            (value, size) = (value + term, size + term);
        }
        for (e, c) in self.c.iter().enumerate().take(self.len).filter(|(_, c)| **c > T::ZERO) {
            let term = c.to_f64() * self.fitted(&f, e).ln();
            (value, size) = (value - term, size + c.to_f64() + term.abs());
        }
        (value, size * T::ROUNDOFF * (self.len + f.len()) as f64)
    }
    /// g1 − cost of a component, in f64.
    fn excess(&self, f: &[f64], t: usize) -> (f64, f64) {
        let met = (0..self.len).filter(|&e| self.c[e] > T::ZERO && self.v(t, e) > 0.0);
        let pull: f64 = met.map(|e| self.c[e].to_f64() * self.v(t, e) / self.fitted(f, e)).sum();
        (pull, self.u[t].to_f64() + self.quad.to_f64() * f[t])
    }
}

fn naive_sweep<T: Scalar>(case: &Case<T>) -> Vec<f64> {
    let mut f: Vec<f64> = case.f.iter().map(|f| f.to_f64()).collect();
    let mass: f64 = case.c.iter().map(|c| c.to_f64()).sum();
    let cost: f64 = case.u.iter().zip(&f).map(|(u, f)| u.to_f64() * f).sum();
    f.iter_mut().for_each(|f| *f *= mass / cost);
    for t in 0..f.len() {
        let (mut g1, mut g2, mut top) = (0.0, 0.0, 0.0f64);
        for e in 0..case.len {
            let y = case.v(t, e) / case.fitted(&f, e);
            g1 += case.c[e].to_f64() * y;
            g2 += case.c[e].to_f64() * y * y;
            top = top.max(y);
        }
        let u = case.u[t].to_f64();
        let safe = (0.683802 / top).max((u - g1) / (g2 + (u - g1) * top));
        f[t] = (f[t] + ((g1 - u) * g1 / (g2 * u)).max(-safe)).max(0.0);
    }
    f
}

fn one_sweep<T: Scalar>() {
    let mut rng = Lcg(12);
    for k in [1, 2, 3, 5, 8, 16, 17, 33] {
        for len in [1, 2, 3, 7, 8, 9, 16, 17, 30, 33, 64, 100, 300] {
            let mut case = Case::<T>::new(&mut rng, k, len, 2.0);
            // Every entry is reached, every component reaches.
            for (line, u) in case.panel.chunks_mut(padded(len)).zip(&mut case.u) {
                line[..len].iter_mut().for_each(|v| *v += T::from_f64(0.1));
                *u += T::from_f64(0.1 * len as f64);
            }
            let [f, p, num] = case.after(Some(1));
            let want = naive_sweep(&case);
            let exact: Vec<f64> = f.iter().map(|f| f.to_f64()).collect();
            let largest = want.iter().fold(0.0f64, |a, &b| a.max(b));
            for t in 0..k {
                // Errors of p feed the later steps.
                let allowed = 400.0 * (k + len) as f64 * T::ROUNDOFF * largest;
                assert!((exact[t] - want[t]).abs() <= allowed, "{k} {len} {exact:?} {want:?}");
                let pull = case.excess(&exact, t).0;
                let allowed = 4.0 * (k + len) as f64 * T::ROUNDOFF * pull;
                assert!((num[t].to_f64() - pull).abs() <= allowed, "{k} {len} num");
            }
            for (e, p) in p.iter().enumerate() {
                let want = if e < len { case.fitted(&exact, e) } else { 0.0 };
                assert!((p.to_f64() - want).abs() <= 2.0 * k as f64 * T::ROUNDOFF * want);
            }
            case.f = f;
            assert_eq!(case.after(None)[1..], [p, num], "the same bits for the same point");
        }
    }
}

#[test]
fn a_sweep_equals_the_naive_loop() {
    everywhere(one_sweep::<f32>);
    everywhere(one_sweep::<f64>);
}

fn descent<T: Scalar>() {
    let mut rng = Lcg(13);
    for round in 0..400 {
        let (k, len) = (1 + round % 19, 1 + (round * 7) % 45);
        let mut case = Case::<T>::new(&mut rng, k, len, [0.0, 2.0, 8.0][round % 3]);
        case.forget_unreachable();
        if round % 4 == 1 {
            case.quad = case.u[0];
        }
        // Starts far from the minimum, some of whose components are zero.
        for (t, f) in case.f.iter_mut().enumerate() {
            *f *=
                T::from_f64(if (t + round) % 5 == 0 { 0.0 } else { 10f64.powi(t as i32 % 9 - 4) });
        }
        // The ray alone, which also reaches what f does not.
        case.f = case.after(Some(0))[0].clone();
        let mut before = case.objective(&case.f);
        for _ in 0..40 {
            case.f = case.after(Some(1))[0].clone();
            let now = case.objective(&case.f);
            assert!(now.0.is_finite(), "{round} {:?}", case.f);
            assert!(now.0 <= before.0 + 4.0 * before.1, "{round} {before:?} {now:?}");
            before = now;
        }
    }
}

#[test]
fn no_sweep_raises_the_objective() {
    everywhere(descent::<f32>);
    everywhere(descent::<f64>);
}

fn minimum<T: Scalar>() {
    let mut rng = Lcg(14);
    for round in 0..60 {
        let (k, len) = (1 + round % 7, 20 + round);
        let mut case = Case::<T>::new(&mut rng, k, len, 1.0);
        if round % 3 == 1 {
            case.quad = case.u[0];
        }
        case.f.iter_mut().step_by(2).for_each(|f| *f = T::ZERO);
        let f: Vec<f64> = case.after(Some(2000))[0].iter().map(|f| f.to_f64()).collect();
        for (t, &x) in f.iter().enumerate() {
            let (pull, cost) = case.excess(&f, t);
            let allowed = 50.0 * len as f64 * T::ROUNDOFF * cost;
            assert!(pull <= cost + allowed, "{round}: {t} should grow");
            assert!(x == 0.0 || pull >= cost - allowed, "{round}: {t} should shrink: {f:?}");
        }
    }
}

#[test]
fn sweeps_reach_the_minimum_with_exact_zeros() {
    everywhere(minimum::<f32>);
    everywhere(minimum::<f64>);
}

fn scaled<T: Scalar>() {
    let mut rng = Lcg(15);
    let by = |x: &T, exponent: i32| *x * T::from_f64(2f64.powi(exponent));
    for (round, j) in [-9, -1, 1, 7].into_iter().cycle().enumerate().take(24) {
        let mut case = Case::<T>::new(&mut rng, 1 + round, 37 + round, 4.0);
        case.quad = T::from_f64((round % 3) as f64);
        case.f[0] = T::ZERO;
        let mut large = Case { quad: case.quad, len: case.len, ..Case::new(&mut rng, 1, 1, 0.0) };
        large.panel = case.panel.iter().map(|x| by(x, j)).collect();
        large.c = case.c.iter().map(|x| by(x, 2 * j)).collect();
        [large.u, large.f] = [&case.u, &case.f].map(|v| v.iter().map(|x| by(x, j)).collect());
        let ([f, p, num], [f1, p1, num1]) = (case.after(Some(3)), large.after(Some(3)));
        assert!(f.iter().zip(&f1).all(|(a, b)| by(a, j) == *b), "{round}");
        assert!(p.iter().zip(&p1).all(|(a, b)| by(a, 2 * j) == *b), "{round}");
        assert!(num.iter().zip(&num1).all(|(a, b)| by(a, j) == *b), "{round}");
    }
}

#[test]
fn scaling_by_powers_of_two_scales_the_row() {
    everywhere(scaled::<f32>);
    everywhere(scaled::<f64>);
}

fn corners<T: Scalar>() {
    let mut rng = Lcg(16);
    let mut case = Case::<T>::new(&mut rng, 6, 21, 1.0);
    let stride = padded(case.len);
    // A dead component, a component that meets only entries with c = 0, an entry nobody reaches.
    case.panel[2 * stride..3 * stride].fill(T::ZERO);
    case.u[2] = T::ZERO;
    case.panel[4 * stride..5 * stride].fill(T::ZERO);
    for e in [3, 4] {
        case.panel[4 * stride + e] = T::ONE;
        case.c[e] = T::ZERO;
    }
    (0..6).for_each(|t| case.panel[t * stride + 7] = T::ZERO);
    let [f, p, num] = case.after(Some(30));
    assert!(f.iter().chain(&p).chain(&num).all(|x| x.is_finite()), "{f:?} {p:?} {num:?}");
    assert!(f[4] == T::ZERO && num[2] == T::ZERO && f[2] > T::ZERO && p[7] == T::ZERO);
    // All zero: the entries are given out, and then it is a start like any other.
    case.f.fill(T::ZERO);
    let from_zero = case.after(Some(2000))[0].clone();
    case.f = f;
    let from_there = case.after(Some(2000))[0].clone();
    // The row is convex: both ends are as good, leaving the entries that nobody reaches aside.
    case.forget_unreachable();
    let (a, b) = (case.objective(&from_zero), case.objective(&from_there));
    assert!((a.0 - b.0).abs() <= 8.0 * a.1, "{a:?} {b:?}");
}

/// A component that alone carries an entry nobody needs: its step leaves nothing of the fitted value.
fn deep<T: Scalar>() {
    let mut rng = Lcg(18);
    let mut case = Case::<T>::new(&mut rng, 3, 21, 0.0);
    let stride = padded(case.len);
    case.panel[..stride].fill(T::ZERO);
    case.panel[0] = T::ONE;
    case.c[0] = T::from_f64(1e-30);
    case.u[0] = T::ONE;
    for t in [1, 2] {
        case.panel[t * stride] = T::from_f64(1e-25);
    }
    case.f.fill(T::ONE);
    let [f, p, num] = case.after(Some(2000));
    assert!(f.iter().chain(&p).chain(&num).all(|x| x.is_finite()), "{f:?} {p:?} {num:?}");
    let f: Vec<f64> = f.iter().map(|f| f.to_f64()).collect();
    assert!(f[0] == 0.0 && p[0] > T::ZERO, "{f:?} {p:?}");
    for t in [1, 2] {
        let (pull, cost) = case.excess(&f, t);
        let allowed = 50.0 * case.len as f64 * T::ROUNDOFF * cost;
        assert!((pull - cost).abs() <= allowed, "{t}: {pull} {cost}, {f:?}");
    }
}

#[test]
fn a_step_that_leaves_nothing_of_a_fitted_value_does_no_harm() {
    everywhere(deep::<f32>);
    everywhere(deep::<f64>);
}

#[test]
fn empty_dead_and_unreached_parts_do_no_harm() {
    everywhere(corners::<f32>);
    everywhere(corners::<f64>);
    let mut rng = Lcg(17);
    for (k, len) in [(3, 0), (0, 3), (3, 5)] {
        let mut case = Case::<f64>::new(&mut rng, k, len, 1.0);
        case.c.fill(0.0);
        let [f, _, num] = case.after(Some(2));
        assert!(f.iter().chain(&num).all(|x| *x == 0.0), "nothing to explain");
    }
}
