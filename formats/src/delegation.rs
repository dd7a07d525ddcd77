//! What a line key may mark: the maker's root key signs it, and the line key proves that it consents (SPEC.md,
//! section 8).

use crate::capsule::{Capsule, CapsuleSize};
use crate::container::Container;
use crate::date::Date;
use crate::key::{KeyBytes, KeyError, PublicKey};
use crate::mark::{Mark, Part, Serial};
use crate::signed::{Document, SignatureBytes, Signed, message};
use crate::text::Label;
use serde::{Deserialize, Serialize};

/// The most entries of a part list: a mark's part index has 16 bits.
pub const MAX_PARTS: usize = 1 << 16;

/// A line's wish to be delegated to, signed by its own key, which proves that it holds that key and names the one maker
/// for whom it will be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The maker's root key.
    pub maker: KeyBytes,
    /// The line key.
    pub key: KeyBytes,
    /// The line's name.
    pub line: Label,
}

impl Document for Request {
    const TYPE: &'static str = "touchmark/v1/delegation-request";
}

/// Serials from `first` to `last`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SerialRange {
    /// The first.
    #[serde(with = "serial_number")]
    pub first: Serial,
    /// The last.
    #[serde(with = "serial_number")]
    pub last: Serial,
}

/// Serials in JSON are numbers: they stay below 2^53 for that.
pub(crate) mod serial_number {
    use crate::mark::Serial;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(serial: &Serial, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_u64(serial.get())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Serial, D::Error> {
        Serial::new(u64::deserialize(d)?).ok_or_else(|| D::Error::custom("a serial is at most 2^53 - 1"))
    }
}

impl SerialRange {
    /// Every serial.
    pub const ALL: Self = match (Serial::new(0), Serial::new(Serial::MAX)) {
        (Some(first), Some(last)) => Self { first, last },
        _ => panic!("both are serials"),
    };

    /// Whether `serial` is in the range.
    #[must_use]
    pub fn contains(&self, serial: Serial) -> bool {
        self.first <= serial && serial <= self.last
    }

    /// How many serials it holds; 0 if `last` is before `first`.
    #[must_use]
    pub fn count(&self) -> u64 {
        (self.last.get() + 1).saturating_sub(self.first.get())
    }
}

impl std::fmt::Display for SerialRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} to {}", self.first, self.last)
    }
}

/// A lot and the serials that belong to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lot {
    /// The lot code.
    pub lot: Label,
    /// Its serials.
    pub serials: SerialRange,
}

/// What the root key allows a line key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delegation {
    /// The maker's root key.
    pub maker: KeyBytes,
    /// The line key.
    pub key: KeyBytes,
    /// The line's name.
    pub line: Label,
    /// The line key's signature over the [`Request`] of the three fields above.
    pub possession: SignatureBytes,
    /// The site where the line stands.
    pub site: u16,
    /// First date that a mark may carry.
    pub not_before: Date,
    /// Last date that a mark may carry.
    pub not_after: Date,
    /// The serials that it may use: the quantity of the order, checked offline.
    pub serials: SerialRange,
    /// The parts that it may mark; a mark can carry the index of one in place of its text.
    pub parts: Vec<Label>,
    /// Whether it may mark parts outside the list.
    pub other_parts: bool,
    /// The lots that it may mark, in rising and disjoint ranges of serials; a mark of such a serial need not carry its lot.
    pub lots: Vec<Lot>,
    /// Whether it may mark lots outside the list.
    pub other_lots: bool,
    /// Bytes of the capsule in its marks: 3 to 8.
    pub capsule_bytes: u8,
}

impl Document for Delegation {
    const TYPE: &'static str = "touchmark/v1/delegation";
}

/// Why a delegation does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DelegationError {
    /// The maker's root key is no good key.
    Maker(KeyError),
    /// The line key is no good key.
    Line(KeyError),
    /// It names another root key than the maker's.
    OtherMaker,
    /// The root key's signature is missing or wrong.
    RootSignature,
    /// The line key did not consent.
    Possession,
    /// The last date or serial is before the first.
    EmptyRange,
    /// Too many parts, a part listed twice, or ranges of lots that overlap or do not rise.
    Lists,
    /// A capsule size that does not exist.
    CapsuleSize,
}

