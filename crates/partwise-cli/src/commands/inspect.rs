//! `partwise inspect`.

use crate::about::{About, Kind};
use crate::args;
use crate::failure::Failure;
use crate::json::{self, Matrix};
use crate::load::{self, Loaded};
use crate::number::{self, Number, with_number};
use crate::report::{self, Remarks, Report};
use crate::text::{self, bytes, short};
use partwise::matrix::Scan;
use partwise::{Error, Input, Options};
use partwise_io::Table;
use serde::Serialize;

/// Reads, looks, tells.
pub(crate) fn run(args: &args::Inspect) -> Result<(), Failure> {
    let table = load::table(&args.input, args.missing, None, args.memory)?;
    let single = number::single(args::DTypeChoice::Auto, table.numbers().dtype());
    with_number!(single, inspect(args, table))
}

fn inspect<T: Number>(args: &args::Inspect, table: Table) -> Result<(), Failure> {
    let Loaded { x, mut about } =
        load::matrix_by_storage::<T>(table, load::name(&args.input.file), args.missing.nan)?;
    let mut remarks = Remarks::default();
    remarks.notices.append(&mut about.notices);
    remarks.warnings.append(&mut about.warnings);
    let scan = look(&x).map_err(|e| about.blame(e))?;
    let scan = if about.kind == Kind::ByColumns { scan.transposed() } else { scan };
    let found = Found::new(&scan, &about, args.rank.map(|k| fit_memory(k, &x)));
    if args.show.json {
        let Remarks { notices, warnings } = &remarks;
        let answer = Answer { x: (&about).into(), found, notices, warnings, exit_code: 0 };
        return report::say(&json::line(&answer));
    }
    let mut report = Report::default();
    report.line("file", &about.name);
    report.matrix(&about);
    found.tell(&mut report, &about, args.rank);
    report.tell(args.show, &remarks)
}

/// Looks at every entry.
fn look<T: Number>(x: &Input<'_, T>) -> Result<Scan, Error> {
    match x {
        Input::Dense(x) => Scan::of(x),
        Input::Csr(x) => Scan::of(x),
        _ => Err(Error::Source { reason: format!("{} cannot be looked at", x.kind()) }),
    }
}

/// Bytes that a fit of rank `k` needs beside X: what the engine itself would compare with a limit.
fn fit_memory<T: Number>(k: usize, x: &Input<'_, T>) -> u128 {
    Options::<T> { rank: k, ..Options::default() }.bytes(x)
}

#[derive(Serialize)]
struct Answer<'a> {
    x: Matrix<'a>,
    #[serde(flatten)]
    found: Found,
    notices: &'a [String],
    warnings: &'a [String],
    exit_code: u8,
}

/// An entry that a fit refuses.
#[derive(Serialize, Clone, Copy)]
struct Entry {
    row: usize,
    col: usize,
    /// As text, for it may be NaN.
    #[serde(serialize_with = "as_text")]
    value: f64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn as_text<S: serde::Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

#[derive(Serialize)]
struct Zeros {
    count: usize,
    first: Vec<usize>,
}

#[derive(Serialize)]
struct Found {
    min: f64,
    max: f64,
    norm: f64,
    zero_rows: Zeros,
    zero_columns: Zeros,
    negative: usize,
    first_negative: Option<Entry>,
    most_negative: Option<Entry>,
    /// Entries that are NaN, where that means missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<usize>,
    not_finite: usize,
    first_not_finite: Option<Entry>,
    accepted: bool,
    x_bytes: u64,
    fit_bytes: Option<u64>,
}

impl Found {
    fn new(scan: &Scan, about: &About, fit_bytes: Option<u128>) -> Self {
        let entry = |(row, col, value)| Entry { row, col, value };
        let zeros = |nonzero: &[bool]| {
            let at = nonzero.iter().enumerate().filter(|(_, n)| !**n).map(|(i, _)| i);
            Zeros { count: at.clone().count(), first: at.take(3).collect() }
        };
        // What is missing is no zero, though it was taken for one to be looked at.
        let counted = about.nonzero + if about.blank { about.nan } else { 0 };
        let all_positive =
            about.nonzero > 0 && counted as f64 >= about.rows as f64 * about.cols as f64;
        let least = if all_positive { scan.min_positive } else { 0.0 };
        Self {
            min: scan.negative.map_or(least, |(_, _, most)| most.2),
            max: scan.max,
            norm: scan.norm_sq.sqrt(),
            zero_rows: zeros(&scan.row_nonzero),
            zero_columns: zeros(&scan.col_nonzero),
            negative: scan.negative.map_or(0, |(count, ..)| count),
            first_negative: scan.negative.map(|(_, first, _)| entry(first)),
            most_negative: scan.negative.map(|(_, _, most)| entry(most)),
            missing: about.blank.then_some(about.nan),
            not_finite: scan.not_finite.map_or(0, |(count, _)| count),
            first_not_finite: scan.not_finite.map(|(_, first)| entry(first)),
            accepted: scan.check().is_ok(),
            x_bytes: about.bytes(),
            fit_bytes: fit_bytes.map(|b| u64::try_from(b).unwrap_or(u64::MAX)),
        }
    }

