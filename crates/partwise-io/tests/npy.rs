//! NumPy arrays: rows F01 to F16 of the torture list, and files written by NumPy.
#![allow(clippy::unwrap_used)]

mod common;

use common::{data, fail, npy, npy_with, read_ok};
use partwise_io::{DType, Notice, Numbers, Order, ReadOptions, Values, read, read_from};

fn dict(descr: &str, shape: &str) -> String {
    format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}")
}

#[test]
fn f01_not_an_npy_file() {
    for (bytes, shown) in [(&b""[..], "''"), (b"hello", "'hello'"), (b"\x93NUMPX\x01\0", "damaged")]
    {
        let (code, text) = fail(bytes, "x.npy");
        assert_eq!(code, "E-FILE");
        assert!(text.contains(shown), "{text}");
    }
    let (_, text) = fail(b"hello", "x.npy");
    assert_eq!(text, "x.npy: found first bytes 'hello', expected an npy file");
    assert_eq!(
        read_from(b"hello".to_vec(), "x.npy", &ReadOptions::default()).unwrap_err().exit_code(),
        4
    );
}

#[test]
fn f02_damaged_headers_are_refused_with_an_offset() {
    let whole = npy("<f8", "(1, 2)", &[0; 16]);
    for cut in 6..whole.len() - 16 {
        let (code, text) = fail(&whole[..cut], "x.npy");
        assert_eq!(code, "E-FILE", "{cut}: {text}");
        assert!(text.contains(&format!("byte {cut}")), "{cut}: {text}");
    }
    let cases = [
        ("[1, 2]\n", "byte 10: found '[1, 2]', expected '{'"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2)}", "without final newline"),
        (
            "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), 'x': 1}\n",
            "byte 68: found key 'x'",
        ),
        ("{'descr': '<f8', 'shape': (1, 2)}\n", "no key 'fortran_order'"),
        (
            "{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (1, 2)}\n",
            "byte 27: found key 'descr' a second time",
        ),
        ("{'descr': '<f8', 'fortran_order': 0, 'shape': (1, 2)}\n", "expected True or False"),
        (
            "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2)} x\n",
            "expected the end of the header",
        ),
    ];
    for (header, shown) in cases {
        let (code, text) = fail(&npy_with(header, &[0; 16]), "x.npy");
        assert_eq!(code, "E-FILE");
        assert!(text.contains(shown), "{text}");
    }
}

#[test]
fn f03_header_length_claims_more_than_the_file() {
    let mut bytes = b"\x93NUMPY\x02\0".to_vec();
    bytes.extend(0xffff_fff0_u32.to_le_bytes());
    let (code, text) = fail(&bytes, "x.npy");
    assert_eq!(code, "E-FILE");
    assert!(text.contains("4294967280 bytes") && text.contains("at most 65536"), "{text}");
}

#[test]
fn f04_shape_claims_more_than_the_file() {
    let bytes = npy("<f8", "(1000000000, 1000000000)", &[0; 64]);
    let (code, text) = fail(&bytes, "x.npy");
    assert_eq!(code, "E-FILE");
    assert!(text.contains("needs 8000000000000000000 data bytes, found 64"), "{text}");
    assert!(text.contains("(1000000000, 1000000000)"), "{text}");
}

#[test]
fn f05_shape_product_overflows() {
    let (code, text) = fail(&npy("<f8", "(4294967296, 4294967296)", &[]), "x.npy");
    assert_eq!(code, "E-FILE");
    assert!(text.contains("overflows"), "{text}");
}

#[test]
fn f06_large_claim_is_not_allocated() {
    let (code, text) = fail(&npy("<f8", "(536870912, 1)", &[0; 64]), "x.npy");
    assert_eq!(code, "E-FILE");
    assert!(text.contains("needs 4294967296 data bytes, found 64"), "{text}");
}

#[test]
fn f07_dimensions_that_are_not_sizes() {
    for (shape, token) in [("(-1, 5)", "'-1'"), ("(1.5, 2)", "'1.5'"), ("(True, 2)", "'True'")] {
        let (code, text) = fail(&npy("<f8", shape, &[0; 16]), "x.npy");
        assert_eq!(code, "E-FILE");
        assert!(text.contains(token), "{text}");
    }
    let table = read_ok(&npy("<f8", "(np.int64(2), 1)", &[0; 16]), "x.npy");
    assert_eq!((table.rows, table.cols), (2, 1));
}

#[test]
fn f08_truncated_data() {
    let whole = npy("<f8", "(100, 100)", &[0; 80_000]);
    for (cut, found) in [(1, 79_999), (8, 79_992)] {
        let (code, text) = fail(&whole[..whole.len() - cut], "x.npy");
        assert_eq!(code, "E-FILE");
        assert!(text.contains(&format!("needs 80000 data bytes, found {found}")), "{text}");
    }
}

#[test]
fn f09_trailing_bytes_are_noticed() {
    let table = read_ok(&npy("<f8", "(1, 2)", &[0; 19]), "x.npy");
    assert_eq!(table.notices, [Notice::TrailingBytes { count: 3 }]);
}

