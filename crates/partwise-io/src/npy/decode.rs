//! Elements of an npy file, from bytes to numbers.

use std::io::Read;

use crate::error::{Error, Place};
use crate::memory::reserve;
use crate::numbers::Numbers;

/// Bytes converted at a time: small enough for the cache, a multiple of every element size.
const CHUNK: usize = 256 << 10;

/// Kind of element: type letter, size, byte order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ElementType {
    letter: u8,
    size: u8,
    big_endian: bool,
}

impl ElementType {
    /// Parses a type such as `<f8`, `>i4`, `|b1`.
    pub(crate) fn parse(descr: &str) -> Result<Self, Error> {
        let refused = || Error::Type {
            place: Place::File,
            found: describe(descr),
            supported: super::SUPPORTED,
        };
        let bytes = descr.as_bytes();
        let (order, rest) = match bytes.split_first() {
            Some((order @ (b'<' | b'>' | b'|' | b'='), rest)) => (*order, rest),
            _ => (b'=', bytes),
        };
        let &[letter, size] = rest else {
            return Err(refused());
        };
        let size = size.wrapping_sub(b'0');
        let known =
            matches!((letter, size), (b'b', 1) | (b'i' | b'u', 1 | 2 | 4 | 8) | (b'f', 2 | 4 | 8));
        if !known || (order == b'|' && size > 1) {
            return Err(refused());
        }
        let big_endian = order == b'>' || (order == b'=' && cfg!(target_endian = "big"));
        Ok(Self { letter, size, big_endian })
    }

    /// Bytes of one element in the file.
    pub(crate) fn size(self) -> u64 {
        u64::from(self.size)
    }

    /// Bytes of one element in memory.
    pub(crate) fn memory(self) -> u64 {
        if self.letter == b'f' { self.size().max(4) } else { self.size() }
    }
}

/// A refused type in words.
fn describe(descr: &str) -> String {
    let letter = descr.trim_start_matches(['<', '>', '|', '=']).chars().next();
    let kind = match letter {
        Some('O') => "an array of Python objects, a pickle that is never opened",
        Some('U' | 'S') => "an array of text",
        Some('c') => "an array of complex numbers",
        Some('M' | 'm') => "an array of dates",
        Some('V') => "an array of raw bytes",
        Some('f') => "an array of long floats",
        _ => "an array of an unknown type",
    };
    format!("{kind} ('{descr}')")
}

/// Reads `count` elements; the caller has compared the count with the length of the file.
pub(crate) fn numbers(
    reader: &mut impl Read,
    kind: ElementType,
    count: u64,
) -> Result<Numbers, Error> {
    macro_rules! read {
        ($variant:ident, $type:ty) => {
            Numbers::$variant(if kind.big_endian {
                elements(reader, count, <$type>::from_be_bytes)?
            } else {
                elements(reader, count, <$type>::from_le_bytes)?
            })
        };
    }
    Ok(match (kind.letter, kind.size) {
        (b'b', _) => Numbers::Bool(booleans(elements(reader, count, |[b]: [u8; 1]| b)?)?),
        (b'i', 1) => read!(I8, i8),
        (b'i', 2) => read!(I16, i16),
        (b'i', 4) => read!(I32, i32),
        (b'i', _) => read!(I64, i64),
        (b'u', 1) => read!(U8, u8),
        (b'u', 2) => read!(U16, u16),
        (b'u', 4) => read!(U32, u32),
        (b'u', _) => read!(U64, u64),
        (_, 2) if kind.big_endian => {
            Numbers::F32(elements(reader, count, |b| widen(u16::from_be_bytes(b)))?)
        }
        (_, 2) => Numbers::F32(elements(reader, count, |b| widen(u16::from_le_bytes(b)))?),
        (_, 4) => read!(F32, f32),
        _ => read!(F64, f64),
    })
}

fn elements<T, const N: usize>(
    reader: &mut impl Read,
    count: u64,
    decode: impl Fn([u8; N]) -> T,
) -> Result<Vec<T>, Error> {
    let mut out: Vec<T> = Vec::new();
    let total = usize::try_from(count).map_err(|_| Error::out_of_memory("the array", count))?;
    let mut buffer = vec![0; CHUNK.min(total.saturating_mul(N))];
    while out.len() < total {
        let wanted = (total - out.len()).min(CHUNK / N);
        let (chunk, _) = buffer.split_at_mut(wanted * N);
        if let Err(cause) = reader.read_exact(chunk) {
            return Err(ended(cause, count, out.len() as u64));
        }
        if out.is_empty() {
            out.try_reserve_exact(total)
                .map_err(|_| Error::out_of_memory("the array", count.saturating_mul(N as u64)))?;
        }
        reserve(&mut out, wanted, "the array")?;
        out.extend(chunk.as_chunks::<N>().0.iter().map(|&bytes| decode(bytes)));
    }
    Ok(out)
}

fn ended(cause: std::io::Error, expected: u64, found: u64) -> Error {
    if cause.kind() != std::io::ErrorKind::UnexpectedEof {
        return Error::io("read")(cause);
    }
    let what = "the array".into();
    Error::Length { place: Place::File, what, expected, found, unit: "elements" }
}

fn booleans(bytes: Vec<u8>) -> Result<Vec<bool>, Error> {
    if let Some(index) = bytes.iter().position(|&b| b > 1) {
        return Err(Error::Data {
            place: Place::Element { name: "data".into(), index: index as u64 },
            found: format!("byte {}", bytes.get(index).copied().unwrap_or_default()),
            expected: "0 or 1 in an array of booleans",
        });
    }
    Ok(bytes.into_iter().map(|b| b == 1).collect())
}

/// Half precision to single, exactly.
fn widen(half: u16) -> f32 {
    let sign = u32::from(half & 0x8000) << 16;
    let exponent = u32::from(half >> 10) & 0x1f;
    let fraction = u32::from(half & 0x3ff);
    match exponent {
        // A subnormal half is a whole multiple of 2^-24, and so a normal single.
        0 => {
            let size = f32::from(half & 0x3ff) / 16_777_216.0;
            f32::from_bits(size.to_bits() | sign)
        }
        31 => f32::from_bits(sign | 0x7f80_0000 | fraction << 13),
        _ => f32::from_bits(sign | (exponent + 112) << 23 | fraction << 13),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision_is_widened_exactly() {
        let cases = [
            (0x0000, 0.0),
            (0x0001, 5.960_464_5e-8),
            (0x03ff, 6.097_555e-5),
            (0x0400, 6.103_515_6e-5),
            (0x3555, 0.333_251_95),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65_504.0),
            (0x7c00, f32::INFINITY),
        ];
        for (half, single) in cases {
            assert_eq!(widen(half), single, "{half:#06x}");
        }
        assert!(widen(0x7e00).is_nan());
        assert!(widen(0x8000).is_sign_negative());
    }
}
