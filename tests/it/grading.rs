//! Print quality: each parameter is moved by what it measures, to the value that its definition gives.

use testkit::maker::TestMaker;
use touchmark_formats::symbol::{EcLevel, Matrix, Request, Shape, encode};
use touchmark_verifier::grade::{Grade, Quality, Report, grade};
use touchmark_verifier::read::{Luma, Options, read};

const MODULE: usize = 8;
const QUIET: usize = 4;

fn matrix(request: &Request) -> Matrix {
    let maker = TestMaker::new(5);
    encode(&maker.sign(maker.usual_mark()).to_bytes(), request).unwrap().matrix
}

fn datamatrix() -> Matrix {
    matrix(&Request::DataMatrix { shape: Shape::Square })
}

fn qr() -> Matrix {
    matrix(&Request::Qr { ec: EcLevel::M, min_version: 1 })
}

/// The symbol on its quiet zone, each module of so many pixels in grey levels of its own.
fn picture(matrix: &Matrix, (wide, high): (usize, usize), level: impl Fn(usize, usize, bool) -> u8) -> Luma {
    let (width, height) = ((matrix.width() + 2 * QUIET) * wide, (matrix.height() + 2 * QUIET) * high);
    let pixel = |i: usize| {
        let (x, y) = (i % width / wide, i / width / high);
        let (x, y) = (x.wrapping_sub(QUIET), y.wrapping_sub(QUIET));
        level(x, y, matrix.is_dark(x, y))
    };
    Luma { width, height, data: (0..width * height).map(pixel).collect() }
}

fn printed(matrix: &Matrix, level: impl Fn(usize, usize, bool) -> u8) -> Luma {
    picture(matrix, (MODULE, MODULE), level)
}

fn ink(dark: bool) -> u8 {
    if dark { 0 } else { 255 }
}

fn quality(luma: &Luma) -> Quality {
    let symbols = read(luma, &Options::default());
    assert_eq!(symbols.len(), 1);
    grade(luma, &symbols[0]).unwrap()
}

fn parameter(report: &Report, name: &str) -> (Grade, Option<f32>) {
    let found = report.parameters.iter().find(|parameter| parameter.name == name).unwrap();
    (found.grade, found.value)
}

fn near(value: Option<f32>, expected: f32, within: f32) -> bool {
    value.is_some_and(|value| (value - expected).abs() <= within)
}

#[test]
fn a_perfect_symbol_is_an_a_in_either_polarity() {
    for matrix in [datamatrix(), qr(), matrix(&Request::DataMatrix { shape: Shape::Dmre })] {
        for reversed in [false, true] {
            let quality = quality(&printed(&matrix, |_, _, dark| ink(dark != reversed)));
            for report in [&quality.iso15415, &quality.iso29158] {
                assert!(report.parameters.iter().all(|p| p.grade == Grade::A), "{report:?}");
            }
            assert!((quality.pixels_per_module - MODULE as f32).abs() < 0.2);
        }
    }
}

#[test]
fn contrast() {
    let quality = quality(&printed(&datamatrix(), |_, _, dark| if dark { 100 } else { 200 }));
    let (grade, value) = parameter(&quality.iso15415, "symbol_contrast");
    assert!(grade == Grade::D && near(value, 100.0 / 255.0, 0.01), "{value:?}");
    let (grade, value) = parameter(&quality.iso29158, "cell_contrast");
    assert!(grade == Grade::A && near(value, 0.5, 0.01), "{value:?}");
    assert_eq!((quality.iso15415.grade, quality.iso29158.grade), (Grade::D, Grade::A));
}

#[test]
fn unused_error_correction_is_what_misread_codewords_leave() {
    // In Data Matrix 40x40 one block of 48 codewords corrects 24; modules of the middle of a region, far enough apart,
    // belong to codewords of their own.
    let matrix = datamatrix();
    let mut left = 2.0;
    for count in [0usize, 3, 6, 9] {
        let wrong = |x: usize, y: usize| (0..count).any(|i| (x, y) == (4 + 5 * (i % 3), 4 + 5 * (i / 3)));
        let quality = quality(&printed(&matrix, |x, y, dark| ink(dark != wrong(x, y))));
        let (_, value) = parameter(&quality.iso15415, "unused_error_correction");
        assert!(near(value, 1.0 - 2.0 * count as f32 / 48.0, 0.001), "{count}: {value:?}");
        assert!(value.unwrap() < left);
        left = value.unwrap();
        // What is misread has no margin at all.
        let (margin, _) = parameter(&quality.iso15415, "reflectance_margin");
        assert_eq!(margin == Grade::A, 2 * count <= 18, "{count}");
    }
}

