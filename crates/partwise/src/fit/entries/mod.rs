//! The course by entries: losses without a Gram matrix, missing entries, weights.
//!
//! Every row of a factor is improved from the observed entries of its row of X. A multiplicative
//! rule takes the sums that the other factor follows from along with the same read of X; coordinate
//! descent reads X by its other side. Restarts run one after another.
//!
//! The factor with a row for each streamed row of X is called `a` here, the other one `b`.

mod follow;
mod polish;
mod refuse;
mod sweep;

pub(super) use follow::Following;
pub(super) use polish::polish;
pub(super) use refuse::{refuse_nothing, refuse_zeros};
pub(super) use sweep::{
    Room, Sweep, bring_to_size, divergence_of, flat_rows, kkt_of, null_divergence,
};

use super::course::{Course, Opening};
use super::member::Found;
use super::{Ended, Member, raise};
use crate::error::{Error, Result};
use crate::factor::Factor;
use crate::init::Pair;
use crate::kernel::extrapolate::go_beyond;
use crate::kernel::kkt::KktSums;
use crate::loss::Loss;
use crate::matrix::{Matrix, Observed, Plan};
use crate::metric::Kkt;
use crate::penalty::Penalty;
use crate::scalar::Scalar;
use crate::spare::Spare;
use crate::update::{EntryRule, Ratio, Wanted};
use sweep::Sums;

/// What a course by entries knows about X.
#[derive(Clone, Copy)]
pub(super) struct Problem<'a, T: Scalar> {
    /// X by the streamed side, and by the other one for rules that need it.
    pub(super) streamed: &'a Observed<'a, T>,
    pub(super) other: Option<&'a Observed<'a, T>>,
    /// Room for passes by each, kept between passes and restarts.
    pub(super) rooms: &'a [Spare<Room<T>>; 2],
    pub(super) loss: Loss,
    pub(super) rule: &'a dyn EntryRule<T>,
    /// The rule of plain iterations, and how it begins.
    pub(super) plain: &'a dyn EntryRule<T>,
    pub(super) opening: Opening,
    /// The rule that goes on where a step comes to nothing.
    pub(super) safer: Option<&'a dyn EntryRule<T>>,
    /// Whether `a`, `b` are held as they are, and what they are charged.
    pub(super) fixed: (bool, bool),
    pub(super) penalties: (Penalty, Penalty),
    /// The size of the terms that the divergence is a difference of.
    pub(super) magnitude: f64,
    pub(super) tol: f64,
}

impl<T: Scalar> Problem<'_, T> {
    /// What a divergence may move by rounding.
    fn noise(&self, divergence: f64) -> f64 {
        let roundoffs = 8.0 * T::ROUNDOFF;
        if self.loss != Loss::FROBENIUS {
            return roundoffs * self.magnitude;
        }
        // A residual R is off by roundoffs of the fitted value: in all by s = 8ε‖X‖, which moves
        // ½‖R‖² by at most ‖R‖s + ½s².
        let spread = roundoffs * (2.0 * self.magnitude).sqrt();
        (2.0 * divergence).sqrt() * spread + 0.5 * spread * spread
    }
}

/// One restart by entries.
pub(super) struct Entries<'a, T: Scalar> {
    problem: Problem<'a, T>,
    plans: (Plan, Option<Plan>),
    member: Option<Member<T>>,
    /// The accepted `a` is `a[current]`; the other is that before it, or the point between steps
    /// that the next one starts from.
    a: [Factor<T>; 2],
    current: usize,
    ahead: bool,
    /// Passes that improved something.
    steps: usize,
    /// `b` as a step uses it (extrapolated), as the rule left it, and of the accepted iterate.
    b: [Factor<T>; 3],
    /// What `b` follows from under a multiplicative rule.
    following: Option<Following<T>>,
    sums: Sums,
    /// What `b` added to the KKT residual when it was last measured.
    kkt_b: KktSums,
    /// Judgements since.
    stale: usize,
}

// Places in `b`; that between them is `b` as the rule left it.
const USED: usize = 0;
const BEST: usize = 2;
/// The KKT residual of `b` is measured when that of `a` is small, and after this many iterations.
const MEASURE_EVERY: usize = 10;

impl<'a, T: Scalar> Entries<'a, T> {
    pub(super) fn new(problem: Problem<'a, T>, restart: usize, pair: Pair<T>) -> Self {
        let k = pair.other.cols();
        let follows = problem.rule.follows();
        let plan = |x| if follows { Plan::new(x, k) } else { Plan::by_rows(x, k) };
        let plans = (plan(problem.streamed), problem.other.map(|x| plan(x)));
        let following = || Following::new(problem.streamed, k, problem.loss);
        let following = follows.then(following);
        Self {
            plans,
            member: Some(Member::new(
                restart,
                problem.rule.momentum(),
                problem.opening.judgements(),
            )),
            problem,
            a: [pair.streamed.clone(), pair.streamed],
            current: 0,
            ahead: false,
            steps: 0,
            b: [pair.other.clone(), pair.other.clone(), pair.other],
            following,
            sums: Sums::default(),
            kkt_b: KktSums::default(),
            stale: MEASURE_EVERY,
        }
    }

