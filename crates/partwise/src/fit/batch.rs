//! The state of restarts that run side by side: they are columns of the same wide factors, so one
//! read of X serves them all.
//!
//! The factor with a row for each streamed row of X is called `a` here, the other one `b`.

use super::momentum::Momentum;
use super::outcome::{Record, Status};
use crate::error::Result;
use crate::factor::{Factor, View, ViewMut};
use crate::init::Pair;
use crate::kernel::dense::{Accum, Strided, gram, product};
use crate::kernel::extrapolate::extrapolate;
use crate::kernel::kkt::{KktSums, add_rows};
use crate::matrix::{Block, Matrix, Plan, Workspace, pass};
use crate::metric::Kkt;
use crate::scalar::Scalar;
use crate::update::{Gram, Improve, Update};
use rayon::prelude::*;
use std::ops::Range;

/// Rows of `b` that one task improves.
const PANEL_ROWS: usize = 256;
/// The usual expansion of the objective is good to this many units of roundoff of ‖X‖².
const EXPANSION_NOISE: f64 = 8.0;
/// Below this many times its noise the expansion gives way to the residual itself.
const DIRECT_BELOW: f64 = 20.0;
/// A component may be started again this often.
const RESEEDS: usize = 3;

/// One restart.
pub(crate) struct Member<T> {
    pub(crate) restart: usize,
    columns: Range<usize>,
    /// Which of the two `a` factors holds the accepted iterate; the other one holds that before it.
    current: usize,
    /// ‖X − ABᵀ‖² of the accepted iterate, and the least so far.
    pub(crate) error: f64,
    least: f64,
    least_is_direct: bool,
    pub(crate) kkt: Kkt,
    momentum: Option<Momentum>,
    accepted: bool,
    /// Accepted iterates since the start, or since a component was started again.
    run: usize,
    direct: bool,
    /// Gram of the accepted `a`, of `b` as the next pass will use it.
    gram_a: Vec<f64>,
    gram_b: Gram<T>,
    sums: Sums,
    reseeds: Vec<usize>,
    pub(crate) reseeded: usize,
    pub(crate) rose: usize,
    pub(crate) status: Option<Status>,
    pub(crate) history: Vec<Record>,
    /// The best iterate of a rule that can lose it.
    kept: Option<(Pair<T>, f64, Kkt)>,
}

/// What a pass adds up for one member.
#[derive(Clone, Default)]
struct Sums {
    kkt: KktSums,
    /// aᵀa of the new rows, and aᵀ(rows before).
    gram: Vec<f64>,
    cross: Vec<f64>,
    residual: f64,
}

impl Sums {
    fn zeros(k: usize) -> Self {
        Self { gram: vec![0.0; k * k], cross: vec![0.0; k * k], ..Self::default() }
    }

    fn add(&mut self, next: &Self) {
        self.kkt.add(&next.kkt);
        add_to(&mut self.gram, &next.gram);
        add_to(&mut self.cross, &next.cross);
        self.residual += next.residual;
    }
}

/// What the loop knows about X.
#[derive(Clone, Copy)]
pub(crate) struct Problem<'a, T: Scalar> {
    pub(crate) x: &'a dyn Matrix<T>,
    pub(crate) norm_sq: f64,
    pub(crate) row_norm_sq: &'a [f64],
    pub(crate) rule: &'a dyn Update<T>,
    /// Whether `a`, `b` are held as they are.
    pub(crate) fixed: (bool, bool),
}

impl<T: Scalar> Problem<'_, T> {
    /// How wrong the expansion of the objective may be.
    pub(crate) fn noise(&self) -> f64 {
        EXPANSION_NOISE * T::ROUNDOFF * self.norm_sq
    }
}

