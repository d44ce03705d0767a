//! Random starts.

use super::Pair;
use crate::error::Result;
use crate::factor::Factor;
use crate::matrix::Matrix;
use crate::rng::{Stream, scrambled};
use crate::scalar::Scalar;

/// Rows between two looks at the clock.
const LOOK: usize = 256;

/// Uniform entries in (0, 1]; the loop scales them to X. The streamed factor and the other have
/// streams of their own, so that X and Xᵀ begin with the same numbers exchanged.
///
/// # Errors
/// [`Error::Halted`](crate::Error::Halted) if there is no time for so many.
pub(super) fn pair<T: Scalar>(
    x: &dyn Matrix<T>,
    rank: usize,
    seed: u64,
    restart: usize,
) -> Result<Pair<T>> {
    let (rows, cols) = x.shape();
    let uniform = |rows: usize, stream: u64| -> Result<Factor<T>> {
        let mut stream = Stream::new(seed, stream);
        let mut f = Factor::zeros(rows, rank);
        for i in 0..rows {
            if i % LOOK == 0 {
                x.go_on()?;
            }
            f.row_mut(i).iter_mut().for_each(|v| *v = T::from_f64(stream.uniform()));
        }
        Ok(f)
    };
    let stream = 2 * restart as u64;
    Ok(Pair { streamed: uniform(rows, stream)?, other: uniform(cols, stream + 1)? })
}

/// A factor for a fit that had no time for a start: of lesser numbers, which take a tenth of the time.
pub(crate) fn hasty<T: Scalar>(rows: usize, cols: usize, seed: u64) -> Factor<T> {
    let mut f = Factor::zeros(rows, cols);
    let mut next = seed;
    for i in 0..rows {
        for value in f.row_mut(i) {
            next = next.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let bits = scrambled(next) >> 11;
            *value = T::from_f64((bits + 1) as f64 / (1u64 << 53) as f64);
        }
    }
    f
}
