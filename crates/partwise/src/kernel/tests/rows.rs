//! The kernels that work on one row at a time, against naive loops.

use super::{Lcg, close, everywhere};
use crate::factor::Factor;
use crate::kernel::panel::{self, dot_panel, gather_panel, padded};
use crate::kernel::simd::{self, Job, Simd};
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
