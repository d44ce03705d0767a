//! Every kernel against naive loops at odd sizes, with each instruction set this processor has: the
//! plain Rust one is the scalar twin of the others.

mod beta;
mod copies;
mod kl;
mod kl_rows;
mod look;
mod power;
mod rows;
mod steps;

use super::dense::{Accum, Strided, gram, product};
use super::simd::{CEILING, LEVELS};
use super::sparse::{Rows, gather, scatter};
use crate::factor::Factor;
use crate::scalar::Scalar;

/// Runs `check` once for each instruction set.
fn everywhere(check: impl Fn()) {
    for level in LEVELS {
        CEILING.set(level);
        check();
    }
}

struct Lcg(u64);

impl Lcg {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
    fn factor<T: Scalar>(&mut self, rows: usize, cols: usize) -> Factor<T> {
        let values: Vec<T> = (0..rows * cols).map(|_| T::from_f64(self.uniform())).collect();
        Factor::from_rows(rows, cols, &values)
    }
}

/// Sums of n products: n units of roundoff, twice, for either order.
fn close<T: Scalar>(got: T, want: f64, size: f64, n: usize) -> bool {
    (got.to_f64() - want).abs() <= 2.0 * (n as f64 + 2.0) * T::ROUNDOFF * size
}

fn dense_products<T: Scalar>() {
    let mut rng = Lcg(1);
    let widths = (1..=40).chain([47, 48, 63, 64, 65, 129]);
    for (at, k) in widths.enumerate() {
        // Heights through every remainder of the tiles; inner lengths 0, 1, odd, and beyond a block.
        for rows in [0, 1, 2, 3, 4, 5, 7, 11, 12, 13, 17, 25, 37, 70] {
            let inner = [0, 1, 2, 9, 33, 700][(at + rows) % 6];
            let x = rng.factor::<T>(rows.max(1), inner.max(1));
            let f = rng.factor::<T>(inner, k);
            let before = rng.factor::<T>(rows, k);
            let data = x.to_vec();
            let (m, n) = (x.rows() as isize, x.cols() as isize);
            let reversed: Vec<T> = data.iter().rev().copied().collect();
            let turned = x.to_transposed_vec();
            let stored =
                [(&data, 0, (n, 1)), (&reversed, data.len() - 1, (-n, -1)), (&turned, 0, (1, m))];
            for accum in [Accum::Replace, Accum::Add] {
                let mut all: Vec<Vec<T>> = Vec::new();
                for (data, offset, strides) in stored {
                    let x = Strided::new(data, offset, (rows, inner), strides).expect("within");
                    let mut out = before.clone();
                    product(x, f.view(), &mut out.view_mut(), accum);
                    // The padding stays zero: the next product reads whole cache lines.
                    let padding = out.stride() - k;
                    let lines = out.as_slice().chunks(out.stride());
                    assert!(
                        lines.clone().all(|l| l[k..].iter().all(|v| *v == T::ZERO)),
                        "{padding}"
                    );
                    all.push(out.to_vec());
                }
                assert_eq!(all[0], all[1], "backwards: {rows} × {inner} × {k}");
                assert_eq!(all[0], all[2], "by columns: {rows} × {inner} × {k}");
                for i in 0..rows {
                    for t in 0..k {
                        let start =
                            if accum == Accum::Add { before.get(i, t).to_f64() } else { 0.0 };
                        let terms = (0..inner).map(|j| x.get(i, j).to_f64() * f.get(j, t).to_f64());
                        let want = start + terms.sum::<f64>();
                        let got = all[0][i * k + t];
                        assert!(
                            close(got, want, want, inner),
                            "{rows} × {inner} × {k}: {got} {want}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn dense_products_equal_the_naive_loop_at_odd_sizes_and_any_strides() {
    everywhere(dense_products::<f32>);
    everywhere(dense_products::<f64>);
}

fn rows_alone<T: Scalar>() {
    let mut rng = Lcg(2);
    for k in [1, 5, 8, 16, 17, 33, 40] {
        let (x, f) = (rng.factor::<T>(70, 53), rng.factor::<T>(53, k));
        let mut whole = Factor::<T>::zeros(70, k);
        product(Strided::of(x.view()), f.view(), &mut whole.view_mut(), Accum::Replace);
        for i in 0..70 {
            let mut one = Factor::<T>::zeros(1, k);
            let row = Strided::of(x.view().slice(i..i + 1));
            product(row, f.view(), &mut one.view_mut(), Accum::Replace);
            assert_eq!(one.row(0), whole.row(i), "row {i}, k = {k}");
        }
        // A column has the same bits in a wide factor and alone: batches of restarts rely on it.
        for t in 0..k {
            let column: Vec<T> = (0..53).map(|j| f.get(j, t)).collect();
            let mut one = Factor::<T>::zeros(70, 1);
            let narrow = Factor::from_rows(53, 1, &column);
            product(Strided::of(x.view()), narrow.view(), &mut one.view_mut(), Accum::Replace);
            assert!((0..70).all(|i| one.get(i, 0) == whole.get(i, t)), "column {t} of {k}");
        }
    }
}

#[test]
fn a_row_and_a_column_have_the_same_bits_alone_and_among_others() {
    everywhere(rows_alone::<f32>);
    everywhere(rows_alone::<f64>);
}

fn grams<T: Scalar>() {
    let mut rng = Lcg(3);
    for k in 1..=40 {
        for rows in [0, 1, 3, 70] {
            let f = rng.factor::<T>(rows, k);
            let mut out = Factor::<T>::zeros(k, k);
            gram(f.view(), &mut out.view_mut(), Accum::Replace);
            for s in 0..k {
                for t in 0..k {
                    let want: f64 =
                        (0..rows).map(|i| f.get(i, s).to_f64() * f.get(i, t).to_f64()).sum();
                    assert!(close(out.get(s, t), want, want, rows), "{rows} {k} ({s}, {t})");
                    assert_eq!(out.get(s, t), out.get(t, s), "symmetric");
                }
            }
        }
    }
}

#[test]
fn grams_equal_the_naive_loop_and_are_symmetric() {
    everywhere(grams::<f32>);
    everywhere(grams::<f64>);
}

fn sparse_products<T: Scalar>() {
    let mut rng = Lcg(4);
    for k in (1..=40).chain([63, 64, 65, 128, 131]) {
        let (rows, cols) = (23, 31);
        let (mut indptr, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
        let mut dense = vec![0.0; rows * cols];
        for i in 0..rows {
            for j in 0..cols {
                // Every fourth row is empty.
                if i % 4 != 1 && rng.uniform() < 0.3 {
                    let value = T::from_f64(rng.uniform());
                    dense[i * cols + j] = value.to_f64();
                    indices.push(j as u32);
                    values.push(value);
                }
            }
            indptr.push(indices.len());
        }
        // Also a panel that does not begin with the first entry.
        for from in [0, 5] {
            let x = Rows { indptr: &indptr[from..], indices: &indices, values: &values, cols };
            let f = rng.factor::<T>(cols, k);
            let mut out = rng.factor::<T>(rows - from, k);
            gather(x, f.view(), &mut out.view_mut());
            let w = rng.factor::<T>(rows - from, k);
            let before = rng.factor::<T>(cols, k);
            let mut c = before.clone();
            scatter(x, w.view(), &mut c.view_mut());
            for t in 0..k {
                for i in 0..rows - from {
                    let entry = |j: usize| dense[(from + i) * cols + j];
                    let want: f64 = (0..cols).map(|j| entry(j) * f.get(j, t).to_f64()).sum();
                    assert!(close(out.get(i, t), want, want, cols), "gather {k} ({i}, {t})");
                }
                for j in 0..cols {
                    let entry = |i: usize| dense[(from + i) * cols + j] * w.get(i, t).to_f64();
                    let want = before.get(j, t).to_f64() + (0..rows - from).map(entry).sum::<f64>();
                    assert!(close(c.get(j, t), want, want, rows), "scatter {k} ({j}, {t})");
                }
            }
        }
    }
}

#[test]
fn sparse_products_equal_the_naive_loop_with_empty_rows_and_inner_panels() {
    everywhere(sparse_products::<f32>);
    everywhere(sparse_products::<f64>);
}

/// The same jobs on [`super::simd::Portable`]: put next to each private `Job` (its fields are private to the file), e.g. in
/// dense.rs:
/// ```ignore
/// let mut twin = before.clone();
/// unsafe { Product { x, f: f.view(), out: twin.view_mut(), accum }.run::<simd::Portable<T>>() };
/// ```
#[test]
fn portable_lanes_equal_the_widest_ones() {
    use super::simd::{Job, Portable, Simd, run};
    /// Loads, combines and stores with every operation of the trait, full and partial.
    struct Every<'a>(&'a [f64], &'a [f64], &'a mut Vec<f64>);
    impl Job<f64> for Every<'_> {
        type Out = ();
        #[inline(always)]
        unsafe fn run<S: Simd<f64>>(self) {
            let n = self.0.len();
            let mut at = 0;
            while at < n {
                // SAFETY: `part` keeps to what is left of the three slices.
                unsafe {
                    let left = n - at;
                    let (a, b) = (self.0.as_ptr().add(at), self.1.as_ptr().add(at));
                    let out = self.2.as_mut_ptr().add(at);
                    let part = left < S::LANES;
                    let a = if part { S::load_part(a, left) } else { S::load(a) };
                    let b = if part { S::load_part(b, left) } else { S::load(b) };
                    let v = S::max(S::add(S::fma(a, b, S::splat(0.5)), S::fnma(a, b, a)), b);
                    // A power of two in place of b / b when it is 0 in the lanes that are missing.
                    let v = S::add(v, S::div(S::mul(a, b), S::splat(4.0)));
                    let v = S::add(v, S::splat(S::sum(S::splat(0.125)) / S::LANES as f64));
                    let v = S::max(v, S::splat(-S::peak(S::splat(9.0))));
                    let v = S::where_least(a, b, v, S::mul(v, v));
                    if part { S::store_part(out, left, v) } else { S::store(out, v) }
                }
                at += S::LANES;
            }
        }
    }
    let mut rng = Lcg(8);
    for n in 0..70 {
        let a: Vec<f64> = (0..n).map(|_| rng.uniform() - 0.5).collect();
        let b: Vec<f64> = (0..n).map(|_| rng.uniform() - 0.5).collect();
        let (mut wide, mut plain) = (vec![9.0; n + 1], vec![9.0; n + 1]);
        run(Every(&a, &b, &mut wide));
        // SAFETY: `Portable` needs no instruction set.
        unsafe { Every(&a, &b, &mut plain).run::<Portable<f64>>() }
        assert_eq!((wide[n], plain[n]), (9.0, 9.0), "wrote beyond the end");
        for (w, p) in wide.iter().zip(&plain) {
            // A fused multiply-add rounds once, the plain twin twice.
            assert!((w - p).abs() <= 4.0 * f64::EPSILON, "{w} {p}");
        }
    }
}
