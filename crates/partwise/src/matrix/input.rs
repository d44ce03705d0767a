//! The kinds of X a caller can hand over, and which of its sides is streamed.
//!
//! The longer side of X is streamed, so that the factor that every panel adds to is the smaller
//! one. The choice depends on the shape alone, and the factor of the streamed side is improved
//! first: the same values give the same result however they are stored, and X and Xᵀ give the same
//! factors with the roles exchanged, unless X is square: then both stream their rows. Zeros that a
//! sparse X stores are dropped, but where what is not stored is missing. Of [`Input::Rows`] they count as
//! stored: its rows are cut by what it says to store, so sums may be in another order.

use super::halting::Unmade;
use super::{Csc, Csr, Dense, Halt, Halting, Matrix, Turned};
use crate::error::Result;
use crate::scalar::Scalar;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// A side of X, and the factor that has a row for each of its entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The rows of X: W.
    Rows,
    /// The columns of X: H.
    Columns,
}

impl Side {
    /// The other one.
    pub(crate) fn opposite(self) -> Self {
        match self {
            Self::Rows => Self::Columns,
            Self::Columns => Self::Rows,
        }
    }
}

/// X in any of the forms the engine reads.
#[derive(Clone)]
#[non_exhaustive]
pub enum Input<'a, T: Scalar> {
    /// Dense in memory.
    Dense(Dense<'a, T>),
    /// Sparse by rows.
    Csr(Csr<'a, T>),
    /// Sparse by columns.
    Csc(Csc<'a, T>),
    /// Anything else that hands out rows; these are streamed whatever the shape.
    Rows(&'a dyn Matrix<T>),
    /// One of these that can be left, see [`Input::until`].
    Until(Box<Input<'a, T>>, Deadline),
}

/// When an [`Input::Until`] is left.
#[derive(Debug, Clone)]
pub struct Deadline(Arc<Halt>);

/// X as the loop reads it: by the rows of `matrix`, which are the `side` of X.
pub(crate) struct Streamed<'a, T: Scalar> {
    pub(crate) matrix: Box<dyn Matrix<T> + 'a>,
    pub(crate) side: Side,
}

impl<'a, T: Scalar> Input<'a, T> {
    /// The same X, of which no row is handed out once `stop` is true: what reads it then ends with
    /// [`Error::Halted`](crate::Error::Halted). A fit is better stopped by
    /// [`Options::stop`](crate::Options::stop), which lets it return its best iterate.
    #[must_use]
    pub fn until(self, stop: Arc<AtomicBool>) -> Self {
        self.halting(&Arc::new(Halt::new(Some(stop), None)))
    }

    /// The same X, of which no row is handed out after `deadline`, as with [`until`](Self::until).
    #[must_use]
    pub fn before(self, deadline: Instant) -> Self {
        self.halting(&Arc::new(Halt::new(None, Some(deadline))))
    }

    /// The same X until a halt is due.
    pub(crate) fn halting(self, halt: &Arc<Halt>) -> Self {
        Self::Until(Box::new(self), Deadline(Arc::clone(halt)))
    }

    /// The same X, borrowed.
    #[must_use]
    pub fn borrowed(&self) -> Input<'_, T> {
        match self {
            Self::Dense(x) => Input::Dense(x.borrowed()),
            Self::Csr(x) => Input::Csr(x.borrowed()),
            Self::Csc(x) => Input::Csc(Csc(x.0.borrowed())),
            Self::Rows(x) => Input::Rows(*x),
            Self::Until(x, halt) => Input::Until(Box::new(x.borrowed()), halt.clone()),
        }
    }

    /// Rows and columns of X.
    pub fn shape(&self) -> (usize, usize) {
        match self {
            Self::Dense(x) => x.shape(),
            Self::Csr(x) => x.shape(),
            Self::Csc(x) => x.shape(),
            Self::Rows(x) => x.shape(),
            Self::Until(x, _) => x.shape(),
        }
    }

    /// `"dense"`, `"csr"`, `"csc"` or `"rows"`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Dense(_) => "dense",
            Self::Csr(_) => "csr",
            Self::Csc(_) => "csc",
            Self::Rows(_) => "rows",
            Self::Until(x, _) => x.kind(),
        }
    }

    /// Whether X is a source that can only be read by rows.
    pub(crate) fn hands_out_rows(&self) -> bool {
        match self {
            Self::Rows(_) => true,
            Self::Until(x, _) => x.hands_out_rows(),
            Self::Dense(_) | Self::Csr(_) | Self::Csc(_) => false,
        }
    }

    /// Entries that are stored.
    pub fn stored(&self) -> usize {
        match self {
            Self::Dense(x) => x.shape().0 * x.shape().1,
            Self::Csr(x) => x.stored(),
            Self::Csc(x) => x.0.stored(),
            Self::Rows(x) => x.stored(),
            Self::Until(x, _) => x.stored(),
        }
    }

    /// Whether X is stored sparse.
    pub fn is_sparse(&self) -> bool {
        matches!(self.kind(), "csr" | "csc")
    }

    /// Drops zeros that a sparse X stores: into a copy, if there are any.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory).
    pub(crate) fn drop_zeros(&mut self) -> Result<()> {
        match self {
            Self::Csr(x) | Self::Csc(Csc(x)) => {
                if let Some(without) = x.without_zeros()? {
                    *x = without;
                }
                Ok(())
            }
            Self::Until(x, _) => x.drop_zeros(),
            Self::Dense(_) | Self::Rows(_) => Ok(()),
        }
    }

    /// Duplicate entries that were summed.
    pub(crate) fn duplicates(&self) -> usize {
        match self {
            Self::Csr(x) => x.duplicates(),
            Self::Csc(x) => x.0.duplicates(),
            Self::Until(x, _) => x.duplicates(),
            Self::Dense(_) | Self::Rows(_) => 0,
        }
    }

    /// X by its longer side, see [`by_within`](Self::by_within).
    pub(crate) fn streamed(&self, room: usize) -> Streamed<'_, T> {
        let (rows, cols) = self.shape();
        let by_rows = rows >= cols || self.hands_out_rows();
        let side = if by_rows { Side::Rows } else { Side::Columns };
        Streamed { matrix: self.by_within(side, room), side }
    }

    /// As [`by`](Self::by), but with no copy of sparse X of more than `room` entries: X is then turned
    /// piece by piece in each pass.
    pub(crate) fn by_within(&self, side: Side, room: usize) -> Box<dyn Matrix<T> + '_> {
        self.handed(side, (room, false), &|| Ok(()))
    }

    /// As [`by_within`](Self::by_within), for many passes that take a few rows at a time.
    pub(crate) fn by_other_side(&self, side: Side, room: usize) -> Box<dyn Matrix<T> + '_> {
        self.handed(side, (room, true), &|| Ok(()))
    }

    /// X by its rows, or Xᵀ by its rows. Sparse X stored by the other side is transposed, into a copy.
    pub(crate) fn by(&self, side: Side) -> Box<dyn Matrix<T> + '_> {
        self.by_within(side, usize::MAX)
    }

    /// X by a side, in lines or as it lies, as long as there is time to `go_on`.
    fn handed(
        &self,
        side: Side,
        (room, lines): (usize, bool),
        go_on: &dyn Fn() -> Result<()>,
    ) -> Box<dyn Matrix<T> + '_> {
        match (self, side) {
            (Self::Dense(x), _) => {
                let x = if side == Side::Rows { x.borrowed() } else { x.transposed() };
                if lines { Box::new(x.in_lines()) } else { Box::new(x) }
            }
            (Self::Csr(x), Side::Rows) | (Self::Csc(Csc(x)), Side::Columns) => {
                Box::new(x.borrowed())
            }
            (Self::Csr(x), Side::Columns) | (Self::Csc(Csc(x)), Side::Rows) => {
                let turned: Result<Box<dyn Matrix<T> + '_>> = if x.stored() > room {
                    Turned::new(x.borrowed(), room).map(|turned| Box::new(turned) as _)
                } else {
                    x.transposed_while(go_on).map(|turned| Box::new(turned) as _)
                };
                let (rows, cols) = x.shape();
                turned.unwrap_or_else(|why| Box::new(Unmade { shape: (cols, rows), why }))
            }
            (Self::Rows(x), Side::Rows) => Box::new(*x),
            (Self::Rows(_), Side::Columns) => {
                unreachable!("only rows are asked of a source of rows")
            }
            (Self::Until(x, Deadline(halt)), _) => {
                let go_on = || go_on().and_then(|()| halt.go_on());
                Box::new(Halting::new(x.handed(side, (room, lines), &go_on), halt))
            }
        }
    }
}

