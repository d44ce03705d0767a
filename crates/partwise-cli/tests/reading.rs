//! Tables as programs write them, through the whole command.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{folder, run};

/// A figure of a JSON answer.
fn figure(json: &str, name: &str) -> f64 {
    let text = json.split(&format!("\"{name}\":")).nth(1).expect(name);
    text.split([',', '}']).next().expect("a number").parse().expect(name)
}

#[test]
fn a_table_that_became_sparse_gives_the_fit_of_the_dense_one() {
    let folder = folder();
    // 1000 × 100, 7 % not zero.
    let field = |i: usize, j: usize| {
        let value = (i % 5 + 1) * (j % 3 + 1) + (i * j) % 4;
        if (i * 31 + j * 17).is_multiple_of(14) { value.to_string() } else { "0".into() }
    };
    let line = |i: usize| (0..100).map(|j| field(i, j)).collect::<Vec<_>>().join(",");
    let table: Vec<String> = (0..1000).map(line).collect();
    std::fs::write(folder.path().join("x.csv"), table.join("\n")).unwrap();
    for loss in ["frobenius", "kl"] {
        let fit = |more: &str| {
            run(&folder, &format!("fit x.csv -k 3 --loss {loss} --json --out {loss} --force{more}"))
                .0
        };
        // Where what is not stored is missing, a zero of a table stays stored.
        let (sparse, dense) = (fit(""), fit(" --missing absent"));
        assert!(sparse.contains("\"kind\":\"sparse by rows\""), "{sparse}");
        assert!(dense.contains("\"kind\":\"dense\""), "{dense}");
        let objectives = [&sparse, &dense].map(|json| figure(json, "objective"));
        let apart = (objectives[0] - objectives[1]).abs() / objectives[1];
        assert!(apart < 1e-9, "{loss}: {objectives:?}");
    }
    run(&folder, "verify kl.partwise x.csv");
}

#[test]
fn every_command_reads_by_the_same_options() {
    let folder = folder();
    let text = "made today\n# more\nid;kind;s1;s2;s3\na;x;1,5;2;-9\nb;y;3;4,5;1\nc;x;2;2;6,25\nd;y;1;0;3\n";
    std::fs::write(folder.path().join("x.csv"), text).unwrap();
    let how = "--skip-lines 1 --decimal , --drop-columns kind --na -9 --missing nan";
    run(&folder, &format!("fit x.csv -k 1 --out m {how}"));
    let (out, _) = run(&folder, &format!("transform m.partwise x.csv --out w.csv {how}"));
    assert!(out.contains("4 × 3"), "{out}");
    run(&folder, &format!("verify m.partwise x.csv {how}"));
    let (out, _) = run(&folder, &format!("inspect x.csv {how}"));
    assert!(
        out.contains("4 × 3") && out.contains("1 entries are NaN") || out.contains("1 entry"),
        "{out}"
    );
    assert!(out.contains("row 'a'") && out.contains("column 's1'"), "{out}");
    assert!(String::from_utf8(common::bytes(&folder, "w.csv")).unwrap().contains("\nd,"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_of_bytes_that_has_no_room_as_numbers_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (rows, cols) = (10_000, 8_000);
    let text = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({rows}, {cols}), }}");
    let header = format!("{text:<117}\n");
    let mut start = b"\x93NUMPY\x01\x00".to_vec();
    start.extend(u16::try_from(header.len()).expect("short").to_le_bytes());
    start.extend(header.as_bytes());
    let path = folder.path().join("x.npy");
    std::fs::write(&path, &start).expect("write");
    let file = std::fs::OpenOptions::new().append(true).open(path).expect("open");
    file.set_len(start.len() as u64 + rows * cols).expect("a file of zeros");
    let limited = ["-c", "ulimit -v 350000; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_partwise")];
    for command in ["inspect x.npy", "fit x.npy -k 1 --out run"] {
        let done = std::process::Command::new("sh")
            .args(limited)
            .args(command.split(' '))
            .current_dir(folder.path())
            .output()
            .expect("spawn");
        let said = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(5), "{said}");
        assert!(said.contains("x.npy: a copy in float32 needs 305.2 MiB"), "{said}");
    }
}
