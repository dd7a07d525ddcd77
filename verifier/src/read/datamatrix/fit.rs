//! From a supposed L to a symbol: its size by the timing patterns, then its four corners by all function modules.

use super::corners::Corner;
use super::patch::{Patch, place};
use super::plane::Plane;
use crate::read::FINEST;
use crate::read::geometry::{Homography, Point};
use touchmark_formats::symbol::datamatrix::sizes::{SIZES, Size};

/// A size and four corners, the symbol's own top left, top right, bottom right, bottom left.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fit {
    pub(super) size: &'static Size,
    pub(super) corners: [Point; 4],
    /// Where the corners were supposed before they were refined.
    guessed: [Point; 4],
    pub(super) reversed: bool,
    /// How well the timing and alignment patterns alternate: 1 perfectly, 0 by chance.
    pub(super) score: f32,
}

impl Fit {
    /// Length of a module in pixels of the original, the mean over the four sides.
    pub(super) fn module(&self) -> f32 {
        let [tl, tr, br, bl] = self.corners;
        let across = (tl.distance(tr) + bl.distance(br)) / self.size.columns as f32;
        (across + (tl.distance(bl) + tr.distance(br)) / self.size.rows as f32) / 4.0
    }

    /// Whether the picture has pixels enough for its modules, on each side.
    fn shown(&self) -> bool {
        let [tl, tr, br, bl] = self.corners;
        let across = tl.distance(tr).min(bl.distance(br)) / self.size.columns as f32;
        across.min(tl.distance(bl).min(tr.distance(br)) / self.size.rows as f32) >= FINEST
    }

    /// The same with its corners elsewhere.
    pub(super) fn moved(&self, corners: [Point; 4]) -> Self {
        Self { corners, ..*self }
    }

    /// A size laid at corners, as they are.
    pub(super) fn laid(size: &'static Size, corners: [Point; 4], reversed: bool, plane: &Plane) -> Self {
        let fit = Self { size, corners, guessed: corners, reversed, score: 0.0 };
        let score = Model::of(plane, &fit).timing(&corners).unwrap_or(0.0);
        Self { score, ..fit }
    }

    /// Whether the timing patterns alternate so well, or over so many modules, that the fit must be near a symbol.
    pub(super) fn unsettled(&self) -> bool {
        let modules = (self.size.rows + self.size.columns) as f32;
        self.score > UNSETTLED.0 || self.score * modules.sqrt() > UNSETTLED.1
    }

    /// The same guess settled in wider steps: an edge that was seen beside the L may have put corners a module away.
    /// `None` where nothing better is found.
    pub(super) fn settled_anew(&self, pyramid: &[Plane]) -> Option<Self> {
        let mut fit = Self { corners: self.guessed, ..*self };
        let model = Model::of(fit.plane(pyramid)?, &fit);
        model.refine(&mut fit, &[1.0, 0.5, 0.25], &MIDDLE);
        model.refine(&mut fit, &[0.25, 0.125, 0.0625], &SPREAD);
        fit.score = model.timing(&fit.corners)?;
        (fit.score > self.score).then_some(fit)
    }

    /// The coarsest plane that still shows the modules well, else the finest.
    pub(super) fn plane<'a>(&self, pyramid: &'a [Plane]) -> Option<&'a Plane> {
        let module = self.module();
        pyramid.iter().rev().find(|plane| module / plane.scale >= SAMPLED_MODULE).or(pyramid.first())
    }
}

/// Alternation of the timing patterns, and its significance in standard deviations, above which a fit that does not
/// decode is settled anew.
const UNSETTLED: (f32, f32) = (0.7, 4.5);
/// Pixels a module that are enough for sampling.
const SAMPLED_MODULE: f32 = 4.0;
/// Alternation of the timing patterns, from 0 by chance to 1, below which a fit is not worth sampling.
pub(super) const MIN_TIMING: f32 = 0.35;
/// How many hypotheses are tried for each corner.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trial {
    /// Longest edges that are paired to corners.
    pub(super) edges: usize,
    /// Corners tried on each level of the pyramid.
    pub(super) corners: usize,
    /// Corners that are also tried for symbols of very many modules.
    pub(super) fine_corners: usize,
    /// Corners that are also tried with all sizes, by their borders alone.
    pub(super) whole_corners: usize,
    /// Most samples along an arm of the straightened neighbourhood.
    pub(super) arm: usize,
    /// Sizes that are refined.
    refined: usize,
    /// Share of the best size's significance below which a size is not refined.
    rival: f32,
    /// How much longer pitches are preferred: powers are divided by the frequency to this power.
    harmonics: i32,
    /// Share of the strongest pitch's power below which a pitch is not tried.
    weakest_pitch: f32,
    /// Alternation of one border, as a whole and near the corner, below which a size is given up.
    min_border: (f32, f32),
}

