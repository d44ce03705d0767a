//! Losses as text, as options and model files write them.

use super::{Kind, Loss, NO_DELTA};
use crate::error::Error;
use crate::names::{instead, nearest, plain};

/// Names, β and what each of these β-divergences is for.
const NAMED: [(&str, f64, &str); 3] = [
    ("frobenius", 2.0, "half the squared error: Gaussian noise"),
    ("kl", 1.0, "Kullback–Leibler divergence: counts, Poisson noise"),
    ("is", 0.0, "Itakura–Saito divergence: power spectra; X without zeros"),
];

/// Other spellings, of scikit-learn and of everyday, as [`plain`] writes them.
const SPELLINGS: [(&str, f64); 27] = [
    ("fro", 2.0),
    ("euclidean", 2.0),
    ("l2", 2.0),
    ("mse", 2.0),
    ("sse", 2.0),
    ("rss", 2.0),
    ("ls", 2.0),
    ("squared-error", 2.0),
    ("mean-squared-error", 2.0),
    ("least-squares", 2.0),
    ("squares", 2.0),
    ("gaussian", 2.0),
    ("normal", 2.0),
    ("kullback-leibler", 1.0),
    ("kullbackleibler", 1.0),
    ("kullback-leibler-divergence", 1.0),
    ("kld", 1.0),
    ("kl-divergence", 1.0),
    ("gkl", 1.0),
    ("generalized-kl", 1.0),
    ("i-divergence", 1.0),
    ("poisson", 1.0),
    ("itakura-saito", 0.0),
    ("itakurasaito", 0.0),
    ("itakura-saito-divergence", 0.0),
    ("isd", 0.0),
    ("is-divergence", 0.0),
];

/// What a β may be written behind, with a `:` or `=` between.
const BETA: [&str; 3] = ["beta", "β", "beta-divergence"];

/// What there is instead of other losses.
const INSTEAD: [(&str, &str); 12] = [
    ("gamma", "is, the loss of multiplicative gamma noise"),
    ("deviance", "kl, which is half of the Poisson deviance"),
    ("poisson-deviance", "kl, which is half of it"),
    ("divergence", "kl"),
    ("beta", "the number β by itself, such as 1.5"),
    ("beta-divergence", "the number β by itself, such as 1.5"),
    ("l1", NEAR_L1),
    ("mae", NEAR_L1),
    ("absolute", NEAR_L1),
    ("absolute-error", NEAR_L1),
    ("laplace", NEAR_L1),
    ("robust", NEAR_L1),
];
const NEAR_L1: &str = "huber:δ, by |r| for errors beyond δ";

/// Losses with a number, and what each is for.
const FAMILIES: [(&str, &str); 2] = [
    ("β", "the β-divergence of any number β, such as 1.5"),
    ("huber:δ", "½r² for errors up to δ, in units of X, by |r| beyond: wild entries"),
];

/// What Huber's loss is written with, and what is said where δ is left out.
const HUBER: &str = "huber:";
const BARE_HUBER: &str = "huber:0.5 for δ = 0.5; take about the size of a typical error of X, in its \
                          units: entries further off count by |r| rather than r²";

impl Loss {
    /// The named losses with one line on each, for help texts.
    pub fn named() -> impl Iterator<Item = (&'static str, &'static str)> {
        NAMED.iter().map(|&(name, _, about)| (name, about))
    }

    /// How losses with a number are written, with one line on each.
    pub fn families() -> impl Iterator<Item = (&'static str, &'static str)> {
        FAMILIES.into_iter()
    }
}

impl std::fmt::Display for Loss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.kind() {
            // Rather 1e-200 than two hundred zeros.
            Kind::Huber(delta) if delta != 0.0 && delta.abs() < 1e-4 => {
                f.pad(&format!("{HUBER}{delta:e}"))
            }
            Kind::Huber(delta) => f.pad(&format!("{HUBER}{delta}")),
            Kind::Beta(given) => match NAMED.iter().find(|(_, beta, _)| *beta == given) {
                Some((name, ..)) => f.pad(name),
                None => f.pad(&given.to_string()),
            },
        }
    }
}

impl std::str::FromStr for Loss {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        // A sign or a space of the number is not one of the word.
        let (word, number) = match name.split_once([':', '=']) {
            Some((word, number)) => (plain(word), Some(number.trim())),
            None => (plain(name), None),
        };
        if number.is_none()
            && let Some(beta) = beta_of(&word)
        {
            return Self::new(beta);
        }
        if word == HUBER.trim_end_matches(':') {
            let bare = Error::Bare { name: name.to_owned(), written: BARE_HUBER };
            let refused =
                Error::Option { option: "loss", value: name.to_owned(), needed: NO_DELTA };
            return number.ok_or(bare)?.parse().map_err(|_| refused).and_then(Self::huber);
        }
        let beta = if BETA.contains(&&*word) { number } else { Some(name.trim()) };
        match beta.and_then(|beta| beta.parse().ok()) {
            Some(beta) => Self::new(beta),
            None => Err(unknown(name, &word)),
        }
    }
}

/// The β of a loss that has a name, or another spelling of it.
fn beta_of(word: &str) -> Option<f64> {
    spellings().find(|(known, _)| *known == word).map(|(_, beta)| beta)
}

fn spellings() -> impl Iterator<Item = (&'static str, f64)> {
    NAMED.iter().map(|(name, beta, _)| (*name, *beta)).chain(SPELLINGS)
}

fn unknown(name: &str, word: &str) -> Error {
    let near = nearest(word, spellings().map(|(known, _)| known).chain(["huber"]));
    let ours = |near| match beta_of(near) {
        Some(beta) => NAMED.iter().find(|(_, b, _)| *b == beta).map(|(name, ..)| *name),
        None => Some("huber:δ"),
    };
    Error::Unknown {
        what: "loss",
        name: name.to_owned(),
        meant: instead(word, &INSTEAD).or(near.and_then(ours)),
        known: "frobenius, kl, is, huber:δ, or a number β".into(),
    }
}
