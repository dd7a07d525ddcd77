//! What verification relies on, from files: trust bundle, pinned authorities, disclosures and the identities that open
//! them.

use crate::files::{ReadError, read_regular};
use crate::pins::{Pins, PinsError};
use crate::verify::Answered;
use age::x25519::Identity;
use ed25519_dalek::pkcs8::{DecodePrivateKey, DecodePublicKey};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use jiff::Timestamp;
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use touchmark_formats::disclosure::Disclosure;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::ledger::trail::{Trail, TrailError};
use touchmark_formats::signed::{Document, EnvelopeError, ForReader, ForReaderError, Signed};
use touchmark_formats::trust::{Maker, Trust, TrustError};
use zeroize::Zeroizing;

/// The largest file of trust material, in bytes: a bundle of some 100,000 delegations.
pub const MAX_FILE_BYTES: u64 = 128 << 20;

/// Why a file of trust material cannot be used.
#[derive(Debug)]
pub struct MaterialError {
    /// Which file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub kind: MaterialErrorKind,
}

/// The kinds of [`MaterialError`].
#[derive(Debug)]
#[non_exhaustive]
pub enum MaterialErrorKind {
    /// It cannot be opened or read.
    Io(io::Error),
    /// Not a regular file.
    NotAFile,
    /// Larger than [`MAX_FILE_BYTES`].
    TooLarge,
    /// An unusable bundle.
    Trust(TrustError),
    /// A bundle whose authority was never accepted here, though another was.
    NotAccepted(String),
    /// No age identity in the file.
    NoIdentity,
    /// Not an age file, or a damaged one.
    NotAge(String),
    /// Encrypted to somebody else than the identities given.
    ForSomebodyElse,
    /// Disclosures need an identity to be opened with.
    IdentityMissing,
    /// An unusable disclosure, or answer to a trace request.
    ForReader(ForReaderError),
    /// Signed by a root key that the bundle does not hold.
    UnknownMaker,
    /// The store of pinned authorities is unusable.
    Pins(PinsError),
    /// An answer to a trace request that proves nothing.
    Trail(TrailError),
    /// An answer from another ledger than the maker's in the bundle, which is called this.
    OtherLedger(String),
    /// Not what the command needs: what is wrong.
    Unusable(String),
}

impl fmt::Display for MaterialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use MaterialErrorKind as Kind;
        let path = self.path.display();
        match &self.kind {
            Kind::Io(e) => write!(f, "cannot read {path}: {e}"),
            Kind::NotAFile => write!(f, "cannot read {path}: it is not a file"),
            Kind::TooLarge => write!(f, "cannot read {path}: it is larger than {} MiB", MAX_FILE_BYTES >> 20),
            Kind::Trust(e) => write!(f, "cannot use the trust bundle {path}: {e}"),
            Kind::NotAccepted(name) => {
                write!(f, "cannot use the trust bundle {path}: its authority {name:?} is not one that you accepted")
            }
            Kind::NoIdentity => write!(f, "cannot use the identity {path}: no AGE-SECRET-KEY-1 line in it"),
            Kind::NotAge(e) => write!(f, "cannot open the disclosure {path}: not a whole age file ({e})"),
            Kind::ForSomebodyElse => write!(f, "cannot open the disclosure {path}: it is encrypted to somebody else"),
            Kind::IdentityMissing => write!(f, "cannot open the disclosure {path}: no identity was given"),
            Kind::ForReader(e) => write!(f, "cannot use the disclosure {path}: {e}"),
            Kind::UnknownMaker => {
                write!(f, "cannot use the disclosure {path}: the maker that signed it is not in the trust bundle")
            }
            Kind::Trail(e) => write!(f, "cannot use the answer {path}: {e}"),
            Kind::OtherLedger(name) => {
                write!(f, "cannot use the answer {path}: it is not from the ledger that the bundle names, {name}")
            }
            Kind::Unusable(what) => write!(f, "cannot use {path}: {what}"),
            Kind::Pins(e) => write!(f, "cannot use the accepted authorities in {path}: {e}"),
        }
    }
}

impl std::error::Error for MaterialError {}

