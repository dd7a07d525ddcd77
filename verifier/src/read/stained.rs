//! Grey levels of modules to likelihoods where parts of a symbol are covered: ink, solder, soot and film have levels of
//! their own, and spoil every mean taken over them. The function patterns say how dark and how light modules are; around
//! each place that pair of levels, darkened or lightened as a film or a shadow does, is fitted to what is there, and what
//! is neither of the two counts as foreign and says nothing.

use super::likelihood::CLIP;

/// Modules between the places at which levels are fitted.
const STEP: usize = 3;
/// Standard deviation, in modules, of the weight of modules around such a place, and how far they count.
const SPREAD: f32 = 2.6;
const REACH: usize = 5;
/// How dark or light it may be beside the whole: factors of the levels, in steps. Shadow and film darken more than light
/// brightens, and what is much brighter is ink.
const SHADES: std::ops::RangeInclusive<i32> = -6..=3;
const SHADE: f32 = 1.16;
/// What the first of these steps must gain, in nats, and how much a level holds to it, in modules.
const STIFF: f32 = 1.5;
const HOLD: f32 = 2.0;
/// Rounds of the fit of each.
const ROUNDS: usize = 3;
/// Probability that a module is covered.
const FOREIGN: f32 = 0.06;
/// Range of grey levels that what covers it may have.
const RANGE: f32 = 255.0;

/// Dark and light level, and the deviation of modules from them.
#[derive(Debug, Clone, Copy)]
struct Levels {
    dark: f32,
    light: f32,
    noise: f32,
}

/// Densities of a grey level for a dark, a light and a covered module.
#[derive(Debug, Clone, Copy, Default)]
struct Densities {
    dark: f32,
    light: f32,
    foreign: f32,
}

impl Levels {
    fn densities(&self, grey: f32) -> Densities {
        let share = (1.0 - FOREIGN) / 2.0;
        let bell = |level: f32| {
            let away = (grey - level) / self.noise;
            share * 0.4 / self.noise * (-0.5 * away * away).exp()
        };
        Densities { dark: bell(self.dark), light: bell(self.light), foreign: FOREIGN / RANGE }
    }

    /// The same levels in another light. Grey levels that were negated have their black at the other end.
    fn shaded(&self, factor: f32, reversed: bool) -> Self {
        let shade = |level: f32| if reversed { -(-level * factor).min(255.0) } else { (level * factor).min(255.0) };
        let (dark, light) = (shade(self.dark), shade(self.light));
        Self { dark, light, noise: (self.noise * factor).max(2.0) }
    }
}

/// Log-likelihood ratio of each module, positive for dark, from grey levels row by row (negated where light modules mean
/// dark), as [`super::likelihood::likelihoods`], and from their standard deviation over the area of each. `known` says of a
/// module, by column and row, that it is always dark, or always light. `None` where the function patterns do not show two
/// levels.
pub(crate) fn uncovered(
    greys: &[f32],
    spreads: &[f32],
    columns: usize,
    known: &dyn Fn(usize, usize) -> Option<bool>,
) -> Option<Vec<f32>> {
    let rows = greys.len() / columns.max(1);
    let labels: Vec<Option<bool>> = (0..greys.len()).map(|i| known(i % columns, i / columns)).collect();
    let whole = of_function_patterns(greys, &labels)?;
    let (across, down) = (columns.div_ceil(STEP) + 1, rows.div_ceil(STEP) + 1);
    let around = Around { greys, labels: &labels, columns, rows, whole };
    let fields: Vec<Levels> = (0..across * down).map(|i| around.levels(i % across * STEP, i / across * STEP)).collect();
    let densities: Vec<Densities> = (0..greys.len())
        .map(|i| {
            let (x, y) = (i % columns, i / columns);
            let mut sum = Densities::default();
            // Where light changes at an edge, one of the places around has the levels of this side.
            for (u, v) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                let (column, row) = (x / STEP + u, y / STEP + v);
                let near = |at: usize, to: usize| 1.0 - (at as f32 - (to * STEP) as f32).abs() / STEP as f32;
                let weight = near(x, column) * near(y, row);
                let Some(levels) = fields.get(row * across + column).filter(|_| weight > 0.0) else { continue };
                let here = levels.densities(greys[i]);
                sum.dark += weight * here.dark;
                sum.light += weight * here.light;
                sum.foreign += weight * here.foreign;
            }
            sum
        })
        .collect();
    let usual = median(spreads).max(1.0);
    // A module is of one tone: what is not, more than others, has an edge or a highlight of something else in it.
    let uneven = |i: usize| ((spreads.get(i).copied().unwrap_or(0.0) / usual - UNEVEN) / UNEVEN).clamp(0.0, 1.0);
    let odd = |(i, d): (usize, &Densities)| (d.foreign / (d.dark + d.light + d.foreign).max(1e-20)).max(uneven(i));
    let odd: Vec<f32> = densities.iter().enumerate().map(odd).collect();
    let judged = |(i, d): (usize, &Densities)| {
        let sure = ((d.dark + d.foreign) / (d.light + d.foreign).max(1e-20)).ln();
        // What is beside something foreign may be covered in part.
        let (x, y) = (i % columns, i / columns);
        let (mut sum, mut count) = (0.0, 0.0);
        for row in y.saturating_sub(1)..(y + 2).min(rows) {
            let line = odd.get(row * columns + x.saturating_sub(1)..row * columns + (x + 2).min(columns));
            for odd in line.unwrap_or_default() {
                sum += odd;
                count += 1.0;
            }
        }
        let beside = 1.0 - sum / f32::max(count, 1.0);
        let llr = sure * (1.0 - odd[i]) * beside * beside;
        if llr.is_nan() { 0.0 } else { llr.clamp(-CLIP, CLIP) }
    };
    Some(densities.iter().enumerate().map(judged).collect())
}

