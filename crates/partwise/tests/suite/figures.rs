//! Figures that a fit reports are those of its factors, whatever was fitted: random fits against an
//! evaluation in twice the digits of `f64`.

use crate::common::*;
use crate::reference::positive;
use partwise::matrix::{Data, Weights};
use partwise::{
    Fit, Loss, Options, Penalty, Record, Rule, Scalar, Side, Start, Status, fit, verify,
};

const FITS: u64 = 5000;

/// A sum good to a roundoff of what it adds (Neumaier 1974).
#[derive(Default)]
struct Sum(f64, f64);

impl Sum {
    fn add(&mut self, value: f64) {
        let total = self.0 + value;
        let (large, small) =
            if self.0.abs() >= value.abs() { (self.0, value) } else { (value, self.0) };
        self.1 += (large - total) + small;
        self.0 = total;
    }
    fn value(&self) -> f64 {
        self.0 + self.1
    }
}

/// `from + Σ f·h` with each product exact and each rounding kept (Ogita, Rump & Oishi 2005).
fn plus_dot(from: f64, f: &[f64], h: &[f64]) -> f64 {
    let (mut sum, mut lost) = (from, 0.0);
    for (f, h) in f.iter().zip(h) {
        let product = f * h;
        lost += f.mul_add(*h, -product);
        let total = sum + product;
        let back = total - sum;
        lost += (sum - (total - back)) + (product - back);
        sum = total;
    }
    sum + lost
}

/// d(x, q), where r = x − q is known better than by that difference.
fn value(loss: Loss, x: f64, q: f64, r: f64) -> f64 {
    if let Some(delta) = loss.delta() {
        return if r.abs() <= delta { 0.5 * r * r } else { delta * (r.abs() - 0.5 * delta) };
    }
    let b = loss.degree();
    if b == 2.0 {
        return 0.5 * r * r;
    }
    if x == 0.0 {
        return q.powf(b) / b;
    }
    if q == 0.0 {
        return if b > 1.0 { x.powf(b) / (b * (b - 1.0)) } else { f64::INFINITY };
    }
    // With ρ = ln(q/x), x^β Σ (β^(n−1) − (β−1)^(n−1)) ρⁿ/n! from n = 2 on.
    let log = if r.abs() < 0.5 * x { (-r / x).ln_1p() } else { (q / x).ln() };
    if log.abs() < 0.5 {
        let (mut term, mut powers, mut sum) = (log, (1.0, 1.0), Sum::default());
        for n in 2..40 {
            term *= log / f64::from(n);
            powers = (powers.0 * b, powers.1 * (b - 1.0));
            // (0⁰ = 1) − …: at n = 2 the difference is 1 whatever β is.
            let apart = if n == 2 { 1.0 } else { powers.0 - powers.1 };
            sum.add(apart * term);
        }
        return x.powf(b) * sum.value();
    }
    match b {
        1.0 => x * (x / q).ln() - x + q,
        0.0 => x / q - (x / q).ln() - 1.0,
        b => (x.powf(b) + (b - 1.0) * q.powf(b) - b * x * q.powf(b - 1.0)) / (b * (b - 1.0)),
    }
}

/// What a fit is of, in `f64` as the engine holds it.
#[derive(Debug)]
struct Case {
    x: Mat,
    p: Mat,
    what: String,
    loss: Loss,
}

impl Case {
    /// Σ p d(x, q) for this W and H.
    fn divergence(&self, w: &Mat, h: &Mat) -> f64 {
        let mut sum = Sum::default();
        for i in 0..self.x.rows {
            for j in 0..self.x.cols {
                let (x, p) = (self.x.get(i, j), self.p.get(i, j));
                if p > 0.0 {
                    let minus: Vec<f64> = w.row(i).iter().map(|w| -w).collect();
                    let (q, r) = (plus_dot(0.0, w.row(i), h.row(j)), plus_dot(x, &minus, h.row(j)));
                    sum.add(p * value(self.loss, x, q, r));
                }
            }
        }
        sum.value()
    }

    /// Of the constant model that a fit is compared with, and the size of its terms.
    fn null(&self) -> (f64, f64) {
        let entries = || self.x.values.iter().zip(&self.p.values).filter(|(_, p)| **p > 0.0);
        let (mut weight, mut weighed) = (Sum::default(), Sum::default());
        for (x, p) in entries() {
            weight.add(*p);
            weighed.add(p * x);
        }
        let mean = weighed.value() / weight.value();
        let level = if self.loss == Loss::FROBENIUS { 0.0 } else { mean };
        let (mut null, mut size) = (Sum::default(), Sum::default());
        for (&x, p) in entries() {
            null.add(p * value(self.loss, x, level, x - level));
            size.add(p * mean.powf(self.loss.degree()));
        }
        (null.value(), size.value())
    }
}

