//! What a fit minimises: D(X, WH) = Σ d(x_ij, (WH)_ij).
//!
//! The β-divergences: β = 2 is the Frobenius norm, β = 1 the Kullback–Leibler divergence (counts,
//! Poisson noise), β = 0 that of Itakura and Saito (power spectra, multiplicative noise); every real β
//! is one (Févotte & Idier 2011, <https://doi.org/10.1162/NECO_a_00168>). And Huber's loss, for X of
//! which some entries are far off.
//!
//! A [`Divergence`] gives the three things a rule needs of it, entry by entry: the value, and the two
//! parts of its derivative in q, `weight(x, q) − ratio(x, q)`, both positive.

mod beta;
mod frobenius;
mod huber;
mod itakura_saito;
mod kullback_leibler;
mod names;

pub(crate) use beta::Beta;
pub(crate) use frobenius::Frobenius;
pub(crate) use huber::Huber;
pub(crate) use itakura_saito::ItakuraSaito;
pub(crate) use kullback_leibler::KullbackLeibler;

use crate::error::Error;
use crate::matrix::power;
use crate::scalar::Scalar;

/// What a fit minimises: a β-divergence, or Huber's loss.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Loss(Kind);

/// The families of losses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// By its β.
    Beta(f64),
    /// By its δ, in units of X.
    Huber(f64),
}

/// Why a δ is refused: by itself, and beside X.
const NO_DELTA: &str = "huber:δ needs a finite δ > 0";
const TOO_SMALL: &str =
    "its δ is so far below the largest entry of X that it underflows; take a larger one, or f64";

impl Loss {
    /// ½‖X − WH‖²: β = 2.
    pub const FROBENIUS: Self = Self(Kind::Beta(2.0));
    /// Σ x ln(x/q) − x + q: β = 1.
    pub const KL: Self = Self(Kind::Beta(1.0));
    /// Σ x/q − ln(x/q) − 1: β = 0. X may have no zero.
    pub const IS: Self = Self(Kind::Beta(0.0));

    /// The β-divergence of any real β.
    ///
    /// # Errors
    /// [`Error::Option`] if β is not finite.
    pub fn new(beta: f64) -> Result<Self, Error> {
        if !beta.is_finite() {
            let value = beta.to_string();
            return Err(Error::Option { option: "beta", value, needed: "a finite number" });
        }
        Ok(Self(Kind::Beta(beta)))
    }

    /// Huber's loss: ½r² for residuals r = x − q up to `delta`, which is in units of X, and
    /// δ|r| − ½δ² for larger ones. δ is best about the size of a typical error of X: what is further
    /// off counts by |r|, so a few wild entries do not turn the fit.
    ///
    /// # Errors
    /// [`Error::Option`] if δ is not a finite number above 0.
    pub fn huber(delta: f64) -> Result<Self, Error> {
        if !(delta > 0.0 && delta.is_finite()) {
            let value = Self(Kind::Huber(delta)).to_string();
            return Err(Error::Option { option: "loss", value, needed: NO_DELTA });
        }
        Ok(Self(Kind::Huber(delta)))
    }

    /// β of a β-divergence.
    pub fn beta(self) -> Option<f64> {
        match self.0 {
            Kind::Beta(beta) => Some(beta),
            Kind::Huber(_) => None,
        }
    }

    /// δ of Huber's loss, in units of X.
    pub fn delta(self) -> Option<f64> {
        match self.0 {
            Kind::Beta(_) => None,
            Kind::Huber(delta) => Some(delta),
        }
    }

    /// Its degree in the units of X: c·X and c·WH, with δ times c too, are c^degree as far apart.
    pub fn degree(self) -> f64 {
        match self.0 {
            Kind::Beta(beta) => beta,
            Kind::Huber(_) => 2.0,
        }
    }

    /// Whether an entry of X that is zero makes the divergence infinite.
    pub fn forbids_zeros(self) -> bool {
        self.beta().is_some_and(|beta| beta <= 0.0)
    }

