//! Whether what is on record as packed holds together.

use super::{Packed, held_by};
use crate::error::{Error, Result};
use crate::lot::{merged, minus};
use crate::own;
use touchmark_formats::carried::Carried;
use touchmark_formats::container::Level;
use touchmark_formats::delegation::{Delegation, SerialRange};
use touchmark_formats::key::PublicKey;

/// What is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Reels, boxes and pallets that are whole.
    pub whole: [u64; 3],
    /// Containers that were opened.
    pub opened: u64,
    /// Parts in reels that are whole.
    pub parts: u64,
}

/// Checks every container of the line with `delegation`, whose public key is `key`: its mark is the line's, and says what is on
/// record; nothing is in two; and a box or pallet holds whole reels or boxes and nothing else.
///
/// # Errors
/// The first that does not hold.
pub fn check(packed: &[Packed], delegation: &Delegation, key: &PublicKey) -> Result<Counts> {
    let own: Vec<&Packed> = packed.iter().filter(|packed| packed.key == delegation.key).collect();
    let mut counts = Counts::default();
    for packed in &own {
        says_so(packed, delegation, key)?;
        counts.opened += u64::from(packed.opened.is_some());
    }
    let mut inner: Vec<&Packed> = Vec::new();
    for (level, count) in Level::ALL.into_iter().zip(&mut counts.whole) {
        let whole = own.iter().copied().filter(|p| p.opened.is_none() && p.level == level.name()).collect::<Vec<_>>();
        once(&whole)?;
        if held_by(level).is_some() {
            whole.iter().try_for_each(|outer| holds_wholes(outer, &inner))?;
        } else {
            counts.parts = whole.iter().flat_map(|packed| &packed.serials).map(SerialRange::count).sum();
        }
        *count = whole.len() as u64;
        inner = whole;
    }
    Ok(counts)
}

fn says_so(packed: &Packed, delegation: &Delegation, key: &PublicKey) -> Result<()> {
    let wrong = |what: &str| Error::refused(format!("the {}: {what}", packed.described()));
    let read = own::read(&packed.mark, delegation, key).map_err(|e| wrong(&e.message))?;
    let Carried::Container(signed) = &read.carried else { return Err(wrong("its mark is that of a part")) };
    let container = &signed.container;
    let rising = merged(packed.serials.clone()) == packed.serials;
    let hull = packed.serials.first().zip(packed.serials.last());
    let hull = hull.map(|(first, last)| SerialRange { first: first.first, last: last.last });
    let quantity: u64 = packed.serials.iter().map(SerialRange::count).sum();
    let same = container.level.name() == packed.level
        && (hull, quantity) == (Some(container.serials), container.quantity())
        && (&read.part, &read.lot) == (&packed.part, &packed.lot);
    if rising && same { Ok(()) } else { Err(wrong("its mark says something else than the record")) }
}

fn once(whole: &[&Packed]) -> Result<()> {
    let mut ranges: Vec<(SerialRange, &Packed)> =
        whole.iter().flat_map(|packed| packed.serials.iter().map(|range| (*range, *packed))).collect();
    ranges.sort_by_key(|(range, _)| range.first);
    let twice = ranges.iter().zip(ranges.iter().skip(1)).find(|((a, _), (b, _))| a.last >= b.first);
    match twice {
        None => Ok(()),
        Some(((_, one), (again, other))) => Err(Error::refused(format!(
            "serial {} is in the {} and in the {}",
            again.first,
            one.described(),
            other.described()
        ))),
    }
}

/// A box is the sum of whole reels, a pallet of whole boxes.
fn holds_wholes(outer: &Packed, inner: &[&Packed]) -> Result<()> {
    let inside = |range: &SerialRange| minus(&[*range], &outer.serials).is_empty();
    let held = inner.iter().filter(|inner| inner.serials.iter().all(inside)).flat_map(|inner| inner.serials.clone());
    match minus(&outer.serials, &merged(held.collect())).first() {
        None => Ok(()),
        Some(loose) => Err(Error::refused(format!(
            "the {}: serial {} is in no whole container in it",
            outer.described(),
            loose.first
        ))),
    }
}
