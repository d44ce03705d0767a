//! `partwise verify`.

use super::{claims, model};
use crate::about::About;
use crate::args::{self, Missing};
use crate::beside::Beside;
use crate::failure::Failure;
use crate::json::{self, KktAnswer, Matrix, Minimised};
use crate::load::{self, Loaded};
use crate::number::{Number, with_number};
use crate::report::{self, Remarks, Report};
use crate::text::{self, escaped};
use crate::weigh::{self, Seen, Weighed};
use partwise::matrix::Data;
use partwise::verify::{Objective, Verified, verify};
use partwise::{Input, Loss, Scalar};
use partwise_io::{Entries, Model, Table};
use serde::Serialize;

/// Reads the model and X, recomputes, compares.
pub(crate) fn run(args: &args::Verify) -> Result<(), Failure> {
    let model = model::read("verify", &args.model, &args.input.file)?;
    claims::check(&model)?;
    let missing = args.weighing.missing_as(model::missing(&model));
    let table = load::table(&args.input, missing, model.col_names.as_deref(), args.memory)?;
    with_number!(model::is_single(&model), compare(args, &model, (table, missing)))
}

fn compare<T: Number>(
    args: &args::Verify,
    model: &Model,
    (table, missing): (Table, Missing),
) -> Result<(), Failure> {
    let mut remarks = Remarks::default();
    let (name, by) = (load::name(&args.input.file), (args.beside.matching, &*args.model));
    let table = model::arranged(model, (table, &name), true, by, &mut remarks.notices)?;
    let Loaded { x, mut about } = load::matrix::<T>(table, name)?;
    remarks.notices.append(&mut about.notices);
    remarks.warnings.append(&mut about.warnings);
    check_data(model, (&x, &about), &mut remarks)?;
    let Some(w) = &model.w else {
        return Err(Failure::Mismatch(
            "the model holds no W, so there is nothing to verify".into(),
        ));
    };
    let (w, h) = (model::factor::<T>(w)?, model::tall::<T>(&model.h)?);
    let objective = model::objective(model)?;
    let notices = &mut remarks.notices;
    let files = Beside::new(&args.beside, &args.input.reading, missing.nan, args.memory);
    let mut weighed = weigh::weights(&args.weighing, missing, files, (&x, &about), notices)?;
    weighed.take_columns(&args.weighing, model);
    let Weighed { weights, given } = weighed;
    check_given(model, &given, &about)?;
    let plain = given.is_empty();
    let mut verified =
        verify(Data { x, weights }, &w, &h, &objective).map_err(|e| about.blame(e))?;
    // A factor that was held fixed need not be stationary.
    match model.origin.options.get("fixed").map(String::as_str) {
        Some("w") => (verified.kkt.w, verified.kkt.w_zeros) = (0.0, 0.0),
        Some("h") => (verified.kkt.h, verified.kkt.h_zeros) = (0.0, 0.0),
        _ => {}
    }
    let of = about.rows as f64 * about.cols as f64;
    let seen = (!plain).then_some(Seen { given, observed: verified.observed, of });
    check_observed(model, verified.observed, &about)?;
    let agreement = Agreement::new::<T>(model, &verified, plain);
    let disagreement = agreement.disagreement();
    let found =
        Found { about: &about, objective: &objective, seen: seen.as_ref(), verified, agreement };
    if args.show.json {
        report::say(&found.as_json(model, &remarks))?;
    } else {
        found.tell(args, &remarks)?;
    }
    disagreement.map_or(Ok(()), |text| Err(Failure::Outcome { code: "E-MODEL", exit: 8, text }))
}

/// Refuses options under which other entries count than in the fit.
fn check_given(model: &Model, given: &[String], about: &About) -> Result<(), Failure> {
    let of_fit = model::of_fit(model);
    if of_fit == given {
        return Ok(());
    }
    let say = |options: &[String]| match options {
        [] => "every entry counting once".to_owned(),
        some => escaped(&some.join(" ")),
    };
    let (fit, now) = (say(of_fit), say(given));
    Err(Failure::Mismatch(format!(
        "{}: the model was fitted with {fit}, and is verified with {now}: its figures are about other \
         entries; give verify the options that the fit had",
        about.name
    )))
}

/// Refuses weights or a mask that show another number of entries than those of the fit.
fn check_observed(model: &Model, observed: usize, about: &About) -> Result<(), Failure> {
    match &model.origin.weighing {
        Some(weighing) if weighing.observed != observed as u64 => Err(Failure::Mismatch(format!(
            "{}: the model was fitted to {} observed entries, {observed} are observed now: give the \
             files that the fit had",
            about.name, weighing.observed
        ))),
        _ => Ok(()),
    }
}

