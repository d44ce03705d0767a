//! What the other factor follows from under a multiplicative rule: the parts of its gradient, added
//! up along with the read of X that improved the streamed factor.

use super::sweep::add_kkt;
use crate::factor::{Factor, View, ViewMut};
use crate::kernel::dense::{Accum, Strided, product};
use crate::kernel::kkt::KktSums;
use crate::kernel::sparse::scatter;
use crate::kernel::sums::column_sums;
use crate::loss::Loss;
use crate::matrix::{Layout, Matrix, Observations, Observed};
use crate::penalty::Penalty;
use crate::scalar::Scalar;
use crate::spare::Spare;
use crate::update::{Ratio, Terms};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Rows whose KKT sums are formed at a time.
const PANEL_ROWS: usize = 256;

/// num and den of the other factor.
pub(crate) struct Following<T> {
    sum: Part<T>,
    /// den where every row has the same.
    shared: Vec<T>,
    /// Which rows of den are added up from what is observed rather than from what is hidden.
    direct: Vec<bool>,
    /// Whether more of them were found to be needed: this sum lacks their den.
    lacking: bool,
    spare: Spare<Part<T>>,
}

/// What is left of a sum after the hidden part was taken out is lost in roundings below this share.
fn little<T: Scalar>() -> f64 {
    T::ROUNDOFF.sqrt()
}

/// The share of one bin of rows, or the sum of all.
pub(crate) struct Part<T> {
    num: Factor<T>,
    /// Empty where every row has the same, `shared`.
    den: Factor<T>,
    /// Σ f of the rows, times their weights.
    mass: Vec<f64>,
}

/// Which rows of den add up what is observed, and what each row of den weighs.
type Direct<'a, T> = (&'a [bool], Option<&'a [T]>);

/// A sum under way: shares are added in the order of the bins, whatever order they come in.
pub(super) struct Gathering<'a, T> {
    queue: Mutex<Queue<'a, T>>,
    spare: &'a Spare<Part<T>>,
    direct: Direct<'a, T>,
    /// Rows of num and of den, and columns.
    shape: (usize, usize, usize),
}

struct Queue<'a, T> {
    sum: &'a mut Part<T>,
    /// The first bin that was not added yet, and shares of later ones.
    next: usize,
    waiting: BTreeMap<usize, Part<T>>,
}

impl<T: Scalar> Gathering<'_, T> {
    /// An empty share.
    pub(super) fn share(&self) -> Part<T> {
        let mut share = self.spare.take(|_| true).unwrap_or_else(|| Part::zeros(self.shape));
        share.clear();
        share
    }

    /// Adds a block to a share: its terms, and `f`, or `f` for num and `g` for den.
    pub(super) fn add_block(
        &self,
        share: &mut Part<T>,
        block: &Observations<T>,
        terms: &Terms<T>,
        rows: (View<'_, T>, View<'_, T>),
    ) {
        share.add(block, terms, rows, self.direct);
    }

    /// Adds the share of a bin.
    pub(super) fn add(&self, bin: usize, share: Part<T>) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.waiting.insert(bin, share);
        let Queue { sum, next, waiting } = &mut *queue;
        while let Some(share) = waiting.remove(next) {
            sum.add_part(&share);
            self.spare.put(share);
            *next += 1;
        }
    }
}

impl<T: Scalar> Following<T> {
    /// For an other factor of `k` columns that meets `x` under this loss.
    pub(crate) fn new(x: &Observed<'_, T>, k: usize, loss: Loss) -> Self {
        let rows = x.shape().1;
        // Under KL without weights den is Σ f, the same for every row.
        let own = x.rows_weigh_apart() || loss != Loss::KL;
        let den_rows = if own { rows } else { 0 };
        let sum = Part::zeros((rows, den_rows, k));
        let by_hidden = own && x.layout() == (Layout::Listed { zeros: true });
        let direct = if by_hidden { x.mostly_hidden().to_vec() } else { Vec::new() };
        let shared = vec![T::ZERO; k];
        Self { sum, shared, direct, lacking: false, spare: Spare::default() }
    }

    /// Begins the sum anew.
    pub(super) fn begin<'a>(&'a mut self, across: Option<&'a [T]>) -> Gathering<'a, T> {
        let Self { sum, spare, direct, .. } = self;
        sum.clear();
        let shape = (sum.num.rows(), sum.den.rows(), sum.num.cols());
        let queue = Queue { sum, next: 0, waiting: BTreeMap::new() };
        Gathering { queue: Mutex::new(queue), spare, direct: (direct, across), shape }
    }

    /// Ends the sum.
    pub(super) fn finish(&mut self, x: &Observed<'_, T>) {
        let Self { sum: Part { den, num, mass }, shared, direct, lacking, .. } = self;
        *lacking = false;
        for (to, &m) in shared.iter_mut().zip(mass.iter()) {
            *to = T::from_f64(m);
        }
        // What was added up is what the hidden entries would have been.
        if x.layout() == (Layout::Listed { zeros: true }) {
            let little = T::from_f64(little::<T>());
            for j in 0..den.rows() {
                if direct[j] {
                    continue;
                }
                let weight = x.across().map_or(T::ONE, |w| w[j]);
                for (den, &all) in den.row_mut(j).iter_mut().zip(shared.iter()) {
                    *den = weight * all - *den;
                    direct[j] |= *den < little * weight * all;
                }
                if direct[j] {
                    *lacking = true;
                    // Until they are summed anew these rows stay as they are.
                    den.row_mut(j).copy_from_slice(num.row(j));
                }
            }
        }
    }

