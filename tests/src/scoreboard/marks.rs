//! Ours over photos of our own marks, with a trust bundle in hand: the whole way from pixels to a proven mark.

use super::readers::{Content, Reader, Reading};
use super::truth::Photo;
use std::path::Path;
use std::time::Instant;
use touchmark_formats::mark::{Part, SignedMark};
use touchmark_formats::trust::{Directory, Trust};
use touchmark_verifier::examine::{FoundMark, examine_photo, judge_all};
use touchmark_verifier::photo::{Limits, load};
use touchmark_verifier::read::{Effort, Options};
use touchmark_verifier::verdict::Verdict;
use touchmark_verifier::verify::Basis;

/// `touchmark-verify photo` at normal effort, at forensic effort, and at that with the part and lot printed beside the
/// mark. Each is asked where the one before proved nothing.
#[derive(Debug)]
pub struct Verifier<'a> {
    /// Whom to believe.
    pub directory: &'a Directory<'a>,
    /// The efforts, in rising order.
    pub efforts: Vec<Effort>,
}

/// The column of forensic effort with the print.
pub const WITH_PRINT: &str = "touchmark, forensic, part and lot known";

impl Reader for Verifier<'_> {
    fn columns(&self) -> Vec<String> {
        let mut columns: Vec<String> =
            self.efforts.iter().map(|effort| super::readers::named(*effort).into()).collect();
        columns.extend(self.efforts.contains(&Effort::Forensic).then(|| WITH_PRINT.into()));
        columns
    }

    fn read(&mut self, path: &Path, photo: &Photo) -> Vec<Option<Reading>> {
        let columns = self.columns().len();
        let Ok(picture) = load(path, &Limits::default()) else { return vec![Some(Reading::default()); columns] };
        let print = Print::of(photo);
        let trust: &Trust = self.directory.trust();
        let bare = Basis {
            directory: self.directory,
            disclosures: &[],
            trails: &[],
            printed_part: None,
            printed_lot: None,
            now: trust.created,
        };
        let mut out: Vec<Reading> = Vec::new();
        let mut symbols = Vec::new();
        for effort in &self.efforts {
            let start = Instant::now();
            if let Some(before) = out.last().filter(|before| !before.contents.is_empty()) {
                out.push(before.clone());
                continue;
            }
            let seen = examine_photo(&picture, &bare, &Options { effort: *effort, ..Options::default() });
            out.push(reading(start, photo, &seen.marks));
            symbols = seen.symbols;
        }
        if let Some(before) = out.last().filter(|_| out.len() < columns) {
            let mut last = before.clone();
            if last.contents.is_empty() {
                let (part, lot) = (Some(print.part.as_str()), Some(print.lot.as_str()));
                let start = Instant::now();
                let informed = Basis { printed_part: part, printed_lot: lot, ..bare };
                last = reading(start, photo, &judge_all(&symbols, &informed, Effort::Forensic));
                last.read_ms += before.read_ms;
            }
            out.push(last);
        }
        out.into_iter().map(Some).collect()
    }
}

/// What stands beside the mark of a photo.
struct Print {
    part: String,
    lot: String,
}

impl Print {
    fn of(photo: &Photo) -> Self {
        let part = expected(photo).map(|mark| match mark.mark.part {
            Part::Inline(part) => part.as_str().to_owned(),
            Part::Listed(_) => crate::ladder::PARTS[0].to_owned(),
        });
        Self { part: part.unwrap_or_default(), lot: crate::ladder::LOT.to_owned() }
    }
}

fn expected(photo: &Photo) -> Option<SignedMark> {
    SignedMark::from_bytes(photo.symbols.first()?.content.as_ref()?).ok()
}

/// The marks that were proven: the photo's own by its serial, any other as a content that nothing has.
fn reading(start: Instant, photo: &Photo, marks: &[FoundMark]) -> Reading {
    let expected = expected(photo);
    let proven = marks.iter().filter(|mark| mark.judged.assessment.verdict == Verdict::Authentic);
    let contents = proven.filter_map(|mark| mark.judged.assessment.proven.as_ref()).map(|proven| {
        let own = expected.as_ref().filter(|own| Some(own.mark.serial.get()) == proven.serial);
        Content { bytes: own.map(SignedMark::to_bytes).unwrap_or_default(), text: None }
    });
    Reading { load_ms: 0.0, read_ms: start.elapsed().as_secs_f64() * 1e3, contents: contents.collect() }
}
