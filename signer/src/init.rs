//! A maker's home from nothing: what a small maker or a trial needs.

use crate::consignees;
use crate::delegate::{self, Limits};
use crate::error::{Error, Result};
use crate::files::{self, Access};
use crate::home::{Home, slug};
use crate::keys::pkcs11::Uri;
use crate::keys::{Passphrase, SecretKey, SigningKey, Unlock, sign_document, year};
use jiff::{SignedDuration, Timestamp, ToSpan, civil, tz::TimeZone};
use std::fs;
use std::path::Path;
use touchmark_formats::date::Date;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::signed::Signed;
use touchmark_formats::text::Label;
use touchmark_formats::trust::{Authority, Country, Maker, Signer, Trust};

/// How long the first delegation allows marking.
const YEARS: i64 = 5;
/// How long a bundle counts as fresh.
pub const BUNDLE_LIFE: SignedDuration = SignedDuration::from_hours(365 * 24);

/// What a new home is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The maker.
    pub maker: Label,
    /// Where it is seated.
    pub country: Country,
    /// The name of its first line.
    pub line: Label,
    /// Where the line stands.
    pub site: u16,
    /// Who signs the trust bundle.
    pub authority: Label,
    /// The root key, where it is to be in a token; made there unless it is there already.
    pub root_token: Option<Uri>,
    /// The key that signs the trust bundle, likewise.
    pub authority_token: Option<Uri>,
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The root key.
    pub root: KeyBytes,
    /// The names of keys that their tokens would give out.
    pub exportable: Vec<String>,
    /// First date that the line may mark.
    pub not_before: Date,
    /// Last date that the line may mark.
    pub not_after: Date,
}

/// The day of `now`, UTC.
///
/// # Errors
/// The clock is outside the years that a mark can carry.
pub fn today(now: Timestamp) -> Result<Date> {
    let date = TimeZone::UTC.to_datetime(now).date();
    Date::try_from(date).map_err(|e| Error::unusable(format!("the clock says {date}; {e}")))
}

/// Makes a home in `dir`, which must be missing or empty: all of it, or, whatever interrupts, nothing. Its line may mark
/// any part, lot and serial dated from 1 January of this year, the year whose disclosure key is made, for five years
/// from today. Keys in files are under the passphrase, if there is one; `unlock` gives the PINs of tokens.
///
/// # Errors
/// `dir` holds something already, or cannot be written; or a token has no such key and makes none. A key that was made in
/// a token stays there, and is the one that the next attempt finds.
pub fn init(
    dir: &Path,
    options: &Options,
    passphrase: Option<&Passphrase>,
    now: Timestamp,
    unlock: &mut dyn Unlock,
) -> Result<Made> {
    if fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some()) || dir.is_file() {
        return Err(Error::file(dir, "there is something already; a home is made in a new or empty folder"));
    }
    if dir.canonicalize().is_ok_and(|dir| std::env::current_dir().is_ok_and(|here| here == dir)) {
        return Err(
            Error::file(dir, "a home cannot take the place of the folder that you are in").hint("name a new one")
        );
    }
    let parent = files::parent(dir);
    let failed = |e: std::io::Error| Error::io("make", dir, &e);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".touchmark-init-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    let draft = builder.tempdir_in(&parent).map_err(failed)?;
    let made = fill(&Home::at(draft.path()), options, passphrase, now, unlock)?;
    fs::rename(draft.path(), dir).map_err(failed)?;
    // The folder has its new name, so there is nothing left to clean up.
    let _ = draft.keep();
    files::sync_folder(&parent);
    Ok(made)
}

fn fill(
    home: &Home,
    options: &Options,
    passphrase: Option<&Passphrase>,
    now: Timestamp,
    unlock: &mut dyn Unlock,
) -> Result<Made> {
    for folder in ["keys", "lines", "disclosure"] {
        private_folder(&home.dir().join(folder))?;
    }
    let slug = slug(options.line.as_str())?;
    let mut exportable = Vec::new();
    let mut key = |name: &str, token: Option<&Uri>| -> Result<Box<dyn SigningKey>> {
        if let Some(uri) = token {
            let key = home.set_token_key(name, uri.clone(), unlock)?;
            if key.is_exportable()? {
                exportable.push(uri.key_name());
            }
            return Ok(Box::new(key));
        }
        let key = SecretKey::generate()?;
        key.write(&home.key_file(name), passphrase)?;
        Ok(Box::new(key))
    };
    let root = key("root", options.root_token.as_ref())?;
    let authority = key("authority", options.authority_token.as_ref())?;
    let line = key(&slug, None)?;
    let today = today(now)?;
    let not_before = Date::try_from(civil::date(today.year(), 1, 1)).unwrap_or(Date::MIN);
    let not_after = today.civil().checked_add(YEARS.years()).ok().and_then(|d| Date::try_from(d).ok());
    let not_after = not_after.unwrap_or(Date::MAX);
    let request = delegate::request(&*line, options.line.clone(), root.public())?;
    let delegation = delegate::grant(&*root, &request, Limits::wide(options.site, not_before, not_after))?;
    files::write(&home.delegation_file(&slug), delegation.to_json().as_bytes(), Access::Ordinary)?;
    year::write(&home.year_file(today.year(), passphrase.is_some()), today.year(), &year::generate()?, passphrase)?;
    files::write(&home.consignees_file(), consignees::HEADER.as_bytes(), Access::Private)?;
    let maker = Maker {
        name: options.maker.clone(),
        country: options.country.clone(),
        root: root.public(),
        valid_from: not_before,
        valid_until: not_after,
        delegations: vec![delegation],
        closed: Vec::new(),
        ledger: None,
    };
    let bundle = first_bundle(&*authority, options.authority.clone(), maker, now)?;
    files::write(&home.trust_file(), bundle.to_json().as_bytes(), Access::Ordinary)?;
    Ok(Made { root: root.public(), exportable, not_before, not_after })
}

fn first_bundle(key: &dyn SigningKey, name: Label, maker: Maker, now: Timestamp) -> Result<Signed<Trust>> {
    let signers = vec![Signer { holder: name.clone(), key: key.public() }];
    let mut bundle = Signed::new(Trust {
        version: 1,
        created: now,
        expires: now.checked_add(BUNDLE_LIFE).unwrap_or(Timestamp::MAX),
        authority: Authority { name, threshold: 1, signers },
        makers: vec![maker],
        revocations: Vec::new(),
        voids: Vec::new(),
    });
    sign_document(key, &mut bundle)?;
    Ok(bundle)
}

/// Makes a folder that the owner alone may enter.
///
/// # Errors
/// It cannot be made.
pub(crate) fn private_folder(path: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|e| Error::io("make", path, &e))
}
