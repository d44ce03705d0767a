//! The parts of the gradient, and the divergence, of some rows as they are.

use super::Stale;
use crate::factor::{Factor, View};
use crate::kernel::dense::{Accum, Strided, product};
use crate::kernel::panel::{padded, whole_panel};
use crate::kernel::sddmm::sddmm;
use crate::kernel::sparse::gather;
use crate::kernel::sums::column_sums;
use crate::loss::{Divergence, Loss, WithDivergence};
use crate::matrix::{Layout, Observations};
use crate::scalar::Scalar;
use crate::update::gram_wide;
use std::sync::OnceLock;

/// What is left of a sum after a part was taken out has lost its digits below this share of the sum.
const LITTLE: f64 = 1e-6;

/// The factor that is held, in the forms that rules by entries need.
pub(crate) struct Held<'a, T> {
    /// n×k.
    pub(crate) f: View<'a, T>,
    /// Its transpose, k×n with lines padded as panels are, for dense blocks.
    pub(crate) across: Factor<T>,
    /// Σ_j s_j h_j with s the weights of the columns.
    pub(crate) sums: Vec<f64>,
    /// The weights of the columns, s.
    weights: Option<&'a [T]>,
    /// Σ_j h_j h_jᵀ, once it is asked for.
    gram: OnceLock<Factor<T>>,
}

impl<'a, T: Scalar> Held<'a, T> {
    pub(crate) fn new(f: View<'a, T>, layout: Layout, weights: Option<&'a [T]>) -> Self {
        let (n, k) = (f.rows(), f.cols());
        let mut across = Factor::zeros(0, 0);
        if layout == Layout::Dense {
            across = Factor::zeros(k, padded(n));
            let stride = across.stride();
            whole_panel(f, across.as_mut_slice(), stride);
        }
        Self { f, across, sums: column_sums(f, weights), weights, gram: OnceLock::new() }
    }

    /// Σ_j s_j h_j over the columns that row `i` of a block does not hide: what is left of the sum over
    /// all or, where that is little beside what was there, the sum itself.
    fn seen_in(&self, block: &Observations<T>, i: usize, left: &mut [f64]) {
        left.copy_from_slice(&self.sums);
        let mut hidden = 0;
        for (j, weight) in block.hidden_in(i) {
            let weight = weight.to_f64();
            left.iter_mut().zip(self.f.row(j)).for_each(|(l, h)| *l -= weight * h.to_f64());
            hidden += 1;
        }
        let lost = |(left, all): (&f64, &f64)| *left < LITTLE * all;
        if 2 * hidden <= self.f.rows() && !left.iter().zip(&self.sums).any(lost) {
            return;
        }
        left.fill(0.0);
        let mut is_hidden = vec![false; self.f.rows()];
        block.hidden_in(i).for_each(|(j, _)| is_hidden[j] = true);
        for j in (0..self.f.rows()).filter(|&j| !is_hidden[j]) {
            let weight = self.weights.map_or(1.0, |weights| weights[j].to_f64());
            left.iter_mut().zip(self.f.row(j)).for_each(|(l, h)| *l += weight * h.to_f64());
        }
    }

    /// The Gram matrix.
    pub(super) fn gram(&self) -> &Factor<T> {
        self.gram.get_or_init(|| {
            let k = self.f.cols();
            let narrow: Vec<T> = gram_wide(self.f).into_iter().map(T::from_f64).collect();
            Factor::from_rows(k, k, &narrow)
        })
    }
}

/// What a step or a look is to tell of the rows it leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The parts of the gradient.
    pub(crate) gradient: bool,
    pub(crate) divergence: bool,
}

impl Wanted {
    pub(crate) const NOTHING: Self = Self { gradient: false, divergence: false };
    pub(crate) const GRADIENT: Self = Self { gradient: true, divergence: false };
    pub(crate) const DIVERGENCE: Self = Self { gradient: false, divergence: true };
    pub(crate) const BOTH: Self = Self { gradient: true, divergence: true };
}

/// What is found for the rows of a block.
pub(crate) struct Terms<T> {
    /// Negative and positive part of the gradient, a row for each row of the block.
    pub(crate) num: Factor<T>,
    pub(crate) den: Factor<T>,
    /// p·ratio and p·weight of the entries as a [`Divergence`] has them, dense or listed, where the
    /// gradient is wanted. The second is left empty where it is 1 throughout.
    pub(crate) ratio: Entrywise<T>,
    pub(crate) weight: Entrywise<T>,
    /// Σ p·d(x, q) over the block.
    pub(crate) divergence: f64,
    pub(crate) wanted: Wanted,
    /// Fitted values of listed entries.
    pub(super) q: Vec<T>,
    /// What a joint rule leaves.
    pub(crate) stale: Option<Stale<T>>,
}

