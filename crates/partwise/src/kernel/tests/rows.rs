//! The kernels that work on one row at a time, against naive loops.

use super::{Lcg, close, everywhere};
use crate::factor::Factor;
use crate::kernel::panel::{self, dot_panel, gather_panel, padded};
use crate::kernel::residual::{LsRow, LsWork, improve};
use crate::kernel::sddmm::sddmm;
use crate::kernel::simd::{self, Job, Simd};
use crate::kernel::sparse::Rows;
use crate::scalar::Scalar;

/// Lengths through every remainder of the vectors, and some beyond a block of them.
const LENGTHS: [usize; 19] = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 30, 31, 33, 64, 100, 129, 300];

struct Times<'a, T>(&'a [T], usize, usize, &'a [T], &'a mut [T]);
impl<T: Scalar> Job<T> for Times<'_, T> {
    type Out = ();
    #[inline(always)]
    unsafe fn run<S: Simd<T>>(self) {
        // SAFETY: the test passes padded arrays.
        unsafe { panel::times::<T, S>(self.0.as_ptr(), self.1, self.2, self.3.as_ptr(), self.4) }
    }
}

fn panels<T: Scalar>() {
    let mut rng = Lcg(11);
    for k in (1..=40).chain([64, 65]) {
        let h = rng.factor::<T>(57, k);
        for len in LENGTHS {
            let indices: Vec<u32> = (0..len).map(|_| (rng.uniform() * 57.0) as u32).collect();
            let stride = padded(len) + 16 * (k % 2);
            let mut panel = vec![T::from_f64(9.0); k * stride];
            gather_panel(h.view(), &indices, &mut panel, stride);
            for t in 0..k {
                let line = &panel[t * stride..][..stride];
                assert!(indices.iter().zip(line).all(|(&j, v)| *v == h.get(j as usize, t)));
                assert!(line[len..padded(len)].iter().all(|v| *v == T::ZERO), "{k} {len}");
                assert!(line[padded(len)..].iter().all(|v| *v == T::from_f64(9.0)), "beyond");
            }
            let f = rng.factor::<T>(1, k);
            let mut p = vec![T::from_f64(9.0); padded(len)];
            dot_panel(f.row(0), &panel, stride, len, &mut p);
            for (e, &p) in p.iter().enumerate().take(len) {
                let v = |t: usize| panel[t * stride + e].to_f64();
                let want: f64 = f.row(0).iter().enumerate().map(|(t, x)| x.to_f64() * v(t)).sum();
                assert!(close(p, want, want, k), "{k} {len} [{e}]: {p} {want}");
            }
            assert!(p[len..].iter().all(|v| *v == T::ZERO), "padding");
            let mut r = vec![T::ZERO; padded(len)];
            r[..len].copy_from_slice(Factor::<T>::row(&rng.factor(1, len), 0));
            let mut out = vec![T::ZERO; k];
            simd::run(Times(&panel, stride, len, &r, &mut out));
            for (t, &got) in out.iter().enumerate() {
                let line = panel[t * stride..].iter().zip(&r).take(len);
                let want: f64 = line.map(|(v, r)| v.to_f64() * r.to_f64()).sum();
                assert!(close(got, want, want, len), "{k} {len} [{t}]: {got} {want}");
            }
        }
    }
}

#[test]
fn a_panel_holds_the_rows_transposed_and_its_products_equal_the_naive_loop() {
    everywhere(panels::<f32>);
    everywhere(panels::<f64>);
}

fn sampled<T: Scalar>() {
    let mut rng = Lcg(18);
    for k in (1..=40).chain([64, 65]) {
        let (rows, cols) = (23, 31);
        let (mut indptr, mut indices) = (vec![0], Vec::new());
        for i in 0..rows {
            // Every length through two groups, and an empty row.
            indices.extend((0..i % 10).map(|_| (rng.uniform() * cols as f64) as u32));
            indptr.push(indices.len());
        }
        let values = vec![T::ONE; indices.len()];
        let (w, h) = (rng.factor::<T>(rows, k), rng.factor::<T>(cols, k));
        for from in [0, 5] {
            let x = Rows { indptr: &indptr[from..], indices: &indices, values: &values, cols };
            let mut q = vec![T::from_f64(f64::NAN); indices.len() - indptr[from]];
            sddmm(x, w.view().slice(from..rows), h.view(), &mut q);
            for i in from..rows {
                for e in indptr[i]..indptr[i + 1] {
                    let h = h.row(indices[e] as usize);
                    let terms = w.row(i).iter().zip(h).map(|(w, h)| w.to_f64() * h.to_f64());
                    let want: f64 = terms.sum();
                    assert!(close(q[e - indptr[from]], want, want, k), "{k} ({i}, {e})");
                }
            }
        }
    }
}

#[test]
fn the_sampled_product_equals_the_naive_loop() {
    everywhere(sampled::<f32>);
    everywhere(sampled::<f64>);
}

/// Outputs of the least squares row.
struct Ls<T> {
    f: Vec<T>,
    r: Vec<T>,
    num: Vec<T>,
    den: Vec<T>,
}

