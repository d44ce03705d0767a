//! What can be said about a file beside its name.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Entry, doubles, integers, npy, read_ok, vector, zip};
use partwise_io::{
    Columns, Layout, Notice, Numbers, ReadOptions, Switch, Table, Values, read, read_from,
};
use std::path::PathBuf;

fn values(table: &Table) -> Vec<f64> {
    table.numbers().clone().into_f64().0
}

fn names(names: Option<&Vec<String>>) -> Vec<&str> {
    names.map_or_else(Vec::new, |names| names.iter().map(String::as_str).collect())
}

fn with(text: &str, options: &ReadOptions) -> Table {
    read_from(text.into(), "x", options).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refused(bytes: &[u8], options: &ReadOptions) -> (&'static str, String) {
    let error = read_from(bytes.to_vec(), "x", options).unwrap_err();
    (error.code(), error.to_string())
}

fn columns(keep: &[&str], drop: &[&str]) -> Columns {
    let owned = |all: &[&str]| all.iter().map(ToString::to_string).collect();
    Columns { keep: owned(keep), drop: owned(drop) }
}

/// A folder that is gone after the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("partwise-io-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn columns_of_text_files() {
    let text =
        "Geneid\tChr\tStart\tLength\ta.bam\tb.bam\nG1\tchr1\t5\t9\t0\t4\nG2\tchr1;2\t7\t8\t5\t1\n";
    for (keep, drop) in [
        (&[][..], &["Chr..Length"][..]),
        (&["5.."], &[]),
        (&["a.bam", "b.bam"], &[]),
        (&["a.bam,b.bam"], &[]),
        (&["1,5-6"], &[]),
        (&[], &["2-4"]),
        (&[], &["Chr", "Start,Length"]),
    ] {
        let options = ReadOptions { columns: columns(keep, drop), ..ReadOptions::default() };
        let table = with(text, &options);
        assert_eq!(values(&table), [0.0, 4.0, 5.0, 1.0], "{keep:?} {drop:?}");
        assert_eq!(names(table.col_names.as_ref()), ["a.bam", "b.bam"]);
        assert_eq!(names(table.row_names.as_ref()), ["G1", "G2"]);
    }
    // Without the first column, names stand in the next one of text.
    let options = ReadOptions { columns: columns(&[], &["1"]), ..ReadOptions::default() };
    let table = with("n,gene,a\n1,x,5\n2,y,6\n", &options);
    assert_eq!((names(table.row_names.as_ref()), values(&table)), (vec!["x", "y"], vec![5.0, 6.0]));
    let options = ReadOptions { columns: columns(&["d"], &[]), ..ReadOptions::default() };
    let (code, text) = refused(b"a,b\n1,2\n", &options);
    assert_eq!(code, "E-USAGE");
    assert!(
        text.contains("--columns 'd': expected a number from 1 to 2 or one of 'a', 'b'"),
        "{text}"
    );
}

#[test]
fn columns_of_other_files() {
    let options = ReadOptions { columns: columns(&["1", "3"], &[]), ..ReadOptions::default() };
    let payload: Vec<u8> = (0..6).flat_map(|x| f64::from(x).to_le_bytes()).collect();
    let table = read_from(npy("<f8", "(2, 3)", &payload), "x.npy", &options).unwrap();
    assert_eq!((table.cols, values(&table)), (2, vec![0.0, 2.0, 3.0, 5.0]));
    let fortran = "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }\n";
    let table = read_from(common::npy_with(fortran, &payload), "x.npy", &options).unwrap();
    assert_eq!((table.cols, values(&table)), (2, vec![0.0, 1.0, 4.0, 5.0]));
    let banner = "%%MatrixMarket matrix coordinate real general\n2 3 3\n1 1 7\n1 2 8\n2 3 9\n";
    let table = with(banner, &options);
    let Values::Sparse { layout: Layout::Csr, indptr, indices, .. } = &table.values else {
        panic!()
    };
    assert_eq!((indptr.as_slice(), indices.as_slice()), (&[0, 1, 2][..], &[0, 1][..]));
    assert_eq!((table.cols, values(&table)), (2, vec![7.0, 9.0]));
}

