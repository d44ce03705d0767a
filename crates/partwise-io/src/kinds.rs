//! Kinds of files that are refused by name, each with what to do about it.

use crate::error::{Error, Place, quoted};

const SUPPORTED: &str =
    "supported are npy, npz, Matrix Market, CSV/TSV and the two text kinds gzipped";

const SHEET: &str = "save the sheet as CSV (in a spreadsheet: Save As), or in Python: \
                     pandas.read_excel(FILE).to_csv('x.csv', index=False)";
const HDF5: &str = "save its matrix, in Python: numpy.save('x.npy', h5py.File(FILE)['NAME'][:]), or \
                    for AnnData scipy.sparse.save_npz('x.npz', anndata.read_h5ad(FILE).X)";
const MATLAB: &str = "save it as CSV, in MATLAB: writematrix(X, 'x.csv'), or in Python: \
                      numpy.save('x.npy', scipy.io.loadmat(FILE)['X'])";
const MATLAB_73: &str = "save it as CSV, in MATLAB: writematrix(X, 'x.csv'), or in Python: \
                         numpy.save('x.npy', h5py.File(FILE)['X'][:].T)";
const IMAGE: &str = "save its pixels, in Python: numpy.save('x.npy', matplotlib.image.imread(FILE)), \
                     as a matrix of one row for each image or pixel";
const SOUND: &str = "save a spectrogram, in Python: scipy.signal.stft of what \
                     scipy.io.wavfile.read(FILE) gives, then numpy.save('x.npy', abs(Z))";
const R_DATA: &str = "save it as CSV, in R: write.csv(x, 'x.csv'), or Matrix::writeMM(x, 'x.mtx')";
const ARCHIVE: &str = "unpack it first; a single text file may also be piped: \
                       partwise fit - < FILE";
const STATA: &str = "save it as CSV, in Python: pandas.read_stata(FILE).to_csv('x.csv')";
const SPSS: &str = "save it as CSV, in Python: pandas.read_spss(FILE).to_csv('x.csv')";
const TABLE: &str = "save it as CSV";
const PACKED: &str = "decompress it first; only gzip is read as it is";

/// First bytes of well-known files, what they are, and what to do.
const MAGIC: [(&[u8], &str, &str); 47] = [
    (b"partwise", "a partwise model (a matrix is needed here)", SUPPORTED),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", HDF5),
    (b"MATLAB 7.3", "a MATLAB 7.3 file, which is HDF5", MATLAB_73),
    (b"MATLAB 5.0", "a MATLAB 5 file", MATLAB),
    (
        b"PAR1\x15",
        "a Parquet file",
        "save it as CSV, in Python: pandas.read_parquet(FILE).to_csv('x.csv')",
    ),
    (
        b"ARROW1\0",
        "an Arrow or Feather file",
        "save it as CSV, in Python: pandas.read_feather(FILE).to_csv('x.csv')",
    ),
    (
        b"FEA1\0",
        "a Feather file",
        "save it as CSV, in Python: pandas.read_feather(FILE).to_csv('x.csv')",
    ),
    (
        b"SQLite format 3\0",
        "an SQLite database",
        "save a table as CSV: sqlite3 -header -csv FILE 'SELECT * FROM NAME' > x.csv",
    ),
    (b"%PDF-", "a PDF document", "save its table as CSV"),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an old Excel file (.xls) or another Office document",
        SHEET,
    ),
    (b"RDX2\n", "an RData file", R_DATA),
    (b"RDX3\n", "an RData file", R_DATA),
    (b"RDA2\n", "an RData file", R_DATA),
    (b"RDA3\n", "an RData file", R_DATA),
    (b"X\n\0\0\0\x02", "an R object (.rds)", R_DATA),
    (b"X\n\0\0\0\x03", "an R object (.rds)", R_DATA),
    (b"B\n\x02\0\0\0", "an R object (.rds)", R_DATA),
    (b"B\n\x03\0\0\0", "an R object (.rds)", R_DATA),
    (b"\x89PNG\r\n\x1a\n", "a PNG image", IMAGE),
    (b"\xff\xd8\xff", "a JPEG image", IMAGE),
    (b"II*\0", "a TIFF image", IMAGE),
    (b"MM\0*", "a TIFF image", IMAGE),
    (b"GIF89a", "a GIF image", IMAGE),
    (b"GIF87a", "a GIF image", IMAGE),
    (b"fLaC", "a FLAC sound", SOUND),
    (b"OggS", "an Ogg sound", SOUND),
    (b"ID3\x03", "an MP3 sound", SOUND),
    (
        b"CDF\x01",
        "a NetCDF file",
        "save its matrix, in Python: numpy.save('x.npy', xarray.open_dataset(FILE)['NAME'])",
    ),
    (
        b"CDF\x02",
        "a NetCDF file",
        "save its matrix, in Python: numpy.save('x.npy', xarray.open_dataset(FILE)['NAME'])",
    ),
    (
        b"SIMPLE  =",
        "a FITS file",
        "save its array, in Python: numpy.save('x.npy', astropy.io.fits.getdata(FILE))",
    ),
    (b"BZh", "a bzip2 file", PACKED),
    (b"\xfd7zXZ\0", "an xz file", PACKED),
    (b"\x28\xb5\x2f\xfd", "a zstd file", PACKED),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", ARCHIVE),
    (b"Rar!\x1a\x07", "a RAR archive", ARCHIVE),
    (b"\x04\x22\x4d\x18", "an lz4 file", PACKED),
    (b"Obj\x01", "an Avro file", TABLE),
    (b"<stata_dta>", "a Stata file", STATA),
    (b"\x72\x01\x01\0", "a Stata file", STATA),
    (b"\x72\x02\x01\0", "a Stata file", STATA),
    (b"\x73\x01\x01\0", "a Stata file", STATA),
    (b"\x73\x02\x01\0", "a Stata file", STATA),
    (b"$FL2@(#)", "an SPSS file", SPSS),
    (b"$FL3@(#)", "an SPSS file", SPSS),
    (b"\x7fELF", "a program (ELF)", SUPPORTED),
    (b"{\\rtf", "an RTF document", TABLE),
    (b"\x93NUMP", "a damaged npy file", SUPPORTED),
];

