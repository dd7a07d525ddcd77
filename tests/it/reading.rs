//! Marks on simulated photos, each with one thing wrong with it, are read to the byte; nothing is read where nothing is.

use proptest::prelude::*;
use proptest::sample::Index;
use std::io::{Cursor, Write};
use testkit::maker::TestMaker;
use testkit::simulate::{Scene, simulate};
use touchmark_formats::symbol::{EcLevel, Matrix, Request, Shape, encode};
use touchmark_verifier::read::geometry::{Homography, Point};
use touchmark_verifier::read::{Effort, Luma, Options, Place, Symbol, read};

fn mark() -> Vec<u8> {
    let maker = TestMaker::new(1);
    maker.sign(maker.usual_mark()).to_bytes()
}

fn symbol(request: &Request) -> Matrix {
    encode(&mark(), request).unwrap().matrix
}

fn qr(ec: EcLevel) -> Matrix {
    symbol(&Request::Qr { ec, min_version: 1 })
}

fn photo(matrix: &Matrix, scene: &Scene) -> Luma {
    let grey = image::DynamicImage::ImageRgb8(simulate(matrix, scene, 7)).into_luma8();
    Luma { width: grey.width() as usize, height: grey.height() as usize, data: grey.into_raw() }
}

fn contents(luma: &Luma, options: &Options) -> Vec<Vec<u8>> {
    read(luma, options).into_iter().filter_map(|symbol| Some(symbol.decoded.ok()?.bytes)).collect()
}

fn is_read(matrix: &Matrix, scene: &Scene, what: &str) {
    assert_eq!(contents(&photo(matrix, scene), &Options::default()), [mark()], "{what}");
}

#[test]
fn both_symbologies_in_both_polarities_and_any_turn() {
    let square = symbol(&Request::DataMatrix { shape: Shape::Square });
    let rectangle = symbol(&Request::DataMatrix { shape: Shape::Dmre });
    for matrix in [&qr(EcLevel::M), &square, &rectangle] {
        for light_on_dark in [false, true] {
            for rotation in [0.0, 33.0, 90.0, 178.0, 261.0] {
                let what = format!("{} wide, light on dark {light_on_dark}, turned by {rotation}", matrix.width());
                is_read(matrix, &Scene { light_on_dark, rotation, ..Scene::clean() }, &what);
            }
        }
    }
}

/// Four pictures of one size as one, two by two.
fn side_by_side(pictures: &[Luma; 4]) -> Luma {
    let (width, height) = (pictures[0].width, pictures[0].height);
    let pairs = [&pictures[..2], &pictures[2..]];
    let rows = pairs.into_iter().flat_map(|pair| (0..height).map(move |y| (pair, y)));
    let row = |picture: &Luma, y: usize| picture.data[y * width..(y + 1) * width].to_vec();
    let data = rows.flat_map(|(pair, y)| [row(&pair[0], y), row(&pair[1], y)].concat()).collect();
    Luma { width: 2 * width, height: 2 * height, data }
}

#[test]
fn every_mark_of_a_photo_is_read() {
    let maker = TestMaker::new(1);
    let square = Request::DataMatrix { shape: Shape::Square };
    let dmre = Request::DataMatrix { shape: Shape::Dmre };
    let qr = Request::Qr { ec: EcLevel::M, min_version: 1 };
    for requests in [[qr, qr, square, square], [square, square, dmre, dmre], [qr, square, dmre, square]] {
        let payload =
            |serial| maker.sign(maker.mark(serial, "STM32F407VGT6", "A2B347K", "2026-11-23", None)).to_bytes();
        let payloads = [3_000_000, 3_000_001, 3_000_002, 3_000_003].map(payload);
        let picture = |n: usize| {
            let matrix = encode(&payloads[n], &requests[n]).unwrap().matrix;
            photo(&matrix, &Scene { light_on_dark: n != 1, rotation: 25.0 * n as f32, ..Scene::clean() })
        };
        let found = contents(&side_by_side(&[0, 1, 2, 3].map(picture)), &Options::default());
        let seen: Vec<bool> = payloads.iter().map(|payload| found.contains(payload)).collect();
        assert_eq!((seen, found.len()), (vec![true; 4], 4), "{requests:?}");
    }
}