/// Refuses X if it is not what the model was fitted to.
fn check_data<T: Number>(
    model: &Model,
    (x, about): (&Input<'_, T>, &About),
    remarks: &mut Remarks,
) -> Result<(), Failure> {
    let data = &model.origin.data;
    let name = &about.name;
    if (data.rows, data.cols) != (about.rows as u64, about.cols as u64) {
        return Err(Failure::Mismatch(format!(
            "{name}: the model was fitted to a matrix of {} × {}, this one is {} × {}",
            data.rows, data.cols, about.rows, about.cols
        )));
    }
    if let Some(fitted) = data.entries {
        let found = model::entries(x).map_err(|error| about.blame(error))?;
        return if found == fitted { Ok(()) } else { Err(other_x(name, fitted, found)) };
    }
    remarks.notices.push(
        "the model is of an earlier version: it has no seal and no digest of X, so X is known by its shape \
         and its sum alone"
            .into(),
    );
    // The order of summation depends on how the file stores the matrix, the sum hardly does.
    let (fitted, found) = (f64::from_bits(data.sum_bits), about.sum);
    if !within(fitted, found, 1e-9 * fitted.abs()) {
        return Err(Failure::Mismatch(format!(
            "{name}: the model was fitted to other values: they sum to {}, these to {}",
            text::exact(fitted),
            text::exact(found)
        )));
    }
    Ok(())
}

/// X is not that of the fit, as far as is known.
fn other_x(name: &str, fitted: Entries, found: Entries) -> Failure {
    let said = |entries: Entries| {
        let nan = if entries.nan > 0 { format!(" and {} NaN", entries.nan) } else { String::new() };
        let count = text::either(entries.nonzero, "nonzero entry", "nonzero entries");
        format!("{count}{nan}")
    };
    let how = if (found.nonzero, found.nan) == (fitted.nonzero, fitted.nan) {
        format!("as many entries ({}), of which some have other values or places", said(found))
    } else {
        format!("{}, that of the fit had {}", said(found), said(fitted))
    };
    Failure::Mismatch(format!("{name}: this is not the X of the fit: it has {how}"))
}

/// Also true for two equal infinities; never for NaN.
fn within(a: f64, b: f64, allowed: f64) -> bool {
    a == b || (a - b).abs() <= allowed
}

/// What the model says beside what was found.
struct Agreement {
    /// None if it was not measured.
    claimed: Option<f64>,
    found: f64,
    allowed: f64,
    claimed_kkt: Option<f64>,
    found_kkt: f64,
    allowed_kkt: f64,
    /// D / D₀: of the model, if it says so, and found.
    claimed_share: Option<f64>,
    found_share: f64,
    allowed_share: f64,
}

impl Agreement {
    /// `plain` if every entry counts once.
    fn new<T: Number>(model: &Model, verified: &Verified, plain: bool) -> Self {
        let k = model.rank() as f64;
        let (error, squared) = (2.0 * verified.divergence, verified.relative_error.powi(2));
        let norm_sq = if squared > 0.0 { error / squared } else { 0.0 };
        // The engine's own bound of its objective, and that of the recomputation.
        let spread = 2.0 * k.sqrt() * T::ROUNDOFF * (norm_sq.sqrt() + error.sqrt());
        let bound = verified.objective_bound;
        // What the fit lost by adding terms in f64 one by one, as its bound says.
        let adding = (verified.observed as f64).sqrt() * f64::ROUNDOFF * error;
        let allowed = adding
            + if plain && model.origin.loss == Loss::FROBENIUS.to_string() {
                let charged = 4.0 * T::ROUNDOFF * (verified.objective - verified.divergence);
                error.sqrt() * spread + 0.5 * spread * spread + charged + bound
            } else {
                // Entry by entry, each in T.
                4.0 * bound * (T::ROUNDOFF / f64::ROUNDOFF)
            };
        let (claimed_kkt, found_kkt) = (model.origin.kkt, verified.kkt.residual());
        let found_share = verified.relative_error.powi(2);
        // D₀ may be a small difference of sums over entries in T: half their digits are compared.
        let of_null = T::ROUNDOFF.sqrt() / 16.0 * found_share;
        let null =
            if found_share > 0.0 { verified.divergence / found_share } else { f64::INFINITY };
        Self {
            claimed: model.origin.objective,
            found: verified.objective.min(f64::MAX),
            allowed,
            claimed_kkt,
            found_kkt,
            allowed_kkt: 0.01 * claimed_kkt.unwrap_or(0.0).max(found_kkt)
                + 64.0 * T::ROUNDOFF * k.sqrt(),
            claimed_share: model.origin.relative_error.map(|error| error * error),
            found_share,
            allowed_share: allowed / null + of_null,
        }
    }

    fn disagreement(&self) -> Option<String> {
        if let Some(claimed) = self.claimed
            && !within(claimed, self.found, self.allowed)
        {
            return Some(format!(
                "the model claims the objective {}, recomputed it is {}",
                text::exact(claimed),
                text::exact(self.found)
            ));
        }
        if let Some(claimed) = self.claimed_share
            && !within(claimed, self.found_share, self.allowed_share)
        {
            return Some(format!(
                "the model claims the relative error {:e}, recomputed it is {:e}",
                claimed.sqrt(),
                self.found_share.sqrt()
            ));
        }
        let claimed = self.claimed_kkt?;
        (!within(claimed, self.found_kkt, self.allowed_kkt)).then(|| {
            format!(
                "the model claims the KKT residual {}, recomputed it is {}",
                text::exact(claimed),
                text::exact(self.found_kkt)
            )
        })
    }
}

/// All there is to tell.
struct Found<'a> {
    about: &'a About,
    objective: &'a Objective,
    seen: Option<&'a Seen>,
    verified: Verified,
    agreement: Agreement,
}

