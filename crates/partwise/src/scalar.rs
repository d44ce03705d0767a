//! The one type parameter of the engine: `f32` or `f64`.

use crate::kernel::kl_divergence::KlTerm;
use crate::kernel::power::Power;
use crate::kernel::simd::Vectorised;

/// A floating-point number that X, W and H are stored and multiplied in.
///
/// Sealed: implemented for `f32` and `f64` only. Whatever is summed over more than one block of
/// rows is summed in `f64`, whichever of the two this is.
pub trait Scalar:
    Copy
    + Default
    + PartialOrd
    + Send
    + Sync
    + std::fmt::Debug
    + std::fmt::Display
    + std::ops::Add<Output = Self>
    + std::ops::Sub<Output = Self>
    + std::ops::Mul<Output = Self>
    + std::ops::Div<Output = Self>
    + std::ops::Neg<Output = Self>
    + std::ops::AddAssign
    + std::ops::MulAssign
    + Vectorised
    + KlTerm
    + Power
    + private::Sealed
    + 'static
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// Unit roundoff (half the distance from 1 to the next number), as `f64`.
    const ROUNDOFF: f64;
    /// Smallest positive normal number.
    const TINY: Self;
    /// A power of two whose square is finite, and its inverse normal.
    const FAR: Self;
    /// `"f32"` or `"f64"`.
    const NAME: &'static str;

    /// Rounds to the nearest value of this type.
    fn from_f64(value: f64) -> Self;
    /// Exact for both types.
    fn to_f64(self) -> f64;
    /// Neither NaN nor infinite.
    fn is_finite(self) -> bool;
    /// Magnitude.
    fn abs(self) -> Self;
    /// The larger of the two; `other` if `self` is NaN.
    fn max(self, other: Self) -> Self;
    /// This to the power `exponent`.
    fn powf(self, exponent: f64) -> Self;
}

mod private {
    #[allow(unnameable_types)]
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

macro_rules! scalar {
    ($t:ident, $roundoff:expr, $far:expr) => {
        impl Scalar for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const ROUNDOFF: f64 = $roundoff;
            const TINY: Self = $t::MIN_POSITIVE;
            const FAR: Self = $far;
            const NAME: &'static str = stringify!($t);

            #[inline(always)]
            #[allow(clippy::cast_possible_truncation)]
            fn from_f64(value: f64) -> Self {
                value as $t
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                $t::is_finite(self)
            }
            #[inline(always)]
            fn abs(self) -> Self {
                $t::abs(self)
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                $t::max(self, other)
            }
            #[inline(always)]
            fn powf(self, exponent: f64) -> Self {
                $t::powf(self, Self::from_f64(exponent))
            }
        }
    };
}
scalar!(f32, 1.0 / (1u64 << 24) as f64, (1u64 << 63) as f32);
scalar!(f64, 1.0 / (1u64 << 53) as f64, f64::from_bits((1023 + 511) << 52));
