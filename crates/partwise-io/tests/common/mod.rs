//! Builders of files, as bytes.
#![allow(dead_code, reason = "each test program uses some of them")]

use std::path::PathBuf;

use partwise_io::{ReadOptions, Table, read_from};

/// A file written by NumPy or SciPy, see `data/make.py`.
pub(crate) fn data(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "data", name]
        .iter()
        .collect()
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
