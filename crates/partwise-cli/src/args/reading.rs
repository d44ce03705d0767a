//! How a file of numbers is laid out.

use super::Memory;
use super::named::switches;
use crate::text;
use clap::Args;
use partwise_io::{Columns, ReadOptions, Switch};
use std::path::PathBuf;

/// The layout of a file, as typed.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Reading {
    /// Whether the first line of a text file holds column names.
    #[arg(long, value_name = "WHEN", default_value = "auto", help_heading = "Input")]
    #[arg(value_parser = switches())]
    pub(crate) header: Switch,

    /// Whether the first column of a text file holds row names (auto, yes or no), or a file with a
    /// name for each row of X, one a line; of several columns the first counts.
    #[arg(long, value_name = "WHEN|FILE", default_value = "auto", help_heading = "Input")]
    #[arg(value_parser = row_names)]
    pub(crate) row_names: RowNames,

    /// A file with a name for each column of X, one a line.
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub(crate) column_names: Option<PathBuf>,

    /// Delimiter of a text file: one character, tab or space; told by the first line if not given.
    #[arg(long, value_name = "CHAR", value_parser = text::delimiter, help_heading = "Input")]
    pub(crate) delimiter: Option<u8>,

    /// Decimal sign of a text file: , or .; with one of them, the other may part groups of three
    /// digits.
    #[arg(long, value_name = "CHAR", value_parser = text::decimal, help_heading = "Input")]
    pub(crate) decimal: Option<u8>,

    /// Pass over lines of a text file that begin with this character; # before the table if not
    /// given.
    #[arg(long, value_name = "CHAR", value_parser = text::mark, help_heading = "Input")]
    pub(crate) comment: Option<u8>,

    /// Pass over the first lines of a text file.
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    #[arg(help_heading = "Input", value_parser = text::whole::<u64>)]
    pub(crate) skip_lines: u64,

    /// Marks of missing values beside NA, NaN and the like, such as -999; see --missing nan. One that
    /// is a number holds for every kind of file.
    #[arg(long, value_name = "MARK", value_delimiter = ',', help_heading = "Input")]
    #[arg(allow_hyphen_values = true)]
    pub(crate) na: Vec<String>,

    /// Columns of the file to read: names, or numbers from 1, with commas between, or ranges such
    /// as 3-7 and 3..; row names are kept beside them.
    #[arg(long, value_name = "COLUMNS", help_heading = "Input")]
    pub(crate) columns: Vec<String>,

    /// Columns of the file to leave out, written in the same way.
    #[arg(long, value_name = "COLUMNS", help_heading = "Input")]
    pub(crate) drop_columns: Vec<String>,

    /// Lines of a text file are a row, a column and a value, such as user, item and rating: X is the
    /// sparse matrix of them.
    #[arg(long, help_heading = "Input")]
    pub(crate) triples: bool,

    /// Exchange rows and columns after reading.
    #[arg(long, help_heading = "Input")]
    pub(crate) transpose: bool,

    /// The array of an .npz file to read.
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    pub(crate) entry: Option<String>,
}

/// Where row names come from.
#[derive(Debug, Clone)]
pub(crate) enum RowNames {
    Column(Switch),
    File(PathBuf),
}

impl Default for RowNames {
    fn default() -> Self {
        Self::Column(Switch::Auto)
    }
}

fn row_names(text: &str) -> Result<RowNames, String> {
    Ok(match text {
        "auto" => RowNames::Column(Switch::Auto),
        "yes" => RowNames::Column(Switch::Yes),
        "no" => RowNames::Column(Switch::No),
        "" => return Err("expected auto, yes, no, or a file".into()),
        file => RowNames::File(file.into()),
    })
}

impl Reading {
    /// Files of names.
    pub(crate) fn files(&self) -> impl Iterator<Item = &PathBuf> {
        let rows = match &self.row_names {
            RowNames::File(file) => Some(file),
            RowNames::Column(_) => None,
        };
        rows.into_iter().chain(&self.column_names)
    }

    /// Whether it says what stands for a missing value.
    pub(crate) fn has_marks(&self) -> bool {
        !self.na.is_empty()
    }

    /// How a file beside X is laid out, as far as that of X tells: a matrix of the same form is cut in
    /// the same way, another one is written by the same program at most. Names and entries are of X alone.
    pub(crate) fn beside(&self, same_form: bool) -> Self {
        let row_names = match &self.row_names {
            RowNames::Column(when) => RowNames::Column(*when),
            RowNames::File(_) => RowNames::default(),
        };
        if same_form {
            return Self { row_names, column_names: None, entry: None, ..self.clone() };
        }
        let Self { header, delimiter, decimal, comment, .. } = *self;
        Self { header, row_names, delimiter, decimal, comment, ..Self::default() }
    }

    /// What the reader is told; with `nan`, missing fields of a text file become NaN.
    pub(crate) fn options(&self, nan: bool, memory: Memory) -> ReadOptions {
        let (row_names, row_names_from) = match &self.row_names {
            RowNames::Column(when) => (*when, None),
            RowNames::File(file) => (Switch::Auto, Some(file.clone())),
        };
        ReadOptions {
            header: self.header,
            known_columns: None,
            row_names,
            delimiter: self.delimiter,
            skip_lines: self.skip_lines,
            comment: self.comment,
            decimal: self.decimal,
            na: self.na.clone(),
            columns: Columns { keep: self.columns.clone(), drop: self.drop_columns.clone() },
            triples: self.triples,
            entry: self.entry.clone(),
            transpose: self.transpose,
            row_names_from,
            column_names_from: self.column_names.clone(),
            sparse: false,
            missing_as_nan: nan,
            memory_limit: memory.memory_limit,
        }
    }
}
