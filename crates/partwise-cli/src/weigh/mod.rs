//! From options and files to the weights of the entries of X.
//!
//! What leaves every entry with weight 1 (a mask of ones, say) is left out, so that the fit is the plain
//! one.

mod grid;
mod reader;
mod uncertainties;

use crate::about::About;
use crate::args::{Missing, SideFile, Weighing, is_none};
use crate::beside::Beside;
use crate::failure::Failure;
use crate::load;
use crate::number::Number;
use grid::{Grid, List};
use partwise::matrix::{Data, Weights};
use partwise::{Error, Input};
use partwise_io::Model;
use reader::Reader;
use std::path::{Path, PathBuf};

/// Weights, and the options that had an effect, as they are typed.
#[derive(Debug)]
pub(crate) struct Weighed<T: Number> {
    pub(crate) weights: Weights<'static, T>,
    pub(crate) given: Vec<String>,
}

impl<T: Number> Weighed<T> {
    /// Takes the weights of columns from a model, unless the command line says something of them.
    pub(crate) fn take_columns(&mut self, args: &Weighing, model: &Model) {
        if let (None, Some(of_fit)) = (&args.column_weights, &model.column_weights) {
            self.weights.columns = T::unwrap(&of_fit.values).map(<[T]>::to_vec);
            self.given.push("--column-weights".to_owned());
        }
    }
}

/// Which entries counted.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) given: Vec<String>,
    pub(crate) observed: usize,
    pub(crate) of: f64,
}

impl Seen {
    /// Whether some entries count for more than others, rather than all of them once or not at all.
    pub(crate) fn is_weighted(&self) -> bool {
        self.given.iter().any(|option| option.ends_with("weights") || option == "--uncertainties")
    }
}

/// Reads what weighs the entries of the X that `about` tells of.
pub(crate) fn weights<T: Number>(
    args: &Weighing,
    missing: Missing,
    files: Beside<'_>,
    (x, about): (&Input<'static, T>, &About),
    notices: &mut Vec<String>,
) -> Result<Weighed<T>, Failure> {
    let mut read = Reader { x, about, files, notices };
    let mut weights = Weights::<T>::default();
    let mut given = Vec::new();
    if missing.nan && about.nan > 0 {
        weights.nan_missing = true;
        given.push("--missing nan".to_owned());
    }
    if missing.absent {
        read.absent(&mut weights, &mut given);
    }
    let (entries, hidden) = read.by_entry(args, &mut given)?;
    weights.entries = entries.map(Grid::into_input);
    let csr = hidden.map(|list: List| list.into_csr((about.rows, about.cols)));
    weights.hidden = csr.transpose().map_err(|error| about.blame(error))?;
    if let Some(path) = file(&args.row_weights) {
        weights.rows = read.vector(path, ROWS, about.rows)?;
        given.extend(weights.rows.is_some().then(|| "--row-weights".to_owned()));
    }
    if let Some(path) = file(&args.column_weights) {
        weights.columns = read.vector(path, COLUMNS, about.cols)?;
        given.extend(weights.columns.is_some().then(|| "--column-weights".to_owned()));
    }
    Ok(Weighed { weights, given })
}

/// How many entries count, if not all do so once.
pub(crate) fn seen<T: Number>(
    given: &[String],
    data: &Data<'_, T>,
    about: &About,
) -> Result<Option<Seen>, Failure> {
    if given.is_empty() {
        return Ok(None);
    }
    let observed = partwise::verify::observed(data.borrowed()).map_err(|e| about.blame(e))?;
    let of = about.rows as f64 * about.cols as f64;
    Ok(Some(Seen { given: given.to_vec(), observed, of }))
}

/// A side of X: what its weights are called, its names, and the file of its weights.
type Side = (&'static str, &'static str, SideFile);
const ROWS: Side = ("row weights", "row", SideFile::RowWeights);
const COLUMNS: Side = ("column weights", "column", SideFile::ColumnWeights);

/// A file that was given, unless it is `none`.
fn file(path: &Option<PathBuf>) -> Option<&Path> {
    path.as_deref().filter(|path| !is_none(path))
}

/// The weights, and which of those that are not 0 a mask hides. A mask alone is weights of 0 and 1, of which
/// the engine keeps the shorter list.
fn masked<T: Number>(entries: Option<Grid<T>>, mask: Grid<T>) -> (Option<Grid<T>>, Option<List>) {
    match entries {
        None => (Some(mask), None),
        Some(weights) => {
            let hidden = weights.hidden_by(&mask);
            (Some(weights), Some(hidden))
        }
    }
}

fn blame(error: Error, path: &Path) -> Failure {
    Failure::Engine { error: error.into(), file: load::name(path), cell: None }
}
