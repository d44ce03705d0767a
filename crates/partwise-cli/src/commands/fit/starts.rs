//! W and H to start from, and the number of components that their shapes tell.

use crate::about::About;
use crate::args;
use crate::failure::Failure;
use crate::load;
use partwise_io::Table;
use std::path::Path;

/// A file that is read once, when it is needed: it may be a pipe.
pub(super) struct Given<'a> {
    path: Option<&'a Path>,
    table: Option<Table>,
}

/// Both factors.
pub(super) struct Starts<'a> {
    pub(super) w: Given<'a>,
    pub(super) h: Given<'a>,
}

impl<'a> Given<'a> {
    fn new(path: Option<&'a Path>) -> Self {
        Self { path, table: None }
    }

    /// The file and what it held, if there is one.
    pub(super) fn read(&mut self) -> Result<Option<(&'a Path, Table)>, Failure> {
        let Some(path) = self.path else { return Ok(None) };
        Ok(Some((path, self.table.take().map_or_else(|| load::start(path), Ok)?)))
    }

    /// Rows and columns of the file, which is kept for [`Given::read`].
    fn shape(&mut self) -> Result<Option<(&'a Path, usize, usize)>, Failure> {
        let Some((path, table)) = self.read()? else { return Ok(None) };
        let table = self.table.insert(table);
        Ok(Some((path, table.rows, table.cols)))
    }
}

impl<'a> Starts<'a> {
    pub(super) fn new(args: &'a args::Fit) -> Self {
        Self { w: Given::new(args.w.as_deref()), h: Given::new(args.h.as_deref()) }
    }

    /// The number of components of the factor that is given.
    pub(super) fn rank(&mut self, about: &About) -> Result<usize, Failure> {
        if let Some((path, rows, cols)) = self.w.shape()? {
            let wanted = format!("m × k with a row for each of the {} rows of X", about.rows);
            return fitting(("W", path), (rows, cols), (rows == about.rows, wanted)).map(|()| cols);
        }
        if let Some((path, rows, cols)) = self.h.shape()? {
            let wanted = format!("k × n with a column for each of the {} columns of X", about.cols);
            return fitting(("H", path), (rows, cols), (cols == about.cols, wanted)).map(|()| rows);
        }
        Err(Failure::Internal("a rank that nothing tells".into()))
    }
}

fn fitting(
    (what, path): (&str, &Path),
    (rows, cols): (usize, usize),
    (fits, wanted): (bool, String),
) -> Result<(), Failure> {
    if fits {
        return Ok(());
    }
    let text = format!("{}: {what} is {rows} × {cols}, expected {wanted}", load::name(path));
    Err(Failure::Data { code: "E-INIT", text, at: None })
}
