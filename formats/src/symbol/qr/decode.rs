//! Likelihoods of modules to content: format information, codewords, error correction (ISO/IEC 18004, clauses 7.9 and
//! 12).

use super::segments::{self, Segments};
use super::tables::{Version, masks};
use crate::symbol::EcLevel;
use crate::symbol::anatomy::Anatomy;
use crate::symbol::decode::{Content, DecodeError};
use crate::symbol::reed_solomon;
use crate::symbol::view::{Block, Corrected, Framing, View, Word};

/// Decodes a symbol of `side` by `side` modules from the log-likelihood ratio of each, row by row: positive for a dark
/// module, 0 for an unknown one.
///
/// # Errors
/// [`DecodeError`].
pub fn decode(side: usize, llr: &[f32]) -> Result<Content, DecodeError> {
    let views = views(side, llr, &formats(side, llr)).ok_or(DecodeError::Size)?;
    first_content(views.iter().map(std::slice::from_ref))
}

/// The content of the first way to see a symbol that has one, each way being several looks at it.
///
/// # Errors
/// [`DecodeError`].
pub(in crate::symbol) fn first_content<'v>(ways: impl Iterator<Item = &'v [View]>) -> Result<Content, DecodeError> {
    let mut error = DecodeError::Checksum;
    for looks in ways {
        match content(looks) {
            Ok(content) => return Ok(content),
            Err(DecodeError::Checksum) => {}
            Err(e) => error = e,
        }
    }
    Err(error)
}

/// The symbol by the likeliest of `formats`; `None` if there is none of this size. The format's own code corrects three
/// bits; the runners-up are worth a try where it was hit harder.
pub(in crate::symbol) fn views(side: usize, llr: &[f32], formats: &[Format]) -> Option<Vec<View>> {
    let version = Version::of_side(side).filter(|_| llr.len() == side * side)?;
    let order = version.data_modules();
    let seen = formats.iter().take(3).map(|&(ec, mask)| {
        let bit = |&(x, y): &(usize, usize)| llr[y * side + x] * if masks(mask, x, y) { -1.0 } else { 1.0 };
        let (words, _) = order.as_chunks::<8>();
        let words: Vec<Word<f32>> =
            words.iter().take(version.codewords()).map(|modules| modules.each_ref().map(bit)).collect();
        view(version, ec, &words)
    });
    Some(seen.collect())
}

/// Level and mask.
pub(in crate::symbol) type Format = (EcLevel, u8);

/// The anatomy of a symbol of `side` by `side` modules, for [`crate::symbol::anatomy::anatomy`].
pub(in crate::symbol) fn anatomy(side: usize, llr: &[f32]) -> Result<Anatomy, DecodeError> {
    let version = Version::of_side(side).ok_or(DecodeError::Size)?;
    let formats = formats(side, llr);
    let views = views(side, llr, &formats).ok_or(DecodeError::Size)?;
    let order: Vec<usize> = version.data_modules().into_iter().map(|(x, y)| y * side + x).collect();
    let (modules, _) = order.as_chunks::<8>();
    let looks = views.iter().zip(formats).filter(|(view, _)| content(std::slice::from_ref(view)).is_ok());
    let mut anatomies = looks.filter_map(|(view, (_, mask))| {
        let flipped = |module: usize| masks(mask, module % side, module / side);
        view.anatomy((side, side), modules, flipped, |module| version.known(module % side, module / side))
    });
    anatomies.next().ok_or(DecodeError::Checksum)
}

/// How much likelier, in nats, a format is than one that is not worth a try.
const DOUBT: f32 = 24.0;

/// Whether a symbol of which nothing decodes is worth a second try with rows and columns exchanged, as it is seen from
/// behind, and whether it is worth the first: its format information speaks for one or the other where it can be read.
#[must_use]
pub fn turns(side: usize, llr: &[f32], turned: &[f32]) -> [bool; 2] {
    let best = |llr| scored(side, llr).first().map_or(0.0, |(fit, _)| *fit);
    let (upright, turned) = (best(llr), best(turned));
    [turned - upright < DOUBT, upright - turned < DOUBT]
}

/// The formats that are worth a try, the likeliest first; none of a side that no symbol has.
pub(in crate::symbol) fn formats(side: usize, llr: &[f32]) -> Vec<Format> {
    let scored = scored(side, llr);
    let least = scored.first().map_or(0.0, |(fit, _)| fit - DOUBT);
    scored.into_iter().filter(|(fit, _)| *fit >= least).map(|(_, format)| format).collect()
}

/// All formats with how well they agree, the best first.
fn scored(side: usize, llr: &[f32]) -> Vec<(f32, Format)> {
    if side < 21 {
        return Vec::new();
    }
    let at = |x: usize, y: usize| llr.get(y * side + x).copied().unwrap_or(0.0);
    // The places of bits 14 to 0 of both copies (figure 25).
    let first = (0..15).map(|i| match i {
        0..=5 => at(i, 8),
        6 => at(7, 8),
        7 => at(8, 8),
        8 => at(8, 7),
        _ => at(8, 14 - i),
    });
    let second = (0..15).map(|i| if i < 7 { at(8, side - 1 - i) } else { at(side - 15 + i, 8) });
    let sums: Vec<f32> = first.zip(second).map(|(a, b)| a + b).collect();
    let mut scored: Vec<(f32, Format)> = (0..32u16)
        .map(|data| {
            let (fit, _) = bit_fit(format_word(data) ^ FORMAT_MASK, &sums);
            // Level indicators are 01, 00, 11, 10 for L, M, Q, H (table 12).
            let level = [EcLevel::M, EcLevel::L, EcLevel::H, EcLevel::Q][usize::from(data >> 3)];
            (fit, (level, (data & 7) as u8))
        })
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored
}

