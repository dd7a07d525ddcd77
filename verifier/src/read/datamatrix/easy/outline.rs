//! The borders between dark and light areas, followed along the sides of pixels.

use crate::read::tones::Bits;

/// A place on a border, the middle of a pixel's side, in half pixels.
pub(super) type Half = (i32, i32);

/// Every so many rows a border is looked for: smaller things hold no symbol.
const ROWS: usize = 12;
/// Pixels of a row that are dark side by side, where an area is worth following.
const NARROWEST: u32 = 2;

/// Dark areas of a picture, with a frame of light pixels so that none reaches the edge.
struct Areas {
    /// Pixels a row of `cells`.
    stride: usize,
    cells: Vec<u8>,
}

/// Shortest border, in sides of pixels, of an area that two arms of a finder pattern are part of.
const MIN_BORDER: usize = 40;

/// The pixel is dark.
const DARK: u8 = 1;
/// A border was followed upwards along its left side.
const SEEN: u8 = 2;

/// Where a border goes on: steps to the right, down, left, up.
const WAYS: [Half; 4] = [(1, 0), (0, 1), (-1, 0), (0, -1)];

/// Shows `each` every border of some length that crosses one of every [`ROWS`] rows, as a closed line with the dark side
/// on the right hand.
pub(super) fn outlines(bits: &Bits, each: &mut dyn FnMut(&[Half])) {
    let mut areas = Areas::of(bits);
    let (mut line, mut changes) = (Vec::new(), Vec::new());
    for y in (1..bits.height).step_by(ROWS) {
        bits.changes(y, &mut changes);
        for run in changes.chunks_exact(2).filter(|run| run[1] - run[0] >= NARROWEST) {
            let x = run[0] as usize;
            if areas.cells[areas.cell(x, y)] == DARK {
                areas.follow((x, y), &mut line);
                if line.len() >= MIN_BORDER {
                    each(&line);
                }
            }
        }
    }
}

impl Areas {
    fn of(bits: &Bits) -> Self {
        let stride = bits.width + 2;
        let mut cells = vec![0; stride * (bits.height + 2)];
        for (y, to) in cells.chunks_exact_mut(stride).skip(1).take(bits.height).enumerate() {
            let cells = to[1..=bits.width].chunks_mut(64);
            for (to, word) in cells.zip(bits.row(y)).filter(|(_, word)| **word != 0) {
                for (to, eight) in to.chunks_mut(8).zip(word.to_le_bytes()) {
                    // Each bit of a byte to a byte of its own.
                    let apart = u64::from(eight).wrapping_mul(0x0101_0101_0101_0101) & 0x8040_2010_0804_0201;
                    let ones = ((apart + 0x7F7F_7F7F_7F7F_7F7F) >> 7) & 0x0101_0101_0101_0101;
                    match <&mut [u8; 8]>::try_from(&mut *to) {
                        Ok(to) => *to = ones.to_le_bytes(),
                        Err(_) => to.iter_mut().zip(ones.to_le_bytes()).for_each(|(to, one)| *to = one),
                    }
                }
            }
        }
        Self { stride, cells }
    }

    fn cell(&self, x: usize, y: usize) -> usize {
        (y + 1) * self.stride + x + 1
    }

    /// Follows the border upwards from the left side of a dark pixel until it comes back. Areas that touch at a corner
    /// alone are apart.
    fn follow(&mut self, (x, y): (usize, usize), line: &mut Vec<Half>) {
        line.clear();
        // `at` is the pixel below and to the right of the pixels' corner that was reached.
        let (first, mut at, mut way) = (self.cell(x, y + 1), self.cell(x, y + 1), UP);
        let mut place = (2 * x as i32, 2 * (y + 1) as i32);
        let row = self.stride;
        loop {
            let (dx, dy) = WAYS[way];
            line.push((place.0 + dx, place.1 + dy));
            place = (place.0 + 2 * dx, place.1 + 2 * dy);
            at = match way {
                RIGHT => at + 1,
                DOWN => at + row,
                LEFT => at - 1,
                _ => at - row,
            };
            if way == UP {
                self.cells[at] |= SEEN;
            }
            let (left, right) = match way {
                RIGHT => (at - row, at),
                DOWN => (at, at - 1),
                LEFT => (at - 1, at - row - 1),
                _ => (at - row - 1, at - row),
            };
            if self.cells[right] & DARK == 0 {
                way = (way + 1) % 4;
            } else if self.cells[left] & DARK != 0 {
                way = (way + 3) % 4;
            }
            if at == first && way == UP {
                return;
            }
        }
    }
}

const RIGHT: usize = 0;
const DOWN: usize = 1;
const LEFT: usize = 2;
const UP: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(picture: &str) -> Bits {
        let rows: Vec<&str> = picture.split_whitespace().collect();
        Bits::of(rows[0].len(), rows.iter().flat_map(|row| row.bytes().map(|b| b == b'#')))
    }

    /// The same with each pixel as a square of 5 by 5.
    fn enlarged(picture: &str) -> Bits {
        let small = bits(picture);
        let (width, height) = (5 * small.width, 5 * small.height);
        let at = |i: usize| small.at(i % width / 5, i / width / 5);
        Bits::of(width, (0..width * height).map(at))
    }

    fn lengths(picture: &str) -> Vec<usize> {
        let mut found = Vec::new();
        outlines(&enlarged(picture), &mut |line| found.push(line.len() / 5));
        found
    }

    #[test]
    fn areas_and_holes_are_followed_once_each() {
        assert_eq!(lengths("###### ######"), [16], "to the edge of the picture");
        assert_eq!(lengths("##### #...# #...# ##### #####"), [20, 10], "outside, and the hole");
        assert_eq!(lengths("##.. ##.. ..## ..## ..##"), [8, 10], "apart, since they touch at a corner alone");
        assert!(lengths("#.#.# ..... #.#.#").is_empty(), "too small for any symbol");
    }

    #[test]
    fn dark_is_on_the_right_hand() {
        let mut area = 0;
        outlines(&enlarged(".... .##. .##. ...."), &mut |line| {
            for (i, a) in line.iter().enumerate() {
                let b = line[(i + 1) % line.len()];
                area += a.0 * b.1 - a.1 * b.0;
            }
        });
        assert!(area > 0, "clockwise, as y grows downwards");
    }

    #[test]
    fn pictures_wider_than_a_word_are_whole() {
        for width in [63, 64, 65, 70, 128, 130] {
            let mut found = Vec::new();
            outlines(&Bits::of(width, (0..20 * width).map(|_| true)), &mut |line| found.push(line.len()));
            assert_eq!(found, [2 * (width + 20)]);
        }
    }
}
