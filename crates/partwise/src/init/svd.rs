//! Leading singular triples of X by subspace iteration, one read of X per step.
//!
//! Each step takes Ω, orthonormal, to the orthonormal basis of XᵀXΩ; the fused pass forms XΩ and
//! Xᵀ(XΩ) in one read. At the end X ≈ (XΩ)Ωᵀ, whose singular value decomposition needs only the
//! Gram matrix of XΩ (Halko, Martinsson & Tropp 2011, <https://doi.org/10.1137/090771806>).

use crate::error::Result;
use crate::factor::Factor;
use crate::matrix::{Matrix, Plan, Workspace, pass};
use crate::rng::Stream;
use crate::scalar::Scalar;
use nalgebra::{DMatrix, SymmetricEigen};

/// Columns beyond those asked for, and steps: enough for seven digits where a gap exists at all.
const EXTRA: usize = 10;
const STEPS: usize = 8;
/// Directions with less than this share of the largest eigenvalue are rounding.
const NEGLIGIBLE: f64 = 1e-13;

/// Rows of a factor between two looks at the clock.
const LOOK: usize = 256;

/// X ≈ Σ s_t u_t v_tᵀ, largest first; columns beyond the rank of X are zero.
pub(crate) struct Svd<T> {
    pub(crate) u: Factor<T>,
    pub(crate) s: Vec<f64>,
    pub(crate) v: Factor<T>,
}

/// The `rank` leading singular triples.
pub(crate) fn leading<T: Scalar>(x: &dyn Matrix<T>, rank: usize, seed: u64) -> Result<Svd<T>> {
    let (rows, cols) = x.shape();
    let width = (rank + EXTRA).min(cols).max(1);
    let plan = Plan::new(x, width);
    let mut workspace = Workspace::new(&plan, cols, width);
    let mut rng = Stream::new(seed, u64::MAX);
    let mut basis = Factor::<T>::zeros(cols, width);
    for j in 0..cols {
        basis.row_mut(j).iter_mut().for_each(|v| *v = T::from_f64(rng.normal()));
    }
    basis = orthonormal(x, &basis)?;
    let mut image = Factor::zeros(rows, width);
    let mut back = Factor::zeros(cols, width);
    for _ in 0..STEPS {
        multiply(x, &plan, &mut workspace, &basis, Some(&mut back), &mut image)?;
        basis = orthonormal(x, &orthonormal(x, &back)?)?;
    }
    multiply(x, &plan, &mut workspace, &basis, None, &mut image)?;
    let (values, vectors) = eigen(x, &image)?;
    let s: Vec<f64> = (0..rank)
        .map(|t| values.get(t).filter(|&&v| v > NEGLIGIBLE * values[0]).map_or(0.0, |v| v.sqrt()))
        .collect();
    let inverse = |s: f64| if s > 0.0 { 1.0 / s } else { 0.0 };
    let keep = |s: f64| if s > 0.0 { 1.0 } else { 0.0 };
    let u = rotate(x, &image, &vectors, &s.iter().map(|&s| inverse(s)).collect::<Vec<_>>())?;
    let v = rotate(x, &basis, &vectors, &s.iter().map(|&s| keep(s)).collect::<Vec<_>>())?;
    Ok(Svd { u, s, v })
}

/// `image = X · f`, and `back = Xᵀ · image` if wanted, in one read of X.
fn multiply<T: Scalar>(
    x: &dyn Matrix<T>,
    plan: &Plan,
    workspace: &mut Workspace<T>,
    f: &Factor<T>,
    back: Option<&mut Factor<T>>,
    image: &mut Factor<T>,
) -> Result<()> {
    let ends = plan.ends();
    let mut bins: Vec<_> = image.view_mut().split_rows(&ends);
    let starts: Vec<usize> = std::iter::once(0).chain(ends).collect();
    let mut states: Vec<_> = bins.drain(..).zip(starts).collect();
    pass(x, plan, workspace, f.view(), back, &mut states, &|(bin, start), mut block| {
        let at = block.rows.start - *start;
        bin.slice(at..at + block.rows.len()).copy_from(block.b);
        block.out.copy_from(block.b);
    })
}

/// Eigenvalues, largest first, and eigenvectors (as columns) of FᵀF, while there is time to read X.
fn eigen<T: Scalar>(x: &dyn Matrix<T>, f: &Factor<T>) -> Result<(Vec<f64>, DMatrix<f64>)> {
    let k = f.cols();
    let mut gram = DMatrix::<f64>::zeros(k, k);
    for i in 0..f.rows() {
        if i % LOOK == 0 {
            x.go_on()?;
        }
        let row: Vec<f64> = f.row(i).iter().map(|v| v.to_f64()).collect();
        for s in 0..k {
            for t in 0..=s {
                gram[(s, t)] += row[s] * row[t];
            }
        }
    }
    gram.fill_upper_triangle_with_lower_triangle();
    let found = SymmetricEigen::new(gram);
    let mut order: Vec<usize> = (0..k).collect();
    order.sort_by(|&a, &b| found.eigenvalues[b].total_cmp(&found.eigenvalues[a]));
    let values = order.iter().map(|&t| found.eigenvalues[t].max(0.0)).collect();
    Ok((values, found.eigenvectors.select_columns(&order)))
}

/// An orthonormal basis of the columns of F; zero columns where F has a smaller rank.
fn orthonormal<T: Scalar>(x: &dyn Matrix<T>, f: &Factor<T>) -> Result<Factor<T>> {
    let (values, vectors) = eigen(x, f)?;
    let largest = values.first().copied().unwrap_or(0.0);
    let scale = |&v: &f64| if v > NEGLIGIBLE * largest && v > 0.0 { v.sqrt().recip() } else { 0.0 };
    rotate(x, f, &vectors, &values.iter().map(scale).collect::<Vec<_>>())
}

/// The first columns of F · vectors, each times its scale.
fn rotate<T: Scalar>(
    x: &dyn Matrix<T>,
    f: &Factor<T>,
    vectors: &DMatrix<f64>,
    scale: &[f64],
) -> Result<Factor<T>> {
    let mut out = Factor::zeros(f.rows(), scale.len());
    for i in 0..f.rows() {
        if i % LOOK == 0 {
            x.go_on()?;
        }
        let row: Vec<f64> = f.row(i).iter().map(|v| v.to_f64()).collect();
        for (t, (to, scale)) in out.row_mut(i).iter_mut().zip(scale).enumerate() {
            if *scale > 0.0 {
                let sum: f64 = row.iter().zip(vectors.column(t).iter()).map(|(a, b)| a * b).sum();
                *to = T::from_f64(sum * scale);
            }
        }
    }
    Ok(out)
}
