//! Losses as text, as options and model files write them.

use super::{Kind, Loss, NO_DELTA};
use crate::error::Error;

/// Names, β and what each of these β-divergences is for.
const NAMED: [(&str, f64, &str); 3] = [
    ("frobenius", 2.0, "half the squared error: Gaussian noise"),
    ("kl", 1.0, "Kullback–Leibler divergence: counts, Poisson noise"),
    ("is", 0.0, "Itakura–Saito divergence: power spectra, multiplicative noise; no zeros"),
];

/// Losses with a number, and what each is for.
const FAMILIES: [(&str, &str); 2] = [
    ("β", "the β-divergence of any number β, such as 1.5"),
    (
        "huber:δ",
        "½r² for errors r up to δ, which is in units of X, and by |r| beyond: wild entries",
    ),
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
        if let Some((_, beta, _)) = NAMED.iter().find(|(known, ..)| *known == name) {
            return Self::new(*beta);
        }
        if name == HUBER.trim_end_matches(':') {
            return Err(Error::Bare { name: name.to_owned(), written: BARE_HUBER });
        }
        if let Some(delta) = name.strip_prefix(HUBER) {
            let (option, value) = ("loss", name.to_owned());
            let refused = Error::Option { option, value, needed: NO_DELTA };
            return delta.parse().map_err(|_| refused).and_then(Self::huber);
        }
        match name.parse::<f64>() {
            Ok(beta) => Self::new(beta),
            Err(_) => {
                let known = "frobenius, kl, is, huber:δ, or a number β".into();
                Err(Error::Unknown { what: "loss", name: name.to_owned(), known })
            }
        }
    }
}
