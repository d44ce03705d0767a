//! The first half of an iteration: one read of X improves the streamed factor.

use super::strand::{Strand, Sums};
use super::{Batch, LAST, USED};
use crate::error::Result;
use crate::factor::{Factor, View, ViewMut};
use crate::kernel::dense::{Accum, Strided, product};
use crate::kernel::extrapolate::extrapolate;
use crate::kernel::kkt::add_rows;
use crate::matrix::{Block, pass};
use crate::scalar::Scalar;
use crate::update::{add_gram, Gram, Improve};

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
        let ready: Vec<Box<dyn Improve<T> + '_>> =
            grams.iter().map(|gram| self.problem.rule.prepare(gram, charge)).collect();
        let along: Vec<Factor<T>> =
            grams.iter().map(|gram| Factor::from_rows(k, k, gram.narrow())).collect();
        let ends = self.plan.ends();
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
            })
            .collect();
        let (strands, problem, used) = (&self.strands, self.problem, &self.b[USED]);
        let work = |state: &mut BinState<'_, T>, mut block: Block<'_, T>| {
            for (at, strand) in strands.iter().enumerate() {
                let rule = improve.then(|| &*ready[at]);
                let along = (along[at].view(), charge);
                let task = RowTask { strand, rule, along, b: used.view() };
                task.run(state, at, &mut block);
            }
        };
        let c = Some(&mut self.c[LAST]);
        pass(problem.x, &self.plan, &mut self.workspace, used.view(), c, &mut bins, &work)?;
        let mut sums = vec![Sums::zeros(k); self.strands.len()];
        for bin in &bins {
            sums.iter_mut().zip(&bin.sums).for_each(|(to, from)| to.add(from));
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
}

/// The rows of one block for one restart.
struct RowTask<'a, T: Scalar> {
    strand: &'a Strand<T>,
    rule: Option<&'a dyn Improve<T>>,
    /// The Gram matrix and the charge under which the rows are improved.
    along: (View<'a, T>, T),
    b: View<'a, T>,
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
            rule.improve(&mut out, b);
        } else {
            out.copy_from(now);
        }
        let sums = &mut state.sums[at];
        let new = out.as_view();
        self.add_statistics(sums, new, b);
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

    fn add_statistics(&self, sums: &mut Sums, new: View<'_, T>, b: View<'_, T>) {
        let mut along = Factor::zeros(new.rows(), new.cols());
        product(Strided::of(new), self.along.0, &mut along.view_mut(), Accum::Replace);
        add_rows(&mut sums.kkt, new, (along.view(), self.along.1), b);
    }
}
