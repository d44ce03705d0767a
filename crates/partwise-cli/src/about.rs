//! What a file held, as far as messages and answers speak of it.

use crate::failure::{Failure, engine_place};
use crate::text;
use partwise_io::{DType, Layout, Notice, Table, Values};

/// How a matrix is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Dense,
    ByRows,
    ByColumns,
}

impl Kind {
    /// In words.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Dense => "dense",
            Self::ByRows => "sparse by rows",
            Self::ByColumns => "sparse by columns",
        }
    }
}

/// What a file held.
#[derive(Debug, Clone)]
pub(crate) struct About {
    /// The file as the user knows it.
    pub(crate) name: String,
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    pub(crate) kind: Kind,
    /// Entries that are stored.
    pub(crate) stored: usize,
    /// Entries that are neither zero nor NaN.
    pub(crate) nonzero: usize,
    /// Entries that are NaN, and whether they were taken for zeros.
    pub(crate) nan: usize,
    pub(crate) blank: bool,
    /// Σ x without NaN, in the order of the file.
    pub(crate) sum: f64,
    /// Type of the elements in the file.
    pub(crate) file_type: DType,
    /// Type they were converted to.
    pub(crate) number_type: DType,
    pub(crate) row_names: Option<Vec<String>>,
    pub(crate) col_names: Option<Vec<String>>,
    /// What the user should hear.
    pub(crate) notices: Vec<String>,
    /// What may well not be what the user meant.
    pub(crate) warnings: Vec<String>,
}

impl About {
    /// What a table is, before its numbers have been looked at.
    pub(crate) fn of(table: &Table, name: String, number_type: DType) -> Self {
        let kind = match &table.values {
            Values::Dense { .. } => Kind::Dense,
            Values::Sparse { layout: Layout::Csr, .. } => Kind::ByRows,
            Values::Sparse { layout: Layout::Csc, .. } => Kind::ByColumns,
        };
        // Widening is exact and shows in the types that the report names.
        let news = table.notices.iter().filter(|n| !matches!(n, Notice::Widened { .. }));
        let (warnings, notices): (Vec<&Notice>, _) = news.partition(|n| n.is_warning());
        let shown = |news: Vec<&Notice>| news.into_iter().map(ToString::to_string).collect();
        Self {
            name,
            rows: table.rows,
            cols: table.cols,
            kind,
            stored: table.stored(),
            nonzero: 0,
            nan: 0,
            blank: false,
            sum: 0.0,
            file_type: table.numbers().dtype(),
            number_type,
            row_names: table.row_names.clone(),
            col_names: table.col_names.clone(),
            notices: shown(notices),
            warnings: shown(warnings),
        }
    }

    /// Share of the entries that are not zero.
    pub(crate) fn density(&self) -> f64 {
        self.nonzero as f64 / (self.rows as f64 * self.cols as f64)
    }

    /// The engine's error about this matrix, with the names of row and column if it has any.
    pub(crate) fn blame(&self, error: partwise::Error) -> Failure {
        let cell = engine_place(&error).and_then(|(row, col)| self.cell(row, col));
        Failure::Engine { error: error.into(), file: self.name.clone(), cell }
    }

    fn cell(&self, row: usize, col: usize) -> Option<String> {
        let name = |names: &Option<Vec<String>>, at: usize, what: &str| {
            let name = text::escaped(names.as_ref()?.get(at)?);
            Some(format!("{what} '{name}'"))
        };
        let names = [name(&self.row_names, row, "row"), name(&self.col_names, col, "column")];
        let names: Vec<String> = names.into_iter().flatten().collect();
        (!names.is_empty()).then(|| names.join(", "))
    }

    /// Bytes that X takes in memory.
    pub(crate) fn bytes(&self) -> u64 {
        let value = if self.number_type == DType::F32 { 4 } else { 8 };
        let stored = self.stored as u64;
        match self.kind {
            Kind::Dense => stored * value,
            Kind::ByRows => stored * (value + 4) + self.rows as u64 * 8,
            Kind::ByColumns => stored * (value + 4) + self.cols as u64 * 8,
        }
    }
}
