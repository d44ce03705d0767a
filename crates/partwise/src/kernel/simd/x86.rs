//! The registers of x86: AVX-512, and AVX2 with FMA.

mod inverses;
mod parts;

use super::{Job, Portable, Simd, Vectorised};
use inverses::{inverses_256_pd, inverses_256_ps, inverses_512_pd, inverses_512_ps};
use parts::{MASKS_32, MASKS_64, store_part_pd, store_part_ps};
use std::arch::x86_64::*;

#[derive(Clone, Copy, Debug)]
pub(super) struct Avx512;
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx2;

macro_rules! avx512 {
    ($t:ident, $v:ident, $m:ident, $lanes:expr, $set1:ident, $load:ident, $store:ident,
     $mload:ident, $mstore:ident, $fma:ident, $fnma:ident, $add:ident, $max:ident,
     $mul:ident, $div:ident, $inverses:ident, $sum:ident, $peak:ident, $compare:ident, $blend:ident,
     $int:ident, $index:ident, $permute:ident) => {
        // SAFETY (every method): `Simd` obliges the caller to have AVX-512 enabled and to pass
        // pointers valid for the elements touched; the intrinsics used are unaligned ones.
        impl Simd<$t> for Avx512 {
            const NAME: &'static str = "AVX-512";
            type V = $v;
            const LANES: usize = $lanes;
            const REGISTERS: usize = 32;
            #[inline(always)]
            unsafe fn splat(x: $t) -> $v {
                unsafe { $set1(x) }
            }
            #[inline(always)]
            unsafe fn load(p: *const $t) -> $v {
                unsafe { $load(p) }
            }
            #[inline(always)]
            unsafe fn store(p: *mut $t, v: $v) {
                unsafe { $store(p, v) }
            }
            #[inline(always)]
            unsafe fn load_part(p: *const $t, n: usize) -> $v {
                unsafe { $mload((1 << n) - 1, p) }
            }
            #[inline(always)]
            unsafe fn store_part(p: *mut $t, n: usize, v: $v) {
                unsafe { $mstore(p, (1 << n) - 1, v) }
            }
            #[inline(always)]
            unsafe fn fma(a: $v, b: $v, c: $v) -> $v {
                unsafe { $fma(a, b, c) }
            }
            #[inline(always)]
            unsafe fn fnma(a: $v, b: $v, c: $v) -> $v {
                unsafe { $fnma(a, b, c) }
            }
            #[inline(always)]
            unsafe fn add(a: $v, b: $v) -> $v {
                unsafe { $add(a, b) }
            }
            #[inline(always)]
            unsafe fn mul(a: $v, b: $v) -> $v {
                unsafe { $mul(a, b) }
            }
            #[inline(always)]
            unsafe fn div(a: $v, b: $v) -> $v {
                unsafe { $div(a, b) }
            }
            #[inline(always)]
            unsafe fn inverses(a: $v, b: $v) -> ($v, $v) {
                unsafe { $inverses(a, b) }
            }
            #[inline(always)]
            unsafe fn where_least(a: $v, b: $v, x: $v, y: $v) -> $v {
                unsafe { $blend($compare::<_CMP_GE_OQ>(a, b), y, x) }
            }
            #[inline(always)]
            unsafe fn sum(v: $v) -> $t {
                unsafe { $sum(v) }
            }
            #[inline(always)]
            unsafe fn peak(v: $v) -> $t {
                unsafe { $peak(v) }
            }
            #[inline(always)]
            unsafe fn max(a: $v, b: $v) -> $v {
                unsafe { $max(a, b) }
            }
            #[inline(always)]
            unsafe fn exchange<const BIT: usize>(a: $v, b: $v) -> ($v, $v) {
                // Indices from LANES on pick from b.
                let low: [$int; $lanes] = std::array::from_fn(|i| {
                    (if i & BIT == 0 { i } else { $lanes + i - BIT }) as $int
                });
                let high: [$int; $lanes] = std::array::from_fn(|i| {
                    (if i & BIT == 0 { i + BIT } else { $lanes + i }) as $int
                });
                unsafe {
                    let low = $index(low.as_ptr().cast());
                    let high = $index(high.as_ptr().cast());
                    ($permute(a, low, b), $permute(a, high, b))
                }
            }
        }
    };
}
avx512!(
    f32,
    __m512,
    __mmask16,
    16,
    _mm512_set1_ps,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_maskz_loadu_ps,
    _mm512_mask_storeu_ps,
    _mm512_fmadd_ps,
    _mm512_fnmadd_ps,
    _mm512_add_ps,
    _mm512_max_ps,
    _mm512_mul_ps,
    _mm512_div_ps,
    inverses_512_ps,
    _mm512_reduce_add_ps,
    _mm512_reduce_max_ps,
    _mm512_cmp_ps_mask,
    _mm512_mask_blend_ps,
    i32,
    _mm512_loadu_si512,
    _mm512_permutex2var_ps
);
avx512!(
    f64,
    __m512d,
    __mmask8,
    8,
    _mm512_set1_pd,
    _mm512_loadu_pd,
    _mm512_storeu_pd,
    _mm512_maskz_loadu_pd,
    _mm512_mask_storeu_pd,
    _mm512_fmadd_pd,
    _mm512_fnmadd_pd,
    _mm512_add_pd,
    _mm512_max_pd,
    _mm512_mul_pd,
    _mm512_div_pd,
    inverses_512_pd,
    _mm512_reduce_add_pd,
    _mm512_reduce_max_pd,
    _mm512_cmp_pd_mask,
    _mm512_mask_blend_pd,
    i64,
    _mm512_loadu_si512,
    _mm512_permutex2var_pd
);

