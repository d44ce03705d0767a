//! What the observed entries leave open: parts that they do not determine, and predictions that are
//! far outside X.

use super::task::Task;
use super::way::observed;
use crate::error::Result;
use crate::factor::View;
use crate::init::Pair;
use crate::matrix::{Coverage, Scaled, Side, power};
use crate::scalar::Scalar;
use crate::threads;
use crate::update::gram_wide;
use crate::warning::Warning;
use std::ops::Range;

/// Share of a diagonal entry down to which a pivot may fall before a system counts as singular: an error
/// in what is observed comes out up to as many times larger, in squares, in what is not. Measured by the
/// least pivot of each row and column, a tenth hidden, no penalty: on digits at k = 32 the hidden entries
/// of those below 1e-2 have a root mean square error of 8.7 (means of rows 6.4), of those from 1e-2 to 1e-1
/// 6.8 (6.1), of the others 4.0 (5.7); planted counts and ratings are alike. None is below 1e-2 with the
/// default ridge.
const SINGULAR: f64 = 1e-2;

/// Times the largest entry of X beyond which a prediction is far outside of it. A sum of parts that fit
/// entries up to the largest may well exceed it: 1.9 times in digits at k = 32 with the default ridge
/// (`bench/completion.py`).
const FAR: f64 = 2.0;

/// Places that a warning names.
const FIRST: usize = 3;

/// Rows that one task looks at.
const ROWS: usize = 256;

impl<T: Scalar> Task<'_, T> {
    /// Warns of what missing entries leave open in `pair`.
    pub(super) fn remark_on_missing(
        &self,
        pair: &Pair<T>,
        warnings: &mut Vec<Warning>,
    ) -> Result<()> {
        if !self.data.is_weighted() {
            return Ok(());
        }
        let every = self.way.need(self.options.loss);
        let scaled = Scaled::new(&*self.streamed.matrix, self.half);
        let x = observed(self.data, &scaled, self.streamed.side, every);
        let by_rows = Coverage::of(&x)?;
        let by_columns = by_rows.transposed()?;
        let counts = (by_rows.counts()?, by_columns.counts()?);
        let open = |counts: &[usize]| counts.iter().filter(|&&n| n > 0).count();
        let (rows, cols) = (open(&counts.0), open(&counts.1));
        let missing = rows * cols - counts.0.iter().sum::<usize>();
        if missing == 0 {
            return Ok(());
        }
        let (fixed, penalties) = (self.fixed(), self.penalties());
        let (a, b) = (pair.streamed.view(), pair.other.view());
        // A ridge is beside the Gram matrix what it is beside the curvature of the loss.
        let [weight, _, squares, _] = x.moments(0.0)?;
        let rms_sq = squares / weight;
        let curved = rms_sq.powf(1.0 - 0.5 * self.loss.degree());
        let serial = counts.0.iter().sum::<usize>() * pair.other.cols() < (1 << 16);
        let sides = [
            (fixed.0, Lines { of: &by_rows, counts: &counts.0, f: a, held: b }, penalties.0),
            (fixed.1, Lines { of: &by_columns, counts: &counts.1, f: b, held: a }, penalties.1),
        ];
        let mut found: Vec<Option<Warning>> = Vec::new();
        for (at, (fixed, lines, penalty)) in sides.into_iter().enumerate() {
            let side = if at == 0 { self.streamed.side } else { self.streamed.side.opposite() };
            let open = (!fixed).then(|| lines.undetermined(penalty.l2 * curved, serial));
            found.push(open.and_then(|open| open.warning(side, lines.counts.len(), b.cols())));
        }
        if self.streamed.side == Side::Columns {
            found.reverse();
        }
        warnings.extend(found.into_iter().flatten());
        let largest = if x.is_zero_or_one() { self.scan.max } else { x.largest()? };
        let limit = FAR * largest;
        let lines = Lines { of: &by_rows, counts: &counts.0, f: a, held: b };
        let (count, most) = lines.far(limit, &counts.1, serial);
        if count > 0 {
            let (most, largest) = (most * self.unit(), largest * self.unit());
            warnings.push(Warning::FarPredictions { count, of: missing, most, largest });
        }
        Ok(())
    }

    /// What X was divided by.
    fn unit(&self) -> f64 {
        power(self.half) * power(self.half)
    }
}

/// One side of X with its factor, and the factor that it follows from.
#[derive(Clone, Copy)]
struct Lines<'a, T> {
    of: &'a Coverage,
    counts: &'a [usize],
    f: View<'a, T>,
    held: View<'a, T>,
}

/// Rows whose observed entries do not determine their part.
#[derive(Default)]
struct Open {
    /// Those with fewer entries than there are components.
    few: usize,
    count: usize,
    first: Vec<usize>,
}

impl Open {
    fn warning(self, side: Side, of: usize, rank: usize) -> Option<Warning> {
        let Self { few, count, first } = self;
        (count > 0).then_some(match side {
            Side::Rows => Warning::UndeterminedRows { count, few, of, first, rank },
            Side::Columns => Warning::UndeterminedColumns { count, few, of, first, rank },
        })
    }
}

