//! Rates of the kernels that work on one row at a time: `row_kernels`.
//!
//! One thread; nanoseconds for each (entry, component), and each sweep where there are sweeps. The
//! kernels are private to the engine, so their sources are compiled into this binary.

#![allow(dead_code, unused_imports, unfulfilled_lint_expectations, missing_docs, unreachable_pub)]

#[path = "../../../crates/partwise/src/factor.rs"]
mod factor;
#[path = "../../../crates/partwise/src/kernel/mod.rs"]
mod kernel;
#[path = "../../../crates/partwise/src/scalar.rs"]
mod scalar;

use factor::Factor;
use kernel::kl::{self, KlRow};
use kernel::panel::{gather_panel, padded};
use kernel::residual::{self, LsRow, LsWork};
use kernel::sddmm::sddmm;
use kernel::sparse;
use scalar::Scalar;
use std::hint::black_box;
use std::time::Instant;

/// Entries met in one measurement.
const WORK: usize = 20_000;
/// Calls between two looks at the clock.
const REPEATS: usize = 10;

/// Best of several runs, in nanoseconds for each of `units`.
fn time(units: usize, mut work: impl FnMut()) -> f64 {
    work();
    let run = |work: &mut dyn FnMut()| {
        let began = Instant::now();
        work();
        began.elapsed().as_secs_f64()
    };
    let best = (0..15).map(|_| run(&mut work)).fold(f64::INFINITY, f64::min);
    best * 1e9 / units as f64
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (self.0 >> 40) as f64 / (1u64 << 24) as f64
    }
    fn values<T: Scalar>(&mut self, n: usize) -> Vec<T> {
        (0..n).map(|_| T::from_f64(self.next())).collect()
    }
    fn factor<T: Scalar>(&mut self, rows: usize, k: usize) -> Factor<T> {
        Factor::from_rows(rows, k, &self.values::<T>(rows * k))
    }
}

/// Rows of X with the factor they meet.
struct Rows<T> {
    h: Factor<T>,
    indices: Vec<Vec<u32>>,
    x: Vec<Vec<T>>,
    u: Vec<T>,
    k: usize,
    z: usize,
}

impl<T: Scalar> Rows<T> {
    /// Every row has a few components of its own, as rows of counts do.
    fn new(k: usize, z: usize) -> Self {
        let mut random = Random(1);
        let cols = 2 * z + 100;
        let h = random.factor::<T>(cols, k);
        let u =
            (0..k).map(|t| T::from_f64((0..cols).map(|j| h.get(j, t).to_f64()).sum())).collect();
        let (mut indices, mut x) = (Vec::new(), Vec::new());
        for _ in 0..WORK.div_ceil(z) {
            let mix: Vec<f64> = (0..k).map(|_| (4.0 * random.next() - 3.0).max(0.0)).collect();
            let row: Vec<u32> = (0..z).map(|_| (random.next() * cols as f64) as u32).collect();
            let mut values = vec![T::ZERO; padded(z)];
            for (value, &j) in values.iter_mut().zip(&row) {
                let mean: f64 = (0..k).map(|t| mix[t] * h.get(j as usize, t).to_f64()).sum();
                *value = T::from_f64((1.0 + 4.0 * mean * random.next()).floor());
            }
            indices.push(row);
            x.push(values);
        }
        Self { h, indices, x, u, k, z }
    }
    fn units(&self) -> usize {
        self.indices.len() * self.z * self.k
    }
}

fn panels<T: Scalar>(rows: &Rows<T>) -> f64 {
    let stride = padded(rows.z);
    let mut panel = vec![T::ZERO; rows.k * stride];
    time(rows.units(), || {
        for indices in &rows.indices {
            gather_panel(rows.h.view(), indices, &mut panel, stride);
        }
        black_box(&panel);
    })
}

