//! Builders of files, as bytes.
#![allow(dead_code, reason = "each test program uses some of them")]

use std::path::PathBuf;

use partwise_io::{ReadOptions, Table, read_from};

/// A file written by NumPy or SciPy, see `data/make.py`.
pub(crate) fn data(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "data", name].iter().collect()
}

/// An npy file of version 1 with this header text.
pub(crate) fn npy_with(header: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\0".to_vec();
    bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(payload);
    bytes
}

/// An npy file in C order.
pub(crate) fn npy(descr: &str, shape: &str, payload: &[u8]) -> Vec<u8> {
    let dict = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    npy_with(&dict, payload)
}

/// Code and text of the error that reading these bytes must give.
pub(crate) fn fail(bytes: &[u8], name: &str) -> (&'static str, String) {
    match read_from(bytes.to_vec(), name, &ReadOptions::default()) {
        Ok(table) => panic!("read as {table:?}"),
        Err(error) => (error.code(), error.to_string()),
    }
}

/// The table that reading these bytes must give.
pub(crate) fn read_ok(bytes: &[u8], name: &str) -> Table {
    match read_from(bytes.to_vec(), name, &ReadOptions::default()) {
        Ok(table) => table,
        Err(error) => panic!("{error}"),
    }
}

/// An entry of a zip file; what it declares can be made to differ from what it is.
pub(crate) struct Entry {
    pub(crate) name: Vec<u8>,
    /// Bytes as stored.
    pub(crate) packed: Vec<u8>,
    pub(crate) method: u16,
    pub(crate) flags: u16,
    pub(crate) crc: u32,
    pub(crate) size: u32,
    /// Unix mode, where a link can be declared.
    pub(crate) mode: u32,
}

impl Entry {
    /// A stored entry.
    pub(crate) fn stored(name: &str, bytes: &[u8]) -> Self {
        Self {
            name: name.into(),
            packed: bytes.to_vec(),
            method: 0,
            flags: 0,
            crc: crc32fast::hash(bytes),
            size: u32::try_from(bytes.len()).unwrap(),
            mode: 0o100_644,
        }
    }

    /// A deflated entry.
    pub(crate) fn deflated(name: &str, bytes: &[u8]) -> Self {
        let mut encoder =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut encoder, bytes).unwrap();
        Self { packed: encoder.finish().unwrap(), method: 8, ..Self::stored(name, bytes) }
    }

    fn block(&self) -> Vec<u8> {
        let packed = u32::try_from(self.packed.len()).unwrap();
        let mut out = Vec::new();
        for x in [20, self.flags, self.method, 0, 0x21] {
            out.extend(x.to_le_bytes());
        }
        for x in [self.crc, packed, self.size] {
            out.extend(x.to_le_bytes());
        }
        out.extend(u16::try_from(self.name.len()).unwrap().to_le_bytes());
        out.extend([0, 0]);
        out
    }
}

/// A zip file.
pub(crate) fn zip(entries: &[Entry]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let start = u32::try_from(out.len()).unwrap();
        out.extend(b"PK\x03\x04");
        out.extend(entry.block());
        out.extend(&entry.name);
        out.extend(&entry.packed);
        directory.extend(b"PK\x01\x02\x14\x03");
        directory.extend(entry.block());
        directory.extend([0; 6]);
        directory.extend((entry.mode << 16).to_le_bytes());
        directory.extend(start.to_le_bytes());
        directory.extend(&entry.name);
    }
    let start = u32::try_from(out.len()).unwrap();
    let count = u16::try_from(entries.len()).unwrap().to_le_bytes();
    let size = u32::try_from(directory.len()).unwrap();
    out.extend(directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([count, count].concat());
    out.extend(size.to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0, 0]);
    out
}

/// A vector as npy.
pub(crate) fn vector<const N: usize>(descr: &str, elements: &[[u8; N]]) -> Vec<u8> {
    npy(descr, &format!("({},)", elements.len()), &elements.concat())
}

/// A vector of 64-bit integers as npy.
pub(crate) fn integers(values: &[i64]) -> Vec<u8> {
    vector("<i8", &values.iter().map(|x| x.to_le_bytes()).collect::<Vec<_>>())
}

/// A vector of doubles as npy.
pub(crate) fn doubles(values: &[f64]) -> Vec<u8> {
    vector("<f8", &values.iter().map(|x| x.to_le_bytes()).collect::<Vec<_>>())
}

/// The entries of a compressed sparse matrix.
pub(crate) fn csr(shape: [i64; 2], indptr: &[i64], indices: &[i64], data: &[f64]) -> Vec<Entry> {
    vec![
        Entry::stored("indices.npy", &integers(indices)),
        Entry::stored("indptr.npy", &integers(indptr)),
        Entry::stored("format.npy", &npy("|S3", "()", b"csr")),
        Entry::stored("shape.npy", &integers(&shape)),
        Entry::stored("data.npy", &doubles(data)),
    ]
}
