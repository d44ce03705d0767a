//! `partwise completions`, `partwise man` and `partwise --version`.

use crate::args::{self, Cli};
use crate::failure::Failure;
use crate::report;
use clap::{Command, CommandFactory, ValueEnum};
use clap_complete::{Generator, Shell};
use partwise_io::{Error, OutputFile};
use std::io::Write;
use std::path::Path;

const NAME: &str = "partwise";

/// Writes completions.
pub(crate) fn completions(args: &args::Completions) -> Result<(), Failure> {
    let shells = args.shell.map_or(Shell::value_variants().to_vec(), |shell| vec![shell]);
    let texts = shells.into_iter().map(|shell| {
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), NAME, &mut text);
        (shell.file_name(NAME), text)
    });
    deliver(texts.collect(), args.dir.as_deref())
}

/// Writes manual pages.
pub(crate) fn man(args: &args::Man) -> Result<(), Failure> {
    let mut command = Cli::command();
    command.build();
    let commands: Vec<Command> = match (args.page.as_deref(), &args.dir) {
        (None | Some(NAME), None) => vec![command],
        (None, Some(_)) => {
            let others: Vec<Command> = subcommands(&command).cloned().collect();
            [command].into_iter().chain(others).collect()
        }
        (Some(name), _) => {
            let found = subcommands(&command).find(|command| command.get_name() == name);
            vec![found.cloned().ok_or_else(|| unknown(name, &command))?]
        }
    };
    let pages = commands.into_iter().map(|command| {
        let name = command.get_display_name().unwrap_or(NAME).to_owned();
        let page = clap_mangen::Man::new(command.version(env!("CARGO_PKG_VERSION")));
        let mut text = Vec::new();
        page.render(&mut text).map_err(|cause| Error::Io { action: "write the page", cause })?;
        Ok((format!("{name}.1"), text))
    });
    deliver(pages.collect::<Result<_, Error>>()?, args.dir.as_deref())
}

/// Tells what program this is.
pub(crate) fn version(args: &args::Version) -> Result<(), Failure> {
    let mut text = format!("{NAME} {}\n", env!("CARGO_PKG_VERSION"));
    if args.verbose {
        let (commit, target) = (env!("PARTWISE_COMMIT"), env!("PARTWISE_TARGET"));
        let instructions = partwise::instruction_set();
        text += &format!("commit: {commit}\ntarget: {target}\n");
        text += &format!("instruction set: {instructions}\n");
    }
    report::say(&text)
}

fn subcommands(command: &Command) -> impl Iterator<Item = &Command> {
    let shown = |command: &&Command| !(command.is_hide_set() || command.get_name() == "help");
    command.get_subcommands().filter(shown)
}

fn unknown(name: &str, command: &Command) -> Failure {
    let names: Vec<&str> = subcommands(command).map(Command::get_name).collect();
    let name = crate::text::escaped(name);
    Failure::Usage(format!("there is no command '{name}'; commands are {}", names.join(", ")))
}

/// Into files of a folder, or to standard output.
fn deliver(texts: Vec<(String, Vec<u8>)>, folder: Option<&Path>) -> Result<(), Failure> {
    let Some(folder) = folder else {
        let all: Vec<u8> = texts.into_iter().flat_map(|(_, text)| text).collect();
        return report::say(&String::from_utf8_lossy(&all));
    };
    let name = folder.to_string_lossy().into_owned();
    std::fs::create_dir_all(folder).map_err(|cause| {
        let error = Box::new(Error::Io { action: "make the folder", cause });
        Error::At { file: name, error }
    })?;
    let files = texts.into_iter().map(|(name, text)| {
        let path = folder.join(name);
        let mut file = OutputFile::create(&path, true, &[])?;
        file.write_all(&text).map_err(|cause| {
            let error = Box::new(Error::Io { action: "write", cause });
            Error::At { file: path.to_string_lossy().into_owned(), error }
        })?;
        Ok(file)
    });
    partwise_io::commit_all(files.collect::<Result<_, Error>>()?)?;
    Ok(())
}
