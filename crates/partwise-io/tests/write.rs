//! Writers: what is written reads back to the same bits, and files appear whole or not at all.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use common::read_ok;
use partwise_io::{
    Named, Numbers, Order, OutputFile, TextStyle, Values, label, write_npy, write_npz, write_text,
};

/// A fresh folder for one test.
fn folder(test: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("partwise-io-{}-{test}", std::process::id()));
    fs::create_dir_all(&path).unwrap();
    path
}

fn files(folder: &PathBuf) -> usize {
    fs::read_dir(folder).unwrap().count()
}

const HARD: [f64; 6] = [0.1, 1e-310, f64::MAX, 5e-324, 0.0, 123_456_789.123_456_79];

#[test]
fn npy_reads_back_bit_for_bit() {
    let mut bytes = Vec::new();
    write_npy(&mut bytes, 2, 3, &HARD).unwrap();
    assert_eq!((bytes.len(), &bytes[118..128]), (128 + 48, &b"         \n"[..]));
    let table = read_ok(&bytes, "x.npy");
    let numbers = Numbers::F64(HARD.to_vec());
    assert_eq!(table.values, Values::Dense { numbers, order: Order::RowMajor });
    let mut bytes = Vec::new();
    write_npy(&mut bytes, 1, 2, &[0.1f32, f32::MIN_POSITIVE]).unwrap();
    assert_eq!(read_ok(&bytes, "x.npy").numbers(), &Numbers::F32(vec![0.1, f32::MIN_POSITIVE]));
    assert!(write_npy(&mut bytes, 2, 2, &[0.0]).is_err());
}

#[test]
fn npz_reads_back_bit_for_bit() {
    let matrix = Named { rows: 2, cols: 3, values: &HARD, row_names: None, col_names: None };
    let mut bytes = Vec::new();
    write_npz(&mut bytes, &matrix).unwrap();
    assert_eq!(read_ok(&bytes, "x.npz").numbers(), &Numbers::F64(HARD.to_vec()));
    let rows: Vec<String> = ["=a", "\u{e9}t\u{e9} \"1\""].map(String::from).to_vec();
    let cols: Vec<String> = ["1", "", " NA"].map(String::from).to_vec();
    for (row_names, col_names) in
        [(Some(&rows[..]), Some(&cols[..])), (Some(&rows[..]), None), (None, Some(&cols[..]))]
    {
        let mut bytes = Vec::new();
        write_npz(&mut bytes, &Named { row_names, col_names, ..matrix }).unwrap();
        let table = read_ok(&bytes, "x.npz");
        assert_eq!(table.numbers(), &Numbers::F64(HARD.to_vec()));
        assert_eq!(table.row_names.as_deref(), row_names);
        assert_eq!(table.col_names.as_deref(), col_names);
    }
    let long = ["x".repeat(1 << 20), String::new()];
    let mut names = vec![String::from("x"); 2000];
    names[7].clone_from(&long[0]);
    let values = vec![0.5; 2000];
    let wide =
        Named { rows: 2000, cols: 1, values: &values, row_names: Some(&names), col_names: None };
    let error = write_npz(Vec::new(), &wide).unwrap_err();
    assert!(error.to_string().contains("1048576 characters; .csv"), "{error}");
    assert!(write_npz(Vec::new(), &Named { row_names: Some(&long), ..matrix }).is_ok());
    assert!(write_npz(Vec::new(), &Named { row_names: Some(&long[..1]), ..matrix }).is_err());
}

#[test]
fn csv_reads_back_bit_for_bit() {
    let rows: Vec<String> = ["r,1", "r \"2\""].map(String::from).to_vec();
    let cols: Vec<String> = ["a", "b\nc", " d"].map(String::from).to_vec();
    let mut bytes = Vec::new();
    let named = |rows, cols, values| Named { rows, cols, values, row_names: None, col_names: None };
    let style = TextStyle::default();
    let matrix = Named { row_names: Some(&rows), col_names: Some(&cols), ..named(2, 3, &HARD) };
    write_text(&mut bytes, &matrix, style).unwrap();
    let table = read_ok(&bytes, "x.csv");
    assert_eq!(table.numbers(), &Numbers::F64(HARD.to_vec()));
    assert_eq!((table.row_names, table.col_names), (Some(rows), Some(cols)));
    let mut bytes = Vec::new();
    let values = [0.1f32, 1e-30, 20.0];
    let matrix = Named { rows: 1, cols: 3, values: &values, row_names: None, col_names: None };
    write_text(&mut bytes, &matrix, style).unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), "0.1,1e-30,20\n");
    let wrong = Named { row_names: Some(&[]), ..named(1, 1, &[0.0]) };
    assert!(write_text(Vec::new(), &wrong, style).is_err());
}

