//! Figures about a result.

mod hoyer;

pub use hoyer::{Sparsity, hoyer};

/// How far a pair of factors is from stationary, free of every scale.
///
/// With R the ratio of the negative to the positive part of the gradient, a factor is stationary
/// when R = 1 where it is positive and R ≤ 1 where it is zero. ρ is the mean of |1 − R| over the
/// positive entries, weighted by their share of W·H; η is the largest R − 1 over the zero ones.
/// Neither changes when X, W or H are rescaled, and neither exceeds [`Kkt::MOST`]. What was not
/// measured is NaN: see [`Kkt::is_measured`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kkt {
    /// ρ of W.
    pub w: f64,
    /// η of W.
    pub w_zeros: f64,
    /// ρ of H.
    pub h: f64,
    /// η of H.
    pub h_zeros: f64,
}

impl Kkt {
    /// Stationary.
    pub const ZERO: Self = Self { w: 0.0, w_zeros: 0.0, h: 0.0, h_zeros: 0.0 };
    /// Not measured: there was no time, or nothing finite to measure.
    pub const NOT_MEASURED: Self =
        Self { w: f64::NAN, w_zeros: f64::NAN, h: f64::NAN, h_zeros: f64::NAN };
    /// What a part counts as at most: W·H is zero, or almost, below a positive entry of X, so that the
    /// positive part of the gradient is nothing beside the negative one.
    pub const MOST: f64 = crate::kernel::kkt::MOST;
    /// How much more the worst zero may miss than the mean.
    pub const ZEROS_ALLOWANCE: f64 = 10.0;

    /// Whether all parts are known.
    pub fn is_measured(&self) -> bool {
        ![self.w, self.w_zeros, self.h, self.h_zeros].iter().any(|v| v.is_nan())
    }

    /// The one number that `tol` is compared with: max(ρ_W, ρ_H, η_W / 10, η_H / 10). NaN unless all of
    /// them were measured.
    pub fn residual(&self) -> f64 {
        if !self.is_measured() {
            return f64::NAN;
        }
        let zeros = self.w_zeros.max(self.h_zeros) / Self::ZEROS_ALLOWANCE;
        self.w.max(self.h).max(zeros)
    }
}
