//! Which entries of X count, and how much.

use clap::Args;
use std::path::{Path, PathBuf};

/// Files and kinds of entries that are missing.
#[derive(Debug, Default, Args)]
pub(crate) struct Weighing {
    /// What else is missing: nan takes NaN, and empty or NA fields of a text file; absent takes
    /// the entries that a sparse file does not store, which are zeros otherwise.
    #[arg(long, value_name = "KINDS", value_parser = missing)]
    #[arg(help_heading = "Entries that count", long_help = MISSING)]
    missing: Option<Missing>,

    /// Entries that count: a matrix of the shape of X, 1 for an observed entry and 0 for a hidden
    /// one. A sparse file lists the observed ones.
    #[arg(long, value_name = "FILE", help_heading = "Entries that count")]
    pub(crate) mask: Option<PathBuf>,

    /// Entries to hold out: a matrix of the shape of X, 1 for a hidden entry and 0 for an observed
    /// one. A sparse file lists the hidden ones.
    #[arg(long, value_name = "FILE", help_heading = "Entries that count")]
    pub(crate) hide: Option<PathBuf>,

    /// How often each entry counts: a matrix of the shape of X. 0 is a missing entry, and so is
    /// what a sparse file does not store. `none`: each once, whatever the fit of a model had.
    #[arg(long, value_name = "FILE", help_heading = "Entries that count")]
    pub(crate) weights: Option<PathBuf>,

    /// Standard error of each entry, in units of X: a matrix of the shape of X. An entry counts 1/s²
    /// times, so that twice the Frobenius loss is χ².
    #[arg(long, value_name = "FILE", help_heading = "Entries that count")]
    #[arg(conflicts_with = "weights", alias = "uncertainty")]
    pub(crate) uncertainties: Option<PathBuf>,

    /// How often each row counts: a file of one column or one row.
    #[arg(long, value_name = "FILE", help_heading = "Entries that count")]
    pub(crate) row_weights: Option<PathBuf>,

    /// How often each column counts: a file of one column or one row. For a model, those of its fit
    /// unless others or `none` are given.
    #[arg(long, value_name = "FILE", help_heading = "Entries that count")]
    pub(crate) column_weights: Option<PathBuf>,
}

const MISSING: &str = "\
What else is missing: one of these, or both with a comma between:
- none:   nothing; NaN is refused (the default; for a model, what was missing in its fit)
- nan:    NaN, and fields of a text file that are empty or NA
- absent: entries that a sparse file does not store; zeros otherwise";

/// Entries of X that are missing by what they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Missing {
    pub(crate) nan: bool,
    pub(crate) absent: bool,
}

/// `none`, `nan`, `absent`, or both of the last.
fn missing(text: &str) -> Result<Missing, String> {
    let (mut found, text) = (Missing::default(), text.to_lowercase());
    if text == "none" {
        return Ok(found);
    }
    for kind in text.split(',') {
        match kind.trim() {
            "nan" => found.nan = true,
            "absent" => found.absent = true,
            _ => return Err("expected none, nan, absent, or nan,absent".into()),
        }
    }
    Ok(found)
}

/// For commands that only look at X.
pub(super) fn missing_nan(text: &str) -> Result<Missing, String> {
    match missing(text) {
        Ok(found @ Missing { absent: false, .. }) => Ok(found),
        _ => Err("expected none or nan".into()),
    }
}

/// Whether a file of weights was declined: every entry counts once.
pub(crate) fn is_none(path: &Path) -> bool {
    path.as_os_str() == "none"
}

impl Weighing {
    /// What is missing by what it is.
    pub(crate) fn missing(&self) -> Missing {
        self.missing.unwrap_or_default()
    }

    /// The same for new rows of a model, where nothing was said of them: what was missing in the fit.
    pub(crate) fn missing_as(&self, of_fit: Missing) -> Missing {
        self.missing.unwrap_or(of_fit)
    }

    /// The files to read.
    pub(crate) fn files(&self) -> impl Iterator<Item = &PathBuf> {
        [
            &self.mask,
            &self.hide,
            &self.weights,
            &self.uncertainties,
            &self.row_weights,
            &self.column_weights,
        ]
        .into_iter()
        .flatten()
        .filter(|path| !is_none(path))
    }
}
