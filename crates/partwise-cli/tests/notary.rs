//! `verify` as a notary: it accepts what a fit has written, and refuses what was changed afterwards.
//!
//! `PARTWISE_TAMPERINGS=20` makes twenty times as many changes to each model.

mod common;

use common::partwise;
use partwise_io::{FactorValues, Model};
use std::path::Path;
use tempfile::TempDir;

const ROWS: usize = 14;
const COLS: usize = 9;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).expect("small")
    }
}

fn value(i: usize, j: usize) -> f64 {
    1.0 + ((5 * i + 7 * j + i * j * j) % 11) as f64 + 0.125 * (i % 3) as f64
}

fn table(name: &str, folder: &Path, entry: impl Fn(usize, usize) -> String) {
    let row = |i| (0..COLS).map(|j| entry(i, j)).collect::<Vec<_>>().join(",") + "\n";
    std::fs::write(folder.join(name), (0..ROWS).map(row).collect::<String>()).expect("write");
}

fn is_shown(i: usize, j: usize) -> bool {
    !(3 * i + 5 * j).is_multiple_of(7)
}

fn files() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    table("x.csv", at, |i, j| value(i, j).to_string());
    table("na.csv", at, |i, j| if is_shown(i, j) { value(i, j).to_string() } else { "NA".into() });
    table("weights.csv", at, |i, j| (0.25 * ((i + j) % 5) as f64).to_string());
    table("hide.csv", at, |i, j| u8::from(!is_shown(i, j)).to_string());
    table("few.csv", at, |i, j| u8::from((i + j).is_multiple_of(3)).to_string());
    let put = |name: &str, text: String| std::fs::write(at.join(name), text).expect("write");
    let factor = |rows: usize, cols: usize| {
        let row = |i: usize| (0..cols).map(move |j| ((i * 3 + j * 5) % 7 + 1).to_string());
        (0..rows).map(|i| row(i).collect::<Vec<_>>().join(",") + "\n").collect::<String>()
    };
    put("w.csv", factor(ROWS, 3));
    put("h.csv", factor(3, COLS));
    let cells = (0..ROWS).flat_map(|i| (0..COLS).map(move |j| (i, j)));
    let kept: Vec<_> = cells.filter(|&(i, j)| is_shown(i, j)).collect();
    let line = |&(i, j): &(usize, usize)| format!("{} {} {}\n", i + 1, j + 1, value(i, j));
    let head =
        format!("%%MatrixMarket matrix coordinate real general\n{ROWS} {COLS} {}\n", kept.len());
    put("sparse.mtx", head + &kept.iter().map(line).collect::<String>());
    folder
}

/// Exit code and what was said.
fn code(folder: &TempDir, arguments: &str) -> (i32, String) {
    let output = partwise(folder.path(), arguments).output().expect("spawn");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&said).into_owned())
}

fn fitted(folder: &TempDir, arguments: &str) -> Model {
    let (exit, said) = code(folder, &format!("fit {arguments} --model m.partwise --force"));
    assert_eq!(exit, 0, "{arguments}: {said}");
    Model::read(&folder.path().join("m.partwise")).expect("a model")
}

/// What `verify` says about a model, with the files of its fit.
fn verified(folder: &TempDir, model: &Model, files: &str) -> (i32, String) {
    let mut bytes = Vec::new();
    model.write(&mut bytes).expect("a model");
    std::fs::write(folder.path().join("t.partwise"), bytes).expect("write");
    code(folder, &format!("verify t.partwise {files}"))
}

/// Fits with the files that go with them, which `verify` is given as well.
fn fits() -> Vec<(&'static str, &'static str)> {
    vec![
        ("x.csv", "-k 3"),
        ("x.csv", "-k 3 --dtype f32 --rule bpp"),
        ("x.csv", "-k 3 --loss kl --dtype f32"),
        ("x.csv", "-k 2 --loss is --rule jmm --max-iter 30"),
        ("sparse.mtx", "-k 2 --loss kl --rule mu --max-iter 25 --dtype f32"),
        ("sparse.mtx", "-k 3 --rule mu --max-iter 12"),
        ("x.csv --weights weights.csv", "-k 2 --loss huber:0.5 --rule mue"),
        ("x.csv --hide hide.csv", "-k 2 --w-l1 0.1 --h-l2 0.2"),
        ("na.csv --missing nan", "-k 2 --loss 1.5"),
        ("x.csv", "-k 3 --h h.csv --fix h --time-limit 1h"),
        ("x.csv", "-k 3 --n-init 3 --tol 1e-6 --loss kl"),
        ("x.csv", "-k 3 --rule mu --until settled --loss kl"),
    ]
}