fn least_squares<T: Scalar>(row: &LsRow<'_, T>, f: &[T], sweeps: usize) -> Ls<T> {
    let before = T::from_f64(f64::NAN);
    let of_k = || vec![before; f.len()];
    let mut out = Ls { f: f.to_vec(), r: vec![before; padded(row.len)], num: of_k(), den: of_k() };
    let (r, num, den) = (&mut out.r[..], &mut out.num[..], &mut out.den[..]);
    improve(row, &mut out.f, &mut LsWork { r, inverse: &mut of_k(), num, den }, sweeps);
    out
}

fn naive_least_squares<T: Scalar>(row: &LsRow<'_, T>, f: &[T], sweeps: usize) -> Vec<f64> {
    let v = |t: usize, e: usize| row.panel[t * row.stride + e].to_f64();
    let q = |e: usize| row.q.map_or(1.0, |q| q[e].to_f64());
    let (l1, l2) = (row.l1.to_f64(), row.l2.to_f64());
    let mut f: Vec<f64> = f.iter().map(|f| f.to_f64()).collect();
    for _ in 0..sweeps {
        for t in 0..f.len() {
            let (mut slope, mut curvature) = (-l1 - l2 * f[t], l2);
            for e in 0..row.len {
                let p: f64 = (0..f.len()).map(|s| f[s] * v(s, e)).sum();
                slope += q(e) * v(t, e) * (row.x[e].to_f64() - p);
                curvature += q(e) * v(t, e) * v(t, e);
            }
            if curvature > 0.0 {
                f[t] = (f[t] + slope / curvature).max(0.0);
            }
        }
    }
    f
}

fn residuals<T: Scalar>() {
    let mut rng = Lcg(19);
    for (round, len) in LENGTHS.iter().copied().cycle().enumerate().take(6 * LENGTHS.len()) {
        let (k, width) = (1 + round % 21, padded(len));
        let mut lines = |rows: usize| {
            let mut all = vec![T::ZERO; rows * width];
            all.chunks_mut(width.max(1)).for_each(|line| {
                line[..len].iter_mut().for_each(|v| *v = T::from_f64(rng.uniform()));
            });
            all
        };
        let (mut panel, x, q) = (lines(k), lines(1), lines(1));
        if k > 3 {
            panel[2 * width..3 * width].fill(T::ZERO);
        }
        let (l1, l2) = [(0.0, 0.0), (0.5, 0.0), (0.5, 0.25)][round % 3];
        let (l1, l2) = (T::from_f64(l1), T::from_f64(l2));
        let q = (round % 2 == 1).then_some(&q[..]);
        let row = LsRow { panel: &panel, stride: width, len, x: &x, q, l1, l2 };
        let start: Vec<T> = (0..k).map(|_| T::from_f64(rng.uniform())).collect();
        let got = least_squares(&row, &start, 2);
        let want = naive_least_squares(&row, &start, 2);
        for (t, (&got, want)) in got.f.iter().zip(&want).enumerate() {
            let dead = k > 3 && t == 2 && l1 > T::ZERO && l2 == T::ZERO;
            let want = if dead || len == 0 && l1 > T::ZERO { 0.0 } else { *want };
            let allowed = 2000.0 * ((k + len) * k) as f64 * T::ROUNDOFF;
            assert!((got.to_f64() - want).abs() <= allowed, "{k} {len} [{t}] {got} {want}");
        }
        for t in 0..k {
            let (mut num, mut den) = (0.0, 0.0);
            for e in 0..len {
                let v = |t: usize| panel[t * width + e].to_f64();
                let p: f64 = (0..k).map(|s| got.f[s].to_f64() * v(s)).sum();
                let weight = q.map_or(1.0, |q| q[e].to_f64()) * v(t);
                num += weight * x[e].to_f64();
                den += weight * p;
                let off = got.r[e].to_f64() - (x[e].to_f64() - p);
                assert!(off.abs() <= 2.0 * (k as f64 + 2.0) * T::ROUNDOFF * (1.0 + p), "r");
            }
            assert!(close(got.num[t], num, num, len + 1), "num");
            assert!(close(got.den[t], den, den, len + k + 1), "den");
        }
        // Powers of two pass through: v by 2³, f by 2⁵, hence x by 2⁸, l1 by 2¹¹ and l2 by 2⁶.
        let by = |x: &[T], j: i32| -> Vec<T> {
            x.iter().map(|x| *x * T::from_f64(2f64.powi(j))).collect()
        };
        let (panel, x) = (by(&panel, 3), by(&x, 8));
        let (l1, l2) = (by(&[l1], 11)[0], by(&[l2], 6)[0]);
        let large = LsRow { panel: &panel, x: &x, l1, l2, ..row };
        let large = least_squares(&large, &by(&start, 5), 2);
        assert_eq!(large.f, by(&got.f, 5));
        assert_eq!((large.r, large.num), (by(&got.r, 8), by(&got.num, 11)));
    }
}

#[test]
fn sweeps_on_the_residual_equal_the_naive_loop() {
    everywhere(residuals::<f32>);
    everywhere(residuals::<f64>);
}
