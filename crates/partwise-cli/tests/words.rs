//! The words of the command: components, names, figures and advice, the same wherever they stand.

mod common;

use common::{bytes, folder, numbers, run};

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).expect("JSON")
}

/// Σ of the outer product of column t of W and row t of H, over that of all.
fn masses(w: &[f64], h: &[f64], k: usize) -> Vec<f64> {
    let n = h.len() / k;
    let of = |t: usize| {
        let w: f64 = w.iter().skip(t).step_by(k).sum();
        w * h[t * n..][..n].iter().sum::<f64>()
    };
    let whole: f64 = (0..k).map(of).sum();
    (0..k).map(|t| of(t) / whole).collect()
}

#[test]
fn components_stand_in_the_order_of_their_shares_on_the_screen_and_in_every_file() {
    let folder = folder();
    let command = "fit words.csv.gz -k 5 --seed 3";
    let (out, _) = run(&folder, &format!("{command} --json --out t"));
    let components = json(&out)["components"].as_array().expect("components").clone();
    let names: Vec<&str> = components.iter().map(|c| c["name"].as_str().expect("name")).collect();
    assert_eq!(names, ["component_1", "component_2", "component_3", "component_4", "component_5"]);
    let shares: Vec<f64> = components.iter().map(|c| c["share"].as_f64().expect("share")).collect();
    assert!(shares.is_sorted_by(|a, b| a >= b), "{shares:?}");
    assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{shares:?}");
    let (w, h) = (numbers(&bytes(&folder, "t.W.npy")), numbers(&bytes(&folder, "t.H.npy")));
    for (share, mass) in shares.iter().zip(masses(&w, &h, 5)) {
        assert!((share - mass).abs() < 1e-12, "{shares:?}");
    }
    // The first words of part 1 are the columns in which row 1 of H is largest.
    let (out, _) = run(&folder, &format!("{command} --w-out w.csv --h-out h.csv"));
    let table = String::from_utf8(bytes(&folder, "h.csv")).expect("UTF-8");
    let words: Vec<&str> = table.lines().next().expect("header").split(',').skip(1).collect();
    for (t, row) in table.lines().skip(1).enumerate() {
        let fields: Vec<&str> = row.split(',').collect();
        assert_eq!(fields[0], format!("component_{}", t + 1));
        let values = fields[1..].iter().map(|v| v.parse::<f64>().expect("number"));
        let most = values.enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).expect("values").0;
        let line = out.lines().find(|l| l.starts_with(&format!("part {}", t + 1))).expect("part");
        assert!(line.contains(&format!("% of W·H: {}", words[most])), "{line}");
    }
    // The model holds them in the same order: what it transforms X to is W.
    run(&folder, "verify t.partwise words.csv.gz");
    run(&folder, "transform t.partwise words.csv.gz --out again.csv");
    let again = String::from_utf8(bytes(&folder, "again.csv")).expect("UTF-8");
    assert!(again.starts_with(",component_1,component_2,"), "{}", &again[..80]);
}

#[test]
fn shares_are_those_of_what_counts() {
    let folder = folder();
    let write =
        |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect(name);
    // Two blocks; nearly all of the first is hidden.
    write("x.csv", "9,9,0\n9,9,0\n0,0,5\n");
    write("hide.csv", "1,1,0\n1,0,0\n0,0,0\n");
    let shares = |command: &str| -> Vec<f64> {
        let answer = json(&run(&folder, command).0);
        let all = answer["components"].as_array().expect("components");
        all.iter().map(|c| c["share"].as_f64().expect("share")).collect()
    };
    let plain = shares("fit x.csv -k 2 --json --tol 1e-8");
    assert!(
        (plain[0] - 36.0 / 41.0).abs() < 1e-4 && (plain[1] - 5.0 / 41.0).abs() < 1e-4,
        "{plain:?}"
    );
    let hidden = shares("fit x.csv -k 2 --json --tol 1e-8 --hide hide.csv --w-l2 0");
    assert!((hidden[0] - 9.0 / 14.0).abs() < 1e-4, "{hidden:?}");
    let (out, _) = run(&folder, "fit x.csv -k 2 --tol 1e-8");
    assert!(out.contains("parts      shares of W·H: 87.8 %, 12.2 %\n"), "{out}");
}

