//! Online: H learnt from batches of rows, with forgetting.
//!
//! * Objective: Σ ρ^(age of the batch) · (D(X_b, W_b H) + penalties), W_b best for H as it was then.
//! * Update, rule `mu`, any loss: W of the batch by multiplicative updates, then `A ← ρA + H^(1/γ) ∘ num`,
//!   `B ← ρB + den`, `H ← (A ⊘ B)^γ` with num, den the negative and positive part of the gradient
//!   and γ as in `update/entries/mu.rs`. Rule `hals`, Frobenius alone: W by coordinate descent, then
//!   `A ← ρA + XᵀW`, `B ← ρB + WᵀW` and sweeps of coordinate descent over H.
//! * Cost: that of an iteration on the batch, n·k words each for A and B. Frobenius takes one read of
//!   the batch however often W is updated; the other losses take 4k per entry and update.
//! * Guarantee: H minimises what the batches so far say of it, each through a majoriser that touches
//!   the loss where its W was found: with ρ = 0 and all rows as batch a step is an iteration of `mu`,
//!   which never raises the objective. Under `hals` the sums are exact, and with ρ = 1 H tends to
//!   stationary points of the expected loss.
//! * Use it: for rows that arrive over time or do not fit in memory. [`fit`](crate::fit()) gives
//!   better factors of what does fit. `hals` learns from fewer batches than `mu`.
//! * References: Lefèvre, Bach & Févotte 2011, <https://doi.org/10.1109/ASPAA.2011.6082314> (`mu`);
//!   Mairal, Bach, Ponce & Sapiro 2010, <https://jmlr.org/papers/v11/mairal10a.html> (`hals`).

mod batch;
mod entries;
mod normal;
mod options;
mod statistics;

pub use options::{OnlineOptions, Step};
pub use statistics::Statistics;

use super::bytes::of_batch;
use super::options::check_factor;
use crate::error::Result;
use crate::factor::Factor;
use crate::matrix::Data;
use crate::memory;
use crate::scalar::Scalar;
use crate::threads;
use crate::update::Rule;
use batch::{Batch, Rows};
use std::sync::Arc;

/// H, and what the batches so far say of it.
#[derive(Debug, Clone)]
pub struct Online<T: Scalar> {
    h: Factor<T>,
    statistics: Statistics<T>,
    options: OnlineOptions,
    pool: Option<Arc<rayon::ThreadPool>>,
}

impl<T: Scalar> Online<T> {
    /// Starts from `h`, stored tall (n×k), knowing nothing else.
    ///
    /// # Errors
    /// [`Error::Start`](crate::Error::Start) or [`Error::ZeroStart`](crate::Error::ZeroStart) for what
    /// is wrong with H, [`Error::Option`](crate::Error::Option) and
    /// [`Error::Conflict`](crate::Error::Conflict) for the options.
    pub fn new(h: Factor<T>, options: &OnlineOptions) -> Result<Self> {
        options.validate()?;
        // The sums, their copies while they change, and one that is handed over.
        let needed = Factor::<T>::bytes(h.rows(), h.cols()).saturating_mul(6);
        memory::check("sums over batches", needed, None, || {
            format!("for H of {} × {}, {}", h.cols(), h.rows(), T::NAME)
        })?;
        check_factor("H", Some(&h), h.rows(), h.cols())?;
        let threads = options.threads;
        let pool = (threads > 0).then(|| threads::pool(threads));
        Ok(Self {
            statistics: Statistics::none(options.rule, &h),
            h,
            options: *options,
            pool: pool.transpose()?.map(Arc::new),
        })
    }

    /// One batch: W of its rows from `w`, which is then returned with the objective of the batch
    /// before H moves; then H.
    ///
    /// Without a `w`, or with one that is zero throughout, each row starts from equal entries of the
    /// best size. Under rule `mu` zeros of W and H where X is not zero are raised to a roundoff, so a
    /// column of X that was always zero may come to life. If numbers overflow, the objective is not
    /// finite and H stays as it was.
    ///
    /// # Errors
    /// What is wrong with X or the weights, as for [`fit`](crate::fit());
    /// [`Error::Shape`](crate::Error::Shape) if X has not as many columns as H has rows or W is not of
    /// the shape of the batch; [`Error::Conflict`](crate::Error::Conflict)
    /// for weights under rule `hals`. H and the statistics are then as before.
    pub fn step<'a>(
        &mut self,
        x: impl Into<Data<'a, T>>,
        w: Option<Factor<T>>,
        step: &Step,
    ) -> Result<(Factor<T>, f64)> {
        step.validate()?;
        let mut data = x.into();
        let ((rows, cols), k) = (data.x.shape(), self.h.cols());
        memory::check("a batch", of_batch(&data, k, self.options.loss), None, || {
            format!("{rows} × {cols} by {k} components, {}", T::NAME)
        })?;
        data.weights.check(data.x.shape())?;
        data.simplify()?;
        data.list_few();
        match self.pool.clone() {
            Some(pool) => pool.install(|| self.learn(&data, w, step)),
            None => self.learn(&data, w, step),
        }
    }

    fn learn(
        &mut self,
        data: &Data<'_, T>,
        w: Option<Factor<T>>,
        step: &Step,
    ) -> Result<(Factor<T>, f64)> {
        let options = &self.options;
        let batch = Batch::of(data, self.h.rows(), options)?;
        let w = batch.checked(w, self.h.cols())?;
        let batch = batch.scaled(&self.statistics)?;
        let exponent = batch.exponent;
        let mut h = self.h.clone();
        h.scale_by_power(-exponent);
        let mut rows = Rows::new(&batch, w, h.cols());
        if options.rule == Rule::Mu {
            batch.raise(&mut rows, &mut h);
        }
        let found = if batch.by_entries() {
            entries::rows(&batch, &h, &mut rows.w, rows.flat, (options, step))?
        } else {
            normal::rows(&batch, &h, &mut rows.w, rows.flat, (options, step))?
        };
        let mut w = rows.w;
        w.scale_by_power(batch.of_rows());
        let mut cost = batch.unscale(found.divergence) + options.w_penalty.of(&w);
        cost += options.h_penalty.of(&self.h);
        if step.improve_h {
            let mut statistics = self.statistics.in_units(exponent, options);
            statistics.add(&mut h, &found.times(batch.weight()), step.rho, options);
            h.scale_by_power(exponent);
            if !(h.is_finite() && statistics.is_finite()) {
                return Ok((w, f64::NAN));
            }
            (self.h, self.statistics) = (h, statistics);
        }
        Ok((w, cost))
    }

    /// H, n×k.
    pub fn h(&self) -> &Factor<T> {
        &self.h
    }

    /// What the batches so far say of H.
    pub fn statistics(&self) -> &Statistics<T> {
        &self.statistics
    }

    /// Goes on from other statistics: with those and the H of a former state, to the bit.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape), or [`Error::Start`](crate::Error::Start) for an entry that
    /// no sums can have.
    pub fn set_statistics(&mut self, statistics: Statistics<T>) -> Result<()> {
        statistics.check(self.options.rule, &self.h)?;
        self.statistics = statistics;
        Ok(())
    }
}
