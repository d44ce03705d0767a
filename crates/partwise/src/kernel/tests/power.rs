//! Powers against those of the library.

use super::everywhere;
use crate::kernel::power::{CHUNK, Exponent};
use crate::kernel::simd::{self, Job, Simd};
use crate::scalar::Scalar;

struct Raise<'a, T>(Exponent, &'a mut [T; CHUNK]);
impl<T: Scalar> Job<T> for Raise<'_, T> {
    type Out = ();
    #[inline(always)]
    unsafe fn run<S: Simd<T>>(self) {
        self.0.raise(self.1);
    }
}

/// Positive numbers of every size.
fn numbers<T: Scalar>(seed: u64, largest: f64) -> [T; CHUNK] {
    let mut state = seed;
    std::array::from_fn(|_| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let [size, digits] =
            [state >> 40, (state >> 16) & 0xff_ffff].map(|v| v as f64 / (1 << 24) as f64);
        T::from_f64(((2.0 * size - 1.0) * largest).exp2() * (1.0 + digits))
    })
}

/// `worst` roundoffs are allowed beside 1 for each unit of c.
fn check<T: Scalar>(c: f64, largest: f64, (each, beside): (f64, f64)) {
    for seed in 1..200 {
        let q = numbers::<T>(seed, largest);
        let mut found = q;
        simd::run(Raise(Exponent::new(c), &mut found));
        for (q, found) in q.into_iter().zip(found) {
            let want = q.to_f64().powf(c);
            let most = (each * c.abs() + beside) * T::ROUNDOFF * want + 0.5 * f64::from_bits(1);
            let rounded = T::from_f64(want);
            if found == rounded {
                continue;
            }
            if rounded.to_f64() < T::TINY.to_f64() || !rounded.is_finite() {
                // Rounded once more in the subnormal range.
                let last = T::TINY.to_f64() * 2.0 * T::ROUNDOFF;
                let (low, high) = (want - most - last, want + most + last);
                let within = (T::from_f64(low)..=T::from_f64(high)).contains(&found);
                assert!(within, "{} {q}^{c}: {found} for {want:e}", T::NAME);
                continue;
            }
            let apart = (found.to_f64() - want).abs();
            assert!(
                apart <= most,
                "{} {q}^{c}: {found} for {want}, off {:.1} roundoffs",
                T::NAME,
                apart / want / T::ROUNDOFF
            );
        }
    }
}

#[test]
fn powers_are_those_of_the_library_within_the_bound() {
    everywhere(|| {
        for c in [0.3, -0.3, 0.7, -1.3, 2.2, -2.7, 1e-3, 12.345, -0.9999] {
            for largest in [1.0, 20.0, 100.0] {
                check::<f32>(c, largest, (2.0, 4.0));
                // The library's own error is half a roundoff.
                check::<f64>(c, largest * 9.0, (2.0, 4.5));
            }
        }
        for c in [0.0, 0.5, 1.0, 1.5, 2.0, -0.5, -1.0, -1.5, -2.0, -2.5, 3.0, 8.0] {
            check::<f32>(c, 8.0, (1.0, 2.0));
            check::<f64>(c, 60.0, (1.0, 2.5));
        }
    });
}

#[test]
fn the_ends_of_the_range_are_those_of_powers() {
    fn ends<T: Scalar>(subnormal: T) {
        for (c, at_zero, at_infinity) in [
            (0.3, 0.0, f64::INFINITY),
            (-0.3, f64::INFINITY, 0.0),
            (1.5, 0.0, f64::INFINITY),
            (-2.0, f64::INFINITY, 0.0),
            (-0.5, f64::INFINITY, 0.0),
            (40.1, 0.0, f64::INFINITY),
            (-40.1, f64::INFINITY, 0.0),
        ] {
            let mut q = [T::ONE; CHUNK];
            (q[0], q[1], q[2]) = (T::ZERO, T::from_f64(f64::INFINITY), subnormal);
            (q[3], q[4]) = (T::from_f64(1e30), T::from_f64(1e-30));
            let wanted = q;
            simd::run(Raise(Exponent::new(c), &mut q));
            assert_eq!((q[0].to_f64(), q[1].to_f64(), q[5]), (at_zero, at_infinity, T::ONE), "{c}");
            for at in 2..5 {
                let want = T::from_f64(wanted[at].to_f64().powf(c)).to_f64();
                let apart = (q[at].to_f64() / want - 1.0).abs();
                let most = (2.0 * c.abs() + 6.0) * T::ROUNDOFF;
                assert!(
                    q[at].to_f64() == want || apart <= most,
                    "{} {}^{c}: {} {want}",
                    T::NAME,
                    wanted[at],
                    q[at]
                );
            }
        }
    }
    everywhere(|| {
        ends::<f32>(f32::from_bits(77));
        ends::<f64>(f64::from_bits(77));
    });
}
