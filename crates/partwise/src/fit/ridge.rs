//! What the factors are charged: as given, or a ridge where entries are missing.
//!
//! With entries missing the divergence alone may have no minimum: a row with few observed entries takes
//! any weight of a component that is nearly zero in all of them, and what is predicted for the others
//! grows without bound while the objective falls ever less. ½λ(‖W‖² + ‖H‖²) bounds it. At a minimum
//! both factors of a component are of one size and it is λ Σ ‖w_t‖‖h_t‖, a soft threshold λ for the
//! sizes of the components. What noise alone gives does not pass the spectral norm of its gradient: for N
//! entries of deviation σ over m×n places about σ(√(N/m) + √(N/n)). λ is a share of that. σ is what
//! a short fit leaves of X, so that X with little noise is hardly changed, and a power of the root
//! mean square of X brings it to the unit of the gradient under a loss of another degree.

use super::Options;
use super::observe::Silent;
use super::task::Task;
use super::way;
use crate::error::{Error, Result};
use crate::matrix::{Coverage, Halt, Scaled};
use crate::penalty::Penalty;
use crate::scalar::Scalar;
use std::sync::Arc;
use std::time::Instant;

/// λ as a share of the spectral norm of noise. Bounds how much of X is given up for what is predicted.
/// Measured with `bench/completion.py`, a tenth hidden, 30 seeds, median test error beside that of no
/// penalty in plain iterations. Chosen on: planted counts of rank 4, 2.37 to 2.37, 2.47 to 2.61, 2.55 to
/// 2.82 at k = 4, 6, 8; digits, 2.97 to 3.21 and 3.00 to 6.30 at k = 16, 32; MovieLens 100k, whose error
/// would be least at a third to twice as much. Not looked at before: Golub's expression, 585 to 602 and
/// 602 to 745 at k = 5, 10; made ratings, 0.84 to 0.90 and 0.93 to 1.11; counts of mean 100, 10.84 to
/// 10.81 and 11.8 to 12.5 at k = 4, 8. Worse at k = 5 on 96 × 21 mutation counts, 129 to 117, where a few
/// large entries are most of the error.
const NOISE_SHARE: f64 = 0.15;

/// λ of the short fit, with the deviation of X from its mean for σ: holds predictions down for as long.
const PILOT_SHARE: f64 = 0.02;
/// Iterations of the short fit: about a tenth of those that a fit takes. What they leave of planted
/// counts is within 3 % of what is left in the end.
const PILOT_ITERATIONS: usize = 20;
/// Share of the time that is left which the short fit may take: the fit itself is what was asked for.
const PILOT_TIME: f64 = 0.25;
/// Parameters count as no more than this share of the entries.
const PARAMETERS: f64 = 0.75;

/// Steps are extrapolated where both ridges together exceed this share of that of the short fit: below, most
/// of what an extrapolated step does shows only in what is missing. Measured with the same program, no
/// penalty at all: MovieLens 100k at k = 10 has a test error of 3.7e6 with extrapolation and 1.9 without,
/// at the same objective; digits at k = 32 has 14 and 6.9.
const FIRM: f64 = 0.5;

/// Roundoffs of the root mean square up to which the deviation of X is none.
const ROUNDOFFS: f64 = 8.0;

/// What W and H are charged, in units of X.
#[derive(Debug, Clone, Copy)]
pub(super) struct Charges {
    pub(super) w: Penalty,
    pub(super) h: Penalty,
    /// λ₂ of both, if it was chosen here.
    pub(super) ridge: Option<f64>,
    /// Whether no step may be extrapolated.
    pub(super) cautious: bool,
}

impl Charges {
    /// What was given.
    pub(super) fn given<T: Scalar>(options: &Options<T>) -> Self {
        let (w, h) = options.penalties();
        Self { w, h, ridge: None, cautious: false }
    }

    /// What was given, in steps that are not extrapolated.
    pub(super) fn cautious<T: Scalar>(options: &Options<T>) -> Self {
        Self { cautious: true, ..Self::given(options) }
    }

    /// What was given, or a ridge if entries are missing and nothing was.
    pub(super) fn of<T: Scalar>(task: &Task<'_, T>) -> Result<Self> {
        let (given, options) = (Self::given(task.options), task.options);
        if options.fixed.is_some() {
            return Ok(given);
        }
        let Some(noise) = task.noise()? else { return Ok(given) };
        let pilot = task.in_units_of_x(PILOT_SHARE * noise.spread);
        if options.w_penalty.is_some() || options.h_penalty.is_some() {
            let cautious = (given.w.l2 * given.h.l2).sqrt() <= FIRM * pilot;
            return Ok(Self { cautious, ..given });
        }
        if pilot == 0.0 {
            return Ok(Self::cautious(options));
        }
        let left = pilot_divergence(task, pilot)?;
        let ridge = task.in_units_of_x(NOISE_SHARE * task.noise_left(&noise, left));
        // An exact fit leaves none.
        let ridge = if ridge.is_finite() { ridge.max(FIRM * pilot) } else { pilot };
        let ridge = short(ridge);
        let both = Penalty { l1: 0.0, l2: ridge };
        Ok(Self { w: both, h: both, ridge: Some(ridge), cautious: false })
    }
}

