//! The course by normal equations, for the Frobenius loss: B = X·b and the Gram matrix of b are all
//! that the rows of a need, and the other way round.
//!
//! Restarts that run side by side are columns of the same wide factors, so one read of X serves them
//! all.
//!
//! The factor with a row for each streamed row of X is called `a` here, the other one `b`.

mod other;
mod revive;
mod strand;
mod streamed;

pub(super) use strand::Problem;

use super::course::{Course, Opening};
use super::result::residual_sq;
use super::{Ended, Member};
use crate::error::Result;
use crate::factor::Factor;
use crate::init::Pair;
use crate::matrix::{Plan, Workspace};
use crate::scalar::Scalar;
use crate::update::{Gram, Update, gram_wide};
use std::ops::Range;
use strand::{Estimate, Strand};

/// Rows of `b` that one task improves.
const PANEL_ROWS: usize = 256;

/// Restarts that run side by side.
pub(super) struct Batch<'a, T: Scalar> {
    problem: Problem<'a, T>,
    k: usize,
    plan: Plan,
    workspace: Workspace<T>,
    strands: Vec<Strand<T>>,
    /// Passes that improved something.
    steps: usize,
    a: [Factor<T>; 2],
    /// `b` as the pass uses it (extrapolated), as the rule left it, and of the accepted iterate.
    b: [Factor<T>; 3],
    /// Xᵀa of the accepted iterate and of the last pass.
    c: [Factor<T>; 2],
    /// What the fit puts at missing entries, times a: part of the last C. Empty if none is missing.
    imputed: Factor<T>,
}

// Places in `b` and `c`; the place between USED and BEST is `b` as the rule left it.
const USED: usize = 0;
const BEST: usize = 2;
const LAST: usize = 1;

impl<'a, T: Scalar> Batch<'a, T> {
    pub(super) fn new(problem: Problem<'a, T>, k: usize, starts: Vec<(usize, Pair<T>)>) -> Self {
        let (rows, cols) = problem.x.shape();
        let width = k * starts.len();
        let plan = Plan::new(problem.x, width);
        let mut a = Factor::zeros(rows, width);
        let mut b = Factor::zeros(cols, width);
        let mut strands = Vec::with_capacity(starts.len());
        for (at, (restart, pair)) in starts.into_iter().enumerate() {
            let columns = at * k..(at + 1) * k;
            a.view_mut().columns(columns.clone()).copy_from(pair.streamed.view());
            b.view_mut().columns(columns.clone()).copy_from(pair.other.view());
            let member =
                Member::new(restart, problem.rule.momentum(), problem.opening.judgements());
            strands.push(Strand::new(member, columns, gram_wide(pair.other.view())));
        }
        Self {
            workspace: Workspace::new(&plan, cols, width),
            a: [a.clone(), a],
            c: [Factor::zeros(cols, width), Factor::zeros(cols, width)],
            imputed: Factor::zeros(if problem.missing.is_some() { cols } else { 0 }, width),
            b: [b.clone(), b.clone(), b],
            plan,
            problem,
            k,
            strands,
            steps: 0,
        }
    }

