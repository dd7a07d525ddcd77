//! Percent-encoding of texts within URIs (RFC 3986, section 2.1).

use std::fmt::Write;

/// `text` with all but RFC 3986's unreserved characters encoded.
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte.into());
        } else {
            // Writing to a string does not fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// The bytes that `text` stands for; `None` where a `%` is not followed by two hexadecimal digits.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    let digit = |b: Option<u8>| char::from(b?).to_digit(16);
    while let Some(byte) = bytes.next() {
        // Two hexadecimal digits make at most 255.
        out.push(if byte == b'%' { (digit(bytes.next())? << 4 | digit(bytes.next())?) as u8 } else { byte });
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_comes_back() {
        assert_eq!(encode("A/1 é~"), "A%2F1%20%C3%A9~");
        for text in ["", "DN-1", "a/b c", "%", "é\u{1F600}"] {
            assert_eq!(decode(&encode(text)).as_deref(), Some(text.as_bytes()));
        }
        for text in ["%", "%4", "%zz"] {
            assert_eq!(decode(text), None);
        }
    }
}
