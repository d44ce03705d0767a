//! q^c over runs of entries, vectorised: what a β-divergence needs for every fitted value.
//!
//! * Where 2c is a whole number up to 16 in size: by products, and a square root for odd 2c. An error of at
//!   most |c| + 2 roundoffs.
//! * Any other c: with q = 2^e·m, m in [√½, √2), q^c = 2^(ec)·2^(c log₂ m). log₂ m = 2 artanh(s)/ln 2,
//!   s = (m − 1)/(m + 1), and 2^z of the fraction are polynomials to a roundoff. c is cut in two, so that e
//!   times its upper part is exact and its whole part goes into the exponent of the result. An error of at
//!   most 2|c| + 4 roundoffs.
//!
//! The loops run over arrays of a length that is known and have no branches: compiled for the instruction
//! set of the caller (see [`simd`](super::simd)), they vectorise by themselves. 0^c is 0 for c > 0 and
//! infinite for c < 0; a result that is subnormal is rounded as it should be.

use crate::scalar::Scalar;

/// Entries worked on at a time: a few cache lines of each operand.
pub(crate) const CHUNK: usize = 64;

/// The exponent c, in the form in which it is applied.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Exponent {
    /// c = sign·(whole + ½·root), applied by products.
    Products {
        /// Whether c < 0.
        inverse: bool,
        whole: u32,
        /// Whether a square root is one of the factors.
        root: bool,
    },
    /// Any c.
    Any(f64),
}

impl Exponent {
    pub(crate) fn new(c: f64) -> Self {
        let twice = (2.0 * c).abs();
        if twice.fract() == 0.0 && twice <= 16.0 {
            let twice = twice as u32;
            return Self::Products { inverse: c < 0.0, whole: twice / 2, root: twice % 2 == 1 };
        }
        Self::Any(c)
    }

    /// Raises every entry to this power.
    #[inline(always)]
    pub(crate) fn raise<T: Scalar>(self, q: &mut [T; CHUNK]) {
        match self {
            Self::Products { inverse, whole, root } => products(q, (inverse, whole, root)),
            Self::Any(c) => {
                let c = T::parted(c);
                // A closure of this size would not be compiled into the caller.
                for q in q {
                    *q = q.to_power(c);
                }
            }
        }
    }
}

#[inline(always)]
fn products<T: Scalar>(q: &mut [T; CHUNK], (inverse, whole, root): (bool, u32, bool)) {
    let base = *q;
    if whole == 0 {
        for q in q.iter_mut() {
            *q = if root { q.root() } else { T::ONE };
        }
    } else if root {
        for q in q.iter_mut() {
            *q *= q.root();
        }
    }
    // At most 8 of them; squares would be fewer, and round no better.
    for _ in 1..whole {
        for (q, &base) in q.iter_mut().zip(&base) {
            *q *= base;
        }
    }
    // Last: the inverse of a subnormal number is infinite, that of its root is not.
    if inverse {
        for q in q.iter_mut() {
            *q = T::ONE / *q;
        }
    }
}

/// x where its size is at most `limit`, else ±`limit`.
#[inline(always)]
fn within<T: Scalar>(x: T, limit: T) -> T {
    let x = if x < limit { x } else { limit };
    if x > -limit { x } else { -limit }
}

/// Types that can be raised to a power without a branch.
pub trait Power: Sized {
    /// c, its upper part, of so few digits that a product with an exponent is exact, and the rest.
    fn parted(c: f64) -> [Self; 3];
    /// This to the power that [`parted`](Self::parted) has cut.
    fn to_power(self, c: [Self; 3]) -> Self;
    /// The square root.
    fn root(self) -> Self;
}

