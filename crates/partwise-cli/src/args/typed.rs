//! What is typed by people who know other programs, or have mistyped something.
//!
//! An option that means the same elsewhere under another name becomes ours before anything is parsed:
//! no help lists it, and no suggestion names it. What means something else is answered.

use crate::text::shown;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::ffi::OsString;
use std::path::Path;

/// Names of options in scikit-learn and elsewhere, with `-` between words, and ours.
const SAME: &[(&str, &str)] = &[
    ("k", "rank"),
    ("n-components", "rank"),
    ("num-components", "rank"),
    ("components", "rank"),
    ("n-topics", "rank"),
    ("n-factors", "rank"),
    ("beta-loss", "loss"),
    ("beta", "loss"),
    ("divergence", "loss"),
    ("solver", "rule"),
    ("algorithm", "rule"),
    ("method", "rule"),
    ("init-w", "w"),
    ("w-init", "w"),
    ("init-h", "h"),
    ("h-init", "h"),
    ("random-state", "seed"),
    ("random-seed", "seed"),
    ("restarts", "n-init"),
    ("n-restarts", "n-init"),
    ("n-runs", "n-init"),
    ("nrun", "n-init"),
    ("tolerance", "tol"),
    ("max-iterations", "max-iter"),
    ("maxiter", "max-iter"),
    ("iterations", "max-iter"),
    ("n-iter", "max-iter"),
    ("timeout", "time-limit"),
    ("max-time", "time-limit"),
    ("output", "out"),
    ("overwrite", "force"),
    ("n-threads", "threads"),
    ("num-threads", "threads"),
    ("max-memory", "memory-limit"),
    ("sep", "delimiter"),
    ("separator", "delimiter"),
    ("delim", "delimiter"),
    ("dec", "decimal"),
    ("skip", "skip-lines"),
    ("skiprows", "skip-lines"),
    ("skip-rows", "skip-lines"),
    ("usecols", "columns"),
    ("use-columns", "columns"),
    ("na-values", "na"),
    ("na-strings", "na"),
    ("rownames", "row-names"),
    ("sample-names", "row-names"),
    ("colnames", "column-names"),
    ("col-names", "column-names"),
    ("feature-names", "column-names"),
    ("triplets", "triples"),
    ("col-weights", "column-weights"),
    ("feature-weights", "column-weights"),
    ("sample-weight", "row-weights"),
    ("sample-weights", "row-weights"),
];

/// What is said to options that have no counterpart of the same meaning.
const ANSWERS: &[(&str, &str)] = &[
    ("--alpha-w", ALPHA_W),
    ("--alpha-h", ALPHA_H),
    ("--alpha", "--w-l1, --w-l2, --h-l1 and --h-l2 charge the factors"),
    (
        "--l1-ratio",
        "--w-l1 and --h-l1 charge sums, --w-l2 and --h-l2 squares, each by its own price",
    ),
    ("--l1", "--w-l1 charges the sum of W, --h-l1 that of H"),
    ("--l2", "--w-l2 charges the squares of W, --h-l2 those of H"),
    ("--n-jobs", "--threads N; 0 takes one for each core"),
    ("--jobs", "--threads N; 0 takes one for each core"),
    ("-j", "--threads N; 0 takes one for each core"),
    ("--verbose", "a fit shows its progress on a terminal; --json tells all figures at the end"),
    ("-v", "a fit shows its progress on a terminal; --json tells all figures at the end"),
    ("--shuffle", "there is no order to shuffle; --seed S changes the random start"),
    (
        "--missing-values",
        "--missing nan takes NaN and empty fields for missing, --na MARK also MARK",
    ),
    ("--no-header", "--header no"),
    ("--index-col", "--row-names yes: the first column holds the names of the rows"),
    ("--index", "--row-names yes: the first column holds the names of the rows"),
    (
        "--thousands",
        "with --decimal . a comma may part groups of three digits, with --decimal , a point",
    ),
    ("--encoding", "text is read as UTF-8: iconv -f ENCODING -t utf-8 FILE | partwise fit - …"),
    ("--save", "--out NAME saves W, H and the model"),
    ("--save-model", "--model FILE saves the model"),
    ("--format", "the ending of the name decides: --w-out W.csv, --h-out H.npy"),
    ("--ranks", "--rank K is one number; run the command once for each"),
    ("-n", "-k K is the number of components, --n-init N that of random starts"),
    ("-r", "-k K is the number of components, --n-init N that of random starts"),
    ("-i", "--max-iter N is the most iterations, --init START where W and H start"),
    ("-s", "--seed S is the seed of everything random"),
    ("-t", "--threads N, --tol TOL or --time-limit TIME"),
    ("-f", "--force overwrites outputs that exist; the file stands by itself: partwise fit FILE"),
];
const ALPHA_W: &str = "scikit-learn's alpha_W with l1_ratio r is --w-l1 A·r·n --w-l2 A·(1−r)·n here, for \
                       X of n columns";
const ALPHA_H: &str = "scikit-learn's alpha_H with l1_ratio r is --h-l1 A·r·m --h-l2 A·(1−r)·m here, for \
                       X of m rows";

