//! Elements in the type that their file has, and their conversion to floating point.
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]

use std::fmt;

/// Type of the elements of a file, shown by its NumPy name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the variants are their own names")]
pub enum DType {
    Bool,
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F32,
    F64,
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bool => "bool",
            Self::U8 => "uint8",
            Self::I8 => "int8",
            Self::U16 => "uint16",
            Self::I16 => "int16",
            Self::U32 => "uint32",
            Self::I32 => "int32",
            Self::U64 => "uint64",
            Self::I64 => "int64",
            Self::F32 => "float32",
            Self::F64 => "float64",
        })
    }
}

/// A vector of elements of one type. Half precision is widened to `F32`, which is exact.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the variants are their own names")]
pub enum Numbers {
    Bool(Vec<bool>),
    U8(Vec<u8>),
    I8(Vec<i8>),
    U16(Vec<u16>),
    I16(Vec<i16>),
    U32(Vec<u32>),
    I32(Vec<i32>),
    U64(Vec<u64>),
    I64(Vec<i64>),
    F32(Vec<f32>),
    F64(Vec<f64>),
}

/// Runs an expression on the vector inside, whatever its type.
macro_rules! each {
    ($numbers:expr, $vector:ident => $result:expr) => {
        match $numbers {
            $crate::numbers::Numbers::Bool($vector) => $result,
            $crate::numbers::Numbers::U8($vector) => $result,
            $crate::numbers::Numbers::I8($vector) => $result,
            $crate::numbers::Numbers::U16($vector) => $result,
            $crate::numbers::Numbers::I16($vector) => $result,
            $crate::numbers::Numbers::U32($vector) => $result,
            $crate::numbers::Numbers::I32($vector) => $result,
            $crate::numbers::Numbers::U64($vector) => $result,
            $crate::numbers::Numbers::I64($vector) => $result,
            $crate::numbers::Numbers::F32($vector) => $result,
            $crate::numbers::Numbers::F64($vector) => $result,
        }
    };
}
pub(crate) use each;

/// Like [`each`], and wraps the resulting vector in the same variant.
macro_rules! map_each {
    ($numbers:expr, $vector:ident => $result:expr) => {
        match $numbers {
            $crate::numbers::Numbers::Bool($vector) => $crate::numbers::Numbers::Bool($result),
            $crate::numbers::Numbers::U8($vector) => $crate::numbers::Numbers::U8($result),
            $crate::numbers::Numbers::I8($vector) => $crate::numbers::Numbers::I8($result),
            $crate::numbers::Numbers::U16($vector) => $crate::numbers::Numbers::U16($result),
            $crate::numbers::Numbers::I16($vector) => $crate::numbers::Numbers::I16($result),
            $crate::numbers::Numbers::U32($vector) => $crate::numbers::Numbers::U32($result),
            $crate::numbers::Numbers::I32($vector) => $crate::numbers::Numbers::I32($result),
            $crate::numbers::Numbers::U64($vector) => $crate::numbers::Numbers::U64($result),
            $crate::numbers::Numbers::I64($vector) => $crate::numbers::Numbers::I64($result),
            $crate::numbers::Numbers::F32($vector) => $crate::numbers::Numbers::F32($result),
            $crate::numbers::Numbers::F64($vector) => $crate::numbers::Numbers::F64($result),
        }
    };
}
pub(crate) use map_each;

/// Integers that a conversion to floating point could not keep exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rounding {
    /// How many were rounded.
    pub count: u64,
    /// Position of the first among the stored elements.
    pub first_index: u64,
    /// Its value.
    pub value: i128,
}

impl fmt::Display for Rounding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} integers were rounded, the first is element {} = {}",
            self.count, self.first_index, self.value
        )
    }
}

