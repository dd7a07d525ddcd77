//! SVG and PDF as others draw them. Not run by default, as it needs their programs; run it with
//! `cargo test -p touchmark-signer -- --ignored`.

use super::*;
use image::GrayImage;
use std::path::Path;
use std::process::Command;

/// Ten pixels for a module of 0.1 mm.
const DPI: f64 = 2540.0;

fn drawn_by(command: &mut Command, picture: &Path) -> GrayImage {
    let status = command.status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
    image::open(picture).unwrap().into_luma8()
}

/// The picture has its size to a pixel, and every module has its colour: in its middle, and a square also in its four
/// quarters.
fn assert_drawn(drawn: &GrayImage, encoded: &Encoded, options: &ArtworkOptions, name: &str) {
    let quiet = default_quiet_zone(encoded.size.symbology) as usize;
    let side = |modules: usize| (modules + 2 * quiet) as f64 * 10.0;
    assert_near(f64::from(drawn.width()), side(encoded.size.columns), 1.0);
    assert_near(f64::from(drawn.height()), side(encoded.size.rows), 1.0);
    let places: &[(usize, usize)] = match options.shape {
        ModuleShape::Square => &[(5, 5), (2, 2), (7, 2), (2, 7), (7, 7)],
        ModuleShape::Dot => &[(5, 5)],
    };
    let light = options.polarity == Polarity::LightOnDark;
    for (x, y) in (0..encoded.size.rows).flat_map(|y| (0..encoded.size.columns).map(move |x| (x, y))) {
        for (dx, dy) in places {
            let pixel = drawn.get_pixel(((x + quiet) * 10 + dx) as u32, ((y + quiet) * 10 + dy) as u32)[0];
            assert_eq!(pixel > 127, encoded.matrix.is_dark(x, y) == light, "{name}: module {x} {y}");
        }
    }
}

#[test]
#[ignore = "needs rsvg-convert (librsvg) and pdftoppm (poppler)"]
fn others_draw_modules_where_they_belong() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let dpi = DPI.to_string();
    let kinds = [Polarity::LightOnDark, Polarity::DarkOnLight]
        .into_iter()
        .flat_map(|polarity| [ModuleShape::Square, ModuleShape::Dot].map(|shape| (polarity, shape)));
    for (polarity, shape) in kinds {
        for encoded in [data_matrix(), qr()] {
            let options = ArtworkOptions { polarity, shape, dot_gain_mm: 0.01, ..ArtworkOptions::default() };
            let artwork = artwork(&encoded, options.clone());
            std::fs::write(place("mark.svg"), rendered(Format::Svg, &artwork)).unwrap();
            let mut command = Command::new("rsvg-convert");
            command.args(["-d", &dpi, "-p", &dpi, "-o"]).args([place("svg.png"), place("mark.svg")]);
            assert_drawn(&drawn_by(&mut command, &place("svg.png")), &encoded, &options, "SVG");
            std::fs::write(place("mark.pdf"), rendered(Format::Pdf, &artwork)).unwrap();
            let mut command = Command::new("pdftoppm");
            command.args(["-r", &dpi, "-png", "-singlefile"]).args([place("mark.pdf"), place("pdf")]);
            assert_drawn(&drawn_by(&mut command, &place("pdf.png")), &encoded, &options, "PDF");
        }
    }
}
