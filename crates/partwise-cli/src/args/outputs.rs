//! Where results go.

use super::Show;
use clap::Args;
use std::path::PathBuf;

/// What a fit saves.
#[derive(Debug, Args)]
pub(crate) struct Saving {
    /// Save W, H and the model: as OUT/W.npy, OUT/H.npy and OUT/model.partwise if OUT is a folder
    /// or ends in /, else as OUT.W.npy, OUT.H.npy and OUT.partwise. Beside --w-out, --h-out or
    /// --model, that file takes the place of the one named after OUT.
    #[arg(short, long, value_name = "OUT", help_heading = "Output")]
    pub(crate) out: Option<PathBuf>,

    /// Save W (m × k) as .npy, .npz, .csv or .tsv, the last two also as .gz; all but .npy hold the
    /// names of rows and columns.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) w_out: Option<PathBuf>,

    /// Save H (k × n) likewise.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) h_out: Option<PathBuf>,

    /// Save a model: both factors, names and how they came about.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) model: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) writing: Writing,
}

/// How outputs are written.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Writing {
    /// Overwrite outputs that exist; they keep their permissions.
    #[arg(long, help_heading = "Output")]
    pub(crate) force: bool,

    /// In .csv and .tsv, put a ' before names that a spreadsheet would take for a formula: those
    /// that begin with =, +, - or @. Names are written unchanged without this.
    #[arg(long, help_heading = "Output")]
    pub(crate) spreadsheet_safe: bool,
}

/// Write the factors of a model, with their names, to files.
///
/// The ending of a file name decides: .csv and .tsv (also as .gz) and .npz hold the names of rows and
/// columns, .npy does not. For an .npz, pandas.DataFrame(**numpy.load(FILE)) has all of it.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  partwise fit counts.csv --rank 5 --out topics
  partwise export topics.partwise --w-out W.csv --h-out H.npz")]
pub(crate) struct Export {
    /// Model that `partwise fit` saved.
    pub(crate) model: PathBuf,

    /// Save W (m × k) as .npy, .npz, .csv or .tsv, the last two also as .gz.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    #[arg(required_unless_present = "h_out")]
    pub(crate) w_out: Option<PathBuf>,

    /// Save H (k × n) likewise.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) h_out: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) writing: Writing,

    #[command(flatten)]
    pub(crate) show: Show,
}
