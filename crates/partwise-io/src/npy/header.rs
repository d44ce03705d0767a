//! The header of an npy file: a Python dictionary literal, read without evaluating anything.

use std::io::Read;

use crate::error::{Error, Place, quoted};

/// Longest header accepted; NumPy writes 118 bytes for a matrix.
const MAX_HEADER: u32 = 64 << 10;
/// Most dimensions accepted; NumPy's own limit is 64.
const MAX_DIMS: usize = 64;

/// What the header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    /// Element type as written, such as `<f8`.
    pub(crate) descr: String,
    pub(crate) fortran_order: bool,
    pub(crate) shape: Vec<u64>,
    /// Offset of the first data byte.
    pub(crate) data_offset: u64,
}

impl Header {
    /// Reads magic, version, length and dictionary.
    pub(crate) fn read(reader: &mut dyn Read) -> Result<Self, Error> {
        let mut magic = [0; 8];
        let found = fill(reader, &mut magic)?;
        let head = magic.get(..found).unwrap_or(&magic);
        if !head.starts_with(b"\x93NUMPY") {
            let found = format!("first bytes {}", quoted(head));
            return Err(Error::format(Place::Byte(0), found, "an npy file"));
        }
        if found < 8 {
            return Err(cut(found as u64, 8));
        }
        let wide = match magic[6] {
            1 => false,
            2 | 3 => true,
            v => {
                let found = format!("npy version {v}.{}", magic[7]);
                return Err(Error::format(Place::Byte(6), found, "version 1, 2 or 3"));
            }
        };
        let (length, start) = read_length(reader, wide)?;
        if length > MAX_HEADER {
            let found = format!("a header of {length} bytes");
            return Err(Error::format(Place::Byte(8), found, format!("at most {MAX_HEADER}")));
        }
        let mut text = Vec::new();
        let expected = u64::from(length);
        reader.take(expected).read_to_end(&mut text).map_err(Error::io("read"))?;
        if (text.len() as u64) < expected {
            return Err(cut(start + text.len() as u64, start + expected));
        }
        parse(&text, start)
    }
}

fn read_length(reader: &mut dyn Read, wide: bool) -> Result<(u32, u64), Error> {
    let mut bytes = [0; 4];
    let size = if wide { 4 } else { 2 };
    let (field, _) = bytes.split_at_mut(size);
    let found = fill(reader, field)?;
    let start = 8 + size as u64;
    if found < size {
        return Err(cut(8 + found as u64, start));
    }
    Ok((u32::from_le_bytes(bytes), start))
}

fn cut(found: u64, expected: u64) -> Error {
    Error::Length {
        place: Place::Byte(found),
        what: "the npy header".into(),
        expected,
        found,
        unit: "bytes",
    }
}

/// Fills as much of the buffer as the reader has.
fn fill(reader: &mut dyn Read, buffer: &mut [u8]) -> Result<usize, Error> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(Error::io("read")(e)),
        }
    }
    Ok(filled)
}

/// Parses the dictionary; `start` is its offset in the file.
fn parse(text: &[u8], start: u64) -> Result<Header, Error> {
    let Some(body) = text.strip_suffix(b"\n") else {
        let at = Place::Byte(start + text.len().saturating_sub(1) as u64);
        return Err(Error::format(at, "a header without final newline", "one"));
    };
    let mut cursor = Cursor { text: body, at: 0, start };
    let (mut descr, mut order, mut shape) = (None, None, None);
    cursor.expect(b'{')?;
    while !cursor.eat(b'}') {
        let key_at = cursor.place();
        let key = cursor.string("a key")?;
        cursor.expect(b':')?;
        let new = match key {
            b"descr" => descr.replace(cursor.descr()?).is_none(),
            b"fortran_order" => order.replace(cursor.boolean()?).is_none(),
            b"shape" => shape.replace(cursor.shape()?).is_none(),
            _ => {
                let expected = "the keys descr, fortran_order, shape";
                return Err(Error::format(key_at, format!("key {}", quoted(key)), expected));
            }
        };
        if !new {
            let found = format!("key {} a second time", quoted(key));
            return Err(Error::format(key_at, found, "each key once"));
        }
        if !cursor.eat(b',') {
            cursor.expect(b'}')?;
            break;
        }
    }
    cursor.end()?;
    let missing = |key: &str| {
        let at = Place::Byte(start + body.len() as u64);
        Error::format(at, format!("no key '{key}'"), "the keys descr, fortran_order, shape")
    };
    Ok(Header {
        descr: descr.ok_or_else(|| missing("descr"))?,
        fortran_order: order.ok_or_else(|| missing("fortran_order"))?,
        shape: shape.ok_or_else(|| missing("shape"))?,
        data_offset: start + text.len() as u64,
    })
}

struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
    start: u64,
}

impl<'a> Cursor<'a> {
    fn place(&self) -> Place {
        Place::Byte(self.start + self.at as u64)
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_ascii_start().len();
    }

    fn eat(&mut self, byte: u8) -> bool {
        self.skip_space();
        let found = self.rest().first() == Some(&byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), Error> {
        if self.eat(byte) { Ok(()) } else { Err(self.unexpected(&format!("'{}'", byte as char))) }
    }

    fn unexpected(&self, expected: &str) -> Error {
        let rest = self.rest();
        let found = if rest.is_empty() { "the end of the header".into() } else { quoted(rest) };
        Error::format(self.place(), found, expected)
    }

    /// A string without escapes.
    fn string(&mut self, what: &str) -> Result<&'a [u8], Error> {
        self.skip_space();
        let rest = self.rest();
        let Some((&quote @ (b'\'' | b'"'), inner)) = rest.split_first() else {
            return Err(self.unexpected(what));
        };
        let Some(length) = memchr::memchr(quote, inner) else {
            return Err(self.unexpected(what));
        };
        let (string, _) = inner.split_at(length);
        if string.contains(&b'\\') || !string.is_ascii() {
            return Err(self.unexpected("plain ASCII"));
        }
        self.at += length + 2;
        Ok(string)
    }

    fn descr(&mut self) -> Result<String, Error> {
        self.skip_space();
        if self.rest().first() == Some(&b'[') {
            return Err(Error::Type {
                place: self.place(),
                found: "a structured array".into(),
                supported: super::SUPPORTED,
            });
        }
        let bytes = self.string("an element type such as '<f8'")?;
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }

    fn boolean(&mut self) -> Result<bool, Error> {
        match self.word() {
            b"True" => Ok(true),
            b"False" => Ok(false),
            _ => Err(self.unexpected("True or False")),
        }
    }

    /// Skips and returns a run of letters, digits, dots and signs; undone unless it is accepted.
    fn word(&mut self) -> &'a [u8] {
        self.skip_space();
        let rest = self.rest();
        let inside = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'+');
        let length = rest.iter().position(|b| !inside(b)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    fn shape(&mut self) -> Result<Vec<u64>, Error> {
        self.expect(b'(')?;
        let mut dims = Vec::new();
        while !self.eat(b')') {
            if dims.len() == MAX_DIMS {
                return Err(self.unexpected(&format!("at most {MAX_DIMS} dimensions")));
            }
            dims.push(self.dimension()?);
            if !self.eat(b',') {
                self.expect(b')')?;
                break;
            }
        }
        Ok(dims)
    }

    /// A size, also as `np.int64(2)` or `2L`, which some old or broken writers produce.
    fn dimension(&mut self) -> Result<u64, Error> {
        self.skip_space();
        let at = self.place();
        let mut word = self.word();
        if word.starts_with(b"np.") && self.eat(b'(') {
            word = self.word();
            self.expect(b')')?;
        }
        let digits = word.strip_suffix(b"L").unwrap_or(word);
        let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        let size = std::str::from_utf8(digits).ok().filter(|_| plain).map(str::parse);
        match size {
            Some(Ok(size)) => Ok(size),
            _ => {
                let found = format!("dimension {}", quoted(word));
                Err(Error::format(at, found, "a whole number from 0 to 2^64 - 1"))
            }
        }
    }

    fn end(&mut self) -> Result<(), Error> {
        self.skip_space();
        if self.rest().is_empty() { Ok(()) } else { Err(self.unexpected("the end of the header")) }
    }
}
