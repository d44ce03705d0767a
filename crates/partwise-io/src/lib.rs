//! Files in and out: matrices, factors, models.
//!
//! The reader is [`read`], the writers are [`write_npy`], [`write_npz`] and [`write_text`] into an [`OutputFile`],
//! and a fit is kept as a [`Model`].
//!
//! [`read`] takes a matrix from `.npy`, `.npz` (SciPy sparse or one dense array), Matrix Market, or
//! delimited text, plain or gzipped. The kind is told by the content, never by the name. Every
//! reader follows the same rules:
//!
//! - a size that a file *claims* is compared with the bytes that are there, and with a memory
//!   limit, before anything of that size is allocated;
//! - nothing is executed, unpickled or extracted;
//! - an [`Error`] says where, what was found, what was expected; a [`Notice`] says what was accepted
//!   but might surprise.
//!
//! ```
//! use partwise_io::{ReadOptions, read_from};
//!
//! let csv = b"gene,a,b\nTP53,1,0\nBRCA1,2.5,3\n".to_vec();
//! let table = read_from(csv, "counts.csv", &ReadOptions::default())?;
//! assert_eq!((table.rows, table.cols), (2, 2));
//! assert_eq!(table.row_names.as_deref(), Some(&["TP53".to_string(), "BRCA1".to_string()][..]));
//! # Ok::<(), partwise_io::Error>(())
//! ```
#![forbid(unsafe_code)]

mod apply;
mod arrange;
mod columns;
mod error;
mod format;
mod gz;
mod kinds;
mod lines;
mod memory;
mod model;
mod mtx;
mod names;
mod notice;
mod npy;
mod npz;
mod numbers;
mod output;
mod parse;
mod read;
mod sentinel;
mod sparse;
mod table;
mod text;
mod write;

pub use columns::Columns;
pub use error::{Error, Place, SparseFault};
pub use format::Format;
pub use model::{Entries, Factor, FactorValues, Fingerprint, Model, Origin, Penalties, Weighing};
pub use notice::Notice;
pub use numbers::{DType, Numbers, Rounding};
pub use output::{OutputFile, OutputFolder, abandon_outputs, commit_all};
pub use read::{ReadOptions, Switch, read, read_from};
pub use table::{Layout, Order, Table, Values};
pub use write::{Element, Named, OutputFormat, TextStyle, label, write_npy, write_npz, write_text};
