//! Areas of one colour: data modules look random (masked in QR Code, randomised by base 256 and padding in Data Matrix),
//! so that an area without any change is soot, paint, glare or a broken edge, however clearly it was seen. So is a line
//! of one colour right across: a groove, or the stroke of a pen.

use super::ModuleGrid;

/// Widths and heights, in modules, of areas that are of one colour by chance less than once in about a hundred symbols.
const AREAS: [(usize, usize); 5] = [(4, 4), (3, 6), (6, 3), (2, 9), (9, 2)];

/// What is left of the certainty of a module in such an area.
const LEFT: f32 = 0.03;

/// The same sampling with areas of one colour doubted; `None` if there is none.
pub(super) fn doubted(grid: &ModuleGrid) -> Option<ModuleGrid> {
    let (width, height) = (grid.width, grid.height);
    // Dark modules above and to the left of each place, the place itself left out.
    let mut dark = vec![0u32; (width + 1) * (height + 1)];
    for (y, row) in grid.llr.chunks_exact(width.max(1)).take(height).enumerate() {
        let mut sum = 0;
        for (x, llr) in row.iter().enumerate() {
            sum += u32::from(*llr > 0.0);
            dark[(y + 1) * (width + 1) + x + 1] = dark[y * (width + 1) + x + 1] + sum;
        }
    }
    let count = |x: usize, y: usize, w: usize, h: usize| {
        let at = |x: usize, y: usize| dark[y * (width + 1) + x];
        at(x + w, y + h) + at(x, y) - at(x + w, y) - at(x, y + h)
    };
    let mut out: Option<ModuleGrid> = None;
    for (w, h) in AREAS {
        for y in 0..(height + 1).saturating_sub(h) {
            for x in 0..(width + 1).saturating_sub(w) {
                let dark = count(x, y, w, h) as usize;
                if dark == 0 || dark == w * h {
                    let out = out.get_or_insert_with(|| grid.clone());
                    for row in y..y + h {
                        let modules = row * width + x..row * width + x + w;
                        for (new, old) in out.llr[modules.clone()].iter_mut().zip(&grid.llr[modules]) {
                            *new = old * LEFT;
                        }
                    }
                }
            }
        }
    }
    if let Some(out) = &mut out {
        doubt_rims(grid, out);
    }
    for line in lines(grid) {
        let out = out.get_or_insert_with(|| grid.clone());
        for i in (0..width * height).filter(|i| line.covers(i % width, i / width)) {
            // What has the other colour there was not covered.
            if (grid.llr[i] > 0.0) == line.dark {
                out.llr[i] = grid.llr[i] * LEFT;
            }
        }
    }
    out
}

/// Modules of the colour of an area beside it may belong to it: they are doubted somewhat.
fn doubt_rims(grid: &ModuleGrid, out: &mut ModuleGrid) {
    let (width, height) = (grid.width, grid.height);
    let inside: Vec<bool> = grid.llr.iter().zip(&out.llr).map(|(was, is)| was != is).collect();
    for (x, y) in (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).filter(|(x, y)| !inside[y * width + x]) {
        let dark = grid.llr[y * width + x] > 0.0;
        let rows = y.saturating_sub(1)..(y + 2).min(height);
        let around = rows.flat_map(|v| (x.saturating_sub(1)..(x + 2).min(width)).map(move |u| v * width + u));
        if around.filter(|i| inside[*i] && (grid.llr[*i] > 0.0) == dark).count() > 1 {
            out.llr[y * width + x] *= RIM;
        }
    }
}

/// What is left of the certainty of a module beside such an area.
const RIM: f32 = 0.35;

/// Directions of lines that are looked for, over half a turn.
const DIRECTIONS: usize = 60;
/// Widths of lines that are looked for, in halves of a module.
const WIDTHS: [usize; 3] = [2, 4, 6];
/// Modules that a line covers at least.
const SHORTEST: f32 = 14.0;
/// By how many standard deviations the colours on a line are out of balance: among some ten thousand lines of a random
/// symbol it is less than 4.5.
const UNBALANCED: f32 = 5.0;
/// Share of the modules on a line that have its colour.
const COVERED: f32 = 0.85;
/// Lines of one symbol.
const MOST_LINES: usize = 6;

/// A straight stripe of one colour.
#[derive(Debug, Clone, Copy)]
struct Line {
    /// Unit vector across it.
    across: (f32, f32),
    /// From where to where, in modules along that vector.
    from: f32,
    to: f32,
    dark: bool,
    significance: f32,
}

