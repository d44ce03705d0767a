//! Every loss, its gradient and the KKT residual from their definitions, in plain loops.

use crate::common::*;
use partwise::matrix::{Data, Weights};
use partwise::metric::Kkt;
use partwise::{Fit, Loss, Options, Penalty, Rule, Scalar, fit};

/// An entry this small beside the largest of its row counts as zero, in both precisions.
const ZERO: f64 = 0.5 * f64::EPSILON;

/// Both sides of every change of formula: 1, 2, and what lies between and beyond.
pub(crate) const BETAS: [f64; 7] = [-1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0];

/// δ of Huber's loss that many residuals exceed, and one that few do.
const DELTAS: [f64; 2] = [0.05, 0.5];

/// Losses with the rules that minimise them.
pub(crate) fn losses() -> impl Iterator<Item = (Loss, Rule)> {
    let huber = DELTAS.into_iter().map(Loss::huber);
    BETAS.into_iter().map(Loss::new).chain(huber).map(Result::unwrap).flat_map(|loss| {
        Rule::ALL.iter().copied().filter(move |r| r.supports(loss)).map(move |rule| (loss, rule))
    })
}

/// Losses with the rules that minimise them where entries weigh or are missing.
pub(crate) fn weighted_losses() -> impl Iterator<Item = (Loss, Rule)> {
    losses().filter(|(_, rule)| rule.works_by_entries())
}

/// Whether no step of this rule may raise this loss.
pub(crate) fn is_monotone(loss: Loss, rule: Rule) -> bool {
    loss != Loss::FROBENIUS || rule.update::<f64>(1).is_monotone()
}

/// The loss of c·X that is this one of X, but for its unit.
pub(crate) fn times(loss: Loss, c: f64) -> Loss {
    loss.delta().map_or(loss, |delta| Loss::huber(c * delta).unwrap())
}

/// What the parts of an objective are made of. A weight of 0 hides an entry.
#[derive(Clone)]
pub(crate) struct Problem {
    pub(crate) x: Mat,
    pub(crate) p: Mat,
    pub(crate) loss: Loss,
    pub(crate) penalties: [Penalty; 2],
}

/// weight·value, and 0 for a weight of 0 whatever the value.
fn term(weight: f64, value: impl FnOnce() -> f64) -> f64 {
    if weight > 0.0 { weight * value() } else { 0.0 }
}

impl Problem {
    pub(crate) fn new(x: &Mat, loss: Loss) -> Self {
        Self { x: x.clone(), p: x.map(|_| 1.0), loss, penalties: Default::default() }
    }
    pub(crate) fn weighing(self, p: &Mat) -> Self {
        Self { p: p.clone(), ..self }
    }
    /// As T holds X and the weights.
    pub(crate) fn rounded<T: Scalar>(self) -> Self {
        let round = |m: &Mat| m.map(|v| T::from_f64(v).to_f64());
        Self { x: round(&self.x), p: round(&self.p), ..self }
    }
    fn transposed(&self) -> Self {
        let [w, h] = self.penalties;
        let (x, p) = (self.x.transposed(), self.p.transposed());
        Self { x, p, penalties: [h, w], loss: self.loss }
    }

    /// d(x, q).
    fn value(&self, x: f64, q: f64) -> f64 {
        if let Some(delta) = self.loss.delta() {
            let r = (x - q).abs();
            return if r < delta { r * r / 2.0 } else { delta * r - delta * delta / 2.0 };
        }
        match self.loss.degree() {
            1.0 if x == 0.0 => q,
            1.0 => x * (x / q).ln() - x + q,
            0.0 => x / q - (x / q).ln() - 1.0,
            b if x == 0.0 => q.powf(b) / b,
            b => (x.powf(b) + (b - 1.0) * q.powf(b) - b * x * q.powf(b - 1.0)) / (b * (b - 1.0)),
        }
    }

