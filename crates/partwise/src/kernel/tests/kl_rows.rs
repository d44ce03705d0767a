//! Rows side by side against rows one by one.

use super::{Lcg, everywhere};
use crate::factor::Factor;
use crate::kernel::kl::{KlRow, KlRows, Slopes, improve, improve_rows};
use crate::kernel::panel::padded;
use crate::scalar::Scalar;

/// Rows with zeros, some of them in every row, a row without entries, a component that is dead, an
/// entry that f does not reach.
struct Case<T> {
    panel: Factor<T>,
    x: Factor<T>,
    weights: Factor<T>,
    u: Factor<T>,
    f: Factor<T>,
    quad: T,
}

impl<T: Scalar> Case<T> {
    fn new(rng: &mut Lcg, (rows, len, k): (usize, usize, usize), weighted: bool) -> Self {
        let draw = |rng: &mut Lcg, zeros: f64| {
            if rng.uniform() < zeros { T::ZERO } else { T::from_f64(0.1 + rng.uniform()) }
        };
        let mut panel = Factor::zeros(k, padded(len));
        for t in 0..k {
            (0..len).for_each(|e| panel.row_mut(t)[e] = draw(rng, 0.3));
        }
        let mut filled = |cols: usize, zeros: f64| {
            let values: Vec<T> = (0..rows * cols).map(|_| draw(rng, zeros)).collect();
            Factor::from_rows(rows, cols, &values)
        };
        let (mut x, f) = (filled(len, 0.4), filled(k, 0.4));
        let mut weights = filled(len, 0.2);
        if !weighted {
            weights.view_mut().fill(T::ONE);
        }
        x.row_mut(rows / 2).fill(T::ZERO);
        for i in 0..rows {
            (1..len).step_by(4).for_each(|e| x.row_mut(i)[e] = T::ZERO);
        }
        if k > 1 {
            panel.row_mut(k - 1).fill(T::ZERO);
        }
        let mut case = Self { panel, x, weights, u: f.clone(), f, quad: T::ZERO };
        for i in 0..rows {
            for t in 0..k {
                let line = case.panel.row(t).iter().zip(case.weights.row(i));
                let sum: f64 = line.map(|(v, w)| v.to_f64() * w.to_f64()).sum();
                case.u.row_mut(i)[t] = T::from_f64(sum);
            }
        }
        case
    }

    fn rows(&self, range: std::ops::Range<usize>, weighted: bool) -> KlRows<'_, T> {
        KlRows {
            panel: self.panel.as_slice(),
            stride: self.panel.stride(),
            x: self.x.view().slice(range.clone()),
            weights: weighted.then(|| self.weights.view().slice(range)),
            zero_or_one: false,
            u: self.u.row(0),
            l1: T::ZERO,
            quad: self.quad,
        }
    }

    /// Rows `range`, their num and their divergence, side by side.
    fn together(
        &self,
        range: std::ops::Range<usize>,
        weighted: bool,
        sweeps: usize,
    ) -> (Factor<T>, Factor<T>, f64) {
        let rows = self.rows(range.clone(), weighted);
        let mut f = self.f.view().slice(range.clone()).to_factor();
        let (mut num, mut den) = (f.clone(), f.clone());
        let slopes = Slopes { num: num.view_mut(), den: den.view_mut() };
        let value = improve_rows(&rows, &mut f.view_mut(), Some(slopes), sweeps, true);
        if weighted {
            same(&den, &self.u.view().slice(range).to_factor(), "den");
        }
        (f, num, value)
    }

    /// The same one by one, by the kernel for single rows.
    fn apart(&self, sweeps: usize) -> (Factor<T>, Factor<T>, f64) {
        let (mut f, mut num, mut value) = (self.f.clone(), self.f.clone(), 0.0);
        let (len, width) = (self.x.cols(), padded(self.x.cols()));
        for i in 0..f.rows() {
            let mut c = vec![T::ZERO; width];
            let weighed = self.x.row(i).iter().zip(self.weights.row(i));
            c.iter_mut().zip(weighed).for_each(|(c, (&x, &w))| *c = x * w);
            let (panel, stride) = (self.panel.as_slice(), self.panel.stride());
            let row = KlRow { panel, stride, len, c: &c, u: self.u.row(i), quad: self.quad };
            let (mut p, mut ratio) = (vec![T::ZERO; width], vec![T::ZERO; width]);
            improve(&row, f.row_mut(i), &mut p, &mut ratio, Some(num.row_mut(i)), sweeps);
            for ((x, p), w) in self.x.row(i).iter().zip(&p).zip(self.weights.row(i)) {
                let (x, p, w) = (x.to_f64(), p.to_f64(), w.to_f64());
                let log = if x > 0.0 { x * (x / p).ln() } else { 0.0 };
                value += if w > 0.0 { w * (log - x + p) } else { 0.0 };
            }
        }
        (f, num, value)
    }
}

fn same<T: Scalar>(got: &Factor<T>, want: &Factor<T>, what: &str) {
    let largest = want.as_slice().iter().fold(0.0f64, |a, b| a.max(b.to_f64()));
    for (got, want) in got.as_slice().iter().zip(want.as_slice()) {
        let off = (got.to_f64() - want.to_f64()).abs();
        // Both round every step, and a step feeds the next ones.
        assert!(off <= 2e4 * T::ROUNDOFF * largest, "{what}: {got} {want}");
    }
}

