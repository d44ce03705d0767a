//! The rows of one register.

use super::super::reach::{lacking, least_of};
use super::super::step::{KAPPA, LEAST, SHALLOW, alone, step};
use crate::kernel::kl_divergence::nothing;
use crate::kernel::simd::Simd;
use crate::scalar::Scalar;

/// As many rows as there are lanes; all but the panel is laid across them.
pub(super) struct Group<'a, T> {
    pub(super) panel: &'a [T],
    pub(super) stride: usize,
    pub(super) quad: T,
    /// Whether every step has the usual form: u > 0 and quad = 0.
    pub(super) plain: bool,
    pub(super) c: &'a mut [T],
    /// Places in the first half of the entries where c is not 0 in all lanes, there or as far on in the
    /// second half.
    pub(super) pairs: Vec<usize>,
    /// Fitted values, while the sweeps run as [`super::super`] keeps them.
    pub(super) p: &'a mut [T],
    /// At the end c/p.
    pub(super) ratio: &'a mut [T],
    pub(super) f: &'a mut [T],
    pub(super) u: &'a mut [T],
    pub(super) num: &'a mut [T],
}

/// The last step: the line of its component, and by how much each row moved.
#[derive(Clone, Copy)]
struct Last<V> {
    line: usize,
    d: V,
    any: bool,
    /// Whether some row lost more than [`SHALLOW`] of a fitted value.
    deep: bool,
}

