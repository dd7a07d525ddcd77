//! What a photo will cost, before it is decoded.

use super::{HEADER_BYTES, PhotoErrorKind, heic, memory};
use image::{ImageDecoder, ImageError, ImageFormat, ImageReader};
use std::io::Cursor;

/// Bytes that searching takes for each pixel: the picture itself, upright and as it was stored, and smaller copies.
const SEARCHING: u64 = 3;
/// The same for the samples of a JPEG file while it is decoded; progressive files are kept as coefficients until the end.
const SAMPLES: u64 = 2;
const COEFFICIENTS: u64 = 6;

/// Bytes of memory that it takes to decode and to search the picture in `bytes`, by its header.
pub(super) fn of(bytes: &[u8]) -> Result<u64, PhotoErrorKind> {
    if heic::is_heic(bytes) {
        return heic::cost(bytes);
    }
    let damaged = |e: ImageError| PhotoErrorKind::Damaged(e.to_string());
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(PhotoErrorKind::Io)?;
    reader.limits(memory(HEADER_BYTES));
    let format = reader.format();
    let decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    let decoding = match format {
        Some(ImageFormat::Jpeg) if is_progressive(bytes) => pixels.saturating_mul(COEFFICIENTS),
        Some(ImageFormat::Jpeg) => pixels.saturating_mul(SAMPLES),
        _ => decoder.total_bytes().saturating_mul(2),
    };
    Ok(decoding.saturating_add(pixels.saturating_mul(SEARCHING)))
}

/// Whether a JPEG file has its frame in several scans (ITU-T T.81, B.2.2: SOF2, SOF6, SOF10, SOF14).
fn is_progressive(bytes: &[u8]) -> bool {
    let mut at = 2;
    // Segments follow one another, each with its length, until the frame.
    while let Some([0xFF, marker, high, low]) = bytes.get(at..at + 4) {
        match marker {
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => return marker % 4 == 2,
            0xDA => return false,
            0xFF => at += 1,
            _ => at += 2 + usize::from(u16::from_be_bytes([*high, *low])),
        }
    }
    // Not to be told: the dearer.
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{DynamicImage, codecs::jpeg::JpegEncoder};

    #[test]
    fn the_cost_is_told_by_the_header() {
        let grey = DynamicImage::new_luma8(100, 80);
        let mut jpeg = Vec::new();
        grey.write_with_encoder(JpegEncoder::new(&mut jpeg)).unwrap();
        assert_eq!(of(&jpeg).unwrap(), 8000 * (SAMPLES + SEARCHING));
        assert!(!is_progressive(&jpeg));
        let frame = jpeg.windows(2).position(|w| w == [0xFF, 0xC0]).unwrap();
        jpeg[frame + 1] = 0xC2;
        assert!(is_progressive(&jpeg));
        let mut png = Cursor::new(Vec::new());
        DynamicImage::new_rgba16(100, 80).write_to(&mut png, ImageFormat::Png).unwrap();
        assert_eq!(of(png.get_ref()).unwrap(), 8000 * (16 + SEARCHING));
        assert!(of(b"no picture").is_err());
        assert!(is_progressive(&[0xFF, 0xD8, 0xFF, 0xE0, 0xFF]), "what cannot be told is dear");
    }
}
