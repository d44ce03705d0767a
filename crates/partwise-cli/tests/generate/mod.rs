//! The small language in which tables of tests describe files.
//!
//! `text:a,b\n1,2` text with the escapes \n \r \t \0 \\ \xNN · `hex:8901` bytes ·
//! `npy:<f8:C:2x3:1,2` an array, the values repeated until it is full · `header:DICT|HEX` an npy
//! file with any header · `csr:2x3:INDPTR:INDICES:DATA`, `csc:`, `coo:2x3:ROW:COL:DATA` SciPy
//! archives · `zip:NAME=FILE;NAME=FILE` an archive, `deflated:` a compressed one · `gz:FILE` · `cut:N:FILE` without the last N
//! bytes · `add:HEX:FILE` with more bytes · `flip:AT:FILE` with one bit flipped, counted from the
//! end if negative · `lines:N:HEAD|LINE` a head and N times a line · `file:PATH` a file of the
//! repository · `dir:` · `link:TARGET`.

use std::io::Write;
use std::path::Path;

/// Puts what `spec` describes at `path`.
pub(crate) fn put(path: &Path, spec: &str) {
    match spec.split_once(':').expect("KIND:REST") {
        ("dir", _) => std::fs::create_dir(path).expect("dir"),
        ("link", target) => link(target, path),
        _ => std::fs::write(path, file(spec)).expect("write"),
    }
}

#[cfg(unix)]
fn link(target: &str, path: &Path) {
    std::os::unix::fs::symlink(target, path).expect("link");
}
#[cfg(not(unix))]
fn link(_: &str, _: &Path) {}

/// The bytes of a file.
pub(crate) fn file(spec: &str) -> Vec<u8> {
    let (kind, rest) = spec.split_once(':').expect("KIND:REST");
    match kind {
        "text" => text(rest),
        "hex" => hex(rest),
        "npy" => npy(rest),
        "header" => {
            let (dict, data) = rest.split_once('|').expect("DICT|HEX");
            with_header(&text(dict), &hex(data))
        }
        "csr" | "csc" | "coo" => scipy(kind, rest),
        "zip" => zip(entries(rest), false),
        "deflated" => zip(entries(rest), true),
        "gz" => gz(&file(rest)),
        "cut" => {
            let (n, spec) = rest.split_once(':').expect("N:FILE");
            let mut bytes = file(spec);
            bytes.truncate(bytes.len() - n.parse::<usize>().expect("N"));
            bytes
        }
        "add" => {
            let (more, spec) = rest.split_once(':').expect("HEX:FILE");
            [file(spec), hex(more)].concat()
        }
        "flip" => {
            let (at, spec) = rest.split_once(':').expect("AT:FILE");
            let mut bytes = file(spec);
            let at: isize = at.parse().expect("AT");
            let at = if at < 0 { bytes.len() - at.unsigned_abs() } else { at.unsigned_abs() };
            bytes[at] ^= 1;
            bytes
        }
        "lines" => {
            let (n, rest) = rest.split_once(':').expect("N:HEAD|LINE");
            let (head, line) = rest.split_once('|').expect("HEAD|LINE");
            [text(head), text(line).repeat(n.parse().expect("N"))].concat()
        }
        "file" => {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
            std::fs::read(root.join(rest)).expect("a file of the repository")
        }
        _ => panic!("unknown kind of file {kind}"),
    }
}

fn entries(spec: &str) -> impl Iterator<Item = (String, Vec<u8>)> {
    spec.split(';').map(|entry| {
        let (name, spec) = entry.split_once('=').expect("NAME=FILE");
        (name.to_owned(), file(spec))
    })
}

fn text(escaped: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut chars = escaped.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.extend(c.to_string().bytes());
            continue;
        }
        match chars.next().expect("an escape") {
            'n' => out.push(b'\n'),
            'r' => out.push(b'\r'),
            't' => out.push(b'\t'),
            '0' => out.push(0),
            '\\' => out.push(b'\\'),
            'x' => {
                let digits: String = chars.by_ref().take(2).collect();
                out.extend(hex(&digits));
            }
            other => panic!("unknown escape \\{other}"),
        }
    }
    out
}

fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<char> = digits.chars().filter(|c| *c != ' ').collect();
    let byte = |pair: &[char]| {
        let text: String = pair.iter().collect();
        u8::from_str_radix(&text, 16).expect("hex")
    };
    digits.chunks(2).map(byte).collect()
}

