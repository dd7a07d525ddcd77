//! Finder patterns: runs of 1:1:3:1:1 across, down and aslant (ISO/IEC 18004, clause 13).

use crate::read::geometry::Point;
use crate::read::tones::Bits;

/// What may be a finder pattern.
#[derive(Debug, Clone, Copy)]
pub(super) struct Finder {
    pub(super) centre: Point,
    /// Length of a module along rows and columns, in pixels.
    pub(super) module: f32,
    /// Rows that see it, more or less.
    pub(super) hits: f32,
}

/// The most finder patterns kept of a picture.
const MAX_FINDERS: usize = 200;

/// Every so many rows are looked at: the smallest patterns are some five pixels high.
const ROWS: usize = 2;

/// Every likely finder pattern, those seen by most rows for their size first.
pub(super) fn finders(bits: &Bits) -> Vec<Finder> {
    let mut found: Vec<Finder> = Vec::new();
    let mut changes: Vec<u32> = Vec::new();
    for y in (0..bits.height).step_by(ROWS) {
        bits.changes(y, &mut changes);
        for six in changes.windows(6).step_by(2) {
            // Most are told at a glance: the middle of a finder pattern is long.
            if 4 * (six[3] - six[2]) + 3 < six[5] - six[0] {
                continue;
            }
            let lengths: [usize; 5] = std::array::from_fn(|i| (six[i + 1] - six[i]) as usize);
            if like_finder(lengths, 0.7).is_some() {
                let x = (six[2] as usize + six[3] as usize) / 2;
                if let Some(finder) = confirm(bits, x, y) {
                    add(&mut found, finder);
                }
            }
        }
    }
    found.sort_by(|a, b| (b.hits / b.module).total_cmp(&(a.hits / a.module)));
    found.truncate(MAX_FINDERS);
    found
}

/// The length of a module where five runs look like 1:1:3:1:1.
fn like_finder(runs: [usize; 5], tolerance: f32) -> Option<f32> {
    let total: usize = runs.iter().sum();
    if total < 7 {
        return None;
    }
    let module = total as f32 / 7.0;
    // A pixel more or less is no matter at any size.
    let slack = module * tolerance + 0.35;
    let near = |run: usize, modules: f32, slack: f32| (run as f32 - module * modules).abs() <= slack;
    let [a, b, c, d, e] = runs;
    let fits = near(c, 3.0, slack * 1.8) && [a, b, d, e].into_iter().all(|run| run > 0 && near(run, 1.0, slack));
    fits.then_some(module)
}

/// The five runs through (x, y) along (dx, dy), and how far the middle of the middle one is ahead.
fn runs_through(bits: &Bits, x: usize, y: usize, dx: isize, dy: isize) -> Option<([usize; 5], f32)> {
    let dark = |steps: isize| {
        let (x, y) = (x.checked_add_signed(dx * steps)?, y.checked_add_signed(dy * steps)?);
        (x < bits.width && y < bits.height).then(|| bits.at(x, y))
    };
    let walk = |sign: isize| {
        let mut lengths = [0usize; 3];
        let mut steps = 0isize;
        for (part, length) in lengths.iter_mut().enumerate() {
            let colour = part != 1;
            while dark(sign * (steps + 1)) == Some(colour) {
                steps += 1;
                *length += 1;
                if *length > bits.width.max(bits.height) / 4 {
                    return None;
                }
            }
        }
        Some(lengths)
    };
    if dark(0) != Some(true) {
        return None;
    }
    let ([back, b, a], [ahead, d, e]) = (walk(-1)?, walk(1)?);
    Some(([a, b, back + ahead + 1, d, e], (ahead as f32 - back as f32) / 2.0))
}

fn confirm(bits: &Bits, x: usize, y: usize) -> Option<Finder> {
    let (down, ahead) = runs_through(bits, x, y, 0, 1)?;
    let vertical = like_finder(down, 0.8)?;
    let centre_y = y as f32 + ahead;
    let row = centre_y.round().max(0.0) as usize;
    let (across, ahead) = runs_through(bits, x, row, 1, 0)?;
    let horizontal = like_finder(across, 0.8)?;
    let centre_x = x as f32 + ahead;
    if horizontal > vertical * 3.0 || vertical > horizontal * 3.0 {
        return None;
    }
    let column = centre_x.round().max(0.0) as usize;
    let aslant = |dy| runs_through(bits, column, row, 1, dy).is_some_and(|(runs, _)| like_finder(runs, 1.0).is_some());
    if !aslant(1) && !aslant(-1) {
        return None;
    }
    let centre = Point::new(centre_x + 0.5, centre_y + 0.5);
    Some(Finder { centre, module: (horizontal + vertical) / 2.0, hits: ROWS as f32 })
}

