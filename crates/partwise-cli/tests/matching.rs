//! Files that belong together: rows, columns and components matched by their names, and files beside X read
//! like X.

mod common;

use common::{numbers, partwise, run};
use std::fmt::Write;
use tempfile::TempDir;

const COLUMNS: [&str; 5] = ["Na", "b,1", "c", "d", "=e"];

/// A value of X, and a weight of it; no two rows or columns are alike.
fn value(i: usize, j: usize) -> f64 {
    1.0 + ((7 * i + 3 * j + i * j * j) % 13) as f64
}
fn weight(i: usize, j: usize) -> f64 {
    0.25 * (1 + (3 * i + j) % 6) as f64
}
fn standard_error(i: usize, j: usize) -> f64 {
    1.0 / weight(i, j).sqrt()
}
fn shown(i: usize, j: usize) -> f64 {
    f64::from(!(2 * i + 3 * j).is_multiple_of(5))
}
fn hidden(i: usize, j: usize) -> f64 {
    1.0 - shown(i, j)
}

/// A table with names, rows and columns in the orders given.
fn table(rows: &[usize], cols: &[usize], entry: impl Fn(usize, usize) -> f64) -> String {
    let quoted = |name: &str| format!("\"{name}\"");
    let header: Vec<String> = cols.iter().map(|&j| quoted(COLUMNS[j])).collect();
    let mut text = format!("id,{}\n", header.join(","));
    for &i in rows {
        let entries: Vec<String> = cols.iter().map(|&j| entry(i, j).to_string()).collect();
        let _ = writeln!(text, "r{i},{}", entries.join(","));
    }
    text
}

fn put(folder: &TempDir, name: &str, text: &str) {
    std::fs::write(folder.path().join(name), text).expect("write");
}

const AS_IS: ([usize; 8], [usize; 5]) = ([0, 1, 2, 3, 4, 5, 6, 7], [0, 1, 2, 3, 4]);
const MOVED: ([usize; 8], [usize; 5]) = ([3, 0, 7, 1, 6, 2, 5, 4], [4, 2, 0, 3, 1]);

/// X, files of its shape in its order and in another, and factors.
fn files() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    type Entry = fn(usize, usize) -> f64;
    let of: [(&str, Entry); 5] = [
        ("x", value),
        ("weights", weight),
        ("uncertainties", standard_error),
        ("mask", shown),
        ("hide", hidden),
    ];
    for (name, entry) in of {
        put(&folder, &format!("{name}.csv"), &table(&AS_IS.0, &AS_IS.1, entry));
        put(&folder, &format!("{name}2.csv"), &table(&MOVED.0, &MOVED.1, entry));
    }
    let rows = |order: &[usize]| {
        order
            .iter()
            .fold("id,weight\n".to_owned(), |text, i| text + &format!("r{i},{}\n", 1 + i % 3))
    };
    put(&folder, "row-weights.csv", &rows(&AS_IS.0));
    put(&folder, "row-weights2.csv", &rows(&MOVED.0));
    let columns = |order: &[usize]| {
        let names: Vec<String> = order.iter().map(|&j| format!("\"{}\"", COLUMNS[j])).collect();
        let values: Vec<String> = order.iter().map(|j| format!("{}", 1 + j % 2)).collect();
        format!("{}\n{}\n", names.join(","), values.join(","))
    };
    put(&folder, "column-weights.csv", &columns(&AS_IS.1));
    put(&folder, "column-weights2.csv", &columns(&MOVED.1));
    folder
}

fn objective(folder: &TempDir, arguments: &str) -> f64 {
    let (out, _) = run(folder, &format!("{arguments} --json"));
    let answer: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    answer["objective"].as_f64().expect("a number")
}

/// Exit code and what was said.
fn ends(folder: &TempDir, arguments: &str) -> (i32, String) {
    let output = partwise(folder.path(), arguments).output().expect("spawn");
    let text = [output.stdout, output.stderr].map(|b| String::from_utf8_lossy(&b).into_owned());
    (output.status.code().expect("a code"), text.concat())
}

