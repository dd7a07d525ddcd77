//! The year keys of consignee capsules at rest: one small JSON file a year, under age with a passphrase (C2SP age,
//! scrypt recipient) or plain.

use super::Passphrase;
use super::file::random;
use crate::error::{Error, Result};
use crate::files::{self, Access};
use age::secrecy::SecretString;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use std::path::Path;
use touchmark_formats::capsule::YearKey;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Log2 of scrypt's cost: 32 MiB and about a tenth of a second for each file.
const WORK_FACTOR: u8 = 15;
/// The highest work factor accepted from a file: 1 GiB.
const MAX_WORK_FACTOR: u8 = 20;
const TYPE: &str = "touchmark/v1/year-key";

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct Stored {
    #[serde(rename = "type")]
    kind: String,
    year: i16,
    key: String,
}

/// A new random year key.
///
/// # Errors
/// The operating system has no randomness.
pub fn generate() -> Result<YearKey> {
    Ok(YearKey::from_bytes(*random()?))
}

/// The extension of a year key's file: `age` under a passphrase, else `key`.
#[must_use]
pub fn extension(encrypted: bool) -> &'static str {
    if encrypted { "age" } else { "key" }
}

/// Writes the key of `year` to `path`, readable by the owner alone.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, year: i16, key: &YearKey, passphrase: Option<&Passphrase>) -> Result<()> {
    let stored = Stored { kind: TYPE.to_owned(), year, key: STANDARD.encode(key.expose()) };
    let json = serde_json::to_vec(&stored).map_err(|e| Error::file(path, e))?;
    let json = Zeroizing::new(json);
    match passphrase {
        None => files::write(path, &json, Access::Private),
        Some(passphrase) => {
            let mut recipient = age::scrypt::Recipient::new(SecretString::from(passphrase.expose().to_owned()));
            recipient.set_work_factor(WORK_FACTOR);
            let sealed = age::encrypt(&recipient, &json).map_err(|e| Error::file(path, e))?;
            files::write(path, &sealed, Access::Private)
        }
    }
}

/// The key of `year` in the file at `path`. `passphrase` is asked only if the file is encrypted.
///
/// # Errors
/// It cannot be read, is another year's, or the passphrase is wrong; or it is not encrypted, and others can read it.
pub fn read(path: &Path, year: i16, passphrase: impl FnOnce() -> Result<Passphrase>) -> Result<YearKey> {
    let mut bytes = Zeroizing::new(files::read(path)?);
    if bytes.starts_with(b"age-encryption.org/") {
        let passphrase = passphrase()?;
        let mut identity = age::scrypt::Identity::new(SecretString::from(passphrase.expose().to_owned()));
        identity.set_max_work_factor(MAX_WORK_FACTOR);
        let opened = age::decrypt(&identity, &bytes).map_err(|_| passphrase.is_wrong_for(path))?;
        bytes = Zeroizing::new(opened);
    } else {
        files::require_private(path)?;
    }
    // The parser's own message could quote the secret.
    let unusable = || Error::file(path, format_args!("not the key of the year {year}"));
    let stored: Stored = serde_json::from_slice(&bytes).map_err(|_| unusable())?;
    if stored.kind != TYPE || stored.year != year {
        return Err(unusable());
    }
    let key = Zeroizing::new(STANDARD.decode(&stored.key).map_err(|_| unusable())?);
    <[u8; 32]>::try_from(key.as_slice()).map(YearKey::from_bytes).map_err(|_| unusable())
}
