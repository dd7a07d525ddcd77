//! A photo in, its marks and their verdicts out.

use crate::fuse::fuse;
use crate::photo::{self, Limits, Photo, PhotoError};
use crate::read::{self, DecodeError, Decoded, Effort, ModuleGrid, Symbol};
use crate::recover::{Recovered, Recoverer};
use crate::verdict::{Finding, FindingKind, Verdict};
use crate::verify::{Assessment, Basis, Unproven, verify};
use serde::Serialize;
use std::path::Path;
use touchmark_formats::symbol::Symbology;

/// What a photo shows.
#[derive(Debug, Clone)]
pub struct Examination {
    /// SHA-256 of the file.
    pub sha256: [u8; 32],
    /// Pixels a row, upright.
    pub width: usize,
    /// Rows, upright.
    pub height: usize,
    /// What is wrong with the file, where only a part of the picture could be searched.
    pub damage: Option<String>,
    /// Every symbol in it.
    pub marks: Vec<FoundMark>,
    /// Everything that looks like a symbol, the marks among them, for [`examine_together`].
    pub symbols: Vec<Symbol>,
}

/// A symbol in a photo, judged.
#[derive(Debug, Clone, Serialize)]
pub struct FoundMark {
    /// What it is.
    #[serde(flatten)]
    pub judged: Judged,
    /// Outer corners in pixels of the upright photo: the symbol's own top left, top right, bottom right, bottom left.
    pub corners: [[f32; 2]; 4],
}

/// A symbol, wherever it was seen.
#[derive(Debug, Clone, Serialize)]
pub struct Judged {
    /// The verdict and what it rests on.
    #[serde(flatten)]
    pub assessment: Assessment,
    /// `QRCode` or `DataMatrix`.
    pub symbology: &'static str,
    /// Modules a row, and rows.
    pub modules: [usize; 2],
    /// Codewords that error correction changed.
    pub repaired: Option<usize>,
    /// Codewords in the symbol.
    pub codewords: Option<usize>,
    /// Error correction alone would not have brought it back: what was known beforehand did, and its signature is the
    /// proof.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub recovered: bool,
}

impl Judged {
    /// Whether anything was read of it, be it a lead.
    fn says_something(&self) -> bool {
        self.assessment.verdict != Verdict::Unreadable || self.assessment.unauthenticated.is_some()
    }
}

/// Reads the photo at `path` and judges every symbol in it.
///
/// # Errors
/// [`PhotoError`] if the file is no photo that can be opened within `limits`.
pub fn examine(
    path: &Path,
    basis: &Basis<'_>,
    limits: &Limits,
    options: &read::Options,
) -> Result<Examination, PhotoError> {
    Ok(examine_photo(&photo::load(path, limits)?, basis, options))
}

/// Judges every symbol of a photo in memory. At forensic effort the usual one comes first, and the rest where that proved
/// nothing.
#[must_use]
pub fn examine_photo(photo: &Photo, basis: &Basis<'_>, options: &read::Options) -> Examination {
    let at = |effort: Effort| {
        let symbols = read::read(&photo.luma, &read::Options { doubtful: true, effort, ..options.clone() });
        let marks = judge_all(&symbols, basis, effort);
        let (width, height) = (photo.width(), photo.height());
        Examination { sha256: photo.sha256, width, height, damage: photo.damage.clone(), marks, symbols }
    };
    let proven = |seen: &Examination| seen.marks.iter().any(|mark| mark.judged.assessment.proven.is_some());
    let usual = at(options.effort.min(Effort::Normal));
    if options.effort > Effort::Normal && !proven(&usual) { at(options.effort) } else { usual }
}

/// What the symbols of one photo are worth, those left out of which nothing can be said.
#[must_use]
pub fn judge_all(symbols: &[Symbol], basis: &Basis<'_>, effort: Effort) -> Vec<FoundMark> {
    let recoverer = Recoverer::new(basis, effort);
    let judged = |symbol: &Symbol| {
        let located = &symbol.located;
        let judged = judge(&recoverer, located.symbology, &symbol.decoded, symbol.credible, || symbol.samplings());
        let worth_a_word = symbol.credible || judged.says_something();
        worth_a_word.then(|| FoundMark { judged, corners: located.corners.map(|p| [p.x, p.y]) })
    };
    symbols.iter().filter_map(judged).collect()
}

/// The verdict over a whole photo: the gravest of its marks, and a sentence that says why.
#[must_use]
pub fn overall(marks: &[FoundMark]) -> (Verdict, String) {
    match marks {
        [] => (Verdict::NothingFound, "no symbol was found in the photo".into()),
        [only] => (only.judged.assessment.verdict, only.judged.assessment.reason.clone()),
        [first, rest @ ..] => {
            let verdict = |mark: &FoundMark| mark.judged.assessment.verdict;
            let gravest = rest.iter().map(verdict).fold(verdict(first), Verdict::max);
            (gravest, format!("the gravest of {} symbols", marks.len()))
        }
    }
}