/// Enough for most symbols.
pub(super) const QUICK: Trial = Trial {
    edges: 500,
    corners: 28,
    fine_corners: 1,
    whole_corners: 0,
    arm: 112,
    refined: 3,
    rival: 0.6,
    harmonics: 1,
    weakest_pitch: 0.12,
    min_border: (0.25, 0.2),
};
/// For worn ones.
pub(super) const THOROUGH: Trial = Trial {
    edges: 500,
    corners: 20,
    fine_corners: 6,
    whole_corners: 12,
    arm: 144,
    refined: 5,
    rival: 0.4,
    harmonics: 0,
    weakest_pitch: 0.0,
    min_border: (-1.0, -1.0),
};

/// Significance of the timing patterns' alternation, in standard deviations, below which no size is refined.
const MIN_SIGNIFICANCE: f32 = 3.0;
/// Largest lean of the far borders against the near ones (perspective).
const LEAN: f32 = 0.09;
/// Largest stretch of the pitch against the mean one.
const STRETCH: f32 = 0.046;
/// Steps of lean and stretch, in modules at the far end.
const STEP: f32 = 0.7;

/// The best fits of sizes to a corner, most significant guess first; `fine` for symbols of very many modules.
pub(super) fn fits(pyramid: &[Plane], corner: &Corner, fine: bool, trial: &Trial) -> Vec<Fit> {
    let Some(patch) = Patch::of(pyramid, corner, fine, trial.arm) else { return Vec::new() };
    let mut best: Vec<Guess> = Vec::new();
    for guess in guesses(&patch, trial) {
        if best.len() == trial.refined
            || best.first().is_some_and(|first| guess.significance < trial.rival * first.significance)
        {
            break;
        }
        if !best.iter().any(|other| other.size == guess.size) {
            best.push(guess);
        }
    }
    best.iter().filter_map(|guess| guess.fit(pyramid, corner)).collect()
}

/// The best fits of all sizes to outer corners that somebody pointed at, in order around the symbol, clearest first.
pub(super) fn fits_at(pyramid: &[Plane], corners: &[Point; 4]) -> Vec<Fit> {
    let turns = (0..4).map(|turn| std::array::from_fn(|i| corners[(i + turn) % 4]));
    let ways = turns.flat_map(|turned: [Point; 4]| [(turned, false), (turned, true)]);
    settled(pyramid, ways, POINTED)
}

/// The best fits of all sizes to a corner whose arms were seen as a whole, by its borders alone: where the edges of
/// modules have no clear pitch.
pub(super) fn fits_whole(pyramid: &[Plane], corner: &Corner) -> Vec<Fit> {
    let corners = [(0.0, 1.0), (1.0, 1.0), (1.0, 0.0), (0.0, 0.0)].map(|(s, t)| place(corner, s, t));
    settled(pyramid, [(corners, corner.reversed)], WHOLE)
}

/// Every size laid at corners in a polarity; the `most` whose borders show best, moved until they fit.
fn settled(pyramid: &[Plane], ways: impl IntoIterator<Item = ([Point; 4], bool)>, most: usize) -> Vec<Fit> {
    let mut fits: Vec<Fit> = Vec::new();
    for (corners, reversed) in ways {
        for size in &SIZES {
            let mut fit = Fit { size, corners, guessed: corners, reversed, score: 0.0 };
            let Some(plane) = fit.plane(pyramid).filter(|_| fit.shown()) else { continue };
            let model = Model::of(plane, &fit);
            fit.score = model.border(&corners).unwrap_or(-1.0);
            fits.push(fit);
        }
    }
    fits.sort_by(|a, b| b.score.total_cmp(&a.score));
    fits.truncate(most);
    fits.into_iter().filter_map(|fit| fit.settled_anew(pyramid).or(Some(fit))).collect()
}

