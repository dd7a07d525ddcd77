//! What of a symbol is to be doubted: a module that is not of one tone is at the rim of a stain, a droplet, a stroke or a
//! groove, and where many modules side by side are of one tone something covers them, since data look random.

/// Unevenness, beside the usual one, that takes all certainty from a module.
const UNEVEN: f32 = 6.0;
/// What is left of it at least.
const LEAST: f32 = 0.05;
/// Contrast over nine modules, beside the usual one, below which they are taken for covered.
const FLAT: f32 = 0.5;

/// For each module, from 0 to 1, how little speaks against it by how uneven it is. `unevenness`: standard deviations of the
/// grey level within each module.
pub(super) fn evenness(unevenness: &[f32]) -> Vec<f32> {
    let usual = median(unevenness).max(0.5);
    unevenness.iter().map(|sd| (1.0 - sd / usual / UNEVEN).clamp(LEAST, 1.0)).collect()
}

/// For each module, from 0 to 1, how much the nine modules around it differ.
pub(super) fn liveliness(levels: &[f32], columns: usize) -> Vec<f32> {
    let rows = levels.len() / columns.max(1);
    let spread = |i: usize| {
        let (x, y) = (i % columns, i / columns);
        let (mut n, mut sum, mut squares) = (0.0f32, 0.0f32, 0.0f32);
        for row in y.saturating_sub(1)..(y + 2).min(rows) {
            for level in &levels[row * columns + x.saturating_sub(1)..row * columns + (x + 2).min(columns)] {
                (n, sum, squares) = (n + 1.0, sum + level, squares + level * level);
            }
        }
        (squares / n - (sum / n).powi(2)).max(0.0).sqrt()
    };
    let spreads: Vec<f32> = (0..levels.len()).map(spread).collect();
    let usual = median(&spreads).max(0.5);
    spreads.iter().map(|spread| (spread / usual / FLAT).min(1.0).powi(2)).collect()
}

fn median(values: &[f32]) -> f32 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rims_and_covers_are_doubted_and_nothing_else() {
        // A board of 12 by 12 modules with a drop over 5 by 5 of them.
        let covered = |i: usize| (3..8).contains(&(i % 12)) && (3..8).contains(&(i / 12));
        let level = |i: usize| if covered(i) { 90.0 } else { 60.0 + 80.0 * ((i % 12 * 5 + i / 12 * 3) % 2) as f32 };
        let lively = liveliness(&(0..144).map(level).collect::<Vec<f32>>(), 12);
        assert!(lively[12 * 5 + 5] < 0.1 && lively[12 * 10 + 10] > 0.9, "{lively:?}");
        let mut unevenness = vec![4.0; 144];
        unevenness[40] = 30.0;
        let even = evenness(&unevenness);
        assert!(even[40] < 0.1 && even[41] > 0.8);
        assert!(evenness(&[]).is_empty() && liveliness(&[], 0).is_empty());
    }
}