#[test]
fn dots_down_to_two_thirds_of_a_module() {
    for dots in [1.0, 0.8, 0.67] {
        let scene = Scene { dots: Some(dots), ..Scene::clean() };
        is_read(&qr(EcLevel::M), &scene, &format!("dots of {dots} modules"));
    }
}

#[test]
fn quiet_zones_from_four_modules_to_none() {
    let caption = vec!["STM32F407VGT6".to_owned(), "LOT A2B347K".to_owned()];
    for quiet_zone in [4.0, 2.0, 1.0, 0.0] {
        let scene = Scene { quiet_zone, caption: caption.clone(), ..Scene::clean() };
        is_read(&qr(EcLevel::M), &scene, &format!("text {quiet_zone} modules beside the symbol"));
    }
}

#[test]
fn tilt_to_sixty_degrees() {
    for tilt in [30.0, 45.0, 60.0] {
        for rotation in [0.0, 40.0] {
            let scene = Scene { tilt, rotation, pixels_per_module: 8.0, ..Scene::clean() };
            is_read(&qr(EcLevel::M), &scene, &format!("tilted by {tilt}, turned by {rotation} degrees"));
        }
    }
}

#[test]
fn from_one_and_a_half_to_forty_pixels_a_module() {
    for (pixels_per_module, side) in [(1.5, 140), (1.8, 160), (2.5, 300), (12.0, 900), (40.0, 2400)] {
        let blur = 0.1 * pixels_per_module;
        let scene = Scene { pixels_per_module, blur, rotation: 0.0, size: (side, side), ..Scene::clean() };
        is_read(&qr(EcLevel::M), &scene, &format!("{pixels_per_module} pixels a module"));
    }
}

#[test]
fn a_corner_that_is_broken_off_with_its_finder_pattern() {
    let scene = Scene { missing: 0.42, ..Scene::clean() };
    let whole = Scene { missing: 0.0, ..scene.clone() };
    assert_ne!(photo(&qr(EcLevel::Q), &scene).data, photo(&qr(EcLevel::Q), &whole).data);
    is_read(&qr(EcLevel::Q), &scene, "one finder pattern lost");
}

/// Wipes the finder patterns at two of a symbol's corners, which are in order around it from the upper left one.
fn without(luma: &Luma, corners: &[Point; 4], side: f32, wiped: [usize; 2]) -> Luma {
    let unit = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)].map(|(x, y)| Point::new(x, y));
    let map = Homography::from_points(*corners, unit).unwrap();
    let reach = 8.0 / side;
    let mut wiped_out = Luma { width: luma.width, height: luma.height, data: luma.data.clone() };
    for (i, level) in wiped_out.data.iter_mut().enumerate() {
        let at = map.apply(Point::new((i % luma.width) as f32 + 0.5, (i / luma.width) as f32 + 0.5));
        let over = |corner: &Point| (at.x - corner.x).abs() < reach && (at.y - corner.y).abs() < reach;
        if wiped.iter().any(|n| over(&unit[*n])) {
            *level = 90;
        }
    }
    wiped_out
}

#[test]
fn one_finder_pattern_of_three_is_left() {
    let matrix = qr(EcLevel::Q);
    let luma = photo(&matrix, &Scene { rotation: 20.0, pixels_per_module: 5.0, size: (380, 380), ..Scene::clean() });
    let corners = read(&luma, &Options::default())[0].located.corners;
    let torn = without(&luma, &corners, matrix.width() as f32, [0, 1]);
    let at = |effort: Effort| contents(&torn, &Options { effort, ..Options::default() });
    assert!(at(Effort::Quick).is_empty(), "there is something to be found out");
    assert_eq!(at(Effort::Forensic), [mark()]);
}

