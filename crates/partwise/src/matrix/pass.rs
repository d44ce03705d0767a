//! The fused pass: one read of X serves both products of an iteration.
//!
//! Rows are cut into bins and bins into blocks by the shape of the problem alone. A block is
//! multiplied (B = X_b·H), the caller improves its rows of W, and the improved rows are multiplied
//! back (C += X_bᵀ·W_b) while the block is still in cache. Bins run in parallel, each with its own
//! C, and are added in order: the bits do not depend on the number of threads.

use super::{Input, Matrix, Panel};
use crate::error::Result;
use crate::factor::{Factor, View, ViewMut};
use crate::memory;
use crate::scalar::Scalar;
use crate::threads;
use std::ops::Range;

/// Entries of X in a block, so that a block stays in a second-level cache between its two uses.
const BLOCK_ENTRIES: usize = 128 << 10;
/// Entries of a block times the square of the components: rules that form a Gram matrix for every row work
/// on such a block for some tenths of a second, and a fit that is to stop waits for it. Says something above
/// 128 components only.
const MOST_WORK: usize = 1 << 31;
/// Rows in a block, at least and at most.
const BLOCK_ROWS: (usize, usize) = (32, 512);
/// Rows that fit side by side in a register of any kind, and entries of a dense row up to which they
/// are worked on side by side: so many of them fit in a first or second-level cache.
const SIDE_BY_SIDE: usize = 16;
pub(crate) const SHORT: usize = 1024;
/// Rows in a block at least where they are worked on one by one, and lie in one piece each.
const ONE_BY_ONE: usize = 4;
/// Entries of a dense X that is copied where its rows do not lie so.
pub(super) const FEW: usize = 1 << 18;
/// Most bins, hence most threads that one pass can use.
const MAX_BINS: usize = 64;
/// Entries of X per row of a bin's C, at least, for sparse and dense X: a bin costs a write and a
/// read of its C, and a stored entry costs the less work the denser they lie.
const ENTRIES_PER_SUM: (usize, usize) = (25, 200);
/// Entries of X times columns of H below which threads cost more than they bring; and the columns that
/// an entry is worth by itself.
const SERIAL_WORK: usize = 1 << 17;
const LEAST_WIDTH: usize = 4;

/// How the rows of X are cut.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    bins: Vec<Vec<Range<usize>>>,
    block_rows: usize,
    serial: bool,
}

/// Most bins of a pass over `x`, by either side, that have sums of their own.
pub(crate) fn most_bins<T: Scalar>(x: &Input<'_, T>) -> usize {
    let (rows, cols) = x.shape();
    let dense = x.stored() as f64 >= 0.25 * rows as f64 * cols as f64;
    let per_sum = if dense { ENTRIES_PER_SUM.1 } else { ENTRIES_PER_SUM.0 };
    (x.stored() / per_sum.saturating_mul(rows.min(cols)).max(1)).clamp(2, MAX_BINS)
}

/// Most entries of a block of `x`, by either side, those that are not stored included.
pub(crate) fn most_block<T: Scalar>(x: &Input<'_, T>) -> u128 {
    let (rows, cols) = x.shape();
    let block = |rows: usize, cols: usize| {
        let per_row = x.stored().div_ceil(rows.max(1)).max(1);
        let least = BLOCK_ROWS.0;
        let high = (BLOCK_ENTRIES / per_row).clamp(least, BLOCK_ROWS.1);
        memory::times([high.min(rows.div_ceil(8).next_multiple_of(least)).min(rows), cols])
    };
    block(rows, cols).max(block(cols, rows))
}

impl Plan {
    /// The cut for products with `width` columns, each bin with sums of its own.
    pub(crate) fn new<T: Scalar>(x: &dyn Matrix<T>, width: usize) -> Self {
        let (rows, cols) = x.shape();
        let block_rows = block_rows(x, (BLOCK_ROWS.0, BLOCK_ENTRIES), 8);
        let per_sum = if is_filled(x) { ENTRIES_PER_SUM.1 } else { ENTRIES_PER_SUM.0 };
        let by_sums = x.stored() / (per_sum * cols.max(1));
        let blocks = rows.div_ceil(block_rows).max(1);
        Self::cut(x, width, (block_rows, by_sums.clamp(2, MAX_BINS).min(blocks), 1))
    }