/// Commands of other programs, and ours.
const COMMANDS: &[(&str, &str)] = &[
    ("run", "fit"),
    ("nmf", "fit"),
    ("factorize", "fit"),
    ("factorise", "fit"),
    ("factor", "fit"),
    ("decompose", "fit"),
    ("train", "fit"),
    ("learn", "fit"),
    ("fit-transform", "fit"),
    ("predict", "transform"),
    ("project", "transform"),
    ("apply", "transform"),
    ("encode", "transform"),
    ("info", "inspect"),
    ("show", "inspect"),
    ("describe", "inspect"),
    ("summary", "inspect"),
    ("stats", "inspect"),
    ("head", "inspect"),
    ("look", "inspect"),
    ("check", "verify"),
    ("validate", "verify"),
    ("test", "verify"),
    ("score", "verify"),
    ("evaluate", "verify"),
    ("usage", "--help"),
];

/// The command line with options under our names: `--n_components=5` is `--rank=5`.
pub(super) fn in_our_words(typed: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut over = false;
    typed
        .map(|word| {
            over |= word == "--";
            match word.to_str() {
                Some(text) if !over && text.starts_with("--") => option(text).into(),
                _ => word,
            }
        })
        .collect()
}

fn option(typed: &str) -> String {
    let (name, value) = typed.split_at(typed.find('=').unwrap_or(typed.len()));
    let plain = name.trim_start_matches('-').to_lowercase().replace('_', "-");
    let ours = SAME.iter().find(|(other, _)| *other == plain).map_or(&*plain, |(_, ours)| ours);
    format!("--{ours}{value}")
}

/// Our own, for slips.
const OURS: &[(&str, &str)] = &[
    ("fit", "fit"),
    ("transform", "transform"),
    ("inspect", "inspect"),
    ("verify", "verify"),
    ("export", "export"),
    ("completions", "completions"),
];

/// Puts advice that leads somewhere in the place of what the parser says.
pub(super) fn advise(mut error: clap::Error, typed: &[OsString]) -> clap::Error {
    let word = |kind| match error.get(kind) {
        Some(ContextValue::String(word)) => Some(word.clone()),
        _ => None,
    };
    let advice = match error.kind() {
        ErrorKind::UnknownArgument => {
            let Some(word) = word(ContextKind::InvalidArg) else { return error };
            // To pass it behind `--` is never what was meant.
            error.remove(ContextKind::Suggested);
            for_option(&word, typed)
        }
        ErrorKind::InvalidSubcommand => {
            let Some(word) = word(ContextKind::InvalidSubcommand) else { return error };
            for_command(&word, typed)
        }
        _ => None,
    };
    if let Some(advice) = advice {
        for kind in [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand] {
            error.remove(kind);
        }
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![advice.into()]));
    }
    error
}

fn for_option(word: &str, typed: &[OsString]) -> Option<String> {
    let name = word.split('=').next().unwrap_or(word);
    if let Some((_, answer)) = ANSWERS.iter().find(|(other, _)| *other == name) {
        return Some((*answer).to_owned());
    }
    let first = typed.get(1).and_then(|word| word.to_str()).unwrap_or_default();
    let plain = name.trim_start_matches('-');
    if first.starts_with('-') && OURS.iter().any(|(ours, _)| *ours == plain) {
        return Some(format!("commands have no dashes: partwise {plain}"));
    }
    if first.starts_with('-') {
        return Some(format!("options stand behind the command: partwise fit FILE {name} …"));
    }
    if !word.starts_with('-') {
        return Some(if word.parse::<f64>().is_ok() && !ranked(typed) {
            format!("the number of components is given as -k {word}")
        } else {
            format!("'partwise {first}' takes one matrix; other files come with an option")
        });
    }
    near(plain, SAME).map(|ours| format!("did you mean --{ours}?"))
}

/// Whether the number of components is given.
fn ranked(typed: &[OsString]) -> bool {
    let mut words = typed.iter().map(|word| word.to_string_lossy());
    words.any(|word| word.starts_with("-k") || word.starts_with("--rank"))
}

/// The word of another program that `typed` is most like, and ours for it.
fn near(typed: &str, words: &[(&str, &'static str)]) -> Option<&'static str> {
    // Higher than clap's 0.7 for our own options: these come on top.
    const ALIKE: f64 = 0.85;
    if typed.len() > 64 {
        return None;
    }
    let alike = words.iter().map(|(other, ours)| (strsim::jaro(typed, other), *ours));
    let nearest = alike.max_by(|(a, _), (b, _)| a.total_cmp(b));
    nearest.filter(|(alike, _)| *alike > ALIKE).map(|(_, ours)| ours)
}

fn for_command(word: &str, typed: &[OsString]) -> Option<String> {
    let plain = word.to_lowercase().replace('_', "-");
    if let Some((_, ours)) = COMMANDS.iter().find(|(other, _)| *other == plain) {
        return Some(format!("'partwise {ours}' does that"));
    }
    let is_file = Path::new(word).exists() || word.contains(['.', '/', '\\']) || word == "-";
    if !is_file {
        return near(&plain, OURS)
            .or_else(|| near(&plain, COMMANDS))
            .map(|ours| format!("did you mean 'partwise {ours}'?"));
    }
    let from = typed.iter().position(|given| given == word).unwrap_or(1);
    let given: Vec<String> =
        typed.iter().skip(from).map(|word| shown(&word.to_string_lossy())).collect();
    let rank = if ranked(typed) { "" } else { " -k K" };
    Some(format!("to factorise a file: partwise fit {}{rank}", given.join(" ")))
}