#[test]
fn turned_and_named_from_files() {
    let folder = Folder::new("names");
    let cells = folder.put("barcodes.tsv", b"AAA-1\nCCC-1\nGGG-1\n");
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gz, b"g1\tGene 1\tx\r\ng2\tGene 2\tx\r\n").unwrap();
    let genes = folder.put("features.tsv.gz", &gz.finish().unwrap());
    let matrix = "%%MatrixMarket matrix coordinate integer general\n2 3 2\n1 2 5\n2 3 7\n";
    let options = ReadOptions {
        transpose: true,
        row_names_from: Some(cells.clone()),
        column_names_from: Some(genes.clone()),
        ..ReadOptions::default()
    };
    let table = with(matrix, &options);
    assert_eq!((table.rows, table.cols), (3, 2));
    assert_eq!(names(table.row_names.as_ref()), ["AAA-1", "CCC-1", "GGG-1"]);
    assert_eq!(names(table.col_names.as_ref()), ["g1", "g2"]);
    let Values::Sparse { layout: Layout::Csc, indptr, indices, .. } = &table.values else {
        panic!()
    };
    assert_eq!((indptr.as_slice(), indices.as_slice()), (&[0, 1, 2][..], &[1, 2][..]));
    // Columns are those of the file, before it is turned.
    let picked = ReadOptions { columns: columns(&["CCC-1", "GGG-1"], &[]), ..options.clone() };
    assert_eq!(names(with(matrix, &picked).row_names.as_ref()), ["CCC-1", "GGG-1"]);
    // The wrong way round.
    let options = ReadOptions { transpose: false, ..options };
    let (code, text) = refused(matrix.as_bytes(), &options);
    assert_eq!(code, "E-SHAPE");
    assert!(text.contains("found 3 names, expected 2, one for each row"), "{text}");
    // A heading, quotes, and an array of text.
    let headed = folder.put("names.csv", b"cell,type\n\"a,b\",1\nc,2\n");
    let unicode: Vec<u8> = "x\0\0é\0z".chars().flat_map(|c| (c as u32).to_le_bytes()).collect();
    let array = folder.put("names.npy", &npy("<U3", "(2,)", &unicode));
    for (file, expected) in [(headed, ["a,b", "c"]), (array, ["x", "é\0z"])] {
        let options = ReadOptions { row_names_from: Some(file), ..ReadOptions::default() };
        assert_eq!(names(with("1,2\n3,4\n", &options).row_names.as_ref()), expected);
    }
    let table = with("a,b\n1,2\n3,4\n", &ReadOptions { transpose: true, ..ReadOptions::default() });
    assert_eq!(names(table.row_names.as_ref()), ["a", "b"]);
    assert!(matches!(table.values, Values::Dense { order: partwise_io::Order::ColumnMajor, .. }));
}

