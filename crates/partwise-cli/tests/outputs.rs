//! The kinds of output, and the names in them.

mod common;

use common::{bytes, folder, partwise, run};
use flate2::read::GzDecoder;
use partwise_io::{Model, ReadOptions, Switch, Table, read, read_from};
use std::io::Read;
use tempfile::TempDir;

/// Names that a program might take for something else.
const NAMES: [&str; 8] = ["=cmd()", "+1", "-x", "@sum", "a,b", "say \"a\"", " padded ", "#7"];

fn table(folder: &TempDir, name: &str) -> Table {
    let options = ReadOptions::default();
    read(&folder.path().join(name), &options).unwrap_or_else(|e| panic!("{e}"))
}

/// A folder with `x.csv`, whose rows and columns have such names.
fn named() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let header: Vec<String> = NAMES[..4].iter().map(|name| quoted(name)).collect();
    let mut text = format!(",{}\n", header.join(","));
    for (i, name) in NAMES.iter().enumerate() {
        let row: Vec<String> = (0..4).map(|j| ((i * 7 + j * 5) % 11).to_string()).collect();
        text += &format!("{},{}\n", quoted(name), row.join(","));
    }
    std::fs::write(folder.path().join("x.csv"), text).expect("write");
    folder
}

#[test]
fn every_kind_of_output_holds_the_same_and_all_but_npy_hold_the_names() {
    let folder = named();
    let kinds = ["csv", "tsv", "csv.gz", "tsv.gz", "npz"];
    run(&folder, "fit x.csv -k 2 --w-out w.npy --h-out h.npy --dtype f64");
    for kind in kinds {
        run(&folder, &format!("fit x.csv -k 2 --w-out w.{kind} --h-out h.{kind} --dtype f64"));
        for factor in ["w", "h"] {
            let file = table(&folder, &format!("{factor}.{kind}"));
            assert_eq!(file.values, table(&folder, &format!("{factor}.npy")).values, "{kind}");
        }
        let (w, h) = (table(&folder, &format!("w.{kind}")), table(&folder, &format!("h.{kind}")));
        assert_eq!(w.row_names.expect("names"), NAMES, "{kind}");
        assert_eq!(h.col_names.expect("names"), NAMES[..4], "{kind}");
        assert_eq!(w.col_names, h.row_names, "components");
    }
    let mut text = String::new();
    GzDecoder::new(&bytes(&folder, "w.csv.gz")[..]).read_to_string(&mut text).expect("gzip");
    assert_eq!(text.as_bytes(), bytes(&folder, "w.csv"));
    assert!(text.contains("\n=cmd(),"), "{text}");
    run(&folder, "fit x.csv -k 2 --w-out safe.csv --dtype f64 --spreadsheet-safe");
    let safe = String::from_utf8(bytes(&folder, "safe.csv")).expect("UTF-8");
    for name in ["\n'=cmd(),", "\n'+1,", "\n'-x,", "\n'@sum,"] {
        assert!(safe.contains(name), "{safe}");
    }
}

#[test]
#[allow(clippy::unwrap_used, reason = "each is a check")]
fn an_npz_holds_a_matrix_and_its_names_as_arrays() {
    let folder = named();
    run(&folder, "fit x.csv -k 2 --w-out w.npz --h-out h.csv");
    let mut archive =
        zip::ZipArchive::new(std::io::Cursor::new(bytes(&folder, "w.npz"))).expect("an archive");
    let mut array = |name: &str| {
        let mut bytes = Vec::new();
        archive.by_name(name).expect(name).read_to_end(&mut bytes).expect("read");
        bytes
    };
    let text = |npy: Vec<u8>| -> Vec<String> {
        let header = 10 + usize::from(u16::from_le_bytes([npy[8], npy[9]]));
        let head = String::from_utf8_lossy(&npy[10..header]).into_owned();
        let length: usize =
            head.split("'<U").nth(1).and_then(|t| t.split('\'').next()).unwrap().parse().unwrap();
        let name = |bytes: &[u8]| -> String {
            let codes = bytes.chunks(4).map(|c| u32::from_le_bytes(c.try_into().unwrap()));
            codes.take_while(|&c| c > 0).map(|c| char::from_u32(c).unwrap()).collect()
        };
        npy[header..].chunks(4 * length).map(name).collect()
    };
    assert_eq!(text(array("index.npy")), NAMES);
    assert_eq!(text(array("columns.npy")), ["component_1", "component_2"]);
    run(&folder, "fit x.csv -k 2 --w-out w.npy");
    assert_eq!(array("data.npy"), bytes(&folder, "w.npy"));
    let again = || {
        run(&folder, "fit x.csv -k 2 --w-out again.npz --force");
        bytes(&folder, "again.npz")
    };
    assert_eq!(again(), bytes(&folder, "w.npz"), "the same bytes every time");
}