/// Restarts that run side by side.
pub(crate) struct Batch<'a, T: Scalar> {
    problem: Problem<'a, T>,
    k: usize,
    plan: Plan,
    workspace: Workspace<T>,
    pub(crate) members: Vec<Member<T>>,
    a: [Factor<T>; 2],
    /// `b` as the pass uses it (extrapolated), as the rule left it, and of the accepted iterate.
    b: [Factor<T>; 3],
    /// Xᵀa of the accepted iterate and of the last pass.
    c: [Factor<T>; 2],
}

// Places in `b` and `c`; the place between USED and BEST is `b` as the rule left it.
const USED: usize = 0;
const BEST: usize = 2;
const LAST: usize = 1;

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

    /// After a pass: the objective and the KKT residual of its iterate, and whether to keep it.
    pub(crate) fn judge(&mut self, first: bool) {
        let kkt = self.kkt_other();
        for (member, other) in self.members.iter_mut().zip(kkt) {
            member.judge(&self.problem, other, first);
        }
    }

    /// The second half of an iteration: `b` from C, with the extrapolation of both factors.
    pub(crate) fn sweep_other(&mut self) {
        let (k, problem) = (self.k, self.problem);
        let steps: Vec<OtherStep<T>> = self.members.iter_mut().map(Member::step).collect();
        let ready: Vec<Box<dyn Improve<T> + '_>> =
            steps.iter().map(|s| problem.rule.prepare(&s.gram)).collect();
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
        let panels: Vec<_> = panels.collect();
        let members = &self.members;
        let improve = |(at, (((used, plain), best), accepted))| {
            let from = at * PANEL_ROWS;
            let mut panel = OtherPanel { used, plain, best, accepted };
            let mut grams = Vec::with_capacity(steps.len());
            for (which, step) in steps.iter().enumerate() {
                let columns = members[which].columns.clone();
                let height = panel.used.rows();
                let last = last.slice(from..from + height).columns(columns.clone());
                let rule = (!problem.fixed.1).then(|| &*ready[which]);
                panel.advance(step, rule, last, &columns);
                let used = panel.used.as_view().columns(columns);
                let mut wide = vec![0.0; k * k];
                add_gram(used, used, &mut wide);
                grams.push(wide);
            }
            grams
        };
        let grams: Vec<Vec<Vec<f64>>> = if self.plan.is_serial() {
            panels.into_iter().map(improve).collect()
        } else {
            panels.into_par_iter().map(improve).collect()
        };
        drop(ready);
        for (which, member) in self.members.iter_mut().enumerate() {
            let mut wide = vec![0.0; k * k];
            grams.iter().for_each(|panel| add_to(&mut wide, &panel[which]));
            member.gram_b = Gram::new(k, wide);
        }
    }

    /// Whether a member has a component yet to be revived.
    pub(crate) fn has_dead_component(&self, at: usize) -> bool {
        self.members[at].dead(&self.problem).is_some()
    }

    /// Starts components that died again, one for each member, from the row of X that fits worst.
    /// A member is not stationary while it has such a component, whatever its KKT residual.
    pub(crate) fn revive(&mut self) -> Result<()> {
        for at in 0..self.members.len() {
            if let Some(t) = self.members[at].dead(&self.problem) {
                self.reseed(at, t)?;
            }
        }
        Ok(())
    }

    /// Component `t`: its column of `b` becomes what is left of the worst row, and its column of
    /// `a` zero but for that row.
    fn reseed(&mut self, at: usize, t: usize) -> Result<()> {
        let (worst, rest) = self.worst_row(at)?;
        let member = &mut self.members[at];
        member.reseeds[t] += 1;
        if rest.iter().all(|&v| v == 0.0) {
            return Ok(());
        }
        let columns = member.columns.clone();
        let column = columns.start + t;
        for (j, &value) in rest.iter().enumerate() {
            for b in &mut self.b {
                b.row_mut(j)[column] = T::from_f64(value);
            }
        }
        let a = &mut self.a[member.current];
        // A rule that locks zeros needs something to multiply in every row.
        let small = if self.problem.rule.locks_zeros() { 1e-3 } else { 0.0 };
        for i in 0..a.rows() {
            let open = small > 0.0 && self.problem.row_norm_sq[i] > 0.0;
            a.row_mut(i)[column] = if open { T::from_f64(small) } else { T::ZERO };
        }
        a.row_mut(worst)[column] = T::ONE;
        member.restart_from_here(gram_wide(self.b[USED].view().columns(columns)));
        Ok(())
    }

    /// The row of X that the iterate to come fits worst, and what it leaves of it, clipped at zero.
    fn worst_row(&mut self, at: usize) -> Result<(usize, Vec<f64>)> {
        let member = &self.members[at];
        let columns = member.columns.clone();
        let (a, gram) = (&self.a[member.current], &member.gram_b);
        let k = self.k;
        let norms = self.problem.row_norm_sq;
        let mut worst = vec![(0.0f64, 0usize); self.plan.bins().len()];
        let (x, used) = (self.problem.x, self.b[USED].view());
        pass(x, &self.plan, &mut self.workspace, used, None, &mut worst, &|worst, block| {
            for (at, i) in block.rows.clone().enumerate() {
                let (f, b) = (&a.row(i)[columns.clone()], &block.b.row(at)[columns.clone()]);
                let mut left = norms[i];
                for (s, (f_s, b_s)) in f.iter().zip(b).enumerate() {
                    let row = f.iter().zip(&gram.wide()[s * k..]);
                    let along: f64 = row.map(|(f, g)| f.to_f64() * g).sum();
                    left += f_s.to_f64() * (along - 2.0 * b_s.to_f64());
                }
                if left > worst.0 {
                    *worst = (left, i);
                }
            }
        })?;
        let first = |a: (f64, usize), b: &(f64, usize)| if b.0 > a.0 { *b } else { a };
        let row = worst.iter().fold((0.0, 0), first).1;
        let mut rest = vec![0.0; used.rows()];
        x.visit(row..row + 1, &mut |_, panel| panel.for_each(0, &mut |j, v| rest[j] = v.to_f64()))?;
        let f = &a.row(row)[columns.clone()];
        for (j, value) in rest.iter_mut().enumerate() {
            let b = &used.row(j)[columns.clone()];
            *value -= f.iter().zip(b).map(|(f, b)| f.to_f64() * b.to_f64()).sum::<f64>();
            *value = value.max(0.0);
        }
        Ok((row, rest))
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
            streamed: copy(self.a[member.current].view().columns(member.columns.clone())),
            other: copy(self.b[b].view().columns(member.columns.clone())),
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

    /// What `b` adds to the KKT residual of the pass just made, for every member.
    fn kkt_other(&self) -> Vec<KktSums> {
        let rows = self.b[USED].rows();
        let (k, fixed) = (self.k, self.problem.fixed.1);
        if fixed {
            return vec![KktSums::default(); self.members.len()];
        }
        let grams: Vec<Factor<T>> = self
            .members
            .iter()
            .map(|m| Factor::from_rows(k, k, Gram::new(k, m.sums.gram.clone()).narrow()))
            .collect();
        let panel = |from: usize| {
            let range = from..rows.min(from + PANEL_ROWS);
            let mut along = Factor::zeros(range.len(), k);
            let mut sums = vec![KktSums::default(); grams.len()];
            for (at, sum) in sums.iter_mut().enumerate() {
                let columns = self.members[at].columns.clone();
                let f = self.b[USED].view().slice(range.clone()).columns(columns.clone());
                let c = self.c[LAST].view().slice(range.clone()).columns(columns);
                product(Strided::of(f), grams[at].view(), &mut along.view_mut(), Accum::Replace);
                add_rows(sum, f, along.view(), c);
            }
            sums
        };
        let froms: Vec<usize> = (0..rows).step_by(PANEL_ROWS).collect();
        let parts: Vec<Vec<KktSums>> = if self.plan.is_serial() {
            froms.into_iter().map(panel).collect()
        } else {
            froms.into_par_iter().map(panel).collect()
        };
        let mut sums = vec![KktSums::default(); self.members.len()];
        for part in parts {
            sums.iter_mut().zip(&part).for_each(|(to, from)| to.add(from));
        }
        sums
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
            sums.residual += block.panel.residual_sq(new, b, self.member.gram_b.wide());
        }
        before.copy_from(new);
    }

    fn add_statistics(&self, sums: &mut Sums, new: View<'_, T>, b: View<'_, T>) {
        let mut along = Factor::zeros(new.rows(), new.cols());
        product(Strided::of(new), self.along, &mut along.view_mut(), Accum::Replace);
        add_rows(&mut sums.kkt, new, along.view(), b);
    }
}

