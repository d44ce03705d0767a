//! Delimited text: rows F50 to F61 of the torture list.
#![allow(clippy::unwrap_used)]

mod common;

use common::{fail, read_ok};
use partwise_io::{Notice, Numbers, ReadOptions, Switch, Table, Values, read_from};

fn values(table: &Table) -> Vec<f64> {
    match &table.values {
        Values::Dense { numbers: Numbers::F64(values), .. } => values.clone(),
        _ => panic!("dense doubles expected"),
    }
}

fn csv(text: &str) -> Table {
    read_ok(text.as_bytes(), "x.csv")
}

fn refused(text: &str) -> (&'static str, String) {
    fail(text.as_bytes(), "x.csv")
}

fn names(names: Option<&Vec<String>>) -> Vec<&str> {
    names.unwrap().iter().map(String::as_str).collect()
}

fn shown(table: &Table) -> Vec<String> {
    table.notices.iter().map(ToString::to_string).collect()
}

#[test]
fn delimiters() {
    for text in [
        "1,2\n3,4\n",
        "1\t2\n3\t4\n",
        "1;2\n3;4\n",
        "1 2\n3  4\n",
        " 1 , 2\n3 ,4 \n",
        "  1 2 \n 3\t4",
    ] {
        let table = csv(text);
        assert_eq!((table.rows, table.cols, table.notices.len()), (2, 2, 0), "{text:?}");
        assert_eq!(values(&table), [1.0, 2.0, 3.0, 4.0]);
    }
    let options = ReadOptions { delimiter: Some(b'|'), ..ReadOptions::default() };
    let table = read_from(b"1|2\n3|4\n".to_vec(), "x", &options).unwrap();
    assert_eq!(values(&table), [1.0, 2.0, 3.0, 4.0]);
}

#[test]
fn f50_ragged_row() {
    let (code, text) = refused("1,2,3,4,5\n1,2,3,4,5\n\n1,2,3,4\n");
    assert_eq!(code, "E-FILE");
    assert!(text.contains("line 4: found 4 fields, expected 5"), "{text}");
    assert!(refused("1,2\n1,2,3\n").1.contains("line 2: found 3 fields, expected 2"));
    assert!(refused("a,b\n1,2\n1,2,3\n").1.contains("line 3: found 3 fields, expected 2"));
}

#[test]
fn f51_header_by_rule_and_by_choice() {
    let table = csv("a,b\n1,2\n");
    assert_eq!(
        shown(&table),
        ["took line 1 as header (none of its fields is a number); --header no says otherwise"]
    );
    assert_eq!(names(table.col_names.as_ref()), ["a", "b"]);
    let years = "2001,2002\n1,2\n";
    let table = csv(years);
    assert_eq!((table.rows, table.notices.len()), (2, 0));
    let options = ReadOptions { header: Switch::Yes, ..ReadOptions::default() };
    let table = read_from(years.into(), "x", &options).unwrap();
    assert_eq!((table.rows, names(table.col_names.as_ref())), (1, vec!["2001", "2002"]));
    assert!(table.notices.is_empty());
    let options = ReadOptions { header: Switch::No, ..ReadOptions::default() };
    let error = read_from(b"a,b\n1,2\n".to_vec(), "x", &options).unwrap_err();
    assert!(error.to_string().contains("line 1, field 2: found 'b', expected a number"), "{error}");
    // A slip in the first line of data is an error, not a header.
    let (code, text) = refused("1,x2,3\n4,5,6\n");
    assert_eq!(code, "E-DATA");
    assert!(text.contains("line 1, field 2: found 'x2'"), "{text}");
}

