//! One batch of rows: checked, in units in which products stay in range, with its start.

use super::{OnlineOptions, Statistics};
use crate::error::{Error, Result};
use crate::factor::Factor;
use crate::fit::begin::raise_all;
use crate::fit::entries::refuse_zeros;
use crate::fit::options::check_entries;
use crate::fit::way::{half_unit, observed, scan};
use crate::loss::Loss;
use crate::matrix::{Data, Matrix, Need, Observed, Scaled, Scan, Side};
use crate::penalty::Penalty;
use crate::scalar::Scalar;
use crate::update::Rule;

/// Some rows of X.
pub(super) struct Batch<'a, T: Scalar> {
    data: &'a Data<'a, T>,
    by_rows: Box<dyn Matrix<T> + 'a>,
    /// As X·4^(−own) has it.
    pub(super) loss: Loss,
    /// Of X·4^(−own), weighed.
    pub(super) scan: Scan,
    own: i32,
    /// H is in units of 2^exponent, so W is in units of 2^(2·own − exponent).
    pub(super) exponent: i32,
}

impl<'a, T: Scalar> Batch<'a, T> {
    /// Checks X and its weights against an H of `n` rows.
    ///
    /// # Errors
    /// What is wrong, as for a fit.
    pub(super) fn of(data: &'a Data<'a, T>, n: usize, options: &OnlineOptions) -> Result<Self> {
        let (rows, cols) = data.x.shape();
        if rows == 0 || cols == 0 {
            return Err(Error::Empty { rows, cols });
        }
        if cols != n {
            let (what, found_rows, found_cols) = ("X", rows, cols);
            return Err(Error::Shape { what, found_rows, found_cols, rows, cols: n });
        }
        let loss = options.loss;
        let by_rows = data.x.by(Side::Rows);
        let scan = scan(data, &*by_rows, Side::Rows, Need::of(loss))?;
        scan.check()?;
        let batch = Self { data, by_rows, loss, scan, own: 0, exponent: 0 };
        if data.is_weighted() && options.rule != Rule::Mu {
            return Err(Error::Conflict {
                first: format!("rule {}", options.rule),
                second: "weights or missing entries".into(),
                reason: "its sums are those of whole rows; mu does without",
            });
        }
        if loss.forbids_zeros() {
            refuse_zeros(
                &observed(data, &*batch.by_rows, Side::Rows, Need::Every),
                Side::Rows,
                loss,
            )?;
        }
        Ok(batch)
    }

    /// The start of W, unless there is none or it is zero throughout.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::Start`].
    pub(super) fn checked(&self, w: Option<Factor<T>>, k: usize) -> Result<Option<Factor<T>>> {
        let Some(w) = w else { return Ok(None) };
        let zero = check_entries("W", &w, self.data.x.shape().0, k)?;
        Ok((!zero).then_some(w))
    }

    /// X in units of its own, H in those of the statistics unless they say little beside this batch.
    ///
    /// # Errors
    /// What the source of X reports.
    pub(super) fn scaled(mut self, statistics: &Statistics<T>) -> Result<Self> {
        let former = statistics.exponent;
        self.own = if self.scan.positive > 0 {
            half_unit(self.data, &*self.by_rows, Side::Rows, (Need::of(self.loss), &self.scan))?
        } else {
            former
        };
        self.loss = self.loss.in_units::<T>(self.own)?;
        let outweighs = self.loss.degree() * f64::from(self.own - former) > 0.0;
        self.exponent = if outweighs || statistics.is_none() { self.own } else { former };
        if self.own != 0 {
            let x = Scaled::new(&*self.by_rows, self.own);
            self.scan = scan(self.data, &x, Side::Rows, Need::of(self.loss))?;
        }
        Ok(self)
    }

    /// Whether every row needs an equation of its own.
    pub(super) fn by_entries(&self) -> bool {
        self.loss != Loss::FROBENIUS || self.data.is_weighted()
    }

    /// X in these units.
    pub(super) fn matrix(&self) -> Scaled<'_, T> {
        Scaled::new(&*self.by_rows, self.own)
    }

    /// `matrix` with the weights.
    pub(super) fn observed<'b>(&'b self, matrix: &'b Scaled<'_, T>) -> Observed<'b, T> {
        observed(self.data, matrix, Side::Rows, Need::of(self.loss))
    }

    /// The exponent of the units of W.
    pub(super) fn of_rows(&self) -> i32 {
        2 * self.own - self.exponent
    }

    /// A penalty of W in these units.
    pub(super) fn penalty(&self, penalty: Penalty) -> Penalty {
        penalty.in_scales((2 * self.own, self.of_rows()), self.loss.degree())
    }

    /// What a unit of the divergence of this batch is in the units of the statistics.
    pub(super) fn weight(&self) -> f64 {
        (2.0 * self.loss.degree() * f64::from(self.own - self.exponent)).exp2()
    }

    /// A divergence in units of X.
    pub(super) fn unscale(&self, divergence: f64) -> f64 {
        self.loss.unscale(divergence, self.own)
    }

    /// Raises zeros from which a multiplicative rule cannot move.
    pub(super) fn raise(&self, rows: &mut Rows<T>, h: &mut Factor<T>) {
        raise_all(h, &self.scan.col_nonzero);
        if !rows.flat {
            raise_all(&mut rows.w, &self.scan.row_nonzero);
        }
    }
}

/// W of the batch.
pub(super) struct Rows<T> {
    pub(super) w: Factor<T>,
    /// Whether each row is yet to be started.
    pub(super) flat: bool,
}

impl<T: Scalar> Rows<T> {
    pub(super) fn new(batch: &Batch<'_, T>, w: Option<Factor<T>>, k: usize) -> Self {
        let flat = w.is_none();
        let mut w = w.unwrap_or_else(|| Factor::zeros(batch.data.x.shape().0, k));
        w.scale_by_power(-batch.of_rows());
        Self { w, flat }
    }
}
