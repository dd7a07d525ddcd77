//! Fixed pattern damage: finder, timing and alignment patterns and the quiet zone, segment by segment
//! (ISO/IEC 16022, annex M; ISO/IEC 18004, annex G).

use super::margin::Margins;
use super::scale::{Grade, thresholds};
use touchmark_formats::symbol::Symbology;
use touchmark_formats::symbol::anatomy::Anatomy;
use touchmark_formats::symbol::datamatrix::sizes::Size;
use touchmark_formats::symbol::qr::tables::Version;

/// A module, those of the quiet zone counting from -1 or from the number of columns or rows, and whether it should be
/// dark in the ordinary form.
type Place = (i32, i32, bool);

/// The grade of all fixed patterns: the worst segment's, or that of their mean if it is lower.
pub(super) struct FixedPatterns {
    /// The lowest grade of a segment.
    pub(super) damage: Grade,
    /// The mean of the segments' grades, 0 to 4.
    pub(super) mean: f32,
}

/// Grades what is known of a symbol, whatever it carries.
pub(super) fn fixed_patterns(symbology: Symbology, anatomy: &Anatomy, margins: &Margins<'_>) -> FixedPatterns {
    let segments = match symbology {
        Symbology::DataMatrix => Size::of(anatomy.rows, anatomy.columns).map(|size| datamatrix(size, margins)),
        Symbology::QrCode | Symbology::MicroQrCode => Version::of_side(anatomy.columns).map(|v| qr(v, margins)),
    };
    let segments = segments.unwrap_or_default();
    let damage = segments.iter().copied().min().unwrap_or(Grade::F);
    let mean = segments.iter().map(|grade| f32::from(grade.number())).sum::<f32>() / segments.len().max(1) as f32;
    FixedPatterns { damage, mean }
}

/// The best, over all grades of modulation, of the lower of that grade and the one that a segment has if every module
/// below it counts as damaged (ISO/IEC 15415, grade overlay).
fn overlay(notional: impl Fn(Grade) -> Grade) -> Grade {
    Grade::ALL.into_iter().map(|level| level.min(notional(level))).max().unwrap_or(Grade::F)
}

fn damaged(margins: &Margins<'_>, place: &Place, level: Grade) -> bool {
    let (x, y, dark) = *place;
    margins.of(x, y, dark) < level
}

fn share(margins: &Margins<'_>, places: &[Place], level: Grade) -> f32 {
    let count = places.iter().filter(|place| damaged(margins, place, level)).count();
    count as f32 / places.len().max(1) as f32
}

fn by_share(margins: &Margins<'_>, places: &[Place], most: [f32; 4]) -> Grade {
    overlay(|level| Grade::at_most(share(margins, places, level), most))
}

/// Fails where more than two of five neighbours are damaged.
fn regular(margins: &Margins<'_>, places: &[Place], level: Grade) -> Grade {
    let many = |window: &[Place]| window.iter().filter(|place| damaged(margins, place, level)).count() > MOST_OF_FIVE;
    if places.windows(5).any(many) { Grade::F } else { Grade::A }
}

const MOST_OF_FIVE: usize = 2;

