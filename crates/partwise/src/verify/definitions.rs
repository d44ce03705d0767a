//! d(x, q) and its derivative in q, written from their definitions.

use crate::loss::{Kind, Loss};

/// d(x, q) and the sum of the sizes of its terms: what rounding can move it by, in roundoffs.
pub(super) fn divergence(loss: Loss, x: f64, q: f64) -> (f64, f64) {
    match loss.kind() {
        Kind::Beta(beta) => divergence_of_beta(beta, x, q),
        // Huber's loss is below both ½r² and δ|r|, and so is what rounding moves it by.
        Kind::Huber(delta) => (huber(delta, x - q), (0.5 * (x + q) * (x + q)).min(delta * (x + q))),
    }
}

/// ½r² up to δ; beyond it goes on along the tangent.
fn huber(delta: f64, r: f64) -> f64 {
    if r.abs() <= delta { 0.5 * r * r } else { delta * r.abs() - 0.5 * delta * delta }
}

fn divergence_of_beta(beta: f64, x: f64, q: f64) -> (f64, f64) {
    if x == 0.0 {
        // The limit for x → 0: infinite for β ≤ 0.
        let value = if beta > 0.0 { q.powf(beta) / beta } else { f64::INFINITY };
        return (value, value);
    }
    if q == 0.0 {
        // The limit for q → 0: infinite for β ≤ 1.
        let finite = x.powf(beta) / (beta * (beta - 1.0));
        let value = if beta > 1.0 { finite } else { f64::INFINITY };
        return (value, value);
    }
    if beta == 2.0 {
        return (0.5 * (x - q) * (x - q), 0.5 * (x + q) * (x + q));
    }
    let ratio = x / q;
    // The ratio of two numbers may be beyond the range where its logarithm is not.
    let log = if ratio.is_normal() { ratio.ln() } else { x.ln() - q.ln() };
    let terms = if beta == 1.0 {
        [x * log, -x, q]
    } else if beta == 0.0 {
        [ratio, -log, -1.0]
    } else {
        let scale = 1.0 / (beta * (beta - 1.0));
        [scale * x.powf(beta), q.powf(beta) / beta, -x * q.powf(beta - 1.0) / (beta - 1.0)]
    };
    let sum: f64 = terms.iter().sum();
    // A difference of infinite terms is beyond the range, too.
    (if sum.is_nan() { f64::INFINITY } else { sum }, terms.iter().map(|t| t.abs()).sum())
}

/// The parts of ∂d/∂q: x·q^(β−2), which pulls q up, and q^(β−1), which pushes it down; under Huber's
/// loss ωx and ωq with ω = min(1, δ/|r|).
pub(super) fn slopes(loss: Loss, x: f64, q: f64) -> (f64, f64) {
    match loss.kind() {
        Kind::Beta(beta) => slopes_of_beta(beta, x, q),
        Kind::Huber(delta) if (x - q).abs() <= delta => (x, q),
        Kind::Huber(delta) => (delta * x / (x - q).abs(), delta * q / (x - q).abs()),
    }
}

fn slopes_of_beta(beta: f64, x: f64, q: f64) -> (f64, f64) {
    if beta == 2.0 {
        return (x, q);
    }
    let pull = if x == 0.0 { 0.0 } else { x * q.powf(beta - 2.0) };
    (pull, if beta == 1.0 { 1.0 } else { q.powf(beta - 1.0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(beta: f64) -> Loss {
        Loss::new(beta).expect("a loss")
    }

    #[test]
    fn values_of_small_cases() {
        let ln = f64::ln;
        for (beta, x, q, value) in [
            (2.0, 3.0, 1.0, 2.0),
            (1.0, 1.0, 2.0, 1.0 - ln(2.0)),
            (1.0, 0.0, 0.3, 0.3),
            (0.0, 1.0, 2.0, ln(2.0) - 0.5),
            (3.0, 2.0, 1.0, 8.0 / 6.0 + 1.0 / 3.0 - 1.0),
            (0.5, 4.0, 1.0, -8.0 + 2.0 + 8.0),
            (-1.0, 1.0, 2.0, 0.5 - 0.5 + 0.125),
            (1.5, 0.0, 4.0, 8.0 / 1.5),
            (2.5, 0.0, 0.0, 0.0),
        ] {
            let (found, size) = divergence(of(beta), x, q);
            assert!((found - value).abs() < 1e-14, "{beta} {x} {q}: {found}");
            assert!(size >= found, "{beta} {x} {q}");
        }
    }

    #[test]
    fn huber_is_a_square_up_to_delta_and_a_line_beyond() {
        let huber = Loss::huber(0.5).expect("a loss");
        for (x, q, value) in [(1.0, 0.75, 0.03125), (0.0, 0.5, 0.125), (3.0, 1.0, 0.875)] {
            let (found, size) = divergence(huber, x, q);
            assert_eq!(found, value, "{x} {q}");
            assert_eq!(divergence(huber, q, x).0, value, "{q} {x}");
            assert!(size >= found, "{x} {q}");
        }
    }

    #[test]
    fn zeros_are_infinite_where_they_should_be() {
        for (beta, x, q, infinite) in [
            (0.0, 0.0, 1.0, true),
            (-1.0, 0.0, 1.0, true),
            (1.0, 1.0, 0.0, true),
            (0.5, 1.0, 0.0, true),
            (1.5, 1.0, 0.0, false),
            (2.0, 1.0, 0.0, false),
        ] {
            assert_eq!(divergence(of(beta), x, q).0.is_infinite(), infinite, "{beta} {x} {q}");
        }
    }

    #[test]
    fn slopes_are_those_of_the_divergence() {
        let huber = [0.1, 2.5].map(|delta| Loss::huber(delta).expect("a loss"));
        for loss in [-1.2, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0].map(of).into_iter().chain(huber) {
            for (x, q) in [(0.3, 1.7), (2.0, 0.4)] {
                let step = 1e-5 * q;
                let rise = divergence(loss, x, q + step).0 - divergence(loss, x, q - step).0;
                let (pull, push) = slopes(loss, x, q);
                assert!((rise / (2.0 * step) - (push - pull)).abs() < 1e-6, "{loss} {x} {q}");
            }
        }
    }
}
