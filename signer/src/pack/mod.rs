//! Parts into reels, reels into boxes, boxes onto pallets: what is in what, on record, and the signed mark for each label.
//!
//! What goes in is named as the packer's scanner reads it: by the marks of the parts, or the container marks of the
//! reels and boxes. A part is in one reel at most, a reel in one box, a box on one pallet.
//! Packing the very same things again gives the same label again.

mod book;
mod check;
mod named;
mod seal;

pub use book::{Book, Opened, Packed, read};
pub use check::{Counts, check};
pub use named::{by_name, by_scan};
pub use seal::{consignee, require_consignee, seal};

use crate::error::{Error, Kind, Result};
use crate::lot::{self, merged};
use crate::own::{self, Own};
use std::path::Path;
use touchmark_formats::base45;
use touchmark_formats::carried::Carried;
use touchmark_formats::container::{Container, Level, Sscc};
use touchmark_formats::date::Date;
use touchmark_formats::delegation::{Delegation, OutOfScope, SerialRange};
use touchmark_formats::key::PublicKey;
use touchmark_formats::mark::Part;
use touchmark_formats::text::Label;

/// Something that goes into a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The container that it is; `None` for parts.
    pub level: Option<Level>,
    /// The serials of the parts in it, or of the parts that it is.
    pub serials: Vec<SerialRange>,
    /// Their part number.
    pub part: Label,
    /// Their lot, where it is one.
    pub lot: Option<Label>,
    /// Its mark, where a consignee is sealed into that.
    pub sealed: Option<Carried>,
}

/// What a container is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packing {
    /// Its kind.
    pub level: Level,
    /// The day of packing.
    pub date: Date,
    /// Its number in logistics.
    pub sscc: Option<Sscc>,
}

/// What is in a container, ready for its label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// What its mark says.
    pub container: Container,
    /// The part, as text.
    pub part: Label,
    /// The lot, as the signature covers it.
    pub lot: Option<Label>,
    /// The serials of all parts in it, rising.
    pub serials: Vec<SerialRange>,
}

/// What a scanner read: the text form of a mark or a container mark of this line, whose public key is `key`.
///
/// # Errors
/// It is no mark, or not one that this line signed; or a container that is not on record in `book`.
pub fn scanned(text: &str, delegation: &Delegation, key: &PublicKey, book: &Book) -> Result<Piece> {
    let Own { carried, part, lot } = own::read(text, delegation, key).map_err(|e| match e.kind {
        Kind::Refused => e.hint("what another line made is packed by that line; what nobody made is no part"),
        _ => e,
    })?;
    let sealed = Some(&carried).filter(|carried| carried.capsule().is_some()).cloned();
    let Carried::Container(signed) = carried else {
        return Ok(Piece { level: None, serials: vec![carried.serials()], part, lot, sealed });
    };
    let known = book.find(&base45::encode(&signed.to_bytes()));
    let known = known.ok_or_else(|| not_packed_here(&signed.container, book.path()))?.require_whole()?;
    Ok(Piece { level: Some(signed.container.level), serials: known.serials.clone(), part, lot, sealed })
}

fn not_packed_here(container: &Container, book: &Path) -> Error {
    let (level, serials) = (container.level.name(), container.serials);
    Error::refused(format!("the {level} of serials {serials} is not on record in {}", book.display()))
        .hint("which of its serials are missing is known only where it was packed")
}

/// Refuses parts that the line has on record as void, with the reason beside the serial.
///
/// # Errors
/// Some of `serials` are.
pub fn require_good(serials: &[SerialRange], voids: &[(u64, String)]) -> Result<()> {
    let within = |serial: u64| serials.iter().any(|range| (range.first.get()..=range.last.get()).contains(&serial));
    match voids.iter().find(|(serial, _)| within(*serial)) {
        None => Ok(()),
        Some((serial, reason)) => Err(Error::refused(format!("serial {serial} is void: {reason}"))
            .hint("what is void is on no good part: take that part out and look at it")),
    }
}

/// What is left of a container that is on record, without what was `taken` out, as one piece of what it holds.
///
/// # Errors
/// Something was taken that is not in it or does not belong there; or nothing, or all.
pub fn rest(whole: &Packed, taken: &[Piece]) -> Result<(Piece, Vec<SerialRange>)> {
    let level = whole.signed()?.container.level;
    let inner = held_by(level);
    if let Some(wrong) = taken.iter().find(|piece| piece.level != inner) {
        return Err(Error::refused(format!("a {} holds no {}, and one was taken", level.name(), name(wrong.level))));
    }
    let out = disjoint(taken)?;
    let left = lot::minus(&whole.serials, &out);
    let count = |ranges: &[SerialRange]| ranges.iter().map(SerialRange::count).sum::<u64>();
    if count(&left) + count(&out) != count(&whole.serials) {
        let inside = |range: &SerialRange| lot::minus(&[*range], &whole.serials);
        let other = out.iter().flat_map(inside).next().map_or(0, |range| range.first.get());
        return Err(Error::refused(format!("serial {other} is not in the {}", whole.described())));
    }
    if left.is_empty() || out.is_empty() {
        let what = if out.is_empty() { "nothing" } else { "all" };
        return Err(Error::unusable(format!("{what} was taken out of the {}", whole.described()))
            .hint("without --taken the whole of it is opened"));
    }
    let piece = Piece { level: inner, serials: left, part: whole.part.clone(), lot: whole.lot.clone(), sealed: None };
    Ok((piece, out))
}

