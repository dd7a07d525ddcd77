//! Data codewords of QR Code to content: the segments of ISO/IEC 18004, clauses 7.4 and 7.5.

use crate::symbol::decode::{DecodeError, as_text, character_set};
use crate::symbol::recover::Template;
use crate::symbol::view::{Word, known_bits};
use encoding_rs::{Encoding, SHIFT_JIS};

const ALPHANUMERIC: &[u8; 45] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

/// Bytes and text of a bit stream.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::symbol) struct Segments {
    pub(in crate::symbol) bytes: Vec<u8>,
    pub(in crate::symbol) text: Option<String>,
    /// What follows the terminator is the padding of clause 7.4.10.
    pub(in crate::symbol) padded: bool,
}

struct Bits<'a> {
    data: &'a [u8],
    at: usize,
    end: usize,
}

impl Bits<'_> {
    fn left(&self) -> usize {
        self.end - self.at
    }

    fn take(&mut self, count: usize) -> Result<usize, DecodeError> {
        if count > self.left() {
            return Err(DecodeError::Format);
        }
        let bit = |at: usize| usize::from(self.data[at / 8] >> (7 - at % 8) & 1);
        let value = (self.at..self.at + count).fold(0, |value, at| value << 1 | bit(at));
        self.at += count;
        Ok(value)
    }

    /// Whether the next `count` bits, or those that are left, are 0.
    fn rest_is_zero(&self, count: usize) -> bool {
        let mut ahead = Self { ..*self };
        ahead.take(count.min(self.left())) == Ok(0)
    }
}

/// Bits of the character counts of each mode (table 3).
struct Counts {
    numeric: usize,
    alphanumeric: usize,
    bytes: usize,
    kanji: usize,
}

impl Counts {
    fn of(version: usize) -> Self {
        let (numeric, alphanumeric, bytes, kanji) = match version {
            0..=9 => (10, 9, 8, 8),
            10..=26 => (12, 11, 16, 10),
            _ => (14, 13, 16, 12),
        };
        Self { numeric, alphanumeric, bytes, kanji }
    }

    /// Of version M1 to M4.
    fn of_micro(version: u8) -> Self {
        let n = usize::from(version);
        Self { numeric: n + 2, alphanumeric: n + 1, bytes: n + 1, kanji: n }
    }
}

/// Reads the segments of a symbol of version `version`.
///
/// # Errors
/// [`DecodeError::Format`] where the bits are no legal segments.
pub(in crate::symbol) fn read(data: &[u8], version: usize) -> Result<Segments, DecodeError> {
    let mut bits = Bits { data, at: 0, end: data.len() * 8 };
    let counts = Counts::of(version);
    let mut out = Segments::default();
    let mut pieces: Vec<Option<String>> = Vec::new();
    let mut set: Option<&'static Encoding> = None;
    while bits.left() >= 4 {
        let start = out.bytes.len();
        let declared = match bits.take(4)? {
            0 => break,
            1 => numeric(&mut bits, counts.numeric, &mut out.bytes).map(|()| set)?,
            2 => alphanumeric(&mut bits, counts.alphanumeric, &mut out.bytes).map(|()| set)?,
            4 => bytes(&mut bits, counts.bytes, &mut out.bytes).map(|()| set)?,
            8 => kanji(&mut bits, counts.kanji, &mut out.bytes).map(|()| Some(SHIFT_JIS))?,
            // Structured append: position, total and parity of a larger message.
            3 => bits.take(16).map(|_| set)?,
            // FNC1 in first position (GS1), and in second with its application indicator.
            5 => set,
            9 => bits.take(8).map(|_| set)?,
            7 => {
                set = character_set(eci(&mut bits)?);
                set
            }
            _ => return Err(DecodeError::Format),
        };
        if out.bytes.len() > start {
            pieces.push(as_text(&out.bytes[start..], declared));
        }
    }
    // One guess over all bytes where nothing was declared: a character may be cut by the border of two segments.
    let declared = set.is_some() || pieces.iter().any(Option::is_none);
    out.text = if declared { pieces.into_iter().collect() } else { as_text(&out.bytes, None) };
    out.padded = is_padding(&mut bits);
    Ok(out)
}

/// Bits of the character count of a segment of bytes.
pub(in crate::symbol) fn byte_count_bits(version: usize) -> usize {
    Counts::of(version).bytes
}

