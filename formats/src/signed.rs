//! The envelope of every signed file: JSON that people can read, signed over its canonical form (RFC 8785, JCS).
//!
//! The signature is over the type's name, a NUL, and the canonical JSON of the `signed` member *as parsed*: what was
//! checked is what the program works with, whatever the spacing and order in the file. Every value has one spelling only
//! (SPEC.md, section 7), so that whoever canonicalises the file's own JSON gets the same message.

use crate::key::{KeyBytes, PublicKey};
use crate::text::forbidden;
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned, de::Error};
use serde_json::{Number, Value};

/// What can stand in an envelope. Its fields must be strings, booleans, integers up to 2^53 - 1, arrays and objects with
/// ASCII keys, so that canonical JSON is unambiguous; unknown fields must be refused.
pub trait Document: Serialize + DeserializeOwned {
    /// The type's name, and the domain of its signatures.
    const TYPE: &'static str;
}

/// The most signatures that an envelope may hold.
pub const MAX_SIGNATURES: usize = 64;

/// A document and the signatures over it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound = "T: Document")]
pub struct Signed<T> {
    /// [`Document::TYPE`].
    #[serde(rename = "type", deserialize_with = "own_type::<_, T>")]
    kind: String,
    /// What is signed.
    pub signed: T,
    /// By whom: at most [`MAX_SIGNATURES`].
    #[serde(deserialize_with = "few")]
    pub signatures: Vec<SignatureEntry>,
}

/// An envelope within a document says its type too.
fn own_type<'de, D: Deserializer<'de>, T: Document>(d: D) -> Result<String, D::Error> {
    let kind = String::deserialize(d)?;
    if kind == T::TYPE { Ok(kind) } else { Err(D::Error::custom(format!("the type is {kind:?}, not {:?}", T::TYPE))) }
}

fn few<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<SignatureEntry>, D::Error> {
    let entries = Vec::deserialize(d)?;
    if entries.len() <= MAX_SIGNATURES { Ok(entries) } else { Err(D::Error::custom("more than 64 signatures")) }
}

/// One signature of an envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignatureEntry {
    /// Who signed.
    pub key: KeyBytes,
    /// Ed25519 over [`message`].
    pub signature: SignatureBytes,
}

/// 64 bytes of an Ed25519 signature, base64 in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SignatureBytes(pub [u8; 64]);

impl TryFrom<String> for SignatureBytes {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bytes = STANDARD.decode(text).map_err(|_| "a signature is 64 bytes in base64")?;
        bytes.try_into().map(Self).map_err(|_| "a signature is 64 bytes in base64")
    }
}

impl From<SignatureBytes> for String {
    fn from(signature: SignatureBytes) -> Self {
        STANDARD.encode(signature.0)
    }
}

/// Why a file is no envelope of the type asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// Not JSON of the expected shape: what is wrong, with line and column.
    Json(String),
    /// Another type, or another version.
    Type {
        /// [`Document::TYPE`] of what was asked for.
        expected: &'static str,
        /// What the file says.
        found: String,
    },
    /// A value in another spelling than its one legal one: a time with an offset, a null in place of nothing, a list in
    /// place of an object.
    Spelling,
}

impl EnvelopeError {
    /// The stable name, as the test vectors spell it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Json(_) | Self::Spelling => "json",
            Self::Type { .. } => "type",
        }
    }
}

impl std::fmt::Display for EnvelopeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Json(what) => write!(f, "not in the expected form: {what}"),
            Self::Type { expected, found } => write!(f, "its type is {found:?}, not {expected:?}"),
            Self::Spelling => f.write_str("a value in it is not spelled in the one way that is legal"),
        }
    }
}

impl std::error::Error for EnvelopeError {}

impl<T: Document> Signed<T> {
    /// `signed` without signatures.
    #[must_use]
    pub fn new(signed: T) -> Self {
        Self { kind: T::TYPE.to_owned(), signed, signatures: Vec::new() }
    }

    /// The envelope in a file. No signature is checked yet.
    ///
    /// # Errors
    /// [`EnvelopeError`].
    pub fn from_json(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        #[derive(Deserialize)]
        struct Kind {
            #[serde(rename = "type")]
            kind: String,
        }
        let json = |e: serde_json::Error| EnvelopeError::Json(e.to_string());
        // The type first: the fields of another type would be reported as this one's mistakes.
        let Kind { kind } = serde_json::from_slice(bytes).map_err(json)?;
        if kind != T::TYPE {
            return Err(EnvelopeError::Type { expected: T::TYPE, found: kind });
        }
        let envelope: Self = serde_json::from_slice(bytes).map_err(json)?;
        // The typed reader refuses a name that stands twice; this comparison refuses what it is lenient about.
        let (written, read) = (serde_json::from_slice::<Value>(bytes), serde_json::to_value(&envelope));
        if written.map_err(json)? != read.map_err(json)? {
            return Err(EnvelopeError::Spelling);
        }
        Ok(envelope)
    }

