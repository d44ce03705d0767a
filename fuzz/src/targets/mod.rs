//! What is read, and how inputs for it are made.

mod model;
mod mtx;
mod npy;
mod npz;
mod text;

use crate::random::Random;
use crate::{Outcome, bytes, corpus, promises};
use partwise_io::{Columns, Model, ReadOptions, Switch, read_from};

/// Most bytes that a reader may take for an input.
const ALLOWED: u64 = 64 << 20;

/// A reader with what makes inputs for it.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// What it is called, which is how its files end.
    pub name: &'static str,
    /// A file of its kind, most of it as it should be.
    made: fn(&mut Random) -> Vec<u8>,
    read: fn(Vec<u8>, &mut Random) -> Outcome,
}

/// All readers.
pub const TARGETS: [Target; 5] = [
    Target { name: "text", made: text::made, read: table::<TEXT> },
    Target { name: "npy", made: npy::made, read: table::<NPY> },
    Target { name: "npz", made: npz::made, read: table::<NPZ> },
    Target { name: "mtx", made: mtx::made, read: table::<MTX> },
    Target { name: "model", made: model::made, read: model },
];

const TEXT: usize = 0;
const NPY: usize = 1;
const NPZ: usize = 2;
const MTX: usize = 3;

impl Target {
    /// Input number `input` of a run: first the corpus as it is, then changed files of it and made ones.
    #[must_use]
    pub fn input(&self, corpus: &[Vec<u8>], seed: u64, input: u64) -> Vec<u8> {
        if let Some(file) = usize::try_from(input).ok().and_then(|input| corpus.get(input)) {
            return file.clone();
        }
        let mut random = Random::new(seed, input);
        let mut file = if corpus.is_empty() || !random.one_in(3) {
            (self.made)(&mut random)
        } else {
            corpus[random.below(corpus.len())].clone()
        };
        // Of a model every change of a byte is seen at once.
        if self.name != "model" || random.one_in(4) {
            bytes::change(&mut file, &mut random);
        }
        if matches!(self.name, "text" | "mtx") && random.one_in(16) {
            file = gzipped(&file);
            bytes::change(&mut file, &mut random);
        }
        file
    }

    /// Reads an input by options that its number decides.
    ///
    /// # Panics
    /// If what is read breaks a promise.
    #[must_use]
    pub fn read(&self, file: Vec<u8>, seed: u64, input: u64) -> Outcome {
        (self.read)(file, &mut Random::new(!seed, input))
    }

    /// The files that this target begins with.
    #[must_use]
    pub fn corpus(&self) -> Vec<Vec<u8>> {
        corpus(self.name)
    }
}

fn gzipped(file: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    // A vector takes all that is written to it.
    let _ = std::io::Write::write_all(&mut encoder, file);
    encoder.finish().unwrap_or_default()
}

fn table<const AT: usize>(file: Vec<u8>, random: &mut Random) -> Outcome {
    let name = format!("x.{}", TARGETS[AT].name);
    match read_from(file, &name, &options(random)) {
        Ok(table) => {
            promises::check(&table);
            Outcome::Read
        }
        Err(error) => {
            assert!(matches!(error.exit_code(), 2..=5), "{error}");
            Outcome::Refused
        }
    }
}

fn model(file: Vec<u8>, _: &mut Random) -> Outcome {
    match Model::from_bytes(&file) {
        Ok(model) => {
            let mut again = Vec::new();
            let written = model.write(&mut again);
            assert!(written.is_ok(), "what was read cannot be written: {written:?}");
            assert!(Model::from_bytes(&again).is_ok_and(|same| same == model), "another model");
            Outcome::Read
        }
        Err(error) => {
            assert_eq!(error.exit_code(), 8, "{error}");
            Outcome::Refused
        }
    }
}

/// Options, most of them as they are by default.
fn options(random: &mut Random) -> ReadOptions {
    let mut all = ReadOptions { memory_limit: Some(ALLOWED), ..ReadOptions::default() };
    if random.one_in(3) {
        return all;
    }
    let switch =
        |random: &mut Random| random.pick(&[Switch::Auto, Switch::Auto, Switch::Yes, Switch::No]);
    all.header = switch(random);
    all.row_names = switch(random);
    all.sparse = random.one_in(2);
    all.missing_as_nan = random.one_in(2);
    all.transpose = random.one_in(4);
    all.triples = random.one_in(6);
    all.delimiter = random.one_in(6).then(|| random.pick(b",;\t |:"));
    all.decimal = random.one_in(6).then(|| random.pick(b",."));
    all.comment = random.one_in(6).then(|| random.pick(b"#%;/"));
    all.skip_lines = if random.one_in(8) { random.size() } else { 0 };
    all.na = if random.one_in(6) { vec![random.number()] } else { Vec::new() };
    all.entry = random.one_in(12).then(|| random.pick(&["data", "X", "indptr.npy", ""]).to_owned());
    let column =
        |random: &mut Random| random.pick(&["1", "2-3", "a", "0", "1-", "9999999999"]).to_owned();
    if random.one_in(8) {
        all.columns = Columns { keep: vec![column(random)], drop: Vec::new() };
    } else if random.one_in(8) {
        all.columns = Columns { keep: Vec::new(), drop: vec![column(random)] };
    }
    all.known_columns = random.one_in(12).then(|| vec!["a".into(), "b".into()]);
    all
}