#[test]
fn modulation_falls_with_modules_between_dark_and_light() {
    // All modules of every third column a quarter of the way to the other side: their distance is half the contrast.
    let pale = |by: u8| {
        let quality = quality(&printed(&qr(), move |x, _, dark| match (x % 3, dark) {
            (0, true) => by,
            (_, dark) => ink(dark),
        }));
        parameter(&quality.iso15415, "modulation").0
    };
    assert_eq!([0, 50, 70, 83, 96, 110].map(pale).map(Grade::letter), ["A", "A", "B", "C", "D", "F"]);
}

#[test]
fn fixed_pattern_damage_of_a_solid_border() {
    let matrix = datamatrix();
    let side = matrix.height();
    for (lost, grade) in [(0, "A"), (3, "B"), (5, "C"), (6, "D"), (9, "F")] {
        // From the left border, every third module.
        let gone = |x: usize, y: usize| x == 0 && y % 3 == 1 && (1..=3 * lost).contains(&y);
        let quality = quality(&printed(&matrix, |x, y, dark| ink(dark && !gone(x, y))));
        let (seen, _) = parameter(&quality.iso15415, "fixed_pattern_damage");
        assert!(3 * lost < side && seen.letter() <= "F");
        assert_eq!(seen.letter(), grade, "{lost} of {side} modules");
    }
}

#[test]
fn fixed_pattern_damage_of_a_finder_pattern() {
    for (lost, grade) in [(0, "A"), (1, "B"), (2, "C"), (3, "D"), (4, "F")] {
        let gone = |x: usize, y: usize| y == 3 && (2..2 + lost).contains(&x);
        let quality = quality(&printed(&qr(), |x, y, dark| ink(dark != gone(x, y))));
        assert_eq!(parameter(&quality.iso15415, "fixed_pattern_damage").0.letter(), grade, "{lost} modules");
    }
}

#[test]
fn a_quiet_zone_that_is_printed_on() {
    let quality =
        quality(&printed(&datamatrix(), |x, y, dark| ink(dark || (x == usize::MAX && (20..30).contains(&y)))));
    assert_eq!(parameter(&quality.iso15415, "fixed_pattern_damage").0, Grade::F);
}

#[test]
fn stretched_and_bent_grids() {
    let stretched = quality(&picture(&datamatrix(), (10, 11), |_, _, dark| ink(dark)));
    let (grade, value) = parameter(&stretched.iso15415, "axial_nonuniformity");
    assert!(grade == Grade::C && near(value, 1.0 / 10.5, 0.01), "{value:?}");
    // The middle of the symbol is shifted to the right by up to 0.4 of a module, the edges are where they should be.
    let matrix = datamatrix();
    let flat = printed(&matrix, |_, _, dark| ink(dark));
    let height = flat.height as f32;
    let data = (0..flat.data.len()).map(|i| {
        let (x, y) = (i % flat.width, i / flat.width);
        let shift = 0.4 * MODULE as f32 * (std::f32::consts::PI * y as f32 / height).sin();
        flat.data[y * flat.width + (x as f32 - shift).round().max(0.0) as usize]
    });
    let bent = quality(&Luma { data: data.collect(), ..flat.clone() });
    let (_, value) = parameter(&bent.iso15415, "grid_nonuniformity");
    assert!(value.is_some_and(|value| (0.1..0.5).contains(&value)), "{value:?}");
}

#[test]
fn what_does_not_decode_fails() {
    let matrix = qr();
    let hidden = |x: usize, y: usize| (9..32).contains(&x) && (9..32).contains(&y) && (x * 7 + y * 5).is_multiple_of(3);
    let luma = printed(&matrix, |x, y, dark| ink(dark != hidden(x, y)));
    let symbols = read(&luma, &Options::default());
    assert!(symbols[0].decoded.is_err());
    let quality = grade(&luma, &symbols[0]).unwrap();
    assert_eq!((quality.iso15415.grade, quality.iso29158.grade), (Grade::F, Grade::F));
    assert_eq!(parameter(&quality.iso29158, "decode").0, Grade::F);
}
