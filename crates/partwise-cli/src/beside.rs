//! Files that go with X: weights, masks, W and H.

use crate::args::{self, Reading, SideFile};
use crate::failure::Failure;
use crate::matching::Match;
use partwise_io::{Table, read};
use std::path::Path;

/// How the files beside X are read.
#[derive(Clone, Copy)]
pub(crate) struct Beside<'a> {
    args: &'a args::Beside,
    /// How X is read.
    x: &'a Reading,
    /// Whether missing fields of X are read as NaN.
    pub(crate) nan: bool,
    memory: args::Memory,
}

impl<'a> Beside<'a> {
    pub(crate) fn new(
        args: &'a args::Beside,
        x: &'a Reading,
        nan: bool,
        memory: args::Memory,
    ) -> Self {
        Self { args, x, nan, memory }
    }

    pub(crate) fn matching(&self) -> Match {
        self.args.matching
    }

    /// Reads a file: as its own layout says, if it was given one. Else by the options of X, and if it
    /// does not have the shape that it `fits` by these, as if there were none.
    pub(crate) fn read(
        &self,
        path: &Path,
        file: SideFile,
        fits: impl Fn(&Table) -> bool,
    ) -> Result<Table, Failure> {
        if let Some(own) = self.args.layout_of(file) {
            return self.read_by(own, path, file);
        }
        let table = self.read_by(&self.x.beside(file.is_of_form_of_x()), path, file);
        if table.as_ref().is_ok_and(&fits) {
            return table;
        }
        match self.read_by(&Reading::default(), path, file) {
            Ok(own) if fits(&own) => Ok(own),
            _ => table,
        }
    }

    fn read_by(&self, reading: &Reading, path: &Path, file: SideFile) -> Result<Table, Failure> {
        let nan = self.nan && file.may_lack_entries();
        read(path, &reading.options(nan, self.memory)).map_err(|error| match &error {
            // What helps with X does not help here.
            partwise_io::Error::At { error: inner, .. }
                if matches!(**inner, partwise_io::Error::Missing { .. }) =>
            {
                Failure::Data { code: "E-DATA", text: error.to_string(), at: None }
            }
            _ => error.into(),
        })
    }
}
