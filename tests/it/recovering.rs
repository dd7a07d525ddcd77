//! Marks beyond error correction: what is known beforehand and the signature bring them back, several photos of one part
//! do, and what is left is a lead.

use jiff::Timestamp;
use testkit::maker::{TestMaker, label, public};
use testkit::simulate::{Scene, jpeg, simulate};
use touchmark_formats::expected::{Print, templates};
use touchmark_formats::mark::{Extension, SignedMark};
use touchmark_formats::symbol::decode::decode;
use touchmark_formats::symbol::{EcLevel, Matrix, Request, Shape, Symbology, encode};
use touchmark_formats::trust::{Directory, Trust};
use touchmark_verifier::examine::{Examination, Judged, PartExamination, examine, examine_together};
use touchmark_verifier::photo::Limits;
use touchmark_verifier::read::{Effort, ModuleGrid, Options};
use touchmark_verifier::recover::{Recovered, Recoverer};
use touchmark_verifier::verdict::{FindingKind, Verdict};
use touchmark_verifier::verify::Basis;

const REQUESTS: [(Symbology, Request); 2] = [
    (Symbology::QrCode, Request::Qr { ec: EcLevel::M, min_version: 1 }),
    (Symbology::DataMatrix, Request::DataMatrix { shape: Shape::Square }),
];

#[derive(Clone, Copy, PartialEq)]
enum Beside {
    Nothing,
    Print,
}

