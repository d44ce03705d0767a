//! What a panel of rows adds to the KKT residual.

use super::simd::{self, Job, Simd};
use crate::factor::View;
use crate::scalar::Scalar;

/// Sums over rows; see [`crate::metric::Kkt`] for what becomes of them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct KktSums {
    /// Σ f · |fG − b| over entries.
    pub(crate) slack: f64,
    /// Σ f · fG over entries.
    pub(crate) scale: f64,
    /// Largest b / fG − 1 over entries that are zero.
    pub(crate) zeros: f64,
    /// Σ f · b over entries.
    pub(crate) cross: f64,
}

impl KktSums {
    pub(crate) fn add(&mut self, next: &Self) {
        self.slack += next.slack;
        self.scale += next.scale;
        self.zeros = self.zeros.max(next.zeros);
        self.cross += next.cross;
    }

    /// (ρ, η): the slack in relation to its scale, and the worst zero.
    pub(crate) fn residual(&self) -> (f64, f64) {
        let rho = if self.slack == 0.0 { 0.0 } else { self.slack / self.scale };
        (rho, self.zeros)
    }
}

/// Adds the rows of `f`, with `p = f·G` and `b` beside them; the sums of each row go to `each_row`
/// too, as (f·b, f·p).
pub(crate) fn add_rows<T: Scalar>(
    sums: &mut KktSums,
    f: View<'_, T>,
    p: View<'_, T>,
    b: View<'_, T>,
    each_row: &mut dyn FnMut(usize, f64, f64),
) {
    assert!(f.cols() == p.cols() && f.cols() == b.cols() && f.rows() <= p.rows().min(b.rows()));
    for i in 0..f.rows() {
        let (f, p, b) = (f.row(i), p.row(i), b.row(i));
        let row = simd::run(Row { f, p, b });
        sums.slack += row.slack.to_f64();
        sums.scale += row.scale.to_f64();
        sums.cross += row.cross.to_f64();
        if row.open {
            sums.zeros = sums.zeros.max(worst_zero(f, p, b, row.largest));
        }
        each_row(i, row.cross.to_f64(), row.scale.to_f64());
    }
}

/// Entries this small beside the largest of their row count as zero: they add nothing to W·H.
fn negligible<T: Scalar>(largest: T) -> T {
    T::from_f64(T::ROUNDOFF) * largest
}

fn worst_zero<T: Scalar>(f: &[T], p: &[T], b: &[T], largest: T) -> f64 {
    let zero = negligible(largest);
    let mut worst = 0.0f64;
    for ((&f, &p), &b) in f.iter().zip(p).zip(b) {
        if f <= zero && b > p {
            worst =
                worst.max(if p > T::ZERO { b.to_f64() / p.to_f64() - 1.0 } else { f64::INFINITY });
        }
    }
    worst
}

struct Row<'a, T> {
    f: &'a [T],
    p: &'a [T],
    b: &'a [T],
}

struct RowSums<T> {
    slack: T,
    scale: T,
    cross: T,
    largest: T,
    /// Whether some zero entry has b > p.
    open: bool,
}

/// Independent partial sums, so that the loop below vectorises.
const PARTS: usize = 16;

impl<T: Scalar> Job<T> for Row<'_, T> {
    type Out = RowSums<T>;

    #[inline(always)]
    unsafe fn run<S: Simd<T>>(self) -> RowSums<T> {
        let mut slack = [T::ZERO; PARTS];
        let mut scale = [T::ZERO; PARTS];
        let mut cross = [T::ZERO; PARTS];
        let mut largest = [T::ZERO; PARTS];
        let (f, p, b) = (self.f, self.p, self.b);
        let chunks = f.chunks(PARTS).zip(p.chunks(PARTS)).zip(b.chunks(PARTS));
        for ((f, p), b) in chunks.clone() {
            for (i, ((&f, &p), &b)) in f.iter().zip(p).zip(b).enumerate() {
                slack[i] += f * (p - b).abs();
                scale[i] += f * p;
                cross[i] += f * b;
                largest[i] = if f > largest[i] { f } else { largest[i] };
            }
        }
        let largest = largest.iter().fold(T::ZERO, |a, &b| if b > a { b } else { a });
        let zero = negligible(largest);
        let mut open = false;
        for ((f, p), b) in chunks {
            for ((&f, &p), &b) in f.iter().zip(p).zip(b) {
                open |= (f <= zero) & (b > p);
            }
        }
        let sum = |parts: [T; PARTS]| parts.iter().fold(T::ZERO, |a, &b| a + b);
        RowSums { slack: sum(slack), scale: sum(scale), cross: sum(cross), largest, open }
    }
}
