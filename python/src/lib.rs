//! What Python sees of the engine: `partwise._native`.
//!
//! Arrays are borrowed ([`data`]), the fit runs on a thread of its own while the caller's thread
//! looks for signals and calls back ([`run`]), and every entry is guarded against panics
//! ([`guard`]). The Python package around this module decides what else is accepted as X.

#![allow(
    missing_docs,
    reason = "a cdylib has no Rust callers; the Python docstrings are beside each item"
)]

mod data;
mod error;
mod factors;
mod fit;
mod guard;
mod memory;
mod online;
mod options;
mod pool;
mod result;
mod run;
mod score;
mod sparse;
mod start;
mod weights;

use pyo3::prelude::*;
use pyo3::types::IntoPyDict;

#[pymodule]
mod _native {
    use super::*;

    #[pymodule_export]
    use super::error::InternalError;
    #[pymodule_export]
    use super::fit::fit;
    #[pymodule_export]
    use super::guard::_panic_for_test;
    #[pymodule_export]
    use super::memory::check_memory;
    #[pymodule_export]
    use super::online::Online;
    #[pymodule_export]
    use super::options::supports;
    #[pymodule_export]
    use super::result::Fit;
    #[pymodule_export]
    use super::score::{transform, verify};
    #[pymodule_export]
    use super::start::svd_start;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        guard::install();
        pool::remember_process();
        let rules = partwise::Rule::ALL.iter().map(|r| (r.name(), r.about()));
        let starts = partwise::Start::ALL.iter().map(|s| (s.name(), s.about()));
        module.add("RULES", rules.into_py_dict(module.py())?)?;
        let losses = partwise::Loss::named();
        module.add("LOSSES", losses.into_py_dict(module.py())?)?;
        module.add("STARTS", starts.into_py_dict(module.py())?)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