    /// Whether value and slope stay finite where a fitted value falls to zero.
    pub(crate) fn is_tame_at_zero(self) -> bool {
        self.beta().is_none_or(|beta| beta >= 2.0)
    }

    /// The constant model that knows nothing of X but its `mean`, with which a fit is compared: WH = 0
    /// under the Frobenius loss, whatever the weights, and the mean under any other, where WH = 0 may be
    /// infinitely far off.
    pub(crate) fn null_level(self, mean: f64) -> f64 {
        if self == Self::FROBENIUS { 0.0 } else { mean }
    }

    /// The family.
    pub(crate) fn kind(self) -> Kind {
        self.0
    }

    /// Exponent with which multiplicative updates cannot raise the divergence (Févotte & Idier; for
    /// Huber see `huber.rs`).
    pub(crate) fn exponent(self) -> f64 {
        match self.0 {
            Kind::Beta(b) if b < 1.0 => 1.0 / (2.0 - b),
            Kind::Beta(b) if b > 2.0 => 1.0 / (b - 1.0),
            _ => 1.0,
        }
    }

    /// Exponents (a, b) of joint updates, see `update/entries/jmm.rs`.
    pub(crate) fn joint_exponents(self) -> (f64, f64) {
        match self.0 {
            Kind::Beta(b) if b < 1.0 => (b - 1.0, 1.0),
            Kind::Beta(b) if b > 2.0 => (1.0, b),
            Kind::Beta(b) => (b - 1.0, b),
            Kind::Huber(_) => (1.0, 2.0),
        }
    }

    /// The loss of X·4^(−half) that is this one of X, but for its unit.
    ///
    /// # Errors
    /// [`Error::Option`] for a δ so small that δ/|r| and products with it would underflow in T. One that
    /// is beyond the range is no trouble: no residual reaches it.
    pub(crate) fn in_units<T: Scalar>(self, half: i32) -> Result<Self, Error> {
        let Some(delta) = self.delta() else { return Ok(self) };
        let delta = delta * power(-half) * power(-half);
        if delta < T::TINY.to_f64().sqrt() {
            let value = self.to_string();
            return Err(Error::Option { option: "loss", value, needed: TOO_SMALL });
        }
        Ok(Self(Kind::Huber(delta)))
    }

    /// A divergence of X·4^(−half) as that of X, by steps, so that 0 stays 0 and only what is too large
    /// for f64 becomes infinite.
    pub(crate) fn unscale(self, divergence: f64, half: i32) -> f64 {
        let step = (f64::from(half) * self.degree() / 2.0).exp2();
        divergence * step * step * step * step
    }

