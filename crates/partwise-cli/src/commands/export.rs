//! `partwise export`.

use super::model;
use crate::args;
use crate::failure::Failure;
use crate::json::{self, Files};
use crate::number::{Number, with_number};
use crate::plan::{Output, Outputs};
use crate::report::{self, Remarks, Report};
use crate::text;
use partwise_io::{Factor, Model, Named};
use serde::Serialize;

/// Reads a model and writes its factors.
pub(crate) fn run(args: &args::Export) -> Result<(), Failure> {
    let inputs = [args.model.clone()];
    let outputs = Outputs::of_model(args, &inputs)?;
    let model = Model::read(&args.model)?;
    with_number!(model::is_single(&model), export(args, &model, outputs))
}

fn export<T: Number>(
    args: &args::Export,
    model: &Model,
    mut outputs: Outputs,
) -> Result<(), Failure> {
    let components = model::components(model);
    if let Some(output) = &mut outputs.w {
        let Some(w) = &model.w else {
            let text = format!("{}: the model holds no W", text::path(&args.model));
            return Err(Failure::Mismatch(text));
        };
        write::<T>(output, w, model.row_names.as_deref(), Some(&components))?;
    }
    if let Some(output) = &mut outputs.h {
        write::<T>(output, &model.h, Some(&components), model.col_names.as_deref())?;
    }
    let mut files = outputs.files();
    let kept_elsewhere = outputs.commit(&mut files)?;
    let (rank, rows, cols) = (model.rank(), model.w.as_ref().map(|w| w.rows), model.h.cols);
    if args.show.json {
        let error = kept_elsewhere.as_ref().map(json::Cause::from);
        let exit_code = kept_elsewhere.as_ref().map_or(0, Failure::exit);
        report::say(&json::line(&Answer { rank, rows, cols, files, error, exit_code }))?;
    } else {
        let mut report = Report::default();
        let rows = rows.map_or(String::new(), |rows| format!("{rows} × "));
        report.line("model", &format!("{rows}{cols}, rank {rank}, {}", model.origin.loss));
        report.line("saved", &files.names().join(", "));
        report.tell(args.show, &Remarks::default())?;
    }
    kept_elsewhere.map_or(Ok(()), Err)
}

fn write<T: Number>(
    output: &mut Output,
    factor: &Factor,
    row_names: Option<&[String]>,
    col_names: Option<&[String]>,
) -> Result<(), Failure> {
    let values = model::numbers::<T>(factor)?;
    let Factor { rows, cols, .. } = *factor;
    output.write(&Named { rows, cols, values, row_names, col_names })
}

#[derive(Serialize)]
struct Answer {
    rank: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<usize>,
    cols: usize,
    files: Files,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<json::Cause>,
    exit_code: u8,
}
