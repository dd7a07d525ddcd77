//! The layout itself, and SVG.

use super::super::area::Area;
use super::super::layout::{Modules, Page, Rect};
use super::*;

fn squares<'a>(page: &'a Page) -> &'a Area<'a> {
    match &page.drawings[0].modules {
        Modules::Squares(area) => area,
        Modules::Dots { .. } => panic!("squares expected"),
    }
}

fn rects(artwork: &Artwork) -> Vec<Rect> {
    squares(&Page::single(artwork)).rects()
}

fn covered(rects: &[Rect]) -> f64 {
    rects.iter().map(|rect| (rect.right - rect.left) * (rect.bottom - rect.top)).sum()
}

/// The outlines of a path of our own SVG: `M x y`, then `H x` and `V y` up to the closing `z`.
pub(super) fn svg_outlines(svg: &str, path: usize) -> Vec<Vec<(f64, f64)>> {
    let data = svg.split(" d=\"").nth(path + 1).unwrap().split('"').next().unwrap();
    let outline = |text: &str| {
        let mut corners: Vec<(f64, f64)> = Vec::new();
        for (start, command) in text.match_indices(['M', 'H', 'V']) {
            let rest = &text[start + 1..];
            let argument = rest.split(['M', 'H', 'V']).next().unwrap();
            let last = corners.last().copied();
            corners.push(match (command, argument.split_once(' '), last) {
                ("M", Some((x, y)), None) => (x.parse().unwrap(), y.parse().unwrap()),
                ("H", None, Some((_, y))) => (argument.parse().unwrap(), y),
                ("V", None, Some((x, _))) => (x, argument.parse().unwrap()),
                _ => panic!("{text}"),
            });
        }
        corners
    };
    data.split_terminator('z').map(outline).collect()
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
    let modules = svg_outlines(&svg, 1);
    assert_eq!(extent(&modules.concat()), (0.4, 0.4, 4.1, 4.1));
    assert_near(enclosed(&modules), dark(&qr.matrix) as f64 * 0.01, 1e-9);
    let frame = svg_outlines(&svg, 0).concat();
    assert_eq!((extent(&frame), frame.len()), ((0.0, 0.0, 4.5, 4.5), 4));
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

    /// Two ways to the same area, and outlines that turn at every corner.
    #[test]
    fn outlines_enclose_what_the_rectangles_cover(
        width in 1_usize..12, modules in prop::collection::vec(any::<bool>(), 12..144), gain in -0.24_f64..0.44,
    ) {
        let height = modules.len() / width;
        let matrix = Matrix::new(width, height, modules[..width * height].to_vec()).unwrap();
        let area = Area { matrix: std::borrow::Cow::Borrowed(&matrix), corner: (1.0, 2.0), module_mm: 1.0, dot_gain_mm: gain };
        let outlines = area.outlines();
        prop_assert!((enclosed(&outlines) - covered(&area.rects())).abs() < 1e-9);
        for corners in &outlines {
            prop_assert!(corners.len() >= 4 && corners.len() % 2 == 0);
            for (a, b) in corners.iter().zip(corners.iter().cycle().skip(1)) {
                prop_assert!((a.0 == b.0) != (a.1 == b.1), "{:?} {:?}", a, b);
            }
        }
    }

    #[test]
    fn without_dot_gain_the_area_is_that_of_the_modules(module_mm in 0.02_f64..10.0, quiet_zone in 0_u32..=20) {
        let encoded = qr();
        let options = ArtworkOptions { module_mm, quiet_zone: Some(quiet_zone), ..ArtworkOptions::default() };
        let artwork = artwork(&encoded, options);
        let expected = dark(&encoded.matrix) as f64 * module_mm * module_mm;
        prop_assert!((covered(&rects(&artwork)) / expected - 1.0).abs() < 1e-9);
        let page = Page::single(&artwork);
        prop_assert!((page.width - (37.0 + 2.0 * f64::from(quiet_zone)) * module_mm).abs() < 1e-9);
    }

    #[test]
    fn text_keeps_clear_of_quiet_zone_and_frame(options in any_options()) {
        let quiet = f64::from(options.quiet_zone.unwrap_or(1)) * options.module_mm;
        let module_mm = options.module_mm;
        let artwork = artwork(&data_matrix(), ArtworkOptions { dot_gain_mm: 0.0, ..options.clone() });
        let page = Page::single(&artwork);
        let symbol = match &page.drawings[0].modules {
            Modules::Squares(area) => extent(&area.outlines().concat()),
            Modules::Dots { centres, radius } => {
                let (left, top, right, bottom) = extent(centres);
                (left - radius, top - radius, right + radius, bottom + radius)
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
