//! The glance at a run of entries, against one entry at a time.

use super::*;
use crate::kernel::look::look;

fn as_one_by_one<T: Scalar>() {
    let mut rng = Lcg(5);
    for len in [0, 1, 15, 16, 63, 64, 65, 200] {
        let value = |zero: f64, x: f64| if zero < 0.3 { 0.0 } else { x * 9.0 };
        let x: Vec<T> =
            (0..len).map(|_| T::from_f64(value(rng.uniform(), rng.uniform()))).collect();
        let mut positive = vec![false; len];
        let seen = look(&x, &mut positive).expect("nothing bad");
        let wide: Vec<f64> = x.iter().map(|x| x.to_f64()).collect();
        let above = || wide.iter().copied().filter(|x| *x > 0.0);
        assert_eq!(positive, wide.iter().map(|x| *x > 0.0).collect::<Vec<_>>());
        assert_eq!(seen.positive, above().count());
        assert_eq!(seen.max, wide.iter().copied().fold(0.0, f64::max));
        assert_eq!(seen.min_positive, above().fold(f64::INFINITY, f64::min));
        let (sum, norm): (f64, f64) = (wide.iter().sum(), wide.iter().map(|x| x * x).sum());
        assert!(
            (seen.sum - sum).abs() <= 1e-13 * sum && (seen.norm_sq - norm).abs() <= 1e-13 * norm
        );
        for at in 0..len {
            for bad in [-1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                let mut x = x.clone();
                x[at] = T::from_f64(bad);
                assert_eq!(look(&x, &mut positive), None, "{bad} at {at} of {len}");
            }
        }
    }
}

#[test]
fn a_glance_is_one_entry_at_a_time() {
    everywhere(as_one_by_one::<f32>);
    everywhere(as_one_by_one::<f64>);
}
