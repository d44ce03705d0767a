//! `partwise transform`.

use super::model;
use crate::args::{self, Missing};
use crate::beside::Beside;
use crate::failure::Failure;
use crate::json::{self, Files, Matrix, Minimised};
use crate::load::{self, Loaded};
use crate::number::{Number, with_number};
use crate::plan::{self, Output};
use crate::report::{self, Remarks, Report};
use crate::weigh::{self, Weighed};
use partwise::Loss;
use partwise::matrix::Data;
use partwise::verify::Objective;
use partwise_io::{Model, Named, Table};
use serde::Serialize;
use std::time::Instant;

/// Reads the model and X, fits W, saves it.
pub(crate) fn run(args: &args::Transform) -> Result<(), Failure> {
    let mut inputs = vec![args.model.clone()];
    inputs.extend(args.input.files().chain(args.weighing.files()).cloned());
    let output = Output::matrix(&args.out, args.writing, &inputs)?;
    let model = model::read("transform", &args.model, &args.input.file)?;
    let missing = missing(args, &model)?;
    let table = load::table(&args.input, missing, model.col_names.as_deref(), args.memory)?;
    with_number!(model::is_single(&model), transform(args, &model, (table, missing), output))
}

/// What is missing of the new rows; refuses to forget how the rows of the fit were weighed.
fn missing(args: &args::Transform, model: &Model) -> Result<Missing, Failure> {
    let of_fit = model::of_fit(model);
    for option in ["--weights", "--uncertainties"] {
        let weighing = &args.weighing;
        if of_fit.iter().any(|given| given == option)
            && weighing.weights.is_none()
            && weighing.uncertainties.is_none()
        {
            let file = crate::text::path(&args.model);
            return Err(Failure::Usage(format!(
                "{file} was fitted with {option}: give those of the new rows by {option} FILE, or \
                 --weights none if each of their entries counts once"
            )));
        }
    }
    Ok(args.weighing.missing_as(model::missing(model)))
}

/// What was done as the fit did it, and what was not.
fn notes(args: &args::Transform, model: &Model, given: &[String], notices: &mut Vec<String>) {
    let weighing = &args.weighing;
    let said = |option: &str| given.iter().any(|given| given == option);
    for option in model::of_fit(model) {
        match option.as_str() {
            "--missing nan" | "--missing absent" | "--column-weights" if said(option) => {
                notices.push(format!("{option}, as in the fit"));
            }
            "--mask" | "--hide" if weighing.mask.is_none() && weighing.hide.is_none() => {
                notices.push(format!(
                    "the fit left entries out by {option}; of these rows every entry counts, \
                     unless --mask or --hide says otherwise"
                ));
            }
            _ => {}
        }
    }
}

fn transform<T: Number>(
    args: &args::Transform,
    model: &Model,
    (table, missing): (Table, Missing),
    mut output: Output,
) -> Result<(), Failure> {
    let mut remarks = Remarks::default();
    let (name, by) = (load::name(&args.input.file), (args.beside.matching, &*args.model));
    let table = model::arranged(model, (table, &name), false, by, &mut remarks.notices)?;
    let Loaded { x, mut about } = load::matrix::<T>(table, name)?;
    model::check_columns(model, &about)?;
    remarks.notices.append(&mut about.notices);
    remarks.warnings.append(&mut about.warnings);
    let threads = plan::threads(args.threads.threads, &mut remarks.notices);
    let h = model::tall::<T>(&model.h)?;
    let Objective { loss, w_penalty: penalty, .. } = model::objective(model)?;
    let notices = &mut remarks.notices;
    let files = Beside::new(&args.beside, &args.input.reading, missing.nan, args.memory);
    let mut weighed = weigh::weights(&args.weighing, missing, files, (&x, &about), notices)?;
    weighed.take_columns(&args.weighing, model);
    let Weighed { weights, given } = weighed;
    notes(args, model, &given, notices);
    let data = Data { x, weights };
    let seen = weigh::seen(&given, &data, &about)?;
    let began = Instant::now();
    let options = partwise::Transform { loss, penalty, threads, ..Default::default() };
    let found = partwise::transform_told(data.borrowed(), &h, &options);
    let partwise::Transformed { w, unfinished } = found.map_err(|e| about.blame(e))?;
    if let Some(first) = unfinished.first() {
        remarks.warnings.push(format!(
            "{} of {} rows (first: row {}) were not stationary to {:e} after {} improvements",
            unfinished.len(),
            about.rows,
            first + 1,
            options.tol,
            options.max_iter
        ));
    }
    let seconds = began.elapsed().as_secs_f64();
    let share = partwise::measure(data, &w, &h, loss, threads).map_err(|e| about.blame(e))?;
    let k = model.rank();
    let components = model::components(model);
    output.write(&Named {
        rows: about.rows,
        cols: k,
        values: &w.to_vec(),
        row_names: about.row_names.as_deref(),
        col_names: Some(&components),
    })?;
    let nameless = output.nameless("row", about.row_names.as_deref());
    remarks.notices.extend(nameless.map(|text| text + "; .csv, .tsv and .npz do"));
    let saved = output.commit()?;
    if args.show.json {
        return report::say(&json::line(&Answer {
            x: (&about).into(),
            rank: k,
            minimised: Minimised::new(loss, model.origin.penalties, seen.as_ref()),
            seconds,
            divergence: share.divergence,
            relative_error: share.relative_error,
            explained_variance: share.explained_variance,
            files: Files { w: Some(saved), ..Files::default() },
            notices: &remarks.notices,
            warnings: &remarks.warnings,
            exit_code: 0,
        }));
    }
    let mut report = Report::default();
    report.matrix(&about);
    if let Some(seen) = &seen {
        report::seen(&mut report, seen);
    }
    let exact = if loss == Loss::FROBENIUS { "exact".into() } else { format!("{loss}") };
    let time = crate::text::seconds(seconds);
    report.line("transform", &format!("rank {k}, {exact} for each row, {time}"));
    let (error, explained) = (share.relative_error, share.explained_variance);
    report.line("error", &report::error_line(loss, seen.as_ref(), error, explained));
    report.line("saved", &format!("{saved} ({} × {k})", about.rows));
    report.tell(args.show, &remarks)
}

#[derive(Serialize)]
struct Answer<'a> {
    x: Matrix<'a>,
    rank: usize,
    #[serde(flatten)]
    minimised: Minimised,
    seconds: f64,
    divergence: f64,
    relative_error: f64,
    explained_variance: f64,
    files: Files,
    notices: &'a [String],
    warnings: &'a [String],
    exit_code: u8,
}