#[test]
fn a_start_that_is_given_keeps_its_order() {
    let folder = folder();
    let write =
        |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect(name);
    write("x.csv", "9,9,0\n9,9,0\n0,0,5\n");
    // The smaller part first.
    write("h.csv", "0,0,1\n1,1,0\n");
    let (out, _) = run(&folder, "fit x.csv -k 2 --h h.csv --fix h --json --out g");
    let shares = json(&out)["components"].clone();
    assert!(shares[0]["share"].as_f64() < shares[1]["share"].as_f64(), "{shares}");
    assert_eq!(numbers(&bytes(&folder, "g.H.npy")), [0.0, 0.0, 1.0, 1.0, 1.0, 0.0]);
}

/// The number behind a word in a line of an answer.
fn figure(text: &str, line: &str, behind: &str) -> String {
    let line = text.lines().find(|l| l.starts_with(line)).expect(line);
    let rest = line.split(behind).nth(1).expect(behind);
    rest.split([' ', ',']).next().expect("a number").to_owned()
}

#[test]
fn an_objective_reads_the_same_wherever_it_is_told() {
    let folder = folder();
    for options in ["--dtype f64", "--dtype f32", "--loss kl --dtype f64"] {
        let fit = format!("fit digits.npy -k 4 --tol 1e-3 {options}");
        let (told, _) = run(&folder, &format!("{fit} --force --model m.partwise"));
        let told = figure(&told, "objective", "= ");
        let (verified, _) = run(&folder, "verify m.partwise digits.npy");
        let model = figure(&verified, "objective", "the model says ");
        assert_eq!(told, model, "{options}");
        let exact = json(&run(&folder, &format!("{fit} --json")).0)["objective"].to_string();
        let model = String::from_utf8_lossy(&bytes(&folder, "m.partwise")).into_owned();
        assert!(model.contains(&format!("\"objective\":{exact},")), "{exact}");
        // Ten digits of all.
        let (told, exact): (f64, f64) =
            (told.parse().expect("number"), exact.parse().expect("number"));
        assert!((told - exact).abs() <= 5e-10 * exact, "{told} {exact}");
    }
}

#[test]
fn lines_are_as_wide_as_the_terminal() {
    let folder = folder();
    let widest = |columns: Option<&str>| {
        let mut command = common::partwise(folder.path(), "fit digits.npy -k 22 --max-iter 5");
        match columns {
            Some(columns) => command.env("COLUMNS", columns),
            None => command.env_remove("COLUMNS"),
        };
        let out = command.output().expect("run").stdout;
        let text = String::from_utf8(out).expect("UTF-8");
        text.lines().map(|line| line.chars().count()).max().expect("lines")
    };
    for (columns, most) in
        [(None, 80), (Some("60"), 60), (Some("10"), 40), (Some("wide"), 80), (Some("400"), 120)]
    {
        let widest = widest(columns);
        assert!(widest <= most && widest > most - 12, "{columns:?}: {widest}");
    }
}

#[test]
fn a_sum_of_many_doubles_is_verified() {
    // 120,000 terms added one after the other were off by 5e-13, which the bounds did not know.
    let folder = folder();
    for options in ["", " --loss kl", " --seed 1", " --seed 2 --loss 1.5"] {
        run(&folder, &format!("fit words.csv.gz -k 3{options} --force --model m.partwise"));
        let (out, _) = run(&folder, "verify m.partwise words.csv.gz");
        assert!(out.contains("they agree"), "{options}: {out}");
    }
}