/// What the second half of an iteration does for one member.
struct OtherStep<T> {
    /// `c = last + beta · (last − accepted)` if the iterate was accepted, else `c = accepted`.
    accepted: bool,
    beta: T,
    gram: Gram<T>,
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
        let mut new = Factor::zeros(last.rows(), last.cols());
        new.view_mut().copy_from(used.as_view());
        rule.improve(&mut new.view_mut(), c.view());
        let beta = if step.accepted { step.beta } else { T::ZERO };
        extrapolate(&mut used, new.view(), plain.as_view(), beta);
        plain.copy_from(new.view());
    }
}

impl<T: Scalar> Member<T> {
    fn new(
        restart: usize,
        columns: Range<usize>,
        momentum: Option<Momentum>,
        gram_b: Vec<f64>,
    ) -> Self {
        let k = columns.len();
        Self {
            restart,
            columns,
            current: 0,
            error: f64::INFINITY,
            least: f64::INFINITY,
            least_is_direct: false,
            kkt: Kkt::UNKNOWN,
            momentum,
            accepted: false,
            run: 0,
            direct: false,
            gram_a: vec![0.0; k * k],
            gram_b: Gram::new(k, gram_b),
            sums: Sums::zeros(k),
            reseeds: vec![0; k],
            reseeded: 0,
            rose: 0,
            status: None,
            history: Vec::new(),
            kept: None,
        }
    }

