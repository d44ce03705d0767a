//! The elastic net: λ₁‖F‖₁ + ½λ₂‖F‖²_F for a factor F.
//!
//! λ₁ makes entries zero, λ₂ keeps them small. Charged on one factor alone λ₁ means little: the
//! other factor can grow in exchange, so charge both, or hold one.

use crate::error::{Error, Result};
use crate::factor::Factor;
use crate::scalar::Scalar;

/// λ₁‖F‖₁ + ½λ₂‖F‖² for one factor F; zero by default.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Penalty {
    /// λ₁, the price of the sum of all entries.
    pub l1: f64,
    /// λ₂, the price of half the sum of all squares.
    pub l2: f64,
}

impl Penalty {
    /// Nothing is charged.
    pub const NONE: Self = Self { l1: 0.0, l2: 0.0 };

    /// Whether nothing is charged.
    pub fn is_none(&self) -> bool {
        *self == Self::NONE
    }

    /// The charge for a factor with this sum of entries and of squares.
    pub(crate) fn value(&self, sum: f64, sum_sq: f64) -> f64 {
        self.l1 * sum + 0.5 * self.l2 * sum_sq
    }

    /// The charge for a factor.
    pub(crate) fn of<T: Scalar>(&self, f: &Factor<T>) -> f64 {
        if self.is_none() {
            return 0.0;
        }
        let values = f.as_slice().iter().map(|v| v.to_f64());
        self.value(values.clone().sum(), values.map(|v| v * v).sum())
    }

    /// The same charge when X is in units of 2^x, the factor in units of 2^f, and the loss is of
    /// this degree in X.
    pub(crate) fn in_scales(&self, (x, f): (i32, i32), of_loss: f64) -> Self {
        // A unit may lie beyond the range of f64, where nothing charged is still nothing.
        let charge = |price: f64, degree: i32| match price {
            0.0 => 0.0,
            _ => price * (f64::from(degree * f) - of_loss * f64::from(x)).exp2(),
        };
        Self { l1: charge(self.l1, 1), l2: charge(self.l2, 2) }
    }

    /// The same charge beside weights that were divided by 2^unit.
    pub(crate) fn in_units_of_weights(&self, unit: i32) -> Self {
        let half = unit / 2;
        let by = [half, unit - half].map(|e| 2f64.powi(-e));
        Self { l1: self.l1 * by[0] * by[1], l2: self.l2 * by[0] * by[1] }
    }

    /// Checks the range of both.
    pub(crate) fn check(&self, options: [&'static str; 2]) -> Result<()> {
        for (option, value) in options.into_iter().zip([self.l1, self.l2]) {
            if !(value >= 0.0 && value.is_finite()) {
                let (value, needed) = (value.to_string(), "a finite number >= 0");
                return Err(Error::Option { option, value, needed });
            }
        }
        Ok(())
    }
}
