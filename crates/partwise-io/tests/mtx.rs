//! Matrix Market: rows F30 to F44 of the torture list, gzip rows F28 and F29, and files written by
//! SciPy.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::Write;

use common::{data, fail, read_ok};
use partwise_io::{Layout, Notice, Numbers, Order, ReadOptions, Table, Values, read, read_from};

const REAL: &str = "%%MatrixMarket matrix coordinate real general\n";

fn sparse(table: Table) -> (Vec<u64>, Vec<u32>, Vec<f64>) {
    match table.values {
        Values::Sparse { layout, indptr, indices, numbers } => {
            assert_eq!(layout, Layout::Csr);
            (indptr, indices, numbers.into_f64().0)
        }
        Values::Dense { .. } => panic!("sparse expected"),
    }
}

fn real(body: &str) -> Vec<u8> {
    format!("{REAL}{body}").into_bytes()
}

/// Code and text for a file with these lines below the banner.
fn refused(body: &str) -> (&'static str, String) {
    fail(&real(body), "x.mtx")
}

#[test]
fn files_written_by_scipy() {
    let whole = (vec![0, 2, 2, 4], vec![1, 3, 0, 2]);
    for (name, values) in [
        ("coordinate", vec![1.0, 2.0, 3.0, 4.5]),
        ("integer", vec![1.0, 2.0, 3.0, 4.0]),
        ("pattern", vec![1.0; 4]),
    ] {
        let table = read(&data(&format!("{name}.mtx")), &ReadOptions::default()).unwrap();
        assert_eq!((table.rows, table.cols, table.notices.len()), (3, 4, 0));
        assert_eq!(sparse(table), (whole.0.clone(), whole.1.clone(), values), "{name}");
    }
    let table = read(&data("array.mtx"), &ReadOptions::default()).unwrap();
    let values = vec![0.0, 0.0, 3.0, 1.0, 0.0, 0.0, 0.0, 0.0, 4.5, 2.0, 0.0, 0.0];
    let numbers = Numbers::F64(values);
    assert_eq!(table.values, Values::Dense { numbers, order: Order::ColumnMajor });
    let table = read(&data("symmetric.mtx"), &ReadOptions::default()).unwrap();
    let (indptr, indices, values) = sparse(table);
    assert_eq!((indptr, indices), (vec![0, 2, 4, 6], vec![0, 1, 0, 2, 1, 2]));
    assert_eq!(values, [2.0, 1.0, 1.0, 3.0, 3.0, 5.0]);
}

#[test]
fn f30_the_banner() {
    for banner in [
        "2 2 1",
        "%MatrixMarket matrix coordinate real general",
        " %%MatrixMarket matrix coordinate real general",
        "",
    ] {
        let (code, text) = fail(format!("{banner}\n2 2 1\n1 1 1\n").as_bytes(), "x.mtx");
        assert_eq!(code, "E-FILE");
        assert!(
            text.contains("line 1: found '") && text.ends_with("expected %%MatrixMarket"),
            "{text}"
        );
    }
    let upper = REAL.to_uppercase() + "2 2 1\n1 1 1\n";
    assert_eq!(read_ok(upper.as_bytes(), "x.mtx").stored(), 1);
    let wrong = "%%MatrixMarket matrix coordinate reel general\n";
    let (_, text) = fail(wrong.as_bytes(), "x.mtx");
    assert!(text.contains("line 1: found 'reel', expected real, double"), "{text}");
}

#[test]
fn f31_byte_order_mark_and_crlf() {
    let text = format!("\u{feff}{REAL}2 2 1\n1 2 3.5\n").replace('\n', "\r\n");
    assert_eq!(sparse(read_ok(text.as_bytes(), "x.mtx")), (vec![0, 1, 1], vec![1], vec![3.5]));
}

#[test]
fn f32_rows_beyond_memory() {
    let (code, text) = refused("1000000000000000000 1 1\n1 1 1\n");
    assert_eq!(code, "E-RESOURCE");
    assert!(
        text.contains("1000000000000000000 rows") && text.contains("8000000000000000008 bytes"),
        "{text}"
    );
}

