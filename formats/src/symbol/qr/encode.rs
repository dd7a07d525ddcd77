//! Payload to QR Code as one segment, ISO/IEC 18004, clause 7.
//!
//! The `qrcode` crate does the codewords, their placement and the masks. Two things are done here. Its automatic
//! segmentation splits binary data into a mix of modes and so picks larger symbols for some payloads: one segment
//! instead. And its evaluation of the eight masks takes 0.4 ms at version 5: what the masks look like is kept, and their
//! penalties are counted by shifts, in a twentieth of that.

use super::penalty::Picture;
use crate::symbol::encode::{EcLevel, EncodeError, Encoded, SymbolSize};
use crate::symbol::{Matrix, Symbology};
use qrcode::bits::Bits;
use qrcode::canvas::{Canvas, MaskPattern};
use qrcode::types::{Mode, Version};
use qrcode::{Color, QrResult, ec};
use std::sync::OnceLock;

/// Encodes bytes in byte mode.
pub(crate) fn encode_bytes(payload: &[u8], ec: EcLevel, min_version: u8) -> Result<Encoded, EncodeError> {
    encode_segment(payload, Mode::Byte, ec, min_version)
}

/// Encodes text in alphanumeric mode if its characters allow that, otherwise in byte mode.
pub(crate) fn encode_text(text: &str, ec: EcLevel, min_version: u8) -> Result<Encoded, EncodeError> {
    let mode = if text.bytes().all(is_alphanumeric) { Mode::Alphanumeric } else { Mode::Byte };
    encode_segment(text.as_bytes(), mode, ec, min_version)
}

/// The smallest size that holds that many bytes in byte mode.
pub(crate) fn smallest(bytes: usize, ec: EcLevel, min_version: u8) -> Result<SymbolSize, EncodeError> {
    let version = smallest_version(bytes, Mode::Byte, ec, min_version)?;
    size(version, ec).map_err(|_| EncodeError::Refused)
}

const MAX_VERSION: i16 = 40;

fn encode_segment(payload: &[u8], mode: Mode, ec: EcLevel, min_version: u8) -> Result<Encoded, EncodeError> {
    let version = smallest_version(payload.len(), mode, ec, min_version)?;
    let made = draw(payload, mode, version, ec).and_then(|canvas| Ok((canvas, size(version, ec)?)));
    let (canvas, size) = made.map_err(|_| EncodeError::Refused)?;
    let unmasked = picture(canvas);
    let masked = masks(version, ec).iter().map(|mask| mask.xor(&unmasked));
    let best = masked.min_by_key(Picture::penalty).ok_or(EncodeError::Refused)?;
    let matrix = Matrix::new(size.columns, size.rows, best.modules()).ok_or(EncodeError::Refused)?;
    Ok(Encoded { matrix, size })
}

fn smallest_version(length: usize, mode: Mode, ec: EcLevel, min_version: u8) -> Result<i16, EncodeError> {
    let first = i16::from(min_version);
    if !(1..=MAX_VERSION).contains(&first) {
        return Err(EncodeError::NoSuchVersion(min_version));
    }
    let limit = capacity(MAX_VERSION, ec, mode);
    let fits = |version: &i16| length <= limit && length <= capacity(*version, ec, mode);
    (first..=MAX_VERSION).find(fits).ok_or(EncodeError::TooLong { bytes: length, limit })
}

/// Characters that one segment of this mode holds: what the data bits leave after mode indicator (4 bits) and
/// character count.
fn capacity(version: i16, ec: EcLevel, mode: Mode) -> usize {
    let version = Version::Normal(version);
    let total = Bits::new(version).max_len(level(ec)).unwrap_or(0);
    let bits = total.saturating_sub(version.mode_bits_count() + mode.length_bits_count(version));
    match mode {
        Mode::Alphanumeric => bits / 11 * 2 + usize::from(bits % 11 >= 6),
        _ => bits / 8,
    }
}

