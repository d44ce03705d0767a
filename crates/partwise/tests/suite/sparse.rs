//! Rows of the torture list about the structure of sparse matrices.

use crate::common::*;
use crate::reference::losses;
use partwise::matrix::{Data, IndexLike, Weights};
use partwise::{Csc, Csr, Error, Fit, Input, Options, Rule, SparseError, Warning, fit};

type Result<T> = partwise::Result<T>;

/// 3 × 4: [[1 0 2 0] [0 0 0 3] [4 5 0 6]].
const INDPTR: [usize; 4] = [0, 2, 3, 6];
const INDICES: [u32; 6] = [0, 2, 3, 0, 1, 3];
const VALUES: [f64; 6] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];

fn small(indptr: &[i64], indices: &[u32], values: &[f64]) -> Result<Csr<'static, f64>> {
    Csr::new((3, 4), indptr, indices.to_vec(), values.to_vec())
}

fn refused(indptr: &[i64], indices: &[u32], values: &[f64]) -> (SparseError, String) {
    let error = small(indptr, indices, values).unwrap_err();
    let text = error.to_string();
    match error {
        Error::Sparse(e) => (e, text),
        other => panic!("{other}"),
    }
}

fn run(x: Csr<'_, f64>) -> Fit<f64> {
    fit(x, &Options { max_iter: 20, ..options(2, Rule::Hals) }).unwrap()
}

#[test]
fn s01_unsorted_rows_are_as_sorted_ones() {
    let sorted = Csr::new((3, 4), &INDPTR, &INDICES[..], &VALUES[..]).unwrap();
    let unsorted =
        small(&[0, 2, 3, 6], &[2, 0, 3, 3, 0, 1], &[2.0, 1.0, 3.0, 6.0, 4.0, 5.0]).unwrap();
    assert_eq!(unsorted.row(2), sorted.row(2));
    assert_eq!(unsorted.duplicates(), 0);
    assert_eq!(bits(&run(unsorted)), bits(&run(sorted)));
}

#[test]
fn s02_duplicates_are_summed_in_a_private_copy_and_reported() {
    let indptr = [0usize, 3, 4, 7];
    let (indices, values) = ([0u32, 2, 0, 3, 0, 1, 3], [0.25, 2.0, 0.75, 3.0, 4.0, 5.0, 6.0]);
    let (indices_before, values_before) = (indices, values);
    let twice = Csr::new((3, 4), &indptr, &indices[..], &values[..]).unwrap();
    assert_eq!((twice.stored(), twice.duplicates()), (6, 1));
    let found = run(twice);
    assert!(found.warnings.contains(&Warning::DuplicatesSummed { count: 1 }));
    assert_eq!((indices, values), (indices_before, values_before), "the caller's arrays");
    let plain = Csr::new((3, 4), &INDPTR, &INDICES[..], &VALUES[..]).unwrap();
    assert_eq!(bits(&found), bits(&run(plain)));
}

#[test]
fn s03_duplicates_are_summed_before_signs_are_looked_at() {
    let x = small(&[0, 3, 4, 7], &[0, 2, 0, 3, 0, 1, 3], &[5.0, 2.0, -5.0, 3.0, 4.0, 5.0, 6.0]);
    let found = run(x.unwrap());
    let plain =
        small(&[0, 1, 2, 5], &[2, 3, 0, 1, 3], &[2.0, 3.0, 4.0, 5.0, 6.0]).map(run).unwrap();
    assert!((found.objective - plain.objective).abs() < 1e-12);
    let below = small(&[0, 3, 3, 3], &[0, 2, 0], &[5.0, 2.0, -6.0]).unwrap();
    let error = fit(below, &options(1, Rule::Hals)).unwrap_err();
    assert!(matches!(error, Error::Negative { row: 0, col: 0, value: -1.0, count: 1, .. }));
}