    /// β of the next half step: none where there is no step before it, or it was taken back.
    fn beta(&self) -> f64 {
        match self.momentum {
            Some(momentum) if self.accepted && self.run > 1 => momentum.beta(),
            _ => 0.0,
        }
    }

    fn judge(&mut self, problem: &Problem<'_, T>, other: KktSums, first: bool) {
        let noise = problem.noise();
        let own = Gram::<T>::new(self.gram_b.k(), self.sums.gram.clone()).dot(&self.gram_b);
        let expanded = problem.norm_sq - 2.0 * self.sums.kkt.cross + own;
        let error = if self.direct { self.sums.residual } else { expanded };
        if !error.is_finite() {
            self.status = Some(Status::NumericalTrouble);
            self.accepted = false;
            return;
        }
        // The expansion cannot tell values below its noise apart; the residual itself can.
        let error = if self.direct { error } else { error.max(noise) };
        let margin = if self.direct { 1e-6 * self.least } else { noise };
        let comparable = self.direct == self.least_is_direct;
        let rose = comparable && error > self.least + margin;
        self.accepted = first || !rose || self.momentum.is_none();
        if rose && self.momentum.is_none() {
            self.rose += 1;
        }
        if let (Some(momentum), false) = (self.momentum.as_mut(), first) {
            if self.accepted { momentum.accept() } else { momentum.reject() }
        }
        if self.accepted {
            self.error = error;
            self.least = if comparable { self.least.min(error) } else { error };
            self.least_is_direct = self.direct;
            let fixed = problem.fixed;
            let (w, w_zeros) = if fixed.0 { (0.0, 0.0) } else { self.sums.kkt.residual() };
            let (h, h_zeros) = if fixed.1 { (0.0, 0.0) } else { other.residual() };
            self.kkt = Kkt { w, w_zeros, h, h_zeros };
            self.current = 1 - self.current;
            self.run += 1;
        }
        self.direct = self.error < DIRECT_BELOW * noise;
    }