/// What a container of `level` holds; `None` for parts.
fn held_by(level: Level) -> Option<Level> {
    match level {
        Level::Reel => None,
        Level::Box => Some(Level::Reel),
        Level::Pallet => Some(Level::Box),
    }
}

fn name(level: Option<Level>) -> &'static str {
    level.map_or("part", Level::name)
}

/// What the container of `pieces` says.
///
/// # Errors
/// Nothing goes in, something that does not belong there, a serial twice, parts of several numbers; or the delegation
/// does not allow it.
pub fn contents(delegation: &Delegation, packing: &Packing, pieces: &[Piece]) -> Result<Contents> {
    let inner = held_by(packing.level);
    if let Some(wrong) = pieces.iter().find(|piece| piece.level != inner) {
        let (outer, found, wanted) = (packing.level.name(), name(wrong.level), name(inner));
        return Err(Error::refused(format!("a {outer} holds no {found}, and one was given"))
            .hint(format!("a {outer} holds what is called {wanted} here: pack that first")));
    }
    let serials = disjoint(pieces)?;
    let (Some(first), Some(last), Some(piece)) = (serials.first(), serials.last(), pieces.first()) else {
        return Err(Error::unusable("nothing to pack").hint("name what was scanned, one text form a line"));
    };
    if let Some(other) = pieces.iter().find(|other| other.part != piece.part) {
        return Err(Error::refused(format!("parts {} and {} in one {}", piece.part, other.part, packing.level.name()))
            .hint("a label names one part number: pack them apart"));
    }
    let range = SerialRange { first: first.first, last: last.last };
    let quantity: u64 = serials.iter().map(SerialRange::count).sum();
    let listed = delegation.parts.iter().position(|part| *part == piece.part).and_then(|n| u16::try_from(n).ok());
    let one_lot = pieces.iter().all(|other| other.lot == piece.lot);
    let mut container = Container {
        key_id: delegation.key.id(),
        level: packing.level,
        serials: range,
        missing: range.count() - quantity,
        date: packing.date,
        part: listed.map_or_else(|| Part::Inline(piece.part.clone()), Part::Listed),
        lot: None,
        site: None,
        sscc: packing.sscc,
        capsule: None,
    };
    // A lot that the delegation ties to the whole range need not be spelled.
    if one_lot && delegation.container_lot(&container) != piece.lot.as_ref() {
        container.lot.clone_from(&piece.lot);
    }
    let broken = delegation.container_violations(&container);
    // A serial outside the range is outside every lot too, which is no news.
    if let Some(limit) = broken.iter().find(|limit| **limit == OutOfScope::Serial).or(broken.first()) {
        return Err(refusal(*limit, &container, delegation));
    }
    let lot = delegation.container_lot(&container).cloned();
    Ok(Contents { container, part: piece.part.clone(), lot, serials })
}

/// The serials of all pieces, rising, none of them twice.
fn disjoint(pieces: &[Piece]) -> Result<Vec<SerialRange>> {
    let mut all: Vec<SerialRange> = pieces.iter().flat_map(|piece| piece.serials.iter().copied()).collect();
    all.sort_by_key(|range| range.first);
    let twice = all.iter().zip(all.iter().skip(1)).find(|(a, b)| a.last >= b.first);
    match twice {
        Some((_, again)) => Err(Error::refused(format!("serial {} is in it twice", again.first))
            .hint("one of the two was scanned twice, or is a copy: look at the parts")),
        None => Ok(merged(all)),
    }
}

fn refusal(limit: OutOfScope, container: &Container, delegation: &Delegation) -> Error {
    let what = match limit {
        OutOfScope::Part => "may not mark this part".to_owned(),
        OutOfScope::Lot => format!("may not mark what serials {} have in common as one lot", container.serials),
        OutOfScope::Serial => format!("may not use serials {}, only {}", container.serials, delegation.serials),
        OutOfScope::TooEarly => format!("may not mark dates before {}", delegation.not_before),
        OutOfScope::TooLate => format!("may not mark dates after {}", delegation.not_after),
        _ => format!("may not: {}", limit.name()),
    };
    Error::refused(format!("line {:?} {what}", delegation.line.as_str()))
        .hint("the maker can grant another delegation (`touchmark-sign delegate grant`)")
}

#[cfg(test)]
mod tests;
