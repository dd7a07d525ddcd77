//! How little a masked symbol looks like what a reader would stumble over: ISO/IEC 18004, clause 7.8.3.
//!
//! A row or column of modules is one integer of 192 bits (177 are needed), so a feature is found at all its places at
//! once by shifts. Bit `i` is module `i`, 1 is dark, and beyond the edge there is light, as in the quiet zone.

use std::ops::{BitAnd, BitOr, BitXor, Not, Shl, Shr};

/// The modules of a square symbol, once by rows and once by columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Picture {
    rows: Vec<Line>,
    columns: Vec<Line>,
}

impl Picture {
    /// From the modules row by row; their number is a square, of at most 192.
    pub(super) fn new(modules: impl ExactSizeIterator<Item = bool>) -> Self {
        let side = modules.len().isqrt().clamp(1, Line::BITS);
        let mut picture = Self { rows: vec![Line::default(); side], columns: vec![Line::default(); side] };
        for (index, _) in modules.enumerate().filter(|(_, dark)| *dark) {
            let (x, y) = (index % side, index / side);
            picture.rows.get_mut(y).into_iter().for_each(|row| row.set(x));
            picture.columns.get_mut(x).into_iter().for_each(|column| column.set(y));
        }
        picture
    }

    /// Row by row, true is dark.
    pub(super) fn modules(&self) -> Vec<bool> {
        let side = self.rows.len();
        self.rows.iter().flat_map(|row| (0..side).map(|x| row.get(x))).collect()
    }

    /// Dark where one of the two is and the other is not; both have the same size.
    pub(super) fn xor(&self, other: &Self) -> Self {
        let lines = |ours: &[Line], theirs: &[Line]| ours.iter().zip(theirs).map(|(a, b)| *a ^ *b).collect();
        Self { rows: lines(&self.rows, &other.rows), columns: lines(&self.columns, &other.columns) }
    }

    /// The penalty points; fewer are better.
    pub(super) fn penalty(&self) -> usize {
        let side = self.rows.len();
        let lines: usize = self.rows.iter().chain(&self.columns).map(|line| in_line(*line, side)).sum();
        let blocks: usize = self.rows.windows(2).map(|pair| blocks(pair, side)).sum();
        lines + 3 * blocks + 10 * balance(&self.rows, side)
    }
}

fn in_line(line: Line, side: usize) -> usize {
    runs(line, side) + 40 * finder_likes(line, side)
}

/// 3 for five modules of one colour in line, and 1 for each more.
fn runs(line: Line, side: usize) -> usize {
    let like_next = !(line ^ (line >> 1)) & Line::first(side - 1);
    let pairs = like_next & (like_next >> 1);
    let starts = pairs & (pairs >> 2);
    // A run of n modules leaves n - 4 bits, of which one has no lower neighbour.
    starts.count() + 2 * (starts & !(starts << 1)).count()
}

/// Squares of 2 by 2 modules of one colour; they may overlap.
fn blocks(pair: &[Line], side: usize) -> usize {
    let &[upper, lower] = pair else { return 0 };
    let flat = !((upper ^ (upper >> 1)) | (lower ^ (lower >> 1)) | (upper ^ lower));
    (flat & Line::first(side - 1)).count()
}

/// Places that look like a finder pattern: 1011101 with four light modules before or after it.
fn finder_likes(line: Line, side: usize) -> usize {
    let core = line & (line >> 2) & (line >> 3) & (line >> 4) & (line >> 6);
    let ring = (line >> 1) | (line >> 5);
    let after = (line >> 7) | (line >> 8) | (line >> 9) | (line >> 10);
    let before = (line << 1) | (line << 2) | (line << 3) | (line << 4);
    (core & !ring & !(before & after) & Line::first(side)).count()
}

