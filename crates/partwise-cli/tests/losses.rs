//! Losses, penalties, weights, masks and missing entries, from the file to the model and back.

mod common;

use common::{bytes, numbers, run};
use tempfile::TempDir;

/// Files of a small problem: dense in both types, sparse, with NA, masks and weights.
fn small_files(folder: &TempDir) {
    let put = |name: &str, text: String| {
        std::fs::write(folder.path().join(name), text).expect("write");
    };
    let table = |entry: &dyn Fn(usize, usize) -> String| {
        let row = |i: usize| (0..6).map(|j| entry(i, j)).collect::<Vec<_>>().join(",");
        (0..9).map(|i| row(i) + "\n").collect::<String>()
    };
    let value = |i: usize, j: usize| 1 + (5 * i + 7 * j + i * j * j) % 11;
    let shown = |i: usize, j: usize| !(3 * i + 5 * j).is_multiple_of(7);
    put("x.csv", table(&|i, j| value(i, j).to_string()));
    put("na.csv", table(&|i, j| if shown(i, j) { value(i, j).to_string() } else { "NA".into() }));
    put(
        "other.csv",
        table(&|i, j| if shown(i, j) { value(i, j).to_string() } else { "99".into() }),
    );
    put("ones.csv", table(&|_, _| "1".into()));
    put("zeros.csv", table(&|_, _| "0".into()));
    put("mask.csv", table(&|i, j| u8::from(shown(i, j)).to_string()));
    put("hide.csv", table(&|i, j| u8::from(!shown(i, j)).to_string()));
    put("few.csv", table(&|i, j| u8::from((i + j).is_multiple_of(3)).to_string()));
    put("weights.csv", table(&|i, j| (0.25 * ((i + j) % 5) as f64).to_string()));
    put("rows.csv", (0..9).map(|i| format!("{}\n", 1 + i % 3)).collect());
    put("columns.csv", "0.5,1,2,0,1,1\n".into());
    let listed = |name: &str, keep: &dyn Fn(usize, usize) -> bool| {
        let cells = (0..9).flat_map(|i| (0..6).map(move |j| (i, j)));
        let kept: Vec<_> = cells.filter(|&(i, j)| keep(i, j)).collect();
        let head = "%%MatrixMarket matrix coordinate real general";
        let lines: Vec<String> =
            kept.iter().map(|&(i, j)| format!("{} {} {}", i + 1, j + 1, value(i, j))).collect();
        put(name, format!("{head}\n9 6 {}\n{}\n", kept.len(), lines.join("\n")));
    };
    listed("sparse.mtx", &|i, j| !(i * 2 + j).is_multiple_of(3));
    listed("shown.mtx", &shown);
}

fn answer(folder: &TempDir, arguments: &str) -> serde_json::Value {
    let (out, _) = run(folder, &format!("{arguments} --json"));
    serde_json::from_str(&out).expect("JSON")
}

#[test]
fn every_loss_with_everything_that_weighs_is_fitted_verified_and_transformed() {
    let folder = tempfile::tempdir().expect("a folder");
    small_files(&folder);
    let weighing = [
        "",
        "--mask mask.csv",
        "--mask few.csv",
        "--hide hide.csv",
        "--weights weights.csv",
        "--weights weights.csv --mask mask.csv --hide few.csv",
        "--row-weights rows.csv --column-weights columns.csv",
        "--missing nan",
        "--missing absent --mask mask.csv",
    ];
    for loss in ["frobenius", "kl", "is", "0.5", "1.5", "3", "huber:0.5"] {
        for file in ["x.csv", "sparse.mtx", "na.csv"] {
            for options in weighing {
                let sparse = file == "sparse.mtx";
                let forbidden =
                    sparse && matches!(loss, "is" | "0.5") && !options.contains("absent");
                let about_na = (file == "na.csv") == (options == "--missing nan");
                if forbidden || !about_na || (options.contains("absent") && !sparse) {
                    continue;
                }
                let dtype = if sparse { "f32" } else { "f64" };
                let prices = if options.contains("few") { "--w-l1 0.1 --h-l2 0.2" } else { "" };
                let what = format!("{file} -k 2 --loss {loss} {options} {prices}");
                let fit = format!("fit {what} --dtype {dtype} --max-iter 50 --out m --force");
                let words = |line: String| line.split_whitespace().collect::<Vec<_>>().join(" ");
                let found = answer(&folder, &words(fit));
                assert_eq!(found["loss"], loss, "{what}");
                let given = words(format!("verify m.partwise {file} {options}"));
                let checked = answer(&folder, &given);
                assert_eq!(checked["agrees"], true, "{what}: {found} {checked}");
                assert_eq!(checked["observed"], found["observed"], "{what}");
                assert_eq!(found["observed"].is_null(), options.is_empty(), "{what}");
                run(
                    &folder,
                    &words(format!("transform m.partwise {file} {options} --out w.npy --force")),
                );
            }
        }
    }
}

