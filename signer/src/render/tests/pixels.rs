//! PNG and ZPL: pixels, their physical size, and what a reader makes of them.

use super::*;
use image::GrayImage;

fn png(artwork: &Artwork, dpi: f64) -> Result<GrayImage, RenderError> {
    let sheet = SheetOptions { dpi, ..SheetOptions::default() };
    let bytes = render(Format::Png, std::slice::from_ref(artwork), &sheet)?;
    Ok(image::load_from_memory_with_format(&bytes, image::ImageFormat::Png).unwrap().into_luma8())
}

fn options(module_mm: f64, polarity: Polarity) -> ArtworkOptions {
    ArtworkOptions { module_mm, polarity, ..ArtworkOptions::default() }
}

#[test]
fn png_states_its_resolution() {
    for (dpi, per_metre) in [(600.0, 23_622_u32), (300.0, 11_811), (1200.0, 47_244), (2540.0, 100_000)] {
        let sheet = SheetOptions { dpi, ..SheetOptions::default() };
        let bytes = render(Format::Png, &[artwork(&qr(), options(0.254, Polarity::DarkOnLight))], &sheet).unwrap();
        let at = bytes.windows(4).position(|name| name == b"pHYs").unwrap() + 4;
        let number = |from: usize| u32::from_be_bytes(bytes[from..from + 4].try_into().unwrap());
        assert_eq!((number(at), number(at + 4), bytes[at + 8]), (per_metre, per_metre, 1));
    }
}

#[test]
fn dark_pixels_span_the_symbol() {
    let image = png(&artwork(&qr(), options(0.1, Polarity::DarkOnLight)), 600.0).unwrap();
    // 4.5 mm with and 3.7 mm without quiet zone, at 23.622 pixels a millimetre.
    assert_eq!(image.dimensions(), (106, 106));
    let dark: Vec<_> = image.enumerate_pixels().filter(|(.., pixel)| pixel[0] == 0).collect();
    let extent = |values: Vec<u32>| (*values.iter().min().unwrap(), *values.iter().max().unwrap());
    assert_eq!(extent(dark.iter().map(|(x, ..)| *x).collect()), (9, 96));
    assert_eq!(extent(dark.iter().map(|(_, y, _)| *y).collect()), (9, 96));
}

#[test]
fn a_module_needs_two_pixels() {
    let fine = artwork(&qr(), options(0.1, Polarity::DarkOnLight));
    let error = png(&fine, 300.0).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a module would be 1.18 pixels wide, too few to draw it: use at least 508 dpi, or larger modules"
    );
    assert!(png(&fine, 508.0).is_ok());
    // A dot gain of 0.04 mm leaves 0.02 mm to draw.
    let compensated = ArtworkOptions { dot_gain_mm: 0.04, ..options(0.1, Polarity::DarkOnLight) };
    let compensated = artwork(&qr(), compensated);
    assert!(matches!(png(&compensated, 1200.0), Err(RenderError::TooCoarse { .. })));
    assert!(png(&compensated, 1270.0).is_ok());
    assert!(matches!(
        render(Format::Zpl, &[fine], &SheetOptions { dpi: 203.0, ..SheetOptions::default() }),
        Err(RenderError::TooCoarse { .. })
    ));
}

#[test]
fn a_picture_has_a_ceiling() {
    let huge = artwork(&qr(), options(10.0, Polarity::DarkOnLight));
    assert!(matches!(png(&huge, 2400.0), Err(RenderError::TooLarge { .. })));
}

#[test]
fn a_general_reader_reads_the_picture() {
    let payload: Vec<u8> = (0..84_u8).map(|i| i.wrapping_mul(37) ^ 0x5A).collect();
    for polarity in [Polarity::DarkOnLight, Polarity::LightOnDark] {
        for shape in [ModuleShape::Square, ModuleShape::Dot] {
            for place in [Place::Right, Place::Below] {
                let options = ArtworkOptions { shape, caption: caption(place), ..options(0.1, polarity) };
                let mut image = png(&artwork(&qr(), options), 2540.0).unwrap();
                if polarity == Polarity::LightOnDark {
                    image::imageops::invert(&mut image);
                }
                // Like a lens, which joins the dots.
                let image = if shape == ModuleShape::Dot { image::imageops::blur(&image, 3.0) } else { image };
                assert_eq!(read_qr(&image).as_ref(), Some(&payload), "{polarity:?} {shape:?} {place:?}");
            }
        }
    }
}

