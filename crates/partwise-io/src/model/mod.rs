//! Model files: the factors of a fit with all that is needed to use and to trust them.
//!
//! The layout, all numbers little-endian:
//!
//! | bytes | content |
//! |---|---|
//! | 8 | `partwise` |
//! | 4 | version: 2, or 1 without a seal |
//! | 8 | length of the header |
//! | … | header: JSON, filled up with spaces so that the tensors start at a multiple of 8 |
//! | … | tensors, row-major, in the order of the header, without gaps: `w` (if kept), `h`, `column_weights` (if any) |
//! | 32 | seal: BLAKE3 of everything before, from version 2 on |
//! | 4 | CRC-32 of everything before |
//!
//! Nothing in it can run, nothing depends on the time or the machine: the same model gives the same
//! bytes. A reader refuses every truncation and every flipped bit. The seal shows that header and factors
//! are those that were written together. It is no signature: whoever knows how it is made can make another.
//! A header of version 2 says how many iterations were made and which X they were made on
//! ([`Fingerprint::entries`]); models of version 1 say neither, and are read and written as they were.

mod header;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Place, quoted};
use crate::format::is_pickle;
use crate::memory::Budget;

use header::Header;

const MAGIC: &[u8; 8] = b"partwise";
/// The newest version, and the one without a seal.
const VERSION: u32 = 2;
const UNSEALED: u32 = 1;
/// Magic, version and length of the header.
const START: usize = 20;
const CRC: usize = 4;
const SEAL: usize = 32;

/// A factor matrix, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Factor {
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub cols: usize,
    /// The elements: finite and not negative.
    pub values: FactorValues,
}

/// Elements of a factor.
#[derive(Debug, Clone, PartialEq)]
pub enum FactorValues {
    /// Single precision.
    F32(Vec<f32>),
    /// Double precision.
    F64(Vec<f64>),
}

/// What identifies the matrix that a model was fitted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fingerprint {
    /// Number of rows.
    pub rows: u64,
    /// Number of columns.
    pub cols: u64,
    /// Number of stored elements.
    pub stored: u64,
    /// Bits of the sum of all elements as a double.
    pub sum_bits: u64,
    /// Its entries; none in a model of version 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entries: Option<Entries>,
}

/// What tells the entries of a matrix from those of any other, however they are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entries {
    /// A digest of the places and values of all that are not zero.
    pub digest: u64,
    /// How many of them are numbers, and how many NaN.
    pub nonzero: u64,
    /// See `nonzero`.
    pub nan: u64,
}

/// How a model came about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// Name of the loss.
    pub loss: String,
    /// Name of the update rule.
    pub rule: String,
    /// Seed of the random numbers.
    pub seed: u64,
    /// The other options, by name.
    pub options: BTreeMap<String, String>,
    /// Value of the loss at the end, if it was measured.
    #[serde(deserialize_with = "Option::deserialize")]
    pub objective: Option<f64>,
    /// √(D / D₀) at the end, as the engine defines it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relative_error: Option<f64>,
    /// Stationarity residual at the end, if it was measured.
    #[serde(deserialize_with = "Option::deserialize")]
    pub kkt: Option<f64>,
    /// How the fit ended.
    pub status: String,
    /// Iterations that it took; none in a model of version 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iterations: Option<u64>,
    /// The matrix it was fitted to.
    pub data: Fingerprint,
    /// What the factors were charged, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub penalties: Option<Penalties>,
    /// Which entries were observed and how they were weighed, unless all counted once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weighing: Option<Weighing>,
}

/// Prices of the entries of both factors: λ₁ of their sum, λ₂ of half the sum of their squares.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields are their own names")]
pub struct Penalties {
    pub w_l1: f64,
    pub w_l2: f64,
    pub h_l1: f64,
    pub h_l2: f64,
}

/// What was left out of a fit, and what was weighed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weighing {
    /// The options that said so.
    pub given: Vec<String>,
    /// Entries of the matrix that counted.
    pub observed: u64,
}

/// A fitted factorization X ≈ W H.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// m × k, if it is kept.
    pub w: Option<Factor>,
    /// k × n.
    pub h: Factor,
    /// Names of the m rows of X.
    pub row_names: Option<Vec<String>>,
    /// Names of the n columns of X.
    pub col_names: Option<Vec<String>>,
    /// Names of the k components, where they have other names than their numbers.
    pub component_names: Option<Vec<String>>,
    /// Weights of the n columns, 1 × n, if they were not all 1: new rows are weighed by them too.
    pub column_weights: Option<Factor>,
    /// How it came about.
    pub origin: Origin,
}