impl Numbers {
    /// Number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        each!(self, v => v.len())
    }

    /// Whether there is no element.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Type of the elements.
    #[must_use]
    pub fn dtype(&self) -> DType {
        match self {
            Self::Bool(_) => DType::Bool,
            Self::U8(_) => DType::U8,
            Self::I8(_) => DType::I8,
            Self::U16(_) => DType::U16,
            Self::I16(_) => DType::I16,
            Self::U32(_) => DType::U32,
            Self::I32(_) => DType::I32,
            Self::U64(_) => DType::U64,
            Self::I64(_) => DType::I64,
            Self::F32(_) => DType::F32,
            Self::F64(_) => DType::F64,
        }
    }

    /// Hands out every element, as near as a double comes to it, with its position.
    pub(crate) fn each_f64(&self, mut see: impl FnMut(usize, f64)) {
        macro_rules! see {
            ($vector:expr, $convert:expr) => {
                $vector.iter().enumerate().for_each(|(at, &x)| see(at, $convert(x)))
            };
        }
        match self {
            Self::Bool(v) => see!(v, |x: bool| f64::from(u8::from(x))),
            Self::U8(v) => see!(v, f64::from),
            Self::I8(v) => see!(v, f64::from),
            Self::U16(v) => see!(v, f64::from),
            Self::I16(v) => see!(v, f64::from),
            Self::U32(v) => see!(v, f64::from),
            Self::I32(v) => see!(v, f64::from),
            Self::U64(v) => see!(v, |x: u64| x as f64),
            Self::I64(v) => see!(v, |x: i64| x as f64),
            Self::F32(v) => see!(v, f64::from),
            Self::F64(v) => see!(v, |x: f64| x),
        }
    }

    /// The elements in single precision. Integers up to 2^24 are exact; [`Rounding`] counts those
    /// that are not. Doubles are rounded to the nearest, and to infinity beyond 3.4e38.
    #[must_use]
    pub fn into_f32(self) -> (Vec<f32>, Option<Rounding>) {
        match self {
            Self::F32(v) => (v, None),
            Self::F64(v) => (v.into_iter().map(|x| x as f32).collect(), None),
            Self::Bool(v) => (v.into_iter().map(|x| f32::from(u8::from(x))).collect(), None),
            Self::U8(v) => (v.into_iter().map(f32::from).collect(), None),
            Self::I8(v) => (v.into_iter().map(f32::from).collect(), None),
            Self::U16(v) => (v.into_iter().map(f32::from).collect(), None),
            Self::I16(v) => (v.into_iter().map(f32::from).collect(), None),
            Self::U32(v) => rounded(&v, |x| x as f32, |y| f64::from(y) as i128),
            Self::I32(v) => rounded(&v, |x| x as f32, |y| f64::from(y) as i128),
            Self::U64(v) => rounded(&v, |x| x as f32, |y| f64::from(y) as i128),
            Self::I64(v) => rounded(&v, |x| x as f32, |y| f64::from(y) as i128),
        }
    }

    /// The elements in double precision. Integers up to 2^53 are exact; [`Rounding`] counts those
    /// that are not.
    #[must_use]
    pub fn into_f64(self) -> (Vec<f64>, Option<Rounding>) {
        match self {
            Self::F64(v) => (v, None),
            Self::F32(v) => (v.into_iter().map(f64::from).collect(), None),
            Self::Bool(v) => (v.into_iter().map(|x| f64::from(u8::from(x))).collect(), None),
            Self::U8(v) => (v.into_iter().map(f64::from).collect(), None),
            Self::I8(v) => (v.into_iter().map(f64::from).collect(), None),
            Self::U16(v) => (v.into_iter().map(f64::from).collect(), None),
            Self::I16(v) => (v.into_iter().map(f64::from).collect(), None),
            Self::U32(v) => (v.into_iter().map(f64::from).collect(), None),
            Self::I32(v) => (v.into_iter().map(f64::from).collect(), None),
            Self::U64(v) => rounded(&v, |x| x as f64, |y| y as i128),
            Self::I64(v) => rounded(&v, |x| x as f64, |y| y as i128),
        }
    }
}

/// Converts and compares each value with what it became.
fn rounded<I: Copy + Into<i128>, T: Copy>(
    integers: &[I],
    convert: impl Fn(I) -> T,
    back: impl Fn(T) -> i128,
) -> (Vec<T>, Option<Rounding>) {
    let mut rounding: Option<Rounding> = None;
    let mut out = Vec::with_capacity(integers.len());
    for (index, &x) in integers.iter().enumerate() {
        let y = convert(x);
        if back(y) != x.into() {
            let first = Rounding { count: 0, first_index: index as u64, value: x.into() };
            rounding.get_or_insert(first).count += 1;
        }
        out.push(y);
    }
    (out, rounding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l52_integers_are_exact_up_to_the_mantissa() {
        let (v, rounding) = Numbers::U32(vec![1 << 24, (1 << 24) + 1, (1 << 24) + 2]).into_f32();
        assert_eq!(v[0], 16_777_216.0);
        assert_eq!(rounding, Some(Rounding { count: 1, first_index: 1, value: (1 << 24) + 1 }));
        assert_eq!(Numbers::U8(vec![128, 255]).into_f32(), (vec![128.0, 255.0], None));
        assert_eq!(Numbers::I64(vec![1 << 53, -(1 << 53)]).into_f64().1, None);
    }

    #[test]
    fn l53_large_unsigned_integers_are_rounded_not_wrapped() {
        let (v, rounding) = Numbers::U64(vec![0, (1 << 63) + 1, u64::MAX]).into_f64();
        assert_eq!(v, [0.0, 9_223_372_036_854_775_808.0, 18_446_744_073_709_551_616.0]);
        let rounding = rounding.unwrap_or(Rounding { count: 0, first_index: 0, value: 0 });
        assert_eq!((rounding.count, rounding.first_index), (2, 1));
        assert!(rounding.to_string().contains("element 1 = 9223372036854775809"));
    }
}
