//! The JSON header of a model file, and its checks.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Place, shown};
use crate::memory::reserve;

use super::{Factor, FactorValues, Model, Origin, UNSEALED, VERSION, bad};

/// Type of all tensors of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum TensorType {
    #[serde(rename = "f32")]
    F32,
    #[serde(rename = "f64")]
    F64,
}

/// One tensor: its shape and where its bytes start behind the header.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TensorEntry {
    pub(super) name: String,
    rows: u64,
    cols: u64,
    offset: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) dtype: TensorType,
    rank: u64,
    pub(super) origin: Origin,
    pub(super) tensors: Vec<TensorEntry>,
    pub(super) row_names: Option<Vec<String>>,
    pub(super) col_names: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) component_names: Option<Vec<String>>,
}

impl TensorType {
    fn size(self) -> u64 {
        match self {
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    fn of(values: &FactorValues) -> Self {
        match values {
            FactorValues::F32(_) => Self::F32,
            FactorValues::F64(_) => Self::F64,
        }
    }
}

impl TensorEntry {
    fn bytes(&self, dtype: TensorType) -> Option<u64> {
        self.rows.checked_mul(self.cols)?.checked_mul(dtype.size())
    }

    /// The factor in these bytes, whose number has been checked.
    pub(super) fn decode(&self, dtype: TensorType, bytes: &[u8]) -> Result<Factor, Error> {
        let size = |n: u64| usize::try_from(n).map_err(|_| self.too_large(dtype));
        let values = match dtype {
            TensorType::F32 => FactorValues::F32(decode(bytes, f32::from_le_bytes)?),
            TensorType::F64 => FactorValues::F64(decode(bytes, f64::from_le_bytes)?),
        };
        Ok(Factor { rows: size(self.rows)?, cols: size(self.cols)?, values })
    }

    fn too_large(&self, dtype: TensorType) -> Error {
        let found = format!("shape ({}, {}) of {} bytes each", self.rows, self.cols, dtype.size());
        bad(self.place(), found, "a tensor that the file can hold")
    }

    fn place(&self) -> Place {
        Place::Entry(format!("tensor {}", shown(self.name.as_bytes())))
    }
}

fn decode<T, const N: usize>(bytes: &[u8], convert: fn([u8; N]) -> T) -> Result<Vec<T>, Error> {
    let (chunks, _) = bytes.as_chunks();
    let mut out = Vec::new();
    reserve(&mut out, chunks.len(), "the model")?;
    out.extend(chunks.iter().map(|&chunk| convert(chunk)));
    Ok(out)
}

impl Header {
    pub(super) fn of(model: &Model) -> Self {
        let dtype = TensorType::of(&model.h.values);
        let mut offset = 0u64;
        let mut tensors = Vec::new();
        for (name, factor) in model.tensors() {
            let (rows, cols) = (factor.rows as u64, factor.cols as u64);
            tensors.push(TensorEntry { name: name.into(), rows, cols, offset });
            offset += factor.values.len() as u64 * TensorType::of(&factor.values).size();
        }
        Self {
            dtype,
            rank: model.h.rows as u64,
            origin: model.origin.clone(),
            tensors,
            row_names: model.row_names.clone(),
            col_names: model.col_names.clone(),
            component_names: model.component_names.clone(),
        }
    }

    /// The version of a file with this header.
    pub(super) fn version(&self) -> Result<u32, Error> {
        match (self.origin.iterations, self.origin.data.entries) {
            (Some(_), Some(_)) => Ok(VERSION),
            (None, None) => Ok(UNSEALED),
            (iterations, _) => {
                let found = if iterations.is_some() { "iterations" } else { "entries" };
                let expected = "both iterations and entries, or neither";
                Err(bad(Place::Entry(found.into()), format!("{found} alone"), expected))
            }
        }
    }

    /// Checks that everything agrees, looking at no tensor yet.
    pub(super) fn check(&self) -> Result<(), Error> {
        let names: Vec<&str> = self.tensors.iter().map(|t| t.name.as_str()).collect();
        let factors = names.strip_suffix(&["column_weights"]).unwrap_or(&names);
        if !matches!(factors, ["h"] | ["w", "h"]) {
            let found = format!("tensors {}", shown(names.join(", ").as_bytes()));
            let expected = "w (or not), h, column_weights (or not), each once and in this order";
            return Err(bad(Place::File, found, expected));
        }
        let (rows, cols) = (self.origin.data.rows, self.origin.data.cols);
        for tensor in &self.tensors {
            let needed = match tensor.name.as_str() {
                "w" => (rows, self.rank),
                "h" => (self.rank, cols),
                _ => (1, cols),
            };
            if (tensor.rows, tensor.cols) != needed || self.rank == 0 {
                let found = format!("shape ({}, {})", tensor.rows, tensor.cols);
                let expected = format!("({}, {}) and at least one component", needed.0, needed.1);
                return Err(bad(tensor.place(), found, expected));
            }
        }
        check_names("row_names", self.row_names.as_deref(), rows)?;
        check_names("col_names", self.col_names.as_deref(), cols)?;
        check_names("component_names", self.component_names.as_deref(), self.rank)?;
        let prices =
            self.origin.penalties.iter().flat_map(|p| {
                [("w_l1", p.w_l1), ("w_l2", p.w_l2), ("h_l1", p.h_l1), ("h_l2", p.h_l2)]
            });
        // What was not measured is null.
        let Origin { objective, kkt, relative_error, .. } = self.origin;
        let figures = [("objective", objective), ("kkt", kkt), ("relative_error", relative_error)];
        let figures = figures.into_iter().filter_map(|(name, value)| Some((name, value?)));
        for (name, value) in figures.chain(prices) {
            if !(value.is_finite() && value >= 0.0) {
                return Err(bad(
                    Place::Entry(name.into()),
                    format!("{value}"),
                    "a finite value >= 0",
                ));
            }
        }
        Ok(())
    }

    /// Where each tensor lies in the data, which they must cover without gap or overlap.
    pub(super) fn ranges(&self, length: u64) -> Result<Vec<Range<usize>>, Error> {
        let mut ranges = Vec::new();
        let mut start = 0u64;
        for tensor in &self.tensors {
            let end = tensor.bytes(self.dtype).and_then(|bytes| start.checked_add(bytes));
            let Some(end) = end.filter(|&end| end <= length) else {
                return Err(tensor.too_large(self.dtype));
            };
            if tensor.offset != start {
                let found = format!("offset {}", tensor.offset);
                return Err(bad(tensor.place(), found, format!("{start}, without gap or overlap")));
            }
            match (usize::try_from(start), usize::try_from(end)) {
                (Ok(start), Ok(end)) => ranges.push(start..end),
                _ => return Err(tensor.too_large(self.dtype)),
            }
            start = end;
        }
        if start != length {
            let found = format!("{} bytes after the tensors", length - start);
            return Err(bad(Place::File, found, "none"));
        }
        Ok(ranges)
    }
}

fn check_names(what: &str, names: Option<&[String]>, expected: u64) -> Result<(), Error> {
    match names {
        Some(names) if names.len() as u64 != expected => {
            let found = format!("{} names", names.len());
            Err(bad(Place::Entry(what.into()), found, format!("{expected}")))
        }
        _ => Ok(()),
    }
}
