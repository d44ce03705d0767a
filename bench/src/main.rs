//! Times one fit: `partwise-bench DATA RANK f32|f64 THREADS TARGET W0.npy H0.npy`.
//!
//! Runs from the start given (H0 stored n×k) until the objective is at most TARGET, and prints one
//! JSON line: the seconds when that was so, and the objective recomputed in f64. The environment may
//! set LOSS, RULE, SWEEPS, PLAIN, ITERATIONS, and HIDE, a share of the entries (of those stored if X is
//! sparse) to hide from the fit.

use partwise::matrix::{Data, Weights};
use partwise::verify::{Objective, verify};
use partwise::{Csc, Csr, Dense, Factor, Input, Loss, Options, Order, Progress, fit_observed};
use partwise_io::{Layout, Numbers, Order as IoOrder, ReadOptions, Table, Values, read};
use std::ops::ControlFlow;
use std::path::Path;

trait Number: partwise::Scalar {
    fn take(numbers: Numbers) -> Vec<Self>;
}
impl Number for f32 {
    fn take(numbers: Numbers) -> Vec<f32> {
        numbers.into_f32().0
    }
}
impl Number for f64 {
    fn take(numbers: Numbers) -> Vec<f64> {
        numbers.into_f64().0
    }
}

fn load(path: &str) -> Table {
    read(Path::new(path), &ReadOptions::default()).unwrap_or_else(|e| panic!("{e}"))
}

fn input<T: Number>(table: Table) -> Input<'static, T> {
    let shape = (table.rows, table.cols);
    match table.values {
        Values::Dense { numbers, order } => {
            let row_major = order == IoOrder::RowMajor;
            let order = if row_major { Order::RowMajor } else { Order::ColumnMajor };
            Dense::new(shape.0, shape.1, order, T::take(numbers)).expect("checked").into()
        }
        Values::Sparse { layout, indptr, indices, numbers } => {
            let values = T::take(numbers);
            match layout {
                Layout::Csr => Csr::new(shape, &indptr, indices, values).expect("checked").into(),
                Layout::Csc => Csc::new(shape, &indptr, indices, values).expect("checked").into(),
            }
        }
    }
}

fn factor<T: Number>(path: &str) -> Factor<T> {
    let table = load(path);
    let (rows, cols) = (table.rows, table.cols);
    let Values::Dense { numbers, .. } = table.values else { panic!("{path} is sparse") };
    Factor::from_rows(rows, cols, &T::take(numbers))
}

/// An option from the environment, for trying things out.
fn variable<V: std::str::FromStr>(name: &str) -> Option<V> {
    std::env::var(name).ok().and_then(|v| v.parse().ok())
}

/// A share of the entries, each by the bits of its place.
fn hidden<T: Number>(x: &Input<'_, T>, share: f64) -> Csr<'static, T> {
    let (rows, cols) = x.shape();
    let is_drawn = |row: usize, col: usize| {
        let mixed = (row as u64 * cols as u64 + col as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        ((mixed >> 11) as f64) < share * (1u64 << 53) as f64
    };
    let (mut indptr, mut indices) = (vec![0usize], Vec::new());
    for row in 0..rows {
        let columns: Vec<u32> = match x {
            Input::Csr(x) => x.row(row).0.to_vec(),
            _ => (0..u32::try_from(cols).expect("columns")).collect(),
        };
        indices.extend(columns.into_iter().filter(|&col| is_drawn(row, col as usize)));
        indptr.push(indices.len());
    }
    let ones = vec![T::ONE; indices.len()];
    Csr::new((rows, cols), &indptr, indices, ones).expect("a pattern")
}

fn run<T: Number>(args: &[String]) {
    let x = input::<T>(load(&args[0]));
    let target: f64 = args[4].parse().expect("TARGET");
    let options = Options::<T> {
        rank: args[1].parse().expect("RANK"),
        threads: args[3].parse().expect("THREADS"),
        tol: 0.0,
        max_iter: variable("ITERATIONS").unwrap_or(5000),
        sweeps: variable("SWEEPS"),
        plain: variable("PLAIN").unwrap_or(0),
        loss: variable("LOSS").unwrap_or(Loss::FROBENIUS),
        rule: variable("RULE"),
        w: Some(factor(&args[5])),
        h: Some(factor(&args[6])),
        ..Options::default()
    };
    let mut reached = f64::NAN;
    let mut observer = |p: &Progress| {
        reached = p.seconds;
        if p.objective <= target { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let hidden = variable("HIDE").map(|share| hidden(&x, share));
    let data = Data { x: x.clone(), weights: Weights { hidden, ..Weights::default() } };
    let fit = fit_observed(data.clone(), &options, &mut observer).expect("fit");
    let objective = Objective { loss: options.loss, ..Objective::default() };
    let checked = verify(data, &fit.w, &fit.h, &objective).expect("verify");
    println!(
        "{{\"seconds\": {reached}, \"iterations\": {}, \"objective\": {:e}, \"kkt\": {:e}, \"status\": \"{}\"}}",
        fit.iterations,
        checked.objective,
        fit.kkt.residual(),
        fit.status
    );
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args[2] == "f32" { run::<f32>(&args) } else { run::<f64>(&args) }
}
