//! What a field is besides a number: a name, a date; and which headings announce names.

use super::style::Style;

/// Last words of a heading that announce a column of names.
const IDS: &str = "\
    accession accessions account asv barcode barcodes batch case cell cells chr chromosome city \
    cas class cluster code codes company compound country county customer customerid district \
    doc docid document employee ensembl entrez feature features file filename fips gene geneid genename \
    genes genesymbol geoid house id identifiant identifier idnr idref ids idx iid index individual \
    invoice isbn isin kennung item itemid key kmer \
    label labels locus metabolite movie movieid muestra mutation name names no nr num number numero número nummer numéro object obs \
    observation order otu participant patient peptide person phenotype pid player plot plz pmid \
    postcode probe probeid \
    product protein question record region respondent row rowname rownames run sample sampleid sampleno samples \
    scan seq sequence site sku species specimen spot state station student subj subject symbol \
    taxid taxon term transaction type uid user userid uuid well zip zipcode номер 型号 编号";
/// Last words of a heading that announce a number of each row and nothing else.
const PURE: &str = "\
    id ids idx code codes key no nr num number uid uuid pid isbn pmid accession barcode identifier";
/// Last words of a heading of classes, which repeat.
const CLASSES: &str = "\
    class classes species type category group cluster batch phenotype label labels condition \
    treatment";
/// Words of a heading of a time or another axis, along which rows are ordered.
const AXES: &str = "\
    date day time timestamp datetime year years month week hour hours minute minutes \
    seconds wavelength wavenumber frequency freq mz ppm energy position datum jahr année ano año \
    fecha uhrzeit zeit";
/// Headings of an axis that are too short to be sought in longer ones.
const SHORT_AXES: &str = "t rt nm wl depth";
/// Words of a heading of a date or a time.
const DATES: &str = "date datum day time timestamp datetime year month week jahr année ano año \
    fecha zeit";

fn is_among(word: &str, all: &str) -> bool {
    all.split(' ').any(|known| known == word)
}

