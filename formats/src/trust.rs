//! Whom a verifier believes: makers, their delegations, revocations and voided serials, signed by an authority
//! (SPEC.md, section 9). One file, carried to the field.

use crate::close::{CloseError, LotClose};
use crate::date::Date;
use crate::delegation::{Delegation, DelegationError, SerialRange};
use crate::key::{KeyBytes, KeyId, PublicKey};
use crate::ledger::head::LedgerKey;
use crate::signed::{Document, EnvelopeError, MAX_SIGNATURES, Signed, instant, message};
use crate::text::Label;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

/// One who may sign bundles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signer {
    /// The person or office that holds the key. Two keys of one holder count once.
    pub holder: Label,
    /// The key.
    pub key: KeyBytes,
}

/// Who signs bundles, and how many of them are needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authority {
    /// Its name.
    pub name: Label,
    /// M: how many distinct holders must sign.
    pub threshold: u8,
    /// N: who may.
    pub signers: Vec<Signer>,
}

/// A manufacturer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Maker {
    /// Its name.
    pub name: Label,
    /// Where it is seated: ISO 3166-1 alpha-2.
    pub country: Country,
    /// Its root key.
    pub root: KeyBytes,
    /// First mark date for which the authority vouches.
    pub valid_from: Date,
    /// Last such date.
    pub valid_until: Date,
    /// Its lines.
    pub delegations: Vec<Signed<Delegation>>,
    /// Ranges of serials that are closed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closed: Vec<Signed<LotClose>>,
    /// Its ledger's key, signed by the root key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<Signed<LedgerKey>>,
}

impl Maker {
    /// Its ledger, if the bundle names one and the root key signed that it is the maker's.
    #[must_use]
    pub fn own_ledger(&self) -> Option<&LedgerKey> {
        let envelope = self.ledger.as_ref()?;
        let root = self.root.check().ok()?;
        LedgerKey::check(envelope, &root).map(|_| &envelope.signed)
    }
}

/// A country code of two capital letters (ISO 3166-1 alpha-2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Country(String);

impl Country {
    /// The two letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Country {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_bytes() {
            [a, b] if a.is_ascii_uppercase() && b.is_ascii_uppercase() => Ok(Self(text)),
            _ => Err("a country is two capital letters (ISO 3166-1 alpha-2), as in NL"),
        }
    }
}

impl std::str::FromStr for Country {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.to_owned().try_into()
    }
}

impl From<Country> for String {
    fn from(country: Country) -> Self {
        country.0
    }
}

impl std::fmt::Display for Country {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A root or line key that is no longer to be believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// The key.
    pub key: KeyBytes,
    /// The first mark date that is certainly not to be believed. An earlier one may be backdated.
    pub since: Date,
    /// Why, for people.
    pub reason: Label,
}

/// Serials of a line key that were never put on a good part: spare, scrapped, or stolen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Void {
    /// The line key.
    pub key: KeyBytes,
    /// The serials.
    pub serials: SerialRange,
    /// Why, for people.
    pub reason: Label,
}

/// The bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trust {
    /// Rises with every bundle of the authority; a verifier keeps the highest that it has seen.
    pub version: u32,
    /// When it was made, UTC.
    #[serde(deserialize_with = "instant")]
    pub created: Timestamp,
    /// From when on a newer one should be asked for, UTC. An older bundle still works, with a warning.
    #[serde(deserialize_with = "instant")]
    pub expires: Timestamp,
    /// Who signs.
    pub authority: Authority,
    /// The makers.
    pub makers: Vec<Maker>,
    /// Keys not to be believed.
    pub revocations: Vec<Revocation>,
    /// Serials not to be believed.
    pub voids: Vec<Void>,
}

impl Document for Trust {
    const TYPE: &'static str = "touchmark/v1/trust";
}

/// Why a bundle is unusable.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrustError {
    /// It cannot be read.
    Envelope(EnvelopeError),
    /// A threshold of 0 or above the number of holders, a key listed twice, or more signers than an envelope may hold
    /// signatures.
    Authority,
    /// Fewer distinct holders signed than the threshold asks for.
    Signatures {
        /// Distinct holders whose signature is good.
        good: usize,
        /// The threshold.
        needed: u8,
    },
    /// The authority that the verifier relies on did not sign.
    OtherAuthority,
    /// An older bundle than one already seen.
    Rollback {
        /// The highest version seen.
        seen: u32,
        /// This one's.
        found: u32,
    },
    /// A maker's root key is listed twice.
    DuplicateMaker(Label),
}

impl std::fmt::Display for TrustError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Envelope(e) => e.fmt(f),
            Self::Authority => f.write_str("its list of signers repeats a key, or its threshold cannot be met"),
            Self::Signatures { good, needed } => {
                write!(f, "its authority did not sign it as it stands: {good} good of {needed} signatures needed")
            }
            Self::OtherAuthority => f.write_str("the authority that you rely on did not sign it"),
            Self::Rollback { seen, found } => write!(f, "it is version {found}, but version {seen} was seen before"),
            Self::DuplicateMaker(name) => write!(f, "the root key of maker {name:?} is listed twice"),
        }
    }
}