#[test]
fn names_come_out_of_a_model_again() {
    let folder = named();
    run(&folder, "fit x.csv -k 2 --out d --w-out w.csv --h-out h.tsv.gz");
    let (out, _) = run(&folder, "export d.partwise --w-out w2.csv --h-out h2.tsv.gz");
    assert!(out.contains("w2.csv, h2.tsv.gz"), "{out}");
    assert_eq!(bytes(&folder, "w.csv"), bytes(&folder, "w2.csv"));
    assert_eq!(bytes(&folder, "h.tsv.gz"), bytes(&folder, "h2.tsv.gz"));
    let (out, _) = run(&folder, "export d.partwise --h-out h.npy --json");
    let answer: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((&answer["rank"], &answer["files"]["h"]), (&2.into(), &"h.npy".into()));
    run(&folder, "fit x.csv -k 2 --h-out h3.npy");
    assert_eq!(bytes(&folder, "h.npy"), bytes(&folder, "h3.npy"));
    let refuse = |command: &str, says: &str| {
        let output = partwise(folder.path(), command).output().expect("spawn");
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(err.contains(says), "{command}: {err}");
        output.status.code()
    };
    assert_eq!(refuse("export d.partwise", "--w-out"), Some(2));
    assert_eq!(refuse("export d.partwise --w-out w.csv", "the file exists"), Some(4));
    assert_eq!(refuse("export d.partwise --w-out d.csv --h-out d.csv", "two outputs"), Some(2));
    assert_eq!(refuse("export d.partwise --w-out d.txt", "is written as"), Some(2));
    assert_eq!(refuse("export x.csv --w-out d.csv", "E-MODEL"), Some(8));
    let mut model = Model::read(&folder.path().join("d.partwise")).expect("a model");
    model.w = None;
    model.row_names = None;
    let file = std::fs::File::create(folder.path().join("h.partwise")).expect("create");
    model.write(file).expect("write");
    assert_eq!(refuse("export h.partwise --w-out only.csv", "the model holds no W"), Some(8));
    run(&folder, "export h.partwise --h-out only.csv");
}

#[test]
fn a_name_of_its_own_takes_the_place_of_the_one_after_out() {
    let folder = named();
    let (out, _) = run(&folder, "fit x.csv -k 2 --out d --h-out topics.csv");
    assert!(out.contains("d.W.npy, topics.csv, d.partwise"), "{out}");
    assert!(!folder.path().join("d.H.npy").exists());
    let (out, _) = run(&folder, "fit x.csv -k 2 --out new/ --w-out w.npy --model m.partwise");
    assert!(out.contains("w.npy, new/H.npy, m.partwise"), "{out}");
}

#[test]
fn whoever_saves_no_names_hears_of_it() {
    let folder = named();
    for (command, lost) in [
        ("fit x.csv -k 2 --w-out a.npy", Some("a.npy holds no row names")),
        (
            "fit x.csv -k 2 --w-out b.npy --h-out c.npy",
            Some("b.npy holds no row names, c.npy holds no column names; .csv"),
        ),
        ("fit x.csv -k 2 --w-out d.npz --h-out e.npy", Some("e.npy holds no column names")),
        ("fit x.csv -k 2 --w-out f.npy --model f.partwise", None),
        ("fit x.csv -k 2 --out g", None),
        ("fit x.csv -k 2 --w-out h.csv", None),
        ("transform f.partwise x.csv --out i.npy", Some("i.npy holds no row names; .csv")),
        ("transform f.partwise x.csv --out i.csv", None),
    ] {
        let (_, err) = run(&folder, command);
        assert_eq!(err.contains("holds no"), lost.is_some(), "{command}: {err}");
        assert!(lost.is_none_or(|lost| err.contains(lost)), "{command}: {err}");
    }
}

#[test]
fn results_can_be_read_again_without_a_word_about_their_layout() {
    let folder = folder();
    run(&folder, "fit words.csv.gz -k 3 --w-out w.csv --h-out h.tsv");
    let options = ReadOptions { header: Switch::Yes, row_names: Switch::Yes, ..Default::default() };
    for name in ["w.csv", "h.tsv"] {
        let told = read_from(bytes(&folder, name), name, &options).expect("a table");
        let found = table(&folder, name);
        assert_eq!((&found.values, &found.row_names), (&told.values, &told.row_names), "{name}");
        assert_eq!(found.col_names, told.col_names, "{name}");
    }
}
