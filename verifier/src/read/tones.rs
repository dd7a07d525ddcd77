//! What is darker than its surroundings and what is lighter: one threshold for both polarities, a bit a pixel.

use super::picture::integral;

/// Grey levels that a pixel must be off the mean around it: flat areas do not turn into noise.
const MARGIN: u32 = 2;

/// The pixels of a picture that are dark, and those that are light; what is neither is near the mean around it.
#[derive(Debug)]
pub(crate) struct Tones {
    pub(crate) dark: Bits,
    pub(crate) light: Bits,
}

impl Tones {
    /// What means dark: the light pixels, where light modules stand on dark.
    pub(crate) fn of(&self, reversed: bool) -> &Bits {
        if reversed { &self.light } else { &self.dark }
    }
}

/// A bit for each pixel of a picture, row by row; each row begins with a new word, its first pixel in the lowest bit.
#[derive(Debug)]
pub(crate) struct Bits {
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// Words a row.
    stride: usize,
    words: Vec<u64>,
}

impl Bits {
    fn new(width: usize, height: usize) -> Self {
        let stride = width.div_ceil(64);
        Self { width, height, stride, words: vec![0; stride * height] }
    }

    /// Whether the bit of pixel (x, y) is set; none is outside the picture.
    pub(crate) fn at(&self, x: usize, y: usize) -> bool {
        x < self.width && self.words.get(y * self.stride + x / 64).is_some_and(|word| word >> (x % 64) & 1 == 1)
    }

    /// The words of row `y`; bits beyond its end are 0.
    pub(crate) fn row(&self, y: usize) -> &[u64] {
        self.words.get(y * self.stride..(y + 1) * self.stride).unwrap_or_default()
    }

    /// Where row `y` changes: the first pixel of its first run of set bits, the first pixel behind it, and so on. The
    /// number of places is even.
    pub(crate) fn changes(&self, y: usize, out: &mut Vec<u32>) {
        out.clear();
        let mut before = 0;
        for (i, word) in self.row(y).iter().enumerate() {
            // A set bit is one that differs from the bit before it.
            let mut edges = word ^ (word << 1 | before);
            before = word >> 63;
            while edges != 0 {
                out.push((i * 64) as u32 + edges.trailing_zeros());
                edges &= edges - 1;
            }
        }
        if out.len() % 2 == 1 {
            out.push(self.width as u32);
        }
    }

    /// The bits in those blocks of `side` by `side` pixels that `blocks` has of each row of blocks.
    pub(crate) fn within<'a>(&self, side: usize, blocks: impl Fn(usize) -> &'a [bool]) -> Self {
        let mut out = Self::new(self.width, self.height);
        let mut mask = vec![0u64; self.stride];
        for (i, rows) in out.words.chunks_mut((self.stride * side).max(1)).enumerate() {
            mask.fill(0);
            for (at, _) in blocks(i).iter().enumerate().filter(|(_, within)| **within) {
                set(&mut mask, at * side, (at + 1) * side);
            }
            let known = self.words.get(i * side * self.stride..).unwrap_or_default();
            for (out, known) in rows.chunks_mut(self.stride).zip(known.chunks(self.stride)) {
                out.iter_mut().zip(known).zip(&mask).for_each(|((out, known), mask)| *out = known & mask);
            }
        }
        out
    }

    /// Bits row by row.
    #[cfg(test)]
    pub(crate) fn of(width: usize, set: impl Iterator<Item = bool>) -> Self {
        let set: Vec<u8> = set.map(u8::from).collect();
        let mut bits = Self::new(width, set.len() / width);
        set.chunks(width).enumerate().for_each(|(y, row)| bits.put(y, row, row, |v, _| v == 1));
        bits
    }

    /// Sets the bits of row `y` by pairs of values for which `set` is true.
    fn put(&mut self, y: usize, values: &[u8], limits: &[u8], set: impl Fn(u8, u8) -> bool) {
        let Some(row) = self.words.get_mut(y * self.stride..(y + 1) * self.stride) else { return };
        let (values, limits) = (values.chunks(64), limits.chunks(64));
        for (word, (values, limits)) in row.iter_mut().zip(values.zip(limits)) {
            let mut bytes = [0u8; 64];
            for (byte, (value, limit)) in bytes.iter_mut().zip(values.iter().zip(limits)) {
                *byte = u8::from(set(*value, *limit));
            }
            *word = packed(&bytes);
        }
    }
}

/// The lowest bits of 64 bytes.
fn packed(bytes: &[u8; 64]) -> u64 {
    let (eights, _) = bytes.as_chunks();
    // The lowest bit of each byte moves to the highest byte, each to a place of its own.
    let pack = |eight: &[u8; 8]| u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    eights.iter().enumerate().fold(0, |word, (i, eight)| word | pack(eight) << (8 * i))
}

/// Sets the bits of a row from one pixel to before another.
fn set(row: &mut [u64], from: usize, to: usize) {
    let (first, last) = (from / 64, to / 64);
    for (i, word) in row.iter_mut().enumerate().take(last + 1).skip(first) {
        let low = if i == first { u64::MAX << (from % 64) } else { u64::MAX };
        let high = if i == last { (1 << (to % 64)) - 1 } else { u64::MAX };
        *word |= low & high;
    }
}

