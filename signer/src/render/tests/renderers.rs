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

/// The picture has its size to a pixel, and every module has its colour in its middle and in its four quarters.
fn assert_drawn(drawn: &GrayImage, encoded: &Encoded, light: bool, name: &str) {
    let (width, height) = ((encoded.size.columns + 2) as f64 * 10.0, (encoded.size.rows + 2) as f64 * 10.0);
    assert_near(f64::from(drawn.width()), width, 1.0);
    assert_near(f64::from(drawn.height()), height, 1.0);
    for (x, y) in (0..encoded.size.rows).flat_map(|y| (0..encoded.size.columns).map(move |x| (x, y))) {
        for (dx, dy) in [(5, 5), (2, 2), (7, 2), (2, 7), (7, 7)] {
            let pixel = drawn.get_pixel((x * 10 + 10 + dx) as u32, (y * 10 + 10 + dy) as u32)[0];
            assert_eq!(pixel > 127, encoded.matrix.is_dark(x, y) == light, "{name}: module {x} {y}");
        }
    }
}

#[test]
#[ignore = "needs rsvg-convert (librsvg) and pdftoppm (poppler)"]
fn others_draw_modules_where_they_belong() {
    let folder = tempfile::tempdir().unwrap();
    let encoded = data_matrix();
    for polarity in [Polarity::LightOnDark, Polarity::DarkOnLight] {
        let options = ArtworkOptions { polarity, dot_gain_mm: 0.01, ..ArtworkOptions::default() };
        let artwork = artwork(&encoded, options);
        let light = polarity == Polarity::LightOnDark;
        let dpi = DPI.to_string();
        let svg = folder.path().join("mark.svg");
        std::fs::write(&svg, rendered(Format::Svg, &artwork)).unwrap();
        let picture = folder.path().join("svg.png");
        let mut command = Command::new("rsvg-convert");
        command.args(["-d", &dpi, "-p", &dpi, "-o"]).args([&picture, &svg]);
        assert_drawn(&drawn_by(&mut command, &picture), &encoded, light, "SVG");
        let pdf = folder.path().join("mark.pdf");
        std::fs::write(&pdf, rendered(Format::Pdf, &artwork)).unwrap();
        let mut command = Command::new("pdftoppm");
        command.args(["-r", &dpi, "-png", "-singlefile"]).args([&pdf, &folder.path().join("pdf")]);
        assert_drawn(&drawn_by(&mut command, &folder.path().join("pdf.png")), &encoded, light, "PDF");
    }
}