/// The bytes of a file with other contents, a right checksum and the seal it had.
fn repacked(file: &[u8], header: &str, data: &[u8]) -> Vec<u8> {
    let mut header = header.to_owned();
    while !(20 + header.len()).is_multiple_of(8) {
        header.push(' ');
    }
    let mut all = file[..12].to_vec();
    all.extend((header.len() as u64).to_le_bytes());
    all.extend(header.as_bytes());
    all.extend(data);
    all.extend(&file[file.len() - 36..file.len() - 4]);
    let crc = crc32fast::hash(&all);
    all.extend(crc.to_le_bytes());
    all
}

/// Every header that differs in one number or one letter of a text.
fn other_headers(value: &serde_json::Value) -> Vec<serde_json::Value> {
    use serde_json::Value;
    let with = |of: &dyn Fn(Value) -> Value, others: Vec<Value>| -> Vec<Value> {
        others.into_iter().map(of).collect()
    };
    match value {
        Value::Object(map) => map
            .iter()
            .flat_map(|(key, inner)| {
                let put = |other: Value| {
                    let mut map = map.clone();
                    map.insert(key.clone(), other);
                    Value::Object(map)
                };
                with(&put, other_headers(inner))
            })
            .collect(),
        Value::Array(list) => (0..list.len())
            .flat_map(|at| {
                let put = |other: Value| {
                    let mut list = list.clone();
                    list[at] = other;
                    Value::Array(list)
                };
                with(&put, other_headers(&list[at]))
            })
            .collect(),
        Value::String(text) => vec![Value::String(text.clone() + "x"), Value::String("1".into())],
        Value::Number(number) => match (number.as_u64(), number.as_f64()) {
            (Some(n), _) => vec![n.wrapping_add(1).into(), (n / 2).wrapping_sub(1).into()],
            (None, Some(x)) => vec![(x * (1.0 + 1e-12)).into(), (x * 0.5).into(), Value::Null],
            _ => Vec::new(),
        },
        Value::Bool(_) | Value::Null => vec![1.into()],
    }
}

fn times() -> usize {
    std::env::var("PARTWISE_TAMPERINGS").ok().and_then(|n| n.parse().ok()).unwrap_or(1)
}

#[test]
fn a_file_that_was_changed_in_any_place_is_no_model_any_more() {
    let folder = files();
    let mut random = Random(1);
    let (mut headers, mut entries, mut swaps) = (0, 0, 0);
    for (files, options) in fits() {
        let model = fitted(&folder, &format!("{files} {options}"));
        let file = std::fs::read(folder.path().join("m.partwise")).expect("a file");
        let length = u64::from_le_bytes(file[12..20].try_into().expect("8 bytes"));
        let (json, rest) = file[20..].split_at(usize::try_from(length).expect("small"));
        let text = std::str::from_utf8(json).expect("text").trim_end();
        let data = &rest[..rest.len() - 36];
        let good = repacked(&file, text, data);
        assert_eq!(Model::from_bytes(&good).expect("only repacked"), model);
        let header: serde_json::Value = serde_json::from_str(text).expect("JSON");
        for other in other_headers(&header) {
            let other = other.to_string();
            assert!(Model::from_bytes(&repacked(&file, &other, data)).is_err(), "{other}");
            headers += 1;
        }
        let size = if matches!(model.h.values, FactorValues::F32(_)) { 4 } else { 8 };
        let count = data.len() / size;
        for _ in 0..400 * times() {
            let (at, factor) =
                (random.below(count), 1.0 + 1e-3 * (1 - 2 * random.below(2) as i32) as f64);
            let mut other = data.to_vec();
            let place = &mut other[at * size..(at + 1) * size];
            if size == 4 {
                let value = f32::from_le_bytes((&*place).try_into().expect("4"));
                place.copy_from_slice(&((f64::from(value) * factor) as f32).to_le_bytes());
            } else {
                let value = f64::from_le_bytes((&*place).try_into().expect("8"));
                place.copy_from_slice(&(value * factor).to_le_bytes());
            }
            let to = random.below(count);
            let mut swapped = data.to_vec();
            for byte in 0..size {
                swapped.swap(at * size + byte, to * size + byte);
            }
            for (changed, of) in [(other, &mut entries), (swapped, &mut swaps)] {
                if changed != data {
                    let found = Model::from_bytes(&repacked(&file, text, &changed));
                    assert!(found.is_err(), "{files} {options}: entry {at}");
                    *of += 1;
                }
            }
        }
    }
    assert!(headers > 300 && entries > 3000 && swaps > 3000, "{headers} {entries} {swaps}");
}