    /// Calls `work` with the divergence itself, so that loops over entries are compiled for it.
    pub(crate) fn with<W: WithDivergence>(self, work: W) -> W::Out {
        match self.0 {
            Kind::Beta(2.0) => work.run(Frobenius),
            Kind::Beta(1.0) => work.run(KullbackLeibler),
            Kind::Beta(0.0) => work.run(ItakuraSaito),
            Kind::Beta(beta) => work.run(Beta { beta }),
            Kind::Huber(delta) => work.run(Huber { delta }),
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
    /// Whether `weight` is 1 throughout.
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
    /// `weight` and `ratio` of a run of entries, the ratios in the place of the fitted values; no weights
    /// where they are 1.
    #[inline]
    fn slopes<T: Scalar>(self, x: &[T], q: &mut [T], weight: Option<&mut [T]>) {
        for ((weight, &x), &q) in weight.into_iter().flatten().zip(x).zip(&*q) {
            *weight = self.weight(x, q);
        }
        q.iter_mut().zip(x).for_each(|(q, &x)| *q = self.ratio(x, *q));
    }
    /// The part of −∂d/∂q that pulls q up: x·q^(β−2).
    fn ratio<T: Scalar>(self, x: T, q: T) -> T;
    /// The part of ∂d/∂q that pushes q down: q^(β−1).
    fn weight<T: Scalar>(self, x: T, q: T) -> T;
}

/// Something to be done with a divergence known at compile time.
pub(crate) trait WithDivergence {
    type Out;
    fn run<D: Divergence>(self, divergence: D) -> Self::Out;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_read_and_written() {
        for (text, beta) in [("frobenius", 2.0), ("kl", 1.0), ("is", 0.0), ("1.5", 1.5)] {
            let loss: Loss = text.parse().expect("a loss");
            assert_eq!((loss.beta(), loss.to_string().as_str()), (Some(beta), text));
        }
        for (text, delta) in [("huber:0.5", 0.5), ("huber:2", 2.0), ("huber:1e-7", 1e-7)] {
            let loss: Loss = text.parse().expect("a loss");
            assert_eq!((loss.delta(), loss.to_string().as_str()), (Some(delta), text));
        }
        for (name, spellings) in [
            ("frobenius", &["2", "Frobenius", "euclidean", "L2", "mse", "least squares"][..]),
            ("kl", &["kullback-leibler", "Kullback_Leibler", "KLD", "poisson", "beta = 1", "KL"]),
            ("is", &["itakura-saito", "Itakura–Saito", "ITAKURA SAITO", "β:0"]),
            ("-1.5", &["beta: -1.5", "beta-divergence=-1.5"]),
            ("huber:0.5", &["Huber = 0.5", "huber: 0.5"]),
        ] {
            for text in spellings {
                assert_eq!(text.parse::<Loss>().expect(text).to_string(), name, "{text}");
            }
        }
        for (text, meant) in [
            ("frobenious", "did you mean frobenius? known"),
            ("kulback-leibler", "did you mean kl? known"),
            ("hubert", "did you mean huber:δ? known"),
            ("l1", "did you mean huber:δ, by |r|"),
            ("kl:2", "did you mean kl? known"),
            ("hinge", "unknown loss 'hinge'; known: frobenius, kl, is, huber:δ, or a number β"),
        ] {
            let refused = text.parse::<Loss>().expect_err(text).to_string();
            assert!(refused.contains(meant), "{text}: {refused}");
        }
        for text in ["huber", "huber:", "huber:0", "huber:-1", "huber:inf", "huber:x", "nan", "l1"]
        {
            let refused = text.parse::<Loss>().expect_err(text).to_string();
            let said = text.strip_prefix("nan").map_or(text, |_| "NaN");
            assert!(refused.contains(said), "{text}: {refused}");
        }
    }

    #[test]
    fn delta_is_in_units_of_x() {
        let loss = Loss::huber(3.0).expect("a loss");
        for (half, delta) in [(0, 3.0), (2, 3.0 / 16.0), (-3, 192.0), (-600, f64::INFINITY)] {
            assert_eq!(loss.in_units::<f32>(half).expect("a unit").delta(), Some(delta));
        }
        assert!(loss.in_units::<f64>(40).is_ok() && loss.in_units::<f32>(40).is_err());
        assert_eq!(Loss::KL.in_units::<f32>(40).expect("a unit"), Loss::KL);
    }

    #[test]
    fn derivatives_agree_with_differences() {
        struct Slope(f64, f64);
        impl WithDivergence for Slope {
            type Out = (f64, f64);
            fn run<D: Divergence>(self, d: D) -> (f64, f64) {
                let (x, q, h) = (self.0, self.1, 1e-5 * self.1);
                let numeric = (d.value(x, q + h) - d.value(x, q - h)) / (2.0 * h);
                (numeric, d.weight(x, q) - d.ratio(x, q))
            }
        }
        let betas = [-1.2, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0].map(Loss::new);
        let deltas = [0.01, 1.0, 1.5, 30.0].map(Loss::huber);
        for loss in betas.into_iter().chain(deltas).map(|loss| loss.expect("a loss")) {
            for (x, q) in [(0.3, 1.7), (2.0, 0.4), (5.0, 4.9)] {
                let (numeric, exact) = loss.with(Slope(x, q));
                assert!((numeric - exact).abs() <= 1e-6 * (1.0 + exact.abs()), "{loss} {x} {q}");
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
