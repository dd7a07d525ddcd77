//! Each step of the easy look on its own, over drawn symbols of which every place is known.

use super::arm::{Ell, followed, scaled};
use super::{ells, frame, outline, runs, timing};
use crate::read::Luma;
use crate::read::datamatrix::corners::Corner;
use crate::read::datamatrix::plane::Plane;
use crate::read::datamatrix::tests::{Drawing, PLAIN, draw, symbol};
use crate::read::geometry::Point;
use crate::read::tones::Bits;
use touchmark_formats::symbol::datamatrix::sizes::{SIZES, Size};

/// The grey level between dark and light of [`draw`].
const MIDDLE: u8 = 130;

/// A drawn symbol, and where the ends of its arms and their corner are: lower left, lower right, upper left.
struct Scene {
    luma: Luma,
    bits: Bits,
    ends: [Point; 3],
    module: f32,
}

impl Scene {
    fn of(size: &Size, drawing: Drawing) -> Self {
        let (_, matrix) = symbol(size);
        let luma = draw(&matrix, drawing);
        let bits = Bits::of(luma.width, luma.data.iter().map(|level| (*level < MIDDLE) != drawing.reversed));
        let (sin, cos) = drawing.rotation.to_radians().sin_cos();
        let (w, h) = (matrix.width() as f32, matrix.height() as f32);
        let place = |x: f32, y: f32| {
            let (x, y) = (drawing.module * (x - w / 2.0), drawing.module * (y - h / 2.0));
            Point::new(x * cos - y * sin + luma.width as f32 / 2.0, x * sin + y * cos + luma.height as f32 / 2.0)
        };
        let ends = [place(0.0, h), place(w, h), place(0.0, 0.0)];
        Self { bits, ends, module: drawing.module, luma }
    }

    /// Whether a corner is the finder pattern's, to so many pixels at its origin and at the ends of its arms.
    fn is_finder(&self, corner: &Corner, origin: f32, end: f32) -> bool {
        let to = |way: Point| Point::new(corner.origin.x + way.x, corner.origin.y + way.y);
        let [own, right, up] = self.ends;
        corner.origin.distance(own) < origin
            && to(corner.right).distance(right) < end
            && to(corner.up).distance(up) < end
    }

    /// Whether a corner has its place and both its ways from the finder pattern, and at least half of each arm.
    fn is_seen(&self, corner: &Corner) -> bool {
        let [own, right, up] = self.ends;
        let along = |seen: Point, end: Point| {
            let arm = Point::new(end.x - own.x, end.y - own.y);
            let sine = (seen.x * arm.y - seen.y * arm.x) / (seen.length() * arm.length());
            sine.abs() < 0.06 && seen.x * arm.x + seen.y * arm.y > 0.5 * arm.length().powi(2)
        };
        corner.origin.distance(own) < 1.2 && along(corner.right, right) && along(corner.up, up)
    }

    fn corners(&self) -> Vec<Corner> {
        let mut corners = Vec::new();
        outline::outlines(&self.bits, &mut |line| runs::corners(line, false, &mut corners));
        corners
    }

    fn ell(&self) -> Ell {
        let found = ells(&self.bits, &self.bits, false).into_iter().find(|ell| self.is_finder(&ell.corner, 1.0, 2.0));
        found.unwrap()
    }
}

fn square(side: usize) -> &'static Size {
    SIZES.iter().find(|size| (size.rows, size.columns) == (side, side)).unwrap()
}

fn scenes() -> impl Iterator<Item = (Scene, &'static Size, Drawing)> {
    let turns = [0.0, 8.0, 31.0, 45.0, 77.0, 133.0, 180.0, 250.0, 302.0];
    let drawings =
        turns.into_iter().flat_map(|rotation| [3.0, 5.5, 9.0].map(|module| Drawing { rotation, module, ..PLAIN }));
    drawings.flat_map(|drawing| [12, 22, 26].map(|side| (Scene::of(square(side), drawing), square(side), drawing)))
}

#[test]
fn the_border_of_a_finder_pattern_has_its_corner_and_both_arms() {
    for (scene, size, drawing) in scenes() {
        let found = scene.corners().iter().any(|corner| scene.is_seen(corner));
        assert!(found, "{} modules of {} px, turned by {}", size.rows, drawing.module, drawing.rotation);
    }
}

