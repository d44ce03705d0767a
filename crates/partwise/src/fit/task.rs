//! A fit under way: X looked at and checked, and what the courses and the result ask of it.

use super::begin::{raise_all, start_units};
use super::course::Opening;
use super::observe::Observer;
use super::remarks::remarks;
use super::ridge::Charges;
use super::way::{Way, half_unit, observed, scan};
use super::{Options, Watch, entries};
use crate::error::{Error, Result};
use crate::init::Pair;
use crate::loss::Loss;
use crate::matrix::{Data, Halt, Need, Scaled, Scan, Side, Streamed, power};
use crate::penalty::Penalty;
use crate::scalar::Scalar;
use crate::update::Rule;
use crate::warning::Warning;
use std::sync::Arc;
use std::time::Instant;

/// Share of positive entries up to which a dense X is listed: gathering what a row meets of the other
/// factor costs about a third of the sweeps over it.
const LISTED_BELOW: f64 = 0.25;

/// Entries of a copy of sparse X by its other side, at most. A fit by entries keeps two iterates of the
/// longer factor and three of the shorter one; a copy as large as the longer factor makes that three
/// pairs. Under the Frobenius loss a pass is so short that turning X would be felt.
pub(super) fn room<T: Scalar>(data: &Data<'_, T>, options: &Options<T>) -> usize {
    if options.loss == Loss::FROBENIUS {
        return usize::MAX;
    }
    let (rows, cols) = data.x.shape();
    let factor = rows.max(cols).saturating_mul(options.rank * size_of::<T>());
    factor / (size_of::<u32>() + size_of::<T>())
}

/// A fit under way.
pub(super) struct Task<'a, T: Scalar> {
    pub(super) data: &'a Data<'a, T>,
    pub(super) options: &'a Options<T>,
    pub(super) way: Way,
    pub(super) rule: Rule,
    pub(super) streamed: Streamed<'a, T>,
    /// Of the streamed matrix times 2^(−2·half), weighed.
    pub(super) scan: Scan,
    pub(super) half: i32,
    /// The loss, as the matrix times 2^(−2·half) has it.
    pub(super) loss: Loss,
    /// Exponents by which the factors of a start that was given are multiplied.
    pub(super) start_units: (i32, i32),
    /// The exponent by which the weights were divided.
    pub(super) weight_unit: i32,
    pub(super) began: Instant,
    /// That of `data`.
    pub(super) halt: Arc<Halt>,
    pub(super) charges: Charges,
    pub(super) warnings: Vec<Warning>,
}

impl<'a, T: Scalar> Task<'a, T> {
    pub(super) fn new(
        data: &'a Data<'a, T>,
        options: &'a Options<T>,
        (began, halt, weight_unit): (Instant, Arc<Halt>, i32),
    ) -> Result<Self> {
        let streamed = data.x.streamed(room(data, options));
        let side = streamed.side;
        let way = Way::of(data, options.loss, &streamed)?;
        let rule = way.rule(data, options)?;
        let every = way.need(options.loss);
        let scan = scan(data, &*streamed.matrix, side, every)?;
        let turned = |scan: &Scan| match side {
            Side::Rows => scan.clone(),
            Side::Columns => scan.clone().transposed(),
        };
        turned(&scan).check()?;
        let half = half_unit(data, &*streamed.matrix, side, (every, &scan))?;
        let loss = options.loss.in_units::<T>(half)?;
        let warnings = remarks(data, options, &scan, side);
        let charges = Charges::given(options);
        let start_units = start_units(options, side, half);
        let mut task = Self {
            data,
            options,
            way,
            rule,
            streamed,
            scan,
            half,
            loss,
            start_units,
            weight_unit,
            charges,
            warnings,
            began,
            halt,
        };
        if start_units != (0, 0) {
            let (w, h) =
                if side == Side::Rows { start_units } else { (start_units.1, start_units.0) };
            task.warnings.push(Warning::StartScaled { w, h });
        }
        if task.by_entries() {
            task.check_by_entries()?;
        }
        if half != 0 {
            let before = task.scan.positive;
            let scaled = Scaled::new(&*task.streamed.matrix, half);
            task.scan = self::scan(data, &scaled, side, every)?;
            let count = before - task.scan.positive;
            if count > 0 {
                let largest = task.scan.max * power(half) * power(half);
                task.warnings.push(Warning::Underflow { count, largest });
            }
        }
        task.charges = Charges::of(&task)?;
        Ok(task)
    }

    /// Whether every row needs an equation of its own.
    pub(super) fn by_entries(&self) -> bool {
        matches!(self.way, Way::Entries)
    }