/// How many times as uneven as most a module is that has something else in it.
const UNEVEN: f32 = 2.2;

fn median(values: &[f32]) -> f32 {
    let mut values = values.to_vec();
    let middle = values.len() / 2;
    if values.is_empty() { 0.0 } else { *values.select_nth_unstable_by(middle, f32::total_cmp).1 }
}

/// The medians of what is always dark and of what is always light.
fn of_function_patterns(greys: &[f32], labels: &[Option<bool>]) -> Option<Levels> {
    let of = |wanted: bool| {
        let values: Vec<f32> = greys.iter().zip(labels).filter(|(_, l)| **l == Some(wanted)).map(|(g, _)| *g).collect();
        (!values.is_empty()).then(|| median(&values))
    };
    let (dark, light) = (of(true)?, of(false)?);
    if (light - dark).is_nan() || light - dark < 2.0 {
        return None;
    }
    let away: Vec<f32> = greys
        .iter()
        .zip(labels)
        .filter_map(|(grey, label)| label.map(|is_dark| (grey - if is_dark { dark } else { light }).abs()))
        .collect();
    let gap = light - dark;
    Some(Levels { dark, light, noise: (1.48 * median(&away)).clamp(0.1 * gap, 0.25 * gap).max(2.0) })
}

struct Around<'a> {
    greys: &'a [f32],
    labels: &'a [Option<bool>],
    columns: usize,
    rows: usize,
    whole: Levels,
}

impl Around<'_> {
    /// The levels around a place: those of the whole in the light that explains the most there, and a little beside.
    fn levels(&self, x: usize, y: usize) -> Levels {
        let mut seen: Vec<(f32, f32, Option<bool>)> = Vec::new();
        for row in y.saturating_sub(REACH)..(y + REACH + 1).min(self.rows) {
            for column in x.saturating_sub(REACH)..(x + REACH + 1).min(self.columns) {
                let (dx, dy) = (column as f32 - x as f32, row as f32 - y as f32);
                let weight = (-(dx * dx + dy * dy) / (2.0 * SPREAD * SPREAD)).exp();
                let i = row * self.columns + column;
                seen.push((self.greys[i], weight, self.labels[i]));
            }
        }
        let reversed = self.whole.light <= 0.0;
        let mut best = (f32::NEG_INFINITY, self.whole);
        for step in SHADES {
            let start = self.whole.shaded(SHADE.powi(step), reversed);
            let levels = fitted(&seen, start);
            let explained = explained(&seen, &levels) - STIFF * step.abs() as f32;
            if explained > best.0 {
                best = (explained, levels);
            }
        }
        best.1
    }
}

/// Levels near `start` that fit modules by their grey level, weight and what is known of them.
fn fitted(seen: &[(f32, f32, Option<bool>)], start: Levels) -> Levels {
    let mut levels = start;
    for _ in 0..ROUNDS {
        let (mut dark, mut light) = ((HOLD * start.dark, HOLD), (HOLD * start.light, HOLD));
        for (grey, weight, label) in seen {
            let d = levels.densities(*grey);
            let (is_dark, is_light) = allowed(&d, *label);
            let all = (is_dark + is_light + d.foreign).max(1e-20);
            let (to_dark, to_light) = (weight * is_dark / all, weight * is_light / all);
            dark = (dark.0 + to_dark * grey, dark.1 + to_dark);
            light = (light.0 + to_light * grey, light.1 + to_light);
        }
        levels = Levels { dark: dark.0 / dark.1, light: light.0 / light.1, ..levels };
    }
    levels
}

