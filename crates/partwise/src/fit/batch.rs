//! The state of restarts that run side by side: they are columns of the same wide factors, so one
//! read of X serves them all.
//!
//! The factor with a row for each streamed row of X is called `a` here, the other one `b`.

use super::member::{Member, Problem};
use crate::factor::Factor;
use crate::init::Pair;
use crate::matrix::{Plan, Workspace};
use crate::project::gram_wide;
use crate::scalar::Scalar;
use crate::update::Gram;
use std::ops::Range;

/// Rows of `b` that one task improves.
pub(super) const PANEL_ROWS: usize = 256;

/// Restarts that run side by side.
pub(crate) struct Batch<'a, T: Scalar> {
    pub(super) problem: Problem<'a, T>,
    pub(super) k: usize,
    pub(super) plan: Plan,
    pub(super) workspace: Workspace<T>,
    pub(crate) members: Vec<Member<T>>,
    pub(super) a: [Factor<T>; 2],
    /// `b` as the pass uses it (extrapolated), as the rule left it, and of the accepted iterate.
    pub(super) b: [Factor<T>; 3],
    /// Xᵀa of the accepted iterate and of the last pass.
    pub(super) c: [Factor<T>; 2],
}

// Places in `b` and `c`; the place between USED and BEST is `b` as the rule left it.
pub(super) const USED: usize = 0;
pub(super) const BEST: usize = 2;
pub(super) const LAST: usize = 1;

impl<'a, T: Scalar> Batch<'a, T> {
    pub(crate) fn new(problem: Problem<'a, T>, k: usize, starts: Vec<(usize, Pair<T>)>) -> Self {
        let (rows, cols) = problem.x.shape();
        let width = k * starts.len();
        let plan = Plan::new(problem.x, width);
        let mut a = Factor::zeros(rows, width);
        let mut b = Factor::zeros(cols, width);
        let mut members = Vec::with_capacity(starts.len());
        for (at, (restart, pair)) in starts.into_iter().enumerate() {
            let columns = at * k..(at + 1) * k;
            a.view_mut().columns(columns.clone()).copy_from(pair.streamed.view());
            b.view_mut().columns(columns.clone()).copy_from(pair.other.view());
            members.push(Member::new(
                restart,
                columns,
                problem.rule.momentum(),
                gram_wide(pair.other.view()),
            ));
        }
        Self {
            workspace: Workspace::new(&plan, cols, width),
            a: [a.clone(), a],
            c: [Factor::zeros(cols, width), Factor::zeros(cols, width)],
            b: [b.clone(), b.clone(), b],
            plan,
            problem,
            k,
            members,
        }
    }

    /// After a pass: the objective and the KKT residual of its iterate, and whether to keep it.
    pub(crate) fn judge(&mut self, first: bool) {
        let kkt = self.kkt_other();
        for (member, other) in self.members.iter_mut().zip(kkt) {
            member.judge(&self.problem, other, first);
        }
    }

    /// Takes out the members that have ended, each with its best iterate.
    pub(crate) fn retire(&mut self) -> Vec<(Member<T>, Pair<T>)> {
        let ended: Vec<bool> = self.members.iter().map(|m| m.status.is_some()).collect();
        if !ended.contains(&true) {
            return Vec::new();
        }
        let mut out = Vec::new();
        let mut stay = Vec::new();
        for (mut member, ended) in std::mem::take(&mut self.members).into_iter().zip(ended) {
            if ended {
                let pair = self.iterate(&member);
                let pair = member.best(pair);
                out.push((member, pair));
            } else {
                stay.push(member);
            }
        }
        self.members = stay;
        if !self.members.is_empty() {
            self.compact();
        }
        out
    }

    /// The accepted iterate of a member, before the second half of the iteration.
    fn iterate(&self, member: &Member<T>) -> Pair<T> {
        let b = if member.accepted { USED } else { BEST };
        Pair {
            streamed: self.a[member.current].view().columns(member.columns.clone()).to_factor(),
            other: self.b[b].view().columns(member.columns.clone()).to_factor(),
        }
    }

    /// Keeps only the columns of the members that are left.
    fn compact(&mut self) {
        let columns: Vec<Range<usize>> = self.members.iter().map(|m| m.columns.clone()).collect();
        let width = self.k * columns.len();
        for f in self.a.iter_mut().chain(&mut self.b).chain(&mut self.c) {
            let mut narrow = Factor::zeros(f.rows(), width);
            for (at, from) in columns.iter().enumerate() {
                let to = at * self.k..(at + 1) * self.k;
                narrow.view_mut().columns(to).copy_from(f.view().columns(from.clone()));
            }
            *f = narrow;
        }
        for (at, member) in self.members.iter_mut().enumerate() {
            member.columns = at * self.k..(at + 1) * self.k;
        }
        self.plan = Plan::new(self.problem.x, width);
        self.workspace = Workspace::new(&self.plan, self.b[USED].rows(), width);
    }

    /// Keeps a copy of each iterate that is the best of a rule that can lose it.
    pub(crate) fn keep_best(&mut self) {
        if self.problem.rule.is_monotone() {
            return;
        }
        for at in 0..self.members.len() {
            let member = &self.members[at];
            if member.accepted && member.error <= member.least {
                let kept = (self.iterate(member), member.error, member.kkt);
                self.members[at].kept = Some(kept);
            }
        }
    }

    /// ⟨X, ABᵀ⟩ / ‖ABᵀ‖² of each member after a pass that improved nothing: what both factors
    /// together must be multiplied by to fit best.
    pub(crate) fn scales(&self) -> Vec<f64> {
        let scale = |m: &Member<T>| {
            let own = Gram::<T>::new(self.k, m.sums.gram.clone()).dot(&m.gram_b);
            if own > 0.0 { m.sums.kkt.cross / own } else { 0.0 }
        };
        self.members.iter().map(scale).collect()
    }

    /// Multiplies both factors of each member by its number, before the first pass.
    pub(crate) fn rescale(&mut self, scales: &[f64]) {
        for (member, &scale) in self.members.iter_mut().zip(scales) {
            let columns = member.columns.clone();
            for f in self.a.iter_mut().chain(&mut self.b) {
                for i in 0..f.rows() {
                    let row = &mut f.row_mut(i)[columns.clone()];
                    row.iter_mut().for_each(|v| *v *= T::from_f64(scale));
                }
            }
            member.gram_b = Gram::new(self.k, gram_wide(self.b[USED].view().columns(columns)));
        }
    }
}
