//! `partwise fit`.

use super::model;
use crate::about::About;
use crate::args;
use crate::failure::Failure;
use crate::json::{self, Figures, Files, Matrix};
use crate::load::{self, Loaded};
use crate::number::{self, Number, with_number};
use crate::plan::{self, Content, Outputs};
use crate::progress::Bar;
use crate::report::{self, Remarks, Report};
use crate::{interrupt, memory, text};
use partwise::{Error, Factor, Fit, Options, Side, Status, fit_observed};
use partwise_io::Table;
use serde::Serialize;

/// Reads, fits, saves, tells.
pub(crate) fn run(args: &args::Fit) -> Result<(), Failure> {
    check(args)?;
    let outputs = Outputs::open(args)?;
    let table = load::table(&args.input, args.memory)?;
    let single = number::single(args.dtype, table.numbers().dtype());
    with_number!(single, fit(args, table, outputs))
}

/// What is refused before any file is touched.
fn check(args: &args::Fit) -> Result<(), Failure> {
    let lacking = match args.fix {
        Some(Side::Rows) if args.w.is_none() => Some("w"),
        Some(Side::Columns) if args.h.is_none() => Some("h"),
        _ => None,
    };
    if let Some(factor) = lacking {
        return Err(Failure::Usage(format!(
            "--fix {factor} needs --{factor} FILE, the factor to keep"
        )));
    }
    // The engine checks all of it again, with the shape of X.
    let error = match () {
        () if args.rank == 0 => Some(("rank", args.rank.to_string(), "at least 1")),
        () if args.n_init == 0 => Some(("n_init", args.n_init.to_string(), "at least 1")),
        () if !(args.tol >= 0.0 && args.tol.is_finite()) => {
            Some(("tol", args.tol.to_string(), "a finite number >= 0"))
        }
        () => None,
    };
    error.map_or(Ok(()), |(option, value, needed)| {
        let error = Error::Option { option, value, needed };
        Err(Failure::Engine { error: error.into(), file: String::new(), cell: None })
    })
}

fn fit<T: Number>(args: &args::Fit, table: Table, mut outputs: Outputs) -> Result<(), Failure> {
    let mut remarks = Remarks::default();
    let Loaded { x, mut about } = load::matrix::<T>(table, load::name(&args.input.file))?;
    remarks.notices.append(&mut about.notices);
    let options = options::<T>(args, &about, &mut remarks)?;
    let mut bar = Bar::new(args.show.quiet || args.show.json, args.max_iter, args.time_limit);
    interrupt::fitting();
    let result = fit_observed(x, &options, &mut bar);
    drop(bar);
    let fit = result.map_err(|error| blame(error, args, &about))?;
    remarks.warnings = fit.warnings.iter().map(ToString::to_string).collect();
    let files = save(args, &fit, &about, &mut outputs)?;
    outputs.commit()?;
    let outcome = outcome(args, &fit);
    answer(args, &fit, &about, &files, &remarks, options.threads, outcome.as_ref().err())?;
    outcome
}

fn options<T: Number>(
    args: &args::Fit,
    about: &About,
    remarks: &mut Remarks,
) -> Result<Options<T>, Failure> {
    let notices = &mut remarks.notices;
    let mut options = Options {
        rank: args.rank,
        loss: args.loss,
        rule: args.rule,
        init: args.init,
        n_init: args.n_init,
        seed: args.seed,
        tol: args.tol,
        max_iter: args.max_iter,
        time_limit: args.time_limit,
        threads: plan::threads(args.threads.threads, notices),
        fixed: args.fix,
        memory_limit: memory_limit(args, about),
        ..Options::default()
    };
    // Without this, a start file would be read for a fit that is refused for its size.
    options.fixed = None;
    options.validate((about.rows, about.cols)).map_err(|error| blame(error, args, about))?;
    options.fixed = args.fix;
    if let Some(path) = &args.w {
        options.w = Some(load::factor(path, "W", (about.rows, args.rank), notices)?);
    }
    if let Some(path) = &args.h {
        let wide: Factor<T> = load::factor(path, "H", (args.rank, about.cols), notices)?;
        let tall = wide.to_transposed_vec();
        options.h = Some(Factor::from_rows(about.cols, args.rank, &tall));
    }
    Ok(options)
}

/// What the limit leaves for the factors once X is in memory.
fn memory_limit(args: &args::Fit, about: &About) -> Option<u64> {
    match args.memory.memory_limit {
        Some(limit) => Some(limit.saturating_sub(about.bytes())),
        None => memory::limit(),
    }
}

/// Puts the name of the right file, and rows and columns as in that file, to an error.
fn blame(error: Error, args: &args::Fit, about: &About) -> Failure {
    let start = |path: &Option<std::path::PathBuf>| path.as_deref().map(load::name);
    let (error, file) = match error {
        Error::Start { what: "H", row, col, value } => {
            (Error::Start { what: "H", row: col, col: row, value }, start(&args.h))
        }
        error @ (Error::Start { what: "W", .. } | Error::ZeroStart { what: "W" }) => {
            (error, start(&args.w))
        }
        error @ Error::ZeroStart { what: "H" } => (error, start(&args.h)),
        error => (error, None),
    };
    match file {
        Some(file) => Failure::Engine { error: error.into(), file, cell: None },
        None => about.blame(error),
    }
}

