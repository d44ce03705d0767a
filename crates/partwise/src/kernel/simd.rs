//! One vector type for every instruction set, and the choice between them at run time.
//!
//! A kernel is a [`Job`]: its body is written once over [`Simd`] and compiled for AVX-512, AVX2
//! with FMA, and plain Rust. [`run`] picks the widest that the processor has; tests run the same
//! body on [`Portable`], which is the scalar twin of all others.

use std::marker::PhantomData;

/// Lanes of `T` held in one register.
///
/// # Safety
/// The methods may only be called where the instruction set of the implementing type is enabled,
/// and pointers must be valid for `LANES` (or `n`) elements; no alignment is required.
pub trait Simd<T>: Copy {
    /// The register.
    type V: Copy;
    /// Elements in a register.
    const LANES: usize;
    /// Registers that a kernel may count on.
    const REGISTERS: usize;
    /// All lanes equal to `x`.
    unsafe fn splat(x: T) -> Self::V;
    /// `LANES` elements from `p`.
    unsafe fn load(p: *const T) -> Self::V;
    /// `LANES` elements to `p`.
    unsafe fn store(p: *mut T, v: Self::V);
    /// The first `n < LANES` elements from `p`, the other lanes 0.
    unsafe fn load_part(p: *const T, n: usize) -> Self::V;
    /// The first `n < LANES` lanes to `p`.
    unsafe fn store_part(p: *mut T, n: usize, v: Self::V);
    /// `a · b + c`.
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// `c − a · b`.
    unsafe fn fnma(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// `a + b`.
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V;
    /// Lane-wise maximum.
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V;
    /// One step of a transposition: lanes of `a` whose index has bit `BIT` set change places with
    /// the lanes of `b` that lie `BIT` below.
    unsafe fn exchange<const BIT: usize>(a: Self::V, b: Self::V) -> (Self::V, Self::V);
}

/// A kernel with its arguments.
pub trait Job<T> {
    /// Result of the kernel.
    type Out;
    /// The body. Implementations must be `#[inline(always)]`, or the instruction set is lost.
    ///
    /// # Safety
    /// The caller has enabled the instruction set of `S`.
    unsafe fn run<S: Simd<T>>(self) -> Self::Out;
}

/// Types for which a [`Job`] can be dispatched to the best instruction set.
pub trait Vectorised: Sized {
    /// Runs `job` with the widest vectors this processor has.
    fn dispatch<J: Job<Self>>(job: J) -> J::Out;
}

/// The instruction sets, narrowest first, that tests hold [`run`] down to.
#[cfg(test)]
pub(crate) const LEVELS: [u8; 3] = [0, 1, 2];

#[cfg(test)]
thread_local! {
    /// The widest of `LEVELS` that this thread may use.
    pub(crate) static CEILING: std::cell::Cell<u8> = const { std::cell::Cell::new(2) };
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn allowed(level: u8) -> bool {
    #[cfg(test)]
    return level <= CEILING.get();
    #[cfg(not(test))]
    return level <= 2;
}

/// Runs `job` with the widest vectors this processor has.
#[inline]
pub(crate) fn run<T: Vectorised, J: Job<T>>(job: J) -> J::Out {
    T::dispatch(job)
}

/// Eight lanes in plain Rust; the compiler vectorises what it can.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Portable<T>(PhantomData<T>);

macro_rules! portable {
    ($t:ident) => {
        impl Simd<$t> for Portable<$t> {
            type V = [$t; 8];
            const LANES: usize = 8;
            const REGISTERS: usize = 16;
            #[inline(always)]
            unsafe fn splat(x: $t) -> Self::V {
                [x; 8]
            }
            #[inline(always)]
            unsafe fn load(p: *const $t) -> Self::V {
                // SAFETY: the caller guarantees 8 readable elements.
                unsafe { p.cast::<[$t; 8]>().read_unaligned() }
            }
            #[inline(always)]
            unsafe fn store(p: *mut $t, v: Self::V) {
                // SAFETY: the caller guarantees 8 writable elements.
                unsafe { p.cast::<[$t; 8]>().write_unaligned(v) }
            }
            #[inline(always)]
            unsafe fn load_part(p: *const $t, n: usize) -> Self::V {
                // SAFETY: the caller guarantees n readable elements.
                std::array::from_fn(|i| if i < n { unsafe { *p.add(i) } } else { 0.0 })
            }
            #[inline(always)]
            unsafe fn store_part(p: *mut $t, n: usize, v: Self::V) {
                for (i, x) in v.iter().enumerate().take(n) {
                    // SAFETY: the caller guarantees n writable elements.
                    unsafe { *p.add(i) = *x }
                }
            }
            #[inline(always)]
            unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
                std::array::from_fn(|i| a[i] * b[i] + c[i])
            }
            #[inline(always)]
            unsafe fn fnma(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
                std::array::from_fn(|i| c[i] - a[i] * b[i])
            }
            #[inline(always)]
            unsafe fn add(a: Self::V, b: Self::V) -> Self::V {
                std::array::from_fn(|i| a[i] + b[i])
            }
            #[inline(always)]
            unsafe fn max(a: Self::V, b: Self::V) -> Self::V {
                std::array::from_fn(|i| if a[i] > b[i] { a[i] } else { b[i] })
            }
            #[inline(always)]
            unsafe fn exchange<const BIT: usize>(a: Self::V, b: Self::V) -> (Self::V, Self::V) {
                let low = std::array::from_fn(|i| if i & BIT == 0 { a[i] } else { b[i - BIT] });
                let high = std::array::from_fn(|i| if i & BIT == 0 { a[i + BIT] } else { b[i] });
                (low, high)
            }
        }
    };
}
portable!(f32);
portable!(f64);

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Job, Portable, Simd, Vectorised};
    use std::arch::x86_64::*;

    #[derive(Clone, Copy, Debug)]
    pub(super) struct Avx512;
    #[derive(Clone, Copy, Debug)]
    pub(super) struct Avx2;

    macro_rules! avx512 {
        ($t:ident, $v:ident, $m:ident, $lanes:expr, $set1:ident, $load:ident, $store:ident,
         $mload:ident, $mstore:ident, $fma:ident, $fnma:ident, $add:ident, $max:ident,
         $int:ident, $index:ident, $permute:ident) => {
            // SAFETY (every method): `Simd` obliges the caller to have AVX-512 enabled and to pass
            // pointers valid for the elements touched; the intrinsics used are unaligned ones.
            impl Simd<$t> for Avx512 {
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
        i64,
        _mm512_loadu_si512,
        _mm512_permutex2var_pd
    );

    macro_rules! avx2 {
        ($t:ident, $v:ident, $lanes:expr, $int:ident, $set1:ident, $load:ident, $store:ident,
         $mload:ident, $mstore:ident, $fma:ident, $fnma:ident, $add:ident, $max:ident,
         $bits:expr, $from:expr) => {
            // SAFETY (every method): as for AVX-512, with AVX2 and FMA.
            impl Simd<$t> for Avx2 {
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
                    let mask: [$int; 2 * $lanes] =
                        std::array::from_fn(|i| if i < $lanes { -1 } else { 0 });
                    unsafe { $mload(p, _mm256_loadu_si256(mask.as_ptr().add($lanes - n).cast())) }
                }
                #[inline(always)]
                unsafe fn store_part(p: *mut $t, n: usize, v: $v) {
                    let mask: [$int; 2 * $lanes] =
                        std::array::from_fn(|i| if i < $lanes { -1 } else { 0 });
                    unsafe {
                        $mstore(p, _mm256_loadu_si256(mask.as_ptr().add($lanes - n).cast()), v);
                    }
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
                unsafe fn max(a: $v, b: $v) -> $v {
                    unsafe { $max(a, b) }
                }
                #[inline(always)]
                unsafe fn exchange<const BIT: usize>(a: $v, b: $v) -> ($v, $v) {
                    // Both types move as 32-bit pieces, WIDTH of them to a lane.
                    const WIDTH: usize = 8 / $lanes;
                    let set = |piece: usize| piece / WIDTH & BIT != 0;
                    let turn: [i32; 8] = std::array::from_fn(|i| (i ^ (BIT * WIDTH)) as i32);
                    let mask: [i32; 8] = std::array::from_fn(|i| if set(i) { -1 } else { 0 });
                    unsafe {
                        let turn = _mm256_loadu_si256(turn.as_ptr().cast());
                        let mask = _mm256_castsi256_ps(_mm256_loadu_si256(mask.as_ptr().cast()));
                        let (a, b) = ($bits(a), $bits(b));
                        let low = _mm256_blendv_ps(a, _mm256_permutevar8x32_ps(b, turn), mask);
                        let high = _mm256_blendv_ps(_mm256_permutevar8x32_ps(a, turn), b, mask);
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
        i32,
        _mm256_set1_ps,
        _mm256_loadu_ps,
        _mm256_storeu_ps,
        _mm256_maskload_ps,
        _mm256_maskstore_ps,
        _mm256_fmadd_ps,
        _mm256_fnmadd_ps,
        _mm256_add_ps,
        _mm256_max_ps,
        std::convert::identity,
        std::convert::identity
    );
    avx2!(
        f64,
        __m256d,
        4,
        i64,
        _mm256_set1_pd,
        _mm256_loadu_pd,
        _mm256_storeu_pd,
        _mm256_maskload_pd,
        _mm256_maskstore_pd,
        _mm256_fmadd_pd,
        _mm256_fnmadd_pd,
        _mm256_add_pd,
        _mm256_max_pd,
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
}
#[cfg(not(target_arch = "x86_64"))]
mod portable_only {
    use super::{Job, Portable, Vectorised};
    macro_rules! vectorised {
        ($t:ident) => {
            impl Vectorised for $t {
                #[inline]
                fn dispatch<J: Job<$t>>(job: J) -> J::Out {
                    // SAFETY: `Portable` needs no instruction set.
                    unsafe { job.run::<Portable<$t>>() }
                }
            }
        };
    }
    vectorised!(f32);
    vectorised!(f64);
}