/// Why a photo that could not be opened has the verdict [`Verdict::NothingFound`].
pub const UNOPENED: &str = "the photo could not be opened";

/// What several photos of one part say together.
#[derive(Debug, Clone, Serialize)]
pub struct PartExamination {
    /// The part's mark, as far as it was read.
    #[serde(flatten)]
    pub judged: Judged,
    /// The photos that it was read from, by their place in the order given: one, where one says it all.
    #[serde(skip)]
    pub photos: Vec<usize>,
}

/// Judges the mark of one part that several photos show: what one of them proves, else what all of them together do.
/// `None` if no symbol was seen. Marks of which the photos prove different ones are pointed out by a finding.
#[must_use]
pub fn examine_together(photos: &[Examination], basis: &Basis<'_>, effort: Effort) -> Option<PartExamination> {
    let marks = photos.iter().enumerate().flat_map(|(n, photo)| photo.marks.iter().map(move |mark| (n, &mark.judged)));
    let alone: Vec<(usize, &Judged)> = marks.collect();
    let mut proven: Vec<(usize, &Judged)> = Vec::new();
    for (n, judged) in &alone {
        let known = |(_, known): &(usize, &Judged)| known.assessment.proven == judged.assessment.proven;
        if judged.assessment.proven.is_some() && !proven.iter().any(known) {
            proven.push((*n, judged));
        }
    }
    let gravest = |judged: &[(usize, &Judged)]| {
        let gravest = judged.iter().max_by_key(|(n, judged)| (judged.assessment.verdict, std::cmp::Reverse(*n)))?;
        Some(PartExamination { judged: gravest.1.clone(), photos: vec![gravest.0] })
    };
    if let Some(mut part) = gravest(&proven) {
        if proven.len() > 1 {
            let detail = format!("the photos prove {} different marks: they are not all of one part", proven.len());
            part.judged.assessment.findings.push(Finding { finding: FindingKind::DifferentParts, detail });
        }
        return Some(part);
    }
    let symbols: Vec<&[Symbol]> = photos.iter().map(|photo| photo.symbols.as_slice()).collect();
    let together = fused(&symbols, basis, effort);
    let proven = together.iter().find(|part| part.judged.assessment.proven.is_some()).cloned();
    let read: Vec<(usize, &Judged)> = alone.iter().filter(|(_, judged)| judged.says_something()).copied().collect();
    proven.or_else(|| gravest(&read)).or_else(|| together.into_iter().next()).or_else(|| gravest(&alone))
}

/// What the undecoded symbols of several photos of one part, one slice each, say together: whatever says something.
#[must_use]
pub fn fused(photos: &[&[Symbol]], basis: &Basis<'_>, effort: Effort) -> Vec<PartExamination> {
    let recoverer = Recoverer::new(basis, effort);
    let together = fuse(photos).into_iter().map(|fused| {
        let decoded = fused.decode();
        let judged = judge(&recoverer, fused.symbology, &decoded, true, || fused.samplings.iter());
        PartExamination { judged, photos: fused.photos }
    });
    together.filter(|part| part.judged.says_something()).collect()
}

fn judge<'g, I: IntoIterator<Item = &'g ModuleGrid>>(
    recoverer: &Recoverer<'_>,
    symbology: Symbology,
    decoded: &Result<Decoded, DecodeError>,
    credible: bool,
    samplings: impl Fn() -> I,
) -> Judged {
    let (assessment, recovered) = match decoded {
        Ok(decoded) => (verify(&decoded.bytes, recoverer.basis()), false),
        Err(e) => match recoverer.recover(symbology, samplings(), credible) {
            Some(Recovered::Proven(assessment)) => (*assessment, true),
            Some(Recovered::Lead(fields)) => (unreadable(*e, Some(fields)), false),
            None => (unreadable(*e, None), false),
        },
    };
    let decoded = decoded.as_ref().ok();
    Judged {
        assessment,
        symbology: symbology.name(),
        modules: samplings().into_iter().next().map_or([0, 0], |grid| [grid.width, grid.height]),
        repaired: decoded.map(|d| d.repaired),
        codewords: decoded.map(|d| d.codewords),
        recovered,
    }
}

fn unreadable(error: DecodeError, unauthenticated: Option<Unproven>) -> Assessment {
    let reason = format!("a symbol is there, but cannot be read: {error}");
    Assessment { unauthenticated, ..Assessment::without_mark(Verdict::Unreadable, reason) }
}
