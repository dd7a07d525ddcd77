//! Whether a store is the newest state of itself, as far as this machine can know: the store held against the witnesses.

use super::store::{Seat, Store};
use super::witness::{self, Other, Progress, Witness};
use crate::error::Result;
use std::path::Path;
use touchmark_formats::key::KeyBytes;

/// Refuses a store that is an older copy of itself, for the issuer `name` of `key`, which has its `witness`. Returns how
/// often serials were reserved in it.
///
/// # Errors
/// It is an older copy; or the store failed, or a witness is damaged.
pub(super) fn check_newest(store: &mut Store, witness: &Witness, key: &KeyBytes, name: &str) -> Result<u64> {
    // What others noted is read before the store, which therefore cannot be behind them because they are at work.
    let others = witness.others(key)?;
    let stored = store.seat(key, name)?;
    let leases = store.leases()?;
    witness.check(store.id(), store.name(), stored.map(|seat| progress(&seat, leases)))?;
    check_others(store, key, &others, leases)?;
    Ok(leases)
}

/// The same for whoever only reads the store, and may do so while issuers are at work: all witnesses in the folder `state`
/// have to agree.
///
/// # Errors
/// It is an older copy; or the store failed, or a witness is damaged.
pub fn check(store: &mut Store, state: &Path, key: &KeyBytes) -> Result<()> {
    let known = witness::all(state, key)?;
    let leases = store.leases()?;
    check_others(store, key, &known, leases)
}

fn check_others(store: &mut Store, key: &KeyBytes, known: &[Other], leases: u64) -> Result<()> {
    for other in known {
        let stored = store.seat(key, &other.name)?.map(|seat| progress(&seat, leases));
        witness::check((&other.store, other.progress), store.id(), store.name(), stored, &other.name)?;
    }
    Ok(())
}

/// How far the issuer on `seat` got.
pub(super) fn progress(seat: &Seat, leases: u64) -> Progress {
    Progress { sequence: seat.sequence, nonce: seat.nonce, leases }
}
