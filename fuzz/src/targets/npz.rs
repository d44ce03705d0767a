//! Archives of arrays: SciPy's sparse matrices and data frames.

use super::npy;
use crate::random::Random;

/// A sparse matrix in one of the formats, or a data frame, packed as zip.
pub(super) fn made(random: &mut Random) -> Vec<u8> {
    let entries = match random.below(8) {
        0 => frame(random),
        1 => vec![("X.npy", npy::made(random))],
        2 | 3 => coordinates(random),
        _ => compressed(random),
    };
    zip(&entries, random)
}

type Entries = Vec<(&'static str, Vec<u8>)>;

fn compressed(random: &mut Random) -> Entries {
    let format = random.pick(&["csr", "csc", "bsr", "xyz"]);
    let (rows, cols) = (random.size(), random.size());
    let (across, along) = if format == "csc" { (cols, rows) } else { (rows, cols) };
    let mut indptr = vec![0i64];
    let mut indices = Vec::new();
    for _ in 0..across.min(9) {
        let here = random.below(4);
        indices.extend((0..here).map(|_| index(random, along)));
        indptr.push(indices.len() as i64);
    }
    if random.one_in(4) {
        let at = random.below(indptr.len());
        indptr[at] = random.size().cast_signed();
    }
    let stored = indices.len();
    let mut all = vec![
        ("indptr.npy", integers(random, &indptr)),
        ("indices.npy", integers(random, &indices)),
    ];
    all.extend(ends(random, format, [rows, cols], stored));
    all
}

fn coordinates(random: &mut Random) -> Entries {
    let (rows, cols) = (random.size(), random.size());
    let stored = random.below(12);
    let row: Vec<i64> = (0..stored).map(|_| index(random, rows)).collect();
    let col: Vec<i64> = (0..stored).map(|_| index(random, cols)).collect();
    let mut all = vec![("row.npy", integers(random, &row)), ("col.npy", integers(random, &col))];
    all.extend(ends(random, "coo", [rows, cols], stored));
    all
}

/// Mostly in range.
fn index(random: &mut Random, length: u64) -> i64 {
    if random.one_in(12) {
        return random.size().cast_signed();
    }
    (random.any() % length.max(1)).cast_signed()
}

/// What all sparse formats have: name, shape and values.
fn ends(random: &mut Random, format: &str, shape: [u64; 2], stored: usize) -> Entries {
    let shape: Vec<i64> = shape.map(u64::cast_signed).to_vec();
    let descr = random.pick(&["<f8", "<f4", "<i8", "|u1", "<c16"]);
    let data = npy::array(random, descr, &[stored as u64]);
    let name = if random.one_in(2) {
        npy::file(random, "|S3", "()", format.as_bytes())
    } else {
        let wide: Vec<u8> = format.chars().flat_map(|c| (c as u32).to_le_bytes()).collect();
        npy::file(random, "<U3", "()", &wide)
    };
    vec![("format.npy", name), ("shape.npy", integers(random, &shape)), ("data.npy", data)]
}

fn frame(random: &mut Random) -> Entries {
    let (rows, cols) = (random.size() % 9, random.size() % 9);
    let data = npy::array(random, "<f8", &[rows, cols]);
    let mut all = vec![("data.npy", data)];
    for (name, count) in [("index.npy", rows), ("columns.npy", cols)] {
        let descr = random.pick(&["<U3", "|S2", "<i8", "|O", "<U4000000000000", "<U0", ">U2"]);
        let count = if random.one_in(4) { random.size() } else { count };
        all.push((name, npy::array(random, descr, &[count])));
    }
    all
}

fn integers(random: &mut Random, values: &[i64]) -> Vec<u8> {
    let shape = format!("({},)", values.len());
    if random.one_in(2) {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        return npy::file(random, "<i8", &shape, &bytes);
    }
    let bytes: Vec<u8> = values.iter().flat_map(|&v| (v as i32).to_le_bytes()).collect();
    npy::file(random, "<i4", &shape, &bytes)
}

/// An archive, stored or deflated; what an entry declares is now and then not what it is.
fn zip(entries: &Entries, random: &mut Random) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    let mut count = 0u16;
    for (name, bytes) in entries {
        if random.one_in(30) {
            continue;
        }
        count += 1;
        let deflate = random.one_in(2);
        let packed = if deflate { deflated(bytes) } else { bytes.clone() };
        let lies = random.one_in(20);
        let size = if lies { random.size() as u32 } else { bytes.len() as u32 };
        let mut block = Vec::new();
        for x in [20u16, 0, if deflate { 8 } else { 0 }, 0, 0x21] {
            block.extend(x.to_le_bytes());
        }
        for x in [crc32fast::hash(bytes), packed.len() as u32, size] {
            block.extend(x.to_le_bytes());
        }
        block.extend((name.len() as u16).to_le_bytes());
        block.extend([0, 0]);
        let start = out.len() as u32;
        out.extend(b"PK\x03\x04");
        out.extend(&block);
        out.extend(name.as_bytes());
        out.extend(&packed);
        directory.extend(b"PK\x01\x02\x14\x03");
        directory.extend(&block);
        directory.extend([0; 6]);
        directory.extend((0o100_644u32 << 16).to_le_bytes());
        directory.extend(start.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let start = out.len() as u32;
    let size = directory.len() as u32;
    out.extend(directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
    out.extend(size.to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0, 0]);
    out
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    // A vector takes all that is written to it.
    let _ = std::io::Write::write_all(&mut encoder, bytes);
    encoder.finish().unwrap_or_default()
}