fn add(found: &mut Vec<Finder>, finder: Finder) {
    let near = |known: &&mut Finder| {
        known.centre.distance(finder.centre) < known.module * 2.0
            && finder.module < known.module * 2.0
            && known.module < finder.module * 2.0
    };
    let room = found.len() < 12 * MAX_FINDERS;
    match found.iter_mut().find(near) {
        Some(known) => {
            let share = ROWS as f32 / (known.hits + ROWS as f32);
            known.centre.x += (finder.centre.x - known.centre.x) * share;
            known.centre.y += (finder.centre.y - known.centre.y) * share;
            known.module += (finder.module - known.module) * share;
            known.hits += ROWS as f32;
        }
        // Noise must not make this quadratic.
        None if room => found.push(finder),
        None => {}
    }
}

/// Three finder patterns that may be those of one symbol.
#[derive(Debug, Clone, Copy)]
pub(super) struct Triple {
    pub(super) top_left: Point,
    pub(super) top_right: Point,
    pub(super) bottom_left: Point,
    /// Modules between the centres, estimated from the size of the patterns: along the top and along the left.
    pub(super) modules: (f32, f32),
    pub(super) module: f32,
    penalty: f32,
}

impl Triple {
    /// Three places of which one is inferred, `modules` apart along both sides.
    pub(super) fn inferred(top_left: Point, top_right: Point, bottom_left: Point, modules: f32, module: f32) -> Self {
        Self { top_left, top_right, bottom_left, modules: (modules, modules), module, penalty: 0.0 }
    }
}

/// The most triples of a picture that are looked at.
const MAX_TRIPLES: usize = 2000;

/// The likeliest triples first.
pub(super) fn triples(finders: &[Finder]) -> Vec<Triple> {
    let mut out = Vec::new();
    for (i, a) in finders.iter().enumerate() {
        for (j, b) in finders.iter().enumerate().skip(i + 1) {
            if a.module > b.module * 2.2 || b.module > a.module * 2.2 {
                continue;
            }
            out.extend(finders.iter().skip(j + 1).filter_map(|c| triple([*a, *b, *c])));
        }
    }
    out.sort_by(|a, b| a.penalty.total_cmp(&b.penalty));
    out.truncate(MAX_TRIPLES);
    out
}

fn triple(three: [Finder; 3]) -> Option<Triple> {
    let largest = three.iter().map(|f| f.module).fold(0.0, f32::max);
    let smallest = three.iter().map(|f| f.module).fold(f32::INFINITY, f32::min);
    if largest > smallest * 2.2 {
        return None;
    }
    // The corner is opposite to the longest side.
    let across = |i: usize| three[(i + 1) % 3].centre.distance(three[(i + 2) % 3].centre);
    let corner = (0..3).max_by(|a, b| across(*a).total_cmp(&across(*b)))?;
    let (origin, one, two) = (three[corner], three[(corner + 1) % 3], three[(corner + 2) % 3]);
    let (ax, ay) = (one.centre.x - origin.centre.x, one.centre.y - origin.centre.y);
    let (bx, by) = (two.centre.x - origin.centre.x, two.centre.y - origin.centre.y);
    let (a, b) = (ax.hypot(ay), bx.hypot(by));
    let cosine = (ax * bx + ay * by) / (a * b);
    if a > b * 2.6 || b > a * 2.6 || cosine.abs() > 0.8 {
        return None;
    }
    // What a row or column crosses of a turned pattern is longer than its side.
    let side = |x: f32, y: f32, length: f32| x.abs().max(y.abs()) / length * (largest + smallest) / 2.0;
    let (modules_a, modules_b) = (a / side(ax, ay, a), b / side(bx, by, b));
    if !(9.0..240.0).contains(&modules_a) || !(9.0..240.0).contains(&modules_b) {
        return None;
    }
    let penalty = (a / b).ln().abs() + cosine.abs() + 1.5 * (largest / smallest).ln()
        // The middle of a finder pattern, three modules high, is seen by every row through it.
        - 0.4 * [origin, one, two].map(|f| (f.hits / (3.0 * f.module)).min(1.0)).iter().sum::<f32>()
        // Among many symbols the patterns of one stand closest.
        + 0.001 * (modules_a + modules_b);
    // Clockwise from the top right over the top left: the picture's y runs down.
    let turned = ax * by - ay * bx > 0.0;
    let ((right, right_modules), (below, below_modules)) =
        if turned { ((one, modules_a), (two, modules_b)) } else { ((two, modules_b), (one, modules_a)) };
    Some(Triple {
        top_left: origin.centre,
        top_right: right.centre,
        bottom_left: below.centre,
        modules: (right_modules, below_modules),
        module: (largest + smallest) / 2.0,
        penalty,
    })
}