    /// The rule of this iteration.
    fn rule(&self) -> &'a dyn Update<T> {
        let Problem { rule, plain, opening, .. } = self.problem;
        if opening.covers(self.steps) { plain } else { rule }
    }

    /// The accepted iterate of a restart, before the second half of the iteration.
    fn iterate(&self, strand: &Strand<T>) -> Pair<T> {
        self.pair(strand, if strand.member.accepted { USED } else { BEST })
    }

    /// The current `a` of a restart and one of its `b`.
    fn pair(&self, strand: &Strand<T>, b: usize) -> Pair<T> {
        Pair {
            streamed: self.a[strand.current].view().columns(strand.columns.clone()).to_factor(),
            other: self.b[b].view().columns(strand.columns.clone()).to_factor(),
        }
    }

    /// The divergence of each iterate of the last pass. One that its sums cannot tell is measured by a
    /// read of X, so that all that are compared are told apart.
    fn measure(&self) -> Result<Vec<Estimate>> {
        let measure = |strand: &Strand<T>| {
            let columns = strand.columns.clone();
            if let Some(measured) = strand.measured(&self.problem) {
                return Ok(measured);
            }
            let a = self.a[1 - strand.current].view().columns(columns.clone());
            let residual = residual_sq(self.problem.x, a, self.b[USED].view().columns(columns))?;
            Ok(strand.of_residual(&self.problem, residual))
        };
        self.strands.iter().map(measure).collect()
    }

    /// Keeps only the columns of the restarts that are left.
    fn compact(&mut self) {
        let columns: Vec<Range<usize>> = self.strands.iter().map(|s| s.columns.clone()).collect();
        let width = self.k * columns.len();
        let kept = self.a.iter_mut().chain(&mut self.b).chain(&mut self.c);
        for f in kept.chain([&mut self.imputed]) {
            let mut narrow = Factor::zeros(f.rows(), width);
            for (at, from) in columns.iter().enumerate() {
                let to = at * self.k..(at + 1) * self.k;
                narrow.view_mut().columns(to).copy_from(f.view().columns(from.clone()));
            }
            *f = narrow;
        }
        for (at, strand) in self.strands.iter_mut().enumerate() {
            strand.columns = at * self.k..(at + 1) * self.k;
        }
        self.plan = Plan::new(self.problem.x, width);
        self.workspace = Workspace::new(&self.plan, self.b[USED].rows(), width);
    }

    /// ⟨X, ABᵀ⟩ / ‖ABᵀ‖² of each restart after a pass that improved nothing: what both factors
    /// together must be multiplied by to fit best.
    pub(super) fn scales(&self) -> Vec<f64> {
        let scale = |s: &Strand<T>| {
            let own = Gram::<T>::new(self.k, s.sums.gram.clone()).dot(&s.gram_b) - s.sums.imputed;
            if own > 0.0 { s.sums.kkt.cross / own } else { 0.0 }
        };
        self.strands.iter().map(scale).collect()
    }

    /// Multiplies both factors of each restart by its number, before the first pass.
    pub(super) fn rescale(&mut self, scales: &[f64]) {
        for (strand, &scale) in self.strands.iter_mut().zip(scales) {
            let columns = strand.columns.clone();
            for f in self.a.iter_mut().chain(&mut self.b) {
                for i in 0..f.rows() {
                    let row = &mut f.row_mut(i)[columns.clone()];
                    row.iter_mut().for_each(|v| *v *= T::from_f64(scale));
                }
            }
            strand.gram_b = Gram::new(self.k, gram_wide(self.b[USED].view().columns(columns)));
        }
    }
}

impl<T: Scalar> Course<T> for Batch<'_, T> {
    fn opening(&self) -> Opening {
        self.problem.opening
    }

    fn members(&mut self) -> Vec<&mut Member<T>> {
        self.strands.iter_mut().map(|s| &mut s.member).collect()
    }

    fn sweep_streamed(&mut self, improve: bool) -> Result<()> {
        self.steps += usize::from(improve);
        self.pass(improve)
    }

    fn judge(&mut self, first: bool) -> Result<()> {
        // All are measured before any is judged: a read that is left leaves them as they were.
        let measured = self.measure()?;
        let kkt = self.kkt_other();
        for ((strand, measured), other) in self.strands.iter_mut().zip(measured).zip(kkt) {
            strand.judge(&self.problem, measured, other, first);
        }
        Ok(())
    }

    fn keep_best(&mut self) {
        if self.problem.rule.is_monotone() {
            return;
        }
        for at in 0..self.strands.len() {
            if self.strands[at].member.is_best() {
                let pair = self.iterate(&self.strands[at]);
                self.strands[at].member.keep(pair);
            }
        }
    }

    fn is_unfinished(&self, member: usize) -> bool {
        self.strands[member].dead(&self.problem).is_some()
    }

    fn abandon(&mut self) {
        self.strands.iter_mut().for_each(|s| s.member.accepted = false);
    }

    fn retire(&mut self) -> Result<Vec<Ended<T>>> {
        if self.strands.iter().all(|s| s.member.status.is_none()) {
            return Ok(Vec::new());
        }
        let (mut out, mut stay) = (Vec::new(), Vec::new());
        for mut strand in std::mem::take(&mut self.strands) {
            if strand.member.status.is_some() {
                let pair = self.iterate(&strand);
                let pair = strand.member.best(pair);
                out.push((strand.member, pair));
            } else {
                stay.push(strand);
            }
        }
        self.strands = stay;
        if !self.strands.is_empty() {
            self.compact();
        }
        Ok(out)
    }

    fn sweep_other(&mut self) -> Result<()> {
        self.follow()
    }

    fn revive(&mut self) -> Result<()> {
        // Plain iterations leave it to the other components whether one comes back.
        if self.problem.opening.covers(self.steps) { Ok(()) } else { self.reseed_dead() }
    }

    fn drop_charged(&mut self) {
        self.clear_charged();
    }
}
