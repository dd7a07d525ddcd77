//! Artwork: the symbol of a mark, with or without the human-readable text beside it, at its physical size.
//!
//! Everything is laid out once in millimetres (`layout`), so that a size that is right in one format is right in all.
//! Formats for one mark each page or label (PDF, ZPL) get as many of these as there are marks; the others get one
//! sheet with all marks in a grid.

mod area;
mod dxf;
mod error;

mod layout;
mod matrix;
mod number;
mod options;
mod pdf;
mod png;
mod raster;
mod svg;
mod zpl;

pub use error::RenderError;
pub(crate) use options::default_quiet_zone;
pub use options::{Artwork, ArtworkOptions, Caption, ModuleShape, Place, Placed, Polarity, SheetOptions, Turn};
pub(crate) use raster::MM_PER_INCH;

use layout::{Grid, Page};
use raster::Raster;

/// An output that artwork can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Scalable Vector Graphics 1.1, in millimetres.
    Svg,
    /// Portable Network Graphics, one bit a pixel, with its physical resolution.
    Png,
    /// PDF 1.7, one page the size of the artwork for each mark.
    Pdf,
    /// Drawing Exchange Format of AutoCAD release 12, in millimetres, for lasers.
    Dxf,
    /// Zebra Programming Language, one label for each mark.
    Zpl,
    /// The modules themselves as lines of 0 and 1.
    Matrix,
}

/// Marks in one output.
pub const MAX_ARTWORKS: usize = 10_000;

/// Whether `count` marks the size of `artwork` can be drawn into one file of a format, without drawing them.
///
/// # Errors
/// As [`render`].
pub fn check_sheet(format: Format, artwork: &Artwork, count: usize, sheet: &SheetOptions) -> Result<(), RenderError> {
    sheet.validate()?;
    check_count(count)?;
    match format {
        Format::Png => Raster::check_size(Grid::new(layout::size(artwork), count, sheet).size(), sheet.dpi),
        _ => Ok(()),
    }
}

fn check_count(count: usize) -> Result<(), RenderError> {
    match count {
        0 => Err(RenderError::Nothing),
        1..=MAX_ARTWORKS => Ok(()),
        count => Err(RenderError::TooMany { count }),
    }
}

/// Draws marks into one file of a format.
///
/// # Errors
/// [`RenderError`] if there is nothing to draw or too much, or the resolution cannot show the modules.
pub fn render(format: Format, artworks: &[Artwork], sheet: &SheetOptions) -> Result<Vec<u8>, RenderError> {
    sheet.validate()?;
    check_count(artworks.len())?;
    match format {
        Format::Svg => Ok(svg::write(&Page::grid(artworks, sheet)).into_bytes()),
        Format::Png => png::write(&Page::grid(artworks, sheet), sheet.dpi),
        Format::Dxf => Ok(dxf::write(&Page::grid(artworks, sheet)).into_bytes()),
        Format::Pdf => Ok(pdf::write(artworks)),
        Format::Zpl => zpl::write(artworks, sheet.dpi),
        Format::Matrix => Ok(matrix::write(artworks).into_bytes()),
    }
}

/// Draws a whole substrate of `size_mm` (width and height) with its marks in their places. In DXF the origin is its lower left
/// corner.
///
/// # Errors
/// As [`render`]; or a mark reaches beyond the substrate, or the format holds none.
pub fn render_substrate(
    format: Format,
    marks: &[Placed],
    size_mm: (f64, f64),
    sheet: &SheetOptions,
) -> Result<Vec<u8>, RenderError> {
    sheet.validate()?;
    check_count(marks.len())?;
    let page = Page::substrate(marks, size_mm)?;
    match format {
        Format::Svg => Ok(svg::write(&page).into_bytes()),
        Format::Png => png::write(&page, sheet.dpi),
        Format::Dxf => Ok(dxf::write(&page).into_bytes()),
        Format::Pdf | Format::Zpl | Format::Matrix => Err(RenderError::NoSubstrate),
    }
}

#[cfg(test)]
mod tests;
