//! The first half of an iteration: one read of X improves the streamed factor.

use super::batch::{Batch, LAST, USED};
use super::member::{Member, Sums};
use crate::error::Result;
use crate::factor::{Factor, View, ViewMut};
use crate::kernel::dense::{Accum, Strided, product};
use crate::kernel::extrapolate::extrapolate;
use crate::kernel::kkt::add_rows;
use crate::matrix::{Block, pass};
use crate::project::add_gram;
use crate::scalar::Scalar;
use crate::update::Improve;

impl<T: Scalar> Batch<'_, T> {
    /// The first half of an iteration: one read of X improves `a` and gives C = Xᵀa. Without
    /// `improve`, `a` stays as it is and only the sums are formed.
    pub(crate) fn sweep_streamed(&mut self, improve: bool) -> Result<()> {
        let k = self.k;
        let improve = improve && !self.problem.fixed.0;
        let ready: Vec<Box<dyn Improve<T> + '_>> =
            self.members.iter().map(|m| self.problem.rule.prepare(&m.gram_b)).collect();
        let along: Vec<Factor<T>> =
            self.members.iter().map(|m| Factor::from_rows(k, k, m.gram_b.narrow())).collect();
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
                sums: vec![Sums::zeros(k); self.members.len()],
            })
            .collect();
        let (members, problem, used) = (&self.members, self.problem, &self.b[USED]);
        let work = |state: &mut BinState<'_, T>, mut block: Block<'_, T>| {
            for (at, member) in members.iter().enumerate() {
                let rule = improve.then(|| &*ready[at]);
                let task = RowTask { member, rule, along: along[at].view(), b: used.view() };
                task.run(state, at, &mut block);
            }
        };
        let c = Some(&mut self.c[LAST]);
        pass(problem.x, &self.plan, &mut self.workspace, used.view(), c, &mut bins, &work)?;
        let mut sums = vec![Sums::zeros(k); self.members.len()];
        for bin in &bins {
            sums.iter_mut().zip(&bin.sums).for_each(|(to, from)| to.add(from));
        }
        drop((bins, ready));
        for (member, sums) in self.members.iter_mut().zip(sums) {
            member.sums = sums;
        }
        Ok(())
    }
}

struct BinState<'a, T> {
    a: [ViewMut<'a, T>; 2],
    start: usize,
    sums: Vec<Sums>,
}

/// The rows of one block for one member.
struct RowTask<'a, T: Scalar> {
    member: &'a Member<T>,
    rule: Option<&'a dyn Improve<T>>,
    along: View<'a, T>,
    b: View<'a, T>,
}

impl<T: Scalar> RowTask<'_, T> {
    fn run(&self, state: &mut BinState<'_, T>, at: usize, block: &mut Block<'_, T>) {
        let columns = self.member.columns.clone();
        let height = block.rows.len();
        let local = block.rows.start - state.start;
        let rows = local..local + height;
        let [first, second] = &mut state.a;
        let (now, before) =
            if self.member.current == 0 { (first, second) } else { (second, first) };
        let now = now.as_view().slice(rows.clone()).columns(columns.clone());
        let mut before = before.slice(rows);
        let mut before = before.columns(columns.clone());
        let b = block.b.columns(columns.clone());
        let mut out = block.out.columns(columns.clone());
        if let Some(rule) = self.rule {
            extrapolate(&mut out, now, before.as_view(), T::from_f64(self.member.beta()));
            rule.improve(&mut out, b);
        } else {
            out.copy_from(now);
        }
        let sums = &mut state.sums[at];
        let new = out.as_view();
        self.add_statistics(sums, new, b);
        add_gram(new, new, &mut sums.gram);
        if self.member.momentum.is_some() {
            add_gram(new, now, &mut sums.cross);
        }
        if self.member.direct {
            let b = self.b.columns(columns);
            sums.residual += block.panel.residual_sq(new, b, self.member.gram_b.wide(), 1.0);
        }
        before.copy_from(new);
    }

    fn add_statistics(&self, sums: &mut Sums, new: View<'_, T>, b: View<'_, T>) {
        let mut along = Factor::zeros(new.rows(), new.cols());
        product(Strided::of(new), self.along, &mut along.view_mut(), Accum::Replace);
        add_rows(&mut sums.kkt, new, along.view(), b);
    }
}