    /// The cut for `width` components of rows that nothing is summed from: more bins, of whole
    /// registers where rows are improved side by side.
    pub(crate) fn by_rows<T: Scalar>(x: &dyn Matrix<T>, width: usize) -> Self {
        let (rows, cols) = x.shape();
        let filled = is_filled(x);
        let one_by_one = filled && cols > SHORT && x.stored() <= FEW;
        let least = if one_by_one { ONE_BY_ONE } else { SIDE_BY_SIDE };
        let most = MOST_WORK / (width * width).max(1);
        let block_rows = block_rows(x, (least, most), MAX_BINS / 2) / least * least;
        let blocks = rows.div_ceil(block_rows).max(1);
        let unit = if filled { least } else { 1 };
        Self::cut(x, width, (block_rows, blocks.min(MAX_BINS), unit))
    }

    /// Bins of equal cost, each but the last a multiple of `unit` rows.
    fn cut<T: Scalar>(
        x: &dyn Matrix<T>,
        width: usize,
        (block_rows, count, unit): (usize, usize, usize),
    ) -> Self {
        let (rows, stored) = (x.shape().0, x.stored());
        // The work on a row of W is worth about two entries of X per column of H.
        let cost = |row: usize| x.stored_before(row) + 2 * width * row;
        let mut bins = Vec::with_capacity(count);
        let mut from = 0;
        for bin in 1..=count {
            let goal = (cost(rows) as u128 * bin as u128 / count as u128) as usize;
            let to = first_row_at(&cost, from, rows, goal).next_multiple_of(unit);
            let to = if bin == count { rows } else { to.min(rows) };
            bins.push(
                (from..to).step_by(block_rows).map(|at| at..to.min(at + block_rows)).collect(),
            );
            from = to;
        }
        Self { bins, block_rows, serial: is_serial(stored, width) }
    }

    pub(crate) fn bins(&self) -> &[Vec<Range<usize>>] {
        &self.bins
    }

    /// The row after the last of each bin.
    pub(crate) fn ends(&self) -> Vec<usize> {
        let mut end = 0;
        self.bins
            .iter()
            .map(|blocks| {
                end = blocks.last().map_or(end, |block| block.end);
                end
            })
            .collect()
    }

    /// Whether the work is too small for threads.
    pub(crate) fn is_serial(&self) -> bool {
        self.serial
    }
}

/// Whether passes over so many stored entries of X are too small for threads.
pub(crate) fn is_serial(stored: usize, width: usize) -> bool {
    stored * width.max(LEAST_WIDTH) < SERIAL_WORK
}

/// Rows of a block: what stays in a second-level cache and has at most `most` entries, no fewer than
/// `least`, and no more than leave about `parts` blocks of them.
fn block_rows<T: Scalar>(x: &dyn Matrix<T>, (least, most): (usize, usize), parts: usize) -> usize {
    let rows = x.shape().0;
    let per_row = x.stored().div_ceil(rows.max(1)).max(1);
    (BLOCK_ENTRIES.min(most) / per_row)
        .clamp(least, BLOCK_ROWS.1)
        .min(rows.div_ceil(parts).next_multiple_of(least))
        .max(1)
}

/// Whether at least a quarter of X is stored.
fn is_filled<T: Scalar>(x: &dyn Matrix<T>) -> bool {
    let (rows, cols) = x.shape();
    x.stored() / 4 >= (rows * cols) / 16
}

/// The first row in from..=rows at which the ascending `cost` reaches `goal`.
fn first_row_at(cost: &dyn Fn(usize) -> usize, from: usize, rows: usize, goal: usize) -> usize {
    let (mut low, mut high) = (from, rows);
    while low < high {
        let middle = low.midpoint(high);
        if cost(middle) < goal { low = middle + 1 } else { high = middle }
    }
    low
}

/// What a pass needs besides its arguments, kept between passes.
pub(crate) struct Workspace<T> {
    bins: Vec<Bin<T>>,
}

struct Bin<T> {
    sums: Factor<T>,
    b: Factor<T>,
    out: Factor<T>,
}

impl<T: Scalar> Workspace<T> {
    /// For passes over `plan` with H of shape `cols` × `width`.
    pub(crate) fn new(plan: &Plan, cols: usize, width: usize) -> Self {
        let bin = |_: &Vec<Range<usize>>| Bin {
            sums: Factor::zeros(cols, width),
            b: Factor::zeros(plan.block_rows, width),
            out: Factor::zeros(plan.block_rows, width),
        };
        Self { bins: plan.bins.iter().map(bin).collect() }
    }
}