impl std::error::Error for TrustError {}

impl TrustError {
    /// The stable name, as the test vectors spell it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Envelope(e) => e.name(),
            Self::Authority => "authority",
            Self::Signatures { .. } => "signatures",
            Self::OtherAuthority => "other-authority",
            Self::Rollback { .. } => "rollback",
            Self::DuplicateMaker(_) => "duplicate-maker",
        }
    }
}

impl From<EnvelopeError> for TrustError {
    fn from(error: EnvelopeError) -> Self {
        Self::Envelope(error)
    }
}

impl Authority {
    /// What people compare before they accept an authority: SHA-256 over the threshold and, in the order of the keys,
    /// each key and its holder. The holders count: with other names, two keys of one person would count as two.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        use sha2::{Digest, Sha256};
        let mut hash = Sha256::new().chain_update(b"touchmark/v1/authority\0").chain_update([self.threshold]);
        for (key, holder) in self.signers.iter().map(|s| (s.key, s.holder.as_str())).collect::<BTreeSet<_>>() {
            hash.update(key.0);
            // A label is at most 63 bytes long.
            hash.update([holder.len() as u8]);
            hash.update(holder);
        }
        hash.finalize().into()
    }

    fn is_sound(&self) -> bool {
        let keys: BTreeSet<_> = self.signers.iter().map(|s| s.key).collect();
        let holders: BTreeSet<_> = self.signers.iter().map(|s| &s.holder).collect();
        keys.len() == self.signers.len()
            && keys.len() <= MAX_SIGNATURES
            && self.threshold > 0
            && holders.len() >= usize::from(self.threshold)
    }

    /// How many distinct holders signed `bundle`. A holder counts once, whatever number of keys or signatures it has.
    #[must_use]
    pub fn count(&self, bundle: &Signed<Trust>) -> usize {
        let message = message(&bundle.signed);
        let signed = |s: &&Signer| s.key.check().is_ok_and(|key| bundle.is_message_signed_by(&message, &key));
        self.signers.iter().filter(signed).map(|s| &s.holder).collect::<BTreeSet<_>>().len()
    }

    fn require(&self, bundle: &Signed<Trust>) -> Result<(), TrustError> {
        let (good, needed) = (self.count(bundle), self.threshold);
        if good < usize::from(needed) { Err(TrustError::Signatures { good, needed }) } else { Ok(()) }
    }
}

/// What a verifier knows of the authority from before: checked against every further bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// Whose bundles are accepted. Another set of signers is accepted in a bundle that this one signed too.
    pub authority: Authority,
    /// The highest version seen.
    pub version: u32,
}

impl Pin {
    /// Accepts `bundle`, which [`Trust::open`] opened, as the newest, or says why not. It must be signed by enough of the
    /// *known* holders, whomever it names itself: so a change of signers is signed by both, the old and the new.
    ///
    /// # Errors
    /// [`TrustError::OtherAuthority`] or [`TrustError::Rollback`].
    pub fn advance(&self, bundle: &Signed<Trust>) -> Result<Self, TrustError> {
        let trust = &bundle.signed;
        if self.authority.require(bundle).is_err() {
            return Err(TrustError::OtherAuthority);
        }
        if trust.version < self.version {
            return Err(TrustError::Rollback { seen: self.version, found: trust.version });
        }
        Ok(Self { authority: trust.authority.clone(), version: trust.version })
    }
}

/// A line key that a mark may name: its maker, its delegation, its keys.
#[derive(Debug, Clone, Copy)]
pub struct Issuer<'a> {
    /// Whose line it is.
    pub maker: &'a Maker,
    /// What it may mark.
    pub delegation: &'a Delegation,
    /// The line key, checked.
    pub key: PublicKey,
}

impl Trust {
    /// Opens a bundle: its authority's signatures meet the threshold. The delegations in it are checked when a mark
    /// names them ([`Directory::issuers`]), or all at once by [`Trust::check_all`].
    ///
    /// # Errors
    /// [`TrustError`].
    pub fn open(json: &[u8]) -> Result<Signed<Self>, TrustError> {
        let bundle = Signed::<Self>::from_json(json)?;
        let trust = &bundle.signed;
        if !trust.authority.is_sound() {
            return Err(TrustError::Authority);
        }
        trust.authority.require(&bundle)?;
        let mut roots = BTreeSet::new();
        match trust.makers.iter().find(|maker| !roots.insert(maker.root)) {
            Some(twice) => Err(TrustError::DuplicateMaker(twice.name.clone())),
            None => Ok(bundle),
        }
    }

