//! Sums down the columns of a factor.

use super::simd::{self, Job, Simd};
use crate::factor::View;
use crate::scalar::Scalar;

/// Σ_j p_j f_j in `f64`, one sum for each column; p is 1 where none are given.
pub(crate) fn column_sums<T: Scalar>(f: View<'_, T>, p: Option<&[T]>) -> Vec<f64> {
    assert!(p.is_none_or(|p| p.len() == f.rows()));
    simd::run(ColumnSums { f, p })
}

/// Columns whose sums stay in registers.
const SIDE_BY_SIDE: usize = 16;

struct ColumnSums<'a, T> {
    f: View<'a, T>,
    p: Option<&'a [T]>,
}

impl<T: Scalar> Job<T> for ColumnSums<'_, T> {
    type Out = Vec<f64>;

    // Plain loops: compiled for the instruction set of S, they vectorise by themselves.
    #[inline(always)]
    unsafe fn run<S: Simd<T>>(self) -> Vec<f64> {
        let Self { f, p } = self;
        let weight = |j: usize| p.map_or(1.0, |p| p[j].to_f64());
        let mut sums = vec![0.0; f.cols()];
        let (runs, rest) = sums.as_chunks_mut::<SIDE_BY_SIDE>();
        for (at, sums) in runs.iter_mut().enumerate() {
            let mut own = [0.0; SIDE_BY_SIDE];
            for j in 0..f.rows() {
                let (run, weight) = (f.row(j).as_chunks::<SIDE_BY_SIDE>().0[at], weight(j));
                own.iter_mut().zip(run).for_each(|(sum, v)| *sum += weight * v.to_f64());
            }
            *sums = own;
        }
        let from = f.cols() - rest.len();
        for j in 0..f.rows() {
            let (run, weight) = (&f.row(j)[from..], weight(j));
            rest.iter_mut().zip(run).for_each(|(sum, v)| *sum += weight * v.to_f64());
        }
        sums
    }
}
