//! What the other factor follows from under a multiplicative rule: the parts of its gradient, added
//! up along with the read of X that improved the streamed factor.

use super::sweep::add_kkt;
use crate::factor::{Factor, View};
use crate::kernel::dense::{Accum, Strided, product};
use crate::kernel::kkt::KktSums;
use crate::kernel::sparse::scatter;
use crate::loss::Loss;
use crate::matrix::{Layout, Matrix, Observations, Observed, Plan};
use crate::penalty::Penalty;
use crate::scalar::Scalar;
use crate::update::{Ratio, Terms};

/// Rows whose KKT sums are formed at a time.
const PANEL_ROWS: usize = 256;

/// num and den of the other factor.
pub(crate) struct Following<T> {
    num: Factor<T>,
    /// Empty where every row has the same, `shared`.
    den: Factor<T>,
    shared: Vec<T>,
    parts: Vec<Part<T>>,
}

/// The share of one bin of rows.
pub(crate) struct Part<T> {
    num: Factor<T>,
    den: Factor<T>,
    /// Σ f of the rows, times their weights.
    mass: Vec<f64>,
}

impl<T: Scalar> Following<T> {
    /// For an other factor of `k` columns that meets `x` under this loss.
    pub(crate) fn new(plan: &Plan, x: &Observed<'_, T>, k: usize, loss: Loss) -> Self {
        let rows = x.shape().1;
        // Under KL without weights den is Σ f, the same for every row.
        let own = x.rows_weigh_apart() || loss != Loss::KL;
        let den_rows = if own { rows } else { 0 };
        let (num, den) = (Factor::zeros(rows, k), Factor::zeros(den_rows, k));
        let part = || Part { num: num.clone(), den: den.clone(), mass: vec![0.0; k] };
        let parts = plan.bins().iter().map(|_| part()).collect();
        Self { num, den, shared: vec![T::ZERO; k], parts }
    }

    /// The parts to add to in a new pass, all zero.
    pub(super) fn parts(&mut self) -> impl Iterator<Item = &mut Part<T>> {
        for part in &mut self.parts {
            part.num.view_mut().fill(T::ZERO);
            part.den.view_mut().fill(T::ZERO);
            part.mass.fill(0.0);
        }
        self.parts.iter_mut()
    }

    /// Adds the parts up, in order.
    pub(super) fn finish(&mut self, x: &Observed<'_, T>) {
        self.num.view_mut().fill(T::ZERO);
        self.den.view_mut().fill(T::ZERO);
        let mut mass = vec![0.0; self.shared.len()];
        for part in &self.parts {
            self.num.add(&part.num);
            self.den.add(&part.den);
            mass.iter_mut().zip(&part.mass).for_each(|(to, m)| *to += m);
        }
        for (to, m) in self.shared.iter_mut().zip(mass) {
            *to = T::from_f64(m);
        }
        // What was added up is what the hidden entries would have been.
        if x.layout() == (Layout::Listed { zeros: true }) {
            for j in 0..self.den.rows() {
                let weight = x.across().map_or(T::ONE, |w| w[j]);
                for (den, &all) in self.den.row_mut(j).iter_mut().zip(&self.shared) {
                    *den = Scalar::max(weight * all - *den, T::ZERO);
                }
            }
        }
    }

    /// One multiplicative step of the other factor.
    pub(super) fn advance(&self, rule: &Ratio, b: &mut Factor<T>, penalty: Penalty) {
        for j in 0..b.rows() {
            let den = if self.den.rows() > 0 { self.den.row(j) } else { &self.shared[..] };
            rule.multiply(b.row_mut(j), self.num.row(j), den, penalty);
        }
    }

    /// num and den, a row of each for each row of the other factor.
    pub(in crate::fit) fn into_parts(mut self) -> (Factor<T>, Factor<T>) {
        if self.den.rows() == 0 {
            self.den = Factor::zeros(self.num.rows(), self.num.cols());
            for j in 0..self.den.rows() {
                self.den.row_mut(j).copy_from_slice(&self.shared);
            }
        }
        (self.num, self.den)
    }

    /// The KKT sums of the other factor `b`.
    pub(super) fn kkt(&self, b: View<'_, T>, penalty: Penalty) -> KktSums {
        let mut sums = KktSums::default();
        for from in (0..b.rows()).step_by(PANEL_ROWS) {
            let range = from..b.rows().min(from + PANEL_ROWS);
            let mut den = Factor::zeros(range.len(), b.cols());
            for (at, j) in range.clone().enumerate() {
                let own = if self.den.rows() > 0 { self.den.row(j) } else { &self.shared[..] };
                den.row_mut(at).copy_from_slice(own);
            }
            let num = self.num.view().slice(range.clone());
            add_kkt(&mut sums, b.slice(range), (den.view(), num), penalty);
        }
        sums
    }
}

impl<T: Scalar> Part<T> {
    /// Adds a block whose rows `f` have these terms.
    pub(super) fn add(&mut self, block: &Observations<T>, terms: &Terms<T>, f: View<'_, T>) {
        let own_den = self.den.rows() > 0;
        let mut num = self.num.view_mut();
        let mut den = self.den.view_mut();
        match block.layout {
            Layout::Dense => {
                let ratio = Strided::of(terms.ratio.dense.view()).transposed();
                product(ratio, f, &mut num, Accum::Add);
                let weight = block.dense_weights.as_ref();
                let weight = terms.weight.dense().or(weight).filter(|_| own_den);
                if let Some(weight) = weight {
                    let weight = Strided::of(weight.view()).transposed();
                    product(weight, f, &mut den, Accum::Add);
                }
            }
            Layout::Listed { zeros } => {
                scatter(block.listed(&terms.ratio.listed), f, &mut num);
                if zeros && own_den {
                    scatter(block.hidden(), weighed(block, f).view(), &mut den);
                } else if own_den {
                    let ones = vec![T::ONE; block.values.len()];
                    let weights = block.weights.as_deref().unwrap_or(&ones);
                    scatter(block.listed(terms.weight.listed().unwrap_or(weights)), f, &mut den);
                }
            }
        }
        for i in 0..f.rows() {
            // Only a list has them by row.
            let weight = block.row_weights.as_ref().and_then(|w| w.get(i));
            let weight = weight.map_or(1.0, |w| w.to_f64());
            self.mass.iter_mut().zip(f.row(i)).for_each(|(m, f)| *m += weight * f.to_f64());
        }
    }
}

/// The rows times their weights.
fn weighed<T: Scalar>(block: &Observations<T>, f: View<'_, T>) -> Factor<T> {
    let mut f = f.to_factor();
    if let Some(weights) = &block.row_weights {
        for (i, &w) in weights.iter().enumerate() {
            f.row_mut(i).iter_mut().for_each(|f| *f *= w);
        }
    }
    f
}