#[test]
fn l45_weights_of_one_and_masks_of_ones_change_no_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    small_files(&folder);
    for loss in ["frobenius", "kl", "1.5"] {
        for file in ["x.csv", "sparse.mtx"] {
            let fit = format!("fit {file} -k 2 --loss {loss} --force");
            run(&folder, &format!("{fit} --out plain"));
            for same in
                ["--weights ones.csv", "--mask ones.csv", "--hide zeros.csv", "--missing nan"]
            {
                run(&folder, &format!("{fit} {same} --out same"));
                for suffix in ["W.npy", "H.npy", "partwise"] {
                    let [a, b] =
                        ["plain", "same"].map(|n| bytes(&folder, &format!("{n}.{suffix}")));
                    assert!(a == b, "{file} {loss} {same}: {suffix}");
                }
            }
        }
    }
}

#[test]
fn what_is_hidden_does_not_matter_and_every_way_to_hide_it_is_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    small_files(&folder);
    for loss in ["frobenius", "kl"] {
        let fit = format!("-k 2 --loss {loss} --w-l2 0 --tol 1e-9 --max-iter 20000 --force");
        let found = answer(&folder, &format!("fit x.csv {fit} --mask mask.csv --out a"));
        assert_eq!(found["observed"]["count"], 46, "{found}");
        run(&folder, &format!("fit other.csv {fit} --mask mask.csv --out b"));
        for suffix in ["W.npy", "H.npy"] {
            let [a, b] = ["a", "b"].map(|n| bytes(&folder, &format!("{n}.{suffix}")));
            assert!(a == b, "{loss} {suffix}");
        }
        for same in ["x.csv --hide hide.csv", "na.csv --missing nan", "shown.mtx --missing absent"]
        {
            let other = answer(&folder, &format!("fit {same} {fit}"));
            let objective = |v: &serde_json::Value| v["objective"].as_f64().expect("a number");
            let apart = (objective(&found) / objective(&other) - 1.0).abs();
            assert!(apart < 1e-6, "{loss} {same}: {apart:e}");
            assert_eq!(found["observed"]["count"], other["observed"]["count"], "{loss} {same}");
        }
    }
}

#[test]
fn l43_every_row_twice_and_the_prices_of_h_twice_give_the_same_h() {
    let folder = tempfile::tempdir().expect("a folder");
    small_files(&folder);
    let once = String::from_utf8(bytes(&folder, "x.csv")).expect("UTF-8");
    std::fs::write(folder.path().join("twice.csv"), once.repeat(2)).expect("write");
    std::fs::write(folder.path().join("h.csv"), "1,2,3,4,5,6\n6,5,4,3,2,1\n").expect("write");
    for loss in ["frobenius", "kl"] {
        let fit = format!("-k 2 --loss {loss} --tol 1e-9 --max-iter 20000 --h h.csv --force");
        run(&folder, &format!("fit x.csv {fit} --w-l1 0.2 --h-l1 0.3 --h-l2 0.1 --h-out a.npy"));
        run(
            &folder,
            &format!("fit twice.csv {fit} --w-l1 0.2 --h-l1 0.6 --h-l2 0.2 --h-out b.npy"),
        );
        let [a, b] = ["a.npy", "b.npy"].map(|name| numbers(&bytes(&folder, name)));
        let largest = a.iter().fold(0.0f64, |a, &b| a.max(b));
        let apart = a.iter().zip(&b).fold(0.0f64, |m, (x, y)| m.max((x - y).abs()));
        assert!(apart <= 1e-6 * largest, "{loss}: {apart:e} of {largest:e}\n{a:?}\n{b:?}");
    }
}

