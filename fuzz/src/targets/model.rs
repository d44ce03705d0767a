//! Model files with a right checksum.

use crate::random::Random;

/// Magic, version, header and tensors, of which anything but the checksum may be wrong.
pub(super) fn made(random: &mut Random) -> Vec<u8> {
    let (m, n, k) = (random.below(4) as u64, random.below(4) as u64, random.below(3) as u64);
    let wide = random.one_in(2);
    let (dtype, width) = if wide { ("f64", 8) } else { ("f32", 4) };
    let mut tensors = Vec::new();
    let mut values = 0;
    for (name, rows, cols) in [("w", m, k), ("h", k, n), ("column_weights", 1, n)] {
        if random.one_in(8) {
            continue;
        }
        let [rows_said, cols_said, offset] = [rows, cols, values * width]
            .map(|size| if random.one_in(12) { random.size() } else { size });
        tensors.push(format!(
            r#"{{"name":"{name}","rows":{rows_said},"cols":{cols_said},"offset":{offset}}}"#
        ));
        values += rows * cols;
    }
    let names = |random: &mut Random, count: u64| match random.below(3) {
        0 => format!("{:?}", (0..count).map(|i| format!("n{i}")).collect::<Vec<_>>()),
        1 => r#"["é","\u0000",""]"#.to_owned(),
        _ => "null".to_owned(),
    };
    let real = |random: &mut Random| match random.below(6) {
        0 => random.number(),
        _ => "0.5".to_owned(),
    };
    let rank = if random.one_in(8) { random.size() } else { k };
    let (objective, kkt) = (real(random), real(random));
    let (row_names, col_names) = (names(random, m), names(random, n));
    let (rows, cols, stored) = (m, n, random.size());
    let json = format!(
        r#"{{"dtype":"{dtype}","rank":{rank},"origin":{{"loss":"frobenius","rule":"hals","seed":1,"options":{{}},"objective":{objective},"kkt":{kkt},"status":"converged","data":{{"rows":{rows},"cols":{cols},"stored":{stored},"sum_bits":0}}}},"tensors":[{}],"row_names":{row_names},"col_names":{col_names}}}"#,
        tensors.join(",")
    );
    let mut json = json.into_bytes();
    if random.one_in(6) {
        crate::bytes::change(&mut json, random);
    }
    while (20 + json.len()) % 8 != 0 {
        json.push(b' ');
    }
    let length = if random.one_in(12) { random.size() } else { json.len() as u64 };
    let mut file = b"partwise".to_vec();
    file.extend(if random.one_in(20) { random.size() as u32 } else { 1 }.to_le_bytes());
    file.extend(length.to_le_bytes());
    file.extend(json);
    for _ in 0..values {
        let value = if random.one_in(20) { f64::from_bits(random.any()) } else { 0.25 };
        if wide {
            file.extend(value.to_le_bytes());
        } else {
            file.extend((value as f32).to_le_bytes());
        }
    }
    let crc = crc32fast::hash(&file);
    file.extend(crc.to_le_bytes());
    file
}
