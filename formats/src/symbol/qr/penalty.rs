//! Which of the eight masked symbols to print: the one with the lowest penalty, ISO/IEC 18004, clause 7.8.3.
//!
//! A row or column of modules is one integer of 192 bits (177 are needed), so a feature is found at all its places at
//! once by shifts. Bit `i` is module `i`, 1 is dark, and beyond the edge there is light, as in the quiet zone.

use std::ops::{BitAnd, BitOr, BitXor, Not, Shl, Shr};

/// Of square symbols, all of one size, the modules of the first with the lowest penalty; empty without any.
pub(super) fn best(candidates: impl Iterator<Item = Vec<bool>>) -> Vec<bool> {
    candidates.min_by_key(|modules| penalty(modules)).unwrap_or_default()
}

fn penalty(modules: &[bool]) -> usize {
    let side = modules.len().isqrt().clamp(1, Line::BITS);
    let rows = lines(modules, side, |x, y| (y, x));
    let columns = lines(modules, side, |x, y| (x, y));
    let both = || rows.iter().chain(&columns);
    let runs: usize = both().map(|line| runs(*line, side)).sum();
    let finders: usize = both().map(|line| finder_likes(*line, side)).sum();
    let blocks: usize = rows.windows(2).map(|pair| blocks(pair, side)).sum();
    runs + 3 * blocks + 40 * finders + 10 * balance(&rows, side)
}

fn lines(modules: &[bool], side: usize, place: impl Fn(usize, usize) -> (usize, usize)) -> Vec<Line> {
    let mut lines = vec![Line::default(); side];
    for (y, row) in modules.chunks_exact(side).enumerate() {
        for (x, _) in row.iter().enumerate().filter(|(_, dark)| **dark) {
            let (line, bit) = place(x, y);
            if let Some(line) = lines.get_mut(line) {
                line.set(bit);
            }
        }
    }
    lines
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
            prop_assert_eq!(penalty(&modules), by_the_book(&dark, side as isize));
        }
    }

    #[test]
    fn first_of_equals_wins() {
        let flat = vec![false; 21 * 21];
        assert_eq!(best([flat.clone(), vec![true; 21 * 21]].into_iter()), flat);
        assert!(best(std::iter::empty()).is_empty());
    }
}