impl Found<'_> {
    fn tell(&self, args: &args::Verify, remarks: &Remarks) -> Result<(), Failure> {
        let (a, verified) = (&self.agreement, &self.verified);
        let Objective { loss, w_penalty, h_penalty } = *self.objective;
        let mut report = Report::default();
        report.matrix(self.about);
        if let Some(seen) = self.seen {
            report::seen(&mut report, seen);
        }
        if loss != Loss::FROBENIUS || self.seen.is_some() {
            report.line("loss", &report::formula(loss, self.seen));
        }
        if !(w_penalty.is_none() && h_penalty.is_none()) {
            report.line("penalties", &report::prices(w_penalty, h_penalty));
        }
        let says = |found: String, model: String| format!("{found}, the model says {model}");
        let claimed = report::objective(a.claimed.unwrap_or(f64::NAN));
        let objective = says(text::objective(a.found), claimed);
        report.line("objective", &objective);
        let claimed = report::kkt(a.claimed_kkt.unwrap_or(f64::NAN));
        report.line("KKT", &says(text::residual(a.found_kkt), claimed));
        let (error, explained) = (verified.relative_error, verified.explained_variance);
        report.line("error", &report::error_line(loss, self.seen, error, explained));
        let agrees = a.disagreement().is_none();
        report.line("verdict", if agrees { "they agree" } else { "they disagree" });
        report.tell(args.show, remarks)
    }

    fn as_json(&self, model: &Model, remarks: &Remarks) -> String {
        #[derive(Serialize)]
        struct Answer<'a> {
            x: Matrix<'a>,
            #[serde(flatten)]
            minimised: Minimised,
            objective: f64,
            divergence: f64,
            objective_in_model: Option<f64>,
            relative_error: f64,
            #[serde(skip_serializing_if = "Option::is_none")]
            relative_error_in_model: Option<f64>,
            explained_variance: f64,
            kkt: KktAnswer,
            kkt_in_model: Option<f64>,
            agrees: bool,
            #[serde(skip_serializing_if = "Option::is_none")]
            error: Option<Cause>,
            notices: &'a [String],
            warnings: &'a [String],
            exit_code: u8,
        }
        #[derive(Serialize)]
        struct Cause {
            code: &'static str,
            text: String,
            exit_code: u8,
        }
        let (verified, agreement) = (&self.verified, &self.agreement);
        let disagreement = agreement.disagreement();
        let penalties = model.origin.penalties;
        json::line(&Answer {
            x: self.about.into(),
            minimised: Minimised::new(self.objective.loss, penalties, self.seen),
            objective: agreement.found,
            divergence: verified.divergence,
            objective_in_model: agreement.claimed,
            relative_error: verified.relative_error,
            relative_error_in_model: model.origin.relative_error,
            explained_variance: verified.explained_variance,
            kkt: verified.kkt.into(),
            kkt_in_model: agreement.claimed_kkt,
            agrees: disagreement.is_none(),
            exit_code: if disagreement.is_none() { 0 } else { 8 },
            error: disagreement.map(|text| Cause { code: "E-MODEL", text, exit_code: 8 }),
            notices: &remarks.notices,
            warnings: &remarks.warnings,
        })
    }
}
