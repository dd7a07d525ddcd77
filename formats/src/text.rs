//! Short texts of a mark: what they may hold, and how they are packed into few bytes.

use crate::codec::{Fault, Reader};
use serde::{Deserialize, Serialize};

/// A part number, lot code or name: 1 to 63 bytes of UTF-8 without control, direction or invisible characters, and
/// without a space at either end, so that it prints as one piece of a line and shows all that it holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Label(String);

/// Why a text is no [`Label`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LabelError {
    /// Empty, or longer than 63 bytes.
    Length,
    /// A control, direction or invisible character, or a space at an end.
    Character,
}

impl std::fmt::Display for LabelError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Length => "must have 1 to 63 bytes",
            Self::Character => "holds a control, direction or invisible character, or begins or ends with a space",
        })
    }
}

impl std::error::Error for LabelError {}

impl LabelError {
    /// The stable name, as the test vectors spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Character => "character",
        }
    }
}

impl Label {
    /// The longest label, in bytes.
    pub const MAX_BYTES: usize = 63;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Characters that a label never holds: controls, line separators, and all that turn the direction of writing or show
/// nothing (Unicode Default_Ignorable_Code_Point), which could make one part number look like another.
#[must_use]
pub fn forbidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}')
        || matches!(c, '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}')
        || matches!(c, '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}')
        || matches!(c, '\u{FFF0}'..='\u{FFF8}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}')
        || matches!(c, '\u{E0000}'..='\u{E0FFF}')
}

impl TryFrom<String> for Label {
    type Error = LabelError;

    fn try_from(text: String) -> Result<Self, LabelError> {
        if text.is_empty() || text.len() > Self::MAX_BYTES {
            return Err(LabelError::Length);
        }
        if text.chars().any(forbidden) || text.trim() != text {
            return Err(LabelError::Character);
        }
        Ok(Self(text))
    }
}

impl std::str::FromStr for Label {
    type Err = LabelError;

    fn from_str(text: &str) -> Result<Self, LabelError> {
        text.to_owned().try_into()
    }
}

impl From<Label> for String {
    fn from(label: Label) -> Self {
        label.0
    }
}

impl std::fmt::Display for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

/// The characters of alphabets 0 to 2, a prefix for each: 10, 36 and 45 of them. Alphabet 3 is any byte.
const CHARACTERS: &[u8; 45] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-./+#,_= ";
const SIZES: [u16; 4] = [10, 36, 45, 256];
const BYTES: u8 = 3;

/// Why packed texts are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PackFault {
    Truncated,
    Empty,
    /// The integer is not below the product of the alphabets' sizes.
    Overflow,
    /// A smaller alphabet would do.
    Alphabet,
    Utf8,
    Label,
}

impl From<Fault> for PackFault {
    fn from(_: Fault) -> Self {
        Self::Truncated
    }
}

fn alphabet_of(text: &str) -> u8 {
    let fits = |n: u16| text.bytes().all(|b| CHARACTERS.iter().take(n.into()).any(|c| *c == b));
    (0..BYTES).find(|a| fits(SIZES[usize::from(*a)])).unwrap_or(BYTES)
}

/// A big-endian integer that grows by Horner's rule.
struct Big(Vec<u8>);

impl Big {
    fn push_digit(&mut self, base: u16, digit: u16) {
        let mut carry = u32::from(digit);
        for byte in self.0.iter_mut().rev() {
            carry += u32::from(*byte) * u32::from(base);
            *byte = carry as u8;
            carry >>= 8;
        }
        if carry > 0 {
            // A digit is below its base, at most 256: what is carried out of the top is one byte.
            self.0.insert(0, carry as u8);
        }
    }

    fn pop_digit(&mut self, base: u16) -> u8 {
        let mut rest = 0u32;
        for byte in &mut self.0 {
            let value = rest * 256 + u32::from(*byte);
            *byte = (value / u32::from(base)) as u8;
            rest = value % u32::from(base);
        }
        rest as u8
    }
}

/// Appends `texts`: a head byte each (alphabet in the high two bits, length in bytes in the low six), then all their
/// characters as one big-endian integer, the first character the most significant.
pub(crate) fn put_packed(out: &mut Vec<u8>, texts: &[&Label]) {
    let mut value = Big(Vec::with_capacity(64));
    let mut largest = Big(Vec::with_capacity(64));
    for text in texts {
        let alphabet = alphabet_of(text.as_str());
        let base = SIZES[usize::from(alphabet)];
        out.push(alphabet << 6 | text.as_str().len() as u8);
        for byte in text.as_str().bytes() {
            let digit =
                if alphabet == BYTES { Some(usize::from(byte)) } else { CHARACTERS.iter().position(|c| *c == byte) };
            value.push_digit(base, digit.unwrap_or(0) as u16);
            largest.push_digit(base, base - 1);
        }
    }
    out.resize(out.len() + largest.0.len() - value.0.len(), 0);
    out.extend(value.0);
}

