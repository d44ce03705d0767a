//! What can be typed.

mod beside;
mod machine;
mod named;
mod outputs;
mod reading;
mod tools;
mod typed;
mod version;
mod weighing;

use crate::failure::Failure;
use crate::text;
pub(crate) use beside::{Beside, SideFile};
use clap::{Args, Parser, Subcommand};
pub(crate) use machine::{Memory, Threads};
use named::{dtypes, ends, losses, rules, sides, starts};
pub(crate) use outputs::{Export, Saving, Writing};
use partwise::{Loss, Penalty, Rule, Side, Start, Until};
pub(crate) use reading::Reading;
use std::path::PathBuf;
use std::time::Duration;
pub(crate) use tools::{Completions, Man, Version};
pub(crate) use weighing::{Missing, Weighing, is_none};

/// Non-negative matrix factorization: X ≈ W·H with every entry ≥ 0.
///
/// X is a file: .npy, .npz (SciPy sparse or one array), Matrix Market, CSV or TSV, the text kinds
/// also gzipped; its kind is told by its content, and - is standard input. Rows of X are samples,
/// columns are features. W has a row for each sample, H a column for each feature, and k components
/// join them.
#[derive(Debug, Parser)]
#[command(name = "partwise", version, max_term_width = 80, after_help = EXAMPLES)]
#[command(propagate_version = true, arg_required_else_help = false)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,

    /// With --version: also commit, target and the instruction set in use.
    #[arg(long, hide = true)]
    verbose: bool,
}

const EXAMPLES: &str = "\
Examples, where counts.csv has a row for each sample:
  partwise inspect counts.csv --rank 5
  partwise fit counts.csv --rank 5 --out topics
  partwise verify topics.partwise counts.csv
  partwise export topics.partwise --w-out W.csv --h-out H.csv
  partwise transform topics.partwise new.csv --out weights.csv

Completions for a shell: partwise completions SHELL; manual pages: partwise man.
What was built, and the instruction set in use: partwise --version --verbose.

Exit codes:
  0 done · 2 usage · 3 bad data · 4 file · 5 resource limit
  6 numerical failure · 7 not converged (only with --require-convergence)
  8 model damaged or mismatched · 70 bug
  130 Ctrl-C · 129 SIGHUP · 131 SIGQUIT · 143 SIGTERM (a fit saves its best
  factors so far; a second signal ends it at once)";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Fit(Box<Fit>),
    Transform(Transform),
    Inspect(Inspect),
    Verify(Verify),
    Export(Export),
    Completions(Completions),
    Man(Man),
    #[command(hide = true)]
    Version(Version),
}

/// Factorise a matrix.
///
/// X has a row for each sample and a column for each feature, with or without names. It is read from
/// .npy, .npz (SciPy sparse or one array), Matrix Market, CSV or TSV, the text kinds also gzipped;
/// `partwise inspect` shows what is read.
///
/// Minimises ½‖X − WH‖², or the --loss asked for, and says how the fit ended: `converged` means that
/// the KKT residual, a scale-free measure of how far from stationary W and H are, is at most --tol, and
/// the last step lowered the objective by no more than that share of it.
///
/// Part t on the screen is column t of W and row t of H, component_t in files with names. Parts stand
/// in the order of their share of W·H: the sum of w·h of one over that of all, over the entries that
/// count, each times its weight. A fit that starts from --w or --h keeps their order.
#[derive(Debug, Args)]
#[command(after_help = FIT_EXAMPLES)]
pub(crate) struct Fit {
    #[command(flatten)]
    pub(crate) input: Input,

    /// Number of components; may be left out beside --w or --h, whose shape tells it.
    #[arg(value_parser = text::whole::<usize>)]
    #[arg(short = 'k', long, value_name = "K", allow_negative_numbers = true)]
    pub(crate) rank: Option<usize>,

    /// What is minimised: frobenius, kl, is, huber:δ, or the β of a β-divergence.
    #[arg(long, default_value = "frobenius", value_parser = losses)]
    #[arg(allow_negative_numbers = true, help_heading = "Method", long_help = named::all_losses())]
    pub(crate) loss: Loss,

    /// How a factor is improved; by default the fastest rule for the loss.
    #[arg(long, value_parser = rules(), help_heading = "Method")]
    pub(crate) rule: Option<Rule>,

    /// Where W and H start.
    #[arg(long, default_value = "random", value_parser = starts(), help_heading = "Method")]
    pub(crate) init: Start,

    /// Random starts; the best fit of them is kept.
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Method")]
    #[arg(value_parser = text::whole::<usize>)]
    #[arg(allow_negative_numbers = true)]
    pub(crate) n_init: usize,

    /// Seed of everything random; the same seed gives the same bytes.
    #[arg(long, value_name = "S", default_value_t = 0, help_heading = "Method")]
    #[arg(value_parser = text::whole::<u64>)]
    #[arg(allow_negative_numbers = true)]
    pub(crate) seed: u64,

