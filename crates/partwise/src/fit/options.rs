//! What a fit is asked to do.

use super::bytes::{of_blocks, of_equations, of_missing, of_weights};
use super::until::Until;
use crate::error::{Error, Result};
use crate::factor::Factor;
use crate::init::Start;
use crate::kernel::look::look;
use crate::loss::Loss;
use crate::matrix::{Data, Side};
use crate::memory;
use crate::penalty::Penalty;
use crate::scalar::Scalar;
use crate::update::Rule;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// What a fit is asked to do. Set what differs from the default:
/// `Options { rank: 12, n_init: 10, ..Options::default() }`.
#[derive(Debug, Clone)]
pub struct Options<T: Scalar> {
    /// Number of components k.
    pub rank: usize,
    /// What is minimised.
    pub loss: Loss,
    /// How a factor is improved; `None` for the fastest rule of the loss.
    pub rule: Option<Rule>,
    /// Where W and H start, unless they are given.
    pub init: Start,
    /// Restarts, run side by side; the best is kept. Only random starts differ between restarts.
    pub n_init: usize,
    /// Whether the factors of every restart are returned, see [`Fit::every`](crate::Fit), and not of the
    /// best alone.
    pub keep_all: bool,
    /// Seed of everything random.
    pub seed: u64,
    /// A fit has converged when its KKT residual is at most this, see [`Kkt`](crate::metric::Kkt), and
    /// its last step lowered the objective by no more than this share of it.
    pub tol: f64,
    /// What is compared with `tol` to end the fit.
    pub until: Until,
    /// Most iterations; 0 returns the start: as it is if both factors are given, else with zero rows where
    /// X has zero rows.
    pub max_iter: usize,
    /// Most wall time; the best iterate so far is returned. If there is none yet, what is returned are the
    /// factors given, or random ones, with a warning.
    pub time_limit: Option<Duration>,
    /// Ends the fit when it becomes true, from any thread and also in the middle of an iteration: the
    /// best iterate is returned with [`Status::Interrupted`](crate::Status), or
    /// [`Error::Halted`](crate::Error::Halted) if there is none yet. The time limit acts in the same way.
    pub stop: Option<Arc<AtomicBool>>,
    /// Threads; 0 takes those of the rayon pool that the caller runs in. The result has the same
    /// bits for any number.
    pub threads: usize,
    /// Inner sweeps for each product with X; `None` for 8.
    pub sweeps: Option<usize>,
    /// Iterations at the beginning that are plain: one sweep over W, then one over H, and no
    /// extrapolation. Most programs go on like that to the end, so a fit that begins so ends at the
    /// same stationary point as theirs more often; without them it is faster.
    pub plain: usize,
    /// W to start from, m×k.
    pub w: Option<Factor<T>>,
    /// H to start from, stored tall: n×k.
    pub h: Option<Factor<T>>,
    /// What the entries of W are charged. If neither this nor `h_penalty` is given, nothing is, unless
    /// entries are missing and no factor is held: then both factors get the same small ridge, in the
    /// units of X, without which what is predicted for missing entries may be anything (see
    /// [`Fit::ridge`](crate::Fit)). `Some(Penalty::NONE)` goes without.
    pub w_penalty: Option<Penalty>,
    /// What the entries of H are charged.
    pub h_penalty: Option<Penalty>,
    /// A factor to keep as it was given: W (`Side::Rows`) or H (`Side::Columns`).
    pub fixed: Option<Side>,
    /// Most bytes that the factors and their workspace may take; `None` for what the system says is
    /// left for this process, where it says so.
    pub memory_limit: Option<u64>,
}

impl<T: Scalar> Default for Options<T> {
    fn default() -> Self {
        Self {
            rank: 10,
            loss: Loss::FROBENIUS,
            rule: None,
            init: Start::Random,
            n_init: 1,
            keep_all: false,
            seed: 0,
            tol: 1e-4,
            until: Until::Stationary,
            max_iter: 500,
            time_limit: None,
            stop: None,
            threads: 0,
            sweeps: None,
            plain: 0,
            w: None,
            h: None,
            w_penalty: None,
            h_penalty: None,
            fixed: None,
            memory_limit: None,
        }
    }
}