impl MaterialError {
    /// A likely way out, if there is one.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        use MaterialErrorKind as Kind;
        match &self.kind {
            Kind::Trust(TrustError::Signatures { .. }) => Some(
                "the file was changed after it was signed, or signed by the wrong key: get it again from the authority",
            ),
            Kind::Trust(TrustError::Rollback { .. }) => Some("use the newer bundle that you have had before"),
            Kind::Trust(TrustError::OtherAuthority) | Kind::NotAccepted(_) => Some(
                "compare the fingerprint that `trust show` prints with the authority, then accept it with `trust pin`",
            ),
            Kind::NoIdentity => Some("make one with age-keygen, and send its public key (age1...) to the maker"),
            Kind::ForSomebodyElse => {
                Some("give the identity whose age1... recipient you sent to the maker, with --identity")
            }
            Kind::IdentityMissing => Some("add --identity with the file of your AGE-SECRET-KEY-1 line"),
            Kind::OtherLedger(_) => {
                Some("keep it: a maker has one ledger, and both are signed by its root key; ask it, and its witnesses")
            }
            Kind::UnknownMaker => Some("get a trust bundle that holds this maker"),
            _ => None,
        }
    }
}

fn at(path: &Path) -> impl Fn(MaterialErrorKind) -> MaterialError {
    move |kind| MaterialError { path: path.to_owned(), kind }
}

pub(crate) fn read_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, MaterialError> {
    read_regular(path, MAX_FILE_BYTES).map_err(|e| {
        at(path)(match e {
            ReadError::Io(e) => MaterialErrorKind::Io(e),
            ReadError::Directory | ReadError::NotAFile => MaterialErrorKind::NotAFile,
            ReadError::TooLarge => MaterialErrorKind::TooLarge,
        })
    })
}

/// An opened trust bundle, and what people should be told of it.
#[derive(Debug)]
pub struct TrustFile {
    /// The bundle.
    pub bundle: Signed<Trust>,
    /// Whether its authority was accepted before (`trust pin`).
    pub pinned: bool,
}

/// Opens the bundle at `path`, checks it against the accepted authorities, and remembers its version there.
///
/// # Errors
/// [`MaterialError`].
pub fn open_trust(path: &Path, pins: Option<&Pins>) -> Result<TrustFile, MaterialError> {
    let fail = at(path);
    let bundle = Trust::open(&read_file(path)?).map_err(|e| fail(MaterialErrorKind::Trust(e)))?;
    let Some(pins) = pins else { return Ok(TrustFile { bundle, pinned: false }) };
    let pinned = pins.advance(&bundle).map_err(|e| match e {
        PinsError::Trust(e) => fail(MaterialErrorKind::Trust(e)),
        PinsError::NotAccepted => fail(MaterialErrorKind::NotAccepted(bundle.signed.authority.name.to_string())),
        other => at(pins.path())(MaterialErrorKind::Pins(other)),
    })?;
    Ok(TrustFile { bundle, pinned })
}

/// Reads the age identities (X25519) in a file as `age-keygen` writes it.
///
/// # Errors
/// [`MaterialError`].
pub fn open_identities(path: &Path) -> Result<Vec<Identity>, MaterialError> {
    let bytes = read_file(path)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| at(path)(MaterialErrorKind::NoIdentity))?;
    let identities: Vec<Identity> = text.lines().filter_map(|line| line.trim().parse().ok()).collect();
    if identities.is_empty() { Err(at(path)(MaterialErrorKind::NoIdentity)) } else { Ok(identities) }
}

/// What a maker disclosed.
#[derive(Debug)]
pub enum Disclosed {
    /// Keys that open the consignees in marks.
    Keys(Disclosure),
    /// What its ledger says. Every proof holds.
    Trail(Answered),
}

/// Opens what a maker disclosed, keys or a trail, at `path` with one of `identities`, and checks it against `trust`.
///
/// # Errors
/// [`MaterialError`].
pub fn open_disclosed(path: &Path, identities: &[Identity], trust: &Trust) -> Result<Disclosed, MaterialError> {
    let plain = unseal(path, identities)?;
    let disclosed = match opened::<Disclosure>(&plain, trust) {
        Err(MaterialErrorKind::ForReader(ForReaderError::Envelope(EnvelopeError::Type { found, .. })))
            if found == Trail::TYPE =>
        {
            answered(&plain, trust).map(Disclosed::Trail)
        }
        keys => keys.map(Disclosed::Keys),
    };
    disclosed.map_err(at(path))
}

/// Opens the answer to a trace request at `path` with one of `identities`, checks by `trust` who signed it, and every proof.
///
/// # Errors
/// [`MaterialError`].
pub fn open_trail(path: &Path, identities: &[Identity], trust: &Trust) -> Result<Answered, MaterialError> {
    answered(&unseal(path, identities)?, trust).map_err(at(path))
}

/// What a decrypted trail proves, of the ledger that the bundle names for its maker, if it names one.
fn answered(plain: &Unsealed, trust: &Trust) -> Result<Answered, MaterialErrorKind> {
    let trail: Trail = opened(plain, trust)?;
    let named = trust.makers.iter().find(|own| own.root == trail.maker).and_then(Maker::own_ledger);
    match named.filter(|named| **named != trail.ledger.signed) {
        Some(named) => Err(MaterialErrorKind::OtherLedger(named.origin.clone())),
        None => Answered::of(&trail).map_err(MaterialErrorKind::Trail),
    }
}