    /// Checks every delegation and every close record of every maker.
    ///
    /// # Errors
    /// The first that does not hold.
    pub fn check_all(&self) -> Result<(), Unsound> {
        for maker in &self.makers {
            for envelope in &maker.delegations {
                let line = envelope.signed.line.clone();
                check(maker, envelope).map_err(|e| Unsound::Delegation(maker.name.clone(), line, e))?;
            }
            for envelope in &maker.closed {
                let serials = envelope.signed.serials;
                check_close(maker, envelope).map_err(|e| Unsound::Close(maker.name.clone(), serials, e))?;
            }
        }
        Ok(())
    }

    /// The revocation of `key` with the earliest date, if it is revoked.
    #[must_use]
    pub fn revocation(&self, key: &KeyBytes) -> Option<&Revocation> {
        self.revocations.iter().filter(|r| r.key == *key).min_by_key(|r| r.since)
    }
}

/// What does not hold within a bundle whose own signatures do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsound {
    /// The delegation of this maker to the line of this name.
    Delegation(Label, Label, DelegationError),
    /// The record by which this maker closed these serials.
    Close(Label, SerialRange, CloseError),
}

impl std::fmt::Display for Unsound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Delegation(maker, line, e) => {
                write!(f, "the delegation of {maker} to its line {:?} does not hold: {e}", line.as_str())
            }
            Self::Close(maker, serials, e) => {
                write!(f, "the record by which {maker} closed serials {serials} does not hold: {e}")
            }
        }
    }
}

impl std::error::Error for Unsound {}

/// A bundle made ready for many look-ups: each delegation is checked once, when a mark first names it.
#[derive(Debug)]
pub struct Directory<'a> {
    trust: &'a Trust,
    lines: HashMap<KeyId, Vec<Line<'a>>>,
    closed: HashMap<(KeyBytes, KeyBytes), Vec<Closed<'a>>>,
}

#[derive(Debug)]
struct Closed<'a> {
    maker: &'a Maker,
    envelope: &'a Signed<LotClose>,
    checked: OnceLock<Result<(), CloseError>>,
}

#[derive(Debug)]
struct Line<'a> {
    maker: &'a Maker,
    envelope: &'a Signed<Delegation>,
    checked: OnceLock<Result<PublicKey, DelegationError>>,
}

impl<'a> Directory<'a> {
    /// The directory of `trust`, which must come from [`Trust::open`].
    #[must_use]
    pub fn new(trust: &'a Trust) -> Self {
        let (mut lines, mut closed): (HashMap<_, Vec<_>>, HashMap<_, Vec<_>>) = Default::default();
        for maker in &trust.makers {
            for envelope in &maker.closed {
                let record = Closed { maker, envelope, checked: OnceLock::new() };
                closed.entry((maker.root, envelope.signed.key)).or_default().push(record);
            }
            for envelope in &maker.delegations {
                let line = Line { maker, envelope, checked: OnceLock::new() };
                lines.entry(envelope.signed.key.id()).or_default().push(line);
            }
        }
        Self { trust, lines, closed }
    }

    /// The bundle.
    #[must_use]
    pub fn trust(&self) -> &'a Trust {
        self.trust
    }

    /// Every delegation whose line key has the id `id`: all must be tried, for ids are not unique. Those that do not
    /// hold come with the reason.
    pub fn issuers(&self, id: KeyId) -> impl Iterator<Item = Result<Issuer<'a>, DelegationError>> {
        self.lines.get(&id).into_iter().flatten().map(Line::issuer)
    }

    /// Every record by which the maker with the root key `root` closed serials of the line key `line`. Those that do not
    /// hold come with the reason.
    pub fn closed(&self, root: &KeyBytes, line: &KeyBytes) -> impl Iterator<Item = Result<&'a LotClose, CloseError>> {
        self.closed.get(&(*root, *line)).into_iter().flatten().map(Closed::record)
    }

    /// Every line key of the bundle whose delegation holds.
    pub fn all_issuers(&self) -> impl Iterator<Item = (KeyId, Issuer<'a>)> {
        self.lines.iter().flat_map(|(id, lines)| lines.iter().filter_map(|line| Some((*id, line.issuer().ok()?))))
    }
}

impl<'a> Line<'a> {
    fn issuer(&self) -> Result<Issuer<'a>, DelegationError> {
        let checked = self.checked.get_or_init(|| check(self.maker, self.envelope));
        checked.map(|key| Issuer { maker: self.maker, delegation: &self.envelope.signed, key })
    }
}

impl<'a> Closed<'a> {
    fn record(&self) -> Result<&'a LotClose, CloseError> {
        (*self.checked.get_or_init(|| check_close(self.maker, self.envelope))).map(|()| &self.envelope.signed)
    }
}

fn check_close(maker: &Maker, envelope: &Signed<LotClose>) -> Result<(), CloseError> {
    LotClose::check(envelope, &maker.root.check().map_err(CloseError::Maker)?)
}

fn check(maker: &Maker, envelope: &Signed<Delegation>) -> Result<PublicKey, DelegationError> {
    Delegation::check(envelope, &maker.root.check().map_err(DelegationError::Maker)?)
}
