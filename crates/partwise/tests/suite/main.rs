//! The tests of the engine through its public face.
//!
//! One program, because every program that uses the engine compiles its generic code again.

#![allow(clippy::unwrap_used)]

mod bad_data;
mod common;
mod completion;
mod conformance;
mod digest;
mod explained;
mod faults;
mod figures;
mod golden;
mod halting;
mod hidden;
mod identities;
mod losses;
mod metamorphic;
mod missing;
mod observe;
mod online;
mod options;
mod oracles;
mod penalties;
mod plain;
mod ranges;
mod recovery;
mod reference;
mod refusals;
mod regressions;
mod robust;
mod sources;
mod sparse;
mod stopped;
mod svd_start;
mod transform;
mod until;
mod weights;
