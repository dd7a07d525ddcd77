//! Data codewords to content: the encodation schemes of ISO/IEC 16022, 5.2 and annexes B and C.

use crate::symbol::decode::{as_text, character_set, looks_like_text};
use crate::symbol::recover::Template;
use crate::symbol::view::{Word, known_bits};
use encoding_rs::Encoding;

/// The content of the data codewords.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::symbol) struct Data {
    /// The bytes as encoded, macro header and trailer included, FNC1 as group separator (0x1D) but left out where it
    /// only marks the symbol (first or second place); ECI designators, structured append and padding left out.
    pub(in crate::symbol) bytes: Vec<u8>,
    /// The bytes as text: by the ECI designators where there are some, else as UTF-8 or Latin-1 if they look like it.
    pub(in crate::symbol) text: Option<String>,
}

/// Decodes all data codewords of a symbol; `None` where they break the rules of an encodation.
pub(in crate::symbol) fn decode(codewords: &[u8]) -> Option<Data> {
    let mut reader = Reader { codewords, at: 0, out: Vec::new(), charsets: Vec::new(), trailer: &[] };
    reader.ascii()?;
    reader.out.extend_from_slice(reader.trailer);
    let text = text(&reader.out, &reader.charsets);
    Some(Data { bytes: reader.out, text })
}

const PAD: u8 = 129;
const LATCH_C40: u8 = 230;
const LATCH_BASE256: u8 = 231;
const FNC1: u8 = 232;
const STRUCTURED_APPEND: u8 = 233;
const READER_PROGRAMMING: u8 = 234;
const UPPER_SHIFT: u8 = 235;
const MACRO_05: u8 = 236;
const MACRO_06: u8 = 237;
const LATCH_X12: u8 = 238;
const LATCH_TEXT: u8 = 239;
const LATCH_EDIFACT: u8 = 240;
const ECI: u8 = 241;
const UNLATCH: u8 = 254;
const GROUP_SEPARATOR: u8 = 0x1D;

struct Reader<'a> {
    codewords: &'a [u8],
    at: usize,
    out: Vec<u8>,
    /// Where each ECI designator stood in `out`, and its character set if that is known.
    charsets: Vec<(usize, Option<&'static Encoding>)>,
    trailer: &'static [u8],
}