impl<T: Scalar> Options<T> {
    /// Checks what can be checked with the shape of X alone.
    ///
    /// # Errors
    /// What is out of range, or has the wrong shape, or excludes something else.
    pub fn validate(&self, (rows, cols): (usize, usize)) -> Result<()> {
        at_least_one("rank", self.rank)?;
        at_least_one("n_init", self.n_init)?;
        if let Some(sweeps) = self.sweeps {
            at_least_one("sweeps", sweeps)?;
        }
        if !(self.tol >= 0.0 && self.tol.is_finite()) {
            let value = self.tol.to_string();
            return Err(Error::Option { option: "tol", value, needed: "a finite number >= 0" });
        }
        let (w, h) = self.penalties();
        w.check(["w_l1", "w_l2"])?;
        h.check(["h_l1", "h_l2"])?;
        if !self.rule().supports(self.loss) {
            return Err(Error::Conflict {
                first: format!("rule {}", self.rule()),
                second: format!("loss {}", self.loss),
                reason: "this rule does not minimise it",
            });
        }
        if self.until == Until::Settled && self.rule() != Rule::Mu {
            return Err(Error::Conflict {
                first: format!("until {}", self.until),
                second: format!("rule {}", self.rule()),
                reason: "only the rule mu ends so",
            });
        }
        if rows == 0 || cols == 0 {
            return Err(Error::Empty { rows, cols });
        }
        check_factor("W", self.w.as_ref(), rows, self.rank)?;
        check_factor("H", self.h.as_ref(), cols, self.rank)?;
        match self.fixed {
            Some(Side::Rows) if self.w.is_none() => {
                return Err(Error::MissingFactor { wanted: "holding W fixed", what: "W" });
            }
            Some(Side::Columns) if self.h.is_none() => {
                return Err(Error::MissingFactor { wanted: "holding H fixed", what: "H" });
            }
            _ => {}
        }
        let random = self.init == Start::Random && self.w.is_none() && self.h.is_none();
        if self.n_init > 1 && !random {
            return Err(Error::Conflict {
                first: format!("n_init = {}", self.n_init),
                second: "a start that is not random".into(),
                reason: "every restart would be the same run",
            });
        }
        Ok(())
    }

    /// The rule as given, or the fastest for the loss.
    pub fn rule(&self) -> Rule {
        self.rule.unwrap_or(Rule::fastest(self.loss))
    }

    /// What W and H are charged as far as it was given.
    pub(crate) fn penalties(&self) -> (Penalty, Penalty) {
        (self.w_penalty.unwrap_or_default(), self.h_penalty.unwrap_or_default())
    }

    /// Members of a batch that run side by side: as many as keep the products at their best width.
    pub(crate) fn batch(&self) -> usize {
        const WIDTH: usize = 128;
        (WIDTH / self.rank).clamp(1, self.n_init)
    }

    /// Whether a fit of `x`, of which so many entries are known to be missing, fits into memory.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub(super) fn check_memory(&self, data: &Data<'_, T>, missing: usize) -> Result<()> {
        let x = &data.x;
        let beside = if data.is_weighted() {
            memory::sum([
                of_blocks(x, self.threads, true),
                of_equations(x, self.rank, self.threads),
                of_weights(data),
                of_missing(data, missing, self.loss),
            ])
        } else {
            0
        };
        memory::check(
            "the factors",
            self.bytes(x).saturating_add(beside),
            self.memory_limit,
            || {
                let (rows, cols) = x.shape();
                format!(
                    "W of {rows} × {k} and H of {k} × {cols} values of {} B, rows padded to 64 B, their \
                 sums and iterates",
                    size_of::<T>(),
                    k = self.rank
                )
            },
        )
    }
}

/// Refuses a count of nothing.
pub(super) fn at_least_one(option: &'static str, value: usize) -> Result<()> {
    match value {
        0 => Err(Error::Option { option, value: "0".into(), needed: "at least 1" }),
        _ => Ok(()),
    }
}

pub(super) fn check_factor<T: Scalar>(
    what: &'static str,
    factor: Option<&Factor<T>>,
    rows: usize,
    cols: usize,
) -> Result<()> {
    let Some(f) = factor else { return Ok(()) };
    if check_entries(what, f, rows, cols)? { Err(Error::ZeroStart { what }) } else { Ok(()) }
}

/// Checks shape and entries of a factor; whether it is zero throughout.
///
/// # Errors
/// [`Error::Shape`], [`Error::Start`].
pub(super) fn check_entries<T: Scalar>(
    what: &'static str,
    f: &Factor<T>,
    rows: usize,
    cols: usize,
) -> Result<bool> {
    if (f.rows(), f.cols()) != (rows, cols) {
        let (found_rows, found_cols) = (f.rows(), f.cols());
        return Err(Error::Shape { what, found_rows, found_cols, rows, cols });
    }
    if let Some(seen) = look(f.as_slice(), &mut []) {
        return Ok(seen.positive == 0);
    }
    for row in 0..rows {
        for (col, &v) in f.row(row).iter().enumerate() {
            if !(v.is_finite() && v >= T::ZERO) {
                return Err(Error::Start { what, row, col, value: v.to_f64() });
            }
        }
    }
    Ok(false)
}
