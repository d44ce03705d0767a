//! Files that go with X: which of its rows and columns are theirs, and how they are laid out.

use super::Reading;
use super::named::matches;
use crate::failure::Failure;
use crate::matching::Match;
use clap::{Args, Parser};
use partwise::Error;

/// How files beside X are read and matched.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Beside {
    /// What decides which row and column of another file is which of X.
    #[arg(long = "match", value_name = "BY", default_value = "names", value_parser = matches())]
    #[arg(help_heading = "Input", long_help = MATCH)]
    pub(crate) matching: Match,

    /// How a file beside X is laid out, where it is not as X is: FILE=OPTIONS, such as
    /// weights='--header no --delimiter ;'. May be given for each file.
    #[arg(long, value_name = "FILE=OPTIONS", value_parser = layout, help_heading = "Input")]
    #[arg(long_help = LAYOUT)]
    layout: Vec<(SideFile, Box<Reading>)>,
}

const MATCH: &str = "\
What decides which row and column of another file (weights, a mask, W, H, new data, the matrix of a model) is which \
of X:
- names:    names where both files have them; another order is put right, other names are refused
- position: positions, whatever the names";

const LAYOUT: &str = "\
How a file beside X is laid out, where it is not as X is: FILE=OPTIONS. FILE is the name of its option: weights, \
uncertainties, mask, hide, row-weights, column-weights, w or h. OPTIONS are those of X in quotes, such as \
weights='--header no --delimiter ;'. May be given for each file.

A file without it is read by the options of X, or, if it has another shape by these, as if none were given.";

/// A file that goes with X, by the name of its option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SideFile {
    Weights,
    Uncertainties,
    Mask,
    Hide,
    RowWeights,
    ColumnWeights,
    W,
    H,
}

impl SideFile {
    /// The name of its option.
    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, file)| *file == self).map_or("", |(name, _)| name)
    }

    /// Whether it has a row and a column for each of X.
    pub(crate) fn is_of_form_of_x(self) -> bool {
        matches!(self, Self::Weights | Self::Uncertainties | Self::Mask | Self::Hide)
    }

    /// Whether its columns are those of X.
    pub(crate) fn has_columns_of_x(self) -> bool {
        self.is_of_form_of_x() || matches!(self, Self::ColumnWeights | Self::H)
    }

    /// The failure of a file that has another shape than it should have.
    pub(crate) fn misfit(
        self,
        what: &'static str,
        file: String,
        (found_rows, found_cols): (usize, usize),
        (rows, cols): (usize, usize),
    ) -> Failure {
        let error = Box::new(Error::Shape { what, found_rows, found_cols, rows, cols });
        let turned = (found_cols, found_rows) == (rows, cols);
        let cell = turned
            .then(|| format!("turned it would fit: --layout {}=--transpose turns it", self.name()));
        Failure::Engine { error, file, cell }
    }

    /// Whether an entry of it may be missing where X may have missing entries.
    pub(crate) fn may_lack_entries(self) -> bool {
        matches!(self, Self::Weights | Self::Uncertainties)
    }

    const ALL: [(&'static str, Self); 8] = [
        ("weights", Self::Weights),
        ("uncertainties", Self::Uncertainties),
        ("mask", Self::Mask),
        ("hide", Self::Hide),
        ("row-weights", Self::RowWeights),
        ("column-weights", Self::ColumnWeights),
        ("w", Self::W),
        ("h", Self::H),
    ];
}

impl Beside {
    /// The layout that was given for a file.
    pub(crate) fn layout_of(&self, file: SideFile) -> Option<&Reading> {
        self.layout.iter().rev().find(|(of, _)| *of == file).map(|(_, reading)| &**reading)
    }
}

/// Layout options alone, as they are typed for X.
#[derive(Debug, Parser)]
#[command(no_binary_name = true, disable_help_flag = true, disable_version_flag = true)]
struct Typed {
    #[command(flatten)]
    reading: Reading,
}

/// `weights=--header no`.
fn layout(text: &str) -> Result<(SideFile, Box<Reading>), String> {
    let names = || SideFile::ALL.map(|(name, _)| name).join(", ");
    let (name, options) = text
        .split_once('=')
        .ok_or_else(|| format!("expected FILE=OPTIONS, where FILE is one of {}", names()))?;
    let file = SideFile::ALL.iter().find(|(known, _)| *known == name.trim_start_matches("--"));
    let (_, file) = file.ok_or_else(|| format!("'{name}' is none of {}", names()))?;
    let words = shlex::split(options).ok_or("a quote in OPTIONS is not closed")?;
    let typed = Typed::try_parse_from(words).map_err(|error| {
        let rendered = error.render().to_string();
        let first = rendered.split("\n\n").next().unwrap_or_default();
        first.trim_start_matches("error: ").split_whitespace().collect::<Vec<_>>().join(" ")
    })?;
    Ok((*file, Box::new(typed.reading)))
}