impl Reader<'_> {
    fn next(&mut self) -> Option<u8> {
        let codeword = self.codewords.get(self.at).copied()?;
        self.at += 1;
        Some(codeword)
    }

    fn left(&self) -> usize {
        self.codewords.len() - self.at
    }

    /// ASCII encodation, the one that a symbol starts in and the others return to.
    fn ascii(&mut self) -> Option<()> {
        let mut start = 0;
        while let Some(codeword) = self.next() {
            match codeword {
                1..=128 => self.out.push(codeword - 1),
                PAD => break,
                130..=229 => self.out.extend_from_slice(&[b'0' + (codeword - 130) / 10, b'0' + (codeword - 130) % 10]),
                LATCH_C40 => self.c40(&C40)?,
                LATCH_TEXT => self.c40(&TEXT)?,
                LATCH_X12 => self.x12()?,
                LATCH_EDIFACT => self.edifact(),
                LATCH_BASE256 => self.base256()?,
                // As a mark of the symbol it stands first, or second behind an application indicator (5.2.4.6).
                FNC1 if self.at <= start + 2 => {}
                FNC1 => self.out.push(GROUP_SEPARATOR),
                STRUCTURED_APPEND if self.at == 1 => {
                    self.at += 3;
                    start = 4;
                }
                READER_PROGRAMMING if self.at == 1 => start = 1,
                MACRO_05 if self.at == 1 => self.macro_header(b"[)>\x1e05\x1d"),
                MACRO_06 if self.at == 1 => self.macro_header(b"[)>\x1e06\x1d"),
                UPPER_SHIFT => {
                    let shifted = self.next().filter(|c| (1..=128).contains(c))?;
                    self.out.push(shifted + 127);
                }
                ECI => self.eci()?,
                _ => return None,
            }
        }
        Some(())
    }

    fn macro_header(&mut self, header: &[u8]) {
        self.out.extend_from_slice(header);
        self.trailer = b"\x1e\x04";
    }

    /// An ECI designator of one to three codewords (5.2.4.7).
    fn eci(&mut self) -> Option<()> {
        let first = u32::from(self.next()?);
        let number = match first {
            1..=127 => first - 1,
            128..=191 => (first - 128) * 254 + u32::from(self.next()?.checked_sub(1)?) + 127,
            192..=207 => {
                let (second, third) = (self.next()?.checked_sub(1)?, self.next()?.checked_sub(1)?);
                (first - 192) * 64516 + u32::from(second) * 254 + u32::from(third) + 16383
            }
            _ => return None,
        };
        self.charsets.push((self.out.len(), character_set(number)));
        Some(())
    }

    /// C40 or Text: three values of 0..39 in two codewords (5.2.5, 5.2.6).
    fn c40(&mut self, set: &CharacterSet) -> Option<()> {
        let (mut shift, mut upper) = (0, 0);
        while self.left() >= 2 {
            let first = self.next()?;
            if first == UNLATCH {
                return Some(());
            }
            for value in triple(first, self.next()?)? {
                let character = match (shift, value) {
                    (0, 0..=2) => {
                        shift = value + 1;
                        continue;
                    }
                    (0, _) => *set.basic.get(usize::from(value) - 3)?,
                    (1, 0..=31) => value,
                    (2, 27) => GROUP_SEPARATOR,
                    (2, 30) => {
                        (shift, upper) = (0, 128);
                        continue;
                    }
                    (2, _) => *SHIFT_2.get(usize::from(value))?,
                    (3, _) => *set.shift_3.get(usize::from(value))?,
                    _ => return None,
                };
                self.out.push(character + upper);
                (shift, upper) = (0, 0);
            }
        }
        self.skip_unlatch();
        Some(())
    }

    /// ANSI X12 (5.2.7).
    fn x12(&mut self) -> Option<()> {
        while self.left() >= 2 {
            let first = self.next()?;
            if first == UNLATCH {
                return Some(());
            }
            for value in triple(first, self.next()?)? {
                self.out.push(*X12.get(usize::from(value))?);
            }
        }
        self.skip_unlatch();
        Some(())
    }

    /// One codeword left over is ASCII, and an unlatch there says nothing.
    fn skip_unlatch(&mut self) {
        if self.codewords.get(self.at) == Some(&UNLATCH) {
            self.at += 1;
        }
    }

    /// EDIFACT: four values of six bits in three codewords (5.2.8). One or two codewords at the end are ASCII.
    fn edifact(&mut self) {
        while let [a, b, c, ..] = self.codewords[self.at..] {
            let bits = u32::from_be_bytes([0, a, b, c]);
            for i in 0..4 {
                let value = (bits >> (18 - 6 * i) & 63) as u8;
                if value == 31 {
                    // The rest of this codeword is filled with zeros; the next starts in ASCII.
                    self.at += [1, 2, 3, 3][i];
                    return;
                }
                self.out.push(if value & 32 == 0 { value | 64 } else { value });
            }
            self.at += 3;
        }
    }

    /// Base 256: a length of one or two bytes, 0 for all the rest (5.2.9), everything under the 255-state randomising
    /// algorithm (annex B.2).
    fn base256(&mut self) -> Option<()> {
        let length = match usize::from(self.unrandomised()?) {
            0 => self.left(),
            first @ 1..=249 => first,
            first => 250 * (first - 249) + usize::from(self.unrandomised()?),
        };
        for _ in 0..length {
            let byte = self.unrandomised()?;
            self.out.push(byte);
        }
        Some(())
    }

    fn unrandomised(&mut self) -> Option<u8> {
        let codeword = self.next()?;
        Some(unrandomise_255(codeword, self.at))
    }
}

/// The byte behind a codeword of base 256 at a place counted from 1 (annex B.2).
pub(in crate::symbol) fn unrandomise_255(codeword: u8, place: usize) -> u8 {
    codeword.wrapping_sub(pseudo_random_255(place))
}

fn pseudo_random_255(place: usize) -> u8 {
    (149 * place % 255 + 1) as u8
}

/// A padding codeword after the first, at a place counted from 1 (annex B.1).
fn pad_253(place: usize) -> u8 {
    let value = usize::from(PAD) + 149 * place % 253 + 1;
    (if value > 254 { value - 254 } else { value }) as u8
}

/// What a payload, encoded in base 256 as one segment, says of `data_words` data codewords; `None` if it does not fit.
pub(in crate::symbol) fn expected(template: &Template, data_words: usize) -> Option<Vec<Word<Option<bool>>>> {
    // Beyond this the length takes two codewords; no mark is as long.
    let length = u8::try_from(template.bytes.len()).ok().filter(|length| *length < 250)?;
    // A segment that fills the symbol may say so by a length of 0.
    let says = template.complete && template.bytes.len() + 2 < data_words;
    let field = std::iter::once(says.then_some(length)).chain(template.bytes.iter().copied());
    let randomised = field.enumerate().map(|(i, byte)| byte.map(|byte| byte.wrapping_add(pseudo_random_255(i + 2))));
    let mut words = vec![Some(LATCH_BASE256)];
    words.extend(randomised);
    if words.len() > data_words {
        return None;
    }
    if template.complete && words.len() < data_words {
        words.push(Some(PAD));
        words.extend((words.len() + 1..=data_words).map(|place| Some(pad_253(place))));
    }
    words.resize(data_words, None);
    Some(words.into_iter().map(|word| word.map_or([None; 8], known_bits)).collect())
}