impl Model {
    /// Writes the model.
    ///
    /// # Errors
    ///
    /// [`Error::Model`] if shapes disagree or a number is not finite or negative; [`Error::Io`].
    pub fn write(&self, mut out: impl Write) -> Result<(), Error> {
        let header = Header::of(self);
        header.check()?;
        let version = header.version()?;
        for (name, factor) in self.tensors() {
            self.check_length(name, factor)?;
            check_factor(name, factor)?;
        }
        let mut json = serde_json::to_vec(&header).map_err(|e| Error::Model {
            place: Place::File,
            found: format!("a header that is no JSON ({e})"),
            expected: "plain values".into(),
        })?;
        while !(START + json.len()).is_multiple_of(8) {
            json.push(b' ');
        }
        let (mut crc, mut seal) = (crc32fast::Hasher::new(), blake3::Hasher::new());
        let mut put = |bytes: &[u8]| {
            crc.update(bytes);
            seal.update(bytes);
            out.write_all(bytes).map_err(Error::io("write"))
        };
        put(MAGIC)?;
        put(&version.to_le_bytes())?;
        put(&(json.len() as u64).to_le_bytes())?;
        put(&json)?;
        for (_, factor) in self.tensors() {
            factor.values.write(&mut put)?;
        }
        if version > UNSEALED {
            let seal = seal.finalize();
            crc.update(seal.as_bytes());
            out.write_all(seal.as_bytes()).map_err(Error::io("write"))?;
        }
        out.write_all(&crc.finalize().to_le_bytes()).map_err(Error::io("write"))?;
        out.flush().map_err(Error::io("write"))
    }

    /// Reads a model file.
    ///
    /// # Errors
    ///
    /// [`Error::Model`] if it is damaged, hostile, or no model; [`Error::Io`] if it cannot be read.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let name = path.to_string_lossy();
        let read = |budget: Budget| {
            let mut bytes = Vec::new();
            let file = File::open(path).map_err(Error::io("read"))?;
            let most = budget.limit().saturating_add(1);
            file.take(most).read_to_end(&mut bytes).map_err(Error::io("read"))?;
            budget.check(|| "the model".into(), bytes.len() as u128)?;
            Ok(bytes)
        };
        // A device may never end.
        let bytes = read(Budget::new(None, u64::MAX)).map_err(|error: Error| error.at(&name))?;
        Self::from_bytes(&bytes).map_err(|error| error.at(&name))
    }

    /// Reads a model from memory.
    ///
    /// # Errors
    ///
    /// [`Error::Model`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let (version, body) = checked_body(bytes)?;
        let (json, data) = split_header(body)?;
        let header: Header = serde_json::from_slice(json).map_err(|e| Error::Model {
            place: Place::Byte(START as u64),
            found: format!("a header that is not valid ({e})"),
            expected: format!("the fields of version {version}"),
        })?;
        header.check()?;
        if header.version()? != version {
            let found = format!("a header of another version than {version}, which the file has");
            return Err(bad(Place::Byte(8), found, "one version"));
        }
        let ranges = header.ranges(data.len() as u64)?;
        let (mut w, mut h, mut column_weights) = (None, None, None);
        for (entry, range) in header.tensors.iter().zip(ranges) {
            let bytes = data.get(range).unwrap_or_default();
            let factor = entry.decode(header.dtype, bytes)?;
            check_factor(&entry.name, &factor)?;
            let place = match entry.name.as_str() {
                "w" => &mut w,
                "h" => &mut h,
                _ => &mut column_weights,
            };
            *place = Some(factor);
        }
        let Some(h) = h else {
            return Err(bad(Place::File, "no tensor h", "one"));
        };
        let Header { row_names, col_names, component_names, origin, .. } = header;
        Ok(Self { w, h, row_names, col_names, component_names, column_weights, origin })
    }

    /// Number of components.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.h.rows
    }

    /// Checks that a factor has as many elements as its shape says, in the type of the other.
    fn check_length(&self, name: &str, factor: &Factor) -> Result<(), Error> {
        let same = matches!(
            (&factor.values, &self.h.values),
            (FactorValues::F32(_), FactorValues::F32(_))
                | (FactorValues::F64(_), FactorValues::F64(_))
        );
        let (rows, cols, found) = (factor.rows, factor.cols, factor.values.len());
        if same && rows.checked_mul(cols) == Some(found) {
            return Ok(());
        }
        let expected = format!("{rows} x {cols} of the type of h");
        Err(bad(Place::Entry(name.into()), format!("{found} elements"), expected))
    }

    fn tensors(&self) -> impl Iterator<Item = (&'static str, &Factor)> {
        let weights = self.column_weights.iter().map(|weights| ("column_weights", weights));
        self.w.iter().map(|w| ("w", w)).chain([("h", &self.h)]).chain(weights)
    }
}