    /// The rule of this iteration.
    fn rule(&self) -> &'a dyn EntryRule<T> {
        let Problem { rule, plain, opening, .. } = self.problem;
        if opening.covers(self.steps) { plain } else { rule }
    }

    /// A pass by the streamed side that improves `a`, or only looks at it.
    ///
    /// # Errors
    /// What the source of X reports.
    pub(super) fn pass(&mut self, improve: bool, wanted: Wanted) -> Result<()> {
        let Problem { streamed: x, loss, fixed, penalties, .. } = self.problem;
        self.steps += usize::from(improve);
        let rule = self.rule();
        let [first, second] = &mut self.a;
        let (now, next) = if self.current == 0 { (first, second) } else { (second, first) };
        if !(self.ahead && improve) {
            next.view_mut().copy_from(now.view());
        }
        self.ahead = false;
        let rule = (improve && !fixed.0).then_some(rule);
        let (plan, penalty) = (&self.plans.0, penalties.0);
        let sweep = Sweep { x, plan, loss, rule, penalty, wanted };
        let (held, following) = (self.b[USED].view(), self.following.as_mut());
        self.sums = sweep.run_in(&self.problem.rooms[0], held, next, following)?;
        Ok(())
    }

    /// What W·H must be multiplied by to fit best, after a look.
    pub(super) fn scale(&self) -> f64 {
        let KktSums { cross, scale, .. } = self.sums.kkt;
        if scale > 0.0 && cross.is_finite() { cross / scale } else { 1.0 }
    }

    /// Multiplies both factors, before the first step.
    pub(super) fn rescale(&mut self, scale: f64) {
        let scale = T::from_f64(scale);
        for f in self.a.iter_mut().chain(&mut self.b) {
            f.as_mut_slice().iter_mut().for_each(|v| *v *= scale);
        }
    }

    /// After a step that came to nothing: goes on from the iterate before it by a safer rule, if there
    /// is one. That before a joint step is gone.
    fn fall_back(&mut self) -> bool {
        let Problem { streamed, loss, safer, fixed, .. } = self.problem;
        let joint = self.is_joint();
        let (Some(rule), Some(member), false) = (safer, &mut self.member, joint) else {
            return false;
        };
        member.fall_back();
        (self.problem.rule, self.problem.plain, self.problem.safer) = (rule, rule, None);
        // A rule that multiplies would never leave the zeros of the rule before it.
        if !fixed.0 {
            raise(&mut self.a[self.current]);
        }
        if !fixed.1 {
            raise(&mut self.b[BEST]);
        }
        let k = self.b[USED].cols();
        self.plans.0 = Plan::new(streamed, k);
        self.following = Some(Following::new(streamed, k, loss));
        true
    }

    /// Whether `a` and `b` step together, after the look that judges both as they are.
    fn is_joint(&self) -> bool {
        self.problem.rule.is_joint() && !self.problem.fixed.0
    }

    /// Whether the sums that `b` follows from are parts of its gradient.
    fn has_gradient(&self) -> bool {
        self.following.is_some() && !self.is_joint()
    }

    /// What `b` adds to the KKT residual beside `a`.
    fn measure(&mut self, a: usize, b: usize) -> Result<KktSums> {
        let Problem { streamed, other, penalties, loss, .. } = self.problem;
        if self.is_joint() {
            let (x, plan, penalty) = (streamed, &self.plans.0, penalties.0);
            let look = Sweep { x, plan, loss, rule: None, penalty, wanted: Wanted::GRADIENT };
            let mut sums = Following::new(x, self.b[b].cols(), loss);
            let held = self.b[b].view();
            look.run_in(&self.problem.rooms[0], held, &mut self.a[a], Some(&mut sums))?;
            return Ok(sums.kkt(held, penalties.1));
        }
        if let Some(following) = &self.following {
            return Ok(following.kkt(self.b[b].view(), penalties.1));
        }
        let (Some(x), Some(plan)) = (other, &self.plans.1) else { return Ok(KktSums::default()) };
        let look =
            Sweep { x, plan, loss, rule: None, penalty: penalties.1, wanted: Wanted::GRADIENT };
        Ok(look.run_in(&self.problem.rooms[1], self.a[a].view(), &mut self.b[b], None)?.kkt)
    }

    /// The KKT residual of `b`, measured afresh.
    fn certify(&mut self, member: &mut Member<T>) -> Result<()> {
        let fresh = self.stale == 0 && member.accepted;
        if self.problem.fixed.1 || self.has_gradient() || fresh {
            return Ok(());
        }
        let b = if member.accepted { USED } else { BEST };
        (member.kkt.h, member.kkt.h_zeros) = match self.measure(self.current, b) {
            Ok(sums) => sums.residual(),
            Err(Error::Halted) => (f64::NAN, f64::NAN),
            Err(error) => return Err(error),
        };
        if let Some(last) = member.history.last_mut() {
            last.kkt = member.kkt;
        }
        Ok(())
    }

    /// The accepted iterate, taken out.
    fn take_pair(&mut self, accepted: bool) -> Pair<T> {
        let nothing = || Factor::zeros(0, 0);
        let streamed = std::mem::replace(&mut self.a[self.current], nothing());
        let b = if accepted { USED } else { BEST };
        Pair { streamed, other: std::mem::replace(&mut self.b[b], nothing()) }
    }
}

