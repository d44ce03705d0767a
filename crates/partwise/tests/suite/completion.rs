//! Completion: four fifths of a table are hidden at random, and predicted from the rest.

use crate::common::*;
use crate::reference::*;
use partwise::matrix::Weights;
use partwise::{Fit, Loss, Options, Rule, fit};

const RANK: usize = 3;

/// Ratings of a few tastes with noise, and what is hidden of them.
fn ratings() -> (Mat, Mat) {
    let (rows, cols) = (150, 100);
    let (taste, noise) = (Mat::planted(rows, cols, RANK, 5), Mat::random(rows, cols, 6));
    let x = Mat::from_fn(rows, cols, |i, j| taste.get(i, j) + 0.1 * noise.get(i, j));
    (x, Mat::random(rows, cols, 7).map(|v| f64::from(v < 0.8)))
}

/// The root of the mean squared error of what is hidden.
fn error(x: &Mat, hidden: &Mat, predicted: &Mat) -> f64 {
    let all = x.values.iter().zip(&predicted.values).zip(&hidden.values);
    let sum: f64 = all.map(|((x, q), hidden)| hidden * (x - q) * (x - q)).sum();
    (sum / hidden.values.iter().sum::<f64>()).sqrt()
}

fn column_means(x: &Mat, hidden: &Mat) -> Mat {
    let mean = |j: usize| {
        let seen = (0..x.rows).filter(|&i| hidden.get(i, j) == 0.0);
        seen.clone().map(|i| x.get(i, j)).sum::<f64>() / seen.count() as f64
    };
    let means: Vec<f64> = (0..x.cols).map(mean).collect();
    Mat::from_fn(x.rows, x.cols, |_, j| means[j])
}

/// The leading singular triplets of X with what they predict for hidden entries, until that stays.
fn iterated_svd(x: &Mat, hidden: &Mat) -> Mat {
    let mut filled = column_means(x, hidden);
    for _ in 0..300 {
        let whole = |i, j| if hidden.get(i, j) > 0.0 { filled.get(i, j) } else { x.get(i, j) };
        let whole = nalgebra::DMatrix::from_fn(x.rows, x.cols, whole);
        let svd = whole.svd(true, true);
        let (u, v) = (svd.u.as_ref().unwrap(), svd.v_t.as_ref().unwrap());
        filled = Mat::from_fn(x.rows, x.cols, |i, j| {
            (0..RANK).map(|t| u[(i, t)] * svd.singular_values[t] * v[(t, j)]).sum()
        });
    }
    filled
}

fn predicted(fit: &Fit<f64>) -> Mat {
    wide(&fit.w).times_transposed(&wide(&fit.h))
}

#[test]
fn what_is_hidden_is_predicted_better_than_by_means_zeros_and_singular_vectors() {
    let (x, hidden) = ratings();
    let of = |q: &Mat| error(&x, &hidden, q);
    let (means, svd) = (of(&column_means(&x, &hidden)), of(&iterated_svd(&x, &hidden)));
    let seen = Mat::from_fn(x.rows, x.cols, |i, j| (1.0 - hidden.get(i, j)) * x.get(i, j));
    for (loss, rule) in [(Loss::FROBENIUS, Rule::Hals), (Loss::KL, Rule::Sn)] {
        let asked = Options { loss, n_init: 5, max_iter: 2000, ..options(RANK, rule) };
        let zeros = of(&predicted(&fit(seen.dense(), &asked).unwrap()));
        let mask = Weights { hidden: Some(hidden.csr()), ..Weights::default() };
        let absent = Weights { absent_missing: true, ..Weights::default() };
        for (kind, x, weights) in [(Kind::RowMajor, &x, mask), (Kind::Csr, &seen, absent)] {
            let ours = of(&predicted(&fit(data(x, kind, weights), &asked).unwrap()));
            let what = format!("{loss} {kind:?}: {ours}, means {means}, zeros {zeros}, SVD {svd}");
            assert!(ours < 0.5 * means && ours < 0.5 * zeros, "{what}");
            // The noise is as large in every entry, which is what both squares and the SVD take it for.
            assert!(ours <= svd || loss == Loss::KL, "{what}");
        }
    }
}
