//! One file per command.

mod claims;
mod export;
mod fit;
mod inspect;
mod model;
mod tools;
mod transform;
mod verify;

use crate::args::{Cli, Command};
use crate::failure::Failure;

/// Does what was asked.
pub(crate) fn run(cli: &Cli) -> Result<(), Failure> {
    match &cli.command {
        Command::Fit(args) => fit::run(args),
        Command::Transform(args) => transform::run(args),
        Command::Inspect(args) => inspect::run(args),
        Command::Verify(args) => verify::run(args),
        Command::Export(args) => export::run(args),
        Command::Completions(args) => tools::completions(args),
        Command::Man(args) => tools::man(args),
        Command::Version(args) => tools::version(args),
    }
}