impl std::fmt::Display for DelegationError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Maker(e) => write!(f, "the maker's root key is {e}"),
            Self::Line(e) => write!(f, "the line key is {e}"),
            Self::OtherMaker => f.write_str("it names another maker's root key"),
            Self::RootSignature => f.write_str("the maker's root key did not sign it"),
            Self::Possession => f.write_str("the line key did not sign the request for it"),
            Self::EmptyRange => f.write_str("a range of it ends before it begins"),
            Self::Lists => f.write_str("its parts repeat or are too many, or its lots overlap or do not rise"),
            Self::CapsuleSize => f.write_str("its capsules are not 3 to 8 bytes long"),
        }
    }
}

impl std::error::Error for DelegationError {}

impl DelegationError {
    /// The stable name, as the test vectors spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Maker(_) => "maker-key",
            Self::Line(_) => "line-key",
            Self::OtherMaker => "other-maker",
            Self::RootSignature => "root-signature",
            Self::Possession => "possession",
            Self::EmptyRange => "empty-range",
            Self::Lists => "lists",
            Self::CapsuleSize => "capsule-size",
        }
    }
}

/// A limit of the delegation that a mark breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutOfScope {
    /// The part is not in the list.
    Part,
    /// The lot is not in the list, or not that of the serial.
    Lot,
    /// The serial is outside the range.
    Serial,
    /// The date is before the first.
    TooEarly,
    /// The date is after the last.
    TooLate,
    /// The capsule has another size.
    CapsuleSize,
}

impl OutOfScope {
    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Part => "part",
            Self::Lot => "lot",
            Self::Serial => "serial",
            Self::TooEarly => "too-early",
            Self::TooLate => "too-late",
            Self::CapsuleSize => "capsule-size",
        }
    }
}

impl Delegation {
    /// Checks the envelope: both keys are good, the root key signed, the line key consents, the limits make sense.
    ///
    /// # Errors
    /// The first [`DelegationError`] found.
    pub fn check(envelope: &Signed<Self>, maker: &PublicKey) -> Result<PublicKey, DelegationError> {
        let this = &envelope.signed;
        if this.maker != maker.bytes() {
            return Err(DelegationError::OtherMaker);
        }
        let line = this.key.check().map_err(DelegationError::Line)?;
        this.check_limits()?;
        if !envelope.is_signed_by(maker) {
            return Err(DelegationError::RootSignature);
        }
        if !line.verify(&message(&this.request()), &this.possession.0) {
            return Err(DelegationError::Possession);
        }
        Ok(line)
    }

    /// Checks that the limits make sense, apart from any signature.
    ///
    /// # Errors
    /// [`DelegationError::EmptyRange`], [`DelegationError::Lists`] or [`DelegationError::CapsuleSize`].
    pub fn check_limits(&self) -> Result<(), DelegationError> {
        let ranges = self.lots.iter().map(|lot| lot.serials).chain([self.serials]);
        if self.not_after < self.not_before || ranges.into_iter().any(|range| range.count() == 0) {
            return Err(DelegationError::EmptyRange);
        }
        let unique = self.parts.iter().collect::<std::collections::BTreeSet<_>>().len();
        let rising = self.lots.is_sorted_by(|a, b| a.serials.last < b.serials.first);
        if self.parts.len() > MAX_PARTS || unique != self.parts.len() || !rising {
            return Err(DelegationError::Lists);
        }
        self.capsule_size().map(|_| ()).ok_or(DelegationError::CapsuleSize)
    }

    /// What the line key signed to consent.
    #[must_use]
    pub fn request(&self) -> Request {
        Request { maker: self.maker, key: self.key, line: self.line.clone() }
    }

    /// The size of the capsules; `None` for one that does not exist.
    #[must_use]
    pub fn capsule_size(&self) -> Option<CapsuleSize> {
        CapsuleSize::new(self.capsule_bytes)
    }

    /// The text of a mark's part; `None` for an index beyond the list.
    #[must_use]
    pub fn part<'a>(&'a self, mark: &'a Mark) -> Option<&'a Label> {
        self.part_named(&mark.part)
    }