/// A change of a model that is sealed again afterwards.
type Change = (&'static str, fn(&mut Model) -> bool);

fn set(model: &mut Model, name: &str, value: &str) -> bool {
    model.origin.options.insert(name.into(), value.into()).as_deref() != Some(value)
}

/// What no fit can have written, whoever sealed it. Each says whether it applies.
const LIES: [Change; 30] = [
    ("a status that there is not", |m| {
        m.origin.status = "perfect".into();
        true
    }),
    ("converged above tol", |m| {
        m.origin.status = "converged".into();
        set(m, "tol", "1e-300") && m.origin.kkt > Some(1e-300)
    }),
    ("out of iterations before the last", |m| {
        m.origin.status = "max_iter".into();
        set(m, "max_iter", "100000")
    }),
    ("settled, though nothing asked for it", |m| {
        m.origin.status = "settled".into();
        m.origin.options.remove("until").is_none()
    }),
    ("settled under another rule", |m| {
        m.origin.rule = if m.origin.loss == "frobenius" { "hals" } else { "mue" }.into();
        m.origin.status == "settled"
    }),
    ("settled with a small residual", |m| m.origin.status == "settled" && set(m, "tol", "0.5")),
    ("out of time without a limit", |m| {
        m.origin.status = "time_limit".into();
        m.origin.options.remove("time_limit");
        true
    }),
    ("more iterations than allowed", |m| {
        m.origin.iterations = Some(1_000_000);
        true
    }),
    ("converged, but not measured", |m| {
        m.origin.kkt = None;
        m.origin.status == "converged"
    }),
    ("out of iterations, but not measured", |m| {
        m.origin.objective = None;
        m.origin.status == "max_iter"
    }),
    ("a rule that there is not", |m| {
        m.origin.rule = "magic".into();
        true
    }),
    ("a rule that does not minimise the loss", |m| {
        m.origin.rule = if m.origin.loss == "frobenius" { "sn" } else { "pgd" }.into();
        true
    }),
    ("a loss that there is not", |m| {
        m.origin.loss = "l1".into();
        true
    }),
    ("another loss", |m| {
        m.origin.loss = if m.origin.loss == "kl" { "1.25" } else { "kl" }.into();
        m.origin.rule = "mue".into();
        true
    }),
    ("tol below zero", |m| set(m, "tol", "-1e-4")),
    ("tol not finite", |m| set(m, "tol", "inf")),
    ("no tol", |m| m.origin.options.remove("tol").is_some()),
    ("no restarts", |m| set(m, "n_init", "0")),
    ("no max_iter", |m| m.origin.options.remove("max_iter").is_some()),
    ("another rank", |m| set(m, "rank", "4")),
    ("a start that there is not", |m| set(m, "init", "best")),
    ("restarts of one start", |m| set(m, "init", "nndsvd") && set(m, "n_init", "7")),
    ("an option that there is not", |m| set(m, "quality", "high")),
    ("a factor held that was not given", |m| {
        m.origin.options.remove("w");
        set(m, "fixed", "w")
    }),
    ("another objective", |m| {
        m.origin.objective = m.origin.objective.map(|objective| objective * 1.001);
        true
    }),
    ("another residual", |m| {
        m.origin.status = "stalled".into();
        m.origin.kkt = m.origin.kkt.map(|kkt| 0.5 * kkt);
        m.origin.kkt > Some(1e-4)
    }),
    ("another relative error", |m| {
        m.origin.relative_error = m.origin.relative_error.map(|error| error * 1.01);
        true
    }),
    ("another X", |m| {
        let entries = m.origin.data.entries.as_mut();
        entries.map(|entries| entries.digest ^= 1).is_some()
    }),
    ("another penalty", |m| m.origin.penalties.as_mut().map(|p| p.w_l1 += 0.01).is_some()),
    ("an entry by a hundredth more", |m| {
        match &mut m.h.values {
            FactorValues::F64(values) => values.iter_mut().for_each(|v| *v *= 1.01),
            FactorValues::F32(values) => values.iter_mut().for_each(|v| *v *= 1.01),
        }
        true
    }),
];

/// What stays possible, so that it is believed of whoever seals it.
const HARMLESS: [Change; 6] = [
    ("another seed", |m| {
        m.origin.seed ^= 1;
        true
    }),
    ("another count of stored entries", |m| {
        m.origin.data.stored += 1;
        true
    }),
    ("a larger tol", |m| {
        if m.origin.status == "settled" {
            return false;
        }
        let larger = m.origin.options["tol"].parse::<f64>().expect("a number") * 10.0;
        set(m, "tol", &larger.to_string())
    }),
    ("more iterations left", |m| m.origin.status == "converged" && set(m, "max_iter", "123456")),
    ("a limit that was not reached", |m| set(m, "time_limit", "86400")),
    ("twice H, half of W", |m| {
        let scale = |values: &mut FactorValues, by: f32| match values {
            FactorValues::F64(values) => values.iter_mut().for_each(|v| *v *= f64::from(by)),
            FactorValues::F32(values) => values.iter_mut().for_each(|v| *v *= by),
        };
        let plain = m.origin.penalties.is_none();
        if let Some(w) = &mut m.w {
            scale(&mut w.values, 0.5);
        }
        scale(&mut m.h.values, 2.0);
        plain
    }),
];

#[test]
fn what_cannot_be_true_is_refused_even_under_a_new_seal() {
    let folder = files();
    let (mut lies, mut harmless) = (0, 0);
    for (files, options) in fits() {
        let honest = fitted(&folder, &format!("{files} {options}"));
        let (exit, said) = verified(&folder, &honest, files);
        assert_eq!(exit, 0, "{files} {options}: {said}");
        for (what, change) in LIES {
            let mut model = honest.clone();
            if change(&mut model) {
                let (exit, said) = verified(&folder, &model, files);
                assert!(exit == 8 && said.contains("E-MODEL"), "{files} {options}, {what}: {said}");
                lies += 1;
            }
        }
        for (what, change) in HARMLESS {
            let mut model = honest.clone();
            if change(&mut model) {
                let (exit, said) = verified(&folder, &model, files);
                assert_eq!(exit, 0, "{files} {options}, {what}: {said}");
                harmless += 1;
            }
        }
    }
    assert!(lies > 200 && harmless > 40, "{lies} {harmless}");
}

#[test]
fn another_x_is_named_as_such_and_the_same_one_is_known_in_any_form() {
    let folder = files();
    fitted(&folder, "x.csv -k 2 --dtype f64");
    let other = |name: &str, of: &dyn Fn(usize, usize) -> f64| {
        table(name, folder.path(), |i, j| of(i, j).to_string());
        code(&folder, &format!("verify m.partwise {name}"))
    };
    // Two entries exchanged have the same sum, and so have many figures.
    let swapped = |i: usize, j: usize| match (i, j) {
        (2, 3) => value(5, 3),
        (5, 3) => value(2, 3),
        _ => value(i, j),
    };
    assert_ne!(value(2, 3).to_bits(), value(5, 3).to_bits());
    let (exit, said) = other("swapped.csv", &swapped);
    assert!(exit == 8 && said.contains("not the X of the fit: it has as many entries"), "{said}");
    let near = |i, j| if (i, j) == (4, 4) { value(4, 4) * (1.0 + 1e-15) } else { value(i, j) };
    assert_eq!(other("near.csv", &near).0, 8);
    let less = |i, j| if (i, j) == (0, 0) { 0.0 } else { value(i, j) };
    let (exit, said) = other("less.csv", &less);
    assert!(exit == 8 && said.contains("125 nonzero entries, that of the fit had 126"), "{said}");
    // The same X in sparse form, with zeros that are stored.
    let cells = (0..ROWS).flat_map(|i| (0..COLS).map(move |j| (i, j)));
    let entry = |(i, j)| if is_shown(i, j) { value(i, j) } else { 0.0 };
    let line = |(i, j)| format!("{} {} {}\n", i + 1, j + 1, entry((i, j)));
    let head = format!("%%MatrixMarket matrix coordinate real general\n{ROWS} {COLS} 126\n");
    let stored = head + &cells.map(line).collect::<String>();
    std::fs::write(folder.path().join("stored.mtx"), stored).expect("write");
    table("dense.csv", folder.path(), |i, j| entry((i, j)).to_string());
    fitted(&folder, "sparse.mtx -k 2");
    for same in ["sparse.mtx", "stored.mtx", "dense.csv"] {
        let (exit, said) = code(&folder, &format!("verify m.partwise {same}"));
        assert_eq!(exit, 0, "{same}: {said}");
    }
}

#[test]
fn a_model_of_the_version_before_is_verified_by_its_figures_and_said_to_be_one() {
    let folder = files();
    let mut model = fitted(&folder, "x.csv -k 2");
    (model.origin.iterations, model.origin.data.entries) = (None, None);
    let (exit, said) = verified(&folder, &model, "x.csv");
    assert!(exit == 0 && said.contains("no seal and no digest of X"), "{said}");
}

#[test]
fn every_honest_model_is_accepted() {
    let folder = files();
    let weighing = [
        "x.csv",
        "sparse.mtx",
        "x.csv --weights weights.csv",
        "x.csv --hide hide.csv",
        "x.csv --hide few.csv",
        "na.csv --missing nan",
        "sparse.mtx --missing absent",
    ];
    let held = ["-k 3", "-k 3 --w w.csv --fix w", "-k 3 --h h.csv --fix h", "-k 3 --max-iter 0"];
    let mut accepted = 0;
    for loss in ["frobenius", "kl", "is", "0.5", "1.5", "3", "huber:0.5"] {
        for files in weighing {
            if loss == "is" && files == "sparse.mtx" {
                continue;
            }
            for (at, held) in held.iter().enumerate() {
                let more = ["", " --w-l1 0.05 --h-l2 0.1 --dtype f32"][(at + accepted) % 2];
                let fit = format!("{files} --loss {loss} {held}{more}");
                fitted(&folder, &fit);
                let (exit, said) = code(&folder, &format!("verify m.partwise {files}"));
                assert_eq!(exit, 0, "{fit}: {said}");
                accepted += 1;
            }
        }
    }
    assert_eq!(accepted, 192);
}

#[test]
fn what_a_time_limit_leaves_is_saved_and_verified() {
    let folder = files();
    for loss in ["frobenius", "kl"] {
        for rule in ["mu", "hals", "sn", "jmm"] {
            if (loss == "kl") != (rule != "hals") && rule != "mu" {
                continue;
            }
            for limit in ["30ms", "60ms", "100ms"] {
                let fit = format!(
                    "x.csv -k 3 --loss {loss} --rule {rule} --tol 0 --max-iter 1000000000 \
                     --time-limit {limit} --threads 1"
                );
                let command = format!("fit {fit} --model m.partwise --force");
                let (exit, said) = code(&folder, &command);
                if exit == 5 && said.contains("E-TIME") {
                    // The time was up while the file was read.
                    continue;
                }
                assert_eq!(exit, 0, "{fit}: {said}");
                let model = Model::read(&folder.path().join("m.partwise")).expect("a model");
                let status = model.origin.status.as_str();
                assert!(["time_limit", "stalled"].contains(&status), "{fit}: {status}");
                let (exit, said) = code(&folder, "verify m.partwise x.csv");
                assert_eq!(exit, 0, "{fit}: {said}");
                if model.origin.objective.is_none() {
                    assert_eq!(model.origin.kkt, None);
                    assert!(said.contains("the model says not measured"), "{said}");
                    let (_, json) = code(&folder, "verify m.partwise x.csv --json");
                    assert!(json.contains(r#""kkt_in_model":null"#), "{json}");
                }
            }
        }
    }
}
