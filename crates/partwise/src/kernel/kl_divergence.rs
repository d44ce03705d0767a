//! Σ x ln(x/q) − x + q over a run of entries: each term in its own type, the sum in `f64`.
//!
//! The logarithm is written out so that the loop is vectorised. With q = 2^e·r and r/x about 1, the
//! exponent e being the rounded difference of the bit patterns, r/x lies in [⅔, 1½], and
//! ln(r/x) = 2 artanh(s), s = (r − x)/(r + x), by a polynomial to a roundoff: one division for all.
//! Where e = 0 the term is (q − x)·s − x·(2 artanh(s) − 2s), which loses nothing as q nears x.

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

/// Terms formed at a time, by a loop that is vectorised whole.
const CHUNK: usize = 64;
/// Sums kept apart.
const LANES: usize = 16;

impl<T: Scalar> Job<T> for Divergence<'_, T> {
    type Out = f64;

    #[inline(always)]
    unsafe fn run<S: Simd<T>>(self) -> f64 {
        let Self { x, q, p } = self;
        let len = x.len().min(q.len());
        let ((x, x_rest), (q, q_rest)) = (x[..len].as_chunks(), q[..len].as_chunks());
        let (p, p_rest) = p.map(|p| p[..len].as_chunks()).unzip();
        let mut sums = [0.0; LANES];
        for (at, (x, q)) in x.iter().zip(q).enumerate() {
            add(&mut sums, x, q, p.map(|p| &p[at]));
        }
        if !x_rest.is_empty() {
            // Zeros beside what is left: their terms are 0.
            let [x, q, p] = [x_rest, q_rest, p_rest.unwrap_or_default()].map(|rest| {
                let mut chunk = [T::ZERO; CHUNK];
                chunk[..rest.len()].copy_from_slice(rest);
                chunk
            });
            add(&mut sums, &x, &q, p_rest.map(|_| &p));
        }
        sums.iter().sum()
    }
}

/// Adds the terms of a chunk. Plain loops of a length that is known: compiled for the instruction
/// set of the caller, they vectorise by themselves.
#[inline(always)]
fn add<T: Scalar>(sums: &mut [f64; LANES], x: &[T; CHUNK], q: &[T; CHUNK], p: Option<&[T; CHUNK]>) {
    let mut terms = [T::ZERO; CHUNK];
    for ((to, &x), &q) in terms.iter_mut().zip(x).zip(q) {
        *to = x.kl_term(q);
    }
    if let Some(p) = p {
        for (to, &p) in terms.iter_mut().zip(p) {
            *to = if p > T::ZERO { p * *to } else { T::ZERO };
        }
    }
    for run in terms.as_chunks::<LANES>().0 {
        sums.iter_mut().zip(run).for_each(|(sum, term)| *sum += term.to_f64());
    }
}

/// Entries below this count as zeros under the Kullback–Leibler divergence: 1e-16 in `f32`, 1e-151 in
/// `f64`, where X is measured in a unit that makes it about 1. Sweeps do not see fitted values below 1/FAR
/// (`kl.rs`): what counts is a thousand times that, so that one too low by as much is still seen and
/// pulled up. In neither type does such an entry move the objective by a rounding of it.
pub(crate) fn nothing<T: Scalar>() -> T {
    T::from_f64(NOTHING) / T::FAR
}

const NOTHING: f64 = 1024.0;

/// Makes zeros of the entries that count as such: they pull at no component, as the divergence has it.
#[inline(always)]
pub(crate) fn clear_nothings<T: Scalar>(x: &mut [T]) {
    let least = nothing();
    x.iter_mut().for_each(|x| *x = if *x < least { T::ZERO } else { *x });
}

/// Types that have the term of one entry.
pub trait KlTerm {
    /// x ln(x/q) − x + q for x = `self`; q where x is 0 (or counts as that: `nothing`), infinite where
    /// q = 0 < x.
    fn kl_term(self, q: Self) -> Self;
}

