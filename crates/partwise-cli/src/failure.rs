//! Everything that can end a command early: one code, one exit code, one line of text.

use crate::interrupt::Signal;
use crate::text::bytes;
use crate::{json, print};
use clap::error::ErrorKind;
use partwise::{Loss, Rule};
use partwise_io::Place;
use serde::Serialize;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

/// Why a command could not do what was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What was typed is no command line, or asks for help.
    CommandLine(Box<clap::Error>),
    /// Options that do not fit together or the data.
    Usage(String),
    /// The engine refused the data or the options. `cell` is what the file calls the place.
    Engine { error: Box<partwise::Error>, file: String, cell: Option<String> },
    /// A file could not be read or written.
    Io(partwise_io::Error),
    /// Data that can be read but not used.
    Data { code: &'static str, text: String, at: Option<(usize, usize)> },
    /// A model that does not belong to the data, or claims what is not so.
    Mismatch(String),
    /// How a fit ended is not what was wanted; its result has been given.
    Outcome { code: &'static str, exit: u8, text: String },
    /// A signal. `kept` tells of a fit whether it has given factors.
    Ended { signal: Signal, kept: Option<bool> },
    /// A bug.
    Internal(String),
}

/// Exit codes, stable.
mod exit {
    pub(super) const USAGE: u8 = 2;
    pub(super) const DATA: u8 = 3;
    pub(super) const FILE: u8 = 4;
    pub(super) const RESOURCE: u8 = 5;
    pub(super) const MODEL: u8 = 8;
    pub(super) const INTERNAL: u8 = 70;
}

/// Where something is wrong, as far as it is known.
#[derive(Debug, Default, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct At {
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    col: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    byte: Option<u64>,
}

impl From<partwise_io::Error> for Failure {
    fn from(error: partwise_io::Error) -> Self {
        Self::Io(error)
    }
}

impl Failure {
    /// The stable code.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::CommandLine(_) | Self::Usage(_) => "E-USAGE",
            Self::Engine { error, .. } => engine_code(error).0,
            Self::Io(error) => error.code(),
            Self::Data { code, .. } | Self::Outcome { code, .. } => code,
            Self::Mismatch(_) => "E-MODEL",
            Self::Ended { .. } => "E-INTERRUPT",
            Self::Internal(_) => "E-INTERNAL",
        }
    }

    /// The exit code of the program.
    pub(crate) fn exit(&self) -> u8 {
        match self {
            Self::CommandLine(error) if error.exit_code() == 0 => 0,
            Self::CommandLine(_) | Self::Usage(_) => exit::USAGE,
            Self::Engine { error, .. } => engine_code(error).1,
            Self::Io(error) => u8::try_from(error.exit_code()).unwrap_or(exit::INTERNAL),
            Self::Data { .. } => exit::DATA,
            Self::Outcome { exit, .. } => *exit,
            Self::Mismatch(_) => exit::MODEL,
            Self::Ended { signal, .. } => signal.exit(),
            Self::Internal(_) => exit::INTERNAL,
        }
    }

    /// One line: what, where, how many, what to do.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::CommandLine(error) => {
                let rendered = error.render().to_string();
                let on_one_line =
                    |part: &str| part.split_whitespace().collect::<Vec<_>>().join(" ");
                let said = rendered.split("\n\n").next().map(on_one_line).unwrap_or_default();
                let tips =
                    rendered.lines().map(on_one_line).filter(|line| line.starts_with("tip: "));
                let said = said.trim_start_matches("error: ").to_owned();
                std::iter::once(said).chain(tips).collect::<Vec<_>>().join("; ")
            }
            Self::Usage(text)
            | Self::Data { text, .. }
            | Self::Mismatch(text)
            | Self::Outcome { text, .. }
            | Self::Internal(text) => text.clone(),
            Self::Engine { error, file, cell } => match cell {
                Some(cell) => format!("{} ({cell})", engine_text(error, file)),
                None => engine_text(error, file),
            },
            Self::Io(error) => io_text(error),
            Self::Ended { signal, kept } => ended_text(*signal, *kept),
        }
    }

    /// The signal that ended the program.
    pub(crate) fn signal(&self) -> Option<Signal> {
        if let Self::Ended { signal, .. } = self { Some(*signal) } else { None }
    }

    fn at(&self) -> At {
        match self {
            Self::Engine { error, .. } => engine_place(error).map_or(At::default(), cell_of),
            Self::Data { at: Some(place), .. } => cell_of(*place),
            Self::Io(error) => io_place(error),
            _ => At::default(),
        }
    }

    /// Tells standard error, and standard output too if JSON is wanted.
    pub(crate) fn tell(&self, json: bool) -> u8 {
        match self {
            Self::CommandLine(error) if error.exit_code() == 0 => {
                // Help and version. A closed standard output is no error here either.
                let _ = print::out(&error.render().to_string());
                return 0;
            }
            Self::CommandLine(error) => print::err(command_line(error).trim_end()),
            _ => print::err(&format!("error[{}]: {}", self.code(), self.text())),
        }
        // An outcome has given its object together with its result.
        if json && !matches!(self, Self::Outcome { .. } | Self::Ended { kept: Some(true), .. }) {
            let _ = print::out(&json::failure(self, self.at()));
        }
        self.exit()
    }
}

