//! How much memory the process can still have.

use numpy::{Element, PyArray1, PyArrayMethods};
use pyo3::exceptions::{PyMemoryError, PyOSError};
use pyo3::prelude::*;

/// Raises MemoryError if this process cannot have so many bytes more.
#[pyfunction]
pub(crate) fn check_memory(what: &str, needed: &Bound<'_, PyAny>) -> PyResult<()> {
    // What no integer of the machine can hold, no memory can.
    check(what, needed.extract().unwrap_or(u128::MAX))
}

/// Whether this process can have so many bytes more.
pub(crate) fn check(what: &str, needed: u128) -> PyResult<()> {
    /// Bytes about which nobody is asked.
    const FEW: u128 = 32 << 20;
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

/// The exception for a thread that could not be started: MemoryError if there is no room for one.
pub(crate) fn no_thread(error: &std::io::Error) -> PyErr {
    /// Bytes of the stack of a thread, as the standard library makes it, and as much for what it begins with.
    const THREAD: u64 = 4 << 20;
    match partwise_memory::most() {
        Some(most) if most < THREAD => PyMemoryError::new_err(format!(
            "a thread would need {THREAD} bytes; the limit is {most} bytes"
        )),
        _ => PyOSError::new_err(format!("cannot start a thread: {error}")),
    }
}

/// Room for so many values; MemoryError if it cannot be had.
pub(crate) fn room<V>(what: &str, count: usize) -> PyResult<Vec<V>> {
    let mut room = Vec::new();
    let size = size_of::<V>();
    check(what, (count as u128).saturating_mul(size as u128))?;
    let refused =
        |_| PyMemoryError::new_err(format!("{what}: no room for {count} values of {size} B"));
    room.try_reserve_exact(count).map_err(refused)?;
    Ok(room)
}

/// Values as an array of its own; MemoryError if there is no room for it.
#[allow(unsafe_code)]
pub(crate) fn vector<V: Element + Copy>(
    py: Python<'_>,
    values: impl ExactSizeIterator<Item = V>,
) -> PyResult<Bound<'_, PyArray1<V>>> {
    let shape = (values.len(), numpy::dtype::<V>(py));
    let array = py.import("numpy")?.call_method1("zeros", shape)?.cast_into::<PyArray1<V>>()?;
    // SAFETY: nobody else has this array yet.
    if let Ok(places) = unsafe { array.as_slice_mut() } {
        places.iter_mut().zip(values).for_each(|(place, value)| *place = value);
    }
    Ok(array)
}
