//! The best of several restarts, carried further.

use super::{Entries, Problem};
use crate::error::Result;
use crate::fit::course::Opening;
use crate::fit::{Ended, Record, Status, Watch, iterate};
use crate::scalar::Scalar;

/// By how much the KKT residual of the best restart is to fall below `tol`.
const FURTHER: f64 = 0.1;

/// Continues the best restart that converged until its KKT residual is a tenth of `tol`, within the
/// iterations that it has left. Whoever pays for several starts wants the last digits of the best one;
/// carried that far, the order of those that lead to one minimum no longer matters.
///
/// # Errors
/// What the source of X reports.
pub(in crate::fit) fn polish<T: Scalar>(
    problem: Problem<'_, T>,
    watch: &mut Watch<'_, T>,
    ended: &mut [Ended<T>],
) -> Result<()> {
    let tol = watch.tol;
    if ended.len() < 2 || tol == 0.0 || watch.by_errors() || watch.halt.is_called() {
        return Ok(());
    }
    let converged = ended.iter_mut().filter(|(m, _)| m.status == Some(Status::Converged));
    let Some(best) = converged.min_by(|(a, _), (b, _)| a.objective.total_cmp(&b.objective)) else {
        return Ok(());
    };
    let used = best.0.history.last().map_or(0, |r| r.iteration);
    (watch.tol, watch.max_iter) = (FURTHER * tol, watch.max_iter.saturating_sub(used));
    let problem = Problem { tol: watch.tol, opening: Opening::default(), ..problem };
    let mut course = Entries::new(problem, best.0.restart, best.1.clone());
    let Some((mut member, pair)) = iterate(&mut course, watch)?.pop() else { return Ok(()) };
    if member.objective <= best.0.objective && member.kkt.residual() <= tol {
        let mut history = std::mem::take(&mut best.0.history);
        history
            .extend(member.history.iter().map(|r| Record { iteration: used + r.iteration, ..*r }));
        member.history = history;
        member.status = Some(Status::Converged);
        *best = (member, pair);
    }
    Ok(())
}
