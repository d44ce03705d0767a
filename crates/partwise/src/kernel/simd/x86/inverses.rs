//! Inverses that cost less than divisions.

use std::arch::x86_64::*;

/// Products of lanes are inverted: one division serves two.
///
/// # Safety
/// AVX2 is enabled.
#[inline(always)]
pub(super) unsafe fn inverses_256_pd(a: __m256d, b: __m256d) -> (__m256d, __m256d) {
    unsafe {
        let both = _mm256_div_pd(_mm256_set1_pd(1.0), _mm256_mul_pd(a, b));
        (_mm256_mul_pd(b, both), _mm256_mul_pd(a, both))
    }
}

// Newton's step i(2 − a·i) doubles the digits of an estimate.
macro_rules! estimated_inverses {
    ($name:ident, $v:ident, $set1:ident, $estimate:ident, $fnma:ident, $mul:ident, $steps:literal) => {
        /// # Safety
        /// The instruction set of the estimate is enabled, and FMA.
        #[inline(always)]
        pub(super) unsafe fn $name(a: $v, b: $v) -> ($v, $v) {
            unsafe {
                let two = $set1(2.0);
                let (mut x, mut y) = ($estimate(a), $estimate(b));
                for _ in 0..$steps {
                    x = $mul(x, $fnma(a, x, two));
                    y = $mul(y, $fnma(b, y, two));
                }
                (x, y)
            }
        }
    };
}
estimated_inverses!(
    inverses_256_ps,
    __m256,
    _mm256_set1_ps,
    _mm256_rcp_ps,
    _mm256_fnmadd_ps,
    _mm256_mul_ps,
    1
);
estimated_inverses!(
    inverses_512_ps,
    __m512,
    _mm512_set1_ps,
    _mm512_rcp14_ps,
    _mm512_fnmadd_ps,
    _mm512_mul_ps,
    1
);
estimated_inverses!(
    inverses_512_pd,
    __m512d,
    _mm512_set1_pd,
    _mm512_rcp14_pd,
    _mm512_fnmadd_pd,
    _mm512_mul_pd,
    2
);
