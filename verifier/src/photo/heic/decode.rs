//! HEIC by the system's libheif, which turns pictures upright by itself.

use super::sps;
use crate::photo::{Limits, PhotoErrorKind, check_pixels};
use image::{DynamicImage, RgbImage, RgbaImage};
use libheif_rs::{ColorSpace, HeifContext, HeifError, ImageHandle, LibHeif, RgbChroma};

/// Bytes of memory for each pixel while it is decoded: planes as decoded, put together of tiles and turned (each 1.5), as
/// red, green, blue and alpha by the library and here (each 4).
const DECODING: u64 = 13;
/// Bytes that searching takes for each pixel beside.
const SEARCHING: u64 = 3;

fn damaged(error: HeifError) -> PhotoErrorKind {
    PhotoErrorKind::Damaged(error.to_string())
}

/// The main picture of the file, and how large it may be to be decoded: what the container says, and what the pictures in
/// it say of themselves.
fn with_main<T>(
    bytes: &[u8],
    work: impl FnOnce(&ImageHandle, (u64, u64)) -> Result<T, PhotoErrorKind>,
) -> Result<T, PhotoErrorKind> {
    let mut context = HeifContext::read_from_bytes(bytes).map_err(damaged)?;
    // Photos are read on all cores already; each is one's work, and so is its memory.
    context.set_max_decoding_threads(0);
    let main = context.primary_image_handle().map_err(damaged)?;
    let said = (u64::from(main.width()), u64::from(main.height()));
    // Coded pictures are filled up to whole blocks, of 64 pixels at most.
    let largest = sps::largest(bytes).map_or((0, 0), |(w, h)| (w.saturating_sub(63), h.saturating_sub(63)));
    work(&main, [said, largest].into_iter().max_by_key(|(width, height)| width * height).unwrap_or(said))
}

/// Bytes of memory that it takes to decode and to search the picture in `bytes`, by its headers.
pub(in crate::photo) fn cost(bytes: &[u8]) -> Result<u64, PhotoErrorKind> {
    with_main(bytes, |_, (width, height)| Ok(width.saturating_mul(height).saturating_mul(DECODING + SEARCHING)))
}

/// The upright picture.
///
/// # Errors
/// [`PhotoErrorKind`].
pub(in crate::photo) fn decode(bytes: &[u8], limits: &Limits) -> Result<DynamicImage, PhotoErrorKind> {
    with_main(bytes, |main, (width, height)| {
        check_pixels(width, height, limits)?;
        let alpha = main.has_alpha_channel();
        let (chroma, channels) = if alpha { (RgbChroma::Rgba, 4) } else { (RgbChroma::Rgb, 3) };
        let decoded = LibHeif::new().decode(main, ColorSpace::Rgb(chroma), None).map_err(damaged)?;
        let missing = || PhotoErrorKind::Damaged("pixels are missing".into());
        let plane = decoded.planes().interleaved.ok_or_else(missing)?;
        check_pixels(plane.width.into(), plane.height.into(), limits)?;
        let row = plane.width as usize * channels;
        let mut pixels = Vec::with_capacity(row * plane.height as usize);
        for y in 0..plane.height as usize {
            let start = y * plane.stride;
            pixels.extend_from_slice(plane.data.get(start..start + row).ok_or_else(missing)?);
        }
        let picture = if alpha {
            RgbaImage::from_raw(plane.width, plane.height, pixels).map(DynamicImage::ImageRgba8)
        } else {
            RgbImage::from_raw(plane.width, plane.height, pixels).map(DynamicImage::ImageRgb8)
        };
        picture.ok_or_else(missing)
    })
}
