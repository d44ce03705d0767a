//! What the first line and the first column of a text file are taken for.
#![allow(clippy::unwrap_used)]

mod common;

use common::fail;
use partwise_io::{Notice, Numbers, ReadOptions, Table, read_from};

fn nan() -> ReadOptions {
    ReadOptions { missing_as_nan: true, ..ReadOptions::default() }
}

fn read(text: &str) -> Table {
    read_from(text.into(), "x.csv", &nan()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn values(table: &Table) -> Vec<f64> {
    let Numbers::F64(values) = table.numbers() else { panic!("doubles expected") };
    values.clone()
}

fn names(names: Option<&Vec<String>>) -> Vec<&str> {
    names.map_or_else(Vec::new, |names| names.iter().map(String::as_str).collect())
}

fn warned(table: &Table) -> bool {
    table.notices.iter().any(Notice::is_warning)
}

/// Header, row names and values that a text must give, however its fields are parted and its lines
/// end.
fn check(text: &str, cols: &[&str], rows: &[&str], expected: &[f64]) {
    let gz = |text: &str| {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut out, text.as_bytes()).unwrap();
        out.finish().unwrap()
    };
    let mut ways = vec![
        text.as_bytes().to_vec(),
        text.replace('\n', "\r\n").into_bytes(),
        format!("\u{feff}{text}").into_bytes(),
        gz(text),
    ];
    if !text.contains(['"', '\t', ';']) {
        ways.push(text.replace(',', "\t").into_bytes());
        ways.push(text.replace(',', ";").into_bytes());
    }
    for bytes in ways {
        let table = read_from(bytes.clone(), "x", &nan());
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        let table = table.unwrap_or_else(|error| panic!("{shown}: {error}"));
        assert_eq!(names(table.col_names.as_ref()), cols, "{shown}");
        assert_eq!(names(table.row_names.as_ref()), rows, "{shown}");
        assert_eq!(values(&table), expected, "{shown}");
    }
}

#[test]
fn headers_of_numbers() {
    // Over a corner that announces names.
    check(
        "sample,2019,2020\nDE,5,6\nFR,3,4\n",
        &["2019", "2020"],
        &["DE", "FR"],
        &[5.0, 6.0, 3.0, 4.0],
    );
    check(
        "sample_id,9.99,9.90\nA,3,1\nB,2,4\n",
        &["9.99", "9.90"],
        &["A", "B"],
        &[3.0, 1.0, 2.0, 4.0],
    );
    // Text over numbers is no data.
    check("x,10,20\n0.5,1,2\n0.7,3,4\n", &["x", "10", "20"], &[], &[0.5, 1.0, 2.0, 0.7, 3.0, 4.0]);
    // A count beside labels, and years.
    check(
        "what,1,2,3\na,5,1,2\nb,0,9,4\n",
        &["1", "2", "3"],
        &["a", "b"],
        &[5.0, 1.0, 2.0, 0.0, 9.0, 4.0],
    );
    check("what,1990,2000\na,5,1\nb,0,9\n", &["1990", "2000"], &["a", "b"], &[5.0, 1.0, 0.0, 9.0]);
    // Only the header is quoted.
    check("\"5\",\"7\"\n1,2\n3,4\n", &["5", "7"], &[], &[1.0, 2.0, 3.0, 4.0]);
    // Words above numbers, beside a number.
    check(
        "Code,All,0,1\nK1,5,2,3\nK2,9,4,5\n",
        &["All", "0", "1"],
        &["K1", "K2"],
        &[5.0, 2.0, 3.0, 9.0, 4.0, 5.0],
    );
}

#[test]
fn an_axis_or_a_count_without_labels_is_taken_with_a_warning() {
    for (text, cols) in [
        ("0,1,2\n7,6,5\n3,1,1\n2,7,6\n", ["0", "1", "2"]),
        ("400,410,420\n0.2,0.9,0.1\n0.5,0.3,0.4\n", ["400", "410", "420"]),
        ("9.5,9.0,8.5\n3,12,7\n2,1,5\n", ["9.5", "9.0", "8.5"]),
        ("0,1,2\n0.5,0.7,0.1\n0.1,0.2,0.3\n", ["0", "1", "2"]),
    ] {
        let table = read(text);
        assert_eq!(names(table.col_names.as_ref()), cols, "{text}");
        assert!(warned(&table), "{text}");
        let notice = table.notices.iter().find(|n| n.is_warning()).unwrap().to_string();
        assert!(notice.contains("--header no says otherwise"), "{notice}");
    }
}

#[test]
fn numbers_that_are_data_stay_data() {
    for text in [
        "0,1\n1,0\n",            // an adjacency matrix
        "0,1,2\n3,4,5\n6,7,8\n", // counted on
        "0,1,2\n1,0,1\n2,1,0\n", // distances
        "0,1,2\n0,2,4\n0,3,6\n", // multiples
        "1,2,3\n2,4,6\n3,6,9\n",
        "1,3,9\n2,4,8\n0,5,6\n", // rows in order, as the first is
        "10,20\n1,2\n3,4\n",
        "5,3,8\n1,2,9\n7,4,6\n",
        "\"1\",\"2\"\n\"3\",\"4\"\n",
        "1,2,3\n0,0,0\n3,1,2\n",
    ] {
        let table = read(text);
        assert_eq!(table.col_names, None, "{text}: {:?}", table.notices);
        assert!(!warned(&table), "{text}: {:?}", table.notices);
    }
    let table = read("0,1\n0.5,0.7\n0.1,0.2\n0.4,0.3\n");
    assert_eq!((names(table.col_names.as_ref()), warned(&table)), (vec!["0", "1"], true));
    // Labels that are alike are those of data, and what might be a header is said.
    for text in ["g1,1,2,3\ng2,4,5,7\n", "a,1990,1991,1992\nb,4,5,7\n"] {
        let table = read(text);
        assert_eq!(
            (table.rows, table.col_names.as_ref(), warned(&table)),
            (2, None, true),
            "{text}"
        );
    }
    // What might be either is read as data, and said.
    let table = read("1,2,3,4\n9,1,7,2\n3,8,8,1\n");
    assert_eq!((table.rows, &table.notices[..]), (3, &[Notice::MaybeHeader { line: 1 }][..]));
}

#[test]
fn first_columns_of_numbers() {
    check(
        "NAME,c1,c2\n1001,1,2\n1002,4,5\n",
        &["c1", "c2"],
        &["1001", "1002"],
        &[1.0, 2.0, 4.0, 5.0],
    );
    for heading in ["id", "ID", "Gene", "cell", "index", "Sample ID", "barcode", "Unnamed: 0"] {
        check(
            &format!("{heading},a,b\n3,1,2\n7,3,4\n"),
            &["a", "b"],
            &["3", "7"],
            &[1.0, 2.0, 3.0, 4.0],
        );
    }
    // Along an axis.
    check(
        "Year,Al,Ca\n1990,1,2\n1991,3,4\n",
        &["Al", "Ca"],
        &["1990", "1991"],
        &[1.0, 2.0, 3.0, 4.0],
    );
    let axis = "Wavelength (nm),a\n400.5,1\n401.0,2\n";
    check(axis, &["a"], &["400.5", "401.0"], &[1.0, 2.0]);
    // Not under a word that means no id, not if they repeat, and fractions only where it means
    // nothing else.
    check("width,a\n3,1\n7,2\n", &["width", "a"], &[], &[3.0, 1.0, 7.0, 2.0]);
    check("id,a\n0.5,1\n0.7,2\n", &["a"], &["0.5", "0.7"], &[1.0, 2.0]);
    let table = read("refractive index,a\n1.5,1\n1.7,2\n");
    assert_eq!((table.cols, table.notices.contains(&Notice::MaybeIds)), (2, true));
    let table = read("site,a\n3,1\n3,2\n");
    assert_eq!((table.cols, warned(&table)), (2, true));
    let text = table.notices.iter().find(|n| n.is_warning()).unwrap().to_string();
    assert!(text.contains("--row-names yes") && text.contains("'site'"), "{text}");
}

#[test]
fn a_column_that_counts_is_doubtful() {
    for text in [
        "width,a\n1012,1\n1055,4\n1040,2\n",
        "1001,1,2\n1002,4,5\n1003,7,9\n",
        "x,a\n1,5\n2,6\n3,1\n4,0\n5,7\n",
    ] {
        let table = read(text);
        assert_eq!(
            (table.row_names.as_ref(), table.notices.contains(&Notice::MaybeIds)),
            (None, true)
        );
    }
    assert!(!warned(&read("x,a\n1,5\n2,6\n3,7\n4,8\n5,9\n")));
}

#[test]
fn ids_that_repeat_below_the_first_lines_are_a_warning() {
    let mut text = "id,a,b,c,d\n".to_owned();
    for row in 0..1000 {
        text += &format!("{},1,2,3,{row}\n", row % 900);
    }
    let table = read(&text);
    assert_eq!((table.rows, table.cols), (1000, 4));
    let repeat = Notice::IdsRepeat { count: 100, first: "0".into() };
    assert!(table.notices.contains(&repeat) && repeat.is_warning(), "{:?}", table.notices);
}

#[test]
fn dates_are_names() {
    for (first, second) in [
        ("01/06/2010", "04/06/2010"),
        ("2010-06-01", "2010-06-02"),
        ("1.6.2010", "2.6.2010"),
        ("2010-06-01T12:00:00", "2010-06-01T13:00:00"),
        ("2010-06-01 12:00", "2010-06-01 13:00"),
        ("12:30", "12:35"),
        ("1-Jun-2010", "2-Jun-2010"),
        ("2010-06", "2010-07"),
    ] {
        let expected = [0.1, 0.2, 0.3, 0.4];
        check(
            &format!("Date,Al,Ca\n{first},0.1,0.2\n{second},0.3,0.4\n"),
            &["Al", "Ca"],
            &[first, second],
            &expected,
        );
        check(&format!("{first},0.1,0.2\n{second},0.3,0.4\n"), &[], &[first, second], &expected);
        check(
            &format!("gene,{first},{second}\nA,0.1,0.2\nB,0.3,0.4\n"),
            &[first, second],
            &["A", "B"],
            &expected,
        );
    }
}

#[test]
fn names_that_are_marks_of_missing_values() {
    for mark in ["Na", "NA", "None", "nan", "null", "inf"] {
        check(
            &format!("date,Al,{mark}\nd1,1,2\nd2,3,4\n"),
            &["Al", mark],
            &["d1", "d2"],
            &[1.0, 2.0, 3.0, 4.0],
        );
        check(
            &format!("Al,{mark},K\n1,2,3\n3,4,5\n"),
            &["Al", mark, "K"],
            &[],
            &[1.0, 2.0, 3.0, 3.0, 4.0, 5.0],
        );
    }
    check("gene,a,b\nNA,1,2\nB,3,4\n", &["a", "b"], &["NA", "B"], &[1.0, 2.0, 3.0, 4.0]);
    check("gene,a\nNone,1\nnan,3\n", &["a"], &["None", "nan"], &[1.0, 3.0]);
    check("Code,2019,2020,NA\nK,1,2,3\n", &["2019", "2020", "NA"], &["K"], &[1.0, 2.0, 3.0]);
    check("NA,1,2\nB,3,4\n", &[], &["NA", "B"], &[1.0, 2.0, 3.0, 4.0]);
}

#[test]
fn delimiters_at_the_end_of_some_lines() {
    let expected = [1.0, 4.0, 7.0, 2.0, 5.0, 8.0];
    check("A,B,C\n1,4,7,\n2,5,8,\n", &["A", "B", "C"], &[], &expected);
    check("A,B,C,\n1,4,7,\n2,5,8,\n", &["A", "B", "C"], &[], &expected);
    check("A,B,C,\n1,4,7\n2,5,8\n", &["A", "B", "C"], &[], &expected);
    check("1,4,7,\n2,5,8,\n", &[], &[], &expected);
    check("g,B,C\nx,4,7,\ny,5,8,\n", &["B", "C"], &["x", "y"], &[4.0, 7.0, 5.0, 8.0]);
    // A column that is missing in the first lines only is no delimiter too many.
    let table = read("a,b\n1,\n2,\n3,4\n");
    assert_eq!((table.rows, table.cols), (3, 2));
    assert!(values(&table)[1].is_nan() && values(&table)[5] == 4.0);
}

#[test]
fn a_header_that_is_one_field_short() {
    check("a b\nx 1 2\ny 3 4\n", &["a", "b"], &["x", "y"], &[1.0, 2.0, 3.0, 4.0]);
    check("\"a\",\"b\"\n\"1\",1,2\n\"2\",3,4\n", &["a", "b"], &["1", "2"], &[1.0, 2.0, 3.0, 4.0]);
    for text in ["a,b,c\n0,5,1,2\n1,5,3,4\n", "name,a,b\ng1,0,5,1\ng2,1,5,3\n"] {
        let (code, message) = fail(text.as_bytes(), "x.csv");
        assert_eq!(code, "E-FILE", "{message}");
        assert!(message.contains("line 2: found 4 fields, expected 3"), "{message}");
        assert!(
            message.contains("--decimal ,") && message.contains("--row-names yes"),
            "{message}"
        );
    }
}

#[test]
fn comments_before_the_table() {
    let expected = [1.0, 0.5, 0.0, 2.0];
    check("# a b\n1 0.5\n0 2\n", &["a", "b"], &[], &expected);
    check("# written by a program\n# a b\n1 0.5\n0 2\n", &["a", "b"], &[], &expected);
    check("#OTU ID,S1,S2\nO1,1,0.5\nO2,0,2\n", &["S1", "S2"], &["O1", "O2"], &expected);
    check(
        "# Program: counts\nid,S1,S2\nO1,1,0.5\nO2,0,2\n",
        &["S1", "S2"],
        &["O1", "O2"],
        &expected,
    );
    check("# some words that are no names of columns\n1,0.5\n0,2\n", &[], &[], &expected);
    check("#,a,b\n1,1,0.5\n2,0,2\n", &["a", "b"], &["1", "2"], &expected);
    check("sep=;\nname;a;b\nx;1;0.5\ny;0;2\n", &["a", "b"], &["x", "y"], &expected);
    check("\"sep=|\"\nname|a|b\nx|1|0.5\ny|0|2\n", &["a", "b"], &["x", "y"], &expected);
    let (_, text) = fail(b"1,2\n# half\n3,4\n", "x.csv");
    assert!(text.contains("line 2") && text.contains("--comment '#'"), "{text}");
    let (_, text) = fail(b"1,2\n# half,2\n3,4\n", "x.csv");
    assert!(text.contains("line 2") && text.contains("--comment '#'"), "{text}");
    assert!(fail(b"# nothing\n# else\n", "x.csv").1.contains("comment mark"));
}

#[test]
fn a_line_of_units_is_left_out() {
    let expected = [0.1, 0.2, 0.3, 0.4];
    check(
        "Date,Al,Ca\n,ug/m3,ug/m3\nd1,0.1,0.2\nd2,0.3,0.4\n",
        &["Al", "Ca"],
        &["d1", "d2"],
        &expected,
    );
    check(
        "id,Al,Ca\nunits,mg,%\nd1,0.1,0.2\nd2,0.3,0.4\n",
        &["Al", "Ca"],
        &["d1", "d2"],
        &expected,
    );
    check("Al,Ca\nmg,mg\n0.1,0.2\n0.3,0.4\n", &["Al", "Ca"], &[], &expected);
    let table = read("Date,Al,Ca\n,mg,mg\nd1,0.1,0.2\n");
    assert!(table.notices.contains(&Notice::Units { line: 2 }));
    // A row that lies below every limit is data.
    let (_, text) = fail(b"s,Al,Ca\ns1,<LOD,<LOD\ns2,0.1,0.2\n", "x.csv");
    assert!(text.contains("line 2, field 2") && text.contains("'<LOD'"), "{text}");
    assert!(fail(b"a,a\nmg,mg\n1,2\n", "x.csv").1.contains("--skip-lines"));
    assert!(fail(b"#1.2\n2\t2\nN\tD\ta\tb\nx\ty\t1\t2\n", "x").1.contains("--skip-lines"));
}

#[test]
fn numbers_as_programs_write_them() {
    check("\"\",\"a\"\n\"x\",\" 17.6\"\n\"y\",\"  8.6\"\n", &["a"], &["x", "y"], &[17.6, 8.6]);
    check(
        "n;a;b\nx;1.234,56;2,5\ny;1.000,00;3,5\nz;7,25;8,125\n",
        &["a", "b"],
        &["x", "y", "z"],
        &[1234.56, 2.5, 1000.0, 3.5, 7.25, 8.125],
    );
    check(
        "g;s1;s2\na;1,5;2,25\nb;3,0;4\nc;0,5;1,75\n",
        &["s1", "s2"],
        &["a", "b", "c"],
        &[1.5, 2.25, 3.0, 4.0, 0.5, 1.75],
    );
    check(
        "K,a,b\nx,\"66,040,229\",\"1,234\"\ny,\"5,424,800\",\"1,234.5\"\n",
        &["a", "b"],
        &["x", "y"],
        &[66_040_229.0, 1234.0, 5_424_800.0, 1234.5],
    );
    check("K,a,b\nx,50%,1\ny,25.5 %,2\n", &["a", "b"], &["x", "y"], &[50.0, 1.0, 25.5, 2.0]);
    for (text, place, cure) in [
        ("K,a\nx,\"1,234\"\n", "line 2, field 2: found '1,234'", "--decimal ,"),
        ("K;a\nx;1,5\ny;1.5\n", "line 2, field 2", "--decimal ,"),
        ("K,a\nx,50%\ny,7\n", "line 2, field 2: found '50%'", "--drop-columns"),
        ("1,2 0\n3,4 1\n", "line 1, field 2", "--delimiter space --decimal ,"),
        ("gene\tcell\tcount\nA\tc1\t2\n", "line 2, field 2: found 'c1'", "--triples"),
        ("a,b\n1,x\n2,y\n", "line 2, field 2: found 'x' in column 'b'", "--drop-columns"),
        ("a,b\n1,2010-01-02\n2,2010-01-03\n", "line 2, field 2", "dates"),
        ("1 1:0.5\n0 2:0.25\n", "line 1, field 2", "LIBSVM"),
    ] {
        let (code, message) = fail(text.as_bytes(), "x.csv");
        assert_eq!(code, "E-DATA", "{message}");
        assert!(message.contains(place) && message.contains(cure), "{message}");
    }
}

#[test]
fn tables_that_look_like_triples() {
    for text in [
        "user,item,rating\n1,1,5\n1,2,3\n2,1,4\n",
        "user_id,movie_id,rating,timestamp\n1,1,5,978300760\n2,2,3,978300761\n",
        "userId,movieId,rating\n1,31,2.5\n2,31,3\n",
        "1::1193::5::978300760\n1::661::3::978302109\n",
        "196\t242\t3\t881250949\n186\t302\t3\t891717742\n",
        "alice,3,5\nalice,4,1\nbob,3,2\nbob,1,1\n",
    ] {
        let table = read(text);
        let warned = table.notices.iter().filter(|n| n.is_warning()).collect::<Vec<_>>();
        assert_eq!(warned, [&Notice::LooksLikeTriplets], "{text}");
        assert!(warned[0].to_string().contains("--triples"));
    }
    for text in ["a,b,c\n1,2,3\n4,5,6\n", "r,g,b\n12,200,31\n12,200,31\n9,8,7\n"] {
        assert!(!read(text).notices.contains(&Notice::LooksLikeTriplets), "{text}");
    }
}

/// The values 13, 12, 11, … of three columns that the files below share.
const BODY: [f64; 12] = [13.0, 12.0, 11.0, 3.0, 5.0, 2.0, 7.0, 8.0, 9.0, 2.0, 2.0, 6.0];
const ROWS: [&str; 4] = ["13,12,11", "3,5,2", "7,8,9", "2,2,6"];

/// A first line over lines that begin with these names.
fn table(first: &str, names: &[&str]) -> String {
    let lines = ROWS.iter().zip(names).map(|(row, name)| format!("{name}{row}\n"));
    format!("{first}\n{}", lines.collect::<String>())
}

/// The warnings of a text, and whether it names the option.
fn warns(text: &str, option: &str) -> bool {
    let table = read(text);
    table.notices.iter().any(|n| n.is_warning() && n.to_string().contains(option))
}

#[test]
fn a_corner_of_text_over_unlike_labels_is_a_header_whatever_its_word() {
    let labels = ["Aa,", "Bb,", "Cc,", "Dd,"];
    for corner in ["spectrum", "x", "X", "peak", "foo bar", "Element", "taxa"] {
        for axis in [["12.5", "3", "7"], ["2013", "2010", "2011"]] {
            let text = table(&format!("{corner},{}", axis.join(",")), &labels);
            check(&text, &axis, &["Aa", "Bb", "Cc", "Dd"], &BODY);
        }
    }
    for text in [table("Zz,12.5,3,7", &labels), "g1,1,5,2\ng2,4,5,7\ng3,1,1,9\n".into()] {
        assert!(warns(&text, "--header yes") && read(&text).col_names.is_none(), "{text}");
    }
    assert!(!warned(&read("2010-01-01,1,5,2\n2010-01-02,4,5,7\n2010-01-03,1,1,9\n")));
    // A heading is none of its names.
    assert!(!warns("a,7,5,2\nb,4,5,7\na,1,1,9\n", "--header"));
}

#[test]
fn axes_without_a_corner_are_headers_or_doubtful() {
    let bare = ["", "", "", ""];
    for axis in [["400", "410", "420"], ["4000", "3998", "3996"], ["0.5", "1.0", "1.5"]] {
        let read_as_names = axis[0] != "0.5";
        let text = table(&axis.join(","), &bare);
        if read_as_names {
            check(&text, &axis, &[], &BODY);
        }
        assert!(warns(&text, "--header"), "{text}");
        let fractions = "0.4,0.9,0.1\n0.8,0.2,0.3\n0.5,0.1,0.9\n";
        for text in [
            format!("{},\n{fractions}", axis.join(",")),
            format!("{}\n{}", axis.join(","), fractions.replace('\n', ",\n")),
            format!("{},\n{}", axis.join(","), table("", &bare).trim_start()),
            format!("{}\n{}", axis.join(","), ROWS.map(|row| format!("{row},\n")).concat()),
            format!("sep=;\n{}", table(&axis.join(","), &bare).replace(',', ";")),
        ] {
            if read_as_names || text.contains(",\n") {
                assert_eq!(names(read(&text).col_names.as_ref()), axis, "{text}");
            }
        }
    }
    let years = "2018,2019,2020,2021\n35200,1200,2300,10\n100,7,3900,5\n2,1800,40,6\n";
    assert_eq!(names(read(years).col_names.as_ref()), ["2018", "2019", "2020", "2021"]);
    assert!(warns("0.5,1,1.5\n0.4,0.9,0.1\n0.8,0.2,0.3\n", "--header yes"));
}

#[test]
fn two_axes_around_numbers() {
    let left = ["250,", "255,", "260,", "265,"];
    let names = ["250", "255", "260", "265"];
    let text = table("ex\\em,400,410,420", &left);
    check(&text, &["400", "410", "420"], &names, &BODY);
    assert!(warns(&text, "--row-names no"));
    check(&table(",400,410,420", &left), &["400", "410", "420"], &names, &BODY);
    let count = "4000,3998,3996\n1,13,12,11\n2,3,5,2\n3,7,8,9\n";
    for text in [
        table("0,400,410,420", &left),
        table("NaN,400,410,420", &left),
        format!("0,{count}"),
        format!("NaN,{count}"),
        "0,4000,3998\n1,13,12\n2,3,5\n3,7,8\n".into(),
    ] {
        assert!(warns(&text, "--header yes --row-names yes"), "{text}");
    }
    for text in ["0,10,12,14\n10,0,3,5\n12,3,0,4\n14,5,4,0\n", "0,5,9\n5,0,4\n9,4,0\n"] {
        assert!(!warned(&read(text)), "{text}");
    }
}

#[test]
fn lines_between_header_and_data() {
    let labels = ["r0,", "r1,", "r2,", "r3,"];
    let rows = ["r0", "r1", "r2", "r3"];
    let below = |top: &str, second: &str| table(&format!("{top}\n{second}"), &labels);
    assert!(warns(&below("id,A,A,B", ",1,2,3"), "--skip-lines 1"));
    for second in ["row,,,", ",,,", "-,-,-,-"] {
        check(&below("col,a,b,c", second), &["a", "b", "c"], &rows, &BODY);
    }
    let bare = ["", "", "", ""];
    for second in ["-,-,-", ",,"] {
        check(&table(&format!("a,b,c\n{second}"), &bare), &["a", "b", "c"], &[], &BODY);
    }
    // Values that are missing are data.
    assert_eq!(read(&table("a,b,c\nNA,NA,NA", &bare)).rows, 5);
}

#[test]
fn titles_above_the_table() {
    let bare = ["", "", "", ""];
    for title in ["My table, 2020, v", "My table,,"] {
        let text = table(&format!("{title}\na,b,c"), &bare);
        check(&text, &["a", "b", "c"], &[], &BODY);
        assert!(read(&text).notices.contains(&Notice::Title { line: 1 }));
    }
    for (text, cure) in [
        ("My table 2020\na,b,c\n1,2,3\n", "--skip-lines 1"),
        ("! c\na,b,c\n1,2,3\n", "--comment '!'"),
        ("#1.2\n6\t3\nN\tD\ta\tb\nx\ty\t1\t2\n", "--skip-lines 2"),
        ("a,b,c\n1,2,3\n4,5,6\nSource: x\n", "found 1 field, expected 3; check"),
        ("a,b,c\n1,2,3\n4,5,6\nSource: x\n", "--comment 'S'"),
        ("a,b,c\n1,2,3\n4,5,6\n# end\n", "--comment '#'"),
        ("2018,2019,2020,total\n1,5,3,9\n7,2,5,14\n", "--header yes"),
    ] {
        let (_, message) = fail(text.as_bytes(), "x");
        assert!(message.contains(cure), "{text}: {message}");
    }
}

#[test]
fn marks_of_missing_values_in_a_header_of_numbers() {
    let bare = ["", "", "", ""];
    for header in [["400", "401", "NaN"], ["NA", "nan", "null"]] {
        check(&table(&header.join(","), &bare), &header, &[], &BODY);
    }
    let (_, text) = fail(table("7,NA,5", &bare).as_bytes(), "x.csv");
    assert!(text.contains("--header yes") && !text.contains("--missing"), "{text}");
}

#[test]
fn delimiters_at_the_start_of_all_lines_and_two_at_the_end() {
    assert_eq!(read(",13,12,11\n,3,5,2\n,7,8,9\n").col_names, None);
    let expected = [1.0, 4.0, 7.0, 2.0, 5.0, 8.0];
    check("A,B,C,,\n1,4,7,,\n2,5,8,,\n", &["A", "B", "C"], &[], &expected);
    check("A,B,C\n1,4,7,,\n2,5,8,,\n", &["A", "B", "C"], &[], &expected);
    assert!(warns("a,b,c\nr5,13,12,\nr6,1,2,\n", "--row-names yes"));
    assert!(!warned(&read("id,b,c\nr5,13,12,\nr6,1,2,\n")));
}

#[test]
fn numbers_one_field_short_over_a_column_that_never_repeats() {
    let count = ["1,", "2,", "3,", "4,"];
    for header in [["400", "401", "402"], ["0", "1", "2"]] {
        let text = table(&header.join(","), &count);
        check(&text, &header, &["1", "2", "3", "4"], &BODY);
        check(&text.replace(',', " "), &header, &["1", "2", "3", "4"], &BODY);
    }
}

#[test]
fn decimal_commas_in_a_header_between_semicolons() {
    let table = read("wl;400,5;399,5\na;13;12\nb;3;5\nc;7;8\n");
    assert_eq!(names(table.col_names.as_ref()), ["400,5", "399,5"]);
    assert_eq!(values(&table), [13.0, 12.0, 3.0, 5.0, 7.0, 8.0]);
}

#[test]
fn a_comment_that_is_the_header_was_not_passed_over() {
    let passed = |text: &str| read(text).notices.contains(&Notice::Comments { count: 1 });
    assert!(!passed("# a b\n1 0.5\n0 2\n") && passed("# x y z\n# a b\n1 0.5\n0 2\n"));
}
