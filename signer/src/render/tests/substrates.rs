//! Whole substrates: marks in their places.

use super::documents::groups;
use super::vectors::svg_outlines;
use super::*;

/// A mark of 5 x 4 mm with one dark module of a millimetre at its upper left, on a substrate of 40 x 20 mm.
fn placed(turn: Turn, shape: ModuleShape) -> Placed {
    let options = ArtworkOptions { module_mm: 1.0, quiet_zone: Some(1), shape, ..ArtworkOptions::default() };
    let matrix = Matrix::new(3, 2, vec![true, false, false, false, false, false]).unwrap();
    let artwork = Artwork::new(matrix, Symbology::DataMatrix, options).unwrap();
    assert_eq!(artwork.size_mm(), (5.0, 4.0));
    Placed { artwork, middle_mm: (10.0, 5.0), turn }
}

fn drawn(format: Format, placed: &Placed) -> Vec<u8> {
    let sheet = SheetOptions { dpi: 254.0, ..SheetOptions::default() };
    render_substrate(format, std::slice::from_ref(placed), (40.0, 20.0), &sheet).unwrap()
}

/// Where the middle of the dark module comes to lie, to the right and up from the lower left corner of the substrate.
const TURNS: [(Turn, (f64, f64)); 4] = [
    (Turn::None, (9.0, 5.5)),
    (Turn::Quarter, (9.5, 4.0)),
    (Turn::Half, (11.0, 4.5)),
    (Turn::ThreeQuarters, (10.5, 6.0)),
];

#[test]
fn dxf_has_the_lower_left_corner_of_the_substrate_as_origin() {
    for (turn, (x, y)) in TURNS {
        let dxf = String::from_utf8(drawn(Format::Dxf, &placed(turn, ModuleShape::Square))).unwrap();
        let groups = groups(&dxf);
        let vertices = groups.windows(4).filter(|window| window[0] == (0, "VERTEX"));
        let points: Vec<(f64, f64)> =
            vertices.map(|window| (window[2].1.parse().unwrap(), window[3].1.parse().unwrap())).collect();
        assert_eq!(extent(&points), (x - 0.5, y - 0.5, x + 0.5, y + 0.5), "{turn:?}");
        let dots = String::from_utf8(drawn(Format::Dxf, &placed(turn, ModuleShape::Dot))).unwrap();
        assert!(dots.contains(&format!("CIRCLE\n8\nMODULES\n10\n{x}\n20\n{y}\n")), "{turn:?}: {dots}");
    }
}

#[test]
fn svg_and_png_show_the_substrate_from_above() {
    for (turn, (x, y)) in TURNS {
        let mark = placed(turn, ModuleShape::Square);
        let svg = String::from_utf8(drawn(Format::Svg, &mark)).unwrap();
        assert!(svg.contains("width=\"40mm\" height=\"20mm\""), "{svg}");
        assert!(svg.contains("<rect fill=\"#000\" width=\"40\" height=\"20\"/>"), "{svg}");
        let down = 20.0 - y;
        assert_eq!(extent(&svg_outlines(&svg, 1).concat()), (x - 0.5, down - 0.5, x + 0.5, down + 0.5), "{turn:?}");
        let png = image::load_from_memory(&drawn(Format::Png, &mark)).unwrap().into_luma8();
        assert_eq!(png.dimensions(), (400, 200));
        let white = png.enumerate_pixels().filter(|(.., pixel)| pixel[0] > 0);
        let points: Vec<(f64, f64)> = white.map(|(px, py, _)| (f64::from(px), f64::from(py))).collect();
        let (left, top) = (10.0 * x - 5.0, 10.0 * down - 5.0);
        assert_eq!((points.len(), extent(&points)), (100, (left, top, left + 9.0, top + 9.0)), "{turn:?}");
    }
}

#[test]
fn a_turned_mark_is_the_mark_turned() {
    // With letters beside it, every format draws the same turned as its unturned picture turned.
    let options = ArtworkOptions { caption: caption(Place::Below), module_mm: 0.2, ..ArtworkOptions::default() };
    let artwork = artwork(&data_matrix(), options);
    let middle_mm = (15.0, 15.0);
    let picture = |turn| {
        let mark = Placed { artwork: artwork.clone(), middle_mm, turn };
        let sheet = SheetOptions { dpi: 508.0, ..SheetOptions::default() };
        let png = render_substrate(Format::Png, &[mark], (30.0, 30.0), &sheet).unwrap();
        image::load_from_memory(&png).unwrap().into_luma8()
    };
    let upright = picture(Turn::None);
    for (turn, expected) in [
        (Turn::Quarter, image::imageops::rotate270(&upright)),
        (Turn::Half, image::imageops::rotate180(&upright)),
        (Turn::ThreeQuarters, image::imageops::rotate90(&upright)),
    ] {
        let found = picture(turn);
        let other = found.pixels().zip(expected.pixels()).filter(|(a, b)| a != b).count();
        // Lines of letters that pass between two pixels go to either.
        assert!(other < upright.pixels().len() / 500, "{turn:?}: {other} pixels differ");
    }
}

#[test]
fn what_lies_beside_the_substrate_or_in_another_format_is_refused() {
    let draw = |format, middle_mm| {
        let mark = Placed { middle_mm, ..placed(Turn::None, ModuleShape::Square) };
        render_substrate(format, &[mark], (40.0, 20.0), &SheetOptions::default())
    };
    assert!(draw(Format::Svg, (2.5, 2.0)).is_ok());
    assert_eq!(draw(Format::Svg, (2.4, 2.0)), Err(RenderError::Outside { mm: (2.4, 2.0) }));
    assert_eq!(draw(Format::Dxf, (10.0, 18.1)), Err(RenderError::Outside { mm: (10.0, 18.1) }));
    for format in [Format::Pdf, Format::Zpl, Format::Matrix] {
        assert_eq!(draw(format, (10.0, 10.0)), Err(RenderError::NoSubstrate));
    }
}
