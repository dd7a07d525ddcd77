//! Changes to a trust bundle. Each makes a new version without signatures, for its authority to sign.

use crate::error::{Error, Result};
use crate::files::{self, Access};
use crate::home::Home;
use crate::init::BUNDLE_LIFE;
use crate::keys::{SigningKey, Unlock, sign_document};
use jiff::Timestamp;
use std::path::Path;
use touchmark_formats::close::LotClose;
use touchmark_formats::delegation::{Delegation, SerialRange};
use touchmark_formats::key::KeyBytes;
use touchmark_formats::ledger::head::LedgerKey;
use touchmark_formats::signed::Signed;
use touchmark_formats::text::Label;
use touchmark_formats::trust::{Authority, Maker, Revocation, Trust, Void};

/// A first bundle, without makers and signatures.
///
/// # Errors
/// The threshold cannot be met by the holders, or a key stands there twice.
pub fn create(authority: Authority, now: Timestamp) -> Result<Signed<Trust>> {
    use std::collections::BTreeSet;
    let keys = authority.signers.iter().map(|s| s.key).collect::<BTreeSet<_>>().len();
    let holders = authority.signers.iter().map(|s| &s.holder).collect::<BTreeSet<_>>().len();
    if keys != authority.signers.len() {
        return Err(Error::unusable("a signer's key stands there twice"));
    }
    if authority.threshold == 0 || usize::from(authority.threshold) > holders {
        return Err(Error::unusable(format!("the threshold must be 1 to {holders}, the number of holders")));
    }
    if let Some((bad, e)) = authority.signers.iter().find_map(|s| s.key.check().err().map(|e| (s, e))) {
        return Err(Error::unusable(format!("the key of {}: {e}", bad.holder)));
    }
    Ok(Signed::new(Trust {
        version: 1,
        created: now,
        expires: life(now),
        authority,
        makers: Vec::new(),
        revocations: Vec::new(),
        voids: Vec::new(),
    }))
}

fn life(now: Timestamp) -> Timestamp {
    now.checked_add(BUNDLE_LIFE).unwrap_or(Timestamp::MAX)
}

/// Reads a bundle that may still lack signatures; those that it has are good.
///
/// # Errors
/// It cannot be read, or was changed after it was signed.
pub fn read(path: &Path) -> Result<Signed<Trust>> {
    let bundle = Signed::<Trust>::from_json(&files::read(path)?).map_err(|e| Error::file(path, e))?;
    let good = |key: &KeyBytes| key.check().is_ok_and(|key| bundle.is_signed_by(&key));
    match bundle.signatures.iter().find(|entry| !good(&entry.key)) {
        Some(bad) => Err(Error::file(path, format_args!("it is not what the key {} signed", bad.key))),
        None => Ok(bundle),
    }
}

/// Writes a bundle.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, bundle: &Signed<Trust>) -> Result<()> {
    files::write(path, bundle.to_json().as_bytes(), Access::Ordinary)
}

/// The next version of `bundle`, changed by `change` and unsigned.
///
/// # Errors
/// Those of `change`; a change that leaves a delegation that does not hold.
pub fn edit(
    bundle: Signed<Trust>,
    now: Timestamp,
    change: impl FnOnce(&mut Trust) -> Result<()>,
) -> Result<Signed<Trust>> {
    let mut trust = bundle.signed;
    change(&mut trust)?;
    let next = trust.version.checked_add(1);
    trust.version = next.ok_or_else(|| Error::unusable("the bundle's version cannot rise any more"))?;
    trust.created = now;
    trust.expires = life(now);
    trust.check_all().map_err(|unsound| Error::unusable(unsound.to_string()))?;
    Ok(Signed::new(trust))
}

/// Signs with those of `keys` that belong to the authority.
///
/// # Errors
/// A key does not.
pub fn sign(bundle: &mut Signed<Trust>, keys: &[Box<dyn SigningKey>]) -> Result<()> {
    for key in keys {
        let public = key.public();
        if !bundle.signed.authority.signers.iter().any(|s| s.key == public) {
            return Err(Error::refused(format!("the key {public} is not one of {}", bundle.signed.authority.name)));
        }
        sign_document(&**key, bundle)?;
    }
    Ok(())
}

