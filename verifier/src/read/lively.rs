//! Where a photo may show further symbols beside those that were read: where tones change along rows and down columns
//! about as much as they do on these, and none of these explains it.

use super::Luma;
use super::Symbol;
use super::geometry::Point;
use super::qr::inside;
use super::tones::Bits;

/// Pixels along the side of a block.
const BLOCK: usize = 16;
/// Change in a block, as a share of that on the faintest symbol that was read, below which no other symbol is there.
const LIVELY: f32 = 0.3;
/// Blocks around a lively one that may belong to the same symbol.
const AROUND: usize = 2;
/// How much larger than a symbol the area is that it explains: its quiet zone.
const QUIET_ZONE: f32 = 1.25;

/// How much tones change in each block of a picture.
#[derive(Debug)]
pub(super) struct Lively {
    across: usize,
    down: usize,
    /// Pixels of the photo that a block is wide.
    size: f32,
    /// Mean step from pixel to pixel in grey levels times 15: along rows or down columns, whichever is less.
    steps: Vec<u16>,
}

impl Lively {
    /// The blocks of a picture whose pixels are `scale` pixels of the photo wide.
    pub(super) fn of(picture: &Luma, scale: f32) -> Self {
        let (across, down) = (picture.width / BLOCK, picture.height / BLOCK);
        let mut steps = Vec::with_capacity(across * down);
        let (mut along, mut below) = (vec![0u16; picture.width], vec![0u16; picture.width]);
        for rows in picture.data.chunks_exact(picture.width * BLOCK) {
            along.fill(0);
            below.fill(0);
            let add = |sums: &mut [u16], a: &[u8], b: &[u8]| {
                sums.iter_mut().zip(a).zip(b).for_each(|((sum, a), b)| *sum += u16::from(a.abs_diff(*b)));
            };
            let next = rows.chunks_exact(picture.width).skip(1);
            for (row, next) in rows.chunks_exact(picture.width).zip(next) {
                add(&mut along, row, row.get(1..).unwrap_or_default());
                add(&mut below, row, next);
            }
            let sums = |columns: &[u16]| columns.iter().map(|sum| u32::from(*sum)).sum::<u32>();
            let blocks = along.chunks_exact(BLOCK).zip(below.chunks_exact(BLOCK));
            steps.extend(blocks.map(|(along, below)| (sums(along).min(sums(below)) / BLOCK as u32) as u16));
        }
        Self { across, down, size: scale * BLOCK as f32, steps }
    }

    /// Where further symbols may be beside `symbols`; `None` if nothing is lively enough.
    pub(super) fn beside(&self, symbols: &[Symbol]) -> Option<Area> {
        let read = || symbols.iter().filter(|symbol| symbol.decoded.is_ok());
        let explained = |grown: f32| -> Vec<[Point; 4]> {
            let quad = |s: &Symbol| {
                let middle = s.middle();
                s.located
                    .corners
                    .map(|c| Point::new(middle.x + grown * (c.x - middle.x), middle.y + grown * (c.y - middle.y)))
            };
            read().map(quad).collect()
        };
        let (quads, zones) = (explained(1.0), explained(QUIET_ZONE));
        let least = LIVELY * quads.iter().map(|quad| self.liveliness(quad)).fold(f32::INFINITY, f32::min);
        let mut near = vec![false; self.steps.len()];
        let mut any = false;
        let lively = |x: usize, y: usize| {
            let steps = self.steps.get(y * self.across + x).filter(|_| x < self.across);
            steps.is_some_and(|steps| f32::from(*steps) > least)
                && !zones.iter().any(|zone| inside(self.middle(x, y), zone))
        };
        for i in 0..self.steps.len() {
            let (x, y) = (i % self.across, i / self.across);
            // The smallest symbols fill some two by two blocks.
            let four =
                |x: usize, y: usize| lively(x, y) && lively(x + 1, y) && lively(x, y + 1) && lively(x + 1, y + 1);
            let (left, above) = (x.saturating_sub(1), y.saturating_sub(1));
            if !(four(x, y) || four(left, y) || four(x, above) || four(left, above)) {
                continue;
            }
            any = true;
            for y in y.saturating_sub(AROUND)..(y + AROUND + 1).min(self.down) {
                let row = y * self.across;
                near[row + x.saturating_sub(AROUND)..row + (x + AROUND + 1).min(self.across)].fill(true);
            }
        }
        for (i, near) in near.iter_mut().enumerate().filter(|(_, near)| **near) {
            *near = !quads.iter().any(|quad| inside(self.middle(i % self.across, i / self.across), quad));
        }
        any.then_some(Area { across: self.across, size: self.size, blocks: near })
    }