    fn tell(&self, report: &mut Report, about: &About, rank: Option<usize>) {
        report.line("range", &format!("{} … {}", short(self.min), short(self.max)));
        report.line("norm", &format!("‖X‖ = {}", short(self.norm)));
        let named = |names: &Option<Vec<String>>, what: &str| match names {
            Some(names) => format!("{what} '{}' …", crate::text::escaped(&names[0])),
            None => format!("no {what} names"),
        };
        let names = [named(&about.row_names, "row"), named(&about.col_names, "column")].join(", ");
        report.line("names", &names);
        let zeros = |zeros: &Zeros, what: &str| match &zeros.first[..] {
            [] => format!("no zero {what}"),
            first => {
                let first: Vec<String> = first.iter().map(ToString::to_string).collect();
                let what = if zeros.count == 1 { what.trim_end_matches('s') } else { what };
                format!("{} zero {what} (first: {})", zeros.count, first.join(", "))
            }
        };
        let zeros =
            [zeros(&self.zero_rows, "rows"), zeros(&self.zero_columns, "columns")].join(", ");
        report.line("zeros", &zeros);
        self.tell_verdict(report, about);
        let x = format!("X takes {}", bytes(u128::from(self.x_bytes)));
        let memory = match (rank, self.fit_bytes) {
            (Some(k), Some(fit)) => {
                format!("{x}, a fit of rank {k} at most {} more", bytes(u128::from(fit)))
            }
            _ => x,
        };
        report.line("memory", &memory);
    }

    /// What a fit would refuse, or leave out.
    fn tell_verdict(&self, report: &mut Report, about: &About) {
        let entry = |e: Entry| format!("X[{}, {}] = {}", e.row, e.col, e.value);
        if let (Some(first), Some(most)) = (self.first_negative, self.most_negative) {
            let (first, most) = (entry(first), entry(most));
            let entries = text::either(self.negative, "entry", "entries");
            let text = format!("{entries}, first {first}, most negative {most}");
            report.line("negative", &text);
        }
        if let Some(first) = self.first_not_finite {
            report.line(
                "not finite",
                &format!(
                    "{}, first {}",
                    text::either(self.not_finite, "entry", "entries"),
                    entry(first)
                ),
            );
        }
        if let Some(missing) = self.missing {
            let share = missing as f64 / (about.rows as f64 * about.cols as f64);
            let share = crate::text::percent(share);
            let entries = text::either(missing, "entry is", "entries are");
            report.line("missing", &format!("{entries} NaN ({share})"));
        }
        let takes = match self.missing {
            Some(1..) => "takes X with --missing nan",
            _ => "takes X as it is",
        };
        let verdict = if self.accepted { takes } else { "would refuse X" };
        report.line("fit", verdict);
    }
}
