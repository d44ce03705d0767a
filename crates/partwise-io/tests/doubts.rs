//! What is taken though doubtful, or not taken though it may be meant, is a warning that names the option.
#![allow(clippy::unwrap_used)]

mod common;

use common::{fail, read_ok};
use partwise_io::{Columns, Layout, Notice, ReadOptions, Table, Values, read_from};

fn read(text: &str) -> Table {
    read_ok(text.as_bytes(), "x.csv")
}

fn values(table: &Table) -> Vec<f64> {
    table.numbers().clone().into_f64().0
}

fn names(names: Option<&Vec<String>>) -> Vec<&str> {
    names.map_or_else(Vec::new, |names| names.iter().map(String::as_str).collect())
}

/// The only warning.
fn warning(text: &str) -> String {
    let table = read(text);
    let warned: Vec<_> = table.notices.iter().filter(|n| n.is_warning()).collect();
    assert_eq!(warned.len(), 1, "{text}: {:?}", table.notices);
    warned[0].to_string()
}

/// Three rows under a heading, with these ids; the ids are names and the rest is data.
fn are_names(heading: &str, ids: [&str; 3]) {
    let [a, b, c] = ids;
    let table = read(&format!("{heading},a,b\n{a},13,12\n{b},3,5\n{c},7,8\n"));
    let bare = ids.map(|id| id.trim_matches('"'));
    assert_eq!(names(table.row_names.as_ref()), bare, "{heading}: {:?}", table.notices);
    assert_eq!(values(&table), [13.0, 12.0, 3.0, 5.0, 7.0, 8.0], "{heading}");
    assert!(!table.notices.iter().any(Notice::is_warning), "{heading}: {:?}", table.notices);
}

#[test]
fn headings_of_ids_make_names() {
    for heading in [
        "ZIP",
        "zipcode",
        "postcode",
        "fips",
        "GEOID",
        "idx",
        "num",
        "uuid",
        "PMID",
        "isbn",
        "CAS",
        "taxid",
        "account",
        "order",
        "invoice",
        "transaction",
        "plot",
        "well",
        "run",
        "record",
        "seq",
        "employee",
        "house",
        "question",
        "subj",
        "Kennung",
        "Identifiant",
        "Muestra",
        "型号",
        "номер",
    ] {
        are_names(heading, ["1001", "1007", "1005"]);
    }
    for heading in ["X", "X1", "...1", "level_0", "V1"] {
        are_names(heading, ["1", "2", "3"]);
    }
    // Along an axis, and dates in numbers.
    for heading in ["wl", "nm", "rt", "depth", "m/z", "freq", "t", "time"] {
        are_names(heading, ["0.5", "1.25", "2"]);
    }
    for heading in ["date", "Datum", "Year", "Jahr", "année", "timestamp"] {
        are_names(heading, ["20200101", "20200301", "20200201"]);
    }
}

#[test]
fn ids_need_not_be_numbers() {
    for ids in [
        ["=1", "=2", "=3"],
        ["@1", "@2", "@3"],
        ["(1)", "(2)", "(3)"],
        ["$1", "$2", "$3"],
        ["<1", "<2", "<3"],
        ["1'", "2'", "3'"],
        ["1+", "2+", "3+"],
        ["1°", "2°", "3°"],
        ["1 1", "1 2", "1 3"],
        ["+49 30 1", "+49 30 2", "+49 30 3"],
        ["0x1", "0x2", "0x3"],
        ["1%", "2%", "3%"],
        ["0.5", "0.25", "0.75"],
        ["12345678901234567891", "12345678901234567892", "12345678901234567893"],
    ] {
        are_names("id", ids);
    }
    // By how they are written, under any heading.
    are_names("foo", ["01", "07", "05"]);
    are_names("foo", ["\"1\"", "\"7\"", "\"5\""]);
}