#[test]
fn arrays_of_an_archive() {
    let text = |width: usize, all: &[&str]| {
        let codes = all
            .iter()
            .flat_map(|s| s.chars().chain(std::iter::repeat('\0')).take(width).collect::<Vec<_>>());
        let bytes: Vec<u8> = codes.flat_map(|c| (c as u32).to_le_bytes()).collect();
        npy(&format!("<U{width}"), &format!("({},)", all.len()), &bytes)
    };
    let data = npy("<f8", "(2, 2)", &[1.0, 2.0, 3.0, 4.0].map(f64::to_le_bytes).concat());
    let frame = |index: Vec<u8>, cols: Vec<u8>| {
        zip(&[
            Entry::stored("data.npy", &data),
            Entry::stored("index.npy", &index),
            Entry::deflated("columns.npy", &cols),
        ])
    };
    let table = read_ok(&frame(text(3, &["x", "yé"]), text(2, &["p", "q"])), "x.npz");
    assert_eq!(names(table.row_names.as_ref()), ["x", "yé"]);
    assert_eq!(names(table.col_names.as_ref()), ["p", "q"]);
    let bytes = vector("|S2", &[*b"ab", *b"c\0"]);
    let table = read_ok(&frame(integers(&[10, 20]), bytes), "x.npz");
    assert_eq!(names(table.row_names.as_ref()), ["10", "20"]);
    assert_eq!(names(table.col_names.as_ref()), ["ab", "c"]);
    // A pickle is never opened.
    let table = read_ok(&frame(npy("|O", "(2,)", b"\x80\x04x"), text(1, &["p", "q"])), "x.npz");
    assert_eq!((table.row_names.as_ref(), values(&table)), (None, vec![1.0, 2.0, 3.0, 4.0]));
    let notice = table.notices.iter().find(|n| n.is_warning()).unwrap().to_string();
    assert!(notice.contains("index.npy") && notice.contains("--row-names FILE"), "{notice}");
    // A width that no file could hold costs nothing where there is no name.
    let none = frame(npy("<U4000000000000", "(0,)", &[]), text(1, &["p", "q"]));
    let table = read_ok(&none, "x.npz");
    assert_eq!((table.row_names.as_ref(), values(&table)), (None, vec![1.0, 2.0, 3.0, 4.0]));
    let folder = Folder::new("no-names");
    let empty = folder.put("none.npy", &npy("<U4000000000000", "(0,)", &[]));
    let options = ReadOptions { row_names_from: Some(empty), ..ReadOptions::default() };
    assert!(refused(b"1,2\n3,4\n", &options).1.contains("found 0 names, expected 2"));
    // Damaged names are an error.
    let short = frame(npy("<U9", "(2,)", &[0; 8]), text(1, &["p", "q"]));
    assert_eq!(refused(&short, &ReadOptions::default()).0, "E-FILE");

    let two = zip(&[Entry::stored("X.npy", &data), Entry::stored("y.npy", &doubles(&[1.0]))]);
    let entry = |name: &str| ReadOptions { entry: Some(name.into()), ..ReadOptions::default() };
    for name in ["X", "X.npy"] {
        assert_eq!(
            values(&read_from(two.clone(), "x", &entry(name)).unwrap()),
            [1.0, 2.0, 3.0, 4.0]
        );
    }
    assert!(refused(&two, &ReadOptions::default()).1.contains("--entry X"));
    let (code, text) = refused(&two, &entry("Z"));
    assert_eq!(code, "E-USAGE");
    assert!(text.contains("--entry 'Z': expected one of X.npy, y.npy"), "{text}");
    assert_eq!(refused(&two, &entry("y")).0, "E-SHAPE");
}

#[test]
fn marks_and_codes_of_missing_values() {
    let na = |marks: &[&str], nan: bool| ReadOptions {
        na: marks.iter().map(ToString::to_string).collect(),
        missing_as_nan: nan,
        ..ReadOptions::default()
    };
    for text in ["a,b\n1,-999\n3,4\n", "a,b\n1,-999.0\n3,4\n", "a,b\n1,BDL\n3,4\n"] {
        let table = with(text, &na(&["-999", "BDL"], true));
        assert!(values(&table)[1].is_nan() && values(&table)[2] == 3.0, "{text}");
        let (code, message) = refused(text.as_bytes(), &na(&["-999", "BDL"], false));
        assert_eq!(code, "E-DATA");
        assert!(message.contains("line 2, field 2: missing value"), "{message}");
    }
    let sparse = "%%MatrixMarket matrix coordinate integer general\n2 2 2\n1 1 -9\n2 2 3\n";
    assert!(values(&with(sparse, &na(&["-9"], true)))[0].is_nan());
    for (descr, bytes) in [("<f4", (-9f32).to_le_bytes().to_vec()), ("|i1", vec![0xf7])] {
        let file = npy(descr, "(1, 1)", &bytes);
        let table = read_from(file.clone(), "x", &na(&["-9"], true)).unwrap();
        assert!(values(&table)[0].is_nan(), "{descr}");
        assert!(refused(&file, &na(&["-9"], false)).1.contains("missing value '-9'"));
        assert_eq!(read_from(file, "x", &na(&["-8"], false)).unwrap().stored(), 1);
    }
}