fn with<T>(trust: &Trust, beside: Beside, judge: impl FnOnce(&Basis<'_>) -> T) -> T {
    let now: Timestamp = "2026-12-01T00:00:00Z".parse().unwrap();
    let (part, lot) = if beside == Beside::Print { (Some("STM32F407VGT6"), Some("A2B347K")) } else { (None, None) };
    let directory = Directory::new(trust);
    judge(&Basis { directory: &directory, disclosures: &[], trails: &[], printed_part: part, printed_lot: lot, now })
}

fn symbol(mark: &SignedMark, request: &Request) -> Matrix {
    encode(&mark.to_bytes(), request).unwrap().matrix
}

fn seen(matrix: &Matrix) -> ModuleGrid {
    let (width, height) = (matrix.width(), matrix.height());
    let llr = |i: usize| if matrix.is_dark(i % width, i / width) { 4.0 } else { -4.0 };
    ModuleGrid { width, height, llr: (0..width * height).map(llr).collect() }
}

/// Modules, every so often, that say the wrong thing, but hardly.
fn worn(matrix: &Matrix, share: usize) -> ModuleGrid {
    let mut grid = seen(matrix);
    for (i, llr) in grid.llr.iter_mut().enumerate() {
        if ((i * 2_654_435_761) >> 12) % 1000 < share {
            *llr *= -0.1;
        }
    }
    grid
}

#[test]
fn every_mark_looks_like_a_template_of_its_delegation() {
    for maker in [TestMaker::new(3), TestMaker::listed(3)] {
        let mut marks =
            vec![maker.usual_mark(), maker.mark(48_000_001, "STM32F407VGT6", "A2B347K", "2027-01-02", None)];
        let site = Extension { site: Some(4), ..Extension::default() };
        marks.push({
            let mut mark = maker.mark(48_213_078, "STM32F407VGT6", "A2B347K", "2026-11-23", None);
            mark.extension = site;
            maker.seal(&mut mark, &label("A2B347K"), 7);
            mark
        });
        for mark in marks {
            let bytes = maker.sign(mark).to_bytes();
            let (part, lot) = (label("STM32F407VGT6"), label("A2B347K"));
            for (part, lot, knows_all) in [(Some(&part), Some(&lot), true), (None, None, false)] {
                let known = templates(public(&maker.line).id(), &maker.delegation, &Print { part, lot });
                let agrees = |template: &&touchmark_formats::symbol::recover::Template| {
                    let same = template.bytes.iter().zip(&bytes).all(|(known, byte)| known.is_none_or(|k| k == *byte));
                    let fits = if template.complete { template.bytes.len() == bytes.len() } else { true };
                    same && fits && (template.complete || !knows_all)
                };
                let best = known.iter().filter(agrees).map(|t| t.bytes.iter().flatten().count()).max();
                let least = if knows_all && maker.delegation.other_parts { 5 + 15 } else { 5 };
                assert!(best.is_some_and(|known| known >= least), "{bytes:02x?}: {best:?}");
            }
        }
    }
}

#[test]
fn what_is_known_and_the_signature_bring_back_what_error_correction_does_not() {
    let maker = TestMaker::new(3);
    let mark = maker.sign(maker.usual_mark());
    for (symbology, request) in REQUESTS {
        let matrix = symbol(&mark, &request);
        let mut read = [0, 0, 0];
        for share in 0..100 {
            let grid = worn(&matrix, share);
            let alone = decode(symbology, grid.height, grid.width, &grid.llr).is_ok();
            let recovers = |beside| {
                with(&maker.trust(), beside, |basis| {
                    match Recoverer::new(basis, Effort::Normal).recover(symbology, [&grid], true) {
                        Some(Recovered::Proven(assessment)) => {
                            assert_eq!(assessment.verdict, Verdict::Authentic);
                            assert_eq!(assessment.proven.unwrap().serial, Some(48_213_077));
                            true
                        }
                        _ => false,
                    }
                })
            };
            read[0] += usize::from(alone);
            read[1] += usize::from(alone || recovers(Beside::Nothing));
            read[2] += usize::from(alone || recovers(Beside::Print));
        }
        assert!(read[0] > 5 && read[0] < read[2] && read[1] <= read[2], "{symbology:?}: {read:?}");
    }
}

#[test]
fn what_was_seen_of_a_mark_without_its_signature_is_a_lead_and_nothing_else_is() {
    let maker = TestMaker::new(3);
    let mark = maker.sign(maker.usual_mark());
    for (symbology, request) in REQUESTS {
        let matrix = symbol(&mark, &request);
        // Every module on which the signature has an influence, painted over: where two signatures under one mask differ.
        let signed_otherwise = |n: u8| {
            let mut other = mark.clone();
            other.signature.iter_mut().for_each(|byte| *byte ^= n);
            symbol(&other, &request)
        };
        let mask = |m: &Matrix| (0..6).map(|x| m.is_dark(x, 8)).collect::<Vec<bool>>();
        let same_mask = |m: &Matrix| symbology == Symbology::DataMatrix || mask(m) == mask(&matrix);
        let others: Vec<Matrix> = (1..=255).map(signed_otherwise).filter(same_mask).take(2).collect();
        assert_eq!(others.len(), 2);
        let mut painted = seen(&matrix);
        for (i, llr) in painted.llr.iter_mut().enumerate() {
            let (x, y) = (i % matrix.width(), i / matrix.width());
            if others.iter().any(|other| other.is_dark(x, y) != matrix.is_dark(x, y)) {
                *llr = 0.0;
            }
        }
        let lead = |trust: &Trust, grid: &ModuleGrid| {
            with(trust, Beside::Print, |basis| Recoverer::new(basis, Effort::Normal).recover(symbology, [grid], true))
        };
        let Some(Recovered::Lead(fields)) = lead(&maker.trust(), &painted) else { panic!("{symbology:?}: no lead") };
        assert_eq!((fields.serial, fields.key_id), (Some(48_213_077), public(&maker.line).id().to_string()));
        assert_eq!(lead(&TestMaker::new(4).trust(), &painted), None, "a stranger's mark is no lead");
        let noise = ModuleGrid {
            llr: (0..matrix.width() * matrix.height()).map(|i| if i * 7919 % 13 < 6 { 3.0 } else { -3.0 }).collect(),
            ..seen(&matrix)
        };
        assert_eq!(lead(&maker.trust(), &noise), None);
    }
}

/// A part in clean light, photographed with a strip of paint at a different place each time (counted from 0), or none.
fn photos(mark: &SignedMark, request: &Request, strips: &[Option<usize>]) -> Vec<tempfile::NamedTempFile> {
    let matrix = symbol(mark, request);
    let photo = |strip: &Option<usize>| {
        let mut photo = simulate(&matrix, &Scene { rotation: 0.0, tilt: 0.0, ..Scene::clean() }, 40);
        if let Some(n) = strip {
            // The finder patterns stay.
            let (half, width) = if matches!(request, Request::Qr { .. }) { (130, 85) } else { (95, 95) };
            let middle = if n % 2 == 0 { (450, 337) } else { (337, 450) };
            let along = if n / 2 % 2 == 0 { middle.1 - width } else { middle.1 };
            for a in middle.0 - half..middle.0 + half {
                for b in along..along + width {
                    let (x, y) = if n % 2 == 0 { (a, b) } else { (b, a) };
                    photo.put_pixel(x, y, image::Rgb([70, 70, 70]));
                }
            }
        }
        let file = tempfile::Builder::new().suffix(".jpg").tempfile().unwrap();
        std::fs::write(file.path(), jpeg(&photo, 95)).unwrap();
        file
    };
    strips.iter().map(photo).collect()
}

fn part(files: &[tempfile::NamedTempFile], basis: &Basis<'_>) -> (Vec<Examination>, Option<PartExamination>) {
    let options = Options { effort: Effort::Normal, ..Options::default() };
    let one = |file: &tempfile::NamedTempFile| examine(file.path(), basis, &Limits::default(), &options).unwrap();
    let examinations: Vec<Examination> = files.iter().map(one).collect();
    let part = examine_together(&examinations, basis, Effort::Normal);
    (examinations, part)
}

#[test]
fn photos_of_one_part_say_together_what_none_of_them_says() {
    let maker = TestMaker::new(3);
    let mark = maker.sign(maker.usual_mark());
    for (symbology, request) in REQUESTS {
        let read = |judged: &Judged| judged.assessment.proven.is_some();
        with(&maker.trust(), Beside::Nothing, |basis| {
            let files = photos(&mark, &request, &[Some(0), Some(1), Some(2), Some(3)]);
            let (alone, together) = part(&files, basis);
            let alone = alone.iter().filter(|photo| photo.marks.iter().any(|mark| read(&mark.judged))).count();
            let together = together.unwrap();
            assert_eq!(alone, 0, "{symbology:?}");
            assert!(read(&together.judged), "{symbology:?}: {:?}", together.judged.assessment);
            assert!(together.photos.len() > 1);
        });
    }
}

#[test]
fn photos_of_two_parts_are_told_apart() {
    let maker = TestMaker::new(3);
    let marks =
        [48_213_077, 48_213_078].map(|n| maker.sign(maker.mark(n, "STM32F407VGT6", "A2B347K", "2026-11-23", None)));
    with(&maker.trust(), Beside::Nothing, |basis| {
        let [one, two] = marks.each_ref().map(|mark| photos(mark, &REQUESTS[1].1, &[None]).remove(0));
        let (_, same) = part(&photos(&marks[0], &REQUESTS[1].1, &[None, None]), basis);
        assert!(same.unwrap().judged.assessment.findings.is_empty());
        let (_, different) = part(&[one, two], basis);
        let findings = different.unwrap().judged.assessment.findings;
        assert!(findings.iter().any(|finding| finding.finding == FindingKind::DifferentParts));
    });
}

#[test]
fn a_lot_that_contradicts_the_print_is_pointed_out() {
    let maker = TestMaker::new(3);
    let other = maker.sign(maker.mark(48_213_077, "STM32F407VGT6", "B0000", "2026-11-23", None));
    with(&maker.trust(), Beside::Print, |basis| {
        let assessment = touchmark_verifier::verify::verify(&other.to_bytes(), basis);
        assert_eq!(assessment.verdict, Verdict::Authentic);
        let findings: Vec<FindingKind> = assessment.findings.iter().map(|f| f.finding).collect();
        assert_eq!(findings, [FindingKind::LotContradictsPrint]);
    });
}
