//! The soft reading of a photo, or of several of one part: what its maker needs to tell which mark it shows where nothing can
//! be read any more.

use crate::examine::Examination;
use crate::fuse::fuse;
use crate::read::{ModuleGrid, Symbol};
use touchmark_formats::reading::{MAX_PHOTOS, MAX_SYMBOLS, PhotoHash, Reading, SeenSymbol};
use touchmark_formats::signed::Signed;
use touchmark_formats::symbol::Symbology;
use touchmark_formats::symbol::recover::consensus;

/// Looks at one symbol that are kept: each costs who matches them as much as twice as many marks.
const LOOKS: usize = 4;

/// What these photos, of one part if they are several, show of its symbol: what they show together first. Micro QR Code
/// carries no marks, and is left out. `None` without a photo, or with more than a reading is of.
#[must_use]
pub fn reading(photos: &[Examination]) -> Option<Signed<Reading>> {
    if photos.is_empty() || photos.len() > MAX_PHOTOS {
        return None;
    }
    let mut symbols: Vec<&Symbol> = photos.iter().flat_map(|photo| &photo.symbols).collect();
    symbols.sort_by_key(|symbol| (symbol.decoded.is_err(), !symbol.credible));
    let together: Vec<&[Symbol]> = photos.iter().map(|photo| photo.symbols.as_slice()).collect();
    let together = fuse(&together).into_iter().filter_map(|fused| seen(fused.symbology, fused.samplings.iter()));
    let alone = symbols.iter().filter_map(|symbol| seen(symbol.located.symbology, symbol.samplings()));
    Some(Signed::new(Reading {
        tool: concat!("touchmark-verify ", env!("CARGO_PKG_VERSION")).to_owned(),
        photos: photos.iter().map(|photo| PhotoHash(photo.sha256)).collect(),
        symbols: together.chain(alone).take(MAX_SYMBOLS).collect(),
    }))
}

/// A symbol in its first sampling, in what all of the same size say together, and in some of the others.
fn seen<'g>(symbology: Symbology, samplings: impl Iterator<Item = &'g ModuleGrid>) -> Option<SeenSymbol> {
    let samplings: Vec<&ModuleGrid> = samplings.collect();
    let (first, others) = samplings.split_first()?;
    let same = |grid: &&&ModuleGrid| (grid.width, grid.height) == (first.width, first.height);
    let others: Vec<&[f32]> = others.iter().filter(same).map(|grid| grid.llr.as_slice()).collect();
    let all: Vec<&[f32]> = std::iter::once(first.llr.as_slice()).chain(others.iter().copied()).collect();
    let mean = (!others.is_empty()).then(|| consensus(&all));
    let looks = std::iter::once(first.llr.as_slice()).chain(mean.as_deref()).chain(others).take(LOOKS);
    SeenSymbol::new(symbology, first.height, first.width, looks)
}
