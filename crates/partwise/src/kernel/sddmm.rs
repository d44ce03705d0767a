//! placeholder
use super::sparse::Rows;
use crate::factor::View;
use crate::scalar::Scalar;

/// q_e = w_i · h_j for the stored entries.
pub(crate) fn sddmm<T: Scalar>(x: Rows<'_, T>, w: View<'_, T>, h: View<'_, T>, q: &mut [T]) {
    for i in 0..x.len() {
        for e in x.indptr[i]..x.indptr[i + 1] {
            let row = w.row(i).iter().zip(h.row(x.indices[e] as usize));
            q[e] = row.fold(T::ZERO, |s, (&a, &b)| s + a * b);
        }
    }
}
