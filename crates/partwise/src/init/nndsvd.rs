//! NNDSVD: non-negative double singular value decomposition (Boutsidis & Gallopoulos 2008,
//! <https://doi.org/10.1016/j.patcog.2007.09.010>).
//!
//! The first component is the leading singular pair, which is non-negative. Each further pair
//! (u, v) is split by sign; of (u₊, v₊) and (u₋, v₋) the one with the larger product of norms gives
//! the component. Components beyond the rank of X stay zero, or are filled like every other zero.

use super::Pair;
use super::basis::{CHUNK, of_parts, write_parts};
use super::svd::{Begin, Svd, leading};
use crate::error::Result;
use crate::factor::Factor;
use crate::matrix::{Matrix, Scan};
use crate::rng::Stream;
use crate::scalar::Scalar;

/// What stands in for the zeros.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fill {
    Zero,
    /// What every entry of both would be if W·H were the mean of X throughout.
    Mean,
    /// Uniform between 0 and a hundredth of that.
    Random,
}

pub(super) fn pair<T: Scalar>(
    x: &dyn Matrix<T>,
    scan: &Scan,
    rank: usize,
    seed: u64,
    fill: Fill,
) -> Result<Pair<T>> {
    let (rows, cols) = x.shape();
    // Of degree ½ in X, as W and H are: X·4 must start where X does, doubled.
    let mean = (scan.sum / rows as f64 / cols as f64 / rank as f64).sqrt();
    let constant = if fill == Fill::Mean { mean } else { 0.0 };
    let mut pair = halves(x, rank, Begin::drawn(cols, rank, seed), (0.0, constant))?;
    if fill == Fill::Random {
        fill_zeros(&mut pair.streamed, mean, &mut Stream::new(seed, 0));
        fill_zeros(&mut pair.other, mean, &mut Stream::new(seed, 1));
    }
    Ok(pair)
}

/// The heavier halves of the leading singular pairs, with `fill` where nothing or less than `floor` is left.
pub(crate) fn halves<T: Scalar>(
    x: &dyn Matrix<T>,
    rank: usize,
    begin: Begin<T>,
    (floor, fill): (f64, f64),
) -> Result<Pair<T>> {
    let Svd { u, s, v } = leading(x, rank, begin)?;
    let mut pair = Pair { streamed: u, other: v };
    let norms = [norms(x, &pair.streamed)?, norms(x, &pair.other)?];
    let halves = |side: usize| -> Vec<Half<T>> {
        let of = |(t, &s): (usize, &f64)| Half::of(t, s, norms.each_ref().map(|n| n[t]), side);
        s.iter().enumerate().map(of).collect()
    };
    let (floor, fill) = (T::from_f64(floor), T::from_f64(fill));
    take(x, &mut pair.streamed, &halves(0), (floor, fill))?;
    take(x, &mut pair.other, &halves(1), (floor, fill))?;
    Ok(pair)
}

/// What a component makes of an entry v of a singular vector: the larger of two multiples of it.
#[derive(Clone, Copy)]
struct Half<T>(T, T);

impl<T: Scalar> Half<T> {
    /// Of component t with singular value s and norms of the positive and the negative half of both
    /// vectors: for the first or the second one, the `side`.
    fn of(t: usize, s: f64, [u, v]: [[f64; 2]; 2], side: usize) -> Self {
        if t == 0 {
            let root = T::from_f64(s.sqrt());
            return Self(root, -root);
        }
        let weights = [u[0] * v[0], u[1] * v[1]];
        let heavier = usize::from(weights[0] <= weights[1]);
        if weights[heavier] == 0.0 {
            return Self(T::ZERO, T::ZERO);
        }
        let scale = (s * weights[heavier]).sqrt() / [u, v][side][heavier];
        Self(T::from_f64(if heavier == 0 { scale } else { -scale }), T::ZERO)
    }
}

/// Norms of the positive and of the negative half of each column.
fn norms<T: Scalar>(x: &dyn Matrix<T>, f: &Factor<T>) -> Result<Vec<[f64; 2]>> {
    let parts = of_parts(f, |rows| {
        let mut sums = vec![[0.0f64; 2]; f.cols()];
        for i in rows {
            look(x, i)?;
            for (sum, v) in sums.iter_mut().zip(f.row(i)) {
                let v = v.to_f64();
                let (plus, minus) = (v.max(0.0), v.min(0.0));
                *sum = [sum[0] + plus * plus, sum[1] + minus * minus];
            }
        }
        Ok(sums)
    })?;
    let mut total = vec![[0.0f64; 2]; f.cols()];
    for (t, sum) in parts.iter().flat_map(|part| part.iter().enumerate()) {
        total[t] = [total[t][0] + sum[0], total[t][1] + sum[1]];
    }
    Ok(total.into_iter().map(|sums| sums.map(f64::sqrt)).collect())
}

/// Makes the entries of singular vectors those of a start.
fn take<T: Scalar>(
    x: &dyn Matrix<T>,
    f: &mut Factor<T>,
    halves: &[Half<T>],
    (floor, fill): (T, T),
) -> Result<()> {
    write_parts(f, |_, mut rows| {
        for i in 0..rows.rows() {
            look(x, i)?;
            for (value, half) in rows.row_mut(i).iter_mut().zip(halves) {
                let taken = Scalar::max(half.0 * *value, half.1 * *value);
                *value = if taken > T::ZERO && taken >= floor { taken } else { fill };
            }
        }
        Ok(())
    })
}

/// Asks every few rows whether there is time to go on.
fn look<T: Scalar>(x: &dyn Matrix<T>, row: usize) -> Result<()> {
    if row.is_multiple_of(CHUNK) { x.go_on() } else { Ok(()) }
}

fn fill_zeros<T: Scalar>(f: &mut Factor<T>, mean: f64, rng: &mut Stream) {
    for i in 0..f.rows() {
        for value in f.row_mut(i).iter_mut().filter(|v| **v == T::ZERO) {
            *value = T::from_f64(mean * rng.uniform() / 100.0);
        }
    }
}