    /// Whether a sum of the same rows once more would have more of den.
    pub(super) fn is_lacking(&self) -> bool {
        self.lacking
    }

    /// One multiplicative step of the other factor.
    pub(super) fn advance(&self, rule: &Ratio, b: &mut Factor<T>, penalty: Penalty) {
        for j in 0..b.rows() {
            rule.multiply(b.row_mut(j), self.sum.num.row(j), self.den(j), penalty);
        }
    }

    /// den of one row.
    fn den(&self, j: usize) -> &[T] {
        if self.sum.den.rows() > 0 { self.sum.den.row(j) } else { &self.shared }
    }

    /// num and den, a row of each for each row of the other factor.
    pub(in crate::fit) fn into_parts(self) -> (Factor<T>, Factor<T>) {
        let Part { num, mut den, .. } = self.sum;
        if den.rows() == 0 {
            den = Factor::zeros(num.rows(), num.cols());
            for j in 0..den.rows() {
                den.row_mut(j).copy_from_slice(&self.shared);
            }
        }
        (num, den)
    }

    /// The KKT sums of the other factor `b`.
    pub(super) fn kkt(&self, b: View<'_, T>, penalty: Penalty) -> KktSums {
        let mut sums = KktSums::default();
        for from in (0..b.rows()).step_by(PANEL_ROWS) {
            let range = from..b.rows().min(from + PANEL_ROWS);
            let mut den = Factor::zeros(range.len(), b.cols());
            for (at, j) in range.clone().enumerate() {
                den.row_mut(at).copy_from_slice(self.den(j));
            }
            let num = self.sum.num.view().slice(range.clone());
            add_kkt(&mut sums, b.slice(range), (den.view(), num), penalty);
        }
        sums
    }
}

impl<T: Scalar> Part<T> {
    fn zeros((rows, den_rows, k): (usize, usize, usize)) -> Self {
        let (num, den) = (Factor::zeros(rows, k), Factor::zeros(den_rows, k));
        Self { num, den, mass: vec![0.0; k] }
    }

    fn clear(&mut self) {
        self.num.view_mut().fill(T::ZERO);
        self.den.view_mut().fill(T::ZERO);
        self.mass.fill(0.0);
    }

    fn add_part(&mut self, other: &Self) {
        self.num.add(&other.num);
        self.den.add(&other.den);
        self.mass.iter_mut().zip(&other.mass).for_each(|(to, m)| *to += m);
    }

    /// Adds a block with these terms, whose rows are `f`, or `f` for num and `g` for den; `direct` says
    /// which rows of den add up what is observed.
    fn add(
        &mut self,
        block: &Observations<T>,
        terms: &Terms<T>,
        (f, g): (View<'_, T>, View<'_, T>),
        direct: Direct<'_, T>,
    ) {
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
                    product(weight, g, &mut den, Accum::Add);
                }
            }
            Layout::Listed { zeros } => {
                scatter(block.listed(&terms.ratio.listed), f, &mut num);
                if zeros && own_den {
                    let g = weighed(block, g);
                    if direct.0.contains(&true) {
                        add_either(block, g.view(), direct, &mut den);
                    } else {
                        scatter(block.hidden(), g.view(), &mut den);
                    }
                } else if own_den {
                    let ones = vec![T::ONE; block.values.len()];
                    let weights = block.weights.as_deref().unwrap_or(&ones);
                    scatter(block.listed(terms.weight.listed().unwrap_or(weights)), g, &mut den);
                }
            }
        }
        // Only a list has weights by row.
        let sums = column_sums(g, block.row_weights.as_deref());
        self.mass.iter_mut().zip(sums).for_each(|(m, sum)| *m += sum);
    }
}

/// Adds rows to den where they are hidden or, of those that are `direct`, where they are not.
fn add_either<T: Scalar>(
    block: &Observations<T>,
    g: View<'_, T>,
    (direct, across): Direct<'_, T>,
    den: &mut ViewMut<'_, T>,
) {
    let mut is_hidden = vec![false; direct.len()];
    let list: Vec<usize> = (0..direct.len()).filter(|&j| direct[j]).collect();
    for i in 0..g.rows() {
        let mut add = |j: usize, weight: T| {
            den.row_mut(j).iter_mut().zip(g.row(i)).for_each(|(to, &g)| *to += weight * g);
        };
        for (j, weight) in block.hidden_in(i) {
            is_hidden[j] = true;
            if !direct[j] {
                add(j, weight);
            }
        }
        for &j in list.iter().filter(|&&j| !is_hidden[j]) {
            add(j, across.map_or(T::ONE, |w| w[j]));
        }
        block.hidden_in(i).for_each(|(j, _)| is_hidden[j] = false);
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
