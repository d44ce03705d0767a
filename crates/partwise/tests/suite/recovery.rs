//! Planted factorisations come back: exactly where there is no noise, closely where there is.

use crate::common::*;
use partwise::{Options, Rule, Status, fit};

const WIDTH: usize = 11;
const HEIGHT: usize = 14;

/// The swimmers of Donoho & Stodden (2003): a torso and four limbs, each in one of four places; 256
/// images of 11 × 14 points, as columns of X. Returns X and the 17 parts.
fn swimmers() -> (Mat, Mat) {
    let mut parts = vec![vec![0.0; WIDTH * HEIGHT]; 17];
    for y in 5..9 {
        parts[16][y * WIDTH + 5] = 1.0;
    }
    // Limbs leave the corners of the torso sideways, slanting, upright or steeply, three points long.
    let corners = [(4i32, 5i32, -1, -1), (6, 5, 1, -1), (4, 8, -1, 1), (6, 8, 1, 1)];
    let places = [[(1, 0), (2, 0), (3, 0)], [(1, 1), (2, 2), (3, 3)], [(0, 1), (0, 2), (0, 3)]];
    let steep = [(1, 2), (1, 3), (2, 4)];
    for (limb, (x, y, right, down)) in corners.into_iter().enumerate() {
        for (place, points) in places.into_iter().chain([steep]).enumerate() {
            for (dx, dy) in points {
                let at = (y + down * dy) * WIDTH as i32 + x + right * dx;
                parts[4 * limb + place][usize::try_from(at).unwrap()] = 1.0;
            }
        }
    }
    let points = WIDTH * HEIGHT;
    let parts = Mat::from_fn(points, 17, |p, t| parts[t][p]);
    let poses = Mat::from_fn(256, 17, |image, t| {
        let place = |limb: usize| image >> (2 * limb) & 3;
        f64::from(t == 16 || place(t / 4) == t % 4)
    });
    (parts.times_transposed(&poses), parts)
}

#[test]
fn swimmers_are_factored_exactly() {
    let (x, _) = swimmers();
    for k in [16, 17] {
        for kind in [Kind::RowMajor, Kind::Csr] {
            let base = options(k, Rule::Hals);
            let options = Options { n_init: 8, tol: 1e-12, max_iter: 300, ..base };
            let found = fit(x.input::<f64>(kind), &options).unwrap();
            assert_sound(&found, "swimmers");
            let error = (2.0 * objective(&x, &found) / x.norm_sq()).sqrt();
            assert!(error < 1e-9, "{k} {kind:?}: {error:e}");
        }
    }
}

#[test]
fn the_limbs_of_swimmers_are_the_components() {
    let (x, parts) = swimmers();
    let base = options(16, Rule::Hals);
    let options = Options { n_init: 8, tol: 1e-12, max_iter: 2000, ..base };
    let found = fit(x.dense::<f64>(), &options).unwrap();
    // The torso is in every image and so may be shared out among the limbs: look away from it.
    let limbs = |f: &Mat| {
        Mat::from_fn(f.rows, 16, |p, t| if parts.get(p, 16) > 0.0 { 0.0 } else { f.get(p, t) })
    };
    let cosine = least_cosine(&limbs(&parts), &limbs(&wide(&found.w)));
    assert!(cosine > 0.999, "{cosine}");
}

/// Sparse parts, sparse weights: close to unique.
fn planted(noise: f64, seed: u64) -> (Mat, Mat, Mat) {
    let (w, h) = (Mat::sparse(120, 6, 0.3, seed), Mat::sparse(80, 6, 0.3, seed + 1));
    let (x, e) = (w.times_transposed(&h), Mat::random(120, 80, seed + 2));
    let mean = x.values.iter().sum::<f64>() / x.values.len() as f64;
    let level = |v: f64| noise * mean * v;
    (Mat::from_fn(120, 80, |i, j| x.get(i, j) + level(e.get(i, j))), w, h)
}

#[test]
fn noisy_planted_factors_are_recovered_by_every_rule() {
    for rule in rules() {
        for (noise, least) in [(0.0, 0.9999), (0.1, 0.99)] {
            let (x, w, h) = planted(noise, 40);
            let options = Options { n_init: 5, max_iter: 2000, tol: 1e-5, ..options(6, rule) };
            let found = fit(x.dense::<f64>(), &options).unwrap();
            let cosines = [least_cosine(&w, &wide(&found.w)), least_cosine(&h, &wide(&found.h))];
            assert!(cosines.iter().all(|&c| c > least), "{rule} {noise}: {cosines:?}");
        }
    }
}

#[test]
fn single_precision_recovers_as_much_as_it_can_hold() {
    let (x, w, h) = planted(0.1, 50);
    for kind in [Kind::RowMajor, Kind::Csr] {
        let options = Options { n_init: 5, max_iter: 2000, ..options(6, Rule::Hals) };
        let found = fit(x.input::<f32>(kind), &options).unwrap();
        assert_eq!(found.status, Status::Converged);
        let cosines = [least_cosine(&w, &wide(&found.w)), least_cosine(&h, &wide(&found.h))];
        assert!(cosines.iter().all(|&c| c > 0.99), "{kind:?}: {cosines:?}");
    }
}
