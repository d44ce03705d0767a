//! Damaged files of every kind: an error or a matrix that keeps its promises, never a panic.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::Write;

use common::{csr, data, npy, zip};
use partwise_io::{Columns, Layout, ReadOptions, Table, Values, read_from};

/// A small generator of random numbers; the tests must not depend on chance.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % limit as u64).unwrap()
    }
}

/// Changes, removes, inserts or repeats a few bytes.
fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    const TELLING: &[u8] = b"\0\x01\x7f\xff \t\r\n,;\"'-+.eED0129%(){}[]<>PK";
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len().max(1));
        let byte = TELLING[random.below(TELLING.len())];
        match random.below(5) {
            _ if bytes.is_empty() => bytes.push(byte),
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = byte,
            2 => bytes.insert(at, byte),
            3 => drop(bytes.drain(at..(at + 1 + random.below(8)).min(bytes.len()))),
            _ => {
                let copy = bytes[at..(at + 16).min(bytes.len())].to_vec();
                bytes.extend(copy);
            }
        }
    }
}

fn check(table: &Table) {
    assert!(table.rows > 0 && table.cols > 0);
    for (names, size) in [(&table.row_names, table.rows), (&table.col_names, table.cols)] {
        assert!(names.as_ref().is_none_or(|names| names.len() == size));
    }
    match &table.values {
        Values::Dense { numbers, .. } => assert_eq!(numbers.len(), table.rows * table.cols),
        Values::Sparse { layout, indptr, indices, numbers } => {
            let (major, minor) = match layout {
                Layout::Csr => (table.rows, table.cols),
                Layout::Csc => (table.cols, table.rows),
            };
            assert_eq!((indptr.len(), indices.len()), (major + 1, numbers.len()));
            assert_eq!((indptr[0], indptr[major]), (0, indices.len() as u64));
            for ends in indptr.windows(2) {
                let row = usize::try_from(ends[0]).unwrap()..usize::try_from(ends[1]).unwrap();
                assert!(indices[row.clone()].is_sorted_by(|a, b| a < b));
                assert!(indices[row].iter().all(|&i| (i as usize) < minor));
            }
        }
    }
}

#[test]
fn damaged_files_are_refused_or_read_right() {
    let file = |name: &str| std::fs::read(data(name)).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&file("coordinate.mtx")).unwrap();
    let seeds = [
        file("f8le.npy"),
        file("fortran.npy"),
        file("u1.npy"),
        file("csr_int32_deflated.npz"),
        file("csc_int64_stored.npz"),
        file("coo_scipy.npz"),
        zip(&csr([2, 4], &[0, 3, 4], &[3, 0, 3, 1], &[4.0, 1.0, 3.0, 9.0])),
        file("coordinate.mtx"),
        file("symmetric.mtx"),
        file("array.mtx"),
        gzip.finish().unwrap(),
        b"name,a,b\nx,1,2.5\n\"y \"\"z\",3e2,.5\n".to_vec(),
        b"1 2 3\n4 5 6\r\n".to_vec(),
        b"# a note\n#id,x,y\n1,5.5%,\"1,000,000\"\n2,7%,-9\n".to_vec(),
        b"sep=;\nDate;a;b\n;mg;mg\n01/02/2010;1,5;2\n02/02/2010;3;4,5\n".to_vec(),
        b"1::7::5::978300760\n2::7::3::978300761\n".to_vec(),
        b"400,410,420\n0.5,0.7,0.1\n0.2,0.9,0.4\n".to_vec(),
        b"4\t3\t2\n1\t1\t2\n4\t3\t1\n".to_vec(),
        zip(&[
            common::Entry::stored("data.npy", &npy("<f8", "(1, 2)", &[0; 16])),
            common::Entry::stored("index.npy", &npy("<U1", "(1,)", &[120, 0, 0, 0])),
        ]),
    ];
    let turned = ReadOptions {
        sparse: true,
        missing_as_nan: true,
        transpose: true,
        na: vec!["-9".into()],
        columns: Columns { keep: Vec::new(), drop: vec!["1".into()] },
        ..ReadOptions::default()
    };
    let options = [
        ReadOptions::default(),
        ReadOptions { triples: true, ..ReadOptions::default() },
        ReadOptions { decimal: Some(b','), comment: Some(b'%'), ..ReadOptions::default() },
        turned,
    ];
    let mut random = Random(1);
    let mut read = 0;
    for seed in &seeds {
        for round in 0..3000 {
            let mut bytes = seed.clone();
            mutate(&mut bytes, &mut random);
            match read_from(bytes, "file", &options[round % options.len()]) {
                Ok(table) => {
                    check(&table);
                    read += 1;
                }
                Err(error) => assert!(matches!(error.exit_code(), 2..=5), "{error}"),
            }
        }
    }
    assert!(
        read > 1000,
        "only {read} files were still readable: the damage is too heavy to test much"
    );
}
