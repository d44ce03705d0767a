//! Problems and comparisons that the tests share. Nothing here calls a kernel of the engine.

use partwise::{
    Csc, Csr, Dense, Factor, Fit, Input, Options, Order, Penalty, Rule, Scalar, Transform,
};

/// Multiplier and increment of Knuth's MMIX; the upper 53 bits give a uniform number.
pub(crate) struct Lcg(u64);

impl Lcg {
    pub(crate) fn new(seed: u64) -> Self {
        let mut lcg = Self(seed ^ 0x9E37_79B9_7F4A_7C15);
        for _ in 0..4 {
            lcg.next();
        }
        lcg
    }
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        self.0 >> 11
    }
    /// Uniform in [0, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        self.next() as f64 / (1u64 << 53) as f64
    }
    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.uniform() * n as f64) as usize
    }
    pub(crate) fn shuffled(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            order.swap(i, self.below(i + 1));
        }
        order
    }
}

/// A matrix in `f64`, row-major.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mat {
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    pub(crate) values: Vec<f64>,
}

impl Mat {
    pub(crate) fn new(rows: usize, cols: usize, values: Vec<f64>) -> Self {
        assert_eq!(values.len(), rows * cols);
        Self { rows, cols, values }
    }
    pub(crate) fn from_fn(rows: usize, cols: usize, f: impl Fn(usize, usize) -> f64) -> Self {
        let values = (0..rows).flat_map(|i| (0..cols).map(move |j| (i, j)));
        Self::new(rows, cols, values.map(|(i, j)| f(i, j)).collect())
    }
    pub(crate) fn random(rows: usize, cols: usize, seed: u64) -> Self {
        let mut rng = Lcg::new(seed);
        Self::new(rows, cols, (0..rows * cols).map(|_| rng.uniform()).collect())
    }
    /// Random, with about this share of entries that are not zero.
    pub(crate) fn sparse(rows: usize, cols: usize, density: f64, seed: u64) -> Self {
        let mut rng = Lcg::new(seed);
        let mut entry = || {
            let value = rng.uniform() + 0.1;
            if rng.uniform() < density { value } else { 0.0 }
        };
        Self::new(rows, cols, (0..rows * cols).map(|_| entry()).collect())
    }
    /// `self · otherᵀ`.
    pub(crate) fn times_transposed(&self, other: &Self) -> Self {
        Self::from_fn(self.rows, other.rows, |i, j| {
            self.row(i).iter().zip(other.row(j)).map(|(a, b)| a * b).sum()
        })
    }
    /// Of exact non-negative rank `k`, with zeros in the factors.
    pub(crate) fn planted(rows: usize, cols: usize, k: usize, seed: u64) -> Self {
        Self::sparse(rows, k, 0.6, seed).times_transposed(&Self::sparse(cols, k, 0.6, seed + 1))
    }
    pub(crate) fn get(&self, i: usize, j: usize) -> f64 {
        self.values[i * self.cols + j]
    }
    pub(crate) fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.cols..(i + 1) * self.cols]
    }
    pub(crate) fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        Self { values: self.values.iter().map(|&v| f(v)).collect(), ..*self }
    }
    pub(crate) fn transposed(&self) -> Self {
        Self::from_fn(self.cols, self.rows, |i, j| self.get(j, i))
    }
    pub(crate) fn permuted(&self, rows: &[usize], cols: &[usize]) -> Self {
        Self::from_fn(rows.len(), cols.len(), |i, j| self.get(rows[i], cols[j]))
    }
    pub(crate) fn norm_sq(&self) -> f64 {
        self.values.iter().map(|v| v * v).sum()
    }

    fn typed<T: Scalar>(&self) -> Vec<T> {
        self.values.iter().map(|&v| T::from_f64(v)).collect()
    }
    pub(crate) fn dense<T: Scalar>(&self) -> Dense<'static, T> {
        Dense::new(self.rows, self.cols, Order::RowMajor, self.typed()).unwrap()
    }
    pub(crate) fn factor<T: Scalar>(&self) -> Factor<T> {
        Factor::from_rows(self.rows, self.cols, &self.typed::<T>())
    }
    pub(crate) fn csr<T: Scalar>(&self) -> Csr<'static, T> {
        let (mut indptr, mut indices, mut values) = (vec![0usize], Vec::new(), Vec::new());
        for i in 0..self.rows {
            for (j, &v) in self.row(i).iter().enumerate().filter(|(_, v)| **v != 0.0) {
                indices.push(u32::try_from(j).unwrap());
                values.push(T::from_f64(v));
            }
            indptr.push(indices.len());
        }
        Csr::new((self.rows, self.cols), &indptr, indices, values).unwrap()
    }
    pub(crate) fn csc<T: Scalar>(&self) -> Csc<'static, T> {
        Csc::from_transposed(self.transposed().csr())
    }
    /// As `kind` stores it.
    pub(crate) fn input<T: Scalar>(&self, kind: Kind) -> Input<'static, T> {
        let (m, n) = (self.rows, self.cols);
        match kind {
            Kind::RowMajor => self.dense().into(),
            Kind::ColumnMajor => {
                let values = self.transposed().typed();
                Dense::new(m, n, Order::ColumnMajor, values).unwrap().into()
            }
            Kind::Strided => {
                // Entry (i, j) at (m − 1 − i) · (2n + 3) + 2 · (n − 1 − j) + 1, junk between.
                let pitch = 2 * n + 3;
                let mut values = vec![T::from_f64(-7.0); m * pitch];
                for i in 0..m {
                    for j in 0..n {
                        values[(m - 1 - i) * pitch + 2 * (n - 1 - j) + 1] =
                            T::from_f64(self.get(i, j));
                    }
                }
                let offset = (m - 1) * pitch + 2 * (n - 1) + 1;
                let strides = (-pitch.cast_signed(), -2);
                Dense::with_strides((m, n), strides, offset, values).unwrap().into()
            }
            Kind::Csr => self.csr().into(),
            Kind::Csc => self.csc().into(),
        }
    }
}

