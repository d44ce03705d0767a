//! What a call allocates beside what it is given, from above: see [`crate::memory`].

use super::{Options, Transform};
use crate::factor::Factor;
use crate::init::Start;
use crate::loss::Loss;
use crate::matrix::{Data, Input, Side, Weights, most_bins, most_block};
use crate::memory::{sum, times};
use crate::scalar::Scalar;

/// Of the look at X: a sum and a flag for each row and column, twice while parts are put together, and
/// some rows of dense X.
fn of_scan<T: Scalar>(x: &Input<'_, T>) -> u128 {
    let (rows, cols) = x.shape();
    let (long, short) = (rows.max(cols), rows.min(cols));
    let copied = if x.is_sparse() { 0 } else { 32 * size_of::<T>() };
    times([long, 27]) + times([short, 2 + most_bins(x) + copied])
}

/// Of the copy of sparse X that is stored by the other side.
pub(super) fn of_turned<T: Scalar>(x: &Input<'_, T>, side: Side) -> u128 {
    let (along, stored) = match (x.kind(), side) {
        ("csr", Side::Columns) => (x.shape().1, x.stored()),
        ("csc", Side::Rows) => (x.shape().0, x.stored()),
        _ => return 0,
    };
    times([along, 3 * size_of::<usize>()]) + times([stored, size_of::<u32>() + size_of::<T>()])
}

/// Of weights and a mask by their other side, if they are sparse, and of weights of rows and columns once
/// more.
pub(super) fn of_weights<T: Scalar>(data: &Data<'_, T>) -> u128 {
    let (rows, cols) = data.x.shape();
    let Weights { entries, hidden, rows: of_rows, columns, .. } = &data.weights;
    let turned = |stored| {
        let starts = times([rows.max(cols), 3 * size_of::<usize>()]);
        starts + times([stored, size_of::<u32>() + size_of::<T>()])
    };
    let entries = entries.as_ref().filter(|entries| entries.is_sparse());
    let vectors = [of_rows, columns].map(|given| given.as_ref().map_or(0, Vec::len));
    sum([
        entries.map_or(0, |entries| turned(entries.stored())),
        hidden.as_ref().map_or(0, |hidden| turned(hidden.stored())),
        times([vectors[0] + vectors[1], 2 * size_of::<T>()]),
    ])
}

/// Of lists of so many missing entries, by rows and by columns and while their parts are put together, with
/// what is known of each row and column; and of the copy of X that passes by normal equations read.
pub(super) fn of_missing<T: Scalar>(data: &Data<'_, T>, missing: usize, loss: Loss) -> u128 {
    const LINE: usize = 80;
    const LISTED: usize = 6 * size_of::<u32>();
    let (rows, cols) = data.x.shape();
    let few = 4 * missing as u128 <= times([rows, cols]);
    let by_normal_equations = loss == Loss::FROBENIUS && missing > 0 && few;
    let entry =
        if data.x.is_sparse() { 2 * (size_of::<u32>() + size_of::<T>()) } else { size_of::<T>() };
    sum([
        times([rows, LINE]),
        times([cols, LINE]),
        times([missing, LISTED]),
        if by_normal_equations { times([data.x.stored(), entry]) } else { 0 },
    ])
}

/// Of the Gram matrices of a pass under the Frobenius loss, in `f64`: two for each bin and some beside.
fn of_grams<T: Scalar>(x: &Input<'_, T>, k: usize, loss: Loss) -> u128 {
    if loss != Loss::FROBENIUS {
        return 0;
    }
    times([k, k, size_of::<f64>()]).saturating_mul(2 * most_bins(x) as u128 + 10)
}

/// Sums, costs and steps of each component, and what threads keep of them: more than all else where X is
/// small beside k. Up to 240 bytes were measured beside the factors at 2 × 1 and two million components.
fn of_components(k: usize) -> u128 {
    const COMPONENT: usize = 384;
    times([k, COMPONENT])
}

impl<T: Scalar> Options<T> {
    /// Bytes that a fit of `x` takes beside it, at most; missing entries may take a copy of it more.
    pub fn bytes(&self, x: &Input<'_, T>) -> u128 {
        let (rows, cols) = x.shape();
        let (long, short) = (rows.max(cols), rows.min(cols));
        let svd = matches!(self.init, Start::Nndsvd | Start::Nndsvda | Start::Nndsvdar);
        // An SVD starts from a few more vectors than there are components.
        let width = self.rank.saturating_add(if svd { 16 } else { 0 });
        let wide = width.saturating_mul(self.batch());
        let sums = most_bins(x).saturating_mul(if self.loss == Loss::FROBENIUS { 1 } else { 2 });
        let side = if rows >= cols { Side::Rows } else { Side::Columns };
        let copies = 1 + u128::from(self.keep_all);
        let found = [long, short].map(|rows| Factor::<T>::bytes(rows, self.rank));
        sum([
            Factor::<T>::bytes(long, wide).saturating_mul(4),
            Factor::<T>::bytes(short, wide).saturating_mul(8 + sums as u128),
            of_grams(x, width, self.loss).saturating_mul(self.batch() as u128),
            of_components(wide),
            sum(found).saturating_mul(self.n_init as u128).saturating_mul(copies),
            of_turned(x, side),
            of_scan(x),
            of_blocks(x, self.threads, visits_every(self.loss)),
        ])
    }
}

