//! Σ x ln(x/q) − x + q over a run of entries, in `f64`.
//!
//! With δ = (q − x)/x a term is x·(δ − ln(1 + δ)), whose small difference is formed exactly. The
//! logarithm is written out so that the loop is vectorised: 1 + δ = 2^e·m with m in [√½, √2), and
//! ln m = 2 artanh(s), s = (m − 1)/(m + 1), by its series up to s¹⁹, below a roundoff of `f64` for
//! these m. Where e = 0, m − 1 is δ itself.

use super::simd::{self, Job, Simd};
use crate::scalar::Scalar;

/// Σ p·(x ln(x/q) − x + q); p is 1 where none are given. Entries with p = 0 count nothing.
pub(crate) fn kl_divergence<T: Scalar>(x: &[T], q: &[T], p: Option<&[T]>) -> f64 {
    simd::run(Divergence { x, q, p })
}

struct Divergence<'a, T> {
    x: &'a [T],
    q: &'a [T],
    p: Option<&'a [T]>,
}

/// Terms formed at a time, by a loop long enough to be vectorised.
const CHUNK: usize = 64;
/// Sums kept apart.
const LANES: usize = 8;

impl<T: Scalar> Job<T> for Divergence<'_, T> {
    type Out = f64;

    // Plain loops: compiled for the instruction set of S, they vectorise by themselves.
    #[inline(always)]
    unsafe fn run<S: Simd<T>>(self) -> f64 {
        let mut sums = [0.0; LANES];
        let mut terms = [0.0; CHUNK];
        for (at, (x, q)) in self.x.chunks(CHUNK).zip(self.q.chunks(CHUNK)).enumerate() {
            let terms = &mut terms[..x.len()];
            for ((to, x), q) in terms.iter_mut().zip(x).zip(q) {
                *to = term(x.to_f64(), q.to_f64());
            }
            if let Some(p) = self.p {
                for (to, p) in terms.iter_mut().zip(&p[at * CHUNK..]) {
                    *to = weighed(p.to_f64(), *to);
                }
            }
            for run in terms.chunks(LANES) {
                sums.iter_mut().zip(run).for_each(|(sum, term)| *sum += term);
            }
        }
        sums.iter().sum()
    }
}

#[inline(always)]
fn weighed(p: f64, value: f64) -> f64 {
    if p > 0.0 { p * value } else { 0.0 }
}

/// x ln(x/q) − x + q; q where x = 0, infinite where q = 0 < x.
#[inline(always)]
fn term(x: f64, q: f64) -> f64 {
    let off = (q - x) / x;
    let value = x * (off - ln_1p(off));
    let value = if value > 0.0 { value } else { 0.0 };
    let value = if q > 0.0 { value } else { f64::INFINITY };
    if x > 0.0 { value } else { q }
}

/// ln(1 + δ) for a finite δ > −1.
#[inline(always)]
fn ln_1p(off: f64) -> f64 {
    const ROOT_HALF_BITS: u64 = 0x3FE6_A09E_667F_3BCD;
    const ONE_BITS: u64 = 0x3FF0_0000_0000_0000;
    let bits = (1.0 + off).to_bits();
    // The exponent as if mantissas began at √½.
    let exponent = bits.wrapping_add(ONE_BITS - ROOT_HALF_BITS) >> 52;
    let m = f64::from_bits(bits.wrapping_sub(exponent.wrapping_sub(1023) << 52));
    // 2^52 + e is the number whose last bits are e.
    let e = f64::from_bits(exponent | 0x4330_0000_0000_0000) - (4_503_599_627_370_496.0 + 1023.0);
    let f = if e == 0.0 { off } else { m - 1.0 };
    let s = f / (2.0 + f);
    let z = s * s;
    let mut series = 1.0 / 19.0;
    for n in [17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0] {
        series = series * z + 1.0 / n;
    }
    let tail = 2.0 * s * z * series;
    e * std::f64::consts::LN_2 + (2.0 * s + tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_is_that_of_the_library() {
        let mut worst = 0.0f64;
        for i in 0..200_000 {
            let r = ((i as f64 / 200_000.0 - 0.5) * 80.0).exp();
            for off in [r - 1.0, r * 1e-9, -r.min(0.999_999) * 1e-3, r * 0.01] {
                if off > -1.0 {
                    let (got, want) = (ln_1p(off), off.ln_1p());
                    worst = worst.max((got - want).abs() / want.abs().max(f64::MIN_POSITIVE));
                }
            }
        }
        assert!(worst < 2e-15, "{worst:e}");
    }

    #[test]
    fn special_terms() {
        assert_eq!(term(0.0, 3.0), 3.0);
        assert_eq!(term(2.0, 2.0), 0.0);
        assert!(term(2.0, 0.0).is_infinite());
        let (x, q) = ([1.0f32, 0.0, 5.0], [2.0f32, 0.5, 4.0]);
        let whole = kl_divergence(&x, &q, None);
        let want = 1.0 - 2f64.ln() + 0.5 + 5.0 * (5f64 / 4.0).ln() - 1.0;
        assert!((whole - want).abs() < 1e-12, "{whole} {want}");
        assert_eq!(kl_divergence(&x, &q, Some(&[0.0, 2.0, 0.0])), 1.0);
    }
}