#[test]
fn numbers_like_ids_are_a_warning() {
    for text in [
        "foo,a,b\n1001,13,12\n1007,3,5\n1005,7,8\n",
        "foo,a,b\n1,13,12\n2,3,5\n3,7,8\n",
        "foo,a,b\n0.1,13,12\n0.2,3,5\n0.3,7,8\n0.4,1,9\n0.5,2,2\n",
        "foo,a,b\n20200101,13,12\n20200301,3,5\n20200201,7,8\n",
        "time,a,b\n0.1,13,12\n0.5,3,5\n0.2,7,8\n",
        "1,5,2\n2,1,1\n3,2,2\n4,9,1\n5,4,4\n",
    ] {
        assert!(warning(text).contains("--row-names yes"), "{text}");
        assert_eq!(read(text).row_names, None, "{text}");
    }
}

#[test]
fn classes_are_no_names() {
    for text in
        ["ok,a,b,c\nyes,1,2,3\nno,2,3,4\nyes,4,1,1\n", "species,a,b\ns,1,2\ns,2,3\nv,4,1\nv,1,5\n"]
    {
        let (code, message) = fail(text.as_bytes(), "x.csv");
        assert_eq!(code, "E-DATA", "{message}");
        assert!(
            message.contains("--row-names yes") && message.contains("--drop-columns 1"),
            "{message}"
        );
    }
}

