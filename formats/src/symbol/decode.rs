//! What decoding a symbol gives, whatever its kind.

use super::{Symbology, datamatrix, qr, recover};
use encoding_rs::{Encoding, SHIFT_JIS, UTF_8, WINDOWS_1252};
use std::borrow::Cow;
use std::fmt;

/// The content of a symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The bytes of all segments in order, as encoded (Kanji segments: Shift_JIS); control codewords left out.
    pub bytes: Vec<u8>,
    /// The bytes as text, where they are text by the symbol's ECI or by their look.
    pub text: Option<String>,
    /// Codewords that error correction changed.
    pub repaired: usize,
    /// Codewords in the symbol, data and error correction together.
    pub codewords: usize,
}

/// Decodes a symbol of any kind from the log-likelihood ratios of its modules, row by row from the top left: positive for
/// dark, negative for light, 0 for an erasure.
///
/// # Errors
/// [`DecodeError`].
pub fn decode(symbology: Symbology, rows: usize, columns: usize, llr: &[f32]) -> Result<Content, DecodeError> {
    match symbology {
        Symbology::DataMatrix => datamatrix::decode::decode(rows, columns, llr),
        Symbology::QrCode | Symbology::MicroQrCode if rows != columns => Err(DecodeError::Size),
        Symbology::QrCode => qr::decode::decode(rows, llr),
        Symbology::MicroQrCode => qr::micro::decode(rows, llr),
    }
}

/// Decodes a symbol that was sampled in several ways, as [`decode`] takes them: what they say together, and each block of
/// codewords by whichever of them shows it whole. Each block must be beyond chance by itself, so that nothing is made up
/// of parts that fit only by luck.
///
/// # Errors
/// [`DecodeError`].
pub fn decode_together(
    symbology: Symbology,
    rows: usize,
    columns: usize,
    samplings: &[&[f32]],
) -> Result<Content, DecodeError> {
    let ways = recover::ways(symbology, rows, columns, samplings).ok_or(DecodeError::Size)?;
    let ways = ways.iter().map(Vec::as_slice);
    match symbology {
        Symbology::DataMatrix => datamatrix::decode::first_content(ways),
        Symbology::QrCode => qr::decode::first_content(ways),
        Symbology::MicroQrCode => Err(DecodeError::Checksum),
    }
}

/// Why a symbol was not decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// No symbol has this many modules.
    Size,
    /// Too much of it is damaged for its error correction.
    Checksum,
    /// Its codewords are sound, but what they say is no legal content.
    Format,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Size => "no symbol has this size",
            Self::Checksum => "too much of it is damaged for its error correction",
            Self::Format => "its content is not legal",
        })
    }
}

impl std::error::Error for DecodeError {}

/// The character set of an Extended Channel Interpretation (AIM ITS/04-023), where it is one that can be decoded.
pub(crate) fn character_set(eci: u32) -> Option<&'static Encoding> {
    let label = match eci {
        0..=3 => "windows-1252",
        4 => "iso-8859-2",
        5 => "iso-8859-3",
        6 => "iso-8859-4",
        7 => "iso-8859-5",
        8 => "iso-8859-6",
        9 => "iso-8859-7",
        10 => "iso-8859-8",
        11 => "windows-1254",
        12 => "iso-8859-10",
        13 => "windows-874",
        15 => "iso-8859-13",
        16 => "iso-8859-14",
        17 => "iso-8859-15",
        18 => "iso-8859-16",
        20 => "shift_jis",
        21 => "windows-1250",
        22 => "windows-1251",
        23 => "windows-1252",
        24 => "windows-1256",
        25 => "utf-16be",
        26 | 27 | 170 => "utf-8",
        28 => "big5",
        29 | 31 | 32 => "gb18030",
        30 => "euc-kr",
        _ => return None,
    };
    Encoding::for_label(label.as_bytes())
}

/// `bytes` as text by a declared character set, or by their look: UTF-8, then Shift_JIS, then Latin-1 without controls.
/// `None` where they are not text.
pub(crate) fn as_text(bytes: &[u8], declared: Option<&'static Encoding>) -> Option<String> {
    let sets = declared.map_or(vec![UTF_8, SHIFT_JIS, WINDOWS_1252], |set| vec![set]);
    sets.into_iter().find_map(|set| {
        let text = set.decode_without_bom_handling_and_without_replacement(bytes).map(Cow::into_owned)?;
        (declared.is_some() || looks_like_text(&text)).then_some(text)
    })
}

/// Text has hardly any controls but line ends, tabs, and the separators of ISO/IEC 15434.
pub(crate) fn looks_like_text(text: &str) -> bool {
    text.chars().all(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r' | '\u{4}' | '\u{1C}'..='\u{1F}'))
}
