//! Ed25519 keys as PKCS#8 PEM (RFC 5958, RFC 8410), plain or under PBES2 (RFC 8018) with scrypt and AES-256-CBC.

use super::{Passphrase, SigningKey};
use crate::error::{Error, Result};
use crate::files::{self, Access};
use ed25519_dalek::pkcs8::{DecodePublicKey, KeypairBytes};
use ed25519_dalek::{Signer, SigningKey as DalekKey, VerifyingKey};
use pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};
use std::path::Path;
use touchmark_formats::key::KeyBytes;
use zeroize::Zeroizing;

const ENCRYPTED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";

/// A secret Ed25519 key (RFC 8032), wiped when dropped, shown by nobody.
pub struct SecretKey(DalekKey);

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecretKey(of {})", self.public())
    }
}

impl SecretKey {
    /// A new key from the operating system's randomness.
    ///
    /// # Errors
    /// The operating system has none.
    pub fn generate() -> Result<Self> {
        Ok(Self::from_seed(&*random()?))
    }

    /// The key of a seed of 32 bytes (RFC 8032, section 5.1.5).
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(DalekKey::from_bytes(seed))
    }

    /// The key as PKCS#8 PEM, encrypted if there is a passphrase. It is version 1, without the public key: OpenSSL
    /// before 3.5 refuses version 2.
    ///
    /// # Errors
    /// The operating system has no randomness for the salt.
    pub fn to_pem(&self, passphrase: Option<&Passphrase>) -> Result<Zeroizing<String>> {
        let pair = KeypairBytes { secret_key: self.0.to_bytes(), public_key: None };
        match passphrase {
            Some(passphrase) => pair.to_pkcs8_encrypted_pem(passphrase.expose(), LineEnding::LF),
            None => pair.to_pkcs8_pem(LineEnding::LF),
        }
        .map_err(|e| Error::unusable(format!("cannot write a private key: {e}")))
    }

    /// The key in a PKCS#8 PEM text, which `path` names in messages. A public key beside it must be its own.
    ///
    /// # Errors
    /// The text is no Ed25519 key, or the passphrase is missing or wrong.
    pub fn from_pem(pem: &str, passphrase: Option<&Passphrase>, path: &Path) -> Result<Self> {
        let pair = match (is_encrypted(pem), passphrase) {
            (true, None) => return Err(Error::file(path, "the key is encrypted, and no passphrase was given")),
            (true, Some(passphrase)) => KeypairBytes::from_pkcs8_encrypted_pem(pem, passphrase.expose())
                .map_err(|_| passphrase.is_wrong_for(path))?,
            (false, _) => KeypairBytes::from_pkcs8_pem(pem)
                .map_err(|e| Error::file(path, format_args!("not an Ed25519 private key in PKCS#8 PEM ({e})")))?,
        };
        let key = Self(DalekKey::from_bytes(&pair.secret_key));
        match &pair.public_key {
            // A stored public key that is not the secret one's is the classic way to make Ed25519 leak its key.
            Some(public) if public.to_bytes() != key.public().0 => {
                Err(Error::file(path, "the public key in it is not that of the private key"))
            }
            _ => Ok(key),
        }
    }

    /// The key in the file at `path`. `passphrase` is asked only if the key is encrypted.
    ///
    /// # Errors
    /// As [`SecretKey::from_pem`], or the file cannot be read; or it is not encrypted, and others can read it.
    pub fn read(path: &Path, passphrase: impl FnOnce() -> Result<Passphrase>) -> Result<Self> {
        let bytes = Zeroizing::new(files::read(path)?);
        let pem = std::str::from_utf8(&bytes).map_err(|_| Error::file(path, "not a PEM file"))?;
        let passphrase = if is_encrypted(pem) { Some(passphrase()?) } else { None };
        let key = Self::from_pem(pem, passphrase.as_ref(), path)?;
        if passphrase.is_none() {
            files::require_private(path)?;
        }
        Ok(key)
    }

    /// Writes the key to `path`, readable by the owner alone.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path, passphrase: Option<&Passphrase>) -> Result<()> {
        files::write(path, self.to_pem(passphrase)?.as_bytes(), Access::Private)
    }
}

impl SigningKey for SecretKey {
    fn public(&self) -> KeyBytes {
        KeyBytes(self.0.verifying_key().to_bytes())
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64]> {
        Ok(self.0.sign(message).to_bytes())
    }

    fn suspect(&self) -> &'static str {
        "this points at faulty memory or a faulty processor: do not sign on this machine"
    }
}

/// The public key in the file at `path`: that of a private key, or a `PUBLIC KEY` as `openssl pkey -pubout` writes it.
/// `passphrase` is asked only for a private key that is encrypted.
///
/// # Errors
/// The file cannot be read, or holds neither.
pub fn public_key(path: &Path, passphrase: impl FnOnce() -> Result<Passphrase>) -> Result<KeyBytes> {
    let bytes = Zeroizing::new(files::read(path)?);
    match std::str::from_utf8(&bytes).map(VerifyingKey::from_public_key_pem) {
        Ok(Ok(public)) => Ok(KeyBytes(public.to_bytes())),
        _ => SecretKey::read(path, passphrase).map(|key| key.public()),
    }
}

/// Whether a PEM text is an encrypted key.
#[must_use]
pub fn is_encrypted(pem: &str) -> bool {
    pem.trim_start().starts_with(ENCRYPTED)
}

/// 32 bytes of the operating system's randomness.
///
/// # Errors
/// It has none.
pub fn random() -> Result<Zeroizing<[u8; 32]>> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut()).map_err(|e| Error::unusable(format!("the system has no randomness: {e}")))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(Zeroizing::new(text.to_owned()), "a test").unwrap()
    }

    #[test]
    fn keys_come_back_plain_and_encrypted_and_say_nothing() {
        let key = SecretKey::from_seed(&[7; 32]);
        let path = Path::new("k.pem");
        let plain = key.to_pem(None).unwrap();
        assert_eq!(SecretKey::from_pem(&plain, None, path).unwrap().public(), key.public());
        let sealed = key.to_pem(Some(&passphrase("correct horse"))).unwrap();
        assert!(is_encrypted(&sealed));
        assert_eq!(
            SecretKey::from_pem(&sealed, Some(&passphrase("correct horse")), path).unwrap().public(),
            key.public()
        );
        for wrong in [Some(passphrase("battery")), None] {
            let error = SecretKey::from_pem(&sealed, wrong.as_ref(), path).unwrap_err();
            assert!(error.message.contains("passphrase"), "{error}");
        }
        assert_eq!(
            format!("{key:?} {:?}", passphrase("x")),
            format!("SecretKey(of {}) Passphrase(secret)", key.public())
        );
    }

    #[test]
    fn a_public_key_of_another_is_refused() {
        let pair = KeypairBytes {
            secret_key: [7; 32],
            public_key: Some(ed25519_dalek::pkcs8::PublicKeyBytes(SecretKey::from_seed(&[8; 32]).public().0)),
        };
        let pem = pair.to_pkcs8_pem(LineEnding::LF).unwrap();
        let error = SecretKey::from_pem(&pem, None, Path::new("k.pem")).unwrap_err();
        assert_eq!(error.message, "k.pem: the public key in it is not that of the private key");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in
            ["", "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
        {
            assert!(SecretKey::from_pem(text, None, Path::new("k.pem")).is_err(), "{text:?}");
        }
    }
}