/// Rounded to four binary digits: it need not be known better, and every way to say what is missing then
/// leads to the same ridge though the short fit ends a little elsewhere.
fn short(ridge: f64) -> f64 {
    const DROPPED: u64 = 1 << (f64::MANTISSA_DIGITS - 4);
    f64::from_bits((ridge.to_bits() + DROPPED / 2) & !(DROPPED - 1))
}

/// The divergence that a short fit with this ridge leaves.
///
/// # Errors
/// What the source of X reports. NaN if there was no time for it.
fn pilot_divergence<T: Scalar>(task: &Task<'_, T>, ridge: f64) -> Result<f64> {
    let Task { options, began, .. } = *task;
    let now = Instant::now();
    let left = options.time_limit.map(|limit| (began + limit).saturating_duration_since(now));
    let halt = Halt::new(options.stop.clone(), left.map(|left| now + left.mul_f64(PILOT_TIME)));
    let halt = Arc::new(halt);
    let data = task.data.borrowed().halting(&halt);
    let both = Some(Penalty { l1: 0.0, l2: ridge });
    let options = Options {
        n_init: 1,
        max_iter: PILOT_ITERATIONS,
        plain: 0,
        // The ridge is the same under every rule.
        rule: None,
        sweeps: None,
        w_penalty: both,
        h_penalty: both,
        ..options.clone()
    };
    let pilot = Task::new(&data, &options, (began, Arc::clone(&halt), task.weight_unit));
    match pilot.and_then(|pilot| pilot.run(&mut Silent)) {
        Err(Error::Halted) => Ok(f64::NAN),
        fit => Ok(fit?.divergence),
    }
}

/// What is known of the noise before any fit, in units of the scaled X.
struct Noise {
    /// Spectral norm of the gradient if X were noise about its mean.
    spread: f64,
    /// The root mean square of X.
    rms: f64,
    /// √(Σ p²)·(1/√m + 1/√n), and Σ p.
    size: f64,
    weight: f64,
    /// Rows and columns with observed entries, and how many these are.
    shape: (f64, f64),
    observed: f64,
}

impl<T: Scalar> Task<'_, T> {
    /// None if no entry is missing where its row and its column have others.
    fn noise(&self) -> Result<Option<Noise>> {
        if !self.data.is_weighted() || self.scan.positive == 0 {
            return Ok(None);
        }
        let every = self.way.need(self.options.loss);
        let scaled = Scaled::new(&*self.streamed.matrix, self.half);
        let x = way::observed(self.data, &scaled, self.streamed.side, every);
        let coverage = Coverage::of(&x)?;
        let counts = (coverage.counts()?, coverage.transposed()?.counts()?);
        let some = |counts: &[usize]| counts.iter().filter(|&&n| n > 0).count() as f64;
        let (m, n) = (some(&counts.0), some(&counts.1));
        let observed = counts.0.iter().sum::<usize>() as f64;
        if observed >= m * n {
            return Ok(None);
        }
        // Σ p² in place of N: a gradient has each entry times its weight.
        let [squared, sum, squares, weight] = x.moments(0.0)?;
        let deviation = (x.moments(sum / squared)?[2] / squared).sqrt();
        let rms = (squares / squared).sqrt();
        let deviation = if deviation > ROUNDOFFS * T::ROUNDOFF * rms { deviation } else { 0.0 };
        let size = squared.sqrt() * (m.sqrt().recip() + n.sqrt().recip());
        let spread = self.bounded(deviation * rms.powf(self.loss.degree() - 2.0)) * size;
        Ok(Some(Noise { spread, rms, size, weight, shape: (m, n), observed }))
    }

    /// Spectral norm of the gradient of the noise in X, if a fit leaves this divergence: d is near
    /// ½ r² q^(γ−2) and its slope r q^(γ−2) under a loss of degree γ.
    fn noise_left(&self, noise: &Noise, divergence: f64) -> f64 {
        let ((m, n), k) = (noise.shape, self.options.rank as f64);
        let parameters = (k * (m + n - k)).max(0.0) / noise.observed;
        let free = 1.0 - parameters.min(PARAMETERS);
        let of_weights = 2f64.powi(-self.weight_unit);
        let scaled = self.loss.unscale(divergence, -self.half) * of_weights;
        let deviation = (2.0 * scaled / (noise.weight * free)).sqrt();
        let degree = self.loss.degree();
        self.bounded(deviation * noise.rms.powf(0.5 * degree - 1.0)) * noise.size
    }

    /// No entry pulls more than δ under Huber's loss.
    fn bounded(&self, pull: f64) -> f64 {
        self.loss.delta().map_or(pull, |delta| pull.min(delta))
    }

    /// W and H are in the root of the unit of X, so λ is in that of the loss less one of X.
    fn in_units_of_x(&self, ridge: f64) -> f64 {
        let of_weights = 2f64.powi(self.weight_unit);
        ridge * (2.0 * f64::from(self.half) * (self.loss.degree() - 1.0)).exp2() * of_weights
    }
}