/// What the format information is added to (clause 7.9.1).
const FORMAT_MASK: u16 = 0x5412;

/// How well 15 likelihoods, that of bit 14 first, agree with a word, and how many bits do not.
pub(super) fn bit_fit(word: u16, bits: &[f32]) -> (f32, u32) {
    let signed = bits.iter().enumerate().map(|(i, l)| if word >> (14 - i) & 1 == 1 { *l } else { -*l });
    signed.fold((0.0, 0), |(sum, wrong), l| (sum + l, wrong + u32::from(l < 0.0)))
}

/// The 15 bits of format information with their BCH code, not yet masked (annex C).
pub(super) fn format_word(data: u16) -> u16 {
    let mut rest = data << 10;
    for shift in (10..15).rev() {
        if rest >> shift & 1 == 1 {
            rest ^= 0x537 << (shift - 10);
        }
    }
    data << 10 | rest
}

fn view(version: Version, ec: EcLevel, words: &[Word<f32>]) -> View {
    let (ec_words, blocks) = version.blocks(ec);
    let data_words = words.len() / blocks - ec_words;
    let longer = words.len() % blocks;
    // Shorter blocks come first; the one codeword more of the others is the last of their data (clause 7.6).
    let data_length = |block: usize| data_words + usize::from(block >= blocks - longer);
    let mut before = 0;
    let blocks = (0..blocks).map(|block| {
        let place = |i: usize| match i {
            i if i < data_words => i * blocks + block,
            i if i < data_length(block) => data_words * blocks + block - (blocks - longer),
            i => data_words * blocks + longer + (i - data_length(block)) * blocks + block,
        };
        let data = before..before + data_length(block);
        before = data.end;
        let places: Vec<usize> = (0..data.len() + ec_words).map(place).collect();
        let words = places.iter().filter_map(|at| words.get(*at).copied()).collect();
        Block { data: data.collect(), words, places }
    });
    let blocks = blocks.collect();
    View { code: &reed_solomon::QR, framing: Framing::Qr(version), spare: spare(version, ec), blocks }
}

fn content(looks: &[View]) -> Result<Content, DecodeError> {
    let Some(view) = looks.first() else { return Err(DecodeError::Size) };
    let Framing::Qr(version) = view.framing else { return Err(DecodeError::Size) };
    let Corrected { data, repaired, erased } = View::corrected_together(looks).ok_or(DecodeError::Checksum)?;
    let Segments { bytes, text, padded } = segments::read(&data, version.number())?;
    // Erasures leave less to refuse a wrong content by, and nothing is soon said: the form must bear it out.
    if (erased > 0 || bytes.is_empty()) && !padded {
        return Err(DecodeError::Checksum);
    }
    Ok(Content { bytes, text, repaired, codewords: view.codewords() })
}

/// Codewords of error correction that the standard keeps back against misreading in small symbols (table 9).
fn spare(version: Version, ec: EcLevel) -> usize {
    match (version.number(), ec) {
        (1, EcLevel::L) => 3,
        (1, EcLevel::M) | (2, EcLevel::L) => 2,
        (1, _) | (3, EcLevel::L) => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbol::{Request, encode};
    use proptest::prelude::*;

    fn soft(payload: &[u8], ec: EcLevel, min_version: u8) -> (usize, Vec<f32>, usize) {
        let encoded = encode(payload, &Request::Qr { ec, min_version }).unwrap();
        let side = encoded.matrix.width();
        let llr =
            (0..side * side).map(|i| if encoded.matrix.is_dark(i % side, i / side) { 4.0 } else { -4.0 }).collect();
        (side, llr, encoded.size.correctable)
    }

    #[test]
    fn every_version_and_level_is_decoded() {
        for version in 1..=40u8 {
            for ec in EcLevel::ALL {
                let payload: Vec<u8> = (0..7).map(|i| (i * 31) ^ version).collect();
                let (side, llr, _) = soft(&payload, ec, version);
                let content = decode(side, &llr).unwrap();
                assert_eq!((content.bytes, content.repaired), (payload, 0), "version {version} {ec:?}");
            }
        }
    }

    #[test]
    fn unknown_modules_are_erasures_and_cost_half_of_errors() {
        let payload: Vec<u8> = (0..84).collect();
        let (side, clean, _) = soft(&payload, EcLevel::M, 1);
        // The middle of the rightmost columns: more codewords than can be corrected as errors.
        let spoil = |value: fn(f32) -> f32| {
            let mut llr = clean.clone();
            for y in 9..side - 9 {
                (side - 10..side).for_each(|x| llr[y * side + x] = value(llr[y * side + x]));
            }
            decode(side, &llr)
        };
        assert_eq!(spoil(|_| 0.0).map(|c| c.bytes), Ok(payload));
        // Wrong and sure of it: the erasures tried fall on others.
        assert_eq!(spoil(|l| -1.5 * l), Err(DecodeError::Checksum));
    }

    proptest! {
        #[test]
        fn no_likelihoods_stop_it(side in 0usize..60, values in prop::collection::vec(-8f32..8.0, 3600)) {
            let _ = decode(side, &values[..side * side]);
            let _ = decode(side, &values);
        }

        #[test]
        fn noise_is_never_content(values in prop::collection::vec(-8f32..8.0, 25 * 25)) {
            prop_assert!(decode(25, &values).is_err());
        }
    }
}
