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
    /// The instruction set in words.
    const NAME: &'static str;
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
    /// `a · b`.
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V;
    /// `a / b`.
    unsafe fn div(a: Self::V, b: Self::V) -> Self::V;
    /// `(1/a, 1/b)` to a few roundings, for lanes that are positive and whose products with each
    /// other are normal numbers: cheaper than two divisions.
    unsafe fn inverses(a: Self::V, b: Self::V) -> (Self::V, Self::V);
    /// Lane-wise `if a ≥ b { x } else { y }`.
    unsafe fn where_least(a: Self::V, b: Self::V, x: Self::V, y: Self::V) -> Self::V;
    /// Sum of the lanes.
    unsafe fn sum(v: Self::V) -> T;
    /// Largest lane.
    unsafe fn peak(v: Self::V) -> T;
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

/// The instruction set that this processor's kernels use: `AVX-512`, `AVX2 and FMA`, or `portable`.
#[must_use]
pub fn instruction_set() -> &'static str {
    struct Name;
    impl Job<f64> for Name {
        type Out = &'static str;
        #[inline(always)]
        unsafe fn run<S: Simd<f64>>(self) -> &'static str {
            S::NAME
        }
    }
    run(Name)
}

/// Eight lanes in plain Rust; the compiler vectorises what it can.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Portable<T>(PhantomData<T>);

macro_rules! portable {
    ($t:ident) => {
        impl Simd<$t> for Portable<$t> {
            const NAME: &'static str = "portable";
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
            unsafe fn mul(a: Self::V, b: Self::V) -> Self::V {
                std::array::from_fn(|i| a[i] * b[i])
            }
            #[inline(always)]
            unsafe fn div(a: Self::V, b: Self::V) -> Self::V {
                std::array::from_fn(|i| a[i] / b[i])
            }
            #[inline(always)]
            unsafe fn inverses(a: Self::V, b: Self::V) -> (Self::V, Self::V) {
                (a.map(|a| 1.0 / a), b.map(|b| 1.0 / b))
            }
            #[inline(always)]
            unsafe fn where_least(a: Self::V, b: Self::V, x: Self::V, y: Self::V) -> Self::V {
                std::array::from_fn(|i| if a[i] >= b[i] { x[i] } else { y[i] })
            }
            #[inline(always)]
            unsafe fn sum(v: Self::V) -> $t {
                let half: [$t; 4] = std::array::from_fn(|i| v[i] + v[i + 4]);
                (half[0] + half[2]) + (half[1] + half[3])
            }
            #[inline(always)]
            unsafe fn peak(v: Self::V) -> $t {
                v.iter().fold(v[0], |a, &b| if a > b { a } else { b })
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
mod x86;
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
