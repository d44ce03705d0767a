//! SPA: successive projection (Araújo et al. 2001; Gillis & Vavasis 2014,
//! <https://doi.org/10.1109/TPAMI.2013.226>).
//!
//! If some rows of X span all others with non-negative weights (pure pixels, anchor documents), the
//! row of largest norm is one of them; project it out of all rows and repeat. H is made of the rows
//! found, W is the exact least squares fit. The projections are never formed: the squared norms
//! lose (u·x_i)² for each new direction u. One read of X per component.

use super::Pair;
use crate::error::Result;
use crate::factor::Factor;
use crate::matrix::{Input, Matrix, Plan, Scaled, Side, Workspace, pass, visit_all};
use crate::penalty::Penalty;
use crate::project::rows_given;
use crate::scalar::Scalar;

pub(super) fn pair<T: Scalar>(
    input: &Input<'_, T>,
    half: i32,
    streamed: &dyn Matrix<T>,
    side: Side,
    rank: usize,
) -> Result<Pair<T>> {
    let by_rows = input.by(Side::Rows);
    let by_rows = Scaled::new(&*by_rows, half);
    let rows: &dyn Matrix<T> = if side == Side::Rows { streamed } else { &by_rows };
    let mut h = Factor::zeros(rows.shape().1, rank);
    for (t, &i) in anchors(rows, rank)?.iter().enumerate() {
        rows.visit(i..i + 1, &mut |_, panel| panel.for_each(0, &mut |j, v| h.row_mut(j)[t] = v))?;
    }
    let w = rows_given(rows, &h, Penalty::NONE)?;
    Ok(Pair::from_factors(w, h, side))
}

/// The `rank` rows that successive projection picks; fewer if the rest of X is then zero.
pub(crate) fn anchors<T: Scalar>(x: &dyn Matrix<T>, rank: usize) -> Result<Vec<usize>> {
    let (rows, cols) = x.shape();
    let plan = Plan::new(x, 1);
    let mut workspace = Workspace::new(&plan, cols, 1);
    let mut norms = vec![0.0f64; rows];
    visit_all(x, &mut |range, panel| {
        for (at, i) in range.enumerate() {
            panel.for_each(at, &mut |_, v| norms[i] += v.to_f64() * v.to_f64());
        }
    })?;
    let start = norms.clone();
    let mut directions: Vec<Vec<f64>> = Vec::new();
    let mut found = Vec::new();
    while found.len() < rank.min(rows) {
        let Some(next) = largest(&norms, &start) else { break };
        let Some(direction) = direction(x, next, &directions)? else { break };
        let narrow: Vec<T> = direction.iter().map(|&v| T::from_f64(v)).collect();
        let f = Factor::from_rows(cols, 1, &narrow);
        let mut along = vec![Vec::new(); plan.bins().len()];
        pass(x, &plan, &mut workspace, f.view(), None, &mut along, &|out, block| {
            out.extend((0..block.b.rows()).map(|i| block.b.row(i)[0].to_f64()));
        })?;
        for (norm, u) in norms.iter_mut().zip(along.concat()) {
            *norm = (*norm - u * u).max(0.0);
        }
        norms[next] = 0.0;
        directions.push(direction);
        found.push(next);
    }
    Ok(found)
}

/// The first row of largest norm, among those of which more than rounding is left.
fn largest(norms: &[f64], start: &[f64]) -> Option<usize> {
    let mut best = None;
    for (i, (&norm, &start)) in norms.iter().zip(start).enumerate() {
        if norm > 1e-14 * start && best.is_none_or(|b: usize| norm > norms[b]) {
            best = Some(i);
        }
    }
    best
}

/// Row `i` without its part along the directions before, normalised; twice, for accuracy.
fn direction<T: Scalar>(
    x: &dyn Matrix<T>,
    i: usize,
    before: &[Vec<f64>],
) -> Result<Option<Vec<f64>>> {
    let mut row = vec![0.0; x.shape().1];
    x.visit(i..i + 1, &mut |_, panel| panel.for_each(0, &mut |j, v| row[j] = v.to_f64()))?;
    for u in before.iter().chain(before) {
        let along: f64 = u.iter().zip(&row).map(|(a, b)| a * b).sum();
        row.iter_mut().zip(u).for_each(|(r, u)| *r -= along * u);
    }
    let norm = row.iter().map(|v| v * v).sum::<f64>().sqrt();
    row.iter_mut().for_each(|v| *v /= norm);
    Ok((norm > 0.0).then_some(row))
}
