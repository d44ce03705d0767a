//! Rates of the kernels beside what the machine can do: `partwise-kernels`.
//!
//! One thread. GF/s count 2 flops per multiply-add; GB/s count the entries of X once per product.

use partwise::matrix::{Matrix, Visitor};
use partwise::update::{Gram, Update};
use partwise::{Csr, Dense, Factor, Order, Rule, Scalar};
use std::hint::black_box;
use std::time::Instant;

/// Best of several runs, in seconds.
fn time(mut work: impl FnMut()) -> f64 {
    work();
    let run = |work: &mut dyn FnMut()| {
        let began = Instant::now();
        work();
        began.elapsed().as_secs_f64()
    };
    (0..7).map(|_| run(&mut work)).fold(f64::INFINITY, f64::min)
}

fn random<T: Scalar>(n: usize) -> Vec<T> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / (1u64 << 24) as f64
    };
    (0..n).map(|_| T::from_f64(next())).collect()
}

fn report<T: Scalar>(what: &str, k: usize, flops: f64, bytes: f64, seconds: f64) {
    let (rate, read) = (flops / seconds / 1e9, bytes / seconds / 1e9);
    println!("{what:<28} {:>4} k = {k:<4} {rate:8.1} GF/s {read:8.2} GB/s", T::NAME);
}

fn products<T: Scalar>(what: &str, x: &dyn Matrix<T>, k: usize, entry_bytes: usize, block: usize) {
    let (rows, cols) = x.shape();
    let h = Factor::from_rows(cols, k, &random::<T>(cols * k));
    let w = Factor::from_rows(rows, k, &random::<T>(rows * k));
    let mut out = Factor::<T>::zeros(rows, k);
    let mut c = Factor::<T>::zeros(cols, k);
    let flops = 2.0 * x.stored() as f64 * k as f64;
    let bytes = (x.stored() * entry_bytes) as f64;
    let by_blocks = |work: &mut Visitor<'_, T>| {
        for from in (0..rows).step_by(block) {
            x.visit(from..rows.min(from + block), work).expect("in memory");
        }
    };
    let seconds = time(|| {
        let mut out = out.view_mut();
        by_blocks(&mut |range, panel| panel.product(h.view(), &mut out.slice(range)));
    });
    report::<T>(&format!("{what} X·H"), k, flops, bytes, seconds);
    let seconds = time(|| {
        let mut c = c.view_mut();
        by_blocks(&mut |range, panel| panel.add_transposed(w.view().slice(range), &mut c));
    });
    report::<T>(&format!("{what} Xᵀ·W"), k, flops, bytes, seconds);
    black_box((&out, &c));
}

fn sweeps<T: Scalar>(k: usize) {
    let rows = 4096;
    let other = Factor::from_rows(512, k, &random::<T>(512 * k));
    let mut gram = vec![0.0; k * k];
    for i in 0..512 {
        for s in 0..k {
            for t in 0..k {
                gram[s * k + t] += other.get(i, s).to_f64() * other.get(i, t).to_f64();
            }
        }
    }
    let gram = Gram::<T>::new(k, gram);
    let rule: Box<dyn Update<T>> = Rule::Hals.update(4);
    let ready = rule.prepare(&gram, T::ZERO);
    let mut f = Factor::from_rows(rows, k, &random::<T>(rows * k));
    let b = Factor::from_rows(rows, k, &random::<T>(rows * k));
    let seconds = time(|| ready.improve(&mut f.view_mut(), b.view()));
    report::<T>("HALS, 4 sweeps", k, 4.0 * 2.0 * (rows * k * k) as f64, 0.0, seconds);
}

fn sparse<T: Scalar>(rows: usize, cols: usize, per_row: usize, k: usize) {
    let mut state = 1u64;
    let mut next = move |n: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n
    };
    let mut indptr = vec![0usize];
    let mut indices = Vec::new();
    for _ in 0..rows {
        let mut row: Vec<u32> = (0..per_row).map(|_| next(cols) as u32).collect();
        row.sort_unstable();
        row.dedup();
        indices.extend(row);
        indptr.push(indices.len());
    }
    let values = random::<T>(indices.len());
    let x = Csr::new((rows, cols), &indptr, indices, values).expect("valid");
    products(&format!("sparse {rows} × {cols}"), &x, k, size_of::<T>() + 4, 512);
}

/// The product of a block that stays in the first-level cache: what arithmetic alone allows.
fn peak<T: Scalar>() {
    let (rows, cols, k) = (96, 64, 32);
    let x = Dense::new(rows, cols, Order::RowMajor, random::<T>(rows * cols)).expect("valid");
    let h = Factor::from_rows(cols, k, &random::<T>(cols * k));
    let mut out = Factor::<T>::zeros(rows, k);
    let seconds = time(|| {
        for _ in 0..1000 {
            x.visit(0..rows, &mut |_, panel| panel.product(h.view(), &mut out.view_mut()))
                .expect("in memory");
        }
    });
    black_box(&out);
    report::<T>("arithmetic, in cache", k, 2000.0 * (rows * cols * k) as f64, 0.0, seconds);
}

fn all<T: Scalar>() {
    for k in [8, 16, 20, 32, 64, 128] {
        let dense =
            Dense::new(4000, 2500, Order::RowMajor, random::<T>(4000 * 2500)).expect("valid");
        products("dense 4000 × 2500", &dense, k, size_of::<T>(), 52);
        sweeps::<T>(k);
    }
    let dense = Dense::new(21025, 200, Order::RowMajor, random::<T>(21025 * 200)).expect("valid");
    products("dense 21025 × 200", &dense, 16, size_of::<T>(), 512);
    for k in [16, 32, 64] {
        sparse::<T>(60_000, 17_000, 28, k);
        sparse::<T>(7_000, 12_000, 40, k);
    }
}

fn main() {
    let vector = vec![1u64; 1 << 25];
    let seconds = time(|| {
        black_box(vector.iter().sum::<u64>());
    });
    println!("memory, one thread: {:.1} GB/s", (vector.len() * 8) as f64 / seconds / 1e9);
    peak::<f32>();
    peak::<f64>();
    all::<f32>();
    all::<f64>();
}