fn triples(text: &str, columns: &[&str]) -> Table {
    let keep = columns.iter().map(ToString::to_string).collect();
    let columns = Columns { keep, drop: Vec::new() };
    let options = ReadOptions { triples: true, columns, ..ReadOptions::default() };
    read_from(text.into(), "x", &options).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn triples_go_by_their_header() {
    for (text, columns) in [
        ("ts,user,rating,item\n50,1,5,7\n60,1,3,8\n70,2,4,7\n", &[][..]),
        (",user,item,rating\n0,1,7,5\n1,1,8,3\n2,2,7,4\n", &[]),
        ("user,item,rating\n0,1,7,5\n1,1,8,3\n2,2,7,4\n", &[]),
        ("gene,cell,count\n7,1,5\n8,1,3\n7,2,4\n", &[]),
        ("a,b,c,d\n5,1,5,7\n6,1,3,8\n7,2,4,7\n", &["b,d,c"]),
        ("a,b,c,d\n5,1,5,7\n6,1,3,8\n7,2,4,7\n", &["b", "4", "c"]),
    ] {
        let table = triples(text, columns);
        assert_eq!(names(table.row_names.as_ref()), ["1", "2"], "{text}");
        assert_eq!(names(table.col_names.as_ref()), ["7", "8"], "{text}");
        assert_eq!(values(&table), [5.0, 3.0, 4.0], "{text}");
        assert!(matches!(table.values, Values::Sparse { layout: Layout::Csr, .. }));
        let told = table.notices.iter().any(|notice| matches!(notice, Notice::Triples { .. }));
        assert!(told, "{text}: {:?}", table.notices);
    }
    assert!(warning(",user,item,rating\n0,1,7,5\n1,1,8,3\n2,2,7,4\n").contains("--triples"));
}

#[test]
fn points_that_may_part_groups() {
    for text in ["a;b;c\n13;1.013;7\n14;2.113;8\n", "a\tb\n1.013\t5\n7\t3\n"] {
        assert!(warning(text).contains("--decimal ,"), "{text}");
    }
    for text in ["a;b\n13;1.013\n14;2.5\n", "a;b\n13;0.125\n14;1.5\n", "a,b\n1.013,5\n2.125,3\n"] {
        assert!(!read(text).notices.iter().any(Notice::is_warning), "{text}");
    }
    let (_, message) = fail(b"a;b\n1;1.234.007\n2;3\n", "x.csv");
    assert!(message.contains("--decimal ,"), "{message}");
}

#[test]
fn numbers_far_above_all_others() {
    for (text, code) in [
        ("a,b\n1,2\n9999,3\n9999,4\n2,2\n", "--na 9999 --missing nan"),
        ("a,b\n1,2\n1e20,3\n2,2\n", "--na 1e20 --missing nan"),
        ("a,b\n1,9.96921e36\n3,3\n", "--na 9.96921e36 --missing nan"),
    ] {
        let notice = warning(text);
        assert!(notice.contains(code), "{notice}");
    }
    for text in ["a,b\n1,2\n9999,3\n9999,1500\n2,2\n", "a,b\n1,2\n9999,3\n2,2\n"] {
        assert!(!read(text).notices.iter().any(Notice::is_warning), "{text}");
    }
}

#[test]
fn numbers_of_other_programs() {
    let table = read("a,b\n=\"13\",12.0D+00\n2,1.5d-1\n");
    assert_eq!(values(&table), [13.0, 12.0, 2.0, 0.15]);
    for (field, cure) in [
        ("--", "--na"),
        ("*", "--na"),
        ("-nan", "--na"),
        ("BDL", "--na"),
        ("<2", "--na"),
        ("1 013", "remove them"),
        ("1\u{a0}013", "remove them"),
        ("1\u{202f}013", "remove them"),
        ("1'013", "remove them"),
        ("$13", "currency"),
        ("\"13,50 €\"", "currency"),
    ] {
        let (code, message) = fail(format!("a,b\n5,6\n1,{field}\n").as_bytes(), "x.csv");
        assert_eq!(code, "E-DATA", "{message}");
        assert!(message.contains(cure) && !message.contains("--delimiter"), "{message}");
    }
    for end in ["\u{1a}", "\0", "\0\0\0", "\n\u{1a}\n"] {
        let table = read(&format!("1,2\n3,4\n{end}"));
        assert_eq!(values(&table), [1.0, 2.0, 3.0, 4.0], "{end:?}");
        assert!(table.notices.iter().any(|n| matches!(n, Notice::TrailingBytes { .. })));
    }
    assert_eq!(fail(b"1,2\n\x1a\n3,4\n", "x.csv").0, "E-FILE");
}

#[test]
fn matrix_market_without_a_banner() {
    for head in [
        "%\n",
        "% made by a program\n%\n",
        "%%MatrixMarket matrix coordinate unsigned-integer general\n",
    ] {
        let table = read_ok(format!("{head}2 3 2\n1 2 5\n2 3 7\n").as_bytes(), "matrix.mtx");
        assert_eq!((table.rows, table.cols, values(&table)), (2, 3, vec![5.0, 7.0]), "{head}");
    }
    let array = b"%%MatrixMarket matrix array real general\n2 2\n1 2\n3 4\n";
    assert!(fail(array, "x.mtx").1.contains("line 3: found '1 2', expected one value on a line"));
}

#[test]
fn more_kinds_are_named() {
    let matlab = [0u32, 2, 2, 0, 2].map(u32::to_le_bytes).concat();
    for (bytes, kind) in [
        ([matlab, b"X\0".to_vec(), vec![0; 32]].concat(), "MATLAB 4"),
        (b"ORC\n\x11\0\0\n\x04".to_vec(), "ORC"),
        (b"\x04\x22\x4d\x18dat".to_vec(), "lz4"),
        (b"BM\x46\0\0\0\0\0\0\0\x36\0".to_vec(), "BMP"),
        (b"<stata_dta><header>".to_vec(), "Stata"),
        (b"$FL2@(#) SPSS DATA FILE".to_vec(), "SPSS"),
        (b"Obj\x01\x04\x14".to_vec(), "Avro"),
        (b"\x7fELF\x02\x01".to_vec(), "ELF"),
        (b"{\\rtf1\\ansi}".to_vec(), "RTF"),
        (b"P2\n3 2\n255\n1 2 3\n4 5 6\n".to_vec(), "PGM"),
        (b"P6 3 2 255\n123".to_vec(), "PPM"),
        (b"BEGIN IONS\nPEPMASS=1\n".to_vec(), "MGF"),
        (b"a: 1\nb: 2\n".to_vec(), "YAML"),
        (b"---\na:\n  - 1\nb: 2\nc: 3\n".to_vec(), "YAML"),
    ] {
        let (code, message) = fail(&bytes, "x");
        assert_eq!(code, "E-FILE", "{kind}: {message}");
        assert!(message.contains(kind), "{kind}: {message}");
    }
    assert_eq!(values(&read("ORC,b\n1,2\n3,4\n")), [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(values(&read("a: 1 2\nb: 3 4\n")), [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(values(&read("P1\n3\n5\n")), [3.0, 5.0]);
}
