//! Finite numbers from text, by stricter rules than the standard parser: no NaN, no infinity, no
//! overflow, no hexadecimal.

/// Parses a finite decimal number; the error says what was expected instead.
pub(crate) fn number(field: &[u8]) -> Result<f64, &'static str> {
    if starts_number(field)
        && let Ok(value) = fast_float2::parse::<f64, _>(field)
    {
        return if value.is_finite() { Ok(value) } else { Err(TOO_LARGE) };
    }
    odd_number(field).ok_or_else(|| complaint(field))
}

/// A number as a spreadsheet writes it to be text, `="13"`, or with the exponent of Fortran, `12.0D+00`:
/// with a point before and a sign behind, for `1D5` may be a name.
#[cold]
fn odd_number(field: &[u8]) -> Option<f64> {
    if let Some(inner) = field.strip_prefix(b"=\"").and_then(|rest| rest.strip_suffix(b"\"")) {
        return number(inner).ok();
    }
    let at = field.iter().position(|b| matches!(b, b'd' | b'D'))?;
    let (mantissa, exponent) = field.split_at(at);
    let signed = matches!(exponent.get(1..), Some([b'+' | b'-', b'0'..=b'9', ..]));
    if !signed || !mantissa.contains(&b'.') || mantissa.contains(&b'e') {
        return None;
    }
    number(&[mantissa, b"e", exponent.get(1..)?].concat()).ok()
}

/// As [`number`], with `D` allowed for the exponent.
pub(crate) fn fortran_number(field: &[u8]) -> Result<f64, &'static str> {
    number(field).or_else(|complaint| {
        let Some(at) = field.iter().position(|b| matches!(b, b'd' | b'D')) else {
            return Err(complaint);
        };
        let mut copy = field.to_vec();
        if let Some(byte) = copy.get_mut(at) {
            *byte = b'e';
        }
        number(&copy).map_err(|again| if again == PLAIN { complaint } else { again })
    })
}

/// Whether a text that was read as 0 has a digit other than 0.
pub(crate) fn underflows(field: &[u8]) -> bool {
    let mantissa = field.iter().take_while(|b| !matches!(b, b'e' | b'E' | b'd' | b'D'));
    mantissa.into_iter().any(|b| matches!(b, b'1'..=b'9'))
}

/// Parses a whole number of 64 bits.
pub(crate) fn unsigned(field: &[u8]) -> Option<u64> {
    if field.is_empty() {
        return None;
    }
    field.iter().try_fold(0u64, |n, &b| {
        let digit = b.wrapping_sub(b'0');
        if digit > 9 { None } else { n.checked_mul(10)?.checked_add(digit.into()) }
    })
}

/// Parses a whole number of 64 bits with sign.
pub(crate) fn signed(field: &[u8]) -> Option<i64> {
    match field.split_first() {
        Some((b'-', digits)) => 0i64.checked_sub_unsigned(unsigned(digits)?),
        Some((b'+', digits)) => unsigned(digits)?.try_into().ok(),
        _ => unsigned(field)?.try_into().ok(),
    }
}

/// What is expected instead of text.
pub(crate) const PLAIN: &str = "a number";
/// What is expected instead of two numbers in one field.
pub(crate) const SPACES: &str =
    "one number without spaces inside; --delimiter tells how fields are parted";
/// What is expected instead of digits and signs of other scripts.
pub(crate) const ASCII: &str = "a number in ASCII digits";
/// What is expected instead of NaN and infinity.
pub(crate) const NOT_FINITE: &str = "a finite number";
/// What is expected instead of a hexadecimal number.
pub(crate) const NOT_DECIMAL: &str = "a decimal number";
/// What is expected instead of a number that overflows.
pub(crate) const TOO_LARGE: &str = "a number of at most 1.8e308";

/// Whether a field marks a missing value.
pub(crate) fn is_missing(field: &[u8]) -> bool {
    const MARKS: [&[u8]; 9] = [b"na", b"n/a", b"#n/a", b"nan", b"null", b"none", b"-", b"?", b"."];
    field.is_empty() || MARKS.iter().any(|mark| field.eq_ignore_ascii_case(mark))
}

fn starts_number(field: &[u8]) -> bool {
    match field {
        [b'0'..=b'9', ..] => true,
        [b'+' | b'-' | b'.', next, ..] => next.is_ascii_digit() || *next == b'.',
        _ => false,
    }
}

fn complaint(field: &[u8]) -> &'static str {
    let lower = field.to_ascii_lowercase();
    let unsigned = lower.strip_prefix(b"-").or(lower.strip_prefix(b"+")).unwrap_or(&lower);
    if matches!(unsigned, b"nan" | b"inf" | b"infinity") || field == "∞".as_bytes() {
        NOT_FINITE
    } else if unsigned.starts_with(b"0x") {
        NOT_DECIMAL
    } else if !field.is_ascii() {
        ASCII
    } else if field.contains(&b',') && field.iter().any(u8::is_ascii_digit) {
        "a number with decimal point and without thousands separators, or another delimiter; \
         --decimal , reads decimal commas, --decimal . commas between groups of three digits"
    } else if field.contains(&b';') && field.iter().any(u8::is_ascii_digit) {
        "one number; is the delimiter a semicolon?"
    } else if field.contains(&b' ') {
        SPACES
    } else {
        PLAIN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_finite_decimal_numbers() {
        for (text, value) in [
            ("0", 0.0),
            ("-1.5", -1.5),
            ("+2", 2.0),
            (".5", 0.5),
            ("1.", 1.0),
            ("1e3", 1e3),
            ("1E-3", 1e-3),
            ("-.5e+1", -5.0),
            ("1e-999", 0.0),
            ("0.1", 0.1),
        ] {
            assert_eq!(number(text.as_bytes()), Ok(value), "{text}");
        }
        for text in [
            "", "-", ".", "+-1", "nan", "-nan", "inf", "Infinity", "+inf", ".inf", "1e999", "0x10",
            "0x1p3", "1e", "1e+", "1,5", "1 5", " 1", "1d5", "١", "１", "∞", "1_000", "1f", "--1",
        ] {
            assert!(number(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn fortran_exponents_and_integers() {
        assert_eq!(fortran_number(b"1D5"), Ok(1e5));
        assert_eq!(fortran_number(b"-1.5d-3"), Ok(-1.5e-3));
        assert_eq!(fortran_number(b"1D999"), Err("a number of at most 1.8e308"));
        assert!(fortran_number(b"d5").is_err());
        assert_eq!(unsigned(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(unsigned(b"18446744073709551616"), None);
        assert_eq!(signed(b"-9223372036854775808"), Some(i64::MIN));
        assert_eq!(signed(b"9223372036854775808"), None);
        assert!(underflows(b"1e-999") && !underflows(b"0e5") && !underflows(b"-0.000"));
    }
}
