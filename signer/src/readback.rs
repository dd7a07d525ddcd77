//! What the line's camera saw, as requests to the line: from the JSON of `touchmark-verify grade` or `scan` to read-back
//! messages, each of which verifies or voids one mark.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};
use touchmark_formats::mark::SignedMark;

/// The print quality that is kept with the mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standard {
    /// ISO/IEC 29158, for marks on parts.
    Iso29158,
    /// ISO/IEC 15415, for labels.
    Iso15415,
}

impl Standard {
    fn member(self) -> &'static str {
        match self {
            Self::Iso29158 => "iso29158",
            Self::Iso15415 => "iso15415",
        }
    }
}

/// The request for one picture, of which `seen` is a line of JSON. `expected` is the serial of the mark that should be on
/// it; without it, that of the mark that was read.
///
/// # Errors
/// `seen` is no such line; or nothing was read and no serial is expected, so that there is nothing to verify or void.
pub fn request(seen: &str, expected: Option<u64>, standard: Standard) -> Result<Value, String> {
    let seen: Value =
        serde_json::from_str(seen).map_err(|e| format!("no line of `touchmark-verify grade --json`: {e}"))?;
    let symbols = seen.get("symbols").and_then(Value::as_array);
    let (file, symbols) =
        seen.get("file").and_then(Value::as_str).zip(symbols).ok_or("no `file` and `symbols` in it")?;
    let read = chosen(symbols, expected);
    let serial = expected.or(read.as_ref().and_then(|read| read.serial));
    let serial = serial.ok_or_else(|| format!("{file}: no mark was read, and no serial is expected on it"))?;
    let mut request = Map::new();
    let grade = read.as_ref().and_then(|read| read.symbol.pointer(&format!("/{}/grade", standard.member())));
    let members = [
        ("do", Some(json!("read"))),
        ("id", Some(json!(file))),
        ("serial", Some(json!(serial))),
        ("bytes", read.as_ref().map(|read| json!(read.bytes))),
        ("grade", grade.and_then(Value::as_str).and_then(number).map(|grade| json!(grade))),
    ];
    request.extend(members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    Ok(Value::Object(request))
}

/// The number of a grade's letter: 4 for A to 0 for F (ISO/IEC 15415, clause 5.2).
fn number(letter: &str) -> Option<usize> {
    ["F", "D", "C", "B", "A"].iter().position(|known| *known == letter)
}

/// A symbol that was read.
struct Read<'a> {
    symbol: &'a Value,
    bytes: &'a str,
    /// The serial, if it is a mark.
    serial: Option<u64>,
}

/// The symbol that counts: the expected mark, else another mark, else whatever was read.
fn chosen(symbols: &[Value], expected: Option<u64>) -> Option<Read<'_>> {
    let read = |symbol| {
        let bytes = Value::get(symbol, "bytes")?.as_str()?;
        let mark = STANDARD.decode(bytes).ok().and_then(|bytes| SignedMark::from_bytes(&bytes).ok());
        Some(Read { symbol, bytes, serial: mark.map(|signed| signed.mark.serial.get()) })
    };
    let rank = |read: &Read<'_>| (read.serial.is_some() && read.serial == expected, read.serial.is_some());
    symbols.iter().filter_map(read).max_by_key(rank)
}

/// The serial in the name of a picture: its last run of digits, without the extension.
#[must_use]
pub fn serial_in(file: &str) -> Option<u64> {
    let name = file.rsplit(['/', '\\']).next()?;
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let from_digit = stem.trim_end_matches(|c: char| !c.is_ascii_digit());
    let digits = from_digit.rsplit(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use touchmark_formats::date::Date;
    use touchmark_formats::key::KeyId;
    use touchmark_formats::mark::{Extension, Mark, Part, Serial};

    fn mark(serial: u64) -> String {
        let mark = Mark {
            key_id: KeyId([1, 2, 3, 4]),
            serial: Serial::new(serial).unwrap(),
            date: Date::from_days(2518),
            part: Part::Listed(0),
            lot: None,
            extension: Extension::default(),
            capsule: None,
        };
        STANDARD.encode(SignedMark { mark, signature: [7; 64] }.to_bytes())
    }

    fn ask(symbols: &Value, expected: Option<u64>) -> Result<Value, String> {
        request(&json!({"file": "shot-7.png", "symbols": symbols}).to_string(), expected, Standard::Iso29158)
    }

    #[test]
    fn the_mark_that_is_expected_counts_first() {
        let graded = |serial, grade: &str| json!({"bytes": mark(serial), "iso29158": {"grade": grade}, "iso15415": {"grade": "D"}});
        let other = json!({"bytes": STANDARD.encode("https://example.com")});
        let symbols = json!([other, graded(6, "C"), graded(7, "A"), {"symbology": "QRCode"}]);
        let expected = json!({"do": "read", "id": "shot-7.png", "serial": 7, "bytes": mark(7), "grade": 4});
        assert_eq!(ask(&symbols, Some(7)), Ok(expected));
        let wrong = ask(&json!([other, graded(6, "C")]), Some(7)).unwrap();
        assert_eq!(
            (&wrong["serial"], &wrong["bytes"]),
            (&json!(7), &json!(mark(6))),
            "the line says that it is another"
        );
        assert_eq!(ask(&json!([graded(6, "C")]), None).unwrap()["serial"], 6);
        let nothing = ask(&json!([]), Some(7));
        assert_eq!(nothing, Ok(json!({"do": "read", "id": "shot-7.png", "serial": 7})));
        let label = request(&json!({"file": "f", "symbols": [graded(6, "C")]}).to_string(), None, Standard::Iso15415);
        assert_eq!(label.unwrap()["grade"], 1);
    }

    #[test]
    fn what_says_nothing_of_any_mark_is_refused() {
        assert_eq!(
            ask(&json!([]), None),
            Err("shot-7.png: no mark was read, and no serial is expected on it".to_owned())
        );
        assert!(request("{}", Some(1), Standard::Iso29158).is_err());
        assert!(request("no", Some(1), Standard::Iso29158).is_err());
    }

    #[test]
    fn names_of_pictures_say_serials() {
        for (name, serial) in
            [("a/b/48213077.png", Some(48_213_077)), ("cam2-0017-ok.jpg", Some(17)), ("x.png", None), ("9", Some(9))]
        {
            assert_eq!(serial_in(name), serial, "{name}");
        }
    }
}
