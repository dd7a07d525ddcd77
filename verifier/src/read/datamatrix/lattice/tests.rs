use super::*;
use crate::read::datamatrix::tests::{Drawing, PLAIN, draw, symbol};
use touchmark_formats::symbol::datamatrix::sizes::Size;

const MODULE: f32 = 5.0;
const TURN: f32 = 20.0;

/// A plane that shows a symbol of 40 by 40 modules, turned.
fn turned(drawing: Drawing) -> Plane {
    let (_, matrix) = symbol(Size::of(40, 40).unwrap());
    Plane::from_luma(&draw(&matrix, Drawing { module: MODULE, rotation: TURN, ..drawing })).unwrap()
}

/// The symbol's outer corners in that picture.
fn corners(plane: &Plane) -> [Point; 4] {
    let (sin, cos) = TURN.to_radians().sin_cos();
    let (x0, y0) = (plane.width as f32 / 2.0, plane.height as f32 / 2.0);
    [(-20.0, -20.0), (20.0, -20.0), (20.0, 20.0), (-20.0, 20.0)].map(|(x, y)| {
        let (x, y) = (MODULE * x, MODULE * y);
        Point::new(x0 + x * cos - y * sin, y0 + x * sin + y * cos)
    })
}

fn best_seed(relief: &Relief<'_>) -> Seed {
    *seeds(relief).first().expect("modules repeat")
}

#[test]
fn the_spectrum_shows_pitch_and_direction_of_squares_and_of_dots() {
    for dots in [false, true] {
        let plane = turned(Drawing { dots, ..PLAIN });
        let seed = best_seed(&Relief::of(&plane));
        let [f, g] = seed.frequencies;
        for wave in [f, g] {
            let pitch = 1.0 / wave.x.hypot(wave.y);
            assert!((pitch - MODULE).abs() < 0.25, "{pitch} pixels a module");
            let direction = wave.y.atan2(wave.x).to_degrees().rem_euclid(90.0);
            assert!((direction - TURN).abs() < 3.0, "{direction} degrees");
        }
        assert!((f.x * g.x + f.y * g.y).abs() < 0.1 * f.x.hypot(f.y) * g.x.hypot(g.y), "square to each other");
    }
}

#[test]
fn no_grid_grows_where_the_picture_is_plain_or_a_slope() {
    for slope in [0, 1] {
        let luma = Luma { width: 256, height: 256, data: (0..256 * 256).map(|i| (slope * (i % 256)) as u8).collect() };
        let plane = Plane::from_luma(&luma).unwrap();
        let relief = Relief::of(&plane);
        assert!(seeds(&relief).iter().all(|seed| grow::grown(&relief, seed).is_none()));
    }
}

#[test]
fn a_grid_grows_over_the_symbol_and_not_beyond_it() {
    let plane = turned(PLAIN);
    let relief = Relief::of(&plane);
    let seed = best_seed(&relief);
    let grid = grow::grown(&relief, &seed).expect("a grid");
    assert!(grid.holds(&seed));
    // 40 modules are ten steps.
    assert!((80..=150).contains(&grid.seen.len()), "{} places", grid.seen.len());
    let [top_left, top_right, ..] = corners(&plane);
    let (sin, cos) = TURN.to_radians().sin_cos();
    for (i, j) in &grid.seen {
        let at = |di: i32| grid.map.apply(Point::new((i * grow::PITCH + di) as f32, (j * grow::PITCH) as f32));
        let pitch = at(1).distance(at(0));
        assert!((pitch - MODULE).abs() < 0.1, "{pitch} pixels a module at {i}, {j}");
        // In modules from the symbol's own corner: all the same fraction of one.
        let (x, y) = (at(0).x - top_left.x, at(0).y - top_left.y);
        let (x, y) = ((x * cos + y * sin) / MODULE, (y * cos - x * sin) / MODULE);
        let off = |x: f32| (2.0 * x - (2.0 * x).round()).abs() / 2.0;
        assert!(off(x) < 0.12 && off(y) < 0.12, "{x}, {y} at {i}, {j}");
    }
    assert!(top_left.distance(top_right) > 199.0);
}

#[test]
fn the_frame_is_where_the_function_patterns_are_also_where_half_of_them_is_gone() {
    for reversed in [false, true] {
        let mut plane = turned(Drawing { reversed, ..PLAIN });
        let corners = corners(&plane);
        // The left half of the picture's middle band is painted over, and with it half of the left border.
        let (width, height) = (plane.width, plane.height);
        for y in height / 3..2 * height / 3 {
            plane.data[y * width..y * width + width / 3].fill(128);
        }
        let relief = Relief::of(&plane);
        let grid = grow::grown(&relief, &best_seed(&relief)).expect("a grid");
        let frames = frame::frames(&plane, &grid, 3);
        let first = frames.first().expect("a frame");
        assert_eq!((first.size.rows, first.size.columns, first.reversed), (40, 40, reversed));
        for (found, corner) in first.corners.iter().zip(corners) {
            assert!(found.distance(corner) < 0.4 * MODULE, "{found:?} and not {corner:?}");
        }
        assert!(frames.iter().skip(1).all(|other| other.significance < 0.9 * first.significance));
    }
}
