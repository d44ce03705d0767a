//! Entries of a coordinate file.

use crate::error::{Error, Place, quoted};
use crate::memory::Budget;
use crate::notice::Notice;
use crate::numbers::Numbers;
use crate::parse;

use super::banner::{Banner, Field, Symmetry};
use super::{Spot, end, push, token};

/// Coordinates and values read so far, mirrored where the file is symmetric.
pub(super) struct Entries {
    banner: Banner,
    limits: (u64, u64),
    budget: Budget,
    pub(super) rows: Vec<u32>,
    pub(super) cols: Vec<u32>,
    pub(super) numbers: Numbers,
    pub(super) underflow: Option<Notice>,
}

impl Entries {
    pub(super) fn new(banner: Banner, rows: u64, cols: u64, budget: Budget) -> Self {
        Self {
            banner,
            limits: (rows, cols),
            budget,
            rows: Vec::new(),
            cols: Vec::new(),
            numbers: banner.field.no_numbers(),
            underflow: None,
        }
    }

    /// Adds the entry of a line.
    pub(super) fn push(&mut self, line: &[u8], number: u64) -> Result<(), Error> {
        let mut rest = line;
        let row = index(&mut rest, self.limits.0, number, "row")?;
        let col = index(&mut rest, self.limits.1, number, "column")?;
        let pattern = self.banner.field == Field::Pattern;
        let value = if pattern { &[] } else { token(&mut rest) };
        end(rest, number)?;
        if self.rows.len() == self.rows.capacity() {
            let needed = self.rows.len() as u128 * 16;
            self.budget.check(|| "the matrix".into(), needed)?;
        }
        let spot = Spot { line: number, field: 3 };
        self.banner.field.push(&mut self.numbers, value, spot, &mut self.underflow)?;
        push(&mut self.rows, row)?;
        push(&mut self.cols, col)?;
        if self.banner.symmetry == Symmetry::General {
            Ok(())
        } else {
            self.mirror(row, col, number)
        }
    }

    fn mirror(&mut self, row: u32, col: u32, line: u64) -> Result<(), Error> {
        let skew = self.banner.symmetry == Symmetry::Skew;
        if row < col || (skew && row == col) {
            let found = format!("entry ({}, {})", u64::from(row) + 1, u64::from(col) + 1);
            let expected = "entries of the lower triangle only in a symmetric matrix";
            return Err(Error::format(Place::Line(line), found, expected));
        }
        if row == col {
            return Ok(());
        }
        push(&mut self.rows, col)?;
        push(&mut self.cols, row)?;
        match &mut self.numbers {
            Numbers::F64(v) => {
                let value = v.last().copied().unwrap_or_default();
                push(v, if skew { -value } else { value })
            }
            Numbers::I64(v) => {
                let value = v.last().copied().unwrap_or_default();
                push(v, if skew { value.saturating_neg() } else { value })
            }
            _ => Ok(()),
        }
    }
}

/// Parses an index that counts from 1 and skips the space after it.
fn index(rest: &mut &[u8], limit: u64, line: u64, what: &str) -> Result<u32, Error> {
    let (mut index, mut length) = (0u64, 0);
    // 18 digits cannot overflow; longer ones take the slow way.
    for byte in rest.iter().take(18) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        index = index * 10 + u64::from(digit);
        length += 1;
    }
    if let Some((b' ', tail)) = rest.split_at(length).1.split_first()
        && (1..=limit).contains(&index)
        && !matches!(tail.first(), Some(b' ' | b'\t'))
        && let Ok(index) = u32::try_from(index - 1)
    {
        *rest = tail;
        return Ok(index);
    }
    careful_index(token(rest), limit, line, what)
}

fn careful_index(token: &[u8], limit: u64, line: u64, what: &str) -> Result<u32, Error> {
    let index = parse::unsigned(token).filter(|&i| 1 <= i && i <= limit);
    match index.map(|i| u32::try_from(i - 1)) {
        Some(Ok(index)) => Ok(index),
        _ => {
            let found = format!("{what} index {}", quoted(token));
            let expected = format!("one in the range 1..{limit} (Matrix Market is 1-based)");
            Err(Error::format(Place::Line(line), found, expected))
        }
    }
}