    /// W to start from: a file of shape m × k.
    #[arg(long, value_name = "FILE", help_heading = "Method")]
    pub(crate) w: Option<PathBuf>,

    /// H to start from: a file of shape k × n.
    #[arg(long = "h", value_name = "FILE", help_heading = "Method")]
    pub(crate) h: Option<PathBuf>,

    /// Keep this factor as given by --w or --h.
    #[arg(long, value_name = "FACTOR", value_parser = sides(), help_heading = "Method")]
    pub(crate) fix: Option<Side>,

    #[command(flatten)]
    pub(crate) penalties: Penalties,

    #[command(flatten)]
    pub(crate) weighing: Weighing,

    #[command(flatten)]
    pub(crate) beside: Beside,

    /// KKT residual at which the fit has converged.
    #[arg(long, default_value = "1e-4", help_heading = "When to stop")]
    #[arg(value_parser = text::number)]
    #[arg(allow_negative_numbers = true)]
    pub(crate) tol: f64,

    /// What ends the fit: stationary factors, by the KKT residual, or, for the rule mu, an error that has
    /// settled: ten iterations lowered it by less than --tol times that of the start.
    #[arg(long, value_name = "WHAT", default_value = "stationary", value_parser = ends())]
    #[arg(help_heading = "When to stop")]
    pub(crate) until: Until,

    /// Most iterations; 0 returns the start.
    #[arg(long, value_name = "N", default_value_t = 500, help_heading = "When to stop")]
    #[arg(value_parser = text::whole::<usize>)]
    #[arg(allow_negative_numbers = true)]
    pub(crate) max_iter: usize,

    /// Most wall time, reading included, such as 30s, 5m or 1.5h; the best factors so far are kept.
    #[arg(long, value_name = "TIME", value_parser = text::duration, help_heading = "When to stop")]
    #[arg(allow_negative_numbers = true)]
    pub(crate) time_limit: Option<Duration>,

    /// Exit with 7 unless the fit converged.
    #[arg(long, help_heading = "When to stop")]
    pub(crate) require_convergence: bool,

    #[command(flatten)]
    pub(crate) saving: Saving,

    #[command(flatten)]
    pub(crate) show: Show,

    /// Compute in f32 or f64; auto takes f32 if the file holds float32, float16, bool, or integers
    /// of 8 or 16 bits.
    #[arg(long, default_value = "auto", value_parser = dtypes(), help_heading = "Machine")]
    pub(crate) dtype: DTypeChoice,

    #[command(flatten)]
    pub(crate) threads: Threads,

    #[command(flatten)]
    pub(crate) memory: Memory,
}

/// What factors are charged. If none is given and entries are missing, a small ridge is taken.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct Penalties {
    /// Price of the sum of W: adds PRICE · Σ w to what is minimised.
    #[arg(long, value_name = "PRICE", value_parser = text::number)]
    #[arg(allow_negative_numbers = true, help_heading = "Penalties")]
    pub(crate) w_l1: Option<f64>,

    /// Price of the squares of W: adds PRICE · ½ Σ w². Where entries are missing (--hide, --mask,
    /// --missing, weights of 0) and none of the four is given, W and H get a small one of the size of the
    /// noise, which the report states; 0 goes without.
    #[arg(long, value_name = "PRICE", value_parser = text::number)]
    #[arg(allow_negative_numbers = true, help_heading = "Penalties")]
    pub(crate) w_l2: Option<f64>,

    /// Price of the sum of H: adds PRICE · Σ h.
    #[arg(long, value_name = "PRICE", value_parser = text::number)]
    #[arg(allow_negative_numbers = true, help_heading = "Penalties")]
    pub(crate) h_l1: Option<f64>,

    /// Price of the squares of H: adds PRICE · ½ Σ h².
    #[arg(long, value_name = "PRICE", value_parser = text::number)]
    #[arg(allow_negative_numbers = true, help_heading = "Penalties")]
    pub(crate) h_l2: Option<f64>,
}

impl Penalties {
    /// Of W and of H, if any is given.
    pub(crate) fn pair(self) -> Option<(Penalty, Penalty)> {
        let all = [self.w_l1, self.w_l2, self.h_l1, self.h_l2];
        let price = |given: Option<f64>| given.unwrap_or(0.0);
        all.iter().any(Option::is_some).then(|| {
            let w = Penalty { l1: price(self.w_l1), l2: price(self.w_l2) };
            (w, Penalty { l1: price(self.h_l1), l2: price(self.h_l2) })
        })
    }
}

impl Fit {
    /// The rule as given, or the fastest for the loss.
    pub(crate) fn rule(&self) -> Rule {
        self.rule.unwrap_or(Rule::fastest(self.loss))
    }
}

