//! Blur taken back: each module's grey level is that of its own and, by the blur, of the eight around it. How much of each
//! is estimated from the symbol itself, and what the neighbours add is subtracted from what was seen: soft interference
//! cancellation, decisions and blur estimated in turn. It reads below two pixels a module, out of focus and moved, where
//! a threshold no longer tells modules apart.

use super::likelihood::CLIP;

/// Half the side of the window, in modules, over which light and contrast are taken as constant.
const WINDOW: usize = 5;
/// Standard deviation of grey levels that is none.
const LEAST_SPREAD: f32 = 1.0;
/// Turns of estimating the blur and deciding the modules.
const ROUNDS: usize = 8;
/// Steepness of the first decisions, of levels in standard deviations of their window.
const FIRST: f32 = 1.5;
/// The least variance of what the estimate leaves unexplained, as a share of the modules' own.
const LEAST_NOISE: f32 = 0.02;
/// Residuals beyond this many times the median square are taken for stains and not for noise.
const STAIN: f32 = 4.0;
/// Terms of the model: nine modules, and a constant.
const TERMS: usize = 10;

/// Log-likelihood ratio of each module, positive for dark, from grey levels row by row (negated where light modules mean
/// dark), as [`super::likelihood::likelihoods`]. `known` says of a module, by column and row, that it is always dark, or
/// always light. Around the symbol is light.
pub(crate) fn equalised(greys: &[f32], columns: usize, known: &dyn Fn(usize, usize) -> Option<bool>) -> Vec<f32> {
    let rows = greys.len() / columns.max(1);
    if rows * columns != greys.len() || greys.len() < TERMS {
        return vec![0.0; greys.len()];
    }
    let seen = contrasts(greys, columns, WINDOW, LEAST_SPREAD);
    let sign = |dark: bool| if dark { 1.0 } else { -1.0 };
    let pinned: Vec<Option<f32>> = (0..greys.len()).map(|i| known(i % columns, i / columns).map(sign)).collect();
    let mut modules = Framed::new(columns, rows, -1.0);
    for (i, seen) in seen.iter().enumerate() {
        modules.set(i, pinned[i].unwrap_or_else(|| (FIRST * seen).tanh()));
    }
    let mut llr = vec![0.0; greys.len()];
    for _ in 0..ROUNDS {
        let Some(blur) = blur(&modules, &seen) else { return llr };
        let mut residuals = Framed::new(columns, rows, 0.0);
        for (i, seen) in seen.iter().enumerate() {
            let around = modules.around(i);
            let expected: f32 = around.iter().zip(&blur).map(|(module, share)| module * share).sum();
            residuals.set(i, seen - expected - blur[9]);
        }
        let noise = noise(&residuals);
        let energy: f32 = blur[..9].iter().map(|share| share * share).sum();
        for (i, llr) in llr.iter_mut().enumerate() {
            // What this module adds to each of the nine was seen there: a matched filter over the residuals.
            let matched: f32 = residuals.around(i).iter().zip(blur[..9].iter().rev()).map(|(r, share)| r * share).sum();
            let module = modules.get(i);
            let now = (2.0 * (energy * module + matched) / noise).clamp(-CLIP, CLIP);
            *llr = if now.is_nan() { 0.0 } else { now };
            // Half of the way, so that decisions that depend on each other do not swing.
            modules.set(i, pinned[i].unwrap_or(0.5 * (module + (0.5 * *llr).tanh())));
        }
    }
    llr
}

/// How much darker than its surroundings, `reach` modules to each side, each module is, in standard deviations of these;
/// none counts as less than `least`.
pub(super) fn contrasts(levels: &[f32], columns: usize, reach: usize, least: f32) -> Vec<f32> {
    let rows = levels.len() / columns.max(1);
    let one = |i: usize| {
        let (x, y) = (i % columns, i / columns);
        let (mut n, mut sum, mut squares) = (0.0f32, 0.0f32, 0.0f32);
        for row in y.saturating_sub(reach)..(y + reach + 1).min(rows) {
            let (from, to) = (x.saturating_sub(reach), (x + reach + 1).min(columns));
            for level in levels.get(row * columns + from..row * columns + to).unwrap_or_default() {
                (n, sum, squares) = (n + 1.0, sum + level, squares + level * level);
            }
        }
        let mean = sum / n;
        (mean - levels[i]) / (squares / n - mean * mean).sqrt().max(least)
    };
    (0..levels.len()).map(one).collect()
}

/// Modules with a frame of one around them.
struct Framed {
    columns: usize,
    cells: Vec<f32>,
}

impl Framed {
    fn new(columns: usize, rows: usize, frame: f32) -> Self {
        Self { columns, cells: vec![frame; (columns + 2) * (rows + 2)] }
    }

    fn place(&self, i: usize) -> usize {
        (i / self.columns + 1) * (self.columns + 2) + i % self.columns + 1
    }

    fn get(&self, i: usize) -> f32 {
        self.cells[self.place(i)]
    }

    fn set(&mut self, i: usize, value: f32) {
        let at = self.place(i);
        self.cells[at] = value;
    }