/// Takes `count` packed texts; refuses every form but the one that [`put_packed`] writes.
pub(crate) fn take_packed(reader: &mut Reader<'_>, count: usize) -> Result<Vec<Label>, PackFault> {
    let heads = reader.take(count)?.iter().map(|head| (head >> 6, usize::from(head & 63))).collect::<Vec<_>>();
    if heads.iter().any(|(_, length)| *length == 0) {
        return Err(PackFault::Empty);
    }
    let mut largest = Big(Vec::with_capacity(64));
    for (alphabet, length) in &heads {
        let base = SIZES[usize::from(*alphabet)];
        (0..*length).for_each(|_| largest.push_digit(base, base - 1));
    }
    let mut value = Big(reader.take(largest.0.len())?.to_vec());
    let mut texts = Vec::with_capacity(count);
    for (alphabet, length) in heads.iter().rev() {
        let base = SIZES[usize::from(*alphabet)];
        let mut text = vec![0; *length];
        for byte in text.iter_mut().rev() {
            let digit = value.pop_digit(base);
            *byte = if *alphabet == BYTES { digit } else { CHARACTERS.get(usize::from(digit)).copied().unwrap_or(0) };
        }
        texts.push((*alphabet, String::from_utf8(text)));
    }
    if value.0.iter().any(|b| *b != 0) {
        return Err(PackFault::Overflow);
    }
    texts.reverse();
    texts
        .into_iter()
        .map(|(alphabet, text)| {
            let label = Label::try_from(text.map_err(|_| PackFault::Utf8)?).map_err(|_| PackFault::Label)?;
            if alphabet_of(label.as_str()) == alphabet { Ok(label) } else { Err(PackFault::Alphabet) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packed(texts: &[&str]) -> Vec<u8> {
        let labels: Vec<Label> = texts.iter().map(|t| t.parse().unwrap()).collect();
        let mut out = Vec::new();
        put_packed(&mut out, &labels.iter().collect::<Vec<_>>());
        out
    }

    #[test]
    fn thirteen_and_seven_characters_take_fifteen_bytes_together() {
        assert_eq!(packed(&["STM32F407VGT6", "A2B347K"]).len(), 2 + 13);
        assert_eq!(packed(&["STM32F407VGT6"]).len(), 1 + 9);
        assert_eq!(packed(&["A2B347K"]).len(), 1 + 5);
        assert_eq!(packed(&["7"]), [1, 7]);
        assert_eq!(packed(&["ab"]), [0xC2, b'a', b'b']);
        assert_eq!(packed(&["1", "A"]), [0x01, 0x41, 0x00, 0x2E], "1 * 36 + 10 in two bytes, for 359 is the largest");
    }

    #[test]
    fn labels_refuse_what_could_deceive_the_eye() {
        let invisible = ["A\u{202E}B", "A\u{200B}", "\u{FEFF}A", "A\u{AD}B", "A\u{3164}", "A\u{E0041}", "A\u{2066}B"];
        for text in ["", " A", "A ", "A\u{3000}", "A\nB", "A\u{85}B", &"x".repeat(64)].into_iter().chain(invisible) {
            assert!(text.parse::<Label>().is_err(), "{text:?}");
        }
        for text in ["A", &"x".repeat(63), "ЛОТ 7", "a b", "微控制器"] {
            assert!(text.parse::<Label>().is_ok(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn packing_is_inverted_by_unpacking(texts in prop::collection::vec("[0-9]{1,63}|[0-9A-Z]{1,63}|[-A-Z./+#,_=]{1,63}|[a-zé]{1,31}", 1..3)) {
            let bytes = packed(&texts.iter().map(String::as_str).collect::<Vec<_>>());
            let mut reader = Reader::new(&bytes);
            let back = take_packed(&mut reader, texts.len()).unwrap();
            prop_assert_eq!(reader.len(), 0);
            prop_assert_eq!(back.iter().map(Label::as_str).collect::<Vec<_>>(), texts);
        }

        #[test]
        fn what_is_unpacked_packs_to_the_same_bytes(bytes in prop::collection::vec(any::<u8>(), 0..140), count in 1usize..3) {
            let mut reader = Reader::new(&bytes);
            if let Ok(labels) = take_packed(&mut reader, count) {
                let mut again = Vec::new();
                put_packed(&mut again, &labels.iter().collect::<Vec<_>>());
                prop_assert_eq!(&bytes[..bytes.len() - reader.len()], again);
            }
        }
    }
}
