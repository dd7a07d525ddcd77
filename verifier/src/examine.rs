//! A photo in, its marks and their verdicts out.

use crate::photo::{self, Limits, PhotoError};
use crate::read::{self, DecodeError, Effort, Symbol};
use crate::recover::{Recovered, recover};
use crate::verdict::Verdict;
use crate::verify::{Assessment, Basis, verify};
use serde::Serialize;
use std::path::Path;

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
    /// The symbols behind them, in the same order.
    pub symbols: Vec<Symbol>,
}

/// A symbol in a photo, judged.
#[derive(Debug, Clone, Serialize)]
pub struct FoundMark {
    /// The verdict and what it rests on.
    #[serde(flatten)]
    pub assessment: Assessment,
    /// `QRCode` or `DataMatrix`.
    pub symbology: &'static str,
    /// Outer corners in pixels of the upright photo: the symbol's own top left, top right, bottom right, bottom left.
    pub corners: [[f32; 2]; 4],
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
    let photo = photo::load(path, limits)?;
    let symbols = read::read(&photo.luma, options);
    let marks = symbols.iter().map(|symbol| judge(symbol, basis, options.effort)).collect();
    let (width, height) = (photo.width(), photo.height());
    Ok(Examination { sha256: photo.sha256, width, height, damage: photo.damage, marks, symbols })
}

fn judge(symbol: &Symbol, basis: &Basis<'_>, effort: Effort) -> FoundMark {
    let located = &symbol.located;
    let decoded = symbol.decoded.as_ref();
    let (assessment, recovered) = match decoded {
        Ok(decoded) => (verify(&decoded.bytes, basis), false),
        Err(e) => match recover(located.symbology, symbol.samplings(), basis, effort) {
            Some(Recovered::Proven(assessment)) => (*assessment, true),
            lead => (unreadable(*e, lead), false),
        },
    };
    FoundMark {
        assessment,
        symbology: located.symbology.name(),
        corners: located.corners.map(|p| [p.x, p.y]),
        modules: [located.modules.width, located.modules.height],
        repaired: decoded.ok().map(|d| d.repaired),
        codewords: decoded.ok().map(|d| d.codewords),
        recovered,
    }
}

fn unreadable(error: DecodeError, lead: Option<Recovered>) -> Assessment {
    let unauthenticated = match lead {
        Some(Recovered::Lead(fields)) => Some(fields),
        Some(Recovered::Proven(_)) | None => None,
    };
    let reason = format!("a symbol is there, but cannot be read: {error}");
    Assessment { unauthenticated, ..Assessment::without_mark(Verdict::Unreadable, reason) }
}
