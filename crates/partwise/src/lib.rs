//! Non-negative matrix factorization: X ≈ W·H with every entry ≥ 0.
//!
//! ```
//! use partwise::{Dense, Options, Order, fit};
//!
//! let x = Dense::new(4, 3, Order::RowMajor, vec![1.0, 2.0, 0.0, 2.0, 4.0, 0.0, 0.0, 1.0, 3.0, 0.0, 2.0, 6.0])?;
//! let fit = fit(x, &Options { rank: 2, ..Options::default() })?;
//! assert!(fit.relative_error < 1e-3);
//! println!("{}: error {:.1e}, KKT {:.1e}", fit.status, fit.relative_error, fit.kkt.residual());
//! # Ok::<(), partwise::Error>(())
//! ```
//!
//! Every method alternates two half steps, and a half step needs little of X. So the engine is one
//! loop (`fit`), rules that improve one factor while the other is held ([`update`]), starts
//! ([`init`]), and kinds of X behind one trait ([`matrix`]). A fit ends with a [`Status`] and a
//! certificate, the scale-free KKT residual ([`metric::Kkt`]); `tol` is that residual for every rule.

#![warn(missing_docs)]

mod error;
mod factor;
mod fit;
pub mod init;
mod kernel;
mod loss;
pub mod matrix;
mod memory;
pub mod metric;
mod names;
mod penalty;
mod project;
mod rng;
mod scalar;
mod spare;
mod threads;
pub mod update;
pub mod verify;
mod warning;

pub use error::{Error, Result, SparseError};
pub use factor::{Factor, View, ViewMut};
pub use fit::{
    Fit, Measured, Observer, Online, OnlineOptions, Options, Progress, Record, Restart, Silent,
    Statistics, Status, Step, SvdStart, Transform, Transformed, Until, fit, fit_observed, measure,
    svd_start, transform, transform_told,
};
pub use init::Start;
pub use kernel::simd::instruction_set;
pub use loss::Loss;
pub use matrix::{Csc, Csr, Dense, Input, Order, Side};
pub use penalty::Penalty;
pub use scalar::Scalar;
pub use update::Rule;
pub use warning::Warning;
