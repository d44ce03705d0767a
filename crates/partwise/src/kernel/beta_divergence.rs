//! A β-divergence over runs of entries, vectorised: the parts of its slope, and its sum.
//!
//! * Parts, in the type of X: one power for both, q^(β−1) for β < 2 and q^(β−2) above, from which the other
//!   is a quotient or a product, in an order in which nothing overflows where the part itself does not.
//! * Sum, term by term in `f64`: d(x, q) = (x·x^(β−1) + (β − 1) q·q^(β−1) − β x q^(β−1)) / (β(β − 1)) with two
//!   powers. Its terms cancel as q nears x: there, with δ = (q − x)/x, it is
//!   x^β ∫₀^δ t (1 + t)^(β−2) dt = x^β δ² (½ + (β−2)δ (⅓ + (β−3)δ/2 (¼ + (β−4)δ/3 (…)))).
//!   For β = 0 it is ρ − ln ρ − 1 with ρ = x/q, which is the Kullback–Leibler term of 1 and ρ.

use super::kl_divergence::KlTerm;
use super::power::{CHUNK, Exponent};
use super::simd::{self, Job, Simd};
use crate::scalar::Scalar;

/// The parts of the slope in q: q^(β−1) into `weight`, and x q^(β−2) in the place of `q`. Where q is 0, and
/// with it the factors that they would be multiplied by, the weight is 0, and the ratio too for β > 1.
pub(crate) fn slopes<T: Scalar>(beta: f64, x: &[T], q: &mut [T], weight: &mut [T]) {
    simd::run(Slopes { beta, x, q, weight });
}

/// Σ p·d(x, q); p is 1 where none are given. Entries with p = 0 count nothing. A term that is not finite here
/// is taken from `exact`.
pub(crate) fn total<T: Scalar>(
    beta: f64,
    (x, q, p): (&[T], &[T], Option<&[T]>),
    exact: impl Fn(f64, f64) -> f64,
) -> f64 {
    simd::run(Total { beta, x, q, p, exact })
}

/// How x q^(β−2) is formed: by the order of which no step is beyond the range unless the end is.
#[derive(Clone, Copy, PartialEq)]
enum Order {
    /// x·q^(β−2).
    Product,
    /// x·(q^(β−1)/q), which grows as q falls, less than x/q does.
    PowerFirst,
    /// (x/q)·q^(β−1), which grows more.
    RatioFirst,
}

struct Slopes<'a, T> {
    beta: f64,
    x: &'a [T],
    q: &'a mut [T],
    weight: &'a mut [T],
}

/// The entries from `at` on that a chunk has room for, and 1 in what is left of it.
#[inline(always)]
fn chunk<T: Scalar, U: Scalar>(from: &[T], at: usize) -> [U; CHUNK] {
    let mut chunk = [U::ONE; CHUNK];
    let from = &from[at..from.len().min(at + CHUNK)];
    for (to, from) in chunk.iter_mut().zip(from) {
        *to = U::from_f64(from.to_f64());
    }
    chunk
}

impl<T: Scalar> Job<T> for Slopes<'_, T> {
    type Out = ();

    #[inline(always)]
    unsafe fn run<S: Simd<T>>(self) {
        let Self { beta, x, q, weight } = self;
        let order = match beta {
            _ if beta >= 2.0 => Order::Product,
            _ if beta >= 1.0 => Order::PowerFirst,
            _ => Order::RatioFirst,
        };
        let above = order == Order::Product;
        let exponent = Exponent::new(if above { beta - 2.0 } else { beta - 1.0 });
        let above_one = beta > 1.0;
        for at in (0..q.len()).step_by(CHUNK) {
            let (x, fitted): ([T; CHUNK], [T; CHUNK]) = (chunk(x, at), chunk(q, at));
            let (mut power, mut ratio) = (fitted, [T::ZERO; CHUNK]);
            exponent.raise(&mut power);
            for (((to, power), &x), &q) in ratio.iter_mut().zip(&mut power).zip(&x).zip(&fitted) {
                let part = match order {
                    Order::Product => x * *power,
                    Order::PowerFirst => x * (*power / q),
                    Order::RatioFirst => x / q * *power,
                };
                // What is not a number stays so.
                let unmet = q == T::ZERO && above_one;
                *to = if x == T::ZERO || unmet { T::ZERO } else { part };
                let own = if above { q * *power } else { *power };
                *power = if q == T::ZERO { T::ZERO } else { own };
            }
            let end = q.len().min(at + CHUNK);
            q[at..end].copy_from_slice(&ratio[..end - at]);
            weight[at..end].copy_from_slice(&power[..end - at]);
        }
    }
}