/// The words of a heading in lower case: `sample_id`, `SampleID` and `Sample ID` end in `id`.
fn words(field: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(field);
    let mut words = vec![String::new()];
    let mut lower = false;
    for c in text.chars() {
        let breaks = !c.is_alphanumeric() && c != '/';
        if breaks || (lower && c.is_uppercase()) {
            words.push(String::new());
        }
        lower = c.is_lowercase();
        if let (false, Some(word)) = (breaks, words.last_mut()) {
            word.extend(c.to_lowercase().filter(|c| *c != '/'));
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether a heading means an id: `id`, `Sample ID`, `gene_name`, `NAME`, `#OTU ID`, `Unnamed: 0`.
pub(crate) fn means_id(field: &[u8]) -> bool {
    let words = words(field);
    match words.as_slice() {
        [] => false,
        [first, ..] if first == "unnamed" || first == "id" => true,
        all => all.last().is_some_and(|word| is_among(word, IDS)),
    }
}

/// Whether a heading means a number of each row and can hardly mean a measurement: `id`, `Sample No`,
/// and `index` alone, but not `refractive index`.
pub(super) fn means_only_id(field: &[u8]) -> bool {
    let words = words(field);
    let pure = words.last().is_some_and(|word| is_among(word, PURE));
    means_id(field) && (words.len() == 1 || pure)
}

/// Whether a heading means the class of a row.
pub(super) fn means_class(field: &[u8]) -> bool {
    words(field).last().is_some_and(|word| is_among(word, CLASSES))
}

/// Whether a heading means a time or another axis.
pub(super) fn means_axis(field: &[u8]) -> bool {
    let words = words(field);
    let short = matches!(words.as_slice(), [only] if is_among(only, SHORT_AXES));
    short || words.iter().any(|word| is_among(word, AXES))
}

/// Whether a heading means a date or a time.
pub(super) fn means_date(field: &[u8]) -> bool {
    words(field).iter().any(|word| is_among(word, DATES))
}

/// Whether a heading is one that a program gives to row names without a heading of their own.
pub(super) fn is_made_up(field: &[u8]) -> bool {
    matches!(field, b"X" | b"X1" | b"...1" | b"level_0" | b"V1")
}

/// Whether a field is a truth value.
pub(super) fn is_boolean(field: &[u8]) -> bool {
    const VALUES: [&str; 12] =
        ["true", "false", "yes", "no", "t", "f", "y", "n", "ja", "nein", "oui", "non"];
    VALUES.iter().any(|value| field.eq_ignore_ascii_case(value.as_bytes()))
}

/// Whether a field is a name: no number and no attempt at one, but letters, a date, or a code such
/// as `50-00-0`.
pub(super) fn is_label(field: &[u8], style: &Style) -> bool {
    if style.is_missing(field) || (style.is_attempt(field) && !is_date(field)) {
        return false;
    }
    let text = String::from_utf8_lossy(field);
    text.chars().any(|c| c.is_alphabetic() || c == '_')
        || (text.contains(|c: char| c.is_ascii_digit()) && text.contains(['-', '/', ':', '.']))
}

/// Whether a field is a date or a time in digits, such as `2010-06-01`, `01/06/2010`, `1.6.10`,
/// `2010-06-01T12:00:00Z`, `12:30` or `2010-06`.
pub(super) fn is_date(field: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(field.trim_ascii()) else { return false };
    let mut parts = text.splitn(2, ['T', ' ']);
    let day = parts.next().unwrap_or_default();
    let rest = parts.next();
    if is_time(day) {
        return rest.is_none_or(|rest| matches!(rest, "AM" | "PM" | "am" | "pm"));
    }
    is_day(day) && rest.is_none_or(|rest| is_time(rest.trim_start()))
}

fn is_day(text: &str) -> bool {
    for mark in ['-', '/', '.'] {
        let parts: Vec<&str> = text.split(mark).collect();
        let digits = parts
            .iter()
            .all(|p| (1..=4).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit()));
        if !digits {
            continue;
        }
        let lengths: Vec<usize> = parts.iter().map(|p| p.len()).collect();
        let long = |length: &usize| *length == 4 || *length == 2;
        return match lengths.as_slice() {
            [4, 1..=2, 1..=2] => true,
            [1..=2, 1..=2, year] => long(year),
            [4, 2] | [2, 4] => mark != '.',
            _ => false,
        };
    }
    false
}

fn is_time(text: &str) -> bool {
    let clock = text.split(['Z', '+', ' ', '.']).next().unwrap_or_default();
    let mut parts = clock.split(':');
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let hours = parts.next().unwrap_or_default();
    let rest: Vec<&str> = parts.collect();
    (1..=2).contains(&hours.len())
        && digits(hours)
        && matches!(rest.len(), 1 | 2)
        && rest.iter().all(|part| part.len() == 2 && digits(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_of_names() {
        for text in [
            "id",
            "ID",
            "Sample ID",
            "sample_id",
            "SampleID",
            "gene",
            "Gene Symbol",
            "NAME",
            "OTU ID",
            "barcode",
            "Code",
            "cell",
            "index",
            "Unnamed: 0",
            "ID_REF",
            "sample no",
            "gene.name",
            "userId",
            "station_code",
        ] {
            assert!(means_id(text.as_bytes()), "{text}");
        }
        for text in ["", "x", "Al", "width", "idea", "concentration", "price", "a", "rating"] {
            assert!(!means_id(text.as_bytes()), "{text}");
        }
        assert!(means_axis(b"m/z") && means_axis(b"Wavelength (nm)") && means_axis(b"Year"));
    }

    #[test]
    fn dates_are_told_from_numbers() {
        for text in [
            "2010-06-01",
            "01/06/2010",
            "1.6.2010",
            "01.06.10",
            "2010/6/1",
            "2010-06-01T12:30:00Z",
            "2010-06-01 12:30",
            "12:30",
            "12:30:15.5",
            "2010-06",
            "06/2010",
            "01/06/2010 1:05",
        ] {
            assert!(is_date(text.as_bytes()), "{text}");
        }
        for text in ["2010", "1.5", "1,5", "10.06", "-3-4", "1-2", "a-b-c", "1/2/3/4", "", "5:"] {
            assert!(!is_date(text.as_bytes()), "{text}");
        }
    }
}
