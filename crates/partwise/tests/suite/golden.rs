//! Figures on real data that must not get worse: 1797 handwritten digits of 8 × 8 points.

use crate::common::*;
use partwise::verify::{Objective, verify};
use partwise::{Options, Rule, Start, Status, fit, transform};
use std::path::Path;

/// The least that scikit-learn 1.9 finds at k = 16: coordinate descent from five random starts,
/// `tol=1e-6`, `max_iter=2000`, evaluated as ½‖X − WH‖² in double precision.
const SCIKIT_LEARN: f64 = 227_179.066_6;

/// The values of a two-dimensional NumPy array of bytes in C order.
fn digits() -> Mat {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/data/digits.npy");
    let bytes = std::fs::read(&root).unwrap();
    assert!(bytes.starts_with(b"\x93NUMPY\x01"));
    let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let text = String::from_utf8_lossy(&bytes[10..10 + header]).into_owned();
    assert!(text.contains("'|u1'") && text.contains("'fortran_order': False"), "{text}");
    assert!(text.contains("(1797, 64)"), "{text}");
    let values = bytes[10 + header..].iter().map(|&b| f64::from(b)).collect();
    Mat::new(1797, 64, values)
}

#[test]
fn five_restarts_on_digits_are_as_good_as_those_of_scikit_learn() {
    let x = digits();
    let options = Options { n_init: 5, tol: 1e-5, max_iter: 2000, ..options(16, Rule::Hals) };
    let found = fit(x.dense::<f64>(), &options).unwrap();
    assert_eq!(found.status, Status::Converged);
    let check = verify(x.dense::<f64>(), &found.w, &found.h, &Objective::default()).unwrap();
    assert!(check.objective <= 1.001 * SCIKIT_LEARN, "{}", check.objective);
    assert!(check.kkt.residual() <= 1e-5 * 1.001, "{:?}", check.kkt);
}

#[test]
fn every_rule_ends_near_the_same_figure_on_digits() {
    let x = digits();
    for rule in [Rule::Hals, Rule::Bpp, Rule::Pgd, Rule::Mu] {
        let options = Options { max_iter: 300, init: Start::Nndsvda, ..options(16, rule) };
        let found = fit(x.dense::<f32>(), &options).unwrap();
        // Local minima of this problem lie within 2 % of each other; MU is far from any after 300.
        let allowed = if rule == Rule::Mu { 1.2 } else { 1.02 };
        assert!(found.objective <= allowed * SCIKIT_LEARN, "{rule}: {}", found.objective);
    }
}

#[test]
fn digits_are_the_same_sparse_and_dense_and_projected() {
    let x = digits();
    let options = Options { max_iter: 5, tol: 0.0, sweeps: Some(3), ..options(16, Rule::Hals) };
    let dense = fit(x.dense::<f64>(), &options).unwrap();
    let sparse = fit(x.csr::<f64>(), &options).unwrap();
    assert!(product_distance(&dense, &sparse) < 1e-9);
    let [a, b] = [Kind::RowMajor, Kind::Csr]
        .map(|kind| wide(&transform(x.input::<f64>(kind), &dense.h, &on_threads(0)).unwrap()));
    // Sums in another order, then systems with a condition number of some hundreds.
    assert!(distance(&a, &b) < 1e-10);
    let zeros = (0..64).filter(|&j| (0..1797).all(|i| x.get(i, j) == 0.0));
    for j in zeros {
        assert!(dense.h.row(j).iter().all(|&v| v == 0.0), "point {j} is blank in every image");
    }
}
