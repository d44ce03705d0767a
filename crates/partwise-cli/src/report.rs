//! Answers for people: a label and a line, as wide as the terminal.

use crate::about::{About, Kind};
use crate::args::Show;
use crate::components::{self, Components};
use crate::failure::Failure;
use crate::json;
use crate::weigh::Seen;
use crate::{print, text};
use partwise::verify::HeldOut;
use partwise::{Fit, Loss, Options, Penalty, Scalar, Status};
use std::fmt::Write;

/// Labelled lines.
pub(crate) struct Report {
    text: String,
    /// Widest line.
    width: usize,
}

/// A space at which no line is broken.
const GLUE: &str = "\u{a0}";

/// Where the text behind a label begins.
const INDENT: usize = 11;

/// Widths of lines: where the terminal does not tell, and the narrowest and widest that read well.
const WIDTH: usize = 80;
const WIDTHS: (usize, usize) = (40, 120);

impl Default for Report {
    /// As wide as `COLUMNS` says, or the terminal is.
    fn default() -> Self {
        let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let terminal = || terminal_size::terminal_size_of(std::io::stdout());
        let width = columns.or_else(|| terminal().map(|(width, _)| usize::from(width.0)));
        let width = width.filter(|&width| width > 0).unwrap_or(WIDTH);
        Self { text: String::new(), width: width.clamp(WIDTHS.0, WIDTHS.1) }
    }
}

