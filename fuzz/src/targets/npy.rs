//! NumPy arrays.

use crate::random::Random;

const DESCR: [&str; 22] = [
    "<f8",
    "<f4",
    "<f2",
    ">f8",
    ">f4",
    "|b1",
    "|u1",
    "|i1",
    "<i2",
    ">i4",
    "<i8",
    "<u8",
    "<u4",
    "=f8",
    "|O",
    "<c16",
    "<U3",
    "|S2",
    "<U4000000000000",
    "<M8[ns]",
    "",
    "f8",
];

/// An array whose shape may be anything.
pub(super) fn made(random: &mut Random) -> Vec<u8> {
    let descr = random.pick(&DESCR);
    let shape: Vec<u64> = (0..random.pick(&[2, 2, 2, 2, 1, 0, 3])).map(|_| random.size()).collect();
    array(random, descr, &shape)
}

/// An array of this type and shape, with as many bytes as it should have, or nearly.
pub(super) fn array(random: &mut Random, descr: &str, shape: &[u64]) -> Vec<u8> {
    let width: u64 = descr
        .trim_start_matches(['<', '>', '|', '='])
        .get(1..)
        .map_or(1, |width| width.parse().unwrap_or(8));
    let needed = shape.iter().fold(width.min(1 << 16), |all, &n| all.saturating_mul(n)).min(4096);
    let missing = if random.one_in(8) { random.below(9) } else { 0 };
    let count = usize::try_from(needed).unwrap_or(0).saturating_sub(missing);
    let small = random.one_in(2);
    let payload = (0..count)
        .map(|at| if small { u8::from(at % 8 == 0) * 3 } else { (random.any() & 0xff) as u8 });
    let payload: Vec<u8> = payload.collect();
    file(random, descr, &shape_text(shape), &payload)
}

fn shape_text(shape: &[u64]) -> String {
    let sizes: Vec<String> = shape.iter().map(ToString::to_string).collect();
    format!("({}{})", sizes.join(", "), if sizes.len() == 1 { "," } else { "" })
}

/// A header of any version around a payload.
pub(super) fn file(random: &mut Random, descr: &str, shape: &str, payload: &[u8]) -> Vec<u8> {
    let fortran = if random.one_in(4) { "True" } else { "False" };
    let mut header =
        format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
    if random.one_in(20) {
        header = header.replace(random.pick(&["'", ",", "shape", "False", "{", ":"]), "");
    }
    let version = if random.one_in(12) { random.pick(&[0u8, 2, 3, 4, 255]) } else { 1 };
    let mut bytes = b"\x93NUMPY".to_vec();
    bytes.extend([version, 0]);
    if version == 1 {
        bytes.extend(u16::try_from(header.len()).unwrap_or(u16::MAX).to_le_bytes());
    } else {
        bytes.extend(u32::try_from(header.len()).unwrap_or(u32::MAX).to_le_bytes());
    }
    bytes.extend(header.as_bytes());
    bytes.extend(payload);
    bytes
}
