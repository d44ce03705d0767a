//! What makes the command at home on a machine: completions and manual pages.

use clap::Args;
use clap_complete::Shell;
use std::path::PathBuf;

/// Write completions for a shell.
///
/// For bash, they are found if saved as partwise in ~/.local/share/bash-completion/completions; for
/// zsh, as _partwise in a folder of $fpath; for fish, as partwise.fish in ~/.config/fish/completions.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  partwise completions bash > partwise.bash
  partwise completions --dir completions")]
pub(crate) struct Completions {
    /// The shell; standard output is written to.
    #[arg(required_unless_present = "dir")]
    pub(crate) shell: Option<Shell>,

    /// Write a file for the shell, or for every shell, into this folder, replacing what is there.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

/// Write the manual page of a command.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  partwise man > partwise.1
  partwise man fit > partwise-fit.1
  partwise man --dir man")]
pub(crate) struct Man {
    /// The command, such as fit; the page of partwise itself by default.
    #[arg(value_name = "COMMAND")]
    pub(crate) page: Option<String>,

    /// Write a file for the command, or for every command, into this folder, replacing what is there.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

/// Tell the version: the same as --version.
#[derive(Debug, Args)]
pub(crate) struct Version {
    /// Also commit, target and the instruction set in use.
    #[arg(long)]
    pub(crate) verbose: bool,
}