impl Report {
    /// Adds a line, wrapped under its label.
    pub(crate) fn line(&mut self, label: &str, content: &str) {
        let mut line = format!("{label:<INDENT$}");
        let mut used = INDENT;
        for (at, word) in content.split(' ').enumerate() {
            let length = word.chars().count();
            if at > 0 && used + 1 + length > self.width {
                let _ = write!(line, "\n{:INDENT$}", "");
                used = INDENT;
            } else if at > 0 {
                line.push(' ');
                used += 1;
            }
            line.push_str(&word.replace(GLUE, " "));
            used += length;
        }
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// Adds what X is.
    pub(crate) fn matrix(&mut self, about: &About) {
        let converted = if about.file_type == about.number_type {
            about.file_type.to_string()
        } else {
            format!("{} taken as {}", about.file_type, about.number_type)
        };
        let filled = if about.kind == Kind::Dense {
            format!("{} not zero", text::percent(about.density()))
        } else {
            format!("{} stored ({})", about.stored, text::percent(about.density()))
        };
        self.line(
            "X",
            &format!(
                "{} × {}, {}, {filled}, {converted}",
                about.rows,
                about.cols,
                about.kind.name()
            ),
        );
    }

    /// The text, and remarks to standard error.
    pub(crate) fn tell(self, show: Show, remarks: &Remarks) -> Result<(), Failure> {
        remarks.tell(show);
        if show.quiet == 0 { say(&self.text) } else { Ok(()) }
    }
}

/// What else there is to say, beside the answer.
#[derive(Default)]
pub(crate) struct Remarks {
    pub(crate) notices: Vec<String>,
    pub(crate) warnings: Vec<String>,
}

impl Remarks {
    /// What was done to the input is told unless `--quiet`, what is wrong with the result unless `-qq`.
    fn tell(&self, show: Show) {
        for notice in self.notices.iter().filter(|_| show.quiet == 0) {
            print::err(&format!("note: {notice}"));
        }
        for warning in self.warnings.iter().filter(|_| show.quiet < 2) {
            print::err(&format!("warning: {warning}"));
        }
    }
}

/// Text to standard output.
pub(crate) fn say(text: &str) -> Result<(), Failure> {
    print::out(text).map_err(|cause| {
        let error = Box::new(partwise_io::Error::Io { action: "write", cause });
        Failure::Io(partwise_io::Error::At { file: "standard output".into(), error })
    })
}

/// What is minimised, as a formula with q for the entries of WH.
pub(crate) fn formula(loss: Loss, seen: Option<&Seen>) -> String {
    let formula = match loss {
        Loss::FROBENIUS if seen.is_none() => return "½‖X − WH‖²".into(),
        Loss::FROBENIUS => "½Σ (x − q)²".into(),
        Loss::KL => "KL divergence Σ x ln(x/q) − x + q".into(),
        Loss::IS => "IS divergence Σ x/q − ln(x/q) − 1".into(),
        other => match other.delta() {
            Some(delta) => format!("Huber's loss Σ ½r², or δ|r| − ½δ² beyond δ = {delta}"),
            None => format!("β-divergence for β = {other}"),
        },
    };
    match seen {
        Some(seen) if seen.is_weighted() => {
            format!("weighted {formula}, each entry times its weight")
        }
        Some(_) => format!("{formula} over observed entries"),
        None => formula,
    }
}

/// A figure with what it is relative to.
pub(crate) fn error_line(
    loss: Loss,
    seen: Option<&Seen>,
    relative_error: f64,
    explained: f64,
) -> String {
    if relative_error.is_nan() {
        return NOT_MEASURED.into();
    }
    let (error, explained) = (text::short(relative_error), text::percent(explained));
    let over = match seen {
        Some(seen) if seen.is_weighted() => ", both weighted",
        Some(_) => " over observed entries",
        None => "",
    };
    match loss {
        Loss::FROBENIUS => format!("{error} relative to ‖X‖{over}; {explained} of ‖X‖² explained"),
        _ => format!(
            "√(D/D₀) = {error}, D₀ that of the mean of X{over}; {explained} of D₀ explained"
        ),
    }
}

/// What the factors are charged.
pub(crate) fn prices(w: Penalty, h: Penalty) -> String {
    let one = |penalty: Penalty, name: &str| {
        let price = |price: f64, size: &str| {
            (price > 0.0).then(|| format!("{}·{size}", text::short(price)))
        };
        [price(penalty.l1, &format!("Σ{name}")), price(penalty.l2, &format!("½Σ{name}²"))]
    };
    let terms: Vec<String> = [one(w, "W"), one(h, "H")].into_iter().flatten().flatten().collect();
    terms.join(" + ")
}

/// Which entries counted.
pub(crate) fn seen(report: &mut Report, seen: &Seen) {
    let of = text::short_count(seen.of);
    let share = text::percent(seen.observed as f64 / seen.of);
    let given = seen.given.join(", ");
    report.line("observed", &format!("{} of {of} entries ({share}): {given}", seen.observed));
}

/// How well entries are predicted that were hidden.
pub(crate) fn hidden(report: &mut Report, hidden: &HeldOut, loss: Loss) {
    let HeldOut { count, error, row_means } = *hidden;
    let measure = json::measure(loss).replace('_', " ");
    let (error, row_means) = (text::short(error), text::short(row_means));
    let entries = if count == 1 { "1 entry".into() } else { format!("{count} entries") };
    report.line(
        "hidden",
        &format!("{entries} predicted with {measure} {error}; by the means of rows {row_means}"),
    );
}

/// The figures of a fit.
pub(crate) fn fit<T: Scalar>(
    report: &mut Report,
    fit: &Fit<T>,
    options: &Options<T>,
    seen: Option<&Seen>,
) {
    let (tol, n_init) = (options.tol, options.n_init);
    let iterations = text::counted(fit.iterations, "iteration");
    let time = text::seconds(fit.seconds);
    report.line("ended", &format!("{} after {iterations}, {time}", in_words(fit.status)));
    let loss = options.loss;
    report.line("error", &error_line(loss, seen, fit.relative_error, fit.explained_variance));
    let divergence = if fit.divergence.is_nan() {
        format!("{} was {NOT_MEASURED}", formula(loss, seen))
    } else {
        let bound = text::bound(fit.objective_bound);
        format!("{} = {} ± {bound}", formula(loss, seen), text::objective(fit.divergence))
    };
    if fit.w_penalty.is_none() && fit.h_penalty.is_none() {
        report.line("objective", &divergence);
    } else {
        report.line("divergence", &divergence);
        let prices = prices(fit.w_penalty, fit.h_penalty);
        let objective = objective(fit.objective);
        report.line("objective", &format!("divergence + {prices} = {objective}"));
    }
    if let Some(ridge) = fit.ridge {
        let ridge = text::short(ridge);
        report.line(
            "ridge",
            &format!(
                "{ridge} on both factors, taken since entries are missing; --w-l2 0 goes without"
            ),
        );
    }
    let kkt = fit.kkt.residual();
    let stopped = fit.iterations > 0 && matches!(fit.status, Status::MaxIter | Status::TimeLimit);
    report.line("KKT", &stationary(kkt, tol, stopped));
    report.line(
        "sparsity",
        &format!(
            "W {:.2}, H {:.2} (Hoyer: 0 all equal, 1 a single entry)",
            fit.w_sparsity.whole, fit.h_sparsity.whole
        ),
    );
    if n_init > 1 && !fit.restarts.is_empty() {
        report.line("restarts", &restarts(fit, n_init));
    }
}

/// What stands in the place of a figure that there was no time for.
const NOT_MEASURED: &str = "not measured";

/// An objective, if it was measured.
pub(crate) fn objective(value: f64) -> String {
    if value.is_nan() { NOT_MEASURED.into() } else { text::objective(value) }
}

/// A KKT residual, if it was measured.
pub(crate) fn kkt(value: f64) -> String {
    if value.is_nan() { NOT_MEASURED.into() } else { text::residual(value) }
}

/// How far from stationary. A fit that is near enough goes on while the objective still falls.
fn stationary(kkt: f64, tol: f64, stopped: bool) -> String {
    if kkt.is_nan() {
        return format!("{NOT_MEASURED}: there was no time; verify measures it");
    }
    let (sign, then) = match kkt <= tol {
        true if stopped => ("≤", ", but the objective still fell by more than that share"),
        true => ("≤", " (0 is exactly stationary)"),
        false => (">", " (0 is exactly stationary)"),
    };
    format!("{} {sign} tol {}{then}", text::residual(kkt), text::tolerance(tol))
}

fn restarts<T: Scalar>(fit: &Fit<T>, n_init: usize) -> String {
    let usable = fit.restarts.iter().filter(|r| r.objective.is_finite());
    let least = usable.clone().map(|r| r.objective).fold(f64::INFINITY, f64::min);
    let most = usable.map(|r| r.objective).fold(0.0, f64::max);
    let best = fit.restarts.iter().find(|r| r.objective == least).map_or(0, |r| r.restart);
    let converged = fit.restarts.iter().filter(|r| r.status == Status::Converged).count();
    let above = if least > 0.0 { most / least - 1.0 } else { 0.0 };
    let spread = match above {
        a if a < 1e-6 => "all reach the same objective".into(),
        a => format!("objectives up to {} above the best, number {best}", text::percent(a)),
    };
    let run = match fit.restarts.len() {
        all if all == n_init => String::new(),
        some => format!(" (only {some} were run)"),
    };
    format!("{converged} of {n_init} converged{run}; {spread}")
}

/// Each component with its share, and what stands out in it: the columns with the largest entries of
/// its row of H. Without names of columns, only the shares.
pub(crate) fn parts<T: Scalar>(
    report: &mut Report,
    fit: &Fit<T>,
    components: &Components,
    columns: Option<&[String]>,
) {
    const COMPONENTS: usize = 20;
    let k = components.names.len();
    let rest = k.saturating_sub(COMPONENTS);
    let numbered = components::numbered(k) == components.names;
    let called = |t: usize, between: &str| {
        let share = text::percent(components.shares[t]).replace(' ', GLUE);
        let name = &components.names[t];
        if numbered { share } else { format!("{}{between}{share}", text::escaped(name)) }
    };
    let Some(columns) = columns else {
        let mut parts: Vec<String> = (0..k.min(COMPONENTS)).map(|t| called(t, GLUE)).collect();
        parts.extend((rest > 0).then(|| format!("… and{GLUE}{rest}{GLUE}more")));
        report.line("parts", &format!("shares of W·H: {}", parts.join(", ")));
        return;
    };
    for t in 0..k.min(COMPONENTS) {
        let top = largest(fit, t, columns).join(", ");
        report.line(&format!("part {}", t + 1), &format!("{} of W·H: {top}", called(t, ", ")));
    }
    if rest > 0 {
        report.line("", &format!("… and {} more", text::counted(rest, "part")));
    }
}

/// The columns with the largest entries of a row of H.
fn largest<T: Scalar>(fit: &Fit<T>, t: usize, columns: &[String]) -> Vec<String> {
    const COLUMNS: usize = 6;
    let value = |j: usize| fit.h.get(j, t).to_f64();
    let mut order: Vec<usize> = (0..columns.len()).filter(|&j| value(j) > 0.0).collect();
    order.sort_by(|&a, &b| value(b).total_cmp(&value(a)));
    order.iter().take(COLUMNS).map(|&j| text::escaped(&columns[j])).collect()
}

/// How a fit ended.
pub(crate) fn in_words(status: Status) -> &'static str {
    match status {
        Status::Converged => "converged",
        Status::Settled => "settled: the error hardly falls any more, though not stationary,",
        Status::MaxIter => "not converged: stopped at --max-iter",
        Status::TimeLimit => "not converged: stopped at --time-limit",
        Status::Stalled => "stalled: the objective no longer falls, though not stationary,",
        Status::Interrupted => "interrupted: these are the best factors so far,",
        Status::NumericalTrouble => "numerical trouble: these are the last finite factors,",
        other => other.about(),
    }
}