    /// The mean step on a symbol; that of the block around its middle, where it is smaller than a block.
    fn liveliness(&self, quad: &[Point; 4]) -> f32 {
        let within = |i: &usize| inside(self.middle(i % self.across, i / self.across), quad);
        let on: Vec<f32> = (0..self.steps.len()).filter(within).map(|i| f32::from(self.steps[i])).collect();
        on.iter().sum::<f32>() / on.len().max(1) as f32
    }

    fn middle(&self, x: usize, y: usize) -> Point {
        Point::new((x as f32 + 0.5) * self.size, (y as f32 + 0.5) * self.size)
    }
}

/// Blocks of a photo.
#[derive(Debug)]
pub(super) struct Area {
    across: usize,
    /// Pixels of the photo that a block is wide.
    size: f32,
    blocks: Vec<bool>,
}

impl Area {
    /// The bits that lie in the area, of a picture whose pixels are `scale` pixels of the photo wide.
    pub(super) fn of(&self, bits: &Bits, scale: f32) -> Bits {
        let side = ((self.size / scale) as usize).max(1);
        bits.within(side, |row| self.blocks.get(row * self.across..(row + 1) * self.across).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::{Decoded, Located, ModuleGrid};
    use touchmark_formats::symbol::Symbology;

    const SIDE: usize = 320;

    fn read_at(left: f32, top: f32, side: f32) -> Symbol {
        let corners = [(0.0, 0.0), (side, 0.0), (side, side), (0.0, side)];
        let located = Located {
            symbology: Symbology::QrCode,
            corners: corners.map(|(x, y)| Point::new(left + x, top + y)),
            modules: ModuleGrid { width: 0, height: 0, llr: Vec::new() },
            reversed: false,
            mirrored: false,
            attempt: "",
        };
        Symbol::decoded(located, Decoded { bytes: Vec::new(), text: None, repaired: 0, codewords: 0 })
    }

    /// Squares of 4 pixels without an order at some places, by contrast; shades and a straight edge elsewhere.
    fn picture(lively: &[(usize, usize, u8)]) -> Luma {
        let mixed = |n: u64| (n ^ (n >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let grey = |i: usize| {
            let (x, y) = (i % SIDE, i / SIDE);
            let module = mixed(mixed((x / 4 * 97 + y / 4) as u64) ^ 0x5DEE_CE66) >> 40 & 1 == 1;
            let on =
                lively.iter().find(|(left, top, _)| (*left..left + 96).contains(&x) && (*top..top + 96).contains(&y));
            let shade = (x / 8) as u8 + if y > 280 { 90 } else { 0 };
            60 + shade + on.map_or(0, |(.., contrast)| if module { *contrast } else { 0 })
        };
        Luma { width: SIDE, height: SIDE, data: (0..SIDE * SIDE).map(grey).collect() }
    }

    #[test]
    fn nothing_is_left_beside_the_only_symbol() {
        let lively = Lively::of(&picture(&[(32, 48, 100)]), 1.0);
        assert!(lively.beside(&[read_at(32.0, 48.0, 96.0)]).is_none());
    }

    #[test]
    fn another_symbol_of_half_the_contrast_is_left_and_the_first_is_not() {
        let lively = Lively::of(&picture(&[(32, 48, 100), (180, 120, 50)]), 1.0);
        let area = lively.beside(&[read_at(32.0, 48.0, 96.0)]).unwrap();
        let all = Bits::of(SIDE, (0..SIDE * SIDE).map(|_| true));
        let left = area.of(&all, 1.0);
        assert!((180..276).all(|x| (120..216).all(|y| left.at(x, y))), "all of the other one");
        assert!(!left.at(80, 90) && !left.at(20, 300), "neither what was read nor an edge");
        let half = area.of(&Bits::of(SIDE / 2, (0..SIDE * SIDE / 4).map(|_| true)), 2.0);
        assert!(half.at(110, 80) && !half.at(40, 45), "at another scale");
    }

    #[test]
    fn pictures_of_any_size() {
        for (width, height) in [(1, 1), (15, 40), (16, 16), (17, 200)] {
            let lively = Lively::of(&Luma { width, height, data: vec![9; width * height] }, 1.0);
            assert!(lively.beside(&[read_at(0.0, 0.0, 9.0)]).is_none());
            assert!(lively.beside(&[]).is_none());
        }
    }
}