#[test]
fn f52_row_names() {
    let table = csv("gene,s1,s2\nTP53,1,2\nBRCA1,3,4\nTP53,5,6\n");
    assert_eq!((table.rows, table.cols), (3, 2));
    assert_eq!(names(table.row_names.as_ref()), ["TP53", "BRCA1", "TP53"]);
    assert_eq!(names(table.col_names.as_ref()), ["s1", "s2"]);
    assert_eq!(values(&table), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!(
        shown(&table),
        [
            "took line 1 as header (none of its fields is a number) and column 1 as row names \
             (its first field is no number); --header no and --row-names no say otherwise",
            "1 row name repeats an earlier one, the first is 'TP53'",
        ]
    );
    for text in
        [",a,b\n0,1,2\n1,3,4\n", "\"\",\"a\",\"b\"\n\"0\",1,2\n\"1\",3,4\n", "a b\n0 1 2\n1 3 4\n"]
    {
        let table = csv(text);
        assert_eq!(names(table.row_names.as_ref()), ["0", "1"], "{text}");
        assert_eq!(names(table.col_names.as_ref()), ["a", "b"], "{text}");
        assert_eq!(values(&table), [1.0, 2.0, 3.0, 4.0], "{text}");
    }
    let options = ReadOptions { row_names: Switch::Yes, ..ReadOptions::default() };
    let table = read_from(b"7,1\n8,2\n".to_vec(), "x", &options).unwrap();
    assert_eq!((names(table.row_names.as_ref()), values(&table)), (vec!["7", "8"], vec![1.0, 2.0]));
    let options = ReadOptions { row_names: Switch::No, ..ReadOptions::default() };
    let error = read_from(b"a,1\nb,2\n".to_vec(), "x", &options).unwrap_err();
    assert!(error.to_string().contains("line 1, field 1: found 'a'"), "{error}");
}

#[test]
fn f53_missing_values_are_nan_when_asked() {
    let options = ReadOptions { missing_as_nan: true, ..ReadOptions::default() };
    for mark in ["", "NA", "n/a", "#N/A", "NaN", "null", "None", "-", "?", "."] {
        let table = read_from(format!("a,b\n1,2\n3,{mark}\n").into_bytes(), "x.csv", &options);
        let table = table.unwrap_or_else(|e| panic!("{mark}: {e}"));
        let Numbers::F64(values) = table.numbers() else { panic!("{mark}") };
        assert!(values[3].is_nan() && values[..3] == [1.0, 2.0, 3.0], "{mark}: {values:?}");
    }
    let error = read_from(b"1,2\n3,inf\n".to_vec(), "x.csv", &options).unwrap_err();
    assert!(error.to_string().contains("line 2, field 2"), "{error}");
}

#[test]
fn f53_missing_values() {
    for mark in ["", "NA", "NaN", "null", "-", "?", "n/a", "None", "."] {
        let (code, text) = refused(&format!("a,b\n1,2\n3,{mark}\n{mark},4\n"));
        assert_eq!(code, "E-DATA", "{mark}");
        assert!(
            text.contains(&format!("line 3, field 2: missing value '{mark}', the first of 2")),
            "{text}"
        );
    }
    assert!(
        refused("NA,1\n2,3\n").1.contains("line 1, field 1: missing value 'NA', the first of 1")
    );
}

#[test]
fn f54_commas_separators_and_quotes() {
    for (text, place, hint) in [
        ("1,5;2\n3;4\n", "line 1, field 1: found '1,5'", "another delimiter"),
        ("1\t2\n3\t1,234\n", "line 2, field 2: found '1,234'", "thousands separators"),
        ("\"1,5\",2\n3,4\n", "line 1, field 1: found '1,5'", "decimal point"),
        ("1,2\n3,4;5\n", "line 2, field 2: found '4;5'", "semicolon"),
        ("1,2\n3,4 5\n", "line 2, field 2: found '4 5'", "spaces"),
    ] {
        let (code, message) = refused(text);
        assert_eq!(code, "E-DATA");
        assert!(message.contains(place) && message.contains(hint), "{message}");
    }
    let table = csv("\"gene, long\",\"a \"\"x\"\"\",b\n\"two\nlines\",\"1\", 2 \n'q',3,4\n");
    assert_eq!(names(table.col_names.as_ref()), ["a \"x\"", "b"]);
    assert_eq!(names(table.row_names.as_ref()), ["two\nlines", "'q'"]);
    assert_eq!(values(&table), [1.0, 2.0, 3.0, 4.0]);
    // The line number counts the lines inside quotes.
    let (_, text) = refused("n,a\n\"x\ny\",1\nz,?!\n");
    assert!(text.contains("line 4, field 2"), "{text}");
    assert!(refused("n,a\n\"x,1\nz,2\n").1.contains("line 2, field 1: found an opening quote"));
    assert!(
        refused("n,a\n\"x\"y,1\n").1.contains("line 2, field 1: found 'y,1', expected a delimiter")
    );
}

#[test]
fn f55_encodings() {
    let plain = "name,b\nx,1.5\ny,2\n";
    let expected = csv(plain);
    for text in [format!("\u{feff}{plain}"), plain.replace('\n', "\r\n"), plain.replace('\n', "\r")]
    {
        assert_eq!(csv(&text), expected, "{text:?}");
    }
    let utf16: Vec<u8> = "\u{feff}1,2\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (code, text) = fail(&utf16, "x.csv");
    assert_eq!(code, "E-FILE");
    assert!(text.contains("UTF-16"), "{text}");
    let (code, text) = fail(b"1,2\n3,\x004\n", "x.csv");
    assert_eq!(code, "E-FILE");
    assert!(text.contains("byte 6: found a NUL byte"), "{text}");
    let (code, text) = fail(b"a,b\nx,1\n\xff\xfey,2\n", "x.csv");
    assert_eq!(code, "E-FILE");
    assert!(text.contains("line 3, field 1") && text.contains("UTF-8"), "{text}");
    let (code, text) = fail(b"1,2\n3,\xff\n", "x.csv");
    assert_eq!(code, "E-DATA");
    assert!(text.contains("line 2, field 2"), "{text}");
}

#[test]
fn f56_empty_or_tiny() {
    for (text, shown) in
        [("", "0 rows, 0 columns"), ("\n \n", "0 rows, 0 columns"), ("a,b\n", "0 rows, 2 columns")]
    {
        let (code, message) = refused(text);
        assert_eq!(code, "E-EMPTY");
        assert!(message.contains(shown), "{message}");
    }
    let table = csv("5");
    assert_eq!((table.rows, table.cols, values(&table)), (1, 1, vec![5.0]));
    let table = csv("x\n1\n2\n");
    assert_eq!((table.rows, names(table.col_names.as_ref())), (2, vec!["x"]));
}

#[test]
fn f57_triplets_are_noticed() {
    let table = csv("row,col,value\n1,1,2.5\n");
    assert_eq!(table.notices.last(), Some(&Notice::LooksLikeTriplets));
    assert_eq!((table.rows, table.cols), (1, 3));
}

#[test]
fn f58_ten_million_columns() {
    let mut line = "1,".repeat(9_999_999);
    line.push('2');
    let table = csv(&line);
    assert_eq!((table.rows, table.cols), (1, 10_000_000));
    let options = ReadOptions { memory_limit: Some(79_999_999), ..ReadOptions::default() };
    let error = read_from(line.into_bytes(), "x", &options).unwrap_err();
    assert_eq!(error.code(), "E-RESOURCE");
}

#[test]
fn f59_formulas_are_text() {
    let table = csv("name,=cmd()\n=HYPERLINK(1),1\n@x,2\n");
    assert_eq!(names(table.col_names.as_ref()), ["=cmd()"]);
    assert_eq!(names(table.row_names.as_ref()), ["=HYPERLINK(1)", "@x"]);
}

#[test]
fn f60_values_that_are_no_finite_numbers() {
    for value in ["1e999", "-1e999", "0x1p3", "∞", "１２", "inf", "-Infinity", "1d5", "1_0", "1e"]
    {
        let (code, text) = refused(&format!("1,2\n3,{value}\n"));
        assert_eq!(code, "E-DATA", "{value}");
        assert!(text.contains(&format!("line 2, field 2: found '{value}'")), "{text}");
        // Nor does such a value turn the first line into a header.
        assert_eq!(refused(&format!("1,{value}\n3,4\n")).0, "E-DATA");
    }
    let table = csv("1,1e-999\n0.0,-1e-400\n");
    assert_eq!(table.notices, [Notice::Underflow { count: 2, line: 1, field: 2 }]);
}

#[test]
fn f61_ends_of_lines() {
    assert_eq!(csv("1,2\n3,4"), csv("1,2\n3,4\n"));
    let table = csv("a,b,\n1,2,\n3,4,\n");
    assert_eq!(table.notices[0], Notice::TrailingDelimiter);
    assert_eq!((table.rows, table.cols, names(table.col_names.as_ref())), (2, 2, vec!["a", "b"]));
    let (code, text) = refused("1,2,\n3,4,\n5,6\n");
    assert_eq!(code, "E-FILE");
    assert!(text.contains("line 3: found 2 fields, expected 3, the last empty"), "{text}");
    assert!(refused("1,2\n3,4,\n").1.contains("line 2: found 3 fields, expected 2"));
}
