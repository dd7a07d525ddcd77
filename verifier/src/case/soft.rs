//! What was seen of symbols that could not be read, kept on the disk until all photos of a folder were examined, to be put
//! together then.
//!
//! A file holds symbols one after the other: kind, width, height and number of samplings, and of each sampling a byte a
//! module, its log-likelihood ratio in fifteenths of a nat.

use super::folder::Folder;
use crate::files::{ReadError, read_regular};
use crate::hex::hex;
use crate::read::geometry::Point;
use crate::read::{DecodeError, Located, ModuleGrid, Symbol};
use sha2::{Digest, Sha256};
use std::io;
use std::path::PathBuf;
use touchmark_formats::symbol::Symbology;

/// The largest file, in bytes: 24 symbols of some 40 modules a side, in all samplings.
const MAX_BYTES: usize = 1 << 20;
/// Steps of a nat: 8 nats, at which likelihoods are clipped, are 120 of them.
const STEP: f32 = 1.0 / 15.0;
/// What the first byte of a symbol says.
const KINDS: [Symbology; 3] = [Symbology::QrCode, Symbology::DataMatrix, Symbology::MicroQrCode];

/// The file for the photo of that path.
#[must_use]
pub(super) fn path(folder: &Folder, photo: &[u8]) -> PathBuf {
    let name = hex(Sha256::digest(photo).get(..16).unwrap_or_default());
    folder.journal().join("soft").join(name)
}

/// The symbols that were not decoded, the credible ones first, as far as there is room.
#[must_use]
pub(super) fn write(symbols: &[Symbol]) -> Vec<u8> {
    let mut undecoded: Vec<&Symbol> = symbols.iter().filter(|symbol| symbol.decoded.is_err()).collect();
    undecoded.sort_by_key(|symbol| !symbol.credible);
    let mut out = Vec::new();
    for symbol in undecoded {
        let (width, height) = (symbol.located.modules.width, symbol.located.modules.height);
        let same = |grid: &&ModuleGrid| (grid.width, grid.height) == (width, height);
        let room = MAX_BYTES.saturating_sub(out.len() + 4) / (width * height).max(1);
        let grids: Vec<&ModuleGrid> = symbol.samplings().filter(same).take(room.min(255)).collect();
        let (Ok(columns), Ok(rows), Ok(count)) = (u8::try_from(width), u8::try_from(height), u8::try_from(grids.len()))
        else {
            continue;
        };
        if count == 0 {
            continue;
        }
        out.extend([code(symbol.located.symbology), columns, rows, count]);
        out.extend(grids.iter().flat_map(|grid| &grid.llr).map(|llr| (llr / STEP).round() as i8 as u8));
    }
    out
}

/// The symbols in the file for that photo; none if there is no such file.
///
/// # Errors
/// The file system fails, or somebody else wrote the file.
pub(super) fn read(folder: &Folder, photo: &[u8]) -> io::Result<Vec<Symbol>> {
    let bytes = match read_regular(&path(folder, photo), MAX_BYTES as u64) {
        Ok(bytes) => bytes,
        Err(ReadError::Io(e)) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(ReadError::Io(e)) => return Err(e),
        Err(_) => return Err(strange()),
    };
    let (mut symbols, mut rest) = (Vec::new(), bytes.as_slice());
    while let [kind, width, height, count, after @ ..] = rest {
        let (width, height) = (usize::from(*width), usize::from(*height));
        let size = width * height;
        let (modules, later) = after.split_at_checked(size * usize::from(*count)).ok_or_else(strange)?;
        let mut grids = modules.chunks_exact(size.max(1)).map(|modules| {
            let llr = modules.iter().map(|byte| f32::from(*byte as i8) * STEP).collect();
            ModuleGrid { width, height, llr }
        });
        let symbology = symbology(*kind).ok_or_else(strange)?;
        if let Some(first) = grids.next() {
            symbols.push(symbol(symbology, first, grids.collect()));
        }
        rest = later;
    }
    if rest.is_empty() { Ok(symbols) } else { Err(strange()) }
}

fn strange() -> io::Error {
    io::Error::other("it is not what was written there")
}

fn code(symbology: Symbology) -> u8 {
    KINDS.iter().position(|kind| *kind == symbology).map_or(u8::MAX, |at| at as u8)
}

fn symbology(code: u8) -> Option<Symbology> {
    KINDS.get(usize::from(code)).copied()
}

fn symbol(symbology: Symbology, modules: ModuleGrid, others: Vec<ModuleGrid>) -> Symbol {
    let corners = [Point::new(0.0, 0.0); 4];
    let located = Located { symbology, corners, modules, reversed: false, mirrored: false, attempt: "kept" };
    Symbol { located, decoded: Err(DecodeError::Checksum), others, credible: true }
}