/// One block of a pass.
pub(crate) struct Block<'a, T: Scalar> {
    /// Its rows of X.
    pub(crate) rows: Range<usize>,
    /// Those rows.
    pub(crate) panel: &'a dyn Panel<T>,
    /// Its B = X_b·H.
    pub(crate) b: View<'a, T>,
    /// Its rows of W after the pass, for the caller to write.
    pub(crate) out: ViewMut<'a, T>,
}

/// One read of X: for every block `work(state of its bin, block)`, and C = Xᵀ·(what work wrote).
///
/// # Errors
/// What the source of X reports.
pub(crate) fn pass<T: Scalar, S: Send>(
    x: &dyn Matrix<T>,
    plan: &Plan,
    workspace: &mut Workspace<T>,
    h: View<'_, T>,
    c: Option<&mut Factor<T>>,
    states: &mut [S],
    work: &(dyn Fn(&mut S, Block<'_, T>) + Sync),
) -> Result<()> {
    let accumulate = c.is_some();
    let run = |((bin, state), blocks): ((&mut Bin<T>, &mut S), &Vec<Range<usize>>)| -> Result<()> {
        if accumulate {
            bin.sums.as_mut_slice().fill(T::ZERO);
        }
        for rows in blocks {
            x.visit(rows.clone(), &mut |rows, panel| {
                let height = rows.len();
                panel.product(h, &mut bin.b.view_mut().slice(0..height));
                let b = bin.b.view().slice(0..height);
                let mut out = bin.out.view_mut();
                work(state, Block { rows, panel, b, out: out.slice(0..height) });
                if accumulate {
                    panel.add_transposed(bin.out.view().slice(0..height), &mut bin.sums.view_mut());
                }
            })?;
        }
        Ok(())
    };
    let bins = workspace.bins.iter_mut().zip(states.iter_mut()).zip(&plan.bins);
    threads::map(bins, plan.serial, run).into_iter().collect::<Result<()>>()?;
    if let Some(c) = c {
        let sums: Vec<&Factor<T>> = workspace.bins.iter().map(|bin| &bin.sums).collect();
        add_up(&sums, c, plan.serial);
    }
    Ok(())
}

/// c = Σ of the bins' sums, in order of the bins for every element.
pub(crate) fn add_up<T: Scalar>(sums: &[&Factor<T>], c: &mut Factor<T>, serial: bool) {
    const CHUNK: usize = 1 << 14;
    let add = |(at, chunk): (usize, &mut [T])| {
        let from = at * CHUNK;
        for (which, sums) in sums.iter().enumerate() {
            let part = &sums.as_slice()[from..from + chunk.len()];
            if which == 0 {
                chunk.copy_from_slice(part);
            } else {
                chunk.iter_mut().zip(part).for_each(|(sum, &add)| *sum += add);
            }
        }
    };
    threads::map(c.as_mut_slice().chunks_mut(CHUNK).enumerate(), serial, add);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::{Csr, Dense, Order};

    #[test]
    fn every_row_lies_in_one_block_and_blocks_of_short_rows_fill_registers() {
        for (rows, cols) in [(1, 1), (7, 3), (16, 900), (33, 5), (500, 64), (64, 1797), (90, 9000)]
        {
            let dense = Dense::new(rows, cols, Order::RowMajor, vec![1f32; rows * cols]);
            let dense = dense.expect("values");
            // All in the first row.
            let indptr: Vec<usize> = (0..=rows).map(|row| if row > 0 { cols } else { 0 }).collect();
            let indices: Vec<u32> = (0..u32::try_from(cols).expect("few")).collect();
            let csr = Csr::new((rows, cols), &indptr, indices, vec![1f32; cols]).expect("sorted");
            for x in [&dense as &dyn Matrix<f32>, &csr] {
                for plan in [Plan::new(x, 4), Plan::by_rows(x, 4)] {
                    let blocks = plan.bins().iter().flatten();
                    assert!(blocks.flat_map(Clone::clone).eq(0..rows), "{rows} × {cols}");
                    assert_eq!(plan.ends().last(), Some(&rows));
                }
            }
            let plan = Plan::by_rows(&dense, 4);
            let starts = plan.bins().iter().flatten().map(|block| block.start);
            let few_and_long = (rows, cols) == (64, 1797);
            let unit = if few_and_long { ONE_BY_ONE } else { SIDE_BY_SIDE };
            assert!(starts.clone().all(|start| start % unit == 0), "{rows} × {cols}");
            assert!(plan.bins().len() >= rows / unit / 2, "{rows} × {cols}");
        }
    }
}