#[test]
fn seen_from_behind() {
    for matrix in [qr(EcLevel::M), symbol(&Request::DataMatrix { shape: Shape::Square })] {
        let mut luma = photo(&matrix, &Scene::clean());
        luma.data.chunks_exact_mut(luma.width).for_each(<[u8]>::reverse);
        let symbols: Vec<Symbol> = read(&luma, &Options::default());
        assert!(
            matches!(symbols.as_slice(), [Symbol { located, decoded: Ok(d), .. }] if located.mirrored && d.bytes == mark())
        );
    }
}

#[test]
fn micro_qr_code_at_any_turn() {
    for version in 1..=4 {
        let code = qrcode::QrCode::with_version("4711", qrcode::Version::Micro(version), qrcode::EcLevel::L).unwrap();
        // The encoder of this test gives M3-L a last data codeword of eight bits instead of four.
        if version == 3 {
            continue;
        }
        let dark = code.to_colors().into_iter().map(|colour| colour == qrcode::Color::Dark).collect();
        let matrix = Matrix::new(code.width(), code.width(), dark).unwrap();
        for rotation in [0.0, 40.0, 200.0] {
            let luma = photo(&matrix, &Scene { rotation, ..Scene::clean() });
            let what = format!("M{version} turned by {rotation}");
            assert_eq!(contents(&luma, &Options::default()), [b"4711".to_vec()], "{what}");
        }
    }
}

#[test]
fn where_a_person_points() {
    let matrix = qr(EcLevel::M);
    let luma = photo(&matrix, &Scene::clean());
    let [a, b, c, d] = read(&luma, &Options::default())[0].located.corners;
    // Any corner first, and each a little off.
    let about = [c, d, a, b].map(|p| Point::new(p.x + 3.0, p.y - 2.0));
    let symbols = read(&luma, &Options { place: Place::Corners(about), ..Options::default() });
    assert_eq!(symbols[0].decoded.as_ref().unwrap().bytes, mark());
    assert!(symbols[0].located.corners[0].distance(a) < 3.0, "the corners are the symbol's own, refined");
    for nowhere in [f32::NAN, f32::INFINITY, -1e9, 1e9, 0.0] {
        for place in
            [Place::Corners([Point::new(nowhere, nowhere); 4]), Place::Region([nowhere, nowhere, 1e9, nowhere])]
        {
            assert!(contents(&luma, &Options { place, ..Options::default() }).is_empty());
        }
    }
}

/// A drawing of a strip, whose first scales show less than two pixels a module.
#[test]
fn every_small_mark_of_a_large_picture_is_read() {
    let (width, height, module, pitch) = (3600, 1200, 3, 200);
    let maker = TestMaker::listed(2);
    let mut luma = Luma { width, height, data: vec![0; width * height] };
    let mut marks = Vec::new();
    for (top, left) in (40..height - pitch / 2)
        .step_by(pitch)
        .flat_map(|y| (40..width - pitch / 2).step_by(pitch).map(move |x| (y, x)))
    {
        let mark =
            maker.sign(maker.mark(marks.len() as u64, "STM32F407VGT6", "A2B347K", "2026-11-23", Some(1))).to_bytes();
        let matrix = encode(&mark, &Request::DataMatrix { shape: Shape::Square }).unwrap().matrix;
        for (y, x) in (0..matrix.height() * module).flat_map(|y| (0..matrix.width() * module).map(move |x| (y, x))) {
            if matrix.is_dark(x / module, y / module) {
                luma.data[(top + y) * width + left + x] = 255;
            }
        }
        marks.push(mark);
    }
    let read = contents(&luma, &Options::default());
    let missed: Vec<usize> = (0..marks.len()).filter(|i| !read.contains(&marks[*i])).collect();
    assert!(missed.is_empty(), "{missed:?} of {}", marks.len());
}

