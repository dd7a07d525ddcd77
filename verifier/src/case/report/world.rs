//! The map: outlines of countries, and where a place is on it.

use super::svg::{Drawing, tenth};
use super::tip::Tip;
use super::words::{Language, say};
use crate::case::flows::Country;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What `world.py` made.
#[derive(Deserialize)]
struct World {
    width: f64,
    height: f64,
    paths: BTreeMap<String, String>,
    points: BTreeMap<String, [f64; 2]>,
}

/// The map with countries shaded by what was sold to there, circles where parts were made, arcs for what was sold from one
/// to the other, and a point for each place (degrees north and east) at which photos were taken, with how many.
pub(super) fn map(
    countries: &BTreeMap<String, Country>,
    routes: &BTreeMap<(String, String), u64>,
    places: &BTreeMap<(i32, i32), u64>,
    language: Language,
) -> Option<String> {
    if countries.is_empty() && places.is_empty() {
        return None;
    }
    // A file of this program, which a test reads.
    let world: World = serde_json::from_str(include_str!("world.json")).ok()?;
    let mut drawing = Drawing::default();
    let most = countries.values().map(|country| country.sold).max().unwrap_or(0);
    for (code, path) in &world.paths {
        let sold = countries.get(code).map_or(0, |country| country.sold);
        let class = format!("land shade{}", shade(sold, most));
        let tip = countries.get(code).map(|country| tip(code, country, language));
        drawing.shape("path", &[("class", &class), ("d", path)], tip.as_ref());
    }
    // What there is to see decides how near the map is drawn.
    let seated = countries.keys().filter_map(|code| world.points.get(code)).map(|[x, y]| (*x, *y));
    let place = |(north, east): (i32, i32)| project(f64::from(east) / 10.0, f64::from(north) / 10.0, world.width);
    let view = view(seated.chain(places.keys().map(|at| place(*at))), &world);
    let near = view[2] / world.width;
    for ((from, to), parts) in routes {
        if let (Some([x1, y1]), Some([x2, y2]), true) = (world.points.get(from), world.points.get(to), from != to) {
            // Bent to the left of the way, so that there and back do not cover each other.
            let (bx, by) = ((x1 + x2) / 2.0 + (y2 - y1) * 0.2, (y1 + y2) / 2.0 - (x2 - x1) * 0.2);
            let line = format!("M{x1} {y1}Q{} {} {x2} {y2}", tenth(bx), tenth(by));
            let wide = tenth((0.8 + (*parts as f64).log10()) * near).max(0.1);
            drawing.shape(
                "path",
                &[("class", &"route"), ("d", &line), ("stroke-width", &wide)],
                Some(&Tip::new(language).text(format!("{from} → {to}: {parts}"))),
            );
        }
    }
    for (code, country) in countries {
        let Some([x, y]) = world.points.get(code) else { continue };
        if country.made > 0 {
            let radius = tenth((4.0 + (country.made as f64).log10() * 2.0) * near);
            circle(&mut drawing, "made", *x, *y, radius, &tip(code, country, language));
        } else if !world.paths.contains_key(code) {
            circle(&mut drawing, "small", *x, *y, tenth(4.0 * near), &tip(code, country, language));
        }
    }
    for (at, photos) in places {
        let (x, y) = place(*at);
        let tip = Tip::new(language).word("found").text(format!(": {photos}"));
        circle(&mut drawing, "place", tenth(x), tenth(y), tenth((2.0 + (*photos as f64).log10()) * near), &tip);
    }
    Some(drawing.finish_view("map", view, say(language, "map")))
}

/// The part of the map that holds all these points with some room: a third of the world at least, in its proportions.
fn view(points: impl Iterator<Item = (f64, f64)>, world: &World) -> [f64; 4] {
    let start = (f64::MAX, f64::MAX, f64::MIN, f64::MIN);
    let (left, top, right, bottom) =
        points.fold(start, |(l, t, r, b), (x, y)| (l.min(x), t.min(y), r.max(x), b.max(y)));
    if left > right {
        return [0.0, 0.0, world.width, world.height];
    }
    let share = ((right - left) / world.width).max((bottom - top) / world.height);
    let share = (share * 1.3).clamp(1.0 / 3.0, 1.0);
    let (width, height) = (world.width * share, world.height * share);
    let x = ((left + right - width) / 2.0).clamp(0.0, world.width - width);
    let y = ((top + bottom - height) / 2.0).clamp(0.0, world.height - height);
    [x, y, width.round(), height.round()]
}

fn circle(drawing: &mut Drawing, class: &str, x: f64, y: f64, radius: f64, tip: &Tip) {
    drawing.shape("circle", &[("class", &class), ("cx", &x), ("cy", &y), ("r", &radius)], Some(tip));
}

