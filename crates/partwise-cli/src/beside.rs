//! Files that go with X: weights, masks, W and H.

use crate::about::About;
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
    nan: bool,
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
        about: &About,
        fits: impl Fn(&Table) -> bool,
    ) -> Result<Table, Failure> {
        let names = about.col_names.as_deref().filter(|_| file.has_columns_of_x());
        let by = |reading: &Reading| self.read_by(reading, path, file, names);
        if let Some(own) = self.args.layout_of(file) {
            return by(own);
        }
        let table = by(&self.x.beside(file.is_of_form_of_x()));
        if table.as_ref().is_ok_and(&fits) {
            return table;
        }
        match by(&Reading::default()) {
            Ok(own) if fits(&own) => Ok(own),
            _ => table,
        }
    }

    fn read_by(
        &self,
        reading: &Reading,
        path: &Path,
        file: SideFile,
        names: Option<&[String]>,
    ) -> Result<Table, Failure> {
        let nan = file.may_lack_entries() && (self.nan || reading.has_marks());
        let mut options = reading.options(nan, self.memory);
        options.known_columns = names.filter(|_| !options.transpose).map(<[String]>::to_vec);
        read(path, &options).map_err(|error| match &error {
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
