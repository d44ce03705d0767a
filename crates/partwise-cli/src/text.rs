//! Small pieces of text in and out: durations, sizes, delimiters, names.

use std::path::Path;
use std::time::Duration;

/// `30s`, `5m`, `1.5h`, `250ms`; a bare number is seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let units = [("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
    let (number, unit) = units
        .iter()
        .find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, *seconds)))
        .unwrap_or((text, 1.0));
    let seconds: f64 = plain_number(number).ok_or("expected a time such as 30s, 5m or 1.5h")?;
    Duration::try_from_secs_f64(seconds * unit).map_err(|e| e.to_string())
}

/// A whole number.
pub(crate) fn whole<N: std::str::FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| "expected a whole number from 0 to 2^64 - 1".into())
}

/// Any number; what range it must be in is said with its value.
pub(crate) fn number(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| "expected a number such as 1e-4".into())
}

/// `4G`, `500M`, `64k`, `1.5GiB`; a bare number is bytes. Units are powers of 1024.
pub(crate) fn bytes_limit(text: &str) -> Result<u64, String> {
    let lower = text.to_ascii_lowercase();
    let short = lower.strip_suffix("ib").or(lower.strip_suffix('b')).unwrap_or(&lower);
    let units = [("k", 10), ("m", 20), ("g", 30), ("t", 40)];
    let (number, power) = units
        .iter()
        .find_map(|(unit, power)| Some((short.strip_suffix(unit)?, *power)))
        .unwrap_or((short, 0));
    let number = plain_number(number).ok_or("expected a size such as 500M or 4G")?;
    let bytes = number * f64::from(2.0f32).powi(power);
    // A float as large as 2^64 would saturate.
    if (1.0..1.8e19).contains(&bytes) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked")]
        return Ok(bytes as u64);
    }
    Err("expected at least one byte and less than 2^64".into())
}

/// Digits and a point only: `parse` alone would take `inf`, `nan` and exponents.
fn plain_number(text: &str) -> Option<f64> {
    let plain = text.chars().all(|c| c.is_ascii_digit() || c == '.');
    plain.then(|| text.parse().ok())?
}

/// One ASCII character, `tab` or `space`.
pub(crate) fn delimiter(text: &str) -> Result<u8, String> {
    match text {
        "tab" | "\\t" => return Ok(b'\t'),
        "space" => return Ok(b' '),
        _ => {}
    }
    match text.as_bytes() {
        &[byte] if !byte.is_ascii_alphanumeric() && !b"\"\n\r.+-\0".contains(&byte) => Ok(byte),
        _ => Err("expected one character that is no letter, digit, quote, sign or point, \
                  or the word tab or space"
            .into()),
    }
}

/// A decimal sign.
pub(crate) fn decimal(text: &str) -> Result<u8, String> {
    match text {
        "," | "comma" => Ok(b','),
        "." | "point" => Ok(b'.'),
        _ => Err("expected , or .".into()),
    }
}

/// One ASCII character that is no part of a number or name.
pub(crate) fn mark(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        &[byte] if byte.is_ascii_punctuation() && !b"\"+-.,".contains(&byte) => Ok(byte),
        _ => Err("expected one character such as # or %".into()),
    }
}

/// Bytes as people read them.
pub(crate) fn bytes(count: u128) -> String {
    let mut value = count as f64;
    if value < 1024.0 {
        return format!("{count} B");
    }
    for unit in ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"] {
        value /= 1024.0;
        if value < 1023.95 {
            return format!("{value:.1} {unit}");
        }
    }
    format!("{value:.1e} EiB")
}

/// Seconds as people read them.
pub(crate) fn seconds(seconds: f64) -> String {
    match seconds {
        s if s < 0.00995 => format!("{:.1} ms", s * 1e3),
        s if s < 0.9995 => format!("{:.0} ms", s * 1e3),
        s if s < 59.95 => format!("{s:.1} s"),
        s if s < 3599.5 => format!("{:.0} min {:02.0} s", (s / 60.0).floor(), (s % 60.0).floor()),
        s => format!("{:.0} h {:02.0} min", (s / 3600.0).floor(), (s % 3600.0 / 60.0).floor()),
    }
}

/// A number in few characters that are still telling: 0.3021, 1.3e-7, 1.2e300.
pub(crate) fn short(value: f64) -> String {
    let far = value != 0.0 && !PLAIN.contains(&value.abs());
    significant(value, if far { 3 } else { 5 })
}

/// Numbers that need no exponent.
const PLAIN: std::ops::Range<f64> = 1e-3..1e7;

/// The value of an objective, wherever it is told: to ten digits, in the notation that JSON has.
pub(crate) fn objective(value: f64) -> String {
    exact(rounded(value, 10))
}

/// How far an objective may be off, in the same notation.
pub(crate) fn bound(value: f64) -> String {
    exact(rounded(value, 1))
}

/// The shortest text that stands for this number and no other, with an exponent only where JSON has one.
pub(crate) fn exact(value: f64) -> String {
    if value == 0.0 || (1e-5..1e16).contains(&value.abs()) {
        format!("{value}")
    } else {
        format!("{value:e}")
    }
}

