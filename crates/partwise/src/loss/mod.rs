//! What a fit minimises: the β-divergence D(X, WH) = Σ d(x_ij, (WH)_ij).
//!
//! β = 2 is the Frobenius norm, β = 1 the Kullback–Leibler divergence (counts, Poisson noise), β = 0
//! that of Itakura and Saito (power spectra, multiplicative noise); every real β is one
//! (Févotte & Idier 2011, <https://doi.org/10.1162/NECO_a_00168>).
//!
//! A [`Divergence`] gives the three things a rule needs of it, entry by entry: the value, and the two
//! parts of its derivative in q, `weight(q) − ratio(x, q)`, both positive.

mod beta;
mod frobenius;
mod itakura_saito;
mod kullback_leibler;

pub(crate) use beta::Beta;
pub(crate) use frobenius::Frobenius;
pub(crate) use itakura_saito::ItakuraSaito;
pub(crate) use kullback_leibler::KullbackLeibler;

use crate::error::Error;
use crate::scalar::Scalar;

/// The β-divergence that a fit minimises, by its β.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Loss {
    beta: f64,
}

/// Names, β and what each is for.
const NAMED: [(&str, f64, &str); 3] = [
    ("frobenius", 2.0, "half the squared error: Gaussian noise"),
    ("kl", 1.0, "Kullback–Leibler divergence: counts, Poisson noise"),
    ("is", 0.0, "Itakura–Saito divergence: power spectra, multiplicative noise; no zeros"),
];

impl Loss {
    /// ½‖X − WH‖²: β = 2.
    pub const FROBENIUS: Self = Self { beta: 2.0 };
    /// Σ x ln(x/q) − x + q: β = 1.
    pub const KL: Self = Self { beta: 1.0 };
    /// Σ x/q − ln(x/q) − 1: β = 0. X may have no zero.
    pub const IS: Self = Self { beta: 0.0 };

    /// The β-divergence of any real β.
    ///
    /// # Errors
    /// [`Error::Option`] if β is not finite.
    pub fn new(beta: f64) -> Result<Self, Error> {
        if !beta.is_finite() {
            let value = beta.to_string();
            return Err(Error::Option { option: "beta", value, needed: "a finite number" });
        }
        Ok(Self { beta })
    }

    /// β.
    pub fn beta(self) -> f64 {
        self.beta
    }

    /// Whether an entry of X that is zero makes the divergence infinite.
    pub fn forbids_zeros(self) -> bool {
        self.beta <= 0.0
    }

    /// The named losses with one line on each, for help texts.
    pub fn named() -> impl Iterator<Item = (&'static str, &'static str)> {
        NAMED.iter().map(|&(name, _, about)| (name, about))
    }

    /// Exponent with which multiplicative updates cannot raise the divergence (Févotte & Idier).
    pub(crate) fn exponent(self) -> f64 {
        match self.beta {
            b if b < 1.0 => 1.0 / (2.0 - b),
            b if b > 2.0 => 1.0 / (b - 1.0),
            _ => 1.0,
        }
    }

    /// A divergence of X·4^(−half) as that of X, by steps, so that 0 stays 0 and only what is too large
    /// for f64 becomes infinite.
    pub(crate) fn unscale(self, divergence: f64, half: i32) -> f64 {
        let step = (f64::from(half) * self.beta / 2.0).exp2();
        divergence * step * step * step * step
    }

    /// Calls `work` with the divergence itself, so that loops over entries are compiled for it.
    pub(crate) fn with<W: WithDivergence>(self, work: W) -> W::Out {
        match self.beta {
            2.0 => work.run(Frobenius),
            1.0 => work.run(KullbackLeibler),
            0.0 => work.run(ItakuraSaito),
            beta => work.run(Beta { beta }),
        }
    }

    /// d(x, q), exact as `f64` allows.
    pub(crate) fn value(self, x: f64, q: f64) -> f64 {
        struct Value(f64, f64);
        impl WithDivergence for Value {
            type Out = f64;
            fn run<D: Divergence>(self, divergence: D) -> f64 {
                divergence.value(self.0, self.1)
            }
        }
        self.with(Value(x, q))
    }
}