macro_rules! kl_term {
    ($t:ident, $bits:ident, $exponent:literal, [$($coefficient:literal),* $(,)?]) => {
        impl KlTerm for $t {
            #[inline(always)]
            fn kl_term(self, q: $t) -> $t {
                const MANTISSA: u32 = $t::MANTISSA_DIGITS - 1;
                // Added to the exponent, so that its shift needs no sign.
                const BIAS: $bits = 1 << ($exponent);
                const HALF: $bits = 1 << (MANTISSA - 1);
                // The number whose last bits are an integer n is n above this one.
                const WHOLE: $t = ((1 as $bits) << MANTISSA) as $t;
                // A number in place of 0, since r would be subnormal, which is slow.
                let counts = self >= (NOTHING as $t) / <$t as Scalar>::FAR;
                let x = if counts { self } else { 1.0 };
                let (scaled, lower) = if q < $t::MIN_POSITIVE { (q * WHOLE, MANTISSA as $t) } else { (q, 0.0) };
                let apart = scaled.to_bits().wrapping_sub(x.to_bits());
                let biased = apart.wrapping_add((BIAS << MANTISSA).wrapping_add(HALF)) >> MANTISSA;
                let e = $t::from_bits(biased | WHOLE.to_bits()) - (WHOLE + BIAS as $t) - lower;
                let r = scaled.to_bits().wrapping_sub(biased.wrapping_sub(BIAS) << MANTISSA);
                let r = $t::from_bits(r);
                let s = (r - x) / (r + x);
                let z = s * s;
                let mut series = 0.0;
                $(series = series * z + $coefficient;)*
                let off = q - x;
                let near = off * s;
                let far = off - x * (e * std::$t::consts::LN_2 + 2.0 * s);
                let value = (if e == 0.0 { near } else { far }) - x * (2.0 * s * z * series);
                let value = if value > 0.0 { value } else { 0.0 };
                let value = if q > 0.0 { value } else { $t::INFINITY };
                if counts { value } else { q }
            }
        }
    };
}
// Exponents have 8 and 11 bits. The coefficients interpolate (artanh(s)/s − 1)/s² at the Chebyshev
// nodes of s² in [0, 1/25], to 2e-7 and 1e-15.
kl_term!(f32, u32, 8, [0.149_778_02, 0.199_895_09, 0.333_333_57]);
kl_term!(
    f64,
    u64,
    11,
    [
        0.075568404467656,
        0.07642116328550316,
        0.09092294301902219,
        0.11111091590340633,
        0.14285714416339865,
        0.19999999999672824,
        0.33333333333333465,
    ]
);

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest error of a term beside it, and beside x + q where the two are far apart.
    fn worst<T: Scalar>(range: f64) -> f64 {
        let mut worst = 0.0f64;
        for i in 0..200_000 {
            let u = i as f64 / 200_000.0 - 0.5;
            for (x, ratio) in [(0.7, (u * range).exp()), (1.3e-3, 1.0 + u * 1e-3), (41.0, 1.0 + u)]
            {
                let (x, q) = (T::from_f64(x), T::from_f64(x * ratio));
                let (wide_x, wide_q) = (x.to_f64(), q.to_f64());
                let off = (wide_q - wide_x) / wide_x;
                let want = if off.abs() < 0.3 {
                    // off − ln(1 + off), smallest terms first.
                    let terms = (2..60).rev().map(|n| (-off).powi(n) / f64::from(n));
                    wide_x * terms.sum::<f64>()
                } else {
                    wide_x * (off - (wide_q / wide_x).ln())
                };
                let got = x.kl_term(q).to_f64();
                worst = worst.max((got - want).abs() / want.max(f64::MIN_POSITIVE));
            }
        }
        worst / T::ROUNDOFF
    }

    #[test]
    fn terms_are_those_of_the_library_to_some_roundings() {
        // The logarithm is the larger of two terms that leave a ninth of it at r/x = 1½.
        assert!(worst::<f64>(300.0) < 40.0, "{}", worst::<f64>(300.0));
        assert!(worst::<f32>(80.0) < 40.0, "{}", worst::<f32>(80.0));
    }

    #[test]
    fn special_terms() {
        fn special<T: Scalar>() {
            let of = |x: f64, q: f64| T::from_f64(x).kl_term(T::from_f64(q)).to_f64();
            assert_eq!(of(0.0, 3.0), 3.0);
            assert_eq!(of(0.0, 0.0), 0.0);
            assert_eq!(of(2.0, 2.0), 0.0);
            assert!(of(2.0, 0.0).is_infinite());
            // Subnormal fitted values.
            let tiny = T::TINY.to_f64() / 64.0;
            let want = 2.0 * (2f64.ln() - tiny.ln()) - 2.0;
            assert!((of(2.0, tiny) / want - 1.0).abs() < 1e-6, "{} {want}", of(2.0, tiny));
        }
        special::<f32>();
        special::<f64>();
        let (x, q) = ([1.0f32, 0.0, 5.0], [2.0f32, 0.5, 4.0]);
        let whole = kl_divergence(&x, &q, None);
        let want = 1.0 - 2f64.ln() + 0.5 + 5.0 * (5f64 / 4.0).ln() - 1.0;
        assert!((whole - want).abs() < 1e-6, "{whole} {want}");
        assert_eq!(kl_divergence(&x, &q, Some(&[0.0, 2.0, 0.0])), 1.0);
    }
}
