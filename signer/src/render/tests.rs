//! Every output is read back by a small reader of its own and measured in millimetres.

mod documents;
mod pixels;
mod renderers;
mod sheets;
mod substrates;
mod vectors;

use super::*;
use proptest::prelude::*;
use touchmark_formats::symbol::{EcLevel, Encoded, Matrix, Request, Shape, Symbology, encode};

fn encoded(request: Request) -> Encoded {
    let payload: Vec<u8> = (0..84_u8).map(|i| i.wrapping_mul(37) ^ 0x5A).collect();
    encode(&payload, &request).unwrap()
}

fn qr() -> Encoded {
    encoded(Request::Qr { ec: EcLevel::M, min_version: 1 })
}

fn data_matrix() -> Encoded {
    encoded(Request::DataMatrix { shape: Shape::Exact { rows: 26, columns: 48 } })
}

fn artwork(encoded: &Encoded, options: ArtworkOptions) -> Artwork {
    Artwork::new(encoded.matrix.clone(), encoded.size.symbology, options).unwrap()
}

fn caption(place: Place) -> Option<Caption> {
    let lines = ["STM32F407VGT6", "LOT 7B2X91", "2026-11-23"].map(str::to_owned).to_vec();
    Some(Caption { lines, height_mm: 0.6, place })
}

fn rendered(format: Format, artwork: &Artwork) -> Vec<u8> {
    render(format, std::slice::from_ref(artwork), &SheetOptions::default()).unwrap()
}

fn text(format: Format, artwork: &Artwork) -> String {
    String::from_utf8(rendered(format, artwork)).unwrap()
}

fn dark(matrix: &Matrix) -> usize {
    (0..matrix.height()).map(|y| (0..matrix.width()).filter(|x| matrix.is_dark(*x, y)).count()).sum()
}

/// Area inside closed outlines; holes count as negative because they run the other way.
fn enclosed(outlines: &[Vec<(f64, f64)>]) -> f64 {
    let area = |corners: &Vec<(f64, f64)>| {
        let next = corners.iter().cycle().skip(1);
        corners.iter().zip(next).map(|(a, b)| (a.0 * b.1 - b.0 * a.1) / 2.0).sum::<f64>()
    };
    outlines.iter().map(area).sum()
}

/// Left, top, right and bottom.
fn extent(points: &[(f64, f64)]) -> (f64, f64, f64, f64) {
    let start = (f64::MAX, f64::MAX, f64::MIN, f64::MIN);
    points.iter().fold(start, |(l, t, r, b), (x, y)| (l.min(*x), t.min(*y), r.max(*x), b.max(*y)))
}

fn assert_near(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{found} is not {expected} by {tolerance}");
}

/// Any options that are allowed.
fn any_options() -> impl Strategy<Value = ArtworkOptions> {
    let numbers = (0.02_f64..2.0, -0.25_f64..0.45, prop::option::of(0_u32..=20));
    let choices = (any::<bool>(), any::<bool>(), prop::option::of(any::<bool>()));
    (numbers, choices, "\\PC{0,12}").prop_map(|((module_mm, gain, quiet_zone), (light, dot, below), line)| {
        let place = |below| if below { Place::Below } else { Place::Right };
        ArtworkOptions {
            module_mm,
            quiet_zone,
            polarity: if light { Polarity::LightOnDark } else { Polarity::DarkOnLight },
            shape: if dot { ModuleShape::Dot } else { ModuleShape::Square },
            dot_gain_mm: gain * module_mm,
            caption: below.map(|below| Caption { lines: vec![line.clone(); 2], height_mm: 0.5, place: place(below) }),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn any_allowed_options_can_be_drawn(options in any_options()) {
        let module_mm = options.module_mm;
        // As coarse as can be: the larger pictures are slow.
        let pixels = 2.0_f64.max(1.001 / (1.0 - 2.0 * options.dot_gain_mm / module_mm));
        let sheet = SheetOptions { dpi: (pixels * 25.4 / module_mm).clamp(50.0, 25_400.0), ..SheetOptions::default() };
        let artwork = artwork(&data_matrix(), options);
        for format in [Format::Svg, Format::Png, Format::Pdf, Format::Dxf, Format::Zpl, Format::Matrix] {
            let out = render(format, std::slice::from_ref(&artwork), &sheet);
            prop_assert!(out.is_ok_and(|bytes| !bytes.is_empty()), "{:?}", format);
        }
    }
}

#[test]
fn numbers_out_of_range_are_refused() {
    let base = ArtworkOptions::default();
    let refused = |options: ArtworkOptions, expected: &str| {
        let error = Artwork::new(qr().matrix, Symbology::QrCode, options).unwrap_err();
        assert!(matches!(error, RenderError::OutOfRange { .. }), "{error}");
        assert_eq!(error.to_string(), expected);
    };
    refused(ArtworkOptions { module_mm: 0.019, ..base.clone() }, "module size in mm: 0.019 is not between 0.02 and 10");
    refused(
        ArtworkOptions { module_mm: f64::NAN, ..base.clone() },
        "module size in mm: NaN is not between 0.02 and 10",
    );
    refused(
        ArtworkOptions { quiet_zone: Some(21), ..base.clone() },
        "quiet zone in modules: 21 is not between 0 and 20",
    );
    refused(
        ArtworkOptions { module_mm: 1.0, dot_gain_mm: 0.5, ..base.clone() },
        "dot gain in mm: 0.5 is not between -0.25 and 0.45",
    );
    let tall = Caption { lines: vec![], height_mm: 21.0, place: Place::Right };
    refused(ArtworkOptions { caption: Some(tall), ..base }, "caption height in mm: 21 is not between 0.1 and 20");
}

#[test]
fn captions_have_a_ceiling() {
    let with = |lines: Vec<String>| {
        let caption = Some(Caption { lines, height_mm: 1.0, place: Place::Right });
        Artwork::new(qr().matrix, Symbology::QrCode, ArtworkOptions { caption, ..ArtworkOptions::default() })
    };
    assert!(with(vec!["Ω".repeat(64); 8]).is_ok());
    assert_eq!(with(vec!["x".repeat(65)]), Err(RenderError::CaptionTooLong));
    assert_eq!(with(vec![String::new(); 9]), Err(RenderError::CaptionTooLong));
}

#[test]
fn the_matrix_is_ones_where_ordinary_print_is_dark() {
    let encoded = data_matrix();
    for polarity in [Polarity::LightOnDark, Polarity::DarkOnLight] {
        let artwork = artwork(&encoded, ArtworkOptions { polarity, ..ArtworkOptions::default() });
        let text = text(Format::Matrix, &artwork);
        assert!(text.ends_with('\n'));
        assert_eq!(text.lines().count(), 26);
        for (y, line) in text.lines().enumerate() {
            let expected: String = (0..48).map(|x| if encoded.matrix.is_dark(x, y) { '1' } else { '0' }).collect();
            assert_eq!(line, expected);
        }
    }
    let solid = "1".repeat(48);
    assert_eq!(text(Format::Matrix, &artwork(&encoded, ArtworkOptions::default())).lines().last(), Some(&*solid));
}