#[test]
fn a_round_area_has_no_finder_pattern() {
    let inside = |i: usize| ((i % 120) as f32 - 60.0).hypot((i / 120) as f32 - 60.0) < 40.0;
    let bits = Bits::of(120, (0..120 * 120).map(inside));
    assert!(!ells(&bits, &bits, false).iter().any(|ell| ell.lively(&bits) || timing::begin(&bits, ell)));
}

#[test]
fn an_arm_that_was_seen_in_part_is_followed_to_its_end_and_is_a_module_thick() {
    for (scene, size, drawing) in scenes() {
        let whole = scene.corners().into_iter().find(|corner| scene.is_seen(corner)).unwrap();
        let part = |way: Point| scaled(way, 0.6);
        let ell = followed(&scene.bits, &Corner { right: part(whole.right), up: part(whole.up), ..whole }).unwrap();
        assert!(scene.is_finder(&ell.corner, 0.8, 1.6), "{} modules, turned by {}", size.rows, drawing.rotation);
        let near = |thick: f32| (thick / scene.module - 1.0).abs() < 0.3 + 0.5 / scene.module;
        assert!(near(ell.thick.0) && near(ell.thick.1), "{:?} of {}", ell.thick, scene.module);
        let [columns, rows] = ell.modules().unwrap();
        let count = size.rows as f32;
        assert!(columns.0 <= count && count <= columns.1 && rows.0 <= count && count <= rows.1, "{columns:?} {rows:?}");
        assert!(ell.lively(&scene.bits));
    }
}

#[test]
fn an_arm_that_is_not_there_is_not_followed() {
    let scene = Scene::of(square(22), PLAIN);
    let [origin, right, up] = scene.ends;
    // The far sides alternate, and so are no arms.
    let far = Point::new(right.x + up.x - origin.x, right.y + up.y - origin.y);
    let way = |to: Point| Point::new(to.x - far.x, to.y - far.y);
    let corner = Corner { origin: far, right: way(up), up: way(right), reversed: false };
    assert!(followed(&scene.bits, &corner).is_none());
}

#[test]
fn timing_patterns_begin_where_the_arms_end_and_not_on_a_solid_square() {
    for (scene, ..) in scenes() {
        assert!(timing::begin(&scene.bits, &scene.ell()));
    }
    let mut solid = Scene::of(square(22), PLAIN);
    let ell = solid.ell();
    let inside = |i: usize| (10..120).contains(&(i % solid.luma.width)) && (10..120).contains(&(i / solid.luma.width));
    solid.bits = Bits::of(solid.luma.width, (0..solid.luma.data.len()).map(inside));
    assert!(!timing::begin(&solid.bits, &ell) && !ell.lively(&solid.bits));
}

#[test]
fn the_far_sides_tell_the_size_and_the_fourth_corner() {
    for (scene, size, drawing) in scenes() {
        let plane = Plane::from_luma(&scene.luma).unwrap();
        let frames = frame::frames(&plane, &scene.ell());
        let best = frames.first().unwrap();
        assert_eq!((best.size.rows, best.size.columns), (size.rows, size.columns), "turned by {}", drawing.rotation);
        let [origin, right, up] = scene.ends;
        let fourth = Point::new(right.x + up.x - origin.x, right.y + up.y - origin.y);
        assert!(best.corners[1].distance(fourth) < 0.7 * scene.module, "{:?} and not {fourth:?}", best.corners[1]);
    }
}

#[test]
fn light_symbols_on_dark_are_seen_likewise() {
    for rotation in [0.0, 31.0] {
        let drawing = Drawing { reversed: true, rotation, ..PLAIN };
        let scene = Scene::of(square(16), drawing);
        let ell = ells(&scene.bits, &scene.bits, true)
            .into_iter()
            .find(|ell| scene.is_finder(&ell.corner, 1.0, 2.0))
            .unwrap();
        let frames = frame::frames(&Plane::from_luma(&scene.luma).unwrap(), &ell);
        let best = frames.first().unwrap();
        assert_eq!((best.size.rows, best.size.columns, best.reversed), (16, 16, true));
    }
}
