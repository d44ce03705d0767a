//! `partwise verify`.

use super::model;
use crate::about::About;
use crate::args;
use crate::failure::Failure;
use crate::json::{self, KktAnswer, Matrix};
use crate::load::{self, Loaded};
use crate::number::{Number, with_number};
use crate::report::{self, Remarks, Report};
use partwise::verify::{Verified, verify};
use partwise_io::{Model, Table};
use serde::Serialize;

/// Reads the model and X, recomputes, compares.
pub(crate) fn run(args: &args::Verify) -> Result<(), Failure> {
    let model = Model::read(&args.model)?;
    let table = load::table(&args.input, args.memory)?;
    with_number!(model::is_single(&model), compare(args, &model, table))
}

fn compare<T: Number>(args: &args::Verify, model: &Model, table: Table) -> Result<(), Failure> {
    let Loaded { x, mut about } = load::matrix::<T>(table, load::name(&args.input.file))?;
    let mut remarks = Remarks::default();
    remarks.notices.append(&mut about.notices);
    check_data(model, &about)?;
    let Some(w) = &model.w else {
        return Err(Failure::Mismatch(
            "the model holds no W, so there is nothing to verify".into(),
        ));
    };
    let (w, h) = (model::factor::<T>(w)?, model::tall::<T>(&model.h)?);
    let verified = verify(x, &w, &h).map_err(|e| about.blame(e))?;
    let agreement = Agreement::new::<T>(model, &verified);
    let disagreement = agreement.disagreement();
    if args.show.json {
        report::say(&as_json(&about, &verified, &agreement, &remarks))?;
    } else {
        tell(args, &about, &agreement, &verified, &remarks)?;
    }
    disagreement.map_or(Ok(()), |text| Err(Failure::Outcome { code: "E-MODEL", exit: 8, text }))
}

/// Refuses X if it is not what the model was fitted to.
fn check_data(model: &Model, about: &About) -> Result<(), Failure> {
    let data = &model.origin.data;
    let name = &about.name;
    if (data.rows, data.cols) != (about.rows as u64, about.cols as u64) {
        return Err(Failure::Mismatch(format!(
            "{name}: the model was fitted to a matrix of {} × {}, this one is {} × {}",
            data.rows, data.cols, about.rows, about.cols
        )));
    }
    // The order of summation depends on how the file stores the matrix, the sum hardly does.
    let (fitted, found) = (f64::from_bits(data.sum_bits), about.sum);
    if !within(fitted, found, 1e-9 * fitted.abs()) {
        return Err(Failure::Mismatch(format!(
            "{name}: the model was fitted to other values: they sum to {fitted:e}, these to {found:e}"
        )));
    }
    Ok(())
}

/// Also true for two equal infinities; never for NaN.
fn within(a: f64, b: f64, allowed: f64) -> bool {
    a == b || (a - b).abs() <= allowed
}

/// What the model says beside what was found.
struct Agreement {
    claimed: f64,
    found: f64,
    allowed: f64,
    claimed_kkt: f64,
    found_kkt: f64,
    allowed_kkt: f64,
}

impl Agreement {
    fn new<T: Number>(model: &Model, verified: &Verified) -> Self {
        let k = model.rank() as f64;
        let (error, squared) = (2.0 * verified.objective, verified.relative_error.powi(2));
        let norm_sq = if squared > 0.0 { error / squared } else { 0.0 };
        // The engine's own bound of its objective, and that of the recomputation.
        let spread = 2.0 * k.sqrt() * T::ROUNDOFF * norm_sq.sqrt();
        let allowed = error.sqrt() * spread + 0.5 * spread * spread + verified.objective_bound;
        let (claimed_kkt, found_kkt) = (model.origin.kkt, verified.kkt.residual());
        Self {
            claimed: model.origin.objective,
            found: verified.objective.min(f64::MAX),
            allowed,
            claimed_kkt,
            found_kkt,
            allowed_kkt: 0.01 * claimed_kkt.max(found_kkt) + 64.0 * T::ROUNDOFF * k.sqrt(),
        }
    }

    fn disagreement(&self) -> Option<String> {
        if !within(self.claimed, self.found, self.allowed) {
            return Some(format!(
                "the model claims the objective {:e}, recomputed it is {:e}",
                self.claimed, self.found
            ));
        }
        let kkt = within(self.claimed_kkt, self.found_kkt, self.allowed_kkt);
        (!kkt).then(|| {
            format!(
                "the model claims the KKT residual {:e}, recomputed it is {:e}",
                self.claimed_kkt, self.found_kkt
            )
        })
    }
}

fn tell(
    args: &args::Verify,
    about: &About,
    agreement: &Agreement,
    verified: &Verified,
    remarks: &Remarks,
) -> Result<(), Failure> {
    let a = agreement;
    let mut report = Report::default();
    report.matrix(about);
    report.line("objective", &format!("{:.9e}, the model says {:.9e}", a.found, a.claimed));
    report.line("KKT", &format!("{:.3e}, the model says {:.3e}", a.found_kkt, a.claimed_kkt));
    report.line(
        "error",
        &format!(
            "{} relative to ‖X‖; {} of ‖X‖² explained",
            crate::text::short(verified.relative_error),
            crate::text::percent(verified.explained_variance)
        ),
    );
    report.line("verdict", if a.disagreement().is_none() { "they agree" } else { "they disagree" });
    report.tell(args.show, remarks)
}

fn as_json(about: &About, verified: &Verified, agreement: &Agreement, remarks: &Remarks) -> String {
    #[derive(Serialize)]
    struct Answer<'a> {
        x: Matrix<'a>,
        objective: f64,
        objective_in_model: f64,
        relative_error: f64,
        explained_variance: f64,
        kkt: KktAnswer,
        kkt_in_model: f64,
        agrees: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<Cause>,
        notices: &'a [String],
        exit_code: u8,
    }
    #[derive(Serialize)]
    struct Cause {
        code: &'static str,
        text: String,
        exit_code: u8,
    }
    let disagreement = agreement.disagreement();
    json::line(&Answer {
        x: about.into(),
        objective: agreement.found,
        objective_in_model: agreement.claimed,
        relative_error: verified.relative_error,
        explained_variance: verified.explained_variance,
        kkt: verified.kkt.into(),
        kkt_in_model: agreement.claimed_kkt,
        agrees: disagreement.is_none(),
        exit_code: if disagreement.is_none() { 0 } else { 8 },
        error: disagreement.map(|text| Cause { code: "E-MODEL", text, exit_code: 8 }),
        notices: &remarks.notices,
    })
}
