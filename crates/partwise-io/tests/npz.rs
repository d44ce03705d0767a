//! SciPy sparse matrices: rows F20 to F27 and S01 to S16 of the torture list, and files written by
//! SciPy.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Entry, csr, data, doubles, fail, integers, npy, read_ok, zip};
use partwise_io::{
    DType, Layout, Notice, Numbers, Order, ReadOptions, Table, Values, read, read_from,
};

fn sparse(table: Table) -> (Layout, Vec<u64>, Vec<u32>, Numbers) {
    match table.values {
        Values::Sparse { layout, indptr, indices, numbers } => (layout, indptr, indices, numbers),
        Values::Dense { .. } => panic!("sparse expected"),
    }
}

fn good() -> Vec<Entry> {
    csr([2, 3], &[0, 1, 3], &[2, 0, 1], &[1.0, 2.0, 3.0])
}

#[test]
fn s08_files_written_by_scipy() {
    let by_row = (Layout::Csr, vec![0, 2, 2, 4], vec![1, 3, 0, 2], vec![1.0, 2.0, 3.0, 4.5]);
    let by_col = (Layout::Csc, vec![0, 1, 2, 3, 4], vec![2, 0, 2, 0], vec![3.0, 1.0, 4.5, 2.0]);
    let mut names = vec!["csr_array".to_string(), "csr_unicode".to_string()];
    for format in ["csr", "csc", "coo"] {
        for variant in ["int32_stored", "int32_deflated", "int64_stored", "int64_deflated", "scipy"]
        {
            names.push(format!("{format}_{variant}"));
        }
    }
    for name in names {
        let table = read(&data(&format!("{name}.npz")), &ReadOptions::default()).unwrap();
        assert_eq!((table.rows, table.cols, table.notices.len()), (3, 4, 0), "{name}");
        let (layout, indptr, indices, numbers) = sparse(table);
        let expected = if name.starts_with("csc") { &by_col } else { &by_row };
        let found = (layout, indptr, indices, numbers.into_f64().0);
        assert_eq!(&found, expected, "{name}");
    }
}

#[test]
fn element_types_of_scipy_are_kept() {
    for (name, dtype) in [("csr_float32", DType::F32), ("csr_uint8", DType::U8)] {
        let table = read(&data(&format!("{name}.npz")), &ReadOptions::default()).unwrap();
        assert_eq!(table.numbers().dtype(), dtype);
    }
}