    /// The file: indented JSON and a line feed.
    #[must_use]
    pub fn to_json(&self) -> String {
        // The documents of this crate hold strings, integers and lists, which JSON always takes.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Whether `key` signed this document, by any of the entries that name it.
    #[must_use]
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        self.is_message_signed_by(&message(&self.signed), key)
    }

    /// As [`Self::is_signed_by`], where the message was made before: it is as long as the file.
    pub(crate) fn is_message_signed_by(&self, message: &[u8], key: &PublicKey) -> bool {
        let own = |entry: &&SignatureEntry| entry.key == key.bytes();
        self.signatures.iter().filter(own).any(|entry| key.verify(message, &entry.signature.0))
    }

    /// Puts `key`'s signature beside the others, in place of an older one by the same key.
    pub fn attach(&mut self, key: KeyBytes, signature: [u8; 64]) {
        self.signatures.retain(|entry| entry.key != key);
        self.signatures.push(SignatureEntry { key, signature: SignatureBytes(signature) });
    }
}

/// What a signature over `document` is made of: its type's name, a NUL, its canonical JSON (RFC 8785).
#[must_use]
pub fn message<T: Document>(document: &T) -> Vec<u8> {
    let mut out = format!("{}\0", T::TYPE);
    // The documents of this crate hold strings, integers and lists, which JSON always takes.
    put_canonical(&mut out, &serde_json::to_value(document).unwrap_or_default());
    out.into_bytes()
}

/// The canonical JSON (RFC 8785) of `value`, whose names are ASCII.
#[must_use]
pub fn canonical(value: &Value) -> String {
    let mut out = String::new();
    put_canonical(&mut out, value);
    out
}

/// Members are sorted here, for a dependant may build serde_json so that its objects keep the order of the file. Keys are
/// ASCII, so sorting by bytes is sorting by UTF-16 (RFC 8785, section 3.2.3); serde_json escapes strings as section
/// 3.2.2.2 asks.
fn put_canonical(out: &mut String, value: &Value) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            put_list(out, ('{', '}'), members, |out, (name, value)| {
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push(':');
                put_canonical(out, value);
            });
        }
        Value::Array(items) => put_list(out, ('[', ']'), items, put_canonical),
        Value::Number(number) if !is_small(number) => put_number(out, number.as_f64().unwrap_or_default()),
        other => out.push_str(&other.to_string()),
    }
}

/// Whether a number is an integer that all readers hold exactly (RFC 8785, section 3.2.2.3: numbers are those of IEEE 754).
pub(crate) fn is_small(number: &Number) -> bool {
    number.as_u64().or(number.as_i64().map(i64::unsigned_abs)).is_some_and(|n| n < 1 << 53)
}

/// A number with a fraction or of any size, as RFC 8785, section 3.2.2.3, asks: as ECMAScript writes it (ECMA-262,
/// Number::toString), with the fewest digits that give the same number back.
fn put_number(out: &mut String, number: f64) {
    if number == 0.0 {
        out.push('0');
        return;
    }
    if number < 0.0 {
        out.push('-');
    }
    let scientific = format!("{:e}", number.abs());
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits = digits.replace('.', "");
    // The place of the decimal point behind the first digit.
    let point = exponent.parse::<i32>().unwrap_or_default() + 1;
    let count = digits.len() as i32;
    let zeros = |n: i32| "0".repeat(n.unsigned_abs() as usize);
    match point {
        count_on if (count..=21).contains(&count_on) => *out += &(digits + &zeros(point - count)),
        1..=21 => {
            let (whole, rest) = digits.split_at(point as usize);
            *out += &format!("{whole}.{rest}");
        }
        -5..=0 => *out += &format!("0.{}{digits}", zeros(point)),
        _ => {
            let (first, rest) = digits.split_at(1);
            let rest = if rest.is_empty() { String::new() } else { format!(".{rest}") };
            *out += &format!("{first}{rest}e{:+}", point - 1);
        }
    }
}

fn put_list<T>(
    out: &mut String,
    (open, close): (char, char),
    items: impl IntoIterator<Item = T>,
    put: impl Fn(&mut String, T),
) {
    out.push(open);
    for (n, item) in items.into_iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        put(out, item);
    }
    out.push(close);
}

/// The longest free text of a document (a case, an address), in bytes.
pub const MAX_LINE_BYTES: usize = 500;

/// A document that its maker signed for one reader; the file is its envelope, encrypted to the reader with age.
pub trait ForReader: Document {
    /// The maker's root key, which signs.
    fn maker(&self) -> &KeyBytes;

    /// The age recipient for whom it was made. It stands inside the signature, so that nobody can pass it on as if it had
    /// been made for another.
    fn recipient(&self) -> &str;
}

