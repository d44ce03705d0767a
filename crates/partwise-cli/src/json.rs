//! Answers for programs: one object on one line. Numbers that are not finite are null.

use crate::about::About;
use crate::failure::{At, Failure};
use crate::interrupt::Signal;
use crate::weigh::Seen;
use partwise::metric::Kkt;
use partwise::verify::HeldOut;
use partwise::{Fit, Loss, Restart, Scalar};
use serde::Serialize;

/// Any answer as a line.
pub(crate) fn line(answer: &impl Serialize) -> String {
    let text = serde_json::to_string(answer).unwrap_or_else(|e| format!("{{\"error\":\"{e}\"}}"));
    text + "\n"
}

/// Why a command failed, in its answer.
#[derive(Serialize)]
pub(crate) struct Cause {
    code: &'static str,
    text: String,
    exit_code: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<Signal>,
}

impl From<&Failure> for Cause {
    fn from(failure: &Failure) -> Self {
        Self {
            code: failure.code(),
            text: failure.text(),
            exit_code: failure.exit(),
            signal: failure.signal(),
        }
    }
}

/// A failure.
pub(crate) fn failure(failure: &Failure, at: At) -> String {
    #[derive(Serialize)]
    struct Answer {
        error: Inner,
        exit_code: u8,
    }
    #[derive(Serialize)]
    struct Inner {
        #[serde(flatten)]
        cause: Cause,
        #[serde(flatten)]
        at: At,
    }
    line(&Answer { error: Inner { cause: failure.into(), at }, exit_code: failure.exit() })
}

/// What X is.
#[derive(Serialize)]
pub(crate) struct Matrix<'a> {
    file: &'a str,
    rows: usize,
    cols: usize,
    kind: &'static str,
    stored: usize,
    density: f64,
    file_dtype: String,
    dtype: String,
}

impl<'a> From<&'a About> for Matrix<'a> {
    fn from(about: &'a About) -> Self {
        Self {
            file: &about.name,
            rows: about.rows,
            cols: about.cols,
            kind: about.kind.name(),
            stored: about.stored,
            density: about.density(),
            file_dtype: about.file_type.to_string(),
            dtype: about.number_type.to_string(),
        }
    }
}

/// The certificate.
#[derive(Serialize)]
pub(crate) struct KktAnswer {
    residual: f64,
    w: f64,
    w_zeros: f64,
    h: f64,
    h_zeros: f64,
}

impl From<Kkt> for KktAnswer {
    fn from(kkt: Kkt) -> Self {
        let Kkt { w, w_zeros, h, h_zeros } = kkt;
        Self { residual: kkt.residual(), w, w_zeros, h, h_zeros }
    }
}

#[derive(Serialize)]
struct RestartAnswer {
    restart: usize,
    status: &'static str,
    iterations: usize,
    objective: f64,
    kkt: f64,
}

impl From<&Restart> for RestartAnswer {
    fn from(r: &Restart) -> Self {
        Self {
            restart: r.restart,
            status: r.status.name(),
            iterations: r.iterations,
            objective: r.objective,
            kkt: r.kkt.residual(),
        }
    }
}

#[derive(Serialize)]
struct SparsityAnswer<'a> {
    whole: f64,
    components: &'a [f64],
}

/// What is minimised.
#[derive(Serialize)]
pub(crate) struct Minimised {
    loss: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    beta: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    penalties: Option<partwise_io::Penalties>,
    #[serde(skip_serializing_if = "Option::is_none")]
    observed: Option<ObservedAnswer>,
}

#[derive(Serialize)]
struct ObservedAnswer {
    count: usize,
    of: f64,
    share: f64,
    /// Whether some count for more than others.
    weighted: bool,
    given: Vec<String>,
}

impl Minimised {
    pub(crate) fn new(
        loss: Loss,
        penalties: Option<partwise_io::Penalties>,
        seen: Option<&Seen>,
    ) -> Self {
        let observed = seen.map(|seen| {
            let (count, of) = (seen.observed, seen.of);
            let (share, weighted) = (count as f64 / of, seen.is_weighted());
            ObservedAnswer { count, of, share, weighted, given: seen.given.clone() }
        });
        let (beta, delta) = (loss.beta(), loss.delta());
        Self { loss: loss.to_string(), beta, delta, penalties, observed }
    }
}

/// What the error of hidden entries is.
pub(crate) fn measure(loss: Loss) -> &'static str {
    if loss == Loss::FROBENIUS { "root_mean_squared_error" } else { "mean_divergence" }
}

/// How well entries are predicted that were hidden.
#[derive(Serialize)]
pub(crate) struct HiddenAnswer {
    count: usize,
    measure: &'static str,
    error: f64,
    row_means: f64,
}

impl HiddenAnswer {
    pub(crate) fn new(hidden: &HeldOut, loss: Loss) -> Self {
        let HeldOut { count, error, row_means } = *hidden;
        Self { count, measure: measure(loss), error, row_means }
    }
}

/// The figures of a fit.
#[derive(Serialize)]
pub(crate) struct Figures<'a> {
    status: &'static str,
    converged: bool,
    iterations: usize,
    seconds: f64,
    objective: f64,
    divergence: f64,
    objective_bound: f64,
    relative_error: f64,
    explained_variance: f64,
    kkt: KktAnswer,
    sparsity_w: SparsityAnswer<'a>,
    sparsity_h: SparsityAnswer<'a>,
    restarts: Vec<RestartAnswer>,
}

impl<'a, T: Scalar> From<&'a Fit<T>> for Figures<'a> {
    fn from(fit: &'a Fit<T>) -> Self {
        let sparsity = |s: &'a partwise::metric::Sparsity| SparsityAnswer {
            whole: s.whole,
            components: &s.components,
        };
        Self {
            status: fit.status.name(),
            converged: fit.status == partwise::Status::Converged,
            iterations: fit.iterations,
            seconds: fit.seconds,
            objective: fit.objective,
            divergence: fit.divergence,
            objective_bound: fit.objective_bound,
            relative_error: fit.relative_error,
            explained_variance: fit.explained_variance,
            kkt: fit.kkt.into(),
            sparsity_w: sparsity(&fit.w_sparsity),
            sparsity_h: sparsity(&fit.h_sparsity),
            restarts: fit.restarts.iter().map(RestartAnswer::from).collect(),
        }
    }
}

/// The files that were written.
#[derive(Serialize, Default)]
pub(crate) struct Files {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) w: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) h: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<String>,
}

impl Files {
    /// All there are.
    pub(crate) fn names(&self) -> Vec<&str> {
        [&self.w, &self.h, &self.model].into_iter().flatten().map(String::as_str).collect()
    }
}