#[test]
fn a_file_beside_x_in_another_order_gives_the_same_fit() {
    let folder = files();
    for option in ["weights", "uncertainties", "mask", "hide", "row-weights", "column-weights"] {
        let with = |file: &str| format!("fit x.csv -k 2 --{option} {file}");
        let right = objective(&folder, &with(&format!("{option}.csv")));
        let moved = with(&format!("{option}2.csv"));
        assert_eq!(objective(&folder, &moved).to_bits(), right.to_bits(), "{option}");
        let (_, said) = run(&folder, &moved);
        let note = format!("note: {option}2.csv has another order of ");
        assert!(said.contains(&note) && said.contains("matched by name"), "{option}: {said}");
        let position = objective(&folder, &format!("{moved} --match position"));
        assert!((position / right - 1.0).abs() > 1e-3, "{option}: {position} and {right}");
        let (_, said) = run(&folder, &with(&format!("{option}.csv")));
        assert!(!said.contains("matched by name"), "{option}: {said}");
    }
}

#[test]
fn standard_errors_weigh_by_their_inverse_squares() {
    let folder = files();
    let by_weights = objective(&folder, "fit x.csv -k 2 --weights weights.csv");
    let by_errors = objective(&folder, "fit x.csv -k 2 --uncertainties uncertainties.csv");
    assert!((by_errors / by_weights - 1.0).abs() < 1e-12, "{by_errors} and {by_weights}");
    put(&folder, "zero.csv", &table(&AS_IS.0, &AS_IS.1, |i, j| (i + j) as f64));
    let (code, said) = ends(&folder, "fit x.csv -k 2 --uncertainties zero.csv");
    assert!(code == 3 && said.contains("[0, 0] = 0 is no standard error"), "{code} {said}");
    let (code, said) = ends(&folder, "fit x.csv -k 2 --loss kl --uncertainties uncertainties.csv");
    assert!(code == 2 && said.contains("--loss kl has none"), "{code} {said}");
}

#[test]
fn an_entry_that_is_missing_needs_no_standard_error() {
    let folder = files();
    let gone = |i: usize, j: usize| i == 2 && j == 3;
    let marked = |entry: fn(usize, usize) -> f64| {
        let table = table(&AS_IS.0, &AS_IS.1, |i, j| if gone(i, j) { -999.0 } else { entry(i, j) });
        table.replace("-999", "NA")
    };
    put(&folder, "xgaps.csv", &marked(value));
    put(&folder, "gaps.csv", &marked(standard_error));
    let weight = |i: usize, j: usize| if gone(i, j) { 0.0 } else { weight(i, j) };
    put(&folder, "zeros.csv", &table(&AS_IS.0, &AS_IS.1, weight));
    let right = objective(&folder, "fit x.csv -k 2 --weights zeros.csv");
    let found = objective(&folder, "fit xgaps.csv -k 2 --uncertainties gaps.csv --missing nan");
    assert!((found / right - 1.0).abs() < 1e-12, "{found} and {right}");
    let (code, said) = ends(&folder, "fit x.csv -k 2 --uncertainties gaps.csv --missing nan");
    assert!(
        code == 3 && said.contains("uncertainties[2, 3] = NaN, but X[2, 3] is not missing"),
        "{said}"
    );
    let (code, said) = ends(&folder, "fit x.csv -k 2 --uncertainties gaps.csv");
    assert!(code == 3 && said.contains("missing value 'NA'"), "{code} {said}");
}

#[test]
fn other_names_are_refused_with_those_of_both_sides() {
    let folder = files();
    let weights = table(&AS_IS.0, &AS_IS.1, weight);
    let cases = [
        (
            "other.csv",
            weights.replace("\"d\"", "\"z\""),
            "1 only in other.csv ('z'), 1 only in x.csv ('d')",
        ),
        (
            "twice.csv",
            weights.replace("\"d\"", "\"c\""),
            "the column name 'c' stands twice, at 2 and 3",
        ),
        ("rows.csv", weights.replace("r3,", "s3,"), "its row names are not those of x.csv"),
        ("more.csv", weights.clone() + "r8,1,1,1,1,1\n", "1 only in more.csv ('r8')"),
    ];
    for (name, text, says) in cases {
        put(&folder, name, &text);
        let (code, said) = ends(&folder, &format!("fit x.csv -k 2 --weights {name} --out run"));
        assert!(
            code == 3 && said.contains("error[E-NAMES]") && said.contains(says),
            "{code} {said}"
        );
        assert!(said.contains("--match position"), "{said}");
        assert!(!folder.path().join("run.partwise").exists());
    }
    // By position these are weights as any others.
    let right = objective(&folder, "fit x.csv -k 2 --weights weights.csv");
    let found = objective(&folder, "fit x.csv -k 2 --weights other.csv --match position");
    assert_eq!(found.to_bits(), right.to_bits());
}

