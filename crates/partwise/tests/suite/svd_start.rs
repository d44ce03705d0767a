//! SVD starts: against a whole decomposition, over steep spectra, and by whatever threads.

use crate::common::*;
use partwise::{
    Dense, Error, Factor, Input, Options, Order, Rule, Scalar, Start, SvdStart, fit, svd_start,
};

/// Normal enough: sums of four uniform numbers.
fn test_matrix(rows: usize, cols: usize, seed: u64) -> Mat {
    let parts: Vec<Mat> = (0..4).map(|part| Mat::random(rows, cols, seed + part)).collect();
    Mat::from_fn(rows, cols, |i, j| parts.iter().map(|part| part.get(i, j) - 0.5).sum())
}

fn options<T: Scalar>(rank: usize, test: &Mat) -> SvdStart<T> {
    let values: Vec<T> = test.values.iter().map(|&v| T::from_f64(v)).collect();
    let test = Factor::from_rows(test.rows, test.cols, &values);
    SvdStart { rank, test, steps: 7, floor: 0.0, fill: 0.0, threads: 0 }
}

/// The definition, from all singular triples.
fn by_definition(x: &Mat, rank: usize) -> (Mat, Mat) {
    let svd = nalgebra::DMatrix::from_row_slice(x.rows, x.cols, &x.values).svd(true, true);
    let (u, v) = (svd.u.unwrap(), svd.v_t.unwrap());
    let mut pair = (vec![0.0; x.rows * rank], vec![0.0; x.cols * rank]);
    for t in 0..rank {
        let part = |values: &[f64], sign: f64| -> Vec<f64> {
            values.iter().map(|v| if t == 0 { v.abs() } else { (sign * v).max(0.0) }).collect()
        };
        let u: Vec<f64> = u.column(t).iter().copied().collect();
        let v: Vec<f64> = v.row(t).iter().copied().collect();
        let norm = |x: &[f64]| x.iter().map(|v| v * v).sum::<f64>().sqrt();
        let weight = |sign: f64| norm(&part(&u, sign)) * norm(&part(&v, sign));
        let sign = if weight(1.0) > weight(-1.0) { 1.0 } else { -1.0 };
        let root = (svd.singular_values[t] * weight(sign)).sqrt();
        for (to, values) in [(&mut pair.0, &u), (&mut pair.1, &v)] {
            let half = part(values, sign);
            let norm = norm(&half);
            half.iter().enumerate().for_each(|(i, v)| to[i * rank + t] = root * v / norm);
        }
    }
    (Mat::new(x.rows, rank, pair.0), Mat::new(x.cols, rank, pair.1))
}

#[test]
fn as_many_vectors_as_columns_give_the_start_by_its_definition() {
    for (rows, cols, seed) in [(40, 9, 1), (9, 40, 2), (12, 12, 3), (700, 7, 4)] {
        let x = Mat::sparse(rows, cols, 0.6, seed);
        let (w, h) = by_definition(&x, 5);
        // Also more than that.
        for width in [rows.min(cols), 15] {
            let options = options(5, &test_matrix(rows.min(cols), width, seed));
            for kind in Kind::ALL {
                let found = svd_start(x.input::<f64>(kind), &options).unwrap();
                let apart = [distance(&wide(&found.0), &w), distance(&wide(&found.1), &h)];
                assert!(apart.iter().all(|a| *a < 1e-9), "{rows} × {cols} {kind:?}: {apart:?}");
            }
        }
    }
}

#[test]
fn threads_and_storage_change_no_bit_and_powers_of_two_none_of_the_mantissa() {
    let x = Mat::sparse(3000, 400, 0.2, 5);
    let base = options::<f64>(6, &test_matrix(400, 16, 9));
    let bits = |x: Input<'_, f64>, threads: usize| {
        let (w, h) = svd_start(x, &SvdStart { threads, ..base.clone() }).unwrap();
        (factor_bits(&w), factor_bits(&h))
    };
    for kind in [Kind::RowMajor, Kind::Csr, Kind::Csc] {
        let one = bits(x.input(kind), 1);
        assert_eq!(one, bits(x.input(kind), 2));
        assert_eq!(one, bits(x.input(kind), 5));
    }
    assert_eq!(bits(x.csr::<f64>().into(), 1), bits(x.csc::<f64>().into(), 2));
    let (w, h) = svd_start(x.csr::<f64>(), &base).unwrap();
    for exponent in [-400, 60, 400] {
        let unit = 2f64.powi(exponent);
        let (other_w, other_h) = svd_start(x.map(|v| v * unit).csr::<f64>(), &base).unwrap();
        let half = 2f64.powi(exponent / 2);
        for (a, b) in [(&w, &other_w), (&h, &other_h)] {
            assert!(wide(a).values.iter().zip(&wide(b).values).all(|(a, b)| a * half == *b));
        }
    }
}

