//! Grey levels of modules to likelihoods by the modules next to them: soot, flux and wear dim what they cover by a factor
//! that changes within a few modules, so that any wider window mixes what stands in different lights. The dark and the
//! light level at a module are means over its neighbours, weighed by what each was judged to be; weighing and judging go
//! on in turn, as the expectation maximisation of a mixture of two does. It works on the logarithm of the grey level, in
//! which a factor is a shift.

use super::equalise::contrasts;
use super::likelihood::CLIP;

/// Added to grey levels before their logarithm is taken: below it, black is noise.
const BLACK: f32 = 4.0;
/// Turns of weighing and judging.
const ROUNDS: usize = 6;
/// Standard deviations, in modules, of the weights of neighbours: for the levels, for the noise, and for the levels where
/// no near one has that tone, which count by this share.
const NEAR: f32 = 0.8;
const NOISE: f32 = 1.5;
const FAR: f32 = 2.0;
const SHARE_OF_FAR: f32 = 0.02;
/// Variance that is added everywhere, as a share of the mean one.
const COMMON_NOISE: f32 = 0.15;
/// Steepness of the first judgement, of tones in standard deviations of the nine around.
const FIRST: f32 = 2.0;
/// Standard deviation of tones that is none.
const LEAST_SPREAD: f32 = 1e-3;

/// Log-likelihood ratio of each module, positive for dark, from grey levels row by row (negated where light modules mean
/// dark), as [`super::likelihood::likelihoods`]. `known` says of a module, by column and row, that it is always dark, or
/// always light.
pub(crate) fn by_nearest(greys: &[f32], columns: usize, known: &dyn Fn(usize, usize) -> Option<bool>) -> Vec<f32> {
    let rows = greys.len() / columns.max(1);
    if greys.is_empty() || rows * columns != greys.len() {
        return vec![0.0; greys.len()];
    }
    let tones: Vec<f32> = greys.iter().map(|grey| (grey.abs() + BLACK).ln().copysign(*grey)).collect();
    let surely: Vec<Option<f32>> =
        (0..greys.len()).map(|i| known(i % columns, i / columns).map(|dark| if dark { 0.0 } else { 1.0 })).collect();
    let (near, far, noise) = (Weights::new(NEAR, columns), Weights::new(FAR, columns), Weights::new(NOISE, columns));
    let (of_near, of_far) = (near.mean(&tones), far.mean(&tones));
    let mut llr = contrasts(&tones, columns, 1, LEAST_SPREAD);
    llr.iter_mut().for_each(|llr| *llr = bounded(FIRST * *llr));
    for _ in 0..ROUNDS {
        // The probability that it is light.
        let light: Vec<f32> =
            llr.iter().zip(&surely).map(|(llr, surely)| surely.unwrap_or_else(|| 1.0 / (1.0 + llr.exp()))).collect();
        let lit: Vec<f32> = light.iter().zip(&tones).map(|(light, tone)| light * tone).collect();
        let (share, shares) = (near.mean(&light), far.mean(&light));
        let (sum, sums) = (near.mean(&lit), far.mean(&lit));
        let level = |sum: f32, share: f32, sums: f32, shares: f32| {
            (sum + SHARE_OF_FAR * sums / (shares + 1e-3)) / (share + SHARE_OF_FAR)
        };
        let levels: Vec<(f32, f32)> = (0..greys.len())
            .map(|i| {
                let dark = level(of_near[i] - sum[i], 1.0 - share[i], of_far[i] - sums[i], 1.0 - shares[i]);
                (dark, level(sum[i], share[i], sums[i], shares[i]))
            })
            .collect();
        let away: Vec<f32> = (0..greys.len())
            .map(|i| {
                let ((dark, bright), tone) = (levels[i], tones[i]);
                light[i] * (tone - bright).powi(2) + (1.0 - light[i]) * (tone - dark).powi(2)
            })
            .collect();
        let common = COMMON_NOISE * away.iter().sum::<f32>() / away.len() as f32;
        let variance = noise.mean(&away);
        for (i, llr) in llr.iter_mut().enumerate() {
            let ((dark, bright), tone) = (levels[i], tones[i]);
            let gain = (tone - bright).powi(2) - (tone - dark).powi(2);
            *llr = bounded(0.5 * gain / (variance[i] + common).max(1e-9));
        }
    }
    llr
}

