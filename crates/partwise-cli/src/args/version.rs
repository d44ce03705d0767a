//! `--version`, which is the same wherever it stands.

use super::{Cli, Command, Version};
use clap::error::{Error, ErrorKind};
use clap::{CommandFactory, Parser};
use std::ffi::OsString;

/// Takes `--version` anywhere for the command that tells it; any other command line is parsed as it
/// is.
///
/// Commands have no versions of their own, and `--verbose` may stand before or behind.
pub(super) fn or_parse(line: &[OsString]) -> Result<Cli, Error> {
    let (verbose, rest): (Vec<_>, Vec<_>) =
        line.iter().cloned().partition(|word| word == "--verbose");
    let verbose = !verbose.is_empty();
    match Cli::try_parse_from(rest) {
        Err(error) if error.kind() == ErrorKind::DisplayVersion => {
            Ok(Cli { command: Command::Version(Version { verbose }), verbose })
        }
        _ if verbose => Cli::try_parse_from(line).and_then(|cli| {
            if !cli.verbose {
                return Ok(cli);
            }
            let text = "--verbose goes with --version: partwise --version --verbose";
            Err(Cli::command().error(ErrorKind::MissingRequiredArgument, text))
        }),
        parsed => parsed,
    }
}