#[test]
fn f33_entries_are_not_allocated_on_a_claim() {
    for count in ["1000000000000000", "500000000"] {
        let (code, text) = refused(&format!("2 2 {count}\n1 1 1\n"));
        assert_eq!(code, "E-FILE");
        assert!(
            text.contains(&format!(
                "line 3: the file ends too early: it needs {count} entries, found 1"
            )),
            "{text}"
        );
    }
}

#[test]
fn f34_array_beyond_memory() {
    let array = "%%MatrixMarket matrix array real general\n";
    let (code, text) = fail(format!("{array}1000000 1000000\n1\n").as_bytes(), "x.mtx");
    assert_eq!(code, "E-RESOURCE");
    assert!(text.contains("1000000 x 1000000 needs 8000000000000 bytes"), "{text}");
    let (code, text) = fail(format!("{array}100 100\n1\n").as_bytes(), "x.mtx");
    assert_eq!(code, "E-FILE");
    assert!(text.contains("needs 10000 values, found 1"), "{text}");
}

#[test]
fn f35_index_out_of_range() {
    for index in ["0", "4", "-1", "1.5", "18446744073709551616"] {
        let (code, text) = refused(&format!("3 2 1\n{index} 1 1.0\n"));
        assert_eq!(code, "E-FILE");
        let shown = format!(
            "line 3: found row index '{index}', expected one in the range 1..3 (Matrix Market is 1-based)"
        );
        assert!(text.contains(&shown), "{text}");
        assert!(refused(&format!("2 3 1\n1 {index} 1.0\n")).1.contains("column index"));
    }
}

#[test]
fn f36_wrong_number_of_entries() {
    let (code, text) = refused("2 2 2\n1 1 1\n1 2 1\n2 1 1\n2 2 1\n");
    assert_eq!(code, "E-FILE");
    assert!(text.contains("found 4 entries, expected 2 as line 2 says"), "{text}");
    assert!(refused("2 2 3\n1 1 1\n").1.contains("needs 3 entries, found 1"));
}

#[test]
fn f37_duplicates_are_summed() {
    let table = read_ok(&real("2 2 4\n2 1 1\n1 1 2\n2 1 3\n2 1 4\n"), "x.mtx");
    assert_eq!(table.notices, [Notice::DuplicatesSummed { count: 2 }]);
    assert_eq!(sparse(table), (vec![0, 1, 2], vec![0, 0], vec![2.0, 8.0]));
}

#[test]
fn f38_pattern_entries_are_ones() {
    let text = "%%MatrixMarket matrix coordinate pattern symmetric\n2 2 2\n1 1\n2 1\n";
    let table = read_ok(text.as_bytes(), "x.mtx");
    assert_eq!(sparse(table), (vec![0, 2, 3], vec![0, 1, 0], vec![1.0; 3]));
    let valued = "%%MatrixMarket matrix coordinate pattern general\n2 2 1\n1 1 5\n";
    assert!(fail(valued.as_bytes(), "x.mtx").1.contains("line 3: found '5', expected the end"));
}