const FIT_EXAMPLES: &str = "\
Examples:
  Parts of images, an image in each row: best of 10 random starts, all saved:
    partwise fit images.npy --rank 16 --n-init 10 --out parts

  Topics of texts; H is saved as a table with the words as its header:
    partwise fit counts.csv -k 5 --h-out topics.csv

  Counts under Poisson noise, that is, the Kullback-Leibler divergence:
    partwise fit counts.csv -k 5 --loss kl

  A start that needs no randomness, and a stricter certificate:
    partwise fit images.npy --rank 16 --init nndsvda --tol 1e-6

  New rows for known parts: H is given and kept, only W is fitted:
    partwise fit new.csv --h topics.csv --fix h --w-out weights.csv";

/// Fit new rows to a model: W for the H of the model, under its loss and penalties.
///
/// Exact non-negative least squares for a model of the Frobenius loss. X has a row for each new sample
/// and the columns that the model was fitted to. A row gives the same result by itself, in any batch,
/// and in any order.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  partwise fit counts.csv --rank 5 --out topics
  partwise transform topics.partwise new.csv --out weights.csv")]
pub(crate) struct Transform {
    /// Model that `partwise fit` saved.
    pub(crate) model: PathBuf,

    #[command(flatten)]
    pub(crate) input: Input,

    /// Save W (m × k) as .npy, .npz, .csv or .tsv, the last two also as .gz.
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub(crate) out: PathBuf,

    #[command(flatten)]
    pub(crate) writing: Writing,

    #[command(flatten)]
    pub(crate) weighing: Weighing,

    #[command(flatten)]
    pub(crate) beside: Beside,

    #[command(flatten)]
    pub(crate) show: Show,

    #[command(flatten)]
    pub(crate) threads: Threads,

    #[command(flatten)]
    pub(crate) memory: Memory,
}

/// Look at a matrix: shape, kind, range, zero rows and columns, and what a fit would refuse.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  partwise inspect counts.csv --rank 20")]
pub(crate) struct Inspect {
    #[command(flatten)]
    pub(crate) input: Input,

    /// Also say what memory a fit with this many components would need.
    #[arg(value_parser = text::whole::<usize>)]
    #[arg(short = 'k', long, value_name = "K", allow_negative_numbers = true)]
    pub(crate) rank: Option<usize>,

    /// With nan, take NaN, and empty or NA fields of a text file, for missing and count them.
    #[arg(long, value_name = "KIND", default_value = "none", hide_default_value = true)]
    #[arg(value_parser = weighing::missing_nan)]
    pub(crate) missing: weighing::Missing,

    #[command(flatten)]
    pub(crate) show: Show,

    #[command(flatten)]
    pub(crate) memory: Memory,
}

/// Recompute what a model claims, from the matrix it was fitted to.
///
/// Objective and KKT residual are computed again in float64 by code that shares nothing with the
/// fit. Exits with 8 if they disagree with the model, if this is not the X of the fit, or if the model says
/// what no fit can have been. A model that was changed since is no model. What was missing in the fit and how columns were
/// weighed is taken from the model; files of weights and masks are to be given again.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  partwise fit counts.csv --rank 5 --out topics
  partwise verify topics.partwise counts.csv")]
pub(crate) struct Verify {
    /// Model that `partwise fit` saved.
    pub(crate) model: PathBuf,

    #[command(flatten)]
    pub(crate) input: Input,

    #[command(flatten)]
    pub(crate) weighing: Weighing,

    #[command(flatten)]
    pub(crate) beside: Beside,

    #[command(flatten)]
    pub(crate) show: Show,

    #[command(flatten)]
    pub(crate) memory: Memory,
}

/// A matrix to read.
#[derive(Debug, Args)]
pub(crate) struct Input {
    /// The matrix X, a row for each sample; - for standard input.
    pub(crate) file: PathBuf,

    #[command(flatten)]
    pub(crate) reading: Reading,
}

impl Input {
    /// The files to read.
    pub(crate) fn files(&self) -> impl Iterator<Item = &PathBuf> {
        std::iter::once(&self.file).chain(self.reading.files())
    }
}

/// How to answer.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Show {
    /// Answer with one JSON object, also on failure.
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,

    /// Print warnings and errors only; twice (-qq), errors only.
    #[arg(short, long, action = clap::ArgAction::Count, help_heading = "Output")]
    pub(crate) quiet: u8,
}

/// The type to compute in, as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DTypeChoice {
    Auto,
    F32,
    F64,
}

/// The command line of this process.
pub(crate) fn parse() -> Result<Cli, Failure> {
    let typed = typed::in_our_words(std::env::args_os());
    let mut cli = version::or_parse(&typed)
        .map_err(|error| Failure::CommandLine(Box::new(typed::advise(error, &typed))))?;
    let (threads, memory) = match &mut cli.command {
        Command::Fit(args) => (Some(&mut args.threads), Some(&mut args.memory)),
        Command::Transform(args) => (Some(&mut args.threads), Some(&mut args.memory)),
        Command::Inspect(args) => (None, Some(&mut args.memory)),
        Command::Verify(args) => (None, Some(&mut args.memory)),
        _ => (None, None),
    };
    memory.map_or(Ok(()), Memory::or_variable)?;
    threads.map_or(Ok(()), Threads::or_variable)?;
    Ok(cli)
}
