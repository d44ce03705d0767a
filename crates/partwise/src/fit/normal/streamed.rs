//! The first half of an iteration: one read of X improves the streamed factor.

use super::strand::{Strand, Sums};
use super::{Batch, LAST, USED};
use crate::error::Result;
use crate::factor::{Factor, View, ViewMut};
use crate::kernel::dense::{Accum, Strided, product};
use crate::kernel::extrapolate::extrapolate;
use crate::kernel::impute::{Sign, impute};
use crate::kernel::kkt::add_rows;
use crate::matrix::{Block, Missing, add_up, pass};
use crate::scalar::Scalar;
use crate::update::{Gram, Improve, add_gram};

impl<T: Scalar> Batch<'_, T> {
    /// The first half of an iteration: one read of X improves `a` and gives C = Xᵀa. Without
    /// `improve`, `a` stays as it is and only the sums are formed.
    pub(super) fn pass(&mut self, improve: bool) -> Result<()> {
        let k = self.k;
        let improve = improve && !self.problem.fixed.0;
        let penalty = self.problem.penalties.0;
        let charge = T::from_f64(penalty.l1);
        let grams: Vec<Gram<T>> =
            self.strands.iter().map(|s| s.gram_b.ridged(penalty.l2)).collect();
        let rule = self.rule();
        let ready: Vec<Box<dyn Improve<T> + '_>> =
            grams.iter().map(|gram| rule.prepare(gram, charge)).collect();
        let along: Vec<Factor<T>> =
            grams.iter().map(|gram| Factor::from_rows(k, k, gram.narrow())).collect();
        let ends = self.plan.ends();
        let (missing, n) = (self.problem.missing.is_some(), self.b[USED].rows());
        let width = self.b[USED].cols();
        let [first, second] = &mut self.a;
        let chunks =
            first.view_mut().split_rows(&ends).into_iter().zip(second.view_mut().split_rows(&ends));
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let mut bins: Vec<BinState<'_, T>> = chunks
            .zip(starts)
            .map(|((first, second), start)| BinState {
                a: [first, second],
                start,
                sums: vec![Sums::zeros(k); self.strands.len()],
                imputed: Factor::zeros(if missing { n } else { 0 }, width),
                scratch: Factor::zeros(0, k),
            })
            .collect();
        let (strands, problem, used) = (&self.strands, self.problem, &self.b[USED]);
        let work = |state: &mut BinState<'_, T>, mut block: Block<'_, T>| {
            for (at, strand) in strands.iter().enumerate() {
                let rule = improve.then(|| &*ready[at]);
                let along = (along[at].view(), charge);
                let missing = problem.missing;
                let task = RowTask { strand, rule, along, b: used.view(), missing };
                task.run(state, at, &mut block);
            }
        };
        let c = Some(&mut self.c[LAST]);
        pass(problem.x, &self.plan, &mut self.workspace, used.view(), c, &mut bins, &work)?;
        let mut sums = vec![Sums::zeros(k); self.strands.len()];
        for bin in &bins {
            sums.iter_mut().zip(&bin.sums).for_each(|(to, from)| to.add(from));
        }
        if missing {
            let imputed: Vec<&Factor<T>> = bins.iter().map(|bin| &bin.imputed).collect();
            add_up(&imputed, &mut self.imputed, self.plan.is_serial());
            self.c[LAST].add(&self.imputed);
        }
        drop((bins, ready));
        for (strand, sums) in self.strands.iter_mut().zip(sums) {
            strand.sums = sums;
        }
        Ok(())
    }
}

struct BinState<'a, T> {
    a: [ViewMut<'a, T>; 2],
    start: usize,
    sums: Vec<Sums>,
    /// What this bin adds to C for missing entries.
    imputed: Factor<T>,
    /// Room for the rows of a block.
    scratch: Factor<T>,
}

/// The rows of one block for one restart.
struct RowTask<'a, T: Scalar> {
    strand: &'a Strand<T>,
    rule: Option<&'a dyn Improve<T>>,
    /// The Gram matrix and the charge under which the rows are improved.
    along: (View<'a, T>, T),
    b: View<'a, T>,
    missing: Option<&'a Missing>,
}

impl<T: Scalar> RowTask<'_, T> {
    fn run(&self, state: &mut BinState<'_, T>, at: usize, block: &mut Block<'_, T>) {
        let columns = self.strand.columns.clone();
        let height = block.rows.len();
        let local = block.rows.start - state.start;
        let rows = local..local + height;
        let [first, second] = &mut state.a;
        let (now, before) =
            if self.strand.current == 0 { (first, second) } else { (second, first) };
        let now = now.as_view().slice(rows.clone()).columns(columns.clone());
        let mut before = before.slice(rows);
        let mut before = before.columns(columns.clone());
        let b = block.b.columns(columns.clone());
        let mut out = block.out.columns(columns.clone());
        if let Some(rule) = self.rule {
            extrapolate(&mut out, now, before.as_view(), T::from_f64(self.strand.member.beta()));
            match self.missing {
                None => rule.improve(&mut out, b),
                Some(missing) => {
                    let filled = &mut state.scratch;
                    filled.reshape(height, columns.len());
                    filled.view_mut().copy_from(b);
                    let held = self.b.columns(columns.clone());
                    let places = missing.rows(block.rows.clone());
                    let m = (Sign::Plus, &mut filled.view_mut());
                    impute(places, (out.as_view(), held), m, None);
                    rule.improve(&mut out, filled.view());
                }
            }
        } else {
            out.copy_from(now);
        }
        let sums = &mut state.sums[at];
        let new = out.as_view();
        let along = &mut state.scratch;
        along.reshape(height, columns.len());
        product(Strided::of(new), self.along.0, &mut along.view_mut(), Accum::Replace);
        if let Some(missing) = self.missing {
            // The product with the Gram matrix counts missing entries, too.
            let held = self.b.columns(columns.clone());
            let places = missing.rows(block.rows.clone());
            let mut c = state.imputed.view_mut();
            let c = Some(&mut c.columns(columns.clone()));
            let m = (Sign::Minus, &mut along.view_mut());
            sums.imputed += impute(places, (new, held), m, c);
        }
        add_rows(&mut sums.kkt, new, (along.view(), self.along.1), b);
        add_gram(new, new, &mut sums.gram);
        if self.strand.member.momentum.is_some() {
            add_gram(new, now, &mut sums.cross);
        }
        if self.strand.direct {
            let b = self.b.columns(columns);
            sums.residual += block.panel.residual_sq(new, b, self.strand.gram_b.wide(), 1.0);
        }
        before.copy_from(new);
    }
}
