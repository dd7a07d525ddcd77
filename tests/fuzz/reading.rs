//! What must hold for any picture and any sampling: no panic, nothing that points beyond what is there, nothing beyond the
//! limits that were set. Shared by the fuzz targets and the tests of the reader.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::Path;
use touchmark_formats::symbol::Symbology;
use touchmark_formats::symbol::anatomy::anatomy;
use touchmark_formats::symbol::decode::decode;
use touchmark_formats::symbol::recover::{Depth, Recovery, Template};
use touchmark_verifier::case::gather::{Content, Gather, Passed};
use touchmark_verifier::grade::grade;
use touchmark_verifier::photo::{Limits, decode_luma};
use touchmark_verifier::pipeline::Budget;
use touchmark_verifier::read::geometry::Point;
use touchmark_verifier::read::{Effort, Luma, Options, Place, read};

/// A file is refused, or gives a picture of the size that it says, within the limits.
pub fn photo(bytes: &[u8]) {
    let limits = Limits { file_bytes: 1 << 20, pixels: 1 << 18 };
    if let Ok((luma, _)) = decode_luma(bytes, &limits) {
        assert_eq!(luma.data.len(), luma.width * luma.height);
        assert!(luma.data.len() as u64 <= limits.pixels);
    }
}

/// What is found in a picture lies in the plane, has as many samples as modules, and can be graded. The first bytes say
/// where and how hard to look.
pub fn picture(bytes: &[u8]) {
    let Some((&[width, how, x, y], pixels)) = bytes.split_first_chunk::<4>() else { return };
    let width = usize::from(width);
    let height = pixels.len() / width.max(1);
    let luma = Luma { width, height, data: pixels.iter().take(width * height).copied().collect() };
    let effort = [Effort::Quick, Effort::Normal, Effort::Forensic][usize::from(how % 3)];
    let (x, y, w, h) = (f32::from(x), f32::from(y), width as f32, height as f32);
    let place = match how / 3 % 3 {
        0 => Place::Anywhere,
        1 => Place::Region([x - 8.0, y - 8.0, w, h]),
        _ => Place::Corners([Point::new(0.0, 0.0), Point::new(x, y), Point::new(w, h), Point::new(0.0, h)]),
    };
    for symbol in read(&luma, &Options { effort, place, doubtful: true }) {
        let located = &symbol.located;
        assert_eq!(located.modules.llr.len(), located.modules.width * located.modules.height);
        assert!(located.corners.iter().all(|c| c.x.is_finite() && c.y.is_finite()));
        assert!(symbol.credible || symbol.decoded.is_err());
        let _ = grade(&luma, &symbol);
    }
}

/// Any likelihoods of any grid are decoded, or are not; what decodes has an anatomy; a judge gets candidates in bounds.
pub fn grid(bytes: &[u8]) {
    let Some((&[kind, side, known], rest)) = bytes.split_first_chunk::<3>() else { return };
    let symbology = [Symbology::QrCode, Symbology::DataMatrix, Symbology::MicroQrCode][usize::from(kind % 3)];
    let columns = usize::from(side).max(1);
    let rows = if kind & 0x80 == 0 { columns } else { rest.len() / columns };
    let llr: Vec<f32> = (0..rows * columns)
        .map(|i| rest.get(i % rest.len().max(1)).map_or(0.0, |b| f32::from(*b as i8) / 16.0))
        .collect();
    let content = decode(symbology, rows, columns, &llr);
    let anatomy = anatomy(symbology, rows, columns, &llr);
    if content.is_ok() && symbology != Symbology::MicroQrCode {
        let anatomy = anatomy.unwrap_or_else(|e| panic!("it decodes and has no anatomy: {e}"));
        assert_eq!((anatomy.truth.len(), anatomy.codeword.len()), (rows * columns, rows * columns));
    }
    let recovery = Recovery::new(symbology, rows, columns, &llr);
    let template = Template {
        bytes: rest.iter().take(known.into()).map(|byte| (byte % 3 > 0).then_some(*byte)).collect(),
        complete: known % 2 == 0,
    };
    let _ = (recovery.agreement(&template), recovery.seen().count());
    assert!(recovery.candidates(Some(&template), Depth::Erasures, 2).len() <= 6);
    assert!(recovery.candidates(None, Depth::Erasures, 2).len() <= 6);
}

/// An archive gives photos within the limits, each with a name of its own, or says what is wrong. The first byte says which
/// kind it is.
pub fn archive(bytes: &[u8]) {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    let Ok(folder) = tempfile::tempdir_in(if Path::new("/dev/shm").is_dir() { "/dev/shm" } else { "." }) else {
        return;
    };
    let path = folder.path().join(["a.zip", "a.tar", "a.tar.gz"][usize::from(kind % 3)]);
    if std::fs::write(&path, bytes).is_err() {
        return;
    }
    let (held, passed, limits) =
        (Budget::of(1 << 20), Passed::default(), Limits { file_bytes: 1 << 20, pixels: 1 << 18 });
    let gather =
        Gather { case: &folder.path().join("case"), wanted: &|_, _| true, held: &held, limits, passed: &passed };
    let mut names = HashSet::new();
    gather.all(std::slice::from_ref(&path), &mut |found| {
        if let Content::Bytes(bytes, _) = &found.content {
            assert!(bytes.len() as u64 <= limits.file_bytes);
            assert!(names.insert(found.path), "two photos of one name");
        }
        ControlFlow::Continue(())
    });
}
