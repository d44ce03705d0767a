//! Which entries of X count, and how much.

use clap::Args;
use std::path::PathBuf;

/// Files and kinds of entries that are missing.
#[derive(Debug, Default, Args)]
pub(crate) struct Weighing {
    /// What else is missing: nan takes NaN, and empty or NA fields of a text file; absent takes
    /// the entries that a sparse file does not store, which are zeros otherwise.
    #[arg(long, value_name = "KINDS", default_value = "none", value_parser = missing)]
    #[arg(help_heading = "Entries that count", hide_default_value = true)]
    #[arg(long_help = MISSING)]
    pub(crate) missing: Missing,

    /// Entries that count: a matrix of the shape of X, 1 for an observed entry and 0 for a hidden
    /// one. A sparse file lists the observed ones.
    #[arg(long, value_name = "FILE", help_heading = "Entries that count")]
    pub(crate) mask: Option<PathBuf>,

    /// Entries to hold out: a matrix of the shape of X, 1 for a hidden entry and 0 for an observed
    /// one. A sparse file lists the hidden ones.
    #[arg(long, value_name = "FILE", help_heading = "Entries that count")]
    pub(crate) hide: Option<PathBuf>,

    /// How often each entry counts: a matrix of the shape of X. 0 is a missing entry, and so is
    /// what a sparse file does not store.
    #[arg(long, value_name = "FILE", help_heading = "Entries that count")]
    pub(crate) weights: Option<PathBuf>,

    /// How often each row counts: a file of one column or one row.
    #[arg(long, value_name = "FILE", help_heading = "Entries that count")]
    pub(crate) row_weights: Option<PathBuf>,

    /// How often each column counts: a file of one column or one row.
    #[arg(long, value_name = "FILE", help_heading = "Entries that count")]
    pub(crate) column_weights: Option<PathBuf>,
}

const MISSING: &str = "\
What is missing beside, one of them or both with a comma between:
- none:   nothing; NaN is refused (the default)
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
    let mut found = Missing::default();
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

impl Weighing {
    /// The files to read.
    pub(crate) fn files(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.mask, &self.hide, &self.weights, &self.row_weights, &self.column_weights]
            .into_iter()
            .flatten()
    }
}