/// How many more holders must sign before verifiers accept the bundle.
#[must_use]
pub fn missing(bundle: &Signed<Trust>) -> usize {
    let authority = &bundle.signed.authority;
    usize::from(authority.threshold).saturating_sub(authority.count(bundle))
}

/// Puts a delegation beside those that its maker has. Older ones of the same line stay: marks made under them exist.
///
/// # Errors
/// The maker is not in the bundle.
pub fn add_delegation(trust: &mut Trust, delegation: Signed<Delegation>) -> Result<()> {
    let maker = own_maker(trust, &delegation.signed.maker)?;
    if !maker.delegations.iter().any(|d| d.signed == delegation.signed) {
        maker.delegations.push(delegation);
    }
    Ok(())
}

/// Puts the record of a closed lot beside those that its maker has.
///
/// # Errors
/// The maker is not in the bundle, or the record does not hold.
pub fn add_close(trust: &mut Trust, close: Signed<LotClose>) -> Result<()> {
    let maker = own_maker(trust, &close.signed.maker)?;
    if !maker.closed.iter().any(|known| known.signed == close.signed) {
        maker.closed.push(close);
    }
    Ok(())
}

/// Names the ledger of its maker, if `instead` in place of another that is lost.
///
/// # Errors
/// The maker is not in the bundle, did not sign it, or has another ledger there.
pub fn add_ledger(trust: &mut Trust, ledger: Signed<LedgerKey>, instead: bool) -> Result<()> {
    let maker = own_maker(trust, &ledger.signed.maker)?;
    let signed = maker.root.check().is_ok_and(|root| LedgerKey::check(&ledger, &root).is_some());
    if !signed {
        return Err(Error::unusable(format!("{} did not sign that this is its ledger", maker.name)));
    }
    match maker.own_ledger().filter(|known| **known != ledger.signed && !instead) {
        Some(known) => {
            Err(Error::refused(format!("{} has another ledger in the bundle, {}", maker.name, known.origin)).hint(
                "two are two histories: ask it why; if the other is lost, or its key was stolen, say --replace-ledger",
            ))
        }
        None => {
            maker.ledger = Some(ledger);
            Ok(())
        }
    }
}

/// The maker in the bundle that has this root key.
fn own_maker<'a>(trust: &'a mut Trust, root: &KeyBytes) -> Result<&'a mut Maker> {
    let maker = trust.makers.iter_mut().find(|m| m.root == *root);
    maker.ok_or_else(|| Error::unusable(format!("no maker with the root key {root} is in the bundle")))
}

/// Adds a maker.
///
/// # Errors
/// Its root key is in the bundle already, or is no good key.
pub fn add_maker(trust: &mut Trust, maker: Maker) -> Result<()> {
    maker.root.check().map_err(|e| Error::unusable(format!("the root key of {}: {e}", maker.name)))?;
    if let Some(known) = trust.makers.iter().find(|m| m.root == maker.root) {
        return Err(Error::refused(format!("that root key is in the bundle already, as {}", known.name)));
    }
    trust.makers.push(maker);
    Ok(())
}

/// Takes over the makers, delegations, ledgers, revocations and voids of another authority's bundle.
///
/// # Errors
/// A delegation does not hold, or a maker has another ledger here.
pub fn merge(trust: &mut Trust, other: Trust) -> Result<()> {
    for maker in other.makers {
        if trust.makers.iter().any(|m| m.root == maker.root) {
            maker.delegations.into_iter().try_for_each(|d| add_delegation(trust, d))?;
            maker.closed.into_iter().try_for_each(|close| add_close(trust, close))?;
            maker.ledger.into_iter().try_for_each(|ledger| add_ledger(trust, ledger, false))?;
        } else {
            add_maker(trust, maker)?;
        }
    }
    for revocation in other.revocations {
        if !trust.revocations.contains(&revocation) {
            trust.revocations.push(revocation);
        }
    }
    for void in other.voids {
        if !trust.voids.contains(&void) {
            trust.voids.push(void);
        }
    }
    Ok(())
}