/// What a payload, encoded as one segment of bytes, says of `data_words` data codewords; `None` if it does not fit.
pub(in crate::symbol) fn expected(
    template: &Template,
    version: usize,
    data_words: usize,
) -> Option<Vec<Word<Option<bool>>>> {
    let room = data_words * 8;
    let length = template.bytes.len();
    let count_bits = byte_count_bits(version);
    // Byte mode is 0100.
    let mut bits = [false, true, false, false].map(Some).to_vec();
    bits.extend((0..count_bits).rev().map(|i| template.complete.then_some(length >> i & 1 == 1)));
    bits.extend(template.bytes.iter().flat_map(|byte| byte.map_or([None; 8], known_bits)));
    if bits.len() > room {
        return None;
    }
    if template.complete {
        // The terminator and the rest of its codeword, then the padding of clause 7.4.10.
        let end = (bits.len() + 4).next_multiple_of(8).min(room);
        bits.resize(end, Some(false));
        let left = (room - end) / 8;
        bits.extend([0xEC, 0x11].into_iter().cycle().take(left).flat_map(known_bits));
    }
    bits.resize(room, None);
    let (words, _) = bits.as_chunks::<8>();
    Some(words.to_vec())
}

/// Reads the segments of a Micro QR Code, `end` bits of version M1 to M4.
///
/// # Errors
/// [`DecodeError::Format`] where the bits are no legal segments.
pub(super) fn read_micro(data: &[u8], end: usize, version: u8) -> Result<Segments, DecodeError> {
    let mut bits = Bits { data, at: 0, end: end.min(data.len() * 8) };
    let (counts, mode_bits) = (Counts::of_micro(version), usize::from(version) - 1);
    let terminator = usize::from(version) * 2 + 1;
    let mut out = Segments::default();
    let mut kanji_only = true;
    // The terminator is that of numeric mode with no digits; it may be cut short by the end.
    while !bits.rest_is_zero(terminator) {
        match bits.take(mode_bits)? {
            0 => numeric(&mut bits, counts.numeric, &mut out.bytes)?,
            1 => alphanumeric(&mut bits, counts.alphanumeric, &mut out.bytes)?,
            2 if version > 2 => bytes(&mut bits, counts.bytes, &mut out.bytes)?,
            3 if version > 2 => {
                kanji(&mut bits, counts.kanji, &mut out.bytes)?;
                continue;
            }
            _ => return Err(DecodeError::Format),
        }
        kanji_only = false;
    }
    bits.at = (bits.at + terminator).min(bits.end);
    out.text = as_text(&out.bytes, kanji_only.then_some(SHIFT_JIS));
    out.padded = is_padding(&mut bits);
    Ok(out)
}

fn is_padding(bits: &mut Bits<'_>) -> bool {
    bits.at = bits.at.div_ceil(8) * 8;
    // A last codeword of four bits is padded with zeros.
    let whole = bits.data.get(bits.at / 8..bits.end / 8).unwrap_or_default();
    whole.iter().zip([0xEC, 0x11].iter().cycle()).all(|(a, b)| a == b)
}

fn numeric(bits: &mut Bits<'_>, count: usize, out: &mut Vec<u8>) -> Result<(), DecodeError> {
    let mut left = bits.take(count)?;
    while left > 0 {
        let digits = left.min(3);
        let value = bits.take([0, 4, 7, 10][digits])?;
        if value >= [1, 10, 100, 1000][digits] {
            return Err(DecodeError::Format);
        }
        out.extend(format!("{value:0digits$}").bytes());
        left -= digits;
    }
    Ok(())
}

fn alphanumeric(bits: &mut Bits<'_>, count: usize, out: &mut Vec<u8>) -> Result<(), DecodeError> {
    let mut left = bits.take(count)?;
    while left > 0 {
        let characters = left.min(2);
        let value = bits.take([0, 6, 11][characters])?;
        let digits = if characters == 2 { vec![value / 45, value % 45] } else { vec![value] };
        for digit in digits {
            out.push(*ALPHANUMERIC.get(digit).ok_or(DecodeError::Format)?);
        }
        left -= characters;
    }
    Ok(())
}

fn bytes(bits: &mut Bits<'_>, count: usize, out: &mut Vec<u8>) -> Result<(), DecodeError> {
    let length = bits.take(count)?;
    if length * 8 > bits.left() {
        return Err(DecodeError::Format);
    }
    for _ in 0..length {
        out.push(bits.take(8)? as u8);
    }
    Ok(())
}

fn kanji(bits: &mut Bits<'_>, count: usize, out: &mut Vec<u8>) -> Result<(), DecodeError> {
    for _ in 0..bits.take(count)? {
        let value = bits.take(13)?;
        let joined = ((value / 0xC0) << 8) | (value % 0xC0);
        let code = if joined < 0x1F00 { joined + 0x8140 } else { joined + 0xC140 };
        out.extend([(code >> 8) as u8, code as u8]);
    }
    Ok(())
}

fn eci(bits: &mut Bits<'_>) -> Result<u32, DecodeError> {
    let first = bits.take(8)?;
    let value = match first {
        0..=0x7F => first,
        0x80..=0xBF => (first & 0x3F) << 8 | bits.take(8)?,
        0xC0..=0xDF => (first & 0x1F) << 16 | bits.take(16)?,
        _ => return Err(DecodeError::Format),
    };
    Ok(value as u32)
}
