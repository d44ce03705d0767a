//! Files that nobody would write, for every reader: an error or a matrix that keeps its promises, never a
//! panic, a hang, or more memory than allowed.
//!
//! Inputs are made from seeds by changes that know what a format is made of, and then by changes of bytes.
//! The same seed makes the same inputs. `cargo xtask fuzz` runs the targets, each in processes of its own
//! with a limit on their memory; what brought one down is left in `target/fuzz/found`. Inputs in
//! `corpus/TARGET` come first in every run: what was found once stays there.

mod bytes;
mod corpus;
mod promises;
mod random;
mod targets;

pub use corpus::corpus;
pub use random::Random;
pub use targets::{TARGETS, Target};

/// What became of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Read, and what was read keeps its promises.
    Read,
    /// Refused with an error.
    Refused,
}