/// Found by the fuzz target of pictures: it took half a minute to suppose symbols of more modules than the picture has pixels.
#[test]
fn no_symbol_is_supposed_that_the_picture_has_no_pixels_for() {
    let luma = Luma { width: 9, height: 9, data: (0..81).map(|i| (i * 37 % 251) as u8).collect() };
    let corners = [(0.0, 0.0), (215.0, 1.0), (9.0, 9.0), (0.0, 9.0)].map(|(x, y)| Point::new(x, y));
    let place = Place::Corners(corners);
    for symbol in read(&luma, &Options { effort: Effort::Forensic, place, doubtful: true }) {
        let modules = &symbol.located.modules;
        assert!(modules.width.max(modules.height) <= 12, "{} x {} modules", modules.width, modules.height);
    }
}

#[test]
fn nothing_is_read_on_a_package_without_a_mark() {
    let blank = Matrix::new(40, 40, vec![false; 1600]).unwrap();
    // The one in which there is the most to be mistaken is looked at for the longest, which takes long.
    let efforts = [Effort::Quick, Effort::Normal, Effort::Forensic];
    for (scene, efforts) in
        [(Scene::clean(), &efforts[..2]), (Scene::worn(), &efforts[..2]), (Scene::wrecked(), &efforts[..])]
    {
        let caption = vec!["STM32F407VGT6".to_owned(), "LOT A2B347K".to_owned()];
        let luma = photo(&blank, &Scene { caption, ..scene });
        for &effort in efforts {
            assert!(contents(&luma, &Options { effort, ..Options::default() }).is_empty());
        }
    }
}

#[path = "../fuzz/reading.rs"]
#[expect(unreachable_pub, reason = "public for the fuzz targets, a crate of its own")]
mod checks;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn no_picture_stops_the_reader(
        width in 0u8..64,
        height in 0usize..64,
        seed in any::<u64>(),
        levels in prop::sample::select(vec![2u64, 3, 256]),
        how in any::<u8>(),
    ) {
        // Noise of few levels has many more edges and finder patterns than photos have.
        let mut state = seed | 1;
        let noise = (0..usize::from(width) * height).map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) % levels * (255 / (levels - 1))) as u8
        });
        checks::picture(&[width, how, 5, 9].into_iter().chain(noise).collect::<Vec<u8>>());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_grid_stops_the_decoders(head in any::<[u8; 3]>(), rest in prop::collection::vec(any::<u8>(), 1..3000)) {
        checks::grid(&[&head[..], &rest].concat());
    }

    #[test]
    fn no_file_stops_the_photo_decoders(
        magic in prop::sample::select(vec![&b"\xFF\xD8\xFF\xE0"[..], b"\x89PNG\r\n\x1A\n", b"GIF89a", b"II*\0", b"RIFF", b"BM"]),
        rest in prop::collection::vec(any::<u8>(), 0..2000),
    ) {
        checks::photo(&[magic, &rest].concat());
    }
}

/// An archive of three files, two of them of one name: `kind` 0 ZIP, 1 TAR, 2 TAR with gzip.
fn archive(kind: u8) -> Vec<u8> {
    let files = [("a.jpg", [1; 700]), ("x/b.png", [2; 700]), ("a.jpg", [3; 700])];
    if kind == 0 {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files.iter().take(2) {
            zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        return zip.finish().unwrap().into_inner();
    }
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, name, bytes.as_slice()).unwrap();
    }
    let tar = tar.into_inner().unwrap();
    if kind == 1 {
        return tar;
    }
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&tar).unwrap();
    gzip.finish().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_archive_stops_who_gathers(
        kind in 0u8..3,
        wrong in prop::collection::vec((any::<Index>(), any::<u8>()), 0..4),
        end in prop::option::of(any::<Index>()),
    ) {
        let mut bytes = archive(kind);
        wrong.into_iter().for_each(|(at, byte)| *at.get_mut(&mut bytes) = byte);
        bytes.truncate(end.map_or(bytes.len(), |end| end.index(bytes.len())));
        checks::archive(&[&[kind][..], &bytes].concat());
    }
}
