//! What a field is besides a number: a name, a date; and which headings announce names.

use super::style::Style;

/// Last words of a heading that announce a column of names.
const IDS: &str = "\
    accession accessions asv barcode barcodes batch case cell cells chr chromosome city \
    class cluster code codes company compound country county customer customerid district \
    doc docid document ensembl entrez feature features file filename gene geneid genename \
    genes genesymbol id identifier idref ids iid index individual isin item itemid key kmer \
    label labels locus metabolite movie movieid mutation name names no nr number object obs \
    observation otu participant patient peptide person phenotype player probe probeid \
    product protein region respondent row rowname rownames sample sampleid sampleno samples \
    scan site sku species specimen spot state station student subject symbol taxon term type \
    user userid";
/// Words of a heading of a time or another axis, along which rows are ordered.
const AXES: &str = "\
    date day time timestamp datetime year years month week hour hours minute minutes min sec \
    seconds wavelength wavenumber frequency freq mz ppm energy position";

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

/// Whether a heading means a time or another axis.
pub(super) fn means_axis(field: &[u8]) -> bool {
    words(field).iter().any(|word| is_among(word, AXES))
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
