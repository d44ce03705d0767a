//! What a fit takes beside X. A program of its own, because it counts every allocation.

#![allow(clippy::unwrap_used, unsafe_code)]

use partwise::matrix::Scan;
use partwise::{Csc, Csr, Dense, Input, Loss, Options, Order, Rule, Scalar, Start, fit};
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

/// X with `stored` entries in the rows it has, spread over the columns.
fn spread<T: Scalar>(rows: usize, cols: usize, stored: usize) -> Csr<'static, T> {
    let per_row = stored.div_ceil(rows);
    let indptr: Vec<usize> = (0..=rows).map(|i| i * per_row).collect();
    let step = cols / per_row;
    let column = |i: usize, t: usize| u32::try_from(t * step + i % step).unwrap();
    let indices =
        (0..rows).flat_map(|i| (0..per_row).map(move |t| column(i, t))).collect::<Vec<_>>();
    let values = (0..rows * per_row).map(|at| T::from_f64((at % 7 + 1) as f64)).collect::<Vec<_>>();
    Csr::new((rows, cols), &indptr, indices, values).unwrap()
}

fn full<T: Scalar>(rows: usize, cols: usize) -> Dense<'static, T> {
    let values = (0..rows * cols).map(|at| T::from_f64((at % 7 + 1) as f64)).collect::<Vec<_>>();
    Dense::new(rows, cols, Order::RowMajor, values).unwrap()
}

/// X of all kinds and shapes; the last one is wide beyond what a dense row could be.
fn inputs<T: Scalar>() -> Vec<(&'static str, Input<'static, T>)> {
    let turned = |x: Csr<'static, T>| Input::from(Csc::from_transposed(x));
    vec![
        ("square", full(200, 200).into()),
        ("tall", full(8000, 20).into()),
        ("flat", full(20, 8000).into()),
        ("sparse", spread(2000, 2000, 40_000).into()),
        ("sparse tall", spread(20_000, 60, 60_000).into()),
        ("sparse by columns", turned(spread(60, 20_000, 60_000))),
        ("a row", spread(1, 200_000, 3).into()),
    ]
}

/// What is fitted: every rule of the Frobenius loss and KL, and one of a loss that visits every entry.
fn asked<T: Scalar>() -> Vec<Options<T>> {
    let with = |loss: Loss, rule| Options {
        loss,
        rule: Some(rule),
        max_iter: 2,
        tol: 0.0,
        threads: 4,
        ..Options::default()
    };
    let mut all = Vec::new();
    for loss in [Loss::FROBENIUS, Loss::KL] {
        let rules = Rule::ALL.iter().filter(|rule| rule.supports(loss));
        all.extend(rules.map(|&rule| Options { rank: 3, n_init: 9, ..with(loss, rule) }));
        let fastest = with(loss, Rule::fastest(loss));
        all.push(Options { rank: 1, ..fastest.clone() });
        all.push(Options { rank: 20, init: Start::Nndsvda, ..fastest });
    }
    all.push(Options { rank: 3, ..with("1.5".parse().unwrap(), Rule::Mue) });
    all
}

/// As [`fits_say`], with so many components that what is kept of each is more than X and what is read of it.
fn fits_of_a_huge_rank_say() {
    let x: Input<'_, f64> = full(2, 1).into();
    for loss in ["-1", "kl", "3"] {
        let loss = loss.parse().unwrap();
        let options = Options { rank: 200_000, loss, max_iter: 5, ..Options::default() };
        let said = options.bytes(&x);
        let before = NOW.load(Ordering::SeqCst);
        PEAK.store(before, Ordering::SeqCst);
        drop(fit(x.borrowed(), &options).unwrap());
        let taken = (PEAK.load(Ordering::SeqCst) - before) as u128;
        assert!(taken <= said, "{loss}: took {taken} of {said}");
    }
}

/// Fits take no more than they say that they need, and say no more than four times that and what the
/// largest blocks of four threads could be.
fn fits_say<T: Scalar>() {
    let blocks = 80 << 20;
    for (name, x) in inputs::<T>() {
        for options in asked::<T>() {
            let Options { rank, n_init, loss, rule, .. } = &options;
            let said = options.bytes(&x);
            let before = NOW.load(Ordering::SeqCst);
            PEAK.store(before, Ordering::SeqCst);
            drop(fit(x.borrowed(), &options).unwrap());
            let taken = (PEAK.load(Ordering::SeqCst) - before) as u128;
            let what = format!("{name}, {loss}, {rule:?}, {rank}, {n_init}, {}", T::NAME);
            assert!(taken <= said, "{what}: took {taken} of {said}");
            assert!(said <= 4 * taken + blocks, "{what}: took {taken} of {said}");
        }
    }
}

#[test]
fn a_fit_takes_no_more_than_it_says() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    fits_say::<f32>();
    fits_say::<f64>();
    fits_of_a_huge_rank_say();
}

#[test]
fn a_look_at_a_wide_sparse_row_takes_what_its_columns_do() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let x = spread::<f64>(1, 4_000_000, 2);
    let before = NOW.load(Ordering::SeqCst);
    PEAK.store(before, Ordering::SeqCst);
    let found = Scan::of(&x).unwrap();
    let taken = PEAK.load(Ordering::SeqCst) - before;
    assert_eq!(found.positive, 2);
    assert!(taken < 12_000_000, "{taken} bytes");
}
