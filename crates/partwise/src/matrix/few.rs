//! X as a list of its observed entries, where they are few.

use super::csr::arrays;
use super::observations::{Hidden, Layout, Observations};
use super::{Csr, Data, Input, Need, Observed, Side, Weights};
use crate::error::{Error, Result};
use crate::factor::Factor;
use crate::memory;
use crate::scalar::Scalar;

/// Largest share of the entries that may be observed for them to be listed. On 2000 × 2000 with k = 5 and
/// 20 an iteration on a list of half the entries takes 0.4 to 0.8 of that on the array under the
/// Frobenius loss and β = 1.5, and about the same under KL. The list of half the entries takes 3/4 of
/// the memory of the array in `f64`.
const FEW: f64 = 0.5;

/// Observed entries of some rows, in order.
#[derive(Default)]
struct Listing<T> {
    ends: Vec<usize>,
    indices: Vec<u32>,
    values: Vec<T>,
    /// Beside them, if weights were given by entry.
    weights: Vec<T>,
}

impl<T: Scalar> Data<'_, T> {
    /// Where most entries are missing, leaves a sparse X of those observed, of which all others are
    /// absent: a pass then costs what they cost, however X is stored and whatever says what is
    /// missing. What cannot be read stays as it is, for the fit to report.
    pub(crate) fn list_few(&mut self) {
        if !self.may_be_few() {
            return;
        }
        // Weights of rows and columns stay what they are.
        let rows = self.weights.rows.take();
        let columns = self.weights.columns.take();
        if let Ok(Some((x, entries))) = self.listed() {
            let duplicates = self.x.duplicates();
            replace(&mut self.x, x.with_duplicates(duplicates));
            self.weights = Weights {
                entries: entries.map(Input::Csr),
                absent_missing: true,
                ..Weights::default()
            };
        }
        (self.weights.rows, self.weights.columns) = (rows, columns);
    }

    /// Whether so many entries can be missing, and X is in memory and no list of the others yet.
    fn may_be_few(&self) -> bool {
        let Weights { entries, hidden, nan_missing, absent_missing, .. } = &self.weights;
        let listed = *absent_missing || entries.as_ref().is_some_and(Input::is_sparse);
        let (rows, cols) = self.x.shape();
        if self.x.hands_out_rows()
            || (self.x.is_sparse() && listed)
            || u32::try_from(rows.max(cols)).is_err()
        {
            return false;
        }
        // Before a look at every entry: a sparse X may have far more than it stores.
        let every = rows as f64 * cols as f64;
        let hidden = hidden.as_ref().map_or(0, Csr::stored);
        let nan = if *nan_missing { self.x.stored() } else { 0 };
        entries.is_some() || (hidden + nan) as f64 >= (1.0 - FEW) * every
    }

    /// The observed entries and, if weights were given by entry, what each weighs; none if they are
    /// not few.
    fn listed(&self) -> Result<Option<Listed<T>>> {
        let (rows, cols) = self.x.shape();
        let by_rows = self.x.by(Side::Rows);
        let sparse = self.x.is_sparse();
        let seen = Observed::new(&*by_rows, (Side::Rows, sparse), &self.weights, Need::Every);
        let count = seen.in_parts(|count: &mut usize, block| {
            for at in 0..block.rows.len() {
                block.for_each_weighed(at, |_, _, _| *count += 1);
            }
        })?;
        let count: usize = count.into_iter().sum();
        if count as f64 > FEW * rows as f64 * cols as f64 {
            return Ok(None);
        }
        let weighed = self.weights.entries.is_some();
        // In parts first, then put together, and the places of weights once more.
        let entry = 2 * size_of::<T>() + 2 * size_of::<u32>();
        let ends = memory::times([4, rows, size_of::<usize>()]);
        let needed = memory::sum([memory::times([2, count, entry]), ends]);
        memory::check("a list of X", needed, None, || {
            format!("{count} observed entries of {rows} rows, {}", T::NAME)
        })?;
        let parts = seen.in_parts(|list: &mut Listing<T>, block| list.add(block, weighed))?;
        let mut all = Listing {
            ends: vec![0],
            indices: Vec::with_capacity(count),
            values: Vec::with_capacity(count),
            weights: Vec::with_capacity(if weighed { count } else { 0 }),
        };
        for part in parts {
            let before = all.indices.len();
            all.ends.extend(part.ends.iter().map(|end| before + end));
            all.indices.extend(part.indices);
            all.values.extend(part.values);
            all.weights.extend(part.weights);
        }
        let Listing { ends, indices, values, weights } = all;
        let is_one = weights.iter().all(|&w| w == T::ONE);
        let weights = (!is_one)
            .then(|| Csr::new((rows, cols), &ends, indices.clone(), weights))
            .transpose()?;
        Ok(Some((Csr::new((rows, cols), &ends, indices, values)?, weights)))
    }
}

