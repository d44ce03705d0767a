//! One file per command.

mod fit;
mod inspect;
mod model;
mod transform;
mod verify;

use crate::args::{Cli, Command};
use crate::failure::Failure;
use crate::interrupt;

/// Does what was asked.
pub(crate) fn run(cli: &Cli) -> Result<(), Failure> {
    interrupt::install();
    match &cli.command {
        Command::Fit(args) => fit::run(args),
        Command::Transform(args) => transform::run(args),
        Command::Inspect(args) => inspect::run(args),
        Command::Verify(args) => verify::run(args),
    }
}
