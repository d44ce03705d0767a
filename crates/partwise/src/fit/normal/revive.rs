//! Components that died are started again.

use super::{Batch, USED};
use crate::error::Result;
use crate::factor::Factor;
use crate::fit::course::Course;
use crate::kernel::impute::{Sign, impute};
use crate::matrix::pass;
use crate::scalar::Scalar;
use crate::update::{Gram, gram_wide};

impl<T: Scalar> Batch<'_, T> {
    /// Starts components that died again, one for each restart, from the row of X that fits worst.
    /// A restart is not stationary while it has such a component, whatever its KKT residual. It goes
    /// on from the accepted iterate, for what comes after it may be extrapolated too far, and there is
    /// no way back.
    pub(super) fn reseed_dead(&mut self) -> Result<()> {
        if self.strands.iter().all(|strand| strand.dead(&self.problem).is_none()) {
            return Ok(());
        }
        self.look_at_dead()?;
        for at in 0..self.strands.len() {
            if let Some(t) = self.strands[at].dead(&self.problem) {
                self.go_back(at);
                self.reseed(at, t)?;
            }
        }
        Ok(())
    }

    /// Judges the iterate to come of the restarts with a dead component: it may be better than the
    /// accepted one, and need no other component.
    fn look_at_dead(&mut self) -> Result<()> {
        let mut others = Vec::new();
        for (at, strand) in std::mem::take(&mut self.strands).into_iter().enumerate() {
            match strand.dead(&self.problem) {
                Some(_) => self.strands.push(strand),
                None => others.push((at, strand)),
            }
        }
        let looked = self.pass(false).and_then(|()| self.judge(false));
        self.keep_best();
        others.into_iter().for_each(|(at, strand)| self.strands.insert(at, strand));
        looked
    }

    /// Makes the accepted iterate the one to come, and keeps it: the new component is not sure to bring
    /// anything.
    fn go_back(&mut self, at: usize) {
        let pair = self.iterate(&self.strands[at]);
        let columns = self.strands[at].columns.clone();
        for b in &mut self.b {
            b.view_mut().columns(columns.clone()).copy_from(pair.other.view());
        }
        let strand = &mut self.strands[at];
        strand.gram_b = Gram::new(self.k, gram_wide(pair.other.view()));
        strand.member.keep(pair);
    }

    /// Makes zero what is charged of a component that is zero in the other factor: plain iterations leave
    /// it, so that the component may come back, and after the last one it will not. An extrapolated step
    /// may be taken back: then it has to be zero there in the iterate before it, too.
    pub(super) fn clear_charged(&mut self) {
        let (k, fixed, charges) = (self.k, self.problem.fixed, self.problem.penalties);
        let plain = self.problem.opening.covers(self.steps);
        for strand in &mut self.strands {
            let mut changed = false;
            for t in 0..k {
                let column = strand.columns.start + t;
                let dead_a = T::from_f64(strand.gram_a[t * k + t]) <= T::ZERO;
                let dead_b = strand.gram_b.is_dead(t);
                if dead_a && !dead_b && !fixed.1 && charges.1.l1 > 0.0 {
                    self.b.iter_mut().for_each(|b| b.clear_column(column));
                    changed = true;
                } else if dead_b
                    && !(dead_a || fixed.0)
                    && charges.0.l1 > 0.0
                    && (plain || self.b.iter().all(|b| b.is_zero_column(column)))
                {
                    self.a[strand.current].clear_column(column);
                }
            }
            if changed {
                let used = self.b[USED].view().columns(strand.columns.clone());
                strand.gram_b = Gram::new(k, gram_wide(used));
            }
        }
    }

    /// Component `t`: its column of `b` becomes what is left of the worst row, and its column of
    /// `a` zero but for that row.
    fn reseed(&mut self, at: usize, t: usize) -> Result<()> {
        let (worst, rest) = self.worst_row(at)?;
        let strand = &mut self.strands[at];
        strand.reseeds[t] += 1;
        if rest.iter().all(|&v| v == 0.0) {
            return Ok(());
        }
        let columns = strand.columns.clone();
        let column = columns.start + t;
        // Both sides of the new component are of one size, in the unit of a factor.
        let size = rest.iter().fold(0.0f64, |most, &v| most.max(v)).sqrt();
        for (j, &value) in rest.iter().enumerate() {
            for b in &mut self.b {
                b.row_mut(j)[column] = T::from_f64(value / size);
            }
        }
        let a = &mut self.a[strand.current];
        // A rule that locks zeros needs something to multiply in every row.
        let small = if self.problem.rule.locks_zeros() { 1e-3 * size } else { 0.0 };
        for i in 0..a.rows() {
            let open = small > 0.0 && self.problem.row_norm_sq[i] > 0.0;
            a.row_mut(i)[column] = if open { T::from_f64(small) } else { T::ZERO };
        }
        a.row_mut(worst)[column] = T::from_f64(size);
        strand.restart_from_here(gram_wide(self.b[USED].view().columns(columns)));
        Ok(())
    }

    /// The row of X that the iterate to come fits worst, and what it leaves of it, clipped at zero.
    fn worst_row(&mut self, at: usize) -> Result<(usize, Vec<f64>)> {
        let strand = &self.strands[at];
        let columns = strand.columns.clone();
        let (a, gram) = (&self.a[strand.current], &strand.gram_b);
        let k = self.k;
        let norms = self.problem.row_norm_sq;
        let mut worst = vec![(0.0f64, 0usize); self.plan.bins().len()];
        let (x, used) = (self.problem.x, self.b[USED].view());
        let held = used.columns(columns.clone());
        // Σ q² over the missing entries of a row: the sums count it though it is not there.
        let mut nothing = Factor::zeros(1, columns.len());
        let imputed = |i: usize| {
            let Some(missing) = self.problem.missing else { return 0.0 };
            let f = a.view().slice(i..i + 1).columns(columns.clone());
            let m = (Sign::Plus, &mut nothing.view_mut());
            impute(missing.rows(i..i + 1), (f, held), m, None)
        };
        let imputed: Vec<f64> = (0..a.rows()).map(imputed).collect();
        pass(x, &self.plan, &mut self.workspace, used, None, &mut worst, &|worst, block| {
            for (at, i) in block.rows.clone().enumerate() {
                let (f, b) = (&a.row(i)[columns.clone()], &block.b.row(at)[columns.clone()]);
                let mut left = norms[i] - imputed[i];
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
}
