//! Rules that improve one factor while the other is held.
//!
//! For a row f of the free factor, with G the Gram matrix of the other factor and b the row of the
//! product with X, every rule lowers `½ f G fᵀ − b fᵀ + λ₁ Σf` over f ≥ 0. Rows are independent, so a
//! rule sees a panel of them and knows neither X nor the other panels. λ₁ is the charge of the
//! penalties; their curvature is on the diagonal of G.
//!
//! Losses other than the Frobenius norm have no Gram matrix: [`Rule::Mu`], [`Rule::Mue`] and
//! [`Rule::Sn`] work on the ratio X ⊘ WH there.

mod als;
mod bpp;
mod entries;
mod gram;
mod hals;
mod momentum;
mod mu;
mod pgd;

pub use als::Als;
pub use bpp::Bpp;
pub(crate) use entries::{EntryRule, Held, Ratio, Terms, Wanted, evaluate, evaluate_gradient};
pub use gram::Gram;
pub(crate) use gram::{add_gram, gram_wide};
pub use hals::Hals;
pub use momentum::Momentum;
pub use mu::Mu;
pub use pgd::Pgd;

use crate::factor::{View, ViewMut};
use crate::loss::Loss;
use crate::names::names;
use crate::scalar::Scalar;

/// A rule: what it needs of the other factor is prepared once per half step.
pub trait Update<T: Scalar>: Send + Sync {
    /// Gets ready for rows under this Gram matrix, with every unit of every entry charged `charge`.
    fn prepare<'a>(&'a self, gram: &'a Gram<T>, charge: T) -> Box<dyn Improve<T> + 'a>;

    /// Whether a half step can never raise the objective.
    fn is_monotone(&self) -> bool {
        true
    }

    /// Whether an entry that is zero stays zero.
    fn locks_zeros(&self) -> bool {
        false
    }

    /// How to extrapolate between steps, where that is known to help.
    fn momentum(&self) -> Option<Momentum> {
        None
    }
}

/// A rule ready for the rows of one half step.
pub trait Improve<T: Scalar>: Sync {
    /// Improves the rows `f`, which start non-negative; `b` has a row for each.
    fn improve(&self, f: &mut ViewMut<'_, T>, b: View<'_, T>);
}

names! {
    /// The rules, by the names of their papers.
    pub enum Rule("rule") {
        /// Hierarchical alternating least squares, extrapolated: the default.
        Hals = "hals" | "cd" | "coordinate-descent" | "hierarchical-als" | "a-hals" | "e-hals",
        /// Multiplicative updates.
        Mu = "mu" | "mur" | "multiplicative" | "multiplicative-update" | "multiplicative-updates",
        /// Exact alternating non-negative least squares by block principal pivoting.
        Bpp = "bpp" | "anls-bpp" | "anls" | "block-principal-pivoting" | "nnls",
        /// Projected gradient with an exact line search.
        Pgd = "pgd" | "pg" | "projected-gradient" | "projected-gradient-descent",
        /// Least squares, then clipped: a heuristic.
        Als = "als" | "alternating-least-squares",
        /// Scalar Newton steps, damped and extrapolated: the default for KL, and for KL alone.
        Sn = "sn" | "scalar-newton",
        /// Multiplicative updates, extrapolated: the default for other losses.
        Mue = "mue",
        /// Joint majorisation-minimisation: both factors from the same fit.
        Jmm = "jmm" | "joint-majorisation-minimisation" | "joint-majorization-minimization",
    } instead {
        "lee" => "mu (loss frobenius)",
        "lee-seung" => "mu",
        "brunet" => "mu (loss kl)",
        "gradient-descent" => "pgd",
        "gd" => "pgd",
        "newton" => "sn (loss kl)",
        "anls-as" => "bpp",
        "active-set" => "bpp",
        "admm" => "hals, the fastest for frobenius",
        "auto" => "to leave it out: the fastest rule for the loss is the default",
        "online" => "mu? A fit reads all of X; batches are taken by Online and MiniBatchNMF of the library",
    }
}

impl Rule {
    /// The fastest rule for a loss.
    pub fn fastest(loss: Loss) -> Self {
        match loss {
            Loss::FROBENIUS => Self::Hals,
            Loss::KL => Self::Sn,
            _ => Self::Mue,
        }
    }

    /// Whether this rule minimises that loss.
    pub fn supports(self, loss: Loss) -> bool {
        match self {
            Self::Mu => true,
            Self::Sn => loss == Loss::KL,
            Self::Mue | Self::Jmm => loss != Loss::FROBENIUS,
            _ => loss == Loss::FROBENIUS,
        }
    }

    /// The rule that goes on where a step of this one comes to nothing: one that multiplies by ratios of
    /// sums of what is positive.
    pub(crate) fn safer(self) -> Option<Self> {
        (self != Self::Mu).then_some(Self::Mu)
    }

    /// Whether this rule can do without a Gram matrix that all rows share.
    pub fn works_by_entries(self) -> bool {
        matches!(self, Self::Hals | Self::Bpp | Self::Mu | Self::Mue | Self::Jmm | Self::Sn)
    }

    /// The rule itself under the Frobenius loss, with `sweeps` inner sweeps where it has any.
    pub fn update<T: Scalar>(self, sweeps: usize) -> Box<dyn Update<T>> {
        match self {
            Self::Hals | Self::Sn => Box::new(Hals { sweeps, plain: false }),
            Self::Mu | Self::Mue | Self::Jmm => Box::new(Mu { sweeps: 1 }),
            Self::Bpp => Box::new(Bpp),
            Self::Pgd => Box::new(Pgd { steps: 2 * sweeps }),
            Self::Als => Box::new(Als),
        }
    }

    /// The rule as most programs have it, one sweep at a time.
    pub fn plain<T: Scalar>(self) -> Box<dyn Update<T>> {
        match self {
            Self::Hals => Box::new(Hals { sweeps: 1, plain: true }),
            _ => self.update(1),
        }
    }
}