/// Both solid borders, the quiet zone beside them, and every timing pattern with the area beside it.
fn datamatrix(size: &Size, margins: &Margins<'_>) -> Vec<Grade> {
    let (rows, columns) = (size.rows as i32, size.columns as i32);
    let mut segments: Vec<Grade> = Vec::new();
    let mut solid = |places: Vec<Place>| segments.push(by_share(margins, &places, thresholds::SOLID));
    solid((0..rows).map(|y| (0, y, true)).collect());
    solid((0..columns).map(|x| (x, rows - 1, true)).collect());
    solid((0..=rows).map(|y| (-1, y, false)).collect());
    solid((-1..columns).map(|x| (x, rows, false)).collect());
    let (height, width) = (size.region_rows() as i32, size.region_columns() as i32);
    for top in (0..rows).step_by(height.max(1) as usize) {
        for left in (0..columns).step_by(width.max(1) as usize) {
            let (bottom, right) = (top + height - 1, left + width - 1);
            if left > 0 {
                solid((top..=bottom).map(|y| (left, y, true)).collect());
            }
            if bottom < rows - 1 {
                solid((left..=right).map(|x| (x, bottom, true)).collect());
            }
        }
    }
    for top in (0..rows).step_by(height.max(1) as usize) {
        for left in (0..columns).step_by(width.max(1) as usize) {
            let (bottom, right) = (top + height - 1, left + width - 1);
            // Above the upper regions and right of the outer ones lies the quiet zone, else the border of the next one.
            let upper: Vec<Place> = (left..=right).map(|x| (x, top, (x - left) % 2 == 0)).collect();
            let above: Vec<Place> = (left..=right).map(|x| (x, top - 1, top > 0)).collect();
            segments.push(clock(margins, &upper, &above));
            let side: Vec<Place> = (top..=bottom).map(|y| (right, y, (y - top) % 2 == 1)).collect();
            let beside: Vec<Place> = (top..=bottom).map(|y| (right + 1, y, right + 1 < columns)).collect();
            segments.push(clock(margins, &side, &beside));
        }
    }
    segments
}

/// A timing pattern and the area of one colour beside it.
fn clock(margins: &Margins<'_>, track: &[Place], area: &[Place]) -> Grade {
    overlay(|level| {
        let seen = |place: &Place| place.2 != damaged(margins, place, level);
        let transitions = |places: &[Place]| places.windows(2).filter(|w| seen(&w[0]) != seen(&w[1])).count() as f32;
        let ratio = (transitions(area) - 1.0).max(0.0) / transitions(track).max(1.0);
        let parts = [
            Grade::at_most(ratio, thresholds::TRANSITIONS),
            Grade::at_most(share(margins, track, level), thresholds::CLOCK),
            Grade::at_most(share(margins, area, level), thresholds::CLOCK),
            regular(margins, track, level),
        ];
        parts.into_iter().min().unwrap_or(Grade::F)
    })
}

/// Modules of the quiet zone beside a finder pattern that belong to its segment.
const BESIDE: i32 = 2;

/// The finder patterns with separator and the quiet zone beside them, the timing patterns, the alignment patterns.
fn qr(version: Version, margins: &Margins<'_>) -> Vec<Grade> {
    let side = version.side() as i32;
    let inside = |v: i32| (0..side).contains(&v);
    let place = |x: i32, y: i32| {
        let known = if inside(x) && inside(y) { version.known(x as usize, y as usize)? } else { false };
        Some((x, y, known))
    };
    let finder = |left: i32, top: i32| {
        // Eight modules with the separator, towards the middle; the quiet zone on the other sides.
        let span = |at: i32| if at == 0 { -BESIDE..8 } else { side - 8..side + BESIDE };
        let places: Vec<Place> = span(top).flat_map(|y| span(left).filter_map(move |x| place(x, y))).collect();
        overlay(|level| {
            let count = places.iter().filter(|place| damaged(margins, place, level)).count();
            Grade::at_most(count as f32, thresholds::FINDER)
        })
    };
    let timing = |places: Vec<Place>| {
        overlay(|level| {
            let damage = Grade::at_most(share(margins, &places, level), thresholds::TIMING);
            damage.min(regular(margins, &places, level))
        })
    };
    let along = || 8..side - 8;
    let mut segments = vec![
        finder(0, 0),
        finder(1, 0),
        finder(0, 1),
        timing(along().filter_map(|x| place(x, 6)).collect()),
        timing(along().filter_map(|y| place(6, y)).collect()),
    ];
    let pattern = |(x, y): (usize, usize)| {
        let (x, y) = (x as i32, y as i32);
        (y - 2..=y + 2).flat_map(move |v| (x - 2..=x + 2).filter_map(move |u| place(u, v)))
    };
    let alignment: Vec<Place> = version.alignment_centres().flat_map(pattern).collect();
    if !alignment.is_empty() {
        segments.push(by_share(margins, &alignment, thresholds::ALIGNMENT));
    }
    segments
}