/// What a maker sealed for one reader.
struct Unsealed {
    json: Zeroizing<Vec<u8>>,
    recipient: String,
}

/// Decrypts the file at `path` with the first of `identities` that it is encrypted to.
fn unseal(path: &Path, identities: &[Identity]) -> Result<Unsealed, MaterialError> {
    let fail = at(path);
    let encrypted = read_file(path)?;
    if identities.is_empty() {
        return Err(fail(MaterialErrorKind::IdentityMissing));
    }
    for identity in identities {
        if let Some(json) = decrypt(&encrypted, identity).map_err(&fail)? {
            return Ok(Unsealed { json, recipient: identity.to_public().to_string() });
        }
    }
    Err(fail(MaterialErrorKind::ForSomebodyElse))
}

/// The document in `plain`, signed by a maker in the bundle.
fn opened<T: ForReader>(plain: &Unsealed, trust: &Trust) -> Result<T, MaterialErrorKind> {
    let envelope = Signed::<T>::open_for(&plain.json, &plain.recipient).map_err(MaterialErrorKind::ForReader)?;
    let document = envelope.signed;
    let known = trust.makers.iter().any(|own| own.root == *document.maker());
    if known { Ok(document) } else { Err(MaterialErrorKind::UnknownMaker) }
}

/// The requester's own key.
pub struct RequesterKey(SigningKey);

impl RequesterKey {
    /// Its public half, and its signature over `message`.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> (KeyBytes, [u8; 64]) {
        (KeyBytes(self.0.verifying_key().to_bytes()), self.0.sign(message).to_bytes())
    }
}

/// Reads the key that signs trace requests: PKCS#8 in PEM, not encrypted.
///
/// # Errors
/// [`MaterialError`].
pub fn open_signing_key(path: &Path) -> Result<RequesterKey, MaterialError> {
    let bytes = read_file(path)?;
    let pem = std::str::from_utf8(&bytes).ok();
    let key = pem.and_then(|pem| SigningKey::from_pkcs8_pem(pem.trim()).ok());
    key.map(RequesterKey).ok_or_else(|| {
        let what = "not a private Ed25519 key in PKCS#8 and PEM without a passphrase, as `openssl genpkey -algorithm ed25519` makes it";
        at(path)(MaterialErrorKind::Unusable(what.into()))
    })
}

/// Reads a public key: SubjectPublicKeyInfo in PEM, as `openssl pkey -pubout` writes it, or its 32 bytes in base64.
///
/// # Errors
/// [`MaterialError`].
pub fn open_public_key(path: &Path) -> Result<KeyBytes, MaterialError> {
    let bytes = read_file(path)?;
    let text = std::str::from_utf8(&bytes).unwrap_or_default().trim();
    let pem = VerifyingKey::from_public_key_pem(text).ok().map(|key| KeyBytes(key.to_bytes()));
    pem.or_else(|| text.to_owned().try_into().ok()).ok_or_else(|| {
        let what = "not a public Ed25519 key, in PEM as `openssl pkey -pubout` writes it or in base64";
        at(path)(MaterialErrorKind::Unusable(what.into()))
    })
}

/// The plain text, or `None` if the file is encrypted to somebody else.
fn decrypt(encrypted: &[u8], identity: &Identity) -> Result<Option<Zeroizing<Vec<u8>>>, MaterialErrorKind> {
    let damaged = |e: &dyn fmt::Display| MaterialErrorKind::NotAge(e.to_string());
    let armored = age::armor::ArmoredReader::new(encrypted);
    let decryptor = age::Decryptor::new(armored).map_err(|e| damaged(&e))?;
    // The plain text is never longer than the file.
    let mut plain = Zeroizing::new(Vec::with_capacity(encrypted.len() + 1));
    match decryptor.decrypt(std::iter::once(identity as &dyn age::Identity)) {
        Ok(mut reader) => {
            reader.read_to_end(&mut plain).map_err(|e| damaged(&e))?;
            Ok(Some(plain))
        }
        Err(age::DecryptError::NoMatchingKeys) => Ok(None),
        Err(e) => Err(damaged(&e)),
    }
}

/// A warning for people when the bundle has expired.
#[must_use]
pub fn expiry_warning(trust: &Trust, now: Timestamp) -> Option<String> {
    let days = now.duration_since(trust.expires).as_hours() / 24;
    (now > trust.expires).then(|| {
        format!("the trust bundle expired {days} days ago; verdicts stand, but keys may have been revoked since: get a newer one")
    })
}
