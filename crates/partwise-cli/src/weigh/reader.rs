//! Files of weights and masks, as X has its rows and columns.

use super::grid::{Grid, List};
use super::uncertainties::precisions;
use super::{Side, blame, file, masked};
use crate::about::{About, Kind};
use crate::args::{SideFile, Weighing};
use crate::beside::Beside;
use crate::failure::Failure;
use crate::load;
use crate::matching::NamesOf;
use crate::number::Number;
use partwise::matrix::Weights;
use partwise::{Error, Input};
use partwise_io::Table;
use std::path::Path;

/// Reads files beside X, rows and columns in the order of X.
pub(super) struct Reader<'a, T: Number> {
    pub(super) x: &'a Input<'static, T>,
    pub(super) about: &'a About,
    pub(super) files: Beside<'a>,
    pub(super) notices: &'a mut Vec<String>,
}

impl<T: Number> Reader<'_, T> {
    pub(super) fn absent(&mut self, weights: &mut Weights<'static, T>, given: &mut Vec<String>) {
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
    pub(super) fn by_entry(
        &mut self,
        args: &Weighing,
        given: &mut Vec<String>,
    ) -> Result<(Option<Grid<T>>, Option<List>), Failure> {
        let (mut entries, mut hidden) = (None, None);
        let sorts = [
            (&args.weights, "weights", SideFile::Weights),
            (&args.uncertainties, "uncertainties", SideFile::Uncertainties),
        ];
        for (path, what, sort) in sorts {
            let Some(path) = file(path) else { continue };
            let weights = self.grid(path, (what, sort))?;
            entries = Some(weights).filter(|grid| !grid.is_one_throughout());
            given.extend(entries.is_some().then(|| format!("--{what}")));
        }
        if let Some(path) = file(&args.mask) {
            let mask = self.zero_or_one(path, ("the mask", SideFile::Mask))?;
            if !mask.is_one_throughout() {
                (entries, hidden) = masked(entries, mask);
                given.push("--mask".to_owned());
            }
        }
        if let Some(path) = file(&args.hide) {
            let held_out = self.zero_or_one(path, ("the mask of --hide", SideFile::Hide))?;
            if held_out.ones() > 0.0 {
                hidden = Some(held_out.list(|v| v == T::ONE).union(hidden));
                given.push("--hide".to_owned());
            }
        }
        Ok((entries, hidden))
    }

    /// A matrix of the shape of X, in the order of X.
    fn grid(
        &mut self,
        path: &Path,
        (what, file): (&'static str, SideFile),
    ) -> Result<Grid<T>, Failure> {
        let (rows, cols) = (self.about.rows, self.about.cols);
        let mut table =
            self.files.read(path, file, self.about, |t| (t.rows, t.cols) == (rows, cols))?;
        if file == SideFile::Uncertainties {
            table = precisions(table, path)?;
        }
        let named = |names| Some(NamesOf { of: &self.about.name, names });
        let of_x = (named(self.about.row_names.as_deref()), named(self.about.col_names.as_deref()));
        let mut grid = self.converted(table, path, of_x)?;
        if file.may_lack_entries() {
            grid = self.without_missing(grid, (what, path))?;
        }
        if grid.shape() != (rows, cols) {
            return Err(file.misfit(what, load::name(path), grid.shape(), (rows, cols)));
        }
        grid.check(what).map_err(|error| blame(error, path))?;
        Ok(grid)
    }

    fn zero_or_one(
        &mut self,
        path: &Path,
        (what, file): (&'static str, SideFile),
    ) -> Result<Grid<T>, Failure> {
        let grid = self.grid(path, (what, file))?;
        if let Some((row, col, value)) = grid.first(|_, _, v| v != T::ZERO && v != T::ONE) {
            let text = format!(
                "{}: [{row}, {col}] = {value}: {what} holds 0 and 1 only; --weights takes other weights",
                load::name(path)
            );
            return Err(Failure::Data { code: "E-DATA", text, at: Some((row, col)) });
        }
        Ok(grid)
    }

    /// As many numbers as X has rows, or columns; none if all are 1.
    pub(super) fn vector(
        &mut self,
        path: &Path,
        (what, side, file): Side,
        n: usize,
    ) -> Result<Option<Vec<T>>, Failure> {
        let fits = |t: &Table| t.rows.min(t.cols) == 1 && t.rows.max(t.cols) == n;
        let table = self.files.read(path, file, self.about, fits)?;
        let names = if side == "row" { &self.about.row_names } else { &self.about.col_names };
        let ours = Some(NamesOf { of: &self.about.name, names: names.as_deref() });
        // A column has the names of X beside it, a row above it.
        let of_x = if table.cols == 1 { (ours, None) } else { (None, ours) };
        let grid = self.converted(table, path, of_x)?;
        let (found_rows, found_cols) = grid.shape();
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

    /// Weights that are missing where X is, as weights of 0.
    fn without_missing(
        &mut self,
        grid: Grid<T>,
        (what, path): (&str, &Path),
    ) -> Result<Grid<T>, Failure> {
        let lacks = |row, col| self.about.nan > 0 && load::is_nan_at(self.x, row, col);
        let unknown = grid.first(|row, col, v| v.to_f64().is_nan() && !lacks(row, col));
        if let Some((row, col, _)) = unknown {
            let name = load::name(path);
            let text = format!(
                "{name}: {what}[{row}, {col}] = NaN, but X[{row}, {col}] is not missing: hide such \
                 entries by --hide or --mask, or weigh them 0"
            );
            return Err(Failure::Data { code: "E-DATA", text, at: Some((row, col)) });
        }
        let known = |v: T| if v.to_f64().is_nan() { T::ZERO } else { v };
        grid.map(known).map_err(|error| blame(error, path))
    }

    /// The numbers of a table, its rows and columns in the order of the names given.
    fn converted(
        &mut self,
        table: Table,
        path: &Path,
        (rows, columns): (Option<NamesOf<'_>>, Option<NamesOf<'_>>),
    ) -> Result<Grid<T>, Failure> {
        let name = load::name(path);
        let table = self.files.matching().arrange(table, &name, (rows, columns), self.notices)?;
        let loaded = load::matrix_by_storage::<T>(table, name.clone(), false)?;
        let about = loaded.about;
        let news = about.notices.into_iter().chain(about.warnings);
        let notices = news.map(|notice| format!("{name}: {notice}"));
        self.notices.extend(notices);
        Ok(match loaded.x {
            Input::Dense(x) => Grid::Dense(x),
            Input::Csr(x) if about.kind == Kind::ByColumns => Grid::Sparse(x.transposed()),
            Input::Csr(x) => Grid::Sparse(x),
            other => return Err(Failure::Internal(format!("{other:?} as weights"))),
        })
    }
}
