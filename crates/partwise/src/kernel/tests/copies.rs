//! Rows of a matrix at any strides, copied side by side.

use super::*;

fn as_one_by_one<T: Scalar>() {
    let mut rng = Lcg(31);
    for (rows, cols) in [(1, 1), (3, 15), (5, 16), (16, 17), (17, 33), (40, 64), (2, 130)] {
        let data: Vec<T> = (0..2 * rows * cols + 8).map(|_| T::from_f64(rng.uniform())).collect();
        let (m, n) = (rows as isize, cols as isize);
        // By rows, by columns, with gaps, backwards, and every row the same.
        let all = [
            (0, (n, 1)),
            (0, (1, m)),
            (1, (1, m + 3)),
            (rows * cols - 1, (-1, -m)),
            (2, (2 * n, 2)),
            (0, (0, 1)),
        ];
        for (offset, strides) in all {
            let Some(x) = Strided::new(&data, offset, (rows, cols), strides) else { continue };
            // Beside other columns, which stay as they are.
            let mut wide = Factor::<T>::zeros(rows, cols + 20);
            wide.view_mut().fill(T::ONE);
            x.copy_to(&mut wide.view_mut().columns(7..7 + cols));
            for i in 0..rows {
                for j in 0..cols + 20 {
                    let inside = (7..7 + cols).contains(&j);
                    let want = if inside { x.get(i, j - 7) } else { T::ONE };
                    assert_eq!(wide.get(i, j), want, "({i}, {j}) of {rows} × {cols}, {strides:?}");
                }
            }
        }
    }
}

#[test]
fn copied_rows_are_those_of_the_source_and_nothing_beside_them() {
    everywhere(as_one_by_one::<f32>);
    everywhere(as_one_by_one::<f64>);
}