/// Blocks of rank 1 that share no row and no column, each a tenth of the one before.
fn blocks(count: usize) -> (Mat, Mat, Mat) {
    let (tall, wide) = (9, 6);
    let (a, b) = (Mat::random(tall * count, 1, 3), Mat::random(wide * count, 1, 4));
    let of = |f: &Mat, size: usize| {
        let norm = |t: usize| {
            (0..size).map(|i| (f.get(t * size + i, 0) + 0.1).powi(2)).sum::<f64>().sqrt()
        };
        let scale = |t: usize| 10f64.powf(-0.5 * t as f64) / norm(t);
        Mat::from_fn(size * count, count, |i, t| {
            if i / size == t { (f.get(i, 0) + 0.1) * scale(t) } else { 0.0 }
        })
    };
    let (w, h) = (of(&a, tall), of(&b, wide));
    (w.times_transposed(&h), w, h)
}

fn steep_spectrum<T: Scalar>(count: usize, allowed: f64) {
    let (x, w, h) = blocks(count);
    let from_given = || {
        let options = options::<T>(count, &test_matrix(x.cols, count + 10, 7));
        svd_start(x.dense::<T>(), &options).unwrap()
    };
    let own = || {
        let options = Options { init: Start::Nndsvd, max_iter: 0, ..options_of(count) };
        let fit = fit(x.dense::<T>(), &options).unwrap();
        (fit.w, fit.h)
    };
    for (found_w, found_h) in [from_given(), own()] {
        for (found, want) in [(wide(&found_w), &w), (wide(&found_h), &h)] {
            for t in 0..count {
                let column = |f: &Mat| Mat::from_fn(f.rows, 1, |i, _| f.get(i, t));
                let apart = distance(&column(&found), &column(want));
                assert!(apart < allowed, "{} component {t}: {apart:e}", T::NAME);
            }
        }
    }
}

fn options_of<T: Scalar>(rank: usize) -> Options<T> {
    crate::common::options(rank, Rule::Hals)
}

#[test]
fn small_singular_values_are_found_beside_large_ones() {
    // The smallest is 1e-5 and 1e-4 of the largest.
    steep_spectrum::<f64>(6, 1e-5);
    steep_spectrum::<f32>(5, 2e-2);
}

#[test]
fn what_x_has_no_rank_for_is_zero_or_filled() {
    let x = Mat::planted(60, 40, 3, 2);
    for (floor, fill) in [(0.0, 0.0), (1e-6, 0.25)] {
        let base = options::<f64>(5, &test_matrix(40, 15, 3));
        let (w, h) = svd_start(x.csr::<f64>(), &SvdStart { floor, fill, ..base }).unwrap();
        for f in [&w, &h] {
            assert!((0..f.rows()).all(|i| f.row(i)[3..].iter().all(|&v| v == fill)));
            assert!(f.to_vec().iter().all(|&v| v.is_finite() && (v >= floor || v == fill)));
        }
    }
    let nothing = Mat::from_fn(8, 5, |_, _| 0.0);
    let (w, h) = svd_start(nothing.dense::<f64>(), &options(2, &test_matrix(5, 12, 1))).unwrap();
    assert!(w.to_vec().iter().chain(&h.to_vec()).all(|&v| v == 0.0));
}

#[test]
fn what_is_wrong_is_said() {
    let x = Mat::random(30, 8, 1);
    let text = |x: Input<'_, f64>, options: &SvdStart<f64>| {
        svd_start(x, options).map(|_| ()).unwrap_err().to_string()
    };
    let good = options::<f64>(3, &test_matrix(8, 13, 2));
    let wrong = options(3, &test_matrix(30, 13, 2));
    assert_eq!(text(x.dense().into(), &wrong), "the test matrix is 30 × 13, expected 8 × 13");
    let none = SvdStart { rank: 0, ..good.clone() };
    assert_eq!(text(x.dense().into(), &none), "rank = 0 is out of range: at least 1");
    let nan = options(3, &test_matrix(8, 13, 2).map(|v| if v > 0.9 { f64::NAN } else { v }));
    assert!(text(x.dense().into(), &nan).contains("finite"), "{}", text(x.dense().into(), &nan));
    let negative = x.map(|v| if v > 0.95 { -v } else { v });
    let found = svd_start(negative.dense::<f64>(), &good);
    assert!(matches!(found, Err(Error::Negative { .. })));
    let empty = Dense::new(0, 3, Order::RowMajor, Vec::<f64>::new()).unwrap();
    assert!(matches!(svd_start(empty, &good), Err(Error::Empty { .. })));
}
