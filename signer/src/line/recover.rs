//! Going on after the store was put back from a backup, or moved: whatever may be on parts and is not on record is blocked
//! for ever, as lost, and then a new count begins.

use super::newest::{self, progress};
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

/// Lets the issuer `name` of `key`, and every other that this machine knows of in `state`, go on.
///
/// # Errors
/// Nobody knows what was lost; or the witnesses know better than that nothing was; or one of the issuers is at work; or the
/// store failed.
pub fn recover(store: &mut Store, state: &Path, key: &KeyBytes, name: &str, known: Known<'_>) -> Result<Recovered> {
    let own = Witness::open(state, key, name, Busy::Refuse)?;
    let others = own.others(key)?;
    let stored = store.seat(key, name)?;
    let witnessed = Witnessed {
        contradicts: newest::check(store, state, key).is_err(),
        knows: own.progress().is_some() || stored.as_ref().is_none_or(|seat| seat.sequence == 0),
    };
    let mut witnesses = Vec::new();
    // Nobody goes on under a name that nobody had, where this machine knows others.
    if own.progress().is_some() || stored.is_some() || others.is_empty() {
        witnesses.push((name.to_owned(), own));
    }
    for other in others {
        let witness = Witness::open(state, key, &other.name, Busy::Refuse)?;
        witnesses.push((other.name, witness));
    }
    let lost = lost(&witnesses, witnessed, known)?;
    // First everybody gives back what it had reserved in the store, for what of that was used is lost like the rest.
    let seats = witnesses.iter().map(|(name, _)| store.take_seat(key, name)).collect::<Result<Vec<_>>>()?;
    let blocked = match seats.first() {
        Some(seat) => store.lose(seat, &lost)?,
        None => 0,
    };
    for ((_, witness), seat) in witnesses.iter_mut().zip(&seats) {
        let seat = store.skip_to(seat, witness.progress().map_or(0, |known| known.sequence))?;
        let leases = store.leases()?;
        witness.begin(store.id(), progress(&seat, leases))?;
    }
    Ok(Recovered { names: witnesses.into_iter().map(|(name, _)| name).collect(), blocked })
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// Who may issue again.
    pub names: Vec<String>,
    /// How many serials are blocked by it.
    pub blocked: u64,
}

/// What the witnesses say.
#[derive(Clone, Copy)]
struct Witnessed {
    /// One of them knows of more than is on record.
    contradicts: bool,
    /// How far the issuer got that is to go on is known here, or it never issued.
    knows: bool,
}

fn lost(witnesses: &[(String, Witness)], witnessed: Witnessed, known: Known<'_>) -> Result<Vec<(u64, u64)>> {
    match known {
        Known::Nothing if witnessed.contradicts => {
            Err(Error::refused("this machine knows of marks that are not on record, so something was lost")
                .hint("leave --nothing-lost out"))
        }
        Known::Nothing => Ok(Vec::new()),
        Known::Lost([]) if !witnessed.knows => {
            Err(Error::unusable("this machine does not know which serials may be on parts").hint(
                "say those from the last on record to the highest on a part or in the MES with --lost FIRST-LAST; or \
                 --nothing-lost if the store was only moved",
            ))
        }
        Known::Lost([]) if !witnessed.contradicts => {
            Err(Error::refused("there is nothing to recover from: the store is the newest"))
        }
        Known::Lost(ranges) => {
            let said = ranges.iter().map(|range| (range.first.get(), range.last.get()));
            let noted = witnesses.iter().flat_map(|(_, witness)| witness.leases()).copied();
            Ok(said.chain(noted).collect())
        }
    }
}