fn as_one_by_one<T: Scalar>() {
    let mut rng = Lcg(21);
    let shapes = [(1, 1, 1), (3, 5, 2), (8, 16, 4), (17, 33, 5), (31, 64, 16), (9, 100, 3)];
    for (shape, (weighted, quad)) in
        shapes.into_iter().flat_map(|s| [(false, 0.0), (true, 0.0), (false, 0.7)].map(|o| (s, o)))
    {
        let mut case = Case::<T>::new(&mut rng, shape, weighted);
        case.quad = T::from_f64(quad);
        for sweeps in [0, 1, 3] {
            let what = format!("{shape:?} {weighted} {quad} {sweeps}");
            let (f, num, value) = case.together(0..shape.0, weighted, sweeps);
            let (want_f, want_num, want) = case.apart(sweeps);
            same(&f, &want_f, &what);
            same(&num, &want_num, &what);
            let finite = want.is_finite() == value.is_finite();
            let near = (value - want).abs() <= 2e4 * T::ROUNDOFF * want.abs().max(1.0);
            assert!(finite && (near || !want.is_finite()), "{what}: {value} {want}");
            assert!(f.row(shape.0 / 2).iter().all(|f| *f == T::ZERO), "{what}: nothing to explain");
        }
    }
}

#[test]
fn rows_side_by_side_are_rows_one_by_one() {
    everywhere(as_one_by_one::<f32>);
    everywhere(as_one_by_one::<f64>);
}

fn alone<T: Scalar>() {
    let mut rng = Lcg(22);
    let case = Case::<T>::new(&mut rng, (21, 37, 6), true);
    let (f, num, _) = case.together(0..21, true, 2);
    for i in 0..21 {
        let (own, own_num, _) = case.together(i..i + 1, true, 2);
        assert_eq!((own.row(0), own_num.row(0)), (f.row(i), num.row(i)), "row {i}");
    }
}

#[test]
fn a_row_alone_has_the_bits_it_has_among_others() {
    everywhere(alone::<f32>);
    everywhere(alone::<f64>);
}

fn masked<T: Scalar>() {
    let mut case = Case::<T>::new(&mut Lcg(23), (21, 37, 6), true);
    for i in 0..21 {
        for (x, w) in case.x.row_mut(i).iter_mut().zip(case.weights.row_mut(i)) {
            let seen = *w > T::ZERO;
            (*x, *w) = if seen { (*x, T::ONE) } else { (T::ZERO, T::ZERO) };
        }
    }
    let run = |zero_or_one| {
        let rows = KlRows { zero_or_one, ..case.rows(0..21, true) };
        let (mut f, mut num, mut den) = (case.f.clone(), case.f.clone(), case.f.clone());
        let slopes = Slopes { num: num.view_mut(), den: den.view_mut() };
        let value = improve_rows(&rows, &mut f.view_mut(), Some(slopes), 2, true);
        (f, num, den, value)
    };
    assert_eq!(run(false), run(true));
}

#[test]
fn entries_that_are_missing_need_no_product_with_their_weight() {
    everywhere(masked::<f32>);
    everywhere(masked::<f64>);
}

/// As the test of single rows: the first component of every other row alone carries an entry nobody
/// needs.
fn deep<T: Scalar>() {
    let mut case = Case::<T>::new(&mut Lcg(19), (19, 9, 3), false);
    let tiny = T::from_f64(1e-25);
    case.panel.row_mut(0).fill(T::ZERO);
    (1..3).for_each(|t| case.panel.row_mut(t).fill(T::ONE));
    (0..3).for_each(|t| case.panel.row_mut(t)[0] = if t == 0 { T::ONE } else { tiny });
    case.f.view_mut().fill(T::ONE);
    case.u.view_mut().fill(T::ONE);
    for i in 0..19 {
        case.x.row_mut(i).fill(T::ONE);
        case.x.row_mut(i)[0] = T::from_f64(if i % 2 == 0 { 1e-30 } else { 1.0 });
    }
    for sweeps in [1, 2, 30] {
        let (f, num, value) = case.together(0..19, false, sweeps);
        let all = f.as_slice().iter().chain(num.as_slice());
        assert!(value.is_finite() && all.clone().all(|x| x.is_finite()), "{f:?} {num:?}");
        let (want_f, want_num, _) = case.apart(sweeps);
        same(&f, &want_f, "f");
        // What is left of f₀ in those rows is rounding, and num₀ its reciprocal: where f is 0 any num
        // will do.
        let relevant = |num: &Factor<T>, f: &Factor<T>| {
            let mut num = num.clone();
            (0..19).step_by(2).for_each(|i| num.row_mut(i)[0] *= f.get(i, 0));
            num
        };
        same(&relevant(&num, &f), &relevant(&want_num, &want_f), "num");
    }
}

#[test]
fn a_step_that_leaves_nothing_of_a_fitted_value_does_no_harm() {
    everywhere(deep::<f32>);
    everywhere(deep::<f64>);
}