#[test]
fn the_report_names_loss_prices_and_what_was_observed() {
    let folder = tempfile::tempdir().expect("a folder");
    small_files(&folder);
    let (out, _) =
        run(&folder, "fit x.csv -k 2 --loss kl --mask mask.csv --w-l1 0.5 --h-l2 2 --out m");
    for part in [
        "observed   46 of 54 entries (85.2 %): --mask",
        "rank 2, sn,",
        "√(D/D₀) = 0.",
        "divergence KL divergence Σ x ln(x/q) − x + q over observed entries = ",
        "objective  divergence + 0.5·ΣW + 2·½ΣH² = ",
    ] {
        assert!(out.contains(part), "{part}\n{out}");
    }
    let (out, _) = run(&folder, "verify m.partwise x.csv --mask mask.csv");
    for part in ["observed   46 of 54", "penalties  0.5·ΣW + 2·½ΣH²", "they agree"] {
        assert!(out.contains(part), "{part}\n{out}");
    }
    let (out, _) = run(&folder, "fit x.csv -k 2 --loss 1.5");
    assert!(out.contains("β-divergence for β = 1.5 = "), "{out}");
    let (out, _) = run(&folder, "fit x.csv -k 2 --loss huber:0.5");
    assert!(out.contains("Huber's loss Σ ½r², or δ|r| − ½δ² beyond δ = 0.5 = "), "{out}");
}

#[test]
fn huber_fits_saves_verifies_and_transforms_past_wild_entries() {
    let folder = tempfile::tempdir().expect("a folder");
    let clean = |i: usize, j: usize| ((1 + i % 4) * (2 + j % 3) + (1 + i % 3) * (1 + j % 5)) as f64;
    // Two numbers a column, of thirty, are wild.
    let wild = |i: usize, j: usize| (i + 7 * j).is_multiple_of(15);
    let write = |name: &str, unit: f64| {
        let cell = |i, j| (unit * if wild(i, j) { 500.0 } else { clean(i, j) }).to_string();
        let row = |i| (0..12).map(|j| cell(i, j)).collect::<Vec<_>>().join(",") + "\n";
        let text: String = (0..30).map(row).collect();
        std::fs::write(folder.path().join(name), text).expect("write");
    };
    write("x.csv", 1.0);
    write("tiny.csv", 1e-8);
    let off = |loss: &str, file: &str, unit: f64| {
        let fit = format!("fit {file} -k 2 --loss {loss} --n-init 3 --max-iter 3000 --force");
        let found = answer(&folder, &format!("{fit} --out m"));
        assert_eq!(found["loss"], loss);
        let transform = format!("transform m.partwise {file} --out t.npy --force");
        let same = answer(&folder, &transform);
        assert_eq!(same["loss"], loss);
        let [w, h] = ["t.npy", "m.H.npy"].map(|name| numbers(&bytes(&folder, name)));
        let places = (0..30).flat_map(|i| (0..12).map(move |j| (i, j)));
        let worst = places.map(|(i, j)| {
            let q: f64 = (0..2).map(|t| w[2 * i + t] * h[12 * t + j]).sum();
            (q / unit - clean(i, j)).abs()
        });
        let worst = worst.fold(0.0f64, f64::max);
        let checked = answer(&folder, &format!("verify m.partwise {file}"));
        assert_eq!(checked["agrees"], true, "{checked}");
        assert_eq!(checked["delta"], found["delta"], "{checked}");
        (worst, found)
    };
    let (squares, plain) = off("frobenius", "x.csv", 1.0);
    assert_eq!(plain["beta"], 2.0);
    let (robust, found) = off("huber:0.1", "x.csv", 1.0);
    assert!(found["beta"].is_null() && found["delta"] == 0.1, "{found}");
    assert!(robust < 0.5 && 50.0 * robust < squares, "{robust} against {squares}");
    let (tiny, _) = off("huber:1e-9", "tiny.csv", 1e-8);
    assert!((tiny - robust).abs() < 1e-3, "{tiny} {robust}");
}

#[test]
fn transform_of_the_training_data_is_its_w_under_the_loss_and_prices_of_the_model() {
    let folder = tempfile::tempdir().expect("a folder");
    small_files(&folder);
    for loss in ["kl", "1.5"] {
        let prices = "--w-l1 0.3 --w-l2 0.1 --h-l1 0.3";
        let weighing = "--mask mask.csv --row-weights rows.csv";
        let stop = "--tol 1e-9 --max-iter 50000";
        run(
            &folder,
            &format!("fit x.csv -k 2 --loss {loss} {prices} {weighing} {stop} --out m --force"),
        );
        run(&folder, &format!("transform m.partwise x.csv {weighing} --out again.npy --force"));
        let [fitted, again] = ["m.W.npy", "again.npy"].map(|name| numbers(&bytes(&folder, name)));
        let largest = fitted.iter().fold(0.0f64, |a, &b| a.max(b));
        let apart = fitted.iter().zip(&again).fold(0.0f64, |m, (x, y)| m.max((x - y).abs()));
        assert!(apart <= 1e-3 * largest, "{loss}: {apart:e} of {largest:e}\n{fitted:?}\n{again:?}");
    }
}