    /// What a rule or a loss by entries cannot have.
    fn check_by_entries(&self) -> Result<()> {
        let (rule, loss) = (self.rule, self.options.loss);
        if !rule.works_by_entries() {
            return Err(Error::Conflict {
                first: format!("rule {rule}"),
                second: "weights, or so many missing entries".into(),
                reason: "it needs one Gram matrix for all rows; hals, bpp and mu do without",
            });
        }
        let side = self.streamed.side;
        let x = observed(self.data, &*self.streamed.matrix, side, Need::of(loss));
        if self.scan.positive == 0 {
            entries::refuse_nothing(&x)?;
        }
        if loss.forbids_zeros() {
            entries::refuse_zeros(&x, side, loss)?;
        }
        Ok(())
    }

    pub(super) fn watch<'o>(&'o self, null: f64, observer: &'o mut dyn Observer) -> Watch<'o, T> {
        Watch {
            options: self.options,
            tol: self.options.tol,
            max_iter: self.options.max_iter,
            until: self.options.until,
            null,
            magnitude: self.magnitude(null),
            began: self.began,
            halt: &self.halt,
            observer,
            ended: 0,
            least: (f64::INFINITY, f64::INFINITY),
        }
    }

    pub(super) fn remark_on_locked(&self, locks: bool, count: usize, warnings: &mut Vec<Warning>) {
        if locks && count > 0 {
            warnings.push(Warning::LockedZeros { count, rule: self.rule.name() });
        }
    }

    /// Which zeros the steps by entries need: under KL none, and a dense X with many is better listed.
    pub(super) fn need(&self) -> Need {
        let (rows, cols) = self.data.x.shape();
        let share = self.scan.positive as f64 / (rows as f64 * cols as f64);
        let weighted = self.data.is_weighted();
        let short = u32::try_from(rows.max(cols)).is_ok();
        let list = self.rule == Rule::Sn && !weighted && short && share <= LISTED_BELOW;
        if list { Need::Positive } else { self.way.need(self.options.loss) }
    }

    /// Raises the zeros of a start that is not held, under a loss where they could be infinite.
    pub(super) fn raise_zeros(&self, pair: &mut Pair<T>) -> usize {
        // Where neither divergence nor gradient becomes infinite, a zero may be meant.
        if self.loss.is_tame_at_zero() {
            return 0;
        }
        let (fixed, scan) = (self.fixed(), &self.scan);
        let own = if fixed.0 { 0 } else { raise_all(&mut pair.streamed, &scan.row_nonzero) };
        own + if fixed.1 { 0 } else { raise_all(&mut pair.other, &scan.col_nonzero) }
    }

    /// Whether the start is made rather than given.
    pub(super) fn is_made(&self) -> bool {
        self.options.w.is_none() && self.options.h.is_none()
    }

    /// Whether the streamed and the other factor are held.
    pub(super) fn fixed(&self) -> (bool, bool) {
        let is_fixed = |of: Side| self.options.fixed == Some(of);
        (is_fixed(self.streamed.side), is_fixed(self.streamed.side.opposite()))
    }

    /// How the iterations begin.
    pub(super) fn opening(&self) -> Opening {
        let plain = self.options.plain;
        let other_first = plain > 0 && self.streamed.side == Side::Columns;
        Opening { plain, other_first, cautious: self.charges.cautious }
    }

    /// Penalties of the streamed and of the other factor, in units of the scaled X.
    pub(super) fn penalties(&self) -> (Penalty, Penalty) {
        let scales = (2 * self.half, self.half);
        let in_units = |p: Penalty| {
            p.in_units_of_weights(self.weight_unit).in_scales(scales, self.loss.degree())
        };
        let (w, h) = (in_units(self.charges.w), in_units(self.charges.h));
        if self.streamed.side == Side::Rows { (w, h) } else { (h, w) }
    }

    /// The mean of X, if no entry counts for more than another.
    pub(super) fn mean(&self) -> Option<f64> {
        let (rows, cols) = self.data.x.shape();
        (!self.data.is_weighted()).then(|| self.scan.sum / (rows as f64 * cols as f64))
    }

    /// The size of the terms that the divergence is a difference of.
    pub(super) fn magnitude(&self, null: f64) -> f64 {
        let Scan { sum, norm_sq, .. } = self.scan;
        match (self.loss, self.loss.delta()) {
            (Loss::KL, _) => null.max(sum),
            // Twice Huber's loss is less than 2δ|r| and r².
            (_, Some(delta)) => null.max(norm_sq.min(delta * sum)),
            _ => null,
        }
    }
}
