//! Micro QR Code, which is read but never written: its 15 bytes hold no mark (ISO/IEC 18004, clauses 5.3.2, 7.4 and 7.9).

use super::decode::{bit_fit, format_word};
use super::segments::{self, Segments};
use super::tables::masks;
use crate::symbol::decode::{Content, DecodeError};
use crate::symbol::reed_solomon;
use crate::symbol::soft::{self, Received};

/// A Micro QR Code version, M1 to M4: the size of the symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MicroVersion(u8);

impl MicroVersion {
    /// All four, the smallest first.
    pub const ALL: [Self; 4] = [Self(1), Self(2), Self(3), Self(4)];

    /// The version of this many modules a side.
    #[must_use]
    pub fn of_side(side: usize) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.side() == side)
    }

    /// Modules a side.
    #[must_use]
    pub fn side(self) -> usize {
        9 + 2 * usize::from(self.0)
    }

    /// What the module in column `x` of row `y` is: `Some(dark)` for the finder pattern, its separator and the timing
    /// patterns, whose look is known; `None` for the others.
    #[must_use]
    pub fn known(self, x: usize, y: usize) -> Option<bool> {
        let away = x.abs_diff(3).max(y.abs_diff(3));
        match away {
            0..=4 => Some(away != 2 && away != 4),
            _ => (x == 0 || y == 0).then_some((x + y).is_multiple_of(2)),
        }
    }

    /// The modules of data and error correction in the order of their bits, as (column, row) (clause 7.7.3).
    fn data_modules(self) -> impl Iterator<Item = (usize, usize)> {
        let side = self.side();
        let pairs = (2..side).rev().step_by(2).enumerate();
        let columns = pairs.flat_map(move |(i, right)| {
            let row = move |y: usize| if i % 2 == 0 { side - 1 - y } else { y };
            (0..side).flat_map(move |y| [(right, row(y)), (right - 1, row(y))])
        });
        columns.filter(|(x, y)| *x > 0 && *y > 0 && (*x > 8 || *y > 8))
    }
}

/// What the symbol number of the format information says (tables 9 and 13).
struct Layout {
    version: MicroVersion,
    data_words: usize,
    ec_words: usize,
    /// Codewords of error correction kept back against misreading.
    spare: usize,
}

/// By symbol number.
#[rustfmt::skip]
const LAYOUTS: [Layout; 8] = [
    Layout { version: MicroVersion(1), data_words:  3, ec_words:  2, spare: 2 },
    Layout { version: MicroVersion(2), data_words:  5, ec_words:  5, spare: 3 },
    Layout { version: MicroVersion(2), data_words:  4, ec_words:  6, spare: 2 },
    Layout { version: MicroVersion(3), data_words: 11, ec_words:  6, spare: 2 },
    Layout { version: MicroVersion(3), data_words:  9, ec_words:  8, spare: 0 },
    Layout { version: MicroVersion(4), data_words: 16, ec_words:  8, spare: 2 },
    Layout { version: MicroVersion(4), data_words: 14, ec_words: 10, spare: 0 },
    Layout { version: MicroVersion(4), data_words: 10, ec_words: 14, spare: 0 },
];

/// The mask references of Micro QR Code among those of QR Code (table 10).
const MASKS: [u8; 4] = [1, 4, 6, 7];

/// What the format information is added to (clause 7.9.2).
const FORMAT_MASK: u16 = 0x4445;

/// Bits of the format information that may be wrong: its code could correct three, but a small symbol has little else to
/// show that it is one.
const FORMAT_ERRORS: u32 = 2;

