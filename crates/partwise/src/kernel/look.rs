//! What a run of entries holds, at a glance.

use super::simd::{self, Job, Simd};
use crate::scalar::Scalar;

/// Of a run of entries, none of which is negative, infinite or not a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Look {
    /// Largest entry.
    pub(crate) max: f64,
    /// Smallest positive entry; infinite if there is none.
    pub(crate) min_positive: f64,
    /// Entries above zero.
    pub(crate) positive: usize,
    /// Σ x.
    pub(crate) sum: f64,
    /// Σ x².
    pub(crate) norm_sq: f64,
}

/// What `x` holds, and `true` where it is positive; `None` if it holds what NMF cannot have.
pub(crate) fn look<T: Scalar>(x: &[T], positive: &mut [bool]) -> Option<Look> {
    simd::run(Run { x, positive })
}

struct Run<'a, T> {
    x: &'a [T],
    positive: &'a mut [bool],
}

/// Entries looked at by a loop that is vectorised whole.
const CHUNK: usize = 64;
/// Sums kept apart.
const LANES: usize = 16;

impl<T: Scalar> Job<T> for Run<'_, T> {
    type Out = Option<Look>;

    // Plain loops: compiled for the instruction set of S, they vectorise by themselves.
    #[inline(always)]
    unsafe fn run<S: Simd<T>>(self) -> Option<Look> {
        let Self { x, positive } = self;
        positive.iter_mut().zip(x).for_each(|(is, &x)| *is |= x > T::ZERO);
        let mut lanes = Lanes::none();
        let (chunks, rest) = x.as_chunks();
        chunks.iter().for_each(|chunk| lanes.add(chunk));
        if !rest.is_empty() {
            let mut last = [T::ZERO; CHUNK];
            last[..rest.len()].copy_from_slice(rest);
            lanes.add(&last);
        }
        lanes.fine.then(|| lanes.total())
    }
}

/// A [`Look`] of every sixteenth entry.
struct Lanes<T> {
    max: [T; LANES],
    min_positive: [T; LANES],
    positive: usize,
    sum: [f64; LANES],
    norm_sq: [f64; LANES],
    fine: bool,
}

impl<T: Scalar> Lanes<T> {
    fn none() -> Self {
        Self {
            max: [T::ZERO; LANES],
            min_positive: [T::from_f64(f64::INFINITY); LANES],
            positive: 0,
            sum: [0.0; LANES],
            norm_sq: [0.0; LANES],
            fine: true,
        }
    }

    // Sums in variables of their own stay in registers.
    #[inline(always)]
    fn add(&mut self, chunk: &[T; CHUNK]) {
        let infinite = T::from_f64(f64::INFINITY);
        let (mut positive, mut bad) = (0u32, 0u32);
        for &x in chunk {
            positive += u32::from(x > T::ZERO);
            // Not a number is neither.
            bad |= u32::from(!((x >= T::ZERO) & (x < infinite)));
        }
        self.positive += positive as usize;
        self.fine &= bad == 0;
        let (mut max, mut min) = (self.max, self.min_positive);
        let (mut sum, mut norm) = (self.sum, self.norm_sq);
        for run in chunk.as_chunks::<LANES>().0 {
            for at in 0..LANES {
                let (x, wide) = (run[at], run[at].to_f64());
                sum[at] += wide;
                norm[at] += wide * wide;
                max[at] = if x > max[at] { x } else { max[at] };
                let x = if x > T::ZERO { x } else { infinite };
                min[at] = if x < min[at] { x } else { min[at] };
            }
        }
        (self.max, self.min_positive, self.sum, self.norm_sq) = (max, min, sum, norm);
    }

    #[inline(always)]
    fn total(&self) -> Look {
        let wide = |lanes: &[T; LANES]| lanes.map(|x| x.to_f64());
        Look {
            max: wide(&self.max).into_iter().fold(0.0, f64::max),
            min_positive: wide(&self.min_positive).into_iter().fold(f64::INFINITY, f64::min),
            positive: self.positive,
            sum: self.sum.iter().sum(),
            norm_sq: self.norm_sq.iter().sum(),
        }
    }
}
