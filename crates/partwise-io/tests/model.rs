//! Model files: rows Z01 to Z05 and Z10 of the torture list.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use partwise_io::{
    Entries, Error, Factor, FactorValues, Fingerprint, Model, Origin, Penalties, ReadOptions,
    Weighing, read_from,
};

fn small() -> Model {
    let options = BTreeMap::from([("tol".to_string(), "1e-4".to_string())]);
    let data =
        Fingerprint { rows: 2, cols: 3, stored: 5, sum_bits: 12.5f64.to_bits(), entries: None };
    Model {
        w: Some(Factor { rows: 2, cols: 1, values: FactorValues::F32(vec![0.5, 1.0]) }),
        h: Factor { rows: 1, cols: 3, values: FactorValues::F32(vec![0.1, 0.0, 3.0]) },
        row_names: Some(vec!["r1".into(), "ü\n\"2\"".into()]),
        col_names: None,
        component_names: None,
        column_weights: None,
        origin: Origin {
            loss: "frobenius".into(),
            rule: "hals".into(),
            seed: u64::MAX,
            options,
            objective: Some(0.1 + 0.2),
            relative_error: None,
            kkt: Some(5e-324),
            status: "converged".into(),
            iterations: None,
            data,
            penalties: None,
            weighing: None,
        },
    }
}

fn bytes(model: &Model) -> Vec<u8> {
    let mut bytes = Vec::new();
    model.write(&mut bytes).unwrap();
    bytes
}