#[test]
fn decimal_signs() {
    let sign = |decimal, delimiter| ReadOptions {
        decimal: Some(decimal),
        delimiter,
        ..ReadOptions::default()
    };
    let comma = sign(b',', None);
    assert_eq!(values(&with("1,5;2,5\n3;4,5\n", &comma)), [1.5, 2.5, 3.0, 4.5]);
    assert_eq!(values(&with("1,5 2\n3 1.234,5\n", &comma)), [1.5, 2.0, 3.0, 1234.5]);
    assert_eq!(values(&with("h,w\nJ,\"50,52%\"\nK,\"49,1%\"\n", &comma)), [50.52, 49.1]);
    assert_eq!(values(&with("1,5\n2,5\n", &comma)), [1.5, 2.5]);
    let point = sign(b'.', None);
    assert_eq!(values(&with("a\tb\n1,234\t2\n", &point)), [1234.0, 2.0]);
    assert_eq!(refused(b"a;b\n1,5;2\n", &point).0, "E-DATA");
    // 1.5 has no decimal comma.
    assert_eq!(refused(b"a;b\n1.5;2\n", &comma).0, "E-DATA");
    for options in [sign(b',', Some(b',')), sign(b',', None)] {
        let (code, text) = refused(b"0,5,1,2\n1,5,3,4\n", &options);
        assert!(code == "E-USAGE" || code == "E-DATA", "{text}");
    }
}