    /// The text of `part`; `None` for an index beyond the list.
    #[must_use]
    pub fn part_named<'a>(&'a self, part: &'a Part) -> Option<&'a Label> {
        match part {
            Part::Inline(text) => Some(text),
            Part::Listed(index) => self.parts.get(usize::from(*index)),
        }
    }

    /// The lot of a mark: its own text, or the one to which its serial belongs.
    #[must_use]
    pub fn lot<'a>(&'a self, mark: &'a Mark) -> Option<&'a Label> {
        mark.lot.as_ref().or_else(|| self.lot_of(mark.serial))
    }

    /// The listed lot to which `serial` belongs.
    #[must_use]
    pub fn lot_of(&self, serial: Serial) -> Option<&Label> {
        let at = self.lots.partition_point(|lot| lot.serials.last < serial);
        self.lots.get(at).filter(|lot| lot.serials.contains(serial)).map(|lot| &lot.lot)
    }

    /// The limits that `mark` breaks; none if the line key was allowed to make it.
    #[must_use]
    pub fn violations(&self, mark: &Mark) -> Vec<OutOfScope> {
        let lot = match (self.lot(mark), self.lot_of(mark.serial)) {
            (Some(lot), Some(listed)) => lot == listed,
            // A lot of the list on a serial that is not its own, or no lot where the list is all there is.
            (Some(lot), None) => self.other_lots && self.lots.iter().all(|l| l.lot != *lot),
            (None, _) => self.other_lots,
        };
        self.broken(&mark.part, lot, self.serials.contains(mark.serial), mark.date, mark.capsule)
    }

    fn broken(&self, part: &Part, lot: bool, serial: bool, date: Date, capsule: Option<Capsule>) -> Vec<OutOfScope> {
        let part = self.part_named(part).is_some_and(|part| self.other_parts || self.parts.contains(part));
        let capsule = capsule.is_none_or(|capsule| capsule.size().bytes() == self.capsule_bytes);
        [
            (part, OutOfScope::Part),
            (lot, OutOfScope::Lot),
            (serial, OutOfScope::Serial),
            (date >= self.not_before, OutOfScope::TooEarly),
            (date <= self.not_after, OutOfScope::TooLate),
            (capsule, OutOfScope::CapsuleSize),
        ]
        .into_iter()
        .filter_map(|(holds, violation)| (!holds).then_some(violation))
        .collect()
    }

    /// The lot of a container: its own text, or the one to which all serials of its range belong.
    #[must_use]
    pub fn container_lot<'a>(&'a self, container: &'a Container) -> Option<&'a Label> {
        container.lot.as_ref().or_else(|| self.lot_of_all(container.serials))
    }

    fn lot_of_all(&self, serials: SerialRange) -> Option<&Label> {
        let at = self.lots.partition_point(|lot| lot.serials.last < serials.first);
        let whole = |lot: &&Lot| lot.serials.contains(serials.first) && lot.serials.contains(serials.last);
        self.lots.get(at).filter(whole).map(|lot| &lot.lot)
    }

    /// The limits that `container` breaks; none if the line key was allowed to make its mark.
    #[must_use]
    pub fn container_violations(&self, container: &Container) -> Vec<OutOfScope> {
        let serials = container.serials;
        let meets = |lot: &Lot| lot.serials.first <= serials.last && serials.first <= lot.serials.last;
        let lot = match (&container.lot, self.lot_of_all(serials)) {
            (Some(own), Some(listed)) => own == listed,
            (Some(own), None) => self.other_lots && self.lots.iter().all(|lot| lot.lot != *own && !meets(lot)),
            // Parts of several lots, all of which must be allowed.
            (None, listed) => listed.is_some() || self.other_lots || self.lots_cover(serials),
        };
        let within = self.serials.contains(serials.first) && self.serials.contains(serials.last);
        self.broken(&container.part, lot, within, container.date, container.capsule)
    }

    /// Whether every serial of the range belongs to a listed lot.
    fn lots_cover(&self, serials: SerialRange) -> bool {
        let mut next = serials.first.get();
        for lot in self.lots.iter().filter(|lot| lot.serials.last >= serials.first) {
            if lot.serials.first.get() > next {
                return false;
            }
            next = lot.serials.last.get() + 1;
            if next > serials.last.get() {
                return true;
            }
        }
        false
    }
}
