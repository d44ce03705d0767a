//! Gzip around a text file, with a limit on what it may expand to.

use std::io::{BufReader, Read};

use flate2::bufread::MultiGzDecoder;

use crate::error::Error;
use crate::memory::Budget;

/// Text may be this many times larger than the matrix it holds.
const TEXT_FACTOR: u64 = 4;

/// Decompresses all members of a gzip file. The limit is counted on the way, whatever the file
/// declares.
pub(crate) fn decode(reader: impl Read, budget: Budget) -> impl Read {
    let limit = budget.limit().saturating_mul(TEXT_FACTOR);
    Limited { inner: MultiGzDecoder::new(BufReader::new(reader)), limit, count: 0 }
}

struct Limited<R> {
    inner: R,
    limit: u64,
    count: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buffer).map_err(|cause| {
            std::io::Error::other(Error::Io { action: "decompress the gzip data", cause })
        })?;
        self.count += n as u64;
        if self.count > self.limit {
            let what = "the decompressed text".into();
            let (needed, limit) = (self.count.into(), self.limit);
            return Err(std::io::Error::other(Error::Resource { what, needed, limit }));
        }
        Ok(n)
    }
}
