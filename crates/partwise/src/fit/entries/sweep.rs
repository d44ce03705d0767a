//! One pass over X by one of its sides: every row of a factor improved, or only looked at.

use super::follow::{Following, Gathering, Part};
use crate::error::Result;
use crate::factor::{Factor, View, ViewMut};
use crate::init::Pair;
use crate::kernel::kkt::{KktSums, add_rows};
use crate::loss::Loss;
use crate::matrix::{Matrix, Observations, Observed, Plan};
use crate::metric::Kkt;
use crate::penalty::Penalty;
use crate::scalar::Scalar;
use crate::spare::Spare;
use crate::threads;
use crate::update::{EntryRule, Held, Terms, Wanted, evaluate, evaluate_gradient};
use std::ops::Range;

/// Some rows of the factor, and the blocks of X they meet.
struct Bin<'a, T> {
    at: usize,
    rows: ViewMut<'a, T>,
    blocks: &'a [Range<usize>],
}

/// What a bin is worked on in, kept between bins and passes.
pub(crate) struct Room<T> {
    block: Observations<T>,
    terms: Terms<T>,
}

/// What a pass adds up.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sums {
    /// Σ p·d(x, q).
    pub(crate) divergence: f64,
    pub(crate) kkt: KktSums,
}

impl Sums {
    /// How far rounding may have moved the divergence of `k` components over at most so many cells.
    ///
    /// A fitted value q is a sum of k positive products in T, so it is off by a share ε of itself, and
    /// d(x, q) by |∂d/∂q|·εq. That derivative is the difference of two positive parts, and `kkt` has the
    /// sums of both times q: q ∂d/∂q sums to no more than them. Where d is ½ω(x − q)² or more, for the
    /// Frobenius loss and Huber's, it sums to no more than √2D times the root of Σ ωq² (Cauchy–Schwarz).
    /// The terms that d is a difference of are no more than D and these sums over |β| and |β − 1|; they are
    /// summed in `f64`, whose roundings mostly cancel: as the root of how many there are.
    pub(crate) fn bound<T: Scalar>(&self, loss: Loss, (cells, k): (f64, usize)) -> f64 {
        let share = (k as f64 + 8.0) * T::ROUNDOFF;
        let (up, down) = (self.kkt.scale, self.kkt.cross);
        let (squares, degree) = (loss.degree() == 2.0, loss.degree());
        let first = if squares { (2.0 * self.divergence * up).sqrt() } else { up + down };
        let over = |v: f64| if v == 0.0 { 1.0 } else { 1.0 + 2.0 / v.abs() };
        let terms = self.divergence
            + if squares { 0.0 } else { up * over(degree) + down * over(degree - 1.0) };
        let curvature = 1.0 + degree.abs();
        share * first
            + curvature * share * share * (up + down)
            + 4.0 * T::ROUNDOFF * self.divergence
            + (8.0 + cells.sqrt()) * f64::ROUNDOFF * terms
    }
}

/// A pass over `x`, cut as `plan` says; without a rule the factor stays as it is.
pub(crate) struct Sweep<'a, T: Scalar> {
    pub(crate) x: &'a Observed<'a, T>,
    pub(crate) plan: &'a Plan,
    pub(crate) loss: Loss,
    pub(crate) rule: Option<&'a dyn EntryRule<T>>,
    pub(crate) penalty: Penalty,
    pub(crate) wanted: Wanted,
}

