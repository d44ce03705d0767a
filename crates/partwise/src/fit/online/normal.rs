//! A batch under the Frobenius loss: one read of X whatever the number of updates.

use super::batch::Batch;
use super::statistics::Found;
use super::{OnlineOptions, Step};
use crate::error::Result;
use crate::factor::{Factor, View, ViewMut};
use crate::fit::result::residual_sq;
use crate::kernel::dense::{Accum, Strided, product};
use crate::kernel::kkt::{KktSums, add_rows};
use crate::matrix::{Block, Matrix, Plan, Workspace, pass};
use crate::metric::Kkt;
use crate::scalar::Scalar;
use crate::update::{Gram, Improve, Rule, add_gram, gram_wide};

/// The divergence is an expansion good to 8 units of roundoff of ‖X‖²; below this many it is formed
/// from differences.
const TRUSTED: f64 = 160.0;

/// Improves `w`, or finds it; what `h` follows from.
///
/// # Errors
/// What the source of X reports.
pub(super) fn rows<T: Scalar>(
    batch: &Batch<'_, T>,
    h: &Factor<T>,
    w: &mut Factor<T>,
    flat: bool,
    (options, step): (&OnlineOptions, &Step),
) -> Result<Found<T>> {
    let (n, k) = (h.rows(), h.cols());
    let (x, penalty) = (batch.matrix(), batch.penalty(options.w_penalty));
    let plan = Plan::new(&x, k);
    let gram = Gram::new(k, gram_wide(h.view()));
    let ridged = gram.ridged(penalty.l2);
    let rule = options.rule.update::<T>(1);
    let charge = T::from_f64(penalty.l1);
    let task = RowTask {
        rule: &*rule.prepare(&ridged, charge),
        along: (&Factor::from_rows(k, k, ridged.narrow()), charge),
        flat,
        step,
        x: &x,
    };
    let ends = plan.ends();
    let starts = std::iter::once(0).chain(ends.iter().copied());
    let chunks = w.view_mut().split_rows(&ends).into_iter().zip(starts);
    let bin = |(w, start)| Bin { w, start, gram: vec![0.0; k * k], cross: 0.0 };
    let mut bins: Vec<Bin<'_, T>> = chunks.map(bin).collect();
    let (mut workspace, mut num) = (Workspace::new(&plan, n, k), Factor::zeros(n, k));
    let work = |bin: &mut Bin<'_, T>, block: Block<'_, T>| task.run(bin, block);
    pass(&x, &plan, &mut workspace, h.view(), Some(&mut num), &mut bins, &work)?;
    // Of rows that were left early.
    x.go_on()?;
    let (gram_w, cross) = sums(&bins, k);
    drop(bins);
    let norm_sq = batch.scan.norm_sq;
    let mut error = norm_sq - 2.0 * cross + gram_w.dot(&gram);
    if error.is_nan() || error <= TRUSTED * T::ROUNDOFF * norm_sq {
        error = residual_sq(&x, w.view(), h.view())?;
    }
    let gram_w = Factor::from_rows(k, k, gram_w.narrow());
    let den = if options.rule == Rule::Mu { times(h, &gram_w) } else { gram_w };
    Ok(Found { divergence: 0.5 * error, num, den })
}

/// WᵀW and ⟨X, WH⟩.
fn sums<T: Scalar>(bins: &[Bin<'_, T>], k: usize) -> (Gram<T>, f64) {
    let (mut cross, mut wide) = (0.0, vec![0.0; k * k]);
    for bin in bins {
        cross += bin.cross;
        wide.iter_mut().zip(&bin.gram).for_each(|(to, v)| *to += v);
    }
    (Gram::new(k, wide), cross)
}

fn times<T: Scalar>(f: &Factor<T>, gram: &Factor<T>) -> Factor<T> {
    let mut out = Factor::zeros(f.rows(), f.cols());
    product(Strided::of(f.view()), gram.view(), &mut out.view_mut(), Accum::Replace);
    out
}

/// Rows of W, and what they add to WᵀW and ⟨X, WH⟩.
struct Bin<'a, T> {
    w: ViewMut<'a, T>,
    start: usize,
    gram: Vec<f64>,
    cross: f64,
}

struct RowTask<'a, T: Scalar> {
    rule: &'a dyn Improve<T>,
    /// The Gram matrix and the charge.
    along: (&'a Factor<T>, T),
    flat: bool,
    step: &'a Step,
    /// Where the rows are from.
    x: &'a dyn Matrix<T>,
}

impl<T: Scalar> RowTask<'_, T> {
    fn run(&self, bin: &mut Bin<'_, T>, mut block: Block<'_, T>) {
        let local = block.rows.start - bin.start;
        let mut f = bin.w.slice(local..local + block.rows.len());
        if self.flat {
            self.begin(&mut f, block.b);
        }
        let tol = self.step.w_tol;
        for _ in 0..self.step.w_iterations {
            if self.x.go_on().is_err() {
                break;
            }
            if tol > 0.0 {
                let (w, w_zeros) = self.sums(f.as_view(), block.b).residual();
                if (Kkt { w, w_zeros, ..Kkt::ZERO }).residual() <= tol {
                    break;
                }
            }
            self.rule.improve(&mut f, block.b);
        }
        let f = f.as_view();
        block.out.copy_from(f);
        add_gram(f, f, &mut bin.gram);
        bin.cross += self.sums(f, block.b).cross;
    }

    fn sums(&self, f: View<'_, T>, b: View<'_, T>) -> KktSums {
        let mut sums = KktSums::default();
        let mut along = Factor::zeros(f.rows(), f.cols());
        product(Strided::of(f), self.along.0.view(), &mut along.view_mut(), Accum::Replace);
        add_rows(&mut sums, f, (along.view(), self.along.1), b);
        sums
    }

    /// Rows of equal entries of the best size.
    fn begin(&self, f: &mut ViewMut<'_, T>, b: View<'_, T>) {
        let sum = |row: &[T]| row.iter().map(|v| v.to_f64()).sum::<f64>();
        let den: f64 = (0..f.cols()).map(|t| sum(self.along.0.row(t))).sum();
        for i in 0..f.rows() {
            let level = if den > 0.0 { sum(b.row(i)) / den } else { 0.0 };
            f.row_mut(i).fill(T::from_f64(level));
        }
    }
}
