//! How much memory the process can still have.

use pyo3::exceptions::PyMemoryError;
use pyo3::prelude::*;

/// Raises MemoryError if this process cannot have so many bytes more.
#[pyfunction]
pub(crate) fn check_memory(what: &str, needed: &Bound<'_, PyAny>) -> PyResult<()> {
    /// Bytes about which nobody is asked.
    const FEW: u128 = 32 << 20;
    // What no integer of the machine can hold, no memory can.
    let needed = needed.extract().unwrap_or(u128::MAX);
    if needed <= FEW {
        return Ok(());
    }
    match partwise_memory::most() {
        Some(most) if needed > u128::from(most) => Err(PyMemoryError::new_err(format!(
            "{what} would need {needed} bytes; the limit is {most} bytes"
        ))),
        _ => Ok(()),
    }
}