/// A file with this header and these tensor bytes, and a right checksum.
fn forged(header: &str, data: &[u8]) -> Vec<u8> {
    let mut file = b"partwise\x01\0\0\0".to_vec();
    file.extend((header.len() as u64).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(data);
    sealed(file)
}

fn sealed(mut file: Vec<u8>) -> Vec<u8> {
    let crc = crc32fast::hash(&file);
    file.extend(crc.to_le_bytes());
    file
}

fn header() -> String {
    let file = bytes(&small());
    let length = usize::try_from(u64::from_le_bytes(file[12..20].try_into().unwrap())).unwrap();
    String::from_utf8(file[20..20 + length].to_vec()).unwrap()
}

fn refused(file: &[u8]) -> String {
    let error = Model::from_bytes(file).unwrap_err();
    assert!(matches!(error, Error::Model { .. }), "{error}");
    assert_eq!((error.code(), error.exit_code()), ("E-MODEL", 8));
    error.to_string()
}

#[test]
fn a_model_reads_back_the_same() {
    let model = small();
    assert_eq!(Model::from_bytes(&bytes(&model)).unwrap(), model);
    let double = Model {
        w: None,
        h: Factor { rows: 1, cols: 3, values: FactorValues::F64(vec![0.1, 0.0, 1e300]) },
        col_names: Some(["a", "b", "c"].map(String::from).to_vec()),
        row_names: None,
        component_names: Some(vec!["soil".into()]),
        column_weights: Some(Factor {
            rows: 1,
            cols: 3,
            values: FactorValues::F64(vec![1.0, 0.0, 2.5]),
        }),
        origin: Origin { relative_error: Some(0.25), ..model.origin.clone() },
    };
    assert_eq!(Model::from_bytes(&bytes(&double)).unwrap(), double);
}

#[test]
fn penalties_and_weighing_are_kept_and_may_be_absent() {
    let mut model = small();
    let plain = header();
    assert!(!plain.contains("penalties") && !plain.contains("weighing"), "{plain}");
    let prices = Penalties { w_l1: 0.1, w_l2: 0.0, h_l1: 1e300, h_l2: 5e-324 };
    model.origin.penalties = Some(prices);
    model.origin.weighing = Some(Weighing { given: vec!["--mask".into()], observed: 4 });
    assert_eq!(Model::from_bytes(&bytes(&model)).unwrap(), model);
    model.origin.penalties = Some(Penalties { h_l2: -1.0, ..prices });
    let refused = model.write(Vec::new()).unwrap_err().to_string();
    assert!(refused.contains("h_l2: found -1, expected a finite value >= 0"), "{refused}");
}

#[test]
fn z10_the_bytes_are_fixed() {
    let file = bytes(&small());
    assert_eq!(file, bytes(&small()));
    assert_eq!(&file[..12], b"partwise\x01\0\0\0");
    assert_eq!(&file[file.len() - 24..file.len() - 20], 0.5f32.to_le_bytes());
    assert_eq!((file.len() - 24) % 8, 0);
}

#[test]
fn z01_other_files_are_named() {
    for (file, shown) in [
        (&b"\x80\x04\x95junk"[..], "pickle files are never opened"),
        (b"PK\x03\x04", "expected a partwise model"),
        (b"", "first bytes ''"),
    ] {
        let text = refused(file);
        assert!(text.contains(shown), "{text}");
    }
    let error = read_from(bytes(&small()), "m", &ReadOptions::default()).unwrap_err();
    assert!(error.to_string().contains("a partwise model (a matrix is needed here)"), "{error}");
    assert_eq!(Model::read("no/such".as_ref()).unwrap_err().exit_code(), 4);
}

#[test]
fn a_newer_version_is_named() {
    let mut file = bytes(&small());
    file[8] = 3;
    let text = refused(&file);
    assert!(text.contains("model version 3, expected version 2 or before"), "{text}");
}

/// A model of the newest version, which has a seal.
fn newest() -> Model {
    let mut model = small();
    model.origin.iterations = Some(7);
    model.origin.data.entries = Some(Entries { digest: u64::MAX, nonzero: 5, nan: 1 });
    model
}

#[test]
fn what_was_not_measured_is_null_and_reads_back() {
    for mut model in [small(), newest()] {
        (model.origin.objective, model.origin.kkt) = (None, None);
        let file = bytes(&model);
        assert!(String::from_utf8_lossy(&file).contains(r#""objective":null,"kkt":null"#));
        assert_eq!(Model::from_bytes(&file).unwrap(), model);
    }
    let without = header().replace(r#""kkt":5e-324,"#, "");
    assert!(refused(&forged(&without, &[0; 20])).contains("missing field"));
}

#[test]
fn a_sealed_model_shows_every_change_even_with_a_right_checksum() {
    let file = bytes(&newest());
    assert_eq!(&file[..12], b"partwise\x02\0\0\0");
    assert_eq!(Model::from_bytes(&file).unwrap(), newest());
    let (body, _) = file.split_last_chunk::<4>().unwrap();
    for bit in 0..body.len() * 8 {
        let mut changed = body.to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        refused(&sealed(changed));
    }
    // Nor is it one of the version before without its seal.
    let mut older = body[..body.len() - 32].to_vec();
    older[8] = 1;
    let text = refused(&sealed(older));
    assert!(text.contains("a header of another version than 1"), "{text}");
}

#[test]
fn z02_claims_of_the_header_length() {
    for length in [u64::MAX, 1 << 63, 10_000] {
        let mut file = b"partwise\x01\0\0\0".to_vec();
        file.extend(length.to_le_bytes());
        let text = refused(&sealed(file));
        assert!(
            text.contains(&format!("a header of {length} bytes, expected at most 0")),
            "{text}"
        );
    }
    let nested = forged(&"[".repeat(1_000_000), &[]);
    assert!(refused(&nested).contains("a header that is not valid"));
}

#[test]
fn z02_tensors_that_do_not_fit() {
    let good = header();
    let data = [0; 20];
    assert!(Model::from_bytes(&forged(&good, &data)).is_ok());
    for (from, to, shown) in [
        (r#""name":"w""#, r#""name":"h""#, "tensors h, h"),
        (r#""name":"h""#, r#""name":"../x""#, "tensors w, ../x"),
        (r#""offset":8"#, r#""offset":4"#, "offset 4, expected 8"),
        (r#""offset":8"#, r#""offset":12"#, "offset 12, expected 8"),
        (r#""offset":8"#, r#""offset":-8"#, "not valid"),
        (r#""offset":8"#, r#""offset":8,"extra":1"#, "unknown field"),
        (r#""offset":8"#, r#""offset":8,"offset":8"#, "duplicate field"),
        (r#""dtype":"f32""#, r#""dtype":"f64""#, "shape (1, 3) of 8 bytes each"),
        (r#""dtype":"f32""#, r#""dtype":"f16""#, "unknown variant"),
        (r#""rank":1"#, r#""rank":2"#, "shape (2, 1), expected (2, 2)"),
        (r#""rank":1"#, r#""rank":0"#, "at least one component"),
        (r#"["r1","#, r#"["r0","r1","#, "row_names: found 3 names, expected 2"),
        (r#""kkt":5e-324"#, r#""kkt":-1"#, "kkt: found -1"),
        (r#""kkt":5e-324"#, r#""kkt":1e999"#, "not valid"),
    ] {
        assert!(good.contains(from), "{from} in {good}");
        let text = refused(&forged(&good.replacen(from, to, 1), &data));
        assert!(text.contains(shown), "{to}: {text}");
    }
    assert!(refused(&forged(&good, &[0; 24])).contains("4 bytes after the tensors"));
    assert!(refused(&forged(&good, &[0; 16])).contains("tensor h: found shape (1, 3)"));
}

#[test]
fn z03_values_that_no_fit_returns() {
    for bad in [f32::NAN, f32::INFINITY, -1.0] {
        let mut data = [0; 20];
        data[16..].copy_from_slice(&bad.to_le_bytes());
        let text = refused(&forged(&header(), &data));
        assert!(
            text.contains(&format!("h[0, 2]: found {bad}, expected a finite value >= 0")),
            "{text}"
        );
        let mut model = small();
        model.h.values = FactorValues::F32(vec![0.0, bad, 0.0]);
        let error = model.write(Vec::new()).unwrap_err();
        assert!(error.to_string().contains("h[0, 1]"), "{error}");
    }
}

#[test]
fn z04_huge_claims_are_not_allocated() {
    let huge = header()
        .replace(r#""rank":1"#, r#""rank":1000000000"#)
        .replace(r#""cols":1"#, r#""cols":1000000000"#)
        .replace(r#""rows":1"#, r#""rows":1000000000"#);
    let text = refused(&forged(&huge, &[0; 20]));
    assert!(text.contains("tensor w: found shape (2, 1000000000)"), "{text}");
    let wrap = header()
        .replace(r#""rank":1"#, r#""rank":9223372036854775808"#)
        .replace(r#""cols":1"#, r#""cols":9223372036854775808"#)
        .replace(r#""rows":1"#, r#""rows":9223372036854775808"#);
    assert!(refused(&forged(&wrap, &[])).contains("tensor w"));
}

#[test]
fn z05_every_truncation_and_every_flipped_bit_is_seen() {
    let file = bytes(&small());
    for length in 0..file.len() {
        refused(&file[..length]);
    }
    for bit in 0..file.len() * 8 {
        let mut flipped = file.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        refused(&flipped);
    }
    let mut longer = file;
    longer.push(0);
    refused(&longer);
}

#[test]
fn disagreeing_models_are_not_written() {
    let mut model = small();
    model.w = Some(Factor { rows: 2, cols: 1, values: FactorValues::F64(vec![0.5, 1.0]) });
    assert!(model.write(Vec::new()).unwrap_err().to_string().contains("of the type of h"));
    let mut model = small();
    model.h.values = FactorValues::F32(vec![0.1]);
    assert!(model.write(Vec::new()).unwrap_err().to_string().contains("h: found 1 elements"));
    let mut model = small();
    model.origin.objective = Some(f64::NAN);
    assert_eq!(model.write(Vec::new()).unwrap_err().code(), "E-MODEL");
}
