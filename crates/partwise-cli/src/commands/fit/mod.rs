//! `partwise fit`.

mod answer;

use super::model;
use crate::about::About;
use crate::args;
use crate::beside::Beside;
use crate::components::{self, Components};
use crate::failure::Failure;
use crate::json::Files;
use crate::load::{self, Loaded};
use crate::number::{self, Number, with_number};
use crate::plan::{self, Outputs};
use crate::progress::Bar;
use crate::report::{self, Remarks};
use crate::weigh::{self, Seen, Weighed};
use crate::{interrupt, start, text};
use answer::Answer;
use partwise::matrix::Data;
use partwise::verify::{self, HeldOut};
use partwise::{Error, Fit, Loss, Options, Side, Status, fit_observed};
use partwise_io::{Entries, Named, Table};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// Reads, fits, saves, tells.
pub(crate) fn run(args: &args::Fit) -> Result<(), Failure> {
    check(args)?;
    let began = Instant::now();
    watch_reading(args, began);
    let outputs = Outputs::open(args)?;
    let table = load::table(&args.input, args.weighing.missing(), None, args.memory)?;
    let single = number::single(args.dtype, table.numbers().dtype());
    with_number!(single, fit(args, (table, outputs), began))
}

/// Ends the command when its time is up before the fit begins.
fn watch_reading(args: &args::Fit, began: Instant) {
    let Some(limit) = args.time_limit else { return };
    let Some(deadline) = began.checked_add(limit) else { return };
    let file = load::name(&args.input.file);
    interrupt::unless_fitting_by(deadline, args.show.json, move || {
        let limit = text::seconds(limit.as_secs_f64());
        let text = format!(
            "{file}: the time limit of {limit} passed while the input was read, so nothing was fitted; \
             raise --time-limit"
        );
        Failure::Outcome { code: "E-TIME", exit: 5, text }
    });
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
    if args.rank.is_none() && args.w.is_none() && args.h.is_none() {
        let text = "the number of components is not known: give --rank K (short: -k K), or W or H to \
                    start from (--w FILE, --h FILE), whose shape tells it";
        return Err(Failure::Usage(text.into()));
    }
    let squares = args.loss == Loss::FROBENIUS || args.loss.delta().is_some();
    if args.weighing.uncertainties.is_some() && !squares {
        return Err(Failure::Usage(format!(
            "--uncertainties weighs squares of errors by 1/s², and --loss {} has none; give weights by \
             --weights, or take --loss frobenius or huber:δ",
            args.loss
        )));
    }
    let (w, h) = args.penalties.pair().unwrap_or_default();
    let prices = [("w_l1", w.l1), ("w_l2", w.l2), ("h_l1", h.l1), ("h_l2", h.l2)];
    let price = prices.into_iter().find(|(_, price)| !(*price >= 0.0 && price.is_finite()));
    // The engine checks all of it again, with the shape of X.
    let error = match () {
        () if args.rank == Some(0) => Some(("rank", "0".to_owned(), "at least 1")),
        () if args.n_init == 0 => Some(("n_init", args.n_init.to_string(), "at least 1")),
        () if !(args.tol >= 0.0 && args.tol.is_finite()) => {
            Some(("tol", args.tol.to_string(), "a finite number >= 0"))
        }
        () => price.map(|(option, price)| (option, price.to_string(), "a finite number >= 0")),
    };
    error.map_or(Ok(()), |(option, value, needed)| {
        let error = Error::Option { option, value, needed };
        Err(Failure::Engine { error: error.into(), file: String::new(), cell: None })
    })
}

