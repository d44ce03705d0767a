//! What an archive holds, checked before any of it is read.

use std::io::{Read, Seek, SeekFrom};

use zip::ZipArchive;

use crate::error::{Error, Place, shown};
use crate::kinds;

use super::refused;

/// Most entries in an archive; SciPy writes six at most.
const MAX_ENTRIES: u64 = 64;

pub(super) fn check_count(entries: u64) -> Result<(), Error> {
    if entries <= MAX_ENTRIES {
        return Ok(());
    }
    let found = format!("an archive of {entries} entries");
    Err(Error::format(Place::File, found, format!("at most {MAX_ENTRIES}")))
}

/// The number of entries that an archive declares at its end, if it ends without comment; so that a
/// directory of millions is not even read.
pub(super) fn declared_entries(reader: &mut (impl Read + Seek)) -> Result<Option<u64>, Error> {
    let Some(end) = tail::<22>(reader, SeekFrom::End(-22))? else { return Ok(None) };
    let count = u64::from(u16::from_le_bytes([end[10], end[11]]));
    if !end.starts_with(b"PK\x05\x06") || count < u64::from(u16::MAX) {
        return Ok(end.starts_with(b"PK\x05\x06").then_some(count));
    }
    // The 64-bit count stands in a record of its own, in front of its locator.
    let Some(record) = tail::<56>(reader, SeekFrom::End(-22 - 20 - 56))? else { return Ok(None) };
    let count = record.get(32..40).and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes);
    Ok(count.filter(|_| record.starts_with(b"PK\x06\x06")))
}

fn tail<const N: usize>(
    reader: &mut (impl Read + Seek),
    from: SeekFrom,
) -> Result<Option<[u8; N]>, Error> {
    let mut bytes = [0; N];
    if reader.seek(from).is_err() {
        return Ok(None);
    }
    let result = reader.read_exact(&mut bytes).map(|()| Some(bytes));
    result.map_err(Error::io("read the end of the archive"))
}

/// Refuses an archive without a single array by what it is.
pub(super) fn refuse_others<R: Read + Seek>(archive: &mut ZipArchive<R>) -> Result<(), Error> {
    let mut names = Vec::new();
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(|e| refused("", e))?;
        names.push(String::from_utf8_lossy(entry.name_raw()).into_owned());
    }
    let inside = |name: &String| {
        !name.contains(|c: char| c.is_control() || c == '\\' || c == ':')
            && name.split('/').all(|part| !matches!(part, "" | "." | ".."))
    };
    let is_arrays = names.iter().any(|name| name.ends_with(".npy"));
    if names.is_empty() || is_arrays || !names.iter().all(inside) {
        return Ok(());
    }
    Err(kinds::zip(&names))
}

/// The names of all entries, all of them plain.
pub(super) fn entry_names<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(|e| refused("", e))?;
        let raw = entry.name_raw();
        let place = || Place::Entry(shown(raw));
        let plain = raw.iter().all(|&b| b.is_ascii_graphic() || b == b' ')
            && !raw.iter().any(|b| b"/\\:".contains(b));
        if !plain || raw.starts_with(b".") || entry.is_symlink() || entry.is_dir() {
            let expected = "entries with plain names, no folders, no links";
            return Err(Error::format(place(), "this entry", expected));
        }
        if entry.encrypted() {
            return Err(Error::format(place(), "an encrypted entry", "one without password"));
        }
        let method = entry.compression();
        if !matches!(method, zip::CompressionMethod::Stored | zip::CompressionMethod::Deflated) {
            let found = format!("compression method {method}");
            return Err(Error::format(place(), found, "stored or deflate"));
        }
        names.push(String::from_utf8_lossy(raw).into_owned());
    }
    Ok(names)
}
