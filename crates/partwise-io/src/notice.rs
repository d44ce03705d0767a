//! What a reader accepted but the user should hear about.

use std::fmt;

use crate::format::Format;
use crate::numbers::DType;

/// Something accepted that might surprise; printed by the caller, never by this crate.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Notice {
    /// The first line was taken as column names.
    Header {
        /// The line, from 1.
        line: u64,
        /// The rule that decided it.
        rule: &'static str,
    },
    /// The first column was taken as row names.
    RowNames {
        /// The rule that decided it.
        rule: &'static str,
    },
    /// Entries at the same position were added up.
    DuplicatesSummed {
        /// How many entries were merged into another.
        count: u64,
    },
    /// Bytes after the data were ignored.
    TrailingBytes {
        /// How many.
        count: u64,
    },
    /// Non-zero numbers too small for a double were read as 0.
    Underflow {
        /// How many.
        count: u64,
        /// Line of the first.
        line: u64,
        /// Field of the first.
        field: u64,
    },
    /// The content is of another kind than the name says.
    OtherExtension {
        /// The kind read.
        format: Format,
        /// The extension of the name.
        extension: String,
    },
    /// Elements were widened to a type that holds all their values.
    Widened {
        /// Type in the file.
        from: DType,
        /// Type in memory.
        to: DType,
    },
    /// Every line ended with a delimiter, which was dropped.
    TrailingDelimiter,
    /// The same name stands more than once among the row or column names.
    DuplicateNames {
        /// `"row"` or `"column"`.
        axis: &'static str,
        /// How many names repeat an earlier one.
        count: u64,
        /// The first that does.
        first: String,
    },
    /// Columns look like `row, column, value` triplets, which were read as a dense matrix.
    LooksLikeTriplets,
}

impl Notice {
    /// Counts one more number that was read as 0, keeping the place of the first.
    pub(crate) fn count_underflow(notice: &mut Option<Self>, line: u64, field: u64) {
        let first = Self::Underflow { count: 0, line, field };
        if let Self::Underflow { count, .. } = notice.get_or_insert(first) {
            *count += 1;
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header { line, rule } => write!(f, "took line {line} as header ({rule})"),
            Self::RowNames { rule } => write!(f, "took column 1 as row names ({rule})"),
            Self::DuplicatesSummed { count } => {
                write!(f, "{count} duplicate entries were added to the first at their position")
            }
            Self::TrailingBytes { count } => {
                write!(f, "{count} bytes after the data were ignored")
            }
            Self::Underflow { count, line, field } => write!(
                f,
                "{count} numbers too small for float64 were read as 0, the first at line {line}, field {field}"
            ),
            Self::OtherExtension { format, extension } => {
                write!(f, "read as {format}, although the name ends in .{extension}")
            }
            Self::Widened { from, to } => write!(f, "{from} elements were widened to {to}"),
            Self::TrailingDelimiter => {
                write!(f, "the delimiter at the end of each line was dropped")
            }
            Self::DuplicateNames { axis, count, first } => {
                write!(f, "{count} {axis} names repeat an earlier one, the first is '{first}'")
            }
            Self::LooksLikeTriplets => write!(
                f,
                "the columns look like row, column, value triplets but were read as a dense matrix; save triplets as Matrix Market"
            ),
        }
    }
}