impl<T: Scalar> Lines<'_, T> {
    fn chunks(&self) -> impl ExactSizeIterator<Item = Range<usize>> + use<T> {
        let rows = self.counts.len();
        (0..rows.div_ceil(ROWS)).map(move |at| at * ROWS..rows.min((at + 1) * ROWS))
    }

    fn undetermined(&self, ridge: f64, serial: bool) -> Open {
        let k = self.f.cols();
        // Rows with fewer entries than parts need no look at their equations.
        let any = self.counts.iter().any(|&count| count >= k);
        let gram = if any { gram_wide(self.held) } else { Vec::new() };
        let look = |rows: Range<usize>| {
            let mut open = Open::default();
            for i in rows {
                // A part of zero says that nothing is there, which takes no more than the entries.
                let some = self.f.row(i).iter().any(|&v| v > T::ZERO);
                let few = self.counts[i] < k;
                if self.counts[i] == 0 || !some || !(few || self.is_singular(i, &gram, ridge)) {
                    continue;
                }
                open.count += 1;
                open.few += usize::from(few);
                if open.first.len() < FIRST {
                    open.first.push(i);
                }
            }
            open
        };
        let mut all = Open::default();
        for open in threads::map(self.chunks(), serial, look) {
            all.count += open.count;
            all.few += open.few;
            let left = FIRST - all.first.len();
            all.first.extend(open.first.into_iter().take(left));
        }
        all
    }

    /// Whether the equations of the components that row `i` has, from its observed entries, are nearly
    /// singular beside those of a whole row as long.
    fn is_singular(&self, i: usize, gram: &[f64], ridge: f64) -> bool {
        let k = self.f.cols();
        let parts: Vec<usize> = (0..k).filter(|&t| self.f.row(i)[t] > T::ZERO).collect();
        let share = self.counts[i] as f64 / self.held.rows() as f64;
        let by_observed = share <= 0.5;
        let mut own = vec![0.0; parts.len() * parts.len()];
        let mut line = vec![0.0; parts.len()];
        self.of.for_each(i, by_observed, |j| {
            let h = self.held.row(j);
            line.iter_mut().zip(&parts).for_each(|(to, &t)| *to = h[t].to_f64());
            for (sums, &s) in own.chunks_exact_mut(parts.len()).zip(&line) {
                sums.iter_mut().zip(&line).for_each(|(sum, t)| *sum += s * t);
            }
        });
        let at = |s: usize, t: usize| gram[parts[s] * k + parts[t]];
        if !by_observed {
            for s in 0..parts.len() {
                for t in 0..parts.len() {
                    own[s * parts.len() + t] = at(s, t) - own[s * parts.len() + t];
                }
            }
        }
        let least = |t: usize| SINGULAR * (share * at(t, t) + ridge);
        (0..parts.len()).for_each(|t| own[t * parts.len() + t] += ridge);
        !eliminates(&mut own, parts.len(), least)
    }

    /// How many missing entries are predicted beyond `limit`, and the largest prediction.
    fn far(&self, limit: f64, columns: &[usize], serial: bool) -> (usize, f64) {
        let norm = |row: &[T]| row.iter().map(|v| v.to_f64() * v.to_f64()).sum::<f64>().sqrt();
        // By size, so that most columns need no look.
        let held = |j: &usize| columns[*j] > 0;
        let mut sizes: Vec<(f64, usize)> =
            (0..columns.len()).filter(held).map(|j| (norm(self.held.row(j)), j)).collect();
        sizes.sort_by(|a, b| b.0.total_cmp(&a.0));
        let look = |rows: Range<usize>| {
            let (mut count, mut most) = (0, 0.0f64);
            for i in rows.filter(|&i| self.counts[i] > 0) {
                let f = self.f.row(i);
                let size = norm(f);
                for &(_, j) in sizes.iter().take_while(|(other, _)| size * other > limit) {
                    let terms = f.iter().zip(self.held.row(j));
                    let q: f64 = terms.map(|(f, h)| f.to_f64() * h.to_f64()).sum();
                    if q > limit && !self.of.is_observed(i, j) {
                        count += 1;
                        most = most.max(q);
                    }
                }
            }
            (count, most)
        };
        let parts = threads::map(self.chunks(), serial, look);
        parts.into_iter().fold((0, 0.0), |a, b| (a.0 + b.0, a.1.max(b.1)))
    }
}

/// Whether every pivot of a symmetric matrix exceeds what is asked of it.
fn eliminates(matrix: &mut [f64], n: usize, least: impl Fn(usize) -> f64) -> bool {
    for t in 0..n {
        let pivot = matrix[t * n + t];
        if pivot.is_nan() || pivot <= least(t) {
            return false;
        }
        for s in t + 1..n {
            let factor = matrix[s * n + t] / pivot;
            for r in t + 1..n {
                matrix[s * n + r] -= factor * matrix[t * n + r];
            }
        }
    }
    true
}
