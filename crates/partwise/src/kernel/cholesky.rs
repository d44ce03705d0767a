//! Cholesky factorisation and solution of the small k×k systems, in `f64`.

/// Pivots below this share of their diagonal entry count as zero: about √k units of roundoff for
/// every k that fits in memory.
const PIVOT: f64 = 1e-13;

/// The lower triangle L of `a = L·Lᵀ` in place, for an n×n row-major `a`.
///
/// Returns the first column whose pivot is not positive in relation to its diagonal entry, that is
/// the first column that depends on those before it.
pub(crate) fn factorise(a: &mut [f64], n: usize) -> Result<(), usize> {
    for j in 0..n {
        let diagonal = a[j * n + j];
        let (done, rest) = a.split_at_mut(j * n);
        let row = &mut rest[..n];
        for i in 0..j {
            let other = &done[i * n..i * n + n];
            let dot: f64 = row[..i].iter().zip(&other[..i]).map(|(x, y)| x * y).sum();
            row[i] = (row[i] - dot) / other[i];
        }
        let pivot = diagonal - row[..j].iter().map(|x| x * x).sum::<f64>();
        if pivot.is_nan() || pivot <= PIVOT * diagonal {
            return Err(j);
        }
        row[j] = pivot.sqrt();
    }
    Ok(())
}

/// Solves `L·Lᵀ x = b` in place.
pub(crate) fn solve(l: &[f64], n: usize, b: &mut [f64]) {
    for i in 0..n {
        let dot: f64 = l[i * n..i * n + i].iter().zip(&b[..i]).map(|(x, y)| x * y).sum();
        b[i] = (b[i] - dot) / l[i * n + i];
    }
    for i in (0..n).rev() {
        b[i] /= l[i * n + i];
        let x = b[i];
        for (value, &entry) in b[..i].iter_mut().zip(&l[i * n..i * n + i]) {
            *value -= entry * x;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_what_it_factorised() {
        let mut a = [4.0, 2.0, 0.6, 2.0, 5.0, 1.0, 0.6, 1.0, 3.0];
        let original = a;
        factorise(&mut a, 3).expect("positive definite");
        let mut x = [1.0, -2.0, 0.5];
        solve(&a, 3, &mut x);
        for (row, want) in original.chunks(3).zip([1.0, -2.0, 0.5]) {
            let got: f64 = row.iter().zip(&x).map(|(p, q)| p * q).sum();
            assert!((got - want).abs() < 1e-14);
        }
    }

    #[test]
    fn names_the_dependent_column() {
        let mut a = [1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 2.0];
        assert_eq!(factorise(&mut a, 3), Err(1));
    }
}