    /// The parts of −∂d/∂q and ∂d/∂q.
    fn parts(&self, x: f64, q: f64) -> (f64, f64) {
        if let Some(delta) = self.loss.delta() {
            let omega = if x == q { 1.0 } else { (delta / (x - q).abs()).min(1.0) };
            return (omega * x, omega * q);
        }
        let b = self.loss.degree();
        let up = if b == 1.0 { 1.0 } else { q.powf(b - 1.0) };
        (if x == 0.0 { 0.0 } else { x * q.powf(b - 2.0) }, up)
    }

    fn sum(&self, w: &Mat, h: &Mat, f: impl Fn(f64, f64) -> f64) -> f64 {
        let q = w.times_transposed(h);
        let entries = self.p.values.iter().zip(self.x.values.iter().zip(&q.values));
        entries.map(|(&p, (&x, &q))| term(p, || f(x, q))).sum()
    }
    pub(crate) fn divergence(&self, w: &Mat, h: &Mat) -> f64 {
        self.sum(w, h, |x, q| self.value(x, q))
    }
    pub(crate) fn objective(&self, w: &Mat, h: &Mat) -> f64 {
        let [of_w, of_h] = self.penalties;
        let charge =
            |p: Penalty, f: &Mat| p.l1 * f.values.iter().sum::<f64>() + 0.5 * p.l2 * f.norm_sq();
        self.divergence(w, h) + charge(of_w, w) + charge(of_h, h)
    }

    /// How far rounding may move the divergence if every fitted value is off by k + 4 units of
    /// roundoff, and the sums over zeros of a sparse X by as much under KL; the rest is in `f64`.
    pub(crate) fn rounding<T: Scalar>(&self, w: &Mat, h: &Mat) -> f64 {
        let linear = self.loss == Loss::KL;
        let moved = self.sum(w, h, |x, q| {
            if q == 0.0 {
                return 0.0;
            }
            let (down, up) = self.parts(x, q);
            q * (up - down).abs() + if linear { q } else { 0.0 }
        });
        let size = self.sum(w, h, |x, q| {
            let power = if x == 0.0 { 0.0 } else { x.powf(self.loss.degree()) };
            1.0 + power + term(q, || self.parts(x, q).0 + self.parts(x, q).1)
        });
        (w.cols as f64 + 4.0) * T::ROUNDOFF * moved + 32.0 * f64::EPSILON * size
    }

    /// num and den of W: the gradient is den − num, penalties included.
    fn gradient(&self, w: &Mat, h: &Mat) -> (Mat, Mat) {
        let (q, charge) = (w.times_transposed(h), self.penalties[0]);
        let over = |part: &dyn Fn(f64, f64) -> f64, i: usize, t: usize| -> f64 {
            (0..self.x.cols)
                .map(|j| {
                    let own = term(h.get(j, t), || part(self.x.get(i, j), q.get(i, j)));
                    term(self.p.get(i, j), || own)
                })
                .sum()
        };
        let down = |x: f64, q: f64| self.parts(x, q).0;
        let up = |x: f64, q: f64| self.parts(x, q).1;
        let num = Mat::from_fn(w.rows, w.cols, |i, t| over(&down, i, t));
        let den = Mat::from_fn(w.rows, w.cols, |i, t| {
            over(&up, i, t) + charge.l1 + charge.l2 * w.get(i, t)
        });
        (num, den)
    }

    /// ρ and η of W (reliability §4.1); zero is what is below `zero` of the largest of its row.
    fn residual(&self, w: &Mat, h: &Mat, zero: f64) -> (f64, f64) {
        let (num, den) = self.gradient(w, h);
        let (mut slack, mut scale, mut worst) = (0.0, 0.0, 0.0f64);
        for i in 0..w.rows {
            let largest = w.row(i).iter().fold(0.0f64, |m, &v| m.max(v));
            for t in 0..w.cols {
                let (f, num, den) = (w.get(i, t), num.get(i, t), den.get(i, t));
                if f > 0.0 {
                    slack += f * (den - num).abs();
                    scale += f * den;
                }
                if f <= zero * largest && num > den {
                    worst = worst.max(num / den - 1.0);
                }
            }
        }
        (if slack == 0.0 { 0.0 } else { slack / scale }, worst)
    }

