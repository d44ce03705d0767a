//! The second half of an iteration: the other factor follows from C = Xᵀa.

use super::strand::{OtherStep, Strand, add_to};
use super::{Batch, LAST, PANEL_ROWS, USED};
use crate::error::Result;
use crate::factor::{Factor, View, ViewMut};
use crate::kernel::dense::{Accum, Strided, product};
use crate::kernel::extrapolate::extrapolate;
use crate::kernel::kkt::{KktSums, add_rows};
use crate::scalar::Scalar;
use crate::threads;
use crate::update::{Gram, Improve, add_gram};
use std::ops::Range;

impl<T: Scalar> Batch<'_, T> {
    /// The second half of an iteration: `b` from C, with the extrapolation of both factors.
    ///
    /// # Errors
    /// [`Error::Halted`](crate::Error::Halted) if there is no time for it, with the accepted iterate in its place.
    pub(super) fn follow(&mut self) -> Result<()> {
        let (k, problem) = (self.k, self.problem);
        let penalty = problem.penalties.1;
        let steps: Vec<OtherStep<T>> = self.strands.iter_mut().map(Strand::step).collect();
        let ridged: Vec<Gram<T>> = steps.iter().map(|s| s.gram.ridged(penalty.l2)).collect();
        let charge = T::from_f64(penalty.l1);
        let rule = self.rule();
        let ready: Vec<Box<dyn Improve<T> + '_>> =
            ridged.iter().map(|gram| rule.prepare(gram, charge)).collect();
        let rows = self.b[USED].rows();
        let ends: Vec<usize> =
            (0..rows).step_by(PANEL_ROWS).map(|from| rows.min(from + PANEL_ROWS)).collect();
        let [used, plain, best] = &mut self.b;
        let [accepted, last] = &mut self.c;
        let last = last.view();
        let panels = used.view_mut().split_rows(&ends).into_iter();
        let panels = panels.zip(plain.view_mut().split_rows(&ends));
        let panels = panels.zip(best.view_mut().split_rows(&ends));
        let panels = panels.zip(accepted.view_mut().split_rows(&ends)).enumerate();
        let strands = &self.strands;
        let improve = |(at, (((used, plain), best), accepted))| {
            let from = at * PANEL_ROWS;
            let mut panel = OtherPanel { used, plain, best, accepted };
            let mut grams = Vec::with_capacity(steps.len());
            let time = problem.x.go_on();
            for (which, step) in steps.iter().enumerate() {
                let columns = strands[which].columns.clone();
                let height = panel.used.rows();
                let last = last.slice(from..from + height).columns(columns.clone());
                let rule = (!problem.fixed.1 && time.is_ok()).then(|| &*ready[which]);
                panel.advance(step, rule, last, &columns);
                if time.is_err() {
                    continue;
                }
                let used = panel.used.as_view().columns(columns);
                let mut wide = vec![0.0; k * k];
                add_gram(used, used, &mut wide);
                grams.push(wide);
            }
            time.map(|()| grams)
        };
        let grams = threads::map(panels, self.plan.is_serial(), improve);
        drop(ready);
        let grams: Vec<Vec<Vec<f64>>> = grams.into_iter().collect::<Result<_>>()?;
        for (which, strand) in self.strands.iter_mut().enumerate() {
            let mut wide = vec![0.0; k * k];
            grams.iter().for_each(|panel| add_to(&mut wide, &panel[which]));
            strand.gram_b = Gram::new(k, wide);
        }
        Ok(())
    }

    /// What `b` adds to the KKT residual of the pass just made, for every restart.
    pub(super) fn kkt_other(&self) -> Vec<KktSums> {
        let rows = self.b[USED].rows();
        let k = self.k;
        let penalty = self.problem.penalties.1;
        let charge = T::from_f64(penalty.l1);
        let ridged = |s: &Strand<T>| Gram::<T>::new(k, s.sums.gram.clone()).ridged(penalty.l2);
        let grams: Vec<Factor<T>> =
            self.strands.iter().map(|s| Factor::from_rows(k, k, ridged(s).narrow())).collect();
        let panel = |from: usize| {
            let range = from..rows.min(from + PANEL_ROWS);
            let mut along = Factor::zeros(range.len(), k);
            let mut sums = vec![KktSums::default(); grams.len()];
            for (at, sum) in sums.iter_mut().enumerate() {
                let columns = self.strands[at].columns.clone();
                let f = self.b[USED].view().slice(range.clone()).columns(columns.clone());
                let c = self.c[LAST].view().slice(range.clone()).columns(columns);
                product(Strided::of(f), grams[at].view(), &mut along.view_mut(), Accum::Replace);
                let mut c = c;
                let seen;
                if self.imputed.rows() > 0 {
                    let columns = self.strands[at].columns.clone();
                    let imputed = self.imputed.view().slice(range.clone()).columns(columns);
                    subtract(&mut along, imputed);
                    let mut left = c.to_factor();
                    subtract(&mut left, imputed);
                    seen = left;
                    c = seen.view();
                }
                add_rows(sum, f, (along.view(), charge), c);
            }
            sums
        };
        let froms = (0..rows).step_by(PANEL_ROWS);
        let mut sums = vec![KktSums::default(); self.strands.len()];
        for part in threads::map(froms, self.plan.is_serial(), panel) {
            sums.iter_mut().zip(&part).for_each(|(to, from)| to.add(from));
        }
        sums
    }
}

/// Some rows of everything the second half of an iteration touches.
struct OtherPanel<'a, T> {
    used: ViewMut<'a, T>,
    plain: ViewMut<'a, T>,
    best: ViewMut<'a, T>,
    accepted: ViewMut<'a, T>,
}

impl<T: Scalar> OtherPanel<'_, T> {
    fn advance(
        &mut self,
        step: &OtherStep<T>,
        rule: Option<&dyn Improve<T>>,
        last: View<'_, T>,
        columns: &Range<usize>,
    ) {
        let mut used = self.used.columns(columns.clone());
        let mut best = self.best.columns(columns.clone());
        let mut accepted = self.accepted.columns(columns.clone());
        let mut plain = self.plain.columns(columns.clone());
        let mut c = Factor::zeros(last.rows(), last.cols());
        if step.accepted {
            best.copy_from(used.as_view());
            for i in 0..last.rows() {
                let terms = last.row(i).iter().zip(accepted.row(i));
                for (c, (&last, &before)) in c.row_mut(i).iter_mut().zip(terms) {
                    *c = last + step.beta * (last - before);
                }
            }
            accepted.copy_from(last);
        } else {
            used.copy_from(best.as_view());
            c.view_mut().copy_from(accepted.as_view());
        }
        let Some(rule) = rule else { return };
        let mut new = used.as_view().to_factor();
        rule.improve(&mut new.view_mut(), c.view());
        let beta = if step.accepted { step.beta } else { T::ZERO };
        extrapolate(&mut used, new.view(), plain.as_view(), beta);
        plain.copy_from(new.view());
    }
}

/// `from −= what`, no less than 0: a positive part of a gradient without what is not there.
fn subtract<T: Scalar>(from: &mut Factor<T>, what: View<'_, T>) {
    for i in 0..what.rows() {
        let row = from.row_mut(i).iter_mut().zip(what.row(i));
        row.for_each(|(from, &v)| *from = Scalar::max(*from - v, T::ZERO));
    }
}