#[test]
fn a_start_in_another_order_is_put_right_and_keeps_its_names() {
    let folder = files();
    let w = |rows: &[usize], parts: &[usize]| {
        let names: Vec<&str> = parts.iter().map(|&t| ["soil", "sea"][t]).collect();
        rows.iter().fold(format!("id,{}\n", names.join(",")), |text, &i| {
            let entries: Vec<String> =
                parts.iter().map(|&t| format!("{}", 1 + (3 * i + 5 * t) % 7)).collect();
            text + &format!("r{i},{}\n", entries.join(","))
        })
    };
    let h = |parts: &[usize], cols: &[usize]| {
        let names: Vec<String> = cols.iter().map(|&j| format!("\"{}\"", COLUMNS[j])).collect();
        parts.iter().fold(format!("part,{}\n", names.join(",")), |text, &t| {
            let entries: Vec<String> =
                cols.iter().map(|&j| format!("{}", 1 + (2 * t + 3 * j) % 5)).collect();
            text + &format!("{},{}\n", ["soil", "sea"][t], entries.join(","))
        })
    };
    put(&folder, "w.csv", &w(&AS_IS.0, &[0, 1]));
    put(&folder, "w2.csv", &w(&MOVED.0, &[0, 1]));
    put(&folder, "h.csv", &h(&[0, 1], &AS_IS.1));
    put(&folder, "h2.csv", &h(&[1, 0], &MOVED.1));
    let fit = "fit x.csv -k 2 --max-iter 3";
    for (first, second) in [
        ("--h h.csv --fix h", "--h h2.csv --fix h"),
        ("--w w.csv --fix w", "--w w2.csv --fix w"),
        ("--w w.csv --h h.csv", "--w w2.csv --h h2.csv"),
    ] {
        let (right, found) = (
            objective(&folder, &format!("{fit} {first}")),
            objective(&folder, &format!("{fit} {second}")),
        );
        // By H alone the components stand as in its file, and sums in another order round otherwise.
        assert!((found / right - 1.0).abs() < 1e-12, "{second}: {found} and {right}");
    }
    run(&folder, &format!("{fit} --w w2.csv --h h2.csv --w-out w.out.csv --h-out h.out.csv"));
    let text = |name: &str| String::from_utf8(common::bytes(&folder, name)).expect("UTF-8");
    assert!(text("w.out.csv").starts_with(",soil,sea\nr0,"), "{}", text("w.out.csv"));
    let firsts: Vec<String> = text("h.out.csv")
        .lines()
        .skip(1)
        .map(|l| l.split(',').next().unwrap_or("").to_owned())
        .collect();
    assert_eq!(firsts, ["soil", "sea"]);
    // Parts as columns, as catalogues of signatures have them.
    let turned = |text: &str| {
        let rows: Vec<Vec<String>> = text
            .lines()
            .map(|l| l.replace("b,1", "b;1").split(',').map(str::to_owned).collect())
            .collect();
        let column = |j: usize| rows.iter().map(|row| row[j].clone()).collect::<Vec<_>>().join(",");
        ((0..rows[0].len()).map(column).collect::<Vec<_>>().join("\n") + "\n").replace("b;1", "b,1")
    };
    put(&folder, "turned.csv", &turned(&h(&[0, 1], &AS_IS.1)));
    for rank in [" -k 2", ""] {
        let given = format!("fit x.csv{rank} --max-iter 3 --h turned.csv --fix h");
        let (code, said) = ends(&folder, &given);
        assert!(code == 3 && said.contains("H is 5 × 2, expected 2 × 5"), "{said}");
        assert!(said.contains("--layout h=--transpose turns it"), "{said}");
        let right = objective(&folder, &format!("{fit} --h h.csv --fix h"));
        let found = objective(&folder, &format!("{given} --layout h=--transpose"));
        assert_eq!(found.to_bits(), right.to_bits());
    }
    run(&folder, &format!("{fit} --h h2.csv --fix h --out m"));
    run(&folder, "transform m.partwise x.csv --out t.csv");
    assert!(text("t.csv").starts_with(",sea,soil\n"), "{}", text("t.csv"));
}

