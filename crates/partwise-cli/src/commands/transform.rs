//! `partwise transform`.

use super::model;
use crate::args;
use crate::failure::Failure;
use crate::json::{self, Files, Matrix};
use crate::load::{self, Loaded};
use crate::number::{Number, with_number};
use crate::plan::{self, Content, Output};
use crate::report::{self, Remarks, Report};
use partwise_io::{Model, Table};
use serde::Serialize;
use std::time::Instant;

/// Reads the model and X, fits W, saves it.
pub(crate) fn run(args: &args::Transform) -> Result<(), Failure> {
    let inputs = [args.model.clone(), args.input.file.clone()];
    let output = Output::matrix(&args.out, args.force, &inputs)?;
    let model = Model::read(&args.model)?;
    let table = load::table(&args.input, args.memory)?;
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
    let began = Instant::now();
    let options = partwise::Transform { threads, ..Default::default() };
    let w = partwise::transform(x, &h, &options).map_err(|e| about.blame(e))?;
    let seconds = began.elapsed().as_secs_f64();
    let k = model.rank();
    let components: Vec<String> = (0..k).map(|t| format!("component_{t}")).collect();
    output.write(&Content {
        shape: (about.rows, k),
        values: &w.to_vec(),
        row_names: about.row_names.as_deref(),
        col_names: Some(&components),
    })?;
    let saved = output.commit()?;
    if args.show.json {
        return report::say(&json::line(&Answer {
            x: (&about).into(),
            rank: k,
            seconds,
            files: Files { w: Some(saved), ..Files::default() },
            notices: &remarks.notices,
            exit_code: 0,
        }));
    }
    let mut report = Report::default();
    report.matrix(&about);
    report.line(
        "transform",
        &format!("rank {k}, exact for each row, {}", crate::text::seconds(seconds)),
    );
    report.line("saved", &format!("{saved} ({} × {k})", about.rows));
    report.tell(args.show, &remarks)
}

#[derive(Serialize)]
struct Answer<'a> {
    x: Matrix<'a>,
    rank: usize,
    seconds: f64,
    files: Files,
    notices: &'a [String],
    exit_code: u8,
}
