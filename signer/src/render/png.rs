//! PNG (ISO/IEC 15948) of one bit a pixel, with a `pHYs` chunk that says how large a pixel is.

use super::RenderError;
use super::layout::Page;
use super::raster::Raster;
use png::{BitDepth, ColorType, Encoder, EncodingError, PixelDimensions, Unit};

const INCHES_PER_METRE: f64 = 1000.0 / 25.4;

pub(crate) fn write(page: &Page, dpi: f64) -> Result<Vec<u8>, RenderError> {
    let raster = Raster::new(page, dpi)?;
    encode(&raster, dpi).map_err(|error| RenderError::Png(error.to_string()))
}

fn encode(raster: &Raster, dpi: f64) -> Result<Vec<u8>, EncodingError> {
    let mut out = Vec::new();
    let side = |pixels: usize| u32::try_from(pixels).unwrap_or(u32::MAX);
    let mut encoder = Encoder::new(&mut out, side(raster.width), side(raster.height));
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::One);
    let per_metre = (dpi * INCHES_PER_METRE).round() as u32;
    encoder.set_pixel_dims(Some(PixelDimensions { xppu: per_metre, yppu: per_metre, unit: Unit::Meter }));
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&raster.packed_rows(false).flatten().collect::<Vec<u8>>())?;
    writer.finish()?;
    Ok(out)
}
