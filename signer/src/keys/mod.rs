//! Signing keys, whoever holds them: a file ([`SecretKey`]) or a hardware security module ([`Pkcs11Key`]). At rest they
//! are encrypted or out of reach, in memory only as long as they are used.

pub mod file;
pub mod passphrase;
pub mod pkcs11;
pub mod year;

pub use file::SecretKey;
pub use passphrase::Passphrase;
pub use pkcs11::Pkcs11Key;

use crate::error::{Error, Result};
use touchmark_formats::key::{KeyBytes, PublicKey};
use touchmark_formats::signed::{Document, Signed, message};

/// A key that signs by plain Ed25519 (RFC 8032, section 5.1.6).
pub trait SigningKey: std::fmt::Debug + Send + Sync {
    /// The public key.
    fn public(&self) -> KeyBytes;

    /// The signature over `message`, as its holder made it: [`sign_checked`] tells whether it is good.
    ///
    /// # Errors
    /// The holder is out of reach or refuses.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64]>;

    /// What a signature that does not verify points at, and what to do.
    fn suspect(&self) -> &'static str;
}

/// Gives the secrets that open keys, asked for only where a key needs one.
pub trait Unlock {
    /// The passphrase of keys in files.
    ///
    /// # Errors
    /// There is none to be had.
    fn passphrase(&mut self) -> Result<Passphrase>;

    /// The user PIN of the token that people know as `token`.
    ///
    /// # Errors
    /// There is none to be had.
    fn pin(&mut self, token: &str) -> Result<Passphrase>;
}

/// Knows no secret: for keys in files without a passphrase.
#[derive(Debug, Clone, Copy)]
pub struct NoSecrets;

impl Unlock for NoSecrets {
    fn passphrase(&mut self) -> Result<Passphrase> {
        Err(Error::unusable("a passphrase is needed"))
    }

    fn pin(&mut self, token: &str) -> Result<Passphrase> {
        Err(Error::unusable(format!("the PIN of the token {token} is needed")))
    }
}

/// Signs `message` with `key`, whose public key is `public`, and checks the signature, so that a faulty one, which for
/// Ed25519 can give away the key, never leaves the program (FIPS 186-5, section 7.8.3 on deterministic signatures and
/// faults), nor one of a token that signs something else than asked. `what` is being signed, for people.
///
/// # Errors
/// The key's holder refuses, or the signature does not verify.
pub fn sign_checked(
    key: &dyn SigningKey,
    public: &PublicKey,
    message: &[u8],
    what: &dyn std::fmt::Display,
) -> Result<[u8; 64]> {
    let signature = key.sign(message)?;
    if public.verify(message, &signature) {
        return Ok(signature);
    }
    Err(Error::unusable(format!("the signature of {what} came out wrong and was thrown away")).hint(key.suspect()))
}

/// Puts the signature of `key` into an envelope, checked.
///
/// # Errors
/// As [`sign_checked`]; or the key is none that Touchmark accepts.
pub fn sign_document<T: Document>(key: &dyn SigningKey, envelope: &mut Signed<T>) -> Result<()> {
    let public = key.public().check().map_err(|e| Error::unusable(format!("the signing key: {e}")))?;
    let signature = sign_checked(key, &public, &message(&envelope.signed), &T::TYPE)?;
    envelope.attach(key.public(), signature);
    Ok(())
}
