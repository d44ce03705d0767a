//! The columns of a sparse X as rows, turned a piece at a time.
//!
//! A copy of all entries by their other side would be as large as X. Here a thread that is handed
//! columns turns as many as its share of the room holds, and hands on those: later blocks of the same
//! piece find them turned. A pass costs a search in every row of X for each piece, and writes every
//! entry once, beside the k multiplications that are made with it.

use super::{Csr, Matrix, Visitor};
use crate::error::Result;
use crate::scalar::Scalar;
use crate::spare::Spare;
use std::ops::Range;

/// Xᵀ by its rows for a sparse X by rows.
pub(super) struct Turned<'a, T: Scalar> {
    x: Csr<'a, T>,
    /// Entries before each column.
    starts: Vec<usize>,
    /// Entries of a piece, unless its first column alone has more.
    share: usize,
    /// Those that no thread is reading.
    pieces: Spare<Piece<T>>,
}

/// Some columns, turned.
struct Piece<T: Scalar> {
    columns: Range<usize>,
    turned: Csr<'static, T>,
}

impl<'a, T: Scalar> Turned<'a, T> {
    /// The columns of `x` in pieces that hold `room` entries altogether.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory).
    pub(super) fn new(x: Csr<'a, T>, room: usize) -> Result<Self> {
        let starts = x.column_starts()?;
        let share = room / rayon::current_num_threads();
        Ok(Self { x, starts, share, pieces: Spare::default() })
    }

    /// A piece with this column, turned before or now.
    fn piece(&self, column: usize) -> Result<Piece<T>> {
        let old = self.pieces.take(|p| p.columns.contains(&column));
        let arrays = match old {
            Some(piece) if piece.columns.contains(&column) => return Ok(piece),
            Some(old) => old.turned.into_arrays(),
            None => Default::default(),
        };
        let full = self.starts[column] + self.share;
        let fit = self.starts[column + 1..].partition_point(|&end| end <= full);
        let columns = column..column + fit.max(1);
        let turned = self.x.turned(columns.clone(), &self.starts, arrays, &|| Ok(()))?;
        Ok(Piece { columns, turned })
    }
}

impl<T: Scalar> Matrix<T> for Turned<'_, T> {
    fn shape(&self) -> (usize, usize) {
        (self.x.shape().1, self.x.shape().0)
    }

    fn stored_before(&self, column: usize) -> usize {
        self.starts[column]
    }

    fn visit(&self, columns: Range<usize>, work: &mut Visitor<'_, T>) -> Result<()> {
        let mut from = columns.start;
        while from < columns.end {
            let piece = self.piece(from)?;
            let to = columns.end.min(piece.columns.end);
            let start = piece.columns.start;
            let handed = piece.turned.visit(from - start..to - start, &mut |within, panel| {
                work(within.start + start..within.end + start, panel);
            });
            self.pieces.put(piece);
            handed?;
            from = to;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rayon::prelude::*;

    /// Seven rows of eleven columns, one of them full and one empty.
    fn matrix() -> Csr<'static, f64> {
        let mut indptr = vec![0usize];
        let (mut indices, mut values) = (Vec::new(), Vec::new());
        for i in 0..7u32 {
            for j in (0..11u32).filter(|j| *j != 4 && (*j == 6 || (i * 5 + j * 3) % 4 == 0)) {
                indices.push(j);
                values.push(f64::from(i * 11 + j));
            }
            indptr.push(indices.len());
        }
        Csr::new((7, 11), &indptr, indices, values).expect("sorted")
    }

    fn entries(x: &dyn Matrix<f64>, rows: Range<usize>) -> Vec<(usize, usize, f64)> {
        let mut entries = Vec::new();
        x.visit(rows, &mut |range, panel| {
            for (at, row) in range.enumerate() {
                panel.for_each(at, &mut |j, x| entries.push((row, j, x)));
            }
        })
        .expect("in memory");
        entries
    }

    #[test]
    fn pieces_of_any_size_hand_out_the_rows_of_the_transpose() {
        let x = matrix();
        let whole = x.transposed();
        for room in [0, 1, 5, 9, 1000] {
            let room = room * rayon::current_num_threads();
            let turned = Turned::new(x.borrowed(), room).expect("room");
            assert_eq!(turned.shape(), whole.shape());
            assert!((0..=11).all(|j| turned.stored_before(j) == whole.stored_before(j)));
            for rows in [0..11, 3..9, 4..5, 6..6] {
                assert_eq!(entries(&turned, rows.clone()), entries(&whole, rows), "{room}");
            }
            let seen = (0..44).into_par_iter().map(|at| entries(&turned, at % 11..at % 11 + 1));
            let seen: Vec<_> = seen.collect();
            for (at, seen) in seen.into_iter().enumerate() {
                assert_eq!(seen, entries(&whole, at % 11..at % 11 + 1));
            }
        }
    }
}
