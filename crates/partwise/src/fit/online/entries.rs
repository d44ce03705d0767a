//! A batch by entries: any loss, weights, missing entries.

use super::batch::Batch;
use super::statistics::Found;
use super::{OnlineOptions, Step};
use crate::error::Result;
use crate::factor::{Factor, ViewMut};
use crate::fit::entries::{Following, Sweep, flat_rows, kkt_of};
use crate::loss::Loss;
use crate::matrix::{Matrix, Observations, Plan};
use crate::penalty::Penalty;
use crate::scalar::Scalar;
use crate::update::{EntryRule, Held, Ratio, Terms, Wanted, evaluate, evaluate_gradient};

/// Improves `w`, or finds it; what `h` follows from.
///
/// # Errors
/// What the source of X reports.
pub(super) fn rows<T: Scalar>(
    batch: &Batch<'_, T>,
    h: &Factor<T>,
    w: &mut Factor<T>,
    flat: bool,
    (options, step): (&OnlineOptions, &Step),
) -> Result<Found<T>> {
    let loss = batch.loss;
    let (iterations, tol) = (step.w_iterations, step.w_tol);
    let matrix = batch.matrix();
    let x = batch.observed(&matrix);
    let rule = Repeated { ratio: Ratio { loss }, iterations, tol, flat, x: &x };
    let plan = Plan::new(&x, h.cols());
    let mut following = Following::new(&x, h.cols(), loss);
    let penalty = batch.penalty(options.w_penalty);
    let sweep =
        Sweep { x: &x, plan: &plan, loss, rule: Some(&rule), penalty, wanted: Wanted::BOTH };
    let divergence = sweep.run(h.view(), w, Some(&mut following))?.divergence;
    // Of rows that were left early.
    x.go_on()?;
    let (num, den) = following.into_parts();
    Ok(Found { divergence, num, den })
}

/// Multiplicative updates of a block of rows until they are good enough.
struct Repeated<'a, T: Scalar> {
    ratio: Ratio,
    iterations: usize,
    tol: f64,
    /// Whether the rows begin with equal entries.
    flat: bool,
    /// Where the rows are from.
    x: &'a dyn Matrix<T>,
}

impl<T: Scalar> EntryRule<T> for Repeated<'_, T> {
    fn improve(
        &self,
        block: &Observations<T>,
        held: &Held<'_, T>,
        penalty: Penalty,
        f: &mut ViewMut<'_, T>,
        terms: &mut Terms<T>,
    ) {
        if self.flat {
            flat_rows(Loss::KL, block, held, f, terms);
        }
        for done in 0..=self.iterations {
            let last = done == self.iterations || self.x.go_on().is_err();
            // Which one will be the last is known beforehand only if all are made.
            let early = !last && self.tol == 0.0;
            let evaluate = if early { evaluate_gradient } else { evaluate };
            evaluate(self.ratio.loss, block, held, f.as_view(), terms);
            if last || (self.tol > 0.0 && kkt_of(f.as_view(), terms, penalty) <= self.tol) {
                break;
            }
            for i in 0..f.rows() {
                self.ratio.multiply(f.row_mut(i), terms.num.row(i), terms.den.row(i), penalty);
            }
        }
    }

    fn follows(&self) -> bool {
        true
    }
}