/// Writes what was asked for; nothing has its final name yet.
fn save<T: Number>(
    args: &args::Fit,
    fit: &Fit<T>,
    about: &About,
    outputs: &mut Outputs,
) -> Result<Files, Failure> {
    let k = args.rank;
    let components: Vec<String> = (0..k).map(|t| format!("component_{t}")).collect();
    let (w, h) = (fit.w.to_vec(), fit.h.to_transposed_vec());
    if let Some(output) = &mut outputs.w {
        let row_names = about.row_names.as_deref();
        let col_names = Some(&components[..]);
        output.write(&Content { shape: (about.rows, k), values: &w, row_names, col_names })?;
    }
    if let Some(output) = &mut outputs.h {
        let row_names = Some(&components[..]);
        let col_names = about.col_names.as_deref();
        output.write(&Content { shape: (k, about.cols), values: &h, row_names, col_names })?;
    }
    if let Some(output) = &mut outputs.model {
        output.write_model(&model::of(args, fit, about, w, h))?;
    }
    let name = |output: &Option<plan::Output>| output.as_ref().map(plan::Output::name);
    Ok(Files { w: name(&outputs.w), h: name(&outputs.h), model: name(&outputs.model) })
}

/// Whether the way the fit ended is what was wanted.
fn outcome<T: Number>(args: &args::Fit, fit: &Fit<T>) -> Result<(), Failure> {
    let kkt = fit.kkt.residual();
    match fit.status {
        Status::NumericalTrouble => Err(Failure::Outcome {
            code: "E-NUMERIC",
            exit: 6,
            text: format!(
                "a value that is not finite came up after iteration {}; the last finite factors \
                 were kept: try --dtype f64 or another --rule",
                fit.iterations
            ),
        }),
        // The best restart may have ended before the interruption.
        _ if interrupt::asked() => Err(Failure::Outcome {
            code: "E-INTERRUPT",
            exit: interrupt::EXIT,
            text: "interrupted; the best factors so far were kept".into(),
        }),
        status if status != Status::Converged && args.require_convergence => {
            let remedy = match status {
                Status::TimeLimit => "raise --time-limit or --tol",
                Status::Stalled => "raise --tol, or compute in --dtype f64",
                _ => "raise --max-iter or --tol",
            };
            let text = format!(
                "{} after {} with KKT residual {kkt:.2e} > tol {}: {remedy}",
                report::in_words(status),
                text::counted(fit.iterations, "iteration"),
                text::tolerance(args.tol)
            );
            Err(Failure::Outcome { code: "E-CONVERGENCE", exit: 7, text })
        }
        _ => Ok(()),
    }
}

fn answer<T: Number>(
    args: &args::Fit,
    fit: &Fit<T>,
    about: &About,
    files: &Files,
    remarks: &Remarks,
    threads: usize,
    failure: Option<&Failure>,
) -> Result<(), Failure> {
    if args.show.json {
        return report::say(&as_json(args, fit, about, files, remarks, failure));
    }
    let mut report = Report::default();
    report.matrix(about);
    let start = match (&args.w, &args.h) {
        (Some(_), Some(_)) => "given W and H".to_owned(),
        (Some(_), None) => "given W".to_owned(),
        (None, Some(_)) => "given H".to_owned(),
        (None, None) => format!("start {}", args.init),
    };
    let times = if args.n_init > 1 { format!(" (best of {})", args.n_init) } else { String::new() };
    let cores = text::counted(threads, "thread");
    report.line(
        "fit",
        &format!(
            "rank {}, {}, {start}{times}, seed {}, {cores}",
            args.rank,
            args.rule(),
            args.seed
        ),
    );
    report::fit(&mut report, fit, args.tol, args.n_init);
    if let Some(names) = &about.col_names {
        report::parts(&mut report, fit, names);
    }
    let saved: Vec<&str> =
        [&files.w, &files.h, &files.model].into_iter().flatten().map(String::as_str).collect();
    if saved.is_empty() {
        report.line("saved", "nothing; --out NAME saves W, H and a model");
    } else {
        report.line("saved", &saved.join(", "));
    }
    report.tell(args.show, remarks)
}

fn as_json<T: Number>(
    args: &args::Fit,
    fit: &Fit<T>,
    about: &About,
    files: &Files,
    remarks: &Remarks,
    failure: Option<&Failure>,
) -> String {
    #[derive(Serialize)]
    struct Answer<'a> {
        x: Matrix<'a>,
        rank: usize,
        rule: &'a str,
        init: &'a str,
        n_init: usize,
        seed: u64,
        tol: f64,
        #[serde(flatten)]
        figures: Figures<'a>,
        files: &'a Files,
        notices: &'a [String],
        warnings: &'a [String],
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<Cause>,
        exit_code: u8,
    }
    #[derive(Serialize)]
    struct Cause {
        code: &'static str,
        text: String,
        exit_code: u8,
    }
    let cause = |f: &Failure| Cause { code: f.code(), text: f.text(), exit_code: f.exit() };
    json::line(&Answer {
        x: about.into(),
        rank: args.rank,
        rule: args.rule().name(),
        init: args.init.name(),
        n_init: args.n_init,
        seed: args.seed,
        tol: args.tol,
        figures: fit.into(),
        files,
        notices: &remarks.notices,
        warnings: &remarks.warnings,
        error: failure.map(cause),
        exit_code: failure.map_or(0, Failure::exit),
    })
}
