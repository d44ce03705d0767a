//! What a caller can get wrong, with the place and the remedy.

/// Why a fit could not start. What happens during a fit is a [`Status`](crate::Status), never an
/// error.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// X has a negative entry.
    #[error(
        "X[{row}, {col}] = {value} is negative (negative entries: {count}, most negative {most} at \
         [{most_row}, {most_col}]); NMF needs values >= 0"
    )]
    #[allow(missing_docs)]
    Negative {
        row: usize,
        col: usize,
        value: f64,
        count: usize,
        most: f64,
        most_row: usize,
        most_col: usize,
    },
    /// X has an entry that is NaN or infinite.
    #[error(
        "X[{row}, {col}] is {value} (such entries: {count}); NMF needs finite values: remove or impute them"
    )]
    #[allow(missing_docs)]
    NotFinite { row: usize, col: usize, value: f64, count: usize },
    /// X has no rows or no columns.
    #[error("X has no entries (shape {rows} × {cols})")]
    #[allow(missing_docs)]
    Empty { rows: usize, cols: usize },
    /// A weight is not a finite number of at least 0.
    #[error("{what} = {value}: a weight must be finite and >= 0; 0 makes an entry missing")]
    #[allow(missing_docs)]
    Weight { what: String, value: f64 },
    /// The start makes the loss infinite.
    #[error(
        "X[{row}, {col}] = {value:?}, but W·H is zero there and a factor is held (such entries: {count}): \
         the loss is infinite; give starts that are positive where X is"
    )]
    #[allow(missing_docs)]
    Unreached { row: usize, col: usize, value: f64, count: usize },
    /// The start is so far from X that the loss is beyond the range of numbers.
    #[error(
        "X[{row}, {col}] = {value:?} beside W·H = {fitted:?} (such entries: {count}): the loss '{loss}' is \
         beyond the range of numbers there; raise such entries, use f64, or kl or another β nearer to 1"
    )]
    #[allow(missing_docs)]
    Beyond { row: usize, col: usize, value: f64, fitted: f64, count: usize, loss: String },
    /// Every entry of X is missing.
    #[error("every entry of X is missing or weighs 0; there is nothing to fit")]
    AllMissing,
    /// An entry that is zero makes the loss infinite.
    #[error(
        "X[{row}, {col}] is zero (entries that are: {count}), where the loss '{loss}' is infinite; use \
         kl, or a loss with β > 0"
    )]
    #[allow(missing_docs)]
    ZeroEntry { row: usize, col: usize, count: usize, loss: String },
    /// Two shapes that should agree do not.
    #[error("{what} is {found_rows} × {found_cols}, expected {rows} × {cols}")]
    #[allow(missing_docs)]
    Shape { what: &'static str, found_rows: usize, found_cols: usize, rows: usize, cols: usize },
    /// A given start has an entry that no factor may have.
    #[error("{what}[{row}, {col}] = {value}: a start needs finite values >= 0")]
    #[allow(missing_docs)]
    Start { what: &'static str, row: usize, col: usize, value: f64 },
    /// A given start is zero throughout, so nothing can be learnt from it.
    #[error("{what} is zero throughout; give a start with positive entries")]
    #[allow(missing_docs)]
    ZeroStart { what: &'static str },
    /// A start asks for a factor that was not given.
    #[error("{wanted} needs {what}, which was not given")]
    #[allow(missing_docs)]
    MissingFactor { wanted: &'static str, what: &'static str },
    /// An option is out of its range.
    #[error("{option} = {value} is out of range: {needed}")]
    #[allow(missing_docs)]
    Option { option: &'static str, value: String, needed: &'static str },
    /// A name that is not one of the known ones. `meant` is the one that it is like, or what there is
    /// instead.
    #[error("unknown {what} '{name}'; {}known: {known}", question(*.meant))]
    #[allow(missing_docs)]
    Unknown { what: &'static str, name: String, meant: Option<&'static str>, known: String },
    /// A loss without the number that it needs.
    #[error("loss '{name}' needs a number: write {written}")]
    #[allow(missing_docs)]
    Bare { name: String, written: &'static str },
    /// Two options exclude each other.
    #[error("{first} cannot be combined with {second}: {reason}")]
    #[allow(missing_docs)]
    Conflict { first: String, second: String, reason: &'static str },
    /// The arrays of a sparse matrix contradict each other.
    #[error("sparse X: {0}")]
    Sparse(#[from] SparseError),
    /// The strides of a dense matrix point outside its data.
    #[error(
        "dense X: shape {rows} × {cols} with strides ({row_stride}, {col_stride}) from offset \
         {offset} reaches outside the {len} values given"
    )]
    #[allow(missing_docs)]
    Strides {
        rows: usize,
        cols: usize,
        row_stride: isize,
        col_stride: isize,
        offset: usize,
        len: usize,
    },
    /// The fit would need more memory than allowed.
    #[error("{what} would need {needed} bytes ({how}); the limit is {limit} bytes")]
    #[allow(missing_docs)]
    Memory { what: &'static str, how: String, needed: u128, limit: u128 },
    /// A caller said stop, or the time was up, before there was anything to return.
    #[error("stopped before there was anything to return")]
    Halted,
    /// The source of X failed while it was read.
    #[error("reading X failed: {reason}")]
    #[allow(missing_docs)]
    Source { reason: String },
    /// The thread pool could not be started.
    #[error("cannot start {threads} threads: {reason}")]
    #[allow(missing_docs)]
    Threads { threads: usize, reason: String },
}

/// How the arrays of a compressed sparse matrix contradict each other. "Row" is the compressed
/// axis: a row of CSR, a column of CSC.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
#[non_exhaustive]
pub enum SparseError {
    /// indptr has the wrong length.
    #[error("indptr has {found} entries, expected {expected} (one more than the compressed axis)")]
    IndptrLength { found: usize, expected: usize },
    /// indptr does not start at 0.
    #[error("indptr[0] = {found}, expected 0")]
    IndptrStart { found: i128 },
    /// indptr decreases.
    #[error("indptr[{at}] = {found} is below indptr[{before}] = {previous}", before = at - 1)]
    IndptrDecreases { at: usize, previous: i128, found: i128 },
    /// indptr does not end at the number of stored entries.
    #[error("indptr ends at {found}, but {stored} entries are stored")]
    IndptrEnd { found: i128, stored: usize },
    /// data and indices differ in length.
    #[error("{values} values but {indices} indices")]
    Lengths { values: usize, indices: usize },
    /// An index is outside the matrix.
    #[error("row {row}: column index {found} out of range (n = {cols}), entry {entry}")]
    Index { row: usize, entry: usize, found: i128, cols: usize },
    /// The matrix has more columns than an index can name.
    #[error("{cols} columns do not fit 32-bit indices; the limit is 4294967295")]
    TooWide { cols: usize },
}

/// The engine's result type.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A question, if there is one to ask.
fn question(meant: Option<&str>) -> String {
    meant.map_or_else(String::new, |meant| format!("did you mean {meant}? "))
}