/// The ways in which X can be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    RowMajor,
    ColumnMajor,
    Strided,
    Csr,
    Csc,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] =
        [Self::RowMajor, Self::ColumnMajor, Self::Strided, Self::Csr, Self::Csc];
}

/// A factor in `f64`.
pub(crate) fn wide<T: Scalar>(f: &Factor<T>) -> Mat {
    Mat::new(f.rows(), f.cols(), f.to_vec().iter().map(|v| v.to_f64()).collect())
}

/// The bits of both factors of a fit.
pub(crate) fn bits<T: Scalar>(fit: &Fit<T>) -> Vec<u64> {
    factor_bits(&fit.w).into_iter().chain(factor_bits(&fit.h)).collect()
}

pub(crate) fn factor_bits<T: Scalar>(f: &Factor<T>) -> Vec<u64> {
    f.to_vec().iter().map(|v| v.to_f64().to_bits()).collect()
}

/// ½‖X − WHᵀ‖² by differences in `f64`.
pub(crate) fn objective<T: Scalar>(x: &Mat, fit: &Fit<T>) -> f64 {
    let fitted = wide(&fit.w).times_transposed(&wide(&fit.h));
    0.5 * x.values.iter().zip(&fitted.values).map(|(a, b)| (a - b) * (a - b)).sum::<f64>()
}

/// Largest difference of W·Hᵀ of two fits, in units of the largest entry.
pub(crate) fn product_distance<T: Scalar>(a: &Fit<T>, b: &Fit<T>) -> f64 {
    let [p, q] = [a, b].map(|f| wide(&f.w).times_transposed(&wide(&f.h)));
    distance(&p, &q)
}

/// Largest difference of entries, in units of the largest entry.
pub(crate) fn distance(a: &Mat, b: &Mat) -> f64 {
    assert_eq!((a.rows, a.cols), (b.rows, b.cols));
    let largest = a.values.iter().chain(&b.values).fold(0.0f64, |m, v| m.max(v.abs()));
    let apart = a.values.iter().zip(&b.values).fold(0.0f64, |m, (p, q)| m.max((p - q).abs()));
    // `max` passes over NaN, which is as far apart as can be.
    let lost = |m: &Mat| m.values.iter().any(|v| v.is_nan());
    if lost(a) || lost(b) {
        return f64::INFINITY;
    }
    if apart == 0.0 { 0.0 } else { apart / largest }
}

/// Every factor entry is finite and ≥ 0.
#[track_caller]
pub(crate) fn assert_sound<T: Scalar>(fit: &Fit<T>, what: &str) {
    for (name, f) in [("W", &fit.w), ("H", &fit.h)] {
        for v in f.to_vec() {
            assert!(v.is_finite() && v >= T::ZERO, "{what}: {name} holds {v}");
        }
    }
    assert!(!fit.objective.is_nan() && fit.objective >= 0.0, "{what}: {}", fit.objective);
    assert!(fit.relative_error.is_finite() && fit.relative_error >= 0.0, "{what}");
}

/// Columns of `found` matched to those of `planted`, in order: the least cosine of a best match.
pub(crate) fn least_cosine(planted: &Mat, found: &Mat) -> f64 {
    let (p, f) = (planted.transposed(), found.transposed());
    let cosine = |a: &[f64], b: &[f64]| {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
    };
    let mut free: Vec<usize> = (0..f.rows).collect();
    let mut least = 1.0f64;
    for t in 0..p.rows {
        let of = |s: usize| cosine(p.row(t), f.row(s));
        let best = free.iter().copied().max_by(|&a, &b| of(a).total_cmp(&of(b))).unwrap();
        least = least.min(of(best));
        free.retain(|&s| s != best);
    }
    least
}

/// Nothing is charged, also where entries are missing.
pub(crate) fn options<T: Scalar>(rank: usize, rule: Rule) -> Options<T> {
    let nothing = Some(Penalty::NONE);
    let (w_penalty, h_penalty) = (nothing, nothing);
    Options { rank, rule: Some(rule), w_penalty, h_penalty, ..Options::default() }
}

pub(crate) fn on_threads(threads: usize) -> Transform {
    Transform { threads, ..Transform::default() }
}

/// The rules for the Frobenius loss.
pub(crate) fn rules() -> impl Iterator<Item = Rule> {
    Rule::ALL.iter().copied().filter(|r| r.supports(partwise::Loss::FROBENIUS))
}

/// Rules with an exact or descending half step.
pub(crate) fn monotone_rules() -> impl Iterator<Item = Rule> {
    rules().filter(|r| r.update::<f64>(1).is_monotone())
}