/// Refuses a file that is none of the supported kinds by its first bytes; the name decides only what
/// the refusal says.
pub(crate) fn refuse(head: &[u8], name: &str) -> Result<(), Error> {
    if crate::format::is_pickle(head) {
        return Err(refusal("a Python pickle (pickle files are never opened)", SUPPORTED));
    }
    if let Some((_, what, cure)) = MAGIC.iter().find(|(magic, ..)| head.starts_with(magic)) {
        return Err(refusal(what, cure));
    }
    if head.get(257..262) == Some(b"ustar") {
        return Err(refusal("a tar archive", "unpack it first: tar -xf FILE"));
    }
    if head.starts_with(b"BM") && head.get(6..10) == Some(&[0; 4]) {
        return Err(refusal("a BMP image", IMAGE));
    }
    if head.starts_with(b"ORC") && head.iter().take(64).any(|b| *b < b'\t') {
        let cure = "save it as CSV, in Python: pandas.read_orc(FILE).to_csv('x.csv')";
        return Err(refusal("an ORC file", cure));
    }
    if is_matlab_4(head) {
        return Err(refusal("a MATLAB 4 file", MATLAB));
    }
    if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WAVE") {
        return Err(refusal("a WAV sound", SOUND));
    }
    if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        return Err(refusal("a WebP image", IMAGE));
    }
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        let cure = "save it as UTF-8, or convert it: iconv -f UTF-16 -t UTF-8 FILE > x.txt";
        return Err(refusal("text in UTF-16", cure));
    }
    refuse_text(head)?;
    let extension = crate::format::extension(name);
    if extension == "npy" || extension == "npz" {
        let found = format!("first bytes {}", quoted(head.get(..8).unwrap_or(head)));
        return Err(Error::format(Place::File, found, format!("an {extension} file")));
    }
    // NUL bytes that some programs put at the end are passed over by the reader.
    let zeros = head.iter().rev().take_while(|b| **b == 0).count();
    let end = if head.len() < crate::format::HEAD { head.len() - zeros } else { head.len() };
    let text = if end == 0 { head } else { head.get(..end).unwrap_or(head) };
    if let Some(at) = memchr::memchr(0, text) {
        let found = format!("a NUL byte, first bytes {}", quoted(head.get(..8).unwrap_or(head)));
        let utf16 = "text; if it is UTF-16: iconv -f UTF-16LE -t UTF-8 FILE > x.txt; ";
        return Err(Error::format(Place::Byte(at as u64), found, format!("{utf16}{SUPPORTED}")));
    }
    Ok(())
}

