//! Parts of AVX2 vectors.

use std::arch::x86_64::*;

/// The lanes of a vector, then as many that are left out: where n lanes are wanted the mask begins n
/// before the middle. In memory, for a mask that is made takes longer than what it masks.
pub(super) static MASKS_64: [i64; 8] = [-1, -1, -1, -1, 0, 0, 0, 0];
pub(super) static MASKS_32: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

/// The first n of 8 lanes, in pieces: some processors are slow to store with a mask.
///
/// # Safety
/// AVX2 is enabled; n < 8 values may be written.
#[inline(always)]
pub(super) unsafe fn store_part_ps(mut p: *mut f32, n: usize, v: __m256) {
    unsafe {
        let mut left = _mm256_castps256_ps128(v);
        if n & 4 != 0 {
            _mm_storeu_ps(p, left);
            (p, left) = (p.add(4), _mm256_extractf128_ps::<1>(v));
        }
        if n & 2 != 0 {
            _mm_storel_pd(p.cast(), _mm_castps_pd(left));
            (p, left) = (p.add(2), _mm_movehl_ps(left, left));
        }
        if n & 1 != 0 {
            _mm_store_ss(p, left);
        }
    }
}

/// The first n of 4 lanes, as [`store_part_ps`].
///
/// # Safety
/// AVX2 is enabled; n < 4 values may be written.
#[inline(always)]
pub(super) unsafe fn store_part_pd(mut p: *mut f64, n: usize, v: __m256d) {
    unsafe {
        let mut left = _mm256_castpd256_pd128(v);
        if n & 2 != 0 {
            _mm_storeu_pd(p, left);
            (p, left) = (p.add(2), _mm256_extractf128_pd::<1>(v));
        }
        if n & 1 != 0 {
            _mm_store_sd(p, left);
        }
    }
}