fn charge(penalty: Penalty, f: &Mat) -> f64 {
    let (mut sum, mut squares) = (Sum::default(), Sum::default());
    f.values.iter().for_each(|&v| sum.add(v));
    f.values.iter().for_each(|&v| squares.add(v * v));
    penalty.l1 * sum.value() + 0.5 * penalty.l2 * squares.value()
}

/// One of these.
fn pick<'a, V>(rng: &mut Lcg, of: &'a [V]) -> &'a V {
    &of[rng.below(of.len())]
}

fn one_in(rng: &mut Lcg, n: usize) -> bool {
    rng.below(n) == 0
}

/// Values of every kind that a fit may meet, constant and zero throughout among them.
fn values(rng: &mut Lcg, (m, n): (usize, usize), positive: bool) -> Mat {
    let seed = rng.next();
    let rank = 1 + rng.below(4);
    let mut x = match rng.below(9) {
        0 => Mat::from_fn(m, n, |_, _| 3.0),
        1 => Mat::new(m, n, vec![if positive { 0.1 } else { 0.0 }; m * n]),
        2 | 3 => Mat::random(m, rank, seed).times_transposed(&Mat::random(n, rank, seed + 1)),
        4 => Mat::planted(m, n, rank, seed),
        5 => Mat::sparse(m, n, 0.3, seed),
        6 => Mat::random(m, n, seed).map(|v| (10.0 * v * v).floor()),
        7 => Mat::random(m, n, seed).map(|v| (16.0 * v - 8.0).exp()),
        _ => Mat::random(m, n, seed),
    };
    if one_in(rng, 6) {
        let (row, col) = (rng.below(m), rng.below(n));
        x = Mat::from_fn(m, n, |i, j| if i == row || j == col { 0.0 } else { x.get(i, j) });
    }
    if positive {
        x = x.map(|v| v.max(1e-3));
    }
    let unit = 4f64.powi(*pick(rng, &[-20, -3, 3, 15]));
    if one_in(rng, 5) { x.map(|v| v * unit) } else { x }
}

/// Weights with what they come to.
fn weights<T: Scalar>(rng: &mut Lcg, x: &Mat, storage: Kind) -> (Weights<'static, T>, Mat) {
    let (m, n) = (x.rows, x.cols);
    let none = Weights::default();
    let chance = Mat::random(m, n, rng.next());
    let share = *pick(rng, &[0.03, 0.1, 0.2, 0.4, 0.7]);
    let seen = chance.map(|v| f64::from(v >= share));
    let narrow = |v: f64| T::from_f64(v);
    let line = |rng: &mut Lcg, n: usize| -> Vec<T> {
        (0..n).map(|_| narrow(*pick(rng, &[0.25, 1.0, 1.5, 3.0]))).collect()
    };
    match rng.below(9) {
        0..=3 => (none, x.map(|_| 1.0)),
        4 | 5 => (Weights { hidden: Some(seen.map(|s| 1.0 - s).csr()), ..none }, seen),
        6 => {
            let (rows, columns) = (line(rng, m), line(rng, n));
            let p = Mat::from_fn(m, n, |i, j| rows[i].to_f64() * columns[j].to_f64());
            (Weights { rows: Some(rows), columns: Some(columns), ..none }, p)
        }
        7 => {
            let given = Mat::from_fn(m, n, |i, j| 2.0 * seen.get(i, j) * (chance.get(i, j) + 0.1));
            let given = given.map(|v| narrow(v).to_f64());
            let kind = *pick(rng, &[Kind::RowMajor, Kind::Csr]);
            (Weights { entries: Some(given.input(kind)), ..none }, given)
        }
        _ if matches!(storage, Kind::Csr | Kind::Csc) => {
            (Weights { absent_missing: true, ..none }, x.map(|v| f64::from(v != 0.0)))
        }
        _ => (none, x.map(|_| 1.0)),
    }
}

fn random_penalty(rng: &mut Lcg) -> Option<Penalty> {
    let price = |rng: &mut Lcg| *pick(rng, &[0.0, 0.01, 0.3, 20.0]);
    let (l1, l2) = (price(rng), price(rng));
    (!one_in(rng, 3)).then_some(Penalty { l1, l2 })
}