fn fit<T: Number>(
    args: &args::Fit,
    (table, mut outputs): (Table, Outputs),
    began: Instant,
) -> Result<(), Failure> {
    let mut remarks = Remarks::default();
    let Loaded { x, mut about } = load::matrix::<T>(table, load::name(&args.input.file))?;
    remarks.notices.append(&mut about.notices);
    remarks.warnings.append(&mut about.warnings);
    let missing = args.weighing.missing();
    let files = Beside::new(&args.beside, &args.input.reading, missing.nan, args.memory);
    let (mut options, own) = options::<T>(args, files, &about, &mut remarks)?;
    let notices = &mut remarks.notices;
    let Weighed { weights, given } =
        weigh::weights(&args.weighing, missing, files, (&x, &about), notices)?;
    let column_weights = weights.columns.clone();
    let data = Data { x, weights };
    let entries = outputs.model.is_some().then(|| model::entries(&data.x)).transpose();
    let entries = entries.map_err(|error| about.blame(error))?;
    let seen = weigh::seen(&given, &data, &about)?;
    let mut bar = Bar::new(args.show.quiet > 0 || args.show.json, args.max_iter, args.time_limit);
    options.stop = Some(interrupt::fitting());
    options.time_limit = args.time_limit.map(|limit| limit.saturating_sub(began.elapsed()));
    let result = fit_observed(data.borrowed(), &options, &mut bar);
    drop(bar);
    let mut fit = result.map_err(|error| blame(error, args, &about))?;
    let given = args.w.is_some() || args.h.is_some();
    let names = own.clone().or_else(|| given.then(|| components::numbered(options.rank)));
    let scored = in_time(
        &data,
        args.time_limit.and_then(|limit| began.checked_add(limit)),
        options.stop.as_ref(),
    );
    let components =
        Components::of(&mut fit, &scored, names).map_err(|error| blame(error, args, &about))?;
    remarks.warnings.extend(fit.warnings.iter().map(ToString::to_string));
    let hidden = match held_out(args, &scored, &fit) {
        Err(Error::Halted) => {
            let text = "the hidden entries were not compared with W·H: there was no time";
            remarks.warnings.push(text.into());
            None
        }
        hidden => hidden.map_err(|error| blame(error, args, &about))?,
    };
    let kept = Kept { component_names: own, column_weights, entries };
    let mut files = save(args, &fit, &components, kept, (&about, seen.as_ref()), &mut outputs)?;
    remarks.notices.extend(outputs.nameless(&about));
    let kept_elsewhere = outputs.commit(&mut files)?;
    let outcome = kept_elsewhere.map_or_else(|| outcome(args, &fit), Err);
    let failure = outcome.as_ref().err();
    let seen = seen.as_ref();
    if args.show.quiet > 0 && failure.is_none() && fit.status != Status::Converged {
        // The report would say so.
        let kkt = report::kkt(fit.kkt.residual());
        let (how, tol) = (report::in_words(fit.status), text::tolerance(args.tol));
        remarks.warnings.push(format!("{how}: KKT residual {kkt}, --tol {tol}"));
    }
    let (options, fit, components, about, files) = (&options, &fit, &components, &about, &files);
    let hidden = hidden.as_ref();
    let answer = Answer { args, options, fit, components, about, seen, hidden, files, failure };
    // A terminal that was closed takes no answer; that it was closed is what is to be told.
    answer.tell(&remarks).or_else(|error| if outcome.is_err() { Ok(()) } else { Err(error) })?;
    outcome
}

/// What a result may be late by for what is told about it.
const GRACE: Duration = Duration::from_millis(150);

/// X for what is told about the result: until a signal comes, or a little after the deadline or a signal
/// that has come.
fn in_time<'a, T: Number>(
    data: &'a Data<'_, T>,
    deadline: Option<Instant>,
    stop: Option<&Arc<AtomicBool>>,
) -> Data<'a, T> {
    let (data, now) = (data.borrowed(), Instant::now());
    match (interrupt::asked(), deadline) {
        (Some(_), _) => data.before(now + GRACE),
        (None, deadline) => {
            let data = stop.into_iter().fold(data, |data, stop| data.until(Arc::clone(stop)));
            deadline.into_iter().fold(data, |data, deadline| data.before(deadline.max(now) + GRACE))
        }
    }
}

/// How well the entries that --hide and --mask hide are predicted, where X holds them.
fn held_out<T: Number>(
    args: &args::Fit,
    data: &Data<'_, T>,
    fit: &Fit<T>,
) -> Result<Option<HeldOut>, Error> {
    let given = &args.weighing;
    if given.mask.is_none() && given.hide.is_none() {
        return Ok(None);
    }
    // A mask alone is weights of 0 and 1; beside others it is told apart from their zeros.
    let alone = given.weights.is_none() && given.uncertainties.is_none();
    verify::held_out(data, alone && given.mask.is_some(), (&fit.w, &fit.h), args.loss)
}