macro_rules! power {
    ($t:ident, $bits:ident, $exponent_bits:literal, [$($of_log:literal)*], [$($of_exp:literal)*]) => {
        impl Power for $t {
            #[inline(always)]
            fn parted(c: f64) -> [$t; 3] {
                // An exponent has as many digits, and a sign.
                let digits = $t::MANTISSA_DIGITS - $exponent_bits - 1;
                let dropped = f64::MANTISSA_DIGITS - digits;
                let upper = f64::from_bits(c.to_bits() >> dropped << dropped);
                [c as $t, upper as $t, (c - upper) as $t]
            }

            #[inline(always)]
            fn to_power(self, [c, upper, rest]: [$t; 3]) -> $t {
                const MANTISSA: u32 = $t::MANTISSA_DIGITS - 1;
                const BIAS: $t = $t::MAX_EXP as $t - 1.0;
                // The number whose last bits are an integer n is n above this one.
                const WHOLE: $t = ((1 as $bits) << MANTISSA) as $t;
                // Adding it to a smaller number, of either sign, rounds that to an integer in the last bits.
                const SHIFT: $t = 1.5 * WHOLE;
                // Added to an exponent, so that its shift needs no sign.
                const ABOVE: $bits = 1 << $exponent_bits;
                // A subnormal number is made a normal one.
                let small = self < $t::MIN_POSITIVE;
                let (q, lower) = if small { (self * WHOLE, MANTISSA as $t) } else { (self, 0.0) };
                // m in [√½, √2): the exponent that is split off is that of q/√½.
                let apart = q.to_bits().wrapping_sub(std::$t::consts::FRAC_1_SQRT_2.to_bits());
                let above = apart.wrapping_add(ABOVE << MANTISSA) >> MANTISSA;
                let m = $t::from_bits(q.to_bits().wrapping_sub(above.wrapping_sub(ABOVE) << MANTISSA));
                let e = $t::from_bits(above | WHOLE.to_bits()) - (WHOLE + ABOVE as $t) - lower;
                let s = (m - 1.0) / (m + 1.0);
                let z = s * s;
                let mut series = 0.0;
                $(series = (series + 1.0 / $of_log) * z;)*
                let log = 2.0 * std::$t::consts::LOG2_E * (s + s * series);
                // ec + c·log₂ m = n + fraction.
                let exact = e * upper;
                let tail = e * rest + c * log;
                let n = within(exact + tail, 4.0 * BIAS) + SHIFT - SHIFT;
                let fraction = ((exact - n) + tail) * std::$t::consts::LN_2;
                let mut power = 1.0;
                $(power = 1.0 + power * (fraction * (1.0 / $of_exp));)*
                // 2^n in three steps, of which only the last can leave the range of normal numbers.
                let step = |n: $t| $t::from_bits((n + (SHIFT + BIAS)).to_bits() << MANTISSA);
                let first = within(n, BIAS - 1.0);
                let second = within(n - first, BIAS - 1.0);
                let third = within(n - first - second, BIAS - 1.0);
                let value = power * step(first) * step(second) * step(third);
                let at_zero = if c > 0.0 { 0.0 } else { $t::INFINITY };
                let value = if self > 0.0 { value } else { at_zero };
                let at_infinity = if c > 0.0 { $t::INFINITY } else { 0.0 };
                if self == $t::INFINITY { at_infinity } else { value }
            }

            #[inline(always)]
            fn root(self) -> $t {
                self.sqrt()
            }
        }
    };
}
// s² ≤ 0.0295 and |fraction·ln 2| ≤ 0.347: the first terms left out are 0.0295^5/11 = 2e-9 and
// 0.347^8/8! = 5e-9, and 0.0295^11/23 = 6e-19 and 0.347^14/14! = 4e-18.
power!(f32, u32, 8, [9.0 7.0 5.0 3.0], [7.0 6.0 5.0 4.0 3.0 2.0 1.0]);
power!(
    f64,
    u64,
    11,
    [21.0 19.0 17.0 15.0 13.0 11.0 9.0 7.0 5.0 3.0],
    [13.0 12.0 11.0 10.0 9.0 8.0 7.0 6.0 5.0 4.0 3.0 2.0 1.0]
);