    /// Σ w·den: with ρ, what the sums over a component may be off by.
    pub(crate) fn scale(&self, w: &Mat, h: &Mat) -> f64 {
        let den = self.gradient(w, h).1;
        w.values.iter().zip(&den.values).map(|(&f, &den)| term(f, || den)).sum()
    }
    pub(crate) fn scales(&self, w: &Mat, h: &Mat) -> [f64; 2] {
        [self.scale(w, h), self.transposed().scale(h, w)]
    }

    pub(crate) fn kkt(&self, w: &Mat, h: &Mat) -> Kkt {
        let (rho, eta) = self.residual(w, h, ZERO);
        let (rho_h, eta_h) = self.transposed().residual(h, w, ZERO);
        Kkt { w: rho, w_zeros: eta, h: rho_h, h_zeros: eta_h }
    }

    /// Divergence, objective and certificate that a fit reports are those of its factors.
    #[track_caller]
    pub(crate) fn assert_reported<T: Scalar>(&self, found: &Fit<T>, tol: f64, what: &str) {
        let (w, h) = (wide(&found.w), wide(&found.h));
        let (exact, allowed) = (self.divergence(&w, &h), self.rounding::<T>(&w, &h));
        let apart = (found.divergence - exact).abs();
        assert!(
            apart <= allowed,
            "{what}: divergence {} {exact}: {apart:e} > {allowed:e}",
            found.divergence
        );
        let bound =
            found.objective_bound + 32.0 * f64::EPSILON * (exact + self.x.values.len() as f64);
        assert!(apart <= bound, "{what}: off by {apart:e}, stated bound {bound:e}");
        let objective = self.objective(&w, &h);
        let apart = (found.objective - objective).abs();
        let sums = 64.0 * f64::EPSILON * (objective - exact);
        assert!(apart <= allowed + sums, "{what}: objective {} {objective}", found.objective);
        let kkt = self.kkt(&w, &h);
        // num carries |β − 2| errors of q beside those of a sum of n terms. Those of Huber's ω cancel
        // in the gradient: ωx − ωq is δ whatever q is.
        let slack = 64.0 * T::ROUNDOFF * (self.loss.degree() - 2.0).abs().max(1.0);
        for (name, ours, theirs) in [
            ("ρ_W", found.kkt.w, kkt.w),
            ("ρ_H", found.kkt.h, kkt.h),
            ("η_W", found.kkt.w_zeros, kkt.w_zeros),
            ("η_H", found.kkt.h_zeros, kkt.h_zeros),
        ] {
            let close = (ours - theirs).abs() <= 1e-6 * theirs + slack * (1.0 + theirs);
            assert!(close, "{what} {name}: reported {ours:e}, is {theirs:e}");
        }
        if found.status == partwise::Status::Converged {
            let residual = kkt.residual();
            assert!(residual <= tol * 1.001 + slack, "{what}: converged at {residual:e}");
        }
    }
}

/// X with weights.
pub(crate) fn data<T: Scalar>(
    x: &Mat,
    kind: Kind,
    weights: Weights<'static, T>,
) -> Data<'static, T> {
    Data { x: x.input(kind), weights }
}

/// X without zeros.
pub(crate) fn positive(rows: usize, cols: usize, seed: u64) -> Mat {
    Mat::random(rows, cols, seed).map(|v| v + 0.05)
}

/// Options for `max_iter` iterations from a given start, whatever the tolerance.
pub(crate) fn from_start<T: Scalar>(
    (loss, rule): (Loss, Rule),
    (w, h): (&Mat, &Mat),
    max_iter: usize,
) -> Options<T> {
    let (start_w, start_h) = (Some(w.factor()), Some(h.factor()));
    let base = options(w.cols, rule);
    Options { loss, w: start_w, h: start_h, max_iter, tol: 0.0, ..base }
}

/// A fit of `x` alone from a given start.
pub(crate) fn run<T: Scalar>(
    x: &Mat,
    by: (Loss, Rule),
    start: (&Mat, &Mat),
    max_iter: usize,
) -> Fit<T> {
    fit(data(x, Kind::RowMajor, Weights::default()), &from_start(by, start, max_iter)).unwrap()
}
