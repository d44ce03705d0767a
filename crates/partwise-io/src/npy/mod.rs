//! NumPy arrays (`.npy`, versions 1 to 3): booleans, integers, half, single and double precision,
//! either byte order, either element order.

mod decode;
mod header;
mod names;

use std::io::Read;

use crate::error::{Error, Place};
use crate::memory::Budget;
use crate::notice::Notice;
use crate::numbers::Numbers;
use crate::table::{Order, Table, Values};

pub(crate) use decode::ElementType;
pub(crate) use header::Header;
pub(crate) use names::read_names;

pub(crate) const SUPPORTED: &str =
    "supported are bool, int8 to int64, uint8 to uint64, float16 to float64: convert with astype";

/// An array of any number of dimensions.
pub(crate) struct Array {
    pub(crate) shape: Vec<u64>,
    pub(crate) fortran_order: bool,
    pub(crate) numbers: Numbers,
    /// Bytes after the data.
    pub(crate) trailing: u64,
}

/// Reads a matrix from an npy file of a known length.
pub(crate) fn read_table<R: Read>(
    mut reader: R,
    length: u64,
    budget: Budget,
) -> Result<Table, Error> {
    let header = Header::read(&mut reader)?;
    let (rows, cols) = matrix_shape(&header.shape)?;
    into_table(read_array(reader, header, length, budget)?, rows, cols)
}

/// The table of an array whose shape has been checked.
pub(crate) fn into_table(array: Array, rows: usize, cols: usize) -> Result<Table, Error> {
    let order = if array.fortran_order { Order::ColumnMajor } else { Order::RowMajor };
    let mut table = Table::new(rows, cols, Values::Dense { numbers: array.numbers, order });
    if array.trailing > 0 {
        table.notices.push(Notice::TrailingBytes { count: array.trailing });
    }
    Ok(table)
}

/// The two dimensions of a matrix that is not empty.
pub(crate) fn matrix_shape(shape: &[u64]) -> Result<(usize, usize), Error> {
    let &[rows, cols] = shape else {
        return Err(Error::Shape {
            place: Place::File,
            found: shown_shape(shape),
            expected: "two dimensions; reshape or transpose before saving",
        });
    };
    if rows == 0 || cols == 0 {
        return Err(Error::Empty { rows, cols });
    }
    match (usize::try_from(rows), usize::try_from(cols)) {
        (Ok(rows), Ok(cols)) => Ok((rows, cols)),
        _ => Err(overflow(shape)),
    }
}

/// Reads the elements that follow a header; `length` counts the whole file.
pub(crate) fn read_array<R: Read>(
    mut reader: R,
    header: Header,
    length: u64,
    budget: Budget,
) -> Result<Array, Error> {
    let kind = ElementType::parse(&header.descr)?;
    let count = header.shape.iter().try_fold(1u64, |n, &d| n.checked_mul(d));
    let bytes = count.and_then(|n| n.checked_mul(kind.size()));
    let (Some(count), Some(bytes)) = (count, bytes) else {
        return Err(overflow(&header.shape));
    };
    let available = length.saturating_sub(header.data_offset);
    if bytes > available {
        return Err(Error::Length {
            place: Place::Byte(header.data_offset),
            what: format!("{} of shape {}", header.descr, shown_shape(&header.shape)),
            expected: bytes,
            found: available,
            unit: "data bytes",
        });
    }
    budget.check(|| "the array".into(), u128::from(count) * u128::from(kind.memory()))?;
    let numbers = decode::numbers(&mut reader, kind, count)?;
    Ok(Array {
        shape: header.shape,
        fortran_order: header.fortran_order,
        numbers,
        trailing: available - bytes,
    })
}

/// A shape as Python writes it.
pub(crate) fn shown_shape(shape: &[u64]) -> String {
    let dims: Vec<String> = shape.iter().map(u64::to_string).collect();
    let comma = if dims.len() == 1 { "," } else { "" };
    format!("({}{comma})", dims.join(", "))
}

fn overflow(shape: &[u64]) -> Error {
    let found = format!("shape {}, whose size overflows 64 bits", shown_shape(shape));
    Error::format(Place::File, found, "a size that the file can hold")
}
