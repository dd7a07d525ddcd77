//! Areas of one colour: data modules look random (masked in QR Code, randomised by base 256 and padding in Data Matrix),
//! so that an area without any change is soot, paint, glare or a broken edge, however clearly it was seen.

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
    out
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
    fn grids_of_any_size() {
        for (width, height) in [(0, 0), (1, 1), (3, 50), (50, 2), (4, 4)] {
            let _ = doubted(&random(width, height));
            let blank = ModuleGrid { width, height, llr: vec![0.0; width * height] };
            assert_eq!(doubted(&blank).is_some(), width * height >= 16 && width.min(height) >= 2);
        }
    }
}