    /// A component that is zero on one side, though X could use it and it has not been tried often.
    pub(crate) fn dead(&self, problem: &Problem<'_, T>) -> Option<usize> {
        if problem.fixed != (false, false) || self.error <= DIRECT_BELOW * problem.noise() {
            return None;
        }
        let k = self.gram_b.k();
        let zero =
            |t: usize| self.gram_b.is_dead(t) || T::from_f64(self.sums.gram[t * k + t]) <= T::ZERO;
        (0..k).find(|&t| zero(t) && self.reseeds[t] < RESEEDS)
    }

    /// Prepares the second half of the iteration.
    fn step(&mut self) -> OtherStep<T> {
        let k = self.gram_b.k();
        if !self.accepted {
            return OtherStep {
                accepted: false,
                beta: T::ZERO,
                gram: Gram::new(k, self.gram_a.clone()),
            };
        }
        let beta = self.beta();
        let (new, cross) = (&self.sums.gram, &self.sums.cross);
        // With y = a + β(a − a₀): yᵀy = (1+β)² aᵀa − β(1+β)(aᵀa₀ + a₀ᵀa) + β² a₀ᵀa₀.
        let mut gram = new.clone();
        if beta > 0.0 {
            for s in 0..k {
                for t in 0..k {
                    let mixed = cross[s * k + t] + cross[t * k + s];
                    gram[s * k + t] = (1.0 + beta) * (1.0 + beta) * new[s * k + t]
                        - beta * (1.0 + beta) * mixed
                        + beta * beta * self.gram_a[s * k + t];
                }
            }
        }
        self.gram_a.clone_from(new);
        OtherStep { accepted: true, beta: T::from_f64(beta), gram: Gram::new(k, gram) }
    }

    /// The iterate was changed from outside: nothing before it counts.
    fn restart_from_here(&mut self, gram_b: Vec<f64>) {
        self.gram_b = Gram::new(self.gram_b.k(), gram_b);
        self.accepted = false;
        self.run = 0;
        self.error = f64::INFINITY;
        self.least = f64::INFINITY;
        self.reseeded += 1;
    }

    /// The best of `pair` and the iterate kept.
    fn best(&mut self, pair: Pair<T>) -> Pair<T> {
        match self.kept.take() {
            Some((kept, error, kkt)) if error < self.error => {
                self.error = error;
                self.kkt = kkt;
                kept
            }
            _ => pair,
        }
    }
}

fn add_to(sum: &mut [f64], add: &[f64]) {
    sum.iter_mut().zip(add).for_each(|(to, from)| *to += from);
}

/// `sum += fᵀg` for panels f and g: products in T, sums over panels in f64.
fn add_gram<T: Scalar>(f: View<'_, T>, g: View<'_, T>, sum: &mut [f64]) {
    let k = f.cols();
    let mut part = Factor::<T>::zeros(k, k);
    if std::ptr::eq(f.as_ptr(), g.as_ptr()) {
        gram(f, &mut part.view_mut(), Accum::Replace);
    } else {
        product(Strided::of(f).transposed(), g, &mut part.view_mut(), Accum::Replace);
    }
    for (s, row) in sum.chunks_exact_mut(k).enumerate() {
        row.iter_mut().zip(part.row(s)).for_each(|(to, v)| *to += v.to_f64());
    }
}

/// FᵀF by panels.
pub(crate) fn gram_wide<T: Scalar>(f: View<'_, T>) -> Vec<f64> {
    let mut sum = vec![0.0; f.cols() * f.cols()];
    for from in (0..f.rows()).step_by(PANEL_ROWS) {
        let panel = f.slice(from..f.rows().min(from + PANEL_ROWS));
        add_gram(panel, panel, &mut sum);
    }
    sum
}

fn copy<T: Scalar>(view: View<'_, T>) -> Factor<T> {
    let mut f = Factor::zeros(view.rows(), view.cols());
    f.view_mut().copy_from(view);
    f
}