/// Sizes, turns and polarities that are fitted where somebody pointed.
const POINTED: usize = 12;
/// Sizes that are fitted to a corner as a whole.
const WHOLE: usize = 4;

/// A size laid into the patch.
struct Guess {
    size: &'static Size,
    width: f32,
    height: f32,
    /// Lean of the upper border (t grows by this for each s) and of the right border.
    leans: (f32, f32),
    significance: f32,
}

/// Sizes that the pitches allow and the timing patterns support, most significant first.
fn guesses(patch: &Patch, trial: &Trial) -> Vec<Guess> {
    let (across, along) = patch.pitches(trial.weakest_pitch, trial.harmonics);
    let extent = |modules: usize, pitch: f32| Some(modules as f32 * pitch).filter(|e| (0.8..1.28).contains(e));
    let mut found = Vec::new();
    for pitch_x in &across {
        for pitch_y in &along {
            for size in &SIZES {
                let sides = (extent(size.columns, *pitch_x), extent(size.rows, *pitch_y));
                if let (Some(width), Some(height)) = sides {
                    found.push(guess(patch, size, width, height, trial));
                }
            }
        }
    }
    found.retain(|guess| guess.significance > MIN_SIGNIFICANCE);
    found.sort_by(|a, b| b.significance.total_cmp(&a.significance));
    found
}

fn guess(patch: &Patch, size: &'static Size, width: f32, height: f32, trial: &Trial) -> Guess {
    let (first, stretches) = guess_once(patch, size, width, height, trial);
    if stretches == (0.0, 0.0) || first.significance < 0.5 * MIN_SIGNIFICANCE {
        return first;
    }
    let (second, _) = guess_once(patch, size, width * (1.0 + stretches.0), height * (1.0 + stretches.1), trial);
    if second.significance > first.significance { second } else { first }
}

/// A size laid into the patch with one width and height, and by how much its far borders look longer than that.
fn guess_once(patch: &Patch, size: &'static Size, width: f32, height: f32, trial: &Trial) -> (Guess, (f32, f32)) {
    let inset = |modules: usize, length: f32| length * (1.0 - 0.5 / modules as f32);
    let (top_inset, right_inset) = (inset(size.rows, height), inset(size.columns, width));
    let top = best_border(size.columns, width, trial, |along, lean| patch.at(along, top_inset + lean * along));
    if top.score < trial.min_border.0 {
        return (Guess { size, width, height, leans: (0.0, 0.0), significance: 0.0 }, (0.0, 0.0));
    }
    let right = best_border(size.rows, height, trial, |along, lean| patch.at(right_inset + lean * along, along));
    let (rows, columns) = (size.rows as f32, size.columns as f32);
    let score = (top.score * columns + right.score * rows) / (rows + columns);
    let significance = score.min(2.0 * top.score.min(right.score)) * (rows + columns).sqrt();
    (Guess { size, width, height, leans: (top.lean, right.lean), significance }, (top.stretch, right.stretch))
}

/// How a border of alternating modules lies.
struct Border {
    score: f32,
    lean: f32,
    stretch: f32,
}

/// The best alternation along a border over its leans and stretches.
fn best_border(modules: usize, length: f32, trial: &Trial, level: impl Fn(f32, f32) -> f32) -> Border {
    let mut best = Border { score: -1.0, lean: 0.0, stretch: 0.0 };
    let step = STEP / modules as f32;
    for lean in steps(LEAN, step) {
        for stretch in steps(STRETCH, step) {
            let pitch = length * (1.0 + stretch) / modules as f32;
            let score = alternation(modules, trial.min_border.1, |at| level(at * pitch, lean));
            if score > best.score {
                best = Border { score, lean, stretch };
            }
        }
    }
    best
}