#[test]
fn f10_every_type_and_byte_order() {
    let names = [
        ("f4le", DType::F32),
        ("f8le", DType::F64),
        ("f4be", DType::F32),
        ("f8be", DType::F64),
        ("f2le", DType::F32),
        ("i1", DType::I8),
        ("u1", DType::U8),
        ("i2le", DType::I16),
        ("i2be", DType::I16),
        ("u2le", DType::U16),
        ("i4le", DType::I32),
        ("u4be", DType::U32),
        ("i8le", DType::I64),
        ("i8be", DType::I64),
        ("u8le", DType::U64),
        ("version2", DType::F64),
    ];
    for (name, dtype) in names {
        let table = read(&data(&format!("{name}.npy")), &ReadOptions::default()).unwrap();
        assert_eq!((table.rows, table.cols, table.notices.len()), (2, 3, 0), "{name}");
        assert_eq!(table.numbers().dtype(), dtype, "{name}");
        let Values::Dense { numbers, order } = table.values else { panic!("{name} is dense") };
        assert_eq!(order, Order::RowMajor);
        assert_eq!(numbers.into_f64(), (vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0], None), "{name}");
    }
    let table = read(&data("bool.npy"), &ReadOptions::default()).unwrap();
    assert_eq!(table.numbers(), &Numbers::Bool(vec![false, true, false, true, false, true]));
}

#[test]
fn f11_types_that_are_no_numbers() {
    let cases = [
        ("object", "never opened"),
        ("text", "text"),
        ("complex", "complex"),
        ("dates", "dates"),
        ("structured", "structured"),
    ];
    for (name, shown) in cases {
        let error = read(&data(&format!("{name}.npy")), &ReadOptions::default()).unwrap_err();
        assert_eq!((error.code(), error.exit_code()), ("E-TYPE", 3), "{name}");
        assert!(error.to_string().contains(shown), "{error}");
    }
    for descr in ["|V8", "<f16", "|f8", "<i3", "<b1x", ""] {
        assert_eq!(fail(&npy(descr, "(1, 1)", &[0; 16]), "x.npy").0, "E-TYPE", "{descr}");
    }
}

#[test]
fn f12_fortran_order() {
    let table = read(&data("fortran.npy"), &ReadOptions::default()).unwrap();
    let expected = Numbers::F64(vec![0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
    assert_eq!(table.values, Values::Dense { numbers: expected, order: Order::ColumnMajor });
}

#[test]
fn f13_not_two_dimensions_or_empty() {
    for shape in ["()", "(4,)", "(1, 2, 2)"] {
        let (code, text) = fail(&npy("<f8", shape, &[0; 32]), "x.npy");
        assert_eq!(code, "E-SHAPE");
        assert!(text.contains(shape), "{text}");
    }
    for (shape, shown) in [("(0, 5)", "0 rows, 5 columns"), ("(5, 0)", "5 rows, 0 columns")] {
        let (code, text) = fail(&npy("<f8", shape, &[]), "x.npy");
        assert_eq!(code, "E-EMPTY");
        assert!(text.contains(shown), "{text}");
    }
}

#[test]
fn f14_boolean_byte_out_of_range() {
    let (code, text) = fail(&npy("|b1", "(1, 4)", &[0, 1, 2, 1]), "x.npy");
    assert_eq!(code, "E-DATA");
    assert!(text.contains("data[2]: found byte 2"), "{text}");
}

#[test]
fn f15_hostile_headers_are_only_read() {
    let nested =
        format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {}", "(".repeat(50_000));
    let deep = npy_with(&format!("{nested}\n"), &[]);
    assert_eq!(fail(&deep, "x.npy").0, "E-FILE");
    for value in ["__import__('os').system('true')", "\u{ff11}", "'a'"] {
        let (code, text) = fail(&npy_with(&format!("{}\n", dict("<f8", value)), &[]), "x.npy");
        assert_eq!(code, "E-FILE");
        assert!(text.contains("expected '('"), "{text}");
    }
    assert_eq!(
        fail(&npy_with(&format!("{}\n", dict("<f\u{e9}", "(1, 1)")), &[]), "x.npy").0,
        "E-FILE"
    );
}

#[test]
fn f16_too_many_dimensions() {
    let shape = format!("({})", "1,".repeat(30_000));
    let (code, text) = fail(&npy("<f8", &shape, &[0; 8]), "x.npy");
    assert_eq!(code, "E-FILE");
    assert!(text.contains("at most 64 dimensions"), "{text}");
}

#[test]
fn nan_and_negative_values_are_left_to_the_engine() {
    let bytes: Vec<u8> =
        [f64::NAN, -1.0, f64::INFINITY].iter().flat_map(|x| x.to_le_bytes()).collect();
    let (values, _) = match read_ok(&npy("<f8", "(1, 3)", &bytes), "x.npy").values {
        Values::Dense { numbers, .. } => numbers.into_f64(),
        Values::Sparse { .. } => panic!("dense expected"),
    };
    assert!(values[0].is_nan() && values[1] == -1.0 && values[2].is_infinite());
}

#[test]
fn more_than_the_memory_limit() {
    let options = ReadOptions { memory_limit: Some(79_999), ..ReadOptions::default() };
    let bytes = npy("<f8", "(100, 100)", &[0; 80_000]);
    let error = read_from(bytes, "x.npy", &options).unwrap_err();
    assert_eq!((error.code(), error.exit_code()), ("E-RESOURCE", 5));
    assert!(error.to_string().contains("80000 bytes, the limit is 79999"), "{error}");
}

#[test]
fn files_that_cannot_be_opened() {
    for (path, shown) in
        [("no/such/file.npy", "cannot open"), (env!("CARGO_MANIFEST_DIR"), "directory")]
    {
        let error = read(path.as_ref(), &ReadOptions::default()).unwrap_err();
        assert_eq!((error.code(), error.exit_code()), ("E-FILE", 4));
        assert!(error.to_string().contains(shown) && error.to_string().contains(path), "{error}");
    }
}
