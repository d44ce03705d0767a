//! NNDSVD: non-negative double singular value decomposition (Boutsidis & Gallopoulos 2008,
//! <https://doi.org/10.1016/j.patcog.2007.09.010>).
//!
//! The first component is the leading singular pair, which is non-negative. Each further pair
//! (u, v) is split by sign; of (u₊, v₊) and (u₋, v₋) the one with the larger product of norms gives
//! the component. Components beyond the rank of X stay zero, or are filled like every other zero.

use super::{Pair, svd};
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
    let svd = svd::leading(x, rank, seed)?;
    let (rows, cols) = x.shape();
    let mut pair = Pair { streamed: Factor::zeros(rows, rank), other: Factor::zeros(cols, rank) };
    for (t, &s) in svd.s.iter().enumerate().take(rank) {
        let (u, v) = (column(&svd.u, t), column(&svd.v, t));
        let sign = if t == 0 { u.iter().sum::<f64>().signum() } else { better_sign(&u, &v) };
        let (u, v) = (part(&u, sign), part(&v, sign));
        let (nu, nv) = (norm(&u), norm(&v));
        if nu * nv > 0.0 {
            let scale = (s * nu * nv).sqrt();
            set_column(&mut pair.streamed, t, &u, scale / nu);
            set_column(&mut pair.other, t, &v, scale / nv);
        }
    }
    // Of degree ½ in X, as W and H are: X·4 must start where X does, doubled.
    let mean = (scan.sum / rows as f64 / cols as f64 / rank as f64).sqrt();
    fill_zeros(&mut pair.streamed, fill, mean, &mut Stream::new(seed, 0));
    fill_zeros(&mut pair.other, fill, mean, &mut Stream::new(seed, 1));
    Ok(pair)
}

fn column<T: Scalar>(f: &Factor<T>, t: usize) -> Vec<f64> {
    (0..f.rows()).map(|i| f.get(i, t).to_f64()).collect()
}

fn part(x: &[f64], sign: f64) -> Vec<f64> {
    x.iter().map(|v| (v * sign).max(0.0)).collect()
}

fn norm(x: &[f64]) -> f64 {
    x.iter().map(|v| v * v).sum::<f64>().sqrt()
}

/// The sign whose parts of u and v have the larger product of norms.
fn better_sign(u: &[f64], v: &[f64]) -> f64 {
    let size = |sign: f64| norm(&part(u, sign)) * norm(&part(v, sign));
    if size(1.0) >= size(-1.0) { 1.0 } else { -1.0 }
}

fn set_column<T: Scalar>(f: &mut Factor<T>, t: usize, values: &[f64], scale: f64) {
    for (i, v) in values.iter().enumerate() {
        f.row_mut(i)[t] = T::from_f64(v * scale);
    }
}

fn fill_zeros<T: Scalar>(f: &mut Factor<T>, fill: Fill, mean: f64, rng: &mut Stream) {
    if fill == Fill::Zero {
        return;
    }
    for i in 0..f.rows() {
        for value in f.row_mut(i).iter_mut().filter(|v| **v == T::ZERO) {
            let fill = if fill == Fill::Mean { mean } else { mean * rng.uniform() / 100.0 };
            *value = T::from_f64(fill);
        }
    }
}