impl Line {
    fn covers(&self, x: usize, y: usize) -> bool {
        let at = x as f32 * self.across.0 + y as f32 * self.across.1;
        at >= self.from && at < self.to
    }
}

/// Lines of one colour right across a symbol, the clearest first, each of its own place.
fn lines(grid: &ModuleGrid) -> Vec<Line> {
    let (width, height) = (grid.width, grid.height);
    let mut found: Vec<Line> = Vec::new();
    let bins = 2 * (width + height) + 2;
    for direction in 0..DIRECTIONS {
        let angle = std::f32::consts::PI * direction as f32 / DIRECTIONS as f32;
        let across = (angle.cos(), angle.sin());
        // Projections run from minus the width, where the vector points to the left.
        let origin = width as f32;
        let mut sums = vec![(0.0f32, 0.0f32); bins];
        for (i, llr) in grid.llr.iter().enumerate() {
            let at = (i % width) as f32 * across.0 + (i / width) as f32 * across.1 + origin;
            if let Some((sum, count)) = sums.get_mut((2.0 * at) as usize) {
                *sum += llr.signum();
                *count += 1.0;
            }
        }
        for halves in WIDTHS {
            for (start, window) in sums.windows(halves).enumerate() {
                let (sum, count) = window.iter().fold((0.0, 0.0), |(s, n), (sum, count)| (s + sum, n + count));
                let significance = sum.abs() / count.max(1.0).sqrt();
                if count < SHORTEST || significance < UNBALANCED || sum.abs() < (2.0 * COVERED - 1.0) * count {
                    continue;
                }
                let from = 0.5 * start as f32 - origin;
                let to = from + 0.5 * halves as f32;
                found.push(Line { across, from, to, dark: sum > 0.0, significance });
            }
        }
    }
    found.sort_by(|a, b| b.significance.total_cmp(&a.significance));
    found.truncate(MOST_LINES);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(width: usize, height: usize) -> ModuleGrid {
        let mixed = |n: u64| (n ^ (n >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let value = |i: usize| if mixed(mixed(i as u64 + 3) ^ 0x5DEE_CE66) >> 40 & 1 == 1 { 5.0 } else { -5.0 };
        ModuleGrid { width, height, llr: (0..width * height).map(value).collect() }
    }

    #[test]
    fn a_stain_is_doubted_and_nothing_else_is() {
        let clean = random(41, 41);
        assert!(doubted(&clean).is_none());
        for value in [5.0, -5.0] {
            let mut stained = clean.clone();
            let inside = |i: usize| (10..16).contains(&(i % 41)) && (20..27).contains(&(i / 41));
            for i in (0..41 * 41).filter(|i| inside(*i)) {
                stained.llr[i] = value;
            }
            let doubted = doubted(&stained).unwrap();
            let about = |i: usize| (4..22).contains(&(i % 41)) && (13..34).contains(&(i / 41));
            for (i, llr) in doubted.llr.iter().enumerate() {
                assert!(llr.abs() < 0.2 || !inside(i), "{i}");
                assert!(*llr == stained.llr[i] || about(i), "{i}");
            }
        }
    }

    #[test]
    fn a_groove_right_across_is_doubted() {
        for angle in [0.3f32, 1.0, 2.2] {
            let mut cut = random(41, 41);
            let on = |i: usize| {
                let (x, y) = ((i % 41) as f32 - 20.0, (i / 41) as f32 - 20.0);
                (x * angle.cos() + y * angle.sin()).abs() < 1.1
            };
            let before = cut.clone();
            (0..41 * 41).filter(|i| on(*i)).for_each(|i| cut.llr[i] = 5.0);
            let doubted = doubted(&cut).unwrap();
            let changed = |i: &usize| before.llr[*i] < 0.0;
            let covered: Vec<usize> = (0..41 * 41).filter(|i| on(*i)).filter(changed).collect();
            let caught = covered.iter().filter(|i| doubted.llr[**i].abs() < 0.2).count();
            let lost = (0..41 * 41).filter(|i| !on(*i) && doubted.llr[*i].abs() < 0.2).count();
            assert!(10 * caught >= 8 * covered.len() && lost < 80, "{angle}: {caught} of {}, {lost}", covered.len());
        }
    }

    #[test]
    fn grids_of_any_size() {
        for (width, height) in [(0, 0), (1, 1), (3, 50), (50, 2), (4, 4)] {
            let _ = doubted(&random(width, height));
            let blank = ModuleGrid { width, height, llr: vec![0.0; width * height] };
            assert_eq!(doubted(&blank).is_some(), width * height >= 16 && width.min(height) >= 2);
        }
    }
}