#[test]
fn f39_symmetries() {
    let with = |symmetry: &str, body: &str| REAL.replace("general", symmetry) + body;
    for symmetry in ["symmetric", "hermitian"] {
        let table = read_ok(with(symmetry, "2 2 2\n1 1 5\n2 1 3\n").as_bytes(), "x.mtx");
        assert_eq!(sparse(table), (vec![0, 2, 3], vec![0, 1, 0], vec![5.0, 3.0, 3.0]));
    }
    let table = read_ok(with("skew-symmetric", "2 2 1\n2 1 3\n").as_bytes(), "x.mtx");
    assert_eq!(sparse(table), (vec![0, 1, 2], vec![1, 0], vec![-3.0, 3.0]));
    let (code, text) = fail(with("symmetric", "2 2 2\n2 1 3\n1 2 3\n").as_bytes(), "x.mtx");
    assert_eq!(code, "E-FILE");
    assert!(
        text.contains("line 4: found entry (1, 2), expected entries of the lower triangle"),
        "{text}"
    );
    assert_eq!(fail(with("skew-symmetric", "2 2 1\n1 1 3\n").as_bytes(), "x.mtx").0, "E-FILE");
    let (code, text) = fail(with("symmetric", "2 3 1\n2 1 3\n").as_bytes(), "x.mtx");
    assert_eq!(code, "E-FILE");
    assert!(text.contains("line 2: found 2 rows and 3 columns"), "{text}");
    let complex = REAL.replace("real", "complex") + "1 1 1\n1 1 1 0\n";
    assert_eq!(fail(complex.as_bytes(), "x.mtx").0, "E-TYPE");
    let array = "%%MatrixMarket matrix array integer skew-symmetric\n3 3\n1\n2\n3\n";
    let Values::Dense { numbers, .. } = read_ok(array.as_bytes(), "x.mtx").values else { panic!() };
    assert_eq!(numbers, Numbers::I64(vec![0, 1, 2, -1, 0, 3, -2, -3, 0]));
}

#[test]
fn f40_values_that_are_no_finite_numbers() {
    for value in ["nan", "-NaN", "inf", "Infinity", "1e999", "1D999", "0x1p3", "1,5", "abc", ""] {
        let (code, text) = refused(&format!("2 2 2\n1 1 1\n2 2 {value}\n"));
        assert_eq!(code, "E-DATA", "{value}");
        assert!(text.contains(&format!("line 4, field 3: found '{value}'")), "{text}");
    }
    let table = read_ok(&real("2 2 4\n1 1 1D5\n1 2 1e-999\n2 1 -2d-1\n2 2 0e5\n"), "x.mtx");
    assert_eq!(table.notices, [Notice::Underflow { count: 1, line: 4, field: 3 }]);
    assert_eq!(sparse(table).2, [1e5, 0.0, -0.2, 0.0]);
}

#[test]
fn f41_trailing_junk() {
    let (code, text) = refused("2 2 1\n1 1 1.0 junk\n");
    assert_eq!(code, "E-FILE");
    assert!(text.contains("line 3: found 'junk', expected the end of the line"), "{text}");
    assert!(refused("2 2 1 7\n1 1 1.0\n").1.contains("line 2: found '7'"));
}

#[test]
fn f42_blank_lines_comments_tabs_and_no_final_newline() {
    let body = "% one\n\n%two\n 2\t2   1 \n\n% three\n \t1\t 2  7.5 ";
    assert_eq!(sparse(read_ok(&real(body), "x.mtx")), (vec![0, 1, 1], vec![1], vec![7.5]));
}

#[test]
fn f43_integers_out_of_range() {
    let banner = REAL.replace("real", "integer");
    for value in ["9223372036854775808", "1.5", &"9".repeat(400)] {
        let text = format!("{banner}1 1 1\n1 1 {value}\n");
        let (code, text) = fail(text.as_bytes(), "x.mtx");
        assert_eq!(code, "E-DATA");
        assert!(text.contains("line 3, field 3: found '") && text.len() < 200, "{text}");
    }
    let digits = "9".repeat(2 << 20);
    let (code, text) = fail(format!("{banner}1 1 1\n1 1 {digits}\n").as_bytes(), "x.mtx");
    assert_eq!(code, "E-FILE");
    assert!(text.contains("line 3: found a longer line, expected at most 1048576 bytes"), "{text}");
}

#[test]
fn f44_one_long_line() {
    let (code, text) = fail(&vec![b'%'; 100 << 20], "x.mtx");
    assert_eq!(code, "E-FILE");
    assert!(text.contains("line 1: found a longer line"), "{text}");
}