impl<T: Scalar> Sweep<'_, T> {
    /// Improves `f` while the other factor is `held`; gathers what that one follows from.
    ///
    /// # Errors
    /// What the source of X reports.
    pub(crate) fn run(
        &self,
        held: View<'_, T>,
        f: &mut Factor<T>,
        following: Option<&mut Following<T>>,
    ) -> Result<Sums> {
        self.run_in(&Spare::default(), held, f, following)
    }

    /// As [`run`](Self::run), in room that an earlier pass has left.
    ///
    /// # Errors
    /// What the source of X reports.
    pub(crate) fn run_in(
        &self,
        rooms: &Spare<Room<T>>,
        held: View<'_, T>,
        f: &mut Factor<T>,
        mut following: Option<&mut Following<T>>,
    ) -> Result<Sums> {
        let given = held;
        let held = Held::new(given, self.x.layout(), self.x.across());
        let ends = self.plan.ends();
        let rows = f.view_mut().split_rows(&ends);
        let across = self.x.across();
        let gathering = following.as_deref_mut().map(|following| following.begin(across));
        let bins = rows.into_iter().zip(self.plan.bins()).enumerate();
        let bins = bins.map(|(at, (rows, blocks))| Bin { at, rows, blocks });
        // Begun in order, so that few shares wait for those before them.
        let work = |bin: Bin<'_, T>| self.bin(bin, &held, rooms, gathering.as_ref());
        let sums = threads::map(bins, self.plan.is_serial(), work);
        drop(gathering);
        if let Some(following) = following {
            following.finish(self.x);
            // Of a joint step nothing is left to look at; the next one has all of it.
            if following.is_lacking() && !self.rule.is_some_and(EntryRule::is_joint) {
                let look = Sweep { rule: None, ..*self };
                return look.run_in(rooms, given, f, Some(following));
            }
        }
        let mut total = Sums::default();
        for sums in sums {
            let sums = sums?;
            total.divergence += sums.divergence;
            total.kkt.add(&sums.kkt);
        }
        Ok(total)
    }

    /// The rows of one bin, block by block.
    fn bin(
        &self,
        mut bin: Bin<'_, T>,
        held: &Held<'_, T>,
        rooms: &Spare<Room<T>>,
        gathering: Option<&Gathering<'_, T>>,
    ) -> Result<Sums> {
        let mut sums = Sums::default();
        let fresh = || Room { block: self.x.block(), terms: Terms::new(self.wanted) };
        let mut room = rooms.take(|_| true).unwrap_or_else(fresh);
        let mut share = gathering.map(Gathering::share);
        let Room { block, terms } = &mut room;
        terms.wanted = self.wanted;
        let start = bin.blocks.first().map_or(0, |range| range.start);
        for range in bin.blocks {
            let mut f = bin.rows.slice(range.start - start..range.end - start);
            self.x.read(range.clone(), block)?;
            self.block(block, held, &mut f, terms, &mut sums, share.as_mut().zip(gathering));
        }
        rooms.put(room);
        if let (Some(gathering), Some(share)) = (gathering, share) {
            gathering.add(bin.at, share);
        }
        Ok(sums)
    }

    fn block(
        &self,
        block: &Observations<T>,
        held: &Held<'_, T>,
        f: &mut ViewMut<'_, T>,
        terms: &mut Terms<T>,
        sums: &mut Sums,
        gathered: Option<(&mut Part<T>, &Gathering<'_, T>)>,
    ) {
        match self.rule {
            Some(rule) => rule.improve(block, held, self.penalty, f, terms),
            None => {
                terms.stale = None;
                evaluate(self.loss, block, held, f.as_view(), terms);
            }
        }
        sums.divergence += terms.divergence;
        if !self.wanted.gradient {
            return;
        }
        let f = f.as_view();
        let (f, rows) = match &terms.stale {
            Some(stale) => (stale.before.view(), (stale.for_num.view(), stale.for_den.view())),
            None => (f, (f, f)),
        };
        if let Some((share, gathering)) = gathered {
            gathering.add_block(share, block, terms, rows);
        }
        add_kkt(&mut sums.kkt, f, (terms.den.view(), terms.num.view()), self.penalty);
    }
}

/// Adds the KKT sums of rows with these parts of the gradient, to which the penalty adds its own.
pub(super) fn add_kkt<T: Scalar>(
    sums: &mut KktSums,
    f: View<'_, T>,
    (den, num): (View<'_, T>, View<'_, T>),
    penalty: Penalty,
) {
    let charge = T::from_f64(penalty.l1);
    if penalty.l2 == 0.0 {
        return add_rows(sums, f, (den, charge), num);
    }
    let (mut den, ridge) = (den.to_factor(), T::from_f64(penalty.l2));
    for i in 0..f.rows() {
        den.row_mut(i).iter_mut().zip(f.row(i)).for_each(|(den, &f)| *den += ridge * f);
    }
    add_rows(sums, f, (den.view(), charge), num);
}

/// The KKT residual of rows with these terms, of their factor alone.
pub(crate) fn kkt_of<T: Scalar>(f: View<'_, T>, terms: &Terms<T>, penalty: Penalty) -> f64 {
    let mut sums = KktSums::default();
    add_kkt(&mut sums, f, (terms.den.view(), terms.num.view()), penalty);
    let (w, w_zeros) = sums.residual();
    Kkt { w, w_zeros, ..Kkt::ZERO }.residual()
}

