//! The layout itself, and SVG.

use super::super::layout::{Modules, Page, Rect};
use super::*;

fn rects(artwork: &Artwork) -> Vec<Rect> {
    match Page::single(artwork).drawings.remove(0).modules {
        Modules::Squares(rects) => rects,
        Modules::Dots { .. } => panic!("squares expected"),
    }
}

fn area(rects: &[Rect]) -> f64 {
    rects.iter().map(|rect| (rect.right - rect.left) * (rect.bottom - rect.top)).sum()
}

fn extent(rects: &[Rect]) -> (f64, f64, f64, f64) {
    let start = (f64::MAX, f64::MAX, f64::MIN, f64::MIN);
    rects
        .iter()
        .fold(start, |(l, t, r, b), rect| (l.min(rect.left), t.min(rect.top), r.max(rect.right), b.max(rect.bottom)))
}

/// The rectangles of the second path (the first is the background) of our own SVG: `M x y H x V y H x z` each.
fn svg_rects(svg: &str, path: usize) -> Vec<Rect> {
    let data = svg.split(" d=\"").nth(path + 1).unwrap().split('"').next().unwrap();
    let rect = |text: &str| {
        let numbers: Vec<f64> =
            text.split(['M', ' ', 'H', 'V']).filter(|n| !n.is_empty()).map(|n| n.parse().unwrap()).collect();
        let [left, top, right, bottom, back] = numbers[..] else { panic!("{text}") };
        assert_eq!(left, back);
        Rect { left, top, right, bottom }
    };
    data.split('z').filter(|part| !part.is_empty()).map(rect).collect()
}

fn attribute<'a>(svg: &'a str, name: &str) -> &'a str {
    svg.split(&format!(" {name}=\"")).nth(1).unwrap().split('"').next().unwrap()
}

#[test]
fn svg_has_its_size_in_millimetres() {
    let qr = qr();
    let svg = text(Format::Svg, &artwork(&qr, ArtworkOptions::default()));
    assert_eq!((attribute(&svg, "width"), attribute(&svg, "height")), ("4.5mm", "4.5mm"));
    assert_eq!(attribute(&svg, "viewBox"), "0 0 4.5 4.5");
    let modules = svg_rects(&svg, 1);
    assert_eq!(extent(&modules), (0.4, 0.4, 4.1, 4.1));
    assert_near(area(&modules), dark(&qr.matrix) as f64 * 0.01, 1e-9);
    assert_eq!(svg_rects(&svg, 0), [Rect { left: 0.0, top: 0.0, right: 4.5, bottom: 4.5 }]);
}

#[test]
fn svg_polarity_swaps_the_colours() {
    let fills = |polarity| {
        let svg = text(Format::Svg, &artwork(&qr(), ArtworkOptions { polarity, ..ArtworkOptions::default() }));
        svg.split("fill=\"").skip(1).map(|rest| rest[..4].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(fills(Polarity::DarkOnLight), ["#fff", "#000"]);
    assert_eq!(fills(Polarity::LightOnDark), ["#000", "#fff"]);
}

#[test]
fn svg_dots_are_circles_of_the_compensated_size() {
    let options =
        ArtworkOptions { shape: ModuleShape::Dot, dot_gain_mm: 0.01, module_mm: 0.1, ..ArtworkOptions::default() };
    let encoded = data_matrix();
    let svg = text(Format::Svg, &artwork(&encoded, options));
    let arcs = svg.matches("a0.04 0.04 0 1 0 0.08 0").count();
    assert_eq!(arcs, dark(&encoded.matrix));
    assert_eq!(svg.matches("a0.04 0.04 0 1 0 -0.08 0z").count(), arcs);
}

/// A point is drawn if everything within the dot gain of it is dark; with a negative gain, if anything is.
fn drawn_by_definition(artwork: &Artwork, x: f64, y: f64) -> bool {
    let (module, gain) = (artwork.options.module_mm, artwork.options.dot_gain_mm);
    let quiet = f64::from(artwork.quiet_zone);
    let dark = |x: f64, y: f64| {
        let (x, y) = ((x / module - quiet).floor(), (y / module - quiet).floor());
        x >= 0.0 && y >= 0.0 && artwork.matrix.is_dark(x as usize, y as usize)
    };
    let corners = [(-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0)];
    let mut around = corners.into_iter().map(|(dx, dy)| dark(x + dx * gain.abs(), y + dy * gain.abs()));
    if gain >= 0.0 { around.all(|dark| dark) } else { around.any(|dark| dark) }
}

proptest! {
    #[test]
    fn every_point_is_drawn_once_or_not_at_all(
        module_mm in 0.02_f64..10.0, gain in -0.24_f64..0.44, points in prop::collection::vec((0.0_f64..1.0, 0.0_f64..1.0), 200),
    ) {
        let options = ArtworkOptions { module_mm, dot_gain_mm: gain * module_mm, ..ArtworkOptions::default() };
        let artwork = artwork(&data_matrix(), options);
        let (width, height) = (50.0 * module_mm, 28.0 * module_mm);
        let rects = rects(&artwork);
        for (x, y) in points.into_iter().map(|(x, y)| (x * width, y * height)) {
            let inside = |r: &&Rect| r.left < x && x < r.right && r.top < y && y < r.bottom;
            let expected = usize::from(drawn_by_definition(&artwork, x, y));
            prop_assert_eq!(rects.iter().filter(inside).count(), expected, "at {} {}", x, y);
        }
    }

    #[test]
    fn without_dot_gain_the_area_is_that_of_the_modules(module_mm in 0.02_f64..10.0, quiet_zone in 0_u32..=20) {
        let encoded = qr();
        let options = ArtworkOptions { module_mm, quiet_zone: Some(quiet_zone), ..ArtworkOptions::default() };
        let artwork = artwork(&encoded, options);
        let expected = dark(&encoded.matrix) as f64 * module_mm * module_mm;
        prop_assert!((area(&rects(&artwork)) / expected - 1.0).abs() < 1e-9);
        let page = Page::single(&artwork);
        prop_assert!((page.width - (37.0 + 2.0 * f64::from(quiet_zone)) * module_mm).abs() < 1e-9);
    }

    #[test]
    fn text_keeps_clear_of_quiet_zone_and_frame(options in any_options()) {
        let quiet = f64::from(options.quiet_zone.unwrap_or(1)) * options.module_mm;
        let module_mm = options.module_mm;
        let page = Page::single(&artwork(&data_matrix(), ArtworkOptions { dot_gain_mm: 0.0, ..options.clone() }));
        let symbol = match &page.drawings[0].modules {
            Modules::Squares(rects) => extent(rects),
            Modules::Dots { centres, radius } => {
                let edge = |p: &(f64, f64)| Rect { left: p.0 - radius, top: p.1 - radius, right: p.0 + radius, bottom: p.1 + radius };
                extent(&centres.iter().map(edge).collect::<Vec<_>>())
            }
        };
        prop_assert!((symbol.2 - symbol.0 - 48.0 * module_mm).abs() < 1e-9);
        let pen = page.drawings[0].stroke_mm / 2.0;
        for (x, y) in page.drawings[0].text.iter().flatten() {
            prop_assert!(x - pen >= 0.0 && x + pen <= page.width && y - pen >= 0.0 && y + pen <= page.height);
            prop_assert!(x - pen > symbol.2 + quiet || y - pen > symbol.3 + quiet, "{:?}", (x, y));
        }
    }
}