/// What is darker and lighter than the mean within about `radius` pixels. The mean is taken over whole blocks, as large as
/// an eighth of the window allows, and is the same for all pixels of a block.
pub(crate) fn threshold(data: &[u8], width: usize, radius: usize) -> Tones {
    let height = data.len() / width.max(1);
    let block = (radius / 4).clamp(1, 16).next_power_of_two().min(16);
    let reach = radius.div_ceil(block);
    let (across, down) = (width.div_ceil(block), height.div_ceil(block));
    let sums = integral(data.chunks(width * block).map(|rows| block_sums(rows, width, block).into_iter()), across);
    let mut tones = Tones { dark: Bits::new(width, height), light: Bits::new(width, height) };
    let (mut below, mut above) = (vec![0u8; width], vec![0u8; width]);
    for row in 0..down {
        let (top, bottom) = (row.saturating_sub(reach), (row + reach + 1).min(down));
        let rows = (bottom * block).min(height) - top * block;
        let (upper, lower) = (&sums[top * (across + 1)..], &sums[bottom * (across + 1)..]);
        for (column, (below, above)) in below.chunks_mut(block).zip(above.chunks_mut(block)).enumerate() {
            let (left, right) = (column.saturating_sub(reach), (column + reach + 1).min(across));
            let sum = lower[right].wrapping_sub(lower[left]).wrapping_sub(upper[right]).wrapping_add(upper[left]);
            let area = (rows * ((right * block).min(width) - left * block)) as u32;
            // Darker: value + margin < mean. Lighter: value - margin > mean.
            below.fill(sum.div_ceil(area).saturating_sub(MARGIN).min(255) as u8);
            above.fill((sum / area + MARGIN).min(255) as u8);
        }
        for y in row * block..((row + 1) * block).min(height) {
            let pixels = &data[y * width..(y + 1) * width];
            tones.dark.put(y, pixels, &below, |v, limit| v < limit);
            tones.light.put(y, pixels, &above, |v, limit| v > limit);
        }
    }
    tones
}

/// The sums of a row of blocks.
fn block_sums(rows: &[u8], width: usize, block: usize) -> Vec<u32> {
    let mut columns = vec![0u16; width];
    for row in rows.chunks_exact(width) {
        columns.iter_mut().zip(row).for_each(|(sum, value)| *sum += u16::from(*value));
    }
    columns.chunks(block).map(|columns| columns.iter().map(|sum| u32::from(*sum)).sum()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Grey levels without an order.
    fn noise(width: usize, height: usize) -> Vec<u8> {
        (0..(width * height) as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
    }

    #[test]
    fn tones_are_those_of_the_mean_around_each_pixel() {
        for (width, height, radius) in [(8, 8, 1), (65, 40, 3), (130, 9, 4), (64, 64, 7)] {
            let data = noise(width, height);
            let tones = threshold(&data, width, radius);
            for (x, y) in (0..height).flat_map(|y| (0..width).map(move |x| (x, y))) {
                let window = |at: usize, most: usize| at.saturating_sub(radius)..(at + radius + 1).min(most);
                let around: Vec<f32> = window(y, height)
                    .flat_map(|v| window(x, width).map(move |u| (u, v)))
                    .map(|(u, v)| f32::from(data[v * width + u]))
                    .collect();
                let (value, mean) = (f32::from(data[y * width + x]), around.iter().sum::<f32>() / around.len() as f32);
                assert_eq!(tones.dark.at(x, y), value + 2.0 < mean, "dark at {x}, {y} of {width} by {height}");
                assert_eq!(tones.light.at(x, y), value - 2.0 >= mean.floor() + 1.0, "light at {x}, {y}");
            }
        }
    }

    #[test]
    fn large_windows_go_by_blocks_of_any_size() {
        for (width, height, radius) in [(200, 100, 30), (203, 97, 64), (17, 300, 100), (9, 9, 1000)] {
            let mut data = vec![200; width * height];
            data[3 * width + 5] = 20;
            let tones = threshold(&data, width, radius);
            for (x, y) in (0..height).flat_map(|y| (0..width).map(move |x| (x, y))) {
                assert_eq!(tones.dark.at(x, y), (x, y) == (5, 3), "{width} by {height}");
            }
        }
    }

    #[test]
    fn bits_are_kept_within_blocks() {
        for (width, side) in [(10, 3), (130, 16), (200, 48), (64, 64)] {
            let all = Bits::of(width, (0..width * 70).map(|_| true));
            let row = |odd: bool| (0..width.div_ceil(side)).map(|i| (i % 2 == 1) == odd).collect::<Vec<_>>();
            let rows = [row(false), row(true)];
            let kept = all.within(side, |y| &rows[y % 2]);
            for (x, y) in (0..70).flat_map(|y| (0..width).map(move |x| (x, y))) {
                assert_eq!(kept.at(x, y), (x / side + y / side).is_multiple_of(2), "{x}, {y} by {side}");
            }
        }
    }

    #[test]
    fn changes_are_where_runs_begin_and_end() {
        for width in [1, 7, 64, 65, 200] {
            let row: Vec<u8> = noise(width, 1).into_iter().map(|v| u8::from(v > 99)).collect();
            let mut bits = Bits::new(width, 1);
            bits.put(0, &row, &row, |v, _| v == 1);
            let mut changes = Vec::new();
            bits.changes(0, &mut changes);
            let at = |x: usize| row.get(x).copied().unwrap_or(0);
            let before = |x: usize| x.checked_sub(1).map_or(0, at);
            let expected: Vec<u32> = (0..=width).filter(|x| at(*x) != before(*x)).map(|x| x as u32).collect();
            assert_eq!(changes, expected, "width {width}");
            assert!((0..width).all(|x| bits.at(x, 0) == (row[x] == 1)) && !bits.at(width, 0) && !bits.at(0, 1));
        }
    }
}