/// Runs the program: every failure is told, and a panic is one line and an exit code like any other.
pub(crate) fn guard(json: bool, run: impl FnOnce() -> Result<(), Failure>) -> u8 {
    static PLACE: OnceLock<String> = OnceLock::new();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|l| format!(" at {}:{}", l.file(), l.line()));
        PLACE.get_or_init(|| place.unwrap_or_default());
    }));
    let result = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        Err(Failure::Internal(format!(
            "a bug in partwise {}{}, please report it: {}",
            env!("CARGO_PKG_VERSION"),
            PLACE.get().map_or("", String::as_str),
            crate::text::escaped(&text)
        )))
    });
    result.map_or_else(|failure| failure.tell(json), |()| 0)
}

fn cell_of((row, col): (usize, usize)) -> At {
    At { row: Some(row as u64), col: Some(col as u64), ..At::default() }
}

/// Row and column that an error of the engine is about.
pub(crate) fn engine_place(error: &partwise::Error) -> Option<(usize, usize)> {
    use partwise::Error as E;
    match *error {
        E::Negative { row, col, .. }
        | E::NotFinite { row, col, .. }
        | E::ZeroEntry { row, col, .. }
        | E::Unreached { row, col, .. }
        | E::Beyond { row, col, .. }
        | E::Start { row, col, .. } => Some((row, col)),
        _ => None,
    }
}

/// Code and exit code of the engine's errors.
fn engine_code(error: &partwise::Error) -> (&'static str, u8) {
    use partwise::Error as E;
    match error {
        E::Negative { .. } => ("E-NEG", exit::DATA),
        E::NotFinite { value, .. } if value.is_nan() => ("E-NAN", exit::DATA),
        E::NotFinite { .. } => ("E-INF", exit::DATA),
        E::Empty { .. } => ("E-EMPTY", exit::DATA),
        E::Weight { .. } | E::AllMissing => ("E-DATA", exit::DATA),
        E::ZeroEntry { .. } => ("E-ZERO", exit::DATA),
        E::Beyond { .. } => ("E-DATA", exit::DATA),
        E::Shape { what: "W" | "H", .. } | E::Unreached { .. } => ("E-INIT", exit::DATA),
        E::Shape { .. } => ("E-SHAPE", exit::DATA),
        E::Start { .. } | E::ZeroStart { .. } => ("E-INIT", exit::DATA),
        E::MissingFactor { .. } | E::Option { .. } | E::Unknown { .. } | E::Conflict { .. } => {
            ("E-USAGE", exit::USAGE)
        }
        E::Bare { .. } => ("E-USAGE", exit::USAGE),
        E::Sparse(_) => ("E-SPARSE", exit::DATA),
        E::Memory { .. } | E::Threads { .. } => ("E-RESOURCE", exit::RESOURCE),
        E::Source { .. } => ("E-FILE", exit::FILE),
        _ => ("E-INTERNAL", exit::INTERNAL),
    }
}

/// Negative numbers that stand for missing values in many files.
const CODES: [f64; 6] = [-99.0, -999.0, -9999.0, -99999.0, -999.9, -999.99];