/// Refuses text that is no table.
fn refuse_text(head: &[u8]) -> Result<(), Error> {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let begins = |mark: &str| {
        text.get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark.as_bytes()))
    };
    if is_json(text) {
        let cure = "save it as CSV, in Python: pandas.read_json(FILE).to_csv('x.csv')";
        return Err(refusal("JSON", cure));
    }
    if ["<?xml", "<!doctype", "<html", "<table"].into_iter().any(begins) {
        return Err(refusal("XML or HTML", TABLE));
    }
    if ["@relation", "@attribute"].into_iter().any(begins) {
        return Err(refusal("an ARFF file", TABLE));
    }
    if is_pixmap(text) {
        return Err(refusal("a PGM or PPM image", IMAGE));
    }
    if begins("BEGIN IONS") {
        let cure =
            "save a table of m/z by spectrum as CSV, in Python with pyteomics.mgf.read(FILE)";
        return Err(refusal("an MGF file of spectra", cure));
    }
    if is_yaml(text, head.len() < crate::format::HEAD) {
        let cure = "save it as CSV, in Python with yaml.safe_load";
        return Err(refusal("YAML", cure));
    }
    if is_ascii_rds(text) {
        return Err(refusal("an R object (.rds)", R_DATA));
    }
    if is_harwell_boeing(text) {
        let cure = "save it as Matrix Market, in Python: \
                    scipy.io.mmwrite('x.mtx', scipy.io.hb_read(FILE))";
        return Err(refusal("a Harwell-Boeing file", cure));
    }
    Ok(())
}

/// Whether text opens an object, or a list of something that is no name: `[Fe]` may be a heading.
fn is_json(text: &[u8]) -> bool {
    let Some((first, rest)) = text.split_first() else { return false };
    let next = rest.trim_ascii_start().first().copied().unwrap_or_default();
    match first {
        b'{' => matches!(next, b'"' | b'}' | 0),
        b'[' => matches!(next, b'[' | b'{' | b'"' | b'-' | b'0'..=b'9'),
        _ => false,
    }
}

/// Whether bytes are the header of a MATLAB 4 matrix: its type, sizes, and the length of a name that
/// follows and ends in NUL.
fn is_matlab_4(head: &[u8]) -> bool {
    let word = |at: usize| -> Option<[u8; 4]> { head.get(at..at + 4)?.try_into().ok() };
    [u32::from_le_bytes, u32::from_be_bytes].into_iter().any(|number| {
        let words: Vec<u32> = (0..5).filter_map(|at| word(at * 4).map(number)).collect();
        let [kind, rows, cols, imaginary, length] = words[..] else { return false };
        let name = head.get(20..20 + length.min(64) as usize).unwrap_or_default();
        let letters = name.split_last().is_some_and(|(last, rest)| {
            *last == 0
                && !rest.is_empty()
                && rest.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')
        });
        kind < 4053 && rows > 0 && cols > 0 && imaginary < 2 && letters
    })
}

/// Whether text is the header of a PBM, PGM or PPM image: `P5`, width, height, and largest value.
fn is_pixmap(text: &[u8]) -> bool {
    let Some((b'P', [kind @ b'1'..=b'6', rest @ ..])) = text.split_first() else { return false };
    let lines = rest.split(|b| *b == b'\n').filter(|line| !line.starts_with(b"#"));
    let lines: Vec<Vec<&[u8]>> = lines
        .take(4)
        .map(|line| line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect())
        .filter(|words: &Vec<&[u8]>| !words.is_empty())
        .collect();
    let sizes = |line: Option<&Vec<&[u8]>>, count: usize| {
        let digits = |word: &&[u8]| word.iter().all(u8::is_ascii_digit);
        line.is_some_and(|words| words.len() == count && words.iter().all(digits))
    };
    let space = rest.first().is_some_and(u8::is_ascii_whitespace);
    let most = matches!(kind, b'1' | b'4') || sizes(lines.get(1), 1);
    space && ((sizes(lines.first(), 2) && most) || sizes(lines.first(), 3))
}

/// Whether every line is `key: value`, a list of such, or a mark of YAML; the last may be cut off.
fn is_yaml(text: &[u8], whole: bool) -> bool {
    let lines: Vec<&[u8]> = text.split(|b| *b == b'\n').collect();
    let seen = if whole { lines.len() } else { lines.len().saturating_sub(1) };
    let (mut pairs, mut others) = (0, 0);
    for line in lines.into_iter().take(seen).map(<[u8]>::trim_ascii) {
        let bare = line.strip_prefix(b"- ").unwrap_or(line);
        let at = bare.iter().position(|b| *b == b':');
        let (key, value) = bare.split_at(at.unwrap_or(0));
        let value = value.strip_prefix(b":").unwrap_or_default();
        let named = key.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_')
            && key.iter().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(b));
        let list = value.trim_ascii().starts_with(b"[");
        let one = list || !value.trim_ascii().iter().any(|b| b" \t,;".contains(b));
        let parted = value.first().is_none_or(|b| *b == b' ');
        match line {
            [] | b"---" | [b'#', ..] => {}
            _ if named && one && parted => pairs += 1,
            _ if line.starts_with(b"- ") && pairs > 0 => {}
            _ => others += 1,
        }
    }
    pairs > 1 && others == 0
}

