//! One factor, exactly, for the other: what `transform`, starts and given factors need.

use crate::error::Result;
use crate::factor::Factor;
use crate::matrix::{Matrix, Plan, Workspace, pass};
use crate::penalty::Penalty;
use crate::scalar::Scalar;
use crate::update::{Bpp, Gram, Update, gram_wide};

/// The exact W of X and H under a penalty, all checked by the caller.
pub(crate) fn rows_given<T: Scalar>(
    x: &dyn Matrix<T>,
    h: &Factor<T>,
    penalty: Penalty,
) -> Result<Factor<T>> {
    let (rows, cols) = x.shape();
    let k = h.cols();
    let plan = Plan::new(x, k);
    let mut workspace = Workspace::new(&plan, cols, k);
    let gram = Gram::new(k, gram_wide(h.view())).ridged(penalty.l2);
    let solver = Bpp.prepare(&gram, T::from_f64(penalty.l1));
    let mut w = Factor::zeros(rows, k);
    let ends = plan.ends();
    let starts = std::iter::once(0).chain(ends.iter().copied());
    let mut bins: Vec<_> = w.view_mut().split_rows(&ends).into_iter().zip(starts).collect();
    pass(x, &plan, &mut workspace, h.view(), None, &mut bins, &|(bin, start), block| {
        let at = block.rows.start - *start;
        solver.improve(&mut bin.slice(at..at + block.rows.len()), block.b);
    })?;
    drop(bins);
    Ok(w)
}

/// The exact H of X and W, both checked by the caller: one read of X for C = XᵀW.
pub(crate) fn columns_given<T: Scalar>(x: &dyn Matrix<T>, w: &Factor<T>) -> Result<Factor<T>> {
    let (_, cols) = x.shape();
    let k = w.cols();
    let plan = Plan::new(x, k);
    let mut workspace = Workspace::new(&plan, cols, k);
    let mut h = Factor::zeros(cols, k);
    let mut c = Factor::zeros(cols, k);
    let mut bins = vec![(); plan.bins().len()];
    pass(x, &plan, &mut workspace, h.view(), Some(&mut c), &mut bins, &|(), mut block| {
        block.out.copy_from(w.view().slice(block.rows));
    })?;
    let gram = Gram::new(k, gram_wide(w.view()));
    Bpp.prepare(&gram, T::ZERO).improve(&mut h.view_mut(), c.view());
    Ok(h)
}
