//! What a call will allocate, compared with what there is before any of it is.
//!
//! An allocation that fails ends the process, and one that the system promises and cannot keep does so
//! later. So whatever depends on a rank or a shape is counted first: bounds from above, which hold for
//! every rule and start (`tests/memory.rs` compares them with what is allocated).

use crate::error::{Error, Result};
use crate::factor::Factor;
use crate::scalar::Scalar;

/// Bytes up to which nobody is asked: the question takes longer than a small fit.
const UNASKED: u128 = 32 << 20;

/// Whether `needed` bytes are within the limit, or without one within what the process can have.
///
/// # Errors
/// [`Error::Memory`].
pub(crate) fn check(
    what: &'static str,
    needed: u128,
    limit: Option<u64>,
    how: impl FnOnce() -> String,
) -> Result<()> {
    if limit.is_none() && needed <= UNASKED {
        return Ok(());
    }
    let limit = limit.map_or_else(most, u128::from);
    if needed > limit {
        return Err(Error::Memory { what, how: how(), needed, limit });
    }
    Ok(())
}

/// Room for as many values, if it can be had.
///
/// # Errors
/// [`Error::Memory`].
pub(crate) fn room<V>(what: &'static str, count: usize) -> Result<Vec<V>> {
    let mut room = Vec::new();
    grow(what, &mut room, count)?;
    Ok(room)
}

/// So many of a value, if there is room for them.
///
/// # Errors
/// [`Error::Memory`].
pub(crate) fn filled<V: Clone>(what: &'static str, count: usize, value: V) -> Result<Vec<V>> {
    let mut all = room(what, count)?;
    all.resize(count, value);
    Ok(all)
}

/// A copy, if there is room for it.
///
/// # Errors
/// [`Error::Memory`].
pub(crate) fn copy<V: Copy>(what: &'static str, values: &[V]) -> Result<Vec<V>> {
    let mut all = room(what, values.len())?;
    all.extend_from_slice(values);
    Ok(all)
}

/// Room for `count` values altogether beside those that are there, if it can be had.
///
/// # Errors
/// [`Error::Memory`].
pub(crate) fn grow<V>(what: &'static str, values: &mut Vec<V>, count: usize) -> Result<()> {
    if count <= values.capacity() {
        return Ok(());
    }
    let needed = times([count, size_of::<V>()]);
    let how = || format!("{count} values of {} B", size_of::<V>());
    check(what, needed, None, how)?;
    let refused = |_| Error::Memory { what, how: how(), needed, limit: most() };
    values.try_reserve_exact(count - values.len()).map_err(refused)
}

/// Bytes that there can be. No vector is longer than half of the addresses.
fn most() -> u128 {
    partwise_memory::most().map_or(u128::from(u64::MAX / 4), u128::from)
}

/// The product, as large as it may be.
pub(crate) fn times<const N: usize>(factors: [usize; N]) -> u128 {
    factors.into_iter().fold(1, |all, factor| all.saturating_mul(factor as u128))
}

/// The sum, as large as it may be.
pub(crate) fn sum<const N: usize>(terms: [u128; N]) -> u128 {
    terms.into_iter().fold(0, u128::saturating_add)
}

impl<T: Scalar> Factor<T> {
    /// All zeros, if there is room for them.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn try_zeros(rows: usize, cols: usize) -> Result<Self> {
        check("a factor", Self::bytes(rows, cols), None, || {
            format!("{rows} × {cols}, {}", T::NAME)
        })?;
        Self::zeros_in(rows, cols, |lines, count| grow("a factor", lines, count))
    }

    /// A copy, if there is room for it.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn try_clone(&self) -> Result<Self> {
        let mut copy = Self::try_zeros(self.rows(), self.cols())?;
        copy.as_mut_slice().copy_from_slice(self.as_slice());
        Ok(copy)
    }

    /// Bytes of a factor of this shape.
    pub(crate) fn bytes(rows: usize, cols: usize) -> u128 {
        times([rows, Self::padded(cols.min(usize::MAX - 64)), size_of::<T>()]).saturating_add(64)
    }
}
