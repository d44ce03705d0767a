//! KL on sparse X of which a mask hides anything from little to nearly all: as on dense X.

use crate::common::*;
use partwise::matrix::{Data, Matrix, Weights};
use partwise::verify::{Objective, verify};
use partwise::{Csr, Input, Loss, Options, Rule, Scalar, fit};

/// Small counts, many of them 0.
fn counts(rows: usize, cols: usize, seed: u64) -> Mat {
    Mat::random(rows, cols, seed).map(|u| (5.0 * u * u * u).round())
}

fn mask<T: Scalar>(rows: usize, cols: usize, share: f64, seed: u64) -> Csr<'static, T> {
    Mat::random(rows, cols, seed).map(|u| f64::from(u < share)).csr()
}

/// Rows, and a few columns of weight 3, to see that hidden entries count for what they weigh.
fn weights<T: Scalar>(hidden: &Csr<'static, T>, weighed: bool) -> Weights<'static, T> {
    let heavy = |n: usize| {
        let values = (0..n).map(|at| T::from_f64(if at % 4 == 0 { 3.0 } else { 1.0 }));
        weighed.then(|| values.collect())
    };
    let (rows, cols) = hidden.shape();
    let hidden = Some(hidden.clone());
    Weights { hidden, rows: heavy(rows), columns: heavy(cols), ..Weights::default() }
}

fn as_on_dense<T: Scalar>((rows, cols): (usize, usize), share: f64, apart: f64) {
    let kl = Objective { loss: Loss::KL, ..Objective::default() };
    for rule in [Rule::Sn, Rule::Mu, Rule::Mue, Rule::Jmm] {
        for (seed, weighed) in [(1, false), (2, true), (3, false)] {
            let x = counts(rows, cols, seed);
            let hidden = mask::<T>(rows, cols, share, seed + 10);
            let base = Options { loss: Loss::KL, max_iter: 60, seed, ..options::<T>(5, rule) };
            let of = |x: Input<'_, T>| {
                let data = Data { x, weights: weights(&hidden, weighed) };
                let found = fit(data.borrowed(), &base).unwrap();
                let check = verify(data, &found.w, &found.h, &kl).unwrap();
                (found, check)
            };
            let csr = x.csr::<T>();
            let by_rows = Input::Rows(&csr as &dyn Matrix<T>);
            let (dense, _) = of(x.input(Kind::RowMajor));
            for (name, x) in
                [("csr", x.input(Kind::Csr)), ("csc", x.input(Kind::Csc)), ("rows", by_rows)]
            {
                if name == "rows" && (rule == Rule::Sn || rows < cols) {
                    // Read by its rows alone, and streamed by them.
                    continue;
                }
                let what = format!("{} {rows}×{cols} {share} {rule} {seed} {name}", T::NAME);
                let (found, own) = of(x);
                assert_sound(&found, &what);
                let off = (found.objective - dense.objective).abs();
                let allowed = apart * dense.objective + found.objective_bound;
                assert!(off <= allowed, "{what}: {} {}", found.objective, dense.objective);
                let off = (own.objective - found.objective).abs();
                let allowed = apart * own.objective + found.objective_bound;
                assert!(off <= allowed, "{what}: verified {} {}", own.objective, found.objective);
                let (residual, theirs) = (own.kkt.residual(), found.kkt.residual());
                assert!(residual.is_finite() && theirs.is_finite(), "{what}: {residual} {theirs}");
                let off = (residual - theirs).abs();
                assert!(
                    off <= 1e-3 * residual + apart,
                    "{what}: kkt {theirs:e}, verified {residual:e}"
                );
            }
        }
    }
}

#[test]
fn sparse_x_is_fitted_and_verified_as_dense_x_is_whatever_share_a_mask_hides() {
    for share in [0.1, 0.3, 0.45, 0.6, 0.8, 0.9, 0.95, 0.99] {
        as_on_dense::<f64>((60, 50), share, 1e-9);
        as_on_dense::<f64>((20, 27), share, 1e-9);
        as_on_dense::<f32>((50, 60), share, 2e-3);
    }
}
