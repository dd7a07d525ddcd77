//! Marks destroyed beyond repair, from their photo to the serial: what is left of them tells them from all others on record.

use jiff::Timestamp;
use testkit::maker::{TestMaker, label, public};
use testkit::simulate::{Scene, jpeg, simulate};
use touchmark_formats::mark::{Mark, Serial, SignedMark};
use touchmark_formats::reading::Reading;
use touchmark_formats::symbol::{EcLevel, Request, Shape, encode};
use touchmark_formats::trust::Directory;
use touchmark_signer::line::store::{Content, Past, RUN_MARKS, Run};
use touchmark_signer::matching::{Answer, matching};
use touchmark_verifier::examine::{Examination, examine};
use touchmark_verifier::photo::Limits;
use touchmark_verifier::read::geometry::Point;
use touchmark_verifier::read::{Effort, Options, Place};
use touchmark_verifier::reading::reading;
use touchmark_verifier::verify::Basis;

const REQUESTS: [Request; 2] =
    [Request::Qr { ec: EcLevel::M, min_version: 1 }, Request::DataMatrix { shape: Shape::Square }];

/// Marks of a lot.
fn lot(maker: &TestMaker, lot: &str, serials: std::ops::Range<u64>) -> Vec<SignedMark> {
    serials.map(|n| maker.sign(maker.mark(n, "STM32F407VGT6", lot, "2026-11-23", Some(104_233)))).collect()
}

/// The same as a line's journal has them.
fn on_record(maker: &TestMaker, marks: &[SignedMark]) -> Vec<Past> {
    let run = |marks: &[SignedMark]| {
        let first = &marks[0].mark;
        let bare = Mark { serial: Serial::default(), capsule: None, ..first.clone() };
        let capsule = |mark: &SignedMark| mark.mark.capsule.unwrap().bytes().to_vec();
        let size = capsule(&marks[0]).len() as u64;
        let content = Content {
            id: 1,
            part: label("STM32F407VGT6"),
            lot: first.lot.clone(),
            date: first.date,
            mark: bare.unsigned_bytes(),
            capsule: size,
        };
        let body = marks.iter().flat_map(|mark| [capsule(mark), mark.signature.to_vec()].concat()).collect();
        let run = Run { first: first.serial.get(), content: 1, at: 0, request: None, capsule: size, body };
        Past { key: public(&maker.line), content, run }
    };
    marks.chunks(RUN_MARKS as usize).map(run).collect()
}

/// A photo of the part of which a strip is left, so many modules wide from the left, and the corners of its symbol.
fn photo(mark: &SignedMark, request: &Request, left: usize, seed: u64) -> (tempfile::NamedTempFile, [Point; 4]) {
    let matrix = encode(&mark.to_bytes(), request).unwrap().matrix;
    let scene = Scene { rotation: 0.0, tilt: 0.0, scratches: 6, noise: 3.0, ..Scene::clean() };
    let mut photo = simulate(&matrix, &scene, seed);
    let half = 3 * matrix.width() as u32;
    let (x, y) = (450 - half, 337 - half);
    for (x, y) in
        (x + 6 * left as u32..x + 2 * half + 12).flat_map(|x| (y - 12..y + 2 * half + 12).map(move |y| (x, y)))
    {
        let grain = 60 + ((x * 31 + y * 17 + (x * y) % 23) % 20) as u8;
        photo.put_pixel(x, y, image::Rgb([grain; 3]));
    }
    let file = tempfile::Builder::new().suffix(".jpg").tempfile().unwrap();
    std::fs::write(file.path(), jpeg(&photo, 92)).unwrap();
    let (x, y, side) = (x as f32, y as f32, 2.0 * half as f32);
    (file, [(x, y), (x + side, y), (x + side, y + side), (x, y + side)].map(|(x, y)| Point::new(x, y)))
}

fn examined(maker: &TestMaker, photo: &(tempfile::NamedTempFile, [Point; 4])) -> Examination {
    let now: Timestamp = "2026-12-01T00:00:00Z".parse().unwrap();
    let trust = maker.trust();
    let directory = Directory::new(&trust);
    let basis =
        Basis { directory: &directory, disclosures: &[], trails: &[], printed_part: None, printed_lot: None, now };
    let options = Options { effort: Effort::Quick, place: Place::Corners(photo.1), doubtful: true };
    examine(photo.0.path(), &basis, &Limits::default(), &options).unwrap()
}

fn matched(reading: &Reading, past: &[Past]) -> Answer {
    matching(reading, past, |_| true).unwrap()
}

#[test]
fn what_a_photo_shows_of_a_destroyed_mark_tells_it_from_all_on_record() {
    let maker = TestMaker::new(3);
    let marks = lot(&maker, "A2B347K", 48_213_000..48_213_600);
    let (past, others) = (on_record(&maker, &marks), on_record(&maker, &lot(&maker, "B1", 1..600)));
    for request in &REQUESTS {
        let (n, left) = (599, 14);
        let seen = examined(&maker, &photo(&marks[n], request, left, n as u64));
        assert!(seen.marks.iter().all(|mark| mark.judged.assessment.proven.is_none()), "{request:?}, {n}");
        let reading = reading(&[seen]).unwrap().signed;
        let best = matched(&reading, &past).best.unwrap();
        assert_eq!(best.mark, marks[n], "{request:?}, {n}");
        // Bounds hold for all 600 marks; among a hundred thousand it would be as sure.
        assert!(best.chance < 1e-9 && best.log10_ratio > 9.0, "{request:?}, {n}: {best:?}");
        let other = matched(&reading, &others);
        assert_eq!(other.significant(1e-6), None);
    }
}
