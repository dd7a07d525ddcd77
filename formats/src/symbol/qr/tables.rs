//! The layout of QR Code by version: blocks, alignment patterns, function modules (ISO/IEC 18004, clauses 5.3 and 7.5).

use crate::symbol::EcLevel;

/// Error-correction codewords of a block, by level and version (table 9).
#[rustfmt::skip]
const EC_PER_BLOCK: [[u8; 40]; 4] = [
    [7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28,
     28, 28, 30, 30, 26, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30],
    [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26,
     26, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28],
    [13, 22, 18, 26, 18, 24, 18, 22, 20, 24, 28, 26, 24, 20, 30, 24, 28, 28, 26, 30,
     28, 30, 30, 30, 30, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30],
    [17, 28, 22, 16, 22, 28, 26, 26, 24, 28, 24, 28, 22, 24, 24, 30, 28, 28, 26, 28,
     30, 24, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30],
];

/// Blocks, by level and version (table 9).
#[rustfmt::skip]
const BLOCKS: [[u8; 40]; 4] = [
    [1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8,
     8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21, 22, 24, 25],
    [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16,
     17, 17, 18, 20, 21, 23, 25, 26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45, 47, 49],
    [1, 1, 2, 2, 4, 4, 6, 6, 8, 8, 8, 10, 12, 16, 12, 17, 16, 18, 21, 20,
     23, 23, 25, 27, 29, 34, 34, 35, 38, 40, 43, 45, 48, 51, 53, 56, 59, 62, 65, 68],
    [1, 1, 2, 4, 4, 4, 5, 6, 8, 8, 11, 11, 16, 16, 18, 16, 19, 21, 25, 25,
     25, 34, 30, 32, 35, 37, 40, 42, 45, 48, 51, 54, 57, 60, 63, 66, 70, 74, 77, 81],
];

/// A version, 1 to 40: the size of the symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(u8);

impl Version {
    /// Version `number`; `None` outside 1 to 40.
    #[must_use]
    pub fn new(number: usize) -> Option<Self> {
        u8::try_from(number).ok().filter(|n| (1..=40).contains(n)).map(Self)
    }

    /// The version of this many modules a side.
    #[must_use]
    pub fn of_side(side: usize) -> Option<Self> {
        let above = side.checked_sub(17)?;
        if above % 4 == 0 { Self::new(above / 4) } else { None }
    }

    /// Its number.
    #[must_use]
    pub fn number(self) -> usize {
        self.0.into()
    }

    /// Modules a side.
    #[must_use]
    pub fn side(self) -> usize {
        17 + 4 * self.number()
    }

    /// Error-correction codewords of each block, and the number of blocks.
    #[must_use]
    pub fn blocks(self, ec: EcLevel) -> (usize, usize) {
        let (level, version) = (ec as usize, self.number() - 1);
        (EC_PER_BLOCK[level][version].into(), BLOCKS[level][version].into())
    }

    /// Codewords of data and error correction together.
    #[must_use]
    pub fn codewords(self) -> usize {
        let (n, alignment) = (self.number(), self.alignment().count());
        let mut bits = (16 * n + 128) * n + 64;
        if alignment > 0 {
            bits -= (25 * alignment - 10) * alignment - 55;
        }
        if n >= 7 {
            bits -= 36;
        }
        bits / 8
    }

    /// The 18 bits of version information with their BCH code, the first module of the symbol's being the lowest; `None`
    /// below version 7 (clause 7.10, annex D).
    #[must_use]
    pub fn information(self) -> Option<u32> {
        let number = u32::from(self.0);
        let rest = (12..18)
            .rev()
            .fold(number << 12, |rest, bit| if rest >> bit & 1 == 1 { rest ^ 0x1F25 << (bit - 12) } else { rest });
        (number >= 7).then_some(number << 12 | rest)
    }

    /// The rows (and columns) of the centres of alignment patterns, in rising order; none in version 1 (annex E).
    pub fn alignment(self) -> impl Iterator<Item = usize> + Clone {
        let n = self.number();
        let count = if n == 1 { 0 } else { n / 7 + 2 };
        let step = match n {
            1 => 0,
            32 => 26,
            _ => (n * 4 + count * 2 + 1) / (count * 2 - 2) * 2,
        };
        let last = self.side() - 7;
        (0..count).map(move |i| if i == 0 { 6 } else { last - step * (count - 1 - i) })
    }

    /// The centres of its alignment patterns, as (column, row).
    pub fn alignment_centres(self) -> impl Iterator<Item = (usize, usize)> {
        let rows = self.alignment();
        rows.flat_map(move |y| self.alignment().map(move |x| (x, y)))
            .filter(move |&(x, y)| !self.finder_stands_at(x, y))
    }

    /// Whether an alignment pattern with this centre would lie in a finder pattern.
    fn finder_stands_at(self, x: usize, y: usize) -> bool {
        let last = self.side() - 7;
        (x == 6 && (y == 6 || y == last)) || (y == 6 && x == last)
    }

    /// What the module in column `x` of row `y` is: `Some(dark)` for finder, separator, timing and alignment patterns
    /// and the dark module, whose look is known; `None` for the others.
    #[must_use]
    pub fn known(self, x: usize, y: usize) -> Option<bool> {
        let side = self.side();
        let finder = |cx: usize, cy: usize| {
            let away = x.abs_diff(cx).max(y.abs_diff(cy));
            (away <= 4).then_some(away != 2 && away != 4)
        };
        finder(3, 3)
            .or_else(|| finder(side - 4, 3))
            .or_else(|| finder(3, side - 4))
            .or_else(|| ((x, y) == (8, side - 8)).then_some(true))
            .or_else(|| {
                // Centres are 16 modules apart and more, so that no other pattern comes as near.
                let near = |at: usize| self.alignment().find(|centre| at.abs_diff(*centre) <= 2);
                let (cx, cy) = near(x).zip(near(y)).filter(|&(cx, cy)| !self.finder_stands_at(cx, cy))?;
                Some(x.abs_diff(cx).max(y.abs_diff(cy)) != 1)
            })
            .or_else(|| (x == 6 || y == 6).then_some((x + y).is_multiple_of(2)))
    }