#[test]
fn lines_that_are_passed_over() {
    let comment = |mark| ReadOptions { comment: Some(mark), ..ReadOptions::default() };
    assert_eq!(values(&with("1,2\n# half\n3,4\n#end", &comment(b'#'))), [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(values(&with("% a b\n1 2\n% half\n3 4\n", &comment(b'%'))), [1.0, 2.0, 3.0, 4.0]);
    let skip = |n| ReadOptions { skip_lines: n, ..ReadOptions::default() };
    let table = with("made today\n\na,b\n1,2\n", &skip(2));
    assert_eq!((names(table.col_names.as_ref()), values(&table)), (vec!["a", "b"], vec![1.0, 2.0]));
    assert_eq!(refused(b"a,b\n1,2\n", &skip(9)).0, "E-EMPTY");
    // Line numbers are those of the file.
    assert!(refused(b"x\n1,2\n3,?!\n", &skip(1)).1.contains("line 3, field 2"));
}

#[test]
fn triples_become_a_sparse_matrix() {
    let triples = ReadOptions { triples: true, ..ReadOptions::default() };
    for text in [
        "user,item,rating\n10,1,5\n2,3,3\n10,3,4\n",
        "10\t1\t5\t978300760\n2\t3\t3\t978300761\n10\t3\t4\t978300762\n",
        "10::1::5\n2::3::3\n10::3::4\n",
    ] {
        let table = with(text, &triples);
        let Values::Sparse { layout: Layout::Csr, indptr, indices, .. } = &table.values else {
            panic!("{text}")
        };
        assert_eq!(
            (indptr.as_slice(), indices.as_slice()),
            (&[0, 1, 3][..], &[1, 0, 1][..]),
            "{text}"
        );
        assert_eq!(values(&table), [3.0, 5.0, 4.0]);
        assert_eq!(names(table.row_names.as_ref()), ["2", "10"]);
        assert_eq!(names(table.col_names.as_ref()), ["1", "3"]);
    }
    let table = with("bob,x,1\nann,y,2\nbob,x,3\n", &triples);
    assert_eq!(names(table.row_names.as_ref()), ["bob", "ann"]);
    assert!(table.notices.contains(&Notice::DuplicatesSummed { count: 1 }));
    assert_eq!(values(&table), [4.0, 2.0]);
    assert_eq!(values(&with("a,x\nb,y\n", &triples)), [1.0, 1.0]);
    let (code, text) = refused(b"a,x,1\nb,y,z\n", &triples);
    assert!(code == "E-DATA" && text.contains("line 2, field 3: found 'z'"), "{text}");
    assert!(refused(b"a,x,1\nb,y\n", &triples).1.contains("line 2: found 2 fields"));
    assert_eq!(refused(b"a,x,\nb,y,1\n", &triples).0, "E-DATA");
    assert_eq!(refused(b"a,b,c\n", &triples).0, "E-EMPTY");
}

/// A table as text, with an entry where `filled` says so.
fn table(rows: u32, cols: u32, filled: impl Fn(u32, u32) -> bool) -> String {
    let field = |i, j| if filled(i, j) { (i % 7 + j % 3 + 1).to_string() } else { "0".into() };
    let line = |i| (0..cols).map(|j| field(i, j)).collect::<Vec<_>>().join(",");
    (0..rows).map(|i| line(i) + "\n").collect()
}

#[test]
fn tables_that_are_mostly_zero_become_sparse() {
    let sparse = ReadOptions { sparse: true, ..ReadOptions::default() };
    let few = |i: u32, j: u32| (i * 31 + j * 17).is_multiple_of(13);
    let early = |i: u32, j: u32| i < 100 || (i + j).is_multiple_of(40);
    let late = |i: u32, j: u32| i > 900 || (i + j).is_multiple_of(40);
    for (text, becomes) in [
        (table(1000, 200, few), true),
        (table(1000, 200, early), false),
        (table(1000, 200, |i, j| i < 50 || few(i, j)), false),
        (table(1500, 200, |i, j| i < 60 || (i + j).is_multiple_of(40)), true),
        (table(1000, 200, late), false),
        (table(100, 100, few), false),
        (table(1000, 200, |_, _| true), false),
    ] {
        let (found, dense) = (with(&text, &sparse), with(&text, &ReadOptions::default()));
        let Values::Sparse { layout: Layout::Csr, indptr, indices, numbers } = &found.values else {
            assert!(!becomes);
            assert_eq!(found, dense);
            continue;
        };
        assert!(becomes && found.notices.iter().any(|n| matches!(n, Notice::BecameSparse { .. })));
        let mut all = vec![0.0; found.rows * found.cols];
        let Numbers::F64(stored) = numbers else { panic!() };
        for row in 0..found.rows {
            let ends = indptr[row]..indptr[row + 1];
            for at in ends.map(|at| usize::try_from(at).unwrap()) {
                assert!(stored[at] != 0.0);
                all[row * found.cols + indices[at] as usize] = stored[at];
            }
        }
        assert_eq!(all, values(&dense));
    }
}

#[test]
fn a_sparse_table_needs_little_memory() {
    // 40 MB if it were dense.
    let text = table(2500, 2000, |i, j| (i + j) % 500 == 0);
    let limit =
        |sparse| ReadOptions { sparse, memory_limit: Some(8 << 20), ..ReadOptions::default() };
    assert_eq!(with(&text, &limit(true)).stored(), 10_000);
    assert_eq!(refused(text.as_bytes(), &limit(false)).0, "E-RESOURCE");
}

#[test]
fn what_a_file_is_called_by_decides_nothing() {
    let folder = Folder::new("header");
    let path = folder.put("x.mtx.txt", b"4 1 2\n1 1 2\n");
    let options = ReadOptions { header: Switch::No, ..ReadOptions::default() };
    assert_eq!(read(&path, &options).unwrap().rows, 2);
}