fn size(version: i16, ec: EcLevel) -> QrResult<SymbolSize> {
    let number = Version::Normal(version);
    let data_codewords = Bits::new(number).max_len(level(ec))? / 8;
    let side = usize::try_from(number.width()).unwrap_or(0);
    Ok(SymbolSize {
        symbology: Symbology::QrCode,
        name: format!("QR {version}-{}", ec.letter()),
        columns: side,
        rows: side,
        data_codewords,
        ec_codewords: total_codewords(side, version) - data_codewords,
        correctable: ec::max_allowed_errors(number, level(ec))?,
        payload_bytes: capacity(version, ec, Mode::Byte),
        dmre: false,
    })
}

/// Codewords of a version: its area without function patterns, format and version information, ISO/IEC 18004, table 1.
fn total_codewords(side: usize, version: i16) -> usize {
    let version = usize::try_from(version).unwrap_or(0);
    let finder_and_format = 3 * 64 + 31;
    let timing = 2 * (side - 16);
    let per_side = if version > 1 { version / 7 + 2 } else { 0 };
    // Those on a timing pattern share five modules with it.
    let alignment = (per_side * per_side).saturating_sub(3) * 25 - 10 * per_side.saturating_sub(2);
    let version_information = if version >= 7 { 36 } else { 0 };
    (side * side - finder_and_format - timing - alignment - version_information) / 8
}

fn draw(payload: &[u8], mode: Mode, version: i16, ec: EcLevel) -> QrResult<Canvas> {
    let mut bits = Bits::new(Version::Normal(version));
    match mode {
        Mode::Alphanumeric => bits.push_alphanumeric_data(payload)?,
        _ => bits.push_byte_data(payload)?,
    }
    bits.push_terminator(level(ec))?;
    let (data, correction) = ec::construct_codewords(&bits.into_bytes(), Version::Normal(version), level(ec))?;
    let mut canvas = Canvas::new(Version::Normal(version), level(ec));
    canvas.draw_all_functional_patterns();
    canvas.draw_data(&data, &correction);
    Ok(canvas)
}

/// What each of the eight masks, in the order of their references 000 to 111, changes about a symbol of a version and
/// level that has its data but no mask yet: data modules that it turns over, and format information.
fn masks(version: i16, ec: EcLevel) -> &'static [Picture] {
    static MASKS: [[OnceLock<Vec<Picture>>; EcLevel::ALL.len()]; MAX_VERSION as usize] =
        [const { [const { OnceLock::new() }; EcLevel::ALL.len()] }; MAX_VERSION as usize];
    let of_version = usize::try_from(version - 1).ok().and_then(|index| MASKS.get(index));
    let of_level = of_version.and_then(|levels| levels.get(ec as usize));
    of_level.map_or(&[], |known| known.get_or_init(|| draw_masks(version, ec)))
}

fn draw_masks(version: i16, ec: EcLevel) -> Vec<Picture> {
    const PATTERNS: [MaskPattern; 8] = [
        MaskPattern::Checkerboard,
        MaskPattern::HorizontalLines,
        MaskPattern::VerticalLines,
        MaskPattern::DiagonalLines,
        MaskPattern::LargeCheckerboard,
        MaskPattern::Fields,
        MaskPattern::Diamonds,
        MaskPattern::Meadow,
    ];
    let mut blank = Canvas::new(Version::Normal(version), level(ec));
    blank.draw_all_functional_patterns();
    let masked = PATTERNS.into_iter().map(|pattern| {
        let mut canvas = blank.clone();
        canvas.apply_mask(pattern);
        picture(canvas).xor(&picture(blank.clone()))
    });
    masked.collect()
}

fn picture(canvas: Canvas) -> Picture {
    Picture::new(canvas.into_colors().into_iter().map(|colour| colour == Color::Dark))
}

fn is_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_digit() || byte.is_ascii_uppercase() || b" $%*+-./:".contains(&byte)
}

fn level(ec: EcLevel) -> qrcode::EcLevel {
    match ec {
        EcLevel::L => qrcode::EcLevel::L,
        EcLevel::M => qrcode::EcLevel::M,
        EcLevel::Q => qrcode::EcLevel::Q,
        EcLevel::H => qrcode::EcLevel::H,
    }
}

#[cfg(test)]
mod tests;