impl<T: Scalar> Course<T> for Entries<'_, T> {
    fn opening(&self) -> Opening {
        self.problem.opening
    }

    fn members(&mut self) -> Vec<&mut Member<T>> {
        self.member.iter_mut().collect()
    }

    fn sweep_streamed(&mut self, improve: bool) -> Result<()> {
        self.pass(improve, Wanted::BOTH)
    }

    fn judge(&mut self, first: bool) -> Result<()> {
        let Problem { fixed, penalties, tol, .. } = self.problem;
        let (w, w_zeros) = if fixed.0 { (0.0, 0.0) } else { self.sums.kkt.residual() };
        let near = Kkt { w, w_zeros, ..Kkt::ZERO }.residual() <= tol || self.has_gradient();
        self.stale += 1;
        let judged = if self.is_joint() { self.current } else { 1 - self.current };
        if !fixed.1 && (near || first || self.stale >= MEASURE_EVERY) {
            self.kkt_b = self.measure(judged, USED)?;
            self.stale = 0;
        }
        let (h, h_zeros) = if fixed.1 { (0.0, 0.0) } else { self.kkt_b.residual() };
        let kkt = Kkt { w, w_zeros, h, h_zeros };
        let penalty = penalties.0.of(&self.a[judged]) + penalties.1.of(&self.b[USED]);
        let divergence = self.sums.divergence;
        let (rows, cols) = self.problem.streamed.shape();
        let (cells, k) = (rows as f64 * cols as f64, self.b[USED].cols());
        let bound = self.sums.bound::<T>(self.problem.loss, (cells, k));
        let margin = self.problem.noise(divergence) + 8.0 * T::ROUNDOFF * penalty;
        let found = Found { divergence, penalty, bound, margin, kkt };
        if !found.is_sound() && self.fall_back() {
            return Ok(());
        }
        let Some(member) = &mut self.member else { return Ok(()) };
        member.judge(found, first);
        if member.accepted {
            self.current = judged;
        }
        Ok(())
    }

    fn keep_best(&mut self) {}

    fn is_unfinished(&self, _: usize) -> bool {
        false
    }

    fn abandon(&mut self) {
        let joint = self.is_joint();
        if let Some(member) = &mut self.member {
            member.accepted = joint;
            if joint {
                // The iterate before the last joint step is gone, and what it came to not yet known.
                (member.divergence, member.objective) = (f64::INFINITY, f64::INFINITY);
                member.kkt = Kkt::NOT_MEASURED;
            }
        }
    }

    fn retire(&mut self) -> Result<Vec<Ended<T>>> {
        let Some(mut member) = self.member.take_if(|m| m.status.is_some()) else {
            return Ok(Vec::new());
        };
        self.certify(&mut member)?;
        let pair = self.take_pair(member.accepted);
        Ok(vec![(member, pair)])
    }

    fn sweep_other(&mut self) -> Result<()> {
        let Problem { other, loss, fixed, penalties, .. } = self.problem;
        let rule = self.rule();
        let Some(member) = &self.member else { return Ok(()) };
        let accepted = member.accepted;
        if self.is_joint() && accepted {
            self.current = 1 - self.current;
        }
        let least = member.momentum.map_or(1.0, |momentum| momentum.least());
        let ahead = (T::from_f64(member.beta()), T::from_f64(least));
        let [used, plain, best] = &mut self.b;
        if accepted {
            best.view_mut().copy_from(used.view());
        } else {
            used.view_mut().copy_from(best.view());
        }
        let [first, second] = &mut self.a;
        let (now, next) = if self.current == 0 { (first, second) } else { (second, first) };
        go_beyond(next.as_mut_slice(), now.as_slice(), ahead);
        self.ahead = true;
        if fixed.1 {
            return Ok(());
        }
        match (&self.following, other, &self.plans.1) {
            // There are only sums of the step that was taken back.
            (Some(_), ..) if !accepted => {}
            (Some(following), ..) => following.advance(&Ratio { loss }, used, penalties.1),
            (None, Some(x), Some(plan)) => {
                let sweep = Sweep {
                    x,
                    plan,
                    loss,
                    rule: Some(rule),
                    penalty: penalties.1,
                    wanted: Wanted::NOTHING,
                };
                sweep.run_in(&self.problem.rooms[1], next.view(), used, None)?;
            }
            _ => return Ok(()),
        }
        go_beyond(plain.as_mut_slice(), used.as_slice(), ahead);
        std::mem::swap(used, plain);
        Ok(())
    }

    fn revive(&mut self) -> Result<()> {
        Ok(())
    }
}