fn engine_text(error: &partwise::Error, file: &str) -> String {
    use partwise::Error as E;
    match error {
        E::Memory { what, how, needed, limit } => format!(
            "{what} would need {} ({how}); the limit is {}: lower --rank or raise --memory-limit",
            bytes(*needed),
            bytes(*limit)
        ),
        // Options are named as they are typed.
        E::Option { option, value, needed } => {
            format!("--{} = {value} is out of range: {needed}", option.replace('_', "-"))
        }
        E::Conflict { first, second, reason } => {
            let first = first.replace('_', "-").replace(" = ", " ");
            let rules = second.strip_prefix("loss ").map_or_else(String::new, rules_for);
            format!("--{first} cannot be combined with {second}: {reason}{rules}")
        }
        E::NotFinite { value, .. } if value.is_nan() => {
            format!("{file}: {error}; --missing nan takes NaN for missing")
        }
        E::Negative { most, .. } if CODES.contains(most) => format!(
            "{file}: {error}; if {most} stands for a missing value: --na {most} --missing nan"
        ),
        E::MissingFactor { .. } | E::Unknown { .. } | E::Source { .. } | E::Threads { .. } => {
            error.to_string()
        }
        E::Bare { .. } => error.to_string(),
        _ => format!("{file}: {error}"),
    }
}

fn ended_text(signal: Signal, kept: Option<bool>) -> String {
    let when = match kept {
        Some(true) => "; the best factors so far were kept",
        Some(false) => " before there were any factors",
        None => "",
    };
    match signal {
        Signal::Interrupt => format!("interrupted{when} ({signal})"),
        _ => format!("ended by {signal}{when}"),
    }
}

/// Which rules minimise a loss.
fn rules_for(loss: &str) -> String {
    let Ok(loss) = loss.parse::<Loss>() else { return String::new() };
    let rules = Rule::ALL.iter().filter(|rule| rule.supports(loss)).map(|rule| rule.name());
    format!("; {} do", rules.collect::<Vec<_>>().join(", "))
}

fn io_text(error: &partwise_io::Error) -> String {
    use partwise_io::Error as E;
    match error {
        E::At { file, error } => format!("{file}: {}", io_text(error)),
        E::Kept { cause, kept } => {
            let names: Vec<String> =
                kept.iter().map(|(_, name)| crate::text::escaped(name)).collect();
            format!("{}; the results were kept as {}", io_text(cause), names.join(", "))
        }
        E::Io { action: "create the output", cause } if cause.kind() == io::ErrorKind::NotFound => {
            "cannot create the output: there is no such folder; make it first".into()
        }
        E::Exists => "the file exists; give another name, or --force to overwrite it".into(),
        E::Resource { what, needed, limit } => format!(
            "{what} needs {}, the limit is {}; raise --memory-limit if the file is right",
            bytes(*needed),
            bytes(u128::from(*limit))
        ),
        E::Missing { place, found, count } => format!(
            "{place}missing value {found}, the first of {count}; fill or remove them, or give \
             --missing nan"
        ),
        _ => error.to_string(),
    }
}

fn io_place(error: &partwise_io::Error) -> At {
    use partwise_io::Error as E;
    match error {
        E::At { error, .. } => io_place(error),
        E::Format { place, .. }
        | E::Length { place, .. }
        | E::Type { place, .. }
        | E::Shape { place, .. }
        | E::Data { place, .. }
        | E::Missing { place, .. }
        | E::Model { place, .. } => match place {
            Place::Byte(byte) => At { byte: Some(*byte), ..At::default() },
            Place::Line(line) => At { line: Some(*line), ..At::default() },
            Place::Field { line, field } => {
                At { line: Some(*line), field: Some(*field), ..At::default() }
            }
            _ => At::default(),
        },
        _ => At::default(),
    }
}

/// The text of the command line parser, under the code that all errors have.
fn command_line(error: &clap::Error) -> String {
    let rendered = error.render().to_string();
    match error.kind() {
        // The help stands in for an error here.
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => rendered,
        _ => rendered.replacen("error:", "error[E-USAGE]:", 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_exit_code_like_any_other() {
        assert_eq!(guard(false, || panic!("a test of the guard")), 70);
        assert_eq!(guard(false, || Ok(())), 0);
    }
}