/// One divergence d(x, q) ≥ 0 between entries, zero where x = q.
pub(crate) trait Divergence: Copy + Send + Sync {
    /// Whether q^(β−1) is 1 throughout.
    const CONSTANT_WEIGHT: bool = false;
    /// d(x, q), never negative.
    fn value(self, x: f64, q: f64) -> f64;
    /// Σ p·d(x, q) over a run of entries, p = 1 where none are given; p = 0 counts nothing.
    fn total<T: Scalar>(self, x: &[T], q: &[T], p: Option<&[T]>) -> f64 {
        let entries = x.iter().zip(q).map(|(x, q)| self.value(x.to_f64(), q.to_f64()));
        match p {
            None => entries.sum(),
            Some(p) => {
                let weighed = p.iter().zip(entries);
                weighed.map(|(p, d)| if *p > T::ZERO { p.to_f64() * d } else { 0.0 }).sum()
            }
        }
    }
    /// x·q^(β−2), the part of −∂d/∂q that pulls q up.
    fn ratio<T: Scalar>(self, x: T, q: T) -> T;
    /// q^(β−1), the part of ∂d/∂q that pushes q down.
    fn weight<T: Scalar>(self, q: T) -> T;
}

/// Something to be done with a divergence known at compile time.
pub(crate) trait WithDivergence {
    type Out;
    fn run<D: Divergence>(self, divergence: D) -> Self::Out;
}

impl std::fmt::Display for Loss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match NAMED.iter().find(|(_, beta, _)| *beta == self.beta) {
            Some((name, ..)) => f.pad(name),
            None => f.pad(&self.beta.to_string()),
        }
    }
}

impl std::str::FromStr for Loss {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        if let Some((_, beta, _)) = NAMED.iter().find(|(known, ..)| *known == name) {
            return Ok(Self { beta: *beta });
        }
        match name.parse::<f64>() {
            Ok(beta) => Self::new(beta),
            Err(_) => {
                let known = "frobenius, kl, is, or a number β".into();
                Err(Error::Unknown { what: "loss", name: name.to_owned(), known })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_read_and_written() {
        for (text, beta) in [("frobenius", 2.0), ("kl", 1.0), ("is", 0.0), ("1.5", 1.5)] {
            let loss: Loss = text.parse().expect("a loss");
            assert_eq!((loss.beta(), loss.to_string().as_str()), (beta, text));
        }
        assert_eq!("2".parse::<Loss>().expect("a loss").to_string(), "frobenius");
        assert!("huber".parse::<Loss>().is_err() && "nan".parse::<Loss>().is_err());
    }

    #[test]
    fn derivatives_agree_with_differences() {
        struct Slope(f64, f64);
        impl WithDivergence for Slope {
            type Out = (f64, f64);
            fn run<D: Divergence>(self, d: D) -> (f64, f64) {
                let (x, q, h) = (self.0, self.1, 1e-5 * self.1);
                let numeric = (d.value(x, q + h) - d.value(x, q - h)) / (2.0 * h);
                (numeric, d.weight(q) - d.ratio(x, q))
            }
        }
        for beta in [-1.2, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0] {
            for (x, q) in [(0.3, 1.7), (2.0, 0.4), (5.0, 4.9)] {
                let (numeric, exact) = Loss::new(beta).expect("a loss").with(Slope(x, q));
                assert!((numeric - exact).abs() <= 1e-6 * (1.0 + exact.abs()), "{beta} {x} {q}");
            }
        }
    }

    #[test]
    fn values_are_continuous_in_beta_and_zero_on_the_diagonal() {
        for beta in [0.0, 1.0, 2.0] {
            let (here, near) =
                (Loss::new(beta).expect("a loss"), Loss::new(beta + 1e-7).expect("a loss"));
            for (x, q) in [(0.3, 1.7), (2.0, 0.4)] {
                let (a, b) = (here.value(x, q), near.value(x, q));
                assert!((a - b).abs() <= 1e-5 * a, "{beta}: {a} {b}");
                assert_eq!(here.value(x, x), 0.0);
            }
        }
    }
}