/// Decodes a symbol of `side` by `side` modules from the log-likelihood ratio of each, row by row: positive for a dark
/// module, 0 for an unknown one.
///
/// # Errors
/// [`DecodeError`].
pub fn decode(side: usize, llr: &[f32]) -> Result<Content, DecodeError> {
    let version = MicroVersion::of_side(side).filter(|_| llr.len() == side * side).ok_or(DecodeError::Size)?;
    let at = |x: usize, y: usize| llr.get(y * side + x).copied().unwrap_or(0.0);
    // Bits 14 to 0 run along row 8 and then up column 8 (figure 28).
    let format = (1..=8).map(|x| at(x, 8)).chain((1..=7).rev().map(|y| at(8, y)));
    let format: Vec<f32> = format.collect();
    let likeliest = (0..32u16)
        .map(|data| (data, bit_fit(format_word(data) ^ FORMAT_MASK, &format)))
        .max_by(|a, b| a.1.0.total_cmp(&b.1.0));
    let (data, _) = likeliest.filter(|(_, (_, wrong))| *wrong <= FORMAT_ERRORS).ok_or(DecodeError::Checksum)?;
    let layout = LAYOUTS.get(usize::from(data >> 2)).filter(|l| l.version == version).ok_or(DecodeError::Checksum)?;
    let mask = MASKS[usize::from(data & 3)];
    let bits = version.data_modules().map(|(x, y)| at(x, y) * if masks(mask, x, y) { -1.0 } else { 1.0 });
    let bits: Vec<f32> = bits.collect();
    // The last data codeword of M1 and M3 has four bits.
    let short = if matches!(version.0, 1 | 3) { 4 } else { 0 };
    let data_bits = layout.data_words * 8 - short;
    let (data, ec) = bits.split_at_checked(data_bits).ok_or(DecodeError::Size)?;
    let words = data.chunks(8).chain(ec.chunks_exact(8)).map(|bits| Received::of(bits.iter().copied()));
    let mut words: Vec<Received> = words.collect();
    let mut error = DecodeError::Checksum;
    // In error correction that short codeword is its lower half to some encoders and its upper half to others.
    for raised in [false, true].into_iter().take(if short == 0 { 1 } else { 2 }) {
        if let Some(last) = words.get_mut(layout.data_words - 1).filter(|_| raised) {
            last.codeword <<= short;
        }
        let Some(corrected) = soft::correct(&reed_solomon::QR, &words, layout.ec_words, layout.spare) else { continue };
        let mut data = corrected.block;
        data.truncate(layout.data_words);
        if let Some(last) = data.last_mut().filter(|_| !raised) {
            *last <<= short;
        }
        match segments::read_micro(&data, data_bits, version.0) {
            Ok(Segments { bytes, text, padded: true }) if !bytes.is_empty() => {
                return Ok(Content { bytes, text, repaired: corrected.repaired, codewords: words.len() });
            }
            _ => error = DecodeError::Format,
        }
    }
    Err(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use qrcode::{Color, EcLevel, QrCode, Version};

    fn soft(payload: &[u8], version: i16, ec: EcLevel) -> Option<(usize, Vec<f32>)> {
        let code = QrCode::with_version(payload, Version::Micro(version), ec).ok()?;
        let colours = code.to_colors().into_iter().map(|c| if c == Color::Dark { 4.0 } else { -4.0 });
        Some((code.width(), colours.collect()))
    }

    #[test]
    fn every_version_level_and_mode_is_decoded() {
        let mut read = 0;
        for payload in ["1", "4711", "12345", "TOUCH", "A1:", "4711 PART", "e=mc2", "1234 ABCD abcd"] {
            for version in 1..=4 {
                for ec in [EcLevel::L, EcLevel::M, EcLevel::Q] {
                    // The encoder of these tests gives M3-L a last data codeword of eight bits.
                    if (version, ec) == (3, EcLevel::L) {
                        continue;
                    }
                    let Some((side, llr)) = soft(payload.as_bytes(), version, ec) else { continue };
                    let content = decode(side, &llr).unwrap_or_else(|e| panic!("M{version} {ec:?} {payload}: {e}"));
                    assert_eq!(content.text.as_deref(), Some(payload), "M{version} {ec:?}");
                    read += 1;
                }
            }
        }
        assert!(read > 20, "{read}");
    }

    #[test]
    fn a_wrong_codeword_is_repaired() {
        let (side, mut llr) = soft(b"4711 PART", 4, EcLevel::Q).unwrap();
        for y in side - 4..side {
            (side - 2..side).for_each(|x| llr[y * side + x] *= -1.0);
        }
        let content = decode(side, &llr).unwrap();
        assert_eq!((content.bytes.as_slice(), content.repaired), (&b"4711 PART"[..], 1));
    }

    proptest! {
        #[test]
        fn no_likelihoods_stop_it(side in 0usize..20, values in prop::collection::vec(-8f32..8.0, 400)) {
            let _ = decode(side, &values[..side * side]);
            let _ = decode(side, &values);
        }
    }
}
