//! Going on after the store was put back from a backup, or moved: whatever may be on parts and is not on record is blocked
//! for ever, as lost, and then a new count begins.

use super::newest::{check_newest, progress};
use super::store::Store;
use super::witness::{Busy, Witness};
use crate::error::{Error, Result};
use std::path::Path;
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::key::KeyBytes;

/// What people know of serials that are not on record.
#[derive(Debug, Clone, Copy)]
pub enum Known<'a> {
    /// These may have been issued, beside those that the witness knows of.
    Lost(&'a [SerialRange]),
    /// The store is the newest.
    Nothing,
}

/// Lets the issuer `name` of `key`, and every other that this machine knows of in `state`, go on. Returns how many serials
/// are blocked by it.
///
/// # Errors
/// Nobody knows what was lost; or the witnesses know better than that nothing was; or one of the issuers is at work; or the
/// store failed.
pub fn recover(store: &mut Store, state: &Path, key: &KeyBytes, name: &str, known: Known<'_>) -> Result<u64> {
    let own = Witness::open(state, key, name, Busy::Refuse)?;
    let agrees = check_newest(store, &own, key, name).is_ok();
    let others = own.others(key)?;
    let mut witnesses = vec![(name.to_owned(), own)];
    for other in others {
        let witness = Witness::open(state, key, &other.name, Busy::Refuse)?;
        witnesses.push((other.name, witness));
    }
    let lost = lost(&witnesses, agrees, known)?;
    let seat = store.take_seat(key, name)?;
    let blocked = store.lose(&seat, &lost)?;
    for (name, witness) in &mut witnesses {
        let seat = store.take_seat(key, name)?;
        let seat = store.skip_to(&seat, witness.progress().map_or(0, |known| known.sequence))?;
        let leases = store.leases()?;
        witness.begin(store.id(), progress(&seat, leases))?;
    }
    Ok(blocked)
}

fn lost(witnesses: &[(String, Witness)], agrees: bool, known: Known<'_>) -> Result<Vec<(u64, u64)>> {
    let knows = witnesses.iter().any(|(_, witness)| witness.progress().is_some());
    match known {
        Known::Nothing if knows && !agrees => {
            Err(Error::refused("this machine knows of marks that are not on record, so something was lost")
                .hint("leave --nothing-lost out"))
        }
        Known::Nothing => Ok(Vec::new()),
        Known::Lost([]) if agrees => Err(Error::refused("there is nothing to recover from: the store is the newest")),
        Known::Lost([]) if !knows => Err(Error::unusable("this machine does not know which serials may be on parts")
            .hint(
                "say those from the last on record to the highest on a part or in the MES with --lost FIRST-LAST; or \
                 --nothing-lost if the store was only moved",
            )),
        Known::Lost(ranges) => {
            let said = ranges.iter().map(|range| (range.first.get(), range.last.get()));
            let noted = witnesses.iter().flat_map(|(_, witness)| witness.leases()).copied();
            Ok(said.chain(noted).collect())
        }
    }
}