// Halves fold onto each other until one lane is left.
macro_rules! fold_f64 {
    ($name:ident, $op:ident, $last:ident) => {
        /// # Safety
        /// AVX2 is enabled.
        #[inline(always)]
        unsafe fn $name(v: __m256d) -> f64 {
            unsafe {
                let two = $op(_mm256_castpd256_pd128(v), _mm256_extractf128_pd::<1>(v));
                _mm_cvtsd_f64($last(two, _mm_unpackhi_pd(two, two)))
            }
        }
    };
}
fold_f64!(sum_pd, _mm_add_pd, _mm_add_sd);
fold_f64!(peak_pd, _mm_max_pd, _mm_max_sd);

macro_rules! fold_f32 {
    ($name:ident, $op:ident, $last:ident) => {
        /// # Safety
        /// AVX2 is enabled.
        #[inline(always)]
        unsafe fn $name(v: __m256) -> f32 {
            unsafe {
                let four = $op(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
                let two = $op(four, _mm_movehl_ps(four, four));
                _mm_cvtss_f32($last(two, _mm_movehdup_ps(two)))
            }
        }
    };
}
fold_f32!(sum_ps, _mm_add_ps, _mm_add_ss);
fold_f32!(peak_ps, _mm_max_ps, _mm_max_ss);

/// [`Simd::exchange`] of 32-bit pieces, `bit` being 1, 2 or 4; a constant wherever this is inlined.
///
/// # Safety
/// AVX2 is enabled.
#[inline(always)]
unsafe fn exchange_pieces(a: __m256, b: __m256, bit: usize) -> (__m256, __m256) {
    unsafe {
        match bit {
            1 => (
                _mm256_blend_ps::<0xaa>(a, _mm256_moveldup_ps(b)),
                _mm256_blend_ps::<0xaa>(_mm256_movehdup_ps(a), b),
            ),
            2 => {
                let (a, b) = (_mm256_castps_pd(a), _mm256_castps_pd(b));
                let (low, high) = (_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b));
                (_mm256_castpd_ps(low), _mm256_castpd_ps(high))
            }
            _ => (_mm256_permute2f128_ps::<0x20>(a, b), _mm256_permute2f128_ps::<0x31>(a, b)),
        }
    }
}

