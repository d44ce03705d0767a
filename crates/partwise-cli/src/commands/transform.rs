//! `partwise transform`.

use super::model;
use crate::args;
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
    let mut inputs = vec![args.model.clone(), args.input.file.clone()];
    inputs.extend(args.weighing.files().cloned());
    let output = Output::matrix(&args.out, args.writing, &inputs)?;
    let model = Model::read(&args.model)?;
    let table = load::table(&args.input, args.weighing.missing.nan, args.memory)?;
    with_number!(model::is_single(&model), transform(args, &model, table, output))
}

fn transform<T: Number>(
    args: &args::Transform,
    model: &Model,
    table: Table,
    mut output: Output,
) -> Result<(), Failure> {
    let Loaded { x, mut about } = load::matrix::<T>(table, load::name(&args.input.file))?;
    model::check_columns(model, &mut about)?;
    let mut remarks = Remarks::default();
    remarks.notices.append(&mut about.notices);
    let threads = plan::threads(args.threads.threads, &mut remarks.notices);
    let h = model::tall::<T>(&model.h)?;
    let Objective { loss, w_penalty: penalty, .. } = model::objective(model)?;
    let notices = &mut remarks.notices;
    let Weighed { weights, given } = weigh::weights(&args.weighing, &about, args.memory, notices)?;
    let data = Data { x, weights };
    let seen = weigh::seen(&given, &data, &about)?;
    let began = Instant::now();
    let options = partwise::Transform { loss, penalty, threads, ..Default::default() };
    let w = partwise::transform(data, &h, &options).map_err(|e| about.blame(e))?;
    let seconds = began.elapsed().as_secs_f64();
    let k = model.rank();
    let components = model::components(model);
    output.write(&Named {
        rows: about.rows,
        cols: k,
        values: &w.to_vec(),
        row_names: about.row_names.as_deref(),
        col_names: Some(&components),
    })?;
    let saved = output.commit()?;
    if args.show.json {
        return report::say(&json::line(&Answer {
            x: (&about).into(),
            rank: k,
            minimised: Minimised::new(loss, model.origin.penalties, seen.as_ref()),
            seconds,
            files: Files { w: Some(saved), ..Files::default() },
            notices: &remarks.notices,
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
    files: Files,
    notices: &'a [String],
    exit_code: u8,
}
