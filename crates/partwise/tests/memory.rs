//! S15: what a fit by entries takes beside X. A program of its own, because it counts every
//! allocation.

#![allow(clippy::unwrap_used, unsafe_code)]

use partwise::{Csr, Dense, Input, Loss, Options, Order, Rule, fit};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: hands everything to the system's allocator and only counts.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(now, Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const ROWS: usize = 200_000;
const COLS: usize = 20_000;
const RANK: usize = 20;

/// `per_row` entries in each row.
fn matrix(per_row: usize) -> Csr<'static, f32> {
    let mut state = 1u64;
    let mut next = move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize
    };
    let indptr: Vec<usize> = (0..=ROWS).map(|i| i * per_row).collect();
    let mut indices = Vec::new();
    for _ in 0..ROWS {
        // One in each part of the columns, so that a row has no entry twice.
        let part = COLS / per_row;
        indices.extend((0..per_row).map(|t| u32::try_from(t * part + next() % part).unwrap()));
    }
    let values: Vec<f32> = (0..ROWS * per_row).map(|_| (next() % 9 + 1) as f32).collect();
    Csr::new((ROWS, COLS), &indptr, indices, values).unwrap()
}

/// Bytes at the peak of a fit beyond those there were before it.
fn peak(x: impl Into<Input<'static, f32>>, (rank, loss, rule): (usize, Loss, Rule)) -> usize {
    let x = x.into();
    let base = Options::<f32> { rank, rule: Some(rule), loss, ..Options::default() };
    let options = Options { max_iter: 2, tol: 0.0, threads: 2, ..base };
    let before = NOW.load(Ordering::SeqCst);
    PEAK.store(before, Ordering::SeqCst);
    let found = fit(x, &options).unwrap();
    assert_eq!(found.iterations, 2);
    PEAK.load(Ordering::SeqCst) - before
}

/// One test at a time: all share the counters.
static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

#[test]
fn s15_kl_of_a_large_sparse_matrix_takes_three_pairs_of_factors() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    // Rows of factors are padded to whole cache lines.
    let word = size_of::<f32>();
    let factors = (ROWS + COLS) * RANK.next_multiple_of(64 / word) * word;
    let blocks = 8 << 20;
    for per_row in [5, 40] {
        for rule in [Rule::Sn, Rule::Mu] {
            let peak = peak(matrix(per_row), (RANK, Loss::KL, rule));
            let beside = peak.saturating_sub(blocks) as f64 / factors as f64;
            assert!(beside <= 3.0, "{rule}, {per_row} in a row: {beside:.3} pairs of factors");
        }
    }
}

#[test]
fn a_narrow_factor_takes_little_more_than_its_values() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (rows, cols) = (300_000, 5);
    let values: Vec<f32> = (0..rows * cols).map(|e| (e % 11 + 1) as f32).collect();
    for rank in [1, 2, 3, 5] {
        let x = Dense::new(rows, cols, Order::RowMajor, values.clone()).unwrap();
        let factors = (rows + cols) * rank * size_of::<f32>();
        // The norms of the rows of X and what else is known of them, and blocks.
        let beside_factors = rows * 3 * size_of::<f64>() + (2 << 20);
        let peak = peak(x, (rank, Loss::FROBENIUS, Rule::Hals));
        let beside = peak.saturating_sub(beside_factors) as f64 / factors as f64;
        assert!(beside <= 8.0, "k = {rank}: {beside:.1} pairs of factors");
    }
}