/// Revokes a root or line key of the bundle.
///
/// # Errors
/// The bundle does not have the key, or it is revoked for those dates already.
pub fn revoke(trust: &mut Trust, revocation: Revocation) -> Result<()> {
    require_key(trust, &revocation.key)?;
    if let Some(old) = trust.revocation(&revocation.key).filter(|old| old.since <= revocation.since) {
        return Err(Error::refused(format!("the key is revoked since {} already: {}", old.since, old.reason)));
    }
    trust.revocations.push(revocation);
    Ok(())
}

/// Voids serials of a line key.
///
/// # Errors
/// The bundle does not have the key, or the range is empty.
pub fn void(trust: &mut Trust, key: KeyBytes, serials: SerialRange, reason: Label) -> Result<()> {
    require_key(trust, &key)?;
    if serials.count() == 0 {
        return Err(Error::unusable(format!("serials {serials}: the range ends before it begins")));
    }
    trust.voids.push(Void { key, serials, reason });
    Ok(())
}

fn require_key(trust: &Trust, key: &KeyBytes) -> Result<()> {
    let known = |m: &Maker| m.root == *key || m.delegations.iter().any(|d| d.signed.key == *key);
    match trust.makers.iter().any(known) {
        true => Ok(()),
        false => Err(Error::unusable(format!("no maker or line in the bundle has the key {key}"))),
    }
}

/// The one key that is called so: a line's, or a maker's root key where no line is named.
///
/// # Errors
/// None or several are.
pub fn find_key(trust: &Trust, maker: Option<&str>, line: Option<&str>) -> Result<KeyBytes> {
    let makers = trust.makers.iter().filter(|m| maker.is_none_or(|name| m.name.as_str() == name));
    let mut keys: Vec<KeyBytes> = match line {
        None => makers.map(|m| m.root).collect(),
        Some(line) => {
            let lines = makers.flat_map(|m| &m.delegations).filter(|d| d.signed.line.as_str() == line);
            lines.map(|d| d.signed.key).collect()
        }
    };
    keys.sort();
    keys.dedup();
    let names = [maker.map(|m| format!("maker {m:?}")), line.map(|l| format!("line {l:?}"))];
    let names = names.into_iter().flatten().collect::<Vec<_>>().join(", ");
    match keys.as_slice() {
        [key] => Ok(*key),
        [] => Err(Error::unusable(format!("there is no {names} in the bundle"))),
        several => {
            Err(Error::unusable(format!("{names} stands for {} keys", several.len())).hint("name one with --key"))
        }
    }
}

/// Adds a delegation to a home's own bundle, if its authority key is here. Says whether it was.
///
/// # Errors
/// The bundle or the key is unusable.
pub fn add_to_home(
    home: &Home,
    delegation: Signed<Delegation>,
    now: Timestamp,
    unlock: &mut dyn Unlock,
) -> Result<bool> {
    change_home(home, now, unlock, |trust| add_delegation(trust, delegation))
}

/// Changes a home's own bundle, if its authority key is here. Says whether it was.
///
/// # Errors
/// Those of `change`; the bundle or the key is unusable.
pub fn change_home(
    home: &Home,
    now: Timestamp,
    unlock: &mut dyn Unlock,
    change: impl FnOnce(&mut Trust) -> Result<()>,
) -> Result<bool> {
    if !home.has_key("authority") {
        return Ok(false);
    }
    let key = home.key("authority", unlock)?;
    let _lock = files::lock_folder(home.dir());
    let mut bundle = edit(read(&home.trust_file())?, now, change)?;
    sign(&mut bundle, &[key])?;
    write(&home.trust_file(), &bundle)?;
    Ok(true)
}