struct Total<'a, T, E> {
    beta: f64,
    x: &'a [T],
    q: &'a [T],
    p: Option<&'a [T]>,
    exact: E,
}

/// Sums kept apart.
const LANES: usize = 16;

impl<T: Scalar, E: Fn(f64, f64) -> f64> Job<T> for Total<'_, T, E> {
    type Out = f64;

    #[inline(always)]
    unsafe fn run<S: Simd<T>>(self) -> f64 {
        let Self { beta, x, q, p, exact } = self;
        let exponent = Exponent::new(beta - 1.0);
        let mut sums = [0.0; LANES];
        for at in (0..q.len()).step_by(CHUNK) {
            let (x, q): ([f64; CHUNK], [f64; CHUNK]) = (chunk(x, at), chunk(q, at));
            // What is left of the last chunk is 1 in both, and adds 0.
            let mut terms =
                if beta == 0.0 { logarithmic(&x, &q) } else { powers(beta, exponent, &x, &q) };
            let sum: f64 = terms.iter().sum();
            if !sum.is_finite() {
                for ((term, &x), &q) in terms.iter_mut().zip(&x).zip(&q) {
                    *term = if term.is_finite() { *term } else { exact(x, q) };
                }
            }
            if let Some(p) = p {
                let p: [f64; CHUNK] = chunk(p, at);
                for (term, &p) in terms.iter_mut().zip(&p) {
                    *term = if p > 0.0 { p * *term } else { 0.0 };
                }
            }
            for run in terms.as_chunks::<LANES>().0 {
                sums.iter_mut().zip(run).for_each(|(sum, term)| *sum += term);
            }
        }
        sums.iter().sum()
    }
}

#[inline(always)]
fn logarithmic(x: &[f64; CHUNK], q: &[f64; CHUNK]) -> [f64; CHUNK] {
    let mut terms = [0.0; CHUNK];
    for ((to, &x), &q) in terms.iter_mut().zip(x).zip(q) {
        // Where the quotient is subnormal, it is left to the exact term.
        let rho = x / q;
        let counts = rho >= f64::MIN_POSITIVE;
        let term = 1f64.kl_term(if counts { rho } else { 1.0 });
        *to = if counts { term } else { f64::INFINITY };
    }
    terms
}

/// Terms of the series near q = x.
const TERMS: usize = 12;

#[inline(always)]
fn powers(beta: f64, exponent: Exponent, x: &[f64; CHUNK], q: &[f64; CHUNK]) -> [f64; CHUNK] {
    let (mut of_x, mut of_q, mut terms) = (*x, *q, [0.0; CHUNK]);
    exponent.raise(&mut of_x);
    exponent.raise(&mut of_q);
    let scale = 1.0 / (beta * (beta - 1.0));
    // Each term of the series is below a sixteenth of the one before it, and twelve are taken.
    let near = 1.0 / (16.0 * (1.0 + (beta - 2.0).abs()));
    let rise: [f64; TERMS - 1] = std::array::from_fn(|at| {
        let j = at as f64 + 2.0;
        (beta - j) / (j - 1.0)
    });
    for ((((to, &x), &q), &of_x), &of_q) in terms.iter_mut().zip(x).zip(q).zip(&of_x).zip(&of_q) {
        let off = (q - x) / x;
        let mut series = 1.0 / (TERMS + 1) as f64;
        for (at, rise) in rise.iter().enumerate().rev() {
            series = 1.0 / (at + 2) as f64 + rise * off * series;
        }
        let close = x * of_x * (off * off * series);
        let far = (x * of_x + (beta - 1.0) * (q * of_q) - beta * (x * of_q)) * scale;
        let term = if off > -near && off < near { close } else { far };
        let term = if x == 0.0 { q * of_q / beta } else { term };
        *to = if term < 0.0 { 0.0 } else { term };
    }
    terms
}
