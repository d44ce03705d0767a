//! Rows of the Kullback–Leibler subproblem side by side, one in each lane.
//!
//! Rows of a dense X meet the same entries, hence share a panel. Laid across the lanes, sums over
//! entries need no sum over lanes, and one step serves all rows: where rows are short, that is most
//! of the work. A row comes out the same whatever rows stand beside it.

mod group;
mod products;

use super::super::hals::transpose;
use super::super::kl_divergence::{clear_nothings, kl_divergence};
use super::super::panel::lay_panel;
use super::super::simd::{self, Job, Simd};
use crate::factor::{Factor, View, ViewMut};
use crate::scalar::Scalar;
use group::Group;

/// Rows of X with what they meet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KlRows<'a, T> {
    /// Line t holds v_te for the entries e.
    pub(crate) panel: &'a [T],
    /// Elements between the starts of two lines.
    pub(crate) stride: usize,
    /// A row for each row: its entries, and their weights unless all are 1.
    pub(crate) x: View<'a, T>,
    pub(crate) weights: Option<View<'a, T>>,
    /// Whether entries are 0 where their weight is not 1.
    pub(crate) zero_or_one: bool,
    /// The linear cost of each component where nothing is weighed, Σ_e v_te; `l1` is added.
    pub(crate) u: &'a [T],
    pub(crate) l1: T,
    /// The quadratic cost of all components.
    pub(crate) quad: T,
}

/// Parts of the gradient for each row: Σ_e v_te c_e / p_e, and the linear cost if there are weights.
pub(crate) struct Slopes<'a, T> {
    pub(crate) num: ViewMut<'a, T>,
    pub(crate) den: ViewMut<'a, T>,
}

/// Improves the rows of `f` as [`super::improve`] does with one, tells the slopes if asked to, and then
/// returns Σ p·d(x, q) over all entries if it is `valued`, else 0.
pub(crate) fn improve_rows<T: Scalar>(
    rows: &KlRows<'_, T>,
    f: &mut ViewMut<'_, T>,
    slopes: Option<Slopes<'_, T>>,
    sweeps: usize,
    valued: bool,
) -> f64 {
    let (n, len, k) = (rows.x.rows(), rows.x.cols(), rows.u.len());
    assert!(f.rows() == n && f.cols() == k);
    let fits = |f: &ViewMut<'_, T>| f.rows() == n && f.cols() == k;
    assert!(slopes.as_ref().is_none_or(|s| fits(&s.num) && fits(&s.den)));
    assert!(rows.weights.is_none_or(|w| w.rows() == n && w.cols() == len));
    assert!(len <= rows.stride && rows.panel.len() >= k * rows.stride);
    simd::run(ImproveRows { rows, f: f.reborrow(), slopes, sweeps, valued })
}

struct ImproveRows<'a, T> {
    rows: &'a KlRows<'a, T>,
    f: ViewMut<'a, T>,
    slopes: Option<Slopes<'a, T>>,
    sweeps: usize,
    valued: bool,
}

impl<T: Scalar> Job<T> for ImproveRows<'_, T> {
    type Out = f64;

    #[inline(always)]
    unsafe fn run<S: Simd<T>>(self) -> f64 {
        let Self { rows, mut f, mut slopes, sweeps, valued } = self;
        let (k, len) = (rows.u.len(), rows.x.cols());
        let [entries, components] = [len, k].map(|n| n * S::LANES);
        let weighted = if rows.weights.is_some() { entries } else { 0 };
        let apart = if rows.zero_or_one { 0 } else { weighted };
        // No register crosses a cache line, and arrays that are walked together do not lie a whole
        // page apart, where a load waits for the store to the same place of another page.
        let sizes = [entries, components, entries, components, entries, components];
        let mut room = Factor::zeros(1, sizes.iter().sum::<usize>() + weighted + apart);
        let mut room = room.as_mut_slice();
        let mut part = |size| room.split_off_mut(..size).unwrap_or_default();
        let [c, own, p, u, ratio, num] = sizes.map(&mut part);
        let (weights, x) = (part(weighted), part(apart));
        let mut group = Group {
            panel: rows.panel,
            stride: rows.stride,
            quad: rows.quad,
            plain: true,
            c,
            pairs: Vec::new(),
            p,
            ratio,
            f: own,
            u,
            num,
        };
        group.cost::<S>(rows.u, rows.l1);
        let mut total = 0.0;
        for from in (0..f.rows()).step_by(S::LANES) {
            let range = from..f.rows().min(from + S::LANES);
            // SAFETY: the arrays hold LANES values for each entry or component; S is enabled.
            unsafe {
                lay::<T, S>(rows.x.slice(range.clone()), group.c);
                clear_nothings(group.c);
                if let Some(given) = rows.weights {
                    lay::<T, S>(given.slice(range.clone()), weights);
                    group.weigh::<S>(weights);
                    if let Some(Slopes { den, .. }) = &mut slopes {
                        lift::<T, S>(group.u, &mut den.slice(range.clone()));
                    }
                    group.charge::<S>(rows.l1, range.len());
                    if !rows.zero_or_one {
                        x.copy_from_slice(group.c);
                        group.c.iter_mut().zip(&*weights).for_each(|(c, &w)| *c *= w);
                    }
                }
                group.look::<S>();
                lay::<T, S>(f.as_view().slice(range.clone()), group.f);
                group.improve::<S>(sweeps, slopes.is_some());
                lift::<T, S>(group.f, &mut f.slice(range.clone()));
                if let Some(Slopes { num, .. }) = &mut slopes {
                    lift::<T, S>(group.num, &mut num.slice(range));
                }
            }
            if valued && slopes.is_some() {
                let x = if apart > 0 { &*x } else { &*group.c };
                total += kl_divergence(x, group.p, rows.weights.map(|_| &*weights));
            }
        }
        total
    }
}

/// The rows of a register across its lanes: `to[j · LANES + i] = from[i, j]`.
///
/// # Safety
/// `to` has LANES values for each column, `from` no more than LANES rows; S is enabled.
#[inline(always)]
unsafe fn lay<T: Scalar, S: Simd<T>>(from: View<'_, T>, to: &mut [T]) {
    // SAFETY: the caller's; lines are one register.
    unsafe { lay_panel::<T, S>(from, to, S::LANES) }
}

/// The lanes back to rows, those that exist: `to[i, j] = from[j · LANES + i]`.
///
/// # Safety
/// `from` has LANES values for each column, `to` no more than LANES rows; S is enabled.
#[inline(always)]
unsafe fn lift<T: Scalar, S: Simd<T>>(from: &[T], to: &mut ViewMut<'_, T>) {
    for j in (0..to.cols()).step_by(S::LANES) {
        let n = (to.cols() - j).min(S::LANES);
        // SAFETY: reads n vectors inside `from`, writes n values of rows that exist.
        unsafe {
            let mut v = [S::splat(T::ZERO); 16];
            for (at, v) in v.iter_mut().enumerate().take(n) {
                *v = S::load(from.as_ptr().add((j + at) * S::LANES));
            }
            transpose::<T, S>(&mut v);
            for (i, v) in v.iter().enumerate().take(to.rows()) {
                let at = to.as_mut_ptr().add(i * to.stride() + j);
                if n == S::LANES { S::store(at, *v) } else { S::store_part(at, n, *v) }
            }
        }
    }
}