#[test]
fn new_data_and_the_data_of_a_model_are_matched_by_name() {
    let folder = files();
    run(&folder, "fit x.csv -k 2 --out m");
    run(&folder, "transform m.partwise x.csv --out right.csv");
    let (_, said) = run(&folder, "transform m.partwise x2.csv --out moved.csv");
    assert!(said.contains("x2.csv has another order of columns than m.partwise"), "{said}");
    let text = |name: &str| String::from_utf8(common::bytes(&folder, name)).expect("UTF-8");
    let sorted = |name: &str| {
        let mut lines: Vec<String> = text(name).lines().map(ToOwned::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted("moved.csv"), sorted("right.csv"));
    assert!(text("moved.csv").lines().nth(1).is_some_and(|line| line.starts_with("r3,")));
    run(&folder, "verify m.partwise x2.csv");
    let (code, said) = ends(&folder, "verify m.partwise x2.csv --match position");
    assert!(code == 8, "{code} {said}");
    put(&folder, "less.csv", &table(&AS_IS.0, &[0, 1, 2, 3], value));
    let (code, said) = ends(&folder, "transform m.partwise less.csv --out no.csv");
    assert!(code == 3 && said.contains("1 only in m.partwise ('=e')"), "{code} {said}");
}

#[test]
fn files_beside_x_are_read_as_x_is_or_by_a_layout_of_their_own() {
    let folder = files();
    let right = objective(&folder, "fit x.csv -k 2 --weights weights.csv");
    let headless = |text: &str| {
        let rows =
            text.lines().skip(1).map(|line| line.split_once(',').map_or("", |(_, rest)| rest));
        rows.collect::<Vec<_>>().join("\n") + "\n"
    };
    put(&folder, "bare.csv", &headless(&table(&AS_IS.0, &AS_IS.1, weight)));
    // Options of X that do not fit are not forced on it.
    let found =
        objective(&folder, "fit x.csv -k 2 --header yes --row-names yes --weights bare.csv");
    assert_eq!(found.to_bits(), right.to_bits());
    let semicolons = |text: &str| text.replace("\"b,1\"", "\"b.1\"").replace(',', ";");
    put(&folder, "bars.csv", &semicolons(&table(&AS_IS.0, &AS_IS.1, weight)).replace(';', "|"));
    put(&folder, "xbars.csv", &semicolons(&table(&AS_IS.0, &AS_IS.1, value)).replace(';', "|"));
    let found = objective(&folder, "fit xbars.csv -k 2 --delimiter | --weights bars.csv");
    assert_eq!(found.to_bits(), right.to_bits());
    let mut command =
        partwise(folder.path(), "fit xbars.csv -k 2 --delimiter | --json --weights bare.csv");
    command.args(["--layout", "weights=--header no --delimiter ','"]);
    let output = command.output().expect("spawn");
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(answer["objective"].as_f64().map(f64::to_bits), Some(right.to_bits()));
    for (layout, says) in [
        ("weights", "expected FILE=OPTIONS"),
        ("x=--header no", "'x' is none of weights"),
        ("weights=--heder no", "unexpected argument '--heder'"),
        ("weights=--delimiter '", "a quote in OPTIONS is not closed"),
    ] {
        let mut command = partwise(folder.path(), "fit x.csv -k 2");
        let output = command.args(["--layout", layout]).output().expect("spawn");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains(says), "{layout}: {said}");
    }
}

#[test]
fn transform_knows_what_its_model_was_fitted_to() {
    let folder = files();
    let gaps =
        table(&AS_IS.0, &AS_IS.1, |i, j| if shown(i, j) > 0.0 { value(i, j) } else { -999.0 });
    put(&folder, "gaps.csv", &gaps.replace("-999", "NA"));
    run(&folder, "fit gaps.csv -k 2 --missing nan --column-weights column-weights.csv --out m");
    let (out, said) = run(&folder, "transform m.partwise gaps.csv --out known.npy");
    assert!(said.contains("note: --missing nan, as in the fit"), "{said}");
    assert!(said.contains("note: --column-weights, as in the fit"), "{said}");
    assert!(out.contains("--missing nan, --column-weights"), "{out}");
    let (out, _) = run(&folder, "verify m.partwise gaps.csv");
    assert!(out.contains("--missing nan, --column-weights"), "{out}");
    let given = "--missing nan --column-weights column-weights.csv";
    run(&folder, &format!("transform m.partwise gaps.csv {given} --out given.npy"));
    let read = |name: &str| numbers(&common::bytes(&folder, name));
    assert_eq!(read("known.npy"), read("given.npy"));
    run(&folder, "transform m.partwise gaps.csv --column-weights none --out none.npy");
    assert_ne!(read("known.npy"), read("none.npy"));

    run(&folder, "fit x.csv -k 2 --weights weights.csv --out weighed");
    let (code, said) = ends(&folder, "transform weighed.partwise x.csv --out no.npy");
    assert!(code == 2 && said.contains("was fitted with --weights"), "{code} {said}");
    run(&folder, "transform weighed.partwise x.csv --weights none --out even.npy");
    run(&folder, "transform weighed.partwise x.csv --weights weights.csv --out w.npy");
    assert_ne!(read("even.npy"), read("w.npy"));

    run(&folder, "fit x.csv -k 2 --hide hide.csv --out held");
    let (_, said) = run(&folder, "transform held.partwise x.csv --out all.npy");
    assert!(said.contains("the fit left entries out by --hide"), "{said}");
}