    /// Whether the module carries format or version information.
    fn is_information(self, x: usize, y: usize) -> bool {
        let side = self.side();
        let format = (x == 8 && (y <= 8 || y >= side - 8)) || (y == 8 && (x <= 8 || x >= side - 8));
        let strip = |a: usize, b: usize| a < 6 && (side - 11..side - 8).contains(&b);
        format || (self.number() >= 7 && (strip(x, y) || strip(y, x)))
    }

    /// The modules of data and error correction in the order of their bits, as (column, row) (clause 7.7.3).
    #[must_use]
    pub fn data_modules(self) -> Vec<(usize, usize)> {
        let side = self.side();
        let mut free = vec![true; side * side];
        for y in 0..side {
            for x in 0..side {
                free[y * side + x] = !self.is_information(x, y);
            }
        }
        self.clear_known(&mut free);
        let mut out = Vec::with_capacity(self.codewords() * 8 + 7);
        let mut upward = true;
        // Pairs of columns from the right; the vertical timing pattern's column is passed over.
        for right in (1..side).rev().filter(|c| if *c > 6 { (side - 1 - c).is_multiple_of(2) } else { c % 2 == 1 }) {
            for i in 0..side {
                let y = if upward { side - 1 - i } else { i };
                out.extend([right, right - 1].into_iter().filter(|x| free[y * side + x]).map(|x| (x, y)));
            }
            upward = !upward;
        }
        out
    }

    /// Marks every module of a function pattern as not free.
    fn clear_known(self, free: &mut [bool]) {
        let side = self.side();
        let mut clear = |x0: usize, y0: usize, x1: usize, y1: usize| {
            for y in y0..=y1.min(side - 1) {
                (x0..=x1.min(side - 1)).for_each(|x| free[y * side + x] = false);
            }
        };
        clear(0, 0, 8, 8);
        clear(side - 8, 0, side - 1, 8);
        clear(0, side - 8, 8, side - 1);
        clear(6, 0, 6, side - 1);
        clear(0, 6, side - 1, 6);
        for (x, y) in self.alignment_centres() {
            clear(x - 2, y - 2, x + 2, y + 2);
        }
    }
}

/// Whether mask `mask` inverts the module in column `x` of row `y` (table 10).
#[must_use]
pub fn masks(mask: u8, x: usize, y: usize) -> bool {
    let remainder = match mask {
        0 => (x + y) % 2,
        1 => y % 2,
        2 => x % 3,
        3 => (x + y) % 3,
        4 => (y / 2 + x / 3) % 2,
        5 => x * y % 2 + x * y % 3,
        6 => (x * y % 2 + x * y % 3) % 2,
        _ => ((x + y) % 2 + x * y % 3) % 2,
    };
    remainder == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alignment_patterns_stand_where_annex_e_has_them() {
        let places = |n| Version::new(n).unwrap().alignment().collect::<Vec<usize>>();
        assert!(places(1).is_empty());
        assert_eq!(places(2), [6, 18]);
        assert_eq!(places(7), [6, 22, 38]);
        assert_eq!(places(22), [6, 26, 50, 74, 98]);
        assert_eq!(places(32), [6, 34, 60, 86, 112, 138]);
        assert_eq!(places(40), [6, 30, 58, 86, 114, 142, 170]);
    }

    #[test]
    fn what_is_known_of_a_module_agrees_with_the_patterns_drawn_one_by_one() {
        for version in (1..=40).filter_map(Version::new) {
            let side = version.side();
            let mut drawn = vec![None; side * side];
            for i in 0..side {
                (drawn[6 * side + i], drawn[i * side + 6]) = (Some(i % 2 == 0), Some(i % 2 == 0));
            }
            let mut square = |cx: usize, cy: usize, reach: usize, light: [usize; 2]| {
                for y in cy.saturating_sub(reach)..=(cy + reach).min(side - 1) {
                    for x in cx.saturating_sub(reach)..=(cx + reach).min(side - 1) {
                        drawn[y * side + x] = Some(!light.contains(&x.abs_diff(cx).max(y.abs_diff(cy))));
                    }
                }
            };
            version.alignment_centres().for_each(|(x, y)| square(x, y, 2, [1, 1]));
            [(3, 3), (side - 4, 3), (3, side - 4)].into_iter().for_each(|(x, y)| square(x, y, 4, [2, 4]));
            drawn[(side - 8) * side + 8] = Some(true);
            let known: Vec<_> = (0..side * side).map(|i| version.known(i % side, i / side)).collect();
            assert_eq!(known, drawn, "version {}", version.number());
        }
    }

    #[test]
    fn version_information_is_that_of_annex_d() {
        let information = |n| Version::new(n).unwrap().information();
        assert_eq!((information(6), information(7), information(40)), (None, Some(0x07C94), Some(0x28C69)));
    }

    #[test]
    fn there_are_as_many_data_modules_as_codewords_need() {
        for n in 1..=40 {
            let version = Version::new(n).unwrap();
            let spare = version.data_modules().len() - version.codewords() * 8;
            assert!(spare < 8, "version {n}: {spare} bits over");
            for ec in EcLevel::ALL {
                let (per_block, blocks) = version.blocks(ec);
                assert!(per_block * blocks < version.codewords());
            }
        }
    }
}
