//! Base45 (RFC 9285): bytes as characters of QR Code's alphanumeric mode, the text form of a mark.

const ALPHABET: &[u8; 45] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

/// Why a text is not base45 (RFC 9285, section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Base45Error {
    /// A character outside the alphabet, at this position (counted in bytes from 0).
    Character(usize),
    /// A length that leaves one character over.
    Length,
    /// A group, starting at this position, whose value does not fit its bytes.
    Overflow(usize),
}

impl std::fmt::Display for Base45Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Character(at) => write!(f, "character {} is not in the base45 alphabet", at + 1),
            Self::Length => write!(f, "base45 text cannot have this length: characters are missing or too many"),
            Self::Overflow(at) => write!(f, "the group at character {} is no base45 group", at + 1),
        }
    }
}

impl std::error::Error for Base45Error {}

impl Base45Error {
    /// The stable name, as the test vectors spell it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Character(_) => "character",
            Self::Length => "length",
            Self::Overflow(_) => "overflow",
        }
    }
}

/// `bytes` as base45: three characters for two bytes, two for a last single one.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let digit = |n: usize| char::from(ALPHABET[n % 45]);
    let mut out = String::with_capacity(bytes.len().div_ceil(2) * 3);
    for pair in bytes.chunks(2) {
        let value = pair.iter().fold(0, |n, &b| n * 256 + usize::from(b));
        out.push(digit(value));
        out.push(digit(value / 45));
        if pair.len() == 2 {
            out.push(digit(value / 2025));
        }
    }
    out
}

/// The bytes of base45 `text`; nothing but its one legal form is accepted.
///
/// # Errors
/// [`Base45Error`] for each of the refusals that RFC 9285, section 6, asks for.
pub fn decode(text: &str) -> Result<Vec<u8>, Base45Error> {
    let mut out = Vec::with_capacity(text.len() / 3 * 2 + 1);
    for (n, group) in text.as_bytes().chunks(3).enumerate() {
        let at = n * 3;
        if group.len() == 1 {
            return Err(Base45Error::Length);
        }
        let mut value = 0;
        for (i, c) in group.iter().enumerate().rev() {
            let digit = ALPHABET.iter().position(|a| a == c).ok_or(Base45Error::Character(at + i))?;
            value = value * 45 + digit;
        }
        if group.len() == 3 {
            out.extend(u16::try_from(value).map_err(|_| Base45Error::Overflow(at))?.to_be_bytes());
        } else {
            out.push(u8::try_from(value).map_err(|_| Base45Error::Overflow(at))?);
        }
    }
    Ok(out)
}