/// The divergence of a pair of factors.
///
/// # Errors
/// What the source of X reports.
pub(crate) fn divergence_of<T: Scalar>(
    x: &Observed<'_, T>,
    pair: &Pair<T>,
    loss: Loss,
) -> Result<f64> {
    let plan = Plan::by_rows(x, pair.other.cols());
    let look = Sweep {
        x,
        plan: &plan,
        loss,
        rule: None,
        penalty: Penalty::NONE,
        wanted: Wanted::DIVERGENCE,
    };
    Ok(look.run(pair.other.view(), &mut pair.streamed.clone(), None)?.divergence)
}

/// Rows of equal entries of the size that is best under `loss`: the sum of X under KL, and under
/// Frobenius, which no zero of the fit makes infinite, that of least squares.
pub(crate) fn flat_rows<T: Scalar>(
    loss: Loss,
    block: &Observations<T>,
    held: &Held<'_, T>,
    f: &mut ViewMut<'_, T>,
    terms: &mut Terms<T>,
) {
    f.fill(T::ONE);
    evaluate_gradient(loss, block, held, f.as_view(), terms);
    for i in 0..f.rows() {
        let sum = |f: &Factor<T>| f.row(i).iter().map(|v| v.to_f64()).sum::<f64>();
        let (num, den) = (sum(&terms.num), sum(&terms.den));
        let level = if den > 0.0 { num / den } else { 0.0 };
        f.row_mut(i).fill(T::from_f64(level));
    }
}

/// Gives W·H the size of the least squared error, which is the same whatever size it had.
///
/// # Errors
/// What the source of X reports.
pub(crate) fn bring_to_size<T: Scalar>(x: &Observed<'_, T>, pair: &mut Pair<T>) -> Result<()> {
    let plan = Plan::by_rows(x, pair.other.cols());
    let (loss, penalty) = (Loss::FROBENIUS, Penalty::NONE);
    let look = Sweep { x, plan: &plan, loss, rule: None, penalty, wanted: Wanted::GRADIENT };
    // Σ p x q and Σ p q².
    let sums = look.run(pair.other.view(), &mut pair.streamed, None)?.kkt;
    if sums.scale > 0.0 && sums.cross > 0.0 {
        let by = T::from_f64((sums.cross / sums.scale).sqrt());
        for f in [&mut pair.streamed, &mut pair.other] {
            f.as_mut_slice().iter_mut().for_each(|v| *v *= by);
        }
    }
    Ok(())
}

/// D₀, the divergence of the constant model that a fit is compared with ([`Loss::null_level`]); the
/// `mean` of X is found if it is not known. Leaves room for passes over `x`.
///
/// # Errors
/// What the source of X reports.
pub(crate) fn null_divergence<T: Scalar>(
    x: &Observed<'_, T>,
    loss: Loss,
    mean: Option<f64>,
    rooms: &Spare<Room<T>>,
) -> Result<f64> {
    let (rows, cols) = x.shape();
    let plan = Plan::by_rows(x, 1);
    let penalty = Penalty::NONE;
    let sweep = |loss, wanted| Sweep { x, plan: &plan, loss, rule: None, penalty, wanted };
    let mut one = Factor::from_rows(rows, 1, &vec![T::ONE; rows]);
    let level = |level| Factor::from_rows(cols, 1, &vec![level; cols]);
    let mean = match mean {
        Some(mean) => mean,
        // Where it does not count.
        None if loss.null_level(1.0) == 0.0 => 0.0,
        None => {
            // Under KL with q = 1, num is Σ p x and den Σ p.
            let (ones, sweep) = (level(T::ONE), sweep(Loss::KL, Wanted::GRADIENT));
            let of_ones = sweep.run_in(rooms, ones.view(), &mut one, None)?.kkt;
            if of_ones.scale > 0.0 { of_ones.cross / of_ones.scale } else { 0.0 }
        }
    };
    let null = level(T::from_f64(loss.null_level(mean)));
    Ok(sweep(loss, Wanted::DIVERGENCE).run_in(rooms, null.view(), &mut one, None)?.divergence)
}
