//! Extrapolation between iterates with restart, after Ang & Gillis 2019.
//!
//! After a step from F to F_new, the next one starts from F_new + β(F_new − F). While the objective
//! falls β grows, up to a ceiling that itself creeps towards 1; when it rises, the step is taken
//! back, the ceiling drops to the last β that worked, and β shrinks.

/// The state of β and its constants, which satisfy `1 < ceiling_growth < growth < decay`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Momentum {
    beta: f64,
    last_good: f64,
    ceiling: f64,
    growth: f64,
    ceiling_growth: f64,
    decay: f64,
    least: f64,
}

impl Momentum {
    /// For half steps that only improve: γ = 1.01, γ̄ = 1.005, η = 1.5.
    pub fn gentle() -> Self {
        Self {
            beta: 0.5,
            last_good: 0.5,
            ceiling: 1.0,
            growth: 1.01,
            ceiling_growth: 1.005,
            decay: 1.5,
            least: 0.25,
        }
    }

    /// For exact half steps: γ = 1.1, γ̄ = 1.05, η = 1.5.
    pub fn bold() -> Self {
        Self { growth: 1.1, ceiling_growth: 1.05, ..Self::gentle() }
    }

    /// As [`bold`](Self::bold), but no entry is taken to decrease further: for rules that only
    /// multiply, and come back from near zero slowly.
    pub fn upward() -> Self {
        Self { least: 1.0, ..Self::bold() }
    }

    /// What an entry may become, as a share of what it is, where rules work by entries.
    pub(crate) fn least(&self) -> f64 {
        self.least
    }

    /// β for the next step.
    pub(crate) fn beta(&self) -> f64 {
        self.beta
    }

    /// The objective fell.
    pub(crate) fn accept(&mut self) {
        self.last_good = self.beta;
        self.beta = (self.beta * self.growth).min(self.ceiling);
        self.ceiling = (self.ceiling * self.ceiling_growth).min(1.0);
    }

    /// The objective rose, and the step was taken back.
    pub(crate) fn reject(&mut self) {
        self.ceiling = self.last_good;
        self.beta /= self.decay;
    }
}