/// Full steps of 5 % by which the share of dark modules is off a half.
fn balance(rows: &[Line], side: usize) -> usize {
    let dark: usize = rows.iter().map(|row| row.count()).sum();
    let area = side * side;
    (2 * dark).abs_diff(area) * 10 / area
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Line([u64; 3]);

impl Line {
    const BITS: usize = 192;

    fn set(&mut self, bit: usize) {
        if let Some(word) = self.0.get_mut(bit / 64) {
            *word |= 1 << (bit % 64);
        }
    }

    fn get(self, bit: usize) -> bool {
        self.0.get(bit / 64).is_some_and(|word| word >> (bit % 64) & 1 == 1)
    }

    fn first(count: usize) -> Self {
        let word = |from: usize| match count.saturating_sub(from) {
            64.. => u64::MAX,
            bits => (1 << bits) - 1,
        };
        Self([word(0), word(64), word(128)])
    }

    fn count(self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }
}

impl BitAnd for Line {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        let ([a, b, c], [x, y, z]) = (self.0, other.0);
        Self([a & x, b & y, c & z])
    }
}

impl BitOr for Line {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        let ([a, b, c], [x, y, z]) = (self.0, other.0);
        Self([a | x, b | y, c | z])
    }
}

impl BitXor for Line {
    type Output = Self;
    fn bitxor(self, other: Self) -> Self {
        let ([a, b, c], [x, y, z]) = (self.0, other.0);
        Self([a ^ x, b ^ y, c ^ z])
    }
}

impl Not for Line {
    type Output = Self;
    fn not(self) -> Self {
        let [a, b, c] = self.0;
        Self([!a, !b, !c])
    }
}

/// Towards lower numbers, by 1 to 63 places.
impl Shr<u32> for Line {
    type Output = Self;
    fn shr(self, places: u32) -> Self {
        let [a, b, c] = self.0;
        let carry = 64 - places;
        Self([a >> places | b << carry, b >> places | c << carry, c >> places])
    }
}

/// Towards higher numbers, by 1 to 63 places.
impl Shl<u32> for Line {
    type Output = Self;
    fn shl(self, places: u32) -> Self {
        let [a, b, c] = self.0;
        let carry = 64 - places;
        Self([a << places, b << places | a >> carry, c << places | b >> carry])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The clause word by word, module by module.
    fn by_the_book(dark: &dyn Fn(isize, isize) -> bool, side: isize) -> usize {
        let inside = |i: isize| (0..side).contains(&i);
        let mut score = 0;
        for turned in [false, true] {
            let at = |i: isize, line: isize| inside(i) && if turned { dark(line, i) } else { dark(i, line) };
            for line in 0..side {
                let mut i = 0;
                while i < side {
                    let length = (i..side).take_while(|&k| at(k, line) == at(i, line)).count();
                    score += if length >= 5 { 3 + length - 5 } else { 0 };
                    i += length as isize;
                }
                for i in 0..=side - 7 {
                    let found: Vec<bool> = (i..i + 7).map(|k| at(k, line)).collect();
                    let clear = |from: isize| (from..from + 4).all(|k| !at(k, line));
                    if found == [true, false, true, true, true, false, true] && (clear(i - 4) || clear(i + 7)) {
                        score += 40;
                    }
                }
            }
        }
        for y in 0..side - 1 {
            for x in 0..side - 1 {
                let square = [dark(x, y), dark(x + 1, y), dark(x, y + 1), dark(x + 1, y + 1)];
                score += if square.iter().all(|&d| d == square[0]) { 3 } else { 0 };
            }
        }
        let count = (0..side * side).filter(|i| dark(i % side, i / side)).count();
        let percent = count as f64 * 100.0 / (side * side) as f64;
        score + 10 * ((percent - 50.0).abs() / 5.0 + 1e-9).floor() as usize
    }

    proptest! {
        #[test]
        fn shifts_find_what_the_clause_says(side in prop::sample::select(vec![21_usize, 37, 41, 65, 129, 177]),
                                            seed: u64, share in 0.1_f64..0.9) {
            let mut state = seed | 1;
            let modules: Vec<bool> = (0..side * side).map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                ((state >> 33) as f64 / (1_u64 << 31) as f64) < share
            }).collect();
            let dark = |x: isize, y: isize| modules[y as usize * side + x as usize];
            let picture = Picture::new(modules.iter().copied());
            prop_assert_eq!(picture.penalty(), by_the_book(&dark, side as isize));
            prop_assert_eq!(picture.modules(), modules);
        }
    }
}