/// The three values of two codewords of C40, Text or X12.
fn triple(first: u8, second: u8) -> Option<[u8; 3]> {
    let packed = u16::from_be_bytes([first, second]).checked_sub(1)?;
    let values = [packed / 1600, packed / 40 % 40, packed % 40];
    (packed < 64000).then(|| values.map(|value| value as u8))
}

struct CharacterSet {
    basic: &'static [u8; 37],
    shift_3: &'static [u8; 32],
}

const C40: CharacterSet =
    CharacterSet { basic: b" 0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", shift_3: b"`abcdefghijklmnopqrstuvwxyz{|}~\x7f" };
const TEXT: CharacterSet =
    CharacterSet { basic: b" 0123456789abcdefghijklmnopqrstuvwxyz", shift_3: b"`ABCDEFGHIJKLMNOPQRSTUVWXYZ{|}~\x7f" };
const SHIFT_2: &[u8; 27] = b"!\"#$%&'()*+,-./:;<=>?@[\\]^_";
const X12: &[u8; 40] = b"\r*> 0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

fn text(bytes: &[u8], charsets: &[(usize, Option<&'static Encoding>)]) -> Option<String> {
    let first = charsets.first().map_or(bytes.len(), |(start, _)| *start);
    let mut text = plain_text(bytes.get(..first)?)?;
    for (i, (start, charset)) in charsets.iter().enumerate() {
        let end = charsets.get(i + 1).map_or(bytes.len(), |(next, _)| *next);
        text.push_str(&as_text(bytes.get(*start..end)?, Some((*charset)?))?);
    }
    Some(text)
}

/// Text without an ECI: UTF-8 where valid, else Latin-1, which is the default of ISO/IEC 16022, 5.2.1.
fn plain_text(bytes: &[u8]) -> Option<String> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    };
    looks_like_text(&text).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use datamatrix::data::EncodationType;
    use datamatrix::{DataMatrixBuilder, SymbolList};
    use proptest::prelude::*;

    fn bytes(codewords: &[u8]) -> Option<Vec<u8>> {
        decode(codewords).map(|data| data.bytes)
    }

    #[test]
    fn the_example_of_the_standard_decodes() {
        // ISO/IEC 16022, annex O.
        assert_eq!(bytes(&[142, 164, 186]).unwrap(), b"123456");
    }

    #[test]
    fn marks_of_the_symbol_are_left_out_and_separators_kept() {
        assert_eq!(bytes(&[FNC1, 131, 142, FNC1, 66]).unwrap(), b"0112\x1dA");
        assert_eq!(bytes(&[66, FNC1, 67]).unwrap(), b"AB");
        assert_eq!(bytes(&[STRUCTURED_APPEND, 1, 2, 3, 66, PAD, 7]).unwrap(), b"A");
        assert_eq!(bytes(&[MACRO_05, 66]).unwrap(), b"[)>\x1e05\x1dA\x1e\x04");
        assert_eq!(bytes(&[READER_PROGRAMMING, 66]).unwrap(), b"A");
    }

    #[test]
    fn an_eci_rules_the_text_and_leaves_the_bytes() {
        let data = decode(&[66, ECI, 27, UPPER_SHIFT, 0xC3 - 127, UPPER_SHIFT, 0xA4 - 127]).unwrap();
        assert_eq!(data.bytes, [b'A', 0xC3, 0xA4]);
        assert_eq!(data.text.as_deref(), Some("Aä"));
        assert_eq!(decode(&[ECI, 200, 1, 2, 66]).unwrap().text, None);
    }

    #[test]
    fn codewords_without_meaning_are_refused() {
        for bad in [
            &[0][..],
            &[255],
            &[UNLATCH],
            &[66, MACRO_05],
            &[UPPER_SHIFT],
            &[UPPER_SHIFT, 0],
            &[ECI],
            &[ECI, 0],
            &[LATCH_C40, 0, 0],
            &[LATCH_C40, 255, 255],
            &[LATCH_BASE256],
            &[66, STRUCTURED_APPEND],
        ] {
            assert_eq!(decode(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn any_codewords_are_answered(codewords in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&codewords);
        }

        #[test]
        fn what_the_encoder_wrote_is_read(text in "[ -~\r]{0,200}", kind in 0..6usize) {
            use EncodationType::{Ascii, Base256, C40, Edifact, Text, X12};
            let allowed = [Ascii, Base256, C40, Edifact, Text, X12][kind] | Ascii;
            let encoder = DataMatrixBuilder::new().with_macros(false).with_symbol_list(SymbolList::default());
            let made = encoder.with_encodation_types(allowed).encode(text.as_bytes());
            if let Ok(made) = made {
                let data = decode(made.data_codewords()).unwrap();
                prop_assert_eq!(&data.bytes, text.as_bytes());
                prop_assert_eq!(data.text.as_deref(), Some(text.as_str()));
            }
        }
    }
}
