//! What is hidden: the ridge that is taken and stated, and the error of what is predicted.

#![allow(clippy::unwrap_used, missing_docs)]

use std::process::Command;

fn run(folder: &std::path::Path, line: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_partwise"));
    let output = command.args(line.split(' ')).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_hidden_table_states_its_ridge_and_the_error_of_what_was_hidden() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("x.csv"), "1,2,3,4\n2,4,6,8.1\n3,6,9,12\n4,8,12.2,16\n").unwrap();
    std::fs::write(folder.join("hide.csv"), "0,0,0,1\n0,0,0,0\n0,0,1,0\n0,0,0,0\n").unwrap();
    std::fs::write(folder.join("mask.csv"), "1,1,1,0\n1,1,1,1\n1,1,0,1\n1,1,1,1\n").unwrap();
    let json = |line: &str| -> serde_json::Value {
        serde_json::from_str(&run(folder, &format!("fit x.csv -k 1 --header no --json {line}")))
            .unwrap()
    };
    let (ours, masked) = (json("--hide hide.csv"), json("--mask mask.csv"));
    for found in [&ours, &masked] {
        assert_eq!(found["ridge"], found["penalties"]["w_l2"]);
        assert!(found["ridge"].as_f64().unwrap() > 0.0, "{found}");
        let hidden = &found["hidden"];
        assert_eq!((hidden["count"].as_u64(), hidden["row_means"].as_f64()), (Some(2), Some(2.0)));
        assert_eq!(hidden["measure"], "root_mean_squared_error");
        assert!(hidden["error"].as_f64().unwrap() < 0.1, "{found}");
    }
    assert_eq!(ours["hidden"], masked["hidden"]);
    // Beside weights, dense or with zeros that are not stored.
    std::fs::write(folder.join("w.csv"), "2,2,2,2\n2,2,2,2\n2,2,2,2\n2,2,2,2\n").unwrap();
    let entries: String = (0..16).map(|at| format!("{} {} 2\n", at / 4 + 1, at % 4 + 1)).collect();
    let banner = "%%MatrixMarket matrix coordinate real general\n4 4 16\n";
    std::fs::write(folder.join("w.mtx"), format!("{banner}{entries}")).unwrap();
    for weights in ["w.csv", "w.mtx"] {
        let found = json(&format!("--mask mask.csv --weights {weights}"));
        assert_eq!(found["hidden"]["count"], 2, "{weights}: {found}");
        assert_eq!(found["hidden"]["row_means"], 2.0, "{weights}: {found}");
    }
    let free = json("--hide hide.csv --w-l2 0");
    assert!(free["ridge"].is_null() && free["penalties"].is_null() && !free["hidden"].is_null());
    let text = run(folder, "fit x.csv -k 1 --header no --hide hide.csv --out o");
    assert!(text.contains("taken since entries are missing"), "{text}");
    assert!(text.contains("2 entries predicted with root mean squared error"), "{text}");
    run(folder, "verify o.partwise x.csv --header no --hide hide.csv");
}