#[test]
fn s04_explicit_zeros_are_as_absent_ones() {
    let zero =
        small(&[0, 3, 4, 7], &[0, 1, 2, 3, 0, 1, 3], &[1.0, 0.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
    assert_eq!(zero.stored(), 7);
    let plain = Csr::new((3, 4), &INDPTR, &INDICES[..], &VALUES[..]).unwrap();
    let (zero, plain) = (run(zero), run(plain));
    // Stored entries decide where rows are cut and how many sweeps pay, not what is computed.
    assert!(product_distance(&zero, &plain) < 1e-12);
}

#[test]
fn s05_an_index_out_of_range_is_named_with_its_row_and_place() {
    for found in [4u32, 4704, 2_000_000_000, u32::MAX] {
        let mut indices = INDICES;
        indices[5] = found;
        let (error, text) = refused(&[0, 2, 3, 6], &indices, &VALUES);
        let found = i128::from(found);
        assert_eq!(error, SparseError::Index { row: 2, entry: 5, found, cols: 4 });
        let want = format!("row 2: column index {found} out of range (n = 4), entry 5");
        assert!(text.contains(&want), "{text}");
    }
    for found in [-1i64, -300, 1 << 40] {
        let indices = [0, 2, 3, 0, found, 3];
        let error = Csr::from_indices((3, 4), &INDPTR, &indices, VALUES.to_vec()).unwrap_err();
        let found = i128::from(found);
        let want = SparseError::Index { row: 2, entry: 4, found, cols: 4 };
        assert_eq!(error, Error::Sparse(want));
    }
}

#[test]
fn s06_a_broken_indptr_is_named_with_its_place_and_both_values() {
    let cases: [(&[i64], SparseError, &str); 7] = [
        (
            &[0, 3, 2, 6],
            SparseError::IndptrDecreases { at: 2, previous: 3, found: 2 },
            "indptr[2] = 2 is below indptr[1] = 3",
        ),
        (
            &[0, -1, 2, 6],
            SparseError::IndptrDecreases { at: 1, previous: 0, found: -1 },
            "indptr[1] = -1 is below indptr[0] = 0",
        ),
        (&[1, 2, 3, 6], SparseError::IndptrStart { found: 1 }, "indptr[0] = 1"),
        (&[-2, 2, 3, 6], SparseError::IndptrStart { found: -2 }, "indptr[0] = -2"),
        (
            &[0, 2, 3, 5],
            SparseError::IndptrEnd { found: 5, stored: 6 },
            "ends at 5, but 6 entries are stored",
        ),
        (&[0, 2, 3], SparseError::IndptrLength { found: 3, expected: 4 }, "3 entries, expected 4"),
        (
            &[0, 2, 3, 6, 6],
            SparseError::IndptrLength { found: 5, expected: 4 },
            "5 entries, expected 4",
        ),
    ];
    for (indptr, want, words) in cases {
        let (found, text) = refused(indptr, &INDICES, &VALUES);
        assert_eq!(found, want, "{indptr:?}");
        assert!(text.contains(words), "{text}");
    }
    // Far beyond what is stored, also where it would wrap.
    for end in [7, i64::MAX] {
        let (found, _) = refused(&[0, 2, end, end], &INDICES, &VALUES);
        assert!(matches!(found, SparseError::IndptrEnd { stored: 6, .. }), "{found:?}");
    }
}

#[test]
fn s07_values_and_indices_of_unlike_length_are_counted() {
    let (found, text) = refused(&[0, 2, 3, 6], &INDICES, &VALUES[..5]);
    assert_eq!(found, SparseError::Lengths { values: 5, indices: 6 });
    assert!(text.contains("5 values but 6 indices"), "{text}");
}

fn of_indices<I: IndexLike, J: IndexLike>(indptr: [I; 4], indices: [J; 6]) -> Vec<u64> {
    let x = Csr::from_indices((3, 4), &indptr, &indices, VALUES.to_vec()).unwrap();
    bits(&run(x))
}

#[test]
fn s08_every_integer_type_of_index_gives_the_same_bits() {
    let (p, i) = ([0u8, 2, 3, 6], [0u8, 2, 3, 0, 1, 3]);
    let plain = of_indices(INDPTR, INDICES);
    assert_eq!(of_indices(p.map(i32::from), i.map(i32::from)), plain);
    assert_eq!(of_indices(p.map(i64::from), i.map(i32::from)), plain);
    assert_eq!(of_indices(p.map(u64::from), i.map(i64::from)), plain);
    assert_eq!(of_indices(p.map(i32::from), i.map(usize::from)), plain);
}

#[test]
fn s10_more_columns_than_memory_are_refused_before_they_are_allocated() {
    let cols = 4_000_000_000;
    let x = Csr::new((3, cols), &[0, 1, 2, 3], vec![5, 7, 3_999_999_999], vec![1.0, 2.0, 3.0]);
    let limited = Options { memory_limit: Some(1 << 30), ..options::<f64>(10, Rule::Hals) };
    let error = fit(x.unwrap(), &limited).unwrap_err();
    let Error::Memory { needed, limit, .. } = &error else { panic!("{error}") };
    // H alone: 4·10⁹ × 10 × 8 bytes.
    assert!(*needed > 320_000_000_000 && *limit == 1 << 30, "{error}");
    assert!(error.to_string().contains("4000000000"), "{error}");
    let wide = Csr::<f64>::new((1, 1 << 32), &[0, 0], vec![], vec![]).unwrap_err();
    assert_eq!(wide, Error::Sparse(SparseError::TooWide { cols: 1 << 32 }));
    assert!(wide.to_string().contains("4294967296"));
    let tall = Csr::<f64>::new((usize::MAX, 3), &[0, 0], vec![], vec![]).unwrap_err();
    assert!(matches!(tall, Error::Sparse(SparseError::IndptrLength { found: 2, .. })), "{tall}");
}

#[test]
fn s12_a_full_sparse_matrix_fits_as_dense_with_a_remark() {
    let x = Mat::random(14, 11, 3).map(|v| v + 0.1);
    for kind in [Kind::Csr, Kind::Csc] {
        let options = Options { max_iter: 10, tol: 0.0, sweeps: Some(3), ..options(3, Rule::Hals) };
        let [dense, sparse] =
            [Kind::RowMajor, kind].map(|kind| fit(x.input::<f64>(kind), &options).unwrap());
        assert!(product_distance(&dense, &sparse) < 1e-10);
        assert!(sparse.warnings.contains(&Warning::DenseInSparse { density: 1.0 }));
        let text = sparse.warnings[0].to_string();
        assert!(text.contains("density 1.00"), "{text}");
    }
}

#[test]
fn s13_nothing_stored_is_all_zero() {
    let found = run(small(&[0, 0, 0, 0], &[], &[]).unwrap());
    assert_eq!((found.objective, found.iterations), (0.0, 0));
    let all_rows = Warning::ZeroRows { count: 3, of: 3, first: vec![0, 1, 2], weighed: false };
    assert!(found.warnings.contains(&all_rows), "{:?}", found.warnings);
}

#[test]
fn s14_bad_values_are_named_by_row_and_column_not_by_offset() {
    for (value, what) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (-3.0, "-3")] {
        let mut values = VALUES;
        values[4] = value;
        let csr = small(&[0, 2, 3, 6], &INDICES, &values).unwrap();
        // The same matrix by columns: 1 4 | 5 | 2 | 3 6.
        let by_columns = vec![1.0, 4.0, value, 2.0, 3.0, 6.0];
        let csc = Csc::new((3, 4), &[0usize, 2, 3, 4, 6], vec![0u32, 2, 2, 0, 1, 2], by_columns);
        let texts = [
            fit(csr, &options(2, Rule::Hals)).unwrap_err().to_string(),
            fit(csc.unwrap(), &options(2, Rule::Hals)).unwrap_err().to_string(),
        ];
        for text in texts {
            assert!(text.contains("X[2, 1]") && text.contains(what), "{text}");
        }
    }
}

#[test]
fn csc_errors_speak_of_the_compressed_axis() {
    let error = Csc::new((3, 2), &[0usize, 1, 2], vec![0u32, 3], vec![1.0, 2.0]).unwrap_err();
    assert_eq!(error, Error::Sparse(SparseError::Index { row: 1, entry: 1, found: 3, cols: 3 }));
    assert_eq!(Csc::new((3, 1), &[0usize, 1], vec![0u32], vec![1.0]).unwrap().shape(), (3, 1));
}

#[test]
fn random_structures_never_panic() {
    let mut rng = Lcg::new(77);
    let (mut good, mut bad) = (0, 0);
    for _ in 0..4000 {
        let (rows, cols, stored) = (rng.below(4), rng.below(4), rng.below(6));
        let indptr: Vec<i64> =
            (0..rows + 1 + rng.below(20) / 19)
                .map(|at| {
                    if at == 0 {
                        0
                    } else {
                        rng.below(stored + 2) as i64 - rng.below(30) as i64 / 29
                    }
                })
                .collect();
        let indices: Vec<i64> =
            (0..stored).map(|_| rng.below(cols + 1) as i64 - rng.below(30) as i64 / 29).collect();
        let values: Vec<f64> = (0..stored).map(|_| rng.uniform()).collect();
        match Csr::from_indices((rows, cols), &indptr, &indices, values) {
            Err(_) => bad += 1,
            Ok(x) => {
                let transposed = x.transposed();
                assert_eq!((transposed.shape(), transposed.stored()), ((cols, rows), x.stored()));
                match fit(x, &Options { max_iter: 3, ..options(2, Rule::Hals) }) {
                    Ok(found) => assert_sound(&found, "random"),
                    Err(Error::Empty { .. }) => {}
                    Err(other) => panic!("{other}"),
                }
                good += 1;
            }
        }
    }
    assert!(good > 100 && bad > 100, "{good} {bad}");
}

/// `x` with these of its zeros stored.
fn with_zeros(x: &Mat, stores: impl Fn(usize, usize) -> bool) -> Csr<'static, f64> {
    let (mut indptr, mut indices, mut values) = (vec![0usize], Vec::new(), Vec::new());
    for i in 0..x.rows {
        for (j, &v) in x.row(i).iter().enumerate().filter(|(j, v)| **v != 0.0 || stores(i, *j)) {
            indices.push(u32::try_from(j).unwrap());
            values.push(v);
        }
        indptr.push(indices.len());
    }
    Csr::new((x.rows, x.cols), &indptr, indices, values).unwrap()
}

