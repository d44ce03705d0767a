//! The first line of a Matrix Market file.

use crate::error::{Error, Place, quoted};
use crate::notice::Notice;
use crate::numbers::Numbers;
use crate::parse;

use super::{Spot, push};

/// Kind of the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Real,
    Integer,
    /// Either of them, with marks of missing values.
    Gapped,
    /// No values: every entry is 1.
    Pattern,
}

/// Which entries stand for another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Symmetry {
    General,
    Symmetric,
    Skew,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Banner {
    pub(super) coordinate: bool,
    pub(super) field: Field,
    pub(super) symmetry: Symmetry,
}

impl Banner {
    pub(super) fn parse(line: &[u8]) -> Result<Self, Error> {
        let lower = line.to_ascii_lowercase();
        let mut words = lower.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty());
        if words.next() != Some(b"%%matrixmarket") || !line.starts_with(b"%%") {
            return Err(Error::format(Place::Line(1), quoted(line), "%%MatrixMarket"));
        }
        let mut choose = |choices: &[&'static str]| {
            let word = words.next().unwrap_or_default();
            choices
                .iter()
                .find(|c| c.as_bytes() == word)
                .copied()
                .ok_or_else(|| Error::format(Place::Line(1), quoted(word), choices.join(", ")))
        };
        choose(&["matrix"])?;
        let coordinate = choose(&["coordinate", "array"])? == "coordinate";
        let field =
            match choose(&["real", "double", "integer", "unsigned-integer", "pattern", "complex"])?
            {
                "complex" => return Err(complex()),
                "integer" | "unsigned-integer" => Field::Integer,
                "pattern" if coordinate => Field::Pattern,
                "pattern" => {
                    return Err(Error::format(
                        Place::Line(1),
                        "'array pattern'",
                        "values in an array",
                    ));
                }
                _ => Field::Real,
            };
        let symmetry = match choose(&["general", "symmetric", "skew-symmetric", "hermitian"])? {
            "general" => Symmetry::General,
            "skew-symmetric" => Symmetry::Skew,
            // A real hermitian matrix is symmetric.
            _ => Symmetry::Symmetric,
        };
        Ok(Self { coordinate, field, symmetry })
    }

    pub(super) fn check_square(self, rows: u64, cols: u64, line: u64) -> Result<(), Error> {
        if rows == cols || self.symmetry == Symmetry::General {
            return Ok(());
        }
        let found = format!("{rows} rows and {cols} columns");
        Err(Error::format(Place::Line(line), found, "as many in a symmetric matrix"))
    }
}

fn complex() -> Error {
    Error::Type {
        place: Place::Line(1),
        found: "a complex matrix".into(),
        supported: "supported are real, integer and pattern",
    }
}

impl Field {
    pub(super) fn no_numbers(self) -> Numbers {
        if self == Self::Integer { Numbers::I64(Vec::new()) } else { Numbers::F64(Vec::new()) }
    }

    /// Parses a value and adds it.
    pub(super) fn push(
        self,
        numbers: &mut Numbers,
        token: &[u8],
        spot: Spot,
        underflow: &mut Option<Notice>,
    ) -> Result<(), Error> {
        let bad = |expected| Error::Data { place: spot.place(), found: quoted(token), expected };
        match numbers {
            Numbers::I64(values) => {
                let value = parse::signed(token)
                    .or_else(|| whole(token))
                    .ok_or_else(|| bad("a whole number from -2^63 to 2^63 - 1"))?;
                push(values, value)
            }
            Numbers::F64(values) if self == Self::Gapped && parse::is_missing(token) => {
                push(values, f64::NAN)
            }
            Numbers::F64(values) if self != Self::Pattern => {
                let value = parse::fortran_number(token).map_err(bad)?;
                if value == 0.0 && parse::underflows(token) {
                    Notice::count_underflow(underflow, spot.line, spot.field);
                }
                push(values, value)
            }
            Numbers::F64(values) => push(values, 1.0),
            _ => Ok(()),
        }
    }
}

/// A whole number that is written as a real one, such as `2.0`.
fn whole(token: &[u8]) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let value = parse::fortran_number(token).ok()?;
    let exact = value.fract() == 0.0 && value.abs() <= EXACT;
    #[expect(clippy::cast_possible_truncation, reason = "checked")]
    exact.then_some(value as i64)
}

impl Symmetry {
    /// Fills the full square, column after column, from its stored lower triangle.
    pub(super) fn unfold(self, numbers: Numbers, size: usize) -> Numbers {
        match (self, numbers) {
            (Self::General, numbers) => numbers,
            (_, Numbers::F64(v)) => Numbers::F64(self.square(&v, size, |x| -x)),
            (_, Numbers::I64(v)) => Numbers::I64(self.square(&v, size, i64::saturating_neg)),
            (_, numbers) => numbers,
        }
    }

    fn square<T: Copy + Default>(self, triangle: &[T], size: usize, minus: fn(T) -> T) -> Vec<T> {
        let mut square = vec![T::default(); size * size];
        let mut stored = triangle.iter().copied();
        for col in 0..size {
            let first = if self == Self::Skew { col + 1 } else { col };
            for (row, value) in (first..size).zip(&mut stored) {
                square[col * size + row] = value;
                square[row * size + col] = if self == Self::Skew { minus(value) } else { value };
            }
        }
        square
    }
}
