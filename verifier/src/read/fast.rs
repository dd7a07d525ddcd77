//! The cheap path: `rqrr` over polarities and scales.

use super::geometry::Point;
use super::{Located, Symbol};
use super::{Luma, ModuleGrid};
use crate::guard::guarded;
use rqrr::{BitGrid, PreparedImage};
use touchmark_formats::symbol::Symbology;
use touchmark_formats::symbol::qr::decode::decode;

/// Every QR Code that `rqrr` reads in `picture`, whose pixels are `scale` pixels of the photo wide.
pub(super) fn read(picture: &Luma, reversed: bool, scale: f32, attempt: &'static str) -> Vec<Symbol> {
    let flip = if reversed { 255 } else { 0 };
    let pixel = |x: usize, y: usize| picture.data.get(y * picture.width + x).copied().unwrap_or(0) ^ flip;
    // rqrr 0.11 panics on some photos; that is no reason to lose what else they show.
    guarded(|| {
        let mut prepared = PreparedImage::prepare_from_greyscale(picture.width, picture.height, pixel);
        let grids = prepared.detect_grids();
        let symbol = |grid| symbol(grid, reversed, scale, attempt);
        grids.iter().filter_map(symbol).collect()
    })
    .unwrap_or_default()
}

fn symbol<G: BitGrid>(grid: &rqrr::Grid<G>, reversed: bool, scale: f32, attempt: &'static str) -> Option<Symbol> {
    let mut bytes = Vec::new();
    // `decode_to` gives the bytes; `decode` would force them through UTF-8.
    grid.decode_to(&mut bytes).ok()?;
    let side = grid.grid.size();
    let likelihood = |row: usize, column: usize| if grid.grid.bit(row, column) { 4.0 } else { -4.0 };
    let sampled: Vec<f32> = (0..side * side).map(|i| likelihood(i / side, i % side)).collect();
    let seen_from_behind: Vec<f32> = (0..side * side).map(|i| likelihood(i % side, i / side)).collect();
    // Our own decoder says what rqrr does not: the text, and how much was repaired.
    let (content, llr, mirrored) = match (decode(side, &sampled), decode(side, &seen_from_behind)) {
        (Ok(content), _) => (content, sampled, false),
        (_, Ok(content)) => (content, seen_from_behind, true),
        _ => return None,
    };
    let [a, b, c, d] = grid.bounds.map(|p| Point::new(p.x as f32 * scale, p.y as f32 * scale));
    let located = Located {
        symbology: Symbology::QrCode,
        corners: if mirrored { [a, d, c, b] } else { [a, b, c, d] },
        modules: ModuleGrid { width: side, height: side, llr },
        reversed,
        mirrored,
        attempt,
    };
    Some(Symbol::decoded(located, content))
}