/// A value for each entry of a block.
pub(crate) struct Entrywise<T> {
    pub(crate) dense: Factor<T>,
    pub(crate) listed: Vec<T>,
}

impl<T: Scalar> Entrywise<T> {
    /// The dense values, if there are any.
    pub(crate) fn dense(&self) -> Option<&Factor<T>> {
        (self.dense.rows() > 0).then_some(&self.dense)
    }

    /// The listed values, if there are any.
    pub(crate) fn listed(&self) -> Option<&[T]> {
        (!self.listed.is_empty()).then_some(&self.listed)
    }

    fn empty() -> Self {
        Self { dense: Factor::zeros(0, 0), listed: Vec::new() }
    }

    pub(super) fn fit(&mut self, block: &Observations<T>) {
        let (rows, cols) = (block.dense.rows(), block.dense.cols());
        self.dense.reshape(rows, cols);
        self.listed.resize(block.values.len(), T::ZERO);
    }
}

impl<T: Scalar> Terms<T> {
    pub(crate) fn new(wanted: Wanted) -> Self {
        let none = || Factor::zeros(0, 0);
        Self {
            num: none(),
            den: none(),
            ratio: Entrywise::empty(),
            weight: Entrywise::empty(),
            divergence: 0.0,
            wanted,
            q: Vec::new(),
            stale: None,
        }
    }

    /// Makes room for the rows of a block.
    pub(super) fn fit(&mut self, block: &Observations<T>, k: usize) {
        let rows = block.rows.len();
        self.num.reshape(rows, k);
        self.den.reshape(rows, k);
        self.q.resize(block.values.len(), T::ZERO);
    }
}

/// Terms of the rows `f` of a block.
pub(crate) fn evaluate<T: Scalar>(
    loss: Loss,
    block: &Observations<T>,
    held: &Held<'_, T>,
    f: View<'_, T>,
    terms: &mut Terms<T>,
) {
    terms.fit(block, f.cols());
    terms.ratio.fit(block);
    loss.with(Evaluate { block, held, f, terms });
}

/// As [`evaluate`], for the parts of the gradient alone.
pub(crate) fn evaluate_gradient<T: Scalar>(
    loss: Loss,
    block: &Observations<T>,
    held: &Held<'_, T>,
    f: View<'_, T>,
    terms: &mut Terms<T>,
) {
    evaluate_alone(Wanted::GRADIENT, loss, block, held, f, terms);
}

/// As [`evaluate`], for the divergence alone: the parts of the gradient stay as they are.
pub(super) fn evaluate_divergence<T: Scalar>(
    loss: Loss,
    block: &Observations<T>,
    held: &Held<'_, T>,
    f: View<'_, T>,
    terms: &mut Terms<T>,
) {
    evaluate_alone(Wanted::DIVERGENCE, loss, block, held, f, terms);
}

fn evaluate_alone<T: Scalar>(
    wanted: Wanted,
    loss: Loss,
    block: &Observations<T>,
    held: &Held<'_, T>,
    f: View<'_, T>,
    terms: &mut Terms<T>,
) {
    let before = std::mem::replace(&mut terms.wanted, wanted);
    evaluate(loss, block, held, f, terms);
    terms.wanted = before;
}

/// den where the derivative of the loss has a constant positive part: Σ p h for each row.
pub(super) fn weigh_rows<T: Scalar>(
    block: &Observations<T>,
    held: &Held<'_, T>,
    den: &mut Factor<T>,
) {
    let rows = block.rows.len();
    match (block.layout, &block.dense_weights, &block.weights) {
        (Layout::Dense, Some(weights), _) => {
            product(Strided::of(weights.view()), held.f, &mut den.view_mut(), Accum::Replace);
        }
        (Layout::Listed { zeros: false }, _, weights) => {
            let ones = if weights.is_none() { vec![T::ONE; block.values.len()] } else { vec![] };
            let weights = weights.as_deref().unwrap_or(&ones);
            gather(block.listed(weights), held.f, &mut den.view_mut());
        }
        _ => {
            // What is left of nearly equal sums is as exact as they are: so they are wide.
            let mut left = vec![0.0; held.sums.len()];
            for i in 0..rows {
                held.seen_in(block, i, &mut left);
                let own = block.row_weights.as_ref().map_or(1.0, |w| w[i].to_f64());
                for (den, left) in den.row_mut(i).iter_mut().zip(&left) {
                    *den = T::from_f64(own * left.max(0.0));
                }
            }
        }
    }
}

struct Evaluate<'a, 'b, T: Scalar> {
    block: &'a Observations<T>,
    held: &'a Held<'b, T>,
    f: View<'a, T>,
    terms: &'a mut Terms<T>,
}

