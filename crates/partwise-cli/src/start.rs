//! W and H to start from, or to keep, as they lie in files.

use crate::about::About;
use crate::args::SideFile;
use crate::beside::Beside;
use crate::failure::Failure;
use crate::load;
use crate::matching::{Match, NamesOf};
use crate::number::Number;
use partwise::Factor;
use partwise_io::{DType, Layout, Order, Table, Values};
use std::path::Path;

/// W and H as their files hold them, each with what its file is called.
pub(crate) struct Tables {
    w: Option<(String, Table)>,
    h: Option<(String, Table)>,
}

/// Factors to start from, in the orientation of the engine (H stored tall), and what their components are
/// called.
pub(crate) struct Given<T: Number> {
    pub(crate) w: Option<Factor<T>>,
    pub(crate) h: Option<Factor<T>>,
    pub(crate) component_names: Option<Vec<String>>,
}

/// Reads W (m × k) and H (k × n) for the X that `about` tells of.
pub(crate) fn read(
    (w, h): (Option<&Path>, Option<&Path>),
    rank: Option<usize>,
    files: Beside<'_>,
    about: &About,
) -> Result<Tables, Failure> {
    let is_rank = |found: usize| rank.is_none_or(|rank| rank == found);
    let read = |path: Option<&Path>, file, fits: &dyn Fn(&Table) -> bool| {
        let Some(path) = path else { return Ok(None) };
        Ok::<_, Failure>(Some((load::name(path), files.read(path, file, about, fits)?)))
    };
    Ok(Tables {
        w: read(w, SideFile::W, &|t| t.rows == about.rows && is_rank(t.cols))?,
        h: read(h, SideFile::H, &|t| t.cols == about.cols && is_rank(t.rows))?,
    })
}

impl Tables {
    /// The number of components of the factor that is given.
    pub(crate) fn rank(&self, about: &About) -> Result<usize, Failure> {
        let (what, side, (name, table)) = match self {
            Self { w: Some(w), .. } => ("W", SideFile::W, w),
            Self { h: Some(h), .. } => ("H", SideFile::H, h),
            Self { w: None, h: None } => {
                return Err(Failure::Internal("a rank that nothing tells".into()));
            }
        };
        let shape @ (rows, cols) = (table.rows, table.cols);
        let (fits, rank) = match side {
            SideFile::W => ((about.rows, cols), cols),
            _ => ((rows, about.cols), rows),
        };
        if shape == fits {
            return Ok(rank);
        }
        let turned = match side {
            SideFile::W if cols == about.rows => (cols, rows),
            SideFile::H if rows == about.cols => (cols, rows),
            _ => fits,
        };
        Err(side.misfit(what, name.clone(), shape, turned))
    }

    /// The factors, their rows, columns and components matched by name where they have names.
    pub(crate) fn factors<T: Number>(
        self,
        rank: usize,
        matching: Match,
        about: &About,
        notices: &mut Vec<String>,
    ) -> Result<Given<T>, Failure> {
        let of = about.name.as_str();
        let mut given = Given { w: None, h: None, component_names: None };
        let mut named_by = String::new();
        for (side, what, table, fits) in [
            (SideFile::W, "W", &self.w, (about.rows, rank)),
            (SideFile::H, "H", &self.h, (rank, about.cols)),
        ] {
            // Names of rows for those of columns would be refused as other names.
            if let Some((name, table)) = table
                && (table.rows, table.cols) != fits
                && (table.cols, table.rows) == fits
            {
                return Err(side.misfit(what, name.clone(), (table.rows, table.cols), fits));
            }
        }
        if let Some((name, table)) = self.w {
            let rows = NamesOf { of, names: about.row_names.as_deref() };
            let table = matching.arrange(table, &name, (Some(rows), None), notices)?;
            given.component_names.clone_from(&table.col_names);
            given.w = Some(factor(table, &name, ("W", (about.rows, rank)), notices)?);
            named_by = name;
        }
        if let Some((name, table)) = self.h {
            let names = given.component_names.as_deref();
            let components = NamesOf { of: &named_by, names };
            let columns = NamesOf { of, names: about.col_names.as_deref() };
            let by = (Some(components), Some(columns));
            let table = matching.arrange(table, &name, by, notices)?;
            let names = table.row_names.clone();
            let wide: Factor<T> = factor(table, &name, ("H", (rank, about.cols)), notices)?;
            given.h = Some(Factor::from_rows(about.cols, rank, &wide.to_transposed_vec()));
            given.component_names = given.component_names.or(names);
        }
        Ok(given)
    }
}

/// A factor of this shape, as in its file.
fn factor<T: Number>(
    table: Table,
    name: &str,
    (what, (rows, cols)): (&'static str, (usize, usize)),
    notices: &mut Vec<String>,
) -> Result<Factor<T>, Failure> {
    if (table.rows, table.cols) != (rows, cols) {
        let (file, found) = (if what == "W" { SideFile::W } else { SideFile::H }, name.to_owned());
        return Err(file.misfit(what, found, (table.rows, table.cols), (rows, cols)));
    }
    let dtype = table.numbers().dtype();
    if matches!(dtype, DType::F32 | DType::F64) && dtype != T::DTYPE {
        notices.push(format!("{what} is {dtype} and was converted to {}", T::DTYPE));
    }
    let by_rows = |by_rows: bool, values: &[T]| {
        if by_rows {
            return Factor::from_rows(rows, cols, values);
        }
        let turned = Factor::from_rows(cols, rows, values).to_transposed_vec();
        Factor::from_rows(rows, cols, &turned)
    };
    Ok(match table.values {
        Values::Dense { numbers, order } => by_rows(order == Order::RowMajor, &T::take(numbers).0),
        Values::Sparse { layout, indptr, indices, numbers } => {
            let values = T::take(numbers).0;
            let length = if layout == Layout::Csr { cols } else { rows };
            let mut all = vec![T::ZERO; rows * cols];
            for (line, ends) in all.chunks_mut(length).zip(indptr.windows(2)) {
                // Checked by the reader: within the line, and as many values as indices.
                let [from, to] = [ends[0] as usize, ends[1] as usize];
                for (at, value) in indices[from..to].iter().zip(&values[from..to]) {
                    line[*at as usize] = *value;
                }
            }
            by_rows(layout == Layout::Csr, &all)
        }
    })
}