    /// The nine cells around and at a module, row by row.
    fn around(&self, i: usize) -> [f32; 9] {
        let (at, line) = (self.place(i), self.columns + 2);
        std::array::from_fn(|n| self.cells[at + n / 3 * line + n % 3 - line - 1])
    }
}

/// The share of each of nine modules in what is seen of the middle one, and a constant, by least squares.
fn blur(modules: &Framed, seen: &[f32]) -> Option<[f32; TERMS]> {
    let mut normal = [[0f64; TERMS + 1]; TERMS];
    for (i, seen) in seen.iter().enumerate() {
        let around = modules.around(i);
        let terms: [f64; TERMS + 1] = std::array::from_fn(|n| match n {
            9 => 1.0,
            10 => f64::from(*seen),
            n => f64::from(around[n]),
        });
        for (line, factor) in normal.iter_mut().zip(terms) {
            line.iter_mut().zip(terms).for_each(|(sum, term)| *sum += factor * term);
        }
    }
    // A little stiffness, so that a blank has a solution too.
    (0..TERMS).for_each(|n| normal[n][n] += 2e-4 * seen.len() as f64 + 1e-6);
    for column in 0..TERMS {
        let pivot = (column..TERMS).max_by(|a, b| normal[*a][column].abs().total_cmp(&normal[*b][column].abs()))?;
        normal.swap(column, pivot);
        let lead = normal[column];
        for (_, line) in normal.iter_mut().enumerate().filter(|(row, _)| *row != column) {
            let factor = line[column] / lead[column];
            line.iter_mut().zip(lead).skip(column).for_each(|(cell, from)| *cell -= factor * from);
        }
    }
    let solution: [f32; TERMS] = std::array::from_fn(|n| (normal[n][TERMS] / normal[n][n]) as f32);
    solution.iter().all(|share| share.is_finite()).then_some(solution)
}

/// The variance of residuals, those of stains cut down.
fn noise(residuals: &Framed) -> f32 {
    let inner = residuals.cells.len() as f32;
    let mut squares: Vec<f32> = residuals.cells.iter().map(|r| r * r).collect();
    let middle = squares.len() / 2;
    let (_, median, _) = squares.select_nth_unstable_by(middle, f32::total_cmp);
    let most = STAIN * *median;
    (squares.iter().map(|square| square.min(most)).sum::<f32>() / inner).max(LEAST_NOISE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 40;

    fn dark(x: i64, y: i64) -> bool {
        let inside = (0..SIDE as i64).contains(&x) && (0..SIDE as i64).contains(&y);
        let mixed = |n: u64| (n ^ (n >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        inside && mixed(mixed((x + 41 * y + 7) as u64) ^ 0x5DEE_CE66) >> 40 & 1 == 1
    }

    fn edges(x: usize, y: usize) -> Option<bool> {
        (x == 0 || y == 0 || x == SIDE - 1 || y == SIDE - 1).then(|| dark(x as i64, y as i64))
    }

    /// Levels 60 and 160 through a blur that gives each module so much of its neighbours.
    fn blurred(blur: [f32; 9]) -> Vec<f32> {
        let level = |i: usize| {
            let (x, y) = ((i % SIDE) as i64, (i / SIDE) as i64);
            let part = |n: usize| {
                let dark = dark(x + n as i64 % 3 - 1, y + n as i64 / 3 - 1);
                blur[n] * if dark { 60.0 } else { 160.0 }
            };
            (0..9).map(part).sum::<f32>() / blur.iter().sum::<f32>()
        };
        (0..SIDE * SIDE).map(level).collect()
    }

    fn wrong(llr: &[f32]) -> usize {
        llr.iter().enumerate().filter(|(i, llr)| (**llr > 0.0) != dark((i % SIDE) as i64, (i / SIDE) as i64)).count()
    }

    #[test]
    fn blur_in_all_directions_and_in_one_is_taken_back() {
        let out_of_focus = [0.12, 0.38, 0.12, 0.38, 1.0, 0.38, 0.12, 0.38, 0.12];
        let moved = [0.0, 0.0, 0.1, 0.5, 1.0, 0.5, 0.1, 0.0, 0.0];
        for blur in [out_of_focus, moved] {
            let greys = blurred(blur);
            let plain = wrong(&contrasts(&greys, SIDE, WINDOW, LEAST_SPREAD));
            let equalised = wrong(&equalised(&greys, SIDE, &edges));
            assert!(plain > 60 && equalised * 4 < plain, "{blur:?}: {plain} wrong, equalised {equalised}");
        }
    }

    #[test]
    fn sharp_modules_stay_certain() {
        let llr = equalised(&blurred([0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]), SIDE, &|_, _| None);
        assert_eq!(wrong(&llr), 0);
        assert!(llr.iter().all(|llr| llr.abs() > 2.0));
    }

    #[test]
    fn any_levels_are_answered() {
        for value in [0.0, 7.0, f32::NAN, f32::INFINITY, -1e30] {
            for (count, columns) in [(0, 0), (1, 1), (9, 3), (100, 10), (101, 10)] {
                let llr = equalised(&vec![value; count], columns, &|_, _| None);
                assert!(llr.len() == count && llr.iter().all(|llr| !llr.is_nan()), "{value} {count}");
            }
        }
    }
}