fn tip(code: &str, country: &Country, language: Language) -> Tip {
    let numbers = [("made", country.made), ("sold", country.sold), ("passed", country.passed)];
    let known = numbers.into_iter().filter(|(_, n)| *n > 0).enumerate();
    known.fold(Tip::new(language).text(format!("{code}: ")), |tip, (at, (key, n))| {
        let tip = if at > 0 { tip.text(", ") } else { tip };
        tip.word(key).text(format!(" {n}"))
    })
}

/// 0 for none, 1 to 4 by the logarithm: one maker's main market does not make all others look alike.
fn shade(parts: u64, most: u64) -> u32 {
    if parts == 0 || most == 0 {
        return 0;
    }
    let of = ((parts as f64).ln_1p() / (most as f64).ln_1p() * 4.0).ceil();
    (of as u32).clamp(1, 4)
}

/// Equal Earth (Šavrič, Patterson, Jenny 2018), as in `world.py`: degrees to units of a map `width` wide.
fn project(east: f64, north: f64, width: f64) -> (f64, f64) {
    let flat = |east: f64, north: f64| {
        let [a1, a2, a3, a4] = [1.340_264, -0.081_106, 0.000_893, 0.003_796];
        let root3 = 3.0_f64.sqrt();
        let theta = (root3 / 2.0 * north.to_radians().sin()).asin();
        let (t2, t6) = (theta.powi(2), theta.powi(6));
        let x = 2.0 * root3 * east.to_radians() * theta.cos();
        (
            x / (3.0 * (9.0 * a4 * t6 * t2 + 7.0 * a3 * t6 + 3.0 * a2 * t2 + a1)),
            theta * (a4 * t6 * t2 + a3 * t6 + a2 * t2 + a1),
        )
    };
    let (right, top) = (flat(180.0, 0.0).0, flat(0.0, 84.0).1);
    let scale = width / (2.0 * right);
    let (x, y) = flat(east.clamp(-180.0, 180.0), north.clamp(-90.0, 90.0));
    ((x + right) * scale, (top - y) * scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_where_the_outlines_are() {
        let world: World = serde_json::from_str(include_str!("world.json")).unwrap();
        assert!(include_str!("world.json").len() < 60_000);
        assert!(world.paths.len() > 170 && world.points.len() > 200);
        assert!(world.paths.values().all(|path| path.chars().all(|c| c.is_ascii_digit() || "Mlz -".contains(c))));
        // Singapore, the port, lies where `world.py` put it; so does Malta.
        for (code, east, north) in [("SG", 103.85, 1.29), ("MT", 14.51, 35.90)] {
            let (x, y) = project(east, north, world.width);
            let [px, py] = world.points[code];
            assert!((x - px).hypot(y - py) < 1.5, "{code}: {x} {y}, {px} {py}");
        }
    }

    #[test]
    fn what_cannot_be_a_place_or_country_is_drawn_nowhere() {
        let mut countries = BTreeMap::new();
        countries.insert("\"><script>".to_owned(), Country { made: 1, sold: 2, passed: 0 });
        countries.insert("HK".to_owned(), Country { made: 0, sold: u64::MAX, passed: 0 });
        let routes = BTreeMap::from([(("\"><script>".to_owned(), "HK".to_owned()), 3)]);
        let places = BTreeMap::from([((i32::MAX, i32::MIN), 1)]);
        let drawn = map(&countries, &routes, &places, Language::En).unwrap();
        assert!(!drawn.contains("<script>") && !drawn.contains("NaN"), "{drawn}");
        assert!(drawn.contains("class=\"small\""), "Hong Kong is too small for an outline");
        assert_eq!(map(&BTreeMap::new(), &BTreeMap::new(), &BTreeMap::new(), Language::En), None);
    }

    #[test]
    fn the_map_shows_where_something_is() {
        let world: World = serde_json::from_str(include_str!("world.json")).unwrap();
        assert_eq!(view(std::iter::empty(), &world), [0.0, 0.0, world.width, world.height]);
        let near = view([(480.0, 60.0), (520.0, 80.0)].into_iter(), &world);
        assert!(near[0] < 480.0 && near[0] + near[2] > 520.0 && near[1] >= 0.0 && near[2] < 400.0, "{near:?}");
        let far = view([(0.0, 0.0), (1e9, -1e9)].into_iter(), &world);
        assert_eq!(far, [0.0, 0.0, world.width, world.height]);
    }

    #[test]
    fn shades_grow_with_the_number() {
        assert_eq!([0, 1, 10, 100, 1000].map(|n| shade(n, 1000)), [0, 1, 2, 3, 4]);
    }
}