fn rounded(value: f64, digits: usize) -> f64 {
    format!("{value:.*e}", digits - 1).parse().unwrap_or(value)
}

/// A KKT residual.
pub(crate) fn residual(value: f64) -> String {
    if value == 0.0 { "0".into() } else { format!("{value:.2e}") }
}

/// A whole number that may be beyond 64 bits.
pub(crate) fn short_count(count: f64) -> String {
    if count < 1e15 { format!("{count:.0}") } else { format!("{count:.3e}") }
}

/// 0.0013 as `0.13 %`; what is not all of it is never rounded to 100.
pub(crate) fn percent(share: f64) -> String {
    let value = share * 100.0;
    if value == 100.0 {
        return "100 %".into();
    }
    let digits = match value {
        v if v == 0.0 || (10.0..99.0).contains(&v) => 1,
        v if v < 99.99 => 2,
        _ => 4,
    };
    let text = format!("{value:.digits$} %");
    if text == "100.0000 %" && share < 1.0 { "> 99.9999 %".into() } else { text }
}

/// `1 thread`, `2 threads`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// `1 entry is`, `2 entries are`.
pub(crate) fn either(count: impl TryInto<usize> + Copy, one: &str, many: &str) -> String {
    match count.try_into().unwrap_or(usize::MAX) {
        1 => format!("1 {one}"),
        count => format!("{count} {many}"),
    }
}

/// A tolerance as it is typed.
pub(crate) fn tolerance(value: f64) -> String {
    if value == 0.0 { "0".into() } else { format!("{value:e}") }
}

/// A number to so many digits; with an exponent only where it is far from 1.
pub(crate) fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 {
        return "0".into();
    }
    if !PLAIN.contains(&value.abs()) {
        return format!("{value:.*e}", digits.saturating_sub(1));
    }
    #[expect(clippy::cast_possible_truncation, reason = "between -3 and 6")]
    let before = value.abs().log10().floor() as i64 + 1;
    let decimals = usize::try_from(digits as i64 - before).unwrap_or(0);
    let text = format!("{value:.decimals$}");
    if decimals == 0 {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A path on one line, with nothing that a terminal would obey.
pub(crate) fn path(path: &Path) -> String {
    escaped(&path.to_string_lossy())
}

/// A word of a command line as it can be typed again.
pub(crate) fn shown(word: &str) -> String {
    let text = escaped(word);
    let plain = |c: char| c.is_alphanumeric() || "-_./=,:+@%~".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text } else { format!("'{text}'") }
}

/// Text with control characters escaped.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_units() {
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("1.5h"), Ok(Duration::from_secs(5400)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("2"), Ok(Duration::from_secs(2)));
        for wrong in ["", "s", "-1s", "nan", "inf", "1e3s", "1 s", "1d", "99999999999999999999999h"]
        {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_are_read_in_powers_of_1024() {
        assert_eq!(bytes_limit("4G"), Ok(4 << 30));
        assert_eq!(bytes_limit("1.5GiB"), Ok(3 << 29));
        assert_eq!(bytes_limit("64kb"), Ok(64 << 10));
        assert_eq!(bytes_limit("123"), Ok(123));
        for wrong in ["", "G", "-1G", "0", "nan", "99999999999T"] {
            assert!(bytes_limit(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_stay_short() {
        assert_eq!(short(0.302_123_4), "0.30212");
        assert_eq!(short(16.0), "16");
        assert_eq!(short(65535.0), "65535");
        assert_eq!(short(1.3e-7), "1.30e-7");
        assert_eq!(short(0.0), "0");
        assert_eq!(short(1e300), "1.00e300");
        assert_eq!(objective(364_111.968_712_34), "364111.9687");
        assert_eq!(objective(364_112.0), "364112");
        assert_eq!(objective(0.012_345_678_912_34), "0.01234567891");
        assert_eq!(objective(1.234_567_890_123e-9), "1.23456789e-9");
        assert_eq!(objective(2e15), "2000000000000000");
        assert_eq!(objective(1e300), "1e300");
        assert_eq!((objective(0.0), objective(f64::INFINITY)), ("0".into(), "inf".into()));
        assert_eq!((bound(0.8123), bound(5.4e-6)), ("0.8".into(), "5e-6".into()));
        for value in [364_111.968_712_34, 1e-7, 3.0e16, 0.1 + 0.2] {
            let json = serde_json::to_string(&value).expect("JSON");
            assert_eq!(exact(value).replace("e+", "e"), json.replace("e+", "e"));
        }
        assert_eq!(percent(0.895_4), "89.5 %");
        assert_eq!(percent(0.999_843), "99.98 %");
        assert_eq!(percent(0.999_999_999), "> 99.9999 %");
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(bytes(80_000_000_000_000), "72.8 TiB");
        assert_eq!(seconds(0.0421), "42 ms");
        assert_eq!(seconds(754.0), "12 min 34 s");
    }
}
