//! What a reader accepted but the user should hear about.

use std::fmt;

use crate::format::Format;
use crate::numbers::DType;

/// Something accepted that might surprise; printed by the caller, never by this crate.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Notice {
    /// What was taken as column names and row names, by which rules.
    Taken {
        /// The line of the header, from 1, and the rule.
        header: Option<(u64, &'static str)>,
        /// The column of the row names, from 1, and the rule.
        row_names: Option<(u64, &'static str)>,
        /// Whether the header might be data after all.
        likely: bool,
    },
    /// The first line was read as data, but might hold column names.
    MaybeHeader {
        /// The line, from 1.
        line: u64,
    },
    /// The first line and the first column were read as data, but might be two axes.
    MaybeFrame {
        /// The line, from 1.
        line: u64,
    },
    /// The first row below a header has an empty name, as a second header line may have.
    EmptyName {
        /// Its line, from 1.
        line: u64,
    },
    /// A delimiter at the end of every line but the header was dropped, but may stand before a value
    /// that is missing under a header that is one field short.
    MaybeShifted {
        /// The line of the header, from 1.
        line: u64,
        /// Its first field.
        name: String,
    },
    /// A line above the header was left out as a title.
    Title {
        /// The line, from 1.
        line: u64,
    },
    /// A column was read as data, though its heading means an id: its values repeat.
    MaybeNames {
        /// The column, from 1.
        column: u64,
        /// Its heading.
        name: String,
    },
    /// The first column was read as data, but behaves as ids do.
    MaybeIds,
    /// Ids that were taken as row names repeat.
    IdsRepeat {
        /// How many repeat an earlier one.
        count: u64,
        /// The first that does.
        first: String,
    },
    /// Comment lines before the table were passed over.
    Comments {
        /// How many.
        count: u64,
    },
    /// A line of units below the header was left out.
    Units {
        /// The line, from 1.
        line: u64,
    },
    /// How numbers are written, where that was told by the file.
    NumberStyle {
        /// In words.
        what: &'static str,
    },
    /// Columns of percentages were read without their signs.
    Percent {
        /// How many columns.
        count: u64,
        /// The first of them, from 1.
        first: u64,
    },
    /// Columns were left out.
    LeftOut {
        /// The first of them, from 1.
        from: u64,
        /// The last.
        to: u64,
    },
    /// A table of text that is mostly zero became sparse.
    BecameSparse {
        /// Share of the entries that are not zero.
        share: f64,
    },
    /// The first line of a file of names was taken as its heading.
    NamesHeading {
        /// `"row"` or `"column"`.
        axis: &'static str,
        /// That line.
        heading: String,
    },
    /// Arrays of names beside a matrix could not be read.
    NoNames {
        /// Why.
        reason: String,
    },
    /// The first line of a Matrix Market file is not quite a banner.
    NoBanner {
        /// What the file was taken for.
        taken: &'static str,
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
    /// Which fields of a line were taken as row, column and value, from 1; without a value it is 1.
    Triples {
        /// Row, column and perhaps value: place and heading.
        fields: Vec<(u64, String)>,
    },
    /// Numbers with a point may be whole ones with a point between groups of three digits.
    MaybeGrouped {
        /// Line of the first.
        line: u64,
        /// That number.
        first: String,
    },
    /// A number far beyond all others may stand for missing values.
    MaybeMissing {
        /// That number.
        value: f64,
        /// How often it stands there.
        count: u64,
    },
}

impl Notice {
    /// Whether it is a warning: what was read may well not be what was meant.
    #[must_use]
    pub fn is_warning(&self) -> bool {
        matches!(
            self,
            Self::Taken { likely: true, .. }
                | Self::MaybeHeader { .. }
                | Self::MaybeFrame { .. }
                | Self::EmptyName { .. }
                | Self::MaybeShifted { .. }
                | Self::MaybeNames { .. }
                | Self::MaybeIds
                | Self::IdsRepeat { .. }
                | Self::LooksLikeTriplets
                | Self::MaybeGrouped { .. }
                | Self::MaybeMissing { .. }
                | Self::NoNames { .. }
        )
    }

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
            Self::Taken { header, row_names, .. } => taken(f, *header, *row_names),
            Self::MaybeHeader { line } => write!(
                f,
                "line {line} was read as data, but it may hold column names; --header yes takes it so, --header no confirms"
            ),
            Self::MaybeFrame { line } => write!(
                f,
                "line {line} and column 1 were read as data, but may be two axes; --header yes --row-names yes takes them as names, --header no confirms"
            ),
            Self::EmptyName { line } => write!(
                f,
                "line {line} was read as a row with an empty name, but may be a second header; --skip-lines {} --header yes takes it as the only one",
                line.saturating_sub(1)
            ),
            Self::MaybeShifted { line, name } => write!(
                f,
                "line {line} is a field short of the lines below, whose last field is empty and was dropped: '{name}' was taken as heading of the row names; if a value is missing there, begin line {line} with a delimiter; --row-names yes confirms"
            ),
            Self::Title { line } => {
                write!(f, "line {line} stands above the header as a title does, and was left out")
            }
            Self::MaybeNames { column, name } => write!(
                f,
                "column {column} was read as data, for its values repeat, but '{name}' means an id; --row-names yes takes it as names, --drop-columns {column} leaves it out"
            ),
            Self::MaybeIds => write!(
                f,
                "column 1 was read as data, though it may be names: its numbers are like those of ids or of an axis; --row-names yes takes it as names, --row-names no confirms"
            ),
            Self::IdsRepeat { count, first } => write!(
                f,
                "{} an earlier one, the first is '{first}'; --row-names no reads them as data",
                counted(*count, "id taken as row name repeats", "ids taken as row names repeat")
            ),
            Self::Comments { count: 1 } => {
                write!(f, "a comment line before the table was passed over")
            }
            Self::Comments { count } => {
                write!(f, "{count} comment lines before the table were passed over")
            }
            Self::Units { line } => write!(
                f,
                "line {line} holds text between header and numbers, such as units, and was left out"
            ),
            Self::NumberStyle { what } => {
                write!(f, "{what}, as the file shows; --decimal says otherwise")
            }
            Self::Percent { count: 1, first } => {
                write!(f, "column {first} is in percent: read without the sign, 50% as 50")
            }
            Self::Percent { count, first } => write!(
                f,
                "{count} columns are in percent, the first is column {first}: read without the sign, 50% as 50"
            ),
            Self::LeftOut { from, to } if from == to => write!(f, "column {from} was left out"),
            Self::LeftOut { from, to } => {
                write!(f, "columns {from} to {to} were left out")
            }
            Self::BecameSparse { share } => write!(
                f,
                "{:.3} % of the entries are not zero, so the table was made sparse",
                share * 100.0
            ),
            Self::NamesHeading { axis, heading } => {
                write!(f, "took '{heading}' as heading of the {axis} names")
            }
            Self::NoNames { reason } => write!(f, "names were not taken: {reason}"),
            Self::NoBanner { taken } => {
                write!(f, "the first line is no %%MatrixMarket banner; read as {taken}")
            }
            Self::DuplicatesSummed { count } => {
                let entries = counted(*count, "duplicate entry was", "duplicate entries were");
                write!(f, "{entries} added to the first at the same position")
            }
            Self::TrailingBytes { count } => {
                write!(
                    f,
                    "{} ignored",
                    counted(*count, "byte after the data was", "bytes after the data were")
                )
            }
            Self::Underflow { count, line, field } => write!(
                f,
                "{} read as 0, the first at line {line}, field {field}",
                counted(
                    *count,
                    "number too small for float64 was",
                    "numbers too small for float64 were"
                )
            ),
            Self::OtherExtension { format, extension } => {
                write!(f, "read as {format}, although the name ends in .{extension}")
            }
            Self::Widened { from, to } => write!(f, "{from} elements were widened to {to}"),
            Self::TrailingDelimiter => {
                write!(f, "the delimiter at the end of each line was dropped")
            }
            Self::DuplicateNames { axis, count, first } => {
                let repeat = counted(*count, "name repeats", "names repeat");
                let (number, repeat) = repeat.split_once(' ').unwrap_or_default();
                write!(f, "{number} {axis} {repeat} an earlier one, the first is '{first}'")
            }
            Self::LooksLikeTriplets => write!(
                f,
                "the columns look like row, column, value triplets but were read as a dense matrix of ids; --triples makes a matrix of them"
            ),
            Self::Triples { fields } => triples(f, fields),
            Self::MaybeGrouped { line, first } => write!(
                f,
                "numbers with a point have three digits behind it beside whole numbers, the first is '{first}' at line {line}, read as a fraction; if points part groups of three digits: --decimal ,; --decimal . confirms"
            ),
            Self::MaybeMissing { value, count } => {
                let code = if *value < 1e15 { format!("{value}") } else { format!("{value:e}") };
                let times = counted(*count, "time", "times");
                write!(
                    f,
                    "{code} stands {times} and far above all other numbers; if it stands for a missing value: --na {code} --missing nan"
                )
            }
        }
    }
}

