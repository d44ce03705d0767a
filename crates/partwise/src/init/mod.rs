//! Where W and H start.

mod basis;
mod nndsvd;
mod random;
mod spa;
mod svd;

pub(crate) use nndsvd::halves;
pub(crate) use random::hasty;
pub(crate) use svd::Begin;

use crate::error::Result;
use crate::factor::Factor;
use crate::matrix::{Input, Matrix, Scan, Side};
use crate::names::names;
use crate::scalar::Scalar;

names! {
    /// The starts.
    pub enum Start("start") {
        /// Uniform random entries, scaled so that ⟨X, WH⟩ = ‖WH‖²; restarts differ.
        Random = "random" | "rand" | "uniform",
        /// Non-negative parts of the leading singular vectors; zeros stay for rules that lock them.
        Nndsvd = "nndsvd",
        /// NNDSVD with its zeros replaced by the mean of X.
        Nndsvda = "nndsvda",
        /// NNDSVD with its zeros replaced by small random values.
        Nndsvdar = "nndsvdar",
        /// H from the rows of X that span the others (successive projection), W by least squares.
        Spa = "spa" | "successive-projection",
    } instead {
        "svd" => "nndsvd, or nndsvda, which leaves no zeros",
        "pca" => "nndsvda",
        "custom" => "to give W or H themselves, which are where a fit starts",
        "auto" => "nndsvda for a start without randomness, random for several",
        "none" => "nndsvda for a start without randomness, random for several",
    }
}

/// The two factors a restart begins with, in the orientation in which X is streamed.
#[derive(Clone)]
pub(crate) struct Pair<T> {
    /// A row for each streamed row.
    pub(crate) streamed: Factor<T>,
    /// A row for each column of the streamed matrix.
    pub(crate) other: Factor<T>,
}

impl Start {
    /// The start of restart `restart` for `matrix`, which is the streamed input times 2^(−2·half).
    pub(crate) fn pair<T: Scalar>(
        self,
        (input, side, half): (&Input<'_, T>, Side, i32),
        matrix: &dyn Matrix<T>,
        scan: &Scan,
        rank: usize,
        (seed, restart): (u64, usize),
    ) -> Result<Pair<T>> {
        let fill = match self {
            Self::Random => return random::pair(matrix, rank, seed, restart),
            Self::Spa => return spa::pair(input, half, matrix, side, rank),
            Self::Nndsvd => nndsvd::Fill::Zero,
            Self::Nndsvda => nndsvd::Fill::Mean,
            Self::Nndsvdar => nndsvd::Fill::Random,
        };
        nndsvd::pair(matrix, scan, rank, seed, fill)
    }
}

impl<T> Pair<T> {
    /// From W and H.
    pub(crate) fn from_factors(w: Factor<T>, h: Factor<T>, side: Side) -> Self {
        match side {
            Side::Rows => Self { streamed: w, other: h },
            Side::Columns => Self { streamed: h, other: w },
        }
    }

    /// As W and H.
    pub(crate) fn into_factors(self, side: Side) -> (Factor<T>, Factor<T>) {
        match side {
            Side::Rows => (self.streamed, self.other),
            Side::Columns => (self.other, self.streamed),
        }
    }
}
