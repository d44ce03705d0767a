//! Random starts.

use super::Pair;
use crate::factor::Factor;
use crate::rng::Stream;
use crate::scalar::Scalar;

/// Uniform entries in (0, 1]; the loop scales them to X. The streamed factor and the other have
/// streams of their own, so that X and Xᵀ begin with the same numbers exchanged.
pub(crate) fn pair<T: Scalar>(
    (rows, cols): (usize, usize),
    rank: usize,
    seed: u64,
    restart: usize,
) -> Pair<T> {
    let (streamed, other) = (2 * restart as u64, 2 * restart as u64 + 1);
    Pair {
        streamed: uniform(rows, rank, &mut Stream::new(seed, streamed)),
        other: uniform(cols, rank, &mut Stream::new(seed, other)),
    }
}

fn uniform<T: Scalar>(rows: usize, cols: usize, rng: &mut Stream) -> Factor<T> {
    let mut f = Factor::zeros(rows, cols);
    for i in 0..rows {
        f.row_mut(i).iter_mut().for_each(|v| *v = T::from_f64(rng.uniform()));
    }
    f
}
