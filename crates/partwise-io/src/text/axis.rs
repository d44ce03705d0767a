//! What a line of numbers is beside those below it: a count, an axis, or numbers like the others.

use super::header::AXIS_COLUMNS;

/// The same as [`AXIS_COLUMNS`] where an axis has no equal steps: five
/// numbers are in order by chance once in 60.
const UNEVEN_COLUMNS: usize = 5;

/// Whether numbers count up by one from `first`.
pub(super) fn counts_from(names: &[f64], first: f64) -> bool {
    names.iter().zip(0u32..).all(|(name, at)| *name == first + f64::from(at))
}

/// Whether a row counts as the first line does, or on from it.
pub(super) fn counts_on(names: &[f64], row: &[f64]) -> bool {
    row.first().is_some_and(|first| row.len() == names.len() && counts_from(row, *first))
}

/// Whether the data go on as the first line counts: by rows, as multiples or sums do, or down the
/// first column, as in a table of distances, which may hold the first line.
pub(super) fn goes_on(names: &[f64], rows: &[Vec<f64>]) -> bool {
    let even = |row: &Vec<f64>| steps(row).is_some_and(|step| step != 0.0);
    let by_rows = rows.iter().filter(|row| even(row)).count();
    let first = names.first().copied().unwrap_or_default();
    let down =
        rows.iter().zip(1u32..).all(|(row, at)| row.first() == Some(&(first + f64::from(at))));
    let beside = || rows.iter().map_while(|row| row.first());
    let mirrored = rows.len() + 1 == names.len() && names.iter().skip(1).eq(beside());
    (names.len() > 2 && by_rows * 2 > rows.len()) || ((down || mirrored) && rows.len() > 1)
}

/// The step of a sequence with equal ones: exactly where all are whole, else to a sixth of it, for
/// 9.99, 9.95, 9.90 are rounded.
fn steps(row: &[f64]) -> Option<f64> {
    let (first, last) = (row.first()?, row.last()?);
    let count = u32::try_from(row.len().checked_sub(1)?).ok()?;
    let step = (last - first) / f64::from(count.max(1));
    let loose = if row.iter().all(|v| v.fract() == 0.0) { 0.0 } else { step.abs() / 6.0 };
    let near = |pair: &[f64]| ((pair[1] - pair[0]) - step).abs() <= loose;
    (count > 0 && step.is_finite() && row.windows(2).all(near)).then_some(step)
}

/// What the numbers of a first line are beside those below it.
pub(super) struct Contrast {
    pub(super) monotone: bool,
    /// Whether its steps are equal.
    pub(super) even: bool,
    /// Whether it holds whole numbers and the data mostly do not, or the other way round.
    pub(super) whole: bool,
    /// Whether all of it is above or below all the data.
    pub(super) disjoint: bool,
    /// Whether it is so by a factor of two.
    pub(super) far: bool,
    /// Whether most rows of the data are as ordered as it is.
    pub(super) like_rows: bool,
    pub(super) years: bool,
    /// Whether it counts years, of which the data hold next to none.
    pub(super) consecutive_years: bool,
}

impl Contrast {
    pub(super) fn of(names: &[f64], rows: &[Vec<f64>]) -> Self {
        let values = || rows.iter().flatten().copied().filter(|v| v.is_finite());
        let least = |all: &mut dyn Iterator<Item = f64>| all.fold(f64::INFINITY, f64::min);
        let most = |all: &mut dyn Iterator<Item = f64>| all.fold(f64::NEG_INFINITY, f64::max);
        let (low, high) = (least(&mut names.iter().copied()), most(&mut names.iter().copied()));
        let disjoint = low > most(&mut values()) || high < least(&mut values());
        let far = low > 2.0 * most(&mut values()) || 2.0 * high < least(&mut values());
        let is_whole = |v: f64| v.fract() == 0.0;
        let whole_values = values().filter(|v| is_whole(*v)).count();
        let count = values().count();
        let whole = if names.iter().all(|v| is_whole(*v)) {
            whole_values * 2 < count
        } else {
            count > 0 && whole_values == count
        };
        let up = names.first() < names.last();
        let alike = |row: &&Vec<f64>| {
            row.windows(2).all(|pair| if up { pair[0] <= pair[1] } else { pair[0] >= pair[1] })
        };
        let ordered = rows.iter().filter(alike).count();
        let monotone = names.len() > 1 && is_ordered(names, |a, b| a < b);
        let in_years = names.iter().all(|v| is_whole(*v) && (1500.0..=2200.0).contains(v));
        let year = |v: f64| is_whole(v) && (1900.0..=2100.0).contains(&v);
        let in_data = values().filter(|v| year(*v)).count();
        let by_year = steps(names).is_some_and(|step| step.abs() == 1.0);
        Self {
            consecutive_years: names.len() > 2
                && by_year
                && names.iter().all(|v| year(*v))
                && in_data * 10 <= count,
            monotone,
            even: steps(names).is_some_and(|step| step != 0.0),
            whole,
            disjoint: disjoint && count > 0,
            far: far && count > 0,
            like_rows: ordered * 2 > rows.len(),
            years: monotone && in_years && disjoint && count > 0,
        }
    }

    /// Whether the first line is an axis and the data are of another kind.
    pub(super) fn is_axis(&self, columns: usize) -> bool {
        // Far and of another kind, rows in order do not count against it.
        if self.even && self.whole && self.disjoint {
            return true;
        }
        let enough = self.even || columns >= UNEVEN_COLUMNS || (self.whole && self.disjoint);
        // Three numbers are above all others and in order by chance.
        let apart = if columns < UNEVEN_COLUMNS { self.far } else { self.disjoint };
        self.monotone && !self.like_rows && enough && (self.whole || apart)
    }

    /// Whether the first line is in order as an axis is, and the data do not go on so.
    pub(super) fn may_be_axis(&self, names: &[f64], rows: &[Vec<f64>]) -> bool {
        let whole = names.iter().all(|v| v.fract() == 0.0);
        let regular = self.even || self.disjoint || (whole && names.len() > AXIS_COLUMNS);
        // One row of small counts in three is in order.
        let common = names.len() <= AXIS_COLUMNS && counts_from(names, 1.0) && !self.disjoint;
        // Far from all others, it is doubtful even where rows are in order too.
        let alone = self.far || !self.like_rows;
        self.monotone && regular && !common && alone && !goes_on(names, rows)
    }
}

/// Whether each number is before the next, all upwards or all downwards.
pub(super) fn is_ordered(row: &[f64], before: impl Fn(f64, f64) -> bool) -> bool {
    row.windows(2).all(|pair| before(pair[0], pair[1]))
        || row.windows(2).all(|pair| before(pair[1], pair[0]))
}