#[test]
fn empty_matrices() {
    assert_eq!(refused("0 2 0\n").0, "E-EMPTY");
    assert_eq!(refused("").0, "E-FILE");
    assert_eq!(sparse(read_ok(&real("2 2 0\n"), "x.mtx")), (vec![0, 0, 0], vec![], vec![]));
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn f28_gzip() {
    let text = real("2 2 2\n1 1 1\n2 2 2\n");
    let whole = gzip(&text);
    assert_eq!(read_ok(&whole, "x.mtx.gz").stored(), 2);
    for cut in 10..whole.len() {
        assert_eq!(fail(&whole[..cut], "x.mtx.gz").0, "E-FILE", "{cut}");
    }
    let mut crc = whole.clone();
    let at = crc.len() - 8;
    crc[at] ^= 1;
    let (code, message) = fail(&crc, "x.mtx.gz");
    assert_eq!(code, "E-FILE");
    assert!(message.contains("cannot decompress"), "{message}");
    let mut garbage = whole.clone();
    garbage.extend(b"garbage!!!");
    assert_eq!(fail(&garbage, "x.mtx.gz").0, "E-FILE");
    let (head, tail) = text.split_at(text.len() / 2);
    let members = [gzip(head), gzip(b""), gzip(tail)].concat();
    assert_eq!(read_ok(&members, "x.mtx.gz").stored(), 2);
}

#[test]
fn f28_gzip_bomb() {
    let options = ReadOptions { memory_limit: Some(1 << 20), ..ReadOptions::default() };
    for line in ["%\n", "\n"] {
        let bomb = gzip(&real(&line.repeat(8 << 20)));
        let error = read_from(bomb, "x.mtx.gz", &options).unwrap_err();
        assert_eq!((error.code(), error.exit_code()), ("E-RESOURCE", 5));
        assert!(error.to_string().contains("the decompressed text needs"), "{error}");
    }
}

#[test]
fn f29_content_decides_not_the_name() {
    let text = real("1 1 1\n1 1 1\n");
    let other = |bytes: &[u8], name| {
        read_ok(bytes, name).notices.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(other(&text, "x.mtx"), [""; 0]);
    assert_eq!(other(&text, "x.csv"), ["read as Matrix Market, although the name ends in .csv"]);
    assert_eq!(other(&text, "x.mtx.gz"), ["read as Matrix Market, although the name ends in .gz"]);
    assert_eq!(other(&gzip(&text), "x.mtx"), ["read as gzip, although the name ends in .mtx"]);
    assert_eq!(other(&gzip(&text), "x.MTX.GZ"), [""; 0]);
    assert!(
        fail(&gzip(&common::npy("<f8", "(1, 1)", &[0; 8])), "x.npy.gz")
            .1
            .contains("npy inside gzip")
    );
}

#[test]
fn f28_gzip_bomb_of_one_line() {
    let options = ReadOptions { memory_limit: Some(8 << 20), ..ReadOptions::default() };
    let bomb = gzip("0,".repeat(8 << 20).as_bytes());
    let error = read_from(bomb, "x.csv.gz", &options).unwrap_err();
    assert_eq!(error.code(), "E-RESOURCE");
    assert!(error.to_string().contains("line 1 needs"), "{error}");
}

#[test]
fn marks_of_missing_values_are_nan_where_they_may_be() {
    let options = ReadOptions { missing_as_nan: true, ..ReadOptions::default() };
    let read = |text: &str| {
        read_from(text.as_bytes().to_vec(), "x.mtx", &options).map(|table| table.values)
    };
    let array = "%%MatrixMarket matrix array integer symmetric\n2 2\n1\nNaN\n3\n";
    let Ok(Values::Dense { numbers, .. }) = read(array) else { panic!("dense expected") };
    let values = numbers.into_f64().0;
    assert!(values[0] == 1.0 && values[1].is_nan() && values[2].is_nan() && values[3] == 3.0);
    let Ok(Values::Sparse { numbers, .. }) = read(&format!("{REAL}2 2 2\n1 1 NA\n2 2 5\n")) else {
        panic!("sparse expected")
    };
    let values = numbers.into_f64().0;
    assert!(values[0].is_nan() && values[1] == 5.0);
    assert!(read(&format!("{REAL}2 2 1\n1 1 inf\n")).is_err(), "infinity is no mark");
    assert_eq!(refused("2 2 1\n1 1 NA\n").0, "E-DATA");
}