/// A number and what it counts.
fn counted(count: u64, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

/// Which columns were taken as what.
fn triples(f: &mut fmt::Formatter<'_>, fields: &[(u64, String)]) -> fmt::Result {
    let parts: Vec<String> = ["rows", "columns", "values"]
        .iter()
        .zip(fields)
        .map(|(role, (at, name))| match name.as_str() {
            "" => format!("column {at} as {role}"),
            name => format!("column {at} '{name}' as {role}"),
        })
        .collect();
    let ones = if fields.len() < 3 { ", all values 1" } else { "" };
    write!(f, "took {}{ones}; --columns ROW,COLUMN,VALUE says otherwise", parts.join(", "))
}

/// In one line, with the options that say otherwise.
fn taken(
    f: &mut fmt::Formatter<'_>,
    header: Option<(u64, &str)>,
    row_names: Option<(u64, &str)>,
) -> fmt::Result {
    let mut options = Vec::new();
    let mut parts = Vec::new();
    if let Some((line, rule)) = header {
        parts.push(format!("line {line} as header ({rule})"));
        options.push("--header no");
    }
    if let Some((column, rule)) = row_names {
        parts.push(format!("column {column} as row names ({rule})"));
        options.push("--row-names no");
    }
    let verb = if options.len() == 1 { "says" } else { "say" };
    write!(f, "took {}; {} {verb} otherwise", parts.join(" and "), options.join(" and "))
}