impl FactorValues {
    /// Number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::F32(v) => v.len(),
            Self::F64(v) => v.len(),
        }
    }

    /// Whether there is no element.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn write(&self, put: &mut impl FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
        const CHUNK: usize = 8 << 10;
        match self {
            Self::F32(v) => v.chunks(CHUNK).try_for_each(|chunk| {
                put(&chunk.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>())
            }),
            Self::F64(v) => v.chunks(CHUNK).try_for_each(|chunk| {
                put(&chunk.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>())
            }),
        }
    }

    /// The first element that is negative or not finite.
    fn first_bad(&self) -> Option<(usize, f64)> {
        let bad = |x: f64| !(x.is_finite() && x >= 0.0);
        let mut values: Box<dyn Iterator<Item = f64>> = match self {
            Self::F32(v) => Box::new(v.iter().map(|&x| f64::from(x))),
            Self::F64(v) => Box::new(v.iter().copied()),
        };
        values.by_ref().enumerate().find(|&(_, x)| bad(x))
    }
}

fn check_factor(name: &str, factor: &Factor) -> Result<(), Error> {
    let Some((index, value)) = factor.values.first_bad() else {
        return Ok(());
    };
    let (row, col) = (index / factor.cols.max(1), index % factor.cols.max(1));
    let place = Place::Entry(format!("{name}[{row}, {col}]"));
    Err(bad(place, format!("{value}"), "a finite value >= 0"))
}

/// The version, and everything before seal and checksum, once all of these are right.
fn checked_body(bytes: &[u8]) -> Result<(u32, &[u8]), Error> {
    if is_pickle(bytes) {
        let found = "a Python pickle (pickle files are never opened)";
        return Err(bad(Place::File, found, "a partwise model"));
    }
    let Some(rest) = bytes.strip_prefix(MAGIC) else {
        let found = format!("first bytes {}", quoted(bytes.get(..8).unwrap_or(bytes)));
        return Err(bad(Place::File, found, "a partwise model"));
    };
    let Some((version, _)) = rest.split_first_chunk() else {
        return Err(truncated(bytes));
    };
    let version = u32::from_le_bytes(*version);
    if !(UNSEALED..=VERSION).contains(&version) {
        let expected = format!("version {VERSION} or before; a newer partwise may read it");
        return Err(bad(Place::Byte(8), format!("model version {version}"), expected));
    }
    if bytes.len() < START + CRC {
        return Err(truncated(bytes));
    }
    let Some((body, crc)) = bytes.split_last_chunk() else {
        return Err(truncated(bytes));
    };
    let (stored, computed) = (u32::from_le_bytes(*crc), crc32fast::hash(body));
    if stored != computed {
        let found = format!("checksum {stored:#010x} over {} bytes", body.len());
        let expected = format!("{computed:#010x}; the file is damaged or cut short");
        return Err(bad(Place::Byte(body.len() as u64), found, expected));
    }
    if version == UNSEALED {
        return Ok((version, body));
    }
    let Some((body, seal)) = body.split_last_chunk::<SEAL>() else {
        return Err(truncated(bytes));
    };
    if blake3::hash(body) != *seal {
        let found = "a seal of other contents";
        let expected = "that of these: header or factors were changed after the fit";
        return Err(bad(Place::Byte(body.len() as u64), found, expected));
    }
    Ok((version, body))
}

fn split_header(body: &[u8]) -> Result<(&[u8], &[u8]), Error> {
    let length = body.get(12..START).and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes);
    let rest = body.get(START..).unwrap_or_default();
    usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length)).ok_or_else(|| {
        let expected = format!("at most {}, the length of the file", rest.len());
        bad(Place::Byte(12), format!("a header of {length} bytes"), expected)
    })
}

fn truncated(bytes: &[u8]) -> Error {
    let found = format!("the end of the file after {} bytes", bytes.len());
    bad(Place::Byte(bytes.len() as u64), found, "a whole partwise model")
}

fn bad(place: Place, found: impl Into<String>, expected: impl Into<String>) -> Error {
    Error::Model { place, found: found.into(), expected: expected.into() }
}
