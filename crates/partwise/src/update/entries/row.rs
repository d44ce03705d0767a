//! The entries of one row, laid out as the kernels for single rows want them.

use super::Held;
use crate::kernel::panel::{gather_panel, padded};
use crate::matrix::{Layout, Observations};
use crate::scalar::Scalar;

/// Scratch for one row; everything is as long as its entries, padded with zeros.
#[derive(Default)]
pub(super) struct Row<T> {
    pub(super) len: usize,
    /// The entries, or their weights times them.
    pub(super) x: Vec<T>,
    pub(super) p: Option<Vec<T>>,
    panel: Vec<T>,
    /// Room for two values of each entry.
    work: (Vec<T>, Vec<T>),
}

impl<T: Scalar> Row<T> {
    /// Takes row `i` of a block, and gathers what it meets of the factor held.
    pub(super) fn load(&mut self, block: &Observations<T>, i: usize, held: &Held<'_, T>) {
        let (x, p) = block.entries(i);
        self.len = x.len();
        let width = padded(self.len);
        if let Layout::Listed { .. } = block.layout {
            let indices = &block.indices[block.indptr[i]..block.indptr[i + 1]];
            self.panel.resize(held.f.cols() * width, T::ZERO);
            gather_panel(held.f, indices, &mut self.panel, width);
        }
        self.work.0.resize(width, T::ZERO);
        self.work.1.resize(width, T::ZERO);
        self.x.clear();
        self.x.extend_from_slice(x);
        self.x.resize(width, T::ZERO);
        self.p = p.map(|p| {
            let mut own = self.p.take().unwrap_or_default();
            own.clear();
            own.extend_from_slice(p);
            own.resize(width, T::ZERO);
            own
        });
    }

    /// Multiplies the entries by their weights.
    pub(super) fn weigh(&mut self) {
        if let Some(p) = &self.p {
            self.x.iter_mut().zip(p).for_each(|(x, &p)| *x *= p);
        }
    }

    /// Lends the room for two values of each entry, until it is given back.
    pub(super) fn take_work(&mut self) -> (Vec<T>, Vec<T>) {
        std::mem::take(&mut self.work)
    }

    /// Takes the room back.
    pub(super) fn give_back(&mut self, first: Vec<T>, second: Vec<T>) {
        self.work = (first, second);
    }

    /// The panel that the row meets, and the distance between its lines.
    pub(super) fn panel<'a>(&'a self, held: &'a Held<'_, T>) -> (&'a [T], usize) {
        if held.across.rows() > 0 {
            (held.across.as_slice(), held.across.stride())
        } else {
            (&self.panel, padded(self.len))
        }
    }
}
