//! Rows of the Kullback–Leibler subproblem side by side, one in each lane.
//!
//! Rows of a dense X meet the same entries, hence share a panel. Laid across the lanes, sums over
//! entries need no sum over lanes, and one step serves all rows: where rows are short, that is most
//! of the work. A row comes out the same whatever rows stand beside it.

mod group;

use super::super::hals::transpose;
use super::super::kl_divergence::kl_divergence;
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
    /// The linear cost of each component for each row, or for all of them, to which `l1` is added.
    pub(crate) u: View<'a, T>,
    pub(crate) l1: T,
    /// The quadratic cost of all components.
    pub(crate) quad: T,
}

/// Improves the rows of `f` as [`super::improve`] does with one, leaves Σ_e v_te c_e / p_e in `num` if
/// that is given, and then returns Σ p·d(x, q) over all entries if it is `valued`, else 0.
pub(crate) fn improve_rows<T: Scalar>(
    rows: &KlRows<'_, T>,
    f: &mut ViewMut<'_, T>,
    num: Option<&mut ViewMut<'_, T>>,
    sweeps: usize,
    valued: bool,
) -> f64 {
    let ((n, len), (m, k)) = ((rows.x.rows(), rows.x.cols()), (rows.u.rows(), rows.u.cols()));
    assert!(f.rows() == n && (m == n || m == 1) && f.cols() == k);
    assert!(num.as_ref().is_none_or(|num| num.rows() == n && num.cols() == k));
    assert!(rows.weights.is_none_or(|w| w.rows() == n && w.cols() == len));
    assert!(len <= rows.stride && rows.panel.len() >= k * rows.stride);
    let (f, num) = (f.reborrow(), num.map(ViewMut::reborrow));
    simd::run(ImproveRows { rows, f, num, sweeps, valued })
}

struct ImproveRows<'a, T> {
    rows: &'a KlRows<'a, T>,
    f: ViewMut<'a, T>,
    num: Option<ViewMut<'a, T>>,
    sweeps: usize,
    valued: bool,
}

impl<T: Scalar> Job<T> for ImproveRows<'_, T> {
    type Out = f64;

    #[inline(always)]
    unsafe fn run<S: Simd<T>>(self) -> f64 {
        let Self { rows, mut f, mut num, sweeps, valued } = self;
        let (k, len) = (rows.u.cols(), rows.x.cols());
        let [entries, components] = [len, k].map(|n| n * S::LANES);
        let weighted = if rows.weights.is_some() { entries } else { 0 };
        // No register crosses a cache line, and arrays that are walked together do not lie a whole
        // page apart, where a load waits for the store to the same place of another page.
        let sizes = [entries, components, entries, components, entries, components];
        let mut room = Factor::zeros(1, sizes.iter().sum::<usize>() + 2 * weighted);
        let mut room = room.as_mut_slice();
        let mut part = |size| room.split_off_mut(..size).unwrap_or_default();
        let [c, own, p, u, ratio, slopes] = sizes.map(&mut part);
        let (x, weights) = (part(weighted), part(weighted));
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
            num: slopes,
        };
        let alike = rows.u.rows() == 1;
        if alike {
            group.cost::<S>(rows.u.row(0), rows.l1);
        }
        let mut total = 0.0;
        for from in (0..f.rows()).step_by(S::LANES) {
            let range = from..f.rows().min(from + S::LANES);
            // SAFETY: the arrays hold LANES values for each entry or component; S is enabled.
            unsafe {
                let lay = |from: View<'_, T>, to: &mut [T]| lay_panel::<T, S>(from, to, S::LANES);
                lay(rows.x.slice(range.clone()), group.c);
                if let Some(given) = rows.weights {
                    lay(given.slice(range.clone()), weights);
                    x.copy_from_slice(group.c);
                    group.c.iter_mut().zip(&*weights).for_each(|(c, &w)| *c *= w);
                }
                group.look::<S>();
                lay(f.as_view().slice(range.clone()), group.f);
                if !alike {
                    lay(rows.u.slice(range.clone()), group.u);
                    group.charge::<S>(rows.l1, range.len());
                }
                group.improve::<S>(sweeps, num.is_some());
                lift::<T, S>(group.f, &mut f.slice(range.clone()));
                if let Some(num) = &mut num {
                    lift::<T, S>(group.num, &mut num.slice(range));
                }
            }
            if valued && num.is_some() {
                let given = rows.weights.map(|_| (&*x, &*weights));
                let (x, p) = given.map_or((&*group.c, None), |(x, w)| (x, Some(w)));
                total += kl_divergence(x, group.p, p);
            }
        }
        total
    }
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