/// Of the blocks of X that are worked on. Where only stored entries are, they stay in the caches of the
/// threads; where every entry is, each thread has a block with its fitted values and two parts.
pub(super) fn of_blocks<T: Scalar>(x: &Input<'_, T>, threads: usize, every: bool) -> u128 {
    const CACHED: u128 = 8 << 20;
    if !every {
        return CACHED;
    }
    let threads = if threads == 0 { rayon::current_num_threads() } else { threads };
    most_block(x).saturating_mul((4 * size_of::<T>() * threads.min(MOST_THREADS)) as u128) + CACHED
}

/// Of the equations of rows with missing entries, which are looked at where a row has as many as there are
/// components: those of both factors, and those of a row for each thread.
pub(super) fn of_equations<T: Scalar>(x: &Input<'_, T>, k: usize, threads: usize) -> u128 {
    let (rows, cols) = x.shape();
    if k > rows.max(cols) {
        return 0;
    }
    let threads = if threads == 0 { rayon::current_num_threads() } else { threads };
    times([k, k, size_of::<f64>()]).saturating_mul(2 + threads.min(MOST_THREADS) as u128)
}

/// Threads that a pass can use.
const MOST_THREADS: usize = 64;

/// Whether passes under a loss visit entries that are not stored.
fn visits_every(loss: Loss) -> bool {
    loss != Loss::FROBENIUS && loss != Loss::KL
}

impl Transform {
    /// Bytes that W for an H of `k` components takes beside both.
    pub(super) fn bytes<T: Scalar>(&self, data: &Data<'_, T>, k: usize) -> u128 {
        let x = &data.x;
        let (rows, cols) = x.shape();
        sum([
            of_weights(data),
            // Rows that do not come to their end.
            times([rows, 3 * size_of::<usize>()]),
            Factor::<T>::bytes(rows, k).saturating_mul(2),
            Factor::<T>::bytes(cols, k).saturating_mul(3),
            of_grams(x, k, self.loss),
            of_components(k),
            of_turned(x, Side::Rows),
            of_scan(x),
            of_blocks(x, self.threads, visits_every(self.loss)),
        ])
    }
}

/// Of an SVD start by itself, with so many vectors: those of both sides, and what is summed for them.
pub(super) fn of_svd<T: Scalar>(x: &Input<'_, T>, width: usize) -> u128 {
    let (rows, cols) = x.shape();
    let side = if rows >= cols { Side::Rows } else { Side::Columns };
    sum([
        Factor::<T>::bytes(rows.max(cols), width).saturating_mul(3),
        Factor::<T>::bytes(rows.min(cols), width).saturating_mul(6 + most_bins(x) as u128),
        times([width, width, size_of::<f64>()]).saturating_mul(12),
        of_turned(x, side),
        of_scan(x),
        of_blocks(x, 0, false),
    ])
}

/// Of a second opinion on a pair of factors, or a measurement.
pub(super) fn of_measure<T: Scalar>(data: &Data<'_, T>, k: usize, loss: Loss) -> u128 {
    let x = &data.x;
    let (rows, cols) = x.shape();
    sum([
        of_weights(data),
        Factor::<T>::bytes(rows, k).saturating_mul(2),
        Factor::<T>::bytes(cols, k).saturating_mul(2),
        of_grams(x, k, loss),
        of_components(k),
        of_turned(x, Side::Rows),
        of_scan(x),
        of_blocks(x, 0, visits_every(loss)),
    ])
}

/// Of a batch of rows and the sums that H follows from.
pub(super) fn of_batch<T: Scalar>(data: &Data<'_, T>, k: usize, loss: Loss) -> u128 {
    let x = &data.x;
    let (rows, cols) = x.shape();
    sum([
        of_weights(data),
        Factor::<T>::bytes(rows, k).saturating_mul(3),
        Factor::<T>::bytes(cols, k).saturating_mul(8 + 2 * most_bins(x) as u128),
        of_grams(x, k, loss),
        of_components(k),
        of_turned(x, Side::Rows),
        of_scan(x),
        of_blocks(x, 0, visits_every(loss)),
    ])
}