impl<T: Scalar> Group<'_, T> {
    /// Gives all lanes the same costs, `u` and `l1`.
    pub(super) fn cost<S: Simd<T>>(&mut self, u: &[T], l1: T) {
        for (lanes, &u) in self.u.chunks_mut(S::LANES).zip(u) {
            lanes.fill(u);
        }
        self.charge::<S>(l1, S::LANES);
    }

    /// Adds `l1` to the costs of the first `there` lanes, and gives the others one.
    pub(super) fn charge<S: Simd<T>>(&mut self, l1: T, there: usize) {
        self.plain = self.quad == T::ZERO;
        for u in self.u.chunks_mut(S::LANES) {
            u[..there].iter_mut().for_each(|u| *u += l1);
            u[there..].fill(T::ONE);
            self.plain &= u.iter().all(|u| *u > T::ZERO);
        }
    }

    /// Finds out where c is not 0.
    ///
    /// # Safety
    /// `c` holds LANES values for each entry, and S is enabled.
    #[inline(always)]
    pub(super) unsafe fn look<S: Simd<T>>(&mut self) {
        let half = self.c.len() / S::LANES / 2;
        self.pairs.clear();
        for e in 0..half {
            // SAFETY: entries below len.
            let most = unsafe {
                let c = |e: usize| S::load(self.c.as_ptr().add(e * S::LANES));
                S::peak(S::max(c(e), c(e + half)))
            };
            if most >= nothing() {
                self.pairs.push(e);
            }
        }
    }

    /// Leaves fitted values, c/p and `num` of the new f if they are `wanted`; else what is there means
    /// nothing.
    ///
    /// # Safety
    /// The arrays hold LANES values for each entry or component, the panel a line for each
    /// component; S is enabled.
    #[inline(always)]
    pub(super) unsafe fn improve<S: Simd<T>>(&mut self, sweeps: usize, wanted: bool) {
        // SAFETY: the caller's.
        unsafe {
            let (least, mut lost) = self.start::<S>();
            let mut last = Last { line: 0, d: S::splat(T::ZERO), any: false, deep: false };
            for _ in 0..sweeps {
                for t in 0..self.f.len() / S::LANES {
                    last = self.visit::<S>(t, last, least);
                    lost |= last.deep;
                }
            }
            if lost {
                self.dot::<S>();
                if self.mass::<S>().1 {
                    self.reach::<S>();
                }
            }
            if wanted {
                self.finish::<S>();
            }
        }
    }

    /// Σ c over entries with p > 0, and whether some entry of some lane has p = 0 < c.
    ///
    /// # Safety
    /// As [`improve`](Self::improve).
    #[inline(always)]
    unsafe fn mass<S: Simd<T>>(&self) -> (S::V, bool) {
        // SAFETY: whole vectors of the arrays.
        unsafe {
            let (zero, some) = (S::splat(T::ZERO), S::splat(nothing()));
            let near = S::splat(T::ONE / T::FAR);
            let (mut reached, mut missed) = (zero, zero);
            for at in (0..self.c.len()).step_by(S::LANES) {
                let c = S::load(self.c.as_ptr().add(at));
                let c = S::where_least(c, some, c, zero);
                let p = S::load(self.p.as_ptr().add(at));
                reached = S::add(reached, S::where_least(p, near, c, zero));
                missed = S::max(missed, S::where_least(p, near, zero, c));
            }
            (reached, S::peak(missed) > T::ZERO)
        }
    }

    /// As [`super::super::reach`], for every lane.
    #[cold]
    fn reach<S: Simd<T>>(&mut self) {
        for lane in 0..S::LANES {
            let u: Vec<T> = self.u.iter().skip(lane).step_by(S::LANES).copied().collect();
            let f: Vec<T> = self.f.iter().skip(lane).step_by(S::LANES).copied().collect();
            let least = least_of(&f);
            for (e, at) in (lane..self.c.len()).step_by(S::LANES).enumerate() {
                let line = |t: usize| self.panel[t * self.stride + e];
                if let Some((t, more)) = lacking((self.c[at], self.p[at]), &u, line, least) {
                    self.f[t * S::LANES + lane] += more;
                }
            }
        }
    }

    /// As [`super::super::start`]; rows of which no entry is reached become 0. The least that a component
    /// may be, and whether p is not what f makes of it.
    ///
    /// # Safety
    /// As [`improve`](Self::improve).
    #[inline(always)]
    unsafe fn start<S: Simd<T>>(&mut self) -> (S::V, bool) {
        // SAFETY: whole vectors of the arrays.
        unsafe {
            let (zero, one) = (S::splat(T::ZERO), S::splat(T::ONE));
            let (least, most) = (S::splat(T::TINY), S::splat(T::ONE / T::TINY));
            self.dot::<S>();
            let (mut reached, missed) = self.mass::<S>();
            if missed {
                self.reach::<S>();
                self.dot::<S>();
                reached = self.mass::<S>().0;
            }
            let mut ray = one;
            if self.quad == T::ZERO {
                let mut cost = zero;
                for at in (0..self.f.len()).step_by(S::LANES) {
                    let (u, f) = (self.u.as_ptr().add(at), self.f.as_ptr().add(at));
                    cost = S::fma(S::load(u), S::load(f), cost);
                }
                ray = S::div(reached, cost);
                ray = S::where_least(most, ray, ray, one);
            }
            ray = S::where_least(reached, least, ray, zero);
            let mut largest = zero;
            for at in (0..self.f.len()).step_by(S::LANES) {
                let f = self.f.as_mut_ptr().add(at);
                let value = S::mul(S::load(f), ray);
                largest = S::max(largest, value);
                S::store(f, value);
            }
            let (never, near) = (S::splat(T::FAR), S::splat(T::ONE / T::FAR));
            let (some, mut raised) = (S::splat(nothing()), zero);
            for at in (0..self.c.len()).step_by(S::LANES) {
                let p = self.p.as_mut_ptr().add(at);
                let c = S::load(self.c.as_ptr().add(at));
                let value = S::where_least(c, some, S::mul(S::load(p), ray), never);
                raised = S::max(raised, S::where_least(value, near, zero, one));
                S::store(p, S::max(value, near));
            }
            (S::mul(largest, S::splat(T::from_f64(LEAST))), S::peak(raised) > T::ZERO)
        }
    }

    /// Applies the last step to p, and steps along component t.
    ///
    /// # Safety
    /// t < k; else as [`improve`](Self::improve).
    #[inline(always)]
    unsafe fn visit<S: Simd<T>>(&mut self, t: usize, last: Last<S::V>, least: S::V) -> Last<S::V> {
        // SAFETY: the caller's.
        unsafe {
            let line = t * self.stride;
            let sums = match last {
                Last { any: false, .. } => self.sums::<S, false, false>(line, last),
                Last { deep: false, .. } => self.sums::<S, true, false>(line, last),
                _ => self.sums::<S, true, true>(line, last),
            };
            let at = t * S::LANES;
            let f = S::load(self.f.as_ptr().add(at));
            let next = if self.plain {
                next::<T, S>((f, least), sums, S::load(self.u.as_ptr().add(at)))
            } else {
                self.next_by_lane::<S>(at, sums, least)
            };
            S::store(self.f.as_mut_ptr().add(at), next);
            let one = S::splat(T::ONE);
            let d = S::fnma(one, f, next);
            let any = S::peak(S::max(d, S::fnma(one, next, f))) > T::ZERO;
            let lost = S::peak(S::fnma(d, sums[2], S::splat(T::ZERO)));
            // What is not a number is not shallow.
            let shallow = lost <= T::from_f64(SHALLOW);
            Last { line, d, any, deep: !shallow }
        }
    }

    /// f after the step of each lane by itself.
    ///
    /// # Safety
    /// S is enabled, `at` is the place of a component.
    #[cold]
    unsafe fn next_by_lane<S: Simd<T>>(&self, at: usize, sums: [S::V; 3], least: S::V) -> S::V {
        // SAFETY: no register has more than 16 lanes.
        unsafe {
            let mut lanes = [[T::ZERO; 16]; 3];
            for (lanes, &sum) in lanes.iter_mut().zip(&sums) {
                S::store(lanes.as_mut_ptr(), sum);
            }
            let (mut next, mut leasts) = ([T::ZERO; 16], [T::ZERO; 16]);
            S::store(leasts.as_mut_ptr(), least);
            for lane in 0..S::LANES {
                let (f, u) = (self.f[at + lane], self.u[at + lane]);
                let sums = lanes.map(|sum| sum[lane]);
                next[lane] = f + step((f, leasts[lane]), sums, (u, self.quad));
            }
            S::load(next.as_ptr())
        }
    }

    /// Σ c y, Σ c y² and the largest y along a line.
    ///
    /// # Safety
    /// As [`improve`](Self::improve), lines of the panel.
    #[inline(always)]
    unsafe fn sums<S: Simd<T>, const MOVED: bool, const DEEP: bool>(
        &mut self,
        line: usize,
        last: Last<S::V>,
    ) -> [S::V; 3] {
        let (c, len) = (self.c.as_ptr(), self.c.len() / S::LANES);
        let p = self.p.as_mut_ptr();
        // SAFETY: entries below len.
        unsafe {
            let (line, before) =
                (self.panel.as_ptr().add(line), self.panel.as_ptr().add(last.line));
            let (floor, near) = (S::splat(T::from_f64(T::ROUNDOFF)), S::splat(T::ONE / T::FAR));
            let fitted = |e: usize| {
                let p = p.add(e * S::LANES);
                let old = S::load(p);
                if !MOVED {
                    return old;
                }
                let new = S::fma(last.d, S::splat(*before.add(e)), old);
                let new = if DEEP { S::max(new, S::max(S::mul(floor, old), near)) } else { new };
                S::store(p, new);
                new
            };
            let add = |sums: [S::V; 3], e: usize, i: S::V| {
                let y = S::mul(S::splat(*line.add(e)), i);
                let cy = S::mul(S::load(c.add(e * S::LANES)), y);
                [S::add(sums[0], cy), S::fma(cy, y, sums[1]), S::max(sums[2], y)]
            };
            let mut sums = [[S::splat(T::ZERO); 3]; 2];
            let half = len / 2;
            for &e in &self.pairs {
                let (i, j) = S::inverses(fitted(e), fitted(e + half));
                sums = [add(sums[0], e, i), add(sums[1], e + half, j)];
            }
            if len % 2 == 1 {
                sums[0] = add(sums[0], len - 1, S::div(S::splat(T::ONE), fitted(len - 1)));
            }
            let [a, b] = sums;
            [S::add(a[0], b[0]), S::add(a[1], b[1]), S::max(a[2], b[2])]
        }
    }

    /// Fitted values, c/p (0 where p is), and `num`, for f as it is.
    ///
    /// # Safety
    /// As [`improve`](Self::improve).
    #[inline(always)]
    unsafe fn finish<S: Simd<T>>(&mut self) {
        // SAFETY: whole vectors of the arrays; lines below k.
        unsafe {
            self.dot::<S>();
            let (zero, least) = (S::splat(T::ZERO), S::splat(T::TINY));
            for at in (0..self.c.len()).step_by(S::LANES) {
                let p = S::load(self.p.as_ptr().add(at));
                let quotient = S::div(S::load(self.c.as_ptr().add(at)), S::max(p, least));
                let ratio = S::where_least(p, least, quotient, zero);
                S::store(self.ratio.as_mut_ptr().add(at), ratio);
            }
            let out = self.num.as_mut_ptr();
            self.times::<S>(self.ratio.as_ptr(), out);
        }
    }
}