const LOSSES: [f64; 7] = [-1.0, 0.0, 0.5, 1.0, 1.5, 2.5, 3.0];

fn random_loss(rng: &mut Lcg) -> Loss {
    match rng.below(12) {
        0..=4 => Loss::FROBENIUS,
        5 => Loss::KL,
        6 => Loss::huber(*pick(rng, &[0.05, 0.5])).unwrap(),
        _ => Loss::new(*pick(rng, &LOSSES)).unwrap(),
    }
}

/// A fit of a seed, if the engine takes it.
fn run<T: Scalar>(seed: u64) -> Option<(Case, Fit<T>, Data<'static, T>, f64)> {
    let mut rng = Lcg::new(seed);
    let rng = &mut rng;
    let loss = random_loss(rng);
    let rules: Vec<Rule> = Rule::ALL.iter().copied().filter(|rule| rule.supports(loss)).collect();
    let shape = if one_in(rng, 10) { (40, 25) } else { (1 + rng.below(14), 1 + rng.below(14)) };
    let x = values(rng, shape, loss.forbids_zeros()).map(|v| T::from_f64(v).to_f64());
    let storage = *pick(rng, &Kind::ALL);
    let (weights, p) = weights::<T>(rng, &x, storage);
    let rank = 1 + rng.below(6);
    let fixed = one_in(rng, 5).then(|| *pick(rng, &[Side::Rows, Side::Columns]));
    let side = |rng: &mut Lcg, n: usize| -> partwise::Factor<T> {
        let zeros = one_in(rng, 2) && loss.degree() >= 1.5;
        let size = x.values.iter().fold(0.0f64, |a, &b| a.max(b)).sqrt();
        let (f, sparse) = (Mat::random(n, rank, rng.next()), Mat::sparse(n, rank, 0.7, rng.next()));
        (if zeros { sparse } else { f.map(|v| v + 0.01) }).map(|v| v * size).factor()
    };
    let given = one_in(rng, 4);
    let w = (given || fixed == Some(Side::Rows)).then(|| side(rng, x.rows));
    let h = (given || fixed == Some(Side::Columns)).then(|| side(rng, x.cols));
    let random = w.is_none() && h.is_none();
    let options = Options {
        rank,
        loss,
        rule: (!one_in(rng, 3)).then(|| *pick(rng, &rules)),
        init: if random {
            *pick(rng, &[Start::Random, Start::Random, Start::Nndsvda])
        } else {
            Start::Random
        },
        n_init: 1,
        seed,
        tol: *pick(rng, &[0.0, 1e-4, 1e-8]),
        max_iter: *pick(rng, &[0, 1, 2, 7, 30, 200]),
        plain: *pick(rng, &[0, 0, 2]),
        w,
        h,
        fixed,
        w_penalty: random_penalty(rng),
        h_penalty: random_penalty(rng),
        threads: 1,
        ..Options::default()
    };
    let options = Options {
        n_init: if random && options.init == Start::Random { 1 + rng.below(3) } else { 1 },
        ..options
    };
    let data = Data { x: x.input::<T>(storage), weights };
    let Options { rule, max_iter, tol, .. } = options;
    let rule = rule.map_or("-", |rule| rule.name());
    let what = format!(
        "seed {seed}: {loss} {rule} {} {storage:?} {shape:?} k = {rank}, {max_iter} its, tol {tol:e}, \
         fixed {fixed:?}, penalties {:?} {:?}",
        T::NAME,
        options.w_penalty,
        options.h_penalty
    );
    let found = fit(data.borrowed(), &options).ok()?;
    let what = format!("{what}, {} after {}", found.status, found.iterations);
    Some((Case { x, p, what, loss }, found, data, tol))
}