macro_rules! avx2 {
    ($t:ident, $v:ident, $lanes:expr, $masks:ident, $set1:ident, $load:ident, $store:ident,
     $mload:ident, $mstore:ident, $fma:ident, $fnma:ident, $add:ident, $max:ident,
     $mul:ident, $div:ident, $inverses:ident, $sum:ident, $peak:ident, $compare:ident, $blend:ident,
     $bits:expr, $from:expr) => {
        // SAFETY (every method): as for AVX-512, with AVX2 and FMA.
        impl Simd<$t> for Avx2 {
            const NAME: &'static str = "AVX2 and FMA";
            type V = $v;
            const LANES: usize = $lanes;
            const REGISTERS: usize = 16;
            #[inline(always)]
            unsafe fn splat(x: $t) -> $v {
                unsafe { $set1(x) }
            }
            #[inline(always)]
            unsafe fn load(p: *const $t) -> $v {
                unsafe { $load(p) }
            }
            #[inline(always)]
            unsafe fn store(p: *mut $t, v: $v) {
                unsafe { $store(p, v) }
            }
            #[inline(always)]
            unsafe fn load_part(p: *const $t, n: usize) -> $v {
                unsafe { $mload(p, _mm256_loadu_si256($masks.as_ptr().add($lanes - n).cast())) }
            }
            #[inline(always)]
            unsafe fn store_part(p: *mut $t, n: usize, v: $v) {
                unsafe { $mstore(p, n, v) }
            }
            #[inline(always)]
            unsafe fn fma(a: $v, b: $v, c: $v) -> $v {
                unsafe { $fma(a, b, c) }
            }
            #[inline(always)]
            unsafe fn fnma(a: $v, b: $v, c: $v) -> $v {
                unsafe { $fnma(a, b, c) }
            }
            #[inline(always)]
            unsafe fn add(a: $v, b: $v) -> $v {
                unsafe { $add(a, b) }
            }
            #[inline(always)]
            unsafe fn mul(a: $v, b: $v) -> $v {
                unsafe { $mul(a, b) }
            }
            #[inline(always)]
            unsafe fn div(a: $v, b: $v) -> $v {
                unsafe { $div(a, b) }
            }
            #[inline(always)]
            unsafe fn inverses(a: $v, b: $v) -> ($v, $v) {
                unsafe { $inverses(a, b) }
            }
            #[inline(always)]
            unsafe fn where_least(a: $v, b: $v, x: $v, y: $v) -> $v {
                unsafe { $blend(y, x, $compare::<_CMP_GE_OQ>(a, b)) }
            }
            #[inline(always)]
            unsafe fn sum(v: $v) -> $t {
                unsafe { $sum(v) }
            }
            #[inline(always)]
            unsafe fn peak(v: $v) -> $t {
                unsafe { $peak(v) }
            }
            #[inline(always)]
            unsafe fn max(a: $v, b: $v) -> $v {
                unsafe { $max(a, b) }
            }
            #[inline(always)]
            unsafe fn exchange<const BIT: usize>(a: $v, b: $v) -> ($v, $v) {
                // Both types move as 32-bit pieces, WIDTH of them to a lane.
                const WIDTH: usize = 8 / $lanes;
                unsafe {
                    let (low, high) = exchange_pieces($bits(a), $bits(b), BIT * WIDTH);
                    ($from(low), $from(high))
                }
            }
        }
    };
}
avx2!(
    f32,
    __m256,
    8,
    MASKS_32,
    _mm256_set1_ps,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_maskload_ps,
    store_part_ps,
    _mm256_fmadd_ps,
    _mm256_fnmadd_ps,
    _mm256_add_ps,
    _mm256_max_ps,
    _mm256_mul_ps,
    _mm256_div_ps,
    inverses_256_ps,
    sum_ps,
    peak_ps,
    _mm256_cmp_ps,
    _mm256_blendv_ps,
    std::convert::identity,
    std::convert::identity
);
avx2!(
    f64,
    __m256d,
    4,
    MASKS_64,
    _mm256_set1_pd,
    _mm256_loadu_pd,
    _mm256_storeu_pd,
    _mm256_maskload_pd,
    store_part_pd,
    _mm256_fmadd_pd,
    _mm256_fnmadd_pd,
    _mm256_add_pd,
    _mm256_max_pd,
    _mm256_mul_pd,
    _mm256_div_pd,
    inverses_256_pd,
    sum_pd,
    peak_pd,
    _mm256_cmp_pd,
    _mm256_blendv_pd,
    _mm256_castpd_ps,
    _mm256_castps_pd
);

#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
fn avx512<T, J: Job<T>>(job: J) -> J::Out
where
    Avx512: Simd<T>,
{
    // SAFETY: this function enables the instruction set of `Avx512`.
    unsafe { job.run::<Avx512>() }
}

#[target_feature(enable = "avx2,fma")]
fn avx2<T, J: Job<T>>(job: J) -> J::Out
where
    Avx2: Simd<T>,
{
    // SAFETY: this function enables the instruction set of `Avx2`.
    unsafe { job.run::<Avx2>() }
}

macro_rules! vectorised {
    ($t:ident) => {
        impl Vectorised for $t {
            #[inline]
            fn dispatch<J: Job<$t>>(job: J) -> J::Out {
                if super::allowed(2)
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512bw")
                {
                    // SAFETY: the features were detected.
                    return unsafe { avx512::<$t, J>(job) };
                }
                if super::allowed(1)
                    && is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("fma")
                {
                    // SAFETY: the features were detected.
                    return unsafe { avx2::<$t, J>(job) };
                }
                // SAFETY: `Portable` needs no instruction set.
                unsafe { job.run::<Portable<$t>>() }
            }
        }
    };
}
vectorised!(f32);
vectorised!(f64);