/// `<f8:C:2x3:1,2,3`.
fn npy(spec: &str) -> Vec<u8> {
    let parts: Vec<&str> = spec.splitn(4, ':').collect();
    let [descr, order, shape, values] = parts[..] else { panic!("DESCR:ORDER:SHAPE:VALUES") };
    let dims: Vec<usize> =
        shape.split('x').filter(|d| !d.is_empty()).map(|d| d.parse().expect("dim")).collect();
    let count: usize = dims.iter().product();
    let tuple: String = dims.iter().map(|d| format!("{d}, ")).collect();
    let fortran = if order == "F" { "True" } else { "False" };
    let dict = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': ({tuple}), }}");
    let values: Vec<&str> = values.split(',').collect();
    let data: Vec<u8> = values.iter().cycle().take(count).flat_map(|v| element(descr, v)).collect();
    with_header(dict.as_bytes(), &data)
}

fn with_header(dict: &[u8], data: &[u8]) -> Vec<u8> {
    let mut header = dict.to_vec();
    while !(header.len() + 11).is_multiple_of(64) {
        header.push(b' ');
    }
    header.push(b'\n');
    let length = u16::try_from(header.len()).expect("a short header").to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], &header, data].concat()
}

fn element(descr: &str, value: &str) -> Vec<u8> {
    let float = || value.parse::<f64>().expect("float");
    let integer = || value.parse::<i128>().expect("integer");
    let mut bytes = match &descr[1..] {
        "f8" => float().to_le_bytes().to_vec(),
        "f4" => (float() as f32).to_le_bytes().to_vec(),
        "b1" | "u1" | "i1" => integer().to_le_bytes()[..1].to_vec(),
        "u2" | "i2" | "f2" => integer().to_le_bytes()[..2].to_vec(),
        "u4" | "i4" => integer().to_le_bytes()[..4].to_vec(),
        "u8" | "i8" => integer().to_le_bytes()[..8].to_vec(),
        "S3" => value.as_bytes().to_vec(),
        // What a reader does with them must not depend on the bytes.
        other => vec![b'x'; other[1..].parse().expect("a size")],
    };
    if descr.starts_with('>') {
        bytes.reverse();
    }
    bytes
}

/// `2x3:POINTERS:INDICES:DATA`, or rows and columns for coo.
fn scipy(kind: &str, spec: &str) -> Vec<u8> {
    let parts: Vec<&str> = spec.split(':').collect();
    let [shape, first, second, data] = parts[..] else { panic!("SHAPE:A:B:DATA") };
    let names = if kind == "coo" { ["row.npy", "col.npy"] } else { ["indptr.npy", "indices.npy"] };
    let array = |descr: &str, values: &str| {
        let count = values.split(',').filter(|v| !v.is_empty()).count();
        npy(&format!("{descr}:C:{count}:{values}"))
    };
    let entries = [
        (names[0], array("<i4", first)),
        (names[1], array("<i4", second)),
        ("data.npy", array("<f8", data)),
        ("shape.npy", array("<i8", &shape.replace('x', ","))),
        ("format.npy", npy(&format!("|S3:C::{kind}"))),
    ];
    zip(entries.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)), false)
}

/// An archive, its entries stored or deflated.
fn zip(entries: impl Iterator<Item = (String, Vec<u8>)>, deflate: bool) -> Vec<u8> {
    let (mut out, mut directory, mut count) = (Vec::new(), Vec::new(), 0u16);
    let four = |n: usize| u32::try_from(n).expect("small").to_le_bytes();
    for (name, data) in entries {
        let packed = if deflate { deflated(&data) } else { data.clone() };
        let offset = four(out.len());
        let crc = crc32fast::hash(&data).to_le_bytes();
        let name_length = u16::try_from(name.len()).expect("short").to_le_bytes();
        // Version, flags, method, time, date; checksum, sizes, length of the name, no extra field.
        let method = if deflate { 8 } else { 0 };
        let common = [
            &[20, 0, 0, 0, method, 0, 0, 0, 0x21, 0][..],
            &crc,
            &four(packed.len()),
            &four(data.len()),
            &name_length,
            &[0, 0],
        ]
        .concat();
        out.extend([b"PK\x03\x04", &common[..], name.as_bytes(), &packed].concat());
        let tail = [&[0; 10][..], &offset, name.as_bytes()].concat();
        directory.extend([b"PK\x01\x02\x14\x00", &common[..], &tail].concat());
        count += 1;
    }
    let (size, offset, count) = (four(directory.len()), four(out.len()), count.to_le_bytes());
    let end = [b"PK\x05\x06\0\0\0\0", &count[..], &count, &size, &offset, &[0, 0]].concat();
    [out, directory, end].concat()
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let level = flate2::Compression::default();
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), level);
    encoder.write_all(bytes).expect("deflate");
    encoder.finish().expect("deflate")
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("gz");
    encoder.finish().expect("gz")
}