impl<T: Scalar> Matrix<T> for &dyn Matrix<T> {
    fn shape(&self) -> (usize, usize) {
        (**self).shape()
    }
    fn stored_before(&self, row: usize) -> usize {
        (**self).stored_before(row)
    }
    fn visit(
        &self,
        rows: std::ops::Range<usize>,
        work: &mut super::Visitor<'_, T>,
    ) -> crate::error::Result<()> {
        (**self).visit(rows, work)
    }
    fn go_on(&self) -> crate::error::Result<()> {
        (**self).go_on()
    }
}

impl<T: Scalar> std::fmt::Debug for Input<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (rows, cols) = self.shape();
        write!(f, "Input::{}({rows} × {cols}, {})", self.kind(), T::NAME)
    }
}

impl<'a, T: Scalar> From<Dense<'a, T>> for Input<'a, T> {
    fn from(x: Dense<'a, T>) -> Self {
        Self::Dense(x)
    }
}
impl<'a, T: Scalar> From<Csr<'a, T>> for Input<'a, T> {
    fn from(x: Csr<'a, T>) -> Self {
        Self::Csr(x)
    }
}
impl<'a, T: Scalar> From<Csc<'a, T>> for Input<'a, T> {
    fn from(x: Csc<'a, T>) -> Self {
        Self::Csc(x)
    }
}
impl<'a, T: Scalar> From<&'a dyn Matrix<T>> for Input<'a, T> {
    fn from(x: &'a dyn Matrix<T>) -> Self {
        Self::Rows(x)
    }
}
