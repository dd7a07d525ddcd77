//! Grey levels of modules to likelihoods: each module is judged by the dark and the light level around it, and what is
//! neither, such as glare, soot, ink or solder, says nothing.

/// Likelihood ratios are clipped to this many nats.
pub(super) const CLIP: f32 = 8.0;
/// Half the side of the window, in modules, that gives a place its dark and its light level.
const WINDOW: usize = 5;
/// Probability that a module's grey level has nothing to do with what was marked.
const FOREIGN: f32 = 0.03;
/// Steps of the fit of two levels to a window.
const ROUNDS: usize = 4;

/// Dark and light level.
#[derive(Debug, Clone, Copy)]
struct Levels {
    dark: f32,
    light: f32,
}

/// Log-likelihood ratio of each module, positive for dark, from grey levels row by row (negated where light modules mean
/// dark). As in [`super::ModuleGrid`]. A second opinion for symbols that are covered in part: for evenly worn ones it is
/// the worse one, since it doubts what is only darker than usual.
pub(crate) fn likelihoods(greys: &[f32], columns: usize) -> Vec<f32> {
    let rows = greys.len() / columns.max(1);
    let Some(whole) = two_levels(greys.to_vec()) else { return vec![0.0; greys.len()] };
    let field = Field::of(greys, columns, rows, whole);
    let place = |i: usize| field.at(i % columns, i / columns);
    // Noise: how far modules are from the nearer level, as a share of the gap; the median is not moved by what is foreign.
    let mut noise: Vec<f32> = greys
        .iter()
        .enumerate()
        .map(|(i, grey)| {
            let Levels { dark, light } = place(i);
            (grey - dark).abs().min((grey - light).abs()) / (light - dark)
        })
        .collect();
    let middle = noise.len() / 2;
    noise.select_nth_unstable_by(middle, f32::total_cmp);
    let sigma = (1.48 * noise.get(middle).copied().unwrap_or(0.2)).clamp(0.08, 0.3);
    let density = |away: f32| (-0.5 * (away / sigma).powi(2)).exp() + FOREIGN;
    greys
        .iter()
        .enumerate()
        .map(|(i, grey)| {
            let Levels { dark, light } = place(i);
            let x = (grey - dark) / (light - dark);
            (density(x) / density(x - 1.0)).ln().clamp(-CLIP, CLIP)
        })
        .collect()
}

/// Levels on a coarse grid over the symbol.
struct Field {
    step: usize,
    across: usize,
    down: usize,
    levels: Vec<Levels>,
}

impl Field {
    fn of(greys: &[f32], columns: usize, rows: usize, whole: Levels) -> Self {
        let step = (columns.max(rows) / 12).max(3);
        let (across, down) = (columns.div_ceil(step) + 1, rows.div_ceil(step) + 1);
        let gap = whole.light - whole.dark;
        let level = |i: usize| {
            let (x, y) = ((i % across) * step, (i / across) * step);
            let mut window = Vec::with_capacity((2 * WINDOW + 1) * (2 * WINDOW + 1));
            for row in y.saturating_sub(WINDOW)..(y + WINDOW + 1).min(rows) {
                let (from, to) = (x.saturating_sub(WINDOW), (x + WINDOW + 1).min(columns));
                window.extend(greys.get(row * columns + from..row * columns + to).unwrap_or_default());
            }
            // A window without two tones is covered, and takes the levels of the whole.
            two_levels(window).filter(|local| local.light - local.dark > 0.35 * gap).unwrap_or(whole)
        };
        Self { step, across, down, levels: (0..across * down).map(level).collect() }
    }

    /// The levels at a module, linear between the places of the grid.
    fn at(&self, column: usize, row: usize) -> Levels {
        let (x, y) = (column / self.step, row / self.step);
        let (fx, fy) = ((column % self.step) as f32 / self.step as f32, (row % self.step) as f32 / self.step as f32);
        let level = |x: usize, y: usize| {
            let i = y.min(self.down - 1) * self.across + x.min(self.across - 1);
            self.levels.get(i).copied().unwrap_or(Levels { dark: 0.0, light: 1.0 })
        };
        let mix = |a: f32, b: f32, f: f32| a + f * (b - a);
        let between = |part: &dyn Fn(Levels) -> f32| {
            let top = mix(part(level(x, y)), part(level(x + 1, y)), fx);
            mix(top, mix(part(level(x, y + 1)), part(level(x + 1, y + 1)), fx), fy)
        };
        Levels { dark: between(&|l| l.dark), light: between(&|l| l.light) }
    }
}

/// The medians of the dark and of the light ones; `None` where all are alike.
fn two_levels(mut values: Vec<f32>) -> Option<Levels> {
    values.sort_by(f32::total_cmp);
    let (first, last) = (*values.first()?, *values.last()?);
    let mut threshold = values.iter().sum::<f32>() / values.len() as f32;
    let mut levels = Levels { dark: first, light: last };
    for _ in 0..ROUNDS {
        let split = values.partition_point(|v| *v < threshold);
        let (dark, light) = values.split_at(split);
        levels = Levels { dark: *dark.get(dark.len() / 2)?, light: *light.get(light.len() / 2)? };
        threshold = 0.5 * (levels.dark + levels.light);
    }
    (levels.light - levels.dark > 1.0).then_some(levels)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A checkerboard of 20 by 20 modules, 80 and 160, with a slope of light over it.
    fn board() -> Vec<f32> {
        (0..400).map(|i| if (i % 20 + i / 20) % 2 == 0 { 80.0 } else { 160.0 } + (i % 20) as f32 * 2.0).collect()
    }

    #[test]
    fn clean_modules_are_certain() {
        for (i, llr) in likelihoods(&board(), 20).into_iter().enumerate() {
            let dark = (i % 20 + i / 20) % 2 == 0;
            assert!(if dark { llr > 2.0 } else { llr < -2.0 }, "module {i}: {llr}");
        }
    }

    #[test]
    fn what_is_neither_dark_nor_light_says_nothing() {
        for foreign in [0.0, 250.0] {
            let mut greys = board();
            for i in [210, 211, 230, 231] {
                greys[i] = foreign;
            }
            let llr = likelihoods(&greys, 20);
            for i in [210, 211, 230, 231] {
                assert!(llr[i].abs() < 0.7, "{foreign}: {}", llr[i]);
            }
        }
    }

    #[test]
    fn a_blank_says_nothing() {
        assert!(likelihoods(&[7.0; 100], 10).iter().all(|llr| *llr == 0.0));
        assert!(likelihoods(&[], 10).is_empty());
        assert!(likelihoods(&[], 0).is_empty());
    }
}
