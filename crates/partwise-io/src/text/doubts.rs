//! Numbers that may mean something else than what they were read as.

use crate::notice::Notice;
use crate::read::ReadOptions;

use super::layout::Layout;
use super::record::Record;

/// A notice if every number with a point has exactly three digits behind it and stands beside whole
/// numbers: `13;1.013;7` may be German. Commas between the fields leave commas for no decimals, so there
/// both must stand in the same column.
pub(super) fn grouped(data: &[Record], layout: &Layout, options: &ReadOptions) -> Option<Notice> {
    if options.decimal.is_some() || !layout.style.is_plain() || layout.style.told {
        return None;
    }
    let (mut first, mut whole) = (None, 0u64);
    let (mut pointed, mut plain) = (vec![0u64; layout.width], vec![0u64; layout.width]);
    for record in data {
        let fields = record.fields().enumerate().take(layout.width);
        for (at, field) in fields.filter(|(at, _)| Some(*at) != layout.names_at) {
            let digits = field.iter().all(u8::is_ascii_digit) && !field.is_empty();
            if field.contains(&b'.') {
                if !is_grouped(field) {
                    return None;
                }
                first.get_or_insert((record.line, field));
                pointed[at] += 1;
            } else if digits && field != b"0" {
                whole += 1;
                plain[at] += 1;
            }
        }
    }
    let (line, field) = first?;
    let mixed = pointed.iter().zip(&plain).any(|(a, b)| *a > 0 && *b > 0);
    let likely = if layout.delimiter == b';' { whole > 0 } else { mixed };
    let first = String::from_utf8_lossy(field).into_owned();
    likely.then_some(Notice::MaybeGrouped { line, first })
}

/// One to three digits that do not begin with 0, a point, three digits.
fn is_grouped(field: &[u8]) -> bool {
    let text = field.strip_prefix(b"-").or(field.strip_prefix(b"+")).unwrap_or(field);
    let mut parts = text.split(|b| *b == b'.');
    let (head, tail) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    (1..=3).contains(&head.len())
        && head.first() != Some(&b'0')
        && tail.len() == 3
        && digits(head)
        && digits(tail)
        && parts.next().is_none()
}
