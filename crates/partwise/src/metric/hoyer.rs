//! Hoyer's sparsity (2004, <https://www.jmlr.org/papers/v5/hoyer04a.html>).

use crate::factor::Factor;
use crate::scalar::Scalar;

/// `(√n − ‖x‖₁/‖x‖₂) / (√n − 1)`: 1 when one entry is not zero, 0 when all are equal.
///
/// A zero vector counts as 1 and a vector of one entry as 0.
pub fn hoyer(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let mut size = Size::default();
    values.clone().for_each(|v| size.largest = size.largest.max(v.abs()));
    values.for_each(|v| size.add(v));
    size.sparsity()
}

/// Norms of some values.
#[derive(Clone, Copy, Default)]
struct Size {
    largest: f64,
    n: f64,
    /// Σ |v| and Σ v², each v over the largest.
    sum: f64,
    squares: f64,
}

impl Size {
    /// Adds a value, once the largest is known.
    fn add(&mut self, v: f64) {
        self.n += 1.0;
        if self.largest > 0.0 {
            let v = v.abs() / self.largest;
            self.sum += v;
            self.squares += v * v;
        }
    }

    /// Of both.
    fn with(self, other: &Self) -> Self {
        let largest = self.largest.max(other.largest);
        if largest == 0.0 {
            return Self { n: self.n + other.n, ..self };
        }
        let (own, theirs) = (self.largest / largest, other.largest / largest);
        Self {
            largest,
            n: self.n + other.n,
            sum: own * self.sum + theirs * other.sum,
            squares: own * own * self.squares + theirs * theirs * other.squares,
        }
    }

    fn sparsity(&self) -> f64 {
        match self.n.sqrt() {
            _ if self.largest == 0.0 => 1.0,
            root if root > 1.0 => {
                ((root - self.sum / self.squares.sqrt()) / (root - 1.0)).clamp(0.0, 1.0)
            }
            _ => 0.0,
        }
    }
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
        // Row by row: a column of a large factor touches all of its memory.
        let mut sizes = vec![Size::default(); f.cols()];
        for i in 0..f.rows() {
            for (size, v) in sizes.iter_mut().zip(f.row(i)) {
                size.largest = size.largest.max(v.to_f64().abs());
            }
        }
        for i in 0..f.rows() {
            sizes.iter_mut().zip(f.row(i)).for_each(|(size, v)| size.add(v.to_f64()));
        }
        let whole = sizes.iter().fold(Size::default(), Size::with);
        Self { whole: whole.sparsity(), components: sizes.iter().map(Size::sparsity).collect() }
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