#[test]
fn any_names_read_back_as_they_were_written() {
    const NAMES: [&str; 24] = [
        "=cmd()",
        "+1",
        "-x",
        "@sum",
        "NA",
        "nan",
        "",
        " ",
        "1",
        "2.5",
        "1e5",
        "2021-03-04",
        "#a",
        "%b",
        "\u{feff}c",
        "sep=,",
        "a;b",
        "a\tb",
        "a|b",
        "a\nb",
        "'q'",
        "\"",
        "\u{e9}t\u{e9}",
        "a b",
    ];
    let names: Vec<String> = NAMES.map(String::from).to_vec();
    let numbered = |what: &str| (1..=3).map(|i| format!("{what}_{i}")).collect::<Vec<String>>();
    for delimiter in [b',', b'\t'] {
        let style = TextStyle { delimiter, ..TextStyle::default() };
        let check = |rows, cols, row_names: Option<&[String]>, col_names: Option<&[String]>| {
            let values: Vec<f64> = (0..rows * cols).map(|i| 0.25 + i as f64).collect();
            let matrix = Named { rows, cols, values: &values, row_names, col_names };
            let mut bytes = Vec::new();
            write_text(&mut bytes, &matrix, style).unwrap();
            let table = read_ok(&bytes, "x.csv");
            let text = String::from_utf8(bytes).unwrap();
            assert_eq!((table.rows, table.cols), (rows, cols), "{text}");
            assert_eq!(table.numbers(), &Numbers::F64(values), "{text}");
            assert_eq!(table.row_names.as_deref(), row_names, "{text}");
            assert_eq!(table.col_names.as_deref(), col_names, "{text}");
        };
        let (rows, cols) = (numbered("sample"), numbered("component"));
        // W and H of an X whose names are these, all at once and one by one at every place.
        check(24, 3, Some(&names), Some(&cols));
        check(3, 24, Some(&cols), Some(&names));
        for at in 0..3 {
            for name in &names {
                let mut odd = rows.clone();
                odd[at].clone_from(name);
                check(3, 3, Some(&odd), Some(&cols));
                check(3, 3, Some(&cols), Some(&odd));
            }
        }
        check(3, 3, None, Some(&cols));
        check(3, 3, Some(&cols), None);
        // Components of a start may have numbers for names.
        let numbers = ["1", "2", "3"].map(String::from);
        check(3, 3, None, Some(&numbers));
        check(3, 3, Some(&numbers), Some(&cols));
        check(3, 1, Some(&rows), Some(&cols[..1]));
        check(1, 3, Some(&cols[..1]), Some(&rows));
    }
}

#[test]
fn f59_names_are_written_as_they_are_unless_a_spreadsheet_is_to_be_safe_from_them() {
    let safe = TextStyle { spreadsheet_safe: true, ..TextStyle::default() };
    for (name, written, disarmed) in [
        ("=cmd()", "=cmd()", "'=cmd()"),
        ("+1", "+1", "'+1"),
        ("-x", "-x", "'-x"),
        ("@sum", "@sum", "'@sum"),
        ("=a,b", "\"=a,b\"", "\"'=a,b\""),
        (" =x", "\" =x\"", "' =x"),
        ("a=b", "a=b", "a=b"),
        ("TP53", "TP53", "TP53"),
    ] {
        assert_eq!(label(name, TextStyle::default()), written);
        assert_eq!(label(name, safe), disarmed);
    }
}

#[test]
fn an_output_appears_whole_or_not_at_all() {
    let folder = folder("whole");
    let path = folder.join("w.npy");
    let mut out = OutputFile::create(&path, false, &[]).unwrap();
    out.write_all(b"first").unwrap();
    assert!(!path.exists());
    drop(out);
    assert_eq!(files(&folder), 0);
    let mut out = OutputFile::create(&path, false, &[]).unwrap();
    out.write_all(b"second").unwrap();
    out.commit().unwrap();
    assert_eq!((fs::read(&path).unwrap(), files(&folder)), (b"second".to_vec(), 1));
    let mut out = OutputFile::create(&path, true, &[]).unwrap();
    out.write_all(b"third").unwrap();
    drop(out);
    assert_eq!(fs::read(&path).unwrap(), b"second");
    let mut out = OutputFile::create(&path, true, &[]).unwrap();
    out.write_all(b"third").unwrap();
    out.commit().unwrap();
    assert_eq!((fs::read(&path).unwrap(), files(&folder)), (b"third".to_vec(), 1));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn an_output_never_replaces_by_surprise() {
    let folder = folder("surprise");
    let path = folder.join("x.npy");
    fs::write(&path, b"mine").unwrap();
    let error = OutputFile::create(&path, false, &[]).unwrap_err();
    assert_eq!((error.code(), error.exit_code()), ("E-FILE", 4));
    assert!(error.to_string().contains("x.npy: the file exists"), "{error}");
    let inputs = [folder.join(".").join("x.npy")];
    let error = OutputFile::create(&path, true, &inputs).unwrap_err();
    assert!(error.to_string().contains("same file as the input"), "{error}");
    let late = folder.join("late.npy");
    let out = OutputFile::create(&late, false, &[]).unwrap();
    fs::write(&late, b"theirs").unwrap();
    let error = out.commit().unwrap_err();
    assert_eq!(error.exit_code(), 4);
    assert!(error.to_string().contains("late-2.npy"), "{error}");
    assert_eq!((fs::read(&late).unwrap(), files(&folder)), (b"theirs".to_vec(), 3));
    for (target, shown) in
        [(folder.join("no/such"), "cannot create"), (folder.clone(), "a directory")]
    {
        let error = OutputFile::create(&target, true, &[]).unwrap_err();
        assert_eq!(error.exit_code(), 4);
        assert!(error.to_string().contains(shown), "{error}");
    }
    fs::remove_dir_all(folder).unwrap();
}

#[cfg(unix)]
#[test]
fn links_and_devices_stay_what_they_are() {
    let folder = folder("links");
    let (file, link) = (folder.join("file"), folder.join("link"));
    fs::write(&file, b"old").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let error = OutputFile::create(&link, true, std::slice::from_ref(&file)).unwrap_err();
    assert!(error.to_string().contains("same file"), "{error}");
    let mut out = OutputFile::create(&link, true, &[]).unwrap();
    out.write_all(b"new").unwrap();
    out.commit().unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read(&file).unwrap(), b"new");
    fs::remove_dir_all(folder).unwrap();
    let mut out = OutputFile::create("/dev/null".as_ref(), false, &[]).unwrap();
    out.write_all(b"gone").unwrap();
    out.commit().unwrap();
}
