//! `partwise`: non-negative matrix factorization of a file.
//!
//! What was typed ([`args`]) becomes what will be done ([`plan`]: outputs are opened first), then a
//! command runs and ends in an exit code. Everything that can go wrong is one [`failure::Failure`].

mod about;
mod args;
mod beside;
mod commands;
mod components;
mod failure;
mod interrupt;
mod json;
mod load;
mod matching;
mod number;
mod plan;
mod print;
mod progress;
mod report;
mod start;
mod text;
mod weigh;

use std::process::ExitCode;

fn main() -> ExitCode {
    // Also a command line that cannot be parsed must answer in JSON when asked to.
    let json = std::env::args_os().any(|arg| arg == "--json");
    interrupt::install(json);
    failure::guard(json, || commands::run(&args::parse()?)).into()
}