/// Values from minus to plus the largest.
fn steps(largest: f32, step: f32) -> impl Iterator<Item = f32> {
    let count = (largest / step).round() as i32;
    (-count..=count).map(move |i| i as f32 * step)
}

/// How well the levels alternate from module to module, dark first; each module is seen at two places so that an odd
/// fraction of the true count does not pass.
fn alternation(modules: usize, early: f32, level: impl Fn(f32) -> f32) -> f32 {
    let levels = |i: usize| (level(i as f32 + 0.25), level(i as f32 + 0.75));
    let (mut before, mut here) = (levels(0), levels(1));
    let (mut sum, mut all) = (0.0, 1e-3);
    for i in 1..modules - 1 {
        let after = levels(i + 1);
        let sign = if i % 2 == 0 { -1.0 } else { 1.0 };
        let rise = [here.0 - 0.5 * (before.0 + after.0), here.1 - 0.5 * (before.1 + after.1)];
        sum += sign * (rise[0] + rise[1]);
        all += rise[0].abs() + rise[1].abs();
        // Lean and stretch hardly matter so near the corner: what does not alternate here never will.
        if i == EARLY && sum < early * all {
            break;
        }
        (before, here) = (here, after);
    }
    sum / all
}

/// Modules after which a border that does not alternate is given up.
const EARLY: usize = 6;

impl Guess {
    fn fit(&self, pyramid: &[Plane], corner: &Corner) -> Option<Fit> {
        let (w, h, (a, b)) = (self.width, self.height, self.leans);
        // The upper border runs through (0, h) with lean a, the right one through (w, 0) with lean b.
        let s = (w + b * h) / (1.0 - a * b);
        let corners =
            [place(corner, 0.0, h), place(corner, s, h + a * s), place(corner, w, 0.0), place(corner, 0.0, 0.0)];
        let mut fit = Fit { size: self.size, corners, guessed: corners, reversed: corner.reversed, score: 0.0 };
        let model = Model::of(fit.plane(pyramid)?, &fit);
        model.refine(&mut fit, &[0.5, 0.25], &MIDDLE);
        if model.timing(&fit.corners)? > MIN_TIMING {
            model.refine(&mut fit, &[0.25, 0.125, 0.0625], &SPREAD);
        }
        fit.score = model.timing(&fit.corners)?;
        Some(fit)
    }
}

/// Where a module is looked at: in its middle, or towards its corners, which tells whether it is hit in the middle.
const MIDDLE: [(f32, f32); 1] = [(0.0, 0.0)];
const SPREAD: [(f32, f32); 4] = [(-0.3, -0.3), (0.3, -0.3), (-0.3, 0.3), (0.3, 0.3)];

/// The function modules of a size, as lines of places to compare.
struct Model<'a> {
    plane: &'a Plane,
    sign: f32,
    size: &'static Size,
    /// Alternating lines: first place, step, count.
    lines: Vec<(Point, Point, usize)>,
    /// Middles of modules of the solid borders.
    solid: Vec<Point>,
}

impl<'a> Model<'a> {
    fn of(plane: &'a Plane, fit: &Fit) -> Self {
        let size = fit.size;
        let mut lines = Vec::new();
        for region in 0..size.regions_down {
            let y = (region * size.region_rows()) as f32 + 0.5;
            lines.push((Point::new(0.5, y), Point::new(1.0, 0.0), size.columns));
        }
        for region in 1..=size.regions_across {
            let x = (region * size.region_columns()) as f32 - 0.5;
            lines.push((Point::new(x, size.rows as f32 - 0.5), Point::new(0.0, -1.0), size.rows));
        }
        let left = (0..size.rows).map(|y| Point::new(0.5, y as f32 + 0.5));
        let bottom = (1..size.columns).map(|x| Point::new(x as f32 + 0.5, size.rows as f32 - 0.5));
        let sign = if fit.reversed { -1.0 } else { 1.0 };
        Self { plane, sign, size, lines, solid: left.chain(bottom).collect() }
    }

    fn map(&self, corners: &[Point; 4]) -> Option<Homography> {
        let (w, h) = (self.size.columns as f32, self.size.rows as f32);
        let square = [Point::new(0.0, 0.0), Point::new(w, 0.0), Point::new(w, h), Point::new(0.0, h)];
        Homography::from_points(square, *corners)
    }