#[test]
fn zeros_that_are_stored_change_no_bit() {
    // Enough of them to cut the rows elsewhere.
    let x = Mat::sparse(60, 40, 0.1, 3);
    let stores = |i: usize, j: usize| i < 20 && (i + 3 * j).is_multiple_of(2);
    let seen = Mat::random(60, 40, 5).map(|v| f64::from(v > 0.1));
    for (loss, rule) in losses().filter(|(loss, _)| !loss.forbids_zeros()) {
        for turned in [false, true] {
            let x = if turned { x.transposed() } else { x.clone() };
            let stores = |i, j| if turned { stores(j, i) } else { stores(i, j) };
            let transposed = x.transposed();
            let pairs: [[Input<'static, f64>; 2]; 2] = [
                [x.csr().into(), with_zeros(&x, stores).into()],
                [
                    x.csc().into(),
                    Csc::from_transposed(with_zeros(&transposed, |j, i| stores(i, j))).into(),
                ],
            ];
            let options = Options { loss, max_iter: 6, tol: 0.0, ..options(3, rule) };
            for inputs in pairs {
                let [plain, stored] = inputs.map(|x| fit(x, &options).unwrap());
                assert_eq!(bits(&plain), bits(&stored), "{loss} {rule} {turned}");
                assert_eq!((plain.objective, plain.kkt), (stored.objective, stored.kkt));
            }
            if rule.works_by_entries() {
                let seen = if turned { seen.transposed() } else { seen.clone() };
                let of = |x: Csr<'static, f64>| {
                    let hidden = Some(seen.map(|s| 1.0 - s).csr());
                    let weights = Weights { hidden, ..Weights::default() };
                    fit(Data { x: x.into(), weights }, &options).unwrap()
                };
                assert_eq!(bits(&of(x.csr())), bits(&of(with_zeros(&x, stores))), "{loss} {rule}");
            }
        }
    }
    // Where what is not stored is missing, a stored zero is an entry.
    let weights = || Weights { absent_missing: true, ..Weights::default() };
    let observed = |x: Csr<'static, f64>| {
        partwise::verify::observed(Data { x: x.into(), weights: weights() }).unwrap()
    };
    assert!(observed(with_zeros(&x, stores)) > observed(x.csr()));
}