impl<T: Scalar> WithDivergence for Evaluate<'_, '_, T> {
    type Out = ();

    fn run<D: Divergence>(self, d: D) {
        let Self { block, held, f, terms } = self;
        if !D::CONSTANT_WEIGHT {
            terms.weight.fit(block);
        } else {
            weigh_rows(block, held, &mut terms.den);
        }
        match block.layout {
            Layout::Dense => dense(d, block, held, f, terms),
            Layout::Listed { .. } => listed(d, block, held, f, terms),
        }
        if block.layout == (Layout::Listed { zeros: true }) && terms.wanted.divergence {
            terms.divergence += unlisted(block, f, terms);
        }
    }
}

fn dense<T: Scalar, D: Divergence>(
    d: D,
    block: &Observations<T>,
    held: &Held<'_, T>,
    f: View<'_, T>,
    terms: &mut Terms<T>,
) {
    let across = held.across.view().columns(0..block.cols);
    product(Strided::of(f), across, &mut terms.ratio.dense.view_mut(), Accum::Replace);
    let mut total = 0.0;
    for i in 0..f.rows() {
        let x = block.dense.row(i);
        let weights = block.dense_weights.as_ref().map(|w| w.row(i));
        let q = terms.ratio.dense.row_mut(i);
        if terms.wanted.divergence {
            total += d.total(x, q, weights);
        }
        if terms.wanted.gradient {
            let weight = (!D::CONSTANT_WEIGHT).then(|| terms.weight.dense.row_mut(i));
            parts(d, (x, weights), q, weight);
        }
    }
    terms.divergence = total;
    if !terms.wanted.gradient {
        return;
    }
    let ratio = Strided::of(terms.ratio.dense.view());
    product(ratio, held.f, &mut terms.num.view_mut(), Accum::Replace);
    if !D::CONSTANT_WEIGHT {
        let weight = Strided::of(terms.weight.dense.view());
        product(weight, held.f, &mut terms.den.view_mut(), Accum::Replace);
    }
}

fn listed<T: Scalar, D: Divergence>(
    d: D,
    block: &Observations<T>,
    held: &Held<'_, T>,
    f: View<'_, T>,
    terms: &mut Terms<T>,
) {
    sddmm(block.listed(&block.values), f, held.f, &mut terms.q);
    let (x, p, q) = (&block.values[..], block.weights.as_deref(), &terms.q[..]);
    terms.divergence = if terms.wanted.divergence { d.total(x, q, p) } else { 0.0 };
    if !terms.wanted.gradient {
        return;
    }
    let weight = (!D::CONSTANT_WEIGHT).then(|| &mut terms.weight.listed[..]);
    terms.ratio.listed.copy_from_slice(q);
    parts(d, (x, p), &mut terms.ratio.listed, weight);
    gather(block.listed(&terms.ratio.listed), held.f, &mut terms.num.view_mut());
    if !D::CONSTANT_WEIGHT {
        gather(block.listed(&terms.weight.listed), held.f, &mut terms.den.view_mut());
    }
}

/// Weights of a run of entries, and ratios in the place of their fitted values.
#[inline]
fn parts<T: Scalar, D: Divergence>(
    d: D,
    (x, p): (&[T], Option<&[T]>),
    q: &mut [T],
    weight: Option<&mut [T]>,
) {
    let mut weight = weight;
    d.slopes(x, q, weight.as_deref_mut());
    let Some(p) = p else { return };
    for part in weight.into_iter().chain([q]) {
        part.iter_mut().zip(p).for_each(|(part, &p)| *part = seen(p, *part));
    }
}

/// p·value, and 0 for a missing entry whatever its value.
fn seen<T: Scalar>(p: T, value: T) -> T {
    if p > T::ZERO { p * value } else { T::ZERO }
}

/// Σ q over the zeros that are not listed: all of q, less what is listed.
pub(super) fn unlisted<T: Scalar>(
    block: &Observations<T>,
    f: View<'_, T>,
    terms: &Terms<T>,
) -> f64 {
    let mut total = 0.0;
    for i in 0..f.rows() {
        let row = f.row(i).iter().zip(terms.den.row(i));
        let all: f64 = row.map(|(f, den)| f.to_f64() * den.to_f64()).sum();
        let span = block.indptr[i]..block.indptr[i + 1];
        let q = terms.q[span.clone()].iter().map(|q| q.to_f64());
        let listed: f64 = match &block.weights {
            None => q.sum(),
            Some(weights) => q.zip(&weights[span]).map(|(q, w)| q * w.to_f64()).sum(),
        };
        total += (all - listed).max(0.0);
    }
    total
}
