//! Tables of text.

use crate::random::Random;

const WORDS: [&str; 20] = [
    "a",
    "b",
    "id",
    "name",
    "year",
    "2021",
    "01/02/2010",
    "2021-03-04T05:06",
    "x y",
    "ä",
    "user",
    "rating",
    "\"q,\"\"uoted\"",
    "\"open",
    "mg",
    "0400",
    "400.5",
    "cell_1",
    "\u{feff}",
    "#",
];

/// Lines of fields: a header, names and numbers, or not.
pub(super) fn made(random: &mut Random) -> Vec<u8> {
    let delimiter = random.pick(&[",", ",", "\t", ";", " ", "|", "::", "  "]);
    let end = random.pick(&["\n", "\n", "\n", "\r\n", "\r"]);
    let (rows, cols) = (random.below(12), 1 + random.below(6));
    let (header, named) = (random.one_in(2), random.one_in(3));
    let mut text = String::new();
    if random.one_in(6) {
        text.push_str(
            random.pick(&["sep=;\n", "# note\n", "\u{feff}", "\n\n", "%%x\n", "title\n"]),
        );
    }
    for row in 0..=rows {
        let wide = if random.one_in(20) { random.below(9) } else { cols };
        let fields: Vec<String> = (0..wide)
            .map(|col| {
                let word = (row == 0 && header) || (col == 0 && named) || random.one_in(40);
                match (word, random.below(3)) {
                    (true, 0) => format!("n{row}_{col}"),
                    (true, _) => random.pick(&WORDS).to_owned(),
                    (false, 0) => random.number(),
                    (false, _) => random.below(100).to_string(),
                }
            })
            .collect();
        text.push_str(&fields.join(delimiter));
        text.push_str(end);
    }
    text.into_bytes()
}