#[test]
fn one_dense_array() {
    let table = read(&data("dense.npz"), &ReadOptions::default()).unwrap();
    let numbers = Numbers::F64(vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!(table.values, Values::Dense { numbers, order: Order::RowMajor });
    let error = read(&data("two_arrays.npz"), &ReadOptions::default()).unwrap_err();
    assert_eq!(error.code(), "E-FILE");
    assert!(error.to_string().contains("2 entries: W.npy, H.npy"), "{error}");
}

#[test]
fn s01_unsorted_indices_are_sorted() {
    let file = zip(&csr([2, 4], &[0, 3, 4], &[3, 0, 2, 1], &[4.0, 1.0, 3.0, 9.0]));
    let (_, indptr, indices, numbers) = sparse(read_ok(&file, "x.npz"));
    assert_eq!((indptr, indices), (vec![0, 3, 4], vec![0, 2, 3, 1]));
    assert_eq!(numbers, Numbers::F64(vec![1.0, 3.0, 4.0, 9.0]));
}

#[test]
fn s02_duplicates_are_summed() {
    let file = zip(&csr([2, 4], &[0, 4, 5], &[3, 0, 3, 0], &[4.0, 1.0, 3.0, 9.0]));
    assert_eq!(fail(&file, "x.npz").0, "E-SPARSE");
    let file = zip(&csr([2, 4], &[0, 4, 5], &[3, 0, 3, 0, 1], &[4.0, 1.0, 3.0, 9.0, 5.0]));
    let table = read_ok(&file, "x.npz");
    assert_eq!(table.notices, [Notice::DuplicatesSummed { count: 2 }]);
    let (_, indptr, indices, numbers) = sparse(table);
    assert_eq!((indptr, indices), (vec![0, 2, 3], vec![0, 3, 1]));
    assert_eq!(numbers, Numbers::F64(vec![10.0, 7.0, 5.0]));
}

#[test]
fn s02_sums_of_small_integers_do_not_wrap() {
    let mut entries = csr([1, 1], &[0, 2], &[0, 0], &[]);
    entries[4] = Entry::stored("data.npy", &npy("|u1", "(2,)", &[200, 100]));
    let table = read_ok(&zip(&entries), "x.npz");
    assert_eq!(table.notices[1].to_string(), "uint8 elements were widened to float64");
    assert_eq!(sparse(table).3, Numbers::F64(vec![300.0]));
}

#[test]
fn s03_duplicates_are_summed_before_values_are_judged() {
    let file = zip(&csr([1, 2], &[0, 2], &[1, 1], &[5.0, -5.0]));
    assert_eq!(sparse(read_ok(&file, "x.npz")).3, Numbers::F64(vec![0.0]));
}

#[test]
fn s05_index_out_of_range() {
    for index in [3, 4700, 2_000_000_000, -1, 1 << 40] {
        let file = zip(&csr([2, 3], &[0, 1, 3], &[2, 0, index], &[1.0, 2.0, 3.0]));
        let (code, text) = fail(&file, "x.npz");
        assert_eq!(code, "E-SPARSE");
        let expected = format!("row 1: column index {index} out of range (n = 3), entry 2");
        assert!(text.ends_with(&expected), "{text}");
    }
}

#[test]
fn s06_indptr_is_checked() {
    let cases: [(&[i64], &str); 6] = [
        (&[0, 2, 1, 3], "indptr[2] = 1 is less than indptr[1] = 2"),
        (&[0, -1, 1, 3], "indptr[1] = -1 is less than indptr[0] = 0"),
        (&[1, 1, 2, 3], "indptr[0] = 1, expected 0"),
        (&[0, 1, 2, 4], "indptr[3] = 4, expected 3"),
        (&[0, 1, 3], "indptr has 3 elements, expected 4 (rows + 1)"),
        (&[], "indptr has 0 elements, expected 4 (rows + 1)"),
    ];
    for (indptr, shown) in cases {
        let (code, text) = fail(&zip(&csr([3, 3], indptr, &[0, 1, 2], &[1.0; 3])), "x.npz");
        assert_eq!(code, "E-SPARSE");
        assert!(text.contains(shown), "{text}");
    }
}

#[test]
fn s07_data_and_indices_differ_in_length() {
    let (code, text) = fail(&zip(&csr([1, 3], &[0, 2], &[0, 1], &[1.0; 3])), "x.npz");
    assert_eq!(code, "E-SPARSE");
    assert!(text.contains("data has 3 elements, expected 2 as in indices"), "{text}");
}

#[test]
fn s10_many_rows_need_memory() {
    let file = zip(&coo([1 << 31, 5], &[7], &[1]));
    let (code, text) = fail(&file, "x.npz");
    assert_eq!(code, "E-RESOURCE");
    assert!(text.contains("2147483648 rows") && text.contains("17179869192 bytes"), "{text}");
    let (code, text) = fail(&zip(&csr([1, 1 << 33], &[0, 0], &[], &[])), "x.npz");
    assert_eq!(code, "E-SHAPE");
    assert!(text.contains("(1, 8589934592)"), "{text}");
}

#[test]
fn s11_formats_that_are_not_read() {
    for name in ["bsr", "dia"] {
        let error = read(&data(&format!("{name}.npz")), &ReadOptions::default()).unwrap_err();
        assert_eq!((error.code(), error.exit_code()), ("E-SPARSE", 3));
        let shown = format!("sparse format '{name}' is not read; supported are csr, csc, coo");
        assert!(error.to_string().contains(&shown), "{error}");
    }
}

#[test]
fn s13_no_stored_entry() {
    let table = read_ok(&zip(&csr([2, 3], &[0, 0, 0], &[], &[])), "x.npz");
    assert_eq!((table.rows, table.cols, table.stored()), (2, 3, 0));
    assert_eq!(fail(&zip(&csr([0, 3], &[0], &[], &[])), "x.npz").0, "E-EMPTY");
}

#[test]
fn s16_big_endian_indices() {
    let mut entries = good();
    let swapped: Vec<u8> = [2i32, 0, 1].iter().flat_map(|x| x.to_be_bytes()).collect();
    entries[0] = Entry::stored("indices.npy", &npy(">i4", "(3,)", &swapped));
    assert_eq!(sparse(read_ok(&zip(&entries), "x.npz")).2, [2, 0, 1]);
}

fn coo(shape: [i64; 2], row: &[i64], col: &[i64]) -> Vec<Entry> {
    vec![
        Entry::stored("row.npy", &integers(row)),
        Entry::stored("col.npy", &integers(col)),
        Entry::stored("format.npy", &npy("<U3", "()", b"c\0\0\0o\0\0\0o\0\0\0")),
        Entry::stored("shape.npy", &integers(&shape)),
        Entry::stored("data.npy", &doubles(&vec![1.0; row.len()])),
    ]
}

#[test]
fn coordinates_are_checked_and_sorted() {
    let table = read_ok(&zip(&coo([3, 2], &[2, 0, 2, 2], &[1, 0, 0, 1])), "x.npz");
    assert_eq!(table.notices, [Notice::DuplicatesSummed { count: 1 }]);
    let (layout, indptr, indices, numbers) = sparse(table);
    assert_eq!((layout, indptr, indices), (Layout::Csr, vec![0, 1, 1, 3], vec![0, 0, 1]));
    assert_eq!(numbers, Numbers::F64(vec![1.0, 1.0, 2.0]));
    let cases: [(&[i64], &[i64], &str); 4] = [
        (&[3], &[0], "row index 3 out of range (m = 3), entry 0"),
        (&[0, -1], &[0, 0], "row index -1 out of range (m = 3), entry 1"),
        (&[0, 1], &[0, 2], "row 1: column index 2 out of range (n = 2), entry 1"),
        (&[0, 1], &[0], "col has 1 elements, expected 2"),
    ];
    for (row, col, shown) in cases {
        let (code, text) = fail(&zip(&coo([3, 2], row, col)), "x.npz");
        assert_eq!(code, "E-SPARSE");
        assert!(text.contains(shown), "{text}");
    }
}

#[test]
fn f20_bomb_is_refused_by_its_declared_size() {
    let mut bomb = Entry::deflated("data.npy", &vec![0; 1 << 21]);
    bomb.size = 1 << 31;
    let mut entries = good();
    entries[4] = bomb;
    let (code, text) = fail(&zip(&entries), "x.npz");
    assert_eq!(code, "E-RESOURCE");
    assert!(text.contains("2147483648 bytes, the limit is 268435456"), "{text}");
    assert!(text.contains("data.npy (expands"), "{text}");
}

#[test]
fn f20_true_bomb_is_refused() {
    let options = ReadOptions { memory_limit: Some(1 << 20), ..ReadOptions::default() };
    let array = npy("|u1", "(2048, 1024)", &vec![0; 1 << 21]);
    let file = zip(&[Entry::deflated("x.npy", &array)]);
    assert!(file.len() < 5000);
    let error = read_from(file.clone(), "x.npz", &options).unwrap_err();
    assert_eq!((error.code(), error.exit_code()), ("E-RESOURCE", 5));
    assert_eq!(read_ok(&file, "x.npz").stored(), 1 << 21);
}

#[test]
fn f21_declared_size_differs_from_the_content() {
    let array = npy("<f8", "(1, 2)", &[0; 16]);
    let whole = u32::try_from(array.len()).unwrap();
    for size in [whole - 8, whole - 1, whole + 1, whole + 8, whole * 900] {
        let file = zip(&[Entry { size, ..Entry::deflated("x.npy", &array) }]);
        let (code, text) = fail(&file, "x.npz");
        assert_eq!(code, "E-FILE", "{size}: {text}");
        assert!(text.contains("x.npy"), "{text}");
    }
    let file = zip(&[Entry { size: 100_000_000, ..Entry::deflated("x.npy", &array) }]);
    assert!(fail(&file, "x.npz").1.contains("declare to expand to 100000000"));
}

#[test]
fn f22_many_overlapping_or_nested_entries() {
    let many: Vec<Entry> = (0..60_000).map(|i| Entry::stored(&format!("{i}.npy"), b"")).collect();
    let (code, text) = fail(&zip(&many), "x.npz");
    assert_eq!(code, "E-FILE");
    assert!(text.contains("60000 entries"), "{text}");
    // Two directory records that point to the same bytes.
    let mut file = zip(&[Entry::stored("a.npy", b"1234"), Entry::stored("b.npy", b"1234")]);
    let second = file.windows(4).rposition(|w| w == b"PK\x01\x02").unwrap();
    file[second + 42..second + 46].copy_from_slice(&0u32.to_le_bytes());
    assert_eq!(fail(&file, "x.npz").0, "E-FILE");
    let nested = zip(&[Entry::stored("x.npy", &zip(&good()))]);
    let (code, text) = fail(&nested, "x.npz");
    assert_eq!(code, "E-FILE");
    assert!(text.contains("x.npy byte 0: found first bytes 'PK"), "{text}");
}

#[test]
fn f22_a_directory_of_millions_is_not_read() {
    let mut file = b"PK\x03\x04".to_vec();
    file.extend(b"PK\x06\x06");
    file.extend([0; 28]);
    file.extend(1_000_000u64.to_le_bytes());
    file.extend([0; 16]);
    file.extend(b"PK\x06\x07");
    file.extend([0; 16]);
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend([0xff; 12]);
    file.extend([0, 0]);
    let (code, text) = fail(&file, "x.npz");
    assert_eq!(code, "E-FILE");
    assert!(text.contains("1000000 entries, expected at most 64"), "{text}");
    file[36..44].copy_from_slice(&3u64.to_le_bytes());
    assert_eq!(fail(&file, "x.npz").0, "E-FILE");
}

#[test]
fn f23_names_that_would_leave_the_folder() {
    let array = npy("<f8", "(1, 2)", &[0; 16]);
    for name in
        ["../../evil.npy", "/abs.npy", "C:\\x.npy", "a/b.npy", "..", "x\0.npy", "\x1b[2J.npy"]
    {
        let (code, text) = fail(&zip(&[Entry::stored(name, &array)]), "x.npz");
        assert_eq!(code, "E-FILE");
        assert!(text.contains("plain names"), "{text}");
        assert!(!text.contains(['\0', '\x1b']), "{text:?}");
    }
    let link = Entry { mode: 0o120_777, ..Entry::stored("x.npy", b"/etc/passwd") };
    assert_eq!(fail(&zip(&[link]), "x.npz").0, "E-FILE");
}

#[test]
fn f24_duplicate_names() {
    let mut entries = good();
    entries.push(Entry::stored("data.npy", &doubles(&[7.0, 8.0, 9.0])));
    let (code, text) = fail(&zip(&entries), "x.npz");
    assert_eq!(code, "E-FILE");
    assert!(text.contains("duplicate"), "{text}");
}

#[test]
fn f25_missing_parts_and_wrong_shapes() {
    for missing in ["indices.npy", "indptr.npy", "format.npy", "shape.npy", "data.npy"] {
        let entries: Vec<Entry> =
            good().into_iter().filter(|e| e.name != missing.as_bytes()).collect();
        let (code, text) = fail(&zip(&entries), "x.npz");
        assert_eq!(code, "E-SPARSE");
        assert!(text.contains(&format!("{missing} is missing")), "{text}");
    }
    let mut entries = good();
    entries[0] = Entry::stored("indices.npy", &doubles(&[0.0, 1.0, 2.0]));
    let (code, text) = fail(&zip(&entries), "x.npz");
    assert_eq!(code, "E-SPARSE");
    assert!(
        text.contains("indices is an array of float64, expected an array of integers"),
        "{text}"
    );
    let mut entries = good();
    entries[1] = Entry::stored("indptr.npy", &npy("<i8", "(3, 1)", &[0; 24]));
    assert!(fail(&zip(&entries), "x.npz").1.contains("indptr is an array of shape (3, 1)"));
    let mut entries = good();
    entries[3] = Entry::stored("shape.npy", &integers(&[2, -3]));
    assert!(fail(&zip(&entries), "x.npz").1.contains("shape is -3"));
    entries[3] = Entry::stored("shape.npy", &integers(&[2, 3, 4]));
    assert_eq!(fail(&zip(&entries), "x.npz").0, "E-SHAPE");
}

#[test]
fn f26_encrypted_or_unknown_compression() {
    let array = npy("<f8", "(1, 2)", &[0; 16]);
    let file = zip(&[Entry { flags: 1, ..Entry::stored("x.npy", &array) }]);
    let (code, text) = fail(&file, "x.npz");
    assert_eq!(code, "E-FILE");
    assert!(text.contains("encrypted"), "{text}");
    let file = zip(&[Entry { method: 14, ..Entry::stored("x.npy", &array) }]);
    let (code, text) = fail(&file, "x.npz");
    assert_eq!(code, "E-FILE");
    assert!(text.contains("method") && text.to_lowercase().contains("lzma"), "{text}");
}

#[test]
fn f27_damaged_archives() {
    let array = npy("<f8", "(1, 2)", &[0; 16]);
    let mut entry = Entry::stored("x.npy", &array);
    entry.crc ^= 1;
    let (code, text) = fail(&zip(&[entry]), "x.npz");
    assert_eq!(code, "E-FILE");
    assert!(text.to_lowercase().contains("checksum"), "{text}");
    let whole = zip(&good());
    let mut junk = b"junk".to_vec();
    junk.extend(&whole);
    assert_eq!(fail(&junk, "x.npz").0, "E-FILE");
    for cut in 0..whole.len() {
        assert_eq!(fail(&whole[..cut], "x.npz").0, "E-FILE", "{cut}");
    }
}

#[test]
fn f29_content_decides_not_the_name() {
    let table = read_ok(&npy("<f8", "(1, 2)", &[0; 16]), "x.npz");
    assert_eq!(table.notices[0].to_string(), "read as npy, although the name ends in .npz");
    let table = read_ok(&zip(&good()), "x.csv");
    assert_eq!(table.notices[0].to_string(), "read as npz, although the name ends in .csv");
    for pickle in [&b"\x80\x04\x95"[..], b"\x80\x02}q"] {
        let (code, text) = fail(pickle, "x.npz");
        assert_eq!(code, "E-FILE");
        assert!(text.contains("pickle files are never opened"), "{text}");
    }
}

#[test]
fn every_bit_flip_is_an_error_or_a_checked_matrix() {
    let whole = zip(&good());
    for bit in 0..whole.len() * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let _ = read_from(flipped, "x.npz", &ReadOptions::default());
    }
}
