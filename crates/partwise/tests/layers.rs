//! Rules about the source itself: which module may know which, and what a library does not do.

#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// From the ground up: a module may use those before it.
const ORDER: [&str; 19] = [
    "scalar", "names", "rng", "spare", "error", "threads", "warning", "factor", "memory", "kernel",
    "matrix", "loss", "penalty", "metric", "update", "project", "init", "fit", "verify",
];

/// Uses against the order, each with the reason why it stands.
const UPWARD: [(&str, &str); 2] = [
    // The one type parameter carries the dispatch of the vector kernels as a supertrait.
    ("scalar", "kernel"),
    // The parser of a closed set reports unknown names.
    ("names", "error"),
];

struct Source {
    path: PathBuf,
    /// Without what stands in `#[cfg(test)]` modules, which end their files.
    text: String,
    /// Lines of the whole file.
    lines: usize,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let whole = std::fs::read_to_string(&path).unwrap();
                let text = whole.split("#[cfg(test)]\nmod ").next().unwrap().to_owned();
                let lines = whole.lines().count();
                found.push(Source { path: path.strip_prefix(&root).unwrap().into(), text, lines });
            }
        }
    }
    assert!(found.len() > 20, "the sources are not where they were: {}", root.display());
    found
}

impl Source {
    /// The top module a file belongs to.
    fn module(&self) -> String {
        let first = self.path.components().next().unwrap();
        first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
    }
    fn name(&self) -> String {
        self.path.display().to_string()
    }
    /// Lines of code with their numbers, without comments.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().filter_map(|(at, line)| {
            let code = line.split("//").next().unwrap_or("");
            (!code.trim().is_empty()).then_some((at + 1, code))
        })
    }
}

/// Every `crate::module` in the code of a file, imports and paths alike.
fn uses(source: &Source) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (_, line) in source.code() {
        for rest in line.split("crate::").skip(1) {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'));
            found.insert(rest[..end.unwrap_or(rest.len())].to_owned());
        }
    }
    found
}

#[test]
fn modules_use_only_what_lies_below_them() {
    let place = |name: &str| ORDER.iter().position(|o| *o == name);
    let mut seen = BTreeSet::new();
    for source in sources() {
        let module = source.module();
        if module == "lib" {
            continue;
        }
        let own = place(&module).unwrap_or_else(|| panic!("{module} has no place in the order"));
        for used in uses(&source) {
            let Some(at) = place(&used) else {
                panic!("{} uses crate::{used}, which is no module", source.name())
            };
            let allowed = UPWARD.contains(&(module.as_str(), used.as_str()));
            assert!(at <= own || allowed, "{}: {module} uses {used}, above it", source.name());
            if at > own {
                seen.insert((module.clone(), used));
            }
        }
    }
    for (from, to) in UPWARD {
        let used = seen.contains(&(from.to_owned(), to.to_owned()));
        assert!(used, "{from} no longer uses {to}: strike the exception");
    }
}

#[test]
fn there_is_one_loop_over_iterations() {
    let loops: Vec<String> = sources()
        .iter()
        .flat_map(|s| {
            let hit = s.code().filter(|(_, line)| line.contains("for iteration in"));
            hit.map(|(at, _)| format!("{}:{at}", s.name())).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(loops.len(), 1, "{loops:?}");
}

/// Fails with the places at which `found` holds.
#[track_caller]
fn nowhere(what: &str, found: impl Fn(&Source, &str) -> bool) {
    let mut places = Vec::new();
    for source in sources() {
        for (at, line) in source.code() {
            if found(&source, line) {
                places.push(format!("{}:{at}", source.name()));
            }
        }
    }
    assert!(places.is_empty(), "{what}: {places:?}");
}

#[test]
fn the_library_is_silent_and_does_not_give_up() {
    for word in ["println!", "eprintln!", "print!(", "dbg!", ".unwrap()", "todo!", "exit("] {
        nowhere(word, |_, line| line.contains(word));
    }
}

#[test]
fn there_is_one_function_for_both_factors() {
    nowhere("a function for one factor", |_, line| {
        let Some(rest) = line.split("fn ").nth(1) else { return false };
        let end = rest.find(['(', '<']).unwrap_or(rest.len());
        rest[..end].ends_with("_w") || rest[..end].ends_with("_h")
    });
}

#[test]
fn unsafe_stays_in_the_kernels_and_the_storage_of_factors() {
    nowhere("unsafe", |source, line| {
        let home = source.module() == "kernel" || source.module() == "factor";
        let words = line.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        !home && words.into_iter().any(|word| word == "unsafe")
    });
}

#[test]
fn files_stay_readable() {
    for source in sources() {
        assert!(source.lines <= 400, "{} has {} lines", source.name(), source.lines);
    }
}