/// (Per entry, component and sweep; what a call costs beside its sweeps; as the first, but from a
/// settled f.)
fn kullback_leibler<T: Scalar>(rows: &Rows<T>) -> [f64; 3] {
    let (k, z, stride) = (rows.k, rows.z, padded(rows.z));
    let mut panel = vec![T::ZERO; k * stride];
    let mut rest = [vec![T::ZERO; stride], vec![T::ZERO; stride], vec![T::ZERO; k]];
    let mut run = |sweeps: usize, settle: usize| {
        let [p, ratio, num] = &mut rest;
        let mut total = 0.0;
        for (indices, c) in rows.indices.iter().zip(&rows.x).take(40) {
            gather_panel(rows.h.view(), indices, &mut panel, stride);
            let quad = T::ZERO;
            let row = KlRow { panel: &panel, stride, len: z, c, u: &rows.u, quad };
            let mut from = vec![T::ONE; k];
            kl::improve(&row, &mut from, p, ratio, Some(num), settle);
            let mut f = from.clone();
            total += time(REPEATS * z * k, || {
                for _ in 0..REPEATS {
                    f.copy_from_slice(&from);
                    kl::improve(&row, &mut f, p, ratio, Some(num), sweeps);
                    black_box(&f);
                }
            });
        }
        total / rows.indices.len().min(40) as f64
    };
    let (fixed, one, nine) = (run(0, 0), run(1, 0), run(9, 0));
    [(nine - one) / 8.0, fixed, (run(9, 100) - run(1, 100)) / 8.0]
}

/// As [`kullback_leibler`], without the settled f.
fn least_squares<T: Scalar>(rows: &Rows<T>, weighted: bool) -> [f64; 2] {
    let (k, z, stride) = (rows.k, rows.z, padded(rows.z));
    let mut panel = vec![T::ZERO; k * stride];
    let [mut r, q] = [vec![T::ONE; stride], vec![T::ONE; stride]];
    let [mut inverse, mut num, mut den, from] = std::array::from_fn(|_| vec![T::ONE; k]);
    let mut run = |sweeps: usize| {
        let mut total = 0.0;
        for (indices, x) in rows.indices.iter().zip(&rows.x).take(40) {
            gather_panel(rows.h.view(), indices, &mut panel, stride);
            let q = weighted.then_some(&q[..]);
            let row = LsRow { panel: &panel, stride, len: z, x, q, l1: T::ZERO, l2: T::ZERO };
            let mut f = from.clone();
            let (r, inverse, num, den) = (&mut r[..], &mut inverse[..], &mut num[..], &mut den[..]);
            let mut work = LsWork { r, inverse, num, den };
            total += time(REPEATS * z * k, || {
                for _ in 0..REPEATS {
                    f.copy_from_slice(&from);
                    residual::improve(&row, &mut f, &mut work, sweeps);
                    black_box(&f);
                }
            });
        }
        total / rows.indices.len().min(40) as f64
    };
    let (fixed, one, nine) = (run(0), run(1), run(9));
    [(nine - one) / 8.0, fixed]
}

fn sampled<T: Scalar>(rows: &Rows<T>) -> f64 {
    let indices = rows.indices.concat();
    let indptr: Vec<usize> = (0..=rows.indices.len()).map(|i| i * rows.z).collect();
    let mut q = vec![T::ZERO; indices.len()];
    let w = Random(2).factor::<T>(rows.indices.len(), rows.k);
    let cols = rows.h.rows();
    // The product does not look at the values.
    let x = sparse::Rows { indptr: &indptr, indices: &indices, values: &[], cols };
    time(rows.units(), || {
        sddmm(x, w.view(), rows.h.view(), &mut q);
        black_box(&q);
    })
}

fn all<T: Scalar>() {
    for k in [16, 32] {
        for z in [30, 64, 300, 2500] {
            let rows = Rows::<T>::new(k, z);
            let [sweep, fixed, settled] = kullback_leibler(&rows);
            let panel = panels(&rows);
            let [plain, around] = least_squares(&rows, false);
            let [weighted, _] = least_squares(&rows, true);
            let product = sampled(&rows);
            println!(
                "{} k = {k:<3} z = {z:<5} panel {panel:5.2}   sddmm {product:5.2}   KL sweep \
                 {sweep:5.2}, settled {settled:5.2}, beside {fixed:5.2}   LS sweep {plain:5.2}, \
                 weighted {weighted:5.2}, beside {around:5.2}",
                T::NAME
            );
        }
    }
}

fn main() {
    all::<f32>();
    all::<f64>();
}