/// X, and weights by entry.
type Listed<T> = (Csr<'static, T>, Option<Csr<'static, T>>);

impl<T: Scalar> Listing<T> {
    fn add(&mut self, block: &Observations<T>, weighed: bool) {
        for at in 0..block.rows.len() {
            block.for_each_weighed(at, |col, value, weight| {
                self.push(col, value);
                if weighed {
                    self.weights.push(weight);
                }
            });
            self.ends.push(self.indices.len());
        }
    }

    fn push(&mut self, col: usize, value: T) {
        // Who lists has looked at the number of columns.
        self.indices.push(col as u32);
        self.values.push(value);
    }
}

impl<T: Scalar> Weights<'_, T> {
    /// Hides the entries of an X of this shape for which `is_hidden(row, column)` holds, beside those
    /// hidden before. Kept is the shorter list, of what is hidden or of what is not.
    ///
    /// # Errors
    /// [`Error::Sparse`] if X has more than 2³² − 1 columns, [`Error::Memory`], and
    /// [`Error::Shape`] if what was hidden before is of another shape.
    pub fn hide(
        &mut self,
        (rows, cols): (usize, usize),
        is_hidden: impl Fn(usize, usize) -> bool,
    ) -> Result<()> {
        if let Some(before) = self.hidden.as_ref().filter(|before| before.shape() != (rows, cols)) {
            let (what, (found_rows, found_cols)) = ("the mask", before.shape());
            return Err(Error::Shape { what, found_rows, found_cols, rows, cols });
        }
        let before = |row| self.hidden.as_ref().map_or(&[][..], |hidden| hidden.row(row).0);
        let list = |hidden: bool, room| -> Result<Csr<'static, T>> {
            let (mut ends, mut indices, mut ones) = arrays(rows, room)?;
            for row in 0..rows {
                let before = before(row);
                indices.extend((0..cols as u32).filter(|j| {
                    hidden == (is_hidden(row, *j as usize) || before.binary_search(j).is_ok())
                }));
                ends.push(indices.len());
            }
            ones.resize(indices.len(), T::ONE);
            Csr::new((rows, cols), &ends, indices, ones)
        };
        let count = |row| {
            let before = before(row);
            let among = |col| u32::try_from(col).is_ok_and(|j| before.binary_search(&j).is_ok());
            (0..cols).filter(|&col| is_hidden(row, col) || among(col)).count()
        };
        let hidden: usize = (0..rows).map(count).sum();
        let shown = rows * cols - hidden;
        if self.entries.is_none() && shown < hidden {
            self.entries = Some(list(false, shown)?.into());
            self.hidden = None;
        } else {
            self.hidden = Some(list(true, hidden)?);
        }
        Ok(())
    }
}

impl<T: Scalar> Observations<T> {
    /// The same rows as a list, if they are dense and few of their entries are observed.
    pub(crate) fn few(&self) -> Option<Self> {
        let weights = self.dense_weights.as_ref()?;
        let count = weights.as_slice().iter().filter(|w| **w > T::ZERO).count();
        let few = count as f64 <= FEW * self.rows.len() as f64 * self.cols as f64;
        if self.layout != Layout::Dense || !few || u32::try_from(self.cols).is_err() {
            return None;
        }
        let mut list = Listing::default();
        list.add(self, !self.is_zero_or_one);
        let mut indptr = vec![0];
        indptr.extend(list.ends);
        Some(Self {
            layout: Layout::Listed { zeros: false },
            rows: self.rows.clone(),
            cols: self.cols,
            dense: Factor::zeros(0, self.cols),
            dense_weights: None,
            indptr,
            indices: list.indices,
            values: list.values,
            weights: (!self.is_zero_or_one).then_some(list.weights),
            hidden: Hidden { indptr: vec![0], indices: Vec::new(), weights: Vec::new() },
            row_weights: None,
            is_zero_or_one: self.is_zero_or_one,
        })
    }
}

/// Puts other values in the place of X, which can be left as before.
fn replace<'a, T: Scalar>(x: &mut Input<'a, T>, by: Csr<'a, T>) {
    match x {
        Input::Until(inner, _) => replace(inner, by),
        other => *other = Input::Csr(by),
    }
}
