//! Cholesky factorisation and solution of the small k×k systems, in `f64`.

/// Pivots below this share of their diagonal entry count as zero: about √k units of roundoff for
/// every k that fits in memory.
pub(crate) const PIVOT: f64 = 1e-13;

/// The lower triangle L of `a = L·Lᵀ` in place, for an n×n row-major `a`.
///
/// Returns the first column whose pivot is not positive in relation to its diagonal entry, that is
/// the first column that depends on those before it.
pub(crate) fn factorise(a: &mut [f64], n: usize) -> Result<(), usize> {
    for j in 0..n {
        let diagonal = a[j * n + j];
        let pivot = eliminate(a, n, j);
        if is_nothing(pivot, diagonal) {
            return Err(j);
        }
        a[j * n + j] = pivot.sqrt();
    }
    Ok(())
}

/// As [`factorise`], but a column that depends on those before it is left out: its diagonal entry is
/// infinite, so that no later column has a part along it and a solution is zero there.
///
/// Returns the least share of a diagonal entry that its pivot is, 0 if a column was left out.
pub(crate) fn factorise_independent(a: &mut [f64], n: usize) -> f64 {
    let mut least = 1.0f64;
    for j in 0..n {
        let diagonal = a[j * n + j];
        let pivot = eliminate(a, n, j);
        let depends = is_nothing(pivot, diagonal);
        a[j * n + j] = if depends { f64::INFINITY } else { pivot.sqrt() };
        least = least.min(if depends { 0.0 } else { pivot / diagonal });
    }
    least
}

/// Whether rounding alone may have left so much of a diagonal entry.
fn is_nothing(pivot: f64, diagonal: f64) -> bool {
    pivot.is_nan() || pivot <= PIVOT * diagonal
}

/// Row j of L left of the diagonal, and what is left of the diagonal entry.
fn eliminate(a: &mut [f64], n: usize, j: usize) -> f64 {
    let (done, rest) = a.split_at_mut(j * n);
    let row = &mut rest[..n];
    for i in 0..j {
        let other = &done[i * n..i * n + n];
        let dot: f64 = row[..i].iter().zip(&other[..i]).map(|(x, y)| x * y).sum();
        row[i] = (row[i] - dot) / other[i];
    }
    row[j] - row[..j].iter().map(|x| x * x).sum::<f64>()
}

/// L⁻ᵀ, row-major, of an L as [`factorise_independent`] leaves it.
pub(crate) fn inverse_transposed(l: &[f64], n: usize) -> Vec<f64> {
    let mut inverse = vec![0.0; n * n];
    for (c, row) in inverse.chunks_exact_mut(n.max(1)).enumerate() {
        row[c] = 1.0 / l[c * n + c];
        for i in c + 1..n {
            let line = &l[i * n..i * n + n];
            let dot: f64 = line[c..i].iter().zip(&row[c..i]).map(|(x, y)| x * y).sum();
            row[i] = -dot / line[i];
        }
    }
    inverse
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
    fn leaves_out_the_dependent_column() {
        // The Gram matrix of (1, 0, 0), (2, 0, 0), (1, 2, 0) and nothing.
        let a = [1.0, 2.0, 1.0, 0.0, 2.0, 4.0, 2.0, 0.0, 1.0, 2.0, 5.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        let mut l = a;
        assert_eq!(factorise_independent(&mut l, 4), 0.0);
        let inverse = inverse_transposed(&l, 4);
        let columns = [[1.0, 0.0], [2.0, 0.0], [1.0, 2.0], [0.0, 0.0]];
        for (t, want) in [[1.0, 0.0], [0.0, 0.0], [0.0, 1.0], [0.0, 0.0]].iter().enumerate() {
            for (axis, want) in want.iter().enumerate() {
                let found: f64 = (0..4).map(|s| columns[s][axis] * inverse[s * 4 + t]).sum();
                assert!((found - want).abs() < 1e-15, "{t} {axis}: {found}");
            }
        }
    }

    #[test]
    fn names_the_dependent_column() {
        let mut a = [1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 2.0];
        assert_eq!(factorise(&mut a, 3), Err(1));
    }
}