/// Why a document that was made for one reader is unusable.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForReaderError {
    /// It cannot be read.
    Envelope(EnvelopeError),
    /// The maker's root key did not sign it.
    Signature,
    /// It was made for another recipient.
    OtherRecipient(String),
}

impl std::fmt::Display for ForReaderError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Envelope(e) => e.fmt(f),
            Self::Signature => f.write_str("the maker that it names did not sign it as it stands"),
            Self::OtherRecipient(name) => write!(f, "it was made for another recipient, {name}"),
        }
    }
}

impl std::error::Error for ForReaderError {}

impl ForReaderError {
    /// The stable name, as the test vectors spell it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Envelope(e) => e.name(),
            Self::Signature => "signature",
            Self::OtherRecipient(_) => "other-recipient",
        }
    }
}

impl<T: ForReader> Signed<T> {
    /// Opens a decrypted document for `recipient`. The maker that it names must still be one that the caller trusts.
    ///
    /// # Errors
    /// [`ForReaderError`].
    pub fn open_for(json: &[u8], recipient: &str) -> Result<Self, ForReaderError> {
        let envelope = Self::from_json(json).map_err(ForReaderError::Envelope)?;
        let root: PublicKey = envelope.signed.maker().check().map_err(|_| ForReaderError::Signature)?;
        if !envelope.is_signed_by(&root) {
            return Err(ForReaderError::Signature);
        }
        if envelope.signed.recipient() != recipient {
            return Err(ForReaderError::OtherRecipient(envelope.signed.recipient().to_owned()));
        }
        Ok(envelope)
    }
}

/// Whether `text` may be a free text of a document: at most [`MAX_LINE_BYTES`], and no character that a
/// [`crate::text::Label`] refuses, for it is printed on terminals and in reports.
#[must_use]
pub fn is_line(text: &str) -> bool {
    text.len() <= MAX_LINE_BYTES && !text.chars().any(forbidden)
}

/// Reads a free text of one line: see [`is_line`].
pub(crate) fn line<'de, D: Deserializer<'de>>(d: D) -> Result<String, D::Error> {
    let text = String::deserialize(d)?;
    if !is_line(&text) {
        return Err(D::Error::custom(
            "a text is one line of at most 500 bytes without control or invisible characters",
        ));
    }
    Ok(text)
}

/// Reads an instant: whole seconds from 1970 on, so that it has one spelling in every implementation.
pub(crate) fn instant<'de, D: Deserializer<'de>>(d: D) -> Result<Timestamp, D::Error> {
    let instant = Timestamp::deserialize(d)?;
    let whole = instant.as_second() >= 0 && instant.subsec_nanosecond() == 0;
    if whole { Ok(instant) } else { Err(D::Error::custom("a time is in whole seconds, from 1970 on")) }
}

pub(crate) fn optional_line<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    line(d).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_json_is_sorted_compact_and_escaped_as_rfc_8785() {
        let value: Value = serde_json::from_str(
            "{ \"b\" : [ 9007199254740991, true, {} ], \"a\": \"\\u20ac\\u000f\\nA'B\\u0022\\\\\\\"/\\u007f\", \"B\": null }",
        )
        .unwrap();
        let mut out = String::new();
        put_canonical(&mut out, &value);
        assert_eq!(out, "{\"B\":null,\"a\":\"€\\u000f\\nA'B\\\"\\\\\\\"/\u{7f}\",\"b\":[9007199254740991,true,{}]}");
    }

    #[test]
    fn numbers_are_written_as_ecmascript_does() {
        // RFC 8785, appendix B, and the ends of each notation.
        let expected = [
            (0.0, "0"),
            (-0.0, "0"),
            (5e-324, "5e-324"),
            (-5e-324, "-5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (9007199254740992.0, "9007199254740992"),
            (295147905179352830000.0, "295147905179352830000"),
            (9.999999999999997e22, "9.999999999999997e+22"),
            (1e23, "1e+23"),
            (999999999999999700000.0, "999999999999999700000"),
            (1e21, "1e+21"),
            (9.999999999999997e-7, "9.999999999999997e-7"),
            (0.000001, "0.000001"),
            (333_333_333.333_333_3, "333333333.3333333"),
            (-0.0000033333333333333333, "-0.0000033333333333333333"),
            (129.3, "129.3"),
            (50.0, "50"),
        ];
        for (number, text) in expected {
            assert_eq!(canonical(&Value::from(number)), text);
        }
        // Integers are such numbers, too.
        let expected = [
            ((1_u64 << 53) - 1, "9007199254740991"),
            ((1 << 53) + 1, "9007199254740992"),
            (1 << 60, "1152921504606847000"),
        ];
        for (number, text) in expected {
            assert_eq!(canonical(&Value::from(number)), text);
        }
        assert_eq!(canonical(&Value::from(i64::MIN)), "-9223372036854776000");
    }
}