fn options<T: Number>(
    args: &args::Fit,
    files: Beside<'_>,
    about: &About,
    remarks: &mut Remarks,
) -> Result<(Options<T>, Option<Vec<String>>), Failure> {
    let notices = &mut remarks.notices;
    let paths = (args.w.as_deref(), args.h.as_deref());
    let read = || start::read(paths, args.rank, files, about);
    let early = args.rank.is_none().then(read).transpose()?;
    let rank = match (&early, args.rank) {
        (Some(tables), None) => tables.rank(about)?,
        (_, rank) => rank.unwrap_or_default(),
    };
    let mut options = Options {
        rank,
        loss: args.loss,
        rule: args.rule,
        init: args.init,
        n_init: args.n_init,
        seed: args.seed,
        tol: args.tol,
        until: args.until,
        max_iter: args.max_iter,
        time_limit: args.time_limit,
        threads: plan::threads(args.threads.threads, notices),
        w_penalty: args.penalties.pair().map(|pair| pair.0),
        h_penalty: args.penalties.pair().map(|pair| pair.1),
        fixed: args.fix,
        memory_limit: memory_limit(args, about),
        ..Options::default()
    };
    // Without this, a start file would be read for a fit that is refused for its size.
    options.fixed = None;
    options.validate((about.rows, about.cols)).map_err(|error| blame(error, args, about))?;
    options.fixed = args.fix;
    let tables = early.map_or_else(read, Ok)?;
    let given = tables.factors(rank, files.matching(), about, notices)?;
    (options.w, options.h) = (given.w, given.h);
    Ok((options, given.component_names))
}

/// What the limit leaves for the factors once X is in memory.
fn memory_limit(args: &args::Fit, about: &About) -> Option<u64> {
    match args.memory.memory_limit {
        Some(limit) => Some(limit.saturating_sub(about.bytes())),
        None => partwise_memory::modest(),
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
    if matches!(error, Error::Halted) {
        // What halts it is a signal.
        let signal = interrupt::asked().unwrap_or(interrupt::Signal::Interrupt);
        return Failure::Ended { signal, kept: Some(false) };
    }
    match file {
        Some(file) => Failure::Engine { error: error.into(), file, cell: None },
        None => about.blame(error),
    }
}

/// What a model keeps of what the fit was given.
pub(super) struct Kept<T> {
    /// Names of the components of W or H, where a file had them.
    pub(super) component_names: Option<Vec<String>>,
    pub(super) column_weights: Option<Vec<T>>,
    /// What tells X from any other, if there is to be a model.
    pub(super) entries: Option<Entries>,
}

/// Writes what was asked for; nothing has its final name yet.
fn save<T: Number>(
    args: &args::Fit,
    fit: &Fit<T>,
    components: &Components,
    kept: Kept<T>,
    (about, seen): (&About, Option<&Seen>),
    outputs: &mut Outputs,
) -> Result<Files, Failure> {
    let k = components.names.len();
    let (w, h) = (fit.w.to_vec(), fit.h.to_transposed_vec());
    if let Some(output) = &mut outputs.w {
        let row_names = about.row_names.as_deref();
        let col_names = Some(&components.names[..]);
        let (rows, cols, values) = (about.rows, k, &w[..]);
        output.write(&Named { rows, cols, values, row_names, col_names })?;
    }
    if let Some(output) = &mut outputs.h {
        let row_names = Some(&components.names[..]);
        let col_names = about.col_names.as_deref();
        let (rows, cols, values) = (k, about.cols, &h[..]);
        output.write(&Named { rows, cols, values, row_names, col_names })?;
    }
    if let Some(output) = &mut outputs.model {
        output.write_model(&model::of(args, fit, (about, seen), kept, (w, h)))?;
    }
    Ok(outputs.files())
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
        // The best restart may have ended before the signal came.
        _ if let Some(signal) = interrupt::asked() => {
            Err(Failure::Ended { signal, kept: Some(true) })
        }
        status if status != Status::Converged && args.require_convergence => {
            let remedy = match status {
                Status::TimeLimit => "raise --time-limit or --tol",
                Status::Stalled => "raise --tol, or compute in --dtype f64",
                Status::Settled => "leave out --until settled, or take another --rule",
                _ => "raise --max-iter or --tol",
            };
            let text = format!(
                "{} after {} with KKT residual {}, tol {}: {remedy}",
                report::in_words(status),
                text::counted(fit.iterations, "iteration"),
                report::kkt(kkt),
                text::tolerance(args.tol)
            );
            Err(Failure::Outcome { code: "E-CONVERGENCE", exit: 7, text })
        }
        _ => Ok(()),
    }
}
