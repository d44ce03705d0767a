//! Arrays of text, or of numbers, as names.

use std::io::Read;

use crate::error::{Error, Place};
use crate::memory::{Budget, reserve};
use crate::numbers::each;

use super::{Header, read_array, shown_shape};

/// Reads an array of one dimension as names: text (`<U…`, `|S…`), or numbers as they are written.
pub(crate) fn read_names(
    reader: &mut dyn Read,
    header: Header,
    length: u64,
    budget: Budget,
) -> Result<Vec<String>, Error> {
    let &[count] = header.shape.as_slice() else {
        let found = shown_shape(&header.shape);
        return Err(Error::Shape { place: Place::File, found, expected: "one dimension of names" });
    };
    let Some((width, wide, big)) = text_type(&header.descr) else {
        let array = read_array(reader, header, length, budget)?;
        return Ok(each!(array.numbers, v => v.iter().map(ToString::to_string).collect()));
    };
    let bytes = width.saturating_mul(if wide { 4 } else { 1 });
    let available = length.saturating_sub(header.data_offset);
    let needed = count.saturating_mul(bytes);
    if needed > available {
        return Err(Error::Length {
            place: Place::Byte(header.data_offset),
            what: format!("{} of shape {}", header.descr, shown_shape(&header.shape)),
            expected: needed,
            found: available,
            unit: "data bytes",
        });
    }
    budget.check(|| "the names".into(), u128::from(needed) + u128::from(count) * 24)?;
    let mut names = Vec::new();
    if count == 0 {
        // A width says nothing of names that are not there.
        return Ok(names);
    }
    let width = usize::try_from(bytes).map_err(|_| Error::out_of_memory("a name", bytes))?;
    let mut buffer = Vec::new();
    reserve(&mut buffer, width, "a name")?;
    buffer.resize(width, 0);
    for _ in 0..count {
        reader.read_exact(&mut buffer).map_err(Error::io("read"))?;
        names.push(if wide { utf32(&buffer, big) } else { latin(&buffer) });
    }
    Ok(names)
}

/// Length, whether characters take four bytes, and byte order of a type of text.
fn text_type(descr: &str) -> Option<(u64, bool, bool)> {
    let kind = descr.trim_start_matches(['<', '>', '|', '=']);
    let (letter, width) = kind.split_at_checked(1)?;
    let wide = match letter {
        "U" => true,
        "S" => false,
        _ => return None,
    };
    Some((width.parse().ok()?, wide, descr.starts_with('>')))
}

fn utf32(bytes: &[u8], big: bool) -> String {
    let codes = bytes.as_chunks::<4>().0.iter();
    let codes = codes.map(|b| if big { u32::from_be_bytes(*b) } else { u32::from_le_bytes(*b) });
    let text: String =
        codes.map(|code| char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    text.trim_end_matches('\0').to_owned()
}

fn latin(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned()
}
