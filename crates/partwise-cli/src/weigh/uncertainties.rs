//! Weights of entries from their standard errors.

use crate::failure::Failure;
use crate::load;
use partwise_io::{Numbers, Order, Table, Values};
use std::path::Path;

/// The weights 1/s² of standard errors s; NaN stays, for an entry that is missing.
pub(super) fn precisions(mut table: Table, path: &Path) -> Result<Table, Failure> {
    let (rows, cols) = (table.rows, table.cols);
    let (Values::Dense { numbers, .. } | Values::Sparse { numbers, .. }) = &mut table.values;
    let taken = std::mem::replace(numbers, Numbers::F64(Vec::new()));
    let (mut values, _) = taken.into_f64();
    let bad = |s: f64| s <= 0.0 || s.is_infinite();
    if let Some(at) = values.iter().position(|&s| bad(s)) {
        let count = values.iter().filter(|&&s| bad(s)).count();
        let place = match &table.values {
            Values::Dense { order: Order::RowMajor, .. } => {
                format!("[{}, {}]", at / cols, at % cols)
            }
            Values::Dense { .. } => format!("[{}, {}]", at % rows, at / rows),
            Values::Sparse { .. } => format!("stored entry {at}"),
        };
        let value = values[at];
        let text = format!(
            "{}: {place} = {value} is no standard error (such entries: {count}); each must be above 0: \
             if {value} stands for a missing value, --na {value}; else give weights by --weights",
            load::name(path)
        );
        return Err(Failure::Data { code: "E-DATA", text, at: None });
    }
    values.iter_mut().for_each(|s| *s = 1.0 / (*s * *s));
    *numbers = Numbers::F64(values);
    Ok(table)
}