    /// Mean level at offsets from the middle of a module.
    fn level(&self, map: &Homography, place: Point, offsets: &[(f32, f32)]) -> f32 {
        let at = |(x, y): &(f32, f32)| self.plane.at_original(map.apply(Point::new(place.x + x, place.y + y)));
        self.sign * offsets.iter().map(at).sum::<f32>() / offsets.len() as f32
    }

    /// Signed and absolute alternation of all timing and alignment lines.
    fn alternation(&self, map: &Homography, offsets: &[(f32, f32)]) -> (f32, f32) {
        let (mut sum, mut all) = (0.0, 1e-3);
        for (from, step, count) in &self.lines {
            let level =
                |i: usize| self.level(map, Point::new(from.x + i as f32 * step.x, from.y + i as f32 * step.y), offsets);
            let (mut before, mut here) = (level(0), level(1));
            for i in 1..count - 1 {
                let after = level(i + 1);
                let sign = if i % 2 == 0 { -1.0 } else { 1.0 };
                let rise = here - 0.5 * (before + after);
                sum += sign * rise;
                all += rise.abs();
                (before, here) = (here, after);
            }
        }
        (sum, all)
    }

    fn timing(&self, corners: &[Point; 4]) -> Option<f32> {
        let (sum, all) = self.alternation(&self.map(corners)?, &MIDDLE);
        Some(sum / all)
    }

    /// Alternation of the timing patterns and darkness of the solid borders together, -1 to 1.
    fn border(&self, corners: &[Point; 4]) -> Option<f32> {
        let map = self.map(corners)?;
        let (sum, all) = self.alternation(&map, &MIDDLE);
        let solid: f32 = self.solid.iter().map(|place| self.level(&map, *place, &MIDDLE)).sum::<f32>();
        let inner = self.solid.iter().map(|place| {
            let within = |v: f32, most: usize| v.clamp(1.5, most as f32 - 1.5);
            let beside = Point::new(within(place.x, self.size.columns), within(place.y, self.size.rows));
            self.level(&map, beside, &MIDDLE)
        });
        let contrast = (inner.sum::<f32>() - solid) / self.solid.len() as f32;
        Some(sum / all + (contrast / 40.0).clamp(-0.5, 0.5))
    }

    /// What refinement maximises: alternation, and dark borders with weight one half.
    fn objective(&self, corners: &[Point; 4], offsets: &[(f32, f32)]) -> f32 {
        let Some(map) = self.map(corners) else { return f32::NEG_INFINITY };
        let (sum, _) = self.alternation(&map, offsets);
        let solid: f32 = self.solid.iter().map(|place| self.level(&map, *place, offsets)).sum();
        sum - 0.5 * solid
    }

    /// Moves each corner along both sides of the symbol while that helps, in steps of these shares of a module.
    fn refine(&self, fit: &mut Fit, steps: &[f32], offsets: &[(f32, f32)]) {
        let [tl, tr, br, bl] = fit.corners;
        let module = |a: Point, b: Point, n: usize| Point::new((b.x - a.x) / n as f32, (b.y - a.y) / n as f32);
        let right =
            module(Point::new(tl.x + bl.x, tl.y + bl.y), Point::new(tr.x + br.x, tr.y + br.y), 2 * self.size.columns);
        let down =
            module(Point::new(tl.x + tr.x, tl.y + tr.y), Point::new(bl.x + br.x, bl.y + br.y), 2 * self.size.rows);
        let mut best = self.objective(&fit.corners, offsets);
        for step in steps {
            for _ in 0..6 {
                let before = best;
                for corner in 0..4 {
                    for way in [right, down] {
                        for sign in [*step, -step] {
                            let mut moved = fit.corners;
                            moved[corner].x += sign * way.x;
                            moved[corner].y += sign * way.y;
                            let objective = self.objective(&moved, offsets);
                            if objective > best {
                                (best, fit.corners) = (objective, moved);
                            }
                        }
                    }
                }
                if best <= before {
                    break;
                }
            }
        }
    }
}
