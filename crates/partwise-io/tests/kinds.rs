//! Files of other kinds are named, with what to do.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Entry, fail, read_ok, zip};
use partwise_io::{Notice, ReadOptions, read};

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut out, bytes).unwrap();
    out.finish().unwrap()
}

#[test]
fn other_kinds_are_named_with_their_cure() {
    let mut tar = b"counts.csv".to_vec();
    tar.resize(257, 0);
    tar.extend(b"ustar\x0000");
    tar.resize(1024, 0);
    let hb = "A title                                                          KEY\n\
              \x20            3             1             1             1             0\n\
              RUA                        4             3             4             0\n(8I10)\n";
    let rds = b"X\n\0\0\0\x03\0\x04\x03\x01".to_vec();
    for (bytes, kind, cure) in [
        (tar.clone(), "tar archive", "tar -xf"),
        (gz(&tar), "tar archive", "tar -xf"),
        (rds.clone(), "R object (.rds)", "write.csv"),
        (gz(&rds), "R object (.rds)", "write.csv"),
        (gz(b"RDX3\nX\n\0\0\0\x03"), "RData", "write.csv"),
        (b"A\n3\n262657\n197888\n5\nUTF-8\n".to_vec(), "R object (.rds)", "write.csv"),
        (b"MATLAB 5.0 MAT-file, Platform: GLNXA64".to_vec(), "MATLAB 5", "scipy.io.loadmat"),
        (b"MATLAB 7.3 MAT-file, Platform: GLNXA64".to_vec(), "MATLAB 7.3", "h5py"),
        (b"\x89HDF\r\n\x1a\n".to_vec(), "HDF5", "h5ad"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0".to_vec(), ".xls", "CSV"),
        (b"\x89PNG\r\n\x1a\n\0\0".to_vec(), "PNG", "imread"),
        (b"\xff\xd8\xff\xe0\0".to_vec(), "JPEG", "imread"),
        (b"II*\0\x08\0".to_vec(), "TIFF", "imread"),
        (b"MM\0*\0\0".to_vec(), "TIFF", "imread"),
        (b"RIFF\x24\0\0\0WAVEfmt ".to_vec(), "WAV", "spectrogram"),
        (b"{\"a\": [1, 2]}".to_vec(), "JSON", "read_json"),
        (b" [[1, 2], [3, 4]]".to_vec(), "JSON", "read_json"),
        (hb.into(), "Harwell-Boeing", "hb_read"),
        (b"PAR1\x15\x04".to_vec(), "Parquet", "read_parquet"),
        (b"ARROW1\0\0".to_vec(), "Arrow", "read_feather"),
        (b"SQLite format 3\0".to_vec(), "SQLite", "sqlite3"),
        (b"%PDF-1.4\n".to_vec(), "PDF", "CSV"),
        (b"<!DOCTYPE html><table>".to_vec(), "HTML", "CSV"),
        (b"\xff\xfe1\0,\x002\0".to_vec(), "UTF-16", "iconv"),
        (b"1\0,\x002\0\n\0".to_vec(), "NUL", "iconv"),
        (b"BZh91AY".to_vec(), "bzip2", "decompress"),
    ] {
        let (code, text) = fail(&bytes, "x");
        assert_eq!(code, "E-FILE", "{kind}: {text}");
        assert!(text.contains(kind) && text.contains(cure), "{kind}: {text}");
    }
}

#[test]
fn archives_are_named_by_what_is_in_them() {
    for (names, kind, cure) in [
        (&["[Content_Types].xml", "_rels/.rels", "xl/workbook.xml"][..], ".xlsx", "read_excel"),
        (&["mimetype", "content.xml", "META-INF/manifest.xml"], ".ods", "read_excel"),
        (&["counts.csv"], "zip archive of 'counts.csv'", "unzip -p"),
        (&["a.csv", "b/c.csv"], "zip archive of 2 files: 'a.csv', 'b/c.csv'", "unpack"),
        (&[".zarray", "0.0"], "zarr", "zarr.open"),
        (&["archive/data.pkl", "archive/version"], "PyTorch", "numpy.save"),
    ] {
        let entries: Vec<Entry> = names.iter().map(|name| Entry::stored(name, b"x")).collect();
        let (code, text) = fail(&zip(&entries), "x.zip");
        assert_eq!(code, "E-FILE");
        assert!(text.contains(kind) && text.contains(cure), "{text}");
    }
}

#[test]
fn folders_are_named_by_what_is_in_them() {
    let folder = std::env::temp_dir().join(format!("partwise-io-kinds-{}", std::process::id()));
    for (name, kind) in [(".zgroup", "zarr"), ("matrix.mtx.gz", "10x"), ("other", "a directory")] {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), b"").unwrap();
        let error = read(&folder, &ReadOptions::default()).unwrap_err();
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(error.code(), "E-FILE");
        assert!(error.to_string().contains(kind), "{error}");
    }
}

#[test]
fn texts_that_only_begin_like_another_kind_are_read() {
    for text in
        ["[Fe],[Al]\n1,2\n", "A\n3\n5\n", "PAR1,PAR2\n1,2\n", "ID3,ID4\n1,2\n", "RUA,x\n1,2\n"]
    {
        read_ok(text.as_bytes(), "x.csv");
    }
}

#[test]
fn names_in_latin_1_name_their_line_and_the_cure() {
    for text in [&b"name,\xe9chantillon\nx,1\n"[..], b"name,a\nx,1\n\xe9,2\n"] {
        let (code, text) = fail(text, "x.csv");
        assert_eq!(code, "E-FILE");
        assert!(text.contains("line ") && text.contains("iconv -f latin1 -t utf-8"), "{text}");
    }
}

#[test]
fn matrix_market_as_programs_write_it() {
    let body = "4 3 4\n1 1 2\n2 1 1\n3 2 5\n4 3 7\n";
    let whole =
        read_ok(format!("%%MatrixMarket matrix coordinate real general\n{body}").as_bytes(), "x");
    for text in [
        format!("%MatrixMarket matrix coordinate real general\n{body}"),
        body.to_owned(),
        body.replace(' ', "\t"),
    ] {
        let table = read_ok(text.as_bytes(), "x.mtx");
        assert_eq!(table.values, whole.values, "{text}");
        assert!(table.notices.iter().any(|n| matches!(n, Notice::NoBanner { .. })));
    }
    let floats = "%%MatrixMarket matrix coordinate integer general\n2 2 2\n1 1 2.0\n2 2 1e3\n";
    let table = read_ok(floats.as_bytes(), "x");
    assert_eq!(*table.numbers(), partwise_io::Numbers::I64(vec![2, 1000]));
    let (code, text) = fail(floats.replace("2.0", "2.5").as_bytes(), "x");
    assert!(code == "E-DATA" && text.contains("'2.5'"), "{text}");
}
