//! The k×k Gram matrix of a factor.

use crate::factor::{Factor, View};
use crate::kernel::dense::{Accum, Strided, gram, product};
use crate::scalar::Scalar;

/// Rows whose Gram matrix is summed in T before it is added in `f64`.
const PANEL_ROWS: usize = 256;

/// FᵀF, summed in `f64` and rounded once for the kernels.
#[derive(Debug, Clone, PartialEq)]
pub struct Gram<T> {
    k: usize,
    wide: Vec<f64>,
    narrow: Vec<T>,
}

impl<T: Scalar> Gram<T> {
    /// From k·k values, row-major; the two triangles are averaged.
    ///
    /// # Panics
    /// If there are not k·k values.
    pub fn new(k: usize, mut wide: Vec<f64>) -> Self {
        assert_eq!(wide.len(), k * k, "a Gram matrix of {k} components needs k · k values");
        for s in 0..k {
            for t in 0..s {
                let mean = 0.5 * (wide[s * k + t] + wide[t * k + s]);
                wide[s * k + t] = mean;
                wide[t * k + s] = mean;
            }
        }
        let narrow = wide.iter().map(|&v| T::from_f64(v)).collect();
        Self { k, wide, narrow }
    }

    /// This with `ridge` added to the diagonal.
    #[must_use]
    pub fn ridged(&self, ridge: f64) -> Self {
        let mut wide = self.wide.clone();
        wide.iter_mut().step_by(self.k + 1).for_each(|v| *v += ridge);
        Self::new(self.k, wide)
    }

    /// ‖F‖²: the sum of the diagonal.
    pub fn trace(&self) -> f64 {
        self.wide.iter().step_by(self.k + 1).sum()
    }

    /// Number of components.
    pub fn k(&self) -> usize {
        self.k
    }
    /// Row-major values in `f64`.
    pub fn wide(&self) -> &[f64] {
        &self.wide
    }
    /// Row-major values in `T`.
    pub fn narrow(&self) -> &[T] {
        &self.narrow
    }
    /// Whether component `t` is zero throughout.
    pub fn is_dead(&self, t: usize) -> bool {
        self.narrow[t * self.k + t] <= T::ZERO
    }
    /// ⟨this, other⟩ = ‖W Hᵀ‖² when they are the Grams of W and H.
    pub fn dot(&self, other: &Self) -> f64 {
        self.wide.iter().zip(&other.wide).map(|(a, b)| a * b).sum()
    }
}

/// `sum += fᵀg` for panels f and g: products in T, sums over panels in f64.
pub(crate) fn add_gram<T: Scalar>(f: View<'_, T>, g: View<'_, T>, sum: &mut [f64]) {
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
