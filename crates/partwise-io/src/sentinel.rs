//! Numbers that may stand for missing values: 9999, 1e20, 9.96921e36, far above all others.

use crate::notice::Notice;
use crate::numbers::Numbers;

/// What programs and formats write for a missing value: rows of nines, the largest of a type, 1e20 and
/// 1e30 of climate models, the fill value of NetCDF. Beyond 1e20 any number may be one.
const CODES: [f64; 14] = [
    999.0,
    9999.0,
    99999.0,
    999_999.0,
    9_999_999.0,
    99_999_999.0,
    999.9,
    9999.9,
    99999.9,
    999.99,
    9999.99,
    32767.0,
    2_147_483_647.0,
    9_999_999_999.0,
];
const HUGE: f64 = 1e20;
/// All other numbers are below this part of it.
const ABOVE: f64 = 10.0;

/// A notice if the largest number is such a code and all others are far below.
pub(crate) fn suspect(numbers: &Numbers) -> Option<Notice> {
    let (mut most, mut count, mut next) = (f64::NEG_INFINITY, 0u64, f64::NEG_INFINITY);
    numbers.each_f64(|_, value| {
        if value > most {
            (next, most, count) = (most, value, 1);
        } else if value == most {
            count += 1;
        } else if value > next {
            next = value;
        }
    });
    let narrow = |code: f64| {
        #[expect(clippy::cast_possible_truncation, reason = "as float32 holds it")]
        let single = code as f32;
        most == f64::from(single)
    };
    let repeats = count > 1 && CODES.iter().any(|code| most == *code || narrow(*code));
    let huge = most >= HUGE && most.is_finite();
    let far = next.is_finite() && most > ABOVE * next.max(1.0);
    ((repeats || huge) && far).then_some(Notice::MaybeMissing { value: most, count })
}
