//! A photo in, its marks and their verdicts out.

use crate::photo::{self, Limits, PhotoError};
use crate::read::{self, Symbol};
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
    let marks = symbols.iter().map(|symbol| judge(symbol, basis)).collect();
    Ok(Examination { sha256: photo.sha256, width: photo.width(), height: photo.height(), damage: photo.damage, marks })
}

fn judge(symbol: &Symbol, basis: &Basis<'_>) -> FoundMark {
    let located = &symbol.located;
    let decoded = symbol.decoded.as_ref();
    FoundMark {
        assessment: match decoded {
            Ok(decoded) => verify(&decoded.bytes, basis),
            Err(e) => {
                Assessment::without_mark(Verdict::Unreadable, format!("a symbol is there, but cannot be read: {e}"))
            }
        },
        symbology: located.symbology.name(),
        corners: located.corners.map(|p| [p.x, p.y]),
        modules: [located.modules.width, located.modules.height],
        repaired: decoded.ok().map(|d| d.repaired),
        codewords: decoded.ok().map(|d| d.codewords),
    }
}
