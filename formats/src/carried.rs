//! What a symbol may carry: a mark or a container mark, told apart by the first byte (SPEC.md, section 2).

use crate::capsule::Capsule;
use crate::container::{self, SignedContainer};
use crate::date::Date;
use crate::delegation::{Delegation, OutOfScope, SerialRange};
use crate::disclosure::Disclosure;
use crate::key::{KeyBytes, KeyId};
use crate::mark::{MarkError, Part, SIGNATURE_BYTES, SignedMark};
use crate::text::Label;

/// One of the kinds of signed marks, with what they have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Carried {
    /// On a part.
    Mark(SignedMark),
    /// On the label of a container.
    Container(SignedContainer),
}

impl Carried {
    /// What `bytes` are. Nothing is proven by it.
    ///
    /// # Errors
    /// The [`MarkError`] that says what is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MarkError> {
        match bytes.first() {
            Some(first) if first & 0xF0 == container::KIND => SignedContainer::from_bytes(bytes).map(Self::Container),
            _ => SignedMark::from_bytes(bytes).map(Self::Mark),
        }
    }

    /// The bytes that a symbol carries.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Mark(mark) => mark.to_bytes(),
            Self::Container(container) => container.to_bytes(),
        }
    }

    /// The hint at the line key that signed it.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        match self {
            Self::Mark(m) => m.mark.key_id,
            Self::Container(c) => c.container.key_id,
        }
    }

    /// The signature.
    #[must_use]
    pub fn signature(&self) -> &[u8; SIGNATURE_BYTES] {
        match self {
            Self::Mark(m) => &m.signature,
            Self::Container(c) => &c.signature,
        }
    }

    /// The day of production, or of packing.
    #[must_use]
    pub fn date(&self) -> Date {
        match self {
            Self::Mark(m) => m.mark.date,
            Self::Container(c) => c.container.date,
        }
    }

    /// How it names its part.
    #[must_use]
    pub fn part(&self) -> &Part {
        match self {
            Self::Mark(m) => &m.mark.part,
            Self::Container(c) => &c.container.part,
        }
    }

    /// The lot that it spells.
    #[must_use]
    pub fn own_lot(&self) -> Option<&Label> {
        match self {
            Self::Mark(m) => m.mark.lot.as_ref(),
            Self::Container(c) => c.container.lot.as_ref(),
        }
    }

    /// Its lot under `delegation`.
    #[must_use]
    pub fn lot<'a>(&'a self, delegation: &'a Delegation) -> Option<&'a Label> {
        match self {
            Self::Mark(m) => delegation.lot(&m.mark),
            Self::Container(c) => delegation.container_lot(&c.container),
        }
    }

    /// The serial of a mark, the range of a container.
    #[must_use]
    pub fn serials(&self) -> SerialRange {
        match self {
            Self::Mark(m) => SerialRange { first: m.mark.serial, last: m.mark.serial },
            Self::Container(c) => c.container.serials,
        }
    }

    /// How many parts it stands for.
    #[must_use]
    pub fn quantity(&self) -> u64 {
        match self {
            Self::Mark(_) => 1,
            Self::Container(c) => c.container.quantity(),
        }
    }

    /// The site that it spells.
    #[must_use]
    pub fn site(&self) -> Option<u16> {
        match self {
            Self::Mark(m) => m.mark.extension.site,
            Self::Container(c) => c.container.site,
        }
    }

    /// The sealed consignee.
    #[must_use]
    pub fn capsule(&self) -> Option<Capsule> {
        match self {
            Self::Mark(m) => m.mark.capsule,
            Self::Container(c) => c.container.capsule,
        }
    }

    /// The message that the line key signs.
    #[must_use]
    pub fn message(&self, root: &KeyBytes, part: &Label, lot: Option<&Label>) -> Vec<u8> {
        match self {
            Self::Mark(m) => m.mark.message(root, part, lot),
            Self::Container(c) => c.container.message(root, part, lot),
        }
    }

    /// The limits of `delegation` that it breaks.
    #[must_use]
    pub fn violations(&self, delegation: &Delegation) -> Vec<OutOfScope> {
        match self {
            Self::Mark(m) => delegation.violations(&m.mark),
            Self::Container(c) => delegation.container_violations(&c.container),
        }
    }

    /// The consignee that `disclosure` opens ([`Disclosure::consignee`]).
    #[must_use]
    pub fn consignee(&self, disclosure: &Disclosure, line: &KeyBytes, lot: Option<&Label>) -> Option<Option<u64>> {
        match self {
            Self::Mark(m) => disclosure.consignee(line, &m.mark, lot),
            Self::Container(c) => disclosure.container_consignee(line, &c.container, lot),
        }
    }
}
