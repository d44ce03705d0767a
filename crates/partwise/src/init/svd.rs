//! Leading singular triples of X by subspace iteration, one read of X per step (Halko, Martinsson &
//! Tropp 2011, algorithm 4.4, <https://doi.org/10.1137/090771806>).
//!
//! Each step takes a basis Ω of a few columns to one of XᵀXΩ; the fused pass forms XΩ and Xᵀ(XΩ) in one
//! read. At the end XΩ gives an orthonormal Q, XᵀQ its other side, and the singular value
//! decomposition of QᵀX needs only the Gram matrix of XᵀQ.
//!
//! Columns are made orthonormal in their order: so they come to stand in the order of the singular
//! values they belong to, and a product rounds each in relation to its own.

use super::basis::{gram, independent, steep, times};
use crate::error::Result;
use crate::factor::Factor;
use crate::matrix::{Matrix, Plan, Workspace, pass};
use crate::rng::Stream;
use crate::scalar::Scalar;
use nalgebra::{DMatrix, SymmetricEigen};

/// Columns beyond those asked for, and steps: enough for seven digits where a gap exists at all.
const EXTRA: usize = 10;
const STEPS: usize = 7;
/// Directions with less than this share of the largest eigenvalue are rounding, and so are those whose
/// singular value is less than so many roundoffs of the largest.
const NEGLIGIBLE: f64 = 1e-13;
const ROUNDOFFS: f64 = 16.0;

/// X ≈ Σ s_t u_t v_tᵀ, largest first; columns beyond the rank of X are zero.
pub(crate) struct Svd<T> {
    pub(crate) u: Factor<T>,
    pub(crate) s: Vec<f64>,
    pub(crate) v: Factor<T>,
}

/// The vectors an iteration begins with, a row for each column of X, and its steps.
pub(crate) struct Begin<T> {
    pub(crate) test: Factor<T>,
    pub(crate) steps: usize,
}

impl<T: Scalar> Begin<T> {
    /// With normal random numbers.
    pub(crate) fn drawn(cols: usize, rank: usize, seed: u64) -> Self {
        let width = (rank + EXTRA).min(cols).max(1);
        let mut rng = Stream::new(seed, u64::MAX);
        let mut test = Factor::<T>::zeros(cols, width);
        for j in 0..cols {
            test.row_mut(j).iter_mut().for_each(|v| *v = T::from_f64(rng.normal()));
        }
        Self { test, steps: STEPS }
    }
}

/// The `rank` leading singular triples.
pub(crate) fn leading<T: Scalar>(
    x: &dyn Matrix<T>,
    rank: usize,
    begin: Begin<T>,
) -> Result<Svd<T>> {
    let Begin { test: mut basis, steps } = begin;
    let cols = x.shape().1;
    if basis.cols() > cols {
        // So many span all there is.
        basis = basis.view().columns(0..cols).to_factor();
    }
    let mut products = Products::new(x, basis.cols());
    for step in 0..steps {
        products.read(&basis)?;
        let (mut even, least) = independent(&gram(x, &products.back)?);
        if step == 0 && least < steep::<T>() {
            // XᵀX has the singular values squared. From columns whose images are orthonormal nothing
            // is rounded in relation to more than the largest one.
            basis = times(x, &basis, &independent(&gram(x, &products.image)?).0)?;
            products.read(&basis)?;
            even = independent(&gram(x, &products.back)?).0;
        }
        basis = times(x, &products.back, &even)?;
    }
    products.read(&basis)?;
    let Products { image, back, .. } = products;
    let (even, _) = independent(&gram(x, &image)?);
    let across = times(x, &back, &even)?;
    drop(back);
    let (s, [own, other]) = rotations::<T>(&gram(x, &across)?, &even, rank);
    Ok(Svd { u: times(x, &image, &own)?, v: times(x, &across, &other)?, s })
}

/// XΩ and Xᵀ(XΩ).
struct Products<'a, T: Scalar> {
    x: &'a dyn Matrix<T>,
    plan: Plan,
    workspace: Workspace<T>,
    image: Factor<T>,
    back: Factor<T>,
}

impl<'a, T: Scalar> Products<'a, T> {
    fn new(x: &'a dyn Matrix<T>, width: usize) -> Self {
        let (rows, cols) = x.shape();
        let plan = Plan::new(x, width);
        let workspace = Workspace::new(&plan, cols, width);
        let (image, back) = (Factor::zeros(rows, width), Factor::zeros(cols, width));
        Self { x, plan, workspace, image, back }
    }

    /// Forms both in one read of X.
    fn read(&mut self, basis: &Factor<T>) -> Result<()> {
        let ends = self.plan.ends();
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let bins = self.image.view_mut().split_rows(&ends);
        let mut states: Vec<_> = bins.into_iter().zip(starts).collect();
        let (plan, workspace) = (&self.plan, &mut self.workspace);
        let back = Some(&mut self.back);
        pass(
            self.x,
            plan,
            workspace,
            basis.view(),
            back,
            &mut states,
            &|(bin, start), mut block| {
                let at = block.rows.start - *start;
                bin.slice(at..at + block.rows.len()).copy_from(block.b);
                block.out.copy_from(block.b);
            },
        )
    }
}

/// The leading singular values of QᵀX from the Gram matrix of XᵀQ, and what XΩ and XᵀQ are multiplied
/// with for its singular vectors, if XΩ is multiplied with `even` for Q.
fn rotations<T: Scalar>(
    gram: &Factor<f64>,
    even: &Factor<f64>,
    rank: usize,
) -> (Vec<f64>, [Factor<f64>; 2]) {
    let k = gram.cols();
    let symmetric = |s, t| 0.5 * (gram.get(s, t) + gram.get(t, s));
    let found = SymmetricEigen::new(DMatrix::from_fn(k, k, symmetric));
    let mut order: Vec<usize> = (0..k).collect();
    order.sort_by(|&a, &b| found.eigenvalues[b].total_cmp(&found.eigenvalues[a]));
    let largest = order.first().map_or(0.0, |&t| found.eigenvalues[t]);
    let least = largest * NEGLIGIBLE.max((ROUNDOFFS * T::ROUNDOFF).powi(2));
    let s: Vec<f64> = (0..rank)
        .map(|t| order.get(t).map_or(0.0, |&t| found.eigenvalues[t]))
        .map(|value| if value > least { value.sqrt() } else { 0.0 })
        .collect();
    let (mut own, mut other) = (Factor::zeros(k, rank), Factor::zeros(k, rank));
    for (t, &s) in s.iter().enumerate().filter(|(_, s)| **s > 0.0) {
        let vector = found.eigenvectors.column(order[t]);
        for i in 0..k {
            own.row_mut(i)[t] = even.row(i).iter().zip(&vector).map(|(e, v)| e * v).sum();
            other.row_mut(i)[t] = vector[i] / s;
        }
    }
    (s, [own, other])
}
