//! Times one fit: `partwise-bench DATA RANK DTYPE THREADS TARGET|- [W0.npy H0.npy]`.
//!
//! Runs until the objective is at most TARGET and prints one JSON line. With `-` it runs 200
//! iterations.

use partwise::{Csc, Csr, Dense, Factor, Fit, Input, Options, Order, Progress, Rule, fit_observed};
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
    read(Path::new(path), &ReadOptions::default()).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn input<T: Number>(table: Table) -> Input<'static, T> {
    let shape = (table.rows, table.cols);
    match table.values {
        Values::Dense { numbers, order } => {
            let order =
                if order == IoOrder::RowMajor { Order::RowMajor } else { Order::ColumnMajor };
            Dense::new(shape.0, shape.1, order, T::take(numbers)).expect("checked").into()
        }
        Values::Sparse { layout, indptr, indices, numbers } => match layout {
            Layout::Csr => {
                Csr::new(shape, &indptr, indices, T::take(numbers)).expect("checked").into()
            }
            Layout::Csc => {
                Csc::new(shape, &indptr, indices, T::take(numbers)).expect("checked").into()
            }
        },
    }
}

fn factor<T: Number>(path: &str) -> Factor<T> {
    let table = load(path);
    let (rows, cols) = (table.rows, table.cols);
    let Values::Dense { numbers, .. } = table.values else { panic!("{path} is sparse") };
    Factor::from_rows(rows, cols, &T::take(numbers))
}

fn run<T: Number>(args: &[String]) {
    let x = input::<T>(load(&args[0]));
    let target: f64 = args[4].parse().unwrap_or(-1.0);
    let limit = std::env::var("ITERS").ok().and_then(|v| v.parse().ok());
    let mut options = Options::<T> {
        rank: args[1].parse().expect("rank"),
        threads: args[3].parse().expect("threads"),
        tol: std::env::var("TOL").ok().and_then(|v| v.parse().ok()).unwrap_or(0.0),
        seed: std::env::var("SEED").ok().and_then(|v| v.parse().ok()).unwrap_or(0),
        n_init: std::env::var("NINIT").ok().and_then(|v| v.parse().ok()).unwrap_or(1),
        max_iter: limit.unwrap_or(if target > 0.0 { 5000 } else { 200 }),
        sweeps: std::env::var("SWEEPS").ok().and_then(|v| v.parse().ok()),
        ..Options::default()
    };
    if let Ok(rule) = std::env::var("RULE") {
        options.rule = rule.parse::<Rule>().expect("rule");
    }
    if let (Some(w), Some(h)) = (args.get(5), args.get(6)) {
        options.w = Some(factor(w));
        options.h = Some(factor(h));
    }
    let verbose = std::env::var("VERBOSE").is_ok();
    let mut reached = f64::NAN;
    let mut observer = |p: &Progress| {
        if verbose && (p.iteration < 10 || p.iteration % 10 == 0) {
            eprintln!(
                "{:5} {:.4}s f {:.8e} kkt {:.2e} {:?}",
                p.iteration,
                p.seconds,
                p.objective,
                p.kkt.residual(),
                p.kkt
            );
        }
        reached = p.seconds;
        if p.objective <= target { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let fit: Fit<T> = fit_observed(x, &options, &mut observer).expect("fit");
    if std::env::var("RESTARTS").is_ok() {
        let mut o: Vec<f64> = fit.restarts.iter().map(|r| r.objective).collect();
        o.sort_by(f64::total_cmp);
        let it: usize = fit.restarts.iter().map(|r| r.iterations).sum();
        println!(
            "best {:.6e} median {:.6e} worst {:.6e} iterations {} seconds {:.2}",
            o[0],
            o[o.len() / 2],
            o[o.len() - 1],
            it,
            fit.seconds
        );
        return;
    }
    println!(
        "{{\"objective\": {:.17e}, \"seconds\": {reached}, \"iterations\": {}, \"relative_error\": {:.8}, \"kkt\": {:.3e}, \"status\": \"{}\"}}",
        fit.objective,
        fit.iterations,
        fit.relative_error,
        fit.kkt.residual(),
        fit.status
    );
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args[2] == "f32" { run::<f32>(&args) } else { run::<f64>(&args) }
}
