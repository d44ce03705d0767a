//! What a user should know about a result that is nevertheless a result.

/// A remark about a fit; values, not text, so that every front end can show them its own way.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum Warning {
    /// Rows of X that are zero throughout, or, where entries are weighed or missing, in all that
    /// counts; the same rows of W are exactly zero.
    ZeroRows { count: usize, of: usize, first: Vec<usize>, weighed: bool },
    /// Columns of X of which the same holds; the same columns of H are exactly zero.
    ZeroColumns { count: usize, of: usize, first: Vec<usize>, weighed: bool },
    /// Components that died and were started again from the row that fits worst.
    Reseeded { count: usize },
    /// Components that are zero at the end, though nothing was charged for them.
    DeadComponents { count: usize, of: usize },
    /// Components that are zero at the end since the penalties charge more than they explain.
    EmptiedComponents { count: usize, of: usize },
    /// One factor is charged and the other is not: a smaller one of `charged` and a larger one of `free`
    /// give the same W·H for less, without end.
    OneSidedPenalty { charged: &'static str, free: &'static str },
    /// The rank exceeds what the shape of X can need.
    RankAboveShape { rank: usize, rows: usize, cols: usize },
    /// Zeros in the start can never change under this rule.
    LockedZeros { count: usize, rule: &'static str },
    /// Zeros in the start were raised by a roundoff, under a loss where they could be infinite.
    RaisedZeros { count: usize },
    /// Duplicate entries of a sparse X were summed in a private copy.
    DuplicatesSummed { count: usize },
    /// Nearly every entry of a sparse X is stored.
    DenseInSparse { density: f64 },
    /// Entries too small for the scale of the largest were taken for zero.
    Underflow { count: usize, largest: f64 },
    /// A restart ended in numerical trouble and was left out.
    FailedRestart { restart: usize },
    /// A start that was given was so far from the size of X that numbers would have left their range: W was
    /// multiplied by 2^`w`, H by 2^`h`.
    StartScaled { w: i32, h: i32 },
    /// A step came to a value that is not finite: it was taken back, and the rule `safer` went on.
    StepTakenBack { rule: &'static str, safer: &'static str },
    /// Rows of X that have entries missing and whose observed ones do not determine their rows of W: `few`
    /// of them have fewer than components, of the others the equations are nearly singular.
    UndeterminedRows { count: usize, few: usize, of: usize, first: Vec<usize>, rank: usize },
    /// Columns of X of which the same holds for their columns of H.
    UndeterminedColumns { count: usize, few: usize, of: usize, first: Vec<usize>, rank: usize },
    /// Missing entries, `of` how many, for which W·H is far larger than any entry of X that counts: `most`,
    /// where X has at most `largest`.
    FarPredictions { count: usize, of: usize, most: f64, largest: f64 },
    /// The time was up before there was a start: the factors are those given, or random.
    NotBegun,
    /// A rule without a guarantee raised the objective on the way; the best iterate was kept.
    Rose { times: usize, rule: &'static str },
}

impl Warning {
    /// Whether it changes what the factors mean, so that whoever uses them has to know. The others tell
    /// what X is like, or how the fit went.
    pub const fn is_of_the_result(&self) -> bool {
        matches!(
            self,
            Self::Reseeded { .. }
                | Self::DeadComponents { .. }
                | Self::EmptiedComponents { .. }
                | Self::OneSidedPenalty { .. }
                | Self::FailedRestart { .. }
                | Self::FarPredictions { .. }
                | Self::NotBegun
        )
    }
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotBegun => f.write_str(
                "the time was up before the fit began: W and H are as given, or random where they were \
                 not, and nothing about them was measured",
            ),
            Self::ZeroRows { count, of, first, weighed } => {
                write!(
                    f,
                    "{count} of {of} rows of X {} {} (first: {}); {} zero",
                    are(*count),
                    zero(*weighed),
                    list(first),
                    counted(*count, "its row of W is", "their rows of W are")
                )
            }
            Self::ZeroColumns { count, of, first, weighed } => {
                write!(
                    f,
                    "{count} of {of} columns of X {} {} (first: {}); {} zero",
                    are(*count),
                    zero(*weighed),
                    list(first),
                    counted(*count, "its column of H is", "their columns of H are")
                )
            }
            Self::Reseeded { count } => {
                write!(
                    f,
                    "components that died on the way and began again from the row that fits worst: {count}"
                )
            }
            Self::DeadComponents { count, of } => {
                write!(
                    f,
                    "{count} of {of} components {} zero: X does not need {}; try a smaller rank",
                    are(*count),
                    counted(*count, "it", "them")
                )
            }
            Self::EmptiedComponents { count, of } => {
                let (are, they) = (are(*count), counted(*count, "it explains", "they explain"));
                write!(
                    f,
                    "{count} of {of} components {are} zero: the penalties charge more than {they}; smaller penalties keep more"
                )
            }
            Self::OneSidedPenalty { charged, free } => {
                write!(
                    f,
                    "{charged} is charged and {free} is not: a smaller {charged} and a larger {free} give the same product for less, so the penalty holds nothing down; charge both"
                )
            }
            Self::RankAboveShape { rank, rows, cols } => {
                write!(
                    f,
                    "rank {rank} exceeds min({rows}, {cols}): X can be matched exactly, so the parts mean little"
                )
            }
            Self::LockedZeros { count, rule } => {
                let zeros = counted(*count, "zero", "zeros");
                write!(f, "{count} {zeros} of the start can never change under the rule {rule}")
            }
            Self::RaisedZeros { count } => {
                let zeros = counted(*count, "zero of the start was", "zeros of the start were");
                write!(f, "{count} {zeros} raised to a roundoff of the row")
            }
            Self::DuplicatesSummed { count } => {
                let entries = counted(*count, "entry of X was", "entries of X were");
                write!(f, "{count} duplicate {entries} summed (in a private copy)")
            }
            Self::DenseInSparse { density } => {
                write!(f, "density {density:.2}: X stored dense would be faster")
            }
            Self::Underflow { count, largest } => {
                write!(
                    f,
                    "{count} {} too small beside the largest ({largest:e}) and {} taken for zero",
                    counted(*count, "entry is", "entries are"),
                    counted(*count, "was", "were")
                )
            }
            Self::StartScaled { w, h } => {
                write!(
                    f,
                    "the start is so far from the size of X that numbers would leave their range; it was brought nearer: W times 2^{w}, H times 2^{h}"
                )
            }
            Self::StepTakenBack { rule, safer } => {
                write!(
                    f,
                    "a step of the rule {rule} came to a value that is not finite: it was taken back, and {safer} went on from the iterate before it"
                )
            }
            Self::FailedRestart { restart } => {
                write!(f, "restart {restart} ended in numerical trouble and was left out")
            }
            Self::UndeterminedRows { count, few, of, first, rank } => {
                undetermined(f, "rows", (*count, *few, *of), first, *rank)
            }
            Self::UndeterminedColumns { count, few, of, first, rank } => {
                undetermined(f, "columns", (*count, *few, *of), first, *rank)
            }
            Self::FarPredictions { count, of, most, largest } => {
                write!(
                    f,
                    "{count} of {of} missing entries are predicted far outside X: up to {most:.4}, where X has at most {largest}; {CURE}"
                )
            }
            Self::Rose { times, rule } => {
                write!(
                    f,
                    "the objective rose {times} {}: {rule} has no guarantee; the best iterate was kept",
                    counted(*times, "time", "times")
                )
            }
        }
    }
}