/// What is wrong with the figures of a fit.
fn faults<T: Scalar>(case: &Case, found: &Fit<T>, data: Data<'_, T>, tol: f64) -> Vec<String> {
    let mut faults = Vec::new();
    let mut expect = |holds: bool, what: String| {
        if !holds {
            faults.push(what);
        }
    };
    let (w, h) = (wide(&found.w), wide(&found.h));
    let sound = w.values.iter().chain(&h.values).all(|v| v.is_finite() && *v >= 0.0);
    expect(sound, "factors".into());
    let divergence = case.divergence(&w, &h);
    let objective = divergence + charge(found.w_penalty, &w) + charge(found.h_penalty, &h);
    let bound = found.objective_bound;
    let off = (found.divergence - divergence).abs();
    expect(
        off <= bound,
        format!("divergence {:e} is {divergence:e}: off by {off:e} > {bound:e}", found.divergence),
    );
    let off = (found.objective - objective).abs();
    expect(
        off <= bound,
        format!("objective {:e} is {objective:e}: off by {off:e} > {bound:e}", found.objective),
    );
    expect(
        found.objective >= 0.0 && bound.is_finite() && bound >= 0.0,
        format!("{} {bound}", found.objective),
    );
    let (null, size) = case.null();
    let (error, share) = (found.relative_error, found.explained_variance);
    expect(
        error.is_finite() && error >= 0.0 && share.is_finite(),
        format!("relative {error} {share}"),
    );
    if null > 1e-3 * size {
        // D₀ is a sum in T of what rounding moves by roundoffs of its terms.
        let close = |found: f64, is: f64| {
            (found - is).abs() <= 1e-3 * is + 3.0 * bound / null + f64::EPSILON
        };
        expect(
            close(error * error, divergence / null),
            format!("relative error {error}, null {null}"),
        );
        expect(close(1.0 - share, divergence / null), format!("explained {share}"));
    }
    let kkt = found.kkt;
    // What nothing holds down is infinitely far from stationary.
    let parts = [kkt.w, kkt.h, kkt.w_zeros, kkt.h_zeros];
    expect(parts.iter().all(|v| *v >= 0.0), format!("{kkt:?}"));
    if found.status == Status::Converged {
        expect(kkt.residual() <= tol, format!("converged at {:e}", kkt.residual()));
    }
    // The iterate returned is the best of the history, which measures by sums in T.
    let norm_sq: f64 = case.x.values.iter().zip(&case.p.values).map(|(x, p)| p * x * x).sum();
    let rounding = if case.loss == Loss::FROBENIUS { 8.0 * T::ROUNDOFF * norm_sq } else { 0.0 };
    let rounding = rounding + 2.0 * bound + 16.0 * T::ROUNDOFF * objective;
    let least = found.history.iter().map(|r| r.objective).fold(f64::INFINITY, f64::min);
    expect(
        found.objective <= least + rounding || least.is_infinite(),
        format!("{:e} had been {least:e}", found.objective),
    );
    let last = found.history.last();
    let same = |r: &Record| (r.objective - found.objective).abs() <= rounding;
    expect(last.is_none_or(same), format!("history ends at {:?}, is {:e}", last, found.objective));
    let best = found.restarts.iter().map(|r| r.objective).fold(f64::INFINITY, f64::min);
    expect(
        (best - found.objective).abs() <= rounding,
        format!("restarts at {best:e}, is {:e}", found.objective),
    );
    let objective_of = verify::Objective {
        loss: case.loss,
        w_penalty: found.w_penalty,
        h_penalty: found.h_penalty,
    };
    let verified = verify::verify(data, &found.w, &found.h, &objective_of).unwrap();
    let off = (verified.objective - objective).abs();
    expect(
        off <= verified.objective_bound,
        format!(
            "verified {:e} is {objective:e}: off by {off:e} > {:e}",
            verified.objective, verified.objective_bound
        ),
    );
    faults
}