/// A likelihood ratio as far as it is believed; none of what is no number.
fn bounded(llr: f32) -> f32 {
    if llr.is_nan() { 0.0 } else { llr.clamp(-CLIP, CLIP) }
}

/// The weights of a Gaussian of neighbours along an axis.
struct Weights {
    columns: usize,
    /// From the middle outwards.
    half: Vec<f32>,
}

impl Weights {
    /// Of this standard deviation, in modules, out to three of them.
    fn new(deviation: f32, columns: usize) -> Self {
        let weight = |away: usize| (-0.5 * (away as f32 / deviation).powi(2)).exp();
        let mut half: Vec<f32> = (0..=(3.0 * deviation).ceil() as usize).map(weight).collect();
        let sum = 2.0 * half.iter().sum::<f32>() - 1.0;
        half.iter_mut().for_each(|weight| *weight /= sum);
        Self { columns, half }
    }

    /// The weighed mean around each place; beyond the border it goes on as at the border.
    fn mean(&self, values: &[f32]) -> Vec<f32> {
        let (columns, rows) = (self.columns, values.len() / self.columns);
        let across: Vec<f32> = (0..values.len())
            .map(|i| {
                let (x, line) = (i % columns, i / columns * columns);
                self.along(
                    |away| values[line + x.saturating_sub(away)],
                    |away| values[line + (x + away).min(columns - 1)],
                )
            })
            .collect();
        (0..values.len())
            .map(|i| {
                let (x, y) = (i % columns, i / columns);
                self.along(
                    |away| across[y.saturating_sub(away) * columns + x],
                    |away| across[(y + away).min(rows - 1) * columns + x],
                )
            })
            .collect()
    }

    fn along(&self, before: impl Fn(usize) -> f32, after: impl Fn(usize) -> f32) -> f32 {
        let pairs = self.half.iter().enumerate().skip(1);
        self.half[0] * before(0) + pairs.map(|(away, weight)| weight * (before(away) + after(away))).sum::<f32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 24;

    /// Modules like noise, and their grey levels where a stain in the middle dims everything to a tenth.
    fn stained() -> (Vec<bool>, Vec<f32>) {
        let dark: Vec<bool> = (0..SIDE * SIDE).map(|i| ((i * 2_654_435_761) >> 7).is_multiple_of(2)).collect();
        let greys = dark.iter().enumerate().map(|(i, dark)| {
            let (x, y) = ((i % SIDE) as f32 - 11.5, (i / SIDE) as f32 - 11.5);
            let dimmed = 1.0 - 0.9 * (-(x * x + y * y) / 30.0).exp();
            if *dark { 90.0 * dimmed } else { 200.0 * dimmed }
        });
        (dark.clone(), greys.collect())
    }

    fn wrong(dark: &[bool], llr: &[f32]) -> usize {
        dark.iter().zip(llr).filter(|(dark, llr)| **dark != (**llr > 0.0)).count()
    }

    #[test]
    fn what_is_dimmed_to_a_tenth_within_a_few_modules_is_read() {
        let (dark, greys) = stained();
        let wide = wrong(&dark, &super::super::likelihood::likelihoods(&greys, SIDE));
        assert_eq!(wrong(&dark, &by_nearest(&greys, SIDE, &|_, _| None)), 0, "{wide} wrong by wider windows");
        assert!(wide > 20, "the test is too easy: {wide}");
    }

    #[test]
    fn light_on_dark_is_the_same_turned_over() {
        let (dark, greys) = stained();
        let reversed: Vec<f32> = greys.iter().map(|grey| -grey).collect();
        let light: Vec<bool> = dark.iter().map(|dark| !dark).collect();
        assert_eq!(wrong(&light, &by_nearest(&reversed, SIDE, &|_, _| None)), 0);
    }

    #[test]
    fn any_levels_are_answered() {
        for greys in
            [vec![], vec![7.0], vec![0.0; 100], vec![f32::NAN; 100], vec![f32::INFINITY; 100], vec![-1e38; 100]]
        {
            let llr = by_nearest(&greys, 10, &|_, _| None);
            assert!(llr.len() == greys.len() && llr.iter().all(|llr| llr.abs() <= CLIP));
        }
    }
}