/// Whether text is an R object in ASCII: `A`, a version, and two versions of R as whole numbers.
fn is_ascii_rds(text: &[u8]) -> bool {
    let mut lines = text.split(|b| *b == b'\n');
    let mut next = || lines.next().unwrap_or_default().trim_ascii();
    let version = |line: &[u8]| line.len() == 6 && line.iter().all(u8::is_ascii_digit);
    next() == b"A" && matches!(next(), b"2" | b"3") && version(next()) && version(next())
}

/// Whether the second line holds four or five counts and the third a type such as `RUA`.
fn is_harwell_boeing(text: &[u8]) -> bool {
    let mut lines = text.split(|b| *b == b'\n').skip(1);
    let words = |line: Option<&[u8]>| -> Vec<Vec<u8>> {
        let line = line.unwrap_or_default();
        line.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty()).map(<[u8]>::to_vec).collect()
    };
    let (counts, kind) = (words(lines.next()), words(lines.next()));
    let numeric = |word: &Vec<u8>| word.iter().all(u8::is_ascii_digit);
    let [code, sizes @ ..] = kind.as_slice() else { return false };
    let code = code.to_ascii_uppercase();
    matches!(
        code.as_slice(),
        [b'R' | b'C' | b'P' | b'I' | b'Q', b'S' | b'U' | b'H' | b'Z' | b'R', b'A' | b'E']
    ) && (3..=4).contains(&sizes.len())
        && (4..=5).contains(&counts.len())
        && counts.iter().chain(sizes).all(numeric)
}

/// What a zip archive is that holds no arrays, by the names in it.
pub(crate) fn zip(names: &[String]) -> Error {
    let has = |part: &str| names.iter().any(|name| name.starts_with(part));
    let sheet = has("xl/") || (has("[Content_Types].xml") && !has("word/") && !has("ppt/"));
    let (what, cure) = match names {
        _ if sheet => ("an Excel file (.xlsx)".to_owned(), SHEET),
        _ if has("word/") => ("a Word document".to_owned(), TABLE),
        _ if has("content.xml") || has("mimetype") => {
            ("an OpenDocument spreadsheet (.ods)".to_owned(), SHEET)
        }
        _ if names.iter().any(|name| name.ends_with(".zarray") || name.ends_with("zarr.json")) => {
            ("a zarr archive".to_owned(), ZARR)
        }
        _ if names.iter().any(|name| name.ends_with("data.pkl")) => (
            "a PyTorch file (a pickle, which is never opened)".to_owned(),
            "save the matrix, in Python: numpy.save('x.npy', tensor.numpy())",
        ),
        [one] => {
            let cure = "unpack it, or pipe it: unzip -p FILE | partwise fit - …";
            (format!("a zip archive of {}", quoted(one.as_bytes())), cure)
        }
        _ => {
            let first: Vec<String> =
                names.iter().take(3).map(|name| quoted(name.as_bytes())).collect();
            (format!("a zip archive of {} files: {}", names.len(), first.join(", ")), ARCHIVE)
        }
    };
    refusal(&what, cure)
}

const ZARR: &str = "save its array, in Python: numpy.save('x.npy', zarr.open(FILE)[:]), or for \
                    AnnData scipy.sparse.save_npz('x.npz', anndata.read_zarr(FILE).X)";

/// What a folder is that stands in place of a file.
pub(crate) fn folder(path: &std::path::Path) -> Error {
    let has = |name: &str| path.join(name).exists();
    if [".zarray", ".zgroup", "zarr.json", ".zattrs"].into_iter().any(has) {
        return refusal("a directory, a zarr store", ZARR);
    }
    if ["matrix.mtx", "matrix.mtx.gz"].into_iter().any(has) {
        let cure = "the matrix in it: FOLDER/matrix.mtx(.gz) --transpose \
                    --row-names FOLDER/barcodes.tsv --column-names FOLDER/features.tsv";
        return Error::format(Place::File, "a directory with a 10x matrix", cure);
    }
    Error::format(Place::File, "a directory", "a file")
}

fn refusal(what: &str, cure: &str) -> Error {
    let expected = if cure == SUPPORTED {
        format!("a matrix; {SUPPORTED}")
    } else {
        format!("a matrix; {cure}")
    };
    Error::format(Place::File, what, expected)
}