fn check(seeds: std::ops::Range<u64>) {
    let (mut wrong, mut taken) = (Vec::new(), 0);
    let count = seeds.end - seeds.start;
    for seed in seeds {
        let of = |case: Case, faults: Vec<String>| -> Option<String> {
            (!faults.is_empty()).then(|| format!("{}\n    {}", case.what, faults.join("\n    ")))
        };
        let found = if seed % 2 == 0 {
            run::<f32>(seed).map(|(case, found, data, tol)| {
                let f = faults(&case, &found, data, tol);
                of(case, f)
            })
        } else {
            run::<f64>(seed).map(|(case, found, data, tol)| {
                let f = faults(&case, &found, data, tol);
                of(case, f)
            })
        };
        taken += u64::from(found.is_some());
        wrong.extend(found.flatten());
    }
    assert!(wrong.is_empty(), "{} of {taken}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(5 * taken >= 4 * count, "only {taken} of {count} were fitted");
}

#[test]
fn figures_of_random_fits_are_those_of_their_factors() {
    check(0..FITS);
}

/// Least objective of the records of a fit.
fn least<T: Scalar>(found: &Fit<T>) -> f64 {
    found.history.iter().map(|r| r.objective).fold(f64::INFINITY, f64::min)
}

#[test]
fn nearly_exact_fits_keep_their_best_iterate_however_it_is_measured() {
    for seed in 0..20 {
        for (rule, planted, rank) in [(Rule::Hals, 3, 3), (Rule::Bpp, 6, 12)] {
            let x = Mat::random(30, planted, seed).times_transposed(&Mat::random(
                20,
                planted,
                seed + 1000,
            ));
            for max_iter in [7, 12, 40] {
                let options = Options { seed, tol: 1e-6, max_iter, ..options(rank, rule) };
                let found = fit(x.dense::<f32>(), &options).unwrap();
                // Of two iterates told apart by their bounds, the better one.
                let allowed = 1.01 * least(&found) + 2.0 * found.objective_bound;
                let what = format!("{rule} {seed} {max_iter}");
                assert!(found.objective <= allowed, "{what}: {} {allowed}", found.objective);
                let rises =
                    found.history.windows(2).filter(|p| p[1].objective > 2.0 * p[0].objective);
                let real = rises
                    .filter(|p| p[1].objective > p[0].objective + 40.0 * found.objective_bound);
                assert_eq!(real.count(), 0, "{what}: {:?}", found.history);
            }
        }
    }
}

#[test]
fn more_iterations_return_nothing_worse_though_a_component_is_started_again() {
    // One component of the start is dead, and X needs but the other one.
    for (m, n) in [(9, 6), (6, 9)] {
        let x = positive(m, 1, 1).times_transposed(&positive(n, 1, 2));
        let dead = |f: &Mat| Mat::from_fn(f.rows, 2, |i, t| if t == 0 { f.get(i, 0) } else { 0.0 });
        let (w, h) = (dead(&positive(m, 1, 3)), positive(n, 2, 4));
        for (w, h) in [(&w, &h), (&positive(m, 2, 5), &dead(&positive(n, 1, 6)))] {
            for rule in rules() {
                let mut best = f64::INFINITY;
                for max_iter in 0..12 {
                    let start = (Some(w.factor()), Some(h.factor()));
                    let base = options::<f64>(2, rule);
                    let options = Options { w: start.0, h: start.1, max_iter, tol: 0.0, ..base };
                    let found = fit(x.dense(), &options).unwrap();
                    let allowed = best + 1e-13 * x.norm_sq();
                    let here = found.objective;
                    assert!(here <= allowed, "{rule} {m} × {n}, {max_iter}: {here:e} {best:e}");
                    best = best.min(here);
                }
            }
        }
    }
}

#[test]
fn a_factor_that_is_held_beside_nothing_is_charged() {
    let price = Some(Penalty { l1: 1.0, l2: 0.5 });
    for (fixed, rows) in [(Side::Rows, 3), (Side::Columns, 4)] {
        let held = positive(rows, 2, 1);
        let given = Some(held.factor::<f64>());
        let base = Options { w_penalty: price, h_penalty: price, ..options(2, Rule::Hals) };
        let options = match fixed {
            Side::Rows => Options { w: given, fixed: Some(fixed), ..base },
            Side::Columns => Options { h: given, fixed: Some(fixed), ..base },
        };
        let nothing = Mat::new(3, 4, vec![0.0; 12]);
        let found = fit(nothing.dense::<f64>(), &options).unwrap();
        let want = held.values.iter().sum::<f64>() + 0.25 * held.norm_sq();
        assert!((found.objective - want).abs() <= found.objective_bound, "{}", found.objective);
        let restarts: Vec<f64> = found.restarts.iter().map(|r| r.objective).collect();
        assert_eq!((found.divergence, restarts), (0.0, vec![found.objective]));
    }
}

#[test]
fn a_rule_that_loses_iterates_converges_with_the_certificate_of_the_one_it_returns() {
    let mut converged = 0;
    for seed in 0..1500 {
        let x = Mat::random(2, 7, seed);
        let options = Options { tol: 3e-6, max_iter: 60, seed, ..options(1, Rule::Als) };
        let found = fit(x.dense::<f32>(), &options).unwrap();
        let residual = found.kkt.residual();
        if found.status == Status::Converged {
            assert!(residual <= 3e-6, "{seed}: converged at {residual:e}");
            converged += 1;
        }
        // The record is of the best iterate so far, but for rounding.
        let rounding = 16.0 * f32::ROUNDOFF * x.norm_sq();
        let falls = |a: &Record, b: &Record| b.objective <= a.objective + rounding;
        assert!(found.history.is_sorted_by(falls), "{seed}");
    }
    assert!(converged > 500, "{converged}");
}
