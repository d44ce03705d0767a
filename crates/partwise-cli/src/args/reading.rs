//! How a file of numbers is laid out.

use super::Memory;
use super::named::switches;
use crate::{memory, text};
use clap::Args;
use partwise_io::{ReadOptions, Switch};

/// The layout of a file, as typed.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Reading {
    /// Whether the first line of a text file holds column names.
    #[arg(long, value_name = "WHEN", default_value = "auto", help_heading = "Input")]
    #[arg(value_parser = switches())]
    pub(crate) header: Switch,

    /// Whether the first column of a text file holds row names.
    #[arg(long, value_name = "WHEN", default_value = "auto", help_heading = "Input")]
    #[arg(value_parser = switches())]
    pub(crate) row_names: Switch,

    /// Delimiter of a text file: one character, tab or space; told by the first line if not given.
    #[arg(long, value_name = "CHAR", value_parser = text::delimiter, help_heading = "Input")]
    pub(crate) delimiter: Option<u8>,
}

impl Reading {
    /// What the reader is told; with `nan`, missing fields of a text file become NaN.
    pub(crate) fn options(&self, nan: bool, memory: Memory) -> ReadOptions {
        ReadOptions {
            header: self.header,
            row_names: self.row_names,
            delimiter: self.delimiter,
            missing_as_nan: nan,
            memory_limit: memory.memory_limit.or_else(memory::group_limit),
        }
    }
}