/// f after the step of [`step`], where u > 0 and quad = 0.
///
/// # Safety
/// S is enabled.
#[inline(always)]
unsafe fn next<T: Scalar, S: Simd<T>>(
    (f, bottom): (S::V, S::V),
    [g1, g2, top]: [S::V; 3],
    u: S::V,
) -> S::V {
    // SAFETY: the caller's.
    unsafe {
        let (zero, one) = (S::splat(T::ZERO), S::splat(T::ONE));
        let (least, most) = (S::splat(T::TINY), S::splat(T::ONE / T::TINY));
        let g = S::fnma(one, g1, u);
        let share = S::div(g1, u);
        let d = S::mul(S::div(S::fnma(one, u, g1), g2), share);
        let safe = S::max(S::div(g, S::fma(g, top, g2)), S::div(S::splat(T::from_f64(KAPPA)), top));
        let kept = S::where_least(f, bottom, bottom, f);
        let kept = S::where_least(S::mul(f, top), S::splat(alone()), kept, zero);
        let next = S::max(S::add(f, S::max(d, S::fnma(one, safe, zero))), kept);
        let next = S::where_least(most, g2, next, S::mul(f, share));
        // Not beyond what a number can be, and 0 where nothing pulls.
        let next = S::where_least(most, next, next, f);
        S::where_least(g2, least, next, zero)
    }
}