/// The same share in fit, verify, transform and the model, under a mask, for values far from zero.
#[test]
fn the_share_left_is_the_same_for_every_command() {
    let folder = files();
    put(&folder, "far.csv", &table(&AS_IS.0, &AS_IS.1, |i, j| 10.0 + value(i, j) / 14.0));
    let share = |arguments: &str| {
        let (out, _) = run(&folder, &format!("{arguments} --json"));
        let answer: serde_json::Value = serde_json::from_str(&out).expect("JSON");
        ["relative_error", "explained_variance"]
            .map(|name| answer[name].as_f64().expect("a number"))
    };
    for weighing in
        ["", " --mask mask.csv", " --weights weights.csv", " --row-weights row-weights.csv"]
    {
        let fitted = share(&format!(
            "fit far.csv -k 2 --force --tol 1e-9 --max-iter 5000 --out m{weighing}"
        ));
        let verified = share(&format!("verify m.partwise far.csv{weighing}"));
        let new = share(&format!("transform m.partwise far.csv --force --out t.npy{weighing}"));
        assert!(fitted[0] < 0.03, "{weighing}: {fitted:?}");
        for other in [verified, new] {
            assert!((other[0] / fitted[0] - 1.0).abs() < 1e-5, "{weighing}: {other:?} {fitted:?}");
            assert!((other[1] - fitted[1]).abs() < 1e-7, "{weighing}: {other:?} {fitted:?}");
        }
        assert!((fitted[0].powi(2) - (1.0 - fitted[1])).abs() < 1e-12, "{fitted:?}");
    }
}

/// Numbers that name columns are data to the eye; the names of what a file goes with tell.
#[test]
fn names_that_are_numbers_are_known_in_every_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let table = |cols: &[usize], corner: &str, entry: &dyn Fn(usize, usize) -> String| {
        let row = |lead: Option<String>, fields: Vec<String>| {
            lead.into_iter().chain(fields).collect::<Vec<_>>().join(",") + "\n"
        };
        let with = |text: String| (!corner.is_empty()).then_some(text);
        let header = cols.iter().map(|j| (2018 + j).to_string()).collect();
        let lines =
            (0..9).map(|i| row(with(format!("r{i}")), cols.iter().map(|&j| entry(i, j)).collect()));
        row(with(corner.to_owned()), header) + &lines.collect::<String>()
    };
    let number = |i: usize, j: usize| value(i, j).to_string();
    let mask = |i: usize, j: usize| shown(i, j).to_string();
    for corner in ["", "wide words"] {
        put(&folder, "x.csv", &table(&[0, 1, 2, 3, 4], corner, &number));
        put(&folder, "x2.csv", &table(&[2, 0, 4, 1, 3], corner, &number));
        put(&folder, "mask.csv", &table(&[0, 1, 2, 3, 4], corner, &mask));
        put(&folder, "mask2.csv", &table(&[2, 0, 4, 1, 3], corner, &mask));
        run(&folder, "fit x.csv -k 2 --header yes --out m --force");
        run(&folder, "transform m.partwise x.csv --out t.npy --force");
        let (_, said) = run(&folder, "transform m.partwise x2.csv --out t2.npy --force");
        assert!(said.contains("matched by name"), "{corner}: {said}");
        let read = |name: &str| numbers(&common::bytes(&folder, name));
        let (right, found) = (read("t.npy"), read("t2.npy"));
        assert_eq!(right.len(), found.len(), "{corner}");
        assert!(right.iter().zip(&found).all(|(a, b)| (a - b).abs() <= 1e-9 * a.abs()), "{corner}");
        run(&folder, "verify m.partwise x2.csv");
        let of =
            |mask: &str| objective(&folder, &format!("fit x.csv -k 2 --header yes --mask {mask}"));
        assert_eq!(of("mask.csv").to_bits(), of("mask2.csv").to_bits(), "{corner}");
    }
}
