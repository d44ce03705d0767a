//! What a fit answers.

use super::model;
use crate::about::About;
use crate::args;
use crate::components::{Component, Components};
use crate::failure::Failure;
use crate::json::{self, Cause, Figures, Files, HiddenAnswer, Matrix, Minimised};
use crate::number::Number;
use crate::report::{self, Remarks, Report};
use crate::text;
use crate::weigh::Seen;
use partwise::verify::HeldOut;
use partwise::{Fit, Options};
use serde::Serialize;

/// All there is to tell.
pub(super) struct Answer<'a, T: Number> {
    pub(super) args: &'a args::Fit,
    pub(super) options: &'a Options<T>,
    pub(super) fit: &'a Fit<T>,
    pub(super) components: &'a Components,
    pub(super) about: &'a About,
    pub(super) seen: Option<&'a Seen>,
    pub(super) hidden: Option<&'a HeldOut>,
    pub(super) files: &'a Files,
    pub(super) failure: Option<&'a Failure>,
}

impl<T: Number> Answer<'_, T> {
    /// As asked: for people, or as JSON.
    pub(super) fn tell(&self, remarks: &Remarks) -> Result<(), Failure> {
        let Self { args, options, fit, components, about, files, .. } = *self;
        if args.show.json {
            return report::say(&self.as_json(remarks));
        }
        let mut report = Report::default();
        report.matrix(about);
        if let Some(seen) = self.seen {
            report::seen(&mut report, seen);
        }
        report.line("fit", &self.what_was_done());
        report::fit(&mut report, fit, options, self.seen);
        if let Some(hidden) = self.hidden {
            report::hidden(&mut report, hidden, args.loss);
        }
        report::parts(&mut report, fit, components, about.col_names.as_deref());
        let saved = files.names();
        if saved.is_empty() {
            report.line("saved", "nothing; --out NAME saves W, H and a model");
        } else {
            report.line("saved", &saved.join(", "));
        }
        report.tell(args.show, remarks)
    }

    fn what_was_done(&self) -> String {
        let args = self.args;
        let start = match (&args.w, &args.h) {
            (Some(_), Some(_)) => "given W and H".to_owned(),
            (Some(_), None) => "given W".to_owned(),
            (None, Some(_)) => "given H".to_owned(),
            (None, None) => format!("start {}", args.init),
        };
        let times = match args.n_init {
            1 => String::new(),
            n => format!(" (best of {n})"),
        };
        let cores = text::counted(self.options.threads, "thread");
        let (rank, rule, seed) = (self.options.rank, args.rule(), args.seed);
        format!("rank {rank}, {rule}, {start}{times}, seed {seed}, {cores}")
    }

    fn as_json(&self, remarks: &Remarks) -> String {
        #[derive(Serialize)]
        struct Object<'a> {
            x: Matrix<'a>,
            rank: usize,
            #[serde(flatten)]
            minimised: Minimised,
            /// λ₂ on both factors that was chosen since entries are missing.
            #[serde(skip_serializing_if = "Option::is_none")]
            ridge: Option<f64>,
            rule: &'a str,
            init: &'a str,
            n_init: usize,
            seed: u64,
            tol: f64,
            #[serde(flatten)]
            figures: Figures<'a>,
            #[serde(skip_serializing_if = "Option::is_none")]
            hidden: Option<HiddenAnswer>,
            components: Vec<Component<'a>>,
            files: &'a Files,
            notices: &'a [String],
            warnings: &'a [String],
            #[serde(skip_serializing_if = "Option::is_none")]
            error: Option<Cause>,
            exit_code: u8,
        }
        let args = self.args;
        json::line(&Object {
            x: self.about.into(),
            rank: self.options.rank,
            minimised: Minimised::new(args.loss, model::penalties(self.fit), self.seen),
            ridge: self.fit.ridge,
            rule: args.rule().name(),
            init: args.init.name(),
            n_init: args.n_init,
            seed: args.seed,
            tol: args.tol,
            figures: self.fit.into(),
            hidden: self.hidden.map(|hidden| HiddenAnswer::new(hidden, args.loss)),
            components: self.components.as_json(),
            files: self.files,
            notices: &remarks.notices,
            warnings: &remarks.warnings,
            error: self.failure.map(Cause::from),
            exit_code: self.failure.map_or(0, Failure::exit),
        })
    }
}