fn explained(seen: &[(f32, f32, Option<bool>)], levels: &Levels) -> f32 {
    let one = |(grey, weight, label): &(f32, f32, Option<bool>)| {
        let d = levels.densities(*grey);
        let (is_dark, is_light) = allowed(&d, *label);
        weight * (is_dark + is_light + d.foreign).max(1e-20).ln()
    };
    seen.iter().map(one).sum()
}

/// The densities of the two tones, as far as they may be.
fn allowed(d: &Densities, label: Option<bool>) -> (f32, f32) {
    match label {
        Some(true) => (2.0 * d.dark, 0.0),
        Some(false) => (0.0, 2.0 * d.light),
        None => (d.dark, d.light),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 36;

    fn dark(x: usize, y: usize) -> bool {
        let mixed = |n: u64| (n ^ (n >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed(mixed((x + 41 * y + 7) as u64) ^ 0x5DEE_CE66) >> 40 & 1 == 1
    }

    fn edges(x: usize, y: usize) -> Option<bool> {
        (x < 2 || y < 2 || x == SIDE - 1 || y == SIDE - 1).then(|| dark(x, y))
    }

    fn greys(light: impl Fn(usize, usize, f32) -> f32) -> Vec<f32> {
        (0..SIDE * SIDE)
            .map(|i| (i % SIDE, i / SIDE))
            .map(|(x, y)| light(x, y, if dark(x, y) { 70.0 } else { 120.0 }))
            .collect()
    }

    fn drop(x: usize, y: usize) -> bool {
        let (x, y) = (x as f32 - 18.0, y as f32 - 15.0);
        x * x + y * y < 30.0
    }

    #[test]
    fn a_drop_of_ink_says_nothing_and_spoils_nothing_around_it() {
        for ink in [250.0, 5.0] {
            let seen = greys(|x, y, grey| if drop(x, y) { ink } else { grey });
            for reversed in [false, true] {
                let sign = if reversed { -1.0 } else { 1.0 };
                let given: Vec<f32> = seen.iter().map(|grey| sign * grey).collect();
                let known = |x: usize, y: usize| edges(x, y).map(|dark| dark != reversed);
                let llr = uncovered(&given, &[], SIDE, &known).unwrap();
                for (i, llr) in llr.iter().enumerate() {
                    let (x, y) = (i % SIDE, i / SIDE);
                    if drop(x, y) {
                        assert!(llr.abs() < 0.5, "{ink}: {x}, {y}: {llr}");
                    } else {
                        assert!((*llr > 0.1) == (dark(x, y) != reversed), "{ink}: {x}, {y}: {llr}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_uneven_inside_is_doubted_with_what_is_beside_it() {
        let seen = greys(|_, _, grey| grey);
        let spreads: Vec<f32> = (0..SIDE * SIDE).map(|i| if drop(i % SIDE, i / SIDE) { 30.0 } else { 4.0 }).collect();
        let llr = uncovered(&seen, &spreads, SIDE, &edges).unwrap();
        assert!(llr.iter().enumerate().all(|(i, llr)| llr.abs() < 0.2 || !drop(i % SIDE, i / SIDE)));
        assert!(llr[3].abs() > 2.0);
    }

    #[test]
    fn a_film_over_a_part_is_seen_through() {
        let seen = greys(|x, y, grey| if drop(x, y) { 0.55 * grey } else { grey });
        let llr = uncovered(&seen, &[], SIDE, &edges).unwrap();
        let wrong = llr.iter().enumerate().filter(|(i, llr)| (**llr > 0.0) != dark(i % SIDE, i / SIDE)).count();
        assert!(wrong < 24, "{wrong}");
    }

    #[test]
    fn any_levels_are_answered() {
        for value in [0.0, 7.0, f32::NAN, f32::INFINITY, -1e30] {
            for (count, columns) in [(0, 0), (1, 1), (9, 3), (100, 10), (101, 10)] {
                assert!(uncovered(&vec![value; count], &vec![value; count], columns, &edges).is_none());
            }
        }
        let wild: Vec<f32> = (0..900).map(|i| if i % 7 == 0 { f32::NAN } else { (i * i % 313) as f32 }).collect();
        let _ = uncovered(&wild, &wild, 30, &|x, y| Some((x + y) % 3 == 0));
    }
}
