//! The components of a factorization: in what order they stand, and by what names.
//!
//! What the screen calls part 1 is `component_1` in every file. A fit from a made start tells them by
//! their share, the largest first. One from a given W or H keeps the order that was given.

use partwise::matrix::Data;
use partwise::verify::shares;
use partwise::{Error, Factor, Fit, Scalar};
use serde::Serialize;

/// The components of a fit, in the order in which they stand.
pub(crate) struct Components {
    pub(crate) names: Vec<String>,
    /// Of each in the sum of W·H over the entries that count.
    pub(crate) shares: Vec<f64>,
}

/// One of them, for programs.
#[derive(Serialize)]
pub(crate) struct Component<'a> {
    name: &'a str,
    share: f64,
}

/// Names of `k` components that have none of their own.
pub(crate) fn numbered(k: usize) -> Vec<String> {
    (1..=k).map(|t| format!("component_{t}")).collect()
}

impl Components {
    /// Those of a fit. Unless they have `names` and with them an order, they are put in the order of
    /// their shares; equal ones stay as they were.
    pub(crate) fn of<T: Scalar>(
        fit: &mut Fit<T>,
        data: &Data<'_, T>,
        names: Option<Vec<String>>,
    ) -> Result<Self, Error> {
        let mut shares = match shares(data, &fit.w, &fit.h) {
            // Those of all entries take no read of X.
            Err(Error::Halted) => shares(&data.x.borrowed().into(), &fit.w, &fit.h)?,
            shares => shares?,
        };
        let names = names.unwrap_or_else(|| {
            let mut order: Vec<usize> = (0..shares.len()).collect();
            order.sort_by(|&a, &b| shares[b].total_cmp(&shares[a]));
            arrange_columns(&mut fit.w, &order);
            arrange_columns(&mut fit.h, &order);
            for values in [&mut fit.w_sparsity.components, &mut fit.h_sparsity.components] {
                arrange(values, &order);
            }
            arrange(&mut shares, &order);
            numbered(shares.len())
        });
        Ok(Self { names, shares })
    }

    pub(crate) fn as_json(&self) -> Vec<Component<'_>> {
        let all = self.names.iter().zip(&self.shares);
        all.map(|(name, &share)| Component { name, share }).collect()
    }
}

fn arrange<V: Copy>(values: &mut [V], order: &[usize]) {
    let before = values.to_vec();
    values.iter_mut().zip(order).for_each(|(value, &from)| *value = before[from]);
}

fn arrange_columns<T: Scalar>(factor: &mut Factor<T>, order: &[usize]) {
    (0..factor.rows()).for_each(|row| arrange(factor.row_mut(row), order));
}
