//! Changes that know nothing of a format.

use crate::random::Random;

/// Bytes that mean something in some format.
const TELLING: &[u8] = b"\0\x01\x7f\xff \t\r\n,;\"'-+.eED0129%(){}[]<>PK";

/// Changes, removes, inserts, repeats or cuts a few bytes; now and then none.
pub(crate) fn change(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..random.below(4) {
        let at = random.below(bytes.len());
        let byte = random.pick(TELLING);
        match random.below(8) {
            _ if bytes.is_empty() => bytes.push(byte),
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = byte,
            2 => bytes.insert(at, byte),
            3 => drop(bytes.drain(at..(at + 1 + random.below(8)).min(bytes.len()))),
            4 => bytes.truncate(at),
            5 => {
                let size = random.size().to_le_bytes();
                let width = random.pick(&[1, 2, 4, 8]);
                let end = (at + width).min(bytes.len());
                bytes[at..end].copy_from_slice(&size[..end - at]);
            }
            6 => {
                let copy = bytes[at..(at + 16).min(bytes.len())].to_vec();
                for _ in 0..=random.below(40) {
                    bytes.extend(&copy);
                }
            }
            _ => {
                let copy = bytes[at..(at + 16).min(bytes.len())].to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, copy);
            }
        }
    }
}
