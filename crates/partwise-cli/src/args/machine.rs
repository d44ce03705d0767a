//! What of the machine is used, by options or by variables of the environment.

use crate::failure::Failure;
use crate::text;
use clap::Args;

const THREADS: &str = "PARTWISE_THREADS";
const MEMORY_LIMIT: &str = "PARTWISE_MEMORY_LIMIT";

/// How much memory.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Memory {
    /// Most memory to use, such as 500M or 4G; by default PARTWISE_MEMORY_LIMIT, or else three
    /// quarters of what is free, and for a file 250 times its length.
    #[arg(long, value_name = "BYTES", value_parser = text::bytes_limit, help_heading = "Machine")]
    #[arg(allow_negative_numbers = true)]
    pub(crate) memory_limit: Option<u64>,
}

/// How many threads.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Threads {
    /// Threads; by default PARTWISE_THREADS, or else one for each core, as with 0. The result is
    /// the same for any number.
    #[arg(long, value_name = "N", help_heading = "Machine")]
    #[arg(value_parser = text::whole::<usize>)]
    #[arg(allow_negative_numbers = true)]
    pub(crate) threads: Option<usize>,
}

impl Memory {
    /// Takes the variable where no option was given.
    pub(super) fn or_variable(&mut self) -> Result<(), Failure> {
        if self.memory_limit.is_none() {
            self.memory_limit = variable(MEMORY_LIMIT, text::bytes_limit)?;
        }
        Ok(())
    }
}

impl Threads {
    /// Takes the variable where no option was given.
    pub(super) fn or_variable(&mut self) -> Result<(), Failure> {
        if self.threads.is_none() {
            self.threads = variable(THREADS, text::whole)?;
        }
        Ok(())
    }
}

/// What a variable of the environment says; nothing if it is empty.
fn variable<V>(name: &str, read: fn(&str) -> Result<V, String>) -> Result<Option<V>, Failure> {
    let Some(value) = std::env::var_os(name).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let value = value.to_string_lossy();
    read(value.trim()).map(Some).map_err(|expected| {
        let value = text::escaped(&value);
        Failure::Usage(format!("the variable {name} is '{value}': {expected}; mend or unset it"))
    })
}