fn counted<'a>(count: usize, one: &'a str, many: &'a str) -> &'a str {
    if count == 1 { one } else { many }
}

fn are(count: usize) -> &'static str {
    counted(count, "is", "are")
}

/// What helps where the observed entries leave too much open.
const CURE: &str = "a smaller rank or a larger ridge (w_l2, h_l2) holds predictions down";

fn undetermined(
    f: &mut std::fmt::Formatter<'_>,
    what: &str,
    (count, few, of): (usize, usize, usize),
    first: &[usize],
    rank: usize,
) -> std::fmt::Result {
    let first = list(first);
    write!(
        f,
        "what is observed of {count} of {of} {what} of X (first: {first}) does not determine their part: "
    )?;
    match (few, count - few) {
        (few, 0) => write!(f, "{few} have fewer entries than the rank {rank}")?,
        (0, rest) => write!(f, "the equations of {rest} are nearly singular")?,
        (few, rest) => write!(
            f,
            "{few} have fewer entries than the rank {rank}, the equations of {rest} are nearly singular"
        )?,
    }
    write!(f, "; {CURE}")
}

fn zero(weighed: bool) -> &'static str {
    if weighed { "zero in every entry that counts, if any does" } else { "all zero" }
}

fn list(indices: &[usize]) -> String {
    indices.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
