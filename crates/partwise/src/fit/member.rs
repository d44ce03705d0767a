//! One restart: where it stands, and the judgement of an iterate.

use super::outcome::{Record, Status};
use super::until::Errors;
use crate::init::Pair;
use crate::metric::Kkt;
use crate::update::Momentum;

/// Accepted steps on end without a fall beyond rounding after which none is extrapolated: whether it went
/// too far is not seen any more. Plain steps then have the rest of the stall window to settle.
const STILL: usize = 20;

/// One restart.
pub(crate) struct Member<T> {
    pub(crate) restart: usize,
    /// The divergence of the accepted iterate, without and with penalties, and the least so far.
    pub(crate) divergence: f64,
    pub(crate) objective: f64,
    pub(super) least: f64,
    /// How far rounding may have moved the divergence.
    pub(crate) bound: f64,
    /// A rise of the objective above the least up to this is rounding.
    margin: f64,
    pub(crate) kkt: Kkt,
    /// By how much the last accepted step lowered the objective beyond rounding; infinite before it.
    pub(super) fall: f64,
    pub(super) momentum: Option<Momentum>,
    /// Judgements to come after which the next step is not extrapolated.
    plain: usize,
    pub(super) accepted: bool,
    /// Accepted steps on end that lowered the objective by no more than rounding.
    still: usize,
    /// Accepted iterates since the start, or since a component was started again.
    pub(super) run: usize,
    /// How often a component was started again.
    pub(crate) reseeded: usize,
    /// Records from before that happened last, with which nothing after it is compared.
    pub(super) since: usize,
    pub(crate) rose: usize,
    /// Whether a step that came to nothing was taken back, and a safer rule went on.
    pub(crate) fell_back: bool,
    pub(crate) status: Option<Status>,
    pub(crate) history: Vec<Record>,
    /// What the fall of the error is measured by, where that ends the fit.
    pub(super) errors: Option<Errors>,
    /// Objectives of the accepted iterate, one for each record.
    pub(super) path: Vec<f64>,
    /// The best iterate of a rule that can lose it, or before a component was started again.
    pub(super) kept: Option<Kept<T>>,
}

/// An iterate with its divergence and objective.
type Kept<T> = (Pair<T>, (f64, f64), Kkt);

/// What is known of an iterate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) divergence: f64,
    pub(super) penalty: f64,
    /// How far rounding may have moved the divergence.
    pub(super) bound: f64,
    /// A rise of the objective up to this is rounding.
    pub(super) margin: f64,
    pub(super) kkt: Kkt,
}

impl Found {
    /// Whether its figures are numbers.
    pub(super) fn is_sound(&self) -> bool {
        (self.divergence + self.penalty).is_finite() && self.kkt.is_measured()
    }
}

impl<T> Member<T> {
    pub(super) fn new(restart: usize, momentum: Option<Momentum>, plain: usize) -> Self {
        Self {
            restart,
            divergence: f64::INFINITY,
            objective: f64::INFINITY,
            least: f64::INFINITY,
            bound: 0.0,
            margin: 0.0,
            kkt: Kkt::NOT_MEASURED,
            fall: f64::INFINITY,
            momentum,
            plain,
            accepted: false,
            still: 0,
            run: 0,
            reseeded: 0,
            since: 0,
            rose: 0,
            fell_back: false,
            status: None,
            history: Vec::new(),
            errors: None,
            path: Vec::new(),
            kept: None,
        }
    }

    /// β of the next half step: none where there is no step before it, or it was taken back.
    pub(super) fn beta(&self) -> f64 {
        match self.momentum {
            Some(_) if self.plain > 0 || self.still > STILL => 0.0,
            Some(momentum) if self.accepted && self.run > 1 => momentum.beta(),
            _ => 0.0,
        }
    }