fn read_qr(image: &GrayImage) -> Option<Vec<u8>> {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let grey = |x: usize, y: usize| image.get_pixel(x as u32, y as u32)[0];
    let mut read = Vec::new();
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(width, height, grey);
    prepared.detect_grids().first()?.decode_to(&mut read).ok()?;
    Some(read)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn the_middle_of_each_module_has_its_colour(
        module_mm in 0.05_f64..1.0, pixels in 2.0_f64..12.0, light: bool, dot: bool, gain in -0.2_f64..0.2,
    ) {
        let encoded = data_matrix();
        let polarity = if light { Polarity::LightOnDark } else { Polarity::DarkOnLight };
        let shape = if dot { ModuleShape::Dot } else { ModuleShape::Square };
        let options = ArtworkOptions { shape, dot_gain_mm: gain * module_mm, ..options(module_mm, polarity) };
        let dpi = (pixels * 25.4 / module_mm).clamp(50.0, 25_400.0);
        let pixels = dpi * module_mm / 25.4;
        let image = png(&artwork(&encoded, options), dpi).unwrap();
        prop_assert_eq!(image.dimensions(), ((50.0 * pixels).round() as u32, (28.0 * pixels).round() as u32));
        for (x, y) in (0..26).flat_map(|y| (0..48).map(move |x| (x, y))) {
            let middle = |module: usize| ((module as f64 + 1.5) * pixels).floor() as u32;
            let bright = image.get_pixel(middle(x), middle(y))[0] == 255;
            prop_assert_eq!(bright, encoded.matrix.is_dark(x, y) == light, "module {} {}", x, y);
        }
    }

    #[test]
    fn a_label_shows_what_the_picture_shows(options in any_options(), dpi in prop::sample::select(vec![203.0, 300.0, 600.0])) {
        let options = ArtworkOptions { module_mm: options.module_mm.max(0.26), dot_gain_mm: 0.0, ..options };
        let artwork = artwork(&data_matrix(), options);
        let sheet = SheetOptions { dpi, ..SheetOptions::default() };
        let zpl = String::from_utf8(render(Format::Zpl, std::slice::from_ref(&artwork), &sheet).unwrap()).unwrap();
        let label = read_zpl(&zpl);
        prop_assert_eq!(label, png(&artwork, dpi).unwrap());
    }
}

/// The label as pixels: `^PW` and `^LL` give its size, and `^GFA` the graphic, by the rules of the language's manual.
fn read_zpl(zpl: &str) -> GrayImage {
    let after = |command: &str| zpl.split(command).nth(1).unwrap().split(['\n', '^']).next().unwrap();
    let (width, height): (u32, u32) = (after("^PW").parse().unwrap(), after("^LL").parse().unwrap());
    let mut field = after("^GFA,").splitn(4, ',');
    let mut number = || field.next().unwrap().parse::<usize>().unwrap();
    let (sent, total, row_bytes) = (number(), number(), number());
    assert_eq!((sent, total), (row_bytes * height as usize, row_bytes * height as usize));
    let rows = expand(field.next().unwrap(), row_bytes * 2);
    assert_eq!(rows.len(), height as usize);
    GrayImage::from_fn(width, height, |x, y| {
        let digit = rows[y as usize][x as usize / 4];
        image::Luma([if digit >> (3 - x % 4) & 1 == 1 { 0 } else { 255 }])
    })
}

fn expand(data: &str, digits: usize) -> Vec<Vec<u8>> {
    let mut rows: Vec<Vec<u8>> = Vec::new();
    let (mut row, mut count) = (Vec::new(), 0);
    for letter in data.bytes() {
        match letter {
            b'G'..=b'Y' => count += usize::from(letter - b'F'),
            b'g'..=b'z' => count += 20 * usize::from(letter - b'f'),
            b':' => row = rows.last().unwrap().clone(),
            b',' => row.resize(digits, 0),
            b'!' => row.resize(digits, 15),
            _ => {
                let digit = char::from(letter).to_digit(16).unwrap() as u8;
                row.extend(std::iter::repeat_n(digit, count.max(1)));
                count = 0;
            }
        }
        if row.len() == digits {
            rows.push(std::mem::take(&mut row));
        }
    }
    assert!(row.is_empty());
    rows
}
