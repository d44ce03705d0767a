//! From options and files to the weights of the entries of X.
//!
//! What leaves every entry with weight 1 (a mask of ones, say) is left out, so that the fit is the plain
//! one. A mask that hides most entries becomes a list of those observed, another one a list of those
//! hidden: the engine's cost follows the list.

mod grid;

use crate::about::{About, Kind};
use crate::args::{Memory, Weighing};
use crate::failure::Failure;
use crate::load;
use crate::number::Number;
use grid::{Grid, List};
use partwise::matrix::{Data, Weights};
use partwise::{Error, Input};
use std::path::Path;

/// Weights, and the options that had an effect, as they are typed.
#[derive(Debug)]
pub(crate) struct Weighed<T: Number> {
    pub(crate) weights: Weights<'static, T>,
    pub(crate) given: Vec<String>,
}

/// Which entries counted.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) given: Vec<String>,
    pub(crate) observed: usize,
    pub(crate) of: f64,
}

/// Reads what weighs the entries of the X that `about` tells of.
pub(crate) fn weights<T: Number>(
    args: &Weighing,
    about: &About,
    memory: Memory,
    notices: &mut Vec<String>,
) -> Result<Weighed<T>, Failure> {
    let mut read = Reader { about, memory, notices };
    let mut weights = Weights::<T>::default();
    let mut given = Vec::new();
    if args.missing.nan && about.nan > 0 {
        weights.nan_missing = true;
        given.push("--missing nan".to_owned());
    }
    if args.missing.absent {
        read.absent(&mut weights, &mut given);
    }
    let (entries, hidden) = read.by_entry::<T>(args, &mut given)?;
    weights.entries = entries.map(Grid::into_input);
    let csr = hidden.map(|list: List| list.into_csr((about.rows, about.cols)));
    weights.hidden = csr.transpose().map_err(|error| about.blame(error))?;
    if let Some(path) = &args.row_weights {
        weights.rows = read.vector(path, "row weights", about.rows)?;
        given.extend(weights.rows.is_some().then(|| "--row-weights".to_owned()));
    }
    if let Some(path) = &args.column_weights {
        weights.columns = read.vector(path, "column weights", about.cols)?;
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

/// Weights of the entries that a mask shows, and what it hides of the others.
fn masked<T: Number>(
    entries: Option<Grid<T>>,
    mask: &Grid<T>,
) -> Result<(Option<Grid<T>>, Option<List>), Error> {
    let (rows, cols) = mask.shape();
    let few = 2.0 * mask.ones() <= rows as f64 * cols as f64;
    Ok(match entries {
        Some(sparse @ Grid::Sparse(_)) => (Some(sparse.where_one(mask)?), None),
        dense if few => {
            let weigh = |row, col| dense.as_ref().map_or(T::ONE, |grid| grid.get(row, col));
            (Some(mask.ones_weighing(weigh)?), None)
        }
        dense => (dense, Some(mask.list(|v| v != T::ONE))),
    })
}

struct Reader<'a> {
    about: &'a About,
    memory: Memory,
    notices: &'a mut Vec<String>,
}

impl Reader<'_> {
    fn absent<T: Number>(&mut self, weights: &mut Weights<'static, T>, given: &mut Vec<String>) {
        let cells = self.about.rows as f64 * self.about.cols as f64;
        if self.about.kind == Kind::Dense {
            let name = &self.about.name;
            self.notices.push(format!(
                "--missing absent: {name} is dense and stores every entry, so none is missing by it"
            ));
        } else if (self.about.stored as f64) < cells {
            weights.absent_missing = true;
            given.push("--missing absent".to_owned());
        }
    }

    /// Weights by entry, and what is hidden of the rest.
    fn by_entry<T: Number>(
        &mut self,
        args: &Weighing,
        given: &mut Vec<String>,
    ) -> Result<(Option<Grid<T>>, Option<List>), Failure> {
        let (mut entries, mut hidden) = (None, None);
        if let Some(path) = &args.weights {
            let weights = self.grid::<T>(path, "weights")?;
            entries = Some(weights).filter(|grid| !grid.is_one_throughout());
            given.extend(entries.is_some().then(|| "--weights".to_owned()));
        }
        if let Some(path) = &args.mask {
            let mask = self.zero_or_one::<T>(path, "the mask")?;
            if !mask.is_one_throughout() {
                (entries, hidden) = masked(entries, &mask).map_err(|error| blame(error, path))?;
                given.push("--mask".to_owned());
            }
        }
        if let Some(path) = &args.hide {
            let held_out = self.zero_or_one::<T>(path, "the mask of --hide")?;
            if held_out.ones() > 0.0 {
                hidden = Some(held_out.list(|v| v == T::ONE).union(hidden));
                given.push("--hide".to_owned());
            }
        }
        Ok((entries, hidden))
    }

    /// A matrix of the shape of X.
    fn grid<T: Number>(&mut self, path: &Path, what: &'static str) -> Result<Grid<T>, Failure> {
        let (grid, (found_rows, found_cols)) = self.any::<T>(path)?;
        let (rows, cols) = (self.about.rows, self.about.cols);
        if (found_rows, found_cols) != (rows, cols) {
            return Err(blame(Error::Shape { what, found_rows, found_cols, rows, cols }, path));
        }
        grid.check(what).map_err(|error| blame(error, path))?;
        Ok(grid)
    }

    fn zero_or_one<T: Number>(
        &mut self,
        path: &Path,
        what: &'static str,
    ) -> Result<Grid<T>, Failure> {
        let grid = self.grid::<T>(path, what)?;
        if let Some((row, col, value)) = grid.first(|v| v != T::ZERO && v != T::ONE) {
            let text = format!(
                "{}: [{row}, {col}] = {value}: {what} holds 0 and 1 only; --weights takes other weights",
                load::name(path)
            );
            return Err(Failure::Data { code: "E-DATA", text, at: Some((row, col)) });
        }
        Ok(grid)
    }

    /// As many numbers as X has rows, or columns; none if all are 1.
    fn vector<T: Number>(
        &mut self,
        path: &Path,
        what: &'static str,
        n: usize,
    ) -> Result<Option<Vec<T>>, Failure> {
        let (grid, (found_rows, found_cols)) = self.any::<T>(path)?;
        if found_rows.min(found_cols) != 1 || found_rows.max(found_cols) != n {
            let (rows, cols) = (n, 1);
            return Err(blame(Error::Shape { what, found_rows, found_cols, rows, cols }, path));
        }
        let values: Vec<T> = (0..n)
            .map(|at| if found_rows == n { grid.get(at, 0) } else { grid.get(0, at) })
            .collect();
        match values.iter().position(|v| !(v.is_finite() && *v >= T::ZERO)) {
            Some(at) => {
                let value = values[at].to_f64();
                Err(blame(Error::Weight { what: format!("{what}[{at}]"), value }, path))
            }
            None => Ok(Some(values).filter(|v| v.iter().any(|&p| p != T::ONE))),
        }
    }

    fn any<T: Number>(&mut self, path: &Path) -> Result<(Grid<T>, (usize, usize)), Failure> {
        let table = load::beside(path, self.memory)?;
        let name = load::name(path);
        let loaded = load::matrix_by_storage::<T>(table, name.clone(), false)?;
        let about = loaded.about;
        let notices = about.notices.into_iter().map(|notice| format!("{name}: {notice}"));
        self.notices.extend(notices);
        let grid = match loaded.x {
            Input::Dense(x) => Grid::Dense(x),
            Input::Csr(x) if about.kind == Kind::ByColumns => Grid::Sparse(x.transposed()),
            Input::Csr(x) => Grid::Sparse(x),
            other => return Err(Failure::Internal(format!("{other:?} as weights"))),
        };
        let shape = grid.shape();
        Ok((grid, shape))
    }
}

fn blame(error: Error, path: &Path) -> Failure {
    Failure::Engine { error: error.into(), file: load::name(path), cell: None }
}
