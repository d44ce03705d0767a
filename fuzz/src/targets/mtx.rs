//! Matrix Market files.

use crate::random::Random;
use std::fmt::Write;

/// A banner, sizes and entries.
pub(super) fn made(random: &mut Random) -> Vec<u8> {
    let coordinate = random.one_in(2);
    let kind = if coordinate { "coordinate" } else { "array" };
    let field = random.pick(&["real", "real", "integer", "pattern", "double", "complex", ""]);
    let symmetry =
        random.pick(&["general", "general", "symmetric", "skew-symmetric", "hermitian", "odd"]);
    let head = random.pick(&[
        "%%MatrixMarket",
        "%%MatrixMarket",
        "%%matrixmarket",
        "%MatrixMarket",
        "%",
        "",
    ]);
    let mut text = format!("{head} matrix {kind} {field} {symmetry}\n");
    if random.one_in(3) {
        text.push_str("% a comment\n\n");
    }
    let (rows, cols) = (random.size(), if random.one_in(2) { 3 } else { random.size() });
    let entries = random.below(9) as u64;
    let claimed = if random.one_in(6) { random.size() } else { entries };
    if coordinate {
        let _ = writeln!(text, "{rows} {cols} {claimed}");
        for _ in 0..entries {
            let _ = write!(text, "{} {}", place(random, rows), place(random, cols));
            let value = if field == "pattern" { String::new() } else { random.number() };
            let _ = writeln!(text, " {value}");
        }
    } else {
        let _ = writeln!(text, "{rows} {cols}");
        let count = rows.saturating_mul(cols).min(60) + u64::from(random.one_in(6));
        for _ in 0..count {
            let value =
                if random.one_in(8) { random.number() } else { random.below(9).to_string() };
            let _ = writeln!(text, "{value}");
        }
    }
    text.into_bytes()
}

/// From 1, mostly in range.
fn place(random: &mut Random, length: u64) -> u64 {
    if random.one_in(12) { random.size() } else { 1 + random.any() % length.max(1) }
}
