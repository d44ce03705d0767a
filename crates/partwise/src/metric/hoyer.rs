//! Hoyer's sparsity (2004, <https://www.jmlr.org/papers/v5/hoyer04a.html>).

use crate::factor::Factor;
use crate::scalar::Scalar;

/// `(√n − ‖x‖₁/‖x‖₂) / (√n − 1)`: 1 when one entry is not zero, 0 when all are equal.
///
/// A zero vector counts as 1 and a vector of one entry as 0.
pub fn hoyer(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = values.clone().fold(0.0f64, |largest, v| largest.max(v.abs()));
    if largest == 0.0 {
        return 1.0;
    }
    let (mut n, mut sum, mut squares) = (0.0f64, 0.0, 0.0);
    for v in values {
        let v = v.abs() / largest;
        n += 1.0;
        sum += v;
        squares += v * v;
    }
    if n <= 1.0 {
        return 0.0;
    }
    ((n.sqrt() - sum / squares.sqrt()) / (n.sqrt() - 1.0)).clamp(0.0, 1.0)
}

/// Hoyer sparsity of a factor.
#[derive(Debug, Clone, PartialEq)]
pub struct Sparsity {
    /// Of all entries as one vector.
    pub whole: f64,
    /// Of each component: a column of W, a row of H.
    pub components: Vec<f64>,
}

impl Sparsity {
    /// Of a factor with a column per component.
    pub fn of<T: Scalar>(f: &Factor<T>) -> Self {
        let all = (0..f.rows()).flat_map(|i| f.row(i).iter().map(|v| v.to_f64()));
        let column = |t: usize| hoyer((0..f.rows()).map(|i| f.get(i, t).to_f64()));
        Self { whole: hoyer(all), components: (0..f.cols()).map(column).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn o23_known_values() {
        let cases: [(&[f64], f64); 6] = [
            (&[1.0, 0.0, 0.0, 0.0], 1.0),
            (&[1.0, 1.0, 0.0, 0.0], 0.585_786_437_627),
            (&[1.0, 1.0, 1.0, 0.0], 0.267_949_192_431),
            (&[3.0, 4.0, 0.0, 0.0], 0.6),
            (&[1.0, 2.0, 3.0, 4.0], 0.174_258_141_649),
            (&[2.0, 2.0, 2.0, 2.0], 0.0),
        ];
        for (values, want) in cases {
            let got = hoyer(values.iter().copied());
            assert!((got - want).abs() < 1e-11, "{values:?}: {got}");
        }
    }
}