    /// Accepts the iterate, or takes the step back if it was extrapolated and the objective rose.
    pub(super) fn judge(&mut self, found: Found, first: bool) {
        let objective = found.divergence + found.penalty;
        if !found.is_sound() {
            self.status = Some(Status::NumericalTrouble);
            self.accepted = false;
            return;
        }
        // The least may have been measured less well.
        let rose = objective > self.least + found.margin.max(self.margin);
        self.accepted = first || !rose || self.momentum.is_none();
        if rose && self.momentum.is_none() {
            self.rose += 1;
        }
        match &mut self.momentum {
            _ if self.plain > 0 => self.plain -= 1,
            Some(momentum) if !first => {
                if self.accepted {
                    momentum.accept();
                } else {
                    momentum.reject();
                }
            }
            _ => {}
        }
        if self.accepted {
            self.divergence = found.divergence;
            self.fall = self.objective - objective - found.margin;
            self.still = if self.fall > 0.0 { 0 } else { self.still + 1 };
            self.objective = objective;
            self.least = self.least.min(objective);
            (self.bound, self.margin) = (found.bound, found.margin);
            self.kkt = found.kkt;
            self.run += 1;
        }
    }

    /// Takes a step back that came to nothing: a rule without extrapolation goes on.
    pub(super) fn fall_back(&mut self) {
        self.accepted = false;
        self.momentum = None;
        self.fell_back = true;
    }

    /// The iterate was changed from outside: nothing before it counts.
    pub(super) fn restart_from_here(&mut self) {
        self.accepted = false;
        self.run = 0;
        self.still = 0;
        self.divergence = f64::INFINITY;
        self.objective = f64::INFINITY;
        self.least = f64::INFINITY;
        self.reseeded += 1;
        self.since = self.history.len();
    }

    /// Whether the best iterate is stationary to `tol`, and the last step lowered the objective by no more
    /// than that share of it. The KKT residual is measured beside X: where the model leaves little of
    /// X unexplained, it is small before that little has stopped falling. An error below `tol`² of
    /// `null` is none.
    pub(super) fn has_converged(&self, tol: f64, null: f64) -> bool {
        let still = self.fall <= tol * self.objective || self.objective <= tol * tol * null;
        self.standing().1.residual() <= tol && (still || self.is_start())
    }

    /// Whether nothing is known of the iterate that it would return.
    pub(super) fn is_unjudged(&self) -> bool {
        self.objective.is_infinite() && self.kept.is_none()
    }

    /// Whether no step was judged but the first, so that nothing is known of its fall.
    fn is_start(&self) -> bool {
        self.run < 2 && self.reseeded == 0
    }

    /// Whether the accepted iterate is the best so far, but for rounding: of those that are, the last
    /// one is nearest to stationary.
    pub(super) fn is_best(&self) -> bool {
        self.accepted && self.objective <= self.least + self.margin
    }

    /// Keeps `pair`, the accepted iterate, unless the one kept is better.
    pub(super) fn keep(&mut self, pair: Pair<T>) {
        if self.better().is_none() {
            self.kept = Some((pair, (self.divergence, self.objective), self.kkt));
        }
    }

    /// The iterate kept, if it is better than the accepted one.
    fn better(&self) -> Option<&Kept<T>> {
        self.kept.as_ref().filter(|(_, (_, objective), _)| objective + self.margin < self.objective)
    }

    /// Objective and KKT residual of the best iterate.
    pub(super) fn standing(&self) -> (f64, Kkt) {
        self.better()
            .map_or((self.objective, self.kkt), |(_, (_, objective), kkt)| (*objective, *kkt))
    }

    /// The best of `pair`, the accepted iterate, and the one kept.
    pub(super) fn best(&mut self, pair: Pair<T>) -> Pair<T> {
        let is_worse = self.better().is_some();
        match self.kept.take() {
            Some((kept, (divergence, objective), kkt)) if is_worse => {
                (self.divergence, self.objective, self.kkt) = (divergence, objective, kkt);
                kept
            }
            _ => pair,
        }
    }
}
